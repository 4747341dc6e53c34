//! Taking in what others wrote.
//!
//! The tags of the entries that are new say which links of which of my streams must come, before a single one is asked for:
//! what is then missing is withheld, and what is other is refused. The agency's links come first; every other comes with its
//! position, the last agency link below its own leaf, as of which its rights are judged (`docs/format.md` §7). So the order of
//! streams means nothing, and they come one after the other.

use super::Fault;
use super::LogOf;
use super::Request;
use super::advance::Advance;
use super::advance::Missing;
use super::advance::Tiles;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::guard;
use crate::guard::Guard;
use crate::id::LinkId;
use crate::id::RecordHash;
use crate::parcel;
use crate::parcel::OpenParcel;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::entry::Entry;
use crate::tlog::entry::Tag;
use crate::tlog::follow::Follower;
use crate::tlog::proof;
use crate::tlog::tile;
use crate::tlog::tile::Edge;
use crate::tlog::tile::Tile;
use crate::tlog::tree;
use crate::tlog::tree::Hash;
use crate::tlog::twice::ProvedLeaf;
use crate::tlog::twice::Twice;
use crate::wire;
use crate::wire::v1::limit;
use crate::wire::v1::link::Seen;
use crate::wire::v1::stream::StreamId;
use crate::wire::v1::stream::StreamKind;
use crate::wire::v1::sync::ListedStream;
use crate::wire::v1::sync::StreamList;
use crate::wire::v1::sync::StreamPage;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::VecDeque;

/// Links of a stream beyond the checkpoint that are looked past: more than come while one is followed.
const MOST_BEYOND: u64 = 1 << 16;

/// A link that came and is the one that the log has at its leaf; nothing else of it is checked.
#[derive(Clone)]
pub struct Pulled {
    /// Its leaf.
    pub leaf: u64,
    /// The sequence number of the agency's last link below its leaf; of an agency's link, its own.
    pub position: u64,
    /// It, with everything that it names.
    pub parcel: OpenParcel,
}

impl Pulled {
    /// Returns what its author had seen of the log, if that is more than is below its leaf: it was made behind another log.
    pub fn ahead(&self) -> Option<Seen> {
        self.parcel.link().link().seen.filter(|seen| seen.size > self.leaf)
    }
}

/// How far a stream is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How many of its links are below the leaves that were followed.
    pub followed: u64,
    /// How many are here: more than those, where a run was cut off.
    pub here: u64,
    /// Whether this member's access ended with the last of them: no more is wanted until the server lists it again.
    pub left: bool,
    /// The number of the last link that the log is known to have of a stream that was held back ([`Step::Behind`]): what is
    /// missing up to there is asked for again, although nothing of it is new.
    pub behind: Option<u64>,
}

/// What a machine wants next.
pub enum Step {
    /// An answer of the server, for [`Pull::take`].
    Ask(Request),
    /// These links to be judged and stored, in this order, before anything else is asked.
    Take(Vec<Pulled>),
    /// To be told whether this member's access to a stream ended with what was handed over of it, for [`Pull::leave`]: the
    /// server has no more of it, and the log has. Otherwise it is withheld.
    Ends {
        /// The stream.
        stream: StreamId,
        /// The sequence number of the link that does not come.
        seq: u64,
        /// That of the last link that the log is known to have of it.
        until: u64,
        /// Its last links, to be stored if access ended with them and not otherwise: some have come without bytes, and the
        /// erasure may be beyond what is shown.
        last: Vec<Pulled>,
    },
    /// To note that a stream is held back: the bytes of a record were not delivered, and no erasure, as far as the log was
    /// followed, names it. Nothing of it from that link on is handed over; what came before is, and the other streams go on.
    Behind(Behind),
    /// Nothing: all is here.
    Done,
}

