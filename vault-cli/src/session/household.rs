//! Cases of one household: what is dangerous in one is told before a visit to the other.
//!
//! Nobody says of two cases that they are of one household. It follows from what is recorded: a note that was written into
//! both, one that names the other's client among its people, or the same address. Only cases that are one's own are looked at.
//!
//! ```text
//! profiles of one's own cases, joining ids of notes ─> cases of the household ─> an entry for each ─> its dangers
//! ```

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::case_record::CLOSED;
use super::case_record::Label;
use super::logging::Intent;
use super::logging::Logged;
use super::missed;
use super::namesakes::alike;
use super::reply::HouseholdCase;
use super::reply::HouseholdDanger;
use super::request::ReadPurpose;
use crate::store::ReadTx;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use vault_core::id::CaseId;
use vault_core::note::Note;
use vault_core::note::extra::RawJson;
use vault_core::note::overview::Overview;
use vault_core::note::overview::SAFETY;
use vault_core::note::people;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;

/// What the access log calls it.
const SCOPE: &str = "dangers of the household";

/// Fields of a profile that say where somebody lives.
const ADDRESSES: [&str; 2] = ["address", "confidential_address"];

/// Most cases of a household that are opened for a brief: an address may be that of a hostel.
const MOST: usize = 12;

/// How two cases are of one household, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Note,
    Named,
    Address,
}

impl By {
    fn as_str(self) -> &'static str {
        match self {
            Self::Note => "a note of both",
            Self::Named => "named among its people",
            Self::Address => "same address",
        }
    }
}

/// What a case says of where its client lives, and with whom.
struct Home {
    label: Label,
    /// As [`alike`].
    name: String,
    addresses: Vec<String>,
    /// Names of people, and what is said of the household in a text.
    people: Vec<String>,
    is_dangerous: bool,
}

/// The homes of one's own caseload, closed cases too.
pub(super) struct Homes(HashMap<CaseId, Home>);

impl Homes {
    /// Gives the other cases of a case's household; `joined` are those of which a note was written into it too.
    fn of(&self, case: CaseId, joined: &BTreeSet<CaseId>) -> Vec<(CaseId, Vec<By>)> {
        let own = self.0.get(&case);
        let mut found: BTreeMap<CaseId, BTreeSet<By>> = BTreeMap::new();
        for other in joined.iter().filter(|other| **other != case) {
            found.entry(*other).or_default().insert(By::Note);
        }
        for (other, home) in self.0.iter().filter(|(other, _)| **other != case) {
            let Some(own) = own else { break };
            if own.names(home) || home.names(own) {
                found.entry(*other).or_default().insert(By::Named);
            }
            if own.addresses.iter().any(|address| home.addresses.contains(address)) {
                found.entry(*other).or_default().insert(By::Address);
            }
        }
        let mut found: Vec<(CaseId, Vec<By>)> = found
            .into_iter()
            .map(|(case, by)| (case, by.into_iter().collect()))
            .collect();
        found.sort_by_key(|(case, by)| (by.first().copied(), *case));
        found
    }

    /// Gives those cases of the household in which something dangerous is known: by the profile, or by a note, as
    /// `by_note` tells of a case.
    pub(super) fn dangerous(
        &self,
        case: CaseId,
        joined: &BTreeSet<CaseId>,
        by_note: &HashSet<CaseId>,
    ) -> Vec<HouseholdCase> {
        let others = self.of(case, joined).into_iter().filter_map(|(other, _)| {
            let home = self.0.get(&other)?;
            let is_so = home.is_dangerous || !home.label.flags.is_empty() || by_note.contains(&other);
            is_so.then(|| HouseholdCase {
                case: other.handle(),
                label: home.label.label.clone(),
            })
        });
        others.collect()
    }
}

