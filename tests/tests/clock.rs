//! A clock that is set back, forward, and to where no clock should be (`docs/faults.md`): the real binary behind a library
//! that moves the time of day.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use casevault_e2e::faults::shim;
use casevault_e2e::vault::Done;
use casevault_e2e::vault::Vault;
use serde_json::Value;
use std::path::Path;

const YEAR: i64 = 365 * 24 * 3600;

/// Runs a command whose clock is off by `seconds`.
fn at(vault: &Vault, library: &Path, seconds: i64, arguments: &[&str]) -> Done {
    let mut command = vault.command(arguments);
    command
        .env("LD_PRELOAD", library)
        .env("SHIM_CLOCK", seconds.to_string())
        .env("TZ", "UTC");
    Done::of(command.output().unwrap())
}

fn note(vault: &Vault, text: &str) -> String {
    let path = vault.around.join("note.txt");
    std::fs::write(&path, format!("obs: {text}\n")).unwrap();
    path.to_string_lossy().into_owned()
}

fn entries(vault: &Vault) -> Vec<Value> {
    vault.json(&["log", "list"])["entries"].as_array().unwrap().clone()
}

#[test]
fn a_clock_set_back_or_forward_loses_nothing_and_every_reading_is_logged() {
    let Some(library) = shim::library() else { return };
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    let mut kept = vec![vault.add_note(&case, "obs: Today.\n")];
    for (seconds, text) in [
        (-YEAR, "A year back."),
        (10 * YEAR, "Ten years on."),
        (-30 * YEAR, "In the nineties."),
    ] {
        let file = note(&vault, text);
        let add = ["note", "add", &case, "--kind", "phone", "--file", &file];
        kept.push(at(&vault, library, seconds, &add).handle());
        // What is there can be read and amended under any clock, and reading is logged.
        let before = entries(&vault).len();
        let first = kept[0].clone();
        assert!(
            at(&vault, library, seconds, &["note", "show", &first])
                .done()
                .stdout
                .contains("Today.")
        );
        assert!(
            entries(&vault).len() > before + 1,
            "shown at {seconds} without an entry"
        );
        at(
            &vault,
            library,
            seconds,
            &[
                "note",
                "amend",
                &first,
                "--file",
                &note(&vault, &format!("Today. {text}")),
            ],
        )
        .done();
        at(&vault, library, seconds, &["verify"]).done();
    }
    // The order of the file is that of writing; what a clock said is kept as what it said.
    let years: Vec<String> = kept[1..]
        .iter()
        .map(|id| vault.json(&["note", "show", id])["occurred_at"].as_str().unwrap()[..4].to_owned())
        .collect();
    assert_eq!(years.len(), 3);
    assert!(years[0] < years[1] && years[2] < years[0], "{years:?}");
    let history = vault.json(&["note", "history", &kept[0]]);
    assert_eq!(history["versions"].as_array().unwrap().len(), 4);
    assert_eq!(
        vault.json(&["note", "list", &case])["notes"].as_array().unwrap().len(),
        4
    );
    vault.verified();
}

#[test]
fn a_list_under_a_clock_set_back_has_an_entry_of_its_own() {
    let Some(library) = shim::library() else { return };
    let vault = Vault::made();
    vault.open_case("Una Kestle");
    let lists = |vault: &Vault| entries(vault).iter().filter(|e| e["operation"] == "overview").count();
    vault.run(&["case", "list"]).done();
    assert_eq!(lists(&vault), 1);
    // One entry in fifteen minutes.
    vault.run(&["case", "list"]).done();
    assert_eq!(lists(&vault), 1);
    // An hour before the last one: never covered by it.
    at(&vault, library, -3600, &["case", "list"]).done();
    assert_eq!(lists(&vault), 2);
    at(&vault, library, 3600, &["case", "list"]).done();
    assert_eq!(lists(&vault), 3);
}

#[test]
fn a_clock_before_1970_is_refused_for_writing_and_told() {
    let Some(library) = shim::library() else { return };
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    let kept = vault.add_note(&case, "obs: Today.\n");
    let file = note(&vault, "Before the first of all moments.");
    let add = ["note", "add", &case, "--kind", "phone", "--file", &file, "--json"];
    let error = at(&vault, library, -60 * YEAR, &add).refused(1, "clock");
    assert!(error["message"].as_str().unwrap().contains("says 19"), "{error}");
    assert!(
        at(&vault, library, -60 * YEAR, &["note", "show", &kept])
            .done()
            .stdout
            .contains("Today.")
    );
    assert_eq!(
        vault.json(&["note", "list", &case])["notes"].as_array().unwrap().len(),
        1
    );
    vault.verified();
}
