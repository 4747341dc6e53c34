//! `casevault import`.

use clap::Args;

use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::ImportRequest;

/// Takes in cases and notes as JSON Lines
///
/// Each line is a worker, a case or a note. Importing the same file twice changes nothing: what is here already is
/// skipped by its id, and a line whose id is here with another content is refused by its number. If any line is
/// malformed nothing is kept, unless `--keep-going` is given. An import that was cut off is continued by running it again.
///
/// Notes keep the worker whom the file names as their attributed author, and are signed by you, who imported them.
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// The file, or `-` for standard input; at most 4 MiB a line
    #[arg(value_name = "FILE|-")]
    pub file: Source,

    /// Keeps the good lines when others are malformed, and lists those
    #[arg(long)]
    pub keep_going: bool,

    /// Makes a line whose id is here with another content a new version of it, instead of refusing it
    #[arg(long)]
    pub amend: bool,
}

pub(super) fn run(args: &ImportArgs, run: &Invocation) -> Result<(), CliError> {
    let (mut lines, bytes) = run.lines(&args.file, "the lines to import")?;
    let mut session = run.unlock()?;
    let request = ImportRequest {
        keep_going: args.keep_going,
        amend: args.amend,
        bytes,
    };
    let watch = run.watch()?;
    let reply = session.import(&mut lines, request, watch.task())?;
    drop(watch);
    run.ui.reply(&reply, render::import::import)?;
    if !reply.malformed.is_empty() && !args.keep_going {
        return Err(CliError::ImportRefused { lines: reply.refused() });
    }
    Ok(())
}
