//! CHK-10 to CHK-16: records.

use super::guarded;
use super::guarded_twice;
use super::refused;
use super::still_works;
use crate::check::Check;
use crate::check::Refused;
use crate::context::Label;
use crate::crypto::aead::Sealer;
use crate::crypto::pad;
use crate::forge::CaseFile;
use crate::forge::World;
use crate::forge::case::Made;
use crate::forge::twin::RecordTwin;
use crate::id::RecordHash;
use crate::id::RecordId;
use crate::secret::RecordKey;
use crate::wire;
use crate::wire::v1::record::RecordHeader;
use crate::wire::v1::stream::Section;

fn setting() -> (World, CaseFile, Made) {
    let world = World::new(1, 2);
    let case = CaseFile::shared(&world, 1, 2);
    let made = case.note(&world, 0, Section::CORE, 1);
    (world, case, made)
}

/// Seals a text that is padded in any way, as a modified client would.
fn sealed_raw(world: &World, header: RecordHeader, padded: &[u8]) -> (RecordTwin, RecordKey) {
    let key = RecordKey::from_bytes([9; 32]);
    let sealer = Sealer::derive(Label::RecordSeal, key.expose(), &[]);
    let header = RecordHeader {
        padded_length: padded.len() as u32,
        commitment: sealer.commitment(),
        ..header
    };
    let mut ciphertext = padded.to_vec();
    sealer.seal(&wire::encode(&header).unwrap(), &mut ciphertext).unwrap();
    let mut twin = RecordTwin {
        header,
        ciphertext,
        signature: crate::crypto::sign::Signature([0; 64]),
    };
    twin.sign(&world.people[0].signer);
    (twin, key)
}

fn opened(world: &World, twin: &RecordTwin, key: &RecordKey) -> Result<(), Refused> {
    let author = &world.agency.devices()[&twin.header.device].key;
    twin.received()?.verify(author)?.open(key).map(|_| ())
}

#[test]
fn chk_10_a_ciphertext_of_another_length_than_the_headers_is_refused() {
    let (world, case, made) = setting();
    for length in [0, 255, 271, 273, 300] {
        let mut twin = RecordTwin::of(&made.record);
        twin.ciphertext.resize(length, 0);
        twin.sign(&world.people[0].signer);
        guarded(Check::CiphertextLength, || twin.received().map(|_| ()));
    }
    // Below the floor, the length would tell what is inside.
    let (twin, _) = sealed_raw(&world, case.header(&world, 0, Section::CORE, 1), &[0x80; 255]);
    guarded(Check::CiphertextLength, || twin.received().map(|_| ()));
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn chk_11_a_record_whose_key_is_not_the_committed_one_is_refused() {
    let (world, case, made) = setting();
    let (twin, key) = sealed_raw(&world, case.header(&world, 0, Section::CORE, 1), &pad::pad(b"{}"));
    assert_eq!(opened(&world, &twin, &key), Ok(()));
    let other = RecordKey::from_bytes([8; 32]);
    guarded_twice(Check::KeyCommitment, Check::Aead, || opened(&world, &twin, &other));
    // A wrap that its maker filled with another key opens, and is caught by the commitment.
    let section = case.sealer(&world, Section::CORE, made.placement.epoch);
    let bad = Made {
        wrap: section.wrap(&other, made.record.hash()).unwrap(),
        ..made.clone()
    };
    let stored = RecordTwin::of(&made.record).received().unwrap();
    refused(Check::KeyCommitment, case.opened(&world, &bad, stored).map(|_| ()));
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn chk_12_a_changed_byte_is_refused_even_under_the_authors_signature() {
    let (world, case, _) = setting();
    let (honest, key) = sealed_raw(&world, case.header(&world, 0, Section::CORE, 1), &pad::pad(b"{}"));
    for at in [0, 100, 255, 256, 271] {
        let mut twin = honest.clone();
        twin.ciphertext[at] ^= 1;
        twin.sign(&world.people[0].signer);
        refused(Check::Aead, opened(&world, &twin, &key));
    }
    // And so is every field of the header, which the seal covers too.
    let mut twin = honest.clone();
    twin.header.record = RecordId([200; 16]);
    twin.sign(&world.people[0].signer);
    refused(Check::Aead, opened(&world, &twin, &key));
    assert_eq!(opened(&world, &honest, &key), Ok(()));
}

#[test]
fn chk_13_a_record_padded_to_another_length_is_refused() {
    let (world, case, _) = setting();
    let header = case.header(&world, 0, Section::CORE, 1);
    for size in [257, 272, 512] {
        let padded = pad::pad_to(b"{}", size).unwrap();
        let (twin, key) = sealed_raw(&world, header.clone(), &padded);
        guarded(Check::Padding, || opened(&world, &twin, &key));
    }
    let (twin, key) = sealed_raw(&world, header, &[0; 256]);
    refused(Check::Padding, opened(&world, &twin, &key));
}

#[test]
fn chk_14_a_record_by_a_device_of_somebody_else_is_refused() {
    let (world, case, _) = setting();
    let header = RecordHeader {
        member: world.people[1].member,
        ..case.header(&world, 0, Section::CORE, 1)
    };
    let framing = case.make(&world, 0, header.clone());
    guarded(Check::AuthorDevice, || case.judged_record(&world, 0, &framing));
    let unknown = RecordHeader {
        device: crate::id::DeviceId([9; 16]),
        ..header
    };
    refused(
        Check::AuthorDevice,
        case.judged_record(&world, 0, &case.make(&world, 0, unknown)),
    );
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn chk_15_a_record_that_its_author_did_not_sign_is_refused() {
    let (world, case, made) = setting();
    let mut twin = RecordTwin::of(&made.record);
    twin.sign(&world.people[1].signer);
    guarded(Check::RecordSignature, || {
        case.opened(&world, &made, twin.received()?).map(|_| ())
    });
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn chk_16_an_amendment_of_something_that_is_not_there_is_refused() {
    let (world, mut case, made) = setting();
    let amends = |version: u32, amends: RecordHash| RecordHeader {
        version,
        amends,
        ..case.header(&world, 0, Section::CORE, 1)
    };
    let second = case.make(&world, 0, amends(2, made.record.hash()));
    let header = second.record.header();
    refused(Check::Amends, case.judged_record(&world, 0, &second));
    let third = case.make(&world, 0, amends(3, made.record.hash()));
    let other_id = RecordHeader {
        record: RecordId([2; 16]),
        ..header.clone()
    };
    let other_section = RecordHeader {
        section: Section::INDEX,
        ..header.clone()
    };
    let (other_id, other_section) = (case.make(&world, 0, other_id), case.make(&world, 0, other_section));
    case.try_record(&world, 0, &made).unwrap();
    for forged in [&third, &other_id, &other_section] {
        guarded(Check::Amends, || case.judged_record(&world, 0, forged));
    }
    for (version, amends) in [(0, RecordHash::ZERO), (1, made.record.hash()), (2, RecordHash::ZERO)] {
        let mut twin = RecordTwin::of(&made.record);
        (twin.header.version, twin.header.amends) = (version, amends);
        guarded(Check::Amends, || twin.received().map(|_| ()));
    }
    assert_eq!(case.judged_record(&world, 0, &second), Ok(()));
    still_works(&world, &case, &[0, 1]);
}
