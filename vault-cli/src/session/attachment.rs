//! Attachments: a file sealed beside the store, and its record in the note's section.
//!
//! ```text
//! content ─ chunks ─> part, durable ─> record committed ─> part published
//!   killed here: a part without a record, discarded    killed here: a part with one, published by the next who comes by
//! ```
//!
//! Contents come and go as streams beside request and reply, a chunk at a time.

mod keep;
mod moved;
mod stream;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests;

pub(super) use keep::Found;
pub(super) use moved::Luggage;

use super::Holder;
use super::Result;
use super::Session;
use super::SessionError;
use super::case_keys::CaseKeys;
use super::case_record::CLOSED;
use super::clock;
use super::logging::Intent;
use super::logging::Logged;
use super::misfiled;
use super::note_write::Before;
use super::note_write::require_not_misfiled;
use super::progress::Task;
use super::progress::Unit;
use super::random;
use super::reading::ReadNote;
use super::refused;
use super::reply::AttachmentView;
use super::reply::Given;
use super::reply::NOTE_ATTACH;
use super::reply::NOTE_ATTACHMENT;
use super::reply::NOTE_ATTACHMENTS;
use super::reply::NOTE_DETACH;
use super::reply::NoteAttachReply;
use super::reply::NoteAttachmentReply;
use super::reply::NoteAttachmentsReply;
use super::reply::NoteDetachReply;
use super::reply::Removal;
use super::request::NoteAttachRequest;
use super::request::NoteAttachmentRequest;
use super::request::NoteAttachmentsRequest;
use super::request::NoteDetachRequest;
use super::request::ReadPurpose;
use super::writing::Version;
use crate::store::ReadTx;
use crate::store::RecordAt;
use std::collections::HashMap;
use std::io;
use std::io::BufRead;
use std::io::Write;
use stream::file_failed;
use vault_core::attachment;
use vault_core::attachment::Attachment;
use vault_core::attachment::AttachmentContext;
use vault_core::attachment::ChunkCipher;
use vault_core::attachment::photo;
use vault_core::attachment::photo::Copied;
use vault_core::attachment::photo::Form;
use vault_core::attachment::photo::Recognised;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::MemberId;
use vault_core::id::RecordHash;
use vault_core::id::RecordId;
use vault_core::note::Detached;
use vault_core::opening::fresh;
use vault_core::opening::fresh_id;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wire::v1::stream::Section;
use zeroize::Zeroizing;

/// A photograph of more bytes is given untouched or not at all: a copy is made in memory.
const LARGEST_PHOTO: u64 = 48 << 20;

/// An attachment as a reader of its note gets it.
pub(super) struct Attached {
    pub(super) at: RecordAt,
    pub(super) hash: RecordHash,
    pub(super) context: AttachmentContext,
    signed_by: MemberId,
    attachment: Attachment,
}

