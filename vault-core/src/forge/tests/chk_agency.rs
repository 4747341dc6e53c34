//! CHK-20 to CHK-28: root documents, members, devices, role keys.

use super::guarded;
use super::refused;
use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::context::Label;
use crate::forge::Person;
use crate::forge::World;
use crate::forge::guard;
use crate::forge::twin::LinkTwin;
use crate::forge::world::founding;
use crate::forge::world::founding_link;
use crate::id::RootHash;
use crate::wire;
use crate::wire::v1::agency::Administrator;
use crate::wire::v1::agency::MemberRecipient;
use crate::wire::v1::agency::Operation;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::agency::Root;
use crate::wire::v1::agency::RootSignature;
use crate::wire::v1::agency::Threshold;
use crate::wire::v1::event::Event;
use crate::wire::v1::event::SignedRoot;
use crate::wire::v1::membership::EpochKind;
use crate::wire::v1::stream::Section;

/// An agency of three: founder and administrator; a second administrator; a caseworker.
fn world() -> World {
    let mut world = World::new(1, 1);
    world.join(Person::new(2, Roles::ALL));
    world.join(Person::new(3, Roles::CASEWORKER));
    let root = Root {
        administrators: administrators(&world),
        thresholds: thresholds(2),
        ..world.next_root()
    };
    world.try_event(0, world.signed_root(root, &[0])).unwrap();
    world
}

fn administrators(world: &World) -> Vec<Administrator> {
    let both = world.people[..2].iter().map(|p| Administrator {
        member: p.member,
        identity: p.identity.public(),
    });
    wire::sort_set(both.collect()).unwrap()
}

fn thresholds(root: u8) -> Vec<Threshold> {
    let all = [
        Operation::Root,
        Operation::Member,
        Operation::Policy,
        Operation::Recovery,
    ];
    all.map(|operation| Threshold {
        operation,
        administrators: if operation == Operation::Root { root } else { 1 },
    })
    .to_vec()
}

fn still_works(world: &World) {
    let root = world.next_root();
    assert_eq!(world.judged(0, world.signed_root(root, &[0, 1])), Ok(()));
    assert_eq!(world.judged(1, Person::new(50, Roles::CASEWORKER).joins()), Ok(()));
}

fn founded(founder: &Person, signed: SignedRoot) -> Result<(), Refused> {
    let link = LinkTwin::signed(founding_link(founder, signed), &founder.signer).received()?;
    AgencyState::found(&link).map(|_| ())
}

#[test]
fn chk_20_a_root_that_too_few_administrators_of_the_last_one_signed_is_refused() {
    let world = world();
    let root = world.next_root();
    guarded(Check::RootChain, || {
        world.judged(0, world.signed_root(root.clone(), &[0]))
    });
    // Somebody who is no administrator adds nothing, and neither does a second signature of one who is.
    refused(
        Check::RootChain,
        world.judged(0, world.signed_root(root.clone(), &[0, 2])),
    );
    let Event::Root(mut signed) = world.signed_root(root.clone(), &[0, 1]) else {
        panic!("a root");
    };
    let forged = world.people[2]
        .identity
        .sign(Label::RootSignature, &[b"something else"]);
    signed.signatures[1].signature = forged;
    guarded(Check::RootChain, || world.judged(0, Event::Root(signed.clone())));
    // The chain of versions.
    for wrong in [
        Root {
            version: root.version + 1,
            ..root.clone()
        },
        Root {
            previous: RootHash([1; 32]),
            ..root.clone()
        },
        world.agency.root().clone(),
    ] {
        guarded(Check::RootChain, || {
            world.judged(0, world.signed_root(wrong.clone(), &[0, 1]))
        });
    }
    still_works(&world);
}

#[test]
fn chk_20_administrators_of_the_new_root_do_not_count_for_it() {
    let world = world();
    let thief = Person::new(66, Roles::ALL);
    let root = Root {
        administrators: vec![Administrator {
            member: thief.member,
            identity: thief.identity.public(),
        }],
        thresholds: thresholds(1),
        ..world.next_root()
    };
    let signature = thief
        .identity
        .sign(Label::RootSignature, &[&wire::encode(&root).unwrap()]);
    let member = thief.member;
    let signed = SignedRoot {
        root,
        signatures: vec![RootSignature { member, signature }],
        founding: None,
    };
    refused(Check::RootChain, world.judged(0, Event::Root(signed)));
    // A founding by somebody else's key is none.
    let founder = Person::new(7, Roles::ALL);
    let mut first = founding(&founder, World::first_root(7, &founder));
    first.signatures[0].signature = signature;
    guarded(Check::RootChain, || founded(&founder, first.clone()));
    still_works(&world);
}

