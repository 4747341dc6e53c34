//! The agent's end of the socket: takes what is asked, lends it a session, and locks when it is time.
//!
//! ```text
//! main thread: accept, signals, clocks ──> one thread a connection ──> a session of the few ──> reply
//!                                     └─> lock: listen no more, stop what runs, wipe, end
//! ```
//!
//! A peer is another process of the same user and may send anything: it can be refused and it can be slow, and neither
//! keeps others waiting. Nothing here prints, and nothing waits for a time without being woken.

use super::ask::Ask;
use super::ask::Shape;
use super::ask::With;
use super::client::AgentStatus;
use super::client::Connection;
use super::client::Step;
use super::frame;
use super::frame::Hello;
use super::frame::Kind;
use super::handed;
use super::handed::Guarded;
use super::lifetime::Clocks;
use super::lifetime::Lasting;
use super::lifetime::Lifetime;
use super::place;
use super::place::Held;
use super::place::Lock;
use super::room::Asked;
use super::room::Asks;
use super::room::Limits;
use super::room::Place;
use super::room::Room;
use super::workers::Workers;
use super::zone::Zone;
use crate::exit::Exit;
use crate::flowing::Flowing;
use crate::places::Places;
use crate::session;
use crate::session::Cancel;
use crate::session::Passphrase;
use crate::session::Progress;
use crate::session::Result;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::Task;
use crate::session::Unit;
use crate::session::reply::OwnNames;
use crate::session::reply::UnlockReply;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;
use serde::Deserialize;
use signal_hook::consts::SIGHUP;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use std::collections::HashMap;
use std::fs;
use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvError;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::TryRecvError;
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use std::time::Instant;
use zeroize::Zeroizing;

/// Most asks that are answered at once; more wait their turn.
const SESSIONS: usize = 4;
/// Most connections; more are closed at once.
const CONNECTIONS: usize = 64;
/// Connections beyond those, so that whoever asks for the status is let in.
const RESERVE: usize = 8;
/// So often a new agent takes the place of one that runs, where others are started at the same time.
const TAKEOVERS: usize = 16;
/// So long a peer may take to say what it wants, from first to last.
const PATIENCE: Duration = Duration::from_secs(10);
/// So long where it is one too many.
const HASTE: Duration = Duration::from_secs(1);
/// So long what runs may take to end when the vault is locked.
const GRACE: Duration = Duration::from_secs(3);
/// Progress is told so often at most.
const TELL: Duration = Duration::from_millis(50);
/// Bytes of a result in one frame.
const OUTPUT_BYTES: usize = 1 << 18;
/// Frames of an input that may wait.
const INPUT_WAITING: usize = 8;
/// What streams may hold together: an import keeps its lines until all are judged, and a place is as much as sealing an
/// attachment, or a session that works beside others, takes.
const ROOM: Limits = Limits {
    all: 256 << 20,
    place: 16 << 20,
    silence: PATIENCE,
};

/// A vault held open, and the socket.
pub(super) struct Served {
    shared: Arc<Shared>,
    held: Held,
    reply: UnlockReply,
    woken: UnixStream,
}

/// What every connection works with.
struct Shared {
    places: Places,
    keystore: FileId,
    store: Guarded,
    life: Mutex<Lifetime>,
    sessions: Mutex<Sessions>,
    given_back: Condvar,
    running: Mutex<Running>,
    workers: Arc<Workers>,
    room: Room,
    asks: Asks,
    locking: AtomicBool,
    wake: UnixStream,
    names: OwnNames,
}

/// The unlocked sessions: one that makes others, and those that are lent.
struct Sessions {
    first: Option<Box<Session>>,
    idle: Vec<Box<Session>>,
    lent: usize,
    // Lent, and waiting for what a peer has to send: they count among no others, for a peer may never send it.
    waiting: usize,
    // Lent for what nobody waits for.
    background: usize,
}

#[derive(Default)]
struct Running {
    next: u64,
    open: HashMap<u64, (UnixStream, Cancel)>,
}