impl Session {
    /// Attaches a file to a note; `content` is read to its end.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Withdrawn`], [`SessionError::Closed`], [`SessionError::TooLong`] for a
    /// name over 255 bytes or a content over 1 TiB, [`SessionError::DiskFull`], [`SessionError::Cancelled`],
    /// [`SessionError::Io`] when `content` fails: nothing is attached then.
    pub fn note_attach(
        &mut self,
        content: &mut dyn BufRead,
        request: NoteAttachRequest,
        task: Task<'_>,
    ) -> Result<NoteAttachReply> {
        if request.name.len() > attachment::LONGEST_NAME {
            return Err(SessionError::TooLong {
                what: "the file's name".to_owned(),
                limit: attachment::LONGEST_NAME as u64,
            });
        }
        let (case, note) = self.store.read(|tx| self.holder.resolve_note(tx, &request.note))?;
        let logged = self.log_attachment(AccessOperation::Open, case, note, "attach", &ReadPurpose::default())?;
        self.settle()?;
        // What would be refused at the end is refused before anything is read.
        let agency = self.store.read(|tx| -> Result<_> {
            let keys = self.holder.case_keys(tx, case)?;
            self.holder.attachable(tx, &keys, note, &request.note, &logged)?;
            Ok(self.holder.agency.id())
        })?;
        let context = AttachmentContext {
            agency,
            stream: vault_core::wire::v1::stream::StreamId::case(case),
            record: RecordId(fresh_id(&mut random::os())),
        };
        let name = file_name(&context)?;
        let part = self.folder().begin(&name).map_err(file_failed)?;
        task.progress.start("attaching", request.length, Unit::Bytes);
        let sealed = stream::seal(content, part.file(), |first| self.key(first, &context), task);
        let kept = sealed.and_then(|sealed| {
            part.sync().map_err(file_failed)?;
            task.cancel.check()?;
            let attachment = Attachment {
                note,
                media_type: attachment::media_type(&sealed.first, &request.name).to_owned(),
                name: request.name.clone(),
                length: sealed.length,
                sha256: sealed.sha256,
                at: clock::moment(clock::now()).as_str().to_owned(),
                is_original: request.as_original,
                key: sealed.key,
            };
            self.commit_attachment(&request, case, context, attachment, &logged)
        });
        task.progress.finish();
        match kept {
            Ok(reply) if !reply.already => {
                // Its record is committed, so it is attached; a part that keeps its name is read as one, and published by
                // the next one who comes by.
                let _ = part.publish();
                Ok(reply)
            }
            // Whether the record was committed the store alone can say, also when writing it failed. What cannot be
            // settled now, the next one settles.
            other => {
                let _ = self.settle_part(&name, part);
                other
            }
        }
    }

    /// Lists the attachments of a note.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Withdrawn`], [`SessionError::LogFailed`].
    pub fn note_attachments(&mut self, request: NoteAttachmentsRequest) -> Result<NoteAttachmentsReply> {
        let (case, note) = self.store.read(|tx| self.holder.resolve_note(tx, &request.note))?;
        let logged = self.log_attachment(AccessOperation::List, case, note, "attachments", &request.purpose)?;
        let holder = &self.holder;
        self.store.read(|tx| {
            let keys = holder.case_keys(tx, case)?;
            let read = holder.read_note(tx, &keys, note, None, &logged)?;
            holder.require_note_named(&request.note, &read)?;
            require_not_misfiled(&read)?;
            let attached = holder.attached(tx, &keys, note, &logged)?;
            Ok(NoteAttachmentsReply {
                schema: NOTE_ATTACHMENTS,
                note: note.handle(),
                case: case.handle(),
                attachments: views(&attached, &read.note.detached),
            })
        })
    }

