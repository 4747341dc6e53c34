//! Replies of the overviews: the day, steps of plans, cases that want looking at, a case before a session, its people.

use super::BreachRow;
use super::CaseRow;
use super::DraftRow;
use super::JoinedNote;
use super::JotRow;
use super::Schema;
use super::SegmentHead;
use super::UnopenedRow;
use serde::Deserialize;
use serde::Serialize;
use vault_core::note::NoteKind;
use vault_core::note::brief::Brief;
use vault_core::note::mark::Marks;
use vault_core::note::overview::Item;
use vault_core::note::people::Person;
use vault_core::note::plan::Step;

/// The first of some things, and how many there are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Few<T> {
    /// How many there are.
    pub total: u64,
    /// The first of them, or all.
    pub rows: Vec<T>,
}

impl<T> Few<T> {
    /// Makes rows of the first `most` of some things.
    pub(in crate::session) fn of<S>(
        all: &[S],
        most: usize,
        row: impl Fn(&S) -> crate::session::Result<Option<T>>,
    ) -> crate::session::Result<Self> {
        let rows = all.iter().take(most).filter_map(|one| row(one).transpose());
        Ok(Self {
            total: u64::try_from(all.len()).unwrap_or(u64::MAX),
            rows: rows.collect::<crate::session::Result<_>>()?,
        })
    }

    /// Takes the first `most` of some rows.
    pub(in crate::session) fn first(mut all: Vec<T>, most: usize) -> Self {
        let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
        all.truncate(most);
        Self { total, rows: all }
    }
}

/// Which case a row is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseName {
    /// Its handle.
    pub case: String,
    /// Its id in the system that it came from.
    pub external_id: Option<String>,
    /// What it is called in lists.
    pub label: Option<String>,
    /// Flags shown before a visit (danger, contact).
    pub flags: Vec<String>,
    /// Whether another open case is called so, whatever the capitals: then the handle tells them apart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_name: bool,
    /// Whether something dangerous is known of it; of visits and of steps alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub danger: bool,
    /// Other cases of its household in which something dangerous is known; of visits and of steps alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub household: Vec<HouseholdCase>,
}

/// A case of the same household.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HouseholdCase {
    /// Its handle.
    pub case: String,
    /// What it is called in lists.
    pub label: Option<String>,
}

/// Somebody whom a household names, and no case of one's own is of, or more than one may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HouseholdName {
    /// As it was written.
    pub name: String,
    /// The cases that it may be.
    pub may_be: Vec<HouseholdCase>,
}

/// What is dangerous in another case of the household.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HouseholdDanger {
    /// The other case's handle.
    pub case: String,
    /// What it is called in lists.
    pub label: Option<String>,
    /// Whether it is closed.
    pub closed: bool,
    /// How the two are of one household, in words.
    pub by: Vec<String>,
    /// Its flags.
    pub flags: Vec<String>,
    /// What is dangerous or forbidden, out of its profile and its notes.
    pub dangers: Vec<Item>,
    /// How much more its notes hold on safety.
    pub more: usize,
}

/// What the day holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TodayReply {
    /// [`TODAY`](super::TODAY).
    pub schema: Schema,
    /// The day.
    pub day: String,
    /// How many open cases it is of.
    pub cases: u64,
    /// What notes hold for the rest of today and the next seven days, the next first.
    pub visits: Few<VisitRow>,
    /// Steps that are due today.
    pub due: Few<StepRow>,
    /// Steps past their date, the last missed first.
    pub overdue: Few<StepRow>,
    /// How many steps are due in the seven days to come.
    pub due_ahead: u64,
    /// Jots that wait to be made notes, the oldest first.
    pub jots: Few<JotRow>,
    /// Notes begun and not saved, the newest first.
    pub drafts: Few<DraftRow>,
    /// Misfiled notes whose breach question waits for an answer.
    pub breach_questions: Few<BreachRow>,
    /// Misfiled notes that nobody answered for and whose question is not there: somebody took it out of the file (CHK-103).
    #[serde(default)]
    pub missing_questions: Vec<String>,
    /// Notes of which something is missing, the newest first.
    pub incomplete: Few<GapRow>,
    /// Cases that want looking at.
    pub stale: Few<StaleRow>,
    /// How many entries wait to be sent to the server; absent for a vault without one.
    #[serde(default)]
    pub unsent: Option<u64>,
    /// What its writer made so that it does not open: it is not among the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedRow>,
}

/// A note of something that is still to come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VisitRow {
    /// Its case.
    #[serde(flatten)]
    pub case: CaseName,
    /// The note's handle.
    pub note: String,
    /// When.
    pub occurred_at: Option<String>,
    /// Its kind.
    pub kind: NoteKind,
    /// Where.
    pub place: Option<String>,
    /// Its first words.
    pub begins: String,
    /// What the segment is that they are of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins_of: Option<SegmentHead>,
}

