//! A disk of its own, small enough to be full: a memory-backed file system, where the tests may mount one.

use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use tempfile::TempDir;

/// A mounted file system; unmounted when dropped.
pub struct Mount {
    folder: TempDir,
}

impl Mount {
    /// Mounts `kib` KiB of memory; says so and returns nothing where that is not allowed.
    pub fn new(kib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k,mode=0700"), "tmpfs"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if done.is_ok_and(|status| status.success()) {
            return Some(Self { folder });
        }
        eprintln!("no file system can be mounted here (it needs root): a full and a read-only disk are NOT tested");
        None
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Makes it read-only, or writable again.
    pub fn read_only(&self, read_only: bool) {
        let mode = if read_only { "remount,ro" } else { "remount,rw" };
        let status = Command::new("mount").args(["-o", mode]).arg(self.path()).status();
        assert!(status.is_ok_and(|status| status.success()), "{mode} fails");
    }

    /// Fills what is left of it, but for `spare` bytes; returns the file that does.
    pub fn fill(&self, spare: u64) -> PathBuf {
        let path = self.path().join("ballast");
        let mut file = std::fs::File::options()
            .append(true)
            .create(true)
            .open(&path)
            .expect("makes the ballast");
        let zeros = [0; 1024];
        while file.write_all(&zeros).is_ok() {}
        let length = file.metadata().expect("a file has a length").len();
        file.set_len(length.saturating_sub(spare))
            .expect("shortens the ballast");
        path
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Nothing runs in it any more; were it busy, it would go from the tree now and for good with its last user.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
