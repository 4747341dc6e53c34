//! A backup: its head, and the list of what it holds.

use super::keystore::KdfAlgorithm;
use crate::crypto::passphrase::Cost;
use crate::id::AgencyId;
use crate::id::DeviceId;
use crate::id::MemberId;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// What a backup file begins with.
pub const MAGIC: [u8; 8] = *b"CVBACKUP";

/// A backup's clear part, authenticated by both ways of opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct BackupHeader {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// Format version.
    pub format: u16,
    /// The agency.
    pub agency: AgencyId,
    /// Whose backup it is.
    pub member: MemberId,
    /// The device that made it.
    pub device: DeviceId,
    /// Version of the recovery key that it is sealed to.
    pub recovery: u32,
    /// Bytes of content inside the age file.
    pub content: u64,
    /// The key derivation.
    pub kdf: KdfAlgorithm,
    /// Its cost.
    pub cost: Cost,
    /// Its salt.
    pub salt: [u8; 32],
    /// Fresh at every backup.
    pub fresh: [u8; 32],
}

/// Everything before the age file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct BackupHead {
    /// The clear part.
    pub header: BackupHeader,
    /// Commitment to the key that sealed the seed.
    pub commitment: [u8; 32],
    /// The seed of the backup's own recipient, sealed.
    pub sealed: [u8; 48],
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct BackupEntry {
    /// `secrets`, `vault.db`, or a path below `attachments/`.
    pub name: Vec<u8>,
    /// Its bytes.
    pub length: u64,
}

/// What a backup holds, in the order of its bytes.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct BackupIndex {
    /// Format version.
    pub format: u16,
    /// Hash of the head that it belongs to.
    pub head: [u8; 32],
    /// The files.
    pub entries: Vec<BackupEntry>,
}
