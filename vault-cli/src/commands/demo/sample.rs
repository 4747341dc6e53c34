//! The sample caseload: three cases of invented people, and a note to add to one of them.

use std::collections::BTreeSet;

use serde_json::Value;

/// Workers, cases and notes as `import` takes them.
pub(super) const CASELOAD: &str = include_str!("../../../demo/caseload.jsonl");

/// A home visit in the text form, whose decision lacks its reason.
pub(super) const NOTE: &str = include_str!("../../../demo/note.txt");

/// The reason, as the amended note gives it under that decision.
pub(super) const REASON: &str = "  why: he reads his own statements every Sunday and asks for nothing more\n";

/// The case that the demo works on, by its id in the sample.
pub(super) const CASE: &str = "harbour-0101";

/// What a search looks for.
pub(super) const TERM: &str = "heater";

/// The agency and the person whose vault it is.
pub(super) const AGENCY: &str = "Harbour Family Support";
pub(super) const PERSON: &str = "Robin Ashgrove";

/// The passphrase; it guards nobody's data, so that whoever keeps the folder can go on with it.
pub(super) const PASSPHRASE: &str = "three invented people";

/// Reads every line of the sample or of an export as JSON.
pub(super) fn lines(text: &str) -> Result<Vec<Value>, serde_json::Error> {
    text.lines().map(serde_json::from_str).collect()
}

/// Collects what must not be legible on the disk: the names and whatever was typed in words, as UTF-8.
pub(super) fn secrets(lines: &[Value]) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = [AGENCY, PERSON].map(str::to_owned).into();
    for line in lines {
        collect(line, &mut found);
    }
    found
}

/// Takes every text of at least eight bytes that holds a space; single words are codes and numbers.
fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.len() >= 8 && text.contains(' ') => {
            found.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use vault_core::note::SegmentKind;
    use vault_core::note::line::{Line, parse};

    #[test]
    fn the_sample_shows_every_kind_of_segment_and_a_decision_without_its_reason() {
        let mut kinds = BTreeSet::new();
        let mut without_reason = 0;
        for line in CASELOAD.lines() {
            let Line::Note(note) = parse(line).unwrap() else {
                continue;
            };
            kinds.extend(note.segments.iter().map(|segment| segment.kind));
            without_reason += note
                .segments
                .iter()
                .filter(|s| s.kind == SegmentKind::Decision && s.why.is_none())
                .count();
        }
        assert_eq!(kinds.len(), SegmentKind::ALL.len());
        assert_eq!(without_reason, 2);
    }

    #[test]
    fn secrets_are_names_and_words_and_no_codes() {
        let secrets = secrets(&lines(CASELOAD).unwrap());
        assert!(secrets.contains("Mina Castellan") && secrets.contains("You will take them."));
        assert!(!secrets.contains("home-visit") && secrets.len() > 100);
    }
}
