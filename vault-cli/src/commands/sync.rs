//! `casevault sync`.

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;

pub(super) fn run(run: &Invocation) -> Result<(), CliError> {
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.sync(watch.task())?;
    drop(watch);
    run.ui.reply(&reply, render::server::synced)?;
    Ok(())
}
