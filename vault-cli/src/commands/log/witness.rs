//! `casevault log witness`: a witness of an agency's log, which is no part of any vault.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod init;
pub mod run;

/// What to do as a witness.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum WitnessCommand {
    Init(Later<init::InitArgs>),
    Run(Later<run::RunArgs>),
}

pub(super) fn run(command: WitnessCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        WitnessCommand::Init(Later(args)) => init::run(&args, run),
        WitnessCommand::Run(Later(args)) => run::run(args, run),
    }
}
