//! `casevault completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::ui::closed;

/// Prints a completion script for a shell
///
/// Example, for bash: `casevault completions bash > ~/.local/share/bash-completion/completions/casevault`
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, run: &Invocation) -> Result<(), CliError> {
    // Into memory first: the generator takes a closed pipe for a fault of its own.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "casevault", &mut script);
    let mut out = run.ui.out();
    out.write_all(&script).and_then(|()| out.flush()).map_err(closed)
}
