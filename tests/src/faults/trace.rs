//! Counting and failing system calls of the real binary, by `strace`.
//!
//! A counting run lists every call that writes below a folder, with its number among the calls of its name in its
//! thread, which is how `strace` counts for `when=N`. An injecting run fails one of them, or all from one on, or ends the
//! process as it enters it; its log says which call was hit.

use crate::vault::Done;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

/// The calls that change a disk.
pub const CALLS: [&str; 21] = [
    "pwrite64",
    "write",
    "writev",
    "pwritev",
    "pwritev2",
    "copy_file_range",
    "sendfile",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "link",
    "linkat",
    "ftruncate",
    "fallocate",
    "openat",
    "mkdir",
    "rmdir",
];

/// A call, by name and number in its thread.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// Its number among those of this name, from 1.
    pub nth: u32,
}

/// What befalls a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It fails once, with this error.
    Once(&'static str),
    /// It and all of its name after it fail with this error.
    FromThenOn(&'static str),
    /// The process is ended with SIGKILL as it enters it.
    Kill,
}

impl Fault {
    /// The faults that can befall a call of this name.
    pub fn of(call: &str) -> &'static [Self] {
        use Fault::{FromThenOn, Kill, Once};
        match call {
            "fsync" | "fdatasync" => &[Kill, Once("EIO"), FromThenOn("EIO"), FromThenOn("ENOSPC")],
            "unlink" | "unlinkat" | "rmdir" => &[Kill, Once("EIO"), FromThenOn("EIO")],
            _ => &[
                Kill,
                Once("ENOSPC"),
                FromThenOn("ENOSPC"),
                Once("EIO"),
                FromThenOn("EIO"),
            ],
        }
    }

    pub(super) fn expression(self, call: &Call) -> String {
        let Call { name, nth } = call;
        match self {
            Self::Once(error) => format!("inject={name}:error={error}:when={nth}"),
            Self::FromThenOn(error) => format!("inject={name}:error={error}:when={nth}+"),
            Self::Kill => format!("inject={name}:signal=KILL:when={nth}"),
        }
    }

    /// The error that the program sees.
    pub fn error(self) -> Option<&'static str> {
        match self {
            Self::Once(error) | Self::FromThenOn(error) => Some(error),
            Self::Kill => None,
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Once(error) => write!(f, "{error}"),
            Self::FromThenOn(error) => write!(f, "{error} from then on"),
            Self::Kill => write!(f, "kill"),
        }
    }
}

