//! `casevault note add`.

use clap::Args;
use vault_core::note::NoteKind;

use crate::agent::Vault;
use crate::cli::value;
use crate::commands::start::kind;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::mail::MailFile;
use crate::picker;
use crate::session::SessionError;
use crate::session::reply::NoteSavedReply;
use crate::session::request::{DraftDiscardRequest, DraftOf, NoteAddRequest, NoteAttachRequest, NoteBlankRequest};
use crate::unlock_prompt;
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
/// Braces carry flags: {about mother} {label health} {significant} {third-party}. Two keep a
/// paragraph off the pages that are handed on: {hide-from WHO}, and {withheld GROUND}, whose ground
/// is free text such as `serious harm`, `third party`, `source at risk`, `confidential address`,
/// `legal privilege`. What is incomplete is saved and named. What the flags say goes before what the text says.
///
/// Example: `casevault note add c-7fk2 --kind home-visit --at "today 14:00" --for 50m --file visit.txt`
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct AddArgs {
    /// The case's handle; without it, on a terminal, the name is asked for
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// The kind: `interview`, `home-visit`, `phone`, `meeting`, `office`, `supervision`, `court`, `correspondence`,
    /// `other`, or one that a template defines [default: what the text says; on a terminal it is
    /// asked for]
    #[arg(long, value_name = "KIND", value_parser = value::note_kind)]
    pub kind: Option<NoteKind>,

    /// Other cases that it is a note of as well (one visit, three siblings): each file gets it whole, and no file names
    /// another
    #[arg(long, value_name = "CASE,…", value_delimiter = ',', value_parser = value::case)]
    pub also: Vec<String>,

    /// Files what is attached to an e-mail with the note too, under names that are safe
    #[arg(long, requires = "file")]
    pub attachments: bool,

    /// The note.
    #[command(flatten)]
    pub input: InputArgs,

    /// A draft.
    #[command(flatten)]
    pub drafts: DraftFlags,
}

pub(super) fn run(args: AddArgs, run: &Invocation) -> Result<(), CliError> {
    if args.input.file.is_some() {
        let (note, files, unfiled) = args.input.read_with_files(args.kind, args.attachments, run)?;
        let (mut session, case) = picker::unlock_to_add(run, args.case)?;
        let mut request = NoteAddRequest {
            case: case.clone(),
            also: args.also,
            ..NoteAddRequest::default()
        };
        request.note = super::with_marks(run, note, |note| {
            session.note_add(NoteAddRequest {
                note,
                ..request.clone()
            })
        })?;
        let reply = add_once(run, &mut session, request)?.ok_or(NOT_TWICE)?;
        super::saved(&reply, run)?;
        // Of one that is on file already, what is attached may be filed there.
        match &reply.same_mail {
            Some(note) if !unfiled.is_empty() => run.ui.hint(&format!(
                "what is attached to the mail is not filed with this note; `casevault note attach {note} --list` shows what is filed \
                 with the other"
            )),
            _ => super::tell_of_unfiled(&unfiled, run),
        }
        attach(&files, &reply, run, &mut session)?;
        if reply.drafts {
            // The note is saved, whatever comes of telling what else there is.
            let _ = writing::tell_of_drafts(run, &mut session, &case, &format!("casevault note add {case}"));
        }
        return Ok(());
    }
    let mut session = run.unlock_to_write(&args.drafts)?;
    let case = match args.case {
        Some(case) => case,
        None => picker::case(run, &mut session)?,
    };
    // Of a draft the kind was said when it was begun.
    let is_new = args.drafts.draft.is_none() && args.drafts.discard_draft.is_none();
    let kind = match args.kind {
        None if is_new && args.input.template.is_none() => Some(kind::ask(run, &mut session, &case)?),
        kind => kind,
    };
    let args = AddArgs {
        case: Some(case.clone()),
        kind,
        ..args
    };
    written(args, case, run, &mut session)
}

/// Saves a note; where one of the same words was saved in the last minutes, asks on a terminal whether to save it again.
/// `None` where that was not meant.
pub(in crate::commands) fn add_once(
    run: &Invocation,
    session: &mut Vault,
    request: NoteAddRequest,
) -> Result<Option<NoteSavedReply>, CliError> {
    save_once(run, |unless_same| {
        Ok(session.note_add(NoteAddRequest {
            unless_same,
            ..request.clone()
        })?)
    })
}

