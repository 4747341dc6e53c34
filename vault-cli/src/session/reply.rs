//! What a session answers: serialisable results, each of them the documented JSON with its `schema` first.
//!
//! Fields without a value are written as `null`, so that a script can rely on their being there; a note's own fields
//! are the exception, written as the payload writes them.

mod agency;
mod member;
mod overview;

pub use agency::*;
pub use member::*;
pub use overview::*;

use super::undoing::Struck;
use super::undoing::Undoes;
use super::word;
use super::word::Word;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use vault_core::note::chronology::Entry;
use vault_core::note::decision::Decision;
use vault_core::note::extra::Extra;
use vault_core::note::mark::Marks;
use vault_core::note::overview::Overview;
use vault_core::note::plan::Step;
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
    AGENCY_ENDORSE = "casevault.agency.endorse/1";
    AGENCY_PROPOSAL = "casevault.agency.proposal/1";
    AGENCY_PROPOSE = "casevault.agency.propose/1";
    AGENCY_SHOW = "casevault.agency.show/1";
    BACKUP_CREATE = "casevault.backup.create/1";
    BACKUP_LEDGER = "casevault.backup.ledger/1";
    BACKUP_RESTORE = "casevault.backup.restore/1";
    CASE_AMEND = "casevault.case.amend/1";
    CASE_BRIEF = "casevault.case.brief/1";
    CASE_CLOSE = "casevault.case.close/1";
    CASE_HISTORY = "casevault.case.history/1";
    CASE_LIST = "casevault.case.list/1";
    CASE_NAMESAKES = "casevault.case.namesakes/1";
    CASE_NAMING = "casevault.case.naming/1";
    CASE_OPEN = "casevault.case.open/1";
    CASE_PEOPLE = "casevault.case.people/1";
    CASE_REOPEN = "casevault.case.reopen/1";
    CASE_SHOW = "casevault.case.show/1";
    CASE_STALE = "casevault.case.stale/1";
    CASE_VERIFY = "casevault.case.verify/1";
    CHRONOLOGY_SHOW = "casevault.chronology.show/1";
    DECISION_LIST = "casevault.decision.list/1";
    BREACH_ANSWER = "casevault.breach.answer/1";
    BREACH_LIST = "casevault.breach.list/1";
    DRAFT_DISCARD = "casevault.draft.discard/1";
    DRAFT_KEEP = "casevault.draft.keep/1";
    DRAFT_LIST = "casevault.draft.list/1";
    DRAFT_SHOW = "casevault.draft.show/1";
    EXPORT = "casevault.export/1";
    HANDLES = "casevault.handles/1";
    IMPORT = "casevault.import/1";
    INIT = "casevault.init/1";
    JOT_ADD = "casevault.jot.add/1";
    JOT_DISCARD = "casevault.jot.discard/1";
    JOT_LIST = "casevault.jot.list/1";
    ASIDE_DISCARD = "casevault.note.aside.discard/1";
    ASIDE_LIST = "casevault.note.aside/1";
    ASIDE_RESTORE = "casevault.note.aside.restore/1";
    ASIDE_SHOW = "casevault.note.aside.show/1";
    LOG_LIST = "casevault.log.list/1";
    LOG_SHOW = "casevault.log.show/1";
    LOG_VERIFY = "casevault.log.verify/1";
    NOTE_ADD = "casevault.note.add/1";
    NOTE_AMEND = "casevault.note.amend/1";
    NOTE_ATTACH = "casevault.note.attach/1";
    NOTE_ATTACHMENT = "casevault.note.attach.get/1";
    NOTE_ATTACHMENTS = "casevault.note.attach.list/1";
    NOTE_BLANK = "casevault.note.blank/1";
    NOTE_DETACH = "casevault.note.attach.remove/1";
    NOTE_EXPAND = "casevault.note.expand/1";
    NOTE_FIND = "casevault.note.find/1";
    NOTE_HISTORY = "casevault.note.history/1";
    NOTE_LIST = "casevault.note.list/1";
    NOTE_MISFILED = "casevault.note.misfiled/1";
    NOTE_SHOW = "casevault.note.show/1";
    NOTE_TEXT = "casevault.note.text/1";
    NOTE_WITHDRAW = "casevault.note.withdraw/1";
    PASSPHRASE_CHANGE = "casevault.passphrase.change/1";
    PLAN_DONE = "casevault.plan.done/1";
    PLAN_LIST = "casevault.plan.list/1";
    DEVICE_ADD = "casevault.device.add/1";
    DEVICE_APPROVE = "casevault.device.approve/1";
    DEVICE_JOIN = "casevault.device.join/1";
    DEVICE_LIST = "casevault.device.list/1";
    DEVICE_LOST = "casevault.device.lost/1";
    DEVICE_RETIRE = "casevault.device.retire/1";
    MEMBER_APPROVE = "casevault.member.approve/1";
    MEMBER_INVITE = "casevault.member.invite/1";
    MEMBER_JOIN = "casevault.member.join/1";
    MEMBER_LIST = "casevault.member.list/1";
    MEMBER_RESET = "casevault.member.reset/1";
    MEMBER_RETIRE = "casevault.member.retire/1";
    MEMBER_ROLE = "casevault.member.role/1";
    RECOVERY_CHECK = "casevault.recovery.check/1";
    RECOVERY_RESTORE = "casevault.recovery.restore/1";
    RECOVERY_SPLIT = "casevault.recovery.split/1";
    SERVER_ADD = "casevault.server.add/1";
    SERVER_REMOVE = "casevault.server.remove/1";
    SERVER_SHOW = "casevault.server.show/1";
    STATUS = "casevault.status/1";
    SYNC = "casevault.sync/1";
    TODAY = "casevault.today/1";
    UNLOCK = "casevault.unlock/1";
    VERIFY = "casevault.verify/1";
    WITNESS_INIT = "casevault.log.witness.init/1";
    WITNESS_RUN = "casevault.log.witness.run/1";
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

