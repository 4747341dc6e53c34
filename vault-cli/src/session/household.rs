//! Cases of one household: what is dangerous in one is told before a visit to the other.
//!
//! Nobody says of two cases that they are of one household. It follows from what is recorded: a note that was written into
//! both, one that names the other's client among its people, an adult whom both name, or the same address. Only cases that
//! are one's own are looked at. Whom a household names and no case is of is said too: that nothing is told of a danger is
//! not that there is none.
//!
//! ```text
//! profiles of one's own cases, joining ids of notes ─> cases of the household ─> their dangers ─> an entry for each that is told
//!                                                  └─> names without a case, or of several
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
use super::reading::CaseRecords;
use super::reply::CASE_NAMING;
use super::reply::CaseNamingReply;
use super::reply::HouseholdCase;
use super::reply::HouseholdDanger;
use super::reply::HouseholdName;
use super::reply::Naming;
use super::reply::UnopenedRow;
use super::request::CaseNamingRequest;
use super::request::ReadPurpose;
use crate::store::ReadTx;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use vault_core::id::CaseId;
use vault_core::note::Note;
use vault_core::note::danger::Dangers;
use vault_core::note::extra::RawJson;
use vault_core::note::household;
use vault_core::note::household::Named;
use vault_core::note::overview::Item;
use vault_core::note::people;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;

/// What the access log calls it.
const SCOPE: &str = "dangers of the household";

/// Most cases of a household that are opened for a brief: an address may be that of a hostel.
const MOST: usize = 12;

/// How two cases are of one household, the surest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Note,
    Named,
    /// The same person is named in both; as one of them writes it.
    Adult(String),
    Address,
    /// By what nobody is to read on a screen: an address that is kept from others.
    Unsaid,
}

impl By {
    fn words(&self) -> String {
        match self {
            Self::Note => "a note of both".to_owned(),
            Self::Named => "named among its people".to_owned(),
            Self::Adult(name) => format!("both name {name}"),
            Self::Address => "same address".to_owned(),
            Self::Unsaid => "one household".to_owned(),
        }
    }
}

/// How sure it is that a name is a case's client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// First and last name are the client's, or the first alone where both clients have one last name.
    Sure,
    /// The first name is, and nothing else is known.
    Perhaps,
}

/// What a case says of where its client lives, and with whom.
struct Home {
    label: Label,
    /// What its client is called, in words of lower case: by name, and by what lists show instead.
    names: Vec<Vec<String>>,
    address: Option<String>,
    hidden_address: Option<String>,
    /// Whom it names as of the household or the family.
    household: Vec<Named>,
    /// The names of all its people.
    people: Vec<String>,
    /// All whom it names, as they are written.
    written: Vec<String>,
    /// Whom its restrictions of contact name.
    restricted: Vec<String>,
    is_dangerous: bool,
}

/// The homes of one's own caseload, closed cases too.
pub(super) struct Homes(HashMap<CaseId, Home>);

