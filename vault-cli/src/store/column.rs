//! Columns and numbers between SQLite and the format's types; a value of another size is CHK-105.

use super::error::StoreError;
use rusqlite::types::FromSql;
use rusqlite::types::FromSqlError;
use rusqlite::types::FromSqlResult;
use rusqlite::types::ValueRef;
use vault_core::check::Check;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::StreamKind;

/// A blob of exactly `N` bytes.
pub(super) struct Fixed<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> FromSql for Fixed<N> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?;
        let expected_size = N;
        let blob_size = bytes.len();
        let sized = <[u8; N]>::try_from(bytes);
        sized.map(Self).map_err(|_| FromSqlError::InvalidBlobSize {
            expected_size,
            blob_size,
        })
    }
}

/// Returns a number as SQLite keeps it.
pub(super) fn number(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::Bug(format!("{value} does not fit a column")))
}

/// Reads the kind of a stream.
pub(super) fn stream_kind(value: u8) -> Result<StreamKind, StoreError> {
    match value {
        1 => Ok(StreamKind::Agency),
        2 => Ok(StreamKind::Case),
        3 => Ok(StreamKind::Access),
        _ => Err(StoreError::refused(Check::UnknownFormat, "stream")),
    }
}

/// Reads the class of a record.
pub(super) fn record_class(value: u8) -> Result<RecordClass, StoreError> {
    match value {
        1 => Ok(RecordClass::Note),
        2 => Ok(RecordClass::Admin),
        3 => Ok(RecordClass::Private),
        4 => Ok(RecordClass::Attachment),
        _ => Err(StoreError::refused(Check::UnknownFormat, "record")),
    }
}
