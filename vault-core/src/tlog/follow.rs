//! Following a log: what a client has verified of it, and what it does with the next checkpoint.
//!
//! A follower hashes every entry of the log itself, so that a tree that continues its own needs no proof and one that does
//! not cannot pass. Where a server answers with such a tree, [`contradiction`] makes evidence out of it that convinces
//! whoever has the log key: two checkpoints under it, and a proof that they are not of one log (ATTACKS 42, 44, 48).

use super::checkpoint::Checkpoint;
use super::checkpoint::SignedCheckpoint;
use super::entry::Entry;
use super::proof;
use super::tile::Edge;
use super::tile::Tile;
use super::tree;
use super::tree::Hash;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::crypto::sign::VerifyingKey;
use crate::id::AgencyId;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::follow::EdgeRow;
use crate::wire::v1::follow::LogPosition;
use crate::wire::v1::link::Seen;

/// Bytes of an encoded position: eight rows of 255 hashes and what is around them.
const LONGEST: usize = 128 << 10;

/// What was verified of an agency's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    agency: AgencyId,
    seen: Option<Seen>,
    edge: Edge,
}

impl Follower {
    /// Begins with the empty log.
    pub fn new(agency: AgencyId) -> Self {
        Self {
            agency,
            seen: None,
            edge: Edge::default(),
        }
    }

    /// Takes up where [`Self::to_bytes`] left off.
    ///
    /// # Errors
    /// [`Check::TooLong`], [`Check::NotCanonical`], [`Check::UnknownFormat`]; [`Check::LogTile`] where edge and checkpoint
    /// are not of one tree.
    pub fn from_bytes(agency: AgencyId, bytes: &[u8]) -> Result<Self, Refused> {
        let position: LogPosition = wire::decode(bytes, LONGEST)?;
        require(position.format == FORMAT, Check::UnknownFormat)?;
        let size = position.seen.map_or(0, |seen| seen.size);
        let mut rows = position.edge.into_iter();
        let edge = Edge::read(size, |tile| match rows.next() {
            Some(row) if row.level == tile.level() => Ok(row.hashes.into_iter().map(Hash).collect()),
            _ => Err(Refused::by(Check::LogTile)),
        })?;
        require(rows.next().is_none(), Check::LogTile)?;
        let root = position.seen.map_or_else(tree::empty, |seen| Hash(seen.root));
        require(edge.root() == root, Check::LogTile)?;
        Ok(Self {
            agency,
            seen: position.seen,
            edge,
        })
    }

    /// Returns what to keep.
    ///
    /// # Errors
    /// None in practice: an edge is of bounded size.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Refused> {
        let mut edge = Vec::new();
        self.edge.partial(|tile, hashes| {
            edge.push(EdgeRow {
                level: tile.level(),
                hashes: hashes.iter().map(|hash| hash.0).collect(),
            });
        });
        wire::encode(&LogPosition {
            format: FORMAT,
            seen: self.seen,
            edge,
        })
    }

    /// Returns how many leaves were verified.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// Returns the last checkpoint that was verified, as a link carries it.
    pub fn seen(&self) -> Option<Seen> {
        self.seen
    }

    /// Returns the last checkpoint that was verified.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            agency: self.agency,
            size: self.edge.size(),
            root: self.edge.root(),
        }
    }

    /// Goes on to a checkpoint, with the entries of the leaves that it has and the last one had not.
    ///
    /// # Errors
    /// [`Check::CheckpointOrigin`] for another agency's; [`Check::LogConsistency`] where its tree is shorter, or is not the
    /// last one with these entries behind it. Nothing is changed then.
    pub fn advance(&mut self, to: &SignedCheckpoint, entries: &[Entry]) -> Result<(), Refused> {
        let checkpoint = to.checkpoint();
        require(checkpoint.agency == self.agency, Check::CheckpointOrigin)?;
        require(checkpoint.size >= self.edge.size(), Check::LogConsistency)?;
        let more = checkpoint.size.saturating_sub(self.edge.size());
        require(entries.len() as u64 == more, Check::LogConsistency)?;
        let mut edge = self.edge.clone();
        for entry in entries {
            edge.push(entry.leaf(), |_, _| {});
        }
        require(edge.root() == checkpoint.root, Check::LogConsistency)?;
        self.edge = edge;
        self.seen = Some(Seen {
            size: checkpoint.size,
            root: checkpoint.root.0,
            signature: *to.signature(),
        });
        Ok(())
    }
}

/// Two checkpoints under one key that are not of one log, with what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The smaller.
    pub first: Seen,
    /// The larger, or another of the same size.
    pub second: Seen,
    /// The root that the first `first.size` leaves of the second's tree have.
    pub root: Hash,
    /// Proves that the second continues the tree of that root.
    pub proof: Vec<Hash>,
}

