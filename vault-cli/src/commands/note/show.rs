//! `casevault note show`.

use clap::Args;
use vault_core::note::SegmentKind;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::NoteShowRequest;

/// Shows one note
///
/// What was amended is shown struck beside what it became; `--clean` leaves that out. With `--only`, segments whose kind came from the template and
/// was not confirmed by the author are left out: opinion must not turn into observation.
///
/// Example: `casevault note show n-19qd --only observation,quote,reported`
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The note's handle
    #[arg(value_name = "NOTE", value_parser = value::note)]
    pub note: String,

    /// Only segments of these kinds: `narrative`, `observation`, `quote`, `reported`, `interpretation`, `intervention`,
    /// `decision`, `plan`, `reflection`
    #[arg(long, value_name = "KIND,…", value_delimiter = ',', value_parser = value::segment_kind)]
    pub only: Vec<SegmentKind>,

    /// The version, from 1 [default: the newest]
    #[arg(long = "as-of-version", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub version: Option<u32>,

    /// Shows an amended note as it reads now, without what was struck
    #[arg(long)]
    pub clean: bool,

    /// Shows a note even if it is hidden because it was misfiled
    #[arg(long)]
    pub misfiled: bool,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: ShowArgs, run: &Invocation) -> Result<(), CliError> {
    let request = NoteShowRequest {
        note: args.note,
        version: args.version,
        only: args.only,
        misfiled: args.misfiled,
        clean: args.clean,
        purpose: run.purpose(args.purpose)?,
    };
    let reply = run.unlock()?.note_show(request)?;
    run.ui.reply(&reply, render::note::show)
}
