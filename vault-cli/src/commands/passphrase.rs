//! `casevault passphrase`.

use clap::Subcommand;

use crate::error::CliError;
use crate::invocation::Invocation;

pub mod change;

/// What to do with the passphrase.
#[derive(Debug, Subcommand)]
pub enum PassphraseCommand {
    /// Changes the passphrase
    Change(change::ChangeArgs),
}

pub(super) fn run(command: PassphraseCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        PassphraseCommand::Change(args) => change::run(args, run),
    }
}
