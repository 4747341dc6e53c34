//! The agency grows: real devices, a real server, paper between them; and what is tried at enrolment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;
use std::process::Child;
use std::process::Command;

use casevault_e2e::binary;
use casevault_e2e::evil::lie::LogLie;
use casevault_e2e::evil::message::Message;
use casevault_e2e::evil::server::Evil;
use casevault_e2e::evil::server::Rule;
use casevault_e2e::evil::verb::Verb;
use casevault_e2e::server::Server;
use casevault_e2e::terminal::on_terminal;
use casevault_e2e::terminal::until;
use casevault_e2e::vault::Done;
use casevault_e2e::vault::PASSPHRASE;
use casevault_e2e::vault::Vault;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;
use rustix::event::poll;
use rustix::process::Pid;
use rustix::process::PidfdFlags;
use rustix::process::Signal;
use rustix::process::kill_process;
use rustix::process::pidfd_open;
use rustix::process::pidfd_send_signal;
use serde_json::Value;
use vault_cli::places::Places;
use vault_cli::session::Passphrase;
use vault_cli::session::Session;
use vault_core::crypto::sign::PublicKey;
use vault_core::crypto::sign::SigningKey;
use vault_core::secret::SigningSeed;
use vault_core::tlog::note::KeyName;
use vault_core::tlog::note::Kind;

const CHEAP: [&str; 2] = ["--kdf-memory", "64MiB"];

/// An agency of one, whose server has everything.
struct Agency {
    ann: Vault,
    // Before the vault, in whose folder its data lie.
    server: Server,
}

impl Agency {
    fn new() -> Self {
        let ann = Vault::made();
        let server = Server::start(&ann.around.join("server"));
        ann.json(&["server", "add", &server.url]);
        Self { ann, server }
    }

    /// Invites a member; returns its handle and its sheet.
    fn invite(&self, name: &str, role: &str) -> (String, String) {
        let sheet = self.sheet(&format!("{name}.sheet"));
        let arguments = ["member", "invite", "--name", name, "--role", role, "--out", &sheet];
        (self.ann.run(&arguments).handle(), sheet)
    }

    fn sheet(&self, name: &str) -> String {
        self.ann.around.join(name).to_str().unwrap().to_owned()
    }

    /// Lets a member join, from paper to vault.
    fn joined(&self, name: &str, role: &str) -> (Vault, String) {
        let (member, sheet) = self.invite(name, role);
        let new = Vault::unmade();
        let code = code_of(join(&new, "member", &sheet));
        self.ann.run(&["member", "approve", &member, "--code", &code]).done();
        new.json(&["sync"]);
        (new, member)
    }
}

