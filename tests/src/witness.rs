//! Witnesses of a server's log: the real command with a folder of its own, and a key of the test's, whose cosignatures are of
//! any time.

use crate::binary;
use crate::vault::Done;
use crate::vault::PASSPHRASE;
use crate::vault::Vault;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use vault_cli::places::Places;
use vault_cli::session::Passphrase;
use vault_cli::session::Session;
use vault_core::check::Check;
use vault_core::crypto::sign::PublicKey;
use vault_core::crypto::sign::SigningKey;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::secret::SigningSeed;
use vault_core::tlog::checkpoint;
use vault_core::tlog::checkpoint::SignedCheckpoint;
use vault_core::tlog::note;
use vault_core::tlog::note::Kind;
use vault_core::wire::v1::agency::Verifier;

/// The name of the witness whose key the test has.
pub const NAME: &str = "test.example/w1";

/// Its key.
pub fn key() -> SigningKey {
    SigningKey::from_seed(&SigningSeed::from_bytes([0x57; 32]))
}

/// Name and key, as a root has them.
pub fn verifier() -> Verifier {
    Verifier {
        name: NAME.as_bytes().to_vec(),
        key: key().public(),
    }
}

/// Names witnesses in the root of a vault's agency; it is not sent.
///
/// # Panics
/// Where the vault does not open, or its member may not.
pub fn name(vault: &Vault, witnesses: Vec<Verifier>) {
    let places = Places::find(Some(&vault.home)).expect("a folder");
    let mut session = Session::unlock(&places, &Passphrase::new(PASSPHRASE.to_owned())).expect("the vault opens");
    session
        .name_witnesses(witnesses)
        .expect("an administrator names witnesses");
}

/// The clock, in seconds since 1970.
///
/// # Panics
/// Where it is before that.
pub fn now() -> u64 {
    std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .expect("a clock after 1970")
        .as_secs()
}

/// Cosigns a checkpoint of a log with the test's key; returns the note.
///
/// # Panics
/// Where it is none.
pub fn cosigned(note: &[u8], log: &PublicKey, time: u64) -> String {
    let agency = checkpoint::agency_of(note).expect("a checkpoint of an agency");
    let verifying = VerifyingKey::new(log, Check::CheckpointSignature).expect("a log's key");
    let signed = SignedCheckpoint::open(note, agency, &verifying, &[]).expect("a checkpoint of this log");
    let cosignature = signed.checkpoint().cosign(NAME, &key(), time).expect("a cosignature");
    checkpoint::write(signed.checkpoint(), signed.signature(), log, &[cosignature]).expect("a note")
}

/// A log, as a witness is given it.
pub struct Log {
    /// Where its server is.
    pub url: String,
    /// The file with its key.
    pub file: PathBuf,
    verifier: Verifier,
}

impl Log {
    /// Takes it from a vault that has a server.
    ///
    /// # Panics
    /// Where it has none.
    pub fn of(vault: &Vault) -> Self {
        let shown = vault.json(&["server", "show"]);
        let line = shown["log"].as_str().expect("a log's key").to_owned();
        let file = vault.around.join("log.key");
        std::fs::write(&file, format!("{line}\n")).expect("writes the log's key");
        Self {
            url: shown["url"].as_str().expect("an address").to_owned(),
            file,
            verifier: note::read_verifier(&line, Kind::Ed25519).expect("a log's key"),
        }
    }

    /// Has the test's own witness cosign the newest checkpoint at a time, and bring it.
    ///
    /// # Panics
    /// Where the server does not take it.
    pub fn cosign(&self, time: u64) {
        let (_, agency) = self.name().split_once('/').expect("an origin");
        let path = format!("{}/v1/log/{agency}/checkpoint", self.url);
        let mut newest = ureq::get(&path).call().expect("a checkpoint");
        let newest = newest.body_mut().read_to_vec().expect("a checkpoint");
        let note = cosigned(&newest, &self.verifier.key, time);
        let done = ureq::post(format!("{}/v1/cosign", self.url)).send(note.as_bytes());
        assert_eq!(done.expect("it is taken").status().as_u16(), 204);
    }

    fn name(&self) -> &str {
        std::str::from_utf8(&self.verifier.name).expect("a name")
    }
}

/// The real command's witness.
pub struct Witness {
    /// Its folder.
    pub folder: PathBuf,
    /// Name and key, as a root has them.
    pub verifier: Verifier,
}

impl Witness {
    /// Makes one.
    ///
    /// # Panics
    /// Where it is not made.
    pub fn init(folder: &Path, name: &str) -> Self {
        let state = folder.to_str().expect("a folder's name");
        let made = command(&["log", "witness", "init", "--json", "--state", state, "--name", name]);
        let made = Done::of({ made }.output().expect("casevault starts")).json();
        let line = made["verifier"].as_str().expect("a line");
        Self {
            folder: folder.to_owned(),
            verifier: note::read_verifier(line, Kind::Cosignature).expect("a witness's key"),
        }
    }

    /// Prepares a run that goes once; the first, where it knows nothing of a log yet.
    ///
    /// # Panics
    /// Where a path is no text.
    pub fn command(&self, log: &Log) -> Command {
        self.runs(log, &["--once"])
    }

    /// Prepares a run that goes on until it is stopped, with a second between two rounds.
    ///
    /// # Panics
    /// As [`Self::command`].
    pub fn watching(&self, log: &Log) -> Command {
        self.runs(log, &["--every", "1s"])
    }

    fn runs(&self, log: &Log, how: &[&str]) -> Command {
        let state = self.folder.to_str().expect("a folder's name");
        let file = log.file.to_str().expect("a file's name");
        let run = ["log", "witness", "run", "--json", "--state", state];
        let first: &[&str] = match self.file("position") {
            None => &["--first"],
            Some(_) => &[],
        };
        command(&[&run[..], &["--server", &log.url, "--log", file], first, how].concat())
    }

    /// Returns the file in its folder whose name ends so.
    pub fn file(&self, end: &str) -> Option<PathBuf> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut paths = entries.map(|entry| entry.path());
        paths.find(|path| path.extension().is_some_and(|of| of == end))
    }

    /// Runs once.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn once(&self, log: &Log) -> Done {
        Done::of(self.command(log).output().expect("casevault starts"))
    }

    /// Returns the files of evidence in its folder.
    pub fn evidence(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let named = |path: &PathBuf| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("evidence-"))
        };
        entries.map(|entry| entry.path()).filter(named).collect()
    }
}

/// A command that has no vault and no home.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary::casevault());
    command
        .args(arguments)
        .env_remove("HOME")
        .env_remove("CASEVAULT_HOME")
        .env_remove("CASEVAULT_PASSPHRASE_FILE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
