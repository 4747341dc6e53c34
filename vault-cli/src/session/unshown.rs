//! Records of cases that this member left, which were taken in without their bytes although no erasure that it is shown names
//! them: one may be beyond the link that ended its access, or the server kept them back. They are told as not shown, each by
//! its name, and hide nothing else; once the member is let in again their bytes are asked for.
//!
//! Which they are is a local sealed value for each case (`docs/format.md` §12): whatever else lacks its bytes was taken out
//! of the file (CHK-82).

use super::Result;
use super::SessionError;
use crate::store::ReadTx;
use crate::store::WriteTx;
use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeSet;
use std::collections::HashSet;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::RecordHash;

const PREFIX: &str = "unshown:";
const SCHEMA: &str = "casevault.unshown/1";

/// The value `casevault.unshown/1`.
#[derive(Serialize, Deserialize)]
struct Kept {
    schema: String,
    /// Record hashes, in hex.
    records: BTreeSet<String>,
}

/// Returns the records of a case that were not shown.
///
/// # Errors
/// CHK-103 for a value that is none.
pub(super) fn load(tx: &ReadTx<'_>, case: CaseId) -> Result<HashSet<RecordHash>> {
    let name = name_of(case);
    let Some(bytes) = tx.local(&name)? else {
        return Ok(HashSet::new());
    };
    let malformed = || SessionError::refused(Check::LocalValue, &name);
    let kept: Kept = serde_json::from_slice(&bytes).map_err(|_| malformed())?;
    if kept.schema != SCHEMA {
        return Err(malformed());
    }
    let hashes = kept.records.iter().map(|hash| {
        let hash = HEXLOWER.decode(hash.as_bytes()).ok()?;
        Some(RecordHash(hash.try_into().ok()?))
    });
    hashes.map(|hash| hash.ok_or_else(malformed)).collect()
}

/// Keeps which they are; no value where there are none.
///
/// # Errors
/// As writing.
pub(super) fn store(tx: &mut WriteTx<'_>, case: CaseId, records: &HashSet<RecordHash>) -> Result<()> {
    let name = name_of(case);
    if records.is_empty() {
        tx.remove_local(&name)?;
        return Ok(());
    }
    let kept = Kept {
        schema: SCHEMA.to_owned(),
        records: records.iter().map(|hash| HEXLOWER.encode(&hash.0)).collect(),
    };
    let bytes = serde_json::to_vec(&kept).map_err(|error| SessionError::Bug(error.to_string()))?;
    Ok(tx.put_local(&name, &bytes)?)
}

/// Returns the cases that have such records.
///
/// # Errors
/// As reading.
pub(super) fn cases(tx: &ReadTx<'_>) -> Result<Vec<CaseId>> {
    let names = tx.local_names(PREFIX)?;
    let ids = names.iter().filter_map(|name| {
        let id = HEXLOWER.decode(name.strip_prefix(PREFIX)?.as_bytes()).ok()?;
        Some(CaseId(id.try_into().ok()?))
    });
    Ok(ids.collect())
}

fn name_of(case: CaseId) -> String {
    format!("{PREFIX}{}", HEXLOWER.encode(&case.0))
}