/// A witness's key in a file, as `agency propose` takes it.
fn witness_key(vault: &Vault) -> String {
    let key = PublicKey(SigningKey::from_seed(&SigningSeed::from_bytes([7; 32])).public().0);
    let name = KeyName::of("witness.example", Kind::Cosignature, &key).unwrap();
    let file = vault.around.join("witness.key");
    std::fs::write(&file, format!("{}\n", name.verifier(Kind::Cosignature, &key))).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_root_that_two_sign_is_proposed_shown_endorsed_and_sent() {
    let agency = Agency::new();
    let ann = &agency.ann;
    let roles = ["--role", "caseworker", "--role", "administrator"];
    let (ben, member) = agency.joined("Ben Able", "administrator");
    let key = witness_key(ann);
    // One signs alone: it is in force at once, here and at whoever synchronises.
    let told = ann.json(&["agency", "propose", "--signatures", "2"]);
    assert_eq!(told["schema"], "casevault.agency.propose/1");
    assert_eq!(
        (&told["in_force"], &told["sent"]),
        (&true.into(), &true.into()),
        "{told}"
    );
    assert_eq!(told["changes"][0]["part"], "signatures of a new root", "{told}");
    ben.json(&["sync"]);
    let shown = ben.json(&["agency", "show"]);
    assert_eq!(
        (&shown["signatures"], &shown["witnesses"]),
        (&2.into(), &serde_json::json!([]))
    );
    assert_eq!(shown["administrators"].as_array().unwrap().len(), 2);
    // From here on nobody does: a proposal wants a file, and says who has to sign.
    ann.run(&["agency", "propose", "--witness", &key, "--json"])
        .refused(2, "needs-flag");
    let file = ann.around.join("root.proposal");
    let file = file.to_str().unwrap();
    let told = ann.json(&["agency", "propose", "--witness", &key, "--out", file]);
    assert_eq!(
        (&told["in_force"], &told["missing"]),
        (&false.into(), &1.into()),
        "{told}"
    );
    assert_eq!(ann.json(&["agency", "show"])["witnesses"], serde_json::json!([]));
    // Cards open everything all the same; the new recovery key waits for others.
    let cards = agency.sheet("cards");
    let set = [
        "recovery",
        "split",
        "--out-dir",
        &cards,
        "--threshold",
        "2",
        "--shares",
        "2",
    ];
    ann.run(&[&set[..], &["--yes"]].concat()).done();
    let backup = agency.sheet("vault.backup");
    ann.json(&["backup", "create", "--out", &backup]);
    let all = [1, 2].map(|number| format!("{cards}/card-{number}-of-2.txt")).join(",");
    let empty = Vault::unmade();
    let told = empty.json(&["recovery", "restore", "--cards", &all, "--backup", &backup]);
    assert_eq!(
        (&told["recovery_owed"], &told["recovery_renewed"]),
        (&true.into(), &false.into()),
        "{told}"
    );
    empty.verified();
    // Signing one's own again is no second signature.
    let again = ann.json(&["agency", "endorse", file, "--yes"]);
    assert_eq!(
        (&again["in_force"], &again["missing"]),
        (&false.into(), &1.into()),
        "{again}"
    );
    // The other is shown what it changes, and may say no.
    let mut terminal = on_terminal(&ben, &format!("agency endorse {file}")).unwrap();
    terminal
        .wait_for("+ witness: witness.example+")
        .wait_for("signed by Ann Worker (")
        .wait_for("Sign it? [y/N]")
        .keys("n\n")
        .wait_for("nothing was signed");
    drop(terminal);
    ben.run(&["agency", "endorse", file, "--json"]).refused(2, "needs-flag");
    // One that was altered on the way is refused.
    let text = std::fs::read_to_string(file).unwrap();
    let bent = ann.around.join("bent.proposal");
    let middle = text.lines().nth(4).unwrap();
    let other: String = middle.chars().rev().collect();
    std::fs::write(&bent, text.replace(middle, &other)).unwrap();
    let refused = ben.run(&["agency", "endorse", bent.to_str().unwrap(), "--yes", "--json"]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    let told = ben.json(&["agency", "endorse", file, "--yes"]);
    assert_eq!(
        (&told["in_force"], &told["sent"]),
        (&true.into(), &true.into()),
        "{told}"
    );
    ann.json(&["sync"]);
    let shown = ann.json(&["agency", "show"]);
    assert!(
        shown["witnesses"][0].as_str().unwrap().starts_with("witness.example+"),
        "{shown}"
    );
    // It was for that one place.
    let played = ben.run(&["agency", "endorse", file, "--yes", "--json"]);
    assert_eq!(played.code, 4, "{}", played.stderr);
    // A device that enrols wants to hear of the witness (`witness.rs`); here there is none to run.
    let without = agency.sheet("without.proposal");
    ann.json(&[
        "agency",
        "propose",
        "--without-witness",
        "witness.example",
        "--out",
        &without,
    ]);
    ben.json(&["agency", "endorse", &without, "--yes"]);
    ann.json(&["sync"]);
    // A third comes with the role, and administers once the root names it; nobody takes it from the root alone.
    let (cat, its) = agency.joined("Cat Able", "administrator");
    cat.run(&[&["member", "role", &its][..], &roles, &["--json"]].concat())
        .refused(3, "not-administrator");
    let third = ann.around.join("third.proposal");
    let third = third.to_str().unwrap();
    ann.json(&["agency", "propose", "--administrator", &its, "--out", third]);
    ben.json(&["agency", "endorse", third, "--yes"]);
    cat.json(&["sync"]);
    cat.json(&["member", "role", &its, "--role", "administrator", "--role", "dpo"]);
    ann.json(&["sync"]);
    ann.run(&["member", "retire", &member, "--yes", "--json"])
        .refused(3, "denied");
    let fourth = ann.around.join("fourth.proposal");
    let fourth = fourth.to_str().unwrap();
    ann.json(&["agency", "propose", "--without-administrator", &member, "--out", fourth]);
    cat.json(&["agency", "endorse", fourth, "--yes"]);
    ann.json(&["sync"]);
    ann.json(&["member", "retire", &member, "--yes"]);
    assert_eq!(members(ann)[1].2, "retired");
    ann.json(&["log", "verify"]);
}

/// Tells whether a keystore, as it lies on the disk, holds a recovery key.
fn holds_recovery_key(vault: &Vault) -> bool {
    let places = Places::find(Some(&vault.home)).unwrap();
    let session = Session::unlock(&places, &Passphrase::new(PASSPHRASE.to_owned())).unwrap();
    session.recovery_key_is_kept().unwrap()
}

#[test]
fn a_key_that_another_stands_for_leaves_the_founders_keystore_once_that_is_in_the_log() {
    let agency = Agency::new();
    let ann = &agency.ann;
    let (ben, _) = agency.joined("Ben Able", "administrator");
    assert!(holds_recovery_key(ann) && !holds_recovery_key(&ben));
    // No cards were ever made of it. Ben makes a new key: Ann's opens all that was written before, and nothing from now on.
    let folder = agency.sheet("cards");
    ben.json(&["sync"]);
    ben.json(&["recovery", "split", "--new-key", "--yes", "--out-dir", &folder]);
    ben.json(&["sync"]);
    assert!(holds_recovery_key(ann));
    ann.json(&["sync"]);
    assert!(!holds_recovery_key(ann));
    let waits = "waits in this keystore";
    assert!(!ann.json(&["status"])["attention"].to_string().contains(waits));
    ann.run(&[
        "recovery",
        "split",
        "--yes",
        "--json",
        "--out-dir",
        &agency.sheet("others"),
    ])
    .refused(3, "denied");
    ann.verified();
}

#[test]
fn a_new_recovery_key_is_proposed_where_two_sign_and_its_cards_are_good_from_the_root_on() {
    let agency = Agency::new();
    let ann = &agency.ann;
    ann.open_case("Ada Brisk");
    let (ben, _) = agency.joined("Ben Able", "administrator");
    let (cat, _) = agency.joined("Cat Worker", "caseworker");
    let folders = ["old cards", "new cards"].map(|name| agency.sheet(name));
    let [old, new] = folders.each_ref().map(|folder| {
        let files = [1, 2].map(|number| format!("{folder}/card-{number}-of-2.txt"));
        files.join(",")
    });
    let split = |folder: &str, more: &[&str]| {
        let split = ["recovery", "split", "--threshold", "2", "--shares", "2", "--out-dir"];
        [&split[..], &[folder, "--yes", "--json"], more]
            .concat()
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let run = |vault: &Vault, words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        vault.run(&words)
    };
    run(ann, split(&folders[0], &[])).json();
    ann.json(&["agency", "propose", "--signatures", "2"]);
    // Whoever does not administer makes none; who does names the file before anything is printed.
    cat.json(&["sync"]);
    run(&cat, split(&folders[1], &["--new-key"])).refused(3, "not-administrator");
    run(ann, split(&folders[1], &["--new-key"])).refused(2, "needs-flag");
    assert!(!Path::new(&folders[1]).exists());
    let file = agency.sheet("key.proposal");
    let told = run(ann, split(&folders[1], &["--new-key", "--out", &file])).json();
    assert_eq!(
        (&told["version"], &told["proposal"]["missing"]),
        (&2.into(), &1.into()),
        "{told}"
    );
    let check = |cards: &str| ann.run(&["recovery", "check", "--json", "--cards", cards]);
    assert_eq!(check(&old).json()["current"], true);
    assert_eq!(check(&new).json()["current"], false);
    let said = ann.run(&["recovery", "check", "--cards", &new]).done().stdout;
    assert!(said.contains("proposed and not in force"), "{said}");
    // Until then it is the old cards that open what is written.
    let backup = agency.sheet("before.backup");
    ann.json(&["backup", "create", "--out", &backup]);
    let restore = |cards: &str, backup: &str| {
        Vault::unmade().run(&["recovery", "restore", "--cards", cards, "--backup", backup, "--json"])
    };
    restore(&new, &backup).refused(5, "recovery-card");
    restore(&old, &backup).done();
    // Ben is shown it, and signs.
    ben.json(&["sync"]);
    let told = ben.json(&["agency", "endorse", &file, "--yes"]);
    assert_eq!(
        (&told["in_force"], &told["sent"]),
        (&true.into(), &true.into()),
        "{told}"
    );
    assert_eq!(told["changes"][0]["part"], "recovery key", "{told}");
    ann.json(&["sync"]);
    ann.json(&["agency", "show"]);
    assert_eq!(check(&new).json()["current"], true);
    assert_eq!(check(&old).refused(5, "recovery-card")["check"], "CHK-125");
    // What is written from now on, and everything before, opens with the new cards.
    ann.open_case("Bo Calder");
    let backup = agency.sheet("after.backup");
    ann.json(&["backup", "create", "--out", &backup]);
    restore(&old, &backup).refused(5, "recovery-card");
    let back = Vault::unmade();
    back.json(&["recovery", "restore", "--cards", &new, "--backup", &backup]);
    assert_eq!(back.json(&["case", "list"])["cases"].as_array().unwrap().len(), 2);
    back.verified();
    // The one who recovered owes a new key again, and can propose it.
    let file = agency.sheet("owed.proposal");
    let third = agency.sheet("third cards");
    let told = run(&back, split(&third, &["--new-key", "--out", &file])).json();
    assert_eq!(
        (&told["version"], &told["proposal"]["missing"]),
        (&3.into(), &1.into()),
        "{told}"
    );
    ben.json(&["sync"]);
    let told = ben.json(&["agency", "endorse", &file, "--yes"]);
    assert_eq!(told["in_force"], true, "{told}");
    ben.verified();
    ann.json(&["sync"]);
    ann.verified();
}

/// Of two next roots the log's first is the one: whose root came second is not told that its cards are good.
#[test]
fn cards_whose_root_came_second_are_taken_back_and_the_older_ones_stay() {
    let agency = Agency::new();
    let ann = &agency.ann;
    let old = ann.around.join("old").to_str().unwrap().to_owned();
    ann.run(&["recovery", "split", "--yes", "--out-dir", &old]).done();
    let (ben, _) = agency.joined("Ben Able", "administrator");
    let key = witness_key(ann);
    let new = ann.around.join("new").to_str().unwrap().to_owned();
    let Some(mut terminal) = on_terminal(ann, &format!("recovery split --new-key --out-dir {new}")) else {
        return;
    };
    terminal.wait_for("Are all of them printed?").wait_for("[yes/no] ");
    // While the pages come out of the printer.
    let told = ben.json(&["agency", "propose", "--witness", &key]);
    assert_eq!(
        (&told["in_force"], &told["sent"]),
        (&true.into(), &true.into()),
        "{told}"
    );
    terminal.keys("yes\r");
    let (code, screen) = terminal.end();
    let screen = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, 6, "{screen}");
    for said in [
        "came into force first",
        "burn what was printed, and keep the older cards",
    ] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    assert!(!screen.contains("is in force;") && std::fs::read_dir(&new).unwrap().count() == 0);
    assert_eq!(ann.json(&["agency", "show"])["recovery_version"], 1);
    let cards: Vec<String> = (1..=2).map(|n| format!("{old}/card-{n}-of-3.txt")).collect();
    let checked = ann.json(&["recovery", "check", "--cards", &cards.join(",")]);
    assert_eq!(checked["current"], true, "{checked}");
}

fn join(vault: &Vault, noun: &str, sheet: &str) -> Done {
    vault.run(&[&[noun, "join", "--sheet", sheet, "--json"][..], &CHEAP].concat())
}

/// Returns the code that a machine which asked to join shows.
fn code_of(asked: Done) -> String {
    asked.json()["code"].as_str().expect("a code").to_owned()
}

/// The members as somebody sees them: name, roles, status, devices.
fn members(vault: &Vault) -> Vec<(String, String, String, u64)> {
    let list = vault.json(&["member", "list"]);
    assert_eq!(list["schema"], "casevault.member.list/1");
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let of = |one: &Value| {
        let roles: Vec<String> = one["roles"].as_array().unwrap().iter().map(text).collect();
        let devices = one["devices"].as_u64().unwrap();
        (text(&one["name"]), roles.join(" "), text(&one["status"]), devices)
    };
    list["members"].as_array().unwrap().iter().map(of).collect()
}

fn devices(vault: &Vault, status: &str) -> usize {
    let list = vault.json(&["device", "list", "--all"]);
    let all = list["devices"].as_array().unwrap().iter();
    all.filter(|one| one["status"] == status).count()
}

#[test]
fn the_demo_of_an_agency_catches_the_servers_lie_and_leaves_evidence() {
    binary::casevault_server();
    let vault = Vault::unmade();
    let mut demo = vault.command(&["demo", "--agency", "--keep", "--json"]);
    let told = Done::of(demo.env("TMPDIR", &vault.around).output().unwrap()).json();
    assert_eq!(told["schema"], "casevault.demo/1");
    let titles: Vec<_> = told["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["title"])
        .collect();
    assert_eq!(titles.len(), 6, "{titles:?}");
    assert_eq!(titles[5], "Who saw it is told, with evidence");
    // What it kept is a vault, and two checkpoints of one log.
    let home = Path::new(told["home"].as_str().unwrap());
    let evidence = std::fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path());
    let evidence = evidence.filter(|path| path.to_str().unwrap().contains("evidence-"));
    let [evidence] = evidence.collect::<Vec<_>>().try_into().unwrap();
    let evidence: Value = serde_json::from_slice(&std::fs::read(evidence).unwrap()).unwrap();
    assert_eq!(evidence["schema"], "casevault.evidence/1");
    // Its server ended with it: nobody holds the folder.
    std::fs::remove_dir_all(home.parent().unwrap()).unwrap();
}

/// The server that a demo has started, once it is that program.
fn server_of(demo: &Child) -> Option<Pid> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", demo.id())).ok()?.flatten();
    let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<String> = children.collect();
    let mut children = children.iter().flat_map(|text| text.split_whitespace());
    // The kernel keeps fifteen letters of a name.
    let is_server = |pid: &&str| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm"));
        name.is_ok_and(|name| name.trim_end() == "casevault-serve")
    };
    Pid::from_raw(children.find(is_server)?.parse().ok()?)
}

