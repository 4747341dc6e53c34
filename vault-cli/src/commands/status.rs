//! `casevault status`.

use crate::agent::Connection;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::Session;

pub(super) fn run(run: &Invocation) -> Result<(), CliError> {
    let places = run.places()?;
    let mut reply = Session::peek_status(&places)?;
    if !run.no_agent()
        && let Some(mut agent) = Connection::find(&places)?
        && let Some(status) = agent.status()?
    {
        reply.locked = false;
        reply.agent = true;
        reply.agent_process = Some(status.process);
        reply.locks_in_seconds = Some(status.locks_in_seconds);
        reply.at_most_seconds = Some(status.at_most_seconds);
        if let Some(names) = status.names {
            reply.member_name = Some(names.member);
            reply.agency_name = Some(names.agency);
        }
        if status.version != reply.versions.program {
            let of = status.version;
            reply.attention.push(format!(
                "the agent is of version {of}: `casevault unlock` ends it and starts one of this version"
            ));
        }
    }
    run.ui.reply(&reply, render::status::status)?;
    if !reply.initialised {
        run.ui
            .hint("make a vault with `casevault init --agency NAME --name NAME`");
    }
    Ok(())
}
