//! `casevault server show`.

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::ServerShowRequest;

pub(super) fn run(run: &Invocation) -> Result<(), CliError> {
    let reply = run.unlock()?.server_show(ServerShowRequest {})?;
    run.ui.reply(&reply, render::server::shown)
}
