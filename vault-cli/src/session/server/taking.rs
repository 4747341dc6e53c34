//! Taking in what others wrote: judged and checked link by link as any reader does, and put before what waits here.
//!
//! ```text
//! pulled ─> agency links admitted ─> signatures (all cores) ─> each judged at its position ─> stored ─> what waits, behind
//! ```
//! One transaction: a run that is cut off has taken all of it in or nothing (`docs/format.md` §18).

use super::kept::KeptRemote;
use super::positions::Positions;
use super::waiting;
use super::waiting::SetAside;
use crate::remote::ServerFault;
use crate::session::Holder;
use crate::session::Result;
use crate::session::SessionError;
use crate::session::agency;
use crate::session::joined;
use crate::session::mails;
use crate::session::refused;
use crate::store::BlobKind;
use crate::store::NewBody;
use crate::store::NewRecord;
use crate::store::ReadTx;
use crate::store::RecordAt;
use crate::store::Row;
use crate::store::StoredRecord;
use crate::store::WriteTx;
use crate::store::hash_all;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use vault_core::agency_state::AgencyState;
use vault_core::case_state;
use vault_core::case_state::CaseState;
use vault_core::check::Check;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::epoch::Wrap;
use vault_core::id::CaseId;
use vault_core::id::DeviceId;
use vault_core::id::LinkId;
use vault_core::id::MemberId;
use vault_core::id::RecordHash;
use vault_core::id::RecordId;
use vault_core::id::WrapHash;
use vault_core::parcel::ErasedRecord;
use vault_core::parcel::OpenParcel;
use vault_core::parcel::OpenRecord;
use vault_core::placing;
use vault_core::record::VerifiedRecord;
use vault_core::stream::VerifiedLink;
use vault_core::sync::Pulled;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;

/// Rows that are looked through at once.
const CHUNK: usize = 1_000;

/// What a transaction took in.
#[derive(Default)]
pub(super) struct Taken {
    /// How many links.
    pub(super) links: u64,
    /// What waited here and has no place any more.
    pub(super) aside: Vec<SetAside>,
    /// What is held back, by stream: the first link of it.
    pub(super) behind: BTreeMap<StreamId, u64>,
    /// The cases that this member left.
    pub(super) left: Vec<StreamId>,
}

/// A fetched link whose signatures hold.
struct Checked {
    position: u64,
    link: VerifiedLink,
    records: Vec<CheckedRecord>,
    blobs: Vec<Vec<u8>>,
}

impl Checked {
    fn erases(&self) -> bool {
        !vault_core::parcel::erased(&self.link.link().body).is_empty()
    }
}

#[allow(clippy::large_enum_variant, reason = "nearly all are kept ones")]
enum CheckedRecord {
    Kept(VerifiedRecord, Wrap),
    Erased(ErasedRecord),
}

impl CheckedRecord {
    fn header(&self) -> &RecordHeader {
        match self {
            Self::Kept(record, _) => record.header(),
            Self::Erased(erased) => &erased.header,
        }
    }

    fn stored(&self) -> placing::StoredRecord<'_> {
        let (hash, wrap_hash): (RecordHash, WrapHash) = match self {
            Self::Kept(record, wrap) => (record.hash(), wrap.hash()),
            Self::Erased(erased) => (erased.hash, erased.body.wrap),
        };
        placing::StoredRecord {
            header: self.header(),
            hash,
            wrap_hash,
        }
    }

    fn to_store(&self) -> NewRecord<'_> {
        match self {
            Self::Kept(record, wrap) => NewRecord::whole(record, wrap),
            Self::Erased(erased) => NewRecord {
                header: &erased.header,
                hash: erased.hash,
                signature: &erased.signature,
                body: NewBody::Erased {
                    ciphertext: erased.body.ciphertext,
                    wrap: erased.body.wrap,
                },
            },
        }
    }
}

/// A link of the agency's that was judged, with the records and files that it names.
pub(super) struct AgencyLink {
    link: VerifiedLink,
    records: Vec<CheckedRecord>,
    blobs: Vec<Vec<u8>>,
}

