//! Copies of a server's store: one file, of a folder or of a PostgreSQL database, put back as either.
//!
//! ```text
//! folder ─ snapshot ──────────────────┐                             ┌─> a folder without a database
//! database ─ one transaction, copied ─┴─> one file, gone over ──────┴─> an empty database, gone over before it is committed
//! ```

use std::path::Path;

use crate::audit::Sound;
use crate::config::Place;
use crate::copying::{self, CopyError, There};
use crate::store::postgres::{self, Postgres};
use crate::store::sqlite::{self, Kept};
use crate::store::{Store, StoreError};

/// Why no copy was made or put back.
#[derive(Debug, thiserror::Error)]
pub enum BackingError {
    /// The file, or the folder, was not written.
    #[error(transparent)]
    File(#[from] sqlite::BackupError),
    /// The database could not be opened.
    #[error(transparent)]
    Database(#[from] postgres::OpenError),
    /// The database is somebody's, something is damaged, or a database failed.
    #[error(transparent)]
    Copy(#[from] CopyError),
}

impl From<StoreError> for BackingError {
    fn from(error: StoreError) -> Self {
        Self::Copy(error.into())
    }
}

/// Copies what a server keeps to a new file, born 0600, while it runs or not, and goes over the copy.
///
/// # Errors
/// [`BackingError`]; no file is left then.
pub fn backup(from: Place, to: &Path) -> Result<Vec<Sound>, BackingError> {
    match from {
        Place::Folder(folder) => Ok(sqlite::backup(&folder, to)?),
        Place::Database(database) => Ok(sqlite::backup_of(&Postgres::open_existing(database)?, to)?),
    }
}

/// Goes over a copy and puts it where no server has kept anything.
///
/// # Errors
/// [`BackingError`]; nothing is there then.
pub fn restore(from: &Path, to: Place) -> Result<Vec<Sound>, BackingError> {
    match to {
        Place::Folder(folder) => Ok(sqlite::restore(from, &folder)?),
        Place::Database(database) => {
            let copy = Kept::of(from)?;
            let target = Postgres::open(database, copy.session_key()?)?;
            Ok(copying::run(&copy, &target, There::Refused)?)
        }
    }
}
