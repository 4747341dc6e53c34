//! A model of a server, honest and lying, and devices that pull from it, are cut off and go on.

mod histories;
mod prefix;
mod witnesses;

use super::*;
use crate::crypto::sign::Signature;
use crate::crypto::sign::SigningKey;
use crate::forge::Served;
use crate::id::CaseId;
use crate::id::DeviceId;
use crate::id::LinkId;
use crate::parcel;
use crate::secret::SigningSeed;
use crate::stream::Chain;
use crate::stream::UnverifiedLink;
use crate::tlog::checkpoint::Checkpoint;
use crate::tlog::entry::Entry;
use crate::tlog::follow::Follower;
use crate::tlog::tile;
use crate::tlog::tile::Edge;
use crate::wire;
use crate::wire::v1::event::Event;
use crate::wire::v1::limit;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;
use crate::wire::v1::sync::Parcel;
use crate::wire::v1::sync::StreamList;
use crate::wire::v1::sync::StreamPage;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

const AGENCY: AgencyId = AgencyId([0xa1; 32]);
const LOG: [u8; 32] = [3; 32];

fn key() -> SigningKey {
    SigningKey::from_seed(&SigningSeed::from_bytes(LOG))
}

fn log() -> LogOf {
    let key = VerifyingKey::new(&key().public(), Check::CheckpointSignature).unwrap();
    LogOf { agency: AGENCY, key }
}

fn stream(number: u8) -> StreamId {
    match number {
        0 => StreamId::agency(&AGENCY),
        n => StreamId::case(CaseId([n; 16])),
    }
}

/// Appends a link of a stream; `branch` makes it another than an honest server's.
fn append(server: &mut Served, number: u8, branch: u8) {
    let stream = stream(number);
    let links = server.chains.get(&stream).map_or(&[][..], Vec::as_slice);
    let mut chain = match links.last() {
        Some((_, id, _)) => Chain::at(AGENCY, stream, links.len() as u64 - 1, *id),
        None => Chain::empty(AGENCY, stream),
    };
    let body = LinkBody::Event(PlacedEvent {
        event: Event::Relation,
        sealed: Vec::new(),
    });
    let link = chain.append(LinkId::ZERO, DeviceId([branch; 16]), body).unwrap();
    let link = link.sign(&key()).into_unverified();
    let parcel = parcel::pack(&link, Vec::new(), Vec::new()).unwrap();
    server.push(stream, link.id(), parcel);
}

/// A device: what it verified of the log, and the links that it took, by stream.
#[derive(Clone)]
struct Device {
    follower: Follower,
    followed: BTreeMap<StreamId, u64>,
    agency_leaves: Vec<u64>,
    links: BTreeMap<StreamId, Vec<LinkId>>,
    positions: BTreeMap<LinkId, u64>,
    /// How many links there are of a stream when its access has ended.
    ends: BTreeMap<StreamId, u64>,
    left: BTreeSet<StreamId>,
}

impl Device {
    fn new() -> Self {
        Self {
            follower: Follower::new(AGENCY),
            followed: BTreeMap::new(),
            agency_leaves: Vec::new(),
            links: BTreeMap::new(),
            positions: BTreeMap::new(),
            ends: BTreeMap::new(),
            left: BTreeSet::new(),
        }
    }

    fn begin(&self, without: Option<StreamId>) -> Pull {
        let held = self.links.iter().map(|(stream, links)| {
            let held = Held {
                followed: self.followed.get(stream).copied().unwrap_or(0),
                here: links.len() as u64,
                left: self.left.contains(stream),
                behind: None,
            };
            (*stream, held)
        });
        Pull::begin(
            log(),
            self.follower.clone(),
            held.collect(),
            self.agency_leaves.clone(),
            Box::new(move |stream| Some(stream) != without),
        )
    }

