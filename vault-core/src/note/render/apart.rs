//! Keeps the words of a segment apart from what a rendering says of it: whoever writes an e-mail that is filed must not be
//! able to write what reads as the agency's own decision.

/// What stands before a line of a text that would read as the rendering's own.
const MARK: &str = "│ ";

/// What a rendering says of a segment, each in a line of its own.
pub(super) const FIELDS: [&str; 20] = [
    "about",
    "authority",
    "decided by",
    "done",
    "done by",
    "due",
    "from",
    "hidden from",
    "incomplete",
    "labels",
    "options",
    "outcome",
    "owner",
    "rests on",
    "section",
    "significant",
    "speaker",
    "third party",
    "why",
    "withheld",
];

/// Marks each line of a text, from the second on, that would read as one of a rendering: `why: …`, `[9] Decision: …`. The
/// first line stands behind its segment's number and label.
pub fn set_apart(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, line) in text.split('\n').enumerate() {
        if n > 0 {
            out.push('\n');
            if reads_as_ours(line) {
                out.push_str(MARK);
            }
        }
        out.push_str(line);
    }
    out
}

fn reads_as_ours(line: &str) -> bool {
    let is_ornament = |c: char| c.is_whitespace() || matches!(c, '-' | '*' | '_' | '•' | '+' | '#' | '│');
    let line = line.trim_start_matches(is_ornament);
    let number = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    if number.is_some_and(|(n, _)| n.chars().any(char::is_numeric)) {
        return true;
    }
    let Some((name, _)) = line.split_once([':', '：']) else {
        return false;
    };
    let words = name.split(|c: char| is_ornament(c)).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join(" ").to_lowercase();
    FIELDS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_read_as_a_rendering_are_marked_and_others_are_not() {
        let text = "why: the first stands behind its label\nDecided by: the manager\n  - **why:** it is late\n\n[9] Decision: stop\n\
                    She said: no.\n[sic] it is\nDECIDED-BY：me";
        assert_eq!(
            set_apart(text),
            "why: the first stands behind its label\n│ Decided by: the manager\n│   - **why:** it is late\n\n│ [9] Decision: \
             stop\nShe said: no.\n[sic] it is\n│ DECIDED-BY：me"
        );
    }
}
