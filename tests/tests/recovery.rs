//! Backups and recovery cards with the real binary: everything comes back on an empty machine, or nothing does.

use casevault_e2e::caseload;
use casevault_e2e::caseload::Size;
use casevault_e2e::mount::Mount;
use casevault_e2e::vault::Done;
use casevault_e2e::vault::PASSPHRASE;
use casevault_e2e::vault::Vault;
use serde_json::Value;
use serde_json::json;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use vault_core::backup;

/// The new passphrase after a recovery run.
const NEW: &str = "a lamp in every other window";

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Makes a backup beside the vault.
fn backed_up(vault: &Vault, name: &str) -> PathBuf {
    let file = vault.around.join(name);
    vault
        .run(&["backup", "create", "--out", &text(&file), "--force"])
        .done();
    file
}

/// Makes cards beside the vault; returns their files with words.
fn cards(vault: &Vault, threshold: u8, shares: u8) -> Vec<PathBuf> {
    let folder = vault.around.join("cards");
    let numbers = [threshold.to_string(), shares.to_string()];
    let arguments = ["recovery", "split", "--yes", "--out-dir", &text(&folder)];
    let arguments = [&arguments[..], &["--threshold", &numbers[0], "--shares", &numbers[1]]].concat();
    vault.run(&arguments).done();
    (1..=shares)
        .map(|number| folder.join(format!("card-{number}-of-{shares}.txt")))
        .collect()
}

#[test]
fn a_set_of_cards_is_spelt_in_one_way_wherever_it_is_printed() {
    let vault = Vault::made();
    let folder = vault.around.join("cards");
    let split = ["recovery", "split", "--yes", "--out-dir", &text(&folder)];
    let made = vault.run(&split).done();
    let first = made.stdout.lines().next().unwrap();
    let set = first.strip_prefix("made recovery cards of set ").unwrap();
    let groups: Vec<usize> = set.split(' ').map(str::len).collect();
    assert_eq!(groups, [4; 4], "{set}");
    assert!(
        made.stderr.contains(&format!("the cards of set {set} are printed")),
        "{}",
        made.stderr
    );
    let all: Vec<PathBuf> = (1..=3).map(|n| folder.join(format!("card-{n}-of-3.txt"))).collect();
    let card = std::fs::read_to_string(&all[0]).unwrap();
    assert!(card.contains(&format!("# Set {set}, recovery key 1")));
    let check = ["recovery", "check", "--cards", &joined(&[&all[0], &all[1]])];
    let checked = vault.run(&check).done().stdout;
    assert!(checked.contains(&format!("set {set}, recovery key 1")), "{checked}");
    let again = vault.run(&[
        "recovery",
        "split",
        "--yes",
        "--out-dir",
        &text(&vault.around.join("more")),
    ]);
    assert!(again.stderr.contains(&format!("(set {set})")), "{}", again.stderr);
    // For programs it is what it was.
    let told = vault.json(&check);
    assert_eq!(told["set"], set.replace(' ', ""), "{told}");
}

#[test]
fn a_restore_counts_what_the_backup_counted() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    vault.add_note(&case, "obs: Calm.\n");
    let file = vault.around.join("counted.age");
    let made = vault.json(&["backup", "create", "--out", &text(&file)]);
    let (restored, told) = restored(&file);
    assert_eq!(told["backed_up"], made["entries"], "{told}");
    assert_eq!(told["attachments"], made["attachments"], "{told}");
    let written = told["entries"].as_u64().unwrap() - made["entries"].as_u64().unwrap();
    assert!(written > 0, "{told}");
    drop(restored);
    let other = machine(PASSPHRASE);
    let told = other.run(&["backup", "restore", &text(&file)]).done().stderr;
    assert!(
        told.contains(&format!(": {} entries and 0 attachment files\n", made["entries"]))
            && told.contains(&format!("those of the backup, and {written} that the restore wrote")),
        "{told}"
    );
}

fn joined(cards: &[&PathBuf]) -> String {
    let all: Vec<String> = cards.iter().map(|card| text(card)).collect();
    all.join(",")
}

/// An empty machine, with a passphrase of its own to give.
fn machine(passphrase: &str) -> Vault {
    let vault = Vault::unmade();
    std::fs::write(vault.around.join("passphrase"), format!("{passphrase}\n")).unwrap();
    vault
}

fn restored(file: &Path) -> (Vault, Value) {
    let vault = machine(PASSPHRASE);
    let reply = vault.json(&["backup", "restore", &text(file)]);
    (vault, reply)
}

