//! Questions on a terminal: Ctrl-C ends each at once with nothing done, Ctrl-D is no answer.

use std::process::Command;

use casevault_e2e::binary::casevault;
use casevault_e2e::terminal::Terminal;
use casevault_e2e::terminal::on_terminal;
use casevault_e2e::vault::Vault;

/// What Ctrl-C types.
const INTERRUPT: &str = "\u{3}";
/// What Ctrl-D types.
const END: &str = "\u{4}";
/// How a question ends that Ctrl-C stopped.
const INTERRUPTED: i32 = 130;

fn status_of(vault: &Vault, case: &str) -> String {
    let shown = vault.json(&["case", "show", case]);
    shown["status"].as_str().unwrap().to_owned()
}

#[test]
fn ctrl_c_at_a_question_of_closing_ends_it_at_once_and_the_case_stays_open() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    vault.add_note(&case, "plan: Ring.\n  owner: me\n  due: today\n");
    let close = format!("case close {case}");
    // At the first question, and at the second, where half an answer was typed.
    for answers in [&[][..], &["y\n"][..]] {
        let Some(mut terminal) = on_terminal(&vault, &close) else {
            return;
        };
        terminal.wait_for("[y/N] ");
        for answer in answers {
            terminal.keys(answer).wait_for("Outcome in a line");
        }
        terminal.keys("n").keys(INTERRUPT);
        let (code, screen) = terminal.end();
        assert_eq!(code, INTERRUPTED, "{screen}");
        assert_eq!(status_of(&vault, &case), "open", "{screen}");
    }
}

#[test]
fn ctrl_d_at_a_question_of_closing_is_no_answer() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let Some(mut terminal) = on_terminal(&vault, &format!("case close {case}")) else {
        return;
    };
    // What was begun and not ended with Enter is none either.
    terminal.wait_for("Outcome in a line").keys("mov").keys(END).keys(END);
    let (code, screen) = terminal.end();
    assert_eq!(code, 2, "{screen}");
    assert!(screen.contains("--file FILE"), "{screen}");
    assert_eq!(status_of(&vault, &case), "open");
    vault.add_note(&case, "plan: Ring.\n  owner: me\n  due: today\n");
    let mut terminal = on_terminal(&vault, &format!("case close {case}")).unwrap();
    terminal.wait_for("[y/N] ").keys(END);
    let (code, screen) = terminal.end();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("the case stays open"), "{screen}");
    assert_eq!(status_of(&vault, &case), "open");
}

#[test]
fn ctrl_c_ends_the_start_menu_at_once_wherever_it_asks_and_ctrl_d_leaves_it() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    vault.add_note(&case, "plan: Ring.\n  owner: me\n  due: today\n");
    vault.run(&["unlock"]).done();
    let notes = || vault.json(&["note", "list", &case])["notes"].as_array().unwrap().len();
    let before = notes();
    // Each after what was watched before: what listened to the signal then must not swallow it now.
    for (typed, question) in [
        (&[][..], ""),
        (&["t\n"][..], "Enter leaves"),
        (&["t\n", "j\n"][..], "Enter ends it;"),
        (&["t\n", "d 1\n"][..], "What came of it"),
        (&["t\n", "w\n"][..], "Who: "),
    ] {
        let Some(mut terminal) = on_terminal(&vault, "") else {
            return;
        };
        terminal.wait_for("Who: ");
        if !typed.is_empty() {
            terminal.keys("ada\n").wait_for("Enter leaves");
        }
        for (n, keys) in typed.iter().enumerate() {
            terminal.keys(keys);
            terminal.wait_for(match n + 1 == typed.len() {
                true => question,
                false => "Enter leaves",
            });
        }
        terminal.keys(INTERRUPT);
        let (code, screen) = terminal.end();
        assert_eq!(code, INTERRUPTED, "{typed:?}: {screen}");
    }
    assert_eq!(notes(), before);
    let Some(mut terminal) = on_terminal(&vault, "") else {
        return;
    };
    terminal.wait_for("Who: ").keys("ada\n").wait_for("Enter leaves");
    terminal
        .keys("j\n")
        .wait_for("Enter ends it;")
        .keys(END)
        .wait_for("Enter leaves");
    terminal.keys(END);
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(vault.json(&["note", "jot", "--list"])["jots"], serde_json::json!([]));
}

