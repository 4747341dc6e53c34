//! Writing rows, in a transaction that holds its agency.

use std::collections::BTreeSet;

use vault_core::id::{AgencyId, LinkId, MemberId, RecordHash, RecordId};
use vault_core::record::Ciphertext;
use vault_core::secret::SigningSeed;
use vault_core::tlog::tile::Tile;
use vault_core::wire::v1::stream::{Day, StreamId};

use super::connection::Transaction;
use super::read::{agency_no, column, count, fixed, signed, stream_no};
use super::{CHANNEL, LOCK_REGISTER, LOCKS};
use crate::store::number::{AGENCIES, link_no, name, place_no};
use crate::store::row::wrap_hash;
use crate::store::{AgencyNo, AgencyRow, CosignatureRow, InviteRow, NewLink, Reads, StoreError, StreamNo, Writes};

impl Transaction<'_> {
    fn lock(&self, number: i32) -> Result<(), StoreError> {
        self.rows("SELECT pg_advisory_xact_lock($1, $2)", &[&LOCKS, &number])?;
        Ok(())
    }
}

impl Writes for Transaction<'_> {
    fn hold(&mut self, agency: AgencyNo) -> Result<(), StoreError> {
        self.lock(agency_no(agency)?)?;
        // Told with the commit, and to nobody without it.
        let number = agency.0.to_string();
        self.rows("SELECT pg_notify($1, $2)", &[&CHANNEL, &number])?;
        Ok(())
    }

    fn foresee(&mut self, records: &[(StreamNo, RecordId)]) -> Result<(), StoreError> {
        // One is as far away alone.
        if records.len() < 2 {
            return Ok(());
        }
        let named: Result<Vec<(i64, i64)>, StoreError> = records
            .iter()
            .map(|(stream, record)| Ok((stream_no(*stream)?, name(record))))
            .collect();
        let named = named?;
        let (streams, names): (Vec<i64>, Vec<i64>) = named.iter().copied().unzip();
        // Each by the index: a plan for all of them at once may read the whole table.
        let sql = "SELECT a.stream, a.name FROM unnest($1::bigint[], $2::bigint[]) AS a (stream, name) \
                   CROSS JOIN LATERAL (SELECT 1 FROM record r WHERE r.stream = a.stream AND r.name = a.name LIMIT 1) AS r";
        let rows = self.rows(sql, &[&streams, &names])?;
        let there: Result<Vec<(i64, i64)>, StoreError> =
            rows.iter().map(|row| Ok((column(row, 0)?, column(row, 1)?))).collect();
        self.foreseen().take(named, there?);
        Ok(())
    }

    fn mark(&mut self) -> Result<(), StoreError> {
        self.execute("SAVEPOINT mark", &[])?;
        Ok(())
    }

    fn go_back(&mut self) -> Result<(), StoreError> {
        self.execute("ROLLBACK TO SAVEPOINT mark", &[])?;
        self.unmark()
    }

    fn unmark(&mut self) -> Result<(), StoreError> {
        self.execute("RELEASE SAVEPOINT mark", &[])?;
        Ok(())
    }

    fn register(&mut self, id: &AgencyId, log_seed: &SigningSeed) -> Result<AgencyRow, StoreError> {
        if let Some(known) = self.agency(id)? {
            return Ok(known);
        }
        self.lock(LOCK_REGISTER)?;
        // Somebody else may have been faster.
        if let Some(known) = self.agency(id)? {
            return Ok(known);
        }
        let row = self.row("SELECT coalesce(max(no), 0) + 1 FROM agency", &[])?;
        let no: i32 = row.map_or(Ok(1), |row| column(&row, 0))?;
        let number = u32::try_from(no).ok().filter(|no| *no < AGENCIES);
        let number = number.ok_or(StoreError::Bounds("agencies"))?;
        let sql = "INSERT INTO agency (no, id, log_seed) VALUES ($1, $2, $3)";
        self.execute(sql, &[&no, &id.0.as_slice(), &log_seed.expose().as_slice()])?;
        Ok(AgencyRow {
            no: AgencyNo(number),
            id: *id,
            log_seed: log_seed.duplicate(),
        })
    }

    fn open_stream(&mut self, agency: AgencyNo, stream: StreamId) -> Result<StreamNo, StoreError> {
        let sql = "INSERT INTO stream (agency, kind, id, links, head, last) VALUES ($1, $2, $3, 0, $4, 0) RETURNING no";
        let (kind, nothing) = (i16::from(stream.kind as u8), LinkId::ZERO.0);
        let values = [&stream.id.as_slice(), &nothing.as_slice()];
        let row = self.row(sql, &[&agency_no(agency)?, &kind, &values[0], &values[1]])?;
        let row = row.ok_or(StoreError::Damaged("a stream got no number"))?;
        Ok(StreamNo(count(&row, 0)?))
    }

    fn append(&mut self, link: NewLink<'_>) -> Result<(), StoreError> {
        for record in link.records {
            let stream = stream_no(link.stream)?;
            self.foreseen().is_there(stream, name(&record.header().record));
        }
        let mut waiting = self.waiting();
        waiting.take(&link)?;
        let enough = waiting.is_enough();
        drop(waiting);
        match enough {
            true => self.send(),
            false => Ok(()),
        }
    }

    fn set_holders(&mut self, stream: StreamNo, members: &BTreeSet<MemberId>) -> Result<(), StoreError> {
        let stream = stream_no(stream)?;
        self.execute("DELETE FROM holder WHERE stream = $1", &[&stream])?;
        let members: Vec<&[u8]> = members.iter().map(|member| member.0.as_slice()).collect();
        let sql = "INSERT INTO holder (stream, member) SELECT $1, unnest($2::bytea[])";
        self.execute(sql, &[&stream, &members])?;
        Ok(())
    }

    fn erase(&mut self, stream: StreamNo, records: &BTreeSet<RecordHash>) -> Result<(), StoreError> {
        let hashes: Vec<&[u8]> = records.iter().map(|hash| hash.0.as_slice()).collect();
        let sql = "SELECT no, ciphertext_hash IS NULL FROM record WHERE stream = $1 AND hash = ANY ($2)";
        for row in self.rows(sql, &[&stream_no(stream)?, &hashes])? {
            let no: i64 = column(&row, 0)?;
            if column(&row, 1)? {
                let kept = self.row("SELECT wrap, ciphertext FROM record WHERE no = $1", &[&no])?;
                let kept = kept.ok_or(StoreError::Damaged("a record is gone"))?;
                let left = (
                    Ciphertext::from(column::<Vec<u8>>(&kept, 1)?).hash().0,
                    wrap_hash(&fixed::<{ vault_core::epoch::WRAP_BYTES }>(&kept, 0)?)?.0,
                );
                let sql = "UPDATE record SET ciphertext_hash = $2, wrap_hash = $3, wrap = NULL, ciphertext = NULL \
                           WHERE no = $1";
                self.execute(sql, &[&no, &left.0.as_slice(), &left.1.as_slice()])?;
            }
            self.execute("UPDATE record SET erased = TRUE WHERE no = $1", &[&no])?;
        }
        Ok(())
    }

    fn erase_blob(&mut self, agency: AgencyNo, leaf: u64, number: usize) -> Result<(), StoreError> {
        let no = place_no(link_no(agency, leaf)?, number)?;
        self.execute("UPDATE blob SET bytes = NULL WHERE no = $1", &[&no])?;
        Ok(())
    }

    fn put_invite(&mut self, invite: &InviteRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO invite (id, agency, opener, kind, until, request, answer, enrolment) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET agency = excluded.agency, \
                   opener = excluded.opener, kind = excluded.kind, until = excluded.until, \
                   request = excluded.request, answer = excluded.answer, enrolment = excluded.enrolment";
        self.execute(
            sql,
            &[
                &invite.id.0.as_slice(),
                &agency_no(invite.agency)?,
                &invite.opener.0.as_slice(),
                &i16::from(invite.kind as u8),
                &i64::from(invite.until.0),
                &invite.request,
                &invite.answer,
                &invite.enrolment,
            ],
        )?;
        Ok(())
    }

    fn forget_invites(&mut self, today: Day) -> Result<(), StoreError> {
        self.execute("DELETE FROM invite WHERE until < $1", &[&i64::from(today.0)])?;
        Ok(())
    }

    fn put_cosignature(&mut self, cosignature: &CosignatureRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO cosignature (agency, witness, size, root, time, signature) \
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (agency, witness) DO UPDATE SET size = excluded.size, \
                   root = excluded.root, time = excluded.time, signature = excluded.signature";
        self.execute(
            sql,
            &[
                &agency_no(cosignature.agency)?,
                &cosignature.witness,
                &signed(cosignature.size)?,
                &cosignature.root.0.as_slice(),
                &signed(cosignature.time)?,
                &cosignature.signature.0.as_slice(),
            ],
        )?;
        Ok(())
    }

    fn put_tile(&mut self, agency: AgencyNo, tile: Tile, bytes: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO tile (agency, level, \"index\", bytes) VALUES ($1, $2, $3, $4)";
        let level = i16::from(tile.level());
        self.execute(sql, &[&agency_no(agency)?, &level, &signed(tile.index())?, &bytes])?;
        Ok(())
    }
}