    /// Pulls for at most `steps` answers; tells whether it came to the end.
    fn pull(
        &mut self,
        steps: usize,
        without: Option<StreamId>,
        answer: &mut dyn FnMut(Request) -> Vec<u8>,
    ) -> Result<bool, Fault> {
        let mut pull = self.begin(without);
        let mut left = steps;
        loop {
            match pull.step()? {
                Step::Ask(request) => {
                    left = match left.checked_sub(1) {
                        Some(left) => left,
                        // Cut off: what was taken is kept, how far the log was followed is as before.
                        None => return Ok(false),
                    };
                    pull.take(&answer(request))?;
                }
                Step::Take(pulled) => {
                    for one in pulled {
                        let link: &UnverifiedLink = one.parcel.link();
                        let links = self.links.entry(link.link().stream).or_default();
                        // Dense, and each behind the one before.
                        assert_eq!(link.link().seq, links.len() as u64);
                        assert_eq!(link.link().previous, links.last().copied().unwrap_or(LinkId::ZERO));
                        links.push(link.id());
                        self.positions.insert(link.id(), one.position);
                    }
                }
                Step::Ends { stream, seq, .. } if self.ends.get(&stream) == Some(&seq) => {
                    self.left.insert(stream);
                    pull.leave();
                }
                Step::Ends { stream, seq, .. } => return Err(Fault::Withheld { stream, seq }),
                Step::Behind(behind) => panic!("{} of {}", behind.seq, behind.stream),
                Step::Done => break,
            }
        }
        self.agency_leaves = pull.agency_leaves().to_vec();
        self.follower = pull.finish()?;
        for (stream, links) in &self.links {
            self.followed.insert(*stream, links.len() as u64);
        }
        Ok(true)
    }
}

fn agree(device: &Device, server: &Served, without: Option<StreamId>) {
    let mut expected = BTreeMap::new();
    for (stream, links) in &server.chains {
        if Some(*stream) != without || device.links.contains_key(stream) {
            expected.insert(*stream, links.iter().map(|(_, id, _)| *id).collect::<Vec<_>>());
        }
    }
    assert_eq!(device.links, expected);
    assert_eq!(device.follower.size(), server.entries.len() as u64);
    // Each as of the last agency link below it, by another way of counting.
    let agency: Vec<u64> = server.chains[&stream(0)].iter().map(|(leaf, _, _)| *leaf).collect();
    for (of, links) in &server.chains {
        for (leaf, id, _) in links {
            if let Some(position) = device.positions.get(id) {
                let below = agency.iter().filter(|at| *at < leaf).count() as u64;
                let expected = if *of == stream(0) { below } else { below - 1 };
                assert_eq!(*position, expected);
            }
        }
    }
}

fn served(appends: &[u8], page: usize) -> Served {
    let mut server = Served::new(AGENCY, LOG, page);
    append(&mut server, 0, 0);
    appends.iter().for_each(|number| append(&mut server, *number, 0));
    server
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Any history, pulled in any pieces, cut off anywhere: what is here at the end is what was written, in its order.
    #[test]
    fn devices_that_are_cut_off_anywhere_end_with_what_was_written(
        rounds in prop::collection::vec((prop::collection::vec(0_u8..5, 0..60), prop::collection::vec(0_usize..9, 0..4)), 1..6),
        page in 1_usize..9,
        late in prop::option::of(1_u8..5),
    ) {
        let mut server = served(&[], page);
        let mut device = Device::new();
        let without = late.map(stream);
        for (appends, cuts) in rounds {
            appends.iter().for_each(|number| append(&mut server, *number, 0));
            for steps in cuts {
                device.pull(steps, without, &mut |request| server.answer(request)).unwrap();
            }
        }
        prop_assert!(device.pull(usize::MAX, without, &mut |request| server.answer(request)).unwrap());
        agree(&device, &server, without);
        // A stream that it may read only from now on comes whole, from below what was followed, and however often that is
        // cut off.
        if let Some(late) = without {
            append(&mut server, late_number(late), 0);
            for steps in 0..8 {
                device.pull(steps, None, &mut |request| server.answer(request)).unwrap();
            }
            prop_assert!(device.pull(usize::MAX, None, &mut |request| server.answer(request)).unwrap());
            agree(&device, &server, None);
        }
    }

    /// One answer is changed in one byte, cut, or another's: nothing is taken that was not written, and honest answers
    /// afterwards bring all of it.
    #[test]
    fn a_server_that_lies_in_one_answer_gets_nothing_in(
        appends in prop::collection::vec(0_u8..4, 1..80),
        more in prop::collection::vec(0_u8..4, 1..80),
        page in 1_usize..9,
        at in 0_usize..30,
        how in 0_u8..4,
        where_ in any::<prop::sample::Index>(),
    ) {
        let mut server = served(&appends, page);
        let mut device = Device::new();
        device.pull(usize::MAX, None, &mut |request| server.answer(request)).unwrap();
        let before = device.follower.clone();
        more.iter().for_each(|number| append(&mut server, *number, 0));
        let (mut asked, mut lied, mut last) = (0, false, Vec::new());
        let pulled = device.pull(usize::MAX, None, &mut |request| {
            let honest = server.answer(request);
            let mut bytes = honest.clone();
            if asked == at {
                match how {
                    0 => if !bytes.is_empty() { let at = where_.index(bytes.len()); bytes[at] ^= 1 },
                    1 => bytes.truncate(where_.index(bytes.len() + 1)),
                    2 => bytes.push(0),
                    _ => bytes.clone_from(&last),
                }
                lied = bytes != honest;
            }
            asked += 1;
            last = honest;
            bytes
        });
        for (stream, links) in &device.links {
            let written: Vec<_> = server.chains[stream].iter().map(|(_, id, _)| *id).collect();
            prop_assert!(written.starts_with(links));
        }
        if pulled.is_err() {
            prop_assert!(lied);
            prop_assert_eq!(&device.follower, &before);
        }
        prop_assert!(device.pull(usize::MAX, None, &mut |request| server.answer(request)).unwrap());
        agree(&device, &server, None);
    }
}

