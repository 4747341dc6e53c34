//! `casevault log witness init`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::value;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session;

/// Makes a witness: a folder with a key of its own, and the line by which an agency's root names it
///
/// A witness stands apart from the server and from every vault, and sees sizes and hashes of the log alone. It asks whether
/// the log only ever grew, and signs that with the time. Members are told when nobody has for a day. Keep the folder like
/// the server's: whoever has it signs as this witness. Never put an older copy of it back.
///
/// Example: `casevault log witness init --state witness --name dpo.example`
#[derive(Args, Debug)]
pub struct InitArgs {
    /// The witness's folder, which is made
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,

    /// What it is called, one word: a host, and a path where there are several
    #[arg(long, value_name = "NAME", value_parser = value::witness_name)]
    pub name: String,
}

pub(super) fn run(args: &InitArgs, run: &Invocation) -> Result<(), CliError> {
    let reply = session::witness_init(&args.state, &args.name)?;
    run.ui.reply(&reply, render::witness::made)
}
