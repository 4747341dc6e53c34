//! The session: an unlocked vault, asked for whole user actions and never for a key.
//!
//! Each method takes one request and gives one serialisable reply; logging is inside, so that it cannot be stepped
//! around. A command runs this code in its own process; an agent runs the same code behind its socket, and keeps in
//! `known` what it verified.
//!
//! ```text
//! command ─ request ─> Session ─ access entry durable ─> opened ─ reply ─> printer
//! ```
//!
//! One file a noun: `vault` makes and opens vaults, `case`, `note_read`, `note_write`, `attachment`, `find`, `import`, `export`,
//! `verify` and `log` are the actions; `logging`, `case_keys`, `reading` and `writing` are what they stand on.

mod agency;
mod aside;
mod attachment;
mod backup;
pub(crate) mod carried;
mod case;
mod case_keys;
mod case_read;
mod case_record;
mod clock;
mod draft;
mod error;
mod export;
mod find;
mod handles;
mod household;
mod import;
mod join;
mod joined;
mod jot;
mod known;
mod log;
mod logging;
mod mails;
mod member;
mod misfiled;
mod missed;
mod namesakes;
mod note_read;
mod note_write;
mod overview;
mod passphrase;
mod pipeline;
mod profile;
mod progress;
mod random;
mod reading;
mod recovery;
mod remark;
pub mod reply;
pub mod request;
mod restore;
mod root;
mod rotation;
mod server;
mod settings;
mod stage;
mod templates;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests;
mod undoing;
mod unshown;
mod vault;
mod verify;
mod witness;
mod word;
mod writing;

pub(crate) use case_record::CLOSED;
pub(crate) use clock::in_zone;
pub(crate) use clock::today;
pub(crate) use clock::zone;
pub use error::Kind;
pub use error::SessionError;
pub(crate) use error::io_hint;
pub(crate) use logging::OVERVIEW_MINUTES;
pub use logging::PURPOSES;
pub use logging::REASON_BYTES;
pub use member::ROLES;
pub(crate) use namesakes::alike as same_name;
pub use passphrase::Passphrase;
pub use progress::Cancel;
pub use progress::Progress;
pub use progress::Silent;
pub use progress::Task;
pub use progress::Unit;
pub use templates::asked_fields;
pub use templates::case_templates;
pub use templates::closing_reasons;
pub(crate) use templates::kinds;
pub use templates::note_kinds;
pub use templates::require_template;
pub use undoing::Struck;
pub use undoing::Undoes;
pub use vault::versions;
pub use witness::Witness;
pub use witness::init as witness_init;

use self::known::Known;
use crate::places::Places;
use crate::store::Store;
use crate::store::WriteTx;
use casevault_policies::Oversight;
use casevault_policies::Set;
use std::sync::Arc;
use std::sync::OnceLock;
use vault_core::agency_state::AgencyState;
use vault_core::check::Refused;
use vault_core::context::Label;
use vault_core::crypto::hash;
use vault_core::crypto::sign::SigningKey;
use vault_core::id::DeviceId;
use vault_core::id::MemberId;
use vault_core::id::PolicyHash;
use vault_core::keystore::Secrets;
use vault_core::keystore::Unlocked;

/// What every action answers.
pub type Result<T> = std::result::Result<T, SessionError>;

/// An unlocked vault of one person on one device.
pub struct Session {
    places: Places,
    store: Store,
    holder: Holder,
    unlocked: Unlocked,
    wrong_tries: u32,
}

/// Who acts: a member on a device, with its keys and what the agency's stream says.
struct Holder {
    agency: AgencyState,
    member: MemberId,
    device: DeviceId,
    signer: SigningKey,
    secrets: Secrets,
    known: Option<Arc<Known>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Session({}, {})",
            self.holder.member.handle(),
            self.holder.device.handle()
        )
    }
}

impl Session {
    /// Writes one transaction, against the agency as the store has it now.
    fn write<T>(&mut self, f: impl FnOnce(&mut Holder, &mut WriteTx<'_>) -> Result<T>) -> Result<T> {
        let holder = &mut self.holder;
        let written = self.store.write(|tx| {
            holder.catch_up(tx)?;
            f(holder, tx)
        });
        if written.is_err() {
            // Nothing of it is kept: neither may what it did to the agency's state be.
            self.store.read(|tx| self.holder.catch_up(tx))?;
        }
        written
    }
}

/// Returns the hash of the policy set that decides here: the texts that come with the program.
fn policy_set() -> Result<PolicyHash> {
    static HASH: OnceLock<PolicyHash> = OnceLock::new();
    if let Some(hash) = HASH.get() {
        return Ok(*hash);
    }
    let mut lengths = Vec::new();
    let sources = || Set::sources().chain([Oversight::source()]);
    for text in sources() {
        let length = u32::try_from(text.len()).map_err(|e| SessionError::Bug(e.to_string()))?;
        lengths.push(length.to_be_bytes());
    }
    let parts: Vec<&[u8]> = sources()
        .zip(&lengths)
        .flat_map(|(text, length)| [length.as_slice(), text.as_bytes()])
        .collect();
    let hash = PolicyHash(hash::hash(Label::PolicySet, &parts));
    Ok(*HASH.get_or_init(|| hash))
}

/// Names what was refused.
fn refused(of: impl std::fmt::Display) -> impl Fn(Refused) -> SessionError {
    move |refused| SessionError::refused(refused.check, &of)
}
