//! Choosing a case by name, out of one's own caseload: the name is typed at a prompt, never on the command line.

use crate::agent::Vault;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::SessionError;
use crate::session::reply::CaseRow;
use crate::session::request::CaseListRequest;

const WHAT: &str = "the case";
const FLAG: &str = "its handle: `casevault case list` shows the handles of cases";

/// Most cases that are offered to choose from.
const MOST: usize = 20;

/// Unlocks, and takes the case that was named, or asks whose it is where nobody named one.
///
/// # Errors
/// As [`case`]; without a terminal it is refused before the passphrase is asked for.
pub fn unlock_for(run: &Invocation, named: Option<String>) -> Result<(Vault, String), CliError> {
    if let Some(named) = named {
        return Ok((run.unlock()?, named));
    }
    let mut session = run.unlock_to_ask(WHAT, FLAG)?;
    let case = case(run, &mut session)?;
    Ok((session, case))
}

/// Asks whose case it is, and returns its handle.
///
/// # Errors
/// [`CliError::NeedsFlag`] without a terminal; [`SessionError::NotFound`] after three names that are nobody's.
pub fn case(run: &Invocation, session: &mut Vault) -> Result<String, CliError> {
    let (what, flag) = (WHAT, FLAG);
    let mut cases = session
        .case_list(CaseListRequest {
            status: Some("open".to_owned()),
            ..CaseListRequest::default()
        })?
        .cases;
    let mut question = "Who: ";
    let mut typed = String::new();
    for _ in 0..3 {
        typed = run.ask(question, what, flag)?;
        // A number chooses out of the list that was just shown.
        let chosen = typed.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        if question != "Who: "
            && let Some(case) = chosen.and_then(|n| cases.get(n))
        {
            return Ok(tell(run, case));
        }
        let found: Vec<CaseRow> = cases.iter().filter(|case| fits(case, &typed)).cloned().collect();
        match found.as_slice() {
            [] => {}
            [one] => return Ok(tell(run, one)),
            several => {
                let shown = several.iter().take(MOST).zip(1..);
                let lines: Vec<String> = shown.map(|(case, n)| format!("{n:>3}  {}", line(case))).collect();
                run.ui.prompt(&lines.join("\n"));
                if several.len() > MOST {
                    run.ui
                        .prompt(&format!("  and {} more: type more of the name", several.len() - MOST));
                }
                question = "Which (number, or more of the name): ";
                cases = found;
                continue;
            }
        }
        run.ui.prompt("nobody in your caseload is called so");
    }
    let what = "case";
    Err(SessionError::NotFound { what, text: typed }.into())
}

/// Tells whether a name, a word of it, a handle or an external id begins as typed, whatever its capitals.
pub fn fits(case: &CaseRow, typed: &str) -> bool {
    let typed = typed.trim().to_lowercase();
    if typed.is_empty() {
        return true;
    }
    let label = case.label.as_deref().unwrap_or_default().to_lowercase();
    let ids = [Some(case.case.as_str()), case.external_id.as_deref()];
    label.starts_with(&typed)
        || label
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| word.starts_with(&typed))
        || ids
            .into_iter()
            .flatten()
            .any(|id| id.to_lowercase().starts_with(&typed))
}

fn line(case: &CaseRow) -> String {
    let flags = if case.flags.is_empty() {
        String::new()
    } else {
        format!("  [{}]", case.flags.join(", "))
    };
    format!("{}  {}{flags}", case.label.as_deref().unwrap_or("(no name)"), case.case)
}

fn tell(run: &Invocation, case: &CaseRow) -> String {
    run.ui.prompt(&line(case));
    case.case.clone()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_the_beginning_of_any_of_its_words() {
        let case = CaseRow {
            case: "c-7fk2m9qd".into(),
            external_id: Some("ext-00001".into()),
            status: "open".into(),
            notes: 0,
            label: Some("Elin O'Farrow-Brisk".into()),
            flags: Vec::new(),
            opened: None,
            template: None,
            worker: None,
        };
        for typed in ["el", "ELIN", "farr", "brisk", "elin o", "c-7f", "ext-0", ""] {
            assert!(fits(&case, typed), "{typed}");
        }
        for typed in ["lin", "arrow", "x"] {
            assert!(!fits(&case, typed), "{typed}");
        }
    }
}
