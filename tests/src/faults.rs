//! Faults in front of every system call that writes, in the real binary, and what must hold after each.
//!
//! ```text
//! scenario ─ base vault ─┬─ copy ─ run, counted by strace ─> the calls under the vault's folder; the state "after"
//!                        └─ copy ─ run, fault at call N ───> state read again ─> judge: before or after, never between
//!                                                                           └─> run again: done
//! ```
//!
//! `docs/faults.md` says the same for readers of the project.

pub mod agent;
pub mod judge;
pub mod kill;
pub mod run;
pub mod scenario;
pub mod shim;
pub mod state;
pub mod trace;

/// Returns what `CASEVAULT_FAULTS` says: `all` faults, or so many for each scenario.
pub fn wanted() -> Option<usize> {
    match std::env::var("CASEVAULT_FAULTS") {
        Ok(all) if all == "all" => None,
        Ok(number) => Some(number.parse().expect("CASEVAULT_FAULTS is `all` or a number")),
        Err(_) => Some(USUALLY),
    }
}

/// So many faults of each scenario are injected in a usual run of the tests.
const USUALLY: usize = 8;

/// Returns the seed by which faults are chosen and moments are drawn: `CASEVAULT_SEED`, or one of the clock's.
pub fn seed() -> u64 {
    match std::env::var("CASEVAULT_SEED") {
        Ok(seed) => seed.parse().expect("CASEVAULT_SEED is a number"),
        Err(_) => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            now.map_or(1, |since| u64::from(since.subsec_nanos()) ^ since.as_secs())
        }
    }
}

/// A small generator (SplitMix64): what it draws is chosen by its seed alone.
#[derive(Clone, Debug)]
pub struct Drawn(pub u64);

impl Drawn {
    /// Draws a number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Draws a number below `most`.
    pub fn below(&mut self, most: u64) -> u64 {
        self.number() % most.max(1)
    }
}