#[test]
fn the_demos_server_ends_with_a_demo_that_is_killed() {
    binary::casevault_server();
    for signal in [Signal::KILL, Signal::TERM] {
        let vault = Vault::unmade();
        let mut demo = vault.command(&["demo", "--agency"]);
        let mut demo = demo.env("TMPDIR", &vault.around).spawn().unwrap();
        let mut server = None;
        until("the demo's server runs", || {
            server = server_of(&demo);
            server.is_some()
        });
        let server = pidfd_open(server.unwrap(), PidfdFlags::empty()).unwrap();
        kill_process(Pid::from_child(&demo), signal).unwrap();
        demo.wait().unwrap();
        let mut ended = [PollFd::new(&server, PollFlags::IN)];
        let patience = Timespec { tv_sec: 60, tv_nsec: 0 };
        let told = poll(&mut ended, Some(&patience)).unwrap();
        if told == 0 {
            let _ = pidfd_send_signal(&server, Signal::KILL);
        }
        assert_eq!(told, 1, "it outlives a demo that was ended by {signal:?}");
    }
}

#[test]
fn the_demo_of_an_agency_says_what_it_needs_and_leaves_nothing() {
    let vault = Vault::unmade();
    let (alone, folder) = (vault.around.join("casevault"), vault.around.join("temporary"));
    std::fs::copy(binary::casevault(), &alone).unwrap();
    std::fs::create_dir(&folder).unwrap();
    let mut demo = Command::new(&alone);
    demo.args(["demo", "--agency"])
        .env("TMPDIR", &folder)
        .env("PATH", &folder);
    let refused = demo.output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("`casevault-server` is neither beside `casevault` nor on the path"),
        "{said}"
    );
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn two_members_with_three_devices_are_one_agency_for_each_of_them() {
    let agency = Agency::new();
    let case = agency.ann.open_case("Ada Brisk");
    agency.ann.add_note(&case, "obs: Rang.\n");
    let (ben, member) = agency.joined("Ben Worker", "caseworker");
    // A further device of Ben's: certified by Ben, enrolled by Ann.
    let sheet = agency.sheet("ben-2.sheet");
    let device = ben.run(&["device", "add", "--out", &sheet]).handle();
    let second = Vault::unmade();
    let asked = join(&second, "device", &sheet).json();
    assert_eq!(
        (asked["enrolled"].as_bool(), asked["device"].as_str()),
        (Some(false), Some(&*device))
    );
    let approved = ben.json(&["device", "approve", &device, "--code", asked["code"].as_str().unwrap()]);
    assert_eq!(
        (approved["enrolled"].as_bool(), &approved["code"]),
        (Some(false), &asked["code"])
    );
    second.run(&["sync", "--json"]).refused(5, "not-enrolled");
    second.run(&["member", "list", "--json"]).refused(5, "not-enrolled");
    // It shows Ann none: Ben compared it.
    agency.ann.run(&["device", "approve", &device]).done();
    second.json(&["sync"]);
    // A further device of Ann's: certified and enrolled by Ann.
    let sheet = agency.sheet("ann-2.sheet");
    let device = agency.ann.run(&["device", "add", "--out", &sheet]).handle();
    let desk = Vault::unmade();
    let code = code_of(join(&desk, "device", &sheet));
    agency.ann.run(&["device", "approve", &device, "--code", &code]).done();
    desk.json(&["sync"]);

    let expected = [
        (
            "Ann Worker".to_owned(),
            "caseworker supervisor duty reviewer dpo administrator".to_owned(),
            "live".to_owned(),
            2,
        ),
        ("Ben Worker".to_owned(), "caseworker".to_owned(), "live".to_owned(), 2),
    ];
    for vault in [&agency.ann, &ben, &second, &desk] {
        vault.json(&["sync"]);
        assert_eq!(members(vault), expected);
        assert_eq!(devices(vault, "live"), 4);
        vault.verified();
    }
    // What each writes from then on is its own, and Ann's case is on her desk too and not with Ben.
    assert_eq!(desk.json(&["case", "list"])["cases"].as_array().unwrap().len(), 1);
    assert_eq!(ben.json(&["case", "list"])["cases"].as_array().unwrap().len(), 0);
    let own = ben.open_case("Una Fern");
    ben.add_note(&own, "obs: Rang back.\n");
    ben.json(&["sync"]);
    second.json(&["sync"]);
    assert_eq!(
        second.json(&["note", "list", &own])["notes"].as_array().unwrap().len(),
        1
    );
    // A passphrase is each machine's own, and Ben's status speaks of no recovery key.
    let attention = ben.json(&["status"])["attention"].to_string();
    assert!(
        !attention.contains("recovery") && !attention.contains("one person"),
        "{attention}"
    );
    // Company is no second holder.
    for vault in [&ben, &agency.ann] {
        let attention = vault.json(&["status"])["attention"].to_string();
        assert!(attention.contains("every case has one holder until"), "{attention}");
    }
    assert!(
        agency.ann.json(&["status"])["attention"]
            .to_string()
            .contains("recovery")
    );
    assert_eq!(member, members_handle(&ben, "Ben Worker"));
}

