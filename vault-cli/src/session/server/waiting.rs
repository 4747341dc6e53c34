//! What waits to be sent, taken out and put back behind what others wrote.
//!
//! A conflict remakes links, never records: a record keeps its author's signature and gets a new link where its stream went
//! on without it, and a new wrap where its section is in another epoch by now. What has no place any more (the right was
//! taken away, somebody else changed the members) is set aside, sealed, and told; nothing is dropped.

use super::kept::KeptRemote;
use super::taking;
use crate::session::Holder;
use crate::session::Result;
use crate::session::SessionError;
use crate::session::agency;
use crate::session::aside;
use crate::session::case_keys::CaseKeys;
use crate::session::refused;
use crate::store::BlobKind;
use crate::store::Content;
use crate::store::Hashed;
use crate::store::LinkRow;
use crate::store::NewBody;
use crate::store::NewRecord;
use crate::store::ReadTx;
use crate::store::RecordRow;
use crate::store::Row;
use crate::store::StoredRecord;
use crate::store::Waiting;
use crate::store::WaitingLink;
use crate::store::WriteTx;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use vault_core::case_state::PlacedRecord;
use vault_core::check::Check;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::id::CaseId;
use vault_core::id::DeviceId;
use vault_core::id::LinkId;
use vault_core::id::RecordHash;
use vault_core::parcel;
use vault_core::restoring;
use vault_core::secret::RecordKey;
use vault_core::stream::VerifiedLink;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::link::Link;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::link::Placement;
use vault_core::wire::v1::membership::EpochOpen;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;

/// Links that are looked at at once.
const CHUNK: usize = 64;

/// What has no place any more, and is kept aside.
#[derive(Clone, Debug)]
pub(super) struct SetAside {
    /// The note's handle, or the stream.
    pub(super) of: String,
    /// The check that refuses it where it would stand now.
    pub(super) check: Check,
}

/// What waited, taken out of the store.
pub(super) struct TakenOut {
    waiting: Waiting,
    /// The keys of its cases as they were then: what it is wrapped under.
    keys: HashMap<CaseId, CaseKeys>,
    /// The epochs of the agency key as they were then.
    agency: Vec<EpochOpen>,
    /// Whether some of it may have arrived.
    was_offered: bool,
}

/// Goes on over what had arrived at the server, link by link in commit order, without anybody having been told: it stays
/// where it is.
pub(super) fn arrived(tx: &WriteTx<'_>, kept: &mut KeptRemote, taken: &taking::Ids) -> Result<taking::Ids> {
    let mut here = taking::Ids::new();
    if kept.offered <= kept.pushed {
        return Ok(here);
    }
    let (mut last, mut order, mut goes_on) = (kept.pushed, kept.order(tx)?, true);
    tx.outgoing(kept.pushed, CHUNK, &mut |outgoing| -> Result<()> {
        for one in outgoing {
            let id = one.link.id();
            goes_on &= taken.contains(&id);
            if goes_on {
                last = one.pos;
                order = order.then(&id);
                here.insert(id);
            }
        }
        Ok(())
    })?;
    if last > kept.pushed {
        kept.is_sent_to(last, order, true);
    }
    Ok(here)
}

/// Takes out what is not known to be in the log.
pub(super) fn take_out(holder: &Holder, tx: &mut WriteTx<'_>, kept: &KeptRemote) -> Result<TakenOut> {
    let mut keys = HashMap::new();
    for (stream, _) in tx.first_after(kept.pushed)? {
        if let Some(case) = stream.as_case() {
            keys.insert(case, holder.case_keys_afresh(tx, case)?);
        }
    }
    let order = kept.order(tx)?;
    Ok(TakenOut {
        waiting: tx.rewind(kept.pushed, order)?,
        keys,
        agency: holder.agency.epochs().to_vec(),
        was_offered: kept.offered > kept.pushed,
    })
}

