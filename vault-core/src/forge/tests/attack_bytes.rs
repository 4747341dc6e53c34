//! Attacks 30 and 31: parsers that disagree, and lengths that lie.

use super::refused;
use super::samples::Samples;
use super::samples::again;
use crate::check::Check;
use crate::forge::World;
use crate::keyring;
use crate::keystore;
use crate::wire;
use crate::wire::v1::access::AccessEntry;
use crate::wire::v1::access::AccessSegment;
use crate::wire::v1::access::SegmentStart;
use crate::wire::v1::agency::DeviceCertificate;
use crate::wire::v1::agency::MemberRecipient;
use crate::wire::v1::agency::Root;
use crate::wire::v1::enrolment::EnrolmentSheet;
use crate::wire::v1::enrolment::HandedSecrets;
use crate::wire::v1::enrolment::JoinAnswer;
use crate::wire::v1::enrolment::JoinRequest;
use crate::wire::v1::event::Event;
use crate::wire::v1::key::KeyContext;
use crate::wire::v1::key::Keyring;
use crate::wire::v1::key::RecipientRef;
use crate::wire::v1::key::WrapContext;
use crate::wire::v1::keystore::KeystoreFile;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::Placement;
use crate::wire::v1::link::Release;
use crate::wire::v1::link::Rewrap;
use crate::wire::v1::link::Seen;
use crate::wire::v1::membership::EpochOpen;
use crate::wire::v1::membership::Grant;
use crate::wire::v1::membership::Membership;
use crate::wire::v1::record::RecordHeader;
use crate::wire::v1::stream::StreamId;
use crate::wire::v1::stream::StreamKind;
use proptest::prelude::*;
use std::sync::LazyLock;

/// Decodes `bytes` as every wire type; [`again`] panics where one encodes to other bytes than it came from.
fn every_type(bytes: &[u8]) -> usize {
    macro_rules! types {
        ($($type:ty),+ $(,)?) => { [$(again::<$type>(bytes).is_some()),+] };
    }
    let decoded = types![
        AccessEntry,
        AccessSegment,
        DeviceCertificate,
        EnrolmentSheet,
        EpochOpen,
        Event,
        Grant,
        HandedSecrets,
        JoinAnswer,
        JoinRequest,
        KeyContext,
        Keyring,
        KeystoreFile,
        Link,
        LinkBody,
        MemberRecipient,
        Membership,
        Placement,
        RecipientRef,
        RecordHeader,
        Release,
        Rewrap,
        Root,
        Seen,
        SegmentStart,
        StreamId,
        StreamKind,
        WrapContext,
    ];
    decoded.iter().filter(|d| **d).count()
}

/// Every kind of link and every document.
static CORPUS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let samples = Samples::new();
    let documents = samples.documents().into_iter().map(|(_, bytes)| bytes);
    samples.links().into_iter().chain(documents).collect()
});

#[test]
fn attack_30_every_honest_structure_decodes_and_encodes_to_itself() {
    for bytes in CORPUS.iter() {
        assert!(every_type(bytes) > 0);
    }
    assert_eq!(CORPUS.len(), 4 + 20 + 1 + 13);
}

#[test]
fn attack_30_no_changed_bit_gives_the_same_value_again() {
    // A record's link, whole: every bit of it is in the value, so no two texts say the same.
    let samples = Samples::new();
    let link = samples.record_link();
    let bytes = wire::encode(&link).unwrap();
    let mut decoded = 0;
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = wire::decode::<Link>(&flipped, bytes.len()) {
            assert_ne!(other, link);
            assert_eq!(wire::encode(&other).unwrap(), flipped);
            decoded += 1;
        }
    }
    assert!(
        decoded > bytes.len() * 7,
        "most fields are free, and only {decoded} flips decoded"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn attack_30_random_bytes_that_decode_encode_to_themselves(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        every_type(&bytes);
    }

    #[test]
    fn attack_30_random_bodies_behind_an_honest_start_encode_to_themselves(
        which in any::<prop::sample::Index>(),
        keep in any::<prop::sample::Index>(),
        tail in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let honest = which.get(&CORPUS);
        let mut bytes = honest[..keep.index(honest.len() + 1)].to_vec();
        bytes.extend(tail);
        every_type(&bytes);
    }

    #[test]
    fn attack_30_mutated_structures_encode_to_themselves_or_are_refused(
        which in any::<prop::sample::Index>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 1..6),
    ) {
        let mut bytes = which.get(&CORPUS).clone();
        for (at, kind, value) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = value,
                1 => bytes.insert(at, value),
                2 => drop(bytes.drain(at..(at + usize::from(value)).min(bytes.len()))),
                _ => bytes.truncate(at.max(1)),
            }
            if bytes.is_empty() {
                bytes.push(value);
            }
        }
        every_type(&bytes);
    }
}

/// Length fields that claim far more than there is: the largest of each width, and widths that no length may have.
const BOMBS: [&[u8]; 7] = [
    &[0x3f],
    &[0x7f, 0xff],
    &[0xbf, 0xff, 0xff, 0xff],
    &[0x80, 0x10, 0x00, 0x00],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0xc0, 0, 0, 0, 0, 0, 0, 1],
    &[0x80, 0x00, 0x00, 0x01],
];

#[test]
fn attack_31_a_length_that_lies_is_refused_wherever_it_stands() {
    for honest in CORPUS.iter() {
        // Everywhere in the small ones; in the big ones, which are mostly public keys, at every few bytes.
        for at in (0..honest.len()).step_by(1 + honest.len() / 512) {
            for bomb in BOMBS {
                let end = (at + bomb.len()).min(honest.len());
                let spliced = [&honest[..at], bomb, &honest[end..]].concat();
                every_type(&spliced);
                every_type(&[&honest[..at], bomb].concat());
            }
        }
    }
}

#[test]
fn attack_31_documents_over_their_limits_are_refused_unread() {
    let world = World::new(1, 1);
    let long = vec![0; 5 << 20];
    refused(Check::TooLong, keystore::peek(&long).map(|_| ()));
    let signature = crate::crypto::sign::Signature([0; 64]);
    refused(
        Check::TooLong,
        crate::stream::UnverifiedLink::decode(&long, signature).map(|_| ()),
    );
    // A keyring of a hundred thousand stanzas, and one whose content would pass the limit.
    let stanzas = [b"age-encryption.org/v1\n".as_slice(), &b"-> a\n\n".repeat(100_000)].concat();
    let seed = &world.people[0].recipient;
    let open = |file: &[u8]| {
        let stream = StreamId::agency(&world.agency.id());
        keyring::open(world.agency.id(), stream, world.to(0), seed, file).map(|_| ())
    };
    refused(Check::AgeLimits, open(&stanzas));
    let public = keyring::recipient_key(seed);
    let huge = keyring::seal_to(&public, &long, &mut crate::forge::Seeded::new(1)).unwrap();
    refused(Check::AgeLimits, open(&huge));
}
