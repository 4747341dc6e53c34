//! What a vault holds, read without its passphrase's cost: everything that a person could see, and every entry that says
//! so.
//!
//! Two states are compared as values. Ids and moments that were not there before are written as such, because no run
//! draws the same twice.

use crate::vault::PASSPHRASE;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;
use vault_cli::places::Places;
use vault_cli::session::Cancel;
use vault_cli::session::Session;
use vault_cli::session::Silent;
use vault_cli::session::Task;
use vault_cli::session::request::CaseListRequest;
use vault_cli::session::request::CaseShowRequest;
use vault_cli::session::request::DraftListRequest;
use vault_cli::session::request::DraftShowRequest;
use vault_cli::session::request::ExportFormat;
use vault_cli::session::request::ExportRequest;
use vault_cli::session::request::JotListRequest;
use vault_cli::session::request::LogListRequest;
use vault_cli::session::request::LogVerifyRequest;
use vault_cli::session::request::NoteAttachmentRequest;
use vault_cli::session::request::NoteAttachmentsRequest;
use vault_cli::session::request::NoteHistoryRequest;
use vault_cli::session::request::NoteListRequest;
use vault_cli::session::request::NoteShowRequest;
use vault_cli::session::request::ReadPurpose;
use vault_core::keystore;
use vault_core::keystore::Secrets;
use vault_core::keystore::Unlocked;

/// The passphrase that a passphrase is changed to.
pub const NEW_PASSPHRASE: &str = "nine loud herons over the mill";

/// What opens copies of one vault without deriving the passphrase's key again.
pub struct Keys(Option<Unlocked>);

impl Keys {
    /// Opens the keystore of a vault, if there is one.
    pub fn of(home: &Path) -> Self {
        let file = std::fs::read(home.join("keystore"));
        let opened = file.ok().map(|file| keystore::unlock(&file, PASSPHRASE));
        Self(opened.map(|opened| opened.expect("the passphrase opens it").0))
    }

    /// Opens the keystore; tells which passphrase does.
    fn open(&self, file: &[u8]) -> Result<(Unlocked, Secrets, &'static str), String> {
        if let Some(unlocked) = &self.0
            && let Ok(secrets) = keystore::reopen(file, unlocked)
        {
            return Ok((unlocked.duplicate(), secrets, "the old one"));
        }
        for (passphrase, which) in [(PASSPHRASE, "the old one"), (NEW_PASSPHRASE, "the new one")] {
            if let Ok((unlocked, secrets)) = keystore::unlock(file, passphrase) {
                return Ok((unlocked, secrets, which));
            }
        }
        Err("no passphrase opens the keystore".to_owned())
    }

    /// Opens a vault.
    ///
    /// # Errors
    /// Why it does not open, in words.
    pub fn session(&self, home: &Path) -> Result<(Session, &'static str, bool), String> {
        let file = std::fs::read(home.join("keystore")).map_err(|e| format!("keystore: {e}"))?;
        let (unlocked, secrets, which) = self.open(&file)?;
        let waits = secrets.recovery.is_some();
        let places = Places::find(Some(home)).map_err(|e| e.to_string())?;
        let session = Session::with_keystore(&places, unlocked, secrets);
        Ok((session.map_err(|e| format!("does not open: {e}"))?, which, waits))
    }
}

/// An entry of the access log: what was done, to what.
pub type Entry = String;

/// What a vault holds.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Everything that could be seen.
    pub body: Value,
    /// The access log, the oldest entry first.
    pub entries: Vec<Entry>,
    /// Files that no finished command leaves.
    pub left: Vec<String>,
}

/// Files of a vault's folder, and what begins so.
const KNOWN: [&str; 9] = [
    "agent",
    "agent.lock",
    "attachments",
    "keystore",
    "recovery-set",
    "tries",
    "vault.db",
    "vault.db-reserve",
    "vault.db-shm",
];

impl State {
    /// Reads a vault in `home`, and the files that commands wrote to `out`; verifies all of it. Reading writes entries of
    /// its own: only of copies.
    ///
    /// # Errors
    /// What does not hold, in words.
    pub fn read(home: &Path, out: &Path, keys: &Keys) -> Result<Self, String> {
        let files = files_of(out);
        if !home.join("keystore").exists() {
            return Ok(Self {
                body: json!({ "vault": null, "out": files }),
                entries: Vec::new(),
                left: Vec::new(),
            });
        }
        let (mut session, passphrase, recovery_waits) = keys.session(home)?;
        let entries = entries(&mut session)?;
        let cancel = Cancel::default();
        let task = Task {
            progress: &Silent,
            cancel: &cancel,
        };
        let mut attachments = 0;
        for (what, reply) in [
            ("verify", session.verify(task)),
            ("log verify", session.log_verify(LogVerifyRequest::default(), task)),
        ] {
            let reply = reply.map_err(|e| format!("{what}: {e}"))?;
            if !reply.failures.is_empty() {
                return Err(format!("{what} fails: {}", value(&reply)?["failures"]));
            }
            attachments += reply.attachments;
        }
        let mut body = seen(&mut session, task)?;
        drop(session);
        body["out"] = files;
        body["passphrase"] = json!(passphrase);
        body["recovery key waits"] = json!(recovery_waits);
        if recovery_waits && let Some(out) = body["out"].as_object_mut() {
            // Cards that were never proved are of no use, and `status` says that the key waits.
            out.remove("cards");
        }
        body["cards are known"] = json!(home.join("recovery-set").exists());
        let here: BTreeSet<String> = names(home);
        let files = names(&home.join("attachments")).len() as u64;
        if attachments != files {
            return Err(format!("{files} files for {attachments} attachments"));
        }
        let left = here.into_iter().filter(|name| !KNOWN.contains(&name.as_str()));
        Ok(Self {
            body,
            entries,
            left: left.collect(),
        })
    }

