//! Links that a transaction has appended and not sent yet.
//!
//! To and from the database is far away for a statement, so what a transaction appends goes in four statements, one a table,
//! before anything else is asked and before it commits.

use std::collections::{BTreeMap, HashSet};

use postgres::types::ToSql;
use vault_core::parcel::{OpenRecord, placements};
use vault_core::wire;

use super::connection::Transaction;
use super::read::{signed, stream_no};
use crate::store::number::{body, link_no, name, place_no};
use crate::store::{NewLink, StoreError};

/// How much waits at most, in bytes.
const ENOUGH: usize = 1024 * 1024;

/// Rows of four tables.
#[derive(Default)]
pub(super) struct Waiting {
    links: Vec<LinkRow>,
    records: Vec<RecordRow>,
    blobs: Vec<(i64, Vec<u8>)>,
    streams: BTreeMap<i64, Moved>,
    /// Streams and names of the records.
    names: HashSet<(i64, i64)>,
    bytes: usize,
}

struct LinkRow {
    no: i64,
    stream: i64,
    seq: i64,
    kind: i16,
    id: [u8; 32],
    signature: [u8; 64],
    bytes: Vec<u8>,
}

struct RecordRow {
    no: i64,
    stream: i64,
    name: i64,
    hash: [u8; 32],
    epoch: i64,
    header: Vec<u8>,
    signature: [u8; 64],
    body: Body,
}

enum Body {
    Kept { wrap: Vec<u8>, ciphertext: Vec<u8> },
    Erased { wrap: [u8; 32], ciphertext: [u8; 32] },
}

/// Where a stream was, and where it is now.
struct Moved {
    before: i64,
    links: i64,
    head: [u8; 32],
    last: i64,
}

impl RecordRow {
    fn left(&self) -> Option<(&[u8], &[u8])> {
        match &self.body {
            Body::Erased { wrap, ciphertext } => Some((wrap, ciphertext)),
            Body::Kept { .. } => None,
        }
    }

    fn kept(&self) -> Option<(&[u8], &[u8])> {
        match &self.body {
            Body::Kept { wrap, ciphertext } => Some((wrap, ciphertext)),
            Body::Erased { .. } => None,
        }
    }

    fn bytes(&self) -> usize {
        self.kept()
            .map_or(0, |(wrap, ciphertext)| wrap.len() + ciphertext.len())
    }
}

/// A column of rows.
fn column<'r, R, T>(rows: &'r [R], of: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

impl Waiting {
    /// Takes a link and what it brings; the next of its stream.
    pub(super) fn take(&mut self, link: &NewLink<'_>) -> Result<(), StoreError> {
        let no = link_no(link.agency, link.leaf)?;
        let (stream, seq) = (stream_no(link.stream)?, signed(link.link.link().seq)?);
        let id = link.link.id().0;
        let moved = self.streams.entry(stream).or_insert(Moved {
            before: seq,
            links: seq,
            head: id,
            last: 0,
        });
        if moved.links != seq {
            return Err(StoreError::Damaged("a stream has moved on unseen"));
        }
        *moved = Moved {
            before: moved.before,
            links: seq.checked_add(1).ok_or(StoreError::Bounds("links"))?,
            head: id,
            last: signed(link.leaf)?,
        };
        self.links.push(LinkRow {
            no,
            stream,
            seq,
            kind: i16::from(body(&link.link.link().body)),
            id,
            signature: link.link.signature().0,
            bytes: link.link.bytes().to_vec(),
        });
        let placements = placements(&link.link.link().body);
        for (place, (record, placement)) in link.records.iter().zip(placements).enumerate() {
            let (signature, body) = match record {
                OpenRecord::Kept { record, wrap } => (
                    record.signature().0,
                    Body::Kept {
                        wrap: wrap.0.to_vec(),
                        ciphertext: record.ciphertext().to_vec(),
                    },
                ),
                OpenRecord::Erased(erased) => (
                    erased.signature.0,
                    Body::Erased {
                        wrap: erased.body.wrap.0,
                        ciphertext: erased.body.ciphertext.0,
                    },
                ),
            };
            let row = RecordRow {
                no: place_no(no, place)?,
                stream,
                name: name(&record.header().record),
                hash: placement.record_hash.0,
                epoch: i64::from(placement.epoch.0),
                header: wire::encode(record.header())?,
                signature,
                body,
            };
            self.names.insert((stream, row.name));
            self.bytes += row.bytes();
            self.records.push(row);
        }
        for (place, bytes) in link.blobs.iter().enumerate() {
            self.bytes += bytes.len();
            self.blobs.push((place_no(no, place)?, bytes.clone()));
        }
        self.bytes += link.link.bytes().len();
        Ok(())
    }

