//! A second day of a caseworker with the program: what was asked for in their own words, and what was said to them.

use casevault_e2e::terminal::on_terminal;
use casevault_e2e::terminal::with_editor;
use casevault_e2e::vault::Vault;
use serde_json::Value;
use serde_json::json;

fn open(vault: &Vault, profile: &Value) -> String {
    let args = ["case", "open", "--template", "child-and-family", "--file", "-"];
    vault.feed(&args, profile.to_string().as_bytes()).handle()
}

#[test]
fn a_parent_who_rings_is_found_in_the_case_of_the_child() {
    let vault = Vault::made();
    let ada = open(
        &vault,
        &json!({"name": "Ada Pike", "household": "Kerry Pike (mother), Tom"}),
    );
    let ben = open(
        &vault,
        &json!({"name": "Ben Pike", "people": [{"name": "Kerry Pike", "relation": "mother"}]}),
    );
    open(&vault, &json!({"name": "Cas Low"}));
    let Some(mut terminal) = on_terminal(&vault, "call") else {
        return;
    };
    terminal.wait_for("Who: ").keys("kerry\n");
    terminal.wait_for("named in the cases of others");
    let (first, second) = if ada < ben { ("Ada", "Ben") } else { ("Ben", "Ada") };
    terminal
        .wait_for(&format!("1  {first} Pike"))
        .wait_for("which names Kerry Pike")
        .wait_for(&format!("2  {second} Pike"))
        .wait_for("Which (number");
    terminal
        .keys("2\n")
        .wait_for("Type the note")
        .keys("rep mother: She is ill.\n\u{4}");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("saved n-") && screen.contains(&format!("for {second} Pike")),
        "{screen}"
    );
    // One alone is not taken unasked.
    let mut terminal = on_terminal(&vault, "call").unwrap();
    terminal.wait_for("Who: ").keys("tom\n");
    terminal
        .wait_for("1  Ada Pike")
        .wait_for("which names Tom")
        .wait_for("Which (number");
    terminal.keys("\u{3}");
    assert_eq!(terminal.end().0, 130);
    let mut terminal = on_terminal(&vault, "call").unwrap();
    terminal
        .wait_for("Who: ")
        .keys("zoe\n")
        .wait_for("nobody in your caseload is called so");
    terminal.keys("\u{3}");
    assert_eq!(terminal.end().0, 130);
    vault.verified();
}

