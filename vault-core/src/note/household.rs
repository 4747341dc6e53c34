//! Whom a profile says that a client lives with, or belongs to: names out of fields that people fill in as they speak.
//!
//! ```text
//! "Noah (brother, 4), Mia Ash and Mother: Jane Ash"  ─>  noah | mia ash | jane ash
//! [{"name": "Noah Ash", "relation": "brother"}]      ─>  noah ash
//! ```
//!
//! Nothing is guessed of who it is: that is for whoever holds the cases.

use serde_json::Value;

/// Fields that say who is of the household or the family. Of `people` those alone whose relation says so.
const FIELDS: [&str; 9] = [
    "household",
    "family",
    "siblings",
    "children",
    "mother",
    "father",
    "parents",
    "parental_responsibility",
    "people",
];

/// Words for what somebody is to somebody, at home: they are nobody's name.
const RELATIONS: [&str; 78] = [
    "adult",
    "adults",
    "aunt",
    "auntie",
    "babies",
    "baby",
    "boy",
    "boyfriend",
    "bro",
    "brother",
    "brothers",
    "carer",
    "carers",
    "child",
    "children",
    "cousin",
    "cousins",
    "dad",
    "daddy",
    "daughter",
    "daughters",
    "ex-husband",
    "ex-partner",
    "ex-wife",
    "family",
    "father",
    "fiance",
    "fiancé",
    "fiancée",
    "foster",
    "gran",
    "grandad",
    "granddaughter",
    "grandfather",
    "grandma",
    "grandmother",
    "grandpa",
    "grandparent",
    "grandparents",
    "grandson",
    "granny",
    "guardian",
    "guardians",
    "girl",
    "girlfriend",
    "half",
    "half-brother",
    "half-sister",
    "household",
    "husband",
    "infant",
    "kid",
    "kids",
    "lodger",
    "mother",
    "mum",
    "mummy",
    "nan",
    "nephew",
    "niece",
    "parent",
    "parents",
    "partner",
    "sib",
    "sibling",
    "siblings",
    "sis",
    "sister",
    "sisters",
    "son",
    "sons",
    "step",
    "toddler",
    "twin",
    "twins",
    "uncle",
    "wife",
    "teenager",
];

/// Other words that such fields are written with, which name nobody either.
const OTHER: [&str; 67] = [
    "a",
    "age",
    "aged",
    "alone",
    "also",
    "an",
    "another",
    "at",
    "b",
    "be",
    "biological",
    "birth",
    "born",
    "client",
    "dob",
    "does",
    "eldest",
    "elder",
    "full",
    "has",
    "he",
    "her",
    "his",
    "in",
    "is",
    "it",
    "joint",
    "know",
    "known",
    "live",
    "lives",
    "living",
    "maternal",
    "months",
    "my",
    "n",
    "new",
    "no",
    "nobody",
    "none",
    "not",
    "of",
    "older",
    "on",
    "one",
    "only",
    "other",
    "others",
    "paternal",
    "same",
    "shares",
    "she",
    "sole",
    "the",
    "their",
    "they",
    "three",
    "to",
    "two",
    "unborn",
    "unknown",
    "with",
    "years",
    "year",
    "yo",
    "younger",
    "youngest",
];

/// Somebody whom a profile names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// As it was written, with what they are to the client.
    pub text: String,
    /// The words of the name, in lower case: one at least.
    pub words: Vec<String>,
    /// Whether it looks like a name for sure: it has a capital, or stands beside what they are to the client.
    pub is_name: bool,
}

/// Lists whom a profile names as of the household or the family, in the order in which they stand there, each once.
pub fn named(profile: &Value) -> Vec<Named> {
    let mut found: Vec<Named> = Vec::new();
    for field in FIELDS {
        let value = profile.get(field).unwrap_or(&Value::Null);
        let mut here = Vec::new();
        match value {
            // The field says who it is.
            Value::String(name) if matches!(field, "mother" | "father") => of_pair(name, Some(field), &mut here),
            value => of_value(value, field == "people", &mut here),
        }
        for one in here {
            if !found.iter().any(|known| known.words == one.words) {
                found.push(one);
            }
        }
    }
    found
}

/// Lists whom a profile's restrictions of contact name, as they are written there: words with a capital that stand together.
/// Who is not to ring is who rings.
pub fn restricted(profile: &Value) -> Vec<String> {
    restrictions(profile).into_iter().map(|found| found.name).collect()
}

/// Lists those of them who are somebody for certain: one word that begins a sentence has its capital of that, unless it is
/// said of it what it may not (`Tom may not ring`).
pub fn forbidden(profile: &Value) -> Vec<String> {
    const MAY_NOT: [&str; 9] = ["and", "can", "cannot", "has", "is", "may", "must", "not", "should"];
    let found = restrictions(profile).into_iter();
    let found =
        found.filter(|found| !found.is_first || found.name.contains(' ') || MAY_NOT.contains(&found.next.as_str()));
    found.map(|found| found.name).collect()
}

