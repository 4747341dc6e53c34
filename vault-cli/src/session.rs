//! The session: an unlocked vault, asked for whole user actions and never for a key.
//!
//! Each method takes one request and gives one serialisable reply; logging is inside, so that it cannot be stepped
//! around. A command runs this code in its own process; an agent will run the same code behind its socket.
//!
//! ```text
//! command ─ request ─> Session ─ access entry durable ─> opened ─ reply ─> printer
//! ```

mod error;
mod passphrase;
mod progress;
pub mod reply;
pub mod request;

use std::io::{BufRead, Write};

pub use error::{Kind, SessionError};
pub use passphrase::Passphrase;
pub use progress::{Cancel, Progress, Silent, Task, Unit};

use crate::places::Places;
use reply::*;
use request::*;

/// What every action answers.
pub type Result<T> = std::result::Result<T, SessionError>;

/// The newest store version that this program writes.
pub const STORE_VERSION: u32 = 1;

/// Returns the three version numbers.
pub fn versions() -> Versions {
    Versions {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        format: vault_core::wire::v1::FORMAT,
        store: STORE_VERSION,
    }
}

/// An unlocked vault of one person on one device.
#[derive(Debug)]
pub struct Session {
    _places: Places,
}

/// Stands for a body until it is there.
fn not_yet<T>(what: &'static str) -> Result<T> {
    Err(SessionError::Unavailable { what })
}

impl Session {
    /// Makes a one-person vault: agency, member, device, recovery key and an empty store.
    ///
    /// # Errors
    /// [`SessionError::AlreadyInitialised`], [`SessionError::KdfBounds`], and what the file system refuses.
    pub fn init(places: &Places, request: InitRequest, passphrase: &Passphrase) -> Result<InitReply> {
        let _ = (places, request, passphrase);
        not_yet("init")
    }

    /// Opens the vault. A wrong passphrase is counted, locally.
    ///
    /// # Errors
    /// [`SessionError::WrongPassphrase`], [`SessionError::NoVault`], [`SessionError::Refused`].
    pub fn unlock(places: &Places, passphrase: &Passphrase) -> Result<Self> {
        let _ = (places, passphrase);
        not_yet("unlock")
    }

