//! Attacks 14, 15, 21 and 22: honest bytes in another place, and bytes that nobody signed.

use super::guarded;
use super::guarded_twice;
use super::refused;
use super::still_works;
use crate::check::Check;
use crate::epoch;
use crate::epoch::SectionSealer;
use crate::forge::CaseFile;
use crate::forge::Seeded;
use crate::forge::World;
use crate::forge::case::Made;
use crate::forge::case::granting;
use crate::forge::case::none;
use crate::forge::guard;
use crate::forge::twin::LinkTwin;
use crate::forge::twin::RecordTwin;
use crate::id::DeviceId;
use crate::id::RecordId;
use crate::keyring;
use crate::secret::EpochKey;
use crate::secret::ReleaseHalf;
use crate::wire::v1::event::Event;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::membership::Rights;
use crate::wire::v1::record::RecordHeader;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;
use crate::wire::v1::stream::StreamId;

/// A place to splice between: one of two cases of one of two agencies of the same people with the same keys.
struct Place {
    world: World,
    case: CaseFile,
    note: Made,
}

fn places() -> Vec<Place> {
    [(1, 1), (1, 2), (2, 1), (2, 2)]
        .map(|(agency, case)| {
            let world = World::again(agency, 1, 2);
            let case = CaseFile::shared(&world, case, 2);
            let note = case.note(&world, 0, Section::CORE, 1);
            Place { world, case, note }
        })
        .into()
}

/// Calls `attack` with every ordered pair of two different places.
fn every_pair(attack: impl Fn(&Place, &Place)) {
    let places = places();
    let mut pairs = 0;
    for (i, from) in places.iter().enumerate() {
        for (j, to) in places.iter().enumerate() {
            if i != j {
                attack(from, to);
                still_works(&to.world, &to.case, &[0, 1]);
                pairs += 1;
            }
        }
    }
    assert_eq!(pairs, 12);
}

#[test]
fn attack_14_a_link_of_one_case_is_none_of_another() {
    every_pair(|from, to| {
        let link = from.case.link(&from.world, 0, LinkBody::Record(from.note.placement));
        let twin = LinkTwin::signed(link, &from.world.people[0].signer);
        let attempt = to
            .case
            .clone()
            .try_link(&to.world, &twin.received().unwrap(), &[from.note.stored()]);
        refused(Check::Agency, attempt);
    });
}

#[test]
fn attack_14_a_membership_of_one_case_is_none_of_another() {
    every_pair(|from, to| {
        let grant = from.case.grant(&from.world, 1, Rights::READ);
        let body = LinkBody::Event(crate::wire::v1::link::PlacedEvent {
            event: Event::Membership(granting(&from.world, &[grant])),
            sealed: Vec::new(),
        });
        let twin = LinkTwin::signed(from.case.link(&from.world, 0, body), &from.world.people[0].signer);
        let received = twin.received().unwrap();
        assert_eq!(from.case.clone().try_link(&from.world, &received, &[]), Ok(()));
        refused(Check::Agency, to.case.clone().try_link(&to.world, &received, &[]));
    });
}

#[test]
fn attack_14_a_record_of_one_case_is_placed_in_no_other() {
    every_pair(|from, to| {
        // By the author itself, with all rights in both.
        guarded(Check::Placement, || to.case.judged_record(&to.world, 0, &from.note));
        // Its header put right, the signature is gone; signed anew, the seal is.
        let mut twin = RecordTwin::of(&from.note.record);
        twin.header.agency = to.world.agency.id();
        twin.header.stream = StreamId::case(to.case.id);
        let read = |twin: &RecordTwin| {
            let record = twin.received()?;
            let sealer = to.case.sealer(&to.world, Section::CORE, Epoch::FIRST);
            let key = from
                .case
                .sealer(&from.world, Section::CORE, Epoch::FIRST)
                .unwrap(&from.note.wrap, from.note.record.hash())?;
            let made = Made {
                wrap: sealer.wrap(&key, record.hash())?,
                ..from.note.clone()
            };
            to.case.opened(&to.world, &made, record).map(|_| ())
        };
        refused(Check::RecordSignature, read(&twin));
        twin.sign(&from.world.people[0].signer);
        refused(Check::Aead, read(&twin));
    });
}

