//! What is asked at the desk, before anything is refused, and what the answers say.

use casevault_e2e::terminal::Terminal;
use casevault_e2e::terminal::on_terminal;
use casevault_e2e::terminal::which;
use casevault_e2e::terminal::with_editor;
use casevault_e2e::vault::Vault;
use serde_json::Value;
use serde_json::json;

/// How many questions the template of a grown person asks.
fn questions(vault: &Vault) -> usize {
    let text = vault.run(&["template", "show", "adult-social-care"]).done().stdout;
    text.lines().filter(|line| line.trim_start().starts_with("* ")).count()
}

#[test]
fn a_case_is_opened_by_questions_with_a_way_back_a_date_of_birth_as_it_is_said_and_a_summary_before() {
    let vault = Vault::made();
    let asked = questions(&vault);
    let Some(mut terminal) = on_terminal(&vault, "case open --template adult-social-care") else {
        return;
    };
    terminal
        .wait_for("< goes back one")
        .wait_for("Name: ")
        .keys("Elin Farow\n");
    terminal
        .wait_for("Date of birth")
        .keys("<\n")
        .wait_for("Name: ")
        .keys("Elin Farow\n");
    // Back once more, and on with what was answered.
    terminal
        .wait_for("Date of birth")
        .keys("<\n")
        .wait_for("so far: Elin Farow; Enter keeps it")
        .wait_for("Name: ")
        .keys("\n");
    terminal
        .wait_for("Date of birth")
        .keys("<\n")
        .wait_for("Name: ")
        .keys("Elin Farrow\n");
    terminal
        .wait_for("Date of birth")
        .keys("03/04/12\n")
        .wait_for("could be 3 april 12 or 4 march 12");
    terminal
        .wait_for("Date of birth")
        .keys("3 March 1952\n")
        .wait_for("1952-03-03");
    for _ in 2..asked {
        terminal.keys("\n");
    }
    terminal
        .wait_for("A case of the template adult-social-care")
        .wait_for("name: Elin Farrow")
        .wait_for("1952-03-03")
        .wait_for("Open it?")
        .keys("\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let case = vault.json(&["case", "list"])["cases"][0].clone();
    assert_eq!(case["label"], "Elin Farrow");
    let shown = vault.json(&["case", "show", case["case"].as_str().unwrap()]);
    assert_eq!(
        shown["profile"],
        json!({"name": "Elin Farrow", "date_of_birth": "1952-03-03"})
    );
}

#[test]
fn a_case_of_which_something_is_wrong_in_the_summary_is_asked_again_and_n_opens_none() {
    let vault = Vault::made();
    let asked = questions(&vault);
    let open = "case open --template adult-social-care";
    for (last, cases) in [("n\n", 0), ("1\nTam Brisk\ny\n", 1)] {
        let Some(mut terminal) = on_terminal(&vault, open) else {
            return;
        };
        terminal.wait_for("Name: ").keys("Tam Brik\n");
        for _ in 1..asked {
            terminal.keys("\n");
        }
        terminal.wait_for("Open it?");
        for key in last.split_inclusive('\n') {
            terminal.keys(key);
        }
        terminal.end();
        assert_eq!(vault.json(&["case", "list"])["cases"].as_array().unwrap().len(), cases);
    }
    assert_eq!(vault.json(&["case", "list"])["cases"][0]["label"], "Tam Brisk");
}

#[test]
fn whose_note_it_is_stands_in_the_editor_and_in_the_answer_by_the_label_that_was_chosen() {
    let vault = Vault::made();
    let open = ["case", "open", "--template", "adult-social-care", "--file", "-"];
    let case = vault.feed(&open, br#"{"name":"Elin Farrow","label":"E.F."}"#).handle();
    let listed = vault.json(&["case", "list"])["cases"][0].clone();
    assert_eq!(
        (&listed["label"], &listed["name"]),
        (&json!("E.F."), &json!("Elin Farrow"))
    );
    // No list, no answer and no page on a screen has the name where a label was chosen.
    vault.add_note(&case, "plan: Ring.\n  owner: me\n  due: today\n");
    for args in [
        &["today"][..],
        &["case", "list"],
        &["plan", "list"],
        &["case", "show", &case, "--brief"],
    ] {
        let text = vault.run(args).done().stdout;
        assert!(text.contains("E.F.") && !text.contains("Farrow"), "{args:?}: {text}");
    }
    // Another of the same name is told all the same.
    let again = vault
        .feed(&[&open[..], &["--json"]].concat(), br#"{"name":"elin farrow"}"#)
        .json();
    assert_eq!(again["same_name"][0]["case"], json!(case), "{again}");

    let add = ["note", "add", &case, "--kind", "phone", "--file", "-", "--json"];
    assert_eq!(vault.feed(&add, b"obs: Calm.\n").json()["label"], "E.F.");
    let kept = vault.around.join("shown.txt");
    let script = vault.around.join("editor.sh");
    let does = format!(
        "#!/bin/sh\nfor file; do :; done\ncp \"$file\" {}\necho 'obs: Calm.' >> \"$file\"\n",
        kept.display()
    );
    std::fs::write(&script, does).unwrap();
    let editor = format!("sh {}", script.display());
    let Some(mut terminal) = with_editor(&vault, &format!("note add {case} --kind phone"), &editor) else {
        return;
    };
    terminal.wait_for("of the same words").keys("y\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let shown = std::fs::read_to_string(&kept).unwrap();
    assert!(shown.starts_with(&format!("#! For E.F. ({case})\n")), "{shown}");
    assert!(screen.contains(&format!("for E.F. ({case})")), "{screen}");
    let note = vault.json(&["note", "list", &case])["notes"][2]["note"].clone();
    let text = vault.json(&["note", "show", note.as_str().unwrap()])["segments"].to_string();
    assert!(!text.contains("For E.F."), "{text}");
    // By the name, the label, and by what only one is called so, at the prompt.
    let mut terminal = on_terminal(&vault, "note list").unwrap();
    terminal.wait_for("Who: ").keys("e.f\n");
    let (code, screen) = terminal.end();
    assert!(code == 0 && screen.contains("3 notes"), "{screen}");
}

#[test]
fn where_a_handle_is_left_out_the_name_is_asked_for_and_the_kind_of_a_note_too() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    vault.open_case("Tam Brisk");
    vault.add_note(&case, "dec: Wait.\n  why: it is late\n");
    for args in [
        "note list",
        "chronology show",
        "decision list",
        "case history",
        "note add",
        "case amend",
        "case close",
    ] {
        let words: Vec<&str> = args.split(' ').chain(["--json"]).collect();
        vault.run(&words).refused(2, "needs-flag");
    }
    let Some(mut terminal) = on_terminal(&vault, "chronology show") else {
        return;
    };
    terminal.wait_for("Who: ").keys("farr\n");
    let (code, screen) = terminal.end();
    assert!(code == 0 && screen.contains("Decision: Wait."), "{screen}");
    let mut terminal = on_terminal(&vault, "note add").unwrap();
    terminal
        .wait_for("Who: ")
        .keys("elin\n")
        .wait_for("home-visit")
        .wait_for("Kind (number or name) [phone]: ");
    terminal.keys("\n").wait_for("Ctrl-D").keys("obs: Calm.\n\u{4}");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let notes = vault.json(&["note", "list", &case])["notes"].clone();
    assert_eq!(
        (notes.as_array().unwrap().len(), &notes[1]["kind"]),
        (2, &json!("phone")),
        "{notes}"
    );
}

#[test]
fn a_vault_is_made_by_questions_where_no_names_are_given() {
    let vault = Vault::unmade();
    let made = ["init", "--agency", "Hillside", "--json"];
    let refused = vault.run(&made).refused(2, "needs-flag");
    assert!(
        refused["hint"].as_str().unwrap_or_default().contains("--name")
            || refused["message"].as_str().unwrap().contains("name")
    );
    let binary = vault.command(&["init"]).get_program().to_string_lossy().into_owned();
    let home = vault.home.display().to_string();
    let file = vault.around.join("passphrase").display().to_string();
    let Some(mut terminal) = Terminal::start(&format!("{binary} init --kdf-memory 64MiB"), |command| {
        command
            .env("CASEVAULT_HOME", home)
            .env("CASEVAULT_PASSPHRASE_FILE", file);
    }) else {
        return;
    };
    terminal
        .wait_for("The agency's name: ")
        .keys("\n")
        .wait_for("The agency's name: ")
        .keys("Hillside\n");
    terminal.wait_for("Your name").keys("Ann Worker\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    vault.verified();
}

#[test]
fn an_amended_note_is_shown_as_it_reads_now_where_that_is_asked_for() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, "place: at home\n\nobs: The kitchen was cold.\n");
    vault
        .feed(
            &["note", "amend", &note, "--file", "-"],
            b"place: at work\n\nobs: The kitchen was warm.\n",
        )
        .done();
    let whole = vault.run(&["note", "show", &note]).done().stdout;
    assert!(whole.contains("struck: ") && whole.contains("was: at home"), "{whole}");
    let clean = vault.run(&["note", "show", &note, "--clean"]).done().stdout;
    assert!(clean.contains("[1] Observation: The kitchen was warm."), "{clean}");
    assert!(!clean.contains("cold") && !clean.contains("at home"), "{clean}");
    assert!(clean.contains("Version"), "it says that it was amended: {clean}");
    assert_eq!(vault.json(&["note", "show", &note, "--clean"])["before"], Value::Null);
}

#[test]
fn what_is_attached_to_a_mail_is_filed_with_the_note_under_names_that_are_safe() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let mail = b"From: Joan Harker <joan@example.org>\nTo: duty@example.net\nDate: Thu, 12 Mar 2026 09:05:00 +0000\nSubject: The \
                 boiler\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; \
                 charset=utf-8\n\nThe engineer comes on Monday.\n--b\nContent-Type: application/octet-stream\nContent-Disposition: \
                 attachment; filename=\"../../.profile\"\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n--b\nContent-Type: \
                 text/plain\nContent-Disposition: attachment; filename=\"plan.txt\"\n\non Monday\n--b--\n";
    let add = ["note", "add", &case, "--file", "-", "--json"];
    let without = vault.feed(&add, mail).json()["note"].as_str().unwrap().to_owned();
    assert_eq!(
        vault.json(&["note", "attach", &without, "--list"])["attachments"],
        json!([])
    );
    let done = vault
        .feed(&["note", "add", &case, "--file", "-", "--attachments"], mail)
        .done();
    assert!(done.stderr.contains("2 files of the mail"), "{}", done.stderr);
    let note = done
        .stdout
        .lines()
        .next()
        .unwrap()
        .split(' ')
        .next_back()
        .unwrap()
        .to_owned();
    let listed = vault.json(&["note", "attach", &note, "--list"])["attachments"].clone();
    let names: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["profile", "plan.txt"], "{listed}");
    let out = vault.around.join("got");
    vault
        .run(&["note", "attach", &note, "--get", "1", "--out", out.to_str().unwrap()])
        .done();
    assert_eq!(std::fs::read(&out).unwrap(), b"hello");
    vault.verified();
}

