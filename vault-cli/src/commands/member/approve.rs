//! `casevault member approve`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::joining;
use crate::render;
use crate::session::request::ApproveRequest;
use crate::unlock_prompt;

/// Lets in the member who asked with a sheet
///
/// Shows the code and asks whether the other machine shows it, before anybody is let in: whoever copied the sheet and was first
/// shows another. Where there is no terminal, `--code` is required. The member
/// gets the roles that the invite named, and holds the agency's keys from their next epoch on.
#[derive(Args, Debug)]
pub struct ApproveArgs {
    /// The handle that the invite gave
    #[arg(value_name = "MEMBER", value_parser = crate::cli::value::member)]
    pub member: String,

    /// The code that the other machine shows; another one lets nobody in
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
}

pub(super) fn run(args: ApproveArgs, run: &Invocation) -> Result<(), CliError> {
    if args.code.is_none() && !unlock_prompt::can_ask() {
        return Err(joining::no_code());
    }
    let mut session = run.unlock()?;
    let code = joining::compared(run, &mut session, &args.member, args.code)?;
    let request = ApproveRequest {
        handle: args.member,
        code,
    };
    let watch = run.watch()?;
    let reply = session.member_approve(request, watch.task())?;
    drop(watch);
    run.ui.made(
        &reply,
        "approved member",
        &reply.member,
        &render::member::approved(&reply),
    )?;
    render::member::still_owed(&run.ui, reply.officer_owed);
    render::member::still_unnamed(&run.ui, reply.unnamed, &reply.member);
    Ok(())
}
