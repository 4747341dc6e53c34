//! `casevault server`.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod add;
pub mod remove;
mod show;

/// What to do with the server.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum ServerCommand {
    Add(Later<add::AddArgs>),
    Remove(Later<remove::RemoveArgs>),
    /// Shows which server this vault has, and how much waits to be sent
    ///
    /// Nothing is asked of the server. `casevault sync` sends what waits.
    Show,
}

pub(super) fn run(command: ServerCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        ServerCommand::Add(Later(args)) => add::run(args, run),
        ServerCommand::Remove(Later(args)) => remove::run(&args, run),
        ServerCommand::Show => show::run(run),
    }
}
