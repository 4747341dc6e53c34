//! Reading rows.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Row, params};
use vault_core::case_state::PlacedRecord;
use vault_core::crypto::sign::Signature;
use vault_core::id::{AgencyId, LinkId, MemberId, RecordHash, RecordId, WrapHash};
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

use super::Transaction;
use crate::store::number::{invite_kind, kind, leaf, link_no, links_of, name, whole, within};
use crate::store::row::{NEAR, weight, with_last, wrap_hash};
use crate::store::{
    AgencyNo, AgencyRow, CosignatureRow, InviteRow, Part, Reader, Reads, StoreError, StoredLink, StreamNo, StreamRow,
    Totals, Which,
};

impl Transaction<'_> {
    /// The links of a stream as `which` says, and no bodies.
    fn link_rows(&self, stream: StreamNo, which: Which) -> Result<Vec<(i64, UnverifiedLink)>, StoreError> {
        let all = "SELECT no, signature, bytes FROM link WHERE stream = ?1";
        let sql = match which {
            Which::From(seq) => format!("{all} AND seq >= {seq} ORDER BY seq"),
            Which::All => format!("{all} ORDER BY seq"),
            Which::Events => format!("{all} AND kind IN (2, 3) AND kind = 2 ORDER BY seq"),
            Which::Rewraps => format!("{all} AND kind IN (2, 3) AND kind = 3 ORDER BY seq"),
            Which::Last => format!("{all} ORDER BY seq DESC LIMIT 1"),
        };
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([stream.0])?;
        let mut links = Vec::new();
        while let Some(row) = rows.next()? {
            let bytes = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
            links.push((row.get(0)?, UnverifiedLink::decode(bytes, Signature(row.get(1)?))?));
        }
        Ok(links)
    }

    fn parts(&self, link: i64) -> Result<Vec<Part>, StoreError> {
        let sql = "SELECT hash, header, wrap_hash, wrap FROM record WHERE no BETWEEN ?1 AND ?2 ORDER BY no";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(whole(link)?)?;
        let mut parts = Vec::new();
        while let Some(row) = rows.next()? {
            let wrap: Option<Vec<u8>> = row.get(3)?;
            let wrap_hash = match (row.get::<_, Option<[u8; 32]>>(2)?, wrap) {
                (Some(hash), _) => WrapHash(hash),
                (None, Some(wrap)) => wrap_hash(&wrap)?,
                (None, None) => return Err(StoreError::Damaged("a record without its wrap")),
            };
            parts.push(Part {
                header: header(row, 1)?,
                hash: RecordHash(row.get(0)?),
                wrap_hash,
            });
        }
        Ok(parts)
    }

    fn carried(&self, link: i64) -> Result<Vec<CarriedRecord>, StoreError> {
        let sql = "SELECT header, signature, ciphertext_hash, wrap_hash, wrap, ciphertext FROM record \
                   WHERE no BETWEEN ?1 AND ?2 ORDER BY no";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(whole(link)?)?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            let body = match (row.get::<_, Option<[u8; 32]>>(2)?, row.get::<_, Option<[u8; 32]>>(3)?) {
                (Some(ciphertext), Some(wrap)) => CarriedBody::Erased(ErasedBody {
                    ciphertext: vault_core::id::CiphertextHash(ciphertext),
                    wrap: WrapHash(wrap),
                }),
                _ => CarriedBody::Kept(KeptBody {
                    wrap: row.get(4)?,
                    ciphertext: row.get(5)?,
                }),
            };
            records.push(CarriedRecord {
                header: header(row, 0)?,
                signature: Signature(row.get(1)?),
                body,
            });
        }
        Ok(records)
    }

    fn blobs(&self, link: i64) -> Result<Vec<Blob>, StoreError> {
        let sql = "SELECT bytes FROM blob WHERE no BETWEEN ?1 AND ?2 ORDER BY no";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(whole(link)?, |row| {
            let bytes = row.get::<_, Option<Vec<u8>>>(0)?.unwrap_or_default();
            Ok(Blob { bytes })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn placed(row: &Row<'_>) -> Result<(RecordHash, PlacedRecord), StoreError> {
        let header = header(row, 1)?;
        let placed = PlacedRecord {
            record: header.record,
            version: header.version,
            section: header.section,
            epoch: Epoch(row.get(2)?),
            author: header.member,
            erased: row.get(3)?,
        };
        Ok((RecordHash(row.get(0)?), placed))
    }
}

const INVITE: &str = "id, agency, opener, kind, until, request, answer, enrolment";

fn invite(row: &Row<'_>) -> Result<InviteRow, StoreError> {
    Ok(InviteRow {
        id: InviteId(row.get(0)?),
        agency: AgencyNo(row.get(1)?),
        opener: MemberId(row.get(2)?),
        kind: invite_kind(row.get(3)?)?,
        until: Day(row.get(4)?),
        request: row.get(5)?,
        answer: row.get(6)?,
        enrolment: row.get(7)?,
    })
}

fn header(row: &Row<'_>, at: usize) -> Result<RecordHeader, StoreError> {
    let bytes = row.get_ref(at)?.as_blob().map_err(rusqlite::Error::from)?;
    Ok(wire::decode(bytes, HEADER_BYTES)?)
}

impl Reads for Transaction<'_> {
    fn agencies(&self) -> Result<Vec<AgencyRow>, StoreError> {
        let sql = "SELECT no, id, log_seed FROM agency ORDER BY no";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(AgencyRow {
                no: AgencyNo(row.get(0)?),
                id: AgencyId(row.get(1)?),
                log_seed: SigningSeed::from_bytes(row.get(2)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn agency(&self, id: &AgencyId) -> Result<Option<AgencyRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT no, log_seed FROM agency WHERE id = ?1")?;
        let row = statement.query_row([id.0], |row| {
            Ok(AgencyRow {
                no: AgencyNo(row.get(0)?),
                id: *id,
                log_seed: SigningSeed::from_bytes(row.get(1)?),
            })
        });
        Ok(row.optional()?)
    }

    fn size(&self, agency: AgencyNo) -> Result<u64, StoreError> {
        let sql = "SELECT max(no) FROM link WHERE no BETWEEN ?1 AND ?2";
        let last: Option<i64> = self
            .connection
            .prepare_cached(sql)?
            .query_row(links_of(agency)?, |row| row.get(0))?;
        Ok(last.map_or(0, |no| leaf(no) + 1))
    }

    fn stream(&self, agency: AgencyNo, stream: StreamId) -> Result<Option<StreamRow>, StoreError> {
        let sql = "SELECT no, links, head, last FROM stream WHERE agency = ?1 AND kind = ?2 AND id = ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement.query_row(params![agency.0, stream.kind as u8, stream.id], |row| {
            Ok(StreamRow {
                no: StreamNo(row.get(0)?),
                links: row.get(1)?,
                head: LinkId(row.get(2)?),
                last: row.get(3)?,
            })
        });
        Ok(row.optional()?)
    }

    fn streams(&self, agency: AgencyNo, after: u64, reader: &Reader) -> Result<Vec<ListedStream>, StoreError> {
        let size = self.size(agency)?;
        if after >= size {
            return Ok(Vec::new());
        }
        let readable = "SELECT s.kind, s.id, s.links, s.last FROM stream s \
            WHERE s.agency = ?1 AND s.links > 0 AND s.last >= ?2 AND (s.kind = 1 \
              OR (s.kind = 2 AND EXISTS (SELECT 1 FROM holder h WHERE h.stream = s.no AND h.member = ?3)) \
              OR (s.kind = 3 AND (?4 OR s.id = ?5)))";
        let (first, last) = (link_no(agency, after)?, links_of(agency)?.1);
        let near = size - after <= NEAR;
        let sql = match near {
            true => {
                format!("{readable} AND s.no IN (SELECT stream FROM link WHERE no BETWEEN ?6 AND ?7) ORDER BY s.last")
            }
            false => format!("{readable} AND ?6 < ?7 ORDER BY s.last"),
        };
        let mut statement = self.connection.prepare_cached(&sql)?;
        let who = (reader.member.0, reader.reviews, reader.device.0);
        let mut rows = statement.query(params![agency.0, after, who.0, who.1, who.2, first, last])?;
        let mut listed = Vec::new();
        while let Some(row) = rows.next()? {
            let (kind, id) = (kind(row.get(0)?)?, row.get(1)?);
            listed.push(ListedStream {
                stream: StreamId { kind, id },
                links: row.get(2)?,
                last: row.get(3)?,
            });
        }
        Ok(listed)
    }

    fn holds(&self, stream: StreamNo, member: MemberId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM holder WHERE stream = ?1 AND member = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.exists(params![stream.0, member.0])?)
    }

    fn holders(&self, stream: StreamNo) -> Result<BTreeSet<MemberId>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT member FROM holder WHERE stream = ?1")?;
        let rows = statement.query_map([stream.0], |row| Ok(MemberId(row.get(0)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn link_at(&self, stream: StreamNo, seq: u64) -> Result<Option<(u64, LinkId)>, StoreError> {
        let sql = "SELECT no, id FROM link WHERE stream = ?1 AND seq = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement.query_row(params![stream.0, seq], |row| {
            Ok((leaf(row.get(0)?), LinkId(row.get(1)?)))
        });
        Ok(row.optional()?)
    }

    fn links(
        &self,
        stream: StreamNo,
        which: Which,
        each: &mut dyn FnMut(StoredLink) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let links = with_last(which, |which| self.link_rows(stream, which))?;
        for (no, link) in links {
            let parts = self.parts(no)?;
            let leaf = leaf(no);
            each(StoredLink { leaf, link, parts })?;
        }
        Ok(())
    }

    fn page(&self, stream: StreamNo, from: u64, bytes: usize) -> Result<StreamPage, StoreError> {
        let sql = "SELECT no, signature, bytes FROM link WHERE stream = ?1 AND seq >= ?2 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![stream.0, from])?;
        let (mut parcels, mut taken) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let no: i64 = row.get(0)?;
            let parcel = Parcel {
                link: row.get(2)?,
                signature: Signature(row.get(1)?),
                records: self.carried(no)?,
                blobs: self.blobs(no)?,
            };
            taken += weight(&parcel);
            if taken > bytes && !parcels.is_empty() {
                return Ok(StreamPage { parcels, more: 1 });
            }
            parcels.push(PlacedParcel { leaf: leaf(no), parcel });
        }
        Ok(StreamPage { parcels, more: 0 })
    }

    fn versions(&self, stream: StreamNo, record: RecordId) -> Result<Vec<(RecordHash, PlacedRecord)>, StoreError> {
        let sql = "SELECT hash, header, epoch, erased FROM record WHERE stream = ?1 AND name = ?2 ORDER BY no";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![stream.0, name(&record)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let one = Self::placed(row)?;
            if one.1.record == record {
                found.push(one);
            }
        }
        Ok(found)
    }

    fn records(
        &self,
        stream: StreamNo,
        hashes: &BTreeSet<RecordHash>,
    ) -> Result<Vec<(RecordHash, PlacedRecord)>, StoreError> {
        let sql = "SELECT hash, header, epoch, erased FROM record WHERE stream = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([stream.0])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            if hashes.contains(&RecordHash(row.get(0)?)) {
                found.push(Self::placed(row)?);
            }
        }
        Ok(found)
    }

    fn places(&self, agency: AgencyNo, from: u64, count: u16) -> Result<Vec<(StreamId, u64, LinkId)>, StoreError> {
        let sql = "SELECT s.kind, s.id, l.seq, l.id FROM link l JOIN stream s ON s.no = l.stream \
                   WHERE l.no >= ?1 AND l.no < ?2 ORDER BY l.no";
        let mut statement = self.connection.prepare_cached(sql)?;
        let to = from.checked_add(u64::from(count)).ok_or(StoreError::Bounds("links"))?;
        let mut rows = statement.query([link_no(agency, from)?, link_no(agency, to)?])?;
        let mut places = Vec::new();
        while let Some(row) = rows.next()? {
            let (kind, id) = (kind(row.get(0)?)?, row.get(1)?);
            places.push((StreamId { kind, id }, row.get(2)?, LinkId(row.get(3)?)));
        }
        match places.len() == usize::from(count) {
            true => Ok(places),
            false => Err(StoreError::Damaged("leaves are missing")),
        }
    }

    fn tile(&self, agency: AgencyNo, level: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM tile WHERE agency = ?1 AND level = ?2 AND \"index\" = ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement.query_row(params![agency.0, level, index], |row| row.get(0));
        Ok(row.optional()?)
    }

    fn invite(&self, id: &InviteId) -> Result<Option<InviteRow>, StoreError> {
        let sql = format!("SELECT {INVITE} FROM invite WHERE id = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([id.0])?;
        rows.next()?.map(invite).transpose()
    }

    fn invites(&self, agency: AgencyNo) -> Result<Vec<InviteRow>, StoreError> {
        let sql = format!("SELECT {INVITE} FROM invite WHERE agency = ?1 ORDER BY id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([agency.0])?;
        let mut invites = Vec::new();
        while let Some(row) = rows.next()? {
            invites.push(invite(row)?);
        }
        Ok(invites)
    }

    fn cosignatures(&self, agency: AgencyNo) -> Result<Vec<CosignatureRow>, StoreError> {
        let sql = "SELECT witness, size, root, time, signature FROM cosignature WHERE agency = ?1 ORDER BY witness";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([agency.0])?;
        let mut cosignatures = Vec::new();
        while let Some(row) = rows.next()? {
            cosignatures.push(CosignatureRow {
                agency,
                witness: row.get(0)?,
                size: row.get(1)?,
                root: Hash(row.get(2)?),
                time: row.get(3)?,
                signature: Signature(row.get(4)?),
            });
        }
        Ok(cosignatures)
    }

    fn erasable(&self, agency: AgencyNo, from: u64) -> Result<u64, StoreError> {
        let (first, last) = within(agency, from)?;
        let sum = |sql: &str| -> Result<u64, StoreError> {
            let mut statement = self.connection.prepare_cached(sql)?;
            Ok(statement.query_row([first, last], |row| row.get(0))?)
        };
        let records =
            sum("SELECT coalesce(sum(length(wrap) + length(ciphertext)), 0) FROM record WHERE no BETWEEN ?1 AND ?2")?;
        let blobs = sum("SELECT coalesce(sum(length(bytes)), 0) FROM blob WHERE no BETWEEN ?1 AND ?2")?;
        Ok(records.saturating_add(blobs))
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        let count = |sql: &str| -> Result<u64, StoreError> {
            Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
        };
        Ok(Totals {
            agencies: count("SELECT count(*) FROM agency")?,
            streams: count("SELECT coalesce(max(no), 0) FROM stream")?,
            links: count("SELECT coalesce(sum(links), 0) FROM stream")?,
            bytes: count("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?,
        })
    }
}
