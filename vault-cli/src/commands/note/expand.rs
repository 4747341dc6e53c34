//! `casevault note expand`.

use clap::Args;
use vault_core::note::{NoteKind, text};

use crate::agent::Vault;
use crate::cli::value;
use crate::commands::start::kind;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::picker;
use crate::render;
use crate::session::SessionError;
use crate::session::reply::{JotRow, NoteSavedReply};
use crate::session::request::{DraftOf, JotListRequest, NoteBlankRequest, NoteExpandRequest};
use crate::writing::Writing;

use super::add::{NOT_TWICE, save_once, typed};
use super::{DraftFlags, InputArgs, OnTerminal};

const JOT: &str = "the jot";
const JOT_FLAG: &str = "its handle: `casevault note jot --list` shows the handles";

/// Makes a jot a note
///
/// On a terminal the editor opens with the jot's words. What happened happened when the jot says, unless the text says
/// otherwise, and the note says when it was jotted. The jot goes when the note is saved, and not before.
#[derive(Args, Debug)]
pub struct ExpandArgs {
    /// The jot's handle; without it, on a terminal, the jots that wait are shown, to choose one
    #[arg(value_name = "JOT", value_parser = value::jot)]
    pub jot: Option<String>,

    /// The case that it is a note of [default: the jot's own]
    #[arg(long, value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// The kind [default: what the text says; on a terminal it is asked for]
    #[arg(long, value_name = "KIND", value_parser = value::note_kind)]
    pub kind: Option<NoteKind>,

    /// The note.
    #[command(flatten)]
    pub input: InputArgs,

    /// A draft.
    #[command(flatten)]
    pub drafts: DraftFlags,
}

pub(super) fn run(args: ExpandArgs, run: &Invocation) -> Result<(), CliError> {
    if args.input.file.is_some() {
        let note = args.input.read(args.kind, run)?;
        let (mut session, jot) = match args.jot {
            Some(jot) => (run.unlock()?, jot),
            None => {
                let mut session = run.unlock_to_ask(JOT, JOT_FLAG)?;
                let jot = chosen(run, &mut session)?;
                (session, jot)
            }
        };
        let mut request = NoteExpandRequest {
            jot,
            case: args.case,
            ..NoteExpandRequest::default()
        };
        request.note = super::with_marks(run, note, |note| {
            session.note_expand(NoteExpandRequest {
                note,
                ..request.clone()
            })
        })?;
        let reply = expand_once(run, &mut session, request)?;
        return super::saved(&reply.ok_or(NOT_TWICE)?, run);
    }
    let mut session = run.unlock_to_write(&args.drafts)?;
    let jot = match args.jot {
        Some(jot) => jot,
        None => chosen(run, &mut session)?,
    };
    let case = match args.case {
        Some(case) => case,
        None => match named(&mut session, &jot)?.case {
            Some(case) => case,
            None => {
                run.ui.prompt("This jot names no case.");
                picker::case(run, &mut session)?
            }
        },
    };
    // Of a draft the kind was said when it was begun, and a jot may say it itself.
    let is_new = args.drafts.draft.is_none() && args.drafts.discard_draft.is_none();
    let kind = match args.kind {
        None if is_new && args.input.template.is_none() && !says_kind(&mut session, &jot)? => {
            Some(kind::ask(run, &mut session, &case)?)
        }
        kind => kind,
    };
    let on_terminal = OnTerminal {
        writing: Writing {
            of: DraftOf::Expand {
                jot: jot.clone(),
                case: case.clone(),
            },
            input: args.input.read(kind, run)?,
            also: Vec::new(),
            blank: String::new(),
            draft: None,
            resume: format!("casevault note expand {jot}"),
            even_unchanged: false,
            typed: false,
            resumed: false,
            notices: Vec::new(),
        },
        case: Some(case.clone()),
        drafts: args.drafts,
        of: jot.clone(),
    };
    let reply = on_terminal.write(
        run,
        &mut session,
        |session, note| {
            let request = NoteBlankRequest {
                case: case.clone(),
                note: note.clone(),
                jot: Some(jot.clone()),
                also: Vec::new(),
            };
            Ok(session.note_blank(request)?)
        },
        &mut |session, note, _, draft| {
            let request = NoteExpandRequest {
                jot: jot.clone(),
                case: Some(case.clone()),
                note,
                draft,
                unless_same: false,
            };
            let draft = request.draft.clone();
            let saved = expand_once(run, session, request);
            typed(session, draft, saved)
        },
    )?;
    match reply {
        Some(reply) => super::saved(&reply.ok_or(NOT_TWICE)?, run),
        None => Ok(()),
    }
}

/// Finds the jot that waits by what was typed of its handle.
fn named(session: &mut Vault, jot: &str) -> Result<JotRow, CliError> {
    let mut jots = session.jot_list(JotListRequest::default())?.jots.into_iter();
    let found = jots.find(|known| known.jot.starts_with(jot) || jot.starts_with(&known.jot));
    let not_found = || SessionError::NotFound {
        what: "jot",
        text: jot.to_owned(),
    };
    Ok(found.ok_or_else(not_found)?)
}

/// Tells whether a jot says in its first lines of what kind the note is.
fn says_kind(session: &mut Vault, jot: &str) -> Result<bool, CliError> {
    Ok(text::said_kind(&named(session, jot)?.text).is_some())
}

/// Asks which of the jots that wait is meant.
fn chosen(run: &Invocation, session: &mut Vault) -> Result<String, CliError> {
    let jots = session.jot_list(JotListRequest::default())?.jots;
    if jots.is_empty() {
        let what = "no jot waits to be expanded";
        return Err(CliError::Nothing { what });
    }
    let lines = jots.iter().zip(1..);
    let lines: Vec<String> = lines
        .map(|(jot, n)| format!("{n:>3}  {}", render::writing::jot(jot)))
        .collect();
    run.ui.prompt(&lines.join("\n"));
    loop {
        let typed = run.ask("Which jot (its number): ", JOT, JOT_FLAG)?;
        let chosen = typed.parse::<usize>().ok().and_then(|n| jots.get(n.checked_sub(1)?));
        match chosen {
            Some(jot) => return Ok(jot.jot.clone()),
            None => run.ui.hint("write one of the numbers; Ctrl-D leaves it"),
        }
    }
}

/// Makes the jot a note; where one of the same words was saved in the last minutes, asks on a terminal whether to save it
/// again. `None` where that was not meant.
fn expand_once(
    run: &Invocation,
    session: &mut Vault,
    request: NoteExpandRequest,
) -> Result<Option<NoteSavedReply>, CliError> {
    save_once(run, |unless_same| {
        Ok(session.note_expand(NoteExpandRequest {
            unless_same,
            ..request.clone()
        })?)
    })
}
