//! Room for what streams hold: the bytes that peers send, and what works on them, are counted over all of them.
//!
//! ```text
//! stream ─ enter: a place ─> keep: more, as an import reads on ─> ends: all of it is given back
//!             └─ no room: waits, holding no session          └─ no room: one goes on beyond it, others wait for that one
//! ```
//!
//! One of any size is taken, and several never grow together. Nobody waits in a circle: the one that goes on beyond the
//! limit waits for nobody but its peer, and whose peer is silent for too long while others wait is cut off.

use super::frame;
use crate::session::Cancel;
use std::collections::HashMap;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of all streams together, but for one that alone is larger.
    pub(super) all: u64,
    /// Bytes of a stream's place: what reading, sealing and sending hold whatever goes through.
    pub(super) place: u64,
    /// So long a peer may be silent where others wait for its room.
    pub(super) silence: Duration,
}

/// The room of all streams.
pub(super) struct Room {
    limits: Limits,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    taken: u64,
    next: u64,
    held: HashMap<u64, Held>,
    /// Who goes on beyond the limit.
    beyond: Option<u64>,
    wanting: usize,
    closed: bool,
}

struct Held {
    stream: UnixStream,
    taken: u64,
    kept: u64,
    /// Since when it waits for its peer, and which way.
    waits: Option<(Instant, Shutdown)>,
    cut: bool,
}

/// A stream's part of the room, given back when it is dropped.
pub(super) struct Place<'r> {
    room: &'r Room,
    id: u64,
}

impl Room {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Gives a stream its place, waiting until there is one.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] where it is cancelled before, or the room is closed.
    pub(super) fn enter(&self, stream: &UnixStream, cancel: &Cancel) -> io::Result<Place<'_>> {
        let stream = stream.try_clone()?;
        let Limits { all, place, .. } = self.limits;
        let mut state = self.wait(cancel, |state| state.held.is_empty() || state.taken + place <= all)?;
        state.taken += place;
        state.next += 1;
        let id = state.next;
        let held = Held {
            stream,
            taken: place,
            kept: 0,
            waits: None,
            cut: false,
        };
        state.held.insert(id, held);
        Ok(Place { room: self, id })
    }

    /// Ends every wait: of those in the room for their peers, and of those for the room.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for held in state.held.values_mut() {
            held.end_wait();
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until every stream has given its place back, or as long as that may take.
    pub(super) fn wait_until_empty(&self, within: Duration) {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), within, |state| !state.held.is_empty());
        drop(waited);
    }

    /// Has those that wait look whether they are cancelled.
    pub(super) fn look(&self) {
        // Whoever looked before the lock was taken waits by now, and is woken.
        drop(self.lock());
        self.changed.notify_all();
    }

    fn wait(&self, cancel: &Cancel, mut fits: impl FnMut(&mut State) -> bool) -> io::Result<MutexGuard<'_, State>> {
        let began = Instant::now();
        let mut state = self.lock();
        state.wanting += 1;
        let fitted = loop {
            if state.closed || cancel.is_cancelled() {
                break Err(io::Error::from(io::ErrorKind::Interrupted));
            }
            if fits(&mut state) {
                break Ok(());
            }
            let wait = state.cut_off(began, self.limits.silence);
            state = match wait {
                Some(wait) => {
                    let waited = self.changed.wait_timeout(state, wait);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        };
        state.wanting -= 1;
        fitted.map(|()| state)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_room(&self, id: u64, bytes: usize, all: u64) -> bool {
        let more = self.held.get(&id).map_or(0, |held| held.more(bytes));
        more == 0 || self.beyond == Some(id) || self.taken.saturating_add(more) <= all
    }

    fn keep(&mut self, id: u64, bytes: usize) {
        if let Some(held) = self.held.get_mut(&id) {
            let more = held.more(bytes);
            held.kept = held.kept.saturating_add(bytes as u64);
            held.taken += more;
            self.taken += more;
        }
    }

    /// Cuts off the largest of those that were silent for too long; returns when to look again.
    fn cut_off(&mut self, began: Instant, silence: Duration) -> Option<Duration> {
        if self.held.values().any(|held| held.cut) {
            // It gives back what it has, and that is looked at first.
            return None;
        }
        let now = Instant::now();
        let silent = |held: &Held| held.waits.map(|(since, _)| since.max(began) + silence);
        let due = self
            .held
            .values_mut()
            .filter(|held| silent(held).is_some_and(|until| until <= now));
        if let Some(largest) = due.max_by_key(|held| held.taken) {
            largest.cut = true;
            largest.end_wait();
            return None;
        }
        let next = self.held.values().filter_map(silent).min();
        next.map(|next| next.saturating_duration_since(now))
    }
}

impl Held {
    /// Returns how much it takes beyond what it has, to keep so many bytes more.
    fn more(&self, bytes: usize) -> u64 {
        self.kept.saturating_add(bytes as u64).saturating_sub(self.taken)
    }

    /// Ends its wait for its peer, if it waits.
    fn end_wait(&mut self) {
        if let Some((_, how)) = self.waits.take() {
            // A connection that is gone has ended it already.
            let _ = self.stream.shutdown(how);
        }
    }
}

impl Place<'_> {
    /// Counts bytes that are kept from here on; waits for room where there is none.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] where it is cancelled before, or the room is closed.
    pub(super) fn keep(&self, bytes: usize, cancel: &Cancel) -> io::Result<()> {
        let all = self.room.limits.all;
        let mut state = self.room.wait(cancel, |state| {
            state.has_room(self.id, bytes, all) || *state.beyond.get_or_insert(self.id) == self.id
        })?;
        state.keep(self.id, bytes);
        Ok(())
    }

    /// Counts bytes that are kept from here on, where there is room; tells whether there was.
    pub(super) fn try_keep(&self, bytes: usize) -> bool {
        let mut state = self.room.lock();
        let has_room = state.has_room(self.id, bytes, self.room.limits.all);
        if has_room {
            state.keep(self.id, bytes);
        }
        has_room
    }

    /// Waits for the peer in `wait`, which a shutdown of its stream ends; that is done where the room is closed.
    pub(super) fn wait_for_peer<T>(&self, how: Shutdown, wait: impl FnOnce() -> T) -> T {
        self.mark(Some((Instant::now(), how)));
        let waited = wait();
        self.mark(None);
        waited
    }

    /// Tells whether its peer was silent for too long.
    pub(super) fn is_cut(&self) -> bool {
        self.room.lock().held.get(&self.id).is_some_and(|held| held.cut)
    }

    fn mark(&self, waits: Option<(Instant, Shutdown)>) {
        let mut state = self.room.lock();
        let closed = state.closed;
        if let Some(held) = state.held.get_mut(&self.id) {
            held.waits = waits;
            if closed || held.cut {
                held.end_wait();
            }
        }
        // Whoever waits for room counts from now.
        let is_wanted = state.wanting > 0;
        drop(state);
        if is_wanted {
            self.room.changed.notify_all();
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.room.lock();
        if let Some(held) = state.held.remove(&self.id) {
            state.taken -= held.taken;
        }
        if state.beyond == Some(self.id) {
            state.beyond = None;
        }
        drop(state);
        self.room.changed.notify_all();
    }
}

/// Most bytes of all asks that come in parts, from their first part until they are answered: four of the longest.
const ASKS: u64 = 4 * frame::ASK_BYTES as u64;

/// The bytes of all asks that came in parts; the first frame of each is not counted, for connections are few.
#[derive(Default)]
pub(super) struct Asks(Mutex<u64>);

/// One ask's bytes, given back when it is answered.
pub(super) struct Asked<'a> {
    all: &'a Asks,
    bytes: u64,
}

