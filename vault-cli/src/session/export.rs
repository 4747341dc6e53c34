//! A worker's own copy: the very lines that an import takes, or JSON, Markdown, HTML to read. Logged, as a read.

use super::Result;
use super::Session;
use super::SessionError;
use super::case_record::Label;
use super::case_record::Profile;
use super::clock;
use super::logging::Intent;
use super::note_read::signs_for_another;
use super::progress::Task;
use super::progress::Unit;
use super::reading::ReadNote;
use super::reply::AttachmentView;
use super::reply::EXPORT;
use super::reply::ExportReply;
use super::reply::ExportedNote;
use super::reply::MarkedSegment;
use super::reply::NoteView;
use super::request::ExportFormat;
use super::request::ExportRequest;
use jiff::tz::TimeZone;
use rayon::prelude::*;
use std::collections::HashMap;
use std::io;
use std::io::Write;
use vault_core::id::CaseId;
use vault_core::id::MemberId;
use vault_core::id::RecordId;
use vault_core::note::Imported;
use vault_core::note::Segment;
use vault_core::note::SegmentKind;
use vault_core::note::extra::RawJson;
use vault_core::note::line;
use vault_core::note::line::CaseLine;
use vault_core::note::line::Closing;
use vault_core::note::line::Line;
use vault_core::note::mark::Marks;
use vault_core::note::render;
use vault_core::note::render::Shown;
use vault_core::note::when::Moment;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::stream::StreamKind;

/// A case ready to be written.
struct Exported {
    case: CaseId,
    /// Whose records these are, and who exported them when.
    about: Vec<(&'static str, String)>,
    /// What is not for everybody.
    marked: Vec<MarkedSegment>,
    /// Whether that is left out.
    without_marked: bool,
    profile: Profile,
    notes: Vec<ReadNote>,
    /// Beside each note who signed it, where that is somebody else than the worker.
    signers: Vec<Option<String>>,
    views: Vec<NoteView>,
    attachments: HashMap<RecordId, Vec<AttachmentView>>,
}

impl Exported {
    fn attached(&self, note: &ReadNote) -> &[AttachmentView] {
        self.attachments.get(&note.record).map_or(&[], Vec::as_slice)
    }
}

impl Session {
    /// Writes a worker's own copy of a case, or of all cases, to `out`.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Cancelled`], [`SessionError::Io`] when `out` fails.
    pub fn export(&mut self, request: ExportRequest, out: &mut dyn Write, task: Task<'_>) -> Result<ExportReply> {
        let case = match &request.case {
            Some(text) => Some(self.store.read(|tx| self.holder.resolve_case(tx, text))?),
            None => None,
        };
        let scope = format!(
            "{} {}",
            request.format.as_str(),
            if case.is_some() { "case" } else { "own caseload" }
        );
        let logged = self.log(&Intent {
            operation: AccessOperation::Export,
            case,
            records: &[],
            scope: Some(&scope),
            purpose: &request.purpose,
        })?;
        let holder = &self.holder;
        self.store.read(|tx| {
            let cases = match case {
                Some(case) => vec![case],
                None => tx
                    .streams(StreamKind::Case)?
                    .into_iter()
                    .filter_map(|h| h.stream.as_case())
                    .collect(),
            };
            let settings = holder.settings(tx)?.settings;
            let is_page = matches!(request.format, ExportFormat::Html | ExportFormat::Markdown);
            let exported_at = clock::moment(clock::now()).with_offset(&clock::zone());
            let named = |member| settings.named(member, holder.founder());
            let mut sink = Sink::new(out, request.format);
            sink.begin(if case.is_none() { &settings.workers } else { &[] })?;
            task.progress
                .start("exporting", u64::try_from(cases.len()).ok(), Unit::Items);
            let mut reply = ExportReply {
                schema: EXPORT,
                format: request.format.as_str(),
                cases: 0,
                notes: 0,
                bytes: 0,
                unopened: Vec::new(),
                marked: Vec::new(),
                marked_left_out: is_page && !request.with_marked,
            };
            for case in cases {
                task.cancel.check()?;
                let keys = holder.case_keys_before_walk(tx, case)?;
                let records = holder.case_records_or_unknown(tx, &keys, &logged)?;
                if let Some(named) = &request.case {
                    holder.require_case_named(named, case, records.label.external_id.as_deref())?;
                }
                let profile = with_closing(records.profile, &records.label)?;
                let mut notes = holder.read_case(tx, &keys, &logged)?;
                if is_page {
                    // As they happened.
                    notes.sort_by_key(|read| read.note.occurred_at.as_ref().map(Moment::instant));
                }
                let signers = notes.iter().map(|n| signs_for_another(n).then(|| named(n.signed_by)));
                let signers = signers.collect();
                if is_page {
                    for_readers(&mut notes, &named);
                }
                let mut about = vec![
                    ("Agency", settings.agency.clone()),
                    ("Exported", format!("{exported_at} by {}", named(holder.member))),
                ];
                let marked = marked(case, &notes);
                let without_marked = reply.marked_left_out;
                if !marked.is_empty() && !without_marked {
                    about.push((
                        "Not to be handed on",
                        "it holds what is not for everybody, marked so".to_owned(),
                    ));
                }
                reply.marked.extend_from_slice(&marked);
                let views = match request.format {
                    ExportFormat::Json => {
                        let views = notes.iter().map(|n| holder.view(tx, case, n.clone()));
                        views.collect::<Result<_>>()?
                    }
                    _ => Vec::new(),
                };
                let attachments = match request.format {
                    // Its lines are those that an import takes.
                    ExportFormat::Jsonl => HashMap::new(),
                    _ => holder.attached_to(tx, &keys, &notes, &logged)?,
                };
                reply.cases += 1;
                reply.notes += u64::try_from(notes.len()).unwrap_or(0);
                sink.case(&Exported {
                    case,
                    about,
                    marked,
                    without_marked,
                    profile,
                    notes,
                    signers,
                    views,
                    attachments,
                })?;
                task.progress.advance(1);
            }
            reply.bytes = sink.end()?;
            reply.unopened = logged.unopened();
            task.progress.finish();
            Ok(reply)
        })
    }
}

/// Writes cases in one form.
struct Sink<'w> {
    out: &'w mut dyn Write,
    format: ExportFormat,
    bytes: u64,
    first: bool,
    fragments: Vec<String>,
}

