//! kill -9 at random moments (`docs/faults.md`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use casevault_e2e::faults;
use casevault_e2e::faults::kill;

/// So many in a usual run; `CASEVAULT_KILLS=1000 cargo test -p casevault-e2e --test kills -- --nocapture` kills more.
const USUALLY: usize = 40;

#[test]
fn whenever_a_command_or_its_agent_is_killed_nothing_acknowledged_is_lost_and_nothing_is_there_twice() {
    let count = std::env::var("CASEVAULT_KILLS").map_or(USUALLY, |count| count.parse().unwrap());
    let seed = faults::seed();
    println!("kills: {count}, CASEVAULT_SEED={seed}");
    let kills = kill::run(count, seed);
    for ((whom, name), counts) in &kills.by {
        println!(
            "{:8} {name:28} {:3} killed before it was acknowledged, {:3} after, {:3} had ended; {:3} done again",
            format!("{whom:?}"),
            counts.before,
            counts.after,
            counts.ended,
            counts.undone
        );
    }
    let total = kills.total();
    println!(
        "kills: {}: {} before the acknowledgement, {} after, {} had ended; {} done again",
        total.kills(),
        total.before,
        total.after,
        total.ended,
        total.undone
    );
    for finding in &kills.findings {
        println!("  BROKEN {finding}");
    }
    assert!(kills.findings.is_empty(), "{}", kills.findings.join("\n"));
    assert!(
        total.kills() * 2 > count,
        "only {} of {count} were killed",
        total.kills()
    );
}
