//! What a worker has to look at: the day (`today`), steps of plans, cases that nobody was in contact with.
//!
//! A caseload's overview is one access entry in fifteen minutes, and reads every note: an agent keeps the text and, beside
//! it, the facts of each note ([`Facts`]), so that only what came since is read again.
//!
//! ```text
//! entry durable ─> text caught up ─> facts of what is new ─> days and steps compared with today ─> rows: text read again
//! ```

mod step;

use self::step::OwnWords;

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::case_record::Label;
use super::case_record::OPEN;
use super::clock;
use super::draft;
use super::find::Facts;
use super::find::Text;
use super::jot;
use super::logging::Logged;
use super::misfiled;
use super::missed;
use super::namesakes;
use super::progress::Task;
use super::reading;
use super::reply::CASE_STALE;
use super::reply::CaseName;
use super::reply::CaseStaleReply;
use super::reply::Few;
use super::reply::GapRow;
use super::reply::HouseholdCase;
use super::reply::SegmentHead;
use super::reply::StaleRow;
use super::reply::StepRow;
use super::reply::TODAY;
use super::reply::TodayReply;
use super::reply::VisitRow;
use super::request::CaseStaleRequest;
use super::request::TodayRequest;
use super::server::kept;
use super::templates;
use crate::store::ReadTx;
use casevault_policies::Oversight;
use jiff::ToSpan;
use jiff::civil::Date;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use vault_core::id::CaseId;
use vault_core::id::RecordId;
use vault_core::note::Note;
use vault_core::note::gap;
use vault_core::note::plan;
use vault_core::note::when;
use vault_core::note::when::Now;
use vault_core::note::workday;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;

/// So many days ahead are visits told, and steps counted.
const AHEAD_DAYS: i64 = 7;

/// Rows of each kind that `today` shows without `--all`.
const FEW: usize = 7;

/// The cases that overviews are of, by id.
type Caseload = HashMap<CaseId, Label>;

/// What is known of a case without its words.
#[derive(Default)]
struct CaseFacts {
    last_contact: Option<Date>,
    last_visit: Option<Date>,
    undone: u64,
    // Due dates of undone steps that are past.
    overdue: Vec<Date>,
}

impl Session {
    /// Tells what the day holds: visits, steps due and overdue, jots, drafts, breach questions, what is incomplete, and
    /// cases that want looking at. It works offline, out of what is on this machine.
    ///
    /// # Errors
    /// [`SessionError::LogFailed`], [`SessionError::Refused`], [`SessionError::Cancelled`].
    pub fn today(&mut self, request: TodayRequest, task: Task<'_>) -> Result<TodayReply> {
        let logged = self.log_overview("today", &request.purpose)?;
        let few = if request.all { usize::MAX } else { FEW };
        let (here, day) = (clock::here(), clock::today());
        let me = self.own_words()?;
        let holder = &self.holder;
        self.store.read(|tx| {
            let cases = holder.open_cases(tx, &logged)?;
            let (jots, drafts) = (jot::all(tx, None)?, draft::all(tx, None)?);
            let questions = misfiled::questions(tx)?;
            holder.with_text(tx, task, &logged, |text| {
                text.take_facts(&logged)?;
                let text = &*text;
                let mut found = Found::default();
                let rules = templates::oversight()?;
                for (case, record, facts) in text.facts() {
                    let Some(label) = cases.get(&case) else { continue };
                    let visit = rules.limits(label.template.as_deref()).visit;
                    let is_asked = facts.is_seen_unsaid && visit.is_some_and(|(_, kinds)| facts.is_of(kinds));
                    found.take((case, record, is_asked), facts, &here, day, &me);
                }
                found.sort();
                let stale = stale(&cases, text, &here, day, None)?;
                let asked: HashSet<String> = questions.iter().map(|question| question.note.clone()).collect();
                let unanswered = text.facts().filter(|(_, _, facts)| facts.is_unanswered);
                let mut missing_questions: Vec<String> = unanswered.map(|(_, record, _)| record.handle()).collect();
                missing_questions.retain(|note| !asked.contains(note));
                missing_questions.sort();
                let mut reply = TodayReply {
                    schema: TODAY,
                    day: day.to_string(),
                    cases: count(cases.len()),
                    visits: Few::of(&found.visits, few, |(case, record)| {
                        visit_row(text, &cases, *case, *record)
                    })?,
                    due: Few::of(&found.due, few, |at| step_row(text, &cases, at, day))?,
                    overdue: Few::of(&found.overdue, few, |at| step_row(text, &cases, at, day))?,
                    due_ahead: count(found.ahead),
                    jots: Few::first(jots, few),
                    drafts: Few::first(drafts, few),
                    breach_questions: Few::first(questions, few),
                    missing_questions,
                    incomplete: Few::of(&found.incomplete, few, |(case, record)| {
                        gap_row(text, &cases, *case, *record)
                    })?,
                    stale: Few::first(stale, few),
                    unsent: kept::waiting(tx)?,
                    unopened: Vec::new(),
                };
                holder.warn_of_households(tx, &mut reply, text, &logged)?;
                reply.unopened = logged.unopened();
                Ok(reply)
            })
        })
    }

