//! `casevault man`: for packagers.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::cli::Cli;
use crate::error::CliError;
use crate::invocation::Invocation;

/// Writes the manual's pages into a folder
#[derive(Args, Debug)]
pub struct ManArgs {
    /// The folder; made if it is missing
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

pub(super) fn run(args: &ManArgs, run: &Invocation) -> Result<(), CliError> {
    let failed = |e| CliError::io(format!("could not write the pages to `{}`", args.dir.display()), e);
    std::fs::create_dir_all(&args.dir).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), &args.dir).map_err(failed)?;
    run.ui
        .note(&format!("wrote the manual's pages to `{}`", args.dir.display()));
    Ok(())
}
