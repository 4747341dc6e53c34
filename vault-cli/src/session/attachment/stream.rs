//! Content through the chunks of a file and back, in little memory and over two cores.
//!
//! ```text
//! content ─ read, hash ─> 512 KiB ─┬─> a helper seals it and writes it in its place ─> on its way to the disk
//!                                  └─> so does who reads, while the helper has enough to do
//! file ─ a helper reads and opens ─> 512 KiB ─ hash, handed on
//! ```
//!
//! A chunk is handed on only after all of it was found right, and that the whole is right is known at the end alone:
//! whoever takes it keeps it apart until then.

use super::super::Result;
use super::super::SessionError;
use super::super::progress::Task;
use crate::flowing;
use crate::memory::scrubbed;
use std::fs::File;
use std::io;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::TrySendError;
use std::sync::mpsc::channel;
use std::sync::mpsc::sync_channel;
use vault_core::attachment::Attachment;
use vault_core::attachment::CHUNK_BYTES;
use vault_core::attachment::ChunkCipher;
use vault_core::attachment::Content;
use vault_core::attachment::SEALED_CHUNK_BYTES;
use vault_core::attachment::padded_length;
use vault_core::check::Check;
use vault_core::check::Refused;
use vault_core::crypto::hash::Hasher;
use vault_core::secret::AttachmentKey;
use zeroize::Zeroizing;

/// Chunks that go from thread to thread together.
const BATCH: usize = 8;
/// Batches that may wait before a thread.
const WAITING: usize = 2;

/// A content that was sealed into a file.
pub(super) struct Sealed {
    pub(super) key: AttachmentKey,
    pub(super) length: u64,
    pub(super) sha256: [u8; 32],
    pub(super) first: Zeroizing<Vec<u8>>,
}

/// Room for a batch; wiped when dropped, so each is used again and again.
type Buffer = Zeroizing<Vec<u8>>;

/// Chunks in their slots, each of [`SEALED_CHUNK_BYTES`] but the last of a file.
struct Batch {
    bytes: Buffer,
    /// Number of the first chunk.
    number: u32,
    /// Whether its last chunk is the file's.
    is_last: bool,
}

impl Batch {
    /// Returns each chunk with its number, and whether it is the file's last.
    fn chunks(&mut self) -> impl Iterator<Item = (std::result::Result<u32, Refused>, bool, &mut [u8])> {
        let (first, is_last) = (self.number, self.is_last);
        let count = self.bytes.len().div_ceil(SEALED_CHUNK_BYTES);
        let chunks = self.bytes.chunks_mut(SEALED_CHUNK_BYTES).enumerate();
        chunks.map(move |(index, chunk)| (numbered(first, index), is_last && index + 1 == count, chunk))
    }
}

/// Seals `content` into `to`. `key` makes the key and its cipher out of the first chunk.
///
/// # Errors
/// [`SessionError::Cancelled`], [`SessionError::DiskFull`], [`SessionError::Io`] if content or file fails,
/// [`SessionError::TooLong`] beyond 1 TiB.
pub(super) fn seal(
    content: &mut dyn Read,
    to: &File,
    key: impl FnOnce(&[u8]) -> Result<(AttachmentKey, ChunkCipher)>,
    task: Task<'_>,
) -> Result<Sealed> {
    let mut padded = Padded::new(content);
    let first = padded.next(0, fresh_buffer(), task)?;
    let first_chunk = first
        .bytes
        .get(..CHUNK_BYTES.min(first.bytes.len()))
        .unwrap_or_default();
    let known = usize::try_from(padded.length).unwrap_or(usize::MAX);
    let first_chunk = Zeroizing::new(first_chunk.get(..known).unwrap_or(first_chunk).to_vec());
    let (key, cipher) = key(&first_chunk)?;
    let out = Out { to, cipher: &cipher };
    std::thread::scope(|scope| {
        let (to_helper, batches) = sync_channel::<Batch>(WAITING);
        let (to_reuse, reusable) = channel::<Buffer>();
        let seal_all = move || -> Result<()> {
            for batch in batches {
                // Who reads may have ended; then nobody needs it.
                let _ = to_reuse.send(out.put(batch)?);
            }
            Ok(())
        };
        let helper = scope.spawn(move || scrubbed(seal_all));
        let read = put_all(&mut padded, first, &reusable, &to_helper, out, task);
        drop(to_helper);
        let helped = helper.join().unwrap_or_else(|_| Err(ended_early()));
        // What the disk says comes first: who reads only found nobody to hand on to.
        helped.and(read)
    })?;
    Ok(Sealed {
        key,
        length: padded.length,
        sha256: padded.hasher.finish(),
        first: first_chunk,
    })
}

