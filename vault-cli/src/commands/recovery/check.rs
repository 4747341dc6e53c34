//! `casevault recovery check`.

use std::path::PathBuf;

use clap::Args;

use super::read_cards;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render;
use crate::session::Session;

/// Tells whether recovery cards are well formed, of one set, and of this vault's
///
/// Opens nothing and asks for no passphrase. Each card is a file with its words: numbers, line breaks, case and lines
/// that begin with `#` do not matter, and the first four letters of a word are enough.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The files with the cards' words
    #[arg(long, value_name = "FILE,FILE", value_delimiter = ',', required = true)]
    pub cards: Vec<PathBuf>,
}

pub(super) fn run(args: &CheckArgs, run: &Invocation) -> Result<(), CliError> {
    let cards = read_cards(&args.cards)?;
    let reply = Session::recovery_check(&run.places()?, &cards)?;
    run.ui.reply(&reply, render::backup::check)
}
