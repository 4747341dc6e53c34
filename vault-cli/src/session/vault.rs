//! Making, opening and locking a vault: keystore file, wrong tries, store, and the agency's stream.

use super::Holder;
use super::Kind;
use super::Passphrase;
use super::Result;
use super::Session;
use super::SessionError;
use super::clock;
use super::random;
use super::refused;
use super::reply::INIT;
use super::reply::InitReply;
use super::reply::OwnNames;
use super::reply::PASSPHRASE_CHANGE;
use super::reply::PassphraseReply;
use super::reply::STATUS;
use super::reply::StatusReply;
use super::reply::UNLOCK;
use super::reply::UnlockReply;
use super::reply::Versions;
use super::request::InitRequest;
use super::settings::Settings;
use crate::places::Places;
use crate::store::Files;
use crate::store::STORE_VERSION;
use crate::store::Store;
use rustix::fs::OFlags;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use vault_core::check::Check;
use vault_core::crypto::passphrase::Cost;
use vault_core::crypto::sign::SigningKey;
use vault_core::founding;
use vault_core::keystore;
use vault_core::opening::fresh;
use vault_core::wire::v1::FORMAT;
use vault_core::wire::v1::limit;
use zeroize::Zeroizing;

/// Wrong passphrases are told up to this many: the count is a file's length, and anybody's.
const MOST_TRIES: u32 = 1_000_000;

impl Session {
    /// Makes a one-person vault: agency, member, device, recovery key and an empty store.
    ///
    /// # Errors
    /// [`SessionError::AlreadyInitialised`], [`SessionError::KdfBounds`], and what the file system refuses.
    pub fn init(places: &Places, request: InitRequest, passphrase: &Passphrase) -> Result<InitReply> {
        if places.keystore().exists() {
            return Err(SessionError::AlreadyInitialised {
                home: places.home().display().to_string(),
            });
        }
        request
            .cost
            .require_within_bounds()
            .map_err(|_| SessionError::KdfBounds)?;
        let mut random = random::os();
        let settings = Settings::new(&request.agency, &request.name);
        let policy = super::policy_set()?;
        let founded = founding::found(&settings.to_json()?, policy, clock::month(clock::now())?, &mut random)
            .map_err(refused("agency"))?;
        let agency = founded.agency.id();
        let (member, device) = (founded.member, founded.device);
        let mut unlocked = keystore::create(
            agency,
            member,
            device,
            passphrase.expose(),
            request.cost,
            fresh(&mut random),
        )
        .map_err(refused("keystore"))?;
        let file = keystore::write(&mut unlocked, &founded.secrets, fresh(&mut random)).map_err(refused("keystore"))?;
        places.create().map_err(io_error("could not make the vault's folder"))?;
        // A store without a keystore is an init that was cut off: nobody can open it, so it may go.
        if places.store().exists() {
            fs::remove_file(places.store()).map_err(io_error("could not remove an unfinished store"))?;
        }
        let mut store = Store::create(&places.store(), agency, &founded.secrets.store_key)?;
        store.write(|tx| -> Result<()> {
            for (_, bytes) in &founded.files {
                tx.put_blob(crate::store::BlobKind::Keyring, bytes)?;
            }
            for (link, parts) in &founded.links {
                let parts: Vec<_> = parts.iter().map(|p| (&p.record, &p.wrap)).collect();
                tx.put_event(link, &parts)?;
            }
            Ok(())
        })?;
        // The keystore comes last: until it is there, there is no vault.
        replace(&places.keystore(), &file).map_err(io_error("could not write the keystore"))?;
        Ok(InitReply {
            schema: INIT,
            agency: agency.text(),
            member: member.handle(),
            device: device.handle(),
            home: places.home().display().to_string(),
        })
    }

    /// Opens the vault. A wrong passphrase is counted, locally.
    ///
    /// # Errors
    /// [`SessionError::WrongPassphrase`], [`SessionError::NoVault`], [`SessionError::Refused`].
    pub fn unlock(places: &Places, passphrase: &Passphrase) -> Result<Self> {
        let file = read_keystore(places)?;
        let opened = keystore::unlock(&file, passphrase.expose());
        let (unlocked, secrets) = match opened {
            Ok(opened) => opened,
            Err(e) if e.check == Check::Keystore => {
                count_try(places);
                return Err(SessionError::WrongPassphrase);
            }
            Err(e) => {
                return Err(SessionError::Refused {
                    check: e.check,
                    handle: "keystore".to_owned(),
                });
            }
        };
        let wrong_tries = tries(places);
        Ok(Self {
            wrong_tries,
            ..Self::with_keystore(places, unlocked, secrets)?
        })
    }

