//! Restoring a backup: a new device, in a vault that appears whole or not at all.
//!
//! ```text
//! head ─ passphrase or cards ─> content ─> stage: store, attachments
//!      ─> device enrolled, old ones retired ─> (new recovery key) ─> erasures replayed ─> first access entry
//!      ─> everything verified ─> keystore ─> moved into place
//! ```
//!
//! Nothing is opened before the erasures are done again, and nothing is written where the vault will be before all of
//! it is there.

use super::Holder;
use super::Passphrase;
use super::Result;
use super::Session;
use super::SessionError;
use super::agency;
use super::logging::Intent;
use super::mails;
use super::progress::Task;
use super::progress::Unit;
use super::random;
use super::recovery;
use super::refused;
use super::reply::BACKUP_RESTORE;
use super::reply::RECOVERY_RESTORE;
use super::reply::RestoreReply;
use super::request::CardInput;
use super::request::ReadPurpose;
use super::request::RestoreRequest;
use super::stage::Stage;
use super::vault::io_error;
use crate::places::Places;
use crate::store::BlobKind;
use crate::store::RecordAt;
use crate::store::Row;
use crate::store::Store;
use crate::store::WriteTx;
use crate::store::hash_all;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::HashSet;
use std::io;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use vault_core::backup;
use vault_core::backup::BackupSecrets;
use vault_core::backup::Opener;
use vault_core::check::Check;
use vault_core::crypto::sign::SigningKey;
use vault_core::growing;
use vault_core::id::CaseId;
use vault_core::id::DeviceId;
use vault_core::id::MemberId;
use vault_core::id::RecordHash;
use vault_core::keystore;
use vault_core::keystore::RecoverySeeds;
use vault_core::keystore::Secrets;
use vault_core::ledger;
use vault_core::ledger::Erased;
use vault_core::opening::fresh;
use vault_core::opening::fresh_id;
use vault_core::restoring;
use vault_core::restoring::Appended;
use vault_core::secret::RecipientSeed;
use vault_core::secret::SealSecret;
use vault_core::secret::SigningSeed;
use vault_core::wire;
use vault_core::wire::v1::access::AccessOperation;
use vault_core::wire::v1::backup::BackupHead;
use vault_core::wire::v1::event::Erasure;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::stream::StreamId;

const BACKUP: &str = "backup";

/// What opens the backup.
enum Key<'a> {
    Passphrase(&'a Passphrase),
    Cards(&'a [CardInput], &'a Passphrase),
}

impl Session {
    /// Restores the vault of a backup with the passphrase that it had, which stays its passphrase.
    ///
    /// # Errors
    /// [`SessionError::BackupLocked`]; [`SessionError::Refused`] by CHK-108 for a backup that is cut short, CHK-109 for
    /// one that was changed; [`SessionError::AlreadyInitialised`], [`SessionError::NotEmpty`]. Nothing is there then.
    pub fn restore(
        places: &Places,
        request: RestoreRequest,
        passphrase: &Passphrase,
        from: &mut dyn Read,
        task: Task<'_>,
    ) -> Result<RestoreReply> {
        restore(places, &request, &Key::Passphrase(passphrase), from, task)
    }

    /// Refuses a folder in which nothing can be restored, before a passphrase is asked for.
    ///
    /// # Errors
    /// [`SessionError::AlreadyInitialised`], [`SessionError::NotEmpty`].
    pub fn require_restorable(places: &Places) -> Result<()> {
        super::stage::require_empty(places)
    }

    /// Restores the vault of a backup with the recovery key that the cards give, under a new passphrase: a recovery run,
    /// which is in the agency's stream for ever, and after which there is a new recovery key.
    ///
    /// # Errors
    /// As [`Session::restore`]; [`SessionError::Card`].
    pub fn recover(
        places: &Places,
        request: RestoreRequest,
        cards: &[CardInput],
        passphrase: &Passphrase,
        from: &mut dyn Read,
        task: Task<'_>,
    ) -> Result<RestoreReply> {
        restore(places, &request, &Key::Cards(cards, passphrase), from, task)
    }
}