/// Returns where the first link that waits in one of some streams is.
pub(super) fn first_of(tx: &ReadTx<'_>, kept: &KeptRemote, of: &BTreeMap<StreamId, u64>) -> Result<Option<u64>> {
    let mut first: Option<u64> = None;
    if of.is_empty() {
        return Ok(first);
    }
    for (stream, seq) in tx.first_after(kept.pushed)? {
        if of.contains_key(&stream) {
            let pos = tx.position_of(stream, seq)?;
            first = Some(first.map_or(pos, |first| first.min(pos)));
        }
    }
    Ok(first)
}

/// Whether something else waits behind the first of them.
pub(super) fn is_between(tx: &ReadTx<'_>, kept: &KeptRemote, of: &BTreeMap<StreamId, u64>) -> Result<bool> {
    let Some(first) = first_of(tx, kept, of)? else {
        return Ok(false);
    };
    let others = tx.first_after(first)?.into_iter();
    Ok(others.into_iter().any(|(stream, _)| !of.contains_key(&stream)))
}

/// Brings what waits into another order, in which each stream has its own links in an order that holds.
pub(super) trait Order: FnOnce(&Holder, &mut Vec<WaitingLink>) -> Result<()> {}

impl<F: FnOnce(&Holder, &mut Vec<WaitingLink>) -> Result<()>> Order for F {}

/// Puts records that have no bytes any more directly before the erasure that names them, in cases of `of`: down rather than
/// the erasure up, since it may name several, and its right is looked at where it stands. Nothing between may speak of them:
/// a case in which something is wrapped anew stays as it is, and so does one with links that are not this member's to sign.
/// No version goes behind the one that amends it, whichever of them is erased first.
pub(super) fn gather(holder: &Holder, links: &mut Vec<WaitingLink>, of: &BTreeSet<StreamId>) -> Result<()> {
    let mut fixed = HashSet::new();
    let mut erasures = HashMap::new();
    for (place, one) in links.iter().enumerate() {
        let link = one.link.link();
        let signer = holder.agency.devices().get(&link.device);
        let is_own = signer.is_some_and(|signer| signer.member == holder.member);
        if matches!(link.body, LinkBody::Rewrap(_)) || !is_own {
            fixed.insert(link.stream);
        }
        let named = parcel::erased(&link.body).iter();
        erasures.extend(named.map(|record| ((link.stream, *record), place)));
    }
    let mut places = Vec::with_capacity(links.len());
    let mut amending = HashMap::new();
    for (place, one) in links.iter().enumerate().rev() {
        let stream = one.link.link().stream;
        let to = match &one.row {
            Row::Record(row) if row.record.is_erased() && of.contains(&stream) && !fixed.contains(&stream) => {
                erasures.get(&(stream, row.record.hash()?)).copied()
            }
            _ => None,
        };
        let mut place = to.map_or((place, 1), |erasure| (erasure, 0));
        if let Row::Record(row) = &one.row {
            let next = amending.entry((stream, row.record.header.record)).or_insert(place);
            place = place.min(*next);
            *next = place;
        }
        places.push(place);
    }
    places.reverse();
    let mut ordered: Vec<_> = places.into_iter().zip(std::mem::take(links)).collect();
    ordered.sort_by_key(|(place, _)| *place);
    links.extend(ordered.into_iter().map(|(_, one)| one));
    Ok(())
}

/// Takes out what waits and puts it back in another order.
pub(super) fn reorder(
    holder: &mut Holder,
    tx: &mut WriteTx<'_>,
    kept: &mut KeptRemote,
    order: impl Order,
) -> Result<Vec<SetAside>> {
    let mut out = take_out(holder, tx, kept)?;
    if out.has_agency_links() {
        holder.agency = agency::load(tx)?;
    }
    order(holder, &mut out.waiting.links)?;
    let aside = out.put_back(holder, tx, kept, &taking::Ids::new())?;
    kept.store(tx)?;
    if let Some(known) = &holder.known {
        known.forget();
    }
    Ok(aside)
}

impl TakenOut {
    pub(super) fn has_agency_links(&self) -> bool {
        let mut links = self.waiting.links.iter();
        links.any(|one| one.link.link().stream.kind == StreamKind::Agency)
    }

