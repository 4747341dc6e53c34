//! Sealing records and appending links: the one way in which a session writes.

use super::Holder;
use super::Result;
use super::SessionError;
use super::case_keys::CaseKeys;
use super::clock;
use super::random;
use super::refused;
use crate::store::BlobKind;
use crate::store::WriteTx;
use vault_core::check::Check;
use vault_core::id::MemberId;
use vault_core::id::RecordHash;
use vault_core::id::RecordId;
use vault_core::opening;
use vault_core::opening::Opened;
use vault_core::opening::fresh;
use vault_core::placing;
use vault_core::placing::PlacedRecord;
use vault_core::record;
use vault_core::stream::VerifiedLink;
use vault_core::wire::v1::FORMAT;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::link::PlacedEvent;
use vault_core::wire::v1::link::Release;
use vault_core::wire::v1::membership::Membership;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wire::v1::stream::Section;

/// Which version of which record is being written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    pub(super) record: RecordId,
    pub(super) number: u32,
    pub(super) amends: RecordHash,
}

impl Version {
    /// The first version of a new record.
    pub(super) fn first(record: RecordId) -> Self {
        Self {
            record,
            number: 1,
            amends: RecordHash::ZERO,
        }
    }

    /// The version after the one of `number` and `hash`.
    pub(super) fn after(record: RecordId, number: u32, hash: RecordHash) -> Self {
        Self {
            record,
            number: number + 1,
            amends: hash,
        }
    }
}

/// Returns the number of an author's private section: from one that the author's id gives on, the first that is free.
///
/// Two authors who open theirs without having heard of each other would take one number otherwise, and a record is bound to
/// the number that it was written under. Two devices of one author take the same.
pub(super) fn private_number(author: MemberId, is_taken: impl Fn(Section) -> bool) -> Option<Section> {
    let (first, all) = (
        Section::FIRST_PRIVATE.0,
        Section::DPO_IDENTITY.0 - Section::FIRST_PRIVATE.0,
    );
    let [high, low, ..] = author.0;
    let begin = u16::from_be_bytes([high, low]) % all;
    let numbers = (0..all).map(|n| begin.wrapping_add(n) % all);
    numbers.map(|n| Section(first + n)).find(|section| !is_taken(*section))
}

impl Holder {
    /// Seals a payload under the section's head epoch, which has to take this member's writing.
    pub(super) fn seal(
        &self,
        keys: &CaseKeys,
        class: RecordClass,
        section: Section,
        version: Version,
        payload: &[u8],
    ) -> Result<PlacedRecord> {
        let handle = || version.record.handle();
        let epoch = keys.state.writable_epoch(&self.agency, self.member, section);
        let epoch = epoch.map_err(|e| SessionError::refused(e.check, keys.stream()))?;
        let header = RecordHeader {
            format: FORMAT,
            agency: self.agency.id(),
            stream: keys.stream(),
            section,
            record: version.record,
            version: version.number,
            amends: version.amends,
            member: self.member,
            device: self.device,
            class,
            padded_length: 0,
            commitment: [0; 32],
        };
        let fresh = fresh(&mut random::os());
        let sealed = record::seal(header, payload, &fresh, &self.secrets.seal_secret, &self.signer)
            .map_err(|e| SessionError::refused(e.check, handle()))?;
        let release = Release {
            month: clock::month(clock::now())?,
            commitment: None,
        };
        let sealer = keys.sealer(section, epoch, release)?;
        placing::place(sealed, &sealer, epoch, release).map_err(|e| SessionError::refused(e.check, handle()))
    }

    /// Appends a record link; returns its commit position.
    pub(super) fn append_record(&self, tx: &mut WriteTx<'_>, placed: &PlacedRecord, is_primary: bool) -> Result<u64> {
        let stream = placed.record.header().stream;
        let mut chain = tx.chain_to_extend(stream)?;
        let body = LinkBody::Record(placed.placement);
        let link = chain
            .append(self.agency.head(), self.device, body)
            .map_err(refused(stream))?
            .sign(&self.signer);
        Ok(tx.put_record(&link, &placed.record, &placed.wrap, is_primary)?)
    }

    /// Appends an event of a case, judged as any reader will; returns its link and commit position.
    pub(super) fn append_event(
        &self,
        tx: &mut WriteTx<'_>,
        keys: &mut CaseKeys,
        event: Event,
        sealed: &[PlacedRecord],
    ) -> Result<(VerifiedLink, u64)> {
        let stream = keys.stream();
        let mut chain = tx.chain_to_extend(stream)?;
        let placements = sealed.iter().map(|p| p.placement).collect();
        let body = LinkBody::Event(PlacedEvent {
            event,
            sealed: placements,
        });
        let link = chain
            .append(self.agency.head(), self.device, body)
            .map_err(refused(stream))?
            .sign(&self.signer);
        let stored: Vec<_> = sealed.iter().map(PlacedRecord::stored).collect();
        if let Some((cited, seen)) = tx.last_of(stream)? {
            keys.state.goes_on_from(cited, seen);
        }
        keys.state
            .judge(&self.agency, link.as_unverified(), &stored)
            .map_err(refused(stream))?;
        let parts: Vec<_> = sealed.iter().map(|p| (&p.record, &p.wrap)).collect();
        let pos = tx.put_event(&link, &parts)?;
        Ok((link, pos))
    }

    /// Returns this member's private section of the case, opening it first where there is none.
    pub(super) fn private_section(&self, tx: &mut WriteTx<'_>, keys: &mut CaseKeys) -> Result<Section> {
        if let Some(section) = keys.state.private_section(self.member) {
            return Ok(section);
        }
        let section = private_number(self.member, |section| keys.state.sections().contains_key(&section));
        let section = section.ok_or_else(|| SessionError::refused(Check::EpochOpener, keys.stream()))?;
        let (change, opened) =
            opening::open_private(&self.agency, keys.stream(), section, self.member, &mut random::os())
                .map_err(refused(keys.stream()))?;
        self.append_membership(tx, keys, Event::Membership, change, opened, &[])?;
        Ok(section)
    }

    /// Appends a change of members with its keyring files, and takes its keys; returns its commit position.
    pub(super) fn append_membership(
        &self,
        tx: &mut WriteTx<'_>,
        keys: &mut CaseKeys,
        event: impl FnOnce(Membership) -> Event,
        change: Membership,
        opened: Opened,
        sealed: &[PlacedRecord],
    ) -> Result<u64> {
        for (_, file) in &opened.files {
            tx.put_blob(BlobKind::Keyring, file)?;
        }
        let (_, pos) = self.append_event(tx, keys, event(change), sealed)?;
        for (section, epoch, key) in opened.keys {
            keys.take(section, epoch, key)?;
        }
        Ok(pos)
    }
}
