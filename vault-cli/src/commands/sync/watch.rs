//! `casevault sync --watch`.
//!
//! ```text
//! sync ─> wait ─┬─ the server's log has grown, which its change events say ─> sync
//!               ├─ something was written here, which the store's files say ─> sync
//!               ├─ the events ended, with the session or the server ────────> sync, and follow anew
//!               └─ Ctrl-C ──────────────────────────────────────────────────> the end
//! no answer ─> wait a second, and twice as long each time up to a minute ─────> sync
//! ```
//!
//! Before a round that the server's events begin there is a pause: a second, so that one entry of the access stream stands for
//! a burst of what others wrote, and twice as long each time, up to a minute, as long as such rounds bring nothing: what each
//! member's reading logs is told to all others, who must not run after one another.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use crate::error::CliError;
use crate::invocation::{Invocation, Watch};
use crate::remote::{Event, Events, ServerFault, ServerUrl};
use crate::render;
use crate::session::reply::{SyncFeedReply, SyncReply};
use crate::session::request::SyncFeedRequest;
use crate::session::{Kind, SessionError};

/// So often it is looked whether something was written here, and whether it is to end.
const LOOK: Duration = Duration::from_millis(250);
/// A server says within twenty seconds that it is there; after so much silence it is not.
const SILENCE: Duration = Duration::from_secs(60);
/// Events that end before that are waited for longer each time.
const BRIEF: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(60);

pub(super) fn run(run: &Invocation) -> Result<(), CliError> {
    let store = run.vault()?.store();
    // Keys are kept by the agent alone, which locks; this process waits for hours.
    if run.agent()?.is_none() {
        return Err(CliError::WatchWithoutAgent);
    }
    let mut vault = run.unlock()?;
    vault.in_the_background();
    let watch = run.watch()?;
    let (mut pause, mut calm) = (Pause::default(), Pause::default());
    let mut feed: Option<Feed> = None;
    let mut is_first = true;
    let mut told = None;
    loop {
        let written = Written::of(&store);
        let round = vault.sync(watch.task()).and_then(|reply| {
            if feed.is_none() {
                feed = Some(Feed::of(vault.sync_feed(SyncFeedRequest {})?)?);
            }
            Ok(reply)
        });
        let reply = match round {
            Ok(reply) => reply,
            Err(SessionError::Cancelled) if watch.task().cancel.is_cancelled() => return Ok(()),
            // An agent that locks in the middle of a round ends it; the next ask is told that it has locked.
            Err(SessionError::Cancelled) => {
                feed = None;
                if !wait(&watch, pause.longer()) {
                    return Ok(());
                }
                continue;
            }
            Err(error) if is_passing(&error) => {
                feed = None;
                if pause.is_first() {
                    run.ui.note(&format!("{error}; it is tried again until it works"));
                }
                if !wait(&watch, pause.longer()) {
                    return Ok(());
                }
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        // A log that is said to be longer than it can be proved to be is not run after without a pause.
        let promised = feed.as_ref().map_or(0, |feed| feed.promised);
        match promised > reply.size {
            true if !wait(&watch, pause.longer()) => return Ok(()),
            true => {}
            false => pause.ended(),
        }
        // An alarm is sounded once, and its end told: a round comes at least as often as the events' token ends.
        let state = reply.witnessed.as_ref().map(|witnessed| witnessed.state);
        let is_news = std::mem::replace(&mut told, state) != state;
        if is_first || is_news || has_moved(&reply) {
            run.ui.reply(&reply, render::server::synced)?;
        }
        is_first = false;
        if reply.received > 0 || reply.sent > 0 {
            calm.ended();
        }
        let ended = match &mut feed {
            Some(feed) => feed.wait(reply.size, &watch, || Written::of(&store) != written),
            None => Ended::Events,
        };
        match ended {
            Ended::Written => calm.ended(),
            Ended::Grown => {
                if !wait(&watch, calm.longer()) {
                    return Ok(());
                }
            }
            Ended::Asked => return Ok(()),
            Ended::Events => {
                let was_brief = feed.take().is_none_or(|feed| feed.begun.elapsed() < BRIEF);
                if was_brief && !wait(&watch, pause.longer()) {
                    return Ok(());
                }
            }
        }
    }
}

/// Tells whether there is something to say.
fn has_moved(reply: &SyncReply) -> bool {
    reply.sent > 0
        || reply.received > 0
        || !reply.aside.is_empty()
        || !reply.owed.is_empty()
        || !reply.behind.is_empty()
        || !reply.left.is_empty()
}

/// Tells whether it may well be otherwise in a moment.
fn is_passing(error: &SessionError) -> bool {
    error.kind() == Kind::Unreachable || matches!(error, SessionError::Server(ServerFault::Conflict { .. }))
}

/// Waits; false if it is to end.
fn wait(watch: &Watch, long: Duration) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < long {
        if watch.task().cancel.is_cancelled() {
            return false;
        }
        std::thread::sleep(LOOK.min(long));
    }
    true
}

/// How long to wait after a failure.
#[derive(Debug, Default)]
struct Pause(u32);

impl Pause {
    fn is_first(&self) -> bool {
        self.0 == 0
    }

    fn longer(&mut self) -> Duration {
        let long = Duration::from_secs(1 << self.0.min(6));
        self.0 = self.0.saturating_add(1);
        long.min(LONGEST)
    }

    fn ended(&mut self) {
        self.0 = 0;
    }
}

/// The state of the store's files, which differs once something was written.
#[derive(Debug, PartialEq, Eq)]
struct Written([Option<(u64, SystemTime)>; 2]);

impl Written {
    fn of(store: &Path) -> Self {
        let mut log = store.as_os_str().to_owned();
        log.push("-wal");
        Self([store.to_owned(), PathBuf::from(log)].map(|file| {
            let found = fs::metadata(file).ok()?;
            Some((found.len(), found.modified().ok()?))
        }))
    }
}

/// Why waiting ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    /// The server's log has grown.
    Grown,
    /// Something was written here.
    Written,
    Events,
    Asked,
}

