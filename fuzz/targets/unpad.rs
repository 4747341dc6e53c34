//! Padded bytes: what is taken out pads to what it came from.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault_core::crypto::pad;

fuzz_target!(|data: &[u8]| {
    if let Ok(payload) = pad::unpad(data) {
        assert_eq!(pad::pad(payload).as_slice(), data);
    }
    let _ = pad::unpad_any(data);
});
