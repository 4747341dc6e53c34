//! A switch that takes one check out, so that a test can see what the check is for.
//!
//! It reaches every check that goes through `check::require`. It is for the current thread, and only while a closure
//! runs.

use crate::check::Check;
use std::cell::Cell;

thread_local! {
    static OFF: Cell<Option<Check>> = const { Cell::new(None) };
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

/// Tells whether `check` is taken out.
pub(crate) fn is_off(check: Check) -> bool {
    OFF.get() == Some(check)
}
