//! The asker's time zone: `today 14:00` means today where the command was typed, wherever the agent was started.

use crate::zone;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::Serialize;

/// What the asker's `TZ` says, as it says it; none for the system's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Zone(Option<String>);

/// Longest `TZ`, in bytes.
const LONGEST: usize = 256;

impl Zone {
    /// Takes this process's.
    pub(super) fn own() -> Self {
        Self(std::env::var("TZ").ok().filter(|text| text.len() <= LONGEST))
    }

    /// Finds the zone: by its name, as a rule, or from its file; the system's where there is none of these.
    pub(super) fn find(&self) -> TimeZone {
        let Some(text) = self.0.as_deref().filter(|text| text.len() <= LONGEST) else {
            return zone::system();
        };
        let named = text.strip_prefix(':').unwrap_or(text);
        if named.is_empty() {
            return TimeZone::UTC;
        }
        let by_file = || {
            let relative = named.split_once("/zoneinfo/").map(|(_, name)| name)?;
            zone::named(relative)
        };
        zone::named(named)
            .or_else(|| TimeZone::get(named).ok())
            .or_else(|| TimeZone::posix(named).ok())
            .or_else(by_file)
            .unwrap_or_else(zone::system)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn names_rules_and_files_are_zones() {
        let at: Timestamp = "2026-01-12T00:00:00Z".parse().unwrap();
        for (text, hours) in [
            ("Asia/Tokyo", 9),
            (":Asia/Tokyo", 9),
            ("/usr/share/zoneinfo/Asia/Tokyo", 9),
            ("EST5EDT", -5),
            ("<+03>-3", 3),
            ("UTC", 0),
            ("", 0),
        ] {
            let zone = Zone(Some(text.to_owned())).find();
            assert_eq!(zone.to_offset(at).seconds(), hours * 3600, "{text}");
        }
        let system = TimeZone::system().to_offset(at);
        assert_eq!(Zone(Some("x".repeat(9999))).find().to_offset(at), system);
        assert_eq!(Zone(None).find().to_offset(at), system);
    }
}
