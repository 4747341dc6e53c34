//! The erasure ledger: every signed erasure of a vault, to be replayed on an older backup before anything of it opens
//! (`docs/format.md` §16).
//!
//! A ledger takes away and never adds: it names records by their hashes, and each of its entries is the signed link
//! that erased them. Links cannot be placed again, so the restored device makes an erasure of its own for what the
//! backup still has.

use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::sign::SigningKey;
use crate::id::AgencyId;
use crate::id::CaseId;
use crate::id::DeviceId;
use crate::id::RecordHash;
use crate::stream::UnverifiedLink;
use crate::wire;
use crate::wire::v1::FORMAT;
use crate::wire::v1::event::ErasureGround;
use crate::wire::v1::event::Event;
use crate::wire::v1::ledger::Ledger;
use crate::wire::v1::ledger::LedgerEntry;
use crate::wire::v1::ledger::SignedLedger;
use crate::wire::v1::limit;
use crate::wire::v1::link::LinkBody;

/// One erasure, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The case.
    pub case: CaseId,
    /// The records.
    pub records: Vec<RecordHash>,
    /// Why.
    pub ground: ErasureGround,
}

/// Writes and signs a ledger of erasure links.
///
/// # Errors
/// [`Check::TooLong`].
pub fn write(
    agency: AgencyId,
    device: DeviceId,
    signer: &SigningKey,
    entries: Vec<LedgerEntry>,
) -> Result<Vec<u8>, Refused> {
    let ledger = Ledger {
        format: FORMAT,
        agency,
        device,
        entries: wire::sort_set(entries)?,
    };
    let signature = signer.sign(Label::ErasureLedger, &[&wire::encode(&ledger)?]);
    let bytes = wire::encode(&SignedLedger { ledger, signature })?;
    require(bytes.len() <= limit::LEDGER, Check::TooLong)?;
    Ok(bytes)
}

/// Reads a ledger and verifies every signature in it by the agency's stream; returns the erasures.
///
/// # Errors
/// [`Check::TooLong`], [`Check::NotCanonical`]; [`Check::Agency`] for another agency's; [`Check::Ledger`] where a
/// signature does not verify, a device is unknown, or an entry is no erasure.
pub fn read(bytes: &[u8], agency: &AgencyState) -> Result<Vec<Erased>, Refused> {
    let SignedLedger { ledger, signature } = wire::decode(bytes, limit::LEDGER)?;
    require(ledger.format == FORMAT, Check::UnknownFormat)?;
    require(ledger.agency == agency.id(), Check::Agency)?;
    wire::require_set(&ledger.entries)?;
    let writer = agency.devices().get(&ledger.device).ok_or(Check::Ledger)?;
    let signed = wire::encode(&ledger)?;
    writer
        .key
        .verify(Label::ErasureLedger, &[&signed], &signature, Check::Ledger)?;
    ledger.entries.iter().map(|entry| erased(entry, agency)).collect()
}

fn erased(entry: &LedgerEntry, agency: &AgencyState) -> Result<Erased, Refused> {
    let check = Check::Ledger;
    let link = UnverifiedLink::decode(&entry.link, entry.signature).map_err(|_| check)?;
    require(link.link().agency == agency.id(), Check::Agency)?;
    let signer = agency.devices().get(&link.link().device).ok_or(check)?;
    link.verify_signature(&signer.key).map_err(|_| check)?;
    let case = link.link().stream.as_case().ok_or(check)?;
    let LinkBody::Event(placed) = &link.link().body else {
        return Err(check.into());
    };
    let Event::Erasure(erasure) = &placed.event else {
        return Err(check.into());
    };
    Ok(Erased {
        case,
        records: erasure.records.clone(),
        ground: erasure.ground,
    })
}
