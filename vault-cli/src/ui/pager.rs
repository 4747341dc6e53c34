//! A pager for results that are taller than the terminal: fed by a pipe, so that nothing of it is in a file.
//!
//! less is told to write no history, no log and no file, and to start no editor and no shell. It works in the terminal's
//! second screen, so what it showed is not left in the scrollback.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGQUIT};
use unicode_width::UnicodeWidthStr;

use crate::signals::Heeded;

/// What shows more than a screen, if nothing else is chosen.
const PAGER: &str = "less";

/// Programs that are editors: they keep swap files, histories and registers of what they show.
const EDITORS: [&str; 12] = [
    "code",
    "codium",
    "emacs",
    "emacsclient",
    "gvim",
    "kak",
    "micro",
    "nano",
    "nvim",
    "vi",
    "view",
    "vim",
];

/// Shows a text by the pager; false where it is to be printed instead: it fits, or there is no pager.
pub(super) fn show(text: &str) -> bool {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() || is_dumb() {
        return false;
    }
    let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout()) else {
        return false;
    };
    if !is_taller(text, size.ws_row, size.ws_col) {
        return false;
    }
    let chosen = std::env::var("PAGER").ok();
    let Some(words) = words(chosen.as_deref()) else {
        return false;
    };
    run(&words, text)
}

/// Tells whether the terminal can do no more than print.
pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Tells whether a text needs more lines than there are, one being left for the prompt.
fn is_taller(text: &str, rows: u16, columns: u16) -> bool {
    if rows == 0 || columns == 0 {
        return false;
    }
    let (rows, columns) = (usize::from(rows), usize::from(columns));
    let lines = text.lines().map(|line| line.width().div_ceil(columns).max(1));
    lines.sum::<usize>() >= rows
}

/// Chooses the pager: the one that is named, unless it is none, or an editor.
fn words(chosen: Option<&str>) -> Option<Vec<String>> {
    let chosen = chosen.map(str::trim).unwrap_or(PAGER);
    let words = crate::editor::words(chosen);
    let name = Path::new(words.first()?).file_name()?.to_str()?;
    match name {
        "cat" => None,
        editor if EDITORS.contains(&editor) => Some(vec![PAGER.to_owned()]),
        _ => Some(words),
    }
}

fn run(words: &[String], text: &str) -> bool {
    let Some((program, arguments)) = words.split_first() else {
        return false;
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .env("LESSSECURE", "1")
        .env("LESSHISTFILE", "-")
        .env_remove("LESSOPEN")
        .env_remove("LESSCLOSE")
        .env_remove("LESSSECURE_ALLOW")
        .env_remove(crate::unlock_prompt::FILE_VARIABLE);
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "-R");
    }
    // An interrupt is the pager's, which stops a search with it.
    let flag = Arc::new(AtomicBool::new(false));
    let heeded: Vec<_> = [SIGINT, SIGQUIT]
        .into_iter()
        .filter_map(|signal| Heeded::by_flag(signal, Arc::clone(&flag)).ok())
        .collect();
    let shown = match command.spawn() {
        Ok(mut child) => {
            if let Some(mut pipe) = child.stdin.take() {
                // Who has seen enough closes it.
                let _ = pipe.write_all(text.as_bytes());
            }
            // What could not be run shows nothing, and is printed.
            child.wait().is_ok_and(|status| status.code() != Some(127))
        }
        Err(_) => false,
    };
    drop(heeded);
    shown
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taller_by_the_lines_that_it_takes_there() {
        assert!(!is_taller("a\nb\n", 3, 80));
        assert!(is_taller("a\nb\nc\n", 3, 80));
        assert!(is_taller(&"x".repeat(161), 3, 80), "one line, three on the screen");
        assert!(is_taller(&"漢".repeat(81), 3, 80), "wide letters take two columns");
        assert!(!is_taller(&"x".repeat(9000), 0, 0), "no size, no pager");
    }

    #[test]
    fn the_pager_is_chosen_and_no_editor_is_one() {
        let all = |chosen: Option<&str>| words(chosen);
        assert_eq!(all(None), Some(vec!["less".to_owned()]));
        assert_eq!(all(Some("more -d")), Some(vec!["more".to_owned(), "-d".to_owned()]));
        for none in ["", "  ", "cat", "/bin/cat"] {
            assert_eq!(all(Some(none)), None, "{none}");
        }
        for editor in ["vim -", "/usr/bin/nvim", "code --wait -"] {
            assert_eq!(all(Some(editor)), Some(vec!["less".to_owned()]), "{editor}");
        }
    }
}
