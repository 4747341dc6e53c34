//! `casevault member`.

use clap::Subcommand;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::invocation::Invocation;

pub mod approve;
pub mod invite;
pub mod join;
pub mod list;
pub mod reset;
pub mod retire;
pub mod role;

/// What to do with members.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum MemberCommand {
    Invite(Later<invite::InviteArgs>),
    Join(Later<join::JoinArgs>),
    Approve(Later<approve::ApproveArgs>),
    List(Later<list::ListArgs>),
    Role(Later<role::RoleArgs>),
    Reset(Later<reset::ResetArgs>),
    Retire(Later<retire::RetireArgs>),
}

pub(super) fn run(command: MemberCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        MemberCommand::Approve(Later(args)) => approve::run(args, run),
        MemberCommand::Invite(Later(args)) => invite::run(args, run),
        MemberCommand::Join(Later(args)) => join::run(&args, run),
        MemberCommand::List(Later(args)) => list::run(&args, run),
        MemberCommand::Reset(Later(args)) => reset::run(args, run),
        MemberCommand::Retire(Later(args)) => retire::run(args, run),
        MemberCommand::Role(Later(args)) => role::run(args, run),
    }
}