fn late_number(stream: StreamId) -> u8 {
    stream.id[0]
}

#[test]
fn a_stream_of_which_access_ended_is_left_and_keeps_nothing_away() {
    let mut server = served(&[1, 2, 1], 2);
    let mut device = Device::new();
    let pull = |device: &mut Device, server: &Served| {
        let mut asked = Vec::new();
        let pulled = device.pull(usize::MAX, None, &mut |request| {
            asked.push(request);
            server.answer(request)
        });
        pulled.map(|_| asked)
    };
    pull(&mut device, &server).unwrap();
    // The third link of the one ended it; others write on, and nothing of that is shown.
    [1, 1, 2, 1, 2]
        .iter()
        .for_each(|number| append(&mut server, *number, 0));
    server.ended.insert(stream(1), 3);
    let withheld = Err(Fault::Withheld {
        stream: stream(1),
        seq: 3,
    });
    assert_eq!(pull(&mut device.clone(), &server), withheld);
    device.ends.insert(stream(1), 3);
    pull(&mut device, &server).unwrap();
    assert_eq!(device.links[&stream(1)].len(), 3);
    assert_eq!(device.links[&stream(2)].len(), 3);
    // It is not asked for again.
    append(&mut server, 1, 0);
    append(&mut server, 2, 0);
    let asked = pull(&mut device, &server).unwrap();
    let of_it = |request: &Request| matches!(request, Request::Page { stream: of, .. } if *of == stream(1));
    assert!(!asked.iter().any(of_it));
    assert_eq!(device.links[&stream(2)].len(), 4);
    // Until it is listed again: what was missed comes too.
    server.ended.clear();
    append(&mut server, 1, 0);
    device.ends.clear();
    pull(&mut device, &server).unwrap();
    agree(&device, &server, None);
}

#[test]
fn a_stream_that_begins_below_what_was_followed_is_not_cut_short() {
    let late = stream(1);
    let mut server = served(&[1, 2, 1, 1, 1, 2], 2);
    let mut device = Device::new();
    device
        .pull(usize::MAX, Some(late), &mut |request| server.answer(request))
        .unwrap();
    [1, 1, 2].iter().for_each(|number| append(&mut server, *number, 0));
    let cut = |shown: usize, listed: u64, more: u8| {
        let mut device = device.clone();
        device.pull(usize::MAX, None, &mut |request| match request {
            Request::Streams { .. } => {
                let mut list: StreamList = wire::decode(&server.answer(request), limit::APPEND).unwrap();
                let one = list.streams.iter_mut().find(|one| one.stream == late).unwrap();
                one.links = listed;
                wire::encode(&list).unwrap()
            }
            Request::Page { stream, from } if stream == late => {
                let mut page: StreamPage = wire::decode(&server.answer(request), limit::APPEND).unwrap();
                page.parcels
                    .truncate(shown.saturating_sub(usize::try_from(from).unwrap()));
                page.more = more;
                wire::encode(&page).unwrap()
            }
            _ => server.answer(request),
        })
    };
    for more in [0, 1] {
        for shown in 0..6 {
            let seq = shown as u64;
            let withheld = Err(Fault::Withheld { stream: late, seq });
            assert_eq!(cut(shown, 6, more), withheld, "{shown} {more}");
        }
        assert_eq!(cut(6, 6, more), Ok(true));
        // Listed as shorter than the log has it.
        let withheld = Err(Fault::Withheld { stream: late, seq: 3 });
        assert_eq!(cut(4, 4, more), withheld);
        assert_eq!(cut(5, 5, more), Err(Fault::Withheld { stream: late, seq: 5 }));
    }
}

