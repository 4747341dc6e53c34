//! `casevault case close`.

use clap::Args;
use jiff::civil::Date;

use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::session::request::CaseCloseRequest;
use crate::unlock_prompt;

/// The longest outcome, in bytes.
const LONGEST_OUTCOME: u64 = 1 << 20;

/// Closes a case
///
/// Nothing is erased: the case can still be read and verified, its notes can be amended, and it takes no new ones. On a
/// terminal the outcome is asked for, because it cannot be added later.
#[derive(Args, Debug)]
pub struct CloseArgs {
    /// The case's handle
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: String,

    /// The outcome in words, from a file or from standard input; at most 1 MiB
    #[arg(long, value_name = "FILE|-")]
    pub file: Option<Source>,

    /// Why it is closed, as a code that the case's template lists (`casevault template show`), such as `moved-away`
    #[arg(long, value_name = "CODE", value_parser = value::code)]
    pub reason: Option<String>,

    /// The day of closing, such as `2026-03-12` or `yesterday` [default: today]
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub on: Option<Date>,
}

pub(super) fn run(args: CloseArgs, run: &Invocation) -> Result<(), CliError> {
    let (mut session, outcome) = match &args.file {
        Some(source) => {
            let outcome = run.text(Some(source), "the outcome", LONGEST_OUTCOME)?;
            (run.unlock()?, Some(outcome))
        }
        None => {
            let session = run.unlock()?;
            let asked = unlock_prompt::can_ask() && Invocation::can_type();
            let question = "Outcome in a line (leave empty for none; Ctrl-C keeps the case open): ";
            let outcome = asked
                .then(|| run.ask(question, "the outcome", "`--file FILE`"))
                .transpose()?;
            (session, outcome.filter(|outcome| !outcome.is_empty()))
        }
    };
    let reply = session.case_close(CaseCloseRequest {
        case: args.case,
        outcome,
        reason: args.reason,
        on: args.on,
    })?;
    run.ui
        .reply(&reply, |reply| format!("closed {} on {}", reply.case, reply.closed))
}