fn recover(machine: &Vault, cards: &[&PathBuf], file: &Path) -> Done {
    let (cards, file) = (joined(cards), text(file));
    machine.run(&["recovery", "restore", "--cards", &cards, "--backup", &file, "--json"])
}

/// Nothing is where the vault would be, or beside it.
fn assert_nothing(machine: &Vault) {
    let inside: Vec<_> = std::fs::read_dir(&machine.around)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != "passphrase")
        .collect();
    assert!(inside.is_empty(), "{inside:?}");
}

#[test]
fn a_caseload_comes_back_from_the_passphrase_and_from_each_two_of_three_cards() {
    let vault = Vault::with(&caseload::make(Size::S));
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, "obs: The kettle was on.\n\npriv: I felt hurried.\n");
    let cards = cards(&vault, 2, 3);
    let file = backed_up(&vault, "backup");
    let exported = vault.exported();
    let before = vault.verified();

    let (passphrase, reply) = restored(&file);
    assert_eq!(passphrase.exported(), exported);
    assert_eq!(reply["failures"], json!([]));
    assert_eq!(
        (&reply["recovery_renewed"], &reply["recovery_version"]),
        (&json!(false), &json!(1))
    );
    assert_eq!(reply["retired"].as_array().unwrap().len(), 1);
    let after = passphrase.verified();
    assert!(after["signatures"].as_u64() >= before["signatures"].as_u64());
    // Importing again adds nothing: the index came along.
    let again = passphrase
        .feed(&["import", "-", "--json"], &caseload::make(Size::S))
        .json();
    assert_eq!(again["imported"], 0);

    for pair in [[0, 1], [0, 2], [1, 2]] {
        let machine = machine(NEW);
        let pair: Vec<&PathBuf> = pair.iter().map(|at| &cards[*at]).collect();
        let reply = recover(&machine, &pair, &file).json();
        assert_eq!(
            (&reply["recovery_renewed"], &reply["recovery_version"]),
            (&json!(true), &json!(2))
        );
        assert_eq!(machine.exported(), exported);
        machine.verified();
        // Writing goes on, in shared sections and in the private one, each of which is rotated first.
        machine
            .feed(
                &["note", "amend", &note, "--file", "-"],
                b"obs: The kettle was off.\n\npriv: I felt calm.\n",
            )
            .done();
        machine.add_note(&case, "obs: Another day.\n");
        machine.verified();
        let shown = machine.json(&["note", "show", &note]);
        assert_eq!(shown["segments"][0]["text"], "The kettle was off.");
        machine.close();
    }
    let alone = machine(NEW);
    for card in &cards {
        let error = recover(&alone, &[card], &file).refused(5, "recovery-card");
        assert_eq!(error["check"], "CHK-123");
        assert_nothing(&alone);
    }
    vault.close();
}

