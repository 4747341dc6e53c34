//! The text of a vault as an agent keeps it for searching: opened once, as far as the store was rebuilt.
//!
//! The rebuilding goes on from where it got to: what others wrote since is rebuilt and opened before it is searched, and
//! the search counts only if all of it arrived at the authenticated heads. An event in a case (an erasure among them)
//! throws the case's text away and opens it anew.
//!
//! Texts stand one after the other in large pieces, which the allocator keeps out of core dumps and wipes.

use super::super::Holder;
use super::super::Result;
use super::super::case_keys::CaseKeys;
use super::super::logging::Logged;
use super::super::pipeline;
use super::super::progress::Task;
use super::super::progress::Unit;
use super::super::reading;
use super::super::reading::CHUNK;
use super::Bad;
use super::Candidate;
use super::Facts;
use super::Opened;
use super::facts;
use super::open;
use crate::store::ReadTx;
use crate::store::RecordRow;
use crate::store::Replay;
use crate::store::Row;
use crate::store::StoredRecord;
use crate::store::hash_all;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::RecordId;
use vault_core::note::Note;
use vault_core::note::find::Query;
use vault_core::note::find::Term;
use vault_core::wire::v1::stream::StreamId;
use zeroize::Zeroize;

/// Bytes of a piece of text.
const PIECE: usize = 1 << 20;

/// The newest version of every note's parts, opened.
pub(in super::super) struct Text {
    replay: Replay,
    pos: u64,
    pieces: Vec<Vec<u8>>,
    // In the order in which they were kept.
    entries: Vec<Place>,
    place: HashMap<RecordId, usize>,
    // Records whose newest version does not open.
    bad: HashMap<RecordId, Bad>,
    // Why keyrings of a case do not open.
    broken: HashMap<CaseId, Vec<Check>>,
    wasted: usize,
}

/// Where one record's payload stands; of no length where it is gone.
pub(super) struct Place {
    case: CaseId,
    record: RecordId,
    version: u32,
    piece: u32,
    start: u32,
    length: u32,
    // Whether it holds escapes that may stand for any letter.
    escaped: bool,
    // Whether it counts as a note that is searched: a main part, and not of a misfiled note.
    is_searched: bool,
    // Of a note's main part, once an overview asked.
    facts: Option<Box<Facts>>,
    is_read: bool,
}

impl Text {
    fn empty(tx: &ReadTx<'_>) -> Self {
        Self {
            replay: Replay::of_store(tx),
            pos: 0,
            pieces: Vec::new(),
            entries: Vec::new(),
            place: HashMap::new(),
            bad: HashMap::new(),
            broken: HashMap::new(),
            wasted: 0,
        }
    }

    fn of(&self, entry: &Place) -> &[u8] {
        let (start, length) = (entry.start as usize, entry.length as usize);
        let piece = self.pieces.get(entry.piece as usize);
        piece
            .and_then(|piece| piece.get(start..start.saturating_add(length)))
            .unwrap_or_default()
    }

    /// Notes a record that does not open: what is kept of an older version is not current any more.
    pub(super) fn put_bad(&mut self, bad: Bad) {
        let place = self.place.get(&bad.record).copied();
        if let Some(place) = place.filter(|place| self.entries.get(*place).is_some_and(|e| e.version < bad.version)) {
            self.wipe(place);
        }
        let known = self.bad.entry(bad.record).or_insert(bad);
        if known.version < bad.version {
            *known = bad;
        }
    }

    /// Names what does not open, in one case or in all.
    pub(super) fn tell_bad(&self, case: Option<CaseId>, logged: &Logged) {
        for (of, checks) in &self.broken {
            if case.is_none_or(|case| case == *of) {
                for check in checks {
                    logged.miss(*of, &format!("keys of {}", of.handle()), *check);
                }
            }
        }
        for bad in self.bad.values().filter(|bad| case.is_none_or(|case| case == bad.case)) {
            logged.miss(bad.case, &bad.record.handle(), bad.check);
        }
    }

