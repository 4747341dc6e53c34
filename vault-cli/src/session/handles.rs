//! Handles as they are completed in a shell and suggested after a slip: ids alone, nothing of what they name.

use super::Cancel;
use super::Holder;
use super::Result;
use super::Session;
use super::Silent;
use super::Task;
use super::aside;
use super::case_record::OPEN;
use super::draft;
use super::jot;
use super::logging::Logged;
use super::reply::HANDLES;
use super::reply::HandlesReply;
use super::request::HandleKind;
use super::request::HandlesRequest;
use super::request::ReadPurpose;
use crate::store::ReadTx;
use jiff::civil::Date;
use std::collections::HashSet;
use vault_core::id::CaseId;
use vault_core::id::DeviceId;
use vault_core::id::JotId;
use vault_core::id::MemberId;
use vault_core::id::RecordId;
use vault_core::note::spelling;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::StreamKind;

/// Most handles of a completion; of more, the newest.
const MOST: usize = 64;

/// Notes, the newest, among which a mistyped handle is looked for.
const LOOKED_AT: usize = 5_000;

/// Most handles that are suggested.
const SUGGESTED: usize = 3;

impl Session {
    /// Tells the handles that begin as typed. Nothing is opened; it is an overview all the same, and logged as one.
    ///
    /// # Errors
    /// [`super::SessionError::LogFailed`], [`super::SessionError::Refused`].
    pub fn handles(&mut self, request: HandlesRequest) -> Result<HandlesReply> {
        let logged = self.log_overview("handles", &ReadPurpose::default())?;
        let typed = request.typed.to_ascii_lowercase();
        let holder = &self.holder;
        let mut handles = self.store.read(|tx| match request.kind {
            HandleKind::Step => holder.steps_to_do(tx, &logged),
            HandleKind::Aside => aside::names(tx),
            HandleKind::Case => cases(tx),
            HandleKind::Device => Ok(self.holder.agency.devices().keys().map(DeviceId::handle).collect()),
            HandleKind::Member => Ok(self.holder.agency.members().keys().map(MemberId::handle).collect()),
            HandleKind::Draft => local(tx, draft::PREFIX),
            HandleKind::Jot => local(tx, jot::PREFIX),
            HandleKind::Note => notes(tx, &typed),
        })?;
        handles.retain(|handle| handle.starts_with(&typed));
        handles.truncate(MOST);
        Ok(HandlesReply {
            schema: HANDLES,
            handles,
        })
    }
}

impl Holder {
    /// The steps of open cases that nobody has carried out, by number alone, the most pressing first.
    fn steps_to_do(&self, tx: &ReadTx<'_>, logged: &Logged) -> Result<Vec<String>> {
        let labels = self.labels(tx, logged)?.into_iter();
        let open: HashSet<CaseId> = labels
            .filter(|(_, (label, _))| label.status == OPEN)
            .map(|(case, _)| case)
            .collect();
        let task = Task {
            progress: &Silent,
            cancel: &Cancel::default(),
        };
        self.with_text(tx, task, logged, |text| {
            text.take_facts(logged)?;
            let facts = text
                .facts()
                .filter(|(case, _, facts)| open.contains(case) && !facts.is_misfiled);
            let mut steps: Vec<(Option<Date>, String)> = facts
                .flat_map(|(_, note, facts)| {
                    let undone = facts.undone.iter();
                    undone.map(move |step| (step.due, format!("{}:{}", note.handle(), step.n)))
                })
                .collect();
            steps.sort_by(|(a, one), (b, other)| (a.is_none(), a, one).cmp(&(b.is_none(), b, other)));
            Ok(steps.into_iter().map(|(_, step)| step).collect())
        })
    }
}

/// The handles of all cases, the newest first.
fn cases(tx: &ReadTx<'_>) -> Result<Vec<String>> {
    let heads = tx.streams(StreamKind::Case)?;
    let ids = heads.into_iter().rev().filter_map(|head| head.stream.as_case());
    Ok(ids.map(|id: CaseId| id.handle()).collect())
}

/// The handles of notes that begin as typed, or of the newest notes where there are too many.
fn notes(tx: &ReadTx<'_>, typed: &str) -> Result<Vec<String>> {
    if let Ok(range) = RecordId::range(typed) {
        let found = tx.find_records(range, MOST + 1)?;
        if found.len() <= MOST {
            let notes = found
                .iter()
                .filter(|f| f.class == RecordClass::Note && f.is_primary && !f.erased);
            return Ok(notes.map(|f| f.record.handle()).collect());
        }
    }
    newest_notes(tx, LOOKED_AT)
}

fn newest_notes(tx: &ReadTx<'_>, limit: usize) -> Result<Vec<String>> {
    Ok(tx.newest_notes(limit)?.iter().map(RecordId::handle).collect())
}

/// The handles of jots or drafts.
fn local(tx: &ReadTx<'_>, prefix: &str) -> Result<Vec<String>> {
    let names = tx.local_names(prefix)?;
    let ids = names
        .iter()
        .filter_map(|name| name.strip_prefix(prefix)?.parse::<JotId>().ok());
    Ok(ids.map(|id| id.handle()).collect())
}

/// Finds the cases whose handles are a slip away from what was typed.
pub(super) fn near_cases(tx: &ReadTx<'_>, typed: &str) -> Result<Vec<String>> {
    Ok(near(typed, cases(tx)?))
}

/// Finds the notes whose handles are a slip away from what was typed.
pub(super) fn near_notes(tx: &ReadTx<'_>, typed: &str) -> Result<Vec<String>> {
    Ok(near(typed, newest_notes(tx, LOOKED_AT)?))
}

/// One slip in a short handle, two in a long one; nothing for what fits half of all there are.
fn near(typed: &str, handles: Vec<String>) -> Vec<String> {
    let typed = typed.to_ascii_lowercase();
    let length = typed.chars().count();
    let most = match length {
        0..=4 => return Vec::new(),
        5..=7 => 1,
        _ => 2,
    };
    let mut found: Vec<(usize, String)> = handles
        .into_iter()
        .filter_map(|handle| {
            // A beginning is compared with beginnings, a letter more or less included.
            let slips = (length.saturating_sub(1)..=length + 1)
                .map(|end| spelling::slips(&typed, handle.get(..end).unwrap_or(&handle)))
                .min()?;
            (slips <= most).then_some((slips, handle))
        })
        .collect();
    found.sort();
    found.truncate(SUGGESTED);
    found.into_iter().map(|(_, handle)| handle).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_handles_are_named_and_no_more_than_three() {
        let all = || {
            ["c-7fk2m9qd", "c-7fk3m9qd", "c-abcdefgh", "c-7fq2xxxx"]
                .map(str::to_owned)
                .to_vec()
        };
        assert_eq!(near("c-7fk2m9qb", all()), ["c-7fk2m9qd", "c-7fk3m9qd"]);
        assert_eq!(near("c-7kf2", all())[0], "c-7fk2m9qd");
        assert!(near("c-zz", all()).is_empty() && near("c-zzzzzzzz", all()).is_empty());
        assert_eq!(
            near("c-00000001", (0..9).map(|n| format!("c-0000000{n}")).collect()).len(),
            3
        );
    }
}
