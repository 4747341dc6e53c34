//! The demo's server: a real `casevault-server`, a process of its own that ends with the demo, however that ends: its standard
//! input is a pipe whose other end only the demo has.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::error::CliError;

const PROGRAM: &str = "casevault-server";

/// A server on this machine, until it is dropped.
pub(super) struct Serving {
    child: Child,
    /// Where it is.
    pub(super) url: String,
}

impl Serving {
    /// Starts one over the folder `data` at `listen`; port 0 takes a free one.
    ///
    /// # Errors
    /// [`CliError::Usage`] where the program is neither beside this one nor on the path; [`CliError::Io`] where it does not
    /// start.
    pub(super) fn start(data: &Path, listen: &str) -> Result<Self, CliError> {
        let failed = |e| CliError::io(format!("could not start `{PROGRAM}`"), e);
        let spawned = Command::new(program())
            .args(["serve", "--data"])
            .arg(data)
            .args(["--listen", listen, "--until-input-ends"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = spawned.map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => CliError::Usage {
                message: format!("`{PROGRAM}` is neither beside `casevault` nor on the path"),
                hint: "`cargo build --release` builds both, and `cargo install --locked --path vault-server` puts it on the path"
                    .to_owned(),
            },
            _ => failed(e),
        })?;
        let mut line = String::new();
        let said = match child.stdout.take() {
            Some(out) => BufReader::new(out).read_line(&mut line),
            None => Ok(0),
        };
        let mut serving = Self {
            child,
            url: String::new(),
        };
        said.map_err(failed)?;
        let url = line.trim().strip_prefix("listening on ");
        serving.url = url
            .ok_or_else(|| failed(std::io::Error::other("it does not say where it listens")))?
            .to_owned();
        Ok(serving)
    }

    /// Returns the address that it listens on, for the one that comes after it.
    pub(super) fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself; nothing that it has is lost by ending it so.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Beside this program, as they are built and installed; otherwise wherever the path has it.
fn program() -> PathBuf {
    let own = std::env::current_exe().ok();
    let beside = own.as_deref().and_then(Path::parent).map(|folder| folder.join(PROGRAM));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PROGRAM.into())
}
