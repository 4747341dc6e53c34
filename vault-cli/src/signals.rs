//! Signals that an action heeds, for as long as the action lasts.
//!
//! ```text
//! nobody heeds it:  a signal ends the process, as if nothing had ever listened
//! `Heeded` lives:   its flag is set, or its pipe is written to, and nothing else happens
//! ```
//!
//! The handler that catches a signal stays once it is there; what it does when nobody listens any more is said here. Without
//! that, a second Ctrl-C would be needed after every action that listened once.

use std::ffi::c_int;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use signal_hook::SigId;

/// A signal that was heeded once.
struct Caught {
    signal: c_int,
    /// How many heed it now.
    heeding: usize,
    /// Whether nobody does, which the handler asks.
    unheeded: Arc<AtomicBool>,
}

static CAUGHT: Mutex<Vec<Caught>> = Mutex::new(Vec::new());

/// Heeds a signal until it is dropped; then the signal ends the process again.
#[derive(Debug)]
pub(crate) struct Heeded {
    signal: c_int,
    ids: Vec<SigId>,
}

impl Heeded {
    /// Sets a flag when the signal comes.
    ///
    /// # Errors
    /// What keeps the signal from being caught.
    pub(crate) fn by_flag(signal: c_int, flag: Arc<AtomicBool>) -> io::Result<Self> {
        Self::begin(signal, || Ok(vec![signal_hook::flag::register(signal, flag)?]))
    }

    /// Sets a flag when the signal comes, and ends the process when it comes again.
    ///
    /// # Errors
    /// As [`Heeded::by_flag`].
    pub(crate) fn once(signal: c_int, flag: Arc<AtomicBool>) -> io::Result<Self> {
        Self::begin(signal, || {
            // In this order: the first signal finds the flag unset and sets it, the second finds it set and ends.
            let second = signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&flag))?;
            Ok(vec![second, signal_hook::flag::register(signal, flag)?])
        })
    }

    /// Writes a byte to a pipe when the signal comes.
    ///
    /// # Errors
    /// As [`Heeded::by_flag`].
    pub(crate) fn by_pipe(signal: c_int, pipe: OwnedFd) -> io::Result<Self> {
        Self::begin(signal, || {
            Ok(vec![signal_hook::low_level::pipe::register(signal, pipe)?])
        })
    }

    fn begin(signal: c_int, register: impl FnOnce() -> io::Result<Vec<SigId>>) -> io::Result<Self> {
        let mut all = CAUGHT.lock().unwrap_or_else(PoisonError::into_inner);
        let caught = match all.iter_mut().find(|caught| caught.signal == signal) {
            Some(caught) => caught,
            None => {
                let unheeded = Arc::new(AtomicBool::new(true));
                // Before anything else that is registered, and for good.
                signal_hook::flag::register_conditional_default(signal, Arc::clone(&unheeded))?;
                all.push(Caught {
                    signal,
                    heeding: 0,
                    unheeded,
                });
                all.last_mut()
                    .ok_or_else(|| io::Error::other("a signal that was not kept"))?
            }
        };
        // Until somebody listens the signal ends the process: one that comes between the two must not be lost.
        let ids = register()?;
        caught.heeding += 1;
        caught.unheeded.store(false, Ordering::SeqCst);
        Ok(Self { signal, ids })
    }
}

impl Drop for Heeded {
    fn drop(&mut self) {
        let mut all = CAUGHT.lock().unwrap_or_else(PoisonError::into_inner);
        // Before nobody listens any more, for the same reason.
        if let Some(caught) = all.iter_mut().find(|caught| caught.signal == self.signal) {
            caught.heeding = caught.heeding.saturating_sub(1);
            caught.unheeded.store(caught.heeding == 0, Ordering::SeqCst);
        }
        for id in self.ids.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use signal_hook::consts::{SIGUSR1, SIGUSR2};

    #[test]
    fn a_signal_reaches_who_heeds_it_and_is_left_to_end_the_process_afterwards() {
        let flags = [Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false))];
        let outer = Heeded::by_flag(SIGUSR2, Arc::clone(&flags[0])).unwrap();
        let inner = Heeded::by_flag(SIGUSR2, Arc::clone(&flags[1])).unwrap();
        signal_hook::low_level::raise(SIGUSR2).unwrap();
        assert!(flags.iter().all(|flag| flag.swap(false, Ordering::SeqCst)));
        drop(inner);
        signal_hook::low_level::raise(SIGUSR2).unwrap();
        assert!(flags[0].load(Ordering::SeqCst) && !flags[1].load(Ordering::SeqCst));
        drop(outer);
        assert!(unheeded(SIGUSR2));
    }

    #[test]
    fn a_signal_that_comes_before_anybody_listens_to_it_is_not_lost() {
        drop(Heeded::begin(SIGUSR1, || Ok(Vec::new())).unwrap());
        let ends = asked(SIGUSR1);
        let heeded = Heeded::begin(SIGUSR1, || {
            assert!(
                ends.load(Ordering::SeqCst),
                "nobody listens yet, and it would be dropped"
            );
            Ok(Vec::new())
        });
        assert!(!ends.load(Ordering::SeqCst));
        drop(heeded);
        assert!(ends.load(Ordering::SeqCst));
    }

    fn asked(signal: c_int) -> Arc<AtomicBool> {
        let all = CAUGHT.lock().unwrap();
        let caught = all.iter().find(|caught| caught.signal == signal).unwrap();
        Arc::clone(&caught.unheeded)
    }

    fn unheeded(signal: c_int) -> bool {
        asked(signal).load(Ordering::SeqCst)
    }
}
