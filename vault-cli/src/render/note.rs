//! Notes: lists, one note, its history, what a search found.

use vault_core::note::display::escape_line;
use vault_core::note::render::{Shown, text};
use vault_core::note::{Note, SegmentKind};

use super::{attributed, count, number, or_dash, table, time, worker};
use crate::session::reply::{
    AsideListReply, AsideRow, AsideShowReply, LeftOut, NoteFindReply, NoteHistoryReply, NoteListReply, NoteShowReply,
    NoteView, SegmentHead,
};

/// Writes what was set aside.
pub fn aside(reply: &AsideListReply) -> String {
    if reply.aside.is_empty() {
        return "nothing was set aside\n".to_owned();
    }
    let lines = reply.aside.iter().map(|row| format!("{}\n", aside_line(row)));
    let lines: String = lines.collect();
    format!(
        "{lines}`casevault note aside --show X` shows one, `--restore X` writes a note again, `--discard X --file REASON` drops it\n"
    )
}

/// Writes something that was set aside, opened.
pub fn aside_shown(reply: &AsideShowReply) -> String {
    let text = match reply.text.is_empty() {
        true => "no note, or one whose key is gone".to_owned(),
        false => reply.text.join("\n\n"),
    };
    format!("{}\n\n{text}\n", aside_line(&reply.row))
}

fn aside_line(row: &AsideRow) -> String {
    let what = match (&row.note, &row.case) {
        (Some(note), Some(case)) => format!("note {note} in {case}"),
        (_, Some(case)) => format!("change in {case}"),
        (_, None) => "change of the agency".to_owned(),
    };
    let why = match (&row.why, row.check) {
        (Some(why), Some(check)) => format!(": {why} (CHK-{check:02})"),
        _ => String::new(),
    };
    format!("{}  {what}{why}", row.aside)
}

/// Writes the notes of a case.
pub fn list(reply: &NoteListReply) -> String {
    listed(reply, false)
}

/// As [`list`], each with its number, to be chosen by.
pub fn numbered(reply: &NoteListReply) -> String {
    listed(reply, true)
}

fn listed(reply: &NoteListReply, is_numbered: bool) -> String {
    if reply.notes.is_empty() {
        return format!("no notes\n{}", hidden(reply));
    }
    let rows = reply.notes.iter().zip(1_u64..).map(|(note, n)| {
        let head = &note.head;
        let mut marks = Vec::new();
        if head.versions > 1 {
            marks.push(format!("amended, version {}", head.version));
        }
        if head.beside > 0 {
            marks.push(format!(
                "{} made apart",
                count(u64::from(head.beside) + 1, "version", "versions")
            ));
        }
        if !head.incomplete.is_empty() {
            marks.push("incomplete".to_owned());
        }
        if note.misfiled {
            marks.push("misfiled, hidden".to_owned());
        }
        let marks = if marks.is_empty() {
            String::new()
        } else {
            format!("[{}] ", marks.join(", "))
        };
        let number = match is_numbered {
            true => format!("{n:>3}  "),
            false => String::new(),
        };
        [
            format!("{number}{}", head.note),
            head.occurred_at.as_deref().map_or_else(|| "-".to_owned(), time),
            note.kind.to_string(),
            or_dash(note.section.as_deref()),
            or_dash(head.author.as_deref().map(worker).as_deref()),
            or_dash(head.lag.as_deref()),
            format!("{marks}{}", begins(note.summary_of.as_ref(), &note.summary)),
        ]
    });
    let mut out = table(
        ["NOTE", "OCCURRED", "KIND", "SECTION", "WORKER", "LAG", "NOTE BEGINS"],
        rows,
    );
    for note in &reply.notes {
        for quote in note.quotes.iter().flatten() {
            out.push_str(&format!(
                "\n{}  {}Said by {}: \"{}\"\n",
                note.head.note,
                escape_line(&quote.marks.to_string()),
                or_dash(quote.speaker.as_deref()),
                quote.text.trim_end()
            ));
        }
    }
    out.push_str(&format!("{}\n", count(reply.notes.len() as u64, "note", "notes")));
    out.push_str(&hidden(reply));
    if let Some(days) = reply.days_since_quoted {
        out.push_str(&match u64::try_from(days) {
            Ok(0) => "the client was last quoted today\n".to_owned(),
            Ok(days) => format!("the client was last quoted {} ago\n", count(days, "day", "days")),
            Err(_) => "the client is quoted in a note of a day to come\n".to_owned(),
        });
    }
    out
}

