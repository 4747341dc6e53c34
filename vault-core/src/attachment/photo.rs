//! Photographs: a copy that shows the same picture and tells nothing of where, when and with what it was taken.
//!
//! JPEG, PNG and WebP are taken apart into their parts, and only those that a picture is drawn from are kept; pixels are
//! not touched. What is not known to be needed goes, and what is not understood is no reason to guess: then there is no
//! copy, and the untouched original alone can be given. Other pictures, and films, have none either.

mod jpeg;
mod png;
mod webp;

use std::borrow::Cow;
use std::collections::BTreeSet;

/// A form of photograph of which a copy can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// ITU-T T.81, JFIF, Exif.
    Jpeg,
    /// ISO/IEC 15948.
    Png,
    /// RFC 9649.
    Webp,
}

impl Form {
    /// Returns its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}

/// A picture or film, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// A photograph of which a copy without metadata can be made.
    Photo(Form),
    /// A picture or film that may say where it was taken, and of which no copy can be made: its media type.
    Other(&'static str),
}

/// Bytes that [`recognise`] needs.
pub const RECOGNISED_BY: usize = 32;

/// Tells by its first bytes whether a content is a picture or film.
pub fn recognise(first: &[u8]) -> Option<Recognised> {
    let at = |from: usize, what: &[u8]| first.get(from..).is_some_and(|rest| rest.starts_with(what));
    if at(0, &[0xff, 0xd8, 0xff]) {
        return Some(Recognised::Photo(Form::Jpeg));
    }
    if at(0, png::SIGNATURE) {
        return Some(Recognised::Photo(Form::Png));
    }
    if at(0, b"RIFF") && at(8, b"WEBP") {
        return Some(Recognised::Photo(Form::Webp));
    }
    let media_type = if at(4, b"ftyp") {
        match first.get(8..12).unwrap_or_default() {
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => "image/heic",
            b"mif1" | b"msf1" => "image/heif",
            b"avif" | b"avis" => "image/avif",
            b"crx " => "image/x-canon-cr3",
            b"qt  " => "video/quicktime",
            _ => "video/mp4",
        }
    } else if at(0, b"II*\0") || at(0, b"MM\0*") || at(0, b"II+\0") || at(0, b"MM\0+") {
        "image/tiff"
    } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
        "image/gif"
    } else if at(0, &[0xff, 0x0a]) || at(0, b"\0\0\0\x0cJXL ") {
        "image/jxl"
    } else if at(0, b"\0\0\0\x0cjP  ") {
        "image/jp2"
    } else if at(0, b"8BPS") {
        "image/vnd.adobe.photoshop"
    } else if at(0, b"FUJIFILM") {
        "image/x-fuji-raf"
    } else if at(0, &[0x1a, 0x45, 0xdf, 0xa3]) {
        "video/webm"
    } else if at(0, b"RIFF") && at(8, b"AVI ") {
        "video/x-msvideo"
    } else {
        return None;
    };
    Some(Recognised::Other(media_type))
}

/// A photograph's copy, in pieces that follow one another.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Copied<'b> {
    /// The pieces, nearly all of them the original's own bytes.
    pub pieces: Vec<Cow<'b, [u8]>>,
    /// What was left out, in words.
    pub left_out: BTreeSet<&'static str>,
    /// The orientation (Exif 2.32, tag 0x0112, from 2 to 8) that went with it: the copy is as the camera's sensor saw it.
    pub turned: Option<u16>,
}

impl<'b> Copied<'b> {
    /// Returns how many bytes it has.
    pub fn length(&self) -> usize {
        self.pieces.iter().map(|piece| piece.len()).sum()
    }

    fn keep(&mut self, piece: &'b [u8]) {
        self.pieces.push(Cow::Borrowed(piece));
    }

    fn leave_out(&mut self, what: &'static str) {
        self.left_out.insert(what);
    }
}

/// Why no copy can be made, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoCopy(pub &'static str);

/// Makes a copy of a photograph without EXIF, XMP, IPTC, comments, thumbnails and whatever else draws no pixel.
///
/// # Errors
/// [`NoCopy`] for a photograph that is cut off or holds what is not understood.
pub fn without_metadata(form: Form, photo: &[u8]) -> Result<Copied<'_>, NoCopy> {
    match form {
        Form::Jpeg => jpeg::copy(photo),
        Form::Png => png::copy(photo),
        Form::Webp => webp::copy(photo),
    }
}

const CUT_OFF: NoCopy = NoCopy("the photograph is cut off");

/// Returns the next `length` bytes of `bytes` at `at`.
fn slice(bytes: &[u8], at: usize, length: usize) -> Result<&[u8], NoCopy> {
    let end = at.checked_add(length).ok_or(CUT_OFF)?;
    bytes.get(at..end).ok_or(CUT_OFF)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
