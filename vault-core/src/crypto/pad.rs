//! Padmé padding with a floor (Nikitin et al., PoPETs 2019), and the constant size of access entries.
//!
//! `payload || 0x80 || 0x00…` (ISO/IEC 7816-4). A length then tells at most O(log log n) bits of a text's own.

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use zeroize::Zeroizing;

/// Smallest padded length in bytes.
pub const FLOOR: usize = 256;

/// Returns the padded length in bytes of a payload of `length` bytes.
pub fn padded_length(length: usize) -> usize {
    padme(length.saturating_add(1)).max(FLOOR)
}

/// Pads `payload` to [`padded_length`].
pub fn pad(payload: &[u8]) -> Zeroizing<Vec<u8>> {
    fill(payload, padded_length(payload.len()))
}

/// Pads `payload` to exactly `size` bytes.
///
/// # Errors
/// [`Check::TooLong`] if it does not fit with its marker byte.
pub fn pad_to(payload: &[u8], size: usize) -> Result<Zeroizing<Vec<u8>>, Refused> {
    require(payload.len() < size, Check::TooLong)?;
    Ok(fill(payload, size))
}

/// Returns the payload within `padded`, whose length must be the one that [`pad`] gives.
///
/// # Errors
/// [`Check::Padding`].
pub fn unpad(padded: &[u8]) -> Result<&[u8], Refused> {
    let payload = unpad_any(padded)?;
    require(padded_length(payload.len()) == padded.len(), Check::Padding)?;
    Ok(payload)
}

/// Returns the payload within `padded` of whatever length.
///
/// # Errors
/// [`Check::Padding`] if the last byte that is not zero is not 0x80.
pub fn unpad_any(padded: &[u8]) -> Result<&[u8], Refused> {
    let end = padded.iter().rposition(|b| *b != 0).ok_or(Check::Padding)?;
    require(padded.get(end) == Some(&0x80), Check::Padding)?;
    padded.get(..end).ok_or(Refused::by(Check::Padding))
}

fn fill(payload: &[u8], size: usize) -> Zeroizing<Vec<u8>> {
    // Room for the tag too, so that sealing in place never moves the plaintext and leaves a copy behind.
    let mut out = Zeroizing::new(Vec::with_capacity(size + super::aead::TAG_BYTES));
    out.extend_from_slice(payload);
    out.push(0x80);
    out.resize(size, 0);
    out
}

fn padme(length: usize) -> usize {
    if length < 2 {
        return length;
    }
    let e = length.ilog2();
    let s = e.checked_ilog2().unwrap_or(0) + 1;
    let mask = (1usize << (e - s.min(e))) - 1;
    (length.saturating_add(mask)) & !mask
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn padme_gives_the_papers_examples() {
        assert_eq!(
            [padme(9), padme(100), padme(1_000), padme(10_000), padme(1_000_000)],
            [10, 104, 1_024, 10_240, 1_015_808]
        );
    }

    #[test]
    fn chk_13_padding_that_is_not_canonical_is_refused() {
        let mut padded = pad(b"x").to_vec();
        padded.push(0);
        assert_eq!(unpad(&padded).unwrap_err().check, Check::Padding);
        assert_eq!(unpad(&[0; 256]).unwrap_err().check, Check::Padding);
        assert_eq!(unpad(&[1; 256]).unwrap_err().check, Check::Padding);
        assert_eq!(unpad(&[]).unwrap_err().check, Check::Padding);
    }

    proptest! {
        #[test]
        fn padding_round_trips_and_costs_at_most_an_eighth(payload in proptest::collection::vec(any::<u8>(), 0..5_000)) {
            let padded = pad(&payload);
            prop_assert_eq!(unpad(&padded).unwrap(), payload.as_slice());
            prop_assert!(padded.len() == FLOOR || padded.len() <= payload.len() + 1 + payload.len() / 8);
        }
    }
}
