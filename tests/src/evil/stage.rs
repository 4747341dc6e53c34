//! A vault, its real server, and the lying one between them.

use super::server::Evil;
use crate::binary;
use crate::leak::Words;
use crate::server::Server;
use crate::vault::Done;
use crate::vault::PASSPHRASE;
use crate::vault::Vault;
use crate::witness;
use crate::witness::Log;
use std::process::Child;
use std::process::Stdio;

/// What a note says that nobody but its readers may see.
const TEXT: &str = "Her brother sleeps on the landing.";
/// Whose case it is.
const CLIENT: &str = "Ottoline Fernsby";

/// Seconds since a witness was last there, as a client was told.
pub const OLD: u64 = 30 * 3_600;

/// Where things are when the lie begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// A vault with a note, that has no server.
    Alone,
    /// All of it is at the server, and the server's log is followed.
    Joined,
    /// So, and two more notes were written since.
    Written,
    /// So, and the server has notes that the client has not: it is a copy of the vault, of before they were written.
    Behind,
    /// All of it is at the server; the root names a witness, which cosigned 30 hours ago, as the client was told then, and
    /// again a minute ago.
    Witnessed,
}

/// What the client is told to do while it is lied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `casevault server add`.
    Add,
    /// `casevault sync`.
    Sync,
}

/// A stage.
pub struct Stage {
    /// The vault.
    pub vault: Vault,
    /// Its lying server.
    pub evil: Evil,
    /// The handle of the note.
    note: String,
    // Before the vault, whose folder it lies in.
    _server: Server,
    // The vault of which this one is a copy that is behind.
    _other: Option<Vault>,
}

impl Stage {
    /// Sets one.
    pub fn set(begins: Begins) -> Self {
        let vault = Vault::made();
        let case = vault.open_case(CLIENT);
        let note = vault.add_note(&case, &format!("obs: {TEXT}\n"));
        let server = Server::start(&vault.around.join("server"));
        let evil = Evil::start(&server.url, server.data.clone());
        if begins != Begins::Alone {
            vault.json(&["server", "add", &evil.url]);
        }
        let before = (begins == Begins::Behind).then(|| vault.copied());
        if begins == Begins::Witnessed {
            witness::name(&vault, vec![witness::verifier()]);
            vault.json(&["sync"]);
            let log = Log::of(&vault);
            log.cosign(witness::now() - OLD);
            vault.json(&["sync"]);
            log.cosign(witness::now() - 60);
        }
        if matches!(begins, Begins::Written | Begins::Behind) {
            vault.add_note(&case, "obs: Moved to the box room.\n");
            vault.add_note(&case, "obs: And back to the landing.\n");
        }
        let mut stage = Self {
            vault,
            evil,
            note,
            _server: server,
            _other: None,
        };
        if let Some(before) = before {
            stage.vault.json(&["sync"]);
            stage._other = Some(std::mem::replace(&mut stage.vault, before));
        }
        stage
    }

    /// Returns a command's words.
    pub fn words_of(&self, command: Command) -> Vec<&str> {
        match command {
            Command::Add => vec!["server", "add", &self.evil.url, "--json"],
            Command::Sync => vec!["sync", "--json"],
        }
    }

    /// Runs a command of the real client.
    pub fn run(&self, command: Command) -> Done {
        self.vault.run(&self.words_of(command))
    }

    /// Starts a command of the real client, on this vault or a copy of it.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start(&self, vault: &Vault, command: Command) -> Child {
        vault
            .command(&self.words_of(command))
            .spawn()
            .expect("casevault starts")
    }

    /// Starts a command of the client without a check or guard, on a copy of the vault.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn broken(&self, vault: &Vault, command: Command, without: &str) -> Child {
        let whole = vault.command(&self.words_of(command));
        let mut broken = std::process::Command::new(binary::casevault_broken());
        broken.args(whole.get_args());
        let set = whole.get_envs().filter_map(|(name, value)| Some((name, value?)));
        broken.envs(set).env("CASEVAULT_BROKEN", without);
        broken
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        broken.spawn().expect("casevault-broken starts")
    }

    /// Returns the words that may not be seen by a server.
    pub fn secrets(&self) -> Words {
        Words::new([
            TEXT,
            CLIENT,
            PASSPHRASE,
            "Hillside Family Support",
            "Ann Worker",
            "box room",
        ])
    }

    /// Verifies everything and reads a note.
    ///
    /// # Panics
    /// Where anything of it is not as it should be.
    pub fn assert_readable(&self) {
        self.vault.verified();
        let shown = self.vault.run(&["note", "show", &self.note]).done();
        assert!(shown.stdout.contains(TEXT), "{}", shown.stdout);
    }

    /// Sends everything to the server, which is honest now, and reads it all; returns the size of the log.
    ///
    /// # Panics
    /// Where anything of it is not as it should be.
    pub fn assert_all_is_well(&self) -> u64 {
        let added = self.run(Command::Add);
        if added.code != 0 {
            added.refused(1, "server-known");
        }
        self.vault.json(&["sync"]);
        self.assert_readable();
        let size = self.vault.json(&["sync"])["size"].as_u64().expect("a size");
        let log = self.evil.means().honest();
        let mut once = log.clone();
        once.sort_by_key(|entry| (entry.tag, entry.link.0));
        once.dedup();
        assert_eq!(once.len(), log.len(), "an entry is in the log twice");
        assert_eq!(log.len() as u64, size);
        size
    }
}