/// A server whose log has a second leaf for the second link of a case, which it shows in the place of the first.
fn forked(appends: &[u8], more: &[u8]) -> (Served, Served) {
    let mut honest = served(appends, 2);
    let mut other = honest.clone();
    let case = stream(1);
    other.chains.get_mut(&case).unwrap().truncate(1);
    append(&mut other, 1, 9);
    let (_, link, parcel) = other.chains[&case][1].clone();
    // Its entry stands behind the honest ones.
    let leaf = honest.entries.len() as u64;
    honest.entries.push(Entry::of(case, 1, link));
    let mut shown = honest.clone();
    shown.chains.get_mut(&case).unwrap().truncate(1);
    shown.chains.get_mut(&case).unwrap().push((leaf, link, parcel));
    for server in [&mut honest, &mut shown] {
        more.iter().for_each(|number| append(server, *number, 0));
    }
    (honest, shown)
}

#[test]
fn chk_141_attack_44_two_leaves_of_one_place_are_proved_to_anybody() {
    let pull = |device: &mut Device, shown: &Served, without: Option<StreamId>| {
        device.pull(usize::MAX, without, &mut |request| shown.answer(request))
    };
    let convicts = |found: Result<bool, Fault>| {
        let Err(Fault::Twice(found)) = found else {
            panic!("{found:?}")
        };
        found.verify(AGENCY, &log().key).unwrap();
        let mut one = found.clone();
        one.second = one.first.clone();
        assert_eq!(one.verify(AGENCY, &log().key), Err(Check::LogTwice.into()));
        let mut moved = found.clone();
        moved.second.leaf += 1;
        assert!(moved.verify(AGENCY, &log().key).is_err());
        let mut unsigned = found;
        unsigned.seen.root[0] ^= 1;
        assert!(unsigned.verify(AGENCY, &log().key).is_err());
    };
    // Both new.
    let (honest, shown) = forked(&[1, 2, 1, 2], &[2]);
    for server in [&honest, &shown] {
        convicts(pull(&mut Device::new(), server, None));
    }
    let mut unproved = Device::new();
    let told = unproved.pull(usize::MAX, None, &mut |request| match request {
        Request::Tile(_) => Vec::new(),
        _ => honest.answer(request),
    });
    assert_eq!(told, Err(Check::LogTwice.into()));

    // Both below what was followed by one who is let in later; or the second above.
    for older in [6, 5] {
        let (honest, shown) = forked(&[1, 2, 1, 2], &[]);
        let mut before = served(&[1, 2, 1, 2], 2);
        before.entries.extend(honest.entries.get(5..older).unwrap_or_default());
        let mut device = Device::new();
        crate::forge::guard::without(Check::LogTwice, || {
            assert_eq!(pull(&mut device, &before, Some(stream(1))), Ok(true));
        });
        let (mut honest, mut shown) = (honest, shown);
        for server in [&mut honest, &mut shown] {
            append(server, 1, 0);
        }
        for server in [&honest, &shown] {
            convicts(pull(&mut device.clone(), server, None));
        }
    }
}

#[test]
fn a_link_that_is_in_the_log_and_not_delivered_is_missed() {
    let server = served(&[1, 2, 1, 1, 2], 3);
    let mut device = Device::new();
    device
        .pull(usize::MAX, None, &mut |request| server.answer(request))
        .unwrap();
    let mut grown = server.clone();
    append(&mut grown, 1, 0);
    // It is in the log, and neither listed nor paged.
    let pulled = device.pull(usize::MAX, None, &mut |request| match request {
        Request::Page { .. } | Request::Streams { .. } => server.answer(request),
        _ => grown.answer(request),
    });
    let withheld = Fault::Withheld {
        stream: stream(1),
        seq: 3,
    };
    assert_eq!(pulled, Err(withheld));
}