    fn put(&mut self, opened: &Opened, is_searched: bool) {
        // A later version that opens stands for all before it; an earlier one for nothing after it.
        match self.bad.get(&opened.record).map(|bad| bad.version) {
            Some(version) if version > opened.version => return,
            Some(version) if version < opened.version => drop(self.bad.remove(&opened.record)),
            _ => {}
        }
        let bytes = opened.payload.bytes();
        let room = |piece: &Vec<u8>| piece.capacity().saturating_sub(piece.len()) >= bytes.len();
        if !self.pieces.last().is_some_and(room) {
            // Reserved whole: a piece never moves and leaves no copy behind.
            self.pieces.push(Vec::with_capacity(PIECE.max(bytes.len())));
        }
        let last = self.pieces.len().saturating_sub(1);
        let Some(piece) = self.pieces.last_mut() else { return };
        let start = piece.len();
        piece.extend_from_slice(bytes);
        let entry = Place {
            case: opened.case,
            record: opened.record,
            version: opened.version,
            piece: u32::try_from(last).unwrap_or(u32::MAX),
            start: u32::try_from(start).unwrap_or(u32::MAX),
            length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            escaped: Term::is_escaped(bytes),
            is_searched,
            facts: None,
            is_read: false,
        };
        match self.place.get(&opened.record).copied() {
            None => {
                self.place.insert(opened.record, self.entries.len());
                self.entries.push(entry);
            }
            Some(place) => {
                if self
                    .entries
                    .get(place)
                    .is_some_and(|known| known.version < entry.version)
                {
                    self.wipe(place);
                    if let Some(known) = self.entries.get_mut(place) {
                        *known = entry;
                    }
                }
            }
        }
    }

    /// Wipes one text where it stands.
    fn wipe(&mut self, place: usize) {
        let Some(entry) = self.entries.get_mut(place) else {
            return;
        };
        let (start, length) = (entry.start as usize, entry.length as usize);
        let piece = self.pieces.get_mut(entry.piece as usize);
        if let Some(bytes) = piece.and_then(|piece| piece.get_mut(start..start.saturating_add(length))) {
            bytes.zeroize();
            self.wasted += length;
        }
        entry.length = 0;
        entry.facts = None;
    }

    /// Throws away what is kept of a case.
    fn forget(&mut self, case: CaseId) {
        for place in 0..self.entries.len() {
            if self.entries.get(place).is_some_and(|entry| entry.case == case) {
                self.wipe(place);
            }
        }
        self.bad.retain(|_, bad| bad.case != case);
        self.broken.remove(&case);
        self.place.retain(|_, place| {
            let entry = self.entries.get(*place);
            entry.is_none_or(|entry| entry.case != case)
        });
    }

    /// Whether more of it is wiped than is worth keeping.
    fn is_worn(&self) -> bool {
        let held: usize = self.pieces.iter().map(Vec::len).sum();
        self.wasted > held / 4 || self.entries.len() > 2 * self.place.len().saturating_add(1000)
    }
}

impl Place {
    /// Says that it does not read as a note, and why.
    pub(super) fn bad(&self, check: Check) -> Bad {
        Bad {
            case: self.case,
            record: self.record,
            version: self.version,
            check,
        }
    }

    /// Whether nobody read its facts yet.
    pub(super) fn is_unread(&self) -> bool {
        !self.is_read && self.length > 0
    }
}

/// What overviews read.
impl Text {
    pub(super) fn entries(&self) -> &[Place] {
        &self.entries
    }

    pub(super) fn keep_facts(&mut self, at: usize, facts: Option<Box<Facts>>) {
        if let Some(entry) = self.entries.get_mut(at) {
            (entry.facts, entry.is_read) = (facts, true);
        }
    }

    /// Goes through the notes, in the order in which they were kept.
    pub(in super::super) fn facts(&self) -> impl Iterator<Item = (CaseId, RecordId, &Facts)> {
        let entries = self.entries.iter();
        entries.filter_map(|entry| Some((entry.case, entry.record, entry.facts.as_deref()?)))
    }

    /// Reads a note with its parts, in its newest version; none where it is not here.
    pub(in super::super) fn note(&self, record: RecordId) -> Result<Option<(u32, Note)>> {
        let place = self.place.get(&record).and_then(|place| self.entries.get(*place));
        let Some(entry) = place.filter(|entry| entry.length > 0) else {
            return Ok(None);
        };
        Ok(self.whole(entry)?.map(|note| (entry.version, note)))
    }