/// A stream that is held back.
pub struct Behind {
    /// The stream.
    pub stream: StreamId,
    /// The number of the first link that places such a record.
    pub seq: u64,
    /// The number of the last link that the log is known to have of it.
    pub until: u64,
    /// What came of it before that link, to be taken.
    pub before: Vec<Pulled>,
    /// What came of it from that link on, up to the last: to be taken only if this member's access ended with that.
    pub rest: Vec<Pulled>,
}

/// Takes in what is new.
pub struct Pull {
    log: LogOf,
    held: BTreeMap<StreamId, Held>,
    agency_leaves: Vec<u64>,
    wants: Box<dyn Fn(StreamId) -> bool + Send>,
    paper: Option<Checkpoint>,
    state: State,
}

#[allow(clippy::large_enum_variant, reason = "there is one of it at a time")]
enum State {
    Asking(Follower),
    Advancing { before: Checkpoint, advance: Advance },
    Convicting(Convicting),
    Listing(Arrived),
    Scanning { arrived: Arrived, plan: Plan, scan: Scan },
    Paging { arrived: Arrived, plan: Plan },
    Done(Follower),
    Broken,
}

/// Where the log is now, with the entries that are new by their tags.
struct Arrived {
    before: u64,
    /// The root of the leaves before.
    root: Hash,
    follower: Follower,
    leaves: HashMap<Tag, (u64, LinkId)>,
}

/// What must come of a stream.
struct Due {
    stream: StreamId,
    /// Leaf, sequence number, link; by sequence number.
    links: VecDeque<(u64, u64, LinkId)>,
    /// Where the next page begins, of a stream of which links are still to come from below what was followed.
    older: Option<u64>,
    /// The number of a link that the log has, up to which at least such a stream goes.
    until: Option<u64>,
    /// Whether it was held back before: its links are at leaves that were followed then, and are looked for there again.
    again: bool,
    /// The leaf of the last link that came of those that are proved one by one.
    after: Option<u64>,
}

#[derive(Default)]
struct Plan {
    /// The agency's own first.
    due: VecDeque<Due>,
    /// What came and is to be taken, once an erasure names everything of it that came without its bytes.
    ready: Vec<Pulled>,
    /// Records of the first that is due whose bytes did not come, by the links that placed them.
    absent: BTreeMap<RecordHash, u64>,
    /// A page whose older links are being proved.
    proving: Option<(StreamPage, Tiles)>,
    /// Where the server has no more of the first that is due, and how far the log is known to go.
    ends: Option<(StreamId, u64, u64)>,
}

impl Pull {
    /// Begins where `follower` is; `held` are the streams that are here, `agency_leaves` the leaves of the agency's links
    /// that are below, `wants` says which other streams to take.
    pub fn begin(
        log: LogOf,
        follower: Follower,
        held: BTreeMap<StreamId, Held>,
        agency_leaves: Vec<u64>,
        wants: Box<dyn Fn(StreamId) -> bool + Send>,
    ) -> Self {
        Self {
            log,
            held,
            agency_leaves,
            wants,
            paper: None,
            state: State::Asking(follower),
        }
    }

    /// Refuses a log that does not continue the tree on an enrolment sheet, for a device that begins with the empty log.
    pub fn continuing(self, paper: Checkpoint) -> Self {
        let paper = Some(paper);
        Self { paper, ..self }
    }

    /// Returns the checkpoint that was arrived at, before any link below it is handed over.
    pub fn arrived(&self) -> Option<Seen> {
        match &self.state {
            State::Listing(arrived) | State::Scanning { arrived, .. } | State::Paging { arrived, .. } => {
                arrived.follower.seen()
            }
            State::Done(follower) => follower.seen(),
            State::Asking(_) | State::Advancing { .. } | State::Convicting(_) | State::Broken => None,
        }
    }

    /// Returns how many links are still to come, once that is known.
    pub fn left(&self) -> u64 {
        match &self.state {
            State::Paging { plan, .. } => plan.due.iter().map(|due| due.links.len() as u64).sum(),
            _ => 0,
        }
    }

