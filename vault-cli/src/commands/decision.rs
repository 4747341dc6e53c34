//! `casevault decision`.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod list;

/// What to do with decisions.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum DecisionCommand {
    List(Later<list::ListArgs>),
}

pub(super) fn run(command: DecisionCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        DecisionCommand::List(Later(args)) => list::run(args, run),
    }
}
