//! Going through a whole log again, from its first leaf to what was verified of it: every entry is hashed anew, and each of
//! the links that are known must be found at one leaf and no other.

use super::Fault;
use super::Request;
use crate::check::Check;
use crate::check::require;
use crate::id::LinkId;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::entry::Tag;
use crate::tlog::tile;
use crate::tlog::tile::Edge;
use crate::tlog::tile::Tile;
use crate::wire::v1::stream::StreamId;
use std::collections::BTreeSet;
use std::collections::HashMap;

/// Goes through a log.
pub struct Audit {
    end: Checkpoint,
    edge: Edge,
    known: HashMap<Tag, Known>,
    found: Found,
}

/// A link that is known, and whether its entry was met.
struct Known {
    stream: StreamId,
    seq: u64,
    link: LinkId,
    met: bool,
}

/// What a log holds of the links that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Leaves of known links.
    pub own: u64,
    /// Leaves of links that are not known here: of other devices, or of streams that this one does not read.
    pub others: u64,
    /// Places that the log has a known link's tag for and another link at, by stream and sequence number.
    pub other_link: BTreeSet<(StreamId, u64)>,
    /// Known links that the log has no entry of.
    pub missing: BTreeSet<(StreamId, u64)>,
}

impl Audit {
    /// Begins: `end` is the checkpoint that was verified, `links` are those that must be in its tree.
    pub fn begin(end: Checkpoint, links: impl IntoIterator<Item = (StreamId, u64, LinkId)>) -> Self {
        let known = links.into_iter().map(|(stream, seq, link)| {
            let known = Known {
                stream,
                seq,
                link,
                met: false,
            };
            (Tag::of(stream, seq), known)
        });
        Self {
            end,
            edge: Edge::default(),
            known: known.collect(),
            found: Found::default(),
        }
    }

    /// Returns how many leaves were gone through.
    pub fn reached(&self) -> u64 {
        self.edge.size()
    }

    /// Returns what to ask next; nothing once the end is reached.
    ///
    /// # Errors
    /// None in practice: the tiles of a tree follow from its size.
    pub fn ask(&self) -> Result<Option<Request>, Fault> {
        match self.reached() < self.end.size {
            true => Ok(Some(Request::Entries(self.bundle()?))),
            false => Ok(None),
        }
    }

    /// Takes a bundle of entries.
    ///
    /// # Errors
    /// [`Check::LogTile`] for a bundle of another width, or bytes that are none.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let entries = tile::read_entries(bytes)?;
        require(entries.len() == usize::from(self.bundle()?.width()), Check::LogTile)?;
        for entry in entries {
            self.edge.push(entry.leaf(), |_, _| {});
            match self.known.get_mut(&entry.tag) {
                // The first leaf of a place is the one that counts, for all.
                Some(known) if !known.met && known.link == entry.link => {
                    known.met = true;
                    self.found.own = self.found.own.saturating_add(1);
                }
                Some(known) => {
                    self.found.other_link.insert((known.stream, known.seq));
                }
                None => self.found.others = self.found.others.saturating_add(1),
            }
        }
        Ok(())
    }

    /// Returns what was found, once the end is reached and its root is the one that was verified.
    ///
    /// # Errors
    /// [`Check::LogConsistency`] for another root, or before the end.
    pub fn finish(mut self) -> Result<Found, Fault> {
        require(
            self.edge.size() == self.end.size && self.edge.root() == self.end.root,
            Check::LogConsistency,
        )?;
        let missing = self.known.values().filter(|known| !known.met);
        self.found.missing = missing.map(|known| (known.stream, known.seq)).collect();
        Ok(self.found)
    }

    fn bundle(&self) -> Result<Tile, Fault> {
        Ok(Tile::of(0, self.reached(), self.end.size)?)
    }
}
