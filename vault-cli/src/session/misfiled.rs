//! A note in the wrong person's file: hidden at once, put into the right file, and the question whether that was a
//! breach kept open until somebody answers it. Erased it is only on a second person's word.
//!
//! ```text
//! note v1 ─┬─> v2: no words, `misfiled`      in the wrong case; the newest version, so that nobody is shown v1
//!          └─> new note, `refiled`           in the right case, with its times and its worker
//!              question:<n-…>                a local sealed value, the only place that knows both
//! ```
//!
//! Where the right case is not named at once, it is later (`unfiled`): answered or not, the note is put into one file.

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::attachment::Luggage;
use super::case_record;
use super::clock;
use super::draft;
use super::joined;
use super::logging::Intent;
use super::logging::Logged;
use super::logging::OVERVIEW_MINUTES;
use super::namesakes;
use super::note_write::Before;
use super::note_write::require_not_misfiled;
use super::progress::Task;
use super::reading::ReadNote;
use super::reply::BREACH_ANSWER;
use super::reply::BREACH_LIST;
use super::reply::BreachAnswerReply;
use super::reply::BreachListReply;
use super::reply::BreachRow;
use super::reply::Failure;
use super::reply::JoinedNote;
use super::reply::NOTE_MISFILED;
use super::reply::NoteMisfiledReply;
use super::reply::OpenedBy;
use super::request::BreachAnswerRequest;
use super::request::BreachListRequest;
use super::request::CaseListRequest;
use super::request::NoteMisfiledRequest;
use super::request::ReadPurpose;
use crate::store::ReadTx;
use jiff::SignedDuration;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use std::collections::HashMap;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::RecordId;
use vault_core::note::BreachAnswer;
use vault_core::note::Imported;
use vault_core::note::Misfiled;
use vault_core::note::Note;
use vault_core::note::Refiled;
use vault_core::note::when::Moment;
use vault_core::wire::v1::access::AccessOperation;

mod later;
mod naming;

/// A misfiled note, and what went with it into the right case.
struct Moved {
    case: CaseId,
    record: RecordId,
    to: Option<CaseId>,
    /// What the right case is called in lists.
    to_label: Option<String>,
    /// Whether the right case had it already.
    there_already: bool,
    others: Vec<JoinedNote>,
    attachments: usize,
    attachments_left: Vec<Failure>,
}

/// Names of the local values begin so; the id of the misfiled note follows.
pub(super) const PREFIX: &str = "question:";

/// So do those of the answered questions of notes that stand in no file: what puts such a note into one asks nothing more.
const UNFILED: &str = "unfiled:";

const SCHEMA: &str = "casevault.question/1";

/// What has to be found out once a note stood in the wrong file.
const QUESTION: &str = "did anybody who may not know it read it? Ask whoever is named, tell your data-protection officer \
    today, and record the answer with `casevault note misfiled NOTE --answer --file ANSWER`";

/// The value `casevault.question/1`.
#[derive(Debug, Serialize, Deserialize)]
struct Question {
    schema: String,
    note: String,
    case: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    refiled: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    to: Option<String>,
    at: String,
    reason: String,
}

