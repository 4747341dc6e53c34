//! The chronology of a case: what mattered, by when it happened, each with its note, late recording marked.

use serde::{Deserialize, Serialize};

use super::mark::Marks;
use super::model::{Note, SegmentKind};
use super::when::{Lag, Moment};

/// One line of a chronology.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Moment>,
    /// When it was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Moment>,
    /// The note's handle.
    pub note: String,
    /// The note's version.
    pub version: u32,
    /// The segment's number.
    pub segment: u32,
    /// What the segment is, so that opinion does not turn into fact here.
    pub kind: SegmentKind,
    /// Whether the kind is the template's and not confirmed by the author.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default_kind: bool,
    /// Of a quote its speaker, of something reported its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// What was written.
    pub text: String,
    /// Of a decision: the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Whether the author is only attributed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
    /// In words, how late it was written down, if later than the limit; or that it was written down before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<String>,
    /// For whom it is not.
    #[serde(flatten)]
    pub marks: Marks,
}

/// Takes a note's significant segments and its decisions; reflections never. Recording later than `limit_minutes` after
/// the event's end counts as late.
pub fn entries(note: &Note, handle: &str, version: u32, limit_minutes: u32) -> Vec<Entry> {
    let lag = match (&note.occurred_at, note.recorded_at()) {
        (Some(occurred), Some(recorded)) => Some(Lag::between(occurred, note.duration_minutes, recorded)),
        _ => None,
    };
    let late = lag
        .filter(|lag| lag.exceeds(limit_minutes) || lag.minutes() < 0)
        .map(|lag| lag.to_string());
    let belongs = |kind, significant| kind == SegmentKind::Decision || (significant && kind != SegmentKind::Reflection);
    let segments = note.segments.iter().filter(|s| belongs(s.kind, s.significant));
    segments
        .map(|segment| Entry {
            occurred_at: note.occurred_at.clone(),
            recorded_at: note.recorded_at().cloned(),
            note: handle.to_owned(),
            version,
            segment: segment.n,
            kind: segment.kind,
            default_kind: segment.default_kind,
            who: segment.speaker.clone().or_else(|| segment.from.clone()),
            text: segment.text.clone(),
            why: segment.why.clone(),
            author: note.author().map(str::to_owned),
            imported: note.imported.is_some(),
            late: late.clone(),
            marks: Marks::of(segment),
        })
        .collect()
}

/// Sorts by when it happened, then by note and segment; what has no time comes last.
pub fn sort(entries: &mut [Entry]) {
    entries.sort_by(|a, b| {
        let at = |e: &Entry| (e.occurred_at.is_none(), e.occurred_at.as_ref().map(Moment::instant));
        at(a)
            .cmp(&at(b))
            .then_with(|| a.note.cmp(&b.note))
            .then(a.segment.cmp(&b.segment))
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::note::Segment;

    fn note(occurred: &str, recorded: &str) -> Note {
        let significant = |n, kind| Segment {
            significant: true,
            ..Segment::new(n, kind, format!("s{n}"))
        };
        Note {
            occurred_at: Moment::parse(occurred).ok(),
            authored_at: Moment::parse(recorded).ok(),
            segments: vec![
                Segment::new(1, SegmentKind::Observation, "small"),
                significant(2, SegmentKind::Observation),
                Segment::new(3, SegmentKind::Decision, "go"),
                significant(4, SegmentKind::Reflection),
            ],
            ..Note::default()
        }
    }

    #[test]
    fn sorted_by_when_it_happened_and_late_is_marked() {
        let late = note("2026-03-01T10:00:00Z", "2026-03-09T10:00:00Z");
        let soon = note("2026-03-05T10:00:00+02:00", "2026-03-05T09:00:00Z");
        let early = note("2026-04-05", "2026-03-05T09:00:00Z");
        let untimed = note("", "2026-03-05T09:00:00Z");
        let mut all = entries(&untimed, "n-0", 1, 1440);
        all.extend(entries(&soon, "n-a", 1, 1440));
        all.extend(entries(&early, "n-c", 1, 1440));
        all.extend(entries(&late, "n-b", 2, 1440));
        sort(&mut all);
        let order: Vec<(&str, u32, Option<&str>)> = all
            .iter()
            .map(|e| (e.note.as_str(), e.segment, e.late.as_deref()))
            .collect();
        let before = Some("recorded beforehand");
        assert_eq!(
            order,
            [
                ("n-b", 2, Some("8 d")),
                ("n-b", 3, Some("8 d")),
                ("n-a", 2, None),
                ("n-a", 3, None),
                ("n-c", 2, before),
                ("n-c", 3, before),
                ("n-0", 2, None),
                ("n-0", 3, None),
            ]
        );
    }

    #[test]
    fn what_was_amended_later_is_not_late() {
        let mut note = note("2026-03-12T14:00:00Z", "2026-04-20T09:30:00Z");
        assert!(
            entries(&note, "n-1", 2, 24 * 60)
                .iter()
                .all(|entry| entry.late.is_some())
        );
        note.first_recorded_at = Moment::parse("2026-03-12T15:00:00Z").ok();
        assert!(
            entries(&note, "n-1", 2, 24 * 60)
                .iter()
                .all(|entry| entry.late.is_none())
        );
    }
}