#[test]
fn the_number_of_every_line_that_was_refused_goes_to_a_file_where_that_is_asked_for() {
    let vault = Vault::made();
    let good = r#"{"type":"case","case":"old-17","opened":"2024-05-02","template":"adult-social-care","profile":{"name":"Tam Brisk"}}"#;
    let mut lines = format!("{good}\n");
    for _ in 0..10_020 {
        lines.push_str("{\"type\":\"nothing\"}\n");
    }
    let out = vault.around.join("refused.txt");
    let args = [
        "import",
        "-",
        "--keep-going",
        "--refused",
        out.to_str().unwrap(),
        "--json",
    ];
    let reply = vault.feed(&args, lines.as_bytes()).json();
    assert_eq!(
        (&reply["imported"], &reply["more_malformed"]),
        (&json!(1), &json!(20)),
        "{}",
        reply["imported"]
    );
    let written = std::fs::read_to_string(&out).unwrap();
    let numbers: Vec<&str> = written.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(numbers.len(), 10_020);
    assert_eq!((numbers[0], numbers[10_019]), ("2", "10021"));
    assert!(written.lines().next().unwrap().starts_with("2: "), "{written}");
    // No file is replaced, and then nothing is taken in.
    vault.feed(&args, lines.as_bytes()).refused(2, "usage");
}

