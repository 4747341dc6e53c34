//! What a worker marked as not for everybody, whose words a line is, and what is dangerous next door.

use casevault_e2e::terminal::on_terminal;
use casevault_e2e::terminal::with_editor;
use casevault_e2e::vault::Vault;
use serde_json::Value;
use serde_json::json;

/// A note whose second and third segment are not for everybody.
const MARKED: &str = "obs: The kitchen was warm.\n\nrep mother: We live at 7 Quarry Lane now. {hide-from father} {significant}\n\nobs: A \
                      neighbour rang us. {withheld the source would be at risk}\n\nplan: Ring 0131 at noon. {hide-from father}\n  \
                      owner: me\n  due: 2099-01-05\n\ndec: Keep the new school quiet. {hide-from father}\n  why: he waits at \
                      gates\n\nint: She is safer there. [2]\n";

/// Words that are in marked segments alone.
const SECRETS: [&str; 6] = ["Quarry Lane", "neighbour", "at risk", "0131", "new school", "at gates"];

fn marked() -> (Vault, String, String) {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, MARKED);
    (vault, case, note)
}

#[test]
fn pages_leave_out_what_is_not_for_everybody_and_say_so() {
    let (vault, case, note) = marked();
    for format in ["markdown", "html"] {
        let done = vault.run(&["export", &case, "--format", format]).done();
        for secret in SECRETS.iter().chain(&["father"]) {
            assert!(!done.stdout.contains(secret), "{secret} in {format}: {}", done.stdout);
        }
        assert!(done.stdout.contains("The kitchen was warm."), "{}", done.stdout);
        assert!(done.stdout.contains("She is safer there."), "{}", done.stdout);
        // Those in a row are one place, with each number.
        assert_eq!(
            done.stdout.matches("Left out by the worker").count(),
            1,
            "{}",
            done.stdout
        );
        assert!(
            done.stdout.contains("2, 3, 4, 5") && !done.stdout.contains("[1, "),
            "{}",
            done.stdout
        );
        let told = format!(
            "left out 4 segments that are not for everybody: {note} 2 (not for father), {note} 3 (withheld: the"
        );
        assert!(done.stderr.contains(&told), "{}", done.stderr);
        // Asked for, they are there, each with its mark before it, and the page says what it is.
        let own = vault
            .run(&["export", &case, "--format", format, "--with-marked"])
            .done();
        for secret in SECRETS {
            assert!(own.stdout.contains(secret), "{secret} in {format}: {}", own.stdout);
        }
        assert!(
            own.stdout.contains("NOT FOR father: Reported by mother"),
            "{}",
            own.stdout
        );
        assert!(
            own.stdout
                .contains("WITHHELD (the source would be at risk): Observation"),
            "{}",
            own.stdout
        );
        assert!(own.stdout.contains("Not to be handed on"), "{}", own.stdout);
    }
    let out = vault.around.join("case.html");
    let args = [
        "export",
        &case,
        "--format",
        "html",
        "--out",
        out.to_str().unwrap(),
        "--json",
    ];
    let reply = vault.run(&args).json();
    assert_eq!(reply["marked_left_out"], json!(true));
    assert_eq!(
        reply["marked"][0],
        json!({"case": case, "note": note, "segment": 2, "hide_from": ["father"]})
    );
    assert_eq!(reply["marked"].as_array().unwrap().len(), 4);
}

