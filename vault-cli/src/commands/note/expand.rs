//! `casevault note expand`.

use clap::Args;
use vault_core::note::NoteKind;

use crate::cli::value;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::picker;
use crate::session::SessionError;
use crate::session::request::{DraftOf, JotListRequest, NoteBlankRequest, NoteExpandRequest};
use crate::writing::Writing;

use super::{DraftFlags, InputArgs, OnTerminal};

/// Makes a jot a note
///
/// On a terminal the editor opens with the jot's words. What happened happened when the jot says, unless the text says
/// otherwise, and the note says when it was jotted. The jot goes when the note is saved, and not before.
#[derive(Args, Debug)]
pub struct ExpandArgs {
    /// The jot's handle
    #[arg(value_name = "JOT", value_parser = value::jot)]
    pub jot: String,

    /// The case that it is a note of [default: the jot's own]
    #[arg(long, value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// The kind [default: what the text says]
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
    let jot = args.jot;
    if args.input.file.is_some() {
        let note = args.input.read(args.kind, run)?;
        let mut session = run.unlock()?;
        let note = super::with_marks(run, note)?;
        let reply = session.note_expand(NoteExpandRequest {
            jot,
            case: args.case,
            note,
            draft: None,
        })?;
        return super::saved(&reply, run);
    }
    let mut session = run.unlock_to_write(&args.drafts)?;
    let case = match args.case {
        Some(case) => case,
        None => {
            let jots = session.jot_list(JotListRequest::default())?.jots;
            let found = jots
                .into_iter()
                .find(|known| known.jot.starts_with(&jot) || jot.starts_with(&known.jot));
            let not_found = || SessionError::NotFound {
                what: "jot",
                text: jot.clone(),
            };
            match found.ok_or_else(not_found)?.case {
                Some(case) => case,
                None => {
                    run.ui.prompt("This jot names no case.");
                    picker::case(run, &mut session)?
                }
            }
        }
    };
    let on_terminal = OnTerminal {
        writing: Writing {
            of: DraftOf::Expand {
                jot: jot.clone(),
                case: case.clone(),
            },
            input: args.input.read(args.kind, run)?,
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
            let (case, note, jot) = (case.clone(), note.clone(), Some(jot.clone()));
            Ok(session.note_blank(NoteBlankRequest { case, note, jot })?)
        },
        &mut |session, note, _, draft| {
            let (jot, case) = (jot.clone(), Some(case.clone()));
            session.note_expand(NoteExpandRequest { jot, case, note, draft })
        },
    )?;
    match reply {
        Some(reply) => super::saved(&reply, run),
        None => Ok(()),
    }
}
