//! Taking lines in: first every line is read and judged, then what is new is sealed, linked and kept in batches.
//!
//! ```text
//! lines ─ parse (both cores) ─ plan: new, same, conflicting, malformed ─┬─ refused: nothing is kept
//!                                                                      └─ batches: seal, sign (both cores) ─ commit
//! ```
//!
//! Each batch is one durable transaction, and a line that is kept is known by its id, so an import that was cut off is
//! continued by running it again.

mod lines;
mod plan;

use self::lines::Lines;
use self::plan::Action;
use self::plan::Ids;
use self::plan::Plan;
use self::plan::Totals;
use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::case_keys::CaseKeys;
use super::case_record::Label;
use super::clock;
use super::logging::Logged;
use super::namesakes;
use super::note_write::Before;
use super::note_write::SealedNote;
use super::progress::Task;
use super::progress::Unit;
use super::reading::CaseRecords;
use super::refused;
use super::reply::IMPORT;
use super::reply::ImportReply;
use super::request::ImportPass;
use super::request::ImportRequest;
use super::settings::Settings;
use super::templates;
use crate::store::WriteTx;
use rayon::prelude::*;
use std::collections::HashMap;
use std::io::BufRead;
use std::io::Read as _;
use vault_core::id::CaseId;
use vault_core::note::Note;
use vault_core::note::extra::RawJson;
use vault_core::note::line;
use vault_core::note::line::CaseLine;
use vault_core::note::line::Line;
use vault_core::note::split;
use vault_core::note::split::PRIVATE;
use vault_core::stream::Chain;
use vault_core::stream::VerifiedLink;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::StreamId;

/// Most bytes that are held in memory until all of them were judged, so that all or nothing of them is kept.
const LONGEST_PIPED: u64 = 256 << 20;

/// Lines in a transaction.
const BATCH: usize = 1536;

/// What one batch holds, parsed again from its lines.
struct Batch {
    workers: Vec<RawJson>,
    cases: Vec<(CaseLine, bool)>,
    notes: Vec<(Box<Note>, bool)>,
}

impl Session {
    /// Takes lines of JSON in. Malformed lines are in the reply, not an error.
    ///
    /// With [`ImportPass::Whole`] all of the text is in memory, so that nothing is kept where a line of it is malformed. A file
    /// that can be read twice is looked through first ([`ImportPass::Check`]) and then taken in ([`ImportPass::Take`]), some
    /// lines at a time.
    ///
    /// # Errors
    /// [`SessionError::NotLines`] for what is no lines at all, [`SessionError::Cancelled`], [`SessionError::DiskFull`], and what a check
    /// refuses; [`SessionError::Conflict`] for a line that was good when it was looked at and is not when it is to be taken:
    /// what stands before it is kept then.
    pub fn import(&mut self, input: &mut dyn BufRead, request: ImportRequest, task: Task<'_>) -> Result<ImportReply> {
        match request.pass {
            ImportPass::Check => self.check_lines(input, &request, task),
            ImportPass::Take => self.take_lines(input, &request, task),
            ImportPass::Whole => self.import_whole(input, &request, task),
        }
    }

