//! What a worker met at her desk: nothing that she wrote is lost or left to the shell, and what is odd is said.

use casevault_e2e::terminal::kill_9;
use casevault_e2e::terminal::on_terminal;
use casevault_e2e::terminal::until;
use casevault_e2e::terminal::which;
use casevault_e2e::terminal::with_editor;
use casevault_e2e::vault::Vault;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::process::Command;

const END: &str = "\u{4}";

/// An editor that does what it is told, with the note's file in `$file`.
fn editor_that(apart: &Path, does: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = apart.join("editor.sh");
    std::fs::write(&path, format!("#!/bin/sh\nfor file; do :; done\n{does}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

fn texts(vault: &Vault, note: &str) -> Vec<String> {
    let shown = vault.json(&["note", "show", note]);
    let segments = shown["segments"].as_array().unwrap();
    segments
        .iter()
        .map(|s| s["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_amendment_of_an_older_version_is_refused_where_it_says_so_and_told_where_it_does_not() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let first = "place: at home\n\nobs: The kitchen was cold.\n";
    let note = vault.add_note(&case, first);
    let amend = ["note", "amend", &note, "--file", "-"];
    let second = b"place: at the office\n\nobs: The kitchen was cold.\n\nobs: The window was broken.\n";
    vault.feed(&[&amend[..], &["--of", "1"]].concat(), second).done();

    // Out of the first text, which somebody has beside her: what came since is not undone unseen.
    let old = "place: at home\n\nobs: The kitchen was cold.\n\nobs: She had a cough.\n".as_bytes();
    let refused = vault.feed(&[&amend[..], &["--of", "1", "--json"]].concat(), old);
    let refused = refused.refused(6, "newer-version");
    assert!(refused["message"].as_str().unwrap().contains("version 2"), "{refused}");
    assert_eq!(vault.json(&["note", "show", &note])["version"], 2);
    let unknown = vault.feed(&[&amend[..], &["--of", "9", "--json"]].concat(), old);
    let unknown = unknown.refused(1, "not-found");
    assert_eq!(
        unknown["message"],
        format!("note {note} has no version 9: its newest is 2")
    );
    // Without a word of the version it is told, with what it takes back.
    let told = vault.copied().feed(&amend, old).done().stderr;
    assert!(
        told.contains(
            "this takes back what version 2 did: 1 segment that came with it is gone; `place` is what it was before"
        ),
        "{told}"
    );
    assert!(told.contains("--of VERSION"), "{told}");
    let reply = vault.feed(&[&amend[..], &["--json"]].concat(), old).json();
    assert_eq!(
        reply["undoes"],
        json!({"versions": [2], "gone": 1, "back": 0, "fields": ["place"]})
    );
    // What takes nothing back says nothing.
    let more = b"place: at home\n\nobs: The kitchen was cold.\n\nobs: She had a cough.\n\nact: Rang the doctor.\n";
    let reply = vault.feed(&[&amend[..], &["--json"]].concat(), more).json();
    assert_eq!(reply["undoes"], Value::Null);
    vault
        .feed(&[&amend[..4], &["--of", "1", "--json"]].concat(), b"")
        .refused(2, "usage");
    vault.verified();
}

#[test]
fn a_step_that_was_done_and_is_amended_away_is_named() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, "plan: Ring the landlord.\n\nplan: Write to the council.\n");
    vault.run(&["plan", "done", &format!("{note}:1")]).done();
    let amend = ["note", "amend", &note, "--file", "-", "--json"];
    let reply = vault.copied().feed(&amend, b"plan: Write to the council.\n").json();
    assert_eq!(
        (&reply["struck_done"], &reply["undone"]),
        (&json!(["Ring the landlord."]), &Value::Null)
    );
    let said = vault.feed(&amend[..5], b"plan: Write to the council.\n").done().stderr;
    assert!(
        said.contains("the step `Ring the landlord.`, which was done, is not in the note any more"),
        "{said}"
    );
}

#[test]
fn an_editor_that_was_killed_is_named_with_its_signal_and_the_draft_with_how_to_go_on() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let apart = tempfile::tempdir().unwrap();
    let amends = format!("note add {case} --kind phone");
    // Something was saved in it.
    let editor = editor_that(
        apart.path(),
        "printf 'obs: The parrot sings.\\n' > \"$file\"; kill -TERM $$",
    );
    let Some(terminal) = with_editor(&vault, &amends, &editor) else {
        return;
    };
    let (code, screen) = terminal.end();
    assert_eq!(code, 1, "{screen}");
    assert!(
        screen.contains("editor.sh` was ended by signal 15 (SIGTERM)"),
        "{screen}"
    );
    assert!(screen.contains("kept, sealed, as draft j-"), "{screen}");
    assert!(
        screen.contains(&format!("`casevault note add {case} --draft j-")),
        "{screen}"
    );
    // Nothing was: then there is nothing to go on with, and nothing is promised.
    let editor = editor_that(apart.path(), "kill -KILL $$");
    let (code, screen) = with_editor(&vault, &amends, &editor).unwrap().end();
    assert!(
        code == 1 && screen.contains("was ended by signal 9 (SIGKILL); nothing had been saved in it"),
        "{code} {screen}"
    );
    assert_eq!(vault.json(&["note", "draft"])["drafts"].as_array().unwrap().len(), 1);
    // The real one, as a shutdown ends it.
    if which("nano").is_none() {
        return;
    }
    let mut terminal = with_editor(&vault, &amends, "nano").unwrap();
    terminal.wait_for("GNU nano").keys("obs: The parrot sleeps.");
    terminal.wait_for("sleeps.");
    let casevault = terminal.process();
    let nano = || casevault_e2e::terminal::children(casevault);
    until("nano", || !nano().is_empty());
    let status = Command::new("kill").args(["-TERM", &nano()[0].to_string()]).status();
    assert!(status.unwrap().success());
    terminal
        .wait_for("the editor `nano`")
        .wait_for("kept, sealed, as draft j-");
    assert_eq!(terminal.end().0, 1);
    let drafts = vault.json(&["note", "draft"])["drafts"].to_string();
    assert!(drafts.contains("The parrot sleeps."), "{drafts}");
}

#[test]
fn whose_case_it_is_is_asked_until_somebody_is_found_or_the_worker_leaves() {
    let vault = Vault::made();
    let Some(terminal) = on_terminal(&vault, "call") else {
        return;
    };
    let (code, screen) = terminal.end();
    assert!(
        code == 1 && screen.contains("no case of your caseload is open"),
        "{code} {screen}"
    );
    let case = vault.open_case("Ada Brisk");
    vault.open_case("Bo Brisk");
    // Enter alone, again and again, and what was meant as the note.
    let mut terminal = on_terminal(&vault, "call").unwrap();
    terminal.wait_for("Who: ");
    for _ in 0..5 {
        terminal.keys("\n").wait_for("Which (number, or more of the name): ");
    }
    for line in [
        "She rang about the boiler.",
        "It has been out since Sunday.",
        "Ring the landlord.",
    ] {
        terminal
            .keys(&format!("{line}\n"))
            .wait_for("Ctrl-D leaves")
            .wait_for("Who: ");
    }
    terminal
        .keys("ada\n")
        .wait_for("Type the note")
        .keys("rep client: The boiler.\n")
        .keys(END);
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(
        vault.json(&["note", "list", &case])["notes"].as_array().unwrap().len(),
        1
    );
    // One that is not among those shown is found too.
    let mut terminal = on_terminal(&vault, "call").unwrap();
    terminal
        .wait_for("Who: ")
        .keys("brisk\n")
        .wait_for("Which")
        .keys("zz\n")
        .wait_for("Who: ");
    terminal.keys(END);
    let (code, screen) = terminal.end();
    assert!(code == 2 && screen.contains("there was no answer"), "{code} {screen}");
}

#[test]
fn a_due_day_that_is_gone_and_an_opinion_that_rests_on_itself_are_remarked() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let add = ["note", "add", &case, "--kind", "phone", "--file", "-"];
    let text = "plan: Ring the landlord.\n  owner: me\n  due: 2024-03-01\n\nint: She is tired. [2]\n\n\
                plan: Write.\n  owner: me\n  due: today\n";
    let saved = vault.feed(&add, text.as_bytes()).done();
    assert!(
        saved
            .stderr
            .contains("segment 1: the due date 2024-03-01 is in the past"),
        "{}",
        saved.stderr
    );
    assert!(
        saved
            .stderr
            .contains("incomplete: segment 2: opinion that rests on itself"),
        "{}",
        saved.stderr
    );
    assert!(!saved.stderr.contains("segment 3"), "{}", saved.stderr);
    // Said once: an amendment of something else does not say it again.
    let note = saved.handle();
    let amend = ["note", "amend", &note, "--file", "-", "--json"];
    let same = "plan: Ring the landlord.\n  owner: me\n  due: 2024-03-01\n\nobs: She coughed.\n";
    assert_eq!(vault.feed(&amend, same.as_bytes()).json()["doubts"], Value::Null);
    let other = "plan: Ring the landlord.\n  owner: me\n  due: 2024-03-02\n";
    assert_eq!(
        vault.feed(&amend, other.as_bytes()).json()["doubts"],
        json!(["segment 1: the due date 2024-03-02 is in the past"])
    );
}

#[test]
fn a_contact_that_is_still_to_come_is_called_so() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let add = ["note", "add", &case, "--kind", "home-visit", "--file", "-", "--at"];
    let saved = vault
        .feed(&[&add[..], &["tomorrow"]].concat(), b"obs: Bring the form.\n")
        .done();
    assert!(
        saved.stderr.contains("the time of the contact is in the future")
            && saved.stderr.contains("casevault today")
            && !saved.stderr.contains("lag")
            && !saved.stderr.contains("before it happened"),
        "{}",
        saved.stderr
    );
    let reply = vault.feed(
        &[&add[..], &["tomorrow 10:00", "--json"]].concat(),
        b"obs: And the photograph.\n",
    );
    let reply = reply.json();
    assert_eq!((&reply["ahead"], &reply["incomplete"]), (&json!(true), &json!([])));
    let listed = vault.json(&["note", "list", &case]);
    assert_eq!(listed["notes"][0]["incomplete"], json!([]), "{listed}");
    let past = vault
        .feed(&[&add[..], &["yesterday", "--json"]].concat(), b"obs: Cold.\n")
        .json();
    assert_eq!(past["ahead"], Value::Null);
}

