//! CHK-60 to CHK-72 and CHK-79: changes of a case's members.

use super::change;
use super::guarded;
use super::guarded_twice;
use super::refused;
use super::still_works;
use crate::check::Check;
use crate::check::Refused;
use crate::forge::CaseFile;
use crate::forge::Person;
use crate::forge::World;
use crate::forge::case::granting;
use crate::forge::guard;
use crate::forge::world::keyrings;
use crate::id::GrantId;
use crate::id::MemberId;
use crate::wire;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::event::Event;
use crate::wire::v1::event::Expired;
use crate::wire::v1::membership::EpochKind;
use crate::wire::v1::membership::Grant;
use crate::wire::v1::membership::GrantedSection;
use crate::wire::v1::membership::Membership;
use crate::wire::v1::membership::Rights;
use crate::wire::v1::stream::Day;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;

const ALL: [Section; 3] = [Section::INDEX, Section::CORE, Section(2)];

/// Five people; 0 owns the case, 1 and 2 hold it whole, 3 and 4 do not.
fn setting() -> (World, CaseFile) {
    let world = World::new(1, 5);
    let case = CaseFile::shared(&world, 1, 3);
    (world, case)
}

fn grant_of(case: &CaseFile, member: MemberId) -> GrantId {
    let mut grants = case.state.grants().values();
    grants.find(|g| g.live && g.grant.member == member).unwrap().grant.grant
}

/// Revokes `person`'s grant, rotating every section among `left`.
fn revocation(world: &World, case: &CaseFile, person: usize, left: &[usize]) -> Membership {
    Membership {
        revoked: vec![grant_of(case, world.people[person].member)],
        ..case.rotation(world, &ALL, left)
    }
}

fn granted(world: &World, case: &CaseFile, by: usize, edit: impl Fn(&mut Grant)) -> Result<(), Refused> {
    let mut grant = case.grant(world, 3, Rights::ALL);
    edit(&mut grant);
    case.judged(world, by, change(granting(world, &[grant])))
}

