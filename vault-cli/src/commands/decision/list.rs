//! `casevault decision list`.

use clap::Args;
use jiff::civil::Date;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::picker;
use crate::render;
use crate::session::request::DecisionListRequest;

/// Lists decisions with their reasons, the incomplete ones first
#[derive(Args, Debug)]
pub struct ListArgs {
    /// The case's handle; without it, on a terminal, the name is asked for
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// Only those of which something is missing
    #[arg(long)]
    pub incomplete: bool,

    /// Only what happened on or after this day, such as `2026-03-01`
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub since: Option<Date>,

    /// Only what happened on or before this day
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub until: Option<Date>,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: ListArgs, run: &Invocation) -> Result<(), CliError> {
    let purpose = run.purpose(args.purpose)?;
    let (mut session, case) = picker::unlock_for(run, args.case)?;
    let request = DecisionListRequest {
        case,
        incomplete: args.incomplete,
        since: args.since,
        until: args.until,
        purpose,
    };
    let reply = session.decision_list(request)?;
    run.ui.unopened(&reply.unopened);
    run.ui.reply(&reply, render::case::decisions)
}
