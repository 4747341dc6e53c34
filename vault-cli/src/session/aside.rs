//! What was set aside: links that were written here and have no place any more since others wrote.
//!
//! ```text
//! sync ─ a check refuses what waits ─> parcel and, of a note's record, its key ─> a local sealed value
//! note aside ─> listed, shown ─> written again as a new note, or dropped with a reason
//! ```
//! Each is a local sealed value (`docs/format.md` §12), on this device alone.

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::case_record;
use super::logging::Intent;
use super::reading;
use super::reply::ASIDE_DISCARD;
use super::reply::ASIDE_LIST;
use super::reply::ASIDE_RESTORE;
use super::reply::ASIDE_SHOW;
use super::reply::AsideDiscardReply;
use super::reply::AsideListReply;
use super::reply::AsideRestoreReply;
use super::reply::AsideRow;
use super::reply::AsideShowReply;
use super::request::AsideDiscardRequest;
use super::request::AsideListRequest;
use super::request::AsideRestoreRequest;
use super::request::AsideShowRequest;
use super::request::ReadPurpose;
use crate::store::ReadTx;
use crate::store::WriteTx;
use data_encoding::BASE64;
use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde::Serialize;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::LinkId;
use vault_core::note::Note;
use vault_core::note::mark::Marks;
use vault_core::parcel::OpenParcel;
use vault_core::parcel::OpenRecord;
use vault_core::secret::RecordKey;
use vault_core::wire;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::sync::Parcel;
use zeroize::Zeroizing;

/// Names of the local values begin so; the link's id follows, in hex.
pub(super) const PREFIX: &str = "aside:";
const SCHEMA: &str = "casevault.aside/1";
/// Characters of a link's id that name what was set aside.
const NAMED_BY: usize = 8;

/// The value `casevault.aside/1`.
#[derive(Serialize, Deserialize)]
struct Kept {
    schema: String,
    /// The number of the check that refused it.
    check: u8,
    /// A `Parcel`, in base64.
    parcel: String,
    /// The key of the record that its link places, in base64.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    key: Option<String>,
}

/// Something that was set aside.
struct Aside {
    name: String,
    check: Option<Check>,
    parcel: OpenParcel,
    key: Option<RecordKey>,
}

impl Aside {
    fn handle(&self) -> String {
        handle_of(&self.name)
    }

    fn case(&self) -> Option<CaseId> {
        self.parcel.link().link().stream.as_case()
    }

    /// Opens the note that its link places; nothing of anything else, or where no key was kept.
    fn note(&self) -> Result<Option<Note>> {
        let ([OpenRecord::Kept { record, .. }], Some(key)) = (self.parcel.records(), &self.key) else {
            return Ok(None);
        };
        let header = record.header();
        if !reading::holds_notes(header) {
            return Ok(None);
        }
        let handle = header.record.handle();
        // It was signed and sealed here.
        let record = record.clone().verified_at_entry();
        let payload = record.open(key).map_err(super::refused(&handle))?;
        reading::parse(payload.bytes(), &handle).map(Some)
    }

    fn row(&self) -> AsideRow {
        let link = self.parcel.link().link();
        let record = self.parcel.records().first();
        let is_note = record.is_some_and(|record| reading::holds_notes(record.header()));
        AsideRow {
            aside: self.handle(),
            case: self.case().map(|case| case.handle()),
            note: record.filter(|_| is_note).map(|record| record.header().record.handle()),
            stream: link.stream.to_string(),
            can_be_restored: is_note && self.key.is_some() && record.is_some_and(|record| record.header().version == 1),
            check: self.check.map(Check::number),
            why: self.check.map(|check| check.cause().to_owned()),
        }
    }
}

