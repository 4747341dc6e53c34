//! Seeded histories: devices that write apart, over a network that loses, repeats, delays and cuts off, arrive at one log.
//!
//! The number of a history is its seed, and gives the same one everywhere. `CASEVAULT_HISTORIES=N` runs so many, from
//! `CASEVAULT_HISTORIES_FROM` on: the long run takes 100,000.

use super::*;
use crate::forge::Seeded;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// So many where nobody asks for another number.
const HISTORIES: u64 = 1_000;

/// Most answers of one meeting that came to its end: far more than the longest history needs.
const ANSWERS: usize = 10_000;

fn up_to(dice: &mut Seeded, most: usize) -> usize {
    usize::try_from(dice.roll(most as u64 + 1)).unwrap()
}

/// What somebody wrote: its number stands in the link, whichever link it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item(u64);

impl Item {
    fn of(link: &UnverifiedLink) -> Self {
        let DeviceId(bytes) = link.link().device;
        Self(u64::from_be_bytes(bytes[8..].try_into().unwrap()))
    }

    fn marker(self) -> DeviceId {
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&self.0.to_be_bytes());
        DeviceId(bytes)
    }
}

/// Links on their way to the server: stream, number of the link in it, the link.
type Batch = Vec<(StreamId, u64, UnverifiedLink)>;

/// What became of an append.
enum Answered {
    Stored(Vec<u64>),
    Conflict,
}

/// An honest server: links that follow are stored, those that are stored already are found again, and where one does not
/// follow nothing of the rest is tried.
fn append_all(server: &mut Served, batch: &Batch) -> Answered {
    let mut leaves = Vec::new();
    for (stream, seq, link) in batch {
        let links = server.chains.get(stream).map_or(&[][..], Vec::as_slice);
        let there = usize::try_from(*seq).ok().and_then(|seq| links.get(seq));
        let head = links.last().map_or(LinkId::ZERO, |(_, id, _)| *id);
        match there {
            Some((leaf, id, _)) if *id == link.id() => leaves.push(*leaf),
            None if *seq == links.len() as u64 && link.link().previous == head => {
                leaves.push(server.entries.len() as u64);
                let parcel = parcel::pack(link, Vec::new(), Vec::new()).unwrap();
                server.push(*stream, link.id(), parcel);
            }
            _ => return Answered::Conflict,
        }
    }
    Answered::Stored(leaves)
}

/// A device with what it wrote and did not send.
struct Writer {
    device: Device,
    outbox: VecDeque<(StreamId, Item)>,
    /// What was linked, and offered or not, by link.
    offered: BTreeMap<LinkId, Item>,
    /// Does not look whether what comes is its own: the checker must notice.
    is_careless: bool,
}

impl Writer {
    fn new(is_careless: bool) -> Self {
        Self {
            device: Device::new(),
            outbox: VecDeque::new(),
            offered: BTreeMap::new(),
            is_careless,
        }
    }

    /// Takes in what is new; what comes of one's own was stored, though nobody heard of it.
    fn pull(&mut self, steps: usize, server: &Served) -> bool {
        let pulled = self.device.pull(steps, None, &mut |request| server.answer(request));
        let came: BTreeSet<LinkId> = self.device.links.values().flatten().copied().collect();
        let back: BTreeSet<Item> = self
            .offered
            .iter()
            .filter(|(link, _)| came.contains(link))
            .map(|(_, item)| *item)
            .collect();
        if !self.is_careless {
            self.outbox.retain(|(_, item)| !back.contains(item));
        }
        pulled.unwrap()
    }

    /// Links the first of what waits behind what is here.
    fn link(&mut self, most: usize) -> Batch {
        let mut heads: BTreeMap<StreamId, Chain> = BTreeMap::new();
        let mut batch = Vec::new();
        for (stream, item) in self.outbox.iter().take(most) {
            let links = self.device.links.get(stream).map_or(&[][..], Vec::as_slice);
            let chain = heads.entry(*stream).or_insert_with(|| match links.last() {
                Some(id) => Chain::at(AGENCY, *stream, links.len() as u64 - 1, *id),
                None => Chain::empty(AGENCY, *stream),
            });
            let body = LinkBody::Event(PlacedEvent {
                event: Event::Relation,
                sealed: Vec::new(),
            });
            let link = chain.append(LinkId::ZERO, item.marker(), body).unwrap();
            let link = link.sign(&key()).into_unverified();
            self.offered.insert(link.id(), *item);
            batch.push((*stream, link.link().seq, link));
        }
        batch
    }

