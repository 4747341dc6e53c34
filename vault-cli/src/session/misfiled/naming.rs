//! Who of other cases is named in the reason of a misfiled note, which stays in the record of the wrong case.
//!
//! A name, a case's handle and its number elsewhere are the same here: whoever reads one can find whose it is.

use crate::session::reply::CaseRow;

/// Letters that a part of a name has at least to be looked for alone, and a number of another system.
const PART: usize = 3;

/// Characters of a handle that name a case at least: `c-` and two more.
const HANDLE: usize = 4;

/// Words behind a name that say of what it is: `the Mensah family` is `another family`.
const OF_WHAT: [&str; 30] = [
    "boy",
    "boys",
    "brothers",
    "case",
    "cases",
    "child",
    "children",
    "client",
    "family",
    "file",
    "files",
    "flat",
    "folder",
    "girl",
    "girls",
    "home",
    "house",
    "household",
    "kids",
    "matter",
    "note",
    "notes",
    "parents",
    "record",
    "records",
    "siblings",
    "sisters",
    "twins",
    "visit",
    "visits",
];

/// Words before a name that say who it is: `the client Noah Low` is `another client`.
const WHO: [&str; 13] = [
    "boy", "case", "child", "client", "family", "file", "folder", "girl", "handle", "number", "person", "record",
    "resident",
];

/// Words that are dropped with the name behind them.
const TITLES: [&str; 7] = ["dr", "miss", "mr", "mrs", "ms", "mx", "prof"];

/// Words that a thing is somebody's with: with `another` they are no English.
const WHOSE: [&str; 9] = ["her", "his", "its", "my", "our", "that", "their", "this", "your"];

/// Words between `the` and a name: `the wrong Mensah file` is `the wrong other file`.
const WHICH: [&str; 10] = [
    "correct", "entire", "first", "new", "next", "old", "right", "second", "whole", "wrong",
];

/// Somebody who is named.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Naming {
    /// Whose case it is.
    pub(super) name: String,
    /// Its handle.
    pub(super) case: String,
    /// The words without the name.
    pub(super) instead: String,
}

/// Finds the client of another case whom words name: by a part of the name as it is written, that is no part of the own
/// client's name, or by what the case is called: its handle, whole or its beginning, or its number elsewhere.
pub(super) fn find(words: &str, own: &str, cases: &[CaseRow]) -> Option<Naming> {
    let parts = |case: &CaseRow| -> Vec<String> {
        let names = case.name.iter().chain(&case.label);
        let parts = names.flat_map(|name| name.split(|c: char| !c.is_alphanumeric() && c != '-'));
        parts
            .filter(|part| part.chars().count() >= PART)
            .map(str::to_owned)
            .collect()
    };
    let own_case = cases.iter().find(|case| case.case == own);
    let of_own: Vec<String> = own_case.into_iter().flat_map(parts).collect();
    let others = cases.iter().filter(|case| case.case != own);
    others.into_iter().find_map(|case| {
        let whole = parts(case);
        let named = Named {
            parts: whole.iter().filter(|part| !of_own.contains(part)).collect(),
            whole: &whole,
            case,
            own: own_case,
        };
        let instead = without(words, &named)?;
        let name = case.name.clone().or_else(|| case.label.clone()).unwrap_or_default();
        let case = case.case.clone();
        Some(Naming { name, case, instead })
    })
}

/// What names a case.
struct Named<'c> {
    /// The parts of its client's name that are no part of the own client's.
    parts: Vec<&'c String>,
    /// All parts of the name.
    whole: &'c [String],
    case: &'c CaseRow,
    /// The case that the note stands in.
    own: Option<&'c CaseRow>,
}

/// How a word names a case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// By the name of its client.
    Client,
    /// By the name of the client's family, in the plural: `the Mensahs`.
    Family,
    /// By its handle or number.
    Case,
}

