//! What looks like a mark and hides nothing, asked about before it is filed: only its author knows what was meant.

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::note_input::hiding;
use crate::unlock_prompt;

/// What is to become of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// It is taken as it is written.
    AsWritten,
    /// It is taken with the marks that it was to have.
    Marks(String),
    /// It is not taken: it is to be mended first.
    Mended,
}

/// Asks what a text is to be taken for in which something looks like a mark; `before` is what of it stood there already, and
/// was asked about then. Where nobody can be asked it is taken as it is written, and the answer says it.
///
/// # Errors
/// [`CliError::Interrupted`].
pub fn ask(run: &Invocation, text: &str, before: &str) -> Result<Meant, CliError> {
    let marked = vault_core::note::text::with_marks(text);
    let question = match marked {
        Some(_) => "m: they are marks; y: they are words, file it so; Enter: neither, go back [m/y/N] ",
        None => "y: they are words, file it so; Enter: go back, and put the mark behind its words [y/N] ",
    };
    Ok(match (answer(run, text, before, question)?.as_deref(), marked) {
        (None | Some("y" | "yes"), _) => Meant::AsWritten,
        (Some("m"), Some(marked)) => Meant::Marks(marked),
        (Some(_), _) => Meant::Mended,
    })
}

/// As [`ask`], of words that are filed later only: they are kept whatever is answered.
///
/// # Errors
/// As [`ask`].
pub fn ask_of_jot(run: &Invocation, text: String) -> Result<String, CliError> {
    if !unlock_prompt::can_ask() {
        for doubt in hiding::lookalikes(&text) {
            run.ui.note(&format!("look again: {doubt}"));
        }
        return Ok(text);
    }
    let marked = vault_core::note::text::with_marks(&text);
    let question = match marked {
        Some(_) => {
            "m: they are marks; y: they are words; Enter: kept as it is, and asked again when it is filed [m/y/N] "
        }
        None => "kept as it is, and asked again when it is filed; Enter goes on ",
    };
    Ok(match (answer(run, &text, "", question)?.as_deref(), marked) {
        (Some("m"), Some(marked)) => marked,
        _ => text,
    })
}

/// Asks on a terminal; nothing where there is nothing to ask, or nobody. The end of input is an empty answer.
fn answer(run: &Invocation, text: &str, before: &str, question: &str) -> Result<Option<String>, CliError> {
    let known: Vec<&str> = before.lines().map(str::trim).collect();
    let is_new = |line: &usize| {
        text.lines()
            .nth(line - 1)
            .is_none_or(|line| !known.contains(&line.trim()))
    };
    let doubts = hiding::lookalikes(text);
    let doubts: Vec<String> = doubts
        .iter()
        .filter(|doubt| is_new(&doubt.line))
        .map(ToString::to_string)
        .collect();
    if doubts.is_empty() || !unlock_prompt::can_ask() {
        return Ok(None);
    }
    run.ui.prompt(&doubts.join("\n"));
    match run.ask(question, "what was meant", "`{hide-from WHO}` in the text") {
        Ok(answer) => Ok(Some(answer.to_lowercase())),
        Err(CliError::NoAnswer { .. }) => Ok(Some(String::new())),
        Err(error) => Err(error),
    }
}