#[test]
fn the_start_menu_asks_of_what_kind_a_note_is_and_offers_the_usual_one() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    for _ in 0..2 {
        vault.add_note(&case, "obs: She rang.\n");
    }
    vault.run(&["unlock"]).done();
    let apart = tempfile::tempdir().unwrap();
    let editor = editor_that(
        apart.path(),
        &format!(
            "cp \"$file\" {}; printf 'obs: She was out.\\n' > \"$file\"",
            apart.path().join("seen").display()
        ),
    );
    let kinds = || -> Vec<String> {
        let listed = vault.json(&["note", "list", &case]);
        let notes = listed["notes"].as_array().unwrap();
        notes
            .iter()
            .map(|note| note["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    for (answer, kind) in [("\n", "phone"), ("home\n", "home-visit")] {
        let Some(mut terminal) = with_editor(&vault, "", &editor) else {
            return;
        };
        terminal
            .wait_for("Who: ")
            .keys("ada\n")
            .wait_for("Enter leaves")
            .keys("n\n");
        terminal
            .wait_for("[phone]: ")
            .keys(answer)
            .wait_for("saved n-")
            .keys("\n");
        assert_eq!(terminal.end().0, 0);
        assert!(kinds().contains(&kind.to_owned()), "{:?}", kinds());
        assert_eq!(kinds().iter().filter(|kind| *kind == "other").count(), 0);
    }
    // The kind chose the template.
    let seen = std::fs::read_to_string(apart.path().join("seen")).unwrap();
    assert!(seen.contains("## Home conditions"), "{seen}");
}

const MAIL: &[u8] = b"From: Joan Harker <joan@example.org>\r\nTo: duty@example.net\r\nDate: Thu, 12 Mar 2026 09:05:00 +0000\r\n\
Subject: The boiler\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=edge\r\n\r\n--edge\r\nContent-Type: \
text/plain\r\n\r\nThe engineer comes on Monday.\r\n--edge\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; \
filename=letter.pdf\r\n\r\n%PDF\r\n--edge\r\nContent-Type: image/jpeg\r\nContent-Disposition: attachment; \
filename=boiler.jpg\r\n\r\nJPEG\r\n--edge--\r\n";

#[test]
fn what_hangs_on_a_mail_is_counted_and_how_to_file_it_said() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let saved = vault.feed(&["note", "add", &case, "--file", "-"], MAIL).done();
    assert!(
        saved
            .stderr
            .contains("the mail has 2 attachments, which were not filed: letter.pdf, boiler.jpg"),
        "{}",
        saved.stderr
    );
    assert!(
        saved.stderr.contains("casevault note attach NOTE FILE"),
        "{}",
        saved.stderr
    );
}

