//! Going back: the links after a commit position are taken out, so that what others wrote before them, in the order of a
//! server's log, comes before them here too. Whoever takes them out puts them back in the same transaction.

use super::column::number;
use super::error::StoreError;
use super::kept::External;
use super::kept::external_of;
use super::read::require_of;
use super::replay::Replay;
use super::replay::hash_all;
use super::row::RecordAt;
use super::row::Row;
use super::write::WriteTx;
use std::collections::HashMap;
use vault_core::check::Check;
use vault_core::epoch::Wrap;
use vault_core::local::head::CommitOrder;
use vault_core::local::head::StreamHead;
use vault_core::local::index::EntryKey;
use vault_core::stream::UnverifiedLink;
use vault_core::wire::v1::stream::StreamKind;

/// Rows that are read at once.
const CHUNK: usize = 256;

/// Links that were taken out, in commit order, with all that stood beside them.
#[derive(Default)]
pub struct Waiting {
    /// The links.
    pub links: Vec<WaitingLink>,
    /// Entries of the local index that led to one of them.
    pub externals: Vec<(EntryKey, External)>,
}

/// A link that was taken out.
pub struct WaitingLink {
    /// Its row, whose commit position is no longer one.
    pub row: Row,
    /// It, as it was signed.
    pub link: UnverifiedLink,
    /// Of a rewrap, the records that it wraps anew, where they were, each with its wrap, unless it was erased.
    pub wraps: Vec<(RecordAt, Option<Wrap>)>,
}

impl WriteTx<'_> {
    /// Takes the links after commit position `to` out; `order` is the commit order there.
    ///
    /// # Errors
    /// CHK-41, CHK-47, CHK-100 for rows that do not rebuild to their streams' heads, CHK-101 where `order` does not lead to
    /// the store's.
    pub fn rewind(&mut self, to: u64, order: CommitOrder) -> Result<Waiting, StoreError> {
        if to >= self.head().pos {
            return Ok(Waiting::default());
        }
        let waiting = self.waiting_after(to, order)?;
        let back = self.chains_at(to)?;
        let connection = self.read.connection;
        let after = number(to)?;
        for sql in [
            "DELETE FROM external WHERE pos > ?1",
            "DELETE FROM rewrap WHERE pos > ?1",
            "DELETE FROM erased WHERE pos > ?1",
            "DELETE FROM sealed WHERE pos > ?1",
            "DELETE FROM link WHERE pos > ?1",
        ] {
            connection.prepare_cached(sql)?.execute([after])?;
        }
        for (stream, chain) in back {
            let head = chain.head().map(|(seq, link)| StreamHead { stream, seq, link });
            self.read.numbers.borrow_mut().take_back(connection, stream, head)?;
            if head.is_none() {
                self.read.head.streams = self.read.head.streams.saturating_sub(1);
            }
            if stream.kind == StreamKind::Agency {
                let length = usize::try_from(chain.next_seq()).unwrap_or(usize::MAX);
                self.read.agency_links.borrow_mut().truncate(length);
            }
        }
        self.read.head.pos = to;
        self.read.head.order = order;
        self.read.has_written.set(true);
        Ok(waiting)
    }

    /// Puts entries of the local index back, each at the position that `moved` has for the one where it was; one without is
    /// gone with its link.
    ///
    /// # Errors
    /// As writing.
    pub fn put_externals(
        &mut self,
        externals: &[(EntryKey, External)],
        moved: &HashMap<u64, u64>,
    ) -> Result<(), StoreError> {
        let mut statement = self.read.connection.prepare_cached(
            "INSERT INTO external (key, pos, content) VALUES (?1, ?2, ?3)
            ON CONFLICT (key) DO UPDATE SET pos = excluded.pos, content = excluded.content",
        )?;
        for (key, entry) in externals {
            if let Some(pos) = moved.get(&entry.pos) {
                statement.execute((key.0, number(*pos)?, entry.content.as_ref().map(|tag| tag.0)))?;
            }
        }
        Ok(())
    }

    /// Says of the record that a link at `pos` places that it is its note's primary one.
    ///
    /// # Errors
    /// As writing.
    pub fn make_primary(&mut self, pos: u64) -> Result<(), StoreError> {
        self.read
            .connection
            .prepare_cached("UPDATE link SET is_primary = 1 WHERE pos = ?1 AND body IS NOT NULL")?
            .execute([number(pos)?])?;
        Ok(())
    }

    fn waiting_after(&self, to: u64, order: CommitOrder) -> Result<Waiting, StoreError> {
        self.load_agency()?;
        let mut replay = Replay::of_store_after(self, to, self.chains_at(to)?)?;
        let (mut waiting, mut order) = (Waiting::default(), order);
        let mut streams = std::collections::BTreeSet::new();
        self.scan_all(to.saturating_add(1), CHUNK, &mut |rows| -> Result<(), StoreError> {
            let hashed = hash_all(&rows)?;
            let links = hashed.iter().map(|one| replay.next(one));
            let links = links.collect::<Result<Vec<_>, _>>()?;
            drop(hashed);
            for (row, link) in rows.into_iter().zip(links) {
                order = order.then(&link.id());
                streams.insert(link.link().stream);
                let wraps = self.wraps_at(row.pos())?;
                waiting.links.push(WaitingLink { row, link, wraps });
            }
            Ok(())
        })?;
        for stream in streams {
            replay.require_head(self, stream)?;
        }
        require_of(order == self.head().order, Check::StoreHead, "store")?;
        let mut statement = self
            .read
            .connection
            .prepare_cached("SELECT pos, content, key FROM external WHERE pos > ?1 ORDER BY pos")?;
        let mut rows = statement.query([number(to)?])?;
        while let Some(row) = rows.next()? {
            let key: super::column::Fixed<16> = row.get(2)?;
            waiting.externals.push((EntryKey(key.0), external_of(row)?));
        }
        Ok(waiting)
    }

    fn wraps_at(&self, pos: u64) -> Result<Vec<(RecordAt, Option<Wrap>)>, StoreError> {
        let mut statement = self
            .read
            .connection
            .prepare_cached("SELECT record_pos, record_part, wrap FROM rewrap WHERE pos = ?1 ORDER BY 1, 2")?;
        let rows = statement.query_map([number(pos)?], |row| {
            let at = RecordAt {
                pos: row.get(0)?,
                part: row.get(1)?,
            };
            let wrap: Option<super::column::Fixed<48>> = row.get(2)?;
            Ok((at, wrap.map(|wrap| Wrap(wrap.0))))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
