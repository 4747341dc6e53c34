//! Where the published vectors lie: beside the project, read in place.

use std::io::Write;
use std::path::PathBuf;

/// Gives the path of `name` among the shared vectors, or says on stderr that it is missing.
///
/// The line is written past the test harness, which would swallow what a passing test prints.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors").join(name);
    if path.exists() {
        return Some(path);
    }
    writeln!(std::io::stderr(), "NOT RUN: the vectors `../shared/vectors/{name}` are not on this machine").ok();
    None
}
