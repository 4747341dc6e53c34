//! One run of the command: its flags, its printer, and who reads standard input.

use std::cell::Cell;
use std::io::BufRead;
use std::path::PathBuf;

use std::os::fd::AsFd;

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::agent::{Connection, Vault};
use crate::cli::{Everywhere, Purpose};
use crate::error::CliError;
use crate::input::Source;
use crate::keys::Keys;
use crate::places::Places;
use crate::session::request::ReadPurpose;
use crate::session::{Cancel, Passphrase, Progress, Session, SessionError, Task};
use crate::signals::Heeded;
use crate::ui::Ui;
use crate::unlock_prompt::{self, Origin};

/// The longest reason for a reading, in bytes.
const LONGEST_REASON: u64 = 240;

/// So often a prompt asks for a passphrase before a wrong one ends the command.
const TRIES: u32 = 3;

/// A passphrase of fewer characters is called short.
const SHORT: usize = 12;

/// One run of the command.
#[derive(Debug)]
pub struct Invocation {
    /// The printer.
    pub ui: Ui,
    everywhere: Everywhere,
    passphrase_file: Option<PathBuf>,
    stdin_taken: Cell<Option<&'static str>>,
}

impl Invocation {
    /// Takes the flags and the environment.
    pub fn new(everywhere: Everywhere) -> Self {
        let passphrase_file = std::env::var_os(unlock_prompt::FILE_VARIABLE).filter(|name| !name.is_empty());
        everywhere.color.hold();
        let ui = match everywhere.no_pager {
            true => Ui::new(everywhere.json).without_pager(),
            false => Ui::new(everywhere.json),
        };
        Self {
            ui,
            everywhere,
            passphrase_file: passphrase_file.map(PathBuf::from),
            stdin_taken: Cell::new(None),
        }
    }

    /// Finds the vault's folder.
    ///
    /// # Errors
    /// [`CliError::Io`] where no folder is named and there is no home directory.
    pub fn places(&self) -> Result<Places, CliError> {
        let named = self
            .everywhere
            .home
            .as_deref()
            .filter(|home| !home.as_os_str().is_empty());
        Places::find(named)
            .map_err(|e| CliError::io("could not find the home directory; name a folder with `--home DIR`", e))
    }

    fn passphrase_from(&self) -> Origin {
        Origin::choose(self.everywhere.passphrase_fd, self.passphrase_file.clone())
    }

    /// Reads the passphrase and opens something with it. A prompt asks again after a wrong one: what a person types anew by
    /// reflex would go to the shell, in clear, and into its history. A file or a descriptor says the same each time.
    ///
    /// # Errors
    /// As [`Origin::read`] and `open`, and [`CliError::StdinTwice`].
    pub fn with_passphrase<T>(&self, mut open: impl FnMut(&Passphrase) -> Result<T, CliError>) -> Result<T, CliError> {
        let from = self.passphrase_from();
        self.claim(from.is_stdin(), "the passphrase")?;
        let mut left = if from == Origin::Prompt { TRIES } else { 1 };
        loop {
            left -= 1;
            match from.read("Passphrase: ").and_then(|passphrase| open(&passphrase)) {
                Err(CliError::Session(SessionError::WrongPassphrase | SessionError::BackupLocked)) if left > 0 => {
                    self.ui.note("the passphrase is wrong; try again");
                }
                other => return other,
            }
        }
    }

    /// Reads the passphrase of a vault that is to be made; a prompt asks twice.
    ///
    /// # Errors
    /// As [`Origin::read_new`], and [`CliError::StdinTwice`].
    pub fn first_passphrase(&self) -> Result<Passphrase, CliError> {
        let from = self.passphrase_from();
        self.claim(from.is_stdin(), "the passphrase")?;
        self.read_new(&from)
    }