/// What the person whose vault it is and the agency are called; sealed, so known to an open vault alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnNames {
    /// The person.
    pub member: String,
    /// The agency.
    pub agency: String,
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
    /// What the agency is called; `null` while the vault is locked.
    pub agency_name: Option<String>,
    /// The person's handle.
    pub member: Option<String>,
    /// What the person is called; `null` while the vault is locked.
    pub member_name: Option<String>,
    /// This device's handle.
    pub device: Option<String>,
    /// The cost of trying a passphrase, as `256 MiB, 3 passes, 4 lanes`.
    pub kdf: Option<String>,
    /// Wrong passphrases since the last right one, counted here only.
    pub wrong_tries: u32,
    /// Notes begun and not saved, counted without opening them; `null` where that cannot be seen.
    pub drafts: Option<u64>,
    /// Jots that wait to be made notes.
    pub jots: Option<u64>,
    /// What `sync` set aside and waits to be written again or dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<u64>,
    /// Misfiled notes whose breach question waits for an answer.
    pub breach_questions: Option<u64>,
    /// Whether the vault has a server, as far as that is seen without opening anything.
    pub server: bool,
    /// Where the server is; `null` while the vault is locked.
    pub server_url: Option<String>,
    /// Links that wait to be sent to it; `null` while the vault is locked.
    pub unsent: Option<u64>,
    /// Cases to which this member's access has ended; what is here of them stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// Cases that `sync` holds back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<String>,
    /// When witnesses of the server's log were last there; absent while the vault is locked, and where the root names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnessed: Option<WitnessedReply>,
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

/// Handles, for a shell to complete.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HandlesReply {
    /// [`HANDLES`].
    pub schema: Schema,
    /// The handles.
    pub handles: Vec<String>,
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
    /// Lines that were refused beside those, of which there are more than are named.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_malformed: u64,
    /// The numbers of those, where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_lines: Vec<u64>,
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
    /// Fields of the imported lines that are not known, with how many lines have them: they are kept, and only an export
    /// shows them.
    #[serde(default)]
    pub unknown_fields: std::collections::BTreeMap<String, u64>,
    /// Of the imported cases, by the ids of their lines: those whose client is called as that of another case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_name: Vec<String>,
}

impl ImportReply {
    /// Counts the lines that were refused, named or not.
    pub fn refused(&self) -> u64 {
        self.more_malformed + u64::try_from(self.malformed.len()).unwrap_or(u64::MAX)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_zero(number: &u64) -> bool {
    *number == 0
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
    /// What its writer made so that it does not open: it is not among the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedRow>,
    /// The segments that are not for everybody.
    #[serde(default)]
    pub marked: Vec<MarkedSegment>,
    /// Whether they were left out.
    #[serde(default)]
    pub marked_left_out: bool,
}

/// A segment that is not for everybody, without its words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MarkedSegment {
    /// The case's handle.
    pub case: String,
    /// The note's handle.
    pub note: String,
    /// The segment's number.
    pub segment: u32,
    /// For whom it is not.
    #[serde(flatten)]
    pub marks: Marks,
}

/// What a segment is, of which words are shown apart from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentHead {
    /// Its kind.
    pub kind: SegmentKind,
    /// Whether the kind is the template's and not confirmed by the author.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default_kind: bool,
    /// Of a quote its speaker, of something reported its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// For whom it is not.
    #[serde(flatten)]
    pub marks: Marks,
}

impl SegmentHead {
    /// Takes what a segment says of itself.
    pub fn of(segment: &Segment) -> Self {
        Self {
            kind: segment.kind,
            default_kind: segment.default_kind,
            who: segment.speaker.clone().or_else(|| segment.from.clone()),
            marks: Marks::of(segment),
        }
    }
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
    /// Attachments read whole and checked, chunk by chunk.
    pub attachments: u64,
    /// Files removed that an interrupted attaching or withdrawing had left.
    pub removed: u64,
    /// Streams checked.
    pub streams: u64,
    /// Entries of the access log that are sealed to reviewers, where there are any that do not open here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<u64>,
    /// The server's log, where it was gone through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerLog>,
    /// What failed; empty if all is well.
    pub failures: Vec<Failure>,
}

/// A server's log, hashed from its first leaf up to a checkpoint that the log key signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerLog {
    /// Where the server is.
    pub url: String,
    /// Leaves of the log.
    pub leaves: u64,
    /// Leaves of links that were sent from here.
    pub own: u64,
    /// Leaves of links that are not here.
    pub others: u64,
}

/// A server that was named.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServerAddReply {
    /// [`SERVER_ADD`].
    pub schema: Schema,
    /// Where it is.
    pub url: String,
    /// The agency's id.
    pub agency: String,
    /// Links that were sent and are proved to be in the log.
    pub sent: u64,
    /// Leaves of the log.
    pub size: u64,
}

/// The server of a vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerShowReply {
    /// [`SERVER_SHOW`].
    pub schema: Schema,
    /// Where it is.
    pub url: String,
    /// Links that wait to be sent.
    pub waiting: u64,
    /// Leaves of its log, as far as it was verified.
    pub size: u64,
    /// Cases to which this member's access has ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// Cases that `sync` holds back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<String>,
    /// Its log's key in one line, as C2SP writes verifiers: what a witness is given.
    #[serde(default)]
    pub log: String,
    /// When witnesses of its log were last there; absent where the agency's root names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnessed: Option<WitnessedReply>,
}

