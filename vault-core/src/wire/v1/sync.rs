//! What goes between a client and a server: parcels, and the requests and answers that carry them.

use super::record::RecordHeader;
use super::stream::StreamId;
use crate::crypto::sign::Signature;
use crate::id::AgencyId;
use crate::id::CiphertextHash;
use crate::id::DeviceId;
use crate::id::LinkId;
use crate::id::WrapHash;
use tls_codec::DeserializeBytes;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// A record's bytes as they go.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum CarriedBody {
    /// Ciphertext and wrap.
    #[tls_codec(discriminant = 1)]
    Kept(KeptBody),
    /// What is left of an erased record.
    #[tls_codec(discriminant = 2)]
    Erased(ErasedBody),
}

/// Ciphertext and wrap.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct KeptBody {
    /// Ciphertext and tag.
    pub ciphertext: Vec<u8>,
    /// The wrap of the record key that the link signs, 48 bytes.
    pub wrap: Vec<u8>,
}

/// What is left of an erased record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct ErasedBody {
    /// What the record's signature is over.
    pub ciphertext: CiphertextHash,
    /// What the link's signature is over.
    pub wrap: WrapHash,
}

/// A record as it goes.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct CarriedRecord {
    /// Its header.
    pub header: RecordHeader,
    /// The author's signature.
    pub signature: Signature,
    /// Its bytes.
    pub body: CarriedBody,
}

/// Bytes that a link names by their hash.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Blob {
    /// The bytes; none of a wrap that was erased.
    pub bytes: Vec<u8>,
}

/// A link with everything that it names.
///
/// A link names each thing by 32 bytes of its own, and more things than that are refused while they are read: an empty blob
/// takes one byte on its way and many in memory (ATTACKS 31).
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize)]
pub struct Parcel {
    /// The link's signed bytes.
    pub link: Vec<u8>,
    /// Its signature.
    pub signature: Signature,
    /// A record link's record; an event's sealed parts, in its order.
    pub records: Vec<CarriedRecord>,
    /// Keyring files and a segment's start, in the order in which the link names them; an access entry's body and,
    /// where it has one, its manifest; a rewrap link's wraps, in its order.
    pub blobs: Vec<Blob>,
}

impl DeserializeBytes for Parcel {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), tls_codec::Error> {
        let (link, bytes) = Vec::<u8>::tls_deserialize_bytes(bytes)?;
        let (signature, bytes) = Signature::tls_deserialize_bytes(bytes)?;
        let most = link.len() / 32;
        let (records, bytes) = at_most(most, bytes)?;
        let (blobs, bytes) = at_most(most, bytes)?;
        let parcel = Self {
            link,
            signature,
            records,
            blobs,
        };
        Ok((parcel, bytes))
    }
}

/// Reads a vector of at most so many items.
fn at_most<T: DeserializeBytes>(most: usize, bytes: &[u8]) -> Result<(Vec<T>, &[u8]), tls_codec::Error> {
    let (content, rest) = Vec::<u8>::tls_deserialize_bytes(bytes)?;
    let (mut items, mut left) = (Vec::new(), content.as_slice());
    while !left.is_empty() {
        if items.len() == most {
            return Err(tls_codec::Error::InvalidVectorLength);
        }
        let (item, after) = T::tls_deserialize_bytes(left)?;
        items.push(item);
        left = after;
    }
    Ok((items, rest))
}

/// A parcel at its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct PlacedParcel {
    /// The index of the link's leaf.
    pub leaf: u64,
    /// The parcel.
    pub parcel: Parcel,
}

/// Asks for parcels to be appended, in their order.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct AppendRequest {
    /// The agency.
    pub agency: AgencyId,
    /// The parcels.
    pub parcels: Vec<Parcel>,
}

/// What became of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum Outcome {
    /// It is in the log, now or from before; the index of its leaf.
    #[tls_codec(discriminant = 1)]
    Stored(u64),
    /// Its stream, or the agency's, has got elsewhere: both heads.
    #[tls_codec(discriminant = 2)]
    Conflict(Heads),
    /// It fails a check, by its number.
    #[tls_codec(discriminant = 3)]
    Refused(u8),
    /// One before it was not stored.
    #[tls_codec(discriminant = 4)]
    NotTried,
}

/// Where a stream and the agency's have got to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Heads {
    /// How many links the stream has.
    pub links: u64,
    /// The stream's last link; zero where it has none.
    pub stream: LinkId,
    /// The agency stream's last link; zero where it has none.
    pub agency: LinkId,
}

/// Answers an append.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct AppendReply {
    /// One for each parcel.
    pub outcomes: Vec<Outcome>,
    /// A checkpoint with every stored one's leaf, as a note.
    pub checkpoint: Vec<u8>,
}

/// A stream that the asker may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct ListedStream {
    /// The stream.
    pub stream: StreamId,
    /// How many links it has.
    pub links: u64,
    /// The leaf of the last.
    pub last: u64,
}

/// Answers which streams have links from a leaf on.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct StreamList {
    /// By last leaf.
    pub streams: Vec<ListedStream>,
}

/// Answers with links of a stream.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct StreamPage {
    /// By sequence number.
    pub parcels: Vec<PlacedParcel>,
    /// 1 if the stream goes on, otherwise 0.
    pub more: u8,
}

/// What a device signs to begin a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct SessionStatement {
    /// The agency.
    pub agency: AgencyId,
    /// The server's log key for the agency.
    pub log: crate::crypto::sign::PublicKey,
    /// The device.
    pub device: DeviceId,
    /// What the server gave to be signed.
    pub challenge: [u8; 48],
}

/// Begins a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct SessionRequest {
    /// What is signed.
    pub statement: SessionStatement,
    /// By the device, or for one that a restore made by the identity key of the sole administrator.
    pub signature: Signature,
}
