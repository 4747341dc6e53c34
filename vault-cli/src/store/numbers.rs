//! Local numbers: streams, members and devices, and release commitments stand in rows as small integers.
//!
//! What a transaction has looked up or given out, it keeps; a stream's head is checked against its MAC when it is
//! first met (CHK-100) and moved on in memory from there.

use super::column::Fixed;
use super::column::number;
use super::column::stream_kind;
use super::error::StoreError;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use std::collections::HashMap;
use vault_core::check::Check;
use vault_core::id::LinkId;
use vault_core::local::LocalKeys;
use vault_core::local::head::StreamHead;
use vault_core::wire;
use vault_core::wire::v1::link::ReleaseCommitment;
use vault_core::wire::v1::stream::StreamId;

/// Bytes of an encoded release commitment.
const COMMITMENT_BYTES: usize = 100;

/// A stream as a transaction knows it.
#[derive(Clone, Copy)]
pub(super) struct Stream {
    /// Its local number.
    pub(super) no: i64,
    /// Its head, moved on by this transaction's own links.
    pub(super) head: StreamHead,
    /// Whether the row says less than `head`.
    pub(super) moved: bool,
}

/// The numbers that a transaction knows.
#[derive(Default)]
pub(super) struct Numbers {
    streams: HashMap<StreamId, Stream>,
    stream_ids: HashMap<i64, StreamId>,
    actors: HashMap<[u8; 16], i64>,
    actor_ids: HashMap<i64, [u8; 16]>,
    releases: HashMap<ReleaseCommitment, i64>,
    commitments: HashMap<i64, ReleaseCommitment>,
}

const STREAMS: &str = "SELECT no, kind, id, seq, head, mac FROM stream ORDER BY no";
const STREAM_BY_ID: &str = "SELECT no, kind, id, seq, head, mac FROM stream WHERE kind = ?1 AND id = ?2";
const STREAM_BY_NO: &str = "SELECT no, kind, id, seq, head, mac FROM stream WHERE no = ?1";

impl Numbers {
    /// Returns a stream that has links, its head authenticated.
    pub(super) fn stream(
        &mut self,
        connection: &Connection,
        keys: &LocalKeys,
        id: StreamId,
    ) -> Result<Option<Stream>, StoreError> {
        if let Some(known) = self.streams.get(&id) {
            return Ok(Some(*known));
        }
        let mut statement = connection.prepare_cached(STREAM_BY_ID)?;
        let found = statement
            .query_row((id.kind as u8, id.id), |row| Ok(stream_of(row)))
            .optional()?;
        found.map(|found| self.met(keys, found?)).transpose()
    }

    /// Returns the stream that a row's number stands for.
    pub(super) fn stream_id(
        &mut self,
        connection: &Connection,
        keys: &LocalKeys,
        no: i64,
    ) -> Result<StreamId, StoreError> {
        if let Some(known) = self.stream_ids.get(&no) {
            return Ok(*known);
        }
        let mut statement = connection.prepare_cached(STREAM_BY_NO)?;
        let found = statement.query_row([no], |row| Ok(stream_of(row))).optional()?;
        let found = found.ok_or_else(|| StoreError::refused(Check::Unreadable, format!("stream number {no}")))??;
        Ok(self.met(keys, found)?.head.stream)
    }

    /// Meets every stream there is.
    pub(super) fn all(&mut self, connection: &Connection, keys: &LocalKeys) -> Result<Vec<Stream>, StoreError> {
        let mut statement = connection.prepare_cached(STREAMS)?;
        let found = statement.query_map([], |row| Ok(stream_of(row)))?;
        let found = found.collect::<Result<Vec<_>, _>>()?;
        let mut all = Vec::with_capacity(found.len());
        for stream in found {
            all.push(self.met(keys, stream?)?);
        }
        Ok(all)
    }

    fn met(&mut self, keys: &LocalKeys, (stream, tag): (Stream, [u8; 32])) -> Result<Stream, StoreError> {
        let id = stream.head.stream;
        if let Some(known) = self.streams.get(&id) {
            // A stream's row in another's place would hide that one, and the number of rows would hold.
            return match known.no == stream.no {
                true => Ok(*known),
                false => Err(StoreError::refused(Check::StoreHead, id)),
            };
        }
        stream
            .head
            .require(&keys.heads, &tag)
            .map_err(|refused| StoreError::refused(refused.check, id))?;
        self.streams.insert(id, stream);
        self.stream_ids.insert(stream.no, id);
        Ok(stream)
    }

