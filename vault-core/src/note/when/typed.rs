//! Times and days as workers type them, in words. What could be read in two ways is refused with both readings: a date
//! in a record is evidence, and nobody would notice a wrong guess.
//!
//! The words are English and ASCII whatever the locale; a week begins on Monday.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Span, Timestamp};

use super::clock::{Clock, Part};
use super::{Moment, Now, WhenError, iso_date, length, shaped};

/// Reads a time as a worker types it: RFC 3339, `2026-03-12 14:00`, `2026-03-12`, `14:00`, `9am`, `noon`, `now`,
/// `today 14:00`, `yesterday`, `yesterday 9am`, `friday 10:00`, `last tuesday`, `2 days ago`, `3 hours ago`, `-2h`,
/// `-1h30m`, `-3d`; and as it is said: `half past nine this morning`, `yesterday evening at 7`, `quarter to ten`, `9.30`,
/// `0930`.
///
/// A weekday is the last one gone, before today. An hour said without its half of the day is taken where that of working
/// hours is gone today and the other is not.
///
/// # Errors
/// [`WhenError`] with what was typed; [`WhenError::Ambiguous`] with both readings.
pub fn parse(text: &str, now: &Now) -> Result<Moment, WhenError> {
    let text = text.trim();
    if let Ok(moment) = Moment::parse(text) {
        return Ok(moment);
    }
    let form = || WhenError::Form(text.to_owned());
    let lower = text.to_ascii_lowercase();
    if matches!(lower.as_str(), "now" | "just now") {
        return Ok(now.moment(now.at));
    }
    if let Some(back) = lower.strip_prefix('-') {
        return ago(length(back).map_err(|_| form())?, text, now);
    }
    let spaced = spaced(&lower);
    let mut words: Vec<&str> = spaced
        .split_ascii_whitespace()
        .filter(|word| !matches!(*word, "at" | "on"))
        .collect();
    if words.windows(2).any(|two| matches!(two, ["last", "night"])) {
        let before = now.today().yesterday().map_err(|_| form())?;
        return Err(WhenError::Night {
            text: text.to_owned(),
            before: before.to_string(),
            after: now.today().to_string(),
        });
    }
    let part = Part::take(&mut words);
    if let [span @ .., "ago"] = words.as_slice()
        && let Some(minutes) = clock_span(span)
    {
        return ago(minutes, text, now);
    }
    if words.is_empty() && part.is_none() {
        return Err(form());
    }
    // A day alone; then the day first, as in `friday 10:00`; and only then last, as in `10:00 friday`: `5 mar 2026` is no
    // time of day, and `5 mar 9` no ninth of March.
    let splits = || (0..=words.len()).rev().map(|at| words.split_at(at));
    let day_first = splits();
    let day_last = splits().map(|(time, day)| (day, time));
    for (day, time) in day_first.chain(day_last) {
        let Some(time) = Clock::read(time, part, day.is_empty()) else {
            continue;
        };
        let is_named = !day.is_empty();
        let Some(day) = Named::read(day, now, Direction::Gone) else {
            continue;
        };
        return meant(day, is_named, time, text, now);
    }
    Err(form())
}

/// Reads a day to come or gone, for due and review dates: `2026-03-20`, `today`, `tomorrow`, `friday`, `+7d`, `7d`,
/// `2w`, `in 3 days`. A weekday is the next one to come, after today.
///
/// # Errors
/// [`WhenError::Day`]; [`WhenError::Ambiguous`] with both readings.
pub fn day(text: &str, now: &Now) -> Result<Date, WhenError> {
    let text = text.trim();
    let wrong = || WhenError::Day(text.to_owned());
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower.split_ascii_whitespace().filter(|word| *word != "on").collect();
    if words.is_empty() {
        return Err(wrong());
    }
    if let Some(named) = Named::read(&words, now, Direction::Coming) {
        return day_meant(named, text);
    }
    let count = lower.strip_prefix("in ").unwrap_or(&lower).trim_start_matches('+');
    let span = day_span(count).ok_or_else(wrong)?;
    now.today().checked_add(span).map_err(|_| wrong())
}

/// Reads a day gone, for the bounds of lists and the days of files: `2026-03-12`, `today`, `yesterday`, `friday`,
/// `last friday`, `2 weeks ago`, `-7d`. A weekday is the last one gone, before today.
///
/// # Errors
/// [`WhenError::PastDay`]; [`WhenError::Ambiguous`] with both readings.
pub fn past_day(text: &str, now: &Now) -> Result<Date, WhenError> {
    let text = text.trim();
    let wrong = || WhenError::PastDay(text.to_owned());
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower.split_ascii_whitespace().filter(|word| *word != "on").collect();
    if words.is_empty() {
        return Err(wrong());
    }
    if let Some(named) = Named::read(&words, now, Direction::Gone) {
        return day_meant(named, text);
    }
    let span = lower.strip_prefix('-').and_then(day_span).ok_or_else(wrong)?;
    now.today().checked_sub(span).map_err(|_| wrong())
}

