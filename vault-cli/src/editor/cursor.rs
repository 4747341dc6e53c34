//! Where an editor's cursor is to stand: on the first line that waits for words, and not on the guidance above it.

use vault_core::note::text;

/// Lines of guidance begin so.
const GUIDANCE: &str = "#!";

/// Finds the line, from 1, in which one writes on: what is said to be amiss, else the first empty line below a heading that
/// nothing was written under, or below the first lines where there is no heading; else where the words begin.
pub(super) fn line(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let is_guidance = |line: &str| line.starts_with(GUIDANCE);
    let is_head = |line: &str| line.is_empty() || line == "---" || text::is_front_matter(line);
    // What is amiss stands below the line that it is of; on top of all stands only what is to be known.
    let amiss = lines
        .windows(2)
        .position(|two| matches!(two, [of, said] if !is_guidance(of) && said.starts_with("#! ^ ")));
    if let Some(at) = amiss {
        return at + 1;
    }
    let body = lines
        .iter()
        .position(|line| !is_guidance(line) && !is_head(line))
        .unwrap_or(lines.len());
    let has_headings = lines.iter().skip(body).any(|line| is_heading(line));
    let waits = |at: usize| {
        let before = lines
            .iter()
            .take(at)
            .rev()
            .find(|line| !line.is_empty() && !is_guidance(line));
        let after = lines
            .iter()
            .skip(at + 1)
            .find(|line| !line.is_empty() && !is_guidance(line));
        let is_below = match has_headings {
            true => before.is_some_and(|line| is_heading(line)),
            false => before.is_some_and(|line| is_head(line)),
        };
        is_below && after.is_none_or(|line| is_heading(line))
    };
    // An empty line in the first lines ends them.
    let slot = (0..lines.len()).find(|at| lines.get(*at).is_some_and(|line| line.is_empty()) && waits(*at));
    slot.unwrap_or(body.min(lines.len().saturating_sub(1))) + 1
}

fn is_heading(line: &str) -> bool {
    line.starts_with('#') && !line.starts_with(GUIDANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writes_on_where_words_are_waited_for() {
        for (text, at) in [
            ("#! For A\nat: today\nkind: phone\n\n#! What else?\n", 4),
            (
                "#! For A\nat: today\n\n## Home\n#! What did you see?\n\n\n## Health\n\n",
                6,
            ),
            ("at: today\n\n## Home\n\nShe was calm.\n\n## Health\n#! Well?\n\n", 9),
            (
                "#! ^ Dangers\n#! ^ A dog.\nat: today\n\n#! [1]\nobs: She was calm.\n\n#! [2]\nint: Well.\n",
                6,
            ),
            ("at: today\n\n## Home\n\nobs: {x}\n#! ^ column 6: `{x}` is no flag\n", 5),
            ("at: today\nkind: phone\n\nA jot.\n", 4),
            ("kind: phone\n", 1),
            ("", 1),
        ] {
            assert_eq!(line(text), at, "{text}");
        }
    }
}
