//! The front matter of a note: `name: value` lines at its very top, between `---` lines or not.

use super::{Fault, Faults, Line, comma_list};
use crate::note::model::{Note, NoteKind};
use crate::note::when::{self, Now};

/// The names, as they are printed.
pub(super) const NAMES: [&str; 17] = [
    "at",
    "for",
    "kind",
    "section",
    "labels",
    "worker",
    "entered-by",
    "on-behalf-of",
    "confirmed-by",
    "present",
    "seen",
    "seen-alone",
    "why-not-alone",
    "place",
    "language",
    "interpreter",
    "late",
];

/// Reads the front matter into the note and tells at which line the body begins.
///
/// Without `---` it goes on as long as lines begin with a known name, so that a note that begins with plain text has
/// none.
pub(super) fn read(lines: &[Line<'_>], note: &mut Note, now: &Now, faults: &mut Faults) -> usize {
    let skipped = |l: &Line<'_>| l.is_guidance() || l.text.is_empty();
    let start = lines.iter().take_while(|l| skipped(l)).count();
    let fenced =
        lines.get(start).is_some_and(|l| l.text == "---") && lines.iter().skip(start + 1).any(|l| l.text == "---");
    let mut seen = Vec::new();
    for (i, line) in lines.iter().enumerate().skip(if fenced { start + 1 } else { start }) {
        if fenced && line.text == "---" {
            return i + 1;
        }
        if line.is_guidance() || (fenced && line.text.is_empty()) {
            continue;
        }
        let known = line
            .field(0)
            .and_then(|(name, value, offset)| Some((known_name(name)?, value, offset)));
        match known {
            Some((name, value, offset)) => {
                if seen.contains(&name) {
                    faults.add(*line, 0, Fault::Twice(name.to_owned()));
                }
                seen.push(name);
                set(note, name, value, now).unwrap_or_else(|fault| faults.add(*line, offset, fault));
            }
            None if fenced => {
                let name = line.text.split(':').next().unwrap_or_default();
                faults.add(*line, 0, Fault::UnknownField(name.to_owned()));
            }
            None => return i,
        }
    }
    lines.len()
}

/// Finds the name that a line begins with; `label`, `by` and the like are as good.
pub(super) fn known_name(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let name = match lower.as_str() {
        "label" => "labels",
        "why-not" | "seen-alone-why-not" => "why-not-alone",
        "lag-reason" => "late",
        other => other,
    };
    NAMES.into_iter().find(|n| *n == name)
}

fn set(note: &mut Note, name: &str, value: &str, now: &Now) -> Result<(), Fault> {
    if value.is_empty() {
        // A name that the editor put there and nobody filled in.
        return Ok(());
    }
    let text = Some(value.to_owned());
    match name {
        "at" => note.occurred_at = Some(when::parse(value, now)?),
        "for" => note.duration_minutes = Some(when::length(value)?),
        "kind" => note.kind = NoteKind::new(value).ok_or_else(|| Fault::NoteKind(value.to_owned()))?,
        "section" => note.section = text,
        "labels" => note.labels = comma_list(value),
        "worker" => note.worker = text,
        "entered-by" => note.entered_by = text,
        "on-behalf-of" => note.on_behalf_of = text,
        "confirmed-by" => note.confirmed_by = text,
        "present" => note.present = comma_list(value),
        "seen" => match yes_or_no(value)? {
            (seen, "") => note.seen = Some(seen),
            (_, rest) => return Err(Fault::Beside("seen", rest.to_owned())),
        },
        "seen-alone" => match yes_or_no(value)? {
            (alone, "") => note.seen_alone = Some(alone),
            (false, why_not) => {
                note.seen_alone = Some(false);
                note.seen_alone_why_not = Some(why_not.to_owned());
            }
            // How it was is no reason why it was not.
            (true, rest) => return Err(Fault::Beside("seen-alone", rest.to_owned())),
        },
        "why-not-alone" => note.seen_alone_why_not = text,
        "place" => note.place = text,
        "language" => note.language = text,
        "interpreter" => note.interpreter = text,
        "late" => note.lag_reason = text,
        _ => return Err(Fault::UnknownField(name.to_owned())),
    }
    Ok(())
}

/// Reads `yes`, `no`, and what follows: `no, his mother stayed`.
fn yes_or_no(value: &str) -> Result<(bool, &str), Fault> {
    let end = value.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(value.len());
    let (word, rest) = value.split_at(end);
    let rest = rest.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '(' | ')' | '-'));
    let rest = if rest.contains(char::is_alphanumeric) { rest } else { "" };
    match word.to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" => Ok((true, rest)),
        "no" | "n" | "false" => Ok((false, rest)),
        _ => Err(Fault::YesOrNo(value.to_owned())),
    }
}
