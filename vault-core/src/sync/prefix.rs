//! Checkpoints that others saw of a log, held against what was followed of it.
//!
//! Each is the beginning of the tree that was followed, or the two are evidence that the log was shown to others otherwise
//! (ATTACKS 44). One of a longer tree than was followed says that something is kept back.

use super::Fault;
use super::LogOf;
use super::Request;
use super::advance::Missing;
use super::advance::Tiles;
use super::advance::convict;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::tlog::follow::checkpoint_of;
use crate::tlog::proof;
use crate::tlog::tree;
use crate::tlog::tree::Hash;
use crate::wire::v1::link::Seen;
use std::collections::VecDeque;

/// Proves checkpoints, one after the other, to be the beginning of the one that was followed.
pub struct Prefix {
    log: LogOf,
    followed: Seen,
    waiting: VecDeque<Seen>,
    state: State,
}

enum State {
    Proving(Tiles),
    Contradicted { refused: Refused, tiles: Tiles },
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
            state: State::Proving(Tiles::default()),
        };
        begun.prove()?;
        Ok(begun)
    }

    /// Returns what to ask next; nothing once all are proved.
    pub fn ask(&self) -> Option<Request> {
        let (State::Proving(tiles) | State::Contradicted { tiles, .. }) = &self.state;
        tiles.wanted.map(Request::Tile)
    }

    /// Returns what is known to be wrong already, while more is asked only to show it to others.
    pub fn doubt(&self) -> Option<Fault> {
        match &self.state {
            State::Contradicted { refused, .. } => Some(Fault::Refused(*refused)),
            State::Proving(_) => None,
        }
    }

    /// Takes what came.
    ///
    /// # Errors
    /// [`Fault`]: [`Fault::Contradiction`], or [`Check::LogConsistency`] where nothing shows it to others.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match &mut self.state {
            State::Proving(tiles) => {
                tiles.take(bytes)?;
                self.prove()
            }
            State::Contradicted { tiles, refused } => {
                tiles.take(bytes).map_err(|_| Fault::Refused(*refused))?;
                self.contradict()
            }
        }
    }

    /// Tells whether all are proved.
    pub fn is_proved(&self) -> bool {
        self.waiting.is_empty()
    }

    fn prove(&mut self) -> Result<(), Fault> {
        let State::Proving(tiles) = &mut self.state else {
            return Ok(());
        };
        let (size, root) = (self.followed.size, Hash(self.followed.root));
        while let Some(one) = self.waiting.front() {
            let proof = match proof::consistency(one.size, size, &mut |tile| tiles.get(tile)) {
                Ok(proof) => proof,
                Err(Missing::Tile) => return Ok(()),
                Err(Missing::Refused) => return Err(Check::LogTile.into()),
            };
            if let Err(refused) = tree::require_consistent(one.size, &Hash(one.root), size, &root, &proof) {
                let tiles = Tiles::default();
                self.state = State::Contradicted { refused, tiles };
                return self.contradict();
            }
            self.waiting.pop_front();
        }
        Ok(())
    }

    fn contradict(&mut self) -> Result<(), Fault> {
        match (&mut self.state, self.waiting.front()) {
            (State::Contradicted { refused, tiles }, Some(one)) => {
                convict(&self.log, (*one, self.followed), *refused, tiles)
            }
            _ => Ok(()),
        }
    }
}