    /// Returns the leaves of the agency's links, as far as they are known now.
    pub fn agency_leaves(&self) -> &[u64] {
        &self.agency_leaves
    }

    /// Returns what is wanted next.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn step(&mut self) -> Result<Step, Fault> {
        match &mut self.state {
            State::Asking(_) => Ok(Step::Ask(Request::Checkpoint)),
            State::Advancing { advance, .. } => match advance.ask()? {
                Some(request) => Ok(Step::Ask(request)),
                None => {
                    self.arrive()?;
                    self.step()
                }
            },
            State::Convicting(convicting) => match convicting.step() {
                Ok(step) => Ok(step),
                Err(fault) => {
                    self.state = State::Broken;
                    Err(fault)
                }
            },
            State::Scanning { scan, .. } => Ok(Step::Ask(Request::Entries(scan.bundle()?))),
            State::Listing(arrived) => Ok(Step::Ask(Request::Streams { after: arrived.before })),
            State::Paging { plan, .. } => {
                let step = match plan.step() {
                    Ok(step) => step,
                    Err(fault) => {
                        self.state = State::Broken;
                        return Err(fault);
                    }
                };
                if matches!(step, Step::Done)
                    && let State::Paging { arrived, .. } = std::mem::replace(&mut self.state, State::Broken)
                {
                    self.state = State::Done(arrived.follower);
                }
                Ok(step)
            }
            State::Done(_) => Ok(Step::Done),
            State::Broken => Err(Check::LogConsistency.into()),
        }
    }

    /// Tells whether the stream of [`Step::Ends`] was held back before: it stays so, if access has not ended.
    pub fn is_held_back(&self) -> bool {
        match &self.state {
            State::Paging { plan, .. } => plan.due.front().is_some_and(|due| due.again),
            _ => false,
        }
    }

    /// Goes on without the stream of [`Step::Ends`].
    pub fn leave(&mut self) {
        if let State::Paging { plan, .. } = &mut self.state
            && plan.ends.take().is_some()
        {
            plan.due.pop_front();
        }
    }

    /// Returns what is known to be wrong already, while more is asked only to show it to others.
    pub fn doubt(&self) -> Option<Fault> {
        match &self.state {
            State::Advancing { advance, .. } => advance.doubt(),
            State::Convicting(_) => Some(Check::LogTwice.into()),
            _ => None,
        }
    }

    /// Takes what came.
    ///
    /// # Errors
    /// [`Fault`]: nothing more is handed over then.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let taken = self.take_in(bytes);
        if taken.is_err() {
            self.state = State::Broken;
        }
        taken
    }

    /// Returns what is verified of the log, once all is here.
    ///
    /// # Errors
    /// [`Check::LogConsistency`] before that.
    pub fn finish(self) -> Result<Follower, Fault> {
        match self.state {
            State::Done(follower) => Ok(follower),
            _ => Err(Check::LogConsistency.into()),
        }
    }

    fn take_in(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match &mut self.state {
            State::Asking(follower) => {
                let before = follower.checkpoint();
                let advance = Advance::begin(self.log.clone(), follower.clone(), bytes)?;
                self.state = State::Advancing { before, advance };
                Ok(())
            }
            State::Advancing { advance, .. } => advance.take(bytes),
            State::Listing(_) => {
                let listed: StreamList = wire::decode(bytes, limit::APPEND)?;
                let State::Listing(arrived) = std::mem::replace(&mut self.state, State::Broken) else {
                    return Ok(());
                };
                let plan = self.plan(&arrived, &listed)?;
                let scan = Scan::of(&plan, &arrived)?;
                self.state = match scan.is_needed() {
                    true => State::Scanning { arrived, plan, scan },
                    false => State::Paging { arrived, plan },
                };
                Ok(())
            }
            State::Convicting(convicting) => {
                // A server that shows no tiles of it is refused for what it said first.
                let taken = convicting.tiles.take(bytes);
                taken.map_err(|_| Check::LogTwice.into())
            }
            State::Scanning { scan, .. } => {
                scan.take(bytes)?;
                if scan.is_done()
                    && let State::Scanning { arrived, plan, scan } = std::mem::replace(&mut self.state, State::Broken)
                {
                    self.state = scan.finish(arrived, plan)?;
                }
                Ok(())
            }
            State::Paging { arrived, plan } => plan.take(arrived, &self.agency_leaves, bytes),
            State::Done(_) | State::Broken => Ok(()),
        }
    }

    /// Indexes the entries that are new.
    fn arrive(&mut self) -> Result<(), Fault> {
        let State::Advancing { before, advance } = std::mem::replace(&mut self.state, State::Broken) else {
            return Ok(());
        };
        let (follower, entries) = advance.into_parts();
        if let Some(paper) = &self.paper {
            require_continued(paper, &entries)?;
        }
        if entries.is_empty() && self.held.values().all(|held| held.behind.is_none()) {
            self.state = State::Done(follower);
            return Ok(());
        }
        let mut leaves = HashMap::with_capacity(entries.len());
        for (leaf, entry) in (before.size..).zip(&entries) {
            // A second leaf of one place is another history of the stream: whoever is shown the one may not hear of the other.
            let known = leaves.entry(entry.tag).or_insert((leaf, entry.link));
            if require(known.0 == leaf, Check::LogTwice).is_err() {
                let first = (
                    known.0,
                    Entry {
                        tag: entry.tag,
                        link: known.1,
                    },
                );
                self.state = State::Convicting(Convicting::of(&follower, first, (leaf, *entry))?);
                return Ok(());
            }
        }
        self.state = State::Listing(Arrived {
            before: before.size,
            root: before.root,
            follower,
            leaves,
        });
        Ok(())
    }

    /// Says what must come: of streams that are held, by their tags; of others, as far as the server tells of them.
    fn plan(&mut self, arrived: &Arrived, listed: &StreamList) -> Result<Plan, Fault> {
        let agency = StreamId::agency(&self.log.agency);
        let told: BTreeMap<_, _> = listed.streams.iter().map(|one| (one.stream, one)).collect();
        let unknown = listed.streams.iter().map(|one| one.stream);
        let unknown = unknown.filter(|stream| !self.held.contains_key(stream));
        let unknown = unknown.filter(|stream| *stream != agency && (self.wants)(*stream));
        let held = self.held.keys().copied().filter(|stream| *stream != agency);
        let streams: Vec<_> = [agency].into_iter().chain(held).chain(unknown).collect();
        let mut due = VecDeque::new();
        for stream in streams {
            let known = self.held.get(&stream).copied();
            let held = known.unwrap_or_default();
            let told = told.get(&stream).copied();
            if held.left && told.is_none() {
                continue;
            }
            // One that was cut off after all of it had come is no longer held back, although that was not noted.
            if let Some(mut until) = held.behind.filter(|until| held.here <= *until) {
                // How far it goes the log says, and not the server: a link that is new stands behind those that were held back.
                while arrived.leaves.contains_key(&Tag::of(stream, until.saturating_add(1))) {
                    until = until.saturating_add(1);
                }
                due.push_back(Due {
                    stream,
                    links: VecDeque::new(),
                    older: Some(held.here),
                    until: Some(until),
                    again: true,
                    after: None,
                });
                continue;
            }
            let first = match held.left || held.behind.is_some() {
                true => held.here,
                false => held.followed,
            };
            let (mut links, mut seq, mut last) = (VecDeque::new(), first, None);
            while let Some((leaf, link)) = arrived.leaves.get(&Tag::of(stream, seq)) {
                require(last.is_none_or(|last| last < *leaf), Check::LogConsistency)?;
                last = Some(*leaf);
                if stream == agency {
                    self.agency_leaves.push(*leaf);
                }
                if seq >= held.here {
                    links.push_back((*leaf, seq, *link));
                }
                seq = seq.saturating_add(1);
            }
            // One that is new here, or again, or was cut off in the middle of that, and does not go on at a new leaf, goes on
            // below them.
            let was_cut = held.here > held.followed && held.behind.is_none();
            let is_older = known.is_none() || held.left || was_cut;
            if seq > first {
                if !links.is_empty() {
                    due.push_back(Due {
                        stream,
                        links,
                        older: None,
                        until: None,
                        again: false,
                        after: None,
                    });
                }
            } else if stream != agency && is_older {
                let until = match told {
                    Some(told) => match arrived.promised(told)? {
                        // All that this log has of it is beyond the checkpoint, and comes another time.
                        None => continue,
                        until => until,
                    },
                    None => None,
                };
                due.push_back(Due {
                    stream,
                    links,
                    older: Some(held.here),
                    until,
                    again: false,
                    after: None,
                });
            }
        }
        Ok(Plan { due, ..Plan::default() })
    }
}

