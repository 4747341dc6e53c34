//! What a caseworker found in a day with the program: kinds in the text, marks before words, names beside handles, and
//! questions where there was a refusal.

use casevault_e2e::terminal::Terminal;
use casevault_e2e::terminal::on_terminal;
use casevault_e2e::terminal::with_editor;
use casevault_e2e::vault::Vault;
use serde_json::Value;
use serde_json::json;

/// A note whose words are not for the father.
const HIDDEN: &str = "NOT FOR father: ";

/// Starts a command with an editor that is a line of shell; the file is `$1`.
fn edited(vault: &Vault, arguments: &str, does: &str) -> Option<Terminal> {
    let script = vault.around.join("edit.sh");
    std::fs::write(&script, does).unwrap();
    with_editor(vault, arguments, &format!("sh {}", script.display()))
}

/// What came on a screen, however its lines were broken.
fn words(screen: &str) -> String {
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn newest(vault: &Vault, case: &str) -> Value {
    let notes = vault.json(&["note", "list", case])["notes"].clone();
    let note = notes.as_array().unwrap().last().unwrap()["note"].clone();
    vault.json(&["note", "show", note.as_str().unwrap()])
}

#[test]
fn the_kind_that_the_text_says_counts_and_empty_headings_are_never_filed() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    // After the kind was asked for, and after one that the command line says.
    for (arguments, answer, said) in [("", "phone\n", "She coughs."), (" --kind phone", "", "She sleeps.")] {
        let change =
            format!("sed -i 's/^kind: phone/kind: home-visit/' \"$1\"; printf '## Health\\n{said}\\n' >> \"$1\"\n");
        let Some(mut terminal) = edited(&vault, &format!("note add {case}{arguments}"), &change) else {
            return;
        };
        if !answer.is_empty() {
            terminal.wait_for("Kind (number or name)").keys(answer);
        }
        let (code, screen) = terminal.end();
        assert_eq!(code, 0, "{screen}");
        let note = newest(&vault, &case);
        assert_eq!(note["kind"], "home-visit", "{note}");
        assert_eq!(note["template"], "home-visit", "{note}");
        let texts: Vec<&str> = note["segments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts, [said], "{note}");
        assert_eq!(note["segments"][0]["section"], "health", "{note}");
        // What the other kind asks for besides is said.
        assert!(
            words(&screen)
                .contains("a note of the kind `home-visit` has these too: Who was there, Home conditions, Safety"),
            "{screen}"
        );
    }
    let jot = vault
        .feed(&["note", "jot", &case, "--file", "-"], b"She rang.\n")
        .handle();
    let change = "sed -i 's/^kind: .*/kind: phone/' \"$1\"\n";
    let mut terminal = edited(&vault, &format!("note expand {jot}"), change).unwrap();
    terminal.wait_for("Kind (number or name)").keys("office\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let note = newest(&vault, &case);
    assert_eq!(
        (&note["kind"], &note["template"]),
        (&json!("phone"), &json!("phone")),
        "{note}"
    );
    assert_eq!(note["segments"].as_array().unwrap().len(), 1, "{note}");
    // So does the time.
    let change = "sed -i 's/^at: .*/at: 2026-01-05/' \"$1\"; echo Rang. >> \"$1\"\n";
    let arguments = format!("note add {case} --kind phone --at 2026-01-06");
    let (code, screen) = edited(&vault, &arguments, change).unwrap().end();
    assert_eq!(code, 0, "{screen}");
    let notes = vault.json(&["note", "list", &case])["notes"].to_string();
    assert!(
        notes.contains("\"2026-01-05\"") && !notes.contains("\"2026-01-06\""),
        "{notes}"
    );
}

#[test]
fn a_mark_stands_before_the_words_wherever_the_program_repeats_them_and_the_client_beside_the_handle() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let other = vault.open_case("Tam Brisk");
    let whose = format!("Elin Farrow ({case})");
    let text = "plan: Ring 0131 at noon. {hide-from father}\n  owner: me\n\ndec: Move her. {hide-from father}\n";
    let note = vault.add_note(&case, text);
    let done = vault.run(&["plan", "done", &note]).done().stdout;
    assert!(done.contains(&format!("{HIDDEN}Ring 0131 at noon.")), "{done}");
    assert!(done.contains(&format!("of {whose}")), "{done}");
    // What an amendment leaves out.
    let amended = vault
        .feed(&["note", "amend", &note, "--file", "-"], b"obs: Calm.\n")
        .done();
    assert!(
        amended
            .stderr
            .contains(&format!("the step `{HIDDEN}Ring 0131 at noon.`")),
        "{}",
        amended.stderr
    );
    assert!(
        amended.stderr.contains(&format!("the decision `{HIDDEN}Move her.`")),
        "{}",
        amended.stderr
    );
    // The questions before a note is hidden, and before it is taken back.
    let note = vault.add_note(&case, "obs: We live at 7 Quarry Lane. {hide-from father}\n");
    let shown = format!("of {whose}: {HIDDEN}We live at 7 Quarry Lane.");
    let Some(mut terminal) = on_terminal(&vault, &format!("note misfiled {note} --to {other}")) else {
        return;
    };
    terminal
        .wait_for(&shown)
        .wait_for("Why is it misfiled?")
        .keys("wrong window\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(
        words(&screen).contains(&format!("refiled {note} for Tam Brisk ({other}) as n-")),
        "{screen}"
    );
    assert!(
        words(&screen).contains(&format!("hidden from the file of {whose}")),
        "{screen}"
    );
    let note = vault.add_note(&case, "obs: We moved to Low Road. {hide-from father}\n");
    let mut terminal = on_terminal(&vault, &format!("note withdraw {note}")).unwrap();
    let shown = format!("of {whose}: {HIDDEN}We moved to Low Road.");
    terminal.wait_for(&shown).wait_for("[y/N]").keys("y\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains(&format!("withdrew {note} of {whose}")), "{screen}");
}

#[test]
fn words_that_were_marked_when_they_were_amended_are_on_no_page_as_struck() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, "obs: We live at 7 Quarry Lane.\n\nobs: Calm.\n");
    let amended = "obs: We live at 7 Quarry Lane. {hide-from father}\n\nobs: Calm.\n";
    vault
        .feed(&["note", "amend", &note, "--file", "-"], amended.as_bytes())
        .done();
    for format in ["html", "markdown"] {
        let page = vault.run(&["export", &case, "--format", format]).done().stdout;
        assert!(page.contains("Calm.") && !page.contains("Quarry"), "{format}: {page}");
    }
    let shown = vault.run(&["note", "show", &note]).done().stdout;
    assert_eq!(shown.matches("Quarry Lane").count(), 2, "{shown}");
    assert_eq!(shown.matches(HIDDEN).count(), 2, "{shown}");
}

