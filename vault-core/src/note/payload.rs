//! The JSON of a note, read and written in one pass without a value tree: inside the seal, and as an import line.
//!
//! ```text
//! sealed  {"schema":…,"note":"n-…",…,"segments":[{"n":1,…}],"imported":{…},"extra":{…}}
//! line    {"type":"note","case":…,"note":…,"author":…,…,"segments":[{…}],…unknown fields}
//! ```
//!
//! A known field whose value our typed form would not write (null, an empty list, false) goes to the unknown fields, so
//! that it comes back; a field that we have learnt to write since is not written twice.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::extra::{Extra, RawJson};
use super::json::JsonError;
use super::model::{Imported, Names, Note, NoteError, NoteKind, SCHEMA, Segment, SegmentKind};
use super::when::Moment;

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
        let note = read(json, Form::Sealed).map_err(|e| NoteError::Malformed {
            column: e.column,
            why: e.to_string(),
        })?;
        note.check()?;
        Ok(note)
    }
}

/// Reads one note in a form, with nothing after it.
pub(super) fn read(json: &[u8], form: Form) -> Result<Note, JsonError> {
    let mut input = serde_json::Deserializer::from_slice(json);
    let note = NoteSeed { form }
        .deserialize(&mut input)
        .and_then(|note| input.end().map(|()| note));
    note.map_err(|e| JsonError::new(json, &e))
}

/// Writes one note as a line, under the ids of its origin.
pub(super) fn write_line(note: &Note, origin: &Imported) -> Result<String, NoteError> {
    serde_json::to_string(&Line { note, origin }).map_err(|e| NoteError::Bug(e.to_string()))
}

/// A key of an object, borrowed where it has no escapes.
pub(super) struct Key<'de>(Cow<'de, str>);

impl Key<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

fn twice<E: serde::de::Error>(name: &str) -> E {
    E::custom(format!("`{name}` is there twice"))
}

fn missing<E: serde::de::Error>(name: &str) -> E {
    E::custom(format!("`{name}` is missing"))
}

/// The literal of a value that the typed form does not write.
fn keep_literal<E: serde::de::Error>(extra: &mut Extra, name: &str, literal: &str) -> Result<(), E> {
    let raw: RawJson = serde_json::from_str(literal).map_err(E::custom)?;
    if extra.push(name, raw) {
        Ok(())
    } else {
        Err(twice(name))
    }
}

/// Reads an optional field; a null is kept among the unknown fields.
pub(super) fn field<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    map: &mut A,
    name: &str,
    slot: &mut Option<T>,
    extra: &mut Extra,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(twice(name));
    }
    *slot = map.next_value()?;
    if slot.is_none() {
        keep_literal(extra, name, "null")
    } else {
        Ok(())
    }
}

fn list<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    map: &mut A,
    name: &str,
    slot: &mut Vec<T>,
    extra: &mut Extra,
) -> Result<(), A::Error> {
    if !slot.is_empty() {
        return Err(twice(name));
    }
    match map.next_value::<Option<Vec<T>>>()? {
        None => keep_literal(extra, name, "null"),
        Some(values) if values.is_empty() => keep_literal(extra, name, "[]"),
        Some(values) => {
            *slot = values;
            Ok(())
        }
    }
}

fn flag<'de, A: MapAccess<'de>>(map: &mut A, name: &str, slot: &mut bool, extra: &mut Extra) -> Result<(), A::Error> {
    if *slot {
        return Err(twice(name));
    }
    match map.next_value::<Option<bool>>()? {
        None => keep_literal(extra, name, "null"),
        Some(false) => keep_literal(extra, name, "false"),
        Some(true) => {
            *slot = true;
            Ok(())
        }
    }
}

/// Keeps a field that is not known.
pub(super) fn unknown<'de, A: MapAccess<'de>>(map: &mut A, name: &str, extra: &mut Extra) -> Result<(), A::Error> {
    let raw = map.next_value()?;
    if extra.push(name, raw) {
        Ok(())
    } else {
        Err(twice(name))
    }
}

struct NoteSeed {
    form: Form,
}

