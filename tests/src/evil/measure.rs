//! How much memory a client takes.

use crate::vault::Done;
use std::process::Child;

/// Waits for a process; returns what it left, and its peak of resident memory in MiB.
///
/// # Panics
/// Where it cannot be waited for.
pub fn to_its_end(child: Child) -> (Done, u64) {
    let status = format!("/proc/{}/status", child.id());
    let waiting = std::thread::spawn(move || Done::of(child.wait_with_output().expect("the client ends")));
    let mut peak = 0;
    while !waiting.is_finished() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: Option<u64> = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
        peak = peak.max(kib.unwrap_or_default());
        std::thread::yield_now();
    }
    (waiting.join().expect("the client is waited for"), peak >> 10)
}