/// Which file it is: another one in its place has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId(u64, u64, i64, i64, u64);

#[derive(Deserialize)]
struct Envelope {
    zone: Zone,
    file: bool,
    background: bool,
    ask: Ask,
}

impl FileId {
    fn of(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        Ok(Self(
            found.dev(),
            found.ino(),
            found.mtime(),
            found.mtime_nsec(),
            found.size(),
        ))
    }
}

impl Served {
    /// Opens the vault and listens.
    pub(super) fn open(places: Places, passphrase: &Passphrase, lasting: Lasting) -> Result<Self> {
        let keystore = FileId::of(&places.keystore());
        let mut first = crate::memory::with_keys(|| Session::unlock(&places, passphrase).map(Box::new))?;
        let keystore = keystore.map_err(failed)?;
        first.remember();
        let held = listen(&places)?;
        let mut reply = first.unlocked()?;
        reply.agent = true;
        let names = first.own_names()?;
        let store = Guarded::new(first.store_files()?);
        let (wake, woken) = UnixStream::pair().map_err(failed)?;
        for end in [&wake, &woken] {
            end.set_nonblocking(true).map_err(failed)?;
        }
        for signal in [SIGTERM, SIGHUP, SIGINT] {
            let wake = wake.try_clone().map_err(failed)?;
            signal_hook::low_level::pipe::register(signal, wake).map_err(failed)?;
        }
        let life = Lifetime::begin(lasting, Clocks::now());
        let shared = Shared {
            places,
            keystore,
            store,
            life: Mutex::new(life),
            sessions: Mutex::new(Sessions {
                first: Some(first),
                idle: Vec::new(),
                lent: 0,
                waiting: 0,
                background: 0,
            }),
            given_back: Condvar::new(),
            running: Mutex::default(),
            workers: Arc::default(),
            room: Room::new(ROOM),
            asks: Asks::default(),
            locking: AtomicBool::new(false),
            wake,
            names,
        };
        Ok(Self {
            shared: Arc::new(shared),
            held,
            reply,
            woken,
        })
    }

    /// Returns what to tell whoever unlocked.
    pub(super) fn reply(&self) -> &UnlockReply {
        &self.reply
    }

    /// Answers until it is time to lock.
    pub(super) fn serve(self) -> Exit {
        loop {
            let now = Clocks::now();
            self.shared.note_work(now);
            let life = *lock(&self.shared.life);
            if self.shared.is_locking() || life.due(now).is_some() || !self.shared.is_there() || !self.held.is_found() {
                break;
            }
            let wait = life.wait(now);
            let wait = Timespec {
                tv_sec: i64::try_from(wait.as_secs()).unwrap_or(1),
                // Not before the time has come.
                tv_nsec: i64::from(wait.subsec_nanos())
                    .saturating_add(1_000_000)
                    .min(999_999_999),
            };
            let mut wanted = [
                PollFd::new(&self.held.listener, PollFlags::IN),
                PollFd::new(&self.woken, PollFlags::IN),
            ];
            match rustix::event::poll(&mut wanted, Some(&wait)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                Err(_) => break,
                Ok(_) => {}
            }
            let [listener, woken] = wanted.map(|fd| !fd.revents().is_empty());
            if woken {
                // A signal, or an ask to lock.
                break;
            }
            if listener {
                match self.held.listener.accept() {
                    Ok((stream, _)) => Shared::answer(&self.shared, stream),
                    Err(e) if is_passing(&e) => {}
                    Err(_) => break,
                }
            }
        }
        self.end()
    }

    /// Locks and ends: nobody finds it, nothing runs, nothing is left.
    pub(super) fn end(self) -> ! {
        let Self { shared, held, .. } = self;
        shared.locking.store(true, Ordering::Relaxed);
        let lock = held.leave();
        shared.stop();
        shared.wipe();
        crate::memory::wiped();
        // Until now whoever asks is told that the vault is open; the lock itself goes with the process.
        lock.end();
        std::process::exit(0)
    }
}

