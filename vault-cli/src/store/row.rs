//! Rows as the reader gets them: a stored record, and a link with what it places.

use super::error::StoreError;
use vault_core::check::Check;
use vault_core::check::Refused;
use vault_core::crypto::sign::Signature;
use vault_core::epoch::Wrap;
use vault_core::id::CiphertextHash;
use vault_core::id::DeviceId;
use vault_core::id::RecordHash;
use vault_core::id::RecordId;
use vault_core::id::WrapHash;
use vault_core::placing;
use vault_core::record::Ciphertext;
use vault_core::record::UnverifiedRecord;
use vault_core::record::record_hash;
use vault_core::stream::UnverifiedLink;
use vault_core::wire;
use vault_core::wire::v1::link::Placement;
use vault_core::wire::v1::link::Release;
use vault_core::wire::v1::link::Seen;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::StreamId;

/// Where a record is: commit position of its link, and 0, or from 1 its place among an event's sealed parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordAt {
    /// Commit position, from 1.
    pub pos: u64,
    /// 0: the link's own record; otherwise the sealed part, from 1.
    pub part: u8,
}

impl RecordAt {
    /// The record that a record link at `pos` places.
    pub const fn link(pos: u64) -> Self {
        Self { pos, part: 0 }
    }
}

/// A record as it is stored, nothing of it checked but the columns' sizes.
#[derive(Clone)]
pub struct StoredRecord {
    /// Where it is.
    pub at: RecordAt,
    /// Sequence number of its link.
    pub seq: u64,
    /// The epoch that its first wrap is under.
    pub epoch: Epoch,
    /// Month and release half that its first wrap is under.
    pub release: Release,
    /// Its header; section and stream are here.
    pub header: RecordHeader,
    /// The author's signature.
    pub signature: Signature,
    /// Its bytes, or what stays of them.
    pub content: Content,
    /// Whether it is a note's primary record; false for an erased one.
    pub is_primary: bool,
}

/// A record's bytes.
#[derive(Clone)]
pub enum Content {
    /// They are here.
    Kept {
        /// Ciphertext and tag.
        ciphertext: Ciphertext,
        /// The wrap that its link signs.
        wrap: Wrap,
    },
    /// They were erased.
    Erased {
        /// What the record's signature is over.
        ciphertext: CiphertextHash,
        /// What the link's signature is over.
        wrap: WrapHash,
    },
}

impl StoredRecord {
    /// Takes record and wrap out of an unerased row, computing the record's hashes.
    ///
    /// # Errors
    /// [`Check::BodyMissing`] if it was erased; as [`UnverifiedRecord::new`].
    pub fn into_record(self) -> Result<(UnverifiedRecord, Wrap), StoreError> {
        self.into_record_by(UnverifiedRecord::new)
    }

    /// As [`Self::into_record`], with the hash that [`Self::placement`] computed.
    ///
    /// # Errors
    /// As [`Self::into_record`].
    pub fn into_hashed_record(self, hash: RecordHash) -> Result<(UnverifiedRecord, Wrap), StoreError> {
        self.into_record_by(|header, ciphertext, signature| {
            UnverifiedRecord::hashed(header, ciphertext, signature, hash)
        })
    }

    fn into_record_by(
        self,
        make: impl FnOnce(RecordHeader, Ciphertext, Signature) -> Result<UnverifiedRecord, Refused>,
    ) -> Result<(UnverifiedRecord, Wrap), StoreError> {
        let id = self.header.record;
        let Content::Kept { ciphertext, wrap } = self.content else {
            return Err(StoreError::refused(Check::BodyMissing, id.handle()));
        };
        let record = make(self.header, ciphertext, self.signature)
            .map_err(|refused| StoreError::refused(refused.check, id.handle()))?;
        Ok((record, wrap))
    }

