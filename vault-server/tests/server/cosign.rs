//! Cosignatures: taken from witnesses that the root names, over trees of the log, and given out as the newest of each.

use std::fs;
use std::path::Path;
use std::thread;

use vault_core::check::Check;
use vault_core::crypto::sign::{SigningKey, VerifyingKey};
use vault_core::secret::SigningSeed;
use vault_core::sync::{Cosigned, CosignedTrees, LogOf};
use vault_core::tlog::checkpoint::{self, Checkpoint, Cosignature, SignedCheckpoint, Witness};
use vault_core::tlog::note::{KeyName, Kind};
use vault_core::wire;
use vault_core::wire::v1::agency::Verifier;
use vault_core::wire::v1::follow::CosignedNotes;
use vault_core::wire::v1::limit;
use vault_server::store::sqlite::Sqlite;
use vault_server::store::{AgencyNo, reading};

use crate::cluster::Cluster;
use crate::http::Answer;
use crate::kit::{Office, Server};
use crate::log;

const NAME: &str = "witness.example/w1";
const OTHER: &str = "dpo.example";

fn key(name: &str) -> SigningKey {
    let seed = name
        .bytes()
        .fold(0_u8, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte));
    SigningKey::from_seed(&SigningSeed::from_bytes([seed; 32]))
}

fn verifier(name: &str) -> Verifier {
    Verifier {
        name: name.as_bytes().to_vec(),
        key: key(name).public(),
    }
}

/// Puts a root in force that names these witnesses.
pub(crate) fn name_witnesses(office: &mut Office, server: &Server, names: &[&str]) {
    let mut root = office.world.next_root();
    root.witnesses = wire::sort_set(names.iter().map(|name| verifier(name)).collect()).unwrap();
    let event = office.world.signed_root(root, &[0]);
    let link = office.sign(0, office.world.link(0, event));
    office.world.try_link(link.clone()).unwrap();
    let parcel = office.parcel(&link);
    office.stored(server, vec![parcel]);
}

/// The note that the log signed, with a cosignature.
fn note(office: &Office, server: &Server, one: &Checkpoint, cosignatures: &[Cosignature]) -> String {
    let newest = server.get(&format!("/v1/log/{}/checkpoint", office.id())).body;
    let log = VerifyingKey::new(&office.log, Check::CheckpointSignature).unwrap();
    let newest = SignedCheckpoint::open(&newest, office.world.agency.id(), &log, &[]).unwrap();
    assert_eq!(newest.checkpoint(), one);
    checkpoint::write(one, newest.signature(), &office.log, cosignatures).unwrap()
}

pub(crate) fn cosign(server: &Server, note: &str) -> Answer {
    server.ask("POST", "/v1/cosign", &[], note.as_bytes())
}

pub(crate) fn now() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

/// Brings a cosignature over the newest checkpoint.
pub(crate) fn cosigned(office: &Office, server: &Server, name: &str, time: u64) -> Answer {
    let one = log::checkpoint(office, server);
    let cosignature = one.cosign(name, &key(name), time).unwrap();
    cosign(server, &note(office, server, &one, &[cosignature]))
}

/// What is given out: for each note its size, and who cosigned it when.
fn given(office: &Office, server: &Server) -> Vec<(u64, Vec<(String, u64)>)> {
    let answer = server.get(&format!("/v1/log/{}/cosigned", office.id()));
    assert_eq!(answer.status, 200, "{answer:?}");
    let notes: CosignedNotes = wire::decode(&answer.body, limit::COSIGNED).unwrap();
    notes.notes.iter().map(|one| opened(office, &one.note)).collect()
}

fn opened(office: &Office, note: &[u8]) -> (u64, Vec<(String, u64)>) {
    let log = VerifyingKey::new(&office.log, Check::CheckpointSignature).unwrap();
    let known = [NAME, OTHER].map(|name| Witness::new(name, &key(name).public()).unwrap());
    let one = SignedCheckpoint::open(note, office.world.agency.id(), &log, &known).unwrap();
    let by = one.cosigned().iter();
    let by = by.map(|one| (one.witness.name().to_owned(), one.time));
    (one.checkpoint().size, by.collect())
}

