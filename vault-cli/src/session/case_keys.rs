//! A case made ready for reading and writing: its state out of its events, and the epoch keys out of its keyrings.
//!
//! ```text
//! events -> signatures checked -> CaseState -> keyrings for me -> keys that open to their commitments
//! ```
//!
//! Only events are read, so that the cost is the case's members', not its notes'.

use super::Holder;
use super::Result;
use super::SessionError;
use super::known;
use super::known::Vouched;
use super::refused;
use super::unshown;
use crate::store::BlobKind;
use crate::store::LinkRow;
use crate::store::ReadTx;
use crate::store::StoredRecord;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use vault_core::case_state::CaseState;
use vault_core::check::Check;
use vault_core::epoch;
use vault_core::epoch::SectionSealer;
use vault_core::epoch::Wrap;
use vault_core::id::CaseId;
use vault_core::id::KeyringHash;
use vault_core::id::LinkId;
use vault_core::id::RecordHash;
use vault_core::keyring;
use vault_core::record::Payload;
use vault_core::record::VerifiedRecord;
use vault_core::secret::EpochKey;
use vault_core::secret::RecipientSeed;
use vault_core::secret::RecordKey;
use vault_core::secret::ReleaseHalf;
use vault_core::wire::v1::key::KeyContext;
use vault_core::wire::v1::key::RecipientKind;
use vault_core::wire::v1::key::RecipientRef;
use vault_core::wire::v1::link::Release;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;

/// Sealers of one case, by section, epoch and month.
type Sealers = HashMap<(Section, Epoch, Release), Arc<SectionSealer>>;

/// A case's state with the keys that this member holds.
pub(super) struct CaseKeys {
    pub(super) state: CaseState,
    stream: StreamId,
    agency: vault_core::id::AgencyId,
    keys: BTreeMap<(Section, Epoch), EpochKey>,
    sealers: Mutex<Sealers>,
    vouched: Option<Arc<Vouched>>,
    // What the state was made of.
    events: Vec<LinkId>,
    // This member's recipients whose secrets are here.
    mine: BTreeSet<RecipientRef>,
    // Why keyrings for this member do not open: what is under their epochs does not either, all else does.
    broken: Vec<Check>,
    // What this member was not shown the bytes of, of a case that it left.
    unshown: HashSet<RecordHash>,
}

/// A case's state and the keyring files that are for this member.
pub(super) struct CaseParts {
    open: CaseKeys,
    files: Vec<(RecipientRef, KeyringHash, Vec<u8>)>,
    // Out of keyrings that were opened before.
    known: Vec<SectionKeys>,
}

/// What a keyring holds.
pub(super) type SectionKeys = Vec<(Section, Epoch, EpochKey)>;

/// A case's keys, or what they are opened from.
pub(super) enum CaseOpening {
    /// Known as of the present head.
    Known(Box<CaseKeys>),
    /// Still to be opened.
    Parts(Box<CaseParts>),
}

impl CaseKeys {
    /// A case that is being opened: nothing known yet.
    pub(super) fn new(agency: vault_core::id::AgencyId, case: CaseId, mine: BTreeSet<RecipientRef>) -> Self {
        Self {
            mine,
            state: CaseState::of_events(case),
            stream: StreamId::case(case),
            agency,
            keys: BTreeMap::new(),
            sealers: Mutex::default(),
            vouched: None,
            events: Vec::new(),
            broken: Vec::new(),
            unshown: HashSet::new(),
        }
    }

