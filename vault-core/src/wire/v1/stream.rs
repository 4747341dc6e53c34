//! Streams and the numbers that live in them.

use crate::id::AgencyId;
use crate::id::CaseId;
use crate::id::DeviceId;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// What a stream is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum StreamKind {
    /// The agency's own.
    Agency = 1,
    /// A case's.
    Case = 2,
    /// A device's access entries.
    Access = 3,
}

/// Names a stream, 17 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct StreamId {
    /// Its kind.
    pub kind: StreamKind,
    /// Its id.
    pub id: [u8; 16],
}

impl StreamId {
    /// The agency's stream.
    pub fn agency(agency: &AgencyId) -> Self {
        Self {
            kind: StreamKind::Agency,
            id: agency.stream_id(),
        }
    }

    /// A case's stream.
    pub fn case(case: CaseId) -> Self {
        Self {
            kind: StreamKind::Case,
            id: case.0,
        }
    }

    /// A device's access stream.
    pub fn access(device: DeviceId) -> Self {
        Self {
            kind: StreamKind::Access,
            id: device.0,
        }
    }

    /// The case, if it is a case's stream.
    pub fn as_case(&self) -> Option<CaseId> {
        (self.kind == StreamKind::Case).then_some(CaseId(self.id))
    }
}

impl std::fmt::Display for StreamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            StreamKind::Agency => write!(f, "agency"),
            StreamKind::Case => write!(f, "{}", CaseId(self.id).handle()),
            StreamKind::Access => write!(f, "{}", DeviceId(self.id).handle()),
        }
    }
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
        pub struct $name(pub $inner);
    )+};
}

numbers! {
    /// A section of a case.
    Section(u16);
    /// An epoch of a section; bit 31 marks a history epoch.
    Epoch(u32);
    /// `(year - 1970) * 12 + month - 1`.
    Month(u16);
    /// Days since 1970-01-01.
    Day(u32);
}

impl Section {
    /// Display label, flags, status; part of every grant.
    pub const INDEX: Self = Self(0);
    /// The case's main section.
    pub const CORE: Self = Self(1);
    /// The first private section.
    pub const FIRST_PRIVATE: Self = Self(0x8000);

    /// Whether it belongs to one author alone.
    pub const fn is_private(self) -> bool {
        self.0 >= Self::FIRST_PRIVATE.0
    }
}

impl Epoch {
    /// The first epoch of a section.
    pub const FIRST: Self = Self(0);
    /// The first history epoch of a section.
    pub const FIRST_HISTORY: Self = Self(1 << 31);

    /// Whether it only re-wraps an older one's records.
    pub const fn is_history(self) -> bool {
        self.0 >= Self::FIRST_HISTORY.0
    }
}
