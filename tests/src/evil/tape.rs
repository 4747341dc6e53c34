//! What passed between a client and the lying server.

use super::message::Message;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// A request, and whether it was answered with a lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What it is for.
    pub message: Message,
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub path: String,
    /// What it brought.
    pub body: Vec<u8>,
    /// Its `Authorization` header.
    pub authorization: Option<String>,
    /// Whether a rule applied to it.
    pub lied: bool,
}

/// All of them, in the order in which they came.
#[derive(Debug, Default)]
pub struct Tape {
    exchanges: Mutex<Vec<Exchange>>,
    more: Condvar,
}

impl Tape {
    pub(super) fn keep(&self, exchange: Exchange) {
        self.lock().push(exchange);
        self.more.notify_all();
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until there are more than so many.
    pub fn wait_for_more_than(&self, known: usize) {
        let exchanges = self.lock();
        drop(self.more.wait_while(exchanges, |exchanges| exchanges.len() <= known));
    }

    /// Returns those after the first `before`.
    pub fn since(&self, before: usize) -> Vec<Exchange> {
        self.lock().get(before..).unwrap_or_default().to_vec()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
