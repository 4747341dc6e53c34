//! The forging kit: makes what the verifier must refuse, and honest data to set it beside.
//!
//! Real types keep their promises: no code outside can make a `VerifiedLink` that was not verified, or a record whose
//! length is a lie. Attacks need exactly those, so they are made here, and nowhere else.
//!
//! ```text
//! World (root, members, devices) ── CaseFile (grants, epochs, keys) ── honest links ──┐
//! twin (any content, any key) ──────────────────────────────────────── forged links ──┼─> verifier -> a typed check
//! guard::without(check, …) ── the same forgery with that one check taken out ─────────┘
//! ```
//!
//! It exists in tests and under the feature `forge` alone. No crate depends on that feature but in tests, and a build
//! without debug assertions refuses to compile with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "for tests alone: what cannot be made here is a broken test, and stops it"
)]

#[cfg(all(feature = "forge", not(debug_assertions)))]
compile_error!("the forging kit takes checks out and must not be in a release build");

pub mod case;
pub mod guard;
pub mod random;
pub mod served;
pub mod twin;
pub mod world;

#[cfg(test)]
mod tests;

pub use case::CaseFile;
pub use guard::Out;
pub use random::Seeded;
pub use served::Served;
pub use world::Person;
pub use world::World;
