//! A fault at every system call that writes, in every command that writes (`docs/faults.md`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use casevault_e2e::faults;
use casevault_e2e::faults::Drawn;
use casevault_e2e::faults::agent;
use casevault_e2e::faults::agent::Came;
use casevault_e2e::faults::judge::Left;
use casevault_e2e::faults::run;
use casevault_e2e::faults::run::Report;
use casevault_e2e::faults::scenario;
use casevault_e2e::faults::trace;
use clap::CommandFactory;
use std::collections::BTreeSet;

fn leaves(command: &clap::Command, before: &str, out: &mut BTreeSet<String>) {
    for below in command.get_subcommands() {
        let name = format!("{before} {}", below.get_name()).trim().to_owned();
        match below.has_subcommands() {
            true => leaves(below, &name, out),
            false => drop(out.insert(name)),
        }
    }
}

/// A new command does not come in without a word about its faults.
#[test]
fn every_command_is_run_under_faults_or_says_why_it_writes_nothing() {
    let mut there = BTreeSet::new();
    leaves(&vault_cli::cli::Cli::command(), "", &mut there);
    let tested: BTreeSet<String> = scenario::all().iter().map(|s| s.command.to_owned()).collect();
    let without: BTreeSet<String> = scenario::WITHOUT.iter().map(|(name, _)| (*name).to_owned()).collect();
    let both: Vec<_> = tested.intersection(&without).collect();
    assert!(both.is_empty(), "said to write nothing, and tested: {both:?}");
    let said: BTreeSet<String> = tested.union(&without).cloned().collect();
    let new: Vec<_> = there.difference(&said).collect();
    assert!(new.is_empty(), "no scenario in tests/src/faults/scenario.rs: {new:?}");
    let gone: Vec<_> = said.difference(&there).collect();
    assert!(gone.is_empty(), "there is no such command: {gone:?}");
}

/// `CASEVAULT_FAULTS=all` injects all of them; `CASEVAULT_FAULTS_ONLY` takes scenarios whose names begin so.
#[test]
fn whatever_fails_while_a_command_writes_it_is_done_whole_or_not_at_all() {
    if !trace::is_available() {
        return;
    }
    let (limit, seed) = (faults::wanted(), faults::seed());
    let only = std::env::var("CASEVAULT_FAULTS_ONLY").unwrap_or_default();
    println!("faults: {limit:?} of each scenario, CASEVAULT_SEED={seed}");
    let mut drawn = Drawn(seed);
    let mut total = Report::default();
    for scenario in scenario::all().iter().filter(|s| s.name.starts_with(&only)) {
        let began = std::time::Instant::now();
        let report = run::run(scenario, limit, &mut drawn);
        println!(
            "{:28} {:3} calls, {:4} faults {:?}: {} as before and done again, {} done, {} beside, {} broken; {:.1?}",
            scenario.name,
            report.calls,
            report.injected(),
            report.faults,
            report.before,
            report.after,
            report.beside,
            report.findings.len(),
            began.elapsed(),
        );
        for finding in &report.findings {
            println!("  BROKEN {finding}");
        }
        assert!(report.injected() > 0, "{}: nothing was injected", scenario.name);
        total.add(report);
    }
    println!(
        "faults: {} calls, {} injected {:?}: {} as before and done again, {} done, {} beside",
        total.calls,
        total.injected(),
        total.faults,
        total.before,
        total.after,
        total.beside
    );
    assert!(total.findings.is_empty(), "{}", total.findings.join("\n"));
}

/// Injects the faults of a command that `choose` picks, all of them, and expects that some hit and none breaks a rule.
fn all_of(name: &str, choose: impl Fn(&str, trace::Fault) -> bool) {
    if !trace::is_available() {
        return;
    }
    let all = scenario::all();
    let scenario = all.iter().find(|s| s.name == name).unwrap();
    let report = run::with(scenario, |mut every| {
        every.retain(|(call, fault)| choose(&call.name, *fault));
        every
    });
    assert!(report.injected() > 0, "{name}: nothing was injected");
    assert!(report.findings.is_empty(), "{}", report.findings.join("\n"));
}

fn lasts(fault: trace::Fault) -> bool {
    matches!(fault, trace::Fault::FromThenOn(_))
}

