//! The operating system's randomness. Without it nothing can be sealed, so its failure ends the program.

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

/// Returns the generator.
pub(super) fn os() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}