    /// Believes what was stored once it is proved, with answers that are cut off after `steps`.
    fn believe(&mut self, batch: &Batch, leaves: Vec<u64>, steps: usize, server: &Served) {
        let entries = batch
            .iter()
            .map(|(stream, seq, link)| Entry::of(*stream, *seq, link.id()));
        let stored: Vec<_> = leaves.iter().copied().zip(entries).collect();
        let before = self.device.follower.size();
        let new = leaves.iter().filter(|leaf| **leaf >= before).count();
        let mut push = Push::prove(log(), self.device.follower.clone(), &server.note(), stored).unwrap();
        let mut left = steps;
        while let Some(request) = push.ask().unwrap() {
            left = match left.checked_sub(1) {
                Some(left) => left,
                None => return,
            };
            push.take(&server.answer(request)).unwrap();
        }
        let (follower, entries) = push.finish().unwrap();
        for ((stream, seq, link), leaf) in batch.iter().zip(&leaves) {
            assert_eq!(
                server.entries[usize::try_from(*leaf).unwrap()],
                Entry::of(*stream, *seq, link.id())
            );
            let links = self.device.links.entry(*stream).or_default();
            assert_eq!(links.len() as u64, *seq);
            links.push(link.id());
            let sent = self.outbox.pop_front();
            assert_eq!(sent, Some((*stream, Item::of(link))));
        }
        // What others wrote in between is still to be taken in.
        if entries.len() == new {
            let agency = batch.iter().zip(&leaves).filter(|((of, ..), _)| *of == stream(0));
            self.device
                .agency_leaves
                .extend(agency.map(|(_, leaf)| *leaf).filter(|leaf| *leaf >= before));
            self.device.follower = follower;
            for (stream, links) in &self.device.links {
                self.device.followed.insert(*stream, links.len() as u64);
            }
        }
    }

    /// Pulls and sends over a network that keeps what it gets.
    fn meet(&mut self, server: &mut Served) {
        while {
            assert!(self.pull(ANSWERS, server));
            !self.outbox.is_empty()
        } {
            let batch = self.link(usize::MAX);
            match append_all(server, &batch) {
                Answered::Stored(leaves) => self.believe(&batch, leaves, ANSWERS, server),
                Answered::Conflict => panic!("nobody else writes"),
            }
        }
    }
}

/// One history: what was written, and by whom, in order.
struct History {
    server: Served,
    writers: Vec<Writer>,
    written: Vec<(usize, StreamId, Item)>,
    /// Appends that are still on their way, and nobody waits for.
    flying: Vec<Batch>,
}

impl History {
    fn begin(dice: &mut Seeded, is_careless: bool) -> Self {
        let mut server = Served::new(AGENCY, LOG, up_to(dice, 5) + 1);
        append(&mut server, 0, 255);
        let writers = (0..up_to(dice, 2) + 2).map(|_| Writer::new(is_careless)).collect();
        Self {
            server,
            writers,
            written: Vec::new(),
            flying: Vec::new(),
        }
    }

    fn step(&mut self, dice: &mut Seeded) {
        let which = up_to(dice, self.writers.len() - 1);
        let writer = &mut self.writers[which];
        match dice.roll(8) {
            0..=2 => {
                let of = stream(u8::try_from(dice.roll(4)).unwrap());
                let item = Item(self.written.len() as u64 + 1);
                writer.outbox.push_back((of, item));
                self.written.push((which, of, item));
            }
            // Cut off anywhere, or not.
            3 | 4 => drop(writer.pull(up_to(dice, 12), &self.server)),
            5 | 6 => self.send(which, dice),
            // What was given up arrives after all, perhaps twice.
            _ if self.flying.is_empty() => {}
            _ => {
                let at = up_to(dice, self.flying.len() - 1);
                append_all(&mut self.server, &self.flying[at]);
                if dice.roll(2) == 0 {
                    self.flying.remove(at);
                }
            }
        }
    }

