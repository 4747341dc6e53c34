//! Opening notes for a reader: one note by its record, or all of a case over both cores.
//!
//! Everything here asks for [`Logged`]. A bulk read rebuilds the stream's chain up to its authenticated head; a single
//! read checks the author's signature instead (`docs/format.md` §12, CHK-102).

use super::Holder;
use super::Result;
use super::SessionError;
use super::case_keys::CaseKeys;
use super::case_record;
use super::case_record::LABEL;
use super::case_record::Label;
use super::case_record::PROFILE;
use super::case_record::Profile;
use super::handles;
use super::logging::Logged;
use super::missed;
use crate::store::ReadTx;
use crate::store::RecordRow;
use crate::store::Replay;
use crate::store::Row;
use crate::store::StoredRecord;
use crate::store::hash_all;
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::collections::HashMap;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::DeviceId;
use vault_core::id::IdRange;
use vault_core::id::MemberId;
use vault_core::id::RecordHash;
use vault_core::id::RecordId;
use vault_core::note::Note;
use vault_core::note::split;
use vault_core::note::when::Moment;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamKind;

/// Rows read at a time: few enough that a chunk stays in the cache from reading to opening.
pub(super) const CHUNK: usize = 256;

/// A note as a reader gets it.
#[derive(Clone)]
pub(super) struct ReadNote {
    /// The primary record, whose id is the note's.
    pub(super) record: RecordId,
    /// The version read.
    pub(super) version: u32,
    /// How many there are.
    pub(super) versions: u32,
    /// How many others stand beside it: amendments that were made without having heard of each other. Those of the same number,
    /// and those of a lower one that came behind it.
    pub(super) beside: u32,
    /// Whose device signed it.
    pub(super) signed_by: MemberId,
    /// The primary record's hash.
    pub(super) hash: RecordHash,
    /// What it says, joined from its parts.
    pub(super) note: Note,
}

/// Which version of a record is its newest: of several of one number, the last.
#[derive(Default)]
struct Newest {
    version: u32,
    /// Where the last of that number is.
    pos: u64,
    /// How many there are of that number.
    same: u32,
    /// How many of a lower number stand behind it in the stream: whoever made it had not seen them.
    behind: u32,
    versions: u32,
}

impl Newest {
    fn take(&mut self, row: &StoredRecord) {
        self.versions += 1;
        if row.header.version > self.version {
            self.version = row.header.version;
            self.same = 0;
        }
        if row.header.version == self.version {
            self.pos = row.at.pos;
            self.same += 1;
            // It stands for all before it.
            self.behind = 0;
        } else {
            self.behind += 1;
        }
    }

    /// How many stand beside it.
    fn beside(&self) -> u32 {
        self.same.saturating_sub(1).saturating_add(self.behind)
    }
}

/// A record's header and hash, its author's signature checked, with what it holds.
type Signed = ((RecordHeader, RecordHash), zeroize::Zeroizing<Vec<u8>>);

/// A case's administrative records.
pub(super) struct CaseRecords {
    pub(super) label: Label,
    pub(super) label_at: (RecordId, u32, RecordHash),
    pub(super) profile: Profile,
    pub(super) profile_at: (RecordId, u32, RecordHash),
}

fn near_miss(what: &'static str, text: &str, near: Vec<String>) -> SessionError {
    let text = text.to_owned();
    SessionError::NearMiss { what, text, near }
}

impl Holder {
    /// Finds the case that a handle, longer prefix or external id names.
    pub(super) fn resolve_case(&self, tx: &ReadTx<'_>, text: &str) -> Result<CaseId> {
        let not_found = || SessionError::NotFound {
            what: "case",
            text: text.to_owned(),
        };
        // Handles first: what others call their cases leads nobody away from the one that is named.
        let range = CaseId::range(text);
        let mut found = Vec::new();
        if let Ok(IdRange { low, high }) = range {
            for head in tx.streams(StreamKind::Case)? {
                if (low..=high).contains(&head.stream.id) {
                    found.push(CaseId(head.stream.id));
                }
            }
        }
        if found.is_empty()
            && let Some(found) = tx.lookup("case", text)?
        {
            return tx.row_at(found.pos)?.stream().as_case().ok_or_else(not_found);
        }
        if range.is_err() {
            return Err(not_found());
        }
        match found.as_slice() {
            [one] => Ok(*one),
            [] => match handles::near_cases(tx, text)? {
                near if near.is_empty() => Err(not_found()),
                near => Err(near_miss("case", text, near)),
            },
            several => Err(SessionError::Ambiguous {
                text: text.to_owned(),
                candidates: several.iter().take(5).map(longer_case).collect(),
            }),
        }
    }