impl Named<'_> {
    /// Tells how a word names it; `is_behind` whether it stands behind such a word.
    fn how(&self, word: &str, is_behind: bool) -> Option<How> {
        if self.parts.iter().any(|part| *part == word) || is_behind && self.whole.iter().any(|part| part == word) {
            return Some(How::Client);
        }
        if self.is_called(word) {
            return Some(How::Case);
        }
        let plural = word.strip_suffix("es").into_iter().chain(word.strip_suffix('s'));
        let is_family = plural.into_iter().any(|one| self.parts.iter().any(|part| *part == one));
        is_family.then_some(How::Family)
    }

    /// Tells whether a word is the case's handle, or its number in another system.
    fn is_called(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let of_handle = |case: &CaseRow| {
            word.starts_with("c-")
                && word.len() >= HANDLE
                && (case.case.starts_with(&word) || word.starts_with(&case.case))
        };
        let of_number = |case: &CaseRow| {
            let number = case.external_id.as_ref().map(|number| number.to_lowercase());
            number.is_some_and(|number| {
                number == word && number.chars().count() >= PART && number.contains(|c: char| c.is_ascii_digit())
            })
        };
        let is_own = self.own.is_some_and(|own| of_handle(own) || of_number(own));
        !is_own && (of_handle(self.case) || of_number(self.case))
    }
}

/// A word, with what stands around it.
struct Word<'w> {
    before: &'w str,
    core: &'w str,
    /// `'s`, as it was typed.
    possessive: &'w str,
    after: &'w str,
}

impl<'w> Word<'w> {
    fn of(word: &'w str) -> Self {
        let is_around = |c: char| !c.is_alphanumeric();
        let rest = word.trim_start_matches(is_around);
        let (before, _) = word.split_at(word.len() - rest.len());
        let (bare, after) = rest.split_at(rest.trim_end_matches(is_around).len());
        let cut = ["'s", "\u{2019}s"].iter().find_map(|end| bare.strip_suffix(end));
        let (core, possessive) = bare.split_at(cut.unwrap_or(bare).len());
        Self {
            before,
            core,
            possessive,
            after,
        }
    }

    fn lower(&self) -> String {
        self.core.to_lowercase()
    }

    /// Whether nothing but a space parts it from the next word.
    fn is_open(&self) -> bool {
        self.after.is_empty() && self.possessive.is_empty()
    }
}

/// Writes words with somebody in the place of each name; nothing where none of them stands there. What else of the whole
/// name is behind a part goes with it.
fn without(words: &str, named: &Named<'_>) -> Option<String> {
    let words: Vec<Word<'_>> = words.split_whitespace().map(Word::of).collect();
    let mut out: Vec<String> = Vec::new();
    let mut found = false;
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        let Some(how) = named.how(word.core, false) else {
            out.push(format!("{}{}{}{}", word.before, word.core, word.possessive, word.after));
            continue;
        };
        found = true;
        let mut last = word;
        while let Some(next) = rest.next_if(|next| named.how(next.core, true).is_some()) {
            last = next;
        }
        // A bracket that was opened within what is left out is not closed.
        let after = match (word.before.contains('('), last.before.contains('(')) {
            (false, true) => last.after.trim_start_matches(')'),
            _ => last.after,
        };
        let end = Word { after, ..*last };
        let noun = rest.next_if(|next| {
            how != How::Family && end.is_open() && next.before.is_empty() && OF_WHAT.contains(&next.lower().as_str())
        });
        let kind = match (how, noun) {
            (_, Some(noun)) => noun.core.to_owned(),
            (How::Client, None) => "person".to_owned(),
            (How::Family, None) => "family".to_owned(),
            (How::Case, None) => "case".to_owned(),
        };
        let end = noun.unwrap_or(&end);
        let is_of_it = end.is_open() && rest.peek().is_some_and(|next| is_thing(next));
        let is_noun = noun.is_some() || how != How::Client;
        let somebody = somebody(&mut out, word.before, &kind, is_noun, is_of_it);
        out.push(format!("{}{somebody}{}{}", word.before, end.possessive, end.after));
    }
    found.then(|| out.join(" "))
}

