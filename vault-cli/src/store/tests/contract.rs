//! What is put comes back, durable, in order and to the byte; what fails leaves nothing.

use super::fixture::*;
use crate::store::BlobKind;
use crate::store::Content;
use crate::store::ReadTx;
use crate::store::RecordAt;
use crate::store::Row;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::WriteTx;
use proptest::prelude::*;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;
use vault_core::check::Check;
use vault_core::id::LinkId;
use vault_core::id::RecordHash;
use vault_core::id::RecordId;
use vault_core::local::index::ContentTag;
use vault_core::stream::VerifiedLink;
use vault_core::wire;
use vault_core::wire::v1::event::Erasure;
use vault_core::wire::v1::event::ErasureGround;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::link::ReleaseCommitment;
use vault_core::wire::v1::link::Rewrap;
use vault_core::wire::v1::link::Rewrapped;
use vault_core::wire::v1::link::Seen;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;

#[test]
fn what_was_put_is_there_after_reopening_and_rebuilds_to_its_heads() {
    let vault = Vault::filled(3);
    let path = vault.path();
    let Vault { folder: _folder, store } = vault;
    drop(store);
    let store = Store::open(&path, &key()).unwrap();
    assert_eq!(store.agency(), AGENCY);
    assert_eq!(replay(&store).unwrap().len(), 2 + 2 * 4 + 3);
    store
        .read(|tx| {
            assert_eq!(tx.streams(StreamKind::Case)?.len(), 2);
            for head in tx.all_streams()? {
                tx.require_dense(head.stream)?;
                tx.authenticate(head.stream)?;
            }
            assert_eq!(tx.count_notes(case(1))?, 3);
            assert_eq!(tx.count_notes(case(9))?, 0);
            assert_eq!(tx.events(access())?.len(), 3);
            assert_eq!(tx.events(case(1))?.len(), 1);
            assert_eq!(tx.records_of_class(case(1), RecordClass::Note)?.len(), 3);
            assert_eq!(tx.records_of_class(case(1), RecordClass::Admin)?.len(), 0);
            Ok::<_, StoreError>(())
        })
        .unwrap();
    store.require_sound().unwrap();
}

#[test]
fn the_files_are_their_owners_alone() {
    let vault = Vault::filled(1);
    for file in std::fs::read_dir(vault.folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.path().display());
    }
    let copy = vault.folder.path().join("copy");
    vault.store.copy_to(&copy).unwrap();
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o077, 0);
    let copied = Store::open(&copy, &key()).unwrap();
    assert_eq!(replay(&copied).unwrap().len(), 2 + 2 * 2 + 3);
    assert!(matches!(vault.store.copy_to(&copy), Err(StoreError::Exists(_))));
}

#[test]
fn a_record_comes_back_with_signature_and_wrap_and_opens() {
    let mut vault = Vault::filled(0);
    let sealed = record(
        case(1),
        RecordId([42; 16]),
        RecordClass::Note,
        b"{\"schema\":\"note\",\"x\":1}",
    );
    let pos = vault.write(|tx| put_record(tx, &sealed, true));
    let stored = vault.read(|tx| tx.record_at(RecordAt::link(pos)));
    assert!(stored.is_primary);
    assert_eq!(stored.seq, 1);
    let (found, found_wrap) = stored.into_record().unwrap();
    assert_eq!(found_wrap, wrap(&sealed.record));
    let verified = found.verify(&public()).unwrap();
    let opened = verified.open(&sealed.key).unwrap();
    assert_eq!(opened.bytes(), b"{\"schema\":\"note\",\"x\":1}");
}