fn members_handle(vault: &Vault, name: &str) -> String {
    let list = vault.json(&["member", "list"]);
    let mut all = list["members"].as_array().unwrap().iter();
    let found = all.find(|one| one["name"] == name).unwrap();
    found["member"].as_str().unwrap().to_owned()
}

#[test]
fn roles_are_the_administrators_and_who_is_gone_signs_nothing_more() {
    let agency = Agency::new();
    let (ben, member) = agency.joined("Ben Worker", "caseworker");
    // A caseworker opens no log, invites nobody, and changes nobody.
    ben.run(&["log", "list", "--json"]).refused(3, "denied");
    let sheet = agency.sheet("never.sheet");
    for words in [
        &["member", "invite", "--name", "X", "--role", "dpo", "--out", &sheet][..],
        &["member", "role", &member, "--role", "administrator"],
        &["member", "reset", &member, "--out", &sheet],
        &["member", "retire", &member, "--yes"],
    ] {
        ben.run(&[words, &["--json"]].concat()).refused(3, "not-administrator");
    }
    assert!(!Path::new(&sheet).exists());
    let ann = &agency.ann;
    ann.run(&["member", "role", &member, "--role", "boss", "--json"])
        .refused(2, "unknown-name");
    // A reviewer holds the role key from its next epoch on, and reads what is logged from then on.
    let changed = ann.json(&["member", "role", &member, "--role", "caseworker", "--role", "reviewer"]);
    assert_eq!(changed["roles"], serde_json::json!(["caseworker", "reviewer"]));
    ben.json(&["sync"]);
    ben.open_case("Una Fern");
    let log = ben.json(&["log", "list"]);
    assert!(!log["entries"].as_array().unwrap().is_empty(), "{log}");
    // A second administrator, who lets the first go on, and is let go.
    ann.json(&[
        "member",
        "role",
        &member,
        "--role",
        "caseworker",
        "--role",
        "administrator",
    ]);
    ben.json(&["sync"]);
    let own = members_handle(&ben, "Ann Worker");
    ann.run(&["member", "retire", &own, "--yes", "--json"])
        .refused(3, "denied");
    ann.run(&["member", "role", &own, "--role", "dpo", "--json"])
        .refused(3, "denied");
    ben.json(&[
        "member",
        "role",
        &own,
        "--role",
        "caseworker",
        "--role",
        "dpo",
        "--role",
        "administrator",
    ]);
    ann.json(&["sync"]);
    ann.json(&["member", "retire", &member, "--yes"]);
    ben.run(&["sync", "--json"]).refused(1, "device-unknown");
    assert_eq!(members(ann)[1].2, "retired");
    ann.verified();
    // What is kept there still opens: it is Ben's own copy, and the program says so.
    assert_eq!(ben.json(&["case", "list"])["cases"].as_array().unwrap().len(), 1);
}

