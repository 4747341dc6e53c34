//! A date of birth as it is said: `3 March 2012`, `3.3.12`, `March 2012`, and as it is kept: `2012-03-03`, `2012-03`, `2012`.
//!
//! Pure. What could be read in two ways is refused with both readings: a wrong date of birth is another person.

use jiff::civil::Date;
use vault_core::note::when::MONTHS;

/// Nobody of whom only the last two digits of the year are said is older, in years.
const OLDEST: i16 = 110;

/// How it may be typed.
const FORMS: &str = "3 March 2012, 3.3.2012, March 2012, 2012 or 2012-03-03";

/// Reads a date of birth as it is kept: a day, a month or a year in ISO form; an empty text is none.
///
/// # Errors
/// Why it cannot be read, with what to type instead.
pub(crate) fn read(text: &str, today: Date) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || is_kept_form(text) {
        return Ok(text.to_owned());
    }
    let words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | '/' | '-'))
        .filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("of"))
        .map(str::to_lowercase)
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let unread = || format!("`{text}` is not a date of birth: write it as {FORMS}");
    let in_year = |year: &str, rest: &dyn Fn(i16) -> Option<String>| -> Result<String, String> {
        let years = years(year, today).ok_or_else(unread)?;
        let read: Vec<String> = years
            .into_iter()
            .filter_map(rest)
            .filter(|read| is_past(read, today))
            .collect();
        match read.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(unread()),
            several => Err(format!(
                "`{text}` could be {}: write the year in full",
                several.join(" or ")
            )),
        }
    };
    match words.as_slice() {
        [day, month, year] | [month, day, year] if month_named(month).is_some() => {
            in_year(year, &|year| day_of(year, month_named(month)?, number(day)?))
        }
        [month, year] if month_named(month).is_some() => {
            in_year(year, &|year| Some(format!("{year:04}-{:02}", month_named(month)?)))
        }
        [year, month, day] if year.len() == 4 => in_year(year, &|year| day_of(year, number(month)?, number(day)?)),
        [day, month, year] => {
            let (Some(first), Some(second)) = (number(day), number(month)) else {
                return Err(unread());
            };
            // With points the day stands first everywhere; with slashes not.
            if text.contains('/') && first <= 12 && second <= 12 && first != second {
                let written = |day: i8, month: i8| {
                    let name = MONTHS
                        .get(usize::try_from(month - 1).unwrap_or(0))
                        .copied()
                        .unwrap_or_default();
                    format!("{day} {name} {year}")
                };
                return Err(format!(
                    "`{text}` could be {} or {}: write the month as a word",
                    written(first, second),
                    written(second, first)
                ));
            }
            let (day, month) = match second > 12 && text.contains('/') {
                true => (second, first),
                false => (first, second),
            };
            in_year(year, &|year| day_of(year, month, day))
        }
        [month, year] if year.len() == 4 => in_year(year, &|year| {
            Some(format!(
                "{year:04}-{:02}",
                number(month).filter(|m| (1..=12).contains(m))?
            ))
        }),
        _ => Err(unread()),
    }
}

/// Tells whether it is as it is kept, in one reading alone.
pub(crate) fn is_kept_form(text: &str) -> bool {
    let whole = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let shape = |(at, c): (usize, char)| {
        if matches!(at, 4 | 7) {
            c == '-'
        } else {
            c.is_ascii_digit()
        }
    };
    whole.len() == 10 && whole.char_indices().all(shape) && whole.parse::<Date>().is_ok()
}

fn number(word: &str) -> Option<i8> {
    let digits = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|end| word.strip_suffix(end))
        .unwrap_or(word);
    digits.parse().ok()
}

fn month_named(word: &str) -> Option<i8> {
    let at = MONTHS
        .iter()
        .position(|name| *name == word || (word.len() >= 3 && name.starts_with(word)))?;
    i8::try_from(at + 1).ok()
}

/// The years that somebody who lives may mean.
fn years(word: &str, today: Date) -> Option<Vec<i16>> {
    let year: i16 = word.parse().ok()?;
    match word.len() {
        4 => Some(vec![year]),
        2 => {
            let century = today.year() / 100 * 100;
            let all = [century + year, century - 100 + year];
            Some(
                all.into_iter()
                    .filter(|year| (today.year() - OLDEST..=today.year()).contains(year))
                    .collect(),
            )
        }
        _ => None,
    }
}

fn day_of(year: i16, month: i8, day: i8) -> Option<String> {
    Some(Date::new(year, month, day).ok()?.to_string())
}

fn is_past(read: &str, today: Date) -> bool {
    read.as_bytes() <= today.to_string().as_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_birth_is_read_as_it_is_said_and_refused_where_it_could_be_two() {
        let today = Date::new(2026, 3, 12).unwrap();
        for (text, kept) in [
            ("3 March 2012", "2012-03-03"),
            ("3rd of March, 2012", "2012-03-03"),
            ("March 3, 2012", "2012-03-03"),
            ("3 mar 12", "2012-03-03"),
            ("3.3.12", "2012-03-03"),
            ("31.12.1948", "1948-12-31"),
            ("5.3.1948", "1948-03-05"),
            ("25/12/1948", "1948-12-25"),
            ("12/25/1948", "1948-12-25"),
            ("4/4/1948", "1948-04-04"),
            ("2012/3/3", "2012-03-03"),
            ("3.3.50", "1950-03-03"),
            ("sept 1941", "1941-09"),
            ("3.1941", "1941-03"),
            ("1941", "1941"),
            ("1941-03", "1941-03"),
            (" 1941-03-05 ", "1941-03-05"),
            ("", ""),
        ] {
            assert_eq!(read(text, today).as_deref(), Ok(kept), "{text}");
        }
        for (text, why) in [
            ("12/05/1948", "12 may 1948 or 5 december 1948"),
            ("3.3.20", "2020-03-03 or 1920-03-03"),
            ("30 February 2012", "not a date of birth"),
            ("3 March 2027", "not a date of birth"),
            ("soon", "not a date of birth"),
            ("41", "not a date of birth"),
            ("1.2.3.4", "not a date of birth"),
        ] {
            let said = read(text, today).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
