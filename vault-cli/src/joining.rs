//! Joining: what `member join`, `device join` and `sync` have in common on the machine that joins, and `member approve` and
//! `device approve` on the one that lets it in.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use vault_core::crypto::passphrase::Cost;

use crate::agent::Vault;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::{ApproveCodeRequest, JoinRequest};
use crate::session::{Passphrase, Session, SessionError};

/// Bytes of a sheet's file at most: rows, what is said on it, and a QR code.
const LONGEST: u64 = 64 << 10;

/// Joins with a sheet, or goes on with what waits here.
///
/// # Errors
/// As [`Session::join`].
pub fn run(
    run: &Invocation,
    sheet: Option<&Path>,
    as_device: bool,
    backup: Option<PathBuf>,
    cost: Cost,
) -> Result<(), CliError> {
    let places = run.places()?;
    Session::require_joinable(&places)?;
    let waits = Session::is_joining(&places);
    if sheet.is_none() && !waits {
        return Err(CliError::NeedsFlag {
            what: "the sheet",
            flag: "`--sheet SHEET`",
        });
    }
    let request = JoinRequest {
        sheet: sheet.map(read).transpose()?,
        as_device,
        backup,
        cost,
    };
    let join = |passphrase: &Passphrase| {
        let watch = run.watch()?;
        Ok(Session::join(&places, &request, passphrase, watch.task())?)
    };
    let reply = match waits {
        true => run.with_passphrase(join)?,
        false => join(&run.first_passphrase()?)?,
    };
    let (done, handle) = match (reply.enrolled, as_device) {
        (true, true) => ("joined as device", &reply.device),
        (true, false) => ("joined as member", &reply.member),
        (false, true) => ("asked to join as device", &reply.device),
        (false, false) => ("asked to join as member", &reply.member),
    };
    run.ui.made(&reply, done, handle, &render::member::joined(&reply))?;
    match reply.enrolled {
        true => run
            .ui
            .hint("`casevault sync` fetches the cases that are yours; burn the sheet"),
        false => run.ui.hint(&format!(
            "read the code {} to whoever made the sheet; once they have approved, `casevault sync` finishes it",
            reply.code
        )),
    }
    Ok(())
}

/// Goes on with what waits here, for `sync`; tells whether there is a vault now.
///
/// # Errors
/// As [`Session::join`]; [`SessionError::NotEnrolled`] while it is not approved.
pub fn finish(run: &Invocation) -> Result<(), CliError> {
    let places = run.places()?;
    if !Session::is_joining(&places) {
        return Ok(());
    }
    let request = JoinRequest::default();
    let reply = run.with_passphrase(|passphrase| {
        let watch = run.watch()?;
        Ok(Session::join(&places, &request, passphrase, watch.task())?)
    })?;
    match reply.enrolled {
        true => {
            run.ui
                .note(&format!("enrolled: {} on device {}", reply.member, reply.device));
            Ok(())
        }
        false => {
            let (home, device) = (reply.home, reply.device);
            Err(SessionError::NotEnrolled { home, device }.into())
        }
    }
}

/// What is missing without a terminal, and how to give it.
const CODE: (&str, &str) = (
    "the code that the other machine shows",
    "`--code CODE`, as whoever sits at it reads it out",
);

/// Refuses to let anybody in by a code that nobody compared.
pub fn no_code() -> CliError {
    CliError::NeedsFlag {
        what: CODE.0,
        flag: CODE.1,
    }
}

/// Returns the code under which somebody is let in: the one that is given, or on a terminal the one here once a person says
/// that the other machine shows it. None for a device that another member certified, which shows none.
///
/// # Errors
/// [`CliError::NeedsFlag`] where no code is given and nobody can be asked; [`CliError::NotLetIn`] where the machine shows another
/// one; as [`Session::approve_code`].
pub fn compared(
    run: &Invocation,
    session: &mut Vault,
    handle: &str,
    given: Option<String>,
) -> Result<Option<String>, CliError> {
    if given.is_some() {
        return Ok(given);
    }
    let watch = run.watch()?;
    let handle = handle.to_owned();
    let here = session.approve_code(ApproveCodeRequest { handle }, watch.task())?;
    drop(watch);
    let Some(code) = here.code else { return Ok(None) };
    let of = here.name.map_or_else(String::new, |name| format!(" of {name}"));
    let question = format!("Does the other machine{of} show {code}? [y/N] ");
    match run.confirm(&question, CODE.0, CODE.1)? {
        true => Ok(Some(code)),
        false => Err(CliError::NotLetIn),
    }
}

fn read(path: &Path) -> Result<String, CliError> {
    let failed = |e| CliError::io(format!("could not read `{}`", path.display()), e);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LONGEST {
        let (what, limit) = (format!("`{}`", path.display()), LONGEST);
        return Err(SessionError::TooLong { what, limit }.into());
    }
    // What is no UTF-8 has no row of a sheet in it.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
