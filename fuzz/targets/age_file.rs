//! An age file: a keyring, with the key that it is for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use vault_core::secret::RecipientSeed;
use vault_core::wrap;
use vault_core::wrap::HybridIdentity;

static IDENTITY: LazyLock<HybridIdentity> =
    LazyLock::new(|| HybridIdentity::from_seed(RecipientSeed::from_bytes([6; 32])));

fuzz_target!(|data: &[u8]| {
    let opened = wrap::open(&[&*IDENTITY], data, 1 << 16);
    assert!(opened.is_err() || opened.is_ok_and(|text| text.len() <= 1 << 16));
});