#[test]
fn why_an_attachment_was_taken_off_is_on_no_page_that_may_be_handed_on() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, "obs: Calm.\n");
    let file = vault.around.join("letter.txt");
    std::fs::write(&file, "A letter.\n").unwrap();
    vault.run(&["note", "attach", &note, file.to_str().unwrap()]).done();
    let remove = ["note", "attach", &note, "--remove", "1", "--file", "-"];
    vault.feed(&remove, b"it names her sister's refuge\n").done();
    for format in ["html", "markdown"] {
        let page = vault.run(&["export", &case, "--format", format]).done().stdout;
        assert!(
            page.contains("Taken off") && !page.contains("refuge"),
            "{format}: {page}"
        );
        let own = vault
            .run(&["export", &case, "--format", format, "--with-marked"])
            .done()
            .stdout;
        assert!(own.contains("refuge"), "{format}: {own}");
    }
    assert!(vault.run(&["note", "show", &note]).done().stdout.contains("refuge"));
}

#[test]
fn a_jot_is_filed_as_it_is_where_somebody_says_so_and_the_answer_names_the_client() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let jot = vault
        .feed(&["note", "jot", &case, "--file", "-"], b"Rang: the boiler is mended.\n")
        .handle();
    let Some(mut terminal) = edited(&vault, &format!("note expand {jot}"), "true\n") else {
        return;
    };
    terminal.wait_for("Kind (number or name)").keys("phone\n");
    terminal.wait_for("File the jot as it is? [y/N]").keys("n\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 1, "{screen}");
    assert_eq!(
        vault.json(&["note", "jot", "--list"])["jots"].as_array().unwrap().len(),
        1
    );
    let mut terminal = edited(&vault, &format!("note expand {jot}"), "true\n").unwrap();
    terminal.wait_for("Kind (number or name)").keys("phone\n");
    terminal.wait_for("File the jot as it is? [y/N]").keys("y\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains(&format!("for Elin Farrow ({case})")), "{screen}");
    assert_eq!(vault.json(&["note", "jot", "--list"])["jots"], json!([]));
    assert_eq!(
        newest(&vault, &case)["segments"][0]["text"],
        "Rang: the boiler is mended."
    );
    assert_eq!(vault.json(&["note", "draft"])["drafts"], json!([]));
}

#[test]
fn a_draft_is_not_dropped_unasked() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let Some(mut terminal) = edited(
        &vault,
        &format!("note add {case} --kind phone"),
        "grep -q obs: \"$1\" || echo 'obs: x {' >> \"$1\"\n",
    ) else {
        return;
    };
    terminal.wait_for("as draft j-");
    terminal.end();
    let draft = || {
        vault.json(&["note", "draft"])["drafts"][0]["draft"]
            .as_str()
            .map(str::to_owned)
    };
    let named = draft().unwrap();
    for args in [
        &["note", "add", &case, "--discard-draft", "--json"][..],
        &["note", "draft", "--discard", &named, "--json"],
    ] {
        vault.run(args).refused(2, "needs-flag");
    }
    let mut terminal = on_terminal(&vault, &format!("note add {case} --discard-draft")).unwrap();
    terminal.wait_for("Drop it?").keys("\n");
    assert_eq!(terminal.end().0, 1);
    assert!(draft().is_some());
    let mut terminal = on_terminal(&vault, &format!("note draft --discard {named}")).unwrap();
    terminal.wait_for("Drop it?").keys("y\n");
    assert_eq!(terminal.end().0, 0);
    assert_eq!(draft(), None);
}

