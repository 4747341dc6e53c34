//! Ed25519 (RFC 8032), verified strictly: canonical encodings, no point of small order, cofactorless equation.
//!
//! "Taming the many EdDSAs" (Chalkias et al. 2020) shows how lenient verifiers disagree; a record that one client
//! accepts and another drops would split a case, so there is one answer, pinned by the CCTV vectors.
//!
//! A vault has many signatures of few devices. A key that has verified [`MANY`] gets a table of its multiples; the
//! answers are those of `verify_strict`, twice as fast (`docs/decisions/0005-verifying-with-tables.md`).

mod table;

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::context::framed;
use crate::secret::SigningSeed;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::Signer;
use sha2::Digest;
use sha2::Sha512;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use table::Table;
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

    /// Signs the text of a note (C2SP signed-note). It begins with a letter and so like nothing that is framed: no label is
    /// so long.
    pub(crate) fn sign_note(&self, text: &[u8]) -> Signature {
        Signature(self.0.sign(text).to_bytes())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({:?})", self.public())
    }
}

/// Signatures after which a key's multiples are worth making: they cost about as much as a dozen verifications.
pub const MANY: u32 = 64;

/// A public key ready to verify with. Clones share what was made of it.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Prepared>);

struct Prepared {
    key: ed25519_dalek::VerifyingKey,
    verified: AtomicU32,
    table: OnceLock<Table>,
}

impl VerifyingKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// `check` if the bytes are no point, a second text of one, or one of small order.
    pub fn new(key: &PublicKey, check: Check) -> Result<Self, Refused> {
        let bytes = &key.0;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| check)?;
        // `from_bytes` takes a `y` of 2^255 - 19 and more for the smaller one.
        if key.is_weak() || key.to_edwards().compress().as_bytes() != bytes {
            return Err(check.into());
        }
        Ok(Self(Arc::new(Prepared {
            key,
            verified: AtomicU32::new(0),
            table: OnceLock::new(),
        })))
    }

    /// Returns the key's bytes.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.key.to_bytes())
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
        let holds = match self.table() {
            Some(table) => self.holds(table, message, signature),
            None => {
                let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
                self.0.key.verify_strict(message, &signature).is_ok()
            }
        };
        require(holds, check)
    }

    /// Returns the key's multiples, once it has verified enough to be worth them.
    fn table(&self) -> Option<&Table> {
        let prepared = &self.0;
        if prepared.table.get().is_none() && prepared.verified.fetch_add(1, Ordering::Relaxed) < MANY {
            return None;
        }
        Some(prepared.table.get_or_init(|| Table::of_key(prepared.key.to_edwards())))
    }

    /// Tells what `verify_strict` tells: `s` is canonical, R is of no small order, and `R = sB - kA` byte for byte, which
    /// no other encoding of R than the canonical one can be. A was looked at when the key was read.
    fn holds(&self, table: &Table, message: &[u8], signature: &Signature) -> bool {
        let (r, s) = signature.0.split_at(32);
        let s = s.first_chunk().copied().map(Scalar::from_canonical_bytes);
        let Some(s) = s.and_then(Option::<Scalar>::from) else {
            return false;
        };
        let digest = Sha512::new()
            .chain_update(r)
            .chain_update(self.0.key.as_bytes())
            .chain_update(message);
        let k = Scalar::from_bytes_mod_order_wide(&digest.finalize().into());
        let expected = table::expected(table, &k, &s);
        expected.compress().as_bytes().as_slice() == r && !expected.is_small_order()
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for VerifyingKey {}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifyingKey({:?})", self.public())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn warm(key: &VerifyingKey, signer: &SigningKey) {
        let signature = signer.sign(Label::LinkSignature, &[b"warm"]);
        for _ in 0..=MANY {
            key.verify(Label::LinkSignature, &[b"warm"], &signature, Check::LinkSignature)
                .unwrap();
        }
        assert!(key.0.table.get().is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn with_a_table_the_answer_is_that_of_verify_strict(
            seed in any::<[u8; 32]>(), message in any::<Vec<u8>>(), flip in any::<proptest::sample::Index>(), other in any::<[u8; 64]>()
        ) {
            let signer = SigningKey::from_seed(&SigningSeed::from_bytes(seed));
            let key = VerifyingKey::new(&signer.public(), Check::Signer).unwrap();
            warm(&key, &signer);
            let good = signer.sign(Label::LinkSignature, &[&message]);
            let framed = framed(Label::LinkSignature, &[&message]);
            let mut flipped = good;
            let bit = flip.index(512);
            flipped.0[bit / 8] ^= 1 << (bit % 8);
            for (signature, holds) in [(good, true), (flipped, false), (Signature(other), false)] {
                let strict = key.0.key.verify_strict(&framed, &ed25519_dalek::Signature::from_bytes(&signature.0));
                prop_assert_eq!(strict.is_ok(), holds);
                prop_assert_eq!(key.verify_framed(&framed, &signature, Check::LinkSignature).is_ok(), holds);
            }
        }
    }

    #[test]
    fn a_second_text_of_a_key_is_refused() {
        // y = 2^255 - 19 + small: a point of large order for some of these, by another text than its own.
        let mut seen = 0;
        for small in 0u8..19 {
            let mut text = [0xff; 32];
            text[0] = 0xed + small;
            text[31] = 0x7f;
            let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(&text) else {
                continue;
            };
            seen += u32::from(!key.is_weak());
            assert!(VerifyingKey::new(&PublicKey(text), Check::Signer).is_err());
        }
        assert!(seen > 0);
    }
}
