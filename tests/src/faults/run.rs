//! Running a scenario with a fault at each of its calls.

use super::Drawn;
use super::judge::Left;
use super::judge::Outcome;
use super::judge::Reference;
use super::judge::judge;
use super::judge::judge_again;
use super::scenario::Desk;
use super::scenario::Scenario;
use super::scenario::Start;
use super::state::Keys;
use super::state::State;
use super::trace::Call;
use super::trace::Fault;
use super::trace::log_beside;
use crate::vault::Done;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

/// A scenario made ready: its base, and what it does where nothing fails.
pub struct Ready<'s> {
    /// The scenario.
    pub scenario: &'s Scenario,
    /// The base.
    pub desk: Desk,
    /// What opens its copies.
    pub keys: Keys,
    /// What it does where nothing fails.
    pub reference: Reference,
    /// How it ended there.
    pub done: Done,
    known: BTreeSet<String>,
    judged: AtomicUsize,
}

impl<'s> Ready<'s> {
    /// Makes a base and runs the command on a copy.
    ///
    /// # Panics
    /// Where it fails though nothing fails it.
    pub fn make(scenario: &'s Scenario) -> Self {
        Self::of(scenario, |desk| scenario.launch(desk).run())
    }

    /// As [`Self::make`], with another way to run the command.
    ///
    /// # Panics
    /// As that.
    pub fn of(scenario: &'s Scenario, run: impl FnOnce(&Desk) -> Done) -> Self {
        let desk = Desk::make(scenario.start);
        let keys = desk.keys();
        let untouched = desk.copied();
        let before = read(&untouched, &keys).unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
        let known = before.ids();
        let copy = desk.copied();
        let done = run(&copy);
        assert_eq!(done.code, 0, "{}: {}{}", scenario.name, done.stdout, done.stderr);
        let after = read(&copy, &keys).unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
        let reference = Reference {
            before: before.as_seen_from(&known),
            after: after.as_seen_from(&known),
            keeps_draft: scenario.on_terminal,
        };
        Self {
            scenario,
            desk,
            keys,
            reference,
            done,
            known,
            judged: AtomicUsize::new(0),
        }
    }

    /// Reads a copy, as seen from the base.
    ///
    /// # Errors
    /// What does not hold.
    pub fn read(&self, copy: &Desk) -> Result<State, String> {
        read(copy, &self.keys).map(|state| state.as_seen_from(&self.known))
    }

    /// Judges a copy on which the command met a fault, and runs it again where it was not done.
    ///
    /// # Errors
    /// The rule that was broken, and how.
    pub fn judge(&self, copy: &Desk, outcome: &Outcome) -> Result<Left, String> {
        let found = self.read(copy);
        let left = judge(&self.reference, found.as_ref(), outcome)?;
        // A run costs a passphrase: where nothing lies about that was not there before, every fourth.
        let is_clean = found.is_ok_and(|found| found.left.is_empty() && found.body.get("vault").is_none());
        let turn = self.judged.fetch_add(1, Ordering::Relaxed);
        if left == Left::Before && (!is_clean || turn.is_multiple_of(4)) {
            // What the refusal of a second run says: cards of one that was cut off are to be wiped.
            let _ = std::fs::remove_dir_all(copy.out().join("cards"));
            let again = self.scenario.launch(copy).run();
            judge_again(&self.reference, self.read(copy).as_ref(), &again)?;
        }
        Ok(left)
    }
}

fn read(copy: &Desk, keys: &Keys) -> Result<State, String> {
    State::read(&copy.vault.home, &copy.out(), keys)
}

/// What was injected, and what came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Calls that write, of which faults were drawn.
    pub calls: usize,
    /// Faults that hit a call below the vault's folder, by kind.
    pub faults: BTreeMap<String, usize>,
    /// Of them, those after which the command was not done, and was done when run again.
    pub before: usize,
    /// Those after which it was done.
    pub after: usize,
    /// Those that hit nothing, because threads took turns otherwise, or a call elsewhere.
    pub beside: usize,
    /// Broken rules.
    pub findings: Vec<String>,
}

