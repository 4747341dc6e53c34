//! CHK-40 to CHK-51: what holds of every link.

use super::guarded;
use super::refused;
use super::still_works;
use crate::check::Check;
use crate::check::Refused;
use crate::epoch::release_commitment_bytes;
use crate::forge::CaseFile;
use crate::forge::Person;
use crate::forge::World;
use crate::forge::case::MONTH;
use crate::forge::case::Made;
use crate::forge::twin::LinkTwin;
use crate::forge::world::log_key;
use crate::id::LinkId;
use crate::id::WrapHash;
use crate::wire::v1::access::AccessSegment;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::event::Event;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;
use crate::wire::v1::link::Release;
use crate::wire::v1::link::ReleaseCommitment;
use crate::wire::v1::link::Seen;
use crate::wire::v1::record::RecordClass;
use crate::wire::v1::record::RecordHeader;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;
use crate::wire::v1::stream::StreamKind;

fn setting() -> (World, CaseFile, Made) {
    let world = World::new(1, 2);
    let case = CaseFile::shared(&world, 1, 2);
    let made = case.note(&world, 0, Section::CORE, 1);
    (world, case, made)
}

/// Judges a record link after `edit`, signed by person 0.
fn edited(world: &World, case: &CaseFile, made: &Made, edit: impl Fn(&mut Link)) -> Result<(), Refused> {
    let mut link = case.link(world, 0, LinkBody::Record(made.placement));
    edit(&mut link);
    let twin = LinkTwin::signed(link, &world.people[0].signer);
    case.clone().try_link(world, &twin.received()?, &[made.stored()])
}

#[test]
fn chk_40_a_link_of_another_agency_or_stream_is_refused() {
    let (world, case, made) = setting();
    let other = World::new(2, 1);
    guarded(Check::Agency, || {
        edited(&world, &case, &made, |l| l.stream.id = [9; 16]).or_else(placement)
    });
    guarded(Check::Agency, || {
        edited(&world, &case, &made, |l| l.agency = other.agency.id()).or_else(placement)
    });
    // The agency's stream alike.
    let mut link = world.link(0, Event::Settings(crate::id::PolicyHash([1; 32])));
    link.agency = other.agency.id();
    let twin = LinkTwin::signed(link, &world.people[0].signer);
    guarded(Check::Agency, || world.judged_link(twin.received()?));
    still_works(&world, &case, &[0, 1]);
}

/// The record inside names its own stream too: a second guard, counted as through.
fn placement(refused: Refused) -> Result<(), Refused> {
    if refused.check == Check::Placement {
        Ok(())
    } else {
        Err(refused)
    }
}

