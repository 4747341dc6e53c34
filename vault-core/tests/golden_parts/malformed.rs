//! What a reader must refuse, each with the check that refuses it.
//!
//! A vector names the `structure` that its bytes claim to be:
//! - `link`: a link's signed bytes; `founding`: those of an agency's first link, with `signature`;
//! - `record`: `header`, `ciphertext`, `signature`; to be verified under `device_public` and opened with `record_key`;
//! - `wrap`: 48 bytes, for `record.first` under the section key of `wrap.without_release`;
//! - `keyring`: a keyring's plaintext, for `keyring`'s recipient; `keystore`: a file, with the passphrase of `keystore`;
//! - `attachment`: how a file differs from that of `attachment`: a byte, `[where, XOR]`, of its `content`, of what is
//!   `padded` or of the `file`; or the `pieces` of the honest file that it is, each `[from, bytes]`;
//! - `card`: the `words` of a recovery card; `backup_head`: a head, with the passphrase of `keystore`; `ledger`: a file, by
//!   the devices of `agency_links`; `sheet`: the `text` of an enrolment sheet; `join_request`: a sealed request under the
//!   sheet of `enrolment.member`;
//! - `witness_position`: what a witness keeps, of the log of `log`; `cosigned`: what a server answers of it, for the witness
//!   of `log`;
//! - `padding`: padded bytes; `access_body`: the body of the first entry of `access`.

use super::CASE;
use super::DEVICE_SEED;
use super::LOG_SEED;
use super::RECIPIENT_SEED;
use super::RECOVERY_SIGNING_SEED;
use super::agency;
use super::attachment;
use super::enrolment;
use super::hex;
use super::links;
use super::log;
use super::recipient;
use super::recovery;
use super::sealed;
use super::signer;
use super::unhex;
use serde_json::Value;
use serde_json::json;
use vault_core::access::require_parts;
use vault_core::agency_state::AgencyState;
use vault_core::attachment::open_whole;
use vault_core::backup;
use vault_core::check::Check;
use vault_core::check::Refused;
use vault_core::context::Label;
use vault_core::crypto::hash;
use vault_core::crypto::pad;
use vault_core::crypto::sign::Signature;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::epoch::Wrap;
use vault_core::id::CaseId;
use vault_core::id::RecordHash;
use vault_core::keyring;
use vault_core::keystore;
use vault_core::ledger;
use vault_core::record::UnverifiedRecord;
use vault_core::record::VerifiedRecord;
use vault_core::secret::RecordKey;
use vault_core::stream::UnverifiedLink;
use vault_core::tlog::checkpoint::SignedCheckpoint;
use vault_core::tlog::checkpoint::Witness;
use vault_core::tlog::witness::Position;
use vault_core::wire;
use vault_core::wire::v1::access::AccessEntry;
use vault_core::wire::v1::agency::Root;
use vault_core::wire::v1::enrolment::InviteKind;
use vault_core::wire::v1::follow::CosignedNotes;
use vault_core::wire::v1::key::Keyring;
use vault_core::wire::v1::keystore::KeystoreFile;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::link::Link;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wrap::HybridIdentity;

/// The check that refuses a vector, if any.
pub(crate) fn refused_by(vector: &Value) -> Option<Check> {
    attempt(vector).err().map(|refused| refused.check)
}

