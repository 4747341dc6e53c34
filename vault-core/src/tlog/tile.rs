//! Tiles: how a log keeps and serves its hashes (C2SP tlog-tiles), 256 to a tile and eight levels of the tree apart.

use super::entry::ENTRY_BYTES;
use super::entry::Entry;
use super::tree;
use super::tree::Hash;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use std::fmt;
use std::str::FromStr;

/// Hashes of a full tile.
pub const WIDTH: u64 = 256;

/// Levels of the tree between the hashes of one tile level and those of the next.
pub(super) const HEIGHT: u32 = 8;

/// The highest level of a tile that a tree of 2^64 leaves has.
const TOP: u8 = 7;

/// Which tile: its level, its number in it, and how many hashes it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

impl Tile {
    /// Names a tile of `width` hashes, 1 to 256.
    ///
    /// # Errors
    /// [`Check::LogTile`] for a tile that no tree has.
    pub fn new(level: u8, index: u64, width: u16) -> Result<Self, Refused> {
        let is_there = level <= TOP && (1..=WIDTH).contains(&u64::from(width));
        // The leaves of a tree are counted in 64 bits, so that the last hash of a tile stands for less than 2^64 of them.
        let hashes = index
            .checked_mul(WIDTH)
            .and_then(|before| before.checked_add(u64::from(width)));
        let room = u64::MAX.checked_shr(HEIGHT * u32::from(level)).unwrap_or(0);
        require(is_there && hashes.is_some_and(|hashes| hashes <= room), Check::LogTile)?;
        Ok(Self { level, index, width })
    }

    /// Names the tile that holds the hash number `at` of a level, as wide as it is in a tree of `size` leaves.
    ///
    /// # Errors
    /// [`Check::LogTile`] where that tree has no such hash.
    pub fn of(level: u8, at: u64, size: u64) -> Result<Self, Refused> {
        let hashes = size.checked_shr(HEIGHT * u32::from(level)).unwrap_or(0);
        require(at < hashes, Check::LogTile)?;
        let index = at / WIDTH;
        let width = (hashes - index * WIDTH).min(WIDTH);
        Self::new(level, index, u16::try_from(width).map_err(|_| Check::LogTile)?)
    }

    /// Returns its level: 0 has the leaves' hashes.
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// Returns its number in its level.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Returns how many hashes it has.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Tells whether it has all of its 256 hashes.
    pub const fn is_full(&self) -> bool {
        self.width as u64 == WIDTH
    }

    /// Reads its hashes.
    ///
    /// # Errors
    /// [`Check::LogTile`] for another number of bytes than its width asks for.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<Hash>, Refused> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        let whole = rest.is_empty() && hashes.len() == usize::from(self.width);
        require(whole, Check::LogTile)?;
        Ok(hashes.iter().map(|hash| Hash(*hash)).collect())
    }

    /// Returns the path of the entries under a tile of level 0.
    pub fn entries_path(&self) -> String {
        format!("tile/entries/{}", Number(self))
    }
}

/// Writes the path under which a log serves it: `tile/0/x001/x234/067.p/8`.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/{}", self.level, Number(self))
    }
}

/// Reads such a path, in the one form that it has.
impl FromStr for Tile {
    type Err = Refused;

    fn from_str(path: &str) -> Result<Self, Refused> {
        let tile = (|| {
            let (level, number) = path.strip_prefix("tile/")?.split_once('/')?;
            let (index, width) = match number.split_once(".p/") {
                Some((index, width)) => (index, width.parse().ok()?),
                None => (number, 256),
            };
            let digits: String = index.split('/').map(|part| part.trim_start_matches('x')).collect();
            Self::new(level.parse().ok()?, digits.parse().ok()?, width).ok()
        })();
        // Written again it is the same: no zeroes too many, no `x` left out, no full tile with a width.
        tile.filter(|tile| tile.to_string() == path)
            .ok_or_else(|| Check::LogTile.into())
    }
}

struct Number<'t>(&'t Tile);

impl fmt::Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.index.to_string();
        let padded = format!("{digits:0>width$}", width = digits.len().next_multiple_of(3));
        let parts = padded.len() / 3;
        for part in 0..parts {
            let digits = padded.get(3 * part..3 * part + 3).unwrap_or_default();
            match part + 1 == parts {
                true => f.write_str(digits)?,
                false => write!(f, "x{digits}/")?,
            }
        }
        match self.0.is_full() {
            true => Ok(()),
            false => write!(f, ".p/{}", self.0.width),
        }
    }
}

/// Writes entries as a bundle: each after its length as a `uint16`.
pub fn bundle(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * (2 + ENTRY_BYTES));
    for entry in entries {
        bytes.extend_from_slice(&(ENTRY_BYTES as u16).to_be_bytes());
        bytes.extend_from_slice(&entry.to_bytes());
    }
    bytes
}

