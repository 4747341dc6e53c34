//! A sealed access entry, the start of a segment, and a ratchet's kept state.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault_core::access::Ratchet;
use vault_core::access::require_parts;
use vault_core::id::AgencyId;
use vault_core::id::BodyHash;
use vault_core::id::DeviceId;
use vault_core::wire;
use vault_core::wire::v1::access::AccessEntry;
use vault_core::wire::v1::access::SegmentStart;

/// Bytes of an entry that names no stream, and of one that does.
const ENTRY_BYTES: [usize; 2] = [106, 123];

fuzz_target!(|data: &[u8]| {
    let (agency, device) = (AgencyId([1; 32]), DeviceId([2; 16]));
    if let Ok(ratchet) = Ratchet::from_bytes(agency, device, data) {
        assert_eq!(ratchet.to_bytes().as_slice(), data);
    }
    if let Ok(start) = wire::decode::<SegmentStart>(data, 16 << 10) {
        assert_eq!(wire::encode(&start).as_deref(), Ok(data));
    }
    for length in ENTRY_BYTES {
        let Some((entry, body)) = data.split_at_checked(length) else {
            return;
        };
        if let Ok(mut decoded) = wire::decode::<AccessEntry>(entry, length) {
            assert_eq!(wire::encode(&decoded).as_deref(), Ok(entry));
            decoded.body_hash = BodyHash::ZERO;
            assert!(require_parts(&decoded, body, None).is_err(), "a body of hash zero");
        }
    }
});