#[test]
fn a_step_of_several_files_is_marked_where_it_is_open_and_left_where_it_says_something_else() {
    let vault = Vault::made();
    let names = ["Ada Brisk", "Bo Brisk", "Cy Brisk"];
    let [ada, bo, cy] = names.map(|name| vault.open_case(name));
    let also = format!("{bo},{cy}");
    let add = [
        "note", "add", &ada, "--also", &also, "--kind", "phone", "--file", "-", "--json",
    ];
    let text = b"obs: All were there.\n\nplan: Ring the landlord.\n  owner: me\n\nplan: Write.\n  owner: me\n";
    let saved = vault.feed(&add, text).json();
    let note = saved["note"].as_str().unwrap();
    let twin = |at: usize| saved["others"][at]["note"].as_str().unwrap().to_owned();
    // One twin was done with another outcome; in the other the step moved.
    let theirs = format!("{}:2", twin(0));
    vault
        .feed(&["plan", "done", &theirs, "--file", "-"], b"He does not come.")
        .done();
    let moved = b"plan: Write.\n  owner: me\n\nplan: Ring the landlord.\n  owner: me\n";
    vault.feed(&["note", "amend", &twin(1), "--file", "-"], moved).done();
    let step = format!("{note}:2");
    let done = ["plan", "done", &step, "--others", "--file", "-"];
    let said = vault.copied().feed(&done, b"He comes.").done().stdout;
    assert!(
        said.contains(&format!("{} in case {bo} stays as it is", twin(0))),
        "{said}"
    );
    let reply = vault.feed(&[&done[..], &["--json"]].concat(), b"He comes.").json();
    let others = &reply["others"];
    assert_eq!(
        (&others[0]["differs"], &others[0]["saved"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(others[1]["saved"], true);
    let outcome = |note: &str, at: usize| vault.json(&["note", "show", note])["segments"][at]["outcome"].clone();
    assert_eq!(outcome(&twin(0), 1), "He does not come.");
    // The step of the same words, wherever it stands.
    assert_eq!(
        (outcome(&twin(1), 1), outcome(&twin(1), 0)),
        (json!("He comes."), Value::Null)
    );
    // Another outcome than this one has is refused, plainly.
    let refused = vault
        .feed(&[&done[..], &["--json"]].concat(), b"Nobody comes.")
        .refused(6, "conflict");
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .ends_with("already, with the outcome `He comes.`"),
        "{refused}"
    );
    assert!(
        refused["hint"].as_str().unwrap().contains("says the same of the notes"),
        "{refused}"
    );
    vault.verified();
}

#[test]
fn what_is_hidden_as_misfiled_is_not_sent_from_one_refusal_to_another() {
    let vault = Vault::made();
    let (wrong, right) = (vault.open_case("Ada Brisk"), vault.open_case("Bo Brisk"));
    let note = vault.add_note(&wrong, "obs: The kitchen was cold.\n");
    vault
        .feed(
            &["note", "misfiled", &note, "--to", &right, "--file", "-"],
            b"the wrong case",
        )
        .done();
    for refused in [
        vault.run(&["note", "withdraw", &note, "--json"]),
        vault.feed(&["note", "amend", &note, "--file", "-", "--json"], b"obs: x\n"),
    ] {
        let refused = refused.refused(1, "misfiled");
        let hint = refused["hint"].as_str().unwrap();
        assert!(hint.contains("neither amended nor withdrawn"), "{refused}");
        assert!(
            !hint.contains("`casevault note amend") && !hint.contains("`casevault note withdraw"),
            "{refused}"
        );
    }
    // What is too late to be withdrawn is amended, or hidden where it is in the wrong file.
    let late = vault.add_note(&wrong, "obs: One.\n");
    vault
        .feed(&["note", "amend", &late, "--file", "-"], b"obs: Two.\n")
        .done();
    let refused = vault.run(&["note", "withdraw", &late, "--json"]).refused(1, "too-late");
    let hint = refused["hint"].as_str().unwrap();
    assert!(
        hint.contains("note amend") && hint.contains("note misfiled"),
        "{refused}"
    );
}

#[test]
fn a_jot_that_was_opened_and_not_changed_still_waits_and_that_is_said() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let jot = vault
        .feed(&["note", "jot", &case, "--file", "-"], b"rang, no answer")
        .handle();
    // Saved as it was, as `:wq` does.
    let apart = tempfile::tempdir().unwrap();
    let editor = editor_that(apart.path(), "cp \"$file\" \"$file.new\"; mv \"$file.new\" \"$file\"");
    let Some(mut terminal) = with_editor(&vault, &format!("note expand {jot} --kind phone"), &editor) else {
        return;
    };
    terminal.wait_for("File the jot as it is?").keys("\n");
    let (code, screen) = terminal.end();
    assert!(
        code == 1 && screen.contains("nothing was filed, and the jot still waits"),
        "{code} {screen}"
    );
    assert_eq!(vault.json(&["note", "jot", "--list"])["jots"][0]["jot"], jot);
}

#[test]
fn a_number_that_a_note_does_not_have_is_said_of_that_note() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, "obs: One.\n");
    let refused = vault.run(&["note", "attach", &note, "--get", "9", "--out", "x", "--json"]);
    let refused = refused.refused(1, "not-found");
    assert_eq!(refused["message"], format!("note {note} has no attachment 9"));
    let refused = vault
        .run(&["note", "show", &note, "--as-of-version", "5", "--json"])
        .refused(1, "not-found");
    assert_eq!(
        refused["message"],
        format!("note {note} has no version 5: its newest is 1")
    );
}