#[test]
fn what_an_officer_owes_is_opened_by_their_next_sync() {
    let agency = Agency::new();
    let (ben, member) = agency.joined("Ben Worker", "caseworker");
    let ann = &agency.ann;
    ann.json(&["member", "role", &member, "--role", "dpo", "--role", "administrator"]);
    ben.json(&["sync"]);
    let own = members_handle(&ben, "Ann Worker");
    let left = ben.json(&[
        "member",
        "role",
        &own,
        "--role",
        "caseworker",
        "--role",
        "administrator",
    ]);
    assert_eq!(left["officer_owed"], false);
    ann.json(&["sync"]);
    // Ann lets a reviewer in and is no officer any more: the role key's next epoch is Ben's to open.
    let sheet = agency.sheet("cleo.sheet");
    let invite = [
        "member", "invite", "--name", "Cleo", "--role", "reviewer", "--out", &sheet,
    ];
    let reviewer = ann.run(&invite).handle();
    let cleo = Vault::unmade();
    let code = code_of(join(&cleo, "member", &sheet));
    assert_eq!(
        ann.json(&["member", "approve", &reviewer, "--code", &code])["officer_owed"],
        true
    );
    cleo.json(&["sync"]);
    cleo.run(&["log", "list", "--json"]).refused(4, "refused");
    ben.json(&["sync"]);
    cleo.json(&["sync"]);
    cleo.json(&["case", "list"]);
    assert!(!cleo.json(&["log", "list"])["entries"].as_array().unwrap().is_empty());
    for vault in [ann, &ben, &cleo] {
        vault.json(&["sync"]);
        vault.verified();
    }
    // The recovery key is none of theirs.
    let cards = agency.sheet("cards");
    cleo.run(&["recovery", "split", "--out-dir", &cards, "--yes", "--json"])
        .refused(3, "denied");
}