    /// Reads the note whose main part an entry is, with the parts that it names; none for another part.
    pub(super) fn whole(&self, entry: &Place) -> Result<Option<Note>> {
        let main = facts::parse(self.of(entry), entry.record)?;
        if main.id != entry.record.to_string() {
            return Ok(None);
        }
        let mut parts = Vec::with_capacity(main.parts.len());
        for part in &main.parts {
            let place = part.record.parse().ok().and_then(|id: RecordId| self.place.get(&id));
            let found = place.and_then(|place| self.entries.get(*place));
            // A private part of another author is not here, and keeps its placeholder.
            let fits = |found: &&Place| found.case == entry.case && found.version == part.version && found.length > 0;
            if let Some(found) = found.filter(fits) {
                parts.push(facts::parse(self.of(found), entry.record)?);
            }
        }
        Ok(Some(reading::joined(main, parts)))
    }
}

impl Holder {
    /// Does `f` with the text of the whole vault, after taking in what came since. Where nothing is kept between what is
    /// asked, it is opened for this once.
    pub(in super::super) fn with_text<T>(
        &self,
        tx: &ReadTx<'_>,
        task: Task<'_>,
        _: &Logged,
        f: impl FnOnce(&mut Text) -> Result<T>,
    ) -> Result<T> {
        let mut kept = self.known.as_ref().map(|known| known.text());
        // Another session may have seen more than this snapshot holds: then it is built for what is here.
        let mut text = match kept.as_mut().and_then(|kept| kept.take()) {
            Some(text) if text.pos <= tx.head().pos && !text.is_worn() => text,
            _ => Text::empty(tx),
        };
        // What fails on the way is not kept.
        self.catch_up_text(&mut text, tx, task)?;
        let done = f(&mut text)?;
        if let Some(kept) = &mut kept {
            **kept = Some(text);
        }
        Ok(done)
    }

    /// Searches the text that is kept, after taking in what came since.
    pub(super) fn search_known(
        &self,
        tx: &ReadTx<'_>,
        case: Option<CaseId>,
        query: &Query,
        task: Task<'_>,
        logged: &Logged,
    ) -> Result<(u64, Vec<Candidate>)> {
        self.with_text(tx, task, logged, |text| {
            let text = &*text;
            let found: Vec<Option<Candidate>> = text
                .entries
                .par_iter()
                .filter(|entry| entry.length > 0 && case.is_none_or(|case| entry.case == case))
                .filter(|entry| entry.escaped || query.may_match_unescaped(text.of(entry)))
                .map(|entry| {
                    let found = super::read(entry.case, entry.record, entry.version, text.of(entry), query);
                    let found = logged.opened(entry.case, &entry.record.handle(), found);
                    Ok(found?.flatten())
                })
                .collect::<Result<_>>()?;
            let found = found.into_iter().flatten().collect();
            text.tell_bad(case, logged);
            let is_note =
                |entry: &&Place| entry.length > 0 && entry.is_searched && case.is_none_or(|case| entry.case == case);
            let searched = text.entries.iter().filter(is_note).count();
            Ok((u64::try_from(searched).unwrap_or(u64::MAX), found))
        })
    }

