//! `casevault device`.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod add;
pub mod approve;
pub mod join;
pub mod list;
pub mod lost;
pub mod retire;

/// What to do with devices.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum DeviceCommand {
    Add(Later<add::AddArgs>),
    Join(Later<join::JoinArgs>),
    Approve(Later<approve::ApproveArgs>),
    List(Later<list::ListArgs>),
    Lost(Later<lost::LostArgs>),
    Retire(Later<retire::RetireArgs>),
}

pub(super) fn run(command: DeviceCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        DeviceCommand::Add(Later(args)) => add::run(&args, run),
        DeviceCommand::Approve(Later(args)) => approve::run(args, run),
        DeviceCommand::Join(Later(args)) => join::run(&args, run),
        DeviceCommand::List(Later(args)) => list::run(&args, run),
        DeviceCommand::Lost(Later(args)) => lost::run(args, run),
        DeviceCommand::Retire(Later(args)) => retire::run(args, run),
    }
}
