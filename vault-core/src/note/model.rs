//! The typed note, which is also the payload inside the seal, and its numbered segments.
//!
//! Absent fields are not written. What an imported line holds beyond these fields is kept in `extra` and comes back on
//! export. A note may be incomplete (see [`super::gap`]); only structural nonsense is an error.

use std::fmt;

use thiserror::Error;

use super::extra::Extra;
use super::json::JsonError;
use super::when::Moment;

/// The schema tag of the payload inside a seal.
pub const SCHEMA: &str = "casevault.note/1";

/// Says why a note makes no sense as a note.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteError {
    /// The bytes are not the JSON of a note.
    #[error(transparent)]
    Malformed(#[from] JsonError),
    /// A segment number is not greater than the one before it.
    #[error("segment numbers must rise from 1: `{n}` follows `{before}`")]
    Numbering {
        /// The number out of place.
        n: u32,
        /// The number before it, 0 at the start.
        before: u32,
    },
    /// A placeholder holds what it stands for.
    #[error("segment {n} is a placeholder and may hold nothing else")]
    FullPlaceholder {
        /// The segment's number.
        n: u32,
    },
    /// A value of ours did not become JSON, which is our fault.
    #[error("the note could not be written as JSON: {0}")]
    Bug(String),
}

/// One note of a case, as its author meant it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Note {
    /// The note's id, `n-` and 26 Crockford characters; empty until the session gives one.
    pub id: String,
    /// What kind of contact it records.
    pub kind: NoteKind,
    /// The template it was written under, and its version.
    pub template: Option<String>,
    /// The template's version.
    pub template_version: Option<u32>,
    /// When it happened.
    pub occurred_at: Option<Moment>,
    /// How long it lasted, in minutes.
    pub duration_minutes: Option<u32>,
    /// When it was written down, by the author's own clock.
    pub authored_at: Option<Moment>,
    /// When its first words were jotted, before they were made a note.
    pub jotted_at: Option<Moment>,
    /// When its first version was written down, told beside a later one by whoever read both; no part of the payload.
    pub first_recorded_at: Option<Moment>,
    /// Why it was written down late.
    pub lag_reason: Option<String>,
    /// Labels of the whole note (`health`, `ethnicity`, `criminal`, …).
    pub labels: Vec<String>,
    /// Who did the work; of an imported note see [`Note::author`].
    pub worker: Option<String>,
    /// Who typed it.
    pub entered_by: Option<String>,
    /// For whom it was typed.
    pub on_behalf_of: Option<String>,
    /// Who confirmed it.
    pub confirmed_by: Option<String>,
    /// Who was there.
    pub present: Vec<String>,
    /// Whether the client was seen.
    pub seen: Option<bool>,
    /// Whether the client was seen alone.
    pub seen_alone: Option<bool>,
    /// Why not.
    pub seen_alone_why_not: Option<String>,
    /// Where it took place.
    pub place: Option<String>,
    /// In what language.
    pub language: Option<String>,
    /// Through which interpreter.
    pub interpreter: Option<String>,
    /// The scan or photograph of handwriting that this note was typed from.
    pub original: Option<String>,
    /// The section in which this part of the note lies.
    pub section: Option<String>,
    /// In a part that holds segments of another section: the note's own section.
    pub main_section: Option<String>,
    /// In the main part: the records of the other parts in this case, as they were with this version.
    pub parts: Vec<PartRef>,
    /// What was written.
    pub segments: Vec<Segment>,
    /// Where it was imported from, with its attributed author.
    pub imported: Option<Imported>,
    /// In notes of several cases that are one note: the random id that joins them; no case's copy names another case.
    pub joined: Option<String>,
    /// In the version that hides a note which was written into the wrong file.
    pub misfiled: Option<Misfiled>,
    /// In a note that came here out of a wrong file: what it was there.
    pub refiled: Option<Refiled>,
    /// In the main part: attachments that were taken off.
    pub detached: Vec<Detached>,
    /// Fields that this version does not know.
    pub extra: Extra,
}

impl Note {
    /// Starts an empty note of a kind.
    pub fn new(kind: NoteKind) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    /// Names who did the work: the worker, or the attributed author of an imported note.
    pub fn author(&self) -> Option<&str> {
        let imported = self.imported.as_ref().and_then(|i| i.author.as_deref());
        self.worker.as_deref().or(imported)
    }

    /// Tells when it was first written down: authored here, or recorded in the system it came from. To amend a note
    /// does not make it late.
    pub fn recorded_at(&self) -> Option<&Moment> {
        let refiled = self.refiled.as_ref().and_then(|r| r.recorded_at.as_ref());
        refiled
            .or(self.first_recorded_at.as_ref())
            .or(self.authored_at.as_ref())
            .or(self.imported.as_ref().and_then(|i| i.recorded_at.as_ref()))
    }

