//! An agency as requests see it: what was published after the last group of appends.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;
use vault_core::agency_state::AgencyState;
use vault_core::check::Refused;
use vault_core::crypto::sign::{PublicKey, SigningKey};
use vault_core::id::AgencyId;
use vault_core::tlog::checkpoint::{self, Checkpoint, Cosignature};
use vault_core::tlog::entry::Entry;
use vault_core::tlog::tile::{Edge, WIDTH};
use vault_core::tlog::tree;
use vault_core::wire::v1::agency::Verifier;
use vault_core::wire::v1::stream::StreamId;

use super::shared_turn::SharedTurn;
use crate::store::{AgencyNo, AgencyRow, Reads, Store, StoreError, Which, reading};

/// An agency that the server knows.
pub struct Agency {
    no: AgencyNo,
    id: AgencyId,
    log: SigningKey,
    published: RwLock<Published>,
    looks: SharedTurn,
    grown: watch::Sender<u64>,
}

/// What is true of an agency as of its last durable append.
#[derive(Clone)]
pub struct Published {
    /// What its stream says; `None` before its founding.
    pub state: Option<Arc<AgencyState>>,
    /// Where its log ends.
    pub edge: Arc<Edge>,
    /// The note of the checkpoint over that.
    pub checkpoint: Arc<str>,
}

impl Published {
    /// Returns the bytes of the last tile of a level, which is not full.
    pub fn partial(&self, level: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.edge.partial(|tile, hashes| {
            if tile.level() == level {
                bytes.extend(hashes.iter().flat_map(|hash| hash.0));
            }
        });
        bytes
    }
}

impl Agency {
    /// Takes an agency up where its stored streams and log end.
    pub(super) fn load(reads: &dyn Reads, row: &AgencyRow) -> Result<Self, StoreError> {
        let log = SigningKey::from_seed(&row.log_seed);
        let (state, edge) = load(reads, row.no, row.id)?;
        let (grown, _) = watch::channel(edge.size());
        let published = Published {
            state: state.map(Arc::new),
            checkpoint: note(row.id, &log, &edge)?.into(),
            edge: Arc::new(edge),
        };
        Ok(Self {
            no: row.no,
            id: row.id,
            log,
            published: RwLock::new(published),
            looks: SharedTurn::default(),
            grown,
        })
    }

    /// Returns its number in the store.
    pub fn no(&self) -> AgencyNo {
        self.no
    }

    /// Returns its id.
    pub fn id(&self) -> AgencyId {
        self.id
    }

    /// Returns the public half of its log key.
    pub fn log_key(&self) -> PublicKey {
        self.log.public()
    }

    /// Returns its log key as a root names it.
    pub fn verifier(&self) -> Verifier {
        Verifier {
            name: checkpoint::origin(self.id).into_bytes(),
            key: self.log_key(),
        }
    }

    /// Writes the note of a checkpoint of its log.
    pub(super) fn note_of(&self, checkpoint: &Checkpoint, cosigned: &[Cosignature]) -> Result<String, Refused> {
        checkpoint::write(checkpoint, &checkpoint.sign(&self.log), &self.log.public(), cosigned)
    }

