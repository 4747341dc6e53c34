//! Values of flags, read and refused while the command line is parsed.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use vault_core::crypto::passphrase::{MEMORY_CEILING_KIB, MEMORY_FLOOR_KIB};
use vault_core::crypto::sign::PublicKey;
use vault_core::id::{CaseId, DeviceId, IdError, JotId, MemberId, RecordId};
use vault_core::note::when::{self, Now, WhenError};
use vault_core::note::{NoteKind, SegmentKind};
use vault_core::tlog::checkpoint::agency_named;
use vault_core::tlog::note::{self, KeyName, Kind};
use vault_core::wire::v1::agency::Verifier;

/// Reads a case's handle, or a beginning of one.
///
/// # Errors
/// What is wrong with it, and where handles are found.
pub fn case(text: &str) -> Result<String, String> {
    let text = &lower(text, "C-");
    CaseId::range(text)
        .map(|_| text.to_owned())
        .map_err(|e| wrong(text, &e, "`casevault case list` shows the handles of cases"))
}

/// Reads a member's handle, or a beginning of one.
///
/// # Errors
/// What is wrong with it, and where handles are found.
pub fn member(text: &str) -> Result<String, String> {
    let text = &lower(text, "M-");
    MemberId::range(text)
        .map(|_| text.to_owned())
        .map_err(|e| format!("{e}; `casevault member list` shows the handles of members"))
}

/// Reads a device's handle, or a beginning of one.
///
/// # Errors
/// What is wrong with it, and where handles are found.
pub fn device(text: &str) -> Result<String, String> {
    let text = &lower(text, "D-");
    DeviceId::range(text)
        .map(|_| text.to_owned())
        .map_err(|e| format!("{e}; `casevault device list` shows the handles of devices"))
}

/// Begins what is said of a word that is no handle at all. It may be somebody's name, and is not said once more.
pub(super) const NO_HANDLE: &str = "a handle is asked for there";

/// Says what is wrong with a handle, and where handles are found.
fn wrong(text: &str, error: &IdError, found: &str) -> String {
    let is_handle = text.split_once('-').is_some_and(|(kind, _)| kind.len() == 1);
    match error {
        IdError::Prefix { prefix, .. } if !is_handle => format!(
            "{NO_HANDLE}, which begins with `{prefix}-`; names are never typed on the command line, where other programs can \
             read them: `casevault` alone finds a case by the name of its client, and {found}"
        ),
        error => format!("{error}; {found}"),
    }
}

/// A handle that was typed in capitals, as a letter or a form shows it.
fn lower(text: &str, prefix: &str) -> String {
    match text.starts_with(prefix) {
        true => text.to_ascii_lowercase(),
        false => text.to_owned(),
    }
}

/// Reads a note's handle, or a beginning of one.
///
/// # Errors
/// What is wrong with it, and where handles are found.
pub fn note(text: &str) -> Result<String, String> {
    let text = &lower(text, "N-");
    RecordId::range(text)
        .map(|_| text.to_owned())
        .map_err(|e| wrong(text, &e, "`casevault note list CASE` shows the handles of notes"))
}

/// Reads a step of a plan: a note's handle, or a beginning of one, and with a colon the segment's number.
///
/// # Errors
/// What is wrong with it, and where steps are found.
pub fn step(text: &str) -> Result<(String, Option<u32>), String> {
    let hint = |e: String| format!("{e}; `casevault plan list` shows steps");
    let text = &*lower(text, "N-");
    let (handle, segment) = match text.split_once(':') {
        Some((handle, number)) => {
            let segment = number.parse::<u32>().ok().filter(|n| *n > 0);
            let wrong = || hint(format!("`{number}` is no segment's number, write n-19qd3m0x:5"));
            (handle, Some(segment.ok_or_else(wrong)?))
        }
        None => (text, None),
    };
    RecordId::range(handle).map_err(|e| wrong(handle, &e, "`casevault plan list` shows steps"))?;
    Ok((handle.to_owned(), segment))
}

