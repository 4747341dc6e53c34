//! CHK-73 to CHK-78 and CHK-80, CHK-81: what may be written and erased.

use super::change;
use super::guarded;
use super::refused;
use super::still_works;
use crate::check::Check;
use crate::check::Refused;
use crate::forge::CaseFile;
use crate::forge::World;
use crate::forge::case::Made;
use crate::forge::case::granting;
use crate::forge::case::none;
use crate::forge::world::keyrings;
use crate::id::RecordHash;
use crate::id::WrapHash;
use crate::wire;
use crate::wire::v1::event::Erasure;
use crate::wire::v1::event::ErasureGround;
use crate::wire::v1::event::Event;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::Rewrap;
use crate::wire::v1::link::Rewrapped;
use crate::wire::v1::membership::Membership;
use crate::wire::v1::membership::Rights;
use crate::wire::v1::record::RecordClass;
use crate::wire::v1::record::RecordHeader;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;

const ALL: [Section; 3] = [Section::INDEX, Section::CORE, Section(2)];
const PRIVATE: Section = Section(0x8000);

/// Four people; 0 owns the case, 1 and 2 hold it whole, 3 does not.
fn setting() -> (World, CaseFile) {
    let world = World::new(1, 4);
    let case = CaseFile::shared(&world, 1, 3);
    (world, case)
}

fn with_private(world: &World, case: &mut CaseFile, author: usize) {
    let mut opening = case.rotation(world, &[PRIVATE], &[author]);
    opening.opens[0].private_author = Some(world.people[author].member);
    case.try_event(world, author, change(opening)).unwrap();
}

