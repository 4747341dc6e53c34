//! The files of an open store, by what the system knows them by.
//!
//! SQLite goes on writing to a file that was removed or replaced under it, and nobody ever finds what it wrote there: a
//! note, or the entry that says who read one. An agent holds a store open for hours, so each transaction looks first.

use super::error::StoreError;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

/// The store's file, its log and the log's index, as they were when it was opened: all three stay for as long as anybody
/// has the store open.
#[derive(Clone, Debug, Default)]
pub struct Files(Vec<(PathBuf, (u64, u64))>);

/// What a file is to an open store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Locked by SQLite: closing any descriptor of it takes this process's locks away.
    Locked,
    /// Not locked: closing a descriptor of it changes nothing.
    Unlocked,
}

impl Files {
    /// Looks at the files of the store at `path`.
    pub(crate) fn of(path: &Path) -> Self {
        let seen = ["", "-wal", "-shm"].into_iter().filter_map(|end| {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            let known = known_by(&std::fs::metadata(&name).ok()?);
            Some((PathBuf::from(name), known))
        });
        Self(seen.collect())
    }

    /// Tells what an open file is to this store, whatever names lead to it; nothing where it is none of its files.
    pub(crate) fn part(&self, found: &Metadata) -> Option<Part> {
        let (path, _) = self.0.iter().find(|(_, known)| *known == known_by(found))?;
        match path.as_os_str().as_encoded_bytes().ends_with(b"-wal") {
            true => Some(Part::Unlocked),
            false => Some(Part::Locked),
        }
    }

    /// Refuses where one of them is not what this process has open: it was replaced between opening and looking.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub(crate) fn require_open_here(&self) -> Result<(), StoreError> {
        let Ok(open) = std::fs::read_dir("/proc/self/fd") else {
            return Ok(());
        };
        let open: Vec<(u64, u64)> = open
            .flatten()
            .filter_map(|entry| Some(known_by(&std::fs::metadata(entry.path()).ok()?)))
            .collect();
        match self.0.iter().find(|(_, known)| !open.contains(known)) {
            Some((path, _)) => Err(replaced(path)),
            None => Ok(()),
        }
    }

    /// Refuses where one is no longer the one that was opened.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub(super) fn require_unmoved(&self) -> Result<(), StoreError> {
        for (path, known) in &self.0 {
            if !std::fs::metadata(path).is_ok_and(|found| known_by(&found) == *known) {
                return Err(replaced(path));
            }
        }
        Ok(())
    }
}

fn replaced(path: &Path) -> StoreError {
    StoreError::Io {
        code: 0,
        message: format!("`{}` was removed or replaced while it was open", path.display()),
    }
}

/// Device and number of the file.
fn known_by(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}