    /// Lists cases that want looking at: no contact for longer than their template allows, steps past their date, visits
    /// overdue in working days.
    ///
    /// # Errors
    /// As [`Session::today`].
    pub fn case_stale(&mut self, request: CaseStaleRequest, task: Task<'_>) -> Result<CaseStaleReply> {
        let logged = self.log_overview("stale cases", &request.purpose)?;
        let (here, day) = (clock::here(), clock::today());
        let holder = &self.holder;
        self.store.read(|tx| {
            let cases = holder.open_cases(tx, &logged)?;
            holder.with_text(tx, task, &logged, |text| {
                text.take_facts(&logged)?;
                Ok(CaseStaleReply {
                    schema: CASE_STALE,
                    days: request.days,
                    day: day.to_string(),
                    of: count(cases.len()),
                    cases: stale(&cases, text, &here, day, request.days)?,
                    unopened: logged.unopened(),
                })
            })
        })
    }
}

impl Holder {
    /// Opens the labels of one's own caseload, over both cores, in the order in which the cases came; and counts the notes
    /// of each that are hidden because they were misfiled.
    pub(super) fn labels(&self, tx: &ReadTx<'_>, logged: &Logged) -> Result<Vec<(CaseId, (Label, usize))>> {
        self.labels_of(tx, logged, true)
    }

    fn labels_of(
        &self,
        tx: &ReadTx<'_>,
        logged: &Logged,
        with_misfiled: bool,
    ) -> Result<Vec<(CaseId, (Label, usize))>> {
        let heads = tx.streams(StreamKind::Case)?;
        let mut parts = Vec::with_capacity(heads.len());
        for case in heads.into_iter().filter_map(|head| head.stream.as_case()) {
            let stream = StreamId::case(case);
            tx.require_dense(stream)?;
            let admin = tx.records_of_class(stream, RecordClass::Admin)?;
            // What hides a note is a later version of it: only those are opened.
            let amended = if with_misfiled {
                tx.amended_notes(stream)?
            } else {
                Vec::new()
            };
            parts.push((case, self.case_opening(tx, case)?, admin, amended));
        }
        // The keyrings are what costs: one public-key operation each.
        let opened = parts.into_par_iter().map(|(case, parts, admin, amended)| {
            let keys = self.open(parts)?;
            let label = match self.label_of(&keys, &admin, logged) {
                // From before this member began anew, and not granted again yet: there is no name to list it by.
                Err(SessionError::NoKey { .. }) => return Ok(None),
                // It is named among what does not open; it is there all the same.
                Err(error) if missed::bad(&error).is_some() => Label::unknown(),
                label => label?,
            };
            let mut misfiled = 0;
            for stored in amended {
                let is_here = keys.require_not_lost(&stored);
                logged.opened(case, &stored.header.record.handle(), is_here)?;
                if stored.is_erased() {
                    continue;
                }
                if keys.is_for_others(stored.header.section, stored.epoch) {
                    continue;
                }
                let handle = stored.header.record.handle();
                let opened = keys.open(stored);
                let opened = opened.and_then(|(_, payload)| reading::parse(payload.bytes(), &handle));
                let note = logged.opened(case, &handle, opened)?;
                misfiled += usize::from(note.is_some_and(|note| note.misfiled.is_some()));
            }
            Ok(Some((case, (label, misfiled))))
        });
        opened.filter_map(Result::transpose).collect()
    }

