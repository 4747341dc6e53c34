//! `casevault chronology`.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod show;

/// What to do with the chronology.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum ChronologyCommand {
    Show(Later<show::ShowArgs>),
}

pub(super) fn run(command: ChronologyCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        ChronologyCommand::Show(Later(args)) => show::run(args, run),
    }
}
