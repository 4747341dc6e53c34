//! What a worker has to look at: the day, steps of plans, cases that want looking at, a case before a session, its people.

use casevault_e2e::caseload;
use casevault_e2e::caseload::Size;
use casevault_e2e::terminal::Terminal;
use casevault_e2e::vault::Vault;
use casevault_e2e::vault::lines;
use serde_json::Value;
use serde_json::json;

fn rows<'v>(reply: &'v Value, of: &str) -> &'v Vec<Value> {
    reply[of]["rows"]
        .as_array()
        .unwrap_or_else(|| panic!("{of} in {reply}"))
}

fn texts(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["text"].as_str().unwrap()).collect()
}

fn add(vault: &Vault, case: &str, kind: &str, at: &str, text: &str) -> String {
    let arguments = ["note", "add", case, "--kind", kind, "--at", at, "--file", "-"];
    vault.feed(&arguments, text.as_bytes()).handle()
}

/// The same question asked of an agent that has followed the store, and of a process that reads everything anew.
fn both(vault: &Vault, arguments: &[&str]) -> Value {
    let kept = vault.json(arguments);
    let anew = vault.json(&[arguments, &["--no-agent"]].concat());
    assert_eq!(kept, anew, "{arguments:?}");
    kept
}

#[test]
fn today_tells_what_the_day_holds_and_an_agent_follows_what_is_written() {
    let vault = Vault::made();
    let nothing = vault.run(&["today"]).done().stdout;
    assert!(nothing.ends_with("0 open cases\n\nnothing waits\n"), "{nothing}");
    let (case, other) = (vault.open_case("Elin Farrow"), vault.open_case("Tomos Quarrie"));
    vault.run(&["unlock"]).done();
    assert_eq!(both(&vault, &["today"])["cases"], 2);

    let plans = "plan: Send the form.\n  owner: me\n  due: yesterday\n\nplan: Ring her.\n  owner: me\n  due: today\n\n\
                 plan: See the doctor with her.\n  owner: me\n  due: +5d\n\nplan: Later.\n  owner: me\n  due: +8d\n";
    let note = add(&vault, &case, "phone", "now", plans);
    let visit = add(&vault, &case, "home-visit", "tomorrow 10:00", "obs: Bring the form.\n");
    let gap = add(&vault, &other, "phone", "-1h", "dec: Lend her the heater.\n");
    vault
        .feed(&["note", "jot", &case, "--file", "-"], b"rang, no answer\n")
        .done();
    let today = both(&vault, &["today"]);
    assert_eq!(texts(rows(&today, "overdue")), ["Send the form."]);
    assert_eq!(rows(&today, "overdue")[0]["days_left"], -1);
    assert_eq!(rows(&today, "overdue")[0]["label"], "Elin Farrow");
    assert_eq!(texts(rows(&today, "due")), ["Ring her."]);
    assert_eq!(today["due_ahead"], 1);
    assert_eq!(rows(&today, "visits")[0]["note"], visit);
    assert_eq!(texts(rows(&today, "jots")), ["rang, no answer"]);
    // What is still to come was recorded before it happened, and is not called incomplete for that.
    assert_eq!(today["incomplete"]["total"], 1);
    assert_eq!(rows(&today, "incomplete")[0]["note"], gap);
    assert_eq!(
        rows(&today, "incomplete")[0]["incomplete"][0],
        "segment 1: decision without a reason (why:)"
    );

    // Every kind of change that an agent has to follow.
    vault.run(&["plan", "done", &format!("{note}:1")]).done();
    vault
        .feed(
            &["note", "amend", &gap, "--file", "-"],
            b"dec: Lend her the heater.\n  why: it is cold\n",
        )
        .done();
    let today = both(&vault, &["today"]);
    assert_eq!(
        (&today["overdue"]["total"], &today["incomplete"]["total"]),
        (&json!(0), &json!(0))
    );
    vault.run(&["note", "withdraw", &visit]).done();
    assert_eq!(both(&vault, &["today"])["visits"]["total"], 0);
    vault
        .feed(
            &["note", "misfiled", &note, "--to", &other, "--file", "-"],
            b"another family\n",
        )
        .done();
    let today = both(&vault, &["today"]);
    assert_eq!(
        rows(&today, "due")[0]["case"],
        other,
        "it is due in the right file, once"
    );
    assert_eq!(
        (&today["due"]["total"], &today["breach_questions"]["total"]),
        (&json!(1), &json!(1))
    );
    vault.run(&["case", "close", &other, "--yes"]).done();
    assert_eq!(both(&vault, &["today"])["due"]["total"], 0, "closed cases are left out");

    // The names of blocks, and nothing of what is not there.
    let text = vault.run(&["today"]).done().stdout;
    assert!(
        text.contains("\nJots to expand: 1\n") && !text.contains("Due today"),
        "{text}"
    );
    vault.verified();
}

