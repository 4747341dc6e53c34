//! Attachments of a misfiled note, taken along into the right case: opened chunk by chunk under the old case's key and
//! sealed under a new one, on their way through memory alone.
//!
//! ```text
//! old file ─ opened, checked ─> 1 MiB at a time ─> sealed ─> part, durable ─> record with the refiled note ─> published
//! ```
//!
//! The old file and its record stay where they are, hidden with their note.

use super::Attached;
use super::file_failed;
use super::file_name;
use super::note_section;
use super::stream;
use crate::attachments::Part;
use crate::session::Holder;
use crate::session::Result;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::case_keys::CaseKeys;
use crate::session::log::failure;
use crate::session::logging::Logged;
use crate::session::progress::Silent;
use crate::session::progress::Task;
use crate::session::progress::Unit;
use crate::session::random;
use crate::session::refused;
use crate::session::reply::Failure;
use crate::session::writing::Version;
use crate::store::WriteTx;
use std::io;
use std::io::Read;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::sync_channel;
use vault_core::attachment::Attachment;
use vault_core::attachment::AttachmentContext;
use vault_core::attachment::ChunkCipher;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::RecordId;
use vault_core::opening::fresh_id;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::StreamId;
use zeroize::Zeroizing;

/// Pieces of content that may wait between opening and sealing.
const WAITING: usize = 4;

/// An attachment sealed anew: its file is durable, and has no record yet.
pub(in crate::session) struct Carried {
    /// The record that it had.
    from: RecordId,
    context: AttachmentContext,
    name: String,
    part: Part,
    attachment: Attachment,
}

/// What was taken along, and what could not be because it is not what was attached.
#[derive(Default)]
pub(in crate::session) struct Luggage {
    pub(in crate::session) carried: Vec<Carried>,
    pub(in crate::session) left: Vec<Failure>,
    /// The records that there were, to notice one that came meanwhile.
    seen: Vec<RecordId>,
}

impl Session {
    /// Seals the attachments of a note anew for another case.
    ///
    /// # Errors
    /// [`SessionError::DiskFull`], [`SessionError::Cancelled`], [`SessionError::Io`]: nothing is taken along then.
    pub(in crate::session) fn carry_attachments(
        &self,
        case: CaseId,
        note: RecordId,
        to: CaseId,
        logged: &Logged,
        task: Task<'_>,
    ) -> Result<Luggage> {
        self.settle()?;
        let holder = &self.holder;
        let (attached, detached) = self.store.read(|tx| -> Result<_> {
            let keys = holder.case_keys(tx, case)?;
            let detached = holder.read_note(tx, &keys, note, None, logged)?.note.detached;
            Ok((holder.attached(tx, &keys, note, logged)?, detached))
        })?;
        let mut luggage = Luggage::default();
        let stays = |one: &Attached| super::removal(&detached, one.context.record).is_some();
        let bytes = attached
            .iter()
            .filter(|one| !stays(one))
            .map(|one| one.attachment.length)
            .sum();
        task.progress
            .start("taking attachments along", Some(bytes), Unit::Bytes);
        for (number, one) in (1..).zip(&attached) {
            luggage.seen.push(one.context.record);
            if stays(one) {
                continue;
            }
            let of = format!("{} attachment {number}", note.handle());
            match self.carry(one, to, &of, task) {
                Ok(carried) => luggage.carried.push(carried),
                // It stays with the hidden note; to hide that at once matters more.
                Err(e @ SessionError::Refused { .. }) => luggage.left.push(failure(&of, &e)),
                Err(e) => {
                    self.settle_luggage(luggage);
                    return Err(e);
                }
            }
        }
        task.progress.finish();
        Ok(luggage)
    }

