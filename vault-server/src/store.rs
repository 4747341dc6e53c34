//! What the server keeps, behind one narrow transactional trait.
//!
//! ```text
//! writer thread ─ Store::write ─ one durable transaction a group of appends ─┐
//! requests ────── Store::read ── one snapshot a request ─────────────────────┴─ sqlite, or postgres for several processes
//! ```
//! New facts go into [`NewLink`] and the rows; a store knows no rule of the format but what erasing a record leaves. The
//! contract that every store keeps is a suite of functions over the trait (`tests/store.rs`).
//!
//! # What a crash leaves
//!
//! | after | the disk has | who asked |
//! |---|---|---|
//! | signatures were checked, before the transaction | nothing of it | asks again |
//! | links, records and blobs were inserted, before the commit | nothing of it: the next opening rolls back | asks again |
//! | full tiles and holders were written, before the commit | as above: they are in the same transaction | asks again |
//! | an erasure took bytes, before the commit | the bytes, and no erasure | asks again |
//! | what came without bytes was inserted, before its erasure was | nothing of it: they are in one transaction, which has neither if the erasure is not stored | asks again |
//! | the commit, before the checkpoint was signed | all of it; the log's edge is computed again from tiles and links | asks again, and is told that it is stored |
//! | the checkpoint was signed, before the answer | all of it; the same tree gets the same signature (RFC 8032) | asks again, and is told that it is stored |
//! | an erasure's commit, before the log of the database was cut | the erasure; old pages wait in the log of the database, which is cut by the next write, or at the next opening | was not answered |
//! | an invite was opened, asked for or answered, before the commit | nothing of it | asks again |
//! | the commit, before the answer | all of it; the same again changes nothing | asks again, and is answered alike |
//! | a cosignature was verified, before the commit | nothing of it | the witness brings its next one |
//! | the commit, before the answer | the cosignature; the same again changes nothing | as before |
//! | an agency was registered, before the answer | the agency with its log key | asks again, and gets the same key |
//!
//! Of the shared store (`postgres`) the same is true, with PostgreSQL in the place of the disk, and:
//!
//! | after | the database has | who asked |
//! |---|---|---|
//! | the process that holds an agency is killed | nothing of its transaction; the agency is free once PostgreSQL notices | asks another process |
//! | the connection is lost at the commit | all of it or nothing; what is in memory is thrown away | asks again, and is told whether it is stored |
//! | another process committed | what that appended; the sizes differ, and it is read before anything is judged | sees nothing of it |
//! | a commit, before others heard of it | all of it; others compare sizes at every request | whoever asks another process gets the newest checkpoint |
//!
//! Nothing is half done in any of them: what is in memory alone (states, edge, checkpoint) follows from the disk.

mod number;
pub mod postgres;
mod row;
pub mod sqlite;

use std::collections::BTreeSet;
use std::error::Error;
use std::ops::ControlFlow;

use vault_core::case_state::PlacedRecord;
use vault_core::check::Refused;
use vault_core::crypto::sign::Signature;
use vault_core::id::{AgencyId, DeviceId, LinkId, MemberId, RecordHash, RecordId};
use vault_core::parcel::OpenRecord;
use vault_core::secret::SigningSeed;
use vault_core::stream::UnverifiedLink;
use vault_core::tlog::entry::Entry;
use vault_core::tlog::tile::Tile;
use vault_core::tlog::tree::Hash;
use vault_core::wire::v1::enrolment::{InviteId, InviteKind};
use vault_core::wire::v1::stream::{Day, StreamId};
use vault_core::wire::v1::sync::{ListedStream, StreamPage};

pub use row::{Part, StoredLink};

/// The local number of an agency.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AgencyNo(pub u32);

/// The local number of a stream.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct StreamNo(pub u64);

/// An agency that the server knows.
#[derive(Debug)]
pub struct AgencyRow {
    /// Its number.
    pub no: AgencyNo,
    /// Its id.
    pub id: AgencyId,
    /// The seed of the log key that the server made for it.
    pub log_seed: SigningSeed,
}

/// A stream that has links.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StreamRow {
    /// Its number.
    pub no: StreamNo,
    /// How many links it has.
    pub links: u64,
    /// Its last link.
    pub head: LinkId,
    /// The leaf of that link.
    pub last: u64,
}

/// Whose reading a list of streams is for.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// The device.
    pub device: DeviceId,
    /// Its member.
    pub member: MemberId,
    /// Whether it reads every device's access stream.
    pub reviews: bool,
}

/// Which links of a stream to read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Which {
    /// Every link.
    All,
    /// Links from a number on.
    From(u64),
    /// Events alone, and the last link whatever it is.
    Events,
    /// Links that bring newer wraps.
    Rewraps,
    /// The last link.
    Last,
}

