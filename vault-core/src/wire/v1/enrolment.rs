//! How a device joins: the sheet on paper, the request and the answer that a server carries, and the secrets in it.

use super::agency::CertifiedDevice;
use super::agency::DeviceCertificate;
use super::agency::RecipientKey;
use super::stream::Day;
use crate::crypto::sign::PublicKey;
use crate::id::AgencyId;
use crate::id::DeviceId;
use crate::id::LinkId;
use crate::id::MemberId;
use crate::id::RootHash;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// The version of the sheet's own form, one byte.
pub const SHEET_FORMAT: u8 = 1;

/// Names an invite at the server; out of the sheet's secret, so that only who has the sheet knows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct InviteId(pub [u8; 16]);

impl std::fmt::Debug for InviteId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InviteId(…)")
    }
}

/// Who is to join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum InviteKind {
    /// A new member with its first device.
    Member = 1,
    /// Another device of a member.
    Device = 2,
    /// A member that lost what it had: new identity, new recipient, new device.
    Reset = 3,
}

/// The enrolment sheet, without its check.
#[derive(Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct EnrolmentSheet {
    /// Version of the form.
    pub format: u8,
    /// Who is to join.
    pub kind: InviteKind,
    /// The agency.
    pub agency: AgencyId,
    /// The member that is made, or whose device it is.
    pub member: MemberId,
    /// Hash of the root document in force when it was printed.
    pub root: RootHash,
    /// Leaves of the log that were verified then.
    pub size: u64,
    /// Root of that tree.
    pub tree: [u8; 32],
    /// The last day on which the server takes the request.
    pub until: Day,
    /// Where the server is, in UTF-8.
    pub url: Vec<u8>,
    /// One time, 128 random bits.
    pub secret: [u8; 16],
}

impl Drop for EnrolmentSheet {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.secret);
    }
}

impl std::fmt::Debug for EnrolmentSheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EnrolmentSheet({:?}, {}, …)", self.kind, self.member.handle())
    }
}

/// Asks to join: what the joining device made. Roles and versions are not its to say.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct JoinRequest {
    /// Format version.
    pub format: u16,
    /// The agency.
    pub agency: AgencyId,
    /// The invite.
    pub invite: InviteId,
    /// Who joins.
    pub joiner: Joiner,
}

/// Who joins, as the sheet's kind says.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
#[allow(clippy::large_enum_variant, reason = "there is one of it at a time")]
pub enum Joiner {
    /// A new member.
    #[tls_codec(discriminant = 1)]
    Member(NewPerson),
    /// A device of a member.
    #[tls_codec(discriminant = 2)]
    Device(NewDevice),
    /// A member anew.
    #[tls_codec(discriminant = 3)]
    Reset(NewPerson),
}

/// The public halves of a person's new keys, and the device that the identity key certifies.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct NewPerson {
    /// The identity key.
    pub identity: PublicKey,
    /// The recipient.
    pub recipient: RecipientKey,
    /// The first device.
    pub device: CertifiedDevice,
}

/// A device that is to be certified.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct NewDevice {
    /// What the member's identity key is to sign.
    pub certificate: DeviceCertificate,
    /// A recipient of this device alone, for the answer and nothing else.
    pub once: RecipientKey,
}

/// Answers a request to join.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct JoinAnswer {
    /// Format version.
    pub format: u16,
    /// The agency.
    pub agency: AgencyId,
    /// The invite.
    pub invite: InviteId,
    /// Hash of the sealed request that is answered.
    pub request: [u8; 32],
    /// A link of the agency's stream: the one that enrols the device, or where another administrator has still to enrol
    /// it, the last before that.
    pub link: LinkId,
    /// For a member's further device, an age file with the member's secrets to the device's own recipient.
    pub secrets: Option<Vec<u8>>,
}

/// Opens an invite at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct OpenInvite {
    /// The agency.
    pub agency: AgencyId,
    /// Who is to join.
    pub kind: InviteKind,
    /// The last day.
    pub until: Day,
}

/// Answers what was asked for under an invite.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct AnswerInvite {
    /// The sealed answer.
    pub answer: Vec<u8>,
    /// The device that its member certified and an administrator is to enrol.
    pub enrolment: Option<CertifiedDevice>,
}

/// How far an invite has got.
#[derive(Clone, Debug, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct InviteState {
    /// The sealed request; empty before there is one.
    pub request: Vec<u8>,
    /// The sealed answer; empty before there is one.
    pub answer: Vec<u8>,
}

/// The devices of an agency that an administrator is to enrol.
#[derive(Clone, Debug, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct WaitingDevices {
    /// They, as their members certified them.
    pub devices: Vec<CertifiedDevice>,
}

/// A seed with its version.
#[derive(PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct HandedSeed {
    /// Version, or epoch of a role key.
    pub version: u32,
    /// The seed.
    pub seed: [u8; 32],
}

impl Drop for HandedSeed {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.seed);
    }
}

impl std::fmt::Debug for HandedSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HandedSeed({}, …)", self.version)
    }
}

/// A member's secrets on their way to its further device.
#[derive(PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct HandedSecrets {
    /// Format version.
    pub format: u16,
    /// The agency.
    pub agency: AgencyId,
    /// Whose they are.
    pub member: MemberId,
    /// For which device.
    pub device: DeviceId,
    /// Seed of the identity key.
    pub identity: [u8; 32],
    /// Seeds of the recipients; a set.
    pub recipients: Vec<HandedSeed>,
    /// Seeds of the data-protection role key, by epoch; a set.
    pub dpo: Vec<HandedSeed>,
}

impl Drop for HandedSecrets {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.identity);
    }
}

impl std::fmt::Debug for HandedSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HandedSecrets({}, …)", self.member.handle())
    }
}
