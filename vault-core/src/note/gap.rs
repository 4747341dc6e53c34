//! What a note leaves open. A gap never prevents saving: it is shown, marked and listed for worker and supervisor.

use std::fmt;

use super::model::{Note, Segment, SegmentKind};
use super::when::Now;

/// One thing that a whole note leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The segment's number; `None` of the note itself.
    pub segment: Option<u32>,
    /// What is open.
    pub lack: Lack,
}

/// What can be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lack {
    /// A segment is cited that the note does not have.
    CitedSegment(u32),
    /// A decision without its reason.
    DecisionWhy,
    /// A text that begins with a word like a mark, and the mark or field that its author may have meant.
    LikeMark(&'static str, &'static str),
    /// A line of the text that begins like the field that is missing, and was not indented.
    LikeField(&'static str),
    /// An interpretation that rests on nothing.
    InterpretationCites,
    /// An interpretation that rests on itself.
    InterpretationCitesItself,
    /// A note that holds nothing.
    NoSegments,
    /// A plan without a due date.
    PlanDue,
    /// A plan with a due date that is no date.
    PlanDueDate,
    /// A plan without an owner.
    PlanOwner,
    /// Verbatim words without a speaker.
    QuoteSpeaker,
    /// The note was recorded before the event happened.
    RecordedEarly,
    /// Something that somebody said, without who.
    ReportedFrom,
    /// A visit that does not say whether the client was seen, who is called so.
    Seen(&'static str),
    /// The client was not seen alone, without a reason.
    SeenAloneWhyNot,
    /// A segment without text.
    Text,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.segment {
            Some(n) => write!(f, "segment {n}: {}", self.lack),
            None => self.lack.fmt(f),
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CitedSegment(n) => return write!(f, "cites segment {n}, which is not there"),
            Self::DecisionWhy => "decision without a reason (why:)",
            Self::LikeMark(word, mark) => {
                return write!(
                    f,
                    "begins with `{word}:`, which is only text; `{mark}:` would say what it is"
                );
            }
            Self::LikeField(field) => {
                return write!(
                    f,
                    "a line begins with `{field}:`, which is only text; two spaces before it make it a field"
                );
            }
            Self::InterpretationCites => "opinion without the segments that it rests on (cites:)",
            Self::InterpretationCitesItself => "opinion that rests on itself (cites:)",
            Self::NoSegments => "nothing was written",
            Self::PlanDue => "plan without a due date (due:)",
            Self::PlanDueDate => "due date is not a date like 2026-03-20",
            Self::PlanOwner => "plan without an owner (owner:)",
            Self::QuoteSpeaker => "quote without a speaker",
            Self::RecordedEarly => "recorded before it happened",
            Self::ReportedFrom => "reported without who said it",
            Self::Seen(who) => return write!(f, "not said whether the {who} was seen (seen:)"),
            Self::SeenAloneWhyNot => "not seen alone, without a reason",
            Self::Text => "no text",
        })
    }
}

/// Lists what a note leaves open, in the order of its segments.
///
/// Meant for a whole note: in a part, segments of other sections count as not there.
pub fn gaps(note: &Note) -> Vec<Gap> {
    let mut found = Vec::new();
    let mut of_note = |open: bool, lack| {
        if open {
            found.push(Gap { segment: None, lack });
        }
    };
    of_note(note.segments.is_empty(), Lack::NoSegments);
    of_note(
        note.seen_alone == Some(false) && note.seen_alone_why_not.is_none(),
        Lack::SeenAloneWhyNot,
    );
    let early = match (&note.occurred_at, note.recorded_at()) {
        (Some(occurred), Some(recorded)) => super::when::Lag::between(occurred, None, recorded).minutes() < 0,
        _ => false,
    };
    of_note(early, Lack::RecordedEarly);
    for segment in &note.segments {
        found.extend(lacks(note, segment).into_iter().map(|lack| Gap {
            segment: Some(segment.n),
            lack,
        }));
    }
    found
}

/// As [`gaps`], of a note as it is read now: what is still to come cannot have been written down after it, and nothing is
/// amiss.
pub fn gaps_by(note: &Note, now: impl FnOnce() -> Now) -> Vec<Gap> {
    let mut found = gaps(note);
    let early = found.iter().position(|gap| gap.lack == Lack::RecordedEarly);
    // Few notes are so early; the others need no clock.
    if let (Some(early), Some(at)) = (early, &note.occurred_at)
        && at.is_ahead(&now())
    {
        found.remove(early);
    }
    found
}

