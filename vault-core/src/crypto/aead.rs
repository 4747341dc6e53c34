//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) under derived, committed keys.
//!
//! A [`Sealer`] is commitment, key and nonce out of one derivation of 88 bytes. The AEAD alone does not commit to its
//! key (Len et al. 2021), so the 32-byte commitment is compared before it runs.

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::hash::derive;
use chacha20poly1305::AeadInOut;
use chacha20poly1305::KeyInit;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305_long::AeadInPlace as _;
use chacha20poly1305_long::KeyInit as _;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of the tag behind a ciphertext.
pub const TAG_BYTES: usize = 16;

/// A key for one sealing, with its commitment and nonce.
pub struct Sealer {
    okm: Zeroizing<[u8; 88]>,
}

impl Sealer {
    /// Derives commitment (32), key (32) and nonce (24) from `key` under `label`.
    pub fn derive(label: Label, key: &[u8; 32], context: &[&[u8]]) -> Self {
        Self {
            okm: derive(label, key, context),
        }
    }

    /// Returns the commitment to the key.
    pub fn commitment(&self) -> [u8; 32] {
        part(self.okm.as_slice(), 0)
    }

    /// Refuses, in constant time, a key that is not the committed one.
    ///
    /// # Errors
    /// [`Check::KeyCommitment`].
    pub fn require_commitment(&self, commitment: &[u8]) -> Result<(), Refused> {
        require(
            self.commitment().as_slice().ct_eq(commitment).into(),
            Check::KeyCommitment,
        )
    }

    /// Seals `plaintext` in place and appends the 16-byte tag.
    ///
    /// # Errors
    /// [`Check::TooLong`] beyond the cipher's 256 GiB.
    pub fn seal(&self, associated: &[u8], plaintext: &mut Vec<u8>) -> Result<(), Refused> {
        let okm = self.okm.as_slice();
        seal(&part(okm, 32), &part(okm, 64), associated, plaintext)
    }

    /// Opens `ciphertext || tag`.
    ///
    /// # Errors
    /// [`Check::Aead`], without detail.
    pub fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let okm = self.okm.as_slice();
        open(&part(okm, 32), &part(okm, 64), associated, sealed)
    }

    /// Opens `ciphertext || tag` where it stands; what does not open stays as it is.
    ///
    /// # Errors
    /// [`Check::Aead`], without detail.
    pub fn open_in_place(&self, associated: &[u8], sealed: &mut Vec<u8>) -> Result<(), Refused> {
        let okm = self.okm.as_slice();
        open_in_place(&part(okm, 32), &part(okm, 64), associated, sealed)
    }
}

/// Seals in place under an explicit key and nonce; see [`Sealer`] for the committed form.
///
/// # Errors
/// [`Check::TooLong`] beyond the cipher's 256 GiB.
pub(crate) fn seal(
    key: &[u8; 32],
    nonce: &[u8; 24],
    associated: &[u8],
    plaintext: &mut Vec<u8>,
) -> Result<(), Refused> {
    XChaCha20Poly1305::new(&(*key).into())
        .encrypt_in_place(&(*nonce).into(), associated, plaintext)
        .map_err(|_| Refused::by(Check::TooLong))
}

/// Opens under an explicit key and nonce; see [`Sealer`] for the committed form.
///
/// # Errors
/// [`Check::Aead`], without detail.
pub(crate) fn open(
    key: &[u8; 32],
    nonce: &[u8; 24],
    associated: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let mut text = Zeroizing::new(sealed.to_vec());
    open_in_place(key, nonce, associated, &mut text)?;
    Ok(text)
}

/// A cipher ready for many sealings under one key, each in place and under a nonce of its own; quick at long messages.
///
/// The same AEAD as above, out of the crate's version that `age` brings too: its Poly1305 takes AVX2 where the processor
/// has it, which costs 1.3 µs more a message and a third as much a byte (`docs/decisions/0006-portable-poly1305.md`).
pub(crate) struct InPlace(chacha20poly1305_long::XChaCha20Poly1305);

impl InPlace {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(chacha20poly1305_long::XChaCha20Poly1305::new(&(*key).into()))
    }

    /// Seals `text`; returns the tag.
    pub(crate) fn seal(&self, nonce: &[u8; 24], text: &mut [u8]) -> Result<[u8; TAG_BYTES], Refused> {
        let sealed = self.0.encrypt_in_place_detached(&(*nonce).into(), &[], text);
        sealed.map(Into::into).map_err(|_| Refused::by(Check::TooLong))
    }

    /// Opens `sealed` once its tag was found right; without that it stays as it was. Tells whether it was.
    pub(crate) fn open(&self, nonce: &[u8; 24], sealed: &mut [u8], tag: &[u8; TAG_BYTES]) -> bool {
        let opened = self
            .0
            .decrypt_in_place_detached(&(*nonce).into(), &[], sealed, &(*tag).into());
        opened.is_ok()
    }
}

/// Opens in place; what does not open stays as it is.
fn open_in_place(key: &[u8; 32], nonce: &[u8; 24], associated: &[u8], sealed: &mut Vec<u8>) -> Result<(), Refused> {
    XChaCha20Poly1305::new(&(*key).into())
        .decrypt_in_place(&(*nonce).into(), associated, sealed)
        .map_err(|_| Refused::by(Check::Aead))
}

/// Returns the `N` bytes of `from` at `at`; zeros where there are none (never: callers pass constants).
pub(crate) fn part<const N: usize>(from: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    for (to, byte) in out.iter_mut().zip(from.iter().skip(at)) {
        *to = *byte;
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_refused() {
        let sealer = Sealer::derive(Label::RecordSeal, &[1; 32], &[]);
        let mut sealed = b"text".to_vec();
        sealer.seal(b"header", &mut sealed).unwrap();
        assert_eq!(sealer.open(b"header", &sealed).unwrap().as_slice(), b"text");
        assert_eq!(sealer.open(b"headeR", &sealed).unwrap_err().check, Check::Aead);
        for bit in 0..sealed.len() * 8 {
            let mut broken = sealed.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sealer.open(b"header", &broken).unwrap_err().check, Check::Aead);
        }
    }

    #[test]
    fn long_and_short_messages_have_one_aead() {
        let (key, nonce) = ([1; 32], [2; 24]);
        for length in [0, 1, 15, 16, 63, 64, 65, 255, 1024, 65_535, 65_536] {
            let text: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let mut short = text.clone();
            seal(&key, &nonce, &[], &mut short).unwrap();
            let mut long = text.clone();
            let cipher = InPlace::new(&key);
            let tag = cipher.seal(&nonce, &mut long).unwrap();
            assert_eq!([long.as_slice(), &tag].concat(), short, "{length}");
            assert!(cipher.open(&nonce, &mut long, &tag));
            assert_eq!(long, text);
        }
    }

    #[test]
    fn chk_11_a_ciphertext_made_for_two_keys_is_stopped_by_the_commitment() {
        let (mine, other) = (
            Sealer::derive(Label::RecordSeal, &[1; 32], &[]),
            Sealer::derive(Label::RecordSeal, &[2; 32], &[]),
        );
        assert!(mine.require_commitment(&mine.commitment()).is_ok());
        assert_eq!(
            other.require_commitment(&mine.commitment()).unwrap_err().check,
            Check::KeyCommitment
        );
    }
}
