//! Streams: dense chains of signed links, and the rules that hold in every one of them.
//!
//! [`Chain`] is where a stream has got to; it makes the next link and checks one that arrived
//! (`docs/format.md` §6, CHK-40 to CHK-45). What a link *means* is judged by `agency_state` and `case_state`.

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::context::framed;
use crate::crypto::hash::hash;
use crate::crypto::sign::Signature;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::id::AgencyId;
use crate::id::DeviceId;
use crate::id::LinkId;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::limit;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::link::Seen;
use crate::wire::v1::stream::StreamId;
use crate::wire::v1::stream::StreamKind;

/// A link with its bytes and id, its signature not yet checked.
#[derive(Clone, Debug)]
pub struct UnverifiedLink {
    link: Link,
    bytes: Vec<u8>,
    id: LinkId,
    signature: Signature,
}

impl UnverifiedLink {
    /// Decodes a link's signed bytes.
    ///
    /// # Errors
    /// [`Check::TooLong`], [`Check::NotCanonical`], [`Check::UnknownFormat`], [`Check::KindOfStream`].
    pub fn decode(bytes: &[u8], signature: Signature) -> Result<Self, Refused> {
        let link: Link = wire::decode(bytes, limit::LINK)?;
        Self::with_bytes(link, bytes.to_vec(), signature)
    }

    /// Takes a link rebuilt from a store's row.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn rebuilt(link: Link, signature: Signature) -> Result<Self, Refused> {
        let bytes = wire::encode(&link)?;
        Self::with_bytes(link, bytes, signature)
    }

    fn with_bytes(link: Link, bytes: Vec<u8>, signature: Signature) -> Result<Self, Refused> {
        require(bytes.len() <= limit::LINK, Check::TooLong)?;
        require(link.format == FORMAT, Check::UnknownFormat)?;
        require_kind(&link)?;
        let id = link_id(link.stream.kind, &bytes);
        Ok(Self {
            link,
            bytes,
            id,
            signature,
        })
    }

    /// Takes any link, well formed or not.
    #[cfg(any(test, feature = "forge"))]
    pub(crate) fn forged(link: Link, signature: Signature) -> Self {
        let bytes = wire::encode(&link).unwrap_or_default();
        let id = link_id(link.stream.kind, &bytes);
        Self {
            link,
            bytes,
            id,
            signature,
        }
    }

    /// Returns what the link claims.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Returns the id, computed over the bytes at hand.
    pub fn id(&self) -> LinkId {
        self.id
    }

    /// Returns the bytes that are signed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the signature, as it came.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Checks the signature in place.
    ///
    /// # Errors
    /// [`Check::LinkSignature`].
    pub fn verify_signature(&self, signer: &VerifyingKey) -> Result<(), Refused> {
        let message = framed(Label::LinkSignature, &[&self.bytes]);
        signer.verify_framed(&message, &self.signature, Check::LinkSignature)
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`Check::LinkSignature`].
    pub fn verify(self, signer: &VerifyingKey) -> Result<VerifiedLink, Refused> {
        self.verify_signature(signer)?;
        Ok(VerifiedLink(self))
    }
}

/// A link whose signature was checked against its signer's device key.
#[derive(Clone, Debug)]
pub struct VerifiedLink(UnverifiedLink);

impl VerifiedLink {
    /// Takes as verified what nobody verified.
    #[cfg(any(test, feature = "forge"))]
    pub(crate) fn forged(link: UnverifiedLink) -> Self {
        Self(link)
    }

    /// Returns the link.
    pub fn link(&self) -> &Link {
        &self.0.link
    }

    /// Returns the signed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// Returns the id.
    pub fn id(&self) -> LinkId {
        self.0.id
    }

    /// Returns the signature.
    pub fn signature(&self) -> &Signature {
        &self.0.signature
    }

    /// Returns it as something still to be checked, as whoever receives it has it.
    pub fn into_unverified(self) -> UnverifiedLink {
        self.0
    }

    /// Returns it as whoever receives it has it, for a state to judge.
    pub fn as_unverified(&self) -> &UnverifiedLink {
        &self.0
    }
}

