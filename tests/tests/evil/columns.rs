//! Every column of a server's own database, edited in turn: what a client shows is what it would have shown, or it says that
//! something is wrong (ATTACKS 23).

use std::collections::BTreeSet;
use std::path::Path;

use casevault_e2e::server::Server;
use casevault_e2e::vault::{Vault, copy_folder};
use rusqlite::Connection;
use rusqlite::types::Value;

/// What nothing is in here: what a server says of witnesses is tried in `chk_134_…` and `chk_142_…`, and of a device that
/// waits for an administrator in `members.rs`.
const EMPTY: [&str; 2] = ["cosignature.", "invite.enrolment"];

/// A column, and a value of it that is changed wherever it stands.
struct Edit {
    table: String,
    column: String,
    was: Value,
}

fn database(folder: &Path) -> Connection {
    let database = Connection::open(folder.join("server.db")).unwrap();
    // Nothing keeps whoever owns the server from writing what they like.
    let off = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
    database.execute_batch(off).unwrap();
    database
}

fn texts(database: &Connection, sql: &str) -> Vec<String> {
    let mut statement = database.prepare(sql).unwrap();
    let found = statement.query_map([], |row| row.get(0)).unwrap();
    found.map(Result::unwrap).collect()
}

/// Returns two values of every column: the first that there is, and the last that was written.
fn edits(folder: &Path) -> Vec<Edit> {
    let database = database(folder);
    let mut edits = Vec::new();
    for table in texts(
        &database,
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
    ) {
        let columns = texts(&database, &format!("SELECT name FROM pragma_table_info('{table}')"));
        let key = &columns[0];
        for column in &columns {
            let mut values: Vec<Value> = Vec::new();
            for order in ["ASC", "DESC"] {
                let sql = format!(
                    r#"SELECT "{column}" FROM {table} WHERE "{column}" IS NOT NULL ORDER BY "{key}" {order} LIMIT 1"#
                );
                let found = database.query_row(&sql, [], |row| row.get(0));
                values.extend(found.ok().filter(|value| !values.contains(value)));
            }
            let at = format!("{table}.{column}");
            let is_empty = EMPTY.iter().any(|empty| at.starts_with(empty));
            assert_eq!(values.is_empty(), is_empty, "{at} has a value to edit");
            edits.extend(values.into_iter().map(|was| Edit {
                table: table.clone(),
                column: column.clone(),
                was,
            }));
        }
    }
    edits
}

impl Edit {
    /// Writes another value; tells how many rows have it now. One that a unique index refuses is tried further off.
    fn write(&self, folder: &Path) -> usize {
        let database = database(folder);
        let sql = format!(
            r#"UPDATE {} SET "{column}" = ?1 WHERE "{column}" = ?2"#,
            self.table,
            column = self.column
        );
        let tried = [1_u8, 2, 64].into_iter().find_map(|by| {
            let is = match &self.was {
                // The last is beyond every number that there is.
                Value::Integer(number) => Value::Integer(number + (1 << (by - 1).min(40))),
                Value::Blob(bytes) => {
                    let mut bytes = bytes.clone();
                    let middle = bytes.len() / 2;
                    match bytes.get_mut(middle) {
                        Some(byte) => *byte ^= by,
                        None => bytes.push(by),
                    }
                    Value::Blob(bytes)
                }
                other => panic!("{}.{} is {other:?}", self.table, self.column),
            };
            database.execute(&sql, (is, &self.was)).ok()
        });
        tried.unwrap_or(0)
    }
}

/// A case with more notes than a tile has leaves.
fn long_case() -> Vec<u8> {
    let case = r#"{"type":"case","case":"old-1","worker":"w-1","opened":"2024-05-02","template":"adult-social-care","profile":{"name":"Una Fern"}}"#;
    let note = |number| {
        format!(
            r#"{{"type":"note","case":"old-1","note":"old-1-{number}","author":"w-1","kind":"phone","occurred_at":"2024-05-02","segments":[{{"kind":"narrative","text":"Rang, the {number}th time."}}]}}"#
        )
    };
    let lines: Vec<String> = std::iter::once(case.to_owned()).chain((0..260).map(note)).collect();
    lines.join("\n").into_bytes()
}

/// What a vault shows: each line of its export.
fn view(vault: &Vault) -> BTreeSet<String> {
    vault.exported().iter().map(ToString::to_string).collect()
}

#[test]
fn attack_23_whatever_column_of_the_server_is_edited_a_client_shows_nothing_that_was_not_written() {
    let ann = Vault::with(&long_case());
    let case = ann.open_case("Elin Farrow");
    let other = ann.open_case("Tam Brisk");
    let note = ann.add_note(&case, "obs: The kettle was on.\n");
    let server = Server::start(&ann.around.join("server"));
    ann.json(&["server", "add", &server.url]);
    let desk = ann.further("desk.sheet");
    desk.json(&["sync"]);
    // What the desk is to fetch: of each kind one, and an erasure.
    ann.json(&["sync"]);
    ann.add_note(&other, "obs: Nobody was in.\n\npriv: I felt hurried.\n");
    ann.feed(&["note", "amend", &note, "--file", "-"], b"obs: The kettle was off.\n")
        .done();
    let gone = ann.add_note(&case, "obs: In the wrong file.\n");
    ann.json(&["note", "withdraw", &gone]);
    let sheet = ann.around.join("cleo.sheet");
    let invite = ["member", "invite", "--name", "Cleo", "--role", "reviewer", "--out"];
    ann.run(&[&invite[..], &[sheet.to_str().unwrap()]].concat()).handle();
    ann.json(&["sync"]);
    let (address, kept) = (server.address(), server.data.clone());
    server.kill();

    let honest = {
        let desk = desk.copied();
        let folder = desk.around.join("honest");
        copy_folder(&kept, &folder);
        let _server = Server::start_at(&folder, &address);
        desk.json(&["sync"]);
        view(&desk)
    };
    let before = view(&desk.copied());
    assert!(honest.len() > before.len(), "there is something to fetch");

    let (mut unchanged, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for edit in edits(&kept) {
        let at = format!("{}.{}", edit.table, edit.column);
        let desk = desk.copied();
        let folder = desk.around.join("edited");
        copy_folder(&kept, &folder);
        assert!(edit.write(&folder) > 0, "{at} was edited");
        // One that does not start says nothing.
        let server = std::panic::catch_unwind(|| Server::start_at(&folder, &address)).ok();
        let synced = desk.run(&["sync", "--json"]);
        drop(server);
        let shown = view(&desk);
        let is_told = synced.code != 0 || synced.value()["behind"].as_array().is_some_and(|b| !b.is_empty());
        match is_told {
            true => {
                let invented: Vec<_> = shown
                    .difference(&honest)
                    .filter(|line| !before.contains(*line))
                    .collect();
                assert!(invented.is_empty(), "{at}: {invented:?}");
                refused.insert(at);
            }
            false => {
                assert_eq!(shown, honest, "{at}: {}", synced.stdout);
                unchanged.insert(at);
            }
        }
    }
    // What a client relies on is refused; what is the server's own changes nothing.
    println!("unchanged: {unchanged:?}\nrefused: {refused:?}");
    assert!(unchanged.contains("server.session_key"), "a session is begun anew");
    for relied_on in [
        "link.bytes",
        "link.signature",
        "record.header",
        "record.ciphertext",
        "record.wrap",
        "tile.bytes",
    ] {
        assert!(refused.contains(relied_on), "{relied_on} is relied on");
    }
}