/// Saves what `save` saves, which is told whether to refuse what is there already; refused so, it is asked about.
pub(super) fn save_once(
    run: &Invocation,
    mut save: impl FnMut(bool) -> Result<NoteSavedReply, CliError>,
) -> Result<Option<NoteSavedReply>, CliError> {
    let is_asked = unlock_prompt::can_ask();
    let question = match save(is_asked) {
        Err(CliError::Session(SessionError::SameNote { note })) if is_asked => {
            format!("{note} of the same words was saved in the last minutes. Save this too? [y/N] ")
        }
        Err(CliError::Session(SessionError::SameMail { note })) if is_asked => {
            format!("This mail is on the file already, as {note}. File it once more? [y/N] ")
        }
        done => return Ok(Some(done?)),
    };
    match run.confirm(
        &question,
        "whether to save it again",
        "`--file FILE` without a terminal",
    )? {
        true => Ok(Some(save(false)?)),
        false => Ok(None),
    }
}

/// As [`add_once`], of what was typed, which is a draft until it is saved: one that was not meant is dropped with it.
pub(in crate::commands) fn typed_once(
    run: &Invocation,
    session: &mut Vault,
    request: NoteAddRequest,
) -> Result<Option<NoteSavedReply>, SessionError> {
    let draft = request.draft.clone();
    let saved = add_once(run, session, request);
    typed(session, draft, saved)
}

/// What comes of something typed, by what became of its saving.
pub(super) fn typed(
    session: &mut Vault,
    draft: Option<String>,
    saved: Result<Option<NoteSavedReply>, CliError>,
) -> Result<Option<NoteSavedReply>, SessionError> {
    let saved = match saved {
        Ok(saved) => saved,
        Err(CliError::Session(error)) => return Err(error),
        // Nobody answered: it stays a draft.
        Err(_) => return Err(SessionError::Cancelled),
    };
    if let (None, Some(draft)) = (&saved, draft) {
        session.draft_discard(DraftDiscardRequest { draft })?;
    }
    Ok(saved)
}

/// What is said where a note of the same words was not meant to be saved again.
pub(in crate::commands) const NOT_TWICE: CliError = CliError::Nothing {
    what: "nothing was saved a second time",
};

/// Files what was attached to a mail with the note that it became, and with those of other cases that are one with it.
fn attach(files: &[MailFile], reply: &NoteSavedReply, run: &Invocation, session: &mut Vault) -> Result<(), CliError> {
    let others = reply.others.iter().map(|other| other.note.clone());
    for note in [reply.note.clone()]
        .into_iter()
        .chain(others)
        .filter(|_| !files.is_empty())
    {
        let watch = run.watch()?;
        for file in files {
            let request = NoteAttachRequest {
                note: note.clone(),
                name: file.name.clone(),
                length: u64::try_from(file.content.len()).ok(),
                as_original: false,
            };
            let done = session.note_attach(&mut file.content.as_slice(), request, watch.task());
            done.inspect_err(|_| {
                run.ui.note(&format!(
                    "the note {note} is saved, and not all that the mail holds is attached to it: `casevault note attach {note} --list`"
                ));
            })?;
        }
        drop(watch);
        run.ui.note(&format!(
            "attached to {note}: {}",
            crate::render::count(files.len() as u64, "file of the mail", "files of the mail")
        ));
    }
    Ok(())
}

impl AddArgs {
    /// A note of a case and a kind of which the command line says nothing else.
    pub(crate) fn of(case: String, kind: NoteKind) -> Self {
        Self {
            case: Some(case),
            kind: Some(kind),
            also: Vec::new(),
            attachments: false,
            input: InputArgs::default(),
            drafts: DraftFlags::default(),
        }
    }
}

/// Has a note written on the terminal.
pub(crate) fn written(args: AddArgs, case: String, run: &Invocation, session: &mut Vault) -> Result<(), CliError> {
    let others = args.also.clone();
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
        case: Some(case.clone()),
        drafts: args.drafts,
        of: case.clone(),
    };
    let reply = on_terminal.write(
        run,
        session,
        |session, note| {
            let request = NoteBlankRequest {
                case: case.clone(),
                note: note.clone(),
                jot: None,
                also: others,
            };
            Ok(session.note_blank(request)?)
        },
        &mut |session, note, also, draft| {
            let request = NoteAddRequest {
                case: case.clone(),
                note,
                also,
                draft,
                unless_same: false,
            };
            typed_once(run, session, request)
        },
    )?;
    match reply {
        Some(reply) => super::saved(&reply.ok_or(NOT_TWICE)?, run),
        None => Ok(()),
    }
}
