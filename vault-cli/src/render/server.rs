//! The server and synchronisation, as text.

use super::count;
use super::number;
use crate::session::reply::ServerAddReply;
use crate::session::reply::ServerRemoveReply;
use crate::session::reply::ServerShowReply;
use crate::session::reply::SyncReply;
use crate::session::reply::WitnessedReply;
use crate::session::reply::WitnessedState;
use std::fmt::Write;
use vault_core::note::display::escape_line;

/// Writes what naming a server did.
pub fn added(reply: &ServerAddReply) -> String {
    format!(
        "this vault is sent to {}\nsent {}, each proved to be in the log of {}\n",
        reply.url,
        count(reply.sent, "entry", "entries"),
        count(reply.size, "leaf", "leaves")
    )
}

/// Writes which server it is.
pub fn shown(reply: &ServerShowReply) -> String {
    let waiting = match reply.waiting {
        0 => "nothing waits to be sent".to_owned(),
        waiting => format!("{} to be sent", count(waiting, "entry waits", "entries wait")),
    };
    let mut text = format!(
        "{}\n{waiting}; its log is verified up to leaf {}\n",
        reply.url,
        number(reply.size)
    );
    let _ = writeln!(text, "its log's key, for a witness: {}", reply.log);
    if let Some(witnessed) = &reply.witnessed {
        text.push_str(&self::witnessed(witnessed));
        text.push('\n');
    }
    text
}

/// Says when witnesses were last there: the newest, or the alarm.
pub fn witnessed(reply: &WitnessedReply) -> String {
    alarm(reply).unwrap_or_else(|| {
        let newest = reply.newest.as_deref().map(super::time).unwrap_or_default();
        let by = reply.witnesses.iter().filter(|one| one.cosigned == reply.newest);
        let by: Vec<_> = by.map(|one| escape_line(&one.name).into_owned()).collect();
        format!("witnessed by {} on {newest}", by.join(", "))
    })
}

/// Says what is wrong with the newest cosignature, if something is.
pub fn alarm(reply: &WitnessedReply) -> Option<String> {
    let newest = reply.newest.as_deref().map(super::time).unwrap_or_default();
    let what = match reply.state {
        WitnessedState::Fresh => return None,
        WitnessedState::Never => "no witness has cosigned the server's log yet".to_owned(),
        WitnessedState::Stale => match reply.unseen_since.as_deref().map(super::time) {
            Some(since) => format!(
                "a witness cosigned the server's log on {newest}, but has not seen what came since: what this device had on \
                 {since} is not in it"
            ),
            None => format!("the newest cosignature of the server's log is of {newest}, more than a day ago"),
        },
        WitnessedState::Ahead => {
            return Some(format!(
                "ALARM: the newest cosignature of the server's log is of {newest}, which is still to come: this machine's \
                 clock is wrong, or the witness's. Set this one right; if it is, tell the data-protection officer"
            ));
        }
    };
    Some(format!(
        "ALARM: {what}: what others wrote may be kept from you. Go on writing; tell the data-protection officer, who asks \
         whoever keeps the witness (docs/operations.md)"
    ))
}

/// Writes that a server was forgotten.
pub fn removed(reply: &ServerRemoveReply) -> String {
    let waiting = match reply.waiting {
        0 => String::new(),
        waiting => format!("; {} not sent", count(waiting, "entry was", "entries were")),
    };
    format!(
        "forgot {}{waiting}\nwhat it has it keeps, sealed; what was proved of its log is kept here, and `casevault server add` \
         takes the same server again\n",
        reply.url
    )
}

/// Writes what a synchronisation did.
pub fn synced(reply: &SyncReply) -> String {
    let sent = match reply.sent {
        0 => "nothing was waiting to be sent".to_owned(),
        sent => format!("sent {}", count(sent, "entry", "entries")),
    };
    let received = match reply.received {
        0 => String::new(),
        received => format!("received {}; ", count(received, "entry", "entries")),
    };
    let mut text = format!(
        "{received}{sent}; the log is verified up to leaf {}\n",
        number(reply.size)
    );
    if let Some(witnessed) = &reply.witnessed {
        text.push_str(&self::witnessed(witnessed));
        text.push('\n');
    }
    for aside in &reply.aside {
        let _ = writeln!(
            text,
            "set aside: what was written here in {} has no place any more: {} (CHK-{:02}); it is kept, sealed",
            aside.of, aside.why, aside.check
        );
    }
    for left in &reply.left {
        let _ = writeln!(
            text,
            "your access to {left} has ended: what is here of it stays and can be read, and no more of it comes until you are \
             let in again"
        );
    }
    for behind in &reply.behind {
        let _ = writeln!(
            text,
            "held back: entry {} of {} came without what it places, and no erasure names it; {} stays as it was here, with \
             what was written in it since, and everything else was taken in and sent. It is asked for again each time. Ask \
             whoever writes in {} to run `casevault sync`; if it stays so, tell the data-protection officer",
            number(behind.entry),
            behind.of,
            behind.of,
            behind.of
        );
    }
    for owed in &reply.owed {
        let _ = writeln!(
            text,
            "not done: new keys of the {} are owed since its members changed, and could not be made: {} (CHK-{:02}); \
             tell an administrator",
            owed.of, owed.why, owed.check
        );
    }
    text
}
