//! What every released version wrote is opened, verified, exported and written on by the code of today.

use casevault_e2e::binary;
use casevault_e2e::vault::Vault;
use casevault_e2e::vault::lines;
use serde_json::{Value, json};
use std::path::PathBuf;

fn fixture(name: &str) -> PathBuf {
    binary::root().join("tests/fixtures").join(name)
}

/// Copies a kept vault to a folder of its own.
fn kept(name: &str) -> Vault {
    let vault = Vault::unmade();
    std::fs::create_dir(&vault.home).unwrap();
    for file in ["keystore", "vault.db"] {
        std::fs::copy(fixture(name).join(file), vault.home.join(file)).unwrap();
    }
    std::fs::copy(fixture(name).join("passphrase"), vault.around.join("passphrase")).unwrap();
    vault
}

/// What is exported today, as it was when the kept vault was written: the day on which its one closed case was closed,
/// which its label alone tells, was in no line then.
fn exported_as_then(vault: &Vault) -> Vec<Value> {
    let mut exported = vault.exported();
    let mut closed = Vec::new();
    for line in &mut exported {
        if line["type"] == "case" {
            closed.extend(line.as_object_mut().unwrap().remove("closed"));
        }
    }
    assert_eq!(closed.len(), 1, "{closed:?}");
    let members: Vec<_> = closed[0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["on"]);
    assert_eq!(closed[0]["on"].as_str().unwrap().len(), 10);
    exported
}

#[test]
fn store_version_1_is_opened_verified_exported_and_written_on() {
    let vault = kept("store-v1");
    let counts = vault.verified();
    assert_eq!((&counts["authors"], &counts["streams"]), (&json!(1), &json!(5)));
    let read = |name: &str| lines(&std::fs::read(fixture("store-v1").join(name)).unwrap());
    let exported = exported_as_then(&vault);
    assert_eq!(exported, read("export.jsonl"));
    for line in read("input.jsonl") {
        assert!(exported.contains(&line), "imported once, and not there: {line}");
    }
    // Notes written there, of several versions, with a reflection and one taken back.
    let cases = vault.json(&["case", "list"]);
    let cases = cases["cases"].as_array().unwrap();
    let statuses: Vec<_> = cases.iter().map(|case| case["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["open", "closed", "open"]);
    let case = cases[2]["case"].as_str().unwrap();
    let notes = vault.json(&["note", "list", case]);
    assert_eq!(notes["notes"].as_array().unwrap().len(), 1);
    let history = vault.json(&["note", "history", notes["notes"][0]["note"].as_str().unwrap()]);
    assert_eq!(history["versions"][0]["segments"][4]["text"], "I felt hurried.");
    assert_eq!(
        history["versions"][1]["segments"][0]["text"],
        "The flat was warm again."
    );
    assert!(vault.json(&["log", "list"])["total"].as_u64().unwrap() >= 6);
    // And it goes on.
    vault.add_note(case, "obs: Written later.\n");
    let again = vault
        .run(&[
            "import",
            &fixture("store-v1").join("input.jsonl").to_string_lossy(),
            "--json",
        ])
        .json();
    assert_eq!((&again["imported"], &again["skipped"]), (&json!(0), &json!(8)));
    vault.verified();
    vault.close();
}

#[test]
fn a_store_of_a_later_version_is_refused_and_left_alone() {
    let vault = kept("store-v1");
    // The store's version is the 32 bits at byte 60 of an SQLite file.
    let mut bytes = std::fs::read(vault.store()).unwrap();
    bytes[60..64].copy_from_slice(&2_u32.to_be_bytes());
    std::fs::write(vault.store(), &bytes).unwrap();
    vault.run(&["case", "list", "--json"]).refused(1, "store-too-new");
    assert_eq!(std::fs::read(vault.store()).unwrap(), bytes);
}

#[test]
fn a_backup_of_format_1_is_restored_by_its_passphrase_and_by_its_cards() {
    let kept = |name: &str| fixture("backup-v1").join(name).to_string_lossy().into_owned();
    let expected = lines(&std::fs::read(fixture("store-v1").join("export.jsonl")).unwrap());
    let vault = Vault::unmade();
    std::fs::copy(fixture("store-v1").join("passphrase"), vault.around.join("passphrase")).unwrap();
    let reply = vault.json(&["backup", "restore", &kept("backup"), "--ledger", &kept("ledger")]);
    // What its ledger names was erased before it was made.
    assert_eq!((&reply["erased"], &reply["failures"]), (&json!(0), &json!([])));
    assert_eq!(exported_as_then(&vault), expected);
    vault.verified();

    let vault = Vault::unmade();
    // Of a recovery key from before there were seeds: sixty-four words.
    let cards = format!("{},{}", kept("card-1-of-3.txt"), kept("card-3-of-3.txt"));
    vault
        .run(&["recovery", "restore", "--cards", &cards, "--backup", &kept("backup")])
        .done();
    assert_eq!(exported_as_then(&vault), expected);
    vault.verified();
}
