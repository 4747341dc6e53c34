//! Writing rows, in the writer's transaction.

use std::collections::BTreeSet;

use rusqlite::params;
use vault_core::id::{AgencyId, MemberId, RecordHash};
use vault_core::parcel::{OpenRecord, placements};
use vault_core::record::Ciphertext;
use vault_core::secret::SigningSeed;
use vault_core::tlog::tile::Tile;
use vault_core::wire;
use vault_core::wire::v1::stream::{Day, StreamId};

use super::Transaction;
use crate::store::number::{AGENCIES, body, link_no, name, place_no};
use crate::store::row::wrap_hash;
use crate::store::{AgencyNo, AgencyRow, CosignatureRow, InviteRow, NewLink, Reads, StoreError, StreamNo, Writes};

impl Transaction<'_> {
    fn put_records(&self, no: i64, link: &NewLink<'_>) -> Result<(), StoreError> {
        let sql = "INSERT INTO record (no, stream, name, hash, epoch, erased, header, signature, ciphertext_hash, \
                   wrap_hash, wrap, ciphertext) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9, ?10, ?11)";
        let placements = placements(&link.link.link().body);
        for (place, (record, placement)) in link.records.iter().zip(placements).enumerate() {
            let mut statement = self.connection.prepare_cached(sql)?;
            let header = wire::encode(record.header())?;
            let (signature, gone, kept) = match record {
                OpenRecord::Kept { record, wrap } => (record.signature(), None, Some((wrap.0, record.ciphertext()))),
                OpenRecord::Erased(erased) => (&erased.signature, Some(erased.body), None),
            };
            statement.execute(params![
                place_no(no, place)?,
                link.stream.0,
                name(&record.header().record),
                placement.record_hash.0,
                placement.epoch.0,
                header,
                signature.0,
                gone.map(|body| body.ciphertext.0),
                gone.map(|body| body.wrap.0),
                kept.map(|(wrap, _)| wrap),
                kept.map(|(_, ciphertext)| ciphertext),
            ])?;
        }
        Ok(())
    }
}

