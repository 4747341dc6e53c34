//! The agent: what commands get through it is what they get without; it locks when it should, and nothing that a process
//! of the same user sends it ends it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use casevault_e2e::agent;
use casevault_e2e::caseload;
use casevault_e2e::caseload::Size;
use casevault_e2e::vault::Vault;
use serde_json::Value;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::RwLock;
use std::time::Duration;
use std::time::Instant;

const TERM: &str = "heating";

/// Runs a command without a passphrase: only an agent can answer.
fn without_passphrase(vault: &Vault, arguments: &[&str], input: &str) -> casevault_e2e::vault::Done {
    let mut command = vault.command(arguments);
    command.env_remove("CASEVAULT_PASSPHRASE_FILE").stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    casevault_e2e::vault::Done::of(child.wait_with_output().unwrap())
}

/// The first lines of a caseload: a worker, a case, and some of its notes.
fn some_lines() -> Vec<u8> {
    let lines = caseload::make(Size::S);
    let some = lines.split_inclusive(|byte| *byte == b'\n').take(60);
    some.collect::<Vec<_>>().concat()
}

#[test]
fn every_command_answers_through_the_agent_as_it_does_without() {
    let vault = Vault::with(&some_lines());
    let cases = vault.json(&["case", "list"]);
    let case = cases["cases"][0]["case"].as_str().unwrap().to_owned();
    let notes = vault.json(&["note", "list", &case]);
    let note = notes["notes"][0]["note"].as_str().unwrap().to_owned();
    let amended = vault.add_note(&case, "obs: The heating is off.\n");
    vault
        .feed(
            &["note", "amend", &amended, "--file", "-"],
            b"obs: The heating is on.\n",
        )
        .done();
    let reads: Vec<(Vec<&str>, &str)> = vec![
        (vec!["case", "list"], ""),
        (vec!["case", "show", &case], ""),
        (vec!["note", "list", &case], ""),
        (vec!["note", "list", &case, "--quotes"], ""),
        (vec!["note", "show", &note], ""),
        (vec!["note", "show", &amended], ""),
        (vec!["note", "history", &amended], ""),
        (vec!["chronology", "show", &case], ""),
        (vec!["decision", "list", &case], ""),
        (vec!["note", "find", "--file", "-"], TERM),
        (vec!["note", "find", "--file", "-"], TERM),
        (vec!["note", "find", &case, "--file", "-"], TERM),
        (vec!["export", "--format", "jsonl"], ""),
        (vec!["export", "--format", "json"], ""),
        (vec!["export", &case, "--format", "html"], ""),
        (vec!["case", "verify", &case], ""),
    ];
    let json = |arguments: &[&str]| match arguments[0] {
        "export" => arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>(),
        _ => arguments.iter().chain(&["--json"]).map(|a| (*a).to_owned()).collect(),
    };
    let run = |arguments: &[String], input: &str| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        vault.feed(&arguments, input.as_bytes()).done().stdout
    };
    // A page says the minute in which it was exported.
    let steady = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("<dt>Exported"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut here = Vec::new();
    for (arguments, input) in &reads {
        here.push((
            run(&json(arguments), input),
            run(
                &json(arguments)
                    .into_iter()
                    .filter(|a| a != "--json")
                    .collect::<Vec<_>>(),
                input,
            ),
        ));
    }
    let entries = vault.json(&["log", "list"])["total"].as_u64().unwrap();
    assert_eq!(vault.json(&["unlock"])["agent"], true);
    let status = vault.json(&["status"]);
    assert_eq!(
        (&status["locked"], &status["agent"]),
        (&Value::Bool(false), &Value::Bool(true))
    );
    for ((arguments, input), (as_json, as_text)) in reads.iter().zip(&here) {
        let words: Vec<String> = json(arguments);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let done = without_passphrase(&vault, &words, input).done();
        assert!(
            steady(&done.stdout) == steady(as_json),
            "{arguments:?}\n{}\n{as_json}",
            done.stdout
        );
        let words: Vec<&str> = words.into_iter().filter(|a| *a != "--json").collect();
        let done = without_passphrase(&vault, &words, input).done();
        assert!(
            steady(&done.stdout) == steady(as_text),
            "{arguments:?}\n{}\n{as_text}",
            done.stdout
        );
    }
    // As many entries as without: nothing is read beside the log.
    let more = vault.json(&["log", "list"])["total"].as_u64().unwrap() - entries;
    let once = entries_of(&vault, &reads, &json);
    assert_eq!(
        more,
        once + 2,
        "the unlocking, the list of the log, and one or two for each reading"
    );
    let refused = without_passphrase(&vault, &["note", "show", "n-00000000", "--json"], "");
    assert_eq!(refused.refused(1, "not-found")["exit"], 1);
    let added = without_passphrase(
        &vault,
        &["note", "add", &case, "--kind", "phone", "--file", "-"],
        "Rang.",
    )
    .handle();
    assert_eq!(
        vault.json(&["note", "show", &added, "--no-agent"])["segments"][0]["text"],
        "Rang."
    );
    let locked = vault.json(&["lock"]);
    assert_eq!(locked["was_unlocked"], true);
    assert_eq!(vault.json(&["lock"])["was_unlocked"], false);
    assert_eq!(vault.json(&["status"])["locked"], true);
    assert_eq!(without_passphrase(&vault, &["case", "list", "--json"], "").code, 5);
    assert!(!vault.home.join("agent").exists());
    assert!(!vault.home.join("agent.lock").exists());
    vault.verified();
}

