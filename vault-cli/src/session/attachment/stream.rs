//! Content through the chunks of a file and back, in little memory and over both cores.
//!
//! ```text
//! content ─ read, hash ─> 1 MiB ─> sealed, each chunk beside the others ─> written            (three threads)
//! file ─ read ─> 1 MiB ─> opened, each chunk beside the others ─> hash, handed on
//! ```
//!
//! A chunk is handed on only after all of it was found right, and that the whole is right is known at the end alone:
//! whoever takes it keeps it apart until then.

use super::super::Result;
use super::super::SessionError;
use super::super::progress::Task;
use rayon::prelude::*;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::channel;
use std::sync::mpsc::sync_channel;
use vault_core::attachment::Attachment;
use vault_core::attachment::CHUNK_BYTES;
use vault_core::attachment::ChunkCipher;
use vault_core::attachment::Content;
use vault_core::attachment::FileHasher;
use vault_core::attachment::SEALED_CHUNK_BYTES;
use vault_core::attachment::padded_length;
use vault_core::check::Check;
use vault_core::check::Refused;
use vault_core::crypto::hash::Hasher;
use vault_core::secret::AttachmentKey;
use zeroize::Zeroizing;

/// Chunks that go from thread to thread together.
const BATCH: usize = 16;
/// Batches that may wait before a thread.
const WAITING: usize = 2;

/// A content that was sealed into a file.
pub(super) struct Sealed {
    pub(super) key: AttachmentKey,
    pub(super) length: u64,
    pub(super) sha256: [u8; 32],
    pub(super) file: [u8; 32],
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
    let mut hasher = FileHasher::new();
    std::thread::scope(|scope| {
        let (to_seal, sealing) = sync_channel::<Batch>(WAITING);
        let (to_write, writing) = sync_channel::<Batch>(WAITING);
        let (to_reuse, reusable) = channel::<Buffer>();
        let (hasher, cipher) = (&mut hasher, &cipher);
        let sealer = scope.spawn(move || -> Result<()> {
            for mut batch in sealing {
                let hashes = each_chunk(&mut batch, |number, is_last, chunk| {
                    cipher.seal(number, is_last, chunk)?;
                    Ok(FileHasher::chunk(number, chunk))
                });
                for (hash, chunk) in hashes.iter().zip(batch.bytes.chunks(SEALED_CHUNK_BYTES)) {
                    hasher.take(hash.as_ref().map_err(|e| broken(*e))?, chunk.len());
                }
                if to_write.send(batch).is_err() {
                    break;
                }
            }
            Ok(())
        });
        let writer = scope.spawn(move || -> Result<()> {
            let mut to = to;
            for batch in writing {
                to.write_all(&batch.bytes).map_err(file_failed)?;
                // Who reads may have ended; then nobody needs it.
                let _ = to_reuse.send(batch.bytes);
            }
            Ok(())
        });
        let read = send_all(&mut padded, first, &reusable, &to_seal, task);
        drop(to_seal);
        let sealed = sealer.join().unwrap_or_else(|_| Err(ended_early()));
        let written = writer.join().unwrap_or_else(|_| Err(ended_early()));
        // What the disk says comes first: the others only found nobody to hand on to.
        written.and(sealed).and(read)
    })?;
    Ok(Sealed {
        key,
        length: padded.length,
        sha256: padded.hasher.finish(),
        file: hasher.finish(),
        first: first_chunk,
    })
}

fn send_all(
    padded: &mut Padded<'_>,
    first: Batch,
    reusable: &Receiver<Buffer>,
    to: &SyncSender<Batch>,
    task: Task<'_>,
) -> Result<()> {
    let mut batch = first;
    loop {
        task.cancel.check()?;
        let (is_last, next) = (batch.is_last, next_number(&batch)?);
        if to.send(batch).is_err() || is_last {
            return Ok(());
        }
        batch = padded.next(next, buffer(reusable), task)?;
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
        let (to_open, opening) = sync_channel::<Batch>(WAITING);
        let (to_take, taking) = sync_channel::<(Batch, Vec<Opened>)>(WAITING);
        let (to_reuse, reusable) = channel::<Buffer>();
        let reader = scope.spawn(move || read_batches(from, length, &reusable, &to_open));
        scope.spawn(move || {
            for mut batch in opening {
                let opened = each_chunk(&mut batch, |number, is_last, chunk| {
                    let hash = FileHasher::chunk(number, chunk);
                    cipher.open(number, is_last, chunk)?;
                    Ok(hash)
                });
                if to_take.send((batch, opened)).is_err() {
                    break;
                }
            }
        });
        let mut taken = Ok(());
        for (batch, opened) in taking {
            taken = task.cancel.check().and_then(|()| {
                let numbered = (u64::from(batch.number) + 1..).zip(&opened);
                for ((number, opened), chunk) in numbered.zip(batch.bytes.chunks(SEALED_CHUNK_BYTES)) {
                    let name = || format!("{of}, chunk {number} of {chunks}");
                    let hash = opened.as_ref().map_err(|e| SessionError::refused(e.check, name()))?;
                    let text = chunk.len().saturating_sub(SEALED_CHUNK_BYTES - CHUNK_BYTES);
                    let text = chunk.get(..text).unwrap_or_default();
                    let text = content.next(text, hash);
                    take(text.map_err(|e| SessionError::refused(e.check, name()))?)?;
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
        let read = reader.join().unwrap_or_else(|_| Err(ended_early()));
        taken.and(read)
    })?;
    content.end(attachment).map_err(refused)
}

type Opened = std::result::Result<[u8; 32], Refused>;

fn read_batches(from: &File, length: u64, reusable: &Receiver<Buffer>, to: &SyncSender<Batch>) -> Result<()> {
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
        let batch = Batch { bytes, number, is_last };
        number = next_number(&batch)?;
        if to.send(batch).is_err() {
            break;
        }
    }
    Ok(())
}

/// Does something to each chunk of a batch, over both cores; gives its number, and whether it is the file's last.
fn each_chunk(batch: &mut Batch, act: impl Fn(u32, bool, &mut [u8]) -> Opened + Sync) -> Vec<Opened> {
    let (first, is_last) = (batch.number, batch.is_last);
    let count = batch.bytes.len().div_ceil(SEALED_CHUNK_BYTES);
    let chunks = batch.bytes.par_chunks_mut(SEALED_CHUNK_BYTES).enumerate();
    let acted = chunks.map(|(index, chunk)| {
        let number = u32::try_from(index).ok().and_then(|index| first.checked_add(index));
        let number = number.ok_or(Check::TooLong)?;
        act(number, is_last && index + 1 == count, chunk)
    });
    acted.collect()
}

fn fresh_buffer() -> Buffer {
    Zeroizing::new(vec![0; BATCH * SEALED_CHUNK_BYTES])
}

/// Returns a buffer that went through all threads, or a new one while there are few.
fn buffer(reusable: &Receiver<Buffer>) -> Buffer {
    reusable.try_recv().unwrap_or_else(|_| fresh_buffer())
}

fn next_number(batch: &Batch) -> Result<u32> {
    let count = u32::try_from(batch.bytes.len().div_ceil(SEALED_CHUNK_BYTES));
    let next = count.ok().and_then(|count| batch.number.checked_add(count));
    next.ok_or_else(|| SessionError::Bug("more chunks than can be counted".to_owned()))
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