impl Writes for Transaction<'_> {
    fn hold(&mut self, _: AgencyNo) -> Result<(), StoreError> {
        Ok(())
    }

    fn mark(&mut self) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch("SAVEPOINT mark")?)
    }

    fn go_back(&mut self) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch("ROLLBACK TO mark; RELEASE mark")?)
    }

    fn unmark(&mut self) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch("RELEASE mark")?)
    }

    fn register(&mut self, id: &AgencyId, log_seed: &SigningSeed) -> Result<AgencyRow, StoreError> {
        if let Some(known) = self.agency(id)? {
            return Ok(known);
        }
        let sql = "INSERT INTO agency (id, log_seed) VALUES (?1, ?2)";
        self.connection.execute(sql, params![id.0, log_seed.expose()])?;
        let no = u32::try_from(self.connection.last_insert_rowid())
            .ok()
            .filter(|no| *no < AGENCIES)
            .ok_or(StoreError::Bounds("agencies"))?;
        Ok(AgencyRow {
            no: AgencyNo(no),
            id: *id,
            log_seed: log_seed.duplicate(),
        })
    }

    fn open_stream(&mut self, agency: AgencyNo, stream: StreamId) -> Result<StreamNo, StoreError> {
        let sql = "INSERT INTO stream (agency, kind, id, links, head, last) VALUES (?1, ?2, ?3, 0, zeroblob(32), 0)";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(params![agency.0, stream.kind as u8, stream.id])?;
        Ok(StreamNo(self.connection.last_insert_rowid().unsigned_abs()))
    }

    fn append(&mut self, link: NewLink<'_>) -> Result<(), StoreError> {
        let no = link_no(link.agency, link.leaf)?;
        let (seq, id) = (link.link.link().seq, link.link.id().0);
        let sql = "INSERT INTO link (no, stream, seq, kind, id, signature, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.connection.prepare_cached(sql)?.execute(params![
            no,
            link.stream.0,
            seq,
            body(&link.link.link().body),
            id,
            link.link.signature().0,
            link.link.bytes(),
        ])?;
        self.put_records(no, &link)?;
        for (place, bytes) in link.blobs.iter().enumerate() {
            let sql = "INSERT INTO blob (no, bytes) VALUES (?1, ?2)";
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.execute(params![place_no(no, place)?, bytes])?;
        }
        let sql = "UPDATE stream SET links = ?2 + 1, head = ?3, last = ?4 WHERE no = ?1 AND links = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        match statement.execute(params![link.stream.0, seq, id, link.leaf])? {
            1 => Ok(()),
            _ => Err(StoreError::Damaged("a stream has moved on unseen")),
        }
    }

    fn set_holders(&mut self, stream: StreamNo, members: &BTreeSet<MemberId>) -> Result<(), StoreError> {
        let sql = "DELETE FROM holder WHERE stream = ?1";
        self.connection.prepare_cached(sql)?.execute([stream.0])?;
        let sql = "INSERT INTO holder (member, stream) VALUES (?1, ?2)";
        let mut statement = self.connection.prepare_cached(sql)?;
        for member in members {
            statement.execute(params![member.0, stream.0])?;
        }
        Ok(())
    }

    fn erase(&mut self, stream: StreamNo, records: &BTreeSet<RecordHash>) -> Result<(), StoreError> {
        let mut found = Vec::new();
        {
            let mut statement = self
                .connection
                .prepare_cached("SELECT no, hash FROM record WHERE stream = ?1")?;
            let mut rows = statement.query([stream.0])?;
            while let Some(row) = rows.next()? {
                if records.contains(&RecordHash(row.get(1)?)) {
                    found.push(row.get::<_, i64>(0)?);
                }
            }
        }
        for no in found {
            let sql = "SELECT wrap, ciphertext FROM record WHERE no = ?1 AND ciphertext_hash IS NULL";
            let kept: Option<(Vec<u8>, Vec<u8>)> = {
                let mut statement = self.connection.prepare_cached(sql)?;
                let mut rows = statement.query([no])?;
                rows.next()?
                    .map(|row| Ok::<_, StoreError>((row.get(0)?, row.get(1)?)))
                    .transpose()?
            };
            if let Some((wrap, ciphertext)) = kept {
                let sql = "UPDATE record SET ciphertext_hash = ?2, wrap_hash = ?3, wrap = NULL, ciphertext = NULL \
                           WHERE no = ?1";
                let left = (Ciphertext::from(ciphertext).hash().0, wrap_hash(&wrap)?.0);
                self.connection
                    .prepare_cached(sql)?
                    .execute(params![no, left.0, left.1])?;
                self.erased = true;
            }
            self.connection
                .prepare_cached("UPDATE record SET erased = 1 WHERE no = ?1")?
                .execute([no])?;
        }
        Ok(())
    }

    fn erase_blob(&mut self, agency: AgencyNo, leaf: u64, number: usize) -> Result<(), StoreError> {
        let no = place_no(link_no(agency, leaf)?, number)?;
        self.connection
            .prepare_cached("UPDATE blob SET bytes = NULL WHERE no = ?1")?
            .execute([no])?;
        self.erased = true;
        Ok(())
    }

    fn put_invite(&mut self, invite: &InviteRow) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO invite (id, agency, opener, kind, until, request, answer, enrolment) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        self.connection.prepare_cached(sql)?.execute(params![
            invite.id.0,
            invite.agency.0,
            invite.opener.0,
            invite.kind as u8,
            invite.until.0,
            invite.request,
            invite.answer,
            invite.enrolment,
        ])?;
        Ok(())
    }

    fn forget_invites(&mut self, today: Day) -> Result<(), StoreError> {
        let sql = "DELETE FROM invite WHERE until < ?1";
        self.connection.prepare_cached(sql)?.execute([today.0])?;
        Ok(())
    }

    fn put_cosignature(&mut self, cosignature: &CosignatureRow) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO cosignature (agency, witness, size, root, time, signature) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.connection.prepare_cached(sql)?.execute(params![
            cosignature.agency.0,
            cosignature.witness,
            cosignature.size,
            cosignature.root.0,
            cosignature.time,
            cosignature.signature.0,
        ])?;
        Ok(())
    }

    fn put_tile(&mut self, agency: AgencyNo, tile: Tile, bytes: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO tile (agency, level, \"index\", bytes) VALUES (?1, ?2, ?3, ?4)";
        self.connection
            .prepare_cached(sql)?
            .execute(params![agency.0, tile.level(), tile.index(), bytes])?;
        Ok(())
    }
}
