//! Two clients that are told two histories, until one meets the other's.

use casevault_e2e::evil::forged::stranger;
use casevault_e2e::evil::judge;
use casevault_e2e::evil::lie::LogLie;
use casevault_e2e::evil::message::Message;
use casevault_e2e::evil::server::Rule;
use casevault_e2e::evil::stage::Begins;
use casevault_e2e::evil::stage::Command;
use casevault_e2e::evil::stage::Stage;
use casevault_e2e::evil::verb::Verb;
use casevault_e2e::vault::Vault;
use vault_core::tlog::entry::Entry;

/// Nothing that a client holds contradicts what either is told; what the other was told does.
#[test]
fn attack_44_who_is_shown_what_another_was_told_has_the_evidence() {
    let stage = Stage::set(Begins::Joined);
    let other = stage.vault.copied();
    let sync = |vault: &Vault| vault.run(&stage.words_of(Command::Sync));
    let size = stage.evil.means().honest().len() as u64;
    // To each its own history, behind what both have followed.
    stage
        .evil
        .lie(vec![Rule::on(Message::Checkpoint, Verb::Log(LogLie::Grow(2)))]);
    assert_eq!(sync(&stage.vault).json()["size"], size + 2);
    let forked = [stage.evil.means().honest(), vec![stranger(1), stranger(2), stranger(3)]].concat();
    let shown = || stage.evil.means().show(Some(stage.evil.means().log_of(forked.clone())));
    stage.evil.be_honest();
    shown();
    assert_eq!(sync(&other).json()["size"], size + 3);
    assert!(judge::evidence(&stage.vault).is_empty() && judge::evidence(&other).is_empty());
    // The first is shown what the second was told.
    let told = sync(&stage.vault).refused(4, "server-log");
    assert_eq!(told["check"], "CHK-138");
    assert_eq!(judge::evidence(&stage.vault).len(), 1);
    // The second goes on, and the first goes on reading.
    assert_eq!(sync(&other).json()["size"], size + 3);
    stage.assert_readable();
}

/// A link says what its author had verified of the log: whoever was told another history has the evidence with it.
#[test]
fn attack_44_what_another_device_was_told_comes_out_with_what_it_writes() {
    let stage = Stage::set(Begins::Joined);
    let ann = &stage.vault;
    let desk = ann.further("desk.sheet");
    desk.json(&["sync"]);
    let case = desk.json(&["case", "list"])["cases"][0]["case"]
        .as_str()
        .unwrap()
        .to_owned();
    // That somebody looked is logged, and sent.
    desk.json(&["sync"]);
    ann.json(&["sync"]);
    // The desk is told a history of its own, and goes on in it while another goes on. Nothing that it holds contradicts it.
    let honest = stage.evil.means().honest();
    let size = honest.len() as u64;
    let forked = [honest, vec![stranger(1)]].concat();
    let show = |forked: Option<&Vec<Entry>>| {
        let forked = forked.map(|entries| stage.evil.means().log_of(entries.clone()));
        stage.evil.means().show(forked);
    };
    let sync = |vault: &Vault| vault.run(&stage.words_of(Command::Sync));
    show(Some(&forked));
    let told = sync(&desk).json();
    assert_eq!(told["size"], size + 1, "{told}");
    show(None);
    ann.open_case("Elin Farrow");
    ann.json(&["sync"]);
    show(Some(&forked));
    desk.add_note(&case, "obs: Written by whom a fork was shown.\n");
    // What it sends is in the log that the others are shown, and never proved to be in the one that it is shown.
    assert_ne!(sync(&desk).code, 0);
    show(None);
    let copy = ann.copied();
    assert!(judge::evidence(ann).is_empty());
    let told = sync(ann).refused(4, "server-log");
    assert_eq!(told["check"], "CHK-138");
    assert_eq!(judge::evidence(ann).len(), 1);
    // It goes on reading, and says it again.
    stage.assert_readable();
    sync(ann).refused(4, "server-log");
    // The check is what found it.
    let broken = stage
        .broken(&copy, Command::Sync, "CHK-138")
        .wait_with_output()
        .unwrap();
    assert!(broken.status.success(), "{}", String::from_utf8_lossy(&broken.stderr));
}

/// What goes on from what this device had verified is proved with it, whatever it sends in between.
#[test]
fn who_writes_alone_asks_for_no_tile() {
    let stage = Stage::set(Begins::Joined);
    let case = stage.vault.json(&["case", "list"])["cases"][0]["case"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = stage.evil.tape().len();
    for number in 0..3 {
        stage.vault.add_note(&case, &format!("obs: Number {number}.\n"));
        stage.vault.json(&["sync"]);
    }
    let asked = stage.evil.tape().since(before);
    let of = |wanted| asked.iter().filter(|one| one.message == wanted).count();
    assert!(
        of(Message::Append) >= 3 && of(Message::Tile) == 0,
        "{}",
        of(Message::Tile)
    );
}
