//! How long the agent holds the vault open: until it was idle, until its limit, until the machine slept.
//!
//! Times are two clocks of the system since it started: one goes on while the machine sleeps, the other stands still. When
//! they come apart, it slept.

use serde::Deserialize;
use serde::Serialize;
use std::time::Duration;

/// After so long without an ask it locks, unless told otherwise.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// After so long it locks however busy it is, unless told otherwise: one working day.
const LIMIT: Duration = Duration::from_secs(12 * 60 * 60);
/// Clocks that come apart by more than this mean a sleep.
const SLEPT: Duration = Duration::from_secs(2);
/// So often at least it looks.
const LOOK: Duration = Duration::from_secs(5);

/// For how long somebody wants the vault held open, in minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lasting {
    /// At the longest, whatever is done.
    pub limit: Option<u32>,
    /// Without anything asked.
    pub idle: Option<u32>,
}

/// The two clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    /// Goes on while the machine sleeps.
    pub(super) running: Duration,
    /// Stands still while the machine sleeps.
    pub(super) awake: Duration,
}

/// The variable that names a file; while it is there, a test build's clocks say that the machine has slept an hour.
/// A release does not know it.
pub(super) const TEST_SLEPT: &str = "CASEVAULT_TEST_SLEPT";

fn slept_in_a_test() -> Duration {
    let slept =
        cfg!(debug_assertions) && std::env::var_os(TEST_SLEPT).is_some_and(|file| std::path::Path::new(&file).exists());
    Duration::from_secs(if slept { 60 * 60 } else { 0 })
}

impl Clocks {
    /// Reads them.
    pub(super) fn now() -> Self {
        #[cfg(target_os = "linux")]
        let running = rustix::time::ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let running = rustix::time::ClockId::Monotonic;
        let read = |clock| {
            let at = rustix::time::clock_gettime(clock);
            let seconds = u64::try_from(at.tv_sec).unwrap_or(0);
            Duration::new(seconds, u32::try_from(at.tv_nsec).unwrap_or(0))
        };
        let awake = read(rustix::time::ClockId::Monotonic);
        Self {
            running: read(running).max(awake).saturating_add(slept_in_a_test()),
            awake,
        }
    }

    fn asleep(&self) -> Duration {
        self.running.saturating_sub(self.awake)
    }
}

/// Why it locks by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Idle,
    Limit,
    Slept,
}

/// When the vault is to be locked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    idle: Duration,
    until: Duration,
    used: Duration,
    asleep: Duration,
}

impl Lifetime {
    /// Begins at `now`.
    pub(super) fn begin(lasting: Lasting, now: Clocks) -> Self {
        let minutes = |minutes: u32| Duration::from_secs(60 * u64::from(minutes));
        Self {
            idle: lasting.idle.map_or(IDLE, minutes),
            until: now.running.saturating_add(lasting.limit.map_or(LIMIT, minutes)),
            used: now.running,
            asleep: now.asleep(),
        }
    }

    /// Something was asked.
    pub(super) fn touch(&mut self, now: Clocks) {
        self.used = now.running;
    }

    /// Tells whether it is to lock, and why.
    pub(super) fn due(&self, now: Clocks) -> Option<Due> {
        if now.asleep().saturating_sub(self.asleep) > SLEPT {
            Some(Due::Slept)
        } else if now.running >= self.until {
            Some(Due::Limit)
        } else if now.running >= self.used.saturating_add(self.idle) {
            Some(Due::Idle)
        } else {
            None
        }
    }

    /// Returns how long it stays unlocked if nothing more is asked.
    pub(super) fn left(&self, now: Clocks) -> Duration {
        self.until
            .min(self.used.saturating_add(self.idle))
            .saturating_sub(now.running)
    }

    /// Returns how long it stays unlocked at the longest.
    pub(super) fn at_most(&self, now: Clocks) -> Duration {
        self.until.saturating_sub(now.running)
    }

    /// Returns how long to wait before looking again.
    pub(super) fn wait(&self, now: Clocks) -> Duration {
        self.left(now).min(LOOK)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn at(minutes: u64, slept: u64) -> Clocks {
        Clocks {
            running: Duration::from_secs(60 * (100 + minutes + slept)),
            awake: Duration::from_secs(60 * (90 + minutes)),
        }
    }

    #[test]
    fn it_locks_when_idle_and_not_while_used() {
        let mut life = Lifetime::begin(Lasting::default(), at(0, 0));
        assert_eq!(life.due(at(14, 0)), None);
        assert_eq!(life.due(at(15, 0)), Some(Due::Idle));
        life.touch(at(14, 0));
        assert_eq!(life.due(at(28, 0)), None);
        assert_eq!(life.left(at(28, 0)), Duration::from_secs(60));
        assert_eq!(life.due(at(29, 0)), Some(Due::Idle));
    }

    #[test]
    fn it_locks_at_its_limit_however_busy() {
        let lasting = Lasting {
            limit: Some(20),
            idle: Some(60),
        };
        let mut life = Lifetime::begin(lasting, at(0, 0));
        life.touch(at(19, 0));
        assert_eq!(life.due(at(19, 0)), None);
        assert_eq!(life.wait(at(19, 0)), LOOK);
        assert_eq!(life.at_most(at(19, 0)), Duration::from_secs(60));
        assert_eq!(life.due(at(20, 0)), Some(Due::Limit));
    }

    #[test]
    fn a_sleep_locks_even_if_it_was_short() {
        let life = Lifetime::begin(Lasting::default(), at(0, 0));
        assert_eq!(life.due(at(1, 0)), None);
        assert_eq!(life.due(at(1, 1)), Some(Due::Slept));
    }
}