    /// Opens the vault with a keystore that is open already, as [`Session::unlock`] does once the passphrase was right:
    /// for tests that open a vault more often than a passphrase may be tried.
    ///
    /// # Errors
    /// [`SessionError::Refused`], [`SessionError::Foreign`].
    #[doc(hidden)]
    pub fn with_keystore(places: &Places, unlocked: keystore::Unlocked, secrets: keystore::Secrets) -> Result<Self> {
        let header = *unlocked.header();
        let store = Store::open(&places.store(), &secrets.store_key)?;
        if store.agency() != header.agency {
            return Err(SessionError::Foreign {
                path: places.store().display().to_string(),
            });
        }
        let agency = store.read(super::agency::load)?;
        keystore::require_own_keys(&agency, &header, &secrets).map_err(refused("keystore"))?;
        let session = Self {
            places: places.clone(),
            store,
            holder: Holder {
                agency,
                member: header.member,
                device: header.device,
                signer: SigningKey::from_seed(&secrets.device),
                secrets,
                known: None,
            },
            unlocked,
            wrong_tries: 0,
        };
        session.mend_set();
        Ok(session)
    }

    /// Opens the vault once more beside this session, with its keys: what two ask at once neither waits for the other.
    ///
    /// # Errors
    /// [`SessionError::Refused`] where the keystore is no longer the one that was opened.
    pub(crate) fn another(&self) -> Result<Self> {
        let file = read_keystore(&self.places)?;
        let secrets = keystore::reopen(&file, &self.unlocked).map_err(refused("keystore"))?;
        let mut another = Self::with_keystore(&self.places, self.unlocked.duplicate(), secrets)?;
        another.holder.known.clone_from(&self.holder.known);
        Ok(another)
    }

    /// Keeps what was verified and opened for what is asked next: for an agent, which forgets it when it locks.
    pub(crate) fn remember(&mut self) {
        self.holder.known = Some(Arc::default());
    }

    /// Returns which files the store has open, so that an agent closes no descriptor of them that it is handed.
    ///
    /// # Errors
    /// [`SessionError::Io`] where one was replaced while it was being opened.
    pub(crate) fn store_files(&self) -> Result<Files> {
        let files = self.store.files();
        files.require_open_here()?;
        Ok(files.clone())
    }

    /// Returns how many wrong passphrases there were before this one; counted on until somebody was told.
    pub fn wrong_tries(&self) -> u32 {
        self.wrong_tries
    }

    /// Begins a new count: the person knows of the wrong passphrases.
    pub fn told_of_wrong_tries(places: &Places) {
        // A count that cannot be cleared is told again, which harms nobody.
        let _ = fs::remove_file(places.tries());
    }

