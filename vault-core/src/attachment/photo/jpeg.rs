//! JPEG: segments before, between and after scans (ITU-T T.81, annex B).

use super::CUT_OFF;
use super::Copied;
use super::NoCopy;
use super::slice;
use std::borrow::Cow;

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const COMMENT: u8 = 0xfe;

/// Bytes of a JFIF segment without a thumbnail, marker and length included.
const JFIF_BYTES: usize = 18;

pub(super) fn copy(photo: &[u8]) -> Result<Copied<'_>, NoCopy> {
    let mut copied = Copied::default();
    copied.keep(slice(photo, 0, 2)?);
    let (mut at, mut scans) = (2, 0);
    loop {
        let marker = marker(photo, &mut at)?;
        if marker == END {
            break;
        }
        let length = slice(photo, at, 2)?;
        let length = length.iter().fold(0usize, |n, byte| n << 8 | usize::from(*byte));
        let body = slice(photo, at, length)?.get(2..).ok_or(CUT_OFF)?;
        let start = at.checked_sub(2).ok_or(CUT_OFF)?;
        let segment = slice(photo, start, length + 2)?;
        at += length;
        match marker {
            0xe0 if body.starts_with(b"JFIF\0") => jfif(&mut copied, segment)?,
            0xe0 => copied.leave_out("thumbnail"),
            0xe1 if body.starts_with(b"Exif\0") => {
                copied.turned = copied.turned.or(body.get(6..).and_then(orientation));
                copied.leave_out("EXIF");
            }
            0xe1 if body.starts_with(b"http://ns.adobe.com/x") => copied.leave_out("XMP"),
            0xe2 if body.starts_with(b"ICC_PROFILE\0") => copied.keep(segment),
            0xed => copied.leave_out("IPTC"),
            0xee if body.starts_with(b"Adobe") => copied.keep(segment),
            0xe1..=0xef => copied.leave_out("maker's data"),
            COMMENT => copied.leave_out("comment"),
            // Frames, Huffman and quantisation tables, arithmetic conditioning, restarts, number of lines.
            0xc0..=0xc7 | 0xc9..=0xcf | 0xdb..=0xdd => copied.keep(segment),
            SCAN => {
                copied.keep(segment);
                let end = scan_end(photo, at)?;
                copied.keep(slice(photo, at, end - at)?);
                at = end;
                scans += 1;
            }
            _ => return Err(NoCopy("the JPEG holds a part that is not known")),
        }
    }
    if scans == 0 {
        return Err(NoCopy("the JPEG holds no picture"));
    }
    copied.pieces.push(Cow::Borrowed(&[0xff, END]));
    if at < photo.len() {
        copied.leave_out("what follows the picture");
    }
    Ok(copied)
}

/// Reads a marker and leaves `at` behind it.
fn marker(photo: &[u8], at: &mut usize) -> Result<u8, NoCopy> {
    let unknown = NoCopy("the JPEG's parts do not follow one another");
    if photo.get(*at).ok_or(CUT_OFF)? != &0xff {
        return Err(unknown);
    }
    // Any number of fill bytes may stand before a marker.
    while photo.get(*at).ok_or(CUT_OFF)? == &0xff {
        *at += 1;
    }
    let marker = *photo.get(*at).ok_or(CUT_OFF)?;
    *at += 1;
    match marker {
        0 | START => Err(unknown),
        marker => Ok(marker),
    }
}

/// Returns where entropy-coded data end: at the first marker that is neither a stuffed byte nor a restart.
fn scan_end(photo: &[u8], from: usize) -> Result<usize, NoCopy> {
    let mut at = from;
    loop {
        let next = memchr::memchr(0xff, photo.get(at..).unwrap_or_default()).ok_or(CUT_OFF)?;
        at += next;
        match photo.get(at + 1).ok_or(CUT_OFF)? {
            0 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return Ok(at),
        }
    }
}

/// Keeps resolution and version; a thumbnail may show what the picture was cut from.
fn jfif<'b>(copied: &mut Copied<'b>, segment: &'b [u8]) -> Result<(), NoCopy> {
    let bare = slice(segment, 0, JFIF_BYTES)?;
    if segment.len() == JFIF_BYTES && bare.ends_with(&[0, 0]) {
        copied.keep(segment);
        return Ok(());
    }
    copied.leave_out("thumbnail");
    copied.pieces.push(Cow::Borrowed(&[0xff, 0xe0, 0, 16]));
    copied.keep(slice(bare, 4, JFIF_BYTES - 6)?);
    copied.pieces.push(Cow::Borrowed(&[0, 0]));
    Ok(())
}

/// Reads the orientation out of the TIFF structure within Exif, where it says that the picture is to be turned.
fn orientation(tiff: &[u8]) -> Option<u16> {
    let little = tiff.starts_with(b"II");
    let number = |at: usize, length: usize| -> Option<usize> {
        let bytes = tiff.get(at..at.checked_add(length)?)?;
        let add = |n: usize, byte: &u8| n << 8 | usize::from(*byte);
        Some(match little {
            true => bytes.iter().rev().fold(0, add),
            false => bytes.iter().fold(0, add),
        })
    };
    let table = number(4, 4)?;
    let entries = number(table, 2)?;
    let mut places = (0..entries).map_while(|n| table.checked_add(2 + 12 * n));
    let entry = places.find(|at| number(*at, 2) == Some(0x0112))?;
    let value = number(entry.checked_add(8)?, 2)?;
    u16::try_from(value).ok().filter(|value| (2..=8).contains(value))
}
