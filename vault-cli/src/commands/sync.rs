//! `casevault sync`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::joining;
use crate::remote::ServerFault;
use crate::render;
use crate::session::SessionError;

mod watch;

/// Sends what was written to the server, takes in what others wrote, and verifies its log
///
/// Example: `casevault sync`
#[derive(Args, Debug)]
pub struct SyncArgs {
    /// Goes on until Ctrl-C: synchronises again whenever somebody wrote, here or elsewhere, and whenever a server that did
    /// not answer is back. It needs an agent, keeps it from no locking, and ends when that locks
    #[arg(long)]
    pub watch: bool,
}

pub(super) fn run(args: &SyncArgs, run: &Invocation) -> Result<(), CliError> {
    joining::finish(run)?;
    if args.watch {
        return watch::run(run);
    }
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.sync(watch.task())?;
    drop(watch);
    run.ui.reply(&reply, render::server::synced)?;
    match reply.behind.first() {
        None => Ok(()),
        Some(behind) => {
            let of = format!("entry {} of {}", behind.entry, behind.of);
            Err(SessionError::from(ServerFault::Absent { of }).into())
        }
    }
}
