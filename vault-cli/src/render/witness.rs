//! A witness, as text.

use super::count;
use super::number;
use super::time;
use crate::session::reply::WitnessInitReply;
use crate::session::reply::WitnessRunReply;

/// Writes what was made: the line that the root is to name, first.
pub fn made(reply: &WitnessInitReply) -> String {
    format!(
        "{}\nthe secret key is in `{}`; an administrator puts the line above into the agency's root\n",
        reply.verifier, reply.state
    )
}

/// Writes what was cosigned.
pub fn ran(reply: &WitnessRunReply) -> String {
    let since = match reply.before {
        None => ", seen for the first time".to_owned(),
        Some(before) if before == reply.size => ", none since".to_owned(),
        Some(before) => format!(", {} since", number(reply.size.saturating_sub(before))),
    };
    format!(
        "cosigned the log of {} with {}{since}, on {}\n",
        reply.agency,
        count(reply.size, "leaf", "leaves"),
        time(&reply.cosigned)
    )
}
