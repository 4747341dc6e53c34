//! Fields that are not known, and those among them that are a slip away from one that is.
//!
//! A field of another system is kept as it came; `danger_to_worker` would be kept too, and nobody would ever see it. So
//! what is typed or imported is looked through here first: a name that looks like a known one is refused with the one
//! that was meant, and all others are told. What is read out of a vault is not looked at again.

use super::extra::{Extra, RawJson};
use super::line::{CaseLine, Line};
use super::model::Note;

/// The fields of a client's profile that any view, brief or template knows.
pub const PROFILE: [&str; 37] = [
    "address",
    "background",
    "children",
    "closure_reason",
    "communication_needs",
    "confidential_address",
    "contact_restrictions",
    "danger_to_workers",
    "date_of_birth",
    "date_of_birth_estimated",
    "economic_factors",
    "factors",
    "family",
    "father",
    "gender",
    "health_factors",
    "history",
    "household",
    "identifiers",
    "interpreter",
    "label",
    "language",
    "mother",
    "name",
    OTHER,
    "outcome",
    "parental_responsibility",
    "parents",
    "people",
    "plan",
    "presenting_problem",
    "progress",
    "reason_for_referral",
    "school",
    "siblings",
    "social_factors",
    "triggers",
];

/// The field of a profile, a note or a segment that holds one's own fields: their names are not looked at.
pub const OTHER: &str = "other";

/// Other words for what matters most, without capitals and marks between words.
const SYNONYMS: [(&str, &str); 11] = [
    ("birth", "date_of_birth"),
    ("birthdate", "date_of_birth"),
    ("birthday", "date_of_birth"),
    ("born", "date_of_birth"),
    ("clientname", "name"),
    ("dob", "date_of_birth"),
    ("fullname", "name"),
    ("hazard", "danger_to_workers"),
    ("hazards", "danger_to_workers"),
    ("risktostaff", "danger_to_workers"),
    ("risktoworkers", "danger_to_workers"),
];

const CASE: [&str; 8] = [
    "type", "case", "worker", "opened", "template", "profile", "closed", "reopened",
];

const CLOSING: [&str; 3] = ["on", "reason", "outcome"];

const NOTE: [&str; 28] = [
    "type",
    "case",
    "note",
    "author",
    "recorded_at",
    "kind",
    "segments",
    "template",
    "template_version",
    "occurred_at",
    "duration_minutes",
    "authored_at",
    "jotted_at",
    "lag_reason",
    "labels",
    "worker",
    "entered_by",
    "on_behalf_of",
    "confirmed_by",
    "present",
    "seen",
    "seen_alone",
    "seen_alone_why_not",
    "place",
    "language",
    "interpreter",
    "original",
    "section",
];

const SEGMENT: [&str; 26] = [
    "n",
    "kind",
    "text",
    "heading",
    "speaker",
    "through_interpreter",
    "from",
    "about",
    "cites",
    "why",
    "options",
    "decided_by",
    "authority",
    "owner",
    "due",
    "done",
    "done_by",
    "outcome",
    "labels",
    "significant",
    "third_party",
    "withheld",
    "hide_from",
    "section",
    "default_kind",
    "placeholder",
];

/// A field whose name looks like a known one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misspelt {
    /// As it was given, with where it stands: `danger_to_worker`, `segments[2].speeker`.
    pub field: String,
    /// Its own name alone.
    pub given: String,
    /// What was meant.
    pub meant: &'static str,
}

impl std::fmt::Display for Misspelt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (field, meant) = (super::display::escape_line(&self.field), self.meant);
        write!(
            f,
            "field `{field}` is not known: did you mean `{meant}`? What is neither goes into the object `{OTHER}`"
        )
    }
}

impl Misspelt {
    /// Finds where the field stands in JSON text: line and column, from 1; the beginning where it is written with escapes.
    pub fn place(&self, json: &str) -> (usize, usize) {
        let quoted = format!("\"{}\"", self.given);
        let is_key = |(at, _): &(usize, &str)| {
            let after = json.get(at + quoted.len()..).unwrap_or_default();
            after.trim_start().starts_with(':')
        };
        let at = json.match_indices(&quoted).find(is_key).map_or(0, |(at, _)| at);
        let before = json.get(..at).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }
}