    fn import_whole(
        &mut self,
        input: &mut dyn BufRead,
        request: &ImportRequest,
        task: Task<'_>,
    ) -> Result<ImportReply> {
        task.progress.start("reading", request.bytes, Unit::Bytes);
        let mut text = Vec::new();
        (&mut *input)
            .take(LONGEST_PIPED + 1)
            .read_to_end(&mut text)
            .map_err(unread)?;
        if text.len() as u64 > LONGEST_PIPED {
            return Err(SessionError::Piped { limit: LONGEST_PIPED });
        }
        task.progress.advance(u64::try_from(text.len()).unwrap_or(0));
        task.progress.finish();
        require_lines(&text)?;
        let set = templates::load()?;
        let holder = &self.holder;
        let Plan { actions, totals } = self.store.read(|tx| {
            let settings = holder.settings(tx)?.settings;
            Plan::make(tx, set, &settings, &text, request, task)
        })?;
        let mut reply = reply_of(totals);
        if !reply.malformed.is_empty() && !request.keep_going {
            reply.skipped = 0;
            reply.unknown_fields.clear();
            return Ok(reply);
        }
        let new = new_names(&actions);
        let names: Vec<String> = new.iter().map(|(_, name)| name.clone()).collect();
        let here = self.names_here(&names)?;
        reply.same_name = same_name(new, here);
        let total = u64::try_from(actions.len()).ok();
        task.progress.start("importing", total, Unit::Items);
        let mut cases = HashMap::new();
        for actions in actions.chunks(BATCH) {
            task.cancel.check()?;
            let batch = Batch::read(actions)?;
            self.put_batch(batch, &mut cases, &mut reply)?;
            task.progress.advance(u64::try_from(actions.len()).unwrap_or(0));
        }
        task.progress.finish();
        reply.imported = reply.workers + reply.cases + reply.notes;
        Ok(reply)
    }

    /// Judges all lines and keeps none; of them only the ids are in memory at once.
    fn check_lines(&self, input: &mut dyn BufRead, request: &ImportRequest, task: Task<'_>) -> Result<ImportReply> {
        let set = templates::load()?;
        let holder = &self.holder;
        task.progress.start("checking", request.bytes, Unit::Bytes);
        let totals = self.store.read(|tx| {
            let settings = holder.settings(tx)?.settings;
            let mut ids = Ids::of(tx, &settings);
            let (mut totals, mut lines, mut is_first) = (Totals::default(), Lines::of(input), true);
            while let Some(chunk) = lines.next().map_err(unread)? {
                task.cancel.check()?;
                if std::mem::take(&mut is_first) {
                    require_lines(&chunk.text())?;
                }
                ids.judge(set, &settings, &chunk.lines(), request, &mut totals)?;
                task.progress.advance(chunk.bytes);
            }
            Ok::<_, SessionError>(totals)
        })?;
        task.progress.finish();
        Ok(reply_of(totals))
    }

    /// Takes the good lines in, some at a time.
    fn take_lines(&mut self, input: &mut dyn BufRead, request: &ImportRequest, task: Task<'_>) -> Result<ImportReply> {
        let set = templates::load()?;
        task.progress.start("importing", request.bytes, Unit::Bytes);
        let here = self.all_names_here()?;
        let (mut totals, mut reply, mut new) = (Totals::default(), reply_of(Totals::default()), Vec::new());
        let (mut lines, mut cases, mut is_first) = (Lines::of(input), HashMap::new(), true);
        while let Some(chunk) = lines.next().map_err(unread)? {
            task.cancel.check()?;
            if std::mem::take(&mut is_first) {
                require_lines(&chunk.text())?;
            }
            let lines = chunk.lines();
            let holder = &self.holder;
            // What the lines before them brought is in the vault by now.
            let actions = self.store.read(|tx| {
                let settings = holder.settings(tx)?.settings;
                Ids::of(tx, &settings).judge(set, &settings, &lines, request, &mut totals)
            })?;
            if let (Some(first), false) = (totals.malformed.first(), request.keep_going) {
                let what = format!("line {} was good and is not any more: {}", first.line, first.why);
                return Err(SessionError::conflict(
                    what,
                    "the file was changed while it was taken in: run it again, what is here already is skipped",
                ));
            }
            new.extend(new_names(&actions));
            for actions in actions.chunks(BATCH) {
                let batch = Batch::read(actions)?;
                self.put_batch(batch, &mut cases, &mut reply)?;
            }
            task.progress.advance(chunk.bytes);
        }
        task.progress.finish();
        Ok(ImportReply {
            imported: reply.workers + reply.cases + reply.notes,
            workers: reply.workers,
            cases: reply.cases,
            notes: reply.notes,
            amended: reply.amended,
            same_name: same_name(new, here),
            ..reply_of(totals)
        })
    }