fn attempt(vector: &Value) -> Result<(), Refused> {
    let signature = || Signature(unhex(&vector["signature"]).try_into().unwrap());
    match vector["structure"].as_str().unwrap() {
        "link" => UnverifiedLink::decode(&unhex(&vector["bytes"]), Signature([0; 64])).map(|_| ()),
        "founding" => {
            let link = UnverifiedLink::decode(&unhex(&vector["bytes"]), signature())?;
            AgencyState::found(&link).map(|_| ())
        }
        "record" => {
            let header: RecordHeader = wire::decode(&unhex(&vector["header"]), 174)?;
            let record = UnverifiedRecord::new(header, unhex(&vector["ciphertext"]), signature())?;
            let key = VerifyingKey::new(&signer(DEVICE_SEED).public(), Check::AuthorDevice)?;
            record.verify(&key)?.open(&sealed::first().key).map(|_| ())
        }
        "wrap" => {
            let wrap = Wrap(unhex(&vector["bytes"]).try_into().unwrap());
            let record = sealed::first().record;
            let key = sealed::sealer().unwrap(&wrap, record.hash())?;
            record.open(&key).map(|_| ())
        }
        "keyring" => {
            let identity = HybridIdentity::from_seed(recipient(RECIPIENT_SEED));
            let mut random = rand_core::UnwrapErr(getrandom::SysRng);
            let file = vault_core::wrap::seal(&[&identity.recipient()], &unhex(&vector["bytes"]), &mut random).unwrap();
            let stream = StreamId::case(CASE);
            keyring::open(agency(), stream, sealed::to(), &recipient(RECIPIENT_SEED), &file).map(|_| ())
        }
        "keystore" => keystore::unlock(&unhex(&vector["bytes"]), sealed::PASSPHRASE).map(|_| ()),
        "attachment" => {
            let file = attachment::made(vector);
            open_whole(&attachment::payload(), &attachment::context(), &file).map(|_| ())
        }
        "card" => {
            let words: Vec<String> = vector["words"]
                .as_str()
                .unwrap()
                .split(' ')
                .map(str::to_owned)
                .collect();
            let read = vault_core::recovery::words::decode(&words);
            read.map(|_| ()).map_err(|error| error.check().into())
        }
        "sheet" => match vault_core::joining::read_sheet(vector["text"].as_str().unwrap()) {
            Ok(sheet) => vault_core::joining::Invite::of(sheet).map(|_| ()),
            Err(error) => Err(error.check().into()),
        },
        "join_request" => {
            let invite = enrolment::invite(InviteKind::Member);
            invite.open_request(&unhex(&vector["bytes"])).map(|_| ())
        }
        "backup_head" => {
            let head = backup::read_head(&unhex(&vector["bytes"]))?;
            backup::with_passphrase(&head, sealed::PASSPHRASE).map(|_| ())
        }
        "ledger" => ledger::read(&unhex(&vector["bytes"]), &links::agency_stream().0).map(|_| ()),
        "witness_position" => {
            let key = VerifyingKey::new(&signer(LOG_SEED).public(), Check::CheckpointSignature)?;
            Position::from_bytes(agency(), &key, &unhex(&vector["bytes"])).map(|_| ())
        }
        "cosigned" => {
            let notes: CosignedNotes = wire::decode(&unhex(&vector["bytes"]), limit::COSIGNED)?;
            let key = VerifyingKey::new(&signer(LOG_SEED).public(), Check::CheckpointSignature)?;
            let known = [Witness::new(log::WITNESS, &signer(RECOVERY_SIGNING_SEED).public())?];
            for one in &notes.notes {
                SignedCheckpoint::open(&one.note, agency(), &key, &known)?;
            }
            Ok(())
        }
        "padding" => pad::unpad(&unhex(&vector["bytes"])).map(|_| ()),
        "access_body" => {
            let body = unhex(&vector["bytes"]);
            require_parts(&first_entry().0, &body, None)
        }
        other => panic!("no structure `{other}`"),
    }
}

fn first_entry() -> (AccessEntry, Vec<u8>) {
    let subject = Some(StreamId::case(CASE));
    let sealed = sealed::seal_entry(&mut sealed::ratchet(), subject, None);
    (sealed.entry, sealed.body)
}

fn vector(name: &str, structure: &str, bytes: &[u8], check: Check) -> Value {
    json!({ "name": name, "structure": structure, "bytes": hex(bytes), "check": check.to_string() })
}

