//! The local index as the opened records say it must be, compared with the stored one (CHK-104).

use super::super::Result;
use super::super::SessionError;
use super::super::reading;
use super::super::server::kept;
use crate::store::ReadTx;
use crate::store::WriteTx;
use std::collections::HashMap;
use std::collections::HashSet;
use vault_core::check::Check;
use vault_core::id::RecordId;
use vault_core::local::index::ContentTag;
use vault_core::local::index::EntryKey;
use vault_core::note::Note;
use vault_core::note::line;
use vault_core::secret::LocalIndexKey;

/// What the local index has to say, out of the records.
#[derive(Default)]
pub(super) struct Index {
    /// By commit position: key and content.
    entries: HashMap<u64, (EntryKey, Contents)>,
    /// Keys that have to be there.
    owed: HashSet<[u8; 16]>,
    /// Notes whose parts are still to be joined, by note id.
    open: HashMap<String, (u64, Box<Note>)>,
    /// By record id and version, as the main part names them.
    parts: HashMap<(String, u32), Note>,
    /// Commit positions of erased records: what led to one has no content any more.
    erased: HashSet<u64>,
    /// Misfiled notes: the newest version that says so, and whether the breach question is answered in it.
    misfiled: HashMap<RecordId, (u32, bool)>,
}

/// What opening a record told of the index.
pub(super) enum Fact {
    /// An entry, whole.
    Entry(Entry),
    /// The record at this position was erased.
    Erased(u64),
    /// This version of a note hides it as misfiled.
    Misfiled {
        record: RecordId,
        version: u32,
        is_answered: bool,
    },
    /// A note's main part, whose others are in records of their own.
    Note { pos: u64, note: Box<Note> },
    /// Such another part.
    Part {
        record: RecordId,
        version: u32,
        note: Box<Note>,
    },
}

/// An entry that has to be in the index.
pub(in crate::session) struct Entry {
    pos: u64,
    key: EntryKey,
    content: Contents,
}

/// The lines that a record can have come from.
struct Contents {
    line: ContentTag,
    /// The same without the moment of writing down, which an import gives a note that says none.
    untimed: Option<ContentTag>,
}

impl Contents {
    fn have(&self, tag: &ContentTag) -> bool {
        self.line.0 == tag.0 || self.untimed.as_ref().is_some_and(|untimed| untimed.0 == tag.0)
    }
}

impl Entry {
    /// The entry of a `kind` of thing that an import wrote at `pos`.
    pub(in crate::session) fn new(local: &LocalIndexKey, pos: u64, kind: &str, external: &str, content: &str) -> Self {
        Self {
            pos,
            key: EntryKey::new(local, kind, external),
            content: Contents {
                line: ContentTag::new(local, content.as_bytes()),
                untimed: None,
            },
        }
    }

    /// The entry of a note; none where it was not imported.
    pub(in crate::session) fn of_note(local: &LocalIndexKey, pos: u64, note: &Note) -> Option<Self> {
        let origin = note.imported.as_ref()?;
        let external = origin.note.as_ref()?;
        let content = line::print_note(note, origin).ok()?;
        let mut entry = Self::new(local, pos, "note", external, &content);
        if origin.recorded_at.is_none() && note.authored_at.is_some() {
            let untimed = Note {
                authored_at: None,
                ..note.clone()
            };
            let content = line::print_note(&untimed, origin).ok()?;
            entry.content.untimed = Some(ContentTag::new(local, content.as_bytes()));
        }
        Some(entry)
    }

    /// Puts it into the index.
    pub(in crate::session) fn keep(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        // An import that names no moment of writing down is by far the more common.
        let tag = self.content.untimed.as_ref().unwrap_or(&self.content.line);
        Ok(tx.index_entry(&self.key, tag, self.pos)?)
    }
}

impl Index {
    /// Takes what a record told.
    pub(super) fn take(&mut self, fact: Fact) {
        match fact {
            Fact::Entry(entry) => self.put(entry),
            Fact::Erased(pos) => {
                self.erased.insert(pos);
            }
            Fact::Misfiled {
                record,
                version,
                is_answered,
            } => {
                let newest = self.misfiled.entry(record).or_insert((version, is_answered));
                *newest = (*newest).max((version, is_answered));
            }
            Fact::Note { pos, note } => {
                // Of several versions the index may point at any; each is joined with its own parts.
                self.open.insert(format!("{}/{pos}", note.id), (pos, note));
            }
            Fact::Part { record, version, note } => {
                self.parts.insert((record.to_string(), version), *note);
            }
        }
    }

    /// Returns the misfiled notes whose breach question nobody has answered.
    pub(super) fn unanswered(&self) -> Vec<RecordId> {
        let open = self.misfiled.iter().filter(|(_, (_, is_answered))| !is_answered);
        let mut open: Vec<RecordId> = open.map(|(record, _)| *record).collect();
        open.sort_by_key(|record| record.0);
        open
    }

    fn put(&mut self, entry: Entry) {
        self.owed.insert(entry.key.0);
        self.entries.insert(entry.pos, (entry.key, entry.content));
    }

    /// Compares with what is stored, entry by entry (CHK-104).
    pub(super) fn compare(mut self, tx: &ReadTx<'_>) -> Result<()> {
        let parts = std::mem::take(&mut self.parts);
        for (_, (pos, note)) in std::mem::take(&mut self.open) {
            let mine = note
                .parts
                .iter()
                .filter_map(|p| parts.get(&(p.record.clone(), p.version)).cloned())
                .collect();
            let joined = reading::joined(*note, mine);
            if let Some(entry) = Entry::of_note(&tx.keys().index, pos, &joined) {
                self.put(entry);
            }
        }
        let fault = || SessionError::refused(Check::LocalIndex, "index");
        tx.each_external(&mut |key, kept| -> Result<()> {
            if self.erased.contains(&kept.pos) {
                return if kept.content.is_none() { Ok(()) } else { Err(fault()) };
            }
            let (expected, contents) = self.entries.get(&kept.pos).ok_or_else(fault)?;
            let is_one_of_them = kept.content.as_ref().is_some_and(|tag| contents.have(tag));
            if expected.0 != key.0 || !is_one_of_them {
                return Err(fault());
            }
            self.owed.remove(&key.0);
            Ok(())
        })?;
        let is_unindexed = kept::is_unindexed(tx)?;
        for (_, (key, _)) in self.entries.iter().filter(|(pos, _)| is_unindexed(**pos)) {
            self.owed.remove(&key.0);
        }
        if self.owed.is_empty() { Ok(()) } else { Err(fault()) }
    }
}
