//! Witnesses: the real command, a real server, a server that lies, and members who are told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::Child;
use std::process::ChildStderr;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;

use casevault_e2e::binary;
use casevault_e2e::evil::forged::stranger;
use casevault_e2e::evil::lie::LogLie;
use casevault_e2e::evil::message::Message;
use casevault_e2e::evil::server::Evil;
use casevault_e2e::evil::server::Rule;
use casevault_e2e::evil::verb::Verb;
use casevault_e2e::faults::shim;
use casevault_e2e::server::Server;
use casevault_e2e::terminal::kill_9;
use casevault_e2e::terminal::until;
use casevault_e2e::vault::Done;
use casevault_e2e::vault::Vault;
use casevault_e2e::witness;
use casevault_e2e::witness::Log;
use casevault_e2e::witness::Witness;
use vault_core::check::Check;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::tlog::checkpoint;
use vault_core::tlog::checkpoint::Checkpoint;
use vault_core::tlog::checkpoint::SignedCheckpoint;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::tree;

/// A vault whose server stands behind one that can lie, and a witness that its root names beside the test's own.
struct Watched {
    ann: Vault,
    case: String,
    evil: Evil,
    witness: Witness,
    log: Log,
    _server: Server,
}

impl Watched {
    fn new() -> Self {
        let ann = Vault::made();
        let case = ann.open_case("Ada Brisk");
        ann.add_note(&case, "obs: Rang.\n");
        let server = Server::start(&ann.around.join("server"));
        let evil = Evil::start(&server.url, server.data.clone());
        ann.json(&["server", "add", &evil.url]);
        let witness = Witness::init(&ann.around.join("witness"), "dpo.example");
        witness::name(&ann, vec![witness.verifier.clone(), witness::verifier()]);
        ann.json(&["sync"]);
        let log = Log::of(&ann);
        Self {
            ann,
            case,
            evil,
            witness,
            log,
            _server: server,
        }
    }

    fn grow(&self) {
        self.ann.add_note(&self.case, "obs: Rang again.\n");
        self.ann.json(&["sync"]);
    }

    /// What witnesses brought since, each tree once.
    fn brought(&self, since: usize) -> Vec<Checkpoint> {
        let exchanges = self.evil.tape().since(since);
        let notes = exchanges.iter().filter(|one| one.message == Message::Cosign);
        let (agency, log) = self.evil.means().victim();
        let log = VerifyingKey::new(&log.public(), Check::CheckpointSignature).unwrap();
        let known = checkpoint::Witness::of(&self.witness.verifier).unwrap();
        let mut trees: Vec<_> = notes
            .map(|one| SignedCheckpoint::open(&one.body, agency, &log, std::slice::from_ref(&known)).unwrap())
            .inspect(|one| assert_eq!(one.cosigned().len(), 1))
            .map(|one| *one.checkpoint())
            .collect();
        trees.sort_by_key(|one| (one.size, one.root.0));
        trees.dedup();
        trees
    }

    /// Shows another log from now on, or the real one.
    fn show(&self, entries: Option<Vec<Entry>>) {
        let means = self.evil.means();
        means.show(entries.map(|entries| means.log_of(entries)));
    }
}

fn state(reply: &serde_json::Value) -> &str {
    reply["witnessed"]["state"].as_str().unwrap_or("none")
}

