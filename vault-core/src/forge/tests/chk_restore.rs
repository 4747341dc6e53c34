//! CHK-29 and CHK-30: devices after a loss.

use super::guarded;
use super::refused;
use crate::check::Check;
use crate::check::Refused;
use crate::context::Label;
use crate::crypto::sign::SigningKey;
use crate::forge::Person;
use crate::forge::World;
use crate::forge::random::Seeded;
use crate::forge::twin::LinkTwin;
use crate::id::DeviceId;
use crate::id::LinkId;
use crate::keystore::RecoverySeeds;
use crate::keystore::Secrets;
use crate::restoring;
use crate::secret::RecipientSeed;
use crate::secret::SealSecret;
use crate::secret::SigningSeed;
use crate::secret::StoreKey;
use crate::stream::UnverifiedLink;
use crate::wire;
use crate::wire::v1::agency::Administrator;
use crate::wire::v1::agency::CertifiedDevice;
use crate::wire::v1::agency::DeviceCertificate;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::agency::Root;
use crate::wire::v1::event::Enrolment;
use crate::wire::v1::event::Event;
use crate::wire::v1::event::RecoveryRun;
use crate::wire::v1::event::Restored;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;

/// The founder's new device: its key, and what is signed to enrol it at `previous`.
fn new_device(world: &World, previous: LinkId, retired: &[DeviceId], version: u32) -> (SigningKey, Enrolment) {
    let signer = SigningKey::from_seed(&SigningSeed::from_bytes([77; 32]));
    let certificate = DeviceCertificate {
        agency: world.agency.id(),
        member: world.people[0].member,
        device: DeviceId([77; 16]),
        key: signer.public(),
    };
    let statement = Enrolment {
        previous,
        certificate,
        retired: retired.to_vec(),
        version,
    };
    (signer, statement)
}

fn certified(statement: &Enrolment, identity: &SigningKey) -> CertifiedDevice {
    let bytes = wire::encode(&statement.certificate).unwrap();
    CertifiedDevice {
        certificate: statement.certificate,
        signature: identity.sign(Label::DeviceCertificate, &[&bytes]),
    }
}

fn restored(world: &World, statement: &Enrolment, by: &SigningKey) -> Event {
    Event::Restored(Restored {
        device: certified(statement, &world.people[0].identity),
        retired: statement.retired.clone(),
        signature: by.sign(Label::RestoredDevice, &[&wire::encode(statement).unwrap()]),
    })
}

fn recovery_run(world: &World, statement: &Enrolment, by: &SigningKey) -> Event {
    Event::RecoveryRun(RecoveryRun {
        device: certified(statement, &world.people[0].identity),
        retired: statement.retired.clone(),
        version: statement.version,
        signature: by.sign(Label::RecoveryRun, &[&wire::encode(statement).unwrap()]),
    })
}

fn link(world: &World, device: DeviceId, signer: &SigningKey, event: Event) -> UnverifiedLink {
    let body = LinkBody::Event(PlacedEvent {
        event,
        sealed: Vec::new(),
    });
    let link = world.agency.chain().next_link(world.agency.head(), device, body);
    LinkTwin::signed(link, signer).received().unwrap()
}

fn judged(world: &World, signer: &SigningKey, event: Event) -> Result<(), Refused> {
    world.judged_link(link(world, DeviceId([77; 16]), signer, event))
}

#[test]
fn a_sole_administrator_enrols_a_device_by_its_own_identity_key() {
    let mut world = World::new(1, 2);
    let gone = world.people[0].device;
    let (signer, statement) = new_device(&world, world.agency.head(), &[gone], 0);
    let event = restored(&world, &statement, &world.people[0].identity);
    world
        .try_link(link(&world, DeviceId([77; 16]), &signer, event))
        .unwrap();
    assert!(world.agency.live_device(DeviceId([77; 16])).is_ok());
    refused(Check::Signer, world.agency.live_device(gone).map(|_| ()));
    assert!(world.agency.live_device(world.people[1].device).is_ok());
    // The lost device signs nothing any more.
    refused(Check::Signer, world.judged(0, Event::DeviceRetired(gone)));
}

