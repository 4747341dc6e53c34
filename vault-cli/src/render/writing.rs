//! What is not yet, or no longer, part of a file: drafts, jots, misfiled notes.

use super::{count, number, or_dash, table, time};
use crate::session::OVERVIEW_MINUTES;
use crate::session::reply::{BreachListReply, DraftListReply, JotListReply, JotRow, NoteMisfiledReply};
use vault_core::note::display::escape_line;

/// Most entries of who opened a misfiled note that are shown.
const OPENINGS: usize = 10;

/// Writes the drafts.
pub fn drafts(reply: &DraftListReply) -> String {
    if reply.drafts.is_empty() {
        return "no drafts".to_owned();
    }
    let rows = reply.drafts.iter().map(|draft| {
        let of = match draft.of {
            "amend" => {
                let newer = draft
                    .newer_version
                    .map(|newest| format!(", of which there is version {newest} by now"));
                format!("amends {}{}", or_dash(draft.note.as_deref()), newer.unwrap_or_default())
            }
            "expand" => format!("expands {}", or_dash(draft.jot.as_deref())),
            _ => "new note".to_owned(),
        };
        [
            draft.draft.clone(),
            or_dash(draft.case.as_deref()),
            of,
            time(&draft.saved_at),
            draft.words.clone(),
        ]
    });
    table(["DRAFT", "CASE", "OF", "KEPT", "BEGINS"], rows)
}

/// Writes a jot in one line, to choose it or to say what is dropped.
pub fn jot(jot: &JotRow) -> String {
    let hidden = crate::note_input::hiding::before(&jot.text);
    let words = super::overview::cut(&jot.text);
    let case = jot.case.as_ref().map_or_else(String::new, |case| format!("  {case}"));
    let line = format!("{}{case}  {}  {hidden}{words}", jot.jot, time(&jot.occurred_at));
    escape_line(&line).into_owned()
}

/// Writes the jots.
pub fn jots(reply: &JotListReply) -> String {
    if reply.jots.is_empty() {
        return "no jots".to_owned();
    }
    let rows = reply.jots.iter().map(|jot| {
        [
            jot.jot.clone(),
            or_dash(jot.case.as_deref()),
            time(&jot.occurred_at),
            format!("{}{}", crate::note_input::hiding::before(&jot.text), jot.text),
        ]
    });
    let mut out = table(["JOT", "CASE", "OCCURRED", "WORDS"], rows);
    out.push_str(&format!(
        "{} to expand\n",
        count(reply.jots.len() as u64, "jot", "jots")
    ));
    out
}

/// Says that a hidden note is not in the right file, and how it gets there.
pub fn in_no_file(note: &str) -> String {
    format!(
        "{note} stands in no file now: `casevault note misfiled {note} --to CASE` puts it into the right one, and asks for no \
         reason again"
    )
}

/// Writes what became of a misfiled note.
pub fn misfiled(reply: &NoteMisfiledReply) -> String {
    let right = |to: &str| super::whose(reply.to_label.as_deref(), to);
    let wrong = super::whose(reply.label.as_deref(), &reply.case);
    let mut out = match (&reply.refiled, &reply.to) {
        (Some(note), Some(to)) if reply.there_already => format!(
            "hidden {}\n{} holds it already, as {note}: it was not filed there a second time, and its words there were left as \
             they are\n",
            reply.note,
            right(to)
        ),
        (Some(note), Some(to)) => format!("refiled {} for {} as {note}\n", reply.note, right(to)),
        _ => format!("hidden {}\n{}\n", reply.note, in_no_file(&reply.note)),
    };
    if reply.attachments > 0 {
        let files = count(reply.attachments as u64, "attachment", "attachments");
        out.push_str(&format!("{files} went with it\n"));
    }
    for left in &reply.attachments_left {
        out.push_str(&format!(
            "{} stays behind, hidden: {} ({})\n",
            left.handle, left.cause, left.check
        ));
    }
    out.push_str(&format!(
        "it is hidden from the file of {wrong} from now on, and erased there on a second person's word\n"
    ));
    let stays = reply
        .others
        .iter()
        .filter(|other| Some(&other.note) != reply.refiled.as_ref());
    for other in stays {
        out.push_str(&format!(
            "{} in case {} says the same, and stays to be seen: hide it too if it is wrong there\n",
            other.note, other.case
        ));
    }
    match &reply.opened_by {
        None => out.push_str("who opened it: ask the access reviewer, the log cannot be read here\n"),
        Some(all) if all.is_empty() => out.push_str("no entry of this vault's log says that it was opened\n"),
        Some(all) => {
            out.push_str("opened, by this vault's log:\n");
            for one in all.iter().take(OPENINGS) {
                let what = match one.scope.as_deref() {
                    // Sealed, and shown to nobody by being made; whoever restores it is in the log that it restores.
                    Some("backup") => "backup (sealed, the whole vault)".to_owned(),
                    _ if one.named => one.operation.clone(),
                    _ => format!("{} (the whole case)", one.operation),
                };
                out.push_str(&format!(
                    "  {}  {}  {what}, {}\n",
                    time(&one.at),
                    one.actor,
                    one.purpose
                ));
            }
            if let Some(more @ 1..) = all.len().checked_sub(OPENINGS) {
                out.push_str(&format!(
                    "  and {more} more: `casevault log list --case {}` has them all\n",
                    reply.case
                ));
            }
        }
    }
    if let Some(last) = reply.may_have_shown.last() {
        // One entry stands for the lists of the minutes after it: its own time may be before there was a note.
        let when = match &last.stands_until {
            Some(until) => format!("within {OVERVIEW_MINUTES} minutes before {}", time(until)),
            None => time(&last.at),
        };
        out.push_str(&format!(
            "lists that may have shown words of it: {}, the last {when} by {}\n",
            number(reply.may_have_shown.len() as u64),
            last.actor
        ));
    }
    for one in &reply.unreadable_log {
        out.push_str(&format!(
            "a log that is not readable here, ask the access reviewer: {}: {} ({})\n",
            one.handle, one.cause, one.check
        ));
    }
    out.push_str(&format!(
        "breach question: {}\n",
        reply.breach_question.replace("NOTE", &reply.note)
    ));
    out
}

/// Writes the breach questions that wait.
pub fn breaches(reply: &BreachListReply) -> String {
    if reply.questions.is_empty() {
        return "no breach question is open".to_owned();
    }
    let rows = reply.questions.iter().map(|one| {
        let to = match (&one.refiled, &one.to) {
            (Some(note), Some(to)) => format!("{note} in {to}"),
            _ => "-".to_owned(),
        };
        [
            one.note.clone(),
            one.case.clone(),
            time(&one.at),
            to,
            one.reason.clone(),
        ]
    });
    table(["NOTE", "HIDDEN IN", "MARKED", "REFILED AS", "REASON"], rows)
}
