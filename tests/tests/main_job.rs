//! The main job on the real binary: record, keep, find and prove, on real input, as scripts do it.

use casevault_e2e::caseload;
use casevault_e2e::caseload::Size;
use casevault_e2e::vault::Vault;
use casevault_e2e::vault::lines;
use serde_json::Value;
use serde_json::json;
use std::sync::OnceLock;

/// A vault with a caseload of size s, imported once and copied for each test that needs one.
fn size_s() -> Vault {
    static VAULT: OnceLock<Vault> = OnceLock::new();
    VAULT.get_or_init(|| Vault::with(text_s())).copied()
}

fn text_s() -> &'static [u8] {
    static TEXT: OnceLock<Vec<u8>> = OnceLock::new();
    TEXT.get_or_init(|| caseload::make(Size::S))
}

fn count(lines: &[Value], kind: &str) -> usize {
    lines.iter().filter(|line| line["type"] == kind).count()
}

/// Asserts that an object has the schema and the members that scripts rely on.
fn assert_shape(reply: &Value, schema: &str, members: &[&str]) {
    assert_eq!(reply["schema"], schema, "{reply}");
    for member in members {
        assert!(reply.get(member).is_some(), "{schema} has no `{member}`: {reply}");
    }
}

const HEAD: [&str; 9] = [
    "note",
    "case",
    "external_id",
    "version",
    "occurred_at",
    "recorded_at",
    "author",
    "signed_by",
    "incomplete",
];

