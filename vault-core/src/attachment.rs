//! Attachments: files of any size, sealed in chunks beside the records (`docs/format.md` §15).
//!
//! ```text
//! content ─ padded ─ chunks ─ ChunkCipher ─> file, named by a hash       length, SHA-256, key ─> Attachment ─> record
//! record ─> Attachment ─> ChunkCipher, expected length and SHA-256       file ─ each chunk in its place ─> content
//! ```
//!
//! The file alone is nothing: key, length and the content's SHA-256 are in the signed and sealed record, and a file that
//! is not exactly the one that its record names is refused.

mod chunk;
mod content;
mod name;
mod payload;
pub mod photo;

pub use chunk::CHUNK_BYTES;
pub use chunk::ChunkCipher;
pub use chunk::SEALED_CHUNK_BYTES;
pub use chunk::content_key;
pub use chunk::file_length;
pub use chunk::padded_length;
pub use content::Content;
pub use content::open_whole;
pub use name::file_name;
pub use name::media_type;
pub use name::safe_name;
pub use payload::Attachment;
pub use payload::LONGEST_NAME;
pub use payload::SCHEMA;

use crate::id::AgencyId;
use crate::id::RecordId;
use crate::wire::v1::stream::StreamId;
use tls_codec::TlsDeserializeBytes;
use tls_codec::TlsSerialize;
use tls_codec::TlsSize;

/// Which attachment: what its key is bound to, 65 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct AttachmentContext {
    /// The agency.
    pub agency: AgencyId,
    /// The case's stream.
    pub stream: StreamId,
    /// The attachment's record.
    pub record: RecordId,
}