    /// Whether nothing came but what was among it, or is here already.
    pub(super) fn has_all(&self, taken: &taking::Ids, here: usize) -> bool {
        let found = self.waiting.links.iter().filter(|one| taken.contains(&one.link.id()));
        found.count().saturating_add(here) == taken.len()
    }

    /// Puts it back, in its order; `taken` are the links that came, some of which may have been among it.
    pub(super) fn put_back(
        self,
        holder: &mut Holder,
        tx: &mut WriteTx<'_>,
        kept: &mut KeptRemote,
        taken: &taking::Ids,
    ) -> Result<Vec<SetAside>> {
        let mut back = Back {
            holder,
            tx,
            before: self.keys,
            agency_before: self.agency,
            cases: HashMap::new(),
            moved: HashMap::new(),
            agency_links: self.waiting.links.iter().filter_map(agency_link).collect(),
            agency_moved: HashMap::new(),
            without_place: HashSet::new(),
        };
        let mut aside = Vec::new();
        let mut links: Vec<&WaitingLink> = self.waiting.links.iter().collect();
        enrolment_first(&mut links, back.holder.device);
        for one in links {
            let put = match taken.contains(&one.link.id()) {
                true => back.arrived(one),
                false => back.put(one),
            };
            match put {
                Ok(pos) => {
                    back.moved.insert(one.row.pos(), pos);
                }
                Err(SessionError::Refused { check, .. })
                    if !erases_what_is_here(one, &back.without_place) && !enrols(one, back.holder.device) =>
                {
                    back.set_aside(one, check)?;
                    back.without_place.extend(placed(one));
                    let of = name_of(one);
                    aside.push(SetAside { of, check });
                }
                Err(error) => return Err(error),
            }
        }
        let moved = back.moved;
        holder.forget_unnamed_role_keys();
        tx.put_externals(&self.waiting.externals, &moved)?;
        kept.offered = match self.was_offered {
            true => tx.head().pos,
            false => kept.pushed,
        };
        Ok(aside)
    }
}

struct Back<'a, 'c> {
    holder: &'a mut Holder,
    tx: &'a mut WriteTx<'c>,
    before: HashMap<CaseId, CaseKeys>,
    agency_before: Vec<EpochOpen>,
    cases: HashMap<CaseId, CaseKeys>,
    /// Commit positions, by those where it was.
    moved: HashMap<u64, u64>,
    /// The agency's links that waited, each with the one before it; and what those that were put back are now.
    agency_links: HashMap<LinkId, LinkId>,
    agency_moved: HashMap<LinkId, LinkId>,
    /// Records that were set aside.
    without_place: HashSet<RecordHash>,
}

impl Back<'_, '_> {
    /// Returns where a link is that had arrived, and came with the others.
    fn arrived(&mut self, one: &WaitingLink) -> Result<u64> {
        let link = one.link.link();
        let pos = self.tx.position_of(link.stream, link.seq)?;
        if let Row::Record(row) = &one.row
            && row.record.is_primary
        {
            self.tx.make_primary(pos)?;
        }
        Ok(pos)
    }

    fn put(&mut self, one: &WaitingLink) -> Result<u64> {
        let stream = one.link.link().stream;
        match (&one.row, stream.as_case()) {
            (Row::Record(row), Some(case)) => self.put_record(one, case, row),
            (Row::Link(row), Some(case)) => self.put_change(one, case, row),
            (Row::Link(row), None) if stream.kind == StreamKind::Agency => self.put_agency_event(one, row),
            (Row::Link(row), None) => self.put_access(one, row),
            (Row::Record(_), None) => Err(SessionError::refused(Check::KindOfStream, stream)),
        }
    }

    fn put_record(&mut self, one: &WaitingLink, case: CaseId, row: &RecordRow) -> Result<u64> {
        let mut keys = self.take_keys(case)?;
        let put = self.put_record_under(one, case, row, &mut keys);
        self.cases.insert(case, keys);
        put
    }