impl Home {
    fn of(label: Label, profile: Option<&RawJson>) -> Self {
        let value = profile.map(RawJson::value).unwrap_or_default();
        let mut addresses = Vec::new();
        for field in ADDRESSES {
            let mut words = Vec::new();
            texts(value.get(field).unwrap_or(&serde_json::Value::Null), &mut words);
            let address = alike(&words.join(" ").replace([',', '.', ';'], " "));
            addresses.extend(Some(address).filter(|address| !address.is_empty()));
        }
        let mut people: Vec<String> = people::named(Some(&value), std::iter::empty());
        if let Some(text) = value.get("household").and_then(serde_json::Value::as_str) {
            people.push(text.to_owned());
        }
        let safety = Overview::new(profile, &[]).blocks;
        let safety = safety.into_iter().find(|block| block.title == SAFETY);
        Self {
            name: label.label.as_deref().map(alike).unwrap_or_default(),
            addresses,
            people: people.iter().map(|name| words(name)).collect(),
            is_dangerous: safety.is_some_and(|block| !block.items.is_empty()),
            label,
        }
    }

    /// Tells whether the client of another case is named among the people of this one. One word is a name of many.
    fn names(&self, other: &Self) -> bool {
        let name = words(&other.name);
        name.trim().contains(' ') && self.people.iter().any(|people| people.contains(&name))
    }
}

/// A text as words without capitals and marks, one space before and after each.
fn words(text: &str) -> String {
    let mark = |c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | '-'));
    let words = text.split(mark).filter(|word| !word.is_empty()).map(str::to_lowercase);
    format!(" {} ", words.collect::<Vec<_>>().join(" "))
}

fn texts(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => found.push(text.clone()),
        serde_json::Value::Number(number) => found.push(number.to_string()),
        serde_json::Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        serde_json::Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        serde_json::Value::Null | serde_json::Value::Bool(_) => {}
    }
}

impl Session {
    /// Tells what is dangerous in the other cases of a case's household, and of how many of them nothing is told because
    /// they are too many. `notes` are those of the case.
    pub(super) fn household_dangers(
        &mut self,
        case: CaseId,
        notes: &[&Note],
        purpose: &ReadPurpose,
    ) -> Result<(Vec<HouseholdDanger>, u64)> {
        let alone = self
            .store
            .read(|tx| -> Result<_> { Ok(tx.streams(StreamKind::Case)?.len() < 2) })?;
        if alone {
            return Ok((Vec::new(), 0));
        }
        let ids: BTreeSet<&String> = notes.iter().filter_map(|note| note.joined.as_ref()).collect();
        let ids = ids.into_iter().cloned().collect();
        let joined: BTreeSet<CaseId> = self
            .joined_as_any(case, ids)?
            .into_iter()
            .map(|(case, _)| case)
            .collect();
        let logged = self.log_overview("households", purpose)?;
        let holder = &self.holder;
        let homes = self.store.read(|tx| holder.homes(tx, &logged))?;
        let mut household = homes.of(case, &joined);
        household.retain(|(other, _)| homes.0.contains_key(other));
        let more = household.len().saturating_sub(MOST);
        household.truncate(MOST);
        let mut found = Vec::new();
        for (other, by) in household {
            let logged = self.log(&Intent {
                operation: AccessOperation::Open,
                case: Some(other),
                records: &[],
                scope: Some(SCOPE),
                purpose,
            })?;
            let holder = &self.holder;
            let danger = self.store.read(|tx| holder.dangers_of(tx, other, &logged))?;
            found.extend(danger.map(|danger| HouseholdDanger {
                by: by.into_iter().map(|by| by.as_str().to_owned()).collect(),
                ..danger
            }));
        }
        Ok((found, u64::try_from(more).unwrap_or(u64::MAX)))
    }
}

impl Holder {
    /// Opens label and profile of every case of one's own, over both cores.
    pub(super) fn homes(&self, tx: &ReadTx<'_>, logged: &Logged) -> Result<Homes> {
        let heads = tx.streams(StreamKind::Case)?;
        let mut parts = Vec::with_capacity(heads.len());
        for case in heads.into_iter().filter_map(|head| head.stream.as_case()) {
            let stream = StreamId::case(case);
            tx.require_dense(stream)?;
            let admin = tx.records_of_class(stream, RecordClass::Admin)?;
            parts.push((case, self.case_opening(tx, case)?, admin));
        }
        let opened = parts.into_par_iter().map(|(case, opening, admin)| {
            let keys = self.open(opening)?;
            match self.records_of(&keys, &admin, logged) {
                // From before this member began anew, or of a case of which the core was not granted.
                Err(SessionError::NoKey { .. }) => Ok(None),
                // It was noted; where somebody lives whose records do not open is not known.
                Err(error) if missed::bad(&error).is_some() => Ok(None),
                records => {
                    let records = records?;
                    Ok(Some((
                        case,
                        Home::of(records.label, records.profile.line.profile.as_ref()),
                    )))
                }
            }
        });
        let homes: Result<HashMap<_, _>> = opened.filter_map(Result::transpose).collect();
        Ok(Homes(homes?))
    }

