//! What is dangerous: in the fields of a profile, and in what notes say.
//!
//! A profile keeps the fields of other systems as they came. One that tells of a danger is shown with the dangers whatever
//! it is called (`risk`, `Alerts`, `other.violence_marker`): what is missing there is found on the doorstep.
//!
//! Of notes it is the other way round. Templates have a heading `Safety` in every visit, and most of what stands under it is
//! that nothing was the matter: where all of it were a danger, nobody would read the one that is. So a worker's own word
//! makes it one, and the newest word on safety is told whatever it is:
//!
//! ```text
//! fields of the profile ─> {significant}, a label, {section safeguarding} of its own ─> the newest note's Safety ─> how many more
//! ```

use super::extra::RawJson;
use super::mark::Marks;
use super::model::{Note, Segment, SegmentKind};
use super::overview::{self, Item};
use super::when::Moment;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// How many segments that were made a danger are told, the newest first.
const MARKED: usize = 12;

/// How many segments of the newest note on safety are told beside them.
const NEWEST: usize = 5;

/// How words begin that name a danger, in lower case.
const BEGINNINGS: [&str; 14] = [
    "abus", "aggress", "alert", "assault", "caution", "danger", "firearm", "hazard", "risk", "threat", "unsafe",
    "violen", "warning", "weapon",
];

/// How the words of a label begin that makes a danger of a segment wherever it stands, in lower case. They are fewer than
/// [`BEGINNINGS`]: `abuse` may be of a substance and long ago, and is one only where safety is spoken of.
const LABELS: [&str; 12] = [
    "aggress", "alert", "assault", "danger", "firearm", "hazard", "risk", "safety", "threat", "unsafe", "violen",
    "weapon",
];

/// The fields that are shown with the dangers by their own names.
pub(super) const KNOWN: [&str; 2] = ["danger_to_workers", "contact_restrictions"];

/// The field that is to be known before a visit, and is no danger by itself.
const TRIGGERS: &str = "triggers";

/// Takes the dangers out of the fields of other names, at any depth: each with its field's path, as
/// `other.risk: Never go alone.`
pub(super) fn of_unforeseen(profile: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Value::Object(fields) = profile {
        let others = fields.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str()));
        for (name, value) in others {
            look(name, name, value, &mut found);
        }
    }
    found
}

/// What is told before one meets somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct Dangers {
    /// What is dangerous or forbidden, the profile's first.
    pub items: Vec<Item>,
    /// How much more the notes hold on safety.
    pub more: usize,
}

/// What a segment says of safety.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// A danger: its author made it one.
    Marked,
    /// Something.
    Some,
    /// That there is none.
    Nothing,
}

impl Dangers {
    /// Takes the dangers of a case out of its profile and its notes with their handles, in any order.
    pub fn new(profile: Option<&RawJson>, notes: &[(&Note, &str)]) -> Self {
        let profile = profile.map(RawJson::value).unwrap_or_default();
        let mut items = overview::of_fields(&profile, &KNOWN);
        items.extend(of_unforeseen(&profile).into_iter().map(Item::of_profile));
        items.retain(|item| !says_none(&item.text));
        let mut newest: Vec<&(&Note, &str)> = notes.iter().collect();
        newest.sort_by_key(|(note, _)| Reverse(note.occurred_at.as_ref().map(Moment::instant)));
        let words: Vec<(&(&Note, &str), &Segment, Word)> = newest
            .into_iter()
            .flat_map(|read| {
                let segments = read.0.segments.iter();
                segments.filter_map(move |segment| Some((read, segment, word(read.0, segment)?)))
            })
            .collect();
        let item = |((note, handle), segment, _): &(&(&Note, &str), &Segment, Word)| Item::of(note, handle, segment);
        let all = words.len();
        // What is said again at every visit is told once, by its newest.
        let mut said = BTreeSet::new();
        let words: Vec<_> = words
            .into_iter()
            .filter(|(_, segment, word)| said.insert((*word == Word::Marked, same(segment))))
            .collect();
        let marked = words.iter().filter(|(_, _, word)| *word == Word::Marked);
        let before = items.len();
        items.extend(marked.take(MARKED).map(item));
        let last = words.first().map(|((_, handle), _, _)| *handle);
        let of_last = words.iter().filter(|((_, handle), _, _)| Some(*handle) == last);
        items.extend(
            of_last
                .filter(|(_, _, word)| *word == Word::Some)
                .take(NEWEST)
                .map(item),
        );
        let more = all.saturating_sub(items.len() - before);
        Self { items, more }
    }
}

