//! `casevault recovery restore`.

use std::path::PathBuf;

use clap::Args;

use super::read_cards;
use crate::commands::backup::restore::{open, tell};
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::Session;

/// Restores a backup with recovery cards, where the passphrase is lost
///
/// The passphrase that you give becomes the vault's new one. The run is signed by the recovery key and stays in the
/// agency's stream for all to see. After it there is a new recovery key: the cards that were used are stale, every
/// section gets a new epoch before the next writing in it, and new cards are to be made.
///
/// Example: `casevault recovery restore --cards card-1-of-3.txt,card-3-of-3.txt --backup vault.backup`
#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The files with the cards' words
    #[arg(long, value_name = "FILE,FILE", value_delimiter = ',', required = true)]
    pub cards: Vec<PathBuf>,

    /// The backup
    #[arg(long, value_name = "FILE")]
    pub backup: PathBuf,

    /// A ledger of erasures, done again before anything opens
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
}

pub(super) fn run(args: &RestoreArgs, run: &Invocation) -> Result<(), CliError> {
    let places = run.places()?;
    Session::require_restorable(&places)?;
    let cards = read_cards(&args.cards)?;
    let (mut from, request) = open(&args.backup, args.ledger.as_deref())?;
    let passphrase = run.first_passphrase()?;
    let watch = run.watch()?;
    let reply = Session::recover(&places, request, &cards, &passphrase, &mut from, watch.task())?;
    drop(watch);
    tell(&reply, run)
}
