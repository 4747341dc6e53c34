//! §15: an attachment of two chunks, and what is made of it.

use super::CASE;
use super::SEAL_SECRET;
use super::agency;
use super::hex;
use serde_json::Value;
use serde_json::json;
use vault_core::attachment;
use vault_core::attachment::Attachment;
use vault_core::attachment::AttachmentContext;
use vault_core::attachment::CHUNK_BYTES;
use vault_core::attachment::ChunkCipher;
use vault_core::attachment::SEALED_CHUNK_BYTES;
use vault_core::check::Check;
use vault_core::crypto::hash::Hasher;
use vault_core::crypto::pad;
use vault_core::id::RecordId;
use vault_core::secret::AttachmentKey;
use vault_core::secret::SealSecret;
use vault_core::wire;
use vault_core::wire::v1::stream::StreamId;

const RANDOM: [u8; 32] = [0x58; 32];
const BEGUN: i128 = 1_772_000_000_123_456_789;
/// Byte i is `i % 251`: enough for a second chunk, and for padding behind it.
const LENGTH: usize = 66_000;

fn content() -> Vec<u8> {
    (0..LENGTH).map(|n| (n % 251) as u8).collect()
}

pub(crate) fn context() -> AttachmentContext {
    AttachmentContext {
        agency: agency(),
        stream: StreamId::case(CASE),
        record: RecordId([0x44; 16]),
    }
}

fn key() -> AttachmentKey {
    let secret = SealSecret::from_bytes(SEAL_SECRET);
    attachment::content_key(&RANDOM, &secret, BEGUN, &content()[..CHUNK_BYTES], &context()).unwrap()
}

/// Seals a plaintext that may be padded in any way.
fn sealed(padded: &[u8]) -> Vec<u8> {
    let cipher = ChunkCipher::derive(&key(), &context()).unwrap();
    let chunks = padded.chunks(CHUNK_BYTES);
    let last = chunks.len() - 1;
    let mut file = Vec::new();
    for (number, text) in chunks.enumerate() {
        let mut chunk = text.to_vec();
        chunk.resize(text.len() + 16, 0);
        cipher.seal(number as u32, number == last, &mut chunk).unwrap();
        file.extend(chunk);
    }
    file
}

pub(crate) fn file() -> Vec<u8> {
    sealed(&pad::pad(&content()))
}

pub(crate) fn payload() -> Attachment {
    let mut plain = Hasher::plain();
    plain.update(&content());
    Attachment {
        note: RecordId([0x41; 16]),
        name: "scan \u{202e}gpj.exe".to_owned(),
        media_type: "image/jpeg".to_owned(),
        length: LENGTH as u64,
        sha256: plain.finish(),
        at: "2026-03-12T14:00:00Z".to_owned(),
        is_original: true,
        key: key(),
    }
}

pub(crate) fn attachment() -> Value {
    let file = file();
    json!({
        "about": "§15: byte i of the content is i % 251. The file is its chunks; of the first, only its ends are here.",
        "context": hex(wire::encode(&context()).unwrap()),
        "random": hex(RANDOM),
        "seal_secret": hex(SEAL_SECRET),
        "begun": BEGUN.to_string(),
        "length": LENGTH,
        "key": hex(key().expose()),
        "padded_length": attachment::padded_length(LENGTH as u64).unwrap(),
        "file_length": file.len(),
        "first_chunk_begins": hex(&file[..32]),
        "first_chunk_tag": hex(&file[CHUNK_BYTES..SEALED_CHUNK_BYTES]),
        "second_chunk": hex(&file[SEALED_CHUNK_BYTES..]),
        "file_name": attachment::file_name(&context()).unwrap(),
        "payload": String::from_utf8(payload().to_json().unwrap()).unwrap(),
    })
}

/// Makes the file of a malformed vector, which says how it differs from the honest one: a byte changed by XOR in the
/// `content`, in what is `padded`, or in the `file`, or the `pieces` of the honest file, each from where and how many.
pub(crate) fn made(vector: &Value) -> Vec<u8> {
    let edit = |bytes: &mut [u8], name: &str| {
        if let Some(change) = vector[name].as_array() {
            bytes[change[0].as_u64().unwrap() as usize] ^= change[1].as_u64().unwrap() as u8;
        }
    };
    let mut content = content();
    edit(&mut content, "content");
    let mut padded = pad::pad(&content);
    edit(&mut padded, "padded");
    let mut file = sealed(&padded);
    edit(&mut file, "file");
    let Some(pieces) = vector["pieces"].as_array() else {
        return file;
    };
    let number = |piece: &Value, at: usize| piece[at].as_u64().unwrap() as usize;
    let cut = |piece: &Value| file[number(piece, 0)..][..number(piece, 1)].to_vec();
    pieces.iter().flat_map(cut).collect()
}

pub(crate) fn honest() -> Value {
    json!({ "structure": "attachment" })
}

pub(crate) fn malformed() -> Vec<Value> {
    let (whole, first) = (file().len(), SEALED_CHUNK_BYTES);
    let rest = whole - first;
    let cases = [
        (
            "cut at the edge of a chunk",
            "pieces",
            json!([[0, first]]),
            Check::AttachmentLength,
        ),
        (
            "without its first chunk",
            "pieces",
            json!([[first, rest]]),
            Check::AttachmentLength,
        ),
        (
            "one byte less",
            "pieces",
            json!([[0, whole - 1]]),
            Check::AttachmentLength,
        ),
        (
            "one byte more",
            "pieces",
            json!([[0, whole], [0, 1]]),
            Check::AttachmentLength,
        ),
        (
            "its last chunk twice",
            "pieces",
            json!([[0, whole], [first, rest]]),
            Check::AttachmentLength,
        ),
        ("empty", "pieces", json!([]), Check::AttachmentLength),
        (
            "chunks in another order",
            "pieces",
            json!([[first, rest], [0, first]]),
            Check::AttachmentChunk,
        ),
        (
            "the first chunk's beginning as the last",
            "pieces",
            json!([[0, first], [0, rest]]),
            Check::AttachmentChunk,
        ),
        (
            "a bit of the first chunk",
            "file",
            json!([9, 1]),
            Check::AttachmentChunk,
        ),
        (
            "a bit of the last tag",
            "file",
            json!([whole - 1, 128]),
            Check::AttachmentChunk,
        ),
        ("another mark", "padded", json!([LENGTH, 1]), Check::Padding),
        ("no mark", "padded", json!([LENGTH, 128]), Check::Padding),
        (
            "padding that is not zero",
            "padded",
            json!([LENGTH + 1, 1]),
            Check::Padding,
        ),
        (
            "another content under the same key",
            "content",
            json!([7, 1]),
            Check::AttachmentContent,
        ),
    ];
    let vector = |(name, member, value, check): (&str, &str, Value, Check)| {
        let mut vector = honest();
        vector["name"] = format!("attachment, {name}").into();
        vector[member] = value;
        vector["check"] = check.to_string().into();
        vector
    };
    cases.map(vector).into()
}
