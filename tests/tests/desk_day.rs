//! A day at the desk: what a caseworker did without thinking of the program, and what became of it.

use casevault_e2e::terminal::on_terminal;
use casevault_e2e::terminal::until;
use casevault_e2e::terminal::with_editor;
use casevault_e2e::vault::Vault;
use serde_json::json;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

#[test]
fn a_note_hidden_before_anybody_knew_whose_it_is_is_put_into_the_right_file_later_and_once() {
    let vault = Vault::made();
    let (wrong, right) = (vault.open_case("Elin Farrow"), vault.open_case("Tam Brisk"));
    let note = vault.add_note(
        &wrong,
        "at: 2026-03-12 14:00\n\nobs: The walrus rests. {section health}\n",
    );
    let scan = vault.around.join("scan.pdf");
    std::fs::write(&scan, b"scan").unwrap();
    vault.run(&["note", "attach", &note, scan.to_str().unwrap()]).done();
    let hidden = vault
        .feed(&["note", "misfiled", &note, "--file", "-"], b"whose is it?\n")
        .done()
        .stdout;
    assert!(
        hidden.contains(&format!(
            "{note} stands in no file now: `casevault note misfiled {note} --to CASE`"
        )),
        "{hidden}"
    );
    let refile = ["note", "misfiled", &note, "--to", &right, "--json"];
    let answered = vault.copied();

    // No reason is asked for again: it has one.
    let done = vault.run(&refile).json();
    let refiled = done["refiled"].as_str().unwrap().to_owned();
    assert_eq!(
        (&done["to"], &done["attachments"]),
        (&json!(right), &json!(1)),
        "{done}"
    );
    let shown = vault.json(&["note", "show", &refiled]);
    assert_eq!(shown["segments"][0]["text"], "The walrus rests.");
    assert!(
        shown["occurred_at"].as_str().unwrap().starts_with("2026-03-12T14:00"),
        "{shown}"
    );
    let question = &vault.json(&["note", "misfiled", "--list"])["questions"][0];
    assert_eq!(
        (&question["reason"], &question["refiled"]),
        (&json!("whose is it?"), &json!(refiled))
    );
    vault.run(&refile).refused(1, "misfiled");
    vault.verified();

    // The answer to the question closes the way no more than the hiding does.
    let answer = ["note", "misfiled", &note, "--answer", "--file", "-"];
    let told = answered.feed(&answer, b"no breach\n").done().stdout;
    assert!(told.contains("stands in no file now"), "{told}");
    answered.verified();
    // Its last words are shown still, though the version before the answer had none either.
    let shown = answered.run(&["note", "show", &note, "--misfiled"]).done().stdout;
    assert!(shown.contains("The walrus rests."), "{shown}");
    let done = answered.run(&refile).json();
    assert!(
        done["breach_question"].as_str().unwrap().contains("answered already"),
        "{done}"
    );
    assert_eq!(answered.json(&["note", "misfiled", "--list"])["questions"], json!([]));
    answered.run(&refile).refused(1, "misfiled");
    answered.verified();
    // Of a note that is not hidden the reason is still needed.
    let other = vault.add_note(&wrong, "obs: Two.\n");
    vault
        .run(&["note", "misfiled", &other, "--to", &right, "--json"])
        .refused(2, "needs-flag");
}

#[test]
fn before_the_reason_is_asked_for_the_note_is_shown() {
    let vault = Vault::made();
    let wrong = vault.open_case("Elin Farrow");
    let note = vault.add_note(&wrong, "obs: The walrus rests.\n");
    let Some(mut terminal) = on_terminal(&vault, &format!("note misfiled {note}")) else {
        return;
    };
    terminal.wait_for("The walrus rests.").wait_for("Why is it misfiled?");
    terminal.keys("whose is it?\n");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn what_an_amendment_leaves_out_is_named_and_without_an_editor_it_is_said_before() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(
        &case,
        "obs: The kitchen was cold.\n\nsaid client: I sold the piano.\n\ndec: Ring the landlord.\n  why: it is March\n\nplan: \
         Write to him.\n  owner: me\n  due: 2099-01-05\n",
    );
    let amend = ["note", "amend", &note, "--file", "-"];
    let by_file = vault.copied();
    let told = by_file.feed(&amend, b"obs: The kitchen was warm.\n").done().stderr;
    for what in [
        "the quote `I sold the piano.` is not in the note any more",
        "the decision `Ring the landlord.` is not in the note any more",
        "the step `Write to him.` is not in the note any more",
    ] {
        assert!(told.contains(what), "{told}");
    }
    let reply = vault
        .copied()
        .feed(
            &[&amend[..], &["--json"]].concat(),
            b"obs: Cold.\n\nsaid client: I sold it.\n\ndec: Ring the landlord.\n  why: it is March\n",
        )
        .json();
    assert_eq!(
        reply["struck"],
        json!([{"segment": 4, "kind": "plan", "text": "Write to him."}]),
        "what is put into other words is there"
    );
    let Some(mut terminal) = on_terminal(&vault, &format!("note amend {note}")) else {
        return;
    };
    terminal.wait_for("I sold the piano.").wait_for("REPLACES");
    terminal.keys("obs: The kitchen was warm.\n\u{4}");
    terminal.wait_for("is not in the note any more");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn how_a_child_was_seen_alone_is_no_reason_why_it_was_not() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let add = ["note", "add", &case, "--file", "-", "--json"];
    let refused = vault.feed(&add, b"seen-alone: yes, ten minutes in the kitchen\n\nobs: Calm.\n");
    let refused = refused.refused(1, "malformed");
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("ten minutes in the kitchen") && message.contains("`obs:`"),
        "{refused}"
    );

    let note = vault.add_note(&case, "seen-alone: no, her aunt stayed\n\nobs: Calm.\n");
    let shown = vault.json(&["note", "show", &note]);
    assert_eq!(
        (&shown["seen_alone"], &shown["seen_alone_why_not"]),
        (&json!(false), &json!("her aunt stayed"))
    );
    let amend = ["note", "amend", &note, "--file", "-"];
    vault.feed(&amend, b"seen-alone: yes\n\nobs: Calm.\n").done();
    let shown = vault.json(&["note", "show", &note]);
    assert_eq!(
        (&shown["seen_alone"], &shown["seen_alone_why_not"]),
        (&json!(true), &serde_json::Value::Null)
    );
}