    /// Finds the note that a handle, longer prefix or external id names.
    pub(super) fn resolve_note(&self, tx: &ReadTx<'_>, text: &str) -> Result<(CaseId, RecordId)> {
        let not_found = || SessionError::NotFound {
            what: "note",
            text: text.to_owned(),
        };
        let range = RecordId::range(text);
        let mut found = Vec::new();
        if let Ok(range) = &range {
            found = tx.find_records(*range, 16)?;
            found.retain(|f| {
                f.stream.kind == StreamKind::Case && f.class == RecordClass::Note && (f.is_primary || f.erased)
            });
        }
        if found.is_empty()
            && let Some(found) = tx.lookup("note", text)?
            && let Row::Record(row) = tx.row_at(found.pos)?
        {
            let case = row.record.header.stream.as_case().ok_or_else(not_found)?;
            return Ok((case, row.record.header.record));
        }
        if range.is_err() {
            return Err(not_found());
        }
        match found.as_slice() {
            [one] => Ok((one.stream.as_case().ok_or_else(not_found)?, one.record)),
            [] => match handles::near_notes(tx, text)? {
                near if near.is_empty() => Err(not_found()),
                near => Err(near_miss("note", text, near)),
            },
            several => Err(SessionError::Ambiguous {
                text: text.to_owned(),
                candidates: several.iter().take(5).map(|f| longer_note(&f.record)).collect(),
            }),
        }
    }

    /// Refuses a case that an external id led to, and whose label names another (CHK-104).
    pub(super) fn require_case_named(&self, text: &str, case: CaseId, external: Option<&str>) -> Result<()> {
        let by_handle = CaseId::range(text).is_ok_and(|r| (r.low..=r.high).contains(&case.0));
        match by_handle || external == Some(text) {
            true => Ok(()),
            false => Err(SessionError::refused(Check::LocalIndex, case.handle())),
        }
    }

    /// Refuses a note that an external id led to, and which names another (CHK-104).
    pub(super) fn require_note_named(&self, text: &str, read: &ReadNote) -> Result<()> {
        let by_handle = RecordId::range(text).is_ok_and(|r| (r.low..=r.high).contains(&read.record.0));
        let external = read.note.imported.as_ref().and_then(|i| i.note.as_deref());
        match by_handle || external == Some(text) {
            true => Ok(()),
            false => Err(SessionError::refused(Check::LocalIndex, read.record.handle())),
        }
    }

    /// Opens label and profile of a case: of each the newest version that opens.
    pub(super) fn case_records(&self, tx: &ReadTx<'_>, keys: &CaseKeys, logged: &Logged) -> Result<CaseRecords> {
        self.records_of(keys, &tx.records_of_class(keys.stream(), RecordClass::Admin)?, logged)
    }

    /// As [`Self::case_records`], for who writes the next version of either: made of an older one than the newest, it would
    /// stand in the newest one's place, and what that says would be lost.
    ///
    /// # Errors
    /// [`SessionError::Refused`] where the newest does not open.
    pub(super) fn case_records_to_amend(
        &self,
        tx: &ReadTx<'_>,
        keys: &CaseKeys,
        logged: &Logged,
    ) -> Result<CaseRecords> {
        let admin = tx.records_of_class(keys.stream(), RecordClass::Admin)?;
        let records = self.records_of(keys, &admin, logged)?;
        for (section, read) in [
            (Section::INDEX, &records.label_at),
            (Section::CORE, &records.profile_at),
        ] {
            let is_read = |row: &&RecordRow| (row.record.header.record, row.record.header.version) == (read.0, read.1);
            let Some(row) = newest_in(&admin, section).filter(|row| !is_read(row)) else {
                continue;
            };
            let handle = row.record.header.record.handle();
            // Why it does not open, or that it says nothing which can be read.
            self.open_signed(keys, row.record.clone())?;
            return Err(SessionError::refused(Check::Payload, handle));
        }
        Ok(records)
    }

