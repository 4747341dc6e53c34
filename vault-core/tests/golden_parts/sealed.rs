//! §3, §4, §9, §10 and §12: what is sealed.

use super::CASE;
use super::DEVICE;
use super::DEVICE_SEED;
use super::DPO_SEED;
use super::EPOCH_KEY;
use super::IDENTITY_SEED;
use super::LOG_SEED;
use super::MEMBER;
use super::RECIPIENT_SEED;
use super::RECOVERY_SEED;
use super::RECOVERY_SIGNING_SEED;
use super::SEAL_SECRET;
use super::STORE_KEY;
use super::agency;
use super::hex;
use super::recipient;
use super::signer;
use serde_json::Value;
use serde_json::json;
use vault_core::access::Ratchet;
use vault_core::access::SealedEntry;
use vault_core::context::Label;
use vault_core::crypto::hash;
use vault_core::crypto::pad;
use vault_core::crypto::passphrase::Cost;
use vault_core::epoch;
use vault_core::epoch::SectionSealer;
use vault_core::epoch::release_commitment_bytes;
use vault_core::id::LinkId;
use vault_core::id::RecordHash;
use vault_core::id::RecordId;
use vault_core::keystore;
use vault_core::keystore::RecoverySeeds;
use vault_core::keystore::Secrets;
use vault_core::local::LocalKeys;
use vault_core::local::head::CommitOrder;
use vault_core::local::head::StoreHead;
use vault_core::local::head::StreamHead;
use vault_core::local::index::ContentTag;
use vault_core::local::index::EntryKey;
use vault_core::local::value;
use vault_core::record;
use vault_core::record::SealedRecord;
use vault_core::secret::EpochKey;
use vault_core::secret::ReleaseHalf;
use vault_core::secret::SealSecret;
use vault_core::secret::SigningSeed;
use vault_core::secret::StoreKey;
use vault_core::wire;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::key::KeyContext;
use vault_core::wire::v1::key::Keyring;
use vault_core::wire::v1::key::KeyringEntry;
use vault_core::wire::v1::key::RecipientKind;
use vault_core::wire::v1::key::RecipientRef;
use vault_core::wire::v1::key::WrapContext;
use vault_core::wire::v1::link::Release;
use vault_core::wire::v1::link::ReleaseCommitment;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::Month;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;

pub(crate) const MONTH: Month = Month(682);
pub(crate) const PAYLOAD: &[u8] = b"{\"schema\":\"casevault.note/1\",\"note\":\"n-1\"}";
const RANDOM: [u8; 32] = [0x50; 32];

pub(crate) fn header(number: u8, version: u32, amends: RecordHash) -> RecordHeader {
    RecordHeader {
        format: 1,
        agency: agency(),
        stream: StreamId::case(CASE),
        section: Section::CORE,
        record: RecordId([number; 16]),
        version,
        amends,
        member: MEMBER,
        device: DEVICE,
        class: RecordClass::Note,
        padded_length: 0,
        commitment: [0; 32],
    }
}

pub(crate) fn seal(header: RecordHeader) -> SealedRecord {
    let secret = SealSecret::from_bytes(SEAL_SECRET);
    record::seal(header, PAYLOAD, &RANDOM, &secret, &signer(DEVICE_SEED)).unwrap()
}

pub(crate) fn first() -> SealedRecord {
    seal(header(0x60, 1, RecordHash::ZERO))
}

fn described(header: RecordHeader) -> Value {
    let sealed = seal(header.clone());
    let padded = pad::pad(PAYLOAD);
    let blank = RecordHeader {
        padded_length: padded.len() as u32,
        ..header
    };
    let bytes = wire::encode(sealed.record.header()).unwrap();
    json!({
        "payload": hex(PAYLOAD),
        "padded": hex(padded.as_slice()),
        "random": hex(RANDOM),
        "seal_secret": hex(SEAL_SECRET),
        "device_seed": hex(DEVICE_SEED),
        "device_public": hex(signer(DEVICE_SEED).public().0),
        "header_without_commitment": hex(wire::encode(&blank).unwrap()),
        "record_key": hex(sealed.key.expose()),
        "record_seal": hex(*hash::derive::<88>(Label::RecordSeal, sealed.key.expose(), &[])),
        "header": hex(&bytes),
        "ciphertext": hex(sealed.record.ciphertext()),
        "ciphertext_hash": hex(hash::hash(Label::CiphertextHash, &[sealed.record.ciphertext()])),
        "record_hash": hex(sealed.record.hash().0),
        "signature": hex(sealed.record.signature().0),
    })
}

