//! Where the agent of a vault listens: a socket (0600) in a folder (0700) that only its owner enters.
//!
//! In the session's runtime folder where there is one, because it is memory and goes with the login; else in the vault's
//! own. How it is found does not depend on that: in the vault's folder lies a file that names process and socket, and the
//! agent holds its lock until its process is gone. So a vault has one agent wherever it listens, and a file without a
//! holder is known to be left over.

use crate::places::Places;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;
use rustix::fs::FlockOperation;
use rustix::fs::OFlags;
use rustix::net::sockopt::Timeout;
use std::ffi::OsStr;
use std::ffi::OsString;
use std::fs;
use std::fs::DirBuilder;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

/// Longest path that the system takes for a socket.
const SOCKET_PATH: usize = 100;

/// Longest text of the file by which an agent is found.
const RECORD_BYTES: u64 = 8192;

/// So long a command waits to be let in.
const ENTRY: Duration = Duration::from_secs(5);

/// So long who looks at a lock, or an agent that just begins, may keep others from seeing what it is.
const BEGINNING: Duration = Duration::from_secs(1);

/// So long an agent may take to end: what it is writing is finished first.
const ENDING: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// The agent that holds a vault open, as the file in the vault's folder tells of it.
#[derive(Debug)]
pub(super) struct Found {
    file: File,
    record: Record,
}

/// What that file says.
#[derive(Debug, PartialEq, Eq)]
struct Record {
    version: String,
    process: u32,
    socket: PathBuf,
}

/// The lock of a vault's agent: who has it is the agent, until the end of its process.
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

/// A listening socket, and the lock that says so.
pub(super) struct Held {
    pub(super) listener: UnixListener,
    socket: PathBuf,
    // Goes when the agent ends.
    folder: Option<PathBuf>,
    lock: Lock,
}

impl Found {
    /// Finds the agent that holds a vault open, if there is one.
    pub(super) fn of(places: &Places) -> io::Result<Option<Self>> {
        let until = Instant::now() + BEGINNING;
        loop {
            let file = match open(&places.agent(), fs::OpenOptions::new().read(true)) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
                other => other?,
            };
            if !is_held(&file)? {
                return Ok(None);
            }
            if let Some(record) = Record::read(&file)? {
                return Ok(Some(Self { file, record }));
            }
            if Instant::now() > until {
                return Err(io::Error::other(format!(
                    "a process holds `{}` and does not say which",
                    places.agent().display()
                )));
            }
            // It has just taken the lock, and is about to write down where it listens.
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Connects to it; nothing where it does not let anybody in.
    pub(super) fn connect(&self) -> io::Result<Option<UnixStream>> {
        let (path, _folder) = path_of(&self.record.socket)?;
        let address = rustix::net::SocketAddrUnix::new(path)?;
        let socket = rustix::net::socket_with(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::STREAM,
            rustix::net::SocketFlags::CLOEXEC,
            None,
        )?;
        rustix::net::sockopt::set_socket_timeout(&socket, Timeout::Send, Some(ENTRY))?;
        match rustix::net::connect(&socket, &address).map_err(io::Error::from) {
            Ok(()) => {}
            Err(e) if is_closed(&e) => return Ok(None),
            Err(e) => return Err(e),
        }
        rustix::net::sockopt::set_socket_timeout(&socket, Timeout::Send, None)?;
        let stream = UnixStream::from(socket);
        if require_own(&stream)? != self.record.process {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "another process than the agent listens on its socket",
            ));
        }
        Ok(Some(stream))
    }

    /// Returns the number of its process.
    pub(super) fn process(&self) -> u32 {
        self.record.process
    }

    /// Tells whether it is there still.
    pub(super) fn is_there(&self) -> io::Result<bool> {
        is_held(&self.file)
    }

    /// Tells whether it is of this version.
    pub(super) fn is_same_version(&self) -> bool {
        self.record.version == version()
    }

    /// Has it lock, whether or not it can be asked; tells whether its process is gone, and with it its memory.
    #[cfg(target_os = "linux")]
    pub(super) fn end(&self) -> io::Result<bool> {
        use rustix::io::Errno;
        use rustix::process::Pid;
        use rustix::process::PidfdFlags;
        use rustix::process::Signal;
        let number = i32::try_from(self.record.process).ok().and_then(Pid::from_raw);
        let number = number.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        let process = match rustix::process::pidfd_open(number, PidfdFlags::empty()) {
            Ok(process) => process,
            Err(Errno::SRCH) => return Ok(!self.is_there()?),
            Err(e) => return Err(e.into()),
        };
        // Nothing else is to be ended: the system says that this process has the lock, or listens.
        if !self.has_the_lock()? && !matches!(self.connect(), Ok(Some(_))) {
            return Ok(!self.is_there()?);
        }
        match rustix::process::pidfd_send_signal(&process, Signal::TERM) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(e) => return Err(e.into()),
        }
        let mut wanted = [PollFd::new(&process, PollFlags::IN)];
        loop {
            match rustix::event::poll(&mut wanted, Some(&ENDING)) {
                Ok(0) => return Ok(false),
                // A process ends after its memory.
                Ok(_) => return Ok(!self.is_there()?),
                Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Has it lock.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn end(&self) -> io::Result<bool> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// Tells whether the system names its process as the one that has the lock.
    #[cfg(target_os = "linux")]
    fn has_the_lock(&self) -> io::Result<bool> {
        let file = format!(":{}", self.file.metadata()?.ino());
        let process = self.record.process.to_string();
        // Lines such as `1: FLOCK ADVISORY WRITE 4711 fe:01:1234 0 EOF`; a system may not show them.
        let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
        Ok(locks.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            matches!(words.as_slice(), [_, "FLOCK", _, "WRITE", by, of, ..] if *by == process && of.ends_with(&file))
        }))
    }
}