impl<'w> Sink<'w> {
    fn new(out: &'w mut dyn Write, format: ExportFormat) -> Self {
        Self {
            out,
            format,
            bytes: 0,
            first: true,
            fragments: Vec::new(),
        }
    }

    fn begin(&mut self, workers: &[RawJson]) -> Result<()> {
        match self.format {
            ExportFormat::Jsonl => workers.iter().try_for_each(|worker| self.line(worker.as_str())),
            ExportFormat::Json => {
                let workers = serde_json::to_string(workers).map_err(|e| SessionError::Bug(e.to_string()))?;
                self.text(&format!(
                    "{{\"schema\":\"casevault.export/1\",\"workers\":{workers},\"cases\":["
                ))
            }
            ExportFormat::Html | ExportFormat::Markdown => Ok(()),
        }
    }

    fn case(&mut self, case: &Exported) -> Result<()> {
        let line = case_line(case);
        match self.format {
            ExportFormat::Jsonl => {
                self.line(&line::print(&Line::Case(line.clone())).map_err(bug)?)?;
                let printed: Vec<String> = case
                    .notes
                    .par_iter()
                    .map(|n| note_line(&line, n))
                    .collect::<Result<_>>()?;
                printed.iter().try_for_each(|text| self.line(text))
            }
            ExportFormat::Json => {
                let head = line::print(&Line::Case(line)).map_err(bug)?;
                let views: Vec<String> = case
                    .views
                    .par_iter()
                    .zip(&case.notes)
                    .map(|(view, note)| {
                        let attachments = case.attached(note);
                        let note = ExportedNote { view, attachments };
                        serde_json::to_string(&note).map_err(|e| SessionError::Bug(e.to_string()))
                    })
                    .collect::<Result<_>>()?;
                let comma = if std::mem::take(&mut self.first) { "" } else { "," };
                let handle = case.case.handle();
                let marked = serde_json::to_string(&case.marked).map_err(|e| SessionError::Bug(e.to_string()))?;
                self.text(&format!(
                    "{comma}\n{{\"case\":\"{handle}\",\"line\":{head},\"marked\":{marked},\"notes\":[\n{}]}}",
                    views.join(",\n")
                ))
            }
            ExportFormat::Markdown => {
                let (notes, zone) = (&case.notes, clock::zone());
                self.text(&render::markdown_heading(&title(case)))?;
                self.text(&render::markdown_heading_facts(&facts(case)))?;
                notes.iter().zip(&case.signers).try_for_each(|(note, signer)| {
                    let handle = note.record.handle();
                    self.text(&render::markdown(&shown(case, note, &handle, signer.as_deref(), &zone)))?;
                    let attached: Vec<_> = case.attached(note).iter().map(line_of).collect();
                    self.text(&render::markdown_attachments(&attached))?;
                    self.text("\n")
                })
            }
            ExportFormat::Html => {
                let (notes, zone) = (&case.notes, clock::zone());
                let notes = notes.iter().zip(&case.signers).flat_map(|(note, signer)| {
                    let handle = note.record.handle();
                    let attached: Vec<_> = case.attached(note).iter().map(line_of).collect();
                    let list = render::fragment_attachments(&handle, &attached);
                    [
                        render::fragment(&shown(case, note, &handle, signer.as_deref(), &zone)),
                        list,
                    ]
                });
                self.fragments.push(render::heading(&title(case)));
                self.fragments.push(render::heading_facts(&facts(case)));
                self.fragments.extend(notes);
                Ok(())
            }
        }
    }

    fn end(mut self) -> Result<u64> {
        match self.format {
            ExportFormat::Json => self.text("\n]}\n")?,
            ExportFormat::Html => {
                let fragments = std::mem::take(&mut self.fragments);
                self.text(&render::page("Case records", &fragments))?;
            }
            ExportFormat::Jsonl | ExportFormat::Markdown => {}
        }
        self.out.flush().map_err(io_error)?;
        Ok(self.bytes)
    }

