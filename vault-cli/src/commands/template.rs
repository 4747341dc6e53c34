//! `casevault template`.

use clap::Subcommand;

use crate::cli::later::Later;
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
    Show(Later<show::ShowArgs>),
    Check(Later<check::CheckArgs>),
}

pub(super) fn run(command: TemplateCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        TemplateCommand::Check(Later(args)) => check::run(&args, run),
        TemplateCommand::List => list::run(run),
        TemplateCommand::Show(Later(args)) => show::run(&args, run),
    }
}