    /// Returns a second owner of the same keys, as of the same state.
    pub(super) fn duplicate(&self) -> Self {
        let sealers = self.sealers.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            state: self.state.clone(),
            stream: self.stream,
            agency: self.agency,
            keys: self.keys.iter().map(|(of, key)| (*of, key.duplicate())).collect(),
            sealers: Mutex::new(sealers.clone()),
            vouched: self.vouched.clone(),
            events: self.events.clone(),
            mine: self.mine.clone(),
            broken: self.broken.clone(),
            unshown: self.unshown.clone(),
        }
    }

    /// Takes what the stream's rebuilding vouches for.
    pub(super) fn vouch(&mut self, vouched: Vouched) {
        self.vouched = Some(Arc::new(vouched));
    }

    /// Returns what the stream's rebuilding vouches for, where it was rebuilt for these keys.
    pub(super) fn vouched(&self) -> Option<&Vouched> {
        self.vouched.as_deref()
    }

    /// Refuses keys that were not made of the very events that the rebuilt stream has: an index of the file may hide one,
    /// an erasure or a rotation, from who asks for events alone (CHK-102).
    pub(super) fn require_events(&self, rebuilt: &[LinkId]) -> Result<()> {
        match self.events == rebuilt {
            true => Ok(()),
            false => Err(self.fault(Check::Dense)),
        }
    }

    /// Returns the case's stream.
    pub(super) fn stream(&self) -> StreamId {
        self.stream
    }

    /// Takes a key that was just made, or came in a keyring: it has to open to its commitment (CHK-32).
    pub(super) fn take(&mut self, section: Section, number: Epoch, key: EpochKey) -> Result<()> {
        let open = self.state.sections().get(&section).and_then(|s| s.epoch(number));
        let open = open.ok_or_else(|| self.fault(Check::EpochCommitment))?;
        epoch::require_commitment(&key, &self.context(section, number), &open.commitment)
            .map_err(refused(self.stream))?;
        self.keys.insert((section, number), key);
        Ok(())
    }

    /// As [`Self::take`]; one of a keyring that somebody made wrongly is noted, and left out.
    fn take_or_miss(&mut self, section: Section, number: Epoch, key: EpochKey) -> Result<()> {
        match self.take(section, number, key) {
            Err(SessionError::Refused { check, .. }) if check == Check::EpochCommitment => {
                self.broken.push(check);
                Ok(())
            }
            taken => taken,
        }
    }

    /// Returns why keyrings for this member do not open.
    pub(super) fn broken(&self) -> &[Check] {
        &self.broken
    }

    /// Returns the case.
    pub(super) fn case(&self) -> CaseId {
        self.state.case()
    }

    /// Returns the sealer of (section, epoch, month).
    pub(super) fn sealer(&self, section: Section, number: Epoch, release: Release) -> Result<Arc<SectionSealer>> {
        let mut sealers = self.sealers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sealer) = sealers.get(&(section, number, release)) {
            return Ok(Arc::clone(sealer));
        }
        let key = self
            .keys
            .get(&(section, number))
            .ok_or_else(|| match self.is_for_others(section, number) {
                true => SessionError::NoKey {
                    of: self.stream.to_string(),
                },
                false => self.fault(Check::KeyringsComplete),
            })?;
        let context = self.context(section, number);
        let sealer =
            SectionSealer::derive(key, &ReleaseHalf::none(), context, &release).map_err(refused(self.stream))?;
        let sealer = Arc::new(sealer);
        sealers.insert((section, number, release), Arc::clone(&sealer));
        Ok(sealer)
    }

    /// Returns every key that this member has.
    #[cfg(test)]
    pub(super) fn all_held(&self) -> Vec<(Section, Epoch, EpochKey)> {
        let keys = self.keys.iter();
        keys.map(|((section, epoch), key)| (*section, *epoch, key.duplicate()))
            .collect()
    }

    /// Whether this member has the key of (section, epoch).
    pub(super) fn holds(&self, section: Section, number: Epoch) -> bool {
        self.keys.contains_key(&(section, number))
    }

    /// Whether an epoch's key was wrapped to no recipient of which the secret is here: it is others', or from before this
    /// member began anew.
    pub(super) fn is_for_others(&self, section: Section, number: Epoch) -> bool {
        let open = self.state.sections().get(&section).and_then(|s| s.epoch(number));
        open.is_some_and(|open| !open.recipients.iter().any(|to| self.mine.contains(to)))
    }

    /// Opens a stored record. Its author's signature was checked when it came in.
    pub(super) fn open(&self, stored: StoredRecord) -> Result<(VerifiedRecord, Payload)> {
        self.require_not_lost(&stored)?;
        let (epoch, release) = (stored.epoch, stored.release);
        let (unverified, wrap) = stored.into_record()?;
        let record = unverified.verified_at_entry();
        let payload = self.open_record(&record, &wrap, epoch, release)?;
        Ok((record, payload))
    }

    /// As [`Self::open`], for who needs the payload alone and has just computed the record's hash.
    pub(super) fn payload_of(&self, stored: StoredRecord, hash: RecordHash) -> Result<Payload> {
        self.require_not_lost(&stored)?;
        let (epoch, release) = (stored.epoch, stored.release);
        let (unverified, wrap) = stored.into_hashed_record(hash)?;
        let record = unverified.verified_at_entry();
        let handle = record.header().record;
        let key = self.record_key(&record, &wrap, epoch, release)?;
        let opened = record.into_payload(&key);
        opened.map_err(|e| SessionError::refused(e.check, handle.handle()))
    }

    /// Opens a record: wrap, commitment, seal, padding.
    pub(super) fn open_record(
        &self,
        record: &VerifiedRecord,
        wrap: &Wrap,
        epoch: Epoch,
        release: Release,
    ) -> Result<Payload> {
        let key = self.record_key(record, wrap, epoch, release)?;
        let opened = record.open(&key);
        opened.map_err(|e| SessionError::refused(e.check, record.header().record.handle()))
    }

    fn record_key(&self, record: &VerifiedRecord, wrap: &Wrap, epoch: Epoch, release: Release) -> Result<RecordKey> {
        let header = record.header();
        let refused = |check| SessionError::refused(check, header.record.handle());
        if self.state.is_erased(&record.hash()) {
            // Put back out of an older copy: the erasure holds.
            return Err(refused(Check::BodyMissing));
        }
        let sealer = self.sealer(header.section, epoch, release)?;
        sealer.unwrap(wrap, record.hash()).map_err(|e| refused(e.check))
    }

    /// Refuses a record without its bytes that no erasure names (CHK-82).
    ///
    /// # Errors
    /// [`SessionError::NotShown`] for one that this member was not shown, which a reader of many names and goes on.
    pub(super) fn require_not_lost(&self, stored: &StoredRecord) -> Result<()> {
        if !stored.is_erased() {
            return Ok(());
        }
        let (hash, of) = (stored.hash()?, stored.header.record.handle());
        match self.state.is_erased(&hash) {
            true => Ok(()),
            false if self.unshown.contains(&hash) => Err(SessionError::NotShown { of }),
            false => Err(SessionError::refused(Check::BodyMissing, of)),
        }
    }

    fn context(&self, section: Section, epoch: Epoch) -> KeyContext {
        KeyContext {
            agency: self.agency,
            stream: self.stream,
            section,
            epoch,
        }
    }

    fn fault(&self, check: Check) -> SessionError {
        SessionError::refused(check, self.stream)
    }
}

