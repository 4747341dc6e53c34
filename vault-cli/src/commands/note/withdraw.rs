//! `casevault note withdraw`.

use clap::Args;

use crate::cli::value;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::request::NoteWithdrawRequest;

/// Takes back a note within ten minutes
///
/// Until a sync has published it, at most ten minutes: its text and keys are erased, and a signed event says so. Later,
/// amend it.
#[derive(Args, Debug)]
pub struct WithdrawArgs {
    /// The note's handle
    #[arg(value_name = "NOTE", value_parser = value::note)]
    pub note: String,
}

pub(super) fn run(args: WithdrawArgs, run: &Invocation) -> Result<(), CliError> {
    let reply = run.unlock()?.note_withdraw(NoteWithdrawRequest { note: args.note })?;
    run.ui.reply(&reply, |reply| {
        let mut said = format!("withdrew {}: its text is erased, the event stays", reply.note);
        for other in &reply.others {
            said.push_str(&format!(
                "\n{} in case {} says the same, and stays",
                other.note, other.case
            ));
        }
        said
    })
}
