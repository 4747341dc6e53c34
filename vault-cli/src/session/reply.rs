//! What a session answers: serialisable results, each of them the documented JSON with its `schema` first.
//!
//! Fields without a value are written as `null`, so that a script can rely on their being there; a note's own fields
//! are the exception, written as the payload writes them.

use super::word;
use super::word::Word;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use vault_core::note::chronology::Entry;
use vault_core::note::decision::Decision;
use vault_core::note::extra::Extra;
use vault_core::note::overview::Overview;
use vault_core::note::{Note, NoteKind, Segment, SegmentKind};

/// The tag of a reply's JSON; written as its first member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema(pub &'static str);

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        word::deserialize(deserializer).map(Self)
    }
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

macro_rules! schemas {
    ($($name:ident = $tag:literal;)+) => {$(
        #[doc = concat!("`", $tag, "`.")]
        pub const $name: Schema = Schema($tag);
    )+};
}

schemas! {
    CASE_CLOSE = "casevault.case.close/1";
    CASE_LIST = "casevault.case.list/1";
    CASE_OPEN = "casevault.case.open/1";
    CASE_SHOW = "casevault.case.show/1";
    CASE_VERIFY = "casevault.case.verify/1";
    CHRONOLOGY_SHOW = "casevault.chronology.show/1";
    DECISION_LIST = "casevault.decision.list/1";
    EXPORT = "casevault.export/1";
    IMPORT = "casevault.import/1";
    INIT = "casevault.init/1";
    LOG_LIST = "casevault.log.list/1";
    LOG_SHOW = "casevault.log.show/1";
    LOG_VERIFY = "casevault.log.verify/1";
    NOTE_ADD = "casevault.note.add/1";
    NOTE_AMEND = "casevault.note.amend/1";
    NOTE_FIND = "casevault.note.find/1";
    NOTE_HISTORY = "casevault.note.history/1";
    NOTE_LIST = "casevault.note.list/1";
    NOTE_SHOW = "casevault.note.show/1";
    NOTE_WITHDRAW = "casevault.note.withdraw/1";
    PASSPHRASE_CHANGE = "casevault.passphrase.change/1";
    STATUS = "casevault.status/1";
    UNLOCK = "casevault.unlock/1";
    VERIFY = "casevault.verify/1";
}

/// The three version numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Of the program.
    #[serde(rename = "crate")]
    pub program: String,
    /// Of the formats.
    pub format: u16,
    /// Of the local store.
    pub store: u32,
}

/// A new vault.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InitReply {
    /// [`INIT`].
    pub schema: Schema,
    /// The agency's id, `a-…`.
    pub agency: String,
    /// The person's handle.
    pub member: String,
    /// This device's handle.
    pub device: String,
    /// The folder that holds it.
    pub home: String,
}

/// What can be told without a passphrase.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatusReply {
    /// [`STATUS`].
    pub schema: Schema,
    /// Whether the folder holds a vault.
    pub initialised: bool,
    /// Whether a passphrase is needed for the next command.
    pub locked: bool,
    /// Whether an agent holds the vault open.
    pub agent: bool,
    /// The number of the agent's process.
    pub agent_process: Option<u32>,
    /// After so many seconds without a command the agent locks.
    pub locks_in_seconds: Option<u64>,
    /// After so many seconds the agent locks at the latest.
    pub at_most_seconds: Option<u64>,
    /// The three version numbers.
    pub versions: Versions,
    /// The folder that holds it.
    pub home: String,
    /// The agency's id, `a-…`.
    pub agency: Option<String>,
    /// The person's handle.
    pub member: Option<String>,
    /// This device's handle.
    pub device: Option<String>,
    /// The cost of trying a passphrase, as `256 MiB, 3 passes, 4 lanes`.
    pub kdf: Option<String>,
    /// Wrong passphrases since the last right one, counted here only.
    pub wrong_tries: u32,
    /// What needs doing, one sentence each (recovery not split, no witness, …).
    pub attention: Vec<String>,
}