#[test]
fn a_note_finished_from_a_draft_is_of_when_it_was_begun() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let Some(mut terminal) = on_terminal(&vault, &format!("call {case}")) else {
        return;
    };
    terminal.wait_for("Type the note").keys("rep client: The boiler.\n");
    let drafts = || vault.json(&["note", "draft"])["drafts"].clone();
    until("a draft", || !drafts().as_array().unwrap().is_empty());
    terminal.keys("\u{3}");
    terminal.end();
    let draft = drafts()[0].clone();
    let (handle, began) = (draft["draft"].as_str().unwrap(), draft["began_at"].as_str().unwrap());
    // The finishing has a second of its own.
    let seconds = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let before = seconds();
    until("the next second", || seconds() > before);
    let second = |at: &str| at.get(..19).unwrap().to_owned();
    let late = format!("note add {case} --draft {handle}");
    let mut terminal = on_terminal(&vault, &late).unwrap();
    terminal
        .wait_for("Go on from here")
        .keys("obs: She sounded tired.\n\u{4}");
    assert_eq!(terminal.end().0, 0);
    let note = vault.json(&["note", "list", &case])["notes"][0].clone();
    assert_eq!(second(note["occurred_at"].as_str().unwrap()), second(began), "{note}");
    assert_ne!(second(note["recorded_at"].as_str().unwrap()), second(began), "{note}");
}

#[test]
fn a_visit_to_a_child_says_whether_it_was_seen() {
    let vault = Vault::made();
    let open = ["case", "open", "--template", "child-and-family", "--file", "-"];
    let case = vault.feed(&open, br#"{"name":"Tam Brisk"}"#).handle();
    let add = |at: &str, text: &str| {
        let args = [
            "note",
            "add",
            &case,
            "--kind",
            "home-visit",
            "--at",
            at,
            "--file",
            "-",
            "--json",
        ];
        vault.feed(&args, text.as_bytes()).json()
    };
    let asked = json!(["not said whether the child was seen (seen:)"]);
    let said = add("2026-01-05 14:00", "seen-alone: yes\n\nobs: Calm.\n");
    assert_eq!(said["incomplete"], json!([]));
    let seen = add("2026-01-06 14:00", "seen: yes\n\nobs: Calm.\n")["note"].clone();
    let nobody = add("2026-01-07 14:00", "seen: no\n\nobs: Nobody opened.\n");
    assert_eq!(nobody["incomplete"], json!([]));
    let ahead = add("2199-01-07 14:00", "obs: To come.\n");
    assert_eq!(ahead["incomplete"], json!([]));

    let brief = vault.json(&["case", "show", &case, "--brief"]);
    assert_eq!(brief["last_contact"]["note"], seen, "{brief}");
    assert_eq!(brief["last_seen"]["note"], seen, "{brief}");
    assert_eq!(brief["last_seen_alone"]["note"], said["note"], "{brief}");
    let text = vault.run(&["case", "show", &case, "--brief"]).done().stdout;
    assert!(text.contains("  last seen alone: 2026-01-05 14:00"), "{text}");

    let unsaid = add("2026-01-08 14:00", "obs: The door was open.\n");
    assert_eq!(unsaid["incomplete"], asked);
    let note = unsaid["note"].as_str().unwrap();
    assert_eq!(vault.json(&["note", "show", note])["incomplete"], asked);
    let listed = vault.json(&["note", "list", &case, "--incomplete"]);
    assert_eq!(listed["notes"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["notes"][0]["incomplete"], asked);
    let today = vault.json(&["today"]);
    assert_eq!(today["incomplete"]["rows"][0]["incomplete"], asked, "{today}");
    // A call asks for nothing, nor does the file of a grown person.
    let grown = vault.open_case("Elin Farrow");
    let visit = ["note", "add", &grown, "--kind", "home-visit", "--file", "-", "--json"];
    assert_eq!(vault.feed(&visit, b"obs: Calm.\n").json()["incomplete"], json!([]));

    // The editor asks for it, and what is left empty says nothing.
    let kept = vault.around.join("shown.txt");
    let script = vault.around.join("editor.sh");
    std::fs::write(
        &script,
        format!("#!/bin/sh\nfor file; do :; done\ncp \"$file\" {}\n", kept.display()),
    )
    .unwrap();
    let editor = format!("sh {}", script.display());
    let Some(terminal) = with_editor(&vault, &format!("note add {case} --kind home-visit"), &editor) else {
        return;
    };
    terminal.end();
    let shown = std::fs::read_to_string(kept).unwrap();
    assert!(shown.contains("\nkind: home-visit\nseen:\nseen-alone:\n\n"), "{shown}");
}
