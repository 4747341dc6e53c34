//! The project's pages are transcripts: what stands in their `console` blocks is run, and has to print what they say.
//!
//! ```text
//! page (commands, what they print, files) ─> sh ─> names and times as the page has them ─> compared, `[..]` and `...` elide
//! ```
//!
//! Every page begins in a home of its own without a vault. A block with `file=NAME` beside its language is written as
//! that file first. Ids are random, so that the page's handles stand for those of the run, and moments of the last days
//! are moved to the page's own day, as the days that its files look ahead to are to the run's. `CASEVAULT_BLESS=1 cargo test -p casevault-e2e --test transcripts` writes what was
//! printed into the pages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod clock;
mod names;
mod page;

use casevault_e2e::binary;
use names::Names;
use page::{Page, Part};
use snapbox::assert::DEFAULT_ACTION_ENV;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where a page's home says that it is.
const HOME: &str = "/home/robin";

#[test]
fn pages_print_what_they_say() {
    let pages = pages();
    assert!(pages.iter().any(|page| page.ends_with("README.md")), "{pages:?}");
    let faults: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = pages.iter().map(|page| scope.spawn(|| run(page))).collect();
        runs.into_iter()
            .flat_map(|run| run.join().expect("a page runs"))
            .collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A page elsewhere in the project with a transcript would be one that nobody runs; so would a session in a block that is
/// not called `console`.
#[test]
fn no_transcript_escapes() {
    let run = pages();
    let mut all = Vec::new();
    collect(binary::root(), &mut all);
    assert!(all.len() > run.len());
    for page in all {
        let text = std::fs::read_to_string(&page).unwrap();
        let mut block: Option<String> = None;
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}:{}", page.display(), number + 1);
            match (line.trim_start().strip_prefix("```"), &block) {
                (Some(_), Some(_)) => block = None,
                (Some(language), None) => {
                    let language = language.split(' ').next().unwrap_or_default().to_owned();
                    assert!(
                        language != "console" || run.contains(&page),
                        "{place}: no test runs this transcript"
                    );
                    block = Some(language);
                }
                (None, Some(language)) => {
                    let is_session = line.starts_with("$ casevault");
                    assert!(
                        !is_session || language == "console",
                        "{place}: a transcript in a block of `{language}`"
                    );
                }
                (None, None) => {}
            }
        }
    }
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let elsewhere =
            ["target", "node_modules"].iter().any(|other| name == *other) || name.as_encoded_bytes().starts_with(b".");
        match entry.file_type().unwrap() {
            kind if kind.is_dir() && !elsewhere => collect(&path, pages),
            kind if kind.is_file() && path.extension().is_some_and(|end| end == "md") => pages.push(path),
            _ => {}
        }
    }
}

/// Lists the pages that hold transcripts.
fn pages() -> Vec<PathBuf> {
    let docs = std::fs::read_dir(binary::root().join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = docs
        .chain([binary::root().join("README.md")])
        .filter(|page| page.is_file())
        .collect();
    pages.sort();
    pages
}

/// Runs one page from top to bottom; returns what went otherwise.
fn run(path: &Path) -> Vec<String> {
    let mut page = Page::read(path);
    if page.parts.is_empty() {
        return Vec::new();
    }
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".passphrase"), "a transcript keeps no secrets\n").unwrap();
    let mut names = Names::default();
    let mut faults = Vec::new();
    let mut printed = Vec::new();
    for part in &page.parts {
        match part {
            Part::File { name, text } => std::fs::write(home.path().join(name), clock::of_the_run(text)).unwrap(),
            Part::Command { line, text, expected } => {
                let output = sh(&names.typed(text), home.path());
                let output = output.replace(&home.path().display().to_string(), HOME);
                let output = clock::moved(&names.shown(&output, expected));
                let expected = clock::moved(expected);
                if let Err(fault) = same(&output, &expected) {
                    faults.push(format!("{}:{line}: $ {text}\n{fault}", path.display()));
                    printed.push((*line, output));
                }
            }
        }
    }
    if std::env::var_os("CASEVAULT_BLESS").is_some() {
        page.bless(&printed);
        page.write(path);
        faults.clear();
    }
    faults
}

/// Runs a command as a reader would; both of its outputs as a terminal would show them, without line breaks at the end.
fn sh(text: &str, home: &Path) -> String {
    let program = binary::casevault().parent().unwrap();
    let path = std::env::join_paths([program, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{text}")])
        .env_clear()
        .env("PATH", path)
        .env("HOME", home)
        .env("CASEVAULT_PASSPHRASE_FILE", home.join(".passphrase"))
        .env("TZ", "UTC")
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .expect("sh runs");
    String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
}

fn same(output: &str, expected: &str) -> Result<(), String> {
    let expected = snapbox::Data::text(expected.trim_end());
    snapbox::Assert::new()
        .action_env(DEFAULT_ACTION_ENV)
        .normalize_paths(false)
        .try_eq(None, snapbox::Data::text(output), expected)
        .map_err(|fault| fault.to_string())
}
