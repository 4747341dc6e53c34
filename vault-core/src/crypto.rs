//! The primitives, each under a context label: hash, MAC and derivation, AEAD, signature, padding, passphrase.
//!
//! Nothing here knows a record or a stream; nothing elsewhere calls a cipher or a hash directly.

pub mod aead;
pub mod hash;
pub mod pad;
pub mod passphrase;
pub mod sign;