impl Record {
    fn write(&self, mut file: &File) -> io::Result<()> {
        let mut text = format!("{}\n{}\n", self.version, self.process).into_bytes();
        text.extend_from_slice(self.socket.as_os_str().as_bytes());
        text.push(b'\n');
        file.write_all(&text)
    }

    /// Reads it; nothing where it is not written yet.
    fn read(file: &File) -> io::Result<Option<Self>> {
        let mut text = Vec::new();
        file.take(RECORD_BYTES).read_to_end(&mut text)?;
        let Some(text) = text.strip_suffix(b"\n") else {
            return Ok(None);
        };
        let mut lines = text.splitn(3, |byte| *byte == b'\n');
        let mut line = || lines.next().unwrap_or_default();
        let (version, process, socket) = (line(), line(), line());
        let word = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let process = word(process).and_then(|word| word.parse().ok());
        let (Some(version), Some(process)) = (word(version), process) else {
            return Ok(None);
        };
        let socket = PathBuf::from(OsStr::from_bytes(socket));
        let record = Self {
            version,
            process,
            socket,
        };
        Ok(Some(record).filter(|record| record.socket.is_absolute()))
    }
}

impl Lock {
    /// Takes the lock; nothing where another has it.
    pub(super) fn take(places: &Places) -> io::Result<Option<Self>> {
        let path = places.agent();
        let until = Instant::now() + BEGINNING;
        loop {
            let mut options = fs::OpenOptions::new();
            let options = options.write(true).create(true).truncate(false).mode(0o600);
            let file = open(&path, options)?;
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                // Who only looks whether it is held has it for a moment.
                Err(rustix::io::Errno::WOULDBLOCK) if !is_held(&file)? && Instant::now() < until => {
                    std::thread::yield_now();
                    continue;
                }
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
                Err(e) => return Err(e.into()),
            }
            let lock = Self {
                file,
                path: path.clone(),
            };
            // An agent that ends takes its file away, and what was locked may be that one.
            if lock.is_named() {
                lock.file.set_len(0)?;
                return Ok(Some(lock));
            }
        }
    }

    /// Listens in the best place where it can, and writes down which.
    pub(super) fn listen(self, places: &Places) -> io::Result<Held> {
        // Two vaults never have one folder, whatever names lead there.
        let found = fs::metadata(places.home())?;
        let name = format!("{:x}-{:x}.socket", found.dev(), found.ino());
        let runtime = runtime_folder().map(|folder| (folder.join("casevault"), false));
        let mut refused = io::Error::from(io::ErrorKind::NotFound);
        for (folder, own) in runtime.into_iter().chain([(places.home().join("agent"), true)]) {
            let socket = folder.join(&name);
            let listener = match bind(&folder, &socket) {
                Ok(listener) => listener,
                Err(e) => {
                    refused = e;
                    continue;
                }
            };
            let record = Record {
                version: version(),
                process: std::process::id(),
                socket,
            };
            let written = record.write(&self.file);
            let held = Held {
                listener,
                socket: record.socket,
                folder: own.then_some(folder),
                lock: self,
            };
            return match written {
                Ok(()) => Ok(held),
                Err(e) => {
                    held.leave().end();
                    Err(e)
                }
            };
        }
        self.end();
        Err(refused)
    }

    /// Tells whether it is the file by which an agent is found.
    pub(super) fn is_named(&self) -> bool {
        let of = |found: io::Result<fs::Metadata>| found.map(|found| (found.dev(), found.ino())).ok();
        let named = of(fs::symlink_metadata(&self.path));
        named.is_some() && named == of(self.file.metadata())
    }

    /// Takes the file away: the process ends. What stays behind is known to be left over.
    pub(super) fn end(&self) {
        if self.is_named() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Held {
    /// Takes the socket away: nobody is let in any more. The lock stays until the process is gone.
    pub(super) fn leave(self) -> Lock {
        let _ = fs::remove_file(&self.socket);
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir(folder);
        }
        self.lock
    }

    /// Tells whether commands find it.
    pub(super) fn is_found(&self) -> bool {
        self.lock.is_named()
    }
}

