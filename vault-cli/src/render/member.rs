//! Members and devices, as text.

use super::{or_dash, table};
use crate::session::reply::{ApproveReply, ChangedReply, DeviceListReply, InviteReply, JoinReply, MemberListReply};
use crate::ui::Ui;

/// Writes members and invites.
pub fn list(reply: &MemberListReply) -> String {
    let rows = reply.members.iter().map(|one| {
        let own = if one.own { " (you)" } else { "" };
        [
            one.member.clone(),
            format!("{}{own}", or_dash(one.name.as_deref())),
            one.roles.join(", "),
            status(&one.status, one.until.as_deref()),
            one.devices.to_string(),
        ]
    });
    table(["MEMBER", "NAME", "ROLES", "STATUS", "DEVICES"], rows)
}

/// Writes devices and invites.
pub fn devices(reply: &DeviceListReply) -> String {
    let rows = reply.devices.iter().map(|one| {
        let here = if one.here { " (this one)" } else { "" };
        [
            format!("{}{here}", one.device),
            one.member.clone(),
            or_dash(one.name.as_deref()),
            status(&one.status, one.until.as_deref()),
        ]
    });
    table(["DEVICE", "MEMBER", "NAME", "STATUS"], rows)
}

fn status(status: &str, until: Option<&str>) -> String {
    match until {
        Some(until) => format!("{status} until {until}"),
        None => status.to_owned(),
    }
}

/// Writes where a sheet is and what to do with it.
pub fn invited(reply: &InviteReply, path: &str) -> String {
    format!(
        "{} ({}), good until {}; the sheet is in `{path}`",
        reply.name,
        reply.roles.join(", "),
        reply.until
    )
}

/// Writes how far a joining device has got.
pub fn joined(reply: &JoinReply) -> String {
    match reply.enrolled {
        true => format!("on device {}, in {}", reply.device, reply.home),
        false => format!("code {}; waits to be approved", reply.code),
    }
}

/// Writes who was taken in.
pub fn approved(reply: &ApproveReply) -> String {
    let name = reply.name.as_deref().unwrap_or(&reply.member);
    let code = reply
        .code
        .as_ref()
        .map_or_else(String::new, |code| format!(", code {code}"));
    match reply.enrolled {
        true => format!("{name} on device {}{code}", reply.device),
        false => format!(
            "{name}{code}; an administrator has still to enrol it: `casevault device approve {}`",
            reply.device
        ),
    }
}

/// Writes the roles of a member.
pub fn changed(reply: &ChangedReply) -> String {
    format!("{} is {}{}\n", who(reply), reply.roles.join(", "), unsent(reply))
}

/// Writes who or what is gone.
pub fn gone(reply: &ChangedReply) -> String {
    match &reply.device {
        Some(device) => format!("device {device} of {} is retired{}\n", who(reply), unsent(reply)),
        None => format!("{} is gone, with all devices{}\n", who(reply), unsent(reply)),
    }
}

fn who(reply: &ChangedReply) -> String {
    match &reply.name {
        Some(name) => format!("{name} ({})", reply.member),
        None => reply.member.clone(),
    }
}

fn unsent(reply: &ChangedReply) -> &'static str {
    match reply.sent {
        true => "",
        false => "; not sent yet, `casevault sync` does it",
    }
}

/// Says what an officer has still to do.
pub fn still_owed(ui: &Ui, owed: bool) {
    if owed {
        ui.hint("a data-protection officer has still to open the next epoch of the role key: their next `casevault sync` does it");
    }
}

/// Says that an administrator administers only once others have signed a root that names them.
pub fn still_unnamed(ui: &Ui, unnamed: bool, member: &str) {
    if unnamed {
        ui.hint(&format!(
            "the agency's root, which more than one signs, does not name {member} as an administrator yet: \
             `casevault agency propose --administrator {member} --out FILE` begins it"
        ));
    }
}

/// Writes an enrolment sheet for paper: what to do, the rows, and a QR code of them.
pub fn sheet(reply: &InviteReply, command: &str, approve: &str, code: &str) -> String {
    let mut out = format!(
        "# CaseVault enrolment sheet\n#\n# For {} ({}), at {}, good until {}.\n#\n\
         # Keep it to yourself: whoever has it may ask in your place. It is used once.\n\
         # On the new machine, with this as a file, typed or scanned:\n#\n#     {command}\n#\n\
         # Then read the code that it shows to whoever made this sheet; they run\n#\n#     {approve}\n#\n\
         # and the same command again, or `casevault sync`, finishes it. Burn this afterwards.\n\n",
        reply.name, reply.member, reply.server, reply.until
    );
    for row in &reply.rows {
        out.push_str(row);
        out.push('\n');
    }
    out.push('\n');
    out.push_str(code);
    out
}