/// A passphrase that was right.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnlockReply {
    /// [`UNLOCK`].
    pub schema: Schema,
    /// Whether the vault stays unlocked after this command.
    pub agent: bool,
    /// Wrong passphrases before this one.
    pub wrong_tries: u32,
}

/// A passphrase that was changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PassphraseReply {
    /// [`PASSPHRASE_CHANGE`].
    pub schema: Schema,
    /// How often the keystore has been written.
    pub generation: u64,
}

/// A line of an import that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MalformedLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it, with column and field.
    pub why: String,
}

/// What came in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportReply {
    /// [`IMPORT`].
    pub schema: Schema,
    /// Lines taken (workers, cases and notes).
    pub imported: u64,
    /// Lines that were here already with the same content.
    pub skipped: u64,
    /// Lines that were not taken; if there are any and `--keep-going` was not given, nothing was.
    pub malformed: Vec<MalformedLine>,
    /// Of the imported: workers.
    pub workers: u64,
    /// Of the imported: cases.
    pub cases: u64,
    /// Of the imported: notes.
    pub notes: u64,
    /// Of the imported: new versions of what was here (`--amend`).
    pub amended: u64,
    /// Notes that are dated in the future.
    pub in_future: u64,
}

/// What went out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportReply {
    /// [`EXPORT`].
    pub schema: Schema,
    /// The form.
    #[serde(with = "word")]
    pub format: Word,
    /// Cases written.
    pub cases: u64,
    /// Notes written.
    pub notes: u64,
    /// Bytes written.
    pub bytes: u64,
}

/// A check that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The handle of the case, note, device or stream concerned.
    pub handle: String,
    /// The check's id, `CHK-07`.
    pub check: String,
    /// What failed, in words.
    pub cause: String,
}

/// What was verified, of the whole vault, a case or the access stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VerifyReply {
    /// [`VERIFY`], [`CASE_VERIFY`] or [`LOG_VERIFY`].
    pub schema: Schema,
    /// Links checked.
    pub entries: u64,
    /// Members who signed them.
    pub authors: u64,
    /// Ed25519 signatures checked.
    pub signatures: u64,
    /// Records opened and checked against header, commitment and padding.
    pub opened: u64,
    /// Streams checked.
    pub streams: u64,
    /// What failed; empty if all is well.
    pub failures: Vec<Failure>,
}

/// A new case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseOpenReply {
    /// [`CASE_OPEN`].
    pub schema: Schema,
    /// Its handle.
    pub case: String,
    /// Its whole id.
    pub id: String,
    /// Its id in the system that it came from.
    pub external_id: Option<String>,
    /// The template's id.
    pub template: String,
    /// The template's version.
    pub template_version: u32,
}

/// A case in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseRow {
    /// Its handle.
    pub case: String,
    /// Its id in the system that it came from.
    pub external_id: Option<String>,
    /// `open` or `closed`.
    pub status: String,
    /// How many notes it holds, without the withdrawn.
    pub notes: u64,
    /// What it is called in lists.
    pub label: Option<String>,
    /// Flags shown before a visit (danger, contact).
    pub flags: Vec<String>,
    /// The day on which it was opened.
    pub opened: Option<String>,
    /// The template's id.
    pub template: Option<String>,
    /// The worker named by an import.
    pub worker: Option<String>,
}

/// One's own caseload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseListReply {
    /// [`CASE_LIST`].
    pub schema: Schema,
    /// The cases, in the order in which they came.
    pub cases: Vec<CaseRow>,
}

/// A case's overview.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseShowReply {
    /// [`CASE_SHOW`].
    pub schema: Schema,
    /// The case as in a list.
    #[serde(flatten)]
    pub case: CaseRow,
    /// Its whole id.
    pub id: String,
    /// The profile's fields.
    pub profile: serde_json::Value,
    /// The blocks, in their order; one without items says that nothing is recorded yet.
    #[serde(flatten)]
    pub overview: Overview,
}