impl<'a> Asked<'a> {
    pub(super) fn begin(all: &'a Asks) -> Self {
        Self { all, bytes: 0 }
    }

    /// Counts a part; tells whether there was room for it.
    pub(super) fn more(&mut self, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(more) = all.checked_add(bytes).filter(|more| *more <= ASKS) else {
            return false;
        };
        *all = more;
        self.bytes += bytes;
        true
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        *self.all.0.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::sync::mpsc::channel;

    const HOUR: Duration = Duration::from_secs(3600);

    fn room(silence: Duration) -> Room {
        Room::new(Limits {
            all: 100,
            place: 20,
            silence,
        })
    }

    fn pair() -> (UnixStream, UnixStream) {
        UnixStream::pair().unwrap()
    }

    /// Returns when as many wait for room.
    fn until_wanting(room: &Room, count: usize) {
        while room.lock().wanting < count {
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_goes_on_beyond_the_limit_and_others_wait_for_it() {
        let (room, cancel, (_peer, own)) = (room(HOUR), Cancel::default(), pair());
        let places: Vec<Place<'_>> = (0..3).map(|_| room.enter(&own, &cancel).unwrap()).collect();
        assert_eq!(room.lock().taken, 60);
        // What is within a place, or within the limit, waits for nobody.
        assert!(places[0].try_keep(20) && places[0].try_keep(40));
        assert_eq!(room.lock().taken, 100);
        assert!(!places[0].try_keep(1));
        places[0].keep(1000, &cancel).unwrap();
        assert_eq!(room.lock().taken, 1100);
        assert!(places[1].try_keep(20) && !places[1].try_keep(1));
        std::thread::scope(|scope| {
            let (tell, told) = channel();
            let [first, second, third] = <[Place<'_>; 3]>::try_from(places).ok().unwrap();
            let (room, cancel, own) = (&room, &cancel, &own);
            for place in [second, third] {
                let tell = tell.clone();
                scope.spawn(move || {
                    place.keep(200, cancel).unwrap();
                    // One after the other: both together are more than the limit.
                    tell.send(room.lock().taken).unwrap();
                    drop(place);
                });
            }
            let tell_entered = tell.clone();
            scope.spawn(move || {
                let place = room.enter(own, cancel).unwrap();
                tell_entered.send(0).unwrap();
                drop(place);
            });
            until_wanting(room, 3);
            assert!(told.try_recv().is_err());
            drop(first);
            let mut all: Vec<u64> = (0..3).map(|_| told.recv().unwrap()).collect();
            all.sort();
            assert_eq!(all[0], 0);
            assert!(all[2] <= 240 + 20, "{all:?}");
        });
        assert_eq!(room.lock().taken, 0);
        assert_eq!(room.lock().beyond, None);
    }

    #[test]
    fn the_largest_of_those_who_are_silent_is_cut_off_where_others_wait_and_no_other() {
        let (room, cancel) = (room(Duration::from_millis(20)), Cancel::default());
        std::thread::scope(|scope| {
            let (room, cancel) = (&room, &cancel);
            let (tell, told) = channel();
            let (mut ends, mut peers) = (Vec::new(), Vec::new());
            for kept in [20, 60] {
                let ((peer, mut own), tell) = (pair(), tell.clone());
                ends.push(own.try_clone().unwrap());
                peers.push(peer);
                scope.spawn(move || {
                    let place = room.enter(&own, cancel).unwrap();
                    assert!(place.try_keep(kept));
                    let read = place.wait_for_peer(Shutdown::Read, || own.read(&mut [0]).unwrap());
                    tell.send((kept, read, place.is_cut())).unwrap();
                });
            }
            // Both wait for their peers: nobody wants their room, and they may.
            while room.lock().held.values().filter(|held| held.waits.is_some()).count() < 2 {
                std::thread::yield_now();
            }
            let (_peer, own) = pair();
            let third = room.enter(&own, cancel).unwrap();
            assert!(told.try_recv().is_err());
            let fourth = room.enter(&own, cancel).unwrap();
            assert_eq!(told.recv().unwrap(), (60, 0, true));
            assert!(told.try_recv().is_err());
            drop((third, fourth));
            // The other one is there still, and ends as its peer does.
            peers.remove(0);
            assert_eq!(told.recv().unwrap(), (20, 0, false));
        });
        assert_eq!(room.lock().taken, 0);
    }

    #[test]
    fn who_waits_is_woken_where_it_is_cancelled_and_where_the_room_is_closed() {
        let (room, (_peer, own)) = (room(HOUR), pair());
        let all: Vec<Place<'_>> = (0..5).map(|_| room.enter(&own, &Cancel::default()).unwrap()).collect();
        let (one, other) = (Cancel::default(), Cancel::default());
        std::thread::scope(|scope| {
            let (room, own, one, other) = (&room, &own, &one, &other);
            let first = scope.spawn(move || room.enter(own, one).map(drop));
            until_wanting(room, 1);
            one.cancel();
            room.look();
            assert_eq!(first.join().unwrap().unwrap_err().kind(), io::ErrorKind::Interrupted);
            let second = scope.spawn(move || room.enter(own, other).map(drop));
            let (_stays, mut open) = pair();
            drop(all);
            let place = room.enter(&open, other).unwrap();
            let waiting = scope.spawn(move || {
                let read = place.wait_for_peer(Shutdown::Read, || open.read(&mut [0]).unwrap());
                // And whoever begins to wait after it does not.
                let again = place.wait_for_peer(Shutdown::Read, || open.read(&mut [0]).unwrap());
                (read, again)
            });
            second.join().unwrap().unwrap();
            room.close();
            assert_eq!(waiting.join().unwrap(), (0, 0));
            assert!(room.enter(own, other).is_err());
        });
    }

    #[test]
    fn asks_in_parts_are_taken_up_to_their_limit() {
        let asks = Asks::default();
        let mut all: Vec<Asked<'_>> = (0..5).map(|_| Asked::begin(&asks)).collect();
        assert!(all[..4].iter_mut().all(|asked| asked.more(frame::ASK_BYTES)));
        assert!(!all[4].more(1));
        all.remove(0);
        assert!(all[3].more(frame::ASK_BYTES) && !all[3].more(1));
        drop(all);
        assert_eq!(*asks.0.lock().unwrap(), 0);
    }
}
