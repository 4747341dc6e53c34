//! A case read for what is to be done next: before a session, and who its people are.

use super::Result;
use super::Session;
use super::case;
use super::clock;
use super::logging::Intent;
use super::reply::CASE_BRIEF;
use super::reply::CASE_PEOPLE;
use super::reply::CaseBriefReply;
use super::reply::CasePeopleReply;
use super::request::CaseBriefRequest;
use super::request::CasePeopleRequest;
use super::templates;
use vault_core::note::Note;
use vault_core::note::brief::Brief;
use vault_core::note::extra::RawJson;
use vault_core::note::people;
use vault_core::wire::v1::access::AccessOperation;

impl Session {
    /// Tells what to know before a session.
    ///
    /// # Errors
    /// [`SessionError::NotFound`](super::SessionError::NotFound), [`SessionError::LogFailed`](super::SessionError::LogFailed),
    /// [`SessionError::Refused`](super::SessionError::Refused).
    pub fn case_brief(&mut self, request: CaseBriefRequest) -> Result<CaseBriefReply> {
        let case = self.store.read(|tx| self.holder.resolve_case(tx, &request.case))?;
        let logged = self.log(&Intent {
            operation: AccessOperation::Open,
            case: Some(case),
            records: &[],
            scope: Some("brief"),
            purpose: &request.purpose,
        })?;
        let rules = templates::oversight()?;
        let (now, today) = (clock::now(), clock::today());
        self.store.read(|tx| {
            let keys = self.holder.case_keys_before_walk(tx, case)?;
            let records = self.holder.case_records(tx, &keys, &logged)?;
            let external = records.label.external_id.as_deref();
            self.holder.require_case_named(&request.case, case, external)?;
            let notes = self.holder.read_case(tx, &keys, &logged)?;
            let handles: Vec<String> = notes.iter().map(|n| n.record.handle()).collect();
            let shown: Vec<_> = notes
                .iter()
                .zip(&handles)
                .map(|(read, handle)| (&read.note, handle.as_str(), read.version))
                .collect();
            let profile = records.profile.line.profile.as_ref();
            let brief = Brief::new(profile, &shown, &rules.contact, now, today);
            let count = u64::try_from(notes.len()).unwrap_or(u64::MAX);
            Ok(CaseBriefReply {
                schema: CASE_BRIEF,
                case: case::row_of(case, records.label, count),
                brief,
            })
        })
    }

    /// Lists the people whom the notes of a case name.
    ///
    /// # Errors
    /// As [`Session::case_brief`].
    pub fn case_people(&mut self, request: CasePeopleRequest) -> Result<CasePeopleReply> {
        let case = self.store.read(|tx| self.holder.resolve_case(tx, &request.case))?;
        let logged = self.log_records(AccessOperation::List, case, &[], Some("people"), &request.purpose)?;
        self.store.read(|tx| {
            let keys = self.holder.case_keys_before_walk(tx, case)?;
            let records = self.holder.case_records(tx, &keys, &logged)?;
            let external_id = records.label.external_id;
            self.holder
                .require_case_named(&request.case, case, external_id.as_deref())?;
            let notes = self.holder.read_case(tx, &keys, &logged)?;
            let handles: Vec<String> = notes.iter().map(|n| n.record.handle()).collect();
            let shown: Vec<(&Note, &str)> = notes
                .iter()
                .map(|read| &read.note)
                .zip(handles.iter().map(String::as_str))
                .collect();
            let profile = records.profile.line.profile.as_ref().map(RawJson::value);
            Ok(CasePeopleReply {
                schema: CASE_PEOPLE,
                case: case.handle(),
                external_id,
                people: people::people(profile.as_ref(), &shown),
            })
        })
    }
}
