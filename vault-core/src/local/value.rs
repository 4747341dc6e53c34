//! Sealed values: what a store remembers for its own device alone, such as drafts and the access ratchet's state.
//!
//! `fresh (32) || commitment (32) || ciphertext || tag`, bound to the value's name.

use crate::check::Check;
use crate::check::Refused;
use crate::context::Label;
use crate::crypto::aead::Sealer;
use crate::crypto::aead::TAG_BYTES;
use crate::secret::LocalStateKey;
use zeroize::Zeroizing;

const FRESH_BYTES: usize = 32;
const COMMITMENT_BYTES: usize = 32;

/// Seals `value` under `name`; `fresh` is 32 random bytes of the operating system, never used twice.
///
/// # Errors
/// [`Check::TooLong`] beyond the cipher's 256 GiB.
pub fn seal(key: &LocalStateKey, name: &str, value: &[u8], fresh: &[u8; 32]) -> Result<Vec<u8>, Refused> {
    let sealer = Sealer::derive(Label::LocalSeal, key.expose(), &[fresh, name.as_bytes()]);
    // Sealed in place in a buffer with room for the tag, so that no copy of the value is left behind.
    let mut text = Zeroizing::new(Vec::with_capacity(value.len() + TAG_BYTES));
    text.extend_from_slice(value);
    sealer.seal(name.as_bytes(), &mut text)?;
    let mut sealed = Vec::with_capacity(FRESH_BYTES + COMMITMENT_BYTES + text.len());
    sealed.extend_from_slice(fresh);
    sealed.extend_from_slice(&sealer.commitment());
    sealed.extend_from_slice(&text);
    Ok(sealed)
}

/// Opens the value sealed under `name`.
///
/// # Errors
/// [`Check::LocalValue`], whatever part of it does not open.
pub fn open(key: &LocalStateKey, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let parts = sealed
        .split_at_checked(FRESH_BYTES)
        .and_then(|(fresh, rest)| Some((fresh, rest.split_at_checked(COMMITMENT_BYTES)?)));
    let (fresh, (commitment, ciphertext)) = parts.ok_or(Check::LocalValue)?;
    let sealer = Sealer::derive(Label::LocalSeal, key.expose(), &[fresh, name.as_bytes()]);
    sealer
        .require_commitment(commitment)
        .and_then(|()| sealer.open(name.as_bytes(), ciphertext))
        .map_err(|_| Refused::by(Check::LocalValue))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> LocalStateKey {
        LocalStateKey::from_bytes([1; 32])
    }

    #[test]
    fn chk_103_every_flipped_bit_cut_and_other_name_is_refused() {
        let sealed = seal(&key(), "ratchet", b"state", &[2; 32]).unwrap();
        assert_eq!(open(&key(), "ratchet", &sealed).unwrap().as_slice(), b"state");
        for bit in 0..sealed.len() * 8 {
            let mut broken = sealed.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            let refused = open(&key(), "ratchet", &broken).unwrap_err();
            assert_eq!(refused.check, Check::LocalValue);
        }
        for length in 0..sealed.len() {
            assert!(open(&key(), "ratchet", &sealed[..length]).is_err());
        }
        assert!(open(&key(), "ratchets", &sealed).is_err());
        assert!(open(&LocalStateKey::from_bytes([9; 32]), "ratchet", &sealed).is_err());
    }

    proptest! {
        #[test]
        fn values_round_trip(name in "[a-z/]{0,20}", value: Vec<u8>, fresh: [u8; 32]) {
            let sealed = seal(&key(), &name, &value, &fresh).unwrap();
            let opened = open(&key(), &name, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), value.as_slice());
        }
    }
}
