//! `casevault case`.

use clap::Subcommand;

use crate::error::CliError;
use crate::invocation::Invocation;

pub mod close;
pub mod list;
pub mod open;
pub mod show;
pub mod verify;

/// What to do with a case.
#[derive(Debug, Subcommand)]
pub enum CaseCommand {
    /// Opens a case
    Open(open::OpenArgs),
    /// Lists your cases
    List(list::ListArgs),
    /// Shows what is known: background, problem, factors, plan, progress, outcome
    Show(show::ShowArgs),
    /// Verifies a case's entries, authors and chain
    Verify(verify::VerifyArgs),
    /// Closes a case
    Close(close::CloseArgs),
}

pub(super) fn run(command: CaseCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        CaseCommand::Close(args) => close::run(args, run),
        CaseCommand::List(args) => list::run(args, run),
        CaseCommand::Open(args) => open::run(args, run),
        CaseCommand::Show(args) => show::run(args, run),
        CaseCommand::Verify(args) => verify::run(&args, run),
    }
}
