//! `casevault today`.

use clap::Args;

use crate::cli::Purpose;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::TodayRequest;

/// What the day holds: visits, steps due and overdue, jots, drafts, what is incomplete, cases to look at
///
/// Made of what is on this machine, and so complete without a network. Closed cases are left out. It is one entry of the
/// access log in fifteen minutes.
#[derive(Args, Debug)]
pub struct TodayArgs {
    /// Everything, and not the first few of each kind
    #[arg(long)]
    pub all: bool,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: TodayArgs, run: &Invocation) -> Result<(), CliError> {
    let request = TodayRequest {
        all: args.all,
        purpose: run.purpose(args.purpose)?,
    };
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.today(request, watch.task())?;
    run.ui.unopened(&reply.unopened);
    run.ui.reply(&reply, render::overview::today)
}
