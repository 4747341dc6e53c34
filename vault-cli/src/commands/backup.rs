//! `casevault backup`.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod create;
pub mod ledger;
pub mod restore;

/// What to do with backups.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum BackupCommand {
    Create(Later<create::CreateArgs>),
    Restore(Later<restore::RestoreArgs>),
    Ledger(Later<ledger::LedgerArgs>),
}

pub(super) fn run(command: BackupCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        BackupCommand::Create(Later(args)) => create::run(&args, run),
        BackupCommand::Restore(Later(args)) => restore::run(&args, run),
        BackupCommand::Ledger(Later(args)) => ledger::run(&args, run),
    }
}
