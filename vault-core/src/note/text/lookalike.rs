//! Words that look like a mark and are none: `(hide-from father)`, `hide-from: father` in the middle of a line.
//!
//! So is guidance that words were typed into. The grammar knows marks in braces, and as fields of their own line. Whoever
//! writes one in another way believes that something is kept from somebody, or will be told, and it is only text. It is read
//! as text all the same, because nobody but its author knows what was meant; so whoever takes a text in asks, or says it.

use super::{Doubt, Line, Meant};
use crate::note::spelling::{allowed, fold, slips};

/// The marks with the ways in which people write them; the first is the mark's own.
const NAMES: [(&str, &[&str]); 5] = [
    (
        "hide-from",
        &[
            "hide-from",
            "hide_from",
            "hidefrom",
            "hidden-from",
            "hide from",
            "hidden from",
            "not for",
            "do not disclose to",
            "do not tell",
            "don't tell",
            "confidential",
        ],
    ),
    ("label", &["label"]),
    ("significant", &["significant"]),
    ("third-party", &["third-party", "third_party", "third party"]),
    ("withheld", &["withheld", "withhold"]),
];

/// The flags that the grammar knows in braces.
const FLAGS: [&str; 11] = [
    "about",
    "from",
    "hide-from",
    "interpreter",
    "kept",
    "label",
    "section",
    "significant",
    "third-party",
    "unconfirmed",
    "withheld",
];

/// Those of them that are words of sentences too.
const IN_SENTENCES: [&str; 6] = [
    "hide from",
    "hidden from",
    "not for",
    "do not disclose to",
    "do not tell",
    "don't tell",
];

/// What people write before a danger, believing that it is told as one.
const DANGERS: [&str; 5] = ["danger", "dangers", "risk", "risks", "safety"];

/// Most words between the beginning of a line and a colon that still look like a mark: `NOT FOR the niece:`.
const BEFORE_COLON: usize = 5;

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
    /// Whether it can be written so without a doubt where it ends: otherwise what is to be hidden could become part of it.
    is_sure: bool,
}

/// Lists what looks like a mark in a text, and hides or marks nothing as it is written.
pub fn lookalikes(text: &str) -> Vec<Doubt> {
    let lines = (1..).zip(text.trim_start_matches('\u{feff}').split('\n'));
    let lines = lines.map(|(number, text)| Line::new(number, text));
    let doubts = lines.flat_map(|line| {
        let found = in_line(line).into_iter();
        let guidance = has_guidance(line).then(|| Doubt::of(line, Meant::Guidance));
        let found = found.filter_map(move |found| {
            let written = line.text.get(found.from..found.to)?.to_owned();
            let mark = found.mark;
            Some(Doubt::of(line, Meant::Lookalike { written, mark }))
        });
        found.chain(guidance)
    });
    doubts.collect()
}

/// Tells whether the marker of guidance stands in the words of a line, where it keeps nothing out.
fn has_guidance(line: Line<'_>) -> bool {
    !line.is_guidance()
        && line
            .text
            .match_indices("#!")
            .any(|(at, _)| !line.text.get(..at).is_some_and(|b| b.ends_with('\\')))
}

/// Says which flag was meant by braces that hold none: `{hide-from father}` for `{hidefrom father}`.
pub(super) fn meant_flag(flag: &str) -> Option<String> {
    let (word, after) = first_word(flag.trim());
    if let Some((mark, name, after)) = named(flag.trim()) {
        let value = if name == "confidential" { "" } else { value_of(after) };
        return Some(written(mark, value));
    }
    Some(written(near(word, &FLAGS)?, value_of(after)))
}

fn first_word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, ':' | '='));
    text.split_at(end.unwrap_or(text.len()))
}

