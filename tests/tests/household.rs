//! What is dangerous in one case of a household, told before a visit to another, however people write who lives there.

use casevault_e2e::terminal::on_terminal;
use casevault_e2e::vault::Vault;
use serde_json::Value;
use serde_json::json;

fn open(vault: &Vault, profile: &Value) -> String {
    let args = ["case", "open", "--template", "child-and-family", "--file", "-"];
    vault.feed(&args, profile.to_string().as_bytes()).handle()
}

fn note(vault: &Vault, args: &[&str], text: &str) -> String {
    let all = [&["note", "add"], args, &["--file", "-"]].concat();
    vault.feed(&all, text.as_bytes()).handle()
}

fn brief(vault: &Vault, case: &str) -> String {
    vault.run(&["case", "show", case, "--brief"]).done().stdout
}

#[test]
fn the_day_marks_the_case_that_holds_the_danger_plainly_and_its_sibling_too() {
    let vault = Vault::made();
    let ada = open(
        &vault,
        &json!({"name": "Ada Pike", "address": "3 Mill Row", "danger_to_workers": "The dog bites."}),
    );
    let ben = open(&vault, &json!({"name": "Ben Pike", "address": "3 Mill Row"}));
    let cas = open(&vault, &json!({"name": "Cas Low"}));
    for case in [&ada, &ben, &cas] {
        note(
            &vault,
            &[case, "--kind", "home-visit", "--at", "tomorrow 10:00"],
            "obs: To come.\n",
        );
    }
    let today = vault.run(&["today"]).done().stdout;
    let of = |name: &str| {
        today
            .lines()
            .find(|line| line.contains(&format!("{name} ")) || line.ends_with(name))
    };
    let line = |name: &str| of(name).unwrap_or_else(|| panic!("no {name}: {today}"));
    assert!(line("[danger] Ada Pike").contains("[danger] Ada Pike"), "{today}");
    assert!(today.contains("[danger: Ada Pike] Ben Pike"), "{today}");
    assert!(!line("Cas Low").contains("danger"), "{today}");
    let rows = vault.json(&["today"])["visits"]["rows"].clone();
    let of = |case: &str| {
        rows.as_array()
            .unwrap()
            .iter()
            .find(|row| row["case"] == case)
            .unwrap()
            .clone()
    };
    assert_eq!((&of(&ada)["danger"], &of(&ben)["danger"]), (&json!(true), &Value::Null));
    // What every visit says of safety is no danger, and what its author marked is.
    note(
        &vault,
        &[&cas, "--kind", "home-visit", "--at", "-2h"],
        "## Safety\nThe gate was locked.\n",
    );
    assert!(!vault.run(&["today"]).done().stdout.contains("[danger] Cas"));
    note(
        &vault,
        &[&cas, "--kind", "home-visit", "--at", "-1h"],
        "## Safety\nHe has a knife. {significant}\n",
    );
    let today = vault.run(&["today"]).done().stdout;
    assert!(today.contains("[danger] Cas Low"), "{today}");
}

#[test]
fn siblings_are_found_however_they_are_written() {
    for household in [
        json!("Noah (brother)"),
        json!("noah ash, 4"),
        json!("Jo, Noah Ash and gran"),
        json!("Mother: Jane Ash; siblings: Jo, Noah"),
        json!([{"name": "Noah", "relation": "brother"}]),
        json!(["Ash, Noah"]),
    ] {
        let vault = Vault::made();
        open(
            &vault,
            &json!({"name": "Noah Ash", "danger_to_workers": "The dog bites."}),
        );
        let mia = open(&vault, &json!({"name": "Mia Ash", "household": household}));
        let shown = brief(&vault, &mia);
        assert!(
            shown.contains("Dangers\n  of Noah Ash (named among its people): The dog bites.\n"),
            "{household}: {shown}"
        );
    }
    // By the mother, whom both name, and by the name where lists show another label.
    let vault = Vault::made();
    let danger = json!({"name": "Noah Ash", "label": "N. A.", "household": "Jane Reed (mother)", "danger_to_workers": "The dog bites."});
    open(&vault, &danger);
    let mia = open(&vault, &json!({"name": "Mia Stone", "household": "mum: Jane Reed, 41"}));
    let shown = brief(&vault, &mia);
    assert!(
        shown.contains("of N. A. (both name mum: Jane Reed): The dog bites."),
        "{shown}"
    );
    let eve = open(&vault, &json!({"name": "Eve Low", "household": "Noah Ash"}));
    assert!(brief(&vault, &eve).contains("of N. A. (named among its people): The dog bites."));
}

