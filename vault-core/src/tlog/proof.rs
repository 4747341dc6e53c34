//! Roots and proofs, computed from tiles (RFC 6962 §2.1.1 and §2.1.2).
//!
//! `tiles` gives the hashes of a tile that is asked for. Nothing is believed of what it gives: a server's tiles are its
//! own, and a client compares the root, or verifies the proof, under a checkpoint. A proof asks for each tile once and
//! keeps it until it is made: at most two tiles of each of the eight levels, 128 KiB.

use super::tile::HEIGHT;
use super::tile::Tile;
use super::tree;
use super::tree::Hash;
use super::tree::split;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;

/// Tiles that a proof asked for already.
struct Once<'t, F> {
    tiles: &'t mut F,
    kept: Vec<(Tile, Vec<Hash>)>,
}

impl<'t, E: From<Refused>, F: FnMut(Tile) -> Result<Vec<Hash>, E>> Once<'t, F> {
    fn new(tiles: &'t mut F) -> Self {
        Self {
            tiles,
            kept: Vec::new(),
        }
    }

    /// Computes the root of `count` hashes of a tile, from the hash number `first` of it on.
    fn root(&mut self, tile: Tile, first: usize, count: usize) -> Result<Hash, E> {
        let part = |hashes: &[Hash]| {
            let part = hashes.get(first..first.saturating_add(count));
            Ok(tree::root(part.ok_or(Refused::by(Check::LogTile))?))
        };
        if let Some((_, hashes)) = self.kept.iter().find(|(kept, _)| *kept == tile) {
            return part(hashes);
        }
        let hashes = (self.tiles)(tile)?;
        let root = part(&hashes);
        self.kept.push((tile, hashes));
        root
    }
}

/// Computes the root of the tree of `size` leaves.
///
/// # Errors
/// What `tiles` refuses; [`Check::LogTile`] where it gives too few hashes.
pub fn root<E: From<Refused>>(size: u64, tiles: &mut impl FnMut(Tile) -> Result<Vec<Hash>, E>) -> Result<Hash, E> {
    match size {
        0 => Ok(tree::empty()),
        _ => range(0, size, size, &mut Once::new(tiles)),
    }
}

/// Computes the path that proves that leaf `index` is in the tree of `size` leaves, its sibling first.
///
/// # Errors
/// [`Check::LogInclusion`] where the tree has no such leaf; as [`root`].
pub fn inclusion<E: From<Refused>>(
    index: u64,
    size: u64,
    tiles: &mut impl FnMut(Tile) -> Result<Vec<Hash>, E>,
) -> Result<Vec<Hash>, E> {
    require(index < size, Check::LogInclusion)?;
    let (mut from, mut to, mut path) = (0, size, Vec::new());
    let tiles = &mut Once::new(tiles);
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            path.push(range(middle, to, size, tiles)?);
            to = middle;
        } else {
            path.push(range(from, middle, size, tiles)?);
            from = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// Computes the path that proves that the tree of `old` leaves is the beginning of the tree of `new` leaves.
///
/// # Errors
/// [`Check::LogConsistency`] where it is longer; as [`root`].
pub fn consistency<E: From<Refused>>(
    old: u64,
    new: u64,
    tiles: &mut impl FnMut(Tile) -> Result<Vec<Hash>, E>,
) -> Result<Vec<Hash>, E> {
    require(old <= new, Check::LogConsistency)?;
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut from, mut to, mut path) = (0, new, Vec::new());
    let tiles = &mut Once::new(tiles);
    // Until what is left is a whole subtree at the end of the old tree.
    while to != old {
        let middle = from + split(to - from);
        if old <= middle {
            path.push(range(middle, to, new, tiles)?);
            to = middle;
        } else {
            path.push(range(from, middle, new, tiles)?);
            from = middle;
        }
    }
    if from > 0 {
        path.push(range(from, to, new, tiles)?);
    }
    path.reverse();
    Ok(path)
}