/// Finds the mark that a word looks like when it is spelt otherwise.
fn near(word: &str, marks: &[&'static str]) -> Option<&'static str> {
    let word = fold(word);
    let all = marks.iter().map(|mark| (slips(&word, &fold(mark)), *mark));
    let fits = all.filter(|(slips, mark)| *slips <= allowed(&fold(mark)));
    fits.min_by_key(|(slips, _)| *slips).map(|(_, mark)| mark)
}

/// Writes a text with each of them as the mark that it looks like; nothing where it is not clear where one of them ends.
pub fn with_marks(text: &str) -> Option<String> {
    let lines = (1..).zip(text.split('\n')).map(|(number, whole)| {
        let mut line = String::with_capacity(whole.len());
        let mut done = 0;
        for found in in_line(Line::new(number, whole)) {
            if !found.is_sure {
                return None;
            }
            line.push_str(whole.get(done..found.from).unwrap_or_default());
            line.push_str(&format!("{{{}}}", found.mark));
            done = found.to;
        }
        line.push_str(whole.get(done..).unwrap_or_default());
        Some(line)
    });
    Some(lines.collect::<Option<Vec<_>>>()?.join("\n"))
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
    if let Some(found) = beginning(text, indent).filter(|_| !is_field) {
        at = found.to;
        all.push(found);
    }
    while let Some(char) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let (before, rest) = (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default());
        let found = match char {
            '{' | '\\' => None,
            '(' | '[' | '<' => in_brackets(rest, char).map(|(length, mark)| (length, mark, true)),
            '#' => hashed(before, rest).map(|length| (length, "label danger".to_owned(), true)),
            _ => bare(before, rest).map(|(length, mark)| {
                let after = rest.get(length..).unwrap_or_default();
                (length, mark, is_behind(before, after))
            }),
        };
        at += match (char, found) {
            ('{', _) => rest.find('}').map_or(rest.len(), |end| end + 1),
            ('\\', _) => past_escaped(rest),
            (_, None) => char.len_utf8(),
            (_, Some((length, mark, is_clear))) => {
                all.push(Found {
                    from: at,
                    to: at + length,
                    // `WHO` and `GROUND` are still to be said.
                    is_sure: is_clear && !mark.ends_with(char::is_uppercase),
                    mark,
                });
                length
            }
        };
    }
    all
}

/// Tells whether a mark without brackets stands behind the words that it is about, with nothing behind it: one in front would
/// take them into itself.
fn is_behind(before: &str, after: &str) -> bool {
    let before = before.trim_end();
    let has_words = before.contains(char::is_whitespace) || before.ends_with(['.', ',', ';']);
    has_words && after.trim().trim_matches(['.', '!', '?', ';']).is_empty()
}

/// Reads what a line begins with that looks like a mark or a danger: some words and a colon. Where it ends is not clear.
fn beginning(text: &str, indent: usize) -> Option<Found> {
    let rest = text.get(indent..)?;
    // Behind the word that says what the paragraph is.
    let spoken = rest
        .split_once(": ")
        .filter(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric()) && name.len() <= 4);
    let own = spoken.map_or(0, |(name, _)| name.len() + 2);
    let rest = rest.get(own..)?;
    let colon = rest.find(':')?;
    let (said, after) = (rest.get(..colon)?, rest.get(colon + 1..)?);
    let is_short = said.split_whitespace().count() <= BEFORE_COLON;
    let (from, to) = (indent + own, indent + own + colon + 1);
    if DANGERS.iter().any(|name| said.trim().eq_ignore_ascii_case(name)) {
        let is_sure = !after.trim().is_empty();
        let mark = "label danger".to_owned();
        return Some(Found {
            from,
            to,
            mark,
            is_sure,
        });
    }
    let (mark, name, _) = named(said.trim_start())?;
    let is_it = is_short
        && (mark == "withheld" || mark == "hide-from" && (IN_SENTENCES.contains(&name) || name == "confidential"));
    is_it.then(|| Found {
        from,
        to,
        mark: written(mark, ""),
        is_sure: false,
    })
}