#[test]
fn overviews_of_a_caseload_are_one_entry_in_fifteen_minutes_each() {
    let vault = Vault::with(&caseload::make(Size::Part(2)));
    for _ in 0..2 {
        vault.run(&["today"]).done();
        vault.run(&["plan", "list"]).done();
        vault.run(&["case", "stale"]).done();
    }
    let case = vault.json(&["case", "list"])["cases"][0]["case"]
        .as_str()
        .unwrap()
        .to_owned();
    vault.run(&["case", "show", &case, "--brief"]).done();
    vault.run(&["case", "people", &case]).done();
    vault.run(&["plan", "list", "--case", &case]).done();
    let log = vault.json(&["log", "list"]);
    let scopes: Vec<(&str, &str)> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["operation"].as_str().unwrap(),
                entry["scope"].as_str().unwrap_or("-"),
            )
        })
        .collect();
    let count = |operation: &str, scope: &str| scopes.iter().filter(|found| **found == (operation, scope)).count();
    for scope in ["today", "plans", "stale cases", "cases"] {
        assert_eq!(count("overview", scope), 1, "{scope} in {scopes:?}");
    }
    assert_eq!(count("open", "brief"), 1, "{scopes:?}");
    assert_eq!((count("list", "people"), count("list", "plans")), (1, 1), "{scopes:?}");
    // Who states why reads for that: an entry of its own.
    vault.run(&["today", "--purpose", "oversight"]).done();
    let log = vault.json(&["log", "list", "--limit", "2"]);
    assert_eq!(log["entries"][1]["purpose"], "oversight");
}