/// Tells whether `strace` can inject here; says so where it cannot, and fails where `CASEVAULT_FAULTS_REQUIRED` is set.
pub fn is_available() -> bool {
    let works = Command::new("strace")
        .args(["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"])
        .args(["-e", "trace=write", "-e", "inject=write:error=EIO:when=1000", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !works {
        let required = std::env::var_os("CASEVAULT_FAULTS_REQUIRED").is_some();
        assert!(!required, "strace does not work here, and the faults are to be tested");
        eprintln!("LEFT OUT: strace does not work here, so no fault is injected at system calls");
    }
    works
}

/// A command line to run, and how.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Program and arguments.
    pub words: Vec<String>,
    /// What is on standard input.
    pub input: Vec<u8>,
    /// Environment beside that of the test.
    pub set: Vec<(String, String)>,
    /// Whether it runs on a terminal.
    pub on_terminal: bool,
}

impl Launch {
    /// Runs it as it is.
    pub fn run(&self) -> Done {
        self.spawn_and_wait(Vec::new())
    }

    /// Runs it under `strace`, counting; returns the calls that write below `folder`.
    pub fn counted(&self, log: &Path, folder: &Path) -> (Done, BTreeSet<Call>) {
        let trace = format!("trace={}", CALLS.join(","));
        let done = self.spawn_and_wait(strace(log, &["--seccomp-bpf", "-y", "-e", &trace]));
        let text = std::fs::read_to_string(log).expect("strace wrote its log");
        (done, calls_below(&text, folder))
    }

    /// Runs it under `strace` with a fault; returns the lines of the calls that were hit.
    pub fn faulted(&self, log: &Path, call: &Call, fault: Fault) -> (Done, Vec<String>) {
        let trace = format!("trace={}", call.name);
        let expression = fault.expression(call);
        let mut more = vec!["-y", "-e", &trace, "-e", &expression];
        // A stop that the filter makes delivers no signal.
        if fault != Fault::Kill {
            more.push("--seccomp-bpf");
        }
        let done = self.spawn_and_wait(strace(log, &more));
        let text = std::fs::read_to_string(log).expect("strace wrote its log");
        (done, hits(&text, fault))
    }

    /// Prepares a process, with words before its own.
    pub fn command(&self, before: Vec<String>) -> Command {
        let mut words = before;
        words.extend(self.words.iter().cloned());
        if self.on_terminal {
            let line: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            let line = format!("stty rows 40 cols 200; exec {}", line.join(" "));
            words = ["script", "-qefc", &line, "/dev/null"].map(str::to_owned).to_vec();
        }
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env_remove("VISUAL")
            .env_remove("EDITOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in &self.set {
            command.env(name, value);
        }
        command
    }

    fn spawn_and_wait(&self, before: Vec<String>) -> Done {
        use std::io::Write;
        let mut child = self.command(before).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // One that is killed or refuses before it has read leaves a broken pipe.
        let _ = stdin.write_all(&self.input);
        // A terminal whose other end is closed hangs up.
        let held = self.on_terminal.then_some(stdin);
        let done = Done::of(child.wait_with_output().expect("it ends"));
        drop(held);
        done
    }
}

fn strace(log: &Path, more: &[&str]) -> Vec<String> {
    let log = log.to_string_lossy();
    let mut words = vec!["strace", "-f", "-qq", "-s", "16", "-o", &log];
    words.extend(more);
    words.into_iter().map(str::to_owned).collect()
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Reads a log: one line a call, behind the thread's number.
pub(super) fn calls_below(log: &str, folder: &Path) -> BTreeSet<Call> {
    let folder = folder.to_string_lossy();
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for line in log.lines() {
        let Some((thread, name, rest)) = call_of(line) else {
            continue;
        };
        let nth = counts.entry((thread, name)).or_default();
        *nth += 1;
        let writes = name != "openat" || rest.contains("O_CREAT") || rest.contains("O_TMPFILE");
        if writes && rest.contains(&*folder) {
            let name = name.to_owned();
            found.insert(Call { name, nth: *nth });
        }
    }
    found
}

/// Splits `123 pwrite64(4</x>, …` into thread, name and the rest.
fn call_of(line: &str) -> Option<(&str, &str, &str)> {
    let (thread, rest) = line.trim_start().split_once(char::is_whitespace)?;
    let (name, rest) = rest.trim_start().split_once('(')?;
    let known = CALLS.contains(&name);
    known.then_some((thread, name, rest))
}

pub(super) fn hits(log: &str, fault: Fault) -> Vec<String> {
    let mut lines = log.lines();
    match fault {
        Fault::Kill => {
            // Calls of this name alone are in the log, and the killing one was the last.
            let killed = log.contains("+++ killed by SIGKILL");
            let last = lines.rfind(|line| killed && call_of(line).is_some());
            last.map(str::to_owned).into_iter().collect()
        }
        _ => {
            let injected = lines.filter(|line| line.contains("(INJECTED)"));
            injected.map(str::to_owned).collect()
        }
    }
}

/// Returns a log's place beside a vault.
pub fn log_beside(around: &Path) -> PathBuf {
    around.join("strace.log")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    const LOG: &str = "\
7 openat(AT_FDCWD</tmp/x>, \"/lib/libc.so\", O_RDONLY|O_CLOEXEC) = 3</lib/libc.so>
7 openat(AT_FDCWD</tmp/x>, \"/v/home/db\", O_RDWR|O_CREAT, 0600) = 3</v/home/db>
7 pwrite64(3</v/home/db>, \"a\", 1, 0) = 1
8 pwrite64(9</elsewhere>, \"a\", 1, 0) = 1
8 pwrite64(3</v/home/db>, \"a\", 1, 0 <unfinished ...>
8 <... pwrite64 resumed>) = 1
7 write(1</dev/pts/0>, \"a\", 1) = 1
7 unlink(\"/v/home/db-wal\") = -1 EIO (Input/output error) (INJECTED)
7 +++ killed by SIGKILL +++
";

    #[test]
    fn calls_are_counted_by_thread_and_kept_where_they_write_below_the_folder() {
        let found = calls_below(LOG, Path::new("/v/home"));
        let found: Vec<_> = found.iter().map(|call| (call.name.as_str(), call.nth)).collect();
        assert_eq!(found, [("openat", 2), ("pwrite64", 1), ("pwrite64", 2), ("unlink", 1)]);
    }

    #[test]
    fn what_was_hit_is_read_from_the_log() {
        let injected = hits(LOG, Fault::Once("EIO"));
        assert!(injected[0].contains("db-wal"), "{injected:?}");
        assert!(hits(LOG, Fault::Kill)[0].contains("unlink"));
        assert!(hits("", Fault::Kill).is_empty());
    }
}