#[test]
fn closing_on_a_terminal_asks_for_the_reason_by_the_codes_of_the_template() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let Some(mut terminal) = on_terminal(&vault, &format!("case close {case}")) else {
        return;
    };
    terminal
        .wait_for("the reason's code is asked next")
        .keys("She moved to her sister.\n");
    terminal
        .wait_for("goals-met  Support ended as planned")
        .wait_for("Reason (")
        .keys("moved\n");
    terminal
        .wait_for("one of the numbers or codes")
        .wait_for("Reason (")
        .keys("moved-away\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let line = vault
        .exported()
        .into_iter()
        .find(|line| line["type"] == "case")
        .unwrap();
    assert_eq!(
        (&line["closed"]["reason"], &line["closed"]["outcome"]),
        (&json!("moved-away"), &json!("She moved to her sister."))
    );
}

#[test]
fn a_first_name_that_two_people_have_is_remarked_by_whatever_files_it() {
    let vault = Vault::made();
    let case = vault.open_case("Callum Doran");
    let note = vault.add_note(&case, "said Callum Price: \"So do I.\"\n");
    let text = b"said Callum: \"We go out.\"\n";
    let jot = vault.feed(&["note", "jot", &case, "--file", "-"], b"rang").handle();
    for arguments in [
        ["note", "amend", &note, "--file", "-", "--json"],
        ["note", "expand", &jot, "--file", "-", "--json"],
    ] {
        let copy = vault.copied();
        // The other of that name is in a note that stays.
        copy.add_note(&case, "said Callum Price: \"And I.\"\n");
        let doubts = copy.feed(&arguments, text).json()["doubts"].to_string();
        assert!(
            doubts.contains("`said Callum:` may be the client or somebody else"),
            "{doubts}"
        );
    }
}

