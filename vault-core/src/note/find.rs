//! Finding a term in decrypted notes on the device: a quick look at the sealed JSON first, then the exact places.
//!
//! ```text
//! payload bytes ─may_match─> (almost always no) ─from_json─> Note ─find─> hits
//! ```
//!
//! Case is ignored by simple Unicode case folding, letter for letter. Composed and decomposed letters differ, and the
//! long s, the Kelvin sign and the Turkish i are only themselves, so that an ASCII term matches ASCII text alone.

mod query;

pub use query::Query;

use std::ops::Range;

use memchr::memmem::Finder;
use thiserror::Error;

use super::display;
use super::model::{Names, Note, Segment};

/// How much of the text is shown on each side of a hit, in characters.
const AROUND: usize = 40;

/// Says why nothing can be looked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FindError {
    /// The term has no words.
    #[error("nothing to look for")]
    Empty,
}

/// What is looked for: words that stand one after the other, whatever space is between.
pub struct Term {
    /// The words, folded.
    words: Vec<Vec<char>>,
    filter: Filter,
    escape: Finder<'static>,
}

/// What must be in the JSON text for the term to be in the note.
enum Filter {
    /// Letters that are ASCII, lower case, with the rarest of them.
    Ascii {
        word: Vec<u8>,
        at: usize,
        lower: u8,
        upper: u8,
    },
    /// Any of these.
    Any(Vec<Finder<'static>>),
}

/// One place where a term stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The segment's number, 0 for the head of the note.
    pub segment: u32,
    /// The field that it stands in, like `text` or `why`.
    pub field: &'static str,
    /// Where in the field, in bytes.
    pub span: Range<usize>,
    /// The text around it, on one line, safe to show.
    pub snippet: String,
}

impl Term {
    /// Takes a term; white space at its ends is not part of it.
    ///
    /// # Errors
    /// [`FindError::Empty`].
    pub fn new(term: &str) -> Result<Self, FindError> {
        let words: Vec<Vec<char>> = term.split_whitespace().map(|w| w.chars().map(fold).collect()).collect();
        let filter = words
            .iter()
            .filter_map(|w| Filter::new(w))
            .min_by_key(Filter::cost)
            .ok_or(FindError::Empty)?;
        Ok(Self {
            words,
            filter,
            escape: Finder::new("\\u").into_owned(),
        })
    }

    /// Tells from the JSON of a payload whether the note may hold the term; false is certain.
    ///
    /// JSON with `\u` escapes may hold anything. Of the other escapes only those of characters that the filter does not
    /// look for can occur.
    pub fn may_match(&self, json: &[u8]) -> bool {
        self.filter.is_in(json) || self.escape.find(json).is_some()
    }

    /// Tells whether JSON holds escapes that may stand for any letter.
    pub fn is_escaped(json: &[u8]) -> bool {
        memchr::memmem::find(json, b"\\u").is_some()
    }

    /// As [`Self::may_match`], for JSON that is known to hold no such escapes.
    pub fn may_match_unescaped(&self, json: &[u8]) -> bool {
        self.filter.is_in(json)
    }

    /// Finds every place in the note's own words: texts, names, reasons, headings, places. Not in unknown fields.
    pub fn find(&self, note: &Note) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut look = |segment: u32, field: &'static str, text: &str| {
            for span in self.spans(text) {
                let snippet = snippet(text, &span);
                hits.push(Hit {
                    segment,
                    field,
                    span,
                    snippet,
                });
            }
        };
        for (field, text) in head(note) {
            look(0, field, text);
        }
        for segment in &note.segments {
            for (field, text) in fields(segment) {
                look(segment.n, field, text);
            }
        }
        hits
    }

    /// Finds where the term stands in a text, in bytes, without overlaps.
    pub fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let Some(first) = self.words.first().and_then(|w| w.first()) else {
            return Vec::new();
        };
        let mut spans: Vec<Range<usize>> = Vec::new();
        let mut free = 0;
        for (at, c) in text.char_indices() {
            if at < free || fold(c) != *first {
                continue;
            }
            if let Some(end) = text.get(at..).and_then(|rest| self.matches_at(rest)) {
                free = at + end;
                spans.push(at..free);
            }
        }
        spans
    }

    /// Matches at the very start of a text, and tells where the match ends.
    fn matches_at(&self, text: &str) -> Option<usize> {
        let mut rest = text;
        for (i, word) in self.words.iter().enumerate() {
            if i > 0 {
                let trimmed = rest.trim_start();
                if trimmed.len() == rest.len() {
                    return None;
                }
                rest = trimmed;
            }
            let mut chars = rest.chars();
            for wanted in word {
                if fold(chars.next()?) != *wanted {
                    return None;
                }
            }
            rest = chars.as_str();
        }
        Some(text.len() - rest.len())
    }
}

