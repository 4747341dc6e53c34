//! What is answered about members and their devices.

use super::Schema;
use serde::{Deserialize, Serialize};

/// An enrolment sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteReply {
    /// [`super::MEMBER_INVITE`], [`super::MEMBER_RESET`] or [`super::DEVICE_ADD`].
    pub schema: Schema,
    /// The member's handle.
    pub member: String,
    /// The handle of the device that will join.
    pub device: String,
    /// What the member is called.
    pub name: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// The last day, an ISO date.
    pub until: String,
    /// Where the server is.
    pub server: String,
    /// The sheet's rows, for paper alone: they are left out of what is printed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<String>,
    /// The sheet in one line, for a QR code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scanned: String,
}

/// How far a joining device has got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinReply {
    /// [`super::MEMBER_JOIN`] or [`super::DEVICE_JOIN`].
    pub schema: Schema,
    /// The agency's id.
    pub agency: String,
    /// The member's handle.
    pub member: String,
    /// The device's handle.
    pub device: String,
    /// The vault's folder.
    pub home: String,
    /// What both sides compare aloud.
    pub code: String,
    /// Whether the vault is there; otherwise it waits to be approved.
    pub enrolled: bool,
}

/// By which code who asked to join is known, before anybody is let in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApproveCodeReply {
    /// What the other machine shows if it is the one; nothing of a device that another member certified.
    pub code: Option<String>,
    /// What the member is called.
    pub name: Option<String>,
}

/// Who was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApproveReply {
    /// [`super::MEMBER_APPROVE`] or [`super::DEVICE_APPROVE`].
    pub schema: Schema,
    /// The member's handle.
    pub member: String,
    /// The device's handle.
    pub device: String,
    /// What the member is called.
    pub name: Option<String>,
    /// What both sides compare aloud; nothing of a device that another member certified.
    pub code: Option<String>,
    /// Whether it is enrolled; otherwise an administrator has still to do it.
    pub enrolled: bool,
    /// Whether a data-protection officer has still to open the role key's next epoch.
    pub officer_owed: bool,
    /// Whether it has the role of an administrator and waits for a proposal to be named in the root.
    pub unnamed: bool,
}

/// A member in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedMember {
    /// The handle.
    pub member: String,
    /// What it is called, where that is known.
    pub name: Option<String>,
    /// Its roles.
    pub roles: Vec<String>,
    /// `live`, `retired` or `invited`.
    pub status: String,
    /// Its live devices.
    pub devices: u64,
    /// Whether it is the one whose vault this is.
    pub own: bool,
    /// The last day of an invite, an ISO date.
    pub until: Option<String>,
}

/// Members and invites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberListReply {
    /// [`super::MEMBER_LIST`].
    pub schema: Schema,
    /// They, in the order in which they joined, invites last.
    pub members: Vec<ListedMember>,
}

/// A device in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedDevice {
    /// The handle.
    pub device: String,
    /// Whose it is.
    pub member: String,
    /// What the member is called, where that is known.
    pub name: Option<String>,
    /// `live`, `retired` or `invited`.
    pub status: String,
    /// Whether it is this one.
    pub here: bool,
    /// The last day of an invite, an ISO date.
    pub until: Option<String>,
}

/// Devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceListReply {
    /// [`super::DEVICE_LIST`].
    pub schema: Schema,
    /// They, in the order in which they joined, invites last.
    pub devices: Vec<ListedDevice>,
}

/// What changed of a member or a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedReply {
    /// [`super::MEMBER_ROLE`], [`super::MEMBER_RETIRE`], [`super::DEVICE_RETIRE`] or [`super::DEVICE_LOST`].
    pub schema: Schema,
    /// The member's handle.
    pub member: String,
    /// The device's handle, where it is about one.
    pub device: Option<String>,
    /// What the member is called.
    pub name: Option<String>,
    /// Its roles now.
    pub roles: Vec<String>,
    /// Whether it was sent to the server; otherwise the next `sync` does it.
    pub sent: bool,
    /// Whether a data-protection officer has still to open the role key's next epoch.
    pub officer_owed: bool,
    /// Whether it has the role of an administrator and waits for a proposal to be named in the root.
    pub unnamed: bool,
}
