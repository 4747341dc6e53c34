//! `casevault case history`.

use clap::Args;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::picker;
use crate::render;
use crate::session::request::CaseHistoryRequest;

/// Shows every version of a client's profile, and what each changed
///
/// Closings and reopenings too, each with its day, who signed it and when.
#[derive(Args, Debug)]
pub struct HistoryArgs {
    /// The case's handle; without it, on a terminal, the name is asked for
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: HistoryArgs, run: &Invocation) -> Result<(), CliError> {
    let purpose = run.purpose(args.purpose)?;
    let (mut session, case) = picker::unlock_for(run, args.case)?;
    let reply = session.case_history(CaseHistoryRequest { case, purpose })?;
    run.ui.reply(&reply, render::case::history)
}