fn by(name: &str, time: u64) -> (String, u64) {
    (name.to_owned(), time)
}

#[test]
pub(crate) fn the_newest_cosignature_of_each_witness_is_kept_and_given_out() {
    let mut server = Server::start(&["--rate", "0"]);
    let mut office = Office::with_case(&server, 71, 1);
    let now = now();
    assert_eq!(given(&office, &server), []);
    name_witnesses(&mut office, &server, &[NAME, OTHER]);
    assert_eq!(given(&office, &server), []);
    let size = log::checkpoint(&office, &server).size;
    let first = log::checkpoint(&office, &server);
    let late = note(
        &office,
        &server,
        &first,
        &[first.cosign(OTHER, &key(OTHER), now + 9).unwrap()],
    );
    for (time, expected) in [
        (now - 50, now - 50),
        (now - 60, now - 50),
        (now - 40, now - 40),
        (now - 40, now - 40),
    ] {
        assert_eq!(cosigned(&office, &server, NAME, time).status, 204);
        assert_eq!(given(&office, &server), [(size, vec![by(NAME, expected)])]);
    }
    assert_eq!(cosigned(&office, &server, OTHER, now - 30).status, 204);
    let both = vec![by(NAME, now - 40), by(OTHER, now - 30)];
    assert_eq!(given(&office, &server), [(size, both.clone())]);
    let newest = || server.get(&format!("/v1/log/{}/checkpoint", office.id())).body;
    assert_eq!(opened(&office, &newest()).1.len(), 2);
    // The log grows: what is newest is over nothing yet, and a longer tree counts before a later time.
    let parcels: Vec<_> = (0..300).map(|_| office.note(0)).collect();
    office.stored(&server, parcels);
    let newest = || server.get(&format!("/v1/log/{}/checkpoint", office.id())).body;
    assert_eq!(opened(&office, &newest()), (size + 300, vec![]));
    assert_eq!(given(&office, &server), [(size, both)]);
    assert_eq!(cosigned(&office, &server, NAME, now - 70).status, 204);
    let apart = [
        (size, vec![by(OTHER, now - 30)]),
        (size + 300, vec![by(NAME, now - 70)]),
    ];
    assert_eq!(given(&office, &server), apart);
    // A tree of before is still one of the log, and the newest of a witness that has none newer.
    assert_eq!(cosign(&server, &late).status, 204);
    let apart = [(size, vec![by(OTHER, now + 9)]), apart[1].clone()];
    assert_eq!(given(&office, &server), apart);
    server.stop();
    let server = server.again(&["--rate", "0"]);
    assert_eq!(given(&office, &server), apart);
    // Of a witness that the root names no more nothing is given out or taken.
    name_witnesses(&mut office, &server, &[OTHER]);
    assert_eq!(given(&office, &server), apart[..1]);
    let refused = cosigned(&office, &server, NAME, now);
    assert_eq!(
        (refused.status, refused.json()["check"].as_str()),
        (400, Some("CHK-134"))
    );
}