impl<'de> DeserializeSeed<'de> for NoteSeed {
    type Value = Note;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Note, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for NoteSeed {
    type Value = Note;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object that is a note")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Note, A::Error> {
        let sealed = self.form == Form::Sealed;
        let mut note = Note::default();
        let mut origin = Imported::default();
        let (mut kind, mut segments, mut schema): (Option<NoteKind>, Option<Segments>, bool) = (None, None, false);
        let mut nested: Option<Extra> = None;
        while let Some(key) = map.next_key::<Key<'de>>()? {
            let (name, extra) = (key.as_str(), &mut note.extra);
            match name {
                "schema" if sealed => {
                    let tag = map.next_value::<Cow<'_, str>>()?;
                    if tag != SCHEMA {
                        return Err(A::Error::custom(format!(
                            "`{tag}` is not a schema that this version reads"
                        )));
                    }
                    schema = true;
                }
                "type" if !sealed => {
                    map.next_value::<IgnoredAny>()?;
                }
                "case" if !sealed => field(&mut map, name, &mut origin.case, extra)?,
                "note" if !sealed => field(&mut map, name, &mut origin.note, extra)?,
                "author" if !sealed => field(&mut map, name, &mut origin.author, extra)?,
                "recorded_at" if !sealed => field(&mut map, name, &mut origin.recorded_at, extra)?,
                "note" => {
                    if !note.id.is_empty() {
                        return Err(twice(name));
                    }
                    note.id = map.next_value()?;
                }
                "imported" if sealed => field(&mut map, name, &mut note.imported, extra)?,
                "main_section" if sealed => field(&mut map, name, &mut note.main_section, extra)?,
                "extra" if sealed => field(&mut map, name, &mut nested, extra)?,
                "kind" => {
                    if kind.replace(map.next_value()?).is_some() {
                        return Err(twice(name));
                    }
                }
                "segments" => {
                    if segments
                        .replace(map.next_value_seed(SegmentsSeed { form: self.form })?)
                        .is_some()
                    {
                        return Err(twice(name));
                    }
                }
                "template" => field(&mut map, name, &mut note.template, extra)?,
                "template_version" => field(&mut map, name, &mut note.template_version, extra)?,
                "occurred_at" => field(&mut map, name, &mut note.occurred_at, extra)?,
                "duration_minutes" => field(&mut map, name, &mut note.duration_minutes, extra)?,
                "authored_at" => field(&mut map, name, &mut note.authored_at, extra)?,
                "lag_reason" => field(&mut map, name, &mut note.lag_reason, extra)?,
                "labels" => list(&mut map, name, &mut note.labels, extra)?,
                "worker" => field(&mut map, name, &mut note.worker, extra)?,
                "entered_by" => field(&mut map, name, &mut note.entered_by, extra)?,
                "on_behalf_of" => field(&mut map, name, &mut note.on_behalf_of, extra)?,
                "confirmed_by" => field(&mut map, name, &mut note.confirmed_by, extra)?,
                "present" => list(&mut map, name, &mut note.present, extra)?,
                "seen" => field(&mut map, name, &mut note.seen, extra)?,
                "seen_alone" => field(&mut map, name, &mut note.seen_alone, extra)?,
                "seen_alone_why_not" => field(&mut map, name, &mut note.seen_alone_why_not, extra)?,
                "place" => field(&mut map, name, &mut note.place, extra)?,
                "language" => field(&mut map, name, &mut note.language, extra)?,
                "interpreter" => field(&mut map, name, &mut note.interpreter, extra)?,
                "original" => field(&mut map, name, &mut note.original, extra)?,
                "section" => field(&mut map, name, &mut note.section, extra)?,
                _ => unknown(&mut map, name, extra)?,
            }
        }
        if sealed && !schema {
            return Err(missing("schema"));
        }
        if self.form == Form::Line {
            let absent = [
                ("case", origin.case.is_none()),
                ("note", origin.note.is_none()),
                ("author", origin.author.is_none()),
                ("occurred_at", note.occurred_at.is_none()),
            ];
            if let Some((name, _)) = absent.into_iter().find(|(_, absent)| *absent) {
                return Err(missing(name));
            }
        }
        match kind {
            Some(kind) => note.kind = kind,
            None if self.form == Form::Loose => {}
            None => return Err(missing("kind")),
        }
        let segments = segments.ok_or_else(|| missing("segments"))?;
        note.segments = segments.list;
        for (name, value) in nested.iter().flat_map(Extra::iter) {
            note.extra.push(name, value.clone());
        }
        if !sealed {
            origin.numbered = segments.numbered;
            if self.form == Form::Line || origin != Imported::default() {
                note.imported = Some(origin);
            }
        }
        Ok(note)
    }
}

