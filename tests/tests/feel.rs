//! How it feels at a terminal: words of other tools, colours, narrow screens, the pager, the manual.

use casevault_e2e::binary;
use casevault_e2e::terminal::{Terminal, which};
use casevault_e2e::vault::Vault;
use std::process::Command;

#[test]
fn a_wrong_word_is_answered_with_what_to_use() {
    let vault = Vault::made();
    for (words, instead) in [
        (&["serch"][..], "casevault note find"),
        (&["search", "heater"][..], "`casevault note find`"),
        (&["statsu"][..], "similar subcommand exists: 'status'"),
        (&["case", "opne"][..], "'open'"),
        (&["note", "add", "c-7fk2", "--knid", "phone"][..], "'--kind'"),
        (
            &["note", "add", "c-7fk2", "--message", "cold hall"][..],
            "never taken from the command line",
        ),
        (&["rm", "n-7fk2"][..], "nothing is deleted"),
        (&["note", "find", "heater"][..], "casevault note find --file FILE"),
    ] {
        // The first is too far from any word to be guessed at, and is left to the list of commands.
        let instead = if words == ["serch"] {
            "unrecognized subcommand"
        } else {
            instead
        };
        let done = vault.run(words);
        assert_eq!(done.code, 2, "{words:?}");
        assert!(done.stderr.contains(instead), "{words:?}: {}", done.stderr);
        assert_eq!(done.stdout, "");
    }
    let error = vault.run(&["--json", "search"]).refused(2, "usage");
    assert!(
        error["hint"].as_str().unwrap().contains("`casevault note find`"),
        "{error}"
    );
}

#[test]
fn a_handle_with_a_slip_is_answered_with_the_nearest_and_a_locked_vault_names_none() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let note = vault.add_note(&case, "obs: x\n");
    for (verb, handle) in [("case", &case), ("note", &note)] {
        let mut slip: Vec<char> = handle.chars().collect();
        slip.swap(5, 6);
        if slip[5] == slip[6] {
            slip[5] = if slip[5] == 'x' { 'y' } else { 'x' };
        }
        let slip: String = slip.into_iter().collect();
        let error = vault.run(&[verb, "show", &slip, "--json"]).refused(1, "not-found");
        assert!(error["message"].as_str().unwrap().contains(handle.as_str()), "{error}");
        let mut locked = vault.command(&[verb, "show", &slip]);
        let locked = locked.env_remove("CASEVAULT_PASSPHRASE_FILE").output().unwrap();
        assert_eq!(locked.status.code(), Some(5));
        assert!(!String::from_utf8_lossy(&locked.stderr).contains(handle.as_str()));
    }
}

#[test]
fn colours_are_on_a_terminal_alone_unless_they_are_asked_for() {
    let vault = Vault::made();
    let coloured = |args: &[&str], set: &[(&str, &str)]| {
        let mut command = vault.command(args);
        let done = command.envs(set.iter().copied()).output().unwrap();
        assert_eq!(done.status.code(), Some(1));
        String::from_utf8_lossy(&done.stderr).contains('\u{1b}')
    };
    let missing = ["case", "show", "c-00000000"];
    assert!(!coloured(&missing, &[]));
    assert!(coloured(&missing, &[("CLICOLOR_FORCE", "1")]));
    assert!(coloured(&[&missing[..], &["--color", "always"]].concat(), &[]));
    assert!(!coloured(
        &[&missing[..], &["--color", "never"]].concat(),
        &[("CLICOLOR_FORCE", "1")]
    ));
    for (set, expected) in [
        ("TERM=xterm", true),
        ("TERM=xterm NO_COLOR=1", false),
        ("TERM=dumb", false),
        ("CI=true TERM=dumb", false),
        ("-u TERM CI=true", false),
        ("CI=true TERM=xterm NO_COLOR=1", false),
        ("TERM=xterm CLICOLOR=0", false),
    ] {
        let line = format!("env {set} {} case show c-00000000", binary::casevault().display());
        let Some(terminal) = on(&vault, &line) else { return };
        let (code, screen) = terminal.end();
        assert_eq!(code, 1, "{screen}");
        assert_eq!(screen.contains('\u{1b}'), expected, "{set}: {screen:?}");
    }
}