fn restore(
    places: &Places,
    request: &RestoreRequest,
    key: &Key<'_>,
    from: &mut dyn Read,
    task: Task<'_>,
) -> Result<RestoreReply> {
    let stage = Stage::beside(places)?;
    let seen = Seen::default();
    let mut from = BufReader::with_capacity(1 << 16, Watched { from, seen: &seen });
    let head = read_head(&mut from)?;
    let (opener, recovery) = open_head(&head, key)?;
    let kept = unpack(&stage, &head, &opener, &mut from, &seen, request.bytes, task)?;

    let inside = Places::find(Some(stage.path())).map_err(io_error("could not find the restored vault"))?;
    let recovered = recovery.is_some();
    let recovery_waits = kept.recovery_waits;
    let mut session = begin(&inside, &head, kept, key)?;
    // Counted as making it counts them, before anything is written here or erased.
    let backed_up = session.store.read(|tx| Ok::<_, SessionError>(tx.head().pos))?;
    let attachments = super::backup::list(&inside.home().join("attachments"))?.len();
    let retired = session.enrol(recovery.as_ref())?;
    let owed = recovered || recovery_waits || request.new_recovery_key;
    // Nobody names a new key alone where more than one signs a root; and nobody's notes wait for that.
    let renewed = owed && growing::signatures_of_root(&session.holder.agency) == 1;
    if renewed {
        session.renew_recovery()?;
    }
    // Before anything of it opens.
    let erased = match &request.ledger {
        Some(ledger) => session.replay(ledger)?,
        None => 0,
    };
    let purpose = ReadPurpose::default();
    session.log(&Intent {
        operation: AccessOperation::Unlock,
        case: None,
        records: &[],
        scope: Some(if recovered { "recovery run" } else { "restore" }),
        purpose: &purpose,
    })?;
    let verified = session.verify(task)?;
    let holder = &session.holder;
    let reply = RestoreReply {
        schema: if recovered { RECOVERY_RESTORE } else { BACKUP_RESTORE },
        agency: holder.agency.id().text(),
        member: holder.member.handle(),
        device: holder.device.handle(),
        retired: retired.iter().map(DeviceId::handle).collect(),
        home: places.home().display().to_string(),
        made_at: session.made_at.clone(),
        entries: verified.entries,
        backed_up,
        attachments: u64::try_from(attachments).unwrap_or(u64::MAX),
        erased,
        recovery_version: holder.agency.root().recovery.version,
        recovery_renewed: renewed,
        recovery_owed: owed && !renewed,
        failures: verified.failures,
    };
    session.close()?;
    stage.finish()?;
    Ok(reply)
}

/// Opens a backup for a member's recipients alone: what was sealed to them before the member began anew.
///
/// # Errors
/// As [`Session::restore`]; [`Check::BackupContent`] for another member's.
pub(super) fn recipients_of(
    path: &Path,
    member: MemberId,
    passphrase: &Passphrase,
) -> Result<Vec<(u32, RecipientSeed)>> {
    let failed = io_error("could not read the backup");
    let mut file = std::fs::File::open(path).map_err(&failed)?;
    let seen = Seen::default();
    let mut from = BufReader::with_capacity(
        1 << 16,
        Watched {
            from: &mut file,
            seen: &seen,
        },
    );
    let head = read_head(&mut from)?;
    if head.header.member != member {
        return Err(SessionError::refused(Check::BackupContent, BACKUP));
    }
    let (opener, _) = open_head(&head, &Key::Passphrase(passphrase))?;
    let (index, mut content) = backup::open(&head, &opener, &mut from).map_err(refused(BACKUP))?;
    let secrets = index
        .entries
        .first()
        .filter(|entry| entry.name == backup::SECRETS.as_bytes());
    let length = secrets.and_then(|entry| usize::try_from(entry.length).ok());
    let length = length.filter(|length| *length <= limit::BACKUP_SECRETS);
    let mut json = zeroize::Zeroizing::new(vec![
        0;
        length.ok_or_else(|| SessionError::refused(
            Check::BackupContent,
            BACKUP
        ))?
    ]);
    content
        .read_exact(&mut json)
        .map_err(|_| SessionError::refused(Check::BackupContent, BACKUP))?;
    Ok(BackupSecrets::from_json(&json).map_err(refused(BACKUP))?.recipients)
}