/// The way in which a weekday alone is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Coming,
    Gone,
}

/// A day as it was named.
enum Named {
    Day(Date),
    /// Two readings, the likelier first.
    Either(Date, Date),
    /// A day, written as it is not written here.
    Unusual(Date),
    /// It has the form of a day, and there is none.
    None,
}

impl Named {
    /// Reads the words of a day; no words are today.
    fn read(words: &[&str], now: &Now, direction: Direction) -> Option<Self> {
        let today = now.today();
        let named = match words {
            [] | ["today"] => Some(today),
            ["yesterday"] => today.yesterday().ok(),
            ["tomorrow"] => today.tomorrow().ok(),
            ["the", "day", "before", "yesterday"] | ["day", "before", "yesterday"] => {
                today.yesterday().and_then(Date::yesterday).ok()
            }
            [word] if shaped(word, "dddd-dd-dd") => iso_date(word),
            [word] => {
                let of_week = weekday(word).map(|day| plain(today, day, direction));
                return of_week
                    .or_else(|| slashed(word))
                    .or_else(|| slashed_of_month(today, word, direction));
            }
            [one, other, year] if shaped(year, "dddd") => {
                let (day, month) = day_and_month(one, other)?;
                Date::new(year.parse().ok()?, month, day).ok()
            }
            ["last", word] => return Some(last(today, weekday(word)?)),
            ["next", word] => return Some(next(today, weekday(word)?)),
            [span @ .., "ago"] => today.checked_sub(day_span(&span.join(" "))?).ok(),
            [one, other] => {
                let (day, month) = day_and_month(one, other)?;
                return Some(of_month(today, day, month, direction));
            }
            _ => return None,
        };
        Some(named.map_or(Self::None, Self::Day))
    }
}

impl Named {
    /// The day, or the likelier of two.
    fn likeliest(&self) -> Option<Date> {
        match self {
            Self::Day(day) | Self::Either(day, _) | Self::Unusual(day) => Some(*day),
            Self::None => None,
        }
    }
}

/// A weekday alone: the nearest in the direction. Said on such a day, it could be today.
fn plain(today: Date, weekday: Weekday, direction: Direction) -> Named {
    let nth = if direction == Direction::Gone { -1 } else { 1 };
    match today.nth_weekday(nth, weekday) {
        Ok(other) if today.weekday() == weekday => Named::Either(today, other),
        Ok(day) => Named::Day(day),
        Err(_) => Named::None,
    }
}

/// `last tuesday`: where Tuesday was in this week already, some mean that one and some the one before.
fn last(today: Date, weekday: Weekday) -> Named {
    let Ok(nearest) = today.nth_weekday(-1, weekday) else {
        return Named::None;
    };
    let this_week = weekday.to_monday_zero_offset() < today.weekday().to_monday_zero_offset();
    match nearest.nth_weekday(-1, weekday) {
        Ok(before) if this_week => Named::Either(nearest, before),
        _ => Named::Day(nearest),
    }
}

/// `next friday`: where Friday is still to come in this week, some mean that one and some the one after.
fn next(today: Date, weekday: Weekday) -> Named {
    let Ok(nearest) = today.nth_weekday(1, weekday) else {
        return Named::None;
    };
    let this_week = weekday.to_monday_zero_offset() > today.weekday().to_monday_zero_offset();
    match nearest.nth_weekday(1, weekday) {
        Ok(after) if this_week => Named::Either(nearest, after),
        _ => Named::Day(nearest),
    }
}

/// `25 nov`, without its year: the one in the direction where it is the nearer one too, else it could be either.
fn of_month(today: Date, day: i8, month: i8, direction: Direction) -> Named {
    // Eight years hold every day at least once, the leap one too.
    let of = |years: i16| Date::new(today.year().checked_add(years)?, month, day).ok();
    let gone = (0..=8).find_map(|back| of(-back).filter(|day| *day <= today));
    let coming = (0..=8).find_map(|ahead| of(ahead).filter(|day| *day >= today));
    let (Some(gone), Some(coming)) = (gone, coming) else {
        return Named::None;
    };
    let is_gone_nearer = (today - gone).get_days() <= (coming - today).get_days();
    match (direction, is_gone_nearer) {
        (Direction::Gone, true) => Named::Day(gone),
        (Direction::Coming, false) => Named::Day(coming),
        _ if gone == coming => Named::Day(gone),
        (Direction::Gone, false) => Named::Either(coming, gone),
        (Direction::Coming, true) => Named::Either(gone, coming),
    }
}

