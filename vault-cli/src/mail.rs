//! An e-mail file becomes a note as JSON: who wrote to whom and when, and what was written, as reported by its sender.
//!
//! ```text
//! bytes ─ is it a mail? ─ headers, parts, charsets ─ text (HTML reduced to it) ─ quoted tail trimmed ─> JSON of a note
//! ```
//!
//! Pure. Nothing is fetched; attachments are named, and taken where that is asked for.

mod html;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Address, HeaderName, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use serde_json::{Value, json};

use crate::session::SessionError;
use crate::session::request::MailMark;
use vault_core::attachment::safe_name;
use vault_core::crypto::hash::Hasher;

/// The longest mail that is read, in bytes, attachments included.
pub const LONGEST: u64 = 64 << 20;

/// The longest text that is taken out of a mail, in bytes.
const LONGEST_TEXT: usize = 4 << 20;

/// Most addresses and attachments that are named.
const MOST_NAMED: usize = 200;

/// Fields of which a mail that was saved to a file has several.
const TELLING: [&str; 9] = [
    "date",
    "delivered-to",
    "message-id",
    "mime-version",
    "received",
    "return-path",
    "subject",
    "to",
    "content-type",
];

/// What a mail became.
#[derive(Debug)]
pub struct MailNote {
    /// The note, as JSON.
    pub json: String,
    /// Lines of quoted earlier mails that were left out.
    pub trimmed: usize,
    /// Names of attachments, which are not in the note.
    pub attachments: Vec<String>,
}

/// A file that is attached to a mail.
#[derive(Debug)]
pub struct MailFile {
    /// Its name, made safe: whoever wrote the mail chose it.
    pub name: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// Takes out of a mail what is attached to it, byte for byte as it was sent; a mail that was forwarded as an attachment is one
/// of them. Together they are no larger than the mail.
///
/// # Errors
/// [`SessionError::TooLong`] for more than 200 files: none is left out unseen.
pub fn files(bytes: &[u8]) -> Result<Vec<MailFile>, SessionError> {
    let raw = without_mailbox_line(bytes);
    let Some(mail) = MessageParser::default().parse(raw) else {
        return Ok(Vec::new());
    };
    if mail.attachments().count() > MOST_NAMED {
        return Err(SessionError::TooLong {
            what: "the list of the mail's attachments".to_owned(),
            limit: u64::try_from(MOST_NAMED).unwrap_or(u64::MAX),
        });
    }
    let file = |part: &MessagePart<'_>| {
        let (content, without_name) = match &part.body {
            PartType::Message(inner) => (inner.raw_message().to_vec(), "mail.eml"),
            // A text is given in another charset than it was sent in.
            PartType::Text(_) | PartType::Html(_) => (as_sent(part, raw), "attachment"),
            _ => (part.contents().to_vec(), "attachment"),
        };
        MailFile {
            name: safe_name(part.attachment_name().unwrap_or(without_name)),
            content,
        }
    };
    Ok(mail.attachments().map(file).collect())
}

/// Returns the bytes of a part of a mail without what it was wrapped in for the way.
fn as_sent(part: &MessagePart<'_>, raw: &[u8]) -> Vec<u8> {
    let at = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
    let body = raw.get(at(part.offset_body)..at(part.offset_end)).unwrap_or_default();
    let unwrapped = match part.encoding {
        mail_parser::Encoding::Base64 => base64_decode(body),
        mail_parser::Encoding::QuotedPrintable => quoted_printable_decode(body),
        mail_parser::Encoding::None => None,
    };
    unwrapped.unwrap_or_else(|| body.to_vec())
}

/// Tells which mail it is: by what its sender's program called it, and by its bytes.
pub fn mark(bytes: &[u8]) -> MailMark {
    let sha256 = |bytes: &[u8]| {
        let mut hasher = Hasher::plain();
        hasher.update(bytes);
        hasher
            .finish()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let raw = without_mailbox_line(bytes);
    let mail = MessageParser::default().parse(raw);
    let id = mail.as_ref().and_then(Message::message_id).map(str::trim);
    MailMark {
        id: id.filter(|id| !id.is_empty()).map(|id| sha256(id.as_bytes())),
        sha256: sha256(raw),
    }
}

/// One mail out of a mailbox file begins with a line of that.
fn without_mailbox_line(bytes: &[u8]) -> &[u8] {
    let start = match bytes.starts_with(b"From ") {
        true => bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1),
        false => 0,
    };
    bytes.get(start..).unwrap_or_default()
}

