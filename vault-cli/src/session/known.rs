//! What an agent keeps between what it is asked: cases that it rebuilt and opened itself, and the text to search.
//!
//! Everything here is keyed on a head that the store authenticates. Where that head is still the same, the rows that
//! lead to it need not be rebuilt; where it moved, only what is new is. What a reader then opens is compared with the
//! hash that was rebuilt, so that a row that was changed since is refused and never shown.
//!
//! ```text
//! stream's head (CHK-100) ─ same ──────> keys, hashes of its records as rebuilt
//!                         ├ further on ─> rebuild from there; an event among it: keys and state anew
//!                         └ otherwise ──> as without an agent: all of it rebuilt, nothing kept
//! ```

use super::Holder;
use super::Result;
use super::SessionError;
use super::case_keys::CaseKeys;
use super::case_keys::SectionKeys;
use super::find::Text;
use super::reading::CHUNK;
use crate::store::Hashed;
use crate::store::ReadTx;
use crate::store::Replay;
use crate::store::Row;
use crate::store::StoredRecord;
use crate::store::hash_all;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::KeyringHash;
use vault_core::id::LinkId;
use vault_core::id::RecordHash;
use vault_core::id::RecordId;
use vault_core::secret::EpochKey;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::StreamId;

/// What is kept; shared by the sessions of one agent, and gone with them.
#[derive(Default)]
pub(super) struct Known {
    cases: Mutex<HashMap<CaseId, Arc<KnownCase>>>,
    // By the hash that a signed event names: what is in a file of that hash cannot change.
    keyrings: Mutex<HashMap<KeyringHash, SectionKeys>>,
    agency_keys: Mutex<HashMap<Epoch, EpochKey>>,
    text: Mutex<Option<Text>>,
    // By their scopes.
    overviews: Mutex<HashMap<String, Overview>>,
}

/// The last overview's entry of a scope: when the clock said that it was made, and how long ago that was at a moment of the
/// clock that nobody sets.
#[derive(Clone, Copy)]
struct Overview {
    made: Timestamp,
    age: Duration,
    seen: Instant,
}

/// A case as of a head.
struct KnownCase {
    head: (u64, LinkId),
    keys: CaseKeys,
}

/// The hashes of a stream's records, computed while it was rebuilt up to an authenticated head.
#[derive(Clone, Default)]
pub(super) struct Vouched {
    records: HashMap<RecordId, Vec<(u32, RecordHash)>>,
    events: Vec<LinkId>,
}

impl Vouched {
    fn take(&mut self, hashed: &Hashed<'_>) {
        let mut put = |record: &StoredRecord, hash: RecordHash| {
            let versions = self.records.entry(record.header.record).or_default();
            versions.push((record.header.version, hash));
        };
        match hashed.row() {
            Row::Record(row) => {
                for placement in hashed.placements() {
                    put(&row.record, placement.record_hash);
                }
            }
            Row::Link(row) => {
                self.events.push(row.link.id());
                for (record, placement) in row.sealed.iter().zip(hashed.placements()) {
                    put(record, placement.record_hash);
                }
            }
        }
    }

    /// Refuses a record that is not byte for byte the one of the rebuilt stream.
    pub(super) fn require(&self, stored: &StoredRecord, hash: RecordHash) -> Result<()> {
        let record = &stored.header.record;
        let known = self.records.get(record).into_iter().flatten();
        match known.copied().any(|known| known == (stored.header.version, hash)) {
            true => Ok(()),
            false => Err(SessionError::refused(Check::StreamHead, record.handle())),
        }
    }

    /// Refuses a record's versions if they are not all of the rebuilt stream's.
    pub(super) fn require_all(&self, record: RecordId, found: usize) -> Result<()> {
        match self.records.get(&record).map_or(0, Vec::len) == found {
            true => Ok(()),
            false => Err(SessionError::refused(Check::Dense, record.handle())),
        }
    }

    /// Refuses a record that has a newer version.
    pub(super) fn require_newest(&self, stored: &StoredRecord) -> Result<()> {
        let versions = self.records.get(&stored.header.record).into_iter().flatten();
        match versions.map(|(version, _)| *version).max() == Some(stored.header.version) {
            true => Ok(()),
            false => Err(SessionError::refused(Check::Dense, stored.header.record.handle())),
        }
    }
}