/// A session on the vault under work, with what came beside its store.
struct Restoring {
    session: Session,
    made_at: String,
}

impl std::ops::Deref for Restoring {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl std::ops::DerefMut for Restoring {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}

fn read_head(from: &mut impl Read) -> Result<BackupHead> {
    let mut bytes = Vec::with_capacity(backup::HEAD_BYTES);
    let most = u64::try_from(backup::HEAD_BYTES).unwrap_or(0);
    from.take(most)
        .read_to_end(&mut bytes)
        .map_err(io_error("could not read the backup"))?;
    backup::read_head(&bytes).map_err(|error| match error.check {
        Check::KdfBounds => SessionError::KdfBounds,
        check => SessionError::refused(check, BACKUP),
    })
}

fn open_head(head: &BackupHead, key: &Key<'_>) -> Result<(Opener, Option<RecoverySeeds>)> {
    match key {
        Key::Passphrase(passphrase) => {
            let opener = backup::with_passphrase(head, passphrase.expose());
            Ok((opener.map_err(|_| SessionError::BackupLocked)?, None))
        }
        Key::Cards(cards, _) => {
            let recovery = recovery::combine(head.header.agency, cards)?;
            let opener = backup::with_recovery(head, &recovery).map_err(|error| SessionError::Card {
                card: "the cards".to_owned(),
                why: format!(
                    "they are of recovery key {}, and the backup is sealed to recovery key {}",
                    recovery.version, head.header.recovery
                ),
                check: error.check,
            })?;
            Ok((opener, Some(recovery)))
        }
    }
}

/// Writes what the backup holds into the stage; returns its secrets.
fn unpack(
    stage: &Stage,
    head: &BackupHead,
    opener: &Opener,
    from: &mut BufReader<Watched<'_>>,
    seen: &Seen,
    bytes: Option<u64>,
    task: Task<'_>,
) -> Result<BackupSecrets> {
    let least = backup::least_bytes(head);
    if bytes.is_some_and(|bytes| bytes < least) {
        return Err(SessionError::refused(Check::BackupTruncated, BACKUP));
    }
    let (index, mut content) = backup::open(head, opener, from).map_err(|error| match error.check {
        _ if seen.is_short_of(least) => SessionError::refused(Check::BackupTruncated, BACKUP),
        Check::BackupHead => SessionError::BackupLocked,
        check => SessionError::refused(check, BACKUP),
    })?;
    let whole = content.whole();
    let broken = |error: io::Error| match seen.failed.take() {
        Some(kind) => io_error("could not read the backup")(io::Error::from(kind)),
        None if seen.is_short_of(whole) => SessionError::refused(Check::BackupTruncated, BACKUP),
        None if error.kind() == io::ErrorKind::OutOfMemory => SessionError::Bug(error.to_string()),
        None => SessionError::refused(Check::BackupContent, BACKUP),
    };
    task.progress.start("restoring", Some(content.left()), Unit::Bytes);
    let mut secrets = None;
    for entry in &index.entries {
        let name = std::str::from_utf8(&entry.name).map_err(|_| SessionError::refused(Check::BackupContent, BACKUP))?;
        if name == backup::SECRETS {
            let length = usize::try_from(entry.length).unwrap_or(0);
            let mut json = zeroize::Zeroizing::new(vec![0; length]);
            content.read_exact(&mut json).map_err(broken)?;
            secrets = Some(BackupSecrets::from_json(&json).map_err(refused(BACKUP))?);
            continue;
        }
        let mut file = stage.file(name)?;
        let mut piece = vec![0; super::backup::PIECE];
        let mut left = entry.length;
        while left > 0 {
            task.cancel.check()?;
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            let part = piece.get_mut(..most).unwrap_or_default();
            content.read_exact(part).map_err(broken)?;
            file.write_all(part)
                .map_err(io_error("could not write the restored vault"))?;
            let read = u64::try_from(most).unwrap_or(u64::MAX);
            left = left.saturating_sub(read);
            task.progress.advance(read);
        }
        file.sync_all()
            .map_err(io_error("could not write the restored vault"))?;
    }
    content.finish().map_err(refused(BACKUP))?;
    task.progress.finish();
    secrets.ok_or_else(|| SessionError::refused(Check::BackupContent, BACKUP))
}

/// Opens the store under work as a device that is not enrolled yet.
fn begin(inside: &Places, head: &BackupHead, kept: BackupSecrets, key: &Key<'_>) -> Result<Restoring> {
    let header = &head.header;
    let mut random = random::os();
    let store = Store::open(&inside.store(), &kept.store_key)?;
    if store.agency() != header.agency {
        return Err(SessionError::refused(Check::BackupContent, BACKUP));
    }
    let agency = store.read(agency::load)?;
    let device = DeviceId(fresh_id(&mut random));
    let secrets = Secrets {
        device: SigningSeed::from_bytes(fresh(&mut random)),
        seal_secret: SealSecret::from_bytes(fresh(&mut random)),
        store_key: kept.store_key,
        identity: kept.identity,
        recipients: kept.recipients,
        dpo: kept.dpo,
        recovery: None,
    };
    let passphrase = match key {
        Key::Passphrase(passphrase) | Key::Cards(_, passphrase) => passphrase,
    };
    let unlocked = keystore::create(
        header.agency,
        header.member,
        device,
        passphrase.expose(),
        header.cost,
        fresh(&mut random),
    )
    .map_err(refused("keystore"))?;
    let session = Session {
        places: inside.clone(),
        store,
        holder: Holder {
            agency,
            member: header.member,
            device,
            signer: SigningKey::from_seed(&secrets.device),
            secrets,
            known: None,
        },
        unlocked,
        wrong_tries: 0,
    };
    Ok(Restoring {
        session,
        made_at: kept.made_at,
    })
}

impl Restoring {
    /// Enrols the new device in place of the others; returns those.
    fn enrol(&mut self, recovery: Option<&RecoverySeeds>) -> Result<Vec<DeviceId>> {
        let header = *self.unlocked.header();
        if let Some(recovery) = recovery {
            let known = self.holder.agency.root().recovery == recovery.public();
            if !known {
                return Err(SessionError::Card {
                    card: "the cards".to_owned(),
                    why: "they give another key than the agency's".to_owned(),
                    check: Check::CardStale,
                });
            }
        }
        let retired = self.session.write(|holder, tx| {
            let before: Vec<_> = holder.agency.devices().keys().copied().collect();
            let live = |holder: &Holder, id: &DeviceId| holder.agency.live_device(*id).is_ok();
            let live_before: Vec<_> = before.into_iter().filter(|id| live(holder, id)).collect();
            let (member, device) = (holder.member, holder.device);
            let appended = restoring::enrol(&mut holder.agency, member, device, &holder.secrets, recovery)
                .map_err(refused("agency"))?;
            put(tx, &appended)?;
            Ok(live_before.into_iter().filter(|id| !live(holder, id)).collect())
        })?;
        // Whoever put the backup together had keys that the agency's stream shows, or it ends here.
        keystore::require_own_keys(&self.holder.agency, &header, &self.holder.secrets).map_err(refused(BACKUP))?;
        Ok(retired)
    }

