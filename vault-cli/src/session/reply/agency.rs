//! What is answered about the agency's root.

use super::Schema;
use serde::{Deserialize, Serialize};

/// A member, by handle and by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedMember {
    /// The handle.
    pub member: String,
    /// What it is called, where that is known.
    pub name: Option<String>,
}

/// The root in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgencyShowReply {
    /// [`super::AGENCY_SHOW`].
    pub schema: Schema,
    /// The agency's id.
    pub agency: String,
    /// What it is called.
    pub name: Option<String>,
    /// The root's version, from 1.
    pub version: u32,
    /// Who is named as an administrator.
    pub administrators: Vec<NamedMember>,
    /// How many of them sign a new root.
    pub signatures: usize,
    /// The version of the recovery key, from 1.
    pub recovery_version: u32,
    /// The log's key as other tools take it (C2SP signed-note), where there is a server.
    pub log: Option<String>,
    /// The witnesses' keys, likewise.
    pub witnesses: Vec<String>,
}

/// A part that a proposed root has otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootChangeReply {
    /// Which part.
    pub part: String,
    /// Which member, where it is about one.
    pub member: Option<String>,
    /// What it is now; nothing where it is new.
    pub before: Option<String>,
    /// What it will be; nothing where it goes.
    pub after: Option<String>,
}

/// The part that says how many administrators sign a new root.
pub const SIGNATURES: &str = "signatures of a new root";

/// The part that is the recovery key.
pub const RECOVERY_KEY: &str = "recovery key";

/// A proposed root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalReply {
    /// [`super::AGENCY_PROPOSE`], [`super::AGENCY_PROPOSAL`] or [`super::AGENCY_ENDORSE`].
    pub schema: Schema,
    /// The version that it will be.
    pub version: u32,
    /// What it changes.
    pub changes: Vec<RootChangeReply>,
    /// Who has signed it.
    pub signed_by: Vec<NamedMember>,
    /// How many administrators it names.
    pub administrators: usize,
    /// How many signatures it still needs.
    pub missing: usize,
    /// Whether it is in force.
    pub in_force: bool,
    /// Whether it was sent to the server; otherwise the next `sync` does it.
    pub sent: bool,
    /// Whether an officer's next `sync` has to open the next epoch of the access log's key; until then its entries open to
    /// whom it was sealed before.
    pub officer_owed: bool,
    /// Its text for another administrator, which goes to a file and not into what is printed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub proposal: String,
}