/// Writes what a note begins with, and whose words they are.
pub(super) fn begins(of: Option<&SegmentHead>, words: &str) -> String {
    of.map_or_else(|| words.to_owned(), |of| attributed(of, words))
}

/// Says how many notes of the case the list does not show, and why.
fn hidden(reply: &NoteListReply) -> String {
    let mut out = String::new();
    let shown = u64::try_from(reply.notes.iter().filter(|note| note.misfiled).count()).unwrap_or(u64::MAX);
    let misfiled = reply.misfiled.saturating_sub(shown);
    if misfiled > 0 {
        let notes = count(misfiled, "note is", "notes are");
        out.push_str(&format!(
            "{notes} hidden as misfiled; `--misfiled` lists them, `--all` among the others\n"
        ));
    }
    if reply.withdrawn > 0 {
        let notes = count(reply.withdrawn, "note was", "notes were");
        out.push_str(&format!("{notes} withdrawn, and the text erased\n"));
    }
    out
}

/// Writes one note; what was amended is shown struck.
pub fn show(reply: &NoteShowReply) -> String {
    let mut out = one(&reply.view, reply.before.as_ref());
    for other in &reply.beside {
        out.push_str(&format!(
            "\nBESIDE IT: version {} too, made apart from the one above; neither replaces the other. `casevault note amend {}` \
             settles it: the new version stands for both.\n\n{}",
            other.head.version,
            other.head.note,
            one(other, None)
        ));
    }
    if reply.left_out > 0 {
        out.push_str(&format!(
            "\n{} left out: {}\n",
            count(reply.left_out as u64, "segment is", "segments are"),
            left_out(&reply.left_out_kinds)
        ));
    }
    if !reply.attachments.is_empty() {
        out.push_str(&format!("\n{}", super::attachment::table(&reply.attachments)));
    }
    out
}

/// Writes which note it is, in a line: handle, day and time, kind, case, and its first words.
pub fn which(view: &NoteView) -> String {
    let mut segments = view.content.segments.iter();
    let first = segments.find(|segment| !segment.text.trim().is_empty());
    let words = first.map(|segment| attributed(&SegmentHead::of(segment), &super::overview::cut(&segment.text)));
    format!(
        "{}  {}  {}  of {}: {}",
        view.head.note,
        super::or_dash(view.head.occurred_at.as_deref().map(time).as_deref()),
        view.content.kind,
        super::whose(view.head.label.as_deref(), &view.head.case),
        words.unwrap_or_default()
    )
}

