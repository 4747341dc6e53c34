//! `casevault member reset`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::request::MemberResetRequest;
use crate::sheet::{self, SheetArgs};

/// Lets a member who lost everything begin anew: makes an enrolment sheet
///
/// Once it is approved, the member has another identity key, another recipient and one device; all others are retired, and
/// every section that the member holds gets a new epoch before anything is written in it. What was sealed to the lost keys
/// opens with a backup of the member's, or by a new grant.
#[derive(Args, Debug)]
pub struct ResetArgs {
    /// The member's handle
    #[arg(value_name = "MEMBER", value_parser = crate::cli::value::member)]
    pub member: String,

    /// Where the sheet goes.
    #[command(flatten)]
    pub sheet: SheetArgs,
}

pub(super) fn run(args: ResetArgs, run: &Invocation) -> Result<(), CliError> {
    args.sheet.require_free()?;
    let request = MemberResetRequest {
        member: args.member,
        days: args.sheet.days,
    };
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.member_reset(request, watch.task())?;
    drop(watch);
    let handle = reply.member.clone();
    sheet::hand_out(run, reply, &args.sheet, "made a sheet for member", &handle)
}