fn put_all(
    padded: &mut Padded<'_>,
    first: Batch,
    reusable: &Receiver<Buffer>,
    to_helper: &SyncSender<Batch>,
    out: Out<'_>,
    task: Task<'_>,
) -> Result<()> {
    let mut batch = first;
    loop {
        task.cancel.check()?;
        let (is_last, next) = (batch.is_last, next_number(&batch)?);
        let own = match to_helper.try_send(batch) {
            Ok(()) => None,
            Err(TrySendError::Full(batch)) => Some(out.put(batch)?),
            // The helper failed, and says why.
            Err(TrySendError::Disconnected(_)) => return Ok(()),
        };
        if is_last {
            return Ok(());
        }
        batch = padded.next(next, own.unwrap_or_else(|| buffer(reusable)), task)?;
    }
}

/// Where sealed chunks go.
#[derive(Clone, Copy)]
struct Out<'o> {
    to: &'o File,
    cipher: &'o ChunkCipher,
}

impl Out<'_> {
    /// Seals a batch and writes it in its place, whatever comes before or after it; returns its room.
    fn put(self, mut batch: Batch) -> Result<Buffer> {
        for (number, is_last, chunk) in batch.chunks() {
            let sealed = number.and_then(|number| self.cipher.seal(number, is_last, chunk));
            sealed.map_err(broken)?;
        }
        let at = u64::from(batch.number) * SEALED_CHUNK_BYTES as u64;
        self.to.write_all_at(&batch.bytes, at).map_err(file_failed)?;
        flowing::send_on(self.to, at, at + batch.bytes.len() as u64);
        Ok(batch.bytes)
    }
}

/// A content with its padding behind it (`docs/format.md` §3), in batches.
struct Padded<'r> {
    content: &'r mut dyn Read,
    hasher: Hasher,
    /// Bytes of content so far.
    length: u64,
    /// Bytes of padding still to come, its mark included; unknown until the content has ended.
    filling: Option<u64>,
    marked: bool,
}

impl<'r> Padded<'r> {
    fn new(content: &'r mut dyn Read) -> Self {
        Self {
            content,
            hasher: Hasher::plain(),
            length: 0,
            filling: None,
            marked: false,
        }
    }

    fn next(&mut self, number: u32, mut bytes: Buffer, task: Task<'_>) -> Result<Batch> {
        let mut end = 0;
        for slot in bytes.chunks_mut(SEALED_CHUNK_BYTES) {
            let text = slot.get_mut(..CHUNK_BYTES).unwrap_or_default();
            let filled = self.fill(text, task)?;
            if filled == 0 {
                break;
            }
            end += filled + (SEALED_CHUNK_BYTES - CHUNK_BYTES);
            if filled < CHUNK_BYTES {
                break;
            }
        }
        bytes.truncate(end);
        // Padding always follows the content, so there is more to come until its end is known and reached.
        let is_last = self.filling == Some(0);
        Ok(Batch { bytes, number, is_last })
    }

    fn fill(&mut self, text: &mut [u8], task: Task<'_>) -> Result<usize> {
        let mut at = 0;
        while at < text.len() {
            let rest = text.get_mut(at..).unwrap_or_default();
            let Some(left) = self.filling else {
                at += self.read(rest, task)?;
                continue;
            };
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
            if take == 0 {
                break;
            }
            let rest = rest.get_mut(..take).unwrap_or_default();
            rest.fill(0);
            if let Some(mark) = rest.first_mut().filter(|_| !self.marked) {
                *mark = 0x80;
                self.marked = true;
            }
            self.filling = Some(left.saturating_sub(take as u64));
            at += take;
        }
        Ok(at)
    }

