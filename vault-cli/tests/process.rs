//! The real binary at its edges: exit codes, what goes to which stream, and that nothing is asked without a terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn casevault(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_casevault"));
    command
        .env_remove("CASEVAULT_PASSPHRASE_FILE")
        .env("CASEVAULT_HOME", home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(home: &Path, arguments: &[&str]) -> Output {
    casevault(home).args(arguments).output().unwrap()
}

fn with_stdin(home: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = casevault(home).args(arguments).stdin(Stdio::piped()).spawn().unwrap();
    // The process may refuse before it reads, and close the pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn error_of(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stderr)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn alone_it_says_how_to_begin() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("casevault init"));
    assert!(output.stderr.is_empty());
}

#[test]
fn versions_are_three_numbers() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &["--version", "--verbose"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text,
        format!("casevault {}\nformat 1\nstore 1\n", env!("CARGO_PKG_VERSION"))
    );
    let output = run(home.path(), &["--version", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["versions"]["format"], 1);
}

#[test]
fn usage_errors_end_with_2_and_are_json_where_json_was_asked_for() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [
        &["nonsense"][..],
        &["case", "show"],
        &["case", "show", "n-7fk2"],
        &["init", "--agency", "A", "--name", "B", "--kdf-memory", "1MiB"],
        &["note", "add", "c-7fk2", "--at", "soon"],
        &["export", "--format", "pdf"],
    ] {
        let output = run(home.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
        let output = run(home.path(), &[arguments, &["--json"]].concat());
        let error = error_of(&output);
        assert_eq!(
            (&error["schema"], &error["exit"]),
            (&"casevault.error/1".into(), &2.into())
        );
    }
}

#[test]
fn an_argument_cannot_drive_the_terminal() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &["\u{1b}]52;c;x\u{7}\u{202e}"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
}

#[test]
fn without_a_vault_nothing_is_asked_and_it_is_said_how_to_make_one() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [
        &["case", "list", "--json"][..],
        &["verify", "--json"],
        &["unlock", "--no-agent", "--json"],
    ] {
        let output = run(home.path(), arguments);
        assert_eq!(output.status.code(), Some(5), "{arguments:?}");
        let error = error_of(&output);
        assert_eq!(error["error"], "no-vault");
        assert!(error["hint"].as_str().unwrap().contains("casevault init"));
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn without_a_terminal_the_missing_flag_is_named() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &["init", "--agency", "A", "--name", "B", "--json"]);
    assert_eq!(
        (output.status.code(), &error_of(&output)["error"]),
        (Some(5), &"no-passphrase".into())
    );
    for (arguments, flag) in [
        (&["note", "add", "c-7fk2", "--kind", "phone", "--json"][..], "--file"),
        (&["note", "find", "--json"], "--file"),
        (&["case", "open", "--template", "adult-social-care", "--json"], "--file"),
    ] {
        let output = run(home.path(), arguments);
        let error = error_of(&output);
        assert_eq!((output.status.code(), &error["error"]), (Some(2), &"needs-flag".into()));
        assert!(error["hint"].as_str().unwrap().contains(flag), "{error}");
    }
}

#[test]
fn two_things_from_one_standard_input_are_refused_before_anything_is_done() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [
        &["import", "-", "--passphrase-fd", "0", "--json"][..],
        &["note", "add", "c-7fk2", "--file", "-", "--passphrase-fd", "0", "--json"],
        &[
            "note",
            "list",
            "c-7fk2",
            "--reason-file",
            "-",
            "--passphrase-fd",
            "0",
            "--json",
        ],
        &["note", "find", "--file", "-", "--reason-file", "-", "--json"],
    ] {
        let output = with_stdin(home.path(), arguments, b"secret\n");
        assert_eq!(error_of(&output)["error"], "stdin-twice", "{arguments:?}");
        assert_eq!(output.status.code(), Some(2));
    }
    // The same pipe by another name.
    let output = casevault(home.path())
        .args(["import", "/dev/stdin", "--json"])
        .env("CASEVAULT_PASSPHRASE_FILE", "/dev/stdin")
        .stdin(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(error_of(&output)["error"], "stdin-twice");
}

#[test]
fn a_text_that_is_not_utf8_is_refused_with_its_byte() {
    let home = tempfile::tempdir().unwrap();
    let output = with_stdin(
        home.path(),
        &["note", "add", "c-7fk2", "--file", "-", "--json"],
        b"abc\xff",
    );
    let error = error_of(&output);
    assert_eq!((output.status.code(), &error["error"]), (Some(1), &"not-utf8".into()));
    assert!(error["message"].as_str().unwrap().contains("byte 3"), "{error}");
}

#[test]
fn lock_is_done_when_nothing_is_unlocked() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(run(home.path(), &["lock"]).status.code(), Some(0));
}

#[test]
fn templates_are_listed_shown_and_checked() {
    let home = tempfile::tempdir().unwrap();
    let list: serde_json::Value =
        serde_json::from_slice(&run(home.path(), &["template", "list", "--json"]).stdout).unwrap();
    assert_eq!(list["schema"], "casevault.template.list/1");
    for template in list["templates"].as_array().unwrap() {
        let shown = run(
            home.path(),
            &["template", "show", template["template"].as_str().unwrap(), "--json"],
        );
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
        assert_eq!(shown["version"], template["version"]);
    }
    assert_eq!(
        run(home.path(), &["template", "show", "nowhere"]).status.code(),
        Some(1)
    );
    let output = with_stdin(
        home.path(),
        &["template", "check", "-", "--json"],
        b"id = \"x\"\nversion = 0\n",
    );
    assert_eq!(error_of(&output)["error"], "malformed");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = tempfile::tempdir().unwrap();
    let mut child = casevault(home.path()).args(["completions", "bash"]).spawn().unwrap();
    drop(child.stdout.take());
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(0), ""));
}

#[test]
fn completions_and_manual_pages_name_the_commands() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = String::from_utf8(run(home.path(), &["completions", shell]).stdout).unwrap();
        // It asks the program for words and handles when they are wanted.
        assert!(script.contains("casevault"), "{shell}");
    }
    let pages = home.path().join("man");
    assert_eq!(
        run(home.path(), &["man", pages.to_str().unwrap()]).status.code(),
        Some(0)
    );
    assert!(pages.join("casevault-note-add.1").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_running_process_leaves_no_core() {
    let home = tempfile::tempdir().unwrap();
    // It waits for its input, so there is time to look.
    let mut child = casevault(home.path())
        .args(["template", "check", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let limits = format!("/proc/{}/limits", child.id());
    let soft_and_hard = || {
        let limits = std::fs::read_to_string(&limits).unwrap();
        let line = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"))
            .unwrap();
        line.split_whitespace()
            .skip(4)
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while soft_and_hard() != ["0", "0"] {
        assert!(std::time::Instant::now() < deadline, "{:?}", soft_and_hard());
        std::thread::yield_now();
    }
    drop(child.stdin.take());
    child.wait().unwrap();
}
