//! What a session is asked: one struct for each whole user action.
//!
//! Handles come as text, as typed: any unambiguous prefix of an id with its kind's prefix (`c-7fk2`). Times that a
//! worker types (`today 14:00`) come as text too, because the session knows the clock and zone that it records by.

mod agency;
mod member;
mod overview;

pub use agency::*;
pub use member::*;
pub use overview::*;

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

/// Verifies the logs.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct LogVerifyRequest {
    /// Whether the server's log is left out.
    pub offline: bool,
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
    /// Whether the numbers of all refused lines are wanted, beyond those that are named.
    #[serde(default)]
    pub every_refused: bool,
    /// How much of the text is in memory at once.
    #[serde(default)]
    pub pass: ImportPass,
}

/// How an import goes through its lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportPass {
    /// Judges the lines some at a time, and keeps none.
    Check,
    /// Takes the good lines in some at a time: of a file that was checked, or where the others are kept anyway.
    Take,
    /// Reads all of it first, so that nothing is kept where a line is malformed.
    #[default]
    Whole,
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
    /// Whether pages hold what is not for everybody too.
    #[serde(default)]
    pub with_marked: bool,
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

/// Lists what was set aside.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AsideListRequest {}

/// Shows something that was set aside.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AsideShowRequest {
    /// What names it.
    pub aside: String,
    /// Why it is read.
    pub purpose: ReadPurpose,
}

/// Writes a note that was set aside again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AsideRestoreRequest {
    /// What names it.
    pub aside: String,
}

/// Drops something that was set aside.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AsideDiscardRequest {
    /// What names it.
    pub aside: String,
    /// Why, in words.
    pub reason: String,
}

/// Lists the cases of one's own caseload.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseListRequest {
    /// Only cases of this status (`open`, `closed`).
    pub status: Option<String>,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Lists the cases of one's own caseload whose client has one name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseNamesakesRequest {
    /// The names.
    pub names: Vec<String>,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Lists the cases of one's own caseload whose profile names somebody, without being that person's case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseNamingRequest {
    /// The beginning of a word of the name.
    pub name: String,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Shows a case's overview.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseShowRequest {
    /// The case's handle.
    pub case: String,
    /// Everything that a block holds, and not the newest alone.
    #[serde(default)]
    pub all: bool,
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
    /// The code of why it is closed, one that the case's template lists, such as `goals-met`.
    pub reason: Option<String>,
    /// The day of closing; `None` for today.
    pub on: Option<Date>,
}

/// Corrects what is known of a client, as a new version.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseAmendRequest {
    /// The case's handle.
    pub case: String,
    /// A JSON object: each field takes the place of the profile's, `null` takes it away, all others stay.
    pub changes: String,
    /// The day on which the case was opened, if that is to be corrected.
    pub opened: Option<Date>,
    /// Whether it is refused where something is taken away that is told before a visit, so that it can be asked about.
    #[serde(default)]
    pub unless_lost: bool,
}

/// Shows every version of what is known of a client.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseHistoryRequest {
    /// The case's handle.
    pub case: String,
    /// Why.
    pub purpose: ReadPurpose,
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
    /// The version that an amendment was made from, where that is known: a newer one refuses it.
    #[serde(default)]
    pub from_version: Option<u32>,
    /// Whether the text was begun from what the rest says, and typed on: where it says something else, that counts.
    #[serde(default)]
    pub begun: bool,
    /// The mail that it was made of.
    #[serde(default)]
    pub mail: Option<MailMark>,
    /// Whether it is refused where it could be saved, because its author is asked something first: what is amiss is told before.
    #[serde(default)]
    pub pause: bool,
    /// Whether it is refused in the same way where it has plans that only a heading makes plans.
    #[serde(default)]
    pub pause_at_plans: bool,
}

/// Which mail a note was made of: what its program called it, and its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailMark {
    /// SHA-256 of its `Message-ID`, in hex, where it has one.
    pub id: Option<String>,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