    /// Reads an attachment into `out`. Each chunk is verified before it goes there, and the whole before this returns:
    /// what went there counts only if it returns without an error.
    ///
    /// A photograph goes there without what it says of place, time and camera, unless the original is asked for.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Withdrawn`], [`SessionError::LogFailed`], [`SessionError::NoCopy`],
    /// [`SessionError::Refused`], [`SessionError::Cancelled`], [`SessionError::Io`] when `out` fails.
    pub fn note_attachment(
        &mut self,
        request: NoteAttachmentRequest,
        out: &mut dyn Write,
        task: Task<'_>,
    ) -> Result<NoteAttachmentReply> {
        let (case, note) = self.store.read(|tx| self.holder.resolve_note(tx, &request.note))?;
        let scope = match request.original {
            true => format!("attachment {}, the original", request.number),
            false => format!("attachment {}", request.number),
        };
        let logged = self.log_attachment(AccessOperation::Open, case, note, &scope, &request.purpose)?;
        let holder = &self.holder;
        let (attached, view) = self.store.read(|tx| -> Result<_> {
            let keys = holder.case_keys(tx, case)?;
            let read = holder.read_note(tx, &keys, note, None, &logged)?;
            holder.require_note_named(&request.note, &read)?;
            require_not_misfiled(&read)?;
            let attached = holder.attached(tx, &keys, note, &logged)?;
            let index = usize::try_from(request.number).ok().and_then(|n| n.checked_sub(1));
            let found = index.and_then(|index| {
                let view = views(&attached, &read.note.detached).into_iter().nth(index)?;
                Some((attached.into_iter().nth(index)?, view))
            });
            if let Some((
                _,
                AttachmentView {
                    removed: Some(removed), ..
                },
            )) = &found
                && !request.removed
            {
                let what = format!(
                    "attachment {} of note {} was taken off: {}",
                    request.number,
                    note.handle(),
                    removed.reason
                );
                return Err(SessionError::conflict(what, "`--removed` gives it all the same"));
            }
            found.ok_or_else(|| SessionError::NoAttachment {
                note: note.handle(),
                number: request.number,
            })
        })?;
        let of = format!("{} attachment {}", note.handle(), request.number);
        let file = self
            .folder()
            .open(&file_name(&attached.context)?)
            .map_err(file_failed)?;
        let file = file.ok_or_else(|| SessionError::refused(Check::AttachmentMissing, &of))?;
        let cipher = ChunkCipher::derive(&attached.attachment.key, &attached.context).map_err(refused(&of))?;
        let length = attachment::file_length(attached.attachment.length).map_err(refused(&of))?;
        task.progress.start("reading", Some(length), Unit::Bytes);
        let mut sink = Sink {
            out,
            given: request.original.then_some(Given::Original),
            photo: None,
            bytes: 0,
            length: attached.attachment.length,
            no_copy: &|why: &str| SessionError::NoCopy {
                note: note.handle(),
                number: request.number,
                why: why.to_owned(),
            },
        };
        let mut take = |content: &[u8]| sink.take(content);
        stream::open(&file, &attached.attachment, &cipher, &of, task, &mut take)?;
        task.progress.finish();
        let (given, bytes, left_out, turned) = sink.end()?;
        Ok(NoteAttachmentReply {
            schema: NOTE_ATTACHMENT,
            note: note.handle(),
            case: case.handle(),
            given,
            bytes,
            left_out: left_out.into_iter().map(Into::into).collect(),
            turned,
            view,
        })
    }

    /// Takes an attachment off a note: a new version of the note says so, with the reason. Its record and its file stay.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Withdrawn`], [`SessionError::NoAttachment`],
    /// [`SessionError::Conflict`] for one that was taken off already; [`SessionError::Malformed`] for an empty reason.
    pub fn note_detach(&mut self, request: NoteDetachRequest) -> Result<NoteDetachReply> {
        let reason = misfiled::words_of(&request.reason, "the reason")?;
        let (case, note) = self.store.read(|tx| self.holder.resolve_note(tx, &request.note))?;
        let scope = format!("attachment {}, taken off", request.number);
        let logged = self.log_attachment(AccessOperation::Open, case, note, &scope, &ReadPurpose::default())?;
        let at = clock::moment(clock::now()).as_str().to_owned();
        let (version, view) = self.write(|holder, tx| {
            let mut keys = holder.case_keys(tx, case)?;
            let before = holder.read_note(tx, &keys, note, None, &logged)?;
            holder.require_note_named(&request.note, &before)?;
            require_not_misfiled(&before)?;
            let attached = holder.attached(tx, &keys, note, &logged)?;
            let index = usize::try_from(request.number).ok().and_then(|n| n.checked_sub(1));
            let found = index
                .and_then(|index| attached.get(index))
                .ok_or_else(|| SessionError::NoAttachment {
                    note: note.handle(),
                    number: request.number,
                })?;
            if removal(&before.note.detached, found.context.record).is_some() {
                let what = format!(
                    "attachment {} of note {} was taken off already",
                    request.number,
                    note.handle()
                );
                let next = format!(
                    "`casevault note attach {} --list` says when, by whom and why",
                    note.handle()
                );
                return Err(SessionError::conflict(what, next));
            }
            let mut after = before.note.clone();
            after.authored_at = Some(clock::moment(clock::now()));
            after.detached.push(Detached {
                attachment: found.context.record.to_string(),
                at: at.clone(),
                by: holder.member.handle(),
                reason: reason.clone(),
            });
            let parts = holder.parts_of(tx, &keys, &before.note)?;
            let views = views(&attached, &after.detached);
            let written = holder.put_note(tx, &mut keys, after, Some(Before { read: &before, parts }))?;
            Ok((written.version, index.and_then(|index| views.into_iter().nth(index))))
        })?;
        Ok(NoteDetachReply {
            schema: NOTE_DETACH,
            note: note.handle(),
            case: case.handle(),
            version,
            view: view.ok_or_else(|| SessionError::Bug("the attachment that was taken off is not there".to_owned()))?,
        })
    }