/// Puts what was made a danger before all else that is said of safety, newest first, and takes out what says the same as one
/// before it; returns how many dangers are to be told whatever else is. A danger must not be hidden by what came after it.
pub(super) fn first<H>(segments: &mut Vec<(&Note, H, &Segment)>) -> usize {
    segments.sort_by_key(|(note, _, segment)| !is_marked(note, segment));
    let mut said = BTreeSet::new();
    segments.retain(|(_, _, segment)| said.insert(same(segment)));
    let marked = segments
        .iter()
        .filter(|(note, _, segment)| is_marked(note, segment))
        .count();
    marked.min(MARKED)
}

/// What makes two segments say the same: kind, whose words, from whom they are kept, and the words whatever their capitals.
fn same(segment: &Segment) -> (SegmentKind, Option<String>, String, String) {
    let words = segment
        .text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase();
    let who = segment.speaker.clone().or_else(|| segment.from.clone());
    (segment.kind, who, Marks::of(segment).to_string(), words)
}

/// Tells whether a note holds what its author made a danger.
pub fn is_marked_in(note: &Note) -> bool {
    let mut words = note.segments.iter().filter_map(|segment| word(note, segment));
    words.any(|word| word == Word::Marked)
}

/// Tells whether a label says that a segment is a danger, whatever it stands under: its own, or one of the whole note.
///
/// Labels of the whole note leave out what is the author's own thinking.
pub(super) fn is_labelled(note: &Note, segment: &Segment) -> bool {
    let says = |labels: &[String]| labels.iter().any(|label| is_label(label));
    let is_reflection = segment.kind == SegmentKind::Reflection;
    !segment.placeholder && (says(&segment.labels) || (!is_reflection && says(&note.labels)))
}

/// Tells whether one of the words of a label is of [`LABELS`]: `high-risk` and `Danger to workers` are, `risk-averse` too.
fn is_label(label: &str) -> bool {
    begins(label, &LABELS)
}

/// Tells whether a segment of a note is what its author made a danger.
pub fn is_marked(note: &Note, segment: &Segment) -> bool {
    word(note, segment) == Some(Word::Marked)
}

/// Lists what a profile said that is to be known before a visit, and says no more: each by its field, as
/// `danger_to_workers: The dog bites.`, where nothing of that field is left. A field in other words is none of them.
pub fn struck_fields(before: &Value, after: &Value) -> Vec<String> {
    let Value::Object(fields) = before else {
        return Vec::new();
    };
    let gone = fields.iter().filter_map(|(name, value)| {
        let said = alerts(name, value);
        let is_left = after.get(name).is_some_and(|value| !alerts(name, value).is_empty());
        (!is_left).then_some(said)
    });
    gone.flatten().collect()
}

/// What a field of a profile holds that is to be known before a visit.
fn alerts(name: &str, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match KNOWN.contains(&name) || name == TRIGGERS {
        true => say(name, value, &mut found),
        false => look(name, name, value, &mut found),
    }
    found.retain(|said| !said.split_once(": ").is_some_and(|(_, text)| says_none(text)));
    found
}

/// Tells what a segment says of safety; nothing where it is of something else.
fn word(note: &Note, segment: &Segment) -> Option<Word> {
    let safety = overview::safety();
    if !safety.takes(note, segment) {
        return None;
    }
    let is_labelled = || {
        let mut labels = segment.labels.iter();
        is_labelled(note, segment) || labels.any(|label| is_danger(label) || safety.is_section(label))
    };
    // Under a template's heading the section is the heading's, and in every visit.
    let is_own_section = || {
        let of_heading = segment
            .heading
            .as_deref()
            .is_some_and(|heading| safety.is_heading(heading));
        !of_heading
            && segment
                .section
                .as_deref()
                .is_some_and(|section| safety.is_section(section))
    };
    Some(match segment.significant || is_labelled() {
        true => Word::Marked,
        false if says_none(&segment.text) => Word::Nothing,
        false if is_own_section() => Word::Marked,
        false => Word::Some,
    })
}