#[test]
pub(crate) fn nothing_is_taken_that_is_no_cosignature_of_a_witness_over_this_log() {
    let server = Server::start(&["--rate", "0"]);
    let mut office = Office::with_case(&server, 72, 1);
    let now = now();
    let refused = |answer: &Answer, check: &str| {
        assert_eq!((answer.status, answer.problem().as_str()), (400, "malformed"));
        assert_eq!(answer.json()["check"], check);
    };
    // No root names it.
    refused(&cosigned(&office, &server, NAME, now), "CHK-134");
    name_witnesses(&mut office, &server, &[NAME]);
    let one = log::checkpoint(&office, &server);
    let good = one.cosign(NAME, &key(NAME), now).unwrap();
    refused(&cosign(&server, &note(&office, &server, &one, &[])), "CHK-134");
    refused(&cosigned(&office, &server, OTHER, now), "CHK-134");
    refused(&cosigned(&office, &server, NAME, now + 3_600), "CHK-134");
    let other_time = Cosignature {
        time: now - 1,
        ..good.clone()
    };
    refused(
        &cosign(&server, &note(&office, &server, &one, &[other_time])),
        "CHK-134",
    );
    let told = note(&office, &server, &one, std::slice::from_ref(&good));
    refused(&cosign(&server, &told.replace("casevault/", "elsewhere/")), "CHK-132");
    refused(&cosign(&server, told.trim_end()), "CHK-130");
    refused(&cosign(&server, ""), "CHK-130");
    let foreign = checkpoint::write(&one, &one.sign(&key("x")), &office.log, &[good]).unwrap();
    refused(&cosign(&server, &foreign), "CHK-133");
    let unknown = told.replace(&office.id(), &"0".repeat(64));
    assert_eq!(cosign(&server, &unknown).status, 404);
    let long = server.ask("POST", "/v1/cosign", &[], &[b'x'; (64 << 10) + 1]);
    assert_eq!((long.status, long.problem().as_str()), (413, "too-long"));
    assert_eq!(given(&office, &server), []);
    assert_eq!(cosign(&server, &told).status, 204);
}

/// A witness's own signature over a tree that this log never had is not kept: it would look as if the log had forked.
#[test]
pub(crate) fn attack_49_a_cosignature_over_another_tree_is_not_kept() {
    let mut server = Server::start(&["--rate", "0"]);
    let mut office = Office::with_case(&server, 73, 1);
    name_witnesses(&mut office, &server, &[NAME]);
    let agency = office.world.agency.id();
    let one = log::checkpoint(&office, &server);
    server.stop();
    let store = Sqlite::open(&server.folder(), [0; 32]).unwrap();
    let log = SigningKey::from_seed(&reading(&store, |reads| Ok(reads.agency(&agency)?.unwrap().log_seed)).unwrap());
    drop(store);
    let server = server.again(&["--rate", "0"]);
    for other in [
        Checkpoint {
            size: one.size + 1,
            ..one
        },
        Checkpoint {
            size: one.size - 1,
            ..one
        },
        Checkpoint {
            root: vault_core::tlog::tree::leaf(b"another"),
            ..one
        },
    ] {
        let cosignature = other.cosign(NAME, &key(NAME), now()).unwrap();
        let note = checkpoint::write(&other, &other.sign(&log), &log.public(), &[cosignature]).unwrap();
        let refused = cosign(&server, &note);
        assert_eq!(
            (refused.status, refused.json()["check"].as_str()),
            (400, Some("CHK-138"))
        );
    }
    assert_eq!(given(&office, &server), []);
}

#[test]
pub(crate) fn a_storm_of_cosignatures_leaves_the_newest() {
    let server = Server::start(&["--rate", "0"]);
    let mut office = Office::with_case(&server, 74, 1);
    name_witnesses(&mut office, &server, &[NAME]);
    let one = log::checkpoint(&office, &server);
    let now = now();
    let notes: Vec<_> = (0..64_u64)
        .map(|n| {
            let time = now - (n * 37) % 64;
            note(&office, &server, &one, &[one.cosign(NAME, &key(NAME), time).unwrap()])
        })
        .collect();
    thread::scope(|scope| {
        for part in notes.chunks(16) {
            let address = server.address;
            scope.spawn(move || {
                let mut connection = crate::http::Connection::to(address);
                for note in part {
                    assert_eq!(connection.ask("POST", "/v1/cosign", &[], note.as_bytes()).status, 204);
                }
            });
        }
    });
    assert_eq!(given(&office, &server), [(one.size, vec![by(NAME, now)])]);
}

