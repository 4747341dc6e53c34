//! What can go wrong with a store, by whose fault and by what to do about it.

use rusqlite::ErrorCode;
use rusqlite::ffi;
use std::path::Path;
use std::path::PathBuf;
use vault_core::check::Check;
use vault_core::check::Refused;

/// A store that cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process is writing, and went on doing so.
    #[error("the vault is busy: another casevault is writing to it; wait for it or stop it, then try again")]
    Busy,
    /// The records' own disk is full.
    #[error("the disk is full; nothing was changed")]
    Full,
    /// A database, but none of ours.
    #[error("`{path}` is not a vault's store (application id {found:#010x})", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its application id.
        found: i32,
    },
    /// The machine could not read or write.
    #[error("the store could not be read or written: {message} (SQLite code {code})")]
    Io {
        /// SQLite's extended result code; 0 if the cause is not SQLite's.
        code: i32,
        /// The cause in words.
        message: String,
    },
    /// Something is there already.
    #[error("`{}` exists already", .0.display())]
    Exists(PathBuf),
    /// There is no store.
    #[error("there is no store at `{}`", .0.display())]
    NotFound(PathBuf),
    /// File or medium may not be written.
    #[error("the store may not be written: check the permissions of its file and folder")]
    ReadOnly,
    /// What is stored was changed, is incomplete or is another's.
    #[error("{of}: {cause}")]
    Refused {
        /// The check that failed.
        cause: Refused,
        /// What it failed on, by its handle.
        of: String,
    },
    /// Written by a newer release.
    #[error("the store is of version {found}, and this casevault knows versions up to {known}: install a newer one")]
    TooNew {
        /// The store's version.
        found: i32,
        /// The newest version known.
        known: i32,
    },
    /// The store was used as it never is.
    #[error("fault in the program: {0}")]
    Bug(String),
}

impl StoreError {
    /// Makes a refusal by `check` of what `of` names.
    pub fn refused(check: Check, of: impl ToString) -> Self {
        Self::Refused {
            cause: check.into(),
            of: of.to_string(),
        }
    }

    /// Returns the check that failed, if one did.
    pub fn check(&self) -> Option<Check> {
        match self {
            Self::Refused { cause, .. } => Some(cause.check),
            _ => None,
        }
    }

    pub(super) fn io(path: &Path, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => Self::Exists(path.to_owned()),
            std::io::ErrorKind::NotFound => Self::NotFound(path.to_owned()),
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io {
                code: 0,
                message: error.to_string(),
            },
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(failure, message) => from_sqlite(failure, message),
            // A value of another type or size than its column has.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::QueryReturnedNoRows
            | rusqlite::Error::Utf8Error(..) => Self::refused(Check::Unreadable, "store"),
            other => Self::Bug(other.to_string()),
        }
    }
}

fn from_sqlite(failure: ffi::Error, message: Option<String>) -> StoreError {
    let code = failure.extended_code;
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => StoreError::Busy,
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::refused(Check::Unreadable, "store"),
        ErrorCode::TooBig => StoreError::refused(Check::TooLong, "store"),
        // The shared-memory file beside the store could not grow: the same full disk, seen elsewhere.
        ErrorCode::SystemIoFailure if code == ffi::SQLITE_IOERR_SHMSIZE => StoreError::Full,
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::OutOfMemory | ErrorCode::NoLargeFileSupport => {
            StoreError::Io {
                code,
                message: message.unwrap_or_else(|| failure.to_string()),
            }
        }
        _ => StoreError::Bug(message.unwrap_or_else(|| failure.to_string())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn of(code: i32) -> StoreError {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None).into()
    }

    #[test]
    fn a_full_disk_a_failing_one_and_a_busy_store_are_told_apart() {
        assert!(matches!(of(ffi::SQLITE_FULL), StoreError::Full));
        assert!(matches!(of(ffi::SQLITE_IOERR_SHMSIZE), StoreError::Full));
        assert!(matches!(of(ffi::SQLITE_IOERR_FSYNC), StoreError::Io { code: 1034, .. }));
        assert!(matches!(of(ffi::SQLITE_IOERR_WRITE), StoreError::Io { .. }));
        assert!(matches!(of(ffi::SQLITE_BUSY), StoreError::Busy));
        assert!(matches!(of(ffi::SQLITE_BUSY_RECOVERY), StoreError::Busy));
        assert!(matches!(of(ffi::SQLITE_READONLY_DBMOVED), StoreError::ReadOnly));
        assert_eq!(of(ffi::SQLITE_CORRUPT).check(), Some(Check::Unreadable));
        assert_eq!(of(ffi::SQLITE_NOTADB).check(), Some(Check::Unreadable));
    }

    #[test]
    fn a_refusal_names_what_was_refused_why_and_by_which_check() {
        let refused = StoreError::refused(Check::Dense, "c-7fk2m9qd");
        assert_eq!(
            refused.to_string(),
            "c-7fk2m9qd: rows are missing below the head (CHK-102)"
        );
    }
}
