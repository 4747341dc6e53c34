//! `casevault note attach`.

use std::fs::File;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::part::{Part, require_new};
use crate::render;
use crate::session::request::{NoteAttachRequest, NoteAttachmentRequest, NoteAttachmentsRequest, NoteDetachRequest};

/// The longest reason, in bytes.
const LONGEST_REASON: u64 = 4096;

/// Attaches a file to a note, lists what is attached, or gets it out
///
/// The file is sealed beside the store, whatever its size, and its name with it. With `--as-original` it is the scan or
/// photograph that the note was made from.
///
/// `--get N` writes attachment N to `--out`, a file that is not there yet, or a folder, where it gets a name that is
/// safe. A photograph (JPEG, PNG, WebP) comes out as a copy without what it says of place, time and camera; its pixels are
/// untouched. `--original` gives it as it was attached, and the log has it as such. A picture of another form (HEIC,
/// TIFF, GIF …) or a film cannot be taken apart safely: it comes out with `--original` alone.
///
/// `--remove N` takes off what was attached by mistake: a new version of the note says so, with the reason. Nothing is
/// destroyed: `--list` names it with the reason, and `--get N --removed` gives it, until an erasure. The numbers of the others stay.
///
/// Example: `casevault note attach n-19qd scan.jpg --as-original`
/// Example: `casevault note attach n-19qd --get 1 --out scan.jpg`
#[derive(Args, Debug)]
pub struct AttachArgs {
    /// The note's handle
    #[arg(value_name = "NOTE", value_parser = value::note)]
    pub note: String,

    /// The file to attach; `-` is standard input, attached under the name `attachment`
    #[arg(value_name = "FILE", required_unless_present_any = ["list", "get", "remove"], conflicts_with_all = ["list", "get", "remove"])]
    pub content: Option<PathBuf>,

    /// The file is the scan or photograph that the note was made from
    #[arg(long, requires = "content")]
    pub as_original: bool,

    /// Lists what is attached
    #[arg(long, conflicts_with = "get")]
    pub list: bool,

    /// Gets out attachment N, as `--list` counts them
    #[arg(long, value_name = "N", requires = "out", value_parser = clap::value_parser!(u32).range(1..))]
    pub get: Option<u32>,

    /// Where to: a file, or a folder that is there
    #[arg(long, value_name = "FILE", requires = "get")]
    pub out: Option<PathBuf>,

    /// Gives a photograph untouched, with all that it says of place, time and camera
    #[arg(long, requires = "get")]
    pub original: bool,

    /// Gives what was taken off too
    #[arg(long, requires = "get")]
    pub removed: bool,

    /// Takes attachment N off, as `--list` counts them
    #[arg(long, value_name = "N", conflicts_with_all = ["list", "get"], value_parser = clap::value_parser!(u32).range(1..))]
    pub remove: Option<u32>,

    /// Why it is taken off, from a file or from standard input; without it, on a terminal, it is asked for
    #[arg(long, value_name = "FILE|-", requires = "remove")]
    pub file: Option<Source>,

    /// Replaces a file that is there
    #[arg(long, requires = "get")]
    pub force: bool,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: AttachArgs, run: &Invocation) -> Result<(), CliError> {
    if let Some(number) = args.remove {
        return remove(number, &args, run);
    }
    match (&args.content, args.get, &args.out) {
        (Some(file), _, _) => attach(file, &args, run),
        (None, Some(number), Some(out)) => get(number, out, &args, run),
        _ => list(args, run),
    }
}

fn attach(file: &Path, args: &AttachArgs, run: &Invocation) -> Result<(), CliError> {
    let content = open(file, run)?;
    let name = match file.file_name() {
        Some(name) if file != Path::new("-") => name.to_string_lossy().into_owned(),
        _ => "attachment".to_owned(),
    };
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let request = NoteAttachRequest {
        note: args.note.clone(),
        name,
        length: content.length,
        as_original: args.as_original,
    };
    let reply = match content.way {
        Way::File(file) => session.note_attach_file(&file, request, watch.task()),
        Way::Stream(mut stream) => session.note_attach(&mut stream, request, watch.task()),
    }?;
    drop(watch);
    let done = format!("attached to {} as", reply.note);
    let number = reply.view.attachment.to_string();
    run.ui
        .made(&reply, &done, &number, &render::attachment::attached(&reply))
}

