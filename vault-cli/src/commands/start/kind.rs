//! Of what kind a note is that is begun on a terminal without saying so.

use std::collections::HashMap;

use vault_core::note::NoteKind;

use crate::agent::Vault;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::request::NoteListRequest;

const WHAT: &str = "the kind of the note";
const FLAG: &str = "`casevault note add CASE --kind KIND`";

/// Asks for the kind, by number, name or a beginning that only one has; Enter takes the one that most of the case's notes are
/// of. The kind chooses the template whose headings the editor opens with.
///
/// # Errors
/// [`CliError::NoAnswer`] for Ctrl-D, [`CliError::Interrupted`].
pub(in crate::commands) fn ask(run: &Invocation, session: &mut Vault, case: &str) -> Result<NoteKind, CliError> {
    let kinds = crate::session::note_kinds()?;
    let listed = session.note_list(NoteListRequest {
        case: case.to_owned(),
        ..NoteListRequest::default()
    })?;
    let usual = usual(listed.notes.iter().map(|note| note.kind.as_str()), &kinds);
    let lines: Vec<String> = kinds
        .iter()
        .zip(1..)
        .map(|(kind, n)| format!("{n:>3}  {kind}"))
        .collect();
    run.ui.prompt(&lines.join("\n"));
    loop {
        let question = match usual {
            Some(usual) => format!("Kind (number or name) [{usual}]: "),
            None => "Kind (number or name): ".to_owned(),
        };
        let answer = run.ask(&question, WHAT, FLAG)?;
        let chosen = match answer.as_str() {
            "" => usual,
            typed => chosen(typed, &kinds),
        };
        if let Some(kind) = chosen.and_then(NoteKind::new) {
            return Ok(kind);
        }
        run.ui.hint("write one of the numbers or names; Ctrl-D leaves it");
    }
}

/// The kind that most notes are of; of two, the one that stands first. `other` says nothing, and is no habit.
fn usual<'k>(notes: impl Iterator<Item = &'k str>, kinds: &'k [String]) -> Option<&'k str> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for kind in notes.filter(|kind| *kind != NoteKind::OTHER) {
        *counts.entry(kind).or_default() += 1;
    }
    let most = counts.values().max()?;
    kinds
        .iter()
        .map(String::as_str)
        .find(|kind| counts.get(kind) == Some(most))
}

fn chosen<'k>(typed: &str, kinds: &'k [String]) -> Option<&'k str> {
    if let Ok(number) = typed.parse::<usize>() {
        return kinds.get(number.checked_sub(1)?).map(String::as_str);
    }
    let typed = typed.to_lowercase();
    let whole = kinds.iter().find(|kind| **kind == typed);
    let mut begin = kinds.iter().filter(|kind| kind.starts_with(&typed));
    let only = begin.next().filter(|_| begin.next().is_none());
    whole.or(only).map(String::as_str)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_kind_is_that_of_most_notes_and_a_beginning_is_enough_where_it_is_of_one() {
        let kinds = ["interview", "home-visit", "phone", "court", "correspondence", "other"].map(str::to_owned);
        assert_eq!(
            usual(["phone", "home-visit", "other", "other"].into_iter(), &kinds),
            Some("home-visit")
        );
        assert_eq!(
            usual(["phone", "phone", "home-visit"].into_iter(), &kinds),
            Some("phone")
        );
        assert_eq!(usual(["other"].into_iter(), &kinds), None);
        for (typed, kind) in [
            ("2", Some("home-visit")),
            ("Ho", Some("home-visit")),
            ("co", None),
            ("court", Some("court")),
        ] {
            assert_eq!(chosen(typed, &kinds), kind, "{typed}");
        }
        assert_eq!(
            (chosen("0", &kinds), chosen("9", &kinds), chosen("x", &kinds)),
            (None, None, None)
        );
    }
}