impl Arrived {
    /// Returns the number of a link of a listed stream that the log has at a new leaf; nothing for one that has none of them
    /// but beyond the checkpoint.
    ///
    /// A stream is listed for a link that is new, so that its tag must be there: however little of it is delivered, it is
    /// known up to where it goes.
    fn promised(&self, told: &ListedStream) -> Result<Option<u64>, Fault> {
        let (stream, size) = (told.stream, self.follower.size());
        let withheld = Fault::Withheld {
            stream,
            seq: told.links.saturating_sub(1),
        };
        let beyond = match told.last.checked_sub(size) {
            Some(beyond) => beyond.saturating_add(1),
            None => 0,
        };
        let mut seq = told.links.checked_sub(1).ok_or(withheld.clone())?;
        for _ in 0..=beyond.min(MOST_BEYOND) {
            if self.leaves.contains_key(&Tag::of(stream, seq)) {
                return Ok(Some(seq));
            }
            let Some(before) = seq.checked_sub(1) else { break };
            seq = before;
        }
        match beyond {
            0 => Err(withheld),
            _ => Ok(None),
        }
    }
}

impl Plan {
    fn step(&mut self) -> Result<Step, Fault> {
        let is_whole = guard::holds(self.absent.is_empty(), Guard::ErasureForAbsent);
        if !self.ready.is_empty() && is_whole {
            return Ok(Step::Take(std::mem::take(&mut self.ready)));
        }
        if let Some((stream, seq, until)) = self.ends {
            self.absent.clear();
            let last = std::mem::take(&mut self.ready);
            return Ok(Step::Ends {
                stream,
                seq,
                until,
                last,
            });
        }
        if let Some(tile) = self.proving.as_ref().and_then(|(_, tiles)| tiles.wanted) {
            return Ok(Step::Ask(Request::Tile(tile)));
        }
        while let Some(due) = self.due.front().filter(|due| due.next().is_none()) {
            if let Some(seq) = self.absent.values().min().filter(|_| !is_whole) {
                let (stream, seq) = (due.stream, *seq);
                if stream.kind != StreamKind::Case {
                    return Err(Fault::Absent { stream, seq });
                }
                return Ok(Step::Behind(self.hold_back(stream, seq)));
            }
            self.absent.clear();
            self.due.pop_front();
        }
        let next = self.due.front().and_then(|due| Some((due.stream, due.next()?)));
        Ok(next.map_or(Step::Done, |(stream, from)| Step::Ask(Request::Page { stream, from })))
    }

