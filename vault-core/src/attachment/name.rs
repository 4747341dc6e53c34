//! Names: of the file beside the store, which tells nothing, and of the file that is given out, which does nothing.

use super::AttachmentContext;
use super::photo;
use super::photo::Recognised;
use crate::check::Refused;
use crate::context::Label;
use crate::crypto::hash::hash;
use crate::id::crockford;
use crate::note::display;
use crate::wire;

/// Most bytes of a safe name: room is left for what a writer puts behind it.
const SAFE_BYTES: usize = 200;

/// Names that stand for devices on Windows, whatever their extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// Returns the name of an attachment's file: 26 characters out of a hash.
///
/// # Errors
/// None in practice: the context is of fixed size.
pub fn file_name(context: &AttachmentContext) -> Result<String, Refused> {
    let hash = hash(Label::AttachmentName, &[&wire::encode(context)?]);
    Ok(crockford(hash.get(..16).unwrap_or_default()))
}

/// Makes a name that is one plain file name on every system: nothing of a path, no control or invisible character, no
/// leading dot or dash, no device; where nothing is left, `attachment`.
pub fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut safe = String::with_capacity(last.len());
    for c in last.chars() {
        let held = display::escape_line(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8();
        match c {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => safe.push('_'),
            c if held => safe.push(c),
            _ => {}
        }
    }
    let mut safe = safe.trim_start_matches(['.', '-', ' ']).trim_end_matches(['.', ' ']);
    let extension = safe.rfind('.').filter(|at| safe.len() - at <= 16);
    let extension = extension.and_then(|at| safe.get(at..)).unwrap_or_default();
    let mut owned = String::new();
    if safe.len() > SAFE_BYTES {
        let kept = safe.char_indices().map(|(at, c)| at + c.len_utf8());
        let end = kept.take_while(|end| end + extension.len() <= SAFE_BYTES).last();
        owned.push_str(safe.get(..end.unwrap_or(0)).unwrap_or_default());
        owned.push_str(extension);
        safe = owned.trim_end_matches(['.', ' ']);
    }
    if safe.is_empty() {
        return "attachment".to_owned();
    }
    let stem = safe
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_lowercase();
    let device = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = stem.len() == device.len() + 1;
    let is_device = match device {
        "com" | "lpt" => numbered,
        other => DEVICES.contains(&other) && stem == other,
    };
    match is_device {
        true => format!("_{safe}"),
        false => safe.to_owned(),
    }
}

/// Tells the media type of a content by its first bytes, else by the extension of its name.
pub fn media_type(first: &[u8], name: &str) -> &'static str {
    if let Some(found) = photo::recognise(first) {
        return match found {
            Recognised::Photo(form) => form.media_type(),
            Recognised::Other(media_type) => media_type,
        };
    }
    if first.starts_with(b"%PDF-") {
        return "application/pdf";
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "csv" => "text/csv",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "eml" => "message/rfc822",
        "htm" | "html" => "text/html",
        "json" => "application/json",
        "md" => "text/markdown",
        "mp3" => "audio/mpeg",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "rtf" => "application/rtf",
        "txt" => "text/plain",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn attack_29_a_name_is_no_path_drives_nothing_and_is_never_empty() {
        for (name, safe) in [
            ("scan 1.jpg", "scan 1.jpg"),
            ("../../etc/passwd", "passwd"),
            ("/etc/cron.d/x", "x"),
            ("..\\..\\start.bat", "start.bat"),
            ("..", "attachment"),
            ("", "attachment"),
            ("/", "attachment"),
            (".ssh", "ssh"),
            ("-rf", "rf"),
            ("a\u{0}b\u{1b}]52;c;x\u{7}.txt", "ab]52;c;x.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("line\nbreak\t.txt", "linebreak.txt"),
            ("C:\\x\\y:z.txt", "y_z.txt"),
            ("what?*.txt", "what__.txt"),
            ("CON", "_CON"),
            ("com1.txt", "_com1.txt"),
            ("com.txt", "com.txt"),
            ("lpt10", "lpt10"),
            ("nul .txt", "_nul .txt"),
            ("ends. .", "ends"),
            ("Łódź – বাংলা.png", "Łódź – বাংলা.png"),
        ] {
            assert_eq!(safe_name(name), safe, "{name:?}");
        }
        let long = format!("{}.jpeg", "ż".repeat(300));
        let safe = safe_name(&long);
        assert!(safe.len() <= SAFE_BYTES && safe.ends_with("ż.jpeg"), "{safe}");
    }

    #[test]
    fn what_is_safe_stays_as_it_is() {
        // Each of a few characters that matter, in every order, and long ones that end anywhere.
        let parts = ["a", ".", " ", "-", "/", "\\", ":", "con", "1", "\u{202e}", "\n", "é"];
        let pairs = parts.iter().flat_map(|a| parts.map(|b| format!("{a}{b}")));
        let names = pairs.flat_map(|pair| parts.map(|c| format!("{pair}{c}")));
        let long = (190..210).flat_map(|n| parts.map(|p| format!("{}{p}{}", "a".repeat(n), "b.".repeat(20))));
        for name in names.chain(long) {
            let safe = safe_name(&name);
            assert_eq!(safe_name(&safe), safe, "{name:?}");
            assert!(!safe.is_empty() && safe.len() <= SAFE_BYTES + 1, "{name:?}");
        }
    }

    #[test]
    fn content_goes_before_extension() {
        assert_eq!(media_type(b"%PDF-1.7", "x.txt"), "application/pdf");
        assert_eq!(media_type(b"plain", "x.TXT"), "text/plain");
        assert_eq!(media_type(b"plain", "x.jpg"), "application/octet-stream");
        assert_eq!(media_type(&[0xff, 0xd8, 0xff, 0xe1], "x.txt"), "image/jpeg");
    }
}