/// A newcomer's mistakes, each made on the real command: what was wrong is said, and what to do next.
#[test]
fn every_refusal_says_what_to_do_next() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let closed = vault.open_case("Bo Brisk");
    vault.run(&["case", "close", &closed]).done();
    let note = vault.add_note(&case, "obs: x\n");
    let nowhere = vault.around.join("nowhere");
    let (nowhere, folder) = (nowhere.to_str().unwrap(), vault.around.to_str().unwrap());
    std::fs::write(vault.around.join("latin1"), b"caf\xe9\n").unwrap();
    let latin = vault.around.join("latin1");
    let latin = latin.to_str().unwrap();
    let add = |rest: &[&'static str]| [&["note", "add"], rest].concat();
    let tries: Vec<(Vec<&str>, &str, i32, &str)> = vec![
        (vec!["case", "list", "--home", nowhere], "", 5, "casevault init"),
        (vec!["init", "--agency", "A", "--name", "N"], "", 1, "--home DIR"),
        (vec!["case", "show", "c-00000000"], "", 1, "casevault case list"),
        (vec!["note", "show", "n-00000000"], "", 1, "casevault note list"),
        (vec!["case", "show", "elin"], "", 2, ""),
        (
            vec!["case", "open", "--template", "nowhere", "--file", "-"],
            "{}",
            1,
            "casevault template list",
        ),
        (
            vec!["case", "open", "--template", "adult-social-care", "--file", "-"],
            "Elin",
            1,
            "correct it",
        ),
        (vec!["case", "open", "--template", "adult-social-care"], "", 2, "--file"),
        (vec!["case", "close", &closed], "", 1, "casevault case"),
        (
            vec!["note", "add", &closed, "--file", "-"],
            "obs: x",
            1,
            "casevault case",
        ),
        (vec!["note", "add", &case, "--file", nowhere], "", 1, "check the name"),
        (vec!["note", "add", &case, "--file", folder], "", 1, "name a file in it"),
        (vec!["note", "add", &case, "--file", latin], "", 1, "UTF-8"),
        (
            vec!["note", "add", &case, "--kind", "seance", "--file", "-"],
            "obs: x",
            2,
            "casevault template list",
        ),
        (
            vec!["note", "add", &case, "--at", "soon", "--file", "-"],
            "obs: x",
            2,
            "",
        ),
        (
            vec!["note", "add", &case, "--at", "12/03/2026", "--file", "-"],
            "obs: x",
            2,
            "",
        ),
        (vec!["note", "add", &case, "--file", "-"], " ", 1, "correct it"),
        (vec!["note", "add", &case], "", 2, "--file"),
        (
            vec!["note", "show", &note, "--purpose", "curiosity"],
            "",
            2,
            "choose one",
        ),
        (vec!["note", "attach", &note, nowhere], "", 1, "check the name"),
        (
            vec!["note", "attach", &note, "--get", "7", "--out", nowhere],
            "",
            1,
            "--list",
        ),
        (vec!["note", "withdraw", "n-00000000"], "", 1, "casevault note list"),
        (vec!["note", "withdraw", "n-0"], "", 2, "casevault note list"),
        (
            vec!["note", "misfiled", &note, "--to", &case, "--file", "-"],
            "x",
            6,
            "with `--to CASE`",
        ),
        (
            vec!["note", "expand", "j-00000000", "--file", "-"],
            "obs: x",
            1,
            "casevault note jot --list",
        ),
        (vec!["export", "--format", "html", "--out", folder], "", 1, ""),
        (vec!["import", nowhere], "", 1, "check the name"),
        (vec!["import", "-"], "<html>", 1, "jsonl"),
        (
            vec!["backup", "restore", latin, "--home", nowhere],
            "",
            4,
            "take another copy",
        ),
        (vec!["recovery", "check", "--cards", latin], "", 1, ""),
        (vec!["log", "show", "999"], "", 1, "casevault log list"),
        (add(&[]), "", 2, ""),
    ];
    let mut wrong = Vec::new();
    for (words, input, code, instead) in tries {
        let done = vault.feed(&words, input.as_bytes());
        // A sentence of what to do: the hint, or what the parser says of the right form.
        let is_told = |line: &str| line.starts_with("hint: ") || line.contains("write ") || line.contains("--help");
        // Nothing of the machinery shows through.
        let inside = ["panicked", "Os {", "Error(", "SessionError", "unwrap", "rusqlite"];
        let sound = done.code == code
            && done.stderr.contains("error: ")
            && done.stderr.contains(instead)
            && done.stderr.lines().any(is_told)
            && !inside.iter().any(|word| done.stderr.contains(word));
        if !sound {
            wrong.push(format!(
                "{words:?} ({}, not {code})\n{}{}",
                done.code, done.stdout, done.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut locked = vault.command(&["case", "list"]);
    let locked = locked.env_remove("CASEVAULT_PASSPHRASE_FILE").output().unwrap();
    assert_eq!(locked.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&locked.stderr).contains("`casevault unlock`"));
}

fn on(vault: &Vault, line: &str) -> Option<Terminal> {
    Terminal::start(line, |command: &mut Command| {
        command
            .env("CASEVAULT_HOME", &vault.home)
            .env("CASEVAULT_PASSPHRASE_FILE", vault.around.join("passphrase"))
            .env("XDG_RUNTIME_DIR", "");
        for name in ["PAGER", "LESS", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
    })
}

/// What came on the screen, without what only moves its pen.
fn plain(screen: &str) -> String {
    screen.replace('\r', "")
}

#[test]
fn a_list_of_sixty_columns_loses_nothing_and_breaks_no_handle() {
    let vault = Vault::made();
    let names = [
        "王小明 (Wáng Xiǎomíng)",
        "مريم الهاشمي",
        "Zoe\u{308} Brontë-Featherstonehaugh of Great Marlow",
        "Ada\u{202e}\u{1b}[31mred",
    ];
    let cases: Vec<String> = names.iter().map(|name| vault.open_case(name)).collect();
    for columns in [200, 100, 60, 40, 20] {
        let line = format!(
            "sh -c 'stty cols {columns}; exec {} case list --no-pager'",
            binary::casevault().display()
        );
        let Some(terminal) = on(&vault, &line) else { return };
        let (code, screen) = terminal.end();
        let screen = plain(&screen);
        assert_eq!(code, 0, "{screen}");
        for case in &cases {
            assert!(screen.contains(case.as_str()), "{columns}: {screen}");
        }
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        // Wrapped or not, every letter is there; what could drive the terminal is written out.
        let shown = letters(&screen);
        for name in &names[..2] {
            for word in name.split(' ') {
                assert!(shown.contains(word), "{columns}: {screen}");
            }
        }
        assert!(
            !screen.contains('\u{202e}') && !screen.contains("\u{1b}[31m"),
            "{columns}: {screen:?}"
        );
    }
    let piped = vault.run(&["case", "list"]).done().stdout;
    assert!(piped.lines().nth(3).unwrap().contains(names[2]), "{piped}");
}

/// A weak passphrase is told of before it is taken, and whoever types may choose another.
#[test]
fn a_short_passphrase_is_told_of_before_it_is_taken() {
    let vault = Vault::unmade();
    let program = binary::casevault().display().to_string();
    let line = format!("{program} init --agency A --name N --kdf-memory 64MiB");
    let start = || {
        Terminal::start(&line, |command| {
            command
                .env("CASEVAULT_HOME", &vault.home)
                .env("XDG_RUNTIME_DIR", "")
                .env_remove("CASEVAULT_PASSPHRASE_FILE");
        })
    };
    let Some(mut terminal) = start() else { return };
    terminal.wait_for("New passphrase: ").keys("hunter2\n");
    terminal
        .wait_for("has 7 characters")
        .wait_for("four words or more")
        .wait_for("or `yes`, to take the short one: ");
    assert!(!vault.home.join("keystore").exists());
    // Typed twice by reflex it is not taken.
    terminal
        .keys("hunter2\n")
        .wait_for("the short one again, and it is not taken");
    assert!(!vault.home.join("keystore").exists());
    // Enter alone asks anew.
    terminal
        .wait_for("to take it: ")
        .keys("\n")
        .wait_for("New passphrase: ")
        .keys("hunter2\n")
        .wait_for("to take the short one: ")
        .keys("seven quiet herons\n");
    terminal
        .wait_for("Again, to be sure: ")
        .keys("seven quiet herons\n")
        .wait_for("made vault a-");
    assert_eq!(terminal.end().0, 0);
    vault
        .feed(&["unlock", "--passphrase-fd", "0"], b"seven quiet herons\n")
        .done();
    vault.run(&["lock"]).done();

    // A word of its own takes it; what is typed differently the second time is a slip.
    std::fs::remove_dir_all(&vault.home).unwrap();
    let mut insisting = start().unwrap();
    insisting
        .wait_for("New passphrase: ")
        .keys("seven quiet herons\n")
        .wait_for("Again, to be sure: ")
        .keys("seven quiet heron\n")
        .wait_for("The two differ, and none was taken.");
    insisting
        .wait_for("New passphrase: ")
        .keys("hunter2\n")
        .wait_for("to take the short one: ")
        .keys("yes\n")
        .wait_for("Again, to be sure: ")
        .keys("hunter2\n");
    insisting.wait_for("made vault a-");
    assert_eq!(insisting.end().0, 0);
}

/// Hints, refusals and results on a terminal are broken at spaces; a command to copy stays in one line, and a pipe gets
/// every line whole.
#[test]
fn prose_is_broken_at_spaces_on_a_terminal_alone() {
    let vault = Vault::made();
    let program = binary::casevault().display().to_string();
    for (arguments, command) in [
        ("delete", "`casevault note withdraw NOTE`"),
        ("status", "`casevault recovery split`"),
        ("note add c-00000000 --at soon", "2026-03-12 14:00, today"),
    ] {
        let line = |columns: usize| format!("sh -c 'stty cols {columns}; exec {program} {arguments} --no-pager'");
        let Some(terminal) = on(&vault, &line(44)) else { return };
        let screen = terminal.end().1;
        let narrow: Vec<&str> = screen.split("\r\n").collect();
        let wide = on(&vault, &line(400)).unwrap().end().1;
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&screen), words(&wide), "{arguments}");
        assert!(narrow.len() > wide.split("\r\n").count(), "{screen}");
        if command.starts_with('`') {
            assert!(
                narrow.iter().any(|line| line.contains(command)),
                "{arguments}: {screen}"
            );
        }
        for line in narrow {
            let plain = line
                .replace("\u{1b}[1m", "")
                .replace("\u{1b}[0m", "")
                .replace("\u{1b}[31m", "");
            let plain = plain.replace("\u{1b}[36m", "");
            let copied = plain.contains('`') || plain.trim().split(' ').count() == 1;
            assert!(plain.chars().count() <= 44 || copied, "{arguments}: {plain:?}");
        }
    }
    let piped = vault.run(&["case", "show", "c-00000000"]);
    assert_eq!(piped.stderr.lines().count(), 2, "{}", piped.stderr);
}

#[test]
fn what_is_taller_than_the_screen_goes_to_less_which_keeps_nothing() {
    if which("less").is_none() {
        return;
    }
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let lines: String = (1..=90)
        .map(|n| format!("obs: Line number {n} of the walrus.\n\n"))
        .collect();
    let note = vault.add_note(&case, &lines);
    let program = binary::casevault().display().to_string();
    let Some(mut terminal) = on(
        &vault,
        &format!("env HOME={} {program} note show {note}", vault.around.display()),
    ) else {
        return;
    };
    terminal.wait_for("Line number 5 of");
    let less = casevault_e2e::terminal::children(terminal.process());
    let environment = std::fs::read(format!("/proc/{}/environ", less[0])).unwrap();
    let environment = String::from_utf8_lossy(&environment).into_owned();
    for set in ["LESSSECURE=1", "LESSHISTFILE=-"] {
        assert!(environment.split('\0').any(|one| one == set), "{set}");
    }
    assert!(!environment.contains("CASEVAULT_PASSPHRASE_FILE"));
    // To the end, a search, and out. Nothing but the vault's own is written.
    terminal.keys("G").wait_for("Line number 90 of");
    terminal.keys("?number 12 of\n").wait_for("number 12 of");
    terminal.keys("q");
    let (code, _) = terminal.end();
    assert_eq!(code, 0);
    let around: Vec<_> = std::fs::read_dir(&vault.around)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(
        around.iter().all(|name| name == "home" || name == "passphrase"),
        "{around:?}"
    );

    for line in [
        format!("{program} note show {note} --no-pager"),
        format!("env PAGER= {program} note show {note}"),
        format!("env PAGER=cat {program} note show {note}"),
        format!("env TERM=dumb {program} note show {note}"),
        format!("env PAGER=/nonexistent/pager {program} note show {note}"),
    ] {
        let Some(terminal) = on(&vault, &line) else { return };
        let (code, screen) = terminal.end();
        assert_eq!(code, 0, "{line}: {screen}");
        assert!(
            screen.contains("Line number 1 of") && screen.contains("Line number 90 of"),
            "{line}"
        );
    }
}

#[test]
fn the_manual_is_one_sound_page_a_command() {
    let vault = Vault::unmade();
    let folder = vault.around.join("man1");
    vault.run(&["man", folder.to_str().unwrap()]).done();
    let pages: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    for name in ["casevault.1", "casevault-note-add.1", "casevault-case-amend.1"] {
        assert!(folder.join(name).exists(), "{name}");
    }
    assert!(pages.len() > 45, "{}", pages.len());
    // The same program writes the same pages.
    let again = vault.around.join("again");
    vault.run(&["man", again.to_str().unwrap()]).done();
    for page in &pages {
        assert_eq!(
            std::fs::read(page).unwrap(),
            std::fs::read(again.join(page.file_name().unwrap())).unwrap()
        );
    }
    if let Some(mandoc) = which("mandoc") {
        let lint = Command::new(mandoc)
            .args(["-T", "lint", "-W", "warning"])
            .args(&pages)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&lint.stdout).into_owned();
        assert!(
            lint.status.success(),
            "{}",
            said.lines().take(20).collect::<Vec<_>>().join("\n")
        );
    }
    if let Some(man) = which("man") {
        let shown = Command::new(man)
            .args(["-l", "-P", "cat"])
            .arg(folder.join("casevault-note-add.1"))
            .env("MANWIDTH", "80")
            .output()
            .unwrap();
        // Lines are filled with spaces.
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in [
            "EXIT STATUS",
            "ENVIRONMENT",
            "FILES",
            "EXAMPLES",
            "casevault note add c-7fk2 --kind home-visit",
            "CASEVAULT_PASSPHRASE_FILE",
        ] {
            assert!(
                text.contains(words),
                "{words}: {text}\n{}",
                String::from_utf8_lossy(&shown.stderr)
            );
        }
    }
}
