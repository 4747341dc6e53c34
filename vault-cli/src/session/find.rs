//! Finding a term: decrypted in memory on this device, over both cores; no index of words is ever written.
//!
//! ```text
//! search entry durable -> rows -> hashed, chained -> opened -> bytes looked at -> parsed where the term may be
//!                      -> hits entry durable -> shown
//! ```
//!
//! An agent keeps the opened text, in memory alone, and searches that again ([`text`]).

mod facts;
mod text;

pub(super) use self::facts::Facts;
pub(super) use self::facts::Undone;
pub(super) use self::facts::folded;
pub(super) use self::facts::name_hash;
pub(super) use self::text::Text;
use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::case_keys::CaseKeys;
use super::case_keys::CaseOpening;
use super::logging::Intent;
use super::logging::Logged;
use super::missed;
use super::note_read::day_of;
use super::pipeline;
use super::progress::Task;
use super::progress::Unit;
use super::reading;
use super::reply::FindHit;
use super::reply::NOTE_FIND;
use super::reply::NoteFindReply;
use super::request::NoteFindRequest;
use super::templates;
use crate::store::HashedRows;
use crate::store::ReadTx;
use crate::store::RecordRow;
use crate::store::Replay;
use crate::store::Row;
use crate::store::StoredRecord;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::RecordHash;
use vault_core::id::RecordId;
use vault_core::note::Note;
use vault_core::note::find::Query;
use vault_core::note::mark::Marks;
use vault_core::record::Payload;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;

/// Records of notes that the stream's links were seen to place, with the hashes that they were placed by.
type Chained = Vec<(Box<RecordRow>, RecordHash)>;

/// A record opened, on its way to being searched.
struct Opened {
    case: CaseId,
    record: RecordId,
    version: u32,
    is_primary: bool,
    payload: Payload,
}

impl Opened {
    /// Tells whether it is a note's main part, and not what is left of a misfiled one, whose words are hidden.
    fn is_searched(&self) -> Result<bool> {
        let bytes = self.payload.bytes();
        if !self.is_primary || memchr::memmem::find(bytes, b"\"misfiled\"").is_none() {
            return Ok(self.is_primary);
        }
        Ok(reading::parse(bytes, &self.record.handle())?.misfiled.is_none())
    }
}

/// A part of a note that may hold the term.
struct Candidate {
    case: CaseId,
    record: RecordId,
    version: u32,
    note: Note,
}

