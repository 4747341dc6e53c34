//! No check without a test: the names are looked up in the source tree.

use crate::check::Check;
use std::collections::BTreeSet;
use std::path::Path;

/// Checks that only a whole vault makes, and that have no test of their name yet: its index, its payloads.
const ELSEWHERE: [u8; 2] = [104, 106];

/// Collects the numbers of all `fn chk_NN_…` and `fn chk_NN_NN_…` in Rust files under `folder`.
fn tested(folder: &Path, numbers: &mut BTreeSet<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tested(&path, numbers);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for part in text.split("fn chk_").skip(1) {
                numbers.extend(part.split('_').map_while(|word| word.parse::<u8>().ok()));
            }
        }
    }
}

#[test]
fn every_check_has_a_test_of_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut numbers = BTreeSet::new();
    for folder in ["vault-core/src", "vault-core/tests", "vault-cli/src"] {
        tested(&root.join(folder), &mut numbers);
    }
    numbers.extend(ELSEWHERE);
    let untested = |check: &&Check| !numbers.contains(&check.number());
    let missing: Vec<_> = Check::ALL.iter().filter(untested).map(Check::to_string).collect();
    assert!(missing.is_empty(), "no test is named after {missing:?}");
}

#[test]
fn no_crate_but_a_test_takes_the_forging_kit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for package in ["vault-core", "vault-cli", "vault-server", "policies", "tests"] {
        let manifest = std::fs::read_to_string(root.join(package).join("Cargo.toml")).unwrap();
        let normal = manifest
            .split("\n[")
            .filter(|table| table.starts_with("dependencies") || table.starts_with("target"));
        for table in normal {
            assert!(!table.contains("forge"), "{package} has the kit outside its tests");
        }
        assert!(
            !manifest.contains("default = [\"forge\""),
            "{package} has the kit by default"
        );
    }
    let workspace = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(
        !workspace.contains("forge"),
        "the workspace's dependencies have the kit"
    );
}
