//! A vault in a throw-away folder, and commands on it.

use crate::binary;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use tempfile::TempDir;

/// The passphrase of every vault here.
pub const PASSPHRASE: &str = "seven quiet herons over the mill";

/// A vault, with a folder around it for what else a test writes.
pub struct Vault {
    folder: Option<TempDir>,
    /// The folder that holds home and passphrase file.
    pub around: PathBuf,
    /// The vault's own folder.
    pub home: PathBuf,
}

impl Vault {
    /// Prepares a folder without making a vault in it.
    pub fn unmade() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut vault = Self::unmade_in(folder.path());
        vault.folder = Some(folder);
        vault
    }

    /// Prepares a place in a folder that is there already, without making a vault in it.
    pub fn unmade_in(around: &Path) -> Self {
        std::fs::write(around.join("passphrase"), format!("{PASSPHRASE}\n")).expect("writes the passphrase");
        Self {
            folder: None,
            around: around.to_owned(),
            home: around.join("home"),
        }
    }

    /// Makes a vault at the lowest passphrase cost.
    pub fn made() -> Self {
        let vault = Self::unmade();
        vault.init();
        vault
    }

    /// Makes a vault and imports lines into it.
    pub fn with(lines: &[u8]) -> Self {
        let vault = Self::made();
        vault.feed(&["import", "-", "--json"], lines).done();
        vault
    }

    /// Copies the vault as it lies on the disk to a folder of its own.
    pub fn copied(&self) -> Self {
        let copy = Self::unmade();
        copy_folder(&self.home, &copy.home);
        copy
    }

    /// Makes the vault.
    pub fn init(&self) -> Done {
        let arguments = ["init", "--agency", "Hillside Family Support", "--name", "Ann Worker"];
        let done = self.run(&[&arguments[..], &["--kdf-memory", "64MiB"]].concat());
        assert_eq!(done.code, 0, "{}", done.stderr);
        done
    }

    /// Returns the store's file.
    pub fn store(&self) -> PathBuf {
        self.home.join("vault.db")
    }

    /// Returns bytes of the store with its write-ahead log, which grow while something is written.
    pub fn store_bytes(&self) -> u64 {
        let length = |name: &str| self.home.join(name).metadata().map_or(0, |found| found.len());
        length("vault.db") + length("vault.db-wal")
    }

    /// Enrols a further device of this vault's member at its server, by a sheet of that name; it has the agency's stream, and
    /// nothing else yet.
    pub fn further(&self, sheet: &str) -> Self {
        let sheet = self.around.join(sheet);
        let sheet = sheet.to_str().expect("a folder whose path is text");
        let device = self.run(&["device", "add", "--out", sheet]).handle();
        let further = Self::unmade();
        let code = further.asks_to_join("device", sheet);
        self.run(&["device", "approve", &device, "--code", &code]).done();
        further
    }

    /// Asks to join from a sheet, as a device or a member; returns the code that is shown.
    pub fn asks_to_join(&self, noun: &str, sheet: &str) -> String {
        let asked = self.json(&[noun, "join", "--sheet", sheet, "--kdf-memory", "64MiB"]);
        asked["code"].as_str().expect("a code to compare").to_owned()
    }

    /// Prepares a command that has no terminal, and nothing on standard input.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary::casevault());
        command
            .args(arguments)
            .env("CASEVAULT_HOME", &self.home)
            .env("CASEVAULT_PASSPHRASE_FILE", self.around.join("passphrase"))
            // An agent's socket is then in the vault's own folder.
            .env("XDG_RUNTIME_DIR", "")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command.
    pub fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).output().expect("casevault starts"))
    }

    /// Runs a command with `input` on standard input.
    pub fn feed(&self, arguments: &[&str], input: &[u8]) -> Done {
        let mut child = self.fed(arguments);
        // A command that refuses first closes the pipe.
        let _ = child.stdin.take().expect("a pipe").write_all(input);
        Done::of(child.wait_with_output().expect("casevault ends"))
    }

    /// Starts a command that waits for its standard input.
    pub fn fed(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).spawn().expect("casevault starts")
    }

    /// Runs a command with `--json`, expects it to succeed, and returns what it printed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).json()
    }

    /// Opens a case under a name; returns its handle.
    pub fn open_case(&self, name: &str) -> String {
        let profile = serde_json::json!({ "name": name }).to_string();
        let arguments = ["case", "open", "--template", "adult-social-care", "--file", "-"];
        self.feed(&arguments, profile.as_bytes()).handle()
    }

    /// Adds a note; returns its handle.
    pub fn add_note(&self, case: &str, text: &str) -> String {
        let arguments = ["note", "add", case, "--kind", "phone", "--file", "-"];
        self.feed(&arguments, text.as_bytes()).handle()
    }

    /// Verifies everything and expects no failure; returns the counts.
    pub fn verified(&self) -> Value {
        let done = self.run(&["verify", "--json"]);
        assert_eq!(done.code, 0, "{}\n{}", done.stdout, done.stderr);
        let reply = done.json();
        assert_eq!(reply["failures"], Value::Array(Vec::new()));
        reply
    }

    /// Exports everything as lines, each parsed.
    pub fn exported(&self) -> Vec<Value> {
        lines(self.run(&["export", "--format", "jsonl"]).done().stdout.as_bytes())
    }

    /// Keeps the folder to the end, and then removes it; without this the folder goes with the vault all the same.
    pub fn close(mut self) {
        if let Some(folder) = self.folder.take() {
            folder.close().expect("removes the folder");
        }
    }
}

/// Copies a folder with all that is in it.
///
/// # Panics
/// Where it cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("makes the copy's folder");
    for entry in std::fs::read_dir(from).expect("reads the folder") {
        let entry = entry.expect("reads the folder");
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => copy_folder(&path, &copy),
            false => drop(std::fs::copy(&path, copy).expect("copies the vault")),
        }
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        // An agent that a test left running goes with the vault.
        if self.home.join("agent.lock").exists() {
            let _ = self.command(&["lock"]).output();
        }
    }
}

/// Parses JSON Lines.
pub fn lines(text: &[u8]) -> Vec<Value> {
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("a line of JSON"))
        .collect()
}

/// How a command ended and what it printed.
#[derive(Clone, Debug)]
pub struct Done {
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Done {
    /// Takes what a process left.
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("errors are UTF-8"),
        }
    }

    /// Expects success.
    pub fn done(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Expects success, and one JSON object on standard output.
    pub fn json(self) -> Value {
        let done = self.done();
        done.value()
    }

    /// Returns the JSON object on standard output, however the command ended.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr))
    }

    /// Expects success, and returns the last word of the first line: the new handle.
    pub fn handle(self) -> String {
        let done = self.done();
        let first = done.stdout.lines().next().unwrap_or_default();
        let word = first.split_whitespace().next_back();
        word.unwrap_or_else(|| panic!("no first line: {}", done.stderr))
            .to_owned()
    }

    /// Expects the exit code `exit` and the error `code` as JSON on standard error, and nothing on standard output.
    pub fn refused(&self, exit: i32, code: &str) -> Value {
        assert_eq!(self.code, exit, "{}\n{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        let error = self.error();
        assert_eq!(error["error"], code, "{error}");
        error
    }

    /// Returns the error as JSON on standard error.
    pub fn error(&self) -> Value {
        let last = self.stderr.lines().last().unwrap_or_default();
        let error: Value = serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {}", self.stderr));
        assert_eq!(error["schema"], "casevault.error/1");
        error
    }
}
