//! Making, opening and copying a store, and the two kinds of transaction on it.

use super::error::StoreError;
use super::files::Files;
use super::migrate;
use super::migrate::APPLICATION_ID;
use super::migrate::SCHEMA;
use super::migrate::STEPS;
use super::migrate::STORE_VERSION;
use super::read::ReadTx;
use super::reserve;
use super::take_back;
use super::write::WriteTx;
use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::Transaction;
use rusqlite::TransactionBehavior;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use std::cell::RefCell;
use std::fs::File;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use vault_core::id::AgencyId;
use vault_core::id::LinkId;
use vault_core::local::LocalKeys;
use vault_core::local::head::StoreHead;
use vault_core::secret::StoreKey;

/// Bytes of the longest row: a record of 16 MiB and what stands beside it.
const LONGEST_ROW: i32 = (16 << 20) + (64 << 10);

/// How long a transaction waits for another process's before it is [`StoreError::Busy`].
const BUSY: Duration = Duration::from_secs(10);
/// Bytes of a page: a note is one to two KiB, and of SQLite's 4096 a quarter would stay unused.
const PAGE_BYTES: i32 = 16384;
/// KiB of pages kept in memory.
const CACHE_KIB: i32 = 32 * 1024;

/// An open store.
pub struct Store {
    pub(super) connection: Connection,
    keys: LocalKeys,
    agency: AgencyId,
    path: PathBuf,
    // Empty until it is open. What is written to a file that has no name any more is written nowhere.
    files: Files,
    // Link ids of the agency stream by sequence number: every record link cites one by its number.
    agency_links: RefCell<Vec<LinkId>>,
}

