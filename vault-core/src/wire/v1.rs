//! Format version 1: every structure of `docs/format.md`, field by field in its order.

pub mod access;
pub mod agency;
pub mod backup;
pub mod enrolment;
pub mod event;
pub mod follow;
pub mod key;
pub mod keystore;
pub mod ledger;
pub mod link;
pub mod membership;
pub mod record;
pub mod recovery;
pub mod stream;
pub mod sync;

/// The format version of all of it.
pub const FORMAT: u16 = 1;

/// Hard limits in bytes, checked before allocation (`docs/format.md` §13).
pub mod limit {
    /// A link.
    pub const LINK: usize = 1 << 20;
    /// A record's padded plaintext.
    pub const PADDED: usize = 16 << 20;
    /// A keyring file.
    pub const KEYRING: usize = 4 << 20;
    /// A segment start.
    pub const SEGMENT_START: usize = 16 << 10;
    /// A root document.
    pub const ROOT: usize = 256 << 10;
    /// Witnesses that a root names: what they cosign has room in one note.
    pub const WITNESSES: usize = 16;
    /// A witness's name, in bytes.
    pub const WITNESS_NAME: usize = 255;
    /// A keystore.
    pub const KEYSTORE: usize = 1 << 20;
    /// An attachment's content.
    pub const ATTACHMENT: u64 = 1 << 40;
    /// A backup's head.
    pub const BACKUP_HEAD: usize = 1 << 10;
    /// The list of what a backup holds.
    pub const BACKUP_INDEX: usize = 16 << 20;
    /// A backup's secrets.
    pub const BACKUP_SECRETS: usize = 1 << 20;
    /// A recovery card, its check included.
    pub const RECOVERY_CARD: usize = 128;
    /// An enrolment sheet, its check included.
    pub const SHEET: usize = 512;
    /// Where a server is, on an enrolment sheet.
    pub const SHEET_URL: usize = 200;
    /// A sealed request to join.
    pub const JOIN_REQUEST: usize = 4 << 10;
    /// A sealed answer to one.
    pub const JOIN_ANSWER: usize = 64 << 10;
    /// An erasure ledger.
    pub const LEDGER: usize = 64 << 20;
    /// An append, and a page of a stream.
    pub const APPEND: usize = 40 << 20;
    /// The parcels of an append.
    pub const PARCELS: usize = 4096;
    /// Notes of cosigned checkpoints: one for each of as many witnesses as a note has signatures.
    pub const COSIGNED: usize = 1 << 17;
    /// The longest encoded outcome of a parcel: a conflict.
    pub const OUTCOME: usize = 1 + 8 + 32 + 32;
    /// The sealed parts of an event.
    pub const SEALED_PARTS: usize = 4;
}
