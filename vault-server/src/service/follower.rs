//! The thread that follows what other processes append, so that whoever follows changes here is told.
//!
//! Requests do not depend on it: they compare sizes themselves.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Agencies, Agency, ServiceError};
use crate::report;
use crate::store::{Change, Store};

/// How long after the database went away it is looked for again.
const PAUSE: Duration = Duration::from_secs(1);

/// The thread, until it is ended.
pub(super) struct Follower {
    ending: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Follower {
    /// Begins the thread.
    pub(super) fn begin(store: Arc<dyn Store>, agencies: Arc<Agencies>) -> Result<Self, ServiceError> {
        let ending = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ending);
        let thread = thread::Builder::new()
            .name("follower".to_owned())
            .spawn(move || follow(store.as_ref(), &agencies, &told))
            .map_err(|_| ServiceError::Ended)?;
        let thread = Mutex::new(Some(thread));
        Ok(Self { ending, thread })
    }

    /// Ends the thread and waits for it.
    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            thread.thread().unpark();
            // A panic in there was told by itself.
            let _ = thread.join();
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.end();
    }
}

fn follow(store: &dyn Store, agencies: &Agencies, ending: &AtomicBool) {
    let ended = || ending.load(Ordering::Relaxed);
    let mut away = false;
    while let Some(shared) = store.shared().filter(|_| !ended()) {
        let followed = shared.follow(&mut |change| {
            away = false;
            let grown = match change {
                Change::Grown(no) => loaded(agencies, |agency| agency.no() == no),
                Change::Unknown => loaded(agencies, |_| true),
                Change::None => Vec::new(),
            };
            for agency in grown {
                if let Err(error) = agency.catch_up(store) {
                    report::failure(&error);
                }
            }
            match ended() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        if let Err(error) = followed {
            // Once for as long as it is away.
            if !away && !ended() {
                report::failure(&error);
            }
            away = true;
            thread::park_timeout(PAUSE);
        }
    }
}

fn loaded(agencies: &Agencies, which: impl Fn(&Agency) -> bool) -> Vec<Arc<Agency>> {
    let agencies = agencies.read().unwrap_or_else(PoisonError::into_inner);
    agencies
        .values()
        .filter(|agency| which(agency))
        .map(Arc::clone)
        .collect()
}
