//! What a finder of the laptop can do: copy the folder, read its bytes, change one bit.

use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use vault_core::id::RecordId;

/// Copies every file of a folder that nobody has open into one that is there.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Reads every file of a folder, one after the other.
pub(super) fn bytes(folder: &Path) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        all.extend(std::fs::read(entry?.path())?);
    }
    Ok(all)
}

/// Counts which of some texts stand in some bytes.
pub(super) fn found<'t>(texts: impl IntoIterator<Item = &'t String>, bytes: &[u8]) -> usize {
    let stands = |text: &&String| memchr::memmem::find(bytes, text.as_bytes()).is_some();
    texts.into_iter().filter(stands).count()
}

/// Flips the lowest bit of a byte in the middle of a note's newest sealed body, in the store's file itself.
pub(super) fn flip(store: &Path, note: &str) -> io::Result<()> {
    let body = newest_body(store, note).map_err(io::Error::other)?;
    let mut file = std::fs::read(store)?;
    let missing = || io::Error::other("the note's bytes are not in the store's file");
    // A sealed body is random bytes: its first 32 stand at one place only. Longer ones go on in other pages.
    let start = body.get(..32).ok_or_else(missing)?;
    let offset = memchr::memmem::find(&file, start).ok_or_else(missing)? + 16;
    *file.get_mut(offset).ok_or_else(missing)? ^= 1;
    std::fs::write(store, &file)
}

/// Reads the newest sealed body of a note as any SQLite tool would.
fn newest_body(store: &Path, note: &str) -> rusqlite::Result<Vec<u8>> {
    let connection = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut rows = connection.prepare(
        "SELECT record_id, body FROM link WHERE record_id IS NOT NULL AND body IS NOT NULL ORDER BY pos DESC",
    )?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        if RecordId(row.get(0)?).handle() == note {
            return row.get(1);
        }
    }
    Err(rusqlite::Error::QueryReturnedNoRows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_whole_or_not_at_all() {
        let texts = ["Mina Castellan".to_owned(), "Davi".to_owned()];
        assert_eq!(found(&texts, b"..Davi.Mina Castella"), 1);
        assert_eq!(found(&texts, b"..Davi.Mina Castellan"), 2);
    }
}
