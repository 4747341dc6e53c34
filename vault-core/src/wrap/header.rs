//! The strict reading of an age header, before the library sees it.
//!
//! The library accepts stanzas whose body lacks the short last line, for files of its own early versions, and parses
//! the header again from its start for each line. So the header is read here first: exactly the grammar of
//! <https://c2sp.org/age>, in one pass, under limits of size and count.

use super::WrapError;

/// The most bytes that a header may have; a hybrid stanza has about 1,560.
pub const MAX_HEADER: usize = 256 * 1024;
/// The most stanzas that a header may have.
pub const MAX_STANZAS: usize = 128;
/// The most lines that a header may have, because the library's time grows with lines times bytes.
const MAX_LINES: usize = 1024;

const VERSION_LINE: &[u8] = b"age-encryption.org/v1\n";
/// What every version of the format begins with; what begins otherwise can only be armor.
pub(super) const MAGIC: &[u8] = b"age-encryption.org/";
/// Characters of a full body line.
const COLUMNS: usize = 64;
/// Characters of the header's authentication tag.
const MAC: usize = 43;

/// First arguments of the native stanzas that a quantum computer opens, with the two of SSH keys.
const CLASSICAL: [&[u8]; 4] = [b"X25519", b"p256tag", b"ssh-ed25519", b"ssh-rsa"];

/// Describes a header that keeps the grammar.
#[derive(Debug)]
pub(super) struct Header {
    length: usize,
    classical: bool,
}

impl Header {
    /// Reads the header at the start of `file`.
    pub(super) fn read(file: &[u8]) -> Result<Self, WrapError> {
        let mut lines = Lines::new(file)?;
        let mut header = Self {
            length: 0,
            classical: false,
        };
        let mut tags: Vec<&[u8]> = Vec::new();
        loop {
            let line = lines.next_line()?;
            if let Some(mac) = line.strip_prefix(b"--- ") {
                if mac.len() != MAC || !is_canonical_base64(mac) || tags.is_empty() {
                    return Err(WrapError::Header);
                }
                break;
            }
            tags.push(read_arguments(line)?);
            if tags.len() > MAX_STANZAS {
                return Err(WrapError::TooLarge {
                    what: "the number of stanzas",
                    limit: MAX_STANZAS,
                });
            }
            skip_body(&mut lines)?;
        }
        // A passphrase stands alone, so that whoever knows it made the file.
        if tags.len() > 1 && tags.contains(&b"scrypt".as_slice()) {
            return Err(WrapError::Header);
        }
        header.length = lines.position;
        header.classical = tags.iter().any(|tag| CLASSICAL.contains(tag));
        Ok(header)
    }

    /// Gives the bytes of the header, up to and with the newline of its last line.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Tells whether a stanza is of a native type that a quantum computer opens.
    pub(super) fn has_classical_stanza(&self) -> bool {
        self.classical
    }
}

/// Reads `-> type argument…` and gives the type.
fn read_arguments(line: &[u8]) -> Result<&[u8], WrapError> {
    let arguments = line.strip_prefix(b"-> ").ok_or(WrapError::Header)?;
    let well_formed = |argument: &[u8]| !argument.is_empty() && argument.iter().all(u8::is_ascii_graphic);
    if !arguments.split(|byte| *byte == b' ').all(well_formed) {
        return Err(WrapError::Header);
    }
    arguments.split(|byte| *byte == b' ').next().ok_or(WrapError::Header)
}

/// Reads full body lines and the short one, perhaps empty, that must end them.
fn skip_body(lines: &mut Lines<'_>) -> Result<(), WrapError> {
    loop {
        let line = lines.next_line()?;
        if line.len() > COLUMNS || !is_canonical_base64(line) {
            return Err(WrapError::Header);
        }
        if line.len() < COLUMNS {
            return Ok(());
        }
    }
}

/// Tells whether `text` is unpadded base64 with no bits left over (RFC 4648 section 3.5).
fn is_canonical_base64(text: &[u8]) -> bool {
    let mut bytes = [0; COLUMNS];
    let length = data_encoding::BASE64_NOPAD.decode_len(text.len());
    length.is_ok_and(|length| {
        bytes
            .get_mut(..length)
            .is_some_and(|bytes| data_encoding::BASE64_NOPAD.decode_mut(text, bytes).is_ok())
    })
}

/// Walks the lines after the version line, within the limits.
struct Lines<'a> {
    file: &'a [u8],
    position: usize,
    count: usize,
}

