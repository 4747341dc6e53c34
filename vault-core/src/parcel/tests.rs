//! Parcels of a real founding, and each changed in every part.

use super::*;
use crate::check::Check;
use crate::forge::Seeded;
use crate::founding;
use crate::id::PolicyHash;
use crate::wire::v1::stream::Month;
use crate::wire::v1::sync::Blob;
use crate::wire::v1::sync::ErasedBody;

fn founding_parcels() -> Vec<Parcel> {
    let founded = founding::found(b"{}", PolicyHash([7; 32]), Month(660), &mut Seeded::new(11)).unwrap();
    let packed = founded.links.iter().map(|(link, placed)| {
        let LinkBody::Event(event) = &link.link().body else {
            panic!()
        };
        let named = keyrings(&event.event).iter().map(|k| k.keyring_hash);
        let file = |hash| founded.files.iter().find(|(h, _)| *h == hash).unwrap().1.clone();
        let records = placed
            .iter()
            .map(|p| carry(p.record.as_unverified(), &p.wrap))
            .collect();
        pack(link.as_unverified(), records, named.map(file).collect()).unwrap()
    });
    packed.collect()
}

fn refusal(parcel: Parcel) -> Option<Check> {
    OpenParcel::open(parcel).err().map(|refused| refused.check)
}

#[test]
fn a_founding_goes_in_parcels_and_comes_out_whole() {
    let parcels = founding_parcels();
    assert_eq!(parcels.len(), 4);
    for parcel in parcels {
        let bytes = wire::encode(&parcel).unwrap();
        let back: Parcel = wire::decode(&bytes, limit::APPEND).unwrap();
        assert_eq!(back, parcel);
        let (link, records, blobs) = OpenParcel::open(parcel.clone()).unwrap().into_parts();
        assert_eq!(link.bytes(), parcel.link);
        let again: Vec<_> = records
            .iter()
            .map(|record| match record {
                OpenRecord::Kept { record, wrap } => carry(record, wrap),
                OpenRecord::Erased(_) => panic!("nothing was erased"),
            })
            .collect();
        assert_eq!(pack(&link, again, blobs).unwrap(), parcel);
    }
}

#[test]
fn chk_139_what_is_not_what_the_link_names_is_refused() {
    let parcels = founding_parcels();
    let (with_files, with_record) = (&parcels[1], &parcels[3]);
    assert!(with_files.blobs.len() > 1 && with_record.records.len() == 1);

    let mut changed = with_files.clone();
    changed.blobs[1].bytes[40] ^= 1;
    assert_eq!(refusal(changed), Some(Check::Parcel));
    let mut swapped = with_files.clone();
    swapped.blobs.swap(0, 1);
    assert_eq!(refusal(swapped), Some(Check::Parcel));
    let mut less = with_files.clone();
    less.blobs.pop();
    assert_eq!(refusal(less), Some(Check::Parcel));
    let mut more = with_files.clone();
    more.blobs.push(Blob { bytes: vec![1; 48] });
    assert_eq!(refusal(more.clone()), Some(Check::Parcel));
    assert!(wire::decode::<Parcel>(&wire::encode(&more).unwrap(), limit::APPEND).is_ok());
    more.blobs = vec![Blob { bytes: Vec::new() }; 1_000_000];
    let bomb = wire::decode::<Parcel>(&wire::encode(&more).unwrap(), limit::APPEND);
    assert_eq!(bomb, Err(Check::NotCanonical.into()));
    let mut long = with_files.clone();
    long.blobs[0].bytes = vec![0; limit::KEYRING + 1];
    assert_eq!(refusal(long), Some(Check::TooLong));

    let edits: [fn(&mut CarriedRecord); 5] = [
        |record| record.header.member.0[0] ^= 1,
        |record| match &mut record.body {
            CarriedBody::Kept(body) => body.ciphertext[3] ^= 1,
            CarriedBody::Erased(_) => panic!(),
        },
        |record| match &mut record.body {
            CarriedBody::Kept(body) => body.wrap[3] ^= 1,
            CarriedBody::Erased(_) => panic!(),
        },
        |record| match &mut record.body {
            CarriedBody::Kept(body) => body.wrap.push(0),
            CarriedBody::Erased(_) => panic!(),
        },
        |record| {
            record.body = CarriedBody::Erased(ErasedBody {
                ciphertext: crate::id::CiphertextHash([0; 32]),
                wrap: WrapHash([0; 32]),
            });
        },
    ];
    for edit in edits {
        let mut changed = with_record.clone();
        edit(&mut changed.records[0]);
        assert_eq!(refusal(changed), Some(Check::Parcel));
    }
    let mut none = with_record.clone();
    none.records.clear();
    assert_eq!(refusal(none), Some(Check::Parcel));
    let mut twice = with_record.clone();
    twice.records.push(with_record.records[0].clone());
    assert_eq!(refusal(twice), Some(Check::Parcel));
    let mut foreign = with_files.clone();
    foreign.records.push(with_record.records[0].clone());
    assert_eq!(refusal(foreign), Some(Check::Parcel));
}

#[test]
fn an_erased_record_goes_as_its_hashes() {
    let mut parcel = founding_parcels().remove(3);
    let (_, records, _) = OpenParcel::open(parcel.clone()).unwrap().into_parts();
    let OpenRecord::Kept { record, wrap } = &records[0] else {
        panic!()
    };
    let ciphertext = crate::record::Ciphertext::from(record.ciphertext().to_vec()).hash();
    let wrap = wrap.hash();
    parcel.records[0].body = CarriedBody::Erased(ErasedBody { ciphertext, wrap });
    let opened = OpenParcel::open(parcel).unwrap();
    assert_eq!(opened.records()[0].stored().hash, record.hash());
    assert_eq!(opened.records()[0].stored().wrap_hash, wrap);
}