/// The honest values that [`all`] breaks.
pub(crate) fn honest() -> Vec<Value> {
    let plain = |structure: &str, bytes: &[u8]| json!({ "structure": structure, "bytes": hex(bytes) });
    let first = links::founding(links::first_root());
    let record = sealed::first().record;
    let wrap = sealed::sealer().wrap(&sealed::first().key, record.hash()).unwrap();
    vec![
        plain("link", links::case_opened().bytes()),
        json!({ "structure": "founding", "bytes": hex(first.bytes()), "signature": hex(first.signature().0) }),
        record_vector("honest", &record_parts(&record), None),
        plain("wrap", &wrap.0),
        plain("keyring", &wire::encode(&sealed::plain_keyring()).unwrap()),
        plain("keystore", &sealed::keystore_file()),
        attachment::honest(),
        plain("padding", &pad::pad(sealed::PAYLOAD)),
        plain("access_body", &first_entry().1),
        json!({ "structure": "card", "words": card_words().join(" ") }),
        plain("backup_head", &backup_head()),
        plain("ledger", &recovery::ledger_bytes()),
        plain("witness_position", &unhex(&log::log()["witness_position"]["bytes"])),
        plain("cosigned", &unhex(&log::log()["cosigned"])),
        json!({ "structure": "sheet", "text": sheet_rows().join("\n") }),
        plain("join_request", &enrolment::request(InviteKind::Member)),
    ]
}

pub(crate) fn all() -> Value {
    let mut out = Vec::new();
    out.extend(of_links());
    out.extend(of_foundings());
    out.extend(of_records());
    out.extend(of_wraps());
    out.extend(of_keyrings());
    out.extend(of_keystores());
    out.extend(of_padding());
    out.extend(of_bodies());
    out.extend(attachment::malformed());
    out.extend(of_cards());
    out.extend(of_backup_heads());
    out.extend(of_ledgers());
    out.extend(log::malformed());
    out.extend(enrolment::malformed());
    Value::Array(out)
}

fn card_words() -> Vec<String> {
    vault_core::recovery::words::encode(&recovery::first_card())
        .unwrap()
        .to_vec()
}

fn of_cards() -> Vec<Value> {
    let honest = card_words();
    let card = recovery::first_card();
    let edited = |edit: &dyn Fn(&mut vault_core::wire::v1::recovery::RecoveryCard)| {
        let mut card = card.clone();
        edit(&mut card);
        vault_core::recovery::words::encode(&card).unwrap().to_vec()
    };
    let swapped = |at: usize| {
        let mut words = honest.clone();
        words.swap(at, at + 1);
        words
    };
    let mut unknown = honest.clone();
    unknown[9] = "xyzzy".to_owned();
    let cases = [
        ("card, a word that is none", unknown, Check::CardWords),
        ("card, a word less", honest[..39].to_vec(), Check::CardWords),
        ("card, two words swapped", swapped(20), Check::CardWords),
        ("card, a threshold of 1", edited(&|c| c.threshold = 1), Check::CardWords),
        (
            "card, a threshold above the cards",
            edited(&|c| c.threshold = 4),
            Check::CardWords,
        ),
        ("card, number 0", edited(&|c| c.number = 0), Check::CardWords),
        (
            "card, a number above the cards",
            edited(&|c| c.number = 4),
            Check::CardWords,
        ),
        ("card, another form", edited(&|c| c.format = 2), Check::UnknownFormat),
    ];
    let told = cases.map(|(name, words, check)| {
        json!({ "name": name, "structure": "card", "words": words.join(" "), "check": check.to_string() })
    });
    told.to_vec()
}

fn sheet_rows() -> Vec<String> {
    let sheet = enrolment::sheet(InviteKind::Member);
    vault_core::joining::sheet_rows(&sheet).unwrap().to_vec()
}

fn backup_head() -> Vec<u8> {
    unhex(&recovery::backup()["head"])
}

