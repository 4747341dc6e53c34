//! An agency as the writer has it: states that are ahead of what is published until the transaction is durable.
//!
//! If it does not become durable, all of this is thrown away and read again.

use std::collections::BTreeSet;
use std::sync::Arc;

use vault_core::access::AccessState;
use vault_core::agency_state::AgencyState;
use vault_core::case_state::{CaseState, PlacedRecord};
use vault_core::check::{Check, Refused, require};
use vault_core::id::{CaseId, DeviceId, LinkId, RecordHash, RecordId};
use vault_core::placing::StoredRecord;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::tile::Edge;
use vault_core::wire::v1::event::{Erasure, Event};
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::{StreamId, StreamKind};
use vault_core::wire::v1::sync::{Heads, Outcome};

use super::agency::{self, Agency};
use super::prepare::{Erased, Opened, Prepared};
use super::recent::Recent;
use crate::store::{NewLink, Reads, StoreError, StreamNo, Which, Writes};

/// Streams of an agency whose states are kept: a case's is a few kilobytes.
const KEPT_STREAMS: usize = 2048;

/// What the writer knows of an agency.
pub(super) struct Live {
    agency: Arc<Agency>,
    state: Option<Arc<AgencyState>>,
    edge: Edge,
    streams: Recent<StreamId, LiveStream>,
    used: Option<Used>,
}

/// How much is kept of an agency, as far as it was counted.
#[derive(Clone, Copy)]
struct Used {
    bytes: u64,
    /// The next leaf to be counted.
    next: u64,
}

/// An agency as the writer had it before parcels of which either all or none are to be stored.
pub(super) struct Mark {
    state: Option<Arc<AgencyState>>,
    edge: Edge,
}

/// A stream as the writer has it.
struct LiveStream {
    no: Option<StreamNo>,
    links: u64,
    head: LinkId,
    state: StreamState,
}

#[allow(clippy::large_enum_variant, reason = "nearly all are cases")]
enum StreamState {
    Agency,
    Case(CaseState),
    Access(AccessState),
}

/// Why a link was not placed.
enum Unplaced {
    Refused(Refused),
    Store(StoreError),
}

impl From<Refused> for Unplaced {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Check> for Unplaced {
    fn from(check: Check) -> Self {
        Self::Refused(check.into())
    }
}

impl From<StoreError> for Unplaced {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Live {
    /// Takes an agency up as it is stored.
    pub(super) fn load(reads: &dyn Reads, agency: &Arc<Agency>) -> Result<Self, StoreError> {
        let published = agency.published();
        let size = reads.size(agency.no())?;
        let (state, edge) = match published.edge.size() == size {
            true => (published.state, Edge::clone(&published.edge)),
            // Another process was here.
            false => agency::grow(reads, agency.no(), agency.id(), &published, size)?,
        };
        Ok(Self {
            agency: Arc::clone(agency),
            state,
            edge,
            streams: Recent::new(KEPT_STREAMS),
            used: None,
        })
    }

    /// Tells whether it is what is stored, which another process may have moved on.
    pub(super) fn is_current(&self, reads: &dyn Reads) -> Result<bool, StoreError> {
        Ok(reads.size(self.agency.no())? == self.edge.size())
    }

    /// Counts what is kept of the agency that an erasure could take: what came since it was counted last, or everything
    /// after an erasure.
    pub(super) fn used(&mut self, reads: &dyn Reads) -> Result<u64, StoreError> {
        let known = self.used.unwrap_or(Used { bytes: 0, next: 0 });
        let next = self.edge.size();
        let bytes = match known.next == next {
            true => known.bytes,
            false => known
                .bytes
                .saturating_add(reads.erasable(self.agency.no(), known.next)?),
        };
        self.used = Some(Used { bytes, next });
        Ok(bytes)
    }

    /// Tells whether a parcel's link is stored.
    pub(super) fn is_stored(&self, reads: &dyn Reads, parcel: &Prepared) -> Result<bool, StoreError> {
        let Ok(opened) = parcel else { return Ok(false) };
        let link = opened.link.link();
        let Some(row) = reads.stream(self.agency.no(), link.stream)? else {
            return Ok(false);
        };
        let stored = reads.link_at(row.no, link.seq)?;
        Ok(stored.is_some_and(|(_, id)| id == opened.link.id()))
    }

