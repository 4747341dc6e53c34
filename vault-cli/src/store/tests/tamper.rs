//! A file changed behind the store's back is refused with the check that says so.

use super::fixture::*;
use crate::store::BlobKind;
use crate::store::Row;
use crate::store::Store;
use crate::store::StoreError;
use vault_core::check::Check;
use vault_core::id::AgencyId;
use vault_core::secret::StoreKey;

/// The check by which a changed store is refused, on opening it or on rebuilding it whole.
fn refused(change: &str) -> Option<Check> {
    let (_folder, opened) = Vault::filled(3).changed(|connection| {
        let changed = connection.execute_batch(change);
        changed.unwrap_or_else(|error| panic!("{change}: {error}"));
    });
    match opened.and_then(|store| replay(&store).map(drop)) {
        Ok(()) => None,
        Err(error) => Some(error.check().unwrap_or_else(|| panic!("{change}: {error}"))),
    }
}

#[test]
fn an_unchanged_store_is_not_refused() {
    assert_eq!(refused(""), None);
}

#[test]
fn chk_100_a_stream_head_moved_back_or_to_another_link_is_refused() {
    assert_eq!(
        refused("UPDATE stream SET seq = seq - 1 WHERE no = 2"),
        Some(Check::StreamHead)
    );
    assert_eq!(
        refused("UPDATE stream SET id = zeroblob(16) WHERE no = 2"),
        Some(Check::StreamHead)
    );
    assert_eq!(
        refused("UPDATE stream SET head = zeroblob(32) WHERE no = 3"),
        Some(Check::StreamHead)
    );
    assert_eq!(
        refused("UPDATE stream SET mac = zeroblob(32) WHERE no = 1"),
        Some(Check::StreamHead)
    );
    let swapped = "UPDATE stream SET mac = (SELECT mac FROM stream WHERE no = 3) WHERE no = 2";
    assert_eq!(refused(swapped), Some(Check::StreamHead));
}

#[test]
fn chk_101_a_store_head_of_other_numbers_order_or_agency_is_refused() {
    assert_eq!(refused("UPDATE meta SET pos = pos - 1"), Some(Check::StoreHead));
    assert_eq!(
        refused("UPDATE meta SET commit_order = zeroblob(32)"),
        Some(Check::StoreHead)
    );
    assert_eq!(refused("UPDATE meta SET agency = zeroblob(32)"), Some(Check::StoreHead));
    assert_eq!(refused("UPDATE meta SET mac = zeroblob(32)"), Some(Check::StoreHead));
    let added = "INSERT INTO stream (kind, id, seq, head, mac) VALUES (2, zeroblob(16), 0, zeroblob(32), zeroblob(32))";
    assert_eq!(refused(added), Some(Check::StoreHead));
}

#[test]
fn chk_101_a_stream_removed_whole_is_missed() {
    let removed = "DELETE FROM sealed WHERE pos IN (SELECT pos FROM link WHERE stream = 3);
        DELETE FROM link WHERE stream = 3; DELETE FROM stream WHERE no = 3";
    assert_eq!(refused(removed), Some(Check::StoreHead));
}

#[test]
fn chk_101_another_keys_store_is_refused() {
    let vault = Vault::filled(0);
    let stranger = Store::open(&vault.path(), &StoreKey::from_bytes([2; 32]));
    assert_eq!(stranger.unwrap_err().check(), Some(Check::StoreHead));
}

#[test]
fn chk_101_two_links_committed_in_another_order_are_refused() {
    // Rows of two streams change places: each stream is still whole, and only the order of all tells.
    let swapped = "UPDATE link SET pos = -5 WHERE pos = 5; UPDATE link SET pos = -8 WHERE pos = 8;
        UPDATE link SET pos = 8 WHERE pos = -5; UPDATE link SET pos = 5 WHERE pos = -8";
    let vault = Vault::filled(3);
    let streams = |pos| vault.read(|tx| Ok(tx.row_at(pos)?.stream()));
    assert_eq!((streams(4), streams(8)), (case(1), case(2)));
    assert_eq!(refused(swapped), Some(Check::Dense));
    // Notes with their sequence numbers, of two cases, so that both chains hold: the last of one, the first of the next.
    let between = "PRAGMA foreign_keys = OFF; UPDATE sealed SET pos = 6 WHERE pos = 7;
        UPDATE link SET pos = -6 WHERE pos = 6; UPDATE link SET pos = 6 WHERE pos = 7; UPDATE link SET pos = 7 WHERE pos = -6";
    assert_eq!((streams(6), streams(7)), (case(1), case(2)));
    assert_eq!(refused(between), Some(Check::StoreHead));
}

