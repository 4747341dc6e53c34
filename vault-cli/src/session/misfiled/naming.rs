//! Who of other cases is named in the reason of a misfiled note, which stays in the record of the wrong case.

use crate::session::reply::CaseRow;

/// Letters that a part of a name has at least to be looked for alone.
const PART: usize = 3;

/// What stands in for a name.
const SOMEBODY: &str = "another person";

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
/// client's name.
pub(super) fn find(words: &str, own: &str, cases: &[CaseRow]) -> Option<Naming> {
    let parts = |case: &CaseRow| -> Vec<String> {
        let names = case.name.iter().chain(&case.label);
        let parts = names.flat_map(|name| name.split(|c: char| !c.is_alphanumeric() && c != '-'));
        parts
            .filter(|part| part.chars().count() >= PART)
            .map(str::to_owned)
            .collect()
    };
    let of_own: Vec<String> = cases.iter().filter(|case| case.case == own).flat_map(parts).collect();
    let others = cases.iter().filter(|case| case.case != own);
    others.into_iter().find_map(|case| {
        let whole = parts(case);
        let parts: Vec<&String> = whole.iter().filter(|part| !of_own.contains(part)).collect();
        let instead = without(words, &parts, &whole)?;
        let name = case.name.clone().or_else(|| case.label.clone()).unwrap_or_default();
        let case = case.case.clone();
        Some(Naming { name, case, instead })
    })
}

/// Writes words with somebody in the place of each name; nothing where none of the parts stands there. What else of the whole
/// name is behind a part goes with it.
fn without(words: &str, parts: &[&String], whole: &[String]) -> Option<String> {
    let mut out: Vec<String> = Vec::new();
    let mut found = false;
    let mut is_behind = false;
    for word in words.split_whitespace() {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let name = core
            .strip_suffix("'s")
            .or_else(|| core.strip_suffix("\u{2019}s"))
            .unwrap_or(core);
        let is_name = parts.iter().any(|part| *part == name) || is_behind && whole.iter().any(|part| part == name);
        match (is_name, is_behind) {
            (true, true) => {
                // More of the same name.
                if let Some(last) = out.last_mut() {
                    *last = word.replace(name, SOMEBODY);
                }
            }
            (true, false) => out.push(word.replace(name, SOMEBODY)),
            (false, _) => out.push(word.to_owned()),
        }
        is_behind = is_name;
        found |= is_name;
    }
    found.then(|| out.join(" "))
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
        assert_eq!(found("opened the wrong case of the Pike children"), None);
        assert_eq!(found("it was said with grace"), None);
    }
}
