//! The commands: one file for each, holding its flags and what it does with a session.

use clap::Subcommand;

use crate::error::CliError;
use crate::invocation::Invocation;

pub mod backup;
pub mod call;
pub mod case;
pub mod chronology;
pub mod completions;
pub mod decision;
pub mod demo;
pub mod export;
pub mod import;
pub mod init;
pub mod lock;
pub mod log;
pub mod man;
pub mod note;
pub mod passphrase;
pub mod plan;
pub mod recovery;
pub mod start;
pub mod status;
pub mod template;
pub mod today;
pub mod unlock;
pub mod verify;
pub mod version;

/// What to do.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum Command {
    Init(init::InitArgs),
    Unlock(unlock::UnlockArgs),
    Lock(lock::LockArgs),
    /// Tells what there is and what needs doing, without a passphrase
    Status,
    Today(today::TodayArgs),
    Demo(demo::DemoArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    /// Verifies every signature, chain and seal that is kept here
    Verify,
    /// Cases: open, list, show, amend, history, people, stale, verify, close, reopen
    #[command(subcommand)]
    Case(case::CaseCommand),
    Call(call::CallArgs),
    /// Notes: add, jot, expand, draft, list, show, amend, history, find, misfiled, withdraw
    #[command(subcommand)]
    Note(note::NoteCommand),
    /// What was significant, in the order in which it happened
    #[command(subcommand)]
    Chronology(chronology::ChronologyCommand),
    /// Decisions and their reasons
    #[command(subcommand)]
    Decision(decision::DecisionCommand),
    /// Steps of plans: what is due, and what was done
    #[command(subcommand)]
    Plan(plan::PlanCommand),
    /// Templates of records
    #[command(subcommand)]
    Template(template::TemplateCommand),
    /// The access log of this device: who read what, when and why
    #[command(subcommand)]
    Log(log::LogCommand),
    /// Backups: create, restore, and the ledger of erasures
    #[command(subcommand)]
    Backup(backup::BackupCommand),
    /// Recovery cards: split, check, restore
    #[command(subcommand)]
    Recovery(recovery::RecoveryCommand),
    /// The vault's passphrase
    #[command(subcommand)]
    Passphrase(passphrase::PassphraseCommand),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// Does what was asked.
///
/// # Errors
/// [`CliError`], with exit code and hint.
pub fn run(command: Command, run: &Invocation) -> Result<(), CliError> {
    match command {
        Command::Backup(command) => backup::run(command, run),
        Command::Call(args) => call::run(args, run),
        Command::Case(command) => case::run(command, run),
        Command::Chronology(command) => chronology::run(command, run),
        Command::Completions(args) => completions::run(&args, run),
        Command::Decision(command) => decision::run(command, run),
        Command::Demo(args) => demo::run(&args, run),
        Command::Export(args) => export::run(args, run),
        Command::Import(args) => import::run(&args, run),
        Command::Init(args) => init::run(args, run),
        Command::Lock(args) => lock::run(&args, run),
        Command::Log(command) => log::run(command, run),
        Command::Man(args) => man::run(&args, run),
        Command::Note(command) => note::run(command, run),
        Command::Passphrase(command) => passphrase::run(command, run),
        Command::Plan(command) => plan::run(command, run),
        Command::Recovery(command) => recovery::run(command, run),
        Command::Status => status::run(run),
        Command::Template(command) => template::run(command, run),
        Command::Today(args) => today::run(args, run),
        Command::Unlock(args) => unlock::run(&args, run),
        Command::Verify => verify::run(run),
    }
}
