//! Cases: lists, the overview, the chronology, decisions.

use vault_core::note::SegmentKind;
use vault_core::note::display::escape_line;
use vault_core::note::when::Moment;

use super::{count, number, or_dash, table};
use crate::session::reply::{CaseListReply, CaseRow, CaseShowReply, ChronologyReply, DecisionListReply};

/// Writes one's own caseload.
pub fn list(reply: &CaseListReply) -> String {
    if reply.cases.is_empty() {
        return "no cases yet".to_owned();
    }
    let rows = reply.cases.iter().map(|case| {
        [
            case.case.clone(),
            label(case),
            case.status.clone(),
            number(case.notes),
            or_dash(case.opened.as_deref()),
            or_dash(case.external_id.as_deref()),
        ]
    });
    table(["CASE", "LABEL", "STATUS", "NOTES", "OPENED", "EXTERNAL ID"], rows)
}

/// Writes what a case is called in lists, its flags first, because they matter before a visit.
fn label(case: &CaseRow) -> String {
    let mut words: Vec<String> = case.flags.iter().map(|flag| format!("[{flag}]")).collect();
    words.push(or_dash(case.label.as_deref()));
    words.join(" ")
}

/// Writes a case's overview.
pub fn show(reply: &CaseShowReply) -> String {
    let case = &reply.case;
    let mut out = format!("{}  {}\n", case.case, escape_line(&label(case)));
    let mut facts = vec![case.status.clone()];
    facts.extend(case.opened.as_ref().map(|day| format!("opened {day}")));
    facts.push(count(case.notes, "note", "notes"));
    facts.extend(case.template.as_ref().map(|template| format!("template {template}")));
    facts.extend(case.worker.as_ref().map(|worker| format!("worker {worker}")));
    facts.extend(case.external_id.as_ref().map(|id| format!("external id {id}")));
    out.push_str(&format!("{}\n", escape_line(&facts.join(", "))));
    for block in &reply.overview.blocks {
        out.push_str(&format!("\n{}\n", block.title));
        if block.items.is_empty() {
            out.push_str(&format!("  {}\n", vault_core::note::overview::EMPTY));
        }
        for item in &block.items {
            let opinion = match item.kind {
                Some(SegmentKind::Interpretation) => "Opinion: ",
                _ => "",
            };
            let from: Vec<String> = [item.occurred_at.as_ref().map(Moment::local), item.note.clone()]
                .into_iter()
                .flatten()
                .collect();
            let from = if from.is_empty() {
                String::new()
            } else {
                format!("  ({})", from.join(", "))
            };
            out.push_str(&format!("  {opinion}{}{from}\n", indented(&item.text)));
        }
    }
    out
}

/// Writes a case's chronology.
pub fn chronology(reply: &ChronologyReply) -> String {
    if reply.entries.is_empty() {
        return "nothing is marked significant yet".to_owned();
    }
    let mut out = String::new();
    for row in &reply.entries {
        let entry = &row.entry;
        let when = entry
            .occurred_at
            .as_ref()
            .map_or_else(|| "time not recorded".to_owned(), Moment::local);
        let who = entry.who.as_ref().map_or_else(String::new, |who| format!(" by {who}"));
        let author = or_dash(entry.author.as_deref());
        let author = if entry.imported {
            format!("imported, not signed by {author}")
        } else {
            author
        };
        let late = entry
            .late
            .as_ref()
            .map_or_else(String::new, |late| format!(", RECORDED LATE: {late}"));
        out.push_str(&escape_line(&format!(
            "{when}  {} segment {}  {}{who}  ({author}{late})",
            entry.note,
            entry.segment,
            kind_word(entry.kind, entry.default_kind)
        )));
        out.push_str(&format!("\n  {}\n", indented(&entry.text)));
        if let Some(why) = &entry.why {
            out.push_str(&format!("  why: {}\n", indented(why)));
        }
    }
    out
}

/// Writes a case's decisions.
pub fn decisions(reply: &DecisionListReply) -> String {
    if reply.decisions.is_empty() {
        return "no decisions recorded yet".to_owned();
    }
    let mut out = String::new();
    for row in &reply.decisions {
        let decision = &row.decision;
        let when = decision
            .occurred_at
            .as_ref()
            .map_or_else(|| "time not recorded".to_owned(), Moment::local);
        let head = format!("{when}  {} segment {}", decision.note, decision.segment);
        out.push_str(&format!("{}\n  {}\n", escape_line(&head), indented(&decision.text)));
        let options = decision.options.join("; ");
        for (label, value) in [
            ("why", decision.why.as_deref()),
            ("options", Some(options.as_str()).filter(|options| !options.is_empty())),
            ("decided by", decision.decided_by.as_deref()),
            ("authority", decision.authority.as_deref()),
        ] {
            if let Some(value) = value {
                out.push_str(&format!("  {label}: {}\n", indented(value)));
            }
        }
        for lack in &decision.incomplete {
            out.push_str(&format!("  incomplete: {}\n", escape_line(lack)));
        }
    }
    out
}

/// Names a kind for a reader; what nobody classified is not called an observation.
fn kind_word(kind: SegmentKind, default_kind: bool) -> String {
    match (kind, default_kind) {
        (SegmentKind::Interpretation, _) => "opinion".to_owned(),
        (kind, true) => format!("{kind}, not classified by the author"),
        (SegmentKind::Narrative, false) => "not classified by the author".to_owned(),
        (kind, false) => kind.to_string(),
    }
}

/// Keeps the later lines of a text under its first.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ")
}
