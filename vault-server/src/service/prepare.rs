//! What is done of an append before the writer: opening, hashing, verifying. No state is changed here.

use std::collections::HashMap;

use rayon::prelude::*;
use vault_core::agency_state::AgencyState;
use vault_core::check::Refused;
use vault_core::parcel::{self, OpenParcel, OpenRecord};
use vault_core::stream::UnverifiedLink;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::StreamKind;
use vault_core::wire::v1::sync::Parcel;

/// Parcels from which on verifying is spread over threads.
const MANY: usize = 8;

/// A parcel that was opened, or what it was refused by.
pub(super) type Prepared = Result<Opened, Refused>;

/// A parcel with everything that its link names, and what its signatures came to.
pub(super) struct Opened {
    pub(super) link: UnverifiedLink,
    pub(super) records: Vec<OpenRecord>,
    pub(super) blobs: Vec<Vec<u8>>,
    /// The link's signature, by its device's key; `None` where that was not known yet.
    pub(super) signed: Option<Result<(), Refused>>,
    /// The same of each record.
    pub(super) authored: Vec<Option<Result<(), Refused>>>,
    /// What erasures behind it in the request say of the records of it that came without their bytes.
    pub(super) erased: Erased,
}

/// What names the records of a parcel that came without their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Erased {
    /// None came so.
    Nothing,
    /// An erasure behind it in the request names each; the last of them is the parcel at this place.
    By(usize),
    /// Of one at least, none.
    Uncovered,
}

/// Returns the bytes of a note or a file that a parcel brings; nothing of what is about rights, erasures or reading, which
/// waits for no room.
pub(super) fn weight(parcel: &Prepared) -> u64 {
    let Ok(opened) = parcel else { return 0 };
    if !matches!(opened.link.link().body, LinkBody::Record(_)) {
        return 0;
    }
    let of_record = |record: &OpenRecord| match record {
        OpenRecord::Kept { record, wrap } => record.ciphertext().len().saturating_add(wrap.0.len()),
        OpenRecord::Erased(_) => 0,
    };
    let all: usize = opened.records.iter().map(of_record).sum();
    u64::try_from(all).unwrap_or(u64::MAX)
}

/// Opens parcels, each by itself.
pub(super) fn all(agency: Option<&AgencyState>, parcels: Vec<Parcel>) -> Vec<Prepared> {
    let mut all: Vec<Prepared> = match parcels.len() < MANY {
        true => parcels.into_iter().map(|parcel| one(agency, parcel)).collect(),
        false => parcels.into_par_iter().map(|parcel| one(agency, parcel)).collect(),
    };
    // The next behind a parcel that names it, by record.
    let mut erasures = HashMap::new();
    for (place, opened) in all.iter_mut().enumerate().rev() {
        let Ok(opened) = opened else { continue };
        let stream = opened.link.link().stream;
        let absent = parcel::absent(opened.link.link(), &opened.records, &opened.blobs);
        let found: Option<Vec<usize>> = absent.map(|record| erasures.get(&(stream, record)).copied()).collect();
        opened.erased = match found {
            None => Erased::Uncovered,
            Some(found) => found.into_iter().max().map_or(Erased::Nothing, Erased::By),
        };
        let named = parcel::erased(&opened.link.link().body).iter();
        erasures.extend(named.map(|record| ((stream, *record), place)));
    }
    all
}

/// A device's key never changes and its id is never used again: what verifies under a key of an older state verifies.
fn one(agency: Option<&AgencyState>, parcel: Parcel) -> Prepared {
    let (link, records, blobs) = OpenParcel::open(parcel)?.into_parts();
    let key = |device| Some(agency?.devices().get(device)?.key.clone());
    // The agency's stream verifies its links itself.
    let signed = match link.link().stream.kind {
        StreamKind::Agency => None,
        StreamKind::Case | StreamKind::Access => key(&link.link().device).map(|signer| link.verify_signature(&signer)),
    };
    let authored = records
        .iter()
        .map(|record| key(&record.header().device).map(|author| record.verify_signature(&author)))
        .collect();
    Ok(Opened {
        link,
        records,
        blobs,
        signed,
        authored,
        erased: Erased::Nothing,
    })
}