/// Tells whether bytes are a mail: a block of header fields with a sender and two more that mails have.
pub fn is_mail(bytes: &[u8]) -> bool {
    let mut from = false;
    let mut others = 0;
    for (number, line) in bytes.split(|byte| *byte == b'\n').take(500).enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") || (number == 0 && line.starts_with(b"From ")) {
            continue;
        }
        let Some(name) = line
            .split(|byte| *byte == b':')
            .next()
            .filter(|name| name.len() < line.len())
        else {
            return false;
        };
        if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_graphic()) {
            return false;
        }
        let name = name.to_ascii_lowercase();
        from |= name == b"from";
        others += usize::from(TELLING.iter().any(|known| known.as_bytes() == name));
    }
    from && others >= 2
}

/// Reads a mail into a note of the kind `correspondence`, which flags may change.
///
/// # Errors
/// [`SessionError::Malformed`] with the line of the file: no sender, no date, no text, a charset that is not known or
/// does not fit; [`SessionError::TooLong`] for more than 4 MiB of text.
pub fn to_note(bytes: &[u8], trim_quoted: bool) -> Result<MailNote, SessionError> {
    let raw = without_mailbox_line(bytes);
    let start = bytes.len() - raw.len();
    let place = Place { bytes, start };
    let mail = MessageParser::default()
        .parse(raw)
        .ok_or_else(|| place.fault(0, "this is no e-mail: it has no header"))?;
    let head = mail.root_part();
    let from = mail
        .from()
        .and_then(|a| names(a).into_iter().next())
        .ok_or_else(|| place.fault(0, "the mail names no sender (`From:`)"))?;
    let date = match (mail.date(), mail.header(HeaderName::Date)) {
        (Some(date), _) if date.is_valid() => date.to_timestamp(),
        (_, Some(_)) => return Err(place.fault(place.of_header(head, "date"), "this is not a date of a mail")),
        _ => return Err(place.fault(0, "the mail says no date (`Date:`)")),
    };
    let date = jiff::Timestamp::from_second(date)
        .map_err(|_| place.fault(place.of_header(head, "date"), "this is not a date of a mail"))?;
    let mut text = String::new();
    for part in mail.text_bodies() {
        require_charset(part, &place)?;
        let piece = match &part.body {
            PartType::Text(text) => text.to_string(),
            PartType::Html(html) => html::to_text(html),
            _ => continue,
        };
        require_decoded(part, &piece, raw, &place)?;
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(piece.trim());
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if text.len() > LONGEST_TEXT {
        return Err(SessionError::TooLong {
            what: "the text of the mail".to_owned(),
            limit: u64::try_from(LONGEST_TEXT).unwrap_or(u64::MAX),
        });
    }
    let (text, trimmed) = match trim_quoted {
        true => without_quoted_tail(&text),
        false => (text.trim(), 0),
    };
    if text.is_empty() {
        let at = usize::try_from(head.offset_body).unwrap_or(0);
        return Err(place.fault(at, "the mail has no text"));
    }
    let to: Vec<String> = [mail.to(), mail.cc()].into_iter().flatten().flat_map(names).collect();
    let attachments = attachment_names(&mail);
    let json = note(&Read {
        subject: mail.subject().unwrap_or_default().trim(),
        from: &from,
        to: &to,
        date,
        text,
        trimmed,
        attachments: &attachments,
    });
    Ok(MailNote {
        json: json.to_string(),
        trimmed,
        attachments,
    })
}

struct Read<'a> {
    subject: &'a str,
    from: &'a str,
    to: &'a [String],
    date: jiff::Timestamp,
    text: &'a str,
    trimmed: usize,
    attachments: &'a [String],
}

fn note(mail: &Read<'_>) -> Value {
    let mut said = vec![format!("E-mail from {}", mail.from)];
    if !mail.to.is_empty() {
        said.push(format!("to {}", mail.to.join(", ")));
    }
    let mut about = said.join(" ");
    if !mail.subject.is_empty() {
        about.push_str(&format!("; subject: {}", mail.subject));
    }
    about.push('.');
    if mail.trimmed > 0 {
        let lines = if mail.trimmed == 1 { "line" } else { "lines" };
        about.push_str(&format!(
            " {} {lines} of earlier mails, quoted below it, left out.",
            mail.trimmed
        ));
    }
    if !mail.attachments.is_empty() {
        about.push_str(&format!(" Attached to it: {}.", mail.attachments.join(", ")));
    }
    let mut present = vec![mail.from.to_owned()];
    present.extend(mail.to.iter().cloned());
    present.dedup();
    json!({
        "kind": "correspondence",
        "occurred_at": mail.date.to_string(),
        "present": present,
        "segments": [
            {"kind": "narrative", "text": about},
            {"kind": "reported", "from": mail.from, "text": mail.text},
        ],
    })
}

