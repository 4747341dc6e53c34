//! Making a backup: a copy of the store as of now, the attachments' files, and what reads them, sealed as one stream.
//!
//! ```text
//! store ─ snapshot (no ratchet) ─┐
//! attachments' files ────────────┼─> chunks ─> age ─> out
//! identity, seeds, store key ────┘
//! ```
//!
//! The unlock key at hand seals it, so that nobody is asked for the passphrase again.

use super::Result;
use super::Session;
use super::SessionError;
use super::clock;
use super::logging::Intent;
use super::progress::Task;
use super::progress::Unit;
use super::random;
use super::refused;
use super::reply::BACKUP_CREATE;
use super::reply::BACKUP_LEDGER;
use super::reply::BackupReply;
use super::reply::LedgerReply;
use super::request::ReadPurpose;
use super::vault::io_error;
use crate::places::Places;
use rustix::fs::FlockOperation;
use rustix::fs::flock;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use vault_core::backup;
use vault_core::backup::BackupSecrets;
use vault_core::ledger;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::backup::BackupEntry;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::ledger::LedgerEntry;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::StreamKind;

/// Local values that are a device's own: a ratchet state on two machines would seal two entries under one key.
const OF_THE_DEVICE: [&str; 2] = ["ratchet", "overview:"];
/// Bytes that are sealed between two looks at the progress and at whoever wants to stop it.
pub(super) const PIECE: usize = 256 * 1024;

impl Session {
    /// Seals a backup to the passphrase and to recovery, and writes it to `out`.
    ///
    /// # Errors
    /// [`SessionError::Busy`] while another backup is made, [`SessionError::DiskFull`], [`SessionError::Cancelled`],
    /// [`SessionError::Conflict`] if an attachment went meanwhile.
    pub fn backup(&mut self, out: &mut dyn Write, task: Task<'_>) -> Result<BackupReply> {
        let purpose = ReadPurpose::default();
        self.log(&Intent {
            operation: AccessOperation::Export,
            case: None,
            records: &[],
            scope: Some("backup"),
            purpose: &purpose,
        })?;
        task.progress.start("copying the store", None, Unit::Items);
        let snapshot = Snapshot::take(&self.places, |path| self.store.snapshot_to(path, &OF_THE_DEVICE))?;
        task.progress.finish();
        task.cancel.check()?;
        let folder = self.places.home().join("attachments");
        let attachments = list(&folder)?;
        let secrets = &self.holder.secrets;
        let recovery_waits = self.holder.holds_recovery_key();
        let json = BackupSecrets {
            made_at: clock::moment(clock::now()).as_str().to_owned(),
            identity: secrets.identity.duplicate(),
            recipients: secrets.recipients.iter().map(|(v, s)| (*v, s.duplicate())).collect(),
            dpo: secrets.dpo.iter().map(|(v, s)| (*v, s.duplicate())).collect(),
            store_key: secrets.store_key.duplicate(),
            recovery_waits,
        }
        .to_json()
        .map_err(refused("backup"))?;

        let length = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        let entry = |name: &str, length: u64| BackupEntry {
            name: name.as_bytes().to_vec(),
            length,
        };
        let mut listed = vec![
            entry(backup::SECRETS, length(json.len())),
            entry(backup::STORE, snapshot.length),
        ];
        listed.extend(attachments.iter().map(|(name, length)| entry(name, *length)));
        let total = listed.iter().map(|e| e.length).sum();
        let index = backup::index(listed).map_err(refused("backup"))?;

        let failed = io_error("could not write the backup");
        let mut counted = Counted {
            out,
            bytes: 0,
            failed: None,
        };
        let root = self.holder.agency.root();
        let begun = backup::begin(&self.unlocked, &root.recovery, index, &mut counted, &mut random::os());
        let mut sealing = match begun {
            Ok(sealing) => sealing,
            Err(error) => return Err(counted.failed.take().map_or_else(|| refused("backup")(error), failed)),
        };
        task.progress.start("sealing the backup", Some(total), Unit::Bytes);
        sealing.write_all(&json).map_err(&failed)?;
        task.progress.advance(length(json.len()));
        let mut store = &snapshot.file;
        pour(&mut store, snapshot.length, backup::STORE, &mut sealing, task)?;
        for (name, length) in &attachments {
            let path = folder.join(name.strip_prefix(backup::ATTACHMENTS).unwrap_or(name));
            let mut file = File::open(&path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => changed(name),
                _ => failed(error),
            })?;
            pour(&mut file, *length, name, &mut sealing, task)?;
        }
        sealing.finish().map_err(&failed)?;
        task.progress.finish();
        Ok(BackupReply {
            schema: BACKUP_CREATE,
            agency: self.holder.agency.id().text(),
            entries: snapshot.links,
            attachments: u64::try_from(attachments.len()).unwrap_or(u64::MAX),
            bytes: counted.bytes,
            recovery_version: self.holder.agency.root().recovery.version,
            recovery_waits,
        })
    }

    /// Collects every erasure of the vault, signed, for a restore of an older backup to replay.
    ///
    /// # Errors
    /// [`SessionError::Refused`] where a stream is not the one that was written.
    pub fn ledger(&mut self) -> Result<LedgerReply> {
        let purpose = ReadPurpose::default();
        self.log(&Intent {
            operation: AccessOperation::Export,
            case: None,
            records: &[],
            scope: Some("erasure ledger"),
            purpose: &purpose,
        })?;
        let mut records = 0;
        let entries = self.store.read(|tx| -> Result<Vec<LedgerEntry>> {
            let mut entries = Vec::new();
            for head in tx.streams(StreamKind::Case)? {
                let mut found = false;
                for row in tx.events(head.stream)? {
                    let LinkBody::Event(placed) = &row.link.link().body else {
                        continue;
                    };
                    let Event::Erasure(erasure) = &placed.event else {
                        continue;
                    };
                    found = true;
                    records += u64::try_from(erasure.records.len()).unwrap_or(u64::MAX);
                    entries.push(LedgerEntry {
                        link: row.link.bytes().to_vec(),
                        signature: *row.link.signature(),
                    });
                }
                if found {
                    tx.authenticate(head.stream)?;
                }
            }
            Ok(entries)
        })?;
        let erasures = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        let holder = &self.holder;
        let ledger = ledger::write(holder.agency.id(), holder.device, &holder.signer, entries);
        Ok(LedgerReply {
            schema: BACKUP_LEDGER,
            erasures,
            records,
            ledger: ledger.map_err(refused("erasure ledger"))?,
        })
    }
}