    fn put_record_under(
        &mut self,
        one: &WaitingLink,
        case: CaseId,
        row: &RecordRow,
        keys: &mut CaseKeys,
    ) -> Result<u64> {
        let record = &row.record;
        let (section, stream) = (record.header.section, record.header.stream);
        let writable = keys
            .state
            .writable_epoch(&self.holder.agency, self.holder.member, section);
        let epoch = match writable {
            Err(owed) if matches!(owed.check, Check::SectionDue | Check::RecipientsWithin) => {
                self.holder.rotate(self.tx, keys)?;
                keys.state
                    .writable_epoch(&self.holder.agency, self.holder.member, section)
            }
            other => other,
        };
        let epoch = epoch.map_err(refused(stream))?;
        let mut moved = record.clone();
        let placement = record.placement()?;
        if epoch != record.epoch || !self.is_same_epoch(keys, case, section, epoch) {
            moved.epoch = epoch;
            if let Content::Kept { wrap, .. } = &mut moved.content {
                let before = self.before.get(&case);
                let before = before.ok_or_else(|| SessionError::refused(Check::KeyringsComplete, stream))?;
                let (hash, release) = (placement.record_hash, record.release);
                let handle = record.header.record.handle();
                let key = before.sealer(section, record.epoch, release)?.unwrap(wrap, hash);
                let key = key.map_err(refused(&handle))?;
                let sealer = keys.sealer(section, epoch, release)?;
                *wrap = sealer.wrap(&key, hash).map_err(refused(&handle))?;
            }
        }
        let placement = Placement {
            epoch,
            wrap_hash: moved.placement()?.wrap_hash,
            ..placement
        };
        let link = self.link(one, LinkBody::Record(placement))?;
        let known = self.versions(keys, std::slice::from_ref(&moved))?;
        let stored = [moved.placed(&placement)];
        keys.state
            .judge_knowing(self.holder.agency.now(), link.as_unverified(), &stored, &known)
            .map_err(refused(record.header.record.handle()))?;
        let new = new_record(&moved, placement.record_hash);
        Ok(self.tx.put_any_record(&link, new, record.is_primary)?)
    }

    /// An event of a case, or a rewrap.
    fn put_change(&mut self, one: &WaitingLink, case: CaseId, row: &LinkRow) -> Result<u64> {
        // What it changes is read again afterwards.
        let mut keys = self.take_keys(case)?;
        let stream = keys.stream();
        let body = &self.with_place(&one.link.link().body);
        let link = self.link(one, body.clone())?;
        let placements = row.placements()?;
        // What is sealed in it is part of what was signed, and opens by the key that it was sealed for alone; an epoch that it
        // opens itself is its own.
        let opened = |placement: &Placement| opens(body, placement.section, placement.epoch);
        let mut elsewhere = placements.iter().filter(|placement| !opened(placement));
        if elsewhere.any(|placement| !self.is_same_epoch(&keys, case, placement.section, placement.epoch)) {
            return Err(SessionError::refused(Check::EpochHead, stream));
        }
        let by_hash = taking::records_by_hash(self.tx, stream, &taking::named_by_hash(body))?;
        let mut known = self.versions(&keys, &row.sealed)?;
        let named = by_hash.iter();
        known.extend(named.map(|(hash, found)| (*hash, taking::placed(&keys.state, *hash, found))));
        keys.state
            .judge_knowing(
                self.holder.agency.now(),
                link.as_unverified(),
                &row.placed(&placements),
                &known,
            )
            .map_err(refused(stream))?;
        if let LinkBody::Rewrap(_) = body {
            let mut wraps = one.wraps.clone();
            for (at, _) in &mut wraps {
                at.pos = self.moved.get(&at.pos).copied().unwrap_or(at.pos);
            }
            return Ok(self.tx.put_rewrap(&link, &wraps)?);
        }
        self.put_event(&link, row, &placements)
    }

    /// An erasure names no record of it that has no place any more: those went before it. Anything else is as it was.
    fn with_place(&self, body: &LinkBody) -> LinkBody {
        let mut body = body.clone();
        if let LinkBody::Event(placed) = &mut body
            && let Event::Erasure(erasure) = &mut placed.event
            && erasure
                .records
                .iter()
                .any(|record| !self.without_place.contains(record))
        {
            erasure.records.retain(|record| !self.without_place.contains(record));
        }
        body
    }