#[test]
fn a_draft_of_which_the_note_was_amended_since_is_listed_so() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, "obs: One.\n");
    let apart = tempfile::tempdir().unwrap();
    let editor = editor_that(apart.path(), "printf 'obs: Two.\\n' > \"$file\"; exit 3");
    let Some(terminal) = with_editor(&vault, &format!("note amend {note}"), &editor) else {
        return;
    };
    terminal.end();
    let drafts = || vault.json(&["note", "draft"])["drafts"].clone();
    assert_eq!(drafts()[0]["newer_version"], Value::Null);
    vault
        .feed(&["note", "amend", &note, "--file", "-"], b"obs: Three.\n")
        .done();
    assert_eq!(drafts()[0]["newer_version"], 2);
    let listed = vault.run(&["note", "draft"]).done().stdout;
    assert!(listed.contains("version 2 by now"), "{listed}");
}

#[test]
fn a_draft_where_there_is_no_editor_is_kept_and_it_is_said_how_to_choose_one() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let apart = tempfile::tempdir().unwrap();
    let editor = editor_that(apart.path(), "printf 'obs: Two.\\n' > \"$file\"; exit 3");
    let add = format!("note add {case} --kind phone");
    let Some(terminal) = with_editor(&vault, &add, &editor) else {
        return;
    };
    let (_, screen) = terminal.end();
    assert!(screen.contains("`EDITOR=nano` before the command"), "{screen}");
    let draft = vault.json(&["note", "draft"])["drafts"][0]["draft"]
        .as_str()
        .unwrap()
        .to_owned();
    let resume = format!("{add} --draft {draft}");
    // One that is not there.
    let (code, screen) = with_editor(&vault, &resume, "no-such-editor").unwrap().end();
    assert!(
        code == 1 && screen.contains("could not start the editor `no-such-editor`"),
        "{code} {screen}"
    );
    assert!(
        screen.contains(&format!("as draft {draft}")) && screen.contains("EDITOR=nano"),
        "{screen}"
    );
    // None is chosen: it is gone on with below, and how to change what is there is said.
    let mut terminal = on_terminal(&vault, &resume).unwrap();
    terminal
        .wait_for("no editor is chosen")
        .wait_for("EDITOR=nano")
        .wait_for("Type the note");
    kill_9(terminal.process());
    terminal.end();
    // And no terminal.
    let words: Vec<&str> = resume.split(' ').chain(["--json"]).collect();
    let refused = vault.run(&words).refused(2, "no-terminal");
    assert!(
        refused["hint"].as_str().unwrap().contains("the draft is kept"),
        "{refused}"
    );
    assert_eq!(vault.json(&["note", "draft"])["drafts"].as_array().unwrap().len(), 1);
}

