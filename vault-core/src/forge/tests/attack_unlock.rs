//! Attack 39: nothing is learnt from how something fails to open.

use crate::check::Check;
use crate::epoch::Wrap;
use crate::forge::CaseFile;
use crate::forge::World;
use crate::forge::twin::RecordTwin;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;
use std::collections::BTreeSet;

#[test]
fn attack_39_every_wrap_that_does_not_open_fails_alike() {
    let world = World::new(1, 1);
    let case = CaseFile::open(&world, 1, 0);
    let made = case.note(&world, 0, Section::CORE, 1);
    let sealer = case.sealer(&world, Section::CORE, Epoch::FIRST);
    let mut told = BTreeSet::new();
    for bit in 0..made.wrap.0.len() * 8 {
        let mut wrap = made.wrap;
        wrap.0[bit / 8] ^= 1 << (bit % 8);
        told.insert(sealer.unwrap(&wrap, made.record.hash()).unwrap_err().to_string());
    }
    // Another section's key, another record, no wrap at all.
    let other = case.sealer(&world, Section::INDEX, Epoch::FIRST);
    told.insert(other.unwrap(&made.wrap, made.record.hash()).unwrap_err().to_string());
    let hash = crate::id::RecordHash([1; 32]);
    told.insert(sealer.unwrap(&made.wrap, hash).unwrap_err().to_string());
    told.insert(
        sealer
            .unwrap(&Wrap([0; 48]), made.record.hash())
            .unwrap_err()
            .to_string(),
    );
    assert_eq!(
        told.into_iter().collect::<Vec<_>>(),
        ["sealed bytes do not open (CHK-12)"]
    );
    assert!(sealer.unwrap(&made.wrap, made.record.hash()).is_ok());
}

#[test]
fn attack_39_every_byte_of_a_record_that_does_not_open_fails_alike() {
    let world = World::new(1, 1);
    let case = CaseFile::open(&world, 1, 0);
    let made = case.note(&world, 0, Section::CORE, 1);
    let key = case
        .sealer(&world, Section::CORE, Epoch::FIRST)
        .unwrap(&made.wrap, made.record.hash())
        .unwrap();
    for at in 0..made.record.ciphertext().len() {
        let mut twin = RecordTwin::of(&made.record);
        twin.ciphertext[at] ^= 0x80;
        let record = twin.unchecked().verified_at_entry();
        assert_eq!(record.open(&key).unwrap_err().check, Check::Aead);
    }
}
