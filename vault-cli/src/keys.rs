//! What is typed on a terminal: a line, hidden or shown, or a text up to Ctrl-D. Ctrl-C ends each at once.
//!
//! ```text
//! poll ─┬─ the terminal has a line ─> taken
//!       ├─ end of input (Ctrl-D) ───> no answer, whatever was typed before it
//!       └─ SIGINT (Ctrl-C), or a signal to end ─> `CliError::Interrupted`: owners clean up, and the command ends with 130
//! ```
//!
//! A signal's default would end the process between two instructions: with the terminal's echo off, or with the files of
//! a question unanswered on the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::signals::Heeded;

/// The longest line that is taken, in bytes; terminals end lines at this many.
const LONGEST_LINE: usize = 4096;

/// Asks on the terminal, and returns what was typed before Enter; none at the end of input.
///
/// # Errors
/// [`CliError::Interrupted`]; [`CliError::Io`] where there is no terminal, and for more than 4096 bytes;
/// [`CliError::NotUtf8`].
pub(crate) fn line(question: &str) -> Result<Option<Zeroizing<String>>, CliError> {
    let terminal = open()?;
    // Before the question can be seen: whoever answers it with a signal at once is heard.
    let keys = Keys::of(terminal.as_fd())?;
    (&terminal).write_all(question.as_bytes()).map_err(failed)?;
    let line = read_line(&terminal, &keys)?;
    keys.end()?;
    Ok(line)
}

/// As [`line`], but what is typed is not shown.
///
/// # Errors
/// As [`line`].
pub(crate) fn hidden_line(question: &str) -> Result<Option<Zeroizing<String>>, CliError> {
    let terminal = open()?;
    let keys = Keys::of(terminal.as_fd())?;
    let _hidden = Hidden::begin(&terminal)?;
    (&terminal).write_all(question.as_bytes()).map_err(failed)?;
    let line = read_line(&terminal, &keys)?;
    keys.end()?;
    Ok(line)
}

/// Reads what is typed, piece by piece; each read ends at Ctrl-C.
pub(crate) struct Keys<'t> {
    terminal: BorrowedFd<'t>,
    interrupt: UnixStream,
    heeded: Vec<Heeded>,
}

impl<'t> Keys<'t> {
    /// Begins to read.
    ///
    /// # Errors
    /// [`CliError::Io`] where signals cannot be listened to.
    pub(crate) fn of(terminal: BorrowedFd<'t>) -> Result<Self, CliError> {
        let listening = || {
            let (interrupt, raised) = UnixStream::pair()?;
            let heeded: io::Result<Vec<Heeded>> = [SIGINT, SIGTERM, SIGHUP]
                .into_iter()
                .map(|signal| Heeded::by_pipe(signal, raised.try_clone()?.into()))
                .collect();
            Ok((interrupt, heeded?))
        };
        let (interrupt, heeded) = listening().map_err(|e| CliError::io("could not listen to signals", e))?;
        Ok(Self {
            terminal,
            interrupt,
            heeded,
        })
    }

    /// Waits for a line, and reads it or the piece of it that has room; no bytes at the end of input.
    ///
    /// # Errors
    /// [`CliError::Interrupted`], [`CliError::Io`].
    pub(crate) fn read(&self, piece: &mut [u8]) -> Result<usize, CliError> {
        loop {
            let mut waiting = [
                PollFd::new(&self.interrupt, PollFlags::IN),
                PollFd::from_borrowed_fd(self.terminal, PollFlags::IN),
            ];
            match rustix::event::poll(&mut waiting, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(failed(error.into())),
            }
            let [interrupt, terminal] = waiting;
            if !interrupt.revents().is_empty() {
                return Err(CliError::Interrupted);
            }
            // Where a terminal cannot be waited for, reading it waits.
            if !terminal.revents().is_empty() {
                match rustix::io::read(self.terminal, &mut *piece) {
                    Err(Errno::INTR | Errno::AGAIN) => {}
                    read => return read.map_err(|error| failed(error.into())),
                }
            }
        }
    }

    /// Ends to read. From here on a signal ends the process.
    ///
    /// # Errors
    /// [`CliError::Interrupted`] for a signal that came after the last read: it was heard, and is not dropped.
    pub(crate) fn end(self) -> Result<(), CliError> {
        drop(self.heeded);
        self.interrupt.set_nonblocking(true).map_err(failed)?;
        match rustix::io::read(&self.interrupt, &mut [0]) {
            Ok(1) => Err(CliError::Interrupted),
            _ => Ok(()),
        }
    }
}

fn read_line(terminal: &File, keys: &Keys<'_>) -> Result<Option<Zeroizing<String>>, CliError> {
    // Reserved whole, so that no copy of a passphrase is left behind by growing.
    let mut typed = Zeroizing::new(vec![0; LONGEST_LINE]);
    let mut length = 0;
    let ended = loop {
        let room = typed.get_mut(length..).unwrap_or_default();
        if room.is_empty() {
            return Err(failed(io::Error::other("the line is longer than 4096 bytes")));
        }
        let read = match keys.read(room) {
            // What the terminal shows next begins a line.
            Err(CliError::Interrupted) => {
                let _ = { terminal }.write_all(b"\n");
                return Err(CliError::Interrupted);
            }
            read => read?,
        };
        length += read;
        if read == 0 {
            break false;
        }
        if typed.get(..length).is_some_and(|typed| typed.ends_with(b"\n")) {
            break true;
        }
    };
    if !ended {
        let _ = { terminal }.write_all(b"\n");
        return Ok(None);
    }
    let line = typed.get(..length).unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|e| CliError::NotUtf8 {
        what: "what was typed".to_owned(),
        offset: e.valid_up_to(),
    })?;
    Ok(Some(Zeroizing::new(line.trim_end_matches(['\n', '\r']).to_owned())))
}

fn open() -> Result<File, CliError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(failed)
}

fn failed(error: io::Error) -> CliError {
    CliError::io("could not ask on the terminal", error)
}

/// A terminal that does not show what is typed; as it was before when this is dropped.
struct Hidden<'t> {
    terminal: &'t File,
    before: Termios,
}

impl<'t> Hidden<'t> {
    fn begin(terminal: &'t File) -> Result<Self, CliError> {
        let before = rustix::termios::tcgetattr(terminal).map_err(|e| failed(e.into()))?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden.local_modes.insert(LocalModes::ECHONL);
        rustix::termios::tcsetattr(terminal, OptionalActions::Now, &hidden).map_err(|e| failed(e.into()))?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = rustix::termios::tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
