//! Steps of plans: the list over a caseload or a case, and saying that one was carried out.
//!
//! That is a new version of the note that planned it, signed by whoever says so; taking it back is another one.

use super::super::Result;
use super::super::Session;
use super::super::SessionError;
use super::super::clock;
use super::super::find::Undone;
use super::super::find::folded;
use super::super::find::name_hash;
use super::super::logging::Logged;
use super::super::note_write::Before;
use super::super::note_write::require_not_misfiled;
use super::super::progress::Task;
use super::super::reply::CaseName;
use super::super::reply::JoinedNote;
use super::super::reply::PLAN_DONE;
use super::super::reply::PLAN_LIST;
use super::super::reply::PlanDoneReply;
use super::super::reply::PlanListReply;
use super::super::reply::StepRow;
use super::super::reply::UnopenedRow;
use super::super::request::PlanDoneRequest;
use super::super::request::PlanListRequest;
use super::super::request::ReadPurpose;
use super::count;
use super::name_of;
use crate::store::WriteTx;
use jiff::civil::Date;
use std::collections::HashMap;
use vault_core::id::CaseId;
use vault_core::id::RecordId;
use vault_core::note::Note;
use vault_core::note::danger;
use vault_core::note::danger::Dangers;
use vault_core::note::display::escape_line;
use vault_core::note::plan;
use vault_core::note::plan::Step;
use vault_core::note::when;
use vault_core::wire::v1::access::AccessOperation;

/// The longest outcome, in bytes.
const LONGEST_OUTCOME: usize = 64 * 1024;

/// The word that a note has for its own worker.
const ME: &str = "me";

impl Session {
    /// Lists steps of plans, of the open cases of one's caseload or of one case, the most pressing first.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`], [`SessionError::Refused`], [`SessionError::Cancelled`].
    pub fn plan_list(&mut self, request: PlanListRequest, task: Task<'_>) -> Result<PlanListReply> {
        let day = clock::today();
        let me = self.own_words()?;
        let (case, mut rows, unopened) = match &request.case {
            Some(case) => {
                let whole = self.whole_case(case, AccessOperation::List, "plans", &request.purpose)?;
                let mut name = name_of(whole.case, &whole.records.label);
                let known = Dangers::new(whole.profile(), &[]).items;
                name.danger = !known.is_empty() || whole.notes.iter().any(|read| danger::is_marked_in(&read.note));
                let rows = whole.notes.iter().flat_map(|read| {
                    let steps = plan::steps(&read.note, &read.record.handle(), read.version, day);
                    steps.into_iter().map(|step| StepRow {
                        case: name.clone(),
                        step,
                    })
                });
                let mut rows = rows.collect::<Vec<_>>();
                rows.retain(|row| wanted(&row.step, &request, day, &me));
                (Some(whole.case.handle()), rows, whole.unopened)
            }
            None => {
                let (rows, unopened) = self.steps_of_caseload(&request, day, &me, task)?;
                (None, rows, unopened)
            }
        };
        rows.sort_by(|a, b| plan::order(&a.step, &b.step));
        let total = count(rows.len());
        if let Some(limit) = request.limit {
            rows.truncate(limit);
        }
        Ok(PlanListReply {
            schema: PLAN_LIST,
            day: day.to_string(),
            case,
            total,
            steps: rows,
            unopened,
        })
    }

    /// What notes may call the worker whose vault this is as the owner of a step: `me`, by handle or id, by name.
    pub(super) fn own_words(&self) -> Result<OwnWords> {
        let member = self.holder.member;
        let name = self.own_names()?.member;
        let mut words = vec![ME.to_owned(), member.handle(), member.to_string()];
        words.push(folded(&name));
        Ok(OwnWords(words))
    }

