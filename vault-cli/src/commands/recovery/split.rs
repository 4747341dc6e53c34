//! `casevault recovery split`.

mod renewing;

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::read_cards;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render::card;
use crate::session::reply::{CardsReply, UnfinishedCards};
use crate::session::request::RecoverySplitRequest;
use crate::signals::Heeded;
use crate::unlock_prompt;
use vault_core::recovery::grouped;

/// Makes recovery cards: any few of them, with a backup, restore the vault without the passphrase
///
/// Each card is written as words and as a page to print. Print them, give each to another person, and wipe the files.
/// The cards are read back and proved to give the key; once you have said that they are printed, the key leaves this
/// machine, and exists on the cards alone. Make a backup after that. What is stopped before that leaves no card behind.
/// An agent that holds the vault open is ended, because it has the key in its memory: `casevault unlock` starts it anew.
///
/// With `--new-key` an administrator makes cards of a new recovery key, which stands in the place of the one whose cards are lost
/// or were used. Where one administrator signs the root, it is in force at once; where more do, the proposal that names it goes to
/// the file of `--out`, for `casevault agency endorse`, and until enough have signed the older cards are the ones.
#[derive(Args, Debug)]
pub struct SplitArgs {
    /// The folder for the cards, made if it is not there: best one in memory, or on a stick that you wipe
    #[arg(long, value_name = "DIR")]
    pub out_dir: PathBuf,

    /// How many cards give the key
    #[arg(long, value_name = "K", default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=16))]
    pub threshold: u8,

    /// How many cards there are
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=16))]
    pub shares: u8,

    /// Makes cards of a new recovery key, which is put in the place of the one in force
    #[arg(long)]
    pub new_key: bool,

    /// The file for the proposal of the new key, where others have to sign it too
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, requires = "new_key")]
    pub out: Option<PathBuf>,

    /// Says that the cards are, or will be, printed: the key leaves this machine without a question
    #[arg(long)]
    pub yes: bool,
}

pub(super) fn run(args: &SplitArgs, run: &Invocation) -> Result<(), CliError> {
    if args.threshold > args.shares {
        return Err(CliError::Usage {
            message: format!(
                "{} cards cannot be needed where there are {}",
                args.threshold, args.shares
            ),
            hint: "give `--threshold` at most `--shares`".to_owned(),
        });
    }
    if !args.yes && !unlock_prompt::can_ask() {
        return Err(CliError::NeedsFlag {
            what: "that the cards are printed",
            flag: "`--yes`",
        });
    }
    let mut session = run.unlock_here()?;
    if args.new_key {
        return renewing::run(args, run, session);
    }
    // From here on a signal is heeded between two steps: there are no cards afterwards, or all of them with the key gone.
    let stopped = Stopped::heed()?;
    let cards = session.recovery_cards(RecoverySplitRequest {
        threshold: args.threshold,
        shares: args.shares,
        folder: absolute(&args.out_dir),
    })?;
    let written = Files::write(&args.out_dir, &cards, &stopped);
    // What is proved is what lies on the disk, not what was in memory.
    let read = written.and_then(|files| Ok((read_cards(&files.texts)?, files)));
    let (read, files) = match read.and_then(|read| stopped.check().map(|()| read)) {
        Ok(read) => read,
        Err(error) => {
            // Their files are gone with the error. A set that stays listed is told of for nothing, which harms nobody.
            let _ = session.recovery_taken_back(&cards.set);
            return Err(error);
        }
    };
    let question = format!(
        "{} cards are in {}. Print the pages now, and look at each.\nAre all of them printed? Then the key leaves this \
         machine. [yes/no] ",
        args.shares,
        args.out_dir.display()
    );
    let is_printed = match args.yes {
        true => Ok(true),
        false => run.confirm(&question, "that the cards are printed", "`--yes`"),
    };
    let is_printed = is_printed.inspect_err(|_| {
        run.ui.note(&format!(
            "no cards were made: their files are removed, and the recovery key stays where it was; what was printed of set {} gives \
             the key too, so burn it",
            grouped(&cards.set)
        ));
    })?;
    if !is_printed {
        return Err(CliError::Usage {
            message: "no cards were made; the files are removed and the recovery key stays where it was".to_owned(),
            hint: "burn what was printed, which gives the key too; run it again when a printer is at hand".to_owned(),
        });
    }
    stopped.check()?;
    let confirmed = session.recovery_confirm(&read);
    if confirmed.is_err() && session.recovery_key_is_kept() != Some(true) {
        // Wherever the key may be gone from the keystore, the cards are all that is left of it.
        files.keep();
        confirmed?;
        return Ok(());
    }
    let mut reply = confirmed?;
    reply.files = files.keep();
    let ended = run.end_agent();
    let rest = format!(
        "{} of {} cards give the key; it is no longer on this machine",
        reply.threshold, reply.shares
    );
    let own = grouped(&reply.set);
    run.ui.made(&reply, "made recovery cards of set", &own, &rest)?;
    // The cards are made, whatever comes of an agent that has the key in its memory.
    if let Err(error) = ended {
        run.ui.hint(&format!(
            "an agent may still hold the key in memory ({error}): `casevault lock` ends it"
        ));
    }
    for earlier in &reply.unfinished {
        let set = grouped(&earlier.set);
        let left = left_of(earlier);
        let files = match left.as_slice() {
            [] => format!("no file of them is left in `{}`", earlier.folder),
            left => format!("wipe {}", left.join(", ")),
        };
        run.ui.note(&format!(
            "void: the cards of set {set}, begun {} and not finished. {files}. Burn what was printed of them: they give the same key",
            crate::render::time(&earlier.begun_at),
        ));
    }
    if !reply.unfinished.is_empty() {
        run.ui.note(&format!(
            "in force: the cards of set {own}, made just now; each card says its set"
        ));
    }
    run.ui.hint(&format!(
        "see that the cards of set {own} are printed, then wipe their files in {}; copies of the vault's folder from before now \
         still hold the key",
        args.out_dir.display()
    ));
    Ok(())
}