    /// Opens label and profile among a case's administrative records: of each the newest version that opens.
    pub(super) fn records_of(&self, keys: &CaseKeys, admin: &[RecordRow], logged: &Logged) -> Result<CaseRecords> {
        if let Some(vouched) = keys.vouched() {
            for section in [Section::INDEX, Section::CORE] {
                newest_in(admin, section).map_or(Ok(()), |newest| vouched.require_newest(&newest.record))?;
            }
        }
        let (label_at, label) = self.newest_of(keys, admin, (Section::INDEX, LABEL), logged)?;
        let (profile_at, profile) = self.newest_of(keys, admin, (Section::CORE, PROFILE), logged)?;
        Ok(CaseRecords {
            label,
            label_at,
            profile,
            profile_at,
        })
    }

    /// As [`Self::case_records`], for who shows what there is: where no version opens, nothing is known of it.
    pub(super) fn case_records_or_unknown(
        &self,
        tx: &ReadTx<'_>,
        keys: &CaseKeys,
        logged: &Logged,
    ) -> Result<CaseRecords> {
        match self.case_records(tx, keys, logged) {
            Err(error) if missed::bad(&error).is_some() => {
                let label = self.case_label(tx, keys, logged).unwrap_or_else(|_| Label::unknown());
                let nowhere = (RecordId([0; 16]), 0, RecordHash([0; 32]));
                Ok(CaseRecords {
                    label,
                    label_at: nowhere,
                    profile: Profile::unknown(),
                    profile_at: nowhere,
                })
            }
            records => records,
        }
    }

    /// Opens the label of a case alone, as lists need it.
    pub(super) fn case_label(&self, tx: &ReadTx<'_>, keys: &CaseKeys, logged: &Logged) -> Result<Label> {
        self.label_of(keys, &tx.records_of_class(keys.stream(), RecordClass::Admin)?, logged)
    }

    /// Opens the label among a case's administrative records.
    pub(super) fn label_of(&self, keys: &CaseKeys, admin: &[RecordRow], logged: &Logged) -> Result<Label> {
        let (_, label) = self.newest_of(keys, admin, (Section::INDEX, LABEL), logged)?;
        Ok(label)
    }

    /// Opens the newest administrative record of a section that its writer did not make so that it does not open; one that
    /// was is named, and the one before it stands.
    fn newest_of<T: DeserializeOwned>(
        &self,
        keys: &CaseKeys,
        admin: &[RecordRow],
        (section, schema): (Section, &str),
        logged: &Logged,
    ) -> Result<((RecordId, u32, RecordHash), T)> {
        logged.miss_keys(keys.case(), keys);
        let mut first = None;
        for row in admin.iter().rev().filter(|row| row.record.header.section == section) {
            let handle = row.record.header.record.handle();
            let opened = self
                .open_signed(keys, row.record.clone())
                .and_then(|(record, payload)| {
                    let read = case_record::from_json(&payload, schema, keys.stream());
                    let read = read.map_err(|_| SessionError::refused(Check::Payload, &handle))?;
                    Ok(((record.0.record, record.0.version, record.1), read))
                });
            match opened {
                Err(error) => match missed::bad(&error) {
                    Some(check) => {
                        logged.miss(keys.case(), &handle, check);
                        first.get_or_insert(error);
                    }
                    None => return Err(error),
                },
                opened => return opened,
            }
        }
        Err(first.unwrap_or_else(|| SessionError::refused(Check::BodyMissing, keys.stream())))
    }

