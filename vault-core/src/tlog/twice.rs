//! Two leaves of one log for one place of a stream: two histories of it, of which each client may be shown another.
//!
//! A tag names a place, stream and number, and an honest log has a tag once. So one signed checkpoint with two inclusion
//! proofs convicts it, to anybody who has the log's key and knows no stream.

use super::entry::Entry;
use super::follow::checkpoint_of;
use super::tree;
use super::tree::Hash;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::crypto::sign::VerifyingKey;
use crate::id::AgencyId;
use crate::wire::v1::link::Seen;

/// A leaf, with what proves that a tree has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvedLeaf {
    /// Its index.
    pub leaf: u64,
    /// What it is of.
    pub entry: Entry,
    /// Its inclusion proof.
    pub proof: Vec<Hash>,
}

/// Two leaves of one tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twice {
    /// The checkpoint of a tree that has both.
    pub seen: Seen,
    /// The first.
    pub first: ProvedLeaf,
    /// The second.
    pub second: ProvedLeaf,
}

impl Twice {
    /// Verifies it, as whoever is handed it does.
    ///
    /// # Errors
    /// [`Check::CheckpointSignature`] where the log key did not sign the checkpoint; [`Check::LogInclusion`] where a leaf is
    /// not in its tree; [`Check::LogTwice`] where the leaves are one, or of two places.
    pub fn verify(&self, agency: AgencyId, log: &VerifyingKey) -> Result<(), Refused> {
        checkpoint_of(agency, &self.seen).require_signed(&self.seen.signature, log)?;
        let (first, second) = (&self.first, &self.second);
        require(
            first.leaf < second.leaf && first.entry.tag == second.entry.tag,
            Check::LogTwice,
        )?;
        let root = Hash(self.seen.root);
        for one in [first, second] {
            tree::require_included(one.leaf, self.seen.size, one.entry.leaf(), &one.proof, &root)?;
        }
        Ok(())
    }
}