/// The segments, and whether they came with their numbers.
struct Segments {
    list: Vec<Segment>,
    numbered: bool,
}

struct SegmentsSeed {
    form: Form,
}

impl<'de> DeserializeSeed<'de> for SegmentsSeed {
    type Value = Segments;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Segments, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for SegmentsSeed {
    type Value = Segments;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of segments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Segments, A::Error> {
        let (mut list, mut numbered, mut before) = (Vec::<Segment>::new(), None, 0_u32);
        while let Some(mut segment) = seq.next_element_seed(SegmentSeed { form: self.form })? {
            let has_number = segment.n != 0;
            if *numbered.get_or_insert(has_number) != has_number {
                return Err(A::Error::custom("either all segments have a number `n` or none"));
            }
            if !has_number {
                segment.n = before.saturating_add(1);
            }
            if segment.n <= before {
                return Err(A::Error::custom(NoteError::Numbering { n: segment.n, before }));
            }
            before = segment.n;
            list.push(segment);
        }
        Ok(Segments {
            list,
            numbered: numbered.unwrap_or(false),
        })
    }
}

struct SegmentSeed {
    form: Form,
}

impl<'de> DeserializeSeed<'de> for SegmentSeed {
    type Value = Segment;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Segment, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for SegmentSeed {
    type Value = Segment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object that is a segment")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Segment, A::Error> {
        let sealed = self.form == Form::Sealed;
        let mut segment = Segment::new(0, SegmentKind::Narrative, String::new());
        let (mut n, mut kind, mut text, mut nested) = (None::<u32>, None, None, None::<Extra>);
        while let Some(key) = map.next_key::<Key<'de>>()? {
            let (name, extra) = (key.as_str(), &mut segment.extra);
            match name {
                "n" => {
                    if n.replace(map.next_value()?).is_some() {
                        return Err(twice(name));
                    }
                    if n == Some(0) {
                        return Err(A::Error::custom("segments are numbered from 1"));
                    }
                }
                "kind" => {
                    if kind.replace(map.next_value()?).is_some() {
                        return Err(twice(name));
                    }
                }
                "text" => {
                    if text.replace(map.next_value()?).is_some() {
                        return Err(twice(name));
                    }
                }
                "heading" => field(&mut map, name, &mut segment.heading, extra)?,
                "speaker" => field(&mut map, name, &mut segment.speaker, extra)?,
                "through_interpreter" => flag(&mut map, name, &mut segment.through_interpreter, extra)?,
                "from" => field(&mut map, name, &mut segment.from, extra)?,
                "about" => field(&mut map, name, &mut segment.about, extra)?,
                "cites" => list(&mut map, name, &mut segment.cites, extra)?,
                "why" => field(&mut map, name, &mut segment.why, extra)?,
                "options" => field(&mut map, name, &mut segment.options, extra)?,
                "decided_by" => field(&mut map, name, &mut segment.decided_by, extra)?,
                "authority" => field(&mut map, name, &mut segment.authority, extra)?,
                "owner" => field(&mut map, name, &mut segment.owner, extra)?,
                "due" => field(&mut map, name, &mut segment.due, extra)?,
                "labels" => list(&mut map, name, &mut segment.labels, extra)?,
                "significant" => flag(&mut map, name, &mut segment.significant, extra)?,
                "third_party" => flag(&mut map, name, &mut segment.third_party, extra)?,
                "withheld" => field(&mut map, name, &mut segment.withheld, extra)?,
                "hide_from" => field(&mut map, name, &mut segment.hide_from, extra)?,
                "section" => field(&mut map, name, &mut segment.section, extra)?,
                "default_kind" => flag(&mut map, name, &mut segment.default_kind, extra)?,
                "placeholder" => flag(&mut map, name, &mut segment.placeholder, extra)?,
                "extra" if sealed => field(&mut map, name, &mut nested, extra)?,
                _ => unknown(&mut map, name, extra)?,
            }
        }
        segment.n = match n {
            Some(n) => n,
            None if sealed => return Err(missing("n")),
            None => 0,
        };
        segment.kind = kind.ok_or_else(|| missing("kind"))?;
        segment.text = match text {
            Some(text) => text,
            None if segment.placeholder => String::new(),
            None => return Err(missing("text")),
        };
        for (name, value) in nested.iter().flat_map(Extra::iter) {
            segment.extra.push(name, value.clone());
        }
        Ok(segment)
    }
}