    fn send(&mut self, which: usize, dice: &mut Seeded) {
        let writer = &mut self.writers[which];
        let batch = writer.link(up_to(dice, 3) + 1);
        if batch.is_empty() {
            return;
        }
        let fate = dice.roll(6);
        if fate == 0 {
            // Lost, or late.
            self.flying.push(batch);
            return;
        }
        if fate == 1 {
            append_all(&mut self.server, &batch);
        }
        let answered = append_all(&mut self.server, &batch);
        match answered {
            // The answer is lost.
            _ if fate == 2 => {}
            Answered::Conflict => {}
            Answered::Stored(leaves) => {
                // Others may write before the checkpoint is asked for.
                if fate == 3 && !self.flying.is_empty() {
                    append_all(&mut self.server, &self.flying[0]);
                }
                self.writers[which].believe(&batch, leaves, up_to(dice, 12), &self.server);
            }
        }
    }

    /// Lets everybody meet, and checks: nothing is lost, nothing is there twice, all have the same, in an order that holds.
    fn end(mut self) {
        for _ in 0..2 {
            self.writers.iter_mut().for_each(|writer| writer.meet(&mut self.server));
        }
        let mut places: BTreeMap<Item, (StreamId, u64)> = BTreeMap::new();
        for (stream, links) in &self.server.chains {
            for (seq, (_, _, parcel)) in (0..).zip(links) {
                let opened = crate::parcel::OpenParcel::open(parcel.clone()).unwrap();
                let item = Item::of(opened.link());
                let twice = places.insert(item, (*stream, seq));
                assert!(twice.is_none(), "{item:?} is there twice");
            }
        }
        // The first link of all is nobody's.
        assert_eq!(places.len(), self.written.len() + 1);
        let mut last: BTreeMap<(usize, StreamId), u64> = BTreeMap::new();
        for (who, stream, item) in &self.written {
            let (of, seq) = places[item];
            assert_eq!(of, *stream);
            let before = last.insert((*who, of), seq);
            assert!(before.is_none_or(|before| before < seq), "{item:?} overtook");
        }
        for writer in &self.writers {
            assert!(writer.outbox.is_empty());
            agree(&writer.device, &self.server, None);
        }
    }
}

fn run(seed: u64, is_careless: bool) {
    let mut dice = Seeded::new(seed);
    let mut history = History::begin(&mut dice, is_careless);
    for _ in 0..up_to(&mut dice, 40) + 10 {
        history.step(&mut dice);
    }
    history.end();
}

fn number(name: &str) -> Option<u64> {
    let said = std::env::var(name).ok()?;
    Some(said.parse().unwrap_or_else(|_| panic!("{name}={said} is no number")))
}

#[test]
fn whatever_happens_on_the_way_all_devices_arrive_at_one_log_with_everything_once() {
    let first = number("CASEVAULT_HISTORIES_FROM").unwrap_or(0);
    let end = first + number("CASEVAULT_HISTORIES").unwrap_or(HISTORIES);
    let next = AtomicU64::new(first);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let failed: Vec<u64> = std::thread::scope(|scope| {
        let work = || {
            let mut failed = None;
            while failed.is_none() {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= end {
                    break;
                }
                if catch_unwind(AssertUnwindSafe(|| run(seed, false))).is_err() {
                    failed = Some(seed);
                }
            }
            failed
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().filter_map(|one| one.join().unwrap()).collect()
    });
    assert!(
        failed.is_empty(),
        "{failed:?}: run again with CASEVAULT_HISTORIES_FROM=one of these and CASEVAULT_HISTORIES=1"
    );
}

/// The checker notices devices that send again what was stored already.
#[test]
fn a_device_that_does_not_know_its_own_links_again_is_found_out() {
    let found = (0..50).filter(|seed| catch_unwind(AssertUnwindSafe(|| run(*seed, true))).is_err());
    assert!(found.count() > 0);
}
