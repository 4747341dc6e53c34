//! Flags in braces, and the text around them without the braces and backslashes.

use super::{Fault, Faults, Line, comma_list};
use crate::note::model::{Names, Segment};

/// A character of a segment's text; a literal one was escaped and means nothing but itself.
#[derive(Clone, Copy)]
pub(super) struct Char {
    pub(super) char: char,
    pub(super) literal: bool,
}

/// What a segment is told by its flags.
#[derive(Default)]
pub(super) struct Flags {
    pub(super) about: Vec<String>,
    pub(super) hide_from: Vec<String>,
    pub(super) from: Option<String>,
    pub(super) labels: Vec<String>,
    pub(super) section: Option<String>,
    pub(super) withheld: Option<String>,
    pub(super) significant: bool,
    pub(super) third_party: bool,
    pub(super) through_interpreter: bool,
    pub(super) unconfirmed: bool,
    pub(super) kept: bool,
}

impl Flags {
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            about,
            hide_from,
            from,
            labels,
            section,
            withheld,
            significant,
            third_party,
            ..
        } = self;
        about.is_empty()
            && hide_from.is_empty()
            && from.is_none()
            && labels.is_empty()
            && section.is_none()
            && withheld.is_none()
            && !(*significant || *third_party || self.through_interpreter || self.unconfirmed || self.kept)
    }

    /// Hands the flags over to their segment.
    pub(super) fn apply(self, segment: &mut Segment) {
        segment.about = Names::from_list(self.about);
        segment.hide_from = Names::from_list(self.hide_from);
        segment.labels = self.labels;
        segment.withheld = self.withheld;
        segment.significant = self.significant;
        segment.third_party = self.third_party;
        segment.through_interpreter |= self.through_interpreter;
        segment.default_kind |= self.unconfirmed;
        segment.from = segment.from.take().or(self.from);
        if self.section.is_some() {
            segment.section = self.section;
        }
    }

    /// Takes one flag, braces off.
    fn add(&mut self, flag: &str) -> Result<(), Fault> {
        let flag = flag.trim();
        let (name, value) = flag.split_once(char::is_whitespace).unwrap_or((flag, ""));
        let value = value.trim();
        let name = name.to_ascii_lowercase().replace('_', "-");
        let needs_word = matches!(
            name.as_str(),
            "about" | "label" | "labels" | "withheld" | "hide-from" | "from" | "section"
        );
        if needs_word && value.is_empty() {
            return Err(Fault::EmptyFlag(name));
        }
        let text = || Some(value.to_owned());
        match name.as_str() {
            "about" => self.about.extend(comma_list(value)),
            "label" | "labels" => self.labels.extend(comma_list(value)),
            "hide-from" => self.hide_from.extend(comma_list(value)),
            "from" => self.from = text(),
            "section" => self.section = text(),
            "withheld" => self.withheld = text(),
            _ if !value.is_empty() => return Err(Fault::UnknownFlag(flag.to_owned())),
            "significant" => self.significant = true,
            "third-party" => self.third_party = true,
            "interpreter" => self.through_interpreter = true,
            "unconfirmed" => self.unconfirmed = true,
            "kept" => self.kept = true,
            _ => return Err(Fault::UnknownFlag(flag.to_owned())),
        }
        Ok(())
    }
}

/// Reads a piece of a line from a byte offset on: flags go to the flags, the rest to the text.
/// Tells whether any text came.
pub(super) fn scan(line: Line<'_>, offset: usize, flags: &mut Flags, out: &mut Vec<Char>, faults: &mut Faults) -> bool {
    let piece = line.text.get(offset..).unwrap_or_default();
    let mut rest = piece;
    let before = out.len();
    while let Some(char) = rest.chars().next() {
        let at = offset + piece.len() - rest.len();
        let tail = rest.get(char.len_utf8()..).unwrap_or_default();
        match char {
            '\\' => {
                let next = tail.chars().next();
                let at_start = out.len() == before;
                match next {
                    Some(next) if at_start || matches!(next, '{' | '}' | '[' | ']' | '\\') => {
                        out.push(Char {
                            char: next,
                            literal: true,
                        });
                        rest = tail.get(next.len_utf8()..).unwrap_or_default();
                    }
                    // A line of a lone backslash is an empty line of the text.
                    None if at_start => return true,
                    _ => {
                        out.push(Char { char, literal: false });
                        rest = tail;
                    }
                }
            }
            '{' => {
                let Some((flag, after)) = tail.split_once('}') else {
                    faults.add(line, at, Fault::UnclosedFlag);
                    return true;
                };
                faults.take(line, at, flags.add(flag));
                rest = close_gap(out, before, after);
            }
            _ => {
                out.push(Char { char, literal: false });
                rest = tail;
            }
        }
    }
    out.len() > before
}

/// Takes out the space that a flag leaves behind.
fn close_gap<'a>(out: &mut Vec<Char>, line_start: usize, after: &'a str) -> &'a str {
    if out.len() == line_start {
        return after.trim_start();
    }
    let spare =
        after.is_empty() || after.starts_with(|c: char| c.is_whitespace() || matches!(c, '.' | ',' | ';' | '!' | '?'));
    let is_space = |c: &Char| !c.literal && c.char.is_whitespace();
    while spare && out.len() > line_start && out.last().is_some_and(is_space) {
        out.pop();
    }
    after
}