/// A closed case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseCloseReply {
    /// [`CASE_CLOSE`].
    pub schema: Schema,
    /// Its handle.
    pub case: String,
    /// `closed`.
    pub status: String,
    /// The day of closing.
    pub closed: String,
    /// The handle of the note that holds the outcome.
    pub note: Option<String>,
}

/// What goes with every note that is shown: where it stands and who stands for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoteHead {
    /// The note's handle.
    pub note: String,
    /// The case's handle.
    pub case: String,
    /// The note's id in the system that it came from.
    pub external_id: Option<String>,
    /// The case's id in the system that it came from.
    pub external_case: Option<String>,
    /// The version shown, from 1.
    pub version: u32,
    /// How many there are.
    pub versions: u32,
    /// When it happened.
    pub occurred_at: Option<String>,
    /// When it was written down.
    pub recorded_at: Option<String>,
    /// How late that was, in words (`1 h 15 m`).
    pub lag: Option<String>,
    /// How late that was, in minutes; below zero if it was written down before it happened.
    pub lag_minutes: Option<i64>,
    /// The worker: who did the work, or the attributed author of an imported note.
    pub author: Option<String>,
    /// That worker's role, where it is known.
    pub role: Option<String>,
    /// The member whose device signed it.
    pub signed_by: String,
    /// `imported, not signed by w003`, for an imported note.
    pub attribution: Option<String>,
    /// What is missing (`segment 3: decision without a reason`).
    pub incomplete: Vec<String>,
}

impl NoteHead {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("note", &self.note)?;
        map.serialize_entry("case", &self.case)?;
        map.serialize_entry("external_id", &self.external_id)?;
        map.serialize_entry("external_case", &self.external_case)?;
        map.serialize_entry("version", &self.version)?;
        map.serialize_entry("versions", &self.versions)?;
        map.serialize_entry("occurred_at", &self.occurred_at)?;
        map.serialize_entry("recorded_at", &self.recorded_at)?;
        map.serialize_entry("lag", &self.lag)?;
        map.serialize_entry("lag_minutes", &self.lag_minutes)?;
        map.serialize_entry("author", &self.author)?;
        map.serialize_entry("role", &self.role)?;
        map.serialize_entry("signed_by", &self.signed_by)?;
        map.serialize_entry("attribution", &self.attribution)?;
        map.serialize_entry("incomplete", &self.incomplete)
    }
}

/// A note with its head. As JSON: the head's members, then the payload's own; the payload's id is `id`.
#[derive(Clone, Debug, PartialEq)]
pub struct NoteView {
    /// Where it stands.
    pub head: NoteHead,
    /// What it says.
    pub content: Note,
}

impl NoteView {
    /// Keeps the segments of some kinds only, and of those the ones whose kind the author confirmed; returns how many
    /// were left out.
    pub fn keep_only(&mut self, kinds: &[SegmentKind]) -> usize {
        keep_only(&mut self.content, kinds)
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.head.write(map)?;
        // Through text, so that unknown fields keep the digits of their numbers.
        let payload = serde_json::to_string(&self.content).map_err(serde::ser::Error::custom)?;
        let payload: Extra = serde_json::from_str(&payload).map_err(serde::ser::Error::custom)?;
        for (name, value) in payload.iter() {
            match name {
                "schema" | "occurred_at" => {}
                "note" => map.serialize_entry("id", value)?,
                _ => map.serialize_entry(name, value)?,
            }
        }
        Ok(())
    }
}

/// Keeps the segments of some kinds only, as [`NoteView::keep_only`].
pub(super) fn keep_only(note: &mut Note, kinds: &[SegmentKind]) -> usize {
    let before = note.segments.len();
    let kept = |s: &Segment| kinds.contains(&s.kind) && !s.default_kind;
    note.segments.retain(kept);
    before - note.segments.len()
}

impl Serialize for NoteView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.write(&mut map)?;
        map.end()
    }
}