#[test]
fn sealed_parts_come_back_in_their_events_order() {
    let mut vault = Vault::filled(0);
    let parts = [1, 2, 3].map(|n| record(case(1), RecordId([n; 16]), RecordClass::Admin, &[n]));
    let parts: Vec<_> = parts.iter().collect();
    let pos = vault.write(|tx| put_event(tx, case(1), Event::Relation, &parts));
    let Row::Link(row) = vault.read(|tx| tx.row_at(pos)) else {
        panic!("an event is no record link")
    };
    let hashes: Vec<_> = row.sealed.iter().map(|part| part.hash().unwrap()).collect();
    assert_eq!(hashes, parts.iter().map(|part| part.record.hash()).collect::<Vec<_>>());
    let versions = vault.read(|tx| tx.versions(RecordId([2; 16])));
    assert_eq!(
        versions.iter().map(|v| v.at).collect::<Vec<_>>(),
        [RecordAt { pos, part: 2 }]
    );
}

#[test]
fn a_handle_finds_its_record_once_with_its_newest_version() {
    let mut vault = Vault::filled(3);
    let first = vault.read(|tx| tx.versions(note_id(1, 2)));
    let amended = version(
        case(1),
        note_id(1, 2),
        RecordClass::Note,
        b"{}",
        2,
        first[0].hash().unwrap(),
    );
    let pos = vault.write(|tx| put_record(tx, &amended, true));
    let handle = RecordId::range(&note_id(1, 2).handle()).unwrap();
    let found = vault.read(|tx| tx.find_records(handle, 5));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].newest, RecordAt::link(pos));
    assert_eq!((found[0].record, found[0].stream), (note_id(1, 2), case(1)));
    assert_eq!(vault.read(|tx| tx.versions(note_id(1, 2))).len(), 2);
    assert_eq!(vault.read(|tx| tx.count_notes(case(1))), 3);
    // Both cases' notes of one number begin alike: ambiguous, and cut at the limit.
    let short = RecordId::range("n-0").unwrap();
    assert_eq!(vault.read(|tx| tx.find_records(short, 9)).len(), 7);
    assert_eq!(vault.read(|tx| tx.find_records(short, 2)).len(), 2);
    assert_eq!(
        vault
            .read(|tx| tx.find_records(RecordId::range("n-zz").unwrap(), 9))
            .len(),
        0
    );
}

#[test]
fn a_transaction_that_fails_or_is_dropped_leaves_nothing() {
    let mut vault = Vault::filled(1);
    let before = vault.read(|tx| Ok(tx.head()));
    let failed: Result<(), StoreError> = vault.store.write(|tx| {
        put_note(tx, case(1), RecordId([1; 16]), b"{}")?;
        put_event(tx, agency(), Event::MemberRetired(MEMBER), &[])?;
        put_event(tx, case(5), Event::Relation, &[])?;
        tx.put_local("draft", b"text")?;
        tx.index("note", "ext-1", b"{}", 1)?;
        Err(StoreError::Full)
    });
    assert!(matches!(failed, Err(StoreError::Full)));
    assert_eq!(vault.read(|tx| Ok(tx.head())), before);
    assert!(vault.read(|tx| tx.local("draft")).is_none());
    assert!(vault.read(|tx| tx.lookup("note", "ext-1")).is_none());
    // And the next one takes its place, the agency's remembered links included.
    vault.write(|tx| put_event(tx, agency(), Event::MemberRetired(MEMBER), &[]));
    vault.write(|tx| put_note(tx, case(1), RecordId([2; 16]), b"{}"));
    replay(&vault.store).unwrap();
}

#[test]
fn the_file_of_a_process_killed_while_writing_opens_without_the_transaction() {
    let mut vault = Vault::filled(2);
    let (path, killed) = (vault.path(), tempfile::tempdir().unwrap());
    // What a kill leaves is what is on the disk in the middle: copied here within the transaction.
    let copied: Result<(), StoreError> = vault.store.write(|tx| {
        for note in 0..200 {
            put_note(tx, case(1), note_id(9, note), &[b'x'; 4_000])?;
        }
        for suffix in ["", "-wal"] {
            let name = format!("store{suffix}");
            std::fs::copy(path.with_file_name(&name), killed.path().join(&name)).unwrap();
        }
        Ok(())
    });
    copied.unwrap();
    let store = Store::open(&killed.path().join("store"), &key()).unwrap();
    assert_eq!(store.read(|tx| tx.count_notes(case(1))).unwrap(), 2);
    replay(&store).unwrap();
    assert_eq!(vault.read(|tx| tx.count_notes(case(1))), 202);
}