    /// Tells what is known without a passphrase; a folder without a vault is no error.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn peek_status(places: &Places) -> Result<StatusReply> {
        let _ = places;
        not_yet("status")
    }

    /// Tells how the unlocking went.
    pub fn unlocked(&self) -> UnlockReply {
        UnlockReply {
            schema: UNLOCK,
            agent: false,
            wrong_tries: 0,
        }
    }

    /// Seals the keystore under a new passphrase, at the cost given or the one it has.
    ///
    /// # Errors
    /// [`SessionError::KdfBounds`], and what the file system refuses.
    pub fn change_passphrase(
        &mut self,
        new: &Passphrase,
        cost: Option<vault_core::crypto::passphrase::Cost>,
    ) -> Result<PassphraseReply> {
        let _ = (new, cost);
        not_yet("passphrase change")
    }

    /// Takes lines of JSON in. Malformed lines are in the reply, not an error.
    ///
    /// # Errors
    /// [`SessionError::Cancelled`], [`SessionError::DiskFull`], and what a check refuses.
    pub fn import(&mut self, input: &mut dyn BufRead, request: ImportRequest, task: Task<'_>) -> Result<ImportReply> {
        let _ = (input, request, task);
        not_yet("import")
    }

    /// Writes a worker's own copy of a case, or of all cases, to `out`.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Cancelled`], [`SessionError::Io`] when `out` fails.
    pub fn export(&mut self, request: ExportRequest, out: &mut dyn Write, task: Task<'_>) -> Result<ExportReply> {
        let _ = (request, out, task);
        not_yet("export")
    }

    /// Verifies everything that is kept. Failures are in the reply, not an error.
    ///
    /// # Errors
    /// [`SessionError::Cancelled`], and what keeps it from reading at all.
    pub fn verify(&mut self, task: Task<'_>) -> Result<VerifyReply> {
        let _ = task;
        not_yet("verify")
    }

    /// Opens a case.
    ///
    /// # Errors
    /// [`SessionError::NotFound`] for the template, [`SessionError::Malformed`] for the profile,
    /// [`SessionError::Conflict`] where its external id is here already.
    pub fn case_open(&mut self, request: CaseOpenRequest) -> Result<CaseOpenReply> {
        let _ = request;
        not_yet("case open")
    }

    /// Lists one's own caseload.
    ///
    /// # Errors
    /// [`SessionError::LogFailed`], [`SessionError::Refused`].
    pub fn case_list(&mut self, request: CaseListRequest) -> Result<CaseListReply> {
        let _ = request;
        not_yet("case list")
    }

    /// Shows a case's overview.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`], [`SessionError::Refused`].
    pub fn case_show(&mut self, request: CaseShowRequest) -> Result<CaseShowReply> {
        let _ = request;
        not_yet("case show")
    }

    /// Verifies one case's stream and records. Failures are in the reply, not an error.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Cancelled`].
    pub fn case_verify(&mut self, case: &str, task: Task<'_>) -> Result<VerifyReply> {
        let _ = (case, task);
        not_yet("case verify")
    }

    /// Closes a case.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Closed`].
    pub fn case_close(&mut self, request: CaseCloseRequest) -> Result<CaseCloseReply> {
        let _ = request;
        not_yet("case close")
    }

    /// Adds a note to a case.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Malformed`], [`SessionError::Unknown`], [`SessionError::Closed`].
    pub fn note_add(&mut self, request: NoteAddRequest) -> Result<NoteSavedReply> {
        let _ = request;
        not_yet("note add")
    }

    /// Lists the notes of a case.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Unknown`], [`SessionError::LogFailed`].
    pub fn note_list(&mut self, request: NoteListRequest) -> Result<NoteListReply> {
        let _ = request;
        not_yet("note list")
    }

    /// Shows one note.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Withdrawn`], [`SessionError::LogFailed`].
    pub fn note_show(&mut self, request: NoteShowRequest) -> Result<NoteShowReply> {
        let _ = request;
        not_yet("note show")
    }

    /// Writes a new version of a note.
    ///
    /// # Errors
    /// As [`Session::note_add`]; [`SessionError::Withdrawn`], and [`SessionError::Conflict`] where it changed meanwhile.
    pub fn note_amend(&mut self, request: NoteAmendRequest) -> Result<NoteSavedReply> {
        let _ = request;
        not_yet("note amend")
    }

    /// Shows every version of a note.
    ///
    /// # Errors
    /// As [`Session::note_show`].
    pub fn note_history(&mut self, request: NoteHistoryRequest) -> Result<NoteHistoryReply> {
        let _ = request;
        not_yet("note history")
    }

    /// Finds notes that hold a term; the search and its hits are two access entries.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Cancelled`], [`SessionError::LogFailed`].
    pub fn note_find(&mut self, request: NoteFindRequest, task: Task<'_>) -> Result<NoteFindReply> {
        let _ = (request, task);
        not_yet("note find")
    }

    /// Takes back a note: a signed erasure of its body.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::WithdrawTooLate`], [`SessionError::Withdrawn`].
    pub fn note_withdraw(&mut self, request: NoteWithdrawRequest) -> Result<NoteWithdrawReply> {
        let _ = request;
        not_yet("note withdraw")
    }

    /// Shows what was significant, in the order in which it happened.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`].
    pub fn chronology_show(&mut self, request: ChronologyRequest) -> Result<ChronologyReply> {
        let _ = request;
        not_yet("chronology show")
    }

    /// Lists decisions, the incomplete ones first.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`].
    pub fn decision_list(&mut self, request: DecisionListRequest) -> Result<DecisionListReply> {
        let _ = request;
        not_yet("decision list")
    }

    /// Lists the entries of this device's access stream.
    ///
    /// # Errors
    /// [`SessionError::LogFailed`], [`SessionError::Refused`].
    pub fn log_list(&mut self, request: LogListRequest) -> Result<LogListReply> {
        let _ = request;
        not_yet("log list")
    }

    /// Shows one entry of the access stream.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::LogFailed`], [`SessionError::Refused`].
    pub fn log_show(&mut self, request: LogShowRequest) -> Result<LogShowReply> {
        let _ = request;
        not_yet("log show")
    }

    /// Verifies the access stream: chain, signatures, segments without gaps, every entry opened.
    ///
    /// # Errors
    /// [`SessionError::Cancelled`], and what keeps it from reading at all.
    pub fn log_verify(&mut self, task: Task<'_>) -> Result<VerifyReply> {
        let _ = task;
        not_yet("log verify")
    }
}
