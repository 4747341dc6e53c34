//! Attachments whose file or record is not what was signed, made by who holds the keys and by who does not.

use super::*;
use crate::session::Cancel;
use crate::session::Silent;
use crate::session::reply::VerifyReply;
use crate::session::request::CaseCloseRequest;
use crate::session::request::NoteWithdrawRequest;
use crate::session::tests::Vault;
use std::io::Read;
use std::path::PathBuf;
use vault_core::attachment::CHUNK_BYTES;
use vault_core::attachment::SEALED_CHUNK_BYTES;

const NAME: &str = "letter.txt";

struct With {
    vault: Vault,
    case: String,
    note: String,
}

impl With {
    /// A vault with a note, and attached to it a content of `length` bytes.
    fn attached(length: usize) -> Self {
        let mut vault = Vault::made();
        let case = vault.case("ext-1");
        let note = vault.note(&case, "obs: The letter came.");
        let mut with = Self { vault, case, note };
        with.attach(NAME, &content(length)).unwrap();
        with
    }

    fn attach(&mut self, name: &str, content: &[u8]) -> Result<NoteAttachReply> {
        let request = NoteAttachRequest {
            note: self.note.clone(),
            name: name.to_owned(),
            ..NoteAttachRequest::default()
        };
        let cancel = Cancel::default();
        self.vault.s().note_attach(&mut { content }, request, quiet(&cancel))
    }

    fn get(&mut self, original: bool) -> (Result<NoteAttachmentReply>, Vec<u8>) {
        let request = NoteAttachmentRequest {
            removed: false,
            note: self.note.clone(),
            number: 1,
            original,
            ..NoteAttachmentRequest::default()
        };
        let (mut out, cancel) = (Vec::new(), Cancel::default());
        let done = self.vault.s().note_attachment(request, &mut out, quiet(&cancel));
        (done, out)
    }

    fn verify(&mut self) -> VerifyReply {
        let cancel = Cancel::default();
        self.vault.s().verify(quiet(&cancel)).unwrap()
    }

    /// Returns handle and check of what a verification names.
    fn named(&mut self) -> Vec<(String, String)> {
        let failures = self.verify().failures.into_iter();
        failures.map(|f| (f.handle, f.check)).collect()
    }

