//! The agency's stream out of the store, and what is sealed under the agency key.

use super::Holder;
use super::Result;
use super::SessionError;
use super::clock;
use super::random;
use super::refused;
use super::settings::Settings;
use crate::store::BlobKind;
use crate::store::LinkRow;
use crate::store::ReadTx;
use crate::store::StoredRecord;
use crate::store::WriteTx;
use vault_core::agency_state::AgencyState;
use vault_core::check::Check;
use vault_core::epoch;
use vault_core::epoch::SectionSealer;
use vault_core::founding;
use vault_core::id::MemberId;
use vault_core::id::RecordHash;
use vault_core::id::RecordId;
use vault_core::keyring;
use vault_core::secret::EpochKey;
use vault_core::secret::RecipientSeed;
use vault_core::secret::ReleaseHalf;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::key::KeyContext;
use vault_core::wire::v1::key::RecipientKind;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::link::PlacedEvent;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;

const AGENCY: &str = "agency";

/// Reads the agency's stream and judges every link of it.
pub(super) fn load(tx: &ReadTx<'_>) -> Result<AgencyState> {
    let stream = StreamId::agency(&tx.agency());
    tx.require_dense(stream)?;
    let mut rows = tx.events(stream)?.into_iter();
    let first = rows
        .next()
        .ok_or_else(|| SessionError::refused(Check::Founding, AGENCY))?;
    let mut state = AgencyState::found(&first.link).map_err(refused(AGENCY))?;
    for row in rows {
        admit(&mut state, &row)?;
    }
    // The chain arrived where the store's owner last saw it.
    if tx.chain(stream)? != *state.chain() {
        return Err(SessionError::refused(Check::StreamHead, AGENCY));
    }
    state.observe(tx.seen()?);
    Ok(state)
}

/// Takes a row's link into the state.
pub(super) fn admit(state: &mut AgencyState, row: &LinkRow) -> Result<()> {
    let placements = row.placements()?;
    let stored = row.placed(&placements);
    state.admit(row.link.clone(), &stored).map_err(refused(AGENCY))?;
    Ok(())
}

/// The settings with the record that holds them.
pub(super) struct KeptSettings {
    pub(super) settings: Settings,
    pub(super) record: RecordId,
    pub(super) version: u32,
    pub(super) hash: RecordHash,
}

impl Holder {
    /// Opens the newest settings: agency's and members' names, and the workers that imports named.
    ///
    /// Of those that do not open the next older ones stand in: whoever may write settings could otherwise keep everybody from
    /// them, and from mending them.
    pub(super) fn settings(&self, tx: &ReadTx<'_>) -> Result<KeptSettings> {
        let rows = tx.events(StreamId::agency(&self.agency.id()))?;
        let newest_first = rows.into_iter().rev().flat_map(|row| row.sealed);
        let mut first_refusal = None;
        for sealed in newest_first {
            match self.open_settings(tx, sealed) {
                Err(error) if error.check().is_some() => drop(first_refusal.get_or_insert(error)),
                opened => return opened,
            }
        }
        Err(first_refusal.unwrap_or_else(|| SessionError::refused(Check::BodyMissing, AGENCY)))
    }

    fn open_settings(&self, tx: &ReadTx<'_>, newest: StoredRecord) -> Result<KeptSettings> {
        let (record, version) = (newest.header.record, newest.header.version);
        let (epoch, release) = (newest.epoch, newest.release);
        let key = self.agency_key(tx, epoch)?;
        let (unverified, wrap) = newest.into_record()?;
        let verified = unverified.verified_at_entry();
        let sealer = SectionSealer::derive(&key, &ReleaseHalf::none(), self.agency_context(epoch), &release)
            .map_err(refused(AGENCY))?;
        let hash = verified.hash();
        let payload = sealer
            .unwrap(&wrap, hash)
            .and_then(|k| verified.open(&k))
            .map_err(refused(AGENCY))?;
        Ok(KeptSettings {
            settings: Settings::from_json(payload.bytes())?,
            record,
            version,
            hash,
        })
    }

    /// Names a member to who may open the settings: by name where it is known, and by the handle.
    pub(super) fn member_named(&self, tx: &ReadTx<'_>, member: MemberId) -> Result<String> {
        Ok(self.settings(tx)?.settings.named(member, self.founder()))
    }

    /// Returns who founded the agency.
    pub(super) fn founder(&self) -> Option<MemberId> {
        let mut members = self.agency.members().iter();
        let founder = members.find(|(_, known)| known.roles.first().is_some_and(|(since, _)| *since == 0));
        founder.map(|(id, _)| *id)
    }

