//! Store versions: what is foreign or newer is left alone, what is older is copied and then brought up.

use super::fixture::*;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::migrate;

#[test]
fn a_foreign_database_is_named_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photos");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA application_id = 77; CREATE TABLE photo (id INTEGER)")
        .unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let opened = Store::open(&path, &key());
    assert!(matches!(opened, Err(StoreError::Foreign { found: 77, .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_newer_store_is_refused_and_left_as_it_was() {
    let (folder, opened) = Vault::filled(0).changed(|connection| {
        connection.pragma_update(None, "user_version", 2).unwrap();
    });
    assert!(matches!(opened, Err(StoreError::TooNew { found: 2, known: 1 })));
    drop(folder);
}

#[test]
fn an_older_store_is_copied_and_brought_up_step_by_step() {
    let vault = Vault::filled(1);
    let path = vault.path();
    let Vault { folder: _folder, store } = vault;
    drop(store);
    let steps = [
        "CREATE TABLE second (x INTEGER) STRICT",
        "ALTER TABLE second ADD COLUMN y INTEGER",
    ];
    let connection = rusqlite::Connection::open(&path).unwrap();
    let copy = |to: &std::path::Path| {
        connection.execute("VACUUM INTO ?1", [to.to_str().unwrap()])?;
        Ok(())
    };
    migrate::migrate(&connection, &path, &steps, copy).unwrap();
    assert_eq!(migrate::pragma(&connection, "user_version").unwrap(), 3);
    connection
        .execute("INSERT INTO second (x, y) VALUES (1, 2)", [])
        .unwrap();
    // Again changes nothing and copies nothing.
    migrate::migrate(&connection, &path, &steps, |_| Err(StoreError::Full)).unwrap();
    let old = Store::open(&migrate::copy_path(&path, 1), &key()).unwrap();
    replay(&old).unwrap();
}

#[test]
fn a_step_that_fails_leaves_the_version_before_it() {
    let vault = Vault::filled(1);
    let path = vault.path();
    let Vault { folder: _folder, store } = vault;
    drop(store);
    let connection = rusqlite::Connection::open(&path).unwrap();
    let steps = ["CREATE TABLE second (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1)"];
    assert!(migrate::migrate(&connection, &path, &steps, |_| Ok(())).is_err());
    drop(connection);
    replay(&Store::open(&path, &key()).unwrap()).unwrap();
    // And without its copy a step is not taken.
    let connection = rusqlite::Connection::open(&path).unwrap();
    let refused = migrate::migrate(&connection, &path, &["SELECT 1"], |_| Err(StoreError::Full));
    assert!(matches!(refused, Err(StoreError::Full)));
    assert_eq!(migrate::pragma(&connection, "user_version").unwrap(), 1);
}

#[test]
fn the_schema_is_the_one_that_stores_of_version_1_have() {
    // A changed table is a new store version with a step that leads to it; the leak budget is these columns.
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.execute_batch(migrate::SCHEMA).unwrap();
    let mut statement = connection
        .prepare("SELECT t.name || '(' || group_concat(c.name, ' ') || ')' FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' GROUP BY t.name ORDER BY t.name")
        .unwrap();
    let tables: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        tables,
        [
            "actor(no id)",
            "blob(hash bytes)",
            "erased(pos part padded_length ciphertext_hash wrap_hash)",
            "external(key pos content)",
            "link(pos stream seq class is_primary version agency_seq signer member device section epoch month release \
             seen amends record_id commitment record_signature signature wrap bytes body)",
            "local(name value)",
            "meta(id agency pos commit_order mac)",
            "release(no bytes)",
            "rewrap(record_pos record_part pos wrap)",
            "sealed(pos part class version member device amends record_id commitment record_signature wrap body)",
            "stream(no kind id seq head mac)",
        ]
    );
}
