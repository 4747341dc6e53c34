//! `casevault unlock`.

use clap::Args;

use crate::cli::value;
use crate::error::CliError;
use crate::invocation::Invocation;

/// Checks the passphrase
///
/// There is no agent yet that would hold the vault open: each command unlocks for itself. The unlocking is logged, and
/// wrong passphrases since the last right one are told.
#[derive(Args, Debug)]
pub struct UnlockArgs {
    /// For how long the agent is to hold the vault open, such as `15m` (no effect without an agent)
    #[arg(long = "for", value_name = "TIME", value_parser = value::minutes)]
    pub lasting: Option<u32>,
}

pub(super) fn run(args: &UnlockArgs, run: &Invocation) -> Result<(), CliError> {
    let mut session = run.unlock()?;
    let reply = session.unlocked()?;
    run.ui.reply(&reply, |_| "the passphrase is right".to_owned())?;
    // Whoever asked for JSON has read the count in the reply.
    session.told_of_wrong_tries();
    if !reply.agent {
        let for_ = if args.lasting.is_some() {
            ", so `--for` has no effect"
        } else {
            ""
        };
        run.ui.hint(&format!(
            "there is no agent yet that would hold the vault open{for_}: each command unlocks for itself"
        ));
    }
    Ok(())
}
