//! Access entries: who opened what, sealed to the data-protection role.

use super::stream::StreamId;
use crate::id::AgencyId;
use crate::id::BodyHash;
use crate::id::DeviceId;
use crate::id::KeyringHash;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum AccessOperation {
    /// One record or a few opened.
    Open = 1,
    /// A list with contents shown.
    List = 2,
    /// A search begun.
    Search = 3,
    /// What a search found, before it is shown.
    Hits = 4,
    /// Printed.
    Print = 5,
    /// Exported.
    Export = 6,
    /// Disclosed to a third party.
    Disclosure = 7,
    /// Granted.
    Grant = 8,
    /// Emergency access.
    Emergency = 9,
    /// Refused.
    Denial = 10,
    /// Unlocked.
    Unlock = 11,
    /// One's own caseload listed.
    Overview = 12,
    /// Everything opened to verify it, nothing shown.
    Verify = 13,
    /// A first write in a month.
    Write = 14,
    /// Versions of a record shown.
    History = 15,
}

/// Begins a segment of an access stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct AccessSegment {
    /// Number, from 0.
    pub segment: u32,
    /// The role epoch that it is sealed to.
    pub dpo_epoch: u32,
    /// Hash of the age file with S0.
    pub start_hash: KeyringHash,
}

/// The outer part of an access entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct AccessEntry {
    /// Its segment.
    pub segment: u32,
    /// Its index in the segment, from 0.
    pub index: u32,
    /// What was done.
    pub operation: AccessOperation,
    /// The stream concerned.
    pub subject: Option<StreamId>,
    /// Hash of the release list; zero for none.
    pub release_hash: BodyHash,
    /// Hash of the sealed body.
    pub body_hash: BodyHash,
    /// Hash of the sealed manifest; zero for none.
    pub manifest_hash: BodyHash,
}

/// The plaintext of a segment's age file.
#[derive(TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct SegmentStart {
    /// Format version.
    pub format: u16,
    /// The agency.
    pub agency: AgencyId,
    /// Whose access stream.
    pub device: DeviceId,
    /// Its number.
    pub segment: u32,
    /// The first ratchet state.
    pub s0: [u8; 32],
}

impl Drop for SegmentStart {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.s0);
    }
}
