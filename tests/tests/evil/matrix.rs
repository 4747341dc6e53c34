//! Every verb that needs no knowledge of a message, on every message, under every command that sends it.
//!
//! What comes of each is in `matrix.txt`, blessed with `CASEVAULT_BLESS=1`; what must hold of all of them is asserted,
//! whatever the page says.

use casevault_e2e::binary::root;
use casevault_e2e::evil::judge;
use casevault_e2e::evil::judge::State;
use casevault_e2e::evil::lie::LogLie;
use casevault_e2e::evil::message::Message;
use casevault_e2e::evil::server::Rule;
use casevault_e2e::evil::stage::Begins;
use casevault_e2e::evil::stage::Command;
use casevault_e2e::evil::stage::Stage;
use casevault_e2e::evil::verb::Verb;
use casevault_e2e::vault::Done;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What is done to each message.
fn verbs(on: Message) -> Vec<Verb> {
    let swapped = match on {
        Message::Entries => Message::Tile,
        Message::Tile => Message::Entries,
        Message::Checkpoint => Message::Challenge,
        _ => Message::Checkpoint,
    };
    vec![
        Verb::Flip(0),
        // The highest bit of a byte: what a lower one makes of a random hex digit differs.
        Verb::Flip(103),
        Verb::Flip(-9),
        Verb::Truncate(0),
        Verb::Truncate(20),
        Verb::Inject(vec![0]),
        Verb::Instead(vec![0; 3]),
        Verb::Instead(vec![0xff; 1000]),
        Verb::Swap(swapped),
        Verb::Drop,
        Verb::KillAfterCommit,
        Verb::Status(204),
        Verb::Status(401),
        Verb::Status(404),
        Verb::Status(500),
        Verb::Status(503),
        Verb::Redirect(Message::Checkpoint),
        Verb::Zeros(48 << 20),
    ]
}

/// Where a message is sent, by which command, and what makes it: another history, which a client asks tiles of.
fn setting(on: Message) -> (Begins, Command, Option<Verb>) {
    match on {
        Message::Cosigned => (Begins::Witnessed, Command::Sync, None),
        Message::LogKey => (Begins::Alone, Command::Add, None),
        Message::Entries | Message::Streams | Message::Page => (Begins::Behind, Command::Sync, None),
        Message::Tile => {
            let fork = Verb::Log(LogLie::Fork { from: 1, more: 3 });
            (Begins::Written, Command::Sync, Some(fork))
        }
        Message::Checkpoint
        | Message::Challenge
        | Message::Session
        | Message::Append
        | Message::Cosign
        | Message::Other => (Begins::Written, Command::Sync, None),
    }
}

/// Lies that a client may believe, and why.
const HARMLESS: &[(Message, &str, &str)] = &[
    (Message::Entries, "flip(bit 103)", FOLLOWED),
    (Message::Streams, "flip(bit -9)", LISTED),
    (Message::Cosigned, "set_param(status, 404)", UNSEEN),
];
const FOLLOWED: &str = "it is of a leaf that was followed before, and nobody reads it again";
const UNSEEN: &str = "it is as if no witness had been there since, which is an alarm after a day";
const LISTED: &str = "of a stream that is here already, the log says how far it goes, and the list is not asked";

#[test]
fn every_verb_on_every_message_is_refused_by_a_type_and_changes_nothing() {
    let (mut page, mut wrong) = (String::new(), Vec::new());
    let (mut alone, mut behind, mut written, mut witnessed) = (None, None, None, None);
    for on in Message::ALL {
        let (begins, command, made) = setting(on);
        let mut asked_after = BTreeMap::new();
        for verb in verbs(on) {
            let mut apart = None;
            let stage = match begins {
                // What one append left at the server, the log shows to the next.
                _ if on == Message::Append => apart.insert(Stage::set(begins)),
                Begins::Alone => alone.get_or_insert_with(|| Stage::set(begins)),
                Begins::Behind => behind.get_or_insert_with(|| Stage::set(begins)),
                Begins::Witnessed => witnessed.get_or_insert_with(|| Stage::set(begins)),
                Begins::Joined | Begins::Written => written.get_or_insert_with(|| Stage::set(begins)),
            };
            let before = State::of(&stage.vault);
            let vault = stage.vault.copied();
            let began = stage.evil.tape().len();
            let made = made.clone().map(|verb| Rule::on(Message::Checkpoint, verb));
            let mut rules = vec![Rule::on(on, verb.clone())];
            rules.extend(made);
            stage.evil.lie(rules);
            let done = vault.run(&stage.words_of(command));
            let what = format!("{on}: {verb}");
            assert!(!stage.evil.has_failed(), "{what}: the lie could not be told");
            let exchanges = stage.evil.tape().since(began);
            assert!(
                exchanges.iter().any(|one| one.message == on && one.lied),
                "{what}: was not asked"
            );
            judge::assert_nothing_leaked(&exchanges, &stage.secrets());
            let harmless = HARMLESS
                .iter()
                .any(|(message, harmless, _)| *message == on && *harmless == verb.to_string());
            if is_as_if_honest(&done) != harmless {
                wrong.push(format!("{what}: {}{}", done.stdout, done.stderr));
            }
            assert!(
                harmless || State::of(&vault) == before,
                "{what}: the vault is not as it was"
            );
            let told = told(&done, &what);
            writeln!(page, "{on:<10} | {:<40} | {told}", verb.to_string()).unwrap();
            let mut after = judge::after_the_lie(&exchanges);
            // What is asked of the log, to prove or to convict, is what anybody may ask of it, and depends on nothing else.
            after.retain(|asked| !asked.contains("/v1/log/"));
            if !harmless {
                asked_after.insert(after, what);
            } else if begins == Begins::Behind {
                // It went on with the device's own log, from which no further copy may.
                behind = None;
            }
        }
        // Of 48 bytes to be signed, and of a token, no client can tell whether they are right: it goes on with them.
        let ways = match on {
            // Nor whether a stream that is listed and that it does not have is there, before it asks for it.
            Message::Challenge | Message::Session | Message::Streams => 2,
            _ => 1,
        };
        if asked_after.len() > ways {
            wrong.push(format!("what is asked afterwards tells what failed: {asked_after:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for stage in [alone, written, witnessed].into_iter().flatten() {
        stage.evil.be_honest();
        stage.assert_all_is_well();
    }
    behind.into_iter().for_each(|stage| stage.assert_readable());
    let path = root().join("tests/tests/evil/matrix.txt");
    if std::env::var_os("CASEVAULT_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    snapbox::assert_data_eq!(page, snapbox::Data::read_from(&path, None).raw());
}

/// Tells whether a command ended as it does without a lie.
fn is_as_if_honest(done: &Done) -> bool {
    done.code == 0
}

/// Says how a command ended, and that it ended as a command does.
fn told(done: &Done, what: &str) -> String {
    if is_as_if_honest(done) {
        return "believed".to_owned();
    }
    assert!(!done.stderr.contains("panicked"), "{what}: {}", done.stderr);
    let error = done.error();
    let code = error["error"].as_str().unwrap();
    assert!(
        code.starts_with("server-") || code == "device-unknown",
        "{what}: {error}"
    );
    assert!(!error["hint"].as_str().unwrap().is_empty(), "{what}: {error}");
    assert_eq!(error["exit"], done.code, "{what}: {error}");
    let check = match error["check"].as_str() {
        // Which of the two is met first in bytes that are no structure at all depends on random ids in them.
        Some("CHK-02" | "CHK-03") => "CHK-02/03",
        check => check.unwrap_or("-"),
    };
    format!("{} {code} {check}", done.code)
}