#[test]
fn a_step_is_done_in_a_signed_version_of_its_note_and_undone_in_another() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let text = "plan: Ring the landlord.\n  owner: me\n  due: +3d\n\nplan: See the doctor with her.\n  owner: son\n  due: 2026-01-31\n\n\
                said client: \"I am cold.\"\n";
    let note = add(&vault, &case, "phone", "-1h", text);
    let step = format!("{note}:1");

    let refused = vault.run(&["plan", "done", &note, "--json"]).refused(6, "conflict");
    let all = format!("{note}:1, {note}:2");
    assert!(refused["hint"].as_str().unwrap().contains(&all), "{refused}");
    vault
        .run(&["plan", "done", &format!("{note}:3"), "--json"])
        .refused(6, "conflict");
    vault
        .run(&["plan", "done", &step, "--on", "tomorrow", "--json"])
        .refused(6, "conflict");
    vault
        .run(&["plan", "done", &step, "--undo", "--json"])
        .refused(6, "conflict");
    assert_eq!(vault.run(&["plan", "done", &format!("{note}:0")]).code, 2);
    assert_eq!(
        vault.json(&["note", "show", &note])["versions"],
        1,
        "what was refused changed nothing"
    );

    let done = vault.feed(
        &["plan", "done", &step, "--on", "today", "--file", "-", "--json"],
        b"He comes on Monday.\n",
    );
    let done = done.json();
    assert_eq!(done["version"], 2);
    assert_eq!(done["outcome"], "He comes on Monday.");
    vault.run(&["plan", "done", &step, "--json"]).refused(6, "conflict");
    let left = vault.json(&["plan", "list"]);
    assert_eq!(texts(left["steps"].as_array().unwrap()), ["See the doctor with her."]);
    let all = vault.json(&["plan", "list", "--case", &case, "--done"]);
    assert_eq!(all["total"], 2);
    assert_eq!(all["steps"][1]["outcome"], "He comes on Monday.");
    // The words of the plan stand as they did, and nothing is shown struck.
    let shown = vault.run(&["note", "show", &note]).done().stdout;
    assert!(
        shown.contains("    outcome: He comes on Monday.\n") && !shown.contains("struck"),
        "{shown}"
    );
    // A case at a glance says of the step when it was done, and what came of it.
    let day = done["done"].as_str().unwrap();
    let said = format!("done {day}: He comes on Monday.");
    for flags in [&[][..], &["--brief"]] {
        let shown = vault.run(&[&["case", "show", &case][..], flags].concat()).done().stdout;
        assert!(shown.contains(&said), "{flags:?}: {shown}");
    }
    let found = vault
        .feed(&["note", "find", "--file", "-", "--json"], b"Monday\n")
        .json();
    assert_eq!(found["hits"][0]["field"], "outcome");

    // An amendment in text keeps it: what is printed is read again.
    let printed = vault.json(&["note", "show", &note]);
    let mut segments = printed["segments"].as_array().unwrap().clone();
    segments.push(json!({"n": segments.len() + 1, "kind": "narrative", "text": "She rang again."}));
    let amended = json!({ "segments": segments }).to_string();
    vault
        .feed(&["note", "amend", &note, "--file", "-"], amended.as_bytes())
        .done();
    assert_eq!(vault.json(&["plan", "list"])["total"], 1);

    let undone = vault.json(&["plan", "done", &note, "--undo"]);
    assert_eq!((&undone["version"], &undone["done"]), (&json!(4), &Value::Null));
    assert_eq!(vault.json(&["plan", "list"])["total"], 2);
    let history = vault.run(&["note", "history", &note]).done().stdout;
    assert!(
        history.contains("outcome: He comes on Monday.") && history.contains("4 versions"),
        "{history}"
    );
    assert!(
        history.contains("struck: Plan"),
        "that it was taken back is shown: {history}"
    );
    vault.verified();
}

#[test]
fn what_was_done_comes_out_and_in_without_loss() {
    let line = |segment: Value| {
        json!({"type": "note", "case": "x-1", "note": "x-1-1", "author": "w001", "kind": "phone",
            "occurred_at": "2026-01-05T10:00:00Z", "recorded_at": "2026-01-05T11:00:00Z", "segments": [segment]})
    };
    let case = json!({"type": "case", "case": "x-1", "worker": "w001", "opened": "2026-01-01", "template": "adult-social-care",
        "profile": {"name": "Elin Farrow"}});
    let step = json!({"kind": "plan", "text": "Ring.", "owner": "w001", "due": "2026-01-10", "done": "2026-01-09",
        "done_by": "w002", "outcome": "She agreed."});
    // The names meant nothing before: what is of another type stays what it was.
    let odd = json!({"kind": "plan", "text": "Ring.", "owner": "w001", "due": "2026-01-10", "done": true, "outcome": {"a": 1}});
    for (segment, undone) in [(step, 0), (odd, 1)] {
        let text = format!("{case}\n{}\n", line(segment.clone()));
        let vault = Vault::with(text.as_bytes());
        assert_eq!(vault.json(&["plan", "list"])["total"], undone, "{segment}");
        let exported = vault.exported();
        let note = exported.iter().find(|line| line["type"] == "note").unwrap();
        assert_eq!(note["segments"][0], segment);
        let again = vault.feed(&["import", "-", "--json"], text.as_bytes()).json();
        assert_eq!((&again["imported"], &again["skipped"]), (&json!(0), &json!(2)));
    }
    // What was done here comes out as well, and into another vault.
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = add(
        &vault,
        &case,
        "phone",
        "-1h",
        "plan: Ring.\n  owner: me\n  due: today\n",
    );
    vault
        .feed(&["plan", "done", &note, "--file", "-"], b"She agreed.\n")
        .done();
    let exported = vault.run(&["export", "--format", "jsonl"]).done().stdout;
    let other = Vault::with(exported.as_bytes());
    let steps = other.json(&["plan", "list", "--done"]);
    assert_eq!(steps["steps"][0]["outcome"], "She agreed.");
    assert_eq!(
        lines(exported.as_bytes())[1]["segments"],
        other.exported()[1]["segments"]
    );
}