impl Store {
    /// Makes an empty store, readable by its owner alone.
    ///
    /// A crash leaves either a whole store or an empty file, which the next call takes over.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if there is anything but an empty file; as writing.
    pub fn create(path: &Path, agency: AgencyId, key: &StoreKey) -> Result<Self, StoreError> {
        if std::fs::metadata(path).is_ok_and(|found| found.len() > 0) {
            return Err(StoreError::Exists(path.to_owned()));
        }
        private_file(path)?;
        let keys = LocalKeys::derive(key);
        let connection = connect(path)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Exclusive)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", STORE_VERSION)?;
        transaction.execute_batch(SCHEMA)?;
        let head = StoreHead::empty(agency);
        transaction.execute(
            "INSERT INTO meta (id, agency, pos, commit_order, mac) VALUES (1, ?1, 0, ?2, ?3)",
            (agency.0, head.order.0, head.mac(&keys.heads)),
        )?;
        transaction.commit()?;
        drop(connection);
        sync_folder(path)?;
        Self::open(path, key)
    }

    /// Opens the store at `path`, migrating it if it is an older release's.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Foreign`], [`StoreError::TooNew`]; CHK-101 for another key's store or a
    /// changed head, CHK-102 if rows or streams are missing, CHK-105 if the file cannot be read.
    pub fn open(path: &Path, key: &StoreKey) -> Result<Self, StoreError> {
        match Self::open_with(path, key, STEPS) {
            // The log and its index need room before anything is written; without it nobody could even read.
            Err(StoreError::Full) if reserve::release(path)? => Self::open_with(path, key, STEPS),
            done => done,
        }
    }

    fn open_with(path: &Path, key: &StoreKey, steps: &[&str]) -> Result<Self, StoreError> {
        // Asked, not opened: closing a file drops this process's locks on it, those of another open store included.
        std::fs::metadata(path).map_err(|error| StoreError::io(path, &error))?;
        let connection = connect(path)?;
        let known = i32::try_from(steps.len()).unwrap_or(i32::MAX).saturating_add(1);
        if migrate::require_ours(&connection, path, known)? < known {
            migrate::migrate(&connection, path, steps, |to| copy(&connection, to))?;
        }
        configure(&connection)?;
        if known == STORE_VERSION {
            migrate::require_schema(&connection)?;
        }
        let agency = connection.query_row("SELECT agency FROM meta", [], |row| row.get(0))?;
        let mut store = Self {
            connection,
            keys: LocalKeys::derive(key),
            agency: AgencyId(agency),
            path: path.to_owned(),
            files: Files::default(),
            agency_links: RefCell::new(Vec::new()),
        };
        store.read(|tx| tx.require_complete())?;
        store.files = Files::of(path);
        reserve::make(path)?;
        Ok(store)
    }

    /// Returns the agency whose store it is, authenticated by the store's head.
    pub fn agency(&self) -> AgencyId {
        self.agency
    }

    /// Returns where the store is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns which files it has open.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Sets how long a transaction waits for another process's; ten seconds unless set.
    ///
    /// # Errors
    /// None in practice.
    pub fn wait_at_most(&self, time: Duration) -> Result<(), StoreError> {
        Ok(self.connection.busy_timeout(time)?)
    }

    /// Reads one snapshot: what others write meanwhile is not seen.
    ///
    /// # Errors
    /// CHK-101 if the store's head does not authenticate; what `f` returns.
    pub fn read<T, E: From<StoreError>>(&self, f: impl FnOnce(&ReadTx<'_>) -> Result<T, E>) -> Result<T, E> {
        let transaction = self.begin(TransactionBehavior::Deferred)?;
        let tx = ReadTx::begin(
            &transaction,
            &self.keys,
            self.agency,
            self.agency_links.borrow().clone(),
        )?;
        let done = f(&tx)?;
        let links = tx.into_agency_links();
        drop(transaction);
        self.agency_links.replace(links);
        Ok(done)
    }

    /// Writes one transaction, durable as a whole when this returns and not at all if it or `f` fails.
    ///
    /// A second process waits until the first is done.
    ///
    /// # Errors
    /// [`StoreError::Busy`] after ten seconds, [`StoreError::Full`], CHK-101; what `f` returns.
    pub fn write<T, E: From<StoreError>>(&mut self, f: impl FnOnce(&mut WriteTx<'_>) -> Result<T, E>) -> Result<T, E> {
        let transaction = self.begin(TransactionBehavior::Immediate)?;
        let read = ReadTx::begin(
            &transaction,
            &self.keys,
            self.agency,
            self.agency_links.borrow().clone(),
        )?;
        let mut tx = WriteTx::begin(read);
        let done = f(&mut tx)?;
        let written = tx.finish()?;
        if let Err(error) = transaction.commit() {
            take_back::unconfirmed(&self.connection, &self.path);
            return Err(StoreError::from(error).into());
        }
        self.agency_links.replace(written.agency_links);
        if written.erased {
            self.empty_log();
        }
        Ok(done)
    }

    /// Gives up the disk kept back for access entries; tells whether there was any.
    ///
    /// For the writer of an entry that got [`StoreError::Full`], to try once more; the next opening that finds room
    /// keeps it back again.
    ///
    /// # Errors
    /// As writing.
    pub fn release_reserve(&self) -> Result<bool, StoreError> {
        reserve::release(&self.path)
    }

    /// Copies the store, complete and readable by its owner alone, to a file that does not exist yet.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; as writing.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        copy(&self.connection, path)
    }

    /// Writes a complete copy, as of now, into the empty file at `path`, without the local values whose names begin with
    /// one of `without`; what others write meanwhile is not in it. Returns how many links it has.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if the file is not empty; as writing.
    pub fn snapshot_to(&self, path: &Path, without: &[&str]) -> Result<u64, StoreError> {
        copy(&self.connection, path)?;
        let connection = connect(path)?;
        // Of a copy that nobody else opens; its log would be a file of its own.
        connection.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))?;
        for prefix in without {
            let sql = "DELETE FROM local WHERE substr(name, 1, length(?1)) = ?1";
            connection.execute(sql, [prefix])?;
        }
        let links = connection.query_row("SELECT pos FROM meta", [], |row| row.get(0))?;
        drop(connection);
        let file = File::open(path).map_err(|error| StoreError::io(path, &error))?;
        file.sync_all().map_err(|error| StoreError::io(path, &error))?;
        Ok(links)
    }

    /// Reads every page and index of the file and compares them.
    ///
    /// # Errors
    /// CHK-105.
    pub fn require_sound(&self) -> Result<(), StoreError> {
        self.page_check()?.run()
    }

    /// Prepares [`Self::require_sound`] to run on a thread of its own, beside what is read here.
    ///
    /// # Errors
    /// As opening the store's file.
    pub fn page_check(&self) -> Result<PageCheck, StoreError> {
        Ok(PageCheck(connect(&self.path)?))
    }

    fn begin(&self, behavior: TransactionBehavior) -> Result<Transaction<'_>, StoreError> {
        if !self.connection.is_autocommit() {
            return Err(StoreError::Bug("a transaction within a transaction".to_owned()));
        }
        self.files.require_unmoved()?;
        Ok(Transaction::new_unchecked(&self.connection, behavior)?)
    }

    // A reader elsewhere may hold the log, or the disk may fail: then it is emptied by whoever closes the store last. What
    // was written is durable all the same, so this refuses nothing.
    fn empty_log(&self) {
        let _ = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}