#[test]
fn a_cosignature_that_does_not_hold_is_found_by_the_check() {
    let mut server = Server::start(&["--rate", "0"]);
    let mut office = Office::with_case(&server, 75, 1);
    name_witnesses(&mut office, &server, &[NAME]);
    assert_eq!(cosigned(&office, &server, NAME, now()).status, 204);
    let note = office.note(0);
    office.stored(&server, vec![note]);
    server.stop();
    let folder = server.folder();
    let check = || {
        let done = Server::command()
            .args(["check", "--data", folder.to_str().unwrap()])
            .output()
            .unwrap();
        (done.status.code().unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    assert_eq!(check().0, 0);
    let store = Sqlite::open(&folder, [0; 32]).unwrap();
    let kept = reading(&store, |reads| reads.cosignatures(AgencyNo(1))).unwrap();
    assert_eq!(kept.len(), 1);
    drop(store);
    let database = rusqlite::Connection::open(folder.join("server.db")).unwrap();
    for damage in [
        "time = time + 1",
        "size = size + 1",
        "size = 1",
        "root = zeroblob(32)",
        "witness = x'00'",
    ] {
        database
            .execute_batch(&format!("UPDATE cosignature SET {damage}"))
            .unwrap();
        let (code, said) = check();
        assert!(code != 0 && said.contains("damaged"), "{damage}: {code} {said}");
        database.execute("DELETE FROM cosignature", []).unwrap();
        let row = &kept[0];
        let sql =
            "INSERT INTO cosignature (agency, witness, size, root, time, signature) VALUES (1, ?1, ?2, ?3, ?4, ?5)";
        let values = rusqlite::params![row.witness, row.size, row.root.0, row.time, row.signature.0];
        database.execute(sql, values).unwrap();
    }
    assert_eq!(check().0, 0);
}

/// As many witnesses as a root names, with the longest names, all over one tree.
#[test]
fn the_most_witnesses_with_the_longest_names_have_room_in_one_note() {
    let server = Server::start(&["--rate", "0"]);
    let mut office = Office::with_case(&server, 78, 1);
    let names: Vec<_> = (0..limit::WITNESSES)
        .map(|n| format!("{n:02}{}", "w".repeat(limit::WITNESS_NAME - 2)))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    name_witnesses(&mut office, &server, &names);
    let (one, now) = (log::checkpoint(&office, &server), now());
    // In one note and one by one.
    let all: Vec<_> = names
        .iter()
        .map(|name| one.cosign(name, &key(name), now - 9).unwrap())
        .collect();
    assert_eq!(cosign(&server, &note(&office, &server, &one, &all)).status, 204);
    for name in &names {
        assert_eq!(cosigned(&office, &server, name, now).status, 204);
    }
    let log = VerifyingKey::new(&office.log, Check::CheckpointSignature).unwrap();
    let known: Vec<_> = names
        .iter()
        .map(|name| Witness::new(name, &key(name).public()).unwrap())
        .collect();
    let newest = server.get(&format!("/v1/log/{}/checkpoint", office.id()));
    assert_eq!(newest.status, 200);
    let opened = SignedCheckpoint::open(&newest.body, office.world.agency.id(), &log, &known).unwrap();
    assert_eq!(opened.cosigned().len(), limit::WITNESSES);
    // As a client reads it.
    let given = server.get(&format!("/v1/log/{}/cosigned", office.id())).body;
    assert!(given.len() <= limit::COSIGNED);
    let of = LogOf {
        agency: office.world.agency.id(),
        key: log,
    };
    let trees = CosignedTrees::open(of, &known, &given).unwrap();
    assert_eq!(trees.longest(), Some(one.size));
    let held = Cosigned::begin(trees, opened.seen()).unwrap().finish().unwrap();
    assert!(held.len() == limit::WITNESSES && held.iter().all(|one| one.time == now));
}

/// Whatever is wrong with a cosignature that is kept, the log is followed.
#[test]
fn a_cosignature_that_cannot_be_read_keeps_nobody_from_the_checkpoint() {
    let server = Server::start(&["--rate", "0"]);
    let mut office = Office::with_case(&server, 79, 1);
    name_witnesses(&mut office, &server, &[NAME]);
    assert_eq!(cosigned(&office, &server, NAME, now()).status, 204);
    let database = rusqlite::Connection::open(server.folder().join("server.db")).unwrap();
    database
        .execute_batch("UPDATE cosignature SET witness = x'00'")
        .unwrap();
    let newest = server.get(&format!("/v1/log/{}/checkpoint", office.id()));
    assert_eq!(newest.status, 200, "{newest:?}");
    assert_eq!(
        opened(&office, &newest.body),
        (log::checkpoint(&office, &server).size, vec![])
    );
}

/// What is given out, anybody may bring back: it does not wait for whoever writes.
#[test]
fn cosignatures_that_are_brought_again_do_not_take_the_writer() {
    let server = Server::start(&["--rate", "0"]);
    let mut office = Office::with_case(&server, 80, 1);
    name_witnesses(&mut office, &server, &[NAME]);
    let (one, now) = (log::checkpoint(&office, &server), now());
    let at = |time| note(&office, &server, &one, &[one.cosign(NAME, &key(NAME), time).unwrap()]);
    let (old, newest, newer) = (at(now - 9), at(now - 5), at(now));
    assert_eq!(cosign(&server, &newest).status, 204);
    // Somebody else has the writer, and keeps it.
    let database = rusqlite::Connection::open(server.folder().join("server.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    for replayed in [&old, &newest] {
        assert_eq!(cosign(&server, replayed).status, 204);
    }
    // One that is newer has to be written.
    assert!(cosign(&server, &newer).status >= 500);
    database.execute_batch("ROLLBACK").unwrap();
    assert_eq!(cosign(&server, &newer).status, 204);
    assert_eq!(given(&office, &server), [(one.size, vec![by(NAME, now)])]);
}

#[test]
fn cosignatures_move_with_their_log() {
    let Some(cluster) = Cluster::common() else { return };
    let mut server = Server::start(&["--rate", "0"]);
    let mut office = Office::with_case(&server, 76, 1);
    name_witnesses(&mut office, &server, &[NAME]);
    assert_eq!(cosigned(&office, &server, NAME, now()).status, 204);
    let before = given(&office, &server);
    server.stop();
    let (folder, url) = (server.folder(), cluster.database());
    let moving = ["move", "--from", folder.to_str().unwrap(), "--to", &url];
    let done = Server::command().args(moving).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let moved = Server::over(&cluster, &url, &["--rate", "0"]);
    assert_eq!(given(&office, &moved), before);
}

/// What is served with a witness is what another's tool verifies, which knows the C2SP pages alone.
#[test]
fn a_log_is_served_with_its_cosignature() {
    let server = Server::start(&["--rate", "0"]);
    let mut office = Office::with_case(&server, 77, 1);
    name_witnesses(&mut office, &server, &[NAME]);
    let parcels: Vec<_> = (0..300).map(|_| office.note(0)).collect();
    office.stored(&server, parcels);
    let now = now();
    assert_eq!(cosigned(&office, &server, NAME, now).status, 204);
    let newest = server.get(&format!("/v1/log/{}/checkpoint", office.id())).body;
    let (size, by_whom) = opened(&office, &newest);
    assert_eq!(by_whom, [by(NAME, now)]);
    if let Some(folder) = std::env::var_os("CASEVAULT_TLOG_OUT") {
        let folder = Path::new(&folder);
        log::write_out(&office, &server, size, folder);
        let key = key(NAME).public();
        let named = KeyName::of(NAME, Kind::Cosignature, &key).unwrap();
        fs::write(folder.join("witness.vkey"), named.verifier(Kind::Cosignature, &key)).unwrap();
    }
}
