//! A witness of an agency's log: a service apart from any vault, with a folder and a key of its own (`docs/format.md` §17).
//!
//! ```text
//! last position ─ checkpoint, tiles ─> does it continue? ─> position kept, durable ─> cosigned ─> brought to the server
//!                                          └─ no: evidence, and nothing is cosigned any more
//! ```
//!
//! | after | the folder has | what the next run does |
//! |---|---|---|
//! | the checkpoint was verified | the last position | verifies it again |
//! | the position was kept | it | goes on from it; the cosignature that was not brought is made anew |
//! | the cosignature was brought | it | the same again changes nothing, but for its time |
//! | evidence was kept | it, and a mark | refuses until somebody takes the mark away |
//!
//! Without a position nothing is cosigned, but by a run that is told that it is the first; and what the server has of this
//! witness must not be longer than the position: a folder that lost something may cosign two logs.
//!
//! The lock of a log is held from before its position is read until after the cosignature was brought, so that no two runs
//! cosign from one position (ATTACKS 49).

use super::Result;
use super::SessionError;
use super::random;
use super::refused;
use super::reply::WITNESS_INIT;
use super::reply::WITNESS_RUN;
use super::reply::WitnessInitReply;
use super::reply::WitnessRunReply;
use super::server::asking::Asking;
use super::server::witnessed;
use super::vault::io_error;
use super::vault::replace;
use crate::places::Places;
use crate::remote::Remote;
use crate::remote::ServerFault;
use crate::remote::ServerUrl;
use data_encoding::HEXLOWER;
use rustix::fs::FlockOperation;
use rustix::fs::flock;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use vault_core::check::Check;
use vault_core::check::Refused;
use vault_core::crypto::sign::PublicKey;
use vault_core::crypto::sign::SigningKey;
use vault_core::id::AgencyId;
use vault_core::opening::fresh;
use vault_core::secret::SigningSeed;
use vault_core::sync::Witnessing;
use vault_core::tlog::checkpoint;
use vault_core::tlog::note;
use vault_core::tlog::note::Kind;
use vault_core::tlog::witness::Position;
use vault_core::wire::v1::agency::Verifier;
use zeroize::Zeroizing;

/// The witness's secret key, a line.
const KEY: &str = "witness.key";
/// The longest such line that is read, in bytes.
const LONGEST_KEY: usize = 4 << 10;
/// What is told of as being refused in a witness's folder.
const POSITION: &str = "what the witness keeps";

/// Makes a witness's folder and its key.
///
/// # Errors
/// [`SessionError::Conflict`] where there is one; [`SessionError::Refused`] for a name that no note can have.
pub fn init(folder: &Path, name: &str) -> Result<WitnessInitReply> {
    let places = places(folder)?;
    let seed = SigningSeed::from_bytes(fresh(&mut random::os()));
    let line = note::write_secret(name, Kind::Cosignature, &seed).map_err(refused("the witness's name"))?;
    places
        .create()
        .map_err(io_error("could not make the witness's folder"))?;
    let path = places.home().join(KEY);
    let _lock = lock(&places.home().join("init.lock"))?;
    if path.exists() {
        return Err(SessionError::Conflict {
            what: format!("`{}` has a witness already", places.home().display()),
            next: "name another folder; a witness's key is not made anew, because the root names it".to_owned(),
        });
    }
    replace(&path, line.as_bytes()).map_err(io_error("could not write the witness's key"))?;
    let key = SigningKey::from_seed(&seed).public();
    Ok(WitnessInitReply {
        schema: WITNESS_INIT,
        name: name.to_owned(),
        verifier: line_of(name, &key)?,
        state: places.home().display().to_string(),
    })
}

/// A witness of one log, which has that log to itself as long as it lives.
pub struct Witness {
    name: String,
    key: SigningKey,
    log: Verifier,
    agency: AgencyId,
    asking: Asking,
    position: PathBuf,
    halted: PathBuf,
    _lock: File,
}

impl Witness {
    /// Opens a witness's folder for a log, which `log` names as C2SP writes verifiers. Nothing is asked yet.
    ///
    /// # Errors
    /// [`SessionError::Conflict`] without a witness in the folder, and where another run is at work; [`SessionError::Refused`]
    /// for a key that is none of a log of CaseVault's; [`SessionError::Server`] for an address that is none.
    pub fn open(folder: &Path, server: &str, log: Verifier) -> Result<Self> {
        let places = places(folder)?;
        let url = ServerUrl::parse(server)?;
        let agency = agency_of(&log).map_err(refused("the log's key"))?;
        let (name, key) = key(&places)?;
        let of = HEXLOWER.encode(&agency.0);
        let lock = lock(&places.home().join(format!("{of}.lock")))?;
        let position = places.home().join(format!("{of}.position"));
        let halted = places.home().join(format!("{of}.halted"));
        let asking = Asking::new(Remote::new(url, agency), places, agency, &log)?;
        Ok(Self {
            name,
            key,
            log,
            agency,
            asking,
            position,
            halted,
            _lock: lock,
        })
    }