#[test]
fn a_closed_case_is_found_by_name_and_opened_again_where_somebody_says_so() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    vault.open_case("Tam Brisk");
    let close = || {
        vault
            .run(&["case", "close", &case, "--reason", "other", "--yes"])
            .done();
    };
    close();
    // To read it is enough to find it.
    let Some(mut terminal) = on_terminal(&vault, "case show") else {
        return;
    };
    terminal
        .wait_for("Who: ")
        .keys("elin\n")
        .wait_for("Elin Farrow")
        .wait_for("(closed)");
    assert_eq!(terminal.end().0, 0);
    // To write, it is opened again or another is chosen.
    let mut terminal = on_terminal(&vault, "call").unwrap();
    terminal
        .wait_for("Who: ")
        .keys("elin\n")
        .wait_for("Open it again? [y/N]")
        .keys("n\n")
        .wait_for("Who: ")
        .keys("elin\n")
        .wait_for("Open it again? [y/N]")
        .keys("y\n")
        .wait_for("Why is it opened again: ")
        .keys("she rang again\n")
        .wait_for("opened c-")
        .wait_for("Type the note");
    terminal.keys("obs: Calm.\n\u{4}");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    close();
    let mut terminal = on_terminal(&vault, "case reopen").unwrap();
    terminal
        .wait_for("Who: ")
        .keys("far\n")
        .wait_for("Why is it opened again: ")
        .keys("she rang again\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains(&format!("opened {case} again")), "{screen}");
    assert_eq!(vault.json(&["case", "show", &case])["status"], "open");
    vault.run(&["case", "reopen", "--json"]).refused(2, "needs-flag");
}

#[test]
fn a_step_is_chosen_where_none_is_named() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, "plan: Ring the landlord.\n\nplan: Write to the school.\n");
    let Some(mut terminal) = on_terminal(&vault, "plan done") else {
        return;
    };
    terminal
        .wait_for("Who: ")
        .keys("elin\n")
        .wait_for("Write to the school.")
        .wait_for("Which step (its number): ")
        .keys("2\n")
        .wait_for("What came of it")
        .keys("sent\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains(&format!("done {note}:2")), "{screen}");
    vault.run(&["plan", "done", "--json"]).refused(2, "needs-flag");
}

#[test]
fn a_note_of_the_list_is_read_by_its_number() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    vault.add_note(&case, "obs: The first.\n");
    vault.add_note(&case, "obs: The second.\n");
    vault.run(&["unlock", "--for", "1h"]).done();
    let Some(mut terminal) = on_terminal(&vault, "") else {
        return;
    };
    terminal
        .wait_for("Whose case?")
        .wait_for("Who: ")
        .keys("elin\n")
        .wait_for("Enter leaves")
        .keys("l\n")
        .wait_for("  2  n-")
        .wait_for("Which note to read")
        .keys("2\n")
        .wait_for("Observation: The second.")
        .wait_for("Which note to read")
        .keys("\n")
        .wait_for("Enter leaves")
        .keys("\n");
    assert_eq!(terminal.end().0, 0);
}

