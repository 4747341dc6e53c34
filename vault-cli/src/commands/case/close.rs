//! `casevault case close`.

use clap::Args;
use jiff::civil::Date;

use crate::agent::Vault;
use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::picker;
use crate::render;
use crate::session::request::{CaseCloseRequest, CaseShowRequest, PlanListRequest};
use crate::unlock_prompt;

/// The longest outcome, in bytes.
const LONGEST_OUTCOME: u64 = 1 << 20;

/// Closes a case
///
/// Nothing is erased: the case can still be read and verified, its notes can be amended, and it takes no new ones. On a
/// terminal the outcome is asked for, because it cannot be added later, and the reason, by the codes of the case's template. Steps of plans that nobody has carried out are named,
/// and asked about, or without a terminal refused unless `--yes` says so: they leave `plan list` with the case, and come
/// back where it is opened again.
#[derive(Args, Debug)]
pub struct CloseArgs {
    /// The case's handle; without it, on a terminal, the name is asked for
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// The outcome in words, from a file or from standard input; at most 1 MiB
    #[arg(long, value_name = "FILE|-")]
    pub file: Option<Source>,

    /// Why it is closed, as a code that the case's template lists (`casevault template show`), such as `moved-away`
    #[arg(long, value_name = "CODE", value_parser = value::code)]
    pub reason: Option<String>,

    /// The day of closing, such as `2026-03-12` or `yesterday` [default: today]
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub on: Option<Date>,

    /// Closes it although steps of its plans are undone, and does not ask
    #[arg(long)]
    pub yes: bool,
}

pub(super) fn run(args: CloseArgs, run: &Invocation) -> Result<(), CliError> {
    let mut reason = args.reason;
    let (mut session, case, outcome) = match &args.file {
        Some(source) => {
            let outcome = run.text(Some(source), "the outcome", LONGEST_OUTCOME)?;
            let (mut session, case) = picker::unlock_for(run, args.case)?;
            if !args.yes {
                confirm(run, &mut session, &case)?;
            }
            (session, case, Some(outcome))
        }
        None => {
            let (mut session, case) = picker::unlock_for(run, args.case)?;
            let asked = is_asked();
            if !args.yes {
                confirm(run, &mut session, &case)?;
            }
            let question = match reason {
                Some(_) => "Outcome in a line (Enter alone for none; Ctrl-C keeps the case open): ",
                None => {
                    "Outcome in a line (Enter alone for none; the reason's code is asked next; Ctrl-C keeps the case open): "
                }
            };
            let outcome = asked
                .then(|| run.ask(question, "the outcome", "`--file FILE`"))
                .transpose()?;
            if asked && reason.is_none() {
                reason = ask_reason(run, &mut session, &case)?;
            }
            (session, case, outcome.filter(|outcome| !outcome.is_empty()))
        }
    };
    let reply = session.case_close(CaseCloseRequest {
        case,
        outcome,
        reason,
        on: args.on,
    })?;
    run.ui.reply(&reply, render::case::closed)
}

/// Asks for what reason the case is closed, out of those that its template lists, by code or number; `None` for none of them.
fn ask_reason(run: &Invocation, session: &mut Vault, case: &str) -> Result<Option<String>, CliError> {
    let shown = session.case_show(CaseShowRequest {
        case: case.to_owned(),
        ..CaseShowRequest::default()
    })?;
    let reasons = crate::session::closing_reasons(shown.case.template.as_deref())?;
    let lines = reasons.iter().zip(1..);
    let lines: Vec<String> = lines
        .map(|((code, title), n)| format!("{n:>3}  {code}  {title}"))
        .collect();
    run.ui.prompt(&lines.join("\n"));
    loop {
        let question = "Reason (its number or code; Enter alone for none; Ctrl-C keeps the case open): ";
        let answer = run.ask(question, "the reason", "`--reason CODE`")?;
        let number = answer.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let found = match number {
            _ if answer.is_empty() => return Ok(None),
            Some(n) => reasons.get(n),
            None => reasons.iter().find(|(code, _)| *code == answer.to_lowercase()),
        };
        if let Some((code, _)) = found {
            return Ok(Some(code.clone()));
        }
        run.ui
            .hint("write one of the numbers or codes; what fits none is `other`, in the outcome's words");
    }
}

fn is_asked() -> bool {
    unlock_prompt::can_ask() && Invocation::can_type()
}

/// Shows the steps that nobody has carried out, and asks whether the case is to be closed all the same.
fn confirm(run: &Invocation, session: &mut Vault, case: &str) -> Result<(), CliError> {
    let request = PlanListRequest {
        case: Some(case.to_owned()),
        ..PlanListRequest::default()
    };
    let watch = run.watch()?;
    let listed = session.plan_list(request, watch.task())?;
    drop(watch);
    if listed.steps.is_empty() {
        return Ok(());
    }
    let steps: Vec<_> = listed.steps.into_iter().map(|row| row.step).collect();
    let missing = ("whether to close it although steps are undone", "`--yes`");
    if !is_asked() {
        let (what, flag) = missing;
        run.ui
            .note(&format!("not done yet:\n{}", render::case::undone(&steps).trim_end()));
        return Err(CliError::NeedsFlag { what, flag });
    }
    run.ui
        .prompt(&format!("Not done yet:\n{}", render::case::undone(&steps).trim_end()));
    let question = "Close it all the same? No list names these steps then. [y/N] ";
    match run.confirm(question, missing.0, missing.1)? {
        true => Ok(()),
        false => Err(CliError::Nothing {
            what: "the case stays open",
        }),
    }
}
