//! Text from records, made safe to show: it cannot drive a terminal or turn its reading order round.

use std::borrow::Cow;

/// Shows control characters, bidirectional overrides and invisible marks as escapes (`\u{1b}`); line breaks and tabs
/// stay.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_where(text, |c| is_unsafe(c) && !matches!(c, '\n' | '\t'))
}

/// Does as [`escape`], and shows line breaks and tabs as escapes too, for a place that holds one line.
pub fn escape_line(text: &str) -> Cow<'_, str> {
    escape_where(text, is_unsafe)
}

fn escape_where(text: &str, shown: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&shown) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' if shown(c) => out.push_str("\\n"),
            '\t' if shown(c) => out.push_str("\\t"),
            c if shown(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Tells whether a character can act on what shows it: C0 and C1 controls, line and paragraph separators, bidirectional
/// controls (Trojan Source, CVE-2021-42574), tag characters and other invisible marks that hide text.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_overrides_are_shown() {
        assert_eq!(escape("a\u{1b}]52;c;x\u{7}b"), "a\\u{1b}]52;c;x\\u{7}b");
        assert_eq!(escape("invoice\u{202e}fdp.exe"), "invoice\\u{202e}fdp.exe");
        assert_eq!(escape("\u{9b}31m\r"), "\\u{9b}31m\\u{d}");
        assert_eq!(escape("a\n\tb"), "a\n\tb");
        assert_eq!(escape_line("a\n\tb"), "a\\n\\tb");
    }

    #[test]
    fn plain_text_is_not_copied() {
        // The zero-width joiner is needed by scripts in use.
        for text in ["Łódź", "বাংলা", "می\u{200c}خواهم", "👩\u{200d}👧", "“quoted” – dash"]
        {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text));
        }
    }
}
