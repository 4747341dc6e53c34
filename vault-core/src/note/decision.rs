//! The decisions of a case with their reasons, the incomplete ones first.

use serde::{Deserialize, Serialize};

use super::gap;
use super::mark::Marks;
use super::model::{Names, Note, SegmentKind};
use super::when::Moment;

/// One decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// When it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Moment>,
    /// The note's handle.
    pub note: String,
    /// The note's version.
    pub version: u32,
    /// The segment's number.
    pub segment: u32,
    /// What was decided.
    pub text: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What was considered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// With what authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// Who wrote it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Whether the author is only attributed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
    /// Whether the kind is the template's and not confirmed by the author.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default_kind: bool,
    /// What it lacks, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<String>,
    /// For whom it is not.
    #[serde(flatten)]
    pub marks: Marks,
}

/// Takes the decisions out of a note.
pub fn decisions(note: &Note, handle: &str, version: u32) -> Vec<Decision> {
    let segments = note.segments.iter().filter(|s| s.kind == SegmentKind::Decision);
    segments
        .map(|segment| Decision {
            occurred_at: note.occurred_at.clone(),
            note: handle.to_owned(),
            version,
            segment: segment.n,
            text: segment.text.clone(),
            why: segment.why.clone(),
            options: segment
                .options
                .iter()
                .flat_map(Names::iter)
                .map(str::to_owned)
                .collect(),
            decided_by: segment.decided_by.clone(),
            authority: segment.authority.clone(),
            author: note.author().map(str::to_owned),
            imported: note.imported.is_some(),
            default_kind: segment.default_kind,
            incomplete: gap::lacks(note, segment).iter().map(gap::Lack::to_string).collect(),
            marks: Marks::of(segment),
        })
        .collect()
}

/// Sorts the incomplete ones first, then by time, then by note and segment.
pub fn sort(decisions: &mut [Decision]) {
    decisions.sort_by(|a, b| {
        let at = |d: &Decision| (d.incomplete.is_empty(), d.occurred_at.as_ref().map(Moment::instant));
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

    #[test]
    fn incomplete_ones_come_first() {
        let reasoned = |n| Segment {
            why: Some("because".into()),
            ..Segment::new(n, SegmentKind::Decision, "reasoned")
        };
        let note = |at: &str| Note {
            occurred_at: Moment::parse(at).ok(),
            segments: vec![
                reasoned(1),
                Segment::new(2, SegmentKind::Decision, "bare"),
                Segment::new(3, SegmentKind::Plan, "p"),
            ],
            ..Note::default()
        };
        let mut all = decisions(&note("2026-03-02"), "n-b", 1);
        all.extend(decisions(&note("2026-03-01"), "n-a", 1));
        sort(&mut all);
        let order: Vec<(&str, u32)> = all.iter().map(|d| (d.note.as_str(), d.segment)).collect();
        assert_eq!(order, [("n-a", 2), ("n-b", 2), ("n-a", 1), ("n-b", 1)]);
        assert_eq!(all[0].incomplete, ["decision without a reason (why:)"]);
        assert!(all[2].incomplete.is_empty());
    }
}
