//! What a long action is given beside its request: who is told how far it is, and a flag that stops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::SessionError;

/// What is counted while an action runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Unit {
    /// Bytes read or written.
    Bytes,
    /// Notes, records or signatures.
    Items,
}

/// Is told how far a long action is; the printer shows it, on a terminal only.
pub trait Progress: Sync {
    /// Begins a stage (`reading notes`) of `total` units, where that is known.
    fn start(&self, what: &str, total: Option<u64>, unit: Unit);
    /// Counts `n` more units of the stage.
    fn advance(&self, n: u64);
    /// Ends the stage.
    fn finish(&self);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _: &str, _: Option<u64>, _: Unit) {}
    fn advance(&self, _: u64) {}
    fn finish(&self) {}
}

/// A flag that a signal sets and a long action polls; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Returns the shared flag, for a signal handler to set.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Asks the action to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Tells whether the action was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Stops here if asked to: for the loops of long actions, between two units of work.
    ///
    /// # Errors
    /// [`SessionError::Cancelled`].
    pub fn check(&self) -> Result<(), SessionError> {
        if self.is_cancelled() {
            return Err(SessionError::Cancelled);
        }
        Ok(())
    }
}

/// How a long action is watched and stopped.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// Is told how far it is.
    pub progress: &'a dyn Progress,
    /// Stops it.
    pub cancel: &'a Cancel,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_stops_the_action() {
        let cancel = Cancel::default();
        assert!(cancel.check().is_ok());
        cancel.clone().cancel();
        assert!(matches!(cancel.check(), Err(SessionError::Cancelled)));
    }
}
