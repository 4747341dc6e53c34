//! `casevault plan done`.

use clap::Args;
use jiff::civil::Date;

use crate::agent::Vault;
use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::picker;
use crate::render;
use crate::session::request::{PlanDoneRequest, PlanListRequest};
use crate::unlock_prompt;

const STEP: &str = "the step";
const STEP_FLAG: &str = "its handle: `casevault plan list` shows the handles of steps";

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
    /// The note's handle, and with a colon the segment's number where the note has several steps; without it, on a terminal,
    /// it is chosen
    #[arg(value_name = "NOTE[:SEGMENT]", value_parser = value::step)]
    pub step: Option<(String, Option<u32>)>,

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
    let given = match &args.file {
        Some(source) => Some(run.text(Some(source), "the outcome", LONGEST)?),
        None => None,
    };
    let (mut session, step) = match args.step {
        Some(step) => (run.unlock()?, step),
        None => {
            let mut session = run.unlock_to_ask(STEP, STEP_FLAG)?;
            let step = chosen(run, &mut session, args.undo)?;
            (session, step)
        }
    };
    let outcome = match given {
        Some(outcome) => Some(outcome),
        None => {
            let asked = !args.undo && unlock_prompt::can_ask() && Invocation::can_type();
            if asked && !args.others {
                // Nobody is asked for words that are refused then.
                session.plan_done(PlanDoneRequest {
                    note: step.0.clone(),
                    segment: step.1,
                    on: args.on,
                    check: true,
                    ..PlanDoneRequest::default()
                })?;
            }
            let question = match args.others {
                true => "What came of it, in a line (Enter alone for nothing, or for what this note says already): ",
                false => "What came of it, in a line (Enter alone for nothing): ",
            };
            asked
                .then(|| run.ask(question, "the outcome", "`--file FILE`"))
                .transpose()?
        }
    };
    let (note, segment) = step;
    let reply = session.plan_done(PlanDoneRequest {
        note,
        segment,
        on: args.on,
        outcome,
        undo: args.undo,
        others: args.others,
        check: false,
    })?;
    run.ui.reply(&reply, render::overview::done)
}

/// Asks whose step it is and which: of those that are not done, or where it is to be taken back of those that are.
fn chosen(run: &Invocation, session: &mut Vault, undo: bool) -> Result<(String, Option<u32>), CliError> {
    let case = picker::to_read(run, session)?;
    let request = PlanListRequest {
        case: Some(case),
        done: undo,
        ..PlanListRequest::default()
    };
    let watch = run.watch()?;
    let mut steps = session.plan_list(request, watch.task())?.steps;
    drop(watch);
    steps.retain(|row| row.step.done.is_some() == undo);
    if steps.is_empty() {
        let what = match undo {
            true => "no step of this case is done",
            false => "no step of this case waits to be done",
        };
        return Err(CliError::Nothing { what });
    }
    let lines: Vec<String> = steps
        .iter()
        .zip(1..)
        .map(|(row, n)| format!("{n:>3}  {}", render::overview::one_step(&row.step)))
        .collect();
    run.ui.prompt(&lines.join("\n"));
    loop {
        let typed = run.ask("Which step (its number): ", STEP, STEP_FLAG)?;
        let chosen = typed.parse::<usize>().ok().and_then(|n| steps.get(n.checked_sub(1)?));
        match chosen {
            Some(row) => return Ok((row.step.note.clone(), Some(row.step.segment))),
            None => run.ui.hint("write one of the numbers; Ctrl-D leaves it"),
        }
    }
}