#[test]
fn a_witness_is_made_named_and_members_are_told_when_it_was_last_there() {
    let watched = Watched::new();
    let ann = &watched.ann;
    let folder = &watched.witness.folder;
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(folder), mode(&folder.join("witness.key"))), (0o700, 0o600));
    // Nobody has been there yet, and that is said; writing goes on.
    let never = ann.json(&["sync"]);
    assert_eq!(state(&never), "never");
    let words = ann.run(&["sync"]).done().stdout;
    assert!(words.contains("ALARM: no witness has cosigned"), "{words}");
    let ran = watched.witness.once(&watched.log).json();
    assert_eq!(
        (&ran["before"], &ran["size"]),
        (&serde_json::Value::Null, &never["size"])
    );
    watched.grow();
    let fresh = ann.json(&["sync"]);
    assert_eq!(state(&fresh), "fresh");
    assert_eq!(fresh["witnessed"]["newest"], ran["cosigned"]);
    assert_eq!(fresh["witnessed"]["witnesses"][0]["name"], "dpo.example");
    assert_eq!(fresh["witnessed"]["witnesses"][1]["cosigned"], serde_json::Value::Null);
    let again = watched.witness.once(&watched.log).json();
    assert_eq!((&again["before"], &again["size"]), (&ran["size"], &fresh["size"]));
    let words = ann.run(&["sync"]).done().stdout;
    assert!(words.contains("witnessed by dpo.example on "), "{words}");
    // Without a passphrase there is no word of there being no witness.
    let locked = ann.json(&["status"]);
    assert!(
        !locked["attention"].to_string().contains("there is no witness"),
        "{locked}"
    );
    ann.run(&["unlock"]).done();
    let open = ann.json(&["status"]);
    assert_eq!(open["witnessed"]["state"], "fresh", "{open}");
    let words = ann.run(&["status"]).done().stdout;
    assert!(words.contains("witnessed   20"), "{words}");
    ann.run(&["lock"]).done();
    // A name is made once, and only one that notes can have.
    let state_dir = folder.to_str().unwrap();
    let init = |name: &str| {
        let arguments = ["log", "witness", "init", "--json", "--state", state_dir, "--name", name];
        Done::of(Command::new(binary::casevault()).args(arguments).output().unwrap())
    };
    init("other.example").refused(6, "conflict");
    assert_eq!(init("two words").code, 2);
    // With no witness named any more nothing is said of one.
    witness::name(ann, Vec::new());
    ann.json(&["sync"]);
    assert_eq!(state(&ann.json(&["sync"])), "none");
    assert!(
        ann.json(&["status"])["attention"]
            .to_string()
            .contains("there is no witness")
    );
    let refused = watched.witness.once(&watched.log).refused(1, "cosignature-refused");
    assert!(refused["hint"].as_str().unwrap().contains("administrator"), "{refused}");
}

#[test]
fn whoever_takes_in_the_root_that_names_a_witness_is_told_of_it_at_once() {
    let ann = Vault::made();
    let server = Server::start(&ann.around.join("server"));
    ann.json(&["server", "add", &server.url]);
    let other = ann.copied();
    witness::name(&ann, vec![witness::verifier()]);
    ann.json(&["sync"]);
    Log::of(&ann).cosign(witness::now());
    assert_eq!(state(&other.json(&["sync"])), "fresh");
}

/// ATTACKS 45: a server that keeps everything back has nothing newer to show than what it had.
#[test]
fn attack_45_a_cosignature_older_than_a_day_is_an_alarm_and_writing_goes_on() {
    let watched = Watched::new();
    let (ann, now) = (&watched.ann, witness::now());
    watched.log.cosign(now - 25 * 3_600);
    let sent = ann.json(&["sync"]);
    assert_eq!(state(&sent), "stale");
    watched.grow();
    let words = ann.run(&["sync"]).done().stdout;
    assert!(words.contains("ALARM: the newest cosignature"), "{words}");
    ann.run(&["unlock"]).done();
    let told = ann.json(&["status"]);
    assert_eq!(told["witnessed"]["state"], "stale");
    assert!(told["attention"][0].as_str().unwrap().starts_with("ALARM"), "{told}");
    ann.run(&["lock"]).done();
    watched.log.cosign(now - 23 * 3_600);
    assert_eq!(state(&ann.json(&["sync"])), "fresh");
    // A time that is to come says that a clock is wrong, and is not taken for news: within ten minutes it is.
    watched.log.cosign(now + 500);
    assert_eq!(state(&ann.json(&["sync"])), "fresh");
}