/// A link made here, waiting for its signature; ids chain without one, so that many can be signed at once.
#[derive(Debug)]
pub struct UnsignedLink {
    link: Link,
    bytes: Vec<u8>,
    id: LinkId,
}

impl UnsignedLink {
    /// Returns the id.
    pub fn id(&self) -> LinkId {
        self.id
    }

    /// Signs the link.
    pub fn sign(self, device: &SigningKey) -> VerifiedLink {
        let signature = device.sign(Label::LinkSignature, &[&self.bytes]);
        let Self { link, bytes, id } = self;
        VerifiedLink(UnverifiedLink {
            link,
            bytes,
            id,
            signature,
        })
    }
}

/// Where a stream has got to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    agency: AgencyId,
    stream: StreamId,
    head: Option<(u64, LinkId)>,
    /// What the links that are made here carry.
    seen: Option<Seen>,
}

impl Chain {
    /// A stream without links.
    pub fn empty(agency: AgencyId, stream: StreamId) -> Self {
        Self {
            agency,
            stream,
            head: None,
            seen: None,
        }
    }

    /// A stream whose head is known, from an authenticated store or a walk.
    pub fn at(agency: AgencyId, stream: StreamId, seq: u64, id: LinkId) -> Self {
        Self {
            agency,
            stream,
            head: Some((seq, id)),
            seen: None,
        }
    }

    /// The same stream, for links that say what their author has verified of the log when they are made (ATTACKS 44): the
    /// newest checkpoint, not of a smaller tree than any link of the stream carries (CHK-46).
    pub fn seeing(self, seen: Option<Seen>) -> Self {
        Self { seen, ..self }
    }

    /// The stream.
    pub fn stream(&self) -> StreamId {
        self.stream
    }

    /// Sequence number and id of the last link.
    pub fn head(&self) -> Option<(u64, LinkId)> {
        self.head
    }

    /// The next sequence number.
    pub fn next_seq(&self) -> u64 {
        self.head.map_or(0, |(seq, _)| seq + 1)
    }

    /// Makes the next link and moves on to it.
    ///
    /// # Errors
    /// [`Check::TooLong`], [`Check::KindOfStream`].
    pub fn append(&mut self, agency_head: LinkId, device: DeviceId, body: LinkBody) -> Result<UnsignedLink, Refused> {
        let link = self.next_link(agency_head, device, body);
        require_kind(&link)?;
        let bytes = wire::encode(&link)?;
        require(bytes.len() <= limit::LINK, Check::TooLong)?;
        let id = link_id(link.stream.kind, &bytes);
        self.head = Some((link.seq, id));
        Ok(UnsignedLink { link, bytes, id })
    }

    /// Returns the next link as it would be, for rebuilding one that a store keeps without what can be derived.
    pub fn next_link(&self, agency_head: LinkId, device: DeviceId, body: LinkBody) -> Link {
        Link {
            format: FORMAT,
            agency: self.agency,
            stream: self.stream,
            seq: self.next_seq(),
            previous: self.head.map_or(LinkId::ZERO, |(_, id)| id),
            agency_head,
            seen: self.seen,
            device,
            body,
        }
    }

    /// Checks that `link` is this stream's next, and moves on to it.
    ///
    /// # Errors
    /// [`Check::Agency`], [`Check::Chain`].
    pub fn follow(&mut self, link: &UnverifiedLink) -> Result<(), Refused> {
        require(
            link.link.agency == self.agency && link.link.stream == self.stream,
            Check::Agency,
        )?;
        require(link.link.seq == self.next_seq(), Check::Chain)?;
        require(
            link.link.previous == self.head.map_or(LinkId::ZERO, |(_, id)| id),
            Check::Chain,
        )?;
        self.head = Some((link.link.seq, link.id));
        Ok(())
    }
}

fn link_id(kind: StreamKind, bytes: &[u8]) -> LinkId {
    LinkId(hash(Label::LinkId, &[&[kind as u8], bytes]))
}

fn require_kind(link: &Link) -> Result<(), Refused> {
    let access = matches!(link.body, LinkBody::Access(_) | LinkBody::Segment(_));
    require((link.stream.kind == StreamKind::Access) == access, Check::KindOfStream)
}