#[test]
fn a_note_of_several_cases_names_them_all_and_asks_of_each_whether_they_were_seen() {
    let vault = Vault::made();
    let ada = open(&vault, &json!({"name": "Ada Pike"}));
    let ben = open(&vault, &json!({"name": "Ben Pike"}));
    let kept = vault.around.join("shown.txt");
    let script = vault.around.join("editor.sh");
    let words = format!(
        "#!/bin/sh\nfor file; do :; done\ncp \"$file\" {}\necho 'obs: Both were well.' >> \"$file\"\n",
        kept.display()
    );
    std::fs::write(&script, words).unwrap();
    let editor = format!("sh {}", script.display());
    let add = format!("note add {ada} --also {ben} --kind home-visit");
    let Some(terminal) = with_editor(&vault, &add, &editor) else {
        return;
    };
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let shown = std::fs::read_to_string(kept).unwrap();
    let first = shown.lines().find(|line| line.starts_with("#! For ")).unwrap();
    assert_eq!(
        first,
        format!("#! For Ada Pike ({ada}), and Ben Pike ({ben})"),
        "{shown}"
    );
    assert!(shown.contains("\nseen:\n#! Who of them was seen, by name"), "{shown}");
    assert!(!shown.contains("seen-alone"), "{shown}");
    // Left open it is missing in each of them.
    for said in [
        "incomplete: not said whether the child was seen",
        &format!("in case {ben}: not said whether the"),
    ] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    // Said of nobody by name, the refusal has the cure.
    let add = [
        "note",
        "add",
        &ada,
        "--also",
        &ben,
        "--kind",
        "home-visit",
        "--file",
        "-",
        "--json",
    ];
    let refused = vault.feed(&add, b"seen: yes\n\nobs: Calm.\n").refused(1, "malformed");
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("`yes` does not begin with one of Ada Pike, Ben Pike") && message.contains("Ben with mother"),
        "{message}"
    );
    let refused = vault
        .feed(&add, b"seen-alone: yes\n\nobs: Calm.\n")
        .refused(1, "malformed");
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("as `seen: Ada alone; Ben with mother`"),
        "{refused}"
    );
    // Each file says it of its own, and nothing of the others.
    let typed = b"at: today\nseen: Ada alone; Ben with mother\n\nobs: Both were well.\n";
    let saved = vault.feed(&add, typed).json();
    assert_eq!(saved["incomplete"], json!([]), "{saved}");
    let note = saved["note"].as_str().unwrap();
    let other = saved["others"][0]["note"].as_str().unwrap();
    let said = |note: &str| {
        let shown = vault.json(&["note", "show", note]);
        json!([shown["seen"], shown["seen_alone"], shown["seen_alone_why_not"]])
    };
    assert_eq!(said(note), json!([true, true, null]));
    assert_eq!(said(other), json!([true, false, "with mother"]));
    // The same text for both leaves that as it is.
    let amend = ["note", "amend", note, "--others", "--file", "-", "--json"];
    let amended = vault
        .feed(&amend, b"seen: yes\nseen-alone: yes\n\nobs: Both were ill.\n")
        .json();
    assert_eq!(amended["others"][0]["saved"], json!(true), "{amended}");
    assert_eq!(said(note), json!([true, true, null]));
    assert_eq!(said(other), json!([true, false, "with mother"]));
    // So does the line that it was made with, and of whom it says something else now, their file says that.
    let typed = b"seen: Ada alone; Ben with mother\n\nobs: Both were better.\n";
    let amended = vault.feed(&amend, typed).json();
    assert_eq!(amended["others"][0]["saved"], json!(true), "{amended}");
    assert_eq!(said(note), json!([true, true, null]));
    assert_eq!(said(other), json!([true, false, "with mother"]));
    let typed = b"seen: Ben alone\n\nobs: Both were better.\n";
    let amended = vault.feed(&amend, typed).json();
    assert_eq!(amended["others"][0]["saved"], json!(true), "{amended}");
    assert_eq!(said(note), json!([true, true, null]));
    assert_eq!(said(other), json!([true, true, null]));
    // In one file alone it is refused, and what to do is said.
    let alone = ["note", "amend", note, "--file", "-", "--json"];
    let typed = b"seen: Ada alone; Ben with mother\n\nobs: Both were best.\n";
    let refused = vault.feed(&alone, typed).refused(1, "malformed");
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("`--others` takes who was seen of each by name") && message.contains("leave the line out"),
        "{message}"
    );
    // Said of nobody by name, where it is something else than it was: what to do is said too.
    let refused = vault
        .feed(&amend, b"seen: no\n\nobs: Both were best.\n")
        .refused(1, "malformed");
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("of each by name") && message.contains("leave it out"),
        "{message}"
    );
    vault.verified();
}