impl Contradiction {
    /// Verifies it, as whoever is handed it does.
    ///
    /// # Errors
    /// [`Check::CheckpointSignature`] where the log key did not sign both; [`Check::LogConsistency`] where nothing
    /// contradicts.
    pub fn verify(&self, agency: AgencyId, log: &VerifyingKey) -> Result<(), Refused> {
        for seen in [&self.first, &self.second] {
            checkpoint_of(agency, seen).require_signed(&seen.signature, log)?;
        }
        let (first, second) = (&self.first, &self.second);
        require(self.root != Hash(first.root), Check::LogConsistency)?;
        let end = Hash(second.root);
        tree::require_consistent(first.size, &self.root, second.size, &end, &self.proof)
    }
}

/// Makes evidence of a checkpoint that does not go with one that was verified before: `tiles` gives the tiles of the
/// larger one's tree.
///
/// # Errors
/// [`Check::LogConsistency`] where they do go together, or where the tiles are not those of its tree and show nothing; what
/// `tiles` refuses.
pub fn contradiction<E: From<Refused>>(
    one: Seen,
    other: Seen,
    tiles: &mut impl FnMut(Tile) -> Result<Vec<Hash>, E>,
) -> Result<Contradiction, E> {
    let (first, second) = if one.size <= other.size {
        (one, other)
    } else {
        (other, one)
    };
    let root = match first.size == second.size {
        true => Hash(second.root),
        false => proof::root(first.size, &mut |tile: Tile| wider(tile, second.size, tiles))?,
    };
    let proof = proof::consistency(first.size, second.size, tiles)?;
    let found = Contradiction {
        first,
        second,
        root,
        proof,
    };
    require(found.root != Hash(first.root), Check::LogConsistency)?;
    tree::require_consistent(first.size, &root, second.size, &Hash(second.root), &found.proof)?;
    Ok(found)
}

/// Cuts a tile of a smaller tree out of that of a larger one.
fn wider<E: From<Refused>>(
    tile: Tile,
    size: u64,
    tiles: &mut impl FnMut(Tile) -> Result<Vec<Hash>, E>,
) -> Result<Vec<Hash>, E> {
    let first = tile.index().checked_mul(256).ok_or(Refused::by(Check::LogTile))?;
    let mut hashes = tiles(Tile::of(tile.level(), first, size)?)?;
    hashes.truncate(usize::from(tile.width()));
    Ok(hashes)
}

