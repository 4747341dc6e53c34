//! Cases: lists, the overview, the chronology, decisions.

use vault_core::note::SegmentKind;
use vault_core::note::display::escape_line;
use vault_core::note::overview::{self, Block, Item};
use vault_core::note::plan::Step;
use vault_core::note::render::set_apart;

use super::{count, number, or_dash, table, worker};
use crate::session::reply::{
    CaseAmendReply, CaseCloseReply, CaseHistoryReply, CaseListReply, CaseReopenReply, CaseRow, CaseShowReply,
    ChronologyReply, DecisionListReply, Namesake, SegmentHead,
};

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
    if case.left {
        words.push("(your access has ended)".to_owned());
    }
    if case.behind {
        words.push("(held back: `casevault sync` says why)".to_owned());
    }
    words.join(" ")
}

/// Writes a case by what tells it from another of the same name.
pub fn namesake(case: &Namesake) -> String {
    let mut facts = vec![case.case.clone()];
    facts.extend(case.date_of_birth.as_ref().map(|born| format!("born {born}")));
    facts.extend(case.opened.as_ref().map(|day| format!("opened {day}")));
    facts.push(case.status.clone());
    escape_line(&facts.join(", ")).into_owned()
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
    // What is known of the case itself comes before what is known of others, and both before all else.
    let (safety, blocks): (Vec<&Block>, Vec<&Block>) = reply
        .overview
        .blocks
        .iter()
        .partition(|block| block.title == overview::SAFETY && !block.items.is_empty());
    blocks_of(&mut out, &safety, case);
    let household = super::overview::household(&reply.household, reply.household_more);
    if !household.is_empty() {
        out.push_str(&format!("\nDangers in the household\n{household}"));
    }
    let person = overview::person(&reply.profile);
    if !person.is_empty() {
        out.push_str("\nPerson\n");
        for (what, known) in person {
            out.push_str(&format!("  {what}: {}\n", escape_line(&known)));
        }
    }
    blocks_of(&mut out, &blocks, case);
    if !reply.left_undone.is_empty() {
        out.push_str(&format!("\nLeft undone: {}\n", reply.left_undone.len()));
        out.push_str(&undone(&reply.left_undone));
    }
    if case.notes > 0 {
        let notes = count(case.notes, "note", "notes");
        out.push_str(&format!(
            "\nOut of {notes}; all of it is in `casevault note list {}`\n",
            case.case
        ));
    }
    out
}

/// What the segment says of itself that an item is of; nothing for one out of the profile.
fn blocks_of(out: &mut String, blocks: &[&Block], case: &CaseRow) {
    for block in blocks {
        out.push_str(&format!("\n{}\n", block.title));
        if block.items.is_empty() {
            out.push_str(&format!("  {}\n", overview::EMPTY));
        }
        for item in &block.items {
            let text = indented(&item.text);
            let text = match (item.kind, head_of(item)) {
                // The block says what it is.
                (Some(SegmentKind::Plan | SegmentKind::Decision), _) => {
                    let fact = |what: &str, value: &Option<String>| {
                        let value = value.as_deref().map(|value| format!("{what}: {}", escape_line(value)));
                        value.into_iter()
                    };
                    let done = super::overview::carried_out(item.done.as_deref(), item.outcome.as_deref());
                    let facts = fact("why", &item.why)
                        .chain(fact("owner", &item.owner))
                        .chain(fact("due", &item.due))
                        .chain(done.map(|done| escape_line(&done).into_owned()));
                    let facts = facts.collect::<Vec<_>>().join(", ");
                    let what = match (item.kind, block.title) {
                        (Some(SegmentKind::Decision), overview::DECISIONS) => "",
                        (Some(SegmentKind::Decision), _) => "Decision: ",
                        _ => "",
                    };
                    let marks = item.marks.to_string();
                    let marks = escape_line(&marks);
                    if facts.is_empty() {
                        format!("{marks}{what}{text}")
                    } else {
                        format!("{marks}{what}{text} [{facts}]")
                    }
                }
                (_, Some(head)) => super::attributed_in_full(&head, &text),
                (_, None) => text,
            };
            let from: Vec<String> = [
                item.occurred_at.as_ref().map(super::moment),
                item.note.clone(),
                also_of(item),
            ]
            .into_iter()
            .flatten()
            .collect();
            let from = if from.is_empty() {
                String::new()
            } else {
                format!("  ({})", escape_line(&from.join(", ")))
            };
            let then = match &item.before_reopening {
                Some(day) => format!("before the case was opened again on {}: ", escape_line(day)),
                None => String::new(),
            };
            out.push_str(&format!("  {then}{text}{from}\n"));
        }
        if block.more > 0 {
            out.push_str(&format!(
                "  and {} more: casevault case show {} --all\n",
                block.more, case.case
            ));
        }
    }
}