/// A server's events, read by a thread of their own: a read that waits is ended by nothing but the server, or the process.
struct Feed {
    events: Receiver<Event>,
    begun: Instant,
    alive: Instant,
    /// The last size that was said.
    promised: u64,
}

impl Feed {
    fn of(reply: SyncFeedReply) -> Result<Self, SessionError> {
        let events = Events::follow(&ServerUrl::parse(&reply.url)?, &reply.token)?;
        // One that nobody takes yet holds the next back; sizes in between may be left out.
        let (sender, receiver) = sync_channel(1);
        std::thread::spawn(move || pass_on(events, &sender));
        let now = Instant::now();
        Ok(Self {
            events: receiver,
            begun: now,
            alive: now,
            promised: 0,
        })
    }

    /// Waits until the log is longer than `size`, or something `was_written` here, or nothing more comes.
    fn wait(&mut self, size: u64, watch: &Watch, was_written: impl Fn() -> bool) -> Ended {
        loop {
            if watch.task().cancel.is_cancelled() {
                return Ended::Asked;
            }
            match self.events.recv_timeout(LOOK) {
                Ok(event) => {
                    self.alive = Instant::now();
                    if let Event::Size(now) = event {
                        self.promised = now;
                        if now > size {
                            return Ended::Grown;
                        }
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Ended::Events,
                Err(RecvTimeoutError::Timeout) if self.alive.elapsed() > SILENCE => return Ended::Events,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if was_written() {
                return Ended::Written;
            }
        }
    }
}

fn pass_on(events: Events, to: &SyncSender<Event>) {
    for event in events {
        let Ok(event) = event else { return };
        if to.send(event).is_err() {
            return;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_begin_anew() {
        let mut pause = Pause::default();
        let long: Vec<_> = (0..9).map(|_| pause.longer().as_secs()).collect();
        assert_eq!(long, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        pause.ended();
        assert!(pause.is_first());
        assert_eq!(pause.longer().as_secs(), 1);
    }

    #[test]
    fn what_is_written_to_the_store_or_its_log_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("vault.db");
        let mut seen = vec![Written::of(&store)];
        for file in ["vault.db", "vault.db-wal"] {
            fs::write(folder.path().join(file), "something").unwrap();
            seen.push(Written::of(&store));
        }
        fs::write(folder.path().join("vault.db-wal"), "something else").unwrap();
        seen.push(Written::of(&store));
        assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "{seen:?}");
        assert_eq!(Written::of(&store), seen[3]);
    }
}