const MAIL: &str = "From: Ann <ann@example.org>\r\nTo: me@example.org\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\n\
                    Message-ID: <one@example.org>\r\nSubject: Boiler\r\n";

#[test]
fn a_mail_that_is_on_file_is_told_before_it_is_filed_again() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let other = vault.open_case("Tam Brisk");
    let file = vault.around.join("mail.eml");
    std::fs::write(&file, format!("{MAIL}\r\nThe boiler is mended.\r\n")).unwrap();
    let path = file.to_str().unwrap().to_owned();
    let note = vault.run(&["note", "add", &case, "--file", &path]).handle();
    // The same by its id, saved by another program.
    std::fs::write(
        &file,
        format!("X-Saved-By: another\r\n{MAIL}\r\nThe boiler is mended.\r\n"),
    )
    .unwrap();
    let again = format!("note add {case} --file {path}");
    let Some(mut terminal) = on_terminal(&vault, &again) else {
        return;
    };
    terminal
        .wait_for(&format!(
            "This mail is on the file already, as {note}. File it once more? [y/N]"
        ))
        .keys("n\n");
    assert_eq!(terminal.end().0, 1);
    assert_eq!(
        vault.json(&["note", "list", &case])["notes"].as_array().unwrap().len(),
        1
    );
    // It may be of somebody else too; and without a terminal it is told behind.
    let done = vault.run(&["note", "add", &other, "--file", &path]).done();
    assert!(!done.stderr.contains("same mail"), "{}", done.stderr);
    let done = vault.run(&["note", "add", &case, "--file", &path]).done();
    assert!(
        done.stderr
            .contains(&format!("the same mail is on this file already, as {note}")),
        "{}",
        done.stderr
    );
    // What is attached to a mail that is on file already may be filed there.
    let attached = "From: a@b.example\r\nTo: c@d.example\r\nDate: Thu, 12 Mar 2026 14:00:00 +0000\r\nMessage-ID: <x1@b.example>\r\nSubject: Plan\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"q\"\r\n\r\n--q\r\nContent-Type: text/plain\r\n\r\nSee the \
         plan.\r\n--q\r\nContent-Type: text/plain; name=\"plan.txt\"\r\nContent-Disposition: attachment; \
         filename=\"plan.txt\"\r\n\r\nOne.\r\n--q--\r\n";
    let with_file = vault.around.join("attached.eml");
    std::fs::write(&with_file, attached).unwrap();
    let with_file = with_file.to_str().unwrap().to_owned();
    let first = vault
        .run(&["note", "add", &case, "--file", &with_file, "--attachments"])
        .handle();
    let mut terminal = on_terminal(&vault, &format!("note add {case} --file {with_file}")).unwrap();
    terminal.wait_for("File it once more? [y/N]").keys("n\n");
    let (_, screen) = terminal.end();
    assert!(!screen.contains("not filed"), "{screen}");
    let done = vault.run(&["note", "add", &case, "--file", &with_file]).done();
    assert!(
        done.stderr.contains(&format!("`casevault note attach {first} --list`"))
            && !done.stderr.contains("was not filed"),
        "{}",
        done.stderr
    );
    let refiled = done.handle();
    vault.run(&["note", "withdraw", &refiled]).done();
    // One that was taken back is not on file.
    let second = vault.run(&["note", "add", &other, "--file", &path, "--json"]).json()["note"].clone();
    for row in vault.json(&["note", "list", &other])["notes"].as_array().unwrap() {
        vault.run(&["note", "withdraw", row["note"].as_str().unwrap()]).done();
    }
    assert!(second.is_string());
    let done = vault.run(&["note", "add", &other, "--file", &path]).done();
    assert!(!done.stderr.contains("same mail"), "{}", done.stderr);
    vault.verified();
}

#[test]
fn a_note_that_is_typed_twice_is_asked_about_as_one_out_of_a_file_is() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let write = "echo 'She rang.' >> \"$1\"\n";
    let Some(terminal) = edited(&vault, &format!("note add {case} --kind phone"), write) else {
        return;
    };
    assert_eq!(terminal.end().0, 0);
    let mut terminal = edited(&vault, &format!("note add {case} --kind phone"), write).unwrap();
    terminal
        .wait_for("of the same words was saved in the last minutes. Save this too? [y/N]")
        .keys("n\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 1, "{screen}");
    let mut terminal = on_terminal(&vault, &format!("call {case}")).unwrap();
    terminal.wait_for("Type the note").keys("She rang.\n\u{4}");
    terminal.wait_for("Save this too? [y/N]").keys("y\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(
        vault.json(&["note", "list", &case])["notes"].as_array().unwrap().len(),
        2
    );
    assert_eq!(vault.json(&["note", "draft"])["drafts"], json!([]));
}

