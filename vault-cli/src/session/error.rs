//! Why a session refuses: typed, with a kind (which becomes the exit code), a stable code for scripts, and what to do next.

use std::io;

use super::word;
use super::word::Word;
use crate::note_input::hiding::Lost;
use crate::remote::ServerFault;
use crate::store::StoreError;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;
use vault_core::check::Check;
use vault_core::note::spelling::Misspelt;

/// What sort of refusal it is; each has its own exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It needs a person to decide: the same thing is there with another content, or two wrote at once.
    Conflict,
    /// Policy or consent forbids it.
    Denied,
    /// It could not be done.
    Failed,
    /// The vault is locked, the passphrase wrong, or a key missing.
    Locked,
    /// The server does not answer.
    Unreachable,
    /// It was asked for in a way that makes no sense.
    Usage,
    /// Something kept or received is not what was signed.
    Verification,
}

/// Why an action was not done. Nothing is changed then, unless the variant says so.
///
/// It crosses from the agent to the command that asked, whole: whoever adds a variant gives its fields serde's traits.
#[derive(Debug, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SessionError {
    /// The agent answers otherwise than it should.
    #[error("the agent does not answer as it should: {what}")]
    Agent {
        /// What is wrong.
        what: String,
    },
    /// The agent ended before it answered; what it was asked is one transaction, done whole or not at all.
    #[error(
        "the agent ended before it answered: whether this was done is not known, but it was done whole or not at all"
    )]
    AgentLost,
    /// The agent is there and does not answer.
    #[error("process {process} holds the vault open and does not answer")]
    AgentSilent {
        /// The number of its process.
        process: u32,
    },
    /// There is a vault here already.
    #[error("there is a vault in `{home}` already")]
    AlreadyInitialised {
        /// The folder.
        home: String,
    },
    /// A handle's prefix fits several.
    #[error("`{text}` is the beginning of several handles: {}", candidates.join(", "))]
    Ambiguous {
        /// What was typed.
        text: String,
        /// Some of the handles, a little longer than their common beginning.
        candidates: Vec<String>,
    },
    /// A backup does not open; which part of it or of the passphrase is wrong, nobody is told.
    #[error("the backup does not open: wrong passphrase, or it was changed (CHK-107)")]
    BackupLocked,
    /// Something that cannot happen did: our fault.
    #[error("this is a fault in the program: {0}")]
    Bug(String),
    /// Another process holds the vault.
    #[error("another process is writing to this vault")]
    Busy,
    /// A signal stopped it.
    #[error("stopped before it was done")]
    Cancelled,
    /// A recovery card was not taken.
    #[error("{card}: {why} ({check})")]
    Card {
        /// Which one, as it was given: a file, or `the cards`.
        card: String,
        /// Why, and where.
        why: String,
        /// The check that failed.
        #[serde(with = "check")]
        check: Check,
    },
    /// The machine's clock says what cannot be.
    #[error("the clock of this machine says {date}")]
    Clock {
        /// The day that it says.
        date: String,
    },
    /// The case takes nothing more.
    #[error("case {case} is closed")]
    Closed {
        /// The case's handle.
        case: String,
    },
    /// Something waits to be enrolled here already.
    #[error("a device waits to be enrolled in `{home}` already, by another sheet")]
    AlreadyJoining {
        /// The folder.
        home: String,
    },
    /// What is here differs from what came, or changed meanwhile.
    #[error("{what}")]
    Conflict {
        /// What conflicts with what.
        what: String,
        /// What to do about it.
        next: String,
    },
    /// An amendment was made from a version that is not the newest any more.
    #[error(
        "note {note} has version {newest} by now, and this was made from version {from}: saved, it would undo what came since"
    )]
    NewerVersion {
        /// The note's handle.
        note: String,
        /// The version that it was made from.
        from: u32,
        /// The newest one.
        newest: u32,
    },
    /// A note of the same words was saved in the last minutes.
    #[error("note {note} of the same words was saved in the last minutes")]
    SameNote {
        /// Its handle.
        note: String,
    },
    /// An amendment would lose what kept words from somebody, or was told before a visit.
    #[error("it would lose {}", if lost.len() == 1 { "a mark or a danger" } else { "marks or dangers" })]
    Loses {
        /// What it would lose.
        lost: Vec<Lost>,
    },
    /// The reason of a misfiled note names the client of another case.
    #[error("the reason names {name} ({case}), and stays in the record of the case that the note was misfiled in")]
    NamesAnother {
        /// Whom.
        name: String,
        /// The handle of their case.
        case: String,
        /// The reason without the name.
        instead: String,
    },
    /// It could be saved; that was not asked for yet.
    #[error("it is not saved yet")]
    Paused {
        /// The lines, from 1, with which plans begin that only a heading makes plans.
        plans: Vec<usize>,
    },
    /// More came by a pipe than is held in memory.
    #[error("more than {} MiB came by a pipe, and nothing of it was kept", limit >> 20)]
    Piped {
        /// The most, in bytes.
        limit: u64,
    },
    /// The mail is on the case's file.
    #[error("this mail is on the file already, as {note}")]
    SameMail {
        /// The note's handle.
        note: String,
    },
    /// Policy or consent forbids it.
    #[error("{why}")]
    Denied {
        /// The rule, in a sentence.
        why: String,
        /// What to do instead.
        hint: String,
    },
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// The store belongs to another program or agency.
    #[error("`{path}` is not a store of this vault")]
    Foreign {
        /// The file.
        path: String,
    },
    /// The member may not do it: an administrator does.
    #[error("{what} is an administrator's to do")]
    NotAdministrator {
        /// What was asked.
        #[serde(with = "word")]
        what: Word,
    },
    /// A device has asked to join and is not enrolled yet.
    #[error("the device {device} in `{home}` is not enrolled yet")]
    NotEnrolled {
        /// The folder.
        home: String,
        /// The device's handle.
        device: String,
    },
    /// A sheet is not as it was printed.
    #[error("{why} ({check})")]
    Sheet {
        /// What is wrong with it.
        why: String,
        /// The check that failed.
        #[serde(with = "check")]
        check: Check,
    },
    /// There is nothing more at the server under a sheet.
    #[error("the server knows nothing of this sheet any more: its last day was {until}, or it was never opened there")]
    SheetOver {
        /// The last day.
        until: String,
    },
    /// Somebody else asked first with a sheet.
    #[error("somebody else has used this sheet before")]
    SheetTaken,
    /// The passphrase cost is outside its bounds.
    #[error("passphrase parameters are outside their bounds (CHK-95)")]
    KdfBounds,
    /// The file system or the store failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, as `could not write the keystore`.
        doing: String,
        /// What failed.
        #[serde(with = "io_error")]
        source: io::Error,
    },
    /// The access entry could not be made durable, so nothing was opened.
    #[error("the access log could not be written, so nothing was opened")]
    LogFailed {
        /// What failed.
        #[source]
        source: Box<SessionError>,
    },
    /// A text was not understood.
    #[error("line {line}, column {column}: {why}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there, with the field where there is one.
        why: String,
    },
    /// The note is hidden, because it stands in the wrong person's file.
    #[error("note {note} was misfiled and is hidden")]
    Misfiled {
        /// The note's handle.
        note: String,
    },
    /// The agent locked the vault while this was asked.
    #[error("the vault was locked meanwhile")]
    LockedMeanwhile,
    /// The input of an import or another text is larger than is taken.
    #[error("{what} is longer than {limit} bytes")]
    TooLong {
        /// What it is.
        what: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// A photograph or film from which what it says of place and time cannot be taken out safely.
    #[error("attachment {number} of {note} cannot be given without what it may say of place and time: {why}")]
    NoCopy {
        /// The note's handle.
        note: String,
        /// The attachment's number.
        number: u32,
        /// Why.
        why: String,
    },
    /// It was sealed to others, or to keys that this member no longer has.
    #[error("no key that is here opens this in {of}")]
    NoKey {
        /// The case's handle.
        of: String,
    },
    /// The recovery key is not in this keystore: cards were made of it.
    #[error(
        "the recovery key is no longer in this keystore: cards were made of it (set {})",
        vault_core::recovery::grouped(set)
    )]
    NoRecoveryKey {
        /// The fingerprint of the set.
        set: String,
    },
    /// The folder for a vault holds something else.
    #[error("`{home}` is not empty")]
    NotEmpty {
        /// The folder.
        home: String,
    },
    /// What is to be imported is no JSON Lines.
    #[error("this is {found}, and an import takes JSON Lines: one JSON object a line")]
    NotLines {
        /// What it is, as far as its beginning tells.
        found: String,
    },
    /// There is no vault in the folder.
    #[error("there is no vault in `{home}`")]
    NoVault {
        /// The folder.
        home: String,
    },
    /// A note has no file of this number.
    #[error("note {note} has no attachment {number}")]
    NoAttachment {
        /// The note's handle.
        note: String,
        /// The number that was asked for.
        number: u32,
    },
    /// A note has no version of this number.
    #[error("note {note} has no version {version}: its newest is {newest}")]
    NoVersion {
        /// The note's handle.
        note: String,
        /// The number that was asked for.
        version: u32,
        /// The newest one.
        newest: u32,
    },
    /// Nothing has this handle, and something has one that is a slip away.
    #[error("there is no {what} `{text}`; near it: {}", near.join(", "))]
    NearMiss {
        /// What it should be: `case` or `note`.
        #[serde(with = "word")]
        what: Word,
        /// What was typed.
        text: String,
        /// Handles that are near it, the nearest first.
        near: Vec<String>,
    },
    /// Nothing has this handle.
    #[error("there is no {what} `{text}`")]
    NotFound {
        /// What it should be: `case`, `note`, `template`, `entry`.
        #[serde(with = "word")]
        what: Word,
        /// What was typed.
        text: String,
    },
    /// Something kept does not pass a check.
    #[error("{handle}: {} ({check})", check.cause())]
    Refused {
        /// The check that failed.
        #[serde(with = "check")]
        check: Check,
        /// What it concerns: a handle, or `store`, `keystore`.
        handle: String,
    },
    /// The store was written by a newer version.
    #[error("the store is of version {found}, and this program knows up to {known}")]
    TooNew {
        /// Its version.
        found: u32,
        /// The newest known.
        known: u32,
    },
    /// A server is of no use.
    #[error(transparent)]
    Server(#[from] ServerFault),
    /// It is not built yet.
    #[error("{what} is not available in this version")]
    Unavailable {
        /// What is not.
        #[serde(with = "word")]
        what: Word,
    },
    /// A name is none of those known.
    #[error("`{text}` is not a {what}: {}", known.join(", "))]
    Unknown {
        /// What it should be: `kind of note`, `section`, `purpose`.
        #[serde(with = "word")]
        what: Word,
        /// What was typed.
        text: String,
        /// Those known.
        known: Vec<String>,
    },
    /// The note was taken back; nothing of its text is left.
    #[error("note {note} was withdrawn")]
    Withdrawn {
        /// The note's handle.
        note: String,
    },
    /// This member's access to the case ended before it was shown what this is.
    #[error("{of} was not shown to you: your access to the case had ended when it was fetched")]
    NotShown {
        /// The record's handle.
        of: String,
    },
    /// It is too late to take the note back.
    #[error("note {note} can no longer be withdrawn: {why}")]
    WithdrawTooLate {
        /// The note's handle.
        note: String,
        /// Why: published, older than ten minutes, not one's own.
        why: String,
    },
    /// The passphrase is wrong or the keystore was changed; which, nobody is told.
    #[error("the vault does not open: wrong passphrase, or the keystore was changed (CHK-96)")]
    WrongPassphrase,
}