/// A note that was saved: `casevault.note.add/1` or `casevault.note.amend/1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoteSavedReply {
    /// [`NOTE_ADD`] or [`NOTE_AMEND`].
    pub schema: Schema,
    /// Its handle.
    pub note: String,
    /// Its whole id.
    pub id: String,
    /// The case's handle.
    pub case: String,
    /// The version saved.
    pub version: u32,
    /// When it happened.
    pub occurred_at: Option<String>,
    /// When it was written down.
    pub recorded_at: String,
    /// How late that was, in words.
    pub lag: Option<String>,
    /// Whether that is later than the template allows and no reason was given.
    pub lag_reason_asked: bool,
    /// The sections in which its parts are kept.
    pub sections: Vec<String>,
    /// What is missing.
    pub incomplete: Vec<String>,
}

/// A quoted segment in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QuoteRow {
    /// The segment's number.
    pub n: u32,
    /// Whose words.
    pub speaker: Option<String>,
    /// The words.
    pub text: String,
}

/// A note in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoteRow {
    /// Where it stands.
    #[serde(flatten)]
    pub head: NoteHead,
    /// Its kind.
    pub kind: NoteKind,
    /// Its section.
    pub section: Option<String>,
    /// How many segments it has.
    pub segments: usize,
    /// Its first words, cut to one line.
    pub summary: String,
    /// Its quotes, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotes: Option<Vec<QuoteRow>>,
}

/// The notes of a case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoteListReply {
    /// [`NOTE_LIST`].
    pub schema: Schema,
    /// The case's handle.
    pub case: String,
    /// The case's id in the system that it came from.
    pub external_id: Option<String>,
    /// The notes, by when they happened.
    pub notes: Vec<NoteRow>,
    /// Days since the client was last quoted; shown to the worker only.
    pub days_since_quoted: Option<i64>,
}

/// One note.
#[derive(Clone, Debug)]
pub struct NoteShowReply {
    /// The note.
    pub view: NoteView,
    /// The version before the one shown, whose words are shown struck; cut by `--only` as the view is.
    pub before: Option<Note>,
    /// How many segments were left out because of `--only`.
    pub left_out: usize,
}

impl Serialize for NoteShowReply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", &NOTE_SHOW)?;
        self.view.write(&mut map)?;
        map.serialize_entry("left_out", &self.left_out)?;
        map.end()
    }
}

/// Every version of a note, the first one first.
#[derive(Clone, Debug, Serialize)]
pub struct NoteHistoryReply {
    /// [`NOTE_HISTORY`].
    pub schema: Schema,
    /// The note's handle.
    pub note: String,
    /// The case's handle.
    pub case: String,
    /// The note's id in the system that it came from.
    pub external_id: Option<String>,
    /// The versions.
    pub versions: Vec<NoteView>,
}

/// A place where a term was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindHit {
    /// The note's handle.
    pub note: String,
    /// The case's handle.
    pub case: String,
    /// The note's id in the system that it came from.
    pub external_id: Option<String>,
    /// When it happened.
    pub occurred_at: Option<String>,
    /// The note's kind.
    pub kind: NoteKind,
    /// The segment's number; none where the hit is in the note's head.
    pub segment: Option<u32>,
    /// What that segment is.
    pub segment_kind: Option<SegmentKind>,
    /// The segment's field that holds it (`text`, `why`, …).
    #[serde(with = "word")]
    pub field: Word,
    /// The words around the hit.
    pub snippet: String,
}

/// Where a term was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoteFindReply {
    /// [`NOTE_FIND`].
    pub schema: Schema,
    /// Notes searched.
    pub searched: u64,
    /// Notes that hold it.
    pub notes: u64,
    /// The hits.
    pub hits: Vec<FindHit>,
}

/// A note that was taken back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoteWithdrawReply {
    /// [`NOTE_WITHDRAW`].
    pub schema: Schema,
    /// Its handle.
    pub note: String,
    /// The case's handle.
    pub case: String,
    /// How many records were erased.
    pub erased: u64,
}

/// An event of the chronology.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChronologyEntry {
    /// What happened, with its note's handle.
    #[serde(flatten)]
    pub entry: Entry,
    /// The note's id in the system that it came from.
    pub external_id: Option<String>,
}