    fn steps_of_caseload(
        &mut self,
        request: &PlanListRequest,
        day: Date,
        me: &OwnWords,
        task: Task<'_>,
    ) -> Result<(Vec<StepRow>, Vec<UnopenedRow>)> {
        let logged = self.log_overview("plans", &request.purpose)?;
        let holder = &self.holder;
        self.store.read(|tx| {
            let cases = holder.open_cases(tx, &logged)?;
            let names: HashMap<CaseId, CaseName> = cases
                .iter()
                .map(|(case, label)| (*case, name_of(*case, label)))
                .collect();
            holder.with_text(tx, task, &logged, |text| {
                text.take_facts(&logged)?;
                let mut rows: Vec<StepRow> = Vec::new();
                for (case, record, facts) in text.facts() {
                    let asked = request.done || !facts.undone.is_empty();
                    let Some(name) = names.get(&case).filter(|_| asked && !facts.is_misfiled) else {
                        continue;
                    };
                    let Some((version, note)) = text.note(record)? else {
                        continue;
                    };
                    let steps = plan::steps(&note, &record.handle(), version, day);
                    rows.extend(steps.into_iter().map(|step| StepRow {
                        case: name.clone(),
                        step,
                    }));
                }
                rows.retain(|row| wanted(&row.step, request, day, me));
                let names = rows.iter_mut().map(|row| &mut row.case).collect();
                holder.warn(tx, names, text, &logged)?;
                Ok((rows, logged.unopened()))
            })
        })
    }

