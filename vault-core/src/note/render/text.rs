//! A note as plain text for a terminal or a mail.

use std::fmt::Write as _;

use super::{Block, Shown};

/// Writes a note as text, without colour; line breaks of the record are kept, indented.
pub fn text(shown: &Shown<'_>) -> String {
    let page = shown.page();
    let mut out = format!("{}\n", page.title);
    let width = page.facts.iter().map(|fact| fact.label.len()).max().unwrap_or(0);
    for fact in &page.facts {
        let _ = writeln!(out, "{:width$}  {}", fact.label, fact.value);
        if let Some(was) = &fact.was {
            let _ = writeln!(out, "{:width$}  was: {was}", "");
        }
    }
    let mut heading = None;
    for block in &page.blocks {
        out.push('\n');
        if block.heading.is_some() && block.heading != heading {
            let _ = writeln!(out, "{}\n", block.heading.as_deref().unwrap_or_default());
        }
        heading.clone_from(&block.heading);
        write_block(&mut out, block);
    }
    if let Some(left_out) = page.left_out() {
        let _ = writeln!(out, "\n{left_out}");
    }
    out
}

fn write_block(out: &mut String, block: &Block) {
    let _ = write!(out, "[{}] {}{}", block.n, block.change.word(), block.label);
    let body = block.body.replace('\n', "\n    ");
    match (body.is_empty(), block.quoted) {
        (true, _) => out.push('\n'),
        (false, true) => drop(writeln!(out, ": \"{body}\"")),
        (false, false) => drop(writeln!(out, ": {body}")),
    }
    for (label, value) in &block.details {
        let _ = writeln!(out, "    {label}: {value}");
    }
    for open in &block.open {
        let _ = writeln!(out, "    incomplete: {open}");
    }
}
