//! Places that a killed process left behind: their text goes into the draft, and they are wiped.

use std::fs;
use std::path::Path;

use super::place::{self, PREFIX, Place, is_own, roots};

/// A place that nobody holds any more.
#[derive(Debug)]
pub struct Leftover {
    /// The draft that was written in it.
    pub draft: String,
    /// The newest text, where it can be read.
    pub text: Option<String>,
    place: Place,
}

impl Leftover {
    /// Leaves it where it is: its text could not be kept yet.
    pub fn keep(&mut self) {
        self.place.keep();
    }
}

/// Returns what was left behind for the vault in `home`; each is wiped when dropped, unless it is kept. What editors made
/// again after the wiping is removed when it is older than a day.
pub fn leftovers(home: &Path) -> Vec<Leftover> {
    let mut found = Vec::new();
    for root in roots() {
        let Ok(entries) = fs::read_dir(&root) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(draft) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else {
                continue;
            };
            let folder = entry.path();
            if is_own(&folder) && place::is_remade(&folder) {
                place::wipe(&folder);
                continue;
            }
            // Another vault's is not even looked into: whoever looks at theirs would take it for one that is open.
            if !is_own(&folder) || place::home(&folder).as_deref() != Some(home.as_os_str().as_encoded_bytes()) {
                continue;
            }
            // One whose editor is still open is locked, and is not ours to take.
            let Some(place) = Place::taken(folder) else {
                continue;
            };
            found.push(Leftover {
                draft: draft.to_owned(),
                text: place.newest().ok(),
                place,
            });
        }
    }
    found
}

/// Tells whether an editor is open on a draft, given its handle.
pub fn is_open(draft: &str) -> bool {
    roots().iter().any(|root| {
        let Ok(entries) = fs::read_dir(root) else { return false };
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let of = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
            if !of.is_some_and(|of| of.starts_with(draft)) || !is_own(&entry.path()) {
                return false;
            }
            match Place::taken(entry.path()) {
                Some(mut place) => {
                    place.keep();
                    false
                }
                None => true,
            }
        })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use std::fs::File;
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime};

    use super::*;

    /// A folder as an editor makes it again that outlived the wiping.
    fn remade(name: &str, age: Duration) -> PathBuf {
        let place = Place::make(name, Path::new("/nowhere/at/all")).unwrap();
        let folder = place.folder().to_owned();
        drop(place);
        fs::create_dir_all(folder.join("code/Cache")).unwrap();
        fs::write(folder.join("code/Cache/index"), "some").unwrap();
        aged(&folder, age);
        folder
    }

    fn aged(folder: &Path, age: Duration) {
        File::open(folder)
            .unwrap()
            .set_modified(SystemTime::now() - age)
            .unwrap();
    }

    #[test]
    fn a_folder_that_an_editor_made_again_is_removed_after_a_day() {
        const HOUR: Duration = Duration::from_secs(3600);
        let (old, young) = (remade("0-remade-old", HOUR * 25), remade("0-remade-young", HOUR * 23));
        // Another vault's, and one that somebody holds, stay however old they are.
        let others = Place::make("0-remade-other", Path::new("/nowhere/other")).unwrap();
        aged(others.folder(), HOUR * 25);
        let held = Place::make("0-remade-held", Path::new("/nowhere/held")).unwrap();
        fs::remove_file(held.folder().join("home")).unwrap();
        aged(held.folder(), HOUR * 25);
        assert!(leftovers(Path::new("/nowhere/at/all")).is_empty());
        let left = [&old, &young, others.folder(), held.folder()].map(Path::exists);
        place::wipe(&young);
        place::wipe(&old);
        assert_eq!(left, [false, true, true, true]);
    }
}