    /// Tells whether more should not wait.
    pub(super) fn is_enough(&self) -> bool {
        self.bytes >= ENOUGH
    }

    /// Tells whether a record of a name, or another that is called alike, waits.
    pub(super) fn names(&self, stream: i64, name: i64) -> bool {
        self.names.contains(&(stream, name))
    }

    /// Sends all rows.
    pub(super) fn send(self, to: &Transaction<'_>) -> Result<(), StoreError> {
        if self.links.is_empty() {
            return Ok(());
        }
        self.send_links(to)?;
        self.send_records(to)?;
        self.send_blobs(to)?;
        self.move_streams(to)
    }

    fn send_links(&self, to: &Transaction<'_>) -> Result<(), StoreError> {
        let sql = "INSERT INTO link (no, stream, seq, kind, id, signature, bytes) SELECT * FROM unnest($1::bigint[], \
                   $2::bigint[], $3::bigint[], $4::smallint[], $5::bytea[], $6::bytea[], $7::bytea[])";
        let rows = &self.links;
        let columns: [&(dyn ToSql + Sync); 7] = [
            &column(rows, |row| row.no),
            &column(rows, |row| row.stream),
            &column(rows, |row| row.seq),
            &column(rows, |row| row.kind),
            &column(rows, |row| row.id.as_slice()),
            &column(rows, |row| row.signature.as_slice()),
            &column(rows, |row| row.bytes.as_slice()),
        ];
        to.execute_now(sql, &columns).map(drop)
    }

    fn send_records(&self, to: &Transaction<'_>) -> Result<(), StoreError> {
        if self.records.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO record (no, stream, name, hash, epoch, erased, header, signature, wrap_hash, \
                   ciphertext_hash, wrap, ciphertext) SELECT n, s, m, h, e, FALSE, d, g, wh, ch, w, c \
                   FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bytea[], \
                   $7::bytea[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[]) \
                   AS r (n, s, m, h, e, d, g, wh, ch, w, c)";
        let rows = &self.records;
        let columns: [&(dyn ToSql + Sync); 11] = [
            &column(rows, |row| row.no),
            &column(rows, |row| row.stream),
            &column(rows, |row| row.name),
            &column(rows, |row| row.hash.as_slice()),
            &column(rows, |row| row.epoch),
            &column(rows, |row| row.header.as_slice()),
            &column(rows, |row| row.signature.as_slice()),
            &column(rows, |row| row.left().map(|(wrap, _)| wrap)),
            &column(rows, |row| row.left().map(|(_, ciphertext)| ciphertext)),
            &column(rows, |row| row.kept().map(|(wrap, _)| wrap)),
            &column(rows, |row| row.kept().map(|(_, ciphertext)| ciphertext)),
        ];
        to.execute_now(sql, &columns).map(drop)
    }

    fn send_blobs(&self, to: &Transaction<'_>) -> Result<(), StoreError> {
        if self.blobs.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO blob (no, bytes) SELECT * FROM unnest($1::bigint[], $2::bytea[])";
        let columns: [&(dyn ToSql + Sync); 2] = [
            &column(&self.blobs, |(no, _)| *no),
            &column(&self.blobs, |(_, bytes)| bytes.as_slice()),
        ];
        to.execute_now(sql, &columns).map(drop)
    }

    fn move_streams(&self, to: &Transaction<'_>) -> Result<(), StoreError> {
        let sql = "UPDATE stream SET links = m.links, head = m.head, last = m.last FROM unnest($1::bigint[], \
                   $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[]) AS m (no, before, links, head, last) \
                   WHERE stream.no = m.no AND stream.links = m.before";
        let rows: Vec<(&i64, &Moved)> = self.streams.iter().collect();
        let columns: [&(dyn ToSql + Sync); 5] = [
            &column(&rows, |(no, _)| **no),
            &column(&rows, |(_, moved)| moved.before),
            &column(&rows, |(_, moved)| moved.links),
            &column(&rows, |(_, moved)| moved.head.as_slice()),
            &column(&rows, |(_, moved)| moved.last),
        ];
        let moved = to.execute_now(sql, &columns)?;
        match usize::try_from(moved).is_ok_and(|moved| moved == rows.len()) {
            true => Ok(()),
            false => Err(StoreError::Damaged("a stream has moved on unseen")),
        }
    }
}