#[test]
fn chk_102_a_row_deleted_below_the_head_at_the_tail_or_with_renumbering_is_missed() {
    assert_eq!(refused("DELETE FROM link WHERE pos = 5"), Some(Check::Dense));
    assert_eq!(
        refused("DELETE FROM link WHERE pos = (SELECT max(pos) FROM link)"),
        Some(Check::Dense)
    );
    assert_eq!(
        refused("DELETE FROM link WHERE stream = 3 AND seq = 3"),
        Some(Check::Dense)
    );
    // A copy of another row in its place, so that the count is right.
    let filled = "CREATE TEMP TABLE other AS SELECT * FROM link WHERE pos = 4; DELETE FROM link WHERE pos = 5;
        UPDATE other SET pos = 5; INSERT INTO link SELECT * FROM other";
    assert_eq!(refused(filled), Some(Check::Dense));
}

#[test]
fn chk_102_a_stream_is_dense_up_to_its_head_or_refused() {
    let (_folder, opened) = Vault::filled(3).changed(|connection| {
        let change = "UPDATE link SET seq = 9 WHERE stream = 2 AND seq = 3";
        connection.execute_batch(change).unwrap();
    });
    let store = opened.unwrap();
    let dense = store.read(|tx| tx.require_dense(case(1)));
    assert_eq!(dense.unwrap_err().check(), Some(Check::Dense));
    store.read(|tx| tx.require_dense(case(2))).unwrap();
}

#[test]
fn chk_100_every_column_of_a_record_link_is_covered_by_the_head() {
    let columns = [
        ("agency_seq", "0"),
        ("signer", "member"),
        ("member", "device"),
        ("device", "member"),
        // With its mark, which only a note may bear: otherwise the row alone is refused.
        ("class", "2, is_primary = 0"),
        ("version", "2"),
        ("section", "2"),
        ("epoch", "1"),
        ("month", "month + 1"),
        ("amends", "CAST(hex(zeroblob(16)) AS BLOB)"),
        ("record_id", "zeroblob(16)"),
        ("commitment", "zeroblob(32)"),
        ("wrap", "zeroblob(48)"),
        ("body", "zeroblob(272)"),
        ("seen", "zeroblob(104)"),
    ];
    for (column, value) in columns {
        // A record's row names no link before it: what follows goes another way, up to the head.
        for seq in [2, 3] {
            let change = format!("UPDATE link SET {column} = {value} WHERE stream = 2 AND seq = {seq}");
            assert_eq!(refused(&change), Some(Check::StreamHead), "{change}");
        }
    }
}

#[test]
fn signatures_are_covered_by_their_own_check_and_the_rest_of_a_row_by_its_shape() {
    let change = "UPDATE link SET signature = zeroblob(64), record_signature = zeroblob(64) WHERE pos = 5";
    let (_folder, opened) = Vault::filled(3).changed(|connection| connection.execute_batch(change).unwrap());
    let store = opened.unwrap();
    let links = replay(&store).unwrap();
    let refused: Vec<_> = links
        .iter()
        .filter_map(|link| link.verify_signature(&public()).err())
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].check, Check::LinkSignature);
    let row = store.read(|tx| tx.versions(note_id(1, 1))).unwrap().remove(0);
    let (record, _) = row.into_record().unwrap();
    assert_eq!(
        record.verify_signature(&public()).unwrap_err().check,
        Check::RecordSignature
    );
}

#[test]
fn chk_47_82_sealed_parts_and_bodies_changed_or_gone_are_refused() {
    assert_eq!(
        refused("UPDATE sealed SET body = zeroblob(272) WHERE pos = 3"),
        Some(Check::Placement)
    );
    assert_eq!(
        refused("UPDATE sealed SET wrap = zeroblob(48) WHERE pos = 3"),
        Some(Check::Placement)
    );
    assert_eq!(
        refused("UPDATE sealed SET version = 2 WHERE pos = 3"),
        Some(Check::Placement)
    );
    assert_eq!(
        refused("UPDATE sealed SET body = NULL, wrap = NULL WHERE pos = 3"),
        Some(Check::BodyMissing)
    );
    assert_eq!(refused("DELETE FROM sealed WHERE pos = 3"), Some(Check::BodyMissing));
    assert_eq!(
        refused("UPDATE link SET body = NULL, wrap = NULL WHERE pos = 5"),
        Some(Check::BodyMissing)
    );
    assert_eq!(
        refused("UPDATE link SET body = NULL WHERE pos = 5"),
        Some(Check::BodyMissing)
    );
    let access = "UPDATE link SET body = NULL WHERE pos = (SELECT max(pos) FROM link)";
    assert_eq!(refused(access), Some(Check::BodyMissing));
    let access = "UPDATE link SET body = zeroblob(1024) WHERE pos = (SELECT max(pos) FROM link)";
    assert_eq!(refused(access), Some(Check::AccessBody));
}