/// A case's chronology.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChronologyReply {
    /// [`CHRONOLOGY_SHOW`].
    pub schema: Schema,
    /// The case's handle.
    pub case: String,
    /// The case's id in the system that it came from.
    pub external_id: Option<String>,
    /// What happened, sorted by when it happened.
    pub entries: Vec<ChronologyEntry>,
}

/// A decision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DecisionRow {
    /// What was decided, with its note's handle.
    #[serde(flatten)]
    pub decision: Decision,
    /// The note's id in the system that it came from.
    pub external_id: Option<String>,
}

/// A case's decisions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DecisionListReply {
    /// [`DECISION_LIST`].
    pub schema: Schema,
    /// The case's handle.
    pub case: String,
    /// The case's id in the system that it came from.
    pub external_id: Option<String>,
    /// The decisions, the incomplete ones first.
    pub decisions: Vec<DecisionRow>,
}

/// An entry of the access stream, opened with the DPO key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its number in the stream.
    pub entry: u64,
    /// The device whose stream it is.
    pub device: String,
    /// When, by the device's clock.
    pub at: Option<String>,
    /// Who.
    pub actor: Option<String>,
    /// What was done: `open`, `list`, `search`, `export`, …
    pub operation: String,
    /// The case concerned.
    pub case: Option<String>,
    /// The purpose's code.
    pub purpose: Option<String>,
    /// The reason, in words.
    pub reason: Option<String>,
    /// The reader's relation to the case.
    pub relation: Option<String>,
    /// The notes concerned.
    pub records: Vec<String>,
    /// The scope, where it is not a list of notes.
    pub scope: Option<String>,
    /// How many records were concerned.
    pub count: Option<u64>,
    /// `allowed` or `denied`.
    pub result: Option<String>,
    /// The hash of the policy set that decided.
    pub policy: Option<String>,
}

/// Entries of the access stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogListReply {
    /// [`LOG_LIST`].
    pub schema: Schema,
    /// How many entries the stream has.
    pub total: u64,
    /// The entries, the newest first.
    pub entries: Vec<LogEntry>,
}

/// One entry of the access stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogShowReply {
    /// [`LOG_SHOW`].
    pub schema: Schema,
    /// The entry.
    #[serde(flatten)]
    pub entry: LogEntry,
    /// The segment that it is in.
    pub segment: u32,
    /// Its place in the segment.
    pub index: u32,
    /// Its link's id.
    pub link: String,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_note_is_head_then_payload_with_the_schema_first() {
        let mut content = Note::new(NoteKind::new("phone").unwrap());
        content.id = "n-0123456789abcdefghjkmnpqrs".into();
        content.segments.push(Segment::new(1, SegmentKind::Observation, "rang"));
        let head = NoteHead {
            note: "n-01234567".into(),
            case: "c-7fk2m9qd".into(),
            external_id: Some("ext-00001-0007".into()),
            external_case: None,
            version: 1,
            versions: 1,
            occurred_at: Some("2026-03-12T14:00:00Z".into()),
            recorded_at: None,
            lag: None,
            lag_minutes: None,
            author: Some("w003".into()),
            role: None,
            signed_by: "m-0kf3aaaa".into(),
            attribution: Some("imported, not signed by w003".into()),
            incomplete: Vec::new(),
        };
        let reply = NoteShowReply {
            view: NoteView { head, content },
            before: None,
            left_out: 0,
        };
        let json = serde_json::to_string(&reply).unwrap();
        assert!(
            json.starts_with(r#"{"schema":"casevault.note.show/1","note":"n-01234567","case":"c-7fk2m9qd","external_id":"ext-00001-0007","#),
            "{json}"
        );
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["id"], "n-0123456789abcdefghjkmnpqrs");
        assert_eq!(value["kind"], "phone");
        assert_eq!(value["segments"][0]["text"], "rang");
        for name in ["\"schema\"", "\"note\"", "\"occurred_at\""] {
            assert_eq!(json.matches(name).count(), 1, "{name} in {json}");
        }
    }
}