/// Tells what a visit leaves open in a case that asks whether the client was seen; `kinds` are the kinds of note that are
/// such a visit, and `who` is the case's word for the client. Nobody is asked about imported notes, nor before the visit.
pub fn unseen(note: &Note, kinds: &[String], who: &'static str, now: impl FnOnce() -> Now) -> Option<Gap> {
    let is_visit = kinds.iter().any(|kind| kind == note.kind.as_str());
    let is_said = note.seen.is_some() || note.seen_alone.is_some();
    if !is_visit || is_said || note.imported.is_some() || note.misfiled.is_some() {
        return None;
    }
    let is_ahead = note.occurred_at.as_ref().is_some_and(|at| at.is_ahead(&now()));
    (!is_ahead).then_some(Gap {
        segment: None,
        lack: Lack::Seen(who),
    })
}

/// Tells whether one segment leaves anything open.
pub fn is_incomplete(note: &Note, segment: &Segment) -> bool {
    !lacks(note, segment).is_empty()
}

/// Lists what one segment leaves open.
pub fn lacks(note: &Note, segment: &Segment) -> Vec<Lack> {
    if segment.placeholder {
        return Vec::new();
    }
    let blank = |text: &Option<String>| text.as_deref().is_none_or(|t| t.trim().is_empty());
    let mut open = Vec::new();
    let mut add = |is_open: bool, lack| {
        if is_open {
            open.push(lack);
        }
    };
    add(segment.text.trim().is_empty(), Lack::Text);
    if segment.kind == SegmentKind::Narrative || segment.default_kind {
        let (word, mark) = like_mark(&segment.text).unwrap_or_default();
        add(!word.is_empty(), Lack::LikeMark(word, mark));
    }
    for field in like_fields(segment) {
        add(true, Lack::LikeField(field));
    }
    match segment.kind {
        SegmentKind::Decision => add(blank(&segment.why), Lack::DecisionWhy),
        SegmentKind::Interpretation => {
            add(segment.cites.is_empty(), Lack::InterpretationCites);
            add(segment.cites.contains(&segment.n), Lack::InterpretationCitesItself);
        }
        SegmentKind::Plan => {
            add(blank(&segment.owner), Lack::PlanOwner);
            add(blank(&segment.due), Lack::PlanDue);
            add(!blank(&segment.due) && segment.due_date().is_none(), Lack::PlanDueDate);
        }
        SegmentKind::Quote => add(blank(&segment.speaker), Lack::QuoteSpeaker),
        SegmentKind::Reported => add(blank(&segment.from), Lack::ReportedFrom),
        SegmentKind::Intervention | SegmentKind::Narrative | SegmentKind::Observation | SegmentKind::Reflection => {}
    }
    for n in &segment.cites {
        add(note.segment(*n).is_none(), Lack::CitedSegment(*n));
    }
    open
}

/// Finds lines that would be a field of the segment, and one that it lacks, if they were indented.
fn like_fields(segment: &Segment) -> Vec<&'static str> {
    let fields = match segment.kind {
        SegmentKind::Decision => vec![("why", segment.why.is_none()), ("options", segment.options.is_none())],
        SegmentKind::Interpretation => vec![("cites", segment.cites.is_empty())],
        SegmentKind::Plan => vec![("owner", segment.owner.is_none()), ("due", segment.due.is_none())],
        _ => Vec::new(),
    };
    let begins = |field: &str| {
        let names = segment.text.lines().skip(1).filter_map(|line| line.split_once(':'));
        names.into_iter().any(|(name, _)| name.eq_ignore_ascii_case(field))
    };
    let lacked = fields
        .into_iter()
        .filter(|(field, is_lacked)| *is_lacked && begins(field));
    lacked.map(|(field, _)| field).collect()
}

/// Words that people write where a mark or a field is meant.
const LIKE_MARKS: [(&str, &str); 20] = [
    ("action", "act"),
    ("date", "at"),
    ("decided", "dec"),
    ("decision", "dec"),
    ("impression", "int"),
    ("interpretation", "int"),
    ("intervention", "act"),
    ("observation", "obs"),
    ("observed", "obs"),
    ("occurred", "at"),
    ("opinion", "int"),
    ("plans", "plan"),
    ("quote", "said"),
    ("reflection", "priv"),
    ("reported", "rep"),
    ("says", "said"),
    ("significant", "{significant}"),
    ("thoughts", "priv"),
    ("time", "at"),
    ("when", "at"),
];

