//! Jots: a few words of what happened, kept at once and made a note later.
//!
//! A jot is a local sealed value (`docs/format.md` §12), not a record of a case: the case may still be open, and nothing
//! signed should stand on a file that its author has not read again. It is durable before it is acknowledged, and goes
//! in the one transaction that puts the note it became in its place.

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::clock;
use super::random;
use super::reply::JOT_ADD;
use super::reply::JOT_DISCARD;
use super::reply::JOT_LIST;
use super::reply::JotAddReply;
use super::reply::JotDiscardReply;
use super::reply::JotListReply;
use super::reply::JotRow;
use super::reply::NOTE_EXPAND;
use super::reply::NoteSavedReply;
use super::request::JotAddRequest;
use super::request::JotDiscardRequest;
use super::request::JotListRequest;
use super::request::NoteExpandRequest;
use super::request::ReadPurpose;
use super::templates;
use crate::note_input;
use crate::store::ReadTx;
use serde::Deserialize;
use serde::Serialize;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::IdRange;
use vault_core::id::JotId;
use vault_core::note::when;
use vault_core::note::when::Moment;
use vault_core::opening::fresh_id;

/// Names of local values of jots begin so; the jot's id follows.
pub(super) const PREFIX: &str = "jot:";

const SCHEMA: &str = "casevault.jot/1";

/// Most bytes of a jot: whoever writes more writes a note.
const LONGEST: usize = 64 * 1024;

/// The value `casevault.jot/1`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Jot {
    schema: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) case: Option<String>,
    pub(super) occurred_at: String,
    pub(super) jotted_at: String,
    /// How many were jotted here before it in the same second.
    #[serde(skip_serializing_if = "is_first", default)]
    nth: u32,
    pub(super) text: String,
}

fn is_first(nth: &u32) -> bool {
    *nth == 0
}

impl Session {
    /// Keeps a jot.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Malformed`] for a time or an empty jot, [`SessionError::TooLong`].
    pub fn jot_add(&mut self, request: JotAddRequest) -> Result<JotAddReply> {
        let text = request.text.trim();
        let malformed = |why: String| SessionError::Malformed {
            line: 1,
            column: 1,
            why,
        };
        if text.is_empty() {
            return Err(malformed("nothing was written".to_owned()));
        }
        if text.len() > LONGEST {
            return Err(SessionError::TooLong {
                what: "the jot".to_owned(),
                limit: u64::try_from(LONGEST).unwrap_or(u64::MAX),
            });
        }
        let case = match &request.case {
            Some(case) => Some(self.store.read(|tx| self.holder.resolve_case(tx, case))?),
            None => None,
        };
        let here = clock::here();
        let at = request.at.as_deref().unwrap_or("now");
        let occurred = when::parse(at, &here).map_err(|e| malformed(e.to_string()))?;
        let id = JotId(fresh_id(&mut random::os()));
        let mut jot = Jot {
            schema: SCHEMA.to_owned(),
            case: case.map(|case| case.to_string()),
            occurred_at: occurred.as_str().to_owned(),
            jotted_at: clock::moment(clock::now()).as_str().to_owned(),
            nth: 0,
            text: text.to_owned(),
        };
        self.store.write(|tx| -> Result<()> {
            let before = opened(tx)?
                .into_iter()
                .filter(|(_, before)| before.jotted_at == jot.jotted_at);
            jot.nth = before
                .map(|(_, before)| before.nth.saturating_add(1))
                .max()
                .unwrap_or(0);
            let value = zeroize::Zeroizing::new(super::case_record::to_json(&jot)?);
            Ok(tx.put_local(&name_of(id), &value)?)
        })?;
        Ok(JotAddReply {
            schema: JOT_ADD,
            jot: id.handle(),
            case: case.map(|case| case.handle()),
            occurred_at: jot.occurred_at,
        })
    }

    /// Lists the jots that wait to be made notes, the oldest first: what `today` asks for.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`], [`SessionError::Refused`] (CHK-103).
    pub fn jot_list(&mut self, request: JotListRequest) -> Result<JotListReply> {
        let case = match &request.case {
            Some(case) => Some(self.store.read(|tx| self.holder.resolve_case(tx, case))?),
            None => None,
        };
        self.log_overview("jots", &ReadPurpose::default())?;
        let jots = self.store.read(|tx| all(tx, case))?;
        Ok(JotListReply { schema: JOT_LIST, jots })
    }

    /// Drops a jot.
    ///
    /// # Errors
    /// [`SessionError::NotFound`].
    pub fn jot_discard(&mut self, request: JotDiscardRequest) -> Result<JotDiscardReply> {
        let jot = self.store.read(|tx| resolve(tx, PREFIX, "jot", &request.jot))?;
        self.store
            .write(|tx| -> Result<()> { Ok(tx.remove_local(&name_of(jot)).map(|_| ())?) })?;
        Ok(JotDiscardReply {
            schema: JOT_DISCARD,
            jot: jot.handle(),
        })
    }

