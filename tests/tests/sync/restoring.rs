//! A machine is lost, its backup is put back on another, and the server has more by then, or less, or the same.

use std::path::Path;

use casevault_e2e::vault::Vault;
use serde_json::Value;

use crate::kept;

/// A vault with a server that has everything of it.
fn at_work() -> (Vault, casevault_e2e::server::Server, String) {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    vault.add_note(&case, "obs: The kettle was on.\n");
    let server = kept::start(&vault.around.join("server"));
    vault.json(&["server", "add", &server.url]);
    (vault, server, case)
}

fn backed_up(vault: &Vault) -> String {
    let file = vault.around.join("vault.backup").to_str().unwrap().to_owned();
    vault.json(&["backup", "create", "--out", &file]);
    file
}

fn restored(file: &str) -> Vault {
    let machine = Vault::unmade();
    machine.json(&["backup", "restore", file]);
    machine
}

/// Returns the words of each note of a case.
fn words(vault: &Vault, case: &str) -> Vec<String> {
    let notes = vault.json(&["note", "list", case]);
    let notes = notes["notes"].as_array().unwrap().iter();
    let mut words: Vec<String> = notes
        .map(|note| {
            let note = vault.json(&["note", "show", note["note"].as_str().unwrap()]);
            note["segments"][0]["text"].as_str().unwrap().to_owned()
        })
        .collect();
    words.sort();
    words
}

fn statuses(vault: &Vault) -> Vec<String> {
    let devices = vault.json(&["device", "list"]);
    let devices = devices["devices"].as_array().unwrap().iter();
    devices.map(|one| one["status"].as_str().unwrap().to_owned()).collect()
}

/// The lost device has no session any more, and the one in its place has all of `expected`, and goes on.
fn goes_on(restored: &Vault, lost: &Vault, case: &str, expected: &[&str]) -> Value {
    let synced = restored.json(&["sync"]);
    assert_eq!(words(restored, case), expected);
    assert_eq!(statuses(restored).iter().filter(|status| *status == "live").count(), 1);
    restored.add_note(case, "obs: A new machine.\n");
    assert_eq!(restored.json(&["sync"])["aside"].as_array().unwrap().len(), 0);
    restored.verified();
    restored.json(&["log", "verify"]);
    lost.run(&["sync", "--json"]).refused(1, "device-unknown");
    // A further device sees what the restored one does.
    let further = restored.further("further.sheet");
    further.json(&["sync"]);
    let mut all = expected.to_vec();
    all.push("A new machine.");
    all.sort_unstable();
    assert_eq!(words(&further, case), all);
    further.verified();
    synced
}

#[test]
fn a_restored_vault_goes_on_with_its_server_which_has_more() {
    let (lost, _server, case) = at_work();
    let file = backed_up(&lost);
    lost.add_note(&case, "obs: Written after the backup.\n");
    let other = lost.open_case("Tam Brisk");
    lost.add_note(&other, "obs: A case of after the backup.\n");
    lost.json(&["sync"]);
    let restored = restored(&file);
    let synced = goes_on(
        &restored,
        &lost,
        &case,
        &["The kettle was on.", "Written after the backup."],
    );
    assert_eq!(synced["aside"].as_array().unwrap().len(), 0);
    assert_eq!(words(&restored, &other), ["A case of after the backup."]);
}

#[test]
fn a_restored_vault_goes_on_with_its_server_which_has_the_same() {
    let (lost, _server, case) = at_work();
    let restored = restored(&backed_up(&lost));
    goes_on(&restored, &lost, &case, &["The kettle was on."]);
}

#[test]
fn what_waited_when_the_backup_was_made_is_sent_once_whoever_sent_it() {
    for lost_sends in [false, true] {
        let (lost, _server, case) = at_work();
        lost.add_note(&case, "obs: Not sent yet.\n");
        let file = backed_up(&lost);
        if lost_sends {
            lost.json(&["sync"]);
            lost.add_note(&case, "obs: Sent after it.\n");
            lost.json(&["sync"]);
        }
        let restored = restored(&file);
        let all: &[&str] = match lost_sends {
            true => &["Not sent yet.", "Sent after it.", "The kettle was on."],
            false => &["Not sent yet.", "The kettle was on."],
        };
        let synced = goes_on(&restored, &lost, &case, all);
        assert_eq!(synced["aside"].as_array().unwrap().len(), 0, "{synced}");
    }
}

#[test]
pub(crate) fn what_waited_goes_behind_what_another_device_sent_since() {
    let (lost, _server, case) = at_work();
    let second = lost.further("second.sheet");
    second.json(&["sync"]);
    lost.json(&["sync"]);
    lost.add_note(&case, "obs: Not sent yet.\n");
    let file = backed_up(&lost);
    second.add_note(&case, "obs: By the other device.\n");
    second.json(&["sync"]);
    let restored = restored(&file);
    let all = ["By the other device.", "Not sent yet.", "The kettle was on."];
    let synced = goes_on(&restored, &lost, &case, &all);
    assert_eq!(synced["aside"].as_array().unwrap().len(), 0, "{synced}");
    // A restore takes the place of every device that the member had.
    second.run(&["sync", "--json"]).refused(1, "device-unknown");
}

#[test]
fn a_backup_from_before_the_server_is_told_so_and_nothing_is_named() {
    let lost = Vault::made();
    let case = lost.open_case("Elin Farrow");
    let file = backed_up(&lost);
    let server = kept::start(&lost.around.join("server"));
    lost.json(&["server", "add", &server.url]);
    lost.add_note(&case, "obs: Sent after it.\n");
    lost.json(&["sync"]);
    let restored = restored(&file);
    for _ in 0..2 {
        let told = restored.run(&["server", "add", &server.url, "--json"]);
        let told = told.refused(1, "before-server");
        assert!(
            told["hint"].as_str().unwrap().contains("after `casevault server add`"),
            "{told}"
        );
    }
    assert_eq!(restored.json(&["status"])["server"], false);
    assert_eq!(restored.json(&["case", "list"])["cases"].as_array().unwrap().len(), 1);
}

#[test]
fn a_recovery_run_goes_on_with_the_server_too() {
    for has_more in [false, true] {
        let (lost, _server, case) = at_work();
        let folder = lost.around.join("cards");
        let cards = folder.to_str().unwrap();
        lost.json(&["recovery", "split", "--yes", "--out-dir", cards]);
        lost.json(&["sync"]);
        let file = backed_up(&lost);
        let mut all = vec!["The kettle was on."];
        if has_more {
            lost.add_note(&case, "obs: Written after the backup.\n");
            lost.json(&["sync"]);
            all.push("Written after the backup.");
        }
        let card = |number: u32| path(&folder.join(format!("card-{number}-of-3.txt")));
        let machine = Vault::unmade();
        let cards = [card(1), card(3)].join(",");
        let reply = machine.json(&["recovery", "restore", "--backup", &file, "--cards", &cards]);
        assert_eq!(reply["recovery_version"], 2);
        goes_on(&machine, &lost, &case, &all);
        // The key that the run made is the agency's: the server took the root that names it.
        let again = backed_up(&machine);
        let (mine, old) = (restored(&again), Vault::unmade());
        assert_eq!(mine.json(&["sync"])["aside"].as_array().unwrap().len(), 0);
        old.run(&["recovery", "restore", "--backup", &again, "--cards", &cards, "--json"])
            .refused(5, "recovery-card");
    }
}

fn path(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