/// Computes the hash over leaves `from` to before `to`, a subtree as the tree of `size` leaves has it.
fn range<E: From<Refused>>(
    from: u64,
    to: u64,
    size: u64,
    tiles: &mut Once<'_, impl FnMut(Tile) -> Result<Vec<Hash>, E>>,
) -> Result<Hash, E> {
    let leaves = to - from;
    if !leaves.is_power_of_two() {
        let middle = from + split(leaves);
        let left = range(from, middle, size, tiles)?;
        return Ok(tree::node(&left, &range(middle, to, size, tiles)?));
    }
    // A full subtree: its hash is over hashes that stand in one tile.
    let height = leaves.trailing_zeros();
    let level = height / HEIGHT;
    let (at, count) = (from >> (HEIGHT * level), 1usize << (height % HEIGHT));
    let tile = Tile::of(u8::try_from(level).map_err(|_| Refused::by(Check::LogTile))?, at, size)?;
    let first = usize::try_from(at % super::tile::WIDTH).unwrap_or(usize::MAX);
    tiles.root(tile, first, count)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::super::tile::Edge;
    use super::*;
    use crate::forge::guard;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use tree::require_consistent;
    use tree::require_included;

    /// A log as a server keeps it: the tiles of each size that it had a checkpoint of.
    struct Log {
        leaves: Vec<Hash>,
        tiles: HashMap<Tile, Vec<Hash>>,
    }

    impl Log {
        fn of(size: u64) -> Self {
            let (mut edge, mut tiles) = (Edge::default(), HashMap::new());
            let leaves: Vec<Hash> = (0..size).map(|n| tree::leaf(&n.to_be_bytes())).collect();
            for leaf in &leaves {
                edge.push(*leaf, |tile, hashes| {
                    assert!(tiles.insert(tile, hashes.to_vec()).is_none());
                });
            }
            edge.partial(|tile, hashes| drop(tiles.insert(tile, hashes.to_vec())));
            assert_eq!(edge.root(), tree::root(&leaves));
            assert_eq!(edge.size(), size);
            let again = Edge::read(size, |tile| Ok::<_, Refused>(tiles[&tile].clone())).unwrap();
            assert_eq!(again, edge);
            Self { leaves, tiles }
        }

        fn read(&self) -> impl FnMut(Tile) -> Result<Vec<Hash>, Refused> + '_ {
            |tile| {
                // A wider tile than the tree's begins with the same hashes.
                self.tiles.get(&tile).cloned().ok_or(Check::LogTile.into())
            }
        }

        fn root(&self, size: u64) -> Hash {
            tree::root(&self.leaves[..size as usize])
        }
    }

    fn sizes() -> impl Strategy<Value = u64> {
        prop_oneof![1..=70u64, 250..=260u64, 511..=514u64, 65_530..=65_545u64, 1..70_000u64]
    }

    /// Changes one hash of a path, leaves one out, doubles one, or adds one.
    fn spoilt(path: &[Hash], at: usize, how: u8) -> Vec<Hash> {
        let mut path = path.to_vec();
        let at = at % path.len().max(1);
        match how {
            0 if !path.is_empty() => path[at].0[at % 32] ^= 1,
            1 if !path.is_empty() => drop(path.remove(at)),
            2 if !path.is_empty() => path.insert(at, path[at]),
            _ => path.push(Hash([7; 32])),
        }
        path
    }

    #[test]
    fn every_leaf_of_small_trees_is_proved_and_every_growth_is() {
        for size in 1..=70 {
            let log = Log::of(size);
            for index in 0..size {
                let path = inclusion(index, size, &mut log.read()).unwrap();
                require_included(index, size, log.leaves[index as usize], &path, &log.root(size)).unwrap();
            }
            for old in 0..=size {
                let path = consistency(old, size, &mut log.read()).unwrap();
                require_consistent(old, &log.root(old), size, &log.root(size), &path).unwrap();
            }
        }
    }

    type Asking<'a> = &'a mut dyn FnMut(Tile) -> Result<Vec<Hash>, Refused>;

    /// Counts what is asked for while a proof in a tree of `size` leaves is made; every tile is filled with zeros.
    fn asked<T>(size: u64, make: impl FnOnce(Asking<'_>) -> Result<T, Refused>) -> usize {
        let mut asked = Vec::new();
        make(&mut |tile: Tile| {
            assert!(!asked.contains(&tile), "{tile} of {size} leaves again");
            asked.push(tile);
            Ok(vec![Hash([0; 32]); usize::from(tile.width())])
        })
        .unwrap();
        asked.len()
    }

    proptest! {
        /// Also in trees of any size that leaves are counted in.
        #[test]
        fn a_proof_asks_for_a_tile_at_most_once(
            size in prop_oneof![sizes(), 1..u64::MAX], index in any::<u64>(), old in any::<u64>(),
        ) {
            let (index, old) = (index % size, old % size);
            let levels = usize::from(1 + (63 - size.leading_zeros() as u8) / 8);
            prop_assert!(asked(size, |mut tiles| root(size, &mut tiles)) <= levels);
            prop_assert!(asked(size, |mut tiles| inclusion(index, size, &mut tiles)) <= 2 * levels);
            prop_assert!(asked(size, |mut tiles| consistency(old, size, &mut tiles)) <= 2 * levels);
        }
    }

    #[test]
    fn a_proof_of_a_large_tree_asks_for_as_many_tiles_as_its_levels_have() {
        // 1,000,000 leaves: three levels, at each of which the leaf's own tile and the edge's are others.
        let size = 1_000_000;
        assert_eq!(asked(size, |mut tiles| root(size, &mut tiles)), 3);
        assert_eq!(asked(size, |mut tiles| inclusion(123_456, size, &mut tiles)), 5);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Over several levels of tiles; and no proof holds for another leaf, place, size, root or path.
        #[test]
        fn chk_137_138_proofs_hold_for_what_they_were_made_for_and_for_nothing_else(
            size in sizes(), index in any::<u64>(), old in any::<u64>(), at in any::<usize>(), how in 0..4u8,
        ) {
            let log = Log::of(size);
            let (index, old) = (index % size, 1 + old % size);
            let whole = root(size, &mut log.read()).unwrap();
            prop_assert_eq!(whole, log.root(size));

            let leaf = log.leaves[index as usize];
            let path = inclusion(index, size, &mut log.read()).unwrap();
            require_included(index, size, leaf, &path, &whole).unwrap();
            let refused = Err(Refused::by(Check::LogInclusion));
            prop_assert_eq!(require_included(index, size, leaf, &spoilt(&path, at, how), &whole), refused);
            prop_assert_eq!(require_included(index, size, Hash([0; 32]), &path, &whole), refused);
            prop_assert_eq!(require_included(index, size, leaf, &path, &Hash([0; 32])), refused);
            prop_assert_eq!(require_included(size, size, leaf, &path, &whole), refused);
            if size > 1 {
                prop_assert_eq!(require_included((index + 1) % size, size, leaf, &path, &whole), refused);
            }

            let path = consistency(old, size, &mut log.read()).unwrap();
            let before = log.root(old);
            require_consistent(old, &before, size, &whole, &path).unwrap();
            let refused = Err(Refused::by(Check::LogConsistency));
            prop_assert_eq!(require_consistent(old, &before, size, &whole, &spoilt(&path, at, how)), refused);
            prop_assert_eq!(require_consistent(old, &Hash([0; 32]), size, &whole, &path), refused);
            prop_assert_eq!(require_consistent(old, &before, size, &Hash([0; 32]), &path), refused);
            let nothing = tree::empty();
            require_consistent(0, &nothing, size, &whole, &[]).unwrap();
            prop_assert_eq!(require_consistent(0, &whole, size, &whole, &[]), refused);
            prop_assert_eq!(require_consistent(0, &nothing, 0, &whole, &[]), refused);
            prop_assert_eq!(require_consistent(0, &nothing, size, &whole, &path[..path.len().min(1)]).is_ok(), path.is_empty());
            if old < size {
                prop_assert_eq!(require_consistent(size, &whole, old, &before, &path), refused);
            }
        }

        /// What a tile is changed to, the root of the tree is another.
        #[test]
        fn a_changed_tile_is_another_root(size in sizes(), which in any::<usize>(), bit in 0..8u8) {
            let mut log = Log::of(size);
            let mut level_0: Vec<Tile> = log.tiles.keys().copied().filter(|tile| tile.level() == 0).collect();
            level_0.sort();
            let last = *level_0.last().unwrap();
            let before = root(size, &mut log.read()).unwrap();
            let hashes = log.tiles.get_mut(&last).unwrap();
            let at = which % hashes.len();
            hashes[at].0[which % 32] ^= 1 << bit;
            // A full tile's hashes are not read again: its hash stands in the tile above.
            let after = root(size, &mut log.read()).unwrap();
            prop_assert_eq!(after != before, !last.is_full());
        }
    }

    #[test]
    fn with_the_guard_taken_out_a_leaf_that_is_not_there_is_believed() {
        let log = Log::of(5);
        let path = inclusion(3, 5, &mut log.read()).unwrap();
        let planted = tree::leaf(b"planted");
        require_included(3, 5, planted, &path, &log.root(5)).unwrap_err();
        guard::without(Check::LogInclusion, || {
            require_included(3, 5, planted, &path, &log.root(5)).unwrap();
        });
        let (fork, path) = (Log::of(4), consistency(4, 5, &mut log.read()).unwrap());
        let other = Hash([1; 32]);
        require_consistent(4, &other, 5, &log.root(5), &path).unwrap_err();
        assert_eq!(fork.root(4), log.root(4));
        guard::without(Check::LogConsistency, || {
            require_consistent(4, &other, 5, &log.root(5), &path).unwrap();
        });
    }
}
