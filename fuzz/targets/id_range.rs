//! Handles and ids as people type them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault_core::id::CaseId;
use vault_core::id::RecordId;

fuzz_target!(|text: &str| {
    if let Ok(range) = CaseId::range(text) {
        assert!(range.low <= range.high);
    }
    if let Ok(id) = text.parse::<RecordId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
});