/// A step of a plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepRow {
    /// Its case.
    #[serde(flatten)]
    pub case: CaseName,
    /// It.
    #[serde(flatten)]
    pub step: Step,
}

/// A note of which something is missing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GapRow {
    /// Its case.
    #[serde(flatten)]
    pub case: CaseName,
    /// The note's handle.
    pub note: String,
    /// When it happened.
    pub occurred_at: Option<String>,
    /// What is missing, in words.
    pub incomplete: Vec<String>,
}

/// A case that wants looking at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StaleRow {
    /// It.
    #[serde(flatten)]
    pub case: CaseName,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// The day of the last contact.
    pub last_contact: Option<String>,
    /// Days since the last contact, or since it was opened where there was none.
    pub days_since_contact: Option<i32>,
    /// Steps that nobody has carried out.
    pub undone: u64,
    /// Of those: past their date.
    pub overdue: u64,
    /// By which day a visit was due, where its template says how often.
    pub visit_due: Option<String>,
}

/// Cases that want looking at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseStaleReply {
    /// [`CASE_STALE`](super::CASE_STALE).
    pub schema: Schema,
    /// The day.
    pub day: String,
    /// Of `--days`: how many days without contact were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// How many open cases were looked at.
    pub of: u64,
    /// The cases, those without contact for longest first.
    pub cases: Vec<StaleRow>,
    /// What its writer made so that it does not open: it is not among the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedRow>,
}

/// Steps of plans.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanListReply {
    /// [`PLAN_LIST`](super::PLAN_LIST).
    pub schema: Schema,
    /// The day that they are compared with.
    pub day: String,
    /// The case's handle; none for the whole caseload.
    pub case: Option<String>,
    /// How many there are, shown or not.
    pub total: u64,
    /// The steps, the most pressing first.
    pub steps: Vec<StepRow>,
    /// What its writer made so that it does not open: it is not among the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedRow>,
}

/// A step of which it was said that it was carried out, or not after all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanDoneReply {
    /// [`PLAN_DONE`](super::PLAN_DONE).
    pub schema: Schema,
    /// The note's handle.
    pub note: String,
    /// The case's handle.
    pub case: String,
    /// The note's version that says so.
    pub version: u32,
    /// The segment's number.
    pub segment: u32,
    /// What the case is called in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether it was taken back.
    pub undone: bool,
    /// What was to be done.
    pub text: String,
    /// For whom its words are not.
    #[serde(flatten)]
    pub marks: Marks,
    /// On which day it was done.
    pub done: Option<String>,
    /// Who says so.
    pub done_by: Option<String>,
    /// What came of it.
    pub outcome: Option<String>,
    /// Whether this note says so only now; where it did already, the others alone were written.
    #[serde(default)]
    pub changed: bool,
    /// Notes of other cases that are one with it.
    pub others: Vec<JoinedNote>,
}

/// A case before a session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseBriefReply {
    /// [`CASE_BRIEF`](super::CASE_BRIEF).
    pub schema: Schema,
    /// The case as in a list.
    #[serde(flatten)]
    pub case: CaseRow,
    /// What is to be known.
    #[serde(flatten)]
    pub brief: Brief,
    /// What its writer made so that it does not open: it is not among the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedRow>,
    /// What is dangerous in other cases of the household.
    #[serde(default)]
    pub household: Vec<HouseholdDanger>,
    /// How many more cases of the household there are than were looked at.
    #[serde(default, skip_serializing_if = "is_none")]
    pub household_more: u64,
    /// Whom the household names, and no case of one's own is of, or more than one may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub household_unclear: Vec<HouseholdName>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_none(number: &u64) -> bool {
    *number == 0
}

/// The people named in a case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CasePeopleReply {
    /// [`CASE_PEOPLE`](super::CASE_PEOPLE).
    pub schema: Schema,
    /// The case's handle.
    pub case: String,
    /// The case's id in the system that it came from.
    pub external_id: Option<String>,
    /// The people, those who are named in most notes first.
    pub people: Vec<Person>,
    /// What its writer made so that it does not open: it is not among the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unopened: Vec<UnopenedRow>,
}

/// A case that was opened again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseReopenReply {
    /// [`CASE_REOPEN`](super::CASE_REOPEN).
    pub schema: Schema,
    /// Its handle.
    pub case: String,
    /// `open`.
    pub status: String,
    /// The day of its opening again.
    pub reopened: String,
    /// The day on which it had been closed.
    pub closed: Option<String>,
    /// The handle of the note that holds the reason.
    pub note: String,
}
