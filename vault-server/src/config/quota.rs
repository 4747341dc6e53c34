//! How much an agency may keep at the server.

use std::str::FromStr;

/// Units by their names, with how often they double a byte.
const UNITS: [(&str, u32); 4] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];

/// Bytes of records, wraps and files that are kept for one agency at most: what an erasure can take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quota(pub u64);

impl FromStr for Quota {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = UNITS
            .iter()
            .find_map(|(name, bits)| Some((text.strip_suffix(name)?, *bits)));
        let (number, bits) = found.unwrap_or((text, 0));
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<u64> = number.parse().ok().filter(|number| digits && *number > 0);
        let bytes = number.and_then(|number| number.checked_mul(1 << bits));
        bytes
            .map(Self)
            .ok_or("a quota is a number of bytes above 0, or one with KiB, MiB, GiB or TiB: `20GiB`")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_has_a_unit_or_is_in_bytes() {
        for (text, bytes) in [
            ("1", 1),
            ("512", 512),
            ("3KiB", 3 << 10),
            ("20GiB", 20 << 30),
            ("1TiB", 1 << 40),
        ] {
            assert_eq!(text.parse::<Quota>().unwrap(), Quota(bytes), "{text}");
        }
        for text in [
            "",
            "0",
            "0GiB",
            "GiB",
            "-1",
            "+1",
            "1 GiB",
            "1GB",
            "1gib",
            "1.5GiB",
            "99999999TiB",
            "20GiBGiB",
        ] {
            assert!(text.parse::<Quota>().is_err(), "{text}");
        }
    }
}