/// Listens, once an agent that was here before is gone: it was not asked who it is, and is told no passphrase.
fn listen(places: &Places) -> Result<Held> {
    for _ in 0..TAKEOVERS {
        if let Some(lock) = Lock::take(places).map_err(failed)? {
            return lock.listen(places).map_err(failed);
        }
        if let Some(before) = Connection::holder(places)? {
            before.lock()?;
        }
    }
    Err(SessionError::Busy)
}

impl Shared {
    /// What is being done is not idleness, however long it takes.
    fn note_work(&self, now: Clocks) {
        let sessions = lock(&self.sessions);
        let is_waited_for = sessions.lent > sessions.background;
        drop(sessions);
        if is_waited_for {
            lock(&self.life).touch(now);
        }
    }

    fn is_locking(&self) -> bool {
        self.locking.load(Ordering::Relaxed)
    }

    /// Whether the vault is still the one that was opened: a keystore written anew needs its passphrase.
    fn is_there(&self) -> bool {
        FileId::of(&self.places.keystore()).is_ok_and(|found| found == self.keystore)
    }

    fn request_lock(&self) {
        self.locking.store(true, Ordering::Relaxed);
        // A full socket has woken it already.
        let _ = (&self.wake).write(&[0]);
    }

    /// Answers a connection on a thread of its own.
    fn answer(shared: &Arc<Self>, stream: UnixStream) {
        let cancel = Cancel::default();
        let (Ok(()), Ok(own)) = (stream.set_nonblocking(false), stream.try_clone()) else {
            return;
        };
        let (id, reserve) = {
            let mut running = lock(&shared.running);
            if running.open.len() >= CONNECTIONS + RESERVE {
                drop(running);
                // A new socket has room for so much.
                let _ = respond(&mut &stream, Err(SessionError::Busy));
                return;
            }
            let reserve = running.open.len() >= CONNECTIONS;
            running.next += 1;
            let id = running.next;
            running.open.insert(id, (own, cancel.clone()));
            (id, reserve)
        };
        let inner = Arc::clone(shared);
        let begun = shared.workers.run(Box::new(move || {
            // What a peer cannot be told it need not know.
            let _ = catch_unwind(AssertUnwindSafe(|| inner.converse(stream, &cancel, reserve)));
            lock(&inner.running).open.remove(&id);
        }));
        if begun.is_err() {
            lock(&shared.running).open.remove(&id);
        }
    }

    fn converse(&self, mut stream: UnixStream, cancel: &Cancel, reserve: bool) -> io::Result<()> {
        place::require_own(&stream)?;
        let mut greeting = Greeting::of(&stream, if reserve { HASTE } else { PATIENCE });
        let Some((Kind::Hello, hello)) = frame::read(&mut greeting)? else {
            return Err(frame::invalid("no greeting"));
        };
        let hello: Hello = frame::from_json(&hello)?;
        let same = hello == Hello::own();
        if hello.program != Hello::own().program {
            return Err(frame::invalid("another program's greeting"));
        }
        let mut message = Zeroizing::new(Vec::new());
        let mut asked = Asked::begin(&self.asks);
        let kind = loop {
            let Some((kind, part)) = frame::read(&mut greeting)? else {
                return Ok(());
            };
            let part = Zeroizing::new(part);
            if !same && !matches!(kind, Kind::Lock | Kind::Status) {
                // Whatever it is, it was not read.
                return frame::write(&mut stream, Kind::OtherVersion, &[]);
            }
            if reserve && !matches!(kind, Kind::Lock | Kind::Status) {
                return respond(&mut stream, Err(SessionError::Busy));
            }
            if kind == Kind::AskPart && !asked.more(part.len()) {
                return respond(&mut stream, Err(SessionError::Busy));
            }
            frame::join(&mut message, &part, frame::ASK_BYTES)?;
            if kind != Kind::AskPart {
                break kind;
            }
        };
        match kind {
            Kind::Status => frame::write(&mut stream, Kind::Reply, &frame::to_json(&self.status())?),
            Kind::Lock => {
                frame::write(&mut stream, Kind::Reply, b"null")?;
                self.request_lock();
                // The end of this process is what the peer waits for.
                loop {
                    std::thread::park();
                }
            }
            Kind::Ask => {
                let envelope: Envelope = frame::from_json(&message)?;
                drop(message);
                let file = match envelope.file {
                    true => Some(greeting.file(&self.store, envelope.ask.shape())),
                    false => None,
                };
                if self.store.is_overfull() {
                    self.request_lock();
                }
                let file = file.transpose()?;
                stream.set_read_timeout(None)?;
                self.act(stream, envelope, file.as_ref(), cancel)
            }
            _ => Err(frame::invalid("a frame that no command sends")),
        }
    }

