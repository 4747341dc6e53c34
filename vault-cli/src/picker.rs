//! Choosing a case by name, out of one's own caseload: the name is typed at a prompt, never on the command line.

use crate::agent::Vault;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::reply::{CaseRow, Namesake, Naming};
use crate::session::request::{
    CaseListRequest, CaseNamesakesRequest, CaseNamingRequest, CaseReopenRequest, ReadPurpose,
};
use crate::session::same_name;
use vault_core::note::display::escape_line;

const WHAT: &str = "the case";
/// The status of a case that takes notes.
const OPEN: &str = "open";
const FLAG: &str = "its handle: `casevault case list` shows the handles of cases";

/// Most cases that are offered to choose from.
const MOST: usize = 20;

/// What comes of a case that is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    /// It can be read as it is.
    Read,
    /// It takes no note: it is opened again, or another is chosen.
    Asked,
    /// It is opened again, or read as it is.
    AskedOrRead,
}

/// Unlocks, and takes the case that was named, or asks whose it is where nobody named one; a closed one too.
///
/// # Errors
/// As [`case()`]; without a terminal it is refused before the passphrase is asked for.
pub fn unlock_for(run: &Invocation, named: Option<String>) -> Result<(Vault, String), CliError> {
    unlock_and(run, named, Closed::Read)
}

/// As [`unlock_for`], of a case that takes notes.
///
/// # Errors
/// As [`unlock_for`].
pub fn unlock_to_add(run: &Invocation, named: Option<String>) -> Result<(Vault, String), CliError> {
    unlock_and(run, named, Closed::Asked)
}

fn unlock_and(run: &Invocation, named: Option<String>, closed: Closed) -> Result<(Vault, String), CliError> {
    if let Some(named) = named {
        return Ok((run.unlock()?, named));
    }
    let mut session = run.unlock_to_ask(WHAT, FLAG)?;
    let case = choose(run, &mut session, closed)?;
    Ok((session, case))
}

/// As [`case()`], of cases that are read: closed ones too.
///
/// # Errors
/// As [`case()`].
pub fn to_read(run: &Invocation, session: &mut Vault) -> Result<String, CliError> {
    choose(run, session, Closed::Read)
}

/// As [`case()`]; a closed one that is not to be opened again is read as it is.
///
/// # Errors
/// As [`case()`].
pub fn any(run: &Invocation, session: &mut Vault) -> Result<String, CliError> {
    choose(run, session, Closed::AskedOrRead)
}

/// Asks which of the closed cases is meant.
///
/// # Errors
/// As [`case()`]; [`CliError::Nothing`] where none is closed.
pub fn closed(run: &Invocation, session: &mut Vault) -> Result<String, CliError> {
    let mut all = session.case_list(CaseListRequest::default())?.cases;
    all.retain(|case| case.status != OPEN);
    if all.is_empty() {
        let what = "no case of yours is closed";
        return Err(CliError::Nothing { what });
    }
    among(run, session, &all, &[], Closed::Read)
}

/// Asks whose case it is, until somebody is found, and returns the handle: whoever types on is answered here, and not by the
/// shell.
///
/// # Errors
/// [`CliError::NeedsFlag`] without a terminal, [`CliError::NoOpenCase`]; [`CliError::NoAnswer`] for Ctrl-D,
/// [`CliError::Interrupted`] for Ctrl-C.
pub fn case(run: &Invocation, session: &mut Vault) -> Result<String, CliError> {
    choose(run, session, Closed::Asked)
}

fn choose(run: &Invocation, session: &mut Vault, of_closed: Closed) -> Result<String, CliError> {
    let all = session.case_list(CaseListRequest::default())?.cases;
    let (open, closed): (Vec<CaseRow>, Vec<CaseRow>) = all.into_iter().partition(|case| case.status == OPEN);
    if open.is_empty() && closed.is_empty() {
        return Err(CliError::NoOpenCase);
    }
    among(run, session, &open, &closed, of_closed)
}

