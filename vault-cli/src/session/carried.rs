//! How replies whose JSON is made for reading travel between processes instead: nothing left out, nothing twice.
//!
//! A shown note's JSON puts head and payload into one object, and the version before is not in it. Here each part
//! stands for itself.

use super::reply::AttachmentView;
use super::reply::LeftOut;
use super::reply::NOTE_HISTORY;
use super::reply::NoteHead;
use super::reply::NoteHistoryReply;
use super::reply::NoteShowReply;
use super::reply::NoteView;
use super::reply::Withdrawal;
use serde::Deserialize;
use serde::Serialize;
use vault_core::note::Note;
use vault_core::note::when::Moment;

/// A note: its payload, and what a reader was told beside it.
#[derive(Serialize, Deserialize)]
pub(crate) struct CarriedNote {
    payload: Note,
    first_recorded_at: Option<Moment>,
}

impl From<Note> for CarriedNote {
    fn from(note: Note) -> Self {
        Self {
            first_recorded_at: note.first_recorded_at.clone(),
            payload: note,
        }
    }
}

impl From<CarriedNote> for Note {
    fn from(carried: CarriedNote) -> Self {
        Self {
            first_recorded_at: carried.first_recorded_at,
            ..carried.payload
        }
    }
}

/// A note with its head.
#[derive(Serialize, Deserialize)]
pub(crate) struct CarriedView {
    head: NoteHead,
    content: CarriedNote,
}

impl From<NoteView> for CarriedView {
    fn from(NoteView { head, content }: NoteView) -> Self {
        Self {
            head,
            content: content.into(),
        }
    }
}

impl From<CarriedView> for NoteView {
    fn from(CarriedView { head, content }: CarriedView) -> Self {
        Self {
            head,
            content: content.into(),
        }
    }
}

/// A [`NoteShowReply`].
#[derive(Serialize, Deserialize)]
pub(crate) struct CarriedShow {
    view: CarriedView,
    beside: Vec<CarriedView>,
    before: Option<CarriedNote>,
    left_out: usize,
    left_out_kinds: Vec<LeftOut>,
    attachments: Vec<AttachmentView>,
}

impl From<NoteShowReply> for CarriedShow {
    fn from(reply: NoteShowReply) -> Self {
        Self {
            view: reply.view.into(),
            beside: reply.beside.into_iter().map(Into::into).collect(),
            before: reply.before.map(Into::into),
            left_out: reply.left_out,
            left_out_kinds: reply.left_out_kinds,
            attachments: reply.attachments,
        }
    }
}

impl From<CarriedShow> for NoteShowReply {
    fn from(carried: CarriedShow) -> Self {
        Self {
            view: carried.view.into(),
            beside: carried.beside.into_iter().map(Into::into).collect(),
            before: carried.before.map(Into::into),
            left_out: carried.left_out,
            left_out_kinds: carried.left_out_kinds,
            attachments: carried.attachments,
        }
    }
}

/// A [`NoteHistoryReply`].
#[derive(Serialize, Deserialize)]
pub(crate) struct CarriedHistory {
    note: String,
    case: String,
    external_id: Option<String>,
    versions: Vec<CarriedView>,
    withdrawn: Option<Withdrawal>,
}

impl From<NoteHistoryReply> for CarriedHistory {
    fn from(reply: NoteHistoryReply) -> Self {
        Self {
            note: reply.note,
            case: reply.case,
            external_id: reply.external_id,
            versions: reply.versions.into_iter().map(Into::into).collect(),
            withdrawn: reply.withdrawn,
        }
    }
}

impl From<CarriedHistory> for NoteHistoryReply {
    fn from(carried: CarriedHistory) -> Self {
        Self {
            schema: NOTE_HISTORY,
            note: carried.note,
            case: carried.case,
            external_id: carried.external_id,
            versions: carried.versions.into_iter().map(Into::into).collect(),
            withdrawn: carried.withdrawn,
        }
    }
}
