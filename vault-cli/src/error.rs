//! Why a command was refused: a session's refusal, or something about the terminal, the input or the flags.

use std::io;

use serde::Serialize;
use thiserror::Error;

use crate::exit::Exit;
use crate::session::SessionError;

/// Why a command did not do what it was asked.
#[derive(Debug, Error)]
pub enum CliError {
    /// Standard output was closed by its reader, who has seen enough: no message.
    #[error("standard output was closed")]
    ClosedPipe,
    /// Some lines of an import were refused, so that none was kept. The lines were printed.
    #[error("{lines} of the input's lines cannot be taken, so none was kept")]
    ImportRefused {
        /// How many.
        lines: u64,
    },
    /// A question, or what had to be taken back whole, was ended by Ctrl-C or another signal.
    #[error("interrupted")]
    Interrupted,
    /// Something must be asked, and there is no terminal to ask on.
    #[error("{what} is missing, and there is no terminal to ask on")]
    NeedsFlag {
        /// What is missing, as `the note`.
        what: &'static str,
        /// What to give instead, as `--file FILE`.
        flag: &'static str,
    },
    /// There is no file system in memory to put an editor's file on.
    #[error("there is no folder in memory for the editor's file: neither XDG_RUNTIME_DIR nor /dev/shm is one")]
    NoMemoryPlace,
    /// A draft is to be gone on with, and there is no terminal to write on.
    #[error("a draft is gone on with on a terminal, and there is none here")]
    NoTerminalForDraft,
    /// A case is to be chosen by name, and there is none to choose from.
    #[error("no case of your caseload is open")]
    NoOpenCase,
    /// A question was answered with the end of input, which is no answer.
    #[error("{what} is missing: there was no answer")]
    NoAnswer {
        /// What is missing, as `the outcome`.
        what: &'static str,
        /// What to give instead, as `--file FILE`.
        flag: &'static str,
    },
    /// The editor did not end as it should.
    #[error("{how}")]
    Editor {
        /// What happened.
        how: String,
    },
    /// The editor would copy the note to the disk, and cannot be kept from it here.
    #[error(
        "in this terminal inside VS Code ({variable} is set) `{editor}` opens the note in the window that runs already, which \
         keeps a copy of it on the disk"
    )]
    EditorUnfit {
        /// The editor's command.
        editor: String,
        /// What tells so.
        variable: &'static str,
    },
    /// What was written could not be saved, and is kept as a draft.
    #[error("{source}")]
    Kept {
        /// Why it could not be saved.
        source: Box<CliError>,
        /// How to go on with it.
        resume: String,
    },
    /// The other machine shows another code than this one: somebody may have had the sheet between.
    #[error("nobody was let in; where it shows another code, make another sheet, and find out who had this one")]
    NotLetIn,
    /// Nothing was written, or nothing changed.
    #[error("{what}")]
    Nothing {
        /// What there is nothing of.
        what: &'static str,
    },
    /// Text that is not UTF-8.
    #[error("{what} is not UTF-8: byte {offset} (counted from 0) does not fit")]
    NotUtf8 {
        /// Which input.
        what: String,
        /// The byte's offset.
        offset: usize,
    },
    /// No passphrase came, and there is no terminal to ask on.
    #[error("the vault is locked: no passphrase was given, and there is no terminal to ask on")]
    NoPassphrase,
    /// Something that goes on for hours would keep the vault's keys itself.
    #[error("no agent holds the vault open, and `sync --watch` keeps no keys itself while it waits")]
    WatchWithoutAgent,
    /// A file or a stream failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What failed.
        source: io::Error,
    },
    /// A session refused.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Two inputs are to come from one stream.
    #[error("{first} and {second} cannot both come from one standard input")]
    StdinTwice {
        /// What comes from there already.
        first: &'static str,
        /// What was to come from there too.
        second: &'static str,
    },
    /// Something that was asked for makes no sense.
    #[error("{message}")]
    Usage {
        /// What makes none.
        message: String,
        /// What to do instead.
        hint: String,
    },
    /// A verification found failures. They were printed.
    #[error("{failures} {} failed", if *failures == 1 { "check" } else { "checks" })]
    VerifyFailed {
        /// How many.
        failures: usize,
    },
}

