//! One note typed as JSON: the shape of an import line, of which anything but the segments may be left out, or the
//! payload as `note show --json` prints it.

use std::fmt;

use thiserror::Error;

use super::model::Note;
use super::payload::{self, Form};

/// Says what is wrong with JSON, where, and in which field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct JsonError {
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
    /// The field that was being read, like `segments[2].kind`; empty at the top.
    pub field: String,
    /// What was wrong.
    pub why: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = super::display::escape(&self.why);
        match self.field.as_str() {
            "" => write!(f, "column {}: {why}", self.column),
            field => write!(
                f,
                "column {}, field `{}`: {why}",
                self.column,
                super::display::escape(field)
            ),
        }
    }
}

impl JsonError {
    /// Takes over a parser's error and finds the field by its place.
    pub(super) fn new(json: &[u8], error: &serde_json::Error) -> Self {
        let (line, column) = (error.line().max(1), error.column().max(1));
        let text = error.to_string();
        let why = text
            .strip_suffix(&format!(" at line {} column {}", error.line(), error.column()))
            .unwrap_or(&text);
        let before: usize = json
            .split_inclusive(|b| *b == b'\n')
            .take(line - 1)
            .map(<[u8]>::len)
            .sum();
        let read = json.get(..before + column).unwrap_or(json);
        let why = why
            .replace("expected u32", "expected a whole number")
            .replace("EOF", "the text ends");
        Self {
            line,
            column,
            field: field_at_end(read),
            why,
        }
    }
}

/// Reads a note typed as JSON. Ids, author and recording time that it names are in [`Note::imported`].
///
/// # Errors
/// [`JsonError`] with line, column and field.
pub fn parse(json: &str) -> Result<Note, JsonError> {
    #[derive(serde::Deserialize)]
    struct Tag {
        schema: Option<String>,
    }
    let json = json.strip_prefix('\u{feff}').unwrap_or(json);
    let tagged = serde_json::from_str::<Tag>(json).is_ok_and(|t| t.schema.as_deref() == Some(super::model::SCHEMA));
    let form = if tagged { Form::Sealed } else { Form::Loose };
    let note = payload::read(json.as_bytes(), form)?;
    match note.check() {
        Ok(()) => Ok(note),
        Err(e) => Err(JsonError {
            line: 1,
            column: 1,
            field: "segments".to_owned(),
            why: e.to_string(),
        }),
    }
}

/// Finds all that is wrong with a note as JSON that [`parse`] refuses: one fault of each segment, and one of the rest. Where
/// it is no JSON at all, it breaks off at one place, and that is the one.
pub fn faults(json: &str) -> Vec<JsonError> {
    faults_by(json, |json| parse(json).err())
}

/// As [`faults`], of what is refused by `refused`, as a line of an import is.
pub(super) fn faults_by(json: &str, refused: impl Fn(&str) -> Option<JsonError>) -> Vec<JsonError> {
    #[derive(serde::Deserialize)]
    struct Parts<'a> {
        #[serde(borrow)]
        segments: &'a serde_json::value::RawValue,
    }
    let Some(first) = refused(json) else {
        return Vec::new();
    };
    let json = json.strip_prefix('\u{feff}').unwrap_or(json);
    let Ok(Parts { segments }) = serde_json::from_str::<Parts<'_>>(json) else {
        return vec![first];
    };
    let Ok(list) = serde_json::from_str::<Vec<&serde_json::value::RawValue>>(segments.get()) else {
        return vec![first];
    };
    let mut found = Vec::new();
    for (index, segment) in list.into_iter().map(serde_json::value::RawValue::get).enumerate() {
        // Alone in a note, behind as much as stands before it: what is wrong is where it is.
        let (before, after) = ("{\"segments\":[", "]}");
        let Some(at) = offset_of(json, segment) else { continue };
        let (line, column) = place(json, at);
        if let Err(fault) = parse(&format!("{before}{segment}{after}")) {
            let is_first_line = fault.line == 1;
            let within = fault
                .column
                .saturating_sub(if is_first_line { before.len() } else { 0 });
            found.push(JsonError {
                line: line + fault.line - 1,
                column: if is_first_line {
                    column + within.saturating_sub(1)
                } else {
                    within
                },
                field: fault.field.replacen("segments[0]", &format!("segments[{index}]"), 1),
                why: fault.why,
            });
        }
    }
    if let Some(at) = offset_of(json, segments.get()) {
        // As long as it was, and of as many lines.
        let inside = segments.get().trim_start_matches('[').trim_end_matches(']');
        let blank: String = inside.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        let (before, after) = (
            json.get(..at).unwrap_or_default(),
            json.get(at + segments.get().len()..),
        );
        let rest = format!("{before}[{blank}]{}", after.unwrap_or_default());
        found.extend(refused(&rest));
    }
    found.sort_by_key(|fault| (fault.line, fault.column));
    match found.is_empty() {
        // It is wrong of them together, as two numbers of segments are.
        true => vec![first],
        false => found,
    }
}

/// Finds at which byte of a text a part of it begins.
fn offset_of(text: &str, part: &str) -> Option<usize> {
    (part.as_ptr() as usize)
        .checked_sub(text.as_ptr() as usize)
        .filter(|at| *at <= text.len())
}

/// Names the line and the column, in bytes, of a byte of a text.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, str::len) + 1;
    (line, column)
}

/// Tells whether a note that was typed or piped in is JSON rather than text. A text may begin with a mark in braces, and an
/// object begins with the name of a field, in quotation marks.
pub fn is_json(input: &str) -> bool {
    let object = input.trim_start_matches('\u{feff}').trim_start().strip_prefix('{');
    object.is_some_and(|inside| matches!(inside.trim_start().chars().next(), None | Some('"' | '}')))
}

