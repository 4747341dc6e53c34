//! A record: its header, and the rest of the bytes as its ciphertext.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault_core::crypto::sign::Signature;
use vault_core::record::UnverifiedRecord;
use vault_core::wire;
use vault_core::wire::v1::record::HEADER_BYTES;
use vault_core::wire::v1::record::RecordHeader;

fuzz_target!(|data: &[u8]| {
    let (header, ciphertext) = data.split_at(data.len().min(HEADER_BYTES));
    if let Ok(decoded) = wire::decode::<RecordHeader>(header, HEADER_BYTES) {
        assert_eq!(wire::encode(&decoded).as_deref(), Ok(header));
        if let Ok(record) = UnverifiedRecord::new(decoded, ciphertext.to_vec(), Signature([0; 64])) {
            assert_eq!(record.header().padded_length as usize + 16, ciphertext.len());
        }
    }
});
