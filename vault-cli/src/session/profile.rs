//! What is known of a client, corrected: each correction is a version of its own, and the history shows them all.

use super::Result;
use super::Session;
use super::SessionError;
use super::case_record;
use super::case_record::PROFILE;
use super::case_record::Profile;
use super::logging::Intent;
use super::reply::CASE_AMEND;
use super::reply::CASE_HISTORY;
use super::reply::CaseAmendReply;
use super::reply::CaseHistoryReply;
use super::reply::FieldChange;
use super::reply::ProfileVersion;
use super::request::CaseAmendRequest;
use super::request::CaseHistoryRequest;
use super::request::ReadPurpose;
use crate::note_input::hiding::Lost;
use serde_json::Map;
use serde_json::Value;
use vault_core::note::danger;
use vault_core::note::extra::Extra;
use vault_core::note::extra::RawJson;
use vault_core::note::line::CaseLine;
use vault_core::note::spelling;
use vault_core::wire::v1::access::AccessOperation;

impl Session {
    /// Corrects what is known of a client: a new version of the profile, and of the label where that changed.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Malformed`] for what is no JSON object, [`SessionError::Loses`] where that was
    /// asked for.
    pub fn case_amend(&mut self, request: CaseAmendRequest) -> Result<CaseAmendReply> {
        let changes = fields_of(&request.changes)?;
        let unknown = spelling::profile(&changes).map_err(|slip| SessionError::misspelt(&slip, &request.changes))?;
        let case = self.store.read(|tx| self.holder.resolve_case(tx, &request.case))?;
        let purpose = ReadPurpose::default();
        let logged = self.log(&Intent {
            operation: AccessOperation::Open,
            case: Some(case),
            records: &[],
            scope: Some("profile, amend"),
            purpose: &purpose,
        })?;
        let opened = request.opened.map(|day| day.to_string());
        let (version, changed, struck) = self.write(|holder, tx| {
            let mut keys = holder.case_keys(tx, case)?;
            let mut records = holder.case_records_to_amend(tx, &keys, &logged)?;
            let external = records.label.external_id.clone();
            holder.require_case_named(&request.case, case, external.as_deref())?;
            let before = records.profile.line.clone();
            let line = &mut records.profile.line;
            line.profile = merged(line.profile.as_ref(), &changes)?;
            line.opened = opened.clone().or(line.opened.take());
            let changed: Vec<String> = differences(Some(&before), line).into_iter().map(|c| c.field).collect();
            let number = records.profile_at.1;
            if changed.is_empty() {
                return Ok((number, changed, Vec::new()));
            }
            let values = |line: &CaseLine| line.profile.as_ref().map(RawJson::value).unwrap_or_default();
            let struck = danger::struck_fields(&values(&before), &values(line));
            if request.unless_lost && !struck.is_empty() {
                let lost = struck.into_iter().map(|words| Lost {
                    what: "it is taken away, and is not told before a visit any more".to_owned(),
                    words,
                });
                return Err(SessionError::Loses { lost: lost.collect() });
            }
            let named = case_record::Label::of(line, None);
            records.label.label = named.label;
            records.label.name = named.name;
            records.label.opened = named.opened;
            holder.rotate(tx, &mut keys)?;
            holder.put_case_version(tx, &keys, records)?;
            Ok((number.saturating_add(1), changed, struck))
        })?;
        Ok(CaseAmendReply {
            schema: CASE_AMEND,
            case: case.handle(),
            version,
            changed,
            struck,
            unknown_fields: unknown,
        })
    }

    /// Shows every version of what is known of a client, each by what it changed.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`], [`SessionError::Refused`].
    pub fn case_history(&mut self, request: CaseHistoryRequest) -> Result<CaseHistoryReply> {
        let case = self.store.read(|tx| self.holder.resolve_case(tx, &request.case))?;
        let logged = self.log(&Intent {
            operation: AccessOperation::History,
            case: Some(case),
            records: &[],
            scope: Some("profile"),
            purpose: &request.purpose,
        })?;
        let holder = &self.holder;
        self.store.read(|tx| {
            let keys = holder.case_keys(tx, case)?;
            let records = holder.case_records(tx, &keys, &logged)?;
            let external = records.label.external_id.as_deref();
            holder.require_case_named(&request.case, case, external)?;
            let (mut versions, mut before) = (Vec::new(), None);
            for stored in tx.versions(records.profile_at.0)? {
                let ((header, _), payload) = holder.open_signed(&keys, stored)?;
                let profile: Profile = case_record::from_json(&payload, PROFILE, keys.stream())?;
                versions.push(ProfileVersion {
                    version: header.version,
                    at: profile.at,
                    signed_by: header.member.handle(),
                    changes: differences(before.as_ref(), &profile.line),
                });
                before = Some(profile.line);
            }
            Ok(CaseHistoryReply {
                schema: CASE_HISTORY,
                case: case.handle(),
                versions,
            })
        })
    }
}