#[test]
fn what_was_acknowledged_is_in_the_files_without_closing_them() {
    let mut vault = Vault::filled(0);
    for note in 0..5 {
        vault.write(|tx| put_note(tx, case(1), note_id(1, note), b"{}"));
        let copy = tempfile::tempdir().unwrap();
        for name in ["store", "store-wal"] {
            std::fs::copy(vault.folder.path().join(name), copy.path().join(name)).unwrap();
        }
        let store = Store::open(&copy.path().join("store"), &key()).unwrap();
        assert_eq!(store.read(|tx| tx.count_notes(case(1))).unwrap(), u64::from(note) + 1);
    }
}

#[test]
fn a_reader_sees_one_snapshot_while_another_process_writes() {
    let vault = Vault::filled(1);
    let mut other = Store::open(&vault.path(), &key()).unwrap();
    vault.read(|tx| {
        assert_eq!(tx.count_notes(case(1))?, 1);
        other.write(|tx| put_note(tx, case(1), RecordId([1; 16]), b"{}"))?;
        other.write(|tx| put_event(tx, agency(), Event::MemberRetired(MEMBER), &[]))?;
        assert_eq!(tx.count_notes(case(1))?, 1);
        Ok(())
    });
    assert_eq!(vault.read(|tx| tx.count_notes(case(1))), 2);
    assert_eq!(vault.read(|tx| tx.agency_links()).len(), 3);
}

#[test]
fn a_second_writer_waits_for_the_first_and_builds_on_it() {
    let mut vault = Vault::filled(1);
    let path = vault.path();
    let (started, begun) = mpsc::channel();
    let second = vault.write(|tx| {
        let second = std::thread::spawn(move || {
            let mut store = Store::open(&path, &key()).unwrap();
            started.send(()).unwrap();
            store.write(|tx| put_note(tx, case(1), RecordId([2; 16]), b"{}"))
        });
        begun.recv().unwrap();
        put_note(tx, case(1), RecordId([1; 16]), b"{}")?;
        Ok(second)
    });
    second.join().unwrap().unwrap();
    assert_eq!(vault.read(|tx| tx.count_notes(case(1))), 3);
    replay(&vault.store).unwrap();
}

#[test]
fn a_writer_that_never_ends_is_busy_to_the_next() {
    let vault = Vault::filled(1);
    let blocker = rusqlite::Connection::open(vault.path()).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let Vault {
        mut store,
        folder: _folder,
    } = vault;
    store.wait_at_most(std::time::Duration::from_millis(1)).unwrap();
    let refused: Result<(), StoreError> = store.write(|_| Ok(()));
    assert!(matches!(refused, Err(StoreError::Busy)));
    store.read(|tx| tx.count_notes(case(1))).unwrap();
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    let mut vault = Vault::filled(1);
    let pages: i64 = vault
        .store
        .connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    let limit = format!("PRAGMA max_page_count = {}", pages + 3);
    vault.store.connection.query_row(&limit, [], |_| Ok(())).unwrap();
    let full: Result<(), StoreError> = vault.store.write(|tx| {
        for note in 0..100 {
            put_note(tx, case(1), note_id(9, note), &[b'x'; 4_000])?;
        }
        Ok(())
    });
    assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
    assert_eq!(vault.read(|tx| tx.count_notes(case(1))), 1);
    vault.write(|tx| put_access(tx, &[3; 1024], None));
    replay(&vault.store).unwrap();
}