#[test]
fn chk_20_a_number_never_names_two_keys() {
    let mut world = world();
    let key = crate::keyring::recipient_key(&crate::secret::RecipientSeed::from_bytes([9; 32]));
    let with = |world: &World, edit: &dyn Fn(&mut Root)| {
        let mut root = world.next_root();
        edit(&mut root);
        world.judged(0, world.signed_root(root, &[0, 1]))
    };
    // The server's recovery key under the old number: no epoch would be due, and every next one is open to it.
    guarded(Check::RootChain, || {
        with(&world, &|r| r.recovery.recipient = key.clone())
    });
    guarded(Check::RootChain, || with(&world, &|r| r.recovery.version = 0));
    guarded(Check::RootChain, || {
        with(&world, &|r| r.duty.as_mut().unwrap().recipient = key.clone())
    });
    guarded(Check::RootChain, || with(&world, &|r| r.dpo.recipient = key.clone()));
    let renewed = Root {
        recovery: crate::wire::v1::agency::RecoveryKeys {
            version: 2,
            recipient: key.clone(),
            ..world.agency.root().recovery.clone()
        },
        duty: None,
        ..world.next_root()
    };
    let event = world.signed_root(renewed, &[0, 1]);
    world.try_event(0, event).unwrap();
    // Nor by way of a root in between.
    guarded(Check::RootChain, || with(&world, &|r| r.recovery.version = 1));
    guarded(Check::RootChain, || {
        with(&world, &|r| {
            r.duty = Some(crate::wire::v1::agency::RoleRecipient {
                epoch: 0,
                recipient: key.clone(),
            });
        })
    });
    still_works(&world);
}

#[test]
fn chk_21_a_threshold_that_nobody_can_reach_or_that_nothing_enforces_is_refused() {
    let world = world();
    let with = |thresholds: Vec<Threshold>| {
        let root = Root {
            thresholds,
            ..world.next_root()
        };
        world.judged(0, world.signed_root(root, &[0, 1]))
    };
    for root in [0, 3, 255] {
        guarded(Check::RootThreshold, || with(thresholds(root)));
    }
    guarded(Check::RootThreshold, || with(thresholds(1)[..3].to_vec()));
    let mut member = thresholds(1);
    member[1].administrators = 2;
    guarded(Check::RootThreshold, || with(member.clone()));
    assert_eq!(with(thresholds(1)), Ok(()));
    still_works(&world);
}

#[test]
fn chk_22_a_root_that_lowers_the_minimum_format_is_refused() {
    let world = world();
    let attempt = || {
        let root = Root {
            minimum_format: 0,
            ..world.next_root()
        };
        world.judged(0, world.signed_root(root, &[0, 1]))
    };
    // Format 1 knows no other minimum, so that check speaks first; the one against the last root stands behind it.
    refused(Check::UnknownFormat, attempt());
    refused(Check::RootDowngrade, guard::without(Check::UnknownFormat, attempt));
    still_works(&world);
}

#[test]
fn chk_23_a_device_that_its_member_did_not_certify_is_refused() {
    let mut world = world();
    let mut person = Person::new(9, Roles::CASEWORKER);
    world.try_event(0, person.joins()).unwrap();
    let agency = world.agency.id();
    let honest = person.certificate(agency, &person.identity);
    // An administrator alone makes no device for somebody else.
    let ghost = person.certificate(agency, &world.people[0].identity);
    guarded(Check::DeviceCertificate, || world.judged(0, Event::Device(ghost)));
    let mut other_key = honest;
    other_key.certificate.key = world.people[0].signer.public();
    guarded(Check::DeviceCertificate, || world.judged(0, Event::Device(other_key)));
    // One that was made for another agency, properly signed.
    let elsewhere = person.certificate(World::new(5, 1).agency.id(), &person.identity);
    guarded(Check::DeviceCertificate, || world.judged(0, Event::Device(elsewhere)));
    // A device key of small order, under which anything verifies.
    let mut weak = honest.certificate;
    weak.key = crate::crypto::sign::PublicKey([0; 32]);
    let signature = person
        .identity
        .sign(Label::DeviceCertificate, &[&wire::encode(&weak).unwrap()]);
    let weak = crate::wire::v1::agency::CertifiedDevice {
        certificate: weak,
        signature,
    };
    refused(Check::DeviceCertificate, world.judged(0, Event::Device(weak)));
    // A device of nobody.
    person.member = crate::id::MemberId([1; 16]);
    let nobody = person.certificate(agency, &person.identity);
    refused(Check::DeviceCertificate, world.judged(0, Event::Device(nobody)));
    assert_eq!(world.judged(0, Event::Device(honest)), Ok(()));
}