#[test]
fn attack_14_keys_wraps_and_keyrings_are_of_their_place_even_where_the_key_is_the_same() {
    let key = EpochKey::from_bytes([7; 32]);
    every_pair(|from, to| {
        let contexts = [from, to].map(|p| p.case.context(&p.world, Section::CORE, Epoch::FIRST));
        let committed = epoch::commitment(&key, &contexts[0]).unwrap();
        guarded(Check::EpochCommitment, || {
            epoch::require_commitment(&key, &contexts[1], &committed)
        });
        let [there, here] = contexts.map(|c| SectionSealer::derive(&key, &ReleaseHalf::none(), c, &none()).unwrap());
        let hash = from.note.record.hash();
        let record_key = crate::secret::RecordKey::from_bytes([8; 32]);
        let wrap = there.wrap(&record_key, hash).unwrap();
        refused(Check::Aead, here.unwrap(&wrap, hash).map(|_| ()));
        let keys = [(Section::CORE, Epoch::FIRST, &key)];
        let [(agency, stream), (other, elsewhere)] =
            [from, to].map(|p| (p.world.agency.id(), StreamId::case(p.case.id)));
        let seed = &from.world.people[0].recipient;
        let public = keyring::recipient_key(seed);
        let file = keyring::seal(agency, stream, from.world.to(0), &public, &keys, &mut Seeded::new(1)).unwrap();
        guarded(Check::KeyringContext, || {
            keyring::open(other, elsewhere, to.world.to(0), seed, &file.0).map(|_| ())
        });
    });
}

#[test]
fn attack_14_an_agencys_own_links_and_certificates_stay_in_it() {
    let (one, two) = (World::again(1, 1, 2), World::again(2, 1, 2));
    for link in &one.links {
        let attempt = two.judged_link(link.clone());
        refused(Check::Agency, attempt);
    }
    let device = one.people[1].certificate(one.agency.id(), &one.people[1].identity);
    let mut fresh = World::again(3, 1, 1);
    fresh.try_event(0, one.people[1].joins()).unwrap();
    guarded(Check::DeviceCertificate, || fresh.judged(0, Event::Device(device)));
}