/// Adds a note to a case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteAddRequest {
    /// The case's handle.
    pub case: String,
    /// The note.
    pub note: NoteInput,
    /// Other cases that this is a note of as well (one visit, three siblings).
    pub also: Vec<String>,
    /// The draft that this note was, which goes with the saving.
    pub draft: Option<String>,
    /// Whether it is refused where a note of the same words was saved in the last minutes, so that it can be asked about.
    #[serde(default)]
    pub unless_same: bool,
}

/// Makes what an editor opens with for a new note.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteBlankRequest {
    /// The case's handle.
    pub case: String,
    /// What the command line says; its text is not looked at.
    pub note: NoteInput,
    /// The jot that is to become the note.
    pub jot: Option<String>,
    /// The other cases that it is to be a note of as well.
    #[serde(default)]
    pub also: Vec<String>,
}

/// Gives a note's text as an editor opens it, to be amended.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteTextRequest {
    /// The note's handle.
    pub note: String,
}

/// What a draft is to become.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DraftOf {
    /// A new note of the case with this handle.
    Add(String),
    /// A new version of the note with this handle.
    Amend(String),
    /// The note of a case that a jot becomes.
    Expand {
        /// The jot's handle.
        jot: String,
        /// The case's handle.
        case: String,
    },
}

/// Keeps a draft, sealed, in place of what it was before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DraftKeepRequest {
    /// The draft's handle; `None` for a new one.
    pub draft: Option<String>,
    /// What it is to become.
    pub of: DraftOf,
    /// What was typed so far, with what the command line says.
    pub input: NoteInput,
    /// Other cases that it is a note of as well.
    pub also: Vec<String>,
    /// Only where this draft is still there: what an editor left behind brings no draft back that was saved or dropped.
    pub only_if_there: bool,
}

/// Lists drafts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DraftListRequest {
    /// Only those that are to become a note of this case, a new version of this note, or the note of this jot.
    pub of: Option<String>,
}

/// Opens a draft.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DraftShowRequest {
    /// Its handle.
    pub draft: String,
}

/// Drops a draft.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DraftDiscardRequest {
    /// Its handle.
    pub draft: String,
}

/// Keeps a jot: a few words of what happened, to be made a note later.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct JotAddRequest {
    /// The case's handle, where it is known already.
    pub case: Option<String>,
    /// The words.
    pub text: String,
    /// When it happened, as typed; `None` for now.
    pub at: Option<String>,
}

/// Lists jots that wait to be made notes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct JotListRequest {
    /// Only those of this case.
    pub case: Option<String>,
}

/// Drops a jot.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct JotDiscardRequest {
    /// Its handle.
    pub jot: String,
}

/// Makes a jot a note.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteExpandRequest {
    /// The jot's handle.
    pub jot: String,
    /// The case's handle; `None` for the jot's own.
    pub case: Option<String>,
    /// The note.
    pub note: NoteInput,
    /// The draft that this note was, which goes with the saving.
    pub draft: Option<String>,
    /// Refuses it where a note of the same words was saved in the last minutes.
    #[serde(default)]
    pub unless_same: bool,
}

/// Hides a note that stands in the wrong person's file, and puts it into the right one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteMisfiledRequest {
    /// Whether it is refused where the reason names the client of another case, so that it can be asked about.
    #[serde(default)]
    pub unless_named: bool,
    /// The note's handle.
    pub note: String,
    /// The handle of the case that it belongs to.
    pub to: Option<String>,
    /// Why it is misfiled, in words.
    pub reason: String,
}

/// Answers whether a misfiled note was a breach of somebody's data.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BreachAnswerRequest {
    /// The note's handle.
    pub note: String,
    /// The answer, in words.
    pub words: String,
}

/// Lists the misfiled notes of this device whose breach question waits for an answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BreachListRequest {}

/// What a handle names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HandleKind {
    /// What was set aside.
    Aside,
    /// A case.
    Case,
    /// A device that has a log here.
    Device,
    /// A note that is begun.
    Draft,
    /// A few words.
    Jot,
    /// A member of the agency.
    Member,
    /// A note.
    Note,
    /// A step of a plan that nobody has carried out, as `n-…:5`.
    Step,
}

