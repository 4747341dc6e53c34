//! The commonest lines, parsed without the commands beside theirs.
//!
//! Even to name sixty commands ([`super::later`] makes their flags only when they are asked for) takes longer than to parse
//! a line of three words. So the commands that a worker calls all day long are parsed with their own flags alone, where
//! the line begins with their words. Whatever is unusual (help, a flag before the words, a mistake) is left to the whole.

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::{Args, CommandFactory, FromArgMatches, Parser};

use super::later::Later;
use super::{Cli, Everywhere};
use crate::commands::Command;
use crate::commands::case::CaseCommand;
use crate::commands::note::NoteCommand;

/// One command, and the flags that every command takes.
#[derive(Parser)]
struct Alone<T: Args> {
    #[command(flatten)]
    everywhere: Everywhere,
    #[command(flatten)]
    args: T,
}

/// Parses a line of a command that is called all day long; `None` where the whole command line has to see it.
pub fn parse(words: &[OsString]) -> Option<Cli> {
    let [_, noun, verb, ..] = words else { return None };
    let rest = words.get(2..)?;
    let note = |command| Command::Note(Later(command));
    let case = |command| Command::Case(Later(command));
    match (noun.to_str()?, verb.to_str()?) {
        ("case", "show") => one(rest, |args| case(CaseCommand::Show(args))),
        ("note", "add") => one(rest, |args| note(NoteCommand::Add(args))),
        ("note", "jot") => one(rest, |args| note(NoteCommand::Jot(args))),
        ("note", "list") => one(rest, |args| note(NoteCommand::List(args))),
        ("note", "show") => one(rest, |args| note(NoteCommand::Show(args))),
        ("note", "find") => one(rest, |args| note(NoteCommand::Find(args))),
        _ => None,
    }
}

fn one<T: Args>(words: &[OsString], command: impl Fn(Later<T>) -> Command) -> Option<Cli> {
    // It goes with the process, as in `later`.
    let mut alone = ManuallyDrop::new(Alone::<T>::command());
    let mut matches = alone.try_get_matches_from_mut(words).ok()?;
    let Alone { everywhere, args } = Alone::from_arg_matches_mut(&mut matches).ok()?;
    Some(Cli {
        version: false,
        verbose: false,
        everywhere,
        command: Some(command(Later(args))),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Words that these commands know, do not know, and know in another place.
    const WORDS: [&str; 44] = [
        "n-19qd3m0x",
        "n-19",
        "N-19QD",
        "c-7fk2",
        "c-7fk2m9qd",
        "x-1",
        "",
        "-",
        "--",
        "--json",
        "--no-agent",
        "--home",
        "--home=h",
        "--color",
        "--color=never",
        "--passphrase-fd=3",
        "--kind",
        "--kind=phone",
        "phone",
        "--file",
        "--file=-",
        "--also",
        "c-1,c-2",
        "--attachments",
        "--only",
        "observation,quote",
        "--as-of-version",
        "2",
        "0",
        "--clean",
        "--misfiled",
        "--purpose=audit",
        "--purpose",
        "--reason-file=-",
        "--help",
        "-h",
        "-V",
        "--version",
        "--verbose",
        "--since",
        "today",
        "--brief",
        "--clea",
        "help",
    ];

    fn words(line: &[&str]) -> Vec<OsString> {
        ["casevault"].iter().chain(line).map(OsString::from).collect()
    }

    fn is_the_same(line: &[&str]) -> bool {
        let whole = super::super::later::parse::<Cli>(&words(line));
        match parse(&words(line)) {
            // Whatever is not parsed here goes to the whole, which says what is wrong with it.
            None => true,
            Some(alone) => format!("{alone:?}") == format!("{:?}", whole.expect("what is right alone is right")),
        }
    }

    #[test]
    fn a_daily_line_needs_no_other_command() {
        for line in [
            &["note", "show", "n-19qd"][..],
            &["note", "add", "c-7fk2", "--kind", "phone", "--file", "-"],
            &["note", "jot", "c-7fk2"],
            &["note", "list", "c-7fk2", "--json"],
            &["note", "find", "--home", "here"],
            &["case", "show", "c-7fk2", "--brief"],
        ] {
            assert!(parse(&words(line)).is_some(), "{line:?}");
            assert!(is_the_same(line), "{line:?}");
        }
    }

    #[test]
    fn help_mistakes_and_flags_before_the_words_are_left_to_the_whole() {
        for line in [
            &["note", "show"][..],
            &["note", "show", "c-7fk2"],
            &["note", "show", "n-19qd", "--help"],
            &["note", "show", "n-19qd", "--clea"],
            &["note", "show", "n-19qd", "--version"],
            &["--json", "note", "show", "n-19qd"],
            &["note", "help", "show"],
        ] {
            assert!(parse(&words(line)).is_none(), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_parsed_alone_is_parsed_the_same_by_the_whole(
            command in prop::sample::select(vec![
                ["note", "add"], ["note", "jot"], ["note", "list"], ["note", "show"], ["note", "find"], ["case", "show"],
            ]),
            rest in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..6),
        ) {
            let line: Vec<&str> = command.into_iter().chain(rest).collect();
            prop_assert!(is_the_same(&line), "{:?}", line);
        }
    }
}