pub(crate) fn record() -> Value {
    let second = header(0x60, 2, first().record.hash());
    json!({
        "about": "§3: a record, and a version that amends it, from payload to signature.",
        "first": described(header(0x60, 1, RecordHash::ZERO)),
        "second": described(second),
    })
}

pub(crate) fn context() -> KeyContext {
    KeyContext {
        agency: agency(),
        stream: StreamId::case(CASE),
        section: Section::CORE,
        epoch: Epoch::FIRST,
    }
}

pub(crate) fn none() -> Release {
    Release {
        month: MONTH,
        commitment: None,
    }
}

pub(crate) fn sealer() -> SectionSealer {
    let key = EpochKey::from_bytes(EPOCH_KEY);
    SectionSealer::derive(&key, &ReleaseHalf::none(), context(), &none()).unwrap()
}

fn one_wrap(half: [u8; 32], release: &Release) -> Value {
    let sealed = first();
    let key = EpochKey::from_bytes(EPOCH_KEY);
    let bytes = wire::encode(&context()).unwrap();
    let version = release.commitment.as_ref().map_or(0, |c| c.version);
    let mixed = hash::extract(&half, &[&EPOCH_KEY]);
    let section_key = hash::derive::<32>(
        Label::SectionKey,
        &mixed,
        &[&bytes, &release.month.0.to_be_bytes(), &version.to_be_bytes()],
    );
    let sealer = SectionSealer::derive(&key, &ReleaseHalf::from_bytes(half), context(), release).unwrap();
    let wrap = sealer.wrap(&sealed.key, sealed.record.hash()).unwrap();
    let wrap_context = WrapContext {
        agency: agency(),
        stream: context().stream,
        section: context().section,
        epoch: context().epoch,
        month: release.month,
        record_hash: sealed.record.hash(),
    };
    json!({
        "release_half": hex(half),
        "month": release.month.0,
        "release_version": version,
        "section_key": hex(*section_key),
        "record_hash": hex(sealed.record.hash().0),
        "record_key": hex(sealed.key.expose()),
        "wrap_seal": hex(*hash::derive::<56>(Label::WrapSeal, &section_key, &[&sealed.record.hash().0])),
        "wrap_context": hex(wire::encode(&wrap_context).unwrap()),
        "wrap": hex(wrap.0),
        "wrap_hash": hex(wrap.hash().0),
    })
}

pub(crate) fn wrap() -> Value {
    let key = EpochKey::from_bytes(EPOCH_KEY);
    json!({
        "about": "§3, §4: from an epoch key to the wrap of the first record's key, without and with a release half.",
        "epoch_key": hex(EPOCH_KEY),
        "key_context": hex(wire::encode(&context()).unwrap()),
        "epoch_commitment": hex(epoch::commitment(&key, &context()).unwrap()),
        "without_release": one_wrap([0; 32], &none()),
        "with_release": one_wrap([0x51; 32], &released()),
    })
}

pub(crate) fn released() -> Release {
    let mut committed = ReleaseCommitment {
        version: 3,
        commitment: [0x52; 32],
        signature: [0; 64],
    };
    let unsigned = Release {
        month: MONTH,
        commitment: Some(committed),
    };
    let framed = release_commitment_bytes(&context(), &unsigned).unwrap();
    let message = &framed[1 + Label::ReleaseCommitment.text().len()..];
    committed.signature = signer(LOG_SEED).sign(Label::ReleaseCommitment, &[message]).0;
    Release {
        month: MONTH,
        commitment: Some(committed),
    }
}