/// Tells the handles that begin as typed, for a shell to complete them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HandlesRequest {
    /// What they name.
    pub kind: HandleKind,
    /// What was typed so far.
    pub typed: String,
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
    /// Only notes that are hidden because they were misfiled; without it none of them.
    pub misfiled: bool,
    /// Those that are hidden because they were misfiled among the others.
    pub all: bool,
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
    /// Shows a note even if it is hidden because it was misfiled.
    pub misfiled: bool,
    /// Whether what was struck is left out.
    #[serde(default)]
    pub clean: bool,
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
    /// Amends the notes of other cases that this one is joined with as well.
    pub others: bool,
    /// The draft that this was, which goes with the saving.
    pub draft: Option<String>,
    /// Whether it is refused where a mark or a danger is lost by it, so that it can be asked about.
    #[serde(default)]
    pub unless_lost: bool,
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
    /// Whether notes that hold the words apart are shown too where others hold them as they stand.
    #[serde(default)]
    pub words: bool,
    /// Only notes of this kind.
    #[serde(default)]
    pub kind: Option<NoteKind>,
    /// Only what happened on or after this day.
    #[serde(default)]
    pub since: Option<Date>,
    /// Only what happened on or before this day.
    #[serde(default)]
    pub until: Option<Date>,
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
    /// Only out of notes of this kind.
    #[serde(default)]
    pub kind: Option<NoteKind>,
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
    /// Only from this day on.
    #[serde(default)]
    pub since: Option<Date>,
    /// Only up to this day.
    #[serde(default)]
    pub until: Option<Date>,
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
    /// The entry's number in its device's stream, as `log list` shows it.
    pub entry: u64,
    /// The device's handle; `None` for this one.
    pub device: Option<String>,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Names the vault's server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServerAddRequest {
    /// Its address, as it was typed.
    pub url: String,
}

/// Asks to follow the server's change events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SyncFeedRequest {}

/// Tells which server the vault has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServerShowRequest {}

/// Forgets the vault's server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServerRemoveRequest {}

/// Attaches a file to a note; its content comes beside this as a stream.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteAttachRequest {
    /// The note's handle.
    pub note: String,
    /// The file's name, at most 255 bytes; kept as it is, sealed.
    pub name: String,
    /// Bytes of content, where they are known, for whoever watches the progress.
    pub length: Option<u64>,
    /// Whether it is the scan or photograph that the note was made from.
    pub as_original: bool,
}

/// Lists the attachments of a note.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteAttachmentsRequest {
    /// The note's handle.
    pub note: String,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Reads an attachment; its content goes out beside the reply as a stream.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteAttachmentRequest {
    /// The note's handle.
    pub note: String,
    /// The attachment's number, from 1, as the list shows it.
    pub number: u32,
    /// Whether a photograph is given untouched, with all that it says of place and time.
    pub original: bool,
    /// Whether one that was taken off is given too.
    #[serde(default)]
    pub removed: bool,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Takes an attachment off a note.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoteDetachRequest {
    /// The note's handle.
    pub note: String,
    /// The attachment's number, from 1, as the list shows it.
    pub number: u32,
    /// Why, in words.
    pub reason: String,
}

/// A recovery card as it was given.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct CardInput {
    /// What it is called in a refusal: its file.
    pub name: String,
    /// Its words, in any case.
    pub words: Vec<String>,
}

impl Drop for CardInput {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.words);
    }
}

impl std::fmt::Debug for CardInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CardInput({}, …)", self.name)
    }
}

/// Shares the recovery key out over cards.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RecoverySplitRequest {
    /// How many cards give the key.
    pub threshold: u8,
    /// How many cards there are.
    pub shares: u8,
    /// The folder that the cards are to be written to, as it is named afterwards should that be cut off.
    pub folder: String,
}

/// Restores a vault out of a backup.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RestoreRequest {
    /// The backup's bytes, where their number is known, for progress.
    pub bytes: Option<u64>,
    /// An erasure ledger, to be replayed before anything opens.
    pub ledger: Option<Vec<u8>>,
    /// Whether a new recovery key is made in any case: for who has lost cards. Those that are left are stale then.
    pub new_recovery_key: bool,
}

/// Verifies one case's stream and records.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseVerifyRequest {
    /// The case's handle.
    pub case: String,
}
