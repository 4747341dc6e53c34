//! Where a reader of an agency's log has got to.

use super::link::Seen;
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
