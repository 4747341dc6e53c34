//! `casevault passphrase`.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod change;

/// What to do with the passphrase.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum PassphraseCommand {
    Change(Later<change::ChangeArgs>),
}

pub(super) fn run(command: PassphraseCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        PassphraseCommand::Change(Later(args)) => change::run(args, run),
    }
}