#[test]
fn of_very_many_bad_lines_the_first_are_named_and_all_are_counted() {
    let vault = Vault::made();
    let mut lines = "{\"type\":\"rumour\"}\n".repeat(10_300);
    let long = "x".repeat(100_000);
    lines.insert_str(
        0,
        &format!("{{\"type\":\"note\",\"case\":\"{long}\",\"note\":\"n\",\"segments\":[]}}\n"),
    );
    let refused = vault.feed(&["import", "-", "--json"], lines.as_bytes());
    assert_eq!(refused.code, 1);
    let reply = refused.value();
    let named = reply["malformed"].as_array().unwrap();
    assert_eq!((named.len(), &reply["more_malformed"]), (10_000, &json!(301)));
    assert!(named.iter().all(|line| line["why"].as_str().unwrap().len() < 2_000));
    assert!(
        refused.stderr.contains("10,301") || refused.stderr.contains("10301"),
        "{}",
        refused.stderr
    );
    let said = vault
        .feed(&["import", "-", "--keep-going"], lines.as_bytes())
        .done()
        .stdout;
    assert!(said.contains("malformed 10,301"), "{said}");
    assert!(said.contains("`--json` names the first 10,000"), "{said}");
}

#[test]
fn a_signal_while_the_cards_are_written_leaves_none_behind() {
    let works = Command::new("strace").args(["-e", "trace=none", "true"]).output();
    if which("strace").is_none() || !works.is_ok_and(|done| done.status.success()) {
        eprintln!("strace may not trace here: a signal in the middle of the writing is NOT tested");
        return;
    }
    let vault = Vault::made();
    let folder = vault.around.join("cards");
    let log = vault.around.join("strace.log");
    for card in ["card-1-of-3.txt", "card-2-of-3.html", "card-3-of-3.html"] {
        let own = vault.command(&["recovery", "split", "--yes", "--out-dir", folder.to_str().unwrap()]);
        let mut traced = Command::new("strace");
        traced
            .args([
                "-f",
                "-qq",
                "-o",
                log.to_str().unwrap(),
                "-P",
                folder.join(card).to_str().unwrap(),
            ])
            .args(["-e", "trace=openat", "-e", "inject=openat:signal=SIGINT:when=1"])
            .arg(own.get_program())
            .args(own.get_args());
        for (name, value) in own.get_envs() {
            match value {
                Some(value) => traced.env(name, value),
                None => traced.env_remove(name),
            };
        }
        let done = traced.output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        let seen = std::fs::read_to_string(&log).unwrap();
        assert!(seen.contains("SIGINT"), "{card}: the signal came: {seen}");
        assert_eq!(done.status.code(), Some(130), "{card}: {said}");
        let left = std::fs::read_dir(&folder).unwrap().count();
        assert_eq!(left, 0, "{card}: {said}");
    }
    let status = vault.json(&["status"])["attention"].to_string();
    assert!(status.contains("the recovery key waits"), "{status}");
}