#[test]
fn chk_24_a_founding_is_in_version_1_and_nowhere_else() {
    let world = world();
    let founder = Person::new(7, Roles::ALL);
    let first = founding(&founder, World::first_root(7, &founder));
    let none = SignedRoot {
        founding: None,
        ..first.clone()
    };
    refused(Check::Founding, founded(&founder, none));
    let Event::Root(mut second) = world.signed_root(world.next_root(), &[0, 1]) else {
        panic!("a root");
    };
    second.founding = first.founding.clone();
    guarded(Check::Founding, || world.judged(0, Event::Root(second.clone())));
    // The founder is an administrator, and its recipient its own, of version 1.
    let no_role = Person::new(7, Roles::CASEWORKER);
    let signed = founding(&no_role, World::first_root(7, &no_role));
    guarded(Check::Founding, || founded(&no_role, signed.clone()));
    let mut recipient = first.clone();
    recipient.founding.as_mut().unwrap().recipient.version = 2;
    guarded(Check::Founding, || founded(&founder, recipient.clone()));
    let stranger = Person::new(8, Roles::ALL);
    let mut device = first.clone();
    let agency = crate::agency_state::agency_id(&first.root).unwrap();
    device.founding.as_mut().unwrap().device = stranger.certificate(agency, &stranger.identity);
    refused(Check::Founding, founded(&founder, device));
    assert_eq!(founded(&founder, first), Ok(()));
    still_works(&world);
}

#[test]
fn chk_25_only_an_administrator_changes_the_agency() {
    let mut world = world();
    let person = Person::new(9, Roles::CASEWORKER);
    world.try_event(0, person.joins()).unwrap();
    let events = [
        world.signed_root(world.next_root(), &[0, 1]),
        Person::new(10, Roles::CASEWORKER).joins(),
        Event::Device(person.certificate(world.agency.id(), &person.identity)),
        Event::MemberRetired(world.people[0].member),
        Event::DeviceRetired(world.people[0].device),
        Event::Settings(crate::id::PolicyHash([1; 32])),
    ];
    for event in events {
        guarded(Check::AdministratorOnly, || world.judged(2, event.clone()));
    }
    let joined = World {
        people: world.people.into_iter().chain([person]).collect(),
        ..world
    };
    guarded(Check::AdministratorOnly, || {
        joined.judged(2, Event::AgencyEpoch(joined.agency_epoch()))
    });
    // The role without the root's word is not enough.
    let mut world = World::new(4, 1);
    world.join(Person::new(5, Roles::ALL));
    guarded(Check::AdministratorOnly, || {
        world.judged(1, Person::new(10, Roles::CASEWORKER).joins())
    });
    still_works(&joined);
}

#[test]
fn chk_20_an_epoch_of_the_role_key_is_one_key_whether_a_root_or_an_officer_names_it() {
    let mut world = world();
    let other = crate::keyring::recipient_key(&crate::secret::RecipientSeed::from_bytes([9; 32]));
    let naming = |world: &World, epoch: u32| {
        let dpo = crate::wire::v1::agency::RoleRecipient {
            epoch,
            recipient: other.clone(),
        };
        world.signed_root(
            Root {
                dpo,
                ..world.next_root()
            },
            &[0, 1],
        )
    };
    // A root moves on to epoch 1, and an officer then gives that key the number 0 again.
    let mut moved = self::world();
    moved.try_event(0, naming(&moved, 1)).unwrap();
    let mut back = moved.dpo_epoch(0, &[0, 1]);
    assert_eq!(moved.judged(0, Event::DpoEpoch(back.clone())), Ok(()));
    back.recipient = other.clone();
    refused(Check::EpochNumber, moved.judged(0, Event::DpoEpoch(back)));
    let first = moved.dpo_epoch(0, &[0, 1]);
    moved.try_event(0, Event::DpoEpoch(first)).unwrap();
    let second = moved.dpo_epoch(1, &[0, 1]);
    refused(Check::EpochNumber, moved.judged(0, Event::DpoEpoch(second)));
    // An officer makes epoch 1, and a root then names another key by that number.
    for epoch in 0..2 {
        let event = world.dpo_epoch(epoch, &[0, 1]);
        world.try_event(0, Event::DpoEpoch(event)).unwrap();
    }
    refused(Check::RootChain, world.judged(0, naming(&world, 1)));
    assert_eq!(world.judged(0, naming(&world, 2)), Ok(()));
    still_works(&world);
}

