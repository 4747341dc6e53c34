//! The one place that reads the clock and the zone; everything below takes them as arguments.
//!
//! The zone is the asker's: the process's own, or the one that came with what an agent was asked.

use super::Result;
use super::SessionError;
use crate::zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cell::RefCell;
use std::sync::OnceLock;
use std::time::Instant;
use vault_core::note::when::Moment;
use vault_core::note::when::Now;
use vault_core::wire::v1::stream::Month;

thread_local! {
    static ASKED_FROM: RefCell<Option<TimeZone>> = const { RefCell::new(None) };
}

/// Does `f` in the zone of whoever asked for it; the zone holds for this thread.
pub(crate) fn in_zone<T>(zone: TimeZone, f: impl FnOnce() -> T) -> T {
    ASKED_FROM.set(Some(zone));
    let done = f();
    ASKED_FROM.set(None);
    done
}

/// Returns the asker's zone, in which people are shown times.
pub(crate) fn zone() -> TimeZone {
    ASKED_FROM.with_borrow(Clone::clone).unwrap_or_else(own)
}

/// Returns this process's zone; unit tests have the same one wherever they run.
fn own() -> TimeZone {
    static OWN: OnceLock<TimeZone> = OnceLock::new();
    match cfg!(test) {
        true => TimeZone::UTC,
        false => OWN.get_or_init(zone::system).clone(),
    }
}

/// Returns the present moment.
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// Returns the moment of the clock that nobody sets.
pub(super) fn unset() -> Instant {
    Instant::now()
}

/// Returns the present moment with the worker's zone.
pub(super) fn here() -> Now {
    Now::new(now(), zone())
}

/// Returns a moment as records keep it: UTC, to the second.
pub(super) fn moment(at: Timestamp) -> Moment {
    Moment::from_instant(at)
}

/// Returns the month of placing, in UTC.
///
/// # Errors
/// [`SessionError::Clock`] for a clock before 1970 or after 7400.
pub(super) fn month(at: Timestamp) -> Result<Month> {
    let date = at.to_zoned(TimeZone::UTC).date();
    let months = (i32::from(date.year()) - 1970) * 12 + i32::from(date.month()) - 1;
    u16::try_from(months)
        .map(Month)
        .map_err(|_| SessionError::Clock { date: date.to_string() })
}

/// Returns the worker's present day.
pub(crate) fn today() -> jiff::civil::Date {
    now().to_zoned(zone()).date()
}