fn of_backup_heads() -> Vec<Value> {
    let honest = backup_head();
    let set = |at: usize, bytes: &[u8]| {
        let mut edited = honest.clone();
        edited[at..at + bytes.len()].copy_from_slice(bytes);
        edited
    };
    let cost = 8 + 2 + 32 + 16 + 16 + 4 + 8 + 1;
    let flip = |at: usize| set(at, &[honest[at] ^ 1]);
    let short = &honest[..honest.len() - 1];
    vec![
        vector("backup head, cut", "backup_head", short, Check::BackupTruncated),
        vector("backup head, other magic", "backup_head", &flip(0), Check::NotCanonical),
        vector(
            "backup head, format 2",
            "backup_head",
            &set(8, &[0, 2]),
            Check::UnknownFormat,
        ),
        vector(
            "backup head, kdf 2",
            "backup_head",
            &set(cost - 1, &[2]),
            Check::UnknownFormat,
        ),
        vector(
            "backup head, memory over its ceiling",
            "backup_head",
            &set(cost, &[0xff; 4]),
            Check::KdfBounds,
        ),
        vector(
            "backup head, 2 passes",
            "backup_head",
            &set(cost + 4, &[0, 0, 0, 2]),
            Check::KdfBounds,
        ),
        vector(
            "backup head, another agency",
            "backup_head",
            &flip(20),
            Check::BackupHead,
        ),
        vector(
            "backup head, another length",
            "backup_head",
            &flip(cost - 2),
            Check::BackupHead,
        ),
        vector(
            "backup head, another commitment",
            "backup_head",
            &flip(honest.len() - 60),
            Check::BackupHead,
        ),
        vector(
            "backup head, another seed",
            "backup_head",
            &flip(honest.len() - 1),
            Check::BackupHead,
        ),
    ]
}

fn of_ledgers() -> Vec<Value> {
    let honest = recovery::ledger_bytes();
    let flip = |at: usize| {
        let mut edited = honest.clone();
        edited[at] ^= 1;
        edited
    };
    let last = honest.len() - 1;
    let longer = [&honest[..], &[0]].concat();
    vec![
        vector("ledger, one byte more", "ledger", &longer, Check::NotCanonical),
        vector("ledger, of another agency", "ledger", &flip(10), Check::Agency),
        vector(
            "ledger, by a device that is not known",
            "ledger",
            &flip(40),
            Check::Ledger,
        ),
        vector("ledger, another signature", "ledger", &flip(last), Check::Ledger),
        vector(
            "ledger, another signature of an entry",
            "ledger",
            &flip(last - 80),
            Check::Ledger,
        ),
    ]
}

/// Bytes before a link's body: format, agency, stream, seq, previous, agency head, no `seen`, device.
const BODY: usize = 2 + 32 + 17 + 8 + 32 + 32 + 1 + 16;

fn of_links() -> Vec<Value> {
    let honest = links::case_opened().bytes().to_vec();
    let set = |at: usize, bytes: &[u8]| {
        let mut edited = honest.clone();
        edited[at..at + bytes.len()].copy_from_slice(bytes);
        edited
    };
    assert_eq!(honest[BODY..BODY + 3], [2, 0, 32]);
    let link: Link = wire::decode(&honest, 1 << 20).unwrap();
    let mut relation = link.clone();
    relation.body = links::plain(vault_core::wire::v1::event::Event::Relation);
    let relation = wire::encode(&relation).unwrap();
    let wide = [&relation[..relation.len() - 1], &[0x40, 0x00]].concat();
    let mut access = link.clone();
    access.stream.kind = vault_core::wire::v1::stream::StreamKind::Access;
    let mut cases = vec![
        vector(
            "link, one byte more",
            "link",
            &[&honest[..], &[0]].concat(),
            Check::NotCanonical,
        ),
        vector(
            "link, one byte less",
            "link",
            &honest[..honest.len() - 1],
            Check::NotCanonical,
        ),
        vector("link, empty", "link", &[], Check::NotCanonical),
        vector(
            "link, a length in two bytes that fits in one",
            "link",
            &wide,
            Check::NotCanonical,
        ),
        vector(
            "link, `seen` is neither 0 nor 1",
            "link",
            &set(BODY - 17, &[2]),
            Check::NotCanonical,
        ),
        vector("link, stream kind 0", "link", &set(34, &[0]), Check::UnknownFormat),
        vector("link, stream kind 4", "link", &set(34, &[4]), Check::UnknownFormat),
        vector("link, body kind 0", "link", &set(BODY, &[0]), Check::UnknownFormat),
        vector("link, body kind 6", "link", &set(BODY, &[6]), Check::UnknownFormat),
        vector(
            "link, an event in an access stream",
            "link",
            &wire::encode(&access).unwrap(),
            Check::KindOfStream,
        ),
    ];
    for format in [0u16, 2, 0xffff] {
        let name = format!("link, format {format}");
        cases.push(vector(
            &name,
            "link",
            &set(0, &format.to_be_bytes()),
            Check::UnknownFormat,
        ));
    }
    for reserved in [0u16, 14, 35, 39, 47, 65535] {
        let name = format!("link, event type {reserved}");
        cases.push(vector(
            &name,
            "link",
            &set(BODY + 1, &reserved.to_be_bytes()),
            Check::UnknownFormat,
        ));
    }
    cases
}

