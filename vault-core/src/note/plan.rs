//! The steps that notes plan: who does what by when, and whether it was done.
//!
//! A step is a segment of kind plan. That it was carried out is said in a new version of its note (`done`, `done_by`,
//! `outcome`), signed by whoever says so; a later version can take it back, and both stay.

use std::cmp::Ordering;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::gap;
use super::mark::Marks;
use super::model::{Note, Segment, SegmentKind};
use super::when::{self, Moment};

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The note's handle.
    pub note: String,
    /// The note's version.
    pub version: u32,
    /// The segment's number.
    pub segment: u32,
    /// When it was planned.
    pub planned_at: Option<Moment>,
    /// What is to be done.
    pub text: String,
    /// Who does it.
    pub owner: Option<String>,
    /// By when, as written.
    pub due: Option<String>,
    /// How many days are left, below zero if it is overdue; none without a due date, or where it was done.
    pub days_left: Option<i32>,
    /// On which day it was done.
    pub done: Option<String>,
    /// Who says so.
    pub done_by: Option<String>,
    /// What came of it.
    pub outcome: Option<String>,
    /// What it lacks, in words.
    pub incomplete: Vec<String>,
    /// For whom it is not.
    #[serde(flatten)]
    pub marks: Marks,
}

/// Tells whether a segment is a step of a plan.
pub fn is_step(segment: &Segment) -> bool {
    segment.kind == SegmentKind::Plan && !segment.placeholder
}

/// Tells whether a segment is a step that nobody has carried out.
pub fn is_undone(segment: &Segment) -> bool {
    is_step(segment) && segment.done.is_none()
}

/// Takes the steps out of a note, as they stand on a day.
pub fn steps(note: &Note, handle: &str, version: u32, today: Date) -> Vec<Step> {
    let segments = note.segments.iter().filter(|segment| is_step(segment));
    let step = |segment: &Segment| Step {
        note: handle.to_owned(),
        version,
        segment: segment.n,
        planned_at: note.occurred_at.clone(),
        text: segment.text.clone(),
        owner: segment.owner.clone(),
        due: segment.due.clone(),
        days_left: segment
            .due_date()
            .filter(|_| segment.done.is_none())
            .map(|due| (due - today).get_days()),
        done: segment.done.clone(),
        done_by: segment.done_by.clone(),
        outcome: segment.outcome.clone(),
        incomplete: gap::lacks(note, segment).iter().map(gap::Lack::to_string).collect(),
        marks: Marks::of(segment),
    };
    segments.map(step).collect()
}

/// Orders steps: the longest overdue first, those without a due date last, then by note and segment.
pub fn order(a: &Step, b: &Step) -> Ordering {
    let due = |step: &Step| step.due.as_deref().and_then(when::iso_date);
    let key = |step: &Step| (step.done.is_some(), due(step).is_none(), due(step));
    key(a)
        .cmp(&key(b))
        .then_with(|| a.note.cmp(&b.note))
        .then(a.segment.cmp(&b.segment))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn note(steps: &[(Option<&str>, Option<&str>)]) -> Note {
        let segments = steps.iter().zip(1..).map(|((due, done), n)| Segment {
            due: due.map(str::to_owned),
            done: done.map(str::to_owned),
            owner: Some("me".into()),
            ..Segment::new(n, SegmentKind::Plan, "Ring.")
        });
        Note {
            segments: segments
                .chain([Segment::new(9, SegmentKind::Decision, "Stop.")])
                .collect(),
            ..Note::default()
        }
    }

    #[test]
    fn steps_are_ordered_by_how_much_they_press() {
        let note = note(&[
            (None, None),
            (Some("2026-03-20"), None),
            (Some("2026-02-28"), None),
            (Some("2026-01-01"), Some("2026-01-02")),
            (Some("soon"), None),
        ]);
        let mut all = steps(&note, "n-1", 1, date(2026, 3, 1));
        all.sort_by(order);
        let shown: Vec<_> = all.iter().map(|step| (step.segment, step.days_left)).collect();
        // One day over the end of February; what was done comes last and is never overdue.
        assert_eq!(shown, [(3, Some(-1)), (2, Some(19)), (1, None), (5, None), (4, None)]);
        assert_eq!(all[3].incomplete, ["due date is not a date like 2026-03-20"]);
    }
}
