//! The text form of a note: Markdown-like, so that typing costs the worker nothing.
//!
//! ```text
//! at: today 14:00                      front matter, optional: when, how long, who was there
//! for: 50m
//!
//! ## Home conditions                   a heading of the template gives kind and section to what follows
//! The kitchen was warm and tidy.       each paragraph is a segment
//! said client: "Nobody asked me."      a prefix says otherwise: obs said rep int act dec plan priv nar
//! int: She may feel left out. [1,2]    numbers count the note's segments from 1
//! dec: Ask again before the bed moves. {significant}
//!   why: it is her home                indented lines are fields
//!   options: move now; wait
//! #! What else could explain it?       guidance, dropped
//! ```
//!
//! Braces hold flags: `{about mother}` `{label health}` `{significant}` `{third-party}` `{withheld GROUND}`
//! `{hide-from X}` `{from X}` `{section S}` `{interpreter}`; a backslash keeps a brace, a bracket, another backslash,
//! or whatever a line starts with, as plain text. Text without a mark or a heading is a narrative, always legal.

mod flag;
mod front;
mod lookalike;
mod print;
mod segment;

use std::fmt;

use thiserror::Error;

use super::model::{Note, NoteKind, SegmentKind};
use super::when::{Now, WhenError};
pub use lookalike::{lookalikes, with_marks};
pub use print::{blank, print, print_numbered};
use segment::Reader;
pub use segment::{Doubt, Meant};

/// What the text form needs to know of a template.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outline {
    /// The template's id.
    pub template: Option<String>,
    /// The template's version.
    pub version: Option<u32>,
    /// The kind of note that it is for, if it is for one only.
    pub kind: Option<NoteKind>,
    /// Its headings, in order.
    pub headings: Vec<Heading>,
    /// Questions that the editor shows and that are dropped.
    pub prompts: Vec<String>,
    /// Titles of headings of other templates: one that nothing was written under is left out as its own are, because it came
    /// with the text that an editor opened with.
    pub others: Vec<String>,
}

impl Outline {
    /// Finds a heading by its title, whatever its case.
    pub fn heading(&self, title: &str) -> Option<&Heading> {
        let title = title.to_lowercase();
        self.headings.iter().find(|h| h.title.to_lowercase() == title)
    }
}

/// One heading of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Heading {
    /// The title, without its marks.
    pub title: String,
    /// The kind of an unmarked paragraph under it.
    pub kind: SegmentKind,
    /// The section of what is under it, if not the note's own.
    pub section: Option<String>,
    /// Guidance that the editor shows and that is dropped.
    pub guidance: Vec<String>,
}

/// Says what was not understood, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {fault}")]
pub struct TextError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What was not understood.
    pub fault: Fault,
}

/// What can be wrong with the text of a note.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Words beside an answer that takes none.
    #[error("`{0}` has no place for `{1}`: write it as an observation (`obs:`)")]
    Beside(&'static str, String),
    /// Nothing was written.
    #[error("nothing was written")]
    Empty,
    /// A flag lacks its word.
    #[error("`{{{0}}}` needs a word after it")]
    EmptyFlag(String),
    /// A field stands before any segment.
    #[error("`{0}:` belongs under a paragraph")]
    FieldWithoutSegment(String),
    /// A kind of note cannot be named so.
    #[error("`{0}` cannot be a kind of note")]
    NoteKind(String),
    /// A segment is cited by something that is no number.
    #[error("`{0}` is not the number of a segment")]
    Number(String),
    /// A field is there twice.
    #[error("`{0}:` is there twice")]
    Twice(String),
    /// A brace is not closed in its line.
    #[error("the brace is not closed; for a plain brace write \\{{")]
    UnclosedFlag,
    /// A brace holds no flag.
    #[error("`{{{flag}}}` is not a flag{meant}; for plain braces write \\{{", flag = .0, meant = meant_flag(.0))]
    UnknownFlag(String),
    /// A field of the front matter is not known.
    #[error("`{0}:` is not a field of a note")]
    UnknownField(String),
    /// A time, a length or a day.
    #[error(transparent)]
    When(#[from] WhenError),
    /// Neither yes nor no.
    #[error("`{0}` is neither yes nor no")]
    YesOrNo(String),
}

/// Says which flag was meant, where one is near.
fn meant_flag(flag: &str) -> String {
    let meant = lookalike::meant_flag(flag);
    meant.map_or_else(String::new, |meant| format!(": did you mean `{{{meant}}}`?"))
}

/// Reads a note from text, or says all that was not understood; the text itself is the caller's and is not touched.
///
/// Template and version are the outline's. Ids, author and recording time are the session's to add.
///
/// # Errors
/// Every [`TextError`] in order of place; never none.
pub fn parse(text: &str, outline: &Outline, now: &Now) -> Result<Note, Vec<TextError>> {
    let mut note = Note::new(outline.kind.clone().unwrap_or_default());
    note.template = outline.template.clone();
    note.template_version = outline.version;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<Line<'_>> = text
        .split('\n')
        .enumerate()
        .map(|(i, text)| Line::new(i + 1, text))
        .collect();
    let mut faults = Faults::default();
    let body = front::read(&lines, &mut note, now, &mut faults);
    let mut reader = Reader::new(outline, now, &mut faults);
    for line in lines.get(body..).unwrap_or_default() {
        reader.line(*line);
    }
    note.segments = reader.finish();
    if note.segments.is_empty() && faults.list.is_empty() {
        faults.list.push(TextError {
            line: 1,
            column: 1,
            fault: Fault::Empty,
        });
    }
    if faults.list.is_empty() {
        Ok(note)
    } else {
        Err(faults.list)
    }
}

/// Lists what of a text was read as the grammar has it, and may not have been meant so: marks and fields of a letter that was
/// pasted, and what looks like a mark and is none. It says nothing of what cannot be read.
pub fn doubts(text: &str, outline: &Outline, now: &Now) -> Vec<Doubt> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut faults = Faults::default();
    let mut doubts = read_body(text, outline, now, &mut faults).doubts().to_vec();
    doubts.extend(lookalikes(text));
    doubts.sort_by_key(|doubt| doubt.line);
    doubts
}

