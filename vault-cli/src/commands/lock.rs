//! `casevault lock`.

use serde_json::json;

use crate::error::CliError;
use crate::invocation::Invocation;

pub(super) fn run(run: &Invocation) -> Result<(), CliError> {
    // What a killed editor left in memory goes with what is unlocked; the draft has it as of two seconds before.
    drop(crate::editor::leftovers(run.places()?.home()));
    // Without an agent nothing stays unlocked after the command that unlocked it.
    let reply = json!({"schema": "casevault.lock/1", "locked": true, "agent": false});
    run.ui.reply(&reply, |_| "locked: nothing was unlocked".to_owned())
}
