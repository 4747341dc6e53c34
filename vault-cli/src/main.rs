//! `casevault`: the caseworker's command.

use std::process::ExitCode;

use vault_cli::exit::Exit;

/// Wipes what is freed: notes, names and passphrases pass through memory of every kind.
#[global_allocator]
static MEMORY: vault_cli::memory::Wiping = vault_cli::memory::Wiping;

fn main() -> ExitCode {
    vault_cli::harden::harden();
    vault_cli::ui::keep_panics_quiet();
    // A fault in the program ends as a failure; what was acknowledged before it is durable.
    std::panic::catch_unwind(|| vault_cli::run(std::env::args_os()))
        .unwrap_or(Exit::Failed)
        .into()
}
