//! One look at the database for all who wait for one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Turns of a work that many ask for at once: a turn that began after somebody asked serves them too.
#[derive(Debug, Default)]
pub(super) struct SharedTurn {
    begun: AtomicU64,
    /// The last turn that ended well; held while one is under way.
    ended: Mutex<u64>,
}

/// How many turns had begun when somebody asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked(u64);

impl SharedTurn {
    /// Asks for a turn.
    pub(super) fn ask(&self) -> Asked {
        Asked(self.begun.load(Ordering::SeqCst))
    }

    /// Waits for the turn that is under way, and does `work` unless a turn that began later than `asked` has done it.
    pub(super) fn run<E>(&self, asked: Asked, work: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if *ended > asked.0 {
            return Ok(());
        }
        let turn = self.begun.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        work()?;
        *ended = turn;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_turn_serves_those_alone_who_asked_before_it_began() {
        let (turns, done) = (SharedTurn::default(), Cell::new(0));
        let work = || {
            done.set(done.get() + 1);
            Ok::<_, ()>(())
        };
        let (first, second) = (turns.ask(), turns.ask());
        turns.run(first, work).unwrap();
        turns.run(second, work).unwrap();
        assert_eq!(done.get(), 1);
        // One that failed serves nobody, nor does one that was under way already.
        let (third, fourth) = (turns.ask(), turns.ask());
        let mut late = None;
        assert!(turns.run(third, || Err(())).is_err());
        turns
            .run(fourth, || {
                late = Some(turns.ask());
                work()
            })
            .unwrap();
        assert_eq!(done.get(), 2);
        turns.run(late.unwrap(), work).unwrap();
        assert_eq!(done.get(), 3);
    }
}
