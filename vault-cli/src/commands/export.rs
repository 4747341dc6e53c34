//! `casevault export`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::agent::Vault;
use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::part::{Part, require_new};
use crate::render;
use crate::session::SessionError;
use crate::session::request::{CaseListRequest, ExportFormat, ExportRequest, ReadPurpose};
use crate::ui::closed;

/// Writes your own copy of a case, or of all cases
///
/// The copy is not sealed: whoever has the file can read it. It is logged as an export. For somebody outside the agency
/// this is not the way. Markdown and HTML leave out what your reflections (`priv:`) say, and what is not for everybody (`{hide-from WHO}`, `{withheld
/// GROUND}`), and say that something is left out; `jsonl` and `json` hold both, with the marks. The answer names what is marked. Each note is
/// there in its newest version; what was struck before is in `casevault note history`, and in a backup. All cases go to the screen
/// only after a question.
///
/// Example: `casevault export c-7fk2 --format html --out case.html`
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The case's handle; without it, all cases
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// The form: `jsonl` is the very lines that `import` takes
    #[arg(long, value_enum, default_value = "jsonl")]
    pub format: ExportFormat,

    /// The file, readable by you alone; without it, standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Replaces a file that is there
    #[arg(long, requires = "out")]
    pub force: bool,

    /// Puts into Markdown and HTML what is marked `{hide-from …}` or `{withheld …}` too, its mark before it
    #[arg(long)]
    pub with_marked: bool,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: ExportArgs, run: &Invocation) -> Result<(), CliError> {
    let request = ExportRequest {
        case: args.case,
        format: args.format,
        with_marked: args.with_marked,
        purpose: run.purpose(args.purpose)?,
    };
    if let Some(path) = &args.out {
        require_new(path, args.force)?;
    }
    let mut session = run.unlock()?;
    if args.out.is_none() && request.case.is_none() && run.ui.is_terminal() {
        confirm(run, &mut session, &request.purpose)?;
    }
    let watch = run.watch()?;
    let Some(path) = args.out else {
        let mut out = run.ui.out();
        let reply = session.export(request, &mut out, watch.task()).map_err(quiet)?;
        out.flush().map_err(closed)?;
        drop(watch);
        run.ui.unopened(&reply.unopened);
        run.ui.note(&render::import::export(&reply));
        return Ok(());
    };
    let mut part = Part::beside(&path)?;
    let reply = session.export(request, &mut part.file, watch.task())?;
    part.become_file_or_refuse(&path, args.force)?;
    drop(watch);
    run.ui.unopened(&reply.unopened);
    run.ui.reply(&reply, render::import::export)
}

/// Asks before the whole caseload goes to the screen, in clear, where whoever passes reads it and the terminal keeps it.
fn confirm(run: &Invocation, session: &mut Vault, purpose: &ReadPurpose) -> Result<(), CliError> {
    let (status, purpose) = (None, purpose.clone());
    let cases = session.case_list(CaseListRequest { status, purpose })?.cases;
    let notes = render::count(cases.iter().map(|case| case.notes).sum(), "note", "notes");
    let of = render::count(u64::try_from(cases.len()).unwrap_or(u64::MAX), "case", "cases");
    let question = format!("{notes} of {of} to the screen? [y/N] ");
    match run.confirm(&question, "whether all of it is to go to the screen", "`--out FILE`")? {
        true => Ok(()),
        false => Err(CliError::Nothing {
            what: "nothing was exported; `--out FILE` writes a file, and a CASE takes one case alone",
        }),
    }
}

/// Tells a reader that went away from an export that failed.
fn quiet(error: SessionError) -> CliError {
    match error {
        SessionError::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe => CliError::ClosedPipe,
        other => other.into(),
    }
}
