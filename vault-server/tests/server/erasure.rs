//! A lawful erasure takes the bytes in the step that stores it; what is signed stays.

use std::fs;
use std::path::Path;

use vault_core::parcel::{OpenParcel, OpenRecord};
use vault_core::wire::v1::event::{Erasure, ErasureGround, Event};
use vault_core::wire::v1::sync::CarriedBody;

use crate::kit::{Office, Server};

fn found_in(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let content = fs::read(&path).unwrap();
        if content.windows(bytes.len()).any(|window| window == bytes) {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found
}

#[test]
fn what_is_erased_is_in_no_file_and_its_stream_still_verifies() {
    let mut server = Server::start(&[]);
    let mut office = Office::with_case(&server, 50, 1);
    // Long enough for pages of its own, which are freed.
    let (note, made) = office.long_note(60_000);
    let (kept, kept_made) = office.note_made(0);
    office.stored(&server, vec![note.clone(), kept.clone()]);
    let ciphertext = made.record.ciphertext().to_vec();
    let (piece, wrap) = (&ciphertext[40_000..40_064], made.wrap.0);
    assert!(!found_in(&server.folder(), piece).is_empty() && !found_in(&server.folder(), &wrap).is_empty());

    let erasure = Erasure {
        records: vec![made.record.hash()],
        ground: ErasureGround::Decided,
    };
    let erased = office.event(0, Event::Erasure(erasure.clone()));
    office.stored(&server, vec![erased.clone()]);
    assert_eq!(found_in(&server.folder(), piece), [""; 0]);
    assert_eq!(found_in(&server.folder(), &wrap), [""; 0]);
    assert!(!found_in(&server.folder(), &kept_made.record.ciphertext()[..64]).is_empty());

    let page = office.page(&server, 0, office.case_stream(), 1);
    let [first, second, third] = page.parcels.as_slice() else {
        panic!()
    };
    assert_eq!((&second.parcel, &third.parcel), (&kept, &erased));
    assert_eq!(
        (&first.parcel.link, first.parcel.signature),
        (&note.link, note.signature)
    );
    let CarriedBody::Erased(left) = first.parcel.records[0].body else {
        panic!()
    };
    assert_eq!(left.wrap, made.wrap.hash());
    // Link, header and signatures are what they were.
    let opened = OpenParcel::open(first.parcel.clone()).unwrap();
    let author = &office.world.agency.devices()[&made.record.header().device].key;
    opened.link().verify_signature(author).unwrap();
    let [record @ OpenRecord::Erased(_)] = opened.records() else {
        panic!()
    };
    record.verify_signature(author).unwrap();
    // Brought again with its bytes, it is stored already and its bytes do not come back.
    assert_eq!(office.stored(&server, vec![note]), [first.leaf]);
    assert_eq!(found_in(&server.folder(), piece), [""; 0]);
    // Nor is it erased twice.
    let again = office.case.link(
        &office.world,
        0,
        vault_core::wire::v1::link::LinkBody::Event(vault_core::wire::v1::link::PlacedEvent {
            event: Event::Erasure(erasure),
            sealed: Vec::new(),
        }),
    );
    let again = office.sign(0, again);
    let outcome = office.outcome(&server, office.parcel(&again));
    assert_eq!(outcome, vault_core::wire::v1::sync::Outcome::Refused(80));
    server.stop();
    assert_eq!(found_in(&server.folder(), piece), [""; 0]);
}
