//! `casevault note find`.

use clap::Args;
use jiff::civil::Date;
use vault_core::note::NoteKind;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::NoteFindRequest;

/// The longest search term, in bytes.
const LONGEST_TERM: u64 = 1024;

/// Finds notes that hold all of some words
///
/// Several words are found in any order, anywhere in a note; words in quotation marks as they stand: `"back door" key`. Where
/// some notes hold all of them as they were typed, those are shown, and of the others it is told how many there are (`--words`). A word is
/// found inside longer ones. Searches on this machine alone, in memory: no index of words is ever written. The words are never taken from the
/// command line. The search is logged, and what it found is logged before it is shown.
///
/// Example: `echo heating | casevault note find c-7fk2 --file -`
#[derive(Args, Debug)]
pub struct FindArgs {
    /// The case's handle; without it, all your cases
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// What to look for, one line, from a file or from standard input; capitals do not matter
    #[arg(long, value_name = "FILE|-")]
    pub file: Option<Source>,

    /// Shows the notes that hold the words in any order too, where others hold them as they were typed
    #[arg(long)]
    pub words: bool,

    /// Only notes of this kind
    #[arg(long, value_name = "KIND", value_parser = value::note_kind)]
    pub kind: Option<NoteKind>,

    /// Only what happened on or after this day, such as `2026-03-01`
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub since: Option<Date>,

    /// Only what happened on or before this day
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub until: Option<Date>,

    /// Shows at most this many hits
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: FindArgs, run: &Invocation) -> Result<(), CliError> {
    let named = match &args.file {
        Some(source) => Some(one_line(&run.text(Some(source), "the search term", LONGEST_TERM)?)?),
        None => None,
    };
    let purpose = run.purpose(args.purpose)?;
    let (mut session, term) = match named {
        Some(term) => (run.unlock()?, term),
        // The passphrase first, as everywhere: typed ahead into another question it would stand on the screen.
        None => {
            let (what, flag) = ("the search term", "`--file FILE`, or `--file -` for standard input");
            let session = run.unlock_to_ask(what, flag)?;
            (session, one_line(&run.ask("Search for: ", what, flag)?)?)
        }
    };
    let request = NoteFindRequest {
        case: args.case,
        term,
        words: args.words,
        kind: args.kind,
        since: args.since,
        until: args.until,
        limit: args.limit,
        purpose,
    };
    let watch = run.watch()?;
    let reply = session.note_find(request, watch.task())?;
    drop(watch);
    run.ui.unopened(&reply.unopened);
    run.ui.reply(&reply, render::note::find)
}

fn one_line(text: &str) -> Result<String, CliError> {
    let term = text.trim_end_matches(['\n', '\r']);
    if term.trim().is_empty() || term.contains('\n') {
        return Err(CliError::Usage {
            message: "a search term is one line that is not empty".to_owned(),
            hint: "write the words to look for on the first line".to_owned(),
        });
    }
    Ok(term.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_one_line() {
        assert_eq!(one_line("the heating \r\n").unwrap(), "the heating ");
        for wrong in ["", "\n", "  \n", "a\nb"] {
            assert!(matches!(one_line(wrong), Err(CliError::Usage { .. })), "{wrong:?}");
        }
    }
}