/// What is to be attached, and how long it is where that is known.
struct Content {
    way: Way,
    length: Option<u64>,
}

enum Way {
    File(File),
    Stream(Box<dyn BufRead>),
}

/// Opens what is to be attached, before anybody types a passphrase for it.
fn open(file: &Path, run: &Invocation) -> Result<Content, CliError> {
    let source = match file == Path::new("-") {
        true => Source::Stdin,
        false => Source::File(file.to_owned()),
    };
    if source.is_stdin() {
        let (content, length) = run.lines(&source, "the file to attach")?;
        let way = Way::Stream(content);
        return Ok(Content { way, length });
    }
    let failed = |e| CliError::io(format!("could not read `{}`", file.display()), e);
    let content = File::open(file).map_err(failed)?;
    let found = content.metadata().map_err(failed)?;
    if found.is_dir() {
        return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    Ok(Content {
        way: Way::File(content),
        length: found.is_file().then_some(found.len()),
    })
}

/// Takes an attachment off, after saying on a terminal which it is.
fn remove(number: u32, args: &AttachArgs, run: &Invocation) -> Result<(), CliError> {
    let (what, flag) = ("the reason", "`--file FILE`, or `--file -` for standard input");
    let (mut session, reason) = match &args.file {
        Some(source) => {
            let reason = run.text(Some(source), what, LONGEST_REASON)?;
            (run.unlock()?, reason)
        }
        None => {
            let mut session = run.unlock_to_ask(what, flag)?;
            let request = NoteAttachmentsRequest {
                note: args.note.clone(),
                ..NoteAttachmentsRequest::default()
            };
            let all = session.note_attachments(request)?.attachments;
            if let Some(view) = all.iter().find(|view| view.attachment == number) {
                run.ui.prompt(&render::attachment::table(std::slice::from_ref(view)));
            }
            let reason = run.ask("Why is it taken off? ", what, flag)?;
            (session, reason)
        }
    };
    let note = args.note.clone();
    let reply = session.note_detach(NoteDetachRequest { note, number, reason })?;
    run.ui.reply(&reply, render::attachment::removed)
}

fn list(args: AttachArgs, run: &Invocation) -> Result<(), CliError> {
    let request = NoteAttachmentsRequest {
        note: args.note,
        purpose: run.purpose(args.purpose)?,
    };
    let reply = run.unlock()?.note_attachments(request)?;
    run.ui.reply(&reply, render::attachment::list)
}

fn get(number: u32, out: &Path, args: &AttachArgs, run: &Invocation) -> Result<(), CliError> {
    let is_folder = out.is_dir();
    require_new(out, args.force)?;
    let request = NoteAttachmentRequest {
        note: args.note.clone(),
        number,
        original: args.original,
        removed: args.removed,
        purpose: run.purpose(args.purpose.clone())?,
    };
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    // Its name is not known before it was read.
    let part = Part::beside(&match is_folder {
        true => out.join(".casevault"),
        false => out.to_owned(),
    })?;
    let reply = session.note_attachment_file(request, part.file.get_ref(), watch.task())?;
    drop(watch);
    let path = match is_folder {
        true => out.join(&reply.view.safe_name),
        false => out.to_owned(),
    };
    part.become_file_or_refuse(&path, args.force)?;
    run.ui.reply(&reply, |reply| render::attachment::given(reply, &path))?;
    if let Some(turned) = reply.turned
        && !run.ui.is_json()
    {
        run.ui.hint(&format!(
            "the camera was held turned (Exif orientation {turned}), and the copy no longer says so: turn it to look at it"
        ));
    }
    Ok(())
}
