//! `casevault verify`, and what the other verifying commands share.

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::reply::VerifyReply;

pub(super) fn run(run: &Invocation) -> Result<(), CliError> {
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.verify(watch.task())?;
    drop(watch);
    tell(&reply, run)
}

/// Prints what was verified; failures end the command with their exit code.
pub(super) fn tell(reply: &VerifyReply, run: &Invocation) -> Result<(), CliError> {
    run.ui.reply(reply, render::verify::verify)?;
    match reply.failures.len() {
        0 => Ok(()),
        failures => Err(CliError::VerifyFailed { failures }),
    }
}
