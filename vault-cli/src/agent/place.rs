//! Where the agent of a vault listens: a socket (0600) in a folder (0700) that only its owner enters.
//!
//! In the session's runtime folder where there is one, because it is memory and goes with the login; else in the vault's
//! own. Beside the socket lies a lock that the agent holds for as long as it lives, so that a socket without one is known
//! to be left over.

use rustix::fs::FlockOperation;
use rustix::fs::OFlags;
use std::ffi::OsString;
use std::fs;
use std::fs::DirBuilder;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;

/// Longest path that the system takes for a socket.
const SOCKET_PATH: usize = 100;

/// One place where an agent of a vault may listen.
#[derive(Debug, Clone)]
pub(super) struct Place {
    folder: PathBuf,
    name: String,
    /// Whether the folder is the vault's own, and goes when the agent ends.
    own: bool,
}

/// A listening socket, and the lock that says so.
pub(super) struct Held {
    pub(super) listener: UnixListener,
    place: Place,
    _lock: File,
}

impl Place {
    /// Returns where an agent of the vault in `home` may listen, the best place first.
    pub(super) fn of(home: &Path) -> io::Result<Vec<Self>> {
        // Two vaults never have one folder, whatever names lead there.
        let found = fs::metadata(home)?;
        let name = format!("{:x}-{:x}", found.dev(), found.ino());
        let runtime = runtime_folder().map(|folder| Self {
            folder: folder.join("casevault"),
            name: name.clone(),
            own: false,
        });
        let own = Self {
            folder: home.join("agent"),
            name,
            own: true,
        };
        Ok(runtime.into_iter().chain([own]).collect())
    }

    /// Connects to the agent that listens here, if one does.
    pub(super) fn connect(&self) -> io::Result<Option<UnixStream>> {
        let (path, _folder) = self.path_of("socket")?;
        match UnixStream::connect(path) {
            Ok(stream) => {
                require_own(&stream)?;
                Ok(Some(stream))
            }
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Tells whether the agent that listens here is of this version; one that says nothing is not.
    pub(super) fn is_same_version(&self) -> bool {
        let read = File::open(self.file("lock")).and_then(|file| {
            let mut said = String::new();
            file.take(64).read_to_string(&mut said).map(|_| said)
        });
        read.is_ok_and(|said| said == version())
    }

    /// Listens here; nothing where an agent does already.
    pub(super) fn listen(&self) -> io::Result<Option<Held>> {
        match DirBuilder::new().mode(0o700).create(&self.folder) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
        let found = fs::symlink_metadata(&self.folder)?;
        let uid = rustix::process::getuid().as_raw();
        if !found.is_dir() || found.uid() != uid || found.mode() & 0o077 != 0 {
            let shown = self.folder.display();
            return Err(io::Error::other(format!(
                "`{shown}` is not a folder that only you can enter"
            )));
        }
        let Some(lock) = self.lock()? else { return Ok(None) };
        lock.set_len(0)?;
        (&lock).write_all(version().as_bytes())?;
        // Nobody holds the lock: a socket that is here is left over.
        match fs::remove_file(self.file("socket")) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let (path, _folder) = self.path_of("socket")?;
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
        let bound = UnixListener::bind(path);
        rustix::process::umask(before);
        let listener = bound?;
        listener.set_nonblocking(true)?;
        Ok(Some(Held {
            listener,
            place: self.clone(),
            _lock: lock,
        }))
    }

    /// Takes the lock; nothing where another has it.
    fn lock(&self) -> io::Result<Option<File>> {
        let path = self.file("lock");
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).create(true).truncate(false).mode(0o600);
        loop {
            let lock = options.open(&path)?;
            match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
                Err(e) => return Err(e.into()),
            }
            // An agent that ends takes its file away, and what was locked may be that one.
            let (held, named) = (lock.metadata()?, fs::metadata(&path));
            if named.is_ok_and(|named| (named.dev(), named.ino()) == (held.dev(), held.ino())) {
                return Ok(Some(lock));
            }
        }
    }

    fn file(&self, what: &str) -> PathBuf {
        self.folder.join(format!("{}.{what}", self.name))
    }

    /// Returns a path short enough for a socket: a long one leads through the open folder.
    fn path_of(&self, what: &str) -> io::Result<(PathBuf, Option<OwnedFd>)> {
        let path = self.file(what);
        if path.as_os_str().len() <= SOCKET_PATH {
            return Ok((path, None));
        }
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        let folder = rustix::fs::open(&self.folder, flags, rustix::fs::Mode::empty())?;
        let through = format!("/proc/self/fd/{}/{}.{what}", folder.as_raw_fd(), self.name);
        Ok((PathBuf::from(through), Some(folder)))
    }
}

impl Held {
    /// Takes socket and lock away: the agent ends.
    pub(super) fn leave(&self) {
        // What stays behind is known to be left over by its lock.
        let _ = fs::remove_file(self.place.file("socket"));
        let _ = fs::remove_file(self.place.file("lock"));
        if self.place.own {
            let _ = fs::remove_dir(&self.place.folder);
        }
    }
}

/// What asks and replies have to have in common.
fn version() -> String {
    format!("{} {}", env!("CARGO_PKG_VERSION"), super::PROTOCOL)
}

/// Refuses a peer that is another user, whatever the permissions of folders say.
pub(super) fn require_own(stream: &UnixStream) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let peer = rustix::net::sockopt::socket_peercred(stream)?;
        if peer.uid == rustix::process::getuid() {
            return Ok(());
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