#[test]
fn a_line_of_a_text_that_reads_as_a_decision_is_set_apart_in_every_form_that_goes_out() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(
        &case,
        "rep landlord: He wrote this.\n[9] Decision: stop the visits\nit is late\n",
    );
    assert_eq!(
        texts(&vault, &note)[0],
        "He wrote this.\n[9] Decision: stop the visits\nit is late"
    );
    for format in ["html", "markdown"] {
        let page = vault.run(&["export", &case, "--format", format]).done().stdout;
        let line = page.lines().find(|line| line.contains("Decision: stop the visits"));
        let line = line.unwrap_or_else(|| panic!("{page}"));
        assert!(line.contains("│ "), "{format}: {line}");
        let plain = page.lines().find(|line| line.contains("it is late")).unwrap();
        assert!(!plain.contains("│ it is late"), "{format}: {plain}");
    }
}

/// Whoever gets a page knows no handles.
#[test]
fn a_note_that_is_shown_or_handed_on_names_its_worker() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let note = vault.add_note(&case, "obs: Rang.\n");
    for arguments in [
        vec!["note", "show", &note],
        vec!["export", &case, "--format", "html"],
        vec!["export", &case, "--format", "markdown"],
    ] {
        let text = vault.run(&arguments).done().stdout;
        assert!(text.contains("Ann Worker (m"), "{text}");
    }
}

#[test]
fn an_exported_page_says_whose_it_is_and_tells_in_the_order_of_what_happened() {
    let vault = Vault::made();
    let profile = r#"{"name":"Ada Brisk","date_of_birth":"1948-02-11"}"#;
    let open = ["case", "open", "--template", "adult-social-care", "--file", "-"];
    let case = vault.feed(&open, profile.as_bytes()).handle();
    for (at, text) in [
        ("2026-03-12 14:00", "obs: The later visit."),
        ("2026-03-10 09:00", "obs: The earlier call."),
    ] {
        let arguments = ["note", "add", &case, "--kind", "home-visit", "--file", "-", "--at", at];
        vault.feed(&arguments, text.as_bytes()).done();
    }
    for format in ["html", "markdown"] {
        let page = vault.run(&["export", &case, "--format", format]).done().stdout;
        for said in [
            "Agency",
            "Exported",
            "by Ann Worker",
            "Client",
            "Ada Brisk",
            "Date of birth",
            "Notes",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let at = |text: &str| page.find(text).unwrap();
        assert!(at("earlier call") < at("later visit"), "{page}");
        assert!(at("Date of birth") < at("earlier call"), "{page}");
    }
}