impl Known {
    fn cases(&self) -> MutexGuard<'_, HashMap<CaseId, Arc<KnownCase>>> {
        self.cases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the searched text, for one search at a time.
    pub(super) fn text(&self) -> MutexGuard<'_, Option<Text>> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether there is text to search.
    pub(super) fn has_text(&self) -> bool {
        self.text().is_some()
    }

    /// Returns how long ago the overview's entry of a scope was made, as far as this agent knows it: no less than since it
    /// heard of it, whatever the time of day is set to. `made` and `age` are what the clock says.
    pub(super) fn overview_age(&self, scope: &str, made: Timestamp, age: Duration, now: Instant) -> Duration {
        let mut overviews = self.overviews.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = Overview { made, age, seen: now };
        let last = overviews.entry(scope.to_owned()).or_insert(heard);
        if last.made != made {
            *last = heard;
        }
        last.age
            .saturating_add(now.saturating_duration_since(last.seen))
            .max(age)
    }

    /// Takes note that an overview's entry of a scope was made now.
    pub(super) fn note_overview(&self, scope: &str, made: Timestamp, now: Instant) {
        let age = Duration::ZERO;
        let mut overviews = self.overviews.lock().unwrap_or_else(PoisonError::into_inner);
        overviews.insert(scope.to_owned(), Overview { made, age, seen: now });
    }

    /// Returns a copy of a case's keys where they are known as of its present head.
    pub(super) fn present(&self, tx: &ReadTx<'_>, case: CaseId) -> Result<Option<CaseKeys>> {
        let head = head_of(tx, case)?;
        let known = self.cases().get(&case).cloned();
        Ok(known
            .filter(|known| Some(known.head) == head)
            .map(|known| known.keys.duplicate()))
    }

    /// Keeps a case as of its present head; not what only this transaction wrote.
    pub(super) fn keep(&self, tx: &ReadTx<'_>, case: CaseId, keys: &CaseKeys) -> Result<()> {
        if let (Some(head), false) = (head_of(tx, case)?, tx.has_written()) {
            let keys = crate::memory::with_keys(|| keys.duplicate());
            self.cases().insert(case, Arc::new(KnownCase { head, keys }));
        }
        Ok(())
    }

    /// Keeps a case that nothing is known of yet, of a store that was rebuilt as a whole.
    pub(super) fn keep_if_new(&self, tx: &ReadTx<'_>, case: CaseId, keys: &CaseKeys) -> Result<()> {
        let is_known = self.cases().contains_key(&case);
        if is_known { Ok(()) } else { self.keep(tx, case, keys) }
    }

    /// Returns what a keyring of this hash holds, if it was opened before.
    pub(super) fn keyring(&self, hash: &KeyringHash) -> Option<SectionKeys> {
        let keyrings = self.keyrings.lock().unwrap_or_else(PoisonError::into_inner);
        keyrings.get(hash).map(duplicate)
    }

    /// Keeps what a keyring holds.
    pub(super) fn keep_keyring(&self, hash: KeyringHash, keys: &SectionKeys) {
        let mut keyrings = self.keyrings.lock().unwrap_or_else(PoisonError::into_inner);
        crate::memory::with_keys(|| keyrings.insert(hash, duplicate(keys)));
    }

    /// Returns the agency key of an epoch, opened before; it is the one that its commitment names, for ever.
    pub(super) fn agency_key(&self, epoch: Epoch) -> Option<EpochKey> {
        let keys = self.agency_keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(&epoch).map(EpochKey::duplicate)
    }

    /// Keeps the agency key of an epoch.
    pub(super) fn keep_agency_key(&self, epoch: Epoch, key: &EpochKey) {
        let mut keys = self.agency_keys.lock().unwrap_or_else(PoisonError::into_inner);
        crate::memory::with_keys(|| keys.insert(epoch, key.duplicate()));
    }

    /// Forgets what follows from the links of streams; keyrings are what their hashes say for ever.
    pub(super) fn forget(&self) {
        self.cases().clear();
        *self.text() = None;
    }