/// Names people as they are named in the mail: `Ann Worker <ann@example.org>`.
fn names(address: &Address<'_>) -> Vec<String> {
    let one = |address: &mail_parser::Addr<'_>| {
        let name = address.name().map(str::trim).filter(|name| !name.is_empty());
        let mail = address.address().map(str::trim).filter(|mail| !mail.is_empty());
        match (name, mail) {
            (Some(name), Some(mail)) => Some(format!("{name} <{mail}>")),
            (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
            (None, None) => None,
        }
    };
    address.iter().filter_map(one).take(MOST_NAMED).collect()
}

fn attachment_names(mail: &Message<'_>) -> Vec<String> {
    let name = |part: &MessagePart<'_>| part.attachment_name().unwrap_or("without a name").trim().to_owned();
    mail.attachments().map(name).take(MOST_NAMED).collect()
}

fn require_charset(part: &MessagePart<'_>, place: &Place<'_>) -> Result<(), SessionError> {
    let named = part.content_type().and_then(|kind| kind.attribute("charset"));
    let plain = |name: &str| {
        matches!(
            name.to_ascii_lowercase().as_str(),
            "utf-8" | "utf8" | "us-ascii" | "ascii"
        )
    };
    match named {
        Some(name) if !plain(name) && charset_decoder(name.as_bytes()).is_none() => {
            let at = place.of_header(part, "content-type");
            Err(place.fault(at, &format!("the charset `{name}` is not known")))
        }
        _ => Ok(()),
    }
}

/// Refuses text that holds the mark of what could not be decoded, where the mail itself does not.
fn require_decoded(part: &MessagePart<'_>, text: &str, raw: &[u8], place: &Place<'_>) -> Result<(), SessionError> {
    let (from, to) = (
        usize::try_from(part.offset_body).unwrap_or(0),
        usize::try_from(part.offset_end).unwrap_or(0),
    );
    let body = raw.get(from..to).unwrap_or_default();
    let mark = "\u{fffd}";
    let meant = [mark.as_bytes(), b"=EF=BF=BD"]
        .iter()
        .any(|form| body.windows(form.len()).any(|window| window == *form));
    if part.is_encoding_problem || (text.contains(mark) && !meant && part.encoding != mail_parser::Encoding::Base64) {
        // The first byte beyond ASCII is the first that can be wrong.
        let wrong = body.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
        let why = "the text is not in the charset or encoding that the mail says";
        return Err(place.fault(from + wrong, why));
    }
    if part.encoding == mail_parser::Encoding::Base64 && text.contains(mark) {
        let why = "the text is not in the charset that the mail says";
        return Err(place.fault(from, why));
    }
    Ok(())
}

/// Where something stands in the file.
struct Place<'a> {
    bytes: &'a [u8],
    start: usize,
}

impl Place<'_> {
    fn fault(&self, offset: usize, why: &str) -> SessionError {
        let before = self.bytes.get(..self.start + offset).unwrap_or(self.bytes);
        SessionError::Malformed {
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: 1,
            why: why.to_owned(),
        }
    }

    fn of_header(&self, part: &MessagePart<'_>, name: &str) -> usize {
        let found = part.headers.iter().find(|h| h.name.as_str().eq_ignore_ascii_case(name));
        found.map_or(0, |header| usize::try_from(header.offset_field).unwrap_or(0))
    }
}

/// Cuts off the mails that a mail quotes below its own text; tells how many lines went.
fn without_quoted_tail(text: &str) -> (&str, usize) {
    let lines: Vec<&str> = text.lines().collect();
    let cut = (0..lines.len()).find(|at| begins_tail(&lines, *at));
    let Some(cut) = cut else { return (text.trim(), 0) };
    let offset: usize = text.split_inclusive('\n').take(cut).map(str::len).sum();
    let kept = text.get(..offset).unwrap_or(text).trim();
    (kept, lines.len() - cut)
}