#[test]
fn attack_15_there_is_no_part_of_a_record_to_swap() {
    let world = World::new(1, 2);
    let case = CaseFile::shared(&world, 1, 2);
    let [one, two] = [1, 2].map(|n| case.note(&world, 0, Section::CORE, n));
    let author = &world.agency.devices()[&world.people[0].device].key;
    // Header, ciphertext, signature and wrap of two records of one author, in every mixture.
    for mixture in 1..15u8 {
        let pick = |bit: u8| if mixture & (1 << bit) == 0 { &one } else { &two };
        let twin = RecordTwin {
            header: pick(0).record.header().clone(),
            ciphertext: pick(1).record.ciphertext().to_vec(),
            signature: *pick(2).record.signature(),
        };
        let made = Made {
            wrap: pick(3).wrap,
            ..pick(0).clone()
        };
        let attempt = case.opened(&world, &made, twin.received().unwrap());
        let check = attempt.unwrap_err().check;
        let record_is_whole = mixture & 7 == 0 || mixture & 7 == 7;
        assert_eq!(
            check,
            if record_is_whole {
                Check::Aead
            } else {
                Check::RecordSignature
            }
        );
    }
    // Any block of one ciphertext in the other, at every boundary, even signed by the author itself.
    for block in [1, 16, 64, 128] {
        for at in (0..one.record.ciphertext().len() - block).step_by(block.max(16)) {
            let mut twin = RecordTwin::of(&one.record);
            twin.ciphertext[at..at + block].copy_from_slice(&two.record.ciphertext()[at..at + block]);
            if twin.ciphertext == one.record.ciphertext() {
                continue;
            }
            let attempt = case.opened(&world, &one, twin.received().unwrap());
            assert_eq!(attempt.unwrap_err().check, Check::RecordSignature);
            twin.sign(&world.people[0].signer);
            let key = case
                .sealer(&world, Section::CORE, Epoch::FIRST)
                .unwrap(&one.wrap, one.record.hash())
                .unwrap();
            let record = twin.received().unwrap().verify(author).unwrap();
            assert_eq!(record.open(&key).unwrap_err().check, Check::Aead);
        }
    }
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn attack_21_an_old_version_is_not_shown_for_the_new_one() {
    let world = World::new(1, 2);
    let mut case = CaseFile::shared(&world, 1, 2);
    let first = case.note(&world, 0, Section::CORE, 1);
    case.try_record(&world, 0, &first).unwrap();
    let header = RecordHeader {
        version: 2,
        amends: first.record.hash(),
        ..case.header(&world, 0, Section::CORE, 1)
    };
    let second = case.make(&world, 0, header);
    // In the new version's link, the old version's bytes.
    let link = LinkBody::Record(second.placement);
    guarded_twice(Check::Placement, Check::PlacedTwice, || {
        case.clone().try_body(&world, 0, link.clone(), &[first.stored()])
    });
    case.try_record(&world, 0, &second).unwrap();
    // Served again as the newest.
    guarded(Check::PlacedTwice, || case.judged_record(&world, 0, &first));
    // The old text under the new one's wrap, and with its numbers changed.
    let stored = RecordTwin::of(&first.record);
    refused(
        Check::Aead,
        case.opened(&world, &second, stored.received().unwrap()).map(|_| ()),
    );
    let mut renumbered = stored.clone();
    renumbered.header.version = 2;
    renumbered.header.amends = first.record.hash();
    guarded_reading(&world, &case, &second, &renumbered);
    still_works(&world, &case, &[0, 1]);
}

/// A forged record falls on its signature, and without that check on its wrap.
fn guarded_reading(world: &World, case: &CaseFile, made: &Made, twin: &RecordTwin) {
    let attempt = || case.opened(world, made, twin.received()?).map(|_| ());
    refused(Check::RecordSignature, attempt());
    refused(Check::Aead, guard::without(Check::RecordSignature, attempt));
}

#[test]
fn attack_21_two_records_do_not_change_their_ids() {
    let world = World::new(1, 2);
    let mut case = CaseFile::shared(&world, 1, 2);
    let [one, two] = [1, 2].map(|n| case.note(&world, 0, Section::CORE, n));
    for made in [&one, &two] {
        case.try_record(&world, 0, made).unwrap();
    }
    let mut swapped = RecordTwin::of(&one.record);
    swapped.header.record = RecordId([2; 16]);
    guarded_reading(&world, &case, &one, &swapped);
    // Two whole rows changed places: the link at each place names the other.
    for (link, row) in [(&one, &two), (&two, &one)] {
        let fresh = CaseFile::shared(&world, 1, 2);
        let body = LinkBody::Record(link.placement);
        guarded(Check::Placement, || {
            fresh.clone().try_body(&world, 0, body.clone(), &[row.stored()])
        });
    }
    still_works(&world, &case, &[0, 1]);
}

#[test]
fn attack_22_a_note_that_nobody_signed_is_not_in_the_file() {
    let world = World::new(1, 4);
    let mut case = CaseFile::shared(&world, 1, 3);
    let reader = case.grant(&world, 3, Rights::READ);
    case.try_event(&world, 0, Event::Membership(granting(&world, &[reader])))
        .unwrap();
    // A reader who holds the keys writes in the owner's name: all is right but the signature.
    let planted = case.note(&world, 0, Section::CORE, 1);
    let mut twin = RecordTwin::of(&planted.record);
    twin.sign(&world.people[3].signer);
    guarded(Check::RecordSignature, || {
        case.opened(&world, &planted, twin.received()?).map(|_| ())
    });
    twin.signature = crate::crypto::sign::Signature([0; 64]);
    guarded(Check::RecordSignature, || {
        case.opened(&world, &planted, twin.received()?).map(|_| ())
    });
    // Its link, by the reader's device and by devices that nobody certified.
    guarded(Check::WriteRight, || case.judged_record(&world, 3, &planted));
    let body = LinkBody::Record(planted.placement);
    for device in [DeviceId([0; 16]), DeviceId([9; 16])] {
        let mut link = case.link(&world, 3, body.clone());
        link.device = device;
        let twin = LinkTwin::signed(link, &world.people[3].signer);
        let attempt = case
            .clone()
            .try_link(&world, &twin.received().unwrap(), &[planted.stored()]);
        refused(Check::Signer, attempt);
    }
    let mut link = case.link(&world, 0, body);
    link.device = world.people[0].device;
    let stolen = LinkTwin::signed(link, &world.people[3].signer);
    guarded(Check::LinkSignature, || {
        case.clone().try_link(&world, &stolen.received()?, &[planted.stored()])
    });
    still_works(&world, &case, &[0, 1, 2]);
}