/// A link to be stored with everything that it names.
#[derive(Clone, Copy)]
pub struct NewLink<'a> {
    /// The agency.
    pub agency: AgencyNo,
    /// The index of its leaf, the next one of the agency's log.
    pub leaf: u64,
    /// Its stream.
    pub stream: StreamNo,
    /// The link, the next one of its stream.
    pub link: &'a UnverifiedLink,
    /// The records that it places, in its order.
    pub records: &'a [OpenRecord],
    /// What else it names, in its order.
    pub blobs: &'a [Vec<u8>],
}

/// An invite that is open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InviteRow {
    /// Its id.
    pub id: InviteId,
    /// The agency.
    pub agency: AgencyNo,
    /// The member that opened it.
    pub opener: MemberId,
    /// Who is to join.
    pub kind: InviteKind,
    /// The last day.
    pub until: Day,
    /// The sealed request.
    pub request: Option<Vec<u8>>,
    /// The sealed answer.
    pub answer: Option<Vec<u8>>,
    /// A device that an administrator is to enrol, encoded.
    pub enrolment: Option<Vec<u8>>,
}

/// The newest cosignature of a witness, as the store has it: whether it holds is no matter of the store's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CosignatureRow {
    /// The agency.
    pub agency: AgencyNo,
    /// The witness's name and key, encoded as a root has them (`Verifier`).
    pub witness: Vec<u8>,
    /// Leaves of the tree that it cosigned.
    pub size: u64,
    /// The root of that tree.
    pub root: Hash,
    /// When, in seconds since 1970 by its clock.
    pub time: u64,
    /// Its signature.
    pub signature: Signature,
}

