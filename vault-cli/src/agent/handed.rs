//! A plain file handed over as it is: its descriptor goes over the socket, and the agent reads or writes it itself.
//!
//! ```text
//! command: opens the file, as who calls it may ─ descriptor (SCM_RIGHTS) ─> agent: looks at it, reads or writes it
//! ```
//!
//! Whatever may keep a reader waiting (a pipe, a terminal, a file of another machine) goes through frames as ever: the
//! command waits for it then, and the agent stops with the command. So does the store's own file: the system drops all
//! locks that a process has on a file when it closes any descriptor of it, and the agent's would be SQLite's. One that a
//! peer sends all the same stays open until the vault is locked, which too many of them do; files are told apart by what
//! the agent has open, and by no name.

use super::ask::Ask;
use super::ask::Shape;
use super::ask::Vault;
use super::client::Streams;
use super::frame;
use super::frame::Kind;
use crate::flowing::Flowing;
use crate::places::Places;
use crate::session::Result;
use crate::session::Task;
use crate::session::reply::NoteAttachReply;
use crate::session::reply::NoteAttachmentReply;
use crate::session::request::NoteAttachRequest;
use crate::session::request::NoteAttachmentRequest;
use crate::store::Files;
use crate::store::Part;
use rustix::fs::OFlags;
use rustix::fs::fcntl_getfl;
use rustix::net::RecvAncillaryBuffer;
use rustix::net::RecvAncillaryMessage;
use rustix::net::RecvFlags;
use rustix::net::SendAncillaryBuffer;
use rustix::net::SendAncillaryMessage;
use rustix::net::SendFlags;
use rustix::net::recvmsg;
use rustix::net::sendmsg;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::io::BufReader;
use std::io::IoSlice;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use vault_core::attachment::CHUNK_BYTES;

impl Vault {
    /// As [`Vault::note_attach`], of a file that whoever has the vault open reads itself where that is a plain one.
    ///
    /// # Errors
    /// As that.
    pub fn note_attach_file(
        &mut self,
        file: &File,
        request: NoteAttachRequest,
        task: Task<'_>,
    ) -> Result<NoteAttachReply> {
        match self {
            Self::Agent(agent) if agent.takes(file) => {
                agent.ask(&Ask::note_attach(request), Streams::handing(file, task))
            }
            _ => self.note_attach(&mut reader(file), request, task),
        }
    }

    /// As [`Vault::note_attachment`], into a new file that whoever has the vault open writes itself.
    ///
    /// # Errors
    /// As that.
    pub fn note_attachment_file(
        &mut self,
        request: NoteAttachmentRequest,
        file: &File,
        task: Task<'_>,
    ) -> Result<NoteAttachmentReply> {
        match self {
            Self::Agent(agent) if agent.takes(file) => {
                agent.ask(&Ask::note_attachment(request), Streams::handing(file, task))
            }
            _ => self.note_attachment(request, &mut Flowing::into(file), task),
        }
    }
}

/// Reads a file in pieces that fill a chunk each.
pub(super) fn reader(file: &File) -> BufReader<&File> {
    BufReader::with_capacity(CHUNK_BYTES, file)
}

/// Sends a file's descriptor with an empty frame.
pub(super) fn send(stream: &UnixStream, file: &File) -> io::Result<()> {
    let mut head = Vec::new();
    frame::write(&mut head, Kind::File, &[])?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let files = [file.as_fd()];
    if !control.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::Error::other("no room for a descriptor"));
    }
    let sent = loop {
        match sendmsg(stream, &[IoSlice::new(&head)], &mut control, SendFlags::NOSIGNAL) {
            Err(rustix::io::Errno::INTR) => {}
            sent => break sent?,
        }
    };
    match sent == head.len() {
        true => Ok(()),
        false => Err(io::Error::from(io::ErrorKind::WriteZero)),
    }
}

/// Most descriptors of the store that are kept; one more locks the vault.
const KEPT: usize = 16;

/// The store's own files, of which the agent closes no descriptor.
pub(super) struct Guarded {
    files: Files,
    kept: AtomicUsize,
}

impl Guarded {
    pub(super) fn new(files: Files) -> Self {
        let kept = AtomicUsize::new(0);
        Self { files, kept }
    }

    /// Tells whether more descriptors of the store were sent than are kept.
    pub(super) fn is_overfull(&self) -> bool {
        self.kept.load(Ordering::Relaxed) > KEPT
    }

    /// Tells whether a file is one of the store's, and then sees to it that its locks stay.
    fn keeps(&self, file: File) -> std::result::Result<File, ()> {
        // One that cannot be looked at may be anything.
        let part = file
            .metadata()
            .map_or(Some(Part::Locked), |found| self.files.part(&found));
        match part {
            None => Ok(file),
            Some(Part::Unlocked) => Err(()),
            Some(Part::Locked) => {
                self.kept.fetch_add(1, Ordering::Relaxed);
                std::mem::forget(file);
                Err(())
            }
        }
    }
}

