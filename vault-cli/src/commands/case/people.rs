//! `casevault case people`.

use clap::Args;

use crate::cli::{Purpose, value};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::picker;
use crate::render;
use crate::session::request::CasePeopleRequest;

/// Lists the people whom the notes of a case name, and where they come last
///
/// Who spoke, who reported something, whom a segment is about or kept from, who was there; and whom the profile and its
/// restrictions of contact name. Names are one person where they are the same words; the profile's `people` says who is what
/// to the client. Who stands in the words of a note alone is not listed: other free text is not looked through for names.
#[derive(Args, Debug)]
pub struct PeopleArgs {
    /// The case's handle; without it, on a terminal, the name is asked for
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// Why you read.
    #[command(flatten)]
    pub purpose: Purpose,
}

pub(super) fn run(args: PeopleArgs, run: &Invocation) -> Result<(), CliError> {
    let purpose = run.purpose(args.purpose)?;
    let (mut session, case) = picker::unlock_for(run, args.case)?;
    let reply = session.case_people(CasePeopleRequest { case, purpose })?;
    run.ui.unopened(&reply.unopened);
    run.ui.reply(&reply, render::overview::people)
}