impl<'de> Deserialize<'de> for Note {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        NoteSeed { form: Form::Sealed }.deserialize(deserializer)
    }
}

/// Reads a string through a parser, so that its error carries the string's place.
pub(super) fn parse_str<'de, D, T, E>(deserializer: D, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    E: fmt::Display,
{
    struct Parsed<F>(F);
    impl<T, E: fmt::Display, F: FnOnce(&str) -> Result<T, E>> Visitor<'_> for Parsed<F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<X: serde::de::Error>(self, text: &str) -> Result<T, X> {
            (self.0)(text).map_err(X::custom)
        }
    }
    deserializer.deserialize_str(Parsed(parse))
}

impl<'de> Deserialize<'de> for SegmentKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_str(deserializer, |name| {
            Self::from_name(name).ok_or_else(|| format!("`{name}` is not a kind of segment"))
        })
    }
}

impl<'de> Deserialize<'de> for NoteKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_str(deserializer, |name| {
            Self::new(name).ok_or_else(|| format!("`{name}` cannot be a kind of note"))
        })
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_str(deserializer, Self::parse)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for NoteKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for SegmentKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Many(names) => names.serialize(serializer),
            Self::One(name) => serializer.serialize_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E>(self, name: &str) -> Result<Names, E> {
                Ok(Names::One(name.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Ok(Names::Many(names))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

impl Serialize for Imported {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = Out::new(serializer.serialize_map(None)?, false);
        out.option("case", &self.case)?;
        out.option("note", &self.note)?;
        out.option("author", &self.author)?;
        out.option("recorded_at", &self.recorded_at)?;
        out.flag("numbered", self.numbered)?;
        out.map.end()
    }
}

impl<'de> Deserialize<'de> for Imported {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            case: Option<String>,
            note: Option<String>,
            author: Option<String>,
            recorded_at: Option<Moment>,
            #[serde(default)]
            numbered: bool,
        }
        let Fields {
            case,
            note,
            author,
            recorded_at,
            numbered,
        } = Fields::deserialize(deserializer)?;
        Ok(Self {
            case,
            note,
            author,
            recorded_at,
            numbered,
        })
    }
}

/// An object being written, which remembers its names if unknown fields are to follow.
struct Out<M> {
    map: M,
    written: Option<Vec<&'static str>>,
}

impl<M: SerializeMap> Out<M> {
    fn new(map: M, remember: bool) -> Self {
        Self {
            map,
            written: remember.then(Vec::new),
        }
    }

    fn value<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), M::Error> {
        if let Some(written) = &mut self.written {
            written.push(name);
        }
        self.map.serialize_entry(name, value)
    }

    fn option<T: Serialize>(&mut self, name: &'static str, value: &Option<T>) -> Result<(), M::Error> {
        value.as_ref().map_or(Ok(()), |value| self.value(name, value))
    }

    fn list<T: Serialize>(&mut self, name: &'static str, values: &[T]) -> Result<(), M::Error> {
        if values.is_empty() {
            Ok(())
        } else {
            self.value(name, values)
        }
    }

    fn flag(&mut self, name: &'static str, value: bool) -> Result<(), M::Error> {
        if value { self.value(name, &true) } else { Ok(()) }
    }

    /// Writes the unknown fields: nested under the seal, beside the known ones in a line.
    fn extra(&mut self, extra: &Extra, sealed: bool) -> Result<(), M::Error> {
        if extra.is_empty() {
            return Ok(());
        }
        if sealed {
            return self.value("extra", extra);
        }
        let written = self.written.take().unwrap_or_default();
        for (name, value) in extra.iter().filter(|(name, _)| !written.contains(name)) {
            self.map.serialize_entry(name, value)?;
        }
        Ok(())
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = Out::new(serializer.serialize_map(None)?, false);
        out.value("schema", SCHEMA)?;
        if !self.id.is_empty() {
            out.value("note", &self.id)?;
        }
        out.value("kind", &self.kind)?;
        head(&mut out, self)?;
        out.option("section", &self.section)?;
        out.option("main_section", &self.main_section)?;
        out.value(
            "segments",
            &SegmentList {
                note: self,
                sealed: true,
                numbered: true,
            },
        )?;
        out.option("imported", &self.imported)?;
        out.extra(&self.extra, true)?;
        out.map.end()
    }
}

