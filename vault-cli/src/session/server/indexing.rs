//! What a store keeps of records beside their signed bytes, for those that others wrote: which is its note's primary record,
//! and where an external id leads. Both stand inside the seals, so the records are opened, after an entry that says so.
//!
//! Of a case whose members changed, all records are looked at: a grant may have brought keys to older ones.

use super::kept::KeptRemote;
use crate::session::Holder;
use crate::session::Result;
use crate::session::case;
use crate::session::case_keys::CaseKeys;
use crate::session::case_record;
use crate::session::case_record::PROFILE;
use crate::session::case_record::Profile;
use crate::session::logging::Logged;
use crate::session::reading;
use crate::session::verify::index::Entry;
use crate::store::ReadTx;
use crate::store::Row;
use crate::store::StoredRecord;
use crate::store::WriteTx;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use vault_core::id::CaseId;
use vault_core::note::Note;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;

/// Rows that are looked through at once.
const CHUNK: usize = 1_000;

/// Whether anything of a case came since this was done last.
pub(super) fn is_due(tx: &ReadTx<'_>, kept: &KeptRemote) -> Result<bool> {
    let mut is_due = false;
    if kept.indexed() == kept.pushed {
        return Ok(is_due);
    }
    tx.scan_all(kept.indexed().saturating_add(1), CHUNK, &mut |rows| -> Result<()> {
        let mut of_cases = rows.iter().filter(|row| row.stream().as_case().is_some());
        is_due |= of_cases.any(|row| row.pos() <= kept.pushed);
        Ok(())
    })?;
    Ok(is_due)
}

/// Takes in what the records say that came since this was done last.
/// All of the cases in `shown` is looked at.
pub(super) fn take_in(
    holder: &Holder,
    tx: &mut WriteTx<'_>,
    kept: &mut KeptRemote,
    shown: &BTreeSet<CaseId>,
    _: &Logged,
) -> Result<()> {
    let (mut whole, mut records) = (shown.clone(), BTreeMap::<CaseId, Vec<StoredRecord>>::new());
    let last = kept.pushed;
    tx.scan_all(kept.indexed().saturating_add(1), CHUNK, &mut |rows| -> Result<()> {
        for row in rows.into_iter().filter(|row| row.pos() <= last) {
            let Some(case) = row.stream().as_case() else { continue };
            match row {
                Row::Record(row) => records.entry(case).or_default().push(row.record),
                Row::Link(_) => drop(whole.insert(case)),
            }
        }
        Ok(())
    })?;
    for case in &whole {
        let all = records.entry(*case).or_default();
        all.clear();
        tx.scan(StreamId::case(*case), CHUNK, &mut |rows| -> Result<()> {
            for row in rows {
                match row {
                    Row::Record(row) => all.push(row.record),
                    Row::Link(row) => all.extend(row.sealed),
                }
            }
            Ok(())
        })?;
    }
    for (case, records) in records {
        let keys = match holder.case_keys_afresh(tx, case) {
            Ok(keys) => keys,
            // A bad keyring of one case must not keep the others' notes away.
            Err(error) if error.check().is_some() => continue,
            Err(error) => return Err(error),
        };
        for record in records {
            let is_others = record.header.device != holder.device;
            if is_others && !record.is_erased() && keys.holds(record.header.section, record.epoch) {
                match take_one(tx, &keys, record) {
                    // Somebody's bad record must not keep the others' away; `verify` names it.
                    Err(error) if error.check().is_some() => {}
                    taken => taken?,
                }
            }
        }
    }
    kept.is_indexed();
    kept.store(tx)
}

fn take_one(tx: &mut WriteTx<'_>, keys: &CaseKeys, record: StoredRecord) -> Result<()> {
    let (pos, class, section) = (record.at.pos, record.header.class, record.header.section);
    let (id, was_primary) = (record.header.record, record.is_primary);
    match class {
        RecordClass::Note | RecordClass::Private => {
            let note = open(keys, record)?;
            if note.id != id.to_string() {
                return Ok(());
            }
            if !was_primary {
                tx.make_primary(pos)?;
            }
            let parts = parts_of(tx, keys, &note)?;
            if let Some(entry) = Entry::of_note(&tx.keys().index, pos, &reading::joined(note, parts)) {
                entry.keep(tx)?;
            }
        }
        RecordClass::Admin if section == Section::CORE => {
            let (_, payload) = keys.open(record)?;
            let profile: Profile = case_record::from_json(payload.bytes(), PROFILE, keys.stream())?;
            if let Some(external) = &profile.external_id {
                let content = case::case_content(&profile.line)?;
                Entry::new(&tx.keys().index, pos, "case", external, &content).keep(tx)?;
            }
        }
        RecordClass::Admin | RecordClass::Attachment => {}
    }
    Ok(())
}

fn open(keys: &CaseKeys, record: StoredRecord) -> Result<Note> {
    let handle = record.header.record.handle();
    let (_, payload) = keys.open(record)?;
    reading::parse(payload.bytes(), &handle)
}

/// The other parts of a note, as far as this member holds their sections.
fn parts_of(tx: &ReadTx<'_>, keys: &CaseKeys, note: &Note) -> Result<Vec<Note>> {
    let mut parts = Vec::with_capacity(note.parts.len());
    for part in &note.parts {
        let Ok(id) = part.record.parse() else { continue };
        let wanted = |found: &StoredRecord| {
            found.header.stream == keys.stream()
                && found.header.version == part.version
                && !found.is_erased()
                && keys.holds(found.header.section, found.epoch)
        };
        if let Some(found) = tx.versions(id)?.into_iter().find(wanted) {
            parts.push(open(keys, found)?);
        }
    }
    Ok(parts)
}