    /// Tells what is known without a passphrase; a folder without a vault is no error.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn peek_status(places: &Places) -> Result<StatusReply> {
        let mut reply = StatusReply {
            schema: STATUS,
            initialised: false,
            locked: true,
            agent: false,
            agent_process: None,
            locks_in_seconds: None,
            at_most_seconds: None,
            versions: versions(),
            home: places.home().display().to_string(),
            agency: None,
            agency_name: None,
            member: None,
            member_name: None,
            device: None,
            kdf: None,
            wrong_tries: tries(places),
            drafts: None,
            jots: None,
            aside: None,
            breach_questions: None,
            server: false,
            server_url: None,
            unsent: None,
            left: Vec::new(),
            behind: Vec::new(),
            witnessed: None,
            attention: Vec::new(),
        };
        let header = match read_keystore(places) {
            Ok(file) => keystore::peek(&file).map_err(refused("keystore"))?,
            Err(e) if e.kind() == Kind::Locked => return Ok(reply),
            Err(e) => return Err(e),
        };
        let Cost {
            memory_kib,
            passes,
            lanes,
        } = header.cost;
        reply.initialised = true;
        reply.agency = Some(header.agency.text());
        reply.member = Some(header.member.handle());
        reply.device = Some(header.device.handle());
        reply.kdf = Some(format!("{} MiB, {passes} passes, {lanes} lanes", memory_kib / 1024));
        let names = crate::store::local_names(&places.store());
        // Who joined an agency never had its recovery key, and is not alone.
        let joined = names
            .as_ref()
            .is_ok_and(|names| names.iter().any(|name| name == super::join::JOINED));
        let has_company = joined
            || names
                .as_ref()
                .is_ok_and(|names| names.iter().any(|name| name == super::member::COMPANY));
        let has_cards = joined || super::recovery::read_set(places).is_some();
        let has_witness = names
            .as_ref()
            .is_ok_and(|names| names.iter().any(|name| name == super::server::witnessed::NAME));
        reply.attention = attention(reply.wrong_tries, has_cards, has_company, has_witness);
        if let Ok(names) = names {
            let count = |prefix: &str| u64::try_from(names.iter().filter(|n| n.starts_with(prefix)).count()).ok();
            reply.server = names.iter().any(|name| name == super::server::kept::NAME);
            reply.drafts = count(super::draft::PREFIX);
            reply.jots = count(super::jot::PREFIX);
            reply.aside = count(super::aside::PREFIX).filter(|aside| *aside > 0);
            reply.breach_questions = count(super::misfiled::PREFIX);
        }
        reply.attention.extend(unfinished(&reply));
        Ok(reply)
    }

    /// Tells what the person whose vault this is and the agency are called: nothing of any client.
    ///
    /// # Errors
    /// [`SessionError::Refused`].
    pub(crate) fn own_names(&self) -> Result<OwnNames> {
        let settings = self.store.read(|tx| self.holder.settings(tx))?.settings;
        let member = settings.name_of(self.holder.member, self.holder.founder());
        Ok(OwnNames {
            member: member.map_or_else(|| self.holder.member.handle(), str::to_owned),
            agency: settings.agency,
        })
    }

    /// Tells how the unlocking went. The unlocking is an entry of the access stream.
    ///
    /// # Errors
    /// [`SessionError::LogFailed`].
    pub fn unlocked(&mut self) -> Result<UnlockReply> {
        self.log_unlock()?;
        Ok(UnlockReply {
            schema: UNLOCK,
            agent: false,
            wrong_tries: self.wrong_tries,
        })
    }

    /// Seals the keystore under a new passphrase, at the cost given or the one it has.
    ///
    /// # Errors
    /// [`SessionError::KdfBounds`], and what the file system refuses.
    pub fn change_passphrase(&mut self, new: &Passphrase, cost: Option<Cost>) -> Result<PassphraseReply> {
        let header = *self.unlocked.header();
        let cost = cost.unwrap_or(header.cost);
        cost.require_within_bounds().map_err(|_| SessionError::KdfBounds)?;
        let mut random = random::os();
        let mut unlocked = keystore::create(
            header.agency,
            header.member,
            header.device,
            new.expose(),
            cost,
            fresh(&mut random),
        )
        .and_then(|unlocked| unlocked.after(header.generation))
        .map_err(refused("keystore"))?;
        let file =
            keystore::write(&mut unlocked, &self.holder.secrets, fresh(&mut random)).map_err(refused("keystore"))?;
        replace(&self.places.keystore(), &file).map_err(io_error("could not write the keystore"))?;
        self.unlocked = unlocked;
        Ok(PassphraseReply {
            schema: PASSPHRASE_CHANGE,
            generation: self.unlocked.header().generation,
        })
    }
}

/// Returns the three version numbers.
pub fn versions() -> Versions {
    Versions {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        format: FORMAT,
        store: STORE_VERSION.unsigned_abs(),
    }
}

