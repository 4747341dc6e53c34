//! What an amendment takes back of the amendments before it: a text that was made from an older version undoes what came
//! since, and whoever gives it is told.

use serde::Deserialize;
use serde::Serialize;
use vault_core::note::Note;
use vault_core::note::Segment;
use vault_core::note::SegmentKind;
use vault_core::note::danger;
use vault_core::note::mark::Marks as Hidden;

use crate::note_input::hiding::Lost;

/// What an amendment takes back of what amendments before it did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undoes {
    /// The versions that did it.
    pub versions: Vec<u32>,
    /// How many segments that they brought, new or in new words, are gone from the note.
    pub gone: usize,
    /// How many segments that they struck, or put into other words, are back as they were.
    pub back: usize,
    /// The fields of the first lines that they corrected, and that are again what they were.
    pub fields: Vec<String>,
}

/// A segment without its number, and with the words of what it cites: the same wherever it stands. Marks of what was carried
/// out are told by themselves (`not_done_any_more`).
#[derive(PartialEq)]
struct Said {
    segment: Segment,
    cited: Vec<String>,
}

fn said(note: &Note) -> Vec<Said> {
    let one = |segment: &Segment| {
        let cited = segment.cites.iter().filter_map(|n| note.segment(*n));
        Said {
            cited: cited.map(|cited| cited.text.trim().to_owned()).collect(),
            segment: Segment {
                n: 0,
                cites: Vec::new(),
                done: None,
                done_by: None,
                outcome: None,
                text: segment.text.trim().to_owned(),
                ..segment.clone()
            },
        }
    };
    note.segments.iter().map(one).collect()
}

/// Finds what a new version takes back of what amendments did; `before` holds all of them, the first one first.
pub(super) fn undone(before: &[Note], after: &Note) -> Option<Undoes> {
    let (newest, earlier) = before.split_last()?;
    let (is, was) = (said(after), said(newest));
    let earlier_said: Vec<Vec<Said>> = earlier.iter().map(said).collect();
    // The version after the last of which something is true: the one that changed it.
    let after_last = |at: Option<usize>| at.and_then(|at| u32::try_from(at + 2).ok());
    let mut found = Undoes::default();
    for gone in was.iter().filter(|segment| !is.contains(segment)) {
        let without = earlier_said.iter().rposition(|segments| !segments.contains(gone));
        found.gone += usize::from(without.is_some());
        found.versions.extend(after_last(without));
    }
    for back in is.iter().filter(|segment| !was.contains(segment)) {
        let with = earlier_said.iter().rposition(|segments| segments.contains(back));
        found.back += usize::from(with.is_some());
        found.versions.extend(after_last(with));
    }
    macro_rules! head {
        ($($field:ident $name:literal),+) => {$(
            let with = earlier.iter().rposition(|note| note.$field == after.$field);
            if after.$field != newest.$field && with.is_some() {
                found.fields.push($name.to_owned());
                found.versions.extend(after_last(with));
            }
        )+};
    }
    head!(
        occurred_at "at",
        duration_minutes "for",
        kind "kind",
        labels "labels",
        worker "worker",
        entered_by "entered-by",
        on_behalf_of "on-behalf-of",
        confirmed_by "confirmed-by",
        present "present",
        seen "seen",
        seen_alone "seen-alone",
        seen_alone_why_not "why-not-alone",
        place "place",
        language "language",
        interpreter "interpreter",
        lag_reason "late"
    );
    found.versions.sort_unstable();
    found.versions.dedup();
    (!found.versions.is_empty()).then_some(found)
}

/// A step, decision, quote or danger that an amendment leaves out of the newest version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Struck {
    /// Its number in the version before.
    pub segment: u32,
    /// What it is.
    pub kind: SegmentKind,
    /// Its words.
    pub text: String,
    /// Whether its author had made it a danger.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub danger: bool,
    /// Whether its words are in the note still, and it is only no danger any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unmarked: bool,
    /// For whom they are not.
    #[serde(flatten)]
    pub marks: Hidden,
}

