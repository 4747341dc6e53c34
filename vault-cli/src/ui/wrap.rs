//! Prose on a terminal, broken at spaces and not inside a word.
//!
//! What stands in backticks is copied, a command or a handle, and is never broken; neither is a word that is longer than a
//! line, which the terminal breaks itself. In a pipe nothing is broken: a line there is a line.

use std::borrow::Cow;

use rustix::fd::AsFd;
use unicode_width::UnicodeWidthStr;

/// A terminal that is narrower breaks lines as it likes.
const NARROWEST: usize = 20;

/// Columns that the later lines of an indented line stand further in.
const HANGING: usize = 2;

/// Breaks a text for the terminal that `out` is, `used` columns of its first line being taken; as it is elsewhere.
pub(super) fn to_fit(text: &str, out: impl AsFd, used: usize) -> Cow<'_, str> {
    if !rustix::termios::isatty(&out) {
        return Cow::Borrowed(text);
    }
    match rustix::termios::tcgetwinsize(out) {
        Ok(size) => within(text, usize::from(size.ws_col), used),
        Err(_) => Cow::Borrowed(text),
    }
}

/// Breaks it in so many columns.
fn within(text: &str, columns: usize, used: usize) -> Cow<'_, str> {
    let fits = |(n, line): (usize, &str)| line.width() + if n == 0 { used } else { 0 } <= columns;
    if columns < NARROWEST || text.split('\n').enumerate().all(fits) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    for (n, line) in text.split('\n').enumerate() {
        let taken = if n == 0 {
            used
        } else {
            out.push('\n');
            0
        };
        put(&mut out, line, columns, taken);
    }
    Cow::Owned(out)
}

/// Writes one line in as many as it needs; the later ones are indented as far as what is before the first, or a little
/// further in than an indented line.
fn put(out: &mut String, line: &str, columns: usize, used: usize) {
    let lead = line.len() - line.trim_start_matches(' ').len();
    let indent = match lead {
        0 => used,
        lead => used + lead + HANGING,
    };
    let indent = if indent < columns / 2 { indent } else { 0 };
    let (mut at, mut rest, mut is_first) = (used, line, true);
    while !rest.is_empty() {
        let words = rest.trim_start_matches(' ');
        let gap = rest.len() - words.len();
        let (word, after) = words.split_at_checked(end_of(words)).unwrap_or((words, ""));
        // What trails is no reason for another line.
        if !is_first && !word.is_empty() && at + gap + word.width() > columns {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            at = indent;
        } else {
            out.push_str(&" ".repeat(gap));
            at += gap;
        }
        out.push_str(word);
        at += word.width();
        is_first = false;
        rest = after;
    }
}

/// Finds the end of the word that a text begins with: the next space that is in no backticks.
fn end_of(words: &str) -> usize {
    let mut at = 0;
    while let Some(rest) = words.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(next) = rest.find([' ', '`']) else { break };
        let after = rest.get(next + 1..).unwrap_or_default();
        if rest.as_bytes().get(next) == Some(&b' ') {
            return at + next;
        }
        // One that nothing closes is a letter.
        at += next + 1 + after.find('`').map_or(0, |close| close + 1);
    }
    words.len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_at_spaces_and_never_in_a_command() {
        let hint = "make cards of it with `casevault recovery split --out-dir DIR` and keep them apart";
        assert_eq!(
            within(hint, 44, 6),
            "make cards of it with\n      `casevault recovery split --out-dir DIR`\n      and keep them apart"
        );
        // Too long for any line: it stands alone, whole.
        let long = "see `casevault note add c-7fk2 --kind phone --file -` now";
        assert_eq!(
            within(long, 24, 0),
            "see\n`casevault note add c-7fk2 --kind phone --file -`\nnow"
        );
        assert_eq!(within("one `two three", 22, 10), "one `two\n          three");
        assert_eq!(
            within("  Ring the landlord today.  (n-19qd3m0x:6)\nshort", 30, 0),
            "  Ring the landlord today.\n    (n-19qd3m0x:6)\nshort"
        );
        for whole in ["", "short\n", "  a  b  \n\n c"] {
            assert!(matches!(within(whole, 20, 0), Cow::Borrowed(_)), "{whole}");
        }
        assert_eq!(within("漢字漢字漢字 漢字漢字漢字", 20, 0), "漢字漢字漢字\n漢字漢字漢字");
    }

    proptest! {
        /// Nothing is lost but spaces, and no line is wider than the terminal unless one word of it alone is.
        #[test]
        fn nothing_is_lost_and_lines_fit(text in "[a-z` \n]{0,200}", columns in 20_usize..60, used in 0_usize..10) {
            let wrapped = within(&text, columns, used);
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(words(&wrapped), words(&text));
            for (n, line) in wrapped.split('\n').enumerate() {
                let width = line.trim_end().width() + if n == 0 { used } else { 0 };
                let alone = end_of(line.trim()) == line.trim().len();
                prop_assert!(width <= columns || alone, "{:?}", line);
            }
        }
    }
}