#[test]
fn a_jot_is_chosen_out_of_those_that_wait_and_the_same_words_are_asked_about() {
    let vault = Vault::made();
    let case = open(&vault, &json!({"name": "Ada Pike"}));
    for words in ["One.\n", "Two.\n"] {
        vault
            .feed(&["note", "jot", &case, "--file", "-"], words.as_bytes())
            .done();
    }
    // Of one second they are in the order in which they were written.
    let listed = vault.json(&["note", "jot", "--list"]);
    let [first, second] = [0, 1].map(|n| listed["jots"][n]["text"].as_str().unwrap().to_owned());
    assert_eq!([first.as_str(), second.as_str()], ["One.", "Two."], "{listed}");
    let waiting = || vault.json(&["note", "jot", "--list"])["jots"].as_array().unwrap().len();
    let notes = || vault.json(&["note", "list", &case])["notes"].as_array().unwrap().len();
    let Some(mut terminal) = on_terminal(&vault, "note expand --kind phone") else {
        return;
    };
    terminal
        .wait_for("1  j-")
        .wait_for(&first)
        .wait_for("2  j-")
        .wait_for(&second);
    terminal
        .wait_for("Which jot")
        .keys("2\n")
        .wait_for("Type the note")
        .keys("obs: Rang.\n\u{4}");
    assert_eq!(terminal.end().0, 0);
    let left = vault.json(&["note", "jot", "--list"]);
    assert_eq!(
        (left["jots"][0]["text"].as_str(), waiting()),
        (Some(first.as_str()), 1),
        "{left}"
    );
    assert_eq!(notes(), 1);
    // The same words once more are asked about, and the jot waits where they were not meant.
    let mut terminal = on_terminal(&vault, "note expand --kind phone").unwrap();
    terminal
        .wait_for("Which jot")
        .keys("1\n")
        .wait_for("Type the note")
        .keys("obs: Rang.\n\u{4}");
    terminal.wait_for("of the same words was saved").keys("n\n");
    let (code, screen) = terminal.end();
    assert_eq!((code, notes(), waiting()), (1, 1, 1), "{screen}");
    let mut terminal = on_terminal(&vault, "note expand --kind phone").unwrap();
    terminal
        .wait_for("Which jot")
        .keys("1\n")
        .wait_for("Type the note")
        .keys("obs: Rang.\n\u{4}");
    terminal.wait_for("of the same words was saved").keys("y\n");
    assert_eq!((terminal.end().0, notes(), waiting()), (0, 2, 0));
    vault
        .run(&["note", "expand", "--file", "-", "--json"])
        .refused(2, "needs-flag");
}

