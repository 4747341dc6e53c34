//! Photographs made of parts by hand, with every kind of metadata planted in them.

use super::*;

const SECRET: &[u8] = b"GPS 51.5007N 0.1246W";

fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0xff, marker];
    out.extend_from_slice(&u16::try_from(body.len() + 2).unwrap().to_be_bytes());
    out.extend_from_slice(body);
    out
}

fn with_secret(head: &[u8]) -> Vec<u8> {
    [head, SECRET].concat()
}

fn exif(orientation: u16, little: bool) -> Vec<u8> {
    let mut body = b"Exif\0\0".to_vec();
    let two = |n: u16| if little { n.to_le_bytes() } else { n.to_be_bytes() };
    let four = |n: u32| if little { n.to_le_bytes() } else { n.to_be_bytes() };
    body.extend_from_slice(if little { b"II*\0" } else { b"MM\0*" });
    body.extend_from_slice(&four(8));
    body.extend_from_slice(&two(1));
    for part in [two(0x0112), two(3)] {
        body.extend_from_slice(&part);
    }
    body.extend_from_slice(&four(1));
    body.extend_from_slice(&two(orientation));
    body.extend_from_slice(&[0; 6]);
    body.extend_from_slice(SECRET);
    body
}

const ENTROPY: &[u8] = &[0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56];

fn jpeg(metadata: bool) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8];
    out.extend(segment(0xe0, b"JFIF\0\x01\x02\0\0\x48\0\x48\0\0"));
    if metadata {
        out.extend(segment(0xe0, &with_secret(b"JFXX\0\x10")));
        out.extend(segment(0xe1, &exif(6, true)));
        out.extend(segment(0xe1, &with_secret(b"http://ns.adobe.com/xap/1.0/\0")));
        out.extend(segment(0xe1, &with_secret(b"http://ns.adobe.com/xmp/extension/\0")));
        out.extend(segment(0xe2, &with_secret(b"MPF\0")));
        out.extend(segment(0xed, &with_secret(b"Photoshop 3.0\08BIM")));
        out.extend(segment(0xe5, SECRET));
        out.extend(segment(0xee, SECRET));
        out.extend(segment(0xfe, SECRET));
    }
    out.extend(segment(0xe2, b"ICC_PROFILE\0\x01\x01profile"));
    out.extend(segment(0xee, b"Adobe\0\x64\0\0\0\0\0"));
    out.extend(segment(0xdb, &[1; 65]));
    out.extend(segment(0xc2, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]));
    for _ in 0..2 {
        out.extend(segment(0xc4, &[0; 20]));
        out.extend(segment(0xda, &[1, 1, 0, 0, 63, 0]));
        out.extend_from_slice(ENTROPY);
        if metadata {
            out.extend(segment(0xfe, SECRET));
        }
    }
    out.extend_from_slice(&[0xff, 0xd9]);
    if metadata {
        out.extend_from_slice(SECRET);
    }
    out
}

fn png_chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    out.extend_from_slice(kind);
    out.extend_from_slice(body);
    // The sum is copied, never computed.
    out.extend_from_slice(&[1, 2, 3, 4]);
    out
}

fn png(metadata: bool) -> Vec<u8> {
    let mut out = png::SIGNATURE.to_vec();
    out.extend(png_chunk(b"IHDR", &[0; 13]));
    if metadata {
        for kind in [b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"prVt"] {
            out.extend(png_chunk(kind, SECRET));
        }
    }
    for kind in [b"gAMA", b"pHYs", b"PLTE", b"tRNS", b"IDAT", b"IDAT"] {
        out.extend(png_chunk(kind, &[7; 9]));
    }
    out.extend(png_chunk(b"IEND", &[]));
    if metadata {
        out.extend_from_slice(SECRET);
    }
    out
}

fn webp_chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = kind.to_vec();
    out.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
    out.extend_from_slice(body);
    out.resize(out.len() + (body.len() & 1), 0);
    out
}

fn webp(metadata: bool) -> Vec<u8> {
    let flags = if metadata { 0x2c } else { 0x20 };
    let mut chunks = webp_chunk(b"VP8X", &[flags, 0, 0, 0, 1, 0, 0, 1, 0, 0]);
    chunks.extend(webp_chunk(b"ICCP", b"profile"));
    chunks.extend(webp_chunk(b"ALPH", b"alpha"));
    chunks.extend(webp_chunk(b"VP8 ", b"pixels!"));
    if metadata {
        for kind in [b"EXIF", b"XMP ", b"abcd"] {
            chunks.extend(webp_chunk(kind, SECRET));
        }
    }
    let mut out = b"RIFF".to_vec();
    out.extend_from_slice(&u32::try_from(chunks.len() + 4).unwrap().to_le_bytes());
    out.extend_from_slice(b"WEBP");
    out.extend(chunks);
    if metadata {
        out.extend_from_slice(SECRET);
    }
    out
}

fn joined(copied: &Copied<'_>) -> Vec<u8> {
    copied.pieces.concat()
}

