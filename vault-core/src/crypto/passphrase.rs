//! Argon2id (RFC 9106, version 0x13): a passphrase to an unlock key, within compiled-in bounds.

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::secret::UnlockKey;
use argon2::Algorithm;
use argon2::Argon2;
use argon2::Params;
use argon2::Version;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;
use zeroize::Zeroizing;

/// Least memory, in KiB: 64 MiB.
pub const MEMORY_FLOOR_KIB: u32 = 64 * 1024;
/// Most memory, in KiB: 2 GiB.
pub const MEMORY_CEILING_KIB: u32 = 2 * 1024 * 1024;
/// Fewest and most passes.
pub const PASSES: std::ops::RangeInclusive<u32> = 3..=10;
/// Fewest and most lanes.
pub const LANES: std::ops::RangeInclusive<u32> = 1..=16;

/// Cost parameters: local only, authenticated in the keystore's header, never from a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Cost {
    /// 256 MiB, 3 passes, 4 lanes.
    fn default() -> Self {
        Self {
            memory_kib: 256 * 1024,
            passes: 3,
            lanes: 4,
        }
    }
}

impl Cost {
    /// Refuses parameters outside the bounds, before anything is computed or allocated.
    ///
    /// # Errors
    /// [`Check::KdfBounds`].
    pub fn require_within_bounds(&self) -> Result<(), Refused> {
        let memory = (MEMORY_FLOOR_KIB..=MEMORY_CEILING_KIB).contains(&self.memory_kib);
        require(
            memory && PASSES.contains(&self.passes) && LANES.contains(&self.lanes),
            Check::KdfBounds,
        )
    }
}

/// Derives the unlock key. `passphrase` is UTF-8 in Unicode NFC, without a final line break.
///
/// # Errors
/// [`Check::KdfBounds`] for parameters outside the bounds.
pub fn unlock_key(passphrase: &[u8], salt: &[u8; 32], cost: &Cost) -> Result<UnlockKey, Refused> {
    cost.require_within_bounds()?;
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|_| Check::KdfBounds)?;
    let mut key = Zeroizing::new([0u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase, salt, key.as_mut_slice())
        .map_err(|_| Check::KdfBounds)?;
    Ok(UnlockKey::from_bytes(*key))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn chk_95_costs_outside_the_bounds_are_refused_before_any_allocation() {
        let good = Cost::default();
        for bad in [
            Cost {
                memory_kib: MEMORY_FLOOR_KIB - 1,
                ..good
            },
            Cost {
                memory_kib: MEMORY_CEILING_KIB + 1,
                ..good
            },
            Cost {
                memory_kib: u32::MAX,
                ..good
            },
            Cost { passes: 2, ..good },
            Cost { passes: 11, ..good },
            Cost { lanes: 0, ..good },
            Cost { lanes: 17, ..good },
        ] {
            assert_eq!(unlock_key(b"p", &[0; 32], &bad).unwrap_err().check, Check::KdfBounds);
        }
    }
}