    /// Makes a new recovery key; the cards of the old one are then stale.
    fn renew_recovery(&mut self) -> Result<()> {
        self.session.write(|holder, tx| {
            let (member, device) = (holder.member, holder.device);
            let appended = restoring::renew_recovery(
                &mut holder.agency,
                member,
                device,
                &mut holder.secrets,
                &mut random::os(),
            )
            .map_err(refused("agency"))?;
            put(tx, &appended)?;
            tx.remove_local(recovery::SET)?;
            tx.remove_local(recovery::BEGUN)?;
            tx.remove_local(recovery::NEXT)?;
            Ok(())
        })
    }

    /// Erases again what was erased after the backup was made; returns how many records that were.
    fn replay(&mut self, ledger: &[u8]) -> Result<u64> {
        let erasures = ledger::read(ledger, &self.holder.agency).map_err(refused("erasure ledger"))?;
        let mut by_case: BTreeMap<CaseId, Vec<Erased>> = BTreeMap::new();
        for erased in erasures {
            by_case.entry(erased.case).or_default().push(erased);
        }
        self.session.write(|holder, tx| {
            let mut count = 0;
            for (case, erasures) in by_case {
                // A case that was opened after the backup was made has nothing here to erase.
                if tx.stream_head(StreamId::case(case))?.is_some() {
                    count += holder.erase_again(tx, case, &erasures)?;
                }
            }
            mails::forget_erased(tx)?;
            Ok(count)
        })
    }

