//! `casevault backup ledger`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::part::{Part, require_new};
use crate::render;

/// Writes the ledger of erasures: what a restore has to erase again
///
/// A backup from before an erasure still holds what was erased. The ledger names it, by hashes and signatures alone, and
/// `casevault backup restore --ledger` does the erasures again before anything opens. Keep it with the cards, apart from
/// the backups, and write it anew after an erasure.
#[derive(Args, Debug)]
pub struct LedgerArgs {
    /// The file, readable by you alone
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,

    /// Replaces a file that is there
    #[arg(long)]
    pub force: bool,
}

pub(super) fn run(args: &LedgerArgs, run: &Invocation) -> Result<(), CliError> {
    require_new(&args.out, args.force)?;
    let mut session = run.unlock_here()?;
    let reply = session.ledger()?;
    let mut part = Part::beside(&args.out)?;
    part.file
        .write_all(&reply.ledger)
        .map_err(|e| CliError::io(format!("could not write `{}`", args.out.display()), e))?;
    part.become_file_or_refuse(&args.out, args.force)?;
    run.ui.reply(&reply, render::backup::ledger)
}
