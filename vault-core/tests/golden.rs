//! The golden vectors of format 1, `tests/vectors/v1.json`: computed again from their inputs, and compared.
//!
//! The file is frozen: a difference means that the format changed, and the format does not change. A reader in another
//! language is tested against the same file, so each vector carries its inputs. To write it anew, after a new vector was
//! added, set `CASEVAULT_WRITE_VECTORS=1`; what changed is then told on stderr.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod golden_parts;

use golden_parts::attachment;
use golden_parts::enrolment;
use golden_parts::links;
use golden_parts::log;
use golden_parts::malformed;
use golden_parts::primitives;
use golden_parts::recovery;
use golden_parts::sealed;
use golden_parts::server;
use serde_json::Value;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/v1.json")
}

fn vectors() -> Value {
    json!({
        "schema": "casevault.vectors/1",
        "about": "Golden vectors of the CaseVault formats, version 1. Section numbers are those of docs/format.md. \
                  Bytes are lower-case hex; `text` is UTF-8. Every output follows from the inputs beside it.",
        "labels": primitives::labels(),
        "ids": primitives::ids(),
        "padding": primitives::padding(),
        "recipient": primitives::recipient(),
        "signing": primitives::signing(),
        "record": sealed::record(),
        "wrap": sealed::wrap(),
        "release_commitment": sealed::release_commitment(),
        "keyring": sealed::keyring(),
        "access": sealed::access(),
        "keystore": sealed::keystore(),
        "local": sealed::local(),
        "attachment": attachment::attachment(),
        "root": links::root(),
        "agency_links": links::agency(),
        "case_links": links::case(),
        "access_links": links::access(),
        "recovery_cards": recovery::cards_told(),
        "backup": recovery::backup(),
        "restoring": recovery::restoring(),
        "ledger": recovery::ledger(),
        "log": log::log(),
        "server": server::server(),
        "enrolment": enrolment::enrolment(),
        "malformed": malformed::all(),
    })
}

/// Names every place where two values differ.
fn differences(at: &str, old: &Value, new: &Value, out: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))) {
                let (old, new) = (a.get(key), b.get(key));
                differences(
                    &format!("{at}/{key}"),
                    old.unwrap_or(&Value::Null),
                    new.unwrap_or(&Value::Null),
                    out,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for index in 0..a.len().max(b.len()) {
                let (old, new) = (a.get(index), b.get(index));
                differences(
                    &format!("{at}/{index}"),
                    old.unwrap_or(&Value::Null),
                    new.unwrap_or(&Value::Null),
                    out,
                );
            }
        }
        _ if old != new => out.push(at.to_owned()),
        _ => (),
    }
}

#[test]
fn every_golden_vector_is_computed_again() {
    let computed = vectors();
    let old: Value = std::fs::read(path())
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or(Value::Null);
    let mut changed = Vec::new();
    differences("", &old, &computed, &mut changed);
    if std::env::var_os("CASEVAULT_WRITE_VECTORS").is_some() {
        for place in &changed {
            writeln!(std::io::stderr(), "vector changed: {place}").unwrap();
        }
        let text = serde_json::to_string_pretty(&computed).unwrap() + "\n";
        std::fs::write(path(), text).unwrap();
        return;
    }
    assert!(changed.is_empty(), "the format changed at {changed:?}");
}

#[test]
fn every_malformed_vector_is_refused_by_the_check_that_it_names() {
    let file: Value = serde_json::from_slice(&std::fs::read(path()).unwrap()).unwrap();
    let listed = file["malformed"].as_array().unwrap();
    assert!(listed.len() > 40);
    for vector in listed {
        let check = malformed::refused_by(vector).map(|check| check.to_string());
        assert_eq!(check.as_deref(), vector["check"].as_str(), "{}", vector["name"]);
    }
}

#[test]
fn what_the_malformed_vectors_were_made_of_is_accepted() {
    let file: Value = serde_json::from_slice(&std::fs::read(path()).unwrap()).unwrap();
    for vector in malformed::honest() {
        assert_eq!(malformed::refused_by(&vector), None, "{}", vector["structure"]);
    }
    assert_eq!(file["schema"], "casevault.vectors/1");
}