/// ATTACKS 45: a server that shows the witness an old log for ever has it cosigned each minute.
#[test]
fn attack_45_a_witness_that_is_shown_a_log_that_stands_still_is_an_alarm() {
    let Some(library) = shim::library() else { return };
    let watched = Watched::new();
    let ann = &watched.ann;
    let old = watched.evil.means().honest();
    watched.grow();
    // A day and an hour ago, as this device knows it.
    let mut command = ann.command(&["sync", "--json"]);
    command
        .env("LD_PRELOAD", library)
        .env("SHIM_CLOCK", (-25 * 3_600).to_string());
    Done::of(command.output().unwrap()).done();
    let honest = watched.evil.means().honest();
    assert!(honest.len() > old.len());
    let show = |over: Vec<Entry>| {
        let verb = Verb::Cosigned { ago: 60, over };
        watched.evil.lie(vec![Rule::on(Message::Cosigned, verb)]);
    };
    for over in [Vec::new(), old, honest[..honest.len() - 1].to_vec()] {
        show(over);
        let told = ann.json(&["sync"]);
        assert_eq!(state(&told), "stale", "{told}");
        assert!(told["witnessed"]["unseen_since"].is_string(), "{told}");
        let words = ann.run(&["sync"]).done().stdout;
        assert!(words.contains("has not seen what came since"), "{words}");
    }
    show(honest);
    let told = ann.json(&["sync"]);
    assert_eq!(state(&told), "fresh");
    assert!(told["witnessed"]["unseen_since"].is_null());
}