/// Keeps a link with everything that it names, and the key of the record that it places.
pub(super) fn keep(
    tx: &mut WriteTx<'_>,
    link: LinkId,
    parcel: &Parcel,
    key: Option<&RecordKey>,
    check: Check,
) -> Result<()> {
    let bytes = wire::encode(parcel).map_err(super::refused("aside"))?;
    let kept = Kept {
        schema: SCHEMA.to_owned(),
        check: check.number(),
        parcel: BASE64.encode(&bytes),
        key: key.map(|key| BASE64.encode(key.expose())),
    };
    let value = Zeroizing::new(case_record::to_json(&kept)?);
    Ok(tx.put_local(&format!("{PREFIX}{}", HEXLOWER.encode(&link.0)), &value)?)
}

/// Returns what names a local value: the first characters of the link's id.
fn handle_of(name: &str) -> String {
    name.chars().skip(PREFIX.len()).take(NAMED_BY).collect()
}

/// Names all of it.
pub(super) fn names(tx: &ReadTx<'_>) -> Result<Vec<String>> {
    Ok(tx.local_names(PREFIX)?.iter().map(|name| handle_of(name)).collect())
}

/// The words of a note, by segments: behind for whom they are not, what they are, and whose.
fn words(note: &Note) -> Vec<String> {
    let said = note.segments.iter().filter(|segment| !segment.text.trim().is_empty());
    said.map(|segment| {
        let who = segment.speaker.as_deref().or(segment.from.as_deref());
        let who = who.map_or_else(String::new, |who| format!(" {who}"));
        let (marks, kind) = (Marks::of(segment), segment.kind.as_str());
        format!("{marks}{kind}{who}: {}", segment.text.trim())
    })
    .collect()
}

/// Tells whether a note says no more than what its author wrote just then: what an amendment, an import, a re-filing or a part
/// of another note says of itself would not be true of a new one.
fn stands_alone(note: &Note) -> bool {
    note.parts.is_empty()
        && note.main_section.is_none()
        && note.imported.is_none()
        && note.refiled.is_none()
        && note.misfiled.is_none()
        && note.joined.is_none()
}

fn all(tx: &ReadTx<'_>) -> Result<Vec<Aside>> {
    tx.local_names(PREFIX)?.into_iter().map(|name| read(tx, name)).collect()
}

fn read(tx: &ReadTx<'_>, name: String) -> Result<Aside> {
    let malformed = || SessionError::refused(Check::LocalValue, &name);
    let value = tx.local(&name)?.ok_or_else(malformed)?;
    // A version before this one kept the parcel alone.
    let (check, bytes, key) = match serde_json::from_slice::<Kept>(&value) {
        Ok(kept) if kept.schema == SCHEMA => {
            let parcel = BASE64.decode(kept.parcel.as_bytes()).map_err(|_| malformed())?;
            let key = match &kept.key {
                Some(key) => {
                    let bytes = Zeroizing::new(BASE64.decode(key.as_bytes()).map_err(|_| malformed())?);
                    let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| malformed())?;
                    Some(RecordKey::from_bytes(bytes))
                }
                None => None,
            };
            let check = Check::ALL.iter().copied().find(|check| check.number() == kept.check);
            (check, parcel, key)
        }
        _ => (None, value.to_vec(), None),
    };
    let parcel: Parcel = wire::decode(&bytes, limit::APPEND).map_err(|_| malformed())?;
    let parcel = OpenParcel::open(parcel).map_err(|_| malformed())?;
    Ok(Aside {
        name,
        check,
        parcel,
        key,
    })
}

fn resolve(tx: &ReadTx<'_>, text: &str) -> Result<Aside> {
    let names = tx.local_names(PREFIX)?.into_iter();
    let wanted = text.to_ascii_lowercase();
    let mut found: Vec<String> = names
        .filter(|name| name.get(PREFIX.len()..).is_some_and(|id| id.starts_with(&wanted)))
        .collect();
    let not_found = || SessionError::NotFound {
        what: "set-aside entry",
        text: text.to_owned(),
    };
    match (found.pop(), found.is_empty()) {
        (Some(only), true) if !wanted.is_empty() => read(tx, only),
        (Some(_), false) => Err(SessionError::Ambiguous {
            text: text.to_owned(),
            candidates: Vec::new(),
        }),
        _ => Err(not_found()),
    }
}

