//! Caseloads to import: the shared generator's, read in place, or a small one of our own where it is not there.

use crate::binary;
use serde_json::json;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

/// What to make.
#[derive(Clone, Copy, Debug)]
pub enum Size {
    /// One worker, 16 cases, about 1,360 notes.
    S,
    /// Eight workers, 125 cases, about 48,000 notes.
    M,
    /// The first cases of size m, about 380 notes each.
    Part(u32),
    /// One case of 2,585 notes.
    X,
}

/// Lines to import, and the markers that were planted in them.
pub struct Caseload {
    /// JSON Lines.
    pub text: Vec<u8>,
    /// Markers in names and segments.
    pub markers: Vec<String>,
}

/// Makes a caseload.
///
/// # Panics
/// Where the generator fails.
pub fn make(size: Size) -> Vec<u8> {
    planted(size, 0).text
}

/// Makes a caseload with `count` unique markers in names and segment texts.
///
/// # Panics
/// Where the generator fails.
pub fn planted(size: Size, count: usize) -> Caseload {
    let Some(generator) = generator() else {
        return ours(size, count);
    };
    let mut python = Command::new("python3");
    python.arg("-B").arg(generator).stderr(Stdio::piped());
    match size {
        Size::S => python.args(["--size", "s"]),
        Size::M => python.args(["--size", "m"]),
        Size::Part(cases) => python.args(["--size", "m", "--cases", &cases.to_string()]),
        Size::X => python.args(["--size", "x"]),
    };
    let output = python
        .args(["--canaries", &count.to_string()])
        .output()
        .expect("python3 runs");
    let said = String::from_utf8(output.stderr).expect("markers are text");
    assert!(output.status.success(), "{said}");
    Caseload {
        text: output.stdout,
        markers: said.lines().map(str::to_owned).collect(),
    }
}

fn generator() -> Option<PathBuf> {
    let path = binary::root().join("../shared/data/make_caseload.py");
    if path.exists() {
        return Some(path);
    }
    eprintln!("../shared/data is not here: a small caseload of the tests' own takes its place");
    None
}

/// A small caseload without any data but this file's.
fn ours(size: Size, count: usize) -> Caseload {
    let (workers, cases, notes) = match size {
        Size::S => (1, 16, 60),
        Size::M => (8, 40, 200),
        Size::Part(cases) => (8, cases, 200),
        Size::X => (1, 1, 2_000),
    };
    let kinds = ["phone", "home-visit", "meeting", "office", "correspondence"];
    let sections = ["core", "core", "health", "housing", "safeguarding", "finance"];
    let mut markers: Vec<String> = (0..count as u64)
        // Any odd multiplier spreads them; they only have to differ.
        .map(|n| format!("CANARY-{:016x}", n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect();
    let planted = markers.clone();
    let mut text = String::new();
    let mut put = |line: serde_json::Value| {
        text.push_str(&line.to_string());
        text.push('\n');
    };
    for worker in 1..=workers {
        put(json!({"type": "worker", "worker": format!("w{worker:03}"), "role": "caseworker"}));
    }
    for case in 1..=cases {
        let (id, worker) = (format!("ext-{case:05}"), format!("w{:03}", case % workers + 1));
        put(
            json!({"type": "case", "case": id, "worker": worker, "opened": "2024-01-08", "template": "adult-social-care",
            "profile": {"name": format!("Client Number {case} {}", markers.pop().unwrap_or_default()),
                "date_of_birth": "1941-03", "date_of_birth_estimated": true, "identifiers": {"client_no": format!("{case:07}")}}}),
        );
        for note in 1..=notes {
            let (day, hour) = (1 + note % 28, 9 + note % 8);
            let at = format!(
                "{}-{:02}-{day:02}T{hour:02}:00:00Z",
                2024 + note / 336,
                1 + note / 28 % 12
            );
            let observed = format!(
                "The kitchen was warm at call {note}. {}",
                markers.pop().unwrap_or_default()
            );
            let kind = kinds.get(note as usize % kinds.len());
            let section = sections.get(note as usize % sections.len());
            put(
                json!({"type": "note", "case": id, "author": worker, "kind": kind, "section": section,
                "occurred_at": at, "recorded_at": at, "segments": [
                    {"kind": "observation", "text": observed, "about": "mother", "labels": ["health"]},
                    {"kind": "quote", "speaker": "client", "text": "I would rather stay in my own home."},
                    {"kind": "interpretation", "cites": [1], "text": "Sleep may be linked to worry."},
                    {"kind": "decision", "text": "Ring again on Friday.", "why": "The client asked."},
                    {"kind": "plan", "text": "Check the repair.", "owner": worker, "due": "2026-01-05"}],
                "note": format!("{id}-{note:04}")}),
            );
        }
    }
    assert!(markers.is_empty(), "the small caseload has no room for {count} markers");
    Caseload {
        text: text.into_bytes(),
        markers: planted,
    }
}
