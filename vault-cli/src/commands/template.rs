//! `casevault template`.

use clap::Subcommand;

use crate::error::CliError;
use crate::invocation::Invocation;

pub mod check;
pub mod list;
pub mod show;

/// What to do with templates.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum TemplateCommand {
    /// Lists the templates
    List,
    Show(show::ShowArgs),
    Check(check::CheckArgs),
}

pub(super) fn run(command: TemplateCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        TemplateCommand::Check(args) => check::run(&args, run),
        TemplateCommand::List => list::run(run),
        TemplateCommand::Show(args) => show::run(&args, run),
    }
}
