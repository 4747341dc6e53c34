//! A real terminal for a command: a pseudo-terminal made by `script`, typed into byte by byte.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::binary::casevault;
use crate::vault::Vault;

/// A test fails rather than waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came on the screen so far, and whether more can come.
#[derive(Default)]
struct Screen {
    seen: Mutex<(Vec<u8>, bool)>,
    more: Condvar,
}

/// A command on a terminal.
pub struct Terminal {
    script: Child,
    keys: Option<ChildStdin>,
    screen: Arc<Screen>,
    from: usize,
    /// How many bytes were typed.
    pub typed: usize,
}

impl Terminal {
    /// Starts a shell command line on a terminal of its own; says so and returns nothing where that cannot be.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start(line: &str, set: impl FnOnce(&mut Command)) -> Option<Self> {
        which("script")?;
        let mut command = Command::new("script");
        command
            .args(["-qefc", &format!("stty rows 40 cols 120; exec {line}"), "/dev/null"])
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        set(&mut command);
        let mut script = command.spawn().expect("script starts");
        let keys = script.stdin.take();
        let mut out = script.stdout.take().expect("a pipe");
        let screen = Arc::new(Screen::default());
        let of_reader = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            loop {
                let read = out.read(&mut piece).unwrap_or(0);
                let mut seen = of_reader.seen.lock().expect("not poisoned");
                seen.0.extend_from_slice(&piece[..read]);
                seen.1 = read == 0;
                of_reader.more.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        Some(Self {
            script,
            keys,
            screen,
            from: 0,
            typed: 0,
        })
    }

    /// Waits until a text has come on the screen since the last that was waited for.
    ///
    /// # Panics
    /// Where it does not come.
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        let until = Instant::now() + PATIENCE;
        let mut seen = self.screen.seen.lock().expect("not poisoned");
        loop {
            let new = &seen.0[self.from..];
            if let Some(at) = new.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.from += at + text.len();
                drop(seen);
                return self;
            }
            let shown = String::from_utf8_lossy(new).into_owned();
            assert!(!seen.1, "it ended before `{text}` came: {shown}");
            assert!(Instant::now() < until, "`{text}` does not come: {shown}");
            let left = until.saturating_duration_since(Instant::now());
            seen = self.screen.more.wait_timeout(seen, left).expect("not poisoned").0;
        }
    }

    /// Types.
    ///
    /// # Panics
    /// Where nobody reads.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        let to = self.keys.as_mut().expect("not ended yet");
        to.write_all(keys.as_bytes())
            .and_then(|()| to.flush())
            .expect("it reads");
        self.typed += keys.len();
        self
    }

    /// Returns the process that runs on the terminal.
    ///
    /// # Panics
    /// Where there is none.
    pub fn process(&self) -> u32 {
        *children(self.script.id())
            .first()
            .expect("something runs on the terminal")
    }

    /// Waits for the end; returns the exit code, and all that came on the screen.
    ///
    /// # Panics
    /// Where it does not end.
    pub fn end(mut self) -> (i32, String) {
        let until = Instant::now() + PATIENCE;
        let mut seen = self.screen.seen.lock().expect("not poisoned");
        while !seen.1 {
            let shown = String::from_utf8_lossy(&seen.0);
            assert!(Instant::now() < until, "it does not end: {shown}");
            let left = until.saturating_duration_since(Instant::now());
            seen = self.screen.more.wait_timeout(seen, left).expect("not poisoned").0;
        }
        let shown = String::from_utf8_lossy(&seen.0).into_owned();
        drop(seen);
        let status = self.script.wait().expect("it ends");
        drop(self.keys.take());
        (status.code().unwrap_or(-1), shown)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves nothing running.
        if !matches!(self.script.try_wait(), Ok(None)) {
            return;
        }
        let mut all = vec![self.script.id()];
        let mut at = 0;
        while let Some(process) = all.get(at) {
            all.extend(children(*process));
            at += 1;
        }
        for process in all.into_iter().rev() {
            let _ = Command::new("kill").args(["-9", &process.to_string()]).output();
        }
        let _ = self.script.wait();
    }
}

/// Returns the processes that a process started.
pub fn children(process: u32) -> Vec<u32> {
    let of = format!("/proc/{process}/task/{process}/children");
    let list = std::fs::read_to_string(of).unwrap_or_default();
    list.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// Waits until `done`, looking again and again.
///
/// # Panics
/// Where it never is.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "{what}: it never is");
        std::thread::yield_now();
    }
}

/// Ends a process with SIGKILL.
///
/// # Panics
/// Where it cannot be.
pub fn kill_9(process: u32) {
    let status = Command::new("kill").args(["-9", &process.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "kill -9 {process}");
}

/// Finds a program; says what is left out without it.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file());
    if found.is_none() {
        eprintln!("there is no `{program}` here: what needs it is NOT tested");
    }
    found
}

/// Returns the folders in memory in which an editor of this vault is or was open.
pub fn places(home: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/dev/shm") else {
        return Vec::new();
    };
    let mine = |folder: &PathBuf| {
        // Under a name with a dot it is still being made.
        let name = folder.file_name().unwrap_or_default();
        let made = name.as_encoded_bytes().starts_with(b"casevault-edit-");
        made && std::fs::read(folder.join("home")).is_ok_and(|of| of == home.as_os_str().as_encoded_bytes())
    };
    entries.flatten().map(|entry| entry.path()).filter(mine).collect()
}

/// Starts the binary on a terminal, on this vault, without pager or editor; nothing where there is no terminal to be had.
pub fn on_terminal(vault: &Vault, arguments: &str) -> Option<Terminal> {
    with_editor(vault, arguments, "")
}

/// As [`on_terminal`], with an editor; an empty one is none.
pub fn with_editor(vault: &Vault, arguments: &str, editor: &str) -> Option<Terminal> {
    Terminal::start(
        &format!("{} {arguments}", casevault().display()),
        |command: &mut Command| {
            command
                .env("CASEVAULT_HOME", &vault.home)
                .env("CASEVAULT_PASSPHRASE_FILE", vault.around.join("passphrase"))
                .env("XDG_RUNTIME_DIR", "");
            for name in ["PAGER", "LESS", "NO_COLOR", "VISUAL"] {
                command.env_remove(name);
            }
            match editor {
                "" => command.env_remove("EDITOR"),
                editor => command.env("EDITOR", editor),
            };
        },
    )
}