    /// Opens one version of a note with its parts.
    pub(super) fn read_note(
        &self,
        tx: &ReadTx<'_>,
        keys: &CaseKeys,
        record: RecordId,
        version: Option<u32>,
        _: &Logged,
    ) -> Result<ReadNote> {
        let handle = record.handle();
        let mut all = tx.versions(record)?;
        all.retain(|r| r.header.stream == keys.stream());
        if let Some(vouched) = keys.vouched() {
            vouched.require_all(record, all.len())?;
        }
        let versions = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let first = all.first().filter(|_| versions > 1).cloned();
        let beside = match version {
            None => beside_newest(&all).count(),
            Some(wanted) => {
                let of_number = all.iter().filter(|r| r.header.version == wanted);
                of_number.count().saturating_sub(1)
            }
        };
        let beside = u32::try_from(beside).unwrap_or(u32::MAX);
        let found = match version {
            None => all.into_iter().next_back(),
            Some(wanted) => all.into_iter().find(|r| r.header.version == wanted),
        };
        let found = found.ok_or_else(|| match version {
            Some(version) => SessionError::NoVersion {
                note: handle.clone(),
                version,
                newest: versions,
            },
            None => SessionError::NotFound {
                what: "note",
                text: handle.clone(),
            },
        })?;
        let read = self.open_version(tx, keys, found, first)?;
        Ok(ReadNote {
            versions,
            beside,
            ..read
        })
    }

    /// Opens the versions of a note that stand beside the one read, in the order in which they were kept.
    pub(super) fn read_beside(
        &self,
        tx: &ReadTx<'_>,
        keys: &CaseKeys,
        read: &ReadNote,
        _: &Logged,
    ) -> Result<Vec<ReadNote>> {
        if read.beside == 0 {
            return Ok(Vec::new());
        }
        let mut all = tx.versions(read.record)?;
        all.retain(|found| found.header.stream == keys.stream());
        let is_newest = all.last().is_some_and(|newest| newest.header.version == read.version);
        let found: Vec<StoredRecord> = match is_newest {
            true => beside_newest(&all).cloned().collect(),
            false => {
                all.retain(|found| found.header.version == read.version);
                all
            }
        };
        let mut beside = Vec::new();
        for found in found {
            if !found.is_erased() && found.hash()? != read.hash {
                let other = self.open_version(tx, keys, found, None)?;
                beside.push(ReadNote {
                    versions: read.versions,
                    beside: read.beside,
                    ..other
                });
            }
        }
        Ok(beside)
    }

    /// Opens a version of a note, with its parts; `first` is the note's first, which says when it was written down.
    fn open_version(
        &self,
        tx: &ReadTx<'_>,
        keys: &CaseKeys,
        found: StoredRecord,
        first: Option<StoredRecord>,
    ) -> Result<ReadNote> {
        let record = found.header.record;
        let handle = record.handle();
        keys.require_not_lost(&found)?;
        if found.is_erased() {
            return Err(SessionError::Withdrawn { note: handle });
        }
        let ((header, hash), payload) = self.open_signed(keys, found)?;
        let main = parse(&payload, &handle)?;
        if main.id != record.to_string() {
            return Err(SessionError::refused(Check::Payload, handle));
        }
        let mut parts = Vec::with_capacity(1 + main.parts.len());
        for part in &main.parts {
            let id: RecordId = part
                .record
                .parse()
                .map_err(|_| SessionError::refused(Check::Payload, &handle))?;
            let wanted = |r: &StoredRecord| r.header.stream == keys.stream() && r.header.version == part.version;
            // Of two that were made apart, the one that came with this.
            let found = tx.versions(id)?.into_iter().filter(wanted);
            let found = found.max_by_key(|r| r.header.device == header.device);
            let found = found.ok_or_else(|| SessionError::refused(Check::BodyMissing, &handle))?;
            // A private part of another author has no key here, and keeps its placeholder.
            if found.header.section.is_private() && found.header.member != self.member {
                continue;
            }
            let (_, payload) = self.open_signed(keys, found)?;
            parts.push(parse(&payload, &handle)?);
        }
        let mut note = joined(main, parts);
        if let Some(first) = first.filter(|r| r.header.version < header.version && !r.is_erased()) {
            let (_, payload) = self.open_signed(keys, first)?;
            note.first_recorded_at = parse(&payload, &handle)?.recorded_at().cloned();
        }
        Ok(ReadNote {
            record,
            version: header.version,
            versions: 1,
            beside: 0,
            signed_by: header.member,
            hash,
            note,
        })
    }

