"""Attachments: the payload in a record, and the file of chunks beside the store (§15)."""

import hashlib
import re

from .ids import text
from .labels import digest, kdf
from .refusal import Refusal, require
from .seal import PADDING_FLOOR, TAG, aead_open, padme
from .structures import ATTACHMENT, LIMIT_ATTACHMENT, LIMIT_ATTACHMENT_NAME, NOTE, AttachmentContext, make

SCHEMA = "casevault.attachment/1"
CHUNK = 65536
NAME = re.compile(r"[0-9a-z]{26}")


def padded_length(length):
    return max(PADDING_FLOOR, padme(length + 1))


def file_length(length):
    padded = padded_length(length)
    return padded + TAG * -(-padded // CHUNK)


def file_name(context):
    return text("", digest("attachment name", context)[:16])[1:]


def context_of(header):
    return AttachmentContext.write(make(agency=header.agency, stream=header.stream, record=header.record))


def chunk_cipher(key, context):
    """Key and nonce prefix."""
    derived = kdf("attachment seal", key, context, 51)
    return derived[:32], derived[32:]


def nonce(prefix, number, last):
    return prefix + number.to_bytes(4, "big") + bytes([last])


def read_payload(payload):
    """Length, SHA-256 and key of a payload whose members are what the page says (CHK-106)."""
    try:
        length, name, media = payload["length"], payload["name"], payload["media_type"]
        sums = [bytes.fromhex(payload[member]) for member in ("sha256", "key")]
        sound = type(length) is int and 0 <= length <= LIMIT_ATTACHMENT and [len(one) for one in sums] == [32] * 2
        sound = sound and len(name.encode()) <= LIMIT_ATTACHMENT_NAME and len(media.encode()) <= 127
        sound = sound and re.fullmatch(r"n-[0-9a-z]{26}", payload["note"]) and isinstance(payload["at"], str)
    except (AttributeError, KeyError, TypeError, ValueError):
        sound = False
    require(sound, "CHK-106", "not what is known of an attachment")
    return length, *sums


def open_file(payload, context, file):
    """The content of a file, an object to read whose end can be sought (CHK-111, CHK-112, CHK-13, CHK-113), in pieces."""
    length, sha256, key = read_payload(payload)
    size = file.seek(0, 2)
    file.seek(0)
    require(size == file_length(length), "CHK-111", "a file of another length")
    cipher, prefix = chunk_cipher(key, context)
    plain, left, padding = hashlib.sha256(), length, b""
    count = -(-size // (CHUNK + TAG))
    for number in range(count):
        sealed = file.read(CHUNK + TAG)
        place = nonce(prefix, number, number == count - 1)
        opened = aead_open(cipher, place, b"", sealed, "CHK-112")
        content, rest = opened[:left], opened[left:]
        left -= len(content)
        padding += rest
        plain.update(content)
        yield content
    require(padding[:1] == b"\x80" and not padding[1:].strip(b"\0"), "CHK-13", "other padding behind the content")
    require(plain.digest() == sha256, "CHK-113", "not the content that the record names")


def check_attachments(home, records, opened):
    """Every attachment's file and record, and no file without one. Returns how many are right."""
    folder, known, numbers, right = home / "attachments", set(), {}, 0
    notes = {
        (record.header.stream.id, record.header.section, text("n", record.header.record))
        for record in records
        if record.header["class"] == NOTE
    }
    for record in records:
        if record.header["class"] == ATTACHMENT:
            known.add(file_name(context_of(record.header)))
    for one in opened:
        if one.schema != SCHEMA:
            continue
        header, note = one.record.header, one.payload.get("note")
        require(header.version == 1, "CHK-114", "a second version of an attachment")
        read_payload(one.payload)
        numbers[note] = numbers.get(note, 0) + 1
        try:
            placed = (header.stream.id, header.section, note) in notes
            require(placed, "CHK-114", "an attachment of no note of its case and section")
            context = context_of(header)
            path = folder / file_name(context)
            if not path.exists():
                path = path.with_name(path.name + ".part")
            require(path.is_file(), "CHK-110", "an attachment's file is missing")
            with path.open("rb") as file:
                for _ in open_file(one.payload, context, file):
                    pass
        except Refusal as refusal:
            refusal.handle = f"{note[:10]} attachment {numbers[note]}"
            raise
        right += 1
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if NAME.fullmatch(path.name) and path.name not in known:
            raise Refusal("CHK-115", "a file that no record names", f"attachments/{path.name}")
    return right

