//! `casevault export`.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::SessionError;
use crate::session::request::{ExportFormat, ExportRequest};
use crate::ui::closed;

/// Writes your own copy of a case, or of all cases
///
/// The copy is not sealed: whoever has the file can read it. It is logged as an export. For somebody outside the agency
/// this is not the way. Markdown and HTML leave out what your reflections say; `jsonl` and `json` hold them.
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

    /// The file, readable by you alone and replaced if it is there; without it, standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: ExportArgs, run: &Invocation) -> Result<(), CliError> {
    let request = ExportRequest {
        case: args.case,
        format: args.format,
        purpose: run.purpose(args.purpose)?,
    };
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let Some(path) = args.out else {
        let mut out = run.ui.out();
        let reply = session.export(request, &mut out, watch.task()).map_err(quiet)?;
        out.flush().map_err(closed)?;
        drop(watch);
        run.ui.note(&render::import::export(&reply));
        return Ok(());
    };
    let mut part = Part::beside(&path)?;
    let reply = session.export(request, &mut part.file, watch.task())?;
    part.become_file(&path)?;
    drop(watch);
    run.ui.reply(&reply, render::import::export)
}

/// Tells a reader that went away from an export that failed.
fn quiet(error: SessionError) -> CliError {
    match error {
        SessionError::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe => CliError::ClosedPipe,
        other => other.into(),
    }
}

/// A file being written beside the one that it will replace; gone if it never does.
pub(super) struct Part {
    path: PathBuf,
    /// What is written to.
    pub(super) file: BufWriter<std::fs::File>,
    done: bool,
}

impl Part {
    pub(super) fn beside(path: &Path) -> Result<Self, CliError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".part-{}", std::process::id()));
        let part = path.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part)
            .map_err(|e| CliError::io(format!("could not write `{}`", path.display()), e))?;
        Ok(Self {
            path: part,
            file: BufWriter::with_capacity(1 << 16, file),
            done: false,
        })
    }

    pub(super) fn become_file(mut self, path: &Path) -> Result<(), CliError> {
        let failed = |e| CliError::io(format!("could not write `{}`", path.display()), e);
        let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        written
            .and_then(|()| std::fs::rename(&self.path, path))
            .map_err(failed)?;
        self.done = true;
        // A new name is durable only when its folder is.
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = std::fs::File::open(folder.unwrap_or_else(|| Path::new(".")));
        folder.and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.done {
            // What cannot be removed is named as a part and holds no more than was asked for.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("case.html");
        std::fs::write(&path, "before").unwrap();
        let mut part = Part::beside(&path).unwrap();
        part.file.write_all(b"half").unwrap();
        drop(part);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let mut part = Part::beside(&path).unwrap();
        part.file.write_all(b"after").unwrap();
        part.become_file(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