#[test]
fn chk_60_a_grant_of_nothing_or_of_what_does_not_exist_is_refused() {
    let (world, case) = setting();
    for rights in [0, 16, 255] {
        refused(
            Check::GrantRights,
            granted(&world, &case, 0, |g| g.rights = Rights(rights)),
        );
    }
    guarded(Check::GrantRights, || {
        granted(&world, &case, 0, |g| g.rights = Rights(0))
    });
    guarded(Check::GrantRights, || {
        granted(&world, &case, 0, |g| {
            g.sections.remove(0);
        })
    });
    guarded(Check::GrantRights, || granted(&world, &case, 0, |g| g.sections.clear()));
    let with = |section: u16, from_epoch: u32| GrantedSection {
        section: Section(section),
        from_epoch: Epoch(from_epoch),
    };
    for unknown in [with(3, 0), with(0x8000, 0), with(0xffff, 0)] {
        refused(
            Check::GrantRights,
            granted(&world, &case, 0, |g| g.sections.push(unknown)),
        );
    }
    assert_eq!(granted(&world, &case, 0, |_| ()), Ok(()));
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn chk_60_a_private_section_is_granted_to_nobody() {
    let (world, mut case) = setting();
    case.try_event(&world, 1, change(private(&world, &case, 1, 0x8000)))
        .unwrap();
    refused(
        Check::GrantRights,
        granted(&world, &case, 1, |g| {
            g.sections.push(GrantedSection {
                section: Section(0x8000),
                from_epoch: Epoch::FIRST,
            });
        }),
    );
}

/// Opens `author`'s private section.
fn private(world: &World, case: &CaseFile, author: usize, section: u16) -> Membership {
    let mut change = case.rotation(world, &[Section(section)], &[author]);
    change.opens[0].private_author = Some(world.people[author].member);
    change
}

#[test]
fn chk_61_nobody_gives_what_it_does_not_hold() {
    let (world, mut case) = setting();
    // One who may read and write but not share; one who may share what it reads.
    let read_write = Rights(Rights::READ.0 | Rights::WRITE.0);
    let read_share = Rights(Rights::READ.0 | Rights::SHARE.0);
    for (person, rights) in [(3, read_write), (4, read_share)] {
        let grant = case.grant(&world, person, rights);
        case.try_event(&world, 0, change(granting(&world, &[grant]))).unwrap();
    }
    let ghost = Person::new(66, Roles::CASEWORKER);
    let mut world = world;
    world.join(ghost);
    let to_ghost = |by: usize, rights: Rights, sections: &[u16]| {
        let mut grant = case.grant(&world, 5, rights);
        grant.sections.retain(|s| sections.contains(&s.section.0));
        case.judged(&world, by, change(granting(&world, &[grant])))
    };
    refused(Check::GrantorRights, to_ghost(3, Rights::READ, &[0, 1, 2]));
    refused(Check::GrantorRights, to_ghost(4, read_write, &[0, 1, 2]));
    refused(Check::GrantorRights, to_ghost(4, Rights::OWN, &[0, 1, 2]));
    assert_eq!(to_ghost(4, Rights::READ, &[0, 1, 2]), Ok(()));
    // One who holds nothing lets itself in.
    guarded_outsider(&world, &case);
    still_works(&world, &case, &[0, 1, 2, 3]);
}

fn guarded_outsider(world: &World, case: &CaseFile) {
    let own = case.grant(world, 5, Rights::ALL);
    refused(
        Check::GrantorRights,
        case.judged(world, 5, change(granting(world, &[own]))),
    );
    guarded(Check::GrantorRights, || {
        case.judged(world, 5, change(Membership::default()))
    });
}

#[test]
fn chk_61_a_grantor_from_a_later_epoch_gives_no_past() {
    let (world, mut case) = setting();
    let mut from_now = case.grant(&world, 3, Rights::ALL);
    for section in &mut from_now.sections {
        section.from_epoch = Epoch(1);
    }
    let joins = Membership {
        grants: vec![from_now],
        ..case.rotation(&world, &ALL, &[0, 1, 2, 3])
    };
    case.try_event(&world, 0, change(joins)).unwrap();
    let onward = |from: u32| {
        let mut grant = case.grant(&world, 4, Rights::READ);
        for section in &mut grant.sections {
            section.from_epoch = Epoch(from);
        }
        case.judged(&world, 3, change(granting(&world, &[grant])))
    };
    guarded(Check::GrantorRights, || onward(0));
    assert_eq!(onward(1), Ok(()));
    still_works(&world, &case, &[0, 1, 2, 3]);
}

#[test]
fn chk_62_a_grant_id_is_never_used_twice() {
    let (world, mut case) = setting();
    let old = case.state.grants()[&grant_of(&case, world.people[2].member)]
        .grant
        .clone();
    case.try_event(&world, 0, change(revocation(&world, &case, 2, &[0, 1])))
        .unwrap();
    // The old grant served again, as it was.
    let replay = Membership {
        grants: vec![old.clone()],
        keyrings: keyrings(&[world.to(2)]),
        ..Membership::default()
    };
    guarded(Check::GrantReused, || case.judged(&world, 0, change(replay.clone())));
    // Two grants of one id in one change.
    let mut twins = [case.grant(&world, 2, Rights::READ), case.grant(&world, 3, Rights::READ)];
    twins[1].grant = twins[0].grant;
    guarded(Check::GrantReused, || {
        let mut both = granting(&world, &twins);
        both.keyrings = keyrings(&wire::sort_set(vec![world.to(2), world.to(3)]).unwrap());
        case.judged(&world, 0, change(both))
    });
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn chk_63_nobody_who_has_left_is_granted_anything() {
    let (mut world, case) = setting();
    let grant = case.grant(&world, 3, Rights::READ);
    let event = change(granting(&world, &[grant]));
    assert_eq!(case.judged(&world, 0, event.clone()), Ok(()));
    world
        .try_event(0, Event::MemberRetired(world.people[3].member))
        .unwrap();
    refused(Check::Grantee, case.judged(&world, 0, event));
    let mut stranger = case.grant(&world, 4, Rights::READ);
    stranger.member = MemberId([1; 16]);
    let to_stranger = Membership {
        grants: vec![stranger],
        ..Membership::default()
    };
    refused(Check::Grantee, case.judged(&world, 0, change(to_stranger)));
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn chk_64_a_revocation_takes_the_right_and_a_live_grant() {
    let (world, mut case) = setting();
    let writer = Rights(Rights::READ.0 | Rights::WRITE.0);
    let grant = case.grant(&world, 3, writer);
    case.try_event(&world, 0, change(granting(&world, &[grant]))).unwrap();
    // A writer throws the owner out.
    guarded(Check::Revocation, || {
        case.judged(&world, 3, change(revocation(&world, &case, 0, &[1, 2, 3])))
    });
    // It may leave of its own will; its sections are then due.
    let mut leaves = revocation(&world, &case, 3, &[0, 1, 2]);
    (leaves.opens, leaves.keyrings) = (Vec::new(), Vec::new());
    leaves.due = ALL.to_vec();
    assert_eq!(case.judged(&world, 3, change(leaves)), Ok(()));
    let gone = revocation(&world, &case, 3, &[0, 1, 2]);
    case.try_event(&world, 0, change(gone.clone())).unwrap();
    let again = Membership {
        revoked: gone.revoked,
        ..case.rotation(&world, &ALL, &[0, 1, 2])
    };
    refused(Check::Revocation, case.judged(&world, 0, change(again)));
    let unknown = Membership {
        revoked: vec![GrantId([1; 16])],
        ..Membership::default()
    };
    refused(Check::Revocation, case.judged(&world, 0, change(unknown)));
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn chk_64_only_a_grant_with_an_end_date_expires() {
    let (world, mut case) = setting();
    let mut dated = case.grant(&world, 3, Rights(Rights::READ.0 | Rights::WRITE.0));
    dated.until = Some(Day(20_000));
    case.try_event(&world, 0, change(granting(&world, &[dated.clone()])))
        .unwrap();
    let expired = |grants: Vec<GrantId>| {
        Event::Expired(Expired {
            grants,
            membership: case.rotation(&world, &ALL, &[0, 1, 2]),
        })
    };
    guarded_undated(&world, &case);
    refused(Check::Revocation, case.judged(&world, 4, expired(vec![dated.grant])));
    guarded(Check::Revocation, || {
        let nothing = Event::Expired(Expired {
            grants: Vec::new(),
            membership: Membership::default(),
        });
        case.judged(&world, 1, nothing)
    });
    assert_eq!(case.judged(&world, 1, expired(vec![dated.grant])), Ok(()));
    still_works(&world, &case, &[0, 1, 2, 3]);
}

fn guarded_undated(world: &World, case: &CaseFile) {
    let owner = grant_of(case, world.people[0].member);
    guarded(Check::Revocation, || {
        let coup = Event::Expired(Expired {
            grants: vec![owner],
            membership: case.rotation(world, &ALL, &[1, 2, 3]),
        });
        case.judged(world, 1, coup)
    });
}

#[test]
fn chk_65_ownership_is_given_by_an_owner_to_an_owner() {
    let (world, mut case) = setting();
    let writer = Rights(Rights::READ.0 | Rights::WRITE.0);
    let grant = case.grant(&world, 3, writer);
    case.try_event(&world, 0, change(granting(&world, &[grant]))).unwrap();
    let owner = |person: usize| {
        change(Membership {
            owner: Some(world.people[person].member),
            ..Membership::default()
        })
    };
    guarded(Check::Owner, || case.judged(&world, 3, owner(1)));
    guarded(Check::Owner, || case.judged(&world, 0, owner(3)));
    guarded(Check::Owner, || case.judged(&world, 0, owner(4)));
    assert_eq!(case.judged(&world, 0, owner(1)), Ok(()));
    let mut world = world;
    world
        .try_event(0, Event::MemberRetired(world.people[1].member))
        .unwrap();
    let retired = change(Membership {
        owner: Some(world.people[1].member),
        ..Membership::default()
    });
    refused(Check::Owner, case.judged(&world, 0, retired));
}

#[test]
fn chk_66_an_epoch_is_opened_by_a_holder_with_write_and_no_other() {
    let (world, mut case) = setting();
    let grant = case.grant(&world, 3, Rights::READ);
    case.try_event(&world, 0, change(granting(&world, &[grant]))).unwrap();
    let rotation = |by: usize| case.judged(&world, by, change(case.rotation(&world, &ALL, &[0, 1, 2, 3])));
    guarded(Check::EpochOpener, || rotation(3));
    assert_eq!(rotation(1), Ok(()));
    // A key of the server's, as a "repair" by somebody outside.
    refused(Check::GrantorRights, rotation(4));
    let outsider = || guard::without(Check::GrantorRights, || rotation(4));
    refused(Check::EpochOpener, outsider());
    // A new section is the owner's to open.
    let new = |by: usize| {
        let mut opening = case.rotation(&world, &[Section(3)], &[by]);
        let duty = world.agency.duty_ref(Section(3)).unwrap();
        opening.opens[0].recipients.push(duty);
        opening.keyrings.extend(keyrings(&[duty]));
        let mut grant = case.grant(&world, by, Rights::ALL);
        grant.sections.push(GrantedSection {
            section: Section(3),
            from_epoch: Epoch::FIRST,
        });
        opening.grants.push(grant);
        case.judged(&world, by, change(opening))
    };
    refused(Check::EpochOpener, new(1));
    assert_eq!(new(0), Ok(()));
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn chk_66_an_owner_without_grants_opens_no_section() {
    let (world, mut case) = setting();
    case.try_event(&world, 1, change(revocation(&world, &case, 0, &[1, 2])))
        .unwrap();
    assert_eq!(case.state.owner(), Some(world.people[0].member));
    let mut opening = case.rotation(&world, &[Section(3)], &[]);
    let duty = world.agency.duty_ref(Section(3)).unwrap();
    opening.opens[0].recipients.push(duty);
    opening.keyrings.extend(keyrings(&[duty]));
    let attempt = || case.judged(&world, 0, change(opening.clone()));
    refused(Check::GrantorRights, attempt());
    refused(Check::EpochOpener, guard::without(Check::GrantorRights, attempt));
    still_works(&world, &case, &[1, 2]);
}

#[test]
fn chk_66_a_private_section_is_its_authors_and_nobody_elses() {
    let (world, mut case) = setting();
    case.try_event(&world, 1, change(private(&world, &case, 1, 0x8000)))
        .unwrap();
    // A second one for the same author, and the same one for another.
    guarded(Check::EpochOpener, || {
        case.judged(&world, 1, change(private(&world, &case, 1, 0x8001)))
    });
    guarded(Check::EpochOpener, || {
        case.judged(&world, 2, change(private(&world, &case, 2, 0x8000)))
    });
    // In the author's name, by its supervisor.
    guarded(Check::EpochOpener, || {
        case.judged(&world, 0, change(private(&world, &case, 1, 0x8000)))
    });
    // A private section without an author, an author on a shared one, and the number that role keys use.
    let mut nobody = private(&world, &case, 2, 0x8001);
    nobody.opens[0].private_author = None;
    refused(Check::EpochOpener, case.judged(&world, 2, change(nobody)));
    let mut shared = case.rotation(&world, &[Section::CORE], &[0, 1, 2]);
    shared.opens[0].private_author = Some(world.people[0].member);
    refused(Check::EpochOpener, case.judged(&world, 0, change(shared)));
    refused(
        Check::EpochOpener,
        case.judged(&world, 2, change(private(&world, &case, 2, 0xffff))),
    );
    assert_eq!(
        case.judged(&world, 2, change(private(&world, &case, 2, 0x8001))),
        Ok(())
    );
}

#[test]
fn chk_67_an_epoch_number_is_the_next_of_its_kind() {
    let (world, case) = setting();
    let with = |epoch: u32, kind: EpochKind, of: u32| {
        let mut rotation = case.rotation(&world, &[Section::CORE], &[0, 1, 2]);
        (rotation.opens[0].epoch, rotation.opens[0].kind, rotation.opens[0].of) = (Epoch(epoch), kind, Epoch(of));
        case.judged(&world, 0, change(rotation))
    };
    for epoch in [0, 2, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        refused(Check::EpochNumber, with(epoch, EpochKind::Head, 0));
    }
    guarded(Check::EpochNumber, || with(2, EpochKind::Head, 0));
    guarded(Check::EpochNumber, || with(1, EpochKind::Head, 1));
    for (epoch, of) in [
        (0, 0),
        (1, 0),
        (0x8000_0001, 0),
        (0x8000_0000, 1),
        (0x8000_0000, 0x8000_0000),
    ] {
        refused(Check::EpochNumber, with(epoch, EpochKind::History, of));
    }
    assert_eq!(with(1, EpochKind::Head, 0), Ok(()));
    assert_eq!(with(0x8000_0000, EpochKind::History, 0), Ok(()));
}

#[test]
fn chk_68_an_epochs_recipients_are_exactly_the_holders_and_who_stands() {
    let (world, case) = setting();
    // One too many, one too few, and without recovery.
    for people in [&[0, 1, 2, 3][..], &[0, 1], &[]] {
        guarded_recipients(&world, &case, people);
    }
    let mut no_recovery = case.rotation(&world, &[Section::CORE], &[0, 1, 2]);
    no_recovery.opens[0].recipients.pop();
    refused(Check::EpochRecipients, case.judged(&world, 0, change(no_recovery)));
    let mut duty = case.rotation(&world, &[Section::CORE], &[0, 1, 2]);
    let role = crate::wire::v1::key::RecipientRef {
        kind: crate::wire::v1::key::RecipientKind::Duty,
        id: MemberId([0; 16]),
        version: 0,
    };
    duty.opens[0].recipients.push(role);
    refused(Check::EpochRecipients, case.judged(&world, 0, change(duty)));
    // A private section for the author and recovery; a supervisor may not be slipped in.
    let mut spied = case.rotation(&world, &[Section(0x8000)], &[0, 1]);
    spied.opens[0].private_author = Some(world.people[1].member);
    refused(Check::EpochRecipients, case.judged(&world, 1, change(spied)));
    assert_eq!(
        case.judged(&world, 0, change(case.rotation(&world, &ALL, &[0, 1, 2]))),
        Ok(())
    );
    still_works(&world, &case, &[0, 1, 2]);
}

fn guarded_recipients(world: &World, case: &CaseFile, people: &[usize]) {
    let attempt = || case.judged(world, 0, change(case.rotation(world, &[Section::CORE], people)));
    refused(Check::EpochRecipients, attempt());
    // Behind it stands the comparison of the whole references.
    refused(Check::RecipientVersion, guard::without(Check::EpochRecipients, attempt));
}

#[test]
fn chk_68_a_history_epoch_is_for_those_whose_grants_cover_it() {
    let (world, mut case) = setting();
    let mut from_now = case.grant(&world, 3, Rights::ALL);
    for section in &mut from_now.sections {
        section.from_epoch = Epoch(1);
    }
    let joins = Membership {
        grants: vec![from_now],
        ..case.rotation(&world, &ALL, &[0, 1, 2, 3])
    };
    case.try_event(&world, 0, change(joins)).unwrap();
    let history = |of: u32, people: &[usize]| {
        let readers = world.readers(people);
        let mut open = case.epoch_open(&world, Section::CORE, Epoch::FIRST_HISTORY, &readers);
        open.of = Epoch(of);
        let membership = Membership {
            opens: vec![open],
            keyrings: keyrings(&readers),
            ..Membership::default()
        };
        case.judged(&world, 0, change(membership))
    };
    // Who came from now on gains no past.
    refused(Check::EpochRecipients, history(0, &[0, 1, 2, 3]));
    assert_eq!(history(0, &[0, 1, 2]), Ok(()));
    assert_eq!(history(1, &[0, 1, 2, 3]), Ok(()));
}

#[test]
fn chk_69_a_recipient_is_named_by_its_version_in_force() {
    let (mut world, case) = setting();
    let before = case.rotation(&world, &ALL, &[0, 1, 2]);
    let mut new = world.people[1].recipient(2);
    new.key = crate::keyring::recipient_key(&crate::secret::RecipientSeed::from_bytes([3; 32]));
    world.try_event(1, Event::Recipient(new)).unwrap();
    let old = || case.judged(&world, 0, change(before.clone()));
    refused(Check::RecipientVersion, old());
    refused(Check::KeyringsComplete, guard::without(Check::RecipientVersion, old));
    assert_eq!(
        case.judged(&world, 0, change(case.rotation(&world, &ALL, &[0, 1, 2]))),
        Ok(())
    );
}

#[test]
fn chk_70_there_is_one_keyring_for_each_recipient() {
    let (world, case) = setting();
    let with = |edit: fn(&mut Membership)| {
        let mut rotation = case.rotation(&world, &ALL, &[0, 1, 2]);
        edit(&mut rotation);
        case.judged(&world, 0, change(rotation))
    };
    guarded(Check::KeyringsComplete, || {
        with(|m| {
            m.keyrings.remove(1);
        })
    });
    guarded(Check::KeyringsComplete, || with(|m| m.keyrings.clear()));
    // A second file for the same recipient: which of them would count?
    guarded(Check::KeyringsComplete, || {
        with(|m| {
            let mut second = m.keyrings[0];
            second.keyring_hash.0 = [0xff; 32];
            m.keyrings.insert(1, second);
        })
    });
    // A file for somebody who is no recipient: the ghost's copy of the keys.
    let mut ghost = case.rotation(&world, &ALL, &[0, 1, 2]);
    ghost.keyrings.extend(keyrings(&[world.to(3)]));
    ghost.keyrings = wire::sort_set(ghost.keyrings).unwrap();
    guarded(Check::KeyringsComplete, || {
        case.judged(&world, 0, change(ghost.clone()))
    });
    // A grantee without one.
    guarded(Check::KeyringsComplete, || {
        let grant = case.grant(&world, 3, Rights::READ);
        let grants = vec![grant];
        case.judged(
            &world,
            0,
            change(Membership {
                grants,
                ..Membership::default()
            }),
        )
    });
    assert_eq!(with(|_| ()), Ok(()));
}

#[test]
fn chk_71_a_grant_starts_where_it_may() {
    let (world, mut case) = setting();
    let from = |case: &CaseFile, epoch: u32, opens: Option<&[usize]>| {
        let mut grant = case.grant(&world, 3, Rights::READ);
        for section in &mut grant.sections {
            section.from_epoch = Epoch(epoch);
        }
        let rotation = opens.map_or(granting(&world, &[grant.clone()]), |people| {
            case.rotation(&world, &ALL, people)
        });
        let membership = Membership {
            grants: vec![grant],
            ..rotation
        };
        case.judged(&world, 0, change(membership))
    };
    // An epoch that is not there, one that is there and was not opened here.
    refused(Check::FromNow, from(&case, 1, None));
    assert_eq!(from(&case, 1, Some(&[0, 1, 2, 3])), Ok(()));
    let rotation = change(case.rotation(&world, &ALL, &[0, 1, 2]));
    case.try_event(&world, 0, rotation).unwrap();
    guarded(Check::FromNow, || from(&case, 1, None));
    assert_eq!(from(&case, 0, None), Ok(()));
    assert_eq!(from(&case, 2, Some(&[0, 1, 2, 3])), Ok(()));
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn chk_72_whoever_revokes_rotates_or_owes_it() {
    let (world, case) = setting();
    let with = |edit: fn(&mut Membership)| {
        let mut revoking = revocation(&world, &case, 2, &[0, 1]);
        edit(&mut revoking);
        case.judged(&world, 0, change(revoking))
    };
    // Bad rotations: none, one section left out, one marked due by somebody who could rotate it, both.
    guarded(Check::RotationOwed, || {
        with(|m| (m.opens, m.keyrings) = (Vec::new(), Vec::new()))
    });
    guarded(Check::RotationOwed, || {
        with(|m| {
            m.opens.remove(1);
        })
    });
    guarded(Check::RotationOwed, || {
        with(|m| {
            m.opens.remove(1);
            m.due.push(Section::CORE);
        })
    });
    guarded(Check::RotationOwed, || with(|m| m.due.push(Section::CORE)));
    guarded(Check::RotationOwed, || with(|m| m.due.push(Section(9))));
    assert_eq!(with(|_| ()), Ok(()));
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn chk_72_a_reader_stops_no_writer_by_a_mark() {
    let (world, mut case) = setting();
    let grant = case.grant(&world, 3, Rights::READ);
    case.try_event(&world, 0, change(granting(&world, &[grant]))).unwrap();
    let mark = || {
        change(Membership {
            due: ALL.to_vec(),
            ..Membership::default()
        })
    };
    guarded(Check::RotationOwed, || case.judged(&world, 3, mark()));
    refused(Check::GrantorRights, case.judged(&world, 4, mark()));
    assert_eq!(case.judged(&world, 1, mark()), Ok(()));
}

#[test]
fn chk_79_a_case_opens_whole_for_its_owner() {
    let world = World::new(1, 2);
    let case = CaseFile::empty(&world, 5);
    let with = |by: usize, edit: &dyn Fn(&mut Membership)| {
        let mut opening = case.opening(&world, by);
        edit(&mut opening);
        case.judged(&world, by, Event::CaseOpened(opening))
    };
    let other = world.people[1].member;
    guarded_twice(Check::CaseFounding, Check::EpochOpener, || {
        with(0, &|m| m.grants[0].rights = Rights::READ)
    });
    guarded(Check::CaseFounding, || with(0, &|m| m.grants[0].until = Some(Day(1))));
    refused(Check::CaseFounding, with(0, &|m| m.owner = Some(other)));
    refused(Check::CaseFounding, with(0, &|m| m.owner = None));
    refused(Check::CaseFounding, with(0, &|m| m.grants.clear()));
    refused(Check::CaseFounding, with(0, &|m| m.opens.clear()));
    refused(Check::CaseFounding, with(0, &|m| m.due.push(Section::CORE)));
    for section in [0, 1] {
        refused(
            Check::CaseFounding,
            with(0, &|m| {
                m.opens.remove(section);
                m.grants[0].sections.remove(section);
            }),
        );
    }
    assert_eq!(with(0, &|_| ()), Ok(()));
    assert_eq!(with(1, &|_| ()), Ok(()));
    // Administrators, reviewers and officers keep no cases.
    let mut world = world;
    for roles in [Roles::ADMINISTRATOR, Roles::REVIEWER, Roles::DPO, Roles(0)] {
        world.join(Person::new(900 + u64::from(roles.0), roles));
        let by = world.people.len() - 1;
        let opening = case.opening(&world, by);
        guarded(Check::CaseFounding, || {
            case.judged(&world, by, Event::CaseOpened(opening.clone()))
        });
    }
}
