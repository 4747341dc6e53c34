//! Reading: one snapshot of the store, from columns to rows.

use super::column::Fixed;
use super::column::number;
use super::column::record_class;
use super::decode::columns;
use super::error::StoreError;
use super::numbers::Numbers;
use super::replay::Replay;
use super::row::FoundRecord;
use super::row::LinkRow;
use super::row::RecordAt;
use super::row::RecordRow;
use super::row::Row;
use super::row::StoredRecord;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use std::cell::Cell;
use std::cell::RefCell;
use vault_core::check::Check;
use vault_core::check::Refused;
use vault_core::crypto::sign::Signature;
use vault_core::epoch::Wrap;
use vault_core::id::AgencyId;
use vault_core::id::IdRange;
use vault_core::id::LinkId;
use vault_core::id::RecordId;
use vault_core::local::LocalKeys;
use vault_core::local::head::CommitOrder;
use vault_core::local::head::StoreHead;
use vault_core::local::head::StreamHead;
use vault_core::stream::Chain;
use vault_core::stream::UnverifiedLink;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;

/// Rows that [`ReadTx::authenticate`] takes at once.
const CHUNK: usize = 2_000;

/// One snapshot of the store.
///
/// Streams named here have an authenticated head; what the rows below it say is checked by [`Replay`] or
/// [`Self::authenticate`], and the signatures by their reader.
pub struct ReadTx<'c> {
    pub(super) connection: &'c Connection,
    pub(super) keys: &'c LocalKeys,
    pub(super) head: StoreHead,
    pub(super) numbers: RefCell<Numbers>,
    pub(super) agency_links: RefCell<Vec<LinkId>>,
    pub(super) has_written: Cell<bool>,
}

impl<'c> ReadTx<'c> {
    pub(super) fn begin(
        connection: &'c Connection,
        keys: &'c LocalKeys,
        agency: AgencyId,
        agency_links: Vec<LinkId>,
    ) -> Result<Self, StoreError> {
        let select = "SELECT agency, pos, commit_order, mac, (SELECT count(*) FROM stream) FROM meta WHERE id = 1";
        let (found, pos, order, tag, streams): (Fixed<32>, _, Fixed<32>, Fixed<32>, _) =
            connection.prepare_cached(select)?.query_row([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })?;
        let head = StoreHead {
            agency: AgencyId(found.0),
            pos,
            order: CommitOrder(order.0),
            streams,
        };
        head.require(&keys.heads, &tag.0).map_err(refused_of("store"))?;
        if head.agency != agency {
            return Err(StoreError::refused(Check::StoreHead, "store"));
        }
        Ok(Self {
            connection,
            keys,
            head,
            numbers: RefCell::default(),
            agency_links: RefCell::new(agency_links),
            has_written: Cell::new(false),
        })
    }