    fn files(&self) -> Vec<PathBuf> {
        let listed = std::fs::read_dir(self.vault.places.attachments()).unwrap();
        let mut files: Vec<_> = listed.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    fn file(&self) -> PathBuf {
        let [file] = self.files().try_into().unwrap();
        file
    }

    /// Opens the record of the first attachment, as who holds the keys can.
    fn opened(&mut self) -> Attached {
        let note = self.note.clone();
        let session = self.vault.s();
        let holder = &session.holder;
        let found = session.store.read(|tx| {
            let (case, note) = holder.resolve_note(tx, &note)?;
            let keys = holder.case_keys(tx, case)?;
            holder.attached(tx, &keys, note, &Logged::by_link())
        });
        found.unwrap().remove(0)
    }

    /// Places an attachment's record, as a modified client can.
    fn place(&mut self, section: Section, version: Version, attachment: &Attachment) {
        let note = self.note.clone();
        let json = attachment.to_json().unwrap();
        let placed = self.vault.s().write(|holder, tx| {
            let (case, _) = holder.resolve_note(tx, &note)?;
            let keys = holder.case_keys(tx, case)?;
            let placed = holder.seal(&keys, RecordClass::Attachment, section, version, &json)?;
            holder.append_record(tx, &placed, false)
        });
        placed.unwrap();
    }

    fn refused_everywhere(&mut self, check: Check, handle: &str) {
        let (done, _) = self.get(false);
        assert_eq!(done.unwrap_err().check(), Some(check));
        assert_eq!(self.named(), [(handle.to_owned(), check.to_string())]);
    }
}

fn quiet(cancel: &Cancel) -> Task<'_> {
    let progress = &Silent;
    Task { progress, cancel }
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

#[test]
fn chk_110_a_file_that_is_missing_is_named() {
    let mut with = With::attached(9);
    std::fs::remove_file(with.file()).unwrap();
    let handle = format!("{} attachment 1", with.note);
    with.refused_everywhere(Check::AttachmentMissing, &handle);
}

#[test]
fn chk_111_a_pipe_or_a_folder_in_a_files_place_is_refused_and_not_waited_for() {
    let mut with = With::attached(9);
    let (path, handle) = (with.file(), format!("{} attachment 1", with.note));
    std::fs::remove_file(&path).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    with.refused_everywhere(Check::AttachmentLength, &handle);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    with.refused_everywhere(Check::AttachmentLength, &handle);
}

#[test]
fn chk_105_a_link_in_a_files_place_is_told_and_the_others_are_read_all_the_same() {
    let mut with = With::attached(9);
    let file = with.file();
    with.attach("other.txt", b"x").unwrap();
    let away = file.with_file_name("elsewhere");
    std::fs::rename(&file, &away).unwrap();
    std::os::unix::fs::symlink(&away, &file).unwrap();
    let verified = with.verify();
    let failures: Vec<&str> = verified.failures.iter().map(|one| one.check.as_str()).collect();
    assert_eq!((failures, verified.attachments), (vec!["CHK-105"], 1));
}

#[test]
fn chk_111_a_file_of_another_length_is_refused_before_anything_is_opened() {
    let mut with = With::attached(2 * CHUNK_BYTES);
    let (path, handle) = (with.file(), format!("{} attachment 1", with.note));
    let honest = std::fs::read(&path).unwrap();
    for length in [
        0,
        16,
        SEALED_CHUNK_BYTES,
        2 * SEALED_CHUNK_BYTES,
        honest.len() - 1,
        honest.len() + 1,
    ] {
        let mut changed = honest.clone();
        changed.resize(length, 0);
        std::fs::write(&path, changed).unwrap();
        with.refused_everywhere(Check::AttachmentLength, &handle);
        assert_eq!(with.get(false).1, b"", "nothing was handed on");
    }
}

#[test]
fn chk_112_the_chunk_that_was_changed_is_named_and_nothing_of_it_is_handed_on() {
    let mut with = With::attached(2 * CHUNK_BYTES);
    let path = with.file();
    let mut changed = std::fs::read(&path).unwrap();
    changed[SEALED_CHUNK_BYTES + 77] ^= 1;
    std::fs::write(&path, changed).unwrap();
    let handle = format!("{} attachment 1, chunk 2 of 3", with.note);
    with.refused_everywhere(Check::AttachmentChunk, &handle);
    assert_eq!(with.get(false).1, content(CHUNK_BYTES));
}

/// Writes another file that opens under the same key, as who may read the attachment can.
fn resealed(with: &mut With, padded: &[u8]) {
    let attached = with.opened();
    let cipher = ChunkCipher::derive(&attached.attachment.key, &attached.context).unwrap();
    let mut chunk = padded.to_vec();
    chunk.resize(padded.len() + 16, 0);
    cipher.seal(0, true, &mut chunk).unwrap();
    std::fs::write(with.file(), chunk).unwrap();
}

#[test]
fn chk_113_another_content_under_the_same_key_is_not_the_one_that_was_signed() {
    let mut with = With::attached(9);
    let mut padded = b"forged!!!".to_vec();
    padded.push(0x80);
    padded.resize(256, 0);
    resealed(&mut with, &padded);
    let handle = format!("{} attachment 1", with.note);
    with.refused_everywhere(Check::AttachmentContent, &handle);
}

#[test]
fn chk_13_padding_behind_a_content_is_a_mark_and_zeros() {
    let mut with = With::attached(9);
    let handle = format!("{} attachment 1, chunk 1 of 1", with.note);
    for (at, byte) in [(9, 0), (9, 0x81), (10, 1), (255, 1)] {
        let mut padded = content(9);
        padded.push(0x80);
        padded.resize(256, 0);
        padded[at] = byte;
        resealed(&mut with, &padded);
        with.refused_everywhere(Check::Padding, &handle);
    }
}

#[test]
fn chk_114_an_attachment_belongs_to_a_note_of_its_own_section_and_has_one_version() {
    let mut with = With::attached(9);
    let honest = with.opened();
    let path = with.file();
    // In a section that the note is not in, where others can read than those who can read the note.
    let record = RecordId([7; 16]);
    with.place(Section(2), Version::first(record), &honest.attachment);
    let context = AttachmentContext {
        record,
        ..honest.context
    };
    std::fs::copy(&path, path.with_file_name(file_name(&context).unwrap())).unwrap();
    let handle = format!("{} attachment 2", with.note);
    assert_eq!(with.named(), [(handle, "CHK-114".to_owned())]);
    assert_eq!(
        with.vault
            .s()
            .note_attachments(list(&with.note))
            .unwrap()
            .attachments
            .len(),
        1
    );

    let mut with = With::attached(9);
    let honest = with.opened();
    let second = Version::after(honest.context.record, 1, honest.hash);
    with.place(Section::CORE, second, &honest.attachment);
    // It is named, and hides no other.
    assert!(with.get(false).0.is_ok());
    assert_eq!(with.named(), [(honest.context.record.handle(), "CHK-114".to_owned())]);
}

fn list(note: &str) -> NoteAttachmentsRequest {
    let note = note.to_owned();
    NoteAttachmentsRequest {
        note,
        ..NoteAttachmentsRequest::default()
    }
}

#[test]
fn chk_115_a_file_that_no_record_names_is_told_and_left_where_it_is() {
    let mut with = With::attached(9);
    let stray = with.file().with_file_name("0123456789abcdefghjkmnpqrs");
    std::fs::write(&stray, b"whose?").unwrap();
    let handle = "attachments/0123456789abcdefghjkmnpqrs".to_owned();
    assert_eq!(with.named(), [(handle, "CHK-115".to_owned())]);
    assert!(stray.exists());
    with.attach("other.txt", b"x").unwrap();
    assert!(stray.exists());
}

#[test]
fn what_a_crash_left_is_finished_or_removed_by_whether_its_record_is_there() {
    let mut with = With::attached(9);
    let file = with.file();
    // The record was committed and the renaming lost: it reads as ever, and the next who comes by renames it.
    let part = file.with_extension("part");
    std::fs::rename(&file, &part).unwrap();
    assert_eq!(with.get(false).1, content(9));
    let reply = with.verify();
    assert_eq!((reply.failures.len(), reply.attachments, reply.removed), (0, 1, 0));
    assert_eq!(with.file(), file);
    // No record: nothing of it is kept.
    let orphan = file.with_file_name("0123456789abcdefghjkmnpqrs.part");
    std::fs::write(&orphan, b"half").unwrap();
    let reply = with.verify();
    assert_eq!((reply.failures.len(), reply.removed), (0, 1));
    assert!(!orphan.exists());
    std::fs::write(&orphan, b"half").unwrap();
    with.attach("other.txt", b"x").unwrap();
    assert!(!orphan.exists());
    assert_eq!(with.files().len(), 2);
}

#[test]
fn a_part_that_somebody_writes_is_left_alone() {
    let mut with = With::attached(9);
    let folder = with.vault.s().folder();
    let part = folder.begin("0123456789abcdefghjkmnpqrs").unwrap();
    assert_eq!(with.verify().removed, 0);
    with.attach("other.txt", b"x").unwrap();
    assert_eq!(with.files().len(), 3);
    drop(part);
    assert_eq!(with.verify().removed, 1);
}

#[test]
fn a_withdrawn_notes_attachments_go_with_it_file_and_key() {
    let mut with = With::attached(9);
    with.attach("other.txt", b"x").unwrap();
    let kept: Vec<_> = with
        .files()
        .iter()
        .map(|f| (f.clone(), std::fs::read(f).unwrap()))
        .collect();
    let note = with.note.clone();
    let reply = with.vault.s().note_withdraw(NoteWithdrawRequest { note }).unwrap();
    assert_eq!(reply.erased, 3);
    assert!(with.files().is_empty());
    let (done, _) = with.get(true);
    assert!(matches!(done, Err(SessionError::Withdrawn { .. })));
    assert!(matches!(
        with.attach("late.txt", b"x"),
        Err(SessionError::Withdrawn { .. })
    ));
    assert!(with.files().is_empty(), "what was not attached leaves nothing");
    assert!(with.named().is_empty());
    // A copy put back, or a removal that a crash prevented: a leftover, and unreadable.
    for (path, bytes) in &kept {
        std::fs::write(path, bytes).unwrap();
    }
    let reply = with.verify();
    assert_eq!((reply.failures.len(), reply.removed), (0, 2));
    assert!(with.files().is_empty());
}

#[test]
fn the_same_again_is_attached_once_and_another_name_or_content_is_not_the_same() {
    let mut with = With::attached(9);
    let again = with.attach(NAME, &content(9)).unwrap();
    assert!(again.already && again.view.attachment == 1);
    assert_eq!(with.files().len(), 1);
    assert!(!with.attach("copy.txt", &content(9)).unwrap().already);
    assert!(!with.attach(NAME, &content(8)).unwrap().already);
    assert_eq!(with.files().len(), 3);
}

#[test]
fn attack_29_a_name_that_is_a_path_is_kept_as_it_is_and_never_used() {
    let mut with = With::attached(1);
    let name = "../../../etc/cron.d/\u{202e}x\u{1b}]52;c;y\u{7}";
    let reply = with.attach(name, b"x").unwrap();
    assert_eq!(reply.view.name, name);
    assert_eq!(reply.view.safe_name, "x]52;c;y");
    assert_eq!(with.files().len(), 2);
    let long = "n".repeat(256);
    assert!(matches!(
        with.attach(&long, b"x"),
        Err(SessionError::TooLong { limit: 255, .. })
    ));
}

#[test]
fn nothing_is_left_of_a_content_that_breaks_off_or_is_stopped() {
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::Error::from(io::ErrorKind::BrokenPipe));
            }
            let read = self.0.min(to.len());
            self.0 -= read;
            Ok(read)
        }
    }
    let mut with = With::attached(1);
    let request = NoteAttachRequest {
        note: with.note.clone(),
        name: "x".to_owned(),
        ..NoteAttachRequest::default()
    };
    let cancel = Cancel::default();
    for bytes in [0, 5, 3 << 20] {
        let done = with
            .vault
            .s()
            .note_attach(&mut io::BufReader::new(Broken(bytes)), request.clone(), quiet(&cancel));
        assert!(matches!(done, Err(SessionError::Io { .. })));
    }
    cancel.cancel();
    let done = with.vault.s().note_attach(
        &mut io::BufReader::new(io::repeat(7).take(3 << 20)),
        request,
        quiet(&cancel),
    );
    assert!(matches!(done, Err(SessionError::Cancelled)));
    assert_eq!(with.files().len(), 1);
    assert_eq!(with.vault.show(&with.note.clone()).unwrap().attachments.len(), 1);
}