    fn status(&self) -> AgentStatus {
        let (life, now) = (*lock(&self.life), Clocks::now());
        AgentStatus {
            version: Hello::own().version,
            process: std::process::id(),
            locks_in_seconds: life.left(now).as_secs(),
            at_most_seconds: life.at_most(now).as_secs(),
            names: Some(self.names.clone()),
        }
    }

    /// Refuses where the vault is to be locked.
    fn require_open(&self) -> Result<()> {
        let due = lock(&self.life).due(Clocks::now());
        if due.is_some() || !self.is_there() {
            self.request_lock();
        }
        match self.is_locking() {
            true => Err(SessionError::LockedMeanwhile),
            false => Ok(()),
        }
    }

    /// Does what is asked, and answers; `file` is read or written instead of what goes over the socket.
    fn act(&self, stream: UnixStream, envelope: Envelope, file: Option<&File>, cancel: &Cancel) -> io::Result<()> {
        let Envelope {
            zone, ask, background, ..
        } = envelope;
        if ask.shape() == Shape::Plain {
            let nothing = Steps::new(None, cancel);
            let acted = self.lend(background, |session| {
                let task = Task {
                    progress: &nothing,
                    cancel,
                };
                let (input, out) = (&mut io::empty(), &mut io::sink());
                session::in_zone(zone.find(), || ask.act(session, With { input, out, task }))
            });
            return respond(&mut &stream, acted);
        }
        let (sender, receiver) = sync_channel(INPUT_WAITING);
        std::thread::scope(|scope| {
            let listening = stream.try_clone()?;
            scope.spawn(move || crate::memory::scrubbed(|| hear(listening, sender, cancel, &self.room)));
            // What a peer may keep waiting has a place; a file that was handed over keeps nobody waiting.
            let waits = file.is_none() && matches!(ask.shape(), Shape::Reading | Shape::Writing);
            let place = waits.then(|| self.room.enter(&stream, cancel)).transpose();
            let (keeps, place) = (ask.keeps_input(), &place);
            let out = Arc::new(Mutex::new(stream.try_clone()?));
            let steps = Steps::new(Some(Arc::clone(&out)), cancel);
            let act = |place: Option<&Place<'_>>| {
                self.lend(background, |session| {
                    let task = Task {
                        progress: &steps,
                        cancel,
                    };
                    let mut input = Input {
                        from: receiver,
                        waits: Waits { shared: self, place },
                        keeps,
                        cancel,
                        bytes: Zeroizing::default(),
                        taken: 0,
                        ended: false,
                    };
                    let mut output = Output::new(&out, Waits { shared: self, place });
                    let mut read = file.map(handed::reader);
                    let mut written = file.map(Flowing::into);
                    let with = With {
                        input: match &mut read {
                            Some(read) => read,
                            None => &mut input,
                        },
                        out: match &mut written {
                            Some(written) => written,
                            None => &mut output,
                        },
                        task,
                    };
                    let acted = session::in_zone(zone.find(), || ask.act(session, with))?;
                    output.flush().map_err(failed)?;
                    Ok(acted)
                })
            };
            let acted = match place {
                Ok(place) => act(place.as_ref()),
                Err(_) => Err(SessionError::Cancelled),
            };
            // An input that stopped because it was told to is no fault of reading.
            let acted = match acted {
                Err(SessionError::Io { .. } | SessionError::Cancelled) if place.as_ref().is_ok_and(is_cut) => {
                    Err(silent())
                }
                Err(SessionError::Io { .. }) if self.is_locking() => Err(SessionError::LockedMeanwhile),
                Err(SessionError::Io { .. }) if cancel.is_cancelled() => Err(SessionError::Cancelled),
                other => other,
            };
            let responded = respond(&mut *lock(&out), acted);
            let _ = stream.shutdown(Shutdown::Both);
            responded
        })
    }

    /// Lends a session to `f`; one that `f` broke is not used again. In the `background` it keeps nothing open.
    fn lend<T>(&self, background: bool, f: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let mut session = self.take(background)?;
        let done = catch_unwind(AssertUnwindSafe(|| f(&mut session)));
        let (session, done) = match done {
            Ok(done) => (Some(session), done),
            Err(_) => (None, Err(SessionError::Bug("an action ended early".to_owned()))),
        };
        self.touch(background);
        let mut sessions = lock(&self.sessions);
        sessions.lent -= 1;
        sessions.background -= usize::from(background);
        // More than are lent at once are there only where some waited for their input.
        let kept = session.filter(|_| sessions.idle.len() < SESSIONS);
        sessions.idle.extend(kept);
        drop(sessions);
        self.given_back.notify_all();
        done
    }

    fn touch(&self, background: bool) {
        if !background {
            lock(&self.life).touch(Clocks::now());
        }
    }

    fn take(&self, background: bool) -> Result<Box<Session>> {
        self.require_open()?;
        let mut sessions = lock(&self.sessions);
        loop {
            if self.is_locking() {
                return Err(SessionError::LockedMeanwhile);
            }
            if let Some(session) = sessions.idle.pop() {
                sessions.lent += 1;
                sessions.background += usize::from(background);
                drop(sessions);
                self.touch(background);
                return Ok(session);
            }
            if sessions.lent < SESSIONS {
                let first = sessions.first.as_ref().ok_or(SessionError::LockedMeanwhile)?;
                let session = crate::memory::with_keys(|| first.another().map(Box::new))?;
                sessions.lent += 1;
                sessions.background += usize::from(background);
                drop(sessions);
                self.touch(background);
                return Ok(session);
            }
            sessions = self.given_back.wait(sessions).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for a peer in a session that is lent, which does not keep others from theirs meanwhile.
    fn waiting<T>(&self, wait: impl FnOnce() -> T) -> T {
        let count = |begins: bool| {
            let mut sessions = lock(&self.sessions);
            if begins {
                sessions.lent -= 1;
                sessions.waiting += 1;
            } else {
                sessions.lent += 1;
                sessions.waiting -= 1;
            }
            drop(sessions);
            self.given_back.notify_all();
        };
        count(true);
        let waited = wait();
        count(false);
        // Whoever sends and reads is not idle.
        lock(&self.life).touch(Clocks::now());
        waited
    }

    /// Stops what runs: what can be stopped at once, and what writes after it has.
    fn stop(&self) {
        for (_, cancel) in lock(&self.running).open.values() {
            cancel.cancel();
        }
        let begun = Instant::now();
        // What waits for its peer stops at once, and is given the time to say so.
        self.room.close();
        self.given_back.notify_all();
        self.room.wait_until_empty(GRACE);
        let rest = GRACE.saturating_sub(begun.elapsed());
        let sessions = lock(&self.sessions);
        let ended = self
            .given_back
            .wait_timeout_while(sessions, rest, |sessions| sessions.lent + sessions.waiting > 0);
        drop(ended);
    }

    /// Drops every key and every text.
    fn wipe(&self) {
        let mut sessions = lock(&self.sessions);
        sessions.idle.clear();
        sessions.first = None;
        drop(sessions);
        rayon::broadcast(|_| crate::memory::scrub_stack());
        crate::memory::scrub_stack();
    }
}

/// What a peer says before it is known what it wants: all of it by one time, however often it sends a byte.
struct Greeting<'s> {
    from: &'s UnixStream,
    until: Instant,
}

