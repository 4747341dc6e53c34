//! What is asked about the agency's root.

use serde::{Deserialize, Serialize};

/// Shows the root in force.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct AgencyShowRequest {}

/// Proposes the next version of the root.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AgencyProposeRequest {
    /// Keys of witnesses to name, each a line (C2SP signed-note).
    pub witnesses: Vec<String>,
    /// Names of witnesses to leave out.
    pub without_witnesses: Vec<String>,
    /// How many administrators sign a new root.
    pub signatures: Option<u8>,
    /// Handles of members to name as administrators.
    pub administrators: Vec<String>,
    /// Handles of administrators to leave out.
    pub without_administrators: Vec<String>,
}

/// Tells what a proposal changes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AgencyProposalRequest {
    /// Its text.
    pub proposal: String,
}

/// Signs a proposal too.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AgencyEndorseRequest {
    /// Its text.
    pub proposal: String,
}
