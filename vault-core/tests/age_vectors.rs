//! The 143 test vectors of the age format (C2SP/CCTV, `age/testdata`) through the wrap module.
//!
//! They are read in place from beside the project and never copied into it. A vector is a few `key: value` lines, an
//! empty line and an age file, which may be compressed with zlib.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod vectors;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use vault_core::wrap::{HybridIdentity, Identity, MAX_WORK_FACTOR, WrapError, open, open_outside};

/// More than the largest vector, which has 258 chunks of 64 KiB.
const LIMIT: usize = 32 << 20;

struct Vector {
    name: String,
    expect: String,
    payload: Option<String>,
    identities: Vec<String>,
    passphrases: Vec<String>,
    armored: bool,
    file: Vec<u8>,
}

impl Vector {
    fn read(path: &Path) -> Self {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = std::fs::read(path).unwrap();
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut vector = Self {
            name,
            expect: String::new(),
            payload: None,
            identities: Vec::new(),
            passphrases: Vec::new(),
            armored: false,
            file: bytes[end + 2..].to_vec(),
        };
        for line in head.lines() {
            let (key, value) = line.split_once(": ").unwrap();
            match key {
                "armored" => vector.armored = value == "yes",
                "comment" | "file key" => {}
                "compressed" => {
                    assert_eq!(value, "zlib");
                    let mut inflated = Vec::new();
                    flate2::read::ZlibDecoder::new(vector.file.as_slice()).read_to_end(&mut inflated).unwrap();
                    vector.file = inflated;
                }
                "expect" => value.clone_into(&mut vector.expect),
                "identity" => vector.identities.push(value.to_owned()),
                "passphrase" => vector.passphrases.push(value.to_owned()),
                "payload" => vector.payload = Some(value.to_owned()),
                _ => panic!("{}: unknown key `{key}`", vector.name),
            }
        }
        vector
    }

    /// Checks that `result` is what the vector expects.
    fn check(&self, result: Result<&[u8], &WrapError>) {
        match (result, self.expect.as_str()) {
            (Ok(plaintext), "success") => {
                let digest = HEXLOWER.encode(&Sha256::digest(plaintext));
                assert_eq!(Some(digest), self.payload, "{}: another payload", self.name);
            }
            (Err(WrapError::Armor), "armor failure")
            | (Err(WrapError::Header), "header failure")
            | (Err(WrapError::Hmac), "HMAC failure")
            | (Err(WrapError::NoMatch), "no match")
            | (Err(WrapError::Payload), "payload failure") => {}
            // The format lets an implementation choose its ceiling, and the vectors call it a header failure.
            (Err(WrapError::WorkFactor { asked: 23, ceiling: MAX_WORK_FACTOR }), "header failure")
                if self.name == "scrypt_work_factor_23" => {}
            (result, expected) => {
                panic!("{}: expected {expected}, got {:?}", self.name, result.map(<[u8]>::len));
            }
        }
    }
}

fn vectors() -> Option<Vec<Vector>> {
    let folder = vectors::folder("cctv-age")?;
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    Some(paths.iter().map(|path| Vector::read(path)).collect())
}

#[test]
fn every_vector_of_the_format_comes_out_as_expected() {
    let Some(vectors) = vectors() else { return };
    let mut counts = BTreeMap::new();
    for vector in &vectors {
        let identities: Vec<_> = vector
            .identities
            .iter()
            .map(|text| Identity::from_text(text).unwrap())
            .chain(vector.passphrases.iter().map(|passphrase| Identity::passphrase(passphrase)))
            .collect();
        let opened = open_outside(&identities.iter().collect::<Vec<_>>(), &vector.file, LIMIT);
        vector.check(opened.as_ref().map(|plaintext| plaintext.as_slice()));
        *counts.entry(vector.expect.clone()).or_insert(0) += 1;
    }
    assert_eq!(counts.values().sum::<i32>(), 143, "{counts:?}");
    assert_eq!(counts.len(), 6, "{counts:?}");
}

/// The vault's own way in gives the same answers, but for the two rules that it adds.
#[test]
fn every_hybrid_vector_comes_out_as_expected_inside_the_vault() {
    let Some(vectors) = vectors() else { return };
    let mut count = 0;
    for vector in vectors.iter().filter(|vector| vector.name.contains("hybrid")) {
        count += 1;
        let identities: Vec<_> =
            vector.identities.iter().filter_map(|text| HybridIdentity::from_text(text).ok()).collect();
        let opened = open(&identities.iter().collect::<Vec<_>>(), &vector.file, LIMIT);
        if vector.armored {
            assert_eq!(opened.unwrap_err(), WrapError::Header, "{}", vector.name);
        } else if ["hybrid_and_x25519", "hybrid_x25519_arg"].contains(&vector.name.as_str()) {
            assert_eq!(opened.unwrap_err(), WrapError::Mixed, "{}", vector.name);
        } else {
            vector.check(opened.as_ref().map(|plaintext| plaintext.as_slice()));
        }
    }
    assert_eq!(count, 19);
}
