//! The server and synchronisation, as text.

use super::count;
use super::number;
use crate::session::reply::ServerAddReply;
use crate::session::reply::SyncReply;

/// Writes what naming a server did.
pub fn added(reply: &ServerAddReply) -> String {
    format!(
        "this vault is sent to {}\nsent {}, each proved to be in the log of {}\n",
        reply.url,
        count(reply.sent, "entry", "entries"),
        count(reply.size, "leaf", "leaves")
    )
}

/// Writes what a synchronisation did.
pub fn synced(reply: &SyncReply) -> String {
    let sent = match reply.sent {
        0 => "nothing was waiting to be sent".to_owned(),
        sent => format!("sent {}", count(sent, "entry", "entries")),
    };
    format!("{sent}; the log is verified up to leaf {}\n", number(reply.size))
}
