//! `casevault server`.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod add;

/// What to do with the server.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum ServerCommand {
    Add(Later<add::AddArgs>),
}

pub(super) fn run(command: ServerCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        ServerCommand::Add(Later(args)) => add::run(args, run),
    }
}
