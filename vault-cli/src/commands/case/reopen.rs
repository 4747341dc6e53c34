//! `casevault case reopen`.

use clap::Args;
use jiff::civil::Date;

use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::picker;
use crate::render;
use crate::session::request::CaseReopenRequest;

/// The longest reason, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Opens a closed case again, with the reason on its file
///
/// What was recorded when it was closed stays; the reason is a note of its own. From then on it takes notes again.
#[derive(Args, Debug)]
pub struct ReopenArgs {
    /// The case's handle; without it, on a terminal, the name is asked for, of the closed cases
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// Why, from a file or from standard input; without it, on a terminal, it is asked for
    #[arg(long, value_name = "FILE|-")]
    pub file: Option<Source>,

    /// The day, such as `2026-03-12` or `yesterday` [default: today]
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub on: Option<Date>,
}

pub(super) fn run(args: ReopenArgs, run: &Invocation) -> Result<(), CliError> {
    let (what, flag) = ("the reason", "`--file FILE`, or `--file -` for standard input");
    let given = match &args.file {
        Some(source) => Some(run.text(Some(source), what, LONGEST)?),
        None => None,
    };
    let mut session = match (&args.case, &given) {
        (None, _) => run.unlock_to_ask(
            "the case",
            "its handle: `casevault case list --status closed` shows those",
        )?,
        (Some(_), None) => run.unlock_to_ask(what, flag)?,
        (Some(_), Some(_)) => run.unlock()?,
    };
    let case = match args.case {
        Some(case) => case,
        None => picker::closed(run, &mut session)?,
    };
    let reason = match given {
        Some(reason) => reason,
        None => run.ask("Why is it opened again: ", what, flag)?,
    };
    let reply = session.case_reopen(CaseReopenRequest {
        case,
        reason,
        on: args.on,
    })?;
    run.ui.reply(&reply, render::case::reopened)
}
