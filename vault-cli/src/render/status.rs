//! What can be told without a passphrase.

use vault_core::note::display::escape_line;

use crate::agent::AgentStatus;
use crate::session::reply::StatusReply;

/// Says for how long an agent holds the vault open.
pub fn unlocked(agent: &AgentStatus) -> String {
    let (idle, limit) = (length(agent.locks_in_seconds), length(agent.at_most_seconds));
    if agent.locks_in_seconds >= agent.at_most_seconds {
        return format!("unlocked for {limit}");
    }
    format!("unlocked for {idle} from each command on, at most for {limit}")
}

/// Writes a time in hours and minutes, rounded up: an agent that has just begun has its whole time.
fn length(seconds: u64) -> String {
    let minutes = seconds.div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} m"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} m"),
    }
}

/// Writes the status, what needs doing last.
pub fn status(reply: &StatusReply) -> String {
    let mut out = String::new();
    let mut line = |label: &str, value: &str| out.push_str(&format!("{label:12}{value}\n"));
    line("vault", if reply.initialised { "here" } else { "none yet" });
    line("home", &reply.home);
    for (label, value, name) in [
        ("agency", &reply.agency, &reply.agency_name),
        ("member", &reply.member, &reply.member_name),
        ("device", &reply.device, &None),
        ("passphrase", &reply.kdf, &None),
    ] {
        match (value, name) {
            (Some(value), Some(name)) => line(label, &format!("{value} ({})", escape_line(name))),
            (Some(value), None) => line(label, value),
            (None, _) => {}
        }
    }
    line("state", if reply.locked { "locked" } else { "unlocked" });
    let agent = match (reply.locks_in_seconds, reply.at_most_seconds) {
        (Some(idle), Some(limit)) => format!("locks in {}, at the latest in {}", length(idle), length(limit)),
        _ if reply.agent => "does not answer".to_owned(),
        _ => "none".to_owned(),
    };
    line("agent", &agent);
    match (&reply.server_url, reply.unsent) {
        (Some(url), Some(0)) => line("server", &format!("{url}, nothing waits to be sent")),
        (Some(url), Some(unsent)) => {
            let waiting = super::count(unsent, "entry waits", "entries wait");
            line("server", &format!("{url}, {waiting} to be sent"));
        }
        _ if reply.server && reply.locked => line("server", "was named; told while the vault is unlocked"),
        _ => {}
    }
    if let Some(witnessed) = &reply.witnessed {
        let newest = witnessed.newest.as_deref().map(super::time);
        line("witnessed", newest.as_deref().unwrap_or("never"));
    }
    if reply.wrong_tries > 0 {
        line("wrong tries", &reply.wrong_tries.to_string());
    }
    let versions = &reply.versions;
    line(
        "versions",
        &format!(
            "casevault {}, format {}, store {}",
            versions.program, versions.format, versions.store
        ),
    );
    for attention in &reply.attention {
        line("attention", attention);
    }
    out
}
