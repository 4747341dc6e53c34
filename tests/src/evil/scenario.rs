//! The scenarios: what is lied about, what must come of it, and what would come of it without the guard.

mod appending;
mod ghosts;
mod joining;
mod log;
mod malice;
mod pulling;
mod rows;
mod transport;
mod witnesses;

pub use rows::NOT_YET;

use super::judge;
use super::judge::State;
use super::message::Message;
use super::server::Rule;
use super::stage::Begins;
use super::stage::Command;
use super::stage::Stage;
use super::tape::Exchange;
use crate::evil::measure;
use crate::vault::Done;
use crate::vault::Vault;
use std::path::PathBuf;
use std::process::Child;
use vault_core::tlog::checkpoint;
use vault_core::tlog::note::KeyName;
use vault_core::tlog::note::Kind;

/// One lie, and what must come of it.
pub struct Scenario {
    /// Its test's name, which begins with the row of the attack.
    pub name: &'static str,
    /// Where things are when it begins.
    pub begins: Begins,
    /// What the client is told to do.
    pub command: Command,
    /// The lie.
    pub rules: fn() -> Vec<Rule>,
    /// What must come of it.
    pub comes: Comes,
    /// Whether a file of evidence must be there.
    pub evidence: bool,
    /// How much memory the client may take, in MiB, 64 of which are its passphrase's; not looked at where absent.
    pub most: Option<u64>,
    /// The same with a guard out.
    pub twin: Twin,
    /// Why today's client does not do what it must; the test asserts that it still does not.
    pub open: Option<&'static str>,
}

/// What comes of a lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comes {
    /// The client notices nothing, and nothing is amiss: the lie does not matter to it.
    Nothing,
    /// It does what it is told, and sounds the alarm that no witness has been there.
    Alarm,
    /// It refuses.
    Refusal {
        /// The exit code.
        exit: i32,
        /// The error's code.
        code: &'static str,
        /// The check that it names, if one.
        check: Option<&'static str>,
    },
    /// It takes in everything else, holds back the case that the lie is about, and says so in the end.
    HeldBack {
        /// The exit code.
        exit: i32,
        /// The error's code.
        code: &'static str,
    },
}

/// What comes of the same lie with a guard out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twin {
    /// The client takes the lie for the truth.
    Believes {
        /// What is out.
        without: &'static str,
    },
    /// The client takes the lie in and keeps it: what it has of the log is spoiled, and the honest one refused from then on.
    Spoils {
        /// What is out.
        without: &'static str,
        /// The check by which a whole client refuses what the broken one kept.
        by: &'static str,
    },
    /// Another check stands behind the one that is out.
    StillRefuses {
        /// What is out.
        without: &'static str,
        /// The check that refuses then.
        by: &'static str,
    },
    /// The client takes more memory than it may.
    Swells {
        /// What is out.
        without: &'static str,
    },
    /// The client goes on to ask for this.
    Asks {
        /// What is out.
        without: &'static str,
        /// What it asks for.
        next: Message,
    },
    /// The client says that all is well.
    Silent {
        /// What is out.
        without: &'static str,
    },
    /// No guard of the client's stands against it, for this reason.
    None(&'static str),
}

impl Twin {
    /// Returns what is out.
    pub const fn without(self) -> Option<&'static str> {
        match self {
            Self::Believes { without }
            | Self::Silent { without }
            | Self::Spoils { without, .. }
            | Self::Swells { without }
            | Self::StillRefuses { without, .. }
            | Self::Asks { without, .. } => Some(without),
            Self::None(_) => None,
        }
    }
}

impl Scenario {
    /// A lie of which nothing is left, told where a client synchronises, or joins if it has no server yet.
    const fn of(name: &'static str, begins: Begins, rules: fn() -> Vec<Rule>, comes: Comes, twin: Twin) -> Self {
        Self {
            name,
            begins,
            command: match begins {
                Begins::Alone => Command::Add,
                Begins::Joined | Begins::Written | Begins::Behind | Begins::Witnessed => Command::Sync,
            },
            rules,
            comes,
            evidence: false,
            most: None,
            twin,
            open: None,
        }
    }

