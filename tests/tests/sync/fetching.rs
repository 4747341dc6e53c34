//! Several devices of one person over one server: a caseload fetched into empty homes, work apart, and what comes of it when
//! they meet.

use std::fs;

use casevault_e2e::caseload;
use casevault_e2e::caseload::Size;
use casevault_e2e::terminal::kill_9;
use casevault_e2e::terminal::until;
use casevault_e2e::vault::Vault;

use crate::{data, has_ended, kept};

fn texts(vault: &Vault, case: &str) -> Vec<String> {
    let list = vault.json(&["note", "list", case]);
    let notes = list["notes"].as_array().unwrap().iter();
    let mut texts: Vec<_> = notes.map(|note| note["summary"].as_str().unwrap().to_owned()).collect();
    texts.sort();
    texts
}

/// Lines of a whole export, in no order: cases stand in the order in which each device opened or met them.
fn everything(vault: &Vault) -> Vec<String> {
    let mut lines: Vec<_> = vault.exported().iter().map(ToString::to_string).collect();
    lines.sort();
    lines
}

#[test]
pub(crate) fn a_caseload_is_fetched_into_empty_homes_worked_on_apart_and_merged() {
    let lines = caseload::make(Size::S);
    let one = Vault::with(&lines);
    let server = kept::start(&data(&one));
    one.json(&["server", "add", &server.url]);
    let (two, three) = (one.further("two.sheet"), one.further("three.sheet"));
    for further in [&two, &three] {
        let fetched = further.json(&["sync"]);
        assert!(fetched["received"].as_u64().unwrap() > 1_000, "{fetched}");
        assert_eq!(everything(further), everything(&one));
        assert_eq!(further.verified()["failures"], serde_json::json!([]));
    }
    // What an import took in is known on the others too.
    let again = two.feed(&["import", "-", "--json"], &lines).json();
    assert_eq!(
        (&again["imported"], &again["malformed"]),
        (&0.into(), &serde_json::json!([])),
        "{again}"
    );

    // Days apart: a case and notes on each, one note amended by both.
    let cases = one.json(&["case", "list"]);
    let case = cases["cases"][0]["case"].as_str().unwrap().to_owned();
    let list = one.json(&["note", "list", &case]);
    let note = list["notes"][0]["note"].as_str().unwrap().to_owned();
    let apart = [("two", &two), ("three", &three)];
    for (name, vault) in apart {
        vault.add_note(&case, &format!("obs: Written on {name}.\n"));
        let opened = vault.open_case(&format!("Client of {name}"));
        vault.add_note(&opened, &format!("obs: First visit, on {name}.\n"));
        let amend = ["note", "amend", &note, "--file", "-", "--json"];
        vault
            .feed(&amend, format!("obs: Amended on {name}.\n").as_bytes())
            .done();
    }
    one.add_note(&case, "obs: Written on one.\n");
    for vault in [&three, &one, &two, &three, &one] {
        let synced = vault.json(&["sync"]);
        assert_eq!(synced["aside"], serde_json::json!([]), "{synced}");
    }
    let told = texts(&one, &case);
    for name in ["one", "two", "three"] {
        assert!(told.contains(&format!("Written on {name}.")), "{told:?}");
    }
    for vault in [&one, &two, &three] {
        assert_eq!(texts(vault, &case), told);
        assert_eq!(everything(vault), everything(&one));
        assert_eq!(vault.verified()["failures"], serde_json::json!([]));
        assert_eq!(vault.json(&["log", "verify"])["failures"], serde_json::json!([]));
        // Both amendments are there, neither in the other's place, until a person settles it.
        let shown = vault.json(&["note", "show", &note]);
        let first = shown["segments"][0]["text"].as_str().unwrap();
        let beside = shown["others"][0]["segments"][0]["text"].as_str().unwrap();
        assert_eq!((first.trim(), beside.trim()), ("Amended on two.", "Amended on three."));
        assert_eq!((&shown["version"], &shown["beside"]), (&2.into(), &1.into()));
    }
    let settled = ["note", "amend", &note, "--file", "-", "--json"];
    one.feed(&settled, b"obs: Amended on two, and on three.\n").done();
    one.json(&["sync"]);
    three.json(&["sync"]);
    let shown = three.json(&["note", "show", &note]);
    assert_eq!((&shown["version"], &shown["beside"]), (&3.into(), &0.into()), "{shown}");
}

#[test]
pub(crate) fn a_client_that_is_killed_while_it_fetches_goes_on_and_has_nothing_twice() {
    let one = Vault::with(&caseload::make(Size::S));
    let server = kept::start(&data(&one));
    one.json(&["server", "add", &server.url]);
    let two = one.further("two.sheet");
    for _ in 0..6 {
        let before = written(&two);
        let mut syncing = two.command(&["sync"]).spawn().unwrap();
        until("something is kept", || {
            written(&two) != before || has_ended(syncing.id())
        });
        kill_9(syncing.id());
        syncing.wait().unwrap();
    }
    two.json(&["sync"]);
    assert_eq!(everything(&two), everything(&one));
    assert_eq!(two.verified()["failures"], serde_json::json!([]));
    one.json(&["sync"]);
    assert_eq!(one.verified()["failures"], serde_json::json!([]));
}

/// Bytes of the vault's files, whichever there are yet.
fn written(vault: &Vault) -> u64 {
    let sizes = ["vault.db", "vault.db-wal", "keystore"].map(|name| {
        let file = vault.home.join(name);
        fs::metadata(file).map_or(0, |found| found.len())
    });
    sizes.iter().sum()
}

#[test]
fn two_that_sync_one_vault_at_once_leave_it_whole() {
    let one = Vault::with(&caseload::make(Size::S));
    let server = kept::start(&data(&one));
    one.json(&["server", "add", &server.url]);
    let two = one.further("two.sheet");
    two.run(&["device", "list", "--json"]);
    let mut at_once: Vec<_> = (0..3)
        .map(|_| two.command(&["sync", "--json"]).spawn().unwrap())
        .collect();
    for one in &mut at_once {
        one.wait().unwrap();
    }
    two.json(&["sync"]);
    assert_eq!(everything(&two), everything(&one));
    assert_eq!(two.verified()["failures"], serde_json::json!([]));
    one.json(&["sync"]);
    assert_eq!(one.verified()["failures"], serde_json::json!([]));
}

#[test]
fn a_copy_of_a_vault_that_went_on_elsewhere_is_told_so_and_sends_nothing() {
    let (vault, _server, case) = crate::with_server();
    vault.verified();
    vault.json(&["sync"]);
    let copy = vault.copied();
    vault.verified();
    vault.json(&["sync"]);
    copy.add_note(&case, "obs: On the older copy.\n");
    copy.run(&["sync", "--json"]).refused(4, "older-copy");
    vault.add_note(&case, "obs: On the one that went on.\n");
    vault.json(&["sync"]);
    assert!(texts(&copy, &case).contains(&"On the older copy.".to_owned()));
}
