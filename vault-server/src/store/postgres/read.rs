//! Reading rows.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Row;
use postgres::types::FromSql;
use vault_core::case_state::PlacedRecord;
use vault_core::crypto::sign::Signature;
use vault_core::id::{AgencyId, CiphertextHash, LinkId, MemberId, RecordHash, RecordId, WrapHash};
use vault_core::secret::SigningSeed;
use vault_core::stream::UnverifiedLink;
use vault_core::tlog::tree::Hash;
use vault_core::wire;
use vault_core::wire::v1::enrolment::InviteId;
use vault_core::wire::v1::record::{HEADER_BYTES, RecordHeader};
use vault_core::wire::v1::stream::{Day, Epoch, StreamId};
use vault_core::wire::v1::sync::{
    Blob, CarriedBody, CarriedRecord, ErasedBody, KeptBody, ListedStream, Parcel, PlacedParcel, StreamPage,
};

use super::connection::Transaction;
use crate::store::number::{PLACE_BITS, invite_kind, kind, leaf, link_no, links_of, name, within};
use crate::store::row::{NEAR, PARCEL_BYTES, with_last, wrap_hash};
use crate::store::{
    AgencyNo, AgencyRow, CosignatureRow, InviteRow, Part, Reader, Reads, StoreError, StoredLink, StreamNo, StreamRow,
    Totals, Which,
};

/// Links of a page at most, whose weights are looked at.
const PAGE_LINKS: i64 = 1024;

/// Returns a column of fixed length.
pub(super) fn fixed<const N: usize>(row: &Row, at: usize) -> Result<[u8; N], StoreError> {
    let bytes: &[u8] = column(row, at)?;
    bytes
        .try_into()
        .map_err(|_| StoreError::Damaged("a column of another length"))
}

/// Returns a column.
pub(super) fn column<'a, T: FromSql<'a>>(row: &'a Row, at: usize) -> Result<T, StoreError> {
    Ok(row.try_get(at)?)
}

/// Returns a column that counts.
pub(super) fn count(row: &Row, at: usize) -> Result<u64, StoreError> {
    u64::try_from(column::<i64>(row, at)?).map_err(|_| StoreError::Damaged("a count below nothing"))
}

/// A number as the database takes it.
pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Bounds("links"))
}

pub(super) fn stream_no(stream: StreamNo) -> Result<i64, StoreError> {
    i64::try_from(stream.0).map_err(|_| StoreError::Bounds("streams"))
}

pub(super) fn agency_no(agency: AgencyNo) -> Result<i32, StoreError> {
    i32::try_from(agency.0).map_err(|_| StoreError::Bounds("agencies"))
}

fn header(row: &Row, at: usize) -> Result<RecordHeader, StoreError> {
    Ok(wire::decode(column(row, at)?, HEADER_BYTES)?)
}

fn invite(row: &Row) -> Result<InviteRow, StoreError> {
    let number = |at: usize| -> Result<u32, StoreError> {
        u32::try_from(column::<i64>(row, at)?).map_err(|_| StoreError::Damaged("a day beyond all"))
    };
    let agency = u32::try_from(column::<i32>(row, 1)?).map_err(|_| StoreError::Damaged("an agency below nothing"))?;
    let kind = u8::try_from(column::<i16>(row, 3)?).unwrap_or_default();
    Ok(InviteRow {
        id: InviteId(fixed(row, 0)?),
        agency: AgencyNo(agency),
        opener: MemberId(fixed(row, 2)?),
        kind: invite_kind(kind)?,
        until: Day(number(4)?),
        request: column(row, 5)?,
        answer: column(row, 6)?,
        enrolment: column(row, 7)?,
    })
}

fn stream_id(row: &Row, at: usize) -> Result<StreamId, StoreError> {
    let number = u8::try_from(column::<i16>(row, at)?).unwrap_or_default();
    let (kind, id) = (kind(number)?, fixed(row, at + 1)?);
    Ok(StreamId { kind, id })
}

fn placed(row: &Row) -> Result<(RecordHash, PlacedRecord), StoreError> {
    let header = header(row, 1)?;
    let epoch = u32::try_from(column::<i64>(row, 2)?).map_err(|_| StoreError::Damaged("an epoch beyond all"))?;
    let placed = PlacedRecord {
        record: header.record,
        version: header.version,
        section: header.section,
        epoch: Epoch(epoch),
        author: header.member,
        erased: column(row, 3)?,
    };
    Ok((RecordHash(fixed(row, 0)?), placed))
}

