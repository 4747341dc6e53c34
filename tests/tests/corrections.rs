//! What is corrected stays: amendments without a change, clients' profiles, closings, and the files of misfiled notes.

use casevault_e2e::vault::{Vault, lines};
use serde_json::{Value, json};

#[test]
fn an_amendment_that_says_the_same_makes_no_version_and_says_so() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let text = "obs: The hall is cold. {significant}\n\ndec: Ring the landlord.\n  why: it is March\n";
    let note = vault.add_note(&case, text);
    let again = vault
        .feed(&["note", "amend", &note, "--file", "-"], text.as_bytes())
        .done();
    assert_eq!(again.stdout, format!("nothing changed in {note}\n"));
    let amend = ["note", "amend", &note, "--file", "-", "--json"];
    let again = vault.feed(&amend, text.as_bytes()).json();
    assert_eq!((&again["changed"], &again["version"]), (&json!(false), &json!(1)));
    assert_eq!(
        vault.json(&["note", "history", &note])["versions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    // One letter is a change.
    let other = vault.feed(&amend, text.replace("cold", "colder").as_bytes()).json();
    assert_eq!((&other["changed"], &other["version"]), (&json!(true), &json!(2)));
    vault.verified();
}

#[test]
fn one_of_several_files_that_says_the_same_already_gets_no_version() {
    let vault = Vault::made();
    let (one, other) = (vault.open_case("Ada Brisk"), vault.open_case("Bo Brisk"));
    let add = ["note", "add", &one, "--also", &other, "--kind", "phone", "--file", "-"];
    let note = vault.feed(&add, b"obs: Both were there.\n").handle();
    let amend = |text: &[u8], others: bool| {
        let mut args = vec!["note", "amend", &note, "--file", "-", "--json"];
        args.extend(others.then_some("--others"));
        vault.feed(&args, text).json()
    };
    // This one goes ahead, so the other alone is behind.
    assert_eq!(amend(b"obs: Both were at home.\n", false)["version"], 2);
    let reply = amend(b"obs: Both were at home.\n", true);
    assert_eq!(
        (&reply["changed"], &reply["others"][0]["saved"]),
        (&json!(false), &json!(true))
    );
    let reply = amend(b"obs: Both were at home.\n", true);
    assert_eq!(
        (&reply["changed"], &reply["others"][0]["saved"]),
        (&json!(false), &json!(false))
    );
}

#[test]
fn a_profile_is_corrected_field_by_field_and_its_history_shows_every_version() {
    let vault = Vault::made();
    let profile = r#"{"name":"Elin Farow","date_of_birth":"1952-06","weight":1.50,"nickname":"El"}"#;
    let open = ["case", "open", "--template", "adult-social-care", "--file", "-"];
    let case = vault.feed(&open, profile.as_bytes()).handle();
    let amend = ["case", "amend", &case, "--file", "-", "--json"];
    let changes = br#"{"name":"Elin Farrow","nickname":null,"language":"Welsh"}"#;
    let reply = vault.feed(&amend, changes).json();
    assert_eq!(reply["version"], 2);
    assert_eq!(reply["changed"], json!(["name", "language", "nickname"]));
    let again = vault.feed(&amend, changes).json();
    assert_eq!((&again["version"], &again["changed"]), (&json!(2), &json!([])));
    assert_eq!(vault.json(&["case", "list"])["cases"][0]["label"], "Elin Farrow");
    let shown = vault.json(&["case", "show", &case]);
    assert_eq!(
        shown["profile"],
        json!({"name":"Elin Farrow","date_of_birth":"1952-06","weight":1.5,"language":"Welsh"})
    );
    assert_eq!(
        vault
            .run(&["case", "amend", &case, "--opened", "2026-01-05"])
            .done()
            .code,
        0
    );

    let history = vault.json(&["case", "history", &case]);
    let versions = history["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 3);
    assert!(versions.iter().all(|version| version["at"].is_string()), "{history}");
    let nickname = versions[1]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["field"] == "nickname");
    assert_eq!(
        nickname.unwrap(),
        &json!({"field":"nickname","before":"El","after":null})
    );
    assert_eq!(versions[2]["changes"][0]["field"], "opened");
    let text = vault.run(&["case", "history", &case]).done().stdout;
    assert!(
        text.contains("  name: struck: Elin Farow\n  name: now: Elin Farrow\n"),
        "{text}"
    );
    // Digits stay as they were written, and what is no object is refused with its place.
    let line = vault.run(&["export", "--format", "jsonl"]).done().stdout;
    assert!(line.contains(r#""weight":1.50"#), "{line}");
    vault.feed(&amend, b"[1]").refused(1, "malformed");
    vault.verified();
}

#[test]
fn an_imported_case_is_corrected_and_its_next_import_is_compared_with_that() {
    let line = r#"{"type":"case","case":"old-1","opened":"2024-05-02","template":"adult-social-care","profile":{"name":"Tam Brisk"}}"#;
    let vault = Vault::with(line.as_bytes());
    let amend = ["case", "amend", "old-1", "--file", "-", "--json"];
    let amended = vault.feed(&["case", "list", "--json"], b"").json()["cases"][0]["case"].clone();
    let by_handle = ["case", "amend", amended.as_str().unwrap(), "--file", "-", "--json"];
    assert_eq!(
        vault.feed(&amend, b"{}").code,
        2,
        "a handle of another system is no handle of ours"
    );
    assert_eq!(
        vault.feed(&by_handle, br#"{"name":"Tam Brisker"}"#).json()["version"],
        2
    );
    vault.verified();
    let exported = vault.run(&["export", "--format", "jsonl"]).done().stdout;
    let again = vault.feed(&["import", "-", "--json"], exported.as_bytes()).json();
    assert_eq!(again["skipped"], 1);
    let before = vault.feed(&["import", "-", "--json"], line.as_bytes());
    assert_eq!(before.code, 1);
    assert!(
        before.value()["malformed"][0]["why"]
            .as_str()
            .unwrap()
            .contains("another content")
    );
}

#[test]
fn a_closing_goes_out_with_its_case_and_comes_in_again() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    vault.run(&["case", "amend", &case, "--opened", "2026-01-05"]).done();
    let close = [
        "case",
        "close",
        &case,
        "--on",
        "2026-03-01",
        "--reason",
        "moved-away",
        "--file",
        "-",
    ];
    vault
        .feed(&close, b"Left for the coast; her sister has the papers.\n")
        .done();
    let of = |vault: &Vault| -> Vec<Value> {
        let lines = vault.exported();
        lines.into_iter().filter(|line| line["type"] == "case").collect()
    };
    let exported = of(&vault);
    assert_eq!(
        exported[0]["closed"],
        json!({"on":"2026-03-01","reason":"moved-away","outcome":"Left for the coast; her sister has the papers."})
    );
    vault.verified();

    let text = vault.run(&["export", "--format", "jsonl"]).done().stdout;
    let other = Vault::with(text.as_bytes());
    let cases = other.json(&["case", "list"]);
    assert_eq!(cases["cases"][0]["status"], "closed");
    let there = cases["cases"][0]["case"].as_str().unwrap();
    other
        .feed(&["note", "add", there, "--file", "-", "--json"], b"obs: x\n")
        .refused(1, "case-closed");
    assert_eq!(of(&other), exported);
    // The whole, not the case alone: the outcome is a note as well.
    assert_eq!(other.run(&["export", "--format", "jsonl"]).done().stdout, text);
    let again = other.feed(&["import", "-", "--json"], text.as_bytes()).json();
    assert_eq!((&again["imported"], &again["skipped"]), (&json!(0), &json!(2)));
    other.verified();
    // A line that says nothing of it opens no closed case.
    let mut open = exported[0].clone();
    open.as_object_mut().unwrap().remove("closed");
    open["profile"]["name"] = json!("Ada Brisker");
    let amended = other
        .feed(&["import", "-", "--amend", "--json"], open.to_string().as_bytes())
        .json();
    assert_eq!(amended["amended"], 1);
    assert_eq!(other.json(&["case", "list"])["cases"][0]["status"], "closed");
    assert_eq!(of(&other)[0]["closed"], exported[0]["closed"]);
    other.verified();
}

#[test]
fn a_case_is_closed_for_a_reason_of_its_template_and_opened_again_in_its_history() {
    let vault = Vault::made();
    let (adult, child) = (vault.open_case("Ada Brisk"), {
        let open = [
            "case",
            "open",
            "--template",
            "child-and-family",
            "--file",
            "-",
            "--json",
        ];
        let opened = vault.feed(&open, br#"{"name":"Kit Brisk"}"#).json();
        opened["case"].as_str().unwrap().to_owned()
    });
    let close = |case: &str, reason: &str| vault.run(&["case", "close", case, "--reason", reason, "--json"]);
    // Each template has its own; a wrong one is told those that there are, and nothing happened.
    let refused = close(&adult, "adopted").refused(2, "unknown-name");
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.starts_with("`adopted` is not a reason for closing: goals-met, "),
        "{message}"
    );
    close(&child, "goals-met").refused(2, "unknown-name");
    let statuses = |vault: &Vault| -> Vec<Value> {
        let cases = vault.json(&["case", "list"]);
        cases["cases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|case| case["status"].clone())
            .collect()
    };
    assert_eq!(statuses(&vault), ["open", "open"]);
    close(&child, "adopted").done();
    close(&adult, "moved-away").done();
    let shown = vault.json(&["template", "show", "child-and-family"]);
    let listed = shown["closing"].as_array().unwrap();
    assert!(listed.iter().any(|reason| reason["code"] == "adopted"), "{listed:?}");

    let reopened = vault
        .feed(
            &["case", "reopen", &adult, "--file", "-", "--json"],
            b"She came back.\n",
        )
        .json();
    let history = vault.json(&["case", "history", &adult]);
    let versions = history["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 3, "{history}");
    assert_eq!(versions[1]["changes"][0]["after"]["reason"], "moved-away");
    let last = &versions[2];
    assert!(
        last["at"].is_string() && last["signed_by"].as_str().unwrap().starts_with("m-"),
        "{last}"
    );
    let changed = |field: &str| {
        let changes = last["changes"].as_array().unwrap().iter();
        changes
            .clone()
            .find(|change| change["field"] == field)
            .cloned()
            .unwrap()
    };
    assert_eq!(changed("closed")["after"], Value::Null);
    assert_eq!(changed("reopened")["after"]["note"], reopened["note"]);
    assert_eq!(changed("reopened")["after"]["on"], reopened["reopened"]);
    let text = vault.run(&["case", "history", &adult]).done().stdout;
    assert!(text.contains("  reopened: on ") && text.contains(", note n-"), "{text}");
    // What goes out is an open case, and comes in as one.
    let lines = vault.run(&["export", "--format", "jsonl"]).done().stdout;
    let other = Vault::with(lines.as_bytes());
    assert_eq!(statuses(&other), ["open", "closed"]);
    vault.verified();
    other.verified();
}

#[test]
fn a_case_shows_who_the_person_is() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let before = vault.run(&["case", "show", &case]).done().stdout;
    assert!(!before.contains("\nPerson\n"), "{before}");
    let fields =
        br#"{"date_of_birth":"1952-06","language":"Welsh","communication_needs":["hearing aid","large print"]}"#;
    vault.feed(&["case", "amend", &case, "--file", "-"], fields).done();
    let shown = vault.run(&["case", "show", &case]).done().stdout;
    let person = "\nPerson\n  date of birth: 1952-06\n  language: Welsh\n  communication needs: hearing aid\n  \
                  communication needs: large print\n";
    assert!(shown.contains(person), "{shown}");
}

#[test]
fn what_is_no_lines_is_said_once_and_an_unknown_template_by_its_line() {
    let vault = Vault::made();
    let whole = vault.run(&["export", "--format", "json"]).done().stdout;
    for (text, found) in [
        ("<!DOCTYPE html>\n<html>\n<body>\n{\n</html>\n", "an HTML or XML page"),
        ("[\n{\"type\":\"case\"}\n]\n", "one JSON array"),
        (whole.as_str(), "one whole JSON document"),
        (
            "{\n  \"type\": \"case\",\n  \"case\": \"a\"\n}\n",
            "one whole JSON document",
        ),
        ("name;born\nAda;1952\n", "text of another kind"),
        ("%PDF-1.7\n", "a PDF"),
    ] {
        for args in [
            &["import", "-", "--json"][..],
            &["import", "-", "--json", "--keep-going"][..],
        ] {
            let error = vault.feed(args, text.as_bytes()).refused(1, "not-lines");
            assert!(error["message"].as_str().unwrap().contains(found), "{error}");
        }
    }
    let lines_of = [
        r#"{"type":"case","case":"a","template":"adult-social-care","profile":{"name":"A"}}"#,
        r#"{"type":"case","case":"b","template":"nowhere","profile":{"name":"B"}}"#,
        r#"{"type":"case","case":"c","closed":"soon","profile":{"name":"C"}}"#,
        r#"{"type":"note","case":"a","note":"1","author":"w","kind":"phone","template":"nowhere","occurred_at":"2024-05-02","segments":[]}"#,
    ]
    .join("\n");
    let refused = vault.feed(&["import", "-", "--json"], lines_of.as_bytes());
    assert_eq!(refused.code, 1);
    let malformed = refused.value()["malformed"].as_array().unwrap().clone();
    let numbers: Vec<_> = malformed.iter().map(|line| line["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 3, 4]);
    for (line, words) in [
        (0, "`nowhere` is not a template: adult-social-care"),
        (1, "`soon` is not a day"),
        (2, "`nowhere` is not a template"),
    ] {
        assert!(
            malformed[line]["why"].as_str().unwrap().contains(words),
            "{malformed:?}"
        );
    }
    let kept = vault
        .feed(&["import", "-", "--json", "--keep-going"], lines_of.as_bytes())
        .json();
    assert_eq!((&kept["cases"], &kept["notes"]), (&json!(1), &json!(0)));
    assert_eq!(
        lines(vault.run(&["export", "--format", "jsonl"]).done().stdout.as_bytes()).len(),
        1
    );
}

#[test]
fn what_only_leaves_out_is_counted_by_kind() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let note = vault.add_note(
        &case,
        "obs: Cold hall.\n\nsaid client: \"I am fine.\"\n\nint: She is not.\n\nJust words.\n",
    );
    let shown = vault.run(&["note", "show", &note, "--only", "quote"]).done().stdout;
    assert!(
        shown.ends_with("3 segments are left out: 1 observation, 1 opinion, 1 narrative\n")
            || shown.ends_with("3 segments are left out: 1 observation, 1 opinion, 1 narrative (not confirmed)\n"),
        "{shown}"
    );
    let json = vault.json(&["note", "show", &note, "--only", "quote"]);
    assert_eq!(json["left_out"], 3);
    assert_eq!(
        json["left_out_kinds"][1],
        json!({"kind":"interpretation","confirmed":true,"segments":1})
    );
}

#[test]
fn the_files_of_a_misfiled_note_go_with_it_sealed_anew_and_the_old_ones_are_hidden() {
    let vault = Vault::made();
    let (wrong, right) = (vault.open_case("Ada Brisk"), vault.open_case("Bo Else"));
    let note = vault.add_note(&wrong, "obs: About the other person.\n");
    let scan: Vec<u8> = (0..3_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for (name, bytes) in [("scan.bin", scan.as_slice()), ("empty.txt", b"")] {
        std::fs::write(vault.around.join(name), bytes).unwrap();
        let path = vault.around.join(name);
        vault
            .run(&["note", "attach", &note, path.to_str().unwrap(), "--as-original"])
            .done();
    }
    let before = vault.json(&["note", "attach", &note, "--list"])["attachments"].clone();
    let files = || std::fs::read_dir(vault.home.join("attachments")).unwrap().count();
    assert_eq!(files(), 2);
    let args = ["note", "misfiled", &note, "--to", &right, "--file", "-", "--json"];
    let reply = vault.feed(&args, b"another person's\n").json();
    assert_eq!(
        (&reply["attachments"], &reply["attachments_left"]),
        (&json!(2), &json!([]))
    );
    let refiled = reply["refiled"].as_str().unwrap();
    assert_eq!(files(), 4);
    let after = vault.json(&["note", "attach", refiled, "--list"])["attachments"].clone();
    // Name, type, time, hash and all: what is known of them is the same.
    assert_eq!(after, before);
    let out = vault.around.join("out.bin");
    vault
        .run(&["note", "attach", refiled, "--get", "1", "--out", out.to_str().unwrap()])
        .done();
    assert_eq!(std::fs::read(&out).unwrap(), scan);
    vault
        .run(&["note", "attach", &note, "--list", "--json"])
        .refused(1, "misfiled");
    assert_eq!(vault.verified()["attachments"], 4);
    // The two files of one content are sealed under keys of their own.
    let mut sealed: Vec<Vec<u8>> = std::fs::read_dir(vault.home.join("attachments"))
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .filter(|bytes| bytes.len() > 1_000_000)
        .collect();
    assert_eq!(sealed.len(), 2);
    assert_ne!(sealed.pop(), sealed.pop());
}

#[test]
fn a_file_that_is_not_what_was_attached_stays_behind_and_the_note_is_hidden_all_the_same() {
    let vault = Vault::made();
    let (wrong, right) = (vault.open_case("Ada Brisk"), vault.open_case("Bo Else"));
    let note = vault.add_note(&wrong, "obs: About the other person.\n");
    let path = vault.around.join("scan.bin");
    std::fs::write(&path, vec![7_u8; 2_500_000]).unwrap();
    vault.run(&["note", "attach", &note, path.to_str().unwrap()]).done();
    let sealed = std::fs::read_dir(vault.home.join("attachments"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = std::fs::read(&sealed).unwrap();
    let last = bytes.len() - 40;
    bytes[last] ^= 1;
    std::fs::write(&sealed, bytes).unwrap();
    let args = ["note", "misfiled", &note, "--to", &right, "--file", "-", "--json"];
    let reply = vault.feed(&args, b"another person's\n").json();
    assert_eq!(reply["attachments"], 0);
    let left = &reply["attachments_left"][0];
    assert!(left["check"].as_str().unwrap().starts_with("CHK-11"), "{reply}");
    vault.run(&["note", "show", &note, "--json"]).refused(1, "misfiled");
    let refiled = reply["refiled"].as_str().unwrap();
    assert_eq!(
        vault.json(&["note", "attach", refiled, "--list"])["attachments"],
        json!([])
    );
    assert_eq!(
        std::fs::read_dir(vault.home.join("attachments")).unwrap().count(),
        1,
        "no half of a file is left"
    );
}

#[test]
fn a_misspelt_field_is_refused_with_the_one_that_was_meant_and_a_strange_one_is_told() {
    let vault = Vault::made();
    let open = [
        "case",
        "open",
        "--template",
        "adult-social-care",
        "--file",
        "-",
        "--json",
    ];
    let refused = vault.feed(
        &open,
        b"{\"name\":\"Ada Brisk\",\n \"danger_to_worker\":\"The dog bites.\"}",
    );
    let message = refused.refused(1, "malformed")["message"].to_string();
    assert!(
        message.contains("line 2, column 2") && message.contains("`danger_to_workers`"),
        "{message}"
    );
    vault
        .feed(&open, br#"{"profile":{"name":"A","date_of_brith":"1950"}}"#)
        .refused(1, "malformed");
    assert_eq!(vault.json(&["case", "list"])["cases"], json!([]));

    // A field of one's own is kept, and told; under `other` it is neither looked at nor told.
    let opened = vault
        .feed(
            &open,
            br#"{"name":"Ada Brisk","faith":"Quaker","other":{"danger_to_worker":"x"}}"#,
        )
        .json();
    assert_eq!(opened["unknown_fields"], json!(["faith"]));
    let case = opened["case"].as_str().unwrap();
    let amend = ["case", "amend", case, "--file", "-"];
    let slip = vault.feed(&amend, br#"{"date_of_brith":"1950"}"#);
    assert!(
        slip.code == 1 && slip.stderr.contains("`date_of_birth`"),
        "{}",
        slip.stderr
    );
    let told = vault.feed(&amend, br#"{"gp":"Dr Lee"}"#).done();
    assert!(told.stderr.contains("not known here, and kept: gp"), "{}", told.stderr);
    // What an older version kept can be taken away again.
    vault.feed(&amend, br#"{"danger_to_worker":null}"#).done();

    let add = ["note", "add", case, "--kind", "phone", "--file", "-", "--json"];
    let slip = br#"{"segments":[{"kind":"quote","speeker":"client","text":"Yes."}]}"#;
    let message = vault.feed(&add, slip).refused(1, "malformed")["message"].to_string();
    assert!(
        message.contains("segments[0].speeker") && message.contains("`speaker`"),
        "{message}"
    );
    let own = br#"{"ticket":7,"segments":[{"kind":"observation","text":"Yes."}]}"#;
    assert_eq!(vault.feed(&add, own).json()["unknown_fields"], json!(["ticket"]));

    let lines = br#"{"type":"case","case":"x-1","profile":{"name":"B","dob":"1950"}}
{"type":"case","case":"x-2","profile":{"name":"C","faith":"none"}}
"#;
    let reply = vault.feed(&["import", "-", "--keep-going", "--json"], lines).json();
    assert_eq!(reply["malformed"][0]["line"], 1);
    assert!(
        reply["malformed"][0]["why"]
            .as_str()
            .unwrap()
            .contains("`date_of_birth`"),
        "{reply}"
    );
    assert_eq!(
        (&reply["imported"], &reply["unknown_fields"]),
        (&json!(1), &json!({"faith": 1}))
    );
    vault.verified();
}

#[test]
fn an_amendment_that_takes_away_that_a_step_was_done_says_so() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, "obs: The kitchen was cold.\n\nplan: Ring the landlord.\n");
    vault
        .feed(&["plan", "done", &format!("{note}:2"), "--file", "-"], b"He comes.\n")
        .done();
    let amend = ["note", "amend", &note, "--file", "-"];
    let text = b"plan: Ring the landlord.\n\nobs: The kitchen was warm.\n";
    let said = vault.feed(&amend, text).done();
    assert!(
        said.stderr
            .contains("the step `Ring the landlord.` is not done any more"),
        "{}",
        said.stderr
    );
    // Said once: from then on it was open before too.
    let again = vault
        .feed(&[&amend[..], &["--json"]].concat(), b"plan: Ring the landlord.\n")
        .json();
    assert_eq!(again["undone"], serde_json::Value::Null);
    // With the mark it stays done.
    let kept = b"plan: Ring the landlord.\n  done: 2026-03-12\n";
    vault.feed(&amend, kept).done();
    let kept = b"obs: New.\n\nplan: Ring the landlord.\n  done: 2026-03-12\n";
    let kept = vault.feed(&[&amend[..], &["--json"]].concat(), kept).json();
    assert_eq!(kept["undone"], serde_json::Value::Null);
}

#[test]
fn who_signed_for_another_worker_is_named_wherever_the_note_is_shown() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let other = vault.add_note(&case, "worker: w-jo\n\nobs: The hall is cold. {significant}\n");
    let own = vault.add_note(&case, "obs: The stove is lit. {significant}\n");
    let member = vault.json(&["note", "show", &own])["signed_by"]
        .as_str()
        .unwrap()
        .to_owned();
    let said = |text: &str| {
        let text = text.replace('\\', "");
        text.matches("w-jo, written and signed by ").count() == 1
            && text.matches("written and signed by").count() == 1
            && text.contains(&format!("({member})"))
    };
    let shown = vault.run(&["note", "show", &other]).done().stdout;
    assert!(said(&shown), "{shown}");
    assert!(!vault.run(&["note", "show", &own]).done().stdout.contains("signed by"));
    for line in [
        vec!["chronology", "show", &case],
        vec!["export", &case, "--format", "markdown"],
        vec!["export", &case, "--format", "html"],
    ] {
        let text = vault.run(&line).done().stdout;
        assert!(said(&text), "{line:?}: {text}");
    }
}

#[test]
fn what_is_misfiled_or_withdrawn_names_the_copies_that_stay_and_is_filed_once() {
    let vault = Vault::made();
    let [ada, bo, cy] = ["Ada Brisk", "Bo Brisk", "Cy Brisk"].map(|name| vault.open_case(name));
    let also = format!("{bo},{cy}");
    let add = [
        "note", "add", &ada, "--also", &also, "--kind", "phone", "--file", "-", "--json",
    ];
    let saved = vault.feed(&add, b"obs: All were at home.\n").json();
    let note = saved["note"].as_str().unwrap();
    let copy = |n: usize| saved["others"][n]["note"].as_str().unwrap();
    // Into the case that holds it already: it is there once.
    let misfiled = ["note", "misfiled", note, "--to", &bo, "--file", "-"];
    let said = vault.feed(&misfiled, b"opened the wrong case").done().stdout;
    let already = format!("Bo Brisk ({bo}) holds it already, as {}", copy(0));
    assert!(said.contains(&already), "{said}");
    assert!(
        said.contains(&format!("{} in case {cy} says the same, and stays", copy(1))),
        "{said}"
    );
    assert!(!said.contains(&format!("{} in case {bo} says", copy(0))), "{said}");
    assert_eq!(vault.json(&["note", "list", &bo])["notes"].as_array().unwrap().len(), 1);
    // What was withdrawn stays nowhere.
    let withdrawn = vault.json(&["note", "withdraw", copy(0)]);
    assert_eq!(withdrawn["others"][0]["note"], copy(1));
    assert!(withdrawn["others"].get(1).is_none(), "{withdrawn}");
    assert_eq!(vault.json(&["note", "withdraw", copy(1)]).get("others"), None);
    vault.verified();
}

#[test]
fn no_file_is_replaced_by_a_backup_a_ledger_or_an_export_unless_it_is_said() {
    let vault = Vault::made();
    let case = vault.open_case("Ada Brisk");
    let out = vault.around.join("there");
    let out = out.to_str().unwrap();
    for line in [
        vec!["backup", "create", "--out", out],
        vec!["backup", "ledger", "--out", out],
        vec!["export", &case, "--out", out],
    ] {
        std::fs::write(out, "mine").unwrap();
        vault.run(&[&line[..], &["--json"]].concat()).refused(2, "usage");
        assert_eq!(std::fs::read(out).unwrap(), b"mine", "{line:?}");
        vault.run(&[&line[..], &["--force"]].concat()).done();
        assert_ne!(std::fs::read(out).unwrap(), b"mine", "{line:?}");
    }
}

#[test]
fn an_import_tells_of_clients_who_are_called_as_one_that_is_here() {
    let vault = Vault::made();
    vault.open_case("Ada Brisk");
    let line = |id: &str, name: &str| {
        format!(
            r#"{{"type":"case","case":"{id}","opened":"2024-05-02","template":"adult-social-care","profile":{{"name":"{name}"}}}}"#
        ) + "\n"
    };
    let lines = line("x-1", "ADA  Brisk") + &line("x-2", "Bo Brisk");
    let reply = vault.feed(&["import", "-", "--json"], lines.as_bytes()).json();
    assert_eq!(reply["same_name"], json!(["x-1"]));
    let lines = line("x-3", "Bo Brisk") + &line("x-4", "Cy Brisk");
    let said = vault.feed(&["import", "-"], lines.as_bytes()).done().stdout;
    assert!(
        said.contains("1 case is of a client of the same name as another: x-3"),
        "{said}"
    );
    let reply = vault
        .feed(&["import", "-", "--json"], line("x-5", "Di Brisk").as_bytes())
        .json();
    assert_eq!(reply.get("same_name"), None);
}

#[test]
fn the_clients_first_name_is_the_client_unless_another_has_it_which_is_said_at_saving() {
    let vault = Vault::made();
    let case = vault.open_case("Callum Doran");
    let add = ["note", "add", &case, "--kind", "phone", "--file", "-", "--json"];
    let quoted = || {
        vault.json(&["case", "show", &case, "--brief"])["quotes"]
            .as_array()
            .unwrap()
            .len()
    };
    let saved = vault.feed(&add, b"said Callum: \"I like it here.\"\n").json();
    assert_eq!((saved.get("doubts"), quoted()), (None, 1));
    let other = vault.feed(&add, b"said Callum Price: \"So do I.\"\n").json();
    assert_eq!((other.get("doubts"), quoted()), (None, 0));
    let saved = vault.feed(&add, b"said Callum: \"We go out.\"\n").json();
    let doubt = saved["doubts"][0].as_str().unwrap();
    assert!(
        doubt.starts_with("`said Callum:` may be the client or somebody else"),
        "{doubt}"
    );
    assert_eq!(quoted(), 0);
    let none = vault.run(&["case", "stale", "--days", "30"]).done().stdout;
    assert_eq!(none, "none of 1 open case is without contact for 30 days\n");
}
