//! `casevault backup restore`.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::reply::RestoreReply;
use crate::session::request::RestoreRequest;

/// The longest ledger, in bytes.
const LONGEST_LEDGER: u64 = 64 << 20;

/// Restores a backup in an empty folder, with the passphrase that it was made under
///
/// This machine becomes a new device, and the devices that there were are retired: restore only where they are lost.
/// Everything is verified before the vault is there; a backup that is cut short or changed restores nothing.
///
/// Without the passphrase, `casevault recovery restore` opens it with the cards.
#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// A ledger of erasures, done again before anything opens
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,

    /// Makes a new recovery key, for when too many cards are lost: those that are left open older backups only
    #[arg(long)]
    pub new_recovery_key: bool,
}

pub(super) fn run(args: &RestoreArgs, run: &Invocation) -> Result<(), CliError> {
    let places = run.places()?;
    Session::require_restorable(&places)?;
    let (mut from, mut request) = open(&args.file, args.ledger.as_deref())?;
    request.new_recovery_key = args.new_recovery_key;
    let mut was_read = false;
    let reply = run.with_passphrase(|passphrase| {
        // After a wrong passphrase, from its start.
        if std::mem::replace(&mut was_read, true) {
            let doing = format!("could not read `{}` again", args.file.display());
            from.rewind().map_err(|e| CliError::io(doing, e))?;
        }
        let watch = run.watch()?;
        Ok(Session::restore(
            &places,
            request.clone(),
            passphrase,
            &mut from,
            watch.task(),
        )?)
    })?;
    tell(&reply, run)
}

/// Opens what is restored from.
pub(in crate::commands) fn open(backup: &Path, ledger: Option<&Path>) -> Result<(File, RestoreRequest), CliError> {
    let failed = |path: &Path| {
        let doing = format!("could not read `{}`", path.display());
        move |e| CliError::io(doing, e)
    };
    let from = File::open(backup).map_err(failed(backup))?;
    let meta = from.metadata().map_err(failed(backup))?;
    let ledger = match ledger {
        None => None,
        Some(path) => {
            let mut bytes = Vec::new();
            let opened = File::open(path).map_err(failed(path))?;
            opened
                .take(LONGEST_LEDGER + 1)
                .read_to_end(&mut bytes)
                .map_err(failed(path))?;
            if bytes.len() as u64 > LONGEST_LEDGER {
                let (what, limit) = (format!("`{}`", path.display()), LONGEST_LEDGER);
                return Err(SessionError::TooLong { what, limit }.into());
            }
            Some(bytes)
        }
    };
    let bytes = meta.is_file().then_some(meta.len());
    let new_recovery_key = false;
    let request = RestoreRequest {
        bytes,
        ledger,
        new_recovery_key,
    };
    Ok((from, request))
}

/// Tells what is there now, and what to do next.
pub(in crate::commands) fn tell(reply: &RestoreReply, run: &Invocation) -> Result<(), CliError> {
    run.ui.made(
        reply,
        "restored on device",
        &reply.device,
        &render::backup::restored(reply),
    )?;
    if !reply.failures.is_empty() {
        return Err(CliError::VerifyFailed {
            failures: reply.failures.len(),
        });
    }
    if reply.recovery_owed {
        run.ui.note(
            "the recovery key is still the one that was used, and whoever has its cards opens what is written from now on: \
             more than one administrator signs a root; `casevault recovery split --new-key --out-dir DIR --out FILE` proposes a \
             new key to the others",
        );
    }
    if reply.recovery_renewed {
        run.ui.hint(
            "there is a new recovery key, and old cards are stale: make new ones with `casevault recovery split`, then a \
             new backup",
        );
    } else {
        run.ui
            .hint("make a new backup with `casevault backup create --out FILE`");
    }
    Ok(())
}