    /// Finds where a passphrase that is to replace the vault's own will come from, before anything is done.
    ///
    /// # Errors
    /// [`CliError::StdinTwice`], and [`CliError::NeedsFlag`] without a terminal.
    pub fn new_passphrase(&self, descriptor: Option<u32>, file: Option<PathBuf>) -> Result<Origin, CliError> {
        let from = Origin::choose(descriptor, file);
        self.claim(from.is_stdin(), "the new passphrase")?;
        if from == Origin::Prompt && !unlock_prompt::can_ask() {
            return Err(CliError::NeedsFlag {
                what: "the new passphrase",
                flag: "`--new-passphrase-fd N` or `--new-passphrase-file FILE`",
            });
        }
        let old = self.passphrase_from();
        if old.is_stdin() && from.is_stdin()
            || matches!((&old, &from), (Origin::Descriptor(a), Origin::Descriptor(b)) if a == b)
        {
            return Err(CliError::StdinTwice {
                first: "the passphrase",
                second: "the new passphrase",
            });
        }
        Ok(from)
    }

    /// Reads a passphrase that is to be set, and says so where it is short, before it is taken.
    ///
    /// # Errors
    /// As [`Origin::read_new`].
    pub fn read_new(&self, from: &Origin) -> Result<Passphrase, CliError> {
        from.read_new("New passphrase: ", &|passphrase| {
            let length = passphrase.expose().chars().count();
            let is_short = length < SHORT;
            if is_short {
                self.ui.hint(&format!(
                    "this passphrase has {length} characters, and whoever has the folder can try many: take four words or \
                     more that nobody else would put together, {SHORT} characters at least"
                ));
            }
            is_short
        })
    }

    /// Reaches the vault: through the agent that holds it open, or unlocked here for this command.
    ///
    /// # Errors
    /// As [`Invocation::unlock_here`].
    pub fn unlock(&self) -> Result<Vault, CliError> {
        let mut vault = match self.agent()? {
            Some(agent) => Vault::Agent(agent),
            None => Vault::Here(Box::new(self.unlock_here()?)),
        };
        crate::writing::take_leftovers(self, &self.places()?, &mut vault);
        Ok(vault)
    }

    /// Finds the agent that holds the vault open, if there is one, it speaks this version and it is wanted.
    ///
    /// # Errors
    /// As [`Invocation::places`].
    pub fn agent(&self) -> Result<Option<Connection>, CliError> {
        if self.everywhere.no_agent {
            return Ok(None);
        }
        // One that cannot be reached is as none: the passphrase does it too.
        let found = Connection::find(&self.places()?).unwrap_or_default();
        if found.as_ref().is_some_and(|agent| !agent.is_same_version()) {
            self.ui.note(
                "the agent that runs is of another version and is not asked; `casevault unlock` starts a new one",
            );
            return Ok(None);
        }
        Ok(found)
    }

    /// Unlocks the vault in this process, with its passphrase, whether or not an agent holds it open.
    ///
    /// # Errors
    /// As [`Invocation::with_passphrase`] and [`Session::unlock`].
    pub fn unlock_here(&self) -> Result<Session, CliError> {
        let places = self.vault()?;
        let session = self.with_passphrase(|passphrase| Ok(Session::unlock(&places, passphrase)?))?;
        self.tell_wrong_tries(&places, session.wrong_tries());
        Ok(session)
    }

    /// Tells of wrong passphrases, once; whoever asked for JSON reads the count in the reply.
    pub fn tell_wrong_tries(&self, places: &Places, wrong_tries: u32) {
        if wrong_tries > 0 && !self.everywhere.json {
            self.ui.note(&format!(
                "{} wrong before this one; if that was not you, change the passphrase",
                crate::render::count(u64::from(wrong_tries), "passphrase was", "passphrases were")
            ));
            Session::told_of_wrong_tries(places);
        }
    }

