//! Parcels: a link with everything that it names, as it goes between client and server (`docs/format.md` §18).
//!
//! ```text
//! Parcel (decoded) -> OpenParcel: the link rebuilt, each record and blob hashed and found to be the one that is named
//!                  -> a state judges it, signatures are checked -> stored
//! ```
//! Nothing here says that a link is valid: only that nothing in the parcel is other than what the link names, and that
//! nothing is missing and nothing too much.

use crate::access;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::crypto::sign::Signature;
use crate::crypto::sign::VerifyingKey;
use crate::epoch::WRAP_BYTES;
use crate::epoch::Wrap;
use crate::id::KeyringHash;
use crate::id::RecordHash;
use crate::id::WrapHash;
use crate::keyring::keyring_hash;
use crate::placing::StoredRecord;
use crate::record;
use crate::record::UnverifiedRecord;
use crate::record::record_hash;
use crate::stream::UnverifiedLink;
use crate::wire;
use crate::wire::v1::event::Event;
use crate::wire::v1::key::KeyringRef;
use crate::wire::v1::limit;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;
use crate::wire::v1::link::Placement;
use crate::wire::v1::record::RecordHeader;
use crate::wire::v1::sync::Blob;
use crate::wire::v1::sync::CarriedBody;
use crate::wire::v1::sync::CarriedRecord;
use crate::wire::v1::sync::KeptBody;
use crate::wire::v1::sync::Parcel;

/// A record of a parcel, its author's signature not yet checked.
#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "nearly all are kept ones")]
pub enum OpenRecord {
    /// Its bytes are there.
    Kept {
        /// The record.
        record: UnverifiedRecord,
        /// The wrap that the link signs.
        wrap: Wrap,
    },
    /// Its bytes were erased.
    Erased(ErasedRecord),
}

/// What is left of an erased record.
#[derive(Clone)]
pub struct ErasedRecord {
    /// Its header.
    pub header: RecordHeader,
    /// The author's signature.
    pub signature: Signature,
    /// Hashes of what is gone.
    pub body: wire::v1::sync::ErasedBody,
    /// Its hash.
    pub hash: RecordHash,
}

impl OpenRecord {
    fn open(carried: &CarriedRecord) -> Result<Self, Refused> {
        match &carried.body {
            CarriedBody::Kept(body) => {
                let record = UnverifiedRecord::new(carried.header.clone(), body.ciphertext.clone(), carried.signature)?;
                let wrap = Wrap(wrap_bytes(&body.wrap)?);
                Ok(Self::Kept { record, wrap })
            }
            CarriedBody::Erased(body) => {
                let hash = record_hash(&wire::encode(&carried.header)?, &body.ciphertext);
                Ok(Self::Erased(ErasedRecord {
                    header: carried.header.clone(),
                    signature: carried.signature,
                    body: *body,
                    hash,
                }))
            }
        }
    }

    /// Returns its header.
    pub fn header(&self) -> &RecordHeader {
        match self {
            Self::Kept { record, .. } => record.header(),
            Self::Erased(erased) => &erased.header,
        }
    }

    /// Returns what a state judges of it.
    pub fn stored(&self) -> StoredRecord<'_> {
        let (hash, wrap_hash) = self.hashes();
        let header = self.header();
        StoredRecord {
            header,
            hash,
            wrap_hash,
        }
    }

    /// Checks the author's signature.
    ///
    /// # Errors
    /// [`Check::RecordSignature`].
    pub fn verify_signature(&self, author: &VerifyingKey) -> Result<(), Refused> {
        match self {
            Self::Kept { record, .. } => record.verify_signature(author),
            Self::Erased(erased) => {
                let ErasedRecord {
                    header,
                    signature,
                    body,
                    ..
                } = erased;
                record::verify_erased(header, &body.ciphertext, signature, author)
            }
        }
    }

    fn hashes(&self) -> (RecordHash, WrapHash) {
        match self {
            Self::Kept { record, wrap } => (record.hash(), wrap.hash()),
            Self::Erased(erased) => (erased.hash, erased.body.wrap),
        }
    }
}