/// What is known of a case's household.
#[derive(Default)]
pub(super) struct Household {
    /// What is dangerous in its other cases.
    pub(super) dangers: Vec<HouseholdDanger>,
    /// How many more cases of it there are than were looked at.
    pub(super) more: u64,
    /// Whom it names, and no case of one's own is of, or more than one may be.
    pub(super) unclear: Vec<HouseholdName>,
    /// What did not open of the cases that were looked through.
    pub(super) unopened: Vec<UnopenedRow>,
}

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
            } else if let Some(adult) = own.shares(home) {
                found.entry(*other).or_default().insert(By::Adult(adult));
            }
            let same = |one: &Option<String>, two: &Option<String>| one.is_some() && one == two;
            if same(&own.address, &home.address) {
                found.entry(*other).or_default().insert(By::Address);
            } else if same(&own.hidden_address, &home.hidden_address)
                || same(&own.hidden_address, &home.address)
                || same(&own.address, &home.hidden_address)
            {
                found.entry(*other).or_default().insert(By::Unsaid);
            }
        }
        let mut found: Vec<(CaseId, Vec<By>)> = found
            .into_iter()
            .map(|(case, by)| (case, by.into_iter().collect()))
            .collect();
        found.sort_by(|(a, a_by), (b, b_by)| (a_by.first(), a).cmp(&(b_by.first(), b)));
        found
    }

    /// Says whom a case's household names of whom no case of one's own is, or more than one may be. `household` are the
    /// cases that are of it.
    fn unclear(&self, case: CaseId, household: &[(CaseId, Vec<By>)]) -> Vec<HouseholdName> {
        let Some(own) = self.0.get(&case) else {
            return Vec::new();
        };
        let mut found: Vec<(&Named, HouseholdName)> = Vec::new();
        for named in own.household.iter().filter(|named| own.fit(named, own).is_none()) {
            let mut fits: Vec<(CaseId, Fit)> = self
                .0
                .iter()
                .filter(|(other, _)| **other != case)
                .filter_map(|(other, home)| Some((*other, own.fit(named, home)?)))
                .collect();
            let sure = fits.iter().filter(|(_, fit)| *fit == Fit::Sure).count();
            let is_of_household = |other: &CaseId| household.iter().any(|(case, _)| case == other);
            let is_clear = match sure {
                0 => fits.iter().filter(|(other, _)| is_of_household(other)).count() == 1,
                sure => sure == 1,
            };
            if is_clear || (fits.is_empty() && !named.is_name) {
                continue;
            }
            if sure > 0 {
                fits.retain(|(_, fit)| *fit == Fit::Sure);
            }
            fits.sort_by_key(|(other, _)| *other);
            let may_be = fits.iter().filter_map(|(other, _)| self.row(*other)).collect();
            let name = named.text.clone();
            found.push((named, HouseholdName { name, may_be }));
        }
        // Two fields name one person, in one by the first name alone perhaps: the fuller name stays, the first of equals.
        let is_less = |one: &Named, other: &Named| match one.words.as_slice() {
            [first] => other.words.len() > 1 && other.words.first() == Some(first),
            _ => false,
        };
        let is_again = |at: usize| {
            let Some((one, shown)) = found.get(at) else {
                return false;
            };
            let mut others = found.iter().enumerate();
            others.any(|(index, (other, also))| {
                also.may_be == shown.may_be && (is_less(one, other) || index < at && other.words == one.words)
            })
        };
        let again: Vec<bool> = (0..found.len()).map(is_again).collect();
        let once = found.into_iter().zip(again).filter(|(_, again)| !again);
        once.map(|((_, name), _)| name).collect()
    }

    fn row(&self, case: CaseId) -> Option<HouseholdCase> {
        let home = self.0.get(&case)?;
        Some(HouseholdCase {
            case: case.handle(),
            label: home.label.label.clone(),
        })
    }

    /// Tells whether something dangerous is known of a case: by the profile, or by a note, as `by_note` tells.
    pub(super) fn is_dangerous(&self, case: CaseId, by_note: &HashSet<CaseId>) -> bool {
        let home = self.0.get(&case);
        home.is_some_and(|home| home.is_dangerous || !home.label.flags.is_empty()) || by_note.contains(&case)
    }

    /// Gives those other cases of the household of which [`Self::is_dangerous`] tells it.
    pub(super) fn dangerous(
        &self,
        case: CaseId,
        joined: &BTreeSet<CaseId>,
        by_note: &HashSet<CaseId>,
    ) -> Vec<HouseholdCase> {
        let others = self.of(case, joined).into_iter().map(|(other, _)| other);
        let others = others.filter(|other| self.is_dangerous(*other, by_note));
        others.filter_map(|other| self.row(other)).collect()
    }
}

impl Home {
    fn of(label: Label, profile: Option<&RawJson>) -> Self {
        let value = profile.map(RawJson::value).unwrap_or_default();
        let address = |field: &str| {
            let mut words = Vec::new();
            texts(value.get(field).unwrap_or(&serde_json::Value::Null), &mut words);
            let address = alike(&words.join(" ").replace([',', '.', ';'], " "));
            Some(address).filter(|address| !address.is_empty())
        };
        let people = people::named(Some(&value), std::iter::empty());
        let household = household::named(&value);
        let of_household = household.iter().map(|named| named.text.clone());
        let written = of_household.chain(people.iter().cloned()).collect();
        let called = [label.name.as_deref(), label.label.as_deref()];
        let mut names: Vec<Vec<String>> = called.into_iter().flatten().map(household::name_words).collect();
        names.retain(|name| !name.is_empty());
        names.dedup();
        Self {
            names,
            address: address("address"),
            hidden_address: address("confidential_address"),
            household,
            written,
            restricted: household::restricted(&value),
            people: people.iter().map(|name| words(name)).collect(),
            is_dangerous: !Dangers::new(profile, &[]).items.is_empty(),
            label,
        }
    }

    /// Tells whether the client of another case is named among the people of this one.
    fn names(&self, other: &Self) -> bool {
        let is_sure = |named: &Named| self.fit(named, other) == Some(Fit::Sure);
        // One word is a name of many.
        let whole = other.names.iter().filter(|name| name.len() > 1);
        let mut whole = whole.map(|name| format!(" {} ", name.join(" ")));
        self.household.iter().any(is_sure) || whole.any(|name| self.people.iter().any(|people| people.contains(&name)))
    }