#[test]
fn a_closed_case_takes_no_attachments_and_gives_those_that_it_has() {
    let mut with = With::attached(1);
    let request = CaseCloseRequest {
        reason: None,
        case: with.case.clone(),
        outcome: None,
        on: None,
    };
    with.vault.s().case_close(request).unwrap();
    assert!(matches!(with.attach("x", b"x"), Err(SessionError::Closed { .. })));
    assert_eq!(with.get(false).1, content(1));
    assert_eq!(with.files().len(), 1);
}

#[test]
fn attack_32_a_note_and_an_attachment_in_each_others_place_are_refused() {
    let note = "pos = (SELECT min(pos) FROM link WHERE class = 1)";
    let attachment = "pos = (SELECT min(pos) FROM link WHERE class = 4)";
    let columns = "wrap, body, commitment, record_signature, record_id";
    let take = |from: &str, to: &str| {
        format!("UPDATE link SET ({columns}) = (SELECT {columns} FROM link WHERE {from}) WHERE {to};")
    };
    for sql in [
        // The bytes of one under the header of the other.
        take(attachment, note),
        take(note, attachment),
        // The whole row called the other kind.
        format!("UPDATE link SET class = 1, is_primary = 1 WHERE {attachment};"),
        format!("UPDATE link SET class = 4, is_primary = 0 WHERE {note};"),
    ] {
        let mut with = With::attached(9);
        with.vault.changed(&sql);
        assert!(with.get(false).0.is_err(), "{sql}");
        assert!(with.vault.show(&with.note.clone()).is_err(), "{sql}");
        assert!(!with.verify().failures.is_empty(), "{sql}");
    }
}