    /// Finds a segment by its number.
    pub fn segment(&self, n: u32) -> Option<&Segment> {
        let at = self.segments.binary_search_by_key(&n, |s| s.n).ok()?;
        self.segments.get(at)
    }

    /// Checks what no reader could make sense of.
    ///
    /// # Errors
    /// [`NoteError::Numbering`] and [`NoteError::FullPlaceholder`]; an incomplete note is not an error.
    pub fn check(&self) -> Result<(), NoteError> {
        let mut before = 0;
        for segment in &self.segments {
            if segment.n <= before {
                return Err(NoteError::Numbering { n: segment.n, before });
            }
            before = segment.n;
            if segment.placeholder && *segment != Segment::placeholder(segment.n) {
                return Err(NoteError::FullPlaceholder { n: segment.n });
            }
        }
        Ok(())
    }
}

/// Names a version of another part of a note.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PartRef {
    /// The record's id, `n-` and 26 Crockford characters.
    pub record: String,
    /// Its version.
    pub version: u32,
}

/// Where an imported note came from. Its signer is the importer, never its author.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Imported {
    /// The case's id in the other system.
    pub case: Option<String>,
    /// The note's id in the other system.
    pub note: Option<String>,
    /// The attributed author, who did not sign it here.
    pub author: Option<String>,
    /// When the other system says that it was recorded.
    pub recorded_at: Option<Moment>,
    /// Whether the line numbered its segments itself.
    pub numbered: bool,
}

/// The mark of a note that stands in the wrong person's file: it is shown to nobody who does not ask for it, until a
/// second person has it erased. It names neither the right file nor the right person.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Misfiled {
    /// When it was marked.
    pub at: String,
    /// The member who marked it.
    pub by: String,
    /// Why, in words.
    pub reason: String,
    /// What was found about whether it was a breach of somebody's data, once that was answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<BreachAnswer>,
}

/// The answer to whether a misfiled note was a breach of somebody's data.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BreachAnswer {
    /// When it was given.
    pub at: String,
    /// The member who gave it.
    pub by: String,
    /// The answer, in words.
    pub words: String,
}

/// An attachment that was taken off its note: its record and its file stay until an erasure.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Detached {
    /// Its record.
    pub attachment: String,
    /// When it was taken off.
    pub at: String,
    /// The member who took it off.
    pub by: String,
    /// Why, in words.
    pub reason: String,
}

/// What a note was in the file that it was wrongly written into, without naming that file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refiled {
    /// When it was first written down there.
    pub recorded_at: Option<Moment>,
    /// The member whose device signed it there.
    pub signed_by: String,
}

/// The kind of a note: one of the given ones, or one that a template defines.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NoteKind(String);

impl NoteKind {
    /// The kinds that need no template.
    pub const GIVEN: [&'static str; 8] = [
        "interview",
        "home-visit",
        "phone",
        "meeting",
        "office",
        "supervision",
        "court",
        "correspondence",
    ];
    /// The kind of whatever fits no other.
    pub const OTHER: &'static str = "other";

    /// Makes a kind, `None` if the name is empty, over 64 bytes, or holds control characters.
    pub fn new(name: &str) -> Option<Self> {
        let fits = !name.trim().is_empty() && name.len() <= 64 && !name.chars().any(char::is_control);
        fits.then(|| Self(name.to_owned()))
    }

    /// Shows the kind as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether the kind needs no template.
    pub fn is_given(&self) -> bool {
        self.0 == Self::OTHER || Self::GIVEN.contains(&self.0.as_str())
    }
}

impl Default for NoteKind {
    fn default() -> Self {
        Self(Self::OTHER.to_owned())
    }
}

impl fmt::Display for NoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::display::escape(&self.0))
    }
}

/// What a segment is; fact and opinion never share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SegmentKind {
    /// What was done.
    Intervention,
    /// With why, options considered, who decided, with what authority.
    Decision,
    /// The worker's opinion; cites the segments it rests on.
    Interpretation,
    /// Unmarked text, always legal; never shown as an observation.
    Narrative,
    /// What the worker saw or heard.
    Observation,
    /// Next step, owner, due date.
    Plan,
    /// Verbatim words, with the speaker.
    Quote,
    /// The worker's own thinking, kept in a record of its own.
    Reflection,
    /// What somebody else said, with who.
    Reported,
}

impl SegmentKind {
    /// All kinds, in the order of the domain's table.
    pub const ALL: [Self; 9] = [
        Self::Narrative,
        Self::Observation,
        Self::Quote,
        Self::Reported,
        Self::Interpretation,
        Self::Intervention,
        Self::Decision,
        Self::Plan,
        Self::Reflection,
    ];

