//! A real `casevault-server`, as a process on a port of its own.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use crate::binary::casevault_server;

/// A server that runs until it is killed or dropped.
pub struct Server {
    child: Child,
    /// Where it is.
    pub url: String,
    /// Its folder, or what stands for it.
    pub data: PathBuf,
}

impl Server {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// Where it does not say where it listens.
    pub fn start(data: &Path) -> Self {
        Self::start_at(data, "127.0.0.1:0")
    }

    /// Starts one on an address, such as that of one that was killed.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_at(data: &Path, listen: &str) -> Self {
        Self::keeping(data, "--data", data.as_os_str(), listen)
    }

    /// Starts one on an address that keeps what it keeps where `flag` says; `data` is what the test knows it by.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn keeping(data: &Path, flag: &str, place: &OsStr, listen: &str) -> Self {
        let mut child = Command::new(casevault_server())
            .args(["serve", flag])
            .arg(place)
            .args(["--listen", listen])
            .stdout(Stdio::piped())
            .stderr(said(data))
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output is piped");
        BufReader::new(out).read_line(&mut line).expect("it says something");
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .expect("it says where it listens");
        Self {
            child,
            url: url.to_owned(),
            data: data.to_owned(),
        }
    }

    /// Returns the address that it listens on.
    pub fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    /// Returns the file in which everything stands that it, and each before it at the same place, said in its log.
    pub fn log(&self) -> PathBuf {
        log_of(&self.data)
    }

    /// Returns its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a power cut does, and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file, beside its folder, that takes what a server says.
fn log_of(data: &Path) -> PathBuf {
    data.with_extension("log")
}

fn said(data: &Path) -> File {
    let file = OpenOptions::new().create(true).append(true).open(log_of(data));
    file.expect("a file beside the server's folder")
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
