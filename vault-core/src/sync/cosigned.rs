//! What witnesses cosigned of a log, held against what was followed of it.
//!
//! A server that shows one log to a client and another to a witness is found out here: a cosigned tree is the beginning of
//! the one that was followed, or the two checkpoints are evidence (ATTACKS 44). Cosignatures are asked for *before* the
//! newest checkpoint is, so that one of a longer tree than was followed says that something is kept back (ATTACKS 45).

use super::Fault;
use super::LogOf;
use super::Request;
use super::advance::Missing;
use super::advance::Tiles;
use super::advance::convict;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::tlog::checkpoint::Cosignature;
use crate::tlog::checkpoint::SignedCheckpoint;
use crate::tlog::checkpoint::Witness;
use crate::tlog::note;
use crate::tlog::proof;
use crate::tlog::tree;
use crate::wire;
use crate::wire::v1::follow::CosignedNotes;
use crate::wire::v1::limit;
use crate::wire::v1::link::Seen;
use std::collections::VecDeque;

/// What a server says that witnesses cosigned: it was signed, and is still to be held against what is followed.
pub struct CosignedTrees {
    log: LogOf,
    trees: VecDeque<SignedCheckpoint>,
}

/// Holds cosigned checkpoints against the one that was followed.
pub struct Cosigned {
    log: LogOf,
    followed: Seen,
    waiting: VecDeque<SignedCheckpoint>,
    found: Vec<Cosignature>,
    state: State,
}

enum State {
    Proving(Tiles),
    Contradicted { refused: Refused, tiles: Tiles },
}

impl CosignedTrees {
    /// Reads what the server answered, for the witnesses that the root names; lines of others are passed over.
    ///
    /// # Errors
    /// [`Fault`]: [`Check::Cosignature`] where words are put into a witness's mouth.
    pub fn open(log: LogOf, witnesses: &[Witness], answer: &[u8]) -> Result<Self, Fault> {
        let answer: CosignedNotes = wire::decode(answer, limit::COSIGNED)?;
        require(answer.notes.len() <= note::SIGNATURES, Check::TooLong)?;
        let mut trees = VecDeque::new();
        for one in &answer.notes {
            let one = SignedCheckpoint::open(&one.note, log.agency, &log.key, witnesses)?;
            if !one.cosigned().is_empty() {
                trees.push_back(one);
            }
        }
        Ok(Self { log, trees })
    }
}

impl Cosigned {
    /// Begins with the checkpoint that was followed after that answer came.
    ///
    /// # Errors
    /// [`Fault`]: [`Check::LogConsistency`] where a longer tree was cosigned than was followed.
    pub fn begin(cosigned: CosignedTrees, followed: Seen) -> Result<Self, Fault> {
        let CosignedTrees { log, trees } = cosigned;
        for one in &trees {
            require(one.checkpoint().size <= followed.size, Check::LogConsistency)?;
        }
        let mut begun = Self {
            log,
            followed,
            waiting: trees,
            found: Vec::new(),
            state: State::Proving(Tiles::default()),
        };
        begun.prove()?;
        Ok(begun)
    }

    /// Returns what to ask next; nothing once all is verified.
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
    /// [`Fault`]: [`Check::LogConsistency`] where a cosigned tree is not the beginning of the one that was followed.
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

    /// Returns the verified cosignatures, the newest of each witness.
    ///
    /// # Errors
    /// [`Check::LogConsistency`] before all is verified.
    pub fn finish(self) -> Result<Vec<Cosignature>, Fault> {
        require(self.waiting.is_empty(), Check::LogConsistency)?;
        Ok(self.found)
    }

    fn prove(&mut self) -> Result<(), Fault> {
        let State::Proving(tiles) = &mut self.state else {
            return Ok(());
        };
        let followed = (self.followed.size, tree::Hash(self.followed.root));
        while let Some(one) = self.waiting.front() {
            // None is longer, which was looked at in the beginning.
            let (size, root) = (one.checkpoint().size.min(followed.0), one.checkpoint().root);
            let proof = match proof::consistency(size, followed.0, &mut |tile| tiles.get(tile)) {
                Ok(proof) => proof,
                Err(Missing::Tile) => return Ok(()),
                Err(Missing::Refused) => return Err(Check::LogTile.into()),
            };
            if let Err(refused) = tree::require_consistent(size, &root, followed.0, &followed.1, &proof) {
                let tiles = Tiles::default();
                self.state = State::Contradicted { refused, tiles };
                return self.contradict();
            }
            for cosignature in one.cosigned() {
                let known = self.found.iter_mut().find(|one| one.witness == cosignature.witness);
                match known {
                    Some(known) if known.time < cosignature.time => *known = cosignature.clone(),
                    Some(_) => {}
                    None => self.found.push(cosignature.clone()),
                }
            }
            self.waiting.pop_front();
        }
        Ok(())
    }

    fn contradict(&mut self) -> Result<(), Fault> {
        match (&mut self.state, self.waiting.front()) {
            (State::Contradicted { refused, tiles }, Some(one)) => {
                convict(&self.log, (one.seen(), self.followed), *refused, tiles)
            }
            _ => Ok(()),
        }
    }
}
