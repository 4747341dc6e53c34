//! `casevault case`.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod amend;
pub mod close;
pub mod history;
pub mod list;
pub mod open;
pub mod people;
pub mod reopen;
pub mod show;
pub mod stale;
pub mod verify;

/// What to do with a case.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum CaseCommand {
    Open(Later<open::OpenArgs>),
    List(Later<list::ListArgs>),
    Show(Later<show::ShowArgs>),
    People(Later<people::PeopleArgs>),
    Stale(Later<stale::StaleArgs>),
    Amend(Later<amend::AmendArgs>),
    History(Later<history::HistoryArgs>),
    Verify(Later<verify::VerifyArgs>),
    Close(Later<close::CloseArgs>),
    Reopen(Later<reopen::ReopenArgs>),
}

pub(super) fn run(command: CaseCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        CaseCommand::Amend(Later(args)) => amend::run(args, run),
        CaseCommand::Close(Later(args)) => close::run(args, run),
        CaseCommand::History(Later(args)) => history::run(args, run),
        CaseCommand::List(Later(args)) => list::run(args, run),
        CaseCommand::Open(Later(args)) => open::run(args, run),
        CaseCommand::People(Later(args)) => people::run(args, run),
        CaseCommand::Reopen(Later(args)) => reopen::run(args, run),
        CaseCommand::Stale(Later(args)) => stale::run(args, run),
        CaseCommand::Show(Later(args)) => show::run(args, run),
        CaseCommand::Verify(Later(args)) => verify::run(&args, run),
    }
}
