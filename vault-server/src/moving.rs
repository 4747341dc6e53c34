//! Moving a server's folder into a PostgreSQL database, while no server runs.
//!
//! All of it in one transaction: if it ends early nothing is there, and it is begun again. The folder is gone over as it is
//! copied, and the copy before it is committed. Then the folder's database is given another name, so that no server goes on
//! with it: two that sign one log would contradict each other.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use vault_core::wire::v1::link::LinkBody;

use crate::audit::{self, Fault, Found, Sound};
use crate::store::postgres::{self, Database, Postgres};
use crate::store::sqlite::{self, FILE, MOVED, Sqlite};
use crate::store::{
    AgencyRow, CosignatureRow, InviteRow, NewLink, Reads, Store, StoreError, Writes, fresh_session_key, reading,
    writing,
};

/// Why a folder was not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// There is nothing to be moved.
    #[error("there is no database of casevault-server in `{}`", .0.display())]
    Nothing(PathBuf),
    /// The folder's database could not be opened.
    #[error(transparent)]
    From(#[from] sqlite::OpenError),
    /// The other database could not be opened.
    #[error(transparent)]
    To(#[from] postgres::OpenError),
    /// There is no randomness to be had.
    #[error("the system gives no randomness")]
    Random(#[source] getrandom::Error),
    /// It is somebody's already.
    #[error("the database is in use already: it has other agencies or another key of sessions; name an empty one")]
    InUse,
    /// Something is damaged, or a database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The folder's database could not be given another name.
    #[error("everything is in the database, but `{}` could not be renamed: move it away yourself", path.display())]
    Rename {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl From<StoreError> for MoveError {
    fn from(error: StoreError) -> Self {
        Self::Fault(Fault::Store(error))
    }
}

/// Moves a folder into a database; returns what is there then.
///
/// # Errors
/// [`MoveError`].
pub fn run(from: &Path, to: Database) -> Result<Vec<Sound>, MoveError> {
    let file = from.join(FILE);
    if !file.exists() {
        return Err(MoveError::Nothing(from.to_owned()));
    }
    // Held open, so that no server begins with it meanwhile.
    let source = Sqlite::open(from, fresh_session_key().map_err(MoveError::Random)?)?;
    let key = source.session_key()?;
    let target = Postgres::open(to, key)?;
    if target.session_key()? != key {
        return Err(MoveError::InUse);
    }
    let moved = copy(&source, &target)?;
    drop(source);
    set_aside(from, &file).map_err(|source| MoveError::Rename { path: file, source })?;
    Ok(moved)
}

/// Copies everything, unless it is there from a time before.
fn copy(source: &Sqlite, target: &Postgres) -> Result<Vec<Sound>, MoveError> {
    // What ends the transaction, told apart from what only ends it.
    let mut ended = None;
    let copied = reading(source, |reads| {
        writing(target, |writes| {
            let done = match writes.agencies()?.is_empty() {
                true => copy_all(reads, writes),
                false => require_same(reads, writes),
            };
            done.map_err(|error| match error {
                MoveError::Fault(Fault::Store(error)) => error,
                error => {
                    ended = Some(error);
                    StoreError::Damaged("the moving was given up")
                }
            })
        })
    });
    match (copied, ended) {
        (_, Some(error)) => Err(error),
        (copied, None) => Ok(copied?),
    }
}

fn copy_all(reads: &dyn Reads, writes: &mut dyn Writes) -> Result<Vec<Sound>, MoveError> {
    let mut from = Vec::new();
    for row in reads.agencies()? {
        from.push(copy_agency(reads, writes, &row)?);
    }
    let to = audit::all(writes)?;
    match from == to {
        true => Ok(to),
        false => Err(StoreError::Damaged("the copy is not what was copied").into()),
    }
}

fn copy_agency(reads: &dyn Reads, writes: &mut dyn Writes, row: &AgencyRow) -> Result<Sound, MoveError> {
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
fn require_same(reads: &dyn Reads, there: &dyn Reads) -> Result<Vec<Sound>, MoveError> {
    let seeds = |reads: &dyn Reads| -> Result<Vec<_>, StoreError> {
        let rows = reads.agencies()?.into_iter();
        Ok(rows.map(|row| (row.id, *row.log_seed.expose())).collect())
    };
    if seeds(reads)? != seeds(there)? {
        return Err(MoveError::InUse);
    }
    let (from, to) = (audit::all(reads)?, audit::all(there)?);
    // A server may have gone on in the database since.
    let goes_on = from.iter().zip(&to).all(|(from, to)| from.size < to.size || from == to);
    match goes_on && from.len() == to.len() {
        true => Ok(to),
        false => Err(MoveError::InUse),
    }
}

fn set_aside(folder: &Path, file: &Path) -> io::Result<()> {
    fs::rename(file, folder.join(MOVED))?;
    File::open(folder)?.sync_all()
}
