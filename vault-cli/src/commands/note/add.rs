//! `casevault note add`.

use clap::Args;
use vault_core::note::NoteKind;

use crate::agent::Vault;
use crate::cli::value;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::request::{DraftOf, NoteAddRequest, NoteBlankRequest};
use crate::writing::{self, Writing};

use super::{DraftFlags, InputArgs, OnTerminal};

/// Adds a note to a case
///
/// Each paragraph is a segment of one kind. Without a mark it takes the kind of the template's
/// heading that it stands under, else it is a narrative. A mark at its beginning says otherwise:
///
///   obs: what you saw or heard
///   said client: their very words
///   rep neighbour: what somebody else said
///   int: your opinion; cites: 1 2 below it, indented, names what it rests on
///   act: what was done
///   dec: a decision; why: and options: below it
///   plan: a next step; owner: and due: below it
///   priv: your own thinking, kept apart; no colleague gets it, and your exports as jsonl and json alone hold it
///
/// On a terminal, without `--file`, the editor that VISUAL or EDITOR names opens with the template's
/// headings; its file is in memory alone, and what is written is kept, sealed, every two seconds.
///
/// Braces carry flags: {about mother} {label health} {significant} {third-party}. What is
/// incomplete is saved and named. What the flags say goes before what the text says.
///
/// Example: `casevault note add c-7fk2 --kind home-visit --at "today 14:00" --for 50m --file visit.txt`
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct AddArgs {
    /// The case's handle
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: String,

    /// The kind: `interview`, `home-visit`, `phone`, `meeting`, `office`, `supervision`, `court`, `correspondence`,
    /// `other`, or one that a template defines [default: what the text says]
    #[arg(long, value_name = "KIND", value_parser = value::note_kind)]
    pub kind: Option<NoteKind>,

    /// Other cases that it is a note of as well (one visit, three siblings): each file gets it whole, and no file names
    /// another
    #[arg(long, value_name = "CASE,…", value_delimiter = ',', value_parser = value::case)]
    pub also: Vec<String>,

    /// The note.
    #[command(flatten)]
    pub input: InputArgs,

    /// A draft.
    #[command(flatten)]
    pub drafts: DraftFlags,
}

pub(super) fn run(args: AddArgs, run: &Invocation) -> Result<(), CliError> {
    let case = args.case;
    if args.input.file.is_some() {
        let note = args.input.read(args.kind, run)?;
        let mut session = run.unlock()?;
        let reply = session.note_add(NoteAddRequest {
            case: case.clone(),
            note,
            also: args.also,
            draft: None,
        })?;
        super::saved(&reply, run)?;
        if reply.drafts {
            // The note is saved, whatever comes of telling what else there is.
            let _ = writing::tell_of_drafts(run, &mut session, &case, &format!("casevault note add {case}"));
        }
        return Ok(());
    }
    let mut session = run.unlock_to_write(&args.drafts)?;
    written(AddArgs { case, ..args }, run, &mut session)
}

impl AddArgs {
    /// A note of a case and a kind of which the command line says nothing else.
    pub(crate) fn of(case: String, kind: NoteKind) -> Self {
        Self {
            case,
            kind: Some(kind),
            also: Vec::new(),
            input: InputArgs::default(),
            drafts: DraftFlags::default(),
        }
    }
}

/// Has a note written on the terminal.
pub(crate) fn written(args: AddArgs, run: &Invocation, session: &mut Vault) -> Result<(), CliError> {
    let case = args.case;
    let on_terminal = OnTerminal {
        writing: Writing {
            of: DraftOf::Add(case.clone()),
            input: args.input.read(args.kind, run)?,
            also: args.also,
            blank: String::new(),
            draft: None,
            resume: format!("casevault note add {case}"),
            even_unchanged: false,
            typed: false,
            resumed: false,
            notices: Vec::new(),
        },
        drafts: args.drafts,
        of: case.clone(),
    };
    let reply = on_terminal.write(
        run,
        session,
        |session, note| {
            let (case, note, jot) = (case.clone(), note.clone(), None);
            Ok(session.note_blank(NoteBlankRequest { case, note, jot })?)
        },
        &mut |session, note, also, draft| {
            let case = case.clone();
            session.note_add(NoteAddRequest {
                case,
                note,
                also,
                draft,
            })
        },
    )?;
    match reply {
        Some(reply) => super::saved(&reply, run),
        None => Ok(()),
    }
}