    /// Tells how a name that this case gives fits another's client.
    fn fit(&self, named: &Named, other: &Self) -> Option<Fit> {
        let own_last = self
            .names
            .iter()
            .filter(|name| name.len() > 1)
            .filter_map(|name| name.last());
        let own_last: Vec<&String> = own_last.collect();
        let fits = other.names.iter().filter_map(|name| {
            let (first, last) = (name.first()?, name.last()?);
            match (named.words.as_slice(), name.len()) {
                ([_], 1) => (named.words == *name).then_some(Fit::Perhaps),
                ([one], _) if one == first => Some(match own_last.contains(&last) {
                    true => Fit::Sure,
                    false => Fit::Perhaps,
                }),
                ([_], _) => None,
                ([one, ..], 1) => (one == first).then_some(Fit::Perhaps),
                // In any order, with other names between: `Ash, Noah James`.
                (words, _) => (words.contains(first) && words.contains(last)).then_some(Fit::Sure),
            }
        });
        let fits: Vec<Fit> = fits.collect();
        let is_sure = fits.contains(&Fit::Sure);
        (!fits.is_empty()).then_some(if is_sure { Fit::Sure } else { Fit::Perhaps })
    }

    /// Names somebody whom both households name, by more than one word.
    fn shares(&self, other: &Self) -> Option<String> {
        let is_same = |one: &Named, two: &Named| {
            let ends = |named: &Named| (named.words.first().cloned(), named.words.last().cloned());
            one.words.len() > 1 && two.words.len() > 1 && ends(one) == ends(two)
        };
        let mut own = self.household.iter();
        let shared = own.find(|one| other.household.iter().any(|two| is_same(one, two)))?;
        Some(shared.text.clone())
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

/// The joining ids of notes that stand in several files, by their handles in one of them.
type Joins = HashMap<String, String>;

fn joins_of(notes: &[(&Note, &str)]) -> Joins {
    let joined = notes
        .iter()
        .filter_map(|(note, handle)| Some(((*handle).to_owned(), note.joined.clone()?)));
    joined.collect()
}

/// Leaves of a danger that stands in a note of several cases the first, with the names of the others: the case's own before
/// those of its household. A case of which nothing else is told is not told of.
fn tell_once(own: &mut [Item], joins: &Joins, found: &mut Vec<(CaseId, HouseholdDanger, Joins)>) {
    let key = |item: &Item, joins: &Joins| Some((joins.get(item.note.as_ref()?)?.clone(), item.text.clone()));
    let mut first: HashMap<(String, String), (Option<usize>, usize)> = HashMap::new();
    for (at, item) in own.iter().enumerate() {
        if let Some(key) = key(item, joins) {
            first.entry(key).or_insert((None, at));
        }
    }
    let mut also: Vec<((Option<usize>, usize), String)> = Vec::new();
    for (index, (_, danger, joins)) in found.iter_mut().enumerate() {
        let name = danger.label.clone().unwrap_or_else(|| danger.case.clone());
        let mut kept = Vec::with_capacity(danger.dangers.len());
        for item in danger.dangers.drain(..) {
            let key = key(&item, joins);
            match key.as_ref().and_then(|key| first.get(key)) {
                Some(told) => also.push((*told, name.clone())),
                None => {
                    if let Some(key) = key {
                        first.insert(key, (Some(index), kept.len()));
                    }
                    kept.push(item);
                }
            }
        }
        danger.dangers = kept;
    }
    for ((of, at), name) in also {
        let item = match of {
            None => own.get_mut(at),
            Some(index) => found
                .get_mut(index)
                .and_then(|(_, danger, _)| danger.dangers.get_mut(at)),
        };
        if let Some(item) = item.filter(|item| !item.also_of.contains(&name)) {
            item.also_of.push(name);
        }
    }
    found.retain(|(_, danger, _)| !(danger.dangers.is_empty() && danger.flags.is_empty() && danger.more == 0));
}

impl Session {
    /// Tells what is known of a case's household; `records` and `notes` are those of the case, and `own` its own dangers: one
    /// that stands in a note of several cases is told once, and names the others.
    ///
    /// The other cases are looked through as for an overview. An entry is made for each of which words are told, before they
    /// are.
    pub(super) fn household(
        &mut self,
        case: CaseId,
        records: &CaseRecords,
        notes: &[(&Note, &str)],
        own: &mut [Item],
        purpose: &ReadPurpose,
    ) -> Result<Household> {
        let alone = self
            .store
            .read(|tx| -> Result<_> { Ok(tx.streams(StreamKind::Case)?.len() < 2) })?;
        if alone {
            // There is nothing to open: what it names is here already.
            let home = Home::of(records.label.clone(), records.profile.line.profile.as_ref());
            return Ok(Household {
                unclear: Homes(HashMap::from([(case, home)])).unclear(case, &[]),
                ..Household::default()
            });
        }
        let ids: BTreeSet<&String> = notes.iter().filter_map(|(note, _)| note.joined.as_ref()).collect();
        let ids = ids.into_iter().cloned().collect();
        let joined: BTreeSet<CaseId> = self
            .joined_as_any(case, ids)?
            .into_iter()
            .map(|(case, _)| case)
            .collect();
        let logged = self.log_overview("households", purpose)?;
        let holder = &self.holder;
        let (mut found, unclear, more) = self.store.read(|tx| -> Result<_> {
            let homes = holder.homes(tx, &logged)?;
            let mut household = homes.of(case, &joined);
            let unclear = homes.unclear(case, &household);
            household.retain(|(other, _)| homes.0.contains_key(other));
            let more = household.len().saturating_sub(MOST);
            household.truncate(MOST);
            let mut found = Vec::new();
            for (other, by) in household {
                if let Some((danger, joins)) = holder.dangers_of(tx, other, &logged)? {
                    let by = by.iter().map(By::words).collect();
                    found.push((other, HouseholdDanger { by, ..danger }, joins));
                }
            }
            Ok((found, unclear, more))
        })?;
        tell_once(own, &joins_of(notes), &mut found);
        let mut dangers = Vec::with_capacity(found.len());
        for (other, danger, _) in found {
            self.log(&Intent {
                operation: AccessOperation::Open,
                case: Some(other),
                records: &[],
                scope: Some(SCOPE),
                purpose,
            })?;
            dangers.push(danger);
        }
        Ok(Household {
            dangers,
            more: u64::try_from(more).unwrap_or(u64::MAX),
            unclear,
            unopened: logged.unopened(),
        })
    }
}

impl Session {
    /// Lists the cases whose profile names somebody as of the household or the people: a parent has no case, and is who rings.
    ///
    /// # Errors
    /// [`SessionError::LogFailed`], [`SessionError::Refused`].
    pub fn case_naming(&mut self, request: CaseNamingRequest) -> Result<CaseNamingReply> {
        let typed = alike(&request.name);
        let mut cases = Vec::new();
        if !typed.is_empty() {
            let logged = self.log_overview("people of cases", &request.purpose)?;
            let homes = self.store.read(|tx| self.holder.homes(tx, &logged))?;
            for (case, home) in homes.0 {
                let all = home.written.iter().chain(&home.restricted);
                let mut named = all.filter(|name| begins_a_word(name, &typed));
                if let Some(named) = named.next().cloned() {
                    let case = case.handle();
                    cases.push(Naming { case, named });
                }
            }
        }
        cases.sort_by(|a, b| a.case.cmp(&b.case));
        Ok(CaseNamingReply {
            schema: CASE_NAMING,
            cases,
        })
    }
}

/// Tells whether a name, or a word of it, begins as typed in lower case.
pub(crate) fn begins_a_word(name: &str, typed: &str) -> bool {
    let name = name.to_lowercase();
    let starts = name.match_indices(typed).map(|(at, _)| at);
    let is_word = |at: usize| {
        !name
            .get(..at)
            .is_some_and(|before| before.ends_with(char::is_alphanumeric))
    };
    starts.into_iter().any(is_word)
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
            if !keys.state.holds_anything(self.member) {
                // What is here of a case that was left can be read, and is nobody's household any more.
                return Ok(None);
            }
            match self.records_of(&keys, &admin, logged) {
                // From before this member began anew, or of a case of which the core was not granted.
                Err(SessionError::NoKey { .. }) => Ok(None),
                // It was noted; where somebody lives whose records do not open is not known, and what they are called may be.
                Err(error) if missed::bad(&error).is_some() => {
                    let label = self.label_of(&keys, &admin, logged).ok();
                    Ok(label.map(|label| (case, Home::of(label, None))))
                }
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
    fn dangers_of(&self, tx: &ReadTx<'_>, case: CaseId, logged: &Logged) -> Result<Option<(HouseholdDanger, Joins)>> {
        let keys = self.case_keys_before_walk(tx, case)?;
        let records = self.case_records_or_unknown(tx, &keys, logged)?;
        let notes = self.read_case(tx, &keys, logged)?;
        let handles: Vec<String> = notes.iter().map(|read| read.record.handle()).collect();
        let named: Vec<(&Note, &str)> = notes
            .iter()
            .map(|read| &read.note)
            .zip(handles.iter().map(String::as_str))
            .collect();
        let Dangers { items, more } = Dangers::new(records.profile.line.profile.as_ref(), &named);
        if items.is_empty() && records.label.flags.is_empty() {
            return Ok(None);
        }
        let joins = joins_of(&named);
        let danger = HouseholdDanger {
            case: case.handle(),
            label: records.label.label,
            closed: records.label.status == CLOSED,
            by: Vec::new(),
            flags: records.label.flags,
            dangers: items,
            more,
        };
        Ok(Some((danger, joins)))
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
