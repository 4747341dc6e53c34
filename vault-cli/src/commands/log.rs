//! `casevault log`.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod list;
pub mod show;
pub mod verify;
pub mod witness;

/// What to do with the access log.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum LogCommand {
    List(Later<list::ListArgs>),
    Show(Later<show::ShowArgs>),
    Verify(Later<verify::VerifyArgs>),
    /// A witness of a server's log, apart from any vault: init, run
    #[command(subcommand)]
    Witness(Later<witness::WitnessCommand>),
}

pub(super) fn run(command: LogCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        LogCommand::List(Later(args)) => list::run(args, run),
        LogCommand::Show(Later(args)) => show::run(args, run),
        LogCommand::Verify(Later(args)) => verify::run(args, run),
        LogCommand::Witness(Later(command)) => witness::run(command, run),
    }
}
