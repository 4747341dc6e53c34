//! A root document.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault_core::agency_state;
use vault_core::wire;
use vault_core::wire::v1::agency::Root;

fuzz_target!(|data: &[u8]| {
    if let Ok(root) = wire::decode::<Root>(data, 256 << 10) {
        assert_eq!(wire::encode(&root).as_deref(), Ok(data));
        agency_state::agency_id(&root).expect("encodes");
    }
});
