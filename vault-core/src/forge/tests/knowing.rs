//! States that keep little judge as those do that keep all: a case fed events alone and lent what a store knows, and an
//! access stream taken up after its last link.

use crate::access::AccessState;
use crate::case_state::CaseState;
use crate::case_state::PlacedRecord;
use crate::check::Check;
use crate::forge::CaseFile;
use crate::forge::World;
use crate::forge::case::Made;
use crate::forge::twin::LinkTwin;
use crate::id::BodyHash;
use crate::id::KeyringHash;
use crate::id::RecordHash;
use crate::id::RecordId;
use crate::stream::Chain;
use crate::stream::UnverifiedLink;
use crate::wire::v1::access::AccessEntry;
use crate::wire::v1::access::AccessOperation;
use crate::wire::v1::access::AccessSegment;
use crate::wire::v1::event::Erasure;
use crate::wire::v1::event::ErasureGround;
use crate::wire::v1::event::Event;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;
use crate::wire::v1::membership::Rights;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;

/// A case as a store has it: its state without records, and the records beside it.
struct Lean {
    state: CaseState,
    records: Vec<(RecordHash, PlacedRecord)>,
}

impl Lean {
    /// What a store would find for a link: all versions of the records that it places, and those that it names by hash.
    fn known(&self, made: Option<&Made>, named: &[RecordHash]) -> Vec<(RecordHash, PlacedRecord)> {
        let is_version = |placed: &PlacedRecord| made.is_some_and(|made| made.record.header().record == placed.record);
        let found = |(hash, placed): &&(RecordHash, PlacedRecord)| is_version(placed) || named.contains(hash);
        self.records.iter().filter(found).copied().collect()
    }

    /// Judges a link by this and by the whole state, which have to agree; returns by what it was refused.
    fn agrees(
        &mut self,
        world: &World,
        full: &mut CaseState,
        link: &UnverifiedLink,
        made: Option<&Made>,
    ) -> Option<Check> {
        let named = match &link.link().body {
            LinkBody::Event(PlacedEvent {
                event: Event::Erasure(erasure),
                ..
            }) => erasure.records.clone(),
            _ => Vec::new(),
        };
        let stored: Vec<_> = made.iter().map(|made| made.stored()).collect();
        let known = self.known(made, &named);
        let whole = full.judge(&world.agency, link, &stored);
        let lean = self.state.judge_knowing(world.agency.now(), link, &stored, &known);
        assert_eq!(whole, lean);
        assert!(self.state.record(&RecordHash::ZERO).is_none());
        if lean.is_ok() {
            if let Some(made) = made {
                let hash = made.record.hash();
                self.records.push((hash, *full.record(&hash).unwrap()));
            }
            for (hash, placed) in &mut self.records {
                placed.erased |= named.contains(hash);
            }
        }
        lean.err().map(|refused| refused.check)
    }
}

#[test]
fn a_case_that_is_lent_what_a_store_knows_judges_as_one_that_knows_all() {
    let world = World::new(7, 3);
    let mut case = CaseFile::empty(&world, 7);
    let (mut full, state) = (CaseState::empty(case.id), CaseState::of_events(case.id));
    let records = Vec::new();
    let mut lean = Lean { state, records };
    let sign = |case: &CaseFile, by: usize, body: LinkBody| {
        let twin = LinkTwin::signed(case.link(&world, by, body), &world.people[by].signer);
        twin.received().unwrap()
    };
    let event = |event: Event| {
        let sealed = Vec::new();
        LinkBody::Event(PlacedEvent { event, sealed })
    };
    let mut tried = |case: &mut CaseFile, by: usize, body: LinkBody, made: Option<&Made>| {
        let link = sign(case, by, body);
        let refused = lean.agrees(&world, &mut full, &link, made);
        if refused.is_none() {
            case.state = full.clone();
            case.chain.follow(&link).unwrap();
        }
        refused
    };
    let opening = case.opening(&world, 0);
    assert_eq!(tried(&mut case, 0, event(Event::CaseOpened(opening)), None), None);
    let grant = case.grant(&world, 1, Rights::READ);
    let granting = crate::forge::case::granting(&world, &[grant]);
    assert_eq!(tried(&mut case, 0, event(Event::Membership(granting)), None), None);

    let first = case.note(&world, 0, Section::CORE, 1);
    let place = |made: &Made| LinkBody::Record(made.placement);
    assert_eq!(tried(&mut case, 0, place(&first), Some(&first)), None);
    assert_eq!(
        tried(&mut case, 0, place(&first), Some(&first)),
        Some(Check::PlacedTwice)
    );
    let again = case.note(&world, 0, Section(2), 1);
    assert_eq!(
        tried(&mut case, 0, place(&again), Some(&again)),
        Some(Check::PlacedTwice)
    );
    let amending = |case: &CaseFile, section, version, amends| {
        let mut header = case.header(&world, 0, section, 1);
        (header.version, header.amends) = (version, amends);
        case.make(&world, 0, header)
    };
    for (section, version, amends) in [
        (Section::CORE, 3, first.record.hash()),
        (Section(2), 2, first.record.hash()),
        (Section::CORE, 2, RecordHash([9; 32])),
    ] {
        let wrong = amending(&case, section, version, amends);
        assert_eq!(tried(&mut case, 0, place(&wrong), Some(&wrong)), Some(Check::Amends));
    }
    let second = amending(&case, Section::CORE, 2, first.record.hash());
    assert_eq!(tried(&mut case, 0, place(&second), Some(&second)), None);

    let erasing = |hash: RecordHash| {
        event(Event::Erasure(Erasure {
            records: vec![hash],
            ground: ErasureGround::Decided,
        }))
    };
    let (gone, strange) = (first.record.hash(), RecordHash([8; 32]));
    assert_eq!(tried(&mut case, 0, erasing(strange), None), Some(Check::ErasureTarget));
    for stranger in [1, 2] {
        assert_eq!(
            tried(&mut case, stranger, erasing(gone), None),
            Some(Check::ErasureRight)
        );
    }
    assert_eq!(tried(&mut case, 0, erasing(gone), None), None);
    assert_eq!(tried(&mut case, 0, erasing(gone), None), Some(Check::ErasureTarget));
    assert_eq!(first.record.header().record, RecordId([1; 16]));
}

#[test]
fn an_access_stream_goes_on_from_its_last_link() {
    let world = World::new(8, 1);
    let person = &world.people[0];
    let mut chain = Chain::empty(world.agency.id(), StreamId::access(person.device));
    let mut state = AccessState::empty(person.device);
    let segment = |segment| {
        LinkBody::Segment(AccessSegment {
            segment,
            dpo_epoch: 0,
            start_hash: KeyringHash([0; 32]),
        })
    };
    let entry = |segment, index| {
        LinkBody::Access(AccessEntry {
            segment,
            index,
            operation: AccessOperation::Open,
            subject: None,
            release_hash: BodyHash::ZERO,
            body_hash: BodyHash::ZERO,
            manifest_hash: BodyHash::ZERO,
        })
    };
    for body in [
        segment(0),
        entry(0, 0),
        entry(0, 1),
        segment(1),
        segment(2),
        entry(2, 0),
    ] {
        let link = chain.next_link(world.agency.head(), person.device, body);
        let link = LinkTwin::signed(link, &person.signer).received().unwrap();
        state.judge(&world.agency, &link).unwrap();
        chain.follow(&link).unwrap();
        let after = AccessState::after(person.device, &world.agency, &link).unwrap();
        assert_eq!(format!("{after:?}"), format!("{state:?}"));
    }
}
