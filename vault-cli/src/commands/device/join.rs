//! `casevault device join`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::Kdf;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::joining;

/// Joins with an enrolment sheet, as another device of yours
///
/// This machine makes its keys, keeps them under a passphrase of their own, and asks. Read the code that is shown to whoever
/// made the sheet: theirs is the same. Once they have approved, this command again, or `casevault sync`, finishes: the agency is
/// verified from what is on the sheet, and a server that shows less is refused.
///
/// Example: `casevault device join --sheet sheet.txt`
#[derive(Args, Debug)]
pub struct JoinArgs {
    /// The sheet as a file, typed or scanned; without it, what waits here goes on
    #[arg(long, value_name = "SHEET", value_hint = clap::ValueHint::FilePath)]
    pub sheet: Option<PathBuf>,

    /// How dear a try of the passphrase is.
    #[command(flatten)]
    pub kdf: Kdf,
}

pub(super) fn run(args: &JoinArgs, run: &Invocation) -> Result<(), CliError> {
    joining::run(run, args.sheet.as_deref(), true, None, args.kdf.cost())
}