impl AgencyLink {
    /// Takes a link into the agency's state, its records' signatures checked; `of` names it where it is refused.
    pub(super) fn admit(agency: &mut AgencyState, parcel: OpenParcel, of: &str) -> Result<Self> {
        let (link, records, blobs) = parcel.into_parts();
        for record in &records {
            let author = agency.devices().get(&record.header().device);
            let author = author.ok_or_else(|| SessionError::refused(Check::AuthorDevice, of))?;
            record.verify_signature(&author.key).map_err(refused(of))?;
        }
        let stored: Vec<_> = records.iter().map(OpenRecord::stored).collect();
        let link = agency.admit(link, &stored).map_err(refused(of))?;
        Ok(Self::judged(link, records, blobs))
    }

    /// A link that was judged, and whose records' signatures hold.
    pub(super) fn judged(link: VerifiedLink, records: Vec<OpenRecord>, blobs: Vec<Vec<u8>>) -> Self {
        Self {
            link,
            records: records.into_iter().map(checked_at_entry).collect(),
            blobs,
        }
    }

    /// Stores it.
    pub(super) fn keep(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        for blob in &self.blobs {
            tx.put_blob(BlobKind::Keyring, blob)?;
        }
        let parts: Vec<_> = self.records.iter().map(CheckedRecord::to_store).collect();
        tx.put_any_event(&self.link, &parts)?;
        Ok(())
    }
}

impl Holder {
    /// Takes links in, behind what is known to be in the log and before what waits.
    ///
    /// # Errors
    /// [`SessionError::Refused`] for a link that is not valid: then nothing of it is kept; [`ServerFault::OwnStreamAhead`].
    pub(super) fn take_pulled(
        &mut self,
        tx: &mut WriteTx<'_>,
        kept: &mut KeptRemote,
        pulled: Vec<Pulled>,
    ) -> Result<Taken> {
        let ids: Ids = pulled.iter().map(|one| one.parcel.link().id()).collect();
        let here = waiting::arrived(tx, kept, &ids)?;
        let (of_agency, others): (Vec<_>, Vec<_>) = pulled
            .into_iter()
            .filter(|one| !here.contains(&one.parcel.link().id()))
            .partition(|one| one.parcel.link().link().stream.kind == StreamKind::Agency);
        if of_agency.is_empty() && others.is_empty() {
            kept.store(tx)?;
            return Ok(Taken::default());
        }
        // What waits is made anew behind what came, and carries no less than that does.
        kept.put_seen(tx)?;
        let waiting = waiting::take_out(self, tx, kept)?;
        if waiting.has_agency_links() {
            self.agency = agency::load(tx)?;
        }
        let links = (of_agency.len() + others.len()) as u64;
        // The longest of each device: what it had seen before is the beginning of that.
        let mut seen_by = HashMap::new();
        for link in of_agency.iter().chain(&others).map(|one| one.parcel.link().link()) {
            if let Some(seen) = link.seen.filter(|_| link.device != self.device) {
                let longest = seen_by.entry(link.device).or_insert(seen);
                if longest.size < seen.size {
                    *longest = seen;
                }
            }
        }
        for seen in seen_by.values() {
            kept.is_seen(seen)?;
        }
        for one in of_agency {
            let of = one.parcel.link().link().stream.to_string();
            AgencyLink::admit(&mut self.agency, one.parcel, &of)?.keep(tx)?;
        }
        let checked: Vec<Checked> = others
            .into_par_iter()
            .map(|one| check(&self.agency, one))
            .collect::<Result<_>>()?;
        let mut positions = Positions::load(tx)?;
        let last = self.agency.now().seq();
        let mut states = HashMap::new();
        for one in &checked {
            let pos = self.take_link(tx, &mut states, one)?;
            if one.position != last {
                positions.push(pos, one.position);
            }
        }
        positions.store(tx)?;
        if checked.iter().any(Checked::erases) {
            mails::forget_erased(tx)?;
        }
        // A record, or a grant that opens what was here before.
        if !checked.is_empty() {
            joined::forget(tx)?;
        }
        let own = waiting.has_all(&ids, here.len());
        kept.is_sent_to(tx.head().pos, tx.head().order, own);
        let aside = waiting.put_back(self, tx, kept, &ids)?;
        kept.store(tx)?;
        if let Some(known) = &self.known {
            // What was kept of a stream that went back leads elsewhere now.
            known.forget();
        }
        Ok(Taken {
            links,
            aside,
            ..Taken::default()
        })
    }