    /// Returns the records that a parcel brings, with their stream, as far as that is taken up.
    pub(super) fn brings(&self, parcel: &Prepared) -> Vec<(StreamNo, RecordId)> {
        let Ok(opened) = parcel else { return Vec::new() };
        let stream = self.streams.peek(&opened.link.link().stream);
        let Some(no) = stream.and_then(|stream| stream.no) else {
            return Vec::new();
        };
        let records = opened.records.iter();
        records.map(|record| (no, record.header().record)).collect()
    }

    /// Publishes what is durable by now.
    pub(super) fn publish(&self) -> Result<Arc<str>, Refused> {
        self.agency.publish(self.state.clone(), self.edge.clone())
    }

    /// Notes how things are, for [`Live::go_back`].
    pub(super) fn mark(&self) -> Mark {
        Mark {
            state: self.state.clone(),
            edge: self.edge.clone(),
        }
    }

    /// Goes back to how things were, with the transaction; `parcels` are those that were tried since.
    pub(super) fn go_back(&mut self, mark: Mark, parcels: &[Prepared]) {
        self.state = mark.state;
        self.edge = mark.edge;
        for opened in parcels.iter().flatten() {
            // It is ahead of what is stored; what is stored is read again.
            drop(self.streams.take(&opened.link.link().stream));
        }
    }

    /// Returns where the stream of a parcel is.
    pub(super) fn heads(&mut self, reads: &dyn Reads, parcel: &Prepared) -> Result<Heads, StoreError> {
        let row = match parcel {
            Ok(opened) => reads.stream(self.agency.no(), opened.link.link().stream)?,
            Err(_) => None,
        };
        Ok(Heads {
            links: row.map_or(0, |row| row.links),
            stream: row.map_or(LinkId::ZERO, |row| row.head),
            agency: self.state.as_ref().map_or(LinkId::ZERO, |agency| agency.head()),
        })
    }

    /// Judges a parcel as the next of its stream and stores it, or says why not.
    pub(super) fn place(&mut self, writes: &mut dyn Writes, prepared: &Prepared) -> Result<Outcome, StoreError> {
        let opened = match prepared {
            Ok(opened) => opened,
            Err(refused) => return Ok(Outcome::Refused(refused.check.number())),
        };
        let link = opened.link.link();
        let own = StreamId::agency(&self.agency.id());
        let foreign = link.stream.kind == StreamKind::Agency && link.stream != own;
        if link.agency != self.agency.id() || foreign {
            return Ok(Outcome::Refused(Check::Agency.number()));
        }
        let mut stream = match self.streams.take(&link.stream) {
            Some(stream) => stream,
            None => self.load_stream(writes, link.stream)?,
        };
        let placed = self.place_in(writes, &mut stream, opened);
        if stream.no.is_some() {
            self.streams.put(link.stream, stream);
        }
        match placed {
            Ok(outcome) => Ok(outcome),
            Err(Unplaced::Refused(refused)) => Ok(Outcome::Refused(refused.check.number())),
            Err(Unplaced::Store(error)) => Err(error),
        }
    }

    fn place_in(
        &mut self,
        writes: &mut dyn Writes,
        stream: &mut LiveStream,
        opened: &Opened,
    ) -> Result<Outcome, Unplaced> {
        let (link, id) = (opened.link.link(), opened.link.id());
        if let Some(no) = stream.no
            && link.seq < stream.links
            && let Some((leaf, stored)) = writes.link_at(no, link.seq)?
            && stored == id
        {
            return Ok(Outcome::Stored(leaf));
        }
        let follows = link.seq == stream.links && link.previous == stream.head;
        let known = match (&self.state, link.stream.kind) {
            (_, StreamKind::Agency) => true,
            (None, _) => false,
            (Some(agency), _) => agency.seq_of(&link.agency_head).is_some(),
        };
        if !(follows && known) {
            return Ok(Outcome::Conflict(Heads {
                links: stream.links,
                stream: stream.head,
                agency: self.state.as_ref().map_or(LinkId::ZERO, |agency| agency.head()),
            }));
        }
        // Nobody has seen more of the log than there is.
        let seen = link.seen.map_or(0, |seen| seen.size);
        require(seen <= self.edge.size(), Check::SeenCheckpoint)?;
        self.judge(writes, stream, opened)?;
        Ok(Outcome::Stored(self.store(writes, stream, opened)?))
    }

