//! `casevault log show`.

use clap::Args;

use crate::cli::Purpose;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::LogShowRequest;

/// Shows one entry
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The entry's number, as `casevault log list` shows it
    #[arg(value_name = "ENTRY")]
    pub entry: u64,

    /// The device whose entry it is, as `casevault log list` shows it; without it this one
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: ShowArgs, run: &Invocation) -> Result<(), CliError> {
    let request = LogShowRequest {
        entry: args.entry,
        device: args.device,
        purpose: run.purpose(args.purpose)?,
    };
    let reply = run.unlock()?.log_show(request)?;
    run.ui.reply(&reply, render::log::show)
}
