//! `casevault server add`.

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::request::ServerAddRequest;

/// Names the server that this vault is sent to, and sends everything that there is
///
/// The server gets ciphertext, signatures and random ids; no name, no note and no reason. Its log key goes into the agency's
/// root, so that from then on no other server can pass for it. An administrator does this, once for an agency.
///
/// Example: `casevault server add https://vault.example`
#[derive(Args, Debug)]
pub struct AddArgs {
    /// Its address: `https://…`, or `http://…` on this machine
    #[arg(value_name = "URL", value_hint = clap::ValueHint::Url)]
    pub url: String,
}

pub(super) fn run(args: AddArgs, run: &Invocation) -> Result<(), CliError> {
    let mut session = run.unlock()?;
    let watch = run.watch()?;
    let reply = session.server_add(ServerAddRequest { url: args.url }, watch.task())?;
    drop(watch);
    run.ui.reply(&reply, render::server::added)?;
    Ok(())
}
