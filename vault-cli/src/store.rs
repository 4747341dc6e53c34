//! The local store: every link of the vault in commit order, in one SQLite file (`docs/format.md` §12).
//!
//! The file holds sealed values, and of what is not sealed only ids, hashes, numbers and signatures. Whoever changes
//! it does not hold the store key, so heads are authenticated: a transaction begins by checking the store's head
//! (CHK-101), a stream is used only after its head was checked (CHK-100), and [`Replay`] rebuilds whole streams up to
//! those heads.
//!
//! ```text
//! put_* -> columns -> COMMIT (heads, commit order and their MACs in the same transaction)
//! columns -> Row -> Replay -> the link's canonical bytes -> its id = the next row's `previous` … = the head's
//! ```
//!
//! A transaction is durable when [`Store::write`] returns (WAL, `synchronous=FULL`); a crash at any point before leaves
//! nothing of it. Overwritten and erased bytes are zeroed in the file; their last copy in the write-ahead log goes
//! when the log is emptied, after an erasure at once and otherwise when the last process closes the store.

mod column;
mod decode;
mod error;
mod files;
mod kept;
mod migrate;
mod numbers;
mod open;
mod outgoing;
mod read;
mod replay;
mod reserve;
mod rewind;
mod row;
mod seen;
mod take_back;
mod write;

pub use error::StoreError;
pub use files::Files;
pub use files::Part;
pub use kept::BlobKind;
pub use kept::External;
pub use migrate::STORE_VERSION;
pub use open::PageCheck;
pub use open::Store;
pub use open::local_names;
pub use outgoing::Outgoing;
pub use read::ReadTx;
pub use replay::Hashed;
pub use replay::HashedRows;
pub use replay::Replay;
pub use replay::hash_all;
pub use rewind::Waiting;
pub use rewind::WaitingLink;
pub use row::Content;
pub use row::FoundRecord;
pub use row::LinkRow;
pub use row::RecordAt;
pub use row::RecordRow;
pub use row::Row;
pub use row::StoredRecord;
pub use write::NewBody;
pub use write::NewRecord;
pub use write::WriteTx;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests;
