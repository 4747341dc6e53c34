//! Numbers of rows, the same in every store: in the order of arrival, with an agency's beside each other.
//!
//! A link's number is its agency's, shifted left by 32, plus its leaf; a record's or blob's is its link's, shifted left by
//! 15, plus its place in the link.

use vault_core::id::RecordId;
use vault_core::wire::v1::enrolment::InviteKind;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::StreamKind;

use super::{AgencyNo, StoreError};

/// Bits of a link's number that are its leaf.
const LEAF_BITS: u32 = 32;

/// Bits of a record's or blob's number that are its place in the link.
pub(super) const PLACE_BITS: u32 = 15;

/// The most agencies: their number, a leaf and a place fill 63 bits.
pub(super) const AGENCIES: u32 = 1 << 16;

/// The number of an agency's link at a leaf.
pub(super) fn link_no(agency: AgencyNo, leaf: u64) -> Result<i64, StoreError> {
    let leaf = u32::try_from(leaf).map_err(|_| StoreError::Bounds("links"))?;
    Ok(i64::from(agency.0) << LEAF_BITS | i64::from(leaf))
}

/// The range of numbers of an agency's links.
pub(super) fn links_of(agency: AgencyNo) -> Result<(i64, i64), StoreError> {
    Ok((link_no(agency, 0)?, link_no(agency, u64::from(u32::MAX))?))
}

/// The leaf of a link's number.
pub(super) fn leaf(no: i64) -> u64 {
    (no & ((1 << LEAF_BITS) - 1)).unsigned_abs()
}

/// The number of what is at a place in a link.
pub(super) fn place_no(link: i64, place: usize) -> Result<i64, StoreError> {
    let place = i64::try_from(place).ok().filter(|place| *place < 1 << PLACE_BITS);
    Ok(link << PLACE_BITS | place.ok_or(StoreError::Bounds("parts of a link"))?)
}

/// The range of numbers of what is in a link.
pub(super) fn whole(link: i64) -> Result<(i64, i64), StoreError> {
    Ok((place_no(link, 0)?, place_no(link, (1 << PLACE_BITS) - 1)?))
}

/// The range of numbers of what is in an agency's links from a leaf on.
pub(super) fn within(agency: AgencyNo, from: u64) -> Result<(i64, i64), StoreError> {
    let (_, last) = links_of(agency)?;
    Ok((place_no(link_no(agency, from)?, 0)?, whole(last)?.1))
}

/// The first eight bytes of a record's id, by which its versions are found.
pub(super) fn name(record: &RecordId) -> i64 {
    i64::from_be_bytes(record.0.first_chunk().copied().unwrap_or_default())
}

/// The number of a link's body.
pub(super) const fn body(body: &LinkBody) -> u8 {
    match body {
        LinkBody::Record(_) => 1,
        LinkBody::Event(_) => 2,
        LinkBody::Rewrap(_) => 3,
        LinkBody::Access(_) => 4,
        LinkBody::Segment(_) => 5,
    }
}

/// The kind of invite of a number.
pub(super) fn invite_kind(number: u8) -> Result<InviteKind, StoreError> {
    match number {
        1 => Ok(InviteKind::Member),
        2 => Ok(InviteKind::Device),
        3 => Ok(InviteKind::Reset),
        _ => Err(StoreError::Damaged("an invite of no kind")),
    }
}

/// The kind of stream of a number.
pub(super) fn kind(number: u8) -> Result<StreamKind, StoreError> {
    match number {
        1 => Ok(StreamKind::Agency),
        2 => Ok(StreamKind::Case),
        3 => Ok(StreamKind::Access),
        _ => Err(StoreError::Damaged("a stream of no kind")),
    }
}
