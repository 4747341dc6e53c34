//! The shared store: one PostgreSQL database, and any number of server processes over it.
//!
//! ```text
//! process 1 ─ write: BEGIN, hold the agency (advisory lock), compare sizes, judge, insert, COMMIT ─┐
//! process 2 ─ write: BEGIN, waits …                                                               ─┴─ one log an agency
//! any       ─ read: one snapshot (REPEATABLE READ)         follow: LISTEN, woken by every commit
//! ```
//! Who holds an agency writes to it, until its transaction ends; what it knows of the agency is good if the agency's log is
//! as long as it knew. A commit is on the disk when it returns: `fsync` and `synchronous_commit` are required to be on.

mod connection;
mod foreseen;
mod open;
mod passfile;
mod read;
mod secure;
mod shared;
mod url;
mod waiting;
mod write;

use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{Reads, Shared, Store, StoreError, Writes};
use connection::{Connection, Transaction};

pub use open::OpenError;
pub use url::{Database, Unfit};

/// The schema that has the tables.
pub const SCHEMA: &str = "casevault";

/// The version of this store: of the last migration.
pub const STORE_VERSION: i32 = 3;

/// Connections that are kept open.
const KEPT: usize = 16;

/// The first half of the numbers of our locks in the database, "CVS1"; the other is an agency's number, or one of those
/// below.
const LOCKS: i32 = 0x4356_5331;

/// The lock of whoever makes agencies known. Agencies' numbers begin with 1.
const LOCK_REGISTER: i32 = 0;

/// The lock of whoever takes the schema up.
const LOCK_SCHEMA: i32 = -1;

/// The channel on which processes tell each other that an agency's log has grown.
const CHANNEL: &str = "casevault_grown";

/// An open database.
#[derive(Debug)]
pub struct Postgres {
    database: Database,
    session_key: [u8; 32],
    idle: Mutex<Vec<Connection>>,
}

impl Postgres {
    /// Runs `work` in a transaction begun by `begin`; it is committed if `work` succeeds.
    fn run<T>(
        &self,
        begin: &str,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.begin(begin)?;
        // Whatever leaves early drops the connection, and with it the transaction.
        let done = connection.transaction(work)?;
        self.keep(connection);
        done
    }

    /// Begins a transaction on a connection that is kept or new.
    fn begin(&self, begin: &str) -> Result<Connection, StoreError> {
        loop {
            let kept = self.lock().pop();
            let Some(mut connection) = kept else {
                let mut connection = Connection::open(&self.database)?;
                connection.begin(begin)?;
                return Ok(connection);
            };
            match connection.begin(begin) {
                Ok(()) => return Ok(connection),
                // The database was restarted since; nothing was asked of it yet.
                Err(StoreError::Away(_)) => (),
                Err(error) => return Err(error),
            }
        }
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.lock();
        if idle.len() < KEPT {
            idle.push(connection);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Postgres {
    fn session_key(&self) -> Result<[u8; 32], StoreError> {
        Ok(self.session_key)
    }

    fn read(&self, work: &mut dyn FnMut(&dyn Reads) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", |snapshot| {
            work(snapshot)
        })
    }

    // After the lock, every statement sees what others committed before.
    fn write(&self, work: &mut dyn FnMut(&mut dyn Writes) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", |transaction| {
            work(transaction)
        })
    }

    fn shared(&self) -> Option<&dyn Shared> {
        Some(self)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let idle = std::mem::take(&mut *self.lock());
        // A connection ends by waiting, which a thread that serves requests must not.
        let ending = thread::spawn(move || drop(idle));
        // What panics in there is told by itself.
        let _ = ending.join();
    }
}
