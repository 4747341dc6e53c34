//! `casevault plan done`.

use clap::Args;
use jiff::civil::Date;

use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::PlanDoneRequest;
use crate::unlock_prompt;

/// The longest outcome, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Says that a step of a plan was carried out, and what came of it
///
/// It is a new version of the note that planned the step, signed by you: the words of the plan stay as they are, and
/// `--undo` takes it back in another version. On a terminal the outcome is asked for in a line.
///
/// Example: `casevault plan done n-19qd:5 --on yesterday --file outcome.txt`
#[derive(Args, Debug)]
pub struct DoneArgs {
    /// The note's handle, and with a colon the segment's number where the note has several steps
    #[arg(value_name = "NOTE[:SEGMENT]", value_parser = value::step)]
    pub step: (String, Option<u32>),

    /// On which day, such as `yesterday` or `2026-03-12` [default: today]
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub on: Option<Date>,

    /// What came of it, from a file or from standard input; at most 64 KiB
    #[arg(long, value_name = "FILE|-")]
    pub file: Option<Source>,

    /// Says it of the notes of other cases that this one is joined with as well
    #[arg(long)]
    pub others: bool,

    /// Takes it back: the step is not done after all
    #[arg(long, conflicts_with_all = ["on", "file"])]
    pub undo: bool,
}

pub(super) fn run(args: DoneArgs, run: &Invocation) -> Result<(), CliError> {
    let (mut session, outcome) = match &args.file {
        Some(source) => {
            let outcome = run.text(Some(source), "the outcome", LONGEST)?;
            (run.unlock()?, Some(outcome))
        }
        None => {
            let session = run.unlock()?;
            let asked = !args.undo && unlock_prompt::can_ask() && Invocation::can_type();
            let question = match args.others {
                true => "What came of it, in a line (Enter alone for nothing, or for what this note says already): ",
                false => "What came of it, in a line (Enter alone for nothing): ",
            };
            let outcome = asked
                .then(|| run.ask(question, "the outcome", "`--file FILE`"))
                .transpose()?;
            (session, outcome)
        }
    };
    let (note, segment) = args.step;
    let reply = session.plan_done(PlanDoneRequest {
        note,
        segment,
        on: args.on,
        outcome,
        undo: args.undo,
        others: args.others,
    })?;
    run.ui.reply(&reply, render::overview::done)
}