    /// Goes on without a stream of which a record came without its bytes.
    fn hold_back(&mut self, stream: StreamId, seq: u64) -> Behind {
        let number = |pulled: &Pulled| pulled.parcel.link().link().seq;
        let until = self.ready.last().map_or(seq, number);
        let ready = std::mem::take(&mut self.ready).into_iter();
        let (before, rest) = ready.partition(|pulled| number(pulled) < seq);
        self.absent.clear();
        self.due.pop_front();
        Behind {
            stream,
            seq,
            until,
            before,
            rest,
        }
    }

    /// Takes a link that is at its leaf.
    fn keep(&mut self, pulled: Pulled) {
        let link = pulled.parcel.link().link();
        for record in pulled.parcel.absent() {
            self.absent.entry(record).or_insert(link.seq);
        }
        for record in parcel::erased(&link.body) {
            self.absent.remove(record);
        }
        self.ready.push(pulled);
    }

    fn take(&mut self, arrived: &Arrived, agency: &[u64], bytes: &[u8]) -> Result<(), Fault> {
        if let Some((page, mut tiles)) = self.proving.take() {
            tiles.take(bytes)?;
            return self.take_older(arrived, agency, page, tiles);
        }
        let page: StreamPage = wire::decode(bytes, limit::APPEND)?;
        require(page.parcels.len() <= limit::PARCELS && page.more <= 1, Check::TooLong)?;
        let Some(due) = self.due.front_mut() else {
            return Ok(());
        };
        if page.parcels.is_empty() {
            return self.end();
        }
        if due.older.is_some() {
            return self.take_older(arrived, agency, page, Tiles::default());
        }
        let mut kept = Vec::with_capacity(page.parcels.len());
        for placed in page.parcels {
            // What is beyond the checkpoint comes another time.
            let Some((leaf, seq, link)) = due.links.pop_front() else {
                break;
            };
            let parcel = OpenParcel::open(placed.parcel)?;
            let is_of_leaf = placed.leaf == leaf && parcel.link().id() == link;
            if !guard::holds(is_of_leaf, Guard::LinkOfLeaf) {
                return Err(Fault::Withheld {
                    stream: due.stream,
                    seq,
                });
            }
            let position = position(agency, due.stream, seq, leaf);
            kept.push(Pulled { leaf, position, parcel });
        }
        kept.into_iter().for_each(|pulled| self.keep(pulled));
        Ok(())
    }

