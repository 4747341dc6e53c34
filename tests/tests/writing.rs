//! What goes into a file, out of it, and beside it: e-mails, one note in several files, a note in the wrong file.

use casevault_e2e::leak::Words;
use casevault_e2e::vault::Vault;
use serde_json::Value;
use serde_json::json;

const MAIL: &[u8] = b"From: =?iso-8859-1?q?Si=E2n?= Harker <sian@example.org>\r\nTo: duty@example.net\r\n\
    Date: Thu, 12 Mar 2026 15:05:00 +0100\r\nSubject: The boiler\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=iso-8859-1\r\n\r\nThe caf\xe9 is cold.\r\n\r\n\
    On 11 Mar 2026, duty wrote:\r\n> Is it cold?\r\n";

fn texts(vault: &Vault, note: &str) -> Vec<String> {
    let shown = vault.json(&["note", "show", note]);
    let segments = shown["segments"].as_array().unwrap().iter();
    segments.map(|s| s["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_e_mail_file_becomes_a_note_of_what_its_sender_reported() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let file = vault.around.join("mail.eml");
    std::fs::write(&file, MAIL).unwrap();
    let file = file.display().to_string();
    let add = ["note", "add", &case, "--kind", "correspondence", "--file", &file];
    let note = vault.run(&add).handle();
    let shown = vault.json(&["note", "show", &note]);
    assert_eq!(shown["kind"], "correspondence");
    assert_eq!(shown["occurred_at"], "2026-03-12T14:05:00Z");
    assert_eq!(shown["segments"][1]["kind"], "reported");
    assert_eq!(shown["segments"][1]["from"], "Siân Harker <sian@example.org>");
    assert!(texts(&vault, &note)[1].starts_with("The café is cold."));
    assert!(texts(&vault, &note)[1].contains("Is it cold?"));
    let trimmed = vault.run(&[&add[..], &["--trim-quoted"]].concat());
    assert!(
        trimmed.stderr.contains("left out 2 lines of quoted mails"),
        "{}",
        trimmed.stderr
    );
    let note = trimmed.handle();
    assert_eq!(texts(&vault, &note)[1], "The café is cold.");
    // Over standard input, and with the flags' word over the mail's.
    let piped = vault
        .feed(&["note", "add", &case, "--at", "2026-03-13", "--file", "-"], MAIL)
        .handle();
    assert_eq!(vault.json(&["note", "show", &piped])["occurred_at"], "2026-03-13");
    // It is amended as any note is, and prints as it was.
    vault
        .feed(
            &["note", "amend", &piped, "--file", "-"],
            b"rep Harker: It is warm again.\n",
        )
        .done();
    let wrong = MAIL
        .to_vec()
        .into_iter()
        .map(|b| if b == 0xe9 { 0xff } else { b })
        .collect::<Vec<_>>();
    let wrong = String::from_utf8_lossy(&wrong).replace("charset=iso-8859-1", "charset=klingon-8");
    let refused = vault.feed(&[&add[..6], &["-", "--json"]].concat(), wrong.as_bytes());
    let error = refused.refused(1, "malformed");
    assert_eq!(
        error["message"],
        "line 6, column 1: the charset `klingon-8` is not known"
    );
    let headless = vault.feed(&[&add[..6], &["-", "--eml", "--json"]].concat(), b"She rang.\n");
    headless.refused(1, "malformed");
    vault.verified();
}

#[test]
fn one_note_for_three_siblings_is_three_files_that_name_no_other() {
    let vault = Vault::made();
    let cases = ["Ada Kestle", "Bo Kestle", "Cy Kestle"].map(|name| vault.open_case(name));
    let also = format!("{},{}", cases[1], cases[2]);
    let text = b"obs: The kitchen was cold. {section housing}\n\npriv: I was in a hurry.\n";
    let added = vault.feed(
        &[
            "note",
            "add",
            &cases[0],
            "--kind",
            "home-visit",
            "--also",
            &also,
            "--file",
            "-",
            "--json",
        ],
        text,
    );
    let added = added.json();
    let first = added["note"].as_str().unwrap().to_owned();
    let others: Vec<(String, String)> = added["others"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| {
            (
                o["case"].as_str().unwrap().to_owned(),
                o["note"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    assert_eq!(
        others.iter().map(|(case, _)| case).collect::<Vec<_>>(),
        [&cases[1], &cases[2]]
    );
    // Each is complete, and none names another case or note.
    let all = [(cases[0].clone(), first.clone()), others[0].clone(), others[1].clone()];
    for (case, note) in &all {
        assert_eq!(texts(&vault, note), ["The kitchen was cold.", "I was in a hurry."]);
        let whole = vault.run(&["export", case, "--format", "json"]).done().stdout;
        let strange = all.iter().filter(|(other, _)| other != case);
        let strange: Vec<&str> = strange.flat_map(|(case, note)| [&case[2..], &note[2..]]).collect();
        assert_eq!(Words::new(strange).in_bytes(whole.as_bytes()), [], "{case}");
    }
    // Amending one says where else it stands, and changes nothing there.
    let one = vault
        .feed(
            &["note", "amend", &first, "--file", "-", "--json"],
            b"obs: It was warm.\n",
        )
        .json();
    assert_eq!(one["others"].as_array().unwrap().len(), 2);
    assert!(one["others"].as_array().unwrap().iter().all(|o| o["saved"] == false));
    assert_eq!(texts(&vault, &others[0].1)[0], "The kitchen was cold.");
    let said = vault.feed(&["note", "amend", &others[0].1, "--file", "-"], b"obs: It was cool.\n");
    assert!(said.stderr.contains("--others"), "{}", said.stderr);
    // With `--others` those get the text that say what this one said; what another one was amended to stays.
    let every = ["note", "amend", &first, "--others", "--file", "-", "--json"];
    let every = vault.feed(&every, b"obs: It was mild.\n").json();
    assert_eq!(
        (&every["others"][0]["saved"], &every["others"][0]["differs"]),
        (&false.into(), &true.into())
    );
    assert_eq!(
        (&every["others"][1]["saved"], &every["others"][1]["differs"]),
        (&true.into(), &Value::Null)
    );
    for ((_, note), text) in all.iter().zip(["It was mild.", "It was cool.", "It was mild."]) {
        assert_eq!(texts(&vault, note)[0], text);
    }
    let said = vault.feed(
        &["note", "amend", &first, "--others", "--file", "-"],
        b"obs: It was hot.\n",
    );
    let left = format!("{} in case {} stays as it was", others[0].1, others[0].0);
    assert!(
        said.stderr.contains(&left) && said.stderr.matches("stays as it was").count() == 1,
        "{}",
        said.stderr
    );
    // Given the same text by itself, it is one with them again.
    vault
        .feed(&["note", "amend", &others[0].1, "--file", "-"], b"obs: It was hot.\n")
        .done();
    let every = ["note", "amend", &first, "--others", "--file", "-", "--json"];
    let every = vault.feed(&every, b"obs: It was mild.\n").json();
    assert!(
        every["others"].as_array().unwrap().iter().all(|o| o["saved"] == true),
        "{every}"
    );
    // What opened them is in the log of each case.
    let log = vault.json(&["log", "list", "--case", &cases[2]]);
    let opened = log["entries"].as_array().unwrap().iter().any(|e| e["scope"] == "amend");
    assert!(opened, "{log}");
    vault.verified();
}

#[test]
fn several_cases_get_the_note_or_none_does() {
    let vault = Vault::made();
    let cases = ["Ada Kestle", "Bo Kestle"].map(|name| vault.open_case(name));
    vault.run(&["case", "close", &cases[1]]).code.to_string();
    vault.feed(&["case", "close", &cases[1], "--file", "-"], b"Moved.\n");
    let add = |also: &str| {
        vault.feed(
            &["note", "add", &cases[0], "--also", also, "--file", "-", "--json"],
            b"obs: It was cold.\n",
        )
    };
    add(&cases[1]).refused(1, "case-closed");
    add(&cases[0]).refused(6, "conflict");
    assert_eq!(vault.json(&["note", "list", &cases[0]])["notes"], json!([]));
}

fn misfiled_vault() -> (Vault, String, String, String) {
    let vault = Vault::made();
    let (wrong, right) = (vault.open_case("Elin Farrow"), vault.open_case("Tam Brisk"));
    let text =
        b"at: 2026-03-02 10:00\n\nobs: The walrus rests at noon. {significant}\n\nobs: He coughs. {section health}\n";
    let note = vault
        .feed(&["note", "add", &wrong, "--kind", "home-visit", "--file", "-"], text)
        .handle();
    (vault, wrong, right, note)
}

#[test]
fn a_misfiled_note_is_hidden_at_once_and_stands_in_the_right_file_with_its_times() {
    let (vault, wrong, right, note) = misfiled_vault();
    let before = vault.json(&["note", "show", &note]);
    let args = ["note", "misfiled", &note, "--to", &right, "--file", "-", "--json"];
    let done = vault.feed(&args, b"opened the wrong file\n").json();
    let refiled = done["refiled"].as_str().unwrap().to_owned();
    assert_eq!((&done["case"], &done["to"]), (&json!(wrong), &json!(right)));
    // Who opened it is listed out of the log: the showing above, and not the marking itself.
    let opened = done["opened_by"].as_array().unwrap();
    assert_eq!(opened.len(), 1, "{done}");
    assert_eq!(
        (&opened[0]["operation"], &opened[0]["named"]),
        (&json!("open"), &json!(true))
    );

    // In the wrong file nothing shows it any more, and nothing is attached to it.
    let hidden = ["note", "attach", &note, "--list", "--json"];
    assert_eq!(vault.run(&hidden).refused(1, "misfiled")["exit"], 1);
    vault
        .feed(&["note", "attach", &note, "-", "--json"], b"scan")
        .refused(1, "misfiled");
    let nowhere = |arguments: &[&str], input: &[u8]| {
        let shown = vault.feed(arguments, input).done().stdout;
        assert!(
            !shown.contains("walrus") && !shown.contains("coughs") && !shown.contains(&note),
            "{arguments:?}: {shown}"
        );
    };
    nowhere(&["note", "list", &wrong], b"");
    nowhere(&["note", "find", &wrong, "--file", "-"], b"rests at noon");
    nowhere(&["chronology", "show", &wrong], b"");
    nowhere(&["case", "show", &wrong], b"");
    for format in ["json", "jsonl", "markdown", "html"] {
        nowhere(&["export", &wrong, "--format", format], b"");
    }
    vault.run(&["note", "show", &note, "--json"]).refused(1, "misfiled");
    vault
        .run(&["note", "show", &note, "--as-of-version", "1", "--json"])
        .refused(1, "misfiled");
    vault
        .feed(&["note", "amend", &note, "--file", "-", "--json"], b"x\n")
        .refused(1, "misfiled");
    vault.feed(&args, b"again\n").refused(1, "misfiled");
    // Asked for, it is shown struck, with who marked it and why; history has it too.
    let asked = vault.run(&["note", "show", &note, "--misfiled"]).done().stdout;
    assert!(
        asked.contains("struck: Observation: The walrus rests at noon."),
        "{asked}"
    );
    assert!(
        asked.contains("opened the wrong file") && asked.contains("Misfiled"),
        "{asked}"
    );
    assert!(vault.run(&["note", "history", &note]).done().stdout.contains("walrus"));
    let hidden = vault.json(&["note", "list", &wrong, "--misfiled"]);
    assert_eq!(hidden["notes"][0]["note"], json!(note));

    // In the right file it is a whole note, with its times and its worker.
    let after = vault.json(&["note", "show", &refiled]);
    for field in ["occurred_at", "recorded_at", "lag", "author", "segments", "kind"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert!(
        vault
            .run(&["chronology", "show", &right])
            .done()
            .stdout
            .contains("walrus")
    );
    // Neither file names the other.
    let of = |case: &str| vault.run(&["export", case, "--format", "json"]).done().stdout;
    let history = vault.run(&["note", "history", &note, "--json"]).done().stdout;
    assert_eq!(
        Words::new([&right[2..], &refiled[2..]]).in_bytes(history.as_bytes()),
        []
    );
    assert_eq!(
        Words::new([&wrong[2..], &note[2..]]).in_bytes(of(&right).as_bytes()),
        []
    );
    vault.verified();
}

#[test]
fn lists_that_may_have_shown_words_of_a_misfiled_note_are_counted_apart() {
    let (vault, wrong, right, note) = misfiled_vault();
    let other = vault.open_case("Una Reed");
    // Of the caseload, once; of the case, as a search that found nothing; of another case, which shows nothing of it.
    vault.run(&["plan", "list"]).done();
    vault.run(&["today"]).done();
    vault.feed(&["note", "find", &wrong, "--file", "-"], b"zebra").done();
    vault.feed(&["note", "find", &other, "--file", "-"], b"zebra").done();
    vault.run(&["case", "list"]).done();
    let copy = vault.copied();
    let args = ["note", "misfiled", &note, "--to", &right, "--file", "-"];
    let done = vault.feed(&[&args[..], &["--json"]].concat(), b"wrong file\n").json();
    assert_eq!(done["opened_by"], json!([]), "{done}");
    let shown = done["may_have_shown"].as_array().unwrap();
    let mut shown: Vec<_> = shown
        .iter()
        .map(|by| (by["operation"].as_str().unwrap(), by["scope"].as_str().unwrap()))
        .collect();
    shown.sort_unstable();
    assert_eq!(
        shown,
        [("overview", "plans"), ("overview", "today"), ("search", "case")]
    );
    let said = copy.feed(&args, b"wrong file\n").done().stdout;
    assert!(
        said.contains("no entry of this vault's log says that it was opened\n")
            && said.contains("lists that may have shown words of it: 3, the last 2")
            && !said.contains("nobody"),
        "{said}"
    );
}

#[test]
fn an_overview_entry_of_minutes_before_stands_for_a_list_after_the_note_was_written() {
    let vault = Vault::made();
    let wrong = vault.open_case("Elin Farrow");
    vault.run(&["today"]).done();
    let note = vault.add_note(&wrong, "obs: The walrus rests.\n");
    // It makes no entry of its own: the last one is younger than 15 minutes.
    vault.run(&["today"]).done();
    let args = ["note", "misfiled", &note, "--file", "-", "--json"];
    let done = vault.feed(&args, b"wrong file\n").json();
    assert_eq!(done["may_have_shown"][0]["scope"], "today", "{done}");
    assert_eq!(done["may_have_shown"].as_array().unwrap().len(), 1, "{done}");
}

#[test]
fn a_breach_question_that_was_deleted_is_missed_and_an_answered_one_is_not() {
    let (vault, _, right, note) = misfiled_vault();
    let args = ["note", "misfiled", &note, "--to", &right, "--file", "-"];
    vault.feed(&args, b"wrong file\n").done();
    let answered = vault.copied();
    vault.verified();
    let store = rusqlite::Connection::open(vault.store()).unwrap();
    let gone = store.execute("DELETE FROM local WHERE name LIKE 'question:%'", ());
    assert_eq!(gone.unwrap(), 1);
    drop(store);
    let refused = vault.run(&["verify", "--json"]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    let failures = refused.value();
    assert_eq!(failures["failures"].as_array().unwrap().len(), 1, "{failures}");
    assert_eq!(failures["failures"][0]["check"], "CHK-103");
    let named = failures["failures"][0]["handle"].as_str().unwrap();
    assert!(named.starts_with(&format!("question:{note}")), "{named}");
    // The day tells of it too, without a whole verification.
    let today = vault.json(&["today"]);
    assert_eq!(today["missing_questions"], serde_json::json!([note]), "{today}");
    let text = vault.run(&["today"]).done().stdout;
    assert!(text.contains("breach question taken out of the file: 1"), "{text}");
    let nothing = serde_json::json!([]);
    assert_eq!(answered.json(&["today"])["missing_questions"], nothing, "it is there");
    let answer = ["note", "misfiled", &note, "--answer", "--file", "-"];
    answered.feed(&answer, b"No: nobody else holds the case.\n").done();
    answered.verified();
    assert_eq!(
        answered.json(&["today"])["missing_questions"],
        nothing,
        "it is answered"
    );
}

#[test]
fn a_breach_question_stays_until_it_is_answered() {
    let (vault, _, right, note) = misfiled_vault();
    vault
        .feed(
            &["note", "misfiled", &note, "--to", &right, "--file", "-"],
            b"wrong file\n",
        )
        .done();
    let status = vault.json(&["status"]);
    assert_eq!(status["breach_questions"], 1);
    assert!(
        status["attention"].to_string().contains("question of a breach"),
        "{status}"
    );
    let open = vault.json(&["note", "misfiled", "--list"]);
    assert_eq!(
        (&open["questions"][0]["note"], &open["questions"][0]["to"]),
        (&json!(note), &json!(right))
    );
    vault
        .feed(
            &["note", "misfiled", &note, "--answer", "--file", "-"],
            b"No: nobody else holds the case.\n",
        )
        .done();
    assert_eq!(vault.json(&["status"])["breach_questions"], 0);
    assert_eq!(vault.json(&["note", "misfiled", "--list"])["questions"], json!([]));
    let shown = vault.run(&["note", "show", &note, "--misfiled"]).done().stdout;
    assert!(shown.contains("No: nobody else holds the case."), "{shown}");
    vault.verified();
}

#[test]
fn an_imported_note_is_refiled_without_the_ids_of_the_wrong_file_and_its_line_is_skipped_again() {
    let lines = b"{\"type\":\"worker\",\"worker\":\"w-okafor\",\"role\":\"caseworker\"}\n\
        {\"type\":\"case\",\"case\":\"old-17\",\"worker\":\"w-okafor\",\"opened\":\"2024-05-02\",\"template\":\"adult-social-care\",\"profile\":{\"name\":\"Tam Brisk\"}}\n\
        {\"type\":\"note\",\"case\":\"old-17\",\"note\":\"old-17-1\",\"author\":\"w-okafor\",\"kind\":\"phone\",\"section\":\"core\",\"occurred_at\":\"2024-05-02T09:00:00Z\",\"recorded_at\":\"2024-05-02T09:10:00Z\",\"segments\":[{\"kind\":\"quote\",\"speaker\":\"client\",\"text\":\"It's the stairs.\"}]}\n";
    let vault = Vault::with(lines);
    let right = vault.open_case("Elin Farrow");
    let list = vault.json(&["case", "list"]);
    let wrong = list["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["external_id"] == "old-17")
        .unwrap();
    let wrong = wrong["case"].as_str().unwrap().to_owned();
    let note = vault.json(&["note", "list", &wrong])["notes"][0]["note"]
        .as_str()
        .unwrap()
        .to_owned();
    let done = vault
        .feed(
            &["note", "misfiled", &note, "--to", &right, "--file", "-", "--json"],
            b"x\n",
        )
        .json();
    let refiled = done["refiled"].as_str().unwrap().to_owned();
    let shown = vault.json(&["note", "show", &refiled]);
    assert_eq!(
        (&shown["author"], &shown["external_id"]),
        (&json!("w-okafor"), &Value::Null)
    );
    assert_eq!(shown["recorded_at"], "2024-05-02T09:10:00Z");
    let line = vault.run(&["export", &right, "--format", "jsonl"]).done().stdout;
    assert!(line.contains("It's the stairs.") && !line.contains("old-17"), "{line}");
    let again = vault.feed(&["import", "-", "--json"], lines).json();
    assert_eq!((&again["imported"], &again["skipped"]), (&json!(0), &json!(3)));
    vault.verified();
}

#[test]
fn the_history_of_a_withdrawn_note_says_when_and_by_whom() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, "obs: The walrus rests.\n");
    vault.run(&["note", "withdraw", &note]).done();
    let history = vault.json(&["note", "history", &note]);
    assert_eq!(history["versions"], json!([]));
    let member = vault.json(&["status"])["member"].clone();
    assert_eq!(history["withdrawn"]["by"], member);
    assert!(history["withdrawn"]["at"].as_str().unwrap().ends_with('Z'), "{history}");
    let said = vault.run(&["note", "history", &note]).done().stdout;
    assert!(
        said.contains("was withdrawn 20") && said.contains("its text is erased"),
        "{said}"
    );
}

#[test]
fn a_note_refused_by_a_closed_case_is_a_denial_in_the_log() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    vault.feed(&["case", "close", &case, "--file", "-"], b"Moved.\n").done();
    let add = ["note", "add", &case, "--kind", "phone", "--file", "-", "--json"];
    vault.feed(&add, b"She rang.\n").refused(1, "case-closed");
    let log = vault.json(&["log", "list", "--case", &case]);
    let denied = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["operation"] == "denial")
        .unwrap();
    assert_eq!(
        (&denied["result"], &denied["scope"]),
        (&json!("denied"), &json!("note in a closed case"))
    );
    assert_eq!(vault.run(&["log", "verify"]).code, 0);
}

#[test]
fn a_jot_waits_sealed_until_it_is_a_note_and_may_name_no_case() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let jot = vault
        .feed(
            &["note", "jot", "--at", "2026-03-02 10:00", "--file", "-"],
            b"Rang about the boiler.\n",
        )
        .handle();
    assert!(jot.starts_with("j-"));
    let found = Words::new(["Rang about", "the boiler"]).in_folder(&vault.home);
    assert!(found.is_empty(), "{found:?}");
    let expand = ["note", "expand", &jot, "--kind", "phone", "--file", "-", "--json"];
    let refused = vault.feed(&expand, b"obs: She rang.\n").refused(6, "conflict");
    assert!(refused["hint"].to_string().contains("--case CASE"), "{refused}");
    vault
        .feed(&[&expand[..], &["--case", &case]].concat(), b"plan: x {urgent}\n")
        .refused(1, "malformed");
    // Refused, it is still there.
    assert_eq!(
        vault.json(&["note", "jot", "--list"])["jots"][0]["text"],
        "Rang about the boiler."
    );
    let note = vault
        .feed(
            &[&expand[..], &["--case", &case]].concat(),
            b"rep client: The boiler is out.\n",
        )
        .json();
    assert_eq!(note["schema"], "casevault.note.expand/1");
    let shown = vault.json(&["note", "show", note["note"].as_str().unwrap()]);
    assert!(
        shown["occurred_at"].as_str().unwrap().starts_with("2026-03-02"),
        "{shown}"
    );
    assert!(shown["jotted_at"].is_string());
    assert_eq!(vault.json(&["note", "jot", "--list"])["jots"], json!([]));
    vault
        .feed(&[&expand[..], &["--case", &case]].concat(), b"Again.\n")
        .refused(1, "not-found");
    vault.verified();
}

#[test]
fn what_the_head_says_of_the_client_is_refused_where_there_are_several() {
    let vault = Vault::made();
    let (one, other) = (vault.open_case("Ada Brisk"), vault.open_case("Bo Brisk"));
    let add = [
        "note",
        "add",
        &one,
        "--also",
        &other,
        "--kind",
        "home-visit",
        "--file",
        "-",
    ];
    for (field, text) in [
        ("seen", "place: at home\nseen: yes\n\nobs: Both were there.\n"),
        (
            "seen-alone",
            "place: at home\nseen-alone: yes\n\nobs: Both were there.\n",
        ),
        (
            "why-not-alone",
            "place: at home\nwhy-not-alone: her aunt stayed\n\nobs: Both were there.\n",
        ),
        (
            "present",
            "place: at home\npresent: the client, an aunt\n\nobs: Both were there.\n",
        ),
    ] {
        let refused = vault.feed(&[&add[..], &["--json"]].concat(), text.as_bytes());
        let message = refused.refused(1, "malformed")["message"].to_string();
        assert!(message.contains("line 2") && message.contains(field), "{message}");
        let cure = match field {
            "seen" => "say it of each by name",
            _ => "another person in each of the cases",
        };
        assert!(message.contains(cure), "{message}");
    }
    let note = vault
        .feed(&add, b"present: Ada, Bo\n\nobs: Both were there.\n")
        .handle();
    let amend = ["note", "amend", &note, "--file", "-", "--json"];
    let seen = b"seen: yes\n\nobs: Both were at home.\n";
    vault
        .feed(&[&amend[..], &["--others"]].concat(), seen)
        .refused(1, "malformed");
    vault.feed(&amend, seen).done();
    // In this one's own note it stands, and does not go to the other.
    let both = vault
        .feed(&[&amend[..], &["--others"]].concat(), b"obs: Both were out.\n")
        .json();
    assert_eq!(both["others"][0]["saved"], true, "{both}");
    assert_eq!(vault.json(&["note", "show", &note])["seen"], true);
    let twin = both["others"][0]["note"].as_str().unwrap();
    assert_eq!(vault.json(&["note", "show", twin])["seen"], Value::Null);
}
