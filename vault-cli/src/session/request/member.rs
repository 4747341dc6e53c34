//! What is asked about members and their devices.

use serde::{Deserialize, Serialize};

/// Makes an enrolment sheet for a new member.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MemberInviteRequest {
    /// What the member is called.
    pub name: String,
    /// Its roles, by name.
    pub roles: Vec<String>,
    /// For how many days the sheet is good.
    pub days: u32,
}

/// Makes an enrolment sheet for a member who lost everything.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MemberResetRequest {
    /// The member's handle.
    pub member: String,
    /// For how many days the sheet is good.
    pub days: u32,
}

/// Makes an enrolment sheet for another device of one's own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DeviceAddRequest {
    /// For how many days the sheet is good.
    pub days: u32,
}

/// Asks by which code who asked to join is known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ApproveCodeRequest {
    /// The handle that the invite gave: a member's, or a device's.
    pub handle: String,
}

/// Takes in who asked to join.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ApproveRequest {
    /// The handle that the invite gave: a member's, or a device's.
    pub handle: String,
    /// What the joining device showed, to be compared; none only for a device that another member certified.
    pub code: Option<String>,
}

/// Lists members and invites.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct MemberListRequest {}

/// Lists devices.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct DeviceListRequest {
    /// Those of all members.
    pub all: bool,
}

/// Gives a member other roles.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MemberRoleRequest {
    /// The member's handle.
    pub member: String,
    /// All roles that it has from now on, by name.
    pub roles: Vec<String>,
}

/// Lets a member go.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MemberRetireRequest {
    /// The member's handle.
    pub member: String,
}

/// Retires a device.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DeviceRetireRequest {
    /// The device's handle.
    pub device: String,
    /// Whether it is in others' hands.
    pub lost: bool,
}

/// Joins with an enrolment sheet.
#[derive(Clone, Debug, Default)]
pub struct JoinRequest {
    /// The sheet's text; without one, what waits here goes on.
    pub sheet: Option<String>,
    /// Whether a device of one's own joins, and not a member.
    pub as_device: bool,
    /// A backup from before a member began anew, whose keys come along; under the same passphrase.
    pub backup: Option<std::path::PathBuf>,
    /// The cost of trying the passphrase.
    pub cost: vault_core::crypto::passphrase::Cost,
}
