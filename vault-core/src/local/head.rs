//! Heads: where each stream, and the whole store, had got to when it was last written.

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::hash::hash;
use crate::crypto::hash::mac;
use crate::crypto::hash::mac_matches;
use crate::id::AgencyId;
use crate::id::LinkId;
use crate::secret::LocalHeadKey;
use crate::wire::v1::stream::StreamId;

/// Bytes of a head's MAC.
pub const HEAD_MAC_BYTES: usize = 32;

/// The running hash over the ids of all links of a store, in commit order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitOrder(pub [u8; 32]);

impl CommitOrder {
    /// The order of a store without links.
    pub const START: Self = Self([0; 32]);

    /// Returns the order with `link` at its end.
    #[must_use]
    pub fn then(&self, link: &LinkId) -> Self {
        Self(hash(Label::CommitOrder, &[&self.0, &link.0]))
    }
}

/// The last link of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamHead {
    /// The stream.
    pub stream: StreamId,
    /// Sequence number of its last link.
    pub seq: u64,
    /// That link.
    pub link: LinkId,
}

impl StreamHead {
    /// Returns the MAC that is kept beside the head.
    pub fn mac(&self, key: &LocalHeadKey) -> [u8; HEAD_MAC_BYTES] {
        mac(Label::StreamHead, key.expose(), &[&self.bytes()])
    }

    /// Refuses, in constant time, a head that was not kept under `key`.
    ///
    /// # Errors
    /// [`Check::StreamHead`].
    pub fn require(&self, key: &LocalHeadKey, tag: &[u8]) -> Result<(), Refused> {
        let held = mac_matches(Label::StreamHead, key.expose(), &[&self.bytes()], tag);
        require(held, Check::StreamHead)
    }

    fn bytes(&self) -> Vec<u8> {
        let kind = self.stream.kind as u8;
        let seq = self.seq.to_be_bytes();
        [&[kind], self.stream.id.as_slice(), &seq, &self.link.0].concat()
    }
}

/// The store's own head: how many links, in what order, of how many streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreHead {
    /// The agency.
    pub agency: AgencyId,
    /// Commit position of the last link; 0 for none.
    pub pos: u64,
    /// The order of all links up to it.
    pub order: CommitOrder,
    /// Streams that have a link.
    pub streams: u64,
}

impl StoreHead {
    /// The head of a store without links.
    pub const fn empty(agency: AgencyId) -> Self {
        Self {
            agency,
            pos: 0,
            order: CommitOrder::START,
            streams: 0,
        }
    }

    /// Returns the MAC that is kept beside the head.
    pub fn mac(&self, key: &LocalHeadKey) -> [u8; HEAD_MAC_BYTES] {
        let (pos, streams) = (self.pos.to_be_bytes(), self.streams.to_be_bytes());
        mac(
            Label::StoreHead,
            key.expose(),
            &[&self.agency.0, &pos, &self.order.0, &streams],
        )
    }

    /// Refuses, in constant time, a head that was not kept under `key`.
    ///
    /// # Errors
    /// [`Check::StoreHead`].
    pub fn require(&self, key: &LocalHeadKey, tag: &[u8]) -> Result<(), Refused> {
        let (pos, streams) = (self.pos.to_be_bytes(), self.streams.to_be_bytes());
        let parts: [&[u8]; 4] = [&self.agency.0, &pos, &self.order.0, &streams];
        require(
            mac_matches(Label::StoreHead, key.expose(), &parts, tag),
            Check::StoreHead,
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::local::LocalKeys;
    use crate::secret::StoreKey;
    use crate::wire;
    use crate::wire::v1::stream::StreamKind;

    fn keys() -> LocalKeys {
        LocalKeys::derive(&StoreKey::from_bytes([1; 32]))
    }

    fn stream_head() -> StreamHead {
        StreamHead {
            stream: StreamId {
                kind: StreamKind::Case,
                id: [2; 16],
            },
            seq: 7,
            link: LinkId([3; 32]),
        }
    }

    #[test]
    fn a_stream_heads_mac_is_over_the_documents_bytes() {
        let head = stream_head();
        let mut bytes = wire::encode(&head.stream).unwrap();
        bytes.extend(7u64.to_be_bytes());
        bytes.extend([3; 32]);
        assert_eq!(
            head.mac(&keys().heads),
            mac(Label::StreamHead, keys().heads.expose(), &[&bytes])
        );
    }

    #[test]
    fn chk_100_a_stream_head_with_any_part_changed_is_refused() {
        let head = stream_head();
        let tag = head.mac(&keys().heads);
        assert_eq!(head.require(&keys().heads, &tag), Ok(()));
        let mut others = [head; 4];
        others[0].stream.kind = StreamKind::Access;
        others[1].stream.id[15] ^= 1;
        others[2].seq -= 1;
        others[3].link.0[0] ^= 1;
        for other in others {
            assert_eq!(other.require(&keys().heads, &tag).unwrap_err().check, Check::StreamHead);
        }
        let stranger = LocalKeys::derive(&StoreKey::from_bytes([9; 32]));
        assert!(head.require(&stranger.heads, &tag).is_err());
        assert!(head.require(&keys().heads, &tag[..31]).is_err());
    }

    #[test]
    fn chk_101_a_store_head_with_any_part_changed_is_refused() {
        let head = StoreHead {
            agency: AgencyId([4; 32]),
            pos: 2,
            order: CommitOrder::START.then(&LinkId([1; 32])).then(&LinkId([2; 32])),
            streams: 1,
        };
        let tag = head.mac(&keys().heads);
        assert_eq!(head.require(&keys().heads, &tag), Ok(()));
        let mut others = [head; 4];
        others[0].agency.0[31] ^= 1;
        others[1].pos += 1;
        others[2].order = CommitOrder::START.then(&LinkId([2; 32])).then(&LinkId([1; 32]));
        others[3].streams = 0;
        for other in others {
            assert_eq!(other.require(&keys().heads, &tag).unwrap_err().check, Check::StoreHead);
        }
    }
}