/// Lists the open steps, decisions, quotes and dangers of a note that are not in the amended one any more, nor in other words
/// where they stood. A danger is one of them too where only its mark went.
pub(super) fn struck(before: &Note, after: &Note) -> Vec<Struck> {
    let is_told = |segment: &&Segment| match segment.kind {
        // Of a step that was carried out its mark is missed ([`marks_lost`]).
        SegmentKind::Plan => segment.done.is_none(),
        SegmentKind::Decision | SegmentKind::Quote => true,
        _ => false,
    };
    let words = |segment: &Segment| segment.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let same = |one: &Segment, other: &Segment| one.kind == other.kind && words(one) == words(other);
    let stays = |was: &&Segment| {
        let is_new = |now: &Segment| !before.segments.iter().any(|segment| same(segment, now));
        let reworded = |now: &Segment| now.n == was.n && now.kind == was.kind && is_new(now);
        after.segments.iter().any(|now| same(was, now) || reworded(now))
    };
    let is_danger = |was: &Segment| danger::is_marked(before, was);
    let stays_danger = |was: &Segment| {
        let is_new = |now: &Segment| !before.segments.iter().any(|segment| words(segment) == words(now));
        let mut dangers = after.segments.iter().filter(|now| danger::is_marked(after, now));
        dangers.any(|now| words(now) == words(was) || (now.n == was.n && is_new(now)))
    };
    let named = before.segments.iter().filter_map(|was| {
        let danger = is_danger(was) && !stays_danger(was);
        let is_gone = is_told(&was) && !stays(&was);
        (danger || is_gone).then(|| Struck {
            segment: was.n,
            kind: was.kind,
            text: words(was),
            danger,
            unmarked: danger && after.segments.iter().any(|now| words(now) == words(was)),
            marks: Hidden::of(was),
        })
    });
    named.collect()
}

/// Names the dangers of those, with what becomes of each.
pub(super) fn dangers_lost(struck: &[Struck]) -> impl Iterator<Item = Lost> {
    let dangers = struck.iter().filter(|gone| gone.danger);
    dangers.map(|gone| Lost {
        what: match gone.unmarked {
            true => format!(
                "segment {} was a danger, and is not told before a visit any more",
                gone.segment
            ),
            false => format!("segment {} was a danger, and is not in this version", gone.segment),
        },
        words: format!("{}{}", gone.marks, gone.text),
    })
}

/// What became of the marks of steps that were carried out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// The steps that are there, and not done any more.
    pub(super) undone: Vec<String>,
    /// The steps that were done and are not there any more.
    pub(super) struck: Vec<String>,
}

