//! Faults: kill -9 at any point, many processes on one vault, a full and a read-only disk.
//!
//! Nothing acknowledged is lost, nothing is there twice, the vault opens and verifies. Tests wait for what can be
//! observed (a file that grows, a system call that is reached, a pipe that is read), never for time to pass.

use casevault_e2e::caseload;
use casevault_e2e::caseload::Size;
use casevault_e2e::mount::Mount;
use casevault_e2e::vault::Done;
use casevault_e2e::vault::Vault;
use casevault_e2e::vault::lines;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::Command;
use std::process::Stdio;

/// Starts an import and kills it once `is_due` says so; tells whether it was killed before it ended by itself.
fn import_killed(vault: &Vault, text: &[u8], mut is_due: impl FnMut() -> bool) -> bool {
    let file = vault.around.join("input.jsonl");
    std::fs::write(&file, text).unwrap();
    let mut child = vault
        .command(&["import", &file.to_string_lossy(), "--json"])
        .spawn()
        .unwrap();
    let ended = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if is_due() {
            child.kill().unwrap();
            break None;
        }
        std::thread::yield_now();
    };
    let output = child.wait_with_output().unwrap();
    match ended {
        Some(status) => assert!(status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        // It may have got through between the look and the kill; either way it said nothing half.
        None => assert!(output.status.code().is_none_or(|code| code == 0)),
    }
    output.status.code().is_none()
}

/// Asserts that what is exported is a part of what went in: whole lines, each once.
fn assert_part_of(vault: &Vault, input: &[Value]) -> usize {
    let exported = vault.exported();
    let mut seen = BTreeSet::new();
    for line in &exported {
        assert!(seen.insert(line.to_string()), "twice: {line}");
    }
    let given: BTreeSet<String> = input.iter().map(Value::to_string).collect();
    // The order of members is not kept, so both go through one map.
    let sorted = |line: &String| {
        serde_json::from_str::<Value>(line)
            .map(|value| canonical(&value))
            .unwrap()
    };
    let given: BTreeSet<String> = given.iter().map(sorted).collect();
    for line in &seen {
        assert!(given.contains(&sorted(line)), "never given: {line}");
    }
    exported.len()
}

