//! A vault that is being put together beside the folder that it is for, and moved there whole or not at all.
//!
//! ```text
//! HOME.restoring (locked) ─ files, each synced ─ folder synced ─ rename ─> HOME, which is absent or empty
//! ```
//!
//! The rename is the only step that anybody can see. A process that dies before it leaves a folder that nobody holds a
//! lock on, which the next restore clears.

use super::Result;
use super::SessionError;
use super::vault::io_error;
use crate::places::Places;
use rustix::fs::FlockOperation;
use rustix::fs::flock;
use std::fs;
use std::fs::DirBuilder;
use std::fs::File;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::path::PathBuf;

/// The folder that becomes the vault's.
pub(super) struct Stage {
    home: PathBuf,
    path: PathBuf,
    done: bool,
    // Held as long as the folder is under work; closing it gives the lock back.
    _lock: File,
}

impl Stage {
    /// Takes the place beside the vault's folder.
    ///
    /// # Errors
    /// [`SessionError::AlreadyInitialised`], [`SessionError::NotEmpty`]; [`SessionError::Busy`] while another restores.
    pub(super) fn beside(places: &Places) -> Result<Self> {
        let failed = io_error("could not make the vault's folder");
        // A link to a folder stays one.
        let home = fs::canonicalize(places.home()).unwrap_or_else(|_| places.home().to_owned());
        require_free(places, &home)?;
        let mut name = home.file_name().unwrap_or_default().to_owned();
        name.push(".restoring");
        let path = home.with_file_name(name);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(&failed)?;
        let lock = File::open(&path).map_err(&failed)?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(SessionError::Busy);
        }
        clear(&path).map_err(&failed)?;
        Ok(Self {
            home,
            path,
            done: false,
            _lock: lock,
        })
    }

    /// Returns the folder under work.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a file, readable by its owner alone, with the folders above it.
    pub(super) fn file(&self, name: &str) -> Result<File> {
        let failed = io_error("could not write the restored vault");
        let path = self.path.join(name);
        if let Some(above) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(above)
                .map_err(&failed)?;
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(failed)
    }

    /// Moves the folder to where the vault belongs.
    pub(super) fn finish(mut self) -> Result<()> {
        let failed = io_error("could not put the restored vault in place");
        sync_folders(&self.path).map_err(&failed)?;
        fs::rename(&self.path, &self.home).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                SessionError::NotEmpty {
                    home: self.home.display().to_string(),
                }
            }
            _ => failed(error),
        })?;
        if let Some(above) = self.home.parent()
            && let Err(error) = File::open(above).and_then(|f| f.sync_all())
        {
            // Whoever is told that nothing was restored finds it so, as far as the disk lets us.
            self.done = fs::rename(&self.home, &self.path).is_err();
            return Err(failed(error));
        }
        self.done = true;
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.done {
            // What cannot be removed is sealed, and cleared by the next restore.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The folder is not there, or there is nothing in it.
/// Refuses a place where there is something already, before anybody types a passphrase for it.
pub(super) fn require_empty(places: &Places) -> Result<()> {
    let home = fs::canonicalize(places.home()).unwrap_or_else(|_| places.home().to_owned());
    require_free(places, &home)
}

fn require_free(places: &Places, home: &Path) -> Result<()> {
    let shown = home.display().to_string();
    if places.keystore().exists() {
        return Err(SessionError::AlreadyInitialised { home: shown });
    }
    let mut inside = match fs::read_dir(home) {
        Ok(inside) => inside,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error("could not read the vault's folder")(error)),
    };
    match inside.next() {
        None => Ok(()),
        Some(_) => Err(SessionError::NotEmpty { home: shown }),
    }
}

fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}