/// Counts the entries that the same readings leave without an agent.
fn entries_of(vault: &Vault, reads: &[(Vec<&str>, &str)], json: &dyn Fn(&[&str]) -> Vec<String>) -> u64 {
    let total = || vault.json(&["log", "list", "--no-agent"])["total"].as_u64().unwrap();
    let before = total();
    for (arguments, input) in reads {
        for text in [false, true] {
            let words: Vec<String> = json(arguments).into_iter().filter(|a| !text || a != "--json").collect();
            let words: Vec<&str> = words.iter().map(String::as_str).chain(["--no-agent"]).collect();
            vault.feed(&words, input.as_bytes()).done();
        }
    }
    // The second count is an entry itself.
    total() - before - 1
}

#[test]
fn an_import_through_the_agent_is_whole_and_a_cut_input_keeps_nothing() {
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let lines = some_lines();
    let reply = vault.feed(&["import", "-", "--json"], &lines).json();
    let same = Vault::with(&lines);
    assert_eq!(reply["malformed"], Value::Array(Vec::new()));
    assert_eq!(vault.exported(), same.exported());
    // A process that dies before its input has ended has imported nothing.
    let other = Vault::made();
    other.run(&["unlock"]).done();
    let mut child = other.fed(&["import", "-"]);
    {
        child
            .stdin
            .as_mut()
            .unwrap()
            .write_all(&lines[..lines.len() / 2])
            .unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(other.json(&["case", "list"])["cases"].as_array().unwrap().len(), 0);
    other.verified();
}

#[test]
fn what_another_process_writes_is_found_and_what_it_withdraws_is_not() {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    vault.add_note(&case, "obs: The lamp is broken.\n");
    vault.run(&["unlock"]).done();
    let find = || {
        let found = without_passphrase(&vault, &["note", "find", "--file", "-", "--json"], "lamp").json();
        (found["searched"].as_u64().unwrap(), found["notes"].as_u64().unwrap())
    };
    assert_eq!(find(), (1, 1));
    let add = ["note", "add", &case, "--kind", "phone", "--file", "-", "--no-agent"];
    let second = vault.feed(&add, b"obs: A second lamp.\n").handle();
    assert_eq!(find(), (2, 2));
    vault
        .feed(
            &["note", "amend", &second, "--file", "-", "--no-agent"],
            b"obs: A second light.\n",
        )
        .done();
    assert_eq!(find(), (2, 1));
    let third = vault.feed(&add, b"obs: A third lamp.\n").handle();
    assert_eq!(find(), (3, 2));
    vault.run(&["note", "withdraw", &third, "--no-agent"]).done();
    assert_eq!(find(), (2, 1));
    assert_eq!(
        without_passphrase(&vault, &["note", "show", &third, "--json"], "").refused(1, "withdrawn")["exit"],
        1
    );
    let other = vault
        .feed(
            &[
                "case",
                "open",
                "--template",
                "adult-social-care",
                "--file",
                "-",
                "--no-agent",
            ],
            br#"{"name":"B"}"#,
        )
        .handle();
    vault
        .feed(
            &["note", "add", &other, "--kind", "phone", "--file", "-", "--no-agent"],
            b"obs: Another lamp.\n",
        )
        .done();
    assert_eq!(find(), (3, 2));
    vault.verified();
}

/// What one session, or another process, appends to the agency's stream the others know before they read what cites it.
#[test]
fn a_session_that_was_there_before_reads_what_another_one_imported() {
    let lines = some_lines();
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    // Two sessions: one waits for its input while the other one imports a worker, a case and notes.
    let held = begun(import_of(&vault, b" \n", false));
    vault.feed(&["import", "-", "--json"], &lines).json();
    let case = vault.json(&["case", "list"])["cases"][0]["case"]
        .as_str()
        .unwrap()
        .to_owned();
    drop(held);
    // Four at once use both of them, in whatever order they come back.
    for _ in 0..3 {
        let all: Vec<_> = (0..4)
            .map(|_| vault.command(&["case", "show", &case, "--json"]).spawn().unwrap())
            .collect();
        for child in all {
            casevault_e2e::vault::Done::of(child.wait_with_output().unwrap()).done();
        }
    }
    vault.verified();
    // And as another process has it.
    let worker = b"{\"type\":\"worker\",\"worker\":\"w9\",\"role\":\"duty\"}\n";
    vault.feed(&["import", "-", "--no-agent"], worker).done();
    let add = ["note", "add", &case, "--kind", "phone", "--file", "-", "--no-agent"];
    vault.feed(&add, b"obs: Called back.\n").done();
    vault.run(&["case", "show", &case]).done();
    vault.verified();
    vault.run(&["lock"]).done();
    vault.verified();
}

#[test]
fn a_row_changed_under_the_agent_is_never_shown() {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    let note = vault.add_note(&case, "obs: The lamp is broken.\n");
    vault
        .feed(&["note", "amend", &note, "--file", "-"], b"obs: The lamp is mended.\n")
        .done();
    vault.run(&["unlock"]).done();
    let show = || vault.run(&["note", "show", &note, "--json"]);
    assert_eq!(show().json()["version"], 2);
    // The newest version is hidden: the older one would pass for it, were its row all that is looked at.
    let store = rusqlite::Connection::open(vault.store()).unwrap();
    store
        .execute(
            "UPDATE link SET record_id = zeroblob(16) WHERE version = 2 AND class = 1",
            (),
        )
        .unwrap();
    let refused = show();
    assert_eq!((refused.code, refused.stdout.as_str()), (4, ""));
    assert_eq!(refused.error()["check"], "CHK-102");
}

#[test]
fn a_time_is_meant_where_the_command_is_typed() {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    let mut unlock = vault.command(&["unlock"]);
    assert!(unlock.env("TZ", "America/New_York").status().unwrap().success());
    let mut add = vault.command(&[
        "note",
        "add",
        &case,
        "--kind",
        "phone",
        "--at",
        "2026-01-12 14:00",
        "--file",
        "-",
        "--json",
    ]);
    add.env("TZ", "Asia/Tokyo").stdin(Stdio::piped());
    let mut child = add.spawn().unwrap();
    {
        child.stdin.take().unwrap().write_all(b"Rang.").unwrap();
    }
    let reply = casevault_e2e::vault::Done::of(child.wait_with_output().unwrap()).json();
    assert_eq!(reply["occurred_at"], "2026-01-12T14:00:00+09:00");
}

#[test]
fn times_are_shown_and_days_counted_where_the_command_is_typed() {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    vault.run(&["unlock"]).done();
    let text = vault.around.join("rang.txt");
    std::fs::write(&text, "Rang.").unwrap();
    let in_tokyo = |words: &[&str]| {
        let output = vault.command(words).env("TZ", "Asia/Tokyo").output().unwrap();
        casevault_e2e::vault::Done::of(output).done()
    };
    let note = in_tokyo(&[
        "note",
        "add",
        &case,
        "--kind",
        "phone",
        "--at",
        "2026-01-12 08:00",
        "--json",
        "--file",
        text.to_str().unwrap(),
    ])
    .json();
    assert_eq!(note["occurred_at"], "2026-01-12T08:00:00+09:00");
    let note = note["note"].as_str().unwrap().to_owned();
    // A day by UTC would be the one before.
    let day = ["--since", "2026-01-12", "--until", "2026-01-12"];
    let list = in_tokyo(&[&["note", "list", &case][..], &day].concat());
    assert!(list.stdout.contains("2026-01-12 08:00"), "{}", list.stdout);
    // Written with the zone of Tokyo, read in New York.
    let mut elsewhere = vault.command(&["note", "show", &note]);
    let shown = casevault_e2e::vault::Done::of(elsewhere.env("TZ", "America/New_York").output().unwrap());
    assert!(
        shown
            .stdout
            .lines()
            .any(|line| line.starts_with("Occurred") && line.ends_with("  2026-01-11 18:00")),
        "{}",
        shown.stdout
    );
    // What was recorded now is shown as now on the clock of Tokyo, nine hours before that of UTC.
    let json = vault.json(&["note", "show", &note]);
    let recorded: jiff::Timestamp = json["authored_at"].as_str().unwrap().parse().unwrap();
    let there = recorded.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(9)));
    let shown = in_tokyo(&["note", "show", &note]);
    let time = format!("  {} (", there.strftime("%Y-%m-%d %H:%M"));
    let mut lines = shown.stdout.lines();
    assert!(
        lines.any(|line| line.starts_with("Recorded") && line.contains(&time)),
        "{}",
        shown.stdout
    );
    let copy = in_tokyo(&["export", &case, "--format", "markdown"]);
    assert!(copy.stdout.contains("08:00 +09:00"), "{}", copy.stdout);
}