#[test]
fn chk_29_a_restore_counts_by_the_sole_administrator_at_its_own_place_alone() {
    let world = World::new(1, 2);
    let (own, others) = (&world.people[0], &world.people[1]);
    let head = world.agency.head();
    let attempt = |statement: &Enrolment, by: &SigningKey| {
        let (signer, _) = new_device(&world, head, &[], 0);
        judged(&world, &signer, restored(&world, statement, by))
    };
    let (_, honest) = new_device(&world, head, &[own.device], 0);
    assert_eq!(attempt(&honest, &own.identity), Ok(()));
    guarded(Check::RestoredDevice, || attempt(&honest, &others.identity));
    guarded(Check::RestoredDevice, || attempt(&honest, &own.signer));
    // Played again after another link, or as a recovery run's statement.
    let (_, elsewhere) = new_device(&world, LinkId([9; 32]), &[own.device], 0);
    guarded(Check::RestoredDevice, || attempt(&elsewhere, &own.identity));
    let (_, other_kind) = new_device(&world, head, &[own.device], 1);
    guarded(Check::RestoredDevice, || attempt(&other_kind, &own.identity));
    // Somebody else's device does not go with it.
    let (_, stranger) = new_device(&world, head, &[others.device], 0);
    guarded(Check::RestoredDevice, || attempt(&stranger, &own.identity));
}

#[test]
fn chk_29_with_a_second_administrator_nobody_restores_alone() {
    let mut world = World::new(1, 1);
    world.join(Person::new(2, Roles::ALL));
    let both = world.people.iter().map(|p| Administrator {
        member: p.member,
        identity: p.identity.public(),
    });
    let root = Root {
        administrators: wire::sort_set(both.collect()).unwrap(),
        ..world.next_root()
    };
    world.try_event(0, world.signed_root(root, &[0])).unwrap();
    let (signer, statement) = new_device(&world, world.agency.head(), &[], 0);
    let event = restored(&world, &statement, &world.people[0].identity);
    refused(Check::RestoredDevice, judged(&world, &signer, event));
}

#[test]
fn chk_30_attack_37_a_recovery_run_counts_by_the_key_in_force_at_its_own_place_alone() {
    let mut world = World::new(1, 2);
    let own = world.people[0].device;
    let key = SigningKey::from_seed(&SigningSeed::from_bytes([5; 32]));
    let old_request = {
        let head = world.agency.head();
        let attempt = |statement: &Enrolment, by: &SigningKey| {
            let (signer, _) = new_device(&world, head, &[], 1);
            judged(&world, &signer, recovery_run(&world, statement, by))
        };
        let (signer, honest) = new_device(&world, head, &[own], 1);
        assert_eq!(attempt(&honest, &world.recovery_signing), Ok(()));
        guarded(Check::RecoveryRun, || attempt(&honest, &key));
        guarded(Check::RecoveryRun, || attempt(&honest, &world.people[0].identity));
        let (_, elsewhere) = new_device(&world, LinkId([9; 32]), &[own], 1);
        guarded(Check::RecoveryRun, || attempt(&elsewhere, &world.recovery_signing));
        let (_, other_version) = new_device(&world, head, &[own], 2);
        guarded(Check::RecoveryRun, || attempt(&other_version, &world.recovery_signing));
        let (_, stranger) = new_device(&world, head, &[world.people[1].device], 1);
        guarded(Check::RecoveryRun, || attempt(&stranger, &world.recovery_signing));
        let event = recovery_run(&world, &honest, &world.recovery_signing);
        link(&world, DeviceId([77; 16]), &signer, event)
    };
    assert_eq!(world.judged_link(old_request.clone()), Ok(()));
    // The same request after anything else happened.
    world.try_event(0, world.people[1].joins()).unwrap_err();
    world.try_event(0, world.signed_root(world.next_root(), &[0])).unwrap();
    refused(Check::Chain, world.judged_link(old_request));
}

