//! Google's Wycheproof vectors against the primitives of the formats.
//!
//! What `vault_core::crypto` fixes by a label cannot be fed raw inputs; there the vectors run against the very crates
//! that it calls, and a property ties our function to the crate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use chacha20poly1305::AeadInOut;
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::KeyInit;
use chacha20poly1305::XChaCha20Poly1305;
use hkdf::Hkdf;
use hmac::Hmac;
use hmac::Mac;
use ml_kem::Decapsulate;
use ml_kem::KeyExport;
use ml_kem::ml_kem_768;
use proptest::prelude::*;
use sha2::Sha256;
use vault_core::check::Check;
use vault_core::context::Label;
use vault_core::crypto::hash;
use vault_core::crypto::sign::MANY;
use vault_core::crypto::sign::PublicKey;
use vault_core::crypto::sign::Signature;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::secret::RecipientSeed;
use vault_core::wrap::HybridIdentity;
use vault_core::wrap::HybridRecipient;
use vault_core::wrap::WrapError;
use wycheproof::TestResult;

/// Runs one AEAD over its vectors and gives their number.
fn aead<A: AeadInOut + KeyInit>(name: wycheproof::aead::TestName) -> usize {
    let mut count = 0;
    for group in wycheproof::aead::TestSet::load(name).unwrap().test_groups {
        for test in group.tests {
            count += 1;
            let opened = open::<A>(
                &test.key,
                &test.nonce,
                &test.aad,
                &[&test.ct[..], &test.tag[..]].concat(),
            );
            match test.result {
                TestResult::Invalid => assert_eq!(opened, None, "{name:?} {}", test.tc_id),
                _ => {
                    assert_eq!(opened.as_deref(), Some(&test.pt[..]), "{name:?} {}", test.tc_id);
                    let cipher = A::new_from_slice(&test.key).unwrap();
                    let mut sealed = test.pt.to_vec();
                    let nonce = test.nonce.as_slice().try_into().unwrap();
                    cipher.encrypt_in_place(nonce, &test.aad, &mut sealed).unwrap();
                    assert_eq!(
                        sealed,
                        [&test.ct[..], &test.tag[..]].concat(),
                        "{name:?} {}",
                        test.tc_id
                    );
                }
            }
        }
    }
    count
}

fn open<A: AeadInOut + KeyInit>(key: &[u8], nonce: &[u8], associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut text = sealed.to_vec();
    let nonce = nonce.try_into().ok()?;
    let cipher = A::new_from_slice(key).ok()?;
    cipher.decrypt_in_place(nonce, associated, &mut text).ok()?;
    Some(text)
}

#[test]
fn xchacha20_poly1305_of_every_seal() {
    assert_eq!(
        aead::<XChaCha20Poly1305>(wycheproof::aead::TestName::XChaCha20Poly1305),
        315
    );
}

#[test]
fn chacha20_poly1305_of_the_age_stanza() {
    assert!(aead::<ChaCha20Poly1305>(wycheproof::aead::TestName::ChaCha20Poly1305) > 300);
}

#[test]
fn ed25519_verified_strictly() {
    let mut count = 0;
    for group in wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519)
        .unwrap()
        .test_groups
    {
        let key = PublicKey(group.key.pk.as_slice().try_into().unwrap());
        let key = VerifyingKey::new(&key, Check::DeviceCertificate).unwrap();
        // Over and over: after a while the key has its table of multiples, and has to say the same.
        let rounds = 2 + MANY as usize;
        for test in group.tests.iter().cycle().take(group.tests.len() * rounds) {
            count += 1;
            // A signature of another length is refused by its type.
            let verified = <[u8; 64]>::try_from(test.sig.as_slice()).is_ok_and(|sig| {
                key.verify_framed(&test.msg, &Signature(sig), Check::RecordSignature)
                    .is_ok()
            });
            assert_eq!(
                verified,
                test.result == TestResult::Valid,
                "{}: {}",
                test.tc_id,
                test.comment
            );
        }
    }
    assert_eq!(count, 151 * (2 + MANY));
}