    /// Returns the seed of an epoch of the data-protection role key, if this member holds it: out of the keystore, or out
    /// of the keyring that the epoch's link names.
    pub(super) fn role_seed(&self, tx: &ReadTx<'_>, epoch: u32) -> Result<Option<RecipientSeed>> {
        let kept = self.secrets.dpo.iter().find(|(kept, _)| *kept == epoch);
        if let Some((_, seed)) = kept {
            return Ok(Some(seed.duplicate()));
        }
        let (agency, stream) = (self.agency.id(), StreamId::agency(&self.agency.id()));
        for named in self.agency.keyrings() {
            let (true, Some(seed)) = (named.to.kind == RecipientKind::Member, self.own_seed(&named.to)) else {
                continue;
            };
            let file = tx.blob(BlobKind::Keyring, &named.keyring_hash.0)?;
            let keys = keyring::open(agency, stream, named.to, seed, &file).map_err(refused(AGENCY))?;
            let found = keys
                .into_iter()
                .find(|(section, of, _)| (*section, *of) == (Section::DPO_IDENTITY, Epoch(epoch)));
            if let Some((_, _, key)) = found {
                let seed = RecipientSeed::from_bytes(*key.expose());
                let is_named = self.agency.dpo_epoch(epoch) == Some(&keyring::recipient_key(&seed));
                return match is_named {
                    true => Ok(Some(seed)),
                    false => Err(SessionError::refused(Check::EpochCommitment, AGENCY)),
                };
            }
        }
        Ok(None)
    }

    /// Takes in what another process appended to the agency's stream since this one read it.
    pub(super) fn catch_up(&mut self, tx: &ReadTx<'_>) -> Result<()> {
        if tx.agency_head()? != self.agency.head() {
            self.agency = load(tx)?;
            self.forget_unnamed_role_keys();
        }
        Ok(())
    }

    /// Drops seeds of the data-protection role key that the agency's stream does not name: of an epoch that was made here and
    /// has no place there. Kept, one would stand for the epoch that somebody else made by its number.
    pub(super) fn forget_unnamed_role_keys(&mut self) {
        let agency = &self.agency;
        let is_named =
            |epoch: u32, seed: &RecipientSeed| agency.dpo_epoch(epoch) == Some(&keyring::recipient_key(seed));
        self.secrets.dpo.retain(|(epoch, seed)| is_named(*epoch, seed));
    }

    /// Appends a new version of the settings.
    pub(super) fn put_settings(&mut self, tx: &mut WriteTx<'_>, kept: &KeptSettings) -> Result<()> {
        let mut random = random::os();
        let last = self.agency.epochs().last().map_or(Epoch::FIRST, |e| e.epoch);
        let key = self.agency_key(tx, last)?;
        let placed = founding::seal_settings(
            &self.agency,
            kept.record,
            (kept.version + 1, kept.hash),
            (self.member, self.device),
            &kept.settings.to_json()?,
            &key,
            clock::month(clock::now())?,
            &self.secrets,
            &mut random,
        )
        .map_err(refused(AGENCY))?;
        let event = Event::Settings(super::policy_set()?);
        let body = LinkBody::Event(PlacedEvent {
            event,
            sealed: vec![placed.placement],
        });
        let mut chain = tx.chain_to_extend(StreamId::agency(&self.agency.id()))?;
        let link = chain
            .append(self.agency.head(), self.device, body)
            .map_err(refused(AGENCY))?
            .sign(&self.signer);
        self.agency
            .admit(link.as_unverified().clone(), &[placed.stored()])
            .map_err(refused(AGENCY))?;
        tx.put_event(&link, &[(&placed.record, &placed.wrap)])?;
        Ok(())
    }

    fn agency_context(&self, epoch: Epoch) -> KeyContext {
        let agency = self.agency.id();
        KeyContext {
            agency,
            stream: StreamId::agency(&agency),
            section: Section::INDEX,
            epoch,
        }
    }

    fn agency_key(&self, tx: &ReadTx<'_>, wanted: Epoch) -> Result<EpochKey> {
        if let Some(known) = self.known.as_ref().and_then(|known| known.agency_key(wanted)) {
            return Ok(known);
        }
        let context = self.agency_context(wanted);
        let open = self.agency.epochs().iter().find(|e| e.epoch == wanted);
        let open = open.ok_or_else(|| SessionError::refused(Check::EpochNumber, AGENCY))?;
        for named in self.agency.keyrings() {
            let (true, Some(seed)) = (named.to.kind == RecipientKind::Member, self.own_seed(&named.to)) else {
                continue;
            };
            let file = tx.blob(BlobKind::Keyring, &named.keyring_hash.0)?;
            let keys = keyring::open(context.agency, context.stream, named.to, seed, &file).map_err(refused(AGENCY))?;
            let found = keys
                .into_iter()
                .find(|(section, epoch, _)| (*section, *epoch) == (Section::INDEX, wanted));
            if let Some((_, _, key)) = found {
                epoch::require_commitment(&key, &context, &open.commitment).map_err(refused(AGENCY))?;
                if let Some(known) = &self.known {
                    known.keep_agency_key(wanted, &key);
                }
                return Ok(key);
            }
        }
        Err(SessionError::refused(Check::KeyringsComplete, AGENCY))
    }
}
