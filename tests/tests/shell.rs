//! Completions as real shells make them on a real terminal: handles from the agent alone, and nothing of what they name.

use casevault_e2e::binary;
use casevault_e2e::terminal::{Terminal, which};
use casevault_e2e::vault::{Done, Vault};
use serde_json::json;
use std::process::Command;

const NAME: &str = "Quillan Ostrander";

struct Open {
    vault: Vault,
    case: String,
    note: String,
}

/// A vault that an agent holds open, with one case and one note.
fn open() -> Open {
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let case = vault.open_case(NAME);
    let note = vault.add_note(&case, "obs: The walrus rests at noon.\n");
    Open { vault, case, note }
}

/// Asks as a shell does; the last word is being typed.
fn asked(vault: &Vault, shell: &str, words: &[&str]) -> Done {
    let mut command = vault.command(&["--", "casevault"]);
    command
        .args(words)
        .env("CASEVAULT_COMPLETE", shell)
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_IFS", "\n")
        .env_remove("CASEVAULT_PASSPHRASE_FILE");
    Done::of(command.output().expect("casevault starts"))
}

#[test]
fn handles_come_from_the_agent_alone_and_are_logged_as_one_overview() {
    let Open { vault, case, note } = open();
    let entries = |vault: &Vault| {
        let listed = vault.json(&["log", "list"])["entries"].as_array().unwrap().clone();
        listed
            .iter()
            .filter(|entry| entry["scope"] == "handles")
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(entries(&vault).len(), 0);
    for shell in ["bash", "zsh", "fish"] {
        for (words, handle) in [
            (&["case", "show", "c-"][..], &case),
            (&["case", "show", &case[..5]][..], &case),
            (&["note", "show", ""][..], &note),
            (&["note", "misfiled", &note, "--to", "c-"][..], &case),
            (&["note", "add", "--also", "c-00000000,c-"][..], &case),
        ] {
            let done = asked(&vault, shell, words).done();
            assert!(
                done.stdout.contains(handle.as_str()),
                "{shell} {words:?}: {}",
                done.stdout
            );
            assert_eq!(done.stderr, "", "{shell} {words:?}");
            for secret in ["Quillan", "Ostrander", "walrus"] {
                assert!(!done.stdout.contains(secret), "{shell} {words:?}: {}", done.stdout);
            }
        }
    }
    let logged = entries(&vault);
    assert_eq!(logged.len(), 1, "one overview in 15 minutes: {logged:?}");
    assert_eq!(logged[0]["operation"], json!("overview"));

    // Locked, nothing is told, nothing is asked, and nothing fails; what is no secret is completed all the same.
    vault.run(&["lock"]).done();
    let done = asked(&vault, "bash", &["case", "show", "c-"]).done();
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", ""));
    let kinds = asked(&vault, "bash", &["note", "add", "--kind", "ho"]).done().stdout;
    assert_eq!(kinds.trim(), "home-visit");
    let flags = asked(&vault, "bash", &["note", "add", "--trim"]).done().stdout;
    assert_eq!(flags.trim(), "--trim-quoted");
    // A folder without a vault is no reason to speak up.
    let empty = asked(&Vault::unmade(), "bash", &["case", "show", "c-"]).done();
    assert_eq!((empty.stdout.as_str(), empty.stderr.as_str()), ("", ""));
}

/// Starts a shell on a terminal, where `casevault` is found and the vault is this one.
fn shell(open: &Open, line: &str, program: &str) -> Option<Terminal> {
    which(program)?;
    let folder = binary::casevault().parent().expect("a folder").to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let home = open.vault.around.join("shell");
    std::fs::create_dir_all(&home).expect("a folder");
    Terminal::start(line, |command: &mut Command| {
        command
            .env("CASEVAULT_HOME", &open.vault.home)
            .env("XDG_RUNTIME_DIR", "")
            .env("PATH", format!("{}:{path}", folder.display()))
            .env("HOME", &home)
            .env("PAGER", "")
            .env("HISTFILE", home.join("history"))
            .env_remove("CASEVAULT_PASSPHRASE_FILE");
    })
}

/// Completes a case's handle and shows it, then locks and completes again, and leaves.
fn completes(open: &Open, mut terminal: Terminal, setup: &str) {
    // The words are put together by the shell, so that what is waited for is not the echo of what was typed.
    terminal.keys(&format!("{setup}; echo rea''dy\n")).wait_for("ready\r\n");
    terminal.keys("casevault cas\t list\n").wait_for(NAME);
    terminal
        .keys("casevault case show c-\t\n")
        .wait_for("Presenting problem");
    terminal
        .keys(&format!("casevault note show {}\t\n", &open.note[..4]))
        .wait_for("walrus");
    terminal
        .keys("casevault lock && echo loc''ked-now\n")
        .wait_for("locked-now\r\n");
    // Nothing to complete: the line stays as it is, nobody asks for a passphrase, and the shell goes on.
    terminal
        .keys("echo c''-none; casevault case show c-\t")
        .keys("\u{15}echo aft''er\n")
        .wait_for("after\r\n");
    terminal.keys("exit\n");
    let (_, screen) = terminal.end();
    assert!(!screen.contains("Passphrase"), "{screen}");
    // What the shell wrote down of itself holds handles, and no name and no word of a note.
    for entry in std::fs::read_dir(open.vault.around.join("shell")).unwrap().flatten() {
        let written = std::fs::read(entry.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&written).into_owned();
        assert!(
            !text.contains("Quillan") && !text.contains("walrus"),
            "{:?}",
            entry.path()
        );
    }
}

#[test]
fn bash_completes_handles_on_a_terminal() {
    let open = open();
    let Some(terminal) = shell(&open, "bash --noprofile --norc -i", "bash") else {
        return;
    };
    completes(&open, terminal, "source <(casevault completions bash)");
}

#[test]
fn zsh_completes_handles_on_a_terminal() {
    let open = open();
    let Some(terminal) = shell(&open, "zsh -f -i", "zsh") else {
        return;
    };
    completes(
        &open,
        terminal,
        "autoload -U compinit; compinit -u -D; source <(casevault completions zsh)",
    );
}

#[test]
fn fish_completes_handles_on_a_terminal() {
    let open = open();
    let Some(terminal) = shell(&open, "fish --no-config -i", "fish") else {
        return;
    };
    completes(&open, terminal, "casevault completions fish | source");
}