#[test]
fn the_socket_is_its_owners_and_a_left_over_one_is_taken_away() {
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let socket = agent::socket(&vault);
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&socket), mode(socket.parent().unwrap())), (0o600, 0o700));
    let first = agent::process(&vault);
    let mut held = agent::send(&socket, b"");
    kill(first, "KILL");
    // The end of the process ends what it was connected to, and its lock, in no order.
    let _ = held.read(&mut [0]);
    casevault_e2e::terminal::until("its end", || !agent::runs(first));
    // Its other threads may hold its files a moment longer than the first.
    casevault_e2e::terminal::until("nobody listens", || UnixStream::connect(&socket).is_err());
    // The socket is there and nobody answers: commands unlock for themselves, and a new agent takes its place.
    assert!(socket.exists());
    assert_eq!(vault.json(&["status"])["locked"], true);
    assert_eq!(vault.json(&["case", "list"])["cases"], Value::Array(Vec::new()));
    vault.run(&["unlock"]).done();
    assert_ne!(agent::process(&vault), first);
}

#[test]
fn a_signal_locks_and_a_second_unlock_asks_for_the_passphrase() {
    let vault = Vault::made();
    for signal in ["TERM", "HUP"] {
        vault.run(&["unlock"]).done();
        let process = agent::process(&vault);
        let mut held = agent::send(&agent::socket(&vault), b"");
        kill(process, signal);
        // The end of the process ends what it was connected to.
        let _ = held.read(&mut [0]);
        casevault_e2e::terminal::until("its end", || !agent::runs(process));
        assert_eq!(vault.json(&["status"])["locked"], true, "{signal}");
    }
    vault.run(&["unlock", "--for", "2h"]).done();
    let process = agent::process(&vault);
    let status = vault.json(&["status"]);
    assert!(status["at_most_seconds"].as_u64().unwrap() > 7000, "{status}");
    std::fs::write(vault.around.join("wrong"), "not that\n").unwrap();
    let mut wrong = vault.command(&["unlock", "--json"]);
    wrong.env("CASEVAULT_PASSPHRASE_FILE", vault.around.join("wrong"));
    let wrong = casevault_e2e::vault::Done::of(wrong.output().unwrap());
    wrong.refused(5, "wrong-passphrase");
    assert_eq!(agent::process(&vault), process);
    assert!(vault.json(&["status"])["at_most_seconds"].as_u64().unwrap() > 7000);
    let again = vault.json(&["unlock", "--for", "5m"]);
    assert_eq!(
        (&again["agent"], &again["wrong_tries"]),
        (&Value::Bool(true), &Value::from(1))
    );
    // A new one has checked the passphrase, and the one before is gone.
    assert_ne!(agent::process(&vault), process);
    assert!(!agent::runs(process));
    let status = vault.json(&["status"]);
    assert!(status["at_most_seconds"].as_u64().unwrap() <= 300, "{status}");
}

