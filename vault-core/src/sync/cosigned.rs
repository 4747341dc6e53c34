//! What witnesses cosigned of a log, held against what was followed of it.
//!
//! A server that shows one log to a client and another to a witness is found out here: a cosigned tree is the beginning of
//! the one that was followed, or the two checkpoints are evidence (ATTACKS 44). Cosignatures are asked for *before* the
//! newest checkpoint is, so that one of a longer tree than was followed says that something is kept back (ATTACKS 45).

use super::Fault;
use super::LogOf;
use super::prefix::Prefix;
use crate::check::Check;
use crate::check::require;
use crate::tlog::checkpoint::SignedCheckpoint;
use crate::tlog::checkpoint::Witness;
use crate::tlog::note;
use crate::wire;
use crate::wire::v1::follow::CosignedNotes;
use crate::wire::v1::limit;
use crate::wire::v1::link::Seen;

/// What a server says that witnesses cosigned: it was signed, and is still to be held against what is followed.
pub struct CosignedTrees {
    log: LogOf,
    trees: Vec<Seen>,
    found: Vec<Sighting>,
}

/// That a witness cosigned, when, and how long the tree was then: a fresh time over a tree that does not grow says nothing of
/// what came since (ATTACKS 45).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Who.
    pub witness: Witness,
    /// When, by the witness's clock, in seconds since 1970.
    pub time: u64,
    /// Leaves of the tree.
    pub size: u64,
}

/// Holds cosigned checkpoints against the one that was followed.
pub struct Cosigned {
    trees: Prefix,
    found: Vec<Sighting>,
}

impl CosignedTrees {
    /// Reads what the server answered, for the witnesses that the root names; lines of others are passed over.
    ///
    /// # Errors
    /// [`Fault`]: [`Check::Cosignature`] where words are put into a witness's mouth.
    pub fn open(log: LogOf, witnesses: &[Witness], answer: &[u8]) -> Result<Self, Fault> {
        let answer: CosignedNotes = wire::decode(answer, limit::COSIGNED)?;
        require(answer.notes.len() <= note::SIGNATURES, Check::TooLong)?;
        let (mut trees, mut found) = (Vec::new(), Vec::<Sighting>::new());
        for one in &answer.notes {
            let one = SignedCheckpoint::open(&one.note, log.agency, &log.key, witnesses)?;
            if !one.cosigned().is_empty() {
                trees.push(one.seen());
            }
            for cosignature in one.cosigned() {
                let next = Sighting {
                    witness: cosignature.witness.clone(),
                    time: cosignature.time,
                    size: one.checkpoint().size,
                };
                match found.iter_mut().find(|one| one.witness == next.witness) {
                    Some(known) if (known.time, known.size) < (next.time, next.size) => *known = next,
                    Some(_) => {}
                    None => found.push(next),
                }
            }
        }
        Ok(Self { log, trees, found })
    }

    /// Returns how many leaves the longest tree has that one of the witnesses cosigned; nothing where none did.
    pub fn longest(&self) -> Option<u64> {
        self.trees.iter().map(|seen| seen.size).max()
    }
}

impl Cosigned {
    /// Begins with the checkpoint that was followed after that answer came.
    ///
    /// # Errors
    /// [`Fault`]: [`Check::LogConsistency`] where a longer tree was cosigned than was followed.
    pub fn begin(cosigned: CosignedTrees, followed: Seen) -> Result<Self, Fault> {
        let CosignedTrees { log, trees, found } = cosigned;
        let trees = Prefix::begin(log, followed, &trees)?;
        Ok(Self { trees, found })
    }

    /// Returns the trees that were cosigned, to be proved to be the beginning of the one that was followed.
    pub fn trees(&mut self) -> &mut Prefix {
        &mut self.trees
    }

    /// Returns what was verified, the newest of each witness.
    ///
    /// # Errors
    /// [`Check::LogConsistency`] before all is verified.
    pub fn finish(self) -> Result<Vec<Sighting>, Fault> {
        require(self.trees.is_proved(), Check::LogConsistency)?;
        Ok(self.found)
    }
}
