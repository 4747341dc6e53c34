//! The files against the store: which of them are attachments, which are leftovers, which are missing or changed.

use super::file_failed;
use super::file_name;
use super::read;
use super::stream;
use crate::attachments::Folder;
use crate::attachments::Part;
use crate::session::Result;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::log::failure;
use crate::session::progress::Task;
use crate::session::progress::Unit;
use crate::session::refused;
use crate::session::reply::Failure;
use crate::session::reply::VerifyReply;
use crate::store::ReadTx;
use std::collections::HashMap;
use vault_core::attachment;
use vault_core::attachment::Attachment;
use vault_core::attachment::AttachmentContext;
use vault_core::attachment::ChunkCipher;
use vault_core::check::Check;
use vault_core::id::RecordId;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::record::RecordHeader;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamKind;

/// An attachment's record as a verification found it.
pub(in crate::session) struct Found {
    section: Section,
    context: AttachmentContext,
    attachment: Attachment,
}

impl Found {
    /// Reads the payload of an attachment's record.
    pub(in crate::session) fn read(header: &RecordHeader, payload: &[u8]) -> Result<Self> {
        Ok(Self {
            section: header.section,
            context: super::context(header),
            attachment: read(header, payload)?,
        })
    }
}

impl Session {
    pub(super) fn folder(&self) -> Folder {
        Folder::new(self.places.attachments())
    }

    /// Removes the files of attachments whose records were erased.
    ///
    /// Their keys are gone with the records, so a file that cannot be removed now is unreadable, and the next
    /// verification removes it.
    pub(in crate::session) fn remove_erased(&self, erased: &[AttachmentContext]) -> Result<()> {
        let folder = self.folder();
        for context in erased {
            let _ = folder.remove(&file_name(context)?);
        }
        Ok(())
    }

    /// Settles every part that an interrupted attaching left: published if its record is there, else discarded. Returns
    /// how many were discarded.
    pub(super) fn settle(&self) -> Result<u64> {
        let folder = self.folder();
        let mut discarded = 0;
        for entry in folder.entries().map_err(file_failed)? {
            if entry.is_part
                && let Some(part) = folder.take_over(&entry.name).map_err(file_failed)?
            {
                discarded += u64::from(self.settle_part(&entry.name, part)?);
            }
        }
        Ok(discarded)
    }

    /// Settles one part; tells whether it was discarded.
    ///
    /// The part is locked, so no record of it can be committed between asking the store and doing what it says.
    pub(super) fn settle_part(&self, name: &str, part: Part) -> Result<bool> {
        let known = self.store.read(names)?;
        let is_live = known.get(name).copied().unwrap_or(false);
        match is_live {
            true => part.publish(),
            false => part.discard(),
        }
        .map_err(file_failed)?;
        Ok(!is_live)
    }

    /// Checks every attachment found, and with `whole` that no file is there without a record; leftovers are removed.
    pub(in crate::session) fn verify_attachments(
        &self,
        found: &[Found],
        whole: bool,
        task: Task<'_>,
        reply: &mut VerifyReply,
    ) -> Result<()> {
        let mut counts: HashMap<RecordId, u32> = HashMap::new();
        let lengths = found
            .iter()
            .filter_map(|f| attachment::file_length(f.attachment.length).ok());
        task.progress
            .start("reading attachments", Some(lengths.sum()), Unit::Bytes);
        for one in found {
            let note = one.attachment.note;
            let number = counts.entry(note).or_default();
            *number += 1;
            let of = format!("{} attachment {number}", note.handle());
            match self.verify_attachment(one, &of, task) {
                Ok(()) => reply.attachments += 1,
                Err(e) if e.check().is_some() => {
                    let handle = match &e {
                        SessionError::Refused { handle, .. } => handle.clone(),
                        _ => of,
                    };
                    reply.failures.push(failure(&handle, &e));
                }
                // A file that cannot be read at all, a link in its place among them: the others are read all the same.
                Err(e @ SessionError::Io { .. }) => reply.failures.push(Failure {
                    handle: of,
                    check: Check::Unreadable.to_string(),
                    cause: e.to_string(),
                }),
                Err(e) => return Err(e),
            }
        }
        task.progress.finish();
        if whole {
            reply.removed = self.settle()?;
            self.verify_names(reply)?;
        }
        Ok(())
    }

    fn verify_attachment(&self, one: &Found, of: &str, task: Task<'_>) -> Result<()> {
        let Found {
            section,
            context,
            attachment,
        } = one;
        let file = self.folder().open(&file_name(context)?).map_err(file_failed)?;
        let (has_note, is_erased) = self.store.read(|tx| -> Result<_> {
            let here = |stream| stream == context.stream;
            let notes = tx.versions(attachment.note)?;
            let has_note = notes
                .iter()
                .any(|r| here(r.header.stream) && r.header.section == *section && r.header.class == RecordClass::Note);
            let records = tx.versions(context.record)?;
            let is_erased = records.iter().any(|r| here(r.header.stream) && r.is_erased());
            Ok((has_note, is_erased))
        })?;
        if !has_note {
            return Err(SessionError::refused(Check::AttachmentNote, of));
        }
        let Some(file) = file else {
            // Withdrawn since its record was read.
            return match is_erased {
                true => Ok(()),
                false => Err(SessionError::refused(Check::AttachmentMissing, of)),
            };
        };
        let cipher = ChunkCipher::derive(&attachment.key, context).map_err(refused(of))?;
        stream::open(&file, attachment, &cipher, of, task, &mut |_| Ok(()))
    }

    /// Every file under a final name has a record; that of an erased one is a leftover.
    fn verify_names(&self, reply: &mut VerifyReply) -> Result<()> {
        let folder = self.folder();
        // The files first: one that comes later has its record by then, but not in a snapshot taken before.
        let entries = folder.entries().map_err(file_failed)?;
        let known = self.store.read(names)?;
        for entry in entries.into_iter().filter(|entry| !entry.is_part) {
            match known.get(&entry.name) {
                Some(true) => {}
                Some(false) => {
                    folder.remove(&entry.name).map_err(file_failed)?;
                    reply.removed += 1;
                }
                None => {
                    let handle = format!("attachments/{}", entry.name);
                    let error = SessionError::refused(Check::AttachmentStray, &handle);
                    reply.failures.push(failure(&handle, &error));
                }
            }
        }
        Ok(())
    }
}

/// The names of all attachments' files, and whether their records are there or were erased. Clear columns say it, so
/// that a record that no longer opens still has its file.
fn names(tx: &ReadTx<'_>) -> Result<HashMap<String, bool>> {
    let mut names = HashMap::new();
    for head in tx.streams(StreamKind::Case)? {
        for row in tx.records_of_class(head.stream, RecordClass::Attachment)? {
            let live = !row.record.is_erased();
            names.insert(file_name(&super::context(&row.record.header))?, live);
        }
    }
    Ok(names)
}