#[test]
fn another_history_and_an_older_one_are_refused_and_the_other_is_proved() {
    let mut honest = served(&[1, 2, 1], 4);
    let mut device = Device::new();
    device
        .pull(usize::MAX, None, &mut |request| honest.answer(request))
        .unwrap();
    let mut forked = served(&[1, 2], 4);
    append(&mut forked, 1, 1);
    let same_size = device
        .clone()
        .pull(usize::MAX, None, &mut |request| forked.answer(request));
    append(&mut forked, 2, 1);
    let longer = device
        .clone()
        .pull(usize::MAX, None, &mut |request| forked.answer(request));
    for found in [same_size, longer] {
        let Err(Fault::Contradiction(found)) = found else {
            panic!("{found:?}");
        };
        found.verify(AGENCY, &log().key).unwrap();
    }
    let older = served(&[1], 4);
    let rolled_back = device
        .clone()
        .pull(usize::MAX, None, &mut |request| older.answer(request));
    assert_eq!(rolled_back, Err(Check::LogConsistency.into()));
    // It stands before a tile is asked for that such a server may well not have.
    let refused = Fault::from(Check::LogConsistency);
    let mut pull = Pull::begin(
        log(),
        device.follower.clone(),
        BTreeMap::new(),
        Vec::new(),
        Box::new(|_| true),
    );
    assert_eq!(pull.doubt(), None);
    pull.take(&older.note()).unwrap();
    assert!(matches!(pull.step(), Ok(Step::Ask(Request::Tile(_)))));
    assert_eq!(pull.doubt(), Some(refused.clone()));
    let mut push = Push::prove(log(), device.follower.clone(), &older.note(), Vec::new()).unwrap();
    assert_eq!(push.doubt(), Some(refused.clone()));
    assert_eq!(push.take(&[]), Err(refused));
    append(&mut honest, 2, 0);
    assert!(
        device
            .pull(usize::MAX, None, &mut |request| honest.answer(request))
            .unwrap()
    );
}

#[test]
fn chk_153_attack_43_a_device_without_memory_takes_no_log_that_is_older_than_its_paper() {
    let honest = served(&[1, 2, 1, 0, 2], 4);
    let paper = |entries: &[Entry]| {
        let mut edge = Edge::default();
        entries.iter().for_each(|entry| edge.push(entry.leaf(), |_, _| {}));
        Checkpoint {
            agency: AGENCY,
            size: edge.size(),
            root: edge.root(),
        }
    };
    let pull = |server: &Served, paper: Checkpoint| -> Result<(), Fault> {
        let mut pull = Device::new().begin(None).continuing(paper);
        loop {
            match pull.step()? {
                Step::Ask(request) => pull.take(&server.answer(request))?,
                Step::Take(_) => {}
                Step::Ends { stream, seq, .. } => return Err(Fault::Withheld { stream, seq }),
                Step::Behind(_) => {}
                Step::Done => return pull.finish().map(|_| ()),
            }
        }
    };
    for size in 1..=honest.entries.len() {
        assert_eq!(pull(&honest, paper(&honest.entries[..size])), Ok(()));
    }
    let newest = paper(&honest.entries);
    let refused = Err(Fault::from(Check::EnrolmentRollback));
    assert_eq!(pull(&served(&[1, 2], 4), newest), refused);
    // Another history, as long and longer.
    for appends in [&[1, 1, 1, 0, 2][..], &[2, 1, 1, 0, 2, 1, 1]] {
        assert_eq!(pull(&served(appends, 4), newest), refused);
    }
    crate::forge::guard::without(Check::EnrolmentRollback, || {
        assert_eq!(pull(&served(&[1, 2], 4), newest), Ok(()));
    });
}

