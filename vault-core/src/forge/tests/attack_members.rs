//! Attacks 2, 4 to 12 and 17: who gets which keys.

use super::change;
use super::guarded;
use super::refused;
use super::still_works;
use crate::check::Check;
use crate::check::Refused;
use crate::epoch;
use crate::epoch::SectionSealer;
use crate::forge::CaseFile;
use crate::forge::Person;
use crate::forge::Seeded;
use crate::forge::World;
use crate::forge::case::granting;
use crate::forge::case::none;
use crate::forge::guard;
use crate::forge::twin::LinkTwin;
use crate::forge::world::keyrings;
use crate::id::GrantId;
use crate::keyring;
use crate::keyring::keyring_hash;
use crate::secret::EpochKey;
use crate::secret::ReleaseHalf;
use crate::wire;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::agency::Root;
use crate::wire::v1::event::Complaint;
use crate::wire::v1::event::Event;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;
use crate::wire::v1::membership::Membership;
use crate::wire::v1::membership::Rights;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;

const ALL: [Section; 3] = [Section::INDEX, Section::CORE, Section(2)];

/// Four people; 0 owns the case, 1 and 2 hold it whole, 3 does not.
fn setting() -> (World, CaseFile) {
    let world = World::new(1, 4);
    let case = CaseFile::shared(&world, 1, 3);
    (world, case)
}

fn grants_of(world: &World, case: &CaseFile, person: usize) -> Vec<GrantId> {
    let member = world.people[person].member;
    let grants = case.state.grants().values();
    let live = grants.filter(|g| g.live && g.grant.member == member);
    live.map(|g| g.grant.grant).collect()
}

fn revocation(world: &World, case: &CaseFile, person: usize, left: &[usize]) -> Event {
    change(Membership {
        revoked: grants_of(world, case, person),
        ..case.rotation(world, &ALL, left)
    })
}

/// The server's own membership link, under a device that nobody certified or in somebody's name.
fn by_server(world: &World, case: &CaseFile, event: Event, name: Option<usize>) -> Result<(), Refused> {
    let server = Person::new(66, Roles::ALL);
    let body = LinkBody::Event(PlacedEvent {
        event,
        sealed: Vec::new(),
    });
    let mut link = case.link(world, 0, body);
    link.device = name.map_or(server.device, |p| world.people[p].device);
    let twin = LinkTwin::signed(link, &server.signer);
    case.clone().try_link(world, &twin.received()?, &[])
}

