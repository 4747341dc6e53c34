//! Ed25519 (RFC 8032), verified strictly: canonical encodings, no point of small order, cofactorless equation.
//!
//! "Taming the many EdDSAs" (Chalkias et al. 2020) shows how lenient verifiers disagree; a record that one client
//! accepts and another drops would split a case, so there is one answer, pinned by the CCTV vectors.

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::context::framed;
use crate::secret::SigningSeed;
use ed25519_dalek::Signer;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// A signature, 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Signature(pub [u8; 64]);

/// The text of a public key, 32 bytes, not yet known to be a good point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct PublicKey(pub [u8; 32]);

/// A key that signs.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Makes the key of `seed`; the public half is computed here and never taken from elsewhere.
    ///
    /// # Security
    /// Signing with a public half of somebody's choice leaks the secret scalar.
    pub fn from_seed(seed: &SigningSeed) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed.expose()))
    }

    /// Returns the public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `ctx(label) || parts…`.
    pub fn sign(&self, label: Label, parts: &[&[u8]]) -> Signature {
        Signature(self.0.sign(&framed(label, parts)).to_bytes())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({:?})", self.public())
    }
}

/// A public key ready to verify with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// `check` if the bytes are no point, or one of small order.
    pub fn new(key: &PublicKey, check: Check) -> Result<Self, Refused> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key.0).map_err(|_| check)?;
        if key.is_weak() {
            Err(check.into())
        } else {
            Ok(Self(key))
        }
    }

    /// Returns the key's bytes.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.to_bytes())
    }

    /// Verifies strictly that `signature` is over `ctx(label) || parts…`.
    ///
    /// # Errors
    /// `check`, without detail.
    pub fn verify(&self, label: Label, parts: &[&[u8]], signature: &Signature, check: Check) -> Result<(), Refused> {
        self.verify_framed(&framed(label, parts), signature, check)
    }

    /// Verifies strictly a signature over bytes that already begin with their label.
    ///
    /// # Errors
    /// `check`, without detail.
    pub fn verify_framed(&self, message: &[u8], signature: &Signature, check: Check) -> Result<(), Refused> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        require(self.0.verify_strict(message, &signature).is_ok(), check)
    }
}