#[test]
fn attack_32_what_is_made_by_who_holds_the_keys_is_read_as_its_own_kind_alone() {
    // The payload of a note as an attachment's, and an attachment's as a note's: both sealed and signed as they should.
    let mut with = With::attached(9);
    let json = with.opened().attachment.to_json().unwrap();
    let note = with.note.clone();
    let placed = with.vault.s().write(|holder, tx| {
        let (case, record) = holder.resolve_note(tx, &note)?;
        let keys = holder.case_keys(tx, case)?;
        let text = format!(r#"{{"schema":"casevault.note/1","note":"{record}","kind":"phone","segments":[]}}"#);
        for (class, id, payload) in [
            (RecordClass::Attachment, 7, text.as_bytes()),
            (RecordClass::Note, 8, json.as_slice()),
        ] {
            let version = Version::first(RecordId([id; 16]));
            let placed = holder.seal(&keys, class, Section::CORE, version, payload)?;
            holder.append_record(tx, &placed, false)?;
        }
        Ok(())
    });
    placed.unwrap();
    let handle = |id: u8| RecordId([id; 16]).handle();
    let both = [7, 8].map(|id| (handle(id), "CHK-106".to_owned()));
    assert_eq!(with.named(), both);
    // Neither hides the one that is what it says.
    assert!(with.get(false).0.is_ok());
}
