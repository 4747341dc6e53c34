//! `casevault case verify`.

use clap::Args;

use crate::cli::value;
use crate::commands::verify::tell;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::request::CaseVerifyRequest;

/// Verifies a case's entries, authors and chain
///
/// Ends with exit code 4 if anything was changed, and names it with the check that it failed.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// The case's handle
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: String,
}

pub(super) fn run(args: &VerifyArgs, run: &Invocation) -> Result<(), CliError> {
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.case_verify(
        CaseVerifyRequest {
            case: args.case.clone(),
        },
        watch.task(),
    )?;
    drop(watch);
    tell(&reply, run)
}
