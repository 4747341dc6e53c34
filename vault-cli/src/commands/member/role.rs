//! `casevault member role`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::MemberRoleRequest;

/// Gives a member other roles, in place of those that it has
///
/// Roles decide what a member may do from now on; what it did before stays judged by those it had then. An administrator is
/// named in the agency's root too.
#[derive(Args, Debug)]
pub struct RoleArgs {
    /// The member's handle
    #[arg(value_name = "MEMBER", value_parser = crate::cli::value::member)]
    pub member: String,

    /// A role that it has from now on: caseworker, supervisor, duty, reviewer, dpo or administrator; name all of them
    #[arg(long = "role", value_name = "ROLE", required = true)]
    pub roles: Vec<String>,
}

pub(super) fn run(args: RoleArgs, run: &Invocation) -> Result<(), CliError> {
    let request = MemberRoleRequest {
        member: args.member,
        roles: args.roles,
    };
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.member_role(request, watch.task())?;
    drop(watch);
    run.ui.reply(&reply, render::member::changed)?;
    render::member::still_owed(&run.ui, reply.officer_owed);
    render::member::still_unnamed(&run.ui, reply.unnamed, &reply.member);
    Ok(())
}