impl Transaction<'_> {
    /// The links of a stream as `which` says, and no bodies.
    fn link_rows(&self, stream: StreamNo, which: Which) -> Result<Vec<(i64, UnverifiedLink)>, StoreError> {
        let (sql, from) = match which {
            Which::All => (
                "SELECT no, signature, bytes FROM link WHERE stream = $1 AND seq >= $2 ORDER BY seq",
                0,
            ),
            Which::From(seq) => (
                "SELECT no, signature, bytes FROM link WHERE stream = $1 AND seq >= $2 ORDER BY seq",
                seq,
            ),
            Which::Events => (
                "SELECT no, signature, bytes FROM link WHERE stream = $1 AND seq >= $2 \
                 AND kind IN (2, 3) AND kind = 2 ORDER BY seq",
                0,
            ),
            Which::Rewraps => (
                "SELECT no, signature, bytes FROM link WHERE stream = $1 AND seq >= $2 \
                 AND kind IN (2, 3) AND kind = 3 ORDER BY seq",
                0,
            ),
            Which::Last => (
                "SELECT no, signature, bytes FROM link WHERE stream = $1 AND seq >= $2 ORDER BY seq DESC LIMIT 1",
                0,
            ),
        };
        let rows = self.rows(sql, &[&stream_no(stream)?, &signed(from)?])?;
        let link = |row: &Row| {
            let link = UnverifiedLink::decode(column(row, 2)?, Signature(fixed(row, 1)?))?;
            Ok((column(row, 0)?, link))
        };
        rows.iter().map(link).collect()
    }

    /// What is in links, by their numbers: rows of a statement that begin with a number.
    ///
    /// Such a statement asks link by link, with a limit: of a plain join with ranges PostgreSQL believes that each range takes
    /// in a large part of the table, and reads all of it for every page.
    fn by_link<T>(
        &self,
        sql: &'static str,
        links: &[i64],
        each: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<BTreeMap<i64, Vec<T>>, StoreError> {
        let mut found: BTreeMap<i64, Vec<T>> = BTreeMap::new();
        for row in self.rows(sql, &[&links])? {
            let no: i64 = column(&row, 0)?;
            found.entry(no >> PLACE_BITS).or_default().push(each(&row)?);
        }
        Ok(found)
    }

    fn parts(&self, links: &[i64]) -> Result<BTreeMap<i64, Vec<Part>>, StoreError> {
        let sql = "SELECT r.no, r.hash, r.header, r.wrap_hash, r.wrap FROM unnest($1::bigint[]) AS l (no) \
                   CROSS JOIN LATERAL (SELECT * FROM record WHERE no BETWEEN l.no << 15 AND (l.no << 15) + 32767 \
                     ORDER BY no LIMIT 32768) AS r ORDER BY r.no";
        self.by_link(sql, links, |row| {
            let (known, wrap): (Option<&[u8]>, Option<&[u8]>) = (column(row, 3)?, column(row, 4)?);
            let wrap_hash = match (known, wrap) {
                (Some(_), _) => WrapHash(fixed(row, 3)?),
                (None, Some(wrap)) => wrap_hash(wrap)?,
                (None, None) => return Err(StoreError::Damaged("a record without its wrap")),
            };
            Ok(Part {
                header: header(row, 2)?,
                hash: RecordHash(fixed(row, 1)?),
                wrap_hash,
            })
        })
    }

    fn carried(&self, links: &[i64]) -> Result<BTreeMap<i64, Vec<CarriedRecord>>, StoreError> {
        let sql = "SELECT r.no, r.header, r.signature, r.ciphertext_hash, r.wrap_hash, r.wrap, r.ciphertext \
                   FROM unnest($1::bigint[]) AS l (no) \
                   CROSS JOIN LATERAL (SELECT * FROM record WHERE no BETWEEN l.no << 15 AND (l.no << 15) + 32767 \
                     ORDER BY no LIMIT 32768) AS r ORDER BY r.no";
        self.by_link(sql, links, |row| {
            let left: (Option<&[u8]>, Option<&[u8]>) = (column(row, 3)?, column(row, 4)?);
            let body = match left {
                (Some(_), Some(_)) => CarriedBody::Erased(ErasedBody {
                    ciphertext: CiphertextHash(fixed(row, 3)?),
                    wrap: WrapHash(fixed(row, 4)?),
                }),
                _ => CarriedBody::Kept(KeptBody {
                    wrap: column(row, 5)?,
                    ciphertext: column(row, 6)?,
                }),
            };
            Ok(CarriedRecord {
                header: header(row, 1)?,
                signature: Signature(fixed(row, 2)?),
                body,
            })
        })
    }

    fn blobs(&self, links: &[i64]) -> Result<BTreeMap<i64, Vec<Blob>>, StoreError> {
        let sql = "SELECT b.no, b.bytes FROM unnest($1::bigint[]) AS l (no) \
                   CROSS JOIN LATERAL (SELECT * FROM blob WHERE no BETWEEN l.no << 15 AND (l.no << 15) + 32767 \
                     ORDER BY no LIMIT 32768) AS b ORDER BY b.no";
        self.by_link(sql, links, |row| {
            let bytes: Option<Vec<u8>> = column(row, 1)?;
            let bytes = bytes.unwrap_or_default();
            Ok(Blob { bytes })
        })
    }

    /// The links of a page, by what they and what they name weigh, and whether there is more.
    fn page_links(&self, stream: StreamNo, from: u64, bytes: usize) -> Result<(Vec<i64>, bool), StoreError> {
        // The lengths of long values are known without reading them.
        let sql = "SELECT l.no, octet_length(l.bytes) \
                   + coalesce((SELECT sum(octet_length(r.header) + coalesce(octet_length(r.wrap), 0) \
                     + coalesce(octet_length(r.ciphertext), 0)) FROM record r \
                     WHERE r.no BETWEEN l.no << 15 AND (l.no << 15) + 32767), 0) \
                   + coalesce((SELECT sum(octet_length(b.bytes)) FROM blob b \
                     WHERE b.no BETWEEN l.no << 15 AND (l.no << 15) + 32767), 0) \
                   FROM link l WHERE l.stream = $1 AND l.seq >= $2 ORDER BY l.seq LIMIT $3";
        let rows = self.rows(sql, &[&stream_no(stream)?, &signed(from)?, &PAGE_LINKS])?;
        let (mut links, mut taken) = (Vec::new(), 0_usize);
        for row in &rows {
            let weight = usize::try_from(count(row, 1)?).unwrap_or(usize::MAX);
            taken = taken.saturating_add(weight).saturating_add(PARCEL_BYTES);
            if taken > bytes && !links.is_empty() {
                return Ok((links, true));
            }
            links.push(column(row, 0)?);
        }
        let all = i64::try_from(rows.len()).is_ok_and(|rows| rows < PAGE_LINKS);
        Ok((links, !all))
    }
}