#[test]
fn chk_28_an_administrator_and_the_member_of_that_id_are_one_identity() {
    let mut world = world();
    let (named, thief) = (Person::new(60, Roles::ALL), Person::new(61, Roles::ALL));
    let as_administrator = |member, identity| Administrator { member, identity };
    let with = |world: &World, new: Administrator| {
        let mut all = world.agency.root().administrators.clone();
        all.push(new);
        let administrators = wire::sort_set(all).unwrap();
        world.signed_root(
            Root {
                administrators,
                ..world.next_root()
            },
            &[0, 1],
        )
    };
    let root = with(&world, as_administrator(named.member, named.identity.public()));
    world.try_event(0, root).unwrap();
    let Event::Member(mut joins) = named.joins() else {
        panic!("a member");
    };
    joins.identity = thief.identity.public();
    refused(Check::IdReused, world.judged(0, Event::Member(joins)));
    assert_eq!(world.judged(0, named.joins()), Ok(()));
    let third = world.people[2].member;
    let root = with(&world, as_administrator(third, thief.identity.public()));
    refused(Check::RootChain, world.judged(0, root));
    still_works(&world);
}

#[test]
fn chk_26_only_an_officer_makes_the_role_key() {
    let world = world();
    let epoch = world.dpo_epoch(0, &[0, 1]);
    guarded(Check::DpoOnly, || world.judged(2, Event::DpoEpoch(epoch.clone())));
    assert_eq!(world.judged(1, Event::DpoEpoch(epoch)), Ok(()));
}

#[test]
fn chk_27_a_members_recipient_is_changed_by_nobody_else() {
    let mut world = world();
    let next = |world: &World, person: usize, version: u32| {
        let key = crate::keyring::recipient_key(&crate::secret::RecipientSeed::from_bytes([3; 32]));
        Event::Recipient(MemberRecipient {
            member: world.people[person].member,
            version,
            key,
        })
    };
    guarded(Check::RecipientChange, || world.judged(2, next(&world, 0, 2)));
    for version in [0, 1, 3] {
        guarded(Check::RecipientChange, || world.judged(2, next(&world, 2, version)));
    }
    // A member that joins brings its own, of version 1.
    let mut stranger = Person::new(10, Roles::CASEWORKER);
    let Event::Member(mut joins) = stranger.joins() else {
        panic!("a member");
    };
    joins.recipient.version = 2;
    guarded(Check::RecipientChange, || world.judged(0, Event::Member(joins.clone())));
    stranger.member = world.people[0].member;
    assert_eq!(world.judged(2, next(&world, 2, 2)), Ok(()));
    assert_eq!(world.judged(0, next(&world, 2, 2)), Ok(()));
    world
        .try_event(0, Event::MemberRetired(world.people[2].member))
        .unwrap();
    guarded(Check::RecipientChange, || world.judged(0, next(&world, 2, 2)));
}

#[test]
fn chk_28_an_id_is_never_used_twice() {
    let mut world = world();
    let old = Event::MemberRetired(world.people[2].member);
    world.try_event(0, old).unwrap();
    let mut again = Person::new(10, Roles::ALL);
    again.member = world.people[2].member;
    guarded(Check::IdReused, || world.judged(0, again.joins()));
    let mut device = Person::new(11, Roles::CASEWORKER);
    world.try_event(0, device.joins()).unwrap();
    device.device = world.people[2].device;
    let certificate = device.certificate(world.agency.id(), &device.identity);
    guarded(Check::IdReused, || world.judged(0, Event::Device(certificate)));
    still_works(&world);
}