/// Words for somebody who is not named, as they read behind what was written before; that may be taken back or changed.
fn somebody(out: &mut Vec<String>, before: &str, kind: &str, is_noun: bool, is_of_it: bool) -> String {
    let is_joined = before.is_empty();
    let of = |word: Option<&String>| {
        word.filter(|_| is_joined)
            .map(|word| word.to_lowercase())
            .unwrap_or_default()
    };
    if TITLES.contains(&of(out.last()).trim_end_matches('.')) {
        out.pop();
    }
    let last = of(out.last());
    let mut kind = kind.to_owned();
    let mut is_noun = is_noun;
    // Who it is stands there already: it is said once.
    if WHO.contains(&last.as_str()) {
        out.pop();
        if !is_noun || kind == "case" {
            kind = match last.as_str() {
                "handle" | "number" => "case".to_owned(),
                _ => last,
            };
        }
        is_noun = true;
        if of(out.last()) == "case" {
            out.pop();
        }
    }
    let last = of(out.last());
    let mut before_it = out.iter().rev().skip(1);
    let is_the_which = WHICH.contains(&last.as_str()) && of(before_it.next()) == "the";
    let is_of_it = is_of_it && !is_noun;
    let said = match last.as_str() {
        "a" | "an" | "the" if is_noun || last != "the" => {
            let article = out.pop().unwrap_or_default();
            match article.starts_with(char::is_uppercase) {
                true => format!("Another {kind}"),
                false => format!("another {kind}"),
            }
        }
        "the" => format!("other {kind}"),
        // `the other Mensah file`: that it is another one is said.
        "other" | "another" => kind,
        last if WHOSE.contains(&last) || is_the_which => format!("other {kind}"),
        _ => match out.last().is_none_or(|word| word.ends_with(['.', '!', '?'])) && is_joined {
            true => format!("Another {kind}"),
            false => format!("another {kind}"),
        },
    };
    match is_of_it {
        true => format!("{said}'s"),
        false => said,
    }
}

/// Tells whether a word behind a name is a thing that is said to be of it (`Mensah visit`), which only a few are certain to
/// be: what is no verb there.
fn is_thing(word: &Word<'_>) -> bool {
    const THINGS: [&str; 12] = [
        "appointment",
        "assessment",
        "call",
        "chronology",
        "contact",
        "conference",
        "letter",
        "mail",
        "meeting",
        "plan",
        "referral",
        "review",
    ];
    word.before.is_empty() && THINGS.contains(&word.lower().as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn who_is_named_is_found_and_left_out() {
        let cases = [
            CaseRow::labelled("c-1", "Mia Pike"),
            CaseRow::labelled("c-2", "Noah Pike"),
            CaseRow::labelled("c-3", "Grace O'Neil"),
        ];
        let found = |words: &str| find(words, "c-1", &cases).map(|found| (found.case, found.instead));
        let of = |case: &str, words: &str| Some((case.to_owned(), words.to_owned()));
        assert_eq!(
            found("I had Noah Pike's file open."),
            of("c-2", "I had another person's file open.")
        );
        assert_eq!(found("It is Noah's."), of("c-2", "It is another person's."));
        assert_eq!(found("(Grace) rang"), of("c-3", "(another person) rang"));
        for (typed, offered) in [
            ("the Low family were in my head", "another family were in my head"),
            ("The Low family rang.", "Another family rang."),
            ("I meant the Lows.", "I meant another family."),
            ("the wrong Low file was open", "the wrong other file was open"),
            ("my Low case was open", "my other case was open"),
            ("the other Low file", "the other file"),
            ("it is of the client Noah Low", "it is of another client"),
            ("typed for client Noah.", "typed for another client."),
            ("the Noah visit", "another visit"),
            ("the Noah meeting", "the other person's meeting"),
            ("a Noah review", "another person's review"),
            ("rang Mrs. Low about it", "rang another person about it"),
            ("Noah rang. Low too", "Another person rang. Another person too"),
            ("it is the Noah's", "it is the other person's"),
            ("belongs in c-9xk2m8qd", "belongs in another case"),
            ("belongs in case c-9xk2.", "belongs in another case."),
            ("the case number C-9XK2M8QD is right", "another case is right"),
            ("of Noah Low (c-9xk2m8qd).", "of another person."),
            ("it is KH-2231's", "it is another case's"),
        ] {
            let cases = [CaseRow::labelled("c-1", "Mia Pike"), {
                let mut row = CaseRow::labelled("c-9xk2m8qd", "Noah Low");
                row.external_id = Some("KH-2231".to_owned());
                row
            }];
            let found = find(typed, "c-1", &cases).map(|found| found.instead);
            assert_eq!(found.as_deref(), Some(offered), "{typed}");
        }
        assert_eq!(found("opened c-1 too late"), None);
        assert_eq!(found("opened the wrong case of the Pike children"), None);
        assert_eq!(found("it was said with grace"), None);
    }
}