    fn take_link(&self, tx: &mut WriteTx<'_>, states: &mut HashMap<CaseId, CaseState>, one: &Checked) -> Result<u64> {
        let link = &one.link;
        let stream = link.link().stream;
        let Some(case) = stream.as_case() else {
            // Nobody but this device writes in its own stream. Of others that of one is asked for in whose place a restore
            // put this one: what it logged after the backup.
            return match stream == StreamId::access(self.device) {
                true => Err(ServerFault::OwnStreamAhead.into()),
                false => put_access(tx, one),
            };
        };
        let state = match states.entry(case) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => {
                let mut state = self.case_state(tx, case)?;
                if let Some((cited, seen)) = tx.last_of(stream)? {
                    state.goes_on_from(cited, seen);
                }
                new.insert(state)
            }
        };
        let stored: Vec<_> = one.records.iter().map(CheckedRecord::stored).collect();
        let named = named_by_hash(&link.link().body);
        let by_hash = records_by_hash(tx, stream, &named)?;
        let named = by_hash.iter();
        let mut known: Vec<_> = named
            .map(|(hash, found)| (*hash, placed(state, *hash, found)))
            .collect();
        for record in &one.records {
            known.extend(versions(tx, state, record.header().record)?);
        }
        state
            .judge_knowing(self.agency.at(one.position), link.as_unverified(), &stored, &known)
            .map_err(refused(stream))?;
        put(tx, one, &by_hash)
    }
}

/// Stores a link that was judged.
fn put(tx: &mut WriteTx<'_>, one: &Checked, by_hash: &HashMap<RecordHash, StoredRecord>) -> Result<u64> {
    let (link, stream) = (&one.link, one.link.link().stream);
    match &link.link().body {
        LinkBody::Record(_) => {
            let record = one.records.first();
            let record = record.ok_or_else(|| SessionError::refused(Check::Placement, stream))?;
            Ok(tx.put_any_record(link, record.to_store(), false)?)
        }
        LinkBody::Event(placed) => {
            for blob in &one.blobs {
                tx.put_blob(BlobKind::Keyring, blob)?;
            }
            let parts: Vec<_> = one.records.iter().map(CheckedRecord::to_store).collect();
            let pos = tx.put_any_event(link, &parts)?;
            if let Event::Erasure(_) = &placed.event {
                let gone: Vec<RecordAt> = by_hash.values().map(|found| found.at).collect();
                tx.erase(&gone)?;
            }
            Ok(pos)
        }
        LinkBody::Rewrap(rewrap) => {
            let mut wraps = Vec::with_capacity(rewrap.items.len());
            for (item, blob) in rewrap.items.iter().zip(&one.blobs) {
                let found = by_hash.get(&item.record_hash);
                let found = found.ok_or_else(|| SessionError::refused(Check::Placement, stream))?;
                // An erasure took the wraps that came later too.
                let wrap = match blob.is_empty() {
                    true => None,
                    false => {
                        let bytes = blob.as_slice().try_into();
                        Some(Wrap(bytes.map_err(|_| SessionError::refused(Check::Parcel, stream))?))
                    }
                };
                wraps.push((found.at, wrap));
            }
            Ok(tx.put_rewrap(link, &wraps)?)
        }
        LinkBody::Access(_) | LinkBody::Segment(_) => Err(SessionError::refused(Check::KindOfStream, stream)),
    }
}

/// Stores what another device logged.
fn put_access(tx: &mut WriteTx<'_>, one: &Checked) -> Result<u64> {
    let (link, mut files) = (&one.link, one.blobs.iter().map(Vec::as_slice));
    let first = files.next().unwrap_or_default();
    match &link.link().body {
        LinkBody::Access(_) => Ok(tx.put_access(link, first, files.next())?),
        LinkBody::Segment(_) => Ok(tx.put_segment(link, first)?),
        LinkBody::Record(_) | LinkBody::Event(_) | LinkBody::Rewrap(_) => {
            Err(SessionError::refused(Check::KindOfStream, link.link().stream))
        }
    }
}

