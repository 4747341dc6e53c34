//! Attack 31: nothing that a small input says of itself makes the process large.
//!
//! Alone in its process, so that the peak of its memory is that of the refusals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::Write;
use vault_core::check::Check;
use vault_core::crypto::passphrase::Cost;
use vault_core::crypto::sign::Signature;
use vault_core::id::AgencyId;
use vault_core::id::DeviceId;
use vault_core::id::MemberId;
use vault_core::keystore;
use vault_core::note::json;
use vault_core::note::line;
use vault_core::record::UnverifiedRecord;
use vault_core::secret::RecipientSeed;
use vault_core::stream::UnverifiedLink;
use vault_core::wire;
use vault_core::wire::v1::keystore::KdfAlgorithm;
use vault_core::wire::v1::keystore::KeystoreFile;
use vault_core::wire::v1::keystore::KeystoreHeader;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wrap;
use vault_core::wrap::HybridIdentity;
use vault_core::wrap::WrapError;

/// Most that all refusals together may add to the process, in KiB.
const CAP_KIB: u64 = 32 * 1024;

/// The peak of the process's memory in KiB, where the system tells it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[test]
fn attack_31_refusing_a_bomb_takes_no_memory() {
    let before = peak_kib();
    let lengths: [&[u8]; 4] = [
        &[0x7f, 0xff],
        &[0xbf, 0xff, 0xff, 0xff],
        &[0xff; 8],
        &[0x80, 0x10, 0, 0],
    ];
    for length in lengths {
        // A link of kind event, of every type, whose first vector claims the length.
        for event in 0..64u16 {
            let start = [
                &[0, 1][..],
                &[1; 32],
                &[2],
                &[2; 16],
                &[0; 8 + 32 + 32],
                &[0],
                &[3; 16],
                &[2],
            ]
            .concat();
            let bytes = [&start[..], &event.to_be_bytes(), length, &[0; 64]].concat();
            assert!(UnverifiedLink::decode(&bytes, Signature([0; 64])).is_err());
        }
    }
    let signature = Signature([0; 64]);
    let header = |padded_length: u32| RecordHeader {
        format: 1,
        agency: AgencyId([1; 32]),
        stream: wire::v1::stream::StreamId::agency(&AgencyId([1; 32])),
        section: wire::v1::stream::Section::INDEX,
        record: vault_core::id::RecordId([1; 16]),
        version: 1,
        amends: vault_core::id::RecordHash::ZERO,
        member: MemberId([1; 16]),
        device: DeviceId([1; 16]),
        class: wire::v1::record::RecordClass::Note,
        padded_length,
        commitment: [0; 32],
    };
    for length in [(16 << 20) + 1, u32::MAX] {
        let refused = UnverifiedRecord::new(header(length), Vec::new(), signature).err();
        assert_eq!(refused.map(|r| r.check), Some(Check::TooLong));
    }
    let keystore = |cost: Cost| {
        let header = KeystoreHeader {
            format: 1,
            agency: AgencyId([1; 32]),
            member: MemberId([1; 16]),
            device: DeviceId([1; 16]),
            kdf: KdfAlgorithm::Argon2id,
            cost,
            salt: [0; 32],
            generation: 0,
            fresh: [0; 32],
        };
        let file = KeystoreFile {
            header,
            commitment: [0; 32],
            sealed: vec![0; 272],
        };
        keystore::unlock(&wire::encode(&file).unwrap(), "pass").map(|_| ())
    };
    let good = Cost::default();
    for cost in [
        Cost {
            memory_kib: u32::MAX,
            ..good
        },
        Cost {
            memory_kib: 2 * 1024 * 1024 + 1,
            ..good
        },
        Cost {
            passes: u32::MAX,
            ..good
        },
        Cost {
            lanes: u32::MAX,
            ..good
        },
    ] {
        assert_eq!(keystore(cost).unwrap_err().check, Check::KdfBounds);
    }
    let identity = HybridIdentity::from_seed(RecipientSeed::from_bytes([6; 32]));
    let stanzas = [b"age-encryption.org/v1\n".as_slice(), &b"-> a\n\n".repeat(500_000)].concat();
    let refused = wrap::open(&[&identity], &stanzas, 1 << 20).unwrap_err();
    assert!(matches!(refused, WrapError::TooLarge { .. }), "{refused:?}");
    let work = b"age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 63\nAAAA\n--- AAAA\n";
    assert!(wrap::open(&[&identity], work, 1 << 20).is_err());
    // Nesting as deep as the line is long.
    let deep = "[".repeat(1 << 20);
    for text in [
        deep.clone(),
        format!("{{\"segments\":{deep}"),
        format!("{{\"type\":\"note\",\"x\":{deep}"),
    ] {
        assert!(json::parse(&text).is_err());
        assert!(line::parse(&text).is_err());
    }
    match (before, peak_kib()) {
        (Some(before), Some(after)) => {
            let grown = after - before;
            assert!(grown < CAP_KIB, "{grown} KiB more than the {before} before");
        }
        _ => writeln!(
            std::io::stderr(),
            "NOT MEASURED: this system does not tell a process its peak of memory"
        )
        .unwrap(),
    }
}
