//! The embedded store: one SQLite file, born 0600 in the data folder.
//!
//! WAL and `synchronous=FULL`, so that a commit is on the disk when it returns. One connection writes; reading ones are
//! opened as they are needed and kept. A second process on the same folder is refused by a lock.

mod backup;
mod open;
mod read;
mod write;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::{Reads, Shared, Store, StoreError, Writes};

pub use backup::{BackupError, Kept, backup, backup_of, restore};
pub use open::OpenError;

/// Name of the database in the data folder.
pub const FILE: &str = "server.db";

/// Name of a database that was moved elsewhere.
pub const MOVED: &str = "server.moved.db";

/// `application_id` of the file, "CVS1".
pub const APPLICATION_ID: i32 = 0x4356_5331;

/// `user_version` of the file: the version of this store.
pub const STORE_VERSION: i32 = 3;

/// Reading connections that are kept open.
const KEPT: usize = 8;

/// An open database.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    /// Whether the log of the database may hold bytes that were erased.
    uncut: AtomicBool,
    // Held as long as the store is open.
    _lock: std::fs::File,
}

/// A snapshot or a transaction.
struct Transaction<'c> {
    connection: &'c Connection,
    /// Whether bytes were erased, so that the log of the database is cut after the commit.
    erased: bool,
}

impl Store for Sqlite {
    fn session_key(&self) -> Result<[u8; 32], StoreError> {
        let writer = lock(&self.writer);
        Ok(writer.query_row("SELECT session_key FROM server", [], |row| row.get(0))?)
    }

    fn read(&self, work: &mut dyn FnMut(&dyn Reads) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let kept = lock(&self.readers).pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => open::connect(&self.path, true)?,
        };
        let snapshot = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        work(&Transaction {
            connection: &snapshot,
            erased: false,
        })?;
        snapshot.finish()?;
        let mut readers = lock(&self.readers);
        if readers.len() < KEPT {
            readers.push(connection);
        }
        Ok(())
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn Writes) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        // Rolls back when it is dropped.
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut writes = Transaction {
            connection: &transaction,
            erased: false,
        };
        work(&mut writes)?;
        if writes.erased {
            self.uncut.store(true, Ordering::Relaxed);
        }
        transaction.commit()?;
        if self.uncut.load(Ordering::Relaxed) {
            // Old pages with the bytes wait there otherwise. Where a reader in the middle prevents it, or it fails, the next
            // write does it: what was committed is durable either way.
            let cut = open::cut_log(&writer).unwrap_or(false);
            self.uncut.store(!cut, Ordering::Relaxed);
        }
        Ok(())
    }

    fn shared(&self) -> Option<&dyn Shared> {
        None
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic leaves a connection whose transaction was rolled back.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(error.into()),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged("SQLite says so"),
            _ => Self::Failed(error.into()),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(error.into()),
            _ => Self::Failed(error.into()),
        }
    }
}