impl Session {
    /// Finds notes that hold a term; the search and its hits are two access entries.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Cancelled`], [`SessionError::LogFailed`].
    pub fn note_find(&mut self, request: NoteFindRequest, task: Task<'_>) -> Result<NoteFindReply> {
        let query = Query::new(&request.term).map_err(|e| SessionError::Malformed {
            line: 1,
            column: 1,
            why: format!("the term: {e}"),
        })?;
        if let Some(kind) = &request.kind {
            templates::require_kind(templates::load()?, kind)?;
        }
        let case = match &request.case {
            Some(text) => Some(self.store.read(|tx| self.holder.resolve_case(tx, text))?),
            None => None,
        };
        let scope = Some(if case.is_some() { "case" } else { "own caseload" });
        let purpose = &request.purpose;
        let logged = self.log(&Intent {
            operation: AccessOperation::Search,
            case,
            records: &[],
            scope,
            purpose,
        })?;
        let holder = &self.holder;
        // One case is searched without the text of all, unless that is there.
        let known = holder.known.as_ref();
        let known = known.filter(|known| case.is_none() || known.has_text());
        let (searched, mut candidates) = self.store.read(|tx| match known {
            Some(_) => holder.search_known(tx, case, &query, task, &logged),
            None => holder.search(tx, case, &query, task, &logged),
        })?;
        candidates.retain(|c| is_asked_for(&c.note, &request));
        keep_whole(&mut candidates, &query);
        // Where what was typed stands somewhere as it is, that was meant; of the others it is told that they are there.
        let (mut query, mut also) = (query, 0);
        if let Some(phrase) = Query::as_phrase(&request.term).filter(|_| !request.words) {
            let holds = |c: &Candidate| phrase.held(&c.note).contains(&true);
            let of = |c: &Candidate| primary_of(&c.note, c.record);
            let exact: HashSet<RecordId> = candidates.iter().filter(|c| holds(c)).map(of).collect();
            if !exact.is_empty() {
                let all: HashSet<RecordId> = candidates.iter().map(of).collect();
                also = u64::try_from(all.len() - exact.len()).unwrap_or(u64::MAX);
                candidates.retain(|c| exact.contains(&of(c)));
                query = phrase;
            }
        }
        let mut hits: Vec<(RecordId, FindHit)> = candidates.iter().flat_map(|c| hits_of(c, &query)).collect();
        hits.sort_by(|a, b| b.1.occurred_at.cmp(&a.1.occurred_at));
        // Every part of a note repeats its head.
        let mut heads: HashSet<(RecordId, &'static str, String)> = HashSet::new();
        hits.retain(|(note, hit)| hit.segment.is_some() || heads.insert((*note, hit.field, hit.snippet.clone())));
        let records: BTreeSet<RecordId> = hits.iter().map(|(record, _)| *record).collect();
        let notes = u64::try_from(records.len()).unwrap_or(u64::MAX);
        if let Some(limit) = request.limit {
            hits.truncate(limit);
        }
        // What is about to be shown, named before it is.
        let shown: BTreeSet<RecordId> = hits.iter().map(|(record, _)| *record).collect();
        let shown: Vec<RecordId> = shown.into_iter().collect();
        if !shown.is_empty() {
            self.log(&Intent {
                operation: AccessOperation::Hits,
                case,
                records: &shown,
                scope,
                purpose,
            })?;
        }
        let mut hits: Vec<FindHit> = hits.into_iter().map(|(_, hit)| hit).collect();
        let cases: BTreeSet<CaseId> = candidates.iter().map(|c| c.case).collect();
        let holder = &self.holder;
        let labels = self.store.read(|tx| -> Result<HashMap<String, Option<String>>> {
            let named = cases.iter().map(|case| {
                let keys = holder.case_keys_before_walk(tx, *case)?;
                let label = match holder.case_label(tx, &keys, &logged) {
                    Err(error) if missed::bad(&error).is_some() => None,
                    label => label?.label,
                };
                Ok((case.handle(), label))
            });
            named.collect()
        })?;
        for hit in &mut hits {
            hit.label = labels.get(&hit.case).cloned().flatten();
        }
        Ok(NoteFindReply {
            schema: NOTE_FIND,
            searched,
            notes,
            hits,
            unopened: logged.unopened(),
            terms: u64::try_from(query.terms()).unwrap_or(u64::MAX),
            also,
            case: case.map(|case| case.handle()),
        })
    }
}

impl Holder {
    fn search(
        &self,
        tx: &ReadTx<'_>,
        case: Option<CaseId>,
        query: &Query,
        task: Task<'_>,
        logged: &Logged,
    ) -> Result<(u64, Vec<Candidate>)> {
        let openings = match case {
            Some(case) => vec![(case, self.case_opening(tx, case)?)],
            None => self.every_opening(tx)?,
        };
        let mut replay = match case {
            Some(case) => Replay::of_stream(tx, StreamId::case(case))?,
            None => Replay::of_store(tx),
        };
        let total = tx.head().pos;
        task.progress
            .start("searching", case.is_none().then_some(total), Unit::Items);
        let mut newest: HashMap<(StreamId, RecordId), u32> = HashMap::new();
        let stream = case.map(StreamId::case);
        let keys = self.open_all(openings)?;
        let chain = |rows: HashedRows| -> Result<Chained> {
            task.cancel.check()?;
            let mut hashes = Vec::new();
            for hashed in rows.iter() {
                replay.next(&hashed)?;
                hashes.push(hashed.placements().first().map(|placement| placement.record_hash));
            }
            task.progress.advance(u64::try_from(hashes.len()).unwrap_or(0));
            let rows = rows.into_rows().into_iter().zip(hashes);
            let notes: Chained = rows
                .filter_map(|(row, hash)| Some((self.searchable(row)?, hash?)))
                .collect();
            for note in notes.iter().map(|(row, _)| &row.record) {
                if note.header.version > 1 {
                    let known = newest.entry((note.header.stream, note.header.record)).or_default();
                    *known = (*known).max(note.header.version);
                }
            }
            Ok(notes)
        };
        let open = |notes: Chained| -> Result<Vec<Searched>> {
            let notes = notes.into_iter();
            notes
                .map(|(row, hash)| searched_in(&keys, row.record, hash, query))
                .collect()
        };
        let (mut found, mut bad, mut looked_at) = (Vec::new(), Vec::new(), Vec::new());
        pipeline::rebuild(tx, stream, chain, open, |all: Vec<Searched>| {
            for one in all {
                match one {
                    Searched::Looked(note, candidate) => {
                        looked_at.extend(note);
                        found.extend(candidate.map(|candidate| *candidate));
                    }
                    Searched::Bad(one) => bad.push(one),
                    Searched::Gone => {}
                }
            }
        })?;
        replay.finish(tx)?;
        for keys in keys.values() {
            keys.require_events(replay.events(keys.stream()))?;
        }
        task.progress.finish();
        // What was amended since is not current any more; history shows it.
        let is_newest = |case: CaseId, record: RecordId, version: u32| {
            let newest = newest.get(&(StreamId::case(case), record));
            newest.is_none_or(|newest| version == *newest)
        };
        found.retain(|c| is_newest(c.case, c.record, c.version));
        let notes = looked_at.into_iter();
        let notes = notes.filter(|(case, record, version)| is_newest(*case, *record, *version));
        let searched: HashSet<RecordId> = notes.map(|(_, record, _)| record).collect();
        for (case, keys) in &keys {
            logged.miss_keys(*case, keys);
        }
        for one in bad {
            if is_newest(one.case, one.record, one.version) {
                logged.miss(one.case, &one.record.handle(), one.check);
            }
        }
        Ok((u64::try_from(searched.len()).unwrap_or(u64::MAX), found))
    }

