//! `casevault server remove`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::{ServerRemoveRequest, ServerShowRequest};
use crate::unlock_prompt;

/// Forgets the server: nothing is sent to it any more
///
/// The vault goes on without a network. What the server has it keeps, sealed; what was proved of its log is kept here too, and
/// its log key stays in the agency's root: `server add` takes the same server again, also at another address, and no other. On
/// a terminal it is asked about; elsewhere `--yes` is needed.
#[derive(Args, Debug)]
pub struct RemoveArgs {
    /// Does not ask
    #[arg(long)]
    pub yes: bool,
}

pub(super) fn run(args: &RemoveArgs, run: &Invocation) -> Result<(), CliError> {
    let (what, flag) = ("whether to forget the server", "`--yes`");
    if !args.yes && !unlock_prompt::can_ask() {
        return Err(CliError::NeedsFlag { what, flag });
    }
    let mut session = run.unlock()?;
    if !args.yes {
        let shown = session.server_show(ServerShowRequest {})?;
        run.ui.prompt(render::server::shown(&shown).trim_end());
        if !run.confirm("Forget it? What it has, it keeps. [y/N] ", what, flag)? {
            return Err(CliError::Nothing {
                what: "the server stays",
            });
        }
    }
    let reply = session.server_remove(ServerRemoveRequest {})?;
    run.ui.reply(&reply, render::server::removed)
}