impl SessionError {
    /// Makes a refusal by `check` of what `of` names.
    pub fn refused(check: Check, of: impl ToString) -> Self {
        Self::Refused {
            check,
            handle: of.to_string(),
        }
    }

    /// Makes a refusal of a field of `json` that looks like a known one.
    pub(crate) fn misspelt(slip: &Misspelt, json: &str) -> Self {
        let (line, column) = slip.place(json);
        Self::Malformed {
            line,
            column,
            why: slip.to_string(),
        }
    }

    /// Returns what sort of refusal it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::AlreadyJoining { .. }
            | Self::Conflict { .. }
            | Self::NewerVersion { .. }
            | Self::SameMail { .. }
            | Self::SameNote { .. }
            | Self::SheetTaken => Kind::Conflict,
            Self::Server(fault) => fault.kind(),
            Self::Denied { .. } | Self::NotAdministrator { .. } => Kind::Denied,
            Self::Foreign { .. } | Self::Refused { .. } | Self::Sheet { .. } => Kind::Verification,
            Self::BackupLocked
            | Self::Card { .. }
            | Self::LockedMeanwhile
            | Self::NoKey { .. }
            | Self::NotEnrolled { .. }
            | Self::NoVault { .. }
            | Self::WrongPassphrase => Kind::Locked,
            Self::Unknown { .. } => Kind::Usage,
            Self::LogFailed { source } => match source.kind() {
                Kind::Verification => Kind::Verification,
                _ => Kind::Failed,
            },
            _ => Kind::Failed,
        }
    }

    /// Returns the code by which scripts know it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Agent { .. } => "agent",
            Self::AgentLost => "agent-lost",
            Self::AgentSilent { .. } => "agent-silent",
            Self::AlreadyInitialised { .. } => "already-initialised",
            Self::AlreadyJoining { .. } => "already-joining",
            Self::Ambiguous { .. } => "ambiguous-handle",
            Self::BackupLocked => "backup-locked",
            Self::Bug(_) => "bug",
            Self::Busy => "busy",
            Self::Cancelled => "cancelled",
            Self::Card { .. } => "recovery-card",
            Self::Clock { .. } => "clock",
            Self::Closed { .. } => "case-closed",
            Self::Conflict { .. } => "conflict",
            Self::Denied { .. } => "denied",
            Self::DiskFull => "disk-full",
            Self::Foreign { .. } => "foreign-store",
            Self::Io { .. } => "io",
            Self::KdfBounds => "kdf-bounds",
            Self::LockedMeanwhile => "locked",
            Self::LogFailed { .. } => "log-failed",
            Self::Loses { .. } => "loses-marks",
            Self::Malformed { .. } => "malformed",
            Self::NewerVersion { .. } => "newer-version",
            Self::NamesAnother { .. } => "names-another",
            Self::Paused { .. } => "paused",
            Self::Piped { .. } => "pipe-too-long",
            Self::SameMail { .. } => "same-mail",
            Self::SameNote { .. } => "same-note",
            Self::NoCopy { .. } => "no-copy",
            Self::NoKey { .. } => "no-key",
            Self::NoRecoveryKey { .. } => "no-recovery-key",
            Self::NotAdministrator { .. } => "not-administrator",
            Self::NotEmpty { .. } => "not-empty",
            Self::NotEnrolled { .. } => "not-enrolled",
            Self::NotLines { .. } => "not-lines",
            Self::Misfiled { .. } => "misfiled",
            Self::NoVault { .. } => "no-vault",
            Self::NearMiss { .. } | Self::NoAttachment { .. } | Self::NotFound { .. } | Self::NoVersion { .. } => {
                "not-found"
            }
            Self::Refused { .. } => "refused",
            Self::Server(fault) => fault.code(),
            Self::Sheet { .. } => "enrolment-sheet",
            Self::SheetOver { .. } => "sheet-over",
            Self::SheetTaken => "sheet-taken",
            Self::TooLong { .. } => "too-long",
            Self::TooNew { .. } => "store-too-new",
            Self::Unavailable { .. } => "unavailable",
            Self::Unknown { .. } => "unknown-name",
            Self::WithdrawTooLate { .. } => "too-late",
            Self::NotShown { .. } => "not-shown",
            Self::Withdrawn { .. } => "withdrawn",
            Self::WrongPassphrase => "wrong-passphrase",
        }
    }

    /// Makes a [`SessionError::Conflict`] of what conflicts with what, and what to do about it.
    pub(crate) fn conflict(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Conflict {
            what: what.into(),
            next: next.into(),
        }
    }

    /// Returns the check that failed, if one did.
    pub fn check(&self) -> Option<Check> {
        match self {
            Self::BackupLocked => Some(Check::BackupHead),
            Self::Card { check, .. } | Self::Sheet { check, .. } => Some(*check),
            Self::KdfBounds => Some(Check::KdfBounds),
            Self::LogFailed { source } => source.check(),
            Self::Refused { check, .. } => Some(*check),
            Self::Server(fault) => fault.check(),
            Self::WrongPassphrase => Some(Check::Keystore),
            _ => None,
        }
    }

    /// Says what to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Agent { .. } => "`casevault lock` ends it; `--no-agent` does without it".to_owned(),
            Self::AgentLost => "`casevault unlock` starts it anew. What only reads can be run again at once; before you run again what \
                                writes, look whether it is there (`casevault note list CASE`, `casevault case list`)"
                .to_owned(),
            Self::AgentSilent { process } => format!(
                "the vault is not locked: `casevault lock` again in a moment; `kill -KILL {process}` ends it whatever it does, \
                 and what was kept stays whole"
            ),
            Self::AlreadyInitialised { .. } => {
                "use another folder with `--home DIR`; nothing here was changed".to_owned()
            }
            Self::AlreadyJoining { .. } => {
                "finish that one with its own sheet, or name another folder with `--home DIR`".to_owned()
            }
            Self::Ambiguous { .. } => "type more of the handle".to_owned(),
            Self::Bug(_) => {
                "please report it, without any client's data; `casevault verify` tells whether the vault is whole"
                    .to_owned()
            }
            Self::BackupLocked => {
                "type the passphrase that the vault had when the backup was made, or use `casevault recovery restore` with \
                 the cards"
                    .to_owned()
            }
            Self::Busy => "wait until it has ended, then try again".to_owned(),
            Self::Cancelled => {
                "what was kept before stays and is whole; run the same command again to go on".to_owned()
            }
            Self::Card { check, .. } => match check {
                Check::CardsMissing => "ask another trustee for a card".to_owned(),
                Check::CardRepeated => "name each card once".to_owned(),
                Check::CardStale => {
                    "after a recovery run the old cards open only backups from before it; use cards of the set that the \
                     backup names, or an older backup"
                        .to_owned()
                }
                Check::CardSet => "take cards of one set only: its fingerprint is on each of them".to_owned(),
                _ => "compare what was typed with the card, word by word".to_owned(),
            },
            Self::Clock { .. } => "set the clock, then run it again; nothing was saved".to_owned(),
            Self::Closed { .. } => "open it again with `casevault case reopen`, or choose another with `casevault case list`".to_owned(),
            Self::Conflict { next, .. } => format!("nothing was done; {next}"),
            Self::Denied { hint, .. } => hint.clone(),
            Self::DiskFull => "free some space and run the same command again; nothing acknowledged is lost".to_owned(),
            Self::Foreign { .. } => "choose the right folder with `--home DIR`".to_owned(),
            Self::Io { source, .. } => io_hint(source).to_owned(),
            Self::KdfBounds => "give memory from 64MiB to 2GiB, passes from 3 to 10, lanes from 1 to 16".to_owned(),
            Self::LockedMeanwhile => "nothing was done; `casevault unlock`, then run it again".to_owned(),
            Self::LogFailed { source } => source.hint(),
            Self::Loses { .. } => "nothing was changed; say it once more with what is to stay".to_owned(),
            Self::Malformed { .. } => "correct it there and try again; nothing was saved".to_owned(),
            Self::NewerVersion { note, .. } => {
                format!("nothing was saved; open the newest with `casevault note amend {note}`, and write it there")
            }
            Self::NamesAnother { instead, .. } => format!("nothing was changed; without the name: `{instead}`"),
            Self::Paused { .. } => "nothing was changed".to_owned(),
            Self::Piped { .. } => "save it as a file, which is read twice and kept all or not at all; or take the good lines as they come with `--keep-going`".to_owned(),
            Self::SameMail { note } => format!("`casevault note show {note}` shows it; nothing was filed a second time"),
            Self::SameNote { note } => format!("`casevault note show {note}` shows it; what you wrote was not saved a second time"),
            Self::NoAttachment { note, .. } => format!("`casevault note attach {note} --list` shows what is attached"),
            Self::NoVersion { note, .. } => format!("`casevault note history {note}` shows every version"),
            Self::NoKey { .. } => {
                "it is others', or from before you began anew: a backup of yours from then opens it (`member join --backup FILE`), \
                 or whoever holds it grants it again"
                    .to_owned()
            }
            Self::NoCopy { .. } => {
                "`--original` gives the untouched file with all that it says; the log has it as such".to_owned()
            }
            Self::NoRecoveryKey { .. } => {
                "`casevault recovery check --cards F,F` tells whether cards are of that set; where too many are lost, \
                 `casevault recovery split --new-key` makes a new key with new cards"
                    .to_owned()
            }
            Self::NotAdministrator { .. } => {
                "`casevault member list` shows who administers the agency; nothing was changed".to_owned()
            }
            Self::NotEnrolled { .. } => {
                "once it is approved, `casevault sync` finishes it; nothing was lost meanwhile".to_owned()
            }
            Self::Sheet { .. } => {
                "compare it with the paper, row by row: each row has its own check; nothing was sent".to_owned()
            }
            Self::SheetOver { .. } => "ask whoever made it for a new one; nothing was sent".to_owned(),
            Self::SheetTaken => {
                "tell whoever made it at once: they compare the code that they see with yours and do not approve; take a new \
                 sheet"
                    .to_owned()
            }
            Self::NotEmpty { .. } => "name a folder that is empty or not there yet with `--home DIR`".to_owned(),
            Self::NotLines { .. } => {
                "nothing was kept; `casevault export --format jsonl` writes such lines, and docs/notes.md shows them"
                    .to_owned()
            }
            Self::Misfiled { note } => {
                format!(
                    "it is neither amended nor withdrawn any more: its words stay under the mark until a second person has them \
                     erased; the right case's own note is the one to amend, and where none has it yet, `casevault note misfiled \
                     {note} --to CASE` puts it there on the device that hid it; `casevault note show {note} --misfiled` shows it \
                     all the same, and the reading is logged"
                )
            }
            Self::NoVault { .. } => {
                "make one with `casevault init --agency NAME --name NAME`, or name its folder with `--home DIR`"
                    .to_owned()
            }
            Self::NotFound { what, .. } | Self::NearMiss { what, .. } => match *what {
                "case" => "`casevault case list` shows your cases".to_owned(),
                "note" => "`casevault note list CASE` shows a case's notes".to_owned(),
                "template" => "`casevault template list` shows the templates".to_owned(),
                "draft" => "`casevault status` counts the drafts, `casevault note draft` lists them".to_owned(),
                "jot" => "`casevault note jot --list` shows the jots".to_owned(),
                "entry" => "`casevault log list` shows the entries".to_owned(),
                "member" | "invite" => "`casevault member list` shows the members and who is invited".to_owned(),
                "device" => "`casevault device list` shows the devices and which wait".to_owned(),
                _ => "check what was typed".to_owned(),
            },
            Self::Refused {
                check: Check::BackupTruncated | Check::BackupContent,
                ..
            } => "take another copy of the backup; nothing was restored from this one".to_owned(),
            Self::Refused { handle, .. } if handle == "backup" => {
                "this is no backup, or not as it was written: take another copy; nothing was restored from this one"
                    .to_owned()
            }
            Self::Refused { .. } => {
                "do not rely on it; keep a copy of the folder, run `casevault verify`, and restore from a backup"
                    .to_owned()
            }
            Self::TooLong { .. } => "split it into smaller ones".to_owned(),
            Self::TooNew { .. } => "use the newer version of casevault that wrote it".to_owned(),
            Self::Server(fault) => fault.hint(),
            Self::Unavailable { .. } => "`casevault help` lists what there is".to_owned(),
            Self::Unknown { what, .. } => match *what {
                "kind of note" => "`casevault template list` shows which template defines which kinds".to_owned(),
                "reason for closing" => "`casevault template show TEMPLATE` says what each means; what fits none goes into the outcome, with `other`".to_owned(),
                _ => "choose one of those".to_owned(),
            },
            Self::WithdrawTooLate { note, .. } => {
                format!(
                    "`casevault note amend {note}` corrects it, and its old words stay struck in its history; where it stands in \
                     the wrong person's file, `casevault note misfiled {note}` hides it"
                )
            }
            Self::NotShown { .. } => {
                "whoever holds the case has it; `casevault sync` fetches it once you are let in again".to_owned()
            }
            Self::Withdrawn { .. } => {
                "its text is erased for good; `casevault note list CASE` lists those that are there".to_owned()
            }
            Self::WrongPassphrase => {
                "try again, and look at Caps Lock; nobody can reset a passphrase, but a backup opens with its recovery cards"
                    .to_owned()
            }
        }
    }
}