    /// Opens the keyrings of every case, over both cores.
    pub(super) fn every_case(&self, tx: &ReadTx<'_>) -> Result<HashMap<CaseId, CaseKeys>> {
        self.open_all(self.every_opening(tx)?)
    }

    fn every_opening(&self, tx: &ReadTx<'_>) -> Result<Vec<(CaseId, CaseOpening)>> {
        let streams = tx.streams(StreamKind::Case)?.into_iter();
        streams
            .filter_map(|head| head.stream.as_case())
            .map(|case| Ok((case, self.case_opening(tx, case)?)))
            .collect()
    }

    fn open_all(&self, openings: Vec<(CaseId, CaseOpening)>) -> Result<HashMap<CaseId, CaseKeys>> {
        openings
            .into_par_iter()
            .map(|(case, opening)| Ok((case, self.open(opening)?)))
            .collect()
    }

    fn searchable(&self, row: Row) -> Option<Box<RecordRow>> {
        let Row::Record(row) = row else { return None };
        let header = &row.record.header;
        let mine = !header.section.is_private() || header.member == self.member;
        (reading::holds_notes(header) && mine).then_some(row)
    }
}

/// What there is to say of a record that was searched.
enum Searched {
    /// Its text was looked at: whose it is, where that counts as a note, and what was found in it.
    Looked(Option<(CaseId, RecordId, u32)>, Option<Box<Candidate>>),
    Bad(Bad),
    /// It was erased, or there is no key of its case.
    Gone,
}

/// A record that its writer made so that it does not open.
#[derive(Clone, Copy)]
struct Bad {
    case: CaseId,
    record: RecordId,
    version: u32,
    check: Check,
}

impl Bad {
    /// Tells that a record is one, if this is why it was not opened.
    fn of(header: &RecordHeader, error: &SessionError) -> Option<Self> {
        let check = missed::bad(error)?;
        Some(Self {
            case: header.stream.as_case()?,
            record: header.record,
            version: header.version,
            check,
        })
    }
}

fn searched_in(
    keys: &HashMap<CaseId, CaseKeys>,
    stored: StoredRecord,
    hash: RecordHash,
    query: &Query,
) -> Result<Searched> {
    let header = stored.header.clone();
    let looked = open(keys, stored, hash).and_then(|opened| {
        let Some(opened) = opened else {
            return Ok(Searched::Gone);
        };
        let Opened {
            case, record, version, ..
        } = opened;
        let note = opened.is_searched()?.then_some((case, record, version));
        let found = match query.may_match(opened.payload.bytes()) {
            true => read(case, record, version, opened.payload.bytes(), query)?,
            false => None,
        };
        Ok(Searched::Looked(note, found.map(Box::new)))
    });
    looked.or_else(|error| Bad::of(&header, &error).map(Searched::Bad).ok_or(error))
}

/// Opens a record of a case that there are keys for; none where it was erased. `hash` is the one of its placement.
fn open(keys: &HashMap<CaseId, CaseKeys>, stored: StoredRecord, hash: RecordHash) -> Result<Option<Opened>> {
    let (record, version, is_primary) = (stored.header.record, stored.header.version, stored.is_primary);
    let Some((case, keys)) = stored
        .header
        .stream
        .as_case()
        .and_then(|case| Some((case, keys.get(&case)?)))
    else {
        return Ok(None);
    };
    keys.require_not_lost(&stored)?;
    if stored.is_erased() {
        return Ok(None);
    }
    let payload = keys.payload_of(stored, hash)?;
    Ok(Some(Opened {
        case,
        record,
        version,
        is_primary,
        payload,
    }))
}

fn read(case: CaseId, record: RecordId, version: u32, payload: &[u8], query: &Query) -> Result<Option<Candidate>> {
    let note = reading::parse(payload, &record.handle())?;
    if !query.held(&note).contains(&true) {
        return Ok(None);
    }
    Ok(Some(Candidate {
        case,
        record,
        version,
        note,
    }))
}

/// A part is shown under its note's own handle, which its payload names.
fn primary_of(note: &Note, record: RecordId) -> RecordId {
    note.id.parse().unwrap_or(record)
}

/// Tells whether a note is of the kind and the days that are asked for.
fn is_asked_for(note: &Note, request: &NoteFindRequest) -> bool {
    let day = day_of(note);
    request.kind.as_ref().is_none_or(|kind| note.kind == *kind)
        && request.since.is_none_or(|since| day.is_some_and(|day| day >= since))
        && request.until.is_none_or(|until| day.is_some_and(|day| day <= until))
}

/// Keeps the parts of those notes that hold all that is looked for, in whichever of their parts.
fn keep_whole(candidates: &mut Vec<Candidate>, query: &Query) {
    if query.terms() < 2 {
        return;
    }
    let mut held: HashMap<RecordId, Vec<bool>> = HashMap::new();
    for candidate in candidates.iter() {
        let all = held.entry(primary_of(&candidate.note, candidate.record)).or_default();
        let here = query.held(&candidate.note);
        all.resize(here.len(), false);
        all.iter_mut().zip(here).for_each(|(all, here)| *all |= here);
    }
    candidates.retain(|c| {
        let all = held.get(&primary_of(&c.note, c.record));
        all.is_some_and(|all| all.iter().all(|held| *held))
    });
}

fn hits_of(candidate: &Candidate, query: &Query) -> Vec<(RecordId, FindHit)> {
    let Candidate { case, record, note, .. } = candidate;
    let primary = primary_of(note, *record);
    let hit = |hit: vault_core::note::find::Hit| {
        let segment = note.segment(hit.segment);
        FindHit {
            note: primary.handle(),
            case: case.handle(),
            label: None,
            external_id: note.imported.as_ref().and_then(|i| i.note.clone()),
            occurred_at: note.occurred_at.as_ref().map(|m| m.as_str().to_owned()),
            kind: note.kind.clone(),
            segment: segment.map(|s| s.n),
            segment_kind: segment.map(|s| s.kind),
            who: segment.and_then(|s| s.speaker.clone().or_else(|| s.from.clone())),
            marks: segment.map(Marks::of).unwrap_or_default(),
            field: hit.field,
            snippet: hit.snippet,
        }
    };
    query.find(note).into_iter().map(|h| (primary, hit(h))).collect()
}