impl Session {
    /// Hides a note that stands in the wrong file, and puts it with its attachments into the right one where that is
    /// named, all or nothing. An attachment that is not what was attached stays with the hidden note, and is named.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Misfiled`] where it is hidden already, [`SessionError::Closed`] for
    /// the right case, [`SessionError::Conflict`] where both are the same.
    pub fn note_misfiled(&mut self, request: NoteMisfiledRequest, task: Task<'_>) -> Result<NoteMisfiledReply> {
        let (case, record) = self.store.read(|tx| self.holder.resolve_note(tx, &request.note))?;
        let (to, to_label) = match &request.to {
            Some(to) => {
                let (to, found) = self.writable_case_labelled(to)?;
                (Some(to), found.label)
            }
            None => (None, None),
        };
        if to == Some(case) {
            let what = format!("note {} is in case {} already", record.handle(), case.handle());
            return Err(SessionError::conflict(
                what,
                "name the case that it belongs to with `--to CASE`",
            ));
        }
        let purpose = ReadPurpose::default();
        let logged = self.log(&Intent {
            operation: AccessOperation::Open,
            case: Some(case),
            records: &[record],
            scope: Some("misfiled"),
            purpose: &purpose,
        })?;
        // Hidden before anybody knew whose it is: its reason was given then.
        if let Some(to) = to
            && self.store.read(|tx| later::waiting(tx, record))?.is_some()
        {
            return self.refile_later((case, record), &request.note, (to, to_label), &logged, task);
        }
        // What is hidden is refused as that, with or without a reason.
        self.require_misfilable(case, record, &request.note, &logged)?;
        let reason = words_of(&request.reason, "the reason")?;
        if request.unless_named {
            let cases = self.case_list(CaseListRequest::default())?.cases;
            if let Some(found) = naming::find(&reason, &case.handle(), &cases) {
                let naming::Naming { name, case, instead } = found;
                return Err(SessionError::NamesAnother { name, case, instead });
            }
        }
        let twins = self.joined_with(case, record, &logged)?;
        // One that the right case holds already is not filed there a second time.
        let twin = twins.iter().find(|(case, _)| Some(*case) == to).map(|(_, note)| *note);
        let at = clock::moment(clock::now()).as_str().to_owned();
        // Before the writing, because it takes as long as the files are large.
        let mut luggage = match to {
            Some(to) => self.carry_attachments(case, record, to, &logged, task)?,
            None => Luggage::default(),
        };
        let refiled = self.write(|holder, tx| {
            let mut keys = holder.case_keys(tx, case)?;
            let before = holder.read_note(tx, &keys, record, None, &logged)?;
            holder.require_note_named(&request.note, &before)?;
            require_not_misfiled(&before)?;
            let mark = Misfiled {
                at: at.clone(),
                by: holder.member.handle(),
                reason: reason.clone(),
                answer: None,
            };
            let parts = holder.parts_of(tx, &keys, &before.note)?;
            let hidden = hidden(&before.note, mark);
            holder.put_note(tx, &mut keys, hidden, Some(Before { read: &before, parts }))?;
            let refiled = match to {
                Some(to) => {
                    let mut right = holder.case_keys(tx, to)?;
                    let note = match twin {
                        Some(twin) => twin,
                        None => holder.put_note(tx, &mut right, moved(&before), None)?.record,
                    };
                    let (from, to) = ((&keys, record), (&right, note));
                    holder.put_luggage(tx, from, to, &mut luggage, &logged)?;
                    Some(note)
                }
                None => None,
            };
            if let Some(joined) = &before.note.joined {
                holder.rejoin(tx, joined, record, to.zip(refiled).filter(|_| twin.is_none()))?;
            }
            let question = Question {
                schema: SCHEMA.to_owned(),
                note: record.to_string(),
                case: case.to_string(),
                refiled: refiled.map(|id| id.to_string()),
                to: to.map(|id| id.to_string()),
                at: at.clone(),
                reason: reason.clone(),
            };
            draft::hide_of_note(tx, record)?;
            tx.put_local(&name_of(record), &case_record::to_json(&question)?)?;
            Ok((refiled, before.note.recorded_at().map(Moment::instant)))
        });
        let moved = Moved {
            case,
            record,
            to,
            to_label,
            there_already: twin.is_some(),
            others: joined::staying(&twins),
            attachments: luggage.carried.len(),
            attachments_left: std::mem::take(&mut luggage.left),
        };
        // Whether the records were committed the store alone can say.
        self.settle_luggage(luggage);
        let (refiled, recorded_at) = refiled?;
        self.moved(moved, refiled, recorded_at, QUESTION, &logged)
    }

    /// Tells what became of a misfiled note, and who opened it where it was.
    fn moved(
        &self,
        moved: Moved,
        refiled: Option<RecordId>,
        recorded_at: Option<Timestamp>,
        breach_question: &'static str,
        logged: &Logged,
    ) -> Result<NoteMisfiledReply> {
        let holder = &self.holder;
        let (case, record) = (moved.case, moved.record);
        let (readers, label) = self.store.read(|tx| -> Result<_> {
            let keys = holder.case_keys(tx, case)?;
            let label = holder.case_label(tx, &keys, logged)?.label;
            Ok((holder.who_opened(tx, case, record, recorded_at, logged)?, label))
        })?;
        Ok(NoteMisfiledReply {
            schema: NOTE_MISFILED,
            note: record.handle(),
            case: case.handle(),
            label,
            to_label: moved.to_label,
            refiled: refiled.map(|id| id.handle()),
            to: moved.to.map(|id| id.handle()),
            there_already: moved.there_already,
            others: moved.others,
            attachments: moved.attachments,
            attachments_left: moved.attachments_left,
            opened_by: readers.opened,
            may_have_shown: readers.may_have_shown,
            unreadable_log: readers.unreadable,
            breach_question,
        })
    }

    /// Refuses, before its attachments are opened, a note that cannot be misfiled.
    fn require_misfilable(&self, case: CaseId, record: RecordId, named: &str, logged: &Logged) -> Result<()> {
        let holder = &self.holder;
        self.store.read(|tx| {
            let keys = holder.case_keys(tx, case)?;
            let read = holder.read_note(tx, &keys, record, None, logged)?;
            holder.require_note_named(named, &read)?;
            require_not_misfiled(&read)
        })
    }

