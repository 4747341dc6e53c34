//! The machine's time zone, out of its own file.
//!
//! The library would look for it in its database, which first reads the names of all zones there are: 50 folders and files,
//! a third of the time of a short command.

use jiff::tz::TimeZone;
use std::path::Path;
use std::path::PathBuf;

/// Where the system says which zone it is in; a link to the zone's file.
const LOCALTIME: &str = "/etc/localtime";
/// Where zones' files are, unless `TZDIR` says otherwise.
const ZONES: &str = "/usr/share/zoneinfo";

/// Returns the zone of this machine, by `TZ` or else by the system; the library's own finding where neither has a file.
pub fn system() -> TimeZone {
    let local = match std::env::var("TZ") {
        Ok(text) => named(text.strip_prefix(':').unwrap_or(&text)),
        Err(std::env::VarError::NotPresent) => of_file(Path::new(LOCALTIME), "local"),
        Err(std::env::VarError::NotUnicode(_)) => None,
    };
    local.unwrap_or_else(TimeZone::system)
}

/// Finds a zone by its name, `Europe/Vienna`; nothing for what is no name of a file under the folder of zones.
pub fn named(name: &str) -> Option<TimeZone> {
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.');
    if !name.split('/').all(is_part) {
        return None;
    }
    let folder = std::env::var_os("TZDIR").map_or_else(|| PathBuf::from(ZONES), PathBuf::from);
    of_file(&folder.join(name), name)
}

fn of_file(path: &Path, name: &str) -> Option<TimeZone> {
    let bytes = std::fs::read(path).ok()?;
    TimeZone::tzif(name, &bytes).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn a_zone_is_what_the_library_has_under_its_name() {
        for month in 1..=12 {
            let at: Timestamp = format!("2026-{month:02}-12T00:00:00Z").parse().unwrap();
            for name in ["Europe/Vienna", "Asia/Tokyo", "America/Argentina/Ushuaia", "UTC"] {
                let known = TimeZone::get(name).unwrap();
                assert_eq!(named(name).unwrap().to_offset(at), known.to_offset(at), "{name}");
            }
            assert_eq!(system().to_offset(at), TimeZone::system().to_offset(at));
        }
    }

    #[test]
    fn what_is_no_name_is_no_zone() {
        for name in [
            "",
            "/etc/localtime",
            "../../etc/localtime",
            "Europe//Vienna",
            "Europe",
            "EST5EDT4",
            "Nowhere/At_All",
        ] {
            assert!(named(name).is_none(), "{name}");
        }
    }
}
