//! A thief who can write to the locked file and knows SQLite: indexes that say another thing than their tables, rows that
//! stand in each other's place, links in the folder. Nothing that was not rebuilt up to the authenticated head is shown.

use casevault_e2e::vault::Vault;
use rusqlite::Connection;
use std::os::unix::fs::symlink;
use std::path::Path;

fn open(vault: &Vault) -> Connection {
    Connection::open(vault.store()).unwrap()
}

fn version(store: &Connection) -> i64 {
    store
        .pragma_query_value(None, "schema_version", |row| row.get(0))
        .unwrap()
}

/// Changes the schema's own table, as SQLite lets whoever asks for it.
fn rewrite(vault: &Vault, sql: &str, values: impl rusqlite::Params) {
    let store = open(vault);
    let version = version(&store);
    store.pragma_update(None, "writable_schema", true).unwrap();
    store.execute(sql, values).unwrap();
    store.pragma_update(None, "schema_version", version + 1).unwrap();
}

/// Fills an index as another definition would, and puts the definition's text back: the schema is as it was.
fn doctor(vault: &Vault, index: &str, definition: &str) {
    let text: String = open(vault)
        .query_row("SELECT sql FROM sqlite_master WHERE name = ?1", [index], |row| {
            row.get(0)
        })
        .unwrap();
    let set = "UPDATE sqlite_master SET sql = ?1 WHERE name = ?2";
    rewrite(vault, set, (definition, index));
    open(vault).execute(&format!("REINDEX {index}"), []).unwrap();
    rewrite(vault, set, (text, index));
    empty_log(&open(vault));
}

fn empty_log(store: &Connection) {
    store
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
}

fn whole_record_index(but: &str) -> String {
    format!("CREATE INDEX link_record ON link (substr(record_id, 1, 5)) WHERE record_id IS NOT NULL AND {but}")
}

#[test]
fn attack_21_an_index_that_hides_the_newest_version_brings_no_older_one_back() {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    let note = vault.add_note(&case, "obs: The old risk: low.\n");
    vault
        .feed(&["note", "amend", &note, "--file", "-"], b"obs: The new risk: HIGH.\n")
        .done();
    let newest: i64 = open(&vault)
        .query_row("SELECT max(pos) FROM link WHERE version = 2 AND class = 1", [], |row| {
            row.get(0)
        })
        .unwrap();
    doctor(&vault, "link_record", &whole_record_index(&format!("pos <> {newest}")));
    for arguments in [&["note", "show", &note][..], &["note", "history", &note]] {
        let refused = vault.run(&[arguments, &["--json"]].concat()).refused(4, "refused");
        assert_eq!(refused["check"], "CHK-102");
    }
    // Nobody signs a second version 2 on what is not the newest.
    let amend = ["note", "amend", &note, "--file", "-", "--json"];
    assert_eq!(
        vault.feed(&amend, b"obs: Other.\n").refused(4, "refused")["check"],
        "CHK-102"
    );
    assert_eq!(vault.run(&["case", "verify", &case]).code, 4);
    assert_eq!(vault.run(&["verify"]).code, 4);
    // Honest data is still there: put right, the index gives it back.
    open(&vault).execute("REINDEX link_record", []).unwrap();
    assert_eq!(
        vault.json(&["note", "show", &note])["segments"][0]["text"],
        "The new risk: HIGH."
    );
    vault.verified();
}