    /// Says beside visits and steps of the day what [`Self::warn`] says.
    fn warn_of_households(&self, tx: &ReadTx<'_>, reply: &mut TodayReply, text: &Text, logged: &Logged) -> Result<()> {
        let steps = reply
            .due
            .rows
            .iter_mut()
            .chain(&mut reply.overdue.rows)
            .map(|row| &mut row.case);
        let names: Vec<&mut CaseName> = reply
            .visits
            .rows
            .iter_mut()
            .map(|row| &mut row.case)
            .chain(steps)
            .collect();
        self.warn(tx, names, text, logged)
    }

    /// Says beside cases whether something dangerous is known of each, and in which others of its household.
    fn warn(&self, tx: &ReadTx<'_>, names: Vec<&mut CaseName>, text: &Text, logged: &Logged) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let homes = self.homes(tx, logged)?;
        let dangerous: HashSet<CaseId> = text
            .facts()
            .filter(|(_, _, facts)| facts.is_danger)
            .map(|(case, _, _)| case)
            .collect();
        let mut by_joint: HashMap<u64, Vec<CaseId>> = HashMap::new();
        for (case, _, facts) in text.facts() {
            if let Some(joint) = facts.joined {
                by_joint.entry(joint).or_default().push(case);
            }
        }
        let mut by_case: HashMap<String, (CaseId, BTreeSet<CaseId>)> = HashMap::new();
        for (case, _, facts) in text.facts() {
            let (_, joined) = by_case.entry(case.handle()).or_insert((case, BTreeSet::new()));
            joined.extend(
                facts
                    .joined
                    .and_then(|joint| by_joint.get(&joint))
                    .into_iter()
                    .flatten(),
            );
        }
        // Lists name one case many times.
        let mut known: HashMap<String, (bool, Vec<HouseholdCase>)> = HashMap::new();
        for name in names {
            let Some((case, joined)) = by_case.get(&name.case) else {
                continue;
            };
            let (danger, household) = known.entry(name.case.clone()).or_insert_with(|| {
                let danger = homes.is_dangerous(*case, &dangerous);
                (danger, homes.dangerous(*case, joined, &dangerous))
            });
            name.danger = *danger;
            name.household.clone_from(household);
        }
        Ok(())
    }

    fn open_cases(&self, tx: &ReadTx<'_>, logged: &Logged) -> Result<Caseload> {
        let labels = self.labels_of(tx, logged, false)?.into_iter();
        let labels = labels.map(|(case, (label, _))| (case, label));
        let mut cases: Caseload = labels.filter(|(_, label)| label.status == OPEN).collect();
        namesakes::mark(cases.values_mut());
        Ok(cases)
    }
}

/// A step: its case, its note, its segment, the day by which it is due, and whether somebody else is to do it.
type At = (CaseId, RecordId, u32, Date, bool);

/// What the facts of all notes add up to.
#[derive(Default)]
struct Found {
    visits: Vec<(CaseId, RecordId)>,
    visit_at: HashMap<RecordId, jiff::Timestamp>,
    due: Vec<At>,
    overdue: Vec<At>,
    ahead: usize,
    incomplete: Vec<(CaseId, RecordId)>,
    incomplete_at: HashMap<RecordId, Option<jiff::Timestamp>>,
}

