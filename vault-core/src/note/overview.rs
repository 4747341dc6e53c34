//! A case at a glance: background, presenting problem, factors, plan, progress, outcome, each said to be missing where
//! nothing was recorded.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::danger;
use super::display;
use super::extra::RawJson;
use super::mark::Marks;
use super::model::{Note, Segment, SegmentKind};
use super::when::Moment;

/// What an empty block says.
pub const EMPTY: &str = "not recorded yet";

/// The title of the block that is read before a visit.
pub const SAFETY: Title = "Safety";

/// The title of the block of decisions.
pub const DECISIONS: Title = "Decisions";

/// The title of the block that says how the case ended.
pub const OUTCOME: Title = "Outcome";

/// The title of the block of what its authors marked significant.
pub const SIGNIFICANT: Title = "Marked significant";

/// The blocks that are not missed where they are empty: not every case has any.
pub(super) const NOT_OF_EVERY_CASE: [Title; 2] = [DECISIONS, SIGNIFICANT];

/// Fields of a profile that matter before one meets somebody, as they are called.
pub(super) const PERSON: [(&str, &str); 15] = [
    ("date_of_birth", "date of birth"),
    ("address", "address"),
    ("confidential_address", "address, confidential"),
    ("language", "language"),
    ("interpreter", "interpreter"),
    ("communication_needs", "communication needs"),
    ("parental_responsibility", "parental responsibility"),
    ("household", "household"),
    ("mother", "mother"),
    ("father", "father"),
    ("parents", "parents"),
    ("siblings", "siblings"),
    ("children", "children"),
    ("family", "family"),
    ("school", "school"),
];

/// Those of them that are not missed where nothing is known of them: they do not concern everybody.
pub(super) const NOT_MISSED: [&str; 12] = [
    "address",
    "confidential_address",
    "interpreter",
    "parental_responsibility",
    "household",
    "mother",
    "father",
    "parents",
    "siblings",
    "children",
    "family",
    "school",
];

/// How many of the newest segments a block shows, where not all are asked for.
pub const NEWEST: usize = 5;

/// The blocks of a case, in the order of the founding document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// All blocks, empty ones too.
    pub blocks: Vec<Block>,
}

/// A block's title, one of those that there are.
pub type Title = &'static str;

/// One block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Its title.
    #[serde(deserialize_with = "known_title")]
    pub title: Title,
    /// What is known, profile first, then the newest of the notes.
    pub items: Vec<Item>,
    /// How much more the notes hold for it than is shown.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
}

/// One thing known, with where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What was written.
    pub text: String,
    /// The note's handle; none if it is the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The segment's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<u32>,
    /// What the segment is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<SegmentKind>,
    /// Who said or reported it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// When it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Moment>,
    /// Of a plan: who does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Of a plan: by when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Of a plan that was carried out: on which day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<String>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Of a decision: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whether the kind is the template's and not confirmed by the author.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default_kind: bool,
    /// What other cases are called in whose files it stands too, in a note of both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_of: Vec<String>,
    /// The day on which the case was opened again after it was written: the outcome of a closing that was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_reopening: Option<String>,
    /// For whom it is not.
    #[serde(flatten)]
    pub marks: Marks,
}

/// Where a block takes its items from.
pub(super) struct Source {
    title: &'static str,
    /// Fields of the profile, by name or dotted path.
    profile: &'static [&'static str],
    /// Titles of headings, in lower case.
    headings: &'static [&'static str],
    /// Sections and labels.
    sections: &'static [&'static str],
    kinds: &'static [SegmentKind],
    /// Whether what is marked significant stands here, but for decisions.
    significant: bool,
}

/// Where [`SAFETY`] stands among them.
const SAFETY_AT: usize = 2;

