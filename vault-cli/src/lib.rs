//! The caseworker's command: session facade, local store, commands, one printer.
//!
//! ```text
//! main ─> cli (flags) ─> commands/<noun>/<verb> ─ request ─> session ─ reply ─> render ─> ui (prints)
//!                                                      └─> agent ─> session, in another process
//! ```

pub mod agent;
pub mod attachments;
mod birth;
pub mod cli;
pub mod commands;
mod completing;
pub mod editor;
pub mod error;
pub mod exit;
mod flowing;
pub mod harden;
pub mod input;
pub mod invocation;
pub mod joining;
mod keys;
pub mod mail;
pub mod marks;
pub mod memory;
pub mod note_input;
pub mod part;
pub mod picker;
pub mod places;
pub mod remote;
pub mod render;
pub mod session;
pub mod sheet;
mod signals;
pub mod store;
pub mod ui;
pub mod unlock_prompt;
pub mod writing;
pub mod zone;

use std::ffi::OsString;

use crate::cli::Cli;
use crate::error::CliError;
use crate::exit::Exit;
use crate::invocation::Invocation;
use crate::ui::Ui;

/// Runs one command and tells how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let [_, word] = arguments.as_slice()
        && word == agent::WORD
    {
        return agent::run();
    }
    if let Some(exit) = completing::answer(&arguments) {
        return exit;
    }
    let parsed = cli::alone::parse(&arguments).map_or_else(|| cli::later::parse::<Cli>(&arguments), Ok);
    let (ui, result) = match parsed {
        Ok(cli) => {
            let run = Invocation::new(cli.everywhere.clone());
            let result = start(cli, &run);
            (run.ui, result)
        }
        Err(error) => {
            // A wrong command line is complained about in the colours that it asks for.
            if arguments.iter().any(|word| word == "--color=never") {
                ui::Colour::Never.hold();
            }
            // What was typed could not be read, so whether JSON was asked for is seen from the words themselves.
            let ui = Ui::new(error.use_stderr() && arguments.iter().any(|word| word == "--json"));
            let code = error.exit_code();
            match ui.parser(&error, cli::advice::advice(&error, &arguments).as_deref()) {
                Ok(()) if code == 0 => return Exit::Done,
                Ok(()) => return Exit::Usage,
                Err(error) => (ui, Err(error)),
            }
        }
    };
    match result {
        Ok(()) => Exit::Done,
        Err(error) => {
            ui.error(&error);
            error.exit()
        }
    }
}

fn start(cli: Cli, run: &Invocation) -> Result<(), CliError> {
    if cli.version {
        return commands::version::run(cli.verbose, run);
    }
    match cli.command {
        Some(command) => commands::run(command, run),
        None => commands::start::run(run),
    }
}