impl CliError {
    /// Makes an [`CliError::Io`].
    pub fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Self::Io {
            doing: doing.into(),
            source,
        }
    }

    /// Tells whether it ended so because somebody said no, or there was nothing to do: it is said, and is no error. The exit
    /// code is that of what was not done.
    pub fn is_harmless(&self) -> bool {
        match self {
            Self::Kept { source, .. } => source.is_harmless(),
            Self::Nothing { .. } | Self::Session(SessionError::Loses { .. }) => true,
            _ => false,
        }
    }

    /// Returns how the command ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::ClosedPipe => Exit::Done,
            Self::Kept { source, .. } => source.exit(),
            Self::Editor { .. }
            | Self::EditorUnfit { .. }
            | Self::NoMemoryPlace
            | Self::NoOpenCase
            | Self::Nothing { .. } => Exit::Failed,
            Self::NotLetIn | Self::ImportRefused { .. } | Self::Io { .. } | Self::NotUtf8 { .. } => Exit::Failed,
            Self::Interrupted => Exit::Interrupted,
            Self::NeedsFlag { .. }
            | Self::NoAnswer { .. }
            | Self::NoTerminalForDraft
            | Self::StdinTwice { .. }
            | Self::Usage { .. } => Exit::Usage,
            Self::NoPassphrase | Self::WatchWithoutAgent => Exit::Locked,
            Self::Session(error) => error.kind().into(),
            Self::VerifyFailed { .. } => Exit::Verification,
        }
    }

    /// Returns the code by which scripts know it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ClosedPipe => "closed-pipe",
            Self::Editor { .. } | Self::EditorUnfit { .. } => "editor",
            Self::ImportRefused { .. } => "import-refused",
            Self::Interrupted => "interrupted",
            Self::Io { source, .. } if is_full(source) => "disk-full",
            Self::Io { .. } => "io",
            Self::Kept { source, .. } => source.code(),
            Self::NeedsFlag { .. } => "needs-flag",
            Self::NoAnswer { .. } => "no-answer",
            Self::NoMemoryPlace => "no-memory-place",
            Self::NoOpenCase => "no-open-case",
            Self::NoPassphrase => "no-passphrase",
            Self::NoTerminalForDraft => "no-terminal",
            Self::NotLetIn | Self::Nothing { .. } => "nothing-written",
            Self::NotUtf8 { .. } => "not-utf8",
            Self::Session(error) => error.code(),
            Self::StdinTwice { .. } => "stdin-twice",
            Self::Usage { .. } => "usage",
            Self::VerifyFailed { .. } => "verification-failed",
            Self::WatchWithoutAgent => "no-agent",
        }
    }

    /// Says what to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::ClosedPipe => String::new(),
            Self::ImportRefused { .. } => "correct them, or take the others with `--keep-going`".to_owned(),
            Self::Io { source, .. } => crate::session::io_hint(source).to_owned(),
            Self::Interrupted => "what it was about was not done".to_owned(),
            Self::NeedsFlag { flag, .. } => format!("give it with {flag}"),
            Self::NoAnswer { flag, .. } => format!("nothing was done; answer it and Enter, or give it with {flag}"),
            Self::WatchWithoutAgent => {
                "run `casevault unlock` first; the agent locks when nobody is there, and the watch ends with it".to_owned()
            }
            Self::NoPassphrase => {
                "`casevault unlock` on a terminal holds it open; a script gives it with `--passphrase-fd N`, or names a file \
                 in CASEVAULT_PASSPHRASE_FILE"
                    .to_owned()
            }
            Self::Editor { .. } => {
                "nothing was saved; `casevault note draft` lists what was kept, and EDITOR names another editor".to_owned()
            }
            Self::EditorUnfit { .. } => {
                "nothing was opened or changed; name another editor, as `EDITOR=nano` before the command does, or run it in a \
                 terminal outside VS Code"
                    .to_owned()
            }
            Self::Kept { resume, .. } => resume.clone(),
            Self::NoMemoryPlace => {
                "unset VISUAL and EDITOR to type the note here, or give it with `--file -`; it is not written to a disk in \
                 the clear"
                    .to_owned()
            }
            Self::NoTerminalForDraft => {
                "the draft is kept as it is (`casevault note draft` lists it): run it on a terminal, where VISUAL or EDITOR names \
                 the editor, as `EDITOR=nano` before the command does"
                    .to_owned()
            }
            Self::NoOpenCase => {
                "open one with `casevault case open`, or a closed one again with `casevault case reopen CASE`".to_owned()
            }
            Self::NotLetIn | Self::Nothing { .. } => "nothing was changed".to_owned(),
            Self::NotUtf8 { .. } => "save the text as UTF-8 and try again; nothing was saved".to_owned(),
            Self::Session(error) => error.hint(),
            Self::StdinTwice { .. } => {
                "give one of them by a file, or by another descriptor with `--passphrase-fd N`".to_owned()
            }
            Self::Usage { hint, .. } => hint.clone(),
            Self::VerifyFailed { .. } => {
                "do not rely on what is named; keep a copy of the folder, and restore from a backup".to_owned()
            }
        }
    }

    /// Returns the JSON form.
    pub fn to_report(&self) -> Report {
        let check = match self {
            Self::Kept { source, .. } => {
                return Report {
                    hint: self.hint(),
                    ..source.to_report()
                };
            }
            Self::Session(error) => error.check().map(|check| check.to_string()),
            _ => None,
        };
        Report {
            schema: "casevault.error/1",
            error: self.code().to_owned(),
            message: self.to_string(),
            hint: self.hint(),
            exit: self.exit().code(),
            check,
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// A refusal as JSON.
#[derive(Debug, Serialize)]
pub struct Report {
    /// `casevault.error/1`.
    pub schema: &'static str,
    /// The code by which scripts know it.
    pub error: String,
    /// What was refused, in words.
    pub message: String,
    /// What to do next.
    pub hint: String,
    /// The exit code.
    pub exit: u8,
    /// The check that failed, if one did.
    pub check: Option<String>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_what_a_script_needs() {
        let json = serde_json::to_value(CliError::from(SessionError::WrongPassphrase).to_report()).unwrap();
        assert_eq!(json["schema"], "casevault.error/1");
        assert_eq!(json["error"], "wrong-passphrase");
        assert_eq!(json["exit"], 5);
        assert_eq!(json["check"], "CHK-96");
        assert!(!json["hint"].as_str().unwrap().is_empty());
    }

    #[test]
    fn what_is_about_flags_is_usage_and_a_missing_passphrase_is_locked() {
        let flag = CliError::NeedsFlag {
            what: "the note",
            flag: "`--file FILE|-`",
        };
        assert_eq!(flag.exit(), Exit::Usage);
        assert!(flag.hint().contains("--file"));
        let twice = CliError::StdinTwice {
            first: "the note",
            second: "the passphrase",
        };
        assert_eq!(twice.exit(), Exit::Usage);
        assert_eq!(CliError::NoPassphrase.exit(), Exit::Locked);
        assert_eq!(CliError::VerifyFailed { failures: 1 }.exit(), Exit::Verification);
        assert_eq!(CliError::VerifyFailed { failures: 1 }.to_string(), "1 check failed");
    }
}