/// Words with a capital that stand together.
struct Capitals {
    name: String,
    /// Whether they begin a sentence.
    is_first: bool,
    /// The word behind them, in lower case.
    next: String,
}

fn restrictions(profile: &Value) -> Vec<Capitals> {
    let texts = match profile.get("contact_restrictions") {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    texts.into_iter().flat_map(capitals).collect()
}

fn capitals(text: &str) -> Vec<Capitals> {
    let mut found = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    let (mut is_begun, mut is_first) = (false, false);
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_name = bare.chars().next().is_some_and(char::is_uppercase) && !is_no_name(&bare.to_lowercase());
        if is_name {
            is_first = match run.is_empty() {
                true => !is_begun,
                false => is_first,
            };
            run.push(bare);
        }
        let next = words
            .peek()
            .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        let is_next = next.is_some_and(|next| {
            next.chars().next().is_some_and(char::is_uppercase) && !is_no_name(&next.to_lowercase())
        });
        if !run.is_empty() && (!is_next || !word.ends_with(char::is_alphanumeric)) {
            found.push(Capitals {
                name: run.join(" "),
                is_first,
                next: next.unwrap_or_default().to_lowercase(),
            });
            run.clear();
        }
        is_begun = !word.ends_with(['.', '!', '?', ':']);
    }
    found
}

/// Returns what somebody is to somebody, out of the words beside a name.
pub fn relation_of(text: &str) -> Option<String> {
    let mut said = words(text).map(str::to_lowercase);
    said.find(|word| RELATIONS.contains(&word.as_str()))
}

/// Returns the words of a name, in lower case, without what it is written with: marks, ages, relations.
pub fn name_words(name: &str) -> Vec<String> {
    words(name)
        .map(str::to_lowercase)
        .filter(|word| !is_no_name(word))
        .collect()
}