/// Asks for one of the open cases; one of the closed where it is none of those.
fn among(
    run: &Invocation,
    session: &mut Vault,
    open: &[CaseRow],
    closed: &[CaseRow],
    of_closed: Closed,
) -> Result<String, CliError> {
    let (what, flag) = (WHAT, FLAG);
    // What a number and more of a name choose from, where several were shown.
    let mut offered: Vec<CaseRow> = Vec::new();
    loop {
        let question = match offered.is_empty() {
            true => "Who: ",
            false => "Which (number, or more of the name): ",
        };
        let typed = run.ask(question, what, flag)?;
        let chosen = typed.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        if let Some(case) = chosen.and_then(|n| offered.get(n)).cloned() {
            match take(run, session, &case, closed, of_closed)? {
                Some(case) => return Ok(case),
                None => offered.clear(),
            }
            continue;
        }
        let among =
            |cases: &[CaseRow]| -> Vec<CaseRow> { cases.iter().filter(|case| fits(case, &typed)).cloned().collect() };
        let mut found = among(&offered);
        for cases in [open, closed] {
            if found.is_empty() {
                found = among(cases);
            }
        }
        match found.as_slice() {
            [] => {
                let naming = naming(session, &typed, [open, closed])?;
                if naming.is_empty() {
                    run.ui
                        .prompt("nobody in your caseload is called so; Ctrl-D leaves, and nothing is written then");
                    offered.clear();
                    continue;
                }
                // Never taken unasked, though it be one: whose case it is, is somebody else.
                let shown = naming.iter().take(MOST).zip(1..).map(|((case, named), n)| {
                    let is_closed = if case.status == OPEN { "" } else { "  (closed)" };
                    format!(
                        "{n:>3}  {}{is_closed}, which names {}",
                        line(case, &[]),
                        escape_line(named)
                    )
                });
                let shown: Vec<String> = shown.collect();
                run.ui.prompt(&format!(
                    "nobody's own case; named in the cases of others:\n{}",
                    shown.join("\n")
                ));
                offered = naming.into_iter().map(|(case, _)| case).take(MOST).collect();
            }
            [one] => match take(run, session, one, closed, of_closed)? {
                Some(case) => return Ok(case),
                None => offered.clear(),
            },
            several => {
                offer(run, session, several, closed)?;
                offered = found;
            }
        }
    }
}

/// Finds the cases in which somebody is named so, each with whom it names.
fn naming(session: &mut Vault, typed: &str, cases: [&[CaseRow]; 2]) -> Result<Vec<(CaseRow, String)>, CliError> {
    let name = typed.to_owned();
    let purpose = ReadPurpose::default();
    let found = session.case_naming(CaseNamingRequest { name, purpose })?.cases;
    let row = |naming: Naming| {
        let mut all = cases.into_iter().flatten();
        let case = all.find(|case| case.case == naming.case)?;
        Some((case.clone(), naming.named))
    };
    Ok(found.into_iter().filter_map(row).collect())
}

/// Takes a case that was chosen. One that is closed is opened again where somebody says so; `None` where another is to be
/// chosen.
fn take(
    run: &Invocation,
    session: &mut Vault,
    case: &CaseRow,
    closed: &[CaseRow],
    of_closed: Closed,
) -> Result<Option<String>, CliError> {
    if case.status == OPEN {
        return Ok(Some(tell(run, case, closed)));
    }
    run.ui.prompt(&format!("{}  (closed)", line(case, &[])));
    let handle = case.case.clone();
    if of_closed == Closed::Read {
        return Ok(Some(handle));
    }
    let question = "This case is closed and takes no notes. Open it again? [y/N] ";
    if !run.confirm(question, "whether to open it again", "`casevault case reopen`")? {
        return Ok((of_closed == Closed::AskedOrRead).then_some(handle));
    }
    let reason = run.ask("Why is it opened again: ", "the reason", "`casevault case reopen`")?;
    let reply = session.case_reopen(CaseReopenRequest {
        case: handle,
        reason,
        on: None,
    })?;
    run.ui.prompt(&render::case::reopened(&reply));
    Ok(Some(reply.case))
}

/// Shows those who may be meant, by number, and the closed cases of the same names.
fn offer(run: &Invocation, session: &mut Vault, several: &[CaseRow], closed: &[CaseRow]) -> Result<(), CliError> {
    let shown = several.get(..MOST).unwrap_or(several);
    let alike = alike(session, shown)?;
    let others = closed
        .iter()
        .filter(|case| alike.iter().any(|one| one.case == case.case));
    let others: Vec<String> = others.map(|case| format!("     {}", line(case, &alike))).collect();
    let lines = shown.iter().zip(1..);
    let lines: Vec<String> = lines
        .map(|(case, n)| format!("{n:>3}  {}", line(case, &alike)))
        .collect();
    run.ui.prompt(&lines.join("\n"));
    if !others.is_empty() {
        run.ui
            .prompt(&format!("not offered, because closed:\n{}", others.join("\n")));
    }
    if several.len() > MOST {
        run.ui
            .prompt(&format!("  and {} more: type more of the name", several.len() - MOST));
    }
    Ok(())
}

