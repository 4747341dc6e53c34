//! What the server says on stderr: a line a request, and what failed inside.
//!
//! A line has the time, the method, the route as it is written here, the status, how long it took and how long the body
//! was. It has no path, id, address or content.

use std::io::{self, Write};
use std::time::Duration;

/// What is told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Told {
    /// Every request.
    #[default]
    Requests,
    /// What was answered with a status of 500 or more.
    Failures,
}

/// A request that was answered.
pub(crate) struct Answered<'a> {
    pub(crate) method: &'a str,
    pub(crate) route: &'a str,
    pub(crate) status: u16,
    pub(crate) took: Duration,
    pub(crate) length: u64,
}

/// Tells of a request, if it is to be told.
pub(crate) fn request(told: Told, answered: &Answered<'_>) {
    if told == Told::Failures && answered.status < 500 {
        return;
    }
    let Answered {
        method, route, status, ..
    } = answered;
    let (took, length) = (answered.took.as_micros(), answered.length);
    say(&format!("{method} {route} {status} {took}us {length}B"));
}

/// Tells of a failure inside, with what led to it.
pub(crate) fn failure(error: &dyn std::error::Error) {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    say(&format!("failed: {}", causes.join(": ")));
}

fn say(what: &str) {
    let now = jiff::Timestamp::now();
    // One write a line, so that lines of two threads do not mix. Nothing is left to tell it to when stderr is gone.
    let _ = io::stderr().write_all(format!("{now:.3} {what}\n").as_bytes());
}
