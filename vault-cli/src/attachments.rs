//! The folder of attachments' files, beside the store: one file each, written whole before its record is.
//!
//! ```text
//! begin ─> NAME.part, locked ─ chunks ─ sync ─> record committed ─> publish: renamed to NAME ─> lock gone with the file
//! ```
//!
//! A crash leaves a part that nobody holds a lock on. Whether it is an attachment is for the store alone to say: if its
//! record was committed the part is published, otherwise it is discarded. A file under its final name always has had a
//! record, so one without is never taken for a leftover.

use crate::part;
use rustix::fs::FlockOperation;
use rustix::fs::OFlags;
use rustix::fs::flock;
use std::fs::DirBuilder;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use vault_core::id::ID_CHARS;

const UNFINISHED: &str = ".part";

/// The folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The attachment's name, 26 characters.
    pub name: String,
    /// Whether it is still a part.
    pub is_part: bool,
}

impl Folder {
    /// Takes the folder at `path`; it need not be there.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Begins the file of a new attachment, readable by its owner alone and locked against being swept.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn begin(&self, name: &str) -> io::Result<Part> {
        if !self.path.exists() {
            DirBuilder::new().mode(0o700).recursive(true).create(&self.path)?;
            if let Some(above) = self.path.parent() {
                sync_folder(above)?;
            }
        }
        let path = self.part(name);
        // Locked before it has its name: nobody can take it for a leftover.
        if let Some(file) = part::unnamed(&self.path) {
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            part::give_name(&file, &path)?;
            let finished = self.path.join(name);
            return Ok(Part { file, path, finished });
        }
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let part = Part::locked(opened?, path, self.path.join(name))?;
        // Between making and locking it somebody may have swept it away.
        part.ok_or_else(|| io::Error::from(io::ErrorKind::ResourceBusy))
    }

    /// Opens an attachment's file, under its final name or, if a crash came between, as the part that it was.
    ///
    /// # Errors
    /// What the file system refuses; that it is not there is no error.
    pub fn open(&self, name: &str) -> io::Result<Option<File>> {
        for path in [self.path.join(name), self.part(name)] {
            // A pipe laid in its place is opened without waiting for a writer, and refused by its length.
            let opened = OpenOptions::new()
                .read(true)
                .custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed())
                .open(&path);
            match opened {
                Ok(file) => return Ok(Some(file)),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(None)
    }

    /// Lists the files that have an attachment's name; others are none of ours.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        let listed = match std::fs::read_dir(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed?,
        };
        let mut entries = Vec::new();
        for file in listed {
            let file = file?.file_name();
            let Some(text) = file.to_str() else { continue };
            let (name, is_part) = match text.strip_suffix(UNFINISHED) {
                Some(name) => (name, true),
                None => (text, false),
            };
            if name.len() == ID_CHARS && name.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()) {
                let name = name.to_owned();
                entries.push(Entry { name, is_part });
            }
        }
        entries.sort();
        Ok(entries)
    }

    /// Takes over a part that a crash left; nothing if it is gone, or somebody is writing it.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn take_over(&self, name: &str) -> io::Result<Option<Part>> {
        let path = self.part(name);
        match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => Part::locked(file, path, self.path.join(name)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Removes an attachment's file; that it is not there is no error.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        for path in [self.path.join(name), self.part(name)] {
            match std::fs::remove_file(path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                done => done?,
            }
        }
        sync_folder(&self.path)
    }

    fn part(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}{UNFINISHED}"))
    }
}

/// A file of which no record is known yet; locked, and left for whoever comes next unless it is published or discarded.
#[derive(Debug)]
pub struct Part {
    file: File,
    path: PathBuf,
    finished: PathBuf,
}

impl Part {
    fn locked(file: File, path: PathBuf, finished: PathBuf) -> io::Result<Option<Self>> {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            done => done?,
        }
        let here = file.metadata()?;
        let named = match std::fs::metadata(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            named => named?,
        };
        let same = (here.dev(), here.ino()) == (named.dev(), named.ino());
        Ok(same.then_some(Self { file, path, finished }))
    }

    /// Returns the file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Makes bytes and name durable.
    ///
    /// # Errors
    /// What the file system refuses: then nothing of it may be relied on.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()?;
        self.path.parent().map_or(Ok(()), sync_folder)
    }

    /// Gives it its final name: its record is committed.
    ///
    /// # Errors
    /// What the file system refuses; it is found as a part then, and published by the next one who comes by.
    pub fn publish(self) -> io::Result<()> {
        std::fs::rename(&self.path, &self.finished)?;
        self.path.parent().map_or(Ok(()), sync_folder)
    }

    /// Removes it: there is no record of it, and there will be none.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn discard(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    const NAME: &str = "0123456789abcdefghjkmnpqrs";

    fn folder() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path().join("attachments"));
        (dir, folder)
    }

    #[test]
    fn a_part_in_the_making_is_nobodys_to_take_and_a_left_one_is_the_next_ones() {
        let (_dir, folder) = folder();
        assert!(folder.entries().unwrap().is_empty());
        let part = folder.begin(NAME).unwrap();
        assert!(folder.begin(NAME).is_err(), "a second of the same name");
        assert!(folder.take_over(NAME).unwrap().is_none(), "it is locked");
        drop(part);
        folder.take_over(NAME).unwrap().unwrap().discard().unwrap();
        assert!(folder.take_over(NAME).unwrap().is_none(), "it is gone");
        assert!(folder.entries().unwrap().is_empty());
    }

    #[test]
    fn a_part_is_read_as_one_and_after_publishing_by_its_name() {
        let (dir, folder) = folder();
        let part = folder.begin(NAME).unwrap();
        part.file().write_all(b"sealed").unwrap();
        part.sync().unwrap();
        let found = |is_part| {
            vec![Entry {
                name: NAME.to_owned(),
                is_part,
            }]
        };
        assert_eq!(folder.entries().unwrap(), found(true));
        assert!(folder.open(NAME).unwrap().is_some());
        part.publish().unwrap();
        assert_eq!(folder.entries().unwrap(), found(false));
        assert!(folder.open(NAME).unwrap().is_some());
        let inside = dir.path().join("attachments");
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inside), mode(&inside.join(NAME))), (0o700, 0o600));
        folder.remove(NAME).unwrap();
        folder.remove(NAME).unwrap();
        assert!(folder.open(NAME).unwrap().is_none());
    }

    #[test]
    fn files_with_other_names_are_none_of_ours() {
        let (dir, folder) = folder();
        folder.begin(NAME).unwrap().publish().unwrap();
        for name in [".DS_Store", "0123", "0123456789ABCDEFGHJKMNPQRS", "x.part"] {
            std::fs::write(dir.path().join("attachments").join(name), b"").unwrap();
        }
        assert_eq!(folder.entries().unwrap().len(), 1);
    }
}