/// Tells whether a name, a word of it, a handle or an external id begins as typed, whatever its capitals.
pub fn fits(case: &CaseRow, typed: &str) -> bool {
    let typed = typed.trim().to_lowercase();
    if typed.is_empty() {
        return true;
    }
    let ids = [Some(case.case.as_str()), case.external_id.as_deref()];
    let called = [case.label.as_deref(), case.name.as_deref()];
    let is_called = |name: &str| {
        let name = name.to_lowercase();
        name.starts_with(&typed)
            || name
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| word.starts_with(&typed))
    };
    called.into_iter().flatten().any(is_called)
        || ids
            .into_iter()
            .flatten()
            .any(|id| id.to_lowercase().starts_with(&typed))
}

/// Finds what tells those apart that are called the same, whatever the capitals, with the closed cases of those names.
fn alike(session: &mut Vault, cases: &[CaseRow]) -> Result<Vec<Namesake>, CliError> {
    let called = |case: &CaseRow| case.label.as_deref().map(same_name).filter(|name| !name.is_empty());
    let mut names: Vec<String> = cases.iter().filter_map(called).collect();
    names.sort_unstable();
    let twice = names.windows(2).filter(|two| matches!(two, [a, b] if a == b));
    let mut twice: Vec<String> = twice.filter_map(|two| two.first().cloned()).collect();
    twice.dedup();
    if twice.is_empty() {
        return Ok(Vec::new());
    }
    let request = CaseNamesakesRequest {
        names: twice,
        ..CaseNamesakesRequest::default()
    };
    Ok(session.case_namesakes(request)?.cases)
}

fn line(case: &CaseRow, alike: &[Namesake]) -> String {
    let flags = if case.flags.is_empty() {
        String::new()
    } else {
        format!("  [{}]", escape_line(&case.flags.join(", ")))
    };
    let which = alike.iter().find(|one| one.case == case.case);
    let which = which.map_or_else(|| case.case.clone(), render::case::namesake);
    // A name may come from elsewhere, and could forge a line.
    let name = escape_line(case.label.as_deref().unwrap_or("(no name)"));
    format!("{name}  {which}{flags}")
}

/// Says whose case was chosen, and which closed ones are called the same.
fn tell(run: &Invocation, case: &CaseRow, closed: &[CaseRow]) -> String {
    run.ui.prompt(&line(case, &[]));
    let name = |case: &CaseRow| case.label.as_deref().map(same_name);
    let same = closed
        .iter()
        .filter(|other| name(other).is_some() && name(other) == name(case));
    let same: Vec<&str> = same.map(|other| other.case.as_str()).collect();
    if !same.is_empty() {
        let cases = if same.len() == 1 { "case is" } else { "cases are" };
        run.ui
            .prompt(&format!("closed {cases} called so too: {}", same.join(", ")));
    }
    case.case.clone()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn named(name: &str) -> CaseRow {
        CaseRow {
            external_id: Some("ext-00001".into()),
            ..CaseRow::labelled("c-7fk2m9qd", name)
        }
    }

    #[test]
    fn a_name_that_forges_a_line_is_one_line() {
        let mut case = named("Jane Roe\n  9  Bob Safe  c-w4y4dp9j\u{1b}[31m");
        case.flags = vec!["dog\nerror: the vault is locked".into()];
        let line = line(&case, &[]);
        assert!(!line.contains(['\n', '\u{1b}']) && line.contains("Jane Roe"), "{line}");
    }

    #[test]
    fn a_name_is_found_by_the_beginning_of_any_of_its_words() {
        let case = named("Elin O'Farrow-Brisk");
        for typed in ["el", "ELIN", "farr", "brisk", "elin o", "c-7f", "ext-0", ""] {
            assert!(fits(&case, typed), "{typed}");
        }
        for typed in ["lin", "arrow", "x"] {
            assert!(!fits(&case, typed), "{typed}");
        }
    }
}