    fn put_agency_event(&mut self, one: &WaitingLink, row: &LinkRow) -> Result<u64> {
        let link = self.link(one, self.enrolled_here(one)?)?;
        let placements = row.placements()?;
        let commitment = |epochs: &[EpochOpen], epoch| epochs.iter().find(|e| e.epoch == epoch).map(|e| e.commitment);
        let now = self.holder.agency.epochs();
        let mut sealed = placements.iter().map(|placement| placement.epoch);
        if sealed.any(|epoch| commitment(&self.agency_before, epoch) != commitment(now, epoch)) {
            return Err(SessionError::refused(Check::EpochHead, one.link.link().stream));
        }
        self.holder
            .agency
            .admit(link.as_unverified().clone(), &row.placed(&placements))
            .map_err(refused(one.link.link().stream))?;
        self.agency_moved.insert(one.link.id(), link.id());
        self.put_event(&link, row, &placements)
    }

    /// Returns a link's body; where it enrols this device, and somebody wrote since the backup that it was restored from, for
    /// the place where it stands now.
    fn enrolled_here(&self, one: &WaitingLink) -> Result<LinkBody> {
        let (was, holder) = (one.link.link(), &*self.holder);
        let mut body = was.body.clone();
        if let LinkBody::Event(placed) = &mut body
            && is_enrolment(&placed.event, holder.device)
            && was.previous != holder.agency.head()
        {
            let (member, device) = (holder.member, holder.device);
            placed.event = restoring::enrolment(&holder.agency, member, device, &holder.secrets, None)
                .map_err(refused(was.stream))?;
        }
        Ok(body)
    }

    fn put_event(&mut self, link: &VerifiedLink, row: &LinkRow, placements: &[Placement]) -> Result<u64> {
        let parts = row.sealed.iter().zip(placements);
        let parts: Vec<_> = parts
            .map(|(part, placed)| new_record(part, placed.record_hash))
            .collect();
        Ok(self.tx.put_any_event(link, &parts)?)
    }

    fn put_access(&mut self, one: &WaitingLink, row: &LinkRow) -> Result<u64> {
        let body = &one.link.link().body;
        let link = self.link(one, body.clone())?;
        match body {
            LinkBody::Access(entry) => {
                let manifest = match entry.manifest_hash.0 == [0; 32] {
                    true => None,
                    false => Some(self.tx.blob(BlobKind::Manifest, &entry.manifest_hash.0)?),
                };
                let sealed = row.body.as_deref().unwrap_or_default();
                Ok(self.tx.put_access(&link, sealed, manifest.as_deref())?)
            }
            LinkBody::Segment(begun) => {
                let start = self.tx.blob(BlobKind::Keyring, &begun.start_hash.0)?;
                Ok(self.tx.put_segment(&link, &start)?)
            }
            LinkBody::Record(_) | LinkBody::Event(_) | LinkBody::Rewrap(_) => {
                Err(SessionError::refused(Check::KindOfStream, one.link.link().stream))
            }
        }
    }

    /// Returns the link as it was, where it follows and says the same; otherwise one that does.
    fn link(&self, one: &WaitingLink, body: LinkBody) -> Result<VerifiedLink> {
        let was = one.link.link();
        let mut chain = self.tx.chain_to_extend(was.stream)?;
        let head = chain.head().map(|(_, id)| id).unwrap_or(LinkId::ZERO);
        let follows = chain.next_seq() == was.seq && head == was.previous;
        let cites = self.tx.agency_seq(&was.agency_head).is_ok() || was.stream.kind == StreamKind::Agency;
        if follows && cites && body == was.body {
            let known = self.holder.agency.devices().get(&was.device);
            // One that a restore made is known once its enrolment stands.
            let key = match known {
                Some(known) => known.key.clone(),
                None if was.device == self.holder.device => {
                    VerifyingKey::new(&self.holder.signer.public(), Check::Signer).map_err(refused(was.stream))?
                }
                None => return Err(SessionError::refused(Check::Signer, was.stream)),
            };
            return one.link.clone().verify(&key).map_err(refused(was.stream));
        }
        // One's own alone is remade; whatever else stands here came from elsewhere, and is not this device's to sign. Nor is
        // what a device logged in whose place a restore put this one.
        let by_another = was.device != self.holder.device;
        let signer = self.holder.agency.devices().get(&was.device);
        let by_somebody_else = by_another && signer.is_none_or(|signer| signer.member != self.holder.member);
        if by_somebody_else || (by_another && was.stream.kind == StreamKind::Access) {
            return Err(SessionError::refused(Check::Signer, was.stream));
        }
        let cited = match was.stream.kind {
            StreamKind::Access => self.cited(was, self.last_cited(was.stream)?),
            _ => self.holder.agency.head(),
        };
        let link = chain.append(cited, self.holder.device, body);
        Ok(link.map_err(refused(was.stream))?.sign(&self.holder.signer))
    }

