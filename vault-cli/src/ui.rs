//! The one place that prints: results on standard output; progress, hints and errors on standard error.
//!
//! Everything shown passes [`escape`], so that no text can drive the terminal. JSON keeps its meaning: what could act on
//! a terminal is written there as `\u` escapes. Colours and bars appear on a terminal only; `--color`, `NO_COLOR`,
//! `CLICOLOR`, `CLICOLOR_FORCE` and `TERM=dumb` are heeded. What a terminal cannot show at once goes to a pager, and what is wider than it is broken at spaces.

mod bar;
mod pager;
mod wrap;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use vault_core::note::display::{escape, escape_line};

use crate::error::CliError;
use crate::render;
use crate::session::Progress;
use crate::session::reply::UnopenedRow;

pub use bar::Bar;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// The printer.
#[derive(Debug)]
pub struct Ui {
    json: bool,
    terminal: bool,
    pages: bool,
}

impl Ui {
    /// Makes the printer; with `json`, results and errors are JSON objects.
    pub fn new(json: bool) -> Self {
        Self {
            json,
            terminal: io::stdout().is_terminal(),
            pages: true,
        }
    }

    /// Prints long results at once, as short ones are.
    #[must_use]
    pub fn without_pager(self) -> Self {
        Self { pages: false, ..self }
    }

    /// Tells whether results are asked for as JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Tells whether results go to a terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Prints a result: as one line of JSON, or as the text that `render` makes of it, by a pager where it is taller than
    /// the terminal.
    ///
    /// # Errors
    /// [`CliError::ClosedPipe`], [`CliError::Io`].
    pub fn reply<T: Serialize>(&self, reply: &T, render: impl FnOnce(&T) -> String) -> Result<(), CliError> {
        if self.json {
            return self.json_line(reply);
        }
        let text = render(reply);
        if self.pages && self.terminal && pager::show(&wrap::to_fit(&escape(&text), io::stdout(), 0)) {
            return Ok(());
        }
        self.text(&text)
    }

    /// Prints that something was made. The first line ends with its handle; what else there is to say goes to lines of its own,
    /// and through a pipe to standard error.
    ///
    /// # Errors
    /// As [`Ui::reply`].
    pub fn made<T: Serialize>(&self, reply: &T, done: &str, handle: &str, rest: &str) -> Result<(), CliError> {
        if self.json {
            return self.json_line(reply);
        }
        let handle = escape_line(handle);
        if self.terminal {
            return self.text(format!("{done} {handle}\n{rest}").trim_end());
        }
        self.text(&format!("{done} {handle}"))?;
        if !rest.is_empty() {
            self.note(rest);
        }
        Ok(())
    }

    /// Prints text on standard output, escaped, with a line break at its end.
    ///
    /// # Errors
    /// As [`Ui::reply`].
    pub fn text(&self, text: &str) -> Result<(), CliError> {
        let text = escape(text);
        let text = wrap::to_fit(&text, io::stdout(), 0);
        let end = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        write_out(&format!("{text}{end}"))
    }

    /// Prints text that holds the styles of a help page, made by this program alone.
    ///
    /// # Errors
    /// As [`Ui::reply`].
    pub fn help(&self, page: &clap::builder::StyledStr) -> Result<(), CliError> {
        let mut out = anstream::AutoStream::auto(io::stdout().lock());
        let written = write!(out, "{}", page.ansi()).and_then(|()| out.flush());
        written.map_err(closed)
    }

    fn json_line<T: Serialize>(&self, value: &T) -> Result<(), CliError> {
        let json = to_json(value).map_err(|e| CliError::io("could not write the result", e.into()))?;
        write_out(&format!("{json}\n"))
    }

    /// Says something beside the result, on standard error; not with `--json`, where the object says it.
    pub fn note(&self, text: &str) {
        if !self.json {
            self.prompt(text);
        }
    }

    /// Warns, on standard error and with `--json` too, of what its writer made so that it does not open: the result is
    /// without it.
    pub fn unopened(&self, rows: &[UnopenedRow]) {
        if !rows.is_empty() {
            self.prompt(&render::unopened(rows));
        }
    }

    /// Says what is to be typed, on standard error.
    pub fn prompt(&self, text: &str) {
        complain(&format!("{}\n", wrap::to_fit(&escape(text), io::stderr(), 0)));
    }

