//! Texts that a command is given: from a file, from standard input, or typed at a prompt; bounded, and UTF-8.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::CliError;
use crate::session::SessionError;

/// A file, or standard input (`-`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "-" => Self::Stdin,
            path => Self::File(path.into()),
        })
    }
}

impl Source {
    /// Tells whether it reads standard input.
    pub fn is_stdin(&self) -> bool {
        match self {
            Self::File(path) => crate::unlock_prompt::is_stdin(path),
            Self::Stdin => true,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::File(path) => format!("`{}`", path.display()),
            Self::Stdin => "standard input".to_owned(),
        }
    }

    /// Opens it for reading line by line, and tells its length in bytes where that is known.
    ///
    /// # Errors
    /// [`CliError::Io`].
    pub fn open(&self) -> Result<(Box<dyn BufRead>, Option<u64>), CliError> {
        match self {
            Self::File(path) => {
                let failed = |e| CliError::io(format!("could not read {}", self.shown()), e);
                let file = File::open(path).map_err(failed)?;
                let meta = file.metadata().map_err(failed)?;
                if meta.is_dir() {
                    return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
                }
                let length = meta.is_file().then_some(meta.len());
                Ok((Box::new(BufReader::with_capacity(1 << 16, file)), length))
            }
            Self::Stdin => Ok((Box::new(BufReader::with_capacity(1 << 16, io::stdin())), None)),
        }
    }

    /// Reads it whole.
    ///
    /// # Errors
    /// [`CliError::Io`], [`CliError::NotUtf8`] with the byte's offset, [`SessionError::TooLong`] over `limit` bytes.
    pub fn read(&self, limit: u64) -> Result<String, CliError> {
        self.text_of(self.read_bytes(limit)?)
    }

    /// Takes bytes that were read from it as text.
    ///
    /// # Errors
    /// [`CliError::NotUtf8`] with the byte's offset.
    pub fn text_of(&self, bytes: Vec<u8>) -> Result<String, CliError> {
        String::from_utf8(bytes).map_err(|e| CliError::NotUtf8 {
            what: self.shown(),
            offset: e.utf8_error().valid_up_to(),
        })
    }

    /// Reads it whole, whatever it holds.
    ///
    /// # Errors
    /// As [`Self::read`], but for what is not UTF-8.
    pub fn read_bytes(&self, limit: u64) -> Result<Vec<u8>, CliError> {
        let (from, _) = self.open()?;
        let mut bytes = Vec::new();
        from.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| CliError::io(format!("could not read {}", self.shown()), e))?;
        if bytes.len() as u64 > limit {
            let what = self.shown();
            return Err(SessionError::TooLong { what, limit }.into());
        }
        Ok(bytes)
    }

    /// Names it in a message.
    pub fn named(&self) -> String {
        self.shown()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    #[test]
    fn a_dash_is_standard_input() {
        assert_eq!("-".parse(), Ok(Source::Stdin));
        assert_eq!("./-".parse(), Ok(Source::File("./-".into())));
    }

    #[test]
    fn a_text_is_bounded_and_its_first_bad_byte_named() {
        let read = |bytes: &[u8], limit| Source::File(file(bytes).path().to_owned()).read(limit);
        assert_eq!(read("né".as_bytes(), 3).unwrap(), "né");
        assert!(matches!(
            read(b"four", 3).unwrap_err(),
            CliError::Session(SessionError::TooLong { limit: 3, .. })
        ));
        assert!(matches!(
            read(b"ab\xc3(", 9).unwrap_err(),
            CliError::NotUtf8 { offset: 2, .. }
        ));
        let folder = Source::File(std::env::temp_dir()).read(9).unwrap_err();
        assert!(matches!(folder, CliError::Io { .. }));
    }
}
