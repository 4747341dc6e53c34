//! What came in and what went out.

use vault_core::note::display::escape_line;

use super::{count, number};
use crate::session::reply::{ExportReply, ImportReply};

/// So many refused lines are named; of a file of another making, nobody reads thousands.
const NAMED: usize = 30;

/// Writes what came in, the refused lines last.
pub fn import(reply: &ImportReply) -> String {
    let mut out = format!(
        "imported {} ({}, {}, {}), skipped {}, malformed {}\n",
        number(reply.imported),
        count(reply.workers, "worker", "workers"),
        count(reply.cases, "case", "cases"),
        count(reply.notes, "note", "notes"),
        number(reply.skipped),
        number(reply.refused())
    );
    if reply.amended > 0 {
        out.push_str(&format!("{} amended\n", count(reply.amended, "note was", "notes were")));
    }
    if reply.in_future > 0 {
        let dated = count(reply.in_future, "note is", "notes are");
        out.push_str(&format!("{dated} dated in the future\n"));
    }
    if !reply.same_name.is_empty() {
        let cases = count(reply.same_name.len() as u64, "case is", "cases are");
        let named: Vec<_> = reply
            .same_name
            .iter()
            .take(NAMED)
            .map(|case| escape_line(case))
            .collect();
        let more = if reply.same_name.len() > NAMED { ", …" } else { "" };
        out.push_str(&format!(
            "{cases} of a client of the same name as another: {}{more}\n",
            named.join(", ")
        ));
    }
    if !reply.unknown_fields.is_empty() {
        let fields = reply.unknown_fields.iter();
        let fields: Vec<String> = fields
            .map(|(field, lines)| format!("{} ({})", escape_line(field), count(*lines, "line", "lines")))
            .collect();
        out.push_str(&format!(
            "not known here, kept for export alone: {}\n",
            fields.join(", ")
        ));
    }
    for line in reply.malformed.iter().take(NAMED) {
        out.push_str(&format!("line {}: {}\n", line.line, escape_line(&line.why)));
    }
    let more = reply.refused().saturating_sub(NAMED as u64);
    if more > 0 {
        let named = match reply.more_malformed {
            0 => "every one".to_owned(),
            _ => format!("the first {}", number(reply.malformed.len() as u64)),
        };
        out.push_str(&format!("and {} more lines: `--json` names {named}\n", number(more)));
    }
    out
}

/// Writes what went out.
pub fn export(reply: &ExportReply) -> String {
    let mut out = format!(
        "exported {} of {} as {}, {} bytes",
        count(reply.notes, "note", "notes"),
        count(reply.cases, "case", "cases"),
        reply.format,
        number(reply.bytes)
    );
    if !reply.marked.is_empty() {
        let first = reply.marked.iter().take(NAMED);
        let named = first.map(|one| format!("{} {} ({})", one.note, one.segment, one.marks.said()));
        let mut named = escape_line(&named.collect::<Vec<_>>().join(", ")).into_owned();
        if let Some(more @ 1..) = reply.marked.len().checked_sub(NAMED) {
            named.push_str(&format!(", and {} more", number(more as u64)));
        }
        let segments = count(reply.marked.len() as u64, "segment that is", "segments that are");
        out.push_str(&match reply.marked_left_out {
            true => format!(
                "\nleft out {segments} not for everybody: {named}\n`--with-marked` puts them in, for yourself alone"
            ),
            false => {
                format!("\nit holds {segments} not for everybody: {named}\nit is your own copy, not to be handed on")
            }
        });
    }
    out
}
