//! Going over everything that a store has: every hash, signature, tile and head is derived again from the links.
//!
//! ```text
//! log of an agency, leaf by leaf ─> link: id, place, chain, signature ─> records, blobs: hashes, signatures
//!                                └─> edge ─> tiles, root                └─> streams: heads, erasures, holders
//! ```
//! Nothing is changed. What is found may be copied as it is gone over, which is how a store is moved.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::PathBuf;

use vault_core::agency_state::AgencyState;
use vault_core::check::Refused;
use vault_core::id::{AgencyId, CaseId, LinkId, MemberId, RecordHash};
use vault_core::parcel::{OpenParcel, OpenRecord, placements};
use vault_core::tlog::entry::Entry;
use vault_core::tlog::tile::{Edge, Tile, WIDTH};
use vault_core::tlog::tree;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::{StreamId, StreamKind};
use vault_core::wire::v1::sync::PlacedParcel;

use crate::config::Place;
use crate::service::{self, cosigning};
use crate::store::postgres::{self, Postgres};
use crate::store::sqlite::{self, FILE, Sqlite};
use crate::store::{AgencyNo, AgencyRow, Reads, Store, StoreError, StreamNo, fresh_session_key};

/// An agency that was gone over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sound {
    /// The agency.
    pub agency: AgencyId,
    /// Leaves of its log.
    pub size: u64,
    /// The root of its log.
    pub root: tree::Hash,
}

/// The first thing that is not as it was stored.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {what}", agency.text(), Leaf(*leaf))]
pub struct Damage {
    /// The agency.
    pub agency: AgencyId,
    /// Where in its log, if it is of one leaf.
    pub leaf: Option<u64>,
    /// What it is.
    pub what: What,
}

/// What may be wrong.
#[derive(Debug, thiserror::Error)]
pub enum What {
    /// A row is not what the links say.
    #[error("{0}")]
    Otherwise(&'static str),
    /// A check refuses what it took once.
    #[error("refused by {}", .0.check)]
    Refused(Refused),
}

/// Why not everything was gone over.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Something is damaged.
    #[error("the database is damaged")]
    Damaged(#[source] Damage),
    /// The store failed.
    #[error("not all of the database could be read")]
    Store(#[source] StoreError),
}

/// What comes by while an agency is gone over, once it was found to be good.
pub enum Found<'a> {
    /// The next link with everything that it names.
    Link(StreamId, u64, &'a OpenParcel),
    /// A full tile.
    Tile(Tile, &'a [u8]),
    /// What is left of a stream: records that were erased by its links, and who has a live grant.
    Stream(StreamId, &'a BTreeSet<RecordHash>, &'a BTreeSet<MemberId>),
}

struct Leaf(Option<u64>);

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |leaf| write!(f, ", leaf {leaf}"))
    }
}

/// A stream as its links have it so far.
struct Stream {
    no: StreamNo,
    links: u64,
    head: LinkId,
    last: u64,
    /// Records that are marked as erased.
    marked: BTreeSet<RecordHash>,
    /// Records that links of the stream erase.
    erased: BTreeSet<RecordHash>,
    /// All records.
    placed: BTreeSet<RecordHash>,
}

/// Goes over an agency.
///
/// # Errors
/// [`Fault`].
pub fn agency(
    reads: &dyn Reads,
    row: &AgencyRow,
    found: &mut dyn FnMut(Found<'_>) -> Result<(), StoreError>,
) -> Result<Sound, Fault> {
    let mut audit = Audit {
        reads,
        no: row.no,
        id: row.id,
        state: None,
        edge: Edge::default(),
        streams: HashMap::new(),
        leaf: None,
    };
    audit.run(found).map_err(|error| {
        let what = match error {
            StoreError::Damaged(what) => What::Otherwise(what),
            StoreError::Refused(refused) => What::Refused(refused),
            error => return Fault::Store(error),
        };
        let (agency, leaf) = (row.id, audit.leaf);
        Fault::Damaged(Damage { agency, leaf, what })
    })?;
    Ok(Sound {
        agency: row.id,
        size: audit.edge.size(),
        root: audit.edge.root(),
    })
}

struct Audit<'a> {
    reads: &'a dyn Reads,
    no: AgencyNo,
    id: AgencyId,
    state: Option<AgencyState>,
    edge: Edge,
    streams: HashMap<StreamId, Stream>,
    /// Where it is.
    leaf: Option<u64>,
}

fn require(holds: bool, otherwise: &'static str) -> Result<(), StoreError> {
    match holds {
        true => Ok(()),
        false => Err(StoreError::Damaged(otherwise)),
    }
}