#[test]
fn a_commit_whose_sync_failed_is_refused_and_not_found_again_at_the_next_opening() {
    all_of("note amend", |call, fault| call == "fsync" && lasts(fault));
}

#[test]
fn a_passphrase_change_that_the_disk_did_not_confirm_leaves_the_old_passphrase() {
    all_of("passphrase change", |call, fault| {
        call == "fsync" && fault != trace::Fault::Kill
    });
}

#[test]
fn recovery_cards_stay_wherever_the_key_may_have_left_the_keystore() {
    all_of("recovery split", |call, fault| {
        ["rename", "fsync"].contains(&call) && (fault == trace::Fault::Once("EIO") || fault == trace::Fault::Kill)
    });
}

#[test]
fn a_killed_export_leaves_no_part_of_a_case_behind() {
    all_of("export", |call, fault| {
        ["write", "linkat", "rename", "fsync"].contains(&call) && fault == trace::Fault::Kill
    });
}

#[test]
fn a_withdrawal_is_not_refused_for_a_log_that_could_not_be_emptied() {
    all_of("note withdraw", |call, fault| {
        call == "ftruncate" && fault == trace::Fault::Once("EIO")
    });
}

/// A write that finds the disk full gives the reserve up and is tried again.
#[test]
fn on_a_full_disk_the_reserve_lets_the_entry_be_written_and_the_note_be_shown() {
    if !trace::is_available() {
        return;
    }
    let all = scenario::all();
    let scenario = all.iter().find(|s| s.name == "note show").unwrap();
    let ready = run::Ready::make(scenario);
    let copy = ready.desk.copied();
    let (_, calls) = scenario
        .launch(&copy)
        .counted(&trace::log_beside(&copy.vault.around), &copy.vault.home);
    let mut shown = 0;
    for call in calls.iter().filter(|call| call.name == "pwrite64") {
        let copy = ready.desk.copied();
        let log = trace::log_beside(&copy.vault.around);
        let (done, hits) = scenario.launch(&copy).faulted(&log, call, trace::Fault::Once("ENOSPC"));
        if hits.first().is_some_and(|hit| hit.contains("vault.db-wal")) {
            assert_eq!(done.code, 0, "{call:?}: {}", done.stderr);
            assert!(done.stdout.contains("The first note stays."), "{}", done.stdout);
            shown += 1;
        }
    }
    assert!(shown > 3, "only {shown} writes of the entry were failed");
}

/// Commands whose faults in an agent are injected: a write, a write with a file beside the store, one that streams.
const ASKED: [&str; 5] = ["note add", "note attach", "import", "case open", "note jot"];

#[test]
fn whatever_fails_in_an_agent_that_writes_it_is_done_whole_or_not_at_all() {
    if !trace::is_available() {
        return;
    }
    let (limit, seed) = (faults::wanted(), faults::seed());
    println!("agent: {limit:?} of each scenario, CASEVAULT_SEED={seed}");
    let mut drawn = Drawn(seed);
    let mut findings = Vec::new();
    for scenario in scenario::all().iter().filter(|s| ASKED.contains(&s.name)) {
        let ready = run::Ready::of(scenario, |copy| agent::through(scenario, copy));
        let Some(calls) = agent::counted(&ready) else { return };
        let every = calls
            .iter()
            .flat_map(|call| trace::Fault::of(&call.name).iter().map(|fault| (call.clone(), *fault)));
        let every: Vec<_> = every.collect();
        // Half as many: each begins with an unlocking.
        let (mut before, mut after, mut beside) = (0, 0, 0);
        for (call, fault) in run::sample(every, limit.map(|limit| limit.div_ceil(2)), &mut drawn) {
            match agent::faulted(&ready, &call, fault) {
                Came::Beside => beside += 1,
                Came::Left(Left::Before) => before += 1,
                Came::Left(Left::After) => after += 1,
                Came::Broken(why) => findings.push(why),
            }
        }
        println!(
            "agent, {:20} {:3} calls: {before} as before and done again, {after} done, {beside} beside",
            scenario.name,
            calls.len()
        );
        assert!(before + after > 0, "{}: nothing was injected", scenario.name);
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
