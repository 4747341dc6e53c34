//! `casevault passphrase change`.

use std::path::PathBuf;

use clap::Args;

use crate::error::CliError;
use crate::invocation::Invocation;

/// Changes the passphrase
///
/// The notes are not sealed anew: the passphrase seals the keystore, and the keystore is replaced. Copies of the folder
/// that were made before still open with the old passphrase.
#[derive(Args, Debug)]
pub struct ChangeArgs {
    /// Reads the new passphrase from an open file descriptor, such as `4`
    #[arg(long, value_name = "N")]
    pub new_passphrase_fd: Option<u32>,

    /// Reads the new passphrase from a file
    #[arg(long, value_name = "FILE", conflicts_with = "new_passphrase_fd")]
    pub new_passphrase_file: Option<PathBuf>,
}

pub(super) fn run(args: ChangeArgs, run: &Invocation) -> Result<(), CliError> {
    let mut session = run.unlock()?;
    let new = run.new_passphrase(args.new_passphrase_fd, args.new_passphrase_file)?;
    let reply = session.change_passphrase(&new, None)?;
    run.ui.reply(&reply, |_| "the passphrase is changed".to_owned())?;
    run.ui
        .hint("copies of the folder that were made before still open with the old one");
    Ok(())
}
