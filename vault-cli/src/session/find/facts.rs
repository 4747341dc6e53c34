//! What overviews need of every note, read out of its text once and kept beside it: days, kinds, numbers. No words: what
//! is shown of a note is read out of its text again.

use super::super::Result;
use super::super::logging::Logged;
use super::super::missed;
use super::super::reading;
use super::Bad;
use jiff::Timestamp;
use jiff::civil::Date;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use vault_core::note::Note;
use vault_core::note::NoteKind;
use vault_core::note::danger;
use vault_core::note::gap;
use vault_core::note::plan;
use vault_core::note::when;

/// One note, without its words.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Facts {
    /// When it happened; of a day alone, its midnight.
    pub(in super::super) at: Option<Timestamp>,
    /// Whether only the day is known.
    pub(in super::super) is_day: bool,
    /// The day on which it happened, as it was written.
    pub(in super::super) day: Option<Date>,
    /// Its place among the given kinds; none for a kind of a template's own.
    kind: Option<u8>,
    /// Whether the note says that the client was not seen.
    pub(in super::super) is_unseen: bool,
    /// Whether it does not say whether the client was seen, and may be asked.
    pub(in super::super) is_seen_unsaid: bool,
    /// Whether it is hidden because it was misfiled.
    pub(in super::super) is_misfiled: bool,
    /// Whether nobody answered yet whether that was a breach.
    pub(in super::super) is_unanswered: bool,
    /// Whether something of it is missing.
    pub(in super::super) is_incomplete: bool,
    /// Whether it holds what its author made a danger.
    pub(in super::super) is_danger: bool,
    /// What it has in common with its twins in other cases, as [`name_hash`].
    pub(in super::super) joined: Option<u64>,
    /// Its steps that nobody has carried out.
    pub(in super::super) undone: Box<[Undone]>,
}

/// A step that nobody has carried out, without its words.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Undone {
    /// The segment.
    pub(in super::super) n: u32,
    /// The day by which it is due.
    pub(in super::super) due: Option<Date>,
    /// Whose it is, as [`name_hash`].
    pub(in super::super) owner: Option<u64>,
}

/// Hashes a name, whatever its capitals, so that names can be compared where no words are kept.
pub(in super::super) fn name_hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    folded(name).hash(&mut hasher);
    hasher.finish()
}

/// A name without capitals, its words one space apart.
pub(in super::super) fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl Facts {
    /// Reads the facts of a whole note.
    pub(in super::super) fn of(note: &Note) -> Self {
        let at = note.occurred_at.as_ref();
        let is_misfiled = note.misfiled.is_some();
        let undone = note.segments.iter().filter(|s| plan::is_undone(s));
        Self {
            at: at.map(when::Moment::instant),
            is_day: at.is_some_and(when::Moment::is_date),
            day: at.and_then(|at| when::iso_date(at.as_str().get(..10)?)),
            kind: NoteKind::GIVEN
                .iter()
                .position(|kind| *kind == note.kind.as_str())
                .and_then(|kind| u8::try_from(kind).ok()),
            is_unseen: note.seen == Some(false),
            is_seen_unsaid: note.seen.is_none() && note.seen_alone.is_none() && note.imported.is_none(),
            is_misfiled,
            is_unanswered: note.misfiled.as_ref().is_some_and(|mark| mark.answer.is_none()),
            is_incomplete: !is_misfiled && !gap::gaps(note).is_empty(),
            is_danger: !is_misfiled && danger::is_marked_in(note),
            joined: note.joined.as_deref().filter(|_| !is_misfiled).map(name_hash),
            undone: undone
                .map(|s| Undone {
                    n: s.n,
                    due: s.due_date(),
                    owner: s.owner.as_deref().map(name_hash),
                })
                .collect(),
        }
    }

    /// Tells whether it is of one of these kinds.
    pub(in super::super) fn is_of(&self, kinds: &[String]) -> bool {
        let name = self.kind.and_then(|kind| NoteKind::GIVEN.get(usize::from(kind)));
        name.is_some_and(|name| kinds.iter().any(|kind| kind == name))
    }
}

impl super::text::Text {
    /// Reads the facts of every note that came since they were last read, and names those that do not read as one.
    pub(in super::super) fn take_facts(&mut self, logged: &Logged) -> Result<()> {
        use rayon::prelude::*;
        let found: Vec<(usize, Read)> = self
            .entries()
            .par_iter()
            .enumerate()
            .filter(|(_, entry)| entry.is_unread())
            .map(|(at, entry)| match self.whole(entry) {
                Ok(note) => Ok((at, Ok(note.map(|note| Box::new(Facts::of(&note)))))),
                Err(error) => match missed::bad(&error) {
                    Some(check) => Ok((at, Err(entry.bad(check)))),
                    None => Err(error),
                },
            })
            .collect::<Result<_>>()?;
        for (at, facts) in found {
            match facts {
                Ok(facts) => self.keep_facts(at, facts),
                Err(bad) => {
                    self.put_bad(bad);
                    self.keep_facts(at, None);
                }
            }
        }
        self.tell_bad(None, logged);
        Ok(())
    }
}

/// What was read of an entry: a note's facts, nothing of another part; or that it does not read as a note.
type Read = std::result::Result<Option<Box<Facts>>, Bad>;

/// Reads a payload of the kept text.
pub(super) fn parse(payload: &[u8], record: vault_core::id::RecordId) -> Result<Note> {
    reading::parse(payload, &record.handle())
}