/// Finds the word at the beginning of a text that is like a mark: it stands before a colon, perhaps with a name.
fn like_mark(text: &str) -> Option<(&'static str, &'static str)> {
    let (head, _) = text.get(..text.len().min(60)).unwrap_or(text).split_once(':')?;
    let mut words = head.split_whitespace();
    let first = words.next()?.to_lowercase();
    if words.count() > 3 || head.contains('\n') {
        return None;
    }
    LIKE_MARKS.into_iter().find(|(word, _)| *word == first)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::note::when::Moment;

    #[test]
    fn each_kind_says_what_it_lacks() {
        let mut note = Note {
            segments: vec![],
            ..Note::default()
        };
        assert_eq!(
            gaps(&note),
            [Gap {
                segment: None,
                lack: Lack::NoSegments
            }]
        );
        note.segments = SegmentKind::ALL
            .into_iter()
            .zip(1..)
            .map(|(kind, n)| Segment::new(n, kind, "x"))
            .collect();
        note.segments[0].cites = vec![1, 99];
        note.segments.push(Segment::placeholder(10));
        note.segments.push(Segment {
            due: Some("soon".into()),
            owner: Some("w".into()),
            ..Segment::new(11, SegmentKind::Plan, " ")
        });
        let found: Vec<(u32, Lack)> = gaps(&note).iter().map(|g| (g.segment.unwrap(), g.lack)).collect();
        assert_eq!(
            found,
            [
                (1, Lack::CitedSegment(99)),
                (3, Lack::QuoteSpeaker),
                (4, Lack::ReportedFrom),
                (5, Lack::InterpretationCites),
                (7, Lack::DecisionWhy),
                (8, Lack::PlanOwner),
                (8, Lack::PlanDue),
                (11, Lack::Text),
                (11, Lack::PlanDueDate),
            ]
        );
        assert_eq!(
            gaps(&note)[0].to_string(),
            "segment 1: cites segment 99, which is not there"
        );
    }

    #[test]
    fn an_opinion_that_rests_on_itself_rests_on_nothing() {
        let mut note = Note {
            segments: vec![
                Segment::new(1, SegmentKind::Observation, "x"),
                Segment::new(2, SegmentKind::Interpretation, "y"),
            ],
            ..Note::default()
        };
        for (cites, found) in [(vec![1], 0), (vec![2], 1), (vec![1, 2], 1)] {
            note.segments[1].cites = cites;
            assert_eq!(gaps(&note).len(), found, "{note:?}");
        }
        assert_eq!(
            gaps(&note)[0].to_string(),
            "segment 2: opinion that rests on itself (cites:)"
        );
    }

    #[test]
    fn a_line_like_the_field_that_is_missing_is_pointed_out() {
        let of = |kind, text: &str| {
            let note = Note {
                segments: vec![Segment::new(1, kind, text)],
                ..Note::default()
            };
            let lacks = gaps(&note).into_iter().map(|gap| gap.lack);
            lacks
                .filter(|lack| matches!(lack, Lack::LikeField(_)))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            of(SegmentKind::Plan, "Ring him.\ndue: friday\nOwner: me"),
            [Lack::LikeField("owner"), Lack::LikeField("due")]
        );
        assert_eq!(
            of(SegmentKind::Decision, "Stop.\nwhy: it is late"),
            [Lack::LikeField("why")]
        );
        assert_eq!(of(SegmentKind::Plan, "due: friday"), []);
        assert_eq!(of(SegmentKind::Reported, "He wrote:\ndue: friday"), []);
    }

    #[test]
    fn a_word_like_a_mark_is_pointed_out_in_what_nobody_classified() {
        let of = |kind, text: &str| {
            let note = Note {
                segments: vec![Segment::new(1, kind, text)],
                ..Note::default()
            };
            gaps(&note).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            of(SegmentKind::Narrative, "Decision: stop the visits"),
            ["segment 1: begins with `decision:`, which is only text; `dec:` would say what it is"]
        );
        assert_eq!(of(SegmentKind::Narrative, "quote client: \"no\"").len(), 1);
        for text in [
            "We made a decision: stop.",
            "Decision",
            "The plan for the decision of May: stop",
            "Żółć: ą",
        ] {
            assert!(of(SegmentKind::Narrative, text).is_empty(), "{text}");
        }
        assert!(of(SegmentKind::Observation, "Decision: as it stood on the door").is_empty());
    }

    #[test]
    fn the_head_says_what_it_lacks() {
        let note = Note {
            occurred_at: Moment::parse("2026-03-12T14:00:00Z").ok(),
            authored_at: Moment::parse("2026-03-12T13:00:00Z").ok(),
            seen_alone: Some(false),
            segments: vec![Segment::new(1, SegmentKind::Narrative, "x")],
            ..Note::default()
        };
        let found: Vec<Lack> = gaps(&note).iter().map(|g| g.lack).collect();
        assert_eq!(found, [Lack::SeenAloneWhyNot, Lack::RecordedEarly]);
        let by = |at: &str| gaps_by(&note, || Now::new(at.parse().unwrap(), jiff::tz::TimeZone::UTC)).len();
        assert_eq!((by("2026-03-12T13:30:00Z"), by("2026-03-12T14:30:00Z")), (1, 2));
    }
}
