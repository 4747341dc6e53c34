//! The writing half: fields in their order, absent ones left out.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::note::extra::Extra;
use crate::note::model::{Imported, Names, Note, NoteKind, Refiled, SCHEMA, Segment, SegmentKind};
use crate::note::when::Moment;

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

impl Serialize for Refiled {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = Out::new(serializer.serialize_map(None)?, false);
        out.option("recorded_at", &self.recorded_at)?;
        out.value("signed_by", &self.signed_by)?;
        out.map.end()
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
        out.list("parts", &self.parts)?;
        out.value(
            "segments",
            &SegmentList {
                note: self,
                sealed: true,
                numbered: true,
            },
        )?;
        out.option("imported", &self.imported)?;
        out.option("joined", &self.joined)?;
        out.option("misfiled", &self.misfiled)?;
        out.option("refiled", &self.refiled)?;
        out.list("detached", &self.detached)?;
        out.extra(&self.extra, true)?;
        out.map.end()
    }
}

/// A note as a line under the ids of its origin.
pub(super) struct Line<'a> {
    pub(super) note: &'a Note,
    pub(super) origin: &'a Imported,
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
    out.option("jotted_at", &note.jotted_at)?;
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
        out.option("done", &segment.done)?;
        out.option("done_by", &segment.done_by)?;
        out.option("outcome", &segment.outcome)?;
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