    /// Opens the newest version of every note of a case that is neither withdrawn nor misfiled, in the order in which
    /// they were kept.
    pub(super) fn read_case(&self, tx: &ReadTx<'_>, keys: &CaseKeys, logged: &Logged) -> Result<Vec<ReadNote>> {
        let mut notes = self.read_case_with_hidden(tx, keys, logged)?;
        notes.retain(|read| read.note.misfiled.is_none());
        Ok(notes)
    }

    /// As [`Self::read_case`], with what is hidden because it was misfiled.
    pub(super) fn read_case_with_hidden(
        &self,
        tx: &ReadTx<'_>,
        keys: &CaseKeys,
        logged: &Logged,
    ) -> Result<Vec<ReadNote>> {
        let mut replay = Replay::of_stream(tx, keys.stream())?;
        let mut rows: Vec<Box<RecordRow>> = Vec::new();
        tx.scan(keys.stream(), CHUNK, &mut |chunk: Vec<Row>| -> Result<()> {
            for hashed in hash_all(&chunk)? {
                replay.next(&hashed)?;
            }
            rows.extend(chunk.into_iter().filter_map(|row| match row {
                Row::Record(row) => Some(row),
                Row::Link(_) => None,
            }));
            Ok(())
        })?;
        replay.finish(tx)?;
        keys.require_events(replay.events(keys.stream()))?;
        logged.miss_keys(keys.case(), keys);
        self.join_notes(keys, rows, logged)
    }

    #[allow(clippy::vec_box, reason = "rows come boxed, and are large to move")]
    fn join_notes(&self, keys: &CaseKeys, rows: Vec<Box<RecordRow>>, logged: &Logged) -> Result<Vec<ReadNote>> {
        let mut newest: BTreeMap<RecordId, Newest> = BTreeMap::new();
        // A note keeps its place in the case when it is amended.
        let mut place: HashMap<RecordId, usize> = HashMap::new();
        for row in rows.iter().map(|r| &r.record).filter(|r| holds_notes(&r.header)) {
            logged.opened(keys.case(), &row.header.record.handle(), keys.require_not_lost(row))?;
            newest.entry(row.header.record).or_default().take(row);
            let next = place.len();
            place.entry(row.header.record).or_insert(next);
        }
        let is_newest = |h: &RecordHeader| newest.get(&h.record).is_some_and(|n| n.version == h.version);
        // Of amendments made apart the last stands for all, but each has parts of its own.
        let counts = |r: &StoredRecord| {
            let newest = newest.get(&r.header.record);
            newest.is_some_and(|n| n.version == r.header.version && (n.pos == r.at.pos || !r.is_primary))
        };
        let mine = |h: &RecordHeader| !h.section.is_private() || h.member == self.member;
        let opened: Vec<Option<(RecordHeader, RecordHash, Note)>> = rows
            .into_par_iter()
            .map(|row| row.record)
            .filter(|r| holds_notes(&r.header) && mine(&r.header) && !r.is_erased())
            .filter(|r| counts(r) || (r.header.version == 1 && !is_newest(&r.header)))
            .map(|stored| {
                let handle = stored.header.record.handle();
                let opened = keys.open(stored).and_then(|(record, payload)| {
                    let note = parse(payload.bytes(), &handle)?;
                    Ok((record.header().clone(), record.hash(), note))
                });
                logged.opened(keys.case(), &handle, opened)
            })
            .collect::<Result<_>>()?;
        let mut parts: HashMap<(String, u32), Vec<(DeviceId, Note)>> = HashMap::new();
        let mut mains = Vec::new();
        let mut first: HashMap<RecordId, Option<Moment>> = HashMap::new();
        for (header, hash, note) in opened.into_iter().flatten() {
            if !is_newest(&header) {
                // The first version of an amended note says when it was written down.
                first.insert(header.record, note.recorded_at().cloned());
            } else if note.id == header.record.to_string() {
                mains.push((header, hash, note));
            } else {
                let all = parts.entry((header.record.to_string(), header.version)).or_default();
                all.push((header.device, note));
            }
        }
        mains.sort_by_key(|(header, _, _)| place.get(&header.record).copied());
        let notes = mains.into_iter().map(|(header, hash, main)| {
            // What the main part names is part of the note: anybody who writes in a section could claim to be.
            let named = main
                .parts
                .iter()
                .filter_map(|p| {
                    let all = parts.remove(&(p.record.clone(), p.version))?.into_iter();
                    all.max_by_key(|(device, _)| *device == header.device)
                        .map(|(_, part)| part)
                })
                .collect();
            let mut note = joined(main, named);
            note.first_recorded_at = first.remove(&header.record).flatten();
            ReadNote {
                record: header.record,
                version: header.version,
                versions: newest.get(&header.record).map_or(1, |n| n.versions),
                beside: newest.get(&header.record).map_or(0, Newest::beside),
                signed_by: header.member,
                hash,
                note,
            }
        });
        Ok(notes.collect())
    }