#[test]
fn the_agencys_own_epochs_are_checked_as_a_cases_are() {
    let world = world();
    let honest = world.agency_epoch();
    assert_eq!(world.judged(0, Event::AgencyEpoch(honest.clone())), Ok(()));
    let with = |edit: fn(&mut crate::wire::v1::event::AgencyEpoch)| {
        let mut epoch = honest.clone();
        edit(&mut epoch);
        world.judged(0, Event::AgencyEpoch(epoch))
    };
    guarded(Check::EpochNumber, || with(|e| e.open.epoch.0 = 1));
    guarded(Check::EpochNumber, || with(|e| e.open.section = Section::CORE));
    guarded(Check::EpochNumber, || with(|e| e.open.kind = EpochKind::History));
    guarded(Check::EpochOpener, || {
        with(|e| e.open.private_author = Some(crate::id::MemberId([0; 16])))
    });
    guarded(Check::EpochRecipients, || {
        with(|e| {
            e.open.recipients.remove(0);
        })
    });
    guarded(Check::KeyringsComplete, || {
        with(|e| {
            e.keyrings.remove(0);
        })
    });
}

#[test]
fn the_role_keys_epochs_are_held_by_officers_reviewers_and_recovery() {
    let world = world();
    let honest = world.dpo_epoch(0, &[0, 1]);
    let with = |edit: fn(&mut crate::wire::v1::event::DpoEpoch)| {
        let mut epoch = honest.clone();
        edit(&mut epoch);
        world.judged(0, Event::DpoEpoch(epoch))
    };
    guarded(Check::EpochNumber, || with(|e| e.epoch = 1));
    guarded(Check::EpochNumber, || with(|e| e.recipient.0[0] ^= 1));
    guarded(Check::EpochRecipients, || {
        with(|e| {
            e.holders.remove(0);
        })
    });
    guarded(Check::KeyringsComplete, || {
        with(|e| {
            e.keyrings.remove(0);
        })
    });
    refused(
        Check::EpochRecipients,
        world.judged(0, Event::DpoEpoch(world.dpo_epoch(0, &[0, 1, 2]))),
    );
    assert_eq!(with(|_| ()), Ok(()));
}

#[test]
fn chk_37_a_recipient_that_nothing_is_sealed_to_is_not_taken_in() {
    let world = world();
    let honest = world.people[2].recipient(2).key;
    type Spoil = fn(&mut [u8]);
    // An X25519 share of small order: zero, one, and the same in another form. An ML-KEM key that is not reduced.
    let spoils: [Spoil; 4] = [
        |key| key[1184..].fill(0),
        |key| {
            key[1184..].fill(0);
            key[1184] = 1;
        },
        |key| {
            key[1184..].fill(0xff);
            key[1184] = 0xed;
            key[1215] = 0x7f;
        },
        |key| key[..3].fill(0xff),
    ];
    for spoil in spoils {
        let mut key = honest.clone();
        spoil(&mut key.0);
        let member = |member, version| MemberRecipient {
            member,
            version,
            key: key.clone(),
        };
        let mut stranger = Person::new(10, Roles::CASEWORKER);
        let Event::Member(mut joins) = stranger.joins() else {
            panic!("a member");
        };
        joins.recipient = member(stranger.member, 1);
        stranger.member = world.people[2].member;
        let of_two = world.people[2].member;
        let reset = Event::Reset(crate::wire::v1::event::MemberReset {
            identity: Person::new(12, Roles::NONE).identity.public(),
            recipient: member(of_two, 2),
        });
        let mut epoch = world.dpo_epoch(1, &[0, 1]);
        epoch.recipient = key.clone();
        let mut first = self::world();
        let role = first.dpo_epoch(0, &[0, 1]);
        first.try_event(0, Event::DpoEpoch(role)).unwrap();
        let mut root = world.next_root();
        root.recovery.version += 1;
        root.recovery.recipient = key.clone();
        let root = world.signed_root(root, &[0, 1]);
        for event in [Event::Member(joins), Event::Recipient(member(of_two, 2)), reset, root] {
            guarded(Check::RecipientKey, || world.judged(0, event.clone()));
        }
        guarded(Check::RecipientKey, || first.judged(0, Event::DpoEpoch(epoch.clone())));
    }
    assert_eq!(
        world.judged(
            2,
            Event::Recipient(MemberRecipient {
                member: world.people[2].member,
                version: 2,
                key: honest,
            })
        ),
        Ok(())
    );
    still_works(&world);
}
