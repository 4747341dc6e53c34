//! Where an editor's file is: a folder of one's own on a file system that is in memory, proven to be.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::backup;
use crate::error::CliError;
use crate::session::SessionError;

/// Names of the folders begin so; the draft's id follows.
pub(super) const PREFIX: &str = "casevault-edit-";

/// The name of the note's file. Its ending lets editors colour headings.
const NOTE: &str = "note.md";

/// Names of what editors put beside it of themselves: our own for vim, what emacs and nano choose.
const BESIDE: [&str; 4] = ["autosave", "#note.md#", "note.md.save", "note.md.save.1"];

/// Holds the lock, which the editor inherits.
const LOCK: &str = "lock";

/// Says whose it is: the vault's folder.
const HOME: &str = "home";

/// So long a folder that an editor made again is left to it.
const REMADE: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest text that is taken from an editor, in bytes.
pub(super) const LONGEST: u64 = 4 << 20;

/// A folder in memory that holds one note while it is written; wiped when dropped.
#[derive(Debug)]
pub struct Place {
    folder: PathBuf,
    // Held for as long as this process or the editor lives.
    lock: File,
    kept: bool,
}

impl Place {
    /// Makes a place for a draft of the vault in `home`.
    ///
    /// # Errors
    /// [`CliError::NoMemoryPlace`] where no file system in memory is found.
    pub fn make(draft: &str, home: &Path) -> Result<Self, CliError> {
        let roots = roots();
        let root = roots.iter().find(|root| is_in_memory(root));
        let root = root.ok_or(CliError::NoMemoryPlace)?;
        let failed = |e| CliError::io("could not make a place in memory for the editor", e);
        let folder = root.join(format!("{PREFIX}{draft}"));
        // Under another name until it is locked, so that nobody takes it for one that was left behind.
        let new = root.join(format!(".{PREFIX}{draft}"));
        let _ = fs::remove_dir_all(&new);
        DirBuilder::new().mode(0o700).create(&new).map_err(failed)?;
        let made = || -> io::Result<File> {
            let lock = create(&new.join(LOCK))?;
            rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
            create(&new.join(HOME))?.write_all(home.as_os_str().as_encoded_bytes())?;
            fs::rename(&new, &folder)?;
            // The editor inherits it: while one is open, nobody takes its text away.
            let flags = rustix::io::fcntl_getfd(&lock)?;
            rustix::io::fcntl_setfd(&lock, flags.difference(rustix::io::FdFlags::CLOEXEC))?;
            Ok(lock)
        };
        match made() {
            Ok(lock) if is_in_memory(&folder) => Ok(Self {
                folder,
                lock,
                kept: false,
            }),
            Ok(_) => {
                wipe(&folder);
                Err(CliError::NoMemoryPlace)
            }
            Err(e) => {
                wipe(&new);
                Err(failed(e))
            }
        }
    }

    /// Takes over a place whose process and editor are gone.
    pub(super) fn taken(folder: PathBuf) -> Option<Self> {
        let lock = OpenOptions::new().read(true).write(true).open(folder.join(LOCK)).ok()?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).ok()?;
        Some(Self {
            folder,
            lock,
            kept: false,
        })
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the note's file.
    pub fn file(&self) -> PathBuf {
        self.folder.join(NOTE)
    }

    /// Returns where an editor may put what is not saved yet.
    pub(super) fn autosave(&self) -> PathBuf {
        self.folder.join("autosave")
    }

    /// Returns the folder for all that VS Code keeps.
    pub(super) fn code(&self) -> PathBuf {
        self.folder.join("code")
    }

    /// Leaves the place as it is: somebody has to look after the text that is in it.
    pub fn keep(&mut self) {
        self.kept = true;
    }