    /// Refuses a link that whoever reads it would refuse, or takes it into its stream's state.
    fn judge(&mut self, reads: &dyn Reads, stream: &mut LiveStream, opened: &Opened) -> Result<(), Unplaced> {
        let stored: Vec<StoredRecord<'_>> = opened.records.iter().map(|record| record.stored()).collect();
        let Some(agency) = &mut self.state else {
            let founded = AgencyState::found(&opened.link)?;
            self.state = Some(Arc::new(founded));
            return Ok(());
        };
        require_signatures(agency, opened)?;
        match &mut stream.state {
            StreamState::Agency => drop(Arc::make_mut(agency).admit(opened.link.clone(), &stored)?),
            StreamState::Access(state) => state.judge(agency, &opened.link)?,
            StreamState::Case(state) => {
                // Whoever fetches it before its erasure takes it for withheld. One who holds a case alone keeps nobody away,
                // and brings long histories.
                let mut holders = state.grants().values().filter(|grant| grant.live);
                let first = holders.next().map(|grant| grant.grant.member);
                let is_alone = holders.all(|grant| Some(grant.grant.member) == first);
                require(opened.erased != Erased::Uncovered || is_alone, Check::BodyMissing)?;
                let known = known_records(reads, stream.no, opened)?;
                state.judge_knowing(agency.now(), &opened.link, &stored, &known)?;
            }
        }
        Ok(())
    }

    /// Stores a link that was judged, at the next leaf.
    fn store(&mut self, writes: &mut dyn Writes, stream: &mut LiveStream, opened: &Opened) -> Result<u64, StoreError> {
        let (link, id) = (opened.link.link(), opened.link.id());
        let (agency, leaf) = (self.agency.no(), self.edge.size());
        let no = match stream.no {
            Some(no) => no,
            None => writes.open_stream(agency, link.stream)?,
        };
        stream.no = Some(no);
        writes.append(NewLink {
            agency,
            leaf,
            stream: no,
            link: &opened.link,
            records: &opened.records,
            blobs: &opened.blobs,
        })?;
        let mut kept = Ok(());
        self.edge
            .push(Entry::of(link.stream, link.seq, id).leaf(), |tile, hashes| {
                let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
                if kept.is_ok() {
                    kept = writes.put_tile(agency, tile, &bytes);
                }
            });
        kept?;
        stream.links += 1;
        stream.head = id;
        if let (StreamState::Case(state), LinkBody::Event(placed)) = (&stream.state, &link.body) {
            match &placed.event {
                Event::CaseOpened(_) | Event::Membership(_) | Event::Expired(_) => {
                    let live = state.grants().values().filter(|grant| grant.live);
                    let members = live.map(|grant| grant.grant.member).collect();
                    writes.set_holders(no, &members)?;
                }
                Event::Erasure(erasure) => {
                    self.erase(writes, no, erasure)?;
                    self.used = None;
                }
                _ => (),
            }
        }
        Ok(leaf)
    }

    /// Takes the bytes of records that a lawful erasure names: ciphertexts, wraps, and the wraps that came later.
    fn erase(&self, writes: &mut dyn Writes, stream: StreamNo, erasure: &Erasure) -> Result<(), StoreError> {
        let records: BTreeSet<RecordHash> = erasure.records.iter().copied().collect();
        writes.erase(stream, &records)?;
        let mut wraps = Vec::new();
        writes.links(stream, Which::Rewraps, &mut |stored| {
            if let LinkBody::Rewrap(rewrap) = &stored.link.link().body {
                let items = rewrap.items.iter().enumerate();
                let gone = items.filter(|(_, item)| records.contains(&item.record_hash));
                wraps.extend(gone.map(|(place, _)| (stored.leaf, place)));
            }
            Ok(())
        })?;
        for (leaf, place) in wraps {
            writes.erase_blob(self.agency.no(), leaf, place)?;
        }
        Ok(())
    }