/// Looks through the fields of a profile, and returns those that are not known.
///
/// # Errors
/// The first that looks like a known one. One that is `null` does not count: in an amendment it takes away what is there.
pub fn profile(fields: &Extra) -> Result<Vec<String>, Misspelt> {
    let mut unknown = Vec::new();
    let given = fields.iter().filter(|(_, value)| value.as_str() != "null");
    names(given.map(|(name, _)| name), &PROFILE, "", &mut unknown)?;
    Ok(unknown)
}

/// Looks through a case's own line and its profile, as [`profile`].
///
/// # Errors
/// As [`profile`].
pub fn case(line: &CaseLine) -> Result<Vec<String>, Misspelt> {
    let mut unknown = Vec::new();
    names(line.extra.iter().map(|(name, _)| name), &CASE, "", &mut unknown)?;
    if let Some(closed) = line.extra.get("closed").and_then(object) {
        names(closed.iter().map(|(name, _)| name), &CLOSING, "closed.", &mut unknown)?;
    }
    if let Some(fields) = line.profile.as_ref().and_then(object) {
        unknown.extend(profile(&fields)?);
    }
    Ok(unknown)
}

/// Looks through a note and its segments, as [`profile`].
///
/// # Errors
/// As [`profile`].
pub fn note(note: &Note) -> Result<Vec<String>, Misspelt> {
    let mut unknown = Vec::new();
    names(note.extra.iter().map(|(name, _)| name), &NOTE, "", &mut unknown)?;
    for (at, segment) in note.segments.iter().enumerate() {
        if !segment.extra.is_empty() {
            let fields = segment.extra.iter().map(|(name, _)| name);
            names(fields, &SEGMENT, &format!("segments[{at}]."), &mut unknown)?;
        }
    }
    Ok(unknown)
}

/// Looks through one line of an import, as [`profile`].
///
/// # Errors
/// As [`profile`].
pub fn line(line: &Line) -> Result<Vec<String>, Misspelt> {
    match line {
        Line::Case(line) => case(line),
        Line::Note(line) => note(line),
        Line::Worker(line) => {
            let mut unknown = Vec::new();
            let known = ["type", "worker", "role"];
            names(line.extra.iter().map(|(name, _)| name), &known, "", &mut unknown)?;
            Ok(unknown)
        }
    }
}

fn object(value: &RawJson) -> Option<Extra> {
    serde_json::from_str(value.as_str()).ok()
}

fn names<'n>(
    given: impl Iterator<Item = &'n str>,
    known: &[&'static str],
    within: &str,
    unknown: &mut Vec<String>,
) -> Result<(), Misspelt> {
    for name in given.filter(|name| *name != OTHER && !known.contains(name)) {
        let field = format!("{within}{name}");
        if let Some(meant) = meant(name, known) {
            let given = name.to_owned();
            return Err(Misspelt { field, given, meant });
        }
        unknown.push(field);
    }
    Ok(())
}

