//! Words that look like a mark and are none: `(hide-from father)`, `hide-from: father` in the middle of a line.
//!
//! The grammar knows marks in braces, and as fields of their own line. Whoever writes one in another way believes that
//! something is kept from somebody, or will be told, and it is only text. It is read as text all the same, because nobody
//! but its author knows what was meant; so whoever takes a text in asks, or says it.

use super::{Doubt, Line, Meant};

/// The marks with the ways in which people write them; the first is the mark's own.
const NAMES: [(&str, &[&str]); 5] = [
    (
        "hide-from",
        &["hide-from", "hide_from", "hidefrom", "hidden-from", "hide from"],
    ),
    ("label", &["label"]),
    ("significant", &["significant"]),
    ("third-party", &["third-party", "third_party", "third party"]),
    ("withheld", &["withheld", "withhold"]),
];

/// Words before `hide from` with which it is a sentence, and no mark.
const SENTENCE: [&str; 29] = [
    "always",
    "and",
    "can",
    "cannot",
    "children",
    "could",
    "did",
    "do",
    "does",
    "had",
    "i",
    "kids",
    "may",
    "might",
    "must",
    "never",
    "not",
    "often",
    "or",
    "she",
    "should",
    "sometimes",
    "them",
    "they",
    "to",
    "we",
    "who",
    "will",
    "would",
];

/// Something in a line that looks like a mark.
struct Found {
    from: usize,
    to: usize,
    /// The mark as the grammar has it, braces off.
    mark: String,
}

/// Lists what looks like a mark in a text, and hides or marks nothing as it is written.
pub fn lookalikes(text: &str) -> Vec<Doubt> {
    let lines = (1..).zip(text.trim_start_matches('\u{feff}').split('\n'));
    let lines = lines.map(|(number, text)| Line::new(number, text));
    let doubts = lines.flat_map(|line| {
        let found = in_line(line).into_iter();
        found.filter_map(move |found| {
            let written = line.text.get(found.from..found.to)?.to_owned();
            let mark = found.mark;
            Some(Doubt::of(line, Meant::Lookalike { written, mark }))
        })
    });
    doubts.collect()
}

/// Writes a text with each of them as the mark that it looks like.
pub fn with_marks(text: &str) -> String {
    let lines = (1..).zip(text.split('\n')).map(|(number, whole)| {
        let mut line = String::with_capacity(whole.len());
        let mut done = 0;
        for found in in_line(Line::new(number, whole)) {
            line.push_str(whole.get(done..found.from).unwrap_or_default());
            line.push_str(&format!("{{{}}}", found.mark));
            done = found.to;
        }
        line.push_str(whole.get(done..).unwrap_or_default());
        line
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn in_line(line: Line<'_>) -> Vec<Found> {
    let text = line.text;
    let is_field = text.starts_with("  ") || text.starts_with('\t');
    let indent = text.len() - text.trim_start().len();
    let name = line.field(indent).map(|(name, _, _)| name.to_ascii_lowercase());
    if line.is_guidance() || is_field && matches!(name.as_deref(), Some("hide-from" | "withheld")) {
        return Vec::new();
    }
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(char) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        let closed = |close: char| rest.find(close).map_or(rest.len(), |end| end + close.len_utf8());
        let next = match char {
            '{' => closed('}'),
            '\\' => past_escaped(rest),
            '(' | '[' | '<' => match in_brackets(rest, char) {
                Some((length, mark)) => {
                    let (from, to) = (at, at + length);
                    all.push(Found { from, to, mark });
                    length
                }
                None => char.len_utf8(),
            },
            _ => match bare(text.get(..at).unwrap_or_default(), rest) {
                Some((length, mark)) => {
                    let (from, to) = (at, at + length);
                    all.push(Found { from, to, mark });
                    length
                }
                None => char.len_utf8(),
            },
        };
        at += next;
    }
    all
}

/// Tells how much of a text a backslash keeps as it is: brackets with what is in them, else a word.
fn past_escaped(rest: &str) -> usize {
    let after = rest.get(1..).unwrap_or_default();
    let close = after.chars().next().and_then(closing);
    let length = match close.and_then(|close| after.find(close)) {
        Some(end) => end,
        None => after
            .find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_'))
            .unwrap_or(after.len()),
    };
    1 + length
}

fn closing(open: char) -> Option<char> {
    Some(match open {
        '(' => ')',
        '[' => ']',
        '<' => '>',
        _ => return None,
    })
}

/// Reads a mark in other brackets than braces; returns its length in bytes.
fn in_brackets(rest: &str, open: char) -> Option<(usize, String)> {
    let end = rest.find(closing(open)?)?;
    let inside = rest.get(1..end)?.trim();
    let (mark, _, after) = named(inside)?;
    let value = value_of(after);
    let mark = match mark {
        "significant" | "third-party" if !value.is_empty() => return None,
        "label" if value.is_empty() => return None,
        _ => written(mark, value),
    };
    Some((end + 1, mark))
}

/// Reads a mark that stands in a line without brackets: up to the end of the sentence.
fn bare(before: &str, rest: &str) -> Option<(usize, String)> {
    if before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '{')) {
        return None;
    }
    let (mark, name, after) = named(rest)?;
    let has_colon = after.trim_start().starts_with(':');
    let end = after.find(['.', ';', '!', '?', '{', '(', ')']).unwrap_or(after.len());
    let said = after.get(..end)?.trim_end();
    let value = value_of(said);
    let is_mark = match (mark, name) {
        ("hide-from", "hide from") => has_colon || !value.is_empty() && begins_or_ends(before, after, said),
        ("hide-from", _) => true,
        ("withheld", "withheld") => has_colon,
        _ => false,
    };
    is_mark.then(|| (name.len() + said.len(), written(mark, value)))
}