#[test]
fn hkdf_sha256() {
    let (mut count, mut through_ours) = (0, 0);
    for group in wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256)
        .unwrap()
        .test_groups
    {
        for test in group.tests {
            count += 1;
            let mut okm = vec![0; test.size];
            let expanded = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut okm);
            assert_eq!(expanded.is_ok(), test.result == TestResult::Valid, "{}", test.tc_id);
            if expanded.is_err() {
                continue;
            }
            assert_eq!(okm, test.okm.as_slice(), "{}", test.tc_id);
            // HMAC fills a short key with zeros, so a salt of at most 32 bytes is one of ours.
            if test.salt.len() <= 32 {
                through_ours += 1;
                let mut salt = [0; 32];
                salt[..test.salt.len()].copy_from_slice(&test.salt);
                let (left, right) = test.ikm.split_at(test.ikm.len() / 2);
                let key = hash::extract(&salt, &[left, right]);
                Hkdf::<Sha256>::from_prk(key.as_slice())
                    .unwrap()
                    .expand(&test.info, &mut okm)
                    .unwrap();
                assert_eq!(okm, test.okm.as_slice(), "{}", test.tc_id);
            }
        }
    }
    assert_eq!(count, 86);
    assert!(through_ours > 60, "{through_ours}");
}

#[test]
fn hmac_sha256() {
    let mut count = 0;
    for group in wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256)
        .unwrap()
        .test_groups
    {
        for test in group.tests {
            count += 1;
            let mac = Hmac::<Sha256>::new_from_slice(&test.key)
                .unwrap()
                .chain_update(&test.msg);
            let verified = mac.verify_truncated_left(&test.tag).is_ok();
            assert_eq!(verified, test.result == TestResult::Valid, "{}", test.tc_id);
        }
    }
    assert_eq!(count, 174);
}

/// Puts `share` behind the ML-KEM half of a good recipient.
fn recipient_with(share: &[u8]) -> Result<HybridRecipient, WrapError> {
    let good = HybridIdentity::from_seed(RecipientSeed::from_bytes([5; 32])).recipient();
    HybridRecipient::from_bytes(&[&good.as_bytes()[..HybridRecipient::SIZE - 32], share].concat())
}

#[test]
fn chk_33_x25519_and_its_shares_of_small_order() {
    use wycheproof::xdh::TestFlag::ZeroSharedSecret;
    let (mut count, mut small) = (0, 0);
    for group in wycheproof::xdh::TestSet::load(wycheproof::xdh::TestName::X25519)
        .unwrap()
        .test_groups
    {
        for test in group.tests {
            count += 1;
            let [private, public] = [&test.private_key, &test.public_key].map(|k| k.as_slice().try_into().unwrap());
            let shared = x25519_dalek::x25519(private, public);
            assert_eq!(shared, test.shared_secret.as_slice(), "{}", test.tc_id);
            // Ours refuses exactly the shares for which the secret is zero, whatever the private key.
            let zero = test.flags.contains(&ZeroSharedSecret);
            small += usize::from(zero);
            let refused = recipient_with(&test.public_key).err();
            assert_eq!(refused, zero.then_some(WrapError::MalformedRecipient), "{}", test.tc_id);
        }
    }
    assert_eq!((count, small), (518, 31));
}

/// Decapsulates with a key from its seed, as X-Wing does; `None` for a seed or ciphertext of another length.
fn decapsulate(seed: &[u8], ciphertext: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let key = ml_kem_768::DecapsulationKey::from_seed(seed.try_into().ok()?);
    let shared = key.decapsulate(&ciphertext.try_into().ok()?);
    Some((key.encapsulation_key().to_bytes().to_vec(), shared.to_vec()))
}

#[test]
fn ml_kem_768_decapsulation() {
    use wycheproof::mlkem::TestName::MlKem768;
    let mut count = 0;
    for group in wycheproof::mlkem::TestSet::load(MlKem768).unwrap().test_groups {
        for test in group.tests {
            count += 1;
            let result = decapsulate(&test.seed.unwrap(), &test.ct.unwrap());
            match test.result {
                TestResult::Invalid => assert_eq!(result, None, "{}", test.tc_id),
                _ => {
                    let expected = (test.encaps_key.unwrap().to_vec(), test.shared_secret.unwrap().to_vec());
                    assert_eq!(result, Some(expected), "{}", test.tc_id);
                }
            }
        }
    }
    assert_eq!(count, 201);
}

