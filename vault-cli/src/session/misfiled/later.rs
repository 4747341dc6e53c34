//! A hidden note that stands in no file, put into the right one once somebody knows which: out of its last version with
//! words, under the reason that was given when it was hidden.

use super::Moved;
use super::Question;
use super::moved;
use crate::session::Result;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::case_record;
use crate::session::joined;
use crate::session::logging::Logged;
use crate::session::progress::Task;
use crate::session::reply::NoteMisfiledReply;
use crate::store::ReadTx;
use vault_core::id::CaseId;
use vault_core::id::RecordId;
use vault_core::note::when::Moment;

/// What is told of a question that somebody answered before the note was put into a file.
const ANSWERED: &str = "it was answered already, `casevault note history NOTE` shows how";

impl Session {
    /// Puts a hidden note that stands in no file into the right one, once.
    pub(super) fn refile_later(
        &mut self,
        (case, record): (CaseId, RecordId),
        named: &str,
        (to, to_label): (CaseId, Option<String>),
        logged: &Logged,
        task: Task<'_>,
    ) -> Result<NoteMisfiledReply> {
        let holder = &self.holder;
        let words = self.store.read(|tx| {
            let keys = holder.case_keys(tx, case)?;
            let newest = holder.read_note(tx, &keys, record, None, logged)?;
            holder.require_note_named(named, &newest)?;
            // Below the mark, and its answer.
            let mut read = newest;
            while read.note.misfiled.is_some() && read.version > 1 {
                read = holder.read_note(tx, &keys, record, Some(read.version - 1), logged)?;
            }
            Ok::<_, SessionError>(read)
        })?;
        let twins = self.joined_as(case, words.note.joined.clone())?;
        let twin = twins.iter().find(|(case, _)| *case == to).map(|(_, note)| *note);
        let mut luggage = self.carry_attachments(case, record, to, logged, task)?;
        let refiled = self.write(|holder, tx| {
            let Some(mut question) = waiting(tx, record)? else {
                return Err(SessionError::Misfiled { note: record.handle() });
            };
            let keys = holder.case_keys(tx, case)?;
            let mut right = holder.case_keys(tx, to)?;
            let note = match twin {
                Some(twin) => twin,
                None => holder.put_note(tx, &mut right, moved(&words), None)?.record,
            };
            holder.put_luggage(tx, (&keys, record), (&right, note), &mut luggage, logged)?;
            if let Some(joined) = words.note.joined.as_deref().filter(|_| twin.is_none()) {
                holder.rejoin(tx, joined, record, Some((to, note)))?;
            }
            let is_answered = tx.local(&name_of(record))?.is_some();
            if is_answered {
                tx.remove_local(&name_of(record))?;
            } else {
                question.refiled = Some(note.to_string());
                question.to = Some(to.to_string());
                tx.put_local(&super::name_of(record), &case_record::to_json(&question)?)?;
            }
            Ok((note, is_answered))
        });
        let told = Moved {
            case,
            record,
            to: Some(to),
            to_label,
            there_already: twin.is_some(),
            others: joined::staying(&twins),
            attachments: luggage.carried.len(),
            attachments_left: std::mem::take(&mut luggage.left),
        };
        self.settle_luggage(luggage);
        let (refiled, is_answered) = refiled?;
        let recorded_at = words.note.recorded_at().map(Moment::instant);
        let question = if is_answered { ANSWERED } else { super::QUESTION };
        self.moved(told, Some(refiled), recorded_at, question, logged)
    }
}

/// Returns what is kept of a hidden note that stands in no file, its question answered or not; `None` of any other.
pub(super) fn waiting(tx: &ReadTx<'_>, note: RecordId) -> Result<Option<Question>> {
    for name in [name_of(note), super::name_of(note)] {
        if let Some(value) = tx.local(&name)? {
            let question = Question::read(&value, &name)?;
            return Ok(Some(question).filter(|question| question.refiled.is_none()));
        }
    }
    Ok(None)
}

/// Returns the name of the local value that stays of an answered question while the note stands in no file.
pub(super) fn name_of(note: RecordId) -> String {
    format!("{}{note}", super::UNFILED)
}
