//! `casevault note`.

use clap::{Args, Subcommand};
use vault_core::note::NoteKind;

use crate::agent::Vault;
use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::session::reply::NoteSavedReply;
use crate::session::request::NoteInput;

pub mod add;
pub mod amend;
pub mod find;
pub mod history;
pub mod list;
pub mod show;
pub mod withdraw;

/// The longest note, in bytes of text or JSON.
const LONGEST_NOTE: u64 = 4 << 20;

/// What to do with notes.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum NoteCommand {
    Add(add::AddArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Amend(amend::AmendArgs),
    History(history::HistoryArgs),
    Find(find::FindArgs),
    Withdraw(withdraw::WithdrawArgs),
}

pub(super) fn run(command: NoteCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        NoteCommand::Add(args) => add::run(args, run),
        NoteCommand::Amend(args) => amend::run(args, run),
        NoteCommand::Find(args) => find::run(args, run),
        NoteCommand::History(args) => history::run(args, run),
        NoteCommand::List(args) => list::run(args, run),
        NoteCommand::Show(args) => show::run(args, run),
        NoteCommand::Withdraw(args) => withdraw::run(args, run),
    }
}

/// What is said about a note beside its text.
#[derive(Args, Debug)]
pub struct InputArgs {
    /// When it happened: `2026-03-12 14:00`, `today 14:00`, `yesterday`, `-2h` [default: now, or what the text says]
    #[arg(long, value_name = "TIME", value_parser = value::time, allow_hyphen_values = true)]
    pub at: Option<String>,

    /// How long it lasted: `50m`, `1h30m`
    #[arg(long = "for", value_name = "TIME", value_parser = value::minutes)]
    pub lasting: Option<u32>,

    /// The section of what names none: `core`, `health`, `safeguarding`, `housing`, `finance`, `education` [default: core]
    #[arg(long, value_name = "SECTION", value_parser = value::code)]
    pub section: Option<String>,

    /// The template whose headings the text uses [default: the kind's, else the case's]
    #[arg(long, value_name = "TEMPLATE", value_parser = value::code)]
    pub template: Option<String>,

    /// Why it is recorded late, in words, from a file
    #[arg(long, value_name = "FILE|-")]
    pub lag_file: Option<Source>,

    /// The note, as text or as one JSON object (told apart by content), from a file or from standard input; at most 4 MiB
    #[arg(long, value_name = "FILE|-")]
    pub file: Option<Source>,
}

impl InputArgs {
    /// Reads the note's text and puts together what the session is given.
    fn read(self, kind: Option<NoteKind>, run: &Invocation) -> Result<NoteInput, CliError> {
        let text = run.text(self.file.as_ref(), "the note", LONGEST_NOTE)?;
        let lag_reason = match &self.lag_file {
            Some(source) => Some(
                run.text(Some(source), "the reason for the lag", 4096)?
                    .trim_end()
                    .to_owned(),
            ),
            None => None,
        };
        Ok(NoteInput {
            text,
            kind,
            section: self.section,
            at: self.at,
            duration_minutes: self.lasting,
            template: self.template,
            lag_reason,
        })
    }
}

/// Unlocks and reads a note. What is typed on the terminal is asked for last: a wrong passphrase must not lose it.
fn unlock_and_read(input: InputArgs, kind: Option<NoteKind>, run: &Invocation) -> Result<(Vault, NoteInput), CliError> {
    let source = input.file.clone();
    run.unlock_and_read(source.as_ref(), || input.read(kind, run))
}

/// Prints that a note was saved, and says on standard error what is missing.
fn saved(reply: &NoteSavedReply, run: &Invocation) -> Result<(), CliError> {
    let mut rest = Vec::new();
    if reply.version > 1 {
        rest.push(format!("version {}", reply.version));
    }
    if let Some(occurred) = &reply.occurred_at {
        rest.push(format!("occurred {}", crate::render::time(occurred)));
    }
    let lag = reply.lag.as_ref().map_or(String::new(), |lag| format!(" (lag {lag})"));
    rest.push(format!("recorded {}{lag}", crate::render::time(&reply.recorded_at)));
    run.ui.made(reply, "saved", &reply.note, &rest.join(", "))?;
    if run.ui.is_json() {
        return Ok(());
    }
    for gap in &reply.incomplete {
        run.ui.note(&format!("incomplete: {gap}"));
    }
    if reply.lag_reason_asked {
        run.ui.hint(&format!(
            "it is recorded late: say why with `late: REASON` at the top of the text and `casevault note amend {} --file NOTE`",
            reply.note
        ));
    }
    Ok(())
}