/// Says what to do about what the system refused.
pub(crate) fn io_hint(error: &io::Error) -> &'static str {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::AlreadyExists => "choose another name, or move what is there out of the way",
        Kind::InvalidInput => "name a plain file, or one that is not there yet",
        Kind::IsADirectory => "name a file in it: this is a folder",
        Kind::NotADirectory => "name a folder: this is a file",
        Kind::NotFound => "check the name: nothing is there",
        Kind::PermissionDenied => "choose a place that is yours to use, or ask whom it belongs to",
        Kind::ReadOnlyFilesystem => "choose a place that can be written to",
        Kind::QuotaExceeded | Kind::StorageFull => "free some space and run the same command again",
        Kind::TimedOut | Kind::WouldBlock => "try again in a moment",
        _ => "check that the file or folder is there and yours to use",
    }
}

/// A failure of the system on its way between processes: its number where it has one, and its words.
mod io_error {
    use serde::Deserialize;
    use serde::Deserializer;
    use serde::Serialize;
    use serde::Serializer;
    use std::io;

    #[derive(Serialize, Deserialize)]
    struct Carried {
        number: Option<i32>,
        words: String,
    }

    pub(super) fn serialize<S: Serializer>(error: &io::Error, serializer: S) -> Result<S::Ok, S::Error> {
        let (number, words) = (error.raw_os_error(), error.to_string());
        Carried { number, words }.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<io::Error, D::Error> {
        let carried = Carried::deserialize(deserializer)?;
        Ok(match carried.number {
            Some(number) => io::Error::from_raw_os_error(number),
            None => io::Error::other(carried.words),
        })
    }
}

/// A check on its way between processes: by its number.
mod check {
    use serde::Deserialize;
    use serde::Deserializer;
    use serde::Serializer;
    use serde::de::Error;
    use vault_core::check::Check;