#[test]
fn what_was_sent_is_believed_once_its_leaf_is_proved() {
    let server = served(&[1, 2, 1], 4);
    let follower = {
        let mut device = Device::new();
        device
            .pull(usize::MAX, None, &mut |request| server.answer(request))
            .unwrap();
        device.follower
    };
    let mut grown = server.clone();
    [1, 1, 2].iter().for_each(|number| append(&mut grown, *number, 0));
    let prove = |stored: Vec<(u64, Entry)>, served: &Served| {
        let mut asked = 0;
        let mut push = Push::prove(log(), follower.clone(), &served.note(), stored)?;
        while let Some(request) = push.ask()? {
            asked += 1;
            push.take(&served.answer(request))?;
        }
        push.finish()
            .map(|(follower, entries)| (follower.size(), entries.len(), asked))
    };
    let at = |leaf: usize| (leaf as u64, grown.entries[leaf]);
    // All of them one's own: nothing is fetched. Some of them: the entries are. Sent before: a proof.
    assert_eq!(prove(vec![at(4), at(5), at(6)], &grown), Ok((7, 3, 0)));
    assert_eq!(prove(vec![at(5)], &grown), Ok((7, 3, 1)));
    assert!(matches!(prove(vec![at(2), at(4)], &grown), Ok((7, 3, asked)) if asked > 1));
    let refused = Err(Check::LogInclusion.into());
    assert_eq!(prove(vec![(5, grown.entries[4])], &grown), refused);
    assert_eq!(prove(vec![(1, grown.entries[2])], &grown), refused);
    assert_eq!(prove(vec![(7, grown.entries[6])], &grown), refused);
    // Each at its leaf, and not in the order in which they were sent; or one of them twice.
    assert_eq!(prove(vec![at(5), at(4), at(6)], &grown), refused);
    assert_eq!(prove(vec![at(4), at(4)], &grown), refused);
    // Said to be stored, under a checkpoint that has not got it.
    assert_eq!(prove(vec![at(4)], &server), refused);
    let mut forged = grown.clone();
    forged.entries[1] = Entry {
        link: LinkId([9; 32]),
        ..forged.entries[1]
    };
    assert!(matches!(prove(vec![at(4)], &forged), Err(Fault::Contradiction(_))));
    assert_eq!(grown.entries.len(), 7);
    let unsigned = Signature([0; 64]);
    assert_ne!(unsigned, grown.chains[&stream(1)][0].2.signature);
}

#[test]
fn chk_137_a_whole_log_is_gone_through_and_each_link_that_is_known_is_found_once() {
    let server = {
        let appends: Vec<u8> = (0..600_u32).map(|n| u8::from(n % 3 == 0) + 1).collect();
        served(&appends, 64)
    };
    let links = |server: &Served| {
        let of = |(stream, links): (&StreamId, &Vec<(u64, LinkId, Parcel)>)| {
            let stream = *stream;
            let ids: Vec<_> = links.iter().map(|(_, id, _)| *id).collect();
            (0..).zip(ids).map(move |(seq, id)| (stream, seq, id))
        };
        server.chains.iter().flat_map(of).collect::<Vec<_>>()
    };
    let end = |server: &Served| {
        let mut edge = Edge::default();
        server
            .entries
            .iter()
            .for_each(|entry| edge.push(entry.leaf(), |_, _| {}));
        Checkpoint {
            agency: AGENCY,
            size: edge.size(),
            root: edge.root(),
        }
    };
    let audit = |end: Checkpoint, known: Vec<(StreamId, u64, LinkId)>, served: &Served| {
        let mut audit = Audit::begin(end, known);
        while let Some(request) = audit.ask()? {
            audit.take(&served.answer(request))?;
        }
        audit.finish()
    };
    let whole = audit(end(&server), links(&server), &server).unwrap();
    assert_eq!((whole.own, whole.others), (601, 0));
    assert!(whole.other_link.is_empty() && whole.missing.is_empty());

    // Of one stream alone the rest is of others; what was never appended is missing; another link at its place is told.
    let mut known = links(&server);
    known.retain(|(of, _, _)| *of == stream(2));
    known.push((stream(2), 200, LinkId([7; 32])));
    known[3].2 = LinkId([8; 32]);
    let found = audit(end(&server), known, &server).unwrap();
    assert_eq!((found.own, found.others), (199, 401));
    assert_eq!(found.missing, [(stream(2), 3), (stream(2), 200)].into());
    assert_eq!(found.other_link, [(stream(2), 3)].into());
    // A second leaf of one place is no second history that anybody believes, and is told.
    let mut twice = server.clone();
    twice.entries.push(twice.entries[5]);
    let found = audit(end(&twice), links(&server), &twice).unwrap();
    assert_eq!((found.own, found.missing.len(), found.other_link.len()), (601, 0, 1));

    // Another entry than the ones that were signed, one less, and before the end.
    let mut changed = server.clone();
    changed.entries[300].link.0[0] ^= 1;
    let refused = Err(Check::LogConsistency.into());
    assert_eq!(audit(end(&server), links(&server), &changed), refused);
    let begun = Audit::begin(end(&server), Vec::new());
    assert_eq!(begun.finish(), refused);
    let mut short = Audit::begin(end(&server), Vec::new());
    let bundle = tile::bundle(&server.entries[..255]);
    assert_eq!(short.take(&bundle), Err(Check::LogTile.into()));
}
