//! Hashes and proofs of the Merkle tree (RFC 6962 §2.1, verified as RFC 9162 §2.1.3.2 and §2.1.4.2 say).
//!
//! A leaf's and a node's hash begin with 0x00 and 0x01, as the RFC has it, and with no label of ours: labelled hashes begin
//! with a label's length, which is neither.

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use sha2::Digest;
use sha2::Sha256;

/// A hash of the tree, 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

/// Returns the root of the tree without leaves.
pub fn empty() -> Hash {
    Hash(Sha256::digest([]).into())
}

/// Returns a leaf's hash.
pub fn leaf(entry: &[u8]) -> Hash {
    Hash(Sha256::new_with_prefix([0]).chain_update(entry).finalize().into())
}

/// Returns the hash of the node above two.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let state = Sha256::new_with_prefix([1]);
    Hash(state.chain_update(left.0).chain_update(right.0).finalize().into())
}

/// Returns the root over leaf hashes, or over the roots of subtrees that are equally high and full.
pub fn root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => empty(),
        [only] => *only,
        more => {
            let (left, right) = more.split_at(split(more.len() as u64) as usize);
            node(&root(left), &root(right))
        }
    }
}

/// Returns the largest power of two below `size`, which is at least 2.
pub(super) const fn split(size: u64) -> u64 {
    1 << (63 - size.saturating_sub(1).leading_zeros())
}

/// Verifies that `leaf` is number `index` of the tree of `size` leaves with this root.
///
/// # Errors
/// [`Check::LogInclusion`].
pub fn require_included(index: u64, size: u64, leaf: Hash, path: &[Hash], root: &Hash) -> Result<(), Refused> {
    require(index < size, Check::LogInclusion)?;
    let (mut place, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        require(last > 0, Check::LogInclusion)?;
        if place & 1 == 1 || place == last {
            hash = node(sibling, &hash);
            while place & 1 == 0 && place > 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            hash = node(&hash, sibling);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    require(last == 0 && hash == *root, Check::LogInclusion)
}

/// Verifies that the tree of `old` leaves is the beginning of the tree of `new` leaves.
///
/// # Errors
/// [`Check::LogConsistency`]; a tree that shrank among it.
pub fn require_consistent(old: u64, old_root: &Hash, new: u64, new_root: &Hash, path: &[Hash]) -> Result<(), Refused> {
    let inconsistent = Check::LogConsistency;
    require(old <= new && path.len() <= 64, inconsistent)?;
    if old == new {
        return require(old_root == new_root && path.is_empty(), inconsistent);
    }
    if old == 0 {
        return require(*old_root == empty() && path.is_empty(), inconsistent);
    }
    // Where the old tree is full, its root is the first hash of the path and is left out.
    let whole = [*old_root];
    let (first, rest) = match old.is_power_of_two() {
        true => (&whole[0], path),
        false => path.split_first().ok_or(inconsistent)?,
    };
    let (mut place, mut last) = (old - 1, new - 1);
    while place & 1 == 1 {
        (place, last) = (place >> 1, last >> 1);
    }
    let (mut before, mut after) = (*first, *first);
    for hash in rest {
        require(last > 0, inconsistent)?;
        if place & 1 == 1 || place == last {
            (before, after) = (node(hash, &before), node(hash, &after));
            while place & 1 == 0 && place > 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            after = node(&after, hash);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    require(last == 0 && before == *old_root && after == *new_root, inconsistent)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    /// The eight leaves and their roots that implementations of RFC 6962 compare themselves with.
    const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn roots_are_those_of_the_published_vectors() {
        let leaves: Vec<Hash> = LEAVES
            .map(|text| leaf(&HEXLOWER.decode(text.as_bytes()).unwrap()))
            .into();
        for (size, expected) in (1..).zip(ROOTS) {
            assert_eq!(HEXLOWER.encode(&root(&leaves[..size]).0), expected, "{size}");
        }
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(HEXLOWER.encode(&root(&[]).0), nothing);
        assert_eq!(root(&[]), empty());
    }
}