    /// Returns a case as [`Holder::case_keys`] does, rebuilding only what is new.
    pub(super) fn case(&self, holder: &Holder, tx: &ReadTx<'_>, case: CaseId) -> Result<CaseKeys> {
        let (head, known) = (head_of(tx, case)?, self.cases().get(&case).cloned());
        let known = known.filter(|known| known.keys.vouched().is_some());
        if let (Some(known), Some(head), false) = (known, head, tx.has_written()) {
            if known.head == head {
                return Ok(known.keys.duplicate());
            }
            if known.head.0 < head.0
                && let Some(vouched) = known.keys.vouched()
            {
                let (vouched, event) = rebuild(tx, case, Some(known.head), vouched.clone())?;
                let mut keys = match event {
                    true => holder.case_keys_afresh(tx, case)?,
                    false => known.keys.duplicate(),
                };
                keys.require_events(&vouched.events)?;
                keys.vouch(vouched);
                self.keep(tx, case, &keys)?;
                return Ok(keys);
            }
        }
        let keys = rebuilt(holder, tx, case)?;
        self.keep(tx, case, &keys)?;
        Ok(keys)
    }
}

/// Rebuilds the whole stream and opens its keyrings.
pub(super) fn rebuilt(holder: &Holder, tx: &ReadTx<'_>, case: CaseId) -> Result<CaseKeys> {
    let (vouched, _) = rebuild(tx, case, None, Vouched::default())?;
    let mut keys = holder.case_keys_afresh(tx, case)?;
    keys.require_events(&vouched.events)?;
    keys.vouch(vouched);
    Ok(keys)
}

/// Rebuilds a stream from a link that was reached before to its head; tells whether an event was among what is new.
fn rebuild(
    tx: &ReadTx<'_>,
    case: CaseId,
    from: Option<(u64, LinkId)>,
    mut vouched: Vouched,
) -> Result<(Vouched, bool)> {
    let stream = StreamId::case(case);
    let mut replay = Replay::of_stream_after(tx, stream, from)?;
    let first = from.map_or(0, |(seq, _)| seq.saturating_add(1));
    let mut event = false;
    tx.scan_from(stream, first, CHUNK, &mut |chunk: Vec<Row>| -> Result<()> {
        for hashed in hash_all(&chunk)? {
            replay.next(&hashed)?;
            event |= matches!(hashed.row(), Row::Link(_));
            vouched.take(&hashed);
        }
        Ok(())
    })?;
    replay.finish(tx)?;
    Ok((vouched, event))
}

fn duplicate(keys: &SectionKeys) -> SectionKeys {
    let keys = keys.iter();
    keys.map(|(section, epoch, key)| (*section, *epoch, key.duplicate()))
        .collect()
}

fn head_of(tx: &ReadTx<'_>, case: CaseId) -> Result<Option<(u64, LinkId)>> {
    let head = tx.stream_head(StreamId::case(case))?;
    Ok(head.map(|head| (head.seq, head.link)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn an_overview_grows_old_while_the_time_of_day_stands_still() {
        let (known, begun, made) = (Known::default(), Instant::now(), Timestamp::UNIX_EPOCH);
        let minutes = |n: u64| Duration::from_secs(60 * n);
        let age = |scope, made, clock, passed| known.overview_age(scope, made, minutes(clock), begun + minutes(passed));
        // Made by another process nine minutes ago, and the clock stands from here on.
        assert_eq!(age("today", made, 9, 0), minutes(9));
        assert_eq!(age("today", made, 9, 5), minutes(14));
        assert_eq!(age("today", made, 9, 6), minutes(15));
        // Another list has its own, and a clock that goes on is believed.
        assert_eq!(age("cases", made, 0, 6), minutes(0));
        assert_eq!(age("cases", made, 14, 7), minutes(14));
        // A new entry begins anew: another process's, and one of this agent that the clock gives the same moment.
        let later = made + jiff::SignedDuration::from_nanos(1);
        assert_eq!(age("today", later, 0, 6), minutes(0));
        assert_eq!(age("today", later, 0, 21), minutes(15));
        known.note_overview("today", later, begun + minutes(21));
        assert_eq!(age("today", later, 0, 35), minutes(14));
    }
}
