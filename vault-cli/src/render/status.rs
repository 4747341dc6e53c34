//! What can be told without a passphrase.

use crate::session::reply::StatusReply;

/// Writes the status, what needs doing last.
pub fn status(reply: &StatusReply) -> String {
    let mut out = String::new();
    let mut line = |label: &str, value: &str| out.push_str(&format!("{label:12}{value}\n"));
    line("vault", if reply.initialised { "here" } else { "none yet" });
    line("home", &reply.home);
    for (label, value) in [
        ("agency", &reply.agency),
        ("member", &reply.member),
        ("device", &reply.device),
        ("passphrase", &reply.kdf),
    ] {
        if let Some(value) = value {
            line(label, value);
        }
    }
    line("state", if reply.locked { "locked" } else { "unlocked" });
    line("agent", if reply.agent { "running" } else { "none" });
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
