//! `casevault`: the caseworker's command.

use std::process::ExitCode;

fn main() -> ExitCode {
    vault_cli::harden::harden();
    vault_cli::run(std::env::args_os()).into()
}
