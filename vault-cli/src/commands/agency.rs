//! `casevault agency`.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod endorse;
pub mod propose;
pub mod show;

/// What to do with the agency's root.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum AgencyCommand {
    /// Shows the root in force: administrators, keys, witnesses, and how many sign its next version
    Show,
    Propose(Later<propose::ProposeArgs>),
    Endorse(Later<endorse::EndorseArgs>),
}

pub(super) fn run(command: AgencyCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        AgencyCommand::Endorse(Later(args)) => endorse::run(&args, run),
        AgencyCommand::Propose(Later(args)) => propose::run(args, run),
        AgencyCommand::Show => show::run(run),
    }
}
