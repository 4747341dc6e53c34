//! What a store promises: snapshots, transactions that are whole or not at all, rows that come back as they went in.

use std::collections::BTreeSet;

use vault_core::crypto::sign::Signature;
use vault_core::forge::case::Made;
use vault_core::forge::{CaseFile, World};
use vault_core::id::{AgencyId, CaseId, DeviceId, LinkId, MemberId, RecordHash, RecordId};
use vault_core::parcel::{OpenParcel, OpenRecord, carry, keyrings, pack};
use vault_core::secret::SigningSeed;
use vault_core::stream::UnverifiedLink;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::tile::Tile;
use vault_core::tlog::tree::Hash;
use vault_core::wire;
use vault_core::wire::v1::enrolment::{InviteId, InviteKind};
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::link::{LinkBody, PlacedEvent};
use vault_core::wire::v1::stream::{Day, Epoch, Section, StreamId, StreamKind};
use vault_core::wire::v1::sync::{CarriedBody, Parcel};
use vault_server::store::{
    AgencyNo, CosignatureRow, InviteRow, NewLink, Reader, Reads, Store, StoreError, StreamNo, Which, Writes, reading,
    writing,
};

/// A promise and its name.
pub(crate) type Promise = (&'static str, fn(&dyn Store));

/// Every promise: a store runs each over an empty database of its own.
pub(crate) const ALL: &[Promise] = &[
    ("an agency keeps its first key", an_agency_keeps_its_first_key),
    ("what is written comes back", what_is_written_comes_back),
    (
        "a transaction is whole or not at all",
        a_transaction_is_whole_or_not_at_all,
    ),
    (
        "a transaction goes back to its mark",
        a_transaction_goes_back_to_its_mark,
    ),
    ("a transaction sees what it wrote", a_transaction_sees_what_it_wrote),
    (
        "what is foreseen is answered as it is then",
        what_is_foreseen_is_answered_as_it_is_then,
    ),
    ("a snapshot does not move", a_snapshot_does_not_move),
    ("agencies are apart", agencies_are_apart),
    ("lists are of those who may read", lists_are_of_those_who_may_read),
    ("a page ends where it must", a_page_ends_where_it_must),
    (
        "erased bytes are gone and hashes stay",
        erased_bytes_are_gone_and_hashes_stay,
    ),
    ("a stream is dense", a_stream_is_dense),
    ("tiles are kept as they are", tiles_are_kept_as_they_are),
    ("an invite is kept until its day", an_invite_is_kept_until_its_day),
    ("a witness has one cosignature", a_witness_has_one_cosignature),
];

fn a_witness_has_one_cosignature(store: &dyn Store) {
    let agency = |id: u8| {
        writing(store, |writes| writes.register(&AgencyId([id; 32]), &seed()))
            .unwrap()
            .no
    };
    let (first, second) = (agency(3), agency(4));
    let one = |agency, witness: u8, size| CosignatureRow {
        agency,
        witness: vec![witness; 40],
        size,
        root: Hash([witness; 32]),
        time: size * 1000,
        signature: Signature([witness; 64]),
    };
    let all = |agency| reading(store, |reads| reads.cosignatures(agency)).unwrap();
    assert_eq!(all(first), []);
    writing(store, |writes| {
        for row in [one(first, 2, 1 << 40), one(first, 1, 7), one(second, 1, 9)] {
            writes.put_cosignature(&row)?;
        }
        writes.put_cosignature(&one(first, 1, 8))?;
        assert_eq!(writes.cosignatures(first)?.len(), 2);
        Ok(())
    })
    .unwrap();
    assert_eq!(all(first), [one(first, 1, 8), one(first, 2, 1 << 40)]);
    let given_up = writing(store, |writes| {
        writes.put_cosignature(&one(first, 1, 9))?;
        Err::<(), _>(StoreError::Damaged("given up"))
    });
    assert!(given_up.is_err());
    assert_eq!((all(first)[0].size, all(second)), (8, vec![one(second, 1, 9)]));
}

fn an_invite_is_kept_until_its_day(store: &dyn Store) {
    let agency = |id: u8| {
        writing(store, |writes| writes.register(&AgencyId([id; 32]), &seed()))
            .unwrap()
            .no
    };
    let (first, second) = (agency(1), agency(2));
    let invite = |id: u8, agency, until| InviteRow {
        id: InviteId([id; 16]),
        agency,
        opener: MemberId([id; 16]),
        kind: InviteKind::Reset,
        until: Day(until),
        request: None,
        answer: None,
        enrolment: None,
    };
    let get = |id: u8| reading(store, |reads| reads.invite(&InviteId([id; 16]))).unwrap();
    let all = |agency| reading(store, |reads| reads.invites(agency)).unwrap();
    assert_eq!((get(1), all(first)), (None, Vec::new()));
    let mut asked = invite(1, first, 10);
    let (later, elsewhere) = (invite(2, first, u32::MAX), invite(3, second, 11));
    writing(store, |writes| {
        for one in [&asked, &later, &elsewhere] {
            writes.put_invite(one)?;
        }
        assert_eq!(writes.invite(&asked.id)?.as_ref(), Some(&asked));
        Ok(())
    })
    .unwrap();
    assert_eq!(all(first), [asked.clone(), later.clone()]);
    assert_eq!(all(second), vec![elsewhere.clone()]);
    asked.request = Some(vec![7; 4096]);
    asked.answer = Some(vec![8; 65_536]);
    asked.enrolment = Some(vec![9; 160]);
    let given_up = writing(store, |writes| {
        writes.put_invite(&asked)?;
        Err::<(), _>(StoreError::Damaged("given up"))
    });
    assert!(given_up.is_err());
    assert_eq!(get(1), Some(invite(1, first, 10)));
    writing(store, |writes| writes.put_invite(&asked)).unwrap();
    assert_eq!(get(1), Some(asked));
    writing(store, |writes| writes.forget_invites(Day(11))).unwrap();
    assert_eq!((all(first), all(second)), (vec![later], vec![elsewhere]));
}

/// A case with notes, as parcels in the order of their stream.
struct Sample {
    world: World,
    case: CaseFile,
    parcels: Vec<Parcel>,
    made: Vec<Made>,
}

impl Sample {
    fn new(seed: u64, notes: u8) -> Self {
        let world = World::new(seed, 2);
        let case = CaseFile::empty(&world, seed);
        let mut sample = Self {
            world,
            case,
            parcels: Vec::new(),
            made: Vec::new(),
        };
        let event = Event::CaseOpened(sample.case.opening(&sample.world, 0));
        let sealed = Vec::new();
        let link = sample.next(LinkBody::Event(PlacedEvent { event, sealed }), &[]);
        let LinkBody::Event(placed) = &link.link().body else {
            panic!()
        };
        let files = keyrings(&placed.event).iter().map(|k| wire::encode(&k.to).unwrap());
        sample.parcels.push(pack(&link, Vec::new(), files.collect()).unwrap());
        for number in 0..notes {
            let made = sample.case.note(&sample.world, 0, Section::CORE, number);
            let link = sample.next(LinkBody::Record(made.placement), &[made.stored()]);
            let record = carry(made.record.as_unverified(), &made.wrap);
            sample.parcels.push(pack(&link, vec![record], Vec::new()).unwrap());
            sample.made.push(made);
        }
        sample
    }

    fn next(&mut self, body: LinkBody, stored: &[vault_core::placing::StoredRecord<'_>]) -> UnverifiedLink {
        let link = self.case.link(&self.world, 0, body);
        let link = vault_core::forge::twin::LinkTwin::signed(link, &self.world.people[0].signer);
        let link = link.received().unwrap();
        self.case.try_link(&self.world, &link, stored).unwrap();
        link
    }

    fn agency(&self) -> AgencyId {
        self.world.agency.id()
    }

    fn stream(&self) -> StreamId {
        StreamId::case(self.case.id)
    }

    fn opened(&self, at: usize) -> (UnverifiedLink, Vec<OpenRecord>, Vec<Vec<u8>>) {
        OpenParcel::open(self.parcels[at].clone()).unwrap().into_parts()
    }

    fn id(&self, at: usize) -> LinkId {
        self.opened(at).0.id()
    }

    /// Stores parcels `from` to before `to` at the leaves of their numbers in the stream.
    fn store(&self, writes: &mut dyn Writes, from: usize, to: usize) -> Result<StreamNo, StoreError> {
        let agency = writes.register(&self.agency(), &seed())?.no;
        let no = match writes.stream(agency, self.stream())? {
            Some(row) => row.no,
            None => writes.open_stream(agency, self.stream())?,
        };
        for at in from..to {
            let (link, records, blobs) = self.opened(at);
            writes.append(NewLink {
                agency,
                leaf: at as u64,
                stream: no,
                link: &link,
                records: &records,
                blobs: &blobs,
            })?;
        }
        Ok(no)
    }
}

fn seed() -> SigningSeed {
    SigningSeed::from_bytes([3; 32])
}

fn number(reads: &dyn Reads, sample: &Sample) -> AgencyNo {
    reads.agency(&sample.agency()).unwrap().unwrap().no
}

fn an_agency_keeps_its_first_key(store: &dyn Store) {
    let id = AgencyId([1; 32]);
    assert!(reading(store, |reads| reads.agency(&id)).unwrap().is_none());
    let first = writing(store, |writes| writes.register(&id, &seed())).unwrap();
    let again = writing(store, |writes| writes.register(&id, &SigningSeed::from_bytes([4; 32]))).unwrap();
    let found = reading(store, |reads| reads.agency(&id)).unwrap().unwrap();
    for row in [again, found] {
        assert_eq!((row.no, row.id, row.log_seed), (first.no, id, seed()));
    }
    let key = store.session_key().unwrap();
    assert_eq!(store.session_key().unwrap(), key);
}

fn what_is_written_comes_back(store: &dyn Store) {
    let sample = Sample::new(1, 3);
    let no = writing(store, |writes| sample.store(writes, 0, 4)).unwrap();
    reading(store, |reads| {
        let agency = number(reads, &sample);
        assert_eq!(reads.size(agency)?, 4);
        let row = reads.stream(agency, sample.stream())?.unwrap();
        assert_eq!((row.no, row.links, row.head, row.last), (no, 4, sample.id(3), 3));
        assert_eq!(reads.link_at(no, 2)?, Some((2, sample.id(2))));
        assert_eq!(reads.link_at(no, 4)?, None);
        let page = reads.page(no, 0, usize::MAX)?;
        let back: Vec<_> = page.parcels.iter().map(|placed| placed.parcel.clone()).collect();
        assert_eq!((back, page.more), (sample.parcels.clone(), 0));
        let read = |which| {
            let mut ids = Vec::new();
            reads.links(no, which, &mut |stored| {
                let seq = stored.link.link().seq;
                assert_eq!(stored.leaf, seq);
                for (part, made) in stored
                    .stored()
                    .iter()
                    .zip(seq.checked_sub(1).map(|at| &sample.made[at as usize]))
                {
                    assert_eq!(part.header, made.record.header());
                    assert_eq!((part.hash, part.wrap_hash), (made.record.hash(), made.wrap.hash()));
                }
                ids.push(stored.link.id());
                Ok(())
            })?;
            Ok::<_, StoreError>(ids)
        };
        let id = |at| sample.id(at);
        assert_eq!(read(Which::All)?, [id(0), id(1), id(2), id(3)]);
        assert_eq!(read(Which::Events)?, [id(0), id(3)]);
        assert_eq!(read(Which::Last)?, [id(3)]);
        assert_eq!(read(Which::Rewraps)?, []);
        let entries: Vec<_> = (0..4)
            .map(|at| Entry::of(sample.stream(), at, id(at as usize)))
            .collect();
        assert_eq!(reads.entries(agency, 0, 4)?, entries);
        assert_eq!(reads.entries(agency, 1, 2)?, entries[1..3]);
        assert!(matches!(reads.entries(agency, 3, 2), Err(StoreError::Damaged(_))));
        let made = &sample.made[1];
        let versions = reads.versions(no, RecordId([1; 16]))?;
        let [(hash, placed)] = versions.as_slice() else {
            panic!()
        };
        assert_eq!(*hash, made.record.hash());
        assert_eq!(
            (placed.record, placed.version, placed.section),
            (RecordId([1; 16]), 1, Section::CORE)
        );
        assert_eq!((placed.epoch, placed.erased), (Epoch(0), false));
        assert_eq!(placed.author, sample.world.people[0].member);
        // Another id that begins alike is another record.
        let mut alike = RecordId([1; 16]);
        alike.0[15] = 9;
        assert!(reads.versions(no, alike)?.is_empty());
        let asked = BTreeSet::from([made.record.hash(), RecordHash([9; 32])]);
        assert_eq!(reads.records(no, &asked)?.len(), 1);
        let totals = reads.totals()?;
        assert_eq!((totals.agencies, totals.streams, totals.links), (1, 1, 4));
        assert!(totals.bytes > 0);
        Ok(())
    })
    .unwrap();
}

fn a_transaction_is_whole_or_not_at_all(store: &dyn Store) {
    let sample = Sample::new(2, 3);
    writing(store, |writes| sample.store(writes, 0, 2)).unwrap();
    for leaf in [1, 4] {
        // Fails at its end, or by a number that is taken.
        let failed = writing(store, |writes| {
            sample.store(writes, 2, 4)?;
            let no = writes.stream(number(writes, &sample), sample.stream())?.unwrap().no;
            writes.set_holders(no, &BTreeSet::from([MemberId([1; 16])]))?;
            let (link, records, blobs) = sample.opened(3);
            writes.append(NewLink {
                agency: number(writes, &sample),
                leaf,
                stream: no,
                link: &link,
                records: &records,
                blobs: &blobs,
            })
        });
        assert!(failed.is_err());
    }
    let failed: Result<(), _> = writing(store, |writes| {
        sample.store(writes, 2, 4)?;
        Err(StoreError::Damaged("for the test"))
    });
    assert!(matches!(failed, Err(StoreError::Damaged("for the test"))));
    reading(store, |reads| {
        let agency = number(reads, &sample);
        let row = reads.stream(agency, sample.stream())?.unwrap();
        assert_eq!((row.links, row.head, reads.size(agency)?), (2, sample.id(1), 2));
        assert_eq!(reads.page(row.no, 0, usize::MAX)?.parcels.len(), 2);
        assert!(reads.versions(row.no, RecordId([1; 16]))?.is_empty());
        assert!(!reads.holds(row.no, MemberId([1; 16]))?);
        Ok(())
    })
    .unwrap();
    // And it goes on from there.
    writing(store, |writes| sample.store(writes, 2, 4)).unwrap();
}

fn a_transaction_goes_back_to_its_mark(store: &dyn Store) {
    let sample = Sample::new(12, 3);
    writing(store, |writes| {
        let no = sample.store(writes, 0, 2)?;
        writes.mark()?;
        sample.store(writes, 2, 4)?;
        writes.set_holders(no, &BTreeSet::from([MemberId([1; 16])]))?;
        writes.go_back()?;
        let agency = number(writes, &sample);
        let row = writes.stream(agency, sample.stream())?.unwrap();
        assert_eq!((row.links, row.head, writes.size(agency)?), (2, sample.id(1), 2));
        assert!(!writes.holds(no, MemberId([1; 16]))?);
        // The mark is gone with it; there may be another.
        writes.mark()?;
        sample.store(writes, 2, 3)?;
        writes.unmark()?;
        Ok(())
    })
    .unwrap();
    reading(store, |reads| {
        let agency = number(reads, &sample);
        let row = reads.stream(agency, sample.stream())?.unwrap();
        assert_eq!((row.links, row.head, reads.size(agency)?), (3, sample.id(2), 3));
        assert_eq!(reads.page(row.no, 0, usize::MAX)?.parcels.len(), 3);
        Ok(())
    })
    .unwrap();
}

fn a_transaction_sees_what_it_wrote(store: &dyn Store) {
    let sample = Sample::new(3, 1);
    writing(store, |writes| {
        let no = sample.store(writes, 0, 2)?;
        // Before anything else is asked: a store may send what was written with the next question.
        assert_eq!(writes.versions(no, RecordId([0; 16]))?.len(), 1);
        let agency = number(writes, &sample);
        assert_eq!(writes.size(agency)?, 2);
        assert_eq!(writes.link_at(no, 1)?, Some((1, sample.id(1))));
        // Nobody else does yet.
        let outside = reading(store, |reads| reads.agency(&sample.agency()))?;
        assert!(outside.is_none());
        Ok(())
    })
    .unwrap();
}

fn what_is_foreseen_is_answered_as_it_is_then(store: &dyn Store) {
    let sample = Sample::new(13, 3);
    let record = |note: u8| sample.made[usize::from(note)].record.header().record;
    writing(store, |writes| sample.store(writes, 0, 2)).unwrap();
    writing(store, |writes| {
        let agency = number(writes, &sample);
        let no = writes.stream(agency, sample.stream())?.unwrap().no;
        let all: Vec<_> = (0..3).map(|note| (no, record(note))).collect();
        writes.foresee(&all)?;
        let versions = |writes: &dyn Writes, note| writes.versions(no, record(note)).map(|found| found.len());
        assert_eq!(
            [versions(writes, 0)?, versions(writes, 1)?, versions(writes, 2)?],
            [1, 0, 0]
        );
        // Two are appended since, and one of them taken back.
        sample.store(writes, 2, 3)?;
        assert_eq!([versions(writes, 1)?, versions(writes, 2)?], [1, 0]);
        writes.mark()?;
        sample.store(writes, 3, 4)?;
        assert_eq!(versions(writes, 2)?, 1);
        writes.go_back()?;
        assert_eq!([versions(writes, 1)?, versions(writes, 2)?], [1, 0]);
        Ok(())
    })
    .unwrap();
}

fn a_snapshot_does_not_move(store: &dyn Store) {
    let sample = Sample::new(4, 2);
    let no = writing(store, |writes| sample.store(writes, 0, 2)).unwrap();
    reading(store, |reads| {
        let agency = number(reads, &sample);
        assert_eq!(reads.size(agency)?, 2);
        writing(store, |writes| sample.store(writes, 2, 3))?;
        assert_eq!(reads.size(agency)?, 2);
        assert_eq!(reads.page(no, 0, usize::MAX)?.parcels.len(), 2);
        Ok(())
    })
    .unwrap();
    let after = reading(store, |reads| reads.page(no, 0, usize::MAX)).unwrap();
    assert_eq!(after.parcels.len(), 3);
}

fn agencies_are_apart(store: &dyn Store) {
    let (one, other) = (Sample::new(5, 2), Sample::new(6, 1));
    writing(store, |writes| one.store(writes, 0, 3)).unwrap();
    writing(store, |writes| other.store(writes, 0, 2)).unwrap();
    reading(store, |reads| {
        let (first, second) = (number(reads, &one), number(reads, &other));
        assert_eq!((reads.size(first)?, reads.size(second)?), (3, 2));
        assert!(reads.stream(first, other.stream())?.is_none());
        assert_eq!(reads.entries(second, 0, 2)?[1].link, other.id(1));
        Ok(())
    })
    .unwrap();
}

fn lists_are_of_those_who_may_read(store: &dyn Store) {
    let sample = Sample::new(7, 2);
    let holder = MemberId([1; 16]);
    let (agency, case) = writing(store, |writes| {
        let no = sample.store(writes, 0, 3)?;
        writes.set_holders(no, &BTreeSet::from([holder, MemberId([2; 16])]))?;
        Ok((number(writes, &sample), no))
    })
    .unwrap();
    let reader = |member, reviews| Reader {
        device: DeviceId([7; 16]),
        member,
        reviews,
    };
    let list = |after, reader: Reader| {
        let list = reading(store, |reads| reads.streams(agency, after, &reader)).unwrap();
        list.into_iter()
            .map(|one| (one.stream, one.links, one.last))
            .collect::<Vec<_>>()
    };
    let whole = vec![(sample.stream(), 3, 2)];
    assert_eq!(list(0, reader(holder, false)), whole);
    assert_eq!(list(2, reader(holder, false)), whole);
    assert_eq!(list(3, reader(holder, false)), []);
    assert_eq!(list(u64::MAX, reader(holder, false)), []);
    assert_eq!(list(0, reader(MemberId([3; 16]), true)), []);
    writing(store, |writes| {
        writes.set_holders(case, &BTreeSet::from([MemberId([2; 16])]))
    })
    .unwrap();
    assert_eq!(list(0, reader(holder, false)), []);
    reading(store, |reads| {
        assert!(reads.holds(case, MemberId([2; 16]))? && !reads.holds(case, holder)?);
        Ok(())
    })
    .unwrap();
    // A stream that was opened and has no link is not listed.
    let nothing = StreamId::case(CaseId([9; 16]));
    writing(store, |writes| {
        let no = writes.open_stream(agency, nothing)?;
        writes.set_holders(no, &BTreeSet::from([holder]))
    })
    .unwrap();
    assert_eq!(list(0, reader(holder, false)), []);
}

/// Stores a stream of six links, five of them with a note.
pub(crate) fn stored(store: &dyn Store) -> StreamNo {
    writing(store, |writes| Sample::new(8, 5).store(writes, 0, 6)).unwrap()
}

fn a_page_ends_where_it_must(store: &dyn Store) {
    let no = stored(store);
    let page = |from, bytes| {
        let page = reading(store, |reads| reads.page(no, from, bytes)).unwrap();
        let leaves: Vec<_> = page.parcels.iter().map(|placed| placed.leaf).collect();
        (leaves, page.more)
    };
    // One at least, however long it is.
    assert_eq!(page(0, 0), (vec![0], 1));
    assert_eq!(page(5, 0), (vec![5], 0));
    assert_eq!(page(6, usize::MAX), (vec![], 0));
    let (leaves, more) = page(1, 3000);
    assert!(more == 1 && (2..5).contains(&leaves.len()) && leaves[0] == 1);
}

fn erased_bytes_are_gone_and_hashes_stay(store: &dyn Store) {
    let sample = Sample::new(9, 3);
    let no = writing(store, |writes| sample.store(writes, 0, 4)).unwrap();
    let made = &sample.made[0];
    let hash = made.record.hash();
    let whole = reading(store, |reads| reads.erasable(number(reads, &sample), 0)).unwrap();
    writing(store, |writes| writes.erase(no, &BTreeSet::from([hash]))).unwrap();
    // Again is nothing more.
    writing(store, |writes| writes.erase(no, &BTreeSet::from([hash]))).unwrap();
    // What is left of it takes no room that an erasure could give back.
    let erasable = |from| reading(store, |reads| reads.erasable(number(reads, &sample), from)).unwrap();
    let CarriedBody::Kept(body) = &sample.parcels[1].records[0].body else {
        panic!()
    };
    let weight = (body.ciphertext.len() + body.wrap.len()) as u64;
    assert_eq!(erasable(0), whole - weight);
    assert_eq!(erasable(2), 2 * weight);
    reading(store, |reads| {
        let page = reads.page(no, 0, usize::MAX)?;
        let CarriedBody::Erased(left) = page.parcels[1].parcel.records[0].body else {
            panic!()
        };
        assert_eq!(left.wrap, made.wrap.hash());
        let opened = OpenParcel::open(page.parcels[1].parcel.clone()).unwrap();
        assert_eq!(opened.records()[0].stored().hash, hash);
        assert_eq!(page.parcels[2].parcel, sample.parcels[2]);
        let (_, placed) = reads.versions(no, RecordId([0; 16]))?[0];
        assert!(placed.erased && !reads.versions(no, RecordId([1; 16]))?[0].1.erased);
        let mut wraps = Vec::new();
        reads.links(no, Which::All, &mut |stored| {
            wraps.extend(stored.parts.iter().map(|part| part.wrap_hash));
            Ok(())
        })?;
        assert_eq!(wraps[0], made.wrap.hash());
        Ok(())
    })
    .unwrap();
    // A keyring file at its place, and no other.
    writing(store, |writes| writes.erase_blob(number(writes, &sample), 0, 1)).unwrap();
    let page = reading(store, |reads| reads.page(no, 0, 0)).unwrap();
    let blobs = &page.parcels[0].parcel.blobs;
    assert!(blobs[0] == sample.parcels[0].blobs[0] && blobs[1].bytes.is_empty());
}

fn a_stream_is_dense(store: &dyn Store) {
    let sample = Sample::new(10, 3);
    writing(store, |writes| sample.store(writes, 0, 2)).unwrap();
    // One is left out; one is there already.
    for at in [3, 1] {
        let failed = writing(store, |writes| sample.store(writes, at, at + 1));
        assert!(failed.is_err(), "{at}");
    }
    let failed = writing(store, |writes| {
        let agency = number(writes, &sample);
        writes.open_stream(agency, sample.stream())
    });
    assert!(failed.is_err());
    let other = StreamId {
        kind: StreamKind::Access,
        id: sample.stream().id,
    };
    writing(store, |writes| writes.open_stream(number(writes, &sample), other)).unwrap();
}

fn tiles_are_kept_as_they_are(store: &dyn Store) {
    let id = AgencyId([1; 32]);
    let agency = writing(store, |writes| writes.register(&id, &seed())).unwrap().no;
    let tile = |level, index| Tile::new(level, index, 256).unwrap();
    writing(store, |writes| {
        writes.put_tile(agency, tile(0, 0), &[1; 8192])?;
        writes.put_tile(agency, tile(0, 1), &[2; 8192])?;
        writes.put_tile(agency, tile(1, 0), &[3; 8192])
    })
    .unwrap();
    reading(store, |reads| {
        assert_eq!(reads.tile(agency, 0, 1)?, Some(vec![2; 8192]));
        assert_eq!(reads.tile(agency, 1, 0)?, Some(vec![3; 8192]));
        assert_eq!(reads.tile(agency, 1, 1)?, None);
        assert_eq!(reads.tile(AgencyNo(agency.0 + 1), 0, 0)?, None);
        Ok(())
    })
    .unwrap();
    // A tile never changes.
    assert!(writing(store, |writes| writes.put_tile(agency, tile(0, 0), &[4; 8192])).is_err());
}
