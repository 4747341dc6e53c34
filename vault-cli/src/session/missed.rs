//! What does not open, beside what does: one bad record, label or keyring hides nothing but itself, and never silently.
//!
//! Whoever writes in a case could otherwise hide all of it from everybody by one record that opens for nobody. What is kept
//! here goes with the proof that the reading was logged ([`Logged`]) to whatever is answered. It is for what its writer made
//! so; a store that is not as it was kept is refused whole, as before.

use super::Result;
use super::SessionError;
use super::case_keys::CaseKeys;
use super::logging::Logged;
use super::reply::UnopenedRow;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use vault_core::check::Check;
use vault_core::id::CaseId;

/// What did not open, by what it is.
#[derive(Default)]
pub(super) struct Missed(Mutex<BTreeMap<String, UnopenedRow>>);

/// Whether a check is about what a writer sealed, and not about where it stands in the store.
fn is_of_writer(check: Check) -> bool {
    matches!(
        check,
        Check::TooLong
            | Check::NotCanonical
            | Check::UnknownFormat
            | Check::CiphertextLength
            | Check::KeyCommitment
            | Check::Aead
            | Check::Padding
            | Check::KeyringContext
            | Check::EpochCommitment
            | Check::SmallOrderShare
            | Check::AgeLimits
            | Check::KeyringsComplete
            | Check::Payload
            | Check::AttachmentNote
    )
}

/// Tells by which check something is refused, if a writer made it so, or if this member was not shown it.
pub(super) fn bad(error: &SessionError) -> Option<Check> {
    match error {
        SessionError::Refused { check, .. } if is_of_writer(*check) => Some(*check),
        SessionError::NotShown { .. } => Some(Check::BodyMissing),
        _ => None,
    }
}

impl Logged {
    /// Returns what was opened; notes what its writer made so that it does not open, and returns nothing for it.
    pub(super) fn opened<T>(&self, case: CaseId, of: &str, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(opened) => Ok(Some(opened)),
            Err(error) => match bad(&error) {
                Some(check) => {
                    self.miss(case, of, check);
                    Ok(None)
                }
                None => Err(error),
            },
        }
    }

    /// Notes something that does not open.
    pub(super) fn miss(&self, case: CaseId, of: &str, check: Check) {
        let row = UnopenedRow {
            of: of.to_owned(),
            case: case.handle(),
            check: check.number(),
            why: match check {
                // Nothing else that lacks its bytes is passed over.
                Check::BodyMissing => "not shown to this member, whose access to the case had ended".to_owned(),
                _ => check.cause().to_owned(),
            },
        };
        let mut missed = self.missed().0.lock().unwrap_or_else(PoisonError::into_inner);
        missed.insert(of.to_owned(), row);
    }

    /// Notes the keyrings of a case that do not open.
    pub(super) fn miss_keys(&self, case: CaseId, keys: &CaseKeys) {
        for check in keys.broken() {
            self.miss(case, &format!("keys of {}", case.handle()), *check);
        }
    }

    /// Returns what did not open.
    pub(super) fn unopened(&self) -> Vec<UnopenedRow> {
        let missed = self.missed().0.lock().unwrap_or_else(PoisonError::into_inner);
        missed.values().cloned().collect()
    }
}
