//! Synchronisation as machines without input and output: each says what to ask a server, is fed the bytes that came, and
//! hands back what it verified (`docs/format.md` §18).
//!
//! ```text
//! Pull: checkpoint ─ Advance ─> new entries ─ tags of my streams ─> what must come ─> pages ─> links in an order that holds
//! Push: append ─> outcomes ─ Advance ─> each leaf proved
//! Audit: every entry again ─> the verified root, each known link at its leaf
//! Prefix: what others saw ─> the beginning of what was followed, or a contradiction with evidence
//! Cosigned: what witnesses cosigned ─> the beginning of what was followed, or a contradiction with evidence
//! Witnessing: checkpoint ─ tiles ─> a tree that continues the last one, or a contradiction with evidence
//! Advance: entries hashed behind what was verified ─> the checkpoint's root, or a contradiction with evidence
//! ```
//! The driver asks and applies; nothing that a machine has not handed over may be believed. All that a server can do wrong
//! ends in a [`Fault`]; none is tried again here.

mod advance;
mod audit;
mod cosigned;
mod prefix;
mod proving;
mod pull;
mod push;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests;
mod witnessing;

pub use audit::Audit;
pub use audit::Found;
pub use cosigned::Cosigned;
pub use cosigned::CosignedTrees;
pub use cosigned::Sighting;
pub use prefix::Prefix;
pub use pull::Behind;
pub use pull::Held;
pub use pull::Pull;
pub use pull::Pulled;
pub use pull::Step;
pub use push::Push;
pub use witnessing::Witnessing;

use crate::check::Check;
use crate::check::Refused;
use crate::crypto::sign::VerifyingKey;
use crate::id::AgencyId;
use crate::tlog::follow::Contradiction;
use crate::tlog::tile::Tile;
use crate::tlog::twice::Twice;
use crate::wire::v1::stream::StreamId;

/// Whose log it is, and the key that the root names for it.
#[derive(Clone, Debug)]
pub struct LogOf {
    /// The agency.
    pub agency: AgencyId,
    /// The log's key.
    pub key: VerifyingKey,
}

/// What to ask a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// The newest checkpoint.
    Checkpoint,
    /// The entries of a tile of leaves.
    Entries(Tile),
    /// A tile.
    Tile(Tile),
    /// The streams with a link at a leaf or later.
    Streams {
        /// That leaf.
        after: u64,
    },
    /// Links of a stream.
    Page {
        /// The stream.
        stream: StreamId,
        /// The first sequence number.
        from: u64,
    },
}

/// What a server did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A check that its answer fails.
    Refused(Refused),
    /// Its log is not the one that it was, and this proves it to anybody.
    Contradiction(Box<Contradiction>),
    /// Its log has two leaves for one place of a stream, and this proves it to anybody.
    Twice(Box<Twice>),
    /// A link that is in the log was not delivered, or another in its place.
    Withheld {
        /// The stream.
        stream: StreamId,
        /// The sequence number.
        seq: u64,
    },
    /// The bytes of a record were not delivered, and no erasure in its stream, as far as the log was followed, names it. Of a
    /// case that is no fault: it is held back alone.
    Absent {
        /// The stream.
        stream: StreamId,
        /// The sequence number of the link.
        seq: u64,
    },
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Check> for Fault {
    fn from(check: Check) -> Self {
        Self::Refused(check.into())
    }
}
