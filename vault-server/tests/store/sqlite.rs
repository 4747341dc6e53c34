//! The embedded store: the contract, and what is its own.

use std::os::unix::fs::PermissionsExt;

use vault_server::store::Store;
use vault_server::store::sqlite::{FILE, OpenError, Sqlite};

use crate::contract;

#[test]
fn it_keeps_the_contract() {
    for (name, promise) in contract::ALL {
        eprintln!("{name}");
        let folder = tempfile::tempdir().unwrap();
        promise(&Sqlite::open(folder.path(), [5; 32]).unwrap());
    }
}

#[test]
fn the_session_key_is_the_first_one() {
    let folder = tempfile::tempdir().unwrap();
    for key in [[5; 32], [6; 32]] {
        assert_eq!(
            Sqlite::open(folder.path(), key).unwrap().session_key().unwrap(),
            [5; 32]
        );
    }
    let mode = folder.path().join(FILE).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn another_process_another_program_and_a_newer_server_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Sqlite::open(folder.path(), [5; 32]);
    let first = open().unwrap();
    assert!(matches!(open(), Err(OpenError::Taken(_))));
    drop(first);
    let edit = |sql: &str| {
        let connection = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
        connection.execute_batch(sql).unwrap();
    };
    edit("PRAGMA user_version = 4");
    let refused = open().unwrap_err();
    assert!(refused.to_string().contains("upgrade casevault-server"), "{refused}");
    edit("PRAGMA user_version = 3; PRAGMA application_id = 7");
    assert!(matches!(open(), Err(OpenError::Foreign(_))));
    std::fs::write(folder.path().join(FILE), b"not a database at all, but some other text").unwrap();
    assert!(matches!(open(), Err(OpenError::Database { .. })));
}

#[test]
fn files_of_older_versions_are_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Sqlite::open(folder.path(), [5; 32]).unwrap();
    drop(open());
    let edit = |sql: &str| {
        let connection = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
        connection.execute_batch(sql).unwrap();
    };
    for (older, of) in [
        (
            "DROP TABLE invite; DROP TABLE cosignature; PRAGMA user_version = 1",
            "an invite is kept until its day",
        ),
        (
            "DROP TABLE cosignature; PRAGMA user_version = 2",
            "a witness has one cosignature",
        ),
    ] {
        edit(&format!(
            "DELETE FROM cosignature; DELETE FROM invite; DELETE FROM agency; {older}"
        ));
        let (_, promise) = contract::ALL.iter().find(|(name, _)| *name == of).unwrap();
        promise(&open());
    }
}

/// What the server's file may tell is the leak budget; a column that is new is a decision, and changes this.
#[test]
fn attack_24_the_servers_schema_is_what_the_leak_budget_lists() {
    let folder = tempfile::tempdir().unwrap();
    drop(Sqlite::open(folder.path(), [5; 32]).unwrap());
    let connection = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    let sql = "SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c \
               WHERE m.type = 'table' ORDER BY m.name, c.cid";
    let mut statement = connection.prepare(sql).unwrap();
    let columns: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let expected = [
        "agency.no id log_seed",
        "blob.no bytes",
        "cosignature.agency witness size root time signature",
        "holder.member stream",
        "invite.id agency opener kind until request answer enrolment",
        "link.no stream seq kind id signature bytes",
        "record.no stream name hash epoch erased header signature ciphertext_hash wrap_hash wrap ciphertext",
        "server.id session_key",
        "stream.no agency kind id links head last",
        "tile.agency level index bytes",
    ];
    let expected: Vec<String> = expected
        .iter()
        .flat_map(|line| {
            let (table, names) = line.split_once('.').unwrap();
            names.split(' ').map(move |name| format!("{table}.{name}"))
        })
        .collect();
    assert_eq!(columns, expected);
}
