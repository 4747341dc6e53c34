//! Notes: lists, one note, its history, what a search found.

use vault_core::note::render::{Shown, text};

use super::{count, number, or_dash, table, time};
use crate::session::reply::{NoteFindReply, NoteHistoryReply, NoteListReply, NoteShowReply, NoteView};

/// Writes the notes of a case.
pub fn list(reply: &NoteListReply) -> String {
    if reply.notes.is_empty() {
        return "no notes".to_owned();
    }
    let rows = reply.notes.iter().map(|note| {
        let head = &note.head;
        let mut marks = Vec::new();
        if head.versions > 1 {
            marks.push(format!("amended, version {}", head.version));
        }
        if !head.incomplete.is_empty() {
            marks.push("incomplete".to_owned());
        }
        let marks = if marks.is_empty() {
            String::new()
        } else {
            format!("[{}] ", marks.join(", "))
        };
        [
            head.note.clone(),
            head.occurred_at.as_deref().map_or_else(|| "-".to_owned(), time),
            note.kind.to_string(),
            or_dash(note.section.as_deref()),
            or_dash(head.author.as_deref()),
            or_dash(head.lag.as_deref()),
            format!("{marks}{}", note.summary),
        ]
    });
    let mut out = table(
        ["NOTE", "OCCURRED", "KIND", "SECTION", "WORKER", "LAG", "NOTE BEGINS"],
        rows,
    );
    for note in &reply.notes {
        for quote in note.quotes.iter().flatten() {
            out.push_str(&format!(
                "\n{}  {} said: \"{}\"\n",
                note.head.note,
                or_dash(quote.speaker.as_deref()),
                quote.text.trim_end()
            ));
        }
    }
    out.push_str(&format!("{}\n", count(reply.notes.len() as u64, "note", "notes")));
    if let Some(days) = reply.days_since_quoted {
        let days = u64::try_from(days).unwrap_or(0);
        out.push_str(&format!(
            "the client was last quoted {} ago\n",
            count(days, "day", "days")
        ));
    }
    out
}

/// Writes one note; what was amended is shown struck.
pub fn show(reply: &NoteShowReply) -> String {
    let mut out = one(&reply.view, reply.before.as_ref());
    if reply.left_out > 0 {
        out.push_str(&format!(
            "\n{} left out\n",
            count(reply.left_out as u64, "segment is", "segments are")
        ));
    }
    out
}

/// Writes every version of a note.
pub fn history(reply: &NoteHistoryReply) -> String {
    let mut out = String::new();
    let mut before = None;
    for view in &reply.versions {
        if before.is_some() {
            out.push_str("\n----\n\n");
        }
        out.push_str(&one(view, before));
        before = Some(&view.content);
    }
    out.push_str(&format!(
        "\n{}\n",
        count(reply.versions.len() as u64, "version", "versions")
    ));
    out
}

fn one(view: &NoteView, previous: Option<&vault_core::note::Note>) -> String {
    let head = &view.head;
    let shown = Shown {
        version: head.version,
        previous,
        amended_by: (head.version > 1).then_some(head.signed_by.as_str()),
        role: head.role.as_deref(),
        ..Shown::new(&view.content, &head.note)
    };
    text(&shown)
}

/// Writes what a search found.
pub fn find(reply: &NoteFindReply) -> String {
    let rows = reply.hits.iter().map(|hit| {
        [
            hit.note.clone(),
            hit.case.clone(),
            hit.occurred_at.as_deref().map_or_else(|| "-".to_owned(), time),
            hit.kind.to_string(),
            format!("{} {}", hit.segment, hit.segment_kind),
            hit.snippet.clone(),
        ]
    });
    let mut out = String::new();
    if !reply.hits.is_empty() {
        out.push_str(&table(["NOTE", "CASE", "OCCURRED", "KIND", "SEGMENT", "FOUND"], rows));
    }
    out.push_str(&format!(
        "{} in {} of {} searched\n",
        count(reply.hits.len() as u64, "hit", "hits"),
        count(reply.notes, "note", "notes"),
        number(reply.searched)
    ));
    out
}
