//! Requests of the overviews.

use super::ReadPurpose;
use jiff::civil::Date;
use serde::Deserialize;
use serde::Serialize;

/// Tells what the day holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TodayRequest {
    /// Everything, and not the first few of each kind.
    pub all: bool,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Lists steps of plans.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PlanListRequest {
    /// The case's handle; `None` for the open cases of one's caseload.
    pub case: Option<String>,
    /// Only what is due on or before this day.
    pub due: Option<Date>,
    /// Only what is past its date.
    pub overdue: bool,
    /// Only what this one does, as notes write it; `me` for oneself.
    pub owner: Option<String>,
    /// What was done, too.
    pub done: bool,
    /// At most this many; `None` for all.
    pub limit: Option<usize>,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Says that a step was carried out, or takes that back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PlanDoneRequest {
    /// The note's handle.
    pub note: String,
    /// The segment's number; `None` where the note has one such step.
    pub segment: Option<u32>,
    /// On which day; `None` for today.
    pub on: Option<Date>,
    /// What came of it, in words.
    pub outcome: Option<String>,
    /// Takes it back.
    pub undo: bool,
    /// In the notes of other cases that this one is joined with as well.
    pub others: bool,
    /// Only tells whether it can be said, and of which step, before anybody is asked for words; nothing is written.
    #[serde(default)]
    pub check: bool,
}

/// Lists cases that want looking at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseStaleRequest {
    /// Only those without contact for longer than so many days, whatever their template says.
    pub days: Option<u32>,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Tells what to know before a session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseBriefRequest {
    /// The case's handle.
    pub case: String,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Lists the people named in a case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CasePeopleRequest {
    /// The case's handle.
    pub case: String,
    /// Why.
    pub purpose: ReadPurpose,
}

/// Opens a closed case again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CaseReopenRequest {
    /// The case's handle.
    pub case: String,
    /// Why, in words.
    pub reason: String,
    /// The day; `None` for today.
    pub on: Option<Date>,
}