/// How much there is, for metrics.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// Agencies.
    pub agencies: u64,
    /// Streams.
    pub streams: u64,
    /// Links.
    pub links: u64,
    /// Bytes of the database.
    pub bytes: u64,
}

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no room left.
    #[error("no room is left for the database")]
    Full(#[source] Box<dyn Error + Send + Sync>),
    /// The database or the system failed.
    #[error("the database failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
    /// What is stored is not what was stored.
    #[error("the database is damaged: {0}")]
    Damaged(&'static str),
    /// What is stored does not pass a check that it passed once.
    #[error("the database is damaged")]
    Refused(#[from] Refused),
    /// The database cannot be reached, or went away in the middle; what was under way may be done or not.
    #[error("the database cannot be reached")]
    Away(#[source] Box<dyn Error + Send + Sync>),
    /// A number is beyond what this store counts to.
    #[error("the store takes no more {0}")]
    Bounds(&'static str),
}

/// What can be asked of a snapshot.
pub trait Reads {
    /// Returns all agencies.
    ///
    /// # Errors
    /// [`StoreError`], as of every method here.
    fn agencies(&self) -> Result<Vec<AgencyRow>, StoreError>;

    /// Finds an agency.
    #[allow(clippy::missing_errors_doc)]
    fn agency(&self, id: &AgencyId) -> Result<Option<AgencyRow>, StoreError>;

    /// Returns how many leaves an agency's log has.
    #[allow(clippy::missing_errors_doc)]
    fn size(&self, agency: AgencyNo) -> Result<u64, StoreError>;

    /// Finds a stream.
    #[allow(clippy::missing_errors_doc)]
    fn stream(&self, agency: AgencyNo, stream: StreamId) -> Result<Option<StreamRow>, StoreError>;

    /// Returns the streams with a link at leaf `after` or later that `reader` may read, by last leaf.
    #[allow(clippy::missing_errors_doc)]
    fn streams(&self, agency: AgencyNo, after: u64, reader: &Reader) -> Result<Vec<ListedStream>, StoreError>;

    /// Tells whether a member has a live grant in a case's stream.
    #[allow(clippy::missing_errors_doc)]
    fn holds(&self, stream: StreamNo, member: MemberId) -> Result<bool, StoreError>;

    /// Returns who has a live grant in a case's stream.
    #[allow(clippy::missing_errors_doc)]
    fn holders(&self, stream: StreamNo) -> Result<BTreeSet<MemberId>, StoreError>;

    /// Returns the link number `seq` of a stream and the index of its leaf.
    #[allow(clippy::missing_errors_doc)]
    fn link_at(&self, stream: StreamNo, seq: u64) -> Result<Option<(u64, LinkId)>, StoreError>;

    /// Hands over links of a stream in their order, with what is known of their records.
    #[allow(clippy::missing_errors_doc)]
    fn links(
        &self,
        stream: StreamNo,
        which: Which,
        each: &mut dyn FnMut(StoredLink) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Returns the parcels of a stream from number `from` on, until they are `bytes` in all; one at least, if there is
    /// one.
    #[allow(clippy::missing_errors_doc)]
    fn page(&self, stream: StreamNo, from: u64, bytes: usize) -> Result<StreamPage, StoreError>;

    /// Returns all versions of a record.
    #[allow(clippy::missing_errors_doc)]
    fn versions(&self, stream: StreamNo, record: RecordId) -> Result<Vec<(RecordHash, PlacedRecord)>, StoreError>;

    /// Returns those of `hashes` that a stream places.
    #[allow(clippy::missing_errors_doc)]
    fn records(
        &self,
        stream: StreamNo,
        hashes: &BTreeSet<RecordHash>,
    ) -> Result<Vec<(RecordHash, PlacedRecord)>, StoreError>;

    /// Returns how many bytes an erasure could take of what an agency's links from leaf `from` on brought: ciphertexts,
    /// wraps and files that are still there.
    #[allow(clippy::missing_errors_doc)]
    fn erasable(&self, agency: AgencyNo, from: u64) -> Result<u64, StoreError>;

    /// Returns streams, numbers in them, and ids of `count` links of an agency from leaf `from` on.
    #[allow(clippy::missing_errors_doc)]
    fn places(&self, agency: AgencyNo, from: u64, count: u16) -> Result<Vec<(StreamId, u64, LinkId)>, StoreError>;

    /// Returns `count` entries of an agency's log from leaf `from` on.
    #[allow(clippy::missing_errors_doc)]
    fn entries(&self, agency: AgencyNo, from: u64, count: u16) -> Result<Vec<Entry>, StoreError> {
        let places = self.places(agency, from, count)?;
        let entry = |(stream, seq, link)| Entry::of(stream, seq, link);
        Ok(places.into_iter().map(entry).collect())
    }

    /// Returns the bytes of a full tile.
    #[allow(clippy::missing_errors_doc)]
    fn tile(&self, agency: AgencyNo, level: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// Finds an invite.
    #[allow(clippy::missing_errors_doc)]
    fn invite(&self, id: &InviteId) -> Result<Option<InviteRow>, StoreError>;

    /// Returns an agency's invites, by their ids.
    #[allow(clippy::missing_errors_doc)]
    fn invites(&self, agency: AgencyNo) -> Result<Vec<InviteRow>, StoreError>;

    /// Returns the cosignatures over checkpoints of an agency's log, by witness.
    #[allow(clippy::missing_errors_doc)]
    fn cosignatures(&self, agency: AgencyNo) -> Result<Vec<CosignatureRow>, StoreError>;

    /// Counts what there is.
    #[allow(clippy::missing_errors_doc)]
    fn totals(&self) -> Result<Totals, StoreError>;
}

/// What can be done in a transaction; it sees what it wrote.
pub trait Writes: Reads {
    /// Holds an agency until the end of the transaction: until then nobody else appends to it, and what others appended
    /// before is seen. Several are held in the order of their numbers. Where one process has the store alone, its
    /// transaction is hold enough.
    ///
    /// # Errors
    /// [`StoreError`], as of every method here.
    fn hold(&mut self, agency: AgencyNo) -> Result<(), StoreError>;

    /// Says, in a transaction that holds their agency, of which records [`Reads::versions`] will be asked. A store that is far
    /// away looks for all of them at once; for others there is nothing to do.
    #[allow(clippy::missing_errors_doc)]
    fn foresee(&mut self, _records: &[(StreamNo, RecordId)]) -> Result<(), StoreError> {
        Ok(())
    }

    /// Marks a place in the transaction to which [`Writes::go_back`] leads. There is one at a time.
    #[allow(clippy::missing_errors_doc)]
    fn mark(&mut self) -> Result<(), StoreError>;

    /// Takes back whatever was written since [`Writes::mark`], and the mark.
    #[allow(clippy::missing_errors_doc)]
    fn go_back(&mut self) -> Result<(), StoreError>;

    /// Leaves what was written since [`Writes::mark`] to the transaction, and takes the mark away.
    #[allow(clippy::missing_errors_doc)]
    fn unmark(&mut self) -> Result<(), StoreError>;

    /// Returns an agency, made known with `log_seed` if it was not.
    #[allow(clippy::missing_errors_doc)]
    fn register(&mut self, id: &AgencyId, log_seed: &SigningSeed) -> Result<AgencyRow, StoreError>;

    /// Makes a stream without links known.
    #[allow(clippy::missing_errors_doc)]
    fn open_stream(&mut self, agency: AgencyNo, stream: StreamId) -> Result<StreamNo, StoreError>;

    /// Stores a link and moves its stream on to it.
    #[allow(clippy::missing_errors_doc)]
    fn append(&mut self, link: NewLink<'_>) -> Result<(), StoreError>;

    /// Replaces who has a live grant in a case's stream.
    #[allow(clippy::missing_errors_doc)]
    fn set_holders(&mut self, stream: StreamNo, members: &BTreeSet<MemberId>) -> Result<(), StoreError>;

    /// Erases ciphertexts and wraps of records; their hashes, headers and signatures stay. Those that were brought
    /// without bytes are marked.
    #[allow(clippy::missing_errors_doc)]
    fn erase(&mut self, stream: StreamNo, records: &BTreeSet<RecordHash>) -> Result<(), StoreError>;

    /// Erases what a link names at place `number` of its other bytes.
    #[allow(clippy::missing_errors_doc)]
    fn erase_blob(&mut self, agency: AgencyNo, leaf: u64, number: usize) -> Result<(), StoreError>;

    /// Puts an invite in the place of the one that has its id, or adds it.
    #[allow(clippy::missing_errors_doc)]
    fn put_invite(&mut self, invite: &InviteRow) -> Result<(), StoreError>;

    /// Forgets the invites of all agencies whose last day is before `today`.
    #[allow(clippy::missing_errors_doc)]
    fn forget_invites(&mut self, today: Day) -> Result<(), StoreError>;

    /// Puts a cosignature in the place of the one that its witness had, or adds it.
    #[allow(clippy::missing_errors_doc)]
    fn put_cosignature(&mut self, cosignature: &CosignatureRow) -> Result<(), StoreError>;

    /// Keeps a full tile.
    #[allow(clippy::missing_errors_doc)]
    fn put_tile(&mut self, agency: AgencyNo, tile: Tile, bytes: &[u8]) -> Result<(), StoreError>;
}

/// A store: snapshots for many readers, one transaction at a time for the writer.
pub trait Store: Send + Sync {
    /// Returns the key under which this server's challenges and tokens are made.
    ///
    /// # Errors
    /// [`StoreError`].
    fn session_key(&self) -> Result<[u8; 32], StoreError>;

    /// Runs `work` over one snapshot.
    ///
    /// # Errors
    /// [`StoreError`], of the store or of `work`.
    fn read(&self, work: &mut dyn FnMut(&dyn Reads) -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// Runs `work` in one transaction, which is durable when this returns, and has left nothing if it fails.
    ///
    /// # Errors
    /// [`StoreError`], of the store or of `work`.
    fn write(&self, work: &mut dyn FnMut(&mut dyn Writes) -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// Returns what is shared with other processes; `None` where one process has the store alone.
    fn shared(&self) -> Option<&dyn Shared>;
}

/// What the processes over one store have in common.
pub trait Shared {
    /// Uses a challenge up, once for all processes; forgets those that were made before `forget` (seconds since 1970), and
    /// remembers `most`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn use_up(&self, challenge: &Challenge, forget: u64, most: usize) -> Result<UseUp, StoreError>;

    /// Tells of commits, this process's among them, until `told` breaks; it is called at least twice a second.
    ///
    /// # Errors
    /// [`StoreError`], when nothing is told any more.
    fn follow(&self, told: &mut dyn FnMut(Change) -> ControlFlow<()>) -> Result<(), StoreError>;
}

/// What tells one challenge from another.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Challenge {
    /// Random bytes.
    pub random: [u8; 8],
    /// When it was made, in seconds since 1970.
    pub made: u64,
}

/// What became of a challenge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UseUp {
    /// It is used now.
    First,
    /// It was used before.
    Again,
    /// No more are remembered.
    TooMany,
}

/// What those who follow are told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// An agency's log may have grown.
    Grown(AgencyNo),
    /// Anything may have happened.
    Unknown,
    /// Nothing for a while.
    None,
}

/// Makes a key of sessions for a store that has none yet.
///
/// # Errors
/// Where the system gives no randomness.
pub fn fresh_session_key() -> Result<[u8; 32], getrandom::Error> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)?;
    Ok(key)
}

/// Runs `work` over one snapshot and returns what it made.
///
/// # Errors
/// As [`Store::read`].
pub fn reading<T>(store: &dyn Store, work: impl FnOnce(&dyn Reads) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let (mut work, mut made) = (Some(work), None);
    store.read(&mut |reads| {
        if let Some(work) = work.take() {
            made = Some(work(reads)?);
        }
        Ok(())
    })?;
    made.ok_or(StoreError::Damaged("nothing was read"))
}

/// Runs `work` in one transaction and returns what it made, once that is durable.
///
/// # Errors
/// As [`Store::write`].
pub fn writing<T>(
    store: &dyn Store,
    work: impl FnOnce(&mut dyn Writes) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let (mut work, mut made) = (Some(work), None);
    store.write(&mut |writes| {
        if let Some(work) = work.take() {
            made = Some(work(writes)?);
        }
        Ok(())
    })?;
    made.ok_or(StoreError::Damaged("nothing was written"))
}