    /// Opens one record after checking its author's signature.
    pub(super) fn open_signed(&self, keys: &CaseKeys, stored: StoredRecord) -> Result<Signed> {
        let handle = stored.header.record.handle();
        let author = self.agency.devices().get(&stored.header.device);
        let author = author.filter(|d| d.member == stored.header.member);
        let author = author.ok_or_else(|| SessionError::refused(Check::AuthorDevice, &handle))?;
        if let Some(vouched) = keys.vouched() {
            vouched.require(&stored, stored.hash()?)?;
        }
        let (record, payload) = keys.open(stored)?;
        let again = record.as_unverified();
        again
            .verify_signature(&author.key)
            .map_err(|e| SessionError::refused(e.check, &handle))?;
        Ok(((record.header().clone(), record.hash()), payload.into_bytes()))
    }
}

/// Finds the newest administrative record of a section.
fn newest_in(admin: &[RecordRow], section: Section) -> Option<&RecordRow> {
    admin.iter().rev().find(|row| row.record.header.section == section)
}

/// Returns the versions that stand beside the newest, the last of all by number and place: those of its number, and those
/// of a lower one that came behind it.
fn beside_newest(all: &[StoredRecord]) -> impl Iterator<Item = &StoredRecord> {
    let newest = all.last().map(|newest| (newest.header.version, newest.at.pos));
    let is_beside = move |one: &&StoredRecord| {
        newest.is_some_and(|(version, pos)| match one.header.version == version {
            true => one.at.pos != pos,
            false => one.at.pos > pos,
        })
    };
    all.iter().filter(is_beside)
}

/// Whether a record is a note or a part of one.
pub(super) fn holds_notes(header: &RecordHeader) -> bool {
    matches!(header.class, RecordClass::Note | RecordClass::Private)
}

/// Reads a note's payload.
pub(super) fn parse(json: &[u8], handle: &str) -> Result<Note> {
    Note::from_json(json).map_err(|_| SessionError::refused(Check::Payload, handle))
}

/// Puts a note's parts together.
pub(super) fn joined(main: Note, parts: Vec<Note>) -> Note {
    if parts.is_empty() {
        return main;
    }
    let names = main.parts.clone();
    let mut all = vec![main];
    all.extend(parts);
    let mut note = split::join(all).unwrap_or_default();
    note.parts = names;
    note
}

fn longer_case(case: &CaseId) -> String {
    let mut text = case.to_string();
    text.truncate(14);
    text
}

fn longer_note(record: &RecordId) -> String {
    let mut text = record.to_string();
    text.truncate(14);
    text
}