    /// Writes what the editor opens with.
    ///
    /// # Errors
    /// [`CliError::Io`].
    pub fn put(&self, text: &str) -> Result<(), CliError> {
        let failed = |e| CliError::io("could not write the editor's file", e);
        for beside in BESIDE {
            let _ = fs::remove_file(self.folder.join(beside));
        }
        let _ = fs::remove_file(self.file());
        let mut file = create(&self.file()).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)
    }

    /// Reads what was saved in the editor.
    ///
    /// # Errors
    /// [`CliError::Io`], [`CliError::NotUtf8`], [`SessionError::TooLong`] over 4 MiB.
    pub fn text(&self) -> Result<String, CliError> {
        read(&self.file())
    }

    /// Tells the file's state, which any saving in the editor changes, of the same text too.
    pub(super) fn state(&self) -> Option<(u64, i64, i64)> {
        let found = fs::metadata(self.file()).ok()?;
        Some((found.ino(), found.ctime(), found.ctime_nsec()))
    }

    /// Reads the newest that there is, what the editor put down of itself included.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn newest(&self) -> Result<String, CliError> {
        let changed = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
        let saved = changed(&self.file()).unwrap_or(SystemTime::UNIX_EPOCH);
        let beside = BESIDE.map(|name| self.folder.join(name));
        let beside = beside
            .iter()
            .filter_map(|path| Some((changed(path).filter(|at| *at > saved)?, read(path).ok()?)));
        let newest = beside
            .chain(backup::texts(&self.code(), &self.file()))
            .filter(|(at, text)| *at > saved && !text.trim().is_empty())
            .max();
        match newest {
            Some((_, text)) => Ok(text),
            None => self.text(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept {
            wipe(&self.folder);
        }
        let _ = rustix::fs::flock(self.lock.as_fd(), rustix::fs::FlockOperation::Unlock);
    }
}

/// Returns the vault's folder that a place was made for.
pub(super) fn home(folder: &Path) -> Option<Vec<u8>> {
    fs::read(folder.join(HOME)).ok()
}

/// Returns where a file system in memory may be, the user's own first.
pub(super) fn roots() -> Vec<PathBuf> {
    let mut roots = Vec::new();
    if let Some(own) = std::env::var_os("XDG_RUNTIME_DIR").filter(|own| !own.is_empty()) {
        roots.push(PathBuf::from(own));
    }
    roots.push(PathBuf::from(format!(
        "/run/user/{}",
        rustix::process::geteuid().as_raw()
    )));
    roots.push(PathBuf::from("/dev/shm"));
    // Editors are told the path in languages of their own, which all read these characters as they are.
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'/' | b'-' | b'_' | b'.');
    roots.retain(|root| root.is_absolute() && root.as_os_str().as_encoded_bytes().iter().copied().all(plain));
    roots.dedup();
    roots
}

/// Tells whether a folder is there, and on a file system that is in memory.
#[cfg(target_os = "linux")]
fn is_in_memory(folder: &Path) -> bool {
    // Compared at the width that every machine's own type has.
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    // Asked of the open folder, so that it is this one that was asked about.
    let kind = File::open(folder)
        .ok()
        .and_then(|folder| rustix::fs::fstatfs(&folder).ok())
        .map(|found| found.f_type as u64 & 0xffff_ffff);
    matches!(kind, Some(TMPFS | RAMFS))
}

/// Elsewhere no folder is known to be in memory.
#[cfg(not(target_os = "linux"))]
fn is_in_memory(_: &Path) -> bool {
    false
}

/// Tells whether a place was made again by an editor that outlived its wiping, and was left alone for a day: it is in
/// memory, says of no vault that it is its own, and nobody holds it.
pub(super) fn is_remade(folder: &Path) -> bool {
    let is_missing = |name: &str| {
        let found = fs::symlink_metadata(folder.join(name));
        found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    };
    let changed = fs::symlink_metadata(folder).and_then(|found| found.modified()).ok();
    let age = changed.and_then(|changed| changed.elapsed().ok());
    is_missing(HOME)
        && age.is_some_and(|age| age > REMADE)
        && is_in_memory(folder)
        && (is_missing(LOCK)
            || Place::taken(folder.to_owned()).is_some_and(|mut place| {
                place.keep();
                true
            }))
}

/// Tells whether a folder is this user's own.
pub(super) fn is_own(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir() && found.uid() == rustix::process::geteuid().as_raw())
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn read(path: &Path) -> Result<String, CliError> {
    let failed = |e| CliError::io("could not read what the editor saved", e);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LONGEST {
        let what = "the note".to_owned();
        return Err(SessionError::TooLong { what, limit: LONGEST }.into());
    }
    String::from_utf8(bytes).map_err(|e| CliError::NotUtf8 {
        what: "what the editor saved".to_owned(),
        offset: e.utf8_error().valid_up_to(),
    })
}

/// Overwrites and removes all files below a folder, and the folder.
pub(super) fn wipe(folder: &Path) {
    wipe_files(folder, 0);
    let _ = fs::remove_dir_all(folder);
}