    /// Takes links of a stream that began below what was followed: each of those is proved to be at its leaf.
    fn take_older(
        &mut self,
        arrived: &Arrived,
        agency: &[u64],
        page: StreamPage,
        mut tiles: Tiles,
    ) -> Result<(), Fault> {
        let Some(due) = self.due.front_mut() else {
            return Ok(());
        };
        let (stream, Some(from), mut after) = (due.stream, due.older, due.after) else {
            return Ok(());
        };
        let checkpoint = arrived.follower.checkpoint();
        // What is beyond the checkpoint comes another time.
        let below = page.parcels.iter().take_while(|placed| placed.leaf < checkpoint.size);
        let below = below.count();
        if below == 0 {
            return self.end();
        }
        for (placed, seq) in page.parcels.iter().take(below).zip(from..) {
            let parcel = OpenParcel::open(placed.parcel.clone())?;
            let (leaf, link) = (placed.leaf, parcel.link().id());
            let entry = Entry::of(stream, seq, link);
            let is_there = match leaf >= arrived.before {
                true => arrived.leaves.get(&entry.tag) == Some(&(leaf, link)),
                false => match proof::inclusion(leaf, checkpoint.size, &mut |tile| tiles.get(tile)) {
                    Ok(path) => {
                        let (size, root) = (checkpoint.size, &checkpoint.root);
                        tree::require_included(leaf, size, entry.leaf(), &path, root).is_ok()
                    }
                    Err(Missing::Tile) => {
                        self.proving = Some((page, tiles));
                        return Ok(());
                    }
                    Err(Missing::Refused) => return Err(Check::LogTile.into()),
                },
            };
            // In the order of the log, as all streams are: rights are judged by it.
            if !is_there || after.is_some_and(|after| after >= leaf) {
                return Err(Fault::Withheld { stream, seq });
            }
            after = Some(leaf);
        }
        let (mut seq, mut kept) = (from, Vec::with_capacity(below));
        for placed in page.parcels.into_iter().take(below) {
            let (leaf, parcel) = (placed.leaf, OpenParcel::open(placed.parcel)?);
            let position = position(agency, stream, seq, leaf);
            kept.push(Pulled { leaf, position, parcel });
            seq = seq.saturating_add(1);
        }
        // It goes on where the entries say so, whatever the page says.
        let is_reached = due.until.is_some_and(|until| until < seq);
        let goes_on = !is_reached || arrived.leaves.contains_key(&Tag::of(stream, seq));
        due.older = goes_on.then_some(seq);
        due.after = after;
        kept.into_iter().for_each(|pulled| self.keep(pulled));
        Ok(())
    }

