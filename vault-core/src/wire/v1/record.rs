//! The record's header: the associated data of its seal.

use super::stream::Section;
use super::stream::StreamId;
use crate::id::AgencyId;
use crate::id::DeviceId;
use crate::id::MemberId;
use crate::id::RecordHash;
use crate::id::RecordId;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum RecordClass {
    /// A note, or its part in one section.
    Note = 1,
    /// Profile, label, settings: what administers a case or the agency.
    Admin = 2,
    /// A reflection, in a private section.
    Private = 3,
    /// An attachment.
    Attachment = 4,
}

/// A record's header, 174 bytes.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct RecordHeader {
    /// Format version.
    pub format: u16,
    /// The agency.
    pub agency: AgencyId,
    /// The stream that it belongs to.
    pub stream: StreamId,
    /// Its section.
    pub section: Section,
    /// Its id, the same in all versions.
    pub record: RecordId,
    /// Its version, from 1.
    pub version: u32,
    /// The version amended; zero in version 1.
    pub amends: RecordHash,
    /// The author.
    pub member: MemberId,
    /// The author's device.
    pub device: DeviceId,
    /// What it is.
    pub class: RecordClass,
    /// Bytes of padded plaintext.
    pub padded_length: u32,
    /// Commitment to the record key.
    pub commitment: [u8; 32],
}

/// Bytes of an encoded [`RecordHeader`].
pub const HEADER_BYTES: usize = 174;