#[test]
fn what_was_read_before_a_restore_is_listed_after_it_with_its_device() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, "obs: The walrus rests at noon.\n");
    vault.run(&["note", "show", &note]).done();
    let before = vault.json(&["log", "list"]);
    let old = before["entries"][0]["device"].clone();
    let (copy, _) = restored(&backed_up(&vault, "vault.backup"));

    let log = copy.json(&["log", "list"]);
    let all = log["entries"].as_array().unwrap();
    assert_eq!(log["unreadable"], json!([]));
    assert_eq!(log["total"], json!(all.len()));
    let of = |device: &Value| all.iter().filter(|e| e["device"] == *device).count();
    // The listing itself, the opening of the case and the backup are entries too.
    assert!(of(&old) > before["entries"].as_array().unwrap().len(), "{log}");
    let new = all[0]["device"].clone();
    assert_ne!(new, old, "the newest is the restored device's");
    assert_eq!(of(&old) + of(&new), all.len());
    let times: Vec<_> = all.iter().map(|e| e["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let about = copy.json(&["log", "list", "--case", &case]);
    let opened = about["entries"].as_array().unwrap();
    let opened = opened
        .iter()
        .find(|e| e["records"] == json!([note]))
        .expect("the reading");
    assert_eq!(opened["device"], old);

    // One entry is named by its device and number.
    let (number, device) = (opened["entry"].to_string(), old.as_str().unwrap());
    let shown = copy.json(&["log", "show", &number, "--device", device]);
    assert_eq!(shown["records"], json!([note]));
    let text = copy.run(&["log", "list"]).done().stdout;
    assert!(text.contains("DEVICE") && text.contains(device), "{text}");
    let nobody = copy.run(&["log", "show", "1", "--device", "d-00000000", "--json"]);
    nobody.refused(1, "not-found");
    assert_eq!(copy.json(&["log", "verify"])["streams"], 2);
    // And a breach question is answered out of both.
    let marked = copy.feed(&["note", "misfiled", &note, "--file", "-", "--json"], b"wrong file\n");
    let marked = marked.json();
    let by = marked["opened_by"].as_array().unwrap();
    assert!(
        by.iter().any(|by| by["named"] == true && by["device"] == old),
        "{marked}"
    );
    copy.verified();
}

#[test]
fn an_old_devices_log_that_is_broken_is_named_and_not_left_out() {
    let vault = Vault::made();
    vault.open_case("Elin Farrow");
    vault.run(&["case", "list"]).done();
    let old = vault.json(&["log", "list"])["entries"][0]["device"].clone();
    let (copy, _) = restored(&backed_up(&vault, "vault.backup"));
    let store = rusqlite::Connection::open(copy.store()).unwrap();
    let first = "SELECT min(pos) FROM link WHERE bytes IS NOT NULL AND body IS NOT NULL";
    let sql = format!("UPDATE link SET body = zeroblob(length(body)) WHERE pos = ({first})");
    assert_eq!(store.execute(&sql, ()).unwrap(), 1);
    drop(store);
    let log = copy.json(&["log", "list"]);
    let named = log["unreadable"][0]["handle"].as_str().unwrap_or_default();
    assert!(named.starts_with(old.as_str().unwrap()), "{log}");
    let text = copy.run(&["log", "list"]).done().stdout;
    assert!(
        text.contains(&format!("not readable here: {}", old.as_str().unwrap())),
        "{text}"
    );
    assert_eq!(copy.run(&["log", "verify", "--json"]).code, 4);
}

#[test]
fn attack_37_after_a_recovery_run_the_old_cards_open_nothing_new_and_new_ones_do() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let old = cards(&vault, 2, 3);
    let file = backed_up(&vault, "backup");
    let machine_ = machine(NEW);
    recover(&machine_, &[&old[0], &old[1]], &file).done();
    machine_.add_note(&case, "obs: After the run.\n");
    // The run is signed into the stream, and its first entry in the log says what it was.
    let log = machine_.json(&["log", "list"]);
    let entries = log["entries"].as_array().unwrap();
    assert!(entries.iter().any(|entry| entry["scope"] == "recovery run"), "{log}");
    let status = machine_.json(&["status"]);
    assert!(status["attention"].to_string().contains("recovery split"), "{status}");
    let later = backed_up(&machine_, "later");
    let error = recover(&machine(NEW), &[&old[0], &old[1]], &later).refused(5, "recovery-card");
    assert_eq!(error["check"], "CHK-125");
    let new = cards(&machine_, 2, 2);
    let error = machine_
        .run(&["recovery", "check", "--json", "--cards", &joined(&[&old[0], &old[1]])])
        .refused(5, "recovery-card");
    assert_eq!(error["check"], "CHK-125");
    let third = machine(NEW);
    recover(&third, &[&new[1], &new[0]], &later).done();
    assert_eq!(third.exported(), machine_.exported());
    third.verified();
}

#[test]
fn lost_cards_are_replaced_by_a_new_key_without_restoring() {
    let vault = Vault::made();
    vault.open_case("Elin Farrow");
    let old = cards(&vault, 2, 2);
    let earlier = backed_up(&vault, "earlier");
    let folder = vault.around.join("new cards");
    let out = text(&folder);
    let split = ["recovery", "split", "--new-key", "--threshold", "2", "--shares", "2"];
    let split = [&split[..], &["--out-dir", &out]].concat();
    // Without a word that they are printed nothing is made, and nothing is left.
    vault.run(&[&split[..], &["--json"]].concat()).refused(2, "needs-flag");
    assert!(!folder.exists());
    let reply = vault.json(&[&split[..], &["--yes"]].concat());
    assert_eq!(
        (&reply["version"], &reply["proposal"]["in_force"]),
        (&json!(2), &json!(true)),
        "{reply}"
    );
    let new: Vec<PathBuf> = (1..=2).map(|n| folder.join(format!("card-{n}-of-2.txt"))).collect();
    let check = |cards: &[PathBuf]| {
        let all: Vec<&PathBuf> = cards.iter().collect();
        vault.run(&["recovery", "check", "--json", "--cards", &joined(&all)])
    };
    assert_eq!(check(&new).json()["current"], true);
    assert_eq!(check(&old).refused(5, "recovery-card")["check"], "CHK-125");
    let again = ["recovery", "split", "--out-dir", &out, "--yes", "--json"];
    let refused = vault.run(&again).refused(1, "no-recovery-key");
    assert!(refused["hint"].as_str().unwrap().contains("--new-key"), "{refused}");
    // What is written now opens with the new cards alone; what was backed up before, with the old.
    vault.open_case("Ivo Marsh");
    let later = backed_up(&vault, "later");
    let refused = recover(&machine(NEW), &[&old[0], &old[1]], &later).refused(5, "recovery-card");
    assert_eq!(refused["check"], "CHK-125");
    recover(&machine(NEW), &[&old[0], &old[1]], &earlier).done();
    let third = machine(NEW);
    recover(&third, &[&new[1], &new[0]], &later).done();
    assert_eq!(third.exported(), vault.exported());
    third.verified();
}