pub(crate) fn release_commitment() -> Value {
    json!({
        "about": "§6: a release commitment under the log key; `release` is the structure of a placement.",
        "log_seed": hex(LOG_SEED),
        "log_public": hex(signer(LOG_SEED).public().0),
        "framed_message": hex(release_commitment_bytes(&context(), &released()).unwrap()),
        "release": hex(wire::encode(&released()).unwrap()),
    })
}

pub(crate) fn to() -> RecipientRef {
    RecipientRef {
        kind: RecipientKind::Member,
        id: MEMBER,
        version: 1,
    }
}

pub(crate) fn plain_keyring() -> Keyring {
    let entry = |section: Section, epoch: Epoch, byte: u8| KeyringEntry {
        section,
        epoch,
        key: [byte; 32],
    };
    Keyring {
        format: 1,
        agency: agency(),
        stream: StreamId::case(CASE),
        to: to(),
        entries: vec![
            entry(Section::INDEX, Epoch::FIRST, 0x0e),
            entry(Section::CORE, Epoch::FIRST, 0x0d),
            entry(Section::CORE, Epoch(1), 0x0f),
        ],
    }
}

pub(crate) fn keyring() -> Value {
    let file = b"age-encryption.org/v1\n(any file)";
    json!({
        "about": "§4: the plaintext of a keyring. The age file around it is random; only its hash is of this format.",
        "plaintext": hex(wire::encode(&plain_keyring()).unwrap()),
        "entries": [
            { "section": 0, "epoch": 0, "key": hex([0x0e; 32]) },
            { "section": 1, "epoch": 0, "key": hex([0x0d; 32]) },
            { "section": 1, "epoch": 1, "key": hex([0x0f; 32]) },
        ],
        "file": hex(file),
        "keyring_hash": hex(vault_core::keyring::keyring_hash(file).0),
    })
}

pub(crate) const S0: [u8; 32] = [0x53; 32];
pub(crate) const ENTRY: &[u8] = b"{\"schema\":\"casevault.access/1\",\"operation\":\"open\"}";
const MANIFEST: &[u8] = b"[\"n-1\",\"n-2\"]";

pub(crate) fn ratchet() -> Ratchet {
    let state = [[0; 12].as_slice(), &S0].concat();
    Ratchet::from_bytes(agency(), DEVICE, &state).unwrap()
}

const ACCESS_RANDOM: [u8; 32] = [0x56; 32];

pub(crate) fn seal_entry(ratchet: &mut Ratchet, subject: Option<StreamId>, manifest: Option<&[u8]>) -> SealedEntry {
    let secret = SealSecret::from_bytes(SEAL_SECRET);
    ratchet
        .seal(AccessOperation::Open, subject, ENTRY, manifest, &ACCESS_RANDOM, &secret)
        .unwrap()
}

pub(crate) fn access() -> Value {
    let mut ratchet = ratchet();
    let subject = Some(StreamId::case(CASE));
    let entries: Vec<_> = [Some(MANIFEST), None]
        .into_iter()
        .map(|manifest| {
            let before = ratchet.to_bytes();
            let sealed = seal_entry(&mut ratchet, subject, manifest);
            json!({
                "state": hex(&before[12..]),
                "random": hex(ACCESS_RANDOM),
                "plaintext": hex(ENTRY),
                "manifest_plaintext": manifest.map(hex),
                "entry": hex(wire::encode(&sealed.entry).unwrap()),
                "body": hex(&sealed.body),
                "body_hash": hex(sealed.entry.body_hash.0),
                "manifest": sealed.manifest.as_ref().map(hex),
                "manifest_hash": hex(sealed.entry.manifest_hash.0),
                "next_state": hex(&ratchet.to_bytes()[12..]),
            })
        })
        .collect();
    json!({
        "about": "§9: the first two entries of segment 0 of the device's access stream.",
        "agency": hex(agency().0),
        "device": hex(DEVICE.0),
        "segment": 0,
        "s0": hex(S0),
        "seal_secret": hex(SEAL_SECRET),
        "entries": entries,
    })
}

