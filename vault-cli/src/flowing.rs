//! Writing a large file so that it is on its way to the disk while more of it comes.
//!
//! ```text
//! bytes ─> page cache ─┬─ every 8 MiB: told to go to the disk, not waited for
//!                      └─ at the end, by whoever owns the file: fsync, which finds little left to do
//! ```

use std::fs::File;
use std::io;
use std::io::Write;

/// Bytes that are written before they are sent on.
const TIDE: u64 = 8 << 20;

/// Has the system begin to write the tide of a file that ended with its bytes from `from` to `to`, which were written just
/// now. Whether it does is its own affair, and durable they are by fsync alone.
pub(crate) fn send_on(file: &File, from: u64, to: u64) {
    let (tides, before) = (to / TIDE, from / TIDE);
    if tides == before {
        return;
    }
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    {
        // Linux begins the write-back of dirty pages that it is told are not needed. They stay in memory: they are not
        // clean yet, and only clean ones are dropped.
        let length = std::num::NonZeroU64::new((tides - before) * TIDE);
        let _ = rustix::fs::fadvise(file, before * TIDE, length, rustix::fs::Advice::DontNeed);
    }
}

/// A new file that is written from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Flowing<'f> {
    file: &'f File,
    written: u64,
}

impl<'f> Flowing<'f> {
    /// Writes into `file`, which is at its beginning.
    pub(crate) fn into(file: &'f File) -> Self {
        Self { file, written: 0 }
    }
}

impl Write for Flowing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        let from = self.written;
        self.written = from.saturating_add(written as u64);
        send_on(self.file, from, self.written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn what_flows_is_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let bytes: Vec<u8> = (0..3 * TIDE + 5).map(|n| (n % 251) as u8).collect();
        let file = File::create(&path).unwrap();
        let mut flowing = Flowing::into(&file);
        for piece in bytes.chunks(1 << 16) {
            flowing.write_all(piece).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == bytes);
    }
}
