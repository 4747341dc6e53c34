//! Entries: what the log holds of a link.

use super::tree;
use super::tree::Hash;
use crate::check::Check;
use crate::check::Refused;
use crate::context::Label;
use crate::crypto::hash::hash;
use crate::id::LinkId;
use crate::wire::v1::stream::StreamId;

/// Bytes of an entry.
pub const ENTRY_BYTES: usize = 48;

/// Which link of which stream an entry is, to whoever knows the stream; to others, 16 bytes like any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub [u8; 16]);

impl Tag {
    /// Computes the tag of a stream's link number `seq`.
    pub fn of(stream: StreamId, seq: u64) -> Self {
        let whole = hash(Label::LogTag, &[&[stream.kind as u8], &stream.id, &seq.to_be_bytes()]);
        let mut tag = [0; 16];
        tag.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
        Self(tag)
    }
}

/// An entry: 48 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Which link of which stream.
    pub tag: Tag,
    /// The link's id.
    pub link: LinkId,
}

impl Entry {
    /// Makes the entry of a stream's link number `seq`.
    pub fn of(stream: StreamId, seq: u64, link: LinkId) -> Self {
        Self {
            tag: Tag::of(stream, seq),
            link,
        }
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// [`Check::LogEntry`] for another number of bytes than [`ENTRY_BYTES`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refused> {
        let (tag, link) = bytes.split_first_chunk().ok_or(Check::LogEntry)?;
        let link: [u8; 32] = link.try_into().map_err(|_| Check::LogEntry)?;
        Ok(Self {
            tag: Tag(*tag),
            link: LinkId(link),
        })
    }

    /// Returns its bytes.
    pub fn to_bytes(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        let parts = self.tag.0.iter().chain(&self.link.0);
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        bytes
    }

    /// Returns its hash as a leaf.
    pub fn leaf(&self) -> Hash {
        tree::leaf(&self.to_bytes())
    }
}