impl<'s> Greeting<'s> {
    fn of(from: &'s UnixStream, within: Duration) -> Self {
        let until = Instant::now() + within;
        Self { from, until }
    }

    /// Gives a peer the time that is left for the next that it says.
    fn hurry(&self) -> io::Result<()> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        self.from.set_read_timeout(Some(left))
    }

    /// Takes the descriptor that goes with an ask.
    fn file(&self, store: &Guarded, shape: Shape) -> io::Result<File> {
        self.hurry()?;
        handed::receive(self.from, store, shape)
    }
}

impl Read for Greeting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.hurry()?;
        self.from.read(buffer)
    }
}

/// Sends a reply, or why there is none.
fn respond(stream: &mut impl Write, acted: Result<Vec<u8>>) -> io::Result<()> {
    match acted {
        Ok(json) => frame::write_parts(stream, Kind::ReplyPart, Kind::Reply, &json),
        Err(error) => frame::write(stream, Kind::Refused, &frame::to_json(&error)?),
    }
}

/// Takes what a peer sends while its action runs.
fn hear(mut stream: UnixStream, sender: SyncSender<Option<Vec<u8>>>, cancel: &Cancel, room: &Room) {
    let mut sender = Some(sender);
    loop {
        match frame::read(&mut stream) {
            // One that nobody takes is let go by.
            Ok(Some((Kind::Input, bytes))) => {
                if sender.as_ref().is_some_and(|to| to.send(Some(bytes)).is_err()) {
                    sender = None;
                }
            }
            Ok(Some((Kind::InputEnd, _))) => {
                if let Some(to) = sender.take() {
                    let _ = to.send(None);
                }
            }
            Ok(Some((Kind::Cancel, _))) => {
                cancel.cancel();
                room.look();
                sender = None;
            }
            Ok(Some(_)) | Ok(None) | Err(_) => {
                cancel.cancel();
                room.look();
                return;
            }
        }
    }
}