impl<'a> Lines<'a> {
    fn new(file: &'a [u8]) -> Result<Self, WrapError> {
        if !file.starts_with(VERSION_LINE) {
            return Err(WrapError::Header);
        }
        Ok(Self {
            file,
            position: VERSION_LINE.len(),
            count: 1,
        })
    }

    fn next_line(&mut self) -> Result<&'a [u8], WrapError> {
        self.count += 1;
        if self.count > MAX_LINES {
            return Err(WrapError::TooLarge {
                what: "the number of header lines",
                limit: MAX_LINES,
            });
        }
        let window = self
            .file
            .get(self.position..self.file.len().min(MAX_HEADER))
            .unwrap_or_default();
        match memchr::memchr(b'\n', window) {
            Some(end) => {
                self.position += end + 1;
                Ok(window.get(..end).unwrap_or_default())
            }
            None if self.file.len() > MAX_HEADER => Err(WrapError::TooLarge {
                what: "the age header",
                limit: MAX_HEADER,
            }),
            None => Err(WrapError::Header),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::super::hybrid;
    use super::*;

    const TAG_LINE: &str = "--- HK2NmOBN9Dpq0Gw6xMCuhFcQlQLvZ/wQUi/2scLG75s\n";

    fn file(stanzas: &str) -> Vec<u8> {
        format!("age-encryption.org/v1\n{stanzas}{TAG_LINE}rest").into_bytes()
    }

    #[test]
    fn a_header_ends_where_its_last_line_does() {
        let full = "A".repeat(64);
        for stanzas in [
            "-> a\n\n",
            "-> a b ~!\nAAAA\n",
            &format!("-> a\n{full}\n\n-> b\n{full}\n{full}\nAA\n"),
        ] {
            let file = file(stanzas);
            assert_eq!(Header::read(&file).unwrap().length(), file.len() - 4, "{stanzas}");
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_refused() {
        let full = "A".repeat(64);
        for stanzas in [
            "",
            "-> a\n",
            &format!("-> a\n{full}\n"),
            &format!("-> a\n{full}A\n\n"),
            "-> \n\n",
            "->a\n\n",
            "-> a  b\n\n",
            "-> a \n\n",
            "-> \u{e9}\n\n",
            "-> a\nAB\n",
            "-> a\nA\n",
            "-> a\nAA==\n",
            "-> a\r\n\n",
            "-> a\nAAAA\nAAAA\n",
            "-> scrypt a 10\n\n-> b\n\n",
            "garbage\n",
        ] {
            assert_eq!(
                Header::read(&file(stanzas)).unwrap_err(),
                WrapError::Header,
                "{stanzas:?}"
            );
        }
        assert_eq!(Header::read(b"").unwrap_err(), WrapError::Header);
        assert_eq!(
            Header::read(b"age-encryption.org/v2\n-> a\n\n").unwrap_err(),
            WrapError::Header
        );
    }

    #[test]
    fn bombs_are_refused_by_the_limit_that_they_pass() {
        let cause = |stanzas: &str| Header::read(&file(stanzas)).unwrap_err();
        assert!(Header::read(&file(&"-> a\n\n".repeat(MAX_STANZAS))).is_ok());
        assert_eq!(
            cause(&"-> a\n\n".repeat(MAX_STANZAS + 1)),
            WrapError::TooLarge {
                what: "the number of stanzas",
                limit: MAX_STANZAS
            }
        );
        assert_eq!(
            cause(&format!(
                "-> a\n{}\n",
                format!("{}\n", "A".repeat(64)).repeat(MAX_LINES)
            )),
            WrapError::TooLarge {
                what: "the number of header lines",
                limit: MAX_LINES
            }
        );
        assert_eq!(
            cause(&format!("-> {}\n\n", "a".repeat(MAX_HEADER))),
            WrapError::TooLarge {
                what: "the age header",
                limit: MAX_HEADER
            }
        );
    }

    #[test]
    fn stanzas_that_a_quantum_computer_opens_are_noticed() {
        assert!(
            Header::read(&file("-> a-grease\n\n-> X25519 b\n\n"))
                .unwrap()
                .has_classical_stanza()
        );
        let tag = hybrid::STANZA_TAG;
        assert!(
            !Header::read(&file(&format!("-> {tag} a\n\n-> x25519 b\n\n")))
                .unwrap()
                .has_classical_stanza()
        );
    }
}
