//! The local index: from an external id to a commit position, without the id or the content in the file.

use crate::context::Label;
use crate::crypto::aead::part;
use crate::crypto::hash::mac;
use crate::secret::LocalIndexKey;
use subtle::ConstantTimeEq;

/// Bytes of an entry's key, and of its content tag.
pub const ENTRY_BYTES: usize = 16;

/// The key of an index entry: says nothing of the external id to who has not the index key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryKey(pub [u8; ENTRY_BYTES]);

impl EntryKey {
    /// Makes the key of `external`, an id of `kind` (which holds no NUL).
    pub fn new(key: &LocalIndexKey, kind: &str, external: &str) -> Self {
        let parts: [&[u8]; 3] = [kind.as_bytes(), &[0], external.as_bytes()];
        Self(part(&mac(Label::IndexEntry, key.expose(), &parts), 0))
    }
}

/// Tells whether an imported line is the one that was imported before.
#[derive(Clone, Copy, Debug, Eq)]
pub struct ContentTag(pub [u8; ENTRY_BYTES]);

impl ContentTag {
    /// Makes the tag of a line in canonical JSON.
    pub fn new(key: &LocalIndexKey, line: &[u8]) -> Self {
        Self(part(&mac(Label::IndexContent, key.expose(), &[line]), 0))
    }
}

impl PartialEq for ContentTag {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_id_do_not_run_together_and_the_key_counts() {
        let key = LocalIndexKey::from_bytes([1; 32]);
        let entry = EntryKey::new(&key, "note", "1");
        assert_eq!(entry, EntryKey::new(&key, "note", "1"));
        assert_ne!(entry, EntryKey::new(&key, "not", "e1"));
        assert_ne!(entry, EntryKey::new(&key, "case", "1"));
        assert_ne!(entry, EntryKey::new(&LocalIndexKey::from_bytes([2; 32]), "note", "1"));
    }

    #[test]
    fn a_content_tag_tells_lines_apart() {
        let key = LocalIndexKey::from_bytes([1; 32]);
        assert_eq!(ContentTag::new(&key, b"{}"), ContentTag::new(&key, b"{}"));
        assert_ne!(ContentTag::new(&key, b"{}"), ContentTag::new(&key, b"{ }"));
    }
}