impl Reads for Transaction<'_> {
    fn agencies(&self) -> Result<Vec<AgencyRow>, StoreError> {
        let rows = self.rows("SELECT no, log_seed, id FROM agency ORDER BY no", &[])?;
        rows.iter().map(agency_row).collect()
    }

    fn agency(&self, id: &AgencyId) -> Result<Option<AgencyRow>, StoreError> {
        let sql = "SELECT no, log_seed, id FROM agency WHERE id = $1";
        let row = self.row(sql, &[&id.0.as_slice()])?;
        row.as_ref().map(agency_row).transpose()
    }

    fn size(&self, agency: AgencyNo) -> Result<u64, StoreError> {
        let (first, last) = links_of(agency)?;
        let row = self.row("SELECT max(no) FROM link WHERE no BETWEEN $1 AND $2", &[&first, &last])?;
        let last: Option<i64> = row.as_ref().map(|row| column(row, 0)).transpose()?.flatten();
        Ok(last.map_or(0, |no| leaf(no) + 1))
    }

    fn stream(&self, agency: AgencyNo, stream: StreamId) -> Result<Option<StreamRow>, StoreError> {
        let sql = "SELECT no, links, head, last FROM stream WHERE agency = $1 AND kind = $2 AND id = $3";
        let kind = i16::from(stream.kind as u8);
        let row = self.row(sql, &[&agency_no(agency)?, &kind, &stream.id.as_slice()])?;
        let row = row.as_ref().map(|row| {
            Ok::<_, StoreError>(StreamRow {
                no: StreamNo(count(row, 0)?),
                links: count(row, 1)?,
                head: LinkId(fixed(row, 2)?),
                last: count(row, 3)?,
            })
        });
        row.transpose()
    }

    fn streams(&self, agency: AgencyNo, after: u64, reader: &Reader) -> Result<Vec<ListedStream>, StoreError> {
        let size = self.size(agency)?;
        if after >= size {
            return Ok(Vec::new());
        }
        let sql = match size - after <= NEAR {
            true => {
                "SELECT s.kind, s.id, s.links, s.last FROM stream s \
                 WHERE s.agency = $1 AND s.links > 0 AND s.last >= $2 AND (s.kind = 1 \
                   OR (s.kind = 2 AND EXISTS (SELECT FROM holder h WHERE h.stream = s.no AND h.member = $3)) \
                   OR (s.kind = 3 AND ($4 OR s.id = $5))) \
                 AND s.no IN (SELECT stream FROM link WHERE no BETWEEN $6 AND $7) ORDER BY s.last"
            }
            false => {
                "SELECT s.kind, s.id, s.links, s.last FROM stream s \
                 WHERE s.agency = $1 AND s.links > 0 AND s.last >= $2 AND (s.kind = 1 \
                   OR (s.kind = 2 AND EXISTS (SELECT FROM holder h WHERE h.stream = s.no AND h.member = $3)) \
                   OR (s.kind = 3 AND ($4 OR s.id = $5))) \
                 AND $6::bigint < $7::bigint ORDER BY s.last"
            }
        };
        let (first, last) = (link_no(agency, after)?, links_of(agency)?.1);
        let (member, device) = (reader.member.0.as_slice(), reader.device.0.as_slice());
        let rows = self.rows(
            sql,
            &[
                &agency_no(agency)?,
                &signed(after)?,
                &member,
                &reader.reviews,
                &device,
                &first,
                &last,
            ],
        )?;
        let listed = |row: &Row| {
            Ok(ListedStream {
                stream: stream_id(row, 0)?,
                links: count(row, 2)?,
                last: count(row, 3)?,
            })
        };
        rows.iter().map(listed).collect()
    }

    fn holds(&self, stream: StreamNo, member: MemberId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM holder WHERE stream = $1 AND member = $2";
        let row = self.row(sql, &[&stream_no(stream)?, &member.0.as_slice()])?;
        Ok(row.is_some())
    }

    fn holders(&self, stream: StreamNo) -> Result<BTreeSet<MemberId>, StoreError> {
        let rows = self.rows("SELECT member FROM holder WHERE stream = $1", &[&stream_no(stream)?])?;
        rows.iter().map(|row| Ok(MemberId(fixed(row, 0)?))).collect()
    }

    fn link_at(&self, stream: StreamNo, seq: u64) -> Result<Option<(u64, LinkId)>, StoreError> {
        let sql = "SELECT no, id FROM link WHERE stream = $1 AND seq = $2";
        let row = self.row(sql, &[&stream_no(stream)?, &signed(seq)?])?;
        let found = row.map(|row| Ok::<_, StoreError>((leaf(column(&row, 0)?), LinkId(fixed(&row, 1)?))));
        found.transpose()
    }

    fn links(
        &self,
        stream: StreamNo,
        which: Which,
        each: &mut dyn FnMut(StoredLink) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let links = with_last(which, |which| self.link_rows(stream, which))?;
        let numbers: Vec<i64> = links.iter().map(|(no, _)| *no).collect();
        let mut parts = self.parts(&numbers)?;
        for (no, link) in links {
            each(StoredLink {
                leaf: leaf(no),
                link,
                parts: parts.remove(&no).unwrap_or_default(),
            })?;
        }
        Ok(())
    }

    fn page(&self, stream: StreamNo, from: u64, bytes: usize) -> Result<StreamPage, StoreError> {
        let (links, more) = self.page_links(stream, from, bytes)?;
        let (mut records, mut blobs) = (self.carried(&links)?, self.blobs(&links)?);
        let rows = self.rows(
            "SELECT no, signature, bytes FROM link WHERE no = ANY ($1) ORDER BY no",
            &[&links],
        )?;
        let parcel = |row: &Row| {
            let no: i64 = column(row, 0)?;
            let parcel = Parcel {
                link: column(row, 2)?,
                signature: Signature(fixed(row, 1)?),
                records: records.remove(&no).unwrap_or_default(),
                blobs: blobs.remove(&no).unwrap_or_default(),
            };
            Ok(PlacedParcel { leaf: leaf(no), parcel })
        };
        let parcels: Result<Vec<_>, StoreError> = rows.iter().map(parcel).collect();
        Ok(StreamPage {
            parcels: parcels?,
            more: u8::from(more),
        })
    }

    fn versions(&self, stream: StreamNo, record: RecordId) -> Result<Vec<(RecordHash, PlacedRecord)>, StoreError> {
        let sql = "SELECT hash, header, epoch, erased FROM record WHERE stream = $1 AND name = $2 ORDER BY no";
        let (no, called) = (stream_no(stream)?, name(&record));
        if self.foreseen().has_none(no, called) {
            return Ok(Vec::new());
        }
        // Each note that is appended asks this of a name that is nearly always new.
        if self.waiting().names(no, called) {
            self.send()?;
        }
        let rows = self.rows_now(sql, &[&no, &called])?;
        let found: Result<Vec<_>, _> = rows.iter().map(placed).collect();
        Ok(found?.into_iter().filter(|(_, one)| one.record == record).collect())
    }

    fn records(
        &self,
        stream: StreamNo,
        hashes: &BTreeSet<RecordHash>,
    ) -> Result<Vec<(RecordHash, PlacedRecord)>, StoreError> {
        let sql = "SELECT hash, header, epoch, erased FROM record WHERE stream = $1 AND hash = ANY ($2) ORDER BY no";
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.0.as_slice()).collect();
        let rows = self.rows(sql, &[&stream_no(stream)?, &hashes])?;
        rows.iter().map(placed).collect()
    }

    fn places(&self, agency: AgencyNo, from: u64, count_of: u16) -> Result<Vec<(StreamId, u64, LinkId)>, StoreError> {
        let sql = "SELECT s.kind, s.id, l.seq, l.id FROM link l JOIN stream s ON s.no = l.stream \
                   WHERE l.no >= $1 AND l.no < $2 ORDER BY l.no";
        let to = from
            .checked_add(u64::from(count_of))
            .ok_or(StoreError::Bounds("links"))?;
        let rows = self.rows(sql, &[&link_no(agency, from)?, &link_no(agency, to)?])?;
        let place = |row: &Row| Ok((stream_id(row, 0)?, count(row, 2)?, LinkId(fixed(row, 3)?)));
        let places: Result<Vec<_>, StoreError> = rows.iter().map(place).collect();
        match rows.len() == usize::from(count_of) {
            true => places,
            false => Err(StoreError::Damaged("leaves are missing")),
        }
    }

    fn tile(&self, agency: AgencyNo, level: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM tile WHERE agency = $1 AND level = $2 AND \"index\" = $3";
        let row = self.row(sql, &[&agency_no(agency)?, &i16::from(level), &signed(index)?])?;
        row.map(|row| column(&row, 0)).transpose()
    }

    fn invite(&self, id: &InviteId) -> Result<Option<InviteRow>, StoreError> {
        let sql = "SELECT id, agency, opener, kind, until, request, answer, enrolment FROM invite WHERE id = $1";
        let row = self.row(sql, &[&id.0.as_slice()])?;
        row.as_ref().map(invite).transpose()
    }

    fn invites(&self, agency: AgencyNo) -> Result<Vec<InviteRow>, StoreError> {
        let sql = "SELECT id, agency, opener, kind, until, request, answer, enrolment FROM invite \
                   WHERE agency = $1 ORDER BY id";
        self.rows(sql, &[&agency_no(agency)?])?.iter().map(invite).collect()
    }

    fn cosignatures(&self, agency: AgencyNo) -> Result<Vec<CosignatureRow>, StoreError> {
        let sql = "SELECT witness, size, root, time, signature FROM cosignature WHERE agency = $1 ORDER BY witness";
        let of = |row: &Row| {
            Ok(CosignatureRow {
                agency,
                witness: column(row, 0)?,
                size: count(row, 1)?,
                root: Hash(fixed(row, 2)?),
                time: count(row, 3)?,
                signature: Signature(fixed(row, 4)?),
            })
        };
        self.rows(sql, &[&agency_no(agency)?])?.iter().map(of).collect()
    }

    fn erasable(&self, agency: AgencyNo, from: u64) -> Result<u64, StoreError> {
        let (first, last) = within(agency, from)?;
        let sql = "SELECT (SELECT coalesce(sum(octet_length(wrap) + octet_length(ciphertext)), 0) FROM record \
                   WHERE no BETWEEN $1 AND $2)::bigint + (SELECT coalesce(sum(octet_length(bytes)), 0) FROM blob \
                   WHERE no BETWEEN $1 AND $2)::bigint";
        self.row(sql, &[&first, &last])?.map_or(Ok(0), |row| count(&row, 0))
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM agency), (SELECT count(*) FROM stream), \
                   (SELECT coalesce(sum(links), 0)::bigint FROM stream), pg_database_size(current_database())";
        let row = self.row(sql, &[])?.ok_or(StoreError::Damaged("nothing is counted"))?;
        Ok(Totals {
            agencies: count(&row, 0)?,
            streams: count(&row, 1)?,
            links: count(&row, 2)?,
            bytes: count(&row, 3)?,
        })
    }
}

fn agency_row(row: &Row) -> Result<AgencyRow, StoreError> {
    let no = u32::try_from(column::<i32>(row, 0)?).map_err(|_| StoreError::Damaged("an agency below nothing"))?;
    Ok(AgencyRow {
        no: AgencyNo(no),
        id: AgencyId(fixed(row, 2)?),
        log_seed: SigningSeed::from_bytes(fixed(row, 1)?),
    })
}
