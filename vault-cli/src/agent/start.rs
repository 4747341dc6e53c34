//! Starting an agent: the same program, detached, which opens the vault itself.
//!
//! ```text
//! unlock ─ spawn ─> agent: not dumpable, own session, no descriptor but two pipes
//!        ─ pipe: home, passphrase ─>  Argon2id, keystore, store, entry in the log, socket
//!        <─ pipe: ready, or why not ─
//! ```
//!
//! The passphrase is in no argument, no environment and no file; nobody waits by the clock.

use super::client::Opening;
use super::frame;
use super::frame::Kind;
use super::lifetime::Lasting;
use super::serve;
use crate::exit::Exit;
use crate::places::Places;
use crate::session::Passphrase;
use crate::session::Result;
use crate::session::SessionError;
use crate::session::reply::UnlockReply;
use serde::Deserialize;
use serde::Serialize;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use zeroize::Zeroizing;

/// What a new agent is told.
#[derive(Serialize, Deserialize)]
struct Told {
    home: PathBuf,
    opening: Opening,
}

/// Starts an agent for a vault; returns when it answers.
///
/// # Errors
/// [`SessionError::WrongPassphrase`] and what else keeps a vault from opening; [`SessionError::Io`],
/// [`SessionError::Agent`] where it ends before it holds the vault open.
pub fn start(places: &Places, passphrase: &Passphrase, lasting: Lasting) -> Result<UnlockReply> {
    let told = Told {
        home: places.home().to_owned(),
        opening: Opening {
            lasting,
            passphrase: passphrase.expose().to_owned(),
        },
    };
    let json = Zeroizing::new(frame::to_json(&told).map_err(failed)?);
    drop(Zeroizing::new(told.opening.passphrase));
    let mut command = Command::new(own_program()?);
    command
        .arg(super::WORD)
        .env_clear()
        // What a search of everything freed goes back to the system, and threads share what they do not use.
        .envs([("MALLOC_ARENA_MAX", "2"), ("MALLOC_TRIM_THRESHOLD_", "1048576")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    for name in kept_variables() {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let mut child = command.spawn().map_err(failed)?;
    let (Some(mut to), Some(mut from)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(SessionError::Bug("an agent without pipes".to_owned()));
    };
    // One that refuses before it has read all says why.
    let _ = frame::write(&mut to, Kind::Unlock, &json);
    drop(to);
    match frame::read(&mut from).map_err(failed)? {
        Some((Kind::Reply, bytes)) => frame::from_json(&bytes).map_err(failed),
        Some((Kind::Refused, bytes)) => Err(frame::from_json(&bytes).map_err(failed)?),
        Some(_) | None => Err(SessionError::Agent {
            what: "it ended before it held the vault open".to_owned(),
        }),
    }
}

/// The agent's process, from its two pipes to its end.
pub fn run() -> Exit {
    crate::memory::close_inherited();
    crate::memory::wipe_what_is_freed();
    crate::harden::leave_the_terminal();
    let mut to = io::stdout().lock();
    let served = match begin(&mut Unbuffered) {
        Ok(served) => served,
        Err(error) => {
            let json = frame::to_json(&error).unwrap_or_default();
            let _ = frame::write(&mut to, Kind::Refused, &json).and_then(|()| to.flush());
            return Exit::Failed;
        }
    };
    let told = frame::to_json(served.reply())
        .and_then(|json| frame::write(&mut to, Kind::Reply, &json))
        .and_then(|()| to.flush());
    drop(to);
    if told.is_err() || crate::harden::close_standard_streams().is_err() {
        // Nobody is there who asked for it.
        served.end();
    }
    served.serve()
}

/// Standard input without a buffer that would keep the passphrase.
struct Unbuffered;

impl Read for Unbuffered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
    }
}

fn begin(from: &mut impl Read) -> Result<serve::Served> {
    let read = frame::read(from).map_err(failed)?;
    let json = match read {
        Some((Kind::Unlock, json)) => Zeroizing::new(json),
        Some(_) | None => return Err(SessionError::Bug("an agent that nobody told anything".to_owned())),
    };
    let Told { home, opening } = frame::from_json(&json).map_err(failed)?;
    let passphrase = Passphrase::new(opening.passphrase);
    let places = Places::find(Some(&home)).map_err(failed)?;
    serve::Served::open(places, &passphrase, opening.lasting)
}

/// This very program, even where its file was replaced since.
fn own_program() -> Result<PathBuf> {
    #[cfg(target_os = "linux")]
    return Ok(PathBuf::from("/proc/self/exe"));
    #[cfg(not(target_os = "linux"))]
    std::env::current_exe().map_err(failed)
}

/// Variables that an agent is started with: where its socket goes, and in a test build what the tests look at.
fn kept_variables() -> &'static [&'static str] {
    if cfg!(debug_assertions) {
        &[
            "XDG_RUNTIME_DIR",
            crate::memory::TEST_MEMORY,
            crate::memory::TEST_UNWIPED,
            super::lifetime::TEST_SLEPT,
        ]
    } else {
        &["XDG_RUNTIME_DIR"]
    }
}

fn failed(source: io::Error) -> SessionError {
    SessionError::Io {
        doing: "could not start the agent".to_owned(),
        source,
    }
}
