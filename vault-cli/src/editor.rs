//! An editor on a file that is in memory alone.
//!
//! ```text
//! place (tmpfs, 0700, locked) ─ note.md ─> editor, told to keep its own files there or nowhere
//!        │ every two seconds, what changed                          │ ends
//!        └──────────> draft, sealed in the store <───────────────── text
//! ```
//!
//! The place is wiped however it ends. After a kill -9 the next command that unlocks takes what was written there into
//! the draft, and wipes it (`leftover`).

mod backup;
mod cursor;
mod leftover;
mod place;
mod program;

use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::CliError;
use crate::signals::Heeded;

pub use leftover::{Leftover, is_open, leftovers};
pub use place::Place;
pub use program::Program;
pub(crate) use program::words;

/// What changed is kept so often.
const AUTOSAVE: Duration = Duration::from_secs(2);

/// An editor is looked after so often.
const LOOK: Duration = Duration::from_millis(40);

/// So long an editor that was asked to end may take to put its text down.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How an editor ended.
#[derive(Debug)]
pub enum Edited {
    /// As it should: this is what was saved in it.
    Done {
        /// The text as saved.
        saved: String,
        /// What the editor held besides and had not saved, where it told.
        unsaved: Option<String>,
        /// Whether anything was saved in it, the same text included.
        touched: bool,
    },
    /// Otherwise: this is the newest that there is.
    Broken {
        /// The newest text.
        newest: String,
        /// What happened.
        how: String,
    },
}

/// Runs the editor over a text until it ends; `keep` is given what was written, every two seconds where it changed. What it
/// refuses it is asked again two seconds later: what was written at the end is for the caller to keep.
///
/// # Errors
/// [`CliError::Io`] where editor or place fail, [`CliError::NotUtf8`].
pub fn edit(
    program: &Program,
    place: &Place,
    text: &str,
    keep: &mut dyn FnMut(&str) -> Result<(), CliError>,
) -> Result<Edited, CliError> {
    place.put(text)?;
    let before = place.state();
    let signals = Signals::heed()?;
    let terminal = Terminal::kept();
    let mut child = program.start(place, cursor::line(text))?;
    let mut kept = text.to_owned();
    let mut next = Instant::now() + AUTOSAVE;
    let (status, stopped) = loop {
        let ended = child
            .try_wait()
            .map_err(|e| CliError::io("could not wait for the editor", e))?;
        if let Some(status) = ended {
            break (Some(status), false);
        }
        if signals.stop() {
            break (last_words(&mut child), true);
        }
        if Instant::now() >= next {
            // A file that is just being written, or a store that is busy, is looked at again in two seconds.
            if let Ok(newest) = place.newest()
                && newest != kept
                && keep(&newest).is_ok()
            {
                kept = newest;
            }
            next = Instant::now() + AUTOSAVE;
        }
        std::thread::sleep(LOOK);
    };
    terminal.restore();
    let well = status.is_some_and(|status| status.success()) && !stopped;
    if !well {
        return Ok(Edited::Broken {
            newest: place.newest()?,
            how: how(program, status, stopped),
        });
    }
    let saved = place.text()?;
    let newest = place.newest()?;
    let unsaved = (newest != saved).then_some(newest);
    let touched = before.is_none() || place.state() != before;
    Ok(Edited::Done {
        saved,
        unsaved,
        touched,
    })
}

/// Asks the editor to end, and ends it.
fn last_words(child: &mut Child) -> Option<ExitStatus> {
    if let Some(id) = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap_or(0)) {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
    }
    let until = Instant::now() + LAST_WORDS;
    while Instant::now() < until {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(LOOK);
    }
    let _ = child.kill();
    child.wait().ok()
}

fn how(program: &Program, status: Option<ExitStatus>, stopped: bool) -> String {
    use std::os::unix::process::ExitStatusExt;
    let name = program.name();
    if stopped {
        return "stopped while the editor was open".to_owned();
    }
    match status {
        Some(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("the editor `{name}` ended with exit code {code}"),
            (None, Some(signal)) => match signal_hook::low_level::signal_name(signal) {
                Some(word) => format!("the editor `{name}` was ended by signal {signal} ({word})"),
                None => format!("the editor `{name}` was ended by signal {signal}"),
            },
            (None, None) => format!("the editor `{name}` did not end as it should"),
        },
        None => format!("the editor `{name}` did not end"),
    }
}

/// The signals while an editor is open: an interrupt is the editor's, and to end means to keep the draft first.
struct Signals {
    stop: Arc<AtomicBool>,
    _heeded: Vec<Heeded>,
}

impl Signals {
    fn heed() -> Result<Self, CliError> {
        let failed = |e| CliError::io("could not listen to signals", e);
        let stop = Arc::new(AtomicBool::new(false));
        let interrupt = Arc::new(AtomicBool::new(false));
        let mut heeded = vec![Heeded::by_flag(SIGINT, interrupt).map_err(failed)?];
        for signal in [SIGTERM, SIGHUP] {
            heeded.push(Heeded::by_flag(signal, Arc::clone(&stop)).map_err(failed)?);
        }
        Ok(Self { stop, _heeded: heeded })
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The terminal as it was before the editor, for one that ends without putting it back.
struct Terminal(Option<rustix::termios::Termios>);

impl Terminal {
    fn kept() -> Self {
        Self(rustix::termios::tcgetattr(std::io::stdin()).ok())
    }

    fn restore(&self) {
        if let Some(before) = &self.0 {
            let action = rustix::termios::OptionalActions::Drain;
            let _ = rustix::termios::tcsetattr(std::io::stdin(), action, before);
        }
    }
}
