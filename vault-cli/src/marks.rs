//! What looks like a mark and hides nothing, and marks that an amendment loses: asked about before it is filed, because only
//! its author knows what was meant.

use vault_core::note::text::{Doubt, Meant as Read};

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::note_input::hiding;
use crate::render::overview::cut;
use crate::session::SessionError;
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

/// Lists what is to be asked of a text before it is filed; `before` is what of it stood there already, and was asked about then.
/// Nothing where nobody can be asked: then it is taken as it is written, and the answer says it.
pub fn doubts(text: &str, before: &str) -> Vec<Doubt> {
    if !unlock_prompt::can_ask() {
        return Vec::new();
    }
    let mut doubts = hiding::lookalikes(text);
    doubts.retain(|doubt| is_new(text, before, doubt.line));
    doubts
}

/// Tells whether a line, from 1, is none of those that stood there already.
fn is_new(text: &str, before: &str, line: usize) -> bool {
    let line = text.lines().nth(line - 1).map(str::trim);
    line.is_none_or(|line| before.lines().all(|known| known.trim() != line))
}

/// Lists what only a heading makes a plan, of the lines at which such plans begin: what stood there already was asked about.
pub fn implied_plans(text: &str, before: &str, lines: &[usize]) -> Vec<Doubt> {
    let new = lines.iter().filter(|line| is_new(text, before, **line));
    let read = || Read::ImpliedPlan;
    new.map(|line| Doubt {
        line: *line,
        read: read(),
    })
    .collect()
}

/// Asks of what only a heading makes a plan whether it is one; what is, and what is not, is marked so in the text.
///
/// # Errors
/// [`CliError::Interrupted`].
pub fn ask_of_plans(run: &Invocation, text: &str, plans: &[Doubt]) -> Result<Meant, CliError> {
    let words = |doubt: &Doubt| {
        let words = text.lines().nth(doubt.line - 1).unwrap_or_default();
        format!("line {}: `{}`: {}", doubt.line, cut(words), doubt.read)
    };
    let lines: Vec<String> = plans.iter().map(words).collect();
    let question = "p: steps to carry out; w: only words; Enter: neither, go back [p/w/N] ";
    let mark = match asked(run, &lines, question, "`plan:` or `nar:` in the text")?.as_deref() {
        None => return Ok(Meant::AsWritten),
        Some("p") => "plan: ",
        Some("w") => "nar: ",
        Some(_) => return Ok(Meant::Mended),
    };
    let is_one = |number: usize| plans.iter().any(|plan| plan.line == number);
    let marked = text
        .split_inclusive('\n')
        .zip(1..)
        .map(|(line, number)| match is_one(number) {
            true => format!("{mark}{}", line.trim_start()),
            false => line.to_owned(),
        });
    Ok(Meant::Marks(marked.collect()))
}

/// Asks what a text is to be taken for of which something is doubtful.
///
/// # Errors
/// [`CliError::Interrupted`].
pub fn ask(run: &Invocation, text: &str, doubts: &[Doubt]) -> Result<Meant, CliError> {
    let is_mark = doubts.iter().any(is_lookalike);
    let marked = vault_core::note::text::with_marks(text).filter(|_| is_mark);
    let question = match (is_mark, &marked) {
        (true, Some(_)) => "m: they are marks; y: they are words, file it so; Enter: neither, go back [m/y/N] ",
        (true, None) => "y: they are words, file it so; Enter: go back, and put the mark behind its words [y/N] ",
        (false, _) => "y: file it so; Enter: go back [y/N] ",
    };
    Ok(match (answer(run, doubts, question)?.as_deref(), marked) {
        (None | Some("y" | "yes"), _) => Meant::AsWritten,
        (Some("m"), Some(marked)) => Meant::Marks(marked),
        (Some(_), _) => Meant::Mended,
    })
}

fn is_lookalike(doubt: &Doubt) -> bool {
    matches!(doubt.read, Read::Lookalike { .. })
}

/// As [`ask`], of words that are filed later only: they are kept whatever is answered.
///
/// # Errors
/// As [`ask`].
pub fn ask_of_jot(run: &Invocation, text: String) -> Result<String, CliError> {
    let mut doubts = hiding::lookalikes(&text);
    // A jot has no guidance that words could be typed into.
    doubts.retain(is_lookalike);
    if !unlock_prompt::can_ask() {
        for doubt in doubts {
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
    Ok(match (answer(run, &doubts, question)?.as_deref(), marked) {
        (Some("m"), Some(marked)) => marked,
        _ => text,
    })
}

/// Amends with `save`, which is told whether to refuse what would lose a mark or a danger; refused so, it is asked about.
/// Where nobody can be asked it is amended, and the answer says what was lost.
///
/// # Errors
/// What `save` refuses; [`SessionError::Loses`] where it was not meant; [`CliError::Interrupted`].
pub fn ask_of_loss<T>(run: &Invocation, mut save: impl FnMut(bool) -> Result<T, CliError>) -> Result<T, CliError> {
    let is_asked = unlock_prompt::can_ask();
    let lost = match save(is_asked) {
        Err(CliError::Session(SessionError::Loses { lost })) if is_asked => lost,
        done => return done,
    };
    let lines = lost
        .iter()
        .map(|lost| format!("\n  {}: `{}`", lost.what, cut(&lost.words)));
    run.ui
        .prompt(&format!("This would be lost:{}", lines.collect::<String>()));
    match run.confirm(
        "Save it so? [y/N] ",
        "whether to save it so",
        "`--file FILE` without a terminal",
    )? {
        true => save(false),
        false => Err(SessionError::Loses { lost }.into()),
    }
}

/// Asks on a terminal; nothing where there is nothing to ask. The end of input is an empty answer.
fn answer(run: &Invocation, doubts: &[Doubt], question: &str) -> Result<Option<String>, CliError> {
    let lines: Vec<String> = doubts.iter().map(ToString::to_string).collect();
    asked(run, &lines, question, "`{hide-from WHO}` in the text")
}

fn asked(run: &Invocation, lines: &[String], question: &str, flag: &'static str) -> Result<Option<String>, CliError> {
    if lines.is_empty() {
        return Ok(None);
    }
    run.ui.prompt(&lines.join("\n"));
    match run.ask(question, "what was meant", flag) {
        Ok(answer) => Ok(Some(answer.to_lowercase())),
        Err(CliError::NoAnswer { .. }) => Ok(Some(String::new())),
        Err(error) => Err(error),
    }
}
