//! From columns to rows: a stored record, a link with its sealed parts; sizes, numbers and plain contradictions checked.

use super::column::Fixed;
use super::column::number;
use super::column::record_class;
use super::error::StoreError;
use super::read::ReadTx;
use super::read::refused_of;
use super::read::require_of;
use super::row::Content;
use super::row::LinkRow;
use super::row::RecordAt;
use super::row::RecordRow;
use super::row::Row;
use super::row::StoredRecord;
use rusqlite::OptionalExtension;
use rusqlite::types::ValueRef;
use vault_core::check::Check;
use vault_core::context::Label;
use vault_core::crypto::aead::TAG_BYTES;
use vault_core::crypto::hash::hash;
use vault_core::crypto::sign::Signature;
use vault_core::epoch::Wrap;
use vault_core::id::CiphertextHash;
use vault_core::id::DeviceId;
use vault_core::id::MemberId;
use vault_core::id::RecordHash;
use vault_core::id::RecordId;
use vault_core::id::WrapHash;
use vault_core::stream::UnverifiedLink;
use vault_core::wire;
use vault_core::wire::v1::FORMAT;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::link::Placement;
use vault_core::wire::v1::link::Release;
use vault_core::wire::v1::link::Seen;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::Month;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;

/// The columns of a link, in the order in which [`ReadTx::row`] reads them.
macro_rules! columns {
    () => {
        "pos, stream, seq, class, is_primary, version, agency_seq, signer, member, device, section, epoch, month, \
         release, seen, amends, record_id, commitment, record_signature, signature, wrap, bytes, body"
    };
}

pub(super) use columns;

/// Bytes of an encoded [`Seen`].
pub(super) const SEEN_BYTES: usize = 104;

