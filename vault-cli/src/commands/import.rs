//! `casevault import`.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use vault_core::note::display::escape_line;

use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::part::{Part, require_new};
use crate::render;
use crate::session::reply::ImportReply;
use crate::session::request::{ImportPass, ImportRequest};

/// A file of more bytes is read twice, some lines at a time.
const IN_MEMORY: u64 = 32 << 20;

/// Takes in cases and notes as JSON Lines
///
/// Each line is a worker, a case or a note. Importing the same file twice changes nothing: what is here already is
/// skipped by its id, and a line whose id is here with another content is refused by its number. If any line is
/// malformed nothing is kept, unless `--keep-going` is given. An import that was cut off is continued by running it again.
///
/// Notes keep the worker whom the file names as their attributed author, and are signed by you, who imported them.
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// The file, or `-` for standard input; at most 4 MiB a line. What comes by a pipe is in memory until all of it was
    /// judged, at most 256 MiB, unless `--keep-going` is given
    #[arg(value_name = "FILE|-")]
    pub file: Source,

    /// Keeps the good lines when others are malformed, and lists those
    #[arg(long)]
    pub keep_going: bool,

    /// Writes the number of every line that was refused to a file, one a line, why behind it
    #[arg(long, value_name = "FILE")]
    pub refused: Option<PathBuf>,

    /// Replaces that file where it is there
    #[arg(long, requires = "refused")]
    pub force: bool,

    /// Makes a line whose id is here with another content a new version of it, instead of refusing it
    #[arg(long)]
    pub amend: bool,
}

pub(super) fn run(args: &ImportArgs, run: &Invocation) -> Result<(), CliError> {
    let what = "the lines to import";
    let (mut lines, bytes) = run.lines(&args.file, what)?;
    let mut session = run.unlock()?;
    // A large file is read twice rather than kept in memory; of a pipe there is no second time.
    let is_large = bytes.is_some_and(|bytes| bytes > IN_MEMORY);
    let request = ImportRequest {
        keep_going: args.keep_going,
        amend: args.amend,
        bytes,
        every_refused: args.refused.is_some(),
        pass: match args.keep_going && (is_large || bytes.is_none()) {
            true => ImportPass::Take,
            false => ImportPass::Whole,
        },
    };
    // Before anything is taken in: what cannot be written would be found out too late.
    let part = match &args.refused {
        Some(path) => {
            require_new(path, args.force)?;
            Some((Part::beside(path)?, path))
        }
        None => None,
    };
    let watch = run.watch()?;
    let reply = match is_large && !args.keep_going {
        false => session.import(&mut lines, request, watch.task())?,
        true => {
            let check = ImportRequest {
                pass: ImportPass::Check,
                ..request.clone()
            };
            let checked = session.import(&mut lines, check, watch.task())?;
            match checked.malformed.is_empty() {
                false => ImportReply {
                    skipped: 0,
                    unknown_fields: Default::default(),
                    ..checked
                },
                true => {
                    let take = ImportRequest {
                        pass: ImportPass::Take,
                        ..request
                    };
                    let (mut lines, _) = args.file.open()?;
                    session.import(&mut lines, take, watch.task())?
                }
            }
        }
    };
    drop(watch);
    if let Some((mut part, path)) = part {
        write_refused(&reply, &mut part.file)
            .map_err(|e| CliError::io(format!("could not write `{}`", path.display()), e))?;
        part.become_file_or_refuse(path, args.force)?;
    }
    run.ui.reply(&reply, render::import::import)?;
    if !reply.malformed.is_empty() && !args.keep_going {
        return Err(CliError::ImportRefused { lines: reply.refused() });
    }
    Ok(())
}

/// Writes the refused lines: `NUMBER: why`, and of those that are too many to be named the number alone.
fn write_refused(reply: &ImportReply, out: &mut impl Write) -> io::Result<()> {
    for line in &reply.malformed {
        writeln!(out, "{}: {}", line.line, escape_line(&line.why))?;
    }
    for line in &reply.more_lines {
        writeln!(out, "{line}")?;
    }
    out.flush()
}