/// Lists the steps that were carried out, and of which the amended note no longer says so.
pub(super) fn marks_lost(before: &Note, after: &Note) -> Marks {
    let mut lost = Marks::default();
    let words = |step: &Segment| step.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let marked = |step: &Segment| format!("{}{}", Hidden::of(step), words(step));
    for step in before.segments.iter().filter(|step| step.done.is_some()) {
        let same_words = |other: &&Segment| other.kind == SegmentKind::Plan && words(other) == words(step);
        let same = after.segments.iter().find(same_words);
        // In other words where it stood, unless that is another segment that moved up.
        let is_new = |other: &&Segment| {
            let of_before = before
                .segments
                .iter()
                .any(|was| was.n != step.n && words(was) == words(other));
            other.n == step.n && other.kind == SegmentKind::Plan && !of_before
        };
        let same = same.or_else(|| after.segments.iter().find(is_new));
        match same {
            Some(now) if now.done.is_some() => {}
            Some(_) => lost.undone.push(marked(step)),
            None => lost.struck.push(marked(step)),
        }
    }
    lost
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn note(texts: &[&str]) -> Note {
        let segments = (1..)
            .zip(texts)
            .map(|(n, text)| Segment::new(n, SegmentKind::Plan, *text));
        Note {
            segments: segments.collect(),
            ..Note::default()
        }
    }

    fn versions(all: &[&[&str]]) -> Vec<Note> {
        all.iter().map(|texts| note(texts)).collect()
    }

    #[test]
    fn what_an_older_text_takes_back_is_counted_with_the_versions_that_did_it() {
        let before = versions(&[&["a", "b"], &["a", "b", "c"], &["a", "d", "c"]]);
        let undoes = |texts: &[&str]| undone(&before, &note(texts));
        // The text of the first version with something more.
        let found = undoes(&["a", "b", "e"]).unwrap();
        assert_eq!((found.gone, found.back, &*found.versions), (2, 1, &[2, 3][..]));
        // What the first version had may go, and what is new may come.
        assert_eq!(undoes(&["d", "c", "e"]), None);
        let found = undoes(&["a", "d"]).unwrap();
        assert_eq!((found.gone, found.back, &*found.versions), (1, 0, &[2][..]));
        assert_eq!(undone(&before[..1], &note(&[])), None);
    }

    #[test]
    fn a_field_that_is_again_what_it_was_is_named() {
        let at = |place: &str| Note {
            place: Some(place.to_owned()),
            ..note(&["a"])
        };
        let before = [at("the office"), at("her home")];
        let found = undone(&before, &at("the office")).unwrap();
        assert_eq!(
            (&*found.fields, &*found.versions),
            (&["place".to_owned()][..], &[2][..])
        );
        assert_eq!(undone(&before, &at("the school")), None);
    }

    #[test]
    fn what_is_left_out_is_named_and_what_is_put_into_other_words_is_not() {
        let before = note(&["Ring.", "Write."]);
        let gone = |texts: &[&str]| {
            let struck = struck(&before, &note(texts));
            struck.into_iter().map(|one| one.text).collect::<Vec<_>>()
        };
        assert_eq!(gone(&["Write."]), ["Ring."]);
        assert!(gone(&["Write.", "Ring."]).is_empty());
        assert!(gone(&["Ring her.", "Write."]).is_empty());
        assert_eq!(gone(&[]), ["Ring.", "Write."]);
    }

    #[test]
    fn a_danger_that_is_left_out_or_is_one_no_more_is_named() {
        let noted = |all: &[(&str, &str)]| {
            let segments = (1..).zip(all).map(|(n, (text, label))| Segment {
                labels: vec![(*label).to_owned()],
                ..Segment::new(n, SegmentKind::Observation, *text)
            });
            Note {
                segments: segments.collect(),
                ..Note::default()
            }
        };
        let before = noted(&[("He has a knife.", "danger"), ("It was warm.", "home")]);
        let told = |all: &[(&str, &str)]| {
            let struck = struck(&before, &noted(all));
            struck
                .into_iter()
                .map(|one| (one.text, one.danger, one.unmarked))
                .collect::<Vec<_>>()
        };
        let knife = "He has a knife.".to_owned();
        assert_eq!(told(&[("It was warm.", "home")]), [(knife.clone(), true, false)]);
        assert_eq!(
            told(&[("It was warm.", "home"), ("He has a knife.", "home")]),
            [(knife.clone(), true, true)]
        );
        assert_eq!(told(&[("He has none.", "home")]), [(knife, true, false)]);
        assert!(told(&[("It was warm.", "home"), ("He has a knife.", "danger")]).is_empty());
        assert!(told(&[("He has two knives.", "danger")]).is_empty());
    }

    #[test]
    fn words_that_are_not_for_everybody_are_named_with_their_mark() {
        let mut before = note(&["Ring.", "Write."]);
        for step in &mut before.segments {
            step.hide_from = vault_core::note::Names::from_list(vec!["father".to_owned()]);
        }
        before.segments[1].done = Some("2026-03-12".to_owned());
        let gone = struck(&before, &note(&[])).remove(0);
        assert_eq!(format!("{}{}", gone.marks, gone.text), "NOT FOR father: Ring.");
        assert_eq!(
            marks_lost(&before, &note(&["Write."])).undone,
            ["NOT FOR father: Write."]
        );
        assert_eq!(marks_lost(&before, &note(&[])).struck, ["NOT FOR father: Write."]);
    }

    #[test]
    fn a_step_that_was_done_is_missed_wherever_it_stood() {
        let mut before = note(&["Ring.", "Write."]);
        before.segments[0].done = Some("2026-03-12".to_owned());
        let lost = |texts: &[&str]| marks_lost(&before, &note(texts));
        let names = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            (lost(&["Write."]).undone, lost(&["Write."]).struck),
            (Vec::new(), names(&["Ring."]))
        );
        assert_eq!(lost(&["Write.", "Ring."]).undone, names(&["Ring."]));
        assert_eq!(lost(&["Ring her.", "Write."]).undone, names(&["Ring."]));
    }
}
