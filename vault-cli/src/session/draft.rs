//! Drafts: what is being typed, kept sealed every few seconds, so that neither a dead editor nor a dead process loses it.
//!
//! A draft is a local sealed value (`docs/format.md` §12). It never leaves the device, and goes in the transaction that
//! saves the note it became.

use super::Result;
use super::Session;
use super::SessionError;
use super::clock;
use super::jot;
use super::logging::Intent;
use super::random;
use super::reply::DRAFT_DISCARD;
use super::reply::DRAFT_KEEP;
use super::reply::DRAFT_LIST;
use super::reply::DRAFT_SHOW;
use super::reply::DraftDiscardReply;
use super::reply::DraftKeepReply;
use super::reply::DraftListReply;
use super::reply::DraftRow;
use super::reply::DraftShowReply;
use super::request::DraftDiscardRequest;
use super::request::DraftKeepRequest;
use super::request::DraftListRequest;
use super::request::DraftOf;
use super::request::DraftShowRequest;
use super::request::ReadPurpose;
use crate::store::ReadTx;
use crate::store::StoredRecord;
use crate::store::WriteTx;
use serde::Deserialize;
use serde::Serialize;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::JotId;
use vault_core::id::RecordId;
use vault_core::note::NoteKind;
use vault_core::opening::fresh_id;
use vault_core::wire::v1::access::AccessOperation;
use zeroize::Zeroizing;

/// Names of local values of drafts begin so; the draft's id follows.
pub(super) const PREFIX: &str = "draft:";

const SCHEMA: &str = "casevault.draft/1";

/// Characters of a draft's first words in a list.
const WORDS_CHARS: usize = 60;

/// The value `casevault.draft/1`.
#[derive(Debug, Serialize, Deserialize)]
struct Draft {
    schema: String,
    /// `add`, `amend` or `expand`.
    of: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    case: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    jot: Option<String>,
    began_at: String,
    saved_at: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    section: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    duration_minutes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    template: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    lag_reason: Option<String>,
    /// Of an amendment: the version that it began from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    from_version: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    also: Vec<String>,
    /// Whether lists leave its words out: it amends a note that was misfiled.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    hidden: bool,
    text: String,
}

/// Tells whether there are drafts, of whatever it is; opens none.
pub(super) fn any(tx: &ReadTx<'_>) -> Result<bool> {
    Ok(!tx.local_names(PREFIX)?.is_empty())
}

impl Session {
    /// Keeps a draft; durable when this returns. Nothing is opened and nothing shown, so there is no access entry.
    ///
    /// # Errors
    /// [`SessionError::NotFound`] for what it is to become, [`SessionError::DiskFull`].
    pub fn draft_keep(&mut self, request: DraftKeepRequest) -> Result<DraftKeepReply> {
        let holder = &self.holder;
        let now = clock::moment(clock::now()).as_str().to_owned();
        let DraftKeepRequest {
            draft,
            of,
            input,
            also,
            only_if_there,
        } = request;
        let kept = self.store.write(|tx| -> Result<Option<JotId>> {
            let known = match &draft {
                Some(text) => match jot::resolve(tx, PREFIX, "draft", text) {
                    Ok(id) => Some((id, read(tx, id)?)),
                    Err(SessionError::NotFound { .. }) if only_if_there => return Ok(None),
                    // Saved or dropped in another window: what is typed now is still nobody's to lose.
                    Err(SessionError::NotFound { .. }) => None,
                    Err(e) => return Err(e),
                },
                None => None,
            };
            let (case, note, of_jot, word) = match &of {
                DraftOf::Add(case) => (Some(holder.resolve_case(tx, case)?), None, None, "add"),
                DraftOf::Amend(note) => {
                    let (case, record) = holder.resolve_note(tx, note)?;
                    if tx.versions(record)?.iter().all(StoredRecord::is_erased) {
                        let what = format!("note {} was withdrawn, and so is what would amend it", record.handle());
                        return Err(SessionError::conflict(
                            what,
                            "write it as a new note with `casevault note add`",
                        ));
                    }
                    (Some(case), Some(record), None, "amend")
                }
                DraftOf::Expand { jot, case } => {
                    let case = holder.resolve_case(tx, case)?;
                    (
                        Some(case),
                        None,
                        Some(jot::resolve(tx, jot::PREFIX, "jot", jot)?),
                        "expand",
                    )
                }
            };
            let also = also.iter().map(|case| Ok(holder.resolve_case(tx, case)?.to_string()));
            let (id, began_at, hidden) = match known {
                Some((id, draft)) => (id, draft.began_at, draft.hidden),
                None => (JotId(fresh_id(&mut random::os())), now.clone(), false),
            };
            let value = Draft {
                schema: SCHEMA.to_owned(),
                of: word.to_owned(),
                case: case.map(|id| id.to_string()),
                note: note.map(|id| id.to_string()),
                jot: of_jot.map(|id| id.to_string()),
                began_at,
                saved_at: now.clone(),
                kind: input.kind.as_ref().map(|kind| kind.as_str().to_owned()),
                section: input.section.clone(),
                at: input.at.clone(),
                duration_minutes: input.duration_minutes,
                template: input.template.clone(),
                lag_reason: input.lag_reason.clone(),
                from_version: input.from_version,
                also: also.collect::<Result<_>>()?,
                hidden,
                text: input.text.clone(),
            };
            let value = Zeroizing::new(super::case_record::to_json(&value)?);
            tx.put_local(&name_of(id), &value)?;
            Ok(Some(id))
        })?;
        Ok(DraftKeepReply {
            schema: DRAFT_KEEP,
            draft: kept.map(|id| id.handle()),
            id: kept.map(|id| id.to_string()),
        })
    }