/// A server that was forgotten.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServerRemoveReply {
    /// [`SERVER_REMOVE`].
    pub schema: Schema,
    /// Where it was.
    pub url: String,
    /// Links that were not sent to it.
    pub waiting: u64,
}

/// What a synchronisation did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SyncReply {
    /// [`SYNC`].
    pub schema: Schema,
    /// Where the server is.
    pub url: String,
    /// Links that were sent and are proved to be in the log.
    pub sent: u64,
    /// Links of others that were taken in.
    pub received: u64,
    /// What was written here and has no place any more since others wrote.
    pub aside: Vec<SetAsideReply>,
    /// Cases to which this member's access ended, as this run found; what is here of them stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// Cases of which something came without its bytes, so that they stay as they were here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<HeldBackReply>,
    /// Keys that this member owes the agency since others changed, and that could not be made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<SetAsideReply>,
    /// Leaves of the log, all of them verified.
    pub size: u64,
    /// When witnesses were last there; absent where the agency's root names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnessed: Option<WitnessedReply>,
}

/// When witnesses of the server's log were last there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessedReply {
    /// What is to be thought of it.
    pub state: WitnessedState,
    /// The newest time at which one cosigned, by its clock; `null` where none has.
    pub newest: Option<String>,
    /// When this device followed a longer log than any witness that cosigned within a day has seen; `null` where one has.
    pub unseen_since: Option<String>,
    /// Every witness that the root names.
    pub witnesses: Vec<WitnessReply>,
}

/// What is to be thought of the newest cosignature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WitnessedState {
    /// It is of the last day, and over what was followed here a day ago.
    Fresh,
    /// It is older than a day, or over less of the log: an alarm.
    Stale,
    /// There is none yet: an alarm too.
    Never,
    /// It is more than ten minutes ahead of this machine's clock, so that one of the clocks is wrong.
    Ahead,
}

/// A witness of the server's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessReply {
    /// Its name, as the root has it.
    pub name: String,
    /// When it cosigned last, by its clock; `null` where it has not.
    pub cosigned: Option<String>,
}

/// A witness that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WitnessInitReply {
    /// [`WITNESS_INIT`].
    pub schema: Schema,
    /// Its name.
    pub name: String,
    /// Name and key in one line, as C2SP writes verifiers: for the agency's root.
    pub verifier: String,
    /// The folder with its key.
    pub state: String,
}

/// A checkpoint that was cosigned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WitnessRunReply {
    /// [`WITNESS_RUN`].
    pub schema: Schema,
    /// The agency's id, `a-…`.
    pub agency: String,
    /// Where the server is.
    pub url: String,
    /// The witness's name.
    pub name: String,
    /// Leaves of the log when it was cosigned before; `null` for the first time.
    pub before: Option<u64>,
    /// Leaves of the log now.
    pub size: u64,
    /// When it was cosigned.
    pub cosigned: String,
}

/// A case that is held back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeldBackReply {
    /// The case's handle.
    pub of: String,
    /// The first of its entries that is not taken in, by its number in the case.
    pub entry: u64,
}

/// Where change events are followed. It is shown to nobody.
#[derive(Clone, Serialize, Deserialize)]
pub struct SyncFeedReply {
    /// Where the server is.
    pub url: String,
    /// Leaves of the log up to which it is followed.
    pub size: u64,
    /// What the events are asked for with, for some minutes: whoever has it learns how long the log is, and no more.
    pub token: String,
}

impl std::fmt::Debug for SyncFeedReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SyncFeedReply")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Something that was written here, has no place any more, and is kept aside, sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetAsideReply {
    /// The handle of a note or a case.
    pub of: String,
    /// The number of the check that refuses it.
    pub check: u8,
    /// What it says.
    pub why: String,
}

/// A record, or the keys of a case, that its writer made so that it does not open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnopenedRow {
    /// The record's handle, or whose keys.
    pub of: String,
    /// The case's handle.
    pub case: String,
    /// The number of the check that refuses it.
    pub check: u8,
    /// What it says.
    pub why: String,
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
    /// The other cases of the caseload whose client is called so.
    pub same_name: Vec<Namesake>,
    /// Fields that are not known: they are kept, and no view shows them but the profile's JSON and its history.
    #[serde(default)]
    pub unknown_fields: Vec<String>,
}

/// A case, by what tells it from another of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namesake {
    /// Its handle.
    pub case: String,
    /// `open` or `closed`.
    pub status: String,
    /// The day on which it was opened.
    pub opened: Option<String>,
    /// When the client was born, as it is recorded: a day, a month or a year.
    pub date_of_birth: Option<String>,
}

/// The cases of one name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseNamesakesReply {
    /// [`CASE_NAMESAKES`].
    pub schema: Schema,
    /// The cases, in the order in which they came.
    pub cases: Vec<Namesake>,
}

/// A case that names somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naming {
    /// Its handle.
    pub case: String,
    /// Whom it names, as its profile writes it.
    pub named: String,
}

