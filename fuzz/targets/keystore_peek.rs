//! A keystore before its passphrase.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault_core::keystore;
use vault_core::wire;
use vault_core::wire::v1::keystore::KeystoreFile;

fuzz_target!(|data: &[u8]| {
    if let Ok(header) = keystore::peek(data) {
        assert!(header.cost.require_within_bounds().is_ok());
    }
    if let Ok(file) = wire::decode::<KeystoreFile>(data, 1 << 20) {
        assert_eq!(wire::encode(&file).as_deref(), Ok(data));
    }
});
