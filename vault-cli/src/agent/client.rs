//! The command's end of the socket: what is asked goes over, what comes back is the same reply that a session gives.
//!
//! One connection is one ask. Progress, output and input go both ways meanwhile; a signal becomes a frame that stops the
//! action, and an end of this process stops it too.

use super::ask::Ask;
use super::frame;
use super::frame::Hello;
use super::frame::Kind;
use super::handed;
use super::lifetime::Lasting;
use super::place::Found;
use super::zone::Zone;
use crate::places::Places;
use crate::session::Cancel;
use crate::session::Result;
use crate::session::SessionError;
use crate::session::Task;
use crate::session::Unit;
use crate::session::reply::OwnNames;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use std::time::Instant;
use zeroize::Zeroizing;

/// So often a waiting command looks whether a signal came.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// A connection that waited for longer is not used: well below the agent's patience.
const FRESH: Duration = Duration::from_secs(2);

/// So long an agent may take to tell of itself.
const STATUS: Duration = Duration::from_secs(5);

/// The way to an agent.
#[derive(Debug)]
pub struct Connection {
    agent: Found,
    places: Places,
    // The next ask's, and since when it waits; the one after makes its own.
    ready: Option<(UnixStream, Instant)>,
    background: bool,
}

/// What an agent tells of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentStatus {
    /// The program's version.
    pub version: String,
    /// The number of its process.
    pub process: u32,
    /// After so many seconds without an ask it locks.
    pub locks_in_seconds: u64,
    /// After so many seconds it locks at the latest.
    pub at_most_seconds: u64,
    /// What the person and the agency are called; an agent of an older version does not tell.
    #[serde(default)]
    pub names: Option<OwnNames>,
}

/// What is asked, with where it is asked from.
#[derive(Serialize)]
struct Envelope<'a> {
    zone: Zone,
    /// Whether the descriptor of a file follows.
    file: bool,
    /// Whether nobody waits for it: it keeps nothing open.
    background: bool,
    ask: &'a Ask,
}

/// How far an action is, as it travels.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    /// A stage begins.
    Start {
        what: String,
        total: Option<u64>,
        unit: Unit,
    },
    /// More units of it are done.
    Advance(u64),
    /// It ends.
    Finish,
}

/// For how long to hold the vault open, before the passphrase.
#[derive(Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) lasting: Lasting,
    pub(super) passphrase: String,
}

/// What goes with an ask both ways.
#[derive(Default)]
pub(super) struct Streams<'a> {
    pub(super) input: Option<&'a mut dyn BufRead>,
    pub(super) out: Option<&'a mut dyn Write>,
    pub(super) task: Option<Task<'a>>,
    /// What goes over as it is, instead of input or out.
    pub(super) file: Option<&'a File>,
}

impl<'a> Streams<'a> {
    pub(super) fn of(task: Task<'a>) -> Self {
        Self {
            task: Some(task),
            ..Self::default()
        }
    }

    pub(super) fn handing(file: &'a File, task: Task<'a>) -> Self {
        Self {
            file: Some(file),
            ..Self::of(task)
        }
    }
}

impl Connection {
    /// Finds the agent that holds the vault open, if there is one, whether or not it answers.
    ///
    /// # Errors
    /// [`SessionError::Io`] where that cannot be told.
    pub fn holder(places: &Places) -> Result<Option<Self>> {
        let agent = Found::of(places).map_err(failed)?;
        Ok(agent.map(|agent| Self {
            agent,
            places: places.clone(),
            ready: None,
            background: false,
        }))
    }

    /// Asks from here on for what nobody waits for.
    pub(super) fn in_the_background(&mut self) {
        self.background = true;
    }

    /// Finds the agent that holds the vault open, if there is one that lets commands in.
    ///
    /// # Errors
    /// [`SessionError::Io`] where a socket is there that cannot be used.
    pub fn find(places: &Places) -> Result<Option<Self>> {
        let Some(mut found) = Self::holder(places)? else {
            return Ok(None);
        };
        let stream = found.agent.connect().map_err(failed)?;
        found.ready = stream.map(|stream| (stream, Instant::now()));
        Ok(Some(found).filter(|found| found.ready.is_some()))
    }