fn attention(wrong_tries: u32, has_cards: bool, has_company: bool, has_witness: bool) -> Vec<String> {
    let mut all = Vec::new();
    let alone = match has_company {
        false => "one person holds this vault, and every case in it has one holder",
        true => "every case has one holder until it can be shared with a colleague: keep a backup",
    };
    all.push(alone.to_owned());
    if !has_witness {
        let none = "there is no witness: a copy of the folder put back as it was on an earlier day is not noticed";
        all.push(none.to_owned());
    }
    if !has_cards {
        let waits = "the recovery key waits in this keystore: make cards of it with `casevault recovery split`";
        all.insert(0, waits.to_owned());
    }
    if wrong_tries > 0 {
        let tries = crate::render::count(u64::from(wrong_tries), "wrong passphrase", "wrong passphrases");
        all.push(format!("{tries} since the last right one"));
    }
    all
}

/// What was begun and waits for its writer.
fn unfinished(reply: &StatusReply) -> Vec<String> {
    let mut all = Vec::new();
    let mut say = |count: Option<u64>, one: &str, several: &str, how: &str| match count {
        None | Some(0) => {}
        Some(1) => all.push(format!("1 {one}: {how}")),
        Some(n) => all.push(format!("{n} {several}: {how}")),
    };
    say(
        reply.drafts,
        "note is begun and not saved",
        "notes are begun and not saved",
        "`casevault note draft` lists them",
    );
    say(
        reply.jots,
        "jot waits to be made a note",
        "jots wait to be made notes",
        "`casevault note jot --list` lists them",
    );
    say(
        reply.aside,
        "entry that was written here was set aside by `sync`",
        "entries that were written here were set aside by `sync`",
        "`casevault note aside` lists them",
    );
    say(
        reply.breach_questions,
        "misfiled note raises the question of a breach",
        "misfiled notes raise the question of a breach",
        "`casevault note misfiled --list` lists them",
    );
    all
}

fn read_keystore(places: &Places) -> Result<Vec<u8>> {
    read_sealed(places, &places.keystore())
}

/// Reads a keystore, or a file that is sealed as one.
pub(super) fn read_sealed(places: &Places, path: &Path) -> Result<Vec<u8>> {
    let failed = io_error("could not read the keystore");
    let file = open_plain(path, OpenOptions::new().read(true)).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => SessionError::NoVault {
            home: places.home().display().to_string(),
        },
        _ => failed(e),
    })?;
    let most = limit::KEYSTORE as u64;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(&failed)?;
    if bytes.len() as u64 > most {
        return Err(SessionError::refused(Check::TooLong, "keystore"));
    }
    Ok(bytes)
}

/// Opens a plain file of the vault's folder, not through a link: whoever can write to the folder must not choose what
/// else is read, or written.
fn open_plain(path: &Path, how: &mut OpenOptions) -> io::Result<fs::File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = how.mode(0o600).custom_flags(flags.bits().cast_signed()).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file")),
    }
}

/// Puts `bytes` in place of the file, whole or not at all: written beside it, synced, renamed, folder synced.
///
/// Where the last step fails, what was there before is put back: whoever is told that nothing was changed finds it so.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let before = match fs::read(path) {
        Ok(before) => Some(Zeroizing::new(before)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    put_in_place(path, bytes, File::sync_all)?;
    let synced = path
        .parent()
        .map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all());
    if synced.is_err() {
        // As far as the disk lets us: it has just failed, and may not confirm this either.
        let unconfirmed = |file: &File| {
            let _ = file.sync_all();
            Ok(())
        };
        let _ = match &before {
            Some(before) => put_in_place(path, before, unconfirmed),
            None => fs::remove_file(path),
        };
    }
    synced
}

fn put_in_place(path: &Path, bytes: &[u8], sync: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| sync(&file))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // One that stays is sealed, and goes with the next that is written.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn tries(places: &Places) -> u32 {
    let found = fs::symlink_metadata(places.tries()).ok().filter(fs::Metadata::is_file);
    found.map_or(0, |found| {
        u32::try_from(found.len()).unwrap_or(u32::MAX).min(MOST_TRIES)
    })
}

/// One byte a wrong try, appended, so that two processes never lose one. A full disk must not stop the answer.
fn count_try(places: &Places) {
    let file = open_plain(&places.tries(), OpenOptions::new().append(true).create(true));
    let _ = file.and_then(|mut f| f.write_all(b"."));
}

pub(super) fn io_error(doing: &'static str) -> impl Fn(io::Error) -> SessionError {
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SessionError::DiskFull,
        _ => SessionError::Io {
            doing: doing.to_owned(),
            source,
        },
    }
}
