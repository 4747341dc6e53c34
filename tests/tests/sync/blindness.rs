//! A server sees nothing: 500 planted markers, and all that was typed beside them, looked for in every byte that it was sent,
//! holds, says and keeps in memory.

use std::fs;

use casevault_e2e::agent::each_memory;
use casevault_e2e::caseload::{self, Size};
use casevault_e2e::leak::Words;
use casevault_e2e::relay::Relay;
use casevault_e2e::vault::{PASSPHRASE, Vault};

use crate::{data, kept};

const MARKERS: usize = 500;

/// What is typed, beside what is imported.
const TYPED: [&str; 8] = [
    "Hillside Family Support",
    "Ann Worker",
    "Quentin Marrowby",
    "Xanthippe Quillfeather",
    "The parrot recites tax law.",
    "wanderlust in the corridor",
    "Supervision asked for the whole file.",
    "Moved to the seaside for good.",
];

/// How many bytes of what was sent are looked for where the server keeps it: it is there, and the search finds it.
const PIECE: usize = 32;

#[test]
pub(crate) fn attack_24_nothing_that_a_server_is_sent_holds_says_or_remembers_shows_a_word() {
    let load = caseload::planted(Size::S, MARKERS);
    assert_eq!(load.markers.len(), MARKERS);
    let digits = load.markers.iter().filter_map(|marker| marker.strip_prefix("CANARY-"));
    let markers = load.markers.iter().map(String::as_str);
    let typed = TYPED
        .into_iter()
        .chain([PASSPHRASE, "CANARY-", "Quillfeather", "Marrowby"]);
    let words = Words::new(markers.chain(digits).chain(typed));
    assert!(words.in_bytes(&load.text).len() >= 2 * MARKERS);

    let one = Vault::with(&load.text);
    let server = kept::start(&data(&one));
    let relay = Relay::to(&server.address());
    one.json(&["server", "add", &relay.url]);
    let two = one.further("two.sheet");
    two.json(&["sync"]);
    let sheet = one.around.join("member.sheet").to_str().unwrap().to_owned();
    let [_, _, name, client, text, term, reason, outcome] = TYPED;
    let member = one
        .run(&[
            "member",
            "invite",
            "--name",
            name,
            "--role",
            "caseworker",
            "--out",
            &sheet,
        ])
        .handle();
    let colleague = Vault::unmade();
    let code = colleague.asks_to_join("member", &sheet);
    one.run(&["member", "approve", &member, "--code", &code]).done();
    colleague.json(&["sync"]);

    // A day's work on each, and every kind of thing that is written.
    for vault in [&two, &colleague] {
        let case = vault.open_case(client);
        let note = vault.add_note(&case, &format!("obs: {text}\n\nsaid client: \"{term}\"\n"));
        let amend = ["note", "amend", &note, "--file", "-"];
        vault.feed(&amend, format!("obs: {text} Twice.\n").as_bytes()).done();
        vault.feed(&["note", "find", "--file", "-"], term.as_bytes()).done();
        let why = ["note", "show", &note, "--purpose", "oversight", "--reason-file", "-"];
        vault.feed(&why, reason.as_bytes()).done();
        let file = vault.around.join("Xanthippe Quillfeather.txt");
        fs::write(&file, text).unwrap();
        vault.run(&["note", "attach", &note, file.to_str().unwrap()]).done();
        vault.json(&["sync"]);
        vault
            .feed(&["case", "close", &case, "--file", "-"], outcome.as_bytes())
            .done();
    }
    for vault in [&two, &colleague, &one, &two] {
        vault.json(&["sync"]);
        vault.json(&["log", "verify"]);
    }
    let exported = two.run(&["export", "--format", "jsonl"]).done().stdout;
    assert!(load.markers.iter().all(|marker| exported.contains(marker)));

    // What it tells whoever asks, and what it makes of a question that is none.
    for path in ["metrics", "healthz", "v1/openapi.json", "no/such/path"] {
        let answer = ureq::get(&format!("{}/{path}", relay.url)).call();
        assert!(answer.is_ok() || path.starts_with("no"), "{path}: {answer:?}");
    }
    let sent = relay.passed();
    assert!(sent.windows(15).any(|window| window == b"POST /v1/append"));
    let pieces: Vec<Vec<u8>> = sent
        .chunks(4096)
        .filter_map(|part| part.get(..PIECE))
        .map(<[u8]>::to_vec)
        .collect();
    let pieces = aho_corasick::AhoCorasick::new(pieces).unwrap();
    assert_eq!(words.in_bytes(&sent), [], "sent");
    let mut remembered = false;
    each_memory(server.process(), |bytes| {
        remembered |= pieces.is_match(bytes);
        assert_eq!(words.in_bytes(bytes), [], "in memory");
    });
    assert!(remembered, "the memory that was searched is not the server's");
    let log = fs::read(server.log()).unwrap();
    assert!(!log.is_empty(), "the server says what it does");
    assert_eq!(words.in_bytes(&log), [], "said");

    // While it runs, with its write-ahead log; and when it is gone.
    let places = kept::places(&server.data);
    let none_in = |when: &str| {
        let mut found_sent = false;
        for place in &places {
            assert_eq!(words.in_folder(place), [], "{when}");
            found_sent |= casevault_e2e::leak::files(place).iter().any(|file| {
                let bytes = fs::read(file).unwrap_or_default();
                pieces.is_match(&bytes)
            });
        }
        assert!(
            found_sent,
            "{when}: what was searched is not where the server keeps what it is sent"
        );
    };
    none_in("while it runs");
    server.kill();
    none_in("after it was killed");
}

#[test]
fn a_word_that_passes_is_found_in_what_the_relay_keeps() {
    let vault = Vault::made();
    let server = kept::start(&data(&vault));
    let relay = Relay::to(&server.address());
    let word = "CANARY-0f1e2d3c4b5a";
    let words = Words::new([word]);
    assert_eq!(words.in_bytes(&relay.passed()), []);
    let answer = ureq::get(&format!("{}/{word}", relay.url)).call();
    assert!(answer.is_err(), "{answer:?}");
    assert!(!words.in_bytes(&relay.passed()).is_empty());
}