    /// Asks for how long it holds the vault open; `None` where it just ended.
    ///
    /// # Errors
    /// [`SessionError::AgentSilent`] where it is there and does not say.
    pub fn status(&mut self) -> Result<Option<AgentStatus>> {
        let asked = self.stream().and_then(|mut stream| {
            stream.set_read_timeout(Some(STATUS)).map_err(failed)?;
            self.hello(&mut stream, Kind::Status, &[])?;
            self.reply(&mut stream, Streams::default())
        });
        match asked {
            Ok(status) => Ok(Some(status)),
            Err(_) if self.agent.is_there().map_err(failed)? => Err(self.silent()),
            Err(_) => Ok(None),
        }
    }

    /// Locks: returns when the agent's process and its memory are gone, whether or not it answered before.
    ///
    /// # Errors
    /// [`SessionError::AgentSilent`] where it does not end.
    pub fn lock(&self) -> Result<()> {
        match self.agent.end().map_err(failed)? {
            true => Ok(()),
            false => Err(self.silent()),
        }
    }

    fn silent(&self) -> SessionError {
        let process = self.agent.process();
        SessionError::AgentSilent { process }
    }

    /// Tells whether it does what this version of the program asks.
    pub fn is_same_version(&self) -> bool {
        self.agent.is_same_version()
    }

    /// Asks, and waits for the reply.
    pub(super) fn ask<T: DeserializeOwned>(&mut self, ask: &Ask, streams: Streams<'_>) -> Result<T> {
        let mut stream = self.stream()?;
        let zone = Zone::own();
        let file = streams.file.is_some();
        let envelope = Envelope {
            zone,
            file,
            background: self.background,
            ask,
        };
        let json = frame::to_json(&envelope).map_err(|e| fault(&e))?;
        self.hello(&mut stream, Kind::Ask, &json)?;
        // While the agent works: what it shows is in this zone.
        let _ = crate::session::zone();
        if let Some(file) = streams.file {
            match handed::send(&stream, file) {
                // It may have refused before; then that is there to be read.
                Err(e) if is_lost(&e) => {}
                sent => sent.map_err(|e| fault(&e))?,
            }
        }
        match streams {
            Streams {
                input: Some(input),
                task: Some(task),
                ..
            } => self.fed(&stream, input, task),
            streams => self.reply(&mut stream, streams),
        }
    }

    /// Tells whether it reads or writes this file itself, if it is handed over.
    pub(super) fn takes(&self, file: &File) -> bool {
        handed::may_go(file, &self.places)
    }

    fn stream(&mut self) -> Result<UnixStream> {
        // The agent closes one that says nothing; somebody may have been asked for a few words meanwhile.
        if let Some((stream, since)) = self.ready.take()
            && since.elapsed() < FRESH
        {
            return Ok(stream);
        }
        self.agent
            .connect()
            .map_err(failed)?
            .ok_or(SessionError::LockedMeanwhile)
    }

    fn hello(&self, stream: &mut UnixStream, kind: Kind, bytes: &[u8]) -> Result<()> {
        let hello = frame::to_json(&Hello::own()).map_err(|e| fault(&e))?;
        let mut whole = Zeroizing::new(Vec::with_capacity(hello.len() + bytes.len() + 64));
        frame::write(&mut *whole, Kind::Hello, &hello).map_err(|e| fault(&e))?;
        let part = if kind == Kind::Ask { Kind::AskPart } else { kind };
        frame::write_parts(&mut *whole, part, kind, bytes).map_err(|e| fault(&e))?;
        match stream.write_all(&whole) {
            // It may have refused before it read all; then that is there to be read.
            Err(e) if is_lost(&e) => Ok(()),
            other => other.map_err(|e| fault(&e)),
        }
    }

    /// Sends an input while another thread takes what comes.
    fn fed<T: DeserializeOwned>(&self, stream: &UnixStream, input: &mut dyn BufRead, task: Task<'_>) -> Result<T> {
        let mut back = stream.try_clone().map_err(failed)?;
        let mut out = stream.try_clone().map_err(failed)?;
        std::thread::scope(|scope| {
            let taker = scope.spawn(move || {
                let streams = Streams::of(task);
                self.reply_bytes(&mut back, streams)
            });
            let fed = feed(&mut out, input, task.cancel);
            if fed.is_err() {
                // The input cannot be read, and half of it is not to be taken for all.
                let _ = out.shutdown(std::net::Shutdown::Both);
            }
            let taken = taker
                .join()
                .unwrap_or_else(|_| Err(SessionError::Bug("the reader of replies ended early".to_owned())));
            fed?;
            parsed(&taken?)
        })
    }