#[test]
fn chk_105_values_of_no_meaning_are_refused() {
    let changes = [
        "UPDATE link SET record_id = zeroblob(15) WHERE pos = 5",
        "UPDATE link SET seq = -1 WHERE pos = 5",
        "UPDATE link SET class = NULL WHERE pos = 5",
        "UPDATE link SET is_primary = 2 WHERE pos = 5",
        "UPDATE link SET class = 1, is_primary = 1, version = 1 WHERE pos = 3",
        "UPDATE link SET body = zeroblob(1) WHERE pos = 3",
        "UPDATE link SET section = 70000 WHERE pos = 5",
        "PRAGMA foreign_keys = OFF; UPDATE link SET stream = 99 WHERE pos = 5",
        "PRAGMA foreign_keys = OFF; UPDATE link SET signer = 99 WHERE pos = 5",
        "PRAGMA foreign_keys = OFF; UPDATE link SET release = 99 WHERE pos = 5",
        "DELETE FROM meta",
        "DROP TABLE local",
        "CREATE VIEW extra AS SELECT 1",
        "CREATE TRIGGER extra AFTER INSERT ON link BEGIN DELETE FROM link; END",
        "DROP INDEX link_record",
    ];
    for change in changes {
        assert_eq!(refused(change), Some(Check::Unreadable), "{change}");
    }
    assert_eq!(
        refused("UPDATE link SET class = 9 WHERE pos = 5"),
        Some(Check::UnknownFormat)
    );
    assert_eq!(
        refused("UPDATE stream SET kind = 9 WHERE no = 2"),
        Some(Check::UnknownFormat)
    );
}

#[test]
fn chk_103_a_local_value_under_another_name_is_refused() {
    let mut vault = Vault::filled(0);
    vault.write(|tx| tx.put_local("draft/1", b"text"));
    let (_folder, opened) =
        vault.changed(|connection| connection.execute_batch("UPDATE local SET name = 'draft/2'").unwrap());
    let opened = opened.unwrap().read(|tx| tx.local("draft/2"));
    assert_eq!(opened.unwrap_err().check(), Some(Check::LocalValue));
}

#[test]
fn chk_105_a_blob_that_is_not_its_hashs_is_refused() {
    let vault = Vault::filled(0);
    let hash = vault.read(|tx| Ok(tx.blob_hashes()?[0]));
    let (_folder, opened) =
        vault.changed(|connection| connection.execute_batch("UPDATE blob SET bytes = zeroblob(5)").unwrap());
    let blob = opened
        .unwrap()
        .read(|tx| tx.blob(crate::store::BlobKind::Keyring, &hash));
    assert_eq!(blob.unwrap_err().check(), Some(Check::Unreadable));
}

#[test]
fn an_agency_stream_that_does_not_reach_its_head_is_not_cited() {
    let (_folder, opened) = Vault::filled(1).changed(|connection| {
        let change = "UPDATE link SET bytes = (SELECT bytes FROM link WHERE pos = 1) WHERE pos = 2";
        connection.execute_batch(change).unwrap();
    });
    let store = opened.unwrap();
    let cited = store.read(|tx| tx.agency_links());
    assert_eq!(cited.unwrap_err().check(), Some(Check::Chain));
}