#[test]
fn chk_73_a_due_section_takes_no_record_until_it_is_rotated() {
    let (world, mut case) = setting();
    let mark = Membership {
        due: vec![Section::CORE],
        ..Membership::default()
    };
    case.try_event(&world, 1, change(mark)).unwrap();
    let made = case.note(&world, 0, Section::CORE, 1);
    guarded(Check::SectionDue, || case.judged_record(&world, 0, &made));
    let elsewhere = case.note(&world, 0, Section::INDEX, 1);
    assert_eq!(case.judged_record(&world, 0, &elsewhere), Ok(()));
    let rotation = change(case.rotation(&world, &[Section::CORE], &[0, 1, 2]));
    case.try_event(&world, 2, rotation).unwrap();
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn chk_74_a_record_under_an_old_epoch_is_refused() {
    let (world, mut case) = setting();
    let stale = case.note(&world, 1, Section::CORE, 1);
    let rotation = change(case.rotation(&world, &ALL, &[0, 1, 2]));
    case.try_event(&world, 0, rotation).unwrap();
    refused(Check::EpochHead, case.judged_record(&world, 1, &stale));
    for epoch in [2, u32::MAX, 0x8000_0000] {
        let mut wrong = case.note(&world, 1, Section::CORE, 1);
        wrong.placement.epoch = Epoch(epoch);
        refused(Check::EpochHead, case.judged_record(&world, 1, &wrong));
    }
    let nowhere = RecordHeader {
        section: Section(9),
        ..case.header(&world, 1, Section::CORE, 1)
    };
    let nowhere = case.make(&world, 1, nowhere);
    refused(Check::EpochHead, case.judged_record(&world, 1, &nowhere));
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn chk_75_only_a_holder_with_write_writes() {
    let (world, mut case) = setting();
    let outsider = case.note(&world, 3, Section::CORE, 1);
    guarded(Check::WriteRight, || case.judged_record(&world, 3, &outsider));
    guarded(Check::WriteRight, || case.judged(&world, 3, Event::Relation));
    let readers = Rights(Rights::READ.0 | Rights::SHARE.0 | Rights::OWN.0);
    let grant = case.grant(&world, 3, readers);
    case.try_event(&world, 0, change(granting(&world, &[grant]))).unwrap();
    guarded(Check::WriteRight, || case.judged_record(&world, 3, &outsider));
    // A writer who places a reader's record adopts it; the reader stays its author.
    assert_eq!(case.judged_record(&world, 0, &outsider), Ok(()));
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn chk_76_a_write_to_somebody_who_left_is_refused_until_the_section_is_rotated() {
    let (mut world, mut case) = setting();
    let before = case.note(&world, 0, Section::CORE, 1);
    assert_eq!(case.judged_record(&world, 0, &before), Ok(()));
    world
        .try_event(0, Event::MemberRetired(world.people[2].member))
        .unwrap();
    guarded(Check::RecipientsWithin, || case.judged_record(&world, 0, &before));
    // Nor does citing the agency as it was when the epoch was still right.
    let mut link = case.link(&world, 0, LinkBody::Record(before.placement));
    link.agency_head = world.links[world.links.len() - 2].id();
    let twin = crate::forge::twin::LinkTwin::signed(link, &world.people[0].signer);
    refused(
        Check::RecipientsWithin,
        case.clone()
            .try_link(&world, &twin.received().unwrap(), &[before.stored()]),
    );
    // A rotation that still names the one who left is refused, the right one is accepted, and writing goes on.
    refused(
        Check::EpochRecipients,
        case.judged(&world, 0, change(case.rotation(&world, &ALL, &[0, 1, 2]))),
    );
    let rotation = change(case.rotation(&world, &ALL, &[0, 1]));
    case.try_event(&world, 1, rotation).unwrap();
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn chk_76_a_stolen_recipient_key_is_out_before_the_next_write() {
    let (mut world, mut case) = setting();
    let mut new = world.people[1].recipient(2);
    new.key = crate::keyring::recipient_key(&crate::secret::RecipientSeed::from_bytes([3; 32]));
    let made = case.note(&world, 0, Section::CORE, 1);
    world.try_event(1, Event::Recipient(new)).unwrap();
    guarded(Check::RecipientsWithin, || case.judged_record(&world, 0, &made));
    let rotation = change(case.rotation(&world, &ALL, &[0, 1, 2]));
    case.try_event(&world, 0, rotation).unwrap();
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn chk_76_who_was_let_in_later_counts_as_a_reader() {
    let (mut world, mut case) = setting();
    // Person 3 gets the keys of the epoch that is open, and then leaves the agency.
    let grant = case.grant(&world, 3, Rights::READ);
    case.try_event(&world, 0, change(granting(&world, &[grant]))).unwrap();
    let made = case.note(&world, 0, Section::CORE, 1);
    assert_eq!(case.judged_record(&world, 0, &made), Ok(()));
    world
        .try_event(0, Event::MemberRetired(world.people[3].member))
        .unwrap();
    guarded(Check::RecipientsWithin, || case.judged_record(&world, 0, &made));
    let rotation = change(case.rotation(&world, &ALL, &[0, 1, 2]));
    case.try_event(&world, 0, rotation).unwrap();
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn chk_77_private_sections_and_private_records_belong_together() {
    let (world, mut case) = setting();
    with_private(&world, &mut case, 1);
    let of_class = |author: usize, section: Section, class: RecordClass| {
        let header = RecordHeader {
            class,
            ..case.header(&world, author, section, 1)
        };
        case.make(&world, author, header)
    };
    for class in [RecordClass::Note, RecordClass::Admin, RecordClass::Attachment] {
        let open = of_class(1, PRIVATE, class);
        guarded(Check::PrivateSection, || case.judged_record(&world, 1, &open));
    }
    let leaked = of_class(1, Section::CORE, RecordClass::Private);
    guarded(Check::PrivateSection, || case.judged_record(&world, 1, &leaked));
    // Somebody else's reflection, and the author's placed by somebody else.
    let others = of_class(0, PRIVATE, RecordClass::Private);
    guarded(Check::PrivateSection, || case.judged_record(&world, 0, &others));
    guarded(Check::PrivateSection, || case.judged_record(&world, 1, &others));
    let own = of_class(1, PRIVATE, RecordClass::Private);
    guarded(Check::PrivateSection, || case.judged_record(&world, 0, &own));
    assert_eq!(case.judged_record(&world, 1, &own), Ok(()));
    still_works(&world, &case, &[0, 1, 2]);
}

/// A case with a record of epoch 0, epoch 1 its head, and a history epoch over epoch 0 for `people`.
fn with_history(world: &World, case: &mut CaseFile, people: &[usize]) -> Made {
    let made = case.note(world, 0, Section::CORE, 1);
    case.try_record(world, 0, &made).unwrap();
    let rotation = change(case.rotation(world, &ALL, people));
    case.try_event(world, 0, rotation).unwrap();
    let readers = world.readers(people);
    let membership = Membership {
        opens: vec![case.epoch_open(world, Section::CORE, Epoch::FIRST_HISTORY, &readers)],
        keyrings: keyrings(&readers),
        ..Membership::default()
    };
    case.try_event(world, 0, change(membership)).unwrap();
    made
}

fn rewrapped(items: &[(RecordHash, u8)], epoch: Epoch) -> LinkBody {
    let items = items.iter().map(|(record_hash, wrap)| Rewrapped {
        record_hash: *record_hash,
        wrap_hash: WrapHash([*wrap; 32]),
    });
    LinkBody::Rewrap(Rewrap {
        section: Section::CORE,
        epoch,
        release: none(),
        items: items.collect(),
    })
}

#[test]
fn chk_78_a_rewrap_is_of_its_history_epochs_records_alone() {
    let (world, mut case) = setting();
    let old = with_history(&world, &mut case, &[0, 1, 2]);
    let new = case.note(&world, 0, Section::CORE, 2);
    case.try_record(&world, 0, &new).unwrap();
    let attempt = |items: &[(RecordHash, u8)], epoch: Epoch| -> Result<(), Refused> {
        case.clone().try_body(&world, 0, rewrapped(items, epoch), &[])
    };
    let (old, new) = (old.record.hash(), new.record.hash());
    let history = Epoch::FIRST_HISTORY;
    guarded(Check::HistoryEpoch, || attempt(&[(new, 1)], history));
    guarded(Check::HistoryEpoch, || attempt(&[], history));
    refused(Check::HistoryEpoch, attempt(&[(RecordHash([9; 32]), 1)], history));
    for epoch in [Epoch(0), Epoch(1), Epoch(history.0 + 1)] {
        refused(Check::HistoryEpoch, attempt(&[(old, 1)], epoch));
    }
    // Two wraps for one record: which of them would count?
    guarded(Check::NotCanonical, || attempt(&[(old, 1), (old, 2)], history));
    assert_eq!(attempt(&[(old, 1)], history), Ok(()));
    // Under whose right.
    let body = || rewrapped(&[(old, 1)], history);
    guarded(Check::WriteRight, || case.clone().try_body(&world, 3, body(), &[]));
    // No record is placed under a history epoch.
    let mut placed = case.note(&world, 0, Section::CORE, 3);
    placed.placement.epoch = history;
    refused(Check::EpochHead, case.judged_record(&world, 0, &placed));
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn chk_76_a_rewrap_gives_the_past_to_nobody_who_has_left() {
    let (mut world, mut case) = setting();
    let old = with_history(&world, &mut case, &[0, 1, 2]);
    world
        .try_event(0, Event::MemberRetired(world.people[2].member))
        .unwrap();
    guarded(Check::RecipientsWithin, || {
        let body = rewrapped(&[(old.record.hash(), 1)], Epoch::FIRST_HISTORY);
        case.clone().try_body(&world, 0, body, &[])
    });
}

fn erasure(records: &[RecordHash], ground: ErasureGround) -> Event {
    let records = wire::sort_set(records.to_vec()).unwrap();
    Event::Erasure(Erasure { records, ground })
}

#[test]
fn chk_80_an_erasure_of_something_that_is_not_there_is_refused() {
    let (world, mut case) = setting();
    let made = case.note(&world, 0, Section::CORE, 1);
    let hash = made.record.hash();
    refused(
        Check::ErasureTarget,
        case.judged(&world, 0, erasure(&[hash], ErasureGround::Decided)),
    );
    guarded(Check::ErasureTarget, || {
        case.judged(&world, 0, erasure(&[], ErasureGround::Decided))
    });
    case.try_record(&world, 0, &made).unwrap();
    let erase = erasure(&[hash], ErasureGround::Misfiled);
    case.try_event(&world, 0, erase.clone()).unwrap();
    refused(Check::ErasureTarget, case.judged(&world, 0, erase));
    // What was erased is not placed again, and takes no new wrap.
    refused(Check::PlacedTwice, case.judged_record(&world, 0, &made));
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn chk_81_an_erasure_takes_the_right() {
    let (world, mut case) = setting();
    with_private(&world, &mut case, 1);
    let made = case.note(&world, 0, Section::CORE, 1);
    let own = case.note(&world, 1, PRIVATE, 2);
    case.try_record(&world, 0, &made).unwrap();
    case.try_record(&world, 1, &own).unwrap();
    let attempt =
        |by: usize, hash: RecordHash, ground: ErasureGround| case.judged(&world, by, erasure(&[hash], ground));
    let (note, reflection) = (made.record.hash(), own.record.hash());
    guarded(Check::ErasureRight, || attempt(3, note, ErasureGround::Decided));
    // Only its author withdraws a record, and only its author erases a reflection.
    guarded(Check::ErasureRight, || attempt(1, note, ErasureGround::Withdrawn));
    guarded(Check::ErasureRight, || attempt(0, reflection, ErasureGround::Decided));
    assert_eq!(attempt(0, note, ErasureGround::Withdrawn), Ok(()));
    assert_eq!(attempt(1, note, ErasureGround::Decided), Ok(()));
    assert_eq!(attempt(1, reflection, ErasureGround::Withdrawn), Ok(()));
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn a_private_section_has_its_history_rewrapped_by_its_author_alone() {
    let (world, mut case) = setting();
    with_private(&world, &mut case, 1);
    let own = case.note(&world, 1, PRIVATE, 2);
    case.try_record(&world, 1, &own).unwrap();
    let readers = world.readers(&[1]);
    let mut open = case.epoch_open(&world, PRIVATE, Epoch::FIRST_HISTORY, &readers);
    open.private_author = Some(world.people[1].member);
    let membership = Membership {
        opens: vec![open],
        keyrings: keyrings(&readers),
        ..Membership::default()
    };
    case.try_event(&world, 1, change(membership)).unwrap();
    let body = |hash: RecordHash| {
        let LinkBody::Rewrap(mut rewrap) = rewrapped(&[(hash, 1)], Epoch::FIRST_HISTORY) else {
            panic!("a rewrap");
        };
        rewrap.section = PRIVATE;
        LinkBody::Rewrap(rewrap)
    };
    let hash = own.record.hash();
    guarded(Check::PrivateSection, || {
        case.clone().try_body(&world, 0, body(hash), &[])
    });
    assert_eq!(case.clone().try_body(&world, 1, body(hash), &[]), Ok(()));
}
