//! Marks that are to keep words from somebody, in places where they would keep nothing from anybody.
//!
//! The grammar takes `hide-from: father` at the beginning of a line for words, and a mark in braces inside of a field for a
//! part of it. Whoever writes that believes that something is hidden, and it would go out with the next page. So a typed note
//! is refused there, before it is saved. `\hide-from:` says that words are meant.

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use vault_core::note::Note;
use vault_core::note::Segment;
use vault_core::note::json;
use vault_core::note::mark::Marks;
use vault_core::note::text;
use vault_core::note::text::Doubt;
use vault_core::note::text::Meant;

use crate::session::SessionError;

/// The marks, as they begin in a line of their own and in braces.
const MARKS: [(&str, &str); 2] = [("hide-from", "{hide-from"), ("withheld", "{withheld")];

/// Refuses a typed text with a mark that hides nothing. `note` is what was read of it.
///
/// # Errors
/// [`SessionError::Malformed`], with the line.
pub(super) fn require(text: &str, note: &Note) -> Result<(), SessionError> {
    if let Some((line, mark)) = at_a_beginning(text)
        .or_else(|| in_a_field(text, note))
        .or_else(|| alone(text, note))
    {
        let why = format!(
            "`{mark}` hides nothing there: write `{{{mark} …}}` behind the words that it is to hide, in their paragraph, or \
             `{mark}: …` below them with two spaces before it"
        );
        return Err(SessionError::Malformed { line, column: 1, why });
    }
    Ok(())
}

/// Refuses words that are no note, in which a mark would hide nothing.
///
/// # Errors
/// As [`require`].
pub(crate) fn require_none(words: &str) -> Result<(), SessionError> {
    let Some(mark) = braced(words) else { return Ok(()) };
    let why = format!("`{{{mark} …}}` hides nothing there: only the words of a note are kept from somebody");
    Err(SessionError::Malformed {
        line: 1,
        column: 1,
        why,
    })
}

/// What a new version would lose of what kept words from somebody, or was told before a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// What becomes of it.
    pub what: String,
    /// The words that it is about.
    pub words: String,
}

/// Names the segments of an amendment that say the same as before and are kept from fewer than before, and those marked
/// before for which nothing that is new in it has their mark: words that were reworded are found nowhere, and nobody can
/// tell by them what was lost.
pub(crate) fn uncovered(before: &Note, after: &Note) -> Vec<Lost> {
    let hidden = before.segments.iter().filter(|old| !Marks::of(old).is_empty());
    let says_the_same = |one: &Segment, other: &Segment| one.text.trim() == other.text.trim();
    let lost = |old: &Segment, new: &Segment| {
        let (mut lost, now) = (Marks::of(old), Marks::of(new));
        lost.hide_from.retain(|name| !now.hide_from.contains(name));
        lost.withheld = lost.withheld.filter(|_| now.withheld.is_none());
        lost
    };
    let is_new = |new: &&Segment| !before.segments.iter().any(|old| says_the_same(old, new));
    // Each stands for one of those that are not there in their words any more.
    let mut stand_ins: Vec<&Segment> = after.segments.iter().filter(is_new).collect();
    let told = hidden.filter_map(|old| {
        let mut same = after.segments.iter().filter(|new| says_the_same(old, new));
        let Some(new) = same.next() else {
            let covers = |new: &Segment| lost(old, new).is_empty();
            let at = stand_ins.iter().position(|new| new.n == old.n && covers(new));
            if let Some(at) = at.or_else(|| stand_ins.iter().position(|new| covers(new))) {
                stand_ins.remove(at);
                return None;
            }
            let (n, said) = (old.n, Marks::of(old).said());
            let what = match after.segments.iter().any(covers) {
                false => format!("segment {n} was marked {said}, and nothing in this version is"),
                true => format!("segment {n} was marked {said}, and nothing that is new in this version is"),
            };
            let words = old.text.clone();
            return Some(Lost { what, words });
        };
        let lost = lost(old, new);
        (!lost.is_empty()).then(|| Lost {
            what: format!("segment {}: it was marked {}, and is not any more", new.n, lost.said()),
            words: old.text.clone(),
        })
    });
    told.collect()
}