#[test]
fn chk_105_a_truncated_or_overwritten_file_is_refused_and_never_a_panic() {
    let vault = Vault::filled(3);
    let path = vault.path();
    let Vault { folder, store } = vault;
    drop(store);
    let whole = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for length in (1..whole.len()).step_by(1_021) {
        std::fs::write(&path, &whole[..length]).unwrap();
        match Store::open(&path, &key()).and_then(|store| replay(&store).and_then(|_| store.require_sound())) {
            Err(error) => {
                assert_eq!(error.check(), Some(Check::Unreadable), "{length} bytes: {error}");
                refused += 1;
            }
            // Only zeros at the end of the last page were cut, which read as zeros still.
            Ok(()) => assert!(whole[length..].iter().all(|byte| *byte == 0), "{length} bytes"),
        }
    }
    assert!(refused > 10);
    std::fs::write(
        &path,
        b"not a database, but a text of more than a hundred bytes ".repeat(4),
    )
    .unwrap();
    assert_eq!(Store::open(&path, &key()).unwrap_err().check(), Some(Check::Unreadable));
    drop(folder);
}

#[test]
fn creating_over_something_is_refused_and_nothing_there_is_told() {
    let vault = Vault::filled(0);
    let path = vault.path();
    assert!(matches!(
        Store::create(&path, AgencyId([1; 32]), &key()),
        Err(StoreError::Exists(_))
    ));
    let missing = vault.folder.path().join("missing");
    assert!(matches!(Store::open(&missing, &key()), Err(StoreError::NotFound(_))));
    // The empty file that a crash in the middle of creating leaves is taken over.
    std::fs::write(&missing, b"").unwrap();
    assert!(Store::create(&missing, AGENCY, &key()).is_ok());
}

/// Everything that a reader gets from a store, with every check made that the store makes.
fn contents(store: &Store) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut all = Vec::new();
    for link in replay(store)? {
        let signed = link.verify_signature(&public());
        signed.map_err(|refused| StoreError::refused(refused.check, "link"))?;
        all.push(link.id().0.to_vec());
    }
    store.read(|tx| {
        tx.scan_all(1, 100, &mut |rows| {
            for row in rows {
                let records = match row {
                    Row::Record(row) => vec![row.record],
                    Row::Link(row) => {
                        all.push(row.body.unwrap_or_default());
                        row.sealed
                    }
                };
                for stored in records {
                    all.push(vec![u8::from(stored.is_primary)]);
                    let (record, wrap) = stored.into_record()?;
                    let signed = record.verify_signature(&public());
                    signed.map_err(|refused| StoreError::refused(refused.check, "record"))?;
                    all.push(record.hash().0.to_vec());
                    all.push(wrap.0.to_vec());
                }
            }
            Ok::<_, StoreError>(())
        })?;
        for kind in [BlobKind::Keyring, BlobKind::Manifest] {
            all.push(tx.blob(
                kind,
                &kind.hash(if kind == BlobKind::Keyring {
                    b"start"
                } else {
                    b"manifest"
                }),
            )?);
        }
        for name in tx.local_names("")? {
            all.push(tx.local(&name)?.unwrap_or_default().to_vec());
        }
        // The index names no content; its entries are checked against the records by who can open them (CHK-104).
        tx.each_external(&mut |_, _| Ok::<_, StoreError>(()))
    })?;
    store.require_sound()?;
    Ok(all)
}

#[test]
fn attack_50_a_flipped_bit_is_refused_or_changed_nothing_that_is_read() {
    let mut vault = Vault::filled(2);
    vault.write(|tx| {
        tx.put_local("ratchet", b"state")?;
        tx.index("note", "ext-1", b"line", 5)
    });
    let path = vault.path();
    let Vault { folder, store } = vault;
    let before = contents(&store).unwrap();
    drop(store);
    let whole = std::fs::read(&path).unwrap();
    // Every 61st bit: prime to the sizes of pages and fields, so that all of them are met.
    let (mut refused, mut same) = (0, 0);
    for bit in (0..whole.len() * 8).step_by(61) {
        // Free space within pages is zeros for the most part; one in a hundred of those is enough.
        if whole[bit / 8] == 0 && bit % 100 != 0 {
            continue;
        }
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &changed).unwrap();
        match Store::open(&path, &key()).and_then(|store| contents(&store)) {
            Err(StoreError::Refused { .. } | StoreError::Foreign { .. } | StoreError::TooNew { .. }) => refused += 1,
            Err(error) => panic!("bit {bit}: {error}"),
            Ok(after) => {
                let of = format!("bit {bit} of byte {:#x}", bit / 8);
                assert_eq!(after.len(), before.len(), "{of}");
                let differs: Vec<_> = (0..after.len()).filter(|n| after[*n] != before[*n]).collect();
                assert!(differs.is_empty(), "{of}: {differs:?}");
                same += 1;
            }
        }
    }
    assert!(refused > 1_000, "{refused} refused, {same} without effect");
    drop(folder);
}