/// Lists the lines, from 1, with which plans begin that only the heading above them makes plans.
pub fn implied_plans(text: &str, outline: &Outline, now: &Now) -> Vec<usize> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut faults = Faults::default();
    read_body(text, outline, now, &mut faults).implied_plans().to_vec()
}

fn read_body<'a>(text: &str, outline: &'a Outline, now: &'a Now, faults: &'a mut Faults) -> Reader<'a> {
    let lines: Vec<Line<'_>> = (1..)
        .zip(text.split('\n'))
        .map(|(n, text)| Line::new(n, text))
        .collect();
    let body = front::read(&lines, &mut Note::default(), now, faults);
    let mut reader = Reader::new(outline, now, faults);
    for line in lines.get(body..).unwrap_or_default() {
        reader.line(*line);
    }
    reader
}

/// Tells whether a line reads as a field of the front matter, wherever it stands.
pub fn is_front_matter(line: &str) -> bool {
    let field = Line::new(1, line).field(0);
    field.is_some_and(|(name, _, _)| front::known_name(name).is_some())
}

/// Tells whether the front matter of a text says when it happened.
pub fn says_when(text: &str) -> bool {
    said(text, "at").is_some()
}

/// Returns the kind that the front matter of a text says, as it was written.
pub fn said_kind(text: &str) -> Option<&str> {
    said(text, "kind").map(|(_, kind)| kind)
}

/// Returns what the front matter of a text says of who was seen, as it was written, with the number of its line.
pub fn said_seen(text: &str) -> Option<(usize, &str)> {
    said(text, "seen")
}

/// Returns what the front matter of a text says in a field, and in which line.
fn said<'t>(text: &'t str, field: &str) -> Option<(usize, &'t str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().zip(1..).map(|(line, number)| Line::new(number, line));
    let mut front = lines
        .filter(|l| !l.is_guidance() && !l.text.is_empty() && l.text != "---")
        .map_while(|l| {
            l.field(0)
                .and_then(|(name, value, _)| Some((front::known_name(name)?, l.number, value)))
        });
    front
        .find(|(name, _, value)| *name == field && !value.is_empty())
        .map(|(_, line, value)| (line, value))
}

/// One line with its number.
#[derive(Clone, Copy)]
struct Line<'a> {
    number: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn new(number: usize, text: &'a str) -> Self {
        Self {
            number,
            text: text.strip_suffix('\r').unwrap_or(text).trim_end(),
        }
    }

    /// Guidance is as good as not there.
    fn is_guidance(self) -> bool {
        self.text.starts_with("#!")
    }

    /// Cuts `name: value` after `indent` bytes; the value's byte offset comes with it.
    fn field(self, indent: usize) -> Option<(&'a str, &'a str, usize)> {
        let (name, value) = self.text.get(indent..)?.split_once(':')?;
        let word = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
        let apart = value.is_empty() || value.starts_with(char::is_whitespace);
        let offset = self.text.len() - value.trim_start().len();
        (word && apart).then(|| (name, value.trim(), offset))
    }
}

/// What was not understood so far.
#[derive(Default)]
struct Faults {
    list: Vec<TextError>,
}

impl Faults {
    /// Notes a fault at a byte offset of a line.
    fn add(&mut self, line: Line<'_>, offset: usize, fault: impl Into<Fault>) {
        let column = line.text.get(..offset).unwrap_or(line.text).chars().count() + 1;
        self.list.push(TextError {
            line: line.number,
            column,
            fault: fault.into(),
        });
    }

    /// Notes the fault of a result and hands on its value.
    fn take<T, E: Into<Fault>>(&mut self, line: Line<'_>, offset: usize, result: Result<T, E>) -> Option<T> {
        result.map_err(|fault| self.add(line, offset, fault)).ok()
    }
}

/// Cuts a list at commas.
fn comma_list(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
        .collect()
}

impl fmt::Display for Outline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.template, self.version) {
            (Some(template), Some(version)) => write!(f, "{template} {version}"),
            (Some(template), None) => f.write_str(template),
            _ => f.write_str("no template"),
        }
    }
}

#[cfg(test)]
#[path = "text/tests.rs"]
mod tests;