/// Words of which a text consists that says that there is no danger; it begins with one of the first four.
const NONE: [&str; 46] = [
    "no",
    "none",
    "nothing",
    "nil",
    "n",
    "a",
    "na",
    "and",
    "any",
    "applicable",
    "are",
    "at",
    "concern",
    "concerns",
    "current",
    "currently",
    "danger",
    "dangers",
    "for",
    "hazards",
    "identified",
    "is",
    "issues",
    "known",
    "new",
    "not",
    "note",
    "noted",
    "observed",
    "of",
    "or",
    "other",
    "present",
    "problems",
    "recorded",
    "report",
    "reported",
    "risk",
    "risks",
    "safety",
    "seen",
    "there",
    "to",
    "today",
    "was",
    "were",
];

/// Tells whether a text says that there is nothing to tell: `None known`, `no concerns`, `n/a`.
fn says_none(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .peekable();
    let begins = match words.peek() {
        None => return true,
        Some(first) => matches!(*first, "no" | "none" | "nothing" | "nil" | "n" | "na" | "not" | "there"),
    };
    // `not known` is no word that there is none.
    let is_unknown = lower.contains("not known");
    let says_no = lower
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| matches!(word, "no" | "none" | "nothing" | "nil" | "na" | "n" | "not"));
    begins && says_no && !is_unknown && words.all(|word| NONE.contains(&word))
}

/// Looks at a field of this name, at this path.
fn look(path: &str, name: &str, value: &Value, found: &mut Vec<String>) {
    if is_danger(name) {
        say(path, value, found);
        return;
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| look(path, "", value, found)),
        Value::Object(fields) => {
            // Of a list of people it says whose it is.
            let whose = fields.get("name").and_then(Value::as_str);
            let path = whose.map_or_else(|| path.to_owned(), |whose| format!("{path}, {whose}"));
            for (name, value) in fields {
                look(&format!("{path}.{name}"), name, value, found);
            }
        }
        _ => {}
    }
}

/// Says what a field of a danger holds; nothing of one that says no.
fn say(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(false) => {}
        Value::Bool(true) => found.push(path.to_owned()),
        Value::Number(number) => found.push(format!("{path}: {number}")),
        Value::String(text) if text.trim().is_empty() => {}
        Value::String(text) => found.push(format!("{path}: {text}")),
        Value::Array(values) => values.iter().for_each(|value| say(path, value, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                say(&format!("{path}.{name}"), value, found);
            }
        }
    }
}

/// Tells whether one of the words of a field's name is that of a danger: `riskLevel`, `RISK-LEVEL` and `a risk` are.
fn is_danger(name: &str) -> bool {
    begins(name, &BEGINNINGS)
}