    fn line(&mut self, text: &str) -> Result<()> {
        self.text(text)?;
        self.text("\n")
    }

    fn text(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes()).map_err(io_error)?;
        self.bytes += u64::try_from(text.len()).unwrap_or(0);
        Ok(())
    }
}

/// The profile with what its label alone says of the closing: of a case that was closed before its line held that.
fn with_closing(mut profile: Profile, label: &Label) -> Result<Profile> {
    if let (Ok(None), Some(on)) = (profile.line.closing(), &label.closed) {
        let closing = Closing {
            on: on.clone(),
            ..Closing::default()
        };
        profile.line.close(&closing).map_err(bug)?;
    }
    Ok(profile)
}

/// The case as an import takes it; one that was opened here goes by its handle.
fn case_line(case: &Exported) -> CaseLine {
    let mut line = case.profile.line.clone();
    if line.case.is_empty() {
        line.case = case.case.handle();
    }
    line
}

fn note_line(case: &CaseLine, read: &ReadNote) -> Result<String> {
    if let Some(origin) = &read.note.imported {
        // One that was refiled names nothing of the file it was wrongly in.
        let origin = Imported {
            case: origin.case.clone().or_else(|| Some(case.case.clone())),
            note: origin.note.clone().or_else(|| Some(read.record.handle())),
            ..origin.clone()
        };
        return line::print_note(&read.note, &origin).map_err(bug);
    }
    let origin = Imported {
        case: Some(case.case.clone()),
        note: Some(read.record.handle()),
        author: read.note.author().map(str::to_owned),
        recorded_at: read.note.recorded_at().cloned(),
        numbered: true,
    };
    line::print_note(&read.note, &origin).map_err(bug)
}

/// Makes notes what pages show of them: the worker who is a member by name and handle, and in the place of a reflection that
/// it is there. A page is handed on more easily than it is meant to be.
fn for_readers(notes: &mut [ReadNote], named: &dyn Fn(MemberId) -> String) {
    for read in notes {
        let member = read.note.worker.as_deref().and_then(|w| w.parse::<MemberId>().ok());
        if let Some(member) = member {
            read.note.worker = Some(named(member));
        }
        for segment in &mut read.note.segments {
            if segment.kind == SegmentKind::Reflection {
                *segment = Segment::placeholder(segment.n);
            }
        }
    }
}

/// An attachment as pages list it; its content is not in them.
fn line_of(view: &AttachmentView) -> String {
    let original = if view.original {
        ", the original of this note"
    } else {
        ""
    };
    format!(
        "{}: {} ({}, {} bytes, SHA-256 {}){original}",
        view.attachment, view.name, view.media_type, view.length, view.sha256
    )
}

/// Names what is not for everybody in notes, and for whom it is not.
fn marked(case: CaseId, notes: &[ReadNote]) -> Vec<MarkedSegment> {
    let of = |read: &ReadNote| -> Vec<MarkedSegment> {
        let marked = read.note.segments.iter().map(|segment| (segment.n, Marks::of(segment)));
        let marked = marked.filter(|(_, marks)| !marks.is_empty());
        marked
            .map(|(segment, marks)| MarkedSegment {
                case: case.handle(),
                note: read.record.handle(),
                segment,
                marks,
            })
            .collect()
    };
    notes.iter().flat_map(of).collect()
}

fn shown<'n>(
    case: &Exported,
    read: &'n ReadNote,
    handle: &'n str,
    signed_by: Option<&'n str>,
    zone: &'n TimeZone,
) -> Shown<'n> {
    Shown {
        version: read.version,
        signed_by,
        offsets: true,
        without_marked: case.without_marked,
        ..Shown::new(&read.note, handle, zone)
    }
}

/// What a page says of a case before its notes: whoever gets it knows no handle.
fn facts(case: &Exported) -> Vec<(&'static str, String)> {
    let mut facts = case.about.clone();
    let profile = case.profile.line.profile.as_ref().map(RawJson::value);
    for (label, field) in [("Client", "name"), ("Date of birth", "date_of_birth")] {
        let value = profile.as_ref().and_then(|profile| profile.get(field)?.as_str());
        facts.extend(value.map(|value| (label, value.to_owned())));
    }
    facts.push(("Notes", case.notes.len().to_string()));
    facts
}

fn title(case: &Exported) -> String {
    let handle = case.case.handle();
    let line = case_line(case);
    let title = match Label::of(&line, None).label {
        Some(name) => format!("Case {handle}: {name}"),
        None => format!("Case {handle}"),
    };
    if line.case == handle {
        title
    } else {
        format!("{title} ({})", line.case)
    }
}

fn bug(error: vault_core::note::NoteError) -> SessionError {
    SessionError::Bug(error.to_string())
}

fn io_error(source: io::Error) -> SessionError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SessionError::DiskFull,
        _ => SessionError::Io {
            doing: "could not write the export".to_owned(),
            source,
        },
    }
}
