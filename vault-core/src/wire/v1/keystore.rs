//! The keystore file.

use crate::crypto::passphrase::Cost;
use crate::id::AgencyId;
use crate::id::DeviceId;
use crate::id::MemberId;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// The key derivation, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum KdfAlgorithm {
    /// Argon2id version 0x13 (RFC 9106).
    Argon2id = 1,
}

/// A keystore's clear, authenticated part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct KeystoreHeader {
    /// Format version.
    pub format: u16,
    /// The agency.
    pub agency: AgencyId,
    /// Whose.
    pub member: MemberId,
    /// On which device.
    pub device: DeviceId,
    /// The key derivation.
    pub kdf: KdfAlgorithm,
    /// Its cost.
    pub cost: Cost,
    /// Its salt.
    pub salt: [u8; 32],
    /// Counts writings.
    pub generation: u64,
    /// Fresh at every writing.
    pub fresh: [u8; 32],
}

/// A keystore.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct KeystoreFile {
    /// The clear part.
    pub header: KeystoreHeader,
    /// Commitment to its key.
    pub commitment: [u8; 32],
    /// The sealed secrets.
    pub sealed: Vec<u8>,
}
