//! The reading half: visitors that take a note apart field by field, without a value tree.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Form;
use crate::note::extra::{Extra, RawJson};
use crate::note::model::{Imported, Names, Note, NoteError, NoteKind, Refiled, SCHEMA, Segment, SegmentKind};
use crate::note::when::Moment;

/// A key of an object, borrowed where it has no escapes.
pub(in crate::note) struct Key<'de>(Cow<'de, str>);

impl Key<'_> {
    pub(in crate::note) fn as_str(&self) -> &str {
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
pub(in crate::note) fn field<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
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

/// Reads a text; what is of another type stays an unknown field, as it was before this name meant something.
fn words<'de, A: MapAccess<'de>>(
    map: &mut A,
    name: &str,
    slot: &mut Option<String>,
    extra: &mut Extra,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(twice(name));
    }
    let raw: RawJson = map.next_value()?;
    match raw.value() {
        serde_json::Value::String(text) => *slot = Some(text),
        _ if extra.push(name, raw) => {}
        _ => return Err(twice(name)),
    }
    Ok(())
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
pub(in crate::note) fn unknown<'de, A: MapAccess<'de>>(
    map: &mut A,
    name: &str,
    extra: &mut Extra,
) -> Result<(), A::Error> {
    let raw = map.next_value()?;
    if extra.push(name, raw) {
        Ok(())
    } else {
        Err(twice(name))
    }
}

pub(super) struct NoteSeed {
    pub(super) form: Form,
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
                "joined" if sealed => field(&mut map, name, &mut note.joined, extra)?,
                "misfiled" if sealed => field(&mut map, name, &mut note.misfiled, extra)?,
                "refiled" if sealed => field(&mut map, name, &mut note.refiled, extra)?,
                "detached" if sealed => list(&mut map, name, &mut note.detached, extra)?,
                "main_section" if sealed => field(&mut map, name, &mut note.main_section, extra)?,
                "parts" if sealed => list(&mut map, name, &mut note.parts, extra)?,
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
                "jotted_at" => field(&mut map, name, &mut note.jotted_at, extra)?,
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
                "done" => words(&mut map, name, &mut segment.done, extra)?,
                "done_by" => words(&mut map, name, &mut segment.done_by, extra)?,
                "outcome" => words(&mut map, name, &mut segment.outcome, extra)?,
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
pub(in crate::note) fn parse_str<'de, D, T, E>(
    deserializer: D,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error>
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

impl<'de> Deserialize<'de> for Refiled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            recorded_at: Option<Moment>,
            signed_by: String,
        }
        let Fields { recorded_at, signed_by } = Fields::deserialize(deserializer)?;
        Ok(Self { recorded_at, signed_by })
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
