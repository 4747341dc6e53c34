//! `casevault plan list`.

use clap::Args;
use jiff::civil::Date;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::PlanListRequest;

/// The longest name of an owner, in bytes.
const LONGEST_NAME: u64 = 1024;

/// Lists the steps of plans that nobody has carried out, the most pressing first
///
/// Of the open cases of your caseload, or of one case. `casevault plan done` takes a step off the list.
///
/// Example: `casevault plan list --due 7d --owner me`
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Only steps of this case, by its handle
    #[arg(long, value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// Only what is due until then, what is overdue too: `7d`, `friday`, `2026-03-31`
    #[arg(long, value_name = "DAY", value_parser = value::coming_day)]
    pub due: Option<Date>,

    /// Only what is past its date
    #[arg(long)]
    pub overdue: bool,

    /// Only what this worker does: `me`, or a code or handle as notes write it, whatever its capitals; `me` is your handle and
    /// your name too
    #[arg(long, value_name = "CODE", value_parser = value::owner)]
    pub owner: Option<String>,

    /// Only what this person does, whose name is read from a file or from standard input
    #[arg(long, value_name = "FILE|-", conflicts_with = "owner")]
    pub owner_file: Option<Source>,

    /// What was done, too
    #[arg(long)]
    pub done: bool,

    /// At most this many
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: ListArgs, run: &Invocation) -> Result<(), CliError> {
    let owner = match &args.owner_file {
        Some(source) => Some(
            run.text(Some(source), "the owner's name", LONGEST_NAME)?
                .trim()
                .to_owned(),
        ),
        None => args.owner,
    };
    let request = PlanListRequest {
        case: args.case,
        due: args.due,
        overdue: args.overdue,
        owner,
        done: args.done,
        limit: args.limit,
        purpose: run.purpose(args.purpose)?,
    };
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.plan_list(request, watch.task())?;
    run.ui.unopened(&reply.unopened);
    run.ui.reply(&reply, render::overview::plans)
}