#[test]
fn ones_own_archive_keeps_the_marks_and_is_told_what_it_holds() {
    let (vault, case, note) = marked();
    for format in ["jsonl", "json"] {
        let done = vault.run(&["export", &case, "--format", format]).done();
        for secret in SECRETS {
            assert!(done.stdout.contains(secret), "{secret} in {format}");
        }
        assert!(done.stdout.contains(r#""hide_from":"father""#), "{}", done.stdout);
        assert!(
            done.stderr.contains(&format!(
                "it holds 4 segments that are not for everybody: {note} 2 (not for father)"
            )),
            "{}",
            done.stderr
        );
        assert!(
            done.stderr.contains("your own copy, not to be handed on"),
            "{}",
            done.stderr
        );
    }
    let whole: Value = serde_json::from_str(&vault.run(&["export", &case, "--format", "json"]).done().stdout).unwrap();
    assert_eq!(whole["cases"][0]["marked"].as_array().unwrap().len(), 4, "{whole}");
    // A case without any says nothing of it.
    let other = vault.open_case("Tam Brisk");
    vault.add_note(&other, "obs: Calm.\n");
    let done = vault.run(&["export", &other, "--format", "html"]).done();
    assert!(!done.stderr.contains("everybody"), "{}", done.stderr);
}

#[test]
fn whatever_shows_a_marked_segment_shows_its_mark_before_it() {
    let (vault, case, note) = marked();
    let text = |args: &[&str]| vault.run(args).done().stdout;
    let chronology = text(&["chronology", "show", &case]);
    assert!(
        chronology.contains("NOT FOR father: Reported by mother: We live at 7 Quarry Lane now."),
        "{chronology}"
    );
    assert!(
        chronology.contains("NOT FOR father: Decision: Keep the new school quiet."),
        "{chronology}"
    );
    let decisions = text(&["decision", "list", &case]);
    assert!(
        decisions.contains("NOT FOR father: Keep the new school quiet."),
        "{decisions}"
    );
    for args in [
        &["plan", "list"][..],
        &["case", "show", &case, "--brief"],
        &["case", "show", &case],
    ] {
        let shown = text(args);
        assert!(
            shown.contains("NOT FOR father: Ring 0131 at noon."),
            "{args:?}: {shown}"
        );
    }
    let shown = text(&["note", "show", &note]);
    assert!(
        shown.contains("[2] NOT FOR father: Reported by mother: We live"),
        "{shown}"
    );
    let found = vault.feed(&["note", "find", "--file", "-"], b"quarry\n").done().stdout;
    assert!(found.contains("NOT FOR father: "), "{found}");
    let entry = &vault.json(&["chronology", "show", &case])["entries"][0];
    assert_eq!(entry["hide_from"], json!(["father"]), "{entry}");
    // What a list begins a note with too.
    let other = vault.open_case("Tam Brisk");
    vault.add_note(&other, "obs: He works nights. {hide-from father}\n");
    let listed = text(&["note", "list", &other]);
    assert!(listed.contains("NOT FOR father: He works nights."), "{listed}");
    let row = &vault.json(&["note", "list", &other])["notes"][0];
    assert_eq!(
        (&row["summary"], &row["summary_of"]["hide_from"]),
        (&json!("He works nights."), &json!(["father"]))
    );
}

#[test]
fn lists_chronology_and_brief_say_whose_words_they_show() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let add = |text: &str| vault.add_note(&case, text);
    add("rep landlord: She broke the boiler herself. {significant}\n");
    add("said her sister: He hits her. {section safeguarding} {significant}\n");
    add("int: He is dangerous. {section safeguarding} {significant}\n");
    add("She seemed well. {section safeguarding}\n");
    let listed = vault.run(&["note", "list", &case]).done().stdout;
    for words in [
        "Reported by landlord: She broke the boiler herself.",
        "Said by her sister: \"He hits her.\"",
        "Opinion: He is dangerous.",
    ] {
        assert!(listed.contains(words), "{listed}");
        let chronology = vault.run(&["chronology", "show", &case]).done().stdout;
        assert!(chronology.contains(&format!("\n  {words}\n")), "{chronology}");
    }
    let brief = vault.run(&["case", "show", &case, "--brief"]).done().stdout;
    assert!(brief.contains("  Said by her sister: \"He hits her.\""), "{brief}");
    assert!(brief.contains("  Opinion: He is dangerous."), "{brief}");
    assert!(brief.contains("  Not classified: She seemed well."), "{brief}");
    let row = &vault.json(&["note", "list", &case])["notes"][1];
    assert_eq!(
        (&row["summary"], &row["summary_of"]),
        (&json!("He hits her."), &json!({"kind": "quote", "who": "her sister"}))
    );
    // A visit that is to come begins with somebody's words too.
    let visit = [
        "note",
        "add",
        &case,
        "--kind",
        "home-visit",
        "--at",
        "tomorrow 10:00",
        "--file",
        "-",
    ];
    vault.feed(&visit, b"rep landlord: I shall be there.\n").done();
    let today = vault.run(&["today"]).done().stdout;
    assert!(today.contains("Reported by landlord: I shall be there."), "{today}");
}

#[test]
fn a_case_that_is_shown_has_its_decisions_with_why_and_what_is_significant() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    vault.add_note(
        &case,
        "dec: Lend her the heater.\n  why: it is March\n\nobs: The door was broken in. {significant}\n\nobs: Calm.\n",
    );
    let shown = vault.run(&["case", "show", &case]).done().stdout;
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("no `{text}`: {shown}"));
    assert!(
        at("\nDecisions\n") < at("Lend her the heater. [why: it is March]"),
        "{shown}"
    );
    assert!(at("\nMarked significant\n") < at("The door was broken in."), "{shown}");
    assert!(!shown.contains("Calm."), "{shown}");
    // The brief does not miss what is not of every case.
    let empty = vault.open_case("Tam Brisk");
    let brief = vault.json(&["case", "show", &empty, "--brief"]);
    let missing = brief["not_recorded"].as_array().unwrap();
    assert!(
        !missing.contains(&json!("decisions")) && !missing.contains(&json!("marked significant")),
        "{brief}"
    );
    let blocks = vault.json(&["case", "show", &empty])["blocks"].clone();
    assert_eq!(blocks.as_array().unwrap().len(), 11, "{blocks}");
}