    /// Returns what an access link cites that is remade: what it cited, or what that was remade as, or the nearest before it
    /// that is there; of those the first at which the role key is in force that the link's segment is sealed to, and which is
    /// not before what the stream's last link cites. A newer head may have another role key, and then the device could log
    /// nothing any more.
    fn cited(&self, was: &Link, last: Option<LinkId>) -> LinkId {
        let agency = &self.holder.agency;
        let place = |id: &LinkId| agency.seq_of(id);
        let floor = last.as_ref().and_then(place);
        let sealed_to = match &was.body {
            LinkBody::Segment(begun) => Some(begun.dpo_epoch),
            _ => floor.map(|seq| agency.at(seq).dpo_epoch()),
        };
        let fits = |id: &LinkId| {
            let seq = place(id).filter(|seq| floor.is_none_or(|floor| floor <= *seq));
            seq.is_some_and(|seq| sealed_to.is_none_or(|epoch| agency.at(seq).dpo_epoch() == epoch))
        };
        let mut next = Some(was.agency_head);
        while let Some(at) = next {
            let moved = self.agency_moved.get(&at).copied();
            if let Some(found) = [Some(at), moved].into_iter().flatten().find(fits) {
                return found;
            }
            next = self.agency_links.get(&at).copied();
        }
        last.filter(fits).unwrap_or_else(|| agency.head())
    }

    /// Returns what the last link of a stream cites.
    fn last_cited(&self, stream: StreamId) -> Result<Option<LinkId>> {
        let Some((seq, _)) = self.tx.chain(stream)?.head() else {
            return Ok(None);
        };
        let row = self.tx.row_at(self.tx.position_of(stream, seq)?)?;
        Ok(match row {
            Row::Link(row) => Some(row.link.link().agency_head),
            Row::Record(_) => None,
        })
    }

    fn take_keys(&mut self, case: CaseId) -> Result<CaseKeys> {
        match self.cases.remove(&case) {
            Some(keys) => Ok(keys),
            None => self.holder.case_keys_afresh(self.tx, case),
        }
    }

    fn versions(&self, keys: &CaseKeys, records: &[StoredRecord]) -> Result<Vec<(RecordHash, PlacedRecord)>> {
        let mut known = Vec::new();
        for record in records {
            known.extend(taking::versions(self.tx, &keys.state, record.header.record)?);
        }
        Ok(known)
    }

    /// Whether an epoch of a section is the one that it was when this was written: another one of the same number has
    /// another key.
    fn is_same_epoch(&self, keys: &CaseKeys, case: CaseId, section: Section, epoch: Epoch) -> bool {
        let of = |keys: &CaseKeys| {
            let section = keys.state.sections().get(&section);
            section
                .and_then(|section| section.epoch(epoch))
                .map(|open| open.commitment)
        };
        let before = self.before.get(&case).and_then(of);
        before.is_some() && before == of(keys)
    }

    /// Keeps a link with everything that it names, and the key of its record: the epoch that it is wrapped under may be gone.
    fn set_aside(&mut self, one: &WaitingLink, check: Check) -> Result<()> {
        let parcel = self.tx.parcel_of(one.link.clone(), &Hashed::new(&one.row)?)?;
        let key = match &one.row {
            Row::Record(row) => self.key_before(&row.record)?,
            Row::Link(_) => None,
        };
        aside::keep(self.tx, one.link.id(), &parcel, key.as_ref(), check)
    }

