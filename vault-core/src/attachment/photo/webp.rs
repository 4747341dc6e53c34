//! WebP: RIFF chunks (RFC 9649).

use super::CUT_OFF;
use super::Copied;
use super::NoCopy;
use super::slice;
use std::borrow::Cow;

const UNKNOWN: NoCopy = NoCopy("the WebP holds a part that is not known");

/// Flags of the extended header that say that there is EXIF, or XMP.
const METADATA_FLAGS: u8 = 0x08 | 0x04;

/// Bytes of an animation frame before its own chunks.
const FRAME_HEAD: usize = 16;

pub(super) fn copy(photo: &[u8]) -> Result<Copied<'_>, NoCopy> {
    let mut copied = Copied::default();
    let end = number(slice(photo, 4, 4)?).checked_add(8).ok_or(CUT_OFF)?;
    let riff = photo.get(..end).ok_or(CUT_OFF)?;
    let mut at = 12;
    let mut has_picture = false;
    while at < end {
        let chunk = chunk(riff, at)?;
        at += chunk.len();
        match slice(chunk, 0, 4)? {
            b"VP8 " | b"VP8L" => {
                has_picture = true;
                copied.keep(chunk);
            }
            b"ANMF" => {
                has_picture = true;
                require_frame(chunk)?;
                copied.keep(chunk);
            }
            b"VP8X" => {
                let flags = *chunk.get(8).ok_or(CUT_OFF)?;
                copied.keep(slice(chunk, 0, 8)?);
                copied.pieces.push(Cow::Owned(vec![flags & !METADATA_FLAGS]));
                copied.keep(chunk.get(9..).unwrap_or_default());
            }
            b"ALPH" | b"ANIM" | b"ICCP" => copied.keep(chunk),
            b"EXIF" => copied.leave_out("EXIF"),
            b"XMP " => copied.leave_out("XMP"),
            _ => copied.leave_out("other data"),
        }
    }
    if !has_picture {
        return Err(NoCopy("the WebP holds no picture"));
    }
    if end < photo.len() {
        copied.leave_out("what follows the picture");
    }
    let length = u32::try_from(copied.length() + 4).map_err(|_| CUT_OFF)?;
    let mut head = b"RIFF".to_vec();
    head.extend_from_slice(&length.to_le_bytes());
    head.extend_from_slice(b"WEBP");
    copied.pieces.insert(0, Cow::Owned(head));
    Ok(copied)
}

/// Returns the chunk at `at`, with its filling byte where it has one.
fn chunk(bytes: &[u8], at: usize) -> Result<&[u8], NoCopy> {
    let length = number(slice(bytes, at.checked_add(4).ok_or(CUT_OFF)?, 4)?);
    let padded = length.checked_add(length & 1).ok_or(CUT_OFF)?;
    slice(bytes, at, padded.checked_add(8).ok_or(CUT_OFF)?)
}

/// Refuses a frame that holds anything beside its picture.
fn require_frame(frame: &[u8]) -> Result<(), NoCopy> {
    let mut at = 8 + FRAME_HEAD;
    while at < frame.len() {
        let part = chunk(frame, at)?;
        at += part.len();
        if !matches!(slice(part, 0, 4)?, b"ALPH" | b"VP8 " | b"VP8L") {
            return Err(UNKNOWN);
        }
    }
    Ok(())
}

fn number(little: &[u8]) -> usize {
    little.iter().rev().fold(0, |n, byte| n << 8 | usize::from(*byte))
}
