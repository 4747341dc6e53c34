//! `casevault member retire`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::MemberRetireRequest;

/// Lets a member go, with all its devices, for good
///
/// From then on nothing that it signs counts, the server serves it nothing, and every section that it held gets a new epoch
/// before anything is written in it. What it has read and copied it still has.
#[derive(Args, Debug)]
pub struct RetireArgs {
    /// The member's handle
    #[arg(value_name = "MEMBER", value_parser = crate::cli::value::member)]
    pub member: String,

    /// Does not ask
    #[arg(long)]
    pub yes: bool,
}

pub(super) fn run(args: RetireArgs, run: &Invocation) -> Result<(), CliError> {
    let question = format!(
        "Let {} go, with all its devices? It cannot come back under this handle. [y/N] ",
        args.member
    );
    if !args.yes && !run.confirm(&question, "whether the member is to go", "`--yes`")? {
        return Err(CliError::Nothing {
            what: "the member stays",
        });
    }
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.member_retire(MemberRetireRequest { member: args.member }, watch.task())?;
    drop(watch);
    run.ui.reply(&reply, render::member::gone)?;
    render::member::still_owed(&run.ui, reply.officer_owed);
    Ok(())
}