const SOURCES: [Source; 11] = [
    Source {
        title: "Background",
        profile: &["background", "history"],
        headings: &["background", "history", "family and background"],
        sections: &[],
        kinds: &[],
        significant: false,
    },
    Source {
        title: "Presenting problem",
        profile: &["presenting_problem", "reason_for_referral"],
        headings: &["presenting problem", "reason for referral", "reason for contact"],
        sections: &[],
        kinds: &[],
        significant: false,
    },
    // Not of the founding document; who goes on a visit has to see it.
    Source {
        title: SAFETY,
        profile: &danger::KNOWN,
        headings: &["safety", "safeguarding", "risks", "dangers"],
        sections: &["safeguarding"],
        kinds: &[],
        significant: false,
    },
    Source {
        title: "Factors: social",
        profile: &["factors.social", "social_factors"],
        headings: &[
            "social",
            "social factors",
            "family and social",
            "housing",
            "home conditions",
        ],
        sections: &["housing", "social"],
        kinds: &[],
        significant: false,
    },
    Source {
        title: "Factors: economic",
        profile: &["factors.economic", "economic_factors"],
        headings: &["economic", "economic factors", "money", "finance"],
        sections: &["finance", "economic"],
        kinds: &[],
        significant: false,
    },
    Source {
        title: "Factors: health",
        profile: &["factors.health", "health_factors"],
        headings: &["health", "health factors"],
        sections: &["health"],
        kinds: &[],
        significant: false,
    },
    Source {
        title: "Plan",
        profile: &["plan"],
        headings: &[],
        sections: &[],
        kinds: &[SegmentKind::Plan],
        significant: false,
    },
    // Not of it either: what was decided, and what its authors marked, is looked for here.
    Source {
        title: DECISIONS,
        profile: &[],
        headings: &[],
        sections: &[],
        kinds: &[SegmentKind::Decision],
        significant: false,
    },
    Source {
        title: SIGNIFICANT,
        profile: &[],
        headings: &[],
        sections: &[],
        kinds: &[],
        significant: true,
    },
    Source {
        title: "Progress",
        profile: &["progress"],
        headings: &["progress"],
        sections: &[],
        kinds: &[SegmentKind::Intervention],
        significant: false,
    },
    Source {
        title: OUTCOME,
        profile: &["outcome", "closure_reason"],
        headings: &["outcome", "ending", "closure", "referral or ending"],
        sections: &[],
        kinds: &[],
        significant: false,
    },
];

/// Reads back a title that this version knows.
fn known_title<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Title, D::Error> {
    let title = String::deserialize(deserializer)?;
    let known = SOURCES.iter().find(|source| source.title == title);
    let known = known.ok_or_else(|| serde::de::Error::custom("no block has this title"))?;
    Ok(known.title)
}

/// Where what is said of safety is taken from.
pub(super) fn safety() -> &'static Source {
    &SOURCES[SAFETY_AT]
}

impl Source {
    /// Tells whether a heading is one of its own.
    pub(super) fn is_heading(&self, heading: &str) -> bool {
        self.headings.contains(&heading.to_lowercase().as_str())
    }

    /// Tells whether a section or a label is one of its own.
    pub(super) fn is_section(&self, name: &str) -> bool {
        self.sections.contains(&name)
    }

    pub(super) fn takes(&self, note: &Note, segment: &Segment) -> bool {
        // Whatever it is and wherever it stands.
        if self.title == SAFETY && danger::is_labelled(note, segment) {
            return true;
        }
        if segment.placeholder || segment.kind == SegmentKind::Reflection {
            return false;
        }
        let heading = segment
            .heading
            .as_deref()
            .is_some_and(|heading| self.is_heading(heading));
        let section = segment.section.as_deref().or(note.section.as_deref());
        let labels = segment.labels.iter().chain(&note.labels).map(String::as_str);
        let named = section
            .into_iter()
            .chain(labels)
            .any(|name| self.sections.contains(&name));
        // A plan in the health section, or under the heading of a factor, is a plan and no factor.
        let of_another = !self.sections.is_empty()
            && matches!(
                segment.kind,
                SegmentKind::Plan | SegmentKind::Intervention | SegmentKind::Decision
            );
        let significant = self.significant && segment.significant && segment.kind != SegmentKind::Decision;
        self.kinds.contains(&segment.kind) || significant || ((heading || named) && !of_another)
    }
}

impl Overview {
    /// Says of outcomes out of the notes `before`, written before the case was last opened again, that it was, on `day`.
    pub fn mark_reopened(&mut self, before: &[String], day: &str) {
        let is_older = |item: &Item| item.note.as_ref().is_some_and(|note| before.contains(note));
        let outcomes = self.blocks.iter().filter(|block| block.title == OUTCOME);
        let of = |item: &Item| (item.note.clone(), item.segment);
        let taken_back: Vec<_> = outcomes
            .flat_map(|block| block.items.iter().filter(|item| is_older(item)).map(of))
            .collect();
        let items = self.blocks.iter_mut().flat_map(|block| &mut block.items);
        for item in items.filter(|item| taken_back.contains(&of(item))) {
            item.before_reopening = Some(day.to_owned());
        }
    }