/// ATTACKS 43: a new device knows nothing but its sheet, which may be older than what the server shows.
#[test]
fn chk_142_attack_43_a_device_that_enrols_needs_a_fresh_cosignature() {
    let watched = Watched::new();
    let (ann, now) = (&watched.ann, witness::now());
    let before = watched.evil.means().honest();
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
    let joining = ben.json(&["member", "join", "--sheet", &sheet, "--kdf-memory", "64MiB"]);
    let code = joining["code"].as_str().unwrap();
    ann.run(&["member", "approve", &member, "--code", code]).done();
    let join = || ben.run(&["member", "join", "--json"]);
    let refused = |expected: &str| {
        let told = join().refused(4, "server-unwitnessed");
        assert_eq!(told["check"], "CHK-142");
        let hint = told["hint"].as_str().unwrap();
        assert!(
            hint.contains(expected) && hint.contains("casevault log witness run"),
            "{hint}"
        );
        assert!(!ben.home.join("keystore").exists());
    };
    refused("there is no cosignature");
    watched.log.cosign(now - 30 * 3_600);
    refused("the newest cosignature is of 20");
    // A fresh one, over what the log was before the sheet.
    let shorter = before[..before.len() - 1].to_vec();
    watched.evil.lie(vec![Rule::on(
        Message::Cosigned,
        Verb::Cosigned { ago: 60, over: shorter },
    )]);
    refused("has not yet what is on the sheet");
    watched.evil.be_honest();
    // The client without the check is enrolled by a server that shows an old day.
    let copy = ben.copied();
    let whole = copy.command(&["member", "join", "--json"]);
    let mut broken = Command::new(binary::casevault_broken());
    broken.args(whole.get_args());
    broken.envs(whole.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let believed = Done::of(broken.env("CASEVAULT_BROKEN", "CHK-142").output().unwrap());
    assert_eq!(believed.json()["enrolled"], true);
    // Nor is a cosignature over another log one of this.
    let forked = LogLie::Fork { from: 0, more: 2 }.applied(&watched.evil.means().honest());
    watched.evil.lie(vec![Rule::on(
        Message::Cosigned,
        Verb::Cosigned { ago: 60, over: forked },
    )]);
    let told = join().refused(4, "server-log");
    assert_eq!(told["check"], "CHK-138", "{told}");
    watched.evil.be_honest();
    watched.witness.once(&watched.log).done();
    assert_eq!(join().json()["enrolled"], true);
    ben.verified();
}

/// ATTACKS 44, 49: a fork that a witness is shown is refused, kept as evidence, and never cosigned.
#[test]
fn attack_44_a_fork_that_a_witness_is_shown_is_refused_with_evidence() {
    let watched = Watched::new();
    watched.witness.once(&watched.log).done();
    let honest = watched.evil.means().honest();
    let before = watched.evil.tape().len();
    let mut halted = 0;
    for lie in [
        LogLie::Fork { from: 0, more: 0 },
        LogLie::Fork { from: 2, more: 5 },
        LogLie::Drop(1),
        LogLie::Replay(1),
    ] {
        watched.show(Some(lie.applied(&honest)));
        let refused = watched.witness.once(&watched.log).refused(4, "server-log");
        assert_eq!(refused["check"], "CHK-138", "{lie}");
        // It has stopped where it has evidence, also for the log that it knows.
        let proved = refused["hint"].as_str().unwrap().contains("evidence-");
        let mark = watched.witness.file("halted");
        assert_eq!(mark.is_some(), proved, "{lie}");
        halted += usize::from(proved);
        if let Some(mark) = mark {
            watched.show(None);
            let refused = watched.witness.once(&watched.log).refused(4, "witness-halted");
            let hint = refused["hint"].as_str().unwrap();
            let named = std::fs::read_to_string(&mark).unwrap();
            assert!(
                hint.contains(named.trim_end()) && hint.contains(mark.to_str().unwrap()),
                "{hint}"
            );
            assert!(std::path::Path::new(named.trim_end()).is_file());
            std::fs::remove_file(mark).unwrap();
        }
    }
    assert!(halted >= 2);
    assert_eq!(watched.brought(before), []);
    let evidence = watched.witness.evidence();
    assert!(!evidence.is_empty());
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&evidence[0]).unwrap()).unwrap();
    assert_eq!(kept["schema"], "casevault.evidence/1");
    if let Some(folder) = std::env::var_os("CASEVAULT_EVIDENCE_OUT").map(std::path::PathBuf::from) {
        std::fs::copy(&watched.log.file, folder.join("witness.vkey")).unwrap();
        std::fs::copy(&evidence[0], folder.join("witness.json")).unwrap();
    }
    watched.show(None);
    watched.witness.once(&watched.log).done();
    // What it keeps is held to the log's signature.
    let position = watched.witness.file("position").unwrap();
    let mut bytes = std::fs::read(&position).unwrap();
    bytes[80] ^= 1;
    std::fs::write(&position, bytes).unwrap();
    let refused = watched.witness.once(&watched.log).refused(4, "refused");
    assert_eq!(refused["check"], "CHK-133");
}

/// Two logs of one size that part at the last leaf, and go on.
/// A run that goes on, with what it says.
struct Running {
    child: Child,
    told: BufReader<ChildStdout>,
    said: BufReader<ChildStderr>,
}