type Maker = fn(bool) -> Vec<u8>;
const ALL: [(Form, Maker); 3] = [(Form::Jpeg, jpeg), (Form::Png, png), (Form::Webp, webp)];

#[test]
fn a_copy_has_every_byte_of_the_picture_and_none_of_what_goes_with_it() {
    for (form, make) in ALL {
        let (laden, bare) = (make(true), make(false));
        assert_eq!(recognise(&laden), Some(Recognised::Photo(form)));
        let copied = without_metadata(form, &laden).unwrap();
        assert_eq!(joined(&copied), bare, "{form:?}");
        assert!(copied.left_out.contains("EXIF"), "{copied:?}");
        assert!(copied.left_out.contains("what follows the picture"), "{copied:?}");
        let again = without_metadata(form, &bare).unwrap();
        assert_eq!((joined(&again), again.left_out.len()), (bare, 0), "{form:?}");
    }
    assert_eq!(without_metadata(Form::Jpeg, &jpeg(true)).unwrap().turned, Some(6));
}

#[test]
fn a_thumbnail_within_jfif_goes_and_the_resolution_stays() {
    let mut laden = vec![0xff, 0xd8];
    laden.extend(segment(
        0xe0,
        &[b"JFIF\0\x01\x02\0\0\x48\0\x48\x01\x01".as_slice(), b"rgb"].concat(),
    ));
    let bare = jpeg(false);
    let rest = &bare[2 + 18..];
    laden.extend_from_slice(rest);
    let copied = without_metadata(Form::Jpeg, &laden).unwrap();
    assert_eq!(joined(&copied), bare);
    assert!(copied.left_out.contains("thumbnail"));
}

#[test]
fn an_orientation_is_read_in_either_byte_order_and_upright_is_none() {
    for (orientation, little, turned) in [
        (6, true, Some(6)),
        (8, false, Some(8)),
        (1, true, None),
        (9, false, None),
    ] {
        let mut photo = vec![0xff, 0xd8];
        photo.extend(segment(0xe1, &exif(orientation, little)));
        photo.extend_from_slice(&jpeg(false)[2..]);
        assert_eq!(without_metadata(Form::Jpeg, &photo).unwrap().turned, turned);
    }
}

#[test]
fn what_is_cut_off_or_not_understood_has_no_copy() {
    for (form, make) in ALL {
        let bare = make(false);
        for length in 0..bare.len() {
            assert!(
                without_metadata(form, &bare[..length]).is_err(),
                "{form:?} cut to {length}"
            );
        }
    }
    let odd_jpeg = [&[0xff, 0xd8][..], &segment(0xf0, b"x"), &jpeg(false)[2..]].concat();
    assert!(without_metadata(Form::Jpeg, &odd_jpeg).is_err());
    let two = [&[0xff, 0xd8][..], &jpeg(false)].concat();
    assert!(without_metadata(Form::Jpeg, &two).is_err());
    let mut odd_png = png::SIGNATURE.to_vec();
    odd_png.extend(png_chunk(b"IHDR", &[0; 13]));
    odd_png.extend(png_chunk(b"ABCD", SECRET));
    odd_png.extend(png_chunk(b"IEND", &[]));
    assert!(without_metadata(Form::Png, &odd_png).is_err());
    let frame = [&[0; 16][..], &webp_chunk(b"EXIF", SECRET)].concat();
    let chunks = webp_chunk(b"ANMF", &frame);
    let mut odd_webp = b"RIFF".to_vec();
    odd_webp.extend_from_slice(&u32::try_from(chunks.len() + 4).unwrap().to_le_bytes());
    odd_webp.extend_from_slice(b"WEBP");
    odd_webp.extend(chunks);
    assert!(without_metadata(Form::Webp, &odd_webp).is_err());
}

#[test]
fn a_copy_of_a_copy_is_the_same_whatever_bits_are_changed() {
    for (form, make) in ALL {
        let laden = make(true);
        let mut copies = 0;
        for bit in 0..laden.len() * 8 {
            let mut changed = laden.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let Ok(copied) = without_metadata(form, &changed) else {
                continue;
            };
            copies += 1;
            let copy = joined(&copied);
            let again = without_metadata(form, &copy).unwrap();
            assert_eq!((joined(&again), again.left_out.len(), again.turned), (copy, 0, None));
        }
        assert!(copies > 1_000, "{form:?}: {copies}");
    }
}

#[test]
fn pictures_and_films_of_other_forms_are_known_for_what_they_are() {
    for (first, media_type) in [
        (b"\0\0\0\x18ftypheic\0\0\0\0".as_slice(), "image/heic"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "image/avif"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "video/mp4"),
        (b"II*\0\x08\0\0\0", "image/tiff"),
        (b"GIF89a", "image/gif"),
    ] {
        assert_eq!(recognise(first), Some(Recognised::Other(media_type)));
    }
    assert_eq!(recognise(b"%PDF-1.7"), None);
    assert_eq!(recognise(b""), None);
}
