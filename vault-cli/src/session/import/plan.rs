//! What an import would do, line by line, before anything is kept.

use crate::session::Result;
use crate::session::SessionError;
use crate::session::case::case_content;
use crate::session::clock;
use crate::session::note_write::require_section;
use crate::session::progress::Task;
use crate::session::progress::Unit;
use crate::session::reply::MalformedLine;
use crate::session::request::ImportRequest;
use crate::session::settings::Settings;
use crate::session::templates;
use crate::store::ReadTx;
use crate::store::Row;
use casevault_policies::Set;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use vault_core::local::index::ContentTag;
use vault_core::note::Note;
use vault_core::note::json::JsonError;
use vault_core::note::line;
use vault_core::note::line::Line;
use vault_core::note::spelling;
use vault_core::note::split;
use vault_core::note::split::PRIVATE;
use vault_core::secret::LocalIndexKey;
use vault_core::wire::v1::stream::Section;

/// Most bytes of a line.
pub(super) const LINE_BYTES: usize = 4 << 20;
/// Most segments of a note.
const SEGMENTS: usize = 10_000;
/// Most refused lines that are named; of more, the number is told.
const NAMED: usize = 10_000;
/// Most characters of why a line is refused: it repeats what the line says.
const WHY_CHARS: usize = 500;
/// Most fields that are not known and are named, by all lines together.
const FIELDS: usize = 1_000;
/// Lines parsed at a time.
const CHUNK: usize = 4096;

/// A line to be taken.
pub(super) struct Action<'t> {
    pub(super) text: &'t str,
    /// Whether it takes the place of what is here under its id.
    pub(super) amends: bool,
}

/// What an import would do.
pub(super) struct Plan<'t> {
    pub(super) actions: Vec<Action<'t>>,
    pub(super) totals: Totals,
}

/// What the lines add up to.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) malformed: Vec<MalformedLine>,
    /// Refused lines beyond those that are named.
    pub(super) more_malformed: u64,
    /// Their numbers, where they are wanted.
    pub(super) more_lines: Vec<u64>,
    pub(super) skipped: u64,
    pub(super) in_future: u64,
    /// Fields that are not known, with how many of the lines to be taken have them.
    pub(super) unknown: BTreeMap<String, u64>,
}

/// What a line is, by its own words alone.
enum Seen {
    Worker {
        worker: String,
        content: String,
    },
    Case {
        case: String,
        tag: ContentTag,
    },
    Note {
        case: String,
        note: String,
        section: Section,
        tag: ContentTag,
        future: bool,
    },
}

/// What is known under an id: its content, if any is still kept.
type Known = Option<ContentTag>;

/// What is known under the ids that lines name, above them or in the vault.
pub(super) struct Ids<'a> {
    tx: &'a ReadTx<'a>,
    cases: HashMap<String, Known>,
    notes: HashMap<String, Known>,
    workers: HashMap<String, String>,
    absent: HashSet<String>,
}

impl<'t> Plan<'t> {
    pub(super) fn make(
        tx: &ReadTx<'_>,
        set: &Set,
        settings: &Settings,
        text: &'t [u8],
        request: &ImportRequest,
        task: Task<'_>,
    ) -> Result<Self> {
        // Gone through twice, for a list of all would be larger than short lines are.
        let lines = || (1_u64..).zip(text.split(|b| *b == b'\n')).filter(|(_, l)| !is_blank(l));
        task.progress
            .start("checking", u64::try_from(lines().count()).ok(), Unit::Items);
        let mut lines = lines();
        let mut ids = Ids::of(tx, settings);
        let mut plan = Self {
            actions: Vec::new(),
            totals: Totals::default(),
        };
        loop {
            let chunk: Vec<(u64, &[u8])> = lines.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                break;
            }
            task.cancel.check()?;
            let actions = ids.judge(set, settings, &chunk, request, &mut plan.totals)?;
            // Where a line was refused and none is to be kept, nothing need be remembered of the good ones.
            if request.keep_going || plan.totals.malformed.is_empty() {
                plan.actions.extend(actions);
            }
            task.progress.advance(u64::try_from(chunk.len()).unwrap_or(0));
        }
        task.progress.finish();
        Ok(plan)
    }
}

impl Totals {
    fn refuse(&mut self, line: u64, why: &str, is_wanted: bool) {
        if self.malformed.len() >= NAMED {
            self.more_malformed += 1;
            if is_wanted {
                self.more_lines.push(line);
            }
            return;
        }
        let why = match why.char_indices().nth(WHY_CHARS) {
            Some((cut, _)) => format!("{}…", why.get(..cut).unwrap_or_default()),
            None => why.to_owned(),
        };
        self.malformed.push(MalformedLine { line, why });
    }
}

enum Decision {
    Skip,
    Take { amends: bool, future: bool },
}

/// Why a line is not taken, or why none can be.
enum Fault {
    Line(String),
    Session(SessionError),
}

