//! A server between devices: what is sent, what a further device fetches and verifies, a round with nothing new, and the log.

use super::{Outcome, Page, median, ms, per_second, verdict};
use casevault_e2e::caseload;
use casevault_e2e::caseload::Size;
use casevault_e2e::server::Server;
use casevault_e2e::vault::Vault;
use std::time::{Duration, Instant};

/// Cases whose notes make about 250,000 leaves.
const MANY_CASES: u32 = 650;

/// Measures on `lines`, and on the first 10,000 notes of them.
pub fn syncing(page: &mut Page, lines: &str) -> Outcome<()> {
    let few = first_notes(lines, 10_000);
    fetching(page, &few, "10,000 notes", Duration::from_millis(1550))?;
    fetching(page, lines, "all of size m", Duration::from_secs(5))?;
    let many = String::from_utf8(caseload::make(Size::Part(MANY_CASES)))?;
    verifying(page, &many)
}

/// Sends a caseload from one device and fetches it on another; then a round of each with nothing new.
fn fetching(page: &mut Page, lines: &str, what: &str, most: Duration) -> Outcome<()> {
    let one = Vault::with(lines.as_bytes());
    let server = Server::start(&one.around.join("server"));
    one.run(&["unlock"]).done();
    // It sends what there is.
    let sent = took(&one, &["server", "add", &server.url])?;
    let notes = lines.lines().filter(|line| is_note(line)).count();
    page.row(
        &format!("`server add`, which sends {what}, durable at the server"),
        &format!("{} ({:.0} notes/s)", ms(sent), per_second(notes, sent)),
        "",
        "",
    );
    let two = one.further("sheet");
    // With the passphrase (Argon2id, 64 MiB): an agent is for those who are enrolled.
    let fetched = took(&two, &["sync"])?;
    two.run(&["unlock"]).done();
    page.row(
        &format!("`sync` on a fresh device: {what} fetched and verified"),
        &ms(fetched),
        &format!("at most {}", ms(most)),
        verdict(fetched <= most),
    );
    let usable = took(&two, &["case", "list"])?;
    page.row("… and the first `case list` after it", &ms(usable), "", "");
    let again = median(21, || took(&two, &["sync"]))?;
    page.row(
        "… `sync` with nothing new, an agent unlocked",
        &ms(again),
        "at most 20 ms",
        verdict(again <= Duration::from_millis(20)),
    );
    for vault in [&one, &two] {
        vault.run(&["lock"]).done();
    }
    Ok(())
}

/// Verifies the log of a large caseload, beside the signatures of it.
fn verifying(page: &mut Page, lines: &str) -> Outcome<()> {
    let one = Vault::with(lines.as_bytes());
    let server = Server::start(&one.around.join("server"));
    one.run(&["unlock"]).done();
    one.json(&["server", "add", &server.url]);
    one.json(&["sync"]);
    let log = one.json(&["log", "verify"]);
    let leaves = log["server"]["leaves"].as_u64().unwrap_or_default();
    let verified = median(3, || took(&one, &["log", "verify"]))?;
    page.row(
        &format!("`log verify` of {leaves} leaves, its signatures among it"),
        &ms(verified),
        "",
        "",
    );
    one.run(&["lock"]).done();
    Ok(())
}

fn took(vault: &Vault, arguments: &[&str]) -> Outcome<Duration> {
    let start = Instant::now();
    let done = vault.run(arguments);
    let took = start.elapsed();
    match done.code {
        0 => Ok(took),
        _ => Err(format!("{arguments:?}: {}", done.stderr).into()),
    }
}

fn is_note(line: &str) -> bool {
    line.contains("\"type\": \"note\"")
}

/// The lines of a caseload up to a number of notes, and whatever else is in it.
fn first_notes(lines: &str, most: usize) -> String {
    let mut notes = 0;
    let kept = lines.lines().filter(|line| {
        notes += usize::from(is_note(line));
        !is_note(line) || notes <= most
    });
    kept.flat_map(|line| [line, "\n"]).collect()
}