/// Finds the known name that one looks like.
fn meant(given: &str, known: &[&'static str]) -> Option<&'static str> {
    let folded = fold(given);
    let synonym = SYNONYMS
        .iter()
        .find(|(word, _)| *word == folded)
        .map(|(_, meant)| *meant);
    // Whatever begins so is about what a worker has to know before a visit.
    let danger = folded.starts_with("danger").then_some("danger_to_workers");
    let named = synonym.or(danger).filter(|meant| known.contains(meant));
    let slip = || {
        let near = known.iter().filter_map(|name| {
            let slips = slips(&folded, &fold(name));
            (slips <= allowed(&fold(name))).then_some((slips, *name))
        });
        near.min_by_key(|(slips, _)| *slips).map(|(_, name)| name)
    };
    named.or_else(slip)
}

/// How many slips make a name another one's misspelling: a short word is too near to other words.
pub(super) fn allowed(name: &str) -> usize {
    match name.len() {
        0..=3 => 0,
        4..=7 => 1,
        8..=11 => 2,
        _ => 3,
    }
}

/// A name without capitals and marks between its words.
pub(super) fn fold(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-' | ' ' | '.'));
    letters.flat_map(char::to_lowercase).collect()
}

/// Counts letters that are wrong, missing, too many, or changed with their neighbour.
pub fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (at(&last, j) + usize::from(from != to))
                .min(at(&last, j + 1) + 1)
                .min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(to) && b.get(j - 1) == Some(from);
            if swapped {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        for (a, b, n) in [
            ("c-7fk2", "c-7fk2", 0),
            ("c-7fk2", "c-7kf2", 1),
            ("c-7fk2", "c-7fk", 1),
            ("c-7fk2", "c-7xfk2", 1),
            ("c-7fk2", "c-7fq2", 1),
            ("c-7fk2m9qd", "c-7kf2m9qb", 2),
            ("", "abc", 3),
        ] {
            assert_eq!(slips(a, b), n, "{a} {b}");
            assert_eq!(slips(b, a), n, "{b} {a}");
        }
    }

    #[test]
    fn a_slip_is_told_from_a_field_of_ones_own() {
        for (given, wanted) in [
            ("danger_to_worker", "danger_to_workers"),
            ("danger", "danger_to_workers"),
            ("Danger-to-Workers", "danger_to_workers"),
            ("date_of_brith", "date_of_birth"),
            ("dateOfBirth", "date_of_birth"),
            ("dob", "date_of_birth"),
            ("comunication_need", "communication_needs"),
            ("Name", "name"),
            ("langauge", "language"),
        ] {
            assert_eq!(meant(given, &PROFILE), Some(wanted), "{given}");
        }
        for own in [
            "nickname",
            "weight",
            "date_of_death",
            "faith",
            "gp",
            "allergies",
            "nhs_no",
        ] {
            assert_eq!(meant(own, &PROFILE), None, "{own}");
        }
        for own in ["mother", "father", "parents", "siblings", "children", "family"] {
            let mut unknown = Vec::new();
            assert!(
                names([own].into_iter(), &PROFILE, "", &mut unknown).is_ok() && unknown.is_empty(),
                "{own}"
            );
        }
        // No known name is taken for another, and no word of ours is a stranger.
        for list in [&PROFILE[..], &CASE, &NOTE, &SEGMENT] {
            assert!(
                list.iter()
                    .all(|name| names([*name].into_iter(), list, "", &mut vec![]).is_ok())
            );
        }
        assert!(SYNONYMS.iter().all(|(_, meant)| PROFILE.contains(meant)));
    }

    #[test]
    fn a_line_is_looked_through_to_its_segments() {
        let read = |text: &str| super::super::line::parse(text).unwrap();
        let note = |segment: &str| {
            let text = format!(
                r#"{{"type":"note","case":"a","note":"b","author":"w","kind":"phone","occurred_at":"2026-03-12","ref":1,"segments":[{segment}]}}"#
            );
            line(&read(&text))
        };
        let slip = note(r#"{"kind":"quote","speeker":"client","text":"x"}"#).unwrap_err();
        assert_eq!((slip.field.as_str(), slip.meant), ("segments[0].speeker", "speaker"));
        let own = note(r#"{"kind":"quote","mood":"low","other":{"speeker":1},"text":"x"}"#).unwrap();
        assert_eq!(own, ["ref", "segments[0].mood"]);
        let case = read(r#"{"type":"case","case":"a","profile":{"name":"A","faith":"x","date_of_brith":"1950"}}"#);
        assert_eq!(line(&case).unwrap_err().meant, "date_of_birth");
        let case = read(r#"{"type":"case","case":"a","opend":"2026-01-01"}"#);
        assert_eq!(line(&case).unwrap_err().meant, "opened");
    }

    #[test]
    fn the_place_is_that_of_the_field_and_not_of_a_value() {
        let slip = profile(&serde_json::from_str(r#"{"name":"nam","nam":"A"}"#).unwrap()).unwrap_err();
        assert_eq!(slip.place("{\"name\":\"nam\",\n  \"nam\" : \"A\"}"), (2, 3));
        assert_eq!(slip.place("{\"n\\u0061m\":1}"), (1, 1));
        let taken_away: Extra = serde_json::from_str(r#"{"danger_to_worker":null}"#).unwrap();
        assert_eq!(profile(&taken_away).unwrap(), Vec::<String>::new());
    }
}