/// The cases that name somebody.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseNamingReply {
    /// [`CASE_NAMING`].
    pub schema: Schema,
    /// The cases.
    pub cases: Vec<Naming>,
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
    /// How many notes it holds, without the withdrawn and the misfiled.
    pub notes: u64,
    /// What it is called in lists.
    pub label: Option<String>,
    /// The client's name, where lists show something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Flags shown before a visit (danger, contact).
    pub flags: Vec<String>,
    /// The day on which it was opened.
    pub opened: Option<String>,
    /// The template's id.
    pub template: Option<String>,
    /// The worker named by an import.
    pub worker: Option<String>,
    /// Whether this member's access to it has ended: what is here of it stays, and no more comes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
    /// Whether `sync` holds it back: something of it came without its bytes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub behind: bool,
}

#[cfg(test)]
impl CaseRow {
    /// An open case with a label, and nothing else.
    pub(crate) fn labelled(case: &str, label: &str) -> Self {
        Self {
            case: case.to_owned(),
            external_id: None,
            status: "open".to_owned(),
            notes: 0,
            label: Some(label.to_owned()),
            name: None,
            flags: Vec::new(),
            opened: None,
            template: None,
            worker: None,
            left: false,
            behind: false,
        }
    }
}

/// One's own caseload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseListReply {
    /// [`CASE_LIST`].
    pub schema: Schema,
    /// The cases, in the order in which they came.
    pub cases: Vec<CaseRow>,
    /// What its writer made so that it does not open: it is not among the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedRow>,
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
    /// What its writer made so that it does not open: it is not among the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedRow>,
    /// The blocks, in their order; one without items says that nothing is recorded yet.
    #[serde(flatten)]
    pub overview: Overview,
    /// Of a closed case: the steps that nobody has carried out, the most pressing first.
    #[serde(default)]
    pub left_undone: Vec<Step>,
    /// What is dangerous in other cases of the household.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub household: Vec<HouseholdDanger>,
    /// How many more cases of the household there are than were looked at.
    #[serde(default, skip_serializing_if = "overview::is_none")]
    pub household_more: u64,
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
    /// The steps that nobody has carried out: they leave the lists with the case, and come back where it is opened again.
    #[serde(default)]
    pub undone: Vec<Step>,
}

/// A client's profile that was corrected.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseAmendReply {
    /// [`CASE_AMEND`].
    pub schema: Schema,
    /// The case's handle.
    pub case: String,
    /// The version that the profile has now.
    pub version: u32,
    /// The fields that changed; none where nothing did, and no version was made.
    pub changed: Vec<String>,
    /// What was to be known before a visit and is not there any more, each by its field: `danger_to_workers: The dog bites.`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub struck: Vec<String>,
    /// Of the fields that were given, those that are not known.
    #[serde(default)]
    pub unknown_fields: Vec<String>,
}

/// Every version of a client's profile, the first one first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseHistoryReply {
    /// [`CASE_HISTORY`].
    pub schema: Schema,
    /// The case's handle.
    pub case: String,
    /// The versions.
    pub versions: Vec<ProfileVersion>,
}

/// One version of a client's profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfileVersion {
    /// Its number, from 1.
    pub version: u32,
    /// When it was written; `null` of versions that do not say.
    pub at: Option<String>,
    /// The handle of the member who signed it.
    pub signed_by: String,
    /// What it changed, in the order of the fields.
    pub changes: Vec<FieldChange>,
}

/// What a version made of one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field, such as `name`; `opened`, `template`, `worker` and `closed` are the case's own.
    pub field: String,
    /// What it was; `null` where it was not there.
    pub before: serde_json::Value,
    /// What it is; `null` where it is no longer there.
    pub after: serde_json::Value,
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
    /// How many others of the same number stand beside it: amendments that were made apart, none of which replaces another.
    #[serde(default)]
    pub beside: u32,
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
    /// That member by name and handle, where a note is shown whose worker is somebody else.
    pub signer: Option<String>,
    /// The worker who is a member, and that member, by name and handle for the text that shows a note; JSON has the ids.
    #[serde(default)]
    pub worker_named: Option<String>,
    /// What the case is called in lists, for the text that shows a note; JSON has the handle.
    #[serde(default)]
    pub label: Option<String>,
    /// As `worker_named`, of `signed_by`.
    #[serde(default)]
    pub signed_by_named: Option<String>,
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
        map.serialize_entry("beside", &self.beside)?;
        map.serialize_entry("occurred_at", &self.occurred_at)?;
        map.serialize_entry("recorded_at", &self.recorded_at)?;
        map.serialize_entry("lag", &self.lag)?;
        map.serialize_entry("lag_minutes", &self.lag_minutes)?;
        map.serialize_entry("author", &self.author)?;
        map.serialize_entry("role", &self.role)?;
        map.serialize_entry("signed_by", &self.signed_by)?;
        if let Some(signer) = &self.signer {
            map.serialize_entry("signer", signer)?;
        }
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
    pub fn keep_only(&mut self, kinds: &[SegmentKind]) -> Vec<LeftOut> {
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

/// A note of an export: as [`NoteView`], and what is attached to it.
pub(super) struct ExportedNote<'n> {
    pub(super) view: &'n NoteView,
    pub(super) attachments: &'n [AttachmentView],
}

impl Serialize for ExportedNote<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.view.write(&mut map)?;
        map.serialize_entry("attachments", self.attachments)?;
        map.end()
    }
}

