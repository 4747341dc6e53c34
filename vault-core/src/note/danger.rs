//! Dangers in a profile whose fields have names that nobody foresaw: `risk`, `Alerts`, `other.violence_marker`.
//!
//! A profile keeps the fields of other systems as they came. One that tells of a danger is shown with the dangers whatever
//! it is called: too much there is read over, and what is missing is found on the doorstep.

use serde_json::Value;

/// How words begin that name a danger, in lower case.
const BEGINNINGS: [&str; 14] = [
    "abus", "aggress", "alert", "assault", "caution", "danger", "firearm", "hazard", "risk", "threat", "unsafe",
    "violen", "warning", "weapon",
];

/// The fields that are shown with the dangers by their own names.
pub(super) const KNOWN: [&str; 2] = ["danger_to_workers", "contact_restrictions"];

/// Takes the dangers out of the fields of other names, at any depth: each with its field's path, as
/// `other.risk: Never go alone.`
pub(super) fn of_unforeseen(profile: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Value::Object(fields) = profile {
        let others = fields.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str()));
        for (name, value) in others {
            look(name, name, value, &mut found);
        }
    }
    found
}

/// Looks at a field of this name, at this path.
fn look(path: &str, name: &str, value: &Value, found: &mut Vec<String>) {
    if is_danger(name) {
        say(path, value, found);
        return;
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| look(path, "", value, found)),
        Value::Object(fields) => {
            // Of a list of people it says whose it is.
            let whose = fields.get("name").and_then(Value::as_str);
            let path = whose.map_or_else(|| path.to_owned(), |whose| format!("{path}, {whose}"));
            for (name, value) in fields {
                look(&format!("{path}.{name}"), name, value, found);
            }
        }
        _ => {}
    }
}

/// Says what a field of a danger holds; nothing of one that says no.
fn say(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(false) => {}
        Value::Bool(true) => found.push(path.to_owned()),
        Value::Number(number) => found.push(format!("{path}: {number}")),
        Value::String(text) if text.trim().is_empty() => {}
        Value::String(text) => found.push(format!("{path}: {text}")),
        Value::Array(values) => values.iter().for_each(|value| say(path, value, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                say(&format!("{path}.{name}"), value, found);
            }
        }
    }
}

/// Tells whether one of the words of a field's name is that of a danger: `riskLevel`, `RISK-LEVEL` and `a risk` are.
fn is_danger(name: &str) -> bool {
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut before_is_lower = false;
    for c in name.chars() {
        if before_is_lower && c.is_uppercase() {
            spaced.push(' ');
        }
        before_is_lower = c.is_lowercase();
        spaced.push(if c.is_alphanumeric() { c } else { ' ' });
    }
    let spaced = spaced.to_lowercase();
    let mut words = spaced.split_whitespace();
    words.any(|word| BEGINNINGS.iter().any(|beginning| word.starts_with(beginning)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_danger_is_found_whatever_its_field_is_called_and_wherever_it_stands() {
        let profile = serde_json::json!({
            "name": "Elin Farrow",
            "danger_to_workers": "shown by its own name",
            "Risk": "The stairs are rotten.",
            "ALERTS": ["Two dogs.", "", {"level": "high"}],
            "other": {"violenceMarker": true, "gas_warning": false, "hazards": null, "threat-level": 3},
            "people": [{"name": "Tam", "relation": "son", "weapons": "a knife"}, {"name": "Gwen"}],
            "asterisk": "no danger", "household": "no risk at all is named here",
        });
        let mut found = of_unforeseen(&profile);
        found.sort();
        assert_eq!(
            found,
            [
                "ALERTS.level: high",
                "ALERTS: Two dogs.",
                "Risk: The stairs are rotten.",
                "other.threat-level: 3",
                "other.violenceMarker",
                "people, Tam.weapons: a knife",
            ]
        );
        assert!(of_unforeseen(&Value::Null).is_empty());
    }
}
