//! What a store hands back of a link, and how records and blobs go into a parcel.

use vault_core::epoch::{WRAP_BYTES, Wrap};
use vault_core::id::{RecordHash, WrapHash};
use vault_core::placing::StoredRecord;
use vault_core::stream::UnverifiedLink;
use vault_core::wire::v1::record::{HEADER_BYTES, RecordHeader};
use vault_core::wire::v1::sync::{CarriedBody, Parcel};

use super::{StoreError, Which};

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

/// A list of what changed since a leaf so near the end is made from the links themselves.
pub(super) const NEAR: u64 = 4096;

/// Bytes of a parcel beside its link, records and other bytes, about.
pub(super) const PARCEL_BYTES: usize = 256;

/// About how long a parcel is when encoded.
pub(super) fn weight(parcel: &Parcel) -> usize {
    let records = parcel.records.iter().map(|record| match &record.body {
        CarriedBody::Kept(body) => body.ciphertext.len() + body.wrap.len() + HEADER_BYTES,
        CarriedBody::Erased(_) => HEADER_BYTES,
    });
    let blobs = parcel.blobs.iter().map(|blob| blob.bytes.len());
    parcel.link.len() + records.sum::<usize>() + blobs.sum::<usize>() + PARCEL_BYTES
}

/// Reads the links that are asked for: of events alone, the last link whatever it is comes with them.
pub(super) fn with_last<L>(
    which: Which,
    rows: impl Fn(Which) -> Result<Vec<(i64, L)>, StoreError>,
) -> Result<Vec<(i64, L)>, StoreError> {
    let mut links = rows(which)?;
    if which == Which::Events {
        let seen = links.last().map(|(no, _)| *no);
        links.extend(rows(Which::Last)?.into_iter().filter(|(no, _)| Some(*no) != seen));
    }
    Ok(links)
}

/// Returns the hash of a stored wrap.
pub(super) fn wrap_hash(wrap: &[u8]) -> Result<WrapHash, StoreError> {
    let bytes: [u8; WRAP_BYTES] = wrap
        .try_into()
        .map_err(|_| StoreError::Damaged("a wrap of another length"))?;
    Ok(Wrap(bytes).hash())
}