#[test]
fn chk_23_an_enrolment_needs_the_members_own_certificate_and_is_signed_by_its_device() {
    let world = World::new(1, 2);
    let (signer, statement) = new_device(&world, world.agency.head(), &[], 0);
    let mut event = restored(&world, &statement, &world.people[0].identity);
    if let Event::Restored(restored) = &mut event {
        restored.device = certified(&statement, &world.people[1].identity);
    }
    refused(Check::DeviceCertificate, judged(&world, &signer, event));
    let event = restored(&world, &statement, &world.people[0].identity);
    refused(
        Check::LinkSignature,
        judged(&world, &world.people[0].signer, event.clone()),
    );
    let by_another = link(&world, world.people[1].device, &world.people[1].signer, event);
    refused(Check::Signer, world.judged_link(by_another));
}

/// The founder's secrets, with a new device's.
fn secrets(world: &World) -> Secrets {
    Secrets {
        device: SigningSeed::from_bytes([78; 32]),
        seal_secret: SealSecret::from_bytes([79; 32]),
        store_key: StoreKey::from_bytes([80; 32]),
        identity: founder_identity(world),
        recipients: vec![(1, world.people[0].recipient.duplicate())],
        dpo: vec![(0, world.dpo.duplicate())],
        recovery: None,
    }
}

/// The seed of the founder's identity key, as [`Person::new`] draws it.
fn founder_identity(world: &World) -> SigningSeed {
    let mut random = Seeded::new(1000);
    let _ids: ([u8; 16], [u8; 16]) = (random.bytes(), random.bytes());
    let seed = SigningSeed::from_bytes(random.bytes());
    assert_eq!(SigningKey::from_seed(&seed).public(), world.people[0].identity.public());
    seed
}

#[test]
fn after_a_recovery_run_there_is_a_new_recovery_key_that_everything_is_sealed_to() {
    let mut world = World::new(1, 1);
    world.try_event(0, Event::AgencyEpoch(world.agency_epoch())).unwrap();
    let first = world.dpo_epoch(0, &[0]);
    world.try_event(0, Event::DpoEpoch(first)).unwrap();
    let mut secrets = secrets(&world);
    let member = world.people[0].member;
    let device = DeviceId([78; 16]);
    let old = RecoverySeeds {
        version: 1,
        recipient: RecipientSeed::from_bytes(*world.recovery.expose()),
        signing: SigningSeed::from_bytes(recovery_signing()),
        seed: None,
    };
    assert_eq!(world.agency.root().recovery, old.public());
    let mut agency = world.agency.clone();
    let enrolled = restoring::enrol(&mut agency, member, device, &secrets, Some(&old)).unwrap();
    assert_eq!(enrolled.links.len(), 1);
    let mut random = Seeded::new(5);
    let renewed = restoring::renew_recovery(&mut agency, member, device, &mut secrets, &mut random).unwrap();
    assert_eq!(renewed.links.len(), 3);
    let new = secrets.recovery.unwrap();
    assert_eq!((agency.root().version, new.version), (2, 2));
    assert_eq!(agency.root().recovery, new.public());
    assert_eq!(agency.dpo().0, 1);
    let last = agency.epochs().last().unwrap();
    assert!(last.recipients.contains(&agency.recovery_ref()) && last.recipients.len() == 2);
    // Whoever replays the links from the beginning arrives at the same.
    for link in enrolled.links.into_iter().chain(renewed.links) {
        world.try_link(link.into_unverified()).unwrap();
    }
    assert_eq!(world.agency.head(), agency.head());
}

/// The seed of the recovery signing key, as the forging kit draws it.
fn recovery_signing() -> [u8; 32] {
    let mut random = Seeded::new(1999);
    let _recipient: [u8; 32] = random.bytes();
    random.bytes()
}
