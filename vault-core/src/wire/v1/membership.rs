//! One change of a case's members: grants, revocations, owner, epochs, keyrings, in one link.

use super::key::KeyringRef;
use super::key::RecipientRef;
use super::stream::Day;
use super::stream::Epoch;
use super::stream::Section;
use crate::id::GrantId;
use crate::id::MemberId;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// Rights over sections, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Rights(pub u8);

impl Rights {
    /// Open records.
    pub const READ: Self = Self(1);
    /// Place records.
    pub const WRITE: Self = Self(2);
    /// Grant what one holds.
    pub const SHARE: Self = Self(4);
    /// Revoke, hand over, be the owner.
    pub const OWN: Self = Self(8);
    /// All four.
    pub const ALL: Self = Self(15);

    /// Whether all of `other` are among these.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether these are known bits and at least one.
    pub const fn is_valid(self) -> bool {
        self.0 != 0 && self.0 & !Self::ALL.0 == 0
    }
}

/// A section in a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct GrantedSection {
    /// The section.
    pub section: Section,
    /// The first epoch that the grantee may open.
    pub from_epoch: Epoch,
}

/// A grant to a member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Grant {
    /// Its id.
    pub grant: GrantId,
    /// The grantee.
    pub member: MemberId,
    /// What it may do.
    pub rights: Rights,
    /// Where; a set.
    pub sections: Vec<GrantedSection>,
    /// Last day.
    pub until: Option<Day>,
}

/// What an epoch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum EpochKind {
    /// New records.
    Head = 0,
    /// Re-wrapping the records of one head epoch.
    History = 1,
}

/// Opens an epoch of a section.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct EpochOpen {
    /// The section.
    pub section: Section,
    /// The epoch's number.
    pub epoch: Epoch,
    /// What it is for.
    pub kind: EpochKind,
    /// The head epoch that a history epoch re-wraps; 0 in a head.
    pub of: Epoch,
    /// Whose private section it is.
    pub private_author: Option<MemberId>,
    /// Commitment to the epoch key.
    pub commitment: [u8; 32],
    /// Who may open it; a set.
    pub recipients: Vec<RecipientRef>,
}

/// A change of members.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Membership {
    /// New grants; a set.
    pub grants: Vec<Grant>,
    /// Grants ended; a set.
    pub revoked: Vec<GrantId>,
    /// The new owner.
    pub owner: Option<MemberId>,
    /// Epochs opened; a set.
    pub opens: Vec<EpochOpen>,
    /// Sections marked rotation due; a set.
    pub due: Vec<Section>,
    /// Keyring files; a set.
    pub keyrings: Vec<KeyringRef>,
}