    /// What it says of safety.
    pub fn safety_mut(&mut self) -> &mut [Item] {
        let found = self.blocks.iter_mut().find(|block| block.title == SAFETY);
        found.map(|block| block.items.as_mut_slice()).unwrap_or_default()
    }

    /// Makes the overview of a case from its profile and its notes with their handles, in the order in which they were written;
    /// of the notes the `most` newest segments of each block.
    pub fn new(profile: Option<&RawJson>, notes: &[(&Note, &str)], most: usize) -> Self {
        let profile = profile.map(RawJson::value).unwrap_or_default();
        // Of what happened in one second, what was written last comes first.
        let mut newest: Vec<&(&Note, &str)> = notes.iter().rev().collect();
        newest.sort_by_key(|(note, _)| std::cmp::Reverse(note.occurred_at.as_ref().map(Moment::instant)));
        let block = |source: &Source| {
            let mut items = of_fields(&profile, source.profile);
            if source.title == SAFETY {
                items.extend(danger::of_unforeseen(&profile).into_iter().map(Item::of_profile));
            }
            let segments = newest.iter().flat_map(|(note, handle)| {
                note.segments
                    .iter()
                    .filter(|s| source.takes(note, s))
                    .map(move |s| (*note, *handle, s))
            });
            let mut segments: Vec<_> = segments.collect();
            let all = segments.len();
            let most = match source.title == SAFETY && most != usize::MAX {
                true => most.max(danger::first(&mut segments)),
                false => most,
            };
            let before = items.len();
            items.extend(
                segments
                    .into_iter()
                    .take(most)
                    .map(|(note, handle, segment)| Item::of(note, handle, segment)),
            );
            Block {
                title: source.title,
                more: all.saturating_sub(items.len() - before),
                items,
            }
        };
        Self {
            blocks: SOURCES.iter().map(block).collect(),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Item {
    /// Makes an item of words of a profile.
    pub(super) fn of_profile(text: String) -> Self {
        Self {
            text,
            note: None,
            segment: None,
            kind: None,
            who: None,
            occurred_at: None,
            owner: None,
            due: None,
            done: None,
            outcome: None,
            why: None,
            default_kind: false,
            also_of: Vec::new(),
            before_reopening: None,
            marks: Marks::default(),
        }
    }

    /// Makes an item of a segment.
    pub(super) fn of(note: &Note, handle: &str, segment: &Segment) -> Self {
        Self {
            text: segment.text.clone(),
            note: Some(handle.to_owned()),
            segment: Some(segment.n),
            kind: Some(segment.kind),
            who: segment.speaker.clone().or_else(|| segment.from.clone()),
            occurred_at: note.occurred_at.clone(),
            owner: segment.owner.clone(),
            due: segment.due.clone(),
            done: segment.done.clone(),
            outcome: segment.outcome.clone(),
            why: segment.why.clone(),
            default_kind: segment.default_kind,
            also_of: Vec::new(),
            before_reopening: None,
            marks: Marks::of(segment),
        }
    }
}

/// Tells what a profile says of the person that matters before one meets them: what it is, and what is known.
pub fn person(profile: &Value) -> Vec<(&'static str, String)> {
    let of = |(field, words): (&'static str, &'static str)| {
        of_fields(profile, &[field])
            .into_iter()
            .map(move |item| (words, item.text))
    };
    PERSON.into_iter().flat_map(of).collect()
}

/// Takes the words of fields out of a profile.
pub(super) fn out_of_profile(profile: Option<&RawJson>, fields: &[&str]) -> Vec<Item> {
    of_fields(&profile.map(RawJson::value).unwrap_or_default(), fields)
}

pub(super) fn of_fields(profile: &Value, fields: &[&str]) -> Vec<Item> {
    let mut items = Vec::new();
    for path in fields {
        let found = path.split('.').try_fold(profile, |value, name| value.get(name));
        collect(found.unwrap_or(&Value::Null), &mut items);
    }
    items
}

/// Takes the words out of a profile's value: a text, a list of them, or named ones.
fn collect(value: &Value, items: &mut Vec<Item>) {
    let mut add = |text: String| {
        if !text.trim().is_empty() {
            items.push(Item::of_profile(text));
        }
    };
    match value {
        Value::Null => {}
        Value::String(text) => add(text.clone()),
        Value::Bool(_) | Value::Number(_) => add(value.to_string()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, items)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) => add(format!("{name}: {text}")),
                    other => add(format!("{name}: {other}")),
                }
            }
        }
    }
}