/// Keeps the segments of some kinds only, as [`NoteView::keep_only`].
pub(super) fn keep_only(note: &mut Note, kinds: &[SegmentKind]) -> Vec<LeftOut> {
    let mut left_out: Vec<LeftOut> = Vec::new();
    note.segments.retain(|segment: &Segment| {
        let (kind, confirmed) = (segment.kind, !segment.default_kind);
        if kinds.contains(&kind) && confirmed {
            return true;
        }
        match left_out.iter_mut().find(|l| l.kind == kind && l.confirmed == confirmed) {
            Some(known) => known.segments += 1,
            None => left_out.push(LeftOut {
                kind,
                confirmed,
                segments: 1,
            }),
        }
        false
    });
    left_out
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
    /// What the case is called in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The version saved; the one that is there where nothing changed.
    pub version: u32,
    /// Whether anything changed: an amendment that says what is there already makes no version.
    pub changed: bool,
    /// When it happened.
    pub occurred_at: Option<String>,
    /// When it was written down.
    pub recorded_at: String,
    /// How late that was, in words.
    pub lag: Option<String>,
    /// The same in minutes; below zero if it was written down before it happened.
    pub lag_minutes: Option<i64>,
    /// Whether that is later than the template allows and no reason was given.
    pub lag_reason_asked: bool,
    /// Whether it is of what is still to come, such as a visit that was arranged.
    #[serde(default, rename = "ahead", skip_serializing_if = "std::ops::Not::not")]
    pub is_ahead: bool,
    /// The sections in which its parts are kept.
    pub sections: Vec<String>,
    /// What is missing.
    pub incomplete: Vec<String>,
    /// The notes of other cases that are one with it.
    pub others: Vec<JoinedNote>,
    /// Fields of its JSON that are not known, by where they stand: they are kept, and only JSON shows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_fields: Vec<String>,
    /// A note that was on the file already, of the same time and kind and in the same words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<String>,
    /// The handle of the note that the same mail became before, on the same file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_mail: Option<String>,
    /// Lines of its text that were taken for a mark, a field or text, and may not have been meant so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// Steps that were carried out, and of which the note no longer says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undone: Vec<String>,
    /// Steps that were carried out, and that are not in the note any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub struck_done: Vec<String>,
    /// Open steps, decisions, quotes and dangers of the version before that are not in the note any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub struck: Vec<Struck>,
    /// What it takes back of what amendments before it did, where it was not said from which version it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Undoes>,
    /// Whether there are drafts, of this or of anything else: `casevault note draft` lists them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drafts: bool,
}

/// A note of another case that is one with the note saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinedNote {
    /// The other case's handle.
    pub case: String,
    /// The handle of its note.
    pub note: String,
    /// Whether it was saved as well.
    pub saved: bool,
    /// Whether it says the same already, so that there was nothing to save.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same: bool,
    /// Whether it said something else than this note did before, or says something else of the step, so that it was left as
    /// it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub differs: bool,
}

/// What an editor opens with: `casevault.note.blank/1` or `casevault.note.text/1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoteTextReply {
    /// [`NOTE_BLANK`] or [`NOTE_TEXT`].
    pub schema: Schema,
    /// The case's handle.
    pub case: String,
    /// The note's handle, of one that is amended.
    pub note: Option<String>,
    /// The version that the text is of, of a note that is amended.
    pub version: Option<u32>,
    /// The text form, with guidance.
    pub text: String,
}

/// A draft in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DraftRow {
    /// Its handle.
    pub draft: String,
    /// What it is to become: `add`, `amend` or `expand`.
    #[serde(with = "word")]
    pub of: Word,
    /// The case's handle.
    pub case: Option<String>,
    /// Of an amendment: the note's handle.
    pub note: Option<String>,
    /// The jot's handle, where it was one.
    pub jot: Option<String>,
    /// The kind, where the command line named it.
    pub kind: Option<NoteKind>,
    /// When it was begun.
    pub began_at: String,
    /// When it was last kept.
    pub saved_at: String,
    /// Of an amendment: the note's newest version, where that is not the one that the draft was begun from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer_version: Option<u32>,
    /// Its first words.
    pub words: String,
}

/// A draft that was kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DraftKeepReply {
    /// [`DRAFT_KEEP`].
    pub schema: Schema,
    /// Its handle; none where it was asked to be there still and is not.
    pub draft: Option<String>,
    /// Its whole id.
    pub id: Option<String>,
}

/// Drafts, the newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DraftListReply {
    /// [`DRAFT_LIST`].
    pub schema: Schema,
    /// The drafts.
    pub drafts: Vec<DraftRow>,
}

/// A draft, opened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DraftShowReply {
    /// [`DRAFT_SHOW`].
    pub schema: Schema,
    /// The draft as in a list.
    #[serde(flatten)]
    pub draft: DraftRow,
    /// What was typed.
    pub text: String,
    /// The section named on the command line.
    pub section: Option<String>,
    /// When it happened, as typed on the command line.
    pub at: Option<String>,
    /// How long it lasted, in minutes, as given on the command line.
    pub duration_minutes: Option<u32>,
    /// The template named on the command line.
    pub template: Option<String>,
    /// Why it is recorded late, as given on the command line.
    pub lag_reason: Option<String>,
    /// The version of the note that it began from, where it amends one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_version: Option<u32>,
    /// The other cases that it is a note of as well.
    pub also: Vec<String>,
}

/// A draft that was dropped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DraftDiscardReply {
    /// [`DRAFT_DISCARD`].
    pub schema: Schema,
    /// Its handle.
    pub draft: String,
}

/// Something that was set aside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AsideRow {
    /// What names it.
    pub aside: String,
    /// The case's handle, where it is of one.
    pub case: Option<String>,
    /// The note's handle, where it is a note or a part of one.
    pub note: Option<String>,
    /// The stream in which it has no place.
    pub stream: String,
    /// Whether it can be written again as a new note.
    pub can_be_restored: bool,
    /// The number of the check that refused it, where that was kept.
    pub check: Option<u8>,
    /// What it says.
    pub why: Option<String>,
}