    fn reply<T: DeserializeOwned>(&self, stream: &mut UnixStream, streams: Streams<'_>) -> Result<T> {
        parsed(&self.reply_bytes(stream, streams)?)
    }

    fn reply_bytes(&self, stream: &mut UnixStream, streams: Streams<'_>) -> Result<Vec<u8>> {
        let Streams { mut out, task, .. } = streams;
        let mut whole = Vec::new();
        let mut told = false;
        loop {
            if let Some(task) = task {
                wait(stream, task.cancel, &mut told)?;
            }
            let read = frame::read(stream).map_err(|e| match is_lost(&e) {
                true => SessionError::AgentLost,
                false => fault(&e),
            })?;
            let Some((kind, bytes)) = read else {
                return Err(SessionError::AgentLost);
            };
            match kind {
                Kind::Reply | Kind::ReplyPart => {
                    frame::join(&mut whole, &bytes, frame::REPLY_BYTES).map_err(|e| fault(&e))?;
                    if kind == Kind::Reply {
                        return Ok(whole);
                    }
                }
                Kind::Output => match &mut out {
                    Some(out) => out.write_all(&bytes).map_err(|source| SessionError::Io {
                        doing: "could not write the export".to_owned(),
                        source,
                    })?,
                    None => return Err(fault(&frame::invalid("output that nobody asked for"))),
                },
                Kind::Progress => {
                    if let Some(task) = task {
                        tell(task, frame::from_json(&bytes).map_err(|e| fault(&e))?);
                    }
                }
                Kind::Refused => return Err(frame::from_json(&bytes).map_err(|e| fault(&e))?),
                Kind::OtherVersion => return Err(SessionError::Unavailable { what: OTHER_VERSION }),
                _ => return Err(fault(&frame::invalid("a frame that no agent sends"))),
            }
        }
    }
}

/// What is not available from an agent that another version of the program left running.
const OTHER_VERSION: &str = "an agent of another version";

fn parsed<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    frame::from_json(json).map_err(|e| fault(&e))
}

fn tell(task: Task<'_>, step: Step) {
    match step {
        Step::Start { what, total, unit } => task.progress.start(&what, total, unit),
        Step::Advance(n) => task.progress.advance(n),
        Step::Finish => task.progress.finish(),
    }
}

/// Waits until something comes; tells the agent once if the action is to stop.
fn wait(stream: &mut UnixStream, cancel: &Cancel, told: &mut bool) -> Result<()> {
    loop {
        if cancel.is_cancelled() && !*told {
            *told = true;
            // One that is gone has stopped.
            let _ = frame::write(stream, Kind::Cancel, &[]);
        }
        let mut wanted = [PollFd::new(stream, PollFlags::IN)];
        match rustix::event::poll(&mut wanted, Some(&LOOK)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(e) => return Err(failed(e.into())),
        }
    }
}

/// Sends an input to its end, or as far as the agent takes it.
fn feed(out: &mut UnixStream, input: &mut dyn BufRead, cancel: &Cancel) -> Result<()> {
    loop {
        if cancel.is_cancelled() {
            return Ok(());
        }
        let bytes = match input.fill_buf() {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => {
                return Err(SessionError::Io {
                    doing: "could not read the lines".to_owned(),
                    source,
                });
            }
        };
        let part = bytes.get(..frame::INPUT_BYTES).unwrap_or(bytes);
        let (kind, length) = match part.len() {
            0 => (Kind::InputEnd, 0),
            length => (Kind::Input, length),
        };
        // It stops taking when it has its answer, which is there to be read.
        if frame::write(out, kind, part).is_err() || length == 0 {
            return Ok(());
        }
        input.consume(length);
    }
}

fn is_lost(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
    )
}

fn failed(source: io::Error) -> SessionError {
    SessionError::Io {
        doing: "could not reach the agent".to_owned(),
        source,
    }
}

fn fault(error: &io::Error) -> SessionError {
    SessionError::Agent {
        what: error.to_string(),
    }
}