#[test]
fn lost_cards_are_replaced_by_a_new_key_on_a_restored_device() {
    let vault = Vault::made();
    vault.open_case("Elin Farrow");
    let old = cards(&vault, 2, 2);
    let file = backed_up(&vault, "backup");
    let other = machine(PASSPHRASE);
    let reply = other.json(&["backup", "restore", &text(&file), "--new-recovery-key"]);
    assert_eq!(
        (&reply["recovery_renewed"], &reply["recovery_version"]),
        (&json!(true), &json!(2))
    );
    let new = cards(&other, 2, 2);
    let later = backed_up(&other, "later");
    let refused = recover(&machine(NEW), &[&old[0], &old[1]], &later).refused(5, "recovery-card");
    assert_eq!(refused["check"], "CHK-125");
    let third = machine(NEW);
    recover(&third, &[&new[0], &new[1]], &later).done();
    assert_eq!(third.exported(), vault.exported());
    third.verified();
}

#[test]
fn the_key_leaves_the_machine_only_once_the_cards_were_proved() {
    let vault = Vault::made();
    let folder = vault.around.join("cards");
    let split = ["recovery", "split", "--out-dir", &text(&folder)];
    vault.run(&[&split[..], &["--json"]].concat()).refused(2, "needs-flag");
    assert!(!folder.exists());
    let status = |vault: &Vault| vault.json(&["status"])["attention"].to_string();
    assert!(status(&vault).contains("the recovery key waits"));
    for wrong in [["--threshold", "1"], ["--threshold", "4"], ["--shares", "17"]] {
        let done = vault.run(&[&split[..], &["--yes", "--json"], &wrong[..]].concat());
        assert_eq!(done.code, 2, "{}", done.stderr);
    }
    // A card that is there already is nobody's to overwrite, and then none is made.
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("card-2-of-3.txt"), "somebody's").unwrap();
    assert_eq!(vault.run(&[&split[..], &["--yes"]].concat()).code, 2);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    assert!(status(&vault).contains("the recovery key waits"));
    std::fs::remove_dir_all(&folder).unwrap();

    let reply = vault.json(&[&split[..], &["--yes"]].concat());
    assert!(!status(&vault).contains("recovery"), "{}", status(&vault));
    let files = reply["files"].as_array().unwrap();
    assert_eq!(files.len(), 6);
    for file in files {
        let path = Path::new(file.as_str().unwrap());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let holds = std::fs::read_to_string(path).unwrap();
        assert!(holds.to_lowercase().contains("wipe"), "{holds}");
    }
    let page = std::fs::read_to_string(folder.join("card-1-of-3.html")).unwrap();
    for word in std::fs::read_to_string(folder.join("card-1-of-3.txt"))
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split(|c: char| !c.is_alphabetic()))
        .filter(|word| !word.is_empty())
    {
        assert!(page.contains(&format!("<td>{word}</td>")), "{word}");
    }
    let again = vault.run(&[
        "recovery",
        "split",
        "--yes",
        "--json",
        "--out-dir",
        &text(&vault.around),
    ]);
    again.refused(1, "no-recovery-key");
    assert!(!reply.to_string().contains("words"));
}