/// A day and its month, in either order: `25 nov`, `nov 25`, `november 25,`.
fn day_and_month(one: &str, other: &str) -> Option<(i8, i8)> {
    let of = |day: &str, month: &str| Some((day_number(day.strip_suffix(',').unwrap_or(day))?, month_named(month)?));
    of(one, other).or_else(|| of(other, one))
}

/// The number of a day in its month: `5`, `25`, `25th`.
fn day_number(word: &str) -> Option<i8> {
    let ending = ["st", "nd", "rd", "th"]
        .into_iter()
        .find_map(|end| word.strip_suffix(end));
    let digits = ending.unwrap_or(word);
    (shaped(digits, "d") || shaped(digits, "dd")).then(|| digits.parse().ok())?
}

/// The months by name, in small letters.
pub const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn month_named(word: &str) -> Option<i8> {
    let is_it = |month: &&str| month.starts_with(word) && (word.len() == 3 || word.len() == month.len());
    let at = MONTHS.iter().position(is_it).or((word == "sept").then_some(8))?;
    i8::try_from(at).ok()?.checked_add(1)
}

fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "monday" | "mon" => Weekday::Monday,
        "tuesday" | "tue" | "tues" => Weekday::Tuesday,
        "wednesday" | "wed" => Weekday::Wednesday,
        "thursday" | "thu" | "thur" | "thurs" => Weekday::Thursday,
        "friday" | "fri" => Weekday::Friday,
        "saturday" | "sat" => Weekday::Saturday,
        "sunday" | "sun" => Weekday::Sunday,
        _ => return None,
    })
}

/// `12/03/2026` and `12.3.2026`: day and month change places between countries.
fn slashed(word: &str) -> Option<Named> {
    let separator = ['/', '.'].into_iter().find(|c| word.contains(*c))?;
    let mut parts = word.split(separator);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some() || !digits(first, 2) || !digits(second, 2) || year.len() != 4 || !digits(year, 4) {
        return None;
    }
    let (year, first, second) = (year.parse().ok()?, first.parse().ok()?, second.parse().ok()?);
    let day_first = Date::new(year, second, first).ok();
    let month_first = Date::new(year, first, second).ok();
    Some(match (day_first, month_first) {
        (Some(one), Some(other)) if one != other => Named::Either(one, other),
        (Some(one), _) | (None, Some(one)) => Named::Unusual(one),
        (None, None) => Named::None,
    })
}

/// `27/11`, without its year: where it can be a day and a month in two ways it could be either.
fn slashed_of_month(today: Date, word: &str, direction: Direction) -> Option<Named> {
    let (first, second) = word.split_once('/')?;
    let number = |part: &str| (shaped(part, "d") || shaped(part, "dd")).then(|| part.parse::<i8>().ok())?;
    let (first, second) = (number(first)?, number(second)?);
    let of = |day: i8, month: i8| match of_month(today, day, month, direction) {
        Named::None => None,
        named => Some(named),
    };
    Some(match (of(first, second), of(second, first)) {
        (Some(one), Some(other)) if first != second => match (one.likeliest(), other.likeliest()) {
            (Some(one), Some(other)) => Named::Either(one, other),
            _ => Named::None,
        },
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => Named::None,
    })
}