#[test]
fn attack_21_an_erasure_that_an_index_hides_brings_no_withdrawn_note_back() {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    let note = vault.add_note(&case, "obs: A secret allegation.\n");
    let (pos, body, wrap): (i64, Vec<u8>, Vec<u8>) = open(&vault)
        .query_row("SELECT pos, body, wrap FROM link WHERE class = 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    vault.run(&["note", "withdraw", &note]).done();
    let store = open(&vault);
    let erasure: i64 = store
        .query_row(
            "SELECT max(pos) FROM link WHERE stream = (SELECT stream FROM link WHERE pos = ?1)",
            [pos],
            |row| row.get(0),
        )
        .unwrap();
    store
        .execute(
            "UPDATE link SET body = ?1, wrap = ?2, is_primary = 1 WHERE pos = ?3",
            (body, wrap, pos),
        )
        .unwrap();
    store.execute("DELETE FROM erased", []).unwrap();
    drop(store);
    // The erasure's entry says that it is a record.
    let filed =
        format!("CREATE INDEX link_stream ON link (stream, seq, iif(pos = {erasure}, 1, class), is_primary, version)");
    doctor(&vault, "link_stream", &filed);
    for arguments in [
        &["note", "find", "--file", "-", "--json"][..],
        &["note", "find", &case, "--file", "-", "--json"],
        &["note", "show", &note, "--json"],
        &["export", "--format", "jsonl", "--json"],
        &["verify", "--json"],
    ] {
        let done = vault.feed(arguments, b"allegation\n");
        assert_eq!(done.code, 4, "{arguments:?}: {}{}", done.stdout, done.stderr);
        assert!(
            !done.stdout.contains("secret allegation"),
            "{arguments:?}: {}",
            done.stdout
        );
    }
}

#[test]
fn attack_23_a_case_hidden_behind_another_streams_row_is_missed_by_whoever_counts() {
    let vault = Vault::made();
    vault.open_case("Una Kestle");
    let hidden = vault.open_case("Tam Brisk");
    let store = open(&vault);
    let (text, name): (String, String) = store
        .query_row(
            "SELECT t.sql, i.name FROM sqlite_master t JOIN sqlite_master i ON i.tbl_name = t.name
             WHERE t.name = 'stream' AND i.name LIKE 'sqlite_autoindex%'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let root: i64 = store
        .query_row("SELECT rootpage FROM sqlite_master WHERE name = ?1", [&name], |row| {
            row.get(0)
        })
        .unwrap();
    drop(store);
    let bare = text.replace("UNIQUE (kind, id)", "CHECK (1)");
    assert_ne!(bare, text);
    rewrite(
        &vault,
        "UPDATE sqlite_master SET sql = ?1 WHERE name = 'stream'",
        [&bare],
    );
    rewrite(&vault, "DELETE FROM sqlite_master WHERE name = ?1", [&name]);
    let last = "(SELECT max(no) FROM stream WHERE kind = 2)";
    let copy = format!(
        "UPDATE stream SET (kind, id, seq, head, mac) = (SELECT kind, id, seq, head, mac FROM stream WHERE kind = 1)
         WHERE no = {last}"
    );
    assert_eq!(open(&vault).execute(&copy, []).unwrap(), 1);
    rewrite(
        &vault,
        "UPDATE sqlite_master SET sql = ?1 WHERE name = 'stream'",
        [&text],
    );
    let put = "INSERT INTO sqlite_master VALUES ('index', ?1, 'stream', ?2, NULL)";
    rewrite(&vault, put, (&name, root));
    empty_log(&open(&vault));
    for arguments in [
        &["case", "list"][..],
        &["export", "--format", "jsonl"],
        &["case", "show", &hidden],
        &["verify"],
    ] {
        let done = vault.run(&[arguments, &["--json"]].concat());
        assert_eq!(done.code, 4, "{arguments:?}: {}{}", done.stdout, done.stderr);
    }
}

#[test]
fn a_row_that_no_link_names_is_found_by_verify() {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    vault.add_note(&case, "obs: A lamp.\n");
    let copy = "INSERT INTO erased SELECT pos, 0, 256, zeroblob(32), zeroblob(32) FROM link WHERE class = 1";
    assert_eq!(open(&vault).execute(copy, []).unwrap(), 1);
    let done = vault.run(&["verify", "--json"]);
    assert_eq!(done.code, 4, "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("CHK-105"), "{}", done.stdout);
}

#[test]
fn attack_31_a_keystore_or_cell_without_end_is_refused_before_it_is_read() {
    let vault = Vault::made();
    let keystore = vault.home.join("keystore");
    let kept = std::fs::read(&keystore).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&keystore).unwrap();
    file.set_len(5 << 30).unwrap();
    assert_eq!(
        vault.run(&["status", "--json"]).refused(4, "refused")["check"],
        "CHK-01"
    );
    assert_eq!(
        vault.run(&["case", "list", "--json"]).refused(4, "refused")["check"],
        "CHK-01"
    );
    std::fs::write(&keystore, kept).unwrap();
    vault.json(&["case", "list"]);
    let grown = "UPDATE local SET value = zeroblob(17 << 20) WHERE name = (SELECT min(name) FROM local)";
    assert_eq!(open(&vault).execute(grown, []).unwrap(), 1);
    assert_eq!(
        vault.run(&["case", "list", "--json"]).refused(4, "refused")["check"],
        "CHK-01"
    );
}

#[test]
fn attack_29_a_link_in_the_folder_leads_nobody_out_of_it() {
    let vault = Vault::made();
    let outside = vault.around.join("outside");
    let untouched = |what: &str| assert_eq!(std::fs::read(&outside).unwrap(), b"mine", "{what}");
    let put = |name: &Path| {
        let _ = std::fs::remove_file(name);
        std::fs::write(&outside, b"mine").unwrap();
        symlink(&outside, name).unwrap();
    };
    put(&vault.home.join("vault.db-reserve"));
    vault.json(&["case", "list"]);
    untouched("reserve");
    put(&vault.home.join("tries"));
    std::fs::write(vault.around.join("passphrase"), "wrong").unwrap();
    vault.run(&["case", "list", "--json"]).refused(5, "wrong-passphrase");
    untouched("tries");
    std::fs::write(vault.around.join("passphrase"), casevault_e2e::vault::PASSPHRASE).unwrap();
    put(&vault.home.join("keystore.new"));
    let new = vault.around.join("new");
    std::fs::write(&new, "another passphrase of some words").unwrap();
    let new = new.to_string_lossy().into_owned();
    vault
        .run(&["passphrase", "change", "--new-passphrase-file", &new])
        .done();
    untouched("keystore.new");
    assert!(vault.home.join("keystore").symlink_metadata().unwrap().is_file());
    let kept = vault.around.join("elsewhere");
    std::fs::rename(vault.home.join("keystore"), &kept).unwrap();
    symlink(&kept, vault.home.join("keystore")).unwrap();
    assert_eq!(vault.run(&["case", "list", "--json"]).code, 1);
}