/// Names what was left out: `2 observations (template's kind, not confirmed), 1 opinion`.
fn left_out(kinds: &[LeftOut]) -> String {
    let words = kinds.iter().map(|left| {
        let kind = match left.kind {
            SegmentKind::Interpretation => "opinion".to_owned(),
            SegmentKind::Intervention => "action".to_owned(),
            kind => kind.to_string(),
        };
        let unconfirmed = if left.confirmed { "" } else { " (not confirmed)" };
        format!("{} {kind}{unconfirmed}", number(left.segments as u64))
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Writes every version of a note.
pub fn history(reply: &NoteHistoryReply) -> String {
    if let Some(withdrawn) = &reply.withdrawn {
        let at = withdrawn
            .at
            .as_deref()
            .map_or_else(|| "at a time that only its device's log tells".to_owned(), time);
        return format!(
            "{} was withdrawn {at} by {}: its text is erased ({}), the signed event stays\n",
            reply.note,
            withdrawn.by,
            count(withdrawn.records, "record", "records")
        );
    }
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

fn one(view: &NoteView, previous: Option<&Note>) -> String {
    let head = &view.head;
    let named = |note: &Note| {
        let mut shown = with_handles(note);
        if note.worker == view.content.worker && head.worker_named.is_some() {
            shown.worker.clone_from(&head.worker_named);
        }
        shown
    };
    let (content, previous) = (named(&view.content), previous.map(named));
    let signed_by = head.signed_by_named.as_deref().unwrap_or(&head.signed_by);
    let zone = crate::session::zone();
    let shown = Shown {
        version: head.version,
        previous: previous.as_ref(),
        amended_by: (head.version > 1).then_some(signed_by),
        signed_by: head.signer.as_deref(),
        role: head.role.as_deref(),
        ..Shown::new(&content, &head.note, &zone)
    };
    text(&shown)
}

/// Copies a note with its worker by the handle, as every other member is shown.
fn with_handles(note: &Note) -> Note {
    let mut note = note.clone();
    note.worker = note.worker.as_deref().map(worker);
    for segment in &mut note.segments {
        segment.done_by = segment.done_by.as_deref().map(worker);
    }
    note
}

/// Writes what a search found.
pub fn find(reply: &NoteFindReply) -> String {
    let rows = reply.hits.iter().map(|hit| {
        [
            hit.note.clone(),
            hit.label.clone().unwrap_or_else(|| hit.case.clone()),
            hit.occurred_at.as_deref().map_or_else(|| "-".to_owned(), time),
            hit.kind.to_string(),
            match (hit.segment, hit.segment_kind) {
                (Some(n), Some(kind)) => {
                    let who = hit.who.as_ref().map(|who| format!(" by {who}"));
                    let kind = match kind {
                        SegmentKind::Interpretation => "opinion",
                        kind => kind.as_str(),
                    };
                    format!("{n} {kind}{}", who.unwrap_or_default())
                }
                _ => hit.field.to_owned(),
            },
            format!("{}{}", hit.marks, hit.snippet),
        ]
    });
    let mut out = String::new();
    if !reply.hits.is_empty() {
        out.push_str(&table(["NOTE", "LABEL", "OCCURRED", "KIND", "SEGMENT", "FOUND"], rows));
    }
    out.push_str(&format!(
        "{} in {} of {} searched\n",
        count(reply.hits.len() as u64, "hit", "hits"),
        count(reply.notes, "note", "notes"),
        number(reply.searched)
    ));
    if reply.also > 0 {
        let notes = count(reply.also, "note holds", "notes hold");
        out.push_str(&format!(
            "{notes} all these words too, in another order or apart: `--words` shows them\n"
        ));
    }
    if reply.hits.is_empty() {
        let whose = match &reply.case {
            Some(case) => format!("the notes of case {case}"),
            None => "the notes of all your cases".to_owned(),
        };
        let how = match reply.terms {
            0 | 1 => "it was looked for as it was typed",
            _ => "a note was to hold every one of them, in any order",
        };
        out.push_str(&format!(
            "searched: the newest versions of {whose}, what was typed in them and names; not attached files, what was struck, \
             or what is misfiled or withdrawn\n{how}: try fewer words, another one, or the beginning of one\n"
        ));
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::session::reply::{self, NoteHead, NoteRow, QuoteRow};
    use vault_core::note::{NoteKind, Segment, SegmentKind};

    fn head() -> NoteHead {
        NoteHead {
            note: "n-19qd3m0x".into(),
            case: "c-7fk2m9qd".into(),
            external_id: None,
            external_case: None,
            version: 2,
            versions: 2,
            beside: 0,
            occurred_at: Some("2026-03-02T14:00:00Z".into()),
            recorded_at: None,
            lag: Some("1 h 15 m".into()),
            lag_minutes: Some(75),
            author: Some("w003".into()),
            role: Some("caseworker".into()),
            signed_by: "m-0kf3aaaa".into(),
            signer: None,
            worker_named: None,
            label: None,
            signed_by_named: None,
            attribution: None,
            incomplete: vec!["segment 2: no reason".into()],
        }
    }

    fn view(text: &str) -> NoteView {
        let mut content = Note::new(NoteKind::new("phone").unwrap());
        content.worker = Some("w003".into());
        content.segments = vec![
            Segment::new(1, SegmentKind::Observation, text),
            Segment::new(2, SegmentKind::Interpretation, "Low mood."),
        ];
        NoteView { head: head(), content }
    }

    #[test]
    fn a_list_marks_what_is_amended_or_incomplete_and_quotes_below() {
        let quote = QuoteRow {
            n: 1,
            speaker: Some("client".into()),
            text: "The mornings are worst.".into(),
            marks: vault_core::note::mark::Marks::default(),
        };
        let mut reply = NoteListReply {
            unopened: Vec::new(),
            schema: reply::NOTE_LIST,
            case: "c-7fk2m9qd".into(),
            external_id: None,
            notes: vec![NoteRow {
                head: head(),
                kind: NoteKind::new("phone").unwrap(),
                section: Some("core".into()),
                misfiled: false,
                segments: 1,
                summary: "The heating".into(),
                summary_of: None,
                quotes: Some(vec![quote]),
            }],
            misfiled: 2,
            withdrawn: 1,
            days_since_quoted: Some(1),
        };
        let text = list(&reply);
        assert!(text.contains("[amended, version 2, incomplete] The heating"), "{text}");
        assert!(
            text.contains("n-19qd3m0x  Said by client: \"The mornings are worst.\"\n1 note\n2 notes are hidden as misfiled; `--misfiled`"),
            "{text}"
        );
        assert!(text.ends_with("the client was last quoted 1 day ago\n"), "{text}");
        assert!(text.contains("\n1 note was withdrawn, and the text erased\n"), "{text}");
        reply.notes[0].misfiled = true;
        assert!(list(&reply).contains("incomplete, misfiled, hidden] The heating"));
        assert!(list(&reply).contains("\n1 note is hidden as misfiled"));
        reply.days_since_quoted = Some(0);
        assert!(list(&reply).ends_with("the client was last quoted today\n"));
    }

    #[test]
    fn opinion_is_called_so_with_its_holder_and_what_was_left_out_is_counted() {
        let before = view("The heating is on.").content;
        let mut reply = NoteShowReply {
            view: view("The heating is off.\u{1b}[2J"),
            beside: Vec::new(),
            before: Some(before),
            left_out: 0,
            left_out_kinds: Vec::new(),
            attachments: Vec::new(),
        };
        let text = show(&reply);
        assert!(text.contains("Opinion (w003, caseworker): Low mood."), "{text}");
        assert!(
            text.contains("The heating is on.") && text.contains("amended by m-0kf3aaaa"),
            "{text}"
        );
        assert!(text.contains("\\u{1b}[2J") && !text.contains('\u{1b}'), "{text}");
        reply.before = None;
        reply.left_out_kinds = reply.view.keep_only(&[SegmentKind::Observation]);
        reply.left_out = 1;
        let text = show(&reply);
        assert!(
            !text.contains("Low mood.") && text.ends_with("\n1 segment is left out: 1 opinion\n"),
            "{text}"
        );
    }

    #[test]
    fn a_segment_whose_kind_nobody_confirmed_is_no_observation() {
        let mut view = view("x");
        view.content.segments[0].default_kind = true;
        let left = view.keep_only(&[SegmentKind::Observation]);
        assert_eq!(super::left_out(&left), "1 observation (not confirmed), 1 opinion");
        assert!(view.content.segments.is_empty());
    }
}