#[test]
fn who_lost_everything_begins_anew_and_the_lost_device_is_worth_nothing() {
    let agency = Agency::new();
    let (ben, member) = agency.joined("Ben Worker", "caseworker");
    let case = ben.open_case("Una Fern");
    ben.add_note(&case, "obs: Rang.\n");
    ben.json(&["sync"]);
    agency.ann.json(&["sync"]);
    let lost = ben.json(&["device", "list"])["devices"][0]["device"]
        .as_str()
        .unwrap()
        .to_owned();
    let gone = agency.ann.json(&["device", "lost", &lost, "--yes"]);
    assert_eq!(
        (gone["schema"].as_str(), gone["sent"].as_bool()),
        (Some("casevault.device.lost/1"), Some(true))
    );
    ben.run(&["sync", "--json"]).refused(1, "device-unknown");
    let sheet = agency.sheet("anew.sheet");
    assert_eq!(
        agency.ann.run(&["member", "reset", &member, "--out", &sheet]).handle(),
        member
    );
    let anew = Vault::unmade();
    let code = code_of(join(&anew, "member", &sheet));
    agency.ann.run(&["member", "approve", &member, "--code", &code]).done();
    anew.json(&["sync"]);
    assert_eq!(
        members(&anew)[1],
        ("Ben Worker".to_owned(), "caseworker".to_owned(), "live".to_owned(), 1)
    );
    anew.verified();
    agency.ann.verified();
    // What was sealed to the lost keys alone does not open, and says so; nothing else suffers from it.
    assert_eq!(anew.json(&["case", "list"])["cases"], serde_json::json!([]));
    anew.run(&["case", "show", &case, "--json"]).refused(5, "no-key");
    let next = anew.open_case("Tam Brisk");
    anew.add_note(&next, "obs: Came by.\n");
    anew.json(&["sync"]);
    assert_eq!(anew.json(&["case", "list"])["cases"].as_array().unwrap().len(), 1);
    anew.verified();
}

#[test]
fn who_lost_everything_but_a_backup_reads_on_and_rotates_with_the_next_writing() {
    let agency = Agency::new();
    let (ben, member) = agency.joined("Ben Worker", "caseworker");
    let case = ben.open_case("Una Fern");
    let note = ben.add_note(&case, "obs: Rang.\n");
    ben.json(&["sync"]);
    let backup = agency.sheet("ben.backup");
    ben.run(&["backup", "create", "--out", &backup]).done();
    let sheet = agency.sheet("anew.sheet");
    agency.ann.run(&["member", "reset", &member, "--out", &sheet]).handle();
    let anew = Vault::unmade();
    let code = code_of(join(&anew, "member", &sheet));
    agency.ann.run(&["member", "approve", &member, "--code", &code]).done();
    // Ann's backup is none of Ben's.
    let other = agency.sheet("ann.backup");
    agency.ann.run(&["backup", "create", "--out", &other]).done();
    anew.run(&["member", "join", "--backup", &other, "--json"])
        .refused(4, "refused");
    assert_eq!(anew.json(&["member", "join", "--backup", &backup])["enrolled"], true);
    anew.json(&["sync"]);
    assert_eq!(anew.json(&["case", "list"])["cases"].as_array().unwrap().len(), 1);
    anew.json(&["note", "show", &note]);
    // The lost keys open nothing that is written from here on: the section's next epoch comes first.
    let before = anew.json(&["sync"])["size"].as_u64().unwrap();
    anew.add_note(&case, "obs: Rang back.\n");
    let after = anew.json(&["sync"])["size"].as_u64().unwrap();
    assert!(after > before + 1, "an epoch, and the note: {before}, {after}");
    anew.verified();
}

#[test]
fn a_run_that_is_cut_off_goes_on_where_it_was() {
    let agency = Agency::new();
    let (member, sheet) = agency.invite("Ben Worker", "caseworker");
    let ben = Vault::unmade();
    agency
        .ann
        .run(&["member", "approve", &member, "--code", "aaaa-aaaa", "--json"])
        .refused(6, "conflict");
    let first = join(&ben, "member", &sheet).json();
    // The same sheet again asks the same; another folder with it is another device, and too late.
    assert_eq!(join(&ben, "member", &sheet).json(), first);
    let other = Vault::unmade();
    join(&other, "member", &sheet).refused(6, "sheet-taken");
    // Another sheet is not taken in the place of one that waits, nor one of another kind.
    let (_, another) = agency.invite("Cleo", "duty");
    join(&ben, "member", &another).refused(6, "already-joining");
    join(&ben, "device", &sheet).refused(6, "conflict");
    // The passphrase is the one that was chosen.
    std::fs::write(ben.around.join("wrong"), "not this one at all\n").unwrap();
    let mut wrong = ben.command(&["member", "join", "--json"]);
    wrong.env("CASEVAULT_PASSPHRASE_FILE", ben.around.join("wrong"));
    Done::of(wrong.output().unwrap()).refused(5, "wrong-passphrase");
    // The answer is there twice only if it is the same.
    let code = first["code"].as_str().unwrap().to_owned();
    agency.ann.run(&["member", "approve", &member, "--code", &code]).done();
    agency
        .ann
        .run(&["member", "approve", &member, "--code", &code, "--json"])
        .refused(1, "not-found");
    // A store that was left by a run which ended there is made anew.
    std::fs::write(ben.home.join("vault.db"), b"half of a store").unwrap();
    let done = ben.json(&["member", "join"]);
    assert_eq!(
        (done["enrolled"].as_bool(), &done["device"]),
        (Some(true), &first["device"])
    );
    assert!(!ben.home.join("joining").exists());
    ben.verified();
    join(&ben, "member", &sheet).refused(1, "already-initialised");
}

#[test]
fn a_sheet_that_was_mistyped_is_refused_by_its_row() {
    let agency = Agency::new();
    let (_, sheet) = agency.invite("Ben Worker", "caseworker");
    let text = std::fs::read_to_string(&sheet).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&sheet).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let row = text.lines().find(|line| line.starts_with("03:")).unwrap();
    let letter = row.chars().nth(6).unwrap();
    let other = if letter == 'x' { 'y' } else { 'x' };
    let wrong: String = row
        .chars()
        .enumerate()
        .map(|(n, c)| if n == 6 { other } else { c })
        .collect();
    let typed = agency.sheet("typed.sheet");
    let ben = Vault::unmade();
    for (content, says) in [
        (text.replace(row, &wrong), "row 3"),
        (text.replace(row, ""), "row 3 is missing"),
        ("a letter\n".to_owned(), "no row"),
    ] {
        std::fs::write(&typed, content).unwrap();
        let refused = join(&ben, "member", &typed).refused(4, "enrolment-sheet");
        assert!(refused["message"].as_str().unwrap().contains(says), "{refused}");
        assert_eq!(refused["check"], "CHK-150");
        assert!(!ben.home.exists());
    }
    // Nothing is written over, and nothing is asked of the server then.
    let again = [
        "member", "invite", "--name", "Y", "--role", "duty", "--out", &sheet, "--json",
    ];
    agency.ann.run(&again).refused(2, "usage");
    assert_eq!(std::fs::read_to_string(&sheet).unwrap(), text);
}

