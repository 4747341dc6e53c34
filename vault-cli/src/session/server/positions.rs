//! Where fetched links stand in the agency's order: as of which of its links their rights are judged.
//!
//! A link's position is the last agency link below its own leaf of the log. In a store that is the last agency link before
//! it, unless it came later than agency links that are above it in the log; those positions are kept here, as runs of
//! commit positions, in a local sealed value (`docs/format.md` §12).

use crate::session::Result;
use crate::session::SessionError;
use crate::store::ReadTx;
use crate::store::WriteTx;
use vault_core::check::Check;

/// The value's name.
const NAME: &str = "positions";

/// Positions that are not those of the order of rows, by commit position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::session) struct Positions {
    /// First and last commit position, sequence number of the agency's link; ascending, none within another.
    runs: Vec<(u64, u64, u64)>,
}

impl Positions {
    pub(in crate::session) fn load(tx: &ReadTx<'_>) -> Result<Self> {
        let Some(bytes) = tx.local(NAME)? else {
            return Ok(Self::default());
        };
        let malformed = || SessionError::refused(Check::LocalValue, NAME);
        let runs: Vec<(u64, u64, u64)> = serde_json::from_slice(&bytes).map_err(|_| malformed())?;
        let ascend = runs.iter().all(|(first, last, _)| first <= last)
            && runs
                .windows(2)
                .all(|two| matches!(two, [(_, last, _), (next, ..)] if last < next));
        match ascend {
            true => Ok(Self { runs }),
            false => Err(malformed()),
        }
    }

    pub(super) fn store(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        if self.runs.is_empty() {
            return Ok(());
        }
        let bytes = serde_json::to_vec(&self.runs).map_err(|error| SessionError::Bug(error.to_string()))?;
        Ok(tx.put_local(NAME, &bytes)?)
    }

    /// Returns the position of the link at a commit position, where the order of rows does not give it.
    pub(in crate::session) fn of(&self, pos: u64) -> Option<u64> {
        let run = self.runs.partition_point(|(_, last, _)| *last < pos);
        let (first, _, position) = self.runs.get(run)?;
        (*first <= pos).then_some(*position)
    }

    /// Adds the link at a commit position behind all that are here.
    pub(super) fn push(&mut self, pos: u64, position: u64) {
        match self.runs.last_mut() {
            Some((_, last, of)) if last.checked_add(1) == Some(pos) && *of == position => *last = pos,
            _ => self.runs.push((pos, pos, position)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn runs_grow_and_are_found() {
        let mut positions = Positions::default();
        for (pos, position) in [(5, 2), (6, 2), (7, 3), (9, 3), (10, 3), (20, 1)] {
            positions.push(pos, position);
        }
        assert_eq!(positions.runs, [(5, 6, 2), (7, 7, 3), (9, 10, 3), (20, 20, 1)]);
        let found: Vec<_> = (4..=21).map(|pos| positions.of(pos)).collect();
        let some = |position| Some(position);
        let mut expected = vec![None, some(2), some(2), some(3), None, some(3), some(3)];
        expected.extend([None; 9]);
        expected.extend([some(1), None]);
        assert_eq!(found, expected);
    }
}