    /// Says that a step was carried out, or takes that back: a new version of its note, all others as they are.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Conflict`] for a note without such a step, one that was done already,
    /// or a day to come; [`SessionError::TooLong`] for the outcome.
    pub fn plan_done(&mut self, request: PlanDoneRequest) -> Result<PlanDoneReply> {
        let today = clock::today();
        let on = request.on.unwrap_or(today);
        if on > today {
            let what = format!("{on} is still to come: a step is done on a day that is past, or today");
            return Err(SessionError::conflict(
                what,
                "say it with `--on DAY` once it was carried out",
            ));
        }
        let outcome = request
            .outcome
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty());
        outcome.map_or(Ok(()), crate::note_input::hiding::require_none)?;
        if outcome.is_some_and(|text| text.len() > LONGEST_OUTCOME) {
            return Err(SessionError::TooLong {
                what: "the outcome".to_owned(),
                limit: count(LONGEST_OUTCOME),
            });
        }
        let (case, record) = self.store.read(|tx| self.holder.resolve_note(tx, &request.note))?;
        let purpose = ReadPurpose::default();
        let logged = self.log_records(AccessOperation::Open, case, &[record], Some("plan"), &purpose)?;
        if request.check {
            return self.plan_could_be_done(&request, case, record, &logged);
        }
        let joined = self.joined_with(case, record, &logged)?;
        let mut others_logged = Vec::new();
        if request.others {
            for (other, id) in &joined {
                others_logged.push(self.log_records(AccessOperation::Open, *other, &[*id], Some("plan"), &purpose)?);
            }
        }
        let by = self.holder.member.to_string();
        let said = Said {
            on: &on.to_string(),
            by: &by,
            outcome,
            undo: request.undo,
            is_dated: request.on.is_some(),
        };
        let (step, changed, others_changed, label) = self.write(|holder, tx| {
            let keys = holder.case_keys(tx, case)?;
            let first = holder.read_note(tx, &keys, record, None, &logged)?;
            holder.require_note_named(&request.note, &first)?;
            // Where it was said of this note before, the others are to say what it says.
            let known = if request.others {
                said.known(&first.note, request.segment)
            } else {
                None
            };
            let segment = known.as_ref().map(|known| known.n).or(request.segment);
            let said = known.as_ref().map_or(said, Known::said);
            // Of a twin, the words of the step that was marked: it may have been amended, and stand elsewhere or nowhere.
            let amend = |tx: &mut WriteTx<'_>,
                         case: CaseId,
                         record: RecordId,
                         segment: Option<u32>,
                         twin_of: Option<&Step>,
                         logged: &_| {
                let mut keys = holder.case_keys(tx, case)?;
                let before = holder.read_note(tx, &keys, record, None, logged)?;
                require_not_misfiled(&before)?;
                let segment = match twin_of {
                    Some(step) => match twin(&before.note, step) {
                        Some(n) if said.is_open(&before.note, n) || said.is_said(&before.note, n) => Some(n),
                        // It says something else of the step, or has none of these words.
                        _ => return Ok((None, Marked::Differs)),
                    },
                    None => segment,
                };
                let step_of = |note: &Note, version: u32, n: u32| {
                    let steps = plan::steps(note, &record.handle(), version, today);
                    steps.into_iter().find(|step| step.segment == n)
                };
                if let Some(n) = segment.filter(|n| request.others && said.is_said(&before.note, *n)) {
                    return Ok::<_, SessionError>((step_of(&before.note, before.version, n), Marked::Same));
                }
                let (n, note) = said.of(&before.note, &record, segment)?;
                let parts = holder.parts_of(tx, &keys, &before.note)?;
                let written = holder.put_note(tx, &mut keys, note, Some(Before { read: &before, parts }))?;
                Ok((step_of(&written.note, written.version, n), Marked::Saved))
            };
            let (step, changed) = amend(tx, case, record, segment, None, &logged)?;
            let mut others_changed = Vec::with_capacity(others_logged.len());
            for ((other, id), logged) in joined.iter().zip(&others_logged) {
                others_changed.push(amend(tx, *other, *id, None, step.as_ref(), logged)?.1);
            }
            if changed != Marked::Saved && !others_changed.contains(&Marked::Saved) {
                // Nothing was to be written anywhere: refused as it is without the others.
                said.of(&first.note, &record, segment)?;
            }
            let label = holder.case_label(tx, &keys, &logged)?.label;
            Ok((step, changed, others_changed, label))
        })?;
        let step = step.ok_or_else(|| SessionError::Bug("the step that was written is not there".to_owned()))?;
        let others = joined.iter().enumerate().map(|(index, (case, note))| JoinedNote {
            case: case.handle(),
            note: note.handle(),
            saved: others_changed.get(index) == Some(&Marked::Saved),
            same: others_changed.get(index) == Some(&Marked::Same),
            differs: others_changed.get(index) == Some(&Marked::Differs),
        });
        Ok(PlanDoneReply {
            schema: PLAN_DONE,
            note: record.handle(),
            case: case.handle(),
            label,
            marks: step.marks,
            version: step.version,
            segment: step.segment,
            undone: request.undo,
            text: step.text,
            done: step.done,
            done_by: step.done_by,
            outcome: step.outcome,
            changed: changed == Marked::Saved,
            others: others.collect(),
        })
    }
}

impl Session {
    /// Refuses what could not be said of a step, as the saying would.
    fn plan_could_be_done(
        &self,
        request: &PlanDoneRequest,
        case: CaseId,
        record: RecordId,
        logged: &Logged,
    ) -> Result<PlanDoneReply> {
        let (holder, day) = (&self.holder, clock::today());
        self.store.read(|tx| {
            let keys = holder.case_keys(tx, case)?;
            let read = holder.read_note(tx, &keys, record, None, logged)?;
            holder.require_note_named(&request.note, &read)?;
            require_not_misfiled(&read)?;
            let (on, by) = (request.on.unwrap_or(day).to_string(), holder.member.to_string());
            let said = Said {
                on: &on,
                by: &by,
                outcome: None,
                undo: request.undo,
                is_dated: request.on.is_some(),
            };
            let (segment, _) = said.of(&read.note, &record, request.segment)?;
            let steps = plan::steps(&read.note, &record.handle(), read.version, day);
            let step = steps.into_iter().find(|step| step.segment == segment);
            let step = step.ok_or_else(|| SessionError::Bug("the step that was judged is not there".to_owned()))?;
            Ok(PlanDoneReply {
                schema: PLAN_DONE,
                note: record.handle(),
                case: case.handle(),
                label: holder.case_label(tx, &keys, logged)?.label,
                marks: step.marks,
                version: step.version,
                segment,
                undone: request.undo,
                text: step.text,
                done: step.done,
                done_by: step.done_by,
                outcome: step.outcome,
                changed: false,
                others: Vec::new(),
            })
        })
    }
}