/// ATTACKS 36: the paper is all that a joiner needs to ask. Whoever copied it and is first is noticed, and is not let in.
#[test]
fn attack_36_a_sheet_that_was_copied_lets_nobody_in_unnoticed() {
    let agency = Agency::new();
    let (member, sheet) = agency.invite("Ben Worker", "caseworker");
    let (thief, ben) = (Vault::unmade(), Vault::unmade());
    let stolen = join(&thief, "member", &sheet).json();
    join(&ben, "member", &sheet).refused(6, "sheet-taken");
    // Ben has no code to read out, and what he might say is not the thief's.
    let guessed = ["member", "approve", &member, "--code", "aaaa-aaaa", "--json"];
    let refused = agency.ann.run(&guessed).refused(6, "conflict");
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains(stolen["code"].as_str().unwrap()),
        "{refused}"
    );
    thief.run(&["sync", "--json"]).refused(5, "not-enrolled");
    assert_eq!(members(&agency.ann).len(), 2);
    assert_eq!(devices(&agency.ann, "live"), 1);
    // Honest work goes on, with another sheet.
    let (ben, _) = agency.joined("Ben Worker again", "caseworker");
    ben.verified();
    agency.ann.verified();
}

/// ATTACKS 36: nobody is let in before somebody has said that the codes are one.
#[test]
fn attack_36_a_code_is_compared_before_anybody_is_let_in() {
    let agency = Agency::new();
    let (member, sheet) = agency.invite("Ben Worker", "caseworker");
    let ben = Vault::unmade();
    let code = code_of(join(&ben, "member", &sheet));
    // A script gives it; a further device of one's own is let in no other way.
    let approve = ["member", "approve", &member, "--json"];
    let refused = agency.ann.run(&approve).refused(2, "needs-flag");
    assert!(refused["hint"].as_str().unwrap().contains("--code CODE"), "{refused}");
    let paper = agency.sheet("desk.sheet");
    let device = agency.ann.run(&["device", "add", "--out", &paper]).handle();
    let desk = Vault::unmade();
    let of_desk = code_of(join(&desk, "device", &paper));
    let approve_device = ["device", "approve", &device, "--json"];
    agency.ann.run(&approve_device).refused(2, "needs-flag");
    assert_eq!((members(&agency.ann).len(), devices(&agency.ann, "live")), (2, 1));
    // A person is asked, before it.
    let approve = format!("member approve {member}");
    let Some(mut terminal) = on_terminal(&agency.ann, &approve) else {
        return;
    };
    let question = format!("Does the other machine of Ben Worker show {code}? [y/N] ");
    terminal.wait_for(&question).keys("\n").wait_for("nobody was let in");
    assert_eq!(terminal.end().0, 1);
    ben.run(&["sync", "--json"]).refused(5, "not-enrolled");
    assert_eq!(devices(&agency.ann, "live"), 1);
    let mut terminal = on_terminal(&agency.ann, &approve).unwrap();
    terminal.wait_for(&question);
    assert_eq!(devices(&agency.ann, "live"), 1);
    terminal.keys("y\n").wait_for("approved member");
    assert_eq!(terminal.end().0, 0);
    ben.json(&["sync"]);
    let mut terminal = on_terminal(&agency.ann, &format!("device approve {device}")).unwrap();
    terminal
        .wait_for(&format!("show {of_desk}? [y/N] "))
        .keys("y\n")
        .wait_for("approved device");
    assert_eq!((terminal.end().0, devices(&agency.ann, "live")), (0, 3));
}

/// ATTACKS 36: what the server has opens nothing, not even together with the paper.
#[test]
fn attack_36_the_server_and_the_paper_together_open_no_identity_that_is_handed_over() {
    let agency = Agency::new();
    let sheet = agency.sheet("desk.sheet");
    let device = agency.ann.run(&["device", "add", "--out", &sheet]).handle();
    let desk = Vault::unmade();
    let code = code_of(join(&desk, "device", &sheet));
    agency.ann.run(&["device", "approve", &device, "--code", &code]).done();
    let database = rusqlite::Connection::open(agency.server.data.join("server.db")).unwrap();
    let sql = "SELECT request, answer FROM invite WHERE answer IS NOT NULL";
    let (request, answer): (Vec<u8>, Vec<u8>) = database
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let text = std::fs::read_to_string(&sheet).unwrap();
    let invite = vault_core::joining::Invite::of(vault_core::joining::read_sheet(&text).unwrap()).unwrap();
    // The paper opens both messages ...
    assert!(invite.open_request(&request).is_ok());
    let file = invite.open_answer(&request, &answer).unwrap().secrets.unwrap();
    // ... and what is handed over is sealed to a key that never left the device.
    let guessed = vault_core::secret::RecipientSeed::from_bytes([7; 32]);
    let refused = vault_core::joining::take_over(&invite, &guessed, &file).unwrap_err();
    assert_eq!(refused.check, vault_core::check::Check::KeyringContext);
    // Without the paper not even that much.
    let mut other = invite.sheet().clone();
    other.secret[0] ^= 1;
    let other = vault_core::joining::Invite::of(other).unwrap();
    assert!(other.open_request(&request).is_err() && other.open_answer(&request, &answer).is_err());
    desk.json(&["sync"]);
    desk.verified();
}

/// An agency behind a lying server, with a member who has asked and was approved.
struct Lied {
    ann: Vault,
    evil: Evil,
    ben: Vault,
    _server: Server,
}

