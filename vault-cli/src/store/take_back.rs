//! Taking back a commit that the disk did not confirm.
//!
//! A transaction is written to the log beside the store and then synced. If that sync fails, SQLite refuses the commit and
//! forgets where it ended; but its pages lie in the log, whole, and whoever opens the store after this process would take
//! them for committed. A worker who was told that a note was not saved writes it again, and has it twice. So the log is
//! cut to what is committed.
//!
//! Which frames those are stands in the index beside the log, at a place that the file format fixes
//! (<https://www.sqlite.org/walformat.html>, section 2.1): a header of 48 bytes, twice, with the page size at 14 and the
//! number of the last frame at 16, in the machine's own byte order.

use rusqlite::Connection;
use rusqlite::Transaction;
use rusqlite::TransactionBehavior;
use std::ffi::OsString;
use std::fs::File;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;

const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;
const INDEX_HEADER: usize = 48;
/// The version of the index's format.
const VERSION: u32 = 3_007_000;

/// Cuts the log of the store at `path` to its committed frames; as far as the disk lets it, which has just failed.
pub(super) fn unconfirmed(connection: &Connection, path: &Path) {
    // Nobody else writes to the log meanwhile, and nothing is read beyond what is committed.
    let Ok(held) = Transaction::new_unchecked(connection, TransactionBehavior::Immediate) else {
        return;
    };
    if let Some(length) = committed(&beside(path, "-shm"))
        && let Ok(log) = OpenOptions::new().write(true).open(beside(path, "-wal"))
        && log.metadata().is_ok_and(|found| found.len() > length)
        && log.set_len(length).is_ok()
    {
        let _ = log.sync_all();
    }
    drop(held);
}

/// Returns bytes of the log that are committed.
fn committed(index: &Path) -> Option<u64> {
    let index = File::open(index).ok()?;
    let mut headers = [0; 2 * INDEX_HEADER];
    let read = index.read_exact_at(&mut headers, 0);
    // Closing it would drop the locks on it that this process holds through SQLite; it goes with the process.
    std::mem::forget(index);
    read.ok()?;
    length_of(&headers)
}

fn length_of(headers: &[u8; 2 * INDEX_HEADER]) -> Option<u64> {
    let (first, second) = headers.split_at(INDEX_HEADER);
    let number = |at: usize| Some(u32::from_ne_bytes(first.get(at..at + 4)?.try_into().ok()?));
    let short = |at: usize| Some(u16::from_ne_bytes(first.get(at..at + 2)?.try_into().ok()?));
    if first != second || number(0)? != VERSION {
        return None;
    }
    // 65536 is written as 1.
    let page = match short(14)? {
        1 => 65536,
        bytes => u64::from(bytes),
    };
    match u64::from(number(16)?) {
        // Everything is in the store itself, and the next commit begins the log anew.
        0 => Some(0),
        frames => LOG_HEADER.checked_add(frames.checked_mul(page.checked_add(FRAME_HEADER)?)?),
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(end);
    PathBuf::from(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_as_long_as_its_index_says() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "page_size", 16384).unwrap();
        connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
            .unwrap();
        connection
            .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
            .unwrap();
        let log = beside(&path, "-wal");
        let length = std::fs::metadata(&log).unwrap().len();
        assert_eq!(committed(&beside(&path, "-shm")), Some(length));

        // What lies behind the committed is cut away, and nothing of the committed.
        let whole = std::fs::read(&log).unwrap();
        std::fs::write(&log, [whole.as_slice(), &[7; 20_000]].concat()).unwrap();
        unconfirmed(&connection, &path);
        assert!(std::fs::read(&log).unwrap() == whole);
        let found: i64 = connection.query_row("SELECT x FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(found, 1);
    }

    #[test]
    fn an_index_in_the_making_says_nothing() {
        let mut headers = [0; 2 * INDEX_HEADER];
        assert_eq!(length_of(&headers), None);
        for at in [0, INDEX_HEADER] {
            headers[at..at + 4].copy_from_slice(&VERSION.to_ne_bytes());
            headers[at + 14..at + 16].copy_from_slice(&1u16.to_ne_bytes());
            headers[at + 16..at + 20].copy_from_slice(&2u32.to_ne_bytes());
        }
        assert_eq!(length_of(&headers), Some(32 + 2 * (65536 + 24)));
        headers[17] ^= 1;
        assert_eq!(length_of(&headers), None);
    }
}