/// Returns JSON with the members of every object sorted by name.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut all: Vec<String> = members
                .iter()
                .map(|(k, v)| format!("{}:{}", json!(k), canonical(v)))
                .collect();
            all.sort();
            format!("{{{}}}", all.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

#[test]
fn an_import_killed_again_and_again_is_continued_and_complete() {
    let text = caseload::make(Size::Part(8));
    let input = lines(&text);
    // As large as the store becomes; the kills are spread over its growth.
    let whole = Vault::made();
    let empty = whole.store_bytes();
    whole.feed(&["import", "-"], &text).done();
    let growth = whole.store_bytes() - empty;

    let vault = Vault::made();
    let mut kept = 0;
    let mut kills = 0;
    for step in 0..8 {
        let due = empty + growth * step / 8;
        // Beyond what was there before, so that each try gets somewhere.
        let due = due.max(vault.store_bytes() + 1);
        kills += u32::from(import_killed(&vault, &text, || vault.store_bytes() >= due));
        vault.verified();
        let now = assert_part_of(&vault, &input);
        assert!(now >= kept, "{kept} lines were kept, and of them {now} are left");
        kept = now;
    }
    assert!(kills >= 3, "only {kills} imports were killed before they ended");
    let last = vault.feed(&["import", "-", "--json"], &text).json();
    let count = |name: &str| last[name].as_u64().unwrap() as usize;
    assert_eq!(count("imported") + count("skipped"), input.len());
    assert_eq!(count("skipped"), kept);
    assert_eq!(vault.exported(), input);
    vault.verified();
}

#[test]
fn an_import_killed_while_it_still_reads_has_changed_nothing() {
    let text = caseload::make(Size::S);
    let vault = Vault::made();
    let before = std::fs::read(vault.store()).unwrap();
    for part in [0, 1, text.len() / 2, text.len()] {
        let mut child = vault.fed(&["import", "-", "--json"]);
        // The pipe stays open: all that was written was read but for what the pipe itself holds.
        child.stdin.as_mut().unwrap().write_all(&text[..part]).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(std::fs::read(vault.store()).unwrap(), before, "after {part} bytes");
    }
    assert!(vault.exported().is_empty());
    vault.verified();
}

/// Runs a command under strace, killed as it enters the `nth` call of a kind; its code is -1 if it was.
fn killed_at(vault: &Vault, call: &str, nth: u32, arguments: &[&str], input: &[u8]) -> Done {
    let plain = vault.command(arguments);
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")])
        .args(["-e", &format!("inject={call}:signal=KILL:when={nth}")])
        .arg(plain.get_program())
        .args(plain.get_args())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in plain.get_envs() {
        traced.env(name, value.unwrap_or_default());
    }
    let mut child = traced.spawn().unwrap();
    // Killed before it has read, it leaves a broken pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    Done::of(child.wait_with_output().unwrap())
}

fn can_trace() -> bool {
    let works = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !works {
        eprintln!("strace does not work here: killing at each system call is NOT tested");
    }
    works
}

/// What changes a disk or tells somebody: each is a point before which a crash can fall.
const CALLS: [&str; 7] = [
    "pwrite64",
    "write",
    "fdatasync",
    "fsync",
    "ftruncate",
    "unlink",
    "rename",
];

/// Kills a command at every `step`-th call of each kind, with a fresh copy of the vault each time, until it gets
/// through; hands the vault to `check`, with what the command had printed.
fn at_each_call(vault: &Vault, arguments: &[&str], input: &[u8], step: u32, check: impl Fn(&Vault, &Done, &str)) {
    let mut kills = 0;
    for call in CALLS {
        for nth in (1..).step_by(step as usize) {
            let copy = vault.copied();
            let done = killed_at(&copy, call, nth, arguments, input);
            check(&copy, &done, &format!("killed at {call} {nth}"));
            if done.code == 0 {
                break;
            }
            assert_eq!(done.code, -1, "{}", done.stderr);
            kills += 1;
        }
    }
    assert!(kills >= 12, "killed only {kills} times");
}

#[test]
fn a_note_added_by_a_process_killed_at_any_write_is_there_whole_or_not_at_all() {
    if !can_trace() {
        return;
    }
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    vault.add_note(&case, "obs: The first note stays.\n");
    let text = b"obs: The second note.\n\npriv: Is its own record.\n";
    at_each_call(
        &vault,
        &["note", "add", &case, "--kind", "phone", "--file", "-"],
        text,
        2,
        |copy, done, at| {
            copy.verified();
            let exported = copy.exported();
            let notes: Vec<_> = exported.iter().filter(|line| line["type"] == "note").collect();
            assert!((1..=2).contains(&notes.len()), "{at}: {} notes", notes.len());
            assert_eq!(notes[0]["segments"][0]["text"], "The first note stays.", "{at}");
            assert!(
                done.stdout.is_empty() || notes.len() == 2,
                "{at}: acknowledged, and lost"
            );
            if let Some(second) = notes.get(1) {
                assert_eq!(second["segments"].as_array().unwrap().len(), 2, "{at}");
            }
            copy.add_note(&case, "obs: It goes on.\n");
        },
    );
}

#[test]
fn an_attaching_killed_at_any_write_is_there_whole_or_not_at_all_and_leaves_nothing() {
    if !can_trace() {
        return;
    }
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    let note = vault.add_note(&case, "obs: The letter came.\n");
    let sent: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
    let path = vault.around.join("letter.bin");
    std::fs::write(&path, &sent).unwrap();
    let arguments = ["note", "attach", &note, &path.to_string_lossy()];
    at_each_call(&vault, &arguments, b"", 5, |copy, done, at| {
        let verified = copy.verified();
        let kept = copy.json(&["note", "attach", &note, "--list"])["attachments"]
            .as_array()
            .unwrap()
            .len();
        assert!(kept <= 1, "{at}: attached {kept} times");
        assert!(done.stdout.is_empty() || kept == 1, "{at}: acknowledged, and lost");
        assert_eq!(verified["attachments"], kept, "{at}");
        let names: Vec<_> = std::fs::read_dir(copy.home.join("attachments"))
            .map(|listed| listed.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        assert_eq!(names.len(), kept, "{at}: {names:?}");
        assert!(names.iter().all(|name| name.extension().is_none()), "{at}: {names:?}");
        copy.run(&arguments).done();
        let out = copy.around.join("out").to_string_lossy().into_owned();
        copy.run(&["note", "attach", &note, "--get", "1", "--out", &out]).done();
        assert!(std::fs::read(&out).unwrap() == sent, "{at}");
        copy.verified();
    });
}

#[test]
fn a_passphrase_change_killed_at_any_write_leaves_one_passphrase() {
    if !can_trace() {
        return;
    }
    let vault = Vault::made();
    std::fs::write(vault.around.join("new"), "nine loud herons over the mill\n").unwrap();
    let new = vault.around.join("new").to_string_lossy().into_owned();
    at_each_call(
        &vault,
        &["passphrase", "change", "--new-passphrase-file", &new],
        b"",
        1,
        |copy, done, at| {
            let old = copy.run(&["unlock", "--no-agent", "--json"]).code == 0;
            std::fs::copy(&new, copy.around.join("passphrase")).unwrap();
            let new = copy.run(&["unlock", "--no-agent", "--json"]).code == 0;
            assert!(old != new, "{at}: old opens: {old}, new opens: {new}");
            assert!(done.stdout.is_empty() || new, "{at}: acknowledged, and lost");
        },
    );
}

#[test]
fn an_init_killed_at_any_write_is_a_vault_or_can_be_begun_again() {
    if !can_trace() {
        return;
    }
    let empty = Vault::unmade();
    std::fs::create_dir(&empty.home).unwrap();
    let arguments = ["init", "--agency", "A", "--name", "B", "--kdf-memory", "64MiB"];
    at_each_call(&empty, &arguments, b"", 5, |copy, done, at| {
        if !copy.home.join("keystore").exists() {
            assert_eq!(done.stdout, "", "{at}: acknowledged, and lost");
            copy.init();
        }
        let counts = copy.verified();
        assert_eq!(counts["streams"], 2, "{at}");
    });
}

/// Runs commands at once, each in its own process; returns how each ended.
fn at_once(vault: &Vault, jobs: Vec<(Vec<String>, String)>) -> Vec<Done> {
    std::thread::scope(|scope| {
        let running: Vec<_> = jobs
            .into_iter()
            .map(|(arguments, input)| {
                scope.spawn(move || {
                    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                    vault.feed(&arguments, input.as_bytes())
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn many_processes(count: usize, rounds: usize) {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    vault.add_note(&case, "obs: The first note.\n");
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut added = BTreeSet::new();
    for round in 0..rounds {
        let mut jobs = Vec::new();
        for job in 0..count {
            let text = format!("obs: Note {job} of round {round}.\n");
            jobs.push((
                words(&["note", "add", &case, "--kind", "phone", "--file", "-", "--json"]),
                text,
            ));
            match job % 3 {
                0 => jobs.push((words(&["note", "list", &case, "--json"]), String::new())),
                1 => jobs.push((words(&["note", "find", "--file", "-", "--json"]), "note".to_owned())),
                _ => jobs.push((words(&["verify", "--json"]), String::new())),
            }
        }
        for done in at_once(&vault, jobs) {
            if done.code != 0 {
                assert_eq!(done.error()["error"], "busy", "{}{}", done.stdout, done.stderr);
                continue;
            }
            let reply = done.value();
            if reply["schema"] == "casevault.note.add/1" {
                assert!(added.insert(reply["note"].as_str().unwrap().to_owned()));
            }
        }
    }
    let notes = vault.json(&["note", "list", &case]);
    let kept: BTreeSet<String> = notes["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["note"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kept.len(), added.len() + 1);
    assert!(kept.is_superset(&added));
    vault.verified();
    assert_eq!(vault.json(&["log", "verify"])["failures"], json!([]));
}

#[test]
fn two_processes_on_one_vault_lose_nothing() {
    many_processes(2, 6);
}

#[test]
fn ten_processes_on_one_vault_lose_nothing() {
    many_processes(10, 2);
}

/// The words of a note that must not be shown without an entry.
const SECRET: &str = "The lamp in the hall is broken.";

/// Asserts that a command was refused with one of `codes`, and that it showed nothing.
fn refused_without_a_word(done: &Done, codes: &[&str]) {
    assert_eq!(done.code, 1, "{}\n{}", done.stdout, done.stderr);
    let error = done.error();
    let code = error["error"].as_str().unwrap();
    assert!(codes.contains(&code), "{error}");
    assert!(!error["hint"].as_str().unwrap().is_empty(), "{error}");
    assert_eq!(done.stdout, "");
    assert!(
        !done.stderr.contains(SECRET) && !done.stderr.contains("Kestle"),
        "{}",
        done.stderr
    );
}

#[test]
fn on_a_read_only_disk_nothing_is_shown_and_nothing_changes() {
    let Some(mount) = Mount::new(16 * 1024) else { return };
    let vault = Vault::unmade_in(mount.path());
    vault.init();
    let case = vault.open_case("Una Kestle");
    let note = vault.add_note(&case, &format!("obs: {SECRET}\n"));
    mount.read_only(true);
    let before = std::fs::read(vault.store()).unwrap();
    for arguments in [
        &["case", "list", "--json"][..],
        &["case", "show", &case, "--json"],
        &["note", "show", &note, "--json"],
        &["note", "list", &case, "--json"],
        &["note", "history", &note, "--json"],
        &["chronology", "show", &case, "--json"],
        &["decision", "list", &case, "--json"],
        &["export", "--format", "jsonl", "--json"],
        &["log", "list", "--json"],
    ] {
        let done = vault.run(arguments);
        refused_without_a_word(&done, &["log-failed", "read-only", "io"]);
    }
    let found = vault.feed(&["note", "find", "--file", "-", "--json"], b"lamp");
    refused_without_a_word(&found, &["log-failed", "read-only", "io"]);
    let added = vault.feed(
        &["note", "add", &case, "--kind", "phone", "--file", "-", "--json"],
        b"Rang.",
    );
    refused_without_a_word(&added, &["log-failed", "read-only", "io"]);
    assert_eq!(std::fs::read(vault.store()).unwrap(), before);
    mount.read_only(false);
    assert_eq!(vault.exported().len(), 2);
    vault.verified();
}

#[test]
fn on_a_full_disk_nothing_acknowledged_is_lost_and_nothing_is_shown_unlogged() {
    let Some(mount) = Mount::new(12 * 1024) else { return };
    let vault = Vault::unmade_in(mount.path());
    vault.init();
    let case = vault.open_case("Una Kestle");
    let note = vault.add_note(&case, &format!("obs: {SECRET}\n"));

    // An import that does not fit: refused, and what was kept of it is whole lines.
    let text = caseload::make(Size::Part(8));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &text).unwrap();
    let arguments = ["import", &file.path().to_string_lossy(), "--json"];
    let ballast = mount.fill(600 * 1024);
    vault.run(&arguments).refused(1, "disk-full");
    std::fs::remove_file(&ballast).unwrap();
    vault.verified();

    // Filled to the last byte, reading goes on for a while, because disk was kept back for its entries; then nothing is
    // shown any more.
    let entries = |vault: &Vault| vault.json(&["log", "list"])["total"].as_u64().unwrap();
    let before = entries(&vault);
    let (mut shown, mut refused, mut added) = (0, 0, 0);
    while refused < 3 {
        // Whatever is given back is taken away again.
        mount.fill(0);
        let done = vault.run(&["note", "show", &note, "--json"]);
        if done.code == 0 {
            assert!(done.stdout.contains(SECRET));
            shown += 1;
            assert!(shown < 100, "a full disk never stopped a reading");
        } else {
            refused_without_a_word(&done, &["log-failed", "disk-full"]);
            refused += 1;
        }
        mount.fill(0);
        let long = "Rang again. ".repeat(10_000);
        let done = vault.feed(
            &["note", "add", &case, "--kind", "phone", "--file", "-", "--json"],
            long.as_bytes(),
        );
        match done.code {
            0 => added += 1,
            _ => refused_without_a_word(&done, &["disk-full"]),
        }
    }
    assert!(shown > 0, "disk was kept back, and no entry got it");

    std::fs::remove_file(&ballast).unwrap();
    let notes = vault.json(&["note", "list", &case]);
    assert_eq!(
        notes["notes"].as_array().unwrap().len(),
        1 + added,
        "what was refused is not there, what was not is"
    );
    assert!(
        entries(&vault) >= before + shown,
        "something was shown without an entry"
    );
    vault.verified();
}
