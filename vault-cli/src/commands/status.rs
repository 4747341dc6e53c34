//! `casevault status`.

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::Session;

pub(super) fn run(run: &Invocation) -> Result<(), CliError> {
    let reply = Session::peek_status(&run.places()?)?;
    run.ui.reply(&reply, render::status::status)?;
    if !reply.initialised {
        run.ui
            .hint("make a vault with `casevault init --agency NAME --name NAME`");
    }
    Ok(())
}