/// Lists what of a typed text looks like a mark, and is none; nothing of JSON, which has fields for them.
pub(crate) fn lookalikes(text: &str) -> Vec<Doubt> {
    match json::is_json(text) {
        true => Vec::new(),
        false => text::lookalikes(text),
    }
}

/// What stands before words that are no note yet, of which only a beginning is shown: their mark may stand behind it.
pub(crate) fn before(words: &str) -> &'static str {
    let of_field = |line: &str| {
        let line = line.trim_start().to_ascii_lowercase();
        MARKS.iter().any(|(mark, _)| {
            line.strip_prefix(mark)
                .is_some_and(|rest| rest.trim_start().starts_with(':'))
        })
    };
    let is_meant = |doubt: &Doubt| matches!(&doubt.read, Meant::Lookalike { mark, .. } if MARKS.iter().any(|(own, _)| mark.starts_with(own)));
    match braced(words).is_some() || words.lines().any(of_field) || lookalikes(words).iter().any(is_meant) {
        true => "NOT FOR EVERYBODY: ",
        false => "",
    }
}

fn braced(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    let mut marks = MARKS.iter();
    marks.find(|(_, brace)| text.contains(brace)).map(|(mark, _)| *mark)
}

fn line_with(text: &str, holds: impl Fn(&str) -> bool) -> usize {
    text.lines().position(holds).map_or(1, |at| at + 1)
}

/// A line that begins with the field's name, and is none because nothing stands before it.
fn at_a_beginning(text: &str) -> Option<(usize, &'static str)> {
    let lines = (1..).zip(text.trim_start_matches('\u{feff}').lines());
    for (number, line) in lines {
        let line = line.to_ascii_lowercase();
        let mut marks = MARKS.iter();
        let found = marks.find(|(mark, _)| {
            line.strip_prefix(mark)
                .is_some_and(|rest| rest.trim_start().starts_with(':'))
        });
        if let Some((mark, _)) = found {
            return Some((number, mark));
        }
    }
    None
}

/// A mark in braces in anything but the words of a segment.
fn in_a_field(text: &str, note: &Note) -> Option<(usize, &'static str)> {
    let mut all = serde_json::to_value(note).ok()?;
    for segment in all.get_mut("segments")?.as_array_mut()? {
        segment.as_object_mut()?.remove("text");
    }
    let mark = marked(&all)?;
    let line = line_with(text, |line| braced(line) == Some(mark) && line.contains(':'));
    Some((line, mark))
}

fn marked(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) => braced(text),
        Value::Array(all) => all.iter().find_map(marked),
        Value::Object(all) => all.values().find_map(marked),
        _ => None,
    }
}

