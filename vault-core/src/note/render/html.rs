//! A note as HTML: self-contained, fetching nothing, readable by a screen reader and on paper (WCAG 2.2 AA).

use std::fmt::Write as _;

use super::{Block, Change, Shown};
use crate::note::display;

/// The only style; black on white, contrast of every text above 7:1, sizes relative, nothing told by colour alone.
const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;color:#111;background:#fff;max-width:45rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.4rem}h2{font-size:1.2rem;margin-top:2rem}h3{font-size:1.05rem;margin-top:1.5rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0}dt{font-weight:600}dd{margin:0}\
.segment{margin:1rem 0;padding-left:.8rem;border-left:.2rem solid #555}.segment p{margin:.2rem 0;white-space:pre-wrap;overflow-wrap:anywhere}\
.label{font-weight:600}.open{font-style:italic}del,ins{text-decoration-thickness:.1em}ins{text-decoration:none}\
article+article{border-top:.1rem solid #555;margin-top:3rem;padding-top:1rem}\
@media print{body{max-width:none;margin:0;font-size:11pt}.segment{break-inside:avoid}article+article{break-before:page}}";

/// Makes a page of fragments, with a title, that asks for nothing from anywhere.
pub fn page(title: &str, fragments: &[String]) -> String {
    let title = escape(&display::escape_line(title));
    let body = fragments.concat();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// Writes a heading over the notes that follow it on a page.
pub fn heading(title: &str) -> String {
    format!("<h2>{}</h2>\n", escape(&display::escape_line(title)))
}

/// Writes what is said of the notes that follow, to stand under their heading.
pub fn heading_facts(facts: &[(&str, String)]) -> String {
    let shown: Vec<_> = facts
        .iter()
        .map(|(label, value)| (*label, display::escape_line(value)))
        .collect();
    let mut out = String::new();
    write_list(
        &mut out,
        shown.iter().map(|(label, value)| (*label, value.as_ref(), None)),
    );
    out
}

/// Writes one note as an article, to stand under a page's first heading.
pub fn fragment(shown: &Shown<'_>) -> String {
    let page = shown.page();
    let mut out = format!("<article>\n<h2>{}</h2>\n", escape(&page.title));
    let facts = page.facts.iter();
    write_list(
        &mut out,
        facts.map(|fact| (fact.label, fact.value.as_str(), fact.was.as_deref())),
    );
    let mut heading = None;
    for block in &page.blocks {
        if block.heading.is_some() && block.heading != heading {
            let _ = writeln!(out, "<h3>{}</h3>", escape(block.heading.as_deref().unwrap_or_default()));
        }
        heading.clone_from(&block.heading);
        write_block(&mut out, block);
    }
    if let Some(left_out) = page.left_out() {
        let _ = writeln!(out, "<p class=\"open\">{left_out}</p>");
    }
    out.push_str("</article>\n");
    out
}

/// Writes what is attached to a note, one line each, to stand after its article; nothing for nothing.
pub fn fragment_attachments(handle: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut out = format!("<section>\n<h3>Attachments of {}</h3>\n<ul>\n", escape(handle));
    for line in lines {
        let _ = writeln!(out, "<li dir=\"auto\">{}</li>", escape(&display::escape_line(line)));
    }
    out.push_str("</ul>\n</section>\n");
    out
}

fn write_block(out: &mut String, block: &Block) {
    let (open, close) = match block.change {
        Change::Added => ("<ins>", "</ins>"),
        Change::Same => ("", ""),
        Change::Struck => ("<del>", "</del>"),
    };
    let colon = if block.body.is_empty() { "" } else { ":" };
    let label = format!("[{}] {}{}{colon}", block.n, block.change.word(), block.label);
    let _ = write!(
        out,
        "<div class=\"segment\">\n<p><span class=\"label\">{}</span>",
        escape(&label)
    );
    let body = escape(&block.body);
    match (body.is_empty(), block.quoted) {
        (true, _) => {}
        (false, true) => drop(write!(out, " {open}<q dir=\"auto\">{body}</q>{close}")),
        (false, false) => drop(write!(out, " {open}<span dir=\"auto\">{body}</span>{close}")),
    }
    out.push_str("</p>\n");
    write_list(
        out,
        block
            .details
            .iter()
            .map(|(label, value)| (*label, value.as_str(), None)),
    );
    for open in &block.open {
        let _ = writeln!(out, "<p class=\"open\">incomplete: {}</p>", escape(open));
    }
    out.push_str("</div>\n");
}

/// Writes labels with their values, each with what it was before where that was something else.
fn write_list<'a>(out: &mut String, pairs: impl Iterator<Item = (&'a str, &'a str, Option<&'a str>)>) {
    let mut pairs = pairs.peekable();
    if pairs.peek().is_none() {
        return;
    }
    out.push_str("<dl>\n");
    for (label, value, was) in pairs {
        let was = was.map(|was| format!(" (was: <del>{}</del>)", escape(was)));
        let was = was.unwrap_or_default();
        let _ = writeln!(
            out,
            "<dt>{}</dt><dd dir=\"auto\">{}{was}</dd>",
            escape(label),
            escape(value)
        );
    }
    out.push_str("</dl>\n");
}

/// Escapes text for an element or a quoted attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '"' => out.push_str("&quot;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&#39;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}
