//! Events: a typed clear part.

use super::agency::CertifiedDevice;
use super::agency::DeviceCertificate;
use super::agency::Founding;
use super::agency::MemberRecipient;
use super::agency::RecipientKey;
use super::agency::Roles;
use super::agency::Root;
use super::agency::RootSignature;
use super::key::KeyringRef;
use super::key::RecipientRef;
use super::membership::EpochOpen;
use super::membership::Membership;
use super::stream::Epoch;
use super::stream::Section;
use crate::crypto::sign::PublicKey;
use crate::crypto::sign::Signature;
use crate::id::DeviceId;
use crate::id::GrantId;
use crate::id::KeyringHash;
use crate::id::LinkId;
use crate::id::MemberId;
use crate::id::PolicyHash;
use crate::id::RecordHash;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// A version of the root document with its signatures.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct SignedRoot {
    /// The document.
    pub root: Root,
    /// Administrators' signatures; a set.
    pub signatures: Vec<RootSignature>,
    /// The founder, in version 1 alone.
    pub founding: Option<Founding>,
}

/// A new member.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct NewMember {
    /// The member.
    pub member: MemberId,
    /// Its identity key, which only certifies devices.
    pub identity: PublicKey,
    /// Its roles.
    pub roles: Roles,
    /// Its recipient, version 1.
    pub recipient: MemberRecipient,
}

/// What a member does from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct MemberRoles {
    /// The member.
    pub member: MemberId,
    /// Its roles, all of them.
    pub roles: Roles,
}

/// A member that begins anew: other keys, and none of its devices.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct MemberReset {
    /// Its new identity key.
    pub identity: PublicKey,
    /// Its new recipient, whose version is one more than the last.
    pub recipient: MemberRecipient,
}

/// An epoch of the agency key.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct AgencyEpoch {
    /// The epoch, of section 0 of the agency stream.
    pub open: EpochOpen,
    /// Keyring files; a set.
    pub keyrings: Vec<KeyringRef>,
}

/// An epoch of the data-protection role key.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct DpoEpoch {
    /// Its number, from 0.
    pub epoch: u32,
    /// Its recipient.
    pub recipient: RecipientKey,
    /// Who holds it; a set.
    pub holders: Vec<RecipientRef>,
    /// Files with its identity; a set.
    pub keyrings: Vec<KeyringRef>,
}

/// A device enrolled in place of lost ones by a sole administrator who restored a backup.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Restored {
    /// The new device, which signs the link.
    pub device: CertifiedDevice,
    /// Devices of the same member that are gone; a set.
    pub retired: Vec<DeviceId>,
    /// Over [`Enrolment`], by the sole administrator's identity key.
    pub signature: Signature,
}

/// A device enrolled by the recovery key.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct RecoveryRun {
    /// The new device, which signs the link.
    pub device: CertifiedDevice,
    /// Devices of the same member that are gone; a set.
    pub retired: Vec<DeviceId>,
    /// Version of the recovery key, the one in force.
    pub version: u32,
    /// Over [`Enrolment`], by the recovery key.
    pub signature: Signature,
}

/// What is signed to enrol a device outside the ordinary way: it holds at one place of the stream only.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Enrolment {
    /// The agency stream's link before.
    pub previous: LinkId,
    /// The new device.
    pub certificate: DeviceCertificate,
    /// Devices that are gone; a set.
    pub retired: Vec<DeviceId>,
    /// Version of the recovery key; 0 where an administrator signs.
    pub version: u32,
}

/// Grants that ended by their date.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Expired {
    /// The grants; a set.
    pub grants: Vec<GrantId>,
    /// The rotation that follows.
    pub membership: Membership,
}

/// Why bytes were erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum ErasureGround {
    /// Withdrawn by its author before it was published.
    Withdrawn = 1,
    /// Decided by two persons.
    Decided = 2,
    /// Recorded under the wrong person.
    Misfiled = 3,
}

/// A signed erasure.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Erasure {
    /// The records; a set.
    pub records: Vec<RecordHash>,
    /// Why.
    pub ground: ErasureGround,
}

/// A keyring that did not open to its commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Complaint {
    /// The keyring.
    pub keyring_hash: KeyringHash,
    /// The section.
    pub section: Section,
    /// The epoch.
    pub epoch: Epoch,
}

/// An event's clear part.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u16)]
#[allow(clippy::large_enum_variant, reason = "events are few, and decoded one at a time")]
pub enum Event {
    /// A root version.
    #[tls_codec(discriminant = 1)]
    Root(SignedRoot),
    /// A member joins.
    #[tls_codec(discriminant = 2)]
    Member(NewMember),
    /// A device joins.
    #[tls_codec(discriminant = 3)]
    Device(CertifiedDevice),
    /// A member leaves.
    #[tls_codec(discriminant = 4)]
    MemberRetired(MemberId),
    /// A device leaves.
    #[tls_codec(discriminant = 5)]
    DeviceRetired(DeviceId),
    /// A new version of a member's recipient.
    #[tls_codec(discriminant = 6)]
    Recipient(MemberRecipient),
    /// Settings and policy set; details sealed.
    #[tls_codec(discriminant = 7)]
    Settings(PolicyHash),
    /// An epoch of the agency key.
    #[tls_codec(discriminant = 8)]
    AgencyEpoch(AgencyEpoch),
    /// An epoch of the data-protection role key.
    #[tls_codec(discriminant = 9)]
    DpoEpoch(DpoEpoch),
    /// A device enrolled by the recovery key.
    #[tls_codec(discriminant = 10)]
    RecoveryRun(RecoveryRun),
    /// A device enrolled by a sole administrator who restored a backup.
    #[tls_codec(discriminant = 11)]
    Restored(Restored),
    /// A member's roles change.
    #[tls_codec(discriminant = 12)]
    Roles(MemberRoles),
    /// A member begins anew.
    #[tls_codec(discriminant = 13)]
    Reset(MemberReset),
    /// A case opens.
    #[tls_codec(discriminant = 32)]
    CaseOpened(Membership),
    /// A case's members change.
    #[tls_codec(discriminant = 33)]
    Membership(Membership),
    /// Grants ended by their date.
    #[tls_codec(discriminant = 34)]
    Expired(Expired),
    /// Bytes are erased.
    #[tls_codec(discriminant = 36)]
    Erasure(Erasure),
    /// A keyring is bad.
    #[tls_codec(discriminant = 37)]
    Complaint(Complaint),
    /// Cases belong together; how is sealed.
    #[tls_codec(discriminant = 38)]
    Relation,
}