/// Puts day and time together.
fn meant(day: Named, is_named: bool, clock: Clock, text: &str, now: &Now) -> Result<Moment, WhenError> {
    let written = |day: Date| match clock {
        Clock::At(time) if time.second() == 0 => format!("{day} {:02}:{:02}", time.hour(), time.minute()),
        Clock::At(time) => format!("{day} {time}"),
        Clock::Either(time, _) | Clock::Dotted { time, .. } => format!("{day} {:02}:{:02}", time.hour(), time.minute()),
        Clock::Twelve { .. } | Clock::Midnight | Clock::Missing | Clock::None | Clock::Part => day.to_string(),
    };
    let either = |taken: String, other: String| WhenError::Ambiguous {
        text: text.to_owned(),
        taken,
        other,
    };
    let no_such = || WhenError::NoSuchTime(text.to_owned());
    let date = match day {
        Named::Day(date) => date,
        Named::Either(taken, other) => return Err(either(written(taken), written(other))),
        Named::Unusual(date) => {
            return Err(WhenError::Unusual {
                text: text.to_owned(),
                reading: written(date),
            });
        }
        Named::None => return Err(no_such()),
    };
    match clock {
        Clock::None => Moment::parse(&date.to_string()),
        Clock::At(time) => at(date, time, text, now),
        Clock::Either(likelier, other) => {
            let here = now.zone.to_datetime(now.at);
            let gone = |time: Time| date == here.date() && time <= here.time();
            if gone(likelier) && !gone(other) {
                return at(date, likelier, text, now);
            }
            let by = |date: Date, time: Time| format!("{date} {:02}:{:02}", time.hour(), time.minute());
            // Said after midnight, both are of the day before, the later one first.
            if !is_named && !gone(likelier) && !gone(other) {
                let before = date.yesterday().map_err(|_| no_such())?;
                return Err(either(by(before, likelier.max(other)), by(before, likelier.min(other))));
            }
            Err(either(by(date, likelier), by(date, other)))
        }
        Clock::Dotted { time, day, month } => {
            let of = |year: i16| Date::new(year, month, day).ok().filter(|day| *day <= date);
            // Four years back there is every day once, the leap one too.
            match (0..=4).find_map(|back| of(date.year().checked_sub(back)?)) {
                Some(other) => Err(either(written(date), other.to_string())),
                None => at(date, time, text, now),
            }
        }
        Clock::Part => Err(WhenError::NoHour {
            text: text.to_owned(),
            day: date.to_string(),
        }),
        Clock::Twelve { noon_first } => {
            let (noon, midnight) = (format!("{date} 12:00"), format!("{date} 00:00"));
            Err(match noon_first {
                true => either(noon, midnight),
                false => either(midnight, noon),
            })
        }
        Clock::Midnight => {
            let end = date.tomorrow().map_err(|_| no_such())?;
            Err(either(format!("{date} 00:00"), format!("{end} 00:00")))
        }
        Clock::Missing => Err(no_such()),
    }
}

fn day_meant(named: Named, text: &str) -> Result<Date, WhenError> {
    let text = || text.to_owned();
    match named {
        Named::Day(date) => Ok(date),
        Named::Either(taken, other) => Err(WhenError::Ambiguous {
            text: text(),
            taken: taken.to_string(),
            other: other.to_string(),
        }),
        Named::Unusual(date) => Err(WhenError::Unusual {
            text: text(),
            reading: date.to_string(),
        }),
        Named::None => Err(WhenError::NoSuchTime(text())),
    }
}

/// Finds the instant of a time on the clocks of the zone; where they changed, it may be there twice or not at all.
fn at(date: Date, time: Time, text: &str, now: &Now) -> Result<Moment, WhenError> {
    let local = DateTime::from_parts(date, time);
    let ambiguous = now.zone.to_ambiguous_timestamp(local);
    let missing = || WhenError::NoSuchTime(text.to_owned());
    let (before, after, is_gap) = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => {
            return Ok(now.moment(ambiguous.unambiguous().map_err(|_| missing())?));
        }
        AmbiguousOffset::Gap { before, after } => (before, after, true),
        AmbiguousOffset::Fold { before, after } => (before, after, false),
    };
    let by = |offset: jiff::tz::Offset| -> Result<String, WhenError> {
        let instant = offset.to_timestamp(local).map_err(|_| missing())?;
        Ok(now.moment(instant).text)
    };
    let (before, after) = (by(before)?, by(after)?);
    let text = text.to_owned();
    Err(match is_gap {
        true => WhenError::Skipped { text, before, after },
        false => WhenError::Ambiguous {
            text,
            taken: before,
            other: after,
        },
    })
}

/// Parts an ISO day from a time that follows a `T`.
fn spaced(lower: &str) -> String {
    match lower.split_at_checked(10) {
        Some((day, rest)) if shaped(day, "dddd-dd-dd") => {
            format!("{day} {}", rest.strip_prefix('t').unwrap_or(rest))
        }
        _ => lower.to_owned(),
    }
}

fn ago(minutes: u32, text: &str, now: &Now) -> Result<Moment, WhenError> {
    let back = SignedDuration::from_mins(i64::from(minutes));
    let instant: Timestamp = now
        .at
        .checked_sub(back)
        .map_err(|_| WhenError::TooFar(text.to_owned()))?;
    Ok(now.moment(instant))
}

