//! `casevault case`.

use clap::Subcommand;

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
    Open(open::OpenArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    People(people::PeopleArgs),
    Stale(stale::StaleArgs),
    Amend(amend::AmendArgs),
    History(history::HistoryArgs),
    Verify(verify::VerifyArgs),
    Close(close::CloseArgs),
    Reopen(reopen::ReopenArgs),
}

pub(super) fn run(command: CaseCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        CaseCommand::Amend(args) => amend::run(args, run),
        CaseCommand::Close(args) => close::run(args, run),
        CaseCommand::History(args) => history::run(args, run),
        CaseCommand::List(args) => list::run(args, run),
        CaseCommand::Open(args) => open::run(args, run),
        CaseCommand::People(args) => people::run(args, run),
        CaseCommand::Reopen(args) => reopen::run(args, run),
        CaseCommand::Stale(args) => stale::run(args, run),
        CaseCommand::Show(args) => show::run(args, run),
        CaseCommand::Verify(args) => verify::run(&args, run),
    }
}
