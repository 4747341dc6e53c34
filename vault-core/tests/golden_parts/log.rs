//! §17: entries of the log, roots, a checkpoint.

use super::CASE;
use super::LOG_SEED;
use super::RECOVERY_SIGNING_SEED;
use super::agency;
use super::hex;
use super::signer;
use serde_json::Value;
use serde_json::json;
use vault_core::id::LinkId;
use vault_core::tlog::checkpoint;
use vault_core::tlog::checkpoint::Checkpoint;
use vault_core::tlog::checkpoint::Witness;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::tree;
use vault_core::wire::v1::stream::StreamId;

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
    let (name, time) = ("witness.example/w1", 1_800_000_000);
    let known = Witness::new(name, &witness.public()).unwrap();
    let cosigned = [(known, time, one.cosign(&witness, time))];
    let note = checkpoint::write(&one, &one.sign(&log), &log.public(), &cosigned).unwrap();
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
    })
}