impl Report {
    /// Adds another's counts.
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.before += other.before;
        self.after += other.after;
        self.beside += other.beside;
        for (fault, count) in other.faults {
            *self.faults.entry(fault).or_default() += count;
        }
        self.findings.extend(other.findings);
    }

    /// How many faults were injected.
    pub fn injected(&self) -> usize {
        self.faults.values().sum()
    }
}

/// Runs a scenario with faults: all of them, or `limit` that are drawn evenly.
pub fn run(scenario: &Scenario, limit: Option<usize>, drawn: &mut Drawn) -> Report {
    with(scenario, |every| sample(every, limit, drawn))
}

/// Runs a scenario with the faults that are chosen.
///
/// # Panics
/// Where it fails though nothing fails it.
pub fn with(scenario: &Scenario, choose: impl FnOnce(Vec<(Call, Fault)>) -> Vec<(Call, Fault)>) -> Report {
    let ready = Ready::make(scenario);
    let copy = ready.desk.copied();
    let around = copy.vault.around.clone();
    let (done, calls) = scenario.launch(&copy).counted(&log_beside(&around), &around);
    assert_eq!(done.code, 0, "{}: {}{}", scenario.name, done.stdout, done.stderr);
    assert!(!calls.is_empty(), "{}: no call writes", scenario.name);
    let mut report = Report {
        calls: calls.len(),
        ..Report::default()
    };
    let every: Vec<(Call, Fault)> = calls
        .iter()
        .flat_map(|call| Fault::of(&call.name).iter().map(|fault| (call.clone(), *fault)))
        .collect();
    let chosen = choose(every);
    // A note can be withdrawn for ten minutes only, so a base does not live longer than its scenario.
    let jobs = Mutex::new(chosen.into_iter());
    let found = Mutex::new(&mut report);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some((call, fault)) = jobs.lock().expect("not poisoned").next() else {
                        return;
                    };
                    let one = inject(&ready, &call, fault);
                    found.lock().expect("not poisoned").add(one);
                }
            });
        }
    });
    report
}

/// Takes `limit` of them at even distances, from a drawn start.
pub fn sample<T>(all: Vec<T>, limit: Option<usize>, drawn: &mut Drawn) -> Vec<T> {
    let Some(limit) = limit.filter(|limit| *limit < all.len()) else {
        return all;
    };
    let count = all.len();
    let start = usize::try_from(drawn.below(count as u64)).unwrap_or(0);
    let chosen: BTreeSet<usize> = (0..limit).map(|n| (start + n * count / limit) % count).collect();
    let kept = all.into_iter().enumerate().filter(|(n, _)| chosen.contains(n));
    kept.map(|(_, one)| one).collect()
}

fn inject(ready: &Ready<'_>, call: &Call, fault: Fault) -> Report {
    let copy = ready.desk.copied();
    let around = copy.vault.around.clone();
    let (done, hits) = ready.scenario.launch(&copy).faulted(&log_beside(&around), call, fault);
    let mut report = Report::default();
    let folder = around.to_string_lossy().into_owned();
    // What hit a pipe or another file alone is another test.
    if !hits.first().is_some_and(|hit| hit.contains(&folder)) {
        report.beside = 1;
        return report;
    }
    let of = format!("{} of {}", call.nth, call.name);
    *report.faults.entry(format!("{fault}")).or_default() += 1;
    let outcome = Outcome {
        done: done.clone(),
        fault,
        hit: hits.first().cloned().unwrap_or_default(),
    };
    match ready.judge(&copy, &outcome) {
        Ok(Left::Before) => report.before = 1,
        Ok(Left::After) => report.after = 1,
        Err(why) => {
            let hit = hits.first().map_or("", String::as_str).replace(&folder, "");
            report.findings.push(format!(
                "{}: {fault} at {of} ({}), exit {}: {why}",
                ready.scenario.name,
                hit.chars().take(160).collect::<String>(),
                done.code
            ));
        }
    }
    wipe_places(ready.scenario, &copy);
    report
}

/// An editor that is killed leaves its place in memory, for the next command to take in; the copy has none.
pub fn wipe_places(scenario: &Scenario, copy: &Desk) {
    if scenario.on_terminal && scenario.start == Start::Full {
        for place in crate::terminal::places(&copy.vault.home) {
            let _ = std::fs::remove_dir_all(place);
        }
    }
}
