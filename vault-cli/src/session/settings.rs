//! The agency's settings, sealed under the agency key: names that no server may see.

use super::Result;
use super::SessionError;
use serde::Deserialize;
use serde::Serialize;
use std::collections::HashMap;
use vault_core::check::Check;
use vault_core::founding::SECTIONS;
use vault_core::id::MemberId;
use vault_core::note::extra::RawJson;

const SCHEMA: &str = "casevault.settings/1";

/// What a member is called.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MemberName {
    /// The whole id.
    pub(super) member: String,
    /// The name.
    pub(super) name: String,
}

/// The payload `casevault.settings/1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Settings {
    schema: String,
    /// What the agency is called.
    pub(super) agency: String,
    /// What the founder is called.
    pub(super) founder: String,
    /// Section names, by number.
    pub(super) sections: Vec<String>,
    /// What members are called, once others than the founder have joined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) members: Vec<MemberName>,
    /// The worker lines of imports, as they came.
    #[serde(default)]
    pub(super) workers: Vec<RawJson>,
}

impl Settings {
    pub(super) fn new(agency: &str, founder: &str) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            agency: agency.to_owned(),
            founder: founder.to_owned(),
            sections: SECTIONS.map(str::to_owned).to_vec(),
            members: Vec::new(),
            workers: Vec::new(),
        }
    }

    /// Returns what a member is called, where that is said; `founder` is the member that founded the agency.
    pub(super) fn name_of(&self, member: MemberId, founder: Option<MemberId>) -> Option<&str> {
        let id = member.to_string();
        let named = self.members.iter().find(|one| one.member == id);
        let named = named.map(|one| one.name.as_str());
        named.or_else(|| (founder == Some(member)).then_some(self.founder.as_str()))
    }

    /// Names a member: by name where it is known, and by the handle.
    pub(super) fn named(&self, member: MemberId, founder: Option<MemberId>) -> String {
        match self.name_of(member, founder) {
            Some(name) => format!("{name} ({})", member.handle()),
            None => member.handle(),
        }
    }

    /// Says what a member is called.
    pub(super) fn put_name(&mut self, member: MemberId, name: &str) {
        let id = member.to_string();
        match self.members.iter_mut().find(|one| one.member == id) {
            Some(known) => name.clone_into(&mut known.name),
            None => self.members.push(MemberName {
                member: id,
                name: name.to_owned(),
            }),
        }
    }

    /// Takes a worker's line in, in place of the one that had its id.
    pub(super) fn put_worker(&mut self, line: &RawJson) {
        let id = worker_id(line);
        match self.workers.iter_mut().find(|known| worker_id(known) == id) {
            Some(known) => *known = line.clone(),
            None => self.workers.push(line.clone()),
        }
    }

    /// Returns the workers' lines by their ids.
    pub(super) fn workers_by_id(&self) -> HashMap<String, String> {
        self.workers
            .iter()
            .map(|line| (worker_id(line), line.as_str().to_owned()))
            .collect()
    }

    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|e| SessionError::Bug(e.to_string()))
    }

    pub(super) fn from_json(json: &[u8]) -> Result<Self> {
        let read: Self = serde_json::from_slice(json).map_err(|_| SessionError::refused(Check::Payload, "agency"))?;
        if read.schema == SCHEMA {
            Ok(read)
        } else {
            Err(SessionError::refused(Check::Payload, "agency"))
        }
    }
}

fn worker_id(line: &RawJson) -> String {
    let value = line.value();
    value
        .get("worker")
        .and_then(|id| id.as_str())
        .unwrap_or_default()
        .to_owned()
}
