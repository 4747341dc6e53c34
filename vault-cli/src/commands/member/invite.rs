//! `casevault member invite`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::request::MemberInviteRequest;
use crate::sheet::{self, SheetArgs};

/// Invites a member: makes an enrolment sheet for paper
///
/// The sheet names the agency, what its log is now, and a secret that is used once. Hand it over on paper: whoever has it may
/// ask to join in the member's place. On the other machine `casevault member join` takes it; then `casevault member approve`
/// lets the member in. An administrator does this, in a vault that has a server.
///
/// Example: `casevault member invite --name "B. Worker" --role caseworker --out sheet.txt`
#[derive(Args, Debug)]
pub struct InviteArgs {
    /// The member's name, as colleagues will see it; sealed, as all names are
    #[arg(long, value_name = "NAME")]
    pub name: String,

    /// A role: caseworker, supervisor, duty, reviewer, dpo or administrator; may be given several times
    #[arg(long = "role", value_name = "ROLE", required = true)]
    pub roles: Vec<String>,

    /// Where the sheet goes.
    #[command(flatten)]
    pub sheet: SheetArgs,
}

pub(super) fn run(args: InviteArgs, run: &Invocation) -> Result<(), CliError> {
    args.sheet.require_free()?;
    let request = MemberInviteRequest {
        name: args.name,
        roles: args.roles,
        days: args.sheet.days,
    };
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.member_invite(request, watch.task())?;
    drop(watch);
    let handle = reply.member.clone();
    sheet::hand_out(run, reply, &args.sheet, "invited member", &handle)
}
