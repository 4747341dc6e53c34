//! Where a passphrase comes from: a descriptor, a file that the environment names, or a prompt. Never an argument or an
//! environment value, because other processes can read those.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::CliError;
use crate::session::Passphrase;

/// The variable that names a passphrase file.
pub const FILE_VARIABLE: &str = "CASEVAULT_PASSPHRASE_FILE";
/// The longest passphrase, in bytes of UTF-8.
pub const LONGEST: u64 = 4096;

/// Where a passphrase is to come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An open descriptor.
    Descriptor(u32),
    /// A file.
    File(PathBuf),
    /// A prompt on the terminal.
    Prompt,
}

impl Origin {
    /// Chooses: the descriptor if one is named, else the file if one is named, else the prompt.
    pub fn choose(descriptor: Option<u32>, file: Option<PathBuf>) -> Self {
        match (descriptor, file) {
            (Some(descriptor), _) => Self::Descriptor(descriptor),
            (None, Some(file)) => Self::File(file),
            (None, None) => Self::Prompt,
        }
    }

    /// Tells whether it reads standard input.
    pub fn is_stdin(&self) -> bool {
        match self {
            Self::Descriptor(number) => *number == 0,
            Self::File(file) => is_stdin(file),
            Self::Prompt => false,
        }
    }

    /// Reads a passphrase; a prompt asks once.
    ///
    /// # Errors
    /// [`CliError::NoPassphrase`] where a prompt is needed and there is no terminal; [`CliError::Io`],
    /// [`CliError::NotUtf8`], [`CliError::Usage`] for an empty or over-long one.
    pub fn read(&self, question: &str) -> Result<Passphrase, CliError> {
        let text = match self {
            Self::Descriptor(0) => bounded(io::stdin().lock(), "standard input")?,
            Self::Descriptor(number) => {
                let path = format!("/dev/fd/{number}");
                let file =
                    File::open(path).map_err(|e| CliError::io(format!("could not read descriptor {number}"), e))?;
                bounded(file, &format!("descriptor {number}"))?
            }
            Self::File(file) => {
                let shown = file.display();
                let opened = File::open(file)
                    .map_err(|e| CliError::io(format!("could not read the passphrase file `{shown}`"), e))?;
                bounded(opened, &format!("the passphrase file `{shown}`"))?
            }
            Self::Prompt => return prompt(question),
        };
        present(Passphrase::new(text))
    }

    /// Reads a passphrase that is to be set; a prompt asks twice. `weak` tells whether one is easy to guess, and says so:
    /// where somebody types, it is taken only after a `yes`, because the same one again is what everybody types without
    /// reading. What is typed differently the second time is asked for anew.
    ///
    /// # Errors
    /// As [`Origin::read`].
    pub fn read_new(&self, question: &str, weak: &dyn Fn(&Passphrase) -> bool) -> Result<Passphrase, CliError> {
        let differ = format!("The two differ, and none was taken.\n{question}");
        let mut asked = question.to_owned();
        let mut passphrase = None;
        loop {
            let first = match passphrase.take() {
                Some(other) => other,
                None => self.read(&asked)?,
            };
            let is_weak = weak(&first);
            if *self != Self::Prompt {
                return Ok(first);
            }
            if is_weak && let Some(other) = other_than_short(&first)? {
                question.clone_into(&mut asked);
                passphrase = (!other.is_empty()).then_some(other);
                continue;
            }
            if answer("Again, to be sure: ")?.expose() == first.expose() {
                return Ok(first);
            }
            differ.clone_into(&mut asked);
        }
    }
}

/// Asks what is to be instead of a short passphrase; nothing where it is to be taken, and an empty one to be asked anew.
fn other_than_short(short: &Passphrase) -> Result<Option<Passphrase>, CliError> {
    let mut question = "Another passphrase; or `yes`, to take the short one: ";
    loop {
        let typed = answer(question)?;
        if typed.expose() == short.expose() {
            question = "That is the short one again, and it is not taken. Another passphrase; or `yes`, to take it: ";
            continue;
        }
        return Ok((typed.expose() != "yes").then_some(typed));
    }
}

