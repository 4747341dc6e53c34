//! The plaintext of a keyring.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault_core::wire;
use vault_core::wire::v1::key::Keyring;

fuzz_target!(|data: &[u8]| {
    if let Ok(keyring) = wire::decode::<Keyring>(data, 4 << 20) {
        assert_eq!(wire::encode(&keyring).as_deref(), Ok(data));
    }
});
