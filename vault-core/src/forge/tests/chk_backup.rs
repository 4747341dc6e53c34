//! CHK-107 to CHK-109, CHK-125, CHK-126: backups and erasure ledgers.

use super::refused;
use crate::backup;
use crate::backup::BackupSecrets;
use crate::check::Check;
use crate::check::Refused;
use crate::crypto::passphrase::Cost;
use crate::forge::World;
use crate::forge::case::CaseFile;
use crate::forge::random::Seeded;
use crate::forge::twin::LinkTwin;
use crate::id::AgencyId;
use crate::id::DeviceId;
use crate::id::MemberId;
use crate::keystore;
use crate::keystore::RecoverySeeds;
use crate::ledger;
use crate::secret::RecipientSeed;
use crate::secret::RecoverySeed;
use crate::secret::SigningSeed;
use crate::secret::StoreKey;
use crate::wire;
use crate::wire::v1::backup::BackupEntry;
use crate::wire::v1::event::Erasure;
use crate::wire::v1::event::ErasureGround;
use crate::wire::v1::event::Event;
use crate::wire::v1::ledger::LedgerEntry;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;
use crate::wire::v1::stream::Section;
use std::io::Read;
use std::io::Write;

const CHEAP: Cost = Cost {
    memory_kib: 64 * 1024,
    passes: 3,
    lanes: 4,
};
static FILE: [u8; 100_000] = [42; 100_000];

fn recovery() -> RecoverySeeds {
    RecoverySeeds::from_seed(1, RecoverySeed::from_bytes([9; 32]))
}

fn entry(name: &str, length: usize) -> BackupEntry {
    BackupEntry {
        name: name.as_bytes().to_vec(),
        length: length as u64,
    }
}

fn secrets() -> BackupSecrets {
    BackupSecrets {
        made_at: "2026-03-12T10:00:00Z".to_owned(),
        identity: SigningSeed::from_bytes([1; 32]),
        recipients: vec![(1, RecipientSeed::from_bytes([2; 32]))],
        dpo: vec![(0, RecipientSeed::from_bytes([3; 32]))],
        store_key: StoreKey::from_bytes([4; 32]),
        recovery_waits: false,
    }
}

fn made(seed: u64) -> Vec<u8> {
    let ids = (AgencyId([1; 32]), MemberId([2; 16]), DeviceId([3; 16]));
    let unlocked = keystore::create(ids.0, ids.1, ids.2, "pass", CHEAP, [4; 32]).unwrap();
    let json = secrets().to_json().unwrap();
    let index = backup::index(vec![
        entry(backup::SECRETS, json.len()),
        entry(backup::STORE, FILE.len()),
    ]);
    let mut random = Seeded::new(seed);
    let mut sealing = backup::begin(&unlocked, &recovery().public(), index.unwrap(), Vec::new(), &mut random).unwrap();
    sealing.write_all(&json).unwrap();
    sealing.write_all(&FILE).unwrap();
    sealing.finish().unwrap()
}

/// Opens a backup to its end, with the passphrase where there is one and otherwise with the recovery key.
fn opened(file: &[u8], passphrase: Option<&str>) -> Result<(), Refused> {
    let (head, rest) = file.split_at_checked(backup::HEAD_BYTES).unwrap_or((file, &[]));
    let head = backup::read_head(head)?;
    let opener = match passphrase {
        Some(passphrase) => backup::with_passphrase(&head, passphrase)?,
        None => backup::with_recovery(&head, &recovery())?,
    };
    let (index, mut content) = backup::open(&head, &opener, rest)?;
    let whole = content.whole();
    let mut json = vec![0; index.entries[0].length as usize];
    content.read_exact(&mut json).map_err(|_| Check::BackupContent)?;
    let read = BackupSecrets::from_json(&json)?;
    assert!(read.store_key == secrets().store_key && !read.recovery_waits);
    let mut store = vec![0; index.entries[1].length as usize];
    content.read_exact(&mut store).map_err(|_| Check::BackupContent)?;
    assert!(store == FILE);
    content.finish()?;
    assert_eq!(whole, file.len() as u64, "the length was known before the end");
    Ok(())
}

#[test]
fn a_backup_opens_by_passphrase_and_by_recovery() {
    let file = made(1);
    assert_eq!(opened(&file, Some("pass")), Ok(()));
    assert_eq!(opened(&file, None), Ok(()));
}

#[test]
fn chk_107_attack_39_a_wrong_passphrase_and_a_changed_head_give_one_error() {
    let file = made(1);
    refused(Check::BackupHead, opened(&file, Some("Pass")));
    // Ids, lengths, salt, fresh part, commitment, sealed seed: the magic, the format and the bounds have their own.
    let header_end = backup::HEAD_BYTES - 80;
    for at in [
        10,
        45,
        60,
        77,
        85,
        110,
        150,
        header_end,
        header_end + 40,
        backup::HEAD_BYTES - 1,
    ] {
        let mut changed = file.clone();
        changed[at] ^= 1;
        refused(Check::BackupHead, opened(&changed, Some("pass")));
    }
}

#[test]
fn chk_95_attack_33_a_backups_parameters_are_bounded_before_anything_is_computed() {
    let file = made(1);
    let cost = 8 + 2 + 32 + 16 + 16 + 4 + 8 + 1;
    for (at, bytes) in [(cost, u32::MAX), (cost, 1024), (cost + 4, 99), (cost + 8, 0)] {
        let mut changed = file.clone();
        changed[at..at + 4].copy_from_slice(&bytes.to_be_bytes());
        refused(Check::KdfBounds, opened(&changed, Some("pass")));
        refused(Check::KdfBounds, opened(&changed, None));
    }
}

