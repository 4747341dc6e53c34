//! `casevault member list`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::MemberListRequest;

/// Lists the members of the agency, with their roles, and who is invited from here
#[derive(Args, Debug)]
pub struct ListArgs {}

pub(super) fn run(_: &ListArgs, run: &Invocation) -> Result<(), CliError> {
    let reply = run.unlock()?.member_list(MemberListRequest {})?;
    run.ui.reply(&reply, render::member::list)
}
