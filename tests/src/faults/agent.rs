//! Faults in an agent: at each call that it makes while it does what a command asked, and in its starting.
//!
//! `strace` is attached to the agent that runs, and says so before the command is; its counts begin there.

use super::judge::Left;
use super::judge::Outcome;
use super::run::Ready;
use super::scenario::Desk;
use super::scenario::Scenario;
use super::trace::CALLS;
use super::trace::Call;
use super::trace::Fault;
use super::trace::calls_below;
use super::trace::hits;
use super::trace::log_beside;
use crate::agent;
use crate::vault::Done;
use std::collections::BTreeSet;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

/// `strace`, attached.
struct Attached(Child);

impl Attached {
    /// Attaches to a process and all its threads; nothing where that is not allowed.
    fn to(process: u32, log: &Path, more: &[&str]) -> Option<Self> {
        let mut child = Command::new("strace")
            .args(["-f", "-s", "16", "-y", "-o"])
            .arg(log)
            .args(more)
            .args(["-p", &process.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut said = BufReader::new(child.stderr.take()?);
        let mut line = String::new();
        said.read_line(&mut line).ok()?;
        if !line.contains("attached") {
            let _ = child.wait();
            return None;
        }
        // What else it says goes nowhere, and keeps it from nothing.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Some(Self(child))
    }

    /// Waits until the process has ended, and with it what is attached.
    fn end(mut self) {
        self.0.wait().expect("strace ends with the process");
    }
}

/// Runs a scenario's command through an agent that has the vault open, and ends the agent.
///
/// # Panics
/// Where the agent does not start.
pub fn through(scenario: &Scenario, copy: &Desk) -> Done {
    copy.vault.run(&["unlock"]).done();
    let done = scenario.launch(copy).run();
    copy.vault.run(&["lock"]).done();
    done
}

/// Counts the calls of an agent that write below the vault's folder while it does what the command asks; nothing where
/// `strace` may not attach.
///
/// # Panics
/// Where the command fails.
pub fn counted(ready: &Ready<'_>) -> Option<BTreeSet<Call>> {
    let copy = ready.desk.copied();
    copy.vault.run(&["unlock"]).done();
    let log = log_beside(&copy.vault.around);
    let trace = format!("trace={}", CALLS.join(","));
    let attached = Attached::to(agent::process(&copy.vault), &log, &["-e", &trace]);
    let Some(attached) = attached else {
        let required = std::env::var_os("CASEVAULT_FAULTS_REQUIRED").is_some();
        assert!(
            !required,
            "strace may not attach to an agent, and its faults are to be tested"
        );
        eprintln!("LEFT OUT: strace may not attach to an agent here (it needs root): its faults are not tested");
        return None;
    };
    let done = ready.scenario.launch(&copy).run();
    assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
    copy.vault.run(&["lock"]).done();
    attached.end();
    let text = std::fs::read_to_string(&log).expect("strace wrote its log");
    let home = &copy.vault.home;
    Some(calls_below(&text, home))
}

/// What came of a fault in an agent.
pub enum Came {
    /// The call was not made.
    Beside,
    /// What holds.
    Left(Left),
    /// A rule is broken.
    Broken(String),
}

/// Runs the command through an agent that meets a fault; judges, and runs it again where it was not done.
///
/// # Panics
/// Where the agent does not start.
pub fn faulted(ready: &Ready<'_>, call: &Call, fault: Fault) -> Came {
    let copy = ready.desk.copied();
    copy.vault.run(&["unlock"]).done();
    let log = log_beside(&copy.vault.around);
    let (trace, inject) = (format!("trace={}", call.name), fault.expression(call));
    let process = agent::process(&copy.vault);
    let Some(attached) = Attached::to(process, &log, &["-e", &trace, "-e", &inject]) else {
        return Came::Beside;
    };
    let done = ready.scenario.launch(&copy).run();
    // Whether the agent is there still, or is not: afterwards it is not.
    copy.vault.run(&["lock"]);
    attached.end();
    let text = std::fs::read_to_string(&log).expect("strace wrote its log");
    let home = copy.vault.home.to_string_lossy().into_owned();
    let hits = hits(&text, fault);
    let Some(hit) = hits.into_iter().next().filter(|hit| hit.contains(&home)) else {
        return Came::Beside;
    };
    let outcome = Outcome { done, fault, hit };
    match ready.judge(&copy, &outcome) {
        Ok(left) => Came::Left(left),
        Err(why) => Came::Broken(format!(
            "{}: {fault} at {} of {}, exit {}: {why}",
            ready.scenario.name, call.nth, call.name, outcome.done.code
        )),
    }
}
