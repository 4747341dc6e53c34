//! `casevault backup`.

use clap::Subcommand;

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
    Create(create::CreateArgs),
    Restore(restore::RestoreArgs),
    Ledger(ledger::LedgerArgs),
}

pub(super) fn run(command: BackupCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        BackupCommand::Create(args) => create::run(&args, run),
        BackupCommand::Restore(args) => restore::run(&args, run),
        BackupCommand::Ledger(args) => ledger::run(&args, run),
    }
}