/// Reads what is counted on a clock, in minutes: `3 hours`, `90 minutes`, `an hour`.
fn clock_span(words: &[&str]) -> Option<u32> {
    let (count, unit) = match words {
        ["half", "an", "hour"] => return Some(30),
        ["a" | "an", unit] => (1, *unit),
        [count, unit] => (count.parse().ok()?, *unit),
        _ => return None,
    };
    let each = match unit {
        "minute" | "minutes" | "min" | "mins" => 1,
        "hour" | "hours" => 60,
        _ => return None,
    };
    u32::checked_mul(count, each)
}

/// Reads what is counted on a calendar: `7d`, `2 weeks`, `a month`.
fn day_span(text: &str) -> Option<Span> {
    let text = text.trim();
    let (count, unit) = match text.strip_prefix("a ").or_else(|| text.strip_prefix("one ")) {
        Some(unit) => (1, unit),
        None => {
            let (count, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
            (count.parse::<i32>().ok()?, unit)
        }
    };
    match unit.trim() {
        "d" | "day" | "days" => Span::new().try_days(count).ok(),
        "w" | "week" | "weeks" => Span::new().try_weeks(count).ok(),
        "month" | "months" => Span::new().try_months(count).ok(),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    /// A Thursday, 16:05 on the clock.
    fn now() -> Now {
        Now::new(
            "2026-03-12T15:05:30Z".parse().unwrap(),
            TimeZone::fixed(jiff::tz::offset(1)),
        )
    }

    /// London, by its rules.
    fn london(at: &str) -> Now {
        Now::new(
            at.parse().unwrap(),
            TimeZone::posix("GMT0BST,M3.5.0/1,M10.5.0").unwrap(),
        )
    }

    #[test]
    fn every_form_is_understood() {
        for (typed, kept) in [
            ("2026-03-12T14:00:00Z", "2026-03-12T14:00:00Z"),
            ("2026-03-12T14:00:00+01:00", "2026-03-12T14:00:00+01:00"),
            ("2026-03-12 14:00", "2026-03-12T14:00:00+01:00"),
            ("2026-03-12T14:00", "2026-03-12T14:00:00+01:00"),
            ("2026-03-12", "2026-03-12"),
            ("today", "2026-03-12"),
            ("today 14:00", "2026-03-12T14:00:00+01:00"),
            ("Today 9:05", "2026-03-12T09:05:00+01:00"),
            ("14:00", "2026-03-12T14:00:00+01:00"),
            ("9am", "2026-03-12T09:00:00+01:00"),
            ("9 AM", "2026-03-12T09:00:00+01:00"),
            ("12:30am", "2026-03-12T00:30:00+01:00"),
            ("1:15pm", "2026-03-12T13:15:00+01:00"),
            ("noon", "2026-03-12T12:00:00+01:00"),
            ("today at noon", "2026-03-12T12:00:00+01:00"),
            ("yesterday", "2026-03-11"),
            ("yesterday 23:30", "2026-03-11T23:30:00+01:00"),
            ("yesterday 9am", "2026-03-11T09:00:00+01:00"),
            ("9am yesterday", "2026-03-11T09:00:00+01:00"),
            ("friday 10:00", "2026-03-06T10:00:00+01:00"),
            ("Friday at 10 am", "2026-03-06T10:00:00+01:00"),
            ("10:00 on friday", "2026-03-06T10:00:00+01:00"),
            ("monday", "2026-03-09"),
            ("last friday", "2026-03-06"),
            ("last thursday 8:15", "2026-03-05T08:15:00+01:00"),
            ("2 days ago", "2026-03-10"),
            ("2 days ago 10:00", "2026-03-10T10:00:00+01:00"),
            ("a week ago", "2026-03-05"),
            ("3 hours ago", "2026-03-12T13:05:30+01:00"),
            ("half an hour ago", "2026-03-12T15:35:30+01:00"),
            ("-2h", "2026-03-12T14:05:30+01:00"),
            ("-1h30m", "2026-03-12T14:35:30+01:00"),
            ("now", "2026-03-12T16:05:30+01:00"),
            // As it is said: one reading is gone today, or the words say which half of the day.
            ("half past nine", "2026-03-12T09:30:00+01:00"),
            ("at half past 9", "2026-03-12T09:30:00+01:00"),
            ("quarter to ten", "2026-03-12T09:45:00+01:00"),
            ("a quarter to ten this morning", "2026-03-12T09:45:00+01:00"),
            ("quarter past 3pm", "2026-03-12T15:15:00+01:00"),
            ("yesterday at quarter past 3 p.m.", "2026-03-11T15:15:00+01:00"),
            ("quarter to one in the afternoon", "2026-03-12T12:45:00+01:00"),
            ("twenty-five past two pm", "2026-03-12T14:25:00+01:00"),
            ("10 minutes past 9 am yesterday", "2026-03-11T09:10:00+01:00"),
            ("nine o'clock", "2026-03-12T09:00:00+01:00"),
            ("9.30", "2026-03-12T09:30:00+01:00"),
            ("9.30am", "2026-03-12T09:30:00+01:00"),
            ("9.10am", "2026-03-12T09:10:00+01:00"),
            ("today 9.10", "2026-03-12T09:10:00+01:00"),
            ("yesterday 21.30", "2026-03-11T21:30:00+01:00"),
            ("0930", "2026-03-12T09:30:00+01:00"),
            ("2026-03-10 1430", "2026-03-10T14:30:00+01:00"),
            ("this morning at 9.30", "2026-03-12T09:30:00+01:00"),
            ("half past nine in the morning", "2026-03-12T09:30:00+01:00"),
            ("3 this afternoon", "2026-03-12T15:00:00+01:00"),
            ("12:30 this afternoon", "2026-03-12T12:30:00+01:00"),
            ("yesterday evening at 7", "2026-03-11T19:00:00+01:00"),
            ("friday morning 11", "2026-03-06T11:00:00+01:00"),
            ("half past six tonight", "2026-03-12T18:30:00+01:00"),
            ("just now", "2026-03-12T16:05:30+01:00"),
            ("seven yesterday evening", "2026-03-11T19:00:00+01:00"),
            ("nine pm yesterday", "2026-03-11T21:00:00+01:00"),
            ("today at 9", "2026-03-12T09:00:00+01:00"),
            ("5 Mar", "2026-03-05"),
            ("12 march", "2026-03-12"),
            ("25th Nov 2025", "2025-11-25"),
            ("25 November at 9am", "2025-11-25T09:00:00+01:00"),
            ("14:30 on 1st feb", "2026-02-01T14:30:00+01:00"),
            ("Nov 27 2pm", "2025-11-27T14:00:00+01:00"),
            ("nov 27, 2025 14:00", "2025-11-27T14:00:00+01:00"),
            ("27 November 14:00", "2025-11-27T14:00:00+01:00"),
            ("27/11 14:00", "2025-11-27T14:00:00+01:00"),
            ("2pm on 27/2", "2026-02-27T14:00:00+01:00"),
            ("3/3", "2026-03-03"),
            ("day before yesterday 3pm", "2026-03-10T15:00:00+01:00"),
            (
                "the day before yesterday at half past nine in the morning",
                "2026-03-10T09:30:00+01:00",
            ),
            ("half four pm yesterday", "2026-03-11T16:30:00+01:00"),
            ("half nine", "2026-03-12T09:30:00+01:00"),
        ] {
            let read = parse(typed, &now()).map(|moment| moment.as_str().to_owned());
            assert_eq!(read.as_deref(), Ok(kept), "{typed}");
        }
    }

    #[test]
    fn what_is_no_time_is_said() {
        for typed in [
            "2026-02-30",
            "2026-02-20 25:00",
            "yesterday 13pm",
            "31/02/2026",
            "31/2 14:00",
            "nov 31",
            "2460",
            "25.30",
            "9.60",
            "29.02",
            "14:30 this morning",
            "0930 this evening",
            "quarter to nine in the afternoon",
        ] {
            assert_eq!(parse(typed, &now()), Err(WhenError::NoSuchTime(typed.into())));
        }
        for typed in [
            "",
            "soon",
            "-",
            "-2x",
            "2026-03-12 14",
            "3",
            "yesterday 15",
            "1/2/3/2026",
            "12-03-2026",
            "half thirteen",
            "day before today",
            "1/2/ 14:00",
            "3.30 this morning 2026-02-20",
            "tuesday-ish 10:00",
            "today yesterday",
            "9am 10am",
            "99999999999 days ago",
            "vendredi",
            "\u{131}2:00",
            "half to nine",
            "half past thirteen",
            "half past",
            "9am this morning",
            "morning this afternoon",
            "yesterday 9 this morning",
            "930",
            "0930am",
            "noon this morning",
            "9.3",
        ] {
            assert_eq!(parse(typed, &now()), Err(WhenError::Form(typed.into())), "{typed}");
        }
        assert!(matches!(parse("-4294967295d", &now()), Err(WhenError::Form(_))));
        for kept in [
            "2026-03-12T14:00:00",
            "2026-03-12 14:00:00Z",
            "2026-13-01",
            "2026-03-12T14:00:00Zx",
        ] {
            assert_eq!(Moment::parse(kept), Err(WhenError::NotRfc3339(kept.into())));
        }
    }

    #[test]
    fn two_readings_are_refused_and_both_can_be_typed() {
        let either = |typed: &str, now: &Now| match parse(typed, now).unwrap_err() {
            WhenError::Ambiguous { text, taken, other } => {
                assert_eq!(text, typed);
                for reading in [&taken, &other] {
                    assert!(parse(reading, now).is_ok(), "{reading}");
                }
                (taken, other)
            }
            other => panic!("{typed}: {other}"),
        };
        for (typed, taken, other) in [
            ("thursday 10:00", "2026-03-12 10:00", "2026-03-05 10:00"),
            ("thu", "2026-03-12", "2026-03-05"),
            ("last tuesday", "2026-03-10", "2026-03-03"),
            ("last tuesday 9am", "2026-03-10 09:00", "2026-03-03 09:00"),
            ("12/03/2026 14:00", "2026-03-12 14:00", "2026-12-03 14:00"),
            ("12pm", "2026-03-12 12:00", "2026-03-12 00:00"),
            ("yesterday 12am", "2026-03-11 00:00", "2026-03-11 12:00"),
            ("yesterday midnight", "2026-03-11 00:00", "2026-03-12 00:00"),
            ("yesterday half past nine", "2026-03-11 09:30", "2026-03-11 21:30"),
            ("quarter past three yesterday", "2026-03-11 15:15", "2026-03-11 03:15"),
            ("quarter past four", "2026-03-12 16:15", "2026-03-12 04:15"),
            ("yesterday at 3", "2026-03-11 15:00", "2026-03-11 03:00"),
            ("nine yesterday", "2026-03-11 09:00", "2026-03-11 21:00"),
            ("5 mar at 9", "2026-03-05 09:00", "2026-03-05 21:00"),
            ("5 apr 10:00", "2026-04-05 10:00", "2025-04-05 10:00"),
            ("quarter to one", "2026-03-12 12:45", "2026-03-12 00:45"),
            ("yesterday at half four", "2026-03-11 16:30", "2026-03-11 04:30"),
            ("half past four", "2026-03-12 16:30", "2026-03-12 04:30"),
            ("12/3 14:00", "2026-03-12 14:00", "2025-12-03 14:00"),
            ("31/3 9am", "2026-03-31 09:00", "2025-03-31 09:00"),
            ("friday twelve o'clock", "2026-03-06 12:00", "2026-03-06 00:00"),
            ("12 this morning", "2026-03-12 00:00", "2026-03-12 12:00"),
            ("thursday half past nine", "2026-03-12 09:30", "2026-03-05 09:30"),
            ("9.10", "2026-03-12 09:10", "2025-10-09"),
            ("12.03", "2026-03-12 12:03", "2026-03-12"),
        ] {
            assert_eq!(either(typed, &now()), (taken.to_owned(), other.to_owned()), "{typed}");
        }
        // Minutes after midnight both are gone, and of the day before.
        let night = london("2026-01-12T00:30:00Z");
        assert_eq!(
            either("half past nine", &night),
            ("2026-01-11 21:30".to_owned(), "2026-01-11 09:30".to_owned())
        );
        assert_eq!(
            either("today half past nine", &night),
            ("2026-01-12 09:30".to_owned(), "2026-01-12 21:30".to_owned())
        );
        for typed in ["last night", "last night at 11"] {
            let told = parse(typed, &now()).unwrap_err().to_string();
            assert!(told.contains("2026-03-11 22:00 or 2026-03-12 02:00"), "{told}");
        }
        let back = london("2026-10-26T12:00:00Z");
        assert_eq!(
            either("2026-10-25 01:30", &back),
            (
                "2026-10-25T01:30:00+01:00".to_owned(),
                "2026-10-25T01:30:00Z".to_owned()
            )
        );
        for (typed, day) in [
            ("this morning", "2026-03-12"),
            ("yesterday evening", "2026-03-11"),
            ("this afternoon", "2026-03-12"),
        ] {
            let text = typed.to_owned();
            let day = day.to_owned();
            assert_eq!(parse(typed, &now()), Err(WhenError::NoHour { text, day }));
        }
        assert_eq!(
            parse("25.3.2026", &now()).unwrap_err().to_string(),
            "`25.3.2026` is not how a day is written here: write 2026-03-25"
        );
    }

    #[test]
    fn a_time_that_no_clock_showed_is_refused() {
        let forward = london("2026-03-30T12:00:00Z");
        let refused = parse("yesterday 01:30", &forward).unwrap_err();
        let WhenError::Skipped { before, after, .. } = &refused else {
            panic!("{refused}")
        };
        assert_eq!(
            (before.as_str(), after.as_str()),
            ("2026-03-29T02:30:00+01:00", "2026-03-29T00:30:00Z")
        );
        // A day of 23 hours is still one day.
        assert_eq!(
            parse("1 day ago 9am", &forward).unwrap().as_str(),
            "2026-03-29T09:00:00+01:00"
        );
        assert_eq!(
            parse("2 days ago 9am", &forward).unwrap().as_str(),
            "2026-03-28T09:00:00Z"
        );
    }

    #[test]
    fn days_to_come_and_days_gone() {
        for (typed, kept) in [
            ("2026-03-20", "2026-03-20"),
            ("tomorrow", "2026-03-13"),
            ("friday", "2026-03-13"),
            ("on monday", "2026-03-16"),
            ("next monday", "2026-03-16"),
            ("next thursday", "2026-03-19"),
            ("+7d", "2026-03-19"),
            ("2w", "2026-03-26"),
            ("in 3 days", "2026-03-15"),
            ("5 apr", "2026-04-05"),
        ] {
            assert_eq!(day(typed, &now()).unwrap().to_string(), kept, "{typed}");
        }
        for (typed, kept) in [
            ("2026-03-20", "2026-03-20"),
            ("yesterday", "2026-03-11"),
            ("friday", "2026-03-06"),
            ("last friday", "2026-03-06"),
            ("2 weeks ago", "2026-02-26"),
            ("-7d", "2026-03-05"),
        ] {
            assert_eq!(past_day(typed, &now()).unwrap().to_string(), kept, "{typed}");
        }
        assert_eq!(day("soon", &now()), Err(WhenError::Day("soon".into())));
        assert_eq!(past_day("7d", &now()), Err(WhenError::PastDay("7d".into())));
        for (read, other) in [
            (day("thursday", &now()), "2026-03-19"),
            (past_day("thursday", &now()), "2026-03-05"),
        ] {
            let text = read.unwrap_err().to_string();
            assert!(text.contains("2026-03-12 or ") && text.contains(other), "{text}");
        }
        assert!(day("next friday", &now()).is_err() && past_day("last tuesday", &now()).is_err());
    }

    proptest! {
        /// Whatever is typed, nothing panics, and what is taken can be written down and read again as the same moment.
        #[test]
        fn what_is_read_reads_the_same_again(text in "[ -~]{0,24}|(at |yesterday )?((half|quarter|ten|7 minutes) (past|to) )?(nine|twelve|one|[0-9.:]{1,5})( ?[ap]m| o'clock| this (morning|evening)| in the afternoon)?|(last |next )?(mon|tues|wednes|thurs|fri|satur|sun)day( [0-9]{1,2}(:[0-9]{2})?(am|pm)?)?|[0-9]{1,4} (days|hours|weeks|months|minutes) ago( [0-2][0-9]:[0-5][0-9])?") {
            for now in [now(), london("2026-10-26T12:00:00Z")] {
                if let Ok(moment) = parse(&text, &now) {
                    prop_assert_eq!(&parse(moment.as_str(), &now), &Ok(moment.clone()));
                }
                let _ = (day(&text, &now), past_day(&text, &now));
            }
        }

        /// A weekday gone is one to seven days back and has that name; the time is the one that was typed.
        #[test]
        fn a_weekday_is_in_the_seven_days_before(days in 0_i32..20_000, weekday in 0_usize..7, hour in 0_i8..24, minute in 0_i8..60) {
            let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
            let today = Date::new(1990, 1, 1).unwrap().checked_add(Span::new().days(days)).unwrap();
            let at = TimeZone::UTC.to_timestamp(today.at(12, 0, 0, 0)).unwrap();
            let now = Now::new(at, TimeZone::UTC);
            let typed = format!("{} {hour:02}:{minute:02}", names[weekday]);
            match parse(&typed, &now) {
                Ok(moment) => {
                    let date = iso_date(&moment.in_zone(&now.zone)[..10]).unwrap();
                    let back = (today - date).get_days();
                    prop_assert!((1..7).contains(&back), "{back}");
                    prop_assert_eq!(usize::try_from(date.weekday().to_monday_zero_offset()).unwrap(), weekday);
                    prop_assert_eq!(&moment.in_zone(&now.zone)[11..], &format!("{hour:02}:{minute:02}"));
                }
                Err(WhenError::Ambiguous { .. }) => {
                    prop_assert_eq!(usize::try_from(today.weekday().to_monday_zero_offset()).unwrap(), weekday);
                }
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }
}