/// What was set aside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AsideListReply {
    /// [`ASIDE_LIST`].
    pub schema: Schema,
    /// All of it.
    pub aside: Vec<AsideRow>,
}

/// Something that was set aside, opened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AsideShowReply {
    /// [`ASIDE_SHOW`].
    pub schema: Schema,
    /// As in the list.
    #[serde(flatten)]
    pub row: AsideRow,
    /// The note's text, segment by segment; none of what is no note.
    pub text: Vec<String>,
}

/// A note that was set aside and written again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AsideRestoreReply {
    /// [`ASIDE_RESTORE`].
    pub schema: Schema,
    /// What named it.
    pub aside: String,
    /// The new note's handle.
    pub note: String,
    /// The case's handle.
    pub case: String,
}

/// Something that was set aside and dropped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AsideDiscardReply {
    /// [`ASIDE_DISCARD`].
    pub schema: Schema,
    /// What named it.
    pub aside: String,
}

/// A jot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JotRow {
    /// Its handle.
    pub jot: String,
    /// The case's handle, where one was named.
    pub case: Option<String>,
    /// When it happened.
    pub occurred_at: String,
    /// When it was jotted.
    pub jotted_at: String,
    /// The words.
    pub text: String,
}

/// A jot that was kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JotAddReply {
    /// [`JOT_ADD`].
    pub schema: Schema,
    /// Its handle.
    pub jot: String,
    /// The case's handle, where one was named.
    pub case: Option<String>,
    /// When it happened.
    pub occurred_at: String,
}

/// Jots that wait to be made notes, the oldest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JotListReply {
    /// [`JOT_LIST`].
    pub schema: Schema,
    /// The jots.
    pub jots: Vec<JotRow>,
}

/// A jot that was dropped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JotDiscardReply {
    /// [`JOT_DISCARD`].
    pub schema: Schema,
    /// Its handle.
    pub jot: String,
}

/// Who opened a note, out of this device's own access log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedBy {
    /// The entry's number in its device's log.
    pub entry: u64,
    /// The handle of the device whose log it is in.
    pub device: String,
    /// When.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What was done: `open`, `hits`, `history`, `list`, `export`.
    pub operation: String,
    /// What was opened, where it is not a list of notes.
    pub scope: Option<String>,
    /// The purpose's code.
    pub purpose: String,
    /// Whether the note itself was named; else its whole case was read.
    pub named: bool,
    /// Of a list that was logged before the note was written: the end of the minutes for whose lists its entry stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_until: Option<String>,
}

/// A note that was marked as misfiled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoteMisfiledReply {
    /// [`NOTE_MISFILED`].
    pub schema: Schema,
    /// Its handle.
    pub note: String,
    /// The handle of the case in which it is hidden.
    pub case: String,
    /// What that case is called in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The handle of the note in the right case.
    pub refiled: Option<String>,
    /// The right case's handle.
    pub to: Option<String>,
    /// What the right case is called in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_label: Option<String>,
    /// Whether the right case held the note already, so that it was not filed there a second time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub there_already: bool,
    /// The notes of other cases that are one with it, and stay to be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<JoinedNote>,
    /// How many attachments went with it.
    pub attachments: usize,
    /// Attachments that could not go with it, because they are not what was attached: each with its check.
    pub attachments_left: Vec<Failure>,
    /// Who opened it, by every log of this vault; `null` where none can be read here.
    pub opened_by: Option<Vec<OpenedBy>>,
    /// Lists and searches since it was written that name no notes, and may have shown words of it.
    pub may_have_shown: Vec<OpenedBy>,
    /// Logs, and entries of them, that do not open here.
    pub unreadable_log: Vec<Failure>,
    /// The question that now waits for an answer.
    #[serde(with = "word")]
    pub breach_question: Word,
}

/// A breach question that was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BreachAnswerReply {
    /// [`BREACH_ANSWER`].
    pub schema: Schema,
    /// The handle of the misfiled note.
    pub note: String,
    /// When it was answered.
    pub answered_at: String,
    /// Whether the note stands in no file: it was hidden, and not put into the right case yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_no_file: bool,
}

/// A breach question that waits for an answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BreachRow {
    /// The handle of the misfiled note.
    pub note: String,
    /// The handle of the case in which it is hidden.
    pub case: String,
    /// The handle of the note in the right case.
    pub refiled: Option<String>,
    /// The right case's handle.
    pub to: Option<String>,
    /// When it was marked.
    pub at: String,
    /// Why.
    pub reason: String,
}

/// Breach questions that wait for an answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BreachListReply {
    /// [`BREACH_LIST`].
    pub schema: Schema,
    /// The questions, the oldest first.
    pub questions: Vec<BreachRow>,
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
    /// For whom they are not.
    #[serde(flatten)]
    pub marks: Marks,
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
    /// Whether it is hidden because it was misfiled.
    pub misfiled: bool,
    /// How many segments it has.
    pub segments: usize,
    /// Its first words, cut to one line.
    pub summary: String,
    /// What the segment is that they are of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary_of: Option<SegmentHead>,
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
    /// How many notes of the case are hidden because they were misfiled, shown or not.
    pub misfiled: u64,
    /// How many notes of the case were withdrawn; their text is erased.
    pub withdrawn: u64,
    /// Days since the client was last quoted; shown to the worker only.
    pub days_since_quoted: Option<i64>,
    /// What its writer made so that it does not open: it is not among the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedRow>,
}

