//! A day's work: what is closed, said for several, corrected in several, told apart, and timed.

use std::process::Command;

use casevault_e2e::binary::casevault;
use casevault_e2e::terminal::Terminal;
use casevault_e2e::vault::Vault;
use serde_json::json;

/// Starts the binary on a terminal, on this vault.
fn on_terminal(vault: &Vault, arguments: &str) -> Option<Terminal> {
    Terminal::start(
        &format!("{} {arguments}", casevault().display()),
        |command: &mut Command| {
            command
                .env("CASEVAULT_HOME", &vault.home)
                .env("CASEVAULT_PASSPHRASE_FILE", vault.around.join("passphrase"))
                .env("XDG_RUNTIME_DIR", "");
            for name in ["PAGER", "LESS", "NO_COLOR", "EDITOR", "VISUAL"] {
                command.env_remove(name);
            }
        },
    )
}

#[test]
fn closing_names_the_undone_steps_and_reopening_brings_them_back() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let note = vault.add_note(
        &case,
        "plan: Ring the landlord.\n  owner: me\n  due: today\n\nplan: Visit.\n",
    );
    vault
        .feed(&["plan", "done", &format!("{note}:2"), "--file", "-"], b"")
        .done();

    // On a terminal it is asked, and anything but yes keeps the case open.
    if let Some(mut terminal) = on_terminal(&vault, &format!("case close {case}")) {
        terminal.wait_for("Ring the landlord.").wait_for("[y/N] ").keys("\n");
        let (code, screen) = terminal.end();
        assert!(code == 1 && screen.contains("the case stays open"), "{code} {screen}");
        let mut terminal = on_terminal(&vault, &format!("case close {case}")).unwrap();
        terminal
            .wait_for("[y/N] ")
            .keys("y\n")
            .wait_for("Outcome in a line")
            .keys("\n");
        let (code, screen) = terminal.end();
        assert!(
            code == 0 && screen.contains("1 step was left undone"),
            "{code} {screen}"
        );
        vault
            .feed(&["case", "reopen", &case, "--file", "-"], b"Not yet.")
            .done();
    }
    let closed = vault.json(&["case", "close", &case]);
    assert_eq!(closed["undone"].as_array().unwrap().len(), 1);
    assert_eq!(closed["undone"][0]["text"], "Ring the landlord.");
    assert_eq!(vault.json(&["plan", "list"])["steps"], json!([]));
    assert_eq!(vault.json(&["plan", "list", "--case", &case])["total"], 1);
    assert_eq!(
        vault.json(&["case", "show", &case])["left_undone"][0]["note"],
        json!(note)
    );
    let shown = vault.run(&["case", "show", &case]).done().stdout;
    assert!(
        shown.contains("Left undone: 1\n  Ring the landlord. [owner: me"),
        "{shown}"
    );

    vault
        .feed(&["case", "reopen", &case, "--file", "-"], b"She is back.")
        .done();
    assert_eq!(vault.json(&["plan", "list"])["steps"][0]["text"], "Ring the landlord.");
    assert_eq!(vault.json(&["case", "show", &case])["left_undone"], json!([]));
    vault.verified();
}