#[test]
fn nano_shows_a_long_line_whole_and_keeps_it_one() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let stand_in = vault.around.join("nano");
    let kept = vault.around.join("flags.txt");
    std::fs::write(&stand_in, format!("#!/bin/sh\necho \"$@\" > {}\n", kept.display())).unwrap();
    let mut mode = std::fs::metadata(&stand_in).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o700);
    std::fs::set_permissions(&stand_in, mode).unwrap();
    let editor = stand_in.display().to_string();
    let Some(terminal) = with_editor(&vault, &format!("note add {case} --kind phone"), &editor) else {
        return;
    };
    terminal.end();
    let flags = std::fs::read_to_string(&kept).unwrap();
    assert!(flags.contains("--softwrap") && flags.contains("--atblanks"), "{flags}");
    // The real one knows them.
    if let Some(nano) = which("nano") {
        let help = std::process::Command::new(nano).arg("--help").output().unwrap();
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        assert!(help.contains("--softwrap") && help.contains("--atblanks"), "{help}");
    }
}

#[test]
fn a_note_of_the_words_of_one_that_was_just_saved_is_asked_about() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let file = vault.around.join("note.txt");
    std::fs::write(&file, "obs: The kitchen was cold.\n").unwrap();
    let add = [
        "note",
        "add",
        &case,
        "--kind",
        "phone",
        "--file",
        file.to_str().unwrap(),
    ];
    let first = vault.run(&add).handle();
    let count = || vault.json(&["note", "list", &case])["notes"].as_array().unwrap().len();
    for (answer, notes) in [("n\n", 1), ("y\n", 2)] {
        let Some(mut terminal) = on_terminal(&vault, &add.join(" ")) else {
            return;
        };
        terminal
            .wait_for(&format!("{first} of the same words was saved"))
            .keys(answer);
        terminal.end();
        assert_eq!(count(), notes);
    }
    // Another kind is not asked about, and a script never.
    let other = add.join(" ").replace("phone", "office");
    let terminal = on_terminal(&vault, &other).unwrap();
    assert_eq!(terminal.end().0, 0);
    vault.run(&add).done();
    assert_eq!(count(), 4);
}
