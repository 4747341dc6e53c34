//! The agency's transparency log: one append-only Merkle tree, with every accepted link of every stream as a leaf.
//!
//! The log is that of C2SP (`docs/format.md` §17): RFC 6962 hashes, checkpoints that are signed notes, tiles of 256
//! hashes, cosignatures of witnesses; tools that know nothing of CaseVault verify it. Ours are the 48 bytes of an entry.
//!
//! ```text
//! link ─> entry (tag || link id) ─> leaf hash ─> Edge ─> tiles, root ─> Checkpoint ─ signed by the log key ─> note
//!                                                                                      └─ cosigned by witnesses
//! witness: note opened under the log key ─> the last one continued? (proof) ─> kept, durable ─> cosigned
//! reader: note opened under the log key ─> consistent with the last one? ─> tiles, proofs, entries under its root
//! ```

pub mod checkpoint;
pub mod entry;
pub mod follow;
pub mod note;
pub mod proof;
pub mod tile;
pub mod tree;
pub mod twice;
pub mod witness;