    fn read(&mut self, rest: &mut [u8], task: Task<'_>) -> Result<usize> {
        match self.content.read(rest) {
            Ok(0) => {
                let padded = padded_length(self.length).map_err(broken)?;
                self.filling = Some(padded.saturating_sub(self.length));
                Ok(0)
            }
            Ok(read) => {
                self.hasher.update(rest.get(..read).unwrap_or_default());
                self.length = self.length.saturating_add(read as u64);
                padded_length(self.length).map_err(|_| SessionError::TooLong {
                    what: "the file".to_owned(),
                    limit: vault_core::wire::v1::limit::ATTACHMENT,
                })?;
                task.progress.advance(read as u64);
                Ok(read)
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {
                task.cancel.check()?;
                Ok(0)
            }
            Err(source) => Err(SessionError::Io {
                doing: "could not read the file that is to be attached".to_owned(),
                source,
            }),
        }
    }
}

/// Opens a file of an attachment chunk by chunk, and hands its content to `take`; `of` names it in a refusal.
///
/// # Errors
/// [`Check::AttachmentLength`] before anything is opened; [`Check::AttachmentChunk`] with the chunk's number from 1;
/// [`Check::Padding`]; [`Check::AttachmentContent`] at the end; what `take` returns.
pub(super) fn open(
    from: &File,
    attachment: &Attachment,
    cipher: &ChunkCipher,
    of: &str,
    task: Task<'_>,
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let refused = super::super::refused(of);
    let found = from.metadata().map_err(file_failed)?;
    let length = found.len();
    let mut content = Content::begin(attachment, length).map_err(&refused)?;
    let chunks = length.div_ceil(SEALED_CHUNK_BYTES as u64);
    std::thread::scope(|scope| {
        let (to_take, taking) = sync_channel::<(Batch, Vec<Opened>)>(WAITING);
        let (to_reuse, reusable) = channel::<Buffer>();
        let helper = scope.spawn(move || scrubbed(|| open_batches(from, length, cipher, &reusable, &to_take)));
        let mut taken = Ok(());
        for (batch, opened) in taking {
            taken = task.cancel.check().and_then(|()| {
                let numbered = (u64::from(batch.number) + 1..).zip(&opened);
                for ((number, opened), chunk) in numbered.zip(batch.bytes.chunks(SEALED_CHUNK_BYTES)) {
                    let name = |e: Refused| SessionError::refused(e.check, format!("{of}, chunk {number} of {chunks}"));
                    let length = opened.map_err(name)?;
                    let text = chunk.get(..length).unwrap_or_default();
                    take(content.next(text).map_err(name)?)?;
                    task.progress.advance(chunk.len() as u64);
                }
                Ok(())
            });
            if taken.is_err() {
                break;
            }
            // Who reads may have ended; then nobody needs it.
            let _ = to_reuse.send(batch.bytes);
        }
        let read = helper.join().unwrap_or_else(|_| Err(ended_early()));
        taken.and(read)
    })?;
    content.end(attachment).map_err(refused)
}

/// How many bytes of a chunk are plaintext, if it opened.
type Opened = std::result::Result<usize, Refused>;

fn open_batches(
    from: &File,
    length: u64,
    cipher: &ChunkCipher,
    reusable: &Receiver<Buffer>,
    to: &SyncSender<(Batch, Vec<Opened>)>,
) -> Result<()> {
    let (mut from, mut left, mut number) = (from, length, 0);
    while left > 0 {
        let size = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(BATCH * SEALED_CHUNK_BYTES);
        let mut bytes = buffer(reusable);
        bytes.truncate(size);
        from.read_exact(&mut bytes).map_err(file_failed)?;
        left = left.saturating_sub(size as u64);
        let is_last = left == 0;
        let mut batch = Batch { bytes, number, is_last };
        number = next_number(&batch)?;
        let opened = batch.chunks().map(|(number, is_last, chunk)| {
            let text = cipher.open(number?, is_last, chunk)?;
            Ok(text.len())
        });
        let opened = opened.collect();
        if to.send((batch, opened)).is_err() {
            break;
        }
    }
    Ok(())
}

fn fresh_buffer() -> Buffer {
    Zeroizing::new(vec![0; BATCH * SEALED_CHUNK_BYTES])
}

/// Returns a buffer that went through all threads, or a new one while there are few.
fn buffer(reusable: &Receiver<Buffer>) -> Buffer {
    reusable.try_recv().unwrap_or_else(|_| fresh_buffer())
}

fn next_number(batch: &Batch) -> Result<u32> {
    numbered(batch.number, batch.bytes.len().div_ceil(SEALED_CHUNK_BYTES)).map_err(broken)
}

fn numbered(first: u32, index: usize) -> std::result::Result<u32, Refused> {
    let number = u32::try_from(index).ok().and_then(|index| first.checked_add(index));
    number.ok_or_else(|| Check::TooLong.into())
}

fn broken(refused: Refused) -> SessionError {
    SessionError::refused(refused.check, "attachment")
}

fn ended_early() -> SessionError {
    SessionError::Bug("a thread of the attachment ended early".to_owned())
}

/// Tells a full disk from another fault of the attachment's file.
pub(super) fn file_failed(source: io::Error) -> SessionError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SessionError::DiskFull,
        _ => SessionError::Io {
            doing: "could not use the attachment's file".to_owned(),
            source,
        },
    }
}
