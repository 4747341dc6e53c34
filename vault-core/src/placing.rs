//! Placing a sealed record: its key wrapped under a section key, and the placement that a link carries.

use crate::agency_state::AgencyState;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::epoch::SectionSealer;
use crate::epoch::Wrap;
use crate::id::RecordHash;
use crate::id::WrapHash;
use crate::record::SealedRecord;
use crate::record::VerifiedRecord;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::Placement;
use crate::wire::v1::link::Release;
use crate::wire::v1::record::RecordHeader;
use crate::wire::v1::stream::Epoch;

/// A record with everything that a store keeps of it beside its link.
pub struct PlacedRecord {
    /// The record.
    pub record: VerifiedRecord,
    /// Its key's wrap.
    pub wrap: Wrap,
    /// What the link says of it.
    pub placement: Placement,
}

/// A record as it is stored, next to the placement that names it.
#[derive(Clone, Copy, Debug)]
pub struct StoredRecord<'a> {
    /// Its header.
    pub header: &'a RecordHeader,
    /// Its hash, computed.
    pub hash: RecordHash,
    /// Its wrap's hash, computed.
    pub wrap_hash: WrapHash,
}

impl PlacedRecord {
    /// Returns what a state judges of it.
    pub fn stored(&self) -> StoredRecord<'_> {
        let header = self.record.header();
        StoredRecord {
            header,
            hash: self.record.hash(),
            wrap_hash: self.placement.wrap_hash,
        }
    }
}

impl StoredRecord<'_> {
    /// Refuses a record that is not the one that a link's placement names, or not by a device of its author.
    ///
    /// # Errors
    /// [`Check::Placement`], [`Check::AuthorDevice`].
    pub fn require_placed(&self, agency: &AgencyState, link: &Link, placement: &Placement) -> Result<(), Refused> {
        let header = self.header;
        require(
            header.agency == link.agency && header.stream == link.stream,
            Check::Placement,
        )?;
        require(header.section == placement.section, Check::Placement)?;
        require(
            placement.record_hash == self.hash && placement.wrap_hash == self.wrap_hash,
            Check::Placement,
        )?;
        let author = agency.devices().get(&header.device).ok_or(Check::AuthorDevice)?;
        require(author.member == header.member, Check::AuthorDevice)
    }
}

/// Wraps the key of `sealed` under (section, epoch, month) and makes its placement.
///
/// # Errors
/// None in practice: everything is of fixed size.
pub fn place(
    sealed: SealedRecord,
    sealer: &SectionSealer,
    epoch: Epoch,
    release: Release,
) -> Result<PlacedRecord, Refused> {
    let record_hash = sealed.record.hash();
    let wrap = sealer.wrap(&sealed.key, record_hash)?;
    let section = sealed.record.header().section;
    let placement = Placement {
        record_hash,
        section,
        epoch,
        release,
        wrap_hash: wrap.hash(),
    };
    Ok(PlacedRecord {
        record: sealed.record,
        wrap,
        placement,
    })
}