    /// Returns the placement that a link signs, its hashes computed over the bytes stored.
    ///
    /// # Errors
    /// [`Check::TooLong`] never in practice: a header is of fixed size.
    pub fn placement(&self) -> Result<Placement, StoreError> {
        let refused = |refused: Refused| StoreError::refused(refused.check, self.header.record.handle());
        let header = wire::encode(&self.header).map_err(refused)?;
        let (ciphertext, wrap_hash) = match &self.content {
            Content::Kept { ciphertext, wrap } => (ciphertext.hash(), wrap.hash()),
            Content::Erased { ciphertext, wrap } => (*ciphertext, *wrap),
        };
        Ok(Placement {
            record_hash: record_hash(&header, &ciphertext),
            section: self.header.section,
            epoch: self.epoch,
            release: self.release,
            wrap_hash,
        })
    }

    /// Returns what a state judges of it, given its placement.
    pub fn placed(&self, placement: &Placement) -> placing::StoredRecord<'_> {
        placing::StoredRecord {
            header: &self.header,
            hash: placement.record_hash,
            wrap_hash: placement.wrap_hash,
        }
    }

    /// Returns the record's hash, computed over the bytes stored.
    ///
    /// # Errors
    /// As [`Self::placement`].
    pub fn hash(&self) -> Result<RecordHash, StoreError> {
        Ok(self.placement()?.record_hash)
    }

    /// Whether its bytes were erased.
    pub fn is_erased(&self) -> bool {
        matches!(self.content, Content::Erased { .. })
    }
}

/// A record link's row: the record, and what else of the link cannot be rebuilt.
#[derive(Clone)]
pub struct RecordRow {
    /// The record.
    pub record: StoredRecord,
    /// Sequence number, in the agency stream, of the agency head that the link cites.
    pub agency_seq: u64,
    /// The device that signed the link.
    pub signer: DeviceId,
    /// The checkpoint that it had seen.
    pub seen: Option<Seen>,
    /// The link's signature.
    pub signature: Signature,
}

/// The row of an event, rewrap, access entry or segment start.
#[derive(Clone)]
pub struct LinkRow {
    /// Commit position.
    pub pos: u64,
    /// The link, its signature not checked.
    pub link: UnverifiedLink,
    /// An event's sealed parts.
    pub sealed: Vec<StoredRecord>,
    /// An access entry's sealed body; absent for every other kind.
    pub body: Option<Vec<u8>>,
}

impl LinkRow {
    /// Returns the placements of its sealed parts, computed over the bytes stored.
    ///
    /// # Errors
    /// As [`StoredRecord::placement`].
    pub fn placements(&self) -> Result<Vec<Placement>, StoreError> {
        self.sealed.iter().map(StoredRecord::placement).collect()
    }

    /// Returns what a state judges of its sealed parts, given their placements.
    pub fn placed<'a>(&'a self, placements: &[Placement]) -> Vec<placing::StoredRecord<'a>> {
        let parts = self.sealed.iter().zip(placements);
        parts.map(|(record, placement)| record.placed(placement)).collect()
    }
}

/// One link of any kind.
#[derive(Clone)]
pub enum Row {
    /// A record link.
    Record(Box<RecordRow>),
    /// Any other.
    Link(Box<LinkRow>),
}

impl Row {
    /// Returns its commit position.
    pub fn pos(&self) -> u64 {
        match self {
            Self::Record(row) => row.record.at.pos,
            Self::Link(row) => row.pos,
        }
    }

    /// Returns its stream.
    pub fn stream(&self) -> StreamId {
        match self {
            Self::Record(row) => row.record.header.stream,
            Self::Link(row) => row.link.link().stream,
        }
    }

    /// Returns its sequence number.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Record(row) => row.record.seq,
            Self::Link(row) => row.link.link().seq,
        }
    }
}

/// What a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundRecord {
    /// The record's id.
    pub record: RecordId,
    /// Its stream.
    pub stream: StreamId,
    /// Where its newest version is.
    pub newest: RecordAt,
    /// What it is.
    pub class: RecordClass,
    /// Whether it is a note's primary record.
    pub is_primary: bool,
    /// Whether its newest version was erased.
    pub erased: bool,
}