/// One note.
#[derive(Clone, Debug)]
pub struct NoteShowReply {
    /// The note.
    pub view: NoteView,
    /// Versions of the same number that stand beside it, cut by `--only` as the view is.
    pub beside: Vec<NoteView>,
    /// The version before the one shown, whose words are shown struck; cut by `--only` as the view is.
    pub before: Option<Note>,
    /// How many segments were left out because of `--only`.
    pub left_out: usize,
    /// Of what kinds those are, and how many of each; a kind that the author did not confirm stands apart.
    pub left_out_kinds: Vec<LeftOut>,
    /// What is attached to it.
    pub attachments: Vec<AttachmentView>,
}

impl Serialize for NoteShowReply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", &NOTE_SHOW)?;
        self.view.write(&mut map)?;
        map.serialize_entry("others", &self.beside)?;
        map.serialize_entry("left_out", &self.left_out)?;
        map.serialize_entry("left_out_kinds", &self.left_out_kinds)?;
        map.serialize_entry("attachments", &self.attachments)?;
        map.end()
    }
}

/// Segments of one kind that were left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The kind.
    pub kind: SegmentKind,
    /// Whether the author confirmed it; what nobody confirmed is left out whatever is asked for.
    pub confirmed: bool,
    /// How many.
    pub segments: usize,
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
    /// The versions; none of a note that was withdrawn.
    pub versions: Vec<NoteView>,
    /// That it was withdrawn, where it was.
    pub withdrawn: Option<Withdrawal>,
}

/// How a note was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// When, by the access log of the device that did it; `null` where that log cannot be read here.
    pub at: Option<String>,
    /// The handle of the member who did.
    pub by: String,
    /// How many records were erased.
    pub records: u64,
}

/// A place where a term was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindHit {
    /// The note's handle.
    pub note: String,
    /// The case's handle.
    pub case: String,
    /// What the case is called in lists.
    #[serde(default)]
    pub label: Option<String>,
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
    /// Of a quote its speaker, of something reported its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// For whom it is not.
    #[serde(flatten)]
    pub marks: Marks,
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
    /// What its writer made so that it does not open: it is not among the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedRow>,
    /// How many words and phrases were looked for.
    #[serde(default)]
    pub terms: u64,
    /// How many more notes hold all the words, and not as they stand.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub also: u64,
    /// The case that was searched; none for all.
    #[serde(default)]
    pub case: Option<String>,
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
    /// What the case is called in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// How many records were erased, those of attachments among them.
    pub erased: u64,
    /// The notes of other cases that were one with it, and stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<JoinedNote>,
}

/// What is known of an attachment without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentView {
    /// Its number within the note, from 1.
    pub attachment: u32,
    /// Its name as it was given.
    pub name: String,
    /// A name under which it can be saved anywhere.
    pub safe_name: String,
    /// Its media type, as far as it was recognised.
    pub media_type: String,
    /// Bytes.
    pub length: u64,
    /// SHA-256 of its content, in hex.
    pub sha256: String,
    /// When it was attached.
    pub at: String,
    /// The member whose device signed it.
    pub signed_by: String,
    /// Whether it is the scan or photograph that the note was made from.
    pub original: bool,
    /// How it was taken off, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removal>,
}

/// That an attachment was taken off its note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// When.
    pub at: String,
    /// By which member.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// An attachment that was taken off.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoteDetachReply {
    /// [`NOTE_DETACH`].
    pub schema: Schema,
    /// The note's handle.
    pub note: String,
    /// The case's handle.
    pub case: String,
    /// The version of the note that says so.
    pub version: u32,
    /// What is known of it.
    #[serde(flatten)]
    pub view: AttachmentView,
}

/// A file that was attached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoteAttachReply {
    /// [`NOTE_ATTACH`].
    pub schema: Schema,
    /// The note's handle.
    pub note: String,
    /// The case's handle.
    pub case: String,
    /// Whether the same content under the same name was there before, so that nothing was added.
    pub already: bool,
    /// It.
    #[serde(flatten)]
    pub view: AttachmentView,
}

/// The attachments of a note.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoteAttachmentsReply {
    /// [`NOTE_ATTACHMENTS`].
    pub schema: Schema,
    /// The note's handle.
    pub note: String,
    /// The case's handle.
    pub case: String,
    /// The attachments, the first one first.
    pub attachments: Vec<AttachmentView>,
}

/// What was given out of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Given {
    /// What is no photograph or film, as it is.
    AsItIs,
    /// A photograph, without what it said of place, time and camera.
    Copy,
    /// A photograph or film untouched, because it was asked for so.
    Original,
}

/// An attachment that was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoteAttachmentReply {
    /// [`NOTE_ATTACHMENT`].
    pub schema: Schema,
    /// The note's handle.
    pub note: String,
    /// The case's handle.
    pub case: String,
    /// What was given.
    pub given: Given,
    /// Bytes that were given.
    pub bytes: u64,
    /// What was left out of a copy, in words.
    pub left_out: Vec<Cow<'static, str>>,
    /// The Exif orientation, 2 to 8, that a copy no longer has: it is as the camera's sensor saw it.
    pub turned: Option<u16>,
    /// It.
    #[serde(flatten)]
    pub view: AttachmentView,
}

/// An event of the chronology.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChronologyEntry {
    /// What happened, with its note's handle.
    #[serde(flatten)]
    pub entry: Entry,
    /// The note's id in the system that it came from.
    pub external_id: Option<String>,
    /// Who signed the note, by name and handle, where that is somebody else than the worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
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
    /// What its writer made so that it does not open: it is not among the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedRow>,
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
    /// What its writer made so that it does not open: it is not among the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedRow>,
}

