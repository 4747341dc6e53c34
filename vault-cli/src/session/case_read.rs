//! A case read whole: its overview, what to know before a session, and who its people are.

use super::Result;
use super::Session;
use super::case;
use super::case_record::CLOSED;
use super::clock;
use super::logging::Intent;
use super::reading::CaseRecords;
use super::reading::ReadNote;
use super::reply::CASE_BRIEF;
use super::reply::CASE_PEOPLE;
use super::reply::CASE_SHOW;
use super::reply::CaseBriefReply;
use super::reply::CasePeopleReply;
use super::reply::CaseRow;
use super::reply::CaseShowReply;
use super::reply::UnopenedRow;
use super::request::CaseBriefRequest;
use super::request::CasePeopleRequest;
use super::request::CaseShowRequest;
use super::request::ReadPurpose;
use super::server::kept::Apart;
use super::templates;
use vault_core::id::CaseId;
use vault_core::note::Note;
use vault_core::note::brief::Brief;
use vault_core::note::extra::RawJson;
use vault_core::note::overview::NEWEST;
use vault_core::note::overview::Overview;
use vault_core::note::people;
use vault_core::wire::v1::access::AccessOperation;

/// A case with its profile and its notes, newest versions, without those that are hidden.
pub(super) struct WholeCase {
    pub(super) case: CaseId,
    pub(super) records: CaseRecords,
    pub(super) notes: Vec<ReadNote>,
    /// Of the notes, in their order.
    handles: Vec<String>,
    pub(super) unopened: Vec<UnopenedRow>,
}

impl WholeCase {
    pub(super) fn profile(&self) -> Option<&RawJson> {
        self.records.profile.line.profile.as_ref()
    }

    /// The notes, each with its handle.
    fn named_notes(&self) -> Vec<(&Note, &str)> {
        let notes = self.notes.iter().map(|read| &read.note);
        notes.zip(self.handles.iter().map(String::as_str)).collect()
    }

    /// The notes that were written before it was last opened again, and on which day that was; the clock may have stood
    /// anywhere, and the stream has the order.
    fn reopened(&self) -> Option<(&[String], String)> {
        let reopening = self.records.profile.line.reopening()?;
        let at = self.handles.iter().position(|handle| *handle == reopening.note)?;
        Some((self.handles.get(..at)?, reopening.on))
    }

    /// What did not open of it, and of the cases of its household: a danger in one of those is one that nobody is told of.
    fn unopened_with(&self, others: Vec<UnopenedRow>) -> Vec<UnopenedRow> {
        let mut unopened = self.unopened.clone();
        let is_new = |other: &UnopenedRow| !self.unopened.iter().any(|known| known.of == other.of);
        unopened.extend(others.into_iter().filter(is_new));
        unopened
    }

    fn into_row(self) -> CaseRow {
        let notes = u64::try_from(self.notes.len()).unwrap_or(u64::MAX);
        case::row_of(self.case, self.records.label, notes)
    }
}

impl Session {
    /// Returns a case's row, with what is apart with the server.
    fn row_with_server(&self, whole: WholeCase) -> Result<CaseRow> {
        let case = whole.case;
        let mut row = whole.into_row();
        self.store.read(Apart::load)?.tell(case, &mut row);
        Ok(row)
    }

    /// Shows a case's overview.
    ///
    /// # Errors
    /// [`SessionError::NotFound`](super::SessionError::NotFound), [`SessionError::LogFailed`](super::SessionError::LogFailed),
    /// [`SessionError::Refused`](super::SessionError::Refused).
    pub fn case_show(&mut self, request: CaseShowRequest) -> Result<CaseShowReply> {
        let whole = self.whole_case(&request.case, AccessOperation::Open, "overview", &request.purpose)?;
        let profile = whole.profile();
        let most = if request.all { usize::MAX } else { NEWEST };
        let mut overview = Overview::new(profile, &whole.named_notes(), most);
        if let Some((before, day)) = whole.reopened() {
            overview.mark_reopened(before, &day);
        }
        let notes = whole.named_notes();
        let own = overview.safety_mut();
        let household = self.household(whole.case, &whole.records, &notes, own, &request.purpose)?;
        Ok(CaseShowReply {
            schema: CASE_SHOW,
            id: whole.case.to_string(),
            profile: profile.map(RawJson::value).unwrap_or_default(),
            overview,
            left_undone: match whole.records.label.status == CLOSED {
                true => case::undone(&whole.notes, clock::today()),
                false => Vec::new(),
            },
            unopened: whole.unopened_with(household.unopened),
            household: household.dangers,
            household_more: household.more,
            case: self.row_with_server(whole)?,
        })
    }

    /// Tells what to know before a session.
    ///
    /// # Errors
    /// As [`Session::case_show`].
    pub fn case_brief(&mut self, request: CaseBriefRequest) -> Result<CaseBriefReply> {
        let whole = self.whole_case(&request.case, AccessOperation::Open, "brief", &request.purpose)?;
        let rules = templates::oversight()?;
        let versions = whole.notes.iter().map(|read| read.version);
        let named = whole.named_notes().into_iter();
        let shown: Vec<_> = named
            .zip(versions)
            .map(|((note, id), version)| (note, id, version))
            .collect();
        let mut brief = Brief::new(
            whole.profile(),
            &shown,
            &rules.contact,
            templates::client_words(whole.records.label.template.as_deref()),
            clock::now(),
            clock::today(),
        );
        let notes = whole.named_notes();
        let own = brief.dangers.as_mut_slice();
        let household = self.household(whole.case, &whole.records, &notes, own, &request.purpose)?;
        let unopened = whole.unopened_with(household.unopened);
        Ok(CaseBriefReply {
            schema: CASE_BRIEF,
            brief,
            unopened,
            household: household.dangers,
            household_more: household.more,
            household_unclear: household.unclear,
            case: self.row_with_server(whole)?,
        })
    }

    /// Lists the people whom the notes of a case name.
    ///
    /// # Errors
    /// As [`Session::case_show`].
    pub fn case_people(&mut self, request: CasePeopleRequest) -> Result<CasePeopleReply> {
        let whole = self.whole_case(&request.case, AccessOperation::List, "people", &request.purpose)?;
        let profile = whole.profile().map(RawJson::value);
        Ok(CasePeopleReply {
            schema: CASE_PEOPLE,
            case: whole.case.handle(),
            people: people::people(
                profile.as_ref(),
                templates::client_words(whole.records.label.template.as_deref()),
                &whole.named_notes(),
            ),
            unopened: whole.unopened,
            external_id: whole.records.label.external_id,
        })
    }

    /// Logs the reading of a case, and opens all of it.
    pub(super) fn whole_case(
        &mut self,
        named: &str,
        operation: AccessOperation,
        scope: &str,
        purpose: &ReadPurpose,
    ) -> Result<WholeCase> {
        let case = self.store.read(|tx| self.holder.resolve_case(tx, named))?;
        let logged = self.log(&Intent {
            operation,
            case: Some(case),
            records: &[],
            scope: Some(scope),
            purpose,
        })?;
        let holder = &self.holder;
        self.store.read(|tx| {
            let keys = holder.case_keys_before_walk(tx, case)?;
            let records = holder.case_records_or_unknown(tx, &keys, &logged)?;
            holder.require_case_named(named, case, records.label.external_id.as_deref())?;
            let notes = holder.read_case(tx, &keys, &logged)?;
            Ok(WholeCase {
                case,
                records,
                handles: notes.iter().map(|read| read.record.handle()).collect(),
                notes,
                unopened: logged.unopened(),
            })
        })
    }
}
