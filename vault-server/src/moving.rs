//! Moving a server's folder into a PostgreSQL database, while no server runs.
//!
//! All of it in one transaction ([`crate::copying`]). Then the folder's database is given another name, so that no server goes
//! on with it: two that sign one log would contradict each other.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::audit::Sound;
use crate::copying::{self, CopyError, There};
use crate::store::postgres::{self, Database, Postgres};
use crate::store::sqlite::{self, FILE, MOVED, Sqlite};
use crate::store::{Store, StoreError, fresh_session_key};

/// Why a folder was not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// There is nothing to be moved.
    #[error("there is no database of casevault-server in `{}`", .0.display())]
    Nothing(PathBuf),
    /// The folder's database could not be opened.
    #[error(transparent)]
    From(#[from] sqlite::OpenError),
    /// The other database could not be opened.
    #[error(transparent)]
    To(#[from] postgres::OpenError),
    /// There is no randomness to be had.
    #[error("the system gives no randomness")]
    Random(#[source] getrandom::Error),
    /// The other database is somebody's, something is damaged, or a database failed.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The folder's database could not be given another name.
    #[error("everything is in the database, but `{}` could not be renamed: move it away yourself", path.display())]
    Rename {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl From<StoreError> for MoveError {
    fn from(error: StoreError) -> Self {
        Self::Copy(error.into())
    }
}

/// Moves a folder into a database; returns what is there then.
///
/// # Errors
/// [`MoveError`].
pub fn run(from: &Path, to: Database) -> Result<Vec<Sound>, MoveError> {
    let file = from.join(FILE);
    if !file.exists() {
        return Err(MoveError::Nothing(from.to_owned()));
    }
    // Held open, so that no server begins with it meanwhile.
    let source = Sqlite::open(from, fresh_session_key().map_err(MoveError::Random)?)?;
    let key = source.session_key()?;
    let target = Postgres::open(to, key)?;
    let moved = copying::run(&source, &target, There::Same)?;
    drop(source);
    set_aside(from, &file).map_err(|source| MoveError::Rename { path: file, source })?;
    Ok(moved)
}

fn set_aside(folder: &Path, file: &Path) -> io::Result<()> {
    fs::rename(file, folder.join(MOVED))?;
    File::open(folder)?.sync_all()
}