/// Returns the checkpoint that a `seen` is the signature of.
pub fn checkpoint_of(agency: AgencyId, seen: &Seen) -> Checkpoint {
    Checkpoint {
        agency,
        size: seen.size,
        root: Hash(seen.root),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::crypto::sign::SigningKey;
    use crate::id::LinkId;
    use crate::secret::SigningSeed;
    use crate::tlog::checkpoint;
    use crate::wire::v1::stream::StreamId;
    use std::collections::BTreeMap;

    const AGENCY: AgencyId = AgencyId([0xa1; 32]);

    fn key() -> SigningKey {
        SigningKey::from_seed(&SigningSeed::from_bytes([3; 32]))
    }

    fn verifying() -> VerifyingKey {
        VerifyingKey::new(&key().public(), Check::CheckpointSignature).unwrap()
    }

    fn entry(branch: u8, n: u64) -> Entry {
        let mut link = [branch; 32];
        link[..8].copy_from_slice(&n.to_be_bytes());
        Entry::of(StreamId::agency(&AGENCY), n, LinkId(link))
    }

    /// A log whose entries from `fork` on are of another branch.
    struct Log {
        entries: Vec<Entry>,
        tiles: BTreeMap<Tile, Vec<Hash>>,
        edge: Edge,
    }

    impl Log {
        fn new(size: u64, fork: u64) -> Self {
            let entries: Vec<_> = (0..size).map(|n| entry(u8::from(n >= fork), n)).collect();
            let (mut edge, mut tiles) = (Edge::default(), BTreeMap::new());
            for entry in &entries {
                edge.push(entry.leaf(), |tile, hashes| {
                    tiles.insert(tile, hashes.to_vec());
                });
            }
            edge.partial(|tile, hashes| {
                tiles.insert(tile, hashes.to_vec());
            });
            Self { entries, tiles, edge }
        }

        fn signed(&self) -> SignedCheckpoint {
            let checkpoint = Checkpoint {
                agency: AGENCY,
                size: self.edge.size(),
                root: self.edge.root(),
            };
            let note = checkpoint::write(&checkpoint, &checkpoint.sign(&key()), &key().public(), &[]).unwrap();
            SignedCheckpoint::open(note.as_bytes(), AGENCY, &verifying(), &[]).unwrap()
        }

        fn follower(&self) -> Follower {
            let mut follower = Follower::new(AGENCY);
            follower.advance(&self.signed(), &self.entries).unwrap();
            follower
        }

        fn tile(&self, tile: Tile) -> Result<Vec<Hash>, Refused> {
            self.tiles.get(&tile).cloned().ok_or(Refused::by(Check::LogTile))
        }
    }

    const NEVER: u64 = u64::MAX;

    #[test]
    fn a_follower_goes_on_and_keeps_where_it_is() {
        for (from, to) in [(0, 1), (1, 1), (255, 257), (300, 70_000), (65_536, 65_537)] {
            let (old, new) = (Log::new(from, NEVER), Log::new(to, NEVER));
            let mut follower = old.follower();
            let kept = follower.to_bytes().unwrap();
            assert_eq!(Follower::from_bytes(AGENCY, &kept).unwrap(), follower);
            let more = &new.entries[usize::try_from(from).unwrap()..];
            follower.advance(&new.signed(), more).unwrap();
            assert_eq!(follower, new.follower());
            assert_eq!(
                (follower.size(), follower.checkpoint()),
                (to, *new.signed().checkpoint())
            );
        }
    }

    #[test]
    fn chk_138_a_tree_that_is_no_continuation_is_refused_and_changes_nothing() {
        let mut follower = Log::new(300, NEVER).follower();
        let before = follower.clone();
        let refused = Err(Check::LogConsistency.into());
        for other in [
            Log::new(299, NEVER),
            Log::new(300, 299),
            Log::new(301, 299),
            Log::new(400, 0),
        ] {
            let more = other.entries.get(300..).unwrap_or_default();
            assert_eq!(follower.advance(&other.signed(), more), refused);
        }
        let honest = Log::new(400, NEVER);
        assert_eq!(follower.advance(&honest.signed(), &honest.entries[300..399]), refused);
        let mut changed = honest.entries[300..].to_vec();
        changed.swap(3, 4);
        assert_eq!(follower.advance(&honest.signed(), &changed), refused);
        assert_eq!(follower, before);
        follower.advance(&honest.signed(), &honest.entries[300..]).unwrap();
    }

    #[test]
    fn two_checkpoints_of_two_logs_make_evidence_that_anybody_verifies() {
        for (one, other) in [(300, 300), (300, 301), (300, 70_000), (1, 2), (256, 512), (70_000, 513)] {
            let (one, other) = (Log::new(one, NEVER), Log::new(other, 0));
            let (a, b) = (one.follower().seen().unwrap(), other.follower().seen().unwrap());
            let larger = if a.size <= b.size { &other } else { &one };
            let found = contradiction(a, b, &mut |tile| larger.tile(tile)).unwrap();
            found.verify(AGENCY, &verifying()).unwrap();

            let mut forged = found.clone();
            forged.second.root[0] ^= 1;
            assert_eq!(
                forged.verify(AGENCY, &verifying()),
                Err(Check::CheckpointSignature.into())
            );
            let mut nothing = found.clone();
            nothing.root = Hash(nothing.first.root);
            assert_eq!(nothing.verify(AGENCY, &verifying()), Err(Check::LogConsistency.into()));
            let mut unproved = found;
            unproved.root.0[5] ^= 1;
            assert_eq!(unproved.verify(AGENCY, &verifying()), Err(Check::LogConsistency.into()));
        }
    }

    #[test]
    fn one_log_gives_no_evidence_against_itself() {
        let (small, large) = (Log::new(300, NEVER), Log::new(70_000, NEVER));
        let (a, b) = (small.follower().seen().unwrap(), large.follower().seen().unwrap());
        let nothing = contradiction(a, b, &mut |tile| large.tile(tile));
        assert_eq!(nothing, Err(Check::LogConsistency.into()));
    }

    #[test]
    fn chk_136_an_edge_of_another_tree_is_not_taken_up() {
        let follower = Log::new(300, NEVER).follower();
        let mut position: LogPosition = wire::decode(&follower.to_bytes().unwrap(), LONGEST).unwrap();
        position.edge[0].hashes[3][0] ^= 1;
        let read = |position: &LogPosition| Follower::from_bytes(AGENCY, &wire::encode(position).unwrap());
        assert_eq!(read(&position), Err(Check::LogTile.into()));
        position.edge.clear();
        assert_eq!(read(&position), Err(Check::LogTile.into()));
    }
}