impl Found {
    /// `is_asked` tells whether the note does not say whether the client was seen, and its case asks.
    fn take(
        &mut self,
        (case, record, is_asked): (CaseId, RecordId, bool),
        facts: &Facts,
        here: &Now,
        day: Date,
        me: &OwnWords,
    ) {
        if facts.is_misfiled {
            return;
        }
        let until = day.saturating_add(AHEAD_DAYS.days());
        let is_ahead = is_ahead(facts, here, day);
        if is_ahead && facts.day.is_some_and(|at| at <= until) {
            self.visits.push((case, record));
            self.visit_at.extend(facts.at.map(|at| (record, at)));
        }
        for step in &facts.undone {
            let at = |due: Date| (case, record, step.n, due, !me.own(step));
            match step.due {
                Some(due) if due < day => self.overdue.push(at(due)),
                Some(due) if due == day => self.due.push(at(due)),
                Some(due) if due <= until => self.ahead += 1,
                _ => {}
            }
        }
        if (facts.is_incomplete || is_asked) && !is_ahead {
            self.incomplete.push((case, record));
            self.incomplete_at.insert(record, facts.at);
        }
    }

    /// What comes next first; what was missed last first, because it can still be caught up with. One's own steps go before
    /// those of others.
    fn sort(&mut self) {
        let visit_at = &self.visit_at;
        self.visits
            .sort_by_key(|(_, record)| (visit_at.get(record).copied(), *record));
        self.due
            .sort_by_key(|(_, record, segment, _, others)| (*others, *record, *segment));
        self.overdue
            .sort_by_key(|(_, record, segment, due, others)| (*others, Reverse(*due), *record, *segment));
        let incomplete_at = &self.incomplete_at;
        self.incomplete
            .sort_by_key(|(_, record)| (Reverse(incomplete_at.get(record).copied().flatten()), *record));
    }
}

/// Tells whether a note is of what is still to come: a visit that was arranged.
fn is_ahead(facts: &Facts, here: &Now, day: Date) -> bool {
    match facts.is_day {
        true => facts.day.is_some_and(|at| at > day),
        false => facts.at.is_some_and(|at| at > here.at),
    }
}

/// Finds the cases that want looking at, those without contact for longest first.
fn stale(cases: &Caseload, text: &Text, here: &Now, day: Date, days: Option<u32>) -> Result<Vec<StaleRow>> {
    let rules = templates::oversight()?;
    let mut known: HashMap<CaseId, CaseFacts> = HashMap::with_capacity(cases.len());
    for (case, _, facts) in text.facts() {
        let Some(label) = cases.get(&case).filter(|_| !facts.is_misfiled) else {
            continue;
        };
        let known = known.entry(case).or_default();
        if !facts.is_unseen && !is_ahead(facts, here, day) {
            if facts.is_of(&rules.contact) {
                known.last_contact = known.last_contact.max(facts.day);
            }
            let visits = rules.limits(label.template.as_deref()).visit;
            if visits.is_some_and(|(_, kinds)| facts.is_of(kinds)) {
                known.last_visit = known.last_visit.max(facts.day);
            }
        }
        known.undone += count(facts.undone.len());
        known
            .overdue
            .extend(facts.undone.iter().filter_map(|step| step.due.filter(|due| *due < day)));
    }
    let off = days_off(rules)?;
    let none = CaseFacts::default();
    let mut rows: Vec<StaleRow> = cases
        .iter()
        .filter_map(|(case, label)| {
            let facts = known.get(case).unwrap_or(&none);
            stale_row(*case, label, facts, rules, day, days, &off)
        })
        .collect();
    rows.sort_by(|a, b| {
        let key = |row: &StaleRow| (Reverse(row.days_since_contact), row.case.case.clone());
        key(a).cmp(&key(b))
    });
    Ok(rows)
}

fn days_off(rules: &Oversight) -> Result<Vec<Date>> {
    let read = |day: &String| when::iso_date(day).ok_or_else(|| SessionError::Bug(format!("`{day}` is no day")));
    rules.days_off.iter().map(read).collect()
}