    /// Gives up the pages that are kept in memory, after a reading of more than anybody reads again soon.
    ///
    /// # Errors
    /// None in practice.
    pub fn forget_pages(&self) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch("PRAGMA shrink_memory")?)
    }

    /// Returns the store's head, authenticated.
    pub fn head(&self) -> StoreHead {
        self.head
    }

    /// Tells whether this transaction has placed links, which are nowhere until it is committed.
    pub fn has_written(&self) -> bool {
        self.has_written.get()
    }

    /// Returns the agency.
    pub fn agency(&self) -> AgencyId {
        self.head.agency
    }

    /// Returns the local keys.
    pub fn keys(&self) -> &LocalKeys {
        self.keys
    }

    /// Returns where a stream has got to; an empty chain for a stream without links.
    ///
    /// # Errors
    /// CHK-100.
    pub fn chain(&self, stream: StreamId) -> Result<Chain, StoreError> {
        Ok(match self.stream_head(stream)? {
            Some(head) => Chain::at(self.agency(), stream, head.seq, head.link),
            None => Chain::empty(self.agency(), stream),
        })
    }

    /// Returns a stream's head, authenticated, if it has links.
    ///
    /// # Errors
    /// CHK-100.
    pub fn stream_head(&self, stream: StreamId) -> Result<Option<StreamHead>, StoreError> {
        let found = self.numbers.borrow_mut().stream(self.connection, self.keys, stream)?;
        Ok(found.map(|found| found.head))
    }

    /// Returns the id of the agency stream's last link, which a new link cites; zero if there is none.
    ///
    /// # Errors
    /// CHK-100.
    pub fn agency_head(&self) -> Result<LinkId, StoreError> {
        let head = self.stream_head(StreamId::agency(&self.agency()))?;
        Ok(head.map_or(LinkId::ZERO, |head| head.link))
    }

    /// Returns the sequence number of a link of the agency stream.
    ///
    /// # Errors
    /// CHK-43 if it is none; CHK-41 and CHK-100 if the stream is not its head's.
    pub fn agency_seq(&self, link: &LinkId) -> Result<u64, StoreError> {
        self.load_agency()?;
        let links = self.agency_links.borrow();
        let found = links.iter().rposition(|known| known == link);
        found
            .and_then(|seq| u64::try_from(seq).ok())
            .ok_or_else(|| StoreError::refused(Check::AgencyHead, "agency"))
    }

    /// Returns the ids of the agency stream's links, by sequence number.
    ///
    /// # Errors
    /// CHK-41 and CHK-100 if the stream is not its head's.
    pub fn agency_links(&self) -> Result<Vec<LinkId>, StoreError> {
        self.load_agency()?;
        Ok(self.agency_links.borrow().clone())
    }

    pub(super) fn into_agency_links(self) -> Vec<LinkId> {
        self.agency_links.into_inner()
    }

    // Links are never overwritten, so what was loaded once stays and only what came since is read.
    pub(super) fn load_agency(&self) -> Result<(), StoreError> {
        let stream = StreamId::agency(&self.agency());
        let Some(head) = self.stream_head(stream)? else {
            return Ok(());
        };
        let last = self.agency_links.borrow().last().copied();
        if last == Some(head.link) {
            return Ok(());
        }
        let known = self.agency_links.borrow().clone();
        let length = u64::try_from(known.len()).unwrap_or(u64::MAX);
        let mut chain = match (last, length.checked_sub(1)) {
            (Some(link), Some(seq)) => Chain::at(self.agency(), stream, seq, link),
            _ => Chain::empty(self.agency(), stream),
        };
        let mut links = known;
        let sql = "SELECT bytes, signature FROM link WHERE stream = ?1 AND seq >= ?2 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((self.stream_no(stream)?, number(length)?))?;
        while let Some(row) = rows.next()? {
            let bytes: Vec<u8> = row.get(0)?;
            let signature: Fixed<64> = row.get(1)?;
            let link = UnverifiedLink::decode(&bytes, Signature(signature.0)).map_err(refused_of(stream))?;
            chain.follow(&link).map_err(refused_of(stream))?;
            links.push(link.id());
        }
        require_of(chain.head() == Some((head.seq, head.link)), Check::StreamHead, stream)?;
        self.agency_links.replace(links);
        Ok(())
    }

    /// Returns the heads of all streams of a kind, authenticated, in the order in which they began.
    ///
    /// # Errors
    /// CHK-100.
    pub fn streams(&self, kind: StreamKind) -> Result<Vec<StreamHead>, StoreError> {
        let mut all = self.all_streams()?;
        all.retain(|head| head.stream.kind == kind);
        Ok(all)
    }

    /// Returns the heads of all streams, authenticated, in the order in which they began.
    ///
    /// # Errors
    /// CHK-100.
    pub fn all_streams(&self) -> Result<Vec<StreamHead>, StoreError> {
        let all = self.numbers.borrow_mut().all(self.connection, self.keys)?;
        Ok(all.iter().map(|stream| stream.head).collect())
    }

    /// Hands the rows of a stream to `f` in stream order, in chunks of at most `chunk`.
    ///
    /// # Errors
    /// CHK-100, CHK-105, and whatever shows in a row's own columns; what `f` returns.
    pub fn scan<E: From<StoreError>>(
        &self,
        stream: StreamId,
        chunk: usize,
        f: &mut dyn FnMut(Vec<Row>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.scan_from(stream, 0, chunk, f)
    }

    /// As [`Self::scan`], from the sequence number `first` on.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub fn scan_from<E: From<StoreError>>(
        &self,
        stream: StreamId,
        first: u64,
        chunk: usize,
        f: &mut dyn FnMut(Vec<Row>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM link WHERE stream = ?1 AND seq >= ?2 ORDER BY seq"
        );
        if self.stream_head(stream)?.is_none() {
            return Ok(());
        }
        self.scan_rows(sql, (self.stream_no(stream)?, number(first)?), chunk, f)
    }

    /// Returns the streams that have links after a commit position, each with the sequence number of the first of them.
    ///
    /// # Errors
    /// CHK-100, CHK-105.
    pub fn first_after(&self, after: u64) -> Result<Vec<(StreamId, u64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT stream, min(seq) FROM link NOT INDEXED WHERE pos > ?1 GROUP BY stream ORDER BY stream",
        )?;
        let found = statement.query_map([number(after)?], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let found = found.collect::<Result<Vec<(i64, u64)>, _>>()?;
        let streams = found.into_iter();
        streams.map(|(no, first)| Ok((self.stream_id(no)?, first))).collect()
    }

    /// Returns the commit position of a link.
    ///
    /// # Errors
    /// CHK-102 where there is none.
    pub fn position_of(&self, stream: StreamId, seq: u64) -> Result<u64, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT pos FROM link WHERE stream = ?1 AND seq = ?2")?;
        let found = statement.query_row((self.stream_no(stream)?, number(seq)?), |row| row.get(0));
        found
            .optional()?
            .ok_or_else(|| StoreError::refused(Check::Dense, stream))
    }

    /// Returns the wraps that a rewrap link brought, in no order; nothing in place of one that was erased.
    pub(super) fn wraps_of(&self, stream: StreamId, seq: u64) -> Result<Vec<Option<Wrap>>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT wrap FROM rewrap WHERE pos = (SELECT pos FROM link WHERE stream = ?1 AND seq = ?2)",
        )?;
        let rows = statement.query_map((self.stream_no(stream)?, number(seq)?), |row| {
            row.get::<_, Option<Fixed<48>>>(0)
        })?;
        let wraps = rows.map(|row| Ok(row?.map(|wrap| Wrap(wrap.0))));
        wraps.collect()
    }

    /// Hands all rows from commit position `from` on to `f` in commit order, in chunks of at most `chunk`.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub fn scan_all<E: From<StoreError>>(
        &self,
        from: u64,
        chunk: usize,
        f: &mut dyn FnMut(Vec<Row>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = concat!("SELECT ", columns!(), " FROM link WHERE pos >= ?1 ORDER BY pos");
        self.scan_rows(sql, [number(from)?], chunk, f)
    }

    fn scan_rows<E: From<StoreError>>(
        &self,
        sql: &str,
        arguments: impl rusqlite::Params,
        chunk: usize,
        f: &mut dyn FnMut(Vec<Row>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self.connection.prepare_cached(sql).map_err(StoreError::from)?;
        let mut rows = statement.query(arguments).map_err(StoreError::from)?;
        let mut taken = Vec::with_capacity(chunk.min(CHUNK));
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            taken.push(self.row(row)?);
            if taken.len() >= chunk {
                f(std::mem::replace(&mut taken, Vec::with_capacity(chunk.min(CHUNK))))?;
            }
        }
        if taken.is_empty() { Ok(()) } else { f(taken) }
    }

    /// Returns a stream's links that are not records, with their sealed parts, in stream order.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub fn events(&self, stream: StreamId) -> Result<Vec<LinkRow>, StoreError> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM link WHERE stream = ?1 AND class IS NULL ORDER BY seq"
        );
        let mut events = Vec::new();
        self.each(sql, stream, &mut |row| {
            if let Row::Link(link) = row {
                events.push(*link);
            }
        })?;
        Ok(events)
    }

    /// Returns a stream's record links of one class, in stream order; an event's sealed parts are in [`Self::events`].
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub fn records_of_class(&self, stream: StreamId, class: RecordClass) -> Result<Vec<RecordRow>, StoreError> {
        let sql = match class {
            RecordClass::Note => concat!(
                "SELECT ",
                columns!(),
                " FROM link WHERE stream = ?1 AND class = 1 ORDER BY seq"
            ),
            RecordClass::Admin => concat!(
                "SELECT ",
                columns!(),
                " FROM link WHERE stream = ?1 AND class = 2 ORDER BY seq"
            ),
            RecordClass::Private => {
                concat!(
                    "SELECT ",
                    columns!(),
                    " FROM link WHERE stream = ?1 AND class = 3 ORDER BY seq"
                )
            }
            RecordClass::Attachment => {
                concat!(
                    "SELECT ",
                    columns!(),
                    " FROM link WHERE stream = ?1 AND class = 4 ORDER BY seq"
                )
            }
        };
        let mut records = Vec::new();
        self.each(sql, stream, &mut |row| {
            if let Row::Record(record) = row {
                records.push(*record);
            }
        })?;
        Ok(records)
    }

    fn each(&self, sql: &str, stream: StreamId, f: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        if self.stream_head(stream)?.is_none() {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([self.stream_no(stream)?])?;
        while let Some(row) = rows.next()? {
            f(self.row(row)?);
        }
        Ok(())
    }

    /// Returns the row at a commit position.
    ///
    /// # Errors
    /// CHK-102 if there is none; as [`Self::scan`].
    pub fn row_at(&self, pos: u64) -> Result<Row, StoreError> {
        let sql = concat!("SELECT ", columns!(), " FROM link WHERE pos = ?1");
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([number(pos)?])?;
        match rows.next()? {
            Some(row) => self.row(row),
            None => Err(StoreError::refused(Check::Dense, format!("position {pos}"))),
        }
    }

    /// Returns the record at a place.
    ///
    /// # Errors
    /// CHK-102 if there is none; as [`Self::scan`].
    pub fn record_at(&self, at: RecordAt) -> Result<StoredRecord, StoreError> {
        let of = || StoreError::refused(Check::Dense, format!("position {}", at.pos));
        match self.row_at(at.pos)? {
            Row::Record(row) if at.part == 0 => Ok(row.record),
            Row::Link(row) => row.sealed.into_iter().find(|part| part.at == at).ok_or_else(of),
            Row::Record(_) => Err(of()),
        }
    }

    /// Returns the records that a handle or longer prefix of an id stands for, at most `limit` of them.
    ///
    /// # Errors
    /// CHK-105.
    pub fn find_records(&self, range: IdRange, limit: usize) -> Result<Vec<FoundRecord>, StoreError> {
        let sql = "SELECT pos, 0 AS part, stream, record_id AS id, class, is_primary, version, body IS NULL
            FROM link WHERE record_id IS NOT NULL AND substr(record_id, 1, 5) BETWEEN substr(?1, 1, 5) AND substr(?2, 1, 5)
                AND record_id BETWEEN ?1 AND ?2
            UNION ALL SELECT s.pos, s.part, l.stream, s.record_id AS id, s.class, 0, s.version, s.body IS NULL
            FROM sealed AS s JOIN link AS l ON l.pos = s.pos
            WHERE substr(s.record_id, 1, 5) BETWEEN substr(?1, 1, 5) AND substr(?2, 1, 5)
                AND s.record_id BETWEEN ?1 AND ?2
            ORDER BY id, stream, version, pos";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((range.low, range.high))?;
        let mut all: Vec<FoundRecord> = Vec::new();
        while let Some(row) = rows.next()? {
            let id: Fixed<16> = row.get(3)?;
            let found = FoundRecord {
                record: RecordId(id.0),
                stream: self.stream_id(row.get(2)?)?,
                newest: RecordAt {
                    pos: row.get(0)?,
                    part: row.get(1)?,
                },
                class: record_class(row.get(4)?)?,
                is_primary: row.get(5)?,
                erased: row.get(7)?,
            };
            match all.last_mut() {
                Some(last) if last.record == found.record && last.stream == found.stream => *last = found,
                _ => all.push(found),
            }
            if all.len() > limit {
                all.truncate(limit);
                break;
            }
        }
        Ok(all)
    }

    /// Returns the ids of the notes that were written last, the newest first, at most `limit` of them; from clear columns
    /// alone, so what they lead to is to be checked when it is opened.
    ///
    /// # Errors
    /// What the store refuses.
    pub fn newest_notes(&self, limit: usize) -> Result<Vec<RecordId>, StoreError> {
        let sql =
            "SELECT record_id FROM link WHERE record_id IS NOT NULL AND is_primary AND class = ?1 AND body IS NOT NULL
            ORDER BY pos DESC LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query((RecordClass::Note as u8, limit))?;
        let (mut all, mut seen) = (Vec::new(), std::collections::HashSet::new());
        while let Some(row) = rows.next()? {
            let id: Fixed<16> = row.get(0)?;
            if seen.insert(id.0) {
                all.push(RecordId(id.0));
            }
        }
        Ok(all)
    }

    /// Returns the ids of the notes that were put into a stream last, the newest first; as [`Self::newest_notes`].
    ///
    /// # Errors
    /// What the store refuses.
    pub fn newest_notes_of(&self, stream: StreamId, limit: usize) -> Result<Vec<RecordId>, StoreError> {
        if self.stream_head(stream)?.is_none() {
            return Ok(Vec::new());
        }
        let sql = "SELECT record_id FROM link WHERE stream = ?1 AND class = ?2 AND is_primary = 1 AND version = 1
                AND body IS NOT NULL AND record_id IS NOT NULL ORDER BY seq DESC LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query((self.stream_no(stream)?, RecordClass::Note as u8, limit))?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(RecordId(row.get::<_, Fixed<16>>(0)?.0));
        }
        Ok(all)
    }

    /// Returns every version of a record, oldest first.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub fn versions(&self, record: RecordId) -> Result<Vec<StoredRecord>, StoreError> {
        let sql = "SELECT pos, 0 AS part, version FROM link WHERE record_id IS NOT NULL
                AND substr(record_id, 1, 5) = substr(?1, 1, 5) AND record_id = ?1
            UNION ALL SELECT pos, part, version FROM sealed
            WHERE substr(record_id, 1, 5) = substr(?1, 1, 5) AND record_id = ?1
            ORDER BY version, pos, part";
        let mut statement = self.connection.prepare_cached(sql)?;
        let places = statement
            .query_map([record.0], |row| {
                Ok(RecordAt {
                    pos: row.get(0)?,
                    part: row.get(1)?,
                })
            })?
            .collect::<Result<Vec<_>, _>>()?;
        places.into_iter().map(|at| self.record_at(at)).collect()
    }

    /// Returns the newer wraps of a record, newest first, each with the position of its rewrap link.
    ///
    /// # Errors
    /// CHK-105.
    pub fn rewraps(&self, at: RecordAt) -> Result<Vec<(u64, Wrap)>, StoreError> {
        let sql = "SELECT pos, wrap FROM rewrap WHERE record_pos = ?1 AND record_part = ?2 AND wrap IS NOT NULL
            ORDER BY pos DESC";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map((number(at.pos)?, at.part), |row| {
            let wrap: Fixed<48> = row.get(1)?;
            Ok((row.get(0)?, Wrap(wrap.0)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Counts a stream's notes: primary records of version 1 that were not erased; read from columns alone.
    ///
    /// # Errors
    /// CHK-100, CHK-105.
    pub fn count_notes(&self, stream: StreamId) -> Result<u64, StoreError> {
        if self.stream_head(stream)?.is_none() {
            return Ok(0);
        }
        let sql = "SELECT count(*) FROM link WHERE stream = ?1 AND class = 1 AND is_primary = 1 AND version = 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([self.stream_no(stream)?], |row| row.get(0))?)
    }

    /// Reads the newest version of each of a stream's notes that has more than one: primary records alone.
    ///
    /// # Errors
    /// CHK-100, CHK-105.
    pub fn amended_notes(&self, stream: StreamId) -> Result<Vec<StoredRecord>, StoreError> {
        if self.stream_head(stream)?.is_none() {
            return Ok(Vec::new());
        }
        let sql =
            "SELECT pos FROM link WHERE stream = ?1 AND class = 1 AND is_primary = 1 AND version > 1 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_map([self.stream_no(stream)?], |row| row.get::<_, u64>(0))?;
        let mut newest: std::collections::BTreeMap<RecordId, StoredRecord> = std::collections::BTreeMap::new();
        for pos in found.collect::<Result<Vec<_>, _>>()? {
            if let Row::Record(row) = self.row_at(pos)? {
                newest.insert(row.record.header.record, row.record);
            }
        }
        Ok(newest.into_values().collect())
    }

    /// Refuses a stream that has not exactly one row for each sequence number up to its head.
    ///
    /// # Errors
    /// CHK-102.
    pub fn require_dense(&self, stream: StreamId) -> Result<(), StoreError> {
        let Some(head) = self.stream_head(stream)? else {
            return Ok(());
        };
        let mut statement = self
            .connection
            .prepare_cached("SELECT seq FROM link WHERE stream = ?1 ORDER BY seq")?;
        let mut rows = statement.query([self.stream_no(stream)?])?;
        let mut next = 0u64;
        while let Some(row) = rows.next()? {
            let seq: u64 = row.get(0)?;
            require_of(seq == next, Check::Dense, stream)?;
            next = next.saturating_add(1);
        }
        require_of(next.checked_sub(1) == Some(head.seq), Check::Dense, stream)
    }

    /// Refuses a store that has not as many links as its head says.
    pub(super) fn require_complete(&self) -> Result<(), StoreError> {
        // The count may come out of an index, which is anybody's; first and last are the table's own, and leave no room for
        // a row more.
        let sql = "SELECT count(*), coalesce((SELECT min(pos) FROM link), 1), coalesce((SELECT max(pos) FROM link), 0)
            FROM link";
        let (count, first, last): (u64, i64, u64) = self
            .connection
            .prepare_cached(sql)?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let complete = count == self.head.pos && first == 1 && last == self.head.pos;
        require_of(complete, Check::Dense, "store")
    }

    /// Counts the rows of `sealed`, `rewrap` and `erased`.
    ///
    /// # Errors
    /// CHK-105.
    pub fn row_counts(&self) -> Result<(u64, u64, u64), StoreError> {
        let sql = "SELECT (SELECT count(*) FROM sealed NOT INDEXED), (SELECT count(*) FROM rewrap NOT INDEXED),
            (SELECT count(*) FROM erased NOT INDEXED)";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
    }

    /// Rebuilds a whole stream, which must arrive at its authenticated head: then every signed byte of its rows is the
    /// one that was written, at a tenth of the cost of checking the signatures again.
    ///
    /// # Errors
    /// CHK-41, CHK-47, CHK-100, CHK-102, and as [`Self::scan`].
    pub fn authenticate(&self, stream: StreamId) -> Result<(), StoreError> {
        let mut replay = Replay::of_stream(self, stream)?;
        self.scan(stream, CHUNK, &mut |rows| {
            for row in super::replay::hash_all(&rows)? {
                replay.next(&row)?;
            }
            Ok::<_, StoreError>(())
        })?;
        replay.finish(self)
    }

    pub(super) fn stream_no(&self, stream: StreamId) -> Result<i64, StoreError> {
        let found = self.numbers.borrow_mut().stream(self.connection, self.keys, stream)?;
        found
            .map(|found| found.no)
            .ok_or_else(|| StoreError::Bug(format!("stream {stream} without a link")))
    }

    pub(super) fn stream_id(&self, no: i64) -> Result<StreamId, StoreError> {
        self.numbers.borrow_mut().stream_id(self.connection, self.keys, no)
    }

    pub(super) fn actor(&self, no: i64) -> Result<[u8; 16], StoreError> {
        self.numbers.borrow_mut().actor_id(self.connection, no)
    }
}

pub(super) fn refused_of(of: impl ToString) -> impl FnOnce(Refused) -> StoreError {
    move |refused| StoreError::refused(refused.check, of)
}

pub(super) fn require_of(holds: bool, check: Check, of: impl ToString) -> Result<(), StoreError> {
    if holds {
        Ok(())
    } else {
        Err(StoreError::refused(check, of))
    }
}
