//! One tree of a log held to be the beginning of another: proofs are made out of tiles that are asked for; where one does not
//! hold, tiles are asked for that show it to others.

use super::Fault;
use super::LogOf;
use super::Request;
use super::advance::Missing;
use super::advance::Tiles;
use super::advance::convict;
use crate::check::Check;
use crate::check::Refused;
use crate::tlog::proof;
use crate::tlog::tree::Hash;
use crate::wire::v1::link::Seen;

/// Tiles that have come for proofs, or once something was refused for evidence of it.
#[derive(Default)]
pub(super) struct Proving {
    tiles: Tiles,
    refused: Option<Refused>,
}

impl Proving {
    /// Returns what to ask next; nothing where all is here that is wanted.
    pub(super) fn ask(&self) -> Option<Request> {
        self.tiles.wanted.map(Request::Tile)
    }

    /// Returns what is known to be wrong already, while more is asked only to show it to others.
    pub(super) fn doubt(&self) -> Option<Fault> {
        self.refused.map(Fault::Refused)
    }

    /// Takes what came.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        // A server that shows no tiles of it is refused for what it said first.
        self.tiles
            .take(bytes)
            .map_err(|fault| self.refused.map_or(fault, Fault::Refused))
    }

    /// Returns the proof that a tree of `from` leaves is the beginning of one of `to`; nothing as long as a tile of it is to
    /// be asked for.
    pub(super) fn proof(&mut self, from: u64, to: u64) -> Result<Option<Vec<Hash>>, Fault> {
        match proof::consistency(from, to, &mut |tile| self.tiles.get(tile)) {
            Ok(proof) => Ok(Some(proof)),
            Err(Missing::Tile) => Ok(None),
            Err(Missing::Refused) => Err(Check::LogTile.into()),
        }
    }

    /// Goes over to showing that two checkpoints contradict each other, which `refused` says.
    pub(super) fn contradict(&mut self, log: &LogOf, both: (Seen, Seen), refused: Refused) -> Result<(), Fault> {
        *self = Self {
            tiles: Tiles::default(),
            refused: Some(refused),
        };
        self.convict(log, both)
    }

    /// Makes the evidence, or asks for the next tile that it takes; nothing where nothing was refused.
    pub(super) fn convict(&mut self, log: &LogOf, both: (Seen, Seen)) -> Result<(), Fault> {
        match self.refused {
            Some(refused) => convict(log, both, refused, &mut self.tiles),
            None => Ok(()),
        }
    }
}
