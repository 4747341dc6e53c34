//! Cosignatures: what witnesses that the root names bring, kept as the newest of each, and given to whoever asks.
//!
//! ```text
//! note ─> log's signature, cosignatures ─> is it a tree of this log? ─> newer than what is kept? ─> held, and so again
//!      ─> committed
//! ```
//! What is given out may be brought back by anybody, so a note with nothing newer never waits for the one who writes.
//!
//! They are verified here so that nobody fills the table; a client verifies them again.

use vault_core::check::{Check, Refused, require};
use vault_core::crypto::sign::VerifyingKey;
use vault_core::id::AgencyId;
use vault_core::tlog::checkpoint::{Checkpoint, Cosignature, SignedCheckpoint, Witness};
use vault_core::tlog::proof;
use vault_core::tlog::tile::Tile;
use vault_core::tlog::tree::Hash;
use vault_core::tlog::witness::AHEAD_SECONDS;
use vault_core::wire;
use vault_core::wire::v1::agency::Verifier;
use vault_core::wire::v1::follow::{CosignedNote, CosignedNotes};
use vault_core::wire::v1::limit;

use super::{Agency, Published, Service, ServiceError};
use crate::store::{CosignatureRow, StoreError, reading, writing};

/// What came of a note that a witness brought; inside, why nothing of it was taken.
pub type Cosigned = Result<Result<(), Refused>, ServiceError>;

impl Service {
    /// Takes the cosignatures that a note has of witnesses whom the root in force names; `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`ServiceError`]; inside, what is wrong with the note, its signatures or their times, and
    /// [`Check::LogConsistency`] for a tree that is none of the agency's log.
    pub fn cosign(&self, agency: &Agency, note: &[u8], now: u64) -> Cosigned {
        let published = agency.published();
        let read = || {
            let log = VerifyingKey::new(&agency.log_key(), Check::CheckpointSignature)?;
            let signed = SignedCheckpoint::open(note, agency.id(), &log, &witnesses(&published))?;
            require(!signed.cosigned().is_empty(), Check::Cosignature)?;
            let latest = now.saturating_add(AHEAD_SECONDS);
            require(
                signed.cosigned().iter().all(|one| one.time <= latest),
                Check::Cosignature,
            )?;
            Ok(signed)
        };
        let signed = match read() {
            Ok(signed) => signed,
            Err(refused) => return Ok(Err(refused)),
        };
        let told = signed.checkpoint();
        let size = published.edge.size();
        if told.size > size || self.root_of(agency, &published, told.size)? != told.root {
            return Ok(Err(Check::LogConsistency.into()));
        }
        let rows: Result<Vec<_>, Refused> = signed.cosigned().iter().map(|one| row(agency, told, one)).collect();
        let rows = match rows {
            Ok(rows) => rows,
            Err(refused) => return Ok(Err(refused)),
        };
        let kept = reading(self.store.as_ref(), |reads| reads.cosignatures(agency.no()))?;
        if !rows.iter().any(|row| is_newer(row, &kept)) {
            return Ok(Ok(()));
        }
        writing(self.store.as_ref(), |writes| {
            writes.hold(agency.no())?;
            let kept = writes.cosignatures(agency.no())?;
            for row in rows.iter().filter(|row| is_newer(row, &kept)) {
                writes.put_cosignature(row)?;
            }
            Ok(())
        })?;
        Ok(Ok(()))
    }

    /// Returns the newest cosignature of each witness that the root in force names, in notes.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn cosigned(&self, agency: &Agency) -> Result<CosignedNotes, ServiceError> {
        let mut all = self.taken(agency, &agency.published())?;
        all.sort_by_key(|(checkpoint, _)| checkpoint.size);
        let mut notes = Vec::new();
        for same in all.chunk_by(|(one, _), (next, _)| one == next) {
            let lines: Vec<_> = same.iter().map(|(_, cosignature)| cosignature.clone()).collect();
            if let Some((checkpoint, _)) = same.first() {
                let note = agency.note_of(checkpoint, &lines).map_err(StoreError::from)?;
                notes.push(CosignedNote {
                    note: note.into_bytes(),
                });
            }
        }
        Ok(CosignedNotes { notes })
    }

    /// Returns the newest checkpoint's note, with the cosignatures that are over it. Where those cannot be read or written
    /// down it comes without: nobody could follow the log otherwise.
    pub fn checkpoint(&self, agency: &Agency) -> String {
        let published = agency.published();
        let newest = Checkpoint {
            agency: agency.id(),
            size: published.edge.size(),
            root: published.edge.root(),
        };
        let all = self.taken(agency, &published).unwrap_or_default().into_iter();
        let over: Vec<_> = all.filter(|(one, _)| *one == newest).map(|(_, one)| one).collect();
        let with = agency.note_of(&newest, &over);
        with.unwrap_or_else(|_| published.checkpoint.as_ref().to_owned())
    }

    fn taken(&self, agency: &Agency, published: &Published) -> Result<Vec<(Checkpoint, Cosignature)>, ServiceError> {
        let named = witnesses(published);
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let rows = reading(self.store.as_ref(), |reads| reads.cosignatures(agency.no()))?;
        let all: Result<Vec<_>, _> = rows.iter().map(|row| taken(agency.id(), row)).collect();
        let all = all?.into_iter().filter(|(_, one)| named.contains(&one.witness));
        Ok(all.collect())
    }

    /// Computes the root that the log had when it had so many leaves.
    fn root_of(&self, agency: &Agency, published: &Published, size: u64) -> Result<Hash, ServiceError> {
        if size == published.edge.size() {
            return Ok(published.edge.root());
        }
        let mut tiles = |tile: Tile| {
            let bytes = self.tile(agency, tile, false)?;
            let bytes = bytes.ok_or(StoreError::Damaged("a tile is missing"))?;
            Ok(tile.read(&bytes).map_err(StoreError::from)?)
        };
        proof::root(size, &mut tiles)
    }
}

/// Tells whether the root in force names witnesses.
pub fn is_witnessed(published: &Published) -> bool {
    !witnesses(published).is_empty()
}

fn witnesses(published: &Published) -> Vec<Witness> {
    let state = published.state.as_ref();
    state.map_or_else(Vec::new, |state| Witness::named(state.root()))
}

/// Tells whether a row is of a longer tree than what is kept of its witness, or of that one and later.
fn is_newer(row: &CosignatureRow, kept: &[CosignatureRow]) -> bool {
    let known = kept.iter().find(|known| known.witness == row.witness);
    known.is_none_or(|known| (known.size, known.time) < (row.size, row.time))
}

fn row(agency: &Agency, of: &Checkpoint, cosignature: &Cosignature) -> Result<CosignatureRow, Refused> {
    Ok(CosignatureRow {
        agency: agency.no(),
        witness: wire::encode(&cosignature.witness.verifier())?,
        size: of.size,
        root: of.root,
        time: cosignature.time,
        signature: cosignature.signature,
    })
}

/// Reads a row; whether it holds is not looked at.
pub(crate) fn taken(agency: AgencyId, row: &CosignatureRow) -> Result<(Checkpoint, Cosignature), StoreError> {
    let verifier: Verifier = wire::decode(&row.witness, limit::ROOT)?;
    let checkpoint = Checkpoint {
        agency,
        size: row.size,
        root: row.root,
    };
    let cosignature = Cosignature {
        witness: Witness::of(&verifier).ok_or(StoreError::Damaged("a witness that no root can name"))?,
        time: row.time,
        signature: row.signature,
    };
    Ok((checkpoint, cosignature))
}