#[test]
fn whom_a_household_names_without_a_case_or_with_several_is_said() {
    let vault = Vault::made();
    let mia = open(
        &vault,
        &json!({"name": "Mia Ash", "household": "Noah (brother), Jane Ash (mother), two dogs"}),
    );
    let shown = brief(&vault, &mia);
    assert!(
        shown.contains(
            "Dangers\n  none recorded in this case\n  no case of yours for: Noah (brother); Jane Ash (mother)\n"
        ),
        "{shown}"
    );
    // Of another last name it may be somebody else; of the same there are two.
    let pike = open(
        &vault,
        &json!({"name": "Noah Pike", "danger_to_workers": "The dog bites."}),
    );
    let shown = brief(&vault, &mia);
    assert!(
        shown.contains(&format!("look yourself: Noah (brother) may be Noah Pike ({pike})")),
        "{shown}"
    );
    assert!(!shown.contains("The dog bites."), "{shown}");
    let one = open(&vault, &json!({"name": "Noah Ash"}));
    assert!(!brief(&vault, &mia).contains("may be"));
    let two = open(
        &vault,
        &json!({"name": "Noah Ash", "danger_to_workers": "He throws things."}),
    );
    let reply = vault.json(&["case", "show", &mia, "--brief"]);
    let mut may_be: Vec<String> = reply["household_unclear"][0]["may_be"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["case"].as_str().unwrap().to_owned())
        .collect();
    may_be.sort();
    let mut both = vec![one, two];
    both.sort();
    assert_eq!(may_be, both, "{reply}");
    assert_eq!(reply["household"][0]["dangers"][0]["text"], "He throws things.");
    // A household of which nothing is written says nothing.
    let eve = open(&vault, &json!({"name": "Eve Low"}));
    assert!(brief(&vault, &eve).contains("Dangers\n  none recorded\n\n"));
}

#[test]
fn an_address_that_is_kept_from_others_is_never_the_reason_that_is_shown() {
    let vault = Vault::made();
    let ada = open(
        &vault,
        &json!({"name": "Ada Pike", "confidential_address": "3 Mill Row", "danger_to_workers": "The dog bites."}),
    );
    for profile in [
        json!({"name": "Ben Low", "confidential_address": "3 Mill Row"}),
        json!({"name": "Cas Moss", "address": "3 Mill Row"}),
    ] {
        let case = open(&vault, &profile);
        let reply = vault.json(&["case", "show", &case, "--brief"]);
        assert_eq!(reply["household"][0]["case"], json!(ada), "{reply}");
        assert_eq!(reply["household"][0]["by"], json!(["one household"]), "{reply}");
        assert!(brief(&vault, &case).contains("of Ada Pike (one household): The dog bites."));
    }
}

#[test]
fn only_a_case_whose_words_are_told_is_in_the_log_as_opened() {
    let vault = Vault::made();
    let ada = open(
        &vault,
        &json!({"name": "Ada Pike", "address": "3 Mill Row", "danger_to_workers": "The dog bites."}),
    );
    let ben = open(&vault, &json!({"name": "Ben Pike", "address": "3 Mill Row"}));
    let cas = open(&vault, &json!({"name": "Cas Pike", "address": "3 Mill Row"}));
    brief(&vault, &ben);
    let log = vault.json(&["log", "list"]);
    let opened: Vec<&Value> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["scope"] == "dangers of the household")
        .map(|entry| &entry["case"])
        .collect();
    assert_eq!(opened, [&json!(ada)], "{log} {cas}");
    vault.verified();
}

