//! Copying all that one store has into another, whatever kind either is.
//!
//! All of it in one transaction: if it ends early nothing is there, and it is begun again. What is copied is gone over as it is
//! copied, and the copy before it is committed.

use vault_core::wire::v1::link::LinkBody;

use crate::audit::{self, Fault, Found, Sound};
use crate::store::{AgencyRow, CosignatureRow, InviteRow, NewLink, Reads, Store, StoreError, Writes, reading, writing};

/// Why a store was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It is somebody's already.
    #[error("the database is in use already: it has other agencies or another key of sessions; name an empty one")]
    InUse,
    /// Something is damaged, or a database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreError> for CopyError {
    fn from(error: StoreError) -> Self {
        Self::Fault(Fault::Store(error))
    }
}

/// What to do where the other store has agencies already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum There {
    /// Nothing is copied into it.
    Refused,
    /// It may be from an earlier try, which ended after all was there.
    Same,
}

/// Copies everything that `source` has at one moment into `target`; returns what is there then.
///
/// # Errors
/// [`CopyError`].
pub(crate) fn run(source: &dyn Store, target: &dyn Store, there: There) -> Result<Vec<Sound>, CopyError> {
    if source.session_key()? != target.session_key()? {
        return Err(CopyError::InUse);
    }
    let mut ended = None;
    let copied = writing(target, |writes| {
        let done = match (writes.agencies()?.is_empty(), there) {
            (true, _) => all(source, writes),
            (false, There::Same) => of(source, |reads| require_same(reads, writes)),
            (false, There::Refused) => Err(CopyError::InUse),
        };
        told(done, &mut ended)
    });
    done(copied, ended)
}

/// Runs over one snapshot what may be given up.
fn of<T>(source: &dyn Store, work: impl FnOnce(&dyn Reads) -> Result<T, CopyError>) -> Result<T, CopyError> {
    let mut ended = None;
    let read = reading(source, |reads| told(work(reads), &mut ended));
    done(read, ended)
}

/// What ends a transaction, told apart from what only ends it.
fn told<T>(done: Result<T, CopyError>, ended: &mut Option<CopyError>) -> Result<T, StoreError> {
    done.map_err(|error| match error {
        CopyError::Fault(Fault::Store(error)) => error,
        error => {
            *ended = Some(error);
            StoreError::Damaged("the copying was given up")
        }
    })
}

fn done<T>(read: Result<T, StoreError>, ended: Option<CopyError>) -> Result<T, CopyError> {
    match ended {
        Some(error) => Err(error),
        None => Ok(read?),
    }
}

fn all(source: &dyn Store, writes: &mut dyn Writes) -> Result<Vec<Sound>, CopyError> {
    // The snapshot ends before the copy is gone over: a database does not wait for ever.
    let from: Vec<Sound> = of(source, |reads| {
        let rows = reads.agencies()?;
        rows.iter().map(|row| copy_agency(reads, writes, row)).collect()
    })?;
    let to = audit::all(writes)?;
    match from == to {
        true => Ok(to),
        false => Err(StoreError::Damaged("the copy is not what was copied").into()),
    }
}

fn copy_agency(reads: &dyn Reads, writes: &mut dyn Writes, row: &AgencyRow) -> Result<Sound, CopyError> {
    let agency = writes.register(&row.id, &row.log_seed)?.no;
    writes.hold(agency)?;
    let sound = audit::agency(reads, row, &mut |found| match found {
        Found::Link(id, leaf, parcel) => {
            let stream = match writes.stream(agency, id)? {
                Some(row) => row.no,
                None => writes.open_stream(agency, id)?,
            };
            writes.append(NewLink {
                agency,
                leaf,
                stream,
                link: parcel.link(),
                records: parcel.records(),
                blobs: parcel.blobs(),
            })?;
            // Wraps that an erasure took.
            if let LinkBody::Rewrap(_) = parcel.link().link().body {
                let gone = parcel.blobs().iter().enumerate().filter(|(_, bytes)| bytes.is_empty());
                for (number, _) in gone {
                    writes.erase_blob(agency, leaf, number)?;
                }
            }
            Ok(())
        }
        Found::Tile(tile, bytes) => writes.put_tile(agency, tile, bytes),
        Found::Stream(id, erased, holders) => {
            let stream = writes.stream(agency, id)?;
            let stream = stream.ok_or(StoreError::Damaged("a stream was not copied"))?.no;
            writes.erase(stream, erased)?;
            writes.set_holders(stream, holders)
        }
    })?;
    for invite in reads.invites(row.no)? {
        writes.put_invite(&InviteRow { agency, ..invite })?;
    }
    for cosignature in reads.cosignatures(row.no)? {
        writes.put_cosignature(&CosignatureRow { agency, ..cosignature })?;
    }
    Ok(sound)
}

/// The folder was moved before, and only its name is to be changed; or else the database is another's.
fn require_same(reads: &dyn Reads, there: &dyn Reads) -> Result<Vec<Sound>, CopyError> {
    let seeds = |reads: &dyn Reads| -> Result<Vec<_>, StoreError> {
        let rows = reads.agencies()?.into_iter();
        Ok(rows.map(|row| (row.id, *row.log_seed.expose())).collect())
    };
    if seeds(reads)? != seeds(there)? {
        return Err(CopyError::InUse);
    }
    let (from, to) = (audit::all(reads)?, audit::all(there)?);
    // A server may have gone on in the database since.
    let goes_on = from.iter().zip(&to).all(|(from, to)| from.size < to.size || from == to);
    match goes_on && from.len() == to.len() {
        true => Ok(to),
        false => Err(CopyError::InUse),
    }
}
