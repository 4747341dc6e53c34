//! Which mails are on file, so that one that is filed a second time is told of before it is.
//!
//! One local sealed value (`docs/format.md` §12) holds hashes and ids of notes: a value for each mail would say by its name
//! which mails somebody has. Another device does not know it, and says afterwards that two notes are alike.

use super::Result;
use super::case_record::to_json;
use super::request::MailMark;
use crate::store::ReadTx;
use crate::store::StoredRecord;
use crate::store::WriteTx;
use serde::Deserialize;
use serde::Serialize;
use vault_core::id::CaseId;
use vault_core::id::RecordId;

/// The local value's name.
const NAME: &str = "mails";

/// So many mails are known, the last filed.
const MOST: usize = 5_000;

/// A mail, and the notes that it became.
#[derive(Serialize, Deserialize)]
struct Filed {
    #[serde(flatten)]
    mail: MailMark,
    /// Cases and notes, whole ids.
    notes: Vec<(String, String)>,
}

impl Filed {
    /// A program that sends a mail again may change its bytes, and one that saves it may leave its id out.
    fn is(&self, mail: &MailMark) -> bool {
        self.mail.sha256 == mail.sha256 || (mail.id.is_some() && self.mail.id == mail.id)
    }
}

/// Finds the note of a case that a mail became, unless it was withdrawn.
pub(super) fn filed(tx: &ReadTx<'_>, mail: &MailMark, case: CaseId) -> Result<Option<RecordId>> {
    let case = case.to_string();
    for filed in read(tx)?.iter().filter(|filed| filed.is(mail)) {
        for (_, note) in filed.notes.iter().filter(|(of, _)| *of == case) {
            let Ok(note) = note.parse::<RecordId>() else { continue };
            let versions = tx.versions(note)?;
            if !versions.is_empty() && !versions.iter().all(StoredRecord::is_erased) {
                return Ok(Some(note));
            }
        }
    }
    Ok(None)
}

/// Remembers which notes a mail became.
pub(super) fn keep(tx: &mut WriteTx<'_>, mail: &MailMark, notes: &[(CaseId, RecordId)]) -> Result<()> {
    let mut all = read(tx)?;
    all.push(Filed {
        mail: mail.clone(),
        notes: notes
            .iter()
            .map(|(case, note)| (case.to_string(), note.to_string()))
            .collect(),
    });
    let over = all.len().saturating_sub(MOST);
    all.drain(..over);
    Ok(tx.put_local(NAME, &to_json(&all)?)?)
}

/// Forgets mails of which every note was erased, or is here no more: their hashes would still say that they were on file.
pub(super) fn forget_erased(tx: &mut WriteTx<'_>) -> Result<()> {
    let mut all = read(tx)?;
    let before: usize = all.iter().map(|filed| filed.notes.len()).sum();
    for filed in &mut all {
        let mut kept = Vec::with_capacity(filed.notes.len());
        for (case, note) in filed.notes.drain(..) {
            let versions = match note.parse::<RecordId>() {
                Ok(note) => tx.versions(note)?,
                Err(_) => Vec::new(),
            };
            if !versions.iter().all(StoredRecord::is_erased) {
                kept.push((case, note));
            }
        }
        filed.notes = kept;
    }
    if all.iter().map(|filed| filed.notes.len()).sum::<usize>() == before {
        return Ok(());
    }
    all.retain(|filed| !filed.notes.is_empty());
    match all.is_empty() {
        true => Ok(tx.remove_local(NAME).map(drop)?),
        false => Ok(tx.put_local(NAME, &to_json(&all)?)?),
    }
}

/// What cannot be read is forgotten: it says nothing that anybody wrote.
fn read(tx: &ReadTx<'_>) -> Result<Vec<Filed>> {
    let value = tx.local(NAME)?;
    Ok(value
        .and_then(|value| serde_json::from_slice(&value).ok())
        .unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::session::request::NoteAddRequest;
    use crate::session::request::NoteInput;
    use crate::session::request::NoteWithdrawRequest;
    use crate::session::tests::Vault;
    use crate::session::tests::input;

    fn filed_as(vault: &mut Vault, case: &str, sha256: &str) -> String {
        let mail = MailMark {
            id: None,
            sha256: sha256.to_owned(),
        };
        let request = NoteAddRequest {
            case: case.to_owned(),
            note: NoteInput {
                mail: Some(mail),
                ..input("obs: The boiler is mended.")
            },
            ..NoteAddRequest::default()
        };
        vault.s().note_add(request).unwrap().note
    }

    fn kept(vault: &mut Vault) -> Vec<(String, usize)> {
        let all = vault.s().store.read(read).unwrap();
        all.into_iter().map(|one| (one.mail.sha256, one.notes.len())).collect()
    }

    #[test]
    fn of_a_mail_whose_notes_are_erased_nothing_is_kept() {
        let mut vault = Vault::made();
        let case = vault.case("ext-1");
        let first = filed_as(&mut vault, &case, "aa");
        let second = filed_as(&mut vault, &case, "bb");
        let mut withdraw = |note: String| {
            vault.s().note_withdraw(NoteWithdrawRequest { note }).unwrap();
            kept(&mut vault)
        };
        assert_eq!(withdraw(first), [("bb".to_owned(), 1)]);
        assert_eq!(withdraw(second), []);
        let there = vault
            .s()
            .store
            .read(|tx| Ok::<_, super::super::SessionError>(tx.local(NAME)?));
        assert!(there.unwrap().is_none());
    }
}
