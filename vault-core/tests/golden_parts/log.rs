//! §17: entries of the log, roots, a checkpoint.

use super::CASE;
use super::LOG_SEED;
use super::RECOVERY_SIGNING_SEED;
use super::agency;
use super::hex;
use super::signer;
use super::unhex;
use serde_json::Value;
use serde_json::json;
use vault_core::check::Check;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::id::LinkId;
use vault_core::secret::SigningSeed;
use vault_core::tlog::checkpoint;
use vault_core::tlog::checkpoint::Checkpoint;
use vault_core::tlog::checkpoint::SignedCheckpoint;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::note::KeyName;
use vault_core::tlog::note::Kind;
use vault_core::tlog::note::write_secret;
use vault_core::tlog::tree;
use vault_core::tlog::witness::Position;
use vault_core::wire;
use vault_core::wire::v1::follow::CosignedNote;
use vault_core::wire::v1::follow::CosignedNotes;
use vault_core::wire::v1::stream::StreamId;

/// The name of the witness.
pub(crate) const WITNESS: &str = "witness.example/w1";

pub(crate) fn log() -> Value {
    let stream = StreamId::case(CASE);
    let entries: Vec<Entry> = (0..5u8)
        .map(|seq| Entry::of(stream, u64::from(seq), LinkId([seq; 32])))
        .collect();
    let leaves: Vec<tree::Hash> = entries.iter().map(Entry::leaf).collect();
    let (log, witness) = (signer(LOG_SEED), signer(RECOVERY_SIGNING_SEED));
    let one = Checkpoint {
        agency: agency(),
        size: 5,
        root: tree::root(&leaves),
    };
    let (name, time) = (WITNESS, 1_800_000_000);
    let cosigned = [one.cosign(name, &witness, time).unwrap()];
    let note = checkpoint::write(&one, &one.sign(&log), &log.public(), &cosigned).unwrap();
    let key = VerifyingKey::new(&log.public(), Check::CheckpointSignature).unwrap();
    let signed = SignedCheckpoint::open(note.as_bytes(), agency(), &key, &[]).unwrap();
    let kept = Position::first(&signed);
    let named = KeyName::of(name, Kind::Cosignature, &witness.public()).unwrap();
    let verifier = named.verifier(Kind::Cosignature, &witness.public());
    let seed = SigningSeed::from_bytes(RECOVERY_SIGNING_SEED);
    let secret = write_secret(name, Kind::Cosignature, &seed).unwrap();
    json!({
        "section": "17",
        "stream": hex([&[2][..], &stream.id].concat()),
        "entries": entries.iter().zip(&leaves).zip(0..).map(|((entry, leaf), seq)| json!({
            "seq": seq,
            "link_id": hex(entry.link.0),
            "tag": hex(entry.tag.0),
            "entry": hex(entry.to_bytes()),
            "leaf": hex(leaf.0),
        })).collect::<Vec<_>>(),
        "roots": (0..=leaves.len()).map(|size| hex(tree::root(&leaves[..size]).0)).collect::<Vec<_>>(),
        "checkpoint": {
            "agency": hex(one.agency.0),
            "log_key": hex(log.public().0),
            "witness": { "name": name, "key": hex(witness.public().0), "time": time },
            "text": one.text(),
            "note": note,
        },
        "witness_position": {
            "bytes": hex(kept.to_bytes(&key).unwrap()),
        },
        "cosigned": hex(wire::encode(&CosignedNotes {
            notes: vec![CosignedNote { note: note.clone().into_bytes() }],
        }).unwrap()),
        "keys": {
            "verifier": verifier,
            "seed": hex(RECOVERY_SIGNING_SEED),
            "secret": secret.as_str(),
        },
    })
}

pub(crate) fn malformed() -> Vec<Value> {
    let honest = log();
    let position = unhex(&honest["witness_position"]["bytes"]);
    let cosigned = unhex(&honest["cosigned"]);
    let vector = |name: &str, structure: &str, bytes: &[u8], check: Check| json!({ "name": name, "structure": structure, "bytes": hex(bytes), "check": check.to_string() });
    let flip = |bytes: &[u8], at: usize| {
        let mut edited = bytes.to_vec();
        edited[at] ^= 1;
        edited
    };
    let note = honest["checkpoint"]["note"].as_str().unwrap();
    let with = |note: String| {
        let notes = vec![CosignedNote {
            note: note.into_bytes(),
        }];
        wire::encode(&CosignedNotes { notes }).unwrap()
    };
    let later = note.replace("AABrSdIA", "AABrSdIB");
    assert_ne!(later, note, "the time is in the witness's line");
    let lines: Vec<&str> = note.split_inclusive('\n').collect();
    let unsigned = [&lines[..4], &lines[5..]].concat().concat();
    let longer = [&position[..], &[0]].concat();
    vec![
        vector(
            "witness position, one byte more",
            "witness_position",
            &longer,
            Check::TooLong,
        ),
        vector(
            "witness position, cut",
            "witness_position",
            &position[..position.len() - 1],
            Check::NotCanonical,
        ),
        vector(
            "witness position, format 0",
            "witness_position",
            &flip(&position, 1),
            Check::UnknownFormat,
        ),
        vector(
            "witness position, another agency",
            "witness_position",
            &flip(&position, 2),
            Check::CheckpointOrigin,
        ),
        vector(
            "witness position, another log",
            "witness_position",
            &flip(&position, 34),
            Check::CheckpointSignature,
        ),
        vector(
            "witness position, another size",
            "witness_position",
            &flip(&position, 73),
            Check::CheckpointSignature,
        ),
        vector(
            "witness position, another root",
            "witness_position",
            &flip(&position, 74),
            Check::CheckpointSignature,
        ),
        vector(
            "cosigned, cut",
            "cosigned",
            &cosigned[..cosigned.len() - 1],
            Check::NotCanonical,
        ),
        vector(
            "cosigned, at another time",
            "cosigned",
            &with(later),
            Check::Cosignature,
        ),
        vector(
            "cosigned, and not signed",
            "cosigned",
            &with(unsigned),
            Check::CheckpointSignature,
        ),
        vector(
            "cosigned, another size",
            "cosigned",
            &with(note.replace("\n5\n", "\n6\n")),
            Check::CheckpointSignature,
        ),
    ]
}
