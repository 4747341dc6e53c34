//! `casevault demo`: the main job from end to end on the shipped sample caseload, in a throw-away home.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::SessionError;

/// Shows the main job from end to end on a sample caseload, in a throw-away folder
///
/// Says what it does and what each step proves. Nothing of yours is touched.
#[derive(Args, Debug)]
pub struct DemoArgs {}

pub(super) fn run(args: &DemoArgs, run: &Invocation) -> Result<(), CliError> {
    let _ = (args, run);
    Err(SessionError::Unavailable { what: "demo" }.into())
}