/// A paragraph that is nothing but marks.
fn alone(text: &str, note: &Note) -> Option<(usize, &'static str)> {
    let mut empty = note.segments.iter().filter(|segment| segment.text.trim().is_empty());
    let mark = empty.find_map(|segment| match (&segment.hide_from, &segment.withheld) {
        (Some(_), _) => Some("hide-from"),
        (None, Some(_)) => Some("withheld"),
        (None, None) => None,
    })?;
    Some((line_with(text, |line| line.trim_start().starts_with('{')), mark))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use vault_core::note::text::Outline;
    use vault_core::note::when::Now;

    fn read(typed: &str) -> Note {
        let now = Now::new("2026-03-12T14:00:00Z".parse().unwrap(), jiff::tz::TimeZone::UTC);
        text::parse(typed, &Outline::default(), &now).unwrap()
    }

    fn uncovered(before: &Note, after: &Note) -> Vec<String> {
        super::uncovered(before, after)
            .into_iter()
            .map(|lost| lost.what)
            .collect()
    }

    fn refused(typed: &str) -> Option<(usize, String)> {
        let note = read(typed);
        match require(typed, &note) {
            Ok(()) => None,
            Err(SessionError::Malformed { line, why, .. }) => Some((line, why)),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_mark_that_hides_nothing_is_refused_where_it_stands() {
        for (typed, line) in [
            ("obs: He moved to Birkenweg 9.\nhide-from: father\n", 2),
            ("obs: He moved.\n\nWithheld : serious-harm\n", 3),
            ("hide-from: father\n\nobs: He moved.\n", 1),
            ("place: Birkenweg 9 {hide-from father}\n\nobs: He moved.\n", 1),
            (
                "dec: Refer.\n  why: He was hit. {hide-from father}\n  options: refer; wait\n",
                2,
            ),
            ("obs: He moved.\n\n{hide-from father}\n", 3),
        ] {
            let (at, why) = refused(typed).unwrap_or_else(|| panic!("{typed}"));
            assert_eq!(at, line, "{typed}: {why}");
            assert!(why.contains("hides nothing there"), "{why}");
        }
    }

    #[test]
    fn a_mark_that_hides_and_words_about_marks_are_taken() {
        for typed in [
            "obs: He moved. {hide-from father}\n",
            "obs: He moved.\n  hide-from: father\n  withheld: serious-harm\n",
            "obs: He moved.\n\n  {hide-from father}\n",
            "obs: She asked what\n\\hide-from: means.\n",
            "place: at home\n\nobs: He hides from his father.\n",
        ] {
            assert_eq!(refused(typed), None, "{typed}");
        }
    }

    #[test]
    fn an_amendment_that_uncovers_something_says_so() {
        let before =
            read("obs: He moved. {hide-from father, uncle}\nobs: He is well. {withheld serious-harm}\nobs: Rang.\n");
        let after = read("obs: He moved. {hide-from uncle}\n\nobs: He is well.\nobs: Rang. {hide-from father}\n");
        assert_eq!(
            uncovered(&before, &after),
            [
                "segment 1: it was marked not for father, and is not any more",
                "segment 2: it was marked withheld: serious-harm, and is not any more",
            ]
        );
        assert_eq!(uncovered(&after, &after), [""; 0]);
    }

    #[test]
    fn a_mark_that_is_lost_with_other_words_is_missed() {
        let before =
            read("obs: He moved to Birkenweg 9. {hide-from father}\nobs: A neighbour rang. {withheld a source}\n");
        let told = |typed: &str| uncovered(&before, &read(typed));
        assert_eq!(
            told("obs: He lives at Birkenweg 9 now.\nobs: Somebody rang. {withheld a source}\n"),
            ["segment 1 was marked not for father, and nothing in this version is"]
        );
        assert_eq!(told("obs: He moved.\nobs: They rang.\n").len(), 2);
        assert_eq!(told("obs: He is well.\n").len(), 2);
        assert_eq!(
            told("obs: They rang. {withheld a source}\nobs: He lives there now. {hide-from father, uncle}\n"),
            [""; 0]
        );
        // One stands for one.
        let before = read("obs: He moved. {hide-from father}\nobs: He rang. {hide-from father}\n");
        assert_eq!(
            uncovered(&before, &read("obs: He moved. {hide-from father}\nobs: He called.\n")),
            ["segment 2 was marked not for father, and nothing that is new in this version is"]
        );
    }

    #[test]
    fn a_beginning_of_words_that_hold_a_mark_says_so() {
        for words in ["We moved. {hide-from father}", "We moved.\n  withheld: a source"] {
            assert_eq!(before(words), "NOT FOR EVERYBODY: ", "{words}");
        }
        assert_eq!(before("She withheld nothing: {about mother}"), "");
    }

    #[test]
    fn words_that_are_no_note_have_no_mark() {
        assert!(require_none("Moved to Birkenweg 9. {hide-from father}").is_err());
        assert!(require_none("Moved {and settled}.").is_ok());
    }
}