#[test]
fn what_is_marked_is_not_drowned_and_the_rest_is_one_command_away() {
    let vault = Vault::made();
    let case = open(&vault, &json!({"name": "Ada Pike", "danger_to_workers": "None known"}));
    let visit = |hours: u32, text: &str| {
        let at = format!("-{hours}h");
        note(&vault, &[&case, "--kind", "home-visit", "--at", &at], text)
    };
    visit(90, "## Safety\nHe has a knife. {significant}\n");
    for hours in 10..20 {
        visit(hours, "## Safety\nThe gate was locked.\n");
    }
    visit(1, "## Safety\nThe window is broken.\n\nNo concerns.\n");
    let shown = brief(&vault, &case);
    let dangers = shown
        .split("\n\n")
        .find(|block| block.starts_with("Dangers"))
        .unwrap()
        .to_owned();
    let lines: Vec<&str> = dangers.lines().collect();
    assert_eq!(lines.len(), 4, "{dangers}");
    assert!(lines[1].contains("He has a knife."), "{dangers}");
    assert!(lines[2].contains("The window is broken."), "{dangers}");
    assert_eq!(
        lines[3],
        format!("  and 11 more on safety: casevault case show {case} --all"),
        "{dangers}"
    );
    let all = vault.run(&["case", "show", &case, "--all"]).done().stdout;
    assert_eq!(all.matches("The gate was locked.").count(), 10, "{all}");
    let few = vault.run(&["case", "show", &case]).done().stdout;
    assert!(
        few.contains(&format!("  and 9 more: casevault case show {case} --all")),
        "{few}"
    );
    // What came after it does not hide it, and what is said again is told once.
    assert!(
        few.find("He has a knife.").unwrap() < few.find("The window is broken.").unwrap(),
        "{few}"
    );
    assert_eq!(few.matches("The gate was locked.").count(), 1, "{few}");
}

#[test]
fn a_danger_is_told_wherever_somebody_writes_or_reads_of_the_family() {
    let vault = Vault::made();
    open(
        &vault,
        &json!({"name": "Ada Pike", "address": "3 Mill Row", "danger_to_workers": "The dog bites."}),
    );
    let ben = open(&vault, &json!({"name": "Ben Pike", "address": "3 Mill Row"}));
    let shown = vault.run(&["case", "show", &ben]).done().stdout;
    assert!(
        shown.contains("Dangers in the household\n  of Ada Pike (same address): The dog bites.\n"),
        "{shown}"
    );
    let told = "of Ada Pike (same address): The dog bites.";
    if let Some(mut terminal) = on_terminal(&vault, &format!("note add {ben} --kind phone")) {
        terminal.wait_for("Dangers").wait_for(told).wait_for("Type the note");
        terminal.keys("obs: Calm.\n\u{4}");
        assert_eq!(terminal.end().0, 0);
    }
    let jot = vault.feed(&["note", "jot", &ben, "--file", "-"], b"Rang.\n").handle();
    if let Some(mut terminal) = on_terminal(&vault, &format!("note expand {jot} --kind phone")) {
        terminal.wait_for("Dangers").wait_for(told).wait_for("Type the note");
        terminal.keys("obs: Calm on the phone.\n\u{4}");
        assert_eq!(terminal.end().0, 0);
    }
}

#[test]
fn ones_own_dangers_come_before_those_of_the_household() {
    let vault = Vault::made();
    open(
        &vault,
        &json!({"name": "Ada Pike", "address": "3 Mill Row", "danger_to_workers": "The dog bites."}),
    );
    let ben = open(
        &vault,
        &json!({"name": "Ben Pike", "address": "3 Mill Row", "danger_to_workers": "He throws things.", "language": "English"}),
    );
    let shown = vault.run(&["case", "show", &ben]).done().stdout;
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("no {text}: {shown}"));
    assert!(at("He throws things.") < at("The dog bites."), "{shown}");
    assert!(at("The dog bites.") < at("\nPerson\n"), "{shown}");
    assert_eq!(shown.matches("\nSafety\n").count(), 1, "{shown}");
}