#[test]
fn disk_is_kept_back_given_up_once_and_kept_back_again() {
    let vault = Vault::filled(0);
    let reserve = vault.path().with_file_name("store-reserve");
    assert_eq!(std::fs::metadata(&reserve).unwrap().len(), 2 << 20);
    assert!(std::fs::metadata(&reserve).unwrap().blocks() >= (2 << 20) / 512);
    assert!(vault.store.release_reserve().unwrap());
    assert!(!vault.store.release_reserve().unwrap());
    assert!(!reserve.exists());
    Store::open(&vault.path(), &key()).unwrap();
    assert!(reserve.exists());
}

#[test]
fn a_transaction_within_a_transaction_is_a_fault_of_the_program() {
    let vault = Vault::filled(0);
    let nested: Result<(), StoreError> = vault.store.read(|_| vault.store.read(|_| Ok(())));
    assert!(matches!(nested, Err(StoreError::Bug(_))));
}

#[test]
fn links_that_are_not_the_next_or_not_for_here_are_refused() {
    let mut vault = Vault::filled(2);
    let sealed = record(case(1), RecordId([1; 16]), RecordClass::Note, b"{}");
    let other = record(case(1), RecordId([2; 16]), RecordClass::Note, b"{}");
    let body = || LinkBody::Record(placement(&sealed.record));
    let good = vault.read(|tx| next(tx, case(1), body()));
    let unknown = vault.read(|tx| {
        let mut chain = tx.chain(case(1))?;
        Ok(chain.append(LinkId([9; 32]), DEVICE, body()).unwrap().sign(&signer()))
    });
    let elsewhere = vault.read(|tx| next(tx, case(2), body()));
    let mut put = |link: &VerifiedLink, record: &vault_core::record::VerifiedRecord, wrapped| {
        let put: Result<u64, StoreError> = vault.store.write(|tx| tx.put_record(link, record, &wrapped, true));
        put.map_err(|error| error.check())
    };
    let (own, foreign) = (wrap(&sealed.record), wrap(&other.record));
    assert_eq!(put(&good, &other.record, own), Err(Some(Check::Placement)));
    assert_eq!(put(&good, &sealed.record, foreign), Err(Some(Check::Placement)));
    assert_eq!(put(&elsewhere, &sealed.record, own), Err(Some(Check::Placement)));
    assert_eq!(put(&unknown, &sealed.record, own), Err(Some(Check::AgencyHead)));
    assert!(put(&good, &sealed.record, own).is_ok());
    assert_eq!(put(&good, &sealed.record, own), Err(Some(Check::Chain)));
    let kind = vault.store.write(|tx| tx.put_event(&good, &[]));
    assert!(matches!(kind, Err(StoreError::Bug(_))));
}

#[test]
fn access_bodies_and_starts_must_be_those_that_their_links_name() {
    let mut vault = Vault::filled(0);
    let entry = access_entry(&[1; 1024], Some(b"manifest"));
    let link = vault.read(|tx| next(tx, access(), LinkBody::Access(entry)));
    let cases: [(&[u8], Option<&[u8]>); 3] = [
        (&[2; 1024], Some(b"manifest")),
        (&[1; 1024], Some(b"other")),
        (&[1; 1024], None),
    ];
    for (body, manifest) in cases {
        let put = vault.store.write(|tx| tx.put_access(&link, body, manifest));
        assert_eq!(put.unwrap_err().check(), Some(Check::AccessBody));
    }
    vault.write(|tx| tx.put_access(&link, &[1; 1024], Some(b"manifest")));
    let hash = BlobKind::Manifest.hash(b"manifest");
    assert_eq!(vault.read(|tx| tx.blob(BlobKind::Manifest, &hash)), b"manifest");
    let missing = vault.store.read(|tx| tx.blob(BlobKind::Keyring, &[0; 32]));
    assert_eq!(missing.unwrap_err().check(), Some(Check::BodyMissing));
}

