//! The chunks of an attachment's file: STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015) over XChaCha20-Poly1305.
//!
//! The nonce of a chunk is the attachment's 19-byte prefix, the chunk's number, and 1 for the last one, else 0. A chunk
//! therefore opens in its own place of its own file alone, and a file cut at a chunk's edge has no last chunk.

use super::AttachmentContext;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::context::Label;
use crate::crypto::aead::InPlace;
use crate::crypto::aead::TAG_BYTES;
use crate::crypto::aead::part;
use crate::crypto::hash::derive;
use crate::crypto::hash::extract;
use crate::crypto::hash::hash;
use crate::crypto::pad;
use crate::secret::AttachmentKey;
use crate::secret::SealSecret;
use crate::wire;
use crate::wire::v1::limit;
use zeroize::Zeroizing;

/// Bytes of plaintext in a chunk; the last one may have fewer.
pub const CHUNK_BYTES: usize = 64 << 10;
/// Bytes of a sealed chunk; the last one may have fewer.
pub const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;

/// Bytes of a nonce that all chunks share.
const PREFIX_BYTES: usize = 19;

/// Makes the key of a new attachment's content.
///
/// `random` is 32 fresh bytes of the operating system, `begun` the time in nanoseconds, `first` the content's first chunk.
///
/// # Errors
/// None in practice: the context is of fixed size.
///
/// # Security
/// A content that streams cannot be hashed before it is sealed, as a record's is. Device secret, time and first chunk
/// take the hash's part, so that a machine cloned with its generator's state seals no two contents under one key.
pub fn content_key(
    random: &[u8; 32],
    secret: &SealSecret,
    begun: i128,
    first: &[u8],
    context: &AttachmentContext,
) -> Result<AttachmentKey, Refused> {
    let first = hash(Label::PlaintextHash, &[first]);
    let mixed = extract(random, &[secret.expose(), &first, &begun.to_be_bytes()]);
    let key = derive(Label::AttachmentKey, &mixed, &[&wire::encode(context)?]);
    Ok(AttachmentKey::from_bytes(*key))
}

/// Returns the padded length of a content of `length` bytes.
///
/// # Errors
/// [`Check::TooLong`] beyond 1 TiB.
pub fn padded_length(length: u64) -> Result<u64, Refused> {
    require(length <= limit::ATTACHMENT, Check::TooLong)?;
    let length = usize::try_from(length).map_err(|_| Check::TooLong)?;
    u64::try_from(pad::padded_length(length)).map_err(|_| Check::TooLong.into())
}

/// Returns the length of the file that holds a content of `length` bytes.
///
/// # Errors
/// As [`padded_length`].
pub fn file_length(length: u64) -> Result<u64, Refused> {
    let padded = padded_length(length)?;
    Ok(padded + padded.div_ceil(CHUNK_BYTES as u64) * TAG_BYTES as u64)
}

/// Seals and opens the chunks of one attachment, in any order and from any thread.
pub struct ChunkCipher {
    cipher: InPlace,
    prefix: Zeroizing<[u8; PREFIX_BYTES]>,
}

impl ChunkCipher {
    /// Derives key (32) and nonce prefix (19) from an attachment's key, bound to where it belongs.
    ///
    /// # Errors
    /// None in practice: the context is of fixed size.
    pub fn derive(key: &AttachmentKey, context: &AttachmentContext) -> Result<Self, Refused> {
        let okm = derive::<51>(Label::AttachmentSeal, key.expose(), &[&wire::encode(context)?]);
        let cipher_key = Zeroizing::new(part::<32>(okm.as_slice(), 0));
        Ok(Self {
            cipher: InPlace::new(&cipher_key),
            prefix: Zeroizing::new(part(okm.as_slice(), 32)),
        })
    }

    /// Seals chunk `number`, counted from 0, in place: all of `chunk` but its last 16 bytes, where the tag goes.
    ///
    /// # Errors
    /// [`Check::AttachmentLength`] for a chunk without plaintext or over 64 KiB.
    pub fn seal(&self, number: u32, is_last: bool, chunk: &mut [u8]) -> Result<(), Refused> {
        let (text, tag_place) = split(chunk)?;
        let tag = self.cipher.seal(&self.nonce(number, is_last), text)?;
        tag_place.copy_from_slice(&tag);
        Ok(())
    }