/// Waiting for a peer, where others are kept waiting neither for a session nor, for long, for room.
#[derive(Clone, Copy)]
struct Waits<'w> {
    shared: &'w Shared,
    place: Option<&'w Place<'w>>,
}

impl Waits<'_> {
    fn for_peer<T>(&self, how: Shutdown, wait: impl FnOnce() -> T) -> T {
        self.shared.waiting(|| match self.place {
            Some(place) => place.wait_for_peer(how, wait),
            None => wait(),
        })
    }

    fn for_room(&self, bytes: usize, cancel: &Cancel) -> io::Result<()> {
        match self.place {
            Some(place) if !place.try_keep(bytes) => self.shared.waiting(|| place.keep(bytes, cancel)),
            _ => Ok(()),
        }
    }
}

/// What a peer sends, as an action reads it. One that stops without an end is an error, never an end.
struct Input<'s> {
    from: Receiver<Option<Vec<u8>>>,
    waits: Waits<'s>,
    /// Whether the action keeps what it reads.
    keeps: bool,
    cancel: &'s Cancel,
    bytes: Zeroizing<Vec<u8>>,
    taken: usize,
    ended: bool,
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.fill_buf()?;
        let read = bytes.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.taken >= self.bytes.len() && !self.ended {
            let there = self.from.try_recv();
            let next = match there {
                Err(TryRecvError::Empty) => self.waits.for_peer(Shutdown::Read, || self.from.recv()),
                Err(TryRecvError::Disconnected) => Err(RecvError),
                Ok(bytes) => Ok(bytes),
            };
            match next {
                Ok(Some(bytes)) => {
                    if self.keeps {
                        self.waits.for_room(bytes.len(), self.cancel)?;
                    }
                    self.bytes = Zeroizing::new(bytes);
                    self.taken = 0;
                }
                Ok(None) => self.ended = true,
                Err(_) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            }
        }
        Ok(self.bytes.get(self.taken..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.taken = self.taken.saturating_add(amount);
    }
}

