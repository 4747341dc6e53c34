//! The agency's root document, members' recipients and devices' certificates.

use super::stream::Section;
use crate::crypto::sign::PublicKey;
use crate::crypto::sign::Signature;
use crate::id::AgencyId;
use crate::id::DeviceId;
use crate::id::MemberId;
use crate::id::RootHash;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// Bytes of an X-Wing public key.
pub const RECIPIENT_BYTES: usize = 1216;

/// An X-Wing public key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct RecipientKey(pub [u8; RECIPIENT_BYTES]);

impl std::fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "RecipientKey({}…)",
            data_encoding::HEXLOWER.encode(self.0.get(..8).unwrap_or_default())
        )
    }
}

/// An administrator and its identity key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Administrator {
    /// The member.
    pub member: MemberId,
    /// Its identity key.
    pub identity: PublicKey,
}

/// What may need more than one administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum Operation {
    /// A new root version.
    Root = 1,
    /// A member or a device.
    Member = 2,
    /// The policy set.
    Policy = 3,
    /// Recovery.
    Recovery = 4,
}

/// How many administrators an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Threshold {
    /// The operation.
    pub operation: Operation,
    /// Their number.
    pub administrators: u8,
}

/// A version of a member's recipient.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct MemberRecipient {
    /// The member.
    pub member: MemberId,
    /// Version, from 1.
    pub version: u32,
    /// The public key.
    pub key: RecipientKey,
}

/// The public halves of the recovery key.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct RecoveryKeys {
    /// Version, from 1.
    pub version: u32,
    /// Opens what is wrapped to recovery.
    pub recipient: RecipientKey,
    /// Signs recovery events.
    pub signing: PublicKey,
}

/// A role's recipient.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct RoleRecipient {
    /// Epoch of the role key.
    pub epoch: u32,
    /// The public key.
    pub recipient: RecipientKey,
}

/// A log's or witness's verifier key (C2SP signed-note).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Verifier {
    /// Key name.
    pub name: Vec<u8>,
    /// Ed25519 key.
    pub key: PublicKey,
}

/// A section that the agency knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct SectionRule {
    /// The section.
    pub section: Section,
    /// 1 if the duty recipient stands in it, otherwise 0.
    pub duty: u8,
}

/// The root document.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Root {
    /// Format version.
    pub format: u16,
    /// Version, from 1.
    pub version: u32,
    /// Hash of the version before; zero in version 1.
    pub previous: RootHash,
    /// Random.
    pub salt: [u8; 16],
    /// The lowest format that is accepted.
    pub minimum_format: u16,
    /// A set, not empty.
    pub administrators: Vec<Administrator>,
    /// A set, one for each operation.
    pub thresholds: Vec<Threshold>,
    /// The recovery key.
    pub recovery: RecoveryKeys,
    /// The data-protection role.
    pub dpo: RoleRecipient,
    /// The duty role.
    pub duty: Option<RoleRecipient>,
    /// A set; index and core always.
    pub sections: Vec<SectionRule>,
    /// A set.
    pub witnesses: Vec<Verifier>,
    /// The log's key.
    pub log: Option<Verifier>,
    /// Version of the release secret; 0 is none.
    pub release_version: u32,
}

/// An administrator's signature over a root document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct RootSignature {
    /// The administrator.
    pub member: MemberId,
    /// The signature.
    pub signature: Signature,
}

/// A device's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct DeviceCertificate {
    /// The agency.
    pub agency: AgencyId,
    /// Whose device.
    pub member: MemberId,
    /// The device.
    pub device: DeviceId,
    /// Its key.
    pub key: PublicKey,
}

/// A certificate with the signature of the member's identity key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct CertifiedDevice {
    /// The certificate.
    pub certificate: DeviceCertificate,
    /// The signature.
    pub signature: Signature,
}

/// The founder, in the event that carries root version 1.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Founding {
    /// The founder's roles.
    pub roles: Roles,
    /// The founder's recipient.
    pub recipient: MemberRecipient,
    /// The founder's first device.
    pub device: CertifiedDevice,
}

/// Roles of a member, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Roles(pub u16);

impl Roles {
    /// None.
    pub const NONE: Self = Self(0);
    /// Keeps cases.
    pub const CASEWORKER: Self = Self(1);
    /// Supervises.
    pub const SUPERVISOR: Self = Self(2);
    /// Takes intake and duty.
    pub const DUTY: Self = Self(4);
    /// Reviews access.
    pub const REVIEWER: Self = Self(8);
    /// Data-protection officer.
    pub const DPO: Self = Self(16);
    /// Administers the agency.
    pub const ADMINISTRATOR: Self = Self(32);
    /// All that are known.
    pub const ALL: Self = Self(63);

    /// Whether any of `other`'s roles is among these.
    pub const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// These and `other`'s.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