    fn log_attachment(
        &mut self,
        operation: AccessOperation,
        case: CaseId,
        note: RecordId,
        scope: &str,
        purpose: &ReadPurpose,
    ) -> Result<Logged> {
        self.log(&Intent {
            operation,
            case: Some(case),
            records: &[note],
            scope: Some(scope),
            purpose,
        })
    }

    fn key(
        &self,
        first: &[u8],
        context: &AttachmentContext,
    ) -> Result<(vault_core::secret::AttachmentKey, ChunkCipher)> {
        let begun = clock::now().as_nanosecond();
        let secret = &self.holder.secrets.seal_secret;
        let fault = refused("attachment");
        let key = attachment::content_key(&fresh(&mut random::os()), secret, begun, first, context).map_err(&fault)?;
        let cipher = ChunkCipher::derive(&key, context).map_err(fault)?;
        Ok((key, cipher))
    }

    /// Commits the record of a file that is durable, unless the same is attached already.
    fn commit_attachment(
        &mut self,
        request: &NoteAttachRequest,
        case: CaseId,
        context: AttachmentContext,
        attachment: Attachment,
        logged: &Logged,
    ) -> Result<NoteAttachReply> {
        self.write(|holder, tx| {
            let mut keys = holder.case_keys(tx, case)?;
            // The note may have been withdrawn, or the case closed, while the content was read.
            let section = holder.attachable(tx, &keys, attachment.note, &request.note, logged)?;
            let before = holder.attached(tx, &keys, attachment.note, logged)?;
            let detached = holder
                .read_note(tx, &keys, attachment.note, None, logged)?
                .note
                .detached;
            let same = |a: &Attached| {
                // What was taken off is attached anew.
                if removal(&detached, a.context.record).is_some() {
                    return false;
                }
                let a = &a.attachment;
                (&a.sha256, a.length, &a.name, a.is_original)
                    == (
                        &attachment.sha256,
                        attachment.length,
                        &attachment.name,
                        attachment.is_original,
                    )
            };
            let already = before.iter().position(same);
            let view = match already.and_then(|index| views(&before, &detached).into_iter().nth(index)) {
                Some(view) => view,
                None => {
                    holder.rotate(tx, &mut keys)?;
                    let json = Zeroizing::new(attachment.to_json().map_err(refused(context.record.handle()))?);
                    let version = Version::first(context.record);
                    let placed = holder.seal(&keys, RecordClass::Attachment, section, version, &json)?;
                    holder.append_record(tx, &placed, false)?;
                    view(before.len(), &attachment, holder.member)
                }
            };
            Ok(NoteAttachReply {
                schema: NOTE_ATTACH,
                note: attachment.note.handle(),
                case: case.handle(),
                already: already.is_some(),
                view,
            })
        })
    }
}

impl Holder {
    /// Finds the section of a note that takes attachments.
    fn attachable(
        &self,
        tx: &ReadTx<'_>,
        keys: &CaseKeys,
        note: RecordId,
        named: &str,
        logged: &Logged,
    ) -> Result<Section> {
        let read = self.read_note(tx, keys, note, None, logged)?;
        self.require_note_named(named, &read)?;
        require_not_misfiled(&read)?;
        let label = self.case_label(tx, keys, logged)?;
        if label.status == CLOSED {
            let case = keys.stream().as_case().unwrap_or(CaseId([0; 16])).handle();
            return Err(SessionError::Closed { case });
        }
        let section = note_section(tx, keys, note)?;
        if section.is_private() {
            return Err(SessionError::Denied {
                why: "a note that is a reflection alone takes no attachments".to_owned(),
                hint: "attach the file to a note of another section".to_owned(),
            });
        }
        Ok(section)
    }

