//! Nothing that a worker wrote or typed is found outside the seals: in no file, no argument, no environment, no core.

use casevault_e2e::caseload;
use casevault_e2e::caseload::Size;
use casevault_e2e::leak::Words;
use casevault_e2e::leak::files;
use casevault_e2e::vault::PASSPHRASE;
use casevault_e2e::vault::Vault;
use serde_json::json;
use std::io::Write;
use std::path::Path;

const MARKERS: usize = 500;

/// What is typed, beside what is imported: names, texts, a reason, a search term, an outcome.
const TYPED: [&str; 8] = [
    "Hillside Family Support",
    "Ann Worker",
    "Xanthippe Quillfeather",
    "The parrot recites tax law.",
    "I only trust the blue kettle.",
    "wanderlust in the corridor",
    "Supervision asked for the whole file.",
    "Moved to the seaside for good.",
];

/// Returns all that nobody may find: whole markers, their random digits alone, what was typed, and the passphrase.
fn words(markers: &[String]) -> Words {
    let digits = markers.iter().filter_map(|marker| marker.strip_prefix("CANARY-"));
    let markers = markers.iter().map(String::as_str);
    Words::new(
        markers
            .chain(digits)
            .chain(TYPED)
            .chain([PASSPHRASE, "CANARY-", "Quillfeather"]),
    )
}

fn assert_none_in(words: &Words, folder: &Path, when: &str) {
    let found = words.in_folder(folder);
    assert!(
        found.is_empty(),
        "{when}: {:?}",
        found.iter().take(5).collect::<Vec<_>>()
    );
}

#[test]
fn attack_24_no_file_under_the_home_holds_a_word_that_was_sealed() {
    let load = caseload::planted(Size::S, MARKERS);
    assert_eq!(load.markers.len(), MARKERS);
    let words = words(&load.markers);
    // The search finds them all where they are not sealed.
    assert!(words.in_bytes(&load.text).len() >= 2 * MARKERS);

    let vault = Vault::unmade();
    // What is written elsewhere while a command runs would be found as well.
    let elsewhere = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input: &str| {
        let mut command = vault.command(arguments);
        command
            .env("TMPDIR", elsewhere.path())
            .env("HOME", elsewhere.path())
            .current_dir(elsewhere.path());
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = casevault_e2e::vault::Done::of(child.wait_with_output().unwrap());
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.stderr);
        let when = arguments[..2].join(" ");
        assert_none_in(&words, &vault.home, &when);
        assert_none_in(&words, elsewhere.path(), &when);
        done
    };
    let [agency, name, client, text, quote, term, reason, outcome] = TYPED;
    run(
        &["init", "--agency", agency, "--name", name, "--kdf-memory", "64MiB"],
        "",
    );
    run(&["import", "-"], std::str::from_utf8(&load.text).unwrap());
    let profile = json!({"name": client, "date_of_birth": "1941-03"}).to_string();
    let case = run(
        &["case", "open", "--template", "adult-social-care", "--file", "-"],
        &profile,
    )
    .handle();
    let note = format!("obs: {text} {{significant}}\n\nsaid client: \"{quote}\"\n\npriv: {term}\n");
    let note = run(&["note", "add", &case, "--kind", "phone", "--file", "-"], &note).handle();
    run(
        &["note", "amend", &note, "--file", "-"],
        &format!("obs: {text} Twice.\n"),
    );
    let slip = run(&["note", "add", &case, "--kind", "phone", "--file", "-"], text).handle();
    run(&["note", "withdraw", &slip], "");
    for arguments in [
        &["case", "list"][..],
        &["case", "show", &case],
        &["note", "list", &case],
        &["note", "show", &note],
        &["note", "history", &note],
        &["chronology", "show", &case],
        &["decision", "list", &case],
        &["export", "--format", "jsonl"],
        &["log", "list"],
        &["status", "--json"],
    ] {
        run(arguments, "");
    }
    let found = run(&["note", "find", "--file", "-"], text);
    assert!(found.stdout.contains(text), "the words are there for who holds the key");
    run(
        &["note", "show", &note, "--purpose", "oversight", "--reason-file", "-"],
        reason,
    );
    run(&["case", "close", &case, "--file", "-"], outcome);
    run(&["verify", "--json"], "");
    let exported = run(&["export", "--format", "jsonl"], "").stdout;
    assert!(
        load.markers.iter().all(|marker| exported.contains(marker)),
        "every marker comes back"
    );
    assert_eq!(
        files(elsewhere.path()),
        Vec::<std::path::PathBuf>::new(),
        "no file outside the home"
    );
}

