//! `casevault agency show`.

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::AgencyShowRequest;

pub(super) fn run(run: &Invocation) -> Result<(), CliError> {
    let reply = run.unlock()?.agency_show(AgencyShowRequest {})?;
    run.ui.reply(&reply, render::agency::shown)
}
