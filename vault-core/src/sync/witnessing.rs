//! A witness going on from the checkpoint that it cosigned last to a log's newest one.
//!
//! It asks for a checkpoint and for tiles of hashes, out of which it makes the proof itself; of entries it learns nothing.

use super::Fault;
use super::LogOf;
use super::Request;
use super::advance::Missing;
use super::advance::Tiles;
use super::advance::convict;
use crate::check::Check;
use crate::check::Refused;
use crate::tlog::checkpoint::SignedCheckpoint;
use crate::tlog::proof;
use crate::tlog::witness::Position;

/// Arrives at a position that may be cosigned once it is kept, or at a contradiction.
pub struct Witnessing {
    log: LogOf,
    last: Option<Position>,
    to: SignedCheckpoint,
    state: State,
}

enum State {
    Proving(Tiles),
    Contradicted { refused: Refused, tiles: Tiles },
    Done(Position),
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
            state: State::Proving(Tiles::default()),
        };
        begun.prove()?;
        Ok(begun)
    }

    /// Returns what to ask next; nothing once it has arrived.
    pub fn ask(&self) -> Option<Request> {
        match &self.state {
            State::Proving(tiles) | State::Contradicted { tiles, .. } => tiles.wanted.map(Request::Tile),
            State::Done(_) => None,
        }
    }

    /// Returns what is known to be wrong already, while more is asked only to show it to others.
    pub fn doubt(&self) -> Option<Fault> {
        match &self.state {
            State::Contradicted { refused, .. } => Some(Fault::Refused(*refused)),
            State::Proving(_) | State::Done(_) => None,
        }
    }

    /// Takes what came.
    ///
    /// # Errors
    /// [`Fault`]: [`Check::LogConsistency`] where the tree is no continuation of the last one.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match &mut self.state {
            State::Proving(tiles) => {
                tiles.take(bytes)?;
                self.prove()
            }
            State::Contradicted { tiles, refused } => {
                // A server that shows no tiles of it is refused for what it said first.
                tiles.take(bytes).map_err(|_| Fault::Refused(*refused))?;
                self.contradict()
            }
            State::Done(_) => Ok(()),
        }
    }

    /// Returns where the witness is now, to be kept before it is cosigned.
    ///
    /// # Errors
    /// [`Check::LogConsistency`] before it has arrived.
    pub fn finish(self) -> Result<Position, Fault> {
        match self.state {
            State::Done(position) => Ok(position),
            State::Proving(_) | State::Contradicted { .. } => Err(Check::LogConsistency.into()),
        }
    }

    fn prove(&mut self) -> Result<(), Fault> {
        let State::Proving(tiles) = &mut self.state else {
            return Ok(());
        };
        let Some(last) = &self.last else {
            self.state = State::Done(Position::first(&self.to));
            return Ok(());
        };
        let (from, to) = (last.checkpoint().size, self.to.checkpoint().size);
        // A tree that shrank has no proof; the step refuses it.
        let proof = match proof::consistency(from.min(to), to, &mut |tile| tiles.get(tile)) {
            Ok(proof) => proof,
            Err(Missing::Tile) => return Ok(()),
            Err(Missing::Refused) => return Err(Check::LogTile.into()),
        };
        match last.step(&self.to, &proof) {
            Ok(position) => {
                self.state = State::Done(position);
                Ok(())
            }
            Err(refused) => {
                let tiles = Tiles::default();
                self.state = State::Contradicted { refused, tiles };
                self.contradict()
            }
        }
    }

    fn contradict(&mut self) -> Result<(), Fault> {
        match (&mut self.state, &self.last) {
            (State::Contradicted { refused, tiles }, Some(last)) => {
                convict(&self.log, (last.seen(), self.to.seen()), *refused, tiles)
            }
            _ => Ok(()),
        }
    }
}