fn of_value(value: &Value, only_family: bool, found: &mut Vec<Named>) {
    let is_family = |relation: Option<&str>| {
        let mut words = words(relation.unwrap_or_default()).map(str::to_lowercase);
        !only_family || words.any(|word| RELATIONS.contains(&word.as_str()))
    };
    match value {
        Value::String(text) if !only_family => of_text(text, found),
        Value::String(text) => {
            // Of a list of all sorts of people: those beside whom it stands what they are to the client.
            let mut all = Vec::new();
            for part in parts(text) {
                if is_family(Some(&part)) {
                    all.extend(of_part(&part));
                }
            }
            found.append(&mut all);
        }
        Value::Array(list) => list.iter().for_each(|one| of_value(one, only_family, found)),
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str);
            if let Some(name) = text("name") {
                let relation = text("relation").or_else(|| text("role"));
                if is_family(relation) {
                    of_pair(name, relation, found);
                }
                return;
            }
            for (name, value) in fields {
                let relation = value.as_str();
                match (name_words(name).is_empty(), relation) {
                    // `{"mother": "Jane Ash"}`
                    (true, Some(whose)) => of_pair(whose, Some(name), found),
                    // `{"Jane Ash": "mother"}`
                    (false, Some(relation)) if is_family(Some(relation)) => of_pair(name, Some(relation), found),
                    (_, None) => of_value(value, only_family, found),
                    _ => {}
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn of_pair(name: &str, relation: Option<&str>, found: &mut Vec<Named>) {
    let mut all = Vec::new();
    of_text(name, &mut all);
    for mut one in all {
        if let Some(relation) = relation.map(str::trim).filter(|relation| !relation.is_empty()) {
            if !one.text.contains('(') {
                one.text = format!("{} ({relation})", one.text);
            }
            one.is_name = true;
        }
        found.push(one);
    }
}

fn of_text(text: &str, found: &mut Vec<Named>) {
    found.extend(parts(text).iter().filter_map(|part| of_part(part)));
}

/// Breaks a text where another person begins: at commas, semicolons, slashes, lines, `and`. What is in brackets belongs to
/// whom it stands behind.
fn parts(text: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut broken = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let breaks = matches!(c, ',' | ';' | '/' | '&' | '+' | '\n' | '•' | '|');
        broken.push(if breaks && depth == 0 { '\n' } else { c });
    }
    let mut parts = Vec::new();
    for line in broken.split('\n') {
        let mut part: Vec<&str> = Vec::new();
        for word in line.split_whitespace() {
            match word.to_lowercase().as_str() {
                "and" | "plus" => {
                    parts.push(part.join(" "));
                    part.clear();
                }
                _ => part.push(word),
            }
        }
        parts.push(part.join(" "));
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn of_part(part: &str) -> Option<Named> {
    let part = part.trim().trim_start_matches(['-', '*', '–']).trim();
    let bracket = part.find(['(', '[']);
    let name = bracket.map_or(part, |at| part.get(..at).unwrap_or_default());
    let own: Vec<&str> = words(name).filter(|word| !is_no_name(&word.to_lowercase())).collect();
    let is_capital = |word: &&str| {
        word.chars()
            .next()
            .is_some_and(|c| c.is_alphabetic() && !c.is_lowercase())
    };
    let has_relation = words(part).any(|word| RELATIONS.contains(&word.to_lowercase().as_str()));
    let is_name = own.iter().any(is_capital) || (has_relation && own.len() <= 3);
    (!own.is_empty()).then(|| Named {
        text: part.trim_end_matches(['.', ':']).to_owned(),
        words: own.iter().map(|word| word.to_lowercase()).collect(),
        is_name,
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let mark = |c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | '-'));
    text.split(mark).filter(|word| word.chars().any(char::is_alphanumeric))
}

/// Tells whether a word in lower case is no part of a name: a relation, a word of the language, an age or a date.
fn is_no_name(word: &str) -> bool {
    let word = word
        .strip_suffix("'s")
        .or_else(|| word.strip_suffix("’s"))
        .unwrap_or(word);
    let is_step = ["step-", "step", "half-", "great-", "foster-", "grand"]
        .iter()
        .any(|before| word.strip_prefix(before).is_some_and(|rest| RELATIONS.contains(&rest)));
    is_step || RELATIONS.contains(&word) || OTHER.contains(&word) || word.chars().any(|c| c.is_ascii_digit())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whom_restrictions_name_is_found_in_their_words() {
        let of = |value: Value| restricted(&json!({"contact_restrictions": value}));
        assert_eq!(
            of(json!(
                "No contact with father, Tom Reed. By court order: Ida O'Neil too."
            )),
            ["Tom Reed", "By", "Ida O'Neil"]
        );
        assert_eq!(of(json!(["Not Tam Brisk (uncle)", "none"])), ["Tam Brisk"]);
        assert_eq!(of(json!("No calls.")), [""; 0]);
        let of = |value: Value| forbidden(&json!({"contact_restrictions": value}));
        assert_eq!(
            of(json!(
                "No contact with father, Tom Reed. By court order: Ida O'Neil too. Zoe may not ring."
            )),
            ["Tom Reed", "Ida O'Neil", "Zoe"]
        );
        assert_eq!(relation_of("Kerry Pike (Mother)").as_deref(), Some("mother"));
    }

    fn of(profile: &Value) -> Vec<(String, String, bool)> {
        let all = named(profile).into_iter();
        all.map(|one| (one.text, one.words.join(" "), one.is_name)).collect()
    }

    fn words_of(household: &str) -> Vec<String> {
        let all = named(&json!({ "household": household })).into_iter();
        all.map(|one| one.words.join(" ")).collect()
    }

    #[test]
    fn names_are_found_as_people_write_them() {
        assert_eq!(
            of(&json!({"household": "Noah (brother, 4), Mia Ash and Mother: Jane Ash; gran"})),
            [
                ("Noah (brother, 4)".into(), "noah".into(), true),
                ("Mia Ash".into(), "mia ash".into(), true),
                ("Mother: Jane Ash".into(), "jane ash".into(), true),
            ]
        );
        assert_eq!(words_of("Noah Ash, 4"), ["noah ash"]);
        assert_eq!(
            words_of("Lives with her mother, stepfather Tom Reed & two dogs"),
            ["tom reed", "dogs"]
        );
        assert_eq!(
            words_of("- Noah\n- Mia b. 2019-05-01\n- Tom aged 6y"),
            ["noah", "mia", "tom"]
        );
        assert_eq!(words_of("lives alone"), Vec::<String>::new());
        assert_eq!(words_of("Mother and two half-sisters"), Vec::<String>::new());
        assert!(of(&json!({"household": "noah (brother)"}))[0].2);
        assert!(
            !of(&json!({"household": "two dogs"}))[0].2,
            "no capital, and nothing to the client"
        );
    }

    #[test]
    fn lists_and_pairs_are_read_too_and_of_people_the_family_alone() {
        let profile = json!({
            "household": [{"name": "Noah Ash", "relation": "brother"}, "Mia"],
            "family": {"mother": "Jane Ash", "Tom Reed": "uncle"},
            "people": [{"name": "Ida Gray", "relation": "GP"}, {"name": "Joan Low", "relation": "grandmother"}],
            "parental_responsibility": "Jane Ash (mother)",
        });
        let mut all: Vec<String> = of(&profile).into_iter().map(|(text, _, _)| text).collect();
        all.sort();
        assert_eq!(
            all,
            [
                "Jane Ash (mother)",
                "Joan Low (grandmother)",
                "Mia",
                "Noah Ash (brother)",
                "Tom Reed (uncle)"
            ]
        );
        assert!(named(&Value::Null).is_empty());
    }
}
