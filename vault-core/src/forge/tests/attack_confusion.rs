//! Attacks 13, 32 and 35: one thing presented as another.

use super::guarded;
use super::refused;
use super::still_works;
use crate::check::Check;
use crate::context::Label;
use crate::context::framed;
use crate::crypto::aead::Sealer;
use crate::crypto::hash;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::epoch::SectionSealer;
use crate::epoch::Wrap;
use crate::forge::CaseFile;
use crate::forge::World;
use crate::forge::case::none;
use crate::forge::tests::samples::Samples;
use crate::forge::twin::LinkTwin;
use crate::forge::twin::RecordTwin;
use crate::secret::EpochKey;
use crate::secret::ReleaseHalf;
use crate::secret::SigningSeed;
use crate::wire;
use crate::wire::v1::agency::Root;
use crate::wire::v1::event::Event;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::PlacedEvent;
use crate::wire::v1::record::RecordClass;
use crate::wire::v1::record::RecordHeader;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;

/// Every ordered pair of two different labels.
fn pairs() -> impl Iterator<Item = (Label, Label)> {
    let all = Label::ALL.iter().copied();
    all.clone()
        .flat_map(move |a| all.clone().map(move |b| (a, b)))
        .filter(|(a, b)| a != b)
}

#[test]
fn attack_13_a_signature_under_one_label_is_none_under_another() {
    let key = SigningKey::from_seed(&SigningSeed::from_bytes([1; 32]));
    let public = VerifyingKey::new(&key.public(), Check::LinkSignature).unwrap();
    let mut count = 0;
    for (a, b) in pairs() {
        let signature = key.sign(a, &[b"message"]);
        let verified = public.verify(b, &[b"message"], &signature, Check::LinkSignature);
        refused(Check::LinkSignature, verified);
        count += 1;
    }
    assert_eq!(count, Label::ALL.len() * (Label::ALL.len() - 1));
    for label in Label::ALL {
        let signature = key.sign(*label, &[b"message"]);
        assert_eq!(
            public.verify(*label, &[b"message"], &signature, Check::LinkSignature),
            Ok(())
        );
    }
}

#[test]
fn attack_13_no_message_under_one_label_is_a_message_under_another() {
    // The frame is prefix-free, so moving bytes from the label into the message changes what is signed.
    for (a, b) in pairs() {
        let (text_a, text_b) = (a.text().as_bytes(), b.text().as_bytes());
        let common = text_a.iter().zip(text_b).take_while(|(x, y)| x == y).count();
        let frames = (framed(a, &[&text_b[common..]]), framed(b, &[&text_a[common..]]));
        assert_ne!(
            frames.0[..=text_a.len()],
            frames.1[..=text_a.len().min(frames.1.len() - 1)]
        );
        assert!(!framed(b, &[]).starts_with(&framed(a, &[])), "{a:?} {b:?}");
    }
}

#[test]
fn attack_13_a_hash_mac_or_key_of_one_purpose_is_none_of_another() {
    let key = [3; 32];
    for (a, b) in pairs() {
        assert_ne!(hash::hash(a, &[b"x"]), hash::hash(b, &[b"x"]));
        let tag = hash::mac(a, &key, &[b"x"]);
        assert!(!hash::mac_matches(b, &key, &[b"x"], &tag));
        assert_ne!(
            *hash::derive::<88>(a, &key, &[b"x"]),
            *hash::derive::<88>(b, &key, &[b"x"])
        );
        // A MAC is no key and a key no MAC, even of the same label's bytes.
        assert_ne!(tag, *hash::derive::<32>(b, &key, &[b"x"]));
    }
}

#[test]
fn attack_13_what_was_sealed_for_one_purpose_opens_for_no_other() {
    let key = [3; 32];
    for (a, b) in pairs() {
        let (made, taken) = (Sealer::derive(a, &key, &[]), Sealer::derive(b, &key, &[]));
        let mut sealed = b"text".to_vec();
        made.seal(b"context", &mut sealed).unwrap();
        refused(Check::KeyCommitment, taken.require_commitment(&made.commitment()));
        refused(Check::Aead, taken.open(b"context", &sealed).map(|_| ()));
    }
}

#[test]
fn attack_13_a_signed_structure_is_no_other_structure_under_the_same_key() {
    // Every signed type, under one key, presented as every other: bytes and signature as they are.
    let samples = Samples::new();
    let signed: [(Label, Vec<u8>); 5] = [
        (Label::RootSignature, wire::encode(samples.world.agency.root()).unwrap()),
        (Label::DeviceCertificate, wire::encode(&samples.certificate()).unwrap()),
        (
            Label::RecordSignature,
            wire::encode(samples.note.record.header()).unwrap(),
        ),
        (Label::LinkSignature, wire::encode(&samples.record_link()).unwrap()),
        (Label::ReleaseCommitment, samples.release_bytes()),
    ];
    let key = SigningKey::from_seed(&SigningSeed::from_bytes([1; 32]));
    let public = VerifyingKey::new(&key.public(), Check::LinkSignature).unwrap();
    for (a, bytes) in &signed {
        let signature = key.sign(*a, &[bytes]);
        for (b, _) in &signed {
            let verified = public.verify(*b, &[bytes], &signature, Check::LinkSignature);
            assert_eq!(verified.is_ok(), a == b, "{a:?} as {b:?}");
        }
    }
}

