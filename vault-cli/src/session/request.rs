//! What a session is asked: one struct for each whole user action.
//!
//! Handles come as text, as typed: any unambiguous prefix of an id with its kind's prefix (`c-7fk2`). Times that a
//! worker types (`today 14:00`) come as text too, because the session knows the clock and zone that it records by.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use vault_core::crypto::passphrase::Cost;
use vault_core::note::{NoteKind, SegmentKind};

/// Why somebody reads: a purpose code, and words where the code needs them. Empty: the relation's own purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadPurpose {
    /// A code such as `casework` or `oversight`; `None` for the relation's own.
    pub code: Option<String>,
    /// A reason in words, at most 240 bytes of UTF-8.
    pub reason: Option<String>,
}

/// Makes a one-person vault.
#[derive(Clone, Debug)]
pub struct InitRequest {
    /// The agency's name.
    pub agency: String,
    /// The name of the person whose vault it is.
    pub name: String,
    /// The cost of trying a passphrase.
    pub cost: Cost,
}

/// Takes lines of JSON in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ImportRequest {
    /// Whether the good lines are kept when some are malformed; without it nothing is kept then.
    pub keep_going: bool,
    /// Whether a line whose id is here already with another content becomes a new version instead of being refused.
    pub amend: bool,
    /// The length of the input in bytes, where it is known, for progress.
    pub bytes: Option<u64>,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum, Serialize, Deserialize)]
pub enum ExportFormat {
    /// One self-contained HTML page.
    Html,
    /// One JSON document.
    Json,
    /// The very lines that `import` takes.
    Jsonl,
    /// Markdown.
    Markdown,
}

impl ExportFormat {
    /// Names the form as the command line does.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Markdown => "markdown",
        }
    }
}

/// Writes a worker's own copy of a case, or of all cases.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportRequest {
    /// The case's handle; `None` for every case.
    pub case: Option<String>,
    /// The form.
    pub format: ExportFormat,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Opens a case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseOpenRequest {
    /// The template's id.
    pub template: String,
    /// The client's profile: a JSON object, or a whole case line as `import` takes it.
    pub profile: String,
    /// The day on which the case was opened; `None` for today, or for what the case line says.
    pub opened: Option<Date>,
}

/// Lists the cases of one's own caseload.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseListRequest {
    /// Only cases of this status (`open`, `closed`).
    pub status: Option<String>,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Shows a case's overview.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseShowRequest {
    /// The case's handle.
    pub case: String,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Closes a case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseCloseRequest {
    /// The case's handle.
    pub case: String,
    /// The outcome, in words.
    pub outcome: Option<String>,
    /// The day of closing; `None` for today.
    pub on: Option<Date>,
}

/// A note as typed, with what the command line says about it, which goes before what the text says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteInput {
    /// The text form or one JSON object, told apart by content.
    pub text: String,
    /// The kind.
    pub kind: Option<NoteKind>,
    /// The section of segments that name none.
    pub section: Option<String>,
    /// When it happened, as typed: `2026-03-12 14:00`, `today 14:00`, `-2h`.
    pub at: Option<String>,
    /// How long it lasted, in minutes.
    pub duration_minutes: Option<u32>,
    /// The template's id; `None` for the kind's or the case's own.
    pub template: Option<String>,
    /// Why it is recorded late.
    pub lag_reason: Option<String>,
}

/// Adds a note to a case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteAddRequest {
    /// The case's handle.
    pub case: String,
    /// The note.
    pub note: NoteInput,
}

/// Lists the notes of a case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteListRequest {
    /// The case's handle.
    pub case: String,
    /// Only notes of this kind. One that no template defines and no note has is refused.
    pub kind: Option<NoteKind>,
    /// Only notes that touch this section.
    pub section: Option<String>,
    /// Only what happened on or after this day.
    pub since: Option<Date>,
    /// Only what happened on or before this day.
    pub until: Option<Date>,
    /// Only notes that quote, with the quotes.
    pub quotes: bool,
    /// Only notes of which something is missing (a decision without its reason).
    pub incomplete: bool,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Shows one note.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteShowRequest {
    /// The note's handle.
    pub note: String,
    /// The version, from 1; `None` for the newest.
    pub version: Option<u32>,
    /// Only segments of these kinds; empty for all. Segments whose kind the author did not confirm are left out.
    pub only: Vec<SegmentKind>,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Writes a new version of a note.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteAmendRequest {
    /// The note's handle.
    pub note: String,
    /// The whole note as it should read.
    pub input: NoteInput,
}

/// Shows every version of a note.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteHistoryRequest {
    /// The note's handle.
    pub note: String,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Finds notes that hold a term.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteFindRequest {
    /// The case's handle; `None` for every case.
    pub case: Option<String>,
    /// What is looked for, without its final line break.
    pub term: String,
    /// At most this many hits; `None` for all.
    pub limit: Option<usize>,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Takes back a note that is not published yet and at most ten minutes old.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteWithdrawRequest {
    /// The note's handle.
    pub note: String,
}

/// Shows what was significant, in the order in which it happened.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ChronologyRequest {
    /// The case's handle.
    pub case: String,
    /// Only from this day on.
    pub since: Option<Date>,
    /// Only up to this day.
    pub until: Option<Date>,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Lists decisions, the incomplete ones first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DecisionListRequest {
    /// The case's handle.
    pub case: String,
    /// Only those of which something is missing.
    pub incomplete: bool,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Lists the entries of this device's access stream, the newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LogListRequest {
    /// Only entries about this case.
    pub case: Option<String>,
    /// Only from this day on.
    pub since: Option<Date>,
    /// At most this many; `None` for all.
    pub limit: Option<usize>,
    /// Why: reading the log is itself logged.
    pub purpose: ReadPurpose,
}

/// Shows one entry of the access stream.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LogShowRequest {
    /// The entry's number in the stream, as `log list` shows it.
    pub entry: u64,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Verifies one case's stream and records.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseVerifyRequest {
    /// The case's handle.
    pub case: String,
}