impl Session {
    /// Lists what was set aside, and opens none of it.
    ///
    /// # Errors
    /// [`SessionError::Refused`] (CHK-103).
    pub fn aside_list(&mut self, _: AsideListRequest) -> Result<AsideListReply> {
        let all = self.store.read(all)?;
        Ok(AsideListReply {
            schema: ASIDE_LIST,
            aside: all.iter().map(Aside::row).collect(),
        })
    }

    /// Shows what was set aside.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`].
    pub fn aside_show(&mut self, request: AsideShowRequest) -> Result<AsideShowReply> {
        let aside = self.store.read(|tx| resolve(tx, &request.aside))?;
        self.log_aside(&aside, "set aside", &request.purpose)?;
        Ok(AsideShowReply {
            schema: ASIDE_SHOW,
            row: aside.row(),
            text: aside.note()?.map_or_else(Vec::new, |note| words(&note)),
        })
    }

    /// Writes a note that was set aside again, as a new one of its case.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`]; [`SessionError::Conflict`] for what is no note; what writing
    /// refuses, and then it stays aside.
    pub fn aside_restore(&mut self, request: AsideRestoreRequest) -> Result<AsideRestoreReply> {
        let aside = self.store.read(|tx| resolve(tx, &request.aside))?;
        self.log_aside(&aside, "set aside", &ReadPurpose::default())?;
        let note = match aside.row().can_be_restored {
            true => aside.note()?.filter(stands_alone),
            false => None,
        };
        let (Some(case), Some(mut note)) = (aside.case(), note) else {
            return Err(SessionError::conflict(
                format!(
                    "{} is no whole note of its own that can be written again",
                    aside.handle()
                ),
                "`casevault note aside --show` shows it; make the change again by its own command, and drop this with \
                 `casevault note aside --discard`",
            ));
        };
        self.writable_case(&case.to_string())?;
        note.id.clear();
        let written = self.write(|holder: &mut Holder, tx| {
            let mut keys = holder.case_keys(tx, case)?;
            let written = holder.put_note(tx, &mut keys, note, None)?;
            match tx.remove_local(&aside.name)? {
                true => Ok(written),
                // Another window did it meanwhile: the same words are not to stand on the file twice.
                false => Err(SessionError::NotFound {
                    what: "set-aside entry",
                    text: aside.handle(),
                }),
            }
        })?;
        Ok(AsideRestoreReply {
            schema: ASIDE_RESTORE,
            aside: aside.handle(),
            note: written.record.handle(),
            case: case.handle(),
        })
    }

    /// Drops what was set aside, for a reason, which goes into the log.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`].
    pub fn aside_discard(&mut self, request: AsideDiscardRequest) -> Result<AsideDiscardReply> {
        let aside = self.store.read(|tx| resolve(tx, &request.aside))?;
        let purpose = ReadPurpose {
            code: None,
            reason: Some(request.reason),
        };
        self.log_aside(&aside, "set aside, discarded", &purpose)?;
        self.store
            .write(|tx| -> Result<()> { Ok(tx.remove_local(&aside.name).map(|_| ())?) })?;
        Ok(AsideDiscardReply {
            schema: ASIDE_DISCARD,
            aside: aside.handle(),
        })
    }

    fn log_aside(&mut self, aside: &Aside, scope: &str, purpose: &ReadPurpose) -> Result<()> {
        let records: Vec<_> = aside.parcel.records().iter().map(|one| one.header().record).collect();
        self.log(&Intent {
            operation: AccessOperation::Open,
            case: aside.case(),
            records: records.get(..1).unwrap_or_default(),
            scope: Some(scope),
            purpose,
        })?;
        Ok(())
    }
}