    /// Opens the records of a note's attachments, in the order in which they were attached.
    pub(super) fn attached(
        &self,
        tx: &ReadTx<'_>,
        keys: &CaseKeys,
        note: RecordId,
        logged: &Logged,
    ) -> Result<Vec<Attached>> {
        let section = note_section(tx, keys, note)?;
        let mut all = self.attached_in(tx, keys, logged)?;
        all.retain(|(header, attached)| attached.attachment.note == note && header.section == section);
        Ok(all.into_iter().map(|(_, attached)| attached).collect())
    }

    /// Tells what is known of the attachments of every note of a case, without those that were taken off.
    pub(super) fn attached_to(
        &self,
        tx: &ReadTx<'_>,
        keys: &CaseKeys,
        notes: &[ReadNote],
        logged: &Logged,
    ) -> Result<HashMap<RecordId, Vec<AttachmentView>>> {
        let mut found: HashMap<RecordId, Vec<Attached>> = HashMap::new();
        for (header, attached) in self.attached_in(tx, keys, logged)? {
            let note = attached.attachment.note;
            let handle = header.record.handle();
            let section = note_section(tx, keys, note).map_err(|error| match error {
                SessionError::NotFound { .. } => SessionError::refused(Check::AttachmentNote, &handle),
                other => other,
            });
            let section = logged.opened(keys.case(), &handle, section)?;
            if section == Some(header.section) {
                found.entry(note).or_default().push(attached);
            }
        }
        let shown = found.into_iter().map(|(note, attached)| {
            let detached = notes.iter().find(|read| read.record == note);
            let mut all = views(&attached, detached.map_or(&[], |read| read.note.detached.as_slice()));
            all.retain(|view| view.removed.is_none());
            (note, all)
        });
        Ok(shown.collect())
    }

    /// Opens the records of all attachments of a case that were not erased, with their notes.
    fn attached_in(&self, tx: &ReadTx<'_>, keys: &CaseKeys, logged: &Logged) -> Result<Vec<(RecordHeader, Attached)>> {
        let mut all = Vec::new();
        for row in tx.records_of_class(keys.stream(), RecordClass::Attachment)? {
            let stored = row.record;
            let is_here = keys.require_not_lost(&stored);
            logged.opened(keys.case(), &stored.header.record.handle(), is_here)?;
            if stored.is_erased() || !keys.holds(stored.header.section, stored.epoch) {
                continue;
            }
            let (at, handle) = (stored.at, stored.header.record.handle());
            let opened = self.open_signed(keys, stored).and_then(|((header, hash), payload)| {
                let attached = Attached {
                    at,
                    hash,
                    context: context(&header),
                    signed_by: header.member,
                    attachment: read(&header, &payload)?,
                };
                Ok((header, attached))
            });
            all.extend(logged.opened(keys.case(), &handle, opened)?);
        }
        Ok(all)
    }
}

/// Returns what its key is bound to.
fn context(header: &RecordHeader) -> AttachmentContext {
    AttachmentContext {
        agency: header.agency,
        stream: header.stream,
        record: header.record,
    }
}

/// Reads an attachment's payload; a second version of its record would leave open which of two keys is meant.
fn read(header: &RecordHeader, payload: &[u8]) -> Result<Attachment> {
    let fault = |check| SessionError::refused(check, header.record.handle());
    if header.version != 1 {
        return Err(fault(Check::AttachmentNote));
    }
    Attachment::from_json(payload).map_err(|e| fault(e.check))
}

fn file_name(context: &AttachmentContext) -> Result<String> {
    attachment::file_name(context).map_err(refused("attachment"))
}

/// Returns the section of a note's primary record, which a note keeps for life.
fn note_section(tx: &ReadTx<'_>, keys: &CaseKeys, note: RecordId) -> Result<Section> {
    let mut versions = tx.versions(note)?.into_iter();
    let here = versions.find(|r| r.header.stream == keys.stream());
    here.map(|r| r.header.section).ok_or_else(|| SessionError::NotFound {
        what: "note",
        text: note.handle(),
    })
}

