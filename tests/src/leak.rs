//! Whether words are found in files: as they are, in base64 at every alignment, in hex, in UTF-16, and as their hashes.

use aho_corasick::AhoCorasick;
use data_encoding::BASE64;
use data_encoding::BASE64URL_NOPAD;
use data_encoding::HEXLOWER;
use data_encoding::HEXUPPER;
use sha2::{Digest, Sha256, Sha512};
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

/// Words that nobody may find, in every form that is looked for.
pub struct Words {
    needles: Vec<(String, &'static str)>,
    finder: AhoCorasick,
}

impl Words {
    /// Takes words of at least six bytes; shorter ones would be found by chance.
    pub fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut needles = Vec::new();
        let mut patterns = Vec::new();
        for word in words {
            assert!(word.len() >= 6, "`{word}` is too short to be looked for");
            for (form, bytes) in forms(word) {
                needles.push((word.to_owned(), form));
                patterns.push(bytes);
            }
        }
        let finder = AhoCorasick::new(patterns).expect("the words fit");
        Self { needles, finder }
    }

    /// Returns each word found in `bytes`, with the form in which it stands there.
    pub fn in_bytes(&self, bytes: &[u8]) -> Vec<(&str, &'static str)> {
        let found: BTreeSet<usize> = self
            .finder
            .find_overlapping_iter(bytes)
            .map(|hit| hit.pattern().as_usize())
            .collect();
        let found = found.into_iter().filter_map(|index| self.needles.get(index));
        found.map(|(word, form)| (word.as_str(), *form)).collect()
    }

    /// Returns each word found in a file of a folder or in a file's name, with the file.
    pub fn in_folder(&self, folder: &Path) -> Vec<(String, &'static str, PathBuf)> {
        let mut found = Vec::new();
        for file in files(folder) {
            // A file may go while it is looked for, as a write-ahead log does.
            let Ok(bytes) = std::fs::read(&file) else { continue };
            let name = file.as_os_str().as_encoded_bytes();
            for (word, form) in self.in_bytes(&bytes).into_iter().chain(self.in_bytes(name)) {
                found.push((word.to_owned(), form, file.clone()));
            }
        }
        found
    }
}

/// Returns every file under a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

fn forms(word: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = word.as_bytes();
    let wide: Vec<u16> = word.encode_utf16().collect();
    let mut forms = vec![
        ("as it is", bytes.to_vec()),
        ("in lower-case hex", HEXLOWER.encode(bytes).into_bytes()),
        ("in upper-case hex", HEXUPPER.encode(bytes).into_bytes()),
        (
            "in UTF-16, little end first",
            wide.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
        ),
        (
            "in UTF-16, big end first",
            wide.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
        ),
    ];
    for skipped in 0..3 {
        // Of a text that begins anywhere in a group of three, the whole groups look alike wherever it stands.
        let whole = bytes.get(skipped..).unwrap_or_default();
        let whole = whole.get(..whole.len() / 3 * 3).unwrap_or_default();
        if whole.len() >= 6 {
            forms.push(("in base64", BASE64.encode(whole).into_bytes()));
            forms.push(("in base64 for addresses", BASE64URL_NOPAD.encode(whole).into_bytes()));
        }
    }
    // A hash of what can be guessed says as much as the word.
    for word in [bytes.to_vec(), word.to_lowercase().into_bytes()] {
        for hash in [Sha256::digest(&word).to_vec(), Sha512::digest(&word).to_vec()] {
            forms.push(("as its hash in hex", HEXLOWER.encode(&hash).into_bytes()));
            forms.push(("as its hash in upper-case hex", HEXUPPER.encode(&hash).into_bytes()));
            // Whole groups of three: as far as all ways to pad agree.
            let groups = hash.get(..hash.len() / 3 * 3).unwrap_or_default();
            forms.push(("as its hash in base64", BASE64.encode(groups).into_bytes()));
            let address = BASE64URL_NOPAD.encode(groups);
            forms.push(("as its hash in base64 for addresses", address.into_bytes()));
            forms.push(("as its hash", hash));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_in_every_form_and_at_every_alignment() {
        let word = "CANARY-00ff";
        let words = Words::new([word]);
        assert!(words.in_bytes(b"CANARY-00fe and other bytes").is_empty());
        for before in ["", "x", "xy", "xyz"] {
            let text = format!("{before}{word}, and on");
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            for bytes in [
                text.clone().into_bytes(),
                HEXLOWER.encode(text.as_bytes()).into_bytes(),
                HEXUPPER.encode(text.as_bytes()).into_bytes(),
                BASE64.encode(text.as_bytes()).into_bytes(),
                BASE64URL_NOPAD.encode(text.as_bytes()).into_bytes(),
                wide,
                [before.as_bytes(), &Sha256::digest(word)].concat(),
                [before.as_bytes(), &Sha512::digest(word.to_lowercase())].concat(),
                HEXLOWER.encode(&Sha512::digest(word)).into_bytes(),
                BASE64.encode(&Sha256::digest(word)).into_bytes(),
            ] {
                assert_eq!(words.in_bytes(&bytes).first().map(|(word, _)| *word), Some(word));
            }
        }
    }
}