fn open(vault: &Vault, profile: &Value) -> String {
    let args = ["case", "open", "--template", "child-and-family", "--file", "-"];
    vault.feed(&args, profile.to_string().as_bytes()).handle()
}

#[test]
fn a_danger_known_of_a_sibling_is_told_before_a_visit_to_the_other() {
    let vault = Vault::made();
    let ada = open(
        &vault,
        &json!({"name": "Ada Pike", "address": "3 Mill Row, Leith", "danger_to_workers": "The dog bites."}),
    );
    let ben = open(&vault, &json!({"name": "Ben Pike", "address": "3 mill row,  Leith"}));
    let cas = open(&vault, &json!({"name": "Cas Pike"}));
    let dee = open(&vault, &json!({"name": "Dee Other", "address": "9 Mill Row"}));
    let eve = open(
        &vault,
        &json!({"name": "Eve Stone", "household": [{"name": "ada  pike", "relation": "cousin"}]}),
    );
    // Joined by a note alone.
    let joint = ["note", "add", &cas, "--also", &ada, "--kind", "phone", "--file", "-"];
    vault.feed(&joint, b"obs: Both were at home.\n").done();
    let warned = |case: &str| vault.json(&["case", "show", case, "--brief"])["household"].clone();
    let told = |case: &str, why: &str| {
        let household = warned(case);
        let of = &household[0];
        assert_eq!(
            (&of["case"], &of["label"], &of["by"]),
            (&json!(ada), &json!("Ada Pike"), &json!([why])),
            "{household}"
        );
        assert_eq!(of["dangers"][0]["text"], "The dog bites.", "{household}");
        assert_eq!(household.as_array().unwrap().len(), 1, "{household}");
    };
    told(&ben, "same address");
    told(&cas, "a note of both");
    told(&eve, "named among its people");
    assert_eq!(warned(&dee), json!([]));
    // Of the others nothing dangerous is known.
    assert_eq!(warned(&ada), json!([]));
    let brief = vault.run(&["case", "show", &ben, "--brief"]).done().stdout;
    assert!(
        brief.contains("Dangers\n  of Ada Pike (same address): The dog bites.\n"),
        "{brief}"
    );
    // A danger that only a note tells of, and of a case that is closed since.
    let fay = open(&vault, &json!({"name": "Fay Moss", "address": "1 Low Road"}));
    let gil = open(&vault, &json!({"name": "Gil Moss", "address": "1 Low Road"}));
    vault.add_note(&fay, "said mother: He has a knife. {section safeguarding}\n");
    vault
        .run(&["case", "close", &fay, "--reason", "no-further-action", "--yes"])
        .done();
    let told = vault.run(&["case", "show", &gil, "--brief"]).done().stdout;
    assert!(
        told.contains("of Fay Moss (same address, closed): Said by mother: \"He has a knife.\""),
        "{told}"
    );
    // What the day holds says it beside the visit.
    for case in [&ben, &dee] {
        let visit = [
            "note",
            "add",
            case,
            "--kind",
            "home-visit",
            "--at",
            "tomorrow 10:00",
            "--file",
            "-",
        ];
        vault.feed(&visit, b"obs: To come.\n").done();
    }
    let today = vault.json(&["today"]);
    let rows = today["visits"]["rows"].as_array().unwrap();
    let of = |case: &String| rows.iter().find(|row| row["case"] == json!(case)).unwrap();
    assert_eq!(of(&ben)["household"], json!([{"case": ada, "label": "Ada Pike"}]));
    assert_eq!(of(&dee)["household"], Value::Null);
    let text = vault.run(&["today"]).done().stdout;
    assert!(text.contains("[danger: Ada Pike] Ben Pike"), "{text}");
    vault.verified();
    // Reading it is in the log of the case that it is of.
    let log = vault.json(&["log", "list"]).to_string();
    assert!(log.contains("dangers of the household"), "{log}");
    let Some(mut terminal) = on_terminal(&vault, &format!("call {ben}")) else {
        return;
    };
    terminal
        .wait_for("Dangers")
        .wait_for("of Ada Pike (same address): The dog bites.")
        .wait_for("Type the note");
    terminal.keys("obs: Calm.\n\u{4}");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn a_mark_or_a_danger_that_an_amendment_loses_is_said() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(
        &case,
        "obs: We met in the hall.\n\nrep mother: We live at 7 Quarry Lane now. {hide-from father} {about Tam Brisk}\n\nobs: He \
         keeps a knife by the door. {label danger}\n",
    );
    let brief = || vault.run(&["case", "show", &case, "--brief"]).done().stdout;
    assert!(brief().contains("He keeps a knife by the door."), "{}", brief());

    // Whom nothing but a marked segment names is named with its mark.
    let people = vault.run(&["case", "people", &case]).done().stdout;
    assert!(
        people.contains("NOT FOR father: Tam Brisk") && people.contains("NOT FOR father: mother"),
        "{people}"
    );
    let rows = vault.json(&["case", "people", &case]);
    assert_eq!(rows["people"][0]["hide_from"], json!(["father"]), "{rows}");

    let amend = ["note", "amend", &note, "--file", "-"];
    let told = vault
        .feed(
            &amend,
            b"obs: We met in the hall.\n\nrep mother: She lives at 7 Quarry Lane. {about Tam Brisk}\n",
        )
        .done()
        .stderr;
    for said in [
        "look again: segment 2 was marked not for father, and nothing in this version is",
        "the danger `He keeps a knife by the door.` is not in the note any more",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert!(brief().contains("none recorded"), "{}", brief());
    let people = vault.run(&["case", "people", &case]).done().stdout;
    assert!(!people.contains("NOT FOR"), "{people}");
}

#[test]
fn a_field_of_a_danger_that_is_emptied_is_said() {
    let vault = Vault::made();
    let profile = json!({"name": "Tam Brisk", "danger_to_workers": "The dog bites.", "triggers": "Uniforms."});
    let case = open(&vault, &profile);
    let amend = ["case", "amend", &case, "--file", "-"];
    let changes = br#"{"danger_to_workers": null, "triggers": "None"}"#;
    let reply = vault.copied().feed(&[&amend[..], &["--json"]].concat(), changes).json();
    let gone = json!(["danger_to_workers: The dog bites.", "triggers: Uniforms."]);
    assert_eq!(reply["struck"], gone, "{reply}");
    let told = vault.feed(&amend, changes).done().stderr;
    assert!(
        told.contains("look again: `danger_to_workers: The dog bites.` is taken away"),
        "{told}"
    );
}

#[test]
fn on_a_terminal_what_an_amendment_would_lose_is_asked_about_before_it_is_saved() {
    let vault = Vault::made();
    let profile = json!({"name": "Tam Brisk", "danger_to_workers": "The dog bites."});
    let case = open(&vault, &profile);
    let note = vault.add_note(
        &case,
        "rep mother: We live at 7 Quarry Lane now. {hide-from father}\n\nobs: He keeps a knife by the door. {label danger}\n",
    );
    let version = || vault.json(&["note", "show", &note])["version"].clone();
    let question = "Save it so? [y/N] ";
    let Some(mut terminal) = on_terminal(&vault, &format!("note amend {note}")) else {
        return;
    };
    terminal.wait_for("REPLACES the whole");
    terminal.keys("rep mother: We live at 7 Quarry Lane now.\n\nobs: He is calm.\n\u{4}");
    terminal
        .wait_for("segment 1: it was marked not for father, and is not any more: `We live at 7 Quarry Lane now.`")
        .wait_for("segment 2 was a danger, and is not in this version: `He keeps a knife by the door.`")
        .wait_for(question);
    assert_eq!(version(), json!(1), "it is asked before it is saved");
    terminal.keys("\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 1, "{screen}");
    assert_eq!(version(), json!(1));
    // What was typed is kept, and is saved where it was meant.
    let draft = vault.json(&["note", "draft"])["drafts"][0]["draft"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(screen.contains(&format!("as draft {draft}")), "{screen}");
    let mut terminal = on_terminal(&vault, &format!("note amend {note} --draft {draft}")).unwrap();
    terminal.wait_for("Go on from here").keys("\u{4}");
    terminal.wait_for(question).keys("y\n");
    assert_eq!(terminal.end().0, 0);
    assert_eq!(version(), json!(2));

    // What comes by a file, and what is known of the client.
    let file = vault.around.join("changes.json");
    std::fs::write(&file, br#"{"danger_to_workers": null}"#).unwrap();
    let amend = format!("case amend {case} --file {}", file.display());
    let danger = || vault.json(&["case", "show", &case])["profile"]["danger_to_workers"].clone();
    for (answer, code, left) in [("\n", 1, json!("The dog bites.")), ("y\n", 0, Value::Null)] {
        let mut terminal = on_terminal(&vault, &amend).unwrap();
        terminal
            .wait_for("`danger_to_workers: The dog bites.`")
            .wait_for(question);
        assert_eq!(danger(), json!("The dog bites."));
        terminal.keys(answer);
        assert_eq!(terminal.end().0, code);
        assert_eq!(danger(), left);
    }
}

/// Marks as people type them, which hide nothing as they are written.
const LOOKALIKES: [&str; 4] = [
    "(hide-from father)",
    "hide-from: father",
    "hide from father",
    "[Hide from: father]",
];

#[test]
fn what_looks_like_a_mark_and_hides_nothing_is_said_where_nobody_can_be_asked() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    for written in LOOKALIKES {
        let told =
            format!("`{written}` looks like a mark, and hides nothing as it is written: write `{{hide-from father}}`");
        let text = format!("rep mother: We live at 7 Quarry Lane. {written}\n");
        let add = ["note", "add", &case, "--kind", "phone", "--at", "-2h", "--file", "-"];
        let added = vault.feed(&add, text.as_bytes()).done();
        assert!(
            added.stderr.contains(&format!("look again: line 1: {told}")),
            "{}",
            added.stderr
        );
        let jot = vault
            .feed(
                &["note", "jot", &case, "--file", "-"],
                format!("7 Quarry Lane. {written}\n").as_bytes(),
            )
            .done();
        assert!(jot.stderr.contains(&told), "{}", jot.stderr);
        let jot = jot.handle();
        let list = vault.run(&["note", "jot", "--list"]).done().stdout;
        assert!(list.contains("NOT FOR EVERYBODY: 7 Quarry Lane."), "{list}");
        let expanded = vault
            .feed(&["note", "expand", &jot, "--file", "-"], text.as_bytes())
            .done();
        assert!(expanded.stderr.contains(&told), "{}", expanded.stderr);
    }
    // What marks, and what is a sentence, is no such thing.
    for meant in ["He moved. {hide-from father}", "The children hide from him."] {
        let add = ["note", "add", &case, "--kind", "phone", "--file", "-"];
        let added = vault.feed(&add, format!("obs: {meant}\n").as_bytes()).done();
        assert!(!added.stderr.contains("looks like"), "{}", added.stderr);
    }
}

#[test]
fn on_a_terminal_what_looks_like_a_mark_is_asked_about_before_it_is_filed() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let hidden = |vault: &Vault| vault.json(&["note", "list", &case])["notes"].as_array().unwrap().len();
    let question = "[m/y/N] ";
    let Some(mut terminal) = on_terminal(&vault, &format!("note add {case} --kind phone")) else {
        return;
    };
    terminal.wait_for("Type the note");
    terminal.keys("rep mother: We live at 7 Quarry Lane. (hide-from father)\n\u{4}");
    terminal.wait_for("looks like a mark").wait_for(question);
    assert_eq!(hidden(&vault), 0, "it is asked before it is filed");
    terminal.keys("m\n");
    assert_eq!(terminal.end().0, 0);
    let page = vault.run(&["export", &case, "--format", "markdown"]).done().stdout;
    assert!(!page.contains("Quarry Lane"), "{page}");

    // Taken as words where somebody says so, and left a draft where neither is meant.
    let mut terminal = on_terminal(&vault, &format!("call {case}")).unwrap();
    terminal.wait_for("Type the note");
    terminal.keys("rep mother: We live at 8 Quarry Lane. hide from father\n\u{4}");
    terminal.wait_for(question).keys("\n");
    assert_eq!(terminal.end().0, 1);
    assert_eq!(hidden(&vault), 1);
    let draft = vault.json(&["note", "draft"])["drafts"][0]["draft"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut terminal = on_terminal(&vault, &format!("note add {case} --draft {draft}")).unwrap();
    terminal.wait_for("Go on from here").keys("\u{4}");
    terminal.wait_for(question).keys("y\n");
    assert_eq!(terminal.end().0, 0);
    assert_eq!(hidden(&vault), 2);

    // A jot is kept whatever is said, and as a mark where it is one.
    let mut terminal = on_terminal(&vault, "note jot").unwrap();
    terminal
        .wait_for("Enter ends it;")
        .keys("9 Quarry Lane (hide-from father)\n");
    terminal.wait_for("[m/y/N] ").keys("m\n");
    assert_eq!(terminal.end().0, 0);
    let jots = vault.json(&["note", "jot", "--list"]);
    assert_eq!(jots["jots"][0]["text"], "9 Quarry Lane {hide-from father}");

    // In an editor it comes back with the place.
    let script = vault.around.join("editor.sh");
    let mend = "#!/bin/sh\nfor file; do :; done\nif grep -q '#! ^' \"$file\"; then sed -i 's/(\\(hide-from father\\))/{\\1}/' \
                \"$file\"; else echo 'obs: The new school. (hide-from father)' >> \"$file\"; fi\n";
    std::fs::write(&script, mend).unwrap();
    let editor = format!("sh {}", script.display());
    let mut terminal = with_editor(&vault, &format!("note add {case} --kind phone"), &editor).unwrap();
    terminal.wait_for(question).keys("\n");
    assert_eq!(terminal.end().0, 0);
    let page = vault.run(&["export", &case, "--format", "markdown"]).done().stdout;
    assert!(!page.contains("new school"), "{page}");
}
