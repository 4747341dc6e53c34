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

/// A new file that is written from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Flowing<'f> {
    file: &'f File,
    written: u64,
    sent: u64,
}

impl<'f> Flowing<'f> {
    /// Writes into `file`, which is at its beginning.
    pub(crate) fn into(file: &'f File) -> Self {
        Self {
            file,
            written: 0,
            sent: 0,
        }
    }

    /// Has the system begin to write what it has; whether it does is its own affair, and durable it is by fsync alone.
    fn send(&mut self) {
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
        {
            // Linux begins the write-back of dirty pages that it is told are not needed. They stay in memory: they are
            // not clean yet, and only clean ones are dropped.
            let length = std::num::NonZeroU64::new(self.written.saturating_sub(self.sent));
            let _ = rustix::fs::fadvise(self.file, self.sent, length, rustix::fs::Advice::DontNeed);
        }
        self.sent = self.written;
    }
}

impl Write for Flowing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.written = self.written.saturating_add(written as u64);
        if self.written.saturating_sub(self.sent) >= TIDE {
            self.send();
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