impl Lied {
    fn new() -> Self {
        let ann = Vault::made();
        let case = ann.open_case("Ada Brisk");
        ann.add_note(&case, "obs: Rang.\n");
        let server = Server::start(&ann.around.join("server"));
        let evil = Evil::start(&server.url, server.data.clone());
        ann.json(&["server", "add", &evil.url]);
        ann.add_note(&case, "obs: Rang again.\n");
        ann.add_note(&case, "obs: Rang once more.\n");
        let sheet = ann.around.join("ben.sheet").to_str().unwrap().to_owned();
        let invite = [
            "member",
            "invite",
            "--name",
            "Ben",
            "--role",
            "caseworker",
            "--out",
            &sheet,
        ];
        let member = ann.run(&invite).handle();
        let ben = Vault::unmade();
        let code = code_of(join(&ben, "member", &sheet));
        ann.run(&["member", "approve", &member, "--code", &code]).done();
        Self {
            ann,
            evil,
            ben,
            _server: server,
        }
    }

    fn finish(&self) -> Done {
        self.ben.run(&["member", "join", "--json"])
    }

    /// What the client without a check does, on a copy of the folder.
    fn without(&self, check: &str) -> Done {
        let copy = self.ben.copied();
        let whole = copy.command(&["member", "join", "--json"]);
        let mut broken = Command::new(binary::casevault_broken());
        broken.args(whole.get_args());
        broken.envs(whole.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Done::of(broken.env("CASEVAULT_BROKEN", check).output().unwrap())
    }

    /// Asserts that there is no vault, and that an honest server makes one.
    fn honest_again(&self) {
        assert!(!self.ben.home.join("keystore").exists());
        self.evil.be_honest();
        assert_eq!(self.finish().json()["enrolled"], true);
        self.ben.verified();
        self.ann.verified();
    }
}

/// ATTACKS 43: a device that has no memory has its paper. Leaves behind the sheet's checkpoint: the enrolment, four.
#[test]
fn attack_43_a_log_that_is_not_the_papers_is_refused_by_a_device_that_enrols() {
    let lied = Lied::new();
    for lie in [
        // As it was before the sheet was made.
        LogLie::Replay(5),
        // Two leaves from before the sheet in each other's place, another at one of theirs, one left out.
        LogLie::Reorder(4),
        LogLie::Splice(4),
        LogLie::Drop(4),
    ] {
        lied.evil.lie(vec![Rule::on(Message::Checkpoint, Verb::Log(lie))]);
        let refused = lied.finish().refused(4, "server-log");
        assert_eq!(refused["check"], "CHK-153", "{lie}: {refused}");
        assert!(!lied.ben.home.join("keystore").exists());
    }
    // With that one check out the client takes the log with two leaves exchanged, and has a vault.
    lied.evil
        .lie(vec![Rule::on(Message::Checkpoint, Verb::Log(LogLie::Reorder(4)))]);
    assert_eq!(lied.without("CHK-153").json()["enrolled"], true);
    lied.honest_again();
}

/// ATTACKS 4: the recovery recipient is the root's, and the root follows from the agency's id on the paper.
#[test]
fn attack_04_a_root_that_is_changed_on_its_way_is_refused_by_a_device_that_enrols() {
    let lied = Lied::new();
    // Bits all over the agency's first link: administrators, thresholds, recovery recipient, signatures.
    for bit in [900, 1500, 2500, 6000, 9000, 12_000] {
        lied.evil.lie(vec![Rule::on(Message::Page, Verb::Flip(bit))]);
        let refused = lied.finish();
        assert_eq!(refused.code, 4, "{bit}: {}", refused.stderr);
        assert!(!lied.ben.home.join("keystore").exists());
    }
    lied.honest_again();
}

/// ATTACKS 43: a server that was put back to an older day knows no such device, and enrols nobody.
#[test]
fn attack_43_a_server_put_back_to_an_older_day_makes_no_vault() {
    let agency = Agency::new();
    let (member, sheet) = agency.invite("Ben Worker", "caseworker");
    let ben = Vault::unmade();
    let code = code_of(join(&ben, "member", &sheet));
    let before = agency.ann.around.join("server-before");
    casevault_e2e::vault::copy_folder(&agency.server.data, &before);
    agency.ann.run(&["member", "approve", &member, "--code", &code]).done();
    let Agency { ann, server } = agency;
    let (address, data) = (server.address(), server.data.clone());
    server.kill();
    let older = Server::start_at(&before, &address);
    // It has the request and no answer: there is nothing to go on with.
    assert_eq!(ben.json(&["member", "join"])["enrolled"], false);
    // Nor does it take from Ann's vault what she has seen it have.
    ann.run(&["sync", "--json"]).refused(4, "server-log");
    older.kill();
    let _server = Server::start_at(&data, &address);
    assert_eq!(ben.json(&["member", "join"])["enrolled"], true);
    ben.verified();
}

#[test]
fn the_log_of_who_reviews_nothing_is_verified_and_what_is_sealed_in_it_is_counted() {
    let agency = Agency::new();
    let (bo, _) = agency.joined("Bo", "caseworker");
    let case = bo.open_case("Ada Brisk");
    bo.add_note(&case, "obs: Rang.\n");
    bo.json(&["sync"]);
    let told = bo.json(&["log", "verify"]);
    assert_eq!(told["failures"], serde_json::json!([]));
    assert!(told["sealed"].as_u64().unwrap() > 0, "{told}");
    assert_eq!(told["opened"], 0);
    let words = bo.run(&["log", "verify"]).done().stdout;
    assert!(words.contains("which only reviewers open"), "{words}");
    // Who reviews opens all of it.
    agency.ann.json(&["sync"]);
    let told = agency.ann.json(&["log", "verify"]);
    assert_eq!(told["sealed"], Value::Null, "{told}");
    assert!(told["opened"].as_u64().unwrap() > 0);
}
