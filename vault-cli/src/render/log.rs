//! The access log.

use super::{count, number, or_dash, table_or_lines, time};
use crate::session::reply::{LogEntry, LogListReply, LogShowReply};

/// Writes entries, the newest first.
pub fn list(reply: &LogListReply) -> String {
    let rows = reply.entries.iter().map(|entry| {
        [
            entry.entry.to_string(),
            entry.device.clone(),
            entry.at.as_deref().map_or_else(|| "-".to_owned(), time),
            or_dash(entry.actor.as_deref()),
            entry.operation.clone(),
            or_dash(entry.case.as_deref()),
            about(entry),
            or_dash(entry.purpose.as_deref()),
            or_dash(entry.result.as_deref()),
        ]
    });
    // What, when and about what in a line; the rest below it, where the terminal is narrow.
    let lines = reply.entries.iter().map(|entry| {
        let at = entry.at.as_deref().map_or_else(|| "-".to_owned(), time);
        let about = Some(about(entry)).filter(|about| about != "-");
        let what = [Some(entry.operation.clone()), entry.case.clone(), about];
        let of = [
            Some(format!("entry {} of {}", entry.entry, entry.device)),
            entry.actor.as_ref().map(|actor| format!("by {actor}")),
            entry.purpose.clone(),
            entry.result.clone(),
        ];
        let joined = |all: &[Option<String>]| all.iter().flatten().cloned().collect::<Vec<_>>().join(", ");
        [format!("{at}  {}", joined(&what)), joined(&of)]
    });
    let mut out = table_or_lines(
        [
            "ENTRY", "DEVICE", "AT", "WHO", "WHAT", "CASE", "RECORDS", "PURPOSE", "RESULT",
        ],
        rows,
        lines,
    );
    out.push_str(&format!(
        "{} of {} shown\n",
        number(reply.entries.len() as u64),
        count(reply.total, "entry", "entries")
    ));
    for one in &reply.unreadable {
        out.push_str(&format!(
            "not readable here: {}: {} ({})\n",
            one.handle, one.cause, one.check
        ));
    }
    out
}

/// Writes what an entry is about: its notes, its scope, or how many.
fn about(entry: &LogEntry) -> String {
    let named = match entry.records.as_slice() {
        [] => entry.scope.clone(),
        [one] => Some(match &entry.scope {
            Some(scope) => format!("{one}, {scope}"),
            None => one.clone(),
        }),
        [first, rest @ ..] => Some(format!("{first} and {} more", rest.len())),
    };
    named
        .or_else(|| entry.count.map(|n| count(n, "record", "records")))
        .map_or_else(|| "-".to_owned(), |text| or_dash(Some(&text)))
}

/// Writes one entry whole.
pub fn show(reply: &LogShowReply) -> String {
    let entry = &reply.entry;
    let mut out = String::new();
    let mut line = |label: &str, value: Option<&str>| {
        if value.is_some() {
            out.push_str(&format!("{label:11}{}\n", or_dash(value)));
        }
    };
    line("entry", Some(&entry.entry.to_string()));
    line("device", Some(&entry.device));
    line("at", entry.at.as_deref().map(time).as_deref());
    line("who", entry.actor.as_deref());
    line("what", Some(&entry.operation));
    line("case", entry.case.as_deref());
    line("purpose", entry.purpose.as_deref());
    line("reason", entry.reason.as_deref());
    line("relation", entry.relation.as_deref());
    line(
        "records",
        Some(entry.records.join(" ")).filter(|r| !r.is_empty()).as_deref(),
    );
    line("scope", entry.scope.as_deref());
    line("count", entry.count.map(number).as_deref());
    line("result", entry.result.as_deref());
    line("policy", entry.policy.as_deref());
    line("segment", Some(&format!("{}, place {}", reply.segment, reply.index)));
    line("link", Some(&reply.link));
    out
}