#[test]
fn what_is_attached_to_a_mail_is_filed_byte_for_byte_and_never_in_part() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let file = vault.around.join("mail.eml");
    // "Grüße" in Latin 1, and a line break of another system.
    let latin: &[u8] = b"Gr\xfc\xdfe\n";
    let mail = format!(
        "{MAIL}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee \
         the letter.\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=letter.txt\r\n\r\nR3L832UK\r\n--b--\r\n"
    );
    std::fs::write(&file, mail).unwrap();
    let path = file.to_str().unwrap();
    let note = vault
        .run(&["note", "add", &case, "--file", path, "--attachments"])
        .handle();
    let out = vault.around.join("letter.txt");
    let get = ["note", "attach", &note, "--get", "1", "--out", out.to_str().unwrap()];
    vault.run(&get).done();
    assert_eq!(std::fs::read(&out).unwrap(), latin);
    // More than are filed: none, and it says so.
    let part = "--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=a.png\r\n\r\nx\r\n";
    let mail = format!(
        "{MAIL}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee \
         it.\r\n{}--b--\r\n",
        part.repeat(201)
    );
    std::fs::write(&file, mail).unwrap();
    let refused = vault.run(&["note", "add", &case, "--file", path, "--attachments", "--json"]);
    refused.refused(1, "too-long");
    assert_eq!(
        vault.json(&["note", "list", &case])["notes"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn a_note_may_begin_with_a_mark_and_what_is_wrong_with_one_as_json_is_said_at_once() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, "{hide-from father} We live at 7 Quarry Lane.\n");
    let shown = vault.json(&["note", "show", &note]);
    assert_eq!(shown["segments"][0]["text"], "We live at 7 Quarry Lane.", "{shown}");
    assert_eq!(shown["segments"][0]["hide_from"], "father", "{shown}");
    let wrong = "{\"kind\": \"phone\", \"segments\": [\n {\"kind\": \"rumour\", \"text\": \"x\"},\n {\"kind\": \"plan\"}],\n \
                 \"occurred_at\": \"never\"}";
    let refused = vault.feed(&["note", "add", &case, "--file", "-"], wrong.as_bytes());
    assert_eq!(refused.code, 1);
    for told in [
        "line 2",
        "`rumour` is not a kind",
        "line 3",
        "`text` is missing",
        "line 4",
        "occurred_at",
    ] {
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
    }
}

#[test]
fn a_list_of_just_now_may_have_shown_words_until_now_and_not_in_time_to_come() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    vault.run(&["note", "find", "--file", "/dev/null"]);
    vault.run(&["today"]).done();
    let note = vault.add_note(&case, "obs: Calm.\n");
    let misfiled = ["note", "misfiled", &note, "--file", "-", "--json"];
    let reply = vault.feed(&misfiled, b"wrong window\n").json();
    let shown = reply["may_have_shown"].as_array().unwrap();
    let until = shown.iter().filter_map(|one| one["stands_until"].as_str());
    let now = jiff::Timestamp::now();
    let until: Vec<jiff::Timestamp> = until.map(|until| until.parse().unwrap()).collect();
    assert!(!until.is_empty(), "{reply}");
    assert!(until.iter().all(|until| *until <= now), "{reply}");
}

#[test]
fn more_than_is_held_in_memory_is_not_taken_by_a_pipe() {
    let vault = Vault::made();
    let mut child = vault.fed(&["import", "-", "--json"]);
    let mut pipe = child.stdin.take().unwrap();
    let lines = vec![b'\n'; 1 << 20];
    let mut written = 0_u64;
    // It stops to read, and so does this.
    while written < 300 && std::io::Write::write_all(&mut pipe, &lines).is_ok() {
        written += 1;
    }
    drop(pipe);
    let done = casevault_e2e::vault::Done::of(child.wait_with_output().unwrap());
    let error = done.refused(1, "pipe-too-long");
    assert!(error["hint"].as_str().unwrap().contains("--keep-going"), "{error}");
}