/// What notes may call the worker whose vault this is, folded.
pub(in super::super) struct OwnWords(Vec<String>);

impl OwnWords {
    /// Tells whether somebody who is named so is that worker, whatever the capitals.
    pub(super) fn has(&self, named: &str) -> bool {
        self.0.contains(&folded(named))
    }

    /// Tells whether a step is that worker's, by what is kept of its owner.
    pub(super) fn own(&self, step: &Undone) -> bool {
        step.owner
            .is_some_and(|owner| self.0.iter().any(|word| name_hash(word) == owner))
    }
}

/// Tells whether a step is asked for.
fn wanted(step: &Step, request: &PlanListRequest, day: Date, me: &OwnWords) -> bool {
    let due = step.due.as_deref().and_then(when::iso_date);
    let is_wanted = |owner: &str, wanted: &str| folded(owner) == folded(wanted) || (me.has(wanted) && me.has(owner));
    (request.done || step.done.is_none())
        && request.due.is_none_or(|until| due.is_some_and(|due| due <= until))
        && (!request.overdue || (step.done.is_none() && due.is_some_and(|due| due < day)))
        && request
            .owner
            .as_deref()
            .is_none_or(|wanted| step.owner.as_deref().is_some_and(|owner| is_wanted(owner, wanted)))
}

/// Characters of an outcome that a refusal repeats.
const OUTCOME_CHARS: usize = 60;

/// The beginning of an outcome, in one line.
fn begins(outcome: &str) -> String {
    let line = outcome.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(OUTCOME_CHARS).collect();
    let more = if cut.len() < line.len() { "…" } else { "" };
    format!("{}{more}", escape_line(&cut))
}

/// What became of one of the notes in which it was to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marked {
    Saved,
    /// It says so already.
    Same,
    /// It says something else of the step, or has no such step, and stays as it was.
    Differs,
}

/// Finds the step of the same words in a note of another case: where it stands in this one, else the only one.
fn twin(note: &Note, step: &Step) -> Option<u32> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let wanted = words(&step.text);
    let same = note
        .segments
        .iter()
        .filter(|s| plan::is_step(s) && words(&s.text) == wanted);
    let same: Vec<u32> = same.map(|s| s.n).collect();
    match same.as_slice() {
        all if all.contains(&step.segment) => Some(step.segment),
        [one] => Some(*one),
        _ => None,
    }
}

/// What is said of a step.
#[derive(Clone, Copy)]
struct Said<'a> {
    on: &'a str,
    by: &'a str,
    outcome: Option<&'a str>,
    undo: bool,
    /// Whether the day was named, and is not only today.
    is_dated: bool,
}

/// What a step says of itself.
struct Known {
    n: u32,
    on: String,
    by: String,
    outcome: Option<String>,
    undo: bool,
}

impl Known {
    fn said(&self) -> Said<'_> {
        Said {
            on: &self.on,
            by: &self.by,
            outcome: self.outcome.as_deref(),
            undo: self.undo,
            is_dated: true,
        }
    }
}

