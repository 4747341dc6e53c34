//! `casevault note history`.

use clap::Args;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::NoteHistoryRequest;

/// Shows every version of a note
#[derive(Args, Debug)]
pub struct HistoryArgs {
    /// The note's handle
    #[arg(value_name = "NOTE", value_parser = value::note)]
    pub note: String,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: HistoryArgs, run: &Invocation) -> Result<(), CliError> {
    let request = NoteHistoryRequest {
        note: args.note,
        purpose: run.purpose(args.purpose)?,
    };
    let reply = run.unlock()?.note_history(request)?;
    run.ui.reply(&reply, render::note::history)
}
