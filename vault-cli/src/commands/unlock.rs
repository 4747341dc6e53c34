//! `casevault unlock`.

use clap::Args;

use crate::agent::{self, Connection, Lasting};
use crate::cli::value;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::Session;

/// Unlocks the vault for the commands that follow
///
/// Starts an agent: a process that holds the vault open and does what commands ask of it, so that the passphrase is
/// typed once. It gives no key to anybody, and logs every reading as each command would. It locks by itself when it was
/// not used for 15 minutes, after 12 hours, when the machine slept, and on `casevault lock`. Unlocking again while it
/// runs starts a new one in its place, whose time begins anew.
///
/// The unlocking is logged, and wrong passphrases since the last right one are told. With `--no-agent`, the passphrase is
/// checked and nothing stays unlocked.
#[derive(Args, Debug)]
pub struct UnlockArgs {
    /// Locks after this time, whatever is done until then, such as `15m` or `2h` [default: 12h]
    #[arg(long = "for", value_name = "TIME", value_parser = value::minutes)]
    pub lasting: Option<u32>,

    /// Locks when nothing was asked for this long [default: 15m]
    #[arg(long, value_name = "TIME", value_parser = value::minutes)]
    pub idle: Option<u32>,
}

pub(super) fn run(args: &UnlockArgs, run: &Invocation) -> Result<(), CliError> {
    let places = run.vault()?;
    if run.no_agent() {
        let mut session = run.unlock_here()?;
        let reply = session.unlocked()?;
        run.ui.reply(&reply, |_| "the passphrase is right".to_owned())?;
        Session::told_of_wrong_tries(&places);
        return Ok(());
    }
    let lasting = Lasting {
        limit: args.lasting,
        idle: args.idle,
    };
    if Connection::holder(&places)?.is_some_and(|agent| !agent.is_same_version()) {
        run.ui
            .note("the agent that was running is of another version: it is ended, and a new one started");
    }
    let reply = run.with_passphrase(|passphrase| Ok(agent::start(&places, passphrase, lasting)?))?;
    run.tell_wrong_tries(&places, reply.wrong_tries);
    let status = match Connection::find(&places)? {
        Some(mut agent) => agent.status()?,
        None => None,
    };
    run.ui.reply(&reply, |_| match &status {
        Some(status) => render::status::unlocked(status),
        None => "unlocked, and locked again meanwhile".to_owned(),
    })?;
    // Whoever asked for JSON has read the count in the reply.
    Session::told_of_wrong_tries(&places);
    Ok(())
}