/// Finds the files that are left of cards that were begun: those in their folder that say their set. What cannot be looked at is
/// taken for gone.
fn left_of(begun: &UnfinishedCards) -> Vec<String> {
    let set = grouped(&begun.set);
    let entries = std::fs::read_dir(&begun.folder).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let says = || std::fs::read_to_string(path).is_ok_and(|text| zeroize::Zeroizing::new(text).contains(&set));
        name.starts_with("card-") && says()
    });
    let mut files: Vec<String> = files.map(|path| path.display().to_string()).collect();
    files.sort();
    files
}

/// Whether a signal asked to stop; until this is dropped, that is all that a signal does.
struct Stopped {
    flag: Arc<AtomicBool>,
    _heeded: Vec<Heeded>,
}

impl Stopped {
    fn heed() -> Result<Self, CliError> {
        let flag = Arc::new(AtomicBool::new(false));
        let heeded: std::io::Result<Vec<Heeded>> = [SIGINT, SIGTERM, SIGHUP]
            .into_iter()
            .map(|signal| Heeded::by_flag(signal, Arc::clone(&flag)))
            .collect();
        let _heeded = heeded.map_err(|e| CliError::io("could not listen to signals", e))?;
        Ok(Self { flag, _heeded })
    }

    fn check(&self) -> Result<(), CliError> {
        match self.flag.load(Ordering::Relaxed) {
            true => Err(CliError::Interrupted),
            false => Ok(()),
        }
    }
}

/// Names a folder so that it can be found from elsewhere.
fn absolute(folder: &Path) -> String {
    let absolute = std::path::absolute(folder);
    absolute.as_deref().unwrap_or(folder).display().to_string()
}

/// Files with cards; removed again unless they are kept.
struct Files {
    texts: Vec<PathBuf>,
    made: Vec<PathBuf>,
    kept: bool,
}

impl Files {
    fn write(folder: &Path, cards: &CardsReply, stopped: &Stopped) -> Result<Self, CliError> {
        let mut files = Self {
            texts: Vec::new(),
            made: Vec::new(),
            kept: false,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|e| CliError::io(format!("could not make `{}`", folder.display()), e))?;
        for one in &cards.cards {
            let name = format!("card-{}-of-{}", one.number, cards.shares);
            let text = folder.join(format!("{name}.txt"));
            files.put(&text, card::text(cards, one).as_bytes())?;
            files.texts.push(text);
            files.put(&folder.join(format!("{name}.html")), card::page(cards, one).as_bytes())?;
            stopped.check()?;
        }
        // The folder may be new itself.
        let above = folder.canonicalize();
        let synced = crate::part::sync(folder).and_then(|()| match above?.parent() {
            Some(above) => crate::part::sync(above),
            None => Ok(()),
        });
        synced.map_err(|e| CliError::io(format!("could not write `{}`", folder.display()), e))?;
        Ok(files)
    }

    fn put(&mut self, path: &Path, bytes: &[u8]) -> Result<(), CliError> {
        let failed = |e| CliError::io(format!("could not write `{}`", path.display()), e);
        // A card that is there already may be somebody's only one.
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = opened.map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => CliError::Usage {
                message: format!("`{}` is there already", path.display()),
                hint: "name another folder; nothing was changed. As long as `casevault status` says that the recovery key waits, \
                       no cards are in force, and those there are of a command that was cut off: wipe them once others are made"
                    .to_owned(),
            },
            _ => failed(e),
        })?;
        self.made.push(path.to_owned());
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
    }

    fn keep(mut self) -> Vec<String> {
        self.kept = true;
        self.made.iter().map(|path| path.display().to_string()).collect()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if !self.kept {
            for path in &self.made {
                // One that stays says itself what it is.
                let _ = std::fs::remove_file(path);
            }
        }
    }
}
