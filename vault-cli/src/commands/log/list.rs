//! `casevault log list`.

use clap::Args;
use jiff::civil::Date;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::LogListRequest;

/// Lists who read what, when and why, the newest first
///
/// The entries of the devices before a restore are among them. Reading the log is logged too.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Only entries about this case
    #[arg(long, value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// Only from this day on, such as `2026-03-01` or `yesterday`
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub since: Option<Date>,

    /// At most this many entries
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: ListArgs, run: &Invocation) -> Result<(), CliError> {
    let request = LogListRequest {
        case: args.case,
        since: args.since,
        limit: args.limit,
        purpose: run.purpose(args.purpose)?,
    };
    let reply = run.unlock()?.log_list(request)?;
    run.ui.reply(&reply, render::log::list)
}
