//! Makes the fixture of a store version with the `casevault` of today: `make_store_fixture FOLDER`.
//!
//! Run once for each store or format version that is released, never for one that is there: what was written once must
//! open for good, and a fixture made anew proves nothing. It refuses a folder that exists.

use casevault_e2e::vault::PASSPHRASE;
use casevault_e2e::vault::Vault;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: make_store_fixture FOLDER");
        return ExitCode::from(2);
    };
    match make(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", Path::new(&folder).display());
            ExitCode::FAILURE
        }
    }
}

fn make(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir(folder)?;
    let vault = Vault::with(INPUT.as_bytes());
    let case = vault.open_case("Una Kestle");
    let arguments = [
        "note",
        "add",
        &case,
        "--kind",
        "home-visit",
        "--at",
        "2026-03-12 14:00",
        "--for",
        "50m",
    ];
    let add = |text: &str| {
        vault
            .feed(&[&arguments[..], &["--file", "-"]].concat(), text.as_bytes())
            .handle()
    };
    let note = add(
        "obs: The flat was cold. {label health} {about mother}\n\nsaid client: \"I managed on my own.\" {significant}\n\n\
         int: Pride may keep her from asking.\n  cites: 1 2\n\ndec: Ask for a repair.\n  why: It is December.\n\n\
         priv: I felt hurried.\n",
    );
    vault
        .feed(
            &["note", "amend", &note, "--file", "-"],
            b"obs: The flat was warm again.\n\npriv: I felt hurried.\n",
        )
        .done();
    let slip = add("This belongs to another person.\n");
    vault.run(&["note", "withdraw", &slip]).done();
    vault.run(&["note", "list", &case]).done();
    vault.feed(&["note", "find", "--file", "-"], b"rail").done();
    let closed = vault.json(&["case", "list"])["cases"][1]["case"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    vault
        .feed(&["case", "close", &closed, "--file", "-"], b"Moved to the seaside.\n")
        .done();
    vault.verified();
    let export = vault.run(&["export", "--format", "jsonl"]).done().stdout;
    std::fs::write(folder.join("input.jsonl"), INPUT)?;
    std::fs::write(folder.join("export.jsonl"), export)?;
    std::fs::write(folder.join("passphrase"), format!("{PASSPHRASE}\n"))?;
    for name in ["keystore", "vault.db"] {
        std::fs::copy(vault.home.join(name), folder.join(name))?;
    }
    Ok(())
}

/// Fictional people.
const INPUT: &str = r#"{"type":"worker","worker":"w001","role":"caseworker"}
{"type":"worker","worker":"w002","role":"supervisor","team":"north"}
{"type":"case","case":"ext-00001","worker":"w001","opened":"2024-01-08","template":"adult-social-care","profile":{"name":"Ines Lorne","date_of_birth":"1941-03","date_of_birth_estimated":true,"gender":"female","language":"Polish","identifiers":{"client_no":"0000001"}}}
{"type":"note","case":"ext-00001","note":"ext-00001-0001","author":"w001","kind":"home-visit","section":"core","occurred_at":"2024-02-01T10:00:00Z","recorded_at":"2024-02-01T12:10:00Z","segments":[{"kind":"observation","text":"The stairs have no rail."},{"kind":"quote","speaker":"client","text":"I hold on to the wall."},{"kind":"interpretation","cites":[1,2],"text":"A fall is likely."},{"kind":"decision","text":"Ask for a rail.","why":"She wants to stay upstairs."},{"kind":"plan","text":"Ring the housing office.","owner":"w001","due":"2024-02-09"}]}
{"type":"note","case":"ext-00001","note":"ext-00001-0002","author":"w002","kind":"phone","section":"housing","occurred_at":"2024-02-08T15:30:00Z","recorded_at":"2024-02-12T09:00:00Z","segments":[{"kind":"reported","from":"housing office","text":"The rail is ordered."},{"kind":"observation","text":"Her mother, too, is unsteady.","about":"mother","labels":["health"]}]}
{"type":"note","case":"ext-00001","note":"ext-00001-0003","author":"w001","kind":"office","section":"health","occurred_at":"2024-03-01T09:00:00Z","recorded_at":"2024-03-01T09:20:00Z","segments":[{"kind":"observation","text":"Walks without a stick."},{"kind":"reflection","text":"I am glad."}]}
{"type":"case","case":"ext-00002","worker":"w002","opened":"2025-06-30","template":"child-and-family","profile":{"name":"Orla Jarrold","date_of_birth":"2019-11-02"}}
{"type":"note","case":"ext-00002","note":"ext-00002-0001","author":"w002","kind":"meeting","section":"safeguarding","occurred_at":"2025-07-02T10:00:00+02:00","recorded_at":"2025-07-02T11:00:00+02:00","segments":[{"kind":"narrative","text":"Naïve café, 東京, a\ttab and a \"quotation\"."}]}
"#;
