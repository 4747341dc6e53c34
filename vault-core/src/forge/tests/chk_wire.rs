//! CHK-01 to CHK-03: what is not in the format at all.

use super::guarded;
use super::refused;
use crate::check::Check;
use crate::check::Refused;
use crate::forge::CaseFile;
use crate::forge::World;
use crate::forge::twin::LinkTwin;
use crate::id::RecordHash;
use crate::stream::UnverifiedLink;
use crate::wire;
use crate::wire::v1::event::Erasure;
use crate::wire::v1::event::ErasureGround;
use crate::wire::v1::event::Event;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;
use crate::wire::v1::record::HEADER_BYTES;
use crate::wire::v1::record::RecordHeader;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;

fn decoded(bytes: &[u8]) -> Result<(), Refused> {
    UnverifiedLink::decode(bytes, crate::crypto::sign::Signature([0; 64])).map(|_| ())
}

fn link(event: Event) -> Link {
    let world = World::new(1, 1);
    let case = CaseFile::open(&world, 1, 0);
    let body = LinkBody::Event(PlacedEvent {
        event,
        sealed: Vec::new(),
    });
    case.link(&world, 0, body)
}

#[test]
fn chk_01_what_is_longer_than_its_limit_is_refused_unread() {
    let records = (0..40_000u32)
        .map(|n| {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&n.to_be_bytes());
            RecordHash(hash)
        })
        .collect();
    let ground = ErasureGround::Decided;
    let long = wire::encode(&link(Event::Erasure(Erasure { records, ground }))).unwrap();
    assert!(long.len() > wire::v1::limit::LINK);
    guarded(Check::TooLong, || decoded(&long));
    // A store that rebuilds the link out of its columns meets the same limit.
    let rebuilt: Link = wire::decode(&long, usize::MAX).unwrap();
    guarded(Check::TooLong, || {
        UnverifiedLink::rebuilt(rebuilt.clone(), crate::crypto::sign::Signature([0; 64])).map(|_| ())
    });
    refused(
        Check::TooLong,
        wire::decode::<RecordHeader>(&[0; HEADER_BYTES + 1], HEADER_BYTES).map(|_| ()),
    );
    assert_eq!(decoded(&wire::encode(&link(Event::Relation)).unwrap()), Ok(()));
}

#[test]
fn chk_02_a_second_text_of_the_same_structure_is_refused() {
    let honest = wire::encode(&link(Event::Relation)).unwrap();
    assert_eq!(decoded(&honest), Ok(()));
    let trailing = [honest.as_slice(), &[0]].concat();
    refused(Check::NotCanonical, decoded(&trailing));
    refused(Check::NotCanonical, decoded(&honest[..honest.len() - 1]));
    // The last byte is the length, zero, of the sealed parts: the same zero in two bytes.
    let mut wide = honest.clone();
    *wide.last_mut().unwrap() = 0x40;
    wide.push(0);
    refused(Check::NotCanonical, decoded(&wide));
    // `seen` is an optional: a byte of 0 or 1.
    let mut seen = honest.clone();
    let at = 2 + 32 + 17 + 8 + 32 + 32;
    assert_eq!(seen[at], 0);
    seen[at] = 2;
    refused(Check::NotCanonical, decoded(&seen));
}

#[test]
fn chk_02_a_set_out_of_order_or_with_repetitions_is_refused() {
    let world = World::new(1, 2);
    let case = CaseFile::shared(&world, 1, 2);
    let made = [1, 2].map(|n| case.note(&world, 0, Section::CORE, n));
    let mut placed = case.clone();
    for one in &made {
        placed.try_record(&world, 0, one).unwrap();
    }
    let mut hashes = made.map(|m| m.record.hash());
    hashes.sort();
    let erasure = |records: &[RecordHash]| {
        Event::Erasure(Erasure {
            records: records.to_vec(),
            ground: ErasureGround::Decided,
        })
    };
    let [low, high] = hashes;
    guarded(Check::NotCanonical, || placed.judged(&world, 0, erasure(&[high, low])));
    refused(Check::NotCanonical, placed.judged(&world, 0, erasure(&[low, low])));
    assert_eq!(placed.judged(&world, 0, erasure(&[low, high])), Ok(()));
}

#[test]
fn chk_03_an_unknown_format_kind_or_type_is_refused() {
    let honest = link(Event::Relation);
    for format in [0, 2, u16::MAX] {
        let twin = LinkTwin {
            link: Link {
                format,
                ..honest.clone()
            },
            signature: crate::crypto::sign::Signature([0; 64]),
        };
        guarded(Check::UnknownFormat, || twin.received().map(|_| ()));
    }
    let bytes = wire::encode(&honest).unwrap();
    let mut stream = bytes.clone();
    stream[34] = 4;
    refused(Check::UnknownFormat, decoded(&stream));
    // The body follows the device: its kind in one byte, then the event's type in two.
    let kind = 2 + 32 + 17 + 8 + 32 + 32 + 1 + 16;
    assert_eq!(bytes[kind..kind + 3], [2, 0, 38]);
    for unknown in [0, 6, 255] {
        let mut body = bytes.clone();
        body[kind] = unknown;
        refused(Check::UnknownFormat, decoded(&body));
    }
    // The reserved types too.
    for reserved in [0u16, 14, 31, 35, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 0xffff] {
        let mut event = bytes.clone();
        event[kind + 1..kind + 3].copy_from_slice(&reserved.to_be_bytes());
        refused(Check::UnknownFormat, decoded(&event));
    }
    assert_eq!(decoded(&bytes), Ok(()));
}

#[test]
fn chk_03_an_unknown_role_or_record_format_is_refused() {
    use crate::forge::world::Person;
    use crate::wire::v1::agency::Roles;
    let world = World::new(1, 1);
    let stranger = Person::new(77, Roles(64));
    guarded(Check::UnknownFormat, || world.judged(0, stranger.joins()));
    let case = CaseFile::open(&world, 1, 0);
    let made = case.note(&world, 0, Section::CORE, 1);
    let mut twin = crate::forge::twin::RecordTwin::of(&made.record);
    twin.header.format = 2;
    guarded(Check::UnknownFormat, || twin.received().map(|_| ()));
    assert_eq!(made.record.header().stream, StreamId::case(case.id));
}
