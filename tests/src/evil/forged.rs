//! A log of the attacker's own making, signed with the agency's log key, which a server has.
//!
//! Checkpoint, tiles and entries all go together: only a client that remembers, or that knows what it sent, notices.

use vault_core::crypto::sign::PublicKey;
use vault_core::crypto::sign::SigningKey;
use vault_core::id::AgencyId;
use vault_core::id::LinkId;
use vault_core::tlog::checkpoint;
use vault_core::tlog::checkpoint::Checkpoint;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::entry::Tag;
use vault_core::tlog::tile;
use vault_core::tlog::tile::Tile;
use vault_core::tlog::tree;
use vault_core::tlog::tree::Hash;

/// A log as the attacker shows it.
pub struct ForgedLog {
    agency: AgencyId,
    key: SigningKey,
    /// Its entries.
    pub entries: Vec<Entry>,
}

impl ForgedLog {
    /// Begins with entries.
    pub fn new(agency: AgencyId, key: SigningKey, entries: Vec<Entry>) -> Self {
        Self { agency, key, entries }
    }

    /// Returns how many leaves it has.
    pub fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Signs the tree that there is.
    pub fn checkpoint(&self) -> Vec<u8> {
        let hashes: Vec<Hash> = self.entries.iter().map(Entry::leaf).collect();
        self.signed(self.size(), tree::root(&hashes))
    }

    /// Signs it with another key than the log's, under the name of the log's.
    pub fn checkpoint_by(&self, key: &SigningKey, named: &PublicKey) -> Vec<u8> {
        let hashes: Vec<Hash> = self.entries.iter().map(Entry::leaf).collect();
        self.note(self.size(), tree::root(&hashes), key, named)
    }

    /// Signs a size and a root, whatever tree there is.
    pub fn signed(&self, size: u64, root: Hash) -> Vec<u8> {
        self.note(size, root, &self.key, &self.key.public())
    }

    fn note(&self, size: u64, root: Hash, key: &SigningKey, named: &PublicKey) -> Vec<u8> {
        let checkpoint = Checkpoint {
            agency: self.agency,
            size,
            root,
        };
        let note = checkpoint::write(&checkpoint, &checkpoint.sign(key), named, &[]);
        note.expect("an agency's name is one for notes").into_bytes()
    }

    /// Returns a tile's bytes, where the tree has it.
    pub fn tile(&self, tile: Tile) -> Option<Vec<u8>> {
        let span = 1_usize.checked_shl(8 * u32::from(tile.level()))?;
        let first = usize::try_from(tile.index()).ok()?.checked_mul(256)?;
        let mut bytes = Vec::new();
        for at in first..first + usize::from(tile.width()) {
            let leaves = self.entries.get(at * span..(at + 1) * span)?;
            let hashes: Vec<Hash> = leaves.iter().map(Entry::leaf).collect();
            bytes.extend_from_slice(&tree::root(&hashes).0);
        }
        Some(bytes)
    }

    /// Returns the bundle of a tile's entries, where the tree has it.
    pub fn bundle(&self, of: Tile) -> Option<Vec<u8>> {
        let first = usize::try_from(of.index()).ok()?.checked_mul(256)?;
        let entries = self.entries.get(first..first + usize::from(of.width()))?;
        Some(tile::bundle(entries))
    }
}

/// Returns an entry that is of no stream that anybody knows.
pub fn stranger(number: u8) -> Entry {
    Entry {
        tag: Tag([number; 16]),
        link: LinkId([number; 32]),
    }
}
