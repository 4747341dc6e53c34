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
