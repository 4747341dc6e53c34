//! `casevault plan`.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod done;
pub mod list;

/// What to do with plans.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum PlanCommand {
    List(Later<list::ListArgs>),
    Done(Later<done::DoneArgs>),
}

pub(super) fn run(command: PlanCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        PlanCommand::Done(Later(args)) => done::run(args, run),
        PlanCommand::List(Later(args)) => list::run(args, run),
    }
}