    /// Returns every scenario.
    pub fn all() -> Vec<Self> {
        [
            log::scenarios(),
            appending::scenarios(),
            joining::scenarios(),
            pulling::scenarios(),
            ghosts::scenarios(),
            transport::scenarios(),
            malice::scenarios(),
            witnesses::scenarios(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Finds one by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|scenario| scenario.name == name)
    }

    /// Returns the number of the attack's row.
    ///
    /// # Panics
    /// Where the name has none.
    pub fn row(&self) -> u8 {
        let row = self.name.strip_prefix("attack_").and_then(|rest| rest.get(..2));
        row.and_then(|row| row.parse().ok())
            .expect("a name begins with its row")
    }

    /// Plays it whole; returns what went wrong, if something did.
    ///
    /// # Errors
    /// What must hold and does not.
    ///
    /// # Panics
    /// Where honest data is not readable afterwards.
    pub fn play(&self) -> Result<(), String> {
        let stage = Stage::set(self.begins);
        let twin = stage.vault.copied();
        self.tell(&stage)?;
        match self.begins {
            // Two copies of one vault that both name a server would stand in each other's way.
            Begins::Alone => {
                let apart = Stage::set(self.begins);
                self.play_twin(&apart, &apart.vault)?;
            }
            Begins::Joined | Begins::Written | Begins::Behind | Begins::Witnessed => self.play_twin(&stage, &twin)?,
        }
        stage.evil.be_honest();
        match self.begins {
            // A copy of a vault is refused where the other went on with the device's own log; it stays readable.
            Begins::Behind => stage.assert_readable(),
            Begins::Alone | Begins::Joined | Begins::Written | Begins::Witnessed => drop(stage.assert_all_is_well()),
        }
        Ok(())
    }

    /// Tells the lie to the real client; returns what went wrong, if something did.
    ///
    /// # Errors
    /// What must hold and does not.
    pub fn tell(&self, stage: &Stage) -> Result<(), String> {
        let before = State::of(&stage.vault);
        let began = stage.evil.tape().len();
        stage.evil.lie((self.rules)());
        let child = stage.start(&stage.vault, self.command);
        let (done, peak) = self.finished(child);
        let exchanges = stage.evil.tape().since(began);
        self.judge(stage, &before, &done, &exchanges)?;
        let most = self.most.unwrap_or(u64::MAX);
        ensure(peak <= most, || format!("it took {peak} MiB; {most} are allowed"))
    }

    fn finished(&self, child: Child) -> (Done, u64) {
        match self.most {
            Some(_) => measure::to_its_end(child),
            None => (Done::of(child.wait_with_output().expect("the client ends")), 0),
        }
    }

    fn judge(&self, stage: &Stage, before: &State, done: &Done, exchanges: &[Exchange]) -> Result<(), String> {
        let said = || format!("exit {}\n{}{}", done.code, done.stdout, done.stderr);
        ensure(exchanges.iter().any(|exchange| exchange.lied), || {
            "no lie was told".to_owned()
        })?;
        ensure(!stage.evil.has_failed(), || "the lie could not be told".to_owned())?;
        judge::assert_nothing_leaked(exchanges, &stage.secrets());
        match self.comes {
            Comes::Nothing => ensure(done.code == 0, said)?,
            Comes::Alarm => {
                ensure(done.code == 0, said)?;
                let reply: serde_json::Value = serde_json::from_str(&done.stdout).map_err(|_| said())?;
                ensure(reply["witnessed"]["state"] == "stale", said)?;
            }
            Comes::HeldBack { exit, code } => {
                ensure(done.code == exit && done.error()["error"] == code, said)?;
                let reply: serde_json::Value = serde_json::from_str(&done.stdout).map_err(|_| said())?;
                ensure(reply["behind"].as_array().is_some_and(|all| all.len() == 1), said)?;
            }
            Comes::Refusal { exit, code, check } => {
                ensure(done.code == exit && done.stdout.is_empty(), said)?;
                let error = done.error();
                ensure(error["error"] == code, said)?;
                ensure(error["check"].as_str() == check, said)?;
                ensure(State::of(&stage.vault) == *before, || {
                    "the vault is not as it was".to_owned()
                })?;
            }
        }
        let found = judge::evidence(&stage.vault);
        ensure(found.is_empty() != self.evidence, || format!("evidence: {found:?}"))?;
        if self.evidence {
            keep(self.name, stage, &found);
        }
        let after = judge::after_the_lie(exchanges);
        let tells = |asked: &String| !asked.contains("/v1/log/");
        let refused = matches!(self.comes, Comes::Refusal { .. });
        ensure(!refused || !after.iter().any(tells), || {
            format!("asked after it: {after:?}")
        })
    }

    fn play_twin(&self, stage: &Stage, vault: &Vault) -> Result<(), String> {
        let Some(without) = self.twin.without() else {
            return Ok(());
        };
        let began = stage.evil.tape().len();
        stage.evil.lie((self.rules)());
        let (done, peak) = self.finished(stage.broken(vault, self.command, without));
        let said = || format!("without {without}: exit {}\n{}{}", done.code, done.stdout, done.stderr);
        match self.twin {
            Twin::Believes { .. } => ensure(done.code == 0, said),
            Twin::Silent { .. } => ensure(done.value()["witnessed"]["state"] == "fresh", said),
            Twin::Swells { .. } => ensure(Some(peak) > self.most, || format!("{}: {peak} MiB", said())),
            Twin::Spoils { by, .. } => {
                stage.evil.be_honest();
                let words = stage.words_of(Command::Sync);
                let after = vault.run(&words);
                ensure(after.code != 0 && after.error()["check"] == by, || {
                    format!("{}, and afterwards: exit {}\n{}", said(), after.code, after.stderr)
                })
            }
            Twin::StillRefuses { by, .. } => ensure(done.code != 0 && done.error()["check"] == by, said),
            Twin::Asks { next, .. } => {
                let asked = stage.evil.tape().since(began);
                ensure(asked.iter().any(|exchange| exchange.message == next), said)
            }
            Twin::None(_) => Ok(()),
        }
    }
}

/// Copies evidence to where another verifier is to look at it, with the log's key as the server has it.
fn keep(name: &str, stage: &Stage, found: &[PathBuf]) {
    let Some(folder) = std::env::var_os("CASEVAULT_EVIDENCE_OUT").map(PathBuf::from) else {
        return;
    };
    let (agency, key) = stage.evil.means().victim();
    let key = key.public();
    let named = KeyName::of(&checkpoint::origin(agency), Kind::Ed25519, &key).expect("a name for notes");
    let verifier = named.verifier(Kind::Ed25519, &key);
    std::fs::write(folder.join(format!("{name}.vkey")), verifier).expect("writes the log's key");
    for path in found {
        std::fs::copy(path, folder.join(format!("{name}.json"))).expect("copies the evidence");
    }
}

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}
