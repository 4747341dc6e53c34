//! `casevault note list`.

use clap::Args;
use jiff::civil::Date;
use vault_core::note::NoteKind;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::picker;
use crate::render;
use crate::session::request::NoteListRequest;

/// Lists the notes of a case
#[derive(Args, Debug)]
pub struct ListArgs {
    /// The case's handle; without it, on a terminal, the name is asked for
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// Only notes of this kind
    #[arg(long, value_name = "KIND", value_parser = value::note_kind)]
    pub kind: Option<NoteKind>,

    /// Only notes that touch this section
    #[arg(long, value_name = "SECTION", value_parser = value::code)]
    pub section: Option<String>,

    /// Only what happened on or after this day, such as `2026-03-01`
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub since: Option<Date>,

    /// Only what happened on or before this day
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub until: Option<Date>,

    /// Only notes that quote somebody, with their words
    #[arg(long)]
    pub quotes: bool,

    /// Only notes of which something is missing, such as a decision's reason
    #[arg(long)]
    pub incomplete: bool,

    /// Only notes that are hidden because they were misfiled
    #[arg(long)]
    pub misfiled: bool,

    /// All notes, those that are hidden because they were misfiled among them
    #[arg(long, conflicts_with = "misfiled")]
    pub all: bool,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: ListArgs, run: &Invocation) -> Result<(), CliError> {
    let purpose = run.purpose(args.purpose)?;
    let (mut session, case) = picker::unlock_for(run, args.case)?;
    let request = NoteListRequest {
        case,
        kind: args.kind,
        section: args.section,
        since: args.since,
        until: args.until,
        quotes: args.quotes,
        incomplete: args.incomplete,
        misfiled: args.misfiled,
        all: args.all,
        purpose,
    };
    let reply = session.note_list(request)?;
    run.ui.unopened(&reply.unopened);
    run.ui.reply(&reply, render::note::list)
}