#[test]
fn ml_kem_768_encapsulation() {
    use wycheproof::mlkem::TestName::MlKem768Encaps;
    let share = HybridIdentity::from_seed(RecipientSeed::from_bytes([5; 32])).recipient();
    let share = &share.as_bytes()[HybridRecipient::SIZE - 32..];
    let mut count = 0;
    for group in wycheproof::mlkem::TestSet::load(MlKem768Encaps).unwrap().test_groups {
        for test in group.tests {
            count += 1;
            let key = test.encaps_key.unwrap();
            // The same key in a recipient of ours is refused or taken just as the bare one is.
            let ours = HybridRecipient::from_bytes(&[&key[..], share].concat());
            let bare = key
                .as_slice()
                .try_into()
                .ok()
                .and_then(|key| ml_kem_768::EncapsulationKey::new(key).ok());
            match test.result {
                TestResult::Invalid => {
                    assert!(bare.is_none(), "{}", test.tc_id);
                    assert_eq!(ours.unwrap_err(), WrapError::MalformedRecipient, "{}", test.tc_id);
                }
                _ => {
                    let message = test.msg.unwrap().as_slice().try_into().unwrap();
                    let (ciphertext, shared) = bare.unwrap().encapsulate_deterministic(&message);
                    assert_eq!(ciphertext.as_slice(), test.ct.unwrap().as_slice(), "{}", test.tc_id);
                    assert_eq!(
                        shared.as_slice(),
                        test.shared_secret.unwrap().as_slice(),
                        "{}",
                        test.tc_id
                    );
                    assert!(ours.is_ok(), "{}", test.tc_id);
                }
            }
        }
    }
    assert_eq!(count, 265);
}

#[test]
fn ml_kem_768_keys_from_seeds() {
    use wycheproof::mlkem::TestName::MlKem768KeyGenSeed;
    let mut count = 0;
    for group in wycheproof::mlkem::TestSet::load(MlKem768KeyGenSeed)
        .unwrap()
        .test_groups
    {
        for test in group.tests {
            count += 1;
            let key = ml_kem_768::DecapsulationKey::from_seed(test.seed.unwrap().as_slice().try_into().unwrap());
            let public = key.encapsulation_key().to_bytes();
            assert_eq!(public.as_slice(), test.encaps_key.unwrap().as_slice(), "{}", test.tc_id);
        }
    }
    assert_eq!(count, 100);
}

proptest! {
    /// Ties our expansion to the crate that the vectors check, at sizes within, at and beyond a block.
    #[test]
    fn our_derivation_is_hkdf_expand(key: [u8; 32], info in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = Label::SectionKey.text();
        let framed = [&[u8::try_from(text.len()).unwrap()], text.as_bytes(), &info].concat();
        let expand = Hkdf::<Sha256>::from_prk(&key).unwrap();
        let mut expected = [0; 160];
        expand.expand(&framed, &mut expected).unwrap();
        let (left, right) = info.split_at(info.len() / 2);
        let parts = [left, right];
        prop_assert_eq!(&*hash::derive::<31>(Label::SectionKey, &key, &parts), &expected[..31]);
        prop_assert_eq!(&*hash::derive::<32>(Label::SectionKey, &key, &parts), &expected[..32]);
        prop_assert_eq!(&*hash::derive::<33>(Label::SectionKey, &key, &parts), &expected[..33]);
        prop_assert_eq!(&*hash::derive::<88>(Label::SectionKey, &key, &parts), &expected[..88]);
        prop_assert_eq!(&*hash::derive::<160>(Label::SectionKey, &key, &parts), &expected);
        let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(&framed).finalize().into_bytes();
        prop_assert_eq!(hash::mac(Label::SectionKey, &key, &parts), <[u8; 32]>::from(mac));
    }
}