/// Tells whether everything from this line on is an earlier mail.
fn begins_tail(lines: &[&str], at: usize) -> bool {
    let line = lines.get(at).copied().unwrap_or_default().trim();
    let rest = lines.get(at + 1..).unwrap_or_default();
    let quoted = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('>');
    let any = |lines: &[&str]| lines.iter().any(|line| line.trim_start().starts_with('>'));
    if line.starts_with("-----Original Message-----") || line.starts_with("----- Original Message -----") {
        return true;
    }
    // Outlook: a block of fields and no mark.
    let fields = |names: &[&str]| {
        names.iter().all(|name| {
            rest.iter()
                .take(5)
                .any(|line| line.trim().trim_matches('*').starts_with(name))
        })
    };
    if line.trim_matches('*').starts_with("From:") && (fields(&["Sent:", "To:"]) || fields(&["Date:", "Subject:"])) {
        return true;
    }
    // "On Monday, Ann wrote:", over one line or two, and nothing but quoted lines after it.
    if line.ends_with(':') && line.len() < 400 && any(rest) && rest.iter().all(quoted) {
        let wrote = |line: &str| line.starts_with("On ") || line.contains("wrote:") || line.contains('@');
        return wrote(line);
    }
    if line.starts_with("On ") && !line.ends_with(':') {
        let ends = rest.first().is_some_and(|next| next.trim().ends_with("wrote:"));
        return ends && any(rest) && rest.iter().skip(1).all(quoted);
    }
    line.starts_with('>') && rest.iter().all(quoted)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn head(rest: &str) -> Vec<u8> {
        let head = "From: Joan Harker <joan@example.org>\r\nTo: Ann Worker <ann@example.net>, duty@example.net\r\n\
            Date: Thu, 12 Mar 2026 15:05:00 +0100\r\nSubject: The boiler\r\nMessage-ID: <1@example.org>\r\n";
        format!("{head}{rest}").into_bytes()
    }

    fn note(mail: &[u8], trim: bool) -> Value {
        assert!(is_mail(mail));
        serde_json::from_str(&to_note(mail, trim).unwrap().json).unwrap()
    }

    fn fault(mail: &[u8]) -> (usize, String) {
        match to_note(mail, false).unwrap_err() {
            SessionError::Malformed { line, why, .. } => (line, why),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn headers_become_fields_and_the_body_what_its_sender_reports() {
        let read = note(&head("\r\nThe boiler is out.\r\n\r\nIt is cold.\r\n"), false);
        assert_eq!(read["kind"], "correspondence");
        assert_eq!(read["occurred_at"], "2026-03-12T14:05:00Z");
        assert_eq!(
            read["present"],
            json!([
                "Joan Harker <joan@example.org>",
                "Ann Worker <ann@example.net>",
                "duty@example.net"
            ])
        );
        assert_eq!(read["segments"][1]["kind"], "reported");
        assert_eq!(read["segments"][1]["from"], "Joan Harker <joan@example.org>");
        assert_eq!(read["segments"][1]["text"], "The boiler is out.\n\nIt is cold.");
        assert!(
            read["segments"][0]["text"]
                .as_str()
                .unwrap()
                .contains("subject: The boiler.")
        );
    }

    #[test]
    fn charsets_and_transfer_encodings_come_out_right() {
        let latin = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\r\nCaf=E9 at f=FCnf\r\n";
        assert_eq!(note(&head(latin), false)["segments"][1]["text"], "Café at fünf");
        let mut eight = head("Content-Type: text/plain; charset=windows-1252\r\n\r\n");
        eight.extend(b"\x93Caf\xe9\x94\r\n");
        assert_eq!(note(&eight, false)["segments"][1]["text"], "“Café”");
        let base64 = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nU2nDom4=\r\n";
        assert_eq!(note(&head(base64), false)["segments"][1]["text"], "Siân");
        let subject =
            b"From: =?utf-8?q?Si=C3=A2n?= <s@example.org>\nDate: Thu, 12 Mar 2026 15:05:00 GMT\nTo: a@b.example\n\nx\n";
        assert_eq!(note(subject, false)["segments"][1]["from"], "Siân <s@example.org>");
    }

    #[test]
    fn html_alone_is_reduced_to_text_and_attachments_are_named() {
        let html = "Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>The boiler <b>is</b> out.</p>\
            <script>alert(1)</script><img src=\"http://example.org/track\"></body></html>\r\n";
        let read = note(&head(html), false);
        let text = read["segments"][1]["text"].as_str().unwrap();
        assert!(
            text.contains("The boiler is out.") && !text.contains("http") && !text.contains('<'),
            "{text}"
        );
        let mixed = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
            See the plan.\r\n--b\r\nContent-Type: application/pdf; name=\"plan.pdf\"\r\nContent-Disposition: attachment; \
            filename=\"plan.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n";
        let mail = head(mixed);
        assert_eq!(to_note(&mail, false).unwrap().attachments, ["plan.pdf"]);
        let read = note(&mail, false);
        assert_eq!(read["segments"][1]["text"], "See the plan.");
        assert!(
            read["segments"][0]["text"]
                .as_str()
                .unwrap()
                .ends_with("Attached to it: plan.pdf.")
        );
    }

    #[test]
    fn the_quoted_tail_goes_on_request_and_nothing_else() {
        let bodies = [
            ("Come Monday.\n\nOn 11 Mar 2026, Ann wrote:\n> When?\n>\n> Ann\n", 4),
            (
                "Come Monday.\n\nOn Wed, 11 Mar 2026 at 10:00, Ann Worker\n<ann@example.net> wrote:\n\n> When?\n",
                4,
            ),
            (
                "Come Monday.\n\n-----Original Message-----\nFrom: Ann\nSent: Wed\n\nWhen?\n",
                5,
            ),
            (
                "Come Monday.\n\nFrom: Ann\nSent: Wednesday\nTo: Joan\nSubject: x\n\nWhen?\n",
                6,
            ),
            ("Come Monday.\n> When?\n", 1),
        ];
        for (body, lines) in bodies {
            let mail = head(&format!("\r\n{body}"));
            let read = to_note(&mail, true).unwrap();
            assert_eq!(read.trimmed, lines, "{body}");
            let read: Value = serde_json::from_str(&read.json).unwrap();
            assert_eq!(read["segments"][1]["text"], "Come Monday.", "{body}");
            let about = read["segments"][0]["text"].as_str().unwrap();
            assert!(about.contains("left out."), "{about}");
            assert!(
                note(&mail, false)["segments"][1]["text"]
                    .as_str()
                    .unwrap()
                    .contains("Ann")
                    || lines == 1
            );
        }
        // An answer between quoted lines is no tail.
        let between = head("\r\nOn 11 Mar, Ann wrote:\n> When?\nMonday.\n> Where?\nAt home.\n");
        assert_eq!(to_note(&between, true).unwrap().trimmed, 0);
    }

    #[test]
    fn the_quoted_tail_of_an_html_mail_goes_too() {
        let html = "Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><div>Monday is fine.</div>\
            <div class=\"gmail_quote\"><div>On Tue, 10 Mar 2026, Ann Worker &lt;ann@example.net&gt; wrote:<br></div>\
            <blockquote class=\"gmail_quote\"><div>Would Monday do?<br>Ann</div></blockquote></div></body></html>\r\n";
        let whole = note(&head(html), false)["segments"][1]["text"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(whole.contains("> Would Monday do?"), "{whole}");
        let trimmed = note(&head(html), true);
        assert_eq!(trimmed["segments"][1]["text"], "Monday is fine.");
        assert!(
            trimmed["segments"][0]["text"]
                .as_str()
                .unwrap()
                .contains("of earlier mails"),
            "{trimmed}"
        );
    }

    #[test]
    fn what_is_missing_or_does_not_fit_is_named_by_line() {
        assert_eq!(fault(&head("")), (6, "the mail has no text".to_owned()));
        assert_eq!(fault(&head("\r\n")), (7, "the mail has no text".to_owned()));
        let unknown = head("Content-Type: text/plain; charset=klingon-8\r\n\r\nnuqneH\r\n");
        assert_eq!(fault(&unknown), (6, "the charset `klingon-8` is not known".to_owned()));
        let mut wrong = head("Content-Type: text/plain; charset=utf-8\r\n\r\nfine\r\n");
        wrong.extend(b"caf\xe9 au lait\r\n");
        assert_eq!(fault(&wrong).0, 9);
        assert!(
            fault(b"To: a@b\nDate: Thu, 12 Mar 2026 15:05:00 GMT\n\nx\n")
                .1
                .contains("no sender")
        );
        assert!(fault(b"From: a@b\nSubject: x\n\nx\n").1.contains("no date"));
        assert_eq!(fault(b"From: a@b\nSubject: x\nDate: yesterday\n\nx\n").0, 3);
        let huge = head(&format!("\r\n{}", "x".repeat(LONGEST_TEXT + 1)));
        assert!(matches!(to_note(&huge, false), Err(SessionError::TooLong { .. })));
    }

    #[test]
    fn a_note_is_not_taken_for_a_mail() {
        for text in [
            "From: the file\nDate: unknown\n",
            "kind: phone\nat: today\n\nShe rang.\n",
            "From: her\n\nSubject: mine\nTo: x\n",
            "{\"segments\":[]}",
            "",
            "From Ann: it is cold.\nDate: x\nTo: y\n",
        ] {
            assert!(!is_mail(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn no_cut_or_flipped_mail_makes_it_panic() {
        let mail = head(
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
            Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\nU2nDom4=\r\n--b--\r\n",
        );
        for at in 0..mail.len() {
            let _ = to_note(&mail[..at], true);
            let mut flipped = mail.clone();
            flipped[at] ^= 0x55;
            let _ = to_note(&flipped, true);
        }
    }
}
