//! HTML of a mail reduced to text, in which what it quotes is marked as a plain mail marks it: `> ` before each line.

use mail_parser::decoders::html::html_to_text;

/// How deep quotes of quotes are told apart.
const DEEPEST: usize = 8;

/// Reduces HTML to text; every line of a `<blockquote>` begins with `>`. HTML that does not close what it opens is not
/// taken to quote anything, because what comes after might be the sender's own.
pub(super) fn to_text(html: &str) -> String {
    let Some(pieces) = pieces(html) else {
        return html_to_text(html);
    };
    let mut out = String::new();
    for (depth, piece) in pieces {
        let text = html_to_text(piece);
        if text.trim().is_empty() {
            continue;
        }
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        match depth.min(DEEPEST) {
            0 => out.push_str(text.trim_start_matches('\n')),
            depth => {
                for line in text.trim().lines() {
                    out.push_str(&format!("{} {}\n", ">".repeat(depth), line.trim_end()));
                }
            }
        }
    }
    out
}

/// Cuts HTML at its quotes: how many each piece is in, and the piece; nothing where they are not balanced.
fn pieces(html: &str) -> Option<Vec<(usize, &str)>> {
    let mut pieces = Vec::new();
    let (mut depth, mut from, mut at) = (0_usize, 0, 0);
    while let Some(open) = html.get(at..)?.find('<').map(|found| at + found) {
        let rest = html.get(open..)?;
        if rest.starts_with("<!--") {
            at = open + rest.find("-->")? + 3;
            continue;
        }
        let name = |word: &str| {
            let begins = rest.get(..word.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(word));
            begins
                && !rest
                    .get(word.len()..)
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric()))
        };
        let (begins, ends) = (name("<blockquote"), name("</blockquote"));
        // A block is a line of its own, which the reduction does not see to: what announces a quote stands in one.
        let is_block = name("<div") || name("</div");
        at = open + 1;
        if begins || ends || is_block {
            pieces.push((depth, html.get(from..open)?));
            depth = match (begins, ends) {
                (true, _) => depth + 1,
                (_, true) => depth.checked_sub(1)?,
                _ => depth,
            };
            from = open + rest.find('>')? + 1;
            at = from;
        }
    }
    pieces.push((depth, html.get(from..)?));
    (depth == 0).then_some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_marked_and_broken_html_quotes_nothing() {
        let html = "<div>Fine, Monday.</div><BLOCKQUOTE type=\"cite\"><p>On Tuesday you wrote:</p><blockquote>Monday?</blockquote></BLOCKQUOTE>";
        let text = to_text(html);
        assert_eq!(
            text.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>(),
            ["Fine, Monday.", "> On Tuesday you wrote:", ">> Monday?"]
        );
        for broken in [
            "Yes.<blockquote>quoted<p>Own words.",
            "Yes.</blockquote>Own words.",
            "Yes.<!-- <blockquote> -->Own words.",
            "Yes.<blockquotes>Own words.",
        ] {
            assert!(!to_text(broken).contains('>'), "{broken}: {}", to_text(broken));
        }
    }
}
