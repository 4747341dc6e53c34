//! Checkpoints that others saw of a log, held against what was followed of it.
//!
//! Each is the beginning of the tree that was followed, or the two are evidence that the log was shown to others otherwise
//! (ATTACKS 44). One of a longer tree than was followed says that something is kept back.

use super::Fault;
use super::LogOf;
use super::Request;
use super::proving::Proving;
use crate::check::Check;
use crate::check::require;
use crate::tlog::follow::checkpoint_of;
use crate::tlog::tree;
use crate::tlog::tree::Hash;
use crate::wire::v1::link::Seen;
use std::collections::VecDeque;

/// Proves checkpoints, one after the other, to be the beginning of the one that was followed.
pub struct Prefix {
    log: LogOf,
    followed: Seen,
    waiting: VecDeque<Seen>,
    proving: Proving,
}

impl Prefix {
    /// Begins with checkpoints that others saw; what the log key did not sign is passed over, because it says nothing of the
    /// log and its author was refused for it (CHK-46).
    ///
    /// # Errors
    /// [`Fault`]: [`Check::LogConsistency`] where somebody saw a longer tree than was followed.
    pub fn begin(log: LogOf, followed: Seen, others: &[Seen]) -> Result<Self, Fault> {
        let mut waiting = VecDeque::new();
        for seen in others {
            let checkpoint = checkpoint_of(log.agency, seen);
            if checkpoint.require_signed(&seen.signature, &log.key).is_err() {
                continue;
            }
            require(seen.size <= followed.size, Check::LogConsistency)?;
            // Of a longer one, which nothing but a test lets pass, there is nothing to prove.
            if seen.size <= followed.size {
                waiting.push_back(*seen);
            }
        }
        let mut begun = Self {
            log,
            followed,
            waiting,
            proving: Proving::default(),
        };
        begun.prove()?;
        Ok(begun)
    }

    /// Returns what to ask next; nothing once all are proved.
    pub fn ask(&self) -> Option<Request> {
        self.proving.ask()
    }

    /// Returns what is known to be wrong already, while more is asked only to show it to others.
    pub fn doubt(&self) -> Option<Fault> {
        self.proving.doubt()
    }

    /// Takes what came.
    ///
    /// # Errors
    /// [`Fault`]: [`Fault::Contradiction`], or [`Check::LogConsistency`] where nothing shows it to others.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.proving.take(bytes)?;
        match (self.proving.doubt(), self.waiting.front()) {
            (None, _) => self.prove(),
            (Some(_), Some(one)) => self.proving.convict(&self.log, (*one, self.followed)),
            (Some(_), None) => Ok(()),
        }
    }

    /// Tells whether all are proved.
    pub fn is_proved(&self) -> bool {
        self.waiting.is_empty()
    }

    fn prove(&mut self) -> Result<(), Fault> {
        let (size, root) = (self.followed.size, Hash(self.followed.root));
        while let Some(one) = self.waiting.front() {
            let Some(proof) = self.proving.proof(one.size, size)? else {
                return Ok(());
            };
            if let Err(refused) = tree::require_consistent(one.size, &Hash(one.root), size, &root, &proof) {
                return self.proving.contradict(&self.log, (*one, self.followed), refused);
            }
            self.waiting.pop_front();
        }
        Ok(())
    }
}