#[test]
fn a_step_that_is_done_is_refused_before_anybody_says_what_came_of_it() {
    let vault = Vault::made();
    let case = open(&vault, &json!({"name": "Ada Pike"}));
    let note = vault.add_note(&case, "plan: Ring.\n  owner: me\n  due: 2099-01-05\n");
    let Some(mut terminal) = on_terminal(&vault, "") else {
        return;
    };
    // Without an agent one question is answered, and the vault is shut.
    terminal.wait_for("Who: ").keys("ada\n").wait_for("> ");
    terminal
        .keys(&format!("d {note}:1\n"))
        .wait_for("What came of it")
        .keys("Rang.\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let mut terminal = on_terminal(&vault, "").unwrap();
    terminal.wait_for("Who: ").keys("ada\n").wait_for("> ");
    terminal.keys(&format!("d {note}:1\n"));
    let (_, screen) = terminal.end();
    assert!(
        screen.contains("done already") || screen.contains("was done"),
        "{screen}"
    );
    assert!(!screen.contains("What came of it"), "{screen}");
    let mut terminal = on_terminal(&vault, &format!("plan done {note}:1")).unwrap();
    let screen = {
        terminal.keys("");
        terminal.end().1
    };
    assert!(!screen.contains("What came of it"), "{screen}");
    vault.verified();
}

#[test]
fn the_list_of_notes_takes_the_letters_that_were_offered() {
    let vault = Vault::made();
    let case = open(&vault, &json!({"name": "Ada Pike"}));
    vault.add_note(&case, "rep mother: She is ill.\n");
    if on_terminal(&vault, "--version").is_none() {
        return;
    }
    let mut unlocking = on_terminal(&vault, "unlock").unwrap();
    unlocking.keys("");
    assert_eq!(unlocking.end().0, 0);
    let mut terminal = on_terminal(&vault, "").unwrap();
    terminal.wait_for("Who: ").keys("ada\n").wait_for("> ").keys("l\n");
    terminal.wait_for("Which note to read").keys("p\n");
    terminal.wait_for("RELATION").wait_for("> ").keys("l\n");
    terminal
        .wait_for("Which note to read")
        .keys("9\n")
        .wait_for("no note has the number 9");
    terminal
        .wait_for("Which note to read")
        .keys("1\n")
        .wait_for("She is ill.");
    terminal
        .wait_for("Which note to read")
        .keys("\n")
        .wait_for("> ")
        .keys("\n");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn one_person_whom_two_fields_name_is_named_once() {
    let vault = Vault::made();
    let ada = open(
        &vault,
        &json!({"name": "Ada Pike", "household": "Kerry Pike (mother), Joe Low", "parental_responsibility": "Kerry Pike",
                "people": [{"name": "Kerry", "relation": "mother"}]}),
    );
    let shown = vault.run(&["case", "show", &ada, "--brief"]).done().stdout;
    assert!(
        shown.contains("  no case of yours for: Kerry Pike (mother); Joe Low\n"),
        "{shown}"
    );
}

#[test]
fn the_client_is_one_person_of_a_case_whatever_notes_call_them() {
    let vault = Vault::made();
    let ada = open(&vault, &json!({"name": "Ada Pike"}));
    vault.add_note(
        &ada,
        "seen: yes\n\nsaid client: Yes.\n\nsaid the child: No.\n\nsaid Ada: Perhaps.\n",
    );
    let people = vault.json(&["case", "people", &ada])["people"].clone();
    let names: Vec<&str> = people
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Ada Pike"], "{people}");
    assert_eq!(people[0]["relation"], "client", "{people}");
}

#[test]
fn who_opened_a_misfiled_note_is_a_short_list_that_says_where_all_are() {
    let vault = Vault::made();
    let case = open(&vault, &json!({"name": "Ada Pike"}));
    let note = vault.add_note(&case, "obs: The walrus rests.\n");
    for _ in 0..13 {
        vault.run(&["note", "show", &note]).done();
    }
    let hidden = vault
        .feed(&["note", "misfiled", &note, "--file", "-"], b"whose?\n")
        .done()
        .stdout;
    let listed = hidden.lines().filter(|line| line.starts_with("  20")).count();
    assert_eq!(listed, 10, "{hidden}");
    let more = format!("more: `casevault log list --case {case}` has them all");
    assert!(hidden.contains(&more), "{hidden}");
}

#[test]
fn nothing_is_called_an_error_where_somebody_said_no() {
    let vault = Vault::made();
    let case = open(&vault, &json!({"name": "Ada Pike"}));
    let note = vault.add_note(&case, "obs: Calm.\n");
    let jot = vault.feed(&["note", "jot", "--file", "-"], b"Rang.\n").handle();
    let Some(mut terminal) = on_terminal(&vault, &format!("note withdraw {note}")) else {
        return;
    };
    terminal.wait_for("[y/N] ").keys("n\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 1, "{screen}");
    assert!(
        screen.contains("the note stays") && !screen.contains("error"),
        "{screen}"
    );
    // A jot is dropped after a question, as a draft is.
    let mut terminal = on_terminal(&vault, &format!("note jot --discard {jot}")).unwrap();
    terminal.wait_for("Rang.").wait_for("Drop it?").keys("\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 1, "{screen}");
    assert!(
        screen.contains("the jot stays") && !screen.contains("error"),
        "{screen}"
    );
    let mut terminal = on_terminal(&vault, &format!("note jot --discard {jot}")).unwrap();
    terminal.wait_for("Drop it?").keys("y\n");
    assert_eq!(terminal.end().0, 0);
    let jot = vault.feed(&["note", "jot", "--file", "-"], b"Rang.\n").handle();
    let terminal = on_terminal(&vault, &format!("note jot --discard {jot} --yes")).unwrap();
    assert_eq!(terminal.end().0, 0);
    // An editor that was left as it was.
    let terminal = with_editor(&vault, &format!("note amend {note}"), "true").unwrap();
    let (code, screen) = terminal.end();
    assert_eq!(code, 1, "{screen}");
    assert!(
        screen.contains("nothing was changed") && !screen.contains("error"),
        "{screen}"
    );
    // What a script is told is what it was.
    vault.run(&["note", "amend", &note, "--json"]).refused(2, "needs-flag");
}

#[test]
fn a_heading_stands_once_on_a_page_around_what_is_left_out() {
    let vault = Vault::made();
    let ada = open(&vault, &json!({"name": "Ada Pike"}));
    let text = "## Home conditions\nThe kitchen was warm.\n\nThe gate is open. {hide-from father}\n\nThe key is out. {hide-from \
                father}\n\nThe yard was wet.\n";
    vault
        .feed(
            &["note", "add", &ada, "--kind", "home-visit", "--file", "-"],
            text.as_bytes(),
        )
        .done();
    for format in ["markdown", "html"] {
        let page = vault.run(&["export", &ada, "--format", format]).done().stdout;
        assert_eq!(page.matches("Home conditions").count(), 1, "{page}");
        assert_eq!(page.matches("Left out by the worker").count(), 1, "{page}");
        assert!(page.contains("2, 3") && page.contains("The yard was wet."), "{page}");
        assert!(!page.contains("gate") && !page.contains("father"), "{page}");
    }
}

#[test]
fn all_faults_of_a_line_of_an_import_are_told_at_once() {
    let vault = Vault::made();
    let line = r#"{"type":"note","case":"old-17","note":"n-1","author":"w-1","kind":"phone","section":"core","occurred_at":"soon","recorded_at":"2024-05-02T09:10:00Z","segments":[{"kind":"quotation","text":"A"},{"kind":"quote","text":5}]}"#;
    let done = vault.feed(&["import", "-"], format!("{line}\n").as_bytes());
    assert_eq!(done.code, 1, "{}", done.stderr);
    let told = format!("{}{}", done.stdout, done.stderr);
    for what in ["occurred_at", "segments[0]", "segments[1]"] {
        assert!(told.contains(what), "{what}: {told}");
    }
}

#[test]
fn a_template_is_named_by_its_beginning_where_it_is_asked_for() {
    let vault = Vault::made();
    let Some(mut terminal) = on_terminal(&vault, "case open") else {
        return;
    };
    terminal.wait_for("]: ").keys("Child\n").wait_for("ame");
    terminal.keys("\u{3}");
    let (_, screen) = terminal.end();
    assert!(!screen.contains("write one of the numbers"), "{screen}");
}

#[test]
fn the_editor_says_how_a_time_may_be_written() {
    let vault = Vault::made();
    let ada = open(&vault, &json!({"name": "Ada Pike"}));
    let kept = vault.around.join("shown.txt");
    let script = vault.around.join("editor.sh");
    let words = format!(
        "#!/bin/sh\nfor file; do :; done\ncp \"$file\" {}\nsed -i 's/^at: .*/at: yesterday 14:00/' \"$file\"\necho 'obs: Calm.' >> \
         \"$file\"\n",
        kept.display()
    );
    std::fs::write(&script, words).unwrap();
    let editor = format!("sh {}", script.display());
    let Some(terminal) = with_editor(&vault, &format!("note add {ada} --kind phone"), &editor) else {
        return;
    };
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let shown = std::fs::read_to_string(kept).unwrap();
    assert!(
        shown.contains("\n#! at: may be written as you say it: today 14:00"),
        "{shown}"
    );
    let note = &vault.json(&["note", "list", &ada])["notes"][0];
    assert!(note["occurred_at"].as_str().unwrap().contains("14:00"), "{note}");
}

#[test]
fn parents_are_fields_of_a_profile_and_who_is_named_in_several_ways_is_one_line() {
    let vault = Vault::made();
    let case = open(
        &vault,
        &json!({
            "name": "Mia Pike", "mother": "Kerry Pike", "father": "Tom Reed", "parents": "Kerry Pike and Tom Reed",
            "household": [{"name": "Kerry Pike", "relation": "mother"}, {"name": "Mia", "relation": "daughter"}]
        }),
    );
    vault.add_note(
        &case,
        "said mother: \"Well.\"\n\nsaid Kerry: \"Ill.\"\n\nsaid Mia: \"Hm.\"\n\nobs: Calm. {about Kerry Pike}\n",
    );
    let shown = vault.run(&["case", "show", &case]).done().stdout;
    assert!(
        shown.contains("mother: Kerry Pike") && shown.contains("father: Tom Reed"),
        "{shown}"
    );
    let people = vault.json(&["case", "people", &case]);
    let rows = people["people"].as_array().unwrap();
    let row = |row: &Value| json!([row["name"], row["relation"], row["notes"]]);
    assert_eq!(
        rows.iter().map(row).collect::<Vec<_>>(),
        [
            json!(["Kerry Pike", "mother", 1]),
            json!(["Mia Pike", "client, daughter", 1]),
            json!(["Tom Reed", "father", 0]),
        ],
        "{people}"
    );
}

#[test]
fn a_name_where_a_handle_is_asked_for_is_not_said_once_more() {
    let vault = Vault::made();
    open(&vault, &json!({"name": "Zelda Pike"}));
    for arguments in [
        &["note", "list", "Zelda"][..],
        &["case", "show", "Zelda"],
        &["note", "add", "Zelda", "Pike"],
        &["note", "show", "Zelda", "--json"],
    ] {
        let done = vault.run(arguments);
        assert_eq!(done.code, 2, "{arguments:?}");
        let told = done.stderr.clone() + &done.stdout;
        assert!(!told.contains("Zelda") && !told.contains("Pike"), "{told}");
        assert!(
            told.contains("`casevault` alone finds a case by the name of its client"),
            "{told}"
        );
    }
}

#[test]
fn whom_only_a_restriction_or_a_mark_names_is_among_the_people() {
    let vault = Vault::made();
    let case = open(
        &vault,
        &json!({"name": "Ada Pike", "contact_restrictions": "No contact with Tom Reed, by order. Supervised visits only."}),
    );
    vault.add_note(&case, "obs: The new address. {hide-from Jim Low}\n");
    let shown = vault.run(&["case", "people", &case]).done().stdout;
    let row = |name: &str| {
        shown
            .lines()
            .find(|line| line.contains(name))
            .unwrap_or_default()
            .to_owned()
    };
    assert!(row("Tom Reed").contains("contact restriction"), "{shown}");
    assert!(row("Jim Low").contains("kept from"), "{shown}");
    assert!(!shown.contains("Supervised"), "{shown}");
}

#[test]
fn a_jot_that_is_expanded_on_a_terminal_is_asked_its_kind() {
    let vault = Vault::made();
    let case = open(&vault, &json!({"name": "Ada Pike"}));
    let jot = |words: &str| {
        vault
            .feed(&["note", "jot", &case, "--file", "-"], words.as_bytes())
            .handle()
    };
    let kinds = || {
        let notes = vault.json(&["note", "list", &case])["notes"].clone();
        let kinds = notes
            .as_array()
            .unwrap()
            .iter()
            .map(|note| note["kind"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    };
    let rang = jot("She rang.\n");
    let editor = "sed -i s/rang/called/";
    let Some(mut terminal) = with_editor(&vault, &format!("note expand {rang}"), editor) else {
        return;
    };
    terminal.wait_for("Kind (number or name)").keys("phone\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(kinds(), ["phone"]);
    // One that says it itself is asked nothing.
    let said = jot("kind: office-visit\n\nHe came by.\n");
    let terminal = with_editor(&vault, &format!("note expand {said}"), "sed -i s/came/dropped/").unwrap();
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains("Kind (number"), "{screen}");
    assert_eq!(kinds().len(), 2);
}

#[test]
fn what_only_a_heading_makes_a_plan_is_asked_about_before_it_is_saved() {
    let vault = Vault::made();
    let case = open(&vault, &json!({"name": "Ada Pike"}));
    let add = format!("note add {case} --kind home-visit");
    let steps = || vault.json(&["plan", "list"])["total"].as_u64().unwrap();
    let notes = || vault.json(&["note", "list", &case])["notes"].as_array().unwrap().len();
    let editor = |name: &str, words: &str| {
        let script = vault.around.join(name);
        std::fs::write(
            &script,
            format!("#!/bin/sh\nfor file; do :; done\ngrep -q '{words}' \"$file\" || sed -i 's/^## Plans$/## Plans\\n{words}/' \"$file\"\n"),
        )
        .unwrap();
        format!("sh {}", script.display())
    };
    let asked = "under a heading for plans, it is a step that somebody has to carry out";
    // Only words.
    let Some(mut terminal) = with_editor(&vault, &add, &editor("words.sh", "Nothing new was planned.")) else {
        return;
    };
    terminal.wait_for("`Nothing new was planned.`").wait_for("[p/w/N] ");
    assert_eq!(notes(), 0);
    terminal.keys("w\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.replace(['\r', '\n'], " ").contains("[p/w/N]"), "{screen}");
    assert_eq!((notes(), steps()), (1, 0));
    // A step.
    let mut terminal = with_editor(&vault, &add, &editor("step.sh", "Ring the school.")).unwrap();
    terminal.wait_for("`Ring the school.`").wait_for("[p/w/N] ").keys("p\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!((notes(), steps()), (2, 1));
    // Marked, nothing is asked.
    let terminal = with_editor(&vault, &add, &editor("marked.sh", "plan: Ring the clinic.")).unwrap();
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains(asked) && !screen.contains("[p/w/N]"), "{screen}");
    assert_eq!((notes(), steps()), (3, 2));
    // Neither: it stays a draft, and nothing is filed.
    let mut terminal = with_editor(&vault, &add, &editor("neither.sh", "See.")).unwrap();
    terminal.wait_for("[p/w/N] ").keys("\n");
    terminal.wait_for("[p/w/N] ").keys("\n");
    let (code, screen) = terminal.end();
    assert_ne!(code, 0, "{screen}");
    assert_eq!(notes(), 3);
}

#[test]
fn what_was_made_is_a_line_and_what_else_there_is_to_say_another() {
    let vault = Vault::made();
    let Some(mut terminal) = on_terminal(&vault, "note jot") else {
        return;
    };
    terminal
        .wait_for("Type the jot, one line. Enter ends it;")
        .keys("She rang.\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let lines: Vec<&str> = screen.lines().map(str::trim_end).collect();
    let jotted = lines.iter().position(|line| line.starts_with("jotted j-")).unwrap();
    assert!(
        !lines[jotted].contains(' ') || lines[jotted].split(' ').count() == 2,
        "{screen}"
    );
    assert!(lines[jotted + 1].starts_with("occurred "), "{screen}");
}

#[test]
fn the_end_of_input_at_the_prompt_for_a_jot_ends_the_prompt_alone() {
    let vault = Vault::made();
    vault.open_case("Ada Pike");
    let binary = casevault_e2e::binary::casevault().display().to_string();
    let started = casevault_e2e::terminal::Terminal::start("env PS1='rea''dy> ' sh -i", |command| {
        command
            .env("CASEVAULT_HOME", &vault.home)
            .env("CASEVAULT_PASSPHRASE_FILE", vault.around.join("passphrase"));
    });
    let Some(mut shell) = started else { return };
    let jot = format!("{binary} note jot\n");
    shell.keys(&jot).wait_for("Enter ends it;").keys("\u{4}");
    // The shell is there still, and takes what is typed next.
    shell.keys("echo still-$((40+2))\n").wait_for("still-42");
    shell
        .keys(&jot)
        .wait_for("Enter ends it;")
        .keys("She rang.\n")
        .wait_for("jotted j-");
    shell.keys("exit 7\n");
    assert_eq!(shell.end().0, 7);
    let jots = vault.json(&["note", "jot", "--list"])["jots"].clone();
    assert_eq!(jots.as_array().unwrap().len(), 1, "{jots}");
    assert_eq!(jots[0]["text"], "She rang.");
}

#[test]
fn whom_contact_restrictions_name_is_found_at_the_prompt() {
    let vault = Vault::made();
    open(
        &vault,
        &json!({"name": "Ada Pike", "contact_restrictions": "No contact with Tom Reed, by order."}),
    );
    let Some(mut terminal) = on_terminal(&vault, "call") else {
        return;
    };
    terminal
        .wait_for("Who: ")
        .keys("reed\n")
        .wait_for("1  Ada Pike")
        .wait_for("which names Tom Reed");
    terminal.keys("\u{3}");
    assert_eq!(terminal.end().0, 130);
}

#[test]
fn a_reason_that_names_somebody_elses_client_is_asked_about() {
    let vault = Vault::made();
    let ada = open(&vault, &json!({"name": "Ada Pike"}));
    let noah = open(&vault, &json!({"name": "Noah Low"}));
    let note = vault.add_note(&ada, "obs: Calm.\n");
    let shown = |vault: &Vault| {
        let shown = vault.json(&["note", "show", &note, "--misfiled"]);
        shown["misfiled"]["reason"].as_str().unwrap().to_owned()
    };
    let file = vault.around.join("reason.txt");
    std::fs::write(&file, "I had Noah Low's case open.\n").unwrap();
    let misfiled = ["note", "misfiled", &note, "--file", file.to_str().unwrap()];
    // Where nobody can be asked it is said.
    let told = vault.copied().run(&misfiled).done().stderr;
    assert!(told.contains("look again: the reason names Noah Low"), "{told}");
    let Some(mut terminal) = on_terminal(&vault, &misfiled.join(" ")) else {
        return;
    };
    terminal
        .wait_for("the reason names Noah Low")
        .wait_for("Without it: I had another person's case open.")
        .wait_for("[Enter/y/n] ")
        // Said no, it is typed anew, and looked at again.
        .keys("n\n")
        .wait_for("Why is it misfiled? ")
        .keys("the Low family were next in my list\n")
        .wait_for("the reason names Noah Low")
        .wait_for("Without it: another family were next in my list")
        .wait_for("[Enter/y/n] ")
        .keys("\n");
    assert_eq!(terminal.end().0, 0);
    assert_eq!(shown(&vault), "another family were next in my list");
    // Said yes, it stays as it was typed; a handle names whose case it is as well as a name does.
    let note = vault.add_note(&ada, "obs: Quiet.\n");
    std::fs::write(&file, format!("It belongs in {noah}.\n")).unwrap();
    let misfiled = ["note", "misfiled", &note, "--file", file.to_str().unwrap()];
    let Some(mut terminal) = on_terminal(&vault, &misfiled.join(" ")) else {
        return;
    };
    terminal
        .wait_for("the reason names Noah Low")
        .wait_for("Without it: It belongs in another case.")
        .wait_for("[Enter/y/n] ")
        .keys("y\n");
    assert_eq!(terminal.end().0, 0);
    let shown = vault.json(&["note", "show", &note, "--misfiled"]);
    assert_eq!(shown["misfiled"]["reason"], format!("It belongs in {noah}."));
    vault.verified();
}

#[test]
fn a_plan_that_says_in_its_words_when_it_is_due_is_told_how() {
    let vault = Vault::made();
    let case = open(&vault, &json!({"name": "Ada Pike"}));
    let add = ["note", "add", &case, "--kind", "phone", "--file", "-"];
    let told = vault
        .feed(&add, b"plan: Ring the school, due tomorrow.\n  owner: me\n")
        .done()
        .stderr;
    assert!(
        told.contains("look again: segment 1: `due tomorrow` is only text there: `due: 20"),
        "{told}"
    );
    let told = vault
        .feed(&add, b"plan: Ring the school due back from leave.\n  due: tomorrow\n")
        .done()
        .stderr;
    assert!(!told.contains("only text"), "{told}");
}

#[test]
fn the_log_is_read_on_a_narrow_screen_and_purposes_are_those_there_are() {
    let vault = Vault::made();
    let case = open(&vault, &json!({"name": "Ada Pike"}));
    let note = vault.add_note(&case, "obs: Calm.\n");
    vault.run(&["note", "show", &note]).done();
    let binary = casevault_e2e::binary::casevault().display().to_string();
    let line = format!("env PAGER=cat COLUMNS=80 sh -c 'stty cols 80; {binary} log list'");
    let started = casevault_e2e::terminal::Terminal::start(&line, |command| {
        command
            .env("CASEVAULT_HOME", &vault.home)
            .env("CASEVAULT_PASSPHRASE_FILE", vault.around.join("passphrase"));
    });
    let Some(terminal) = started else { return };
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    // Through a pipe a line is a line, however narrow the terminal is.
    let line = format!("sh -c 'stty cols 60; {binary} log list | cat'");
    let piped = casevault_e2e::terminal::Terminal::start(&line, |command| {
        command
            .env("CASEVAULT_HOME", &vault.home)
            .env("CASEVAULT_PASSPHRASE_FILE", vault.around.join("passphrase"));
    });
    let (_, through) = piped.unwrap().end();
    let whole = |line: &&str| line.starts_with("ENTRY") && line.contains("RESULT");
    assert!(through.lines().any(|line| whole(&line)), "{through}");
    // An entry is two lines: what was done, and by whom.
    let lines: Vec<&str> = screen.lines().map(str::trim_end).collect();
    let at = lines.iter().position(|line| line.contains(&note)).unwrap();
    assert!(lines[at + 1].trim_start().starts_with("entry "), "{screen}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{screen}");
    let help = vault.run(&["case", "show", "--help"]).done().stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        help.contains("`casework`, `oversight`, `duty`") && !help.contains("`audit`"),
        "{help}"
    );
}
