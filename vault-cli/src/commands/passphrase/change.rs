//! `casevault passphrase change`.

use std::path::PathBuf;

use clap::Args;
use vault_core::crypto::passphrase::Cost;

use crate::cli::value;
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

    /// The cost of a try, where it is to change.
    #[command(flatten)]
    pub cost: NewCost,
}

/// The cost of a try; what is not named is that of a new vault, and without any of these nothing changes.
#[derive(Args, Debug)]
pub struct NewCost {
    /// How much memory each try of a passphrase is to cost, from 64MiB to 2GiB
    #[arg(long, value_name = "SIZE", value_parser = value::memory_kib)]
    pub kdf_memory: Option<u32>,

    /// How many passes over that memory, from 3 to 10
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(3..=10))]
    pub kdf_passes: Option<u32>,

    /// In how many lanes, from 1 to 16
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16))]
    pub kdf_lanes: Option<u32>,
}

impl NewCost {
    fn cost(&self) -> Option<Cost> {
        let named = [self.kdf_memory, self.kdf_passes, self.kdf_lanes];
        named.iter().any(Option::is_some).then(|| {
            let usual = Cost::default();
            Cost {
                memory_kib: self.kdf_memory.unwrap_or(usual.memory_kib),
                passes: self.kdf_passes.unwrap_or(usual.passes),
                lanes: self.kdf_lanes.unwrap_or(usual.lanes),
            }
        })
    }
}

pub(super) fn run(args: ChangeArgs, run: &Invocation) -> Result<(), CliError> {
    let from = run.new_passphrase(args.new_passphrase_fd, args.new_passphrase_file)?;
    let cost = args.cost.cost();
    let mut session = run.unlock_here()?;
    let new = run.read_new(&from)?;
    let reply = session.change_passphrase(&new, cost)?;
    run.ui.reply(&reply, |_| "the passphrase is changed".to_owned())?;
    run.end_agent()?;
    run.ui
        .hint("copies of the folder that were made before still open with the old one");
    Ok(())
}