#[test]
fn attack_13_a_wrap_is_no_record_and_a_record_no_wrap() {
    let world = World::new(1, 1);
    let case = CaseFile::open(&world, 1, 0);
    let made = case.note(&world, 0, Section::CORE, 1);
    let mut wrap = [0; 48];
    wrap.copy_from_slice(&made.record.ciphertext()[..48]);
    let sealer = case.sealer(&world, Section::CORE, Epoch::FIRST);
    refused(Check::Aead, sealer.unwrap(&Wrap(wrap), made.record.hash()).map(|_| ()));
    // An epoch key used as a section key, and the other way round.
    let context = case.context(&world, Section::CORE, Epoch::FIRST);
    let other = EpochKey::from_bytes([1; 32]);
    let wrong = SectionSealer::derive(&other, &ReleaseHalf::none(), context, &none()).unwrap();
    refused(Check::Aead, wrong.unwrap(&made.wrap, made.record.hash()).map(|_| ()));
    still_works(&world, &case, &[0]);
}

#[test]
fn attack_13_structures_decode_as_themselves_alone() {
    // Where the bytes of one type happen to be the text of another, a label stands between them (above); the big ones
    // do not even decode as each other.
    let samples = Samples::new();
    for (a, bytes) in samples.documents() {
        for (b, decodes) in Samples::decoders() {
            assert_eq!(decodes(&bytes), a == b, "{a} decoded as {b}");
        }
    }
}

#[test]
fn attack_32_an_attachment_is_no_event_and_no_body_of_another_kind() {
    let world = World::new(1, 2);
    let case = CaseFile::shared(&world, 1, 2);
    let header = RecordHeader {
        class: RecordClass::Attachment,
        ..case.header(&world, 0, Section::CORE, 1)
    };
    let attachment = case.make(&world, 0, header);
    let as_part = LinkBody::Event(PlacedEvent {
        event: Event::Relation,
        sealed: vec![attachment.placement],
    });
    guarded(Check::Placement, || {
        case.clone()
            .try_body(&world, 0, as_part.clone(), &[attachment.stored()])
    });
    // The same bytes have another name in every store they could be looked up in.
    let bytes = attachment.record.ciphertext();
    let names = [
        Label::CiphertextHash,
        Label::WrapHash,
        Label::KeyringHash,
        Label::AccessBodyHash,
        Label::ManifestHash,
        Label::ReleaseListHash,
    ];
    for a in names {
        for b in names {
            assert_eq!(hash::hash(a, &[bytes]) == hash::hash(b, &[bytes]), a == b);
        }
    }
    // A link's own bytes sealed as an attachment stay an attachment: they name no record in a link.
    assert!(wire::decode::<Link>(bytes, wire::v1::limit::LINK).is_err());
    assert_eq!(case.judged_record(&world, 0, &attachment), Ok(()));
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn attack_35_another_format_number_is_refused_everywhere() {
    let world = World::new(1, 2);
    let case = CaseFile::shared(&world, 1, 2);
    let made = case.note(&world, 0, Section::CORE, 1);
    for format in [0, 2, 0x0100, u16::MAX] {
        let link = Link {
            format,
            ..case.link(&world, 0, LinkBody::Record(made.placement))
        };
        let link = LinkTwin::signed(link, &world.people[0].signer);
        guarded(Check::UnknownFormat, || link.received().map(|_| ()));
        let mut record = RecordTwin::of(&made.record);
        record.header.format = format;
        record.sign(&world.people[0].signer);
        guarded(Check::UnknownFormat, || record.received().map(|_| ()));
        for root in [
            Root {
                format,
                ..world.next_root()
            },
            Root {
                minimum_format: format,
                ..world.next_root()
            },
        ] {
            refused(Check::UnknownFormat, world.judged(0, world.signed_root(root, &[0])));
        }
    }
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn attack_35_keyrings_and_age_files_of_other_versions_are_refused() {
    use crate::forge::Seeded;
    use crate::keyring;
    use crate::wire::v1::key::Keyring;
    use crate::wire::v1::stream::StreamId;
    let world = World::new(1, 1);
    let stream = StreamId::agency(&world.agency.id());
    let seed = &world.people[0].recipient;
    let sealed = |format: u16| {
        let text = wire::encode(&Keyring {
            format,
            agency: world.agency.id(),
            stream,
            to: world.to(0),
            entries: Vec::new(),
        });
        keyring::seal_to(&keyring::recipient_key(seed), &text.unwrap(), &mut Seeded::new(1)).unwrap()
    };
    let attempt = |file: &[u8]| keyring::open(world.agency.id(), stream, world.to(0), seed, file).map(|_| ());
    for format in [0, 2, u16::MAX] {
        let file = sealed(format);
        guarded(Check::UnknownFormat, || attempt(&file));
    }
    let honest = sealed(1);
    assert_eq!(attempt(&honest), Ok(()));
    let edits: [(&[u8], &[u8]); 4] = [
        (b"age-encryption.org/v1", b"age-encryption.org/v0"),
        (b"age-encryption.org/v1", b"age-encryption.org/v2"),
        (b"-> mlkem768x25519 ", b"-> X25519 "),
        (b"-> mlkem768x25519 ", b"-> scrypt "),
    ];
    for (from, to) in edits {
        let at = honest.windows(from.len()).position(|w| w == from).unwrap();
        let edited = [&honest[..at], to, &honest[at + from.len()..]].concat();
        refused(Check::AgeLimits, attempt(&edited));
    }
}
