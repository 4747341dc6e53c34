//! `casevault chronology`.

use clap::Subcommand;

use crate::error::CliError;
use crate::invocation::Invocation;

pub mod show;

/// What to do with the chronology.
#[derive(Debug, Subcommand)]
pub enum ChronologyCommand {
    /// Shows what was significant, in the order in which it happened
    Show(show::ShowArgs),
}

pub(super) fn run(command: ChronologyCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        ChronologyCommand::Show(args) => show::run(args, run),
    }
}
