//! CHK-31 to CHK-34 and CHK-95 to CHK-97: keyrings and the keystore.

use super::guarded;
use super::refused;
use crate::check::Check;
use crate::check::Refused;
use crate::crypto::passphrase::Cost;
use crate::epoch;
use crate::forge::CaseFile;
use crate::forge::Seeded;
use crate::forge::World;
use crate::id::CaseId;
use crate::keyring;
use crate::keystore;
use crate::keystore::RecoverySeeds;
use crate::keystore::Secrets;
use crate::secret::EpochKey;
use crate::secret::RecipientSeed;
use crate::secret::SigningSeed;
use crate::secret::StoreKey;
use crate::wire;
use crate::wire::v1::key::KeyringEntry;
use crate::wire::v1::keystore::KdfAlgorithm;
use crate::wire::v1::keystore::KeystoreHeader;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;

#[test]
fn chk_31_a_keyring_for_somebody_or_somewhere_else_is_refused() {
    let world = World::new(1, 2);
    let case = CaseFile::open(&world, 1, 0);
    let (agency, stream, to) = (world.agency.id(), StreamId::case(case.id), world.to(0));
    let key = case.key(Section::CORE, Epoch::FIRST);
    let keys = [(Section::CORE, Epoch::FIRST, &key)];
    let seed = &world.people[0].recipient;
    let public = keyring::recipient_key(seed);
    let (file, hash) = keyring::seal(agency, stream, to, &public, &keys, &mut Seeded::new(1)).unwrap();
    assert_eq!(hash, keyring::keyring_hash(&file));
    let opened = |agency, stream, to, seed| keyring::open(agency, stream, to, seed, &file).map(|_| ());
    let other_agency = World::new(2, 1).agency.id();
    let other_stream = StreamId::case(CaseId([9; 16]));
    let mut older = to;
    older.version = 2;
    guarded(Check::KeyringContext, || opened(other_agency, stream, to, seed));
    guarded(Check::KeyringContext, || opened(agency, other_stream, to, seed));
    guarded(Check::KeyringContext, || {
        opened(agency, StreamId::agency(&agency), to, seed)
    });
    guarded(Check::KeyringContext, || opened(agency, stream, world.to(1), seed));
    guarded(Check::KeyringContext, || opened(agency, stream, older, seed));
    // Somebody else's key opens nothing at all.
    refused(
        Check::KeyringContext,
        opened(agency, stream, to, &world.people[1].recipient),
    );
    assert_eq!(opened(agency, stream, to, seed), Ok(()));
}

#[test]
fn chk_32_a_key_that_its_granter_swapped_is_refused() {
    let world = World::new(1, 2);
    let case = CaseFile::open(&world, 1, 0);
    let open = &case.state.sections()[&Section::CORE].heads[0];
    let context = case.context(&world, Section::CORE, Epoch::FIRST);
    let given = |key: EpochKey| epoch::require_commitment(&key, &context, &open.commitment);
    guarded(Check::EpochCommitment, || given(EpochKey::from_bytes([1; 32])));
    // The right key of another section does not do either.
    guarded(Check::EpochCommitment, || given(case.key(Section::INDEX, Epoch::FIRST)));
    assert_eq!(given(case.key(Section::CORE, Epoch::FIRST)), Ok(()));
}

#[test]
fn chk_34_a_keyring_that_is_no_age_file_of_ours_is_refused() {
    let world = World::new(1, 1);
    let stream = StreamId::agency(&world.agency.id());
    let seed = &world.people[0].recipient;
    let attempt = |file: &[u8]| keyring::open(world.agency.id(), stream, world.to(0), seed, file).map(|_| ());
    for file in [b"".as_slice(), b"age-encryption.org/v1\n", &[0; 1000]] {
        refused(Check::AgeLimits, attempt(file));
    }
    let public = keyring::recipient_key(seed);
    let (file, _) = keyring::seal(
        world.agency.id(),
        stream,
        world.to(0),
        &public,
        &[],
        &mut Seeded::new(1),
    )
    .unwrap();
    let mut flipped = file.clone();
    *flipped.last_mut().unwrap() ^= 1;
    refused(Check::AgeLimits, attempt(&flipped));
    assert_eq!(attempt(&file), Ok(()));
}