/// Reads a bundle, and holds it against the tile of level 0 with its leaves' hashes.
///
/// # Errors
/// [`Check::LogEntry`] for what is no bundle of entries; [`Check::LogTile`] where they are not those of the tile.
pub fn read_bundle(bytes: &[u8], leaves: &[Hash]) -> Result<Vec<Entry>, Refused> {
    let entries = read_entries(bytes)?;
    let same = entries.iter().map(Entry::leaf).eq(leaves.iter().copied());
    require(same, Check::LogTile)?;
    Ok(entries)
}

/// Reads a bundle, whose entries nothing has been compared with yet.
///
/// # Errors
/// [`Check::LogEntry`] for what is no bundle of entries.
pub fn read_entries(bytes: &[u8]) -> Result<Vec<Entry>, Refused> {
    let (framed, rest) = bytes.as_chunks::<{ 2 + ENTRY_BYTES }>();
    require(rest.is_empty(), Check::LogEntry)?;
    let mut entries = Vec::with_capacity(framed.len());
    for entry in framed {
        let (length, entry) = entry.split_first_chunk().ok_or(Check::LogEntry)?;
        require(usize::from(u16::from_be_bytes(*length)) == ENTRY_BYTES, Check::LogEntry)?;
        entries.push(Entry::from_bytes(entry)?);
    }
    Ok(entries)
}

/// How many full tiles of a level a tree has.
fn tiles_of(size: u64, level: u8) -> u64 {
    size.checked_shr(HEIGHT * (u32::from(level) + 1)).unwrap_or(0)
}

/// The right edge of a tree: what is needed to append to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    // The hashes of each level's last tile, from level 0 on: fewer than 256.
    rows: Vec<Vec<Hash>>,
}

impl Edge {
    /// Takes up a tree where it ends: `tiles` gives the hashes of its last tile of each level, where that is not full.
    ///
    /// # Errors
    /// What `tiles` refuses; [`Check::LogTile`] where it gives another number of hashes.
    pub fn read<E: From<Refused>>(size: u64, mut tiles: impl FnMut(Tile) -> Result<Vec<Hash>, E>) -> Result<Self, E> {
        let mut rows = Vec::new();
        for level in 0..=TOP {
            let hashes = size.checked_shr(HEIGHT * u32::from(level)).unwrap_or(0);
            if hashes == 0 {
                break;
            }
            let row = match hashes % WIDTH {
                0 => Vec::new(),
                width => {
                    let tile = Tile::of(level, hashes - 1, size)?;
                    let row = tiles(tile)?;
                    require(row.len() as u64 == width, Check::LogTile)?;
                    row
                }
            };
            rows.push(row);
        }
        Ok(Self { size, rows })
    }

    /// Returns how many leaves the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf; hands over each tile that became full by it. A tree of 2^64 - 1 leaves takes no more.
    pub fn push(&mut self, leaf: Hash, mut full: impl FnMut(Tile, &[Hash])) {
        let mut hash = leaf;
        let Some(size) = self.size.checked_add(1) else { return };
        self.size = size;
        for level in 0..=TOP {
            let at = usize::from(level);
            if self.rows.len() == at {
                self.rows.push(Vec::new());
            }
            let Some(row) = self.rows.get_mut(at) else { return };
            row.push(hash);
            if (row.len() as u64) < WIDTH {
                return;
            }
            hash = tree::root(row);
            let index = tiles_of(self.size, level).saturating_sub(1);
            let tile = Tile {
                level,
                index,
                width: WIDTH as u16,
            };
            full(tile, row);
            row.clear();
        }
    }

    /// Hands over the tiles at the edge that are not full.
    pub fn partial(&self, mut each: impl FnMut(Tile, &[Hash])) {
        for (level, row) in (0..=TOP).zip(&self.rows) {
            if let Ok(width) = u16::try_from(row.len())
                && width > 0
            {
                let index = tiles_of(self.size, level);
                each(Tile { level, index, width }, row);
            }
        }
    }

