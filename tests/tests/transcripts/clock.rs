//! Moments of a run, moved to the day of the page, and days that a page looks ahead to, moved to the run.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use jiff::{RoundMode, Timestamp, TimestampDifference, Unit, tz::TimeZone};

/// When a page is read.
const PAGE: DateTime = jiff::civil::date(2026, 3, 12).at(16, 5, 0, 0);

/// What a run takes at most, and what a page says with it: a moment is kept to this many minutes.
const ROUND: i64 = 5;

/// So many days a page looks ahead: what is due on them is not past when the page is run.
const AHEAD: i64 = 14;

/// Moves the days to which a page looks ahead as far ahead of the run.
pub(crate) fn of_the_run(text: &str) -> String {
    ahead_of(text, PAGE.date(), Timestamp::now().to_zoned(TimeZone::UTC).date())
}

fn ahead_of(text: &str, from: Date, to: Date) -> String {
    (1..=AHEAD).fold(text.to_owned(), |text, n| {
        let day = |date: Date| (date + n.days()).to_string();
        text.replace(&day(from), &day(to))
    })
}

/// Moves every moment of the last two days, today's date and those that a page looks ahead to, to the page's.
pub(crate) fn moved(text: &str) -> String {
    let now = Timestamp::now().to_zoned(TimeZone::UTC).datetime();
    moved_from(text, now)
}

fn moved_from(text: &str, now: DateTime) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let lengths = ["2026-03-12T16:05:00".len(), "2026-03-12 16:05".len()];
        let moment = lengths
            .into_iter()
            .find_map(|n| Some((n, moment(rest.get(..n)?, now)?)));
        let day = || {
            let found = rest.get(..10)?.parse::<Date>().ok()?;
            let ahead = i64::from((found - now.date()).get_days());
            let is_shaped = found.to_string() == rest.get(..10)?;
            (is_shaped && (0..=AHEAD).contains(&ahead)).then(|| (10, (PAGE.date() + ahead.days()).to_string()))
        };
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let (taken, put) = moment.or_else(day).unwrap_or_else(|| (first, rest[..first].to_owned()));
        out.push_str(&put);
        rest = &rest[taken..];
    }
    out
}

/// Reads a moment of the last two days and writes it as the page would.
fn moment(text: &str, now: DateTime) -> Option<String> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let moment: DateTime = text.replace(' ', "T").parse().ok()?;
    let ago = now.to_zoned(TimeZone::UTC).ok()?.timestamp();
    let rounded = TimestampDifference::new(ago)
        .smallest(Unit::Minute)
        .increment(ROUND)
        .mode(RoundMode::HalfExpand);
    let since = moment.to_zoned(TimeZone::UTC).ok()?.timestamp().until(rounded).ok()?;
    let minutes = since.total(Unit::Minute).ok()?;
    if !(-10.0..48.0 * 60.0).contains(&minutes) {
        return None;
    }
    let shown = PAGE.checked_sub(since).ok()?;
    let shape = if text.contains('T') {
        "%Y-%m-%dT%H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M"
    };
    Some(shown.strftime(shape).to_string())
}

#[test]
fn what_just_happened_happened_on_the_pages_day() {
    let now = jiff::civil::date(2026, 11, 22).at(0, 10, 31, 0);
    let text = "at 2026-11-22 00:10, 2026-11-21T22:10:30Z, 2026-11-22, not 2026-11-02 14:00, due 2026-11-26";
    assert_eq!(
        moved_from(text, now),
        "at 2026-03-12 16:05, 2026-03-12T14:05:00Z, 2026-03-12, not 2026-11-02 14:00, due 2026-03-16"
    );
    assert_eq!(
        ahead_of("due: 2026-03-16, not 2026-03-02", PAGE.date(), now.date()),
        "due: 2026-11-26, not 2026-03-02"
    );
}