/// What an action writes, on its way to the peer.
struct Output<'o> {
    out: &'o Mutex<UnixStream>,
    waits: Waits<'o>,
    bytes: Zeroizing<Vec<u8>>,
}

impl<'o> Output<'o> {
    fn new(out: &'o Mutex<UnixStream>, waits: Waits<'o>) -> Self {
        Self {
            out,
            waits,
            bytes: Zeroizing::new(Vec::with_capacity(OUTPUT_BYTES)),
        }
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = OUTPUT_BYTES.saturating_sub(self.bytes.len());
        let part = bytes.get(..room).unwrap_or(bytes);
        self.bytes.extend_from_slice(part);
        if self.bytes.len() >= OUTPUT_BYTES {
            self.flush()?;
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.bytes.is_empty() {
            // The peer may be in no hurry to read.
            let (out, bytes) = (self.out, &self.bytes);
            self.waits
                .for_peer(Shutdown::Both, || frame::write(&mut *lock(out), Kind::Output, bytes))?;
            self.bytes.clear();
        }
        Ok(())
    }
}

/// Tells a peer how far its action is, not oftener than somebody could see.
struct Steps<'c> {
    out: Option<Arc<Mutex<UnixStream>>>,
    cancel: &'c Cancel,
    kept: Mutex<(u64, Instant)>,
}

impl<'c> Steps<'c> {
    fn new(out: Option<Arc<Mutex<UnixStream>>>, cancel: &'c Cancel) -> Self {
        Self {
            out,
            cancel,
            kept: Mutex::new((0, Instant::now())),
        }
    }

    fn send(&self, step: &Step) {
        let Some(out) = &self.out else { return };
        let sent = frame::to_json(step).and_then(|json| frame::write(&mut *lock(out), Kind::Progress, &json));
        if sent.is_err() {
            self.cancel.cancel();
        }
    }
}

impl Progress for Steps<'_> {
    fn start(&self, what: &str, total: Option<u64>, unit: Unit) {
        let what = what.to_owned();
        self.send(&Step::Start { what, total, unit });
    }

    fn advance(&self, n: u64) {
        let more = {
            let mut kept = lock(&self.kept);
            kept.0 = kept.0.saturating_add(n);
            if kept.1.elapsed() < TELL {
                return;
            }
            kept.1 = Instant::now();
            std::mem::take(&mut kept.0)
        };
        self.send(&Step::Advance(more));
    }

    fn finish(&self) {
        let more = std::mem::take(&mut lock(&self.kept).0);
        if more > 0 {
            self.send(&Step::Advance(more));
        }
        self.send(&Step::Finish);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted
    )
}

fn is_cut(place: &Option<Place<'_>>) -> bool {
    place.as_ref().is_some_and(Place::is_cut)
}

fn silent() -> SessionError {
    SessionError::Io {
        doing: format!(
            "nothing came or was taken for {} seconds, while others waited",
            PATIENCE.as_secs()
        ),
        source: io::Error::from(io::ErrorKind::TimedOut),
    }
}

fn failed(source: io::Error) -> SessionError {
    SessionError::Io {
        doing: "could not hold the vault open".to_owned(),
        source,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_says_a_byte_now_and_then_has_no_more_time() {
        let (mut peer, own) = UnixStream::pair().unwrap();
        std::thread::scope(|scope| {
            // Never silent for long, and after two seconds it would have said all.
            scope.spawn(move || {
                for _ in 0..200 {
                    if peer.write_all(&[1]).is_err() {
                        return;
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
            });
            let read = Greeting::of(&own, Duration::from_millis(300)).read_exact(&mut [0; 200]);
            drop(own);
            let refused = read.unwrap_err().kind();
            assert!(
                matches!(refused, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock),
                "{refused}"
            );
        });
    }
}
