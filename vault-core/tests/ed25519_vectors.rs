//! The 914 edge cases of Ed25519 verification (C2SP/CCTV, `ed25519/`) against the vault's one way of verifying.
//!
//! The cases are those on which published verifiers disagree ("Taming the many EdDSAs", Chalkias et al. 2020). If two
//! clients disagreed, one would show a record that the other drops, so each case has one answer, by its flags.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod vectors;

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::Deserialize;
use vault_core::check::Check;
use vault_core::crypto::sign::MANY;
use vault_core::crypto::sign::PublicKey;
use vault_core::crypto::sign::Signature;
use vault_core::crypto::sign::VerifyingKey;

/// The flags for which a signature is refused, each with its reason. A vector with none of them is accepted.
///
/// `low_order_component_A` and `low_order_component_R` alone are no reason: a key or a commitment with a part of small
/// order still satisfies the equation without cofactor, which every strict verifier then answers alike, and only the
/// holder of the secret key can make such a signature.
const REFUSED: [(&str, &str); 6] = [
    (
        "low_order_A",
        "a key of small order verifies signatures over any message: nobody holds its secret",
    ),
    (
        "low_order_R",
        "strict verification refuses a commitment of small order, which no honest signer makes",
    ),
    (
        "low_order_residue",
        "only the equation with cofactor holds: verifiers one by one and in batches would disagree",
    ),
    (
        "non_canonical_A",
        "one key would have two encodings, and a device two ids",
    ),
    (
        "non_canonical_R",
        "one signature would have two encodings, and a signed link two texts",
    ),
    (
        "reencoded_k",
        "the challenge was computed over an encoding that is not the one in the signature",
    ),
];

/// The flags that are no reason to refuse.
const NO_REASON: [&str; 2] = ["low_order_component_A", "low_order_component_R"];

#[derive(Deserialize)]
struct Vector {
    number: u32,
    key: String,
    sig: String,
    msg: String,
    flags: Option<Vec<String>>,
}

fn hex<const N: usize>(text: &str) -> [u8; N] {
    HEXLOWER.decode(text.as_bytes()).unwrap().try_into().unwrap()
}

#[test]
fn attack_57_every_edge_case_has_its_one_answer() {
    let Some(path) = vectors::folder("cctv-ed25519.json") else {
        return;
    };
    let vectors: Vec<Vector> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(vectors.len(), 914);
    let mut accepted = 0;
    let mut causes = BTreeMap::new();
    for vector in vectors {
        let flags = vector.flags.unwrap_or_default();
        for flag in &flags {
            let known = REFUSED.iter().any(|(name, _)| name == flag) || NO_REASON.contains(&flag.as_str());
            assert!(known, "{}: unknown flag `{flag}`", vector.number);
        }
        let expected = !REFUSED.iter().any(|(name, _)| flags.iter().any(|flag| flag == name));
        let key = VerifyingKey::new(&PublicKey(hex(&vector.key)), Check::DeviceCertificate);
        let verify = |key: &VerifyingKey| {
            let signature = Signature(hex(&vector.sig));
            key.verify_framed(vector.msg.as_bytes(), &signature, Check::RecordSignature)
        };
        let result = key.clone().and_then(|key| verify(&key));
        // A key that verifies much does it another way, and has to say the same.
        for _ in 0..=MANY {
            assert_eq!(key.clone().and_then(|key| verify(&key)), result, "{}", vector.number);
        }
        assert_eq!(result.is_ok(), expected, "{}: {flags:?}: {result:?}", vector.number);
        match result {
            Ok(()) => accepted += 1,
            Err(refused) => *causes.entry(refused.check).or_insert(0) += 1,
        }
        // A key of small order is refused as a key, before any signature is looked at.
        let weak = flags.iter().any(|flag| flag == "low_order_A");
        let cause = if weak {
            Check::DeviceCertificate
        } else {
            Check::RecordSignature
        };
        assert!(
            result.is_ok() || result.unwrap_err().check == cause,
            "{}",
            vector.number
        );
    }
    // 35 with both components, 7 with one in the key, and the honest one.
    assert_eq!(accepted, 43, "{causes:?}");
}
