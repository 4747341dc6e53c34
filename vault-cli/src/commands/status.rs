//! `casevault status`.

use crate::agent::{AgentStatus, Connection, Vault};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::reply::StatusReply;
use crate::session::request::ServerShowRequest;
use crate::session::{Session, SessionError};

pub(super) fn run(run: &Invocation) -> Result<(), CliError> {
    let places = run.places()?;
    let mut reply = Session::peek_status(&places)?;
    if !run.no_agent()
        && let Some(mut agent) = Connection::holder(&places)?
    {
        match agent.status() {
            Ok(Some(status)) => {
                tell(&mut reply, status);
                if reply.server {
                    tell_server(&mut reply, run)?;
                }
            }
            Ok(None) => {}
            Err(SessionError::AgentSilent { process }) => {
                reply.locked = false;
                reply.agent = true;
                reply.agent_process = Some(process);
                reply.attention.push(format!(
                    "the agent (process {process}) holds the vault open and does not answer: `casevault lock` ends it"
                ));
            }
            Err(e) => return Err(e.into()),
        }
    }
    run.ui.reply(&reply, render::status::status)?;
    if !reply.initialised {
        run.ui
            .hint("make a vault with `casevault init --agency NAME --name NAME`");
    }
    Ok(())
}

/// Adds what the vault keeps of its server, which an agent of this version can tell.
fn tell_server(reply: &mut StatusReply, run: &Invocation) -> Result<(), CliError> {
    let Some(agent) = run.agent()? else { return Ok(()) };
    match Vault::Agent(agent).server_show(ServerShowRequest {}) {
        Ok(server) => {
            reply.server_url = Some(server.url);
            reply.unsent = Some(server.waiting);
            for case in &server.behind {
                reply.attention.push(format!(
                    "{case} is held back, since something of it came without its bytes: `casevault sync` says what to do"
                ));
            }
            if !server.left.is_empty() {
                let cases = server.left.join(", ");
                reply
                    .attention
                    .push(format!("your access has ended to {cases}: what is here of it stays"));
            }
            if let Some(alarm) = server.witnessed.as_ref().and_then(render::server::alarm) {
                reply.attention.insert(0, alarm);
            }
            (reply.left, reply.behind, reply.witnessed) = (server.left, server.behind, server.witnessed);
        }
        // One that was removed leaves what was proved of it.
        Err(SessionError::Server(_)) => reply.server = false,
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Adds what the agent tells of itself.
fn tell(reply: &mut StatusReply, status: AgentStatus) {
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