/// Says why a case wants looking at; none where it does not.
fn stale_row(
    case: CaseId,
    label: &Label,
    facts: &CaseFacts,
    rules: &Oversight,
    day: Date,
    days: Option<u32>,
    off: &[Date],
) -> Option<StaleRow> {
    let limits = rules.limits(label.template.as_deref());
    let opened = label.opened.as_deref().and_then(when::iso_date);
    let since = facts.last_contact.or(opened);
    let days_since = since.map(|since| (day - since).get_days());
    let mut reasons = Vec::new();
    let allowed = days.unwrap_or(limits.contact_days);
    if let Some(passed) = days_since
        && i64::from(passed) > i64::from(allowed)
    {
        reasons.push(match facts.last_contact {
            Some(_) => format!("no contact for {passed} days"),
            None => format!("no contact since it was opened {passed} days ago"),
        });
    }
    // Asked for a number of days without contact, the rest is not asked for.
    let past = |due: &&Date| i64::from((day - **due).get_days()) > i64::from(limits.plan_days);
    let overdue: Vec<&Date> = facts.overdue.iter().filter(past).collect();
    if let (Some(oldest), None) = (overdue.iter().min(), days) {
        let steps = crate::render::count(count(overdue.len()), "step", "steps");
        reasons.push(format!("{steps} overdue, the oldest since {oldest}"));
    }
    let visit_since = facts.last_visit.or(opened);
    let mut visit_due = None;
    if let (Some((every, _)), Some(since), None) = (limits.visit, visit_since, days) {
        let passed = workday::between(since, day, off);
        visit_due = workday::add(since, every, off);
        if passed > every {
            let late = passed - every;
            let days = crate::render::count(u64::from(late), "working day", "working days");
            reasons.push(format!("visit overdue by {days}"));
        }
    }
    (!reasons.is_empty()).then(|| StaleRow {
        case: name_of(case, label),
        reasons,
        last_contact: facts.last_contact.map(|day| day.to_string()),
        days_since_contact: days_since,
        undone: facts.undone,
        overdue: count(facts.overdue.len()),
        visit_due: visit_due.map(|day| day.to_string()),
    })
}

fn name_of(case: CaseId, label: &Label) -> CaseName {
    CaseName {
        case: case.handle(),
        external_id: label.external_id.clone(),
        label: label.label.clone(),
        flags: label.flags.clone(),
        same_name: label.has_namesake,
        danger: false,
        household: Vec::new(),
    }
}

/// Reads a note again for what is shown of it.
fn note_of<'c>(
    text: &Text,
    cases: &'c Caseload,
    case: CaseId,
    record: RecordId,
) -> Result<Option<(&'c Label, u32, Note)>> {
    let found = text.note(record)?;
    Ok(found.and_then(|(version, note)| Some((cases.get(&case)?, version, note))))
}

fn visit_row(text: &Text, cases: &Caseload, case: CaseId, record: RecordId) -> Result<Option<VisitRow>> {
    let found = note_of(text, cases, case, record)?;
    Ok(found.map(|(label, _, note)| VisitRow {
        case: name_of(case, label),
        note: record.handle(),
        occurred_at: note.occurred_at.as_ref().map(|at| at.as_str().to_owned()),
        kind: note.kind.clone(),
        place: note.place.clone(),
        begins: super::note_read::summary(&note),
        begins_of: super::note_read::beginning(&note).map(SegmentHead::of),
    }))
}

fn step_row(text: &Text, cases: &Caseload, (case, record, segment, _, _): &At, day: Date) -> Result<Option<StepRow>> {
    let Some((label, version, note)) = note_of(text, cases, *case, *record)? else {
        return Ok(None);
    };
    let steps = plan::steps(&note, &record.handle(), version, day);
    let step = steps.into_iter().find(|step| step.segment == *segment);
    Ok(step.map(|step| StepRow {
        case: name_of(*case, label),
        step,
    }))
}

fn gap_row(text: &Text, cases: &Caseload, case: CaseId, record: RecordId) -> Result<Option<GapRow>> {
    let found = note_of(text, cases, case, record)?;
    let Some((label, _, note)) = found else {
        return Ok(None);
    };
    let gaps = gap::gaps(&note).into_iter();
    let gaps = gaps.chain(templates::gap_of_case(
        templates::oversight()?,
        &note,
        label.template.as_deref(),
    ));
    Ok(Some(GapRow {
        case: name_of(case, label),
        note: record.handle(),
        occurred_at: note.occurred_at.as_ref().map(|at| at.as_str().to_owned()),
        incomplete: gaps.map(|gap| gap.to_string()).collect(),
    }))
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
