//! Times as people write them, kept as written, and the lag between an event and its recording.
//!
//! The present moment and the zone come in as arguments; nothing here reads a clock.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use thiserror::Error;

mod clock;
mod typed;

pub use typed::{MONTHS, day, parse, past_day};

/// Says why a time was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WhenError {
    /// It is none of the forms.
    #[error(
        "`{0}` is not a time: write 2026-03-12 14:00, today 14:00, yesterday 9am, half past nine this morning, friday noon, 2 days ago or -2h"
    )]
    Form(String),
    /// It can be read in two ways, and a record takes no guess.
    #[error("`{text}` could be {taken} or {other}: write the one that is meant")]
    Ambiguous {
        /// What was typed.
        text: String,
        /// The likelier reading, as it can be typed.
        taken: String,
        /// The other.
        other: String,
    },
    /// It is a day, but not as days are written here.
    #[error("`{text}` is not how a day is written here: write {reading}")]
    Unusual {
        /// What was typed.
        text: String,
        /// The same, as it can be typed.
        reading: String,
    },
    /// It names a part of a day and no hour; a record has the one or none.
    #[error(
        "`{text}` names no hour: write one with it, as in `9.30 this morning`, or {day} where only the day is known"
    )]
    NoHour {
        /// What was typed.
        text: String,
        /// The day, as it can be typed.
        day: String,
    },
    /// A night is of two days, and its hour is not said.
    #[error("`{text}` is of two days: write it with its hour, as in {before} 22:00 or {after} 02:00")]
    Night {
        /// What was typed.
        text: String,
        /// The day before midnight.
        before: String,
        /// The day after it.
        after: String,
    },
    /// The clock went forward past it.
    #[error("`{text}` was on no clock here, which went forward: write {before} or {after}")]
    Skipped {
        /// What was typed.
        text: String,
        /// The time by the clock before it went forward, as it can be typed.
        before: String,
        /// The time by the clock after it.
        after: String,
    },
    /// It has the form of a time but there is no such day or hour.
    #[error("`{0}` does not exist: check day, month and hour")]
    NoSuchTime(String),
    /// It lies outside the years that can be counted with.
    #[error("`{0}` is too far away")]
    TooFar(String),
    /// It is not the form that a file holds.
    #[error("`{0}` is not a time: write it as 2026-03-12T14:00:00Z, with the zone, or as 2026-03-12")]
    NotRfc3339(String),
    /// It is not a length of time.
    #[error("`{0}` is not a length of time: write 50m, 1h or 1h30m")]
    Length(String),
    /// It is not a day.
    #[error("`{0}` is not a day: write 2026-03-20, today, tomorrow, friday or +7d")]
    Day(String),
    /// It is not a day that a list begins or ends with.
    #[error("`{0}` is not a day: write 2026-03-20, today, yesterday, last friday, 2 weeks ago or -7d")]
    PastDay(String),
}

/// A point in time with the text that it was written as: RFC 3339, or a date alone.
#[derive(Debug, Clone)]
pub struct Moment {
    text: String,
    instant: Timestamp,
}

impl Moment {
    /// Reads RFC 3339 with a zone (`2026-03-12T14:00:00Z`), or a date alone (`2026-03-12`, taken as its midnight UTC).
    ///
    /// # Errors
    /// [`WhenError::NotRfc3339`].
    pub fn parse(text: &str) -> Result<Self, WhenError> {
        let wrong = || WhenError::NotRfc3339(text.to_owned());
        if let Some(date) = iso_date(text) {
            let instant = TimeZone::UTC
                .to_timestamp(date.to_datetime(Time::midnight()))
                .map_err(|_| wrong())?;
            return Ok(Self {
                text: text.to_owned(),
                instant,
            });
        }
        let shaped = text.len() >= 20 && text.as_bytes().get(10).is_some_and(|c| matches!(c, b'T' | b't'));
        let instant = if shaped { text.parse().ok() } else { None };
        Ok(Self {
            text: text.to_owned(),
            instant: instant.ok_or_else(wrong)?,
        })
    }

    /// Makes the moment of an instant, written in UTC, to the second.
    pub fn from_instant(instant: Timestamp) -> Self {
        let instant = Timestamp::from_second(instant.as_second()).unwrap_or(instant);
        Self {
            text: instant.to_string(),
            instant,
        }
    }

