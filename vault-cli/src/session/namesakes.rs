//! Cases that are called the same: told before another is opened, and told apart by when the person was born.

use super::Holder;
use super::Result;
use super::Session;
use super::case_record::Label;
use super::logging::Intent;
use super::logging::Logged;
use super::reply::CASE_NAMESAKES;
use super::reply::CaseNamesakesReply;
use super::reply::Namesake;
use super::request::CaseNamesakesRequest;
use super::request::ReadPurpose;
use crate::store::ReadTx;
use std::collections::HashMap;
use vault_core::id::CaseId;
use vault_core::note::extra::RawJson;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::stream::StreamKind;

/// What the access log calls it; one entry in fifteen minutes, as of every list of a caseload.
pub(super) const SCOPE: &str = "cases of one name";

impl Session {
    /// Lists the cases of one's own caseload that are called by one of the names, closed ones too, whatever the capitals and spaces.
    ///
    /// # Errors
    /// [`SessionError::LogFailed`](super::SessionError::LogFailed), [`SessionError::Refused`](super::SessionError::Refused).
    pub fn case_namesakes(&mut self, request: CaseNamesakesRequest) -> Result<CaseNamesakesReply> {
        Ok(CaseNamesakesReply {
            schema: CASE_NAMESAKES,
            cases: self.namesakes(&request.names, &request.purpose)?,
        })
    }

    /// As [`Session::case_namesakes`]; of an empty name, none. The labels are opened once for all names.
    pub(super) fn namesakes(&mut self, names: &[String], purpose: &ReadPurpose) -> Result<Vec<Namesake>> {
        let mut names: Vec<String> = names.iter().map(|name| alike(name)).collect();
        names.retain(|name| !name.is_empty());
        if names.is_empty() {
            return Ok(Vec::new());
        }
        // Where there is no case nothing is opened, and nothing is logged.
        let none = self
            .store
            .read(|tx| -> Result<_> { Ok(tx.streams(StreamKind::Case)?.is_empty()) })?;
        if none {
            return Ok(Vec::new());
        }
        let logged = self.log_overview(SCOPE, purpose)?;
        let holder = &self.holder;
        let called = self.store.read(|tx| holder.called(tx, &logged, &names))?;
        // The day of birth is read out of the profile: an entry for each case whose profile that is.
        let mut found = Vec::with_capacity(called.len());
        for (case, label) in called {
            let logged = self.log(&Intent {
                operation: AccessOperation::Open,
                case: Some(case),
                records: &[],
                scope: Some(SCOPE),
                purpose,
            })?;
            found.push(self.store.read(|tx| self.holder.namesake(tx, case, label, &logged))?);
        }
        Ok(found)
    }

    /// Gives the names of all cases here, as [`alike`] makes them.
    pub(super) fn all_names_here(&mut self) -> Result<Vec<String>> {
        let none = self
            .store
            .read(|tx| -> Result<_> { Ok(tx.streams(StreamKind::Case)?.is_empty()) })?;
        if none {
            return Ok(Vec::new());
        }
        let logged = self.log_overview(SCOPE, &ReadPurpose::default())?;
        let holder = &self.holder;
        let labels = self.store.read(|tx| holder.labels(tx, &logged))?.into_iter();
        let names = labels.filter_map(|(_, (label, _))| Some(alike(&label.name.or(label.label)?)));
        Ok(names.collect())
    }

    /// Gives the name of each case here that is called by one of the names, which are as [`alike`] makes them.
    pub(super) fn names_here(&mut self, names: &[String]) -> Result<Vec<String>> {
        let none = self
            .store
            .read(|tx| -> Result<_> { Ok(tx.streams(StreamKind::Case)?.is_empty()) })?;
        if none || names.is_empty() {
            return Ok(Vec::new());
        }
        let logged = self.log_overview(SCOPE, &ReadPurpose::default())?;
        let holder = &self.holder;
        let called = self.store.read(|tx| holder.called(tx, &logged, names))?;
        Ok(called
            .into_iter()
            .filter_map(|(_, label)| Some(alike(&label.name.or(label.label)?)))
            .collect())
    }
}

impl Holder {
    fn called(&self, tx: &ReadTx<'_>, logged: &Logged, names: &[String]) -> Result<Vec<(CaseId, Label)>> {
        let labels = self.labels(tx, logged)?.into_iter();
        let labels = labels.map(|(case, (label, _))| (case, label));
        let is_so = |label: &Label| {
            let called = [label.label.as_deref(), label.name.as_deref()];
            called
                .into_iter()
                .flatten()
                .any(|called| names.contains(&alike(called)))
        };
        Ok(labels.filter(|(_, label)| is_so(label)).collect())
    }

    fn namesake(&self, tx: &ReadTx<'_>, case: CaseId, label: Label, logged: &Logged) -> Result<Namesake> {
        let records = self.case_records(tx, &self.case_keys(tx, case)?, logged)?;
        let profile = records.profile.line.profile.as_ref().map(RawJson::value);
        let born = profile.and_then(|profile| Some(profile.get("date_of_birth")?.as_str()?.to_owned()));
        Ok(Namesake {
            case: case.handle(),
            status: label.status,
            opened: label.opened,
            date_of_birth: born.filter(|born| !born.is_empty()),
        })
    }
}

/// Marks the labels of which another is called the same.
pub(super) fn mark<'l>(labels: impl Iterator<Item = &'l mut Label>) {
    let mut named: HashMap<String, Vec<&mut Label>> = HashMap::new();
    for label in labels {
        if let Some(name) = label.label.as_deref().map(alike).filter(|name| !name.is_empty()) {
            named.entry(name).or_default().push(label);
        }
    }
    for label in named.into_values().filter(|same| same.len() > 1).flatten() {
        label.has_namesake = true;
    }
}

/// A name without capitals and with single spaces: what two clients who are called the same have in common.
pub(crate) fn alike(name: &str) -> String {
    let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}