    fn key_before(&self, record: &StoredRecord) -> Result<Option<RecordKey>> {
        let (Some(case), Content::Kept { wrap, .. }) = (record.header.stream.as_case(), &record.content) else {
            return Ok(None);
        };
        let Some(before) = self.before.get(&case) else {
            return Ok(None);
        };
        // One that does not open, whyever, is kept without.
        let Ok(sealer) = before.sealer(record.header.section, record.epoch, record.release) else {
            return Ok(None);
        };
        Ok(sealer.unwrap(wrap, record.placement()?.record_hash).ok())
    }
}

fn new_record(record: &StoredRecord, hash: RecordHash) -> NewRecord<'_> {
    let body = match &record.content {
        Content::Kept { ciphertext, wrap } => NewBody::Kept {
            ciphertext: ciphertext.bytes(),
            wrap,
        },
        Content::Erased { ciphertext, wrap } => NewBody::Erased {
            ciphertext: *ciphertext,
            wrap: *wrap,
        },
    };
    NewRecord {
        header: &record.header,
        hash,
        signature: &record.signature,
        body,
    }
}

/// Whether an event opens an epoch itself.
fn opens(body: &LinkBody, section: Section, epoch: Epoch) -> bool {
    let LinkBody::Event(placed) = body else { return false };
    let change = match &placed.event {
        Event::CaseOpened(change) | Event::Membership(change) => change,
        Event::Expired(expired) => &expired.membership,
        _ => return false,
    };
    change
        .opens
        .iter()
        .any(|open| open.section == section && open.epoch == epoch)
}

/// Puts the enrolment of a device that a restore made before whatever it has to sign anew for the devices that went: all but
/// what those wrote about their own accesses, which is theirs and stays before.
fn enrolment_first(links: &mut [&WaitingLink], device: DeviceId) {
    let Some(place) = links.iter().position(|one| enrols(one, device)) else {
        return;
    };
    let before = links.get_mut(..=place).unwrap_or_default();
    before.sort_by_key(|one| match one.link.link().stream.kind {
        StreamKind::Access => 0,
        _ if enrols(one, device) => 1,
        _ => 2,
    });
}

/// Whether a link enrols a device after a loss; this one without its enrolment could sign nothing.
fn enrols(one: &WaitingLink, device: DeviceId) -> bool {
    match &one.link.link().body {
        LinkBody::Event(placed) => is_enrolment(&placed.event, device),
        _ => false,
    }
}

/// Whether an event enrols a device after a loss.
fn is_enrolment(event: &Event, device: DeviceId) -> bool {
    match event {
        Event::Restored(restored) => restored.device.certificate.device == device,
        Event::RecoveryRun(run) => run.device.certificate.device == device,
        _ => false,
    }
}

/// Returns the record that a link places.
fn placed(one: &WaitingLink) -> Option<RecordHash> {
    match &one.link.link().body {
        LinkBody::Record(placement) => Some(placement.record_hash),
        _ => None,
    }
}

/// Whether it is an erasure of anything that has a place: those bytes are gone already, so it has to find its own. One of
/// records that have none any more goes with them.
fn erases_what_is_here(one: &WaitingLink, without_place: &HashSet<RecordHash>) -> bool {
    let LinkBody::Event(placed) = &one.link.link().body else {
        return false;
    };
    match &placed.event {
        Event::Erasure(erasure) => !erasure.records.iter().all(|record| without_place.contains(record)),
        _ => false,
    }
}

/// Returns an agency's link with the one before it.
fn agency_link(one: &WaitingLink) -> Option<(LinkId, LinkId)> {
    let link = one.link.link();
    (link.stream.kind == StreamKind::Agency).then_some((one.link.id(), link.previous))
}

fn name_of(one: &WaitingLink) -> String {
    match &one.row {
        Row::Record(row) => row.record.header.record.handle(),
        Row::Link(_) => {
            let stream: StreamId = one.link.link().stream;
            stream
                .as_case()
                .map_or_else(|| stream.to_string(), |case| case.handle())
        }
    }
}