#[test]
fn chk_108_what_ends_within_its_head_is_cut_short() {
    let file = made(1);
    for cut in [8, 100, backup::HEAD_BYTES - 1] {
        refused(Check::BackupTruncated, opened(&file[..cut], None));
    }
    refused(Check::NotCanonical, opened(b"SQLite format 3\0", None));
}

#[test]
fn chk_109_a_cut_a_flip_a_splice_and_more_bytes_are_refused_by_both_ways() {
    let (file, other) = (made(1), made(2));
    for key in [Some("pass"), None] {
        for at in [backup::HEAD_BYTES + 30, file.len() - 60_000, file.len() - 1] {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(opened(&changed, key).is_err(), "{at}");
        }
        let mut changed = file.clone();
        let last = changed.len() - 1;
        changed[last] ^= 1;
        refused(Check::BackupContent, opened(&changed, key));
        refused(Check::BackupContent, opened(&file[..last], key));
        refused(Check::BackupContent, opened(&[&file[..], &[0]].concat(), key));
    }
    // The head of one before the content of another: recovery opens both contents, and the passphrase neither.
    let spliced = [&file[..backup::HEAD_BYTES], &other[backup::HEAD_BYTES..]].concat();
    refused(Check::BackupContent, opened(&spliced, None));
    refused(Check::BackupHead, opened(&spliced, Some("pass")));
}

#[test]
fn chk_109_names_that_lead_elsewhere_are_refused() {
    let names = |third: &[&str]| {
        let mut entries = vec![entry(backup::SECRETS, 1), entry(backup::STORE, 1)];
        entries.extend(third.iter().map(|name| entry(name, 1)));
        backup::index(entries).map(|_| ())
    };
    assert_eq!(names(&["attachments/a", "attachments/b/0.part"]), Ok(()));
    for bad in [
        "attachments/../keystore",
        "attachments/",
        "attachments/a//b",
        "attachments/.hidden",
        "attachments/a/b/c/d",
        "attachments/a b",
        "attachments\\a",
        "/etc/passwd",
        "keystore",
        "vault.db",
    ] {
        refused(Check::BackupContent, names(&[bad]));
    }
    refused(Check::BackupContent, names(&["attachments/b", "attachments/a"]));
    refused(Check::BackupContent, names(&["attachments/a", "attachments/a"]));
    let store_first = backup::index(vec![entry(backup::STORE, 1), entry(backup::SECRETS, 1)]);
    refused(Check::BackupContent, store_first.map(|_| ()));
}

#[test]
fn chk_125_cards_of_another_recovery_key_are_stale() {
    let file = made(1);
    let head = backup::read_head(&file[..backup::HEAD_BYTES]).unwrap();
    let newer = RecoverySeeds::from_seed(2, RecoverySeed::from_bytes([9; 32]));
    refused(Check::CardStale, backup::with_recovery(&head, &newer).map(|_| ()));
}

fn erasure_link(world: &World, case: &CaseFile, by: usize) -> LinkTwin {
    let made = case.note(world, 0, Section::CORE, 1);
    let event = Event::Erasure(Erasure {
        records: vec![made.record.hash()],
        ground: ErasureGround::Decided,
    });
    let body = LinkBody::Event(PlacedEvent {
        event,
        sealed: Vec::new(),
    });
    LinkTwin::signed(case.link(world, 0, body), &world.people[by].signer)
}

fn listed(twin: &LinkTwin) -> LedgerEntry {
    LedgerEntry {
        link: wire::encode(&twin.link).unwrap(),
        signature: twin.signature,
    }
}

#[test]
fn chk_126_a_ledger_counts_by_signatures_of_known_devices_alone() {
    let world = World::new(1, 2);
    let case = CaseFile::open(&world, 1, 0);
    let write = |entries: Vec<LedgerEntry>, by: usize| {
        let person = &world.people[by];
        ledger::write(world.agency.id(), person.device, &person.signer, entries).unwrap()
    };
    let honest = erasure_link(&world, &case, 0);
    let read = ledger::read(&write(vec![listed(&honest)], 0), &world.agency).unwrap();
    assert_eq!((read.len(), read[0].case), (1, case.id));
    assert_eq!(ledger::read(&write(Vec::new(), 1), &world.agency), Ok(Vec::new()));

    let attempt = |bytes: &[u8]| ledger::read(bytes, &world.agency).map(|_| ());
    let forged = erasure_link(&world, &case, 1);
    refused(Check::Ledger, attempt(&write(vec![listed(&forged)], 0)));
    let stranger = World::new(7, 1);
    let signer = &stranger.people[0];
    let foreign = ledger::write(world.agency.id(), signer.device, &signer.signer, Vec::new()).unwrap();
    refused(Check::Ledger, attempt(&foreign));
    let elsewhere = ledger::write(stranger.agency.id(), signer.device, &signer.signer, Vec::new()).unwrap();
    refused(Check::Agency, attempt(&elsewhere));
    let relation = LinkBody::Event(PlacedEvent {
        event: Event::Relation,
        sealed: Vec::new(),
    });
    let other_event = LinkTwin::signed(case.link(&world, 0, relation), &world.people[0].signer);
    refused(Check::Ledger, attempt(&write(vec![listed(&other_event)], 0)));
    // An entry taken out, or a byte changed.
    let whole = write(vec![listed(&honest)], 0);
    let mut changed = whole.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    refused(Check::Ledger, attempt(&changed));
    refused(Check::NotCanonical, attempt(&whole[..last]));
}
