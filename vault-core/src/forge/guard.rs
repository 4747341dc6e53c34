//! A switch that takes one check or guard out, so that a test can see what it is for.
//!
//! It reaches every check that goes through `check::require`, and every guard of `crate::guard`. It is for the current
//! thread and only while a closure runs; or for a whole process, once, which is how a client is broken that a lying server
//! is then set against.

use crate::check::Check;
use crate::guard::Guard;
use std::cell::Cell;
use std::sync::OnceLock;

thread_local! {
    static OFF: Cell<Option<Check>> = const { Cell::new(None) };
}

/// What this process does without, from its first moment to its last.
static OUT: OnceLock<Out> = OnceLock::new();

/// What can be taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Out {
    /// A check of the format.
    Check(Check),
    /// A client's own guard.
    Guard(Guard),
}

impl Out {
    /// Reads `CHK-138` or a guard's name.
    pub fn parse(word: &str) -> Option<Self> {
        let check = Check::ALL.iter().find(|check| check.to_string() == word);
        let guard = Guard::ALL.iter().find(|guard| format!("{guard:?}") == word);
        check
            .map(|check| Self::Check(*check))
            .or(guard.map(|guard| Self::Guard(*guard)))
    }
}

impl std::fmt::Display for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Check(check) => check.fmt(f),
            Self::Guard(guard) => write!(f, "{guard:?}"),
        }
    }
}

/// Runs `attempt` with `check` taken out.
pub fn without<T>(check: Check, attempt: impl FnOnce() -> T) -> T {
    struct Restore(Option<Check>);
    impl Drop for Restore {
        fn drop(&mut self) {
            OFF.set(self.0);
        }
    }
    let _restore = Restore(OFF.replace(Some(check)));
    attempt()
}

/// Takes one out for this whole process; the first that is taken out stays the only one.
pub fn take_out(out: Out) {
    OUT.get_or_init(|| out);
}

/// Tells whether `check` is taken out.
pub(crate) fn is_off(check: Check) -> bool {
    OFF.get() == Some(check) || OUT.get() == Some(&Out::Check(check))
}

/// Tells whether `guard` is taken out.
pub(crate) fn is_out(guard: Guard) -> bool {
    OUT.get() == Some(&Out::Guard(guard))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_and_guard_is_read_as_it_is_written() {
        let checks = Check::ALL.iter().map(|check| Out::Check(*check));
        for out in checks.chain(Guard::ALL.iter().map(|guard| Out::Guard(*guard))) {
            assert_eq!(Out::parse(&out.to_string()), Some(out));
        }
        for none in ["", "CHK-", "CHK-1", "CHK-999", "chk-138", "answerlength"] {
            assert_eq!(Out::parse(none), None, "{none}");
        }
    }
}
