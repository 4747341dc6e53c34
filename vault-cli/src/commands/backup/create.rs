//! `casevault backup create`.

use std::path::PathBuf;

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::part::{Part, require_new};
use crate::render;

/// Writes a backup: one sealed file that restores everything on an empty machine
///
/// It holds the store, the attachments and what is needed to read them, sealed to the passphrase of now and to the
/// recovery cards. It holds no device key: restoring it makes a new device. Work may go on meanwhile; the backup holds
/// the vault as it was at one moment.
///
/// Example: `casevault backup create --out /media/stick/vault.backup`
#[derive(Args, Debug)]
pub struct CreateArgs {
    /// The file, readable by you alone
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,

    /// Replaces a file that is there
    #[arg(long)]
    pub force: bool,
}

pub(super) fn run(args: &CreateArgs, run: &Invocation) -> Result<(), CliError> {
    require_new(&args.out, args.force)?;
    let mut session = run.unlock_here()?;
    let watch = run.watch()?;
    let mut part = Part::beside(&args.out)?;
    let reply = session.backup(&mut part.file, watch.task())?;
    part.become_file_or_refuse(&args.out, args.force)?;
    drop(watch);
    run.ui.reply(&reply, render::backup::create)?;
    if reply.recovery_waits {
        run.ui.hint(
            "without the passphrase nothing opens it until there are cards: make them with `casevault recovery split`",
        );
    }
    Ok(())
}