    /// Returns the root.
    pub fn root(&self) -> Hash {
        // Full subtrees from the smallest, at the right, to the largest.
        let mut root: Option<Hash> = None;
        for row in &self.rows {
            let mut rest = row.as_slice();
            while !rest.is_empty() {
                let width = 1 << rest.len().trailing_zeros();
                let (left, last) = rest.split_at(rest.len() - width);
                let last = tree::root(last);
                root = Some(root.map_or(last, |right| tree::node(&last, &right)));
                rest = left;
            }
        }
        root.unwrap_or_else(tree::empty)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::id::CaseId;
    use crate::id::LinkId;
    use crate::wire::v1::stream::StreamId;

    #[test]
    fn paths_are_those_of_the_specification_and_have_one_form() {
        for (level, index, width, path) in [
            (0, 0, 256, "tile/0/000"),
            (1, 1_234_067, 256, "tile/1/x001/x234/067"),
            (0, 273, 112, "tile/0/273.p/112"),
            (7, 0, 1, "tile/7/000.p/1"),
            (0, 1000, 256, "tile/0/x001/000"),
        ] {
            let tile = Tile::new(level, index, width).unwrap();
            assert_eq!(tile.to_string(), path);
            assert_eq!(path.parse::<Tile>().unwrap(), tile);
        }
        assert_eq!(Tile::new(0, 5, 3).unwrap().entries_path(), "tile/entries/005.p/3");
        for path in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/00/000",
            "tile/8/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/000/000",
            "tile/0/x000/000",
            "tile/0/x001",
            "tile/0/001/000",
            "tile/0/xx01/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/257",
            "tile/0/000.p/01",
            "tile/0/000.p/+1",
            "tile/0/-01",
            "tile/7/001",
            "tile/0/x099/x999/x999/x999/x999/x999/999",
            "/tile/0/000",
            "tile/0/000 ",
            "tile/0/00٣",
        ] {
            assert_eq!(path.parse::<Tile>(), Err(Check::LogTile.into()), "{path}");
        }
    }

    /// "A tree of size 70,000 will be represented by …" (C2SP tlog-tiles).
    #[test]
    fn a_tree_has_the_tiles_that_the_specification_counts() {
        let (mut edge, mut full, mut partial) = (Edge::default(), [0; 3], Vec::new());
        for n in 0..70_000u32 {
            edge.push(tree::leaf(&n.to_be_bytes()), |tile, hashes| {
                assert!(tile.is_full() && hashes.len() == 256);
                full[usize::from(tile.level())] += 1;
            });
        }
        edge.partial(|tile, hashes| {
            assert_eq!(hashes.len(), usize::from(tile.width()));
            partial.push((tile.level(), tile.index(), tile.width()));
        });
        assert_eq!(full, [273, 1, 0]);
        assert_eq!(partial, [(0, 273, 112), (1, 1, 17), (2, 0, 1)]);
        let mut edge = Edge::default();
        for n in 0..256u32 {
            edge.push(tree::leaf(&n.to_be_bytes()), |_, _| ());
        }
        edge.partial(|tile, _| assert_eq!(tile.to_string(), "tile/1/000.p/1"));
    }

    #[test]
    fn a_tree_of_any_size_has_a_tile_for_each_hash_and_none_beyond() {
        assert_eq!(Tile::of(0, 255, 256).unwrap().width(), 256);
        assert_eq!(Tile::of(0, 255, 257).unwrap().width(), 256);
        assert_eq!(Tile::of(0, 256, 257).unwrap().width(), 1);
        assert_eq!(Tile::of(0, 256, 256), Err(Check::LogTile.into()));
        assert_eq!(Tile::of(1, 0, 255), Err(Check::LogTile.into()));
        assert_eq!(Tile::of(7, 0, u64::MAX).unwrap().width(), 255);
        for (level, index, width) in [
            (7, 0, 256),
            (0, (1 << 56) - 1, 256),
            (7, 1, 1),
            (0, u64::MAX, 1),
            (8, 0, 1),
        ] {
            assert_eq!(Tile::new(level, index, width), Err(Check::LogTile.into()));
        }
        let top = vec![tree::empty(); 255];
        let edge = Edge::read(u64::MAX, |_| Ok::<_, Refused>(top.clone()));
        let mut edge = edge.unwrap();
        edge.partial(|tile, _| assert_eq!(tile.width(), 255));
        edge.push(tree::empty(), |_, _| panic!("no tile"));
        assert_eq!(edge.size(), u64::MAX);
        assert_eq!(Tile::of(8, 0, u64::MAX), Err(Check::LogTile.into()));
        assert_eq!(Tile::of(200, 0, u64::MAX), Err(Check::LogTile.into()));
    }

    #[test]
    fn chk_135_136_a_bundle_is_held_against_its_leaves() {
        let stream = StreamId::case(CaseId([3; 16]));
        let entries: Vec<Entry> = (0..3).map(|n| Entry::of(stream, n, LinkId([n as u8; 32]))).collect();
        let leaves: Vec<Hash> = entries.iter().map(Entry::leaf).collect();
        let bytes = bundle(&entries);
        assert_eq!(bytes.len(), 150);
        assert_eq!(read_bundle(&bytes, &leaves).unwrap(), entries);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let refused = read_bundle(&changed, &leaves).unwrap_err().check;
            let expected = if at % 50 < 2 { Check::LogEntry } else { Check::LogTile };
            assert_eq!(refused, expected, "{at}");
            assert!(read_bundle(&bytes[..at], &leaves).is_err(), "{at}");
        }
        assert_eq!(read_bundle(&bytes, &leaves[..2]), Err(Check::LogTile.into()));
    }
}