fn wrap_bytes(bytes: &[u8]) -> Result<[u8; WRAP_BYTES], Refused> {
    bytes.try_into().map_err(|_| Check::Parcel.into())
}

/// A parcel that holds what its link names, and nothing else; no signature is checked.
#[derive(Clone)]
pub struct OpenParcel {
    link: UnverifiedLink,
    records: Vec<OpenRecord>,
    blobs: Vec<Vec<u8>>,
}

impl OpenParcel {
    /// Compares a parcel with its link.
    ///
    /// # Errors
    /// [`Check::TooLong`], [`Check::NotCanonical`], [`Check::UnknownFormat`], [`Check::KindOfStream`] for the link;
    /// [`Check::CiphertextLength`] for a record; [`Check::Parcel`] for anything that the link does not name, or that is
    /// missing.
    pub fn open(parcel: Parcel) -> Result<Self, Refused> {
        let Parcel {
            link,
            signature,
            records,
            blobs,
        } = parcel;
        let link = UnverifiedLink::decode(&link, signature)?;
        let placements = placements(&link.link().body);
        require(placements.len() == records.len(), Check::Parcel)?;
        let records: Vec<_> = records.iter().map(OpenRecord::open).collect::<Result<_, _>>()?;
        for (placement, record) in placements.iter().zip(&records) {
            let named = (placement.record_hash, placement.wrap_hash);
            require(record.hashes() == named, Check::Parcel)?;
        }
        let blobs: Vec<_> = blobs.into_iter().map(|blob| blob.bytes).collect();
        require_blobs(&link.link().body, &blobs)?;
        Ok(Self { link, records, blobs })
    }

    /// Returns the records, placed or wrapped anew here, whose bytes are not here: an erasure of its stream has to name each.
    pub fn absent(&self) -> impl Iterator<Item = RecordHash> {
        absent(self.link.link(), &self.records, &self.blobs)
    }

    /// Returns the link.
    pub fn link(&self) -> &UnverifiedLink {
        &self.link
    }

    /// Returns the records that the link places, in its order.
    pub fn records(&self) -> &[OpenRecord] {
        &self.records
    }

    /// Returns what else the link names, in its order: keyring files, a segment's start, an entry's body and manifest,
    /// wraps.
    pub fn blobs(&self) -> &[Vec<u8>] {
        &self.blobs
    }

    /// Returns its parts.
    pub fn into_parts(self) -> (UnverifiedLink, Vec<OpenRecord>, Vec<Vec<u8>>) {
        (self.link, self.records, self.blobs)
    }
}

/// Returns the records that a link places or wraps anew, and whose bytes are not there.
pub fn absent(link: &Link, records: &[OpenRecord], blobs: &[Vec<u8>]) -> impl Iterator<Item = RecordHash> {
    let placed = records.iter().filter_map(|record| match record {
        OpenRecord::Erased(erased) => Some(erased.hash),
        OpenRecord::Kept { .. } => None,
    });
    let items = match &link.body {
        LinkBody::Rewrap(rewrap) => rewrap.items.as_slice(),
        _ => &[],
    };
    let wrapped = items.iter().zip(blobs).filter(|(_, blob)| blob.is_empty());
    placed.chain(wrapped.map(|(item, _)| item.record_hash))
}

/// Returns the records that a link erases.
pub fn erased(body: &LinkBody) -> &[RecordHash] {
    match body {
        LinkBody::Event(PlacedEvent {
            event: Event::Erasure(erasure),
            ..
        }) => &erasure.records,
        _ => &[],
    }
}

