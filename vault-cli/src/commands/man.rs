//! `casevault man`: the manual as pages, one a command.

mod examples;
mod page;

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::cli::Cli;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render::count;

/// Writes the manual as pages, one a command, into a folder
///
/// `casevault man ~/.local/share/man/man1` puts them where `man casevault` and `man casevault-note-add` find them; for
/// all users it is `/usr/local/share/man/man1`. Pages that are there are replaced, and nothing else is touched.
///
/// Example: `casevault man ~/.local/share/man/man1`
#[derive(Args, Debug)]
pub struct ManArgs {
    /// The folder; made if it is missing
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

pub(super) fn run(args: &ManArgs, run: &Invocation) -> Result<(), CliError> {
    let failed = |e| CliError::io(format!("could not write the pages to `{}`", args.dir.display()), e);
    std::fs::create_dir_all(&args.dir).map_err(failed)?;
    let pages = page::all(Cli::command()).map_err(failed)?;
    for (name, page) in &pages {
        std::fs::write(args.dir.join(name), page).map_err(failed)?;
    }
    run.ui.note(&format!(
        "wrote {} to `{}`; `man -l {}` shows the first",
        count(pages.len() as u64, "page", "pages"),
        args.dir.display(),
        args.dir.join("casevault.1").display()
    ));
    Ok(())
}
