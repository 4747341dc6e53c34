//! The text form of recipients and identities: Bech32 of BIP 173, without its limit of 90 characters.

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Checksum, Hrp};
use zeroize::Zeroizing;

/// Bech32's checksum for strings of any length.
///
/// age drops the length limit of BIP 173 (<https://c2sp.org/age>, conventions): a hybrid recipient has 1,959
/// characters, and the crate stops at the 1,023 within which the code corrects errors. Here it only detects them.
enum LongBech32 {}

impl Checksum for LongBech32 {
    type MidstateRepr = <Bech32 as Checksum>::MidstateRepr;
    type CorrectionField = <Bech32 as Checksum>::CorrectionField;
    const ROOT_GENERATOR: Self::CorrectionField = Bech32::ROOT_GENERATOR;
    const ROOT_EXPONENTS: core::ops::RangeInclusive<usize> = Bech32::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = 4096;
    const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [Self::MidstateRepr; 5] = Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: Self::MidstateRepr = Bech32::TARGET_RESIDUE;
}

/// Reads exactly `N` bytes under the human-readable part `hrp`, which is given in lower case.
///
/// All upper and all lower case are read, mixed case is not. The bytes are wiped, because they may be a key.
pub(super) fn decode<const N: usize>(hrp: &str, text: &str) -> Option<Box<Zeroizing<[u8; N]>>> {
    let checked = CheckedHrpstring::new::<LongBech32>(text).ok()?;
    if checked.hrp() != Hrp::parse(hrp).ok()? {
        return None;
    }
    let mut bytes = Box::new(Zeroizing::new([0; N]));
    let mut read = checked.byte_iter();
    for byte in bytes.iter_mut() {
        *byte = read.next()?;
    }
    // Padding bits that are not zero would give one key several texts; the crate checks them only for addresses.
    if read.next().is_some() || !encode_lower(hrp, bytes.as_slice())?.eq_ignore_ascii_case(text) {
        return None;
    }
    Some(bytes)
}

/// Writes `bytes` under `hrp`, in lower case as recipients are written.
pub(super) fn encode_lower(hrp: &str, bytes: &[u8]) -> Option<Zeroizing<String>> {
    // Room for everything at once, so that no growing leaves a copy of a key behind.
    let mut text = Zeroizing::new(String::with_capacity(hrp.len() + 1 + bytes.len() * 8 / 5 + 8));
    bech32::encode_lower_to_fmt::<LongBech32, String>(&mut text, Hrp::parse(hrp).ok()?, bytes).ok()?;
    Some(text)
}

/// Writes `bytes` under `hrp`, in upper case as identities are written.
pub(super) fn encode_upper(hrp: &str, bytes: &[u8]) -> Option<Zeroizing<String>> {
    let mut text = encode_lower(hrp, bytes)?;
    text.make_ascii_uppercase();
    Some(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use bech32::{Fe32, Fe32IterExt};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn checksum_constants_are_consistent() {
        LongBech32::sanity_check();
    }

    #[test]
    fn mixed_case_other_prefixes_and_lengths_are_refused() {
        let text = encode_lower("age", &[3; 32]).unwrap();
        assert_eq!(**decode::<32>("age", &text).unwrap(), [3; 32]);
        assert_eq!(**decode::<32>("age", &text.to_ascii_uppercase()).unwrap(), [3; 32]);
        assert!(decode::<32>("age", &text.replacen('a', "A", 1)).is_none());
        assert!(decode::<32>("age1pq", &text).is_none());
        assert!(decode::<31>("age", &text).is_none());
        assert!(decode::<33>("age", &text).is_none());
        assert!(decode::<32>("age", &format!(" {}", *text)).is_none());
        assert!(decode::<32>("age", "").is_none());
    }

    #[test]
    fn padding_bits_are_refused() {
        // 32 bytes are 51 characters and one bit; the four bits behind it must be zero.
        let symbols = [Fe32::Q; 51].into_iter().chain([Fe32::P]);
        let padded: String = symbols
            .with_checksum::<LongBech32>(&Hrp::parse("age").unwrap())
            .chars()
            .collect();
        assert!(CheckedHrpstring::new::<LongBech32>(&padded).is_ok());
        assert!(decode::<32>("age", &padded).is_none());
    }

    proptest! {
        #[test]
        fn one_changed_character_is_refused(bytes in any::<[u8; 32]>(), at in 0usize..62, to in "[02-9ac-hj-np-z]") {
            let text = encode_lower("age", &bytes).unwrap();
            let mut changed = text.to_string();
            changed.replace_range(at..=at, &to);
            let read = decode::<32>("age", &changed);
            prop_assert_eq!(read.is_some(), changed == *text);
        }
    }
}