    /// Names the kind as the payload does.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Interpretation => "interpretation",
            Self::Intervention => "intervention",
            Self::Narrative => "narrative",
            Self::Observation => "observation",
            Self::Plan => "plan",
            Self::Quote => "quote",
            Self::Reflection => "reflection",
            Self::Reported => "reported",
        }
    }

    /// Names the kind as its prefix in the text form does; `nar` forces a narrative under a heading.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Decision => "dec",
            Self::Interpretation => "int",
            Self::Intervention => "act",
            Self::Narrative => "nar",
            Self::Observation => "obs",
            Self::Plan => "plan",
            Self::Quote => "said",
            Self::Reflection => "priv",
            Self::Reported => "rep",
        }
    }

    /// Finds the kind by its full name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == name)
    }
}

impl fmt::Display for SegmentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One numbered piece of a note, of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// The number in the note, from 1, stable over splitting.
    pub n: u32,
    /// What it is.
    pub kind: SegmentKind,
    /// What was written.
    pub text: String,
    /// The heading that it was written under.
    pub heading: Option<String>,
    /// Of a quote: whose words.
    pub speaker: Option<String>,
    /// Whether the words came through an interpreter.
    pub through_interpreter: bool,
    /// Who said it.
    pub from: Option<String>,
    /// Whom it is about.
    pub about: Option<Names>,
    /// The segments it rests on, by number.
    pub cites: Vec<u32>,
    /// Of a decision: the reason.
    pub why: Option<String>,
    /// Of a decision: what was considered.
    pub options: Option<Names>,
    /// Of a decision: who decided.
    pub decided_by: Option<String>,
    /// Of a decision: with what authority.
    pub authority: Option<String>,
    /// Of a plan: who does it.
    pub owner: Option<String>,
    /// Of a plan: by when, an ISO date.
    pub due: Option<String>,
    /// Of a plan that was carried out: on which day, an ISO date.
    pub done: Option<String>,
    /// Of a plan that was carried out: who says so.
    pub done_by: Option<String>,
    /// Of a plan that was carried out: what came of it.
    pub outcome: Option<String>,
    /// Labels of this segment.
    pub labels: Vec<String>,
    /// Whether it belongs in the chronology.
    pub significant: bool,
    /// A hint that it holds a third party's data; computed for each requester.
    pub third_party: bool,
    /// A hint that it is to be withheld, with the ground.
    pub withheld: Option<String>,
    /// From whom it is kept in every export.
    pub hide_from: Option<Names>,
    /// The section it belongs to, if not the note's.
    pub section: Option<String>,
    /// Whether the kind came from the template's default and was not confirmed by the author.
    pub default_kind: bool,
    /// Whether it only stands for a segment kept in the author's private section.
    pub placeholder: bool,
    /// Fields that this version does not know.
    pub extra: Extra,
}

impl Segment {
    /// Makes a segment of a kind with its text and nothing else.
    pub fn new(n: u32, kind: SegmentKind, text: impl Into<String>) -> Self {
        Self {
            n,
            kind,
            text: text.into(),
            heading: None,
            speaker: None,
            through_interpreter: false,
            from: None,
            about: None,
            cites: Vec::new(),
            why: None,
            options: None,
            decided_by: None,
            authority: None,
            owner: None,
            due: None,
            done: None,
            done_by: None,
            outcome: None,
            labels: Vec::new(),
            significant: false,
            third_party: false,
            withheld: None,
            hide_from: None,
            section: None,
            default_kind: false,
            placeholder: false,
            extra: Extra::default(),
        }
    }

    /// Makes what stands in the main part for a reflection.
    pub fn placeholder(n: u32) -> Self {
        Self {
            placeholder: true,
            ..Self::new(n, SegmentKind::Reflection, "")
        }
    }

    /// Reads the due date, `None` if there is none or it is not an ISO date.
    pub fn due_date(&self) -> Option<jiff::civil::Date> {
        self.due.as_deref().and_then(super::when::iso_date)
    }
}

/// One name, or a list: an import line may hold either, and gets back which it held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// A list.
    Many(Vec<String>),
    /// A plain string.
    One(String),
}

impl Names {
    /// Makes the plain form of a single name, the list of several.
    pub fn from_list(mut names: Vec<String>) -> Option<Self> {
        match names.len() {
            0 => None,
            1 => names.pop().map(Self::One),
            _ => Some(Self::Many(names)),
        }
    }

    /// Goes through the names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::Many(names) => names.as_slice(),
            Self::One(name) => std::slice::from_ref(name),
        }
        .iter()
        .map(String::as_str)
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}
