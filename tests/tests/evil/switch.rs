//! The switch that takes a guard out is in no program but `casevault-broken`, and that one is never whole.

use casevault_e2e::binary;
use casevault_e2e::vault::Vault;
use std::path::Path;
use std::process::Command;

const WORDS: [&str; 3] = ["CASEVAULT_BROKEN", "OutcomeForEach", "AnswerLength"];

fn has(program: &Path, word: &str) -> bool {
    let bytes = std::fs::read(program).unwrap();
    aho_corasick::AhoCorasick::new([word]).unwrap().is_match(&bytes)
}

#[test]
fn the_ordinary_client_and_server_have_no_switch() {
    for word in WORDS {
        assert!(has(binary::casevault_broken(), word), "{word} is what is looked for");
        assert!(!has(binary::casevault(), word), "{word} is in casevault");
        assert!(!has(binary::casevault_server(), word), "{word} is in casevault-server");
    }
}

#[test]
fn the_ordinary_client_does_not_read_the_switch() {
    let vault = Vault::made();
    let before = vault.verified();
    // A row that verification refuses by CHK-15, with the check out or in.
    let mut command = vault.command(&["verify", "--json"]);
    command.env("CASEVAULT_BROKEN", "CHK-45");
    assert!(command.output().unwrap().status.success());
    let store = rusqlite::Connection::open(vault.store()).unwrap();
    let changed = store.execute(
        "UPDATE link SET signature = zeroblob(64) WHERE pos = (SELECT max(pos) FROM link)",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    drop(store);
    for check in ["CHK-45", "CHK-100", "CHK-101"] {
        let mut command = vault.command(&["verify", "--json"]);
        command.env("CASEVAULT_BROKEN", check);
        assert_eq!(command.output().unwrap().status.code(), Some(4), "{check}");
    }
    assert!(before["entries"].as_u64().unwrap() > 0);
}

#[test]
fn a_broken_client_says_what_is_out_or_does_nothing() {
    for word in ["", "CHK-999", "answer-length"] {
        let done = Command::new(binary::casevault_broken())
            .arg("--version")
            .env("CASEVAULT_BROKEN", word)
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(2), "{word}");
        assert!(String::from_utf8_lossy(&done.stderr).contains("names no check and no guard"));
    }
}

/// Under `--release` the crate that holds the switch is refused by the compiler.
#[test]
fn no_release_build_takes_the_switch() {
    let target = tempfile::tempdir().unwrap();
    let forge = binary::root().join("vault-core/src/forge.rs");
    // The line alone, as the compiler of a release reads it: without debug assertions, under the feature.
    let source = std::fs::read_to_string(forge).unwrap();
    let refusal = source
        .split("#[cfg(all(feature = \"forge\", not(debug_assertions)))]")
        .nth(1)
        .unwrap();
    let refusal = refusal.split(";\n").next().unwrap();
    let path = target.path().join("refusal.rs");
    let text = format!("#![crate_type = \"lib\"]\n#[cfg(all(feature = \"forge\", not(debug_assertions)))]{refusal};\n");
    std::fs::write(&path, text).unwrap();
    let compiles = |arguments: &[&str]| {
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc
            .args(["--emit=metadata", "--cfg", "feature=\"forge\""])
            .args(arguments);
        rustc.arg(&path).arg("--out-dir").arg(target.path());
        rustc.output().unwrap().status.success()
    };
    assert!(compiles(&["-Cdebug-assertions=yes"]));
    assert!(!compiles(&["-Cdebug-assertions=no"]));
}