    /// Where the server has no more of the first that is due: of a case of which something is here, access may have ended.
    fn end(&mut self) -> Result<(), Fault> {
        let Some(due) = self.due.front() else { return Ok(()) };
        let (stream, seq) = (due.stream, due.next().unwrap_or_default());
        if stream.kind != StreamKind::Case || (seq == 0 && !due.again) {
            return Err(Fault::Withheld { stream, seq });
        }
        let last = due.links.back().map(|(_, seq, _)| *seq);
        let until = last.or(due.until).unwrap_or(seq);
        self.ends = Some((stream, seq, until));
        Ok(())
    }
}

impl Due {
    /// Returns the sequence number that is to come next.
    fn next(&self) -> Option<u64> {
        self.older.or_else(|| self.links.front().map(|(_, seq, _)| *seq))
    }
}

/// Goes through the leaves that were followed before, for the links of streams that began there: each must be at one leaf.
struct Scan {
    size: u64,
    root: Hash,
    edge: Edge,
    places: HashMap<Tag, Option<(u64, LinkId)>>,
    /// A second leaf of a place.
    second: Option<(u64, Entry)>,
}

impl Scan {
    /// Looks for the links of streams of which it is known up to where they go.
    fn of(plan: &Plan, arrived: &Arrived) -> Result<Self, Refused> {
        let mut places = HashMap::new();
        for due in &plan.due {
            if let (Some(older), Some(until)) = (due.older, due.until) {
                // No stream has more links than its log has leaves.
                require(until < arrived.follower.size(), Check::TooLong)?;
                places.extend((older..=until).map(|seq| (Tag::of(due.stream, seq), None)));
            }
        }
        Ok(Self {
            size: arrived.before,
            root: arrived.root,
            edge: Edge::default(),
            places,
            second: None,
        })
    }

    fn is_needed(&self) -> bool {
        !self.places.is_empty() && self.size > 0
    }

    fn is_done(&self) -> bool {
        self.edge.size() == self.size
    }

    fn bundle(&self) -> Result<Tile, Refused> {
        Tile::of(0, self.edge.size(), self.size)
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let entries = tile::read_entries(bytes)?;
        require(entries.len() == usize::from(self.bundle()?.width()), Check::LogTile)?;
        for entry in entries {
            let leaf = self.edge.size();
            self.edge.push(entry.leaf(), |_, _| {});
            if let Some(place) = self.places.get_mut(&entry.tag) {
                // Which of two is told once all of it is known to be the log.
                match place {
                    None => *place = Some((leaf, entry.link)),
                    Some(_) => drop(self.second.get_or_insert((leaf, entry))),
                }
            }
        }
        Ok(())
    }