impl Said<'_> {
    /// Returns what the step says where that is what is to be said: it was done, on no other day and with no other outcome,
    /// or where it is to be taken back, it is not done.
    fn known(&self, note: &Note, segment: Option<u32>) -> Option<Known> {
        let steps: Vec<&vault_core::note::Segment> = note.segments.iter().filter(|s| plan::is_step(s)).collect();
        let step = match (segment, steps.as_slice()) {
            (Some(n), all) => all.iter().copied().find(|step| step.n == n)?,
            (None, [one]) => one,
            (None, _) => return None,
        };
        if step.done.is_some() == self.undo {
            return None;
        }
        let is_other_day = self.is_dated && step.done.as_deref() != Some(self.on);
        let is_other_outcome = self.outcome.is_some() && step.outcome.as_deref() != self.outcome;
        (self.undo || !(is_other_day || is_other_outcome)).then(|| Known {
            n: step.n,
            on: step.done.clone().unwrap_or_default(),
            by: step.done_by.clone().unwrap_or_else(|| self.by.to_owned()),
            outcome: step.outcome.clone(),
            undo: self.undo,
        })
    }

    /// Tells whether it can be said of a step: one that is not done, or is to be taken back.
    fn is_open(&self, note: &Note, n: u32) -> bool {
        let step = note.segments.iter().find(|s| s.n == n && plan::is_step(s));
        step.is_some_and(|step| step.done.is_some() == self.undo)
    }

    /// Tells whether a step says that already: that it was done, whenever, or that it is not.
    fn is_said(&self, note: &Note, n: u32) -> bool {
        let step = note.segments.iter().find(|s| s.n == n && plan::is_step(s));
        step.is_some_and(|step| match self.undo {
            true => step.done.is_none(),
            false => step.done.as_deref() == Some(self.on) && step.outcome.as_deref() == self.outcome,
        })
    }

    /// Returns the note in which it is said, and the step's number.
    fn of(&self, before: &Note, record: &RecordId, segment: Option<u32>) -> Result<(u32, Note)> {
        let handle = record.handle();
        let conflict = |what: String, next: &str| Err(SessionError::conflict(what, next));
        let mut note = before.clone();
        let open = |s: &&vault_core::note::Segment| plan::is_step(s) && s.done.is_some() == self.undo;
        let open: Vec<u32> = note.segments.iter().filter(open).map(|s| s.n).collect();
        let word = if self.undo { "done" } else { "undone" };
        let n = match (segment, open.as_slice()) {
            (Some(n), _) => n,
            (None, [one]) => *one,
            (None, []) => {
                let next =
                    format!("`casevault note show {handle}` shows its plans, and `casevault plan list` what waits");
                return conflict(format!("note {handle} has no {word} step of a plan"), &next);
            }
            (None, several) => {
                let all: Vec<String> = several.iter().map(|n| format!("{handle}:{n}")).collect();
                return conflict(
                    format!("note {handle} has {} {word} steps", several.len()),
                    &format!("say which: {}", all.join(", ")),
                );
            }
        };
        let Some(step) = note.segments.iter_mut().find(|s| s.n == n && plan::is_step(s)) else {
            return conflict(
                format!("segment {n} of note {handle} is no step of a plan"),
                &format!("`casevault note show {handle}` shows the numbers of its plans"),
            );
        };
        match (self.undo, &step.done) {
            (false, Some(done)) => {
                let outcome = step
                    .outcome
                    .as_deref()
                    .map(|text| format!(", with the outcome `{}`", begins(text)));
                return conflict(
                    format!(
                        "step {handle}:{n} was done on {done} already{}",
                        outcome.unwrap_or_default()
                    ),
                    &format!(
                        "`casevault plan done {handle}:{n} --undo` takes that back; `--others` without a day and an outcome says \
                         the same of the notes that are one with it, and `casevault plan done` of one of those something else"
                    ),
                );
            }
            (true, None) => {
                return conflict(
                    format!("step {handle}:{n} is not done"),
                    "`casevault plan list --done` shows those that are",
                );
            }
            (false, None) => {
                step.done = Some(self.on.to_string());
                step.done_by = Some(self.by.to_owned());
                step.outcome = self.outcome.map(str::to_owned);
            }
            (true, Some(_)) => (step.done, step.done_by, step.outcome) = (None, None, None),
        }
        Ok((n, note))
    }
}