#[test]
fn chk_41_a_gap_or_another_past_is_refused() {
    let (world, case, made) = setting();
    for seq in [0, case.chain.next_seq() - 1, case.chain.next_seq() + 1, u64::MAX] {
        refused(Check::Chain, edited(&world, &case, &made, |l| l.seq = seq));
    }
    guarded(Check::Chain, || edited(&world, &case, &made, |l| l.seq += 1));
    guarded(Check::Chain, || {
        edited(&world, &case, &made, |l| l.previous = LinkId([1; 32]))
    });
    let mut link = world.link(0, Event::Settings(crate::id::PolicyHash([1; 32])));
    link.seq += 1;
    let twin = LinkTwin::signed(link, &world.people[0].signer);
    guarded(Check::Chain, || world.judged_link(twin.received()?));
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn chk_42_a_kind_that_does_not_belong_in_its_stream_is_refused() {
    let (world, case, made) = setting();
    let segment = LinkBody::Segment(AccessSegment {
        segment: 0,
        dpo_epoch: 0,
        start_hash: crate::id::KeyringHash([0; 32]),
    });
    refused(
        Check::KindOfStream,
        edited(&world, &case, &made, |l| l.body = segment.clone()),
    );
    let access = |l: &mut Link| l.stream.kind = StreamKind::Access;
    refused(Check::KindOfStream, edited(&world, &case, &made, access));
    // An agency's event in a case, a case's in the agency, a record in the agency's stream.
    refused(Check::KindOfStream, case.judged(&world, 0, world.people[1].joins()));
    refused(Check::KindOfStream, world.judged(0, Event::Relation));
    let mut link = world.link(0, Event::Relation);
    link.body = LinkBody::Record(made.placement);
    let twin = LinkTwin::signed(link, &world.people[0].signer);
    refused(Check::KindOfStream, world.judged_link(twin.received().unwrap()));
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn chk_43_an_agency_head_that_is_unknown_or_went_back_is_refused() {
    let (mut world, mut case, made) = setting();
    let old = world.agency.head();
    world.join(Person::new(9, Roles::CASEWORKER));
    let note = case.note(&world, 1, Section::CORE, 9);
    case.try_record(&world, 1, &note).unwrap();
    guarded(Check::AgencyHead, || {
        edited(&world, &case, &made, |l| l.agency_head = old)
    });
    for unknown in [LinkId::ZERO, LinkId([7; 32]), case.chain.head().unwrap().1] {
        refused(
            Check::AgencyHead,
            edited(&world, &case, &made, |l| l.agency_head = unknown),
        );
    }
    let mut link = world.link(0, Event::Settings(crate::id::PolicyHash([1; 32])));
    link.agency_head = old;
    let twin = LinkTwin::signed(link, &world.people[0].signer);
    guarded(Check::AgencyHead, || world.judged_link(twin.received()?));
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn chk_44_a_device_that_is_not_live_signs_nothing() {
    let (mut world, case, made) = setting();
    let before = world.agency.head();
    refused(
        Check::Signer,
        edited(&world, &case, &made, |l| l.device = crate::id::DeviceId([9; 16])),
    );
    let mut retired = World {
        agency: world.agency.clone(),
        people: World::new(1, 2).people,
        ..World::new(1, 2)
    };
    retired
        .try_event(0, Event::DeviceRetired(world.people[1].device))
        .unwrap();
    let note = case.note(&retired, 1, Section::CORE, 9);
    refused(Check::Signer, case.judged_record(&retired, 1, &note));
    // Citing the agency as it was before does not help.
    let mut link = case.link(&retired, 1, LinkBody::Record(note.placement));
    link.agency_head = before;
    let twin = LinkTwin::signed(link, &retired.people[1].signer);
    let attempt = case
        .clone()
        .try_link(&retired, &twin.received().unwrap(), &[note.stored()]);
    refused(Check::Signer, attempt);
    refused(Check::Signer, retired.judged(1, Event::Relation));
    still_works(&retired, &case, &[0]);

    // A device cannot have signed against an agency that did not know it yet.
    world.join(Person::new(9, Roles::CASEWORKER));
    let mut early = case.clone();
    early
        .try_event(
            &world,
            0,
            super::change(crate::forge::case::granting(
                &world,
                &[case.grant(&world, 2, crate::wire::v1::membership::Rights::ALL)],
            )),
        )
        .unwrap();
    let note = early.note(&world, 2, Section::CORE, 9);
    assert_eq!(early.judged_record(&world, 2, &note), Ok(()));
    let fresh = CaseFile::open(&world, 2, 0);
    let mut link = fresh.link(
        &world,
        2,
        LinkBody::Event(PlacedEvent {
            event: Event::Relation,
            sealed: Vec::new(),
        }),
    );
    (link.agency_head, link.seq, link.previous) = (before, 0, LinkId::ZERO);
    let twin = LinkTwin::signed(link, &world.people[2].signer);
    let mut empty = CaseFile::empty(&world, 2);
    refused(Check::Signer, empty.try_link(&world, &twin.received().unwrap(), &[]));
}

#[test]
fn chk_45_a_link_that_its_device_did_not_sign_is_refused() {
    let (world, case, made) = setting();
    let link = case.link(&world, 0, LinkBody::Record(made.placement));
    let stolen = LinkTwin::signed(link.clone(), &world.people[1].signer);
    let attempt = |twin: &LinkTwin| case.clone().try_link(&world, &twin.received()?, &[made.stored()]);
    guarded(Check::LinkSignature, || attempt(&stolen));
    let honest = LinkTwin::signed(link, &world.people[0].signer);
    for bit in 0..512 {
        let mut twin = honest.clone();
        twin.signature.0[bit / 8] ^= 1 << (bit % 8);
        refused(Check::LinkSignature, attempt(&twin));
    }
    assert_eq!(attempt(&honest), Ok(()));
    let forged = LinkTwin::signed(
        world.link(0, Event::Settings(crate::id::PolicyHash([1; 32]))),
        &world.people[1].signer,
    );
    guarded(Check::LinkSignature, || world.judged_link(forged.received()?));
}

#[test]
fn chk_46_a_checkpoint_that_nothing_verifies_is_refused() {
    let seen = Some(Seen {
        size: 1,
        root: [0; 32],
        signature: crate::crypto::sign::Signature([0; 64]),
    });
    let (world, case, made) = setting();
    guarded(Check::SeenCheckpoint, || {
        edited(&world, &case, &made, |l| l.seen = seen)
    });
    let mut link = world.link(0, Event::Settings(crate::id::PolicyHash([1; 32])));
    link.seen = seen;
    let twin = LinkTwin::signed(link, &world.people[0].signer);
    guarded(Check::SeenCheckpoint, || world.judged_link(twin.received()?));
    // Where the root names a log, too.
    let world = World::with_release(3, 1);
    let case = CaseFile::open(&world, 3, 0);
    let made = released(&world, &case, 1, &log_key());
    guarded(Check::SeenCheckpoint, || {
        edited(&world, &case, &made, |l| l.seen = seen)
    });
}

#[test]
fn chk_46_a_checkpoint_of_the_log_is_taken_and_never_a_smaller_one_after_it() {
    let world = World::with_release(3, 1);
    let seen_by = |size, key: &crate::crypto::sign::SigningKey| {
        let root = crate::tlog::tree::leaf(&[7]);
        let agency = world.agency.id();
        let checkpoint = crate::tlog::checkpoint::Checkpoint { agency, size, root };
        Some(Seen {
            size,
            root: root.0,
            signature: checkpoint.sign(key),
        })
    };
    let mut case = CaseFile::open(&world, 3, 0);
    for (number, size) in [(1, 5), (2, 5), (3, 9)] {
        let made = released(&world, &case, number, &log_key());
        let mut link = case.link(&world, 0, LinkBody::Record(made.placement));
        link.seen = seen_by(size, &log_key());
        let twin = LinkTwin::signed(link, &world.people[0].signer);
        case.try_link(&world, &twin.received().unwrap(), &[made.stored()])
            .unwrap();
    }
    let made = released(&world, &case, 4, &log_key());
    let with = |seen| edited(&world, &case, &made, |link| link.seen = seen);
    guarded(Check::SeenCheckpoint, || with(seen_by(8, &log_key())));
    guarded(Check::SeenCheckpoint, || with(seen_by(10, &world.people[0].signer)));
    // What says nothing says less: the verdict is the same for whoever knows the last link alone.
    guarded(Check::SeenCheckpoint, || with(None));
    assert_eq!(with(seen_by(10, &log_key())), Ok(()));
    let mut wrong = seen_by(10, &log_key());
    if let Some(seen) = &mut wrong {
        seen.size = 11;
    }
    guarded(Check::SeenCheckpoint, || with(wrong));
}

#[test]
fn chk_47_a_placement_that_is_not_the_stored_records_is_refused() {
    let (world, case, made) = setting();
    let attempt = |placement: crate::wire::v1::link::Placement| {
        case.clone()
            .try_body(&world, 0, LinkBody::Record(placement), &[made.stored()])
    };
    let other = case.note(&world, 0, Section::CORE, 2);
    let mut hash = made.placement;
    hash.record_hash = other.record.hash();
    guarded(Check::Placement, || attempt(hash));
    let mut wrap = made.placement;
    wrap.wrap_hash = WrapHash([1; 32]);
    guarded(Check::Placement, || attempt(wrap));
    let mut section = made.placement;
    section.section = Section::INDEX;
    guarded(Check::Placement, || attempt(section));
    // A record of another case or agency, signed by the same author.
    let elsewhere = CaseFile::shared(&world, 2, 2).note(&world, 0, Section::CORE, 1);
    guarded(Check::Placement, || case.judged_record(&world, 0, &elsewhere));
    let foreign = RecordHeader {
        agency: World::new(2, 1).agency.id(),
        ..case.header(&world, 0, Section::CORE, 1)
    };
    let foreign = case.make(&world, 0, foreign);
    guarded(Check::Placement, || case.judged_record(&world, 0, &foreign));
    // A note hidden among an event's sealed parts, and parts that are missing or too many.
    let event = |sealed: Vec<crate::wire::v1::link::Placement>| {
        LinkBody::Event(PlacedEvent {
            event: Event::Relation,
            sealed,
        })
    };
    guarded(Check::Placement, || {
        case.clone()
            .try_body(&world, 0, event(vec![made.placement]), &[made.stored()])
    });
    refused(
        Check::Placement,
        case.clone().try_body(&world, 0, event(vec![made.placement]), &[]),
    );
    refused(
        Check::Placement,
        case.clone().try_body(&world, 0, LinkBody::Record(made.placement), &[]),
    );
    let admin = |number: u8| {
        let header = RecordHeader {
            class: RecordClass::Admin,
            ..case.header(&world, 0, Section::INDEX, number)
        };
        case.make(&world, 0, header)
    };
    let parts: Vec<_> = (1..=5).map(admin).collect();
    let placed: Vec<_> = parts.iter().map(|p| p.placement).collect();
    let stored: Vec<_> = parts.iter().map(Made::stored).collect();
    guarded(Check::TooLong, || {
        case.clone().try_body(&world, 0, event(placed.clone()), &stored)
    });
    let four = case
        .clone()
        .try_body(&world, 0, event(placed[..4].to_vec()), &stored[..4]);
    assert_eq!(four, Ok(()));
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn chk_48_a_record_is_placed_once() {
    let (world, mut case, made) = setting();
    case.try_record(&world, 0, &made).unwrap();
    guarded(Check::PlacedTwice, || case.judged_record(&world, 0, &made));
    guarded(Check::PlacedTwice, || case.judged_record(&world, 1, &made));
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn chk_48_a_second_first_version_of_a_record_is_refused() {
    let (world, mut case, made) = setting();
    case.try_record(&world, 0, &made).unwrap();
    let header = made.record.header();
    let elsewhere = case.make(
        &world,
        0,
        RecordHeader {
            section: Section(2),
            ..header.clone()
        },
    );
    assert_eq!(elsewhere.record.header().record, header.record);
    guarded(Check::PlacedTwice, || case.judged_record(&world, 0, &elsewhere));
    still_works(&world, &case, &[0]);
}

/// A note by person 0 under a release whose commitment `by` signs.
fn released(world: &World, case: &CaseFile, number: u8, by: &crate::crypto::sign::SigningKey) -> Made {
    let mut made = case.note(world, 0, Section::CORE, number);
    made.placement.release = release(world, case, [1; 32], by);
    made
}

fn release(world: &World, case: &CaseFile, commitment: [u8; 32], by: &crate::crypto::sign::SigningKey) -> Release {
    let context = case.context(world, Section::CORE, crate::wire::v1::stream::Epoch::FIRST);
    let mut committed = ReleaseCommitment {
        version: 1,
        commitment,
        signature: [0; 64],
    };
    let unsigned = Release {
        month: MONTH,
        commitment: Some(committed),
    };
    let bytes = release_commitment_bytes(&context, &unsigned).unwrap();
    let label = 1 + crate::context::Label::ReleaseCommitment.text().len();
    committed.signature = by.sign(crate::context::Label::ReleaseCommitment, &[&bytes[label..]]).0;
    Release {
        month: MONTH,
        commitment: Some(committed),
    }
}

#[test]
fn chk_49_the_first_release_of_a_month_fixes_it_and_the_log_signed_it() {
    let world = World::with_release(3, 2);
    let mut case = CaseFile::open(&world, 3, 0);
    let forged = released(&world, &case, 1, &world.people[1].signer);
    guarded(Check::ReleaseChanged, || case.judged_record(&world, 0, &forged));
    let honest = released(&world, &case, 1, &log_key());
    case.try_record(&world, 0, &honest).unwrap();
    let mut other = released(&world, &case, 2, &log_key());
    other.placement.release = release(&world, &case, [2; 32], &log_key());
    guarded(Check::ReleaseChanged, || case.judged_record(&world, 0, &other));
    assert_eq!(
        case.judged_record(&world, 0, &released(&world, &case, 2, &log_key())),
        Ok(())
    );
}

#[test]
fn chk_50_a_release_is_used_exactly_where_the_root_names_one() {
    let (world, case, made) = setting();
    let mut released_here = made.clone();
    released_here.placement.release = release(&world, &case, [1; 32], &log_key());
    refused(Check::ReleaseNone, case.judged_record(&world, 0, &released_here));
    let with = World::with_release(3, 1);
    let other = CaseFile::open(&with, 3, 0);
    let none = other.note(&with, 0, Section::CORE, 1);
    guarded(Check::ReleaseNone, || other.judged_record(&with, 0, &none));
    // Version 0 is how "none" is written in a key's context, so no commitment may carry it.
    let mut zero = made.clone();
    let mut commitment = release(&world, &case, [1; 32], &log_key()).commitment.unwrap();
    commitment.version = 0;
    zero.placement.release.commitment = Some(commitment);
    refused(Check::ReleaseNone, case.judged_record(&world, 0, &zero));
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn chk_51_a_case_is_opened_once_and_first() {
    let (world, case, made) = setting();
    let again = Event::CaseOpened(case.opening(&world, 0));
    refused(Check::CaseOpened, case.judged(&world, 0, again));
    let empty = CaseFile::empty(&world, 2);
    refused(Check::CaseOpened, empty.judged(&world, 0, Event::Relation));
    refused(
        Check::CaseOpened,
        empty.judged(&world, 0, super::change(case.opening(&world, 0))),
    );
    refused(
        Check::CaseOpened,
        edited(&world, &empty, &empty.note(&world, 0, Section::CORE, 1), |_| ()),
    );
    assert_eq!(
        empty.judged(&world, 0, Event::CaseOpened(empty.opening(&world, 0))),
        Ok(())
    );
    assert_eq!(StreamId::case(case.id), made.record.header().stream);
    still_works(&world, &case, &[0, 1]);
}
