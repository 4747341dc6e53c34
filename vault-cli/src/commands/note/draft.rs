//! `casevault note draft`.

use clap::Args;

use crate::cli::value;
use crate::editor;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::SessionError;
use crate::session::request::DraftListRequest;

/// Lists what was begun and not saved
///
/// Drafts are kept on this machine alone, sealed. `note add`, `note amend` and `note expand` go on from one with `--draft`.
#[derive(Args, Debug)]
pub struct DraftArgs {
    /// Drops a draft for good
    #[arg(long, value_name = "DRAFT", value_parser = value::draft)]
    pub discard: Option<String>,

    /// Drops it without asking
    #[arg(long, requires = "discard")]
    pub yes: bool,
}

pub(super) fn run(args: DraftArgs, run: &Invocation) -> Result<(), CliError> {
    let mut session = run.unlock()?;
    if let Some(draft) = args.discard {
        if editor::is_open(&draft) {
            let what = format!("draft {draft} is open in an editor");
            return Err(SessionError::conflict(what, "end that editor first").into());
        }
        return super::discard(run, &mut session, draft, args.yes);
    }
    let reply = session.draft_list(DraftListRequest::default())?;
    run.ui.reply(&reply, render::writing::drafts)
}
