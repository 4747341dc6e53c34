//! Whom a note means by its client: the word for it, the name, and the name that they go by.

use std::collections::BTreeSet;

use serde_json::Value;

/// The word for the client in every note.
pub const CLIENT: &str = "client";

/// The person whose case it is, as the notes of the case call them.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// Words for them besides [`CLIENT`], in lower case: `child` in a case that is a child's.
    pub words: &'a [&'a str],
    /// Their name, where it is known.
    pub name: Option<&'a str>,
    /// What else they are called and nobody else of the case is, as [`short_names`] lists it.
    pub short: &'a [String],
}

/// Fields of a profile that say what else somebody is called: one name, or a list.
const ALIASES: [&str; 7] = [
    "alias",
    "aliases",
    "also_known_as",
    "known_as",
    "nickname",
    "nicknames",
    "preferred_name",
];

/// Lists what a client is called besides the whole name, in lower case: the first name and the aliases of the profile, but
/// none that is also the first or the whole name of one of the `others` whom the case names.
pub fn short_names<'n>(
    name: Option<&str>,
    profile: Option<&Value>,
    others: impl IntoIterator<Item = &'n str>,
) -> Vec<String> {
    let whole = name.map(fold).unwrap_or_default();
    let first = |name: &str| name.split(' ').next().unwrap_or_default().to_owned();
    let fields = ALIASES.iter().filter_map(|field| profile?.get(*field));
    let aliases = fields.flat_map(|value| match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().into_iter().collect::<Vec<_>>(),
    });
    let mut short: BTreeSet<String> = aliases.map(fold).chain([first(&whole)]).collect();
    short.remove("");
    short.remove(&whole);
    for other in others.into_iter().map(fold) {
        // A first name alone names nobody else.
        if other != whole && other.contains(' ') {
            short.remove(&first(&other));
            short.remove(&other);
        }
    }
    short.into_iter().collect()
}

impl Client<'_> {
    /// Tells whether somebody who is named in a note is the client, whatever the capitals; `the client` is too.
    pub fn is(&self, named: &str) -> bool {
        let named = fold(named);
        self.is_word(&named) || self.name.is_some_and(|name| fold(name) == named) || self.short.contains(&named)
    }

    /// Tells whether it is a word for the client, which means another person in another case.
    pub fn is_word(&self, named: &str) -> bool {
        let named = fold(named);
        let word = named.strip_prefix("the ").unwrap_or(&named);
        word == CLIENT || self.words.contains(&word)
    }
}

pub(super) fn fold(name: &str) -> String {
    spaced(name).to_lowercase()
}

/// A name with one space between its words.
pub(super) fn spaced(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_called_by_the_word_of_the_case_and_by_name() {
        let words = ["child"];
        let child = Client {
            words: &words,
            name: Some("Elin Farrow"),
            short: &[],
        };
        for named in ["client", "The Client", "child", " the child", "elin  farrow"] {
            assert!(child.is(named), "{named}");
        }
        for named in ["", "children", "mother", "Elin", "client's son"] {
            assert!(!child.is(named), "{named}");
        }
        assert!(child.is_word("Child") && !child.is_word("Elin Farrow"));
        let adult = Client {
            words: &[],
            name: None,
            short: &[],
        };
        assert!(adult.is("client") && !adult.is("child"));
    }

    #[test]
    fn a_first_name_or_alias_is_the_clients_where_nobody_else_has_it() {
        let profile = serde_json::json!({"known_as": "Cal", "aliases": ["C. D.", "Red"]});
        let short = |others: &[&str]| short_names(Some("Callum Doran"), Some(&profile), others.iter().copied());
        assert_eq!(
            short(&["Callum", "Callum's mother", "Callum  DORAN"]),
            ["c. d.", "cal", "callum", "red"]
        );
        assert_eq!(short(&["Callum Price", "Red Parr"]), ["c. d.", "cal"]);
        assert_eq!(short_names(None, None, ["Callum Price"]), [""; 0]);
        assert_eq!(short_names(Some("Callum"), None, []), [""; 0]);
        let short = short(&[]);
        let client = Client {
            words: &[],
            name: Some("Callum Doran"),
            short: &short,
        };
        assert!(client.is("CALLUM") && client.is("red") && !client.is("Doran"));
        assert!(!client.is_word("Callum"));
    }
}
