//! `casevault recovery`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use vault_core::recovery::words;

use crate::cli::later::Later;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::session::request::CardInput;

pub mod check;
pub mod restore;
pub mod split;

/// A card is some forty words; a file with more than this is none.
const LONGEST_CARD: u64 = 64 << 10;

/// What to do with recovery cards.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "a variant without words takes those of its flags, which are the manual"
)]
pub enum RecoveryCommand {
    Split(Later<split::SplitArgs>),
    Check(Later<check::CheckArgs>),
    Restore(Later<restore::RestoreArgs>),
}

pub(super) fn run(command: RecoveryCommand, run: &Invocation) -> Result<(), CliError> {
    match command {
        RecoveryCommand::Split(Later(args)) => split::run(&args, run),
        RecoveryCommand::Check(Later(args)) => check::run(&args, run),
        RecoveryCommand::Restore(Later(args)) => restore::run(&args, run),
    }
}

/// Reads cards from their files.
fn read_cards(files: &[PathBuf]) -> Result<Vec<CardInput>, CliError> {
    files.iter().map(|path| read_card(path)).collect()
}

fn read_card(path: &Path) -> Result<CardInput, CliError> {
    let text = zeroize::Zeroizing::new(Source::File(path.to_owned()).read(LONGEST_CARD)?);
    if text.trim_start().starts_with('<') {
        return Err(CliError::Usage {
            message: format!("`{}` is the page of a card, for printing", path.display()),
            hint: "name the card's `.txt` file, or a file into which you typed its words".to_owned(),
        });
    }
    Ok(CardInput {
        name: format!("`{}`", path.display()),
        words: words::find(&text).to_vec(),
    })
}
