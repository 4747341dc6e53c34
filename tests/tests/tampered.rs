//! A folder that somebody else had a hand in: every command refuses it with a cause and an exit code, shows nothing, and
//! changes nothing.

use casevault_e2e::vault::Done;
use casevault_e2e::vault::PASSPHRASE;
use casevault_e2e::vault::Vault;
use std::path::Path;

const SECRET: &str = "The lamp in the hall is broken.";

fn vault() -> (Vault, String, String) {
    let vault = Vault::made();
    let case = vault.open_case("Una Kestle");
    let note = vault.add_note(&case, &format!("obs: {SECRET}\n"));
    (vault, case, note)
}

/// Runs what reads and what writes; hands each answer to `judge`.
fn every_command(vault: &Vault, case: &str, note: &str, judge: impl Fn(&Done, &str)) {
    for arguments in [
        &["verify"][..],
        &["unlock", "--no-agent"],
        &["case", "list"],
        &["case", "show", case],
        &["note", "list", case],
        &["note", "show", note],
        &["export", "--format", "jsonl"],
        &["log", "list"],
    ] {
        let done = vault.run(&[arguments, &["--json"]].concat());
        judge(&done, &arguments.join(" "));
    }
    let done = vault.feed(
        &["note", "add", case, "--kind", "phone", "--file", "-", "--json"],
        b"Rang.",
    );
    judge(&done, "note add");
}

/// Asserts a typed refusal with one of the exit codes, without a word of what is sealed and without a fault.
fn assert_refused(done: &Done, exits: &[i32], what: &str) {
    assert!(
        exits.contains(&done.code),
        "{what}: {}\n{}\n{}",
        done.code,
        done.stdout,
        done.stderr
    );
    let error = done.error();
    assert_ne!(error["error"], "bug", "{what}: {error}");
    assert!(!error["hint"].as_str().unwrap().is_empty(), "{what}: {error}");
    let all = format!("{}{}", done.stdout, done.stderr);
    assert!(
        !all.contains(SECRET) && !all.contains("Kestle") && !all.contains("panicked"),
        "{what}: {all}"
    );
}

fn assert_unchanged(path: &Path, bytes: &[u8], what: &str) {
    assert!(std::fs::read(path).unwrap() == bytes, "{what}: the file was changed");
}

#[test]
fn a_truncated_or_foreign_store_is_refused_by_every_command() {
    let (vault, case, note) = vault();
    let whole = std::fs::read(vault.store()).unwrap();
    let (other, _, _) = self::vault();
    let foreign = std::fs::read(other.store()).unwrap();
    let mut spliced = whole.clone();
    let middle = whole.len() / 2 / 16384 * 16384;
    spliced[middle..].copy_from_slice(&foreign[middle..whole.len()]);
    let mut reordered = whole.clone();
    let page = 16384;
    let (first, second) = reordered.split_at_mut(4 * page);
    first[3 * page..].swap_with_slice(&mut second[..page]);
    for (name, bytes) in [
        ("empty", Vec::new()),
        ("one byte", whole[..1].to_vec()),
        ("half a page", whole[..page / 2].to_vec()),
        ("one page", whole[..page].to_vec()),
        ("all but the last page", whole[..whole.len() - page].to_vec()),
        ("text", b"Dear colleague, this is no store.\n".repeat(900)),
        ("another vault's", foreign),
        ("half another vault's", spliced),
        ("two pages changed places", reordered),
    ] {
        let copy = vault.copied();
        std::fs::write(copy.store(), &bytes).unwrap();
        every_command(&copy, &case, &note, |done, command| {
            assert_refused(done, &[4], &format!("{name}: {command}"));
        });
    }
    // Without a store there is a keystore and nothing to open.
    let copy = vault.copied();
    std::fs::remove_file(copy.store()).unwrap();
    every_command(&copy, &case, &note, |done, command| {
        assert_refused(done, &[1, 4, 5], command)
    });
    assert!(!copy.store().exists());
    vault.verified();
}

#[test]
fn a_truncated_or_foreign_keystore_opens_nothing() {
    let (vault, case, note) = vault();
    let path = vault.home.join("keystore");
    let whole = std::fs::read(&path).unwrap();
    let (other, _, _) = self::vault();
    let foreign = std::fs::read(other.home.join("keystore")).unwrap();
    // Of another vault under the same passphrase: it opens, and is of another agency than the store.
    for (name, bytes, exits) in [
        ("empty", Vec::new(), &[4][..]),
        ("half", whole[..whole.len() / 2].to_vec(), &[4]),
        ("a byte more", [&whole[..], &[0]].concat(), &[4]),
        ("another vault's", foreign, &[4]),
    ] {
        let copy = vault.copied();
        std::fs::write(copy.home.join("keystore"), &bytes).unwrap();
        every_command(&copy, &case, &note, |done, command| {
            assert_refused(done, exits, &format!("{name}: {command}"));
        });
        assert_unchanged(&copy.home.join("keystore"), &bytes, name);
    }
    vault.verified();
}

#[test]
fn attack_39_a_wrong_passphrase_and_a_changed_keystore_are_told_alike() {
    let (vault, _, _) = vault();
    let answer = |vault: &Vault| {
        let error = vault.run(&["case", "list", "--json"]).refused(5, "wrong-passphrase");
        error.to_string()
    };
    let changed = |byte: usize| {
        let copy = vault.copied();
        let path = copy.home.join("keystore");
        let mut bytes = std::fs::read(&path).unwrap();
        let place = bytes.len() - byte;
        bytes[place] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        answer(&copy)
    };
    let wrong = vault.copied();
    std::fs::write(wrong.around.join("passphrase"), PASSPHRASE.replace("heron", "stork")).unwrap();
    let wrong = answer(&wrong);
    for byte in [1, 16, 17, 300, 700] {
        assert_eq!(changed(byte), wrong, "byte {byte} from the end");
    }
    assert_eq!(vault.exported().len(), 2);
}

#[test]
fn attack_31_parameters_beyond_the_bounds_are_refused_unpaid() {
    let (vault, _, _) = vault();
    // The memory in KiB is a big-endian number after format, three ids and the function's number.
    let at = 2 + 32 + 16 + 16 + 1;
    let path = vault.home.join("keystore");
    let mut bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes[at..at + 4], 65_536_u32.to_be_bytes());
    for kib in [0, 1, 65_535, 2_097_153, u32::MAX] {
        bytes[at..at + 4].copy_from_slice(&kib.to_be_bytes());
        std::fs::write(&path, &bytes).unwrap();
        let error = vault.run(&["case", "list", "--json"]).refused(4, "refused");
        assert_eq!(error["check"], "CHK-95", "{kib} KiB: {error}");
    }
    bytes[at..at + 4].copy_from_slice(&65_536_u32.to_be_bytes());
    std::fs::write(&path, &bytes).unwrap();
    vault.verified();
}