    /// Records the answer to a breach question: a new version of the mark holds it, and the question is closed.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Conflict`] for a note that is not misfiled.
    pub fn breach_answer(&mut self, request: BreachAnswerRequest) -> Result<BreachAnswerReply> {
        let words = words_of(&request.words, "the answer")?;
        let (case, record) = self.store.read(|tx| self.holder.resolve_note(tx, &request.note))?;
        let purpose = ReadPurpose::default();
        let logged = self.log(&Intent {
            operation: AccessOperation::Open,
            case: Some(case),
            records: &[record],
            scope: Some("breach answer"),
            purpose: &purpose,
        })?;
        let at = clock::moment(clock::now()).as_str().to_owned();
        let in_no_file = self.write(|holder, tx| {
            let mut keys = holder.case_keys(tx, case)?;
            let before = holder.read_note(tx, &keys, record, None, &logged)?;
            holder.require_note_named(&request.note, &before)?;
            let Some(mark) = before.note.misfiled.clone() else {
                let what = format!("note {} is not misfiled", record.handle());
                let next = "`casevault note misfiled --list` shows those whose breach question is open";
                return Err(SessionError::conflict(what, next));
            };
            let mark = Misfiled {
                answer: Some(BreachAnswer {
                    at: at.clone(),
                    by: holder.member.handle(),
                    words: words.clone(),
                }),
                ..mark
            };
            let parts = holder.parts_of(tx, &keys, &before.note)?;
            let hidden = hidden(&before.note, mark);
            holder.put_note(tx, &mut keys, hidden, Some(Before { read: &before, parts }))?;
            let waiting = later::waiting(tx, record)?;
            if let Some(question) = &waiting {
                tx.put_local(&later::name_of(record), &case_record::to_json(question)?)?;
            }
            tx.remove_local(&name_of(record))?;
            Ok(waiting.is_some())
        })?;
        Ok(BreachAnswerReply {
            schema: BREACH_ANSWER,
            note: record.handle(),
            answered_at: at,
            in_no_file,
        })
    }

    /// Lists the breach questions of this device that wait for an answer, the oldest first.
    ///
    /// # Errors
    /// [`SessionError::LogFailed`], [`SessionError::Refused`] (CHK-103).
    pub fn breach_list(&mut self, _: BreachListRequest) -> Result<BreachListReply> {
        self.log_overview("breach questions", &ReadPurpose::default())?;
        let questions = self.store.read(questions)?;
        Ok(BreachListReply {
            schema: BREACH_LIST,
            questions,
        })
    }
}

/// Overviews that show no word of a note: labels, handles, what is not in a file yet, and reasons of marks.
const WORDLESS_OVERVIEWS: [&str; 5] = ["cases", namesakes::SCOPE, "handles", "jots", "breach questions"];

impl Question {
    fn read(value: &[u8], name: &str) -> Result<Self> {
        let fault = || SessionError::refused(Check::LocalValue, name);
        let question: Self = serde_json::from_slice(value).map_err(|_| fault())?;
        match question.schema == SCHEMA {
            true => Ok(question),
            false => Err(fault()),
        }
    }
}

/// Exports that hold no note.
const NOTELESS_EXPORTS: [&str; 2] = ["erasure ledger", "recovery cards"];

/// What the log says of who read a note.
struct Readers {
    /// None where no stream can be read here: the reviewer can tell.
    opened: Option<Vec<OpenedBy>>,
    may_have_shown: Vec<OpenedBy>,
    unreadable: Vec<Failure>,
}

