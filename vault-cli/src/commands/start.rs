//! `casevault` alone: whose case, by name, and what to do with it; where nobody can be asked, how to begin.

pub(super) mod kind;

use crate::agent::Vault;
use crate::error::CliError;
use crate::exit::Exit;
use crate::invocation::Invocation;
use crate::marks;
use crate::picker;
use crate::render;
use crate::session::reply::NoteListReply;
use crate::session::request::{
    CaseBriefRequest, CasePeopleRequest, CaseShowRequest, JotAddRequest, NoteListRequest, NoteShowRequest,
    PlanDoneRequest, TodayRequest,
};
use crate::unlock_prompt;

use vault_core::note::plan::Step;

use super::{call, note};

const PAGE: &str = "\
casevault keeps case notes sealed on this machine, signed, and with every reading logged.

To begin:
  casevault demo                                  see it all on a sample caseload, in a minute
  casevault init --agency NAME --name NAME        make your vault
  casevault case open                             the first case: what is needed most is asked
  casevault import FILE                           a whole caseload from another system

After a loss, on a machine without a vault:
  casevault backup restore FILE                   a backup, with its passphrase
  casevault recovery restore --cards F,F --backup FILE    without it, with the recovery cards

Every day:
  casevault                                       whose case, by name, and what to do with it
  casevault today                                 what the day holds
  casevault case list                             your caseload
  casevault case show CASE                        what is known
  casevault note add                              a note in your editor: whose and of what kind is asked
  casevault call                                  a call, typed in a line or two
  casevault plan done                             a step is done, and what came of it
  casevault note find --file TERM                 search, on this machine alone
  casevault verify                                prove that nothing was changed

`casevault help` lists all commands; `--help` after one explains it.
";

const ACTIONS: &str = "\
 b brief   s all that is known   l notes   p people   t today
 c call note   n note in the editor   j jot   d N step N is done   w somebody else   Enter leaves";

const WHOSE: &str = "Whose case? A name, or the beginning of one; Enter alone lists them, Ctrl-D leaves.";

const WHAT: &str = "what to do";
const FLAG: &str = "a command: `casevault help` lists them";

pub(crate) fn run(run: &Invocation) -> Result<(), CliError> {
    let is_asked = !run.ui.is_json() && run.ui.is_terminal() && unlock_prompt::can_ask() && Invocation::can_type();
    if !is_asked || run.vault().is_err() {
        return run.ui.text(PAGE);
    }
    let mut session = run.unlock()?;
    run.ui.prompt(WHOSE);
    let mut case = match picker::any(run, &mut session) {
        Err(CliError::NoAnswer { .. }) => return Ok(()),
        case => case?,
    };
    let mut steps = brief(run, &mut session, &case)?;
    let mut next: Option<String> = None;
    loop {
        let typed = match next.take() {
            Some(typed) => typed,
            None => {
                run.ui.prompt(ACTIONS);
                match run.ask("> ", WHAT, FLAG) {
                    Err(CliError::NoAnswer { .. }) => return Ok(()),
                    typed => typed?,
                }
            }
        };
        let (word, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed.as_str(), ""));
        if word.is_empty() || word == "q" {
            return Ok(());
        }
        let done = match word {
            "w" => picker::any(run, &mut session).and_then(|chosen| {
                case = chosen;
                steps = brief(run, &mut session, &case)?;
                Ok(())
            }),
            "b" => brief(run, &mut session, &case).map(|shown| steps = shown),
            "d" => done(run, &mut session, &steps, rest.trim()),
            "l" => list(run, &mut session, &case).map(|typed| next = typed),
            _ => act(run, &mut session, &case, word),
        };
        // What was refused is said, and the worker goes on.
        if let Err(error) = done {
            if is_over(&error) {
                return Err(error);
            }
            run.ui.error(&error);
        }
        if matches!(session, Vault::Here(_)) {
            // Nothing but an agent locks by itself: one question, and the vault is shut.
            run.ui
                .hint("`casevault unlock` keeps it open, and this question with it");
            return Ok(());
        }
    }
}

/// Tells whether nothing more is to be asked: Ctrl-C ended a question, the vault is locked, or nobody reads what is printed.
fn is_over(error: &CliError) -> bool {
    matches!(error.exit(), Exit::Interrupted | Exit::Locked) || matches!(error, CliError::ClosedPipe)
}