impl From<SessionError> for Fault {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl<'a> Ids<'a> {
    /// Knows what is in the vault, and no line yet.
    pub(super) fn of(tx: &'a ReadTx<'a>, settings: &Settings) -> Self {
        Self {
            tx,
            cases: HashMap::new(),
            notes: HashMap::new(),
            workers: settings.workers_by_id(),
            absent: HashSet::new(),
        }
    }

    /// Judges some lines, after those before them, and gives those that are to be taken.
    pub(super) fn judge<'c>(
        &mut self,
        set: &Set,
        settings: &Settings,
        chunk: &[(u64, &'c [u8])],
        request: &ImportRequest,
        totals: &mut Totals,
    ) -> Result<Vec<Action<'c>>> {
        let index = &self.tx.keys().index;
        let seen: Vec<_> = chunk
            .par_iter()
            .map(|(_, line)| see(index, set, settings, line))
            .collect();
        let mut actions = Vec::new();
        for ((number, _), seen) in chunk.iter().zip(seen) {
            match seen.and_then(|(text, unknown, seen)| Ok((text, unknown, self.decide(seen, request.amend)?))) {
                Ok((_, _, Decision::Skip)) => totals.skipped += 1,
                Ok((text, unknown, Decision::Take { amends, future })) => {
                    for field in unknown {
                        let has_room = totals.unknown.len() < FIELDS || totals.unknown.contains_key(&field);
                        if has_room {
                            *totals.unknown.entry(field).or_default() += 1;
                        }
                    }
                    totals.in_future += u64::from(future);
                    actions.push(Action { text, amends });
                }
                Err(Fault::Line(why)) => totals.refuse(*number, &why, request.every_refused),
                Err(Fault::Session(e)) => return Err(e),
            }
        }
        Ok(actions)
    }

    fn decide(&mut self, seen: Seen, amend: bool) -> std::result::Result<Decision, Fault> {
        match seen {
            Seen::Worker { worker, content } => match self.workers.get(&worker) {
                Some(known) if *known == content => Ok(Decision::Skip),
                Some(_) if !amend => Err(conflict("worker", &worker)),
                known => {
                    let amends = known.is_some();
                    self.workers.insert(worker, content);
                    Ok(Decision::Take { amends, future: false })
                }
            },
            Seen::Case { case, tag } => {
                let known = Self::known(self.tx, &mut self.cases, "case", &case)?;
                let decision = decide("case", &case, known, &tag, amend, false)?;
                self.absent.remove(&case);
                self.cases.insert(case, Some(tag));
                Ok(decision)
            }
            Seen::Note {
                case,
                note,
                section,
                tag,
                future,
            } => {
                let here =
                    !self.absent.contains(&case) && Self::known(self.tx, &mut self.cases, "case", &case)?.is_some();
                if !here {
                    self.absent.insert(case.clone());
                    return Err(Fault::Line(format!(
                        "field `case`: there is no case `{case}` here or in a line above"
                    )));
                }
                let known = Self::known(self.tx, &mut self.notes, "note", &note)?;
                let decision = decide("note", &note, known, &tag, amend, future)?;
                if matches!(decision, Decision::Take { amends: true, .. }) {
                    self.require_section_kept(&note, section)?;
                }
                self.notes.insert(note, Some(tag));
                Ok(decision)
            }
        }
    }

    /// A record is of one section for good, so an amended note stays in its own.
    fn require_section_kept(&self, note: &str, section: Section) -> std::result::Result<(), Fault> {
        let found = self.tx.lookup("note", note).map_err(SessionError::from)?;
        let Some(found) = found else { return Ok(()) };
        match self.tx.row_at(found.pos).map_err(SessionError::from)? {
            Row::Record(row) if row.record.header.section != section => Err(Fault::Line(format!(
                "field `section`: note `{note}` is in another section, and stays there; its segments may move"
            ))),
            _ => Ok(()),
        }
    }