pub(crate) const PASSPHRASE: &str = "correct horse battery staple";
pub(crate) const CHEAP: Cost = Cost {
    memory_kib: 65_536,
    passes: 3,
    lanes: 1,
};
const SALT: [u8; 32] = [0x54; 32];
const FRESH: [u8; 32] = [0x55; 32];

pub(crate) fn keystore_file() -> Vec<u8> {
    let secrets = Secrets {
        device: SigningSeed::from_bytes(DEVICE_SEED),
        seal_secret: SealSecret::from_bytes(SEAL_SECRET),
        store_key: StoreKey::from_bytes(STORE_KEY),
        identity: SigningSeed::from_bytes(IDENTITY_SEED),
        recipients: vec![(1, recipient(RECIPIENT_SEED))],
        dpo: vec![(0, recipient(DPO_SEED))],
        recovery: Some(RecoverySeeds {
            version: 1,
            recipient: recipient(RECOVERY_SEED),
            signing: SigningSeed::from_bytes(RECOVERY_SIGNING_SEED),
            seed: None,
        }),
    };
    let mut unlocked = keystore::create(agency(), MEMBER, DEVICE, PASSPHRASE, CHEAP, SALT).unwrap();
    keystore::write(&mut unlocked, &secrets, FRESH).unwrap()
}

pub(crate) fn keystore() -> Value {
    json!({
        "about": "§10: a keystore with the cheapest parameters that are accepted, its first generation.",
        "passphrase": { "text": PASSPHRASE },
        "memory_kib": CHEAP.memory_kib,
        "passes": CHEAP.passes,
        "lanes": CHEAP.lanes,
        "salt": hex(SALT),
        "fresh": hex(FRESH),
        "secrets": {
            "device": hex(DEVICE_SEED),
            "seal_secret": hex(SEAL_SECRET),
            "store_key": hex(STORE_KEY),
            "identity": hex(IDENTITY_SEED),
            "recipients": [{ "version": 1, "seed": hex(RECIPIENT_SEED) }],
            "dpo": [{ "version": 0, "seed": hex(DPO_SEED) }],
            "recovery": { "version": 1, "recipient": hex(RECOVERY_SEED), "signing": hex(RECOVERY_SIGNING_SEED) },
        },
        "file": hex(keystore_file()),
    })
}

pub(crate) fn local() -> Value {
    let keys = LocalKeys::derive(&StoreKey::from_bytes(STORE_KEY));
    let links = [LinkId([0x61; 32]), LinkId([0x62; 32])];
    let order = links.iter().fold(CommitOrder::START, |order, link| order.then(link));
    let stream = StreamHead {
        stream: StreamId::case(CASE),
        seq: 1,
        link: links[1],
    };
    let store = StoreHead {
        agency: agency(),
        pos: 2,
        order,
        streams: 1,
    };
    let sealed = value::seal(&keys.state, "draft", b"value", &FRESH).unwrap();
    json!({
        "about": "§12: what a store keeps under its own key.",
        "store_key": hex(STORE_KEY),
        "links": links.map(|l| hex(l.0)),
        "commit_order": hex(order.0),
        "stream_head": { "stream": hex(wire::encode(&stream.stream).unwrap()), "seq": 1, "id": hex(links[1].0),
            "mac": hex(stream.mac(&keys.heads)) },
        "store_head": { "agency": hex(agency().0), "pos": 2, "streams": 1, "mac": hex(store.mac(&keys.heads)) },
        "index": { "kind": "note", "external_id": "ext-1", "key": hex(EntryKey::new(&keys.index, "note", "ext-1").0),
            "line": hex(b"{}"), "content": hex(ContentTag::new(&keys.index, b"{}").0) },
        "value": { "name": "draft", "value": hex(b"value"), "fresh": hex(FRESH), "sealed": hex(sealed) },
    })
}