fn wipe_files(folder: &Path, depth: u32) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            // An editor with folders of its own (VS Code) goes a few deep.
            Ok(kind) if kind.is_dir() && depth < 16 => wipe_files(&path, depth + 1),
            Ok(kind) if kind.is_file() => overwrite(&path),
            _ => {}
        }
    }
}

/// Writes zeros over a file, and leaves it as long as it is: a program that has it mapped would end with SIGBUS where it
/// got shorter, and might leave a crash dump.
fn overwrite(path: &Path) {
    let Ok(mut file) = OpenOptions::new().write(true).open(path) else {
        return;
    };
    let length = file.metadata().map_or(0, |found| found.len());
    let zeros = [0_u8; 4096];
    let mut left = length;
    while left > 0 {
        let piece = usize::try_from(left.min(4096)).unwrap_or(4096);
        if file.write_all(zeros.get(..piece).unwrap_or_default()).is_err() {
            break;
        }
        left -= piece as u64;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn write_at(path: &Path, text: &[u8], at: SystemTime) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_modified(at).unwrap();
    }

    #[test]
    fn the_newest_text_may_be_a_backup_of_vs_code() {
        let saved = SystemTime::now();
        let later = |seconds| saved + Duration::from_secs(seconds);
        for base in [
            "code/Backups",
            "code/User/Backups",
            "code/user-data/Backups",
            "code/user-data/User/Backups",
        ] {
            let place = Place::make("0-backup", Path::new("/nowhere/backup")).unwrap();
            place.put("saved").unwrap();
            write_at(&place.file(), b"saved", saved);
            let backups = place.folder().join(base);
            let uri = format!("file://{}", place.file().display());
            let backup = |text: &str| format!("{uri} {{\"mtime\":1,\"typeId\":\"\"}}\n{text}");
            // One from before the file was saved.
            write_at(
                &backups.join("1c/file/2a"),
                backup("older").as_bytes(),
                saved - Duration::from_secs(9),
            );
            assert_eq!(place.newest().unwrap(), "saved", "{base}");
            write_at(
                &backups.join("1c/file/3b"),
                backup("first\n\nsecond\n").as_bytes(),
                later(1),
            );
            // What is newer, and no text of this note.
            let other = "file:///elsewhere/note.md {}\nof another file";
            write_at(&backups.join("1c/file/4c"), other.as_bytes(), later(2));
            write_at(&backups.join("1c/file/5d"), format!("{uri} {{}}").as_bytes(), later(3));
            write_at(
                &backups.join("1c/file/6e"),
                &[uri.as_bytes(), b" {}\n\xff\xfe"].concat(),
                later(4),
            );
            write_at(
                &backups.join("1c/untitled/7f"),
                b"untitled:Untitled-1 {}\nnot the note",
                later(5),
            );
            write_at(
                &backups.join("workspaces.json"),
                backup("not as deep").as_bytes(),
                later(6),
            );
            let long = [backup("").as_bytes(), &vec![b'a'; 5 << 20]].concat();
            write_at(&backups.join("1c/file/8a"), &long, later(7));
            let apart = tempfile::tempdir().unwrap();
            write_at(&apart.path().join("link"), backup("behind a link").as_bytes(), later(8));
            write_at(
                &apart.path().join("file/link"),
                backup("behind a link").as_bytes(),
                later(8),
            );
            std::os::unix::fs::symlink(apart.path().join("link"), backups.join("1c/file/9b")).unwrap();
            std::os::unix::fs::symlink(apart.path(), backups.join("2d")).unwrap();
            assert_eq!(place.newest().unwrap(), "first\n\nsecond\n", "{base}");
            // Saved again, which is the newest then.
            write_at(&place.file(), b"saved again", later(9));
            assert_eq!(place.newest().unwrap(), "saved again", "{base}");
        }
    }

    /// A file that gets shorter below a program that has it mapped ends that program with SIGBUS.
    #[test]
    fn what_is_wiped_is_overwritten_and_keeps_its_length() {
        let place = Place::make("0-wiped", Path::new("/nowhere/wiped")).unwrap();
        let folder = place.folder().to_owned();
        write_at(&folder.join("code/Cache/data_1"), &[7; 9000], SystemTime::now());
        let mut open = File::open(folder.join("code/Cache/data_1")).unwrap();
        drop(place);
        assert!(!folder.exists());
        let mut bytes = Vec::new();
        open.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, vec![0; 9000]);
    }
}
