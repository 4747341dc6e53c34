//! What is kept beside the links: blobs that they name by hash, local sealed values, the local index.

use super::column::Fixed;
use super::error::StoreError;
use super::read::ReadTx;
use super::read::refused_of;
use super::read::require_of;
use rusqlite::OptionalExtension;
use vault_core::check::Check;
use vault_core::context::Label;
use vault_core::crypto::hash::hash;
use vault_core::id::LinkId;
use vault_core::local::index::ContentTag;
use vault_core::local::index::EntryKey;
use vault_core::local::value;
use zeroize::Zeroizing;

/// What kind of bytes are kept under a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobKind {
    /// An age file: a keyring, or the start of an access segment.
    Keyring,
    /// The sealed manifest of an access entry.
    Manifest,
}

impl BlobKind {
    /// Returns the hash under which `bytes` are kept, the one that a link signs.
    pub fn hash(self, bytes: &[u8]) -> [u8; 32] {
        let label = match self {
            Self::Keyring => Label::KeyringHash,
            Self::Manifest => Label::ManifestHash,
        };
        hash(label, &[bytes])
    }
}

/// An entry of the local index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct External {
    /// Commit position of the link that the external id became.
    pub pos: u64,
    /// The tag of the line that was imported; absent once the record was erased.
    pub content: Option<ContentTag>,
}

impl ReadTx<'_> {
    /// Returns the bytes that a link names by hash.
    ///
    /// # Errors
    /// CHK-82 if they are missing, CHK-105 if they are others.
    pub fn blob(&self, kind: BlobKind, named: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        let of = || data_name(named);
        let mut statement = self
            .connection
            .prepare_cached("SELECT bytes FROM blob WHERE hash = ?1")?;
        let found: Option<Vec<u8>> = statement.query_row([named], |row| row.get(0)).optional()?;
        let bytes = found.ok_or_else(|| StoreError::refused(Check::BodyMissing, of()))?;
        require_of(kind.hash(&bytes) == *named, Check::Unreadable, of())?;
        Ok(bytes)
    }

    /// Returns the hashes of all blobs.
    ///
    /// # Errors
    /// CHK-105.
    pub fn blob_hashes(&self) -> Result<Vec<[u8; 32]>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT hash FROM blob ORDER BY hash")?;
        let rows = statement.query_map([], |row| row.get::<_, Fixed<32>>(0))?;
        Ok(rows.map(|row| row.map(|hash| hash.0)).collect::<Result<_, _>>()?)
    }

    /// Opens a local value.
    ///
    /// # Errors
    /// CHK-103.
    pub fn local(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT value FROM local WHERE name = ?1")?;
        let found: Option<Vec<u8>> = statement.query_row([name], |row| row.get(0)).optional()?;
        let opened = found.map(|sealed| value::open(&self.keys.state, name, &sealed));
        opened.transpose().map_err(refused_of(format!("local value `{name}`")))
    }

    /// Returns the names of all local values that begin with `prefix`.
    ///
    /// # Errors
    /// CHK-105.
    pub fn local_names(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT name FROM local ORDER BY name")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        let mut names = rows.collect::<Result<Vec<_>, _>>()?;
        names.retain(|name| name.starts_with(prefix));
        Ok(names)
    }

    /// Finds an external id of `kind` in the local index.
    ///
    /// # Errors
    /// CHK-105.
    pub fn lookup(&self, kind: &str, external: &str) -> Result<Option<External>, StoreError> {
        let key = EntryKey::new(&self.keys.index, kind, external);
        let mut statement = self
            .connection
            .prepare_cached("SELECT pos, content FROM external WHERE key = ?1")?;
        Ok(statement.query_row([key.0], external_of).optional()?)
    }

    /// Hands every entry of the local index to `f`, by key.
    ///
    /// # Errors
    /// CHK-105; what `f` returns.
    pub fn each_external<E: From<StoreError>>(
        &self,
        f: &mut dyn FnMut(EntryKey, External) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT pos, content, key FROM external ORDER BY key")
            .map_err(StoreError::from)?;
        let mut rows = statement.query([]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            let key: Fixed<16> = row.get(2).map_err(StoreError::from)?;
            f(EntryKey(key.0), external_of(row).map_err(StoreError::from)?)?;
        }
        Ok(())
    }
}

pub(super) fn external_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<External> {
    let content: Option<Fixed<16>> = row.get(1)?;
    Ok(External {
        pos: row.get(0)?,
        content: content.map(|tag| ContentTag(tag.0)),
    })
}

fn data_name(hash: &[u8; 32]) -> String {
    format!("bytes {}", LinkId(*hash))
}
