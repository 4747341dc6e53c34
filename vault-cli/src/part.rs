//! A file that somebody gets: written beside its name, and there whole or not at all.
//!
//! ```text
//! unnamed file of the folder ─ written ─ synced ─> linked to its name ─ (renamed over the one that is there) ─ folder synced
//! ```
//!
//! What is written has no name until all of it is there, so that a process that dies leaves nothing of a case in the
//! clear. Where it takes the place of a file, it has a second name (`NAME.part-PROCESS`) for the moment between the two
//! calls that this takes, and a kill then leaves it under that one, whole. A file system that knows no unnamed files gets a
//! part with such a name, which a kill leaves behind.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, open, renameat_with};
use rustix::io::Errno;

use crate::error::CliError;

/// A file being written beside the one that it will replace; gone if it never does.
pub struct Part {
    path: PathBuf,
    /// Where it is written.
    pub file: BufWriter<File>,
    named: bool,
}

impl Part {
    /// Begins the part of the file `path`, readable by its owner alone.
    ///
    /// # Errors
    /// [`CliError::Io`], of kind `InvalidInput` where something is there that is no plain file: a pipe or a device would
    /// become a file on a disk, and a link's file would come to lie beside the link.
    pub fn beside(path: &Path) -> Result<Self, CliError> {
        if path
            .symlink_metadata()
            .is_ok_and(|found| !found.is_file() && !found.is_dir())
        {
            let why = io::Error::new(io::ErrorKind::InvalidInput, "this is a link, a pipe or a device");
            return Err(CliError::io(format!("could not write `{}`", path.display()), why));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".part-{}", std::process::id()));
        let part = path.with_file_name(name);
        let unnamed = unnamed(folder_of(path));
        let named = unnamed.is_none();
        let opened = match unnamed {
            Some(file) => Ok(file),
            None => OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part),
        };
        let file = opened.map_err(|e| CliError::io(format!("could not write `{}`", path.display()), e))?;
        Ok(Self {
            path: part,
            file: BufWriter::with_capacity(1 << 16, file),
            named,
        })
    }

    /// Becomes the file, in the place of one that is there.
    ///
    /// # Errors
    /// [`CliError::Io`]; where the folder alone could not be made durable, one that was replaced stays replaced.
    pub fn become_file(self, path: &Path) -> Result<(), CliError> {
        let is_new = path.symlink_metadata().is_err();
        self.end(path, is_new, |part| {
            if !part.named {
                match part.link(path) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    done => return done,
                }
                part.link(&part.path)?;
                part.named = true;
            }
            std::fs::rename(&part.path, path)
        })
    }

    /// Becomes the file, unless one is there.
    ///
    /// # Errors
    /// [`CliError::Io`] of kind `AlreadyExists` if one is.
    pub fn become_new_file(self, path: &Path) -> Result<(), CliError> {
        self.end(path, true, |part| {
            if !part.named {
                return part.link(path);
            }
            match renameat_with(CWD, &part.path, CWD, path, RenameFlags::NOREPLACE) {
                // A file system that cannot rename so can link so.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                    std::fs::hard_link(&part.path, path)?;
                    std::fs::remove_file(&part.path)
                }
                done => done.map_err(io::Error::from),
            }
        })
    }

    /// Becomes the file; one that is there is replaced by `force` alone.
    ///
    /// # Errors
    /// [`CliError::Usage`] if one is, as [`require_new`]; [`CliError::Io`].
    pub fn become_file_or_refuse(self, path: &Path, force: bool) -> Result<(), CliError> {
        if force || path.is_dir() {
            return self.become_file(path);
        }
        self.become_new_file(path).map_err(|error| match error {
            CliError::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => taken(path),
            other => other,
        })
    }

    /// Gives the unnamed file a name.
    fn link(&self, path: &Path) -> io::Result<()> {
        give_name(self.file.get_ref(), path)
    }

    fn end(
        mut self,
        path: &Path,
        is_new: bool,
        name: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> Result<(), CliError> {
        let failed = |e| CliError::io(format!("could not write `{}`", path.display()), e);
        let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        written.and_then(|()| name(&mut self)).map_err(failed)?;
        // It has its own name now.
        self.named = false;
        sync(folder_of(path)).map_err(|error| {
            // Whoever is told that it was not written finds it so.
            if is_new {
                let _ = std::fs::remove_file(path);
            }
            failed(error)
        })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.named {
            // What cannot be removed is named as a part and holds no more than was asked for.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Refuses a file that is there and would be replaced, before anything is asked or opened.
///
/// # Errors
/// [`CliError::Usage`], unless `force` says that it may be. What is no plain file [`Part::beside`] refuses.
pub fn require_new(path: &Path, force: bool) -> Result<(), CliError> {
    match path.symlink_metadata() {
        Ok(found) if !force && (found.is_file() || found.is_symlink() && !path.is_dir()) => Err(taken(path)),
        _ => Ok(()),
    }
}

fn taken(path: &Path) -> CliError {
    CliError::Usage {
        message: format!("`{}` is there already", path.display()),
        hint: "name another file, or replace it with `--force`".to_owned(),
    }
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Gives an unnamed file a name that nothing has.
pub(crate) fn give_name(file: &File, path: &Path) -> io::Result<()> {
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, open, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// Opens a file of a folder, to read and write, that has no name; nothing where that cannot be, or could not be named
/// afterwards.
#[cfg(target_os = "linux")]
pub(crate) fn unnamed(folder: &Path) -> Option<File> {
    if !Path::new("/proc/self/fd").exists() {
        return None;
    }
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let opened = open(folder, flags, Mode::RUSR | Mode::WUSR);
    opened.ok().map(File::from)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn unnamed(_: &Path) -> Option<File> {
    None
}

/// Makes the names of a folder durable; a file system that cannot has no more to give.
pub fn sync(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error) if [Some(Errno::INVAL), Some(Errno::OPNOTSUPP)].contains(&Errno::from_io_error(&error)) => Ok(()),
        done => done,
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
    fn what_is_no_plain_file_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        std::fs::write(&file, "before").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [link.as_path(), Path::new("/dev/null")] {
            let refused = Part::beside(path).err().unwrap();
            assert!(matches!(refused, CliError::Io { source, .. } if source.kind() == io::ErrorKind::InvalidInput));
        }
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }

    #[test]
    fn a_part_has_no_name_until_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let mut part = Part::beside(&dir.path().join("case.html")).unwrap();
        part.file.write_all(b"half").unwrap();
        part.file.flush().unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
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
