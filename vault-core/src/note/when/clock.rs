//! Times of day as they are typed and as they are said: `14:00`, `9.30am`, `0930`, `half past nine`, `3 this afternoon`.

use jiff::civil::Time;

use super::shaped;

/// A time of day as it was named.
#[derive(Clone, Copy)]
pub(super) enum Clock {
    /// Only the day is known.
    None,
    At(Time),
    /// `half past nine`: said without its half of the day. The likelier reading first, by when people work.
    Either(Time, Time),
    /// `9.10`: a time, or the ninth of October.
    Dotted {
        time: Time,
        day: i8,
        month: i8,
    },
    /// `12pm`: noon to most, midnight to some.
    Twelve {
        noon_first: bool,
    },
    /// `midnight`: the beginning of a day, or its end.
    Midnight,
    /// `this morning`, and no hour.
    Part,
    /// It has the form of a time, and there is none.
    Missing,
}

/// A part of the day, which says which half an hour is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Morning,
    Afternoon,
    Evening,
}

/// What says which of the two turns of the clock is meant.
#[derive(Clone, Copy)]
enum Half {
    Am,
    Pm,
    Of(Part),
}

impl Part {
    /// Takes the words for a part of the day out of what was typed: `this morning`, `in the afternoon`, `evening`,
    /// `tonight`. Where there are two, none is taken, and what is left is no time.
    pub(super) fn take(words: &mut Vec<&str>) -> Option<Self> {
        let part_of = |word: &str| match word {
            "morning" => Some(Self::Morning),
            "afternoon" => Some(Self::Afternoon),
            "evening" | "tonight" => Some(Self::Evening),
            _ => None,
        };
        let mut found = words
            .iter()
            .enumerate()
            .filter_map(|(at, word)| Some((at, part_of(word)?)));
        let (at, part) = found.next()?;
        if found.next().is_some() {
            return None;
        }
        let before = words.get(..at).unwrap_or_default();
        let lead = match before {
            [.., "in", "the"] => 2,
            [.., "this"] => 1,
            _ => 0,
        };
        // `this` is today: a day beside it would be another.
        if lead == 1 {
            words.splice(at.saturating_sub(lead)..=at, ["today"]);
        } else {
            words.drain(at.saturating_sub(lead)..=at);
        }
        Some(part)
    }

    fn holds(self, hour: i8) -> bool {
        match self {
            Self::Morning => (0..12).contains(&hour),
            Self::Afternoon => (12..19).contains(&hour),
            Self::Evening => (16..24).contains(&hour),
        }
    }
}

impl Clock {
    /// Reads the words of a time; no words are none. `alone`: no day is named beside it.
    pub(super) fn read(words: &[&str], part: Option<Part>, alone: bool) -> Option<Self> {
        let joined = words.concat();
        match joined.as_str() {
            "" => return Some(part.map_or(Self::None, |_| Self::Part)),
            "noon" if part.is_none() => return Some(Self::At(Time::constant(12, 0, 0, 0))),
            "midnight" if part.is_none() => return Some(Self::Midnight),
            _ => {}
        }
        let (words, half) = half(words, part)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let Some((hour, minute)) = said(&words) {
            return Some(of_twelve(hour, minute, half));
        }
        let [digits] = words.as_slice() else { return None };
        let fits = |forms: &[&str]| forms.iter().any(|form| shaped(digits, form));
        let dotted = fits(&["dd.dd", "d.dd"]);
        if dotted || fits(&["dd:dd", "d:dd", "dd:dd:dd"]) {
            let mut parts = digits.split([':', '.']).map(|part| part.parse::<i8>().unwrap_or(-1));
            let mut next = |or| parts.next().unwrap_or(or);
            let (hour, minute, second) = (next(-1), next(0), next(0));
            return Some(match exact(hour, minute, second, half) {
                // Without a year no day is read here; that it looks like one is enough to ask.
                Self::At(time) if dotted && alone && half.is_none() => {
                    let is_day = (1..=31).contains(&hour) && (1..=12).contains(&minute);
                    match is_day {
                        true => Self::Dotted {
                            time,
                            day: hour,
                            month: minute,
                        },
                        false => Self::At(time),
                    }
                }
                clock => clock,
            });
        }
        // `0930` is the clock of 24 hours, whatever the part of the day.
        if shaped(digits, "dddd") && !matches!(half, Some(Half::Am | Half::Pm)) {
            let (hour, minute) = digits.split_at_checked(2)?;
            let hour = hour.parse().ok()?;
            return Some(match part {
                Some(part) if !part.holds(hour) => Self::Missing,
                _ => exact(hour, minute.parse().ok()?, 0, None),
            });
        }
        if half.is_some() && fits(&["d", "dd"]) {
            return Some(exact(digits.parse().ok()?, 0, 0, half));
        }
        // `yesterday at 3`, `nine yesterday`: a number alone could be anything.
        match hour_named(digits) {
            Some(hour) if half.is_some() || !alone => Some(of_twelve(hour, 0, half)),
            _ => None,
        }
    }
}

