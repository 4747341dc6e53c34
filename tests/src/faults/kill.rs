//! Killing at random moments: the command, or the agent that does its work.
//!
//! The moment is drawn evenly over the time that the command takes here. A command that has ended by then is no kill, and
//! another moment is drawn.

use super::Drawn;
use super::agent;
use super::judge::Left;
use super::judge::Outcome;
use super::run::Ready;
use super::scenario;
use super::scenario::Scenario;
use super::scenario::Start;
use super::trace::Fault;
use crate::terminal::kill_9;
use crate::vault::Done;
use std::collections::BTreeMap;
use std::process::Child;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whom {
    /// The command, which does its own work.
    Command,
    /// The command, while an agent does its work.
    Asker,
    /// The agent.
    Agent,
}

/// What kills fell on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Before anything was acknowledged.
    pub before: usize,
    /// After that.
    pub after: usize,
    /// After the command had ended by itself: no kill.
    pub ended: usize,
    /// Kills after which it was not done, and was done when run again.
    pub undone: usize,
}

impl Counts {
    /// How many were killed.
    pub fn kills(&self) -> usize {
        self.before + self.after
    }

    fn add(&mut self, other: Self) {
        self.before += other.before;
        self.after += other.after;
        self.ended += other.ended;
        self.undone += other.undone;
    }
}

/// What was killed, by command, and the rules that were broken.
#[derive(Debug, Default)]
pub struct Kills {
    /// By whom and which command.
    pub by: BTreeMap<(Whom, &'static str), Counts>,
    /// Broken rules.
    pub findings: Vec<String>,
}

impl Kills {
    /// Adds up all.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for counts in self.by.values() {
            total.add(*counts);
        }
        total
    }
}

/// Kills `count` times, at moments that the seed draws; each scenario gets its share at once, so that no base grows old.
///
/// # Panics
/// Where a command fails that nobody killed.
pub fn run(count: usize, seed: u64) -> Kills {
    let scenarios = scenario::all();
    // What an agent does is what `casevault unlock` and the vault's own making are not.
    let alone: Vec<&Scenario> = scenarios.iter().filter(|s| !s.on_terminal).collect();
    let asked: Vec<&Scenario> = alone
        .iter()
        .copied()
        .filter(|s| s.start == Start::Full && !OF_ITS_OWN.contains(&s.command))
        .collect();
    let mut drawn = Drawn(seed);
    let mut shares: BTreeMap<(usize, Whom), usize> = BTreeMap::new();
    // A base serves several kills.
    for first in (0..count).step_by(TOGETHER) {
        let whom = [Whom::Command, Whom::Command, Whom::Command, Whom::Asker, Whom::Agent];
        let whom = whom[usize::try_from(drawn.below(5)).unwrap_or(0)];
        let of = if whom == Whom::Command { &alone } else { &asked };
        let chosen = of[usize::try_from(drawn.below(of.len() as u64)).unwrap_or(0)];
        let at = scenarios.iter().position(|s| s.name == chosen.name).unwrap_or(0);
        *shares.entry((at, whom)).or_default() += TOGETHER.min(count - first);
    }
    let kills = Mutex::new(Kills::default());
    let jobs: Vec<_> = shares.into_iter().map(|job| (job, drawn.number())).collect();
    let jobs = Mutex::new(jobs.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some((((at, whom), share), seed)) = jobs.lock().expect("not poisoned").next() else {
                        return;
                    };
                    share_of(&scenarios[at], whom, share, &mut Drawn(seed), &kills);
                }
            });
        }
    });
    kills.into_inner().expect("not poisoned")
}

/// So many kills fall on one command in a row.
const TOGETHER: usize = 8;

/// Commands that ask no agent.
const OF_ITS_OWN: [&str; 6] = [
    "backup create",
    "backup ledger",
    "passphrase change",
    "recovery split",
    "unlock",
    "init",
];

fn share_of(scenario: &Scenario, whom: Whom, share: usize, drawn: &mut Drawn, kills: &Mutex<Kills>) {
    let ready = match whom {
        Whom::Command => Ready::make(scenario),
        Whom::Asker | Whom::Agent => Ready::of(scenario, |copy| agent::through(scenario, copy)),
    };
    let most = u64::try_from(lasts(&ready, whom).as_micros()).unwrap_or(u64::MAX);
    let (mut killed, mut tries) = (0, 0);
    while killed < share && tries < 4 * share {
        tries += 1;
        let moment = Duration::from_micros(drawn.below(most));
        let one = kill_once(&ready, whom, moment);
        killed += one.as_ref().map_or(1, Counts::kills);
        let mut kills = kills.lock().expect("not poisoned");
        let counts = kills.by.entry((whom, scenario.name)).or_default();
        match one {
            Ok(one) => counts.add(one),
            Err(why) => kills
                .findings
                .push(format!("{}: {whom:?} killed after {moment:?}: {why}", scenario.name)),
        }
    }
}

/// Measures how long the command takes, the middle one of three.
fn lasts(ready: &Ready<'_>, whom: Whom) -> Duration {
    let once = |_| {
        let copy = ready.desk.copied();
        if whom != Whom::Command {
            copy.vault.run(&["unlock"]).done();
        }
        let launch = ready.scenario.launch(&copy);
        let began = Instant::now();
        let done = launch.run();
        let took = began.elapsed();
        assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
        took
    };
    let mut took: Vec<Duration> = (0..3).map(once).collect();
    took.sort();
    took[1]
}

fn kill_once(ready: &Ready<'_>, whom: Whom, moment: Duration) -> Result<Counts, String> {
    let copy = ready.desk.copied();
    let mut agent = None;
    if whom != Whom::Command {
        copy.vault.run(&["unlock"]).done();
        agent = Some(crate::agent::process(&copy.vault));
    }
    let mut command = ready.scenario.launch(&copy).command(Vec::new());
    let mut child = command.stdin(std::process::Stdio::null()).spawn().expect("it starts");
    std::thread::sleep(moment);
    let killed = match (whom, agent) {
        (Whom::Agent, Some(process)) => {
            // The command says itself how it ended.
            kill_9(process);
            child.try_wait().expect("it can be asked").is_none()
        }
        _ => end(&mut child),
    };
    let done = Done::of(child.wait_with_output().expect("it ends"));
    if agent.is_some() {
        // What an agent that lives was asked to write it finishes first.
        copy.vault.run(&["lock"]);
    }
    let outcome = Outcome {
        done,
        fault: Fault::Kill,
        hit: String::new(),
    };
    let left = ready.judge(&copy, &outcome)?;
    let mut counts = Counts::default();
    match (killed, outcome.is_acknowledged()) {
        (false, _) => counts.ended = 1,
        (true, false) => counts.before = 1,
        (true, true) => counts.after = 1,
    }
    counts.undone = usize::from(killed && left == Left::Before);
    Ok(counts)
}

/// Kills a process; tells whether it had not ended before.
fn end(child: &mut Child) -> bool {
    let lives = child.try_wait().expect("it can be asked").is_none();
    child.kill().expect("it can be killed");
    lives
}
