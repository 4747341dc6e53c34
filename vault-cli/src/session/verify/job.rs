//! What is checked of a link apart from the order of rows: signatures, seals, and what the opened records say.

use super::super::Result;
use super::super::SessionError;
use super::super::attachment::Found;
use super::super::case;
use super::super::case_keys::CaseKeys;
use super::super::case_record;
use super::super::case_record::PROFILE;
use super::super::case_record::Profile;
use super::super::reading;
use super::super::refused;
use super::index::Entry;
use super::index::Fact;
use crate::store::Content;
use crate::store::StoredRecord;
use std::collections::HashMap;
use vault_core::check::Check;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::id::CaseId;
use vault_core::id::RecordHash;
use vault_core::record;
use vault_core::secret::LocalIndexKey;
use vault_core::stream::UnverifiedLink;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;

/// One link with its records, judged in the order of rows, its signatures and seals still to be looked at.
pub(super) struct Job {
    pub(super) stream: StreamId,
    pub(super) link: UnverifiedLink,
    pub(super) signer: VerifyingKey,
    pub(super) records: Vec<(StoredRecord, RecordHash, VerifyingKey)>,
}

/// What a job found.
pub(super) struct Done {
    pub(super) stream: StreamId,
    pub(super) signatures: u64,
    pub(super) opened: u64,
    pub(super) facts: Vec<Fact>,
    pub(super) attachments: Vec<Found>,
    pub(super) failed: Option<SessionError>,
}

/// The keys that jobs open with.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    pub(super) cases: &'a HashMap<CaseId, CaseKeys>,
    pub(super) index: &'a LocalIndexKey,
}

impl Job {
    /// Checks signatures and seals; whatever is wrong is the job's failure.
    pub(super) fn check(self, keys: Keys<'_>) -> Done {
        let mut done = Done {
            stream: self.stream,
            signatures: 1,
            opened: 0,
            facts: Vec::new(),
            attachments: Vec::new(),
            failed: None,
        };
        done.failed = self.run(keys, &mut done).err();
        done
    }

    fn run(self, keys: Keys<'_>, done: &mut Done) -> Result<()> {
        // The records first: a changed one breaks its link's signature too, and is the one to name.
        for (stored, hash, author) in self.records {
            done.signatures += 1;
            let handle = stored.header.record.handle();
            let refused = refused(&handle);
            match &stored.content {
                Content::Erased { ciphertext, .. } => {
                    record::verify_erased(&stored.header, ciphertext, &stored.signature, &author).map_err(refused)?;
                    done.facts.push(Fact::Erased(stored.at.pos));
                }
                Content::Kept { .. } => {
                    let (pos, is_primary) = (stored.at.pos, stored.is_primary);
                    let (epoch, release) = (stored.epoch, stored.release);
                    let (kept, wrap) = stored.into_record()?;
                    let verified = kept.verify(&author).map_err(refused)?;
                    if verified.hash() != hash {
                        return Err(SessionError::refused(Check::Placement, handle));
                    }
                    let Some(case) = self.stream.as_case().and_then(|case| keys.cases.get(&case)) else {
                        continue;
                    };
                    let header = verified.header().clone();
                    if !case.holds(header.section, epoch) && case.is_for_others(header.section, epoch) {
                        continue;
                    }
                    let payload = case.open_record(&verified, &wrap, epoch, release)?;
                    done.opened += 1;
                    if header.class == RecordClass::Attachment {
                        done.attachments.push(Found::read(&header, payload.bytes())?);
                        continue;
                    }
                    let place = Place { pos, is_primary };
                    done.facts
                        .extend(told(self.stream, place, &header, payload.bytes(), keys)?);
                }
            }
        }
        self.link.verify_signature(&self.signer).map_err(refused(self.stream))
    }
}

/// What of a record's row no signature covers.
struct Place {
    pos: u64,
    is_primary: bool,
}

/// Reads an opened record: what it says of the index, and that it is what its row calls it.
fn told(
    stream: StreamId,
    place: Place,
    header: &vault_core::wire::v1::record::RecordHeader,
    payload: &[u8],
    keys: Keys<'_>,
) -> Result<Vec<Fact>> {
    let Place { pos, is_primary } = place;
    match header.class {
        RecordClass::Note | RecordClass::Private => {
            let handle = header.record.handle();
            let note = reading::parse(payload, &handle)?;
            let main = note.id == header.record.to_string();
            if main != is_primary {
                return Err(SessionError::refused(Check::LocalIndex, handle));
            }
            let mark = note.misfiled.as_ref().filter(|_| main).map(|mark| Fact::Misfiled {
                record: header.record,
                version: header.version,
                is_answered: mark.answer.is_some(),
            });
            let fact = if !main {
                Some(Fact::Part {
                    record: header.record,
                    version: header.version,
                    note: Box::new(note),
                })
            } else if note.parts.is_empty() {
                Entry::of_note(keys.index, pos, &note).map(Fact::Entry)
            } else {
                let note = Box::new(note);
                Some(Fact::Note { pos, note })
            };
            Ok(fact.into_iter().chain(mark).collect())
        }
        RecordClass::Admin if header.section == Section::CORE => {
            let profile: Profile = case_record::from_json(payload, PROFILE, stream)?;
            let content = case::case_content(&profile.line)?;
            let entry = |external: String| Entry::new(keys.index, pos, "case", &external, &content);
            Ok(profile.external_id.map(entry).map(Fact::Entry).into_iter().collect())
        }
        RecordClass::Admin | RecordClass::Attachment => Ok(Vec::new()),
    }
}
