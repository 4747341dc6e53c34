//! A file that somebody gets: written beside its name, and there whole or not at all.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::error::CliError;

/// A file being written beside the one that it will replace; gone if it never does.
pub struct Part {
    path: PathBuf,
    /// Where it is written.
    pub file: BufWriter<std::fs::File>,
    done: bool,
}

impl Part {
    /// Begins the part of the file `path`, readable by its owner alone.
    ///
    /// # Errors
    /// [`CliError::Io`].
    pub fn beside(path: &Path) -> Result<Self, CliError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".part-{}", std::process::id()));
        let part = path.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part)
            .map_err(|e| CliError::io(format!("could not write `{}`", path.display()), e))?;
        Ok(Self {
            path: part,
            file: BufWriter::with_capacity(1 << 16, file),
            done: false,
        })
    }

    /// Becomes the file, in the place of one that is there.
    ///
    /// # Errors
    /// [`CliError::Io`].
    pub fn become_file(self, path: &Path) -> Result<(), CliError> {
        self.end(path, |part| std::fs::rename(part, path))
    }

    /// Becomes the file, unless one is there.
    ///
    /// # Errors
    /// [`CliError::Io`] of kind `AlreadyExists` if one is.
    pub fn become_new_file(self, path: &Path) -> Result<(), CliError> {
        self.end(path, |part| {
            match renameat_with(CWD, part, CWD, path, RenameFlags::NOREPLACE) {
                // A file system that cannot rename so can link so.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                    std::fs::hard_link(part, path)?;
                    std::fs::remove_file(part)
                }
                done => done.map_err(io::Error::from),
            }
        })
    }

    fn end(mut self, path: &Path, rename: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), CliError> {
        let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        written
            .and_then(|()| rename(&self.path))
            .map_err(|e| CliError::io(format!("could not write `{}`", path.display()), e))?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.done {
            // What cannot be removed is named as a part and holds no more than was asked for.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("case.html");
        std::fs::write(&path, "before").unwrap();
        let mut part = Part::beside(&path).unwrap();
        part.file.write_all(b"half").unwrap();
        drop(part);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let mut part = Part::beside(&path).unwrap();
        part.file.write_all(b"after").unwrap();
        part.become_file(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_takes_the_place_of_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("scan.jpg");
        let write = |text: &[u8]| {
            let mut part = Part::beside(&path).unwrap();
            part.file.write_all(text).unwrap();
            part.become_new_file(&path)
        };
        write(b"first").unwrap();
        let refused = write(b"second").unwrap_err();
        let exists = |e: &io::Error| e.kind() == io::ErrorKind::AlreadyExists;
        assert!(matches!(&refused, CliError::Io { source, .. } if exists(source)));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