#[test]
fn steps_are_asked_for_by_date_owner_and_case() {
    let vault = Vault::made();
    let (case, other) = (vault.open_case("Elin Farrow"), vault.open_case("Tomos Quarrie"));
    let text = "plan: a\n  owner: me\n  due: yesterday\n\nplan: b\n  owner: w003\n  due: +7d\n\nplan: c\n  owner: Her Son\n  due: +8d\n\nplan: d\n";
    add(&vault, &case, "phone", "now", text);
    add(&vault, &other, "phone", "now", "plan: e\n  owner: Me\n  due: today\n");
    let list = |arguments: &[&str]| {
        let reply = vault.json(&[&["plan", "list"], arguments].concat());
        let steps = reply["steps"].as_array().unwrap().clone();
        texts(&steps).join("")
    };
    assert_eq!(list(&[]), "aebcd", "the longest overdue first, without a date last");
    assert_eq!(list(&["--due", "7d"]), "aeb");
    assert_eq!(list(&["--due", "yesterday"]), "a");
    assert_eq!(list(&["--overdue"]), "a");
    assert_eq!(list(&["--owner", "me"]), "ae");
    assert_eq!(list(&["--owner", "w003"]), "b");
    assert_eq!(list(&["--case", &other]), "e");
    assert_eq!(list(&["--limit", "1"]), "a");
    let named = vault
        .feed(&["plan", "list", "--owner-file", "-", "--json"], b"her son\n")
        .json();
    assert_eq!(named["steps"][0]["text"], "c");
    // One's own name and handle are oneself, whatever their capitals, in what is asked for too.
    let member = vault.json(&["status"])["member"].as_str().unwrap().to_owned();
    let text = format!(
        "plan: f\n  owner: ANN  worker\n\nplan: g\n  owner: {}\n",
        member.to_uppercase()
    );
    add(&vault, &other, "phone", "now", &text);
    for owner in ["me", "ME", &member, &member.to_uppercase()] {
        let mut found: Vec<char> = list(&["--owner", owner]).chars().collect();
        found.sort_unstable();
        assert_eq!(found, ['a', 'e', 'f', 'g'], "{owner}");
    }
    assert_eq!(list(&["--owner", "W003"]), "b");
    let own = vault.feed(&["plan", "list", "--owner-file", "-", "--json"], b"Ann Worker\n");
    assert_eq!(own.json()["total"], 4);
    // A person's name is nothing for the command line.
    assert_eq!(vault.run(&["plan", "list", "--owner", "Her Son"]).code, 2);
}

#[test]
fn todays_own_steps_come_before_those_of_others() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    for day in ["yesterday", "today"] {
        let text = format!(
            "plan: theirs\n  owner: w001\n  due: {day}\n\nplan: nobody's\n  due: {day}\n\nplan: own\n  owner: Ann Worker\n  due: {day}\n"
        );
        add(&vault, &case, "phone", "now", &text);
    }
    // Overdue for less long goes first among equals, and not before one's own.
    add(
        &vault,
        &case,
        "phone",
        "now",
        "plan: old\n  owner: me\n  due: 2025-01-02\n",
    );
    let today = both(&vault, &["today"]);
    assert_eq!(texts(rows(&today, "due")), ["own", "theirs", "nobody's"]);
    assert_eq!(texts(rows(&today, "overdue")), ["own", "old", "theirs", "nobody's"]);
}

