//! What a log's server says: notes, tiles' paths, bundles, proofs. Nothing of it is signed, so none of it is believed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use vault_core::check::Check;
use vault_core::crypto::sign::SigningKey;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::id::AgencyId;
use vault_core::secret::SigningSeed;
use vault_core::tlog::checkpoint::SignedCheckpoint;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::note;
use vault_core::tlog::note::UnverifiedNote;
use vault_core::tlog::tile;
use vault_core::tlog::tile::Tile;
use vault_core::tlog::tree;
use vault_core::tlog::tree::Hash;

fn key() -> &'static VerifyingKey {
    static KEY: OnceLock<VerifyingKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let public = SigningKey::from_seed(&SigningSeed::from_bytes([7; 32])).public();
        VerifyingKey::new(&public, Check::Note).expect("a key")
    })
}

fuzz_target!(|data: &[u8]| {
    if let Ok(read) = UnverifiedNote::parse(data) {
        assert_eq!(note::write(read.text(), read.signatures()).as_bytes(), data);
    }
    assert!(SignedCheckpoint::open(data, AgencyId([0xa1; 32]), key(), &[]).is_err());
    if let Ok(path) = std::str::from_utf8(data)
        && let Ok(tile) = path.parse::<Tile>()
    {
        assert_eq!(tile.to_string(), path);
    }
    let framed = data.chunks(2 + 48).map(|entry| entry.get(2..).and_then(|entry| Entry::from_bytes(entry).ok()));
    if let Some(entries) = framed.collect::<Option<Vec<Entry>>>() {
        let leaves: Vec<Hash> = entries.iter().map(Entry::leaf).collect();
        if tile::read_bundle(data, &leaves).is_ok() {
            assert_eq!(tile::bundle(&entries), data);
        }
    }
    if let Some((numbers, rest)) = data.split_first_chunk::<16>() {
        let (first, second) = numbers.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
        let (first, second) = (number(first), number(second));
        let path: Vec<Hash> = rest.as_chunks::<32>().0.iter().map(|hash| Hash(*hash)).collect();
        let (one, other) = (Hash([1; 32]), Hash([2; 32]));
        assert!(tree::require_included(first, second, one, &path, &other).is_err());
        assert!(tree::require_consistent(first, &one, second, &other, &path).is_err());
    }
});