    /// Opens chunk `number` in place and returns its plaintext.
    ///
    /// # Errors
    /// [`Check::AttachmentLength`] for bytes that are no chunk, [`Check::AttachmentChunk`] for one that was not sealed
    /// as this number of this attachment, or as its last where it is not the last; its bytes stay sealed then.
    pub fn open<'c>(&self, number: u32, is_last: bool, chunk: &'c mut [u8]) -> Result<&'c mut [u8], Refused> {
        let (text, tag) = split(chunk)?;
        let tag = part(tag, 0);
        let right = self.cipher.open(&self.nonce(number, is_last), text, &tag);
        require(right, Check::AttachmentChunk)?;
        Ok(text)
    }

    fn nonce(&self, number: u32, is_last: bool) -> [u8; 24] {
        let mut nonce = [0; 24];
        let bytes = self.prefix.iter().copied().chain(number.to_be_bytes());
        for (to, from) in nonce.iter_mut().zip(bytes.chain([u8::from(is_last)])) {
            *to = from;
        }
        nonce
    }
}

impl std::fmt::Debug for ChunkCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChunkCipher(…)")
    }
}

fn split(chunk: &mut [u8]) -> Result<(&mut [u8], &mut [u8]), Refused> {
    let text = chunk.len().checked_sub(TAG_BYTES);
    let text = text.filter(|length| (1..=CHUNK_BYTES).contains(length));
    let text = text.ok_or(Check::AttachmentLength)?;
    chunk.split_at_mut_checked(text).ok_or(Check::AttachmentLength.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::id::AgencyId;
    use crate::id::CaseId;
    use crate::id::RecordId;
    use crate::wire::v1::stream::StreamId;

    fn context(record: u8) -> AttachmentContext {
        AttachmentContext {
            agency: AgencyId([1; 32]),
            stream: StreamId::case(CaseId([2; 16])),
            record: RecordId([record; 16]),
        }
    }

    fn cipher(key: u8, record: u8) -> ChunkCipher {
        ChunkCipher::derive(&AttachmentKey::from_bytes([key; 32]), &context(record)).unwrap()
    }

    fn sealed(cipher: &ChunkCipher, number: u32, is_last: bool, text: &[u8]) -> Vec<u8> {
        let mut chunk = text.to_vec();
        chunk.extend_from_slice(&[0; TAG_BYTES]);
        cipher.seal(number, is_last, &mut chunk).unwrap();
        chunk
    }

    #[test]
    fn chk_112_a_chunk_opens_in_its_own_place_alone() {
        let mine = cipher(7, 3);
        let honest = sealed(&mine, 5, false, b"text");
        assert_eq!(mine.open(5, false, &mut honest.clone()).unwrap(), b"text");
        let elsewhere: [(&ChunkCipher, u32, bool); 6] = [
            (&mine, 5, true),
            (&mine, 4, false),
            (&mine, 6, false),
            (&mine, 5 << 8, false),
            (&cipher(8, 3), 5, false),
            (&cipher(7, 4), 5, false),
        ];
        for (cipher, number, is_last) in elsewhere {
            let mut chunk = honest.clone();
            let refused = cipher.open(number, is_last, &mut chunk).unwrap_err();
            assert_eq!(refused.check, Check::AttachmentChunk);
            assert_eq!(chunk, honest, "nothing of a refused chunk is opened");
        }
        for bit in 0..honest.len() * 8 {
            let mut chunk = honest.clone();
            chunk[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                mine.open(5, false, &mut chunk).unwrap_err().check,
                Check::AttachmentChunk
            );
        }
    }

    #[test]
    fn chk_111_what_is_no_chunk_is_refused_by_its_length() {
        for length in [0, 15, 16, SEALED_CHUNK_BYTES + 1] {
            let mut chunk = vec![0; length];
            let refused = cipher(7, 3).open(0, true, &mut chunk).unwrap_err();
            assert_eq!(refused.check, Check::AttachmentLength, "{length}");
        }
        assert_eq!(file_length(0).unwrap(), 256 + 16);
        assert_eq!(file_length(65_535).unwrap(), 65_536 + 16);
        assert_eq!(file_length(65_536).unwrap(), 67_584 + 2 * 16);
        assert_eq!(file_length(limit::ATTACHMENT + 1).unwrap_err().check, Check::TooLong);
        // The largest has fewer chunks than a chunk's number can count.
        assert!(padded_length(limit::ATTACHMENT).unwrap() / CHUNK_BYTES as u64 <= u64::from(u32::MAX));
    }

    #[test]
    fn a_key_depends_on_each_thing_that_it_is_made_of() {
        let secret = |byte: u8| SealSecret::from_bytes([byte; 32]);
        let key = |random: u8, own: u8, begun: i128, first: &[u8], record: u8| {
            *content_key(&[random; 32], &secret(own), begun, first, &context(record))
                .unwrap()
                .expose()
        };
        let keys = [
            key(1, 1, 1, b"1", 1),
            key(2, 1, 1, b"1", 1),
            key(1, 2, 1, b"1", 1),
            key(1, 1, 2, b"1", 1),
            key(1, 1, 1, b"2", 1),
            key(1, 1, 1, b"1", 2),
        ];
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
