//! Copies of the database that are whole: taken while a server runs, and put back where none has been.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::TransactionBehavior;

use super::open::{connect, require_known, take};
use super::{FILE, MOVED, OpenError, Sqlite, Transaction, lock};
use crate::audit::{self, Fault, Sound};
use crate::copying::{self, CopyError, There};
use crate::store::{Reads, Shared, Store, StoreError, Writes};

/// Name of a copy in the folder until it was gone over.
const UNCHECKED: &str = "server.restoring.db";

/// Why no copy was made or put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to be copied.
    #[error("there is no database of casevault-server in `{}`", .0.display())]
    Nothing(PathBuf),
    /// Something is there already, and is not written over.
    #[error("there is something at `{}` already, and it stays as it is", .0.display())]
    There(PathBuf),
    /// A file could not be read or written.
    #[error("cannot write `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder or the copy could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The copy is damaged, or the database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Another store was not copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Fault(Fault::Store(error))
    }
}

/// Copies the database of a folder to a new file, born 0600, whether or not a server runs, and goes over the copy.
///
/// # Errors
/// [`BackupError`]; no file is left then.
pub fn backup(folder: &Path, to: &Path) -> Result<Vec<Sound>, BackupError> {
    let from = folder.join(FILE);
    if !from.exists() {
        return Err(BackupError::Nothing(folder.to_owned()));
    }
    let part = begun(to)?;
    born(&part)?;
    finished(&part, to, copy(&from, &part))
}

/// The name of a copy until it was gone over: what is half there looks like a copy, also after a power cut.
fn begun(to: &Path) -> Result<PathBuf, BackupError> {
    if to.exists() {
        return Err(BackupError::There(to.to_owned()));
    }
    let part = beside(to, ".part");
    remove(&part);
    Ok(part)
}

/// Goes over a copy and gives it its name; what is not whole is taken away.
fn finished(part: &Path, to: &Path, copied: Result<(), BackupError>) -> Result<Vec<Sound>, BackupError> {
    let sound = copied.and_then(|()| check(part)).and_then(|sound| {
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(part)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(part, to))
            .and_then(|()| File::open(folder.unwrap_or(Path::new(".")))?.sync_all())
            .map_err(failed(to))?;
        Ok(sound)
    });
    if sound.is_err() {
        remove(part);
    }
    sound
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Takes a copy away, with what the database keeps beside it. Nothing more can be done where it cannot be removed.
fn remove(copy: &Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(copy, end));
    }
}

/// Copies what another store has at one moment to a new file, born 0600, as [`backup`] does, and goes over the copy.
///
/// # Errors
/// [`BackupError`]; no file is left then.
pub fn backup_of(source: &dyn Store, to: &Path) -> Result<Vec<Sound>, BackupError> {
    let part = begun(to)?;
    let file = born(&part)?;
    let copied = written(source, &part, file);
    finished(&part, to, copied)
}

fn written(source: &dyn Store, to: &Path, file: File) -> Result<(), BackupError> {
    let copy = Sqlite::at(to.to_owned(), file, source.session_key()?)?;
    copying::run(source, &copy, There::Refused)?;
    // One file, which is read where nothing can be written beside it.
    let one = lock(&copy.writer).pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()));
    one.map_err(StoreError::from)?;
    Ok(())
}

/// A copy as a store of its own, which is only read.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
}

impl Kept {
    /// Takes a copy that is of this version, or of an older one.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn of(path: &Path) -> Result<Self, BackupError> {
        if !path.exists() {
            return Err(failed(path)(io::Error::from(io::ErrorKind::NotFound)));
        }
        require_known(&connect(path, true)?, path)?;
        Ok(Self { path: path.to_owned() })
    }
}

impl Store for Kept {
    fn session_key(&self) -> Result<[u8; 32], StoreError> {
        let connection = connect(&self.path, true)?;
        Ok(connection.query_row("SELECT session_key FROM server", [], |row| row.get(0))?)
    }

    fn read(&self, work: &mut dyn FnMut(&dyn Reads) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut connection = connect(&self.path, true)?;
        let snapshot = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        work(&Transaction {
            connection: &snapshot,
            erased: false,
        })
    }

    fn write(&self, _: &mut dyn FnMut(&mut dyn Writes) -> Result<(), StoreError>) -> Result<(), StoreError> {
        Err(StoreError::Failed("a copy is only read".into()))
    }

    fn shared(&self) -> Option<&dyn Shared> {
        None
    }
}

/// Goes over a copy and puts it into a folder that has no database.
///
/// # Errors
/// [`BackupError`]; the folder has no database then.
pub fn restore(from: &Path, folder: &Path) -> Result<Vec<Sound>, BackupError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(failed(folder))?;
    let _lock = take(folder)?;
    for name in [FILE, MOVED] {
        let path = folder.join(name);
        if path.exists() {
            return Err(BackupError::There(path));
        }
    }
    let unchecked = folder.join(UNCHECKED);
    // Of a try that was cut off.
    match fs::remove_file(&unchecked) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&unchecked)(error)),
        _ => (),
    }
    let mut copy = born(&unchecked)?;
    let copied = File::open(from).and_then(|mut from| io::copy(&mut from, &mut copy));
    finished(&unchecked, &folder.join(FILE), copied.map(drop).map_err(failed(from)))
}

fn born(path: &Path) -> Result<File, BackupError> {
    let born = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    born.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::There(path.to_owned()),
        _ => failed(path)(error),
    })
}

/// Copies one snapshot, without what is free in the file.
fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let connection = connect(from, true)?;
    require_known(&connection, from)?;
    let name = to.to_string_lossy();
    let written = connection.execute("VACUUM INTO ?1", [name.as_ref()]);
    written.map_err(StoreError::from)?;
    Ok(())
}

fn check(copy: &Path) -> Result<Vec<Sound>, BackupError> {
    let mut sound = Err(Fault::Store(StoreError::Damaged("nothing was read")));
    Kept::of(copy)?.read(&mut |reads| {
        sound = audit::all(reads);
        Ok(())
    })?;
    Ok(sound?)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File {
        path: path.clone(),
        source,
    }
}
