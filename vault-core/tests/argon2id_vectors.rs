//! Argon2id against RFC 9106, and our unlock key against the crate that the vector checks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use argon2::Algorithm;
use argon2::Argon2;
use argon2::AssociatedData;
use argon2::ParamsBuilder;
use argon2::Version;
use data_encoding::HEXLOWER;
use vault_core::crypto::passphrase::Cost;
use vault_core::crypto::passphrase::MEMORY_FLOOR_KIB;
use vault_core::crypto::passphrase::unlock_key;

/// RFC 9106, section 5.3. Its memory is below our floor, so it runs against the crate.
#[test]
fn rfc_9106_argon2id() {
    let params = ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(AssociatedData::new(&[4; 12]).unwrap())
        .output_len(32)
        .build()
        .unwrap();
    let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
    assert_eq!(
        HEXLOWER.encode(&tag),
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    );
}

/// Pins the variant, the version, the output length and the order of the parameters.
#[test]
fn our_unlock_key_is_argon2id_version_13() {
    let cost = Cost {
        memory_kib: MEMORY_FLOOR_KIB,
        passes: 3,
        lanes: 2,
    };
    let params = ParamsBuilder::new()
        .m_cost(MEMORY_FLOOR_KIB)
        .t_cost(3)
        .p_cost(2)
        .output_len(32)
        .build()
        .unwrap();
    let mut expected = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(b"correct horse", &[9; 32], &mut expected)
        .unwrap();
    assert_eq!(
        unlock_key(b"correct horse", &[9; 32], &cost).unwrap().expose(),
        &expected
    );
}
