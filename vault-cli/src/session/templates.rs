//! Templates: from the policy set's form to the outline that the note's text form takes.

use super::Result;
use super::SessionError;
use casevault_policies::Set;
use casevault_policies::Template;
use vault_core::note::NoteKind;
use vault_core::note::SegmentKind;
use vault_core::note::text::Heading;
use vault_core::note::text::Outline;

/// Loads the policy set's templates.
pub(super) fn load() -> Result<Set> {
    Set::embedded().map_err(|e| SessionError::Bug(e.to_string()))
}

/// Finds a template by its id, in its newest version.
pub(super) fn find<'s>(set: &'s Set, id: &str) -> Result<&'s Template> {
    set.newest(id).ok_or_else(|| SessionError::NotFound { what: "template", text: id.to_owned() })
}

/// Refuses a kind of note that is neither given nor any template's.
pub(super) fn require_kind(set: &Set, kind: &NoteKind) -> Result<()> {
    if kind.is_given() || set.knows_kind(kind.as_str()) {
        return Ok(());
    }
    let known = NoteKind::GIVEN.iter().map(|k| (*k).to_owned()).chain([NoteKind::OTHER.to_owned()]).collect();
    Err(SessionError::Unknown { what: "kind of note", text: kind.as_str().to_owned(), known })
}

/// Makes a template's outline.
pub(super) fn outline(template: &Template) -> Outline {
    let kind = match template.kinds.as_slice() {
        [only] => NoteKind::new(only),
        _ => None,
    };
    let headings = template.headings.iter().map(|h| Heading {
        title: h.title.clone(),
        kind: SegmentKind::from_name(h.kind.as_str()).unwrap_or(SegmentKind::Narrative),
        section: h.section.clone(),
        guidance: h.guidance.clone(),
    });
    Outline {
        template: Some(template.id.clone()),
        version: Some(template.version),
        kind,
        headings: headings.collect(),
        prompts: template.prompts.clone(),
    }
}