/// Tells whether one of the words of a name begins with one of these.
fn begins(name: &str, beginnings: &[&str]) -> bool {
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut before_is_lower = false;
    for c in name.chars() {
        if before_is_lower && c.is_uppercase() {
            spaced.push(' ');
        }
        before_is_lower = c.is_lowercase();
        spaced.push(if c.is_alphanumeric() { c } else { ' ' });
    }
    let spaced = spaced.to_lowercase();
    let mut words = spaced.split_whitespace();
    words.any(|word| beginnings.iter().any(|beginning| word.starts_with(beginning)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn visit(day: &str, segments: &[(&str, Option<&str>, bool)]) -> Note {
        let segments = (1..).zip(segments).map(|(n, (text, heading, significant))| Segment {
            heading: heading.map(str::to_owned),
            section: Some("safeguarding".into()),
            significant: *significant,
            ..Segment::new(n, SegmentKind::Observation, *text)
        });
        Note {
            occurred_at: Moment::parse(day).ok(),
            segments: segments.collect(),
            ..Note::default()
        }
    }

    #[test]
    fn a_danger_that_was_marked_is_not_drowned_by_what_every_visit_says_of_safety() {
        let safety = Some("Safety");
        let mut notes: Vec<Note> = (1..=9)
            .map(|day| visit(&format!("2026-02-0{day}"), &[("The gate was locked.", safety, false)]))
            .collect();
        notes[0] = visit(
            "2026-01-01",
            &[("He has a knife.", safety, true), ("The dog was out.", safety, false)],
        );
        notes[1] = visit("2026-01-02", &[("Never go alone.", None, false)]);
        notes.push(visit(
            "2026-03-01",
            &[("The lock is broken.", safety, false), ("No concerns.", safety, false)],
        ));
        let named: Vec<(&Note, &str)> = notes
            .iter()
            .zip(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"])
            .collect();
        let dangers = Dangers::new(None, &named);
        let texts: Vec<&str> = dangers.items.iter().map(|item| item.text.as_str()).collect();
        assert_eq!(texts, ["Never go alone.", "He has a knife.", "The lock is broken."]);
        // The dog, the seven locked gates, and that there were no concerns.
        assert_eq!(dangers.more, 9);
        assert!(is_marked_in(&notes[0]) && is_marked_in(&notes[1]) && !is_marked_in(&notes[9]));
    }

    #[test]
    fn a_danger_is_not_hidden_by_what_came_after_it_and_is_told_once() {
        let safety = Some("Safety");
        let mut notes: Vec<Note> = (1..=9)
            .map(|day| {
                let calm = format!("The gate was locked on the {day}th.");
                visit(
                    &format!("2026-02-0{day}"),
                    &[(&calm, safety, false), ("The dog bites.", safety, true)],
                )
            })
            .collect();
        notes.insert(0, visit("2026-01-01", &[("He has a knife.", safety, true)]));
        let handles: Vec<String> = (0..notes.len()).map(|n| format!("n-{n}")).collect();
        let named: Vec<(&Note, &str)> = notes.iter().zip(handles.iter().map(String::as_str)).collect();
        let texts = |items: &[Item]| items.iter().map(|item| item.text.clone()).collect::<Vec<_>>();
        let shown = |most: usize| {
            let mut overview = overview::Overview::new(None, &named, most);
            let shown = texts(overview.safety_mut());
            let more = overview
                .blocks
                .iter()
                .find(|block| block.title == overview::SAFETY)
                .map(|block| block.more);
            (shown, more.unwrap_or_default())
        };
        let (first, more) = shown(5);
        assert_eq!(
            first.get(..3).unwrap(),
            ["The dog bites.", "He has a knife.", "The gate was locked on the 9th."]
        );
        assert_eq!((first.len(), more), (5, 14));
        assert_eq!(shown(1).0, ["The dog bites.", "He has a knife."]);
        let (all, more) = shown(usize::MAX);
        assert_eq!((all.len(), more), (19, 0));
        let dangers = Dangers::new(None, &named);
        assert_eq!(
            texts(&dangers.items),
            ["The dog bites.", "He has a knife.", "The gate was locked on the 9th."]
        );
        assert_eq!(dangers.more, 16);
    }

    #[test]
    fn a_label_that_says_danger_makes_one_wherever_it_stands() {
        let labelled = |label: &str, kind: SegmentKind, heading: Option<&str>| {
            let mut note = Note::default();
            note.segments.push(Segment {
                heading: heading.map(str::to_owned),
                labels: vec![label.to_owned()],
                ..Segment::new(1, kind, "He keeps a knife by the door.")
            });
            note
        };
        let texts = |note: &Note| -> usize { Dangers::new(None, &[(note, "n-1")]).items.len() };
        for label in [
            "danger",
            "violence",
            "risk",
            "safety",
            "High-Risk",
            "worker_safety",
            "weapons",
        ] {
            for (kind, heading) in [
                (SegmentKind::Observation, None),
                (SegmentKind::Quote, Some("Home conditions")),
                (SegmentKind::Plan, None),
                (SegmentKind::Decision, None),
                (SegmentKind::Reflection, None),
            ] {
                let note = labelled(label, kind, heading);
                assert!(is_marked_in(&note), "{label}, {kind:?}");
                assert_eq!(texts(&note), 1, "{label}, {kind:?}");
            }
        }
        for label in ["health", "money", "asterisk", "substance-abuse"] {
            assert!(
                !is_marked_in(&labelled(label, SegmentKind::Observation, None)),
                "{label}"
            );
        }
        // Of the whole note.
        let mut note = labelled("health", SegmentKind::Observation, None);
        note.labels = vec!["danger".to_owned()];
        assert_eq!(texts(&note), 1);
        note.segments[0].kind = SegmentKind::Reflection;
        assert_eq!(texts(&note), 0);
        // What was left out of a note is no danger by its place.
        note.segments[0].labels = vec!["danger".to_owned()];
        note.segments[0].placeholder = true;
        assert_eq!(texts(&note), 0);
    }

    #[test]
    fn a_field_that_is_emptied_is_struck_and_one_in_other_words_is_not() {
        let before = serde_json::json!({
            "name": "Elin Farrow", "danger_to_workers": "The dog bites.", "contact_restrictions": ["No calls.", "No mail."],
            "triggers": "Uniforms.", "other": {"risk": "A knife."}, "address": "Birkenweg 9",
        });
        let emptied =
            serde_json::json!({"danger_to_workers": "None known", "triggers": " ", "contact_restrictions": []});
        let mut struck = struck_fields(&before, &emptied);
        struck.sort();
        assert_eq!(
            struck,
            [
                "contact_restrictions: No calls.",
                "contact_restrictions: No mail.",
                "danger_to_workers: The dog bites.",
                "other.risk: A knife.",
                "triggers: Uniforms.",
            ]
        );
        let reworded = serde_json::json!({
            "danger_to_workers": "Two dogs.", "contact_restrictions": "No mail.", "triggers": "Dogs.",
            "other": {"risk": "Two knives."},
        });
        assert_eq!(struck_fields(&before, &reworded), [""; 0]);
        assert_eq!(
            struck_fields(&serde_json::json!({"triggers": "none"}), &Value::Null),
            [""; 0]
        );
    }

    #[test]
    fn a_field_or_a_paragraph_that_says_none_is_no_danger() {
        for none in [
            "None",
            "none known.",
            "No",
            "n/a",
            "-",
            "No concerns today",
            "There were no risks seen",
        ] {
            assert!(says_none(none), "{none}");
        }
        for some in [
            "Not known",
            "No dog, but a knife",
            "No risk assessment was done",
            "Unknown",
            "There is a risk",
            "The dog",
        ] {
            assert!(!says_none(some), "{some}");
        }
        let profile: RawJson =
            serde_json::from_str(r#"{"danger_to_workers":"None known","contact_restrictions":"Father, by order."}"#)
                .unwrap();
        let texts: Vec<String> = Dangers::new(Some(&profile), &[])
            .items
            .into_iter()
            .map(|item| item.text)
            .collect();
        assert_eq!(texts, ["Father, by order."]);
    }

    #[test]
    fn a_danger_is_found_whatever_its_field_is_called_and_wherever_it_stands() {
        let profile = serde_json::json!({
            "name": "Elin Farrow",
            "danger_to_workers": "shown by its own name",
            "Risk": "The stairs are rotten.",
            "ALERTS": ["Two dogs.", "", {"level": "high"}],
            "other": {"violenceMarker": true, "gas_warning": false, "hazards": null, "threat-level": 3},
            "people": [{"name": "Tam", "relation": "son", "weapons": "a knife"}, {"name": "Gwen"}],
            "asterisk": "no danger", "household": "no risk at all is named here",
        });
        let mut found = of_unforeseen(&profile);
        found.sort();
        assert_eq!(
            found,
            [
                "ALERTS.level: high",
                "ALERTS: Two dogs.",
                "Risk: The stairs are rotten.",
                "other.threat-level: 3",
                "other.violenceMarker",
                "people, Tam.weapons: a knife",
            ]
        );
        assert!(of_unforeseen(&Value::Null).is_empty());
    }
}