#[test]
fn chk_02_a_keyring_with_unsorted_or_repeated_keys_is_refused() {
    let world = World::new(1, 1);
    let stream = StreamId::agency(&world.agency.id());
    let seed = &world.people[0].recipient;
    let entry = |section: u16| KeyringEntry {
        section: Section(section),
        epoch: Epoch::FIRST,
        key: [1; 32],
    };
    let sealed = |entries: Vec<KeyringEntry>| {
        let text = wire::encode(&wire::v1::key::Keyring {
            format: 1,
            agency: world.agency.id(),
            stream,
            to: world.to(0),
            entries,
        });
        keyring::seal_to(&keyring::recipient_key(seed), &text.unwrap(), &mut Seeded::new(1)).unwrap()
    };
    let attempt = |file: &[u8]| keyring::open(world.agency.id(), stream, world.to(0), seed, file).map(|_| ());
    let unsorted = sealed(vec![entry(1), entry(0)]);
    guarded(Check::NotCanonical, || attempt(&unsorted));
    let repeated = sealed(vec![entry(1), entry(1)]);
    guarded(Check::NotCanonical, || attempt(&repeated));
    assert_eq!(attempt(&sealed(vec![entry(0), entry(1)])), Ok(()));
}

fn secrets(world: &World) -> Secrets {
    let mut random = Seeded::new(1000);
    // The order in which `Person::new` draws: member, device, identity, device key, recipient, seal secret.
    let _: ([u8; 16], [u8; 16]) = (random.bytes(), random.bytes());
    let (identity, device) = (random.bytes(), random.bytes());
    Secrets {
        device: SigningSeed::from_bytes(device),
        seal_secret: world.people[0].seal_secret.duplicate(),
        store_key: StoreKey::from_bytes([1; 32]),
        identity: SigningSeed::from_bytes(identity),
        recipients: vec![(1, world.people[0].recipient.duplicate())],
        dpo: vec![(0, world.dpo.duplicate())],
        recovery: None,
    }
}

#[test]
fn chk_97_a_keystore_whose_keys_are_not_the_streams_is_refused() {
    let world = World::new(1, 2);
    let header = KeystoreHeader {
        format: 1,
        agency: world.agency.id(),
        member: world.people[0].member,
        device: world.people[0].device,
        kdf: KdfAlgorithm::Argon2id,
        cost: Cost::default(),
        salt: [0; 32],
        generation: 1,
        fresh: [0; 32],
    };
    let attempt = |header: &KeystoreHeader, edit: fn(&mut Secrets)| -> Result<(), Refused> {
        let mut secrets = secrets(&world);
        edit(&mut secrets);
        keystore::require_own_keys(&world.agency, header, &secrets)
    };
    assert_eq!(attempt(&header, |_| ()), Ok(()));
    let other = RecipientSeed::from_bytes;
    let edits: [fn(&mut Secrets); 8] = [
        |s| s.device = SigningSeed::from_bytes([1; 32]),
        |s| s.identity = SigningSeed::from_bytes([1; 32]),
        |s| s.recipients[0].1 = RecipientSeed::from_bytes([1; 32]),
        |s| s.recipients[0].0 = 2,
        |s| s.recipients.clear(),
        |s| s.dpo[0].1 = RecipientSeed::from_bytes([1; 32]),
        |s| s.dpo[0].0 = 1,
        |s| {
            s.recovery = Some(RecoverySeeds {
                version: 1,
                recipient: RecipientSeed::from_bytes([1; 32]),
                signing: SigningSeed::from_bytes([2; 32]),
                seed: None,
            });
        },
    ];
    for edit in edits {
        guarded(Check::OwnKeys, || attempt(&header, edit));
    }
    assert!(other([1; 32]) != world.dpo);
    let elsewhere = KeystoreHeader {
        agency: World::new(2, 1).agency.id(),
        ..header
    };
    guarded(Check::OwnKeys, || attempt(&elsewhere, |_| ()));
    let somebody = KeystoreHeader {
        member: world.people[1].member,
        ..header
    };
    guarded(Check::OwnKeys, || attempt(&somebody, |_| ()));
    let unknown = KeystoreHeader {
        device: crate::id::DeviceId([1; 16]),
        ..header
    };
    refused(Check::OwnKeys, attempt(&unknown, |_| ()));
}
