//! `casevault decision`.

use clap::Subcommand;

use crate::error::CliError;
use crate::invocation::Invocation;

pub mod list;

/// What to do with decisions.
#[derive(Debug, Subcommand)]
pub enum DecisionCommand {
    /// Lists decisions with their reasons, the incomplete ones first
    List(list::ListArgs),
}

pub(super) fn run(command: DecisionCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        DecisionCommand::List(args) => list::run(args, run),
    }
}