#[test]
fn cards_that_were_begun_and_cut_off_are_told_from_those_in_force() {
    let vault = Vault::made();
    let folder = text(&vault.around.join("cards"));
    let line = format!("recovery split --out-dir {folder}");
    let Some(mut terminal) = casevault_e2e::terminal::on_terminal(&vault, &line) else {
        return;
    };
    terminal.wait_for("Are all of them printed?").wait_for("[yes/no] ");
    let set = |folder: &str| {
        let card = std::fs::read_to_string(Path::new(folder).join("card-1-of-3.txt")).unwrap();
        let set = card.lines().find_map(|line| line.strip_prefix("# Set ")).unwrap();
        set.split(',').next().unwrap().to_owned()
    };
    let begun = set(&folder);
    terminal.keys("\u{3}");
    let (code, screen) = terminal.end();
    assert_eq!(code, 130, "{screen}");
    let screen = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        screen.contains("no cards were made") && screen.contains(&format!("printed of set {begun} gives the key too")),
        "{screen}"
    );
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    // In the same folder: the cards there now are the good ones, and are not to be wiped unprinted.
    vault.run(&["unlock"]).done();
    let told = vault
        .run(&["recovery", "split", "--yes", "--out-dir", &folder])
        .done()
        .stderr;
    let made = set(&folder);
    assert_ne!(made, begun);
    for said in [
        format!("void: the cards of set {begun}, begun "),
        format!("no file of them is left in `{folder}`"),
        format!("in force: the cards of set {made}, made just now"),
        "the agent is ended".to_owned(),
    ] {
        assert!(told.contains(&said), "{said}: {told}");
    }
    assert!(!told.contains("wipe what is left"), "{told}");
    let help = vault.run(&["recovery", "split", "--help"]).done().stdout;
    assert!(help.contains("An agent that holds the vault open is ended"), "{help}");
}

