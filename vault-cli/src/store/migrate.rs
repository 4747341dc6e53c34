//! Store versions: the schema of the newest, and the steps that lead there from older ones.
//!
//! Forward only, each step in its transaction, after the whole file was copied beside itself.

use super::error::StoreError;
use rusqlite::Connection;
use std::path::Path;
use std::path::PathBuf;
use vault_core::check::Check;

/// The version of store that this release writes.
pub const STORE_VERSION: i32 = 1;

/// "CVV1".
pub(super) const APPLICATION_ID: i32 = 0x4356_5631;

/// The tables of [`STORE_VERSION`].
pub(super) const SCHEMA: &str = include_str!("schema.sql");

/// Step n leads from version n + 1 to n + 2.
pub(super) const STEPS: &[&str] = &[];

/// Refuses what is not a vault's store, or a newer one's.
///
/// # Errors
/// [`StoreError::Foreign`], [`StoreError::TooNew`]; [`Check::Unreadable`] for what is no database.
pub(super) fn require_ours(connection: &Connection, path: &Path, known: i32) -> Result<i32, StoreError> {
    let found = pragma(connection, "application_id")?;
    if pragma(connection, "page_count")? == 0 {
        return Err(StoreError::refused(Check::Unreadable, "store"));
    }
    if found != APPLICATION_ID {
        let path = path.to_owned();
        return Err(StoreError::Foreign { path, found });
    }
    let version = pragma(connection, "user_version")?;
    if version > known {
        return Err(StoreError::TooNew { found: version, known });
    }
    if version < 1 {
        return Err(StoreError::refused(Check::Unreadable, "store version"));
    }
    Ok(version)
}

/// Brings a store up to the version that `steps` lead to; `copy` makes the copy of the file.
///
/// # Errors
/// As reading and writing.
pub(super) fn migrate(
    connection: &Connection,
    path: &Path,
    steps: &[&str],
    copy: impl FnOnce(&Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let version = pragma(connection, "user_version")?;
    let newest = i32::try_from(steps.len()).unwrap_or(i32::MAX).saturating_add(1);
    if version >= newest {
        return Ok(());
    }
    copy(&copy_path(path, version))?;
    for (from, step) in (1..).zip(steps) {
        if from < version {
            continue;
        }
        let transaction = rusqlite::Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Exclusive)?;
        // Another process may have taken the step while this one waited.
        if pragma(&transaction, "user_version")? == from {
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", from + 1)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

/// Returns where the copy made before leaving `version` is.
pub(super) fn copy_path(path: &Path, version: i32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".before-version-{}", version.saturating_add(1)));
    PathBuf::from(name)
}

/// Refuses tables that are not exactly those of the schema: a view or a trigger in their place would run as the reader.
///
/// # Errors
/// [`Check::Unreadable`].
pub(super) fn require_schema(connection: &Connection) -> Result<(), StoreError> {
    let fresh = Connection::open_in_memory()?;
    fresh.execute_batch(SCHEMA)?;
    if tables(connection)? == tables(&fresh)? {
        Ok(())
    } else {
        Err(StoreError::refused(Check::Unreadable, "store tables"))
    }
}

type Table = (String, String, String, Option<String>);

fn tables(connection: &Connection) -> Result<Vec<Table>, StoreError> {
    let mut statement =
        connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn pragma(connection: &Connection, name: &str) -> Result<i32, StoreError> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}