/// Checks the signatures of a link and of its records.
fn check(agency: &AgencyState, pulled: Pulled) -> Result<Checked> {
    let position = pulled.position;
    let (link, records, blobs) = pulled.parcel.into_parts();
    let stream = link.link().stream;
    let signer = device(agency, link.link().device, stream, Check::Signer)?;
    let link = link.verify(&signer.1).map_err(refused(stream))?;
    let mut checked = Vec::with_capacity(records.len());
    for record in records {
        let header = record.header();
        let author = device(agency, header.device, stream, Check::AuthorDevice)?;
        if author.0 != header.member {
            return Err(SessionError::refused(Check::AuthorDevice, header.record.handle()));
        }
        let handle = header.record.handle();
        record.verify_signature(&author.1).map_err(refused(handle))?;
        checked.push(checked_at_entry(record));
    }
    Ok(Checked {
        position,
        link,
        records: checked,
        blobs,
    })
}

/// Takes a record whose author's signature was just checked.
fn checked_at_entry(record: OpenRecord) -> CheckedRecord {
    match record {
        OpenRecord::Kept { record, wrap } => CheckedRecord::Kept(record.verified_at_entry(), wrap),
        OpenRecord::Erased(erased) => CheckedRecord::Erased(erased),
    }
}

fn device(agency: &AgencyState, id: DeviceId, of: StreamId, check: Check) -> Result<(MemberId, VerifyingKey)> {
    let found = agency.devices().get(&id);
    let found = found.ok_or_else(|| SessionError::refused(check, of))?;
    Ok((found.member, found.key.clone()))
}

/// Returns the earlier records that a link names by hash.
pub(super) fn named_by_hash(body: &LinkBody) -> HashSet<RecordHash> {
    match body {
        LinkBody::Event(placed) => match &placed.event {
            Event::Erasure(erasure) => erasure.records.iter().copied().collect(),
            _ => HashSet::new(),
        },
        LinkBody::Rewrap(rewrap) => rewrap.items.iter().map(|item| item.record_hash).collect(),
        LinkBody::Record(_) | LinkBody::Access(_) | LinkBody::Segment(_) => HashSet::new(),
    }
}

/// Finds records of a stream by their hashes, which no column has: all of its rows are hashed.
pub(super) fn records_by_hash(
    tx: &ReadTx<'_>,
    stream: StreamId,
    named: &HashSet<RecordHash>,
) -> Result<HashMap<RecordHash, StoredRecord>> {
    let mut found = HashMap::new();
    if named.is_empty() {
        return Ok(found);
    }
    tx.scan(stream, CHUNK, &mut |rows| -> Result<()> {
        for hashed in hash_all(&rows)? {
            let records = match hashed.row() {
                Row::Record(row) => std::slice::from_ref(&row.record),
                Row::Link(row) => row.sealed.as_slice(),
            };
            for (record, placement) in records.iter().zip(hashed.placements()) {
                if named.contains(&placement.record_hash) {
                    found.insert(placement.record_hash, record.clone());
                }
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// Returns what a case's state asks of the versions of a record that are in its stream: an id that somebody used in another
/// case as well is of no meaning here.
pub(super) fn versions(
    tx: &ReadTx<'_>,
    state: &CaseState,
    record: RecordId,
) -> Result<Vec<(RecordHash, case_state::PlacedRecord)>> {
    let stream = StreamId::case(state.case());
    let found = tx.versions(record)?.into_iter();
    let found = found.filter(|found| found.header.stream == stream);
    let known = found.map(|found| {
        let hash = found.hash()?;
        Ok((hash, placed(state, hash, &found)))
    });
    known.collect()
}

/// Returns what a case's state asks of an earlier record. It counts as erased once an erasure has named it: one that was
/// erased before it came is there without its bytes, and its erasure is still to come.
pub(super) fn placed(state: &CaseState, hash: RecordHash, found: &StoredRecord) -> case_state::PlacedRecord {
    case_state::PlacedRecord {
        record: found.header.record,
        version: found.header.version,
        section: found.header.section,
        epoch: found.epoch,
        author: found.header.member,
        erased: state.is_erased(&hash),
    }
}

/// The links that a transaction took in, by id.
pub(super) type Ids = HashSet<LinkId>;
