//! `casevault completions`.

use clap::Args;
use clap_complete::Shell;

use crate::completing;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::ui::closed;

/// Prints a completion script for a shell
///
/// It completes commands, flags and files, and the handles of cases, notes, jots and drafts while an agent holds the vault open (`casevault unlock`): handles alone, and the asking is logged as an overview. A locked vault completes no handles, and nothing asks for a passphrase.
///
/// bash: `casevault completions bash > ~/.local/share/bash-completion/completions/casevault`
///
/// zsh: `casevault completions zsh > ~/.zfunc/_casevault`, with `fpath=(~/.zfunc $fpath)` before `compinit`
///
/// fish: `casevault completions fish > ~/.config/fish/completions/casevault.fish`
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, run: &Invocation) -> Result<(), CliError> {
    let mut script = Vec::new();
    completing::script(&args.shell.to_string(), &mut script)
        .map_err(|e| CliError::io(format!("could not write a script for {}", args.shell), e))?;
    let mut out = run.ui.out();
    out.write_all(&script).and_then(|()| out.flush()).map_err(closed)
}