/// Reads the fields that are to change: bare, or under `profile` as an import line has them.
fn fields_of(text: &str) -> Result<Extra> {
    let malformed = |e: serde_json::Error| SessionError::Malformed {
        line: e.line().max(1),
        column: e.column().max(1),
        why: format!("the profile: {e}"),
    };
    // As text, so that numbers keep their digits.
    let fields: Extra = serde_json::from_str(text).map_err(malformed)?;
    match fields.get("profile") {
        Some(nested) if nested.as_str().starts_with('{') => serde_json::from_str(nested.as_str()).map_err(malformed),
        _ => Ok(fields),
    }
}

/// Puts fields in the place of those of their names; `null` takes one away.
fn merged(profile: Option<&RawJson>, changes: &Extra) -> Result<Option<RawJson>> {
    let bug = |e: serde_json::Error| SessionError::Bug(e.to_string());
    let mut fields: Extra = match profile {
        Some(profile) => serde_json::from_str(profile.as_str()).map_err(bug)?,
        None => Extra::default(),
    };
    for (name, value) in changes.iter() {
        fields.put(name, value.clone());
    }
    let mut kept = Extra::default();
    for (name, value) in fields.iter() {
        let is_taken_away = changes.get(name).is_some_and(|value| value.as_str() == "null");
        if !is_taken_away {
            kept.push(name, value.clone());
        }
    }
    if profile.is_none() && kept.is_empty() {
        return Ok(None);
    }
    RawJson::from_value(&kept).map(Some).map_err(bug)
}

/// Tells what differs between two versions of a case's line, field by field.
fn differences(before: Option<&CaseLine>, after: &CaseLine) -> Vec<FieldChange> {
    let was = before.map(fields).unwrap_or_default();
    let is = fields(after);
    let gone = was.keys().filter(|name| !is.contains_key(*name));
    let names = is.keys().chain(gone);
    let value = |of: &Map<String, Value>, name: &str| of.get(name).cloned().unwrap_or_default();
    names
        .filter(|name| was.get(*name) != is.get(*name))
        .map(|name| FieldChange {
            field: name.clone(),
            before: value(&was, name),
            after: value(&is, name),
        })
        .collect()
}

/// All of a case's line as one object: the profile's fields, and those of the case itself.
fn fields(line: &CaseLine) -> Map<String, Value> {
    let mut all = Map::new();
    if let Some(Value::Object(profile)) = line.profile.as_ref().map(RawJson::value) {
        all.extend(profile);
    }
    let own = [
        ("opened", &line.opened),
        ("template", &line.template),
        ("worker", &line.worker),
    ];
    for (name, value) in own {
        if let Some(value) = value {
            all.insert(name.to_owned(), Value::String(value.clone()));
        }
    }
    for (name, value) in line.extra.iter() {
        all.insert(name.to_owned(), value.value());
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn given_fields_replace_null_takes_away_and_digits_stay() {
        let profile: RawJson = serde_json::from_str(r#"{"name":"Elin Farow","weight":1.50,"gender":"f"}"#).unwrap();
        let changes = fields_of(r#"{"name":"Elin Farrow","gender":null,"language":"Welsh"}"#).unwrap();
        let after = merged(Some(&profile), &changes).unwrap().unwrap();
        assert_eq!(
            after.as_str(),
            r#"{"name":"Elin Farrow","weight":1.50,"language":"Welsh"}"#
        );
        assert_eq!(merged(None, &fields_of("{}").unwrap()).unwrap(), None);
        assert!(matches!(fields_of("[]"), Err(SessionError::Malformed { line: 1, .. })));
        let nested = fields_of(r#"{"type":"case","profile":{"name":"A"}}"#).unwrap();
        assert_eq!(nested.iter().count(), 1);
    }
}
