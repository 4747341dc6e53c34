//! Going on from what was verified of a log to another of its checkpoints.

use super::Fault;
use super::LogOf;
use super::Request;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::tlog::checkpoint::SignedCheckpoint;
use crate::tlog::entry::Entry;
use crate::tlog::follow;
use crate::tlog::follow::Follower;
use crate::tlog::tile;
use crate::tlog::tile::Tile;
use crate::tlog::tree::Hash;
use crate::wire::v1::link::Seen;
use std::collections::BTreeMap;

/// Leaves of a bundle of entries.
const WIDTH: u64 = 256;
/// Entries that are taken in at once: 768 MiB of them would be the log of a large agency's century.
const MOST: u64 = 1 << 24;

/// Fetches the entries of the leaves that are new, and arrives at the checkpoint or at a contradiction.
pub(super) struct Advance {
    log: LogOf,
    follower: Follower,
    to: SignedCheckpoint,
    entries: Vec<Entry>,
    state: State,
}

enum State {
    /// Entries are still to come.
    Fetching,
    /// They do not lead to the checkpoint's root: tiles are fetched to show what does not go together.
    Contradicted { refused: Refused, tiles: Tiles },
    /// Arrived.
    Done,
}

impl Advance {
    /// Begins with a checkpoint's note.
    pub(super) fn begin(log: LogOf, follower: Follower, note: &[u8]) -> Result<Self, Fault> {
        let to = SignedCheckpoint::open(note, log.agency, &log.key, &[])?;
        let more = to.checkpoint().size.checked_sub(follower.size());
        require(more.is_none_or(|more| more <= MOST), Check::TooLong)?;
        let mut begun = Self {
            log,
            follower,
            to,
            entries: Vec::new(),
            state: State::Fetching,
        };
        begun.arrive()?;
        Ok(begun)
    }

    /// Begins with entries that are known to be behind what was verified, if the checkpoint says so too.
    pub(super) fn with_entries(log: LogOf, follower: Follower, note: &[u8], known: &[Entry]) -> Result<Self, Fault> {
        let to = SignedCheckpoint::open(note, log.agency, &log.key, &[])?;
        let mut follows = follower.clone();
        match follows.advance(&to, known) {
            Ok(()) => Ok(Self {
                log,
                follower: follows,
                to,
                entries: known.to_vec(),
                state: State::Done,
            }),
            Err(_) => Self::begin(log, follower, note),
        }
    }

    /// Returns what to ask next; nothing once it has arrived.
    pub(super) fn ask(&self) -> Result<Option<Request>, Fault> {
        match &self.state {
            State::Fetching => Ok(Some(Request::Entries(self.bundle()?))),
            State::Contradicted { tiles, .. } => Ok(tiles.wanted.map(Request::Tile)),
            State::Done => Ok(None),
        }
    }

    /// Returns the refusal that holds whatever else comes, while tiles are fetched that may prove it to others.
    pub(super) fn doubt(&self) -> Option<Fault> {
        match &self.state {
            State::Contradicted { refused, .. } => Some(Fault::Refused(*refused)),
            State::Fetching | State::Done => None,
        }
    }

    /// Takes what came.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match &mut self.state {
            State::Fetching => {
                let tile = self.bundle()?;
                let entries = tile::read_entries(bytes)?;
                require(entries.len() == usize::from(tile.width()), Check::LogTile)?;
                let first = tile.index().saturating_mul(WIDTH);
                let skipped = self.reached().saturating_sub(first);
                let skipped = usize::try_from(skipped).map_err(|_| Check::LogTile)?;
                self.entries.extend(entries.into_iter().skip(skipped));
                self.arrive()
            }
            State::Contradicted { tiles, refused } => {
                // A server that shows no tiles of it is refused for what it said first.
                tiles.take(bytes).map_err(|_| Fault::Refused(*refused))?;
                self.convict()
            }
            State::Done => Ok(()),
        }
    }

    /// Returns what is verified now, and the entries that are new.
    pub(super) fn into_parts(self) -> (Follower, Vec<Entry>) {
        (self.follower, self.entries)
    }

    fn reached(&self) -> u64 {
        self.follower.size().saturating_add(self.entries.len() as u64)
    }

    fn bundle(&self) -> Result<Tile, Fault> {
        Ok(Tile::of(0, self.reached(), self.to.checkpoint().size)?)
    }

    /// Compares, once all entries are here.
    fn arrive(&mut self) -> Result<(), Fault> {
        let size = self.to.checkpoint().size;
        if self.reached() < size {
            return Ok(());
        }
        let same = size == self.follower.size() && self.to.checkpoint().root == self.follower.checkpoint().root;
        if same {
            // Another signature over the same tree says nothing new.
            self.state = State::Done;
            return Ok(());
        }
        match self.follower.advance(&self.to, &self.entries) {
            Ok(()) => {
                self.state = State::Done;
                Ok(())
            }
            Err(refused) => {
                self.state = State::Contradicted {
                    refused,
                    tiles: Tiles::default(),
                };
                self.convict()
            }
        }
    }

    /// Makes evidence, or asks for the next tile that it takes.
    fn convict(&mut self) -> Result<(), Fault> {
        let State::Contradicted { refused, tiles } = &mut self.state else {
            return Ok(());
        };
        match self.follower.seen() {
            Some(seen) => convict(&self.log, (seen, self.to.seen()), *refused, tiles),
            None => Err((*refused).into()),
        }
    }
}

/// Makes evidence of two checkpoints that do not go together, or says which tile it takes next: always a fault in the end,
/// and `refused` where nothing proves it to others.
pub(super) fn convict(
    log: &LogOf,
    (one, other): (Seen, Seen),
    refused: Refused,
    tiles: &mut Tiles,
) -> Result<(), Fault> {
    match follow::contradiction(one, other, &mut |tile| tiles.get(tile)) {
        Ok(found) if found.verify(log.agency, &log.key).is_ok() => Err(Fault::Contradiction(Box::new(found))),
        Err(Missing::Tile) => Ok(()),
        Ok(_) | Err(Missing::Refused) => Err(refused.into()),
    }
}

/// Tiles that have come, and the one that is wanted next.
#[derive(Default)]
pub(super) struct Tiles {
    known: BTreeMap<Tile, Vec<Hash>>,
    pub(super) wanted: Option<Tile>,
}

/// Why a tile is not there.
pub(super) enum Missing {
    /// It is still to be asked for.
    Tile,
    /// What came is refused.
    Refused,
}

impl From<Refused> for Missing {
    fn from(_: Refused) -> Self {
        Self::Refused
    }
}

impl Tiles {
    /// Returns a tile, or says that it is wanted.
    pub(super) fn get(&mut self, tile: Tile) -> Result<Vec<Hash>, Missing> {
        match self.known.get(&tile) {
            Some(hashes) => Ok(hashes.clone()),
            None => {
                self.wanted = Some(tile);
                Err(Missing::Tile)
            }
        }
    }

    /// Takes the tile that is wanted.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if let Some(tile) = self.wanted.take() {
            let hashes = tile.read(bytes)?;
            self.known.insert(tile, hashes);
        }
        Ok(())
    }
}