struct Line<'a> {
    note: &'a Note,
    origin: &'a Imported,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { note, origin } = self;
        let mut out = Out::new(serializer.serialize_map(None)?, !note.extra.is_empty());
        out.value("type", "note")?;
        out.option("case", &origin.case)?;
        out.option("note", &origin.note)?;
        out.option("author", &origin.author)?;
        out.value("kind", &note.kind)?;
        out.option("section", &note.section)?;
        out.option("recorded_at", &origin.recorded_at)?;
        head(&mut out, note)?;
        let dense = note.segments.iter().zip(1..).all(|(segment, n)| segment.n == n);
        let numbered = origin.numbered || !dense;
        out.value(
            "segments",
            &SegmentList {
                note,
                sealed: false,
                numbered,
            },
        )?;
        out.extra(&note.extra, false)?;
        out.map.end()
    }
}

/// Writes what stands between the kind and the segments in both forms.
fn head<M: SerializeMap>(out: &mut Out<M>, note: &Note) -> Result<(), M::Error> {
    out.option("template", &note.template)?;
    out.option("template_version", &note.template_version)?;
    out.option("occurred_at", &note.occurred_at)?;
    out.option("duration_minutes", &note.duration_minutes)?;
    out.option("authored_at", &note.authored_at)?;
    out.option("lag_reason", &note.lag_reason)?;
    out.list("labels", &note.labels)?;
    out.option("worker", &note.worker)?;
    out.option("entered_by", &note.entered_by)?;
    out.option("on_behalf_of", &note.on_behalf_of)?;
    out.option("confirmed_by", &note.confirmed_by)?;
    out.list("present", &note.present)?;
    out.option("seen", &note.seen)?;
    out.option("seen_alone", &note.seen_alone)?;
    out.option("seen_alone_why_not", &note.seen_alone_why_not)?;
    out.option("place", &note.place)?;
    out.option("language", &note.language)?;
    out.option("interpreter", &note.interpreter)?;
    out.option("original", &note.original)
}

struct SegmentList<'a> {
    note: &'a Note,
    sealed: bool,
    numbered: bool,
}

impl Serialize for SegmentList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.note.segments.len()))?;
        for segment in &self.note.segments {
            seq.serialize_element(&OneSegment {
                segment,
                sealed: self.sealed,
                numbered: self.numbered,
            })?;
        }
        seq.end()
    }
}

struct OneSegment<'a> {
    segment: &'a Segment,
    sealed: bool,
    numbered: bool,
}

impl Serialize for OneSegment<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let segment = self.segment;
        let mut out = Out::new(
            serializer.serialize_map(None)?,
            !self.sealed && !segment.extra.is_empty(),
        );
        if self.numbered {
            out.value("n", &segment.n)?;
        }
        out.value("kind", &segment.kind)?;
        out.flag("placeholder", segment.placeholder)?;
        if !segment.placeholder {
            out.value("text", &segment.text)?;
        }
        out.option("heading", &segment.heading)?;
        out.option("speaker", &segment.speaker)?;
        out.flag("through_interpreter", segment.through_interpreter)?;
        out.option("from", &segment.from)?;
        out.option("about", &segment.about)?;
        out.list("cites", &segment.cites)?;
        out.option("why", &segment.why)?;
        out.option("options", &segment.options)?;
        out.option("decided_by", &segment.decided_by)?;
        out.option("authority", &segment.authority)?;
        out.option("owner", &segment.owner)?;
        out.option("due", &segment.due)?;
        out.list("labels", &segment.labels)?;
        out.flag("significant", segment.significant)?;
        out.flag("third_party", segment.third_party)?;
        out.option("withheld", &segment.withheld)?;
        out.option("hide_from", &segment.hide_from)?;
        out.option("section", &segment.section)?;
        out.flag("default_kind", segment.default_kind)?;
        out.extra(&segment.extra, self.sealed)?;
        out.map.end()
    }
}
