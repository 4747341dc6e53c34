"""Records: rebuilt from their columns (§12.1, steps 1 and 2), checked, and opened (§3)."""

import json

from . import ed25519
from .codec import decode
from .ids import handle
from .labels import digest, equal, kdf
from .refusal import Refusal, require
from .seal import PADDING_FLOOR, TAG, aead_open, committed_open, unpad
from .structures import (
    ADMIN,
    AGENCY,
    ATTACHMENT,
    CASE,
    LIMIT_PADDED,
    NOTE,
    PRIVATE,
    ZERO_HASH,
    RecordHeader,
    WrapContext,
    make,
)

SCHEMAS = {
    "casevault.note/1": {(CASE, NOTE), (CASE, PRIVATE)},
    "casevault.profile/1": {(CASE, ADMIN)},
    "casevault.label/1": {(CASE, ADMIN)},
    "casevault.settings/1": {(AGENCY, ADMIN)},
    "casevault.relation/1": {(CASE, ADMIN)},
    "casevault.attachment/1": {(CASE, ATTACHMENT)},
}
SECTION_OF = {"casevault.profile/1": 1, "casevault.label/1": 0, "casevault.relation/1": 0, "casevault.settings/1": 0}
HEADER_SIZE = 174


def read_header(header_bytes):
    """The header, of 174 bytes, as far as it can be judged alone: CHK-01, CHK-02, CHK-03, CHK-10, CHK-16."""
    header = decode(RecordHeader, header_bytes, HEADER_SIZE)
    require(header.padded_length <= LIMIT_PADDED, "CHK-01", "a padded length beyond its limit")
    require(header.padded_length >= PADDING_FLOOR, "CHK-10", "a padded length below its floor")
    first = header.amends == ZERO_HASH
    require(header.version > 0 and (header.version == 1) == first, "CHK-16", "version and what it amends do not fit")
    return header


def check_length(header, ciphertext):
    """CHK-10: the ciphertext is as long as the header says."""
    require(len(ciphertext) == header.padded_length + TAG, "CHK-10", "a ciphertext of another length")


def open_wrap(section_key, record_hash, context, wrap, commitment):
    """The record key in `wrap` (48 bytes; CHK-12), which must open to the header's commitment (CHK-11)."""
    derived = kdf("wrap seal", section_key, record_hash, 56)
    record_key = aead_open(derived[:32], derived[32:], WrapContext.write(context), wrap, "CHK-12")
    opens = equal(kdf("record seal", record_key, b"", 88)[:32], commitment)
    require(opens, "CHK-11", "the record key does not open to the commitment")
    return record_key


def open_record(record_key, header, header_bytes, ciphertext):
    """The payload's bytes (CHK-10 to CHK-13)."""
    check_length(header, ciphertext)
    padded = committed_open(
        "record seal", record_key, b"", header.commitment, header_bytes, ciphertext, "CHK-11", "CHK-12"
    )
    return unpad(padded)


class Record:
    """A record as its row has it. `erased` is set where ciphertext and wrap are gone."""

    def __init__(self, row, part, agency, stream, section, actors, erased):
        self.pos, self.part = row["pos"], part
        self.body, self.wrap = row["body"], row["wrap"]
        self.signature = row["record_signature"]
        self.erased = self.body is None
        self.erasure = False  # whether an event later in the stream names it
        require((self.wrap is None) == self.erased, "CHK-82", "ciphertext and wrap are not absent together")
        require((erased is not None) == self.erased, "CHK-82", "what is absent and what is erased differ")
        if self.erased:
            padded = erased["padded_length"]
            self.ciphertext_hash, self.wrap_hash = erased["ciphertext_hash"], erased["wrap_hash"]
        else:
            padded = len(self.body) - TAG
            self.ciphertext_hash = digest("ciphertext hash", self.body)
            self.wrap_hash = digest("wrap hash", self.wrap)
        for name in ("class", "version", "member", "device", "record_id", "commitment", "record_signature"):
            require(row[name] is not None, "CHK-105", f"`{name}` of a record is NULL")
        self.header = make(
            format=1,
            agency=agency,
            stream=stream,
            section=section,
            record=row["record_id"],
            version=row["version"],
            amends=row["amends"] or ZERO_HASH,
            member=actors(row["member"]),
            device=actors(row["device"]),
            class_=row["class"],
            padded_length=padded,
            commitment=row["commitment"],
        )
        self.header_bytes = RecordHeader.write(self.header)
        read_header(self.header_bytes)
        self.hash = digest("record hash", self.header_bytes + self.ciphertext_hash)
        self.placement = None
        self.newer_wraps = []

    @property
    def handle(self):
        return handle("n", self.header.record)

    def check_signature(self, agency):
        """CHK-14 and CHK-15; the device counts even when it was retired since, for records outlive devices."""
        device = agency.devices.get(self.header.device)
        certified = device is not None and device.member == self.header.member
        require(certified, "CHK-14", "the author's device is not certified for the author")
        signed = self.header_bytes + self.ciphertext_hash
        ed25519.verify("record signature", device.key, signed, self.signature, "CHK-15")

    def unwrap(self, section_keys):
        """The record key, from the newest wrap that opens to the header's commitment (CHK-11)."""
        place = self.placement
        wraps = [(place.epoch, place.release.month, self.wrap), *self.newer_wraps]
        refusal = None
        for epoch, month, wrap in reversed(wraps):
            try:
                key = section_keys(self.header.section, epoch, month)
                context = make(
                    agency=self.header.agency,
                    stream=self.header.stream,
                    section=self.header.section,
                    epoch=epoch,
                    month=month,
                    record_hash=self.hash,
                )
                return open_wrap(key, self.hash, context, wrap, self.header.commitment)
            except Refusal as found:
                refusal = found
        raise refusal

    def open(self, section_keys):
        """The payload: the text of a JSON object with its schema (CHK-10 to CHK-13, CHK-106)."""
        record_key = self.unwrap(section_keys)
        return self._payload(open_record(record_key, self.header, self.header_bytes, self.body))

    def _payload(self, raw):
        try:
            text = raw.decode("utf-8")
            payload = json.loads(text)
            schema = next(iter(payload.items()))
        except (ValueError, AttributeError, StopIteration):
            raise Refusal("CHK-106", "the payload is not a JSON object") from None
        require(schema[0] == "schema" and schema[1] in SCHEMAS, "CHK-106", "the payload is of no known schema")
        kind = (self.header.stream.kind, self.header["class"])
        section = SECTION_OF.get(schema[1], self.header.section)
        fits = kind in SCHEMAS[schema[1]] and section == self.header.section
        require(fits, "CHK-106", "a schema in a record of another class or section")
        return text
