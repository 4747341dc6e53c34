//! Where the program under test is: beside the test's own executable, built anew where a source of it is newer.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// Returns the path of `casevault`, of the profile that the tests themselves were built with.
///
/// `cargo test -p casevault-e2e` builds no binary of another package, so it is built here, once a process, when it is
/// missing or older than a source that it was made of.
///
/// # Panics
/// Where it cannot be built.
pub fn casevault() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| built("casevault", &["-p", "vault-cli"]))
}

/// Returns the path of `casevault-broken`, the client with a check taken out; never of a release build.
///
/// # Panics
/// Where it cannot be built.
pub fn casevault_broken() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| built("casevault-broken", &["-p", "casevault-e2e", "--features", "broken"]))
}

/// Returns the path of `casevault-server`.
///
/// # Panics
/// Where it cannot be built.
pub fn casevault_server() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| built("casevault-server", &["-p", "vault-server"]))
}

fn built(name: &str, of: &[&str]) -> PathBuf {
    let own = std::env::current_exe().expect("a program knows its own path");
    let folder = own.parent().expect("a program lies in a folder");
    // Tests lie one folder deeper than programs.
    let profile = match folder.ends_with("deps") {
        true => folder.parent().expect("tests lie in the target folder"),
        false => folder,
    };
    let binary = profile.join(name);
    if is_stale(&binary) {
        build(profile, name, of);
    }
    assert!(binary.exists(), "cargo built no {}", binary.display());
    binary
}

/// Cargo lists beside a binary the sources that it was made of.
fn is_stale(binary: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|found| found.modified());
    let Ok(built) = changed(binary) else { return true };
    let Ok(list) = std::fs::read_to_string(binary.with_extension("d")) else {
        return true;
    };
    let sources = list.split_once(": ").map_or("", |(_, sources)| sources);
    sources
        .split_whitespace()
        .any(|source| changed(Path::new(source)).unwrap_or(SystemTime::now()) > built)
}

fn build(profile: &Path, name: &str, of: &[&str]) {
    let target = profile.parent().expect("a profile lies in the target folder");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--bin", name])
        .args(of)
        .arg("--target-dir")
        .arg(target)
        .current_dir(root());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    // What cargo tells of the test's own package makes build scripts run anew, and all that stands on them be compiled.
    let own = std::env::vars_os().map(|(name, _)| name);
    for name in own.filter(|name| name.to_string_lossy().starts_with("CARGO_PKG_")) {
        cargo.env_remove(name);
    }
    cargo.env_remove("CARGO_MANIFEST_DIR");
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "{name} does not build");
}

/// Returns the project's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie in the project")
}