impl Audit<'_> {
    fn run(&mut self, found: &mut dyn FnMut(Found<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> {
        // Judges the agency's own stream, signatures and all; gives the keys of everybody else's.
        let (state, edge) = service::load(self.reads, self.no, self.id)?;
        self.state = state;
        let size = self.reads.size(self.no)?;
        let mut cosigned = self.cosigned()?;
        self.compare(&mut cosigned)?;
        while self.edge.size() < size {
            let first = self.edge.size();
            self.leaf = Some(first);
            let count = u16::try_from((size - first).min(WIDTH)).unwrap_or(u16::MAX);
            for (stream, seq, id) in self.reads.places(self.no, first, count)? {
                self.leaf = Some(self.edge.size());
                self.link(stream, seq, id, found)?;
                self.compare(&mut cosigned)?;
            }
        }
        self.leaf = None;
        let roots = (edge.size(), edge.root()) == (self.edge.size(), self.edge.root());
        require(roots, "the tiles do not make the tree of the links")?;
        require(cosigned.is_empty(), "a cosignature is over a longer log")?;
        let mut streams: Vec<_> = std::mem::take(&mut self.streams).into_iter().collect();
        // In the order of their last links, so that two runs say the same.
        streams.sort_by_key(|(_, stream)| stream.last);
        for (id, stream) in streams {
            self.leaf = Some(stream.last);
            let holders = self.stream(id, &stream)?;
            found(Found::Stream(id, &stream.marked, &holders))?;
        }
        Ok(())
    }

    /// Returns the trees that witnesses cosigned, the shortest last; each cosignature holds.
    fn cosigned(&self) -> Result<Vec<(u64, tree::Hash)>, StoreError> {
        let mut cosigned = Vec::new();
        for row in self.reads.cosignatures(self.no)? {
            let (checkpoint, cosignature) = cosigning::taken(self.id, &row)?;
            cosignature.verify(&checkpoint)?;
            cosigned.push((checkpoint.size, checkpoint.root));
        }
        cosigned.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
        Ok(cosigned)
    }

    /// Holds what was cosigned of a tree as long as this one against it.
    fn compare(&self, cosigned: &mut Vec<(u64, tree::Hash)>) -> Result<(), StoreError> {
        while let Some((_, root)) = cosigned.pop_if(|(size, _)| *size == self.edge.size()) {
            require(root == self.edge.root(), "a cosignature is over another tree")?;
        }
        Ok(())
    }

    fn link(
        &mut self,
        id: StreamId,
        seq: u64,
        link_id: LinkId,
        found: &mut dyn FnMut(Found<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let leaf = self.edge.size();
        if !self.streams.contains_key(&id) {
            let row = self.reads.stream(self.no, id)?;
            let row = row.ok_or(StoreError::Damaged("a link is of no stream"))?;
            self.streams.insert(id, Stream::new(row.no));
        }
        let Some(stream) = self.streams.get_mut(&id) else {
            return Err(StoreError::Damaged("a link is of no stream"));
        };
        require(seq == stream.links, "a link is out of the order of its stream")?;
        let mut page = self.reads.page(stream.no, seq, 0)?;
        let placed = page.parcels.pop().filter(|_| page.parcels.is_empty());
        let PlacedParcel { leaf: at, parcel } = placed.ok_or(StoreError::Damaged("a link is missing"))?;
        require(at == leaf, "a link stands at another leaf")?;
        let opened = OpenParcel::open(parcel)?;
        let link = opened.link();
        require(link.id() == link_id, "a link has another id than its hash")?;
        let told = link.link();
        require(
            told.stream == id && told.agency == self.id,
            "a link is of another stream",
        )?;
        require(
            told.seq == seq && told.previous == stream.head,
            "a link does not follow the one before",
        )?;
        let state = self.state.as_ref();
        let state = state.ok_or(StoreError::Damaged("there are links and no founding"))?;
        let device = |device| {
            state
                .devices()
                .get(device)
                .ok_or(StoreError::Damaged("a device is unknown"))
        };
        if id.kind != StreamKind::Agency {
            link.verify_signature(&device(&told.device)?.key)?;
        }
        for (record, placement) in opened.records().iter().zip(placements(&told.body)) {
            record.verify_signature(&device(&record.header().device)?.key)?;
            let versions = self.reads.versions(stream.no, record.header().record)?;
            let known = versions.into_iter().find(|(hash, _)| *hash == placement.record_hash);
            let (hash, known) = known.ok_or(StoreError::Damaged("a record is not found by its id"))?;
            require(known.epoch == placement.epoch, "a record has another epoch")?;
            let gone = matches!(record, OpenRecord::Erased(_));
            require(gone || !known.erased, "a record that is erased has its bytes")?;
            stream.placed.insert(hash);
            if known.erased {
                stream.marked.insert(hash);
            }
        }
        if let LinkBody::Event(placed) = &told.body
            && let Event::Erasure(erasure) = &placed.event
        {
            stream.erased.extend(erasure.records.iter().copied());
        }
        stream.links += 1;
        (stream.head, stream.last) = (link_id, leaf);
        found(Found::Link(id, leaf, &opened))?;
        let mut tiles = Vec::new();
        self.edge.push(Entry::of(id, seq, link_id).leaf(), |tile, hashes| {
            let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
            tiles.push((tile, bytes));
        });
        for (tile, bytes) in tiles {
            let kept = self.reads.tile(self.no, tile.level(), tile.index())?;
            require(
                kept.is_some_and(|kept| kept == bytes),
                "a tile is not the hashes of its leaves",
            )?;
            found(Found::Tile(tile, &bytes))?;
        }
        Ok(())
    }

    /// Holds a stream's row to its links; returns who has a live grant.
    fn stream(&self, id: StreamId, stream: &Stream) -> Result<BTreeSet<MemberId>, StoreError> {
        let row = self.reads.stream(self.no, id)?;
        let row = row.ok_or(StoreError::Damaged("a stream is gone"))?;
        let ends = (row.links, row.head, row.last) == (stream.links, stream.head, stream.last);
        require(ends, "a stream does not end with its last link")?;
        let erased: BTreeSet<_> = stream.erased.intersection(&stream.placed).copied().collect();
        require(
            erased == stream.marked,
            "what is marked as erased is not what was erased",
        )?;
        let holders = self.reads.holders(stream.no)?;
        let granted = match (id.kind, &self.state) {
            (StreamKind::Case, Some(state)) => {
                let case = service::load_case(self.reads, state, stream.no, CaseId(id.id))?;
                let live = case.grants().values().filter(|grant| grant.live);
                live.map(|grant| grant.grant.member).collect()
            }
            _ => BTreeSet::new(),
        };
        require(holders == granted, "whoever may read a case is not who was granted it")?;
        Ok(holders)
    }
}

impl Stream {
    fn new(no: StreamNo) -> Self {
        Self {
            no,
            links: 0,
            head: LinkId::ZERO,
            last: 0,
            marked: BTreeSet::new(),
            erased: BTreeSet::new(),
            placed: BTreeSet::new(),
        }
    }
}

/// Goes over all agencies of a snapshot.
///
/// # Errors
/// [`Fault`].
pub fn all(reads: &dyn Reads) -> Result<Vec<Sound>, Fault> {
    let agencies = reads.agencies().map_err(Fault::Store)?;
    let sound = agencies.iter().map(|row| agency(reads, row, &mut |_| Ok(())));
    sound.collect()
}

/// Why a server's store was not gone over, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There is nothing to be gone over.
    #[error("there is no database of casevault-server in `{}`", .0.display())]
    Nothing(PathBuf),
    /// The folder's database could not be opened.
    #[error(transparent)]
    Folder(#[from] sqlite::OpenError),
    /// The shared database could not be opened.
    #[error(transparent)]
    Database(#[from] postgres::OpenError),
    /// There is no randomness to be had.
    #[error("the system gives no randomness")]
    Random(#[source] getrandom::Error),
    /// Something is damaged, or the store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Goes over what a server keeps: of a folder while no server runs, of a database at any time.
///
/// # Errors
/// [`AuditError`].
pub fn place(place: Place) -> Result<Vec<Sound>, AuditError> {
    let store: Box<dyn Store> = match place {
        Place::Database(database) => Box::new(Postgres::open_existing(database)?),
        Place::Folder(folder) if !folder.join(FILE).exists() => return Err(AuditError::Nothing(folder)),
        Place::Folder(folder) => {
            // Of an empty file, which is made a database then.
            let key = fresh_session_key().map_err(AuditError::Random)?;
            Box::new(Sqlite::open(&folder, key)?)
        }
    };
    let mut found = None;
    let read = store.read(&mut |reads| {
        found = Some(match all(reads) {
            // The store has to hear of what failed in it.
            Err(Fault::Store(error)) => return Err(error),
            found => found,
        });
        Ok(())
    });
    read.map_err(Fault::Store)?;
    Ok(found.ok_or(Fault::Store(StoreError::Damaged("nothing was read")))??)
}