#[test]
fn local_values_are_replaced_removed_and_sealed() {
    let mut vault = Vault::filled(0);
    vault.write(|tx| tx.put_local("draft/1", b"CANARY-one"));
    vault.write(|tx| tx.put_local("draft/1", b"CANARY-two"));
    vault.write(|tx| tx.put_local("ratchet", b"state"));
    let value = vault.read(|tx| tx.local("draft/1")).unwrap();
    assert_eq!(value.as_slice(), b"CANARY-two");
    assert_eq!(vault.read(|tx| tx.local_names("draft/")), ["draft/1"]);
    assert!(vault.write(|tx| tx.remove_local("draft/1")));
    assert!(!vault.write(|tx| tx.remove_local("draft/1")));
    assert!(vault.read(|tx| tx.local("draft/1")).is_none());
    for file in std::fs::read_dir(vault.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"CANARY"));
    }
}

#[test]
fn the_index_finds_an_external_id_and_tells_its_line() {
    let mut vault = Vault::filled(1);
    vault.write(|tx| tx.index("note", "ext-1", b"{\"a\":1}", 4));
    let found = vault.read(|tx| tx.lookup("note", "ext-1")).unwrap();
    let tag = |line| vault.read(|tx| Ok(ContentTag::new(&tx.keys().index, line)));
    assert_eq!((found.pos, found.content), (4, Some(tag(b"{\"a\":1}"))));
    assert_ne!(found.content, Some(tag(b"{\"a\":2}")));
    assert!(vault.read(|tx| tx.lookup("case", "ext-1")).is_none());
    vault.write(|tx| tx.index("note", "ext-1", b"{\"a\":2}", 5));
    let found = vault.read(|tx| tx.lookup("note", "ext-1")).unwrap();
    assert_eq!(found.pos, 5);
    let mut entries = 0;
    vault.read(|tx| {
        tx.each_external(&mut |_, entry| {
            assert_eq!(entry, found);
            entries += 1;
            Ok::<_, StoreError>(())
        })
    });
    assert_eq!(entries, 1);
}

#[test]
fn an_erased_record_leaves_its_hashes_and_its_chain() {
    let mut vault = Vault::filled(0);
    let (kept, gone) = (
        record(case(1), RecordId([1; 16]), RecordClass::Note, b"kept"),
        record(case(1), RecordId([2; 16]), RecordClass::Note, b"gone"),
    );
    vault.write(|tx| put_record(tx, &kept, true));
    let pos = vault.write(|tx| {
        let pos = put_record(tx, &gone, true)?;
        tx.index("note", "ext-2", b"line", pos)?;
        Ok(pos)
    });
    let part = vault.read(|tx| Ok(tx.events(case(1))?[0].sealed[0].at));
    vault.write(|tx| {
        let erasure = Event::Erasure(Erasure {
            records: vec![gone.record.hash()],
            ground: ErasureGround::Withdrawn,
        });
        put_event(tx, case(1), erasure, &[])?;
        tx.erase(&[RecordAt::link(pos), part])
    });
    let stored = vault.read(|tx| tx.record_at(RecordAt::link(pos)));
    assert!(stored.is_erased() && !stored.is_primary);
    assert_eq!(stored.header, *gone.record.header());
    assert_eq!(stored.hash().unwrap(), gone.record.hash());
    assert_eq!(stored.into_record().err().unwrap().check(), Some(Check::BodyMissing));
    assert!(vault.read(|tx| tx.record_at(part)).is_erased());
    assert_eq!(vault.read(|tx| tx.count_notes(case(1))), 1);
    let entry = vault.read(|tx| tx.lookup("note", "ext-2")).unwrap();
    assert_eq!((entry.pos, entry.content), (pos, None));
    replay(&vault.store).unwrap();
    vault.read(|tx| tx.authenticate(case(1)));
    // Erasing again changes nothing, and neither ciphertext nor wrap is left in any of the files.
    vault.write(|tx| tx.erase(&[RecordAt::link(pos)]));
    replay(&vault.store).unwrap();
    let (ciphertext, wrapped) = (gone.record.ciphertext(), wrap(&gone.record).0);
    for file in std::fs::read_dir(vault.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(16).any(|window| window == &ciphertext[..16]));
        assert!(!bytes.windows(48).any(|window| window == wrapped));
    }
}

