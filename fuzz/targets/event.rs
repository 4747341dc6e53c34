//! An event, and a change of members within one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault_core::wire;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::membership::Membership;

fuzz_target!(|data: &[u8]| {
    if let Ok(event) = wire::decode::<Event>(data, 1 << 20) {
        assert_eq!(wire::encode(&event).as_deref(), Ok(data));
    }
    if let Ok(change) = wire::decode::<Membership>(data, 1 << 20) {
        assert_eq!(wire::encode(&change).as_deref(), Ok(data));
    }
});