fn of_foundings() -> Vec<Value> {
    let edited = |name: &str, edit: fn(&mut Root), check: Check| {
        let mut root = links::first_root();
        edit(&mut root);
        let link = links::founding(root);
        let mut made = vector(name, "founding", link.bytes(), check);
        made["signature"] = hex(link.signature().0).into();
        made
    };
    let honest = links::founding(links::first_root());
    let mut forged = vector(
        "founding, signature changed",
        "founding",
        honest.bytes(),
        Check::LinkSignature,
    );
    let mut signature = *honest.signature();
    signature.0[0] ^= 1;
    forged["signature"] = hex(signature.0).into();
    vec![
        edited("root, version 2", |r| r.version = 2, Check::RootChain),
        edited(
            "root, a threshold of 0",
            |r| r.thresholds[0].administrators = 0,
            Check::RootThreshold,
        ),
        edited(
            "root, a threshold of 2 of 1",
            |r| r.thresholds[0].administrators = 2,
            Check::RootThreshold,
        ),
        edited(
            "root, a threshold missing",
            |r| r.thresholds.truncate(3),
            Check::RootThreshold,
        ),
        edited(
            "root, thresholds unsorted",
            |r| r.thresholds.reverse(),
            Check::NotCanonical,
        ),
        edited("root, sections unsorted", |r| r.sections.reverse(), Check::NotCanonical),
        edited(
            "root, without a core section",
            |r| drop(r.sections.drain(1..2)),
            Check::NotCanonical,
        ),
        edited("root, minimum format 2", |r| r.minimum_format = 2, Check::UnknownFormat),
        edited("root, format 2", |r| r.format = 2, Check::UnknownFormat),
        forged,
    ]
}

#[derive(Clone)]
struct Parts {
    header: RecordHeader,
    ciphertext: Vec<u8>,
    signature: Signature,
}

fn record_parts(record: &VerifiedRecord) -> Parts {
    Parts {
        header: record.header().clone(),
        ciphertext: record.ciphertext().to_vec(),
        signature: *record.signature(),
    }
}

fn record_vector(name: &str, parts: &Parts, check: Option<Check>) -> Value {
    json!({
        "name": name,
        "structure": "record",
        "header": hex(wire::encode(&parts.header).unwrap()),
        "ciphertext": hex(&parts.ciphertext),
        "signature": hex(parts.signature.0),
        "device_public": hex(signer(DEVICE_SEED).public().0),
        "record_key": hex(sealed::first().key.expose()),
        "check": check.map(|c| c.to_string()),
    })
}