/// An entry of the access stream, opened with the DPO key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its number in its device's stream.
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

/// Entries of the access streams.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogListReply {
    /// [`LOG_LIST`].
    pub schema: Schema,
    /// How many entries the streams have.
    pub total: u64,
    /// The entries, the newest first.
    pub entries: Vec<LogEntry>,
    /// Other devices' streams, and entries of them, that do not open here.
    pub unreadable: Vec<Failure>,
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
            beside: 0,
            occurred_at: Some("2026-03-12T14:00:00Z".into()),
            recorded_at: None,
            lag: None,
            lag_minutes: None,
            author: Some("w003".into()),
            role: None,
            signed_by: "m-0kf3aaaa".into(),
            signer: None,
            worker_named: None,
            label: None,
            signed_by_named: None,
            attribution: Some("imported, not signed by w003".into()),
            incomplete: Vec::new(),
        };
        let reply = NoteShowReply {
            view: NoteView { head, content },
            beside: Vec::new(),
            before: None,
            left_out: 0,
            left_out_kinds: Vec::new(),
            attachments: Vec::new(),
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

/// A backup that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BackupReply {
    /// [`BACKUP_CREATE`].
    pub schema: Schema,
    /// The agency's id, `a-…`.
    pub agency: String,
    /// Links of the store in it.
    pub entries: u64,
    /// Files of attachments in it.
    pub attachments: u64,
    /// Bytes of the backup.
    pub bytes: u64,
    /// Version of the recovery key that opens it besides the passphrase.
    pub recovery_version: u32,
    /// Whether that key still waits in the keystore, so that no cards open this backup.
    pub recovery_waits: bool,
}

/// An erasure ledger that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LedgerReply {
    /// [`BACKUP_LEDGER`].
    pub schema: Schema,
    /// Erasures in it.
    pub erasures: u64,
    /// Records that they took.
    pub records: u64,
    /// The ledger.
    #[serde(skip)]
    pub ledger: Vec<u8>,
}

/// A vault that was restored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RestoreReply {
    /// [`BACKUP_RESTORE`] or [`RECOVERY_RESTORE`].
    pub schema: Schema,
    /// The agency's id, `a-…`.
    pub agency: String,
    /// The person's handle.
    pub member: String,
    /// The new device's handle.
    pub device: String,
    /// The devices that were retired.
    pub retired: Vec<String>,
    /// The folder that holds it.
    pub home: String,
    /// When the backup was made.
    pub made_at: String,
    /// Links that are there now.
    pub entries: u64,
    /// Those of them that were in the backup, as making it counted them; the others are of the restore.
    #[serde(default)]
    pub backed_up: u64,
    /// Files of attachments that were in the backup, as making it counted them.
    #[serde(default)]
    pub attachments: u64,
    /// Records that the ledger took.
    pub erased: u64,
    /// Version of the recovery key in force.
    pub recovery_version: u32,
    /// Whether a new recovery key was made, so that cards of the old one are stale.
    pub recovery_renewed: bool,
    /// Whether a new recovery key is owed and waits for other administrators: more than one signs a root.
    pub recovery_owed: bool,
    /// What did not verify.
    pub failures: Vec<Failure>,
}

/// A recovery card, as words. Never printed: it goes to a file of its own.
#[derive(Clone)]
pub struct CardWords {
    /// Its number, from 1.
    pub number: u8,
    /// Its words.
    pub words: Vec<String>,
}

impl Drop for CardWords {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.words);
    }
}

/// Cards that were made; the key is still in the keystore.
#[derive(Clone)]
pub struct CardsReply {
    /// The agency's id, `a-…`.
    pub agency: String,
    /// The set's fingerprint, in hex.
    pub set: String,
    /// Version of the recovery key.
    pub version: u32,
    /// How many cards give the key.
    pub threshold: u8,
    /// How many cards there are.
    pub shares: u8,
    /// The cards.
    pub cards: Vec<CardWords>,
}

/// The recovery key has left the keystore.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SplitReply {
    /// [`RECOVERY_SPLIT`].
    pub schema: Schema,
    /// The set's fingerprint, in hex.
    pub set: String,
    /// Version of the recovery key.
    pub version: u32,
    /// How many cards give the key.
    pub threshold: u8,
    /// How many cards there are.
    pub shares: u8,
    /// The files that were written; each holds a card, to be printed and wiped.
    pub files: Vec<String>,
    /// Sets of the same key that were begun before and not finished: what is left of their cards gives the key too.
    pub unfinished: Vec<UnfinishedCards>,
    /// The root that names the key, where it is a new one: the cards are good once that is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalReply>,
}

/// A set of cards that was begun, and may be left as files or on paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnfinishedCards {
    /// The set's fingerprint, in hex.
    pub set: String,
    /// When it was begun.
    pub begun_at: String,
    /// The folder that its cards were written to.
    pub folder: String,
}

/// What is known of cards without opening anything.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckReply {
    /// [`RECOVERY_CHECK`].
    pub schema: Schema,
    /// The set's fingerprint, in hex.
    pub set: String,
    /// Version of the recovery key.
    pub version: u32,
    /// How many cards give the key.
    pub threshold: u8,
    /// How many cards there are.
    pub shares: u8,
    /// The numbers of those given.
    pub numbers: Vec<u8>,
    /// Whether there are enough of them.
    pub enough: bool,
    /// Whether they are of the set that this vault knows; `false` where their key is proposed and not in force yet, `null` where
    /// there is no vault, or no set yet.
    pub current: Option<bool>,
}