#[test]
fn a_wrong_mistyped_repeated_or_foreign_card_is_named() {
    let vault = Vault::made();
    let cards = cards(&vault, 2, 3);
    let check = |files: &[&PathBuf]| vault.run(&["recovery", "check", "--json", "--cards", &joined(files)]);
    let good = check(&[&cards[2], &cards[0]]).json();
    assert_eq!(
        (&good["current"], &good["enough"], &good["numbers"]),
        (&json!(true), &json!(true), &json!([3, 1]))
    );
    assert_eq!(check(&[&cards[1]]).json()["enough"], false);

    let refused = |files: &[&PathBuf], code: &str, says: &str| {
        let error = check(files).refused(5, "recovery-card");
        assert_eq!(error["check"], code, "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
        assert!(message.contains(&text(files[files.len() - 1])), "{message}");
    };
    refused(&[&cards[0], &cards[0]], "CHK-122", "the same card");
    let typed = |name: &str, edit: &dyn Fn(&mut Vec<String>)| {
        let words = std::fs::read_to_string(&cards[1]).unwrap();
        let kept = words
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect::<Vec<_>>()
            .join(" ");
        let mut words: Vec<String> = kept
            .split(|c: char| !c.is_alphabetic())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        edit(&mut words);
        let path = vault.around.join(name);
        std::fs::write(&path, words.join("\n")).unwrap();
        path
    };
    let bare = typed("bare", &|_| ());
    assert_eq!(check(&[&cards[0], &bare]).json()["enough"], true);
    let unknown = typed("unknown", &|words| words[6] = "xyzzy".to_owned());
    refused(
        &[&cards[0], &unknown],
        "CHK-120",
        "word 7 is not one of the list's words",
    );
    let other = typed("other", &|words| {
        words[22] = if words[22] == "zoo" { "zone" } else { "zoo" }.to_owned()
    });
    refused(&[&cards[0], &other], "CHK-120", "look at word 23");
    let short = typed("short", &|words| words.truncate(39));
    refused(&[&cards[0], &short], "CHK-120", "39 words");

    let foreign = Vault::made();
    let theirs = self::cards(&foreign, 2, 3);
    refused(&[&theirs[0]], "CHK-121", "another agency or set");
    let page = vault.around.join("cards/card-1-of-3.html");
    assert_eq!(check(&[&page]).code, 2);
    // Without a vault to compare with.
    let empty = machine(NEW);
    let known = empty.json(&["recovery", "check", "--cards", &joined(&[&cards[0], &cards[1]])]);
    assert_eq!((&known["current"], &known["set"]), (&Value::Null, &good["set"]));
}

#[test]
fn a_backup_that_is_flipped_cut_spliced_or_longer_restores_nothing() {
    let vault = Vault::made();
    vault.open_case("Elin Farrow");
    let cards = cards(&vault, 2, 2);
    let file = backed_up(&vault, "backup");
    let other = std::fs::read(backed_up(&vault, "other")).unwrap();
    let whole = std::fs::read(&file).unwrap();
    let attempt = |bytes: &[u8], by_cards: bool| {
        let machine = machine(PASSPHRASE);
        let path = vault.around.join("tampered");
        std::fs::write(&path, bytes).unwrap();
        let done = match by_cards {
            true => recover(&machine, &[&cards[0], &cards[1]], &path),
            false => machine.run(&["backup", "restore", &text(&path), "--json"]),
        };
        assert_nothing(&machine);
        assert_eq!(done.stdout, "");
        let error = done.error();
        assert_eq!(error["exit"], done.code, "{error}");
        let check = error["check"].as_str().unwrap_or_default().to_owned();
        (done.code, check)
    };
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let expected = |code: i32, check: &str| (code, check.to_owned());
    let last = whole.len() - 1;
    for by_cards in [false, true] {
        for cut in [last, whole.len() / 2, backup::HEAD_BYTES + 10, 100] {
            assert_eq!(attempt(&whole[..cut], by_cards), expected(4, "CHK-108"), "{cut}");
        }
        for at in [last, whole.len() - 100_000] {
            assert_eq!(attempt(&flipped(at), by_cards), expected(4, "CHK-109"), "{at}");
        }
        assert_eq!(attempt(&[&whole[..], b"x"].concat(), by_cards), expected(4, "CHK-109"));
    }
    // A byte of the salt, and of the sealed seed.
    assert_eq!(attempt(&flipped(120), false), expected(5, "CHK-107"));
    assert_eq!(attempt(&flipped(backup::HEAD_BYTES - 1), false), expected(5, "CHK-107"));
    assert_eq!(attempt(&flipped(backup::HEAD_BYTES - 1), true), expected(4, "CHK-109"));
    let spliced = [&whole[..backup::HEAD_BYTES], &other[backup::HEAD_BYTES..]].concat();
    assert_eq!(attempt(&spliced, false).0, 5);
    assert_eq!(attempt(&spliced, true).0, 4);
    let tail = whole.len().min(other.len()) - 50_000;
    let spliced = [&whole[..tail], &other[tail..]].concat();
    assert_eq!(attempt(&spliced, true).0, 4);
    assert_eq!(attempt(b"SQLite format 3\0", false), expected(4, "CHK-02"));
    let stranger = machine(NEW);
    stranger
        .run(&["backup", "restore", &text(&file), "--json"])
        .refused(5, "backup-locked");
    assert_nothing(&stranger);
    // And the one that nobody touched.
    restored(&file).0.verified();
}

#[test]
fn a_home_that_holds_anything_is_left_alone() {
    let vault = Vault::made();
    let file = text(&backed_up(&vault, "backup"));
    let before = std::fs::read(vault.home.join("keystore")).unwrap();
    let again = vault.run(&["backup", "restore", &file, "--json"]);
    again.refused(1, "already-initialised");
    assert_eq!(std::fs::read(vault.home.join("keystore")).unwrap(), before);
    vault.verified();
    let other = machine(PASSPHRASE);
    std::fs::create_dir(&other.home).unwrap();
    std::fs::write(other.home.join("letter"), "kept").unwrap();
    other
        .run(&["backup", "restore", &file, "--json"])
        .refused(1, "not-empty");
    assert_eq!(std::fs::read_to_string(other.home.join("letter")).unwrap(), "kept");
    std::fs::remove_file(other.home.join("letter")).unwrap();
    other.run(&["backup", "restore", &file]).done();
    assert_eq!(other.home.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    other.verified();
}

#[test]
fn attack_34_a_backup_holds_no_device_key_no_ratchet_and_no_recovery_key() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    vault.run(&["note", "list", &case]).done();
    let passphrase = PASSPHRASE;
    let keystore = std::fs::read(vault.home.join("keystore")).unwrap();
    let (_, secrets) = vault_core::keystore::unlock(&keystore, passphrase).unwrap();
    let bytes = std::fs::read(backed_up(&vault, "backup")).unwrap();
    let head = backup::read_head(&bytes[..backup::HEAD_BYTES]).unwrap();
    let opener = backup::with_passphrase(&head, passphrase).unwrap();
    let (index, mut content) = backup::open(&head, &opener, &bytes[backup::HEAD_BYTES..]).unwrap();
    let mut all = Vec::new();
    content.read_to_end(&mut all).unwrap();
    let names: Vec<_> = index
        .entries
        .iter()
        .map(|e| String::from_utf8(e.name.clone()).unwrap())
        .collect();
    assert_eq!(names, ["secrets", "vault.db"]);
    let recovery = secrets.recovery.as_ref().unwrap();
    let kept_back: [&[u8]; 5] = [
        secrets.device.expose(),
        secrets.seal_secret.expose(),
        recovery.recipient.expose(),
        recovery.signing.expose(),
        recovery.seed.as_ref().unwrap().expose(),
    ];
    for secret in kept_back {
        let hex = data_encoding::HEXLOWER.encode(secret);
        let there = |needle: &[u8]| all.windows(needle.len()).any(|window| window == needle);
        assert!(!there(secret) && !there(hex.as_bytes()));
    }
    // The search finds what is there.
    let identity = data_encoding::HEXLOWER.encode(secrets.identity.expose());
    assert!(all.windows(identity.len()).any(|window| window == identity.as_bytes()));
    let store = all.windows(7).filter(|window| *window == b"ratchet").count();
    assert_eq!(store, 0, "the ratchet's row is in the backup");
    let own = std::fs::read(vault.store()).unwrap();
    assert!(own.windows(7).any(|window| window == b"ratchet"));
}

#[test]
fn what_was_erased_after_the_backup_is_erased_again_before_anything_opens() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let slip = vault.add_note(&case, "obs: This belongs to another person.\n");
    let kept = vault.add_note(&case, "obs: The kettle was on.\n");
    let file = backed_up(&vault, "backup");
    vault.run(&["note", "withdraw", &slip]).done();
    let ledger = vault.around.join("ledger");
    let written = vault.json(&["backup", "ledger", "--out", &text(&ledger)]);
    assert_eq!((&written["erasures"], &written["records"]), (&json!(1), &json!(1)));

    let (without, _) = restored(&file);
    assert_eq!(
        without.json(&["note", "show", &slip])["segments"][0]["text"],
        "This belongs to another person."
    );
    let with = machine(PASSPHRASE);
    let reply = with.json(&["backup", "restore", &text(&file), "--ledger", &text(&ledger)]);
    assert_eq!(reply["erased"], 1);
    with.run(&["note", "show", &slip, "--json"]).refused(1, "withdrawn");
    with.json(&["note", "show", &kept]);
    with.verified();
    // Its own ledger has it too.
    let kept = std::fs::read(&ledger).unwrap();
    with.run(&["backup", "ledger", "--out", &text(&ledger), "--json"])
        .refused(2, "usage");
    assert_eq!(std::fs::read(&ledger).unwrap(), kept, "no file is replaced unasked");
    let again = with.json(&["backup", "ledger", "--out", &text(&ledger), "--force"]);
    assert_eq!(again["erasures"], 1);

    // A ledger of somebody else, or a changed one, restores nothing.
    let mut bytes = std::fs::read(&ledger).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&ledger, &bytes).unwrap();
    let machine = machine(PASSPHRASE);
    let done = machine.run(&["backup", "restore", &text(&file), "--ledger", &text(&ledger), "--json"]);
    assert_eq!(done.refused(4, "refused")["check"], "CHK-126");
    assert_nothing(&machine);
}

