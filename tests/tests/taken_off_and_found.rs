//! What was attached by mistake is taken off again, and what is looked for is found by its words.

use casevault_e2e::terminal::on_terminal;
use casevault_e2e::vault::Vault;
use serde_json::Value;
use serde_json::json;

fn attached(vault: &Vault, note: &str, name: &str, content: &[u8]) {
    let file = vault.around.join(name);
    std::fs::write(&file, content).unwrap();
    vault.run(&["note", "attach", note, file.to_str().unwrap()]).done();
}

#[test]
fn an_attachment_that_was_filed_by_mistake_is_taken_off_with_a_reason_and_nothing_of_it_is_destroyed() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(
        &case,
        "obs: The kitchen was cold. {section health}\n\npriv: I was in a hurry.\n",
    );
    attached(&vault, &note, "wrong.txt", b"of somebody else");
    attached(&vault, &note, "right.txt", b"hers");
    let remove = ["note", "attach", &note, "--remove", "1"];
    // A reason, and which, or nothing.
    vault.run(&[&remove[..], &["--json"]].concat()).refused(2, "needs-flag");
    vault
        .feed(&[&remove[..], &["--file", "-", "--json"]].concat(), b" \n")
        .refused(1, "malformed");
    let none = ["note", "attach", &note, "--remove", "3", "--file", "-", "--json"];
    vault.feed(&none, b"slip\n").refused(1, "not-found");

    let untouched = vault.copied();
    let done = vault
        .feed(
            &[&remove[..], &["--file", "-"]].concat(),
            b"the scan of another client\n",
        )
        .done();
    assert!(
        done.stdout
            .contains(&format!("took off attachment 1 of {note}: wrong.txt")),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains(&format!("version 2 of {note}")), "{}", done.stdout);
    vault.verified();
    // The list says it, with the reason; the number of the other stays; the note names the one that is left.
    let listed = vault.json(&["note", "attach", &note, "--list"])["attachments"].clone();
    assert_eq!(listed[0]["removed"]["reason"], "the scan of another client", "{listed}");
    assert_eq!(
        (&listed[1]["attachment"], &listed[1]["removed"]),
        (&json!(2), &Value::Null)
    );
    let shown = vault.json(&["note", "show", &note]);
    assert_eq!(shown["attachments"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(shown["attachments"][0]["name"], "right.txt");
    assert_eq!(shown["segments"].as_array().unwrap().len(), 2, "the words stay");
    let text = vault.run(&["note", "show", &note]).done().stdout;
    assert!(
        text.contains("Taken off") && text.contains("the scan of another client"),
        "{text}"
    );
    for format in ["html", "markdown"] {
        let page = vault.run(&["export", &case, "--format", format]).done().stdout;
        assert!(page.contains("right.txt") && !page.contains("wrong.txt"), "{page}");
    }
    // Its bytes are there for who asks for what was taken off.
    let out = vault.around.join("got.txt");
    let get = ["note", "attach", &note, "--get", "1", "--out", out.to_str().unwrap()];
    let refused = vault.run(&[&get[..], &["--json"]].concat()).refused(6, "conflict");
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("the scan of another client"),
        "{refused}"
    );
    vault.run(&[&get[..], &["--removed"]].concat()).done();
    assert_eq!(std::fs::read(&out).unwrap(), b"of somebody else");
    vault
        .feed(&[&remove[..], &["--file", "-", "--json"]].concat(), b"again\n")
        .refused(6, "conflict");
    // An amendment keeps it off, and to attach the same again is another attachment.
    vault
        .feed(
            &["note", "amend", &note, "--file", "-"],
            b"obs: The kitchen was warm.\n",
        )
        .done();
    assert_eq!(
        vault.json(&["note", "show", &note])["attachments"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    attached(&vault, &note, "wrong.txt", b"of somebody else");
    let again = vault.json(&["note", "attach", &note, "--list"])["attachments"].clone();
    assert_eq!(
        (again.as_array().unwrap().len(), &again[2]["removed"]),
        (3, &Value::Null),
        "{again}"
    );
    vault.verified();
    // What is put into the right file does not bring along what was taken off.
    let other = vault.open_case("Tam Brisk");
    let misfiled = ["note", "misfiled", &note, "--to", &other, "--file", "-", "--json"];
    let moved = vault.feed(&misfiled, b"wrong case\n").json();
    assert_eq!(moved["attachments"], 2, "{moved}");
    vault.verified();

    // On a terminal it is shown which it is, before the reason is asked for.
    let Some(mut terminal) = on_terminal(&untouched, &remove.join(" ")) else {
        return;
    };
    terminal
        .wait_for("wrong.txt")
        .wait_for("Why is it taken off?")
        .keys("another client's\n");
    assert_eq!(terminal.end().0, 0);
    untouched.verified();
}

#[test]
fn what_is_hidden_is_not_counted_among_what_was_searched() {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    vault.add_note(&case, "obs: The lamp is broken.\n");
    let slip = vault.add_note(&case, "obs: A lamp of somebody else.\n");
    let typo = vault.add_note(&case, "obs: A lmap.\n");
    let gone = vault.add_note(&case, "obs: Never mind the lamp.\n");
    vault
        .feed(
            &["note", "amend", &typo, "--file", "-"],
            b"obs: A lamp, switched off.\n",
        )
        .done();
    let searched = |flags: &[&str]| {
        let found = found(&vault, flags, "lamp\n");
        (found["searched"].as_u64().unwrap(), found["notes"].as_u64().unwrap())
    };
    assert_eq!(searched(&[]), (4, 4));
    vault
        .feed(&["note", "misfiled", &slip, "--file", "-"], b"the wrong file\n")
        .done();
    vault.run(&["note", "withdraw", &gone]).done();
    // As a process that reads all says it, and as an agent does that keeps the text.
    assert_eq!(searched(&[]), (2, 2));
    assert_eq!(searched(&[&case]), (2, 2));
    vault.run(&["unlock"]).done();
    assert_eq!(searched(&[]), (2, 2));
    let other = vault.add_note(&case, "obs: Another slip.\n");
    assert_eq!(searched(&[&case]), (3, 2));
    vault
        .feed(&["note", "misfiled", &other, "--file", "-"], b"the wrong file\n")
        .done();
    assert_eq!(searched(&[]), (2, 2));
    vault.run(&["lock"]).done();
}

fn found(vault: &Vault, flags: &[&str], words: &str) -> Value {
    let args = [&["note", "find", "--file", "-", "--json"], flags].concat();
    vault.feed(&args, words.as_bytes()).json()
}

#[test]
fn several_words_are_found_in_any_order_a_phrase_as_it_stands_and_nothing_found_says_what_was_searched() {
    let vault = Vault::made();
    let (elin, tam) = (vault.open_case("Elin Farrow"), vault.open_case("Tam Brisk"));
    let cold = vault.add_note(
        &elin,
        "obs: The boiler is cold.\n\nsaid client: It broke on Monday. {section health}\n",
    );
    let warm = vault.add_note(&tam, "obs: Cold outside, but the boiler is on.\n");
    let notes = |reply: &Value| {
        let hits = reply["hits"].as_array().unwrap();
        let mut notes: Vec<String> = hits
            .iter()
            .map(|hit| hit["note"].as_str().unwrap().to_owned())
            .collect();
        notes.sort();
        notes.dedup();
        notes
    };
    let both = {
        let mut both = vec![cold.clone(), warm.clone()];
        both.sort();
        both
    };
    assert_eq!(notes(&found(&vault, &[], "cold boiler\n")), both);
    assert_eq!(notes(&found(&vault, &[], "\"boiler is cold\"\n")), [cold.as_str()]);
    // Typed as it stands in a note, that note is meant; that there are others is told.
    let exact = found(&vault, &[], "boiler is\n");
    assert_eq!((notes(&exact).len(), &exact["also"]), (2, &Value::Null), "{exact}");
    let exact = found(&vault, &[], "the boiler is cold\n");
    assert_eq!(
        (notes(&exact), &exact["also"]),
        (vec![cold.clone()], &json!(1)),
        "{exact}"
    );
    assert_eq!(notes(&found(&vault, &["--words"], "the boiler is cold\n")), both);
    let told = vault
        .feed(&["note", "find", "--file", "-"], b"the boiler is cold\n")
        .done()
        .stdout;
    assert!(told.contains("1 note holds all these words too"), "{told}");
    // Words of one note that stand in two of its records.
    assert_eq!(notes(&found(&vault, &[], "monday BOILER\n")), [cold.as_str()]);
    assert_eq!(notes(&found(&vault, &[&elin], "cold\n")), [cold.as_str()]);
    assert_eq!(notes(&found(&vault, &[], "monday outside\n")), Vec::<String>::new());
    // Whose it is, by the label, and whose words.
    let text = vault.feed(&["note", "find", "--file", "-"], b"monday\n").done().stdout;
    assert!(
        text.contains("Elin Farrow") && text.contains("2 quote by client"),
        "{text}"
    );
    assert_eq!(found(&vault, &[], "monday\n")["hits"][0]["label"], "Elin Farrow");
    let nothing = vault
        .feed(&["note", "find", "--file", "-"], b"piano stool\n")
        .done()
        .stdout;
    for said in [
        "0 hits in 0 notes of 2 searched",
        "the notes of all your cases",
        "not attached files",
        "try fewer words",
    ] {
        assert!(nothing.contains(said), "{nothing}");
    }
    let nothing = vault
        .feed(&["note", "find", &tam, "--file", "-"], b"piano\n")
        .done()
        .stdout;
    assert!(nothing.contains(&format!("the notes of case {tam}")), "{nothing}");
}

#[test]
fn what_is_found_and_listed_is_chosen_by_days_and_by_kind() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let add = |kind: &str, at: &str| {
        let args = ["note", "add", &case, "--kind", kind, "--at", at, "--file", "-"];
        let text = "obs: The boiler is cold. {significant}\n\ndec: Wait.\n  why: it is late\n";
        vault.feed(&args, text.as_bytes()).handle()
    };
    let (call, visit) = (add("phone", "2026-01-05 10:00"), add("home-visit", "2026-02-05 10:00"));
    let only = |reply: &Value, rows: &str, note: &str| {
        let rows = reply[rows].as_array().unwrap();
        assert!(
            !rows.is_empty() && rows.iter().all(|row| row["note"] == json!(note)),
            "{reply}"
        );
    };
    only(&found(&vault, &["--kind", "phone"], "boiler\n"), "hits", &call);
    only(&found(&vault, &["--since", "2026-02-01"], "boiler\n"), "hits", &visit);
    only(&found(&vault, &["--until", "2026-01-31"], "boiler\n"), "hits", &call);
    let unknown = ["note", "find", "--file", "-", "--kind", "seance", "--json"];
    vault.feed(&unknown, b"boiler\n").refused(2, "unknown-name");
    let chronology = |flags: &[&str]| vault.json(&[&["chronology", "show", &case], flags].concat());
    only(&chronology(&["--kind", "home-visit"]), "entries", &visit);
    only(&chronology(&["--until", "2026-01-31"]), "entries", &call);
    let decisions = |flags: &[&str]| vault.json(&[&["decision", "list", &case], flags].concat());
    only(&decisions(&["--since", "2026-02-01"]), "decisions", &visit);
    only(&decisions(&["--until", "2026-01-31"]), "decisions", &call);
}
