//! `casevault note amend`.

use clap::Args;
use vault_core::note::NoteKind;

use crate::cli::value;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::request::NoteAmendRequest;

use super::InputArgs;

/// Writes a new version of a note; the old one stays and is shown struck
///
/// Give the whole note as it should read. What flags and text leave out (kind, times, section) stays as it was.
#[derive(Args, Debug)]
pub struct AmendArgs {
    /// The note's handle
    #[arg(value_name = "NOTE", value_parser = value::note)]
    pub note: String,

    /// Another kind
    #[arg(long, value_name = "KIND", value_parser = value::note_kind)]
    pub kind: Option<NoteKind>,

    /// The note.
    #[command(flatten)]
    pub input: InputArgs,
}

pub(super) fn run(args: AmendArgs, run: &Invocation) -> Result<(), CliError> {
    let (mut session, input) = super::unlock_and_read(args.input, args.kind, run)?;
    let reply = session.note_amend(NoteAmendRequest { note: args.note, input })?;
    super::saved(&reply, run)
}