    fn catch_up_text(&self, text: &mut Text, tx: &ReadTx<'_>, task: Task<'_>) -> Result<()> {
        let new = tx.head().pos.saturating_sub(text.pos);
        let from = text.pos.saturating_add(1);
        let first = text.pos == 0;
        let keys = if first { self.every_case(tx)? } else { HashMap::new() };
        let mut changed: BTreeSet<CaseId> = BTreeSet::new();
        let mut late: Vec<Box<RecordRow>> = Vec::new();
        if first {
            task.progress.start("searching", Some(new), Unit::Items);
        }
        pipeline::each_chunk_from(tx, from, |chunk: Vec<Row>| -> Result<()> {
            task.cancel.check()?;
            for hashed in hash_all(&chunk)? {
                text.replay.next(&hashed)?;
            }
            task.progress.advance(u64::try_from(chunk.len()).unwrap_or(0));
            if !first {
                for row in &chunk {
                    if let (Row::Link(_), Some(case)) = (row, row.stream().as_case()) {
                        changed.insert(case);
                    }
                }
            }
            let notes: Vec<Box<RecordRow>> = chunk.into_iter().filter_map(|row| self.searchable(row)).collect();
            match first {
                true => self.take_in(text, &keys, notes),
                false => {
                    late.extend(notes);
                    Ok(())
                }
            }
        })?;
        text.replay.finish(tx)?;
        for keys in keys.values() {
            keys.require_events(text.replay.events(keys.stream()))?;
        }
        text.pos = tx.head().pos;
        if first {
            task.progress.finish();
            text.wasted = 0;
            // All of it was rebuilt, the events among it.
            if let Some(known) = &self.known {
                for (case, keys) in &keys {
                    known.keep_if_new(tx, *case, keys)?;
                }
            }
            drop(keys);
            tx.forget_pages()?;
            crate::memory::give_back();
        }
        late.retain(|row| {
            row.record
                .header
                .stream
                .as_case()
                .is_none_or(|case| !changed.contains(&case))
        });
        self.take_in_late(text, tx, late)?;
        for case in changed {
            self.open_anew(text, tx, case)?;
        }
        Ok(())
    }

    #[allow(clippy::vec_box, reason = "rows come boxed, and are large to move")]
    fn take_in_late(&self, text: &mut Text, tx: &ReadTx<'_>, rows: Vec<Box<RecordRow>>) -> Result<()> {
        let mut keys: HashMap<CaseId, CaseKeys> = HashMap::new();
        for case in rows.iter().filter_map(|row| row.record.header.stream.as_case()) {
            if let Entry::Vacant(new) = keys.entry(case) {
                new.insert(self.case_keys(tx, case)?);
            }
        }
        self.take_in(text, &keys, rows)
    }

    /// Opens every note of a case again, up to its head.
    fn open_anew(&self, text: &mut Text, tx: &ReadTx<'_>, case: CaseId) -> Result<()> {
        text.forget(case);
        let stream = StreamId::case(case);
        let keys = HashMap::from([(case, self.case_keys(tx, case)?)]);
        let mut replay = Replay::of_stream(tx, stream)?;
        let mut notes = Vec::new();
        tx.scan(stream, CHUNK, &mut |chunk: Vec<Row>| -> Result<()> {
            for hashed in hash_all(&chunk)? {
                replay.next(&hashed)?;
            }
            notes.extend(chunk.into_iter().filter_map(|row| self.searchable(row)));
            Ok(())
        })?;
        replay.finish(tx)?;
        self.take_in(text, &keys, notes)
    }

    #[allow(clippy::vec_box, reason = "rows come boxed, and are large to move")]
    fn take_in(&self, text: &mut Text, keys: &HashMap<CaseId, CaseKeys>, notes: Vec<Box<RecordRow>>) -> Result<()> {
        for (case, keys) in keys.iter().filter(|(_, keys)| !keys.broken().is_empty()) {
            text.broken.insert(*case, keys.broken().to_vec());
        }
        let opened: Vec<std::result::Result<(Opened, bool), Bad>> = notes
            .into_par_iter()
            .filter_map(|row| open_stored(keys, row.record).transpose())
            .collect::<Result<_>>()?;
        for opened in opened {
            match opened {
                Ok((opened, is_searched)) => text.put(&opened, is_searched),
                Err(bad) => text.put_bad(bad),
            }
        }
        Ok(())
    }
}

/// Opens a record and sees whether it counts as a note that is searched; tells of one that its writer made so that it does not.
fn open_stored(
    keys: &HashMap<CaseId, CaseKeys>,
    stored: StoredRecord,
) -> Result<Option<std::result::Result<(Opened, bool), Bad>>> {
    let hash = stored.hash()?;
    let header = stored.header.clone();
    let opened = open(keys, stored, hash).and_then(|opened| {
        let opened = opened.map(|opened| Ok((opened.is_searched()?, opened)));
        opened.transpose()
    });
    match opened {
        Ok(opened) => Ok(opened.map(|(is_searched, opened)| Ok((opened, is_searched)))),
        Err(error) => Bad::of(&header, &error).map(|bad| Some(Err(bad))).ok_or(error),
    }
}
