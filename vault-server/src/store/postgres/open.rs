//! Opening a database, and taking its schema up to this version.

use postgres::{IsolationLevel, Transaction};

use super::connection::Connection;
use super::{Database, LOCK_SCHEMA, LOCKS, Postgres, SCHEMA, STORE_VERSION};
use crate::store::StoreError;

/// The steps that make the schema, each applied once, in this order; what was applied never changes.
const MIGRATIONS: [&str; STORE_VERSION as usize] = [
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
];

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database failed, or cannot be reached.
    #[error("cannot open the database")]
    Database(#[from] StoreError),
    /// The schema is another program's.
    #[error("the database has a schema `{SCHEMA}` that is not of casevault-server")]
    Foreign,
    /// There is nothing of a server's.
    #[error("there is nothing of casevault-server in the database")]
    Nothing,
    /// An older server was there last, and it was not to be changed.
    #[error("the database has store version {0}, which `casevault-server serve` takes up to {STORE_VERSION}")]
    Older(i32),
    /// A newer server has been there.
    #[error("the database has store version {0}; this server knows {STORE_VERSION}: upgrade casevault-server")]
    Newer(i32),
    /// What it commits may be lost.
    #[error("PostgreSQL runs with `{0} = off`, so what it commits may be lost: turn it on")]
    Forgetful(&'static str),
}

impl Postgres {
    /// Opens a database and takes its schema up, made with `session_key` if there is none.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(database: Database, session_key: [u8; 32]) -> Result<Self, OpenError> {
        let mut connection = Connection::open(&database)?;
        require_durable(&mut connection)?;
        let session_key = take_up(&mut connection, Some(session_key))?;
        Ok(Self::over(database, session_key, connection))
    }

    /// Opens a database that a server has opened before, and changes nothing.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_existing(database: Database) -> Result<Self, OpenError> {
        let mut connection = Connection::open(&database)?;
        let session_key = take_up(&mut connection, None)?;
        Ok(Self::over(database, session_key, connection))
    }

    fn over(database: Database, session_key: [u8; 32], connection: Connection) -> Self {
        Self {
            database,
            session_key,
            idle: std::sync::Mutex::new(vec![connection]),
        }
    }
}

fn require_durable(connection: &mut Connection) -> Result<(), OpenError> {
    for setting in ["fsync", "full_page_writes"] {
        let rows = connection.rows("SELECT current_setting($1)", &[&setting]);
        let rows = rows.map_err(StoreError::from)?;
        let value: Option<String> = rows.first().map(|row| row.get(0));
        if value.as_deref() != Some("on") {
            return Err(OpenError::Forgetful(setting));
        }
    }
    Ok(())
}

/// Applies what was not applied yet, in one transaction and one process at a time, unless no key is given for what is new;
/// returns the key of sessions.
fn take_up(connection: &mut Connection, session_key: Option<[u8; 32]>) -> Result<[u8; 32], OpenError> {
    let mut migrate = || -> Result<Result<[u8; 32], OpenError>, postgres::Error> {
        let mut transaction = connection
            .client
            .build_transaction()
            .isolation_level(IsolationLevel::ReadCommitted)
            .start()?;
        transaction.execute("SELECT pg_advisory_xact_lock($1, $2)", &[&LOCKS, &LOCK_SCHEMA])?;
        let sql = "SELECT to_regnamespace($1) IS NOT NULL, to_regclass($1 || '.migration') IS NOT NULL";
        let there = transaction.query_one(sql, &[&SCHEMA])?;
        match (there.get(0), there.get(1)) {
            (true, false) => return Ok(Err(OpenError::Foreign)),
            (false, _) if session_key.is_none() => return Ok(Err(OpenError::Nothing)),
            (false, _) => transaction.batch_execute(&format!(
                "CREATE SCHEMA {SCHEMA}; CREATE TABLE migration (version INTEGER PRIMARY KEY)"
            ))?,
            (true, true) => (),
        }
        let sql = "SELECT coalesce(max(version), 0) FROM migration";
        let applied: i32 = transaction.query_one(sql, &[])?.get(0);
        if applied > STORE_VERSION {
            return Ok(Err(OpenError::Newer(applied)));
        }
        let Some(session_key) = session_key else {
            return match applied {
                STORE_VERSION => key(&mut transaction),
                older => Ok(Err(OpenError::Older(older))),
            };
        };
        for (step, version) in MIGRATIONS.iter().zip(1_i32..) {
            if version > applied {
                transaction.batch_execute(step)?;
                transaction.execute("INSERT INTO migration (version) VALUES ($1)", &[&version])?;
            }
        }
        let sql = "INSERT INTO server (id, session_key) VALUES (1, $1) ON CONFLICT DO NOTHING";
        transaction.execute(sql, &[&session_key.as_slice()])?;
        let key = key(&mut transaction)?;
        transaction.commit()?;
        Ok(key)
    };
    migrate().map_err(StoreError::from)?
}

fn key(transaction: &mut Transaction<'_>) -> Result<Result<[u8; 32], OpenError>, postgres::Error> {
    let row = transaction.query_one("SELECT session_key FROM server", &[])?;
    let key = row.get::<_, &[u8]>(0).try_into();
    Ok(key.map_err(|_| StoreError::Damaged("a session key of another length").into()))
}
