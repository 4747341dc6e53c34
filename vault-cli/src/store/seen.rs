//! What this device has verified of the log, which every link that it makes says (ATTACKS 44).

use super::decode::SEEN_BYTES;
use super::error::StoreError;
use super::read::ReadTx;
use super::read::refused_of;
use super::row::Row;
use super::write::WriteTx;
use vault_core::stream::Chain;
use vault_core::wire;
use vault_core::wire::v1::link::Seen;
use vault_core::wire::v1::stream::StreamId;

/// The local value's name.
const SEEN: &str = "seen";

impl ReadTx<'_> {
    /// As [`Self::chain`], for links to be made: they carry what this device has verified of the log.
    ///
    /// # Errors
    /// CHK-100, CHK-105.
    pub fn chain_to_extend(&self, stream: StreamId) -> Result<Chain, StoreError> {
        Ok(self.chain(stream)?.seeing(self.seen()?))
    }

    /// Returns the newest checkpoint of the log that this device has verified.
    ///
    /// # Errors
    /// CHK-105.
    pub fn seen(&self) -> Result<Option<Seen>, StoreError> {
        let kept = self.local(SEEN)?;
        let seen = kept.map(|bytes| wire::decode::<Seen>(&bytes, SEEN_BYTES)).transpose();
        seen.map_err(refused_of(SEEN))
    }

    /// Returns what the last link of a stream cites of the agency's, by number, and what it carries of the log.
    ///
    /// # Errors
    /// CHK-100; [`StoreError`] of the row.
    pub fn last_of(&self, stream: StreamId) -> Result<Option<(u64, Option<Seen>)>, StoreError> {
        let Some((seq, _)) = self.chain(stream)?.head() else {
            return Ok(None);
        };
        Ok(Some(match self.row_at(self.position_of(stream, seq)?)? {
            Row::Record(record) => (record.agency_seq, record.seen),
            Row::Link(row) => {
                let link = row.link.link();
                (self.agency_seq(&link.agency_head)?, link.seen)
            }
        }))
    }
}

impl WriteTx<'_> {
    /// Keeps the newest checkpoint of the log that this device has verified.
    ///
    /// # Errors
    /// [`StoreError`] of the file.
    pub fn put_seen(&mut self, seen: &Seen) -> Result<(), StoreError> {
        self.put_local(SEEN, &wire::encode(seen).map_err(refused_of(SEEN))?)
    }
}