    /// Tells what is dangerous in a case; nothing where nothing is known.
    fn dangers_of(&self, tx: &ReadTx<'_>, case: CaseId, logged: &Logged) -> Result<Option<HouseholdDanger>> {
        let keys = self.case_keys_before_walk(tx, case)?;
        let records = self.case_records_or_unknown(tx, &keys, logged)?;
        let notes = self.read_case(tx, &keys, logged)?;
        let handles: Vec<String> = notes.iter().map(|read| read.record.handle()).collect();
        let named: Vec<(&Note, &str)> = notes
            .iter()
            .map(|read| &read.note)
            .zip(handles.iter().map(String::as_str))
            .collect();
        let blocks = Overview::new(records.profile.line.profile.as_ref(), &named).blocks;
        let safety = blocks.into_iter().find(|block| block.title == SAFETY);
        let (dangers, more) = safety.map(|block| (block.items, block.more)).unwrap_or_default();
        if dangers.is_empty() && records.label.flags.is_empty() {
            return Ok(None);
        }
        Ok(Some(HouseholdDanger {
            case: case.handle(),
            label: records.label.label,
            closed: records.label.status == CLOSED,
            by: Vec::new(),
            flags: records.label.flags,
            dangers,
            more,
        }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use vault_core::note::line::CaseLine;

    fn home(profile: serde_json::Value) -> Home {
        let profile = RawJson::from_value(&profile).unwrap();
        let line = CaseLine {
            profile: Some(profile.clone()),
            ..CaseLine::default()
        };
        Home::of(Label::of(&line, None), Some(&profile))
    }

    #[test]
    fn a_household_is_of_one_address_or_of_one_that_names_the_other() {
        let case = |n: u8| CaseId([n; 16]);
        let homes = Homes(HashMap::from([
            (
                case(1),
                home(serde_json::json!({"name": "Ada Pike", "address": {"street": "3 Mill Row", "town": "Leith"}})),
            ),
            (
                case(2),
                home(serde_json::json!({"name": "Ben Pike", "address": "3 mill  row, Leith."})),
            ),
            (
                case(3),
                home(
                    serde_json::json!({"name": "Cas", "household": "mother; ADA PIKE (sister), Ben", "danger_to_workers": "dog"}),
                ),
            ),
            (case(4), home(serde_json::json!({"name": "Pike", "address": ""}))),
            (
                case(5),
                home(serde_json::json!({"name": "Eve", "people": [{"name": "Ada Pikestaff"}]})),
            ),
        ]));
        let of = |n: u8, joined: &[u8]| {
            let joined = joined.iter().map(|n| case(*n)).collect();
            let found = homes.of(case(n), &joined);
            found.into_iter().map(|(case, by)| (case.0[0], by)).collect::<Vec<_>>()
        };
        assert_eq!(of(1, &[]), [(3, vec![By::Named]), (2, vec![By::Address])]);
        assert_eq!(of(3, &[]), [(1, vec![By::Named])]);
        assert_eq!(of(2, &[1, 5]), [(1, vec![By::Note, By::Address]), (5, vec![By::Note])]);
        assert_eq!(of(4, &[]), [], "one word is a name of many");
        let told = homes.dangerous(case(1), &BTreeSet::new(), &HashSet::from([case(2)]));
        let told: Vec<_> = told.into_iter().map(|kin| kin.label.unwrap()).collect();
        assert_eq!(told, ["Cas", "Ben Pike"]);
        assert!(homes.dangerous(case(2), &BTreeSet::new(), &HashSet::new()).is_empty());
    }
}
