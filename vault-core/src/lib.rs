//! Formats, keys, checks and state machines of CaseVault.
//!
//! `docs/format.md` is the authority for every byte; this crate is its code. It has no filesystem, network, clock,
//! environment or terminal: time and randomness come in as arguments.
//!
//! ```text
//! note -> payload -> record (author-signed, sealed) -> link (placed in a stream) -> store
//! store -> chain and signatures checked -> access entry durable -> opened -> payload -> note
//! ```
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

pub mod access;
pub mod agency_state;
pub mod attachment;
pub mod backup;
pub mod case_state;
pub mod check;
pub mod context;
pub mod crypto;
pub mod epoch;
#[cfg(any(test, feature = "forge"))]
pub mod forge;
pub mod founding;
pub mod growing;
pub mod guard;
pub mod id;
pub mod joining;
pub mod keyring;
pub mod keystore;
pub mod ledger;
pub mod local;
pub mod note;
pub mod opening;
pub mod parcel;
pub mod placing;
pub mod record;
pub mod recovery;
pub mod restoring;
pub mod secret;
mod seen;
pub mod server_session;
pub mod stream;
pub mod sync;
pub mod tlog;
pub mod wire;
pub mod wrap;