impl Holder {
    /// Names the entries of every log of this store by which a note was opened, and those of lists and searches that
    /// may have shown words of it and name no notes.
    fn who_opened(
        &self,
        tx: &ReadTx<'_>,
        case: CaseId,
        record: RecordId,
        recorded_at: Option<Timestamp>,
        logged: &Logged,
    ) -> Result<Readers> {
        let log = self.log_of_all(tx, |_| false, logged)?;
        let written = tx.versions(record)?.first().map_or(0, |first| first.at.pos);
        let (mut opened, mut may_have_shown) = (Vec::new(), Vec::new());
        let none_opens = log.entries.is_empty() && !(log.unreadable.is_empty() && log.others.is_empty());
        // One overview entry stands for the lists of the minutes after it, those after the note was written too.
        let mut standing: HashMap<(String, Option<String>), OpenedBy> = HashMap::new();
        for (pos, entry) in log.entries {
            let named = entry.records.contains(&record.handle());
            let operation = entry.operation.as_str();
            let scope = entry.scope.as_deref();
            let of_case = entry.case.as_deref() == Some(case.handle().as_str());
            let of_all = entry.case.is_none();
            let is_after = pos > written;
            let whole = (of_case || of_all) && entry.records.is_empty() && entry.result.as_deref() != Some("denied");
            let read_whole = match operation {
                "list" => of_case,
                "export" => !scope.is_some_and(|scope| NOTELESS_EXPORTS.contains(&scope)),
                "open" => of_case && matches!(scope, Some("overview" | "brief")),
                _ => false,
            };
            let shown = match operation {
                "overview" => !scope.is_some_and(|scope| WORDLESS_OVERVIEWS.contains(&scope)),
                "search" => true,
                "open" | "hits" | "print" | "disclosure" | "history" => of_case,
                _ => false,
            };
            let stands = recorded_at.is_none_or(|recorded| {
                let at = entry.at.as_deref().and_then(|at| at.parse::<Timestamp>().ok());
                at.is_none_or(|at| recorded.duration_since(at) < SignedDuration::from_mins(OVERVIEW_MINUTES))
            });
            let marking = scope == Some("misfiled");
            let is_overview = operation == "overview";
            let key = (entry.device.clone(), entry.scope.clone());
            let by = OpenedBy {
                entry: entry.entry,
                device: entry.device,
                at: entry.at.unwrap_or_default(),
                actor: entry.actor.unwrap_or_default(),
                operation: entry.operation,
                scope: entry.scope,
                purpose: entry.purpose.unwrap_or_default(),
                named,
                stands_until: None,
            };
            if (named && !marking) || (whole && read_whole && is_after) {
                opened.push(by);
            } else if whole && shown && is_after {
                may_have_shown.push(by);
            } else if whole && shown && is_overview && stands {
                let until = by.at.parse::<Timestamp>().ok();
                // An entry of just now stands for lists of minutes that are still to come.
                let until = until.map(|at| (at + SignedDuration::from_mins(OVERVIEW_MINUTES)).min(clock::now()));
                let stands_until = until.map(|at| clock::moment(at).as_str().to_owned());
                standing.insert(key, OpenedBy { stands_until, ..by });
            }
        }
        may_have_shown.extend(standing.into_values());
        may_have_shown.sort_by(|a, b| (&a.at, &a.device, a.entry).cmp(&(&b.at, &b.device, b.entry)));
        Ok(Readers {
            opened: (!none_opens).then_some(opened),
            may_have_shown,
            unreadable: log.unreadable,
        })
    }
}

/// Opens the breach questions that wait for an answer, the oldest first.
pub(super) fn questions(tx: &ReadTx<'_>) -> Result<Vec<BreachRow>> {
    let mut questions = Vec::new();
    for name in tx.local_names(PREFIX)? {
        let fault = || SessionError::refused(Check::LocalValue, &name);
        let value = tx.local(&name)?.ok_or_else(fault)?;
        let question = Question::read(&value, &name)?;
        let case = |id: &String| id.parse::<CaseId>().map(|id| id.handle()).map_err(|_| fault());
        let note = |id: &String| id.parse::<RecordId>().map(|id| id.handle()).map_err(|_| fault());
        questions.push(BreachRow {
            note: note(&question.note)?,
            case: case(&question.case)?,
            refiled: question.refiled.as_ref().map(note).transpose()?,
            to: question.to.as_ref().map(case).transpose()?,
            at: question.at,
            reason: question.reason,
        });
    }
    questions.sort_by(|a, b| a.at.cmp(&b.at));
    Ok(questions)
}

/// The version that hides a note: who marked it, when and why, and nothing of what it said.
fn hidden(before: &Note, mark: Misfiled) -> Note {
    let mut note = Note::new(before.kind.clone());
    note.section.clone_from(&before.section);
    note.occurred_at.clone_from(&before.occurred_at);
    note.imported.clone_from(&before.imported);
    note.misfiled = Some(mark);
    note.detached.clone_from(&before.detached);
    note
}

/// The note as it goes into the right file: its words, its times and its worker; nothing that names the wrong file.
fn moved(before: &ReadNote) -> Note {
    let mut note = before.note.clone();
    note.refiled = Some(Refiled {
        recorded_at: note.recorded_at().cloned(),
        signed_by: before.signed_by.handle(),
    });
    note.first_recorded_at = None;
    // What was taken off does not come along.
    note.detached.clear();
    note.parts.clear();
    note.imported = note.imported.map(|origin| Imported {
        case: None,
        note: None,
        ..origin
    });
    note
}

pub(super) fn words_of(text: &str, what: &str) -> Result<String> {
    let words = text.trim();
    if words.is_empty() {
        return Err(SessionError::Malformed {
            line: 1,
            column: 1,
            why: format!("{what} is empty"),
        });
    }
    Ok(words.to_owned())
}

/// Returns the name of the local value that holds a note's breach question.
pub(super) fn name_of(note: RecordId) -> String {
    format!("{PREFIX}{note}")
}
