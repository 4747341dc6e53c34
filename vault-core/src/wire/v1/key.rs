//! Contexts that keys are bound to, and the keyring that carries them.

use super::stream::Epoch;
use super::stream::Month;
use super::stream::Section;
use super::stream::StreamId;
use crate::id::AgencyId;
use crate::id::KeyringHash;
use crate::id::MemberId;
use crate::id::RecordHash;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// What an epoch key is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct KeyContext {
    /// The agency.
    pub agency: AgencyId,
    /// The stream.
    pub stream: StreamId,
    /// The section.
    pub section: Section,
    /// The epoch.
    pub epoch: Epoch,
}

/// The associated data of a wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct WrapContext {
    /// The agency.
    pub agency: AgencyId,
    /// The stream.
    pub stream: StreamId,
    /// The section.
    pub section: Section,
    /// The epoch.
    pub epoch: Epoch,
    /// The month of placing.
    pub month: Month,
    /// The record.
    pub record_hash: RecordHash,
}

/// What a recipient is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum RecipientKind {
    /// A member.
    Member = 1,
    /// The recovery key.
    Recovery = 2,
    /// The duty role.
    Duty = 3,
    /// The data-protection role.
    Dpo = 4,
}

/// Names a version of a recipient's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct RecipientRef {
    /// What it is.
    pub kind: RecipientKind,
    /// The member; zero for roles.
    pub id: MemberId,
    /// Version of the key; the epoch for roles.
    pub version: u32,
}

/// One key of a keyring.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct KeyringEntry {
    /// The section.
    pub section: Section,
    /// The epoch.
    pub epoch: Epoch,
    /// The epoch key.
    pub key: [u8; 32],
}

impl std::fmt::Debug for KeyringEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyringEntry({:?}, {:?}, …)", self.section, self.epoch)
    }
}

impl Drop for KeyringEntry {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.key);
    }
}

/// The plaintext of a keyring file.
#[derive(Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Keyring {
    /// Format version.
    pub format: u16,
    /// The agency.
    pub agency: AgencyId,
    /// The stream whose keys it carries.
    pub stream: StreamId,
    /// Whom it is for.
    pub to: RecipientRef,
    /// The keys; a set.
    pub entries: Vec<KeyringEntry>,
}

/// Names a keyring file and whom it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct KeyringRef {
    /// Whom it is for.
    pub to: RecipientRef,
    /// Hash of the age file.
    pub keyring_hash: KeyringHash,
}