impl Filter {
    /// Makes the best filter for a folded word; `None` for no word at all.
    fn new(word: &[char]) -> Option<Self> {
        let plain = |c: &char| c.is_ascii() && !c.is_ascii_control() && !matches!(c, '"' | '\\' | '/');
        let run = word
            .split(|c| !plain(c))
            .max_by_key(|run| run.len())
            .filter(|run| !run.is_empty());
        let other = word.iter().copied().find(|c| !c.is_ascii());
        match (run, other) {
            (Some(run), None) => Some(Self::ascii(run)),
            (Some(run), Some(_)) if run.len() >= 3 => Some(Self::ascii(run)),
            (_, Some(other)) => Some(Self::Any(variants(other))),
            // Only quotation marks, slashes or control characters, which JSON may escape: their last resort is the
            // bare character or the backslash.
            (None, None) => {
                let first = word.first()?;
                Some(Self::Any(vec![finder(&first.to_string()), finder("\\")]))
            }
        }
    }

    fn ascii(run: &[char]) -> Self {
        let word: Vec<u8> = run
            .iter()
            .filter_map(|c| u8::try_from(*c).ok())
            .map(|b| b.to_ascii_lowercase())
            .collect();
        let rarest = word
            .iter()
            .enumerate()
            .min_by_key(|(_, b)| commonness(**b))
            .map_or((0, 0), |(i, b)| (i, *b));
        Self::Ascii {
            at: rarest.0,
            lower: rarest.1,
            upper: rarest.1.to_ascii_uppercase(),
            word,
        }
    }

    /// Orders filters: the more letters, and the rarer, the better.
    fn cost(&self) -> (u8, usize) {
        match self {
            Self::Any(finders) => (0, finders.len()),
            Self::Ascii { word, lower, .. } => (commonness(*lower), usize::MAX - word.len()),
        }
    }

    fn is_in(&self, json: &[u8]) -> bool {
        match self {
            Self::Any(finders) => finders.iter().any(|f| f.find(json).is_some()),
            Self::Ascii { word, at, lower, upper } => {
                let here = |place: usize| {
                    let Some(start) = place.checked_sub(*at) else {
                        return false;
                    };
                    json.get(start..start + word.len())
                        .is_some_and(|bytes| bytes.eq_ignore_ascii_case(word))
                };
                if lower == upper {
                    memchr::memchr_iter(*lower, json).any(here)
                } else {
                    memchr::memchr2_iter(*lower, *upper, json).any(here)
                }
            }
        }
    }
}

fn finder(text: &str) -> Finder<'static> {
    Finder::new(text).into_owned()
}

/// All characters that fold to the one that this folds to.
fn variants(folded: char) -> Vec<Finder<'static>> {
    if !folded.is_alphabetic() {
        return vec![finder(&folded.to_string())];
    }
    let all = ('\u{80}'..='\u{1ffff}').filter(|c| fold(*c) == folded);
    let mut finders: Vec<Finder<'static>> = all.map(|c| finder(&c.to_string())).collect();
    if finders.is_empty() {
        finders.push(finder(&folded.to_string()));
    }
    finders
}

/// Folds the case of one character, where one character comes of it.
fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    if matches!(c, 'ı' | 'İ' | 'ſ' | '\u{212a}') {
        return c;
    }
    let single = |mut all: Box<dyn Iterator<Item = char>>| match (all.next(), all.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    };
    let upper = single(Box::new(c.to_uppercase())).unwrap_or(c);
    let folded = single(Box::new(upper.to_lowercase())).unwrap_or(c);
    if folded.is_ascii() { c } else { folded }
}

/// Ranks a byte by how often it occurs in the JSON of notes, from 0 (rare) on.
fn commonness(byte: u8) -> u8 {
    let order = b"zqxjkvw0123456789bpygufmcdhlrosniate";
    memchr::memchr(byte, order).map_or(if byte.is_ascii_punctuation() { 200 } else { 0 }, |at| {
        at.try_into().unwrap_or(0)
    })
}

fn head(note: &Note) -> impl Iterator<Item = (&'static str, &str)> {
    let texts = [
        ("place", &note.place),
        ("interpreter", &note.interpreter),
        ("language", &note.language),
        ("lag_reason", &note.lag_reason),
        ("seen_alone_why_not", &note.seen_alone_why_not),
        ("on_behalf_of", &note.on_behalf_of),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(name, text)| Some((name, text.as_deref()?)));
    texts.chain(note.present.iter().map(|p| ("present", p.as_str())))
}

