//! A recovery card: one share of the recovery key, for paper.

use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// The version of the card's own form, one byte.
pub const CARD_FORMAT: u8 = 1;

/// A card without its check.
#[derive(Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct RecoveryCard {
    /// Version of the form.
    pub format: u8,
    /// How many cards give the key.
    pub threshold: u8,
    /// How many cards there are.
    pub shares: u8,
    /// This card's number, from 1.
    pub number: u8,
    /// Version of the recovery key.
    pub version: u16,
    /// The first bytes of the agency's id.
    pub agency: [u8; 4],
    /// The set's fingerprint.
    pub set: [u8; 8],
    /// The share: 32 bytes of a seed, or 64 of a key that has none.
    pub share: Vec<u8>,
}

impl Drop for RecoveryCard {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.share);
    }
}

impl std::fmt::Debug for RecoveryCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecoveryCard({} of {}, …)", self.number, self.shares)
    }
}
