//! A generator that gives the same bytes for the same seed, so that a failing test fails again.

use rand_core::TryCryptoRng;
use rand_core::TryRng;
use sha2::Digest;
use sha2::Sha256;
use std::convert::Infallible;

/// SHA-256 of a seed and a counter, byte after byte.
#[derive(Clone, Debug)]
pub struct Seeded {
    seed: u64,
    counter: u64,
}

impl Seeded {
    /// Starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: 0 }
    }

    /// Returns the next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// Returns a number below `sides`, of which there is one at least.
    pub fn roll(&mut self, sides: u64) -> u64 {
        u64::from_be_bytes(self.bytes()) % sides
    }

    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let mut state = Sha256::new();
            state.update(b"casevault forge");
            state.update(self.seed.to_be_bytes());
            state.update(self.counter.to_be_bytes());
            self.counter += 1;
            chunk.copy_from_slice(&state.finalize()[..chunk.len()]);
        }
    }
}

impl TryRng for Seeded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_be_bytes(self.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_be_bytes(self.bytes()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Seeded {}
