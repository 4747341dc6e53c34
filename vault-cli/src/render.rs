//! Replies made readable: text for a person, told apart by words and not by colour.
//!
//! Nothing here prints, and all of it passes the printer's escaping; what stands in one line is escaped for one line
//! here.

pub mod case;
pub mod import;
pub mod log;
pub mod note;
pub mod status;
mod table;
pub mod verify;
pub mod writing;

use vault_core::id::MemberId;
use vault_core::note::display::escape_line;
use vault_core::note::when::Moment;

pub use table::table;

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

/// Writes a moment as day and time where it was written, `2026-03-12 14:00`; what is no moment as it is.
pub fn time(text: &str) -> String {
    Moment::parse(text).map_or_else(|_| escape_line(text).into_owned(), |moment| moment.local())
}

/// Names a worker: a member's id by its handle, anything else as it is.
fn worker(text: &str) -> String {
    text.parse::<MemberId>()
        .map_or_else(|_| text.to_owned(), |member| member.handle())
}

/// Writes an optional text in one line, a dash for none.
fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty())
        .map_or_else(|| "-".to_owned(), |text| escape_line(text).into_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

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
    fn a_worker_who_is_a_member_goes_by_the_handle() {
        assert_eq!(worker("m-0kf3z8xy0123456789abcdefg0"), "m-0kf3z8xy");
        for other in ["w003", "m-0kf3", "Ann"] {
            assert_eq!(worker(other), other);
        }
    }

    #[test]
    fn times_are_shown_as_written_without_seconds() {
        assert_eq!(time("2026-03-12T14:00:30+01:00"), "2026-03-12 14:00");
        assert_eq!(time("2026-03-12"), "2026-03-12");
        assert_eq!(time("x\u{1b}"), "x\\u{1b}");
    }
}