    /// Shows the text as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Tells the instant; of a date alone, its midnight UTC.
    pub fn instant(&self) -> Timestamp {
        self.instant
    }

    /// Tells whether only the day is known.
    pub fn is_date(&self) -> bool {
        self.text.len() == 10
    }

    /// Shows day and time by the clocks of a zone, `2026-03-12 14:00`; where only the day is known, the day as written.
    pub fn in_zone(&self, zone: &TimeZone) -> String {
        self.shown(zone, "%Y-%m-%d %H:%M")
    }

    /// As [`Self::in_zone`], with the offset from UTC for who reads it elsewhere: `2026-03-12 14:00 +01:00`.
    pub fn with_offset(&self, zone: &TimeZone) -> String {
        self.shown(zone, "%Y-%m-%d %H:%M %:z")
    }

    fn shown(&self, zone: &TimeZone, form: &str) -> String {
        if self.is_date() {
            return self.text.clone();
        }
        self.instant.to_zoned(zone.clone()).strftime(form).to_string()
    }

    /// Tells whether it is still to come; of a day alone, whether that day is.
    pub fn is_ahead(&self, now: &Now) -> bool {
        match self.is_date() {
            true => self.day(&now.zone) > now.today(),
            false => self.instant > now.at,
        }
    }

    /// Tells the day by the clocks of a zone, the one that [`Self::in_zone`] shows.
    pub fn day(&self, zone: &TimeZone) -> Date {
        let written = if self.is_date() { iso_date(&self.text) } else { None };
        written.unwrap_or_else(|| zone.to_datetime(self.instant).date())
    }
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Moment {}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The present moment and the zone that plain times are meant in.
#[derive(Debug, Clone)]
pub struct Now {
    /// The present moment.
    pub at: Timestamp,
    /// The zone, a fixed offset or one with its rules.
    pub zone: TimeZone,
}

impl Now {
    /// Takes the present moment and the zone.
    pub fn new(at: Timestamp, zone: TimeZone) -> Self {
        Self { at, zone }
    }

    fn today(&self) -> Date {
        self.zone.to_datetime(self.at).date()
    }

    /// Writes an instant in the zone, to the second, with its offset.
    fn moment(&self, instant: Timestamp) -> Moment {
        let offset = self.zone.to_offset(instant);
        // RFC 3339 has no offset of a day or more, which a zone may have.
        if offset.is_zero() || offset.seconds().unsigned_abs() >= 24 * 60 * 60 {
            return Moment::from_instant(instant);
        }
        let whole = Timestamp::from_second(instant.as_second()).unwrap_or(instant);
        Moment {
            text: whole.display_with_offset(offset).to_string(),
            instant: whole,
        }
    }
}

/// Tells whether each character is the pattern's, `d` standing for a digit.
fn shaped(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text
            .bytes()
            .zip(pattern.bytes())
            .all(|(t, p)| if p == b'd' { t.is_ascii_digit() } else { t == p })
}

/// Reads an ISO date, exactly `2026-03-12`.
pub fn iso_date(text: &str) -> Option<Date> {
    if !shaped(text, "dddd-dd-dd") {
        return None;
    }
    let year = text.get(..4)?.parse().ok()?;
    let month = text.get(5..7)?.parse().ok()?;
    let day = text.get(8..)?.parse().ok()?;
    Date::new(year, month, day).ok()
}

/// Reads a length of time in minutes: `50m`, `1h`, `1h30m`, `1h30`, `2d`, or a plain number of minutes.
///
/// # Errors
/// [`WhenError::Length`].
pub fn length(text: &str) -> Result<u32, WhenError> {
    let wrong = || WhenError::Length(text.trim().to_owned());
    let mut rest = text.trim();
    let mut minutes: u32 = 0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let number: u32 = number.parse().map_err(|_| wrong())?;
        let tail = tail.trim_start();
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let each = match unit.to_ascii_lowercase().as_str() {
            "" | "m" | "min" | "mins" | "minutes" => 1,
            "h" | "hour" | "hours" => 60,
            "d" | "day" | "days" => 24 * 60,
            _ => return Err(wrong()),
        };
        minutes = number
            .checked_mul(each)
            .and_then(|m| m.checked_add(minutes))
            .ok_or_else(wrong)?;
        rest = tail.trim_start();
    }
    Ok(minutes)
}

/// How long after the end of an event it was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lag {
    minutes: i64,
    days_only: bool,
}

