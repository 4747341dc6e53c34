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

/// What cannot be read is forgotten: it says nothing that anybody wrote.
fn read(tx: &ReadTx<'_>) -> Result<Vec<Filed>> {
    let value = tx.local(NAME)?;
    Ok(value
        .and_then(|value| serde_json::from_slice(&value).ok())
        .unwrap_or_default())
}
