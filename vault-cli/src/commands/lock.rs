//! `casevault lock`.

use clap::Args;
use serde_json::json;

use crate::agent::Connection;
use crate::error::CliError;
use crate::invocation::Invocation;

/// Locks the vault
///
/// Ends the agent, with its keys and all that it has decrypted; what it is writing is finished first. Returns when its
/// process and memory are gone, and is content where nothing was unlocked.
#[derive(Args, Debug)]
pub struct LockArgs {}

pub(super) fn run(_: &LockArgs, run: &Invocation) -> Result<(), CliError> {
    let places = run.places()?;
    // What a killed editor left in memory goes with what is unlocked; the draft has it as of two seconds before.
    drop(crate::editor::leftovers(places.home()));
    let agent = Connection::holder(&places)?;
    let was_unlocked = agent.is_some();
    if let Some(agent) = agent {
        agent.lock()?;
    }
    let reply = json!({"schema": "casevault.lock/1", "locked": true, "agent": false, "was_unlocked": was_unlocked});
    run.ui.reply(&reply, |_| match was_unlocked {
        true => "locked".to_owned(),
        false => "locked: nothing was unlocked".to_owned(),
    })
}
