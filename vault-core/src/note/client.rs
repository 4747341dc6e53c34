//! Whom a note means by its client: the word for it, and the name.

/// The word for the client in every note.
pub const CLIENT: &str = "client";

/// The person whose case it is, as the notes of the case call them.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// Words for them besides [`CLIENT`], in lower case: `child` in a case that is a child's.
    pub words: &'a [&'a str],
    /// Their name, where it is known.
    pub name: Option<&'a str>,
}

impl Client<'_> {
    /// Tells whether somebody who is named in a note is the client, whatever the capitals; `the client` is too.
    pub fn is(&self, named: &str) -> bool {
        let named = fold(named);
        self.is_word(&named) || self.name.is_some_and(|name| fold(name) == named)
    }

    /// Tells whether it is a word for the client, which means another person in another case.
    pub fn is_word(&self, named: &str) -> bool {
        let named = fold(named);
        let word = named.strip_prefix("the ").unwrap_or(&named);
        word == CLIENT || self.words.contains(&word)
    }
}

fn fold(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
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
        };
        for named in ["client", "The Client", "child", " the child", "elin  farrow"] {
            assert!(child.is(named), "{named}");
        }
        for named in ["", "children", "mother", "Elin", "client's son"] {
            assert!(!child.is(named), "{named}");
        }
        assert!(child.is_word("Child") && !child.is_word("Elin Farrow"));
        let adult = Client { words: &[], name: None };
        assert!(adult.is("client") && !adult.is("child"));
    }
}