#[test]
fn ctrl_c_at_the_passphrase_leaves_the_terminal_as_it_was() {
    let vault = Vault::made();
    // The shell goes on after an interrupt, and says how the terminal was left.
    let line = format!(
        "sh -c 'trap : INT; {} case list; echo ended with $?; stty -a'",
        casevault().display()
    );
    let started = Terminal::start(&line, |command| {
        command
            .env("CASEVAULT_HOME", &vault.home)
            .env_remove("CASEVAULT_PASSPHRASE_FILE");
    });
    let Some(mut terminal) = started else { return };
    terminal.wait_for("Passphrase: ").keys(INTERRUPT);
    let (_, screen) = terminal.end();
    assert!(screen.contains("ended with 130"), "{screen}");
    let flags: Vec<&str> = screen
        .split_whitespace()
        .map(|flag| flag.trim_end_matches(';'))
        .collect();
    assert!(flags.contains(&"echo") && !flags.contains(&"-echo"), "{screen}");
}

/// What a person types anew by reflex after a wrong passphrase goes to the prompt, and not to the shell.
#[test]
fn a_wrong_passphrase_is_asked_for_again_on_a_terminal_and_each_is_counted() {
    let vault = Vault::made();
    let asked = |arguments: &str| {
        let line = format!("{} {arguments}", casevault().display());
        Terminal::start(&line, |command| {
            command
                .env("CASEVAULT_HOME", &vault.home)
                .env("XDG_RUNTIME_DIR", "")
                .env_remove("CASEVAULT_PASSPHRASE_FILE");
        })
    };
    let right = std::fs::read_to_string(vault.around.join("passphrase")).unwrap();
    let right = right.trim_end();
    let Some(mut terminal) = asked("case list") else { return };
    for wrong in ["a slip of it\n", "another slip\n"] {
        terminal
            .wait_for("Passphrase: ")
            .keys(wrong)
            .wait_for("the passphrase is wrong; try again");
    }
    terminal.wait_for("Passphrase: ").keys(&format!("{right}\n"));
    terminal.wait_for("2 passphrases were wrong before this one");
    assert_eq!(terminal.end().0, 0);
    // The third ends it.
    let mut terminal = asked("unlock").unwrap();
    for _ in 0..3 {
        terminal.wait_for("Passphrase: ").keys("a slip of it\n");
    }
    let (code, screen) = terminal.end();
    assert_eq!((code, screen.matches("Passphrase: ").count()), (5, 3), "{screen}");
    // A file says the same each time, and is read once.
    let wrong = vault.around.join("wrong");
    std::fs::write(&wrong, "a slip of it\n").unwrap();
    let line = format!("{} case list", casevault().display());
    let terminal = Terminal::start(&line, |command| {
        command
            .env("CASEVAULT_HOME", &vault.home)
            .env("CASEVAULT_PASSPHRASE_FILE", &wrong);
    });
    let (code, screen) = terminal.unwrap().end();
    assert_eq!((code, screen.contains("wrong; try again")), (5, false), "{screen}");
    assert_eq!(vault.json(&["unlock", "--no-agent"])["wrong_tries"], 4);
}

#[test]
fn the_whole_caseload_goes_to_a_screen_only_after_a_question() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    vault.add_note(&case, "obs: Rang about the heating.\n");
    vault.open_case("Una Fern");
    let Some(mut terminal) = on_terminal(&vault, "export") else {
        return;
    };
    terminal.wait_for("1 note of 2 cases to the screen? [y/N] ").keys("\n");
    let (code, screen) = terminal.end();
    assert_eq!((code, screen.contains("heating")), (1, false), "{screen}");
    let mut terminal = on_terminal(&vault, "export").unwrap();
    terminal
        .wait_for("to the screen? [y/N] ")
        .keys("y\n")
        .wait_for("heating");
    assert_eq!(terminal.end().0, 0);
    // One case that is named, and a pipe, are asked nothing.
    let (code, screen) = on_terminal(&vault, &format!("export {case}")).unwrap().end();
    assert_eq!((code, screen.contains("to the screen")), (0, false), "{screen}");
    assert!(vault.run(&["export"]).done().stdout.contains("heating"));
}

