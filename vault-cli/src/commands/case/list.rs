//! `casevault case list`.

use clap::Args;

use crate::cli::Purpose;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::CaseListRequest;

/// Lists your cases
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Only cases of this status: `open` or `closed`
    #[arg(long, value_name = "STATUS", value_parser = ["open", "closed"])]
    pub status: Option<String>,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: ListArgs, run: &Invocation) -> Result<(), CliError> {
    let request = CaseListRequest {
        status: args.status,
        purpose: run.purpose(args.purpose)?,
    };
    let reply = run.unlock()?.case_list(request)?;
    run.ui.unopened(&reply.unopened);
    run.ui.reply(&reply, render::case::list)
}