    /// Ends the agent after the keystore was written anew: what it holds is not what the vault has now.
    ///
    /// # Errors
    /// As [`Connection::lock`].
    pub fn end_agent(&self) -> Result<(), CliError> {
        if let Some(agent) = Connection::holder(&self.places()?)? {
            agent.lock()?;
            self.ui.note("the agent is ended; `casevault unlock` starts it anew");
        }
        Ok(())
    }

    /// Tells whether an agent is to be left alone.
    pub fn no_agent(&self) -> bool {
        self.everywhere.no_agent
    }

    /// Finds the vault's folder and refuses one without a vault, before anybody types into the void.
    ///
    /// # Errors
    /// [`SessionError::NoVault`].
    pub fn vault(&self) -> Result<Places, CliError> {
        let places = self.places()?;
        if places.keystore().exists() {
            return Ok(places);
        }
        let home = places.home().display().to_string();
        if Session::is_joining(&places) {
            let device = Session::joining_device(&places)?.handle();
            return Err(SessionError::NotEnrolled { home, device }.into());
        }
        Err(SessionError::NoVault { home }.into())
    }

    /// Notes that standard input is read for something, and refuses a second reader.
    fn claim(&self, is_stdin: bool, what: &'static str) -> Result<(), CliError> {
        if !is_stdin {
            return Ok(());
        }
        match self.stdin_taken.replace(Some(what)) {
            None => Ok(()),
            Some(first) => Err(CliError::StdinTwice { first, second: what }),
        }
    }

    /// Refuses, before anything is done, what would read standard input for the passphrase as well.
    fn claim_text(&self, source: &Source, what: &'static str) -> Result<(), CliError> {
        self.claim(source.is_stdin(), what)?;
        if source.is_stdin() && self.passphrase_from().is_stdin() {
            return Err(CliError::StdinTwice {
                first: what,
                second: "the passphrase",
            });
        }
        Ok(())
    }

    /// Tells whether a text could be typed here.
    pub fn can_type() -> bool {
        std::io::IsTerminal::is_terminal(&std::io::stdin()) && unlock_prompt::can_ask()
    }

    /// Unlocks, and reads what a command is given: before unlocking where `source` names it, and after where it is to be
    /// typed, because a mistyped passphrase would throw away what was written.
    ///
    /// # Errors
    /// As [`Invocation::unlock`] and `read`.
    pub fn unlock_and_read<T>(
        &self,
        source: Option<&Source>,
        read: impl FnOnce() -> Result<T, CliError>,
    ) -> Result<(Vault, T), CliError> {
        if source.is_none() && Self::can_type() {
            let session = self.unlock()?;
            return Ok((session, read()?));
        }
        let text = read()?;
        Ok((self.unlock()?, text))
    }

    /// Unlocks for a question that is asked afterwards; where nobody can be asked, it is refused before.
    ///
    /// # Errors
    /// As [`Invocation::unlock`]; [`CliError::NeedsFlag`] without a terminal.
    pub fn unlock_to_ask(&self, what: &'static str, flag: &'static str) -> Result<Vault, CliError> {
        if !unlock_prompt::can_ask() {
            return Err(CliError::NeedsFlag { what, flag });
        }
        self.unlock()
    }

    /// Unlocks for what is to be typed, which is asked for afterwards: a mistyped passphrase would throw it away. Where
    /// nobody can type, it is refused before.
    ///
    /// # Errors
    /// As [`Invocation::unlock`]; [`CliError::NeedsFlag`] without a terminal.
    pub fn unlock_to_write(&self, drafts: &crate::commands::note::DraftFlags) -> Result<Vault, CliError> {
        if drafts.draft.is_some() && !Self::can_type() {
            return Err(CliError::NoTerminalForDraft);
        }
        if drafts.discard_draft.is_none() && !Self::can_type() {
            let (what, flag) = ("the note", "`--file FILE`, or `--file -` for standard input");
            return Err(CliError::NeedsFlag { what, flag });
        }
        self.unlock()
    }

