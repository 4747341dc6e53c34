//! Opening and making the database, and what is set on every connection.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, flock};

use super::{APPLICATION_ID, FILE, MOVED, STORE_VERSION, Sqlite};
use crate::store::StoreError;

/// Pages of the database's log after which it is written into the database: 16 MiB.
const LOG_PAGES: i32 = 4096;

/// Memory for pages, in KiB: of the writer, and of each reader.
const WRITER_CACHE_KIB: i32 = 16_384;
const READER_CACHE_KIB: i32 = 1024;

/// What each version after the first added, in their order; a new file takes all of it.
const STEPS: [(i32, &str); 2] = [
    (2, include_str!("../invite.sql")),
    (3, include_str!("../cosignature.sql")),
];

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("another casevault-server has the folder `{}` open", .0.display())]
    Taken(PathBuf),
    /// It was moved elsewhere, where its log goes on.
    #[error(
        "the folder `{}` was moved to a database of PostgreSQL: serve that with `--database`, or name another folder",
        .0.display()
    )]
    Moved(PathBuf),
    /// The file is another program's.
    #[error("`{}` is not a database of casevault-server", .0.display())]
    Foreign(PathBuf),
    /// The file was written by a newer server.
    #[error("`{}` has store version {found}; this server knows {STORE_VERSION}: upgrade casevault-server", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i32,
    },
    /// A file could not be made or read.
    #[error("cannot open `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database failed.
    #[error("cannot open `{}`", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: StoreError,
    },
}

impl Sqlite {
    /// Opens the database of a data folder, made with `session_key` if there is none; nobody else can then.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path, session_key: [u8; 32]) -> Result<Self, OpenError> {
        let lock = take(folder)?;
        let path = folder.join(FILE);
        // A new log under the same folder's name would only be refused by every client.
        if !path.exists() && folder.join(MOVED).exists() {
            return Err(OpenError::Moved(folder.to_owned()));
        }
        // Born 0600; SQLite gives its other files the rights of this one.
        private(&path).map_err(|source| OpenError::File {
            path: path.clone(),
            source,
        })?;
        Self::at(path, lock, session_key)
    }

    /// Opens the database of a file that is there, made with `session_key` if the file is empty; `lock` is kept as long as it
    /// is open.
    pub(super) fn at(path: PathBuf, lock: File, session_key: [u8; 32]) -> Result<Self, OpenError> {
        let database = |source| OpenError::Database {
            path: path.clone(),
            source,
        };
        let writer = connect(&path, false).map_err(database)?;
        let pages = pragma(&writer, &path, "page_count")?;
        match pages {
            0 => create(&writer, session_key).map_err(|error| database(error.into()))?,
            _ => {
                require_known(&writer, &path)?;
                take_up(&writer, &path)?;
            }
        }
        write_ahead(&writer).map_err(|error| database(error.into()))?;
        Ok(Self {
            path,
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            uncut: AtomicBool::new(false),
            _lock: lock,
        })
    }
}

/// Takes an older file up to this version, in one transaction.
fn take_up(writer: &Connection, path: &Path) -> Result<(), OpenError> {
    let found = pragma(writer, path, "user_version")?;
    if found == STORE_VERSION {
        return Ok(());
    }
    let steps = || -> rusqlite::Result<()> {
        let transaction = writer.unchecked_transaction()?;
        for (version, step) in STEPS {
            if version > found {
                transaction.execute_batch(step)?;
            }
        }
        transaction.pragma_update(None, "user_version", STORE_VERSION)?;
        transaction.commit()
    };
    steps().map_err(|error| OpenError::Database {
        path: path.to_owned(),
        source: error.into(),
    })
}

/// Refuses another program's file, and a newer server's.
pub(super) fn require_known(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    if pragma(connection, path, "application_id")? != APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    match pragma(connection, path, "user_version")? {
        1..=STORE_VERSION => Ok(()),
        found => Err(OpenError::Newer {
            path: path.to_owned(),
            found,
        }),
    }
}

fn pragma(connection: &Connection, path: &Path, name: &str) -> Result<i32, OpenError> {
    let value = connection.pragma_query_value(None, name, |row| row.get(0));
    value.map_err(|error| OpenError::Database {
        path: path.to_owned(),
        source: error.into(),
    })
}

/// Opens a connection of an existing file.
pub(super) fn connect(path: &Path, reads: bool) -> Result<Connection, StoreError> {
    let rights = match reads {
        true => OpenFlags::SQLITE_OPEN_READ_ONLY,
        false => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let flags = rights | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    // The only writer waits when it cuts the log, for readers, and it does not wait long.
    let patience = if reads { 10_000 } else { 500 };
    connection.busy_timeout(Duration::from_millis(patience))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let cache = if reads { READER_CACHE_KIB } else { WRITER_CACHE_KIB };
    connection.pragma_update(None, "cache_size", -cache)?;
    if !reads {
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // What an erasure frees is overwritten.
        connection.pragma_update(None, "secure_delete", true)?;
    }
    Ok(connection)
}

/// Writes the database's log into the database and cuts it to nothing, so that erased bytes are in neither. Tells whether
/// it was cut: a reader in the middle prevents it.
pub(super) fn cut_log(writer: &Connection) -> rusqlite::Result<bool> {
    let busy: i64 = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}

fn create(writer: &Connection, session_key: [u8; 32]) -> rusqlite::Result<()> {
    let transaction = writer.unchecked_transaction()?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", STORE_VERSION)?;
    transaction.execute_batch(include_str!("../schema.sql"))?;
    for (_, step) in STEPS {
        transaction.execute_batch(step)?;
    }
    transaction.execute("INSERT INTO server (id, session_key) VALUES (1, ?1)", [session_key])?;
    transaction.commit()
}

fn write_ahead(writer: &Connection) -> rusqlite::Result<()> {
    writer.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    writer.pragma_update_and_check(None, "wal_autocheckpoint", LOG_PAGES, |_| Ok(()))?;
    cut_log(writer).map(drop)
}

/// Takes the folder for this process, as long as the file is open.
pub(super) fn take(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join("server.lock");
    let file = private(&path).map_err(|source| OpenError::File { path, source })?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(_) => Err(OpenError::Taken(folder.to_owned())),
    }
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}
