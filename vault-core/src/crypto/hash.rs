//! `H`, `MAC` and `KDF` of `docs/format.md` §1: SHA-256 (FIPS 180-4), HMAC (RFC 2104), HKDF (RFC 5869).

use crate::context::Label;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use sha2::Digest;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Returns `SHA-256(ctx(label) || parts…)`.
pub fn hash(label: Label, parts: &[&[u8]]) -> [u8; 32] {
    let mut state = Sha256::new();
    state.update(label.prefix());
    for part in parts {
        state.update(part);
    }
    state.finalize().into()
}

/// A hash over bytes that come in pieces.
pub struct Hasher(Sha256);

impl Hasher {
    /// Begins `SHA-256(ctx(label) || …)`.
    pub fn under(label: Label) -> Self {
        Self(Sha256::new_with_prefix(label.prefix()))
    }

    /// Begins plain SHA-256, as `sha256sum` makes it: for what people compare outside of CaseVault, and nothing else.
    pub fn plain() -> Self {
        Self(Sha256::new())
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the hash.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// Returns HMAC-SHA256 of `ctx(label) || parts…` under `key`.
pub fn mac(label: Label, key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut state = keyed(key);
    state.update(label.prefix());
    for part in parts {
        state.update(part);
    }
    state.finalize().into_bytes().into()
}

/// Tells in constant time whether `tag` is the [`mac`] of `parts`.
pub fn mac_matches(label: Label, key: &[u8; 32], parts: &[&[u8]], tag: &[u8]) -> bool {
    mac(label, key, parts).ct_eq(tag).into()
}

/// Returns `N` bytes of HKDF-Expand with SHA-256 (RFC 5869 §2.3) under a uniformly random 32-byte key.
///
/// `N` is at most 255 * 32.
pub fn derive<const N: usize>(label: Label, key: &[u8; 32], parts: &[&[u8]]) -> Zeroizing<[u8; N]> {
    let base = keyed(key);
    let mut out = Zeroizing::new([0u8; N]);
    let mut block = Zeroizing::new([0u8; 32]);
    for (index, chunk) in out.chunks_mut(32).enumerate() {
        let mut state = base.clone();
        if index > 0 {
            state.update(block.as_slice());
        }
        state.update(label.prefix());
        for part in parts {
            state.update(part);
        }
        state.update(&[u8::try_from(index + 1).unwrap_or(u8::MAX)]);
        *block = state.finalize().into_bytes().into();
        for (to, from) in chunk.iter_mut().zip(block.iter()) {
            *to = *from;
        }
    }
    out
}

/// Returns HKDF-Extract with SHA-256 (RFC 5869 §2.2).
pub fn extract(salt: &[u8; 32], input: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut state = keyed(salt);
    for part in input {
        state.update(part);
    }
    Zeroizing::new(state.finalize().into_bytes().into())
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // A 32-byte key is below SHA-256's 64-byte block, so it is padded with zeros and never hashed.
    let mut block = Zeroizing::new([0u8; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    Hmac::<Sha256>::new(&(*block).into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::context::framed;

    #[test]
    fn derive_is_hkdf_expand_and_extract_is_hkdf_extract() {
        let key = [7u8; 32];
        let mut expected = [0u8; 88];
        let info = framed(Label::RecordSeal, &[b"header"]);
        hkdf::Hkdf::<Sha256>::from_prk(&key)
            .unwrap()
            .expand(&info, &mut expected)
            .unwrap();
        assert_eq!(*derive::<88>(Label::RecordSeal, &key, &[b"head", b"er"]), expected);
        let (prk, _) = hkdf::Hkdf::<Sha256>::extract(Some(&[9; 32]), b"input");
        assert_eq!(extract(&[9; 32], &[b"in", b"put"]).as_slice(), prk.as_slice());
    }

    #[test]
    fn labels_separate_hashes_macs_and_keys() {
        assert_ne!(hash(Label::WrapHash, &[b"x"]), hash(Label::KeyringHash, &[b"x"]));
        assert_ne!(
            mac(Label::StreamHead, &[0; 32], &[]),
            mac(Label::StoreHead, &[0; 32], &[])
        );
        assert!(mac_matches(
            Label::StreamHead,
            &[0; 32],
            &[],
            &mac(Label::StreamHead, &[0; 32], &[])
        ));
        assert!(!mac_matches(
            Label::StreamHead,
            &[0; 32],
            &[],
            &mac(Label::StoreHead, &[0; 32], &[])
        ));
    }
}