/// Parts `am` and `pm` from the words, and finds what says which half of the day it is; none where two say it.
fn half(words: &[&str], part: Option<Part>) -> Option<(Vec<String>, Option<Half>)> {
    let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let mut named = None;
    for (ending, half) in [
        ("am", Half::Am),
        ("a.m.", Half::Am),
        ("pm", Half::Pm),
        ("p.m.", Half::Pm),
    ] {
        let Some(rest) = words.last().and_then(|last| last.strip_suffix(ending)) else {
            continue;
        };
        let rest = rest.to_owned();
        words.pop();
        if !rest.is_empty() {
            words.push(rest);
        }
        named = Some(half);
        break;
    }
    match (named, part) {
        (Some(_), Some(_)) => None,
        (Some(half), None) => Some((words, Some(half))),
        (None, part) => Some((words, part.map(Half::Of))),
    }
}

/// Reads hour and minute of what is said: `half past nine`, `quarter to 10`, `twenty five past three`, `nine o'clock`.
fn said(words: &[&str]) -> Option<(i8, i8)> {
    let (minutes, past, hour) = match words {
        [hour, "o'clock" | "oclock" | "o’clock"] => return Some((hour_named(hour)?, 0)),
        // As it is said in Britain and Ireland: `half four` is half past four.
        ["half", hour] => return Some((hour_named(hour)?, 30)),
        ["a", minutes @ .., way @ ("past" | "to"), hour] | [minutes @ .., way @ ("past" | "to"), hour] => {
            (minutes, *way == "past", hour)
        }
        _ => return None,
    };
    let hour = hour_named(hour)?;
    let minutes = match minutes {
        ["half"] if past => 30,
        ["quarter"] => 15,
        ["five"] => 5,
        ["ten"] => 10,
        ["twenty"] => 20,
        ["twenty-five"] | ["twenty", "five"] => 25,
        [count] | [count, "minutes" | "mins" | "minute" | "min"] => {
            let count: i8 = count.parse().ok()?;
            (1..60).contains(&count).then_some(count)?
        }
        _ => return None,
    };
    Some(match (past, hour) {
        (true, _) => (hour, minutes),
        (false, 1) => (12, 60_i8.checked_sub(minutes)?),
        (false, _) => (hour.checked_sub(1)?, 60_i8.checked_sub(minutes)?),
    })
}

/// An hour of the clock's face, as a word or as digits.
fn hour_named(word: &str) -> Option<i8> {
    const HOURS: [&str; 12] = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    ];
    let named = HOURS.iter().position(|hour| *hour == word);
    let hour = match named {
        Some(at) => i8::try_from(at).ok()?.checked_add(1)?,
        None if shaped(word, "d") || shaped(word, "dd") => word.parse().ok()?,
        None => return None,
    };
    (1..=12).contains(&hour).then_some(hour)
}

/// An hour of 1 to 12, with or without what says its half.
fn of_twelve(hour: i8, minute: i8, half: Option<Half>) -> Clock {
    if half.is_some() {
        return exact(hour, minute, 0, half);
    }
    let of = |hour: i8| Time::new(hour, minute, 0, 0);
    let (Ok(am), Ok(pm)) = (of(hour % 12), of((hour % 12).saturating_add(12))) else {
        return Clock::Missing;
    };
    match hour {
        7..=11 => Clock::Either(am, pm),
        _ => Clock::Either(pm, am),
    }
}

/// An hour of 0 to 23, or with a half one of 1 to 12.
fn exact(hour: i8, minute: i8, second: i8, half: Option<Half>) -> Clock {
    let whole_twelve = hour == 12 && (minute, second) == (0, 0);
    let hour = match half {
        None => Some(hour),
        Some(Half::Am) if whole_twelve => return Clock::Twelve { noon_first: false },
        Some(Half::Pm) if whole_twelve => return Clock::Twelve { noon_first: true },
        // 12:30 am is half past midnight on every clock.
        Some(Half::Am) if (1..=12).contains(&hour) => Some(hour % 12),
        Some(Half::Pm) if (1..=12).contains(&hour) => Some((hour % 12).saturating_add(12)),
        Some(Half::Am | Half::Pm) => None,
        // Twelve in the morning is said of midnight and of noon.
        Some(Half::Of(Part::Morning)) if whole_twelve => return Clock::Twelve { noon_first: false },
        Some(Half::Of(part)) => {
            let later = (hour % 12).saturating_add(12);
            let face = [hour, hour % 12, later];
            let ways = if (1..=12).contains(&hour) {
                &face[..]
            } else {
                face.get(..1).unwrap_or_default()
            };
            ways.iter().copied().find(|hour| part.holds(*hour))
        }
    };
    let time = hour.and_then(|hour| Time::new(hour, minute, second, 0).ok());
    time.map_or(Clock::Missing, Clock::At)
}
