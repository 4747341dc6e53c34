//! PNG: chunks (ISO/IEC 15948 §5, and the animation chunks of its third edition).

use super::CUT_OFF;
use super::Copied;
use super::NoCopy;
use super::slice;

pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What a picture is drawn from: shape, palette, pixels, transparency, colour, size, background, animation.
const KEPT: [&[u8; 4]; 17] = [
    b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI",
    b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

pub(super) fn copy(photo: &[u8]) -> Result<Copied<'_>, NoCopy> {
    let mut copied = Copied::default();
    copied.keep(slice(photo, 0, SIGNATURE.len())?);
    let mut at = SIGNATURE.len();
    loop {
        let head = slice(photo, at, 8)?;
        let (length, kind) = head.split_at_checked(4).ok_or(CUT_OFF)?;
        let length = length.iter().fold(0usize, |n, byte| n << 8 | usize::from(*byte));
        let chunk = slice(photo, at, length.checked_add(12).ok_or(CUT_OFF)?)?;
        let is_first = at == SIGNATURE.len();
        if is_first != (kind == b"IHDR") {
            return Err(NoCopy("the PNG's parts do not follow one another"));
        }
        at += chunk.len();
        match kind {
            b"IEND" => {
                copied.keep(chunk);
                break;
            }
            b"eXIf" => copied.leave_out("EXIF"),
            b"tEXt" | b"zTXt" | b"iTXt" => copied.leave_out("text"),
            b"tIME" => copied.leave_out("time"),
            kind if KEPT.iter().any(|kept| *kept == kind) => copied.keep(chunk),
            // The fifth bit of the first letter says that a picture can be drawn without it.
            [first, ..] if first & 0x20 != 0 => copied.leave_out("other data"),
            _ => return Err(NoCopy("the PNG holds a part that is not known")),
        }
    }
    if at < photo.len() {
        copied.leave_out("what follows the picture");
    }
    Ok(copied)
}
