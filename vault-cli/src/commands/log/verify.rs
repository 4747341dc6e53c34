//! `casevault log verify`.

use crate::commands::verify::tell;
use crate::error::CliError;
use crate::invocation::Invocation;

pub(super) fn run(run: &Invocation) -> Result<(), CliError> {
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.log_verify(watch.task())?;
    drop(watch);
    tell(&reply, run)
}