    /// Looks an id up among the lines above, then in the vault.
    fn known(
        tx: &ReadTx<'_>,
        above: &mut HashMap<String, Known>,
        kind: &str,
        id: &str,
    ) -> std::result::Result<Option<Known>, Fault> {
        if let Some(known) = above.get(id) {
            return Ok(Some(*known));
        }
        Ok(tx
            .lookup(kind, id)
            .map_err(SessionError::from)?
            .map(|found| found.content))
    }
}

fn decide(
    kind: &str,
    id: &str,
    known: Option<Known>,
    tag: &ContentTag,
    amend: bool,
    future: bool,
) -> std::result::Result<Decision, Fault> {
    match known {
        None => Ok(Decision::Take { amends: false, future }),
        Some(Some(kept)) if kept.0 == tag.0 => Ok(Decision::Skip),
        Some(None) => Err(Fault::Line(format!("{kind} `{id}` was here and was withdrawn"))),
        Some(Some(_)) if amend => Ok(Decision::Take { amends: true, future }),
        Some(Some(_)) => Err(conflict(kind, id)),
    }
}

fn conflict(kind: &str, id: &str) -> Fault {
    Fault::Line(format!(
        "{kind} `{id}` is here with another content; --amend takes it as a new version"
    ))
}

/// Most faults of one line that are told.
const FAULTS: usize = 10;

/// Tells all that is wrong with a line, whose first fault is known.
fn all_faults(text: &str, first: &JsonError) -> String {
    let mut faults: Vec<String> = line::faults(text).iter().map(ToString::to_string).collect();
    if faults.is_empty() {
        faults.push(first.to_string());
    }
    let more = faults.len().saturating_sub(FAULTS);
    faults.truncate(FAULTS);
    if more > 0 {
        faults.push(format!("and {more} more"));
    }
    faults.join("; ")
}

/// Reads one line by itself.
fn see<'t>(
    index: &LocalIndexKey,
    set: &Set,
    settings: &Settings,
    line: &'t [u8],
) -> std::result::Result<(&'t str, BTreeSet<String>, Seen), Fault> {
    if line.len() > LINE_BYTES {
        return Err(Fault::Line(format!("the line is longer than {LINE_BYTES} bytes")));
    }
    let text =
        std::str::from_utf8(line).map_err(|e| Fault::Line(format!("byte {}: not UTF-8", e.valid_up_to() + 1)))?;
    let text = text.trim_end_matches('\r').trim_start_matches('\u{feff}');
    let line = line::parse(text).map_err(|e| Fault::Line(all_faults(text, &e)))?;
    let unknown = spelling::line(&line).map_err(|slip| Fault::Line(slip.to_string()))?;
    // By where they stand but for the number of the segment: a line is told once.
    let unknown = unknown.into_iter().map(|field| match field.split_once("].") {
        Some((_, field)) => format!("segments.{field}"),
        None => field,
    });
    let unknown = unknown.collect();
    let seen = match line {
        Line::Worker(worker) => {
            let id = worker.worker.clone();
            let content = line::print(&Line::Worker(worker)).map_err(|e| Fault::Line(e.to_string()))?;
            Seen::Worker { worker: id, content }
        }
        Line::Case(case) => {
            if case.case.is_empty() {
                return Err(Fault::Line("field `case`: the case has no id".to_owned()));
            }
            if let Some(id) = &case.template {
                require_template_known(set, id)?;
            }
            case.closing()
                .map_err(|why| Fault::Line(format!("field `closed`: {why}")))?;
            let content = case_content(&case)?;
            Seen::Case {
                case: case.case,
                tag: tag(index, &content),
            }
        }
        Line::Note(note) => {
            let section = require_known(set, settings, &note)?;
            let origin = note.imported.clone().unwrap_or_default();
            let content = line::print_note(&note, &origin).map_err(|e| Fault::Line(e.to_string()))?;
            let future = note.occurred_at.as_ref().is_some_and(|at| at.instant() > clock::now());
            let id = origin.note.filter(|id| !id.is_empty());
            let id = id.ok_or_else(|| Fault::Line("field `note`: the note has no id".to_owned()))?;
            let case = origin.case.unwrap_or_default();
            Seen::Note {
                case,
                note: id,
                section,
                tag: tag(index, &content),
                future,
            }
        }
    };
    Ok((text, unknown, seen))
}

fn tag(index: &LocalIndexKey, content: &str) -> ContentTag {
    ContentTag::new(index, content.as_bytes())
}

/// Refuses kinds and sections that nobody defined: a typing error would hide a note from every list.
fn require_known(set: &Set, settings: &Settings, note: &Note) -> std::result::Result<Section, Fault> {
    let line = |e: SessionError| Fault::Line(e.to_string());
    if note.segments.len() > SEGMENTS {
        return Err(Fault::Line(format!("the note has more than {SEGMENTS} segments")));
    }
    templates::require_kind(set, &note.kind).map_err(line)?;
    if let Some(id) = &note.template {
        require_template_known(set, id)?;
    }
    for segment in &note.segments {
        let section = split::section_of(note, segment);
        if section != PRIVATE {
            require_section(settings, section).map_err(line)?;
        }
    }
    require_section(settings, note.section.as_deref().unwrap_or(split::CORE)).map_err(line)
}

/// Refuses a template that is not here: its headings and sections would be missing for good.
fn require_template_known(set: &Set, id: &str) -> std::result::Result<(), Fault> {
    if set.newest(id).is_some() {
        return Ok(());
    }
    let mut known: Vec<String> = set.iter().map(|t| t.id.clone()).collect();
    known.dedup();
    let unknown = SessionError::Unknown {
        what: "template",
        text: id.to_owned(),
        known,
    };
    Err(Fault::Line(format!("field `template`: {unknown}")))
}

/// Returns the version of a template that a case imported now falls under.
pub(super) fn template_version(id: &str) -> Option<u32> {
    templates::load().ok()?.newest(id).map(|t| t.version)
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}