fn act(run: &Invocation, session: &mut Vault, case: &str, word: &str) -> Result<(), CliError> {
    let case = case.to_owned();
    match word {
        "c" => call::typed(run, session, &case, call::input(None, None)),
        "j" => {
            let text = marks::ask_of_jot(run, run.ask(note::jot::QUESTION, WHAT, FLAG)?)?;
            let case = Some(case);
            let reply = session.jot_add(JotAddRequest { case, text, at: None })?;
            run.ui.made(&reply, "jotted", &reply.jot, "")
        }
        "n" => {
            let kind = kind::ask(run, session, &case)?;
            note::add::written(note::add::AddArgs::of(case.clone(), kind), case, run, session)
        }
        "p" => {
            let purpose = Default::default();
            let reply = session.case_people(CasePeopleRequest { case, purpose })?;
            run.ui.reply(&reply, render::overview::people)
        }
        "s" => {
            let purpose = Default::default();
            let reply = session.case_show(CaseShowRequest {
                case,
                all: false,
                purpose,
            })?;
            run.ui.reply(&reply, render::case::show)
        }
        "t" => {
            let watch = run.watch()?;
            let reply = session.today(TodayRequest::default(), watch.task())?;
            run.ui.reply(&reply, render::overview::today)
        }
        _ => {
            run.ui.prompt("that is none of these letters");
            Ok(())
        }
    }
}

/// Lists the notes, and shows those that are asked for.
fn list(run: &Invocation, session: &mut Vault, case: &str) -> Result<Option<String>, CliError> {
    let request = NoteListRequest {
        case: case.to_owned(),
        ..NoteListRequest::default()
    };
    let notes = session.note_list(request)?;
    run.ui.reply(&notes, render::note::numbered)?;
    open(run, session, &notes)
}

/// Asks which of the notes that were listed is to be read, until Enter alone, and shows it. What is no number is what to do
/// next, and is handed back.
fn open(run: &Invocation, session: &mut Vault, notes: &NoteListReply) -> Result<Option<String>, CliError> {
    while !notes.notes.is_empty() {
        let typed = match run.ask(
            "Which note to read (its number, or a letter of before; Enter for none): ",
            WHAT,
            FLAG,
        ) {
            Err(CliError::NoAnswer { .. }) => return Ok(None),
            typed => typed?,
        };
        if typed.is_empty() {
            return Ok(None);
        }
        let number = typed.parse::<usize>().ok();
        let chosen = number.and_then(|n| notes.notes.get(n.checked_sub(1)?));
        let Some(chosen) = chosen else {
            match number {
                Some(_) => run.ui.prompt(&format!("no note has the number {typed}")),
                // One of the letters of before: it is done.
                None => return Ok(Some(typed)),
            }
            continue;
        };
        let reply = session.note_show(NoteShowRequest {
            note: chosen.head.note.clone(),
            ..NoteShowRequest::default()
        })?;
        run.ui.reply(&reply, render::note::show)?;
    }
    Ok(None)
}

/// Shows the brief, and returns the steps that it numbers, in their order.
fn brief(run: &Invocation, session: &mut Vault, case: &str) -> Result<Vec<Step>, CliError> {
    let (case, purpose) = (case.to_owned(), Default::default());
    let reply = session.case_brief(CaseBriefRequest { case, purpose })?;
    run.ui.reply(&reply, render::overview::brief)?;
    Ok(reply.brief.undone)
}

/// Says of a step that it was carried out: one of the brief by its number there, any other by its handle.
fn done(run: &Invocation, session: &mut Vault, steps: &[Step], step: &str) -> Result<(), CliError> {
    let step = match step {
        "" => run.ask("Which step (its number under \"To be done\", or n-…:5): ", WHAT, FLAG)?,
        step => step.to_owned(),
    };
    let numbered = step.parse::<usize>().ok();
    let chosen = numbered.and_then(|n| steps.get(n.checked_sub(1)?));
    let (note, segment) = match (chosen, numbered) {
        (Some(step), _) => {
            run.ui.prompt(&render::overview::one_step(step));
            (step.note.clone(), Some(step.segment))
        }
        (None, Some(number)) => {
            run.ui
                .prompt(&format!("no step has the number {number}; `b` shows them"));
            return Ok(());
        }
        (None, None) => match crate::cli::value::step(&step) {
            Ok(step) => step,
            Err(why) => {
                run.ui.prompt(&why);
                return Ok(());
            }
        },
    };
    // Nobody is asked for words that are refused then.
    session.plan_done(PlanDoneRequest {
        note: note.clone(),
        segment,
        check: true,
        ..PlanDoneRequest::default()
    })?;
    let outcome = run.ask("What came of it, in a line: ", WHAT, FLAG)?;
    let reply = session.plan_done(PlanDoneRequest {
        note,
        segment,
        outcome: Some(outcome),
        ..PlanDoneRequest::default()
    })?;
    run.ui.reply(&reply, render::overview::done)
}