    /// Lists drafts, the newest first.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`], [`SessionError::Refused`] (CHK-103).
    pub fn draft_list(&mut self, request: DraftListRequest) -> Result<DraftListReply> {
        let of = match &request.of {
            Some(text) => Some(self.store.read(|tx| self.target(tx, text))?),
            None => None,
        };
        if !self.store.read(any)? {
            return Ok(DraftListReply {
                schema: DRAFT_LIST,
                drafts: Vec::new(),
            });
        }
        self.log_overview("drafts", &ReadPurpose::default())?;
        let drafts = self.store.read(|tx| all(tx, of.as_deref()))?;
        Ok(DraftListReply {
            schema: DRAFT_LIST,
            drafts,
        })
    }

    /// Opens a draft.
    ///
    /// # Errors
    /// As [`Session::draft_list`].
    pub fn draft_show(&mut self, request: DraftShowRequest) -> Result<DraftShowReply> {
        // Whose it is stands in the draft itself; nothing of it leaves before the entry that names it.
        let (id, draft) = self.store.read(|tx| -> Result<_> {
            let id = jot::resolve(tx, PREFIX, "draft", &request.draft)?;
            Ok((id, read(tx, id)?))
        })?;
        let note: Option<RecordId> = draft.note.as_deref().and_then(|id| id.parse().ok());
        self.log(&Intent {
            operation: AccessOperation::Open,
            case: draft.case.as_deref().and_then(|id| id.parse().ok()),
            records: note.as_slice(),
            scope: Some("draft"),
            purpose: &ReadPurpose::default(),
        })?;
        let shown = self.store.read(|tx| row(tx, id, &draft))?;
        Ok(DraftShowReply {
            schema: DRAFT_SHOW,
            draft: shown,
            text: draft.text,
            section: draft.section,
            at: draft.at,
            duration_minutes: draft.duration_minutes,
            template: draft.template,
            lag_reason: draft.lag_reason,
            from_version: draft.from_version,
            also: draft.also,
        })
    }

    /// Drops a draft.
    ///
    /// # Errors
    /// [`SessionError::NotFound`].
    pub fn draft_discard(&mut self, request: DraftDiscardRequest) -> Result<DraftDiscardReply> {
        let id = self
            .store
            .read(|tx| jot::resolve(tx, PREFIX, "draft", &request.draft))?;
        self.store.write(|tx| drop_draft(tx, Some(id)))?;
        Ok(DraftDiscardReply {
            schema: DRAFT_DISCARD,
            draft: id.handle(),
        })
    }

