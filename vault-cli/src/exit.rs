//! The exit codes of `casevault`.

use std::process::ExitCode;

use crate::session::Kind;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Asked for in a way that makes no sense; nothing was tried.
    Usage = 2,
    /// Denied by policy or consent.
    Denied = 3,
    /// Verification failed.
    Verification = 4,
    /// Locked, wrong passphrase, or no key.
    Locked = 5,
    /// A conflict that needs a person.
    Conflict = 6,
    /// The server is unreachable.
    Unreachable = 7,
    /// A question was ended by Ctrl-C, or by a signal; the number is the one that shells give to what SIGINT ends.
    Interrupted = 130,
}

impl Exit {
    /// Returns the number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Kind> for Exit {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Conflict => Self::Conflict,
            Kind::Denied => Self::Denied,
            Kind::Failed => Self::Failed,
            Kind::Locked => Self::Locked,
            Kind::Unreachable => Self::Unreachable,
            Kind::Usage => Self::Usage,
            Kind::Verification => Self::Verification,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_that_scripts_know() {
        let codes = [
            Kind::Failed,
            Kind::Usage,
            Kind::Denied,
            Kind::Verification,
            Kind::Locked,
            Kind::Conflict,
            Kind::Unreachable,
        ]
        .map(|kind| Exit::from(kind).code());
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(Exit::Done.code(), 0);
        assert_eq!(Exit::Interrupted.code(), 130);
    }
}