    /// Writes the keystore, and lets go of the store, so that its log is emptied.
    fn close(mut self) -> Result<()> {
        if let Some(kept) = self.kept_set()? {
            recovery::put_set(&self.places, &kept)?;
        }
        let session = &mut self.session;
        let file = keystore::write(&mut session.unlocked, &session.holder.secrets, fresh(&mut random::os()))
            .map_err(refused("keystore"))?;
        super::vault::replace(&session.places.keystore(), &file).map_err(io_error("could not write the keystore"))
    }
}

impl Holder {
    /// Appends an erasure of its own for what of `erasures` still has its bytes here.
    fn erase_again(&self, tx: &mut WriteTx<'_>, case: CaseId, erasures: &[Erased]) -> Result<u64> {
        let mut keys = self.case_keys(tx, case)?;
        let wanted: HashSet<RecordHash> = erasures.iter().flat_map(|e| e.records.iter().copied()).collect();
        let mut places: BTreeMap<RecordHash, RecordAt> = BTreeMap::new();
        tx.scan(
            keys.stream(),
            super::reading::CHUNK,
            &mut |rows: Vec<Row>| -> Result<()> {
                for hashed in hash_all(&rows)? {
                    let records: Vec<_> = match hashed.row() {
                        Row::Record(row) => vec![&row.record],
                        Row::Link(row) => row.sealed.iter().collect(),
                    };
                    for (record, placement) in records.into_iter().zip(hashed.placements()) {
                        if wanted.contains(&placement.record_hash) && !record.is_erased() {
                            places.insert(placement.record_hash, record.at);
                        }
                    }
                }
                Ok(())
            },
        )?;
        let mut count = 0;
        for erased in erasures {
            let mut left: Vec<RecordHash> = Vec::new();
            let mut at = Vec::new();
            for record in &erased.records {
                if let Some(place) = places.remove(record) {
                    left.push(*record);
                    at.push(place);
                }
            }
            if left.is_empty() {
                continue;
            }
            count += u64::try_from(left.len()).unwrap_or(u64::MAX);
            let event = Event::Erasure(Erasure {
                records: wire::sort_set(left).map_err(refused(keys.stream()))?,
                ground: erased.ground,
            });
            self.append_event(tx, &mut keys, event, &[])?;
            tx.erase(&at)?;
        }
        Ok(count)
    }
}

fn put(tx: &mut WriteTx<'_>, appended: &Appended) -> Result<()> {
    for (_, bytes) in &appended.files {
        tx.put_blob(BlobKind::Keyring, bytes)?;
    }
    for link in &appended.links {
        tx.put_event(link, &[])?;
    }
    Ok(())
}

/// How far a source was read, told beside whoever reads it.
#[derive(Default)]
struct Seen {
    bytes: Cell<u64>,
    ended: Cell<bool>,
    failed: Cell<Option<io::ErrorKind>>,
}

impl Seen {
    /// Whether the source ended before `bytes`.
    fn is_short_of(&self, bytes: u64) -> bool {
        self.ended.get() && self.bytes.get() < bytes
    }
}

struct Watched<'a> {
    from: &'a mut dyn Read,
    seen: &'a Seen,
}

impl Read for Watched<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.from.read(out) {
            Ok(read) => {
                self.seen.ended.set(read == 0 && !out.is_empty());
                let read_before = self.seen.bytes.get();
                self.seen
                    .bytes
                    .set(read_before.saturating_add(u64::try_from(read).unwrap_or(u64::MAX)));
                Ok(read)
            }
            Err(error) => {
                self.seen.failed.set(Some(error.kind()));
                Err(error)
            }
        }
    }
}
