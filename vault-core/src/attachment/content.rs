//! What makes a file's opened chunks the content that a record names: where it ends, its padding, and its SHA-256.

use super::Attachment;
use super::AttachmentContext;
use super::ChunkCipher;
use super::SEALED_CHUNK_BYTES;
use super::file_length;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::crypto::hash::Hasher;
use zeroize::Zeroizing;

/// Takes the chunks of a file in their order, once each was opened.
pub struct Content {
    left: u64,
    is_marked: bool,
    plain: Hasher,
}

impl Content {
    /// Begins the content of `attachment`, whose file has `length` bytes.
    ///
    /// # Errors
    /// [`Check::AttachmentLength`] if it is not as long as the record says.
    pub fn begin(attachment: &Attachment, length: u64) -> Result<Self, Refused> {
        require(length == file_length(attachment.length)?, Check::AttachmentLength)?;
        Ok(Self {
            left: attachment.length,
            is_marked: false,
            plain: Hasher::plain(),
        })
    }

    /// Takes the next chunk's plaintext; returns what of it is content.
    ///
    /// # Errors
    /// [`Check::Padding`] if what follows the content is not its padding.
    pub fn next<'c>(&mut self, text: &'c [u8]) -> Result<&'c [u8], Refused> {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(text.len());
        let (content, mut padding) = text.split_at_checked(length).unwrap_or_default();
        self.left = self.left.saturating_sub(length as u64);
        self.plain.update(content);
        if !self.is_marked
            && let Some((mark, zeros)) = padding.split_first()
        {
            require(*mark == 0x80, Check::Padding)?;
            self.is_marked = true;
            padding = zeros;
        }
        require(padding.iter().all(|byte| *byte == 0), Check::Padding)?;
        Ok(content)
    }

    /// Ends the content: only now is it known to be the one that was signed.
    ///
    /// The file is that one too: under one key and nonce no other bytes open to the same chunk (`docs/format.md` §15).
    ///
    /// # Errors
    /// [`Check::AttachmentContent`].
    pub fn end(self, attachment: &Attachment) -> Result<(), Refused> {
        let is_whole = self.left == 0 && self.is_marked;
        require(
            is_whole && self.plain.finish() == attachment.sha256,
            Check::AttachmentContent,
        )
    }
}

/// Opens a file that is in memory whole.
///
/// # Errors
/// [`Check::AttachmentLength`], [`Check::AttachmentChunk`], [`Check::Padding`], [`Check::AttachmentContent`].
pub fn open_whole(
    attachment: &Attachment,
    context: &AttachmentContext,
    file: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let length = u64::try_from(file.len()).map_err(|_| Check::TooLong)?;
    let mut content = Content::begin(attachment, length)?;
    let cipher = ChunkCipher::derive(&attachment.key, context)?;
    let mut out = Zeroizing::new(Vec::with_capacity(file.len()));
    let mut chunks = (0..).zip(file.chunks(SEALED_CHUNK_BYTES)).peekable();
    while let Some((number, sealed)) = chunks.next() {
        let mut chunk = Zeroizing::new(sealed.to_vec());
        let text = cipher.open(number, chunks.peek().is_none(), &mut chunk)?;
        out.extend_from_slice(content.next(text)?);
    }
    content.end(attachment)?;
    Ok(out)
}