    /// Reads a text of at most `limit` bytes from where it is named; without a name, from a terminal until end of file.
    ///
    /// # Errors
    /// As [`Source::read`], [`CliError::StdinTwice`], and [`CliError::NeedsFlag`] without a name and a terminal.
    pub fn text(&self, source: Option<&Source>, what: &'static str, limit: u64) -> Result<String, CliError> {
        let asked = source.is_none();
        let source = source.unwrap_or(&Source::Stdin);
        if asked {
            if !Self::can_type() {
                let flag = "`--file FILE`, or `--file -` for standard input";
                return Err(CliError::NeedsFlag { what, flag });
            }
            self.ui
                .prompt(&format!("Type {what}, then Ctrl-D on a line of its own:"));
        }
        self.claim_text(source, what)?;
        match asked {
            true => read_typed(what, limit, &mut |_| ()),
            false => source.read(limit),
        }
    }

    /// Reads a file or standard input whole, whatever it holds, up to `limit` bytes.
    ///
    /// # Errors
    /// As [`Source::read_bytes`], and [`CliError::StdinTwice`].
    pub fn bytes(&self, source: &Source, what: &'static str, limit: u64) -> Result<Vec<u8>, CliError> {
        self.claim_text(source, what)?;
        source.read_bytes(limit)
    }

    /// Reads what is typed on the terminal until end of file, and hands it on as far as it is after each line.
    ///
    /// # Errors
    /// As [`Invocation::text`].
    pub fn typed(&self, what: &'static str, limit: u64, so_far: &mut dyn FnMut(&str)) -> Result<String, CliError> {
        if !Self::can_type() {
            let flag = "`--file FILE`, or `--file -` for standard input";
            return Err(CliError::NeedsFlag { what, flag });
        }
        self.ui.prompt(&format!(
            "Type {what}, as many lines as it takes. Ctrl-D on a line of its own ends it; Ctrl-C leaves, and what was typed stays a draft:"
        ));
        self.claim_text(&Source::Stdin, what)?;
        read_typed(what, limit, so_far)
    }

    /// Opens an input that is read line by line.
    ///
    /// # Errors
    /// As [`Source::open`], and [`CliError::StdinTwice`].
    pub fn lines(&self, source: &Source, what: &'static str) -> Result<(Box<dyn BufRead>, Option<u64>), CliError> {
        self.claim_text(source, what)?;
        source.open()
    }

    /// Asks a question on the terminal; the answer is shown while it is typed.
    ///
    /// # Errors
    /// [`CliError::NeedsFlag`] without a terminal; [`CliError::NoAnswer`] at the end of input (Ctrl-D);
    /// [`CliError::Interrupted`].
    pub fn ask(&self, question: &str, what: &'static str, flag: &'static str) -> Result<String, CliError> {
        if !unlock_prompt::can_ask() {
            return Err(CliError::NeedsFlag { what, flag });
        }
        self.vault()?;
        match crate::keys::line(question)? {
            Some(answer) => Ok(answer.trim().to_owned()),
            None => Err(CliError::NoAnswer { what, flag }),
        }
    }

