//! What somebody types to find a note: words, each of which the note holds somewhere, and phrases in quotation marks.

use super::{FindError, Hit, Term};
use crate::note::model::Note;
use std::collections::HashSet;

/// Most words and phrases of a query; what follows is not looked for.
const MOST: usize = 32;

/// Words and phrases, all of which a note holds, in any order.
pub struct Query {
    terms: Vec<Term>,
}

impl Query {
    /// Takes what was typed. A phrase stands between two quotation marks that begin and end a word.
    ///
    /// # Errors
    /// [`FindError::Empty`].
    pub fn new(text: &str) -> Result<Self, FindError> {
        let mut terms = Vec::new();
        let mut words = text.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let Some(opened) = word.strip_prefix(QUOTES) else {
                terms.push(Term::new(word)?);
                continue;
            };
            let mut phrase = vec![opened];
            let mut rest = words.clone();
            let mut closed = opened.len() > 1 && opened.ends_with(QUOTES);
            while !closed {
                let Some(next) = rest.next() else { break };
                phrase.push(next);
                closed = next.ends_with(QUOTES);
            }
            match closed {
                true => {
                    words = rest;
                    let phrase = phrase.join(" ");
                    terms.push(Term::new(phrase.trim_end_matches(QUOTES))?);
                }
                // A mark that nothing closes is a letter like others.
                false => terms.push(Term::new(word)?),
            }
        }
        terms.truncate(MOST);
        match terms.is_empty() {
            true => Err(FindError::Empty),
            false => Ok(Self { terms }),
        }
    }

    /// Takes what was typed as one phrase, as it stands; none where it is one word, or says itself what is a phrase.
    pub fn as_phrase(text: &str) -> Option<Self> {
        let is_plain = !text.contains(QUOTES) && text.split_whitespace().nth(1).is_some();
        let term = Term::new(text).ok().filter(|_| is_plain)?;
        Some(Self { terms: vec![term] })
    }

    /// Tells how many words and phrases are looked for.
    pub fn terms(&self) -> usize {
        self.terms.len()
    }

    /// Tells from the JSON of a part of a note whether the note may hold all of it; false is certain.
    pub fn may_match(&self, json: &[u8]) -> bool {
        self.may(json, |term| term.may_match(json))
    }

    /// As [`Self::may_match`], for JSON that is known to hold no `\u` escapes.
    pub fn may_match_unescaped(&self, json: &[u8]) -> bool {
        self.may(json, |term| term.may_match_unescaped(json))
    }

    fn may(&self, json: &[u8], holds: impl Fn(&Term) -> bool) -> bool {
        match self.terms.as_slice() {
            [one] => holds(one),
            // What a part does not hold another part of the note may.
            terms if is_of_several(json) => terms.iter().any(holds),
            terms => terms.iter().all(holds),
        }
    }

    /// Tells which of the words and phrases a part of a note holds.
    pub fn held(&self, note: &Note) -> Vec<bool> {
        self.terms.iter().map(|term| !term.find(note).is_empty()).collect()
    }

    /// Finds where they stand in a part of a note; of several, each field of a segment once.
    pub fn find(&self, note: &Note) -> Vec<Hit> {
        let [one] = self.terms.as_slice() else {
            let mut hits: Vec<Hit> = self.terms.iter().flat_map(|term| term.find(note)).collect();
            hits.sort_by_key(|hit| hit.segment);
            let mut seen = HashSet::new();
            hits.retain(|hit| seen.insert((hit.segment, hit.field)));
            return hits;
        };
        one.find(note)
    }
}

const QUOTES: [char; 3] = ['"', '“', '”'];

/// Tells from the JSON of a record whether it is one of several parts of a note.
fn is_of_several(json: &[u8]) -> bool {
    ["\"parts\"", "\"main_section\""]
        .iter()
        .any(|name| memchr::memmem::find(json, name.as_bytes()).is_some())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::note::{PartRef, Segment, SegmentKind};

    fn note(texts: &[&str]) -> Note {
        let segments = texts.iter().zip(1..);
        Note {
            segments: segments
                .map(|(text, n)| Segment::new(n, SegmentKind::Observation, *text))
                .collect(),
            ..Note::default()
        }
    }

    fn holds(query: &str, texts: &[&str]) -> bool {
        let (query, note) = (Query::new(query).unwrap(), note(texts));
        let all = query.held(&note).iter().all(|held| *held);
        assert!(!all || query.may_match(&note.to_json().unwrap()), "filtered out");
        assert_eq!(all && !query.find(&note).is_empty(), all);
        all
    }

    #[test]
    fn words_are_found_in_any_order_and_a_phrase_as_it_stands() {
        let texts = ["The boiler is cold.", "Heating since Monday: 5'10\" tall."];
        assert!(holds("cold boiler", &texts));
        assert!(holds("monday BOILER", &texts));
        assert!(!holds("boiler kitchen", &texts));
        assert!(holds("\"boiler is\" monday", &texts));
        assert!(!holds("\"is boiler\"", &texts));
        assert!(holds("“boiler is”", &texts));
        assert!(holds("\"cold.\"", &texts));
        assert!(holds("5'10\" heat", &texts));
        assert!(holds("tall", &texts) && !holds("\"tall", &texts));
        assert_eq!(Query::new("a \"b c\" d").unwrap().terms(), 3);
        for nothing in ["", " \t", "\"\"", "\" \""] {
            assert!(Query::new(nothing).is_err() || nothing.contains('"'), "{nothing}");
        }
        let hits = Query::new("boiler cold monday").unwrap().find(&note(&texts));
        let at: Vec<_> = hits.iter().map(|hit| (hit.segment, hit.field)).collect();
        assert_eq!(at, [(1, "text"), (2, "text")]);
    }

    #[test]
    fn several_words_may_be_meant_as_a_phrase_and_one_or_quoted_ones_not() {
        let phrase = Query::as_phrase("boiler is  cold").unwrap();
        assert_eq!(phrase.held(&note(&["The boiler is cold."])), [true]);
        assert_eq!(phrase.held(&note(&["Cold is the boiler."])), [false]);
        for text in ["boiler", " boiler ", "\"boiler is\" cold", ""] {
            assert!(Query::as_phrase(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_part_alone_need_not_hold_all() {
        let mut part = note(&["The boiler is cold."]);
        let query = Query::new("boiler monday").unwrap();
        assert!(!query.may_match(&part.to_json().unwrap()));
        part.parts = vec![PartRef {
            record: "n-1".into(),
            version: 1,
        }];
        assert!(query.may_match(&part.to_json().unwrap()));
        assert_eq!(query.held(&part), [true, false]);
    }
}