impl Lag {
    /// Counts from the event's end (its start and its length in minutes) to its recording; in days where only a day is
    /// known.
    pub fn between(occurred: &Moment, duration_minutes: Option<u32>, recorded: &Moment) -> Self {
        let days_only = occurred.is_date() || recorded.is_date();
        if days_only {
            let day = |m: &Moment| m.text.get(..10).and_then(iso_date);
            let days = match (day(occurred), day(recorded)) {
                (Some(from), Some(to)) => i64::from((to - from).get_days()),
                _ => 0,
            };
            return Self {
                minutes: days * 24 * 60,
                days_only,
            };
        }
        let seconds = recorded.instant.as_second() - occurred.instant.as_second();
        let minutes = seconds.div_euclid(60) - i64::from(duration_minutes.unwrap_or(0));
        // Notes begun during a visit were not late.
        let before_end = minutes < 0 && seconds >= 0;
        Self {
            minutes: if before_end { 0 } else { minutes },
            days_only,
        }
    }

    /// Counts the minutes; below zero if it was written down before it happened.
    pub fn minutes(self) -> i64 {
        self.minutes
    }

    /// Tells whether the lag is longer than a limit in minutes.
    pub fn exceeds(self, limit_minutes: u32) -> bool {
        self.minutes > i64::from(limit_minutes)
    }
}

impl fmt::Display for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.minutes < 0 {
            // True before it happens as well as after.
            return f.write_str("recorded beforehand");
        }
        let (days, hours, minutes) = (self.minutes / 1440, self.minutes / 60 % 24, self.minutes % 60);
        match (days, hours, minutes) {
            (0, 0, 0) if self.days_only => f.write_str("same day"),
            (d, _, _) if self.days_only => write!(f, "{d} d"),
            (0, 0, m) => write!(f, "{m} m"),
            (0, h, 0) => write!(f, "{h} h"),
            (0, h, m) => write!(f, "{h} h {m} m"),
            (d, 0, _) => write!(f, "{d} d"),
            (d, h, _) => write!(f, "{d} d {h} h"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn now() -> Now {
        Now::new(
            "2026-03-12T15:05:30Z".parse().unwrap(),
            TimeZone::fixed(jiff::tz::offset(1)),
        )
    }

    #[test]
    fn lag_runs_from_the_end_of_the_event() {
        let occurred = parse("today 14:00", &now()).unwrap();
        let recorded = parse("today 16:05", &now()).unwrap();
        assert_eq!(Lag::between(&occurred, Some(50), &recorded).to_string(), "1 h 15 m");
        assert_eq!(Lag::between(&occurred, None, &recorded).to_string(), "2 h 5 m");
        assert_eq!(Lag::between(&occurred, Some(600), &recorded).to_string(), "0 m");
        assert_eq!(
            Lag::between(&recorded, None, &occurred).to_string(),
            "recorded beforehand"
        );
        let day = Moment::parse("2026-03-10").unwrap();
        assert_eq!(Lag::between(&day, None, &recorded).to_string(), "2 d");
        assert_eq!(
            Lag::between(&Moment::parse("2026-03-12").unwrap(), None, &recorded).to_string(),
            "same day"
        );
        let early = Moment::parse("2026-03-10T12:05:00Z").unwrap();
        assert_eq!(Lag::between(&early, None, &recorded).to_string(), "2 d 3 h");
        assert!(Lag::between(&early, None, &recorded).exceeds(24 * 60));
    }

    #[test]
    fn a_day_alone_is_ahead_from_the_day_after_on() {
        let ahead = |text: &str| Moment::parse(text).unwrap().is_ahead(&now());
        assert_eq!((ahead("2026-03-12"), ahead("2026-03-13")), (false, true));
        assert_eq!(
            (ahead("2026-03-12T15:05:00Z"), ahead("2026-03-12T15:06:00Z")),
            (false, true)
        );
    }

    #[test]
    fn lengths_are_minutes() {
        for (typed, minutes) in [
            ("50m", 50),
            ("50", 50),
            ("1h", 60),
            ("1h30m", 90),
            ("1h30", 90),
            ("1 h 5 m", 65),
        ] {
            assert_eq!(length(typed).unwrap(), minutes, "{typed}");
        }
        for typed in ["", "m", "1x", "-5m", "99999999d"] {
            assert_eq!(length(typed), Err(WhenError::Length(typed.into())));
        }
    }
}
