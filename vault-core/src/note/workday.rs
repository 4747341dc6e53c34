//! Working days: Monday to Friday, without the days on which nobody works. The days off come in as an argument.

use jiff::civil::{Date, Weekday};

/// Tells whether a day is worked on.
pub fn is_workday(day: Date, off: &[Date]) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !off.contains(&day)
}

/// Counts the working days after one day, up to and with another; 0 where that is not later.
pub fn between(after: Date, to: Date, off: &[Date]) -> u32 {
    let days = i64::from((to - after).get_days());
    if days <= 0 {
        return 0;
    }
    // Whole weeks have five each; what is left is walked.
    let weeks = days / 7;
    let mut count = weeks * 5;
    let mut day = to;
    for _ in 0..days % 7 {
        count += i64::from(!matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday));
        let Ok(before) = day.yesterday() else { break };
        day = before;
    }
    let mut away: Vec<Date> = off
        .iter()
        .copied()
        .filter(|day| *day > after && *day <= to && is_workday(*day, &[]))
        .collect();
    away.sort_unstable();
    away.dedup();
    count -= i64::try_from(away.len()).unwrap_or(0);
    u32::try_from(count).unwrap_or(0)
}

/// Returns the day that lies so many working days after one; the day itself for none.
pub fn add(day: Date, count: u32, off: &[Date]) -> Option<Date> {
    let mut found = day;
    for _ in 0..count {
        found = found.tomorrow().ok()?;
        while !is_workday(found, off) {
            found = found.tomorrow().ok()?;
        }
    }
    Some(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn weekends_month_ends_and_days_off_do_not_count() {
        let easter = [date(2026, 4, 3), date(2026, 4, 6)];
        // Thursday to Tuesday over Easter: Tuesday alone.
        assert_eq!(between(date(2026, 4, 2), date(2026, 4, 7), &easter), 1);
        assert_eq!(between(date(2026, 4, 2), date(2026, 4, 7), &[]), 3);
        assert_eq!(add(date(2026, 4, 2), 1, &easter), Some(date(2026, 4, 7)));
        // A day off that is named twice, or falls on a weekend, counts once or not.
        let odd = [date(2026, 4, 3), date(2026, 4, 3), date(2026, 4, 4)];
        assert_eq!(between(date(2026, 4, 2), date(2026, 4, 7), &odd), 2);
        // Over the ends of months and of a leap February.
        assert_eq!(between(date(2026, 1, 30), date(2026, 2, 2), &[]), 1);
        assert_eq!(add(date(2028, 2, 28), 2, &[]), Some(date(2028, 3, 1)));
        assert_eq!(add(date(2026, 12, 31), 1, &[date(2027, 1, 1)]), Some(date(2027, 1, 4)));
        assert_eq!(between(date(2026, 3, 12), date(2026, 3, 12), &[]), 0);
        assert_eq!(between(date(2026, 3, 13), date(2026, 3, 12), &[]), 0);
    }

    proptest! {
        #[test]
        fn counting_agrees_with_walking(start in 0..3000_i32, length in 0..400_i32, off in prop::collection::vec(0..3400_i32, 0..9)) {
            let day = |n: i32| date(2024, 1, 1).checked_add(n.days()).unwrap();
            let off: Vec<Date> = off.into_iter().map(day).collect();
            let (from, to) = (day(start), day(start + length));
            let mut walked = 0;
            let mut at = from;
            while at < to {
                at = at.tomorrow().unwrap();
                walked += u32::from(is_workday(at, &off));
            }
            prop_assert_eq!(between(from, to, &off), walked);
            // The day that so many working days lead to is that far away, and a working day.
            let reached = add(from, walked, &off).unwrap();
            prop_assert!(reached <= to);
            prop_assert_eq!(between(from, reached, &off), walked);
        }
    }
}
