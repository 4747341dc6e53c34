//! What is remarked of a note when it is filed: one of the same words that is there already, a speaker who may be either of
//! two people.

use super::Holder;
use super::Result;
use super::SessionError;
use super::clock;
use super::logging::Logged;
use super::request::NoteInput;
use crate::note_input;
use crate::store::WriteTx;
use casevault_policies::Set;
use vault_core::id::CaseId;
use vault_core::id::RecordId;
use vault_core::note::Note;
use vault_core::note::SegmentKind;
use vault_core::note::client::CLIENT;
use vault_core::note::client::short_names;
use vault_core::note::extra::RawJson;
use vault_core::note::people;
use vault_core::wire::v1::stream::StreamId;

/// So many of a case's last notes are looked at for one that says the same.
const LOOKED_AT: usize = 4;

/// So many of a case's last notes are looked at for others who have the client's first name.
const LOOKED_AT_FOR_NAMES: usize = 32;

/// A note of the same words that was written down so many minutes ago is one that is saved a second time.
const LATELY_MINUTES: i64 = 10;

/// Says that a speaker may be one of two people.
pub(super) fn of_two(name: &str) -> String {
    format!(
        "`said {name}:` may be the client or somebody else of this case with that first name, and counts as neither's words: \
         write `client`, or the whole name"
    )
}

/// Lists what is doubtful in a new note, and is saved all the same; `template` is the case's, `ambiguous` a name that two
/// people have.
pub(super) fn of_new(
    input: &NoteInput,
    template: Option<&str>,
    note: &Note,
    ambiguous: Option<&str>,
    set: &Set,
) -> Result<Vec<String>> {
    let mut doubts = note_input::doubts(&input.text, note, set, &clock::here());
    doubts.extend(note_input::other_headings(input, template, note, set)?);
    doubts.extend(ambiguous.map(of_two));
    doubts.extend(note_input::past_due(note, None, clock::today()));
    doubts.extend(note_input::due_in_words(note, &clock::here()));
    Ok(doubts)
}

impl Holder {
    /// Finds a note that says the same, among the last of the case: one visit that was saved twice. What happened just now
    /// cannot have been saved before.
    pub(super) fn same_note(&self, tx: &WriteTx<'_>, case: CaseId, note: &Note) -> Result<Option<RecordId>> {
        if note.occurred_at == note.authored_at {
            return Ok(None);
        }
        self.newest_as(tx, case, note, |before| before.occurred_at == note.occurred_at)
    }

    /// Finds a note of the same words that was written down in the last minutes, whenever it says that it happened: one
    /// that is saved a second time.
    pub(super) fn saved_lately(&self, tx: &WriteTx<'_>, case: CaseId, note: &Note) -> Result<Option<RecordId>> {
        let now = clock::now();
        self.newest_as(tx, case, note, |before| {
            let age = before
                .authored_at
                .as_ref()
                .map(|at| now.duration_since(at.instant()).as_mins());
            age.is_some_and(|age| (0..LATELY_MINUTES).contains(&age))
        })
    }

    fn newest_as(
        &self,
        tx: &WriteTx<'_>,
        case: CaseId,
        note: &Note,
        fits: impl Fn(&Note) -> bool,
    ) -> Result<Option<RecordId>> {
        let newest = tx.newest_notes_of(StreamId::case(case), LOOKED_AT)?;
        if newest.is_empty() {
            return Ok(None);
        }
        let keys = self.case_keys(tx, case)?;
        // Nothing of them is shown but that they are the same as what is written; the link that follows is the entry.
        let logged = Logged::by_link();
        let words = |note: &Note| -> Vec<(SegmentKind, String)> {
            note.segments.iter().map(|s| (s.kind, s.text.clone())).collect()
        };
        for record in newest {
            let before = match self.read_note(tx, &keys, record, None, &logged) {
                Ok(read) => read.note,
                Err(SessionError::Withdrawn { .. }) => continue,
                Err(error) => return Err(error),
            };
            let is_same =
                before.misfiled.is_none() && before.kind == note.kind && fits(&before) && words(&before) == words(note);
            if is_same {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Finds a speaker who is called by the client's first name, where somebody else of the case has it too: of the profile,
    /// the note itself, or the case's last notes.
    pub(super) fn ambiguous_speaker(&self, tx: &WriteTx<'_>, case: CaseId, note: &Note) -> Result<Option<String>> {
        let speakers = note.segments.iter().filter_map(|segment| segment.speaker.as_deref());
        let single: Vec<&str> = speakers.filter(|name| !name.trim().contains(' ')).collect();
        if single.iter().all(|name| name.eq_ignore_ascii_case(CLIENT)) {
            return Ok(None);
        }
        let keys = self.case_keys(tx, case)?;
        // Nothing is shown of what is read but that the name is somebody else's too; the link that follows is the entry.
        let logged = Logged::by_link();
        let records = self.case_records(tx, &keys, &logged)?;
        let label = records.label.label;
        let first = short_names(label.as_deref(), None, []);
        let Some(said) = single.into_iter().find(|name| first.contains(&name.to_lowercase())) else {
            return Ok(None);
        };
        let mut notes = vec![note.clone()];
        for record in tx.newest_notes_of(StreamId::case(case), LOOKED_AT_FOR_NAMES)? {
            match self.read_note(tx, &keys, record, None, &logged) {
                Ok(read) if read.note.misfiled.is_none() => notes.push(read.note),
                Ok(_) | Err(SessionError::Withdrawn { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let profile = records.profile.line.profile.as_ref().map(RawJson::value);
        let others = people::named(profile.as_ref(), notes.iter());
        let own = short_names(label.as_deref(), None, others.iter().map(String::as_str));
        Ok((!own.contains(&said.to_lowercase())).then(|| said.to_owned()))
    }
}
