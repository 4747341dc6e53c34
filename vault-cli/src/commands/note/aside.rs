//! `casevault note aside`.

use clap::Args;

use crate::cli::Purpose;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::{AsideDiscardRequest, AsideListRequest, AsideRestoreRequest, AsideShowRequest};

/// The longest reason, in bytes.
const LONGEST: u64 = 240;

/// Lists what `sync` set aside, shows it, writes it again or drops it
///
/// What you wrote has no place any more where somebody took away a right meanwhile, or changed the members otherwise. It is
/// kept on this machine alone, sealed, until you write it again as a new note or drop it with a reason.
#[derive(Args, Debug)]
pub struct AsideArgs {
    /// Shows one
    #[arg(long, value_name = "ASIDE")]
    pub show: Option<String>,

    /// Writes one again, as a new note of its case
    #[arg(long, value_name = "ASIDE", conflicts_with = "show")]
    pub restore: Option<String>,

    /// Drops one for good; `--file` says why
    #[arg(long, value_name = "ASIDE", conflicts_with_all = ["show", "restore"], requires = "file")]
    pub discard: Option<String>,

    /// Why it is dropped, from a file or from standard input; at most 240 bytes
    #[arg(long, value_name = "FILE|-", requires = "discard")]
    pub file: Option<Source>,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: AsideArgs, run: &Invocation) -> Result<(), CliError> {
    if let Some(aside) = args.restore {
        let reply = run.unlock()?.aside_restore(AsideRestoreRequest { aside })?;
        let done = format!("wrote {} again as note", reply.aside);
        return run.ui.made(&reply, &done, &reply.note, "");
    }
    if let Some(aside) = args.discard {
        let reason = run.text(args.file.as_ref(), "the reason", LONGEST)?.trim().to_owned();
        let reply = run.unlock()?.aside_discard(AsideDiscardRequest { aside, reason })?;
        return run.ui.reply(&reply, |reply| format!("dropped {}\n", reply.aside));
    }
    if let Some(aside) = args.show {
        let purpose = run.purpose(args.purpose)?;
        let reply = run.unlock()?.aside_show(AsideShowRequest { aside, purpose })?;
        return run.ui.reply(&reply, render::note::aside_shown);
    }
    let reply = run.unlock()?.aside_list(AsideListRequest {})?;
    run.ui.reply(&reply, render::note::aside)
}
