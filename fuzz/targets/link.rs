//! A link, and what an agency and a case make of one as their first.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault_core::agency_state::AgencyState;
use vault_core::crypto::sign::Signature;
use vault_core::stream::UnverifiedLink;
use vault_core::wire;

fuzz_target!(|data: &[u8]| {
    if let Ok(link) = UnverifiedLink::decode(data, Signature([0; 64])) {
        assert_eq!(wire::encode(link.link()).as_deref(), Ok(data));
        assert!(AgencyState::found(&link).is_err(), "nobody signed it");
    }
});