impl ReadTx<'_> {
    /// Turns the columns of [`columns!`] into a row.
    pub(super) fn row(&self, row: &rusqlite::Row<'_>) -> Result<Row, StoreError> {
        let stream = self.stream_id(row.get(1)?)?;
        match row.get_ref(21)? {
            ValueRef::Null => self.record_row(row, stream).map(Box::new).map(Row::Record),
            _ => self.link_row(row, stream).map(Box::new).map(Row::Link),
        }
    }

    fn record_row(&self, row: &rusqlite::Row<'_>, stream: StreamId) -> Result<RecordRow, StoreError> {
        let commitment = row
            .get::<_, Option<i64>>(13)?
            .map(|no| self.numbers.borrow_mut().commitment(self.connection, no))
            .transpose()?;
        let placed = Placed {
            section: Section(row.get(10)?),
            epoch: Epoch(row.get(11)?),
            release: Release {
                month: Month(row.get(12)?),
                commitment,
            },
        };
        let seen: Option<Vec<u8>> = row.get(14)?;
        let seen = seen.map(|bytes| wire::decode::<Seen>(&bytes, SEEN_BYTES)).transpose();
        let signature: Fixed<64> = row.get(19)?;
        let at = RecordAt::link(row.get(0)?);
        let stored = StoredColumns {
            class: 3,
            version: 5,
            member: 8,
            device: 9,
            amends: 15,
            record_id: 16,
            commitment: 17,
            signature: 18,
            wrap: 20,
            body: 22,
        };
        let mut record = self.stored(row, &stored, at, stream, placed)?;
        record.seq = row.get(2)?;
        record.is_primary = flag(row.get(4)?)?;
        // No link signs this column; where it can be no note's that is there, nothing else would tell.
        let is_note = matches!(record.header.class, RecordClass::Note | RecordClass::Private);
        if record.is_primary && (record.is_erased() || !is_note) {
            return Err(StoreError::refused(Check::LocalIndex, record.header.record.handle()));
        }
        Ok(RecordRow {
            record,
            agency_seq: row.get(6)?,
            signer: DeviceId(self.actor(row.get(7)?)?),
            seen: seen.map_err(refused_of(stream))?,
            signature: Signature(signature.0),
        })
    }

    fn link_row(&self, row: &rusqlite::Row<'_>, stream: StreamId) -> Result<LinkRow, StoreError> {
        let (pos, seq): (u64, u64) = (row.get(0)?, row.get(2)?);
        let signature: Fixed<64> = row.get(19)?;
        let bytes = row.get_ref(21)?.as_blob().map_err(rusqlite::Error::from)?;
        let link = UnverifiedLink::decode(bytes, Signature(signature.0)).map_err(refused_of(stream))?;
        require_of(link.link().agency == self.agency(), Check::Agency, stream)?;
        require_of(link.link().stream == stream, Check::Agency, stream)?;
        require_of(link.link().seq == seq, Check::Chain, stream)?;
        // Nothing signs these, and lists and counts go by some of them: an event does not pass for a note.
        for column in (3..=18).chain([20]) {
            let is_null = matches!(row.get_ref(column)?, ValueRef::Null);
            require_of(is_null, Check::Unreadable, stream)?;
        }
        let body: Option<Vec<u8>> = row.get(22)?;
        let of = format!("{stream} at {seq}");
        let mut sealed = Vec::new();
        match &link.link().body {
            LinkBody::Access(entry) => {
                let bytes = body
                    .as_ref()
                    .ok_or_else(|| StoreError::refused(Check::BodyMissing, &of))?;
                let found = hash(Label::AccessBodyHash, &[bytes]);
                require_of(found == entry.body_hash.0, Check::AccessBody, &of)?;
            }
            LinkBody::Event(event) if !event.sealed.is_empty() => {
                sealed = self.sealed_parts(pos, seq, stream, &event.sealed)?;
                require_of(body.is_none(), Check::Unreadable, &of)?;
            }
            _ => require_of(body.is_none(), Check::Unreadable, &of)?,
        }
        Ok(LinkRow {
            pos,
            link,
            sealed,
            body,
        })
    }

    fn sealed_parts(
        &self,
        pos: u64,
        seq: u64,
        stream: StreamId,
        placements: &[Placement],
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let sql =
            "SELECT part, class, version, member, device, amends, record_id, commitment, record_signature, wrap, body
            FROM sealed WHERE pos = ?1 ORDER BY part";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([number(pos)?])?;
        let mut parts = Vec::with_capacity(placements.len());
        let stored = StoredColumns {
            class: 1,
            version: 2,
            member: 3,
            device: 4,
            amends: 5,
            record_id: 6,
            commitment: 7,
            signature: 8,
            wrap: 9,
            body: 10,
        };
        for (part, placement) in (1u8..).zip(placements) {
            let missing = || StoreError::refused(Check::BodyMissing, format!("{stream} at {seq}"));
            let row = rows.next()?.ok_or_else(missing)?;
            require_of(row.get::<_, u8>(0)? == part, Check::BodyMissing, stream)?;
            let placed = Placed {
                section: placement.section,
                epoch: placement.epoch,
                release: placement.release,
            };
            let mut record = self.stored(row, &stored, RecordAt { pos, part }, stream, placed)?;
            record.seq = seq;
            parts.push(record);
        }
        // One more would be named by no event.
        require_of(rows.next()?.is_none(), Check::Placement, format!("{stream} at {seq}"))?;
        Ok(parts)
    }

    fn stored(
        &self,
        row: &rusqlite::Row<'_>,
        columns: &StoredColumns,
        at: RecordAt,
        stream: StreamId,
        placed: Placed,
    ) -> Result<StoredRecord, StoreError> {
        let amends: Option<Fixed<32>> = row.get(columns.amends)?;
        let record: Fixed<16> = row.get(columns.record_id)?;
        let commitment: Fixed<32> = row.get(columns.commitment)?;
        let signature: Fixed<64> = row.get(columns.signature)?;
        let wrap: Option<Fixed<48>> = row.get(columns.wrap)?;
        let body: Option<Vec<u8>> = row.get(columns.body)?;
        let record = RecordId(record.0);
        let (content, padded_length) = match (body, wrap) {
            (Some(ciphertext), Some(wrap)) => {
                let padded = ciphertext.len().checked_sub(TAG_BYTES);
                let padded = padded.and_then(|length| u32::try_from(length).ok());
                let padded = padded.ok_or_else(|| StoreError::refused(Check::CiphertextLength, record.handle()))?;
                let wrap = Wrap(wrap.0);
                (
                    Content::Kept {
                        ciphertext: ciphertext.into(),
                        wrap,
                    },
                    padded,
                )
            }
            (None, None) => self.erased(at, record)?,
            _ => return Err(StoreError::refused(Check::BodyMissing, record.handle())),
        };
        let header = RecordHeader {
            format: FORMAT,
            agency: self.agency(),
            stream,
            section: placed.section,
            record,
            version: row.get(columns.version)?,
            amends: amends.map_or(RecordHash::ZERO, |hash| RecordHash(hash.0)),
            member: MemberId(self.actor(row.get(columns.member)?)?),
            device: DeviceId(self.actor(row.get(columns.device)?)?),
            class: record_class(row.get(columns.class)?)?,
            padded_length,
            commitment: commitment.0,
        };
        Ok(StoredRecord {
            at,
            seq: 0,
            epoch: placed.epoch,
            release: placed.release,
            header,
            signature: Signature(signature.0),
            content,
            is_primary: false,
        })
    }

    fn erased(&self, at: RecordAt, record: RecordId) -> Result<(Content, u32), StoreError> {
        let sql = "SELECT ciphertext_hash, wrap_hash, padded_length FROM erased WHERE pos = ?1 AND part = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement
            .query_row((number(at.pos)?, at.part), |row| {
                let (ciphertext, wrap): (Fixed<32>, Fixed<32>) = (row.get(0)?, row.get(1)?);
                let content = Content::Erased {
                    ciphertext: CiphertextHash(ciphertext.0),
                    wrap: WrapHash(wrap.0),
                };
                Ok((content, row.get(2)?))
            })
            .optional()?;
        found.ok_or_else(|| StoreError::refused(Check::BodyMissing, record.handle()))
    }
}

// Where the columns of a record are in a statement.
struct StoredColumns {
    class: usize,
    version: usize,
    member: usize,
    device: usize,
    amends: usize,
    record_id: usize,
    commitment: usize,
    signature: usize,
    wrap: usize,
    body: usize,
}

struct Placed {
    section: Section,
    epoch: Epoch,
    release: Release,
}

fn flag(value: i64) -> Result<bool, StoreError> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(StoreError::refused(Check::Unreadable, "record")),
    }
}