#[test]
fn attack_24_no_file_of_a_process_killed_while_it_writes_holds_a_word_that_was_sealed() {
    let load = caseload::planted(Size::S, MARKERS);
    let words = words(&load.markers);
    let vault = Vault::made();
    let input = vault.around.join("input.jsonl");
    std::fs::write(&input, &load.text).unwrap();
    let empty = vault.store_bytes();
    // A transaction is cut off after each hundred KiB that it wrote, and its write-ahead log left behind.
    let mut cut = 0;
    for step in 1..=8 {
        let copy = vault.copied();
        let mut child = copy.command(&["import", &input.to_string_lossy()]).spawn().unwrap();
        while copy.store_bytes() < empty + step * 100_000 && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        cut += u32::from(child.wait().unwrap().code().is_none());
        assert_none_in(&words, &copy.home, &format!("cut off at {step}"));
    }
    assert!(cut > 0, "no import was cut off");
}

/// What others see of a process while it waits for its input: arguments, environment, limits, status.
#[cfg(target_os = "linux")]
#[test]
fn attack_24_no_argument_environment_or_core_of_any_command_gives_words_away() {
    let load = caseload::planted(Size::Part(1), 20);
    let words = words(&load.markers);
    let vault = Vault::made();
    let case = vault.open_case("Xanthippe Quillfeather");
    let note = vault.add_note(&case, "obs: The parrot recites tax law.\n");
    let text = String::from_utf8(load.text.clone()).unwrap();
    let profile = json!({"name": "Xanthippe Quillfeather"}).to_string();
    for (arguments, input) in [
        (&["import", "-"][..], text.as_str()),
        (
            &["case", "open", "--template", "adult-social-care", "--file", "-"],
            &profile,
        ),
        (
            &["note", "add", &case, "--kind", "phone", "--file", "-"],
            "The parrot recites tax law.",
        ),
        (&["note", "amend", &note, "--file", "-"], "The parrot recites tax law."),
        (&["note", "find", "--file", "-"], "wanderlust in the corridor"),
        (
            &["note", "show", &note, "--reason-file", "-"],
            "Supervision asked for the whole file.",
        ),
        (
            &["note", "list", &case, "--reason-file", "-"],
            "Supervision asked for the whole file.",
        ),
        (
            &["case", "show", &case, "--reason-file", "-"],
            "Supervision asked for the whole file.",
        ),
        (
            &["log", "list", "--reason-file", "-"],
            "Supervision asked for the whole file.",
        ),
        (
            &["case", "close", &case, "--file", "-"],
            "Moved to the seaside for good.",
        ),
    ] {
        let mut child = vault.fed(arguments);
        let mut pipe = child.stdin.take().unwrap();
        let (most, last) = input.split_at(input.len() - 1);
        pipe.write_all(most.as_bytes()).unwrap();
        // It cannot end before its input does, so this is seen of it while it runs, with the words in its memory.
        let process = format!("/proc/{}", child.id());
        let seen = |file: &str| std::fs::read(format!("{process}/{file}"));
        loop {
            let limits = String::from_utf8(seen("limits").unwrap()).unwrap();
            let core = limits
                .lines()
                .find(|line| line.starts_with("Max core file size"))
                .unwrap();
            let core: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
            if core == ["0", "0"] {
                break;
            }
            assert!(
                child.try_wait().unwrap().is_none(),
                "{arguments:?} ended with cores allowed: {core:?}"
            );
            std::thread::yield_now();
        }
        for file in ["cmdline", "environ"] {
            match seen(file) {
                Ok(bytes) => assert_eq!(words.in_bytes(&bytes), [], "{arguments:?}: {file}"),
                // Not dumpable: the environment is then nobody's but root's.
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied, "{file}"),
            }
        }
        assert!(seen("cmdline").is_ok_and(|bytes| !bytes.is_empty()));
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap_or_default();
        assert_eq!(children, "", "{arguments:?} started another process");
        pipe.write_all(last.as_bytes()).unwrap();
        drop(pipe);
        let done = casevault_e2e::vault::Done::of(child.wait_with_output().unwrap());
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.stderr);
    }
}

#[test]
fn what_is_taken_from_the_command_line_names_nobody() {
    // No flag takes a client's name, a note's text, a search term or a reason as its value.
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    for arguments in [
        &["note", "add", &case, "--kind", "phone", "The parrot recites tax law."][..],
        &[
            "note",
            "add",
            &case,
            "--kind",
            "phone",
            "--text",
            "The parrot recites tax law.",
        ],
        &["note", "find", &case, "parrot"],
        &["note", "find", "--term", "parrot"],
        &[
            "case",
            "open",
            "--template",
            "adult-social-care",
            "--name",
            "Una Kestle",
        ],
        &["case", "close", &case, "--outcome", "Moved."],
        &["note", "list", &case, "--reason", "Supervision asked."],
    ] {
        let done = vault.run(&[arguments, &["--json"]].concat());
        done.refused(2, "usage");
    }
}