#[test]
fn today_takes_two_lines_for_a_step_on_a_narrow_terminal() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let text: String = (0..7)
        .map(|n| format!("plan: Step {n} of the seven that are due.\n  owner: me\n  due: today\n\n"))
        .collect();
    add(&vault, &case, "phone", "now", &text);
    let today = casevault_e2e::binary::casevault().display().to_string();
    let line = format!("sh -c 'stty cols 60; {today} today --no-pager'");
    let started = Terminal::start(&line, |command| {
        command
            .env("CASEVAULT_HOME", &vault.home)
            .env("CASEVAULT_PASSPHRASE_FILE", vault.around.join("passphrase"))
            .env("XDG_RUNTIME_DIR", "");
    });
    let Some(terminal) = started else { return };
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let steps: Vec<&str> = screen
        .lines()
        .skip_while(|line| !line.starts_with("Due today"))
        .skip(1)
        .take_while(|line| !line.trim().is_empty())
        .collect();
    assert_eq!(steps.len(), 14, "{screen}");
    assert!(
        steps[0].starts_with("n-") && steps[0].contains("today  Elin Farrow  owner me"),
        "{screen}"
    );
    assert_eq!(steps[1].trim_end(), "    Step 0 of the seven that are due.");
    assert!(
        steps.iter().all(|line| line.trim_end().chars().count() <= 60),
        "{screen}"
    );
}

#[test]
fn every_undone_step_of_a_caseload_is_in_the_brief_of_its_case() {
    let vault = Vault::with(&caseload::make(Size::Part(3)));
    let exported = vault.exported();
    let mut steps = 0;
    for case in vault.json(&["case", "list"])["cases"].as_array().unwrap() {
        let handle = case["case"].as_str().unwrap();
        // One is done, so that there is something to leave out.
        let first = vault.json(&["plan", "list", "--case", handle, "--limit", "1"]);
        let first = &first["steps"][0];
        let step = format!("{}:{}", first["note"].as_str().unwrap(), first["segment"]);
        vault.run(&["plan", "done", &step]).done();
        let planned = exported
            .iter()
            .filter(|line| line["type"] == "note" && line["case"] == case["external_id"])
            .flat_map(|line| line["segments"].as_array().unwrap())
            .filter(|segment| segment["kind"] == "plan")
            .count();
        let brief = vault.json(&["case", "show", handle, "--brief"]);
        let undone = brief["undone"].as_array().unwrap();
        assert_eq!(undone.len(), planned - 1, "{handle}");
        assert!(undone.iter().all(|step| step["done"].is_null()));
        let text = vault.run(&["case", "show", handle, "--brief"]).done().stdout;
        for step in undone {
            let at = format!("({}:{})", step["note"].as_str().unwrap(), step["segment"]);
            assert!(text.contains(&at), "{at} in {text}");
        }
        steps += undone.len();
    }
    assert!(steps > 20, "only {steps} steps were there to be shown");
}

#[test]
fn before_a_session_dangers_come_first_and_what_is_not_recorded_is_said() {
    let vault = Vault::made();
    let profile = br#"{"name": "Elin Farrow", "danger_to_workers": "The dog bites.", "people": [{"name": "Gwen", "relation": "daughter"}]}"#;
    let open = ["case", "open", "--template", "adult-social-care", "--file", "-"];
    let case = vault.feed(&open, profile).handle();
    add(
        &vault,
        &case,
        "home-visit",
        "-3d",
        "said client: \"I am cold.\"\n\nobs: Loud voices. {label trigger} {about Gwen}\n",
    );
    add(
        &vault,
        &case,
        "home-visit",
        "-1h",
        "---\nseen: no\n---\nobs: Nobody opened.\n",
    );
    add(&vault, &case, "phone", "-4h", "rep gwen: She sleeps badly.\n");
    let brief = vault.json(&["case", "show", &case, "--brief"]);
    assert_eq!(brief["dangers"][0]["text"], "The dog bites.");
    assert_eq!(brief["quotes"][0]["text"], "I am cold.");
    assert_eq!(brief["triggers"][0]["text"], "Loud voices.");
    assert_eq!(
        brief["last_contact"]["kind"], "phone",
        "a door that stayed shut is no contact"
    );
    let missing = brief["not_recorded"].as_array().unwrap();
    assert!(
        missing.contains(&json!("date of birth")) && missing.contains(&json!("plan")),
        "{brief}"
    );
    let text = vault.run(&["case", "show", &case, "--brief"]).done().stdout;
    assert!(
        text.find("The dog bites.").unwrap() < text.find("Last contact").unwrap(),
        "{text}"
    );

    let people = vault.json(&["case", "people", &case]);
    let gwen = &people["people"][0];
    assert_eq!(
        (&gwen["name"], &gwen["notes"], &gwen["relation"]),
        (&json!("Gwen"), &json!(2), &json!("daughter"))
    );
    assert_eq!(gwen["parts"], json!(["about", "reported"]));
    let client = people["people"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["relation"] == "client")
        .unwrap();
    assert_eq!((&client["name"], &client["notes"]), (&json!("Elin Farrow"), &json!(1)));
}

