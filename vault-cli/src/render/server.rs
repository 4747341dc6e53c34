//! The server and synchronisation, as text.

use super::count;
use super::number;
use crate::session::reply::ServerAddReply;
use crate::session::reply::ServerRemoveReply;
use crate::session::reply::ServerShowReply;
use crate::session::reply::SyncReply;
use std::fmt::Write;

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
    format!(
        "{}\n{waiting}; its log is verified up to leaf {}\n",
        reply.url,
        number(reply.size)
    )
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
