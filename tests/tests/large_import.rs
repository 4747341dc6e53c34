//! A large file is taken in with little memory, and all or nothing of it as of a small one.

use casevault_e2e::agent;
use casevault_e2e::vault::Vault;
use serde_json::json;
use std::path::Path;
use std::path::PathBuf;

const CASE: &str = r#"{"type":"case","case":"old-17","opened":"2024-05-02","template":"adult-social-care","profile":{"name":"Tam Brisk"}}"#;
const NOTE: &str = r#"{"type":"note","case":"old-17","note":"old-17-1","author":"w-okafor","kind":"phone","occurred_at":"2024-05-02","segments":[{"kind":"narrative","text":"Rang twice."}]}"#;

/// Writes a file with lines before and behind so many MiB that say nothing.
fn large(vault: &Vault, before: &str, mib: usize, behind: &str) -> PathBuf {
    let path = vault.around.join("lines.jsonl");
    let nothing = format!("{}\n", " ".repeat((1 << 20) - 1)).repeat(mib);
    std::fs::write(&path, format!("{before}\n{nothing}{behind}\n")).unwrap();
    path
}

/// Runs a command to its end; returns how it ended, and the most memory that it had, in MiB.
fn peak(vault: &Vault, arguments: &[&str]) -> (bool, u64) {
    let mut child = vault.command(arguments).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(high_water(child.id()));
        std::thread::yield_now();
    }
    (child.wait().unwrap().success(), peak)
}

fn high_water(process: u32) -> u64 {
    let status =
        std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: Option<u64> = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
    kib.unwrap_or(0) >> 10
}

#[test]
fn a_large_file_and_an_endless_line_take_little_memory() {
    let vault = Vault::made();
    let path = large(&vault, CASE, 112, NOTE);
    let path = path.to_str().unwrap();
    let (is_done, mib) = peak(&vault, &["import", path]);
    // 64 MiB of it are the passphrase's cost.
    assert!(is_done && (64..110).contains(&mib), "{mib} MiB at its peak");
    assert_eq!(vault.json(&["case", "list"])["cases"][0]["notes"], 1);
    // One line that never ends is one that is refused, and the others are taken.
    let long = vault.around.join("long.jsonl");
    std::fs::write(&long, format!("{}\n", CASE.replace("old-17", "old-18"))).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&long).unwrap();
    file.set_len(112 << 20).unwrap();
    let (is_done, mib) = peak(&vault, &["import", long.to_str().unwrap(), "--keep-going"]);
    assert!(is_done && (64..110).contains(&mib), "{mib} MiB at its peak");
    assert_eq!(vault.json(&["case", "list"])["cases"].as_array().unwrap().len(), 2);
    vault.verified();
    // An agent has none of it either.
    vault.run(&["unlock"]).done();
    let again = vault.run(&["import", path, "--json"]).json();
    assert_eq!(
        (&again["imported"], &again["skipped"]),
        (&json!(0), &json!(2)),
        "{again}"
    );
    let mib = high_water(agent::process(&vault));
    assert!((64..110).contains(&mib), "the agent took {mib} MiB at its peak");
}

#[test]
fn of_a_large_file_with_a_line_that_cannot_be_taken_nothing_is_kept() {
    let vault = Vault::made();
    let path = large(&vault, &format!("{CASE}\n{NOTE}"), 36, "{\"type\":\"nothing\"}");
    let path = path.to_str().unwrap();
    let done = vault.run(&["import", path, "--json"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    let reply = done.value();
    assert_eq!(
        (&reply["imported"], &reply["malformed"][0]["line"]),
        (&json!(0), &json!(39)),
        "{reply}"
    );
    assert_eq!(vault.json(&["case", "list"])["cases"], json!([]));
    let kept = vault.run(&["import", path, "--keep-going", "--json"]).json();
    assert_eq!(
        (&kept["imported"], &kept["malformed"][0]["line"]),
        (&json!(2), &json!(39)),
        "{kept}"
    );
    // The names of clients are compared over the whole of it, and twice is once.
    let more = CASE.replace("old-17", "old-19");
    let path = large(&vault, &format!("{CASE}\n{more}"), 36, NOTE);
    let twice = vault.run(&["import", path.to_str().unwrap(), "--json"]).json();
    assert_eq!(
        (&twice["imported"], &twice["skipped"]),
        (&json!(1), &json!(2)),
        "{twice}"
    );
    assert_eq!(twice["same_name"], json!(["old-19"]), "{twice}");
    // What is no lines at all is said in one sentence.
    let page = large(&vault, "<html>", 36, "</html>");
    vault
        .run(&["import", page.to_str().unwrap(), "--json"])
        .refused(1, "not-lines");
    vault.verified();
}