    /// Keeps one batch: all of it, or nothing.
    fn put_batch(
        &mut self,
        batch: Batch,
        cases: &mut HashMap<String, CaseKeys>,
        reply: &mut ImportReply,
    ) -> Result<()> {
        let counts = [batch.workers.len(), batch.cases.len(), batch.notes.len()].map(|n| u64::try_from(n).unwrap_or(0));
        let amended = batch
            .cases
            .iter()
            .map(|(_, amends)| *amends)
            .chain(batch.notes.iter().map(|(_, amends)| *amends));
        let amended = u64::try_from(amended.filter(|amends| *amends).count()).unwrap_or(0);
        self.write(|holder, tx| {
            let mut kept = holder.settings(tx)?;
            if !batch.workers.is_empty() {
                for worker in &batch.workers {
                    kept.settings.put_worker(worker);
                }
                holder.put_settings(tx, &kept)?;
            }
            for (line, amends) in &batch.cases {
                let keys = match amends {
                    true => holder.amend_case(tx, line)?,
                    false => {
                        let template = line.template.as_deref().and_then(plan::template_version);
                        holder.put_case(tx, line, Some(&line.case), template)?
                    }
                };
                cases.insert(line.case.clone(), keys);
            }
            holder.put_notes(tx, &kept.settings, batch.notes, cases)
        })?;
        let [workers, new_cases, notes] = counts;
        reply.workers += workers;
        reply.cases += new_cases;
        reply.notes += notes;
        reply.amended += amended;
        Ok(())
    }
}

impl Batch {
    fn read(actions: &[Action<'_>]) -> Result<Self> {
        let lines: Vec<(Line, bool)> = actions
            .par_iter()
            .map(|action| match line::parse(action.text) {
                Ok(line) => Ok((line, action.amends)),
                Err(e) => Err(SessionError::Bug(e.to_string())),
            })
            .collect::<Result<_>>()?;
        let mut batch = Self {
            workers: Vec::new(),
            cases: Vec::new(),
            notes: Vec::new(),
        };
        for (line, amends) in lines {
            match line {
                Line::Case(case) => batch.cases.push((case, amends)),
                Line::Note(note) => batch.notes.push((note, amends)),
                Line::Worker(worker) => {
                    let raw = RawJson::from_value(&worker).map_err(|e| SessionError::Bug(e.to_string()))?;
                    batch.workers.push(raw);
                }
            }
        }
        Ok(batch)
    }
}

impl Holder {
    /// Seals, links, signs and keeps notes whose cases are all known.
    fn put_notes(
        &self,
        tx: &mut WriteTx<'_>,
        settings: &Settings,
        notes: Vec<(Box<Note>, bool)>,
        cases: &mut HashMap<String, CaseKeys>,
    ) -> Result<()> {
        let at = clock::moment(clock::now());
        for (note, _) in &notes {
            let case = case_of(note)?;
            if !cases.contains_key(case) {
                let id = self.resolve_case(tx, case)?;
                // Rebuilt, as before any other write: a hidden event would be written past.
                let mut keys = self.case_keys(tx, id)?;
                self.rotate(tx, &mut keys)?;
                let label = self.case_label(tx, &keys, &Logged::by_link())?;
                self.require_case_named(case, id, label.external_id.as_deref())?;
                cases.insert(case.to_owned(), keys);
            }
            if note.segments.iter().any(|s| split::section_of(note, s) == PRIVATE)
                && let Some(keys) = cases.get_mut(case)
            {
                self.private_section(tx, keys)?;
            }
        }
        // Amendments need what was there; they are few, and stay in sequence.
        let mut before = HashMap::new();
        for (index, (note, _)) in notes.iter().enumerate().filter(|(_, (_, amends))| *amends) {
            let keys = known(cases, note)?;
            let external = note.imported.as_ref().and_then(|i| i.note.clone()).unwrap_or_default();
            let (_, record) = self.resolve_note(tx, &external)?;
            tx.authenticate(keys.stream())?;
            let read = self.read_note(tx, keys, record, None, &Logged::by_link())?;
            self.require_note_named(&external, &read)?;
            let parts = self.parts_of(tx, keys, &read.note)?;
            before.insert(index, (read, parts));
        }
        let sealed: Vec<(SealedNote, String)> = notes
            .into_par_iter()
            .enumerate()
            .map(|(index, (note, _))| {
                let keys = known(cases, &note)?;
                let origin = note.imported.clone().unwrap_or_default();
                let content = line::print_note(&note, &origin).map_err(|e| SessionError::Bug(e.to_string()))?;
                let mut note = *note;
                note.authored_at = note
                    .authored_at
                    .or_else(|| Some(at.clone()).filter(|_| origin.recorded_at.is_none()));
                let before = before.get(&index).map(|(read, parts)| Before {
                    read,
                    parts: parts.clone(),
                });
                let private = keys.state.private_section(self.member);
                Ok((self.seal_note(keys, settings, note, before.as_ref(), private)?, content))
            })
            .collect::<Result<_>>()?;
        let links = self.link_all(tx, sealed.iter().flat_map(|(note, _)| &note.parts))?;
        let mut links = links.into_iter();
        for (note, content) in &sealed {
            for (index, part) in note.parts.iter().enumerate() {
                let link = links
                    .next()
                    .ok_or_else(|| SessionError::Bug("fewer links than records".to_owned()))?;
                let pos = tx.put_record(&link, &part.record, &part.wrap, index == 0)?;
                if index == 0
                    && let Some(external) = note.note.imported.as_ref().and_then(|i| i.note.as_deref())
                {
                    tx.index("note", external, content.as_bytes(), pos)?;
                }
            }
        }
        Ok(())
    }