/// A look at every page of the store's file, over a connection of its own.
pub struct PageCheck(Connection);

impl PageCheck {
    /// Reads every page and refuses what does not hang together, whatever the rows say.
    ///
    /// # Errors
    /// CHK-105.
    pub fn run(self) -> Result<(), StoreError> {
        let found: String = self.0.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if found == "ok" {
            Ok(())
        } else {
            Err(StoreError::refused(vault_core::check::Check::Unreadable, "store pages"))
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.path.display())
    }
}

/// Returns the names of the local values of the store at `path`, without a key: they tell kinds and random ids only.
///
/// Nothing is written, and nothing believed: for a count that is shown before anybody unlocks.
///
/// # Errors
/// [`StoreError::NotFound`], and whatever keeps the file from being read.
pub fn local_names(path: &Path) -> Result<Vec<String>, StoreError> {
    std::fs::metadata(path).map_err(|error| StoreError::io(path, &error))?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // Without a log nobody has the store open: then not even a shared-memory file is made beside it.
    let quiet = std::fs::metadata(&log).map_or(0, |found| found.len()) == 0;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => uri.push(char::from(*byte)),
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    uri.push_str(if quiet { "?immutable=1" } else { "?mode=ro" });
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(uri, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    let mut statement = connection.prepare("SELECT name FROM local ORDER BY name")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    // The file may be anybody's: nothing in it may run or rewrite the schema.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // A statement is planned once, and not anew for each value that is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Longer than anything that is ever stored: refused before it is read.
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_ROW)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // Sorting and temporary tables hold rows; they stay off the disk.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

// Only once the file is known to be ours: this writes to it.
fn configure(connection: &Connection) -> Result<(), StoreError> {
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "wal" {
        let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if mode != "wal" {
            return Err(StoreError::Io {
                code: 0,
                message: format!("write-ahead log refused, journal is `{mode}`"),
            });
        }
    }
    Ok(())
}

fn copy(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    if std::fs::metadata(to).is_ok_and(|found| found.len() > 0) {
        return Err(StoreError::Exists(to.to_owned()));
    }
    // Made here, so that SQLite finds an empty file with the permissions that it shall have.
    private_file(to)?;
    let name = to
        .to_str()
        .ok_or_else(|| StoreError::Bug("a path that is not UTF-8".to_owned()))?;
    connection.execute("VACUUM INTO ?1", [name])?;
    let file = File::open(to).map_err(|error| StoreError::io(to, &error))?;
    file.sync_all().map_err(|error| StoreError::io(to, &error))?;
    sync_folder(to)
}

fn private_file(path: &Path) -> Result<(), StoreError> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|error| StoreError::io(path, &error))
}

// A new file is durable only when its name in the folder is.
fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    File::open(folder)
        .and_then(|opened| opened.sync_all())
        .map_err(|error| StoreError::io(folder, &error))
}
