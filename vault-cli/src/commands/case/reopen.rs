//! `casevault case reopen`.

use clap::Args;
use jiff::civil::Date;

use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::session::request::CaseReopenRequest;

/// The longest reason, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Opens a closed case again, with the reason on its file
///
/// What was recorded when it was closed stays; the reason is a note of its own. From then on it takes notes again.
#[derive(Args, Debug)]
pub struct ReopenArgs {
    /// The case's handle
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: String,

    /// Why, from a file or from standard input; without it, on a terminal, it is asked for
    #[arg(long, value_name = "FILE|-")]
    pub file: Option<Source>,

    /// The day, such as `2026-03-12` or `yesterday` [default: today]
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub on: Option<Date>,
}

pub(super) fn run(args: ReopenArgs, run: &Invocation) -> Result<(), CliError> {
    let (mut session, reason) = match &args.file {
        Some(source) => {
            let reason = run.text(Some(source), "the reason", LONGEST)?;
            (run.unlock()?, reason)
        }
        None => {
            let flag = "`--file FILE`, or `--file -` for standard input";
            let session = run.unlock_to_ask("the reason", flag)?;
            (session, run.ask("Why is it opened again: ", "the reason", flag)?)
        }
    };
    let reply = session.case_reopen(CaseReopenRequest {
        case: args.case,
        reason,
        on: args.on,
    })?;
    run.ui.reply(&reply, |reply| {
        format!(
            "opened {} again on {}, the reason is {}",
            reply.case, reply.reopened, reply.note
        )
    })
}
