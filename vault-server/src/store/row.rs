//! What a store hands back of a link, and how records and blobs go into a parcel.

use vault_core::id::{RecordHash, WrapHash};
use vault_core::placing::StoredRecord;
use vault_core::stream::UnverifiedLink;
use vault_core::wire::v1::record::RecordHeader;

/// A link as it was stored.
#[derive(Debug)]
pub struct StoredLink {
    /// The index of its leaf.
    pub leaf: u64,
    /// The link, rebuilt.
    pub link: UnverifiedLink,
    /// The records that it places, in its order.
    pub parts: Vec<Part>,
}

/// What a state judges of a record.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its header.
    pub header: RecordHeader,
    /// Its hash.
    pub hash: RecordHash,
    /// The hash of the wrap that the link signs.
    pub wrap_hash: WrapHash,
}

impl StoredLink {
    /// Returns its records as a state takes them.
    pub fn stored(&self) -> Vec<StoredRecord<'_>> {
        let part = |part: &Part| (part.hash, part.wrap_hash);
        self.parts
            .iter()
            .map(|one| {
                let (hash, wrap_hash) = part(one);
                StoredRecord {
                    header: &one.header,
                    hash,
                    wrap_hash,
                }
            })
            .collect()
    }
}
