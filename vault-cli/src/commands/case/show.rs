//! `casevault case show`.

use clap::Args;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::CaseShowRequest;

/// Shows what is known: background, problem, factors, plan, progress, outcome
///
/// A block of which nothing is known yet says so.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The case's handle
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: String,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: ShowArgs, run: &Invocation) -> Result<(), CliError> {
    let request = CaseShowRequest {
        case: args.case,
        purpose: run.purpose(args.purpose)?,
    };
    let reply = run.unlock()?.case_show(request)?;
    run.ui.reply(&reply, render::case::show)
}
