//! `casevault sync`.

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::joining;
use crate::render;

pub(super) fn run(run: &Invocation) -> Result<(), CliError> {
    joining::finish(run)?;
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.sync(watch.task())?;
    drop(watch);
    run.ui.reply(&reply, render::server::synced)?;
    Ok(())
}