impl Holder {
    /// Rebuilds a case's stream up to its authenticated head, reads its events and opens the keyrings that are for
    /// this member.
    ///
    /// Without the rebuilding, a row in another's place would pass for the newest version, and a hidden event would
    /// leave a stale epoch to be written under (CHK-102).
    ///
    /// What was rebuilt is vouched for: who opens a record out of the store with these keys gets one of the stream's.
    pub(super) fn case_keys(&self, tx: &ReadTx<'_>, case: CaseId) -> Result<CaseKeys> {
        match &self.known {
            Some(known) => known.case(self, tx, case),
            None => known::rebuilt(self, tx, case),
        }
    }

    /// As [`Self::case_keys`], for who rebuilds the stream in the same transaction before anything is told or written.
    pub(super) fn case_keys_before_walk(&self, tx: &ReadTx<'_>, case: CaseId) -> Result<CaseKeys> {
        if let Some(known) = &self.known
            && let Some(present) = known.present(tx, case)?
        {
            return Ok(present);
        }
        self.case_keys_afresh(tx, case)
    }

    /// As [`Self::case_keys_before_walk`], out of the store alone.
    pub(super) fn case_keys_afresh(&self, tx: &ReadTx<'_>, case: CaseId) -> Result<CaseKeys> {
        self.open_parts(self.case_parts(tx, case)?)
    }

    /// Reads what the keys of a case need, or takes those that are known.
    pub(super) fn case_opening(&self, tx: &ReadTx<'_>, case: CaseId) -> Result<CaseOpening> {
        if let Some(known) = &self.known
            && let Some(present) = known.present(tx, case)?
        {
            return Ok(CaseOpening::Known(Box::new(present)));
        }
        Ok(CaseOpening::Parts(Box::new(self.case_parts(tx, case)?)))
    }