#[test]
fn every_command_of_the_spine_answers_as_scripts_expect() {
    let vault = size_s();
    let input = lines(text_s());
    let first_case = input.iter().find(|line| line["type"] == "case").unwrap();

    let status = vault.json(&["status"]);
    assert_shape(&status, "casevault.status/1", &["locked", "agent", "versions"]);
    assert_eq!(status["versions"], json!({"crate": "0.1.0", "format": 1, "store": 1}));

    let list = vault.json(&["case", "list"]);
    assert_shape(&list, "casevault.case.list/1", &["cases"]);
    let cases = list["cases"].as_array().unwrap();
    assert_eq!(cases.len(), count(&input, "case"));
    for row in cases {
        let notes = input
            .iter()
            .filter(|line| line["type"] == "note" && line["case"] == row["external_id"]);
        assert_eq!((&row["status"], &row["notes"]), (&json!("open"), &json!(notes.count())));
    }
    let case = cases[0]["case"].as_str().unwrap();
    assert!(case.starts_with("c-") && case.len() == 10, "{case}");
    assert_eq!(cases[0]["external_id"], first_case["case"]);

    let shown = vault.json(&["case", "show", case]);
    assert_shape(
        &shown,
        "casevault.case.show/1",
        &["case", "external_id", "status", "blocks"],
    );
    assert_eq!(shown["profile"], first_case["profile"]);

    let notes = vault.json(&["note", "list", case]);
    assert_shape(&notes, "casevault.note.list/1", &["case", "notes"]);
    let rows = notes["notes"].as_array().unwrap();
    assert_eq!(json!(rows.len()), cases[0]["notes"]);
    let note = rows[0]["note"].as_str().unwrap();
    let shown = vault.json(&["note", "show", note]);
    assert_shape(&shown, "casevault.note.show/1", &HEAD);
    let of_input = input.iter().find(|line| line["note"] == shown["external_id"]).unwrap();
    assert_eq!(shown["author"], of_input["author"]);
    assert_eq!(
        shown["attribution"],
        format!("imported, not signed by {}", of_input["author"].as_str().unwrap())
    );
    let texts = |note: &Value| -> Vec<Value> {
        let segments = note["segments"].as_array().unwrap();
        segments.iter().map(|segment| segment["text"].clone()).collect()
    };
    assert_eq!(texts(&shown), texts(of_input));

    let history = vault.json(&["note", "history", note]);
    assert_shape(&history, "casevault.note.history/1", &["note", "versions"]);
    assert_eq!(history["versions"].as_array().unwrap().len(), 1);

    let word = texts(of_input)[0].as_str().unwrap().to_owned();
    let found = vault
        .feed(&["note", "find", "--file", "-", "--json"], word.as_bytes())
        .json();
    assert_shape(&found, "casevault.note.find/1", &["searched", "notes", "hits"]);
    assert_eq!(found["searched"], count(&input, "note"));
    let with_word =
        |line: &&Value| line["type"] == "note" && texts(line).iter().any(|t| t.as_str().unwrap().contains(&word));
    assert_eq!(found["notes"], input.iter().filter(with_word).count());

    let chronology = vault.json(&["chronology", "show", case]);
    assert_shape(&chronology, "casevault.chronology.show/1", &["case", "entries"]);
    let decisions = vault.json(&["decision", "list", case]);
    assert_shape(&decisions, "casevault.decision.list/1", &["case", "decisions"]);
    let decided: usize = input
        .iter()
        .filter(|line| line["case"] == first_case["case"] && line["type"] == "note")
        .map(|line| {
            let segments = line["segments"].as_array().unwrap();
            segments.iter().filter(|segment| segment["kind"] == "decision").count()
        })
        .sum();
    assert_eq!(decisions["decisions"].as_array().unwrap().len(), decided);

    let verified = vault.verified();
    assert_shape(&verified, "casevault.verify/1", &["entries", "authors", "signatures"]);
    assert!(verified["entries"].as_u64().unwrap() as usize > input.len());
    assert_shape(
        &vault.json(&["case", "verify", case]),
        "casevault.case.verify/1",
        &["entries"],
    );
    let log = vault.json(&["log", "list"]);
    assert_shape(&log, "casevault.log.list/1", &["total", "entries"]);
    let entry = log["entries"][0]["entry"].to_string();
    assert_shape(
        &vault.json(&["log", "show", &entry]),
        "casevault.log.show/1",
        &["entry", "operation"],
    );
    assert_shape(
        &vault.json(&["log", "verify"]),
        "casevault.log.verify/1",
        &["entries", "failures"],
    );
    assert_shape(
        &vault.json(&["unlock", "--no-agent"]),
        "casevault.unlock/1",
        &["agent", "wrong_tries"],
    );
    assert_shape(&vault.json(&["lock"]), "casevault.lock/1", &["locked"]);

    let export = vault.json(&[
        "export",
        case,
        "--format",
        "html",
        "--out",
        &vault.around.join("case.html").to_string_lossy(),
    ]);
    assert_shape(&export, "casevault.export/1", &["format", "cases", "notes", "bytes"]);
    let closed = vault.json(&["case", "close", case, "--yes"]);
    assert_shape(&closed, "casevault.case.close/1", &["case", "status"]);
    let refused = vault.feed(
        &["note", "add", case, "--kind", "phone", "--file", "-", "--json"],
        b"late",
    );
    assert_eq!((refused.code, &refused.error()["error"]), (1, &json!("case-closed")));
}

