//! `casevault case show`.

use clap::Args;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::picker;
use crate::render;
use crate::session::request::{CaseBriefRequest, CaseShowRequest};

/// Shows what is known: background, problem, factors, plan, progress, outcome
///
/// A block of which nothing is known yet says so. With `--brief`, what to know before a session: dangers first, then every
/// step that nobody has carried out, what came of the last plan, triggers, the client's last words, the last contact, and
/// what is not recorded.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The case's handle; without it, on a terminal, the name is asked for
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// What to know before a session
    #[arg(long)]
    pub brief: bool,

    /// Everything that each block holds, and not the newest five of its notes alone
    #[arg(long, conflicts_with = "brief")]
    pub all: bool,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: ShowArgs, run: &Invocation) -> Result<(), CliError> {
    let purpose = run.purpose(args.purpose)?;
    let (mut session, case) = picker::unlock_for(run, args.case)?;
    if args.brief {
        let reply = session.case_brief(CaseBriefRequest { case, purpose })?;
        run.ui.unopened(&reply.unopened);
        return run.ui.reply(&reply, render::overview::brief);
    }
    let reply = session.case_show(CaseShowRequest {
        case: case.clone(),
        all: args.all,
        purpose,
    })?;
    run.ui.unopened(&reply.unopened);
    run.ui.reply(&reply, render::case::show)
}