/// Tells whether a person can be asked: there is a terminal, and they would see the question.
pub fn can_ask() -> bool {
    io::stderr().is_terminal() && File::open("/dev/tty").is_ok()
}

fn prompt(question: &str) -> Result<Passphrase, CliError> {
    present(answer(question)?)
}

/// Asks, and takes an empty answer too.
fn answer(question: &str) -> Result<Passphrase, CliError> {
    if !can_ask() {
        return Err(CliError::NoPassphrase);
    }
    match crate::keys::hidden_line(question)? {
        Some(mut typed) => Ok(Passphrase::new(std::mem::take(&mut *typed))),
        None => Err(CliError::NoAnswer {
            what: "the passphrase",
            flag: "`--passphrase-fd N`, or a file that CASEVAULT_PASSPHRASE_FILE names",
        }),
    }
}

fn present(passphrase: Passphrase) -> Result<Passphrase, CliError> {
    if passphrase.is_empty() {
        return Err(CliError::Usage {
            message: "the passphrase is empty".to_owned(),
            hint: "several words that nobody else would put together make a good one".to_owned(),
        });
    }
    Ok(passphrase)
}

fn bounded(from: impl Read, what: &str) -> Result<String, CliError> {
    // Reserved whole, so that no copy is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 2));
    from.take(LONGEST + 2)
        .read_to_end(&mut bytes)
        .map_err(|e| CliError::io(format!("could not read {what}"), e))?;
    if bytes.len() as u64 > LONGEST + 1 {
        return Err(CliError::Usage {
            message: format!("{what} holds more than {LONGEST} bytes, which is no passphrase"),
            hint: "name the right file".to_owned(),
        });
    }
    std::str::from_utf8(&bytes)
        .map(str::to_owned)
        .map_err(|e| CliError::NotUtf8 {
            what: what.to_owned(),
            offset: e.valid_up_to(),
        })
}

/// Tells whether a path is another name of standard input (`/dev/stdin`, or the same pipe).
pub fn is_stdin(path: &Path) -> bool {
    let (Ok(named), Ok(stdin)) = (rustix::fs::stat(path), rustix::fs::fstat(io::stdin())) else {
        return false;
    };
    // A device (`/dev/null`, a terminal) is not used up by being read twice.
    let stream = matches!(
        rustix::fs::FileType::from_raw_mode(named.st_mode),
        rustix::fs::FileType::Fifo | rustix::fs::FileType::Socket
    );
    stream && (named.st_dev, named.st_ino) == (stdin.st_dev, stdin.st_ino)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    #[test]
    fn a_file_gives_its_text_without_the_final_line_break() {
        let kept = file("påske og sol\n".as_bytes());
        let from = Origin::choose(None, Some(kept.path().to_owned()));
        assert_eq!(from.read("").unwrap().expose(), "påske og sol");
    }

    #[test]
    fn a_descriptor_goes_before_a_file() {
        let kept = file(b"by descriptor\n");
        let open = File::open(kept.path()).unwrap();
        let number = u32::try_from(open.as_raw_fd()).unwrap();
        let from = Origin::choose(Some(number), Some("/nowhere".into()));
        assert_eq!(from.read_new("", &|_| true).unwrap().expose(), "by descriptor");
    }

    #[test]
    fn empty_over_long_and_not_utf8_are_refused() {
        let refuse = |bytes: &[u8]| Origin::File(file(bytes).path().to_owned()).read("").unwrap_err();
        assert!(matches!(refuse(b"\n"), CliError::Usage { .. }));
        assert!(matches!(refuse(&[b'a'; 4098]), CliError::Usage { .. }));
        assert!(matches!(refuse(b"ab\xffc"), CliError::NotUtf8 { offset: 2, .. }));
        assert!(Origin::File(file(&[b'a'; 4096]).path().to_owned()).read("").is_ok());
        let missing = Origin::File("/nowhere/at/all".into()).read("").unwrap_err();
        assert!(matches!(missing, CliError::Io { .. }));
    }
}
