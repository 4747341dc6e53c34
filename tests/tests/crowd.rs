//! Many at once on one vault, with an agent and without; a folder copied while it is written to (`docs/faults.md`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use casevault_e2e::faults::scenario::Desk;
use casevault_e2e::faults::scenario::Start;
use casevault_e2e::vault::Done;
use casevault_e2e::vault::Vault;
use casevault_e2e::vault::copy_folder;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;

/// What a command that ended well has made, or that it was told to wait.
#[derive(Debug)]
enum Ended {
    Made(&'static str, String),
    Refused,
}

/// Runs the `n`th of many writing commands.
fn write(desk: &Desk, n: usize) -> Ended {
    let (vault, handles) = (&desk.vault, &desk.handles);
    let file = |name: &str, text: String| {
        let path = vault.around.join(format!("{n}-{name}"));
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let note = || file("note.txt", format!("obs: Note {n} of many.\n"));
    let (what, made, arguments): (_, _, Vec<String>) = match n % 5 {
        0 => (
            "note",
            "note",
            words(&["note", "add", &handles.elin, "--kind", "phone", "--file", &note()]),
        ),
        1 => ("jot", "jot", words(&["note", "jot", &handles.una, "--file", &note()])),
        2 => {
            let profile = file("profile.json", format!("{{\"name\":\"Number {n}\"}}"));
            let open = ["case", "open", "--template", "adult-social-care", "--file", &profile];
            ("case", "case", words(&open))
        }
        3 => {
            let letter = file("letter.bin", format!("{n}").repeat(20_000));
            (
                "attachment",
                "attachment",
                words(&["note", "attach", &handles.note, &letter]),
            )
        }
        _ => (
            "version",
            "version",
            words(&["note", "amend", &handles.note, "--file", &note()]),
        ),
    };
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    arguments.push("--json");
    let done = vault.run(&arguments);
    match done.code {
        0 => Ended::Made(what, done.value()[made].to_string()),
        code => {
            let error = done.error();
            let typed = (code == 1 && error["error"] == "busy") || (code == 6 && error["error"] == "conflict");
            assert!(typed, "{arguments:?}: exit {code}: {error}");
            Ended::Refused
        }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn count(vault: &Vault, arguments: &[&str], list: &str) -> usize {
    vault.json(arguments)[list].as_array().unwrap().len()
}

fn many_at_once(count_of: usize, with_agent: bool) {
    let desk = Desk::make(Start::Full);
    let (vault, handles) = (&desk.vault, &desk.handles);
    let lists = [
        ("note", vec!["note", "list", &handles.elin], "notes"),
        ("jot", vec!["note", "jot", "--list"], "jots"),
        ("case", vec!["case", "list"], "cases"),
        (
            "attachment",
            vec!["note", "attach", &handles.note, "--list"],
            "attachments",
        ),
        ("version", vec!["note", "history", &handles.note], "versions"),
    ];
    let before = lists
        .each_ref()
        .map(|(_, arguments, list)| count(vault, arguments, list));
    if with_agent {
        vault.run(&["unlock"]).done();
    }
    let ended: Vec<Ended> = thread::scope(|scope| {
        let desk = &desk;
        let running: Vec<_> = (0..count_of).map(|n| scope.spawn(move || write(desk, n))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    if with_agent {
        vault.run(&["lock"]).done();
    }
    let refused = ended.iter().filter(|one| matches!(one, Ended::Refused)).count();
    let made = |what: &str| {
        let of = ended.iter().filter_map(|one| match one {
            Ended::Made(kind, id) if *kind == what => Some(id.clone()),
            _ => None,
        });
        of.collect::<Vec<_>>()
    };
    // What was acknowledged is there, what was refused is not, and nothing is there twice.
    let different = |ids: &[String]| assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    for ((what, arguments, list), before) in lists.into_iter().zip(before) {
        let made = made(what);
        different(&made);
        assert_eq!(count(vault, &arguments, list), before + made.len(), "{what}");
    }
    vault.verified();
    let log: Value = vault.json(&["log", "verify"]);
    assert_eq!(log["failures"], Value::Array(Vec::new()));
    println!("{count_of} at once, agent {with_agent}: {refused} were told to wait or decide");
    assert!(refused * 2 < count_of, "{refused} of {count_of} were refused");
}

#[test]
fn two_writing_commands_at_once_lose_nothing() {
    many_at_once(2, false);
    many_at_once(2, true);
}

#[test]
fn twenty_writing_commands_at_once_lose_nothing() {
    many_at_once(20, false);
}

#[test]
fn twenty_writing_commands_at_once_through_an_agent_lose_nothing() {
    many_at_once(20, true);
}

/// Copies the folder again and again while notes are added; a copy is refused, or has all that was acknowledged before
/// the copying began.
fn copied_while_in_use(with_agent: bool) {
    let desk = Desk::make(Start::Full);
    let (vault, handles) = (&desk.vault, &desk.handles);
    if with_agent {
        vault.run(&["unlock"]).done();
    }
    let enough = AtomicBool::new(false);
    let added = std::sync::Mutex::new(0usize);
    let (mut whole, mut refused) = (0, Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            while !enough.load(Ordering::Relaxed) {
                vault.add_note(&handles.elin, "obs: One of many.\n");
                *added.lock().unwrap() += 1;
            }
        });
        for _ in 0..12 {
            // Between two copies something was written.
            let before = *added.lock().unwrap();
            casevault_e2e::terminal::until("a note more", || *added.lock().unwrap() > before);
            let acknowledged = *added.lock().unwrap();
            let copy = Vault::unmade();
            copy_while_it_changes(&vault.home, &copy.home);
            let done = copy.run(&["verify", "--json"]);
            match done.code {
                0 => {
                    whole += 1;
                    let kept = count(&copy, &["note", "list", &handles.elin], "notes");
                    assert!(
                        kept > acknowledged,
                        "{kept} notes of {acknowledged} and the one of before, and nobody says so"
                    );
                }
                _ => refused.push(require_typed(&done)),
            }
        }
        enough.store(true, Ordering::Relaxed);
    });
    if with_agent {
        vault.run(&["lock"]).done();
    }
    println!("copied while in use, agent {with_agent}: {whole} whole, refused {refused:?}");
    vault.verified();
}

/// A file that went between listing and copying is not in the copy; an agent's socket is none of its files.
fn copy_while_it_changes(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name() == "agent" || entry.file_name() == "agent.lock" {
            continue;
        }
        match path.is_dir() {
            true => copy_folder(&path, &copy),
            false => drop(std::fs::copy(path, copy)),
        }
    }
}

fn require_typed(done: &Done) -> String {
    assert!([1, 4].contains(&done.code), "{}{}", done.stdout, done.stderr);
    let error = done.error();
    assert_ne!(error["error"], "bug", "{error}");
    let check = error["check"].as_str().map(str::to_owned);
    check.unwrap_or_else(|| error["error"].as_str().unwrap().to_owned())
}

#[test]
fn a_folder_copied_while_it_is_written_to_is_whole_or_refused_and_never_shorter_in_silence() {
    copied_while_in_use(false);
}

#[test]
fn a_folder_copied_while_an_agent_writes_to_it_is_whole_or_refused_and_never_shorter_in_silence() {
    copied_while_in_use(true);
}

/// What holds for one file of the store holds for each: a log that is written where nobody finds it is none.
#[test]
fn attack_51_a_store_whose_file_is_removed_or_replaced_under_an_agent_shows_nothing() {
    for name in ["vault.db", "vault.db-wal", "vault.db-shm"] {
        for replaced in [false, true] {
            let desk = Desk::make(Start::Full);
            let (vault, handles) = (&desk.vault, &desk.handles);
            vault.run(&["unlock"]).done();
            let shown = vault.run(&["note", "show", &handles.note, "--json"]).done().stdout;
            assert!(shown.contains("The first note stays."));
            let path = vault.home.join(name);
            let aside = vault.around.join("aside");
            std::fs::rename(&path, &aside).unwrap();
            if replaced {
                std::fs::copy(&aside, &path).unwrap();
            }
            let done = vault.run(&["note", "show", &handles.note, "--json"]);
            assert_eq!(
                done.code, 1,
                "{name}, replaced {replaced}: {}{}",
                done.stdout, done.stderr
            );
            let error = done.error();
            assert_eq!(error["error"], "io", "{error}");
            assert!(
                error["message"].as_str().unwrap().contains("removed or replaced"),
                "{error}"
            );
            assert_eq!(done.stdout, "");
            // With the file back, all is as it was.
            std::fs::rename(&aside, &path).unwrap();
            vault.run(&["note", "show", &handles.note, "--json"]).done();
            vault.run(&["lock"]).done();
            vault.verified();
        }
    }
}