fn of_records() -> Vec<Value> {
    let honest = record_parts(&sealed::first().record);
    let edited = |name: &str, sign: bool, edit: fn(&mut Parts), check: Check| {
        let mut parts = honest.clone();
        edit(&mut parts);
        if sign {
            let header = wire::encode(&parts.header).unwrap();
            let ciphertext = hash::hash(Label::CiphertextHash, &[&parts.ciphertext]);
            parts.signature = signer(DEVICE_SEED).sign(Label::RecordSignature, &[&header, &ciphertext]);
        }
        record_vector(name, &parts, Some(check))
    };
    let mut class = edited("record, class 5", false, |_| (), Check::UnknownFormat);
    let mut header = wire::encode(&honest.header).unwrap();
    header[2 + 32 + 17 + 2 + 16 + 4 + 32 + 16 + 16] = 5;
    class["header"] = hex(&header).into();
    let mut long = edited("record, a header of 175 bytes", false, |_| (), Check::TooLong);
    long["header"] = hex([wire::encode(&honest.header).unwrap(), vec![0]].concat()).into();
    vec![
        class,
        long,
        edited("record, format 2", true, |p| p.header.format = 2, Check::UnknownFormat),
        edited("record, version 0", true, |p| p.header.version = 0, Check::Amends),
        edited(
            "record, version 1 that amends",
            true,
            |p| p.header.amends = RecordHash([1; 32]),
            Check::Amends,
        ),
        edited(
            "record, version 2 that amends nothing",
            true,
            |p| p.header.version = 2,
            Check::Amends,
        ),
        edited(
            "record, ciphertext too short",
            true,
            |p| p.ciphertext.truncate(271),
            Check::CiphertextLength,
        ),
        edited(
            "record, ciphertext too long",
            true,
            |p| p.ciphertext.push(0),
            Check::CiphertextLength,
        ),
        edited(
            "record, padded below 256 bytes",
            true,
            |p| {
                p.header.padded_length = 255;
                p.ciphertext.truncate(271);
            },
            Check::CiphertextLength,
        ),
        edited(
            "record, padded over 16 MiB",
            true,
            |p| p.header.padded_length = (16 << 20) + 1,
            Check::TooLong,
        ),
        edited(
            "record, signature changed",
            false,
            |p| p.signature.0[63] ^= 1,
            Check::RecordSignature,
        ),
        edited(
            "record, ciphertext changed",
            false,
            |p| p.ciphertext[0] ^= 1,
            Check::RecordSignature,
        ),
        edited(
            "record, of another case",
            false,
            |p| p.header.stream = StreamId::case(CaseId([9; 16])),
            Check::RecordSignature,
        ),
        edited(
            "record, ciphertext changed and signed",
            true,
            |p| p.ciphertext[0] ^= 1,
            Check::Aead,
        ),
        edited(
            "record, tag changed and signed",
            true,
            |p| p.ciphertext[271] ^= 1,
            Check::Aead,
        ),
        edited(
            "record, header changed and signed",
            true,
            |p| p.header.record.0[0] ^= 1,
            Check::Aead,
        ),
        edited(
            "record, committed to another key and signed",
            true,
            |p| p.header.commitment[0] ^= 1,
            Check::KeyCommitment,
        ),
    ]
}

fn of_wraps() -> Vec<Value> {
    let sealed = sealed::first();
    let hash = sealed.record.hash();
    let honest = sealed::sealer().wrap(&sealed.key, hash).unwrap();
    let mut flipped = honest.0;
    flipped[47] ^= 1;
    let other_record = sealed::sealer().wrap(&sealed.key, RecordHash([1; 32])).unwrap();
    let other_key = sealed::sealer().wrap(&RecordKey::from_bytes([1; 32]), hash).unwrap();
    vec![
        vector("wrap, tag changed", "wrap", &flipped, Check::Aead),
        vector("wrap, of another record", "wrap", &other_record.0, Check::Aead),
        vector(
            "wrap, of a key that is not the committed one",
            "wrap",
            &other_key.0,
            Check::KeyCommitment,
        ),
    ]
}

fn of_keyrings() -> Vec<Value> {
    let edited = |name: &str, edit: fn(&mut Keyring), check: Check| {
        let mut keyring = sealed::plain_keyring();
        edit(&mut keyring);
        vector(name, "keyring", &wire::encode(&keyring).unwrap(), check)
    };
    let honest = wire::encode(&sealed::plain_keyring()).unwrap();
    vec![
        edited("keyring, format 2", |k| k.format = 2, Check::UnknownFormat),
        edited(
            "keyring, of another agency",
            |k| k.agency.0[0] ^= 1,
            Check::KeyringContext,
        ),
        edited(
            "keyring, of another case",
            |k| k.stream.id[0] ^= 1,
            Check::KeyringContext,
        ),
        edited(
            "keyring, for another member",
            |k| k.to.id.0[0] ^= 1,
            Check::KeyringContext,
        ),
        edited(
            "keyring, for another version",
            |k| k.to.version = 2,
            Check::KeyringContext,
        ),
        edited(
            "keyring, entries unsorted",
            |k| k.entries.reverse(),
            Check::NotCanonical,
        ),
        edited(
            "keyring, an entry twice",
            |k| k.entries.push(k.entries[2].clone()),
            Check::NotCanonical,
        ),
        vector(
            "keyring, one byte more",
            "keyring",
            &[&honest[..], &[0]].concat(),
            Check::NotCanonical,
        ),
    ]
}