#[test]
fn stale_is_what_a_template_says_and_a_number_of_days_is_that_alone() {
    let vault = Vault::made();
    let open = |name: &str, template: &str, opened: &str| {
        let profile = json!({ "name": name }).to_string();
        let arguments = [
            "case",
            "open",
            "--template",
            template,
            "--opened",
            opened,
            "--file",
            "-",
        ];
        vault.feed(&arguments, profile.as_bytes()).handle()
    };
    let day = |back: i64| {
        use jiff::ToSpan;
        (jiff::Zoned::now().date() - back.days()).to_string()
    };
    let adult = open("Adult", "adult-social-care", &day(400));
    let child = open("Child", "child-and-family", &day(400));
    let fresh = open("Fresh", "adult-social-care", &day(2));
    let never = open("Never", "adult-social-care", &day(100));
    let reasons = |arguments: &[&str]| -> Vec<(String, String)> {
        let reply = vault.json(&[&["case", "stale"], arguments].concat());
        let cases = reply["cases"].as_array().unwrap().iter();
        let row = |row: &Value| (row["case"].as_str().unwrap().to_owned(), row["reasons"].to_string());
        cases.map(row).collect()
    };
    add(&vault, &adult, "phone", "-43d", "obs: Rang.\n");
    add(&vault, &child, "home-visit", "-27d", "obs: Seen.\n");
    add(
        &vault,
        &child,
        "phone",
        "-1d",
        "plan: Ring.\n  owner: me\n  due: 2026-01-31\n",
    );
    add(&vault, &fresh, "correspondence", "-1d", "obs: A letter.\n");
    let found = reasons(&[]);
    let of = |case: &str| {
        found
            .iter()
            .find(|(found, _)| found == case)
            .map(|(_, why)| why.as_str())
    };
    assert_eq!(of(&adult), Some(r#"["no contact for 43 days"]"#));
    assert_eq!(of(&never), Some(r#"["no contact since it was opened 100 days ago"]"#));
    assert_eq!(of(&fresh), None);
    let child_why = of(&child).unwrap();
    assert!(
        child_why.contains("1 step overdue, the oldest since 2026-01-31"),
        "{child_why}"
    );
    assert!(
        child_why.contains("visit overdue by "),
        "27 days hold more than ten working days: {child_why}"
    );
    assert_eq!(found[0].0, never, "those without contact for longest first");
    let by_days: Vec<String> = reasons(&["--days", "43"]).into_iter().map(|(case, _)| case).collect();
    assert_eq!(by_days, std::slice::from_ref(&never));
    // Contact, and it is stale no more.
    add(&vault, &adult, "phone", "now", "obs: Rang.\n");
    assert!(reasons(&[]).iter().all(|(case, _)| *case != adult));
}

#[test]
fn what_is_hidden_or_withdrawn_is_counted_as_such_and_a_closed_case_opens_again() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let kept = add(&vault, &case, "phone", "now", "obs: Stays.\n");
    let wrong = add(&vault, &case, "phone", "now", "obs: Another family's.\n");
    let gone = add(&vault, &case, "phone", "now", "obs: Twice.\n");
    vault
        .feed(&["note", "misfiled", &wrong, "--file", "-"], b"another family\n")
        .done();
    vault.run(&["note", "withdraw", &gone]).done();
    assert_eq!(vault.json(&["case", "list"])["cases"][0]["notes"], 1);
    assert_eq!(vault.json(&["case", "show", &case])["notes"], 1);
    let list = vault.json(&["note", "list", &case]);
    assert_eq!((&list["misfiled"], &list["withdrawn"]), (&json!(1), &json!(1)));
    assert_eq!(list["notes"].as_array().unwrap().len(), 1);
    assert_eq!(list["notes"][0]["note"], kept);
    let text = vault.run(&["note", "list", &case]).done().stdout;
    assert!(
        text.contains("1 note is hidden as misfiled") && text.contains("1 note was withdrawn"),
        "{text}"
    );
    let all = vault.json(&["note", "list", &case, "--all"]);
    let marks: Vec<_> = all["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n["misfiled"].clone())
        .collect();
    assert_eq!(marks, [json!(false), json!(true)]);
    assert!(
        !all.to_string().contains("Another family's"),
        "hidden words stay hidden"
    );

    let reopen = ["case", "reopen", case.as_str(), "--file", "-", "--json"];
    vault.feed(&reopen, b"too early\n").refused(6, "conflict");
    vault.run(&["case", "close", &case, "--yes"]).done();
    let add_to = ["note", "add", case.as_str(), "--kind", "phone", "--file", "-", "--json"];
    vault.feed(&add_to, b"obs: x\n").refused(1, "case-closed");
    vault.feed(&reopen, b" \n").refused(1, "malformed");
    let before = [&reopen[..], &["--on", "2020-01-01"]].concat();
    vault.feed(&before, b"she rang again\n").refused(6, "conflict");
    let reopened = vault.feed(&reopen, b"she rang again\n").json();
    assert_eq!(reopened["status"], "open");
    let note = vault.json(&["note", "show", reopened["note"].as_str().unwrap()]);
    assert!(
        note["segments"][0]["text"]
            .as_str()
            .unwrap()
            .ends_with("she rang again"),
        "{note}"
    );
    vault.feed(&add_to, b"obs: x\n").json();
    assert_eq!(
        vault.json(&["case", "list", "--status", "open"])["cases"][0]["case"],
        case
    );
    vault.verified();
}

#[test]
fn a_danger_in_a_field_of_another_systems_name_stands_with_the_dangers() {
    let vault = Vault::with(
        br#"{"type":"case","case":"old-17","opened":"2024-05-02","template":"adult-social-care","profile":{"name":"Tam Brisk","Risks":["Two dogs."],"other":{"Violence_Marker":"Never go alone."}}}
"#,
    );
    let case = vault.json(&["case", "list"])["cases"][0]["case"]
        .as_str()
        .unwrap()
        .to_owned();
    let expected = ["Risks: Two dogs.", "other.Violence_Marker: Never go alone."];
    let brief = vault.json(&["case", "show", &case, "--brief"]);
    let dangers = brief["dangers"].as_array().unwrap().iter();
    let dangers: Vec<_> = dangers.map(|item| item["text"].as_str().unwrap()).collect();
    assert_eq!(dangers, expected, "{brief}");
    let shown = vault.json(&["case", "show", &case]);
    let safety = shown["overview"]["blocks"].as_array().or(shown["blocks"].as_array());
    let safety = safety.unwrap().iter().find(|block| block["title"] == "Safety").unwrap();
    assert_eq!(safety["items"].as_array().unwrap().len(), 2, "{safety}");
    let text = vault.run(&["case", "show", &case, "--brief"]).done().stdout;
    assert!(text.contains("Never go alone."), "{text}");
}

#[test]
fn alone_on_a_terminal_it_asks_for_the_name_and_shows_the_brief() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    vault.open_case("Tomos Quarrie");
    let note = add(
        &vault,
        &case,
        "phone",
        "-1h",
        "plan: Ring the landlord.\n  owner: me\n  due: today\n",
    );
    vault.run(&["unlock"]).done();
    let line = casevault_e2e::binary::casevault().display().to_string();
    let start = |arguments: &str| {
        Terminal::start(&format!("{line} {arguments}"), |command| {
            command
                .env("CASEVAULT_HOME", &vault.home)
                .env("XDG_RUNTIME_DIR", "")
                .env_remove("CASEVAULT_PASSPHRASE_FILE");
        })
    };
    let Some(mut terminal) = start("") else { return };
    terminal.wait_for("Who: ").keys("farr\n");
    terminal.wait_for("Ring the landlord.").wait_for("Enter leaves");
    let arguments = std::fs::read(format!("/proc/{}/cmdline", terminal.process())).unwrap();
    assert!(
        !String::from_utf8_lossy(&arguments).contains("farr"),
        "the name is nothing for the command line"
    );
    // By its number in the brief.
    terminal
        .keys("d 7\n")
        .wait_for("no step has the number 7")
        .wait_for("Enter leaves");
    terminal.keys("d 1\n").wait_for("Ring the landlord.");
    terminal.wait_for("What came of it").keys("He comes on Monday.\n");
    terminal
        .wait_for(&format!("done {note}:1"))
        .wait_for("Enter leaves")
        .keys("d\n");
    // What is refused ends nothing.
    // It is done: that is said before anybody is asked what came of it.
    terminal.wait_for("Which step").keys(&format!("{note}\n"));
    terminal
        .wait_for("has no undone step")
        .wait_for("Enter leaves")
        .keys("j\n");
    terminal.wait_for("Enter ends it;").keys("she rang back\n");
    terminal.wait_for("jotted ").wait_for("Enter leaves").keys("t\n");
    terminal
        .wait_for("Jots to expand: 1")
        .wait_for("Enter leaves")
        .keys("\n");
    assert_eq!(terminal.end().0, 0);
    assert_eq!(vault.json(&["plan", "list"])["total"], 0);

    // Two of one name are told apart by when they were born.
    let other = {
        let open = [
            "case",
            "open",
            "--template",
            "adult-social-care",
            "--file",
            "-",
            "--json",
        ];
        vault
            .feed(&open, br#"{"name":"elin  FARROW","date_of_birth":"1961-02"}"#)
            .json()
    };
    let same = json!([{"case":case,"status":"open","opened":other["same_name"][0]["opened"],"date_of_birth":null}]);
    assert_eq!(other["same_name"], same);
    vault
        .feed(
            &["case", "amend", other["case"].as_str().unwrap(), "--file", "-"],
            br#"{"name":"Elin Farrow"}"#,
        )
        .done();
    vault
        .feed(
            &["case", "amend", &case, "--file", "-"],
            br#"{"date_of_birth":"1952-06-11"}"#,
        )
        .done();
    let mut terminal = start("case show").unwrap();
    terminal
        .wait_for("Who: ")
        .keys("elin\n")
        .wait_for("Elin Farrow  c-")
        .wait_for("born 1952-06-11");
    terminal
        .wait_for("Elin Farrow  c-")
        .wait_for("born 1961-02")
        .wait_for("Which")
        .keys("2\n");
    terminal.wait_for("date of birth: 1961-02");
    assert_eq!(terminal.end().0, 0);
    let open = ["case", "open", "--template", "adult-social-care", "--file", "-"];
    let third = vault.feed(&open, br#"{"name":"Elin Farrow"}"#).done();
    assert!(
        third.stderr.contains("there already under this name: c-"),
        "{}",
        third.stderr
    );
    assert!(third.stderr.contains(", born 1961-02, opened "), "{}", third.stderr);
    vault
        .run(&[
            "case",
            "close",
            third.stdout.trim().rsplit(' ').next().unwrap(),
            "--yes",
        ])
        .done();
    vault
        .run(&["case", "close", other["case"].as_str().unwrap(), "--yes"])
        .done();

    let mut terminal = start("case people").unwrap();
    terminal.wait_for("Who: ").keys("elin\n");
    terminal.wait_for("nobody is named yet");
    assert_eq!(terminal.end().0, 0);

    // Nobody can be asked: the way to begin, and the flag that is missing.
    let alone = vault.run(&[]).done();
    assert!(alone.stdout.contains("casevault today"), "{}", alone.stdout);
    for command in ["show", "people"] {
        vault.run(&["case", command, "--json"]).refused(2, "needs-flag");
    }
}