/// Says in whose files an item stands too.
pub(super) fn also_of(item: &Item) -> Option<String> {
    let names = (!item.also_of.is_empty()).then(|| item.also_of.join(", "))?;
    Some(format!("also of {names}"))
}

pub(super) fn head_of(item: &Item) -> Option<SegmentHead> {
    Some(SegmentHead {
        kind: item.kind?,
        default_kind: item.default_kind,
        who: item.who.clone(),
        marks: item.marks.clone(),
    })
}

/// Writes that a case is closed, and which steps leave the lists with it.
pub fn closed(reply: &CaseCloseReply) -> String {
    let mut out = format!("closed {} on {}\n", reply.case, reply.closed);
    if !reply.undone.is_empty() {
        let (steps, case) = (count(reply.undone.len() as u64, "step was", "steps were"), &reply.case);
        out.push_str(&format!("{steps} left undone, and no list names them any more:\n"));
        out.push_str(&undone(&reply.undone));
        out.push_str(&format!(
            "they stay in `casevault plan list --case {case}` and `casevault case show {case}`\n"
        ));
    }
    out
}

/// Writes that a case takes notes again.
pub fn reopened(reply: &CaseReopenReply) -> String {
    format!(
        "opened {} again on {}, the reason is {}",
        reply.case, reply.reopened, reply.note
    )
}

/// Writes steps that nobody has carried out, one a line.
pub fn undone(steps: &[Step]) -> String {
    let line = |step: &Step| {
        let owner = step.owner.as_deref().map(|owner| format!("owner: {}", worker(owner)));
        let due = step.due.as_ref().map(|due| format!("due: {due}"));
        let facts: Vec<String> = owner.into_iter().chain(due).collect();
        let facts = match facts.is_empty() {
            true => String::new(),
            false => format!(" [{}]", escape_line(&facts.join(", "))),
        };
        let marks = step.marks.to_string();
        let marks = escape_line(&marks);
        format!(
            "  {marks}{}{facts}  ({}:{})\n",
            indented(&step.text),
            step.note,
            step.segment
        )
    };
    steps.iter().map(line).collect()
}

/// Says what was corrected.
pub fn amended(reply: &CaseAmendReply) -> String {
    if reply.changed.is_empty() {
        return format!("nothing changed in {}", reply.case);
    }
    let fields: Vec<_> = reply.changed.iter().map(|field| escape_line(field)).collect();
    format!(
        "amended {}\nversion {}: {}\n",
        reply.case,
        reply.version,
        fields.join(", ")
    )
}

/// Writes the versions of a client's profile, each by what it changed.
pub fn history(reply: &CaseHistoryReply) -> String {
    let mut out = String::new();
    for version in &reply.versions {
        let at = version
            .at
            .as_deref()
            .map_or_else(|| "time not kept".to_owned(), super::time);
        out.push_str(&format!("version {}  {at}  {}\n", version.version, version.signed_by));
        for change in &version.changes {
            let field = escape_line(&change.field);
            out.push_str(&match version.version {
                _ if change.field == "reopened" => format!("  {field}: {}\n", said(&change.after)),
                1 => format!("  {field}: {}\n", said(&change.after)),
                _ => format!(
                    "  {field}: struck: {}\n  {field}: now: {}\n",
                    said(&change.before),
                    said(&change.after)
                ),
            });
        }
    }
    out.push_str(&format!(
        "{}\n",
        count(reply.versions.len() as u64, "version", "versions")
    ));
    out
}

