//! `casevault chronology show`.

use clap::Args;
use jiff::civil::Date;
use vault_core::note::NoteKind;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::picker;
use crate::render;
use crate::session::request::ChronologyRequest;

/// Shows what was significant, in the order in which it happened
///
/// Takes decisions and what its authors marked {significant}, each with its note; what was recorded late is marked.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The case's handle; without it, on a terminal, the name is asked for
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// Only what happened on or after this day, such as `2026-03-01`
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub since: Option<Date>,

    /// Only what happened on or before this day
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub until: Option<Date>,

    /// Only out of notes of this kind
    #[arg(long, value_name = "KIND", value_parser = value::note_kind)]
    pub kind: Option<NoteKind>,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: ShowArgs, run: &Invocation) -> Result<(), CliError> {
    let purpose = run.purpose(args.purpose)?;
    let (mut session, case) = picker::unlock_for(run, args.case)?;
    let request = ChronologyRequest {
        case,
        since: args.since,
        until: args.until,
        kind: args.kind,
        purpose,
    };
    let reply = session.chronology_show(request)?;
    run.ui.unopened(&reply.unopened);
    run.ui.reply(&reply, render::case::chronology)
}
