//! What was verified.

use super::{count, number, or_dash, table};
use crate::session::reply::VerifyReply;

/// Writes the verdict first, then each failure by handle and check.
pub fn verify(reply: &VerifyReply) -> String {
    let verdict = if reply.failures.is_empty() {
        "chain intact".to_owned()
    } else {
        count(reply.failures.len() as u64, "CHECK FAILED", "CHECKS FAILED")
    };
    let mut out = format!(
        "{}, {}, {verdict}\n",
        count(reply.entries, "entry", "entries"),
        count(reply.authors, "author", "authors")
    );
    out.push_str(&format!(
        "checked {} in {}, opened {}\n",
        count(reply.signatures, "signature", "signatures"),
        count(reply.streams, "stream", "streams"),
        count(reply.opened, "record", "records")
    ));
    if reply.attachments > 0 {
        out.push_str(&format!(
            "read {} to the end\n",
            count(reply.attachments, "attachment", "attachments")
        ));
    }
    if let Some(sealed) = reply.sealed {
        out.push_str(&format!(
            "left {} sealed, which only reviewers open\n",
            count(sealed, "entry", "entries")
        ));
    }
    if let Some(server) = &reply.server {
        out.push_str(&format!(
            "hashed {} of the log at {}, {} of what was sent from here\n",
            count(server.leaves, "leaf", "leaves"),
            server.url,
            number(server.own)
        ));
    }
    if reply.removed > 0 {
        out.push_str(&format!(
            "removed {} that an interrupted command had left\n",
            count(reply.removed, "file", "files")
        ));
    }
    if !reply.failures.is_empty() {
        out.push('\n');
        let rows = reply.failures.iter().map(|failure| {
            [
                or_dash(Some(&failure.handle)),
                failure.check.clone(),
                failure.cause.clone(),
            ]
        });
        out.push_str(&table(["WHERE", "CHECK", "CAUSE"], rows));
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::session::reply::{CASE_VERIFY, Failure};

    #[test]
    fn the_verdict_comes_first_and_failures_are_named() {
        let mut reply = VerifyReply {
            schema: CASE_VERIFY,
            entries: 412,
            authors: 3,
            signatures: 824,
            opened: 400,
            attachments: 0,
            removed: 0,
            streams: 1,
            sealed: None,
            server: None,
            failures: Vec::new(),
        };
        assert!(verify(&reply).starts_with("412 entries, 3 authors, chain intact\n"));
        reply.failures.push(Failure {
            handle: "n-19qd3m0x".into(),
            check: "CHK-15".into(),
            cause: "record signature does not verify".into(),
        });
        let text = verify(&reply);
        assert!(text.starts_with("412 entries, 3 authors, 1 CHECK FAILED\n"), "{text}");
        assert!(
            text.contains("n-19qd3m0x  CHK-15  record signature does not verify"),
            "{text}"
        );
    }
}
