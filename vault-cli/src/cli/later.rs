//! Flags that are made when they are asked for.
//!
//! There are some sixty commands with some hundred flags, and to make them all takes longer than to run most of them.
//! So a line is parsed with the flags of the words in it alone. Whoever wants the whole (help, completion, the manual)
//! makes it as ever, and so does a line that was wrong: what is said of it is the same.

use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Parser, Subcommand};
use std::cell::Cell;
use std::ffi::OsString;
use std::mem::ManuallyDrop;

thread_local! {
    static WAITING: Cell<bool> = const { Cell::new(false) };
}

/// Flags, or commands, that wait for their word while a line is parsed.
#[derive(Debug)]
pub struct Later<T>(
    /// What was given.
    pub T,
);

/// Parses a line, making only what it names.
///
/// # Errors
/// What clap says of it, who has then seen all commands.
pub fn parse<T: Parser>(words: &[OsString]) -> Result<T, Error> {
    WAITING.set(true);
    // It goes with the process: to take apart what was made takes as long as a tenth of a short command.
    let mut command = ManuallyDrop::new(T::command());
    let matched = command.try_get_matches_from_mut(words);
    let parsed = matched.and_then(|mut matches| T::from_arg_matches_mut(&mut matches));
    WAITING.set(false);
    parsed.or_else(|_| T::try_parse_from(words))
}

fn once(command: Command, make: fn(Command) -> Command) -> Command {
    match WAITING.get() {
        true => command.defer(make),
        false => make(command),
    }
}

impl<T: FromArgMatches> FromArgMatches for Later<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<T: Args> Args for Later<T> {
    fn augment_args(command: Command) -> Command {
        once(command, T::augment_args)
    }

    fn augment_args_for_update(command: Command) -> Command {
        once(command, T::augment_args_for_update)
    }
}

impl<T: Subcommand> Subcommand for Later<T> {
    fn augment_subcommands(command: Command) -> Command {
        once(command, T::augment_subcommands)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        once(command, T::augment_subcommands_for_update)
    }

    fn has_subcommand(name: &str) -> bool {
        T::has_subcommand(name)
    }
}
