//! `casevault note withdraw`.

use clap::Args;

use crate::agent::Vault;
use crate::cli::value;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::{NoteShowRequest, NoteWithdrawRequest};
use crate::unlock_prompt;

/// Characters of a whole handle: `n-` and eight.
const HANDLE: usize = 10;

/// Takes back a note within ten minutes
///
/// Until a sync has published it, at most ten minutes: its text and keys are erased, and a signed event says so. Later,
/// amend it. No ground is asked for. On a terminal the note is shown, and asked about; elsewhere its whole handle is needed, or `--yes`.
#[derive(Args, Debug)]
pub struct WithdrawArgs {
    /// The note's handle
    #[arg(value_name = "NOTE", value_parser = value::note)]
    pub note: String,

    /// Does not ask, and takes a handle that is cut short
    #[arg(long)]
    pub yes: bool,
}

pub(super) fn run(args: WithdrawArgs, run: &Invocation) -> Result<(), CliError> {
    let is_asked = !args.yes && unlock_prompt::can_ask() && Invocation::can_type();
    if !args.yes && !is_asked && args.note.len() < HANDLE {
        return Err(CliError::Usage {
            message: format!(
                "`{}` is cut short, and what is withdrawn cannot be brought back",
                args.note
            ),
            hint: "give the whole handle, as `casevault note list CASE` shows it, or `--yes`; nothing was withdrawn"
                .to_owned(),
        });
    }
    let mut session = run.unlock()?;
    if is_asked {
        confirm(run, &mut session, &args.note)?;
    }
    let reply = session.note_withdraw(NoteWithdrawRequest { note: args.note })?;
    run.ui.reply(&reply, |reply| {
        let whose = render::whose(reply.label.as_deref(), &reply.case);
        let mut said = format!(
            "withdrew {} of {whose}: its text is erased, the event stays",
            reply.note
        );
        for other in &reply.others {
            said.push_str(&format!(
                "\n{} in case {} says the same, and stays",
                other.note, other.case
            ));
        }
        said
    })
}

/// Shows which note it is, and asks whether it is to be withdrawn.
fn confirm(run: &Invocation, session: &mut Vault, note: &str) -> Result<(), CliError> {
    let shown = session.note_show(NoteShowRequest {
        note: note.to_owned(),
        misfiled: true,
        ..NoteShowRequest::default()
    })?;
    run.ui.prompt(&render::note::which(&shown.view));
    let question = "Withdraw it? Its text is erased and cannot be brought back. [y/N] ";
    match run.confirm(question, "whether to withdraw it", "`--yes`")? {
        true => Ok(()),
        false => Err(CliError::Nothing { what: "the note stays" }),
    }
}