    /// Returns what was published last.
    pub fn published(&self) -> Published {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns a receiver of the log's size, woken whenever it grew.
    pub fn grown(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }

    /// Takes in and publishes what other processes have appended.
    pub(super) fn catch_up(&self, store: &dyn Store) -> Result<(), StoreError> {
        self.looks.run(self.looks.ask(), || {
            // Before the snapshot is taken, so that this cannot be ahead of it.
            let known = self.published();
            reading(store, |reads| {
                let size = reads.size(self.no)?;
                if size != known.edge.size() {
                    let (state, edge) = grow(reads, self.no, self.id, &known, size)?;
                    self.publish(state, edge)?;
                }
                Ok(())
            })
        })
    }

    /// Publishes what is durable: signs its checkpoint and wakes who waits. What is published never gets shorter: a log
    /// only grows, so of two that publish at once the longer has what the other has.
    pub(super) fn publish(&self, state: Option<Arc<AgencyState>>, edge: Edge) -> Result<Arc<str>, Refused> {
        let checkpoint: Arc<str> = note(self.id, &self.log, &edge)?.into();
        let size = edge.size();
        let published = Published {
            state,
            edge: Arc::new(edge),
            checkpoint: Arc::clone(&checkpoint),
        };
        let mut newest = self.published.write().unwrap_or_else(PoisonError::into_inner);
        if newest.edge.size() > size {
            return Ok(checkpoint);
        }
        *newest = published;
        // Under the lock, so that sizes are told in their order.
        self.grown.send_if_modified(|known| {
            let grew = *known != size;
            *known = size;
            grew
        });
        Ok(checkpoint)
    }
}

/// Leaves that are pushed one by one; from more the edge is read from tiles.
const FEW: u64 = 4096;

/// Takes an agency on from what is known of it to the size that it has in a snapshot.
pub(super) fn grow(
    reads: &dyn Reads,
    no: AgencyNo,
    id: AgencyId,
    known: &Published,
    size: u64,
) -> Result<(Option<Arc<AgencyState>>, Edge), StoreError> {
    let more = size.checked_sub(known.edge.size());
    let more = more.ok_or(StoreError::Damaged("a log is shorter than it was"))?;
    if more > FEW {
        let (state, edge) = load(reads, no, id)?;
        return Ok((state.map(Arc::new), edge));
    }
    let mut state = known.state.clone();
    let links = state.as_ref().and_then(|state| state.seq_of(&state.head()));
    let links = links.map_or(0, |last| last + 1);
    if let Some(stream) = reads.stream(no, StreamId::agency(&id))?
        && stream.links > links
    {
        reads.links(stream.no, Which::From(links), &mut |stored| {
            match &mut state {
                None => state = Some(Arc::new(AgencyState::found(&stored.link)?)),
                Some(state) => drop(Arc::make_mut(state).admit(stored.link.clone(), &stored.stored())?),
            }
            Ok(())
        })?;
    }
    let mut edge = Edge::clone(&known.edge);
    while edge.size() < size {
        let count = (size - edge.size()).min(WIDTH);
        let count = u16::try_from(count).map_err(|_| StoreError::Bounds("leaves at once"))?;
        for entry in reads.entries(no, edge.size(), count)? {
            // Whoever appended it has kept the tile.
            edge.push(entry.leaf(), |_, _| ());
        }
    }
    Ok((state, edge))
}

/// Rebuilds an agency's state from its stream, and the edge of its log from full tiles and the links after them.
pub(crate) fn load(reads: &dyn Reads, no: AgencyNo, id: AgencyId) -> Result<(Option<AgencyState>, Edge), StoreError> {
    let mut state: Option<AgencyState> = None;
    if let Some(stream) = reads.stream(no, StreamId::agency(&id))? {
        reads.links(stream.no, Which::All, &mut |stored| {
            match &mut state {
                None => state = Some(AgencyState::found(&stored.link)?),
                Some(state) => drop(state.admit(stored.link.clone(), &stored.stored())?),
            }
            Ok(())
        })?;
    }
    let edge = Edge::read(reads.size(no)?, |tile| {
        let first = tile.index() * WIDTH;
        let Some(below) = tile.level().checked_sub(1) else {
            let entries = reads.entries(no, first, tile.width())?;
            return Ok(entries.iter().map(Entry::leaf).collect());
        };
        let hash = |index| {
            let bytes = reads.tile(no, below, index)?;
            let bytes = bytes.ok_or(StoreError::Damaged("a tile is missing"))?;
            let (hashes, _) = bytes.as_chunks::<32>();
            let hashes: Vec<_> = hashes.iter().map(|hash| tree::Hash(*hash)).collect();
            Ok(tree::root(&hashes))
        };
        (first..first + u64::from(tile.width()))
            .map(hash)
            .collect::<Result<_, StoreError>>()
    })?;
    Ok((state, edge))
}

fn note(agency: AgencyId, log: &SigningKey, edge: &Edge) -> Result<String, Refused> {
    let checkpoint = Checkpoint {
        agency,
        size: edge.size(),
        root: edge.root(),
    };
    checkpoint::write(&checkpoint, &checkpoint.sign(log), &log.public(), &[])
}
