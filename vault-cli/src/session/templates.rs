//! The policy set's templates, and the kinds of note that they allow.

use super::Result;
use super::SessionError;
use super::clock;
use casevault_policies::Oversight;
use casevault_policies::Reason;
use casevault_policies::Set;
use casevault_policies::Template;
use std::sync::OnceLock;
use vault_core::note::Note;
use vault_core::note::NoteKind;
use vault_core::note::gap;
use vault_core::note::gap::Gap;

/// The template of a case that names none.
pub(super) const DEFAULT: &str = "adult-social-care";

/// Loads the policy set's templates.
pub(super) fn load() -> Result<&'static Set> {
    static SET: OnceLock<Set> = OnceLock::new();
    if let Some(set) = SET.get() {
        return Ok(set);
    }
    let set = Set::embedded().map_err(|e| SessionError::Bug(e.to_string()))?;
    Ok(SET.get_or_init(|| set))
}

/// Loads the policy set's rules of after how long a case wants looking at.
pub(super) fn oversight() -> Result<&'static Oversight> {
    static RULES: OnceLock<Oversight> = OnceLock::new();
    if let Some(rules) = RULES.get() {
        return Ok(rules);
    }
    let rules = Oversight::embedded().map_err(|e| SessionError::Bug(e.to_string()))?;
    Ok(RULES.get_or_init(|| rules))
}

/// Tells what a note leaves open by the rules of its case's template: a visit to a child says whether it was seen.
pub(super) fn gap_of_case(rules: &Oversight, note: &Note, template: Option<&str>) -> Option<Gap> {
    let who = client_words(template).first().copied().unwrap_or("client");
    let (_, kinds) = rules.limits(template).visit?;
    gap::unseen(note, kinds, who, clock::here)
}

/// Tells whether a note of this kind is asked whether the client was seen.
pub(super) fn asks_seen(kind: &NoteKind, template: Option<&str>) -> Result<bool> {
    let visit = oversight()?.limits(template).visit;
    Ok(visit.is_some_and(|(_, kinds)| kinds.iter().any(|asked| asked == kind.as_str())))
}

/// Finds a template by its id, or an unambiguous beginning of it, in its newest version.
pub(super) fn find<'s>(set: &'s Set, id: &str) -> Result<&'s Template> {
    set.begins(id).ok_or_else(|| SessionError::NotFound {
        what: "template",
        text: id.to_owned(),
    })
}

/// Refuses a reason for closing that the template of the case does not list, in its newest version: an older one may list
/// none. A case without a template has the default one's.
pub(super) fn require_closing(set: &Set, template: Option<&str>, reason: &str) -> Result<()> {
    let listed = closing(set, template)?;
    if listed.iter().any(|known| known.code == reason) {
        return Ok(());
    }
    Err(SessionError::Unknown {
        what: "reason for closing",
        text: reason.to_owned(),
        known: listed.iter().map(|known| known.code.clone()).collect(),
    })
}

fn closing<'s>(set: &'s Set, template: Option<&str>) -> Result<&'s [Reason]> {
    let listed = template.and_then(|id| set.newest(id)).filter(|t| !t.closing.is_empty());
    let listed = listed.or_else(|| set.newest(DEFAULT));
    listed
        .map(|template| template.closing.as_slice())
        .ok_or_else(|| SessionError::Bug("the default template".to_owned()))
}

/// Returns the words for the client, besides `client`, in cases of a template: there the child is whose case it is, and its
/// guidance asks for the child's words with `said child:`.
pub(super) fn client_words(template: Option<&str>) -> &'static [&'static str] {
    match template {
        Some("child-and-family") => &["child"],
        _ => &[],
    }
}

/// Refuses an id that is no template's.
///
/// # Errors
/// [`SessionError::NotFound`].
pub fn require_template(id: &str) -> Result<()> {
    find(load()?, id).map(|_| ())
}

/// Returns the templates that a case can be opened under, the usual one first: those that are of no kind of note.
///
/// # Errors
/// [`SessionError::Bug`] only.
pub fn case_templates() -> Result<Vec<(String, String)>> {
    let set = load()?;
    let mut ids: Vec<&str> = set
        .iter()
        .filter(|t| t.kinds.is_empty())
        .map(|t| t.id.as_str())
        .collect();
    ids.dedup();
    ids.sort_by_key(|id| *id != DEFAULT);
    let newest = ids.into_iter().filter_map(|id| set.newest(id));
    Ok(newest.map(|t| (t.id.clone(), t.title.clone())).collect())
}

/// Returns the fields of a profile that are asked for when a case of a template is opened, each with its question: those of
/// the template's newest version, or of the usual one where that asks for none.
///
/// # Errors
/// [`SessionError::Bug`] only.
pub fn asked_fields(template: Option<&str>) -> Result<Vec<(String, String)>> {
    let set = load()?;
    let named = template.and_then(|id| set.begins(id));
    let named = named.filter(|t| t.profile.iter().any(|field| field.asked));
    let asked = named.or_else(|| set.newest(DEFAULT)).map(|t| t.profile.as_slice());
    let asked = asked.unwrap_or_default().iter().filter(|field| field.asked);
    Ok(asked.map(|field| (field.name.clone(), field.title.clone())).collect())
}

/// Returns the reasons for which a case of a template may be closed, each with its code and what it means.
///
/// # Errors
/// [`SessionError::Bug`] only.
pub fn closing_reasons(template: Option<&str>) -> Result<Vec<(String, String)>> {
    let listed = closing(load()?, template)?;
    Ok(listed
        .iter()
        .map(|reason| (reason.code.clone(), reason.title.clone()))
        .collect())
}

/// Returns the kinds that a note may be of: the given ones, those that templates define, and the one of whatever fits none.
///
/// # Errors
/// [`SessionError::Bug`] only.
pub fn note_kinds() -> Result<Vec<String>> {
    Ok(kinds(load()?))
}

/// As [`note_kinds`], of a set.
pub(crate) fn kinds(set: &Set) -> Vec<String> {
    let given = NoteKind::GIVEN.into_iter().chain([NoteKind::OTHER]).map(str::to_owned);
    let own = set.iter().flat_map(|t| t.kinds.iter().cloned());
    let mut known: Vec<String> = given.chain(own).collect();
    let mut seen = std::collections::HashSet::new();
    known.retain(|kind| seen.insert(kind.clone()));
    known
}

/// Refuses a kind of note that is neither given nor any template's.
pub(super) fn require_kind(set: &Set, kind: &NoteKind) -> Result<()> {
    if kind.is_given() || set.knows_kind(kind.as_str()) {
        return Ok(());
    }
    let known = NoteKind::GIVEN
        .iter()
        .map(|k| (*k).to_owned())
        .chain([NoteKind::OTHER.to_owned()])
        .collect();
    Err(SessionError::Unknown {
        what: "kind of note",
        text: kind.as_str().to_owned(),
        known,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use vault_core::founding::SECTIONS;

    #[test]
    fn a_new_agency_has_every_section_that_the_templates_name() {
        for template in load().unwrap().iter() {
            let named = template
                .headings
                .iter()
                .filter_map(|h| h.section.as_ref())
                .chain(&template.sections);
            for section in named {
                assert!(SECTIONS.contains(&section.as_str()), "{}: {section}", template.id);
            }
        }
    }

    #[test]
    fn every_field_that_a_template_asks_for_is_known() {
        for template in load().unwrap().iter() {
            for field in &template.profile {
                let known = vault_core::note::spelling::PROFILE.contains(&field.name.as_str());
                assert!(known, "{}: {}", template.id, field.name);
            }
        }
    }
}