fn fields(segment: &Segment) -> impl Iterator<Item = (&'static str, &str)> {
    let texts = [
        ("heading", &segment.heading),
        ("speaker", &segment.speaker),
        ("from", &segment.from),
        ("why", &segment.why),
        ("decided_by", &segment.decided_by),
        ("authority", &segment.authority),
        ("owner", &segment.owner),
        ("done_by", &segment.done_by),
        ("outcome", &segment.outcome),
        ("withheld", &segment.withheld),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(name, text)| Some((name, text.as_deref()?)));
    let about = segment.about.iter().flat_map(Names::iter).map(|n| ("about", n));
    let options = segment.options.iter().flat_map(Names::iter).map(|n| ("options", n));
    std::iter::once(("text", segment.text.as_str()))
        .chain(texts)
        .chain(about)
        .chain(options)
}

/// Cuts out what is around a hit.
fn snippet(text: &str, span: &Range<usize>) -> String {
    let before = text.get(..span.start).unwrap_or_default();
    let after = text.get(span.end..).unwrap_or_default();
    let start = before.char_indices().rev().nth(AROUND - 1).map_or(0, |(i, _)| i);
    let end = after.char_indices().nth(AROUND).map_or(after.len(), |(i, _)| i);
    let cut = text.get(start..span.end + end).unwrap_or_default();
    let line = cut.split_whitespace().collect::<Vec<_>>().join(" ");
    let (left, right) = (
        if start > 0 { "…" } else { "" },
        if end < after.len() { "…" } else { "" },
    );
    format!("{left}{}{right}", display::escape_line(&line))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::note::SegmentKind;
    use proptest::prelude::*;

    fn note(text: &str) -> Note {
        Note {
            segments: vec![Segment::new(1, SegmentKind::Observation, text)],
            ..Note::default()
        }
    }

    fn found(term: &str, text: &str) -> usize {
        let (term, note) = (Term::new(term).unwrap(), note(text));
        let hits = term.find(&note);
        if !hits.is_empty() {
            assert!(term.may_match(&note.to_json().unwrap()), "filtered out: {text}");
        }
        hits.len()
    }

    #[test]
    fn case_and_space_do_not_matter() {
        assert_eq!(found("falls", "FALLS and Falls, fall s"), 2);
        assert_eq!(found("  heating   failure ", "Heating\nfailure; heatingfailure"), 1);
        assert_eq!(found("łódź", "ŁÓDŹ Łódź"), 2);
        assert_eq!(found("ΟΔΟΣ", "οδος οδοσ"), 2);
        assert_eq!(found("straße", "STRAẞE Strasse"), 1);
        assert_eq!(found("বাংলা", "বাংলা"), 1);
        assert_eq!(found("\"no\"", "said \"No\""), 1);
        assert_eq!(found("a/b", "A/B"), 1);
        assert_eq!(found("\\", "C:\\temp"), 1);
        assert_eq!(found("kelvin", "\u{212a}elvin"), 0);
        assert_eq!(found("aa", "aaaa"), 2);
        assert!(matches!(Term::new(" \n"), Err(FindError::Empty)));
    }

    #[test]
    fn a_hit_says_where() {
        let mut n = note(&format!(
            "{} the radio\u{1b} is on {}",
            "long ".repeat(20),
            "tail ".repeat(20)
        ));
        n.segments[0].speaker = Some("Radio Rita".into());
        n.place = Some("radio shop".into());
        let hits = Term::new("RADIO").unwrap().find(&n);
        let at: Vec<(u32, &str)> = hits.iter().map(|h| (h.segment, h.field)).collect();
        assert_eq!(at, [(0, "place"), (1, "text"), (1, "speaker")]);
        assert_eq!(&n.segments[0].text[hits[1].span.clone()], "radio");
        assert!(
            hits[1].snippet.contains("the radio\\u{1b} is on tail"),
            "{}",
            hits[1].snippet
        );
        assert!(hits[1].snippet.starts_with('…') && hits[1].snippet.ends_with('…'));
    }

    #[test]
    fn the_filter_says_no() {
        let json = note("The mornings are worst.").to_json().unwrap();
        for (term, may) in [
            ("worst", true),
            ("MORNINGS", true),
            ("evening", false),
            ("wörld", false),
            ("łódź", false),
        ] {
            assert_eq!(Term::new(term).unwrap().may_match(&json), may, "{term}");
        }
        assert!(Term::new("zebra").unwrap().may_match(br#"{"text":"\u007aebra"}"#));
    }

    proptest! {
        #[test]
        fn the_filter_never_hides_a_hit(term in "[a-zA-ZłŁóßẞσςΣéÉ\"\\\\/ '0-9.]{1,6}", before in "\\PC{0,10}", after in "\\PC{0,10}", upper in any::<bool>()) {
            let Ok(looked_for) = Term::new(&term) else { return Ok(()) };
            let inner = if upper { term.to_uppercase() } else { term.clone() };
            let note = note(&format!("{before}{inner}{after}"));
            let hits = looked_for.find(&note);
            prop_assert!(upper || !hits.is_empty());
            prop_assert!(hits.is_empty() || looked_for.may_match(&note.to_json().unwrap()));
        }
    }
}
