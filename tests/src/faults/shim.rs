//! A library of a page of C between the real binary and its C library, which moves the clock and cuts writes short.
//!
//! `strace` can do neither: the clock is read without a system call, and a call that it makes return early writes nothing
//! at all. What the binary asks the system for directly (its locks, the reserve) does not pass here.

use super::trace::Launch;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Returns the library, built once a process; says what is left out where there is no C compiler.
///
/// # Panics
/// Where `CASEVAULT_FAULTS_REQUIRED` is set and it cannot be built.
pub fn library() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<(tempfile::TempDir, PathBuf)>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (source, library) = (folder.path().join("shim.c"), folder.path().join("shim.so"));
        std::fs::write(&source, include_str!("shim.c")).expect("writes the source");
        let status = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .args(["-ldl", "-lpthread"])
            .status();
        let works = status.is_ok_and(|status| status.success()) && cfg!(target_os = "linux");
        let required = std::env::var_os("CASEVAULT_FAULTS_REQUIRED").is_some();
        assert!(
            works || !required,
            "cc builds no library here, and the clock is to be moved"
        );
        if !works {
            eprintln!("LEFT OUT: cc builds no library here, so no clock is moved and no write cut short");
            return None;
        }
        Some((folder, library))
    });
    built.as_ref().map(|(_, library)| library.as_path())
}

impl Launch {
    /// Has it run with the library, and what is set for it.
    #[must_use]
    pub fn behind(mut self, library: &Path, set: &[(&str, &str)]) -> Self {
        self.set
            .push(("LD_PRELOAD".to_owned(), library.to_string_lossy().into_owned()));
        self.set.extend(
            set.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        self
    }
}