#[test]
fn attachments_come_back_too_what_was_erased_of_them_does_not_and_attaching_goes_on() {
    let vault = Vault::made();
    let case = vault.open_case("Elin Farrow");
    let note = vault.add_note(&case, "obs: The kettle was on.\n");
    let slip = vault.add_note(&case, "obs: This belongs to another person.\n");
    let content: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
    for of in [&note, &slip] {
        vault.feed(&["note", "attach", of, "-"], &content).done();
    }
    let cards = cards(&vault, 2, 2);
    let file = backed_up(&vault, "backup");
    vault.run(&["note", "withdraw", &slip]).done();
    let ledger = vault.around.join("ledger");
    vault.json(&["backup", "ledger", "--out", &text(&ledger)]);

    let machine = machine(NEW);
    let (both, file, ledger) = (joined(&[&cards[0], &cards[1]]), text(&file), text(&ledger));
    let restore = [
        "recovery", "restore", "--cards", &both, "--backup", &file, "--ledger", &ledger,
    ];
    machine.run(&restore).done();
    let out = machine.around.join("out");
    machine
        .run(&["note", "attach", &note, "--get", "1", "--out", &text(&out)])
        .done();
    assert_eq!(std::fs::read(&out).unwrap(), content);
    // The sections are rotated before the first record of an attachment, as before any other.
    machine.feed(&["note", "attach", &note, "-"], b"After the run.").done();
    let verified = machine.verified();
    assert_eq!((&verified["attachments"], &verified["removed"]), (&json!(2), &json!(0)));
    assert_eq!(std::fs::read_dir(machine.home.join("attachments")).unwrap().count(), 2);
}

#[test]
fn a_backup_made_while_others_write_is_the_vault_of_one_moment() {
    let lines = caseload::make(Size::Part(4));
    let vault = Vault::with(&caseload::make(Size::Part(1)));
    let mut writer = vault.fed(&["import", "-", "--json"]);
    let mut input = writer.stdin.take().unwrap();
    let feeding = std::thread::spawn(move || {
        use std::io::Write;
        input.write_all(&lines).unwrap();
    });
    let mut files = Vec::new();
    let mut number = 0;
    while writer.try_wait().unwrap().is_none() {
        number += 1;
        files.push(backed_up(&vault, &format!("backup-{number}")));
    }
    feeding.join().unwrap();
    assert!(writer.wait().unwrap().success());
    files.push(backed_up(&vault, "last"));
    for file in [files.first(), files.last()].into_iter().flatten() {
        let (copy, reply) = restored(file);
        assert_eq!(reply["failures"], json!([]));
        copy.verified();
    }
    assert_eq!(restored(&files[files.len() - 1]).0.exported(), vault.exported());
}

