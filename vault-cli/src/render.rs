//! Replies made readable: text for a person, told apart by words and not by colour.
//!
//! Nothing here prints, and all of it passes the printer's escaping; what stands in one line is escaped for one line
//! here.

pub mod agency;
pub mod attachment;
pub mod backup;
pub mod card;
pub mod case;
pub mod import;
pub mod log;
pub mod member;
pub mod note;
pub mod overview;
pub mod server;
pub mod status;
mod table;
pub mod verify;
pub mod witness;
pub mod writing;

use std::fmt::Write as _;

use vault_core::id::MemberId;
use vault_core::note::display::escape_line;
use vault_core::note::when::Moment;

use crate::session::reply::UnopenedRow;

pub use table::{table, table_or_lines};

use crate::session::reply::SegmentHead;
use vault_core::note::SegmentKind;

/// Writes a number with its thousands apart and the noun that it counts.
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// Writes a number with its thousands apart: `11,284`.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Writes a number of bytes with three digits at least, in powers of 1024: `2.31 MiB`.
pub fn bytes(n: u64) -> String {
    let mut unit = 0;
    let mut whole = n;
    while whole >= 1024 && unit < 4 {
        whole /= 1024;
        unit += 1;
    }
    let Some(name) = ["KiB", "MiB", "GiB", "TiB"].get(usize::wrapping_sub(unit, 1)) else {
        return count(n, "byte", "bytes");
    };
    // Hundredths, cut and not rounded up: 1,023.99 KiB is not 1 MiB.
    let hundredths = (u128::from(n) * 100) >> (10 * unit);
    format!("{}.{:02} {name}", hundredths / 100, hundredths % 100)
}

/// Writes a moment as day and time by the machine's clock, `2026-03-12 14:00`; what is no moment as it is.
pub fn time(text: &str) -> String {
    Moment::parse(text).map_or_else(|_| escape_line(text).into_owned(), |at| moment(&at))
}

/// Writes a moment as day and time by the machine's clock.
fn moment(at: &Moment) -> String {
    at.in_zone(&crate::session::zone())
}

/// Names a worker: a member's id by its handle, anything else as it is.
fn worker(text: &str) -> String {
    text.parse::<MemberId>()
        .map_or_else(|_| text.to_owned(), |member| member.handle())
}

/// Writes a segment's words behind for whom they are not, what they are, and whose: so that opinion and what others say do
/// not read as facts. `text` is as it is to be shown.
fn attributed(of: &SegmentHead, text: &str) -> String {
    let who = || escape_line(of.who.as_deref().unwrap_or("someone not named"));
    let said = match of.kind {
        SegmentKind::Decision => format!("Decision: {text}"),
        SegmentKind::Interpretation => format!("Opinion: {text}"),
        SegmentKind::Plan => format!("Plan: {text}"),
        SegmentKind::Quote => format!("Said by {}: \"{text}\"", who()),
        SegmentKind::Reported => format!("Reported by {}: {text}", who()),
        SegmentKind::Intervention | SegmentKind::Narrative | SegmentKind::Observation | SegmentKind::Reflection => {
            text.to_owned()
        }
    };
    format!("{}{said}", escape_line(&of.marks.to_string()))
}

/// As [`attributed`], for who takes what is written there for what was seen: it says of the rest what nobody classified.
fn attributed_in_full(of: &SegmentHead, text: &str) -> String {
    let is_plain = matches!(of.kind, SegmentKind::Observation | SegmentKind::Narrative);
    match is_plain && (of.default_kind || of.kind == SegmentKind::Narrative) {
        true => format!("{}Not classified: {text}", escape_line(&of.marks.to_string())),
        false => attributed(of, text),
    }
}

/// Names whose case it is: `Elin Farrow (c-7fk2m9qd)`; the handle alone of one without a name.
pub fn whose(label: Option<&str>, case: &str) -> String {
    match label.filter(|label| !label.trim().is_empty()) {
        Some(label) => format!("{} ({case})", escape_line(label)),
        None => format!("case {case}"),
    }
}

/// Writes an optional text in one line, a dash for none.
fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty())
        .map_or_else(|| "-".to_owned(), |text| escape_line(text).into_owned())
}

/// Warns of what its writer made so that it does not open.
pub fn unopened(rows: &[UnopenedRow]) -> String {
    let number = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let mut text = match number {
        1 => "warning: 1 record does not open, and is not in this:".to_owned(),
        _ => format!("warning: {number} records do not open, and are not in this:"),
    };
    for row in rows {
        let _ = write!(
            text,
            "\n  {} in {}: {} (CHK-{:02})",
            row.of, row.case, row.why, row.check
        );
    }
    text.push_str(
        "\nwhoever wrote it made it so; all else is shown, and `casevault verify` looks at everything that is kept",
    );
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_open_is_named_and_counted() {
        let row = |of: &str| UnopenedRow {
            of: of.to_owned(),
            case: "c-7fk2m9qd".to_owned(),
            check: 12,
            why: "sealed bytes do not open".to_owned(),
        };
        let one = unopened(&[row("n-1")]);
        assert!(one.starts_with("warning: 1 record does not open"), "{one}");
        assert!(
            one.contains("\n  n-1 in c-7fk2m9qd: sealed bytes do not open (CHK-12)\n"),
            "{one}"
        );
        let two = unopened(&[row("n-1"), row("n-2")]);
        assert!(two.starts_with("warning: 2 records do not open"), "{two}");
    }

    #[test]
    fn numbers_are_grouped_and_counted() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (11_284, "11,284"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(number(n), text);
        }
        assert_eq!(count(1, "entry", "entries"), "1 entry");
        assert_eq!(count(412, "entry", "entries"), "412 entries");
    }

    #[test]
    fn sizes_are_cut_to_hundredths() {
        for (n, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1,023 bytes"),
            (1024, "1.00 KiB"),
            (1536, "1.50 KiB"),
            (1_048_575, "1023.99 KiB"),
            (2 << 30, "2.00 GiB"),
            (1 << 40, "1.00 TiB"),
        ] {
            assert_eq!(bytes(n), text);
        }
    }

    #[test]
    fn a_worker_who_is_a_member_goes_by_the_handle() {
        assert_eq!(worker("m-0kf3z8xy0123456789abcdefg0"), "m-0kf3z8xy");
        for other in ["w003", "m-0kf3", "Ann"] {
            assert_eq!(worker(other), other);
        }
    }

    #[test]
    fn times_are_shown_by_the_machines_clock_without_seconds() {
        let tokyo = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
        for (text, shown) in [
            ("2026-03-12T14:00:59+01:00", "2026-03-12 22:00"),
            ("2026-03-12T16:00:00Z", "2026-03-13 01:00"),
            ("2026-03-12", "2026-03-12"),
            ("when\nit was", "when\\nit was"),
        ] {
            assert_eq!(crate::session::in_zone(tokyo.clone(), || time(text)), shown);
        }
    }
}
