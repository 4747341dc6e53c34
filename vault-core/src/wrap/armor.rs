//! The ASCII armor of age: strict PEM (RFC 7468) around a whole file.

use std::io::{Read, Write};

use age::armor::{ArmoredReader, ArmoredWriter, Format};

use super::WrapError;

const BEGIN: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// Puts armor around a binary file.
pub(super) fn put_on(file: &[u8]) -> Result<Vec<u8>, WrapError> {
    let armored = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).and_then(|mut writer| {
        writer.write_all(file)?;
        writer.finish()
    });
    armored.map_err(|_| WrapError::Seal)
}

/// Takes the armor off; white space around it is allowed, as the format says.
///
/// The result is smaller than `armored`, so no limit beside the input's own size is needed.
pub(super) fn take_off(armored: &[u8]) -> Result<Vec<u8>, WrapError> {
    // The library looks for the first line at the very first byte, and passes what has none through unchanged.
    let armored = armored.trim_ascii();
    if !armored.starts_with(BEGIN) {
        return Err(WrapError::Armor);
    }
    let mut file = Vec::with_capacity(armored.len() / 4 * 3);
    ArmoredReader::new(armored)
        .read_to_end(&mut file)
        .map_err(|_| WrapError::Armor)?;
    Ok(file)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// From one byte on: the library writes armor around nothing that it does not read, and no age file is empty.
        #[test]
        fn armor_comes_off_as_it_went_on(file in proptest::collection::vec(any::<u8>(), 1..300)) {
            let armored = put_on(&file).unwrap();
            prop_assert!(armored.is_ascii());
            prop_assert_eq!(take_off(&armored).unwrap(), file.clone());
            let spaced = [b"\r\n \t".as_slice(), &armored, b"\n\n "].concat();
            prop_assert_eq!(take_off(&spaced).unwrap(), file);
        }
    }

    #[test]
    fn a_missing_end_and_other_text_are_refused() {
        let armored = put_on(b"hello").unwrap();
        for broken in [
            &armored[..armored.len() - 5],
            &armored[1..],
            b"",
            b"hello",
            &[&armored[..], b"x"].concat(),
        ] {
            assert_eq!(take_off(broken).unwrap_err(), WrapError::Armor);
        }
    }
}