#[test]
fn two_vaults_have_two_agents_and_a_new_passphrase_ends_one() {
    let (one, other) = (Vault::made(), Vault::made());
    one.run(&["unlock"]).done();
    other.run(&["unlock"]).done();
    assert_ne!(agent::process(&one), agent::process(&other));
    one.open_case("Una Kestle");
    assert_eq!(other.json(&["case", "list"])["cases"], Value::Array(Vec::new()));
    std::fs::write(one.around.join("new"), "eight quiet herons over the mill\n").unwrap();
    let new = one.around.join("new");
    one.run(&["passphrase", "change", "--new-passphrase-file", new.to_str().unwrap()])
        .done();
    assert_eq!(one.json(&["status"])["locked"], true);
    assert_eq!(other.json(&["status"])["locked"], false);
}

#[test]
fn whatever_is_sent_the_agent_goes_on_answering() {
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let (socket, process) = (agent::socket(&vault), agent::process(&vault));
    let hello = |version: &str| {
        let json = format!(r#"{{"program":"casevault","protocol":2,"version":"{version}"}}"#);
        agent::frame(1, json.as_bytes())
    };
    let own = vault.json(&["status"])["versions"]["crate"]
        .as_str()
        .unwrap()
        .to_owned();
    let ask = |json: &str| [hello(&own), agent::frame(2, json.as_bytes())].concat();
    let mut long = vec![2];
    long.extend_from_slice(&u32::MAX.to_be_bytes());
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let sent: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0; 4096],
        vec![255; 4096],
        long.clone(),
        [hello(&own), long].concat(),
        agent::frame(2, b"{}"),
        hello(&own),
        hello("0.0.0"),
        ask("{}"),
        ask(r#"{"zone":null,"file":false,"ask":{"give_me_the_key":[]}}"#),
        // Two that say that a descriptor follows, and send none.
        ask(r#"{"zone":null,"file":true,"ask":{"verify":null}}"#),
        [
            ask(r#"{"zone":null,"file":true,"ask":{"note_attach":{"note":"n-00000000","name":"x","length":null,"as_original":false}}}"#),
            agent::frame(10, b""),
        ]
        .concat(),
        ask("null"),
        ask(&deep),
        ask(r#"{"zone":"\u0000","file":false,"ask":{"verify":null}}"#),
        [hello(&own), agent::frame(4, b"input"), agent::frame(5, b"")].concat(),
        [hello(&own), agent::frame(9, b"no passphrase")].concat(),
        [hello(&own), agent::frame(3, &vec![b'['; 1 << 20]).repeat(40)].concat(),
    ];
    for bytes in &sent {
        drop(agent::send(&socket, bytes));
        // And one that stays and waits for its answer, or for the end.
        let mut held = agent::send(&socket, bytes);
        held.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = held.read_to_end(&mut answer);
        assert!(answer.len() < 4096, "{}", String::from_utf8_lossy(&answer));
    }
    // More connections than it takes, none of which says a word.
    let idle: Vec<_> = (0..100).map(|_| agent::send(&socket, b"")).collect();
    drop(idle);
    assert_eq!(agent::process(&vault), process);
    assert_eq!(vault.json(&["case", "list"])["cases"], Value::Array(Vec::new()));
    // What is sent above is understood as far as it was meant to be.
    let mut own = agent::send(
        &socket,
        &ask(r#"{"zone":null,"file":false,"ask":{"log_verify":{"offline":false}}}"#),
    );
    let mut answer = Vec::new();
    own.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("casevault.log.verify/1"), "{answer}");
    // Another version is told so, and nothing is done.
    let mut other = agent::send(&socket, &[hello("0.0.0"), agent::frame(2, b"{}")].concat());
    let mut answer = Vec::new();
    other.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, agent::frame(37, b""));
}

#[test]
fn an_agent_of_another_version_is_not_asked_and_is_replaced() {
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let process = agent::process(&vault);
    // What it says of itself is what another version would have said.
    let record = vault.home.join("agent.lock");
    let said = std::fs::read_to_string(&record).unwrap();
    let (_, rest) = said.split_once('\n').unwrap();
    std::fs::write(&record, format!("0.0.0 1\n{rest}")).unwrap();
    assert_eq!(without_passphrase(&vault, &["case", "list", "--json"], "").code, 5);
    assert_eq!(vault.run(&["case", "list"]).code, 0);
    vault.run(&["lock"]).done();
    assert_eq!(vault.json(&["status"])["locked"], true);
    vault.run(&["unlock"]).done();
    assert_ne!(agent::process(&vault), process);
}

#[test]
fn note_misfiled_through_an_agent_is_answered() {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    let note = vault.add_note(&case, "obs: Of somebody else.\n");
    vault.run(&["unlock"]).done();
    let misfiled = ["note", "misfiled", &note, "--file", "-", "--json"];
    let reply = vault.feed(&misfiled, b"opened the wrong case\n").json();
    assert!(reply["breach_question"].as_str().unwrap().len() > 100, "{reply}");
}

#[test]
fn twenty_commands_at_once_are_all_answered() {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    vault.run(&["unlock"]).done();
    let handles: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..20)
            .map(|n| {
                let (vault, case) = (&vault, &case);
                scope.spawn(move || vault.add_note(case, &format!("obs: visit {n}\n")))
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let different: std::collections::BTreeSet<_> = handles.iter().collect();
    assert_eq!(different.len(), 20);
    assert_eq!(
        vault.json(&["note", "list", &case])["notes"].as_array().unwrap().len(),
        20
    );
    vault.verified();
}

/// Imports whose input stays open hold no session that others wait for, and end as others do when it ends.
#[test]
fn imports_that_wait_for_their_input_keep_nobody_waiting() {
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let line = format!(
        "{{\"type\":\"worker\",\"worker\":\"w1\",\"role\":\"{}\"}}\n",
        "x".repeat(1 << 10)
    );
    // More than fits between two processes: once it is written, the agent has taken of it, and waits for more.
    let lines = line.repeat(8 << 10);
    let mut waiting: Vec<_> = (0..4)
        .map(|_| {
            let mut child = vault.fed(&["import", "-", "--json"]);
            child.stdin.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
            child
        })
        .collect();
    let mut list = vault.command(&["case", "list", "--json"]);
    let mut list = list.env_remove("CASEVAULT_PASSPHRASE_FILE").spawn().unwrap();
    casevault_e2e::terminal::until("an answer beside them", || list.try_wait().unwrap().is_some());
    assert!(list.wait().unwrap().success());
    // One after the other: two that write the same worker at once is not what this is about.
    for mut child in waiting.drain(..) {
        drop(child.stdin.take());
        let done = casevault_e2e::vault::Done::of(child.wait_with_output().unwrap()).json();
        assert_eq!(done["malformed"], Value::Array(Vec::new()), "{done}");
    }
    vault.verified();
    let process = agent::process(&vault);
    vault.run(&["lock"]).done();
    assert!(!agent::runs(process));
}

/// Sends an import as its own frames, and whether it has an end.
fn import_of(vault: &Vault, input: &[u8], ends: bool) -> UnixStream {
    let own = vault.json(&["status"])["versions"]["crate"]
        .as_str()
        .unwrap()
        .to_owned();
    let hello = format!(r#"{{"program":"casevault","protocol":2,"version":"{own}"}}"#);
    let ask = r#"{"zone":null,"file":false,"ask":{"import":{"amend":false,"keep_going":false,"bytes":null}}}"#;
    let begin = [agent::frame(1, hello.as_bytes()), agent::frame(2, ask.as_bytes())].concat();
    let mut stream = agent::send(&agent::socket(vault), &begin);
    for part in input.chunks(1 << 16) {
        // One that it refused meanwhile has its answer to be read.
        if stream.write_all(&agent::frame(4, part)).is_err() {
            return stream;
        }
    }
    if ends {
        let _ = stream.write_all(&agent::frame(5, b""));
    }
    stream
}

/// The most memory that a process ever had, in MiB.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}

/// Imports that come at once are all taken, and the agent never holds what all of them have.
#[test]
fn imports_at_once_grow_the_agent_no_further_than_its_room() {
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let process = agent::process(&vault);
    // Lines that say nothing: 32 times 15 MiB, of which 16 have room.
    let blank = format!("{}\n", " ".repeat(1023)).repeat(15 << 10).into_bytes();
    let ((tell, told), all_may_end) = (std::sync::mpsc::channel(), RwLock::new(()));
    std::thread::scope(|scope| {
        let not_yet = all_may_end.write().unwrap();
        let all: Vec<_> = (0..32)
            .map(|_| {
                let (tell, vault, blank, all_may_end) = (tell.clone(), &vault, &blank, &all_may_end);
                scope.spawn(move || {
                    let mut stream = import_of(vault, blank, false);
                    tell.send(()).unwrap();
                    drop(all_may_end.read().unwrap());
                    stream.write_all(&agent::frame(5, b"")).unwrap();
                    let mut answer = Vec::new();
                    stream.read_to_end(&mut answer).unwrap();
                    String::from_utf8_lossy(&answer).into_owned()
                })
            })
            .collect();
        (0..16).for_each(|_| told.recv().unwrap());
        // Half of them have room. If more are let in, that is what the peak tells, and they have had the time for it.
        let until = Instant::now() + Duration::from_secs(4);
        let more = (16..32).map_while(|_| told.recv_timeout(until.saturating_duration_since(Instant::now())).ok());
        more.for_each(drop);
        drop(not_yet);
        for answer in all {
            let answer = answer.join().unwrap();
            assert!(answer.contains("casevault.import/1"), "{answer}");
        }
    });
    let peak = peak(process);
    assert!(peak < 360, "{peak} MiB");
    assert_eq!(agent::process(&vault), process);
}

/// Long asks that are never said to the end are refused once they are too many, and keep no short one from its answer.
#[test]
fn asks_in_parts_have_a_room_of_their_own() {
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let own = vault.json(&["status"])["versions"]["crate"]
        .as_str()
        .unwrap()
        .to_owned();
    let hello = format!(r#"{{"program":"casevault","protocol":2,"version":"{own}"}}"#);
    let parts = [
        agent::frame(1, hello.as_bytes()),
        agent::frame(3, &vec![b' '; 1 << 20]).repeat(32),
    ]
    .concat();
    // What is not counted was sent too: then one of them at least was refused.
    let held: Vec<_> = (0..5).map(|_| agent::send(&agent::socket(&vault), &parts)).collect();
    // What is asked in one frame is answered all the same.
    without_passphrase(&vault, &["case", "list", "--json"], "").json();
    let answers = held.into_iter().map(|mut held| {
        let _ = held.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = held.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    });
    let answers: Vec<String> = answers.collect();
    assert!(answers.iter().any(|answer| answer.contains("Busy")), "{answers:?}");
    assert!(
        answers.iter().filter(|answer| answer.is_empty()).count() >= 3,
        "{answers:?}"
    );
}

/// Waits until an import has begun to read: it tells how far it is.
fn begun(mut stream: UnixStream) -> UnixStream {
    let mut head = [0; 5];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[0], 32);
    let mut progress = vec![0; u32::from_be_bytes(head[1..].try_into().unwrap()) as usize];
    stream.read_exact(&mut progress).unwrap();
    stream
}

/// Who has all the room and says nothing more loses it to who has something to say, and only as far as that needs.
#[test]
fn who_is_silent_in_a_full_room_is_cut_off_where_another_waits() {
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let held: Vec<_> = (0..16).map(|_| begun(import_of(&vault, b" \n", false))).collect();
    let lines = some_lines();
    let done = vault.feed(&["import", "-", "--json"], &lines).json();
    assert_eq!(done["malformed"], Value::Array(Vec::new()), "{done}");
    let answers = held.into_iter().map(|mut held| {
        // The others go on as they were.
        let _ = held.write_all(&agent::frame(5, b""));
        let mut answer = Vec::new();
        let _ = held.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    });
    let (cut, whole): (Vec<_>, Vec<_>) = answers.partition(|answer| answer.contains("nothing came"));
    assert_eq!((cut.len(), whole.len()), (1, 15), "{cut:?} {whole:?}");
    assert!(
        whole.iter().all(|answer| answer.contains("casevault.import/1")),
        "{whole:?}"
    );
    vault.verified();
}

/// Locking ends what waits for its input, and says so to who asked: it does not wait for whoever may never send it.
#[test]
fn a_lock_waits_for_no_import_that_waits_for_its_input() {
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let line = format!("{}\n", " ".repeat(1023)).into_bytes();
    let waiting: Vec<_> = (0..4).map(|_| begun(import_of(&vault, &line, false))).collect();
    vault.run(&["lock"]).done();
    for mut stream in waiting {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.contains("LockedMeanwhile"), "{answer}");
    }
}

/// Whoever hands over the store itself takes no lock of it away, and is not kept for ever: too many lock the vault.
#[test]
fn descriptors_of_the_store_take_no_locks_away_and_too_many_lock_the_vault() {
    use rustix::net::SendAncillaryBuffer;
    use rustix::net::SendAncillaryMessage;
    use std::mem::MaybeUninit;
    use std::os::fd::AsFd;
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let process = agent::process(&vault);
    let locks = || {
        let own = format!(" {process} ");
        let all = std::fs::read_to_string("/proc/locks").unwrap();
        let of_store = all.lines().filter(|line| line.contains("POSIX") && line.contains(&own));
        of_store.count()
    };
    let own = vault.json(&["status"])["versions"]["crate"]
        .as_str()
        .unwrap()
        .to_owned();
    let hello = format!(r#"{{"program":"casevault","protocol":2,"version":"{own}"}}"#);
    let ask = r#"{"zone":null,"file":true,"ask":{"note_attach":{"note":"n-00000000","name":"x","length":null,"as_original":false}}}"#;
    let begin = [agent::frame(1, hello.as_bytes()), agent::frame(2, ask.as_bytes())].concat();
    // The same file by another name.
    let linked = vault.around.join("scan");
    std::fs::hard_link(vault.store(), &linked).unwrap();
    let file = std::fs::File::open(&linked).unwrap();
    let hand_over = || {
        let mut stream = agent::send(&agent::socket(&vault), &begin);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let files = [file.as_fd()];
        assert!(control.push(SendAncillaryMessage::ScmRights(&files)));
        let frame = agent::frame(10, b"");
        let head = [std::io::IoSlice::new(&frame)];
        rustix::net::sendmsg(&stream, &head, &mut control, rustix::net::SendFlags::NOSIGNAL).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    };
    let before = locks();
    assert!(before > 0, "an agent holds the store's locks");
    (0..16).for_each(|_| hand_over());
    assert_eq!(locks(), before);
    assert_eq!(vault.json(&["case", "list"])["cases"], Value::Array(Vec::new()));
    assert_eq!(agent::process(&vault), process);
    hand_over();
    casevault_e2e::terminal::until("its end", || !agent::runs(process));
    vault.verified();
}

#[test]
fn a_full_agent_tells_its_status_and_locks() {
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let (socket, process) = (agent::socket(&vault), agent::process(&vault));
    // As many as it talks to, none of which says a word.
    let connected = |count| (0..count).map(|_| agent::send(&socket, b"\x01")).collect::<Vec<_>>();
    let idle = connected(64);
    // What asks for more than its status is told why it is not answered.
    without_passphrase(&vault, &["case", "list", "--json"], "").refused(1, "busy");
    let status = vault.json(&["status"]);
    assert_eq!(
        (&status["locked"], &status["agent"]),
        (&Value::Bool(false), &Value::Bool(true))
    );
    assert!(status["locks_in_seconds"].is_u64(), "{status}");
    // And more than that: it is never said that no agent is there, and it is locked.
    let more = connected(64);
    let status = vault.json(&["status"]);
    assert_eq!(
        (&status["locked"], &status["agent_process"]),
        (&Value::Bool(false), &Value::from(process))
    );
    let locked = vault.json(&["lock"]);
    assert_eq!(
        (&locked["locked"], &locked["was_unlocked"]),
        (&Value::Bool(true), &Value::Bool(true))
    );
    assert!(!agent::runs(process));
    drop((idle, more));
    assert_eq!(vault.json(&["status"])["locked"], true);
}

#[test]
fn a_lock_that_did_not_lock_says_so() {
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let process = agent::process(&vault);
    kill(process, "STOP");
    let refused = vault.run(&["lock", "--json"]).refused(1, "agent-silent");
    let said = refused.to_string();
    assert!(said.contains(&format!("kill -KILL {process}")), "{said}");
    let status = vault.json(&["status"]);
    assert_eq!(
        (&status["locked"], &status["agent_process"]),
        (&Value::Bool(false), &Value::from(process))
    );
    let text = vault.run(&["status"]).done().stdout;
    assert!(text.contains("does not answer") && !text.contains("none\n"), "{text}");
    kill(process, "CONT");
    vault.run(&["lock"]).done();
    assert!(!agent::runs(process));
    assert_eq!(vault.json(&["status"])["agent"], false);
}

#[test]
fn whatever_the_runtime_folder_a_vault_has_one_agent() {
    let vault = Vault::made();
    let run = |runtime: &str, arguments: &[&str]| {
        let folder = match runtime {
            "" => std::path::PathBuf::new(),
            name => vault.around.join(name),
        };
        let mut command = vault.command(arguments);
        command
            .env("XDG_RUNTIME_DIR", folder)
            .env_remove("CASEVAULT_PASSPHRASE_FILE");
        if arguments[0] == "unlock" {
            command.env("CASEVAULT_PASSPHRASE_FILE", vault.around.join("passphrase"));
        }
        casevault_e2e::vault::Done::of(command.output().unwrap())
    };
    for name in ["one", "other"] {
        std::fs::create_dir(vault.around.join(name)).unwrap();
        std::fs::set_permissions(vault.around.join(name), std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    for (at_unlock, later) in [("one", ""), ("", "one"), ("one", "other")] {
        run(at_unlock, &["unlock"]).done();
        let first = run(later, &["status", "--json"]).json()["agent_process"]
            .as_u64()
            .unwrap();
        let first = u32::try_from(first).unwrap();
        assert_eq!(
            run(later, &["case", "list", "--json"]).json()["cases"],
            Value::Array(Vec::new())
        );
        run(later, &["unlock"]).done();
        assert!(!agent::runs(first), "two agents for one vault");
        let second = run(at_unlock, &["status", "--json"]).json()["agent_process"]
            .as_u64()
            .unwrap();
        let locked = run(at_unlock, &["lock", "--json"]).json();
        assert_eq!(locked["was_unlocked"], true);
        assert!(!agent::runs(u32::try_from(second).unwrap()));
    }
}

#[test]
fn who_takes_the_agents_socket_is_told_nothing() {
    use std::os::unix::net::UnixListener;
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let (socket, process) = (agent::socket(&vault), agent::process(&vault));
    let record = vault.home.join("agent.lock");
    let said = std::fs::read_to_string(&record).unwrap();
    let mut held = agent::send(&socket, b"");
    kill(process, "KILL");
    let _ = held.read(&mut [0]);
    std::fs::remove_file(&socket).unwrap();
    let other = UnixListener::bind(&socket).unwrap();
    other.set_nonblocking(true).unwrap();
    let told = |listener: &UnixListener| {
        let mut told = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            stream.set_nonblocking(true).unwrap();
            let _ = stream.read_to_end(&mut told);
        }
        String::from_utf8_lossy(&told).into_owned()
    };
    // With the lock and in another's name: it is neither told anything nor is the other ended.
    let mut bystander = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let lock = std::fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&record)
        .unwrap();
    lock.lock().unwrap();
    let named = said.replacen(&format!("\n{process}\n"), &format!("\n{}\n", bystander.id()), 1);
    assert_ne!(named, said);
    std::fs::write(&record, named).unwrap();
    vault.run(&["unlock", "--json"]).refused(1, "agent-silent");
    vault.run(&["lock", "--json"]).refused(1, "agent-silent");
    assert_eq!(vault.json(&["case", "list"])["cases"], Value::Array(Vec::new()));
    assert!(agent::runs(bystander.id()));
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    assert_eq!(told(&other), "");
    drop(lock);
    // Without the lock it is no agent.
    std::fs::write(&record, said).unwrap();
    assert_eq!(vault.json(&["unlock"])["agent"], true);
    assert_eq!(vault.json(&["status"])["locked"], false);
    assert_eq!(told(&other), "");
}

#[test]
fn an_agent_that_nobody_finds_any_more_ends() {
    let vault = Vault::made();
    vault.run(&["unlock"]).done();
    let process = agent::process(&vault);
    std::fs::remove_file(vault.home.join("agent.lock")).unwrap();
    let ended = std::process::Command::new("tail")
        .args(["--pid", &process.to_string(), "-f", "/dev/null"])
        .status()
        .unwrap();
    assert!(ended.success());
}

fn kill(process: u32, signal: &str) {
    let status = std::process::Command::new("kill")
        .args([format!("-{signal}"), process.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}