    /// Says what could be done next, on standard error; not with `--json`.
    pub fn hint(&self, text: &str) {
        if !self.json && !text.is_empty() {
            let text = escape(text);
            let text = wrap::to_fit(&text, io::stderr(), "hint: ".len());
            complain(&format!("{HINT}hint:{HINT:#} {text}\n"));
        }
    }

    /// Says why a command was refused and what to do next, on standard error.
    pub fn error(&self, error: &CliError) {
        if matches!(error, CliError::ClosedPipe) {
            return;
        }
        if self.json {
            if let Ok(json) = to_json(&error.to_report()) {
                complain(&format!("{json}\n"));
            }
            return;
        }
        let mut message = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !message.contains(&cause_text) {
                let _ = write!(message, ": {cause_text}");
            }
            source = cause.source();
        }
        let message = escape(&message);
        if error.is_harmless() {
            // Nobody did anything wrong: whoever said no is told that so it is.
            complain(&format!("{}\n", wrap::to_fit(&message, io::stderr(), 0)));
            self.hint(&error.hint());
            return;
        }
        let message = wrap::to_fit(&message, io::stderr(), "error: ".len());
        complain(&format!("{ERROR}error:{ERROR:#} {message}\n"));
        self.hint(&error.hint());
    }

    /// Says what the command line's parser says, on standard output for a help page, otherwise on standard error, and
    /// what to use instead.
    ///
    /// # Errors
    /// As [`Ui::reply`].
    pub fn parser(&self, error: &clap::Error, advice: Option<&str>) -> Result<(), CliError> {
        if !error.use_stderr() {
            return self.help(&error.render());
        }
        let text = without_tips(&error.render().to_string(), advice.is_some());
        let text = match crate::cli::advice::name(error) {
            Some(name) => text.replacen(&format!(" '{name}' "), " ", 1),
            None => text,
        };
        if self.json {
            let message = text.split("\n\nUsage:").next().unwrap_or(&text);
            let message = message.trim_start_matches("error: ").trim().to_owned();
            let help = "`casevault help` lists the commands, `--help` after one explains it";
            let hint = advice.unwrap_or(help).to_owned();
            self.error(&CliError::Usage { message, hint });
        } else {
            complain(&wrap::to_fit(&escape(&text), io::stderr(), 0));
            self.hint(advice.unwrap_or_default());
        }
        Ok(())
    }

    /// Makes a progress display: a bar on a terminal, nothing elsewhere.
    pub fn progress(&self) -> Box<dyn Progress> {
        if io::stderr().is_terminal() && !pager::is_dumb() {
            Box::new(Bar::default())
        } else {
            Box::new(crate::session::Silent)
        }
    }

    /// Returns standard output for a long result, escaped where it is a terminal.
    pub fn out(&self) -> Box<dyn Write> {
        let out = io::BufWriter::with_capacity(1 << 16, io::stdout());
        if self.terminal {
            Box::new(Escaped {
                inner: out,
                line: Vec::new(),
            })
        } else {
            Box::new(out)
        }
    }
}

/// Escapes each line before it goes on.
struct Escaped<W: Write> {
    inner: W,
    line: Vec<u8>,
}

impl<W: Write> Escaped<W> {
    fn put_line(&mut self) -> io::Result<()> {
        let text = String::from_utf8_lossy(&self.line);
        self.inner.write_all(escape(&text).as_bytes())?;
        self.line.clear();
        Ok(())
    }
}

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.put_line()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.put_line()?;
        self.inner.flush()
    }
}

/// Writes a value as JSON of one line, with every character that could act on a terminal as a `\u` escape.
fn to_json<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(value)?;
    // JSON of one line holds such characters in its strings only, and few texts have any.
    if matches!(escape_line(&json), Cow::Borrowed(_)) {
        return Ok(json);
    }
    let mut safe = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        let mut bytes = [0; 4];
        if matches!(escape_line(c.encode_utf8(&mut bytes)), Cow::Borrowed(_)) {
            safe.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(safe, "\\u{unit:04x}");
        }
    }
    Ok(safe)
}

