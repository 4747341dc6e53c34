//! §1, §2 and the padding of §3.

use super::DEVICE_SEED;
use super::RECIPIENT_SEED;
use super::hex;
use super::recipient as seed_of;
use super::signer;
use serde_json::Value;
use serde_json::json;
use vault_core::context::Label;
use vault_core::crypto::hash;
use vault_core::crypto::pad;
use vault_core::id::CaseId;
use vault_core::id::DeviceId;
use vault_core::id::GrantId;
use vault_core::id::MemberId;
use vault_core::id::RecordId;
use vault_core::keyring;
use vault_core::wrap::HybridIdentity;

/// H, MAC and KDF under every label, over the same message and key.
pub(crate) fn labels() -> Value {
    let (message, key) = (b"message".as_slice(), [0x77; 32]);
    let made: Vec<_> = Label::ALL
        .iter()
        .map(|label| {
            json!({
                "label": label.text(),
                "hash": hex(hash::hash(*label, &[message])),
                "mac": hex(hash::mac(*label, &key, &[message])),
                "kdf_88": hex(*hash::derive::<88>(*label, &key, &[message])),
            })
        })
        .collect();
    json!({
        "about": "§1, §2: H(L, m), MAC(L, k, m) and KDF(L, k, m, 88) for every label of the registry, whatever it is for.",
        "message": hex(message),
        "key": hex(key),
        "vectors": made,
    })
}

pub(crate) fn ids() -> Value {
    let bytes = [
        [0; 16],
        [0xff; 16],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    ];
    let texts: Vec<_> = bytes
        .iter()
        .map(|b| {
            json!({
                "bytes": hex(b),
                "case": CaseId(*b).to_string(),
                "record": RecordId(*b).to_string(),
                "member": MemberId(*b).to_string(),
                "device": DeviceId(*b).to_string(),
                "grant": GrantId(*b).to_string(),
                "case_handle": CaseId(*b).handle(),
            })
        })
        .collect();
    json!({
        "about": "§1: the text forms of ids, and the text of the vectors' agency id.",
        "vectors": texts,
        "agency": { "bytes": hex(super::agency().0), "text": super::agency().text() },
    })
}

pub(crate) fn padding() -> Value {
    let lengths = [
        0, 1, 254, 255, 256, 257, 1_000, 4_095, 4_096, 10_000, 1_000_000, 16_000_000,
    ];
    let padded: Vec<_> = lengths
        .iter()
        .map(|l| json!({ "payload_length": l, "padded_length": pad::padded_length(*l) }))
        .collect();
    json!({
        "about": "§3: padded lengths by length of payload, and one payload padded.",
        "lengths": padded,
        "payload": hex(b"{}"),
        "padded": hex(pad::pad(b"{}").as_slice()),
    })
}

pub(crate) fn recipient() -> Value {
    let identity = HybridIdentity::from_seed(seed_of(RECIPIENT_SEED));
    json!({
        "about": "§11: an X-Wing seed, its public key, and their text forms.",
        "seed": hex(RECIPIENT_SEED),
        "recipient": hex(keyring::recipient_key(&seed_of(RECIPIENT_SEED)).0),
        "recipient_text": identity.recipient().to_string(),
        "identity_text": identity.to_text().as_str(),
    })
}

pub(crate) fn signing() -> Value {
    let key = signer(DEVICE_SEED);
    let signatures: Vec<_> = [
        Label::RootSignature,
        Label::DeviceCertificate,
        Label::RecordSignature,
        Label::LinkSignature,
        Label::ReleaseCommitment,
    ]
    .iter()
    .map(|label| {
        let signature = key.sign(*label, &[b"message"]);
        json!({ "label": label.text(), "signature": hex(signature.0) })
    })
    .collect();
    json!({
        "about": "§1: Sign(L, sk, m) under every label that signs.",
        "seed": hex(DEVICE_SEED),
        "public": hex(key.public().0),
        "message": hex(b"message"),
        "vectors": signatures,
    })
}