    /// Says at which leaves the links of those streams are, or which place has two.
    fn finish(self, arrived: Arrived, mut plan: Plan) -> Result<State, Fault> {
        require(self.edge.root() == self.root, Check::LogConsistency)?;
        let mut second = self.second;
        for due in plan.due.iter_mut().filter(|due| due.until.is_some()) {
            let (Some(mut seq), Some(until)) = (due.older, due.until) else {
                continue;
            };
            let mut last = None;
            loop {
                let tag = Tag::of(due.stream, seq);
                let (old, new) = (
                    self.places.get(&tag).copied().flatten(),
                    arrived.leaves.get(&tag).copied(),
                );
                if let (Some(_), Some((leaf, link))) = (old, new) {
                    second.get_or_insert((leaf, Entry { tag, link }));
                }
                let Some((leaf, link)) = old.or(new) else { break };
                require(last.is_none_or(|last| last < leaf), Check::LogConsistency)?;
                last = Some(leaf);
                due.links.push_back((leaf, seq, link));
                seq = seq.saturating_add(1);
            }
            if seq <= until {
                let stream = due.stream;
                return Err(Fault::Withheld { stream, seq });
            }
            due.older = None;
        }
        if let Some((leaf, entry)) = second
            && require(false, Check::LogTwice).is_err()
        {
            let first = self.places.get(&entry.tag).copied().flatten();
            let (first, link) = first.ok_or(Check::LogTwice)?;
            let first = (first, Entry { tag: entry.tag, link });
            return Ok(State::Convicting(Convicting::of(
                &arrived.follower,
                first,
                (leaf, entry),
            )?));
        }
        Ok(State::Paging { arrived, plan })
    }
}

/// Proves that a log has two leaves for one place.
struct Convicting {
    seen: Seen,
    first: (u64, Entry),
    second: (u64, Entry),
    tiles: Tiles,
}

impl Convicting {
    fn of(follower: &Follower, first: (u64, Entry), second: (u64, Entry)) -> Result<Self, Refused> {
        Ok(Self {
            seen: follower.seen().ok_or(Check::LogTwice)?,
            first,
            second,
            tiles: Tiles::default(),
        })
    }

    fn step(&mut self) -> Result<Step, Fault> {
        match self.convict() {
            Ok(twice) => Err(Fault::Twice(Box::new(twice))),
            Err(Missing::Tile) => match self.tiles.wanted {
                Some(tile) => Ok(Step::Ask(Request::Tile(tile))),
                None => Err(Check::LogTwice.into()),
            },
            Err(Missing::Refused) => Err(Check::LogTwice.into()),
        }
    }

    fn convict(&mut self) -> Result<Twice, Missing> {
        let tiles = &mut self.tiles;
        let mut proved = |(leaf, entry): (u64, Entry)| {
            let proof = proof::inclusion(leaf, self.seen.size, &mut |tile| tiles.get(tile))?;
            Ok::<_, Missing>(ProvedLeaf { leaf, entry, proof })
        };
        Ok(Twice {
            seen: self.seen,
            first: proved(self.first)?,
            second: proved(self.second)?,
        })
    }
}

/// Refuses entries, all of a log, that do not begin with the tree of a checkpoint (ATTACKS 43).
fn require_continued(paper: &Checkpoint, entries: &[Entry]) -> Result<(), Refused> {
    let check = Check::EnrolmentRollback;
    let size = usize::try_from(paper.size).map_err(|_| check)?;
    require(entries.len() >= size, check)?;
    let mut edge = Edge::default();
    for entry in entries.iter().take(size) {
        edge.push(entry.leaf(), |_, _| {});
    }
    require(edge.root() == paper.root, check)
}

/// Returns the sequence number of the agency's last link below a leaf.
fn position(agency: &[u64], stream: StreamId, seq: u64, leaf: u64) -> u64 {
    match stream.kind {
        StreamKind::Agency => seq,
        StreamKind::Case | StreamKind::Access => {
            let below = agency.partition_point(|at| *at < leaf) as u64;
            below.saturating_sub(1)
        }
    }
}