impl Running {
    fn start(witness: &Witness, log: &Log) -> Self {
        let mut child = witness.watching(log).spawn().unwrap();
        let told = BufReader::new(child.stdout.take().unwrap());
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, told, said }
    }

    /// Waits until a round is told of, and returns the size of the log in it.
    fn size(&mut self) -> u64 {
        let mut line = String::new();
        self.told.read_line(&mut line).unwrap();
        let told: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        assert_eq!(told["schema"], "casevault.log.witness.run/1");
        told["size"].as_u64().unwrap()
    }

    /// Waits until it says something else.
    fn says(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line
    }

    /// Waits until it has ended, and returns how, and what else it said.
    fn ended(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_witness_that_runs_on_follows_the_log_outlives_the_servers_absence_and_ends_when_it_is_told_to() {
    let ann = Vault::made();
    let case = ann.open_case("Ada Brisk");
    let server = Server::start(&ann.around.join("server"));
    ann.json(&["server", "add", &server.url]);
    let witness = Witness::init(&ann.around.join("witness"), "dpo.example");
    witness::name(&ann, vec![witness.verifier.clone()]);
    let size = |vault: &Vault| vault.json(&["sync"])["size"].as_u64().unwrap();
    let begun = size(&ann);
    let log = Log::of(&ann);
    let mut running = Running::start(&witness, &log);
    assert_eq!(running.size(), begun);
    // It goes on by itself, and says what is new.
    ann.add_note(&case, "obs: Rang.\n");
    let grown = size(&ann);
    assert!(grown > begun);
    assert_eq!(running.size(), grown);
    // A server that is away is said once, and asked again until it is there.
    let (address, data) = (server.address(), server.data.clone());
    server.kill();
    let said = running.says();
    assert!(said.contains("it is tried again until it works"), "{said}");
    let server = Server::start_at(&data, &address);
    assert_eq!(running.size(), grown);
    ann.add_note(&case, "obs: Rang again.\n");
    let last = size(&ann);
    assert_eq!(running.size(), last);
    // Told to end, it does, and how far it was is on the disk: another goes on from there.
    rustix::process::kill_process(pid(&running.child), rustix::process::Signal::TERM).unwrap();
    assert_eq!(running.ended(), (Some(0), String::new()));
    let next = witness.once(&log).json();
    assert_eq!((&next["before"], &next["size"]), (&last.into(), &last.into()));
    drop(server);
}

#[test]
fn attack_44_a_witness_that_runs_on_ends_with_evidence_when_it_is_shown_another_log() {
    let watched = Watched::new();
    let mut running = Running::start(&watched.witness, &watched.log);
    running.size();
    let [one, other] = two_logs(&watched);
    let began = watched.evil.tape().len();
    watched.show(Some(one));
    // The real server has no such log, and takes no cosignature over it: that may pass.
    assert!(running.says().contains("it is tried again until it works"));
    assert_eq!(watched.brought(began).len(), 1);
    watched.show(Some(other));
    let (code, said) = running.ended();
    assert_eq!(code, Some(4), "{said}");
    assert_eq!(watched.witness.evidence().len(), 1, "{said}");
    watched.witness.once(&watched.log).refused(4, "witness-halted");
}

fn pid(child: &Child) -> rustix::process::Pid {
    rustix::process::Pid::from_child(child)
}

fn two_logs(watched: &Watched) -> [Vec<Entry>; 2] {
    let honest = watched.evil.means().honest();
    [1_u8, 2].map(|branch| {
        let mut entries = honest.clone();
        entries.extend((0..3).map(|n| stranger(branch * 16 + n)));
        entries
    })
}

fn root(entries: &[Entry]) -> tree::Hash {
    tree::root(&entries.iter().map(Entry::leaf).collect::<Vec<_>>())
}

/// ATTACKS 49: killed after its position is kept and before it has an answer, a witness remembers.
#[test]
fn attack_49_a_witness_that_is_killed_before_it_is_answered_cosigns_no_other_log() {
    let watched = Watched::new();
    let [one, other] = two_logs(&watched);
    let began = watched.evil.tape().len();
    // Never answered: it is killed in the middle of bringing the cosignature.
    watched.evil.lie(vec![Rule::on(Message::Cosign, Verb::Never)]);
    watched.show(Some(one.clone()));
    let child = watched.witness.command(&watched.log).spawn().unwrap();
    until("the cosignature is brought", || !watched.brought(began).is_empty());
    // A second run is told so, and asks nothing.
    let asked = watched.evil.tape().len();
    watched.witness.once(&watched.log).refused(6, "conflict");
    assert_eq!(watched.evil.tape().len(), asked);
    kill_9(child.id());
    child.wait_with_output().unwrap();
    watched.evil.be_honest();
    watched.show(Some(other));
    let refused = watched.witness.once(&watched.log).refused(4, "server-log");
    assert_eq!(refused["check"], "CHK-138");
    let trees = watched.brought(began);
    assert_eq!(trees.len(), 1);
    assert_eq!(trees[0].root, root(&one));
    // And goes on with the one that it knows, once somebody has decided.
    watched.evil.be_honest();
    watched.show(Some(one));
    watched.witness.once(&watched.log).refused(4, "witness-halted");
    std::fs::remove_file(watched.witness.file("halted").unwrap()).unwrap();
    let brought = watched.witness.once(&watched.log);
    // The real server has no such log.
    brought.refused(1, "cosignature-refused");
    assert_eq!(watched.brought(began).len(), 1);
}

/// ATTACKS 49: a witness whose folder forgot how far it was cosigns nothing.
#[test]
fn attack_49_a_witness_that_forgot_how_far_it_was_cosigns_nothing() {
    let watched = Watched::new();
    watched.witness.once(&watched.log).done();
    let position = watched.witness.file("position").unwrap();
    let old = std::fs::read(&position).unwrap();
    let run = |more: &[&str]| {
        let whole = watched.witness.command(&watched.log);
        let plain = whole.get_args().filter(|argument| *argument != "--first");
        let mut command = Command::new(binary::casevault());
        command.args(plain).args(more).env_remove("HOME");
        Done::of(command.output().unwrap())
    };
    // It has been here.
    run(&["--first"]).refused(6, "conflict");
    let began = watched.evil.tape().len();
    std::fs::remove_file(&position).unwrap();
    let refused = run(&[]).refused(4, "witness-forgot");
    assert!(refused["hint"].as_str().unwrap().contains("--first"), "{refused}");
    // Nor with the word for it: the server has what it cosigned.
    run(&["--first"]).refused(4, "witness-forgot");
    assert!(!position.exists());
    // An older copy of the folder.
    std::fs::write(&position, &old).unwrap();
    watched.grow();
    run(&[]).done();
    assert_eq!(watched.brought(began).len(), 1);
    std::fs::write(&position, &old).unwrap();
    let refused = run(&[]).refused(4, "witness-forgot");
    assert!(refused["hint"].as_str().unwrap().contains("new witness"), "{refused}");
    assert_eq!(watched.brought(began).len(), 1);
    assert_eq!(std::fs::read(&position).unwrap(), old);
}

/// ATTACKS 49: many runs at once over one folder, killed at any moment, shown one log or the other: of all that left them,
/// everything is of one log.
#[test]
fn attack_49_a_storm_of_runs_over_one_folder_cosigns_one_log() {
    let watched = Watched::new();
    let logs = two_logs(&watched);
    let began = watched.evil.tape().len();
    let (mut conflicts, mut refused, mut killed) = (0, 0, 0);
    for round in 0..12_usize {
        // Which log is shown changes while they run.
        watched.show(Some(logs[round % 2].clone()));
        let known = watched.evil.tape().len();
        let mut children: Vec<Child> = (0..4)
            .map(|_| {
                let mut command = watched.witness.command(&watched.log);
                command.stdout(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        // Some of it may end before it asks anything.
        until("one asks", || {
            let have_ended = children.iter_mut().all(|child| child.try_wait().unwrap().is_some());
            have_ended || watched.evil.tape().len() > known + round % 3
        });
        watched.show(Some(logs[(round + 1) % 2].clone()));
        for (at, mut child) in children.into_iter().enumerate() {
            if (at + round) % 3 == 0 && child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                killed += 1;
            }
            let done = Done::of(child.wait_with_output().unwrap());
            match done.code {
                6 => conflicts += 1,
                4 => refused += 1,
                // Brought, and not taken by the real server, which has another log; or killed.
                1 | -1 => {}
                other => panic!("{other}: {}", done.stderr),
            }
        }
    }
    let trees = watched.brought(began);
    assert_eq!(trees.len(), 1, "{trees:?}");
    assert!(logs.iter().any(|log| root(log) == trees[0].root));
    assert!(conflicts > 0 && refused > 0, "{conflicts} {refused} {killed}");
}
