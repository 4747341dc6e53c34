//! The commands: one file for each, holding its flags and what it does with a session.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod agency;
pub mod backup;
pub mod call;
pub mod case;
pub mod chronology;
pub mod completions;
pub mod decision;
pub mod demo;
pub mod device;
pub mod export;
pub mod import;
pub mod init;
pub mod lock;
pub mod log;
pub mod man;
pub mod member;
pub mod note;
pub mod passphrase;
pub mod plan;
pub mod recovery;
pub mod server;
pub mod start;
pub mod status;
pub mod sync;
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
    Init(Later<init::InitArgs>),
    Unlock(Later<unlock::UnlockArgs>),
    Lock(Later<lock::LockArgs>),
    /// Tells what there is and what needs doing, without a passphrase
    Status,
    Today(Later<today::TodayArgs>),
    Demo(Later<demo::DemoArgs>),
    Import(Later<import::ImportArgs>),
    Export(Later<export::ExportArgs>),
    /// Verifies every signature, chain and seal that is kept here
    Verify,
    /// Cases: open, list, show, amend, history, people, stale, verify, close, reopen
    #[command(subcommand)]
    Case(Later<case::CaseCommand>),
    Call(Later<call::CallArgs>),
    /// Notes: add, jot, expand, draft, list, show, amend, history, find, misfiled, withdraw
    #[command(subcommand)]
    Note(Later<note::NoteCommand>),
    /// What was significant, in the order in which it happened
    #[command(subcommand)]
    Chronology(Later<chronology::ChronologyCommand>),
    /// Decisions and their reasons
    #[command(subcommand)]
    Decision(Later<decision::DecisionCommand>),
    /// Steps of plans: what is due, and what was done
    #[command(subcommand)]
    Plan(Later<plan::PlanCommand>),
    /// Templates of records
    #[command(subcommand)]
    Template(Later<template::TemplateCommand>),
    /// The access log of this device: who read what, when and why
    #[command(subcommand)]
    Log(Later<log::LogCommand>),
    /// Backups: create, restore, and the ledger of erasures
    #[command(subcommand)]
    Backup(Later<backup::BackupCommand>),
    /// Recovery cards: split, check, restore
    #[command(subcommand)]
    Recovery(Later<recovery::RecoveryCommand>),
    /// The agency's root: show, propose, endorse
    #[command(subcommand)]
    Agency(Later<agency::AgencyCommand>),
    /// Members of the agency: invite, join, approve, list, role, reset, retire
    #[command(subcommand)]
    Member(Later<member::MemberCommand>),
    /// Devices: add, join, approve, list, lost, retire
    #[command(subcommand)]
    Device(Later<device::DeviceCommand>),
    /// The server: add
    #[command(subcommand)]
    Server(Later<server::ServerCommand>),
    Sync(Later<sync::SyncArgs>),
    /// The vault's passphrase
    #[command(subcommand)]
    Passphrase(Later<passphrase::PassphraseCommand>),
    Completions(Later<completions::CompletionsArgs>),
    Man(Later<man::ManArgs>),
}

/// Does what was asked.
///
/// # Errors
/// [`CliError`], with exit code and hint.
pub fn run(command: Command, run: &Invocation) -> Result<(), CliError> {
    match command {
        Command::Agency(Later(command)) => agency::run(command, run),
        Command::Backup(Later(command)) => backup::run(command, run),
        Command::Call(Later(args)) => call::run(args, run),
        Command::Case(Later(command)) => case::run(command, run),
        Command::Chronology(Later(command)) => chronology::run(command, run),
        Command::Completions(Later(args)) => completions::run(&args, run),
        Command::Decision(Later(command)) => decision::run(command, run),
        Command::Demo(Later(args)) => demo::run(&args, run),
        Command::Device(Later(command)) => device::run(command, run),
        Command::Export(Later(args)) => export::run(args, run),
        Command::Import(Later(args)) => import::run(&args, run),
        Command::Init(Later(args)) => init::run(args, run),
        Command::Lock(Later(args)) => lock::run(&args, run),
        Command::Log(Later(command)) => log::run(command, run),
        Command::Man(Later(args)) => man::run(&args, run),
        Command::Member(Later(command)) => member::run(command, run),
        Command::Note(Later(command)) => note::run(command, run),
        Command::Passphrase(Later(command)) => passphrase::run(command, run),
        Command::Plan(Later(command)) => plan::run(command, run),
        Command::Recovery(Later(command)) => recovery::run(command, run),
        Command::Server(Later(command)) => server::run(command, run),
        Command::Status => status::run(run),
        Command::Sync(Later(args)) => sync::run(&args, run),
        Command::Template(Later(command)) => template::run(command, run),
        Command::Today(Later(args)) => today::run(args, run),
        Command::Unlock(Later(args)) => unlock::run(&args, run),
        Command::Verify => verify::run(run),
    }
}
