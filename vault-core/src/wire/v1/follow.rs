//! Where a reader of an agency's log has got to.

use super::link::Seen;
use crate::crypto::sign::PublicKey;
use crate::id::AgencyId;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// The hashes of the last tile of a level, where it is not full.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct EdgeRow {
    /// The level, from 0.
    pub level: u8,
    /// 1 to 255 hashes.
    pub hashes: Vec<[u8; 32]>,
}

/// The last checkpoint that was verified, and the right edge of its tree.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct LogPosition {
    /// Format version.
    pub format: u16,
    /// The checkpoint; absent before the first.
    pub seen: Option<Seen>,
    /// By level; rows that are empty are left out.
    pub edge: Vec<EdgeRow>,
}

/// What a witness keeps of a log: the last checkpoint that it cosigned, or is about to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct WitnessPosition {
    /// Format version.
    pub format: u16,
    /// Whose log it is.
    pub agency: AgencyId,
    /// The log's key.
    pub log: PublicKey,
    /// The checkpoint, with the log's signature.
    pub seen: Seen,
}

/// A checkpoint that witnesses cosigned.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct CosignedNote {
    /// The log's signature, and at least one cosignature.
    pub note: Vec<u8>,
}

/// Answers what witnesses cosigned: the newest of each.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct CosignedNotes {
    /// One note a checkpoint, the smallest tree first.
    pub notes: Vec<CosignedNote>,
}