#[test]
fn a_danger_of_a_joint_note_is_told_once_and_names_both_cases() {
    let vault = Vault::made();
    let ada = open(&vault, &json!({"name": "Ada Pike", "address": "3 Mill Row"}));
    let ben = open(&vault, &json!({"name": "Ben Pike", "address": "3 Mill Row"}));
    let cas = open(&vault, &json!({"name": "Cas Pike", "address": "3 Mill Row"}));
    note(
        &vault,
        &[&ada, "--also", &ben, "--kind", "home-visit", "--at", "-2h"],
        "## Safety\nThe dog bites. {significant}\n",
    );
    for (args, whole) in [(&["--brief"][..], "brief"), (&[][..], "show")] {
        let shown = vault.run(&[&["case", "show", &ada], args].concat()).done().stdout;
        let dangers = shown.split("\nMarked significant\n").next().unwrap();
        assert_eq!(dangers.matches("The dog bites.").count(), 1, "{whole}: {shown}");
        assert!(dangers.contains("also of Ben Pike)"), "{whole}: {shown}");
        // In a third file of the household too: of the first that holds it, with the name of the other.
        let shown = vault.run(&[&["case", "show", &cas], args].concat()).done().stdout;
        assert_eq!(shown.matches("The dog bites.").count(), 1, "{whole}: {shown}");
        let told = |one: &str, other: &str| {
            let line = shown.lines().find(|line| line.contains("The dog bites.")).unwrap();
            line.starts_with(&format!("  of {one} (same address): ")) && line.contains(&format!("also of {other})"))
        };
        let both = told("Ada Pike", "Ben Pike") || told("Ben Pike", "Ada Pike");
        assert!(both, "{whole}: {shown}");
    }
    let reply = vault.json(&["case", "show", &ada, "--brief"]);
    assert_eq!(reply["dangers"][0]["also_of"], json!(["Ben Pike"]), "{reply}");
    vault.verified();
}

#[test]
fn a_list_of_steps_marks_the_case_that_holds_a_danger() {
    let vault = Vault::made();
    let ada = open(
        &vault,
        &json!({"name": "Ada Pike", "address": "3 Mill Row", "danger_to_workers": "The dog bites."}),
    );
    let ben = open(&vault, &json!({"name": "Ben Pike", "address": "3 Mill Row"}));
    let cas = open(&vault, &json!({"name": "Cas Low"}));
    for case in [&ada, &ben, &cas] {
        note(
            &vault,
            &[case, "--kind", "phone"],
            "plan: Ring again.\n  owner: me\n  due: 2099-01-05\n",
        );
    }
    let steps = vault.run(&["plan", "list"]).done().stdout;
    assert!(steps.contains("[danger] Ada Pike"), "{steps}");
    assert!(steps.contains("[danger: Ada Pike] Ben Pike"), "{steps}");
    assert!(!steps.contains("] Cas Low"), "{steps}");
    let own = vault.run(&["plan", "list", "--case", &ada]).done().stdout;
    assert!(own.contains("[danger] Ada Pike"), "{own}");
    let other = vault.run(&["plan", "list", "--case", &cas]).done().stdout;
    assert!(!other.contains("[danger]"), "{other}");
    note(
        &vault,
        &[&cas, "--kind", "phone"],
        "obs: He has a knife. {label danger}\n",
    );
    let other = vault.run(&["plan", "list", "--case", &cas]).done().stdout;
    assert!(other.contains("[danger] Cas Low"), "{other}");
}

#[test]
fn the_outcome_of_a_closing_that_was_taken_back_says_so() {
    let vault = Vault::made();
    let case = open(&vault, &json!({"name": "Ada Pike"}));
    let close = ["case", "close", &case, "--file", "-"];
    vault.feed(&close, b"She manages by herself.\n").done();
    let closed = vault.run(&["case", "show", &case]).done().stdout;
    assert!(!closed.contains("opened again"), "{closed}");
    vault
        .feed(&["case", "reopen", &case, "--file", "-"], b"She rang.\n")
        .done();
    let shown = vault.run(&["case", "show", &case]).done().stdout;
    let outcome = shown.split("\nOutcome\n").nth(1).unwrap();
    assert!(
        outcome.starts_with("  before the case was opened again on 20"),
        "{shown}"
    );
    // What ends it the next time is current.
    vault.feed(&close, b"She moved to her sister.\n").done();
    let shown = vault.run(&["case", "show", &case]).done().stdout;
    let outcome: Vec<&str> = shown.split("\nOutcome\n").nth(1).unwrap().lines().collect();
    assert!(
        outcome[0].starts_with("  Not classified: She moved to her sister."),
        "{shown}"
    );
    assert!(
        outcome[1].starts_with("  before the case was opened again on 20"),
        "{shown}"
    );
    vault.verified();
}
