//! `casevault call`.

use clap::Args;
use vault_core::note::NoteKind;

use crate::agent::Vault;
use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::picker;
use crate::session::request::{DraftOf, NoteAddRequest, NoteInput};
use crate::writing::{self, Writing};

use super::note::{self, InputArgs};

/// Notes a call in a few keystrokes: whose case, by name, and what was said
///
/// The name, or a beginning of it, is typed at a prompt, never on the command line; the text follows, to Ctrl-D. With
/// `alias cv=casevault` in the shell, `cv c` is the whole command. It is a note of the kind `phone`, now; `note add` says
/// all else. With case and `--file` nothing is asked.
///
/// Example: `casevault call c-7fk2 --file -`
#[derive(Args, Debug)]
#[command(visible_alias = "c")]
pub struct CallArgs {
    /// The case's handle; without it, the name is asked for
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// When it happened [default: now]
    #[arg(long, value_name = "TIME", value_parser = value::time, allow_hyphen_values = true)]
    pub at: Option<String>,

    /// How long it lasted: `50m`, `1h30m`
    #[arg(long = "for", value_name = "TIME", value_parser = value::minutes)]
    pub lasting: Option<u32>,

    /// What was said, from a file or from standard input
    #[arg(long, value_name = "FILE|-")]
    pub file: Option<Source>,
}

pub(super) fn run(args: CallArgs, run: &Invocation) -> Result<(), CliError> {
    let input = input(args.at, args.lasting);
    if let Some(source) = args.file {
        let flags = InputArgs {
            file: Some(source),
            ..InputArgs::default()
        };
        let text = flags.read(None, run)?.text;
        let mut session = run.unlock()?;
        let case = match args.case {
            Some(case) => case,
            None => picker::case(run, &mut session)?,
        };
        let input = note::with_marks(run, NoteInput { text, ..input }, |input| {
            session.note_add(add(case.clone(), input, None))
        })?;
        let reply = note::add::add_once(run, &mut session, add(case, input, None))?;
        return note::saved(&reply.ok_or(note::add::NOT_TWICE)?, run);
    }
    let mut session = run.unlock_to_ask("the note", "`--file FILE`, or `--file -` for standard input")?;
    let case = match args.case {
        Some(case) => case,
        None => picker::case(run, &mut session)?,
    };
    typed(run, &mut session, &case, input)
}

/// Says of a note that it is of a call.
pub(crate) fn input(at: Option<String>, lasting: Option<u32>) -> NoteInput {
    NoteInput {
        kind: NoteKind::new("phone"),
        at,
        duration_minutes: lasting,
        ..NoteInput::default()
    }
}

fn add(case: String, note: NoteInput, draft: Option<String>) -> NoteAddRequest {
    NoteAddRequest {
        case,
        note,
        also: Vec::new(),
        draft,
        unless_same: false,
    }
}

/// Has a note typed on the terminal.
pub(crate) fn typed(run: &Invocation, session: &mut Vault, case: &str, input: NoteInput) -> Result<(), CliError> {
    let case = case.to_owned();
    let resume = format!("casevault note add {case}");
    note::warn(run, session, &case)?;
    // One that was cut off is told of before the next is typed.
    writing::tell_of_drafts(run, session, &case, &resume)?;
    let writing = Writing {
        of: DraftOf::Add(case.clone()),
        input,
        also: Vec::new(),
        blank: String::new(),
        draft: None,
        resume,
        even_unchanged: false,
        typed: true,
        resumed: false,
        notices: Vec::new(),
    };
    let reply = writing.write(run, session, &mut |session, note, draft| {
        note::add::typed_once(run, session, add(case.clone(), note, draft))
    })?;
    note::saved(&reply.ok_or(note::add::NOT_TWICE)?, run)
}