/// Takes the one descriptor that a peer sends for an ask of this shape, and looks whether it is what a peer may send.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] for anything else; whatever else came is closed.
pub(super) fn receive(stream: &UnixStream, store: &Guarded, shape: Shape) -> io::Result<File> {
    let mut expected = Vec::new();
    frame::write(&mut expected, Kind::File, &[])?;
    let mut head = vec![0; expected.len()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(
        stream,
        &mut [IoSliceMut::new(&mut head)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let mut files = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(some) = message {
            files.extend(some.map(File::from));
        }
    }
    // Closing one of these would take the agent's locks away.
    let (sent, mut files) = (files, Vec::new());
    let mut is_any_kept = false;
    for file in sent {
        match store.keeps(file) {
            Ok(file) => files.push(file),
            Err(()) => is_any_kept = true,
        }
    }
    if is_any_kept {
        return Err(frame::invalid("a descriptor of the store"));
    }
    let [file] = <[File; 1]>::try_from(files).map_err(|_| frame::invalid("not one descriptor"))?;
    if got.bytes != head.len() || head != expected {
        return Err(frame::invalid("another frame than that of a descriptor"));
    }
    let mode = fcntl_getfl(&file)? & OFlags::ACCMODE;
    let fits = match shape {
        Shape::Reading => mode == OFlags::RDONLY || mode == OFlags::RDWR,
        Shape::Writing => mode == OFlags::WRONLY || mode == OFlags::RDWR,
        Shape::Plain | Shape::Watched => false,
    };
    match fits && is_plain(&file) {
        true => Ok(file),
        false => Err(frame::invalid("a descriptor of another type than was asked for")),
    }
}

/// Tells whether a file may go over: a plain one of this machine, and none of the store's.
pub(super) fn may_go(file: &File, places: &Places) -> bool {
    is_plain(file) && !is_of_the_store(file, places)
}

/// Tells whether a file is one that no reader or writer waits for but for a disk of this machine.
#[cfg(target_os = "linux")]
fn is_plain(file: &File) -> bool {
    // statfs(2): ext2 to ext4, XFS, Btrfs, F2FS, ZFS, bcachefs, tmpfs, overlayfs. Not FUSE, NFS, SMB, 9p and the like.
    const LOCAL: [u64; 8] = [
        0xef53,
        0x5846_5342,
        0x9123_683e,
        0xf2f5_2010,
        0x2fc1_2fc1,
        0xca45_1a4e,
        0x0102_1994,
        0x794c_7630,
    ];
    let is_file = file.metadata().is_ok_and(|found| found.is_file());
    let on = rustix::fs::fstatfs(file)
        .ok()
        .and_then(|on| u64::try_from(on.f_type).ok());
    is_file && on.is_some_and(|on| LOCAL.contains(&on))
}

#[cfg(not(target_os = "linux"))]
fn is_plain(_: &File) -> bool {
    false
}

/// Tells whether a file is the store's, or what SQLite keeps beside it, as far as a command can tell that by its names;
/// one that cannot be looked at counts as such.
fn is_of_the_store(file: &File, places: &Places) -> bool {
    let Ok(found) = file.metadata() else { return true };
    ["", "-shm", "-wal", "-journal"].iter().any(|behind| {
        let mut name: OsString = places.store().into_os_string();
        name.push(behind);
        let there = PathBuf::from(name).metadata();
        // While the agent has it open these two are there: who moved one away has no good reason to send a file.
        let is_moved = there.is_err() && matches!(*behind, "" | "-shm");
        is_moved || there.is_ok_and(|there| (there.dev(), there.ino()) == (found.dev(), found.ino()))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Read;
    use std::io::Write;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    fn vault(dir: &Path) -> Places {
        let places = Places::find(Some(dir)).unwrap();
        for name in ["vault.db", "vault.db-shm"] {
            std::fs::write(dir.join(name), b"").unwrap();
        }
        places
    }

    /// The files of a store as an agent has them open.
    fn guarded(places: &Places) -> Guarded {
        for behind in ["", "-shm", "-wal"] {
            let mut name = places.store().into_os_string();
            name.push(behind);
            std::fs::write(name, b"").unwrap();
        }
        Guarded::new(Files::of(&places.store()))
    }

    /// Counts this process's descriptors of a file.
    fn open_here(file: &Path) -> usize {
        let known = |path: &Path| path.metadata().map(|found| (found.dev(), found.ino())).ok();
        let wanted = known(file);
        let open = std::fs::read_dir("/proc/self/fd").unwrap();
        open.flatten().filter(|entry| known(&entry.path()) == wanted).count()
    }

    fn opened(path: &Path, read: bool, write: bool) -> File {
        OpenOptions::new().read(read).write(write).open(path).unwrap()
    }

    fn received(sent: &File, store: &Guarded, shape: Shape) -> io::Result<File> {
        let (peer, own) = UnixStream::pair().unwrap();
        send(&peer, sent).unwrap();
        receive(&own, store, shape)
    }

    #[test]
    fn a_plain_file_goes_over_and_is_read_and_written_there() {
        let dir = tempfile::tempdir().unwrap();
        let places = vault(dir.path());
        let path = dir.path().join("scan");
        std::fs::write(&path, b"content").unwrap();
        let file = opened(&path, true, false);
        assert!(may_go(&file, &places));
        let store = guarded(&places);
        let mut text = String::new();
        let mut read = received(&file, &store, Shape::Reading).unwrap();
        read.read_to_string(&mut text).unwrap();
        assert_eq!(text, "content");
        let file = opened(&path, false, true);
        received(&file, &store, Shape::Writing)
            .unwrap()
            .write_all(b"CON")
            .unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"CONtent");
    }

    #[test]
    fn what_is_no_plain_file_or_not_opened_for_it_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = guarded(&vault(dir.path()));
        let path = dir.path().join("scan");
        std::fs::write(&path, b"content").unwrap();
        let (end, _other) = UnixStream::pair().unwrap();
        let (pipe, _writer) = io::pipe().unwrap();
        let cases = [
            (opened(&path, true, false), Shape::Writing),
            (opened(&path, false, true), Shape::Reading),
            (opened(&path, true, true), Shape::Plain),
            (opened(&path, true, true), Shape::Watched),
            (File::open(dir.path()).unwrap(), Shape::Reading),
            (File::open("/dev/zero").unwrap(), Shape::Reading),
            (File::open("/proc/self/status").unwrap(), Shape::Reading),
            (File::from(OwnedFd::from(end)), Shape::Reading),
            (File::from(OwnedFd::from(pipe)), Shape::Reading),
            (opened(&dir.path().join("vault.db"), true, false), Shape::Reading),
            (opened(&dir.path().join("vault.db-shm"), true, true), Shape::Writing),
        ];
        for (file, shape) in cases {
            let refused = received(&file, &store, shape).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "{file:?} {shape:?}");
        }
    }

    #[test]
    fn a_frame_without_a_descriptor_or_with_two_or_of_another_kind_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = guarded(&vault(dir.path()));
        let path = dir.path().join("scan");
        std::fs::write(&path, b"content").unwrap();
        let file = opened(&path, true, true);
        let with = |kind: Kind, count: usize, bytes: &[u8]| {
            let (peer, own) = UnixStream::pair().unwrap();
            let mut head = Vec::new();
            frame::write(&mut head, kind, bytes).unwrap();
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            let files = vec![file.as_fd(); count];
            if count > 0 {
                assert!(control.push(SendAncillaryMessage::ScmRights(&files)));
            }
            sendmsg(&peer, &[IoSlice::new(&head)], &mut control, SendFlags::NOSIGNAL).unwrap();
            receive(&own, &store, Shape::Reading)
        };
        assert!(with(Kind::File, 1, &[]).is_ok());
        for (kind, count, bytes) in [
            (Kind::File, 0, &b""[..]),
            (Kind::File, 2, b""),
            (Kind::File, 1, b"more"),
            (Kind::InputEnd, 1, b""),
        ] {
            let refused = with(kind, count, bytes).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "{kind:?} {count}");
        }
    }

    #[test]
    fn a_file_of_the_store_is_told_by_what_is_open_and_not_by_its_name_and_its_locks_stay() {
        let dir = tempfile::tempdir().unwrap();
        let places = vault(dir.path());
        let store = guarded(&places);
        let (db, moved, wal) = (
            places.store(),
            dir.path().join("moved"),
            dir.path().join("vault.db-wal"),
        );
        std::fs::rename(&db, &moved).unwrap();
        std::fs::hard_link(&moved, dir.path().join("linked")).unwrap();
        std::fs::write(&db, b"a scan that has the store's name").unwrap();
        assert!(received(&opened(&db, true, false), &store, Shape::Reading).is_ok());
        for name in ["moved", "linked"] {
            let refused = received(&opened(&dir.path().join(name), true, false), &store, Shape::Reading);
            assert_eq!(refused.unwrap_err().to_string(), "a descriptor of the store", "{name}");
        }
        let refused = received(&opened(&wal, true, false), &store, Shape::Reading);
        assert_eq!(refused.unwrap_err().to_string(), "a descriptor of the store");
        // What has locks stays open, and what has none is closed at once.
        assert_eq!((open_here(&moved), open_here(&wal)), (2, 0));
        assert!(!store.is_overfull());
        for _ in 2..=KEPT {
            received(&opened(&moved, true, false), &store, Shape::Reading).unwrap_err();
        }
        assert!(store.is_overfull());
    }

    #[test]
    fn what_is_remembered_of_a_store_is_what_this_process_has_open() {
        let dir = tempfile::tempdir().unwrap();
        let places = vault(dir.path());
        let files = guarded(&places).files;
        files.require_open_here().unwrap_err();
        let open = ["vault.db", "vault.db-shm", "vault.db-wal"].map(|name| opened(&dir.path().join(name), true, false));
        files.require_open_here().unwrap();
        drop(open);
    }
}