    /// Returns the ids that are in it.
    pub fn ids(&self) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        let text = self.body.to_string();
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
            if is_id(word) {
                ids.insert(word.to_owned());
            }
        }
        ids
    }

    /// Writes ids that are none of `known` as new, moments as moments, and lists in an order of their own.
    #[must_use]
    pub fn as_seen_from(&self, known: &BTreeSet<String>) -> Self {
        Self {
            body: plain(&self.body, known),
            ..self.clone()
        }
    }
}

/// Reads the access log; the entry of this very reading is left out.
fn entries(session: &mut Session) -> Result<Vec<Entry>, String> {
    let log = session.log_list(LogListRequest {
        case: None,
        since: None,
        limit: None,
        purpose: ReadPurpose::default(),
    });
    let log = log.map_err(|e| format!("log list: {e}"))?;
    if log.entries.len() as u64 != log.total {
        return Err(format!("{} entries of {} are listed", log.entries.len(), log.total));
    }
    let of = |entry: &vault_cli::session::reply::LogEntry| {
        format!("{} {}", entry.operation, entry.scope.as_deref().unwrap_or("-"))
    };
    Ok(log.entries.iter().skip(1).rev().map(of).collect())
}

fn value<T: Serialize>(reply: &T) -> Result<Value, String> {
    serde_json::to_value(reply).map_err(|e| e.to_string())
}

/// Everything that a person could see.
fn seen(session: &mut Session, task: Task<'_>) -> Result<Value, String> {
    let purpose = ReadPurpose::default;
    let mut cases = Vec::new();
    let list = session.case_list(CaseListRequest {
        status: None,
        purpose: purpose(),
    });
    for row in list.map_err(|e| format!("case list: {e}"))?.cases {
        let case = row.case.clone();
        let failed = |e| format!("{case}: {e}");
        let show = CaseShowRequest {
            case: case.clone(),
            all: false,
            purpose: purpose(),
        };
        let mut shown = value(&session.case_show(show).map_err(failed)?)?;
        let mut notes = Vec::new();
        for misfiled in [false, true] {
            let list = session.note_list(NoteListRequest {
                case: case.clone(),
                misfiled,
                ..NoteListRequest::default()
            });
            for row in list.map_err(failed)?.notes {
                let (note, mut about) = (row.head.note.clone(), value(&row)?);
                about["misfiled"] = json!(misfiled);
                if misfiled {
                    let show = NoteShowRequest {
                        note: note.clone(),
                        misfiled,
                        ..NoteShowRequest::default()
                    };
                    about["shown"] = value(&session.note_show(show).map_err(failed)?)?;
                    notes.push(about);
                    continue;
                }
                let history = NoteHistoryRequest {
                    note: note.clone(),
                    purpose: purpose(),
                };
                about["history"] = value(&session.note_history(history).map_err(failed)?)?;
                let files = NoteAttachmentsRequest {
                    note: note.clone(),
                    purpose: purpose(),
                };
                let files = session.note_attachments(files).map_err(failed)?;
                for file in &files.attachments {
                    let mut bytes = Vec::new();
                    let request = NoteAttachmentRequest {
                        note: note.clone(),
                        number: file.attachment,
                        original: true,
                        removed: true,
                        purpose: purpose(),
                    };
                    session
                        .note_attachment(request, &mut bytes, task)
                        .map_err(|e| format!("{note} attachment {}: {e}", file.attachment))?;
                    if bytes.len() as u64 != file.length {
                        return Err(format!("{note} attachment {}: {} bytes", file.attachment, bytes.len()));
                    }
                }
                about["attachments"] = value(&files)?;
                notes.push(about);
            }
        }
        shown["notes listed"] = json!(notes);
        cases.push(shown);
    }
    let mut drafts = Vec::new();
    let list = session.draft_list(DraftListRequest { of: None });
    for row in list.map_err(|e| format!("drafts: {e}"))?.drafts {
        let draft = session.draft_show(DraftShowRequest { draft: row.draft });
        drafts.push(value(&draft.map_err(|e| format!("draft: {e}"))?)?);
    }
    let jots = session.jot_list(JotListRequest::default());
    let breaches = session.breach_list(vault_cli::session::request::BreachListRequest {});
    let mut lines = Vec::new();
    let export = ExportRequest {
        case: None,
        format: ExportFormat::Jsonl,
        with_marked: false,
        purpose: purpose(),
    };
    session
        .export(export, &mut lines, task)
        .map_err(|e| format!("export: {e}"))?;
    let lines: Vec<Value> = crate::vault::lines(&lines);
    Ok(json!({
        "cases": cases,
        "drafts": drafts,
        "jots": value(&jots.map_err(|e| format!("jots: {e}"))?)?,
        "breaches": value(&breaches.map_err(|e| format!("breaches: {e}"))?)?,
        "lines": lines,
    }))
}

fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(found) = std::fs::read_dir(folder) else {
        return BTreeSet::new();
    };
    let name = |entry: std::io::Result<std::fs::DirEntry>| Some(entry.ok()?.file_name().to_string_lossy().into_owned());
    found.filter_map(name).collect()
}

/// The files that commands wrote: texts whole, others by their presence, because a backup is greased.
fn files_of(out: &Path) -> Value {
    let mut files = serde_json::Map::new();
    for name in names(out) {
        let path = out.join(&name);
        if path.is_dir() {
            files.insert(name, files_of(&path));
            continue;
        }
        let bytes = std::fs::read(&path).expect("reads what was written");
        // The words of cards are drawn anew each time.
        let said = match String::from_utf8(bytes) {
            Ok(text) if !name.starts_with("card-") => json!(text),
            _ => json!("some bytes"),
        };
        files.insert(name, said);
    }
    Value::Object(files)
}

/// `c-7fk2m9qd`, a whole id, or a random mark in hex.
fn is_id(word: &str) -> bool {
    if word.len() == 32 && word.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')) {
        return true;
    }
    let mut letters = word.chars();
    let kind = letters.next().is_some_and(|c| c.is_ascii_lowercase());
    let dash = letters.next() == Some('-');
    let rest = letters.as_str();
    kind && dash && matches!(rest.len(), 8 | 26) && rest.chars().all(|c| c.is_ascii_digit() || c.is_ascii_lowercase())
}

/// `2026-03-12T14:05:00Z`
fn is_moment(word: &str) -> bool {
    let bytes = word.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    digit(0) && bytes.get(4) == Some(&b'-') && bytes.get(10) == Some(&b'T') && digit(11)
}

/// A day on which this process ran: a run that goes on over midnight writes another one than the run before it.
fn is_day_of_run(word: &str) -> bool {
    static BEGAN: OnceLock<Date> = OnceLock::new();
    let today = jiff::Zoned::now().date();
    let began = *BEGAN.get_or_init(|| today);
    word.parse::<Date>().is_ok_and(|day| (began..=today).contains(&day))
}

fn plain(value: &Value, known: &BTreeSet<String>) -> Value {
    match value {
        Value::String(text) => Value::String(plain_text(text, known)),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| plain(item, known)).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(members) => {
            let plain = |(name, value): (&String, &Value)| match name.as_str() {
                // Between two moments that no run shares.
                "lag" | "lag_minutes" => (name.clone(), Value::String("(moment)".to_owned())),
                _ => (plain_text(name, known), plain(value, known)),
            };
            Value::Object(members.iter().map(plain).collect())
        }
        other => other.clone(),
    }
}

fn plain_text(text: &str, known: &BTreeSet<String>) -> String {
    let part_of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !part_of_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if is_moment(word) {
            out.push_str("(moment)");
        } else if is_day_of_run(word) {
            out.push_str("(day)");
        } else if is_id(word.trim_end_matches(['.', ':'])) && !known.contains(word.trim_end_matches(['.', ':'])) {
            out.push_str("(new)");
        } else {
            out.push_str(word);
        }
        let mut letters = after.chars();
        out.extend(letters.next());
        rest = letters.as_str();
    }
    out
}

/// Names the first places where two values differ.
pub fn difference(a: &Value, b: &Value) -> String {
    let mut found = Vec::new();
    differ(a, b, "", &mut found);
    found.truncate(6);
    found.join("; ")
}

fn differ(a: &Value, b: &Value, at: &str, found: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let names: BTreeSet<&String> = x.keys().chain(y.keys()).collect();
            for name in names {
                let none = Value::Null;
                let (left, right) = (x.get(name).unwrap_or(&none), y.get(name).unwrap_or(&none));
                differ(left, right, &format!("{at}/{name}"), found);
            }
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            for (n, (left, right)) in x.iter().zip(y).enumerate() {
                differ(left, right, &format!("{at}/{n}"), found);
            }
        }
        (Value::Array(x), Value::Array(y)) => found.push(format!("{at}: {} items, {} items", x.len(), y.len())),
        (a, b) if a != b => {
            let cut = |v: &Value| v.to_string().chars().take(90).collect::<String>();
            found.push(format!("{at}: {} / {}", cut(a), cut(b)));
        }
        _ => {}
    }
}