/// Opens the file by which an agent is found; a link in its place is refused.
fn open(path: &Path, options: &mut fs::OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.custom_flags(flags.bits().cast_signed()).open(path)
}

/// Tells whether a process has the lock of an open file.
fn is_held(file: &File) -> io::Result<bool> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => {
            rustix::fs::flock(file, FlockOperation::Unlock)?;
            Ok(false)
        }
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
        Err(e) => Err(e.into()),
    }
}

/// Listens in a folder that only its owner enters. Who calls has the lock: a socket that is here is left over.
fn bind(folder: &Path, socket: &Path) -> io::Result<UnixListener> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        _ => {}
    }
    let found = fs::symlink_metadata(folder)?;
    let uid = rustix::process::getuid().as_raw();
    if !found.is_dir() || found.uid() != uid || found.mode() & 0o077 != 0 {
        let shown = folder.display();
        return Err(io::Error::other(format!(
            "`{shown}` is not a folder that only you can enter"
        )));
    }
    match fs::remove_file(socket) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let (path, _folder) = path_of(socket)?;
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let bound = UnixListener::bind(path);
    rustix::process::umask(before);
    let listener = bound?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Returns a path short enough for a socket: a long one leads through its open folder.
fn path_of(socket: &Path) -> io::Result<(PathBuf, Option<OwnedFd>)> {
    let (Some(folder), Some(name)) = (socket.parent(), socket.file_name()) else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    };
    if socket.as_os_str().len() <= SOCKET_PATH {
        return Ok((socket.to_owned(), None));
    }
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
    let folder = rustix::fs::open(folder, flags, rustix::fs::Mode::empty())?;
    let through = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
    Ok((through, Some(folder)))
}

/// No socket, nobody behind it, or no room before it.
fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::WouldBlock
    )
}

/// What asks and replies have to have in common.
fn version() -> String {
    format!("{} {}", env!("CARGO_PKG_VERSION"), super::PROTOCOL)
}

/// Refuses a peer that is another user, whatever the permissions of folders say; returns the number of its process.
pub(super) fn require_own(stream: &UnixStream) -> io::Result<u32> {
    #[cfg(target_os = "linux")]
    {
        let peer = rustix::net::sockopt::socket_peercred(stream)?;
        if peer.uid == rustix::process::getuid() {
            return Ok(peer.pid.as_raw_pid().cast_unsigned());
        }
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "another user is at the other end of the agent's socket",
        ))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = stream;
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

/// The folder that lives as long as the login, if it is this user's alone.
fn runtime_folder() -> Option<PathBuf> {
    let uid = rustix::process::getuid().as_raw();
    let usual = || OsString::from(format!("/run/user/{uid}"));
    // An empty name says that there is none.
    let folder = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR").unwrap_or_else(usual));
    let found = fs::metadata(&folder).ok()?;
    let usable = folder.is_absolute() && found.is_dir() && found.uid() == uid && found.mode() & 0o022 == 0;
    usable.then_some(folder)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn one_process_holds_the_lock_and_a_file_without_a_holder_is_left_over() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::find(Some(dir.path())).unwrap();
        assert!(Found::of(&places).unwrap().is_none());
        let record = |process| Record {
            version: version(),
            process,
            socket: PathBuf::from("/a\nb/socket"),
        };
        let lock = Lock::take(&places).unwrap().unwrap();
        record(4711).write(&lock.file).unwrap();
        assert_eq!(Found::of(&places).unwrap().unwrap().record, record(4711));
        assert!(Lock::take(&places).unwrap().is_none());
        drop(lock);
        assert!(places.agent().exists());
        assert!(Found::of(&places).unwrap().is_none());
        // The next one begins with an empty file, and what does not say who holds it is nobody's.
        let lock = Lock::take(&places).unwrap().unwrap();
        assert_eq!(lock.file.metadata().unwrap().len(), 0);
        assert!(Found::of(&places).is_err());
        lock.end();
        assert!(!places.agent().exists() && !lock.is_named());
    }

    #[test]
    fn a_link_in_the_place_of_the_lock_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::find(Some(dir.path())).unwrap();
        let other = dir.path().join("other");
        fs::write(&other, "a letter").unwrap();
        std::os::unix::fs::symlink(&other, places.agent()).unwrap();
        assert!(Lock::take(&places).is_err());
        assert_eq!(fs::read(&other).unwrap(), b"a letter");
    }
}