/// Tells what is known of attachments of one note, and which of them were taken off.
pub(super) fn views(attached: &[Attached], detached: &[Detached]) -> Vec<AttachmentView> {
    let all = attached.iter().enumerate();
    all.map(|(index, a)| AttachmentView {
        removed: removal(detached, a.context.record).map(|one| Removal {
            at: one.at.clone(),
            by: one.by.clone(),
            reason: one.reason.clone(),
        }),
        ..view(index, &a.attachment, a.signed_by)
    })
    .collect()
}

/// Finds how an attachment was taken off, if it was.
fn removal(detached: &[Detached], attachment: RecordId) -> Option<&Detached> {
    let id = attachment.to_string();
    detached.iter().find(|one| one.attachment == id)
}

fn view(index: usize, attachment: &Attachment, signed_by: MemberId) -> AttachmentView {
    let hex = attachment.sha256.iter().map(|byte| format!("{byte:02x}"));
    AttachmentView {
        attachment: u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1),
        name: attachment.name.clone(),
        safe_name: attachment::safe_name(&attachment.name),
        media_type: attachment.media_type.clone(),
        length: attachment.length,
        sha256: hex.collect(),
        at: attachment.at.clone(),
        signed_by: signed_by.handle(),
        original: attachment.is_original,
        removed: None,
    }
}

/// Takes content chunk by chunk, and hands on what may be given of it.
struct Sink<'s> {
    out: &'s mut dyn Write,
    /// Known from the first bytes on.
    given: Option<Given>,
    photo: Option<(Form, Zeroizing<Vec<u8>>)>,
    bytes: u64,
    length: u64,
    no_copy: &'s dyn Fn(&str) -> SessionError,
}

type Ended = (Given, u64, Vec<&'static str>, Option<u16>);

impl Sink<'_> {
    fn take(&mut self, content: &[u8]) -> Result<()> {
        if self.given.is_none() {
            self.given = Some(self.decide(content)?);
        }
        match &mut self.photo {
            Some((_, photo)) => {
                photo.extend_from_slice(content);
                Ok(())
            }
            None => self.put(content),
        }
    }

    /// A photograph is known by its content, whatever name and media type say.
    fn decide(&mut self, first: &[u8]) -> Result<Given> {
        match photo::recognise(first) {
            None => Ok(Given::AsItIs),
            Some(Recognised::Other(media_type)) => Err((self.no_copy)(&format!(
                "only JPEG, PNG and WebP can be taken apart, and this is {media_type}"
            ))),
            Some(Recognised::Photo(_)) if self.length > LARGEST_PHOTO => {
                Err((self.no_copy)("it is larger than a photograph is, over 48 MiB"))
            }
            Some(Recognised::Photo(form)) => {
                // All at once, so that it never moves and leaves a copy behind.
                let room = usize::try_from(self.length).unwrap_or_default();
                self.photo = Some((form, Zeroizing::new(Vec::with_capacity(room))));
                Ok(Given::Copy)
            }
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(out_failed)?;
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        Ok(())
    }

    fn end(mut self) -> Result<Ended> {
        let (mut left_out, mut turned) = (Vec::new(), None);
        if let Some((form, photo)) = self.photo.take() {
            let Copied {
                pieces,
                left_out: words,
                turned: was,
            } = photo::without_metadata(form, &photo).map_err(|e| (self.no_copy)(e.0))?;
            for piece in pieces {
                self.put(&piece)?;
            }
            (left_out, turned) = (words.into_iter().collect(), was);
        }
        self.out.flush().map_err(out_failed)?;
        Ok((self.given.unwrap_or(Given::AsItIs), self.bytes, left_out, turned))
    }
}

fn out_failed(source: io::Error) -> SessionError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SessionError::DiskFull,
        _ => SessionError::Io {
            doing: "could not write the attachment".to_owned(),
            source,
        },
    }
}