#[test]
fn rewraps_are_the_links_own_newest_first_and_go_with_an_erasure() {
    let mut vault = Vault::filled(1);
    let at = vault.read(|tx| Ok(tx.versions(note_id(1, 0))?[0].at));
    let record_hash = vault.read(|tx| tx.record_at(at)?.hash());
    let wraps = [1, 2].map(|n| vault_core::epoch::Wrap([n; 48]));
    let link = |tx: &ReadTx<'_>, wrap: &vault_core::epoch::Wrap| {
        let release = tx.record_at(at)?.release;
        let body = LinkBody::Rewrap(Rewrap {
            section: Section::CORE,
            epoch: Epoch::FIRST_HISTORY,
            release,
            items: vec![Rewrapped {
                record_hash,
                wrap_hash: wrap.hash(),
            }],
        });
        next(tx, case(1), body)
    };
    let wrong = vault.store.write(|tx| {
        let link = link(tx, &wraps[0])?;
        tx.put_rewrap(&link, &[(at, Some(wraps[1]))])
    });
    assert_eq!(wrong.unwrap_err().check(), Some(Check::Placement));
    for wrap in &wraps {
        vault.write(|tx| {
            let link = link(tx, wrap)?;
            tx.put_rewrap(&link, &[(at, Some(*wrap))])
        });
    }
    let found: Vec<_> = vault
        .read(|tx| tx.rewraps(at))
        .into_iter()
        .map(|(_, wrap)| wrap)
        .collect();
    assert_eq!(found, [wraps[1], wraps[0]]);
    replay(&vault.store).unwrap();
    assert_eq!(blobs_sent(&vault), wraps.map(|wrap| wrap.0.to_vec()));
    vault.write(|tx| tx.erase(&[at]));
    assert!(vault.read(|tx| tx.rewraps(at)).is_empty());
    replay(&vault.store).unwrap();
    // What is left of them goes to a server.
    assert_eq!(blobs_sent(&vault), [Vec::<u8>::new(), Vec::new()]);
}

/// The blobs of rewrap links as they go to a server, each parcel found to be what its link names.
fn blobs_sent(vault: &Vault) -> Vec<Vec<u8>> {
    let mut sent = Vec::new();
    vault
        .store
        .read(|tx| {
            tx.outgoing(0, 64, &mut |chunk| {
                for one in chunk {
                    let is_rewrap = matches!(one.link.link().body, LinkBody::Rewrap(_));
                    let opened = vault_core::parcel::OpenParcel::open(one.parcel).unwrap();
                    sent.extend(opened.blobs().iter().filter(|_| is_rewrap).cloned());
                }
                Ok::<(), StoreError>(())
            })
        })
        .unwrap();
    sent
}

#[test]
fn an_empty_store_has_nothing_and_rebuilds() {
    let vault = Vault::empty();
    assert!(replay(&vault.store).unwrap().is_empty());
    assert!(vault.read(|tx| tx.agency_links()).is_empty());
    assert_eq!(vault.read(|tx| tx.agency_head()), LinkId::ZERO);
    vault.read(|tx| tx.require_dense(case(1)));
    vault.read(|tx| tx.authenticate(case(1)));
    assert_eq!(vault.read(|tx| Ok(tx.chain(case(1))?.next_seq())), 0);
}

#[derive(Clone, Debug)]
enum Put {
    Note {
        case: u8,
        text: Vec<u8>,
        seen: bool,
        release: bool,
        amends: bool,
        primary: bool,
    },
    Event {
        case: u8,
        parts: u8,
    },
    Agency,
    Access {
        manifest: bool,
    },
}