    /// Finds the draft that a request says it was; one that is gone already is nothing to refuse a note for.
    pub(super) fn draft_named(&self, text: Option<&str>) -> Result<Option<JotId>> {
        let Some(text) = text else { return Ok(None) };
        match self.store.read(|tx| jot::resolve(tx, PREFIX, "draft", text)) {
            Ok(id) => Ok(Some(id)),
            Err(SessionError::NotFound { .. }) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Returns the whole id of the case, note or jot that drafts are asked for.
    fn target(&self, tx: &ReadTx<'_>, text: &str) -> Result<String> {
        Ok(match text.split_once('-') {
            Some(("j", _)) => jot::resolve(tx, jot::PREFIX, "jot", text)?.to_string(),
            Some(("n", _)) => self.holder.resolve_note(tx, text)?.1.to_string(),
            _ => self.holder.resolve_case(tx, text)?.to_string(),
        })
    }
}

/// Returns when a draft was begun.
pub(super) fn began_at(tx: &ReadTx<'_>, draft: JotId) -> Result<String> {
    Ok(read(tx, draft)?.began_at)
}

/// Removes a draft, in the transaction that saves what it became.
pub(super) fn drop_draft(tx: &mut WriteTx<'_>, draft: Option<JotId>) -> Result<()> {
    if let Some(id) = draft {
        tx.remove_local(&name_of(id))?;
    }
    Ok(())
}

/// Removes the drafts of a note's amendments, in the transaction that erases it: each is a copy of its words.
pub(super) fn drop_of_note(tx: &mut WriteTx<'_>, note: RecordId) -> Result<()> {
    for (id, _) in of_note(tx, note)? {
        drop_draft(tx, Some(id))?;
    }
    Ok(())
}

/// Takes the words of such drafts out of lists, in the transaction that hides the note; what was typed stays.
pub(super) fn hide_of_note(tx: &mut WriteTx<'_>, note: RecordId) -> Result<()> {
    for (id, mut draft) in of_note(tx, note)? {
        draft.hidden = true;
        let value = Zeroizing::new(super::case_record::to_json(&draft)?);
        tx.put_local(&name_of(id), &value)?;
    }
    Ok(())
}

fn of_note(tx: &ReadTx<'_>, note: RecordId) -> Result<Vec<(JotId, Draft)>> {
    let note = note.to_string();
    let mut drafts = Vec::new();
    for name in tx.local_names(PREFIX)? {
        let id = id_of(&name)?;
        let draft = read(tx, id)?;
        if draft.note.as_deref() == Some(&note) {
            drafts.push((id, draft));
        }
    }
    Ok(drafts)
}

fn id_of(name: &str) -> Result<JotId> {
    let id = name.strip_prefix(PREFIX).and_then(|id| id.parse().ok());
    id.ok_or_else(|| SessionError::refused(Check::LocalValue, name))
}

fn name_of(draft: JotId) -> String {
    format!("{PREFIX}{draft}")
}

/// Opens all drafts, or those of a case, note or jot, the newest first.
pub(super) fn all(tx: &ReadTx<'_>, of: Option<&str>) -> Result<Vec<DraftRow>> {
    let mut drafts = Vec::new();
    for name in tx.local_names(PREFIX)? {
        let id = id_of(&name)?;
        let draft = read(tx, id)?;
        let is_of = |of: &str| match draft.of.as_str() {
            "amend" => draft.note.as_deref() == Some(of),
            "expand" => draft.jot.as_deref() == Some(of),
            _ => draft.case.as_deref() == Some(of),
        };
        if of.is_none_or(is_of) {
            drafts.push(row(tx, id, &draft)?);
        }
    }
    drafts.sort_by(|a, b| b.saved_at.cmp(&a.saved_at));
    Ok(drafts)
}

fn read(tx: &ReadTx<'_>, id: JotId) -> Result<Draft> {
    let name = name_of(id);
    let value = tx.local(&name)?.ok_or_else(|| SessionError::NotFound {
        what: "draft",
        text: id.handle(),
    })?;
    let draft: Draft = serde_json::from_slice(&value).map_err(|_| SessionError::refused(Check::LocalValue, &name))?;
    match draft.schema == SCHEMA {
        true => Ok(draft),
        false => Err(SessionError::refused(Check::LocalValue, name)),
    }
}

fn row(tx: &ReadTx<'_>, id: JotId, draft: &Draft) -> Result<DraftRow> {
    let handle_of_case = |id: &String| id.parse::<CaseId>().ok().map(|id| id.handle());
    let handle_of_note = |id: &String| id.parse::<RecordId>().ok().map(|id| id.handle());
    let handle_of_jot = |id: &String| id.parse::<JotId>().ok().map(|id| id.handle());
    Ok(DraftRow {
        draft: id.handle(),
        of: match draft.of.as_str() {
            "amend" => "amend",
            "expand" => "expand",
            _ => "add",
        },
        case: draft.case.as_ref().and_then(handle_of_case),
        note: draft.note.as_ref().and_then(handle_of_note),
        jot: draft.jot.as_ref().and_then(handle_of_jot),
        kind: draft.kind.as_deref().and_then(NoteKind::new),
        began_at: draft.began_at.clone(),
        saved_at: draft.saved_at.clone(),
        newer_version: newer_version(tx, draft)?,
        words: match draft.hidden {
            true => String::new(),
            false => first_words(&draft.text),
        },
    })
}

/// Finds the newest version of the note that a draft amends, where it was begun from another, or does not say from which.
fn newer_version(tx: &ReadTx<'_>, draft: &Draft) -> Result<Option<u32>> {
    let note = draft.note.as_deref().filter(|_| draft.of == "amend");
    let Some(note) = note.and_then(|id| id.parse::<RecordId>().ok()) else {
        return Ok(None);
    };
    let newest = tx.versions(note)?.iter().map(|stored| stored.header.version).max();
    Ok(newest.filter(|newest| *newest > draft.from_version.unwrap_or(1)))
}

/// The first words that the worker wrote: front matter, headings and guidance say nothing.
fn first_words(text: &str) -> String {
    let said = |line: &&str| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#') && line != "---" && !vault_core::note::text::is_front_matter(line)
    };
    let mut lines = text.lines().skip_while(|line| !said(line));
    let line = lines.next().unwrap_or_default().trim();
    let rest: Vec<&str> = lines.take_while(|line| !line.trim().is_empty()).collect();
    // The mark of its paragraph may stand behind what is shown of it.
    let mark = crate::note_input::hiding::before(&format!("{line}\n{}", rest.join("\n")));
    match line.char_indices().nth(WORDS_CHARS) {
        Some((cut, _)) => format!("{mark}{}…", line.get(..cut).unwrap_or_default().trim_end()),
        None => format!("{mark}{line}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::super::Cancel;
    use super::super::Silent;
    use super::super::Task;
    use super::super::request::LogListRequest;
    use super::super::request::NoteAmendRequest;
    use super::super::request::NoteInput;
    use super::super::request::NoteMisfiledRequest;
    use super::super::request::NoteWithdrawRequest;
    use super::super::tests::Vault;
    use super::*;

    fn amending(vault: &mut Vault, note: &str) -> Result<Option<String>> {
        let request = DraftKeepRequest {
            draft: None,
            of: DraftOf::Amend(note.to_owned()),
            input: NoteInput {
                text: "obs: The parrot recites tax law.".to_owned(),
                ..NoteInput::default()
            },
            also: Vec::new(),
            only_if_there: false,
        };
        Ok(vault.s().draft_keep(request)?.draft)
    }

    fn words(vault: &mut Vault) -> Vec<String> {
        let listed = vault.s().draft_list(DraftListRequest { of: None }).unwrap();
        listed.drafts.into_iter().map(|draft| draft.words).collect()
    }

    #[test]
    fn what_would_amend_a_withdrawn_note_goes_with_it() {
        let mut vault = Vault::made();
        let case = vault.case("a");
        let (note, other) = (vault.note(&case, "obs: One."), vault.note(&case, "obs: Two."));
        amending(&mut vault, &note).unwrap();
        amending(&mut vault, &other).unwrap();
        let request = NoteWithdrawRequest { note: note.clone() };
        vault.s().note_withdraw(request).unwrap();
        assert_eq!(words(&mut vault).len(), 1);
        // An editor that is still open keeps no copy again.
        assert!(matches!(
            amending(&mut vault, &note),
            Err(SessionError::Conflict { .. })
        ));
    }

    #[test]
    fn what_would_amend_a_misfiled_note_is_hidden_with_it_and_not_lost() {
        let mut vault = Vault::made();
        let case = vault.case("a");
        let note = vault.note(&case, "obs: One.");
        let draft = amending(&mut vault, &note).unwrap().unwrap();
        let request = NoteMisfiledRequest {
            note,
            to: None,
            reason: "the wrong file".to_owned(),
            unless_named: false,
        };
        let cancel = Cancel::default();
        let task = Task {
            progress: &Silent,
            cancel: &cancel,
        };
        vault.s().note_misfiled(request, task).unwrap();
        assert_eq!(words(&mut vault), [""]);
        let shown = vault.s().draft_show(DraftShowRequest { draft }).unwrap();
        assert!(shown.text.contains("parrot"));
    }

    #[test]
    fn a_draft_that_does_not_say_from_which_version_it_was_begun_may_be_behind() {
        let mut vault = Vault::made();
        let case = vault.case("a");
        let note = vault.note(&case, "obs: One.");
        amending(&mut vault, &note).unwrap();
        let newer =
            |vault: &mut Vault| vault.s().draft_list(DraftListRequest { of: None }).unwrap().drafts[0].newer_version;
        assert_eq!(newer(&mut vault), None);
        let request = NoteAmendRequest {
            note,
            input: NoteInput {
                text: "obs: Two.".to_owned(),
                ..NoteInput::default()
            },
            ..NoteAmendRequest::default()
        };
        vault.s().note_amend(request).unwrap();
        assert_eq!(newer(&mut vault), Some(2));
    }

    #[test]
    fn each_draft_that_is_shown_has_an_entry_of_its_own() {
        let mut vault = Vault::made();
        let case = vault.case("a");
        let note = vault.note(&case, "obs: One.");
        let draft = amending(&mut vault, &note).unwrap().unwrap();
        words(&mut vault);
        let entries = |vault: &mut Vault| vault.s().log_list(LogListRequest::default()).unwrap().entries.len();
        let before = entries(&mut vault);
        for _ in 0..2 {
            let request = DraftShowRequest { draft: draft.clone() };
            vault.s().draft_show(request).unwrap();
        }
        assert!(entries(&mut vault) >= before + 2);
    }
}
