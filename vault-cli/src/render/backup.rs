//! Backups, restores and cards, as text.

use super::{count, number};
use crate::session::reply::{BackupReply, CheckReply, LedgerReply, RestoreReply};
use vault_core::note::display::escape_line;
use vault_core::recovery::grouped;

/// Writes what a backup holds.
pub fn create(reply: &BackupReply) -> String {
    let opens = if reply.recovery_waits {
        "the passphrase opens it".to_owned()
    } else {
        format!(
            "the passphrase opens it, or the cards of recovery key {}",
            reply.recovery_version
        )
    };
    format!(
        "backed up {} and {}, {} bytes\n{opens}\n",
        count(reply.entries, "entry", "entries"),
        count(reply.attachments, "attachment file", "attachment files"),
        number(reply.bytes)
    )
}

/// Writes what a ledger holds.
pub fn ledger(reply: &LedgerReply) -> String {
    format!(
        "wrote {} of {}\n",
        count(reply.erasures, "erasure", "erasures"),
        count(reply.records, "record", "records")
    )
}

/// Writes what was restored, after the line that names the device.
pub fn restored(reply: &RestoreReply) -> String {
    let mut out = format!(
        "backup of {}: {} and {}\n{} verified in {}: those of the backup, and {} that the restore wrote",
        super::time(&reply.made_at),
        count(reply.backed_up, "entry", "entries"),
        count(reply.attachments, "attachment file", "attachment files"),
        count(reply.entries, "entry", "entries"),
        reply.home,
        number(reply.entries.saturating_sub(reply.backed_up)),
    );
    for device in &reply.retired {
        out.push_str(&format!("\nretired device {device}"));
    }
    if reply.erased > 0 {
        out.push_str(&format!("\nerased again: {}", count(reply.erased, "record", "records")));
    }
    for failure in &reply.failures {
        let line = format!("{}: {} ({})", failure.handle, failure.cause, failure.check);
        out.push_str(&format!("\n{}", escape_line(&line)));
    }
    out
}

/// Writes what is known of cards.
pub fn check(reply: &CheckReply) -> String {
    let numbers: Vec<String> = reply.numbers.iter().map(ToString::to_string).collect();
    let known = match reply.current {
        Some(true) => "they are of this vault's set",
        Some(false) => {
            "their key is proposed and not in force as far as this vault knows: until it is, the older cards are the ones"
        }
        None => "there is no vault here that knows its cards, to compare them with",
    };
    let enough = if reply.enough { "enough" } else { "not enough" };
    format!(
        "well formed: cards {} of {}, set {}, recovery key {}\n{} are needed: {enough}\n{known}\n",
        numbers.join(", "),
        reply.shares,
        grouped(&reply.set),
        reply.version,
        reply.threshold
    )
}
