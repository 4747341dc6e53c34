//! Notes of several cases that are one note (one visit, three siblings): a random id inside the seals joins them.
//!
//! No copy names another case. Which notes are joined is found by who holds the cases: out of a local sealed value that
//! this device keeps, or by looking through one's own caseload.

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::logging::Intent;
use super::logging::Logged;
use super::note_write::Written;
use super::random;
use super::reply::JoinedNote;
use super::request::ReadPurpose;
use crate::store::ReadTx;
use crate::store::StoredRecord;
use crate::store::WriteTx;
use vault_core::id::CaseId;
use vault_core::id::RecordId;
use vault_core::note::Note;
use vault_core::opening::fresh_id;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::stream::StreamKind;

/// A joining id, with the notes that have it.
type Joint = (String, Vec<(CaseId, RecordId)>);

/// Names of the local values begin so; the joining id follows.
const PREFIX: &str = "joined:";

impl Session {
    /// Finds the notes of other cases of one's own that are one with this one.
    pub(super) fn joined_with(
        &mut self,
        case: CaseId,
        record: RecordId,
        logged: &Logged,
    ) -> Result<Vec<(CaseId, RecordId)>> {
        let holder = &self.holder;
        let joined = self.store.read(|tx| -> Result<Option<String>> {
            let keys = holder.case_keys(tx, case)?;
            Ok(holder.read_note(tx, &keys, record, None, logged)?.note.joined)
        })?;
        self.joined_as(case, joined)
    }

    /// Finds the notes of other cases of one's own that have a joining id.
    pub(super) fn joined_as(&mut self, case: CaseId, joined: Option<String>) -> Result<Vec<(CaseId, RecordId)>> {
        self.joined_as_any(case, joined.into_iter().collect())
    }

    /// Finds the notes of other cases of one's own that have one of some joining ids.
    pub(super) fn joined_as_any(&mut self, case: CaseId, joined: Vec<String>) -> Result<Vec<(CaseId, RecordId)>> {
        let (mut found, mut unknown) = (Vec::new(), Vec::new());
        self.store.read(|tx| -> Result<()> {
            for id in joined {
                match kept(tx, &id)? {
                    Some(all) => found.extend(all),
                    None => unknown.push(id),
                }
            }
            Ok(())
        })?;
        if !unknown.is_empty() {
            // Joined on another device: every note of one's own cases is looked at, as a search does.
            let purpose = ReadPurpose::default();
            let logged = self.log(&Intent {
                operation: AccessOperation::Search,
                case: None,
                records: &[],
                scope: Some("joined notes"),
                purpose: &purpose,
            })?;
            let holder = &self.holder;
            let here = self.store.read(|tx| holder.search_joined(tx, &unknown, &logged))?;
            self.store
                .write(|tx| here.iter().try_for_each(|(id, all)| keep(tx, id, all)))?;
            found.extend(here.into_iter().flat_map(|(_, all)| all));
        }
        found.retain(|(other, _)| *other != case);
        // What was withdrawn is one with nothing any more.
        self.store.read(|tx| -> Result<()> {
            let mut here = Vec::with_capacity(found.len());
            for (other, note) in found.drain(..) {
                if !tx.versions(note)?.iter().all(StoredRecord::is_erased) {
                    here.push((other, note));
                }
            }
            found = here;
            Ok(())
        })?;
        Ok(found)
    }
}

impl Holder {
    /// Puts a note into a case, and its own into others, joined: they say the same, but for whom they say was seen.
    pub(super) fn put_joined(
        &self,
        tx: &mut WriteTx<'_>,
        case: CaseId,
        also: Vec<(CaseId, Note)>,
        mut note: Note,
    ) -> Result<(Written, Vec<JoinedNote>)> {
        if !also.is_empty() {
            note.joined = Some(hex(fresh_id(&mut random::os())));
        }
        let mut keys = self.case_keys(tx, case)?;
        let joined = note.joined.clone();
        let written = self.put_note(tx, &mut keys, note, None)?;
        let mut all = vec![(case, written.record)];
        let mut others = Vec::with_capacity(also.len());
        for (other, own) in also {
            let mut keys = self.case_keys(tx, other)?;
            let own = Note {
                joined: joined.clone(),
                ..own
            };
            let record = self.put_note(tx, &mut keys, own, None)?.record;
            all.push((other, record));
            others.push(JoinedNote {
                case: other.handle(),
                note: record.handle(),
                saved: true,
                same: false,
                differs: false,
            });
        }
        if let Some(joined) = &joined {
            keep(tx, joined, &all)?;
        }
        Ok((written, others))
    }

    /// Remembers that a joined note is in another case now.
    pub(super) fn rejoin(
        &self,
        tx: &mut WriteTx<'_>,
        joined: &str,
        from: RecordId,
        to: Option<(CaseId, RecordId)>,
    ) -> Result<()> {
        if let Some(mut all) = kept(tx, joined)? {
            all.retain(|(_, record)| *record != from);
            all.extend(to);
            keep(tx, joined, &all)?;
        }
        Ok(())
    }

    fn search_joined(&self, tx: &ReadTx<'_>, ids: &[String], logged: &Logged) -> Result<Vec<Joint>> {
        let mut found: Vec<Joint> = ids.iter().map(|id| (id.clone(), Vec::new())).collect();
        let heads = tx.streams(StreamKind::Case)?;
        for case in heads.into_iter().filter_map(|head| head.stream.as_case()) {
            let keys = self.case_keys_before_walk(tx, case);
            let notes = match keys.and_then(|keys| self.read_case(tx, &keys, logged)) {
                // Of a case that one was not let into nothing is one's own.
                Err(SessionError::NoKey { .. }) => continue,
                notes => notes?,
            };
            for read in notes {
                let joint = found.iter_mut().find(|(id, _)| read.note.joined.as_ref() == Some(id));
                if let Some((_, all)) = joint {
                    all.push((case, read.record));
                }
            }
        }
        Ok(found)
    }
}

/// Names the joined notes that an action on one of them leaves as they are.
pub(super) fn staying(joined: &[(CaseId, RecordId)]) -> Vec<JoinedNote> {
    let others = joined.iter().map(|(case, note)| JoinedNote {
        case: case.handle(),
        note: note.handle(),
        saved: false,
        same: false,
        differs: false,
    });
    others.collect()
}

/// Forgets which notes are joined: others wrote in cases of one's own, and what was found before may not be all.
pub(super) fn forget(tx: &mut WriteTx<'_>) -> Result<()> {
    for name in tx.local_names(PREFIX)? {
        tx.remove_local(&name)?;
    }
    Ok(())
}

fn kept(tx: &ReadTx<'_>, joined: &str) -> Result<Option<Vec<(CaseId, RecordId)>>> {
    let Some(value) = tx.local(&format!("{PREFIX}{joined}"))? else {
        return Ok(None);
    };
    let named: Vec<(String, String)> = serde_json::from_slice(&value).unwrap_or_default();
    let ids = named
        .iter()
        .map(|(case, note)| Some((case.parse().ok()?, note.parse().ok()?)));
    // What cannot be read is looked for anew.
    Ok(ids.collect())
}

fn keep(tx: &mut WriteTx<'_>, joined: &str, all: &[(CaseId, RecordId)]) -> Result<()> {
    let named: Vec<(String, String)> = all.iter().map(|(c, n)| (c.to_string(), n.to_string())).collect();
    let value = super::case_record::to_json(&named)?;
    Ok(tx.put_local(&format!("{PREFIX}{joined}"), &value)?)
}

fn hex(id: [u8; 16]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
