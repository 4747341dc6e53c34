//! The agency's root, as text.

use vault_core::note::display::escape_line;

use super::or_dash;
use crate::session::reply::{AgencyShowReply, NamedMember, ProposalReply};

/// Writes the root in force.
pub fn shown(reply: &AgencyShowReply) -> String {
    let mut out = format!(
        "agency {}, root version {}\n",
        escape_line(reply.name.as_deref().unwrap_or(&reply.agency)),
        reply.version
    );
    let mut row = |name: &str, value: &str| out.push_str(&format!("{name:<16} {value}\n"));
    row("id", &reply.agency);
    let names: Vec<String> = reply.administrators.iter().map(named).collect();
    row("administrators", &names.join(", "));
    row("a new root", &signatures(reply.signatures));
    row("recovery key", &format!("version {}", reply.recovery_version));
    row("log", &or_dash(reply.log.as_deref()));
    match reply.witnesses.as_slice() {
        [] => row(
            "witness",
            "none: who keeps the server could show an older log to a new device",
        ),
        all => all.iter().for_each(|one| row("witness", one)),
    }
    out
}

fn signatures(count: usize) -> String {
    match count {
        1 => "is signed by one administrator".to_owned(),
        count => format!("is signed by {count} administrators"),
    }
}

fn named(one: &NamedMember) -> String {
    match &one.name {
        Some(name) => format!("{} ({})", escape_line(name), one.member),
        None => one.member.clone(),
    }
}

/// Writes what a proposal changes, and who has signed it.
pub fn proposal(reply: &ProposalReply) -> String {
    let mut out = format!("a proposal for version {} of the agency's root:\n", reply.version);
    for change in &reply.changes {
        // Nobody's name writes a line of this.
        let of = change.member.as_deref().map(escape_line);
        let of = of.map_or_else(String::new, |member| format!(" {member}"));
        let (part, before, after) = (&change.part, change.before.as_deref(), change.after.as_deref());
        out.push_str(&match (before.map(escape_line), after.map(escape_line)) {
            (Some(before), Some(after)) => format!("  {part}{of}: {before} -> {after}\n"),
            (None, Some(after)) => format!("  + {part}{of}: {after}\n"),
            (Some(before), None) => format!("  - {part}{of}: {before}\n"),
            (None, None) => format!("  {part}{of}\n"),
        });
    }
    let names: Vec<String> = reply.signed_by.iter().map(named).collect();
    out.push_str(&format!("signed by {}\n", names.join(", ")));
    out
}

/// Writes what a proposal changes, and what became of it.
pub fn proposed(reply: &ProposalReply) -> String {
    format!("{}{}", proposal(reply), ending(reply))
}

fn ending(reply: &ProposalReply) -> String {
    match (reply.in_force, reply.sent) {
        (true, true) => "it is in force\n".to_owned(),
        (true, false) => "it is in force here; not sent yet, `casevault sync` does it\n".to_owned(),
        (false, _) => format!(
            "it is not in force: {} more {} to sign it\n",
            reply.missing,
            if reply.missing == 1 {
                "administrator has"
            } else {
                "administrators have"
            }
        ),
    }
}
