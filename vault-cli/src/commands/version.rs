//! `casevault --version`.

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::reply::{Schema, Versions};
use crate::session::versions;

/// The three version numbers as JSON.
#[derive(serde::Serialize)]
struct VersionReply {
    schema: Schema,
    versions: Versions,
}

pub(crate) fn run(verbose: bool, run: &Invocation) -> Result<(), CliError> {
    let reply = VersionReply {
        schema: Schema("casevault.version/1"),
        versions: versions(),
    };
    run.ui.reply(&reply, |reply| {
        let Versions { program, format, store } = &reply.versions;
        if verbose {
            format!("casevault {program}\nformat {format}\nstore {store}")
        } else {
            format!("casevault {program}")
        }
    })
}