/// Leaves out the parser's tips that lead astray: to pass a wrong flag as a value, and where there is better advice the
/// word that only looks alike.
fn without_tips(text: &str, advised: bool) -> String {
    let astray = |line: &str| line.starts_with("  tip: ") && (advised || line.contains("as a value, use '--"));
    let mut kept = String::with_capacity(text.len());
    let mut skip_empty = false;
    for line in text.split_inclusive('\n') {
        if astray(line) {
            skip_empty = true;
        } else if !(skip_empty && line.trim().is_empty()) {
            skip_empty = false;
            kept.push_str(line);
        }
    }
    kept
}

fn write_out(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(closed)
}

/// Tells a reader that went away from an output that fails.
pub fn closed(error: io::Error) -> CliError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        CliError::ClosedPipe
    } else {
        CliError::io("could not write to standard output", error)
    }
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal, unless the environment says otherwise.
    #[default]
    Auto,
    /// Also in a pipe.
    Always,
    /// Nowhere.
    Never,
}

impl Colour {
    /// Holds for everything that is printed from now on.
    pub fn hold(self) {
        match self {
            Self::Always => anstream::ColorChoice::Always,
            Self::Auto if plain_terminal() => anstream::ColorChoice::Never,
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

/// Whether the terminal says that it knows no colours and nobody insists on them.
///
/// The library asks the same, but lets a set `CI` outweigh the answer: a terminal that cannot show colours does not
/// learn it from there.
fn plain_terminal() -> bool {
    let says = std::env::var_os("TERM");
    let insists = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty());
    !insists && says.is_none_or(|term| term == "dumb")
}

/// Makes a fault in the program say where it happened and nothing else: its message could hold what was being read.
pub fn keep_panics_quiet() {
    std::panic::set_hook(Box::new(|fault| {
        let place = fault
            .location()
            .map_or_else(String::new, |at| format!(" ({}:{})", at.file(), at.line()));
        complain(&format!(
            "{ERROR}error:{ERROR:#} this is a fault in the program{place}\n{HINT}hint:{HINT:#} please report it, without \
             any client's data; `casevault verify` tells whether the vault is whole\n"
        ));
    }));
}

/// Writes to standard error; if that fails there is nobody left to tell.
fn complain(text: &str) {
    let mut err = anstream::AutoStream::auto(io::stderr().lock());
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_meaning_and_drives_no_terminal() {
        let text = "a\u{1b}]52;c;x\u{7}\u{9b}31m \u{202e}fdp.exe \u{e0041} \u{2028} é 👩\n";
        let json = to_json(&serde_json::json!({ "text": text })).unwrap();
        assert!(
            json.chars()
                .all(|c| !c.is_control() && !matches!(c, '\u{202e}' | '\u{2028}' | '\u{e0041}')),
            "{json}"
        );
        assert!(json.contains("\\u202e") && json.contains("\\udb40\\udc41") && json.contains('é'));
        let back: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back["text"], text);
    }

    #[test]
    fn tips_that_lead_astray_are_left_out() {
        let text = "error: x\n\n  tip: a similar subcommand exists: 'template'\n\nUsage: y\n";
        assert_eq!(without_tips(text, true), "error: x\n\nUsage: y\n");
        assert_eq!(without_tips(text, false), text);
        let text = "error: x\n\n  tip: to pass '--m' as a value, use '-- --m'\n\nUsage: y\n";
        assert_eq!(without_tips(text, false), "error: x\n\nUsage: y\n");
    }

    #[test]
    fn long_results_are_escaped_line_by_line_even_when_cut_inside_a_character() {
        let mut kept = Vec::new();
        let mut out = Escaped {
            inner: &mut kept,
            line: Vec::new(),
        };
        for piece in "é\u{202e}\nb\u{1b}[2J".as_bytes().chunks(1) {
            out.write_all(piece).unwrap();
        }
        out.flush().unwrap();
        assert_eq!(String::from_utf8(kept).unwrap(), "é\\u{202e}\nb\\u{1b}[2J");
    }

    #[test]
    fn a_reader_that_went_away_is_no_error_and_a_full_disk_is() {
        let gone = closed(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(matches!(gone, CliError::ClosedPipe));
        let full = closed(io::Error::from(io::ErrorKind::StorageFull));
        assert!(matches!(full, CliError::Io { .. }));
    }
}