fn of_keystores() -> Vec<Value> {
    let honest = sealed::keystore_file();
    let edited = |name: &str, edit: fn(&mut KeystoreFile), check: Check| {
        let mut file: KeystoreFile = wire::decode(&honest, 1 << 20).unwrap();
        edit(&mut file);
        vector(name, "keystore", &wire::encode(&file).unwrap(), check)
    };
    let mut algorithm = honest.clone();
    algorithm[2 + 32 + 16 + 16] = 2;
    vec![
        edited(
            "keystore, memory below the floor",
            |f| f.header.cost.memory_kib = 65_535,
            Check::KdfBounds,
        ),
        edited(
            "keystore, memory above the ceiling",
            |f| f.header.cost.memory_kib = 2_097_153,
            Check::KdfBounds,
        ),
        edited(
            "keystore, memory of 4 TiB",
            |f| f.header.cost.memory_kib = u32::MAX,
            Check::KdfBounds,
        ),
        edited("keystore, 2 passes", |f| f.header.cost.passes = 2, Check::KdfBounds),
        edited("keystore, 11 passes", |f| f.header.cost.passes = 11, Check::KdfBounds),
        edited("keystore, no lanes", |f| f.header.cost.lanes = 0, Check::KdfBounds),
        edited("keystore, 17 lanes", |f| f.header.cost.lanes = 17, Check::KdfBounds),
        edited("keystore, format 2", |f| f.header.format = 2, Check::UnknownFormat),
        vector(
            "keystore, another derivation",
            "keystore",
            &algorithm,
            Check::UnknownFormat,
        ),
        vector(
            "keystore, cut",
            "keystore",
            &honest[..honest.len() - 1],
            Check::NotCanonical,
        ),
        edited(
            "keystore, last byte changed",
            |f| *f.sealed.last_mut().unwrap() ^= 1,
            Check::Keystore,
        ),
        edited(
            "keystore, commitment changed",
            |f| f.commitment[0] ^= 1,
            Check::Keystore,
        ),
        edited(
            "keystore, of another device",
            |f| f.header.device.0[0] ^= 1,
            Check::Keystore,
        ),
        edited(
            "keystore, of another generation",
            |f| f.header.generation = 2,
            Check::Keystore,
        ),
        edited("keystore, salt changed", |f| f.header.salt[0] ^= 1, Check::Keystore),
    ]
}

fn of_padding() -> Vec<Value> {
    let honest = pad::pad(sealed::PAYLOAD).to_vec();
    let mut marker = honest.clone();
    let at = sealed::PAYLOAD.len();
    marker[at] = 0x81;
    let longer = [honest.clone(), vec![0; 16]].concat();
    vec![
        vector("padding, empty", "padding", &[], Check::Padding),
        vector("padding, zeros alone", "padding", &[0; 256], Check::Padding),
        vector("padding, another marker", "padding", &marker, Check::Padding),
        vector("padding, below the floor", "padding", &honest[..255], Check::Padding),
        vector(
            "padding, longer than its rule gives",
            "padding",
            &longer,
            Check::Padding,
        ),
    ]
}

fn of_bodies() -> Vec<Value> {
    let (_, honest) = first_entry();
    let mut flipped = honest.clone();
    flipped[32] ^= 1;
    let longer = [honest.clone(), vec![0]].concat();
    vec![
        vector(
            "access body, one byte less",
            "access_body",
            &honest[..1023],
            Check::AccessBody,
        ),
        vector("access body, one byte more", "access_body", &longer, Check::AccessBody),
        vector(
            "access body, a byte changed",
            "access_body",
            &flipped,
            Check::AccessBody,
        ),
    ]
}