/// Tells whether `hide from WHO` stands where a mark would: at the beginning of a sentence, or alone at the line's end.
fn begins_or_ends(before: &str, after: &str, said: &str) -> bool {
    let before = before.trim_end();
    if before.is_empty() || before.ends_with(|c: char| !c.is_alphanumeric()) {
        return true;
    }
    let is_short = said.split_whitespace().count() <= 2;
    let is_end = after.trim_end().trim_end_matches('.').len() == said.len();
    let last = before.split_whitespace().next_back().unwrap_or_default().to_lowercase();
    is_short && is_end && !SENTENCE.contains(&last.as_str())
}

/// Finds the mark whose name a text begins with, the name as it is written in [`NAMES`], and what stands behind it.
fn named(text: &str) -> Option<(&'static str, &'static str, &str)> {
    let all = NAMES
        .iter()
        .flat_map(|(mark, names)| names.iter().map(move |name| (*mark, *name)));
    let mut fits = all.filter_map(|(mark, name)| {
        let is_it = text.get(..name.len())?.eq_ignore_ascii_case(name);
        let after = text.get(name.len()..)?;
        let ends = !after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'));
        (is_it && ends).then_some((mark, name, after))
    });
    fits.next()
}

fn value_of(after: &str) -> &str {
    after.trim_start().trim_start_matches([':', '=']).trim()
}

fn written(mark: &str, value: &str) -> String {
    match (mark, value) {
        ("hide-from", "") => "hide-from WHO".to_owned(),
        ("withheld", "") => "withheld GROUND".to_owned(),
        (mark, "") => mark.to_owned(),
        (mark, value) => format!("{mark} {value}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn marks(text: &str) -> Vec<(usize, String, String)> {
        let found = lookalikes(text).into_iter().map(|doubt| match doubt.read {
            Meant::Lookalike { written, mark } => (doubt.line, written, mark),
            other => panic!("{other:?}"),
        });
        found.collect()
    }

    #[test]
    fn what_looks_like_a_mark_is_found_however_people_write_it() {
        for (text, written, mark) in [
            (
                "obs: He moved. (hide-from father)",
                "(hide-from father)",
                "hide-from father",
            ),
            (
                "obs: He moved. [Hide from: Tom Reed]",
                "[Hide from: Tom Reed]",
                "hide-from Tom Reed",
            ),
            (
                "obs: He moved <hide_from father> today.",
                "<hide_from father>",
                "hide-from father",
            ),
            (
                "obs: He moved. hide-from: father",
                "hide-from: father",
                "hide-from father",
            ),
            (
                "obs: He moved. hide-from: father. Rang.",
                "hide-from: father",
                "hide-from father",
            ),
            (
                "He moved, hide-from father, uncle",
                "hide-from father, uncle",
                "hide-from father, uncle",
            ),
            ("He moved. hide from father", "hide from father", "hide-from father"),
            (
                "He moved to 9 Low Road hide from father.",
                "hide from father",
                "hide-from father",
            ),
            ("Hide from father", "Hide from father", "hide-from father"),
            ("  hide from: father", "hide from: father", "hide-from father"),
            ("hide-from:father", "hide-from:father", "hide-from father"),
            (
                "obs: A neighbour rang. (withheld: a source)",
                "(withheld: a source)",
                "withheld a source",
            ),
            (
                "obs: She rang. withheld: serious harm",
                "withheld: serious harm",
                "withheld serious harm",
            ),
            ("obs: He hit her. (significant)", "(significant)", "significant"),
            ("obs: She rang. [third party]", "[third party]", "third-party"),
            ("obs: A knife. (label danger)", "(label danger)", "label danger"),
            ("obs: He moved. (hide-from)", "(hide-from)", "hide-from WHO"),
        ] {
            assert_eq!(marks(text), [(1, written.to_owned(), mark.to_owned())], "{text}");
        }
        let text = "obs: Calm.\n\nobs: Näher, (hide-from father) here. (significant)\r\nhide-from: uncle\n";
        assert_eq!(
            marks(text).iter().map(|(line, ..)| *line).collect::<Vec<_>>(),
            [3, 3, 4]
        );
        assert_eq!(
            with_marks(text),
            "obs: Calm.\n\nobs: Näher, {hide-from father} here. {significant}\r\n{hide-from uncle}\n"
        );
    }

    #[test]
    fn marks_and_sentences_are_left_alone() {
        for text in [
            "obs: He moved. {hide-from father} {withheld a source} {significant}",
            "obs: He moved.\n  hide-from: father\n\twithheld: serious harm",
            "obs: The children hide from father when he drinks.",
            "obs: She told them to hide from father.",
            "obs: They hide from him.",
            "obs: The rent was withheld since May, a significant sum (about 900).",
            "obs: This is (quite) significant; the label on the bottle, and third party insurance.",
            "obs: \\hide-from: is what she asked about; so is \\(hide-from father).",
            "#! (hide-from father) is no mark",
            "int: She may hide. [1,2]",
        ] {
            assert_eq!(marks(text), [], "{text}");
            assert_eq!(with_marks(text), text);
        }
    }
}
