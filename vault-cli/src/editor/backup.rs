//! VS Code's own backups of what is not saved in it.
//!
//! ```text
//! Backups/WINDOW/SCHEME/HASH = URI SPACE {json} LF text
//! ```
//!
//! Source: `workingCopyBackupService.ts` of VS Code 1.100, which keeps them whatever the setting for hot exit says.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::OFlags;

use super::place::LONGEST;

/// The folders that lead to backups, from the one that VS Code was given on.
const WAYS: [&[&str]; 4] = [
    &["Backups"],
    &["User", "Backups"],
    &["user-data", "Backups"],
    &["user-data", "User", "Backups"],
];

/// Folders below `Backups`: of the window, and of the scheme.
const DEPTH: u32 = 2;

/// No more entries of one folder are looked at, nor more backups.
const MOST: usize = 64;

/// The longest first line in bytes, which is VS Code's own bound.
const LONGEST_LINE: u64 = 10_000;

/// Returns what backups of one file hold, and when each was written. What is of another file, cannot be read, is behind a
/// link, or has more than 4 MiB of text is left out.
pub(super) fn texts(code: &Path, file: &Path) -> Vec<(SystemTime, String)> {
    let mut found = Vec::new();
    for way in WAYS {
        let mut folder = code.to_owned();
        let is_there = is_folder(&folder)
            && way.iter().all(|name| {
                folder.push(name);
                is_folder(&folder)
            });
        if is_there {
            collect(&folder, DEPTH, &mut found);
        }
    }
    found.iter().filter_map(|path| text(path, file)).collect()
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

fn collect(folder: &Path, depth: u32, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().take(MOST) {
        // Told of the entry itself: a link is neither.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => collect(&entry.path(), depth - 1, found),
            Ok(kind) if kind.is_file() && depth == 0 && found.len() < MOST => found.push(entry.path()),
            _ => {}
        }
    }
}

fn text(path: &Path, of: &Path) -> Option<(SystemTime, String)> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    let file = options
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .ok()?;
    let about = file.metadata().ok().filter(fs::Metadata::is_file)?;
    let mut bytes = Vec::new();
    file.take(LONGEST + LONGEST_LINE + 1).read_to_end(&mut bytes).ok()?;
    let all = String::from_utf8(bytes).ok()?;
    // One without the end of its first line is not written yet.
    let (line, text) = all.split_once('\n')?;
    let uri = line.split_once(' ').map_or(line, |(uri, _)| uri);
    let is_of_it = uri.as_bytes().ends_with(of.as_os_str().as_encoded_bytes());
    let fits = line.len() as u64 <= LONGEST_LINE && text.len() as u64 <= LONGEST;
    (is_of_it && fits).then(|| Some((about.modified().ok()?, text.to_owned())))?
}