    pub(super) fn serialize<S: Serializer>(check: &Check, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(check.number())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Check, D::Error> {
        let number = u8::deserialize(deserializer)?;
        let known = Check::ALL.iter().find(|check| check.number() == number);
        known
            .copied()
            .ok_or_else(|| D::Error::custom("no check has this number"))
    }
}

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy,
            StoreError::Full => Self::DiskFull,
            StoreError::Foreign { path, .. } => Self::Foreign {
                path: path.display().to_string(),
            },
            StoreError::Refused { cause, of } => Self::Refused {
                check: cause.check,
                handle: of,
            },
            StoreError::TooNew { found, known } => Self::TooNew {
                found: found.unsigned_abs(),
                known: known.unsigned_abs(),
            },
            StoreError::Bug(what) => Self::Bug(what),
            other
            @ (StoreError::Exists(_) | StoreError::Io { .. } | StoreError::NotFound(_) | StoreError::ReadOnly) => {
                Self::Io {
                    doing: "the store".to_owned(),
                    source: io::Error::other(other.to_string()),
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_check_and_a_failed_log_its_cause() {
        let refused = SessionError::Refused {
            check: Check::StreamHead,
            handle: "c-7fk2m9qd".into(),
        };
        assert_eq!(
            refused.to_string(),
            "c-7fk2m9qd: stream is not the one whose head was kept (CHK-100)"
        );
        assert_eq!(refused.kind(), Kind::Verification);
        let full = SessionError::LogFailed {
            source: Box::new(SessionError::DiskFull),
        };
        assert_eq!((full.kind(), full.check()), (Kind::Failed, None));
        assert_eq!(SessionError::WrongPassphrase.kind(), Kind::Locked);
        let conflict = SessionError::conflict("note n-1 has 2 undone steps", "say which: n-1:1, n-1:2");
        assert_eq!(conflict.hint(), "nothing was done; say which: n-1:1, n-1:2");
    }
}