    fn load_stream(&self, reads: &dyn Reads, stream: StreamId) -> Result<LiveStream, StoreError> {
        let row = reads.stream(self.agency.no(), stream)?;
        let state = match stream.kind {
            StreamKind::Agency => StreamState::Agency,
            StreamKind::Case => StreamState::Case(match (row, &self.state) {
                (Some(row), Some(agency)) => load_case(reads, agency, row.no, CaseId(stream.id))?,
                _ => CaseState::of_events(CaseId(stream.id)),
            }),
            StreamKind::Access => {
                StreamState::Access(self.load_access(reads, row.map(|row| row.no), DeviceId(stream.id))?)
            }
        };
        Ok(LiveStream {
            no: row.map(|row| row.no),
            links: row.map_or(0, |row| row.links),
            head: row.map_or(LinkId::ZERO, |row| row.head),
            state,
        })
    }

    fn load_access(
        &self,
        reads: &dyn Reads,
        no: Option<StreamNo>,
        device: DeviceId,
    ) -> Result<AccessState, StoreError> {
        let mut state = AccessState::empty(device);
        if let (Some(no), Some(agency)) = (no, &self.state) {
            reads.links(no, Which::Last, &mut |stored| {
                state = AccessState::after(device, agency, &stored.link)?;
                Ok(())
            })?;
        }
        Ok(state)
    }
}

/// Rebuilds a case's state out of its events, and of what its last link cites and has seen.
pub(crate) fn load_case(
    reads: &dyn Reads,
    agency: &AgencyState,
    no: StreamNo,
    case: CaseId,
) -> Result<CaseState, StoreError> {
    let mut state = CaseState::of_events(case);
    // Where halves of keys are released, the first record of each month fixes its commitment (CHK-49).
    let which = match agency.root().release_version {
        0 => Which::Events,
        _ => Which::All,
    };
    reads.links(no, which, &mut |stored| {
        Ok(state.judge_again(agency, &stored.link, &stored.stored())?)
    })?;
    Ok(state)
}

/// Refuses what its device or author did not sign. What was verified before is not verified again.
fn require_signatures(agency: &AgencyState, opened: &Opened) -> Result<(), Refused> {
    let device = |id| agency.devices().get(id);
    if opened.link.link().stream.kind != StreamKind::Agency {
        match opened.signed {
            Some(signed) => signed?,
            None => {
                let signer = device(&opened.link.link().device).ok_or(Check::Signer)?;
                opened.link.verify_signature(&signer.key)?;
            }
        }
    }
    for (record, authored) in opened.records.iter().zip(&opened.authored) {
        match authored {
            Some(authored) => (*authored)?,
            None => {
                let author = device(&record.header().device).ok_or(Check::AuthorDevice)?;
                record.verify_signature(&author.key)?;
            }
        }
    }
    require(opened.records.len() == opened.authored.len(), Check::Parcel)
}

/// What the store knows of the records that a link speaks of.
fn known_records(
    reads: &dyn Reads,
    stream: Option<StreamNo>,
    opened: &Opened,
) -> Result<Vec<(RecordHash, PlacedRecord)>, StoreError> {
    let Some(no) = stream else {
        return Ok(Vec::new());
    };
    let mut known = Vec::new();
    for record in &opened.records {
        known.extend(reads.versions(no, record.header().record)?);
    }
    let named: BTreeSet<RecordHash> = match &opened.link.link().body {
        LinkBody::Event(placed) => match &placed.event {
            Event::Erasure(erasure) => erasure.records.iter().copied().collect(),
            _ => BTreeSet::new(),
        },
        LinkBody::Rewrap(rewrap) => rewrap.items.iter().map(|item| item.record_hash).collect(),
        LinkBody::Record(_) | LinkBody::Access(_) | LinkBody::Segment(_) => BTreeSet::new(),
    };
    if !named.is_empty() {
        known.extend(reads.records(no, &named)?);
    }
    Ok(known)
}