/// Starts a command and kills it once `is_due` says so; tells whether it was killed before it ended by itself.
fn killed(vault: &Vault, arguments: &[&str], mut is_due: impl FnMut(u32) -> bool) -> bool {
    let mut child = vault.command(arguments).spawn().unwrap();
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if is_due(child.id()) {
            child.kill().unwrap();
            return child.wait_with_output().unwrap().status.code().is_none();
        }
        std::thread::yield_now();
    }
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |found| found.len())
}

/// The longest file of a folder whose name begins so.
fn longest(folder: &Path, beginning: &str) -> u64 {
    let inside = std::fs::read_dir(folder).unwrap().flatten();
    let named = inside.filter(|entry| entry.file_name().to_string_lossy().starts_with(beginning));
    named.map(|entry| length(&entry.path())).max().unwrap_or(0)
}

/// Bytes that a process has written so far.
fn written(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap_or_default();
    let count = text.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok());
    count.unwrap_or(0)
}

#[test]
fn a_backup_or_a_restore_that_is_killed_leaves_nothing_half() {
    let vault = Vault::with(&caseload::make(Size::S));
    let file = backed_up(&vault, "backup");
    let whole = length(&file);
    let create = ["backup", "create", "--out", &text(&file), "--force"];
    let snapshot = vault.home.join("vault.db-snapshot");
    let mut kills = 0;
    for part in 0..5 {
        let before = std::fs::read(&file).unwrap();
        let is_due = |process| match part {
            0 => snapshot.exists(),
            // What it writes has no name yet; the snapshot is written before it.
            part => written(process) >= whole * (5 + part) / 5,
        };
        kills += u32::from(killed(&vault, &create, is_due));
        // The backup from before is as it was, or, where the kill came after the last step, a whole one is there.
        if std::fs::read(&file).unwrap() != before {
            restored(&file).0.verified();
        }
    }
    assert!(kills >= 2, "only {kills} backups were killed");
    vault.verified();
    vault.run(&create).done();
    assert!(!snapshot.exists(), "the next backup clears up");

    let machine = machine(PASSPHRASE);
    let stage = machine.around.join("home.restoring");
    let restore = ["backup", "restore", &text(&file)];
    let (store, log) = (stage.join("vault.db"), stage.join("vault.db-wal"));
    let mut kills = 0;
    for part in 0..6 {
        let is_due = |_| match part {
            // While it enrols, and verifies.
            5 => length(&log) > 0,
            part => length(&store) >= (whole * part / 5).max(1),
        };
        kills += u32::from(killed(&machine, &restore, is_due));
        // No vault, or, where the kill came after the last step, a whole one.
        if machine.home.exists() {
            machine.verified();
            std::fs::remove_dir_all(&machine.home).unwrap();
        }
    }
    assert!(kills >= 3, "only {kills} restores were killed");
    machine.run(&restore).done();
    assert!(!stage.exists(), "the next restore clears up");
    machine.verified();
    assert_eq!(machine.exported(), vault.exported());
}

#[test]
fn a_full_disk_leaves_no_half_backup_and_no_half_vault() {
    let Some(mount) = Mount::new(64 << 10) else {
        return;
    };
    let vault = Vault::with(&caseload::make(Size::S));
    let file = backed_up(&vault, "backup");
    let here = Vault::unmade_in(mount.path());
    let ballast = mount.fill(1 << 20);
    let out = mount.path().join("out");
    vault
        .run(&["backup", "create", "--out", &text(&out), "--json"])
        .refused(1, "disk-full");
    assert!(!out.exists() && longest(mount.path(), "out") == 0);
    here.run(&["backup", "restore", &text(&file), "--json"])
        .refused(1, "disk-full");
    assert!(!here.home.exists() && !mount.path().join("home.restoring").exists());
    std::fs::remove_file(ballast).unwrap();
    here.run(&["backup", "restore", &text(&file)]).done();
    here.verified();
    // The vault's own disk: the copy of the store does not fit, and the vault is as it was.
    mount.fill(100 << 10);
    here.run(&[
        "backup",
        "create",
        "--out",
        &text(&vault.around.join("never")),
        "--json",
    ])
    .refused(1, "disk-full");
    assert!(!vault.around.join("never").exists() && !here.home.join("vault.db-snapshot").exists());
}
