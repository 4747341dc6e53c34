//! `casevault note misfiled`.

use clap::Args;

use crate::agent::Vault;
use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::render;
use crate::session::SessionError;
use crate::session::request::{BreachAnswerRequest, BreachListRequest, NoteMisfiledRequest, NoteShowRequest};
use crate::unlock_prompt;

/// The longest reason or answer, in bytes.
const LONGEST: u64 = 4096;

/// What stands in for being asked.
const FLAG: &str = "`--file FILE`, or `--file -` for standard input";

/// Asks for the reason.
const WHY: &str = "Why is it misfiled? ";

/// Hides a note that stands in the wrong person's file, and puts it into the right one
///
/// It is hidden at once: no list, search, chronology or export shows it, `note show` only with `--misfiled`. Its words
/// stay in the file, under a signed mark, until a second person has them erased. `--to` puts it into the right case with
/// its times and its worker, at once or later: a note that was hidden without it stands in no file until then. Who opened it on this device is listed, and the question whether it was a breach stays open
/// until it is answered. The reason is free text. Do not name the other
/// person in it: it stays in the wrong file.
///
/// Example: `echo "opened the wrong case" | casevault note misfiled n-19qd --to c-88m0 --file -`
#[derive(Args, Debug)]
pub struct MisfiledArgs {
    /// The note's handle
    #[arg(value_name = "NOTE", value_parser = value::note, required_unless_present = "list")]
    pub note: Option<String>,

    /// The case that it belongs to; of a note that is hidden already, and stands in no file, all that is needed
    #[arg(long, value_name = "CASE", value_parser = value::case, conflicts_with = "list")]
    pub to: Option<String>,

    /// Why it is misfiled, or with `--answer` the answer, from a file or from standard input
    #[arg(long, value_name = "FILE|-", conflicts_with = "list")]
    pub file: Option<Source>,

    /// Answers whether it was a breach of somebody's data
    #[arg(long, conflicts_with_all = ["to", "list"])]
    pub answer: bool,

    /// Lists the misfiled notes whose breach question waits for an answer
    #[arg(long, conflicts_with = "note")]
    pub list: bool,
}

pub(super) fn run(args: MisfiledArgs, run: &Invocation) -> Result<(), CliError> {
    let Some(note) = args.note else {
        let reply = run.unlock()?.breach_list(BreachListRequest {})?;
        return run.ui.reply(&reply, render::writing::breaches);
    };
    let what = if args.answer { "the answer" } else { "the reason" };
    let (mut session, words) = match &args.file {
        Some(source) => {
            let words = run.text(Some(source), what, LONGEST)?;
            (run.unlock()?, words)
        }
        None if args.answer => {
            let words = run.ask("Was it a breach, and what was done? ", what, FLAG)?;
            (run.unlock()?, words)
        }
        None => asked(run, &note, args.to.is_some())?,
    };
    if args.answer {
        let reply = session.breach_answer(BreachAnswerRequest { note, words })?;
        return run.ui.reply(&reply, |reply| {
            let mut said = format!("answered the breach question of {}: it is closed", reply.note);
            if reply.in_no_file {
                said.push('\n');
                said.push_str(&render::writing::in_no_file(&reply.note));
            }
            said
        });
    }
    let (to, reason) = (args.to, words);
    let mut request = NoteMisfiledRequest {
        note,
        to,
        reason,
        unless_named: true,
    };
    let watch = run.watch()?;
    let mut done = session.note_misfiled(request.clone(), watch.task());
    drop(watch);
    while let Err(SessionError::NamesAnother { name, case, instead }) = &done {
        let named = format!(
            "the reason names {name} ({case}): it stays in the record of the case that the note is in, and whoever reads that reads \
             the name"
        );
        if unlock_prompt::can_ask() {
            run.ui.prompt(&format!("{named}\nWithout it: {instead}"));
            match named_on_purpose(run)? {
                Naming::AsTyped => request.unless_named = false,
                // There may be another name in it.
                Naming::Without => request.reason.clone_from(instead),
                Naming::Anew => request.reason = run.ask(WHY, "the reason", FLAG)?,
            }
        } else {
            run.ui.note(&format!("look again: {named}"));
            request.unless_named = false;
        }
        let watch = run.watch()?;
        done = session.note_misfiled(request.clone(), watch.task());
    }
    let reply = done?;
    run.ui.reply(&reply, render::writing::misfiled)
}

/// What is to be done with a reason that names somebody.
enum Naming {
    /// It is taken without the name.
    Without,
    /// It is taken as it was typed.
    AsTyped,
    /// It is typed once more.
    Anew,
}

/// Asks what is to be done with a reason that names somebody, until that is said.
fn named_on_purpose(run: &Invocation) -> Result<Naming, CliError> {
    let question = "Enter: take it without the name; y: keep it as typed; n: type it anew [Enter/y/n] ";
    loop {
        let answer = run.ask(question, "what is to be done with the name", FLAG)?;
        match answer.to_lowercase().as_str() {
            "" => return Ok(Naming::Without),
            "y" | "yes" => return Ok(Naming::AsTyped),
            "n" | "no" => return Ok(Naming::Anew),
            _ => {}
        }
    }
}

/// Shows which note it is, and asks why it is misfiled, unless it was hidden before and its reason given then.
fn asked(run: &Invocation, note: &str, is_filed: bool) -> Result<(Vault, String), CliError> {
    let what = "the reason";
    if !is_filed && !unlock_prompt::can_ask() {
        return Err(CliError::NeedsFlag { what, flag: FLAG });
    }
    let mut session = run.unlock()?;
    let shown = session.note_show(NoteShowRequest {
        note: note.to_owned(),
        misfiled: true,
        ..NoteShowRequest::default()
    })?;
    if shown.view.content.misfiled.is_some() {
        return Ok((session, String::new()));
    }
    if unlock_prompt::can_ask() {
        run.ui.prompt(&render::note::which(&shown.view));
    }
    let reason = run.ask(WHY, what, FLAG)?;
    Ok((session, reason))
}
