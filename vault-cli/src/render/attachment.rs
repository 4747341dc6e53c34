//! Attachments: lists, and what was attached or given out.

use super::{bytes, count, table as columns, time};
use crate::session::reply::{
    AttachmentView, Given, NoteAttachReply, NoteAttachmentReply, NoteAttachmentsReply, NoteDetachReply,
};
use std::path::Path;
use vault_core::note::display::escape_line;

/// Writes the attachments of a note.
pub fn list(reply: &NoteAttachmentsReply) -> String {
    if reply.attachments.is_empty() {
        return "no attachments".to_owned();
    }
    let all = count(reply.attachments.len() as u64, "attachment", "attachments");
    format!("{}{all}\n", table(&reply.attachments))
}

/// Writes attachments as a table.
pub fn table(attachments: &[AttachmentView]) -> String {
    let rows = attachments.iter().map(|a| {
        let mark = if a.original { " (the original of this note)" } else { "" };
        [
            a.attachment.to_string(),
            time(&a.at),
            bytes(a.length),
            escape_line(&a.media_type).into_owned(),
            match &a.removed {
                None => format!("{}{mark}", escape_line(&a.name)),
                Some(removed) => format!(
                    "{}{mark} (taken off {} by {}: {})",
                    escape_line(&a.name),
                    time(&removed.at),
                    escape_line(&removed.by),
                    escape_line(&removed.reason)
                ),
            },
        ]
    });
    columns(["ATTACHMENT", "ATTACHED", "SIZE", "TYPE", "NAME"], rows)
}

/// Says what was attached, beside its number.
pub fn attached(reply: &NoteAttachReply) -> String {
    let view = &reply.view;
    let already = if reply.already { "was attached before: " } else { "" };
    format!(
        "{already}{}, {}, {}",
        escape_line(&view.name),
        bytes(view.length),
        escape_line(&view.media_type)
    )
}

/// Says what was taken off, and what becomes of it.
pub fn removed(reply: &NoteDetachReply) -> String {
    let (note, number) = (&reply.note, reply.view.attachment);
    format!(
        "took off attachment {number} of {note}: {}\nversion {} of {note}, in case {}; its bytes stay until an erasure, and \
         `casevault note attach {note} --get {number} --removed --out FILE` gives it\n",
        escape_line(&reply.view.name),
        reply.version,
        reply.case
    )
}

/// Says what was given out, and what was not.
pub fn given(reply: &NoteAttachmentReply, path: &Path) -> String {
    let path = path.display().to_string();
    let how = match reply.given {
        Given::AsItIs => "",
        Given::Copy => ", without what it says of place, time and camera",
        Given::Original => ", the original",
    };
    let mut out = format!("wrote {} to {}{how}\n", bytes(reply.bytes), escape_line(&path));
    if !reply.left_out.is_empty() {
        out.push_str(&format!("left out: {}\n", reply.left_out.join(", ")));
    }
    out
}