    /// Chains links in order and signs them over both cores: an id needs no signature.
    fn link_all<'p>(
        &self,
        tx: &WriteTx<'_>,
        parts: impl Iterator<Item = &'p vault_core::placing::PlacedRecord>,
    ) -> Result<Vec<VerifiedLink>> {
        let head = self.agency.head();
        let mut chains: HashMap<StreamId, Chain> = HashMap::new();
        let mut unsigned = Vec::new();
        for part in parts {
            let stream = part.record.header().stream;
            let chain = match chains.entry(stream) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(new) => new.insert(tx.chain_to_extend(stream)?),
            };
            let body = LinkBody::Record(part.placement);
            unsigned.push(chain.append(head, self.device, body).map_err(refused(stream))?);
        }
        Ok(unsigned.into_par_iter().map(|link| link.sign(&self.signer)).collect())
    }

    /// Amends profile and label of a case whose line changed.
    fn amend_case(&self, tx: &mut WriteTx<'_>, line: &CaseLine) -> Result<CaseKeys> {
        let case: CaseId = self.resolve_case(tx, &line.case)?;
        let mut keys = self.case_keys(tx, case)?;
        self.rotate(tx, &mut keys)?;
        let records = self.case_records_to_amend(tx, &keys, &Logged::by_link())?;
        self.require_case_named(&line.case, case, records.label.external_id.as_deref())?;
        let closing = records.profile.line.closing().ok().flatten();
        let mut line = line.clone();
        // A line does not open a closed case again.
        if let (Ok(None), Some(closing)) = (line.closing(), closing) {
            line.close(&closing).map_err(|e| SessionError::Bug(e.to_string()))?;
        }
        let mut label = Label::of(&line, Some(&line.case));
        if label.closed.is_none() {
            label.status.clone_from(&records.label.status);
            label.closed.clone_from(&records.label.closed);
        }
        label.flags.clone_from(&records.label.flags);
        let mut profile = records.profile;
        profile.line = line;
        let records = CaseRecords {
            label,
            profile,
            ..records
        };
        self.put_case_version(tx, &keys, records)?;
        Ok(keys)
    }
}