    fn carry(&self, one: &Attached, to: CaseId, of: &str, task: Task<'_>) -> Result<Carried> {
        let file = self.folder().open(&file_name(&one.context)?).map_err(file_failed)?;
        let file = file.ok_or_else(|| SessionError::refused(Check::AttachmentMissing, of))?;
        let old = ChunkCipher::derive(&one.attachment.key, &one.context).map_err(refused(of))?;
        let context = AttachmentContext {
            agency: one.context.agency,
            stream: StreamId::case(to),
            record: RecordId(fresh_id(&mut random::os())),
        };
        let name = file_name(&context)?;
        let part = self.folder().begin(&name).map_err(file_failed)?;
        let (pieces, taken) = sync_channel::<Piece>(WAITING);
        let sealed = std::thread::scope(|scope| {
            let (file, attachment, old) = (&file, &one.attachment, &old);
            let open = move || -> Result<()> {
                let quiet = Task {
                    progress: &Silent,
                    cancel: task.cancel,
                };
                let mut take = |content: &[u8]| {
                    let piece = Piece::Content(Zeroizing::new(content.to_vec()));
                    // Who seals has stopped, and says why.
                    pieces.send(piece).map_err(|_| SessionError::Cancelled)
                };
                stream::open(file, attachment, old, of, quiet, &mut take)?;
                // Only now is the whole known to be right; without this the content has no end.
                pieces.send(Piece::End).map_err(|_| SessionError::Cancelled)
            };
            let opener = scope.spawn(move || crate::memory::scrubbed(open));
            let mut content = Content::new(taken);
            let sealed = stream::seal(&mut content, part.file(), |first| self.key(first, &context), task);
            drop(content);
            let opened = opener
                .join()
                .unwrap_or_else(|_| Err(SessionError::Bug("a thread of the attachment ended early".to_owned())));
            match (opened, sealed) {
                // The opener stopped because the sealer had.
                (Ok(()), sealed) | (Err(SessionError::Cancelled), sealed @ Err(_)) => sealed,
                (Err(e), _) => Err(e),
            }
        });
        let sealed = sealed.and_then(|sealed| {
            part.sync().map_err(file_failed)?;
            task.cancel.check()?;
            match (sealed.length, sealed.sha256) == (one.attachment.length, one.attachment.sha256) {
                true => Ok(sealed),
                false => Err(SessionError::refused(Check::AttachmentContent, of)),
            }
        });
        match sealed {
            Ok(sealed) => Ok(Carried {
                from: one.context.record,
                context,
                name,
                part,
                attachment: Attachment {
                    note: one.attachment.note,
                    name: one.attachment.name.clone(),
                    media_type: one.attachment.media_type.clone(),
                    length: sealed.length,
                    sha256: sealed.sha256,
                    at: one.attachment.at.clone(),
                    is_original: one.attachment.is_original,
                    key: sealed.key,
                },
            }),
            Err(e) => {
                let _ = self.settle_part(&name, part);
                Err(e)
            }
        }
    }

    /// Publishes what has a record by now, and discards what has none. What cannot be settled now is read as if it were,
    /// and settled by the next one who comes by: it refuses nothing that was committed.
    pub(in crate::session) fn settle_luggage(&self, luggage: Luggage) {
        for Carried { name, part, .. } in luggage.carried {
            let _ = self.settle_part(&name, part);
        }
    }
}

impl Holder {
    /// Appends the records of what was taken along, to the note that it goes with.
    ///
    /// # Errors
    /// [`SessionError::Conflict`] where a file was attached to the old note meanwhile.
    pub(in crate::session) fn put_luggage(
        &self,
        tx: &mut WriteTx<'_>,
        from: (&CaseKeys, RecordId),
        to: (&CaseKeys, RecordId),
        luggage: &mut Luggage,
        logged: &Logged,
    ) -> Result<()> {
        let now = self.attached(tx, from.0, from.1, logged)?;
        if now
            .iter()
            .map(|one| one.context.record)
            .ne(luggage.seen.iter().copied())
        {
            let what = format!("the attachments of note {} changed meanwhile", from.1.handle());
            return Err(SessionError::conflict(what, "run it again"));
        }
        let section = note_section(tx, to.0, to.1)?;
        for carried in &mut luggage.carried {
            carried.attachment.note = to.1;
            let fault = refused(carried.from.handle());
            let json = Zeroizing::new(carried.attachment.to_json().map_err(fault)?);
            let version = Version::first(carried.context.record);
            let placed = self.seal(to.0, RecordClass::Attachment, section, version, &json)?;
            self.append_record(tx, &placed, false)?;
        }
        Ok(())
    }
}

/// What goes from the opener to the sealer.
enum Piece {
    Content(Zeroizing<Vec<u8>>),
    /// All of it was found right.
    End,
}

/// The content as the sealer reads it.
struct Content {
    pieces: Receiver<Piece>,
    piece: Zeroizing<Vec<u8>>,
    at: usize,
    ended: bool,
}

impl Content {
    fn new(pieces: Receiver<Piece>) -> Self {
        Self {
            pieces,
            piece: Zeroizing::default(),
            at: 0,
            ended: false,
        }
    }
}

impl Read for Content {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.piece.len() && !self.ended {
            match self.pieces.recv() {
                Ok(Piece::Content(piece)) => (self.piece, self.at) = (piece, 0),
                Ok(Piece::End) => self.ended = true,
                // The opener refused it, and says why.
                Err(_) => return Err(io::Error::from(io::ErrorKind::InvalidData)),
            }
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let length = rest.len().min(into.len());
        let (Some(from), Some(to)) = (rest.get(..length), into.get_mut(..length)) else {
            return Ok(0);
        };
        to.copy_from_slice(from);
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_content_without_its_end_is_no_content() {
        let (to, from) = sync_channel(4);
        to.send(Piece::Content(Zeroizing::new(b"half".to_vec()))).unwrap();
        drop(to);
        let mut read = Vec::new();
        assert!(Content::new(from).read_to_end(&mut read).is_err());
        let (to, from) = sync_channel(4);
        for piece in ["who", "", "le"] {
            to.send(Piece::Content(Zeroizing::new(piece.into()))).unwrap();
        }
        to.send(Piece::End).unwrap();
        read.clear();
        Content::new(from).read_to_end(&mut read).unwrap();
        assert_eq!(read, b"whole");
    }
}
