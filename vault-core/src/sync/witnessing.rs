//! A witness going on from the checkpoint that it cosigned last to a log's newest one.
//!
//! It asks for a checkpoint and for tiles of hashes, out of which it makes the proof itself; of entries it learns nothing.

use super::Fault;
use super::LogOf;
use super::Request;
use super::proving::Proving;
use crate::check::Check;
use crate::tlog::checkpoint::SignedCheckpoint;
use crate::tlog::witness::Position;

/// Arrives at a position that may be cosigned once it is kept, or at a contradiction.
pub struct Witnessing {
    log: LogOf,
    last: Option<Position>,
    to: SignedCheckpoint,
    proving: Proving,
    arrived: Option<Position>,
}

impl Witnessing {
    /// Begins with a checkpoint's note, and what was kept of the log, if anything was.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn begin(log: LogOf, last: Option<Position>, note: &[u8]) -> Result<Self, Fault> {
        let to = SignedCheckpoint::open(note, log.agency, &log.key, &[])?;
        let mut begun = Self {
            log,
            last,
            to,
            proving: Proving::default(),
            arrived: None,
        };
        begun.prove()?;
        Ok(begun)
    }

    /// Returns what to ask next; nothing once it has arrived.
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
    /// [`Fault`]: [`Check::LogConsistency`] where the tree is no continuation of the last one.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.proving.take(bytes)?;
        match (self.proving.doubt(), &self.last) {
            (None, _) => self.prove(),
            (Some(_), Some(last)) => self.proving.convict(&self.log, (last.seen(), self.to.seen())),
            (Some(_), None) => Ok(()),
        }
    }

    /// Returns where the witness is now, to be kept before it is cosigned.
    ///
    /// # Errors
    /// [`Check::LogConsistency`] before it has arrived.
    pub fn finish(self) -> Result<Position, Fault> {
        self.arrived.ok_or(Check::LogConsistency.into())
    }

    fn prove(&mut self) -> Result<(), Fault> {
        if self.arrived.is_some() {
            return Ok(());
        }
        let Some(last) = &self.last else {
            self.arrived = Some(Position::first(&self.to));
            return Ok(());
        };
        let (from, to) = (last.checkpoint().size, self.to.checkpoint().size);
        // A tree that shrank has no proof; the step refuses it.
        let Some(proof) = self.proving.proof(from.min(to), to)? else {
            return Ok(());
        };
        match last.step(&self.to, &proof) {
            Ok(position) => {
                self.arrived = Some(position);
                Ok(())
            }
            Err(refused) => self
                .proving
                .contradict(&self.log, (last.seen(), self.to.seen()), refused),
        }
    }
}