fn cards_in(folder: &std::path::Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn a_split_that_is_stopped_at_its_question_leaves_no_card() {
    let vault = Vault::made();
    let folder = vault.around.join("cards");
    let split = format!("recovery split --out-dir {}", folder.display());
    for stop in ["ctrl-c", "ctrl-d", "TERM", "HUP"] {
        let Some(mut terminal) = on_terminal(&vault, &split) else {
            return;
        };
        terminal.wait_for("[yes/no] ");
        assert_eq!(cards_in(&folder), 6);
        match stop {
            "ctrl-c" => {
                terminal.keys(INTERRUPT);
            }
            "ctrl-d" => {
                terminal.keys(END);
            }
            signal => {
                let process = terminal.process().to_string();
                let sent = Command::new("kill").args(["-s", signal, &process]).status();
                assert!(sent.unwrap().success());
            }
        }
        let (code, screen) = terminal.end();
        assert_eq!(code, if stop == "ctrl-d" { 2 } else { INTERRUPTED }, "{stop}: {screen}");
        assert_eq!(cards_in(&folder), 0, "{stop}: {screen}");
    }
    let status = vault.json(&["status"])["attention"].to_string();
    assert!(status.contains("the recovery key waits"), "{status}");
}

#[test]
fn a_second_set_of_cards_tells_of_the_first_that_was_cut_off() {
    let vault = Vault::made();
    let first = vault.around.join("first");
    let Some(mut terminal) = on_terminal(&vault, &format!("recovery split --out-dir {}", first.display())) else {
        return;
    };
    terminal.wait_for("[yes/no] ");
    casevault_e2e::terminal::kill_9(terminal.process());
    terminal.end();
    assert_eq!(cards_in(&first), 6, "nothing removes them after that");
    let second = vault.around.join("second");
    let reply = vault.json(&["recovery", "split", "--yes", "--out-dir", second.to_str().unwrap()]);
    let unfinished = reply["unfinished"].as_array().unwrap();
    assert_eq!(unfinished.len(), 1, "{reply}");
    assert_eq!(unfinished[0]["folder"], first.to_str().unwrap());
    let cards: Vec<String> = (1..=2)
        .map(|n| first.join(format!("card-{n}-of-3.txt")).to_str().unwrap().to_owned())
        .collect();
    let check = vault.run(&["recovery", "check", "--json", "--cards", &cards.join(",")]);
    assert_eq!(check.code, 5, "they are of another set: {}", check.stderr);
}

#[test]
fn a_note_is_withdrawn_only_after_it_was_shown_or_named_whole() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let note = vault.add_note(&case, "obs: The kitchen was cold.\n");
    let short = &note[..3];
    let words = |vault: &Vault| vault.json(&["note", "show", &note])["segments"][0]["text"].clone();
    let refused = vault.run(&["note", "withdraw", short, "--json"]).refused(2, "usage");
    assert!(refused["hint"].as_str().unwrap().contains("--yes"), "{refused}");
    for (keys, expected) in [("\n", 1), (END, 1), (INTERRUPT, INTERRUPTED), ("n\n", 1)] {
        let Some(mut terminal) = on_terminal(&vault, &format!("note withdraw {short}")) else {
            return;
        };
        terminal
            .wait_for(&note)
            .wait_for("phone")
            .wait_for("The kitchen was cold.");
        terminal.wait_for("[y/N] ").keys(keys);
        let (code, screen) = terminal.end();
        assert_eq!(code, expected, "{screen}");
        assert_eq!(words(&vault), "The kitchen was cold.", "{screen}");
    }
    let mut terminal = on_terminal(&vault, &format!("note withdraw {short}")).unwrap();
    terminal.wait_for("[y/N] ").keys("y\n").wait_for("withdrew");
    assert_eq!(terminal.end().0, 0);
    let next = vault.add_note(&case, "obs: Another.\n");
    vault.run(&["note", "withdraw", &next[..5], "--yes"]).done();
    let next = vault.add_note(&case, "obs: A third.\n");
    vault.run(&["note", "withdraw", &next]).done();
}