impl fmt::Display for Overview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, block) in self.blocks.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            writeln!(f, "{}", block.title)?;
            if block.items.is_empty() {
                writeln!(f, "  {EMPTY}")?;
            }
            for item in &block.items {
                item.fmt(f)?;
            }
            if block.more > 0 {
                writeln!(f, "  and {} more", block.more)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("  ")?;
        match self.kind {
            Some(SegmentKind::Narrative) => f.write_str("(not classified) ")?,
            Some(SegmentKind::Interpretation) => f.write_str("(opinion) ")?,
            Some(kind) => write!(f, "({kind}) ")?,
            None => {}
        }
        f.write_str(&display::escape_line(&self.text))?;
        if let (Some(note), Some(segment)) = (&self.note, self.segment) {
            let day = self
                .occurred_at
                .as_ref()
                .and_then(|m| m.as_str().get(..10))
                .unwrap_or("undated");
            write!(f, "  [{note} {segment}, {day}]")?;
        }
        f.write_str("\n")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::note::model::NoteKind;

    #[test]
    fn an_empty_case_says_so_in_every_block() {
        let overview = Overview::new(None, &[], NEWEST);
        let titles: Vec<&str> = overview.blocks.iter().map(|b| b.title).collect();
        assert_eq!(
            titles,
            [
                "Background",
                "Presenting problem",
                "Safety",
                "Factors: social",
                "Factors: economic",
                "Factors: health",
                "Plan",
                "Decisions",
                "Marked significant",
                "Progress",
                "Outcome",
            ]
        );
        assert_eq!(overview.to_string().matches(EMPTY).count(), 11);
    }

    #[test]
    fn what_is_done_is_no_factor_wherever_it_stands() {
        let mut note = Note::new(NoteKind::default());
        note.segments = vec![
            Segment::new(1, SegmentKind::Observation, "The kitchen was cold."),
            Segment::new(2, SegmentKind::Decision, "Lend her the heater."),
            Segment::new(3, SegmentKind::Decision, "Close the case."),
        ];
        for (segment, heading) in note
            .segments
            .iter_mut()
            .zip(["Home conditions", "Home conditions", "Outcome"])
        {
            segment.heading = Some(heading.into());
        }
        let overview = Overview::new(None, &[(&note, "n-1")], NEWEST);
        let block = |title: &str| {
            let block = overview.blocks.iter().find(|b| b.title == title).unwrap();
            block.items.iter().map(|i| i.text.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(block("Factors: social"), ["The kitchen was cold."]);
        assert_eq!(block("Outcome"), ["Close the case."]);
    }

    #[test]
    fn what_is_left_out_of_a_block_is_counted_and_a_danger_stands_in_its_own() {
        let mut note = Note::new(NoteKind::default());
        note.segments = (1..=14)
            .map(|n| Segment {
                section: Some("safeguarding".into()),
                ..Segment::new(n, SegmentKind::Observation, format!("He waits at gate {n}."))
            })
            .collect();
        let overview = Overview::new(None, &[(&note, "n-1")], NEWEST);
        let block = overview.blocks.iter().find(|b| b.title == "Safety").unwrap();
        // Dangers are told up to a dozen, whatever the block shows else.
        assert_eq!((block.items.len(), block.more), (12, 2));
        assert!(overview.to_string().contains("  and 2 more\n"), "{overview}");
    }

    #[test]
    fn blocks_come_from_profile_and_notes() {
        let profile = serde_json::from_str(
            r#"{"background":"Born in Łódź.","factors":{"economic":["rent arrears",{"debt":200}]},"name":"Ada"}"#,
        )
        .unwrap();
        let mut old = Note::from_json(include_bytes!("text/golden_1.json")).unwrap();
        old.segments[0].section = Some("health".into());
        let mut new = old.clone();
        new.occurred_at = Moment::parse("2026-04-01").ok();
        let overview = Overview::new(Some(&profile), &[(&old, "n-old"), (&new, "n-new")], NEWEST);
        let shown = overview.to_string();
        assert!(shown.contains("Background\n  Born in Łódź.\n"));
        assert!(shown.contains("  rent arrears\n  debt: 200\n"));
        assert!(shown.contains("Plan\n  (plan) Walk to the shop together at a quiet hour.  [n-new 6, 2026-04-01]\n"));
        assert!(
            shown.contains("Factors: health\n  (quote) It is the crowds that set it off.  [n-new 1, 2026-04-01]\n")
        );
        assert!(shown.contains("Outcome\n  not recorded yet\n"));
        assert!(!shown.contains("hurried her"), "a reflection is nobody else's");
    }
}