fn puts() -> impl Strategy<Value = Vec<Put>> {
    let note = (
        1u8..4,
        proptest::collection::vec(any::<u8>(), 0..600),
        any::<[bool; 4]>(),
    )
        .prop_map(|(case, text, [seen, release, amends, primary])| Put::Note {
            case,
            text,
            seen,
            release,
            amends,
            primary,
        });
    let event = (1u8..4, 0u8..=4).prop_map(|(case, parts)| Put::Event { case, parts });
    let access = any::<bool>().prop_map(|manifest| Put::Access { manifest });
    proptest::collection::vec(
        prop_oneof![5 => note, 1 => event, 1 => Just(Put::Agency), 1 => access],
        1..24,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_link_is_rebuilt_to_the_byte_with_its_signature(puts in puts(), cut in 1usize..24) {
        let mut vault = Vault::filled(0);
        let mut made: Vec<(LinkId, Vec<u8>)> = Vec::new();
        for chunk in puts.chunks(cut) {
            vault.write(|tx| {
                for (n, put) in chunk.iter().enumerate() {
                    let link = apply(tx, put, u8::try_from(made.len() + n).unwrap())?;
                    made.push((link.id(), link.bytes().to_vec()));
                }
                Ok(())
            });
        }
        let rebuilt = replay(&vault.store).unwrap();
        let new = rebuilt.len() - made.len();
        for (link, (id, bytes)) in rebuilt[new..].iter().zip(&made) {
            prop_assert_eq!(link.id(), *id);
            prop_assert_eq!(&wire::encode(link.link()).unwrap(), bytes);
            link.verify_signature(&public()).unwrap();
        }
        vault.store.require_sound().unwrap();
        vault.read(|tx| {
            for head in tx.all_streams()? {
                tx.authenticate(head.stream)?;
                tx.require_dense(head.stream)?;
            }
            tx.scan_all(1, 5, &mut |rows| {
                for row in rows {
                    if let Row::Record(row) = row {
                        assert!(matches!(row.record.content, Content::Kept { .. }));
                        let (record, _) = row.record.into_record()?;
                        record.verify_signature(&public()).unwrap();
                    }
                }
                Ok(())
            })
        });
    }
}

fn apply(tx: &mut WriteTx<'_>, put: &Put, n: u8) -> Result<VerifiedLink, StoreError> {
    let id = RecordId([n; 16]);
    match put {
        Put::Note {
            case: of,
            text,
            seen,
            release,
            amends,
            primary,
        } => {
            let (number, amended) = if *amends {
                (2, RecordHash([n.max(1); 32]))
            } else {
                (1, RecordHash::ZERO)
            };
            let sealed = version(case(*of), id, RecordClass::Note, text, number, amended);
            let mut placed = placement(&sealed.record);
            if *release {
                placed.release.commitment = Some(ReleaseCommitment {
                    version: 1,
                    commitment: [n % 3; 32],
                    signature: [4; 64],
                });
            }
            let stream = sealed.record.header().stream;
            let body = LinkBody::Record(placed);
            let link = if *seen {
                let seen = Seen {
                    size: u64::from(n),
                    root: [n; 32],
                    signature: vault_core::crypto::sign::Signature([n; 64]),
                };
                next_seen(tx, stream, body, seen)?
            } else {
                next(tx, stream, body)?
            };
            tx.put_record(&link, &sealed.record, &wrap(&sealed.record), *primary)?;
            Ok(link)
        }
        Put::Event { case: number, parts } => {
            let sealed: Vec<_> = (0..*parts)
                .map(|part| record(case(*number), note_id(n, part), RecordClass::Admin, &[part]))
                .collect();
            put_event(tx, case(*number), Event::Relation, &sealed.iter().collect::<Vec<_>>())?;
            last(tx, case(*number))
        }
        Put::Agency => {
            put_event(tx, agency(), Event::MemberRetired(MEMBER), &[])?;
            last(tx, agency())
        }
        Put::Access { manifest } => {
            let manifest: Option<&[u8]> = manifest.then_some(b"manifest");
            put_access(tx, &[n; 1024], manifest)?;
            last(tx, access())
        }
    }
}

fn last(tx: &ReadTx<'_>, stream: StreamId) -> Result<VerifiedLink, StoreError> {
    let rows = tx.events(stream)?;
    Ok(rows.last().unwrap().link.clone().verify(&public()).unwrap())
}