/// A value in one line: what a field holds, or of an object each of its members by name.
fn said(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "-".to_owned(),
        serde_json::Value::String(text) => escape_line(text).into_owned(),
        serde_json::Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{} {}", escape_line(name), said(value)));
            fields.collect::<Vec<_>>().join(", ")
        }
        other => escape_line(&other.to_string()).into_owned(),
    }
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
            .map_or_else(|| "time not recorded".to_owned(), super::moment);
        let who = entry.who.as_ref().map_or_else(String::new, |who| format!(" by {who}"));
        let author = or_dash(entry.author.as_deref().map(worker).as_deref());
        let author = if entry.imported {
            format!("imported, not signed by {author}")
        } else if let Some(signer) = &row.signer {
            format!("{author}, written and signed by {signer}")
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
        let of = SegmentHead {
            kind: entry.kind,
            default_kind: entry.default_kind,
            who: entry.who.clone(),
            marks: entry.marks.clone(),
        };
        out.push_str(&format!("\n  {}\n", super::attributed(&of, &indented(&entry.text))));
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
            .map_or_else(|| "time not recorded".to_owned(), super::moment);
        let head = format!("{when}  {} segment {}", decision.note, decision.segment);
        let marks = decision.marks.to_string();
        out.push_str(&format!(
            "{}\n  {}{}\n",
            escape_line(&head),
            escape_line(&marks),
            indented(&decision.text)
        ));
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

/// Keeps the later lines of a text under its first, and apart from what is said of it.
fn indented(text: &str) -> String {
    set_apart(text.trim_end()).replace('\n', "\n    ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::session::reply::{self, ChronologyEntry, DecisionRow};
    use vault_core::note::extra::RawJson;
    use vault_core::note::overview::Overview;
    use vault_core::note::{Imported, Note, NoteKind, Segment, chronology, decision};

    fn row() -> CaseRow {
        CaseRow {
            external_id: Some("ext-00001".into()),
            notes: 1302,
            flags: vec!["danger".into()],
            opened: Some("2023-02-06".into()),
            template: Some("adult-social-care".into()),
            worker: Some("w003".into()),
            ..CaseRow::labelled("c-7fk2m9qd", "Ada\u{1b}[31m\nLovelace")
        }
    }

    fn note() -> Note {
        let mut note = Note::new(NoteKind::new("phone").unwrap());
        note.occurred_at = Some(
            "2026-03-02T14:00:00Z"
                .parse::<jiff::Timestamp>()
                .map(vault_core::note::when::Moment::from_instant)
                .unwrap(),
        );
        note.imported = Some(Imported {
            author: Some("w003".into()),
            recorded_at: Some(vault_core::note::when::Moment::parse("2026-03-09T14:00:00Z").unwrap()),
            ..Imported::default()
        });
        let mut quote = Segment::new(1, SegmentKind::Quote, "The mornings are worst.");
        quote.speaker = Some("client".into());
        quote.significant = true;
        let decision = Segment::new(2, SegmentKind::Decision, "Refer.");
        let mut opinion = Segment::new(3, SegmentKind::Interpretation, "Low mood.");
        opinion.significant = true;
        note.segments = vec![quote, decision, opinion];
        note
    }

    #[test]
    fn a_list_has_one_line_a_case_whatever_its_label_holds() {
        let text = list(&CaseListReply {
            unopened: Vec::new(),
            schema: reply::CASE_LIST,
            cases: vec![row()],
        });
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(
            text.contains("[danger] Ada\\u{1b}[31m\\nLovelace") && text.contains("1,302"),
            "{text}"
        );
    }

    #[test]
    fn an_empty_block_says_so_and_opinion_is_named() {
        let profile = serde_json::json!({"name": "Ada"});
        let mut note = note();
        let mut reported = Segment::new(4, SegmentKind::Reported, "Sleeps badly.");
        reported.from = Some("GP".into());
        note.segments.push(reported);
        note.labels = vec!["health".into()];
        let text = show(&CaseShowReply {
            unopened: Vec::new(),
            schema: reply::CASE_SHOW,
            case: row(),
            id: String::new(),
            overview: Overview::new(
                Some(&RawJson::from_value(&profile).unwrap()),
                &[(&note, "n-1")],
                overview::NEWEST,
            ),
            profile,
            left_undone: Vec::new(),
            household: Vec::new(),
            household_more: 0,
        });
        assert!(text.contains("\nOutcome\n  not recorded yet\n"), "{text}");
        assert!(text.contains("  Opinion: Low mood.  ("), "{text}");
        assert!(
            text.contains("  Said by client: \"The mornings are worst.\"  ("),
            "{text}"
        );
        assert!(text.contains("  Reported by GP: Sleeps badly.  ("), "{text}");
        for title in ["Background", "Presenting problem", "Plan", "Progress"] {
            assert!(text.contains(&format!("\n{title}\n")), "{title}: {text}");
        }
    }

    #[test]
    fn a_chronology_marks_who_signed_what_is_opinion_and_what_came_late() {
        let entries = chronology::entries(&note(), "n-19qd3m0x", 1, 24 * 60);
        let text = chronology(&ChronologyReply {
            unopened: Vec::new(),
            schema: reply::CHRONOLOGY_SHOW,
            case: "c-7fk2m9qd".into(),
            external_id: None,
            entries: entries
                .into_iter()
                .map(|entry| ChronologyEntry {
                    entry,
                    external_id: None,
                    signer: None,
                })
                .collect(),
        });
        let first = "2026-03-02 14:00  n-19qd3m0x segment 1  quote by client  \
                     (imported, not signed by w003, RECORDED LATE: 7 d)\n  Said by client: \"The mornings are worst.\"\n";
        assert!(text.starts_with(first), "{text}");
        assert!(text.contains("segment 3  opinion  ("), "{text}");
    }

    #[test]
    fn a_decision_without_its_reason_says_so() {
        let decisions = decision::decisions(&note(), "n-19qd3m0x", 1);
        let text = super::decisions(&DecisionListReply {
            unopened: Vec::new(),
            schema: reply::DECISION_LIST,
            case: "c-7fk2m9qd".into(),
            external_id: None,
            decisions: decisions
                .into_iter()
                .map(|decision| DecisionRow {
                    decision,
                    external_id: None,
                })
                .collect(),
        });
        assert!(text.contains("  Refer.\n"), "{text}");
        assert!(text.contains("  incomplete: "), "{text}");
    }
}