    /// Makes a jot a note: what happened happened when the jot says, unless the text says otherwise.
    ///
    /// # Errors
    /// As [`Session::note_add`]; [`SessionError::Conflict`] for a jot without a case where none is named.
    pub fn note_expand(&mut self, request: NoteExpandRequest) -> Result<NoteSavedReply> {
        let set = templates::load()?;
        let (id, jot) = self.store.read(|tx| -> Result<_> {
            let id = resolve(tx, PREFIX, "jot", &request.jot)?;
            Ok((id, read(tx, id)?))
        })?;
        let named = request.case.clone().or(jot.case.clone());
        let named = named.ok_or_else(|| no_case(id))?;
        let (case, found) = self.writable_case_labelled(&named)?;
        let (label, called) = (found.template, found.label);
        let mut input = request.note;
        input.kind = input.kind.or(None);
        let says_when = input.at.is_some();
        let mut note = note_input::new_note(&input, label.as_deref(), set, &clock::here())?;
        note_input::require_not_paused(&input, &note, set, &clock::here())?;
        note.imported = None;
        let fault = |_| SessionError::refused(Check::LocalValue, id.handle());
        if !says_when && !note_input::says_when(&input.text) {
            note.occurred_at = Some(Moment::parse(&jot.occurred_at).map_err(fault)?);
        }
        note.jotted_at = Some(Moment::parse(&jot.jotted_at).map_err(fault)?);
        let draft = self.draft_named(request.draft.as_deref())?;
        let written = self.write(|holder, tx| {
            if request.unless_same
                && let Some(record) = holder.saved_lately(tx, case, &note)?
            {
                return Err(SessionError::SameNote { note: record.handle() });
            }
            let mut keys = holder.case_keys(tx, case)?;
            let written = holder.put_note(tx, &mut keys, note, None)?;
            if !tx.remove_local(&name_of(id))? {
                // Another window made it a note meanwhile: the same words are not to stand on the file twice.
                return Err(SessionError::NotFound {
                    what: "jot",
                    text: id.handle(),
                });
            }
            super::draft::drop_draft(tx, draft)?;
            let ambiguous = holder.ambiguous_speaker(tx, case, &written.note)?;
            Ok((written, ambiguous))
        });
        let (written, ambiguous) = written?;
        let doubts = super::remark::of_new(&input, label.as_deref(), &written.note, ambiguous.as_deref(), set)?;
        Ok(NoteSavedReply {
            doubts,
            label: called,
            ..super::note_write::saved(NOTE_EXPAND, case, label.as_deref(), &written)?
        })
    }
}

impl Holder {
    /// Opens the jot that a handle names.
    pub(super) fn jot(&self, tx: &ReadTx<'_>, text: &str) -> Result<(JotId, Jot)> {
        let id = resolve(tx, PREFIX, "jot", text)?;
        Ok((id, read(tx, id)?))
    }
}

/// Refuses to make a note of a jot without a case.
pub(super) fn no_case(jot: JotId) -> SessionError {
    SessionError::conflict(
        format!("jot {} names no case", jot.handle()),
        "say which with `--case CASE`",
    )
}

/// Returns the name of a jot's local value.
pub(super) fn name_of(jot: JotId) -> String {
    format!("{PREFIX}{jot}")
}

/// Finds the one local value whose id begins as typed.
pub(super) fn resolve(tx: &ReadTx<'_>, prefix: &str, what: &'static str, text: &str) -> Result<JotId> {
    let not_found = || SessionError::NotFound {
        what,
        text: text.to_owned(),
    };
    let IdRange { low, high } = JotId::range(text).map_err(|_| not_found())?;
    let names = tx.local_names(prefix)?;
    let ids = names
        .iter()
        .filter_map(|name| name.strip_prefix(prefix)?.parse::<JotId>().ok());
    let found: Vec<JotId> = ids.filter(|id| (low..=high).contains(&id.0)).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(not_found()),
        several => Err(SessionError::Ambiguous {
            text: text.to_owned(),
            candidates: several.iter().take(5).map(JotId::handle).collect(),
        }),
    }
}

/// Opens all jots, or those of a case, the oldest first.
pub(super) fn all(tx: &ReadTx<'_>, case: Option<CaseId>) -> Result<Vec<JotRow>> {
    let mut jots = opened(tx)?;
    jots.retain(|(_, jot)| case.is_none_or(|case| jot.case == Some(case.to_string())));
    jots.sort_by(|(_, a), (_, b)| (&a.jotted_at, a.nth).cmp(&(&b.jotted_at, b.nth)));
    Ok(jots.into_iter().map(|(id, jot)| row(id, jot)).collect())
}

fn opened(tx: &ReadTx<'_>) -> Result<Vec<(JotId, Jot)>> {
    let names = tx.local_names(PREFIX)?.into_iter();
    let jots = names.map(|name| {
        let id = name.strip_prefix(PREFIX).and_then(|id| id.parse::<JotId>().ok());
        let id = id.ok_or_else(|| SessionError::refused(Check::LocalValue, name))?;
        Ok((id, read(tx, id)?))
    });
    jots.collect()
}

fn read(tx: &ReadTx<'_>, id: JotId) -> Result<Jot> {
    let name = name_of(id);
    let value = tx.local(&name)?.ok_or_else(|| SessionError::NotFound {
        what: "jot",
        text: id.handle(),
    })?;
    let jot: Jot = serde_json::from_slice(&value).map_err(|_| SessionError::refused(Check::LocalValue, &name))?;
    match jot.schema == SCHEMA {
        true => Ok(jot),
        false => Err(SessionError::refused(Check::LocalValue, name)),
    }
}

fn row(id: JotId, jot: Jot) -> JotRow {
    JotRow {
        jot: id.handle(),
        case: jot.case.and_then(|case| Some(case.parse::<CaseId>().ok()?.handle())),
        occurred_at: jot.occurred_at,
        jotted_at: jot.jotted_at,
        text: jot.text,
    }
}