    /// Asks on the terminal whether to go on: yes is `y` or `yes`, and all else, and the end of input, is no.
    ///
    /// # Errors
    /// [`CliError::NeedsFlag`] without a terminal; [`CliError::Interrupted`].
    pub fn confirm(&self, question: &str, what: &'static str, flag: &'static str) -> Result<bool, CliError> {
        match self.ask(question, what, flag) {
            Ok(answer) => Ok(["yes", "y"].contains(&answer.to_lowercase().as_str())),
            Err(CliError::NoAnswer { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads why somebody reads.
    ///
    /// # Errors
    /// As [`Invocation::text`].
    pub fn purpose(&self, purpose: Purpose) -> Result<ReadPurpose, CliError> {
        let reason = match &purpose.reason_file {
            // One more for a line break at the end, which is left out.
            Some(source) => Some(self.text(Some(source), "the reason", LONGEST_REASON + 1)?),
            None => None,
        };
        let reason = reason.map(|text| text.trim_end_matches(['\n', '\r']).to_owned());
        if reason.as_ref().is_some_and(|text| text.len() as u64 > LONGEST_REASON) {
            let what = "the reason".to_owned();
            let limit = LONGEST_REASON;
            return Err(SessionError::TooLong { what, limit }.into());
        }
        Ok(ReadPurpose {
            code: purpose.purpose,
            reason: reason.filter(|text| !text.is_empty()),
        })
    }

    /// Begins a long action: its progress is shown, and a signal stops it between two units of work. A second signal
    /// ends the process at once.
    ///
    /// # Errors
    /// [`CliError::Io`] where signals cannot be listened to.
    pub fn watch(&self) -> Result<Watch, CliError> {
        let cancel = Cancel::default();
        let heeded: std::io::Result<Vec<Heeded>> = [SIGINT, SIGTERM]
            .into_iter()
            .map(|signal| Heeded::once(signal, cancel.flag()))
            .collect();
        Ok(Watch {
            progress: self.ui.progress(),
            cancel,
            _heeded: heeded.map_err(|e| CliError::io("could not listen to signals", e))?,
        })
    }
}

/// How a long action is watched; lives as long as the action.
pub struct Watch {
    progress: Box<dyn Progress>,
    cancel: Cancel,
    _heeded: Vec<Heeded>,
}

impl Watch {
    /// Returns what the session is given.
    pub fn task(&self) -> Task<'_> {
        Task {
            progress: self.progress.as_ref(),
            cancel: &self.cancel,
        }
    }
}

/// Reads what is typed on standard input, a terminal, until its end, and hands it on as far as it is after each line.
fn read_typed(what: &str, limit: u64, so_far: &mut dyn FnMut(&str)) -> Result<String, CliError> {
    let stdin = std::io::stdin();
    let keys = Keys::of(stdin.as_fd())?;
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let read = keys.read(&mut piece)?;
        if read == 0 {
            break;
        }
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
        if bytes.len() as u64 > limit {
            let what = what.to_owned();
            return Err(SessionError::TooLong { what, limit }.into());
        }
        so_far(&String::from_utf8_lossy(&bytes));
    }
    keys.end()?;
    String::from_utf8(bytes).map_err(|e| CliError::NotUtf8 {
        what: "what was typed".to_owned(),
        offset: e.utf8_error().valid_up_to(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn with_passphrase_on_stdin() -> Invocation {
        let everywhere = Everywhere {
            passphrase_fd: Some(0),
            ..Everywhere::default()
        };
        Invocation {
            passphrase_file: None,
            ..Invocation::new(everywhere)
        }
    }

    #[test]
    fn one_standard_input_gives_one_thing() {
        let run = with_passphrase_on_stdin();
        let refused = run.text(Some(&Source::Stdin), "the note", 9).unwrap_err();
        assert!(matches!(
            refused,
            CliError::StdinTwice {
                first: "the note",
                second: "the passphrase"
            }
        ));
        let run = with_passphrase_on_stdin();
        let refused = run.new_passphrase(Some(0), None).unwrap_err();
        assert!(matches!(
            refused,
            CliError::StdinTwice {
                first: "the passphrase",
                second: "the new passphrase"
            }
        ));
    }

    #[test]
    fn a_reason_has_at_most_240_bytes() {
        let run = Invocation::new(Everywhere::default());
        let purpose = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            run.purpose(Purpose {
                purpose: Some("casework".into()),
                reason_file: Some(Source::File(file.path().to_owned())),
            })
        };
        let read = purpose("review due\n").unwrap();
        assert_eq!(read.reason.as_deref(), Some("review due"));
        assert_eq!(purpose(&"a".repeat(240)).unwrap().reason.unwrap().len(), 240);
        assert!(matches!(
            purpose(&"a".repeat(241)),
            Err(CliError::Session(SessionError::TooLong { limit: 240, .. }))
        ));
    }
}
