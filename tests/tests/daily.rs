//! A day's work: what is closed, said for several, corrected in several, told apart, and timed.

use casevault_e2e::terminal::on_terminal;
use casevault_e2e::terminal::with_editor;
use casevault_e2e::vault::Vault;
use serde_json::json;

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
            .keys("\n")
            .wait_for("Reason (")
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
    // Without a terminal nobody is asked, and nothing is closed over undone steps.
    vault.run(&["case", "close", &case, "--json"]).refused(2, "needs-flag");
    assert_eq!(vault.json(&["case", "show", &case])["status"], "open");
    let brief = || vault.run(&["case", "show", &case, "--brief"]).done().stdout;
    assert!(!brief().contains("closed"));
    let closed = vault.json(&["case", "close", &case, "--yes"]);
    assert!(brief().lines().next().unwrap().ends_with("  (closed)"));
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

#[test]
fn what_one_client_said_is_not_said_by_another_in_a_note_of_both() {
    let vault = Vault::made();
    let (ada, bo) = (vault.open_case("Ada Brisk"), vault.open_case("Bo Brisk"));
    let add = [
        "note",
        "add",
        &ada,
        "--also",
        &bo,
        "--kind",
        "home-visit",
        "--file",
        "-",
        "--json",
    ];
    for (text, line, column) in [
        ("obs: Both were there.\n\nsaid client: \"I am cold.\"\n", 3, 6),
        ("rep The Client: He rang.\n", 1, 9),
        ("obs: Thin. {about client}\n", 1, 19),
        ("obs: Thin.\n  about: client\n", 2, 10),
        (
            r#"{"segments":[{"kind":"quote","speaker":"client","text":"Cold."}]}"#,
            1,
            41,
        ),
    ] {
        let message = vault.feed(&add, text.as_bytes()).refused(1, "malformed")["message"].to_string();
        let at = format!("line {line}, column {column}: `client`");
        assert!(message.contains(&at), "{text}: {message}");
    }
    assert!(
        vault.json(&["case", "list"])["cases"]
            .as_array()
            .unwrap()
            .iter()
            .all(|c| c["notes"] == 0)
    );

    let text = b"said Ada Brisk: \"I am cold.\"\n\nobs: The client's flat is dark.\n";
    let note = vault.feed(&add, text).json()["note"].as_str().unwrap().to_owned();
    let quotes = |case: &str| {
        vault.json(&["case", "show", case, "--brief"])["quotes"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((quotes(&ada), quotes(&bo)), (1, 0));

    // Of one file alone it may be said; the text of all of them may not.
    let amend = ["note", "amend", &note, "--file", "-", "--json"];
    let own = b"said client: \"I am cold.\"\n";
    let others = [&amend[..], &["--others"]].concat();
    vault.feed(&others, own).refused(1, "malformed");
    assert_eq!(vault.feed(&amend, own).json()["version"], 2);
    vault.verified();
}

#[test]
fn the_child_of_a_childs_case_is_the_client_and_is_named_where_two_files_get_the_note() {
    let vault = Vault::made();
    let open = |template: &str, name: &str| {
        let profile = json!({ "name": name }).to_string();
        let arguments = ["case", "open", "--template", template, "--file", "-"];
        vault.feed(&arguments, profile.as_bytes()).handle()
    };
    let (ada, bo) = (
        open("child-and-family", "Ada Brisk"),
        open("child-and-family", "Bo Brisk"),
    );
    let adult = open("adult-social-care", "Cy Brisk");
    let words = b"said child: \"I am cold.\"\n";
    for case in [&ada, &adult] {
        vault
            .feed(&["note", "add", case, "--kind", "phone", "--file", "-"], words)
            .done();
        let brief = vault.json(&["case", "show", case, "--brief"]);
        let own = if *case == ada { 1 } else { 0 };
        assert_eq!(brief["quotes"].as_array().unwrap().len(), own, "{brief}");
        let listed = vault.json(&["note", "list", case]);
        assert_eq!(listed["days_since_quoted"].is_null(), own == 0, "{listed}");
    }
    // In a note of two children it would be another one in each file; in a parent's and a child's too.
    for also in [&bo, &adult] {
        let add = [
            "note", "add", &ada, "--also", also, "--kind", "phone", "--file", "-", "--json",
        ];
        let error = vault.feed(&add, words).refused(1, "malformed");
        assert!(error["message"].as_str().unwrap().contains("`child`"), "{error}");
    }
    let add = [
        "note", "add", &ada, "--also", &bo, "--kind", "phone", "--file", "-", "--json",
    ];
    let named = b"said Bo Brisk: \"So am I.\"\n";
    let note = vault.feed(&add, named).json()["note"].as_str().unwrap().to_owned();
    for (case, quotes) in [(&ada, 1), (&bo, 1)] {
        let brief = vault.json(&["case", "show", case, "--brief"]);
        assert_eq!(brief["quotes"].as_array().unwrap().len(), quotes, "{case}: {brief}");
    }
    assert!(!vault.json(&["note", "list", &bo])["days_since_quoted"].is_null());
    let others = ["note", "amend", &note, "--others", "--file", "-", "--json"];
    vault.feed(&others, words).refused(1, "malformed");
}

#[test]
fn what_one_file_says_already_still_goes_to_the_others() {
    let vault = Vault::made();
    let (ada, bo) = (vault.open_case("Ada Brisk"), vault.open_case("Bo Brisk"));
    let add = [
        "note", "add", &ada, "--also", &bo, "--kind", "phone", "--file", "-", "--json",
    ];
    let text = b"obs: Both were there.\n\nplan: Ring the landlord.\n  owner: me\n  due: today\n";
    let note = vault.feed(&add, text).json()["note"].as_str().unwrap().to_owned();
    let step = format!("{note}:2");

    let done = ["plan", "done", &step, "--file", "-"];
    vault.feed(&done, b"He comes.").done();
    assert_eq!(vault.json(&["plan", "list"])["total"], 1);
    // Another day or another outcome is not what was said.
    vault
        .feed(
            &["plan", "done", &step, "--others", "--json", "--file", "-"],
            b"He does not.",
        )
        .refused(6, "conflict");
    let reply = vault.json(&["plan", "done", &step, "--others"]);
    assert_eq!(
        (&reply["changed"], &reply["others"][0]["saved"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(vault.json(&["plan", "list"])["total"], 0);
    let other = reply["others"][0]["note"].as_str().unwrap().to_owned();
    let theirs = vault.json(&["note", "show", &other]);
    assert_eq!(theirs["segments"][1]["outcome"], "He comes.", "{theirs}");
    // Said of all of them: there is nothing left to say.
    vault
        .run(&["plan", "done", &step, "--others", "--json"])
        .refused(6, "conflict");
    let undone = vault.json(&["plan", "done", &step, "--others", "--undo"]);
    assert_eq!(
        (&undone["changed"], &undone["others"][0]["saved"]),
        (&json!(true), &json!(true))
    );

    // Amended in one; then its text goes to the other, by a file and out of an editor in which nothing is changed.
    let amended = b"obs: Both were at home.\n";
    vault.feed(&["note", "amend", &note, "--file", "-"], amended).done();
    let by_file = vault.copied();
    let reply = by_file
        .feed(&["note", "amend", &note, "--others", "--file", "-"], amended)
        .done();
    assert_eq!(
        reply.stdout,
        format!("saved in other cases, nothing to change in {note}\n")
    );
    assert!(
        reply.stderr.contains(&format!("and {other} in case {bo}")),
        "{}",
        reply.stderr
    );
    let reply = by_file
        .feed(&["note", "amend", &note, "--others", "--file", "-"], amended)
        .done();
    assert_eq!(reply.stdout, format!("nothing changed in {note}\n"));
    assert!(!reply.stderr.contains("--others"), "{}", reply.stderr);
    let amend = format!("note amend {note} --others");
    if let Some(terminal) = with_editor(&vault, &amend, "true") {
        let (code, screen) = terminal.end();
        assert!(code == 0 && screen.contains("saved in other cases"), "{code} {screen}");
        let terminal = with_editor(&vault, &format!("note amend {note}"), "true").unwrap();
        let (code, screen) = terminal.end();
        assert!(code == 1 && screen.contains("nothing was changed"), "{code} {screen}");
    }
    let theirs = vault.json(&["note", "show", &other]);
    assert_eq!(theirs["segments"][0]["text"], "Both were at home.", "{theirs}");
    vault.verified();
}

#[test]
fn a_mark_or_field_in_a_pasted_letter_is_pointed_out_and_a_backup_is_called_one() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let add = ["note", "add", &case, "--kind", "phone", "--file", "-"];
    let text =
        "rep daughter: She wrote:\nplease read\nplan: the builder comes\n  done: today\n\nrep son: No.\ndone: never\n";
    let told = vault.feed(&add, text.as_bytes()).done();
    for wanted in [
        "look again: line 3: `plan` ended the text above it, of kind reported",
        "look again: line 7: `done:` is only text there",
    ] {
        assert!(told.stderr.contains(wanted), "{}", told.stderr);
    }
    let meant = vault.feed(&add, b"rep son: No.\nint: He is tired. [1]\n").done();
    assert!(!meant.stderr.contains("look again"), "{}", meant.stderr);
    // Under a heading of plans a paragraph is one.
    let visit = ["note", "add", &case, "--kind", "home-visit", "--file", "-"];
    let meant = vault
        .feed(&visit, b"## Plans\nRing him.\n  owner: me\n  due: today\n")
        .done();
    assert!(!meant.stderr.contains("look again"), "{}", meant.stderr);

    let out = vault.around.join("a.backup");
    vault.run(&["backup", "create", "--out", out.to_str().unwrap()]).done();
    let hidden = vault
        .feed(&["note", "misfiled", &told.handle(), "--file", "-"], b"Wrong file.")
        .done();
    assert!(
        hidden.stdout.contains("backup (sealed, the whole vault)"),
        "{}",
        hidden.stdout
    );
    assert!(!hidden.stdout.contains("export"), "{}", hidden.stdout);
}

#[test]
fn two_clients_of_one_name_are_told_apart_wherever_they_are_listed() {
    let vault = Vault::made();
    let cases = ["Ada Brisk", "ADA  brisk", "Ada Brisk", "Bo Brisk"].map(|name| vault.open_case(name));
    for case in &cases {
        let text = "plan: Ring.\n  owner: me\n  due: today\n\ndec: Stop.\n";
        vault
            .feed(
                &["note", "add", case, "--kind", "phone", "--file", "-"],
                text.as_bytes(),
            )
            .done();
    }
    vault.run(&["case", "close", &cases[2], "--yes"]).done();
    for list in [&["plan", "list"][..], &["today"]] {
        let text = vault.run(list).done().stdout;
        for case in &cases[..2] {
            assert!(text.contains(case.as_str()), "{text}");
        }
        assert!(!text.contains(&cases[3]) && text.contains("Bo Brisk"), "{text}");
    }
    let steps = vault.json(&["plan", "list"])["steps"].as_array().unwrap().clone();
    let doubled = steps.iter().filter(|step| step["same_name"] == true);
    assert_eq!((steps.len(), doubled.count()), (3, 2));

    let Some(mut terminal) = on_terminal(&vault, "case show") else {
        return;
    };
    terminal.wait_for("Who: ").keys("ada\n");
    terminal.wait_for(&format!("Ada Brisk  {}, opened", cases[0]));
    terminal.wait_for(&format!("ADA  brisk  {}, opened", cases[1]));
    terminal.wait_for("not offered, because closed:").wait_for(&cases[2]);
    terminal.wait_for("Which").keys("1\n");
    terminal.wait_for(&format!("closed case is called so too: {}", cases[2]));
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn a_visit_that_is_saved_twice_is_told_of() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let add = [
        "note",
        "add",
        &case,
        "--kind",
        "home-visit",
        "--at",
        "2026-03-10 14:00",
        "--file",
        "-",
        "--json",
    ];
    let text = b"obs: The hall is cold.\n\nint: She is tired. [1]\n";
    let first = vault.feed(&add, text).json();
    assert_eq!(first["same_as"], json!(null));
    let second = vault.feed(&add, text).json();
    assert_eq!(second["same_as"], first["note"]);
    // Another hour, another kind or another word is another note; so is the one that was taken back.
    for (at, kind, text) in [
        (
            "2026-03-10 15:00",
            "home-visit",
            "obs: The hall is cold.\n\nint: She is tired. [1]\n",
        ),
        (
            "2026-03-10 14:00",
            "phone",
            "obs: The hall is cold.\n\nint: She is tired. [1]\n",
        ),
        (
            "2026-03-10 14:00",
            "home-visit",
            "obs: The hall is colder.\n\nint: She is tired. [1]\n",
        ),
    ] {
        let add = [
            "note", "add", &case, "--kind", kind, "--at", at, "--file", "-", "--json",
        ];
        assert_eq!(
            vault.feed(&add, text.as_bytes()).json()["same_as"],
            json!(null),
            "{at} {kind} {text}"
        );
    }
    let other = vault.open_case("Bo Brisk");
    let add = [
        "note",
        "add",
        &other,
        "--kind",
        "home-visit",
        "--at",
        "2026-03-10 14:00",
        "--file",
        "-",
        "--json",
    ];
    let alone = vault.feed(&add, text).json();
    assert_eq!(alone["same_as"], json!(null));
    vault.run(&["note", "withdraw", alone["note"].as_str().unwrap()]).done();
    assert_eq!(vault.feed(&add, text).json()["same_as"], json!(null));
    vault.verified();
}

#[test]
fn what_is_missing_is_asked_for_and_what_cannot_be_is_refused_first() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    vault
        .feed(&["case", "open", "--file", "-", "--json"], b"{\"name\":\"B\"}")
        .refused(2, "needs-flag");
    let jot = vault.feed(&["note", "jot", "--file", "-"], b"She rang.").handle();
    let expand = ["note", "expand", &jot, "--kind", "phone", "--file", "-", "--json"];
    vault.feed(&expand, b"obs: She rang.\n").refused(6, "conflict");

    // A folder that is in use is refused before a passphrase is asked for: none is given, and there is no terminal.
    let backup = vault.around.join("a.backup");
    vault
        .run(&["backup", "create", "--out", backup.to_str().unwrap()])
        .done();
    let backup = backup.to_str().unwrap();
    let cards = vault.around.join("cards");
    vault
        .run(&["recovery", "split", "--out-dir", cards.to_str().unwrap(), "--yes"])
        .done();
    let named = |n: u32| cards.join(format!("card-{n}-of-3.txt")).display().to_string();
    let both = format!("{},{}", named(1), named(2));
    for arguments in [
        &["backup", "restore", backup, "--json"][..],
        &["recovery", "restore", "--cards", &both, "--backup", backup, "--json"],
    ] {
        let mut command = vault.command(arguments);
        command.env_remove("CASEVAULT_PASSPHRASE_FILE");
        let refused = casevault_e2e::vault::Done::of(command.output().unwrap());
        refused.refused(1, "already-initialised");
    }
    let page = Vault::unmade().run(&[]).done().stdout;
    assert!(page.contains("casevault recovery restore --cards"), "{page}");

    let Some(mut terminal) = on_terminal(&vault, "case open") else {
        return;
    };
    terminal
        .wait_for("child-and-family")
        .wait_for("[adult-social-care]: ")
        .keys("3\n");
    terminal.wait_for("[adult-social-care]: ").keys("2\n");
    // What a child's case needs is asked, and shown.
    terminal.wait_for("Name: ").keys("Cy Brisk\n");
    for (question, answer) in [
        ("Date of birth", ""),
        ("Gender: ", ""),
        ("Language: ", ""),
        ("Communication needs", ""),
        ("Who has parental responsibility: ", "Ada Brisk, alone"),
        ("Who lives in the household: ", "Ada, Cy"),
        ("School or nursery: ", "Mill Lane Primary"),
        ("Contact restrictions", ""),
        ("Danger to workers: ", ""),
    ] {
        terminal.wait_for(question).keys(&format!("{answer}\n"));
    }
    terminal.wait_for("Open it?").keys("\n");
    terminal.wait_for("template child-and-family version");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let opened = screen.split_whitespace().find(|word| word.starts_with("c-")).unwrap();
    let shown = vault.run(&["case", "show", opened]).done().stdout;
    for known in [
        "parental responsibility: Ada Brisk, alone",
        "household: Ada, Cy",
        "school: Mill Lane Primary",
    ] {
        assert!(shown.contains(known), "{shown}");
    }
    let template = vault.run(&["template", "show", "child-and-family"]).done().stdout;
    for field in ["* danger_to_workers: ", "* parental_responsibility: ", "  triggers: "] {
        assert!(template.contains(field), "{template}");
    }
    let mut terminal = with_editor(&vault, &format!("note expand {jot}"), "true").unwrap();
    terminal.wait_for("names no case").wait_for("Who: ").keys("ada\n");
    terminal.wait_for(&format!("Ada Brisk  {case}"));
    terminal.wait_for("Kind (number or name)").keys("phone\n");
    terminal.wait_for("File the jot as it is? [y/N] ").keys("n\n");
    terminal.end();
}

#[test]
fn the_editor_shows_the_numbers_by_which_segments_are_cited() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let note = vault.add_note(
        &case,
        "obs: Cold.\n\nint: She is tired. [1]\n\nplan: Ring.\n  owner: me\n",
    );
    // An editor that shows the file, and leaves it as it is.
    let Some(mut terminal) = with_editor(&vault, &format!("note amend {note}"), "cat") else {
        return;
    };
    terminal
        .wait_for("#! [1]")
        .wait_for("obs: Cold.")
        .wait_for("#! [2]")
        .wait_for("#! [3]")
        .wait_for("plan: Ring.");
    let (code, screen) = terminal.end();
    assert!(code == 1 && screen.contains("nothing was changed"), "{code} {screen}");
}

#[test]
fn handles_kinds_and_templates_are_taken_as_they_are_typed() {
    let vault = Vault::made();
    let open = |template: &str| {
        let arguments = ["case", "open", "--template", template, "--file", "-", "--json"];
        vault.feed(&arguments, b"{\"name\": \"Ada Brisk\"}")
    };
    let opened = open("Adult").json();
    assert_eq!(opened["template"], "adult-social-care");
    // Two begin so.
    open("co").refused(1, "not-found");
    let case = opened["case"].as_str().unwrap().to_uppercase();
    let add = ["note", "add", &case, "--kind", "Home-Visit", "--file", "-", "--json"];
    let note = vault.feed(&add, b"plan: Ring.\n  owner: me\n").json();
    let note = note["note"].as_str().unwrap().to_uppercase();
    assert_eq!(vault.json(&["note", "show", &note])["kind"], "home-visit");
    assert_eq!(vault.json(&["case", "show", &case[..6]])["label"], "Ada Brisk");
    vault.run(&["plan", "done", &format!("{note}:1")]).done();
}

#[test]
fn a_call_that_was_cut_off_is_told_of_by_the_next() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let Some(mut terminal) = on_terminal(&vault, &format!("call {case}")) else {
        return;
    };
    terminal.wait_for("Type the note").keys("rep client: The boiler\n");
    let drafts = || vault.json(&["note", "draft"])["drafts"].as_array().unwrap().len();
    casevault_e2e::terminal::until("a draft", || drafts() == 1);
    let (code, screen) = {
        terminal.keys("\u{3}");
        terminal.end()
    };
    assert_eq!(code, 130, "{screen}");
    assert!(screen.contains("kept, sealed, as draft j-"), "{screen}");
    let mut next = on_terminal(&vault, &format!("call {case}")).unwrap();
    next.wait_for("there is a draft j-")
        .wait_for("Type the note")
        .keys("\u{4}");
    next.end();
    assert_eq!(drafts(), 1);
}
