//! The payload `casevault.attachment/1`: what an attachment's record says of its file.

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::id::RecordId;
use crate::secret::AttachmentKey;
use crate::wire::v1::limit;
use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde::Serialize;
use zeroize::Zeroize;

/// Schema of [`Attachment`].
pub const SCHEMA: &str = "casevault.attachment/1";

/// Most bytes of a name.
pub const LONGEST_NAME: usize = 255;

/// Most bytes of a media type.
const LONGEST_MEDIA_TYPE: usize = 127;

/// What is attached to a note: all that is known of it but the content.
#[derive(Debug)]
pub struct Attachment {
    /// The note that it belongs to, by the id of its primary record.
    pub note: RecordId,
    /// Its name as it was given, not made safe for anything.
    pub name: String,
    /// Its media type, as far as it was recognised.
    pub media_type: String,
    /// Bytes of its content.
    pub length: u64,
    /// SHA-256 of its content, as `sha256sum` makes it.
    pub sha256: [u8; 32],
    /// When it was attached, RFC 3339 in UTC.
    pub at: String,
    /// Whether it is the scan or photograph that the note was made from.
    pub is_original: bool,
    /// The key of its content.
    pub key: AttachmentKey,
}

#[derive(Serialize, Deserialize)]
struct Json {
    schema: String,
    note: String,
    name: String,
    media_type: String,
    length: u64,
    sha256: String,
    at: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    original: bool,
    key: String,
}

impl Drop for Json {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Attachment {
    /// Writes the payload.
    ///
    /// # Errors
    /// [`Check::TooLong`] for a name or media type over its limit.
    pub fn to_json(&self) -> Result<Vec<u8>, Refused> {
        require(
            self.name.len() <= LONGEST_NAME && self.media_type.len() <= LONGEST_MEDIA_TYPE,
            Check::TooLong,
        )?;
        let json = Json {
            schema: SCHEMA.to_owned(),
            note: self.note.to_string(),
            name: self.name.clone(),
            media_type: self.media_type.clone(),
            length: self.length,
            sha256: HEXLOWER.encode(&self.sha256),
            at: self.at.clone(),
            original: self.is_original,
            key: HEXLOWER.encode(self.key.expose()),
        };
        serde_json::to_vec(&json).map_err(|_| Check::Payload.into())
    }

    /// Reads the payload; members that it does not know are left aside.
    ///
    /// # Errors
    /// [`Check::Payload`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, Refused> {
        let json: Json = serde_json::from_slice(bytes).map_err(|_| Check::Payload)?;
        let fits = json.schema == SCHEMA
            && json.length <= limit::ATTACHMENT
            && json.name.len() <= LONGEST_NAME
            && json.media_type.len() <= LONGEST_MEDIA_TYPE
            && json.at.len() <= 64;
        require(fits, Check::Payload)?;
        Ok(Self {
            note: json.note.parse().map_err(|_| Check::Payload)?,
            name: json.name.clone(),
            media_type: json.media_type.clone(),
            length: json.length,
            sha256: unhex(&json.sha256)?,
            at: json.at.clone(),
            is_original: json.original,
            key: AttachmentKey::from_bytes(unhex(&json.key)?),
        })
    }
}

fn unhex(text: &str) -> Result<[u8; 32], Refused> {
    let mut bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| Check::Payload)?;
    let array = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| Check::Payload);
    bytes.zeroize();
    Ok(array?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn attachment() -> Attachment {
        Attachment {
            note: RecordId([3; 16]),
            name: "../scan \u{202e}gpj.exe\u{1b}[2J".to_owned(),
            media_type: "image/jpeg".to_owned(),
            length: 70_000,
            sha256: [4; 32],
            at: "2026-03-12T14:00:00Z".to_owned(),
            is_original: true,
            key: AttachmentKey::from_bytes([5; 32]),
        }
    }

    #[test]
    fn what_was_written_is_read_and_begins_with_its_schema() {
        let json = attachment().to_json().unwrap();
        assert!(json.starts_with(br#"{"schema":"casevault.attachment/1","note":"n-"#));
        let read = Attachment::from_json(&json).unwrap();
        assert_eq!(read.to_json().unwrap(), json);
        assert_eq!(
            (read.length, read.is_original, read.key),
            (70_000, true, attachment().key)
        );
    }

    #[test]
    fn the_files_hash_of_an_earlier_version_is_left_aside() {
        let written = String::from_utf8(attachment().to_json().unwrap()).unwrap();
        assert!(!written.contains("\"file\""));
        for file in ["\"0606\"", "7"] {
            let earlier = written.replacen('}', &format!(",\"file\":{file}}}"), 1);
            let read = Attachment::from_json(earlier.as_bytes()).unwrap();
            assert_eq!(read.to_json().unwrap(), written.as_bytes());
        }
    }

    #[test]
    fn chk_106_a_payload_that_is_not_of_the_schema_is_refused() {
        let honest = String::from_utf8(attachment().to_json().unwrap()).unwrap();
        assert!(Attachment::from_json(honest.as_bytes()).is_ok());
        let long = "a".repeat(LONGEST_NAME + 1);
        for (from, to) in [
            ("attachment/1", "attachment/2"),
            ("\"length\":70000", "\"length\":1099511627777"),
            ("\"length\":70000", "\"length\":-1"),
            ("\"length\":70000", "\"length\":\"70000\""),
            ("0404", "04"),
            ("0505", "05Z5"),
            ("\"note\":\"n-", "\"note\":\"c-"),
            ("image/jpeg", long.as_str()),
            ("../scan", long.as_str()),
            ("}", ""),
        ] {
            assert!(honest.contains(from), "{from}");
            let broken = honest.replacen(from, to, 1);
            assert_eq!(
                Attachment::from_json(broken.as_bytes()).map(|_| ()).unwrap_err().check,
                Check::Payload,
                "{from} -> {to}"
            );
        }
    }
}