/// A reply before anything was kept.
fn reply_of(totals: Totals) -> ImportReply {
    ImportReply {
        schema: IMPORT,
        imported: 0,
        skipped: totals.skipped,
        malformed: totals.malformed,
        more_malformed: totals.more_malformed,
        more_lines: totals.more_lines,
        workers: 0,
        cases: 0,
        notes: 0,
        amended: 0,
        in_future: totals.in_future,
        unknown_fields: totals.unknown,
        same_name: Vec::new(),
    }
}

fn unread(source: std::io::Error) -> SessionError {
    SessionError::Io {
        doing: "could not read the lines".to_owned(),
        source,
    }
}

/// The new cases of some lines, each with its client's name, as namesakes are found.
fn new_names(actions: &[Action<'_>]) -> Vec<(String, String)> {
    // Only a line with a profile has a name; to parse all of them twice would cost an import of notes much.
    let lines = actions
        .iter()
        .filter(|action| !action.amends && action.text.contains("\"profile\""));
    let mut new = Vec::new();
    for line in lines {
        if let Ok(Line::Case(line)) = line::parse(line.text) {
            let label = Label::of(&line, Some(&line.case));
            if let Some(name) = label.name.or(label.label) {
                new.push((line.case, namesakes::alike(&name)));
            }
        }
    }
    new.retain(|(_, name)| !name.is_empty());
    new
}

/// Names the new cases whose client is called as that of another, here or among the lines.
fn same_name(mut new: Vec<(String, String)>, here: Vec<String>) -> Vec<String> {
    let mut called: HashMap<String, usize> = HashMap::new();
    for name in here.into_iter().chain(new.iter().map(|(_, name)| name.clone())) {
        *called.entry(name).or_default() += 1;
    }
    new.retain(|(_, name)| called.get(name).is_some_and(|cases| *cases > 1));
    new.into_iter().map(|(case, _)| case).collect()
}

/// Refuses at once what is no lines at all: a fault for every line of it would say less.
fn require_lines(text: &[u8]) -> Result<()> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    let first = text
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let begins_object = |line: &[u8]| line.trim_ascii_start().starts_with(b"{");
    let found = match first {
        [] => return Ok(()),
        [b'<', ..] => "an HTML or XML page",
        [b'[', ..] => "one JSON array",
        [b'%', b'P', b'D', b'F', ..] => "a PDF",
        [b'P', b'K', 3, 4, ..] => "a packed file (an office document or a ZIP)",
        [b'{', ..] => {
            // Whole JSON over several lines: the first alone is none, or it is the vault's own.
            let whole = serde_json::from_slice::<serde_json::Value>(first);
            let is_export = whole
                .as_ref()
                .is_ok_and(|value| value.get("schema").is_some() && value.get("type").is_none());
            let is_cut =
                whole.is_err_and(|e| e.is_eof()) && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
            match is_export || is_cut {
                true => "one whole JSON document",
                false => return Ok(()),
            }
        }
        _ if text.split(|byte| *byte == b'\n').any(begins_object) => return Ok(()),
        _ => "text of another kind",
    };
    Err(SessionError::NotLines {
        found: found.to_owned(),
    })
}

fn case_of(note: &Note) -> Result<&str> {
    let case = note.imported.as_ref().and_then(|i| i.case.as_deref());
    case.ok_or_else(|| SessionError::Bug("an imported note without a case".to_owned()))
}

fn known<'c>(cases: &'c HashMap<String, CaseKeys>, note: &Note) -> Result<&'c CaseKeys> {
    cases
        .get(case_of(note)?)
        .ok_or_else(|| SessionError::Bug("a note's case was not opened".to_owned()))
}