#[test]
fn what_is_made_is_named_by_the_last_word_of_the_first_line() {
    let vault = Vault::unmade();
    let made = vault.init();
    let first = made.stdout.lines().next().unwrap();
    assert_eq!(
        first.split_whitespace().next_back(),
        vault.json(&["status"])["agency"].as_str()
    );
    let case = vault.open_case("Una Kestle");
    assert!(case.starts_with("c-") && case.len() == 10, "{case}");
    let note = vault.add_note(&case, "obs: The heating is on.\n\nsaid client: \"I am warm.\"\n");
    assert!(note.starts_with("n-") && note.len() == 10, "{note}");
    let amended = vault.feed(&["note", "amend", &note, "--file", "-"], b"obs: The heating is off.\n");
    assert_eq!(amended.handle(), note);
    // The same as an object.
    let profile = br#"{"name": "Ines Lorne"}"#;
    let arguments = [
        "case",
        "open",
        "--template",
        "adult-social-care",
        "--file",
        "-",
        "--json",
    ];
    let opened = vault.feed(&arguments, profile).json();
    assert_shape(&opened, "casevault.case.open/1", &["case", "external_id"]);
    let case = opened["case"].as_str().unwrap();
    let added = vault
        .feed(
            &["note", "add", case, "--kind", "phone", "--file", "-", "--json"],
            b"Rang.",
        )
        .json();
    assert_shape(&added, "casevault.note.add/1", &["note", "case", "version"]);
    // Any unambiguous beginning of a handle is the handle.
    let short = added["note"].as_str().unwrap().get(..6).unwrap();
    assert_eq!(vault.json(&["note", "show", short])["note"], added["note"]);
}

#[test]
fn a_note_is_kept_with_all_that_was_typed_and_shown_again() {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    let text = "#! guidance is dropped\nobs: The flat was cold. {label health} {about mother}\n\n\
        said client: \"I managed on my own.\" {significant}\n\nint: Pride may keep her from asking.\n  cites: 1 2\n\n\
        dec: Ask for a repair.\n  why: It is December.\n\npriv: I felt hurried.\n";
    let arguments = [
        "note",
        "add",
        &case,
        "--kind",
        "home-visit",
        "--at",
        "2026-03-12 14:00",
        "--for",
        "50m",
        "--file",
        "-",
    ];
    let note = vault.feed(&arguments, text.as_bytes()).handle();
    let shown = vault.json(&["note", "show", &note]);
    let kinds: Vec<_> = shown["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["observation", "quote", "interpretation", "decision", "reflection"]
    );
    assert_eq!(shown["segments"][2]["cites"], json!([1, 2]));
    assert_eq!(shown["segments"][3]["why"], "It is December.");
    assert!(!shown.to_string().contains("guidance"));
    // Kinds can be told apart without colour, and an amendment shows both.
    let json =
        json!({"kind": "home-visit", "segments": [{"kind": "observation", "text": "The flat was warm."}]}).to_string();
    vault
        .feed(&["note", "amend", &note, "--file", "-"], json.as_bytes())
        .done();
    let history = vault.json(&["note", "history", &note]);
    let texts: Vec<_> = [0, 1]
        .map(|n| history["versions"][n]["segments"][0]["text"].clone())
        .to_vec();
    assert_eq!(texts, [json!("The flat was cold."), json!("The flat was warm.")]);
    let chronology = vault.json(&["chronology", "show", &case]);
    assert!(chronology["entries"].is_array());
    assert_eq!(history["versions"][0]["segments"][4]["text"], "I felt hurried.");
    // Taken back within its ten minutes; what it said is gone, that it was there is not.
    vault.run(&["note", "withdraw", &note, "--json"]).refused(1, "too-late");
    let slip = vault.add_note(&case, "This belongs to another person.");
    let gone = vault.json(&["note", "withdraw", &slip]);
    assert_shape(&gone, "casevault.note.withdraw/1", &["note", "case", "erased"]);
    vault.run(&["note", "show", &slip, "--json"]).refused(1, "withdrawn");
    vault.verified();
}

