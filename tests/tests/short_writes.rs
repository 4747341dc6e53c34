//! Writes that the system takes half of, alone and on a disk that is full in the middle of one (`docs/faults.md`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use casevault_e2e::faults;
use casevault_e2e::faults::Drawn;
use casevault_e2e::faults::judge::Left;
use casevault_e2e::faults::judge::Outcome;
use casevault_e2e::faults::run;
use casevault_e2e::faults::run::Ready;
use casevault_e2e::faults::scenario;
use casevault_e2e::faults::shim;
use casevault_e2e::faults::trace::Fault;
use std::path::Path;

/// What writes in each of the ways that there are: rows, attachments, a keystore, a file for the worker.
const WRITERS: [&str; 5] = ["note add", "note attach", "passphrase change", "export", "import"];

fn cut(ready: &Ready<'_>, library: &Path, nth: u64, then_full: bool) -> Result<Left, String> {
    let copy = ready.desk.copied();
    let (folder, nth) = (copy.vault.around.to_string_lossy().into_owned(), nth.to_string());
    let set = [
        ("SHIM_FOLDER", folder.as_str()),
        ("SHIM_SHORT", nth.as_str()),
        ("SHIM_THEN_FULL", if then_full { "1" } else { "0" }),
    ];
    let done = ready.scenario.launch(&copy).behind(library, &set).run();
    let outcome = Outcome {
        done,
        fault: Fault::Once("ENOSPC"),
        hit: String::new(),
    };
    if !then_full && outcome.done.code != 0 {
        return Err(format!("half a write stops it: {}", outcome.done.stderr));
    }
    ready.judge(&copy, &outcome)
}

#[test]
fn a_write_that_the_system_takes_half_of_is_gone_on_with_and_a_disk_full_in_its_middle_leaves_nothing_half() {
    let Some(library) = shim::library() else { return };
    let (limit, seed) = (faults::wanted(), faults::seed());
    println!("short writes: {limit:?} of each scenario, CASEVAULT_SEED={seed}");
    let mut drawn = Drawn(seed);
    let mut broken = Vec::new();
    for scenario in scenario::all().iter().filter(|s| WRITERS.contains(&s.name)) {
        let ready = Ready::make(scenario);
        let copy = ready.desk.copied();
        let count = copy.vault.around.with_extension("count");
        let set = [
            ("SHIM_FOLDER", &*copy.vault.around.to_string_lossy()),
            ("SHIM_COUNT", &*count.to_string_lossy()),
        ];
        let done = scenario.launch(&copy).behind(library, &set).run();
        assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
        let calls: u64 = std::fs::read_to_string(&count).unwrap().trim().parse().unwrap();
        std::fs::remove_file(&count).unwrap();
        assert!(calls > 0, "{}: {calls} writes", scenario.name);
        // Each of them at once is number nought.
        let every: Vec<(u64, bool)> = (0..=calls)
            .flat_map(|nth| [(nth, false), (nth, true)])
            .filter(|one| *one != (0, true))
            .collect();
        let (mut before, mut after) = (0, 0);
        for (nth, then_full) in run::sample(every, limit.map(|limit| limit / 2), &mut drawn) {
            match cut(&ready, library, nth, then_full) {
                Ok(Left::Before) => before += 1,
                Ok(Left::After) => after += 1,
                Err(why) => broken.push(format!("{}: {nth} of {calls}, full {then_full}: {why}", scenario.name)),
            }
        }
        println!("{:20} {calls} writes: {before} as before, {after} done", scenario.name);
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