#[test]
fn attack_02_a_key_of_the_servers_making_is_used_by_nobody() {
    let (world, case) = setting();
    let evil = EpochKey::from_bytes([0xee; 32]);
    let stream = StreamId::case(case.id);
    // As epoch 1, as a repair of epoch 0: an age file needs only Alice's public key.
    let to = world.to(1);
    let public = world.agency.recipient_key(&to).unwrap();
    for number in [Epoch(0), Epoch(1)] {
        let keys = [(Section::CORE, number, &evil)];
        let (file, _) = keyring::seal(world.agency.id(), stream, to, public, &keys, &mut Seeded::new(1)).unwrap();
        let seed = &world.people[1].recipient;
        let opened = keyring::open(world.agency.id(), stream, to, seed, &file).unwrap();
        assert_eq!(opened.len(), 1, "age itself refuses nothing");
        // No link names the file, no epoch-open commits to the key.
        assert!(
            !case
                .state
                .keyrings()
                .iter()
                .any(|k| k.keyring_hash == keyring_hash(&file))
        );
        let committed = case.state.sections()[&Section::CORE].heads[0].commitment;
        let context = case.context(&world, Section::CORE, number);
        guarded(Check::EpochCommitment, || {
            epoch::require_commitment(&opened[0].2, &context, &committed)
        });
    }
    // So it needs an epoch-open, which it cannot sign: as a stranger, or in the owner's name.
    let rotation = change(case.rotation(&world, &ALL, &[0, 1, 2]));
    refused(Check::Signer, by_server(&world, &case, rotation.clone(), None));
    guarded(Check::LinkSignature, || {
        by_server(&world, &case, rotation.clone(), Some(0))
    });
    // Epoch 0 of a new case, opened in somebody's name.
    let new = CaseFile::empty(&world, 9);
    let opening = Event::CaseOpened(new.opening(&world, 0));
    guarded(Check::LinkSignature, || {
        by_server(&world, &new, opening.clone(), Some(0))
    });
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn attack_04_another_recovery_key_takes_the_administrators() {
    let (world, case) = setting();
    let server = Person::new(66, Roles::ALL);
    let mut root = world.next_root();
    root.recovery.recipient = keyring::recipient_key(&server.recipient);
    root.recovery.version = 2;
    let Event::Root(mut signed) = world.signed_root(root.clone(), &[0]) else {
        panic!("a root");
    };
    signed.signatures[0].signature = server
        .identity
        .sign(crate::context::Label::RootSignature, &[&wire::encode(&root).unwrap()]);
    guarded(Check::RootChain, || world.judged(0, Event::Root(signed.clone())));
    // In a rotation: recovery under a version that the root does not name, or left out for the server's.
    let mut rotation = case.rotation(&world, &ALL, &[0, 1, 2]);
    for open in &mut rotation.opens {
        open.recipients.last_mut().unwrap().version = 2;
    }
    refused(Check::RecipientVersion, case.judged(&world, 0, change(rotation)));
    // By the administrators it is a new key, and what was open to the old one is due.
    let mut renewed = World::new(1, 4);
    renewed
        .try_event(0, renewed.signed_root(Root { ..root }, &[0]))
        .unwrap();
    let made = case.note(&renewed, 0, Section::CORE, 1);
    guarded(Check::RecipientsWithin, || case.judged_record(&renewed, 0, &made));
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn attack_05_a_ghost_member_reads_nothing() {
    let (world, case) = setting();
    // Into the agency: by the server, by a caseworker.
    let ghost = Person::new(67, Roles::CASEWORKER);
    let twin = LinkTwin::signed(world.link(0, ghost.joins()), &ghost.signer);
    guarded(Check::LinkSignature, || world.judged_link(twin.received()?));
    guarded(Check::AdministratorOnly, || world.judged(1, ghost.joins()));
    // Into the case: an add that nobody signed, by a member outside, by itself, and one copied from another case.
    let grant = case.grant(&world, 3, Rights::ALL);
    let add = change(granting(&world, &[grant]));
    refused(Check::Signer, by_server(&world, &case, add.clone(), None));
    guarded(Check::LinkSignature, || by_server(&world, &case, add.clone(), Some(0)));
    refused(Check::GrantorRights, case.judged(&world, 3, add.clone()));
    let other = CaseFile::shared(&world, 2, 2);
    let body = LinkBody::Event(PlacedEvent {
        event: add.clone(),
        sealed: Vec::new(),
    });
    let copied = LinkTwin::signed(other.link(&world, 0, body), &world.people[0].signer);
    refused(
        Check::Agency,
        case.clone().try_link(&world, &copied.received().unwrap(), &[]),
    );
    // Into an epoch: as a recipient without a grant, or with a file of its own.
    let slipped = case.rotation(&world, &ALL, &[0, 1, 2, 3]);
    refused(Check::EpochRecipients, case.judged(&world, 0, change(slipped)));
    let mut file = case.rotation(&world, &ALL, &[0, 1, 2]);
    file.keyrings.extend(keyrings(&[world.to(3)]));
    file.keyrings = wire::sort_set(file.keyrings).unwrap();
    guarded(Check::KeyringsComplete, || case.judged(&world, 0, change(file.clone())));
    assert_eq!(case.judged(&world, 0, add), Ok(()));
    still_works(&world, &case, &[0, 1, 2]);
}

#[test]
fn attack_06_a_ghost_device_signs_nothing() {
    let (mut world, case) = setting();
    let mut ghost = Person::new(67, Roles::CASEWORKER);
    ghost.member = world.people[1].member;
    let agency = world.agency.id();
    // Certified by the server, by another member, by an administrator: by anybody but its member.
    for by in [&ghost.identity, &world.people[2].identity, &world.people[0].identity] {
        let device = ghost.certificate(agency, by);
        guarded(Check::DeviceCertificate, || world.judged(0, Event::Device(device)));
    }
    // Certified by its member, and countersigned by nobody.
    let device = ghost.certificate(agency, &world.people[1].identity);
    guarded(Check::AdministratorOnly, || world.judged(1, Event::Device(device)));
    assert_eq!(world.judged(0, Event::Device(device)), Ok(()));
    world
        .try_event(0, Event::DeviceRetired(world.people[1].device))
        .unwrap();
    let note = case.note(&world, 1, Section::CORE, 1);
    refused(Check::Signer, case.judged_record(&world, 1, &note));
    still_works(&world, &case, &[0, 2]);
}

#[test]
fn attack_07_a_writer_who_is_told_of_no_revocation_of_keys_rotates_first_all_the_same() {
    // The agency retires a member; no case's stream says anything. Whoever writes next notices by itself.
    let (mut world, mut case) = setting();
    let stale = case.note(&world, 0, Section::CORE, 1);
    world
        .try_event(0, Event::MemberRetired(world.people[2].member))
        .unwrap();
    for section in ALL {
        let made = case.note(&world, 1, section, 2);
        guarded(Check::RecipientsWithin, || case.judged_record(&world, 1, &made));
    }
    guarded(Check::RecipientsWithin, || case.judged_record(&world, 0, &stale));
    // The one who left does not do it for them.
    let rotation = change(case.rotation(&world, &ALL, &[0, 1]));
    refused(Check::Signer, case.judged(&world, 2, rotation.clone()));
    case.try_event(&world, 1, rotation).unwrap();
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn attack_08_a_link_made_before_a_revocation_is_void_after_it() {
    let (mut world, case) = setting();
    let before = world.agency.head();
    let grant = change(granting(&world, &[case.grant(&world, 3, Rights::READ)]));
    let body = LinkBody::Event(PlacedEvent {
        event: grant,
        sealed: Vec::new(),
    });
    // Person 1 grants while the agency retires it; person 0 grants to one whom the agency retires.
    let links = [0, 1].map(|by| LinkTwin::signed(case.link(&world, by, body.clone()), &world.people[by].signer));
    for twin in &links {
        assert_eq!(case.clone().try_link(&world, &twin.received().unwrap(), &[]), Ok(()));
        assert_eq!(twin.link.agency_head, before);
    }
    world
        .try_event(0, Event::MemberRetired(world.people[1].member))
        .unwrap();
    refused(
        Check::Signer,
        case.clone().try_link(&world, &links[1].received().unwrap(), &[]),
    );
    world
        .try_event(0, Event::MemberRetired(world.people[3].member))
        .unwrap();
    refused(
        Check::Grantee,
        case.clone().try_link(&world, &links[0].received().unwrap(), &[]),
    );
}

#[test]
fn attack_08_a_rotation_made_before_a_retirement_is_void_after_it() {
    let (mut world, case) = setting();
    let rotation = change(case.rotation(&world, &ALL, &[0, 1, 2]));
    let body = |event: Event| {
        LinkBody::Event(PlacedEvent {
            event,
            sealed: Vec::new(),
        })
    };
    let old = LinkTwin::signed(case.link(&world, 0, body(rotation)), &world.people[0].signer);
    let before = world.agency.head();
    world
        .try_event(0, Event::MemberRetired(world.people[2].member))
        .unwrap();
    refused(
        Check::EpochRecipients,
        case.clone().try_link(&world, &old.received().unwrap(), &[]),
    );
    // Nor may one that is right now cite an agency in which it was not: two readers would judge it apart.
    let fitting = change(case.rotation(&world, &ALL, &[0, 1]));
    let mut link = case.link(&world, 0, body(fitting.clone()));
    link.agency_head = before;
    let twin = LinkTwin::signed(link, &world.people[0].signer);
    refused(
        Check::EpochRecipients,
        case.clone().try_link(&world, &twin.received().unwrap(), &[]),
    );
    assert_eq!(case.judged(&world, 0, fitting), Ok(()));
}

#[test]
fn attack_09_a_bad_rotation_is_void_or_complained_of() {
    let (world, mut case) = setting();
    // The revoked one still among the recipients; an honest one left out.
    for people in [&[0, 1, 2][..], &[0], &[1]] {
        refused(
            Check::EpochRecipients,
            case.judged(&world, 0, revocation(&world, &case, 2, people)),
        );
    }
    case.try_event(&world, 0, revocation(&world, &case, 2, &[0, 1]))
        .unwrap();
    // A wrong key for one honest member: set and file are in order, so the member finds out and says so.
    let head = case.state.sections()[&Section::CORE].heads[1].clone();
    let context = case.context(&world, Section::CORE, Epoch(1));
    let wrong = EpochKey::from_bytes([1; 32]);
    guarded(Check::EpochCommitment, || {
        epoch::require_commitment(&wrong, &context, &head.commitment)
    });
    let complaint = |epoch: u32| {
        Event::Complaint(Complaint {
            keyring_hash: case.state.keyrings()[0].keyring_hash,
            section: Section::CORE,
            epoch: Epoch(epoch),
        })
    };
    assert_eq!(case.judged(&world, 1, complaint(1)), Ok(()));
    // Nobody complains of an epoch that is not there, or of a case that is not theirs.
    guarded(Check::EpochOpener, || case.judged(&world, 1, complaint(2)));
    guarded(Check::EpochOpener, || case.judged(&world, 3, complaint(1)));
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn attack_10_the_keys_of_a_revoked_member_open_nothing_newer() {
    let (world, mut case) = setting();
    let kept: Vec<_> = ALL.iter().map(|s| (*s, case.key(*s, Epoch::FIRST))).collect();
    let old = case.note(&world, 0, Section::CORE, 1);
    case.try_record(&world, 0, &old).unwrap();
    case.try_event(&world, 0, revocation(&world, &case, 2, &[0, 1]))
        .unwrap();
    for (section, number) in ALL.into_iter().zip(9..) {
        let new = case.note(&world, 0, section, number);
        case.try_record(&world, 0, &new).unwrap();
        for (_, key) in &kept {
            for epoch in [Epoch(0), Epoch(1)] {
                let context = case.context(&world, section, epoch);
                let sealer = SectionSealer::derive(key, &ReleaseHalf::none(), context, &none()).unwrap();
                refused(Check::Aead, sealer.unwrap(&new.wrap, new.record.hash()).map(|_| ()));
            }
        }
    }
    // Nobody writes under the old epoch any more.
    refused(Check::PlacedTwice, case.judged_record(&world, 0, &old).or_else(stale));
}

/// A record under an old epoch falls on the epoch before it falls on having been placed.
fn stale(refused: Refused) -> Result<(), Refused> {
    assert_eq!(refused.check, Check::EpochHead);
    Err(Check::PlacedTwice.into())
}

#[test]
fn attack_11_what_was_written_offline_under_the_old_epoch_is_placed_under_the_new_one() {
    let (world, mut case) = setting();
    let offline = case.note(&world, 1, Section::CORE, 1);
    let link = LinkTwin::signed(
        case.link(&world, 1, LinkBody::Record(offline.placement)),
        &world.people[1].signer,
    );
    case.try_event(&world, 0, revocation(&world, &case, 2, &[0, 1]))
        .unwrap();
    // The link as it was made, and made anew under the old epoch.
    let attempt = case
        .clone()
        .try_link(&world, &link.received().unwrap(), &[offline.stored()]);
    refused(Check::Chain, attempt);
    refused(Check::EpochHead, case.judged_record(&world, 1, &offline));
    // The record itself is untouched: only its 32-byte key is wrapped anew.
    let key = case
        .sealer(&world, Section::CORE, Epoch(0))
        .unwrap(&offline.wrap, offline.record.hash())
        .unwrap();
    let mut moved = offline.clone();
    moved.placement.epoch = Epoch(1);
    moved.wrap = case
        .sealer(&world, Section::CORE, Epoch(1))
        .wrap(&key, offline.record.hash())
        .unwrap();
    moved.placement.wrap_hash = moved.wrap.hash();
    assert_eq!(case.judged_record(&world, 1, &moved), Ok(()));
    assert_eq!(moved.record.signature(), offline.record.signature());
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn attack_12_after_a_deep_rotation_old_keys_open_no_new_wrap() {
    let (world, mut case) = setting();
    let old = case.note(&world, 0, Section::CORE, 1);
    case.try_record(&world, 0, &old).unwrap();
    let kept = case.sealer(&world, Section::CORE, Epoch(0));
    let key = kept.unwrap(&old.wrap, old.record.hash()).unwrap();
    case.try_event(&world, 0, revocation(&world, &case, 2, &[0, 1]))
        .unwrap();
    let history = Epoch::FIRST_HISTORY;
    let opening = |people: &[usize]| {
        let readers = world.readers(people);
        change(Membership {
            opens: vec![case.epoch_open(&world, Section::CORE, history, &readers)],
            keyrings: keyrings(&readers),
            ..Membership::default()
        })
    };
    refused(Check::EpochRecipients, case.judged(&world, 0, opening(&[0, 1, 2])));
    let event = opening(&[0, 1]);
    case.try_event(&world, 0, event).unwrap();
    let fresh = case.sealer(&world, Section::CORE, history);
    let wrap = fresh.wrap(&key, old.record.hash()).unwrap();
    refused(Check::Aead, kept.unwrap(&wrap, old.record.hash()).map(|_| ()));
    let reopened = fresh.unwrap(&wrap, old.record.hash()).unwrap();
    assert!(old.record.open(&reopened).is_ok());
}

#[test]
fn attack_17_an_old_grant_served_again_gives_nothing_back() {
    let (world, mut case) = setting();
    let grant = case.grant(&world, 3, Rights::READ);
    let event = change(granting(&world, &[grant]));
    let body = LinkBody::Event(PlacedEvent {
        event: event.clone(),
        sealed: Vec::new(),
    });
    let link = LinkTwin::signed(case.link(&world, 0, body), &world.people[0].signer);
    case.try_link(&world, &link.received().unwrap(), &[]).unwrap();
    case.try_event(&world, 0, revocation(&world, &case, 3, &[0, 1, 2]))
        .unwrap();
    // The very link, and its event signed anew by whoever is duped into it.
    refused(
        Check::Chain,
        case.clone().try_link(&world, &link.received().unwrap(), &[]),
    );
    guarded(Check::GrantReused, || case.judged(&world, 0, event.clone()));
    refused(Check::GrantorRights, case.judged(&world, 3, event.clone()));
    // A new client that is shown the stream from its start arrives at the same state.
    assert!(!case.state.holders(Section::CORE).contains(&world.people[3].member));
    let note = case.note(&world, 3, Section::CORE, 1);
    refused(Check::WriteRight, case.judged_record(&world, 3, &note));
    let open = || case.judged(&world, 3, change(case.rotation(&world, &ALL, &[0, 1, 2])));
    refused(Check::GrantorRights, open());
    refused(Check::EpochOpener, guard::without(Check::GrantorRights, open));
    still_works(&world, &case, &[0, 1, 2]);
}
