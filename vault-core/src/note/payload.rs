//! The JSON of a note, read and written in one pass without a value tree: inside the seal, and as an import line.
//!
//! ```text
//! sealed  {"schema":…,"note":"n-…",…,"segments":[{"n":1,…}],"imported":{…},"extra":{…}}
//! line    {"type":"note","case":…,"note":…,"author":…,…,"segments":[{…}],…unknown fields}
//! ```
//!
//! A known field whose value our typed form would not write (null, an empty list, false) goes to the unknown fields, so
//! that it comes back; a field that we have learnt to write since is not written twice.

mod read;
mod write;

use serde::de::DeserializeSeed;

use super::json::JsonError;
use super::model::{Imported, Note, NoteError};
pub(super) use read::{Key, field, parse_str, unknown};

/// Which of the shapes is read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A line of an import file: case, note and author must be there.
    Line,
    /// One note typed as JSON: a line of which anything but the segments may be left out.
    Loose,
    /// The payload inside the seal.
    Sealed,
}

impl Note {
    /// Writes the payload for the seal.
    ///
    /// # Errors
    /// [`NoteError::Bug`] only.
    pub fn to_json(&self) -> Result<Vec<u8>, NoteError> {
        serde_json::to_vec(self).map_err(|e| NoteError::Bug(e.to_string()))
    }

    /// Reads the payload of a seal.
    ///
    /// # Errors
    /// [`NoteError`]: not the JSON of a note, or numbered senselessly.
    pub fn from_json(json: &[u8]) -> Result<Self, NoteError> {
        let note = read(json, Form::Sealed)?;
        note.check()?;
        Ok(note)
    }
}

/// Reads one note in a form, with nothing after it.
pub(super) fn read(json: &[u8], form: Form) -> Result<Note, JsonError> {
    let mut input = serde_json::Deserializer::from_slice(json);
    let note = read::NoteSeed { form }
        .deserialize(&mut input)
        .and_then(|note| input.end().map(|()| note));
    note.map_err(|e| JsonError::new(json, &e))
}

/// Writes one note as a line, under the ids of its origin.
pub(super) fn write_line(note: &Note, origin: &Imported) -> Result<String, NoteError> {
    serde_json::to_string(&write::Line { note, origin }).map_err(|e| NoteError::Bug(e.to_string()))
}
