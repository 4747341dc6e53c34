//! `casevault note amend`.

use clap::Args;
use vault_core::note::NoteKind;

use crate::agent::Vault;
use crate::cli::value;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::marks;
use crate::session::SessionError;
use crate::session::reply::NoteSavedReply;
use crate::session::request::{DraftOf, NoteAmendRequest, NoteTextRequest};
use crate::writing::{self, Writing};

use super::{DraftFlags, InputArgs, OnTerminal};

/// Writes a new version of a note; the old one stays and is shown struck
///
/// Give the whole note as it should read; on a terminal, without `--file`, the editor opens with it. What flags and text leave out (kind, times, section) stays as it was.
#[derive(Args, Debug)]
pub struct AmendArgs {
    /// The note's handle
    #[arg(value_name = "NOTE", value_parser = value::note)]
    pub note: String,

    /// Another kind
    #[arg(long, value_name = "KIND", value_parser = value::note_kind)]
    pub kind: Option<NoteKind>,

    /// Gives the same text to the notes of other cases that are one with this one (`note add --also`)
    #[arg(long)]
    pub others: bool,

    /// The version that the file was made from, as `note show` says it (the first has no such line); a note that has a newer
    /// one by now is not amended [default: none, and what the file takes back of newer ones is told]
    #[arg(long, value_name = "VERSION", requires = "file", value_parser = clap::value_parser!(u32).range(1..))]
    pub of: Option<u32>,

    /// The note.
    #[command(flatten)]
    pub input: InputArgs,

    /// A draft.
    #[command(flatten)]
    pub drafts: DraftFlags,
}

/// Amends a note; what it would lose is asked about first.
fn amend(run: &Invocation, session: &mut Vault, request: &NoteAmendRequest) -> Result<NoteSavedReply, CliError> {
    marks::ask_of_loss(run, |unless_lost| {
        Ok(session.note_amend(NoteAmendRequest {
            unless_lost,
            ..request.clone()
        })?)
    })
}

pub(super) fn run(args: AmendArgs, run: &Invocation) -> Result<(), CliError> {
    let (note, others) = (args.note, args.others);
    if args.input.file.is_some() {
        let mut input = args.input.read(args.kind, run)?;
        input.from_version = args.of;
        let mut session = run.unlock()?;
        let mut request = NoteAmendRequest {
            note: note.clone(),
            others,
            ..NoteAmendRequest::default()
        };
        request.input = super::with_marks(run, input, |input| {
            session.note_amend(NoteAmendRequest {
                input,
                ..request.clone()
            })
        })?;
        let reply = amend(run, &mut session, &request)?;
        super::saved(&reply, run)?;
        if reply.drafts {
            // The note is saved, whatever comes of telling what else there is.
            let _ = writing::tell_of_drafts(run, &mut session, &note, &format!("casevault note amend {note}"));
        }
        return Ok(());
    }
    let mut session = run.unlock_to_write(&args.drafts)?;
    let on_terminal = OnTerminal {
        writing: Writing {
            of: DraftOf::Amend(note.clone()),
            input: args.input.read(args.kind, run)?,
            also: Vec::new(),
            blank: String::new(),
            draft: None,
            resume: format!("casevault note amend {note}"),
            even_unchanged: others,
            typed: false,
            resumed: false,
            notices: Vec::new(),
        },
        case: None,
        drafts: args.drafts,
        of: note.clone(),
    };
    let reply = on_terminal.write(
        run,
        &mut session,
        |session, _| Ok(session.note_text(NoteTextRequest { note: note.clone() })?),
        &mut |session, input, _, draft| {
            let request = NoteAmendRequest {
                note: note.clone(),
                input,
                others,
                draft,
                unless_lost: false,
            };
            match amend(run, session, &request) {
                Ok(saved) => Ok(saved),
                Err(CliError::Session(error)) => Err(error),
                // Nobody answered: it stays a draft.
                Err(_) => Err(SessionError::Cancelled),
            }
        },
    )?;
    match reply {
        Some(reply) => super::saved(&reply, run),
        None => Ok(()),
    }
}