/// Makes the parcel of a link: of its records what is kept of each, of other bytes those that the link names.
///
/// # Errors
/// [`Check::Parcel`] for another number of records than the link places.
pub fn pack(link: &UnverifiedLink, records: Vec<CarriedRecord>, blobs: Vec<Vec<u8>>) -> Result<Parcel, Refused> {
    let parcel = Parcel {
        link: link.bytes().to_vec(),
        signature: *link.signature(),
        records,
        blobs: blobs.into_iter().map(|bytes| Blob { bytes }).collect(),
    };
    let placements = placements(&link.link().body);
    require(placements.len() == parcel.records.len(), Check::Parcel)?;
    Ok(parcel)
}

/// Returns a record as it goes.
pub fn carry(record: &UnverifiedRecord, wrap: &Wrap) -> CarriedRecord {
    CarriedRecord {
        header: record.header().clone(),
        signature: *record.signature(),
        body: CarriedBody::Kept(KeptBody {
            ciphertext: record.ciphertext().to_vec(),
            wrap: wrap.0.to_vec(),
        }),
    }
}

/// Returns the records that a link places.
pub fn placements(body: &LinkBody) -> &[Placement] {
    match body {
        LinkBody::Record(placement) => std::slice::from_ref(placement),
        LinkBody::Event(event) => &event.sealed,
        LinkBody::Rewrap(_) | LinkBody::Access(_) | LinkBody::Segment(_) => &[],
    }
}

/// Returns the keyring files that an event names, in its order.
pub fn keyrings(event: &Event) -> &[KeyringRef] {
    match event {
        Event::AgencyEpoch(epoch) => &epoch.keyrings,
        Event::DpoEpoch(epoch) => &epoch.keyrings,
        Event::CaseOpened(membership) | Event::Membership(membership) => &membership.keyrings,
        Event::Expired(expired) => &expired.membership.keyrings,
        Event::Root(_)
        | Event::Member(_)
        | Event::Device(_)
        | Event::MemberRetired(_)
        | Event::DeviceRetired(_)
        | Event::Recipient(_)
        | Event::Settings(_)
        | Event::RecoveryRun(_)
        | Event::Restored(_)
        | Event::Roles(_)
        | Event::Reset(_)
        | Event::Erasure(_)
        | Event::Complaint(_)
        | Event::Relation => &[],
    }
}

fn require_blobs(body: &LinkBody, blobs: &[Vec<u8>]) -> Result<(), Refused> {
    match body {
        LinkBody::Record(_) => require(blobs.is_empty(), Check::Parcel),
        LinkBody::Event(event) => {
            let named: Vec<_> = keyrings(&event.event).iter().map(|k| k.keyring_hash).collect();
            require_files(&named, blobs, limit::KEYRING)
        }
        LinkBody::Segment(segment) => require_files(&[segment.start_hash], blobs, limit::SEGMENT_START),
        LinkBody::Access(entry) => {
            let (body, manifest) = match blobs {
                [body] => (body, None),
                [body, manifest] => (body, Some(manifest.as_slice())),
                _ => return Err(Check::Parcel.into()),
            };
            require(access::require_parts(entry, body, manifest).is_ok(), Check::Parcel)
        }
        LinkBody::Rewrap(rewrap) => {
            require(rewrap.items.len() == blobs.len(), Check::Parcel)?;
            // An erasure takes the wraps that came later too.
            let kept = rewrap.items.iter().zip(blobs).filter(|(_, blob)| !blob.is_empty());
            for (item, blob) in kept {
                require(Wrap(wrap_bytes(blob)?).hash() == item.wrap_hash, Check::Parcel)?;
            }
            Ok(())
        }
    }
}

fn require_files(named: &[KeyringHash], files: &[Vec<u8>], longest: usize) -> Result<(), Refused> {
    require(named.len() == files.len(), Check::Parcel)?;
    for (named, file) in named.iter().zip(files) {
        require(file.len() <= longest, Check::TooLong)?;
        require(keyring_hash(file) == *named, Check::Parcel)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests;
