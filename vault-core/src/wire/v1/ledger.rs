//! The erasure ledger: signed erasures, apart from any store.

use crate::crypto::sign::Signature;
use crate::id::AgencyId;
use crate::id::DeviceId;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// One erasure: the link that carries it, as it was signed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct LedgerEntry {
    /// The link's signed bytes.
    pub link: Vec<u8>,
    /// The link's signature.
    pub signature: Signature,
}

/// All erasures of an agency up to one position of the store.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Ledger {
    /// Format version.
    pub format: u16,
    /// The agency.
    pub agency: AgencyId,
    /// The device that wrote it.
    pub device: DeviceId,
    /// The erasures; a set.
    pub entries: Vec<LedgerEntry>,
}

/// A ledger with its writer's signature.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct SignedLedger {
    /// The ledger.
    pub ledger: Ledger,
    /// Over the ledger, by the device.
    pub signature: Signature,
}
