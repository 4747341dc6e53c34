//! `casevault case stale`.

use clap::Args;

use crate::cli::Purpose;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::CaseStaleRequest;

/// Lists open cases that want looking at: no contact for too long, steps past their date, visits overdue
///
/// How long is too long depends on the case's template. Contact is an interview, a visit, a call, a meeting; a note that
/// says `seen: no` is none. Visits are counted in working days.
#[derive(Args, Debug)]
pub struct StaleArgs {
    /// Only cases without contact for longer than so many days, whatever their template says
    #[arg(long, value_name = "N")]
    pub days: Option<u32>,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: StaleArgs, run: &Invocation) -> Result<(), CliError> {
    let request = CaseStaleRequest {
        days: args.days,
        purpose: run.purpose(args.purpose)?,
    };
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.case_stale(request, watch.task())?;
    run.ui.unopened(&reply.unopened);
    run.ui.reply(&reply, render::overview::stale)
}