    /// Goes on to the log's newest checkpoint, and brings a cosignature over it. `is_first` says that this witness never
    /// cosigned this log, which is then taken as it is.
    ///
    /// # Errors
    /// [`SessionError::Server`]: nothing was cosigned where its log is refused, and evidence is in the folder where two
    /// checkpoints prove it, and no run cosigns it from then on ([`ServerFault::Halted`]); [`ServerFault::Forgot`] where the
    /// folder lost how far it was; [`SessionError::Refused`] for a position that was changed; [`SessionError::Conflict`] for
    /// a first run that is none.
    pub fn round(&self, is_first: bool) -> Result<WitnessRunReply> {
        self.require_not_halted()?;
        let told = |fault| self.halt(self.asking.fault(fault));
        let last = self.last()?;
        self.require_remembered(last.map(|last| last.checkpoint().size), is_first)?;
        let note = self.asking.remote.checkpoint()?;
        let mut witnessing = Witnessing::begin(self.asking.log.clone(), last, &note).map_err(told)?;
        while let Some(request) = witnessing.ask() {
            let answer = self.asking.ask(request);
            let answer = answer.map_err(|error| witnessing.doubt().map_or(error, told))?;
            witnessing.take(&answer).map_err(told)?;
        }
        let next = witnessing.finish().map_err(told)?;
        if last != Some(next) {
            // Durable before anything of it leaves: what was cosigned is never forgotten.
            let bytes = next.to_bytes(&self.asking.log.key).map_err(refused(POSITION))?;
            replace(&self.position, &bytes).map_err(io_error("could not keep how far the log was witnessed"))?;
        }
        let time = witnessed::now();
        let cosignature = next.cosign(&self.name, &self.key, time).map_err(refused(POSITION))?;
        let note = checkpoint::write(
            &next.checkpoint(),
            &next.seen().signature,
            &self.log.key,
            &[cosignature],
        );
        let brought = self.asking.remote.cosign(&note.map_err(refused(POSITION))?);
        brought.map_err(|fault| match fault {
            ServerFault::Refused { status: 400, .. } => ServerFault::NotTaken,
            fault => fault,
        })?;
        Ok(WitnessRunReply {
            schema: WITNESS_RUN,
            agency: self.agency.text(),
            url: self.asking.remote.url().as_str().to_owned(),
            name: self.name.clone(),
            before: last.map(|last| last.checkpoint().size),
            size: next.checkpoint().size,
            cosigned: witnessed::text(time),
        })
    }

    /// Refuses to go on after a contradiction, whichever of its two logs is shown now.
    fn require_not_halted(&self) -> Result<()> {
        match fs::read(&self.halted) {
            Ok(bytes) => Err(ServerFault::Halted {
                evidence: String::from_utf8_lossy(&bytes).trim_end().to_owned(),
                mark: self.halted.display().to_string(),
            }
            .into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(io_error("could not read whether the witness has stopped")(error)),
        }
    }

    /// Keeps that there is evidence, durably, before anybody is told of it.
    fn halt(&self, error: SessionError) -> SessionError {
        let SessionError::Server(ServerFault::Log {
            evidence: Some(path), ..
        }) = &error
        else {
            return error;
        };
        match replace(&self.halted, format!("{path}\n").as_bytes()) {
            Ok(()) => error,
            Err(failed) => io_error("could not keep that the witness has stopped")(failed),
        }
    }

    /// Refuses to begin anew unasked, and to go on from less than the server has of this witness's own.
    fn require_remembered(&self, last: Option<u64>, is_first: bool) -> Result<()> {
        match (last, is_first) {
            (None, false) => return Err(ServerFault::Forgot { cosigned: None }.into()),
            (Some(_), true) => {
                return Err(SessionError::Conflict {
                    what: "this witness has seen this log before".to_owned(),
                    next: "run it without `--first`; nothing was cosigned".to_owned(),
                });
            }
            _ => {}
        }
        let own = checkpoint::Witness::new(&self.name, &self.key.public()).map_err(refused(KEY))?;
        let cosigned = witnessed::open(&self.asking, &[own])?.longest();
        match cosigned > last {
            true => Err(ServerFault::Forgot { cosigned }.into()),
            false => Ok(()),
        }
    }

    fn last(&self) -> Result<Option<Position>> {
        let bytes = match fs::read(&self.position) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("could not read how far the log was witnessed")(error)),
        };
        let position = Position::from_bytes(self.agency, &self.asking.log.key, &bytes);
        position.map(Some).map_err(refused(POSITION))
    }
}

fn places(folder: &Path) -> Result<Places> {
    Places::find(Some(folder)).map_err(io_error("could not find the witness's folder"))
}

fn line_of(name: &str, key: &PublicKey) -> Result<String> {
    note::write_verifier(name, Kind::Cosignature, key).map_err(refused("witness"))
}

/// Returns whose log a key is of.
fn agency_of(log: &Verifier) -> std::result::Result<AgencyId, Refused> {
    let name = std::str::from_utf8(&log.name).map_err(|_| Check::Note)?;
    checkpoint::agency_named(name)
}

fn key(places: &Places) -> Result<(String, SigningKey)> {
    let path = places.home().join(KEY);
    let line = match fs::read(&path) {
        Ok(line) => Zeroizing::new(line),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SessionError::Conflict {
                what: format!("there is no witness in `{}`", places.home().display()),
                next: "make one with `casevault log witness init --state DIR --name NAME`".to_owned(),
            });
        }
        Err(error) => return Err(io_error("could not read the witness's key")(error)),
    };
    let text = std::str::from_utf8(&line).ok().filter(|line| line.len() <= LONGEST_KEY);
    let read = text
        .ok_or(Check::Note.into())
        .and_then(|line| note::read_secret(line, Kind::Cosignature));
    let (name, seed) = read.map_err(refused(KEY))?;
    Ok((name, SigningKey::from_seed(&seed)))
}

/// Takes a file for this process, as long as it is open.
fn lock(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    let file = options
        .open(path)
        .map_err(io_error("could not make the witness's lock"))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(_) => Err(SessionError::Conflict {
            what: "another run of this witness is at work".to_owned(),
            next: "one at a time witnesses a log, so that it never cosigns two; this one did nothing".to_owned(),
        }),
    }
}
