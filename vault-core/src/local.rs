//! What a store keeps for itself alone, keyed from the store key (`docs/format.md` §12).
//!
//! Heads say how far each stream and the store as a whole had got, so that a shortened or swapped file is noticed;
//! sealed values hold what is nobody else's (drafts, ratchet state); the index finds an external id without opening
//! anything. None of it ever leaves the device.
//!
//! ```text
//! store key -> head key  -> MAC of each stream's head, MAC of the store's head over the commit order
//!           -> state key -> sealed values
//!           -> index key -> keys and content tags of the local index
//! ```

pub mod head;
pub mod index;
pub mod value;

use crate::context::Label;
use crate::crypto::hash::derive;
use crate::secret::LocalHeadKey;
use crate::secret::LocalIndexKey;
use crate::secret::LocalStateKey;
use crate::secret::StoreKey;

/// The keys of a store, one a purpose.
#[derive(Debug)]
pub struct LocalKeys {
    /// Authenticates stream and store heads.
    pub heads: LocalHeadKey,
    /// Keys the local index.
    pub index: LocalIndexKey,
    /// Seals local values.
    pub state: LocalStateKey,
}

impl LocalKeys {
    /// Derives them.
    pub fn derive(key: &StoreKey) -> Self {
        Self {
            heads: LocalHeadKey::from_bytes(*derive(Label::LocalHeadKey, key.expose(), &[])),
            index: LocalIndexKey::from_bytes(*derive(Label::LocalIndexKey, key.expose(), &[])),
            state: LocalStateKey::from_bytes(*derive(Label::LocalStateKey, key.expose(), &[])),
        }
    }
}
