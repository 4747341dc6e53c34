//! `casevault log verify`.

use clap::Args;

use crate::commands::verify::tell;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::request::LogVerifyRequest;

/// Verifies that no log of this vault, those before a restore too, has a gap, and every entry opens
///
/// Of a vault with a server the server's log is read too, from its first leaf: every entry is hashed again, the log must be the
/// one that was signed, and everything that was sent from here must be in it, once.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// Verify what is here alone, and ask no server
    #[arg(long)]
    pub offline: bool,
}

pub(super) fn run(args: VerifyArgs, run: &Invocation) -> Result<(), CliError> {
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let request = LogVerifyRequest { offline: args.offline };
    let reply = session.log_verify(request, watch.task())?;
    drop(watch);
    tell(&reply, run)
}