/// Reads `#danger`; returns its length.
fn hashed(before: &str, rest: &str) -> Option<usize> {
    let word = rest.get(1..)?;
    let end = word.find(|c: char| !c.is_alphanumeric()).unwrap_or(word.len());
    let is_it = DANGERS
        .iter()
        .any(|name| word.get(..end).is_some_and(|word| word.eq_ignore_ascii_case(name)));
    (is_it && !before.ends_with(|c: char| c.is_alphanumeric())).then_some(1 + end)
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
    if DANGERS.iter().any(|name| inside.eq_ignore_ascii_case(name)) {
        return Some((end + 1, "label danger".to_owned()));
    }
    let (mark, name, after) = match named(inside) {
        Some(found) => found,
        None => {
            let (word, after) = first_word(inside);
            // `significance` is a word of its own.
            let mark = near(word, &["hide-from", "withheld"])?;
            (mark, mark, after)
        }
    };
    let value = if name == "confidential" { "" } else { value_of(after) };
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
        ("hide-from", "confidential") => false,
        ("hide-from", name) if IN_SENTENCES.contains(&name) => {
            has_colon || !value.is_empty() && begins_or_ends(before, after, said)
        }
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
            ("obs: She rang. [withold]", "[withold]", "withheld GROUND"),
            (
                "obs: She rang. [witheld: a source]",
                "[witheld: a source]",
                "withheld a source",
            ),
            (
                "obs: He moved. (hide-form father)",
                "(hide-form father)",
                "hide-from father",
            ),
        ] {
            assert_eq!(marks(text), [(1, written.to_owned(), mark.to_owned())], "{text}");
        }
        let text = "obs: Calm.\n\nobs: Näher, (hide-from father) here. (significant)\r\nhide-from: uncle\n";
        assert_eq!(
            marks(text).iter().map(|(line, ..)| *line).collect::<Vec<_>>(),
            [3, 3, 4]
        );
        let text =
            "obs: Calm.\n\nobs: Näher, (hide-from father) here. (significant)\r\nobs: He moved, hide-from: uncle\n";
        assert_eq!(
            with_marks(text).unwrap(),
            "obs: Calm.\n\nobs: Näher, {hide-from father} here. {significant}\r\nobs: He moved, {hide-from uncle}\n"
        );
    }

    /// What is to be hidden must not become part of the mark, as whom it is hidden from.
    #[test]
    fn where_it_is_not_clear_where_a_mark_ends_none_is_written() {
        for text in [
            "Hide-from father: Mia has a phone.",
            "HIDE FROM: niece Tom has a second bank book.",
            "hide-from: father, She is pregnant.",
            "withheld: She is pregnant.",
            "obs: Withheld (third party): Neighbour called the police.",
            "NOT FOR niece: Tom has a second bank book.",
            "Confidential: she is pregnant.",
            "(confidential, not for niece) She is pregnant.",
            "obs: He moved. (hide-from)",
            "hide-from father",
        ] {
            assert!(!marks(text).is_empty(), "{text}");
            assert_eq!(with_marks(text), None, "{text}");
        }
        for (text, is) in [
            ("He moved. (not for father)", "He moved. {hide-from father}"),
            ("He moved. (do not disclose to father)", "He moved. {hide-from father}"),
            (
                "She has a phone, do not tell mother!",
                "She has a phone, {hide-from mother}!",
            ),
            ("danger: Tom keeps a shotgun.", "{label danger} Tom keeps a shotgun."),
            ("obs: Risk: a knife.", "obs: {label danger} a knife."),
            (
                "[danger] Ex-partner has a knife.",
                "{label danger} Ex-partner has a knife.",
            ),
            ("Tom keeps a shotgun (danger)", "Tom keeps a shotgun {label danger}"),
            ("Tom keeps a shotgun #danger", "Tom keeps a shotgun {label danger}"),
        ] {
            assert_eq!(with_marks(text).unwrap(), is, "{text}");
        }
    }

    #[test]
    fn guidance_in_the_words_of_a_line_is_doubted() {
        let doubted = |text: &str| lookalikes(text).iter().map(|doubt| doubt.line).collect::<Vec<_>>();
        assert_eq!(
            doubted("She was calm.#! What did you see?\n#! Guidance #! twice\n  #! Mine\n"),
            [1, 3]
        );
        assert_eq!(doubted("It says \\#! on the door. #1!\n"), [0; 0]);
    }

    #[test]
    fn a_flag_that_is_spelt_otherwise_is_known() {
        for (flag, meant) in [
            ("hidefrom father", "hide-from father"),
            ("hide from father", "hide-from father"),
            ("hiden-from father", "hide-from father"),
            ("not for father", "hide-from father"),
            ("withold", "withheld GROUND"),
            ("witheld: a source", "withheld a source"),
            ("singificant", "significant"),
            ("thirdparty", "third-party"),
            ("lable danger", "label danger"),
        ] {
            assert_eq!(meant_flag(flag).as_deref(), Some(meant), "{flag}");
        }
        for flag in ["urgent", "x", ""] {
            assert_eq!(meant_flag(flag), None, "{flag}");
        }
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
            "obs: The flat is not for him, and this note is confidential to her doctor.",
            "said mother: I do not tell him everything.",
            "obs: It is a danger: he drives. C# and #2.",
            "obs: She came (without him), withdrawn (upheld) [without].",
            "## Safety",
        ] {
            assert_eq!(marks(text), [], "{text}");
            assert_eq!(with_marks(text).unwrap(), text);
        }
    }
}
