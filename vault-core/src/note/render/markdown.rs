//! A note as Markdown (CommonMark with GitHub's strikethrough).

use std::fmt::Write as _;

use super::{Block, Change, Shown, display};

/// Writes a heading over the notes that follow it.
pub fn markdown_heading(title: &str) -> String {
    format!("# {}\n\n", escape(&display::escape_line(title)))
}

/// Writes what is said of the notes that follow, to stand under their heading.
pub fn markdown_heading_facts(facts: &[(&str, String)]) -> String {
    let lines = facts
        .iter()
        .map(|(label, value)| format!("- **{label}:** {}\n", escape(&display::escape_line(value))));
    lines.chain(["\n".to_owned()]).collect()
}

/// Writes a note as Markdown; nothing in a record can become markup, a link or an image.
pub fn markdown(shown: &Shown<'_>) -> String {
    let page = shown.page();
    let mut out = format!("# {}\n\n", escape(&page.title));
    for fact in &page.facts {
        let was = fact.was.as_deref().map(|was| format!(" (was: ~~{}~~)", escape(was)));
        let was = was.unwrap_or_default();
        let _ = writeln!(out, "- **{}:** {}{was}", fact.label, escape(&fact.value));
    }
    let mut heading = None;
    for block in &page.blocks {
        out.push('\n');
        if block.heading.is_some() && block.heading != heading {
            let _ = writeln!(out, "## {}\n", escape(block.heading.as_deref().unwrap_or_default()));
        }
        heading.clone_from(&block.heading);
        write_block(&mut out, block);
    }
    if let Some(left_out) = page.left_out() {
        let _ = writeln!(out, "\n*{left_out}*");
    }
    out
}

/// Writes what is attached to a note, one line each, to stand after it; nothing for nothing.
pub fn markdown_attachments(lines: &[String]) -> String {
    let mut out = String::new();
    if !lines.is_empty() {
        out.push_str("\n## Attachments\n\n");
    }
    for line in lines {
        let _ = writeln!(out, "- {}", escape(&display::escape_line(line)));
    }
    out
}

fn write_block(out: &mut String, block: &Block) {
    let strike = if block.change == Change::Struck { "~~" } else { "" };
    let _ = write!(
        out,
        "**\\[{}\\] {}{}",
        block.n,
        block.change.word(),
        escape(&block.label)
    );
    let lines: Vec<String> = block
        .body
        .split('\n')
        .map(|line| struck(&escape(line.trim()), strike))
        .collect();
    let body = lines.join("\\\n");
    match (block.body.trim().is_empty(), block.quoted) {
        (true, _) => out.push_str("**\n"),
        (false, true) => drop(writeln!(out, ":** “{body}”")),
        (false, false) => drop(writeln!(out, ":** {body}")),
    }
    if !(block.details.is_empty() && block.open.is_empty()) {
        out.push('\n');
    }
    for (label, value) in &block.details {
        let _ = writeln!(out, "- {label}: {}", struck(&escape(value), strike));
    }
    for open in &block.open {
        let _ = writeln!(out, "- *incomplete:* {}", escape(open));
    }
}

fn struck(text: &str, strike: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{strike}{text}{strike}")
    }
}

/// Puts a backslash before every ASCII mark that Markdown may read as its own (CommonMark 2.4); at a line's start that
/// takes in list numbers.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    for (at, c) in text.char_indices() {
        let anywhere = matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~' | '|' | '!' | '$' | '@'
        );
        let at_start = at == 0 && matches!(c, '#' | '+' | '-' | '=' | ':');
        let list_number = at > 0 && at == digits && matches!(c, '.' | ')');
        if anywhere || at_start || list_number {
            out.push('\\');
        }
        out.push(c);
    }
    // A bare address would become a link in some readers.
    out.replace("://", ":\\/\\/").replace("www.", "www\\.")
}
