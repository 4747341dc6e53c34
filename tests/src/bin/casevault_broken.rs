//! `casevault-broken`: `casevault` with one check or guard taken out, to see that an attack succeeds without it.
//!
//! `CASEVAULT_BROKEN` names what is out, as `CHK-138` or as one of `vault_core::guard`. Nothing but this program reads
//! that variable, and it is built under the feature `broken` alone, which no release build takes.

use std::process::ExitCode;

use vault_cli::exit::Exit;
use vault_core::forge::Out;
use vault_core::forge::guard::take_out;

/// As in `casevault`.
#[global_allocator]
static MEMORY: vault_cli::memory::Wiping = vault_cli::memory::Wiping;

/// The variable that names what is out.
const VARIABLE: &str = "CASEVAULT_BROKEN";

fn main() -> ExitCode {
    let word = std::env::var(VARIABLE).unwrap_or_default();
    // A client that is whole by mistake would show that no guard matters.
    let Some(out) = Out::parse(&word) else {
        eprintln!("casevault-broken: {VARIABLE}=`{word}` names no check and no guard");
        return Exit::Usage.into();
    };
    take_out(out);
    vault_cli::harden::harden();
    vault_cli::ui::keep_panics_quiet();
    std::panic::catch_unwind(|| vault_cli::run(std::env::args_os()))
        .unwrap_or(Exit::Failed)
        .into()
}
