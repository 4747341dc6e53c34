//! A throw-away PostgreSQL: a cluster of its own in a temporary folder, reached by a Unix socket there.
//!
//! PostgreSQL refuses to run as root, so root starts it as another user. It ends with the last test that uses it, and by a
//! signal of the system where the tests are killed.
#![allow(dead_code, reason = "each suite uses its part of it")]

use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};

/// The name of the database's first user.
const USER: &str = "casevault";

/// A running cluster.
pub(crate) struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    running: Mutex<Option<Running>>,
    databases: AtomicU32,
}

/// Its server process, and the thread that started it: the system's signal comes when that ends.
struct Running {
    process: Pid,
    thread: JoinHandle<()>,
}

/// The cluster that tests share which do not stop it.
static COMMON: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());

impl Cluster {
    /// Returns the cluster that tests share; `None` on a machine without PostgreSQL, which is said.
    pub(crate) fn common() -> Option<Arc<Self>> {
        let mut common = COMMON.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = common.upgrade() {
            return Some(running);
        }
        let started = Arc::new(Self::start()?);
        *common = Arc::downgrade(&started);
        Some(started)
    }

    /// Makes and starts one; `None` on a machine without PostgreSQL, which is said.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let required = std::env::var_os("CASEVAULT_POSTGRES_REQUIRED").is_some();
            assert!(!required, "there is no PostgreSQL here, and its store is to be tested");
            // Past what the test harness keeps to itself.
            let _ = writeln!(
                io::stderr(),
                "LEFT OUT: there is no PostgreSQL here, so its store is not tested"
            );
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        if let Some((user, group)) = other_user() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        let made = as_other(&programs.join("initdb"))
            .current_dir("/")
            .args([
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                "--username",
                USER,
                "--pgdata",
            ])
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let cluster = Self {
            folder,
            programs,
            running: Mutex::new(None),
            databases: AtomicU32::new(0),
        };
        cluster.run();
        Some(cluster)
    }

    /// Starts its server and returns once that takes connections.
    pub(crate) fn run(&self) {
        self.run_with(&["-c", "fsync=on"]);
    }

    /// The same with settings of its own.
    pub(crate) fn run_with(&self, settings: &[&str]) {
        let (tell, told) = mpsc::channel();
        let mut command = as_other(&self.programs.join("postgres"));
        command
            .current_dir("/")
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .arg("-k")
            .arg(self.folder.path())
            .args(["-c", "listen_addresses=", "-c", "shared_buffers=16MB"])
            .args(settings)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let thread = std::thread::spawn(move || {
            let mut child = command.spawn().unwrap();
            let pid = Pid::from_child(&child);
            wait_ready(&mut child, || tell.send(pid).unwrap());
            child.wait().unwrap();
        });
        let process = told.recv().expect("PostgreSQL starts");
        *self.running() = Some(Running { process, thread });
    }

    /// Ends its server: at once, cutting off who is connected (`Signal::QUIT`, as a crash does), or in order
    /// (`Signal::INT`). Returns once it is gone.
    pub(crate) fn stop(&self, signal: Signal) {
        if let Some(Running { process, thread }) = self.running().take() {
            kill_process(process, signal).unwrap();
            thread.join().unwrap();
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a database of its own; returns its URL.
    pub(crate) fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// Runs SQL in a database, as its owner; the rows come as text, a line each.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let done = Command::new(self.programs.join("psql"))
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                USER,
                "-d",
                database,
                "-c",
                sql,
                "-h",
            ])
            .arg(self.folder.path())
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{sql}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout).unwrap()
    }

    /// Copies a file that its server alone may read.
    pub(crate) fn give(&self, from: &Path, to: &Path) {
        fs::copy(from, to).unwrap();
        fs::set_permissions(to, Permissions::from_mode(0o600)).unwrap();
        if let Some((user, group)) = other_user() {
            chown(to, Some(user), Some(group)).unwrap();
        }
    }

    /// Returns the folder of its files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        let socket = self.folder.path().to_str().unwrap();
        format!("postgres://{USER}@/{database}?host={socket}")
    }
}

/// The name of the database of a URL.
pub(crate) fn name(url: &str) -> &str {
    let (_, rest) = url.split_once("@/").unwrap();
    rest.split_once('?').unwrap().0
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop(Signal::INT);
        } else if let Some(Running { process, .. }) = self.running().take() {
            let _ = kill_process(process, Signal::INT);
        }
    }
}

/// Reads what the server says until it is ready, and on, so that it can go on saying.
fn wait_ready(child: &mut Child, ready: impl FnOnce()) {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        if line.contains("database system is ready to accept connections") {
            ready();
            std::thread::spawn(move || lines.for_each(drop));
            return;
        }
        said.push(line);
    }
    panic!("{}", said.join("\n"));
}

/// A command as the user that PostgreSQL runs as, ended with the thread that started it.
fn as_other(program: &Path) -> Command {
    let Some((user, group)) = other_user() else {
        return Command::new(program);
    };
    let mut command = Command::new("setpriv");
    command
        .args([format!("--reuid={user}"), format!("--regid={group}")])
        .args(["--clear-groups", "--pdeathsig=INT"])
        .arg(program);
    command
}

/// The ids of the user `postgres`, or `nobody`, where this runs as root.
fn other_user() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
        Some((fields.next()?, fields.next()?))
    };
    Some(
        ids("postgres")
            .or_else(|| ids("nobody"))
            .expect("a user that is not root"),
    )
}

/// Finds PostgreSQL's programs: the newest version of Debian's folders, or those on the path.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let path = std::env::var_os("PATH")?;
    let newest = versions.pop().map(|(_, folder)| folder);
    newest
        .into_iter()
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}
