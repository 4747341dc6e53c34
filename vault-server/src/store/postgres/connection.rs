//! A connection with its prepared statements, and a transaction on it.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use postgres::error::SqlState;
use postgres::types::ToSql;
use postgres::{Client, NoTls, Row, Statement};

use super::foreseen::Foreseen;
use super::waiting::Waiting;
use super::{Database, SCHEMA};
use crate::store::StoreError;

/// What a connection is set to: our tables alone; a commit that returns is on the disk; and no process that hangs holds an
/// agency for ever, nor waits for ever for one.
const SETTINGS: &str = "SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'; \
                        SET client_min_messages = 'warning'; SET synchronous_commit = 'on'";

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Values of a statement.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A connection.
pub(super) struct Connection {
    pub(super) client: Client,
    prepared: HashMap<&'static str, Statement>,
}

/// A snapshot or a transaction.
pub(super) struct Transaction<'c> {
    connection: RefCell<&'c mut Connection>,
    waiting: RefCell<Waiting>,
    foreseen: RefCell<Foreseen>,
    /// Whether a statement failed: PostgreSQL then answers a commit with a rollback, and no error.
    failed: Cell<bool>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl Connection {
    /// Connects.
    pub(super) fn open(database: &Database) -> Result<Self, StoreError> {
        let mut config = database.config();
        config.connect_timeout(PATIENCE).application_name("casevault-server");
        let connected = match database.secured() {
            Some(secured) => config.connect(secured),
            None => config.connect(NoTls),
        };
        let mut client = connected.map_err(|error| match error.as_db_error() {
            Some(_) => error.into(),
            None => StoreError::Away(error.into()),
        })?;
        client.batch_execute(SETTINGS)?;
        client.batch_execute(&format!("SET search_path = {SCHEMA}, pg_temp"))?;
        Ok(Self {
            client,
            prepared: HashMap::new(),
        })
    }

    /// Begins a transaction.
    pub(super) fn begin(&mut self, begin: &str) -> Result<(), StoreError> {
        Ok(self.client.batch_execute(begin)?)
    }

    /// Runs `work` in the transaction that was begun, and ends that. The outer error leaves the connection in no state to
    /// be used again.
    #[allow(clippy::type_complexity, reason = "two failures that are dealt with apart")]
    pub(super) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<Result<T, StoreError>, StoreError> {
        let mut transaction = Transaction {
            connection: RefCell::new(self),
            waiting: RefCell::default(),
            foreseen: RefCell::default(),
            failed: Cell::new(false),
        };
        let done = work(&mut transaction).and_then(|done| transaction.send().map(|()| done));
        let failed = transaction.failed.get();
        let done = match done {
            Ok(_) if failed => Err(StoreError::Damaged("a statement failed, and nobody minded")),
            done => done,
        };
        match done {
            Ok(done) => self.client.batch_execute("COMMIT").map(|()| Ok(done)),
            // What led to it is told, rather than that the connection is gone too.
            Err(error) if self.client.is_closed() => return Err(error),
            Err(error) => self.client.batch_execute("ROLLBACK").map(|()| Err(error)),
        }
        .map_err(StoreError::from)
    }

    /// Runs a statement that was prepared before, or is now.
    pub(super) fn rows(&mut self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, postgres::Error> {
        let statement = self.prepared(sql)?;
        self.client.query(&statement, values)
    }

    fn prepared(&mut self, sql: &'static str) -> Result<Statement, postgres::Error> {
        if let Some(known) = self.prepared.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(sql)?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }
}

impl Transaction<'_> {
    /// Returns all rows of a statement.
    pub(super) fn rows(&self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        self.send()?;
        self.rows_now(sql, values)
    }

    /// Returns the row of a statement that has one at most.
    pub(super) fn row(&self, sql: &'static str, values: Values<'_>) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values)?.into_iter().next())
    }

    /// Runs a statement; returns how many rows it wrote.
    pub(super) fn execute(&self, sql: &'static str, values: Values<'_>) -> Result<u64, StoreError> {
        self.send()?;
        self.execute_now(sql, values)
    }

    /// Returns all rows of a statement for which what waits is of no matter.
    pub(super) fn rows_now(&self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        let rows = self.connection.borrow_mut().rows(sql, values);
        self.minded(rows)
    }

    /// Runs a statement for which what waits is of no matter.
    pub(super) fn execute_now(&self, sql: &'static str, values: Values<'_>) -> Result<u64, StoreError> {
        let mut connection = self.connection.borrow_mut();
        let statement = connection.prepared(sql);
        let written = statement.and_then(|statement| connection.client.execute(&statement, values));
        drop(connection);
        self.minded(written)
    }

    /// What is appended and not sent yet.
    pub(super) fn waiting(&self) -> RefMut<'_, Waiting> {
        self.waiting.borrow_mut()
    }

    /// What was looked up beforehand.
    pub(super) fn foreseen(&self) -> RefMut<'_, Foreseen> {
        self.foreseen.borrow_mut()
    }

    /// Sends what waits.
    pub(super) fn send(&self) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut *self.waiting());
        waiting.send(self)
    }

    fn minded<T>(&self, done: Result<T, postgres::Error>) -> Result<T, StoreError> {
        done.map_err(|error| {
            self.failed.set(true);
            error.into()
        })
    }
}

/// What the database said, without the values that it said it of: they are ids.
#[derive(Debug, thiserror::Error)]
#[error("{message} ({code})")]
struct Said {
    code: String,
    message: String,
}

impl From<postgres::Error> for StoreError {
    fn from(error: postgres::Error) -> Self {
        if let Some(said) = error.as_db_error() {
            let code = said.code();
            let told = Box::new(Said {
                code: code.code().to_owned(),
                message: said.message().to_owned(),
            });
            let away = [
                SqlState::ADMIN_SHUTDOWN,
                SqlState::CRASH_SHUTDOWN,
                SqlState::CANNOT_CONNECT_NOW,
                SqlState::TOO_MANY_CONNECTIONS,
            ];
            return match code {
                code if away.contains(code) => Self::Away(told),
                code if *code == SqlState::DISK_FULL => Self::Full(told),
                code if [SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED].contains(code) => {
                    Self::Damaged("PostgreSQL says so")
                }
                _ => Self::Failed(told),
            };
        }
        let broken = error.source().is_some_and(|cause| cause.is::<io::Error>());
        match error.is_closed() || broken {
            true => Self::Away(error.into()),
            false => Self::Failed(error.into()),
        }
    }
}