/// Reads a jot's handle, or a beginning of one.
///
/// # Errors
/// What is wrong with it, and where handles are found.
pub fn jot(text: &str) -> Result<String, String> {
    let text = &lower(text, "J-");
    JotId::range(text)
        .map(|_| text.to_owned())
        .map_err(|e| wrong(text, &e, "`casevault note jot --list` shows the handles of jots"))
}

/// Reads a draft's handle, or a beginning of one.
///
/// # Errors
/// What is wrong with it, and where handles are found.
pub fn draft(text: &str) -> Result<String, String> {
    let text = &lower(text, "J-");
    JotId::range(text)
        .map(|_| text.to_owned())
        .map_err(|e| format!("{e}; `casevault note draft` shows the handles of drafts"))
}

/// Reads a draft's handle, or nothing.
///
/// # Errors
/// As [`draft`].
pub fn draft_or_none(text: &str) -> Result<String, String> {
    if text.is_empty() {
        Ok(String::new())
    } else {
        draft(text)
    }
}

/// Reads a code: lower-case letters, digits and hyphens, at most 64.
///
/// # Errors
/// What is wrong with it.
pub fn code(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.len() > 64 || !text.chars().all(fits) {
        return Err("a code has 1 to 64 lower-case letters, digits and hyphens".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads a template's id or a beginning of it, whatever its capitals.
///
/// # Errors
/// What is wrong with it.
pub fn template(text: &str) -> Result<String, String> {
    code(&text.to_lowercase())
}

/// Reads who does a step: a code whatever its capitals, at most 64.
///
/// # Errors
/// What is wrong with it.
pub fn owner(text: &str) -> Result<String, String> {
    let lower = text.to_lowercase();
    code(&lower).map_err(|_| {
        "an owner is `me`, or a code of letters, digits and hyphens; a name is read with `--owner-file`".to_owned()
    })
}

/// Reads a kind of note.
///
/// # Errors
/// What is wrong with it.
pub fn note_kind(text: &str) -> Result<NoteKind, String> {
    // Kinds are in lower case, given ones and those of templates.
    NoteKind::new(&text.to_lowercase()).ok_or_else(|| "a kind has 1 to 64 bytes and no control characters".to_owned())
}

/// Reads a kind of segment, by its name or short name.
///
/// # Errors
/// The names there are.
pub fn segment_kind(text: &str) -> Result<SegmentKind, String> {
    let found = SegmentKind::from_name(text).or_else(|| SegmentKind::ALL.into_iter().find(|k| k.short() == text));
    found.ok_or_else(|| {
        let names: Vec<_> = SegmentKind::ALL.iter().map(|k| k.as_str()).collect();
        format!("one of {}", names.join(", "))
    })
}

/// Returns the present moment in the system's zone.
pub fn now() -> Now {
    Now::new(Timestamp::now(), TimeZone::system())
}

/// Returns today's date in the system's zone.
pub fn today() -> Date {
    Zoned::now().date()
}

/// Reads a day that a list begins or ends with, or on which something was, ISO or relative.
///
/// # Errors
/// [`WhenError`].
pub fn past_day(text: &str) -> Result<Date, WhenError> {
    when::past_day(text, &now())
}

/// Reads a day up to which something is due, ISO or relative.
///
/// # Errors
/// [`WhenError`].
pub fn coming_day(text: &str) -> Result<Date, WhenError> {
    when::day(text, &now())
}

/// Checks a time, ISO or relative; the session reads it again, by the clock that it records by.
///
/// # Errors
/// [`WhenError`].
pub fn time(text: &str) -> Result<String, WhenError> {
    when::parse(text, &now()).map(|_| text.to_owned())
}

/// Reads a length of time in minutes.
///
/// # Errors
/// [`WhenError`].
pub fn minutes(text: &str) -> Result<u32, WhenError> {
    when::length(text)
}

/// Reads how long to wait between two rounds: seconds (`30s`), or a length of time in minutes or hours.
///
/// # Errors
/// What is wrong with it.
pub fn wait(text: &str) -> Result<Duration, String> {
    if let Some(seconds) = text
        .trim()
        .strip_suffix('s')
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
    {
        let seconds = seconds
            .parse::<u64>()
            .ok()
            .filter(|seconds| (1..=3600).contains(seconds));
        return seconds
            .map(Duration::from_secs)
            .ok_or_else(|| "from 1s to 3600s".to_owned());
    }
    let minutes = minutes(text).map_err(|error| error.to_string())?;
    Ok(Duration::from_secs(u64::from(minutes.max(1)).saturating_mul(60)))
}

/// Reads an amount of memory (`64MiB`, `1GiB`, `65536KiB`) in KiB, within the bounds of the passphrase cost.
///
/// # Errors
/// What is wrong with it.
pub fn memory_kib(text: &str) -> Result<u32, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let each: u32 = match unit.trim().to_ascii_lowercase().as_str() {
        "kib" | "k" => 1,
        "mib" | "m" => 1024,
        "gib" | "g" => 1024 * 1024,
        _ => return Err("write the unit too: 64MiB, 1GiB or 65536KiB".to_owned()),
    };
    let kib = number.parse::<u32>().ok().and_then(|n| n.checked_mul(each));
    kib.filter(|kib| (MEMORY_FLOOR_KIB..=MEMORY_CEILING_KIB).contains(kib))
        .ok_or_else(|| "from 64MiB to 2GiB".to_owned())
}

/// Reads the key of an agency's log, a line as C2SP writes verifiers.
///
/// # Errors
/// What is wrong with it.
pub fn log_key(text: &str) -> Result<Verifier, String> {
    let log = note::read_verifier(text, Kind::Ed25519).ok();
    let is_ours = |log: &Verifier| std::str::from_utf8(&log.name).is_ok_and(|name| agency_named(name).is_ok());
    log.filter(is_ours).ok_or_else(|| {
        "this is no key of an agency's log: `casevault server show` prints it, a line that begins with `casevault/`"
            .to_owned()
    })
}

/// Reads a witness's name.
///
/// # Errors
/// What is wrong with it.
pub fn witness_name(text: &str) -> Result<String, String> {
    match KeyName::of(text, Kind::Cosignature, &PublicKey([0; 32])) {
        Ok(named) => Ok(named.name),
        Err(_) => Err("a name is one word without `+`, such as `dpo.example`".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn memory_has_a_unit_and_bounds() {
        assert_eq!(memory_kib("64MiB"), Ok(65_536));
        assert_eq!(memory_kib("2GiB"), Ok(2_097_152));
        assert_eq!(memory_kib("65536 KiB"), Ok(65_536));
        for wrong in ["64", "63MiB", "3GiB", "MiB", "-64MiB", "99999999999MiB", "64MB"] {
            assert!(memory_kib(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_wait_is_of_seconds_or_longer() {
        assert_eq!(wait("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(wait("1m"), Ok(Duration::from_secs(60)));
        assert_eq!(wait("2h"), Ok(Duration::from_secs(7200)));
        for wrong in ["0s", "3601s", "s", "-1s", "soon", "1.5s"] {
            assert!(wait(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_checked() {
        assert!(code("casework").is_ok() && code("Case work").is_err() && code("").is_err());
        assert_eq!(segment_kind("said"), Ok(SegmentKind::Quote));
        assert_eq!(segment_kind("quote"), Ok(SegmentKind::Quote));
        assert!(segment_kind("opinion").unwrap_err().contains("interpretation"));
        assert!(case("c-7fk2").is_ok() && case("n-7fk2").is_err());
        assert_eq!(step("n-7fk2:5"), Ok(("n-7fk2".to_owned(), Some(5))));
        assert_eq!(step("n-7fk2"), Ok(("n-7fk2".to_owned(), None)));
        for wrong in ["n-7fk2:", "n-7fk2:0", "n-7fk2:x", "n-7fk2:5:6", "c-7fk2:5"] {
            assert!(step(wrong).unwrap_err().contains("`casevault plan list`"), "{wrong}");
        }
        assert!(time("today 14:00").is_ok() && time("soon").is_err());
    }
}
