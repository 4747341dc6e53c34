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
#[derive(Debug, Default)]
pub(super) struct Files(Vec<(PathBuf, (u64, u64))>);

impl Files {
    /// Looks at the files of the store at `path`.
    pub(super) fn of(path: &Path) -> Self {
        let seen = ["", "-wal", "-shm"].into_iter().filter_map(|end| {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            let known = known_by(&std::fs::metadata(&name).ok()?);
            Some((PathBuf::from(name), known))
        });
        Self(seen.collect())
    }

    /// Refuses where one is no longer the one that was opened.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub(super) fn require_unmoved(&self) -> Result<(), StoreError> {
        for (path, known) in &self.0 {
            if !std::fs::metadata(path).is_ok_and(|found| known_by(&found) == *known) {
                return Err(StoreError::Io {
                    code: 0,
                    message: format!("`{}` was removed or replaced while it was open", path.display()),
                });
            }
        }
        Ok(())
    }
}

/// Device and number of the file.
fn known_by(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}