#[test]
fn exit_codes_are_those_that_scripts_know() {
    let vault = size_s();
    assert_eq!(
        vault
            .run(&["case", "show", "c-00000000", "--json"])
            .refused(1, "not-found")["exit"],
        1
    );
    vault.run(&["note", "show", "nonsense", "--json"]).refused(2, "usage");
    vault
        .run(&["case", "list", "--purpose", "curiosity", "--json"])
        .refused(2, "unknown-name");
    let mut wrong = vault.command(&["case", "list", "--json"]);
    std::fs::write(vault.around.join("wrong"), "another passphrase\n").unwrap();
    wrong.env("CASEVAULT_PASSPHRASE_FILE", vault.around.join("wrong"));
    let wrong = casevault_e2e::vault::Done::of(wrong.output().unwrap());
    wrong.refused(5, "wrong-passphrase");
    assert_eq!(vault.json(&["status"])["wrong_tries"], 1);
    assert_eq!(vault.json(&["unlock", "--no-agent"])["wrong_tries"], 1);
    assert_eq!(vault.json(&["status"])["wrong_tries"], 0);
    // A byte of a note, changed behind the vault's back.
    let path = vault.store();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 64] {
        *byte ^= 1;
    }
    std::fs::write(&path, &bytes).unwrap();
    let done = vault.run(&["verify", "--json"]);
    assert_eq!(done.code, 4, "{}\n{}", done.stdout, done.stderr);
    let failure = &done.value()["failures"][0];
    assert!(failure["check"].as_str().unwrap().starts_with("CHK-"), "{failure}");
    assert!(!failure["handle"].as_str().unwrap().is_empty() && !failure["cause"].as_str().unwrap().is_empty());
}

#[test]
fn without_a_terminal_nothing_is_asked() {
    let vault = size_s();
    let case = vault.json(&["case", "list"])["cases"][0]["case"]
        .as_str()
        .unwrap()
        .to_owned();
    for (arguments, flag) in [
        (&["case", "open", "--template", "adult-social-care"][..], "--file"),
        (&["note", "add", &case, "--kind", "phone"], "--file"),
        (&["note", "find"], "--file"),
        (&["passphrase", "change"], "--new-passphrase-f"),
    ] {
        let done = vault.run(&[arguments, &["--json"]].concat());
        let error = done.refused(2, "needs-flag");
        assert!(error["hint"].as_str().unwrap().contains(flag), "{error}");
    }
    let mut without = vault.command(&["case", "list", "--json"]);
    without.env_remove("CASEVAULT_PASSPHRASE_FILE");
    casevault_e2e::vault::Done::of(without.output().unwrap()).refused(5, "no-passphrase");
    // Nothing of it was kept or logged.
    vault.verified();
}

#[test]
fn passphrase_change_leaves_one_passphrase() {
    let vault = size_s();
    std::fs::write(vault.around.join("new"), "nine loud herons over the mill\n").unwrap();
    let new = vault.around.join("new");
    vault
        .run(&[
            "passphrase",
            "change",
            "--new-passphrase-file",
            &new.to_string_lossy(),
            "--json",
        ])
        .done();
    vault.run(&["case", "list", "--json"]).refused(5, "wrong-passphrase");
    std::fs::copy(new, vault.around.join("passphrase")).unwrap();
    vault.verified();
}

/// Imports, exports and compares; imports again, and finds everything skipped.
fn round_trip(size: Size) {
    let text = caseload::make(size);
    let input = lines(&text);
    let vault = Vault::made();
    let import = vault.feed(&["import", "-", "--json"], &text).json();
    assert_shape(&import, "casevault.import/1", &["imported", "skipped", "malformed"]);
    assert_eq!(
        (&import["imported"], &import["skipped"]),
        (&json!(input.len()), &json!(0)),
        "{size:?}"
    );
    let output = vault.exported();
    assert_eq!(input.len(), output.len(), "{size:?}");
    for (number, (given, got)) in input.iter().zip(&output).enumerate() {
        assert_eq!(given, got, "{size:?}, line {}", number + 1);
    }
    let entries = vault.verified()["entries"].as_u64().unwrap();
    let again = vault.feed(&["import", "-", "--json"], &text).json();
    assert_eq!(
        (&again["imported"], &again["skipped"]),
        (&json!(0), &json!(input.len())),
        "{size:?}"
    );
    assert!(
        vault.verified()["entries"].as_u64().unwrap() <= entries + 2,
        "{size:?}: something was written twice"
    );
    if matches!(size, Size::S) {
        // An export is an import.
        let export = vault.run(&["export", "--format", "jsonl"]).done().stdout;
        assert_eq!(Vault::with(export.as_bytes()).exported(), output);
    }
}

