//! Disk kept back, so that an access entry can still be written when the disk is full.
//!
//! Reading needs a durable entry first; without a reserve, a full disk would lock a caseworker out of every case. The
//! reserve is a file beside the store that is given up when a write finds the disk full, and made again at the next
//! opening that finds room.

use super::error::StoreError;
use rustix::fs::FallocateFlags;
use rustix::fs::fallocate;
use rustix::io::Errno;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

/// Bytes kept back: the pages, twice over for log and file, of a dozen entries.
pub(super) const RESERVE_BYTES: u64 = 2 << 20;

/// Returns where the reserve of the store at `path` is.
pub(super) fn reserve_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-reserve");
    PathBuf::from(name)
}

/// Makes the reserve if it is not there; a disk that is full already is no error.
pub(super) fn make(path: &Path) -> Result<(), StoreError> {
    let path = reserve_path(path);
    // Not through a link: what it leads to is not ours to fill.
    if std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_file() && found.len() == RESERVE_BYTES) {
        return Ok(());
    }
    give_up(&path)?;
    match fill(&path) {
        Err(StoreError::Full | StoreError::ReadOnly) => give_up(&path).map(drop),
        done => done,
    }
}

/// Gives the reserve up; tells whether there was one.
pub(super) fn release(path: &Path) -> Result<bool, StoreError> {
    give_up(&reserve_path(path))
}

fn fill(path: &Path) -> Result<(), StoreError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(|error| StoreError::io(path, &error))?;
    match fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
            let zeros = vec![0; usize::try_from(RESERVE_BYTES).unwrap_or_default()];
            file.write_all(&zeros).map_err(|error| StoreError::io(path, &error))
        }
        done => done.map_err(|error| StoreError::io(path, &error.into())),
    }
}

fn give_up(path: &Path) -> Result<bool, StoreError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io(path, &error)),
    }
}