/// A copy of the store, gone with this value.
struct Snapshot {
    path: PathBuf,
    file: File,
    length: u64,
    links: u64,
}

impl Snapshot {
    fn take<E>(places: &Places, copy: impl FnOnce(&Path) -> std::result::Result<u64, E>) -> Result<Self>
    where
        SessionError: From<E>,
    {
        let failed = io_error("could not copy the store");
        let path = places.snapshot();
        let opened = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let file = opened.map_err(&failed)?;
        // Whoever was killed while sealing left a copy that nobody holds.
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(SessionError::Busy);
        }
        let mut snapshot = Self {
            path,
            file,
            length: 0,
            links: 0,
        };
        snapshot.file.set_len(0).map_err(&failed)?;
        snapshot.links = copy(&snapshot.path)?;
        snapshot.length = snapshot.file.metadata().map_err(failed)?.len();
        Ok(snapshot)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // One that stays is sealed, and overwritten by the next backup.
        let _ = fs::remove_file(&self.path);
    }
}

/// Lists the attachments' files with their lengths, by name; what is still being written has a lock, and no record yet.
pub(super) fn list(folder: &Path) -> Result<Vec<(String, u64)>> {
    let failed = io_error("could not read the attachments");
    let mut found = Vec::new();
    let inside = match fs::read_dir(folder) {
        Ok(inside) => inside,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(failed(error)),
    };
    for entry in inside {
        let entry = entry.map_err(&failed)?;
        let name = format!("{}{}", backup::ATTACHMENTS, entry.file_name().to_string_lossy());
        if !entry.file_type().map_err(&failed)?.is_file() || !backup::is_attachment(name.as_bytes()) {
            continue;
        }
        let file = match File::open(entry.path()) {
            Ok(file) => file,
            // Renamed or removed since the folder was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(changed(&name)),
            Err(error) => return Err(failed(error)),
        };
        if name.ends_with(".part") && flock(&file, FlockOperation::NonBlockingLockShared).is_err() {
            continue;
        }
        found.push((name, file.metadata().map_err(&failed)?.len()));
    }
    found.sort();
    Ok(found)
}

fn changed(name: &str) -> SessionError {
    SessionError::conflict(format!("`{name}` changed while the backup was made"), "run it again")
}

/// Seals exactly `length` bytes of a file.
fn pour(from: &mut dyn Read, length: u64, name: &str, out: &mut dyn Write, task: Task<'_>) -> Result<()> {
    let mut from = from.take(length);
    let mut piece = vec![0; PIECE];
    let mut left = length;
    while left > 0 {
        task.cancel.check()?;
        let read = from
            .read(&mut piece)
            .map_err(io_error("could not read what is backed up"))?;
        if read == 0 {
            return Err(changed(name));
        }
        let bytes = piece.get(..read).unwrap_or_default();
        out.write_all(bytes).map_err(io_error("could not write the backup"))?;
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        left = left.saturating_sub(read);
        task.progress.advance(read);
    }
    Ok(())
}

/// Counts what goes out, and keeps why it could not.
struct Counted<'a> {
    out: &'a mut dyn Write,
    bytes: u64,
    failed: Option<io::Error>,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.out.write(bytes) {
            Ok(written) => {
                self.bytes += u64::try_from(written).unwrap_or(u64::MAX);
                Ok(written)
            }
            Err(error) => {
                self.failed = Some(io::Error::from(error.kind()));
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
