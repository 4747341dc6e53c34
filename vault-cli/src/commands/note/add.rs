//! `casevault note add`.

use clap::Args;
use vault_core::note::NoteKind;

use crate::cli::value;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::request::NoteAddRequest;

use super::InputArgs;

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
///   priv: your own thinking, kept apart and shown to nobody
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

    /// The note.
    #[command(flatten)]
    pub input: InputArgs,
}

pub(super) fn run(args: AddArgs, run: &Invocation) -> Result<(), CliError> {
    let (mut session, note) = super::unlock_and_read(args.input, args.kind, run)?;
    let reply = session.note_add(NoteAddRequest { case: args.case, note })?;
    super::saved(&reply, run)
}