/// One open object or list, while looking for the place of an error.
enum Open {
    List(usize),
    Object { key: String, before_colon: bool },
}

/// The deepest field that is named, and the most bytes of a key that are: a hostile line is not to fill the message.
const NAMED_DEPTH: usize = 16;
const NAMED_KEY: usize = 80;

/// Names the field in which JSON text breaks off.
fn field_at_end(json: &[u8]) -> String {
    let mut open: Vec<Open> = Vec::new();
    let mut deeper = 0usize;
    let mut bytes = json.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' if open.len() == NAMED_DEPTH => deeper += 1,
            b'{' => open.push(Open::Object {
                key: String::new(),
                before_colon: true,
            }),
            b'[' => open.push(Open::List(0)),
            b'}' | b']' if deeper > 0 => deeper -= 1,
            b'}' | b']' => drop(open.pop()),
            b':' | b',' if deeper > 0 => {}
            b':' => {
                if let Some(Open::Object { before_colon, .. }) = open.last_mut() {
                    *before_colon = false;
                }
            }
            b',' => match open.last_mut() {
                Some(Open::List(index)) => *index += 1,
                Some(Open::Object { key, before_colon }) => {
                    key.clear();
                    *before_colon = true;
                }
                None => {}
            },
            b'"' => {
                let mut text = Vec::new();
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => text.extend(bytes.next()),
                        _ => text.push(byte),
                    }
                    text.truncate(NAMED_KEY);
                }
                if deeper > 0 {
                    continue;
                }
                if let Some(Open::Object {
                    key,
                    before_colon: true,
                }) = open.last_mut()
                {
                    *key = String::from_utf8_lossy(&text).into_owned();
                }
            }
            _ => {}
        }
    }
    let mut path = String::new();
    for step in &open {
        match step {
            Open::List(index) => path.push_str(&format!("[{index}]")),
            Open::Object { key, .. } if key.is_empty() => {}
            Open::Object { key, .. } => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
        }
    }
    if deeper > 0 {
        path.push('…');
    }
    path
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::note::{NoteKind, Segment, SegmentKind};

    #[test]
    fn anything_but_the_segments_may_be_left_out() {
        let note = parse("\n {\"segments\":[{\"kind\":\"quote\",\"text\":\"No.\",\"speaker\":\"client\"}]}").unwrap();
        assert_eq!(note.kind, NoteKind::default());
        assert_eq!(note.imported, None);
        assert_eq!(note.segments.len(), 1);
        assert_eq!(note.segments[0].n, 1);
        let err = parse("{\"kind\":\"phone\"}").unwrap_err();
        assert_eq!(err.why, "`segments` is missing");
    }

    #[test]
    fn a_byte_order_mark_is_no_obstacle() {
        assert!(parse("\u{feff}{\"segments\":[]}").is_ok());
    }

    #[test]
    fn what_show_prints_goes_in_again() {
        let mut note = Note::new(NoteKind::new("home-visit").unwrap());
        note.id = "n-0123".into();
        note.segments.push(Segment::new(3, SegmentKind::Plan, "Ring."));
        let json = String::from_utf8(note.to_json().unwrap()).unwrap();
        assert_eq!(parse(&json).unwrap(), note);
    }

    #[test]
    fn the_field_that_an_error_names_has_an_end() {
        let deep = format!("{{\"segments\":[],\"x\":{}", "[".repeat(100_000));
        let err = parse(&deep).unwrap_err();
        assert!(
            err.field.starts_with("x[0]") && err.field.ends_with('…'),
            "{}",
            err.field
        );
        assert!(err.field.len() < 100);
        let long = format!("{{\"{}\":nul", "k".repeat(100_000));
        assert!(parse(&long).unwrap_err().field.len() <= NAMED_KEY);
    }

    #[test]
    fn all_that_is_wrong_is_named_where_it_stands() {
        let json = "{\n \"segments\": [{\"kind\":\"plam\",\"text\":\"x\"},\n  {\"kind\":\"plan\",\"text\":\"x\"}, \
                    {\"kind\":\"plan\"}],\n \"occurred_at\": \"never\"}";
        let found: Vec<_> = faults(json)
            .into_iter()
            .map(|fault| (fault.line, fault.field, fault.why))
            .collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!((found[0].0, found[0].1.as_str()), (2, "segments[0].kind"));
        assert_eq!((found[1].0, found[1].2.as_str()), (3, "`text` is missing"));
        assert_eq!((found[2].0, found[2].1.as_str()), (4, "occurred_at"));
        // The first of them stands where it does alone.
        let first = parse(json).unwrap_err();
        assert_eq!(faults(json)[0], first);
        assert_eq!(faults("{\"segments\":[").len(), 1);
        assert_eq!(faults("{\"segments\":[]}"), []);
    }

    #[test]
    fn an_error_names_line_and_field() {
        let err =
            parse("{\n \"kind\": \"phone\",\n \"segments\": [{\"kind\":\"plan\",\"text\":\"x\"},{\"kind\":\"plam\"}]}")
                .unwrap_err();
        assert_eq!((err.line, err.field.as_str()), (3, "segments[1].kind"));
        assert_eq!(err.why, "`plam` is not a kind of segment");
        assert!(!is_json("  obs: x") && is_json(" \n{}") && is_json("\u{feff}{"));
        assert!(!is_json("{hide-from father} obs: x") && is_json("{\n  \"segments\": [") && !is_json("{about mother}"));
    }
}
