//! §18: parcels, answers, the statement that begins a session; and where a follower of the log has got to (§17).

use super::CASE;
use super::DEVICE;
use super::DEVICE_SEED;
use super::IDENTITY_SEED;
use super::LOG_SEED;
use super::agency;
use super::hex;
use super::sealed;
use super::signer;
use serde_json::Value;
use serde_json::json;
use vault_core::check::Check;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::id::LinkId;
use vault_core::keyring;
use vault_core::parcel;
use vault_core::placing;
use vault_core::server_session;
use vault_core::server_session::By;
use vault_core::stream::Chain;
use vault_core::tlog::checkpoint;
use vault_core::tlog::checkpoint::Checkpoint;
use vault_core::tlog::checkpoint::SignedCheckpoint;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::follow::Follower;
use vault_core::tlog::tree;
use vault_core::wire;
use vault_core::wire::v1::access::AccessSegment;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::sync::AppendReply;
use vault_core::wire::v1::sync::AppendRequest;
use vault_core::wire::v1::sync::CarriedBody;
use vault_core::wire::v1::sync::ErasedBody;
use vault_core::wire::v1::sync::Heads;
use vault_core::wire::v1::sync::ListedStream;
use vault_core::wire::v1::sync::Outcome;
use vault_core::wire::v1::sync::Parcel;
use vault_core::wire::v1::sync::PlacedParcel;
use vault_core::wire::v1::sync::SessionStatement;
use vault_core::wire::v1::sync::StreamList;
use vault_core::wire::v1::sync::StreamPage;

const START: &[u8] = b"stands for the age file of a segment's start";

/// A record link's parcel, and the same once the record was erased.
fn record() -> (Parcel, Parcel) {
    let placed = placing::place(sealed::first(), &sealed::sealer(), Epoch::FIRST, sealed::none()).unwrap();
    let mut chain = Chain::empty(agency(), StreamId::case(CASE));
    let body = LinkBody::Record(placed.placement);
    let link = chain
        .append(LinkId([9; 32]), DEVICE, body)
        .unwrap()
        .sign(&signer(DEVICE_SEED));
    let carried = parcel::carry(placed.record.as_unverified(), &placed.wrap);
    let kept = parcel::pack(link.as_unverified(), vec![carried], Vec::new()).unwrap();
    let mut erased = kept.clone();
    erased.records[0].body = CarriedBody::Erased(ErasedBody {
        ciphertext: vault_core::record::Ciphertext::from(placed.record.ciphertext().to_vec()).hash(),
        wrap: placed.wrap.hash(),
    });
    (kept, erased)
}

/// The parcel of a segment of an access stream.
fn segment() -> Parcel {
    let mut chain = Chain::empty(agency(), StreamId::access(DEVICE));
    let body = LinkBody::Segment(AccessSegment {
        segment: 0,
        dpo_epoch: 0,
        start_hash: keyring::keyring_hash(START),
    });
    let link = chain
        .append(LinkId([9; 32]), DEVICE, body)
        .unwrap()
        .sign(&signer(DEVICE_SEED));
    parcel::pack(link.as_unverified(), Vec::new(), vec![START.to_vec()]).unwrap()
}

fn encoded(parcel: &Parcel) -> String {
    hex(wire::encode(parcel).unwrap())
}

pub(crate) fn server() -> Value {
    let (kept, erased) = record();
    let segment = segment();
    let link = parcel::OpenParcel::open(kept.clone()).unwrap().link().id();
    let request = AppendRequest {
        agency: agency(),
        parcels: vec![kept.clone(), segment.clone()],
    };
    let heads = Heads {
        links: 7,
        stream: LinkId([1; 32]),
        agency: LinkId([2; 32]),
    };
    let reply = AppendReply {
        outcomes: vec![
            Outcome::Stored(70_000),
            Outcome::Conflict(heads),
            Outcome::Refused(45),
            Outcome::NotTried,
        ],
        checkpoint: b"a note".to_vec(),
    };
    let list = StreamList {
        streams: vec![ListedStream {
            stream: StreamId::case(CASE),
            links: 300,
            last: 70_000,
        }],
    };
    let page = StreamPage {
        parcels: vec![PlacedParcel {
            leaf: 5,
            parcel: segment.clone(),
        }],
        more: 1,
    };
    let statement = SessionStatement {
        agency: agency(),
        log: signer(LOG_SEED).public(),
        device: DEVICE,
        challenge: [0x77; 48],
    };
    let signed = server_session::sign(statement, By::Device, &signer(DEVICE_SEED)).unwrap();
    let restored = server_session::sign(statement, By::Identity, &signer(IDENTITY_SEED)).unwrap();
    json!({
        "section": "18",
        "parcels": {
            "record": encoded(&kept),
            "erased": encoded(&erased),
            "segment": encoded(&segment),
            "record_link_id": hex(link.0),
            "start": hex(START),
        },
        "append_request": hex(wire::encode(&request).unwrap()),
        "append_reply": { "bytes": hex(wire::encode(&reply).unwrap()), "leaf": 70_000, "links": 7, "check": 45 },
        "stream_list": hex(wire::encode(&list).unwrap()),
        "stream_page": hex(wire::encode(&page).unwrap()),
        "session": {
            "statement": hex(wire::encode(&statement).unwrap()),
            "request": hex(wire::encode(&signed).unwrap()),
            "device": hex(signer(DEVICE_SEED).public().0),
            "restored": hex(wire::encode(&restored).unwrap()),
            "identity": hex(signer(IDENTITY_SEED).public().0),
        },
        "log_position": position(),
    })
}

/// A follower of 600 leaves: a row of level 0 and one of level 1.
fn position() -> Value {
    let stream = StreamId::case(CASE);
    let entries: Vec<_> = (0..600_u64)
        .map(|seq| Entry::of(stream, seq, LinkId([7; 32])))
        .collect();
    let leaves: Vec<_> = entries.iter().map(Entry::leaf).collect();
    let log = signer(LOG_SEED);
    let one = Checkpoint {
        agency: agency(),
        size: 600,
        root: tree::root(&leaves),
    };
    let note = checkpoint::write(&one, &one.sign(&log), &log.public(), &[]).unwrap();
    let key = VerifyingKey::new(&log.public(), Check::CheckpointSignature).unwrap();
    let to = SignedCheckpoint::open(note.as_bytes(), agency(), &key, &[]).unwrap();
    let mut follower = Follower::new(agency());
    follower.advance(&to, &entries).unwrap();
    json!({
        "stream": hex([&[2][..], &stream.id].concat()),
        "link_id": hex([7; 32]),
        "leaves": 600,
        "note": note,
        "bytes": hex(follower.to_bytes().unwrap()),
    })
}
