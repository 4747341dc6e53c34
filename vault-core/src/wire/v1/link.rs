//! The link: places a record or an event in a stream.

use super::access::AccessEntry;
use super::access::AccessSegment;
use super::event::Event;
use super::stream::Epoch;
use super::stream::Month;
use super::stream::Section;
use super::stream::StreamId;
use crate::crypto::sign::Signature;
use crate::id::AgencyId;
use crate::id::DeviceId;
use crate::id::LinkId;
use crate::id::RecordHash;
use crate::id::WrapHash;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// The author's last verified checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Seen {
    /// Leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: [u8; 32],
    /// The log's signature.
    pub signature: Signature,
}

/// Commitment to a release half, by the log key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct ReleaseCommitment {
    /// Version of the release secret.
    pub version: u32,
    /// The commitment.
    pub commitment: [u8; 32],
    /// The log's signature.
    pub signature: [u8; 64],
}

/// Month of placing, and the release half that its section key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Release {
    /// The month.
    pub month: Month,
    /// Absent: none, the all-zero half.
    pub commitment: Option<ReleaseCommitment>,
}

/// Places a record under (section, epoch, month).
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Placement {
    /// The record.
    pub record_hash: RecordHash,
    /// Its section.
    pub section: Section,
    /// The epoch.
    pub epoch: Epoch,
    /// Month and release half.
    pub release: Release,
    /// The wrap of its key.
    pub wrap_hash: WrapHash,
}

/// An event with its sealed parts.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct PlacedEvent {
    /// The clear part.
    pub event: Event,
    /// At most 4 records.
    pub sealed: Vec<Placement>,
}

/// A record's newer wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Rewrapped {
    /// The record.
    pub record_hash: RecordHash,
    /// Its wrap under the history epoch.
    pub wrap_hash: WrapHash,
}

/// New wraps under a history epoch.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Rewrap {
    /// The section.
    pub section: Section,
    /// The history epoch.
    pub epoch: Epoch,
    /// Month and release half.
    pub release: Release,
    /// The records; a set.
    pub items: Vec<Rewrapped>,
}

/// What a link places.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
#[allow(clippy::large_enum_variant, reason = "events are few, and decoded one at a time")]
pub enum LinkBody {
    /// A record.
    #[tls_codec(discriminant = 1)]
    Record(Placement),
    /// An event.
    #[tls_codec(discriminant = 2)]
    Event(PlacedEvent),
    /// New wraps.
    #[tls_codec(discriminant = 3)]
    Rewrap(Rewrap),
    /// An access entry.
    #[tls_codec(discriminant = 4)]
    Access(AccessEntry),
    /// A segment of an access stream begins.
    #[tls_codec(discriminant = 5)]
    Segment(AccessSegment),
}

/// A link's signed bytes.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Link {
    /// Format version.
    pub format: u16,
    /// The agency.
    pub agency: AgencyId,
    /// The stream.
    pub stream: StreamId,
    /// Dense from 0.
    pub seq: u64,
    /// The link before; zero at 0.
    pub previous: LinkId,
    /// The agency stream's head that it was made against.
    pub agency_head: LinkId,
    /// The author's last verified checkpoint.
    pub seen: Option<Seen>,
    /// Who signs.
    pub device: DeviceId,
    /// What it places.
    pub body: LinkBody,
}