    /// Moves a stream on, making its row if it is new; returns its number.
    pub(super) fn advance(
        &mut self,
        connection: &Connection,
        keys: &LocalKeys,
        head: StreamHead,
    ) -> Result<i64, StoreError> {
        if let Some(known) = self.streams.get_mut(&head.stream) {
            known.head = head;
            known.moved = true;
            return Ok(known.no);
        }
        let mut statement =
            connection.prepare_cached("INSERT INTO stream (kind, id, seq, head, mac) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        let no = statement.insert((
            head.stream.kind as u8,
            head.stream.id,
            number(head.seq)?,
            head.link.0,
            head.mac(&keys.heads),
        ))?;
        let moved = false;
        self.streams.insert(head.stream, Stream { no, head, moved });
        self.stream_ids.insert(no, head.stream);
        Ok(no)
    }

    /// Takes a stream back to an earlier head; without one, its row goes.
    pub(super) fn take_back(
        &mut self,
        connection: &Connection,
        stream: StreamId,
        head: Option<StreamHead>,
    ) -> Result<(), StoreError> {
        let Some(known) = self.streams.get_mut(&stream) else {
            return Err(StoreError::Bug(format!("stream {stream} was not met")));
        };
        if let Some(head) = head {
            known.head = head;
            known.moved = true;
            return Ok(());
        }
        let no = known.no;
        connection
            .prepare_cached("DELETE FROM stream WHERE no = ?1")?
            .execute([no])?;
        self.streams.remove(&stream);
        self.stream_ids.remove(&no);
        Ok(())
    }

    /// Writes the heads of all streams that moved on.
    pub(super) fn write_heads(&mut self, connection: &Connection, keys: &LocalKeys) -> Result<(), StoreError> {
        let mut statement =
            connection.prepare_cached("UPDATE stream SET seq = ?2, head = ?3, mac = ?4 WHERE no = ?1")?;
        for stream in self.streams.values_mut().filter(|stream| stream.moved) {
            let head = stream.head;
            statement.execute((stream.no, number(head.seq)?, head.link.0, head.mac(&keys.heads)))?;
            stream.moved = false;
        }
        Ok(())
    }

    /// Returns the number of a member or device, giving it one if it has none.
    pub(super) fn actor(&mut self, connection: &Connection, id: [u8; 16]) -> Result<i64, StoreError> {
        if let Some(known) = self.actors.get(&id) {
            return Ok(*known);
        }
        let mut statement = connection.prepare_cached("SELECT no FROM actor WHERE id = ?1")?;
        let found = statement.query_row([id], |row| row.get(0)).optional()?;
        let no = match found {
            Some(no) => no,
            None => connection
                .prepare_cached("INSERT INTO actor (id) VALUES (?1)")?
                .insert([id])?,
        };
        self.actors.insert(id, no);
        self.actor_ids.insert(no, id);
        Ok(no)
    }

    /// Returns the member or device that a row's number stands for.
    pub(super) fn actor_id(&mut self, connection: &Connection, no: i64) -> Result<[u8; 16], StoreError> {
        if let Some(known) = self.actor_ids.get(&no) {
            return Ok(*known);
        }
        let mut statement = connection.prepare_cached("SELECT id FROM actor WHERE no = ?1")?;
        let found: Option<Fixed<16>> = statement.query_row([no], |row| row.get(0)).optional()?;
        let id = found.ok_or_else(|| StoreError::refused(Check::Unreadable, format!("actor number {no}")))?;
        self.actors.insert(id.0, no);
        self.actor_ids.insert(no, id.0);
        Ok(id.0)
    }

    /// Returns the number of a release commitment, giving it one if it has none.
    pub(super) fn release(
        &mut self,
        connection: &Connection,
        commitment: ReleaseCommitment,
    ) -> Result<i64, StoreError> {
        if let Some(known) = self.releases.get(&commitment) {
            return Ok(*known);
        }
        let bytes = wire::encode(&commitment).map_err(|refused| StoreError::refused(refused.check, "release"))?;
        let mut statement = connection.prepare_cached("SELECT no FROM release WHERE bytes = ?1")?;
        let found = statement.query_row([&bytes], |row| row.get(0)).optional()?;
        let no = match found {
            Some(no) => no,
            None => connection
                .prepare_cached("INSERT INTO release (bytes) VALUES (?1)")?
                .insert([&bytes])?,
        };
        self.releases.insert(commitment, no);
        self.commitments.insert(no, commitment);
        Ok(no)
    }

    /// Returns the release commitment that a row's number stands for.
    pub(super) fn commitment(&mut self, connection: &Connection, no: i64) -> Result<ReleaseCommitment, StoreError> {
        if let Some(known) = self.commitments.get(&no) {
            return Ok(*known);
        }
        let mut statement = connection.prepare_cached("SELECT bytes FROM release WHERE no = ?1")?;
        let found: Option<Vec<u8>> = statement.query_row([no], |row| row.get(0)).optional()?;
        let of = || format!("release number {no}");
        let bytes = found.ok_or_else(|| StoreError::refused(Check::Unreadable, of()))?;
        let commitment: ReleaseCommitment =
            wire::decode(&bytes, COMMITMENT_BYTES).map_err(|refused| StoreError::refused(refused.check, of()))?;
        self.releases.insert(commitment, no);
        self.commitments.insert(no, commitment);
        Ok(commitment)
    }
}

fn stream_of(row: &rusqlite::Row<'_>) -> Result<(Stream, [u8; 32]), StoreError> {
    let id: Fixed<16> = row.get(2)?;
    let link: Fixed<32> = row.get(4)?;
    let tag: Fixed<32> = row.get(5)?;
    let stream = StreamId {
        kind: stream_kind(row.get(1)?)?,
        id: id.0,
    };
    let head = StreamHead {
        stream,
        seq: row.get(3)?,
        link: LinkId(link.0),
    };
    let (no, moved) = (row.get(0)?, false);
    Ok((Stream { no, head, moved }, tag.0))
}