#[test]
fn size_s_comes_back_as_it_went_in() {
    round_trip(Size::S);
}

#[test]
fn size_x_comes_back_as_it_went_in() {
    round_trip(Size::X);
}

#[test]
fn size_m_comes_back_as_it_went_in() {
    // The whole of it takes minutes without optimisation: there, its first cases stand for it.
    round_trip(if cfg!(debug_assertions) { Size::Part(6) } else { Size::M });
}

#[test]
fn a_line_that_conflicts_is_refused_by_number_unless_it_amends() {
    let vault = size_s();
    let mut changed: Vec<String> = std::str::from_utf8(text_s())
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let number = changed
        .iter()
        .position(|line| line.contains("\"type\": \"note\"") || line.contains("\"type\":\"note\""))
        .unwrap();
    let mut line: Value = serde_json::from_str(&changed[number]).unwrap();
    line["segments"][0]["text"] = json!("The door was open.");
    changed[number] = line.to_string();
    let text = changed.join("\n");
    let refused = vault.feed(&["import", "-", "--json"], text.as_bytes());
    assert_eq!((refused.code, &refused.error()["error"]), (1, &json!("import-refused")));
    let reply = refused.value();
    assert_eq!(
        (&reply["imported"], &reply["malformed"][0]["line"]),
        (&json!(0), &json!(number + 1))
    );
    assert_eq!(reply["malformed"].as_array().unwrap().len(), 1);
    let amended = vault
        .feed(&["import", "-", "--amend", "--json"], text.as_bytes())
        .json();
    assert_eq!(
        (&amended["imported"], &amended["amended"]),
        (&json!(1), &json!(1)),
        "{amended}"
    );
    assert_eq!(amended["skipped"], changed.len() - 1);
    for (given, got) in lines(text.as_bytes()).iter().zip(&vault.exported()) {
        assert_eq!(given, got);
    }
    let handle = vault.json(&["case", "list"])["cases"][0]["case"]
        .as_str()
        .unwrap()
        .to_owned();
    let rows = vault.json(&["note", "list", &handle]);
    let row = rows["notes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["external_id"] == line["note"])
        .unwrap();
    assert_eq!(row["versions"], 2);
    vault.verified();
}

#[test]
fn an_imported_note_that_says_no_time_of_writing_verifies_and_is_known_again() {
    let lines = br#"{"type":"case","case":"old-17","worker":"w-okafor","opened":"2024-05-02","template":"adult-social-care","profile":{"name":"Tam Brisk"}}
{"type":"note","case":"old-17","note":"old-17-1","author":"w-okafor","kind":"phone","occurred_at":"2024-05-02","segments":[{"kind":"narrative","text":"Rang twice."}]}
"#;
    let vault = Vault::with(lines);
    vault.verified();
    let again = vault.feed(&["import", "-", "--json"], lines).json();
    assert_eq!(again["skipped"], 2, "{again}");
    vault.verified();
}

#[test]
fn pages_leave_out_reflections_and_the_lines_to_import_hold_them() {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    vault.add_note(
        &case,
        "obs: The kitchen was cold.\n\npriv: I was angry on her behalf.\n",
    );
    for (form, held) in [("jsonl", true), ("json", true), ("markdown", false), ("html", false)] {
        let out = vault.run(&["export", &case, "--format", form]).done().stdout;
        assert!(out.contains("The kitchen was cold."), "{form}: {out}");
        assert_eq!(out.contains("I was angry"), held, "{form}: {out}");
    }
}

#[test]
fn an_amended_note_stays_in_its_section_and_its_segments_may_move() {
    let line = |section: &str, segment: &str| {
        format!(
            concat!(
                r#"{{"type":"case","case":"ext-1","worker":"w001","opened":"2024-01-08","template":"adult-social-care","profile":{{"name":"Una Kestle"}}}}"#,
                "\n",
                r#"{{"type":"note","case":"ext-1","note":"ext-1-1","author":"w001","kind":"phone","section":"{}","occurred_at":"2024-03-02T14:00:00Z","recorded_at":"2024-03-02T16:10:00Z","segments":[{}]}}"#,
                "\n",
            ),
            section, segment
        )
        .into_bytes()
    };
    let vault = Vault::with(&line("core", r#"{"kind":"observation","text":"The heating is off."}"#));
    let other = line("housing", r#"{"kind":"observation","text":"The heating is off."}"#);
    let refused = vault.feed(&["import", "-", "--amend", "--json"], &other);
    let reply: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!(reply["malformed"][0]["line"], 2, "{reply}");
    assert!(
        reply["malformed"][0]["why"].as_str().unwrap().contains("`section`"),
        "{reply}"
    );
    let moved = line(
        "core",
        r#"{"kind":"observation","text":"The heating is off.","section":"housing"}"#,
    );
    assert_eq!(
        vault.feed(&["import", "-", "--amend", "--json"], &moved).json()["amended"],
        1
    );
    assert_eq!(vault.verified()["failures"], json!([]));
    assert_eq!(vault.exported(), lines(&moved));
}

#[test]
fn to_amend_a_note_does_not_make_it_late() {
    let vault = size_s();
    let case = vault.json(&["case", "list"])["cases"][0]["case"]
        .as_str()
        .unwrap()
        .to_owned();
    let first = |vault: &Vault| vault.json(&["note", "list", &case])["notes"][0].clone();
    let before = first(&vault);
    let note = before["note"].as_str().unwrap();
    let saved = vault
        .feed(
            &["note", "amend", note, "--file", "-", "--json"],
            b"The door was open. {significant}",
        )
        .json();
    assert_eq!(saved["version"], 2, "{saved}");
    let shown = vault.json(&["note", "show", note]);
    for (reply, of) in [(&saved, "amend"), (&shown, "show"), (&first(&vault), "list")] {
        assert_eq!(
            (&reply["recorded_at"], &reply["lag"]),
            (&before["recorded_at"], &before["lag"]),
            "{of}"
        );
    }
}

#[test]
fn malformed_lines_are_named_by_number_and_keep_going_keeps_the_rest() {
    let worker = br#"{"type":"worker","worker":"w001","role":"caseworker"}"#.to_vec();
    let case = br#"{"type":"case","case":"ext-1","worker":"w001","opened":"2024-01-08","template":"adult-social-care","profile":{"name":"Una Kestle"}}"#.to_vec();
    let note = |change: fn(&mut Value)| {
        let mut line = json!({"type": "note", "case": "ext-1", "note": "ext-1-1", "author": "w001", "kind": "phone", "section": "core",
            "occurred_at": "2024-02-01T10:00:00Z", "recorded_at": "2024-02-01T11:00:00Z",
            "segments": [{"kind": "observation", "text": "Rang."}]});
        change(&mut line);
        line.to_string().into_bytes()
    };
    let good = note(|_| {});
    let truncated = good[..good.len() - 9].to_vec();
    let mut not_utf8 = note(|line| line["note"] = json!("ext-1-2"));
    let place = not_utf8.windows(5).position(|window| window == b"Rang.").unwrap();
    not_utf8[place] = 0xff;
    let long = "word ".repeat((4 << 20) / 5);
    let long = json!({"type": "note", "case": "ext-1", "note": "ext-1-3", "kind": "phone", "segments": [{"kind": "observation", "text": long}]});
    let bad: Vec<(Vec<u8>, &str)> = vec![
        (truncated, "the text ends"),
        (note(|line| line["type"] = json!("letter")), "letter"),
        (note(|line| line["kind"] = json!("telepathy")), "telepathy"),
        (note(|line| line["section"] = json!("astrology")), "astrology"),
        (note(|line| line["segments"][0]["kind"] = json!("rumour")), "rumour"),
        (note(|line| line["case"] = json!("ext-9")), "ext-9"),
        (
            note(|line| line["occurred_at"] = json!("2024-02-30T10:00:00Z")),
            "occurred_at",
        ),
        (note(|line| line["recorded_at"] = json!("yesterday")), "recorded_at"),
        (note(|line| line["note"] = json!("")), "note"),
        (note(|line| line["segments"] = json!("none")), "segments"),
        (not_utf8, "UTF-8"),
        (long.to_string().into_bytes(), "longer than 4194304 bytes"),
        (b"[]".to_vec(), ""),
        (b"\x1b]52;c;x\x07".to_vec(), ""),
    ];
    let mut text = [worker, case].join(&b'\n');
    for (line, _) in &bad {
        text.push(b'\n');
        text.extend_from_slice(line);
    }
    text.push(b'\n');
    text.extend_from_slice(&good);
    text.push(b'\n');

    let vault = Vault::made();
    let refused = vault.feed(&["import", "-", "--json"], &text);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    let reply = refused.value();
    assert_eq!(reply["imported"], 0);
    let malformed = reply["malformed"].as_array().unwrap();
    assert_eq!(malformed.len(), bad.len(), "{malformed:?}");
    for (index, (failure, (_, why))) in malformed.iter().zip(&bad).enumerate() {
        assert_eq!(failure["line"], index + 3);
        let said = failure["why"].as_str().unwrap();
        assert!(
            said.contains(why) && !said.is_empty(),
            "line {}: `{said}` does not say `{why}`",
            index + 3
        );
        assert!(!said.contains(['\u{1b}', '\u{7}']), "{said:?}");
    }
    assert_eq!(vault.json(&["case", "list"])["cases"], json!([]), "nothing is kept");
    // In words, too, each line is named, and nothing drives the terminal.
    let said = vault.feed(&["import", "-"], &text);
    assert_eq!(said.code, 1);
    let said = said.stdout + &said.stderr;
    assert!(!said.contains(['\u{1b}', '\u{7}']), "{said:?}");
    for number in 3..bad.len() + 3 {
        assert!(said.contains(&number.to_string()), "line {number} is not named: {said}");
    }

    let kept = vault.feed(&["import", "-", "--keep-going", "--json"], &text).value();
    assert_eq!(
        (&kept["imported"], &kept["malformed"]),
        (&json!(3), &reply["malformed"])
    );
    let exported = vault.exported();
    assert_eq!(exported[2], serde_json::from_slice::<Value>(&good).unwrap());
    vault.verified();
}

#[test]
fn a_note_of_the_future_is_taken_and_counted() {
    let vault = Vault::made();
    let text = r#"{"type":"worker","worker":"w001","role":"caseworker"}
{"type":"case","case":"ext-1","worker":"w001","opened":"2024-01-08","template":"adult-social-care","profile":{"name":"Una Kestle"}}
{"type":"note","case":"ext-1","note":"ext-1-1","author":"w001","kind":"phone","section":"core","occurred_at":"2024-02-01T10:00:00Z","recorded_at":"2024-02-01T10:00:00Z","segments":[{"kind":"observation","text":"Rang."}]}
{"type":"note","case":"ext-1","note":"ext-1-2","author":"w001","kind":"phone","section":"core","occurred_at":"2999-02-01T10:00:00Z","recorded_at":"2999-02-01T10:00:00Z","segments":[{"kind":"observation","text":"Will ring."}]}
"#;
    let import = vault.feed(&["import", "-", "--json"], text.as_bytes()).json();
    assert_eq!((&import["imported"], &import["in_future"]), (&json!(4), &json!(1)));
    assert_eq!(vault.exported(), lines(text.as_bytes()));
}