    /// Opens a case of [`Self::case_opening`]: many over both cores.
    pub(super) fn open(&self, opening: CaseOpening) -> Result<CaseKeys> {
        match opening {
            CaseOpening::Known(keys) => Ok(*keys),
            CaseOpening::Parts(parts) => self.open_parts(*parts),
        }
    }

    /// Reads what [`Self::open_parts`] needs, so that many cases can be opened over both cores. Rebuilding the stream, and
    /// [`CaseKeys::require_events`], or at least counting its rows, is left to the caller.
    pub(super) fn case_parts(&self, tx: &ReadTx<'_>, case: CaseId) -> Result<CaseParts> {
        let stream = StreamId::case(case);
        let mut open = CaseKeys::new(self.agency.id(), case, self.own_refs());
        for row in tx.events(stream)? {
            self.judge_again(&mut open.state, &row)?;
            open.events.push(row.link.id());
        }
        open.unshown = unshown::load(tx, case)?;
        let (mut files, mut known) = (Vec::new(), Vec::new());
        for named in open.state.keyrings() {
            if named.to.kind != RecipientKind::Member || self.own_seed(&named.to).is_none() {
                continue;
            }
            let hash = named.keyring_hash;
            match self.known.as_ref().and_then(|known| known.keyring(&hash)) {
                Some(keys) => known.push(keys),
                None => files.push((named.to, hash, tx.blob(BlobKind::Keyring, &hash.0)?)),
            }
        }
        Ok(CaseParts { open, files, known })
    }

    /// Reads a case's state out of its events, as of the last of them.
    pub(super) fn case_state(&self, tx: &ReadTx<'_>, case: CaseId) -> Result<CaseState> {
        self.case_state_until(tx, case, u64::MAX)
    }

    /// As [`Self::case_state`], of the events before link `seq`.
    pub(super) fn case_state_until(&self, tx: &ReadTx<'_>, case: CaseId, seq: u64) -> Result<CaseState> {
        let mut state = CaseState::of_events(case);
        let events = tx.events(StreamId::case(case))?.into_iter();
        for row in events.take_while(|row| row.link.link().seq < seq) {
            self.judge_again(&mut state, &row)?;
        }
        Ok(state)
    }

    /// Opens the keyrings: one public-key operation each.
    pub(super) fn open_parts(&self, parts: CaseParts) -> Result<CaseKeys> {
        let CaseParts { mut open, files, known } = parts;
        for (section, number, key) in known.into_iter().flatten() {
            open.take_or_miss(section, number, key)?;
        }
        for (to, hash, file) in files {
            let seed = self.own_seed(&to).ok_or_else(|| open.fault(Check::KeyringContext))?;
            let keys = match keyring::open(self.agency.id(), open.stream, to, seed, &file) {
                Ok(keys) => keys,
                Err(refused) => {
                    open.broken.push(refused.check);
                    continue;
                }
            };
            if let Some(known) = &self.known {
                known.keep_keyring(hash, &keys);
            }
            for (section, number, key) in keys {
                open.take_or_miss(section, number, key)?;
            }
        }
        Ok(open)
    }

    /// Judges an event of the store once more, its signature included; what is around it was judged at entry.
    fn judge_again(&self, state: &mut CaseState, row: &LinkRow) -> Result<()> {
        let stream = row.link.link().stream;
        let signer = self.agency.devices().get(&row.link.link().device);
        let signer = signer.ok_or_else(|| SessionError::refused(Check::Signer, stream))?;
        row.link.verify_signature(&signer.key).map_err(refused(stream))?;
        let placements = row.placements()?;
        let stored = row.placed(&placements);
        state
            .judge_again(&self.agency, &row.link, &stored)
            .map_err(refused(stream))
    }

    /// Names this member's recipients whose secrets are here.
    pub(super) fn own_refs(&self) -> BTreeSet<RecipientRef> {
        let versions = self.secrets.recipients.iter();
        let named = versions.map(|(version, _)| RecipientRef {
            kind: RecipientKind::Member,
            id: self.member,
            version: *version,
        });
        named.collect()
    }

    /// Returns the seed that opens what is wrapped to `to`, if it is this member's.
    pub(super) fn own_seed(&self, to: &RecipientRef) -> Option<&RecipientSeed> {
        if to.id != self.member {
            return None;
        }
        self.secrets
            .recipients
            .iter()
            .find(|(version, _)| *version == to.version)
            .map(|(_, seed)| seed)
    }
}
